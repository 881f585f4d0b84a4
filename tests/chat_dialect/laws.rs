//! What is read is what was written, for anything that may be said.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use breakwater::chat::{Answer, Choice, Finish, Kind, Object, Origin, Part, Reasoning, Seal, Source, Speech, ToolCall, Usage};
use breakwater::dialect::Dialect;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{decode, encoded, gather, manner, object, payloads, read, write};

fn text() -> impl Strategy<Value = String> {
    "[ -~äß€🦀\n]{1,300}"
}

fn seal() -> impl Strategy<Value = Option<Seal>> {
    option::of(prop_oneof![
        "[a-z=+/]{1,20}".prop_map(|data| Seal::new(Origin::Anthropic, data)),
        "[a-z=+/]{1,20}".prop_map(|data| Seal::new(Origin::Gemini, data)),
    ])
}

/// In the order of a whole message, as one has no other.
fn choice() -> impl Strategy<Value = Choice> {
    let encrypted = ("[a-z]{1,9}", option::of(text())).prop_map(|(data, summary)| Reasoning {
        summary: summary.into_iter().collect(),
        seal: Some(Seal::new(Origin::Responses, format!("rs_1 {data}"))),
        ..Reasoning::default()
    });
    let thought = (text(), seal()).prop_map(|(text, seal)| Reasoning { text, seal, ..Reasoning::default() });
    let redacted = "[a-z]{1,20}".prop_map(|data| Reasoning {
        seal: Some(Seal::new(Origin::Anthropic, data)),
        redacted: true,
        ..Reasoning::default()
    });
    let reasoning = option::of(prop_oneof![encrypted, thought, redacted]);
    let call = ("[a-z_0-9]{1,20}", "[a-z]{1,9}", text(), any::<bool>());
    let speech = option::of((text(), vec(any::<u8>(), 1..9), "[a-z]{1,9}")).prop_map(|speech| {
        speech.map(|(transcript, bytes, id)| {
            let sound = object(&json!({ "id": id, "data": STANDARD.encode(bytes), "expires_at": 5 }));
            Part::new(Kind::Speech(Speech { transcript, sound }))
        })
    });
    (reasoning, option::of(text()), option::of(text()), speech, vec(call, 0..4)).prop_map(
        |(reasoning, text, refusal, speech, calls)| {
            let mut parts: Vec<Part> = reasoning.into_iter().map(|reasoning| Part::new(Kind::Reasoning(reasoning))).collect();
            parts.extend(text.map(Part::text));
            parts.extend(refusal.map(|text| Part::new(Kind::Refusal(text))));
            parts.extend(speech);
            let finish = if calls.is_empty() { Finish::Stop } else { Finish::ToolCalls };
            for (at, (id, name, arguments, custom)) in calls.into_iter().enumerate() {
                parts.push(Part::new(Kind::ToolCall(ToolCall {
                    id: format!("{id}{at}"),
                    name,
                    arguments,
                    custom,
                    seal: None,
                })));
            }
            Choice { parts, finish: Some(finish), ..Choice::default() }
        },
    )
}

fn answer() -> impl Strategy<Value = Answer> {
    let usage = (any::<u32>(), any::<u32>(), option::of(1_u64..9), option::of(1_u64..9)).prop_map(
        |(input, output, cached, audio_output)| Usage {
            input: input.into(),
            output: output.into(),
            cached,
            audio_output,
            ..Usage::default()
        },
    );
    (vec(choice(), 1..3), option::of(usage), option::of(prop_oneof![Just("default"), Just("priority")])).prop_map(
        |(choices, usage, tier)| Answer {
            id: Some("id".to_owned()),
            model: Some("m".to_owned()),
            created: Some(5),
            choices,
            usage,
            extra: tier.into_iter().map(|tier| ("service_tier".to_owned(), tier.into())).collect::<Object>(),
        },
    )
}

/// Sealed thoughts and images between words and calls, and words that are sealed themselves.
fn interleaved() -> impl Strategy<Value = Answer> {
    let sealed = |data: &'static str| {
        prop_oneof![Just(Origin::Anthropic), Just(Origin::Gemini)].prop_map(move |origin| Seal::new(origin, data))
    };
    let thought = move || {
        (prop_oneof![Just(String::new()), text()], sealed("s"), any::<bool>()).prop_map(|(text, seal, redacted)| {
            let redacted = redacted && text.is_empty() && seal.origin == Origin::Anthropic;
            Part::new(Kind::Reasoning(Reasoning { text, seal: Some(seal), redacted, ..Reasoning::default() }))
        })
    };
    let drawn = || {
        ("[a-zA-Z]{4}", sealed("i")).prop_map(|(data, seal)| {
            let source = Source::Base64 { media_type: "image/png".to_owned(), data };
            Part::new(Kind::Image { source, detail: None, seal: Some(seal) })
        })
    };
    let thought = move || prop_oneof![3 => thought(), 1 => drawn()];
    let said = || {
        (text(), option::of(Just(Seal::new(Origin::Gemini, "t"))))
            .prop_map(|(text, seal)| Part::new(Kind::Text { text, notes: Vec::new(), seal }))
    };
    let call = ("[a-z]{1,9}", "[a-z]{1,9}").prop_map(|(name, arguments)| ToolCall {
        id: String::new(),
        name,
        arguments,
        custom: false,
        seal: None,
    });
    (vec((option::of(said()), thought()), 0..4), option::of(said()), vec((call, vec(thought(), 0..3)), 0..4)).prop_map(
        |(first, text, calls)| {
            let mut parts: Vec<Part> =
                first.into_iter().flat_map(|(said, thought)| said.into_iter().chain([thought])).collect();
            parts.extend(text);
            let finish = Some(if calls.is_empty() { Finish::Stop } else { Finish::ToolCalls });
            for (at, (call, thoughts)) in calls.into_iter().enumerate() {
                parts.push(Part::new(Kind::ToolCall(ToolCall { id: format!("call_{at}"), ..call })));
                parts.extend(thoughts);
            }
            Answer {
                id: Some("id".to_owned()),
                model: Some("m".to_owned()),
                created: Some(5),
                choices: vec![Choice { parts, finish, ..Choice::default() }],
                ..Answer::default()
            }
        },
    )
}

proptest! {
    #[test]
    fn what_is_sealed_comes_back_in_its_place(answer in interleaved()) {
        let told = Dialect::Chat.encode(answer.clone(), &manner(true));
        let sent = read(&json!({ "messages": [told["choices"][0]["message"]] }));
        prop_assert_eq!(&sent.messages[0].parts, &answer.choices[0].parts, "{}", told);
        let stream = encoded(answer.clone().told(), true);
        let (whole, streamed) = (Dialect::Chat.decode(&told.to_string()), decode(&payloads(&stream)).and_then(gather));
        // What a provider drew is of no use to it with another's seal.
        if answer.choices[0].parts.iter().all(|part| !matches!(part.kind, Kind::Image { .. })) {
            prop_assert_eq!(whole, Some(answer.clone()), "{}", told);
            prop_assert_eq!(streamed, Some(answer), "{}", stream);
        }
    }

    #[test]
    fn a_whole_answer_comes_back(answer in answer()) {
        let told = Dialect::Chat.encode(answer.clone(), &manner(true));
        prop_assert_eq!(Dialect::Chat.decode(&told.to_string()), Some(answer));
    }

    #[test]
    fn a_stream_comes_back(answer in answer()) {
        let stream = encoded(answer.clone().told(), true);
        let back = decode(&payloads(&stream)).and_then(gather);
        prop_assert_eq!(back, Some(answer), "{}", stream);
    }

    #[test]
    fn usage_is_told_only_where_it_is_asked_for(answer in answer()) {
        let stream = encoded(answer.told(), false);
        prop_assert!(!stream.contains("\"usage\""));
    }

    #[test]
    fn a_request_that_was_read_and_written_is_read_as_the_same(body in request()) {
        let once = read(&body);
        for (preset, model) in [("openai", "gpt-4o"), ("openrouter", "m")] {
            let (written, ignored, refused) = write(&once, preset, model);
            prop_assert_eq!((ignored.len(), refused.len()), (0, 0));
            let mut expected = once.clone();
            if preset == "openai" {
                // It shows no thoughts, and takes none back.
                for message in &mut expected.messages {
                    message.parts.retain(|part| !matches!(part.kind, Kind::Reasoning(_)));
                }
            }
            prop_assert_eq!(read(&written), expected, "{}", written);
        }
    }
}

fn part() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(|text| json!({ "type": "text", "text": text, "cache_control": { "type": "ephemeral" } })),
        Just(json!({ "type": "image_url", "image_url": { "url": "https://e.com/a", "detail": "low" } })),
        Just(json!({ "type": "input_audio", "input_audio": { "data": "AAAA", "format": "wav" } })),
        Just(json!({ "type": "file", "file": { "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA" } })),
        Just(json!({ "type": "odd", "x": 1 })),
    ]
}

fn message() -> impl Strategy<Value = Vec<Value>> {
    prop_oneof![
        (prop_oneof![Just("user"), Just("system"), Just("developer")], text())
            .prop_map(|(role, text)| vec![json!({ "role": role, "content": text, "x": 1 })]),
        vec(part(), 1..4).prop_map(|parts| vec![json!({ "role": "user", "content": parts, "name": "ann" })]),
        (text(), option::of(text()))
            .prop_map(|(text, thought)| vec![json!({ "role": "assistant", "content": text, "reasoning": thought })]),
        ("[a-z0-9]{1,40}", any::<bool>(), text()).prop_map(|(id, custom, text)| {
            let call = if custom {
                json!({ "id": id, "type": "custom", "custom": { "name": "c", "input": text } })
            } else {
                json!({ "id": id, "type": "function", "function": { "name": "f", "arguments": text } })
            };
            vec![
                json!({ "role": "assistant", "content": null, "tool_calls": [call] }),
                json!({ "role": "tool", "tool_call_id": id, "content": text }),
            ]
        }),
    ]
}

fn request() -> impl Strategy<Value = Value> {
    let tools = prop_oneof![
        Just(Value::Null),
        Just(json!([
            { "type": "function", "function": { "name": "f", "description": "d", "parameters": { "z": 1, "a": 2 }, "strict": true }, "x": 1 },
            { "type": "custom", "custom": { "name": "c", "format": { "type": "text" } } }
        ])),
    ];
    let format = prop_oneof![
        Just(Value::Null),
        Just(json!({ "type": "text" })),
        Just(json!({ "type": "json_object" })),
        Just(json!({ "type": "json_schema", "json_schema": { "name": "n", "schema": { "z": 1 }, "strict": false } })),
    ];
    let choice = prop_oneof![
        Just(json!("auto")),
        Just(json!("required")),
        Just(json!({ "type": "custom", "custom": { "name": "c" } })),
        Just(
            json!({ "type": "allowed_tools", "allowed_tools": { "mode": "auto", "tools": [{ "type": "function", "function": { "name": "f" } }] } })
        ),
    ];
    (vec(message(), 1..5), tools, format, choice, option::of(0_u64..9), vec(text(), 0..3), any::<bool>()).prop_map(|(messages, tools, format, choice, n, stop, stream)| {
        let messages: Vec<Value> = messages.into_iter().flatten().collect();
        json!({
            "messages": messages, "tools": tools, "tool_choice": choice, "response_format": format, "n": n, "stop": stop, "stream": stream,
            "max_tokens": n, "temperature": 0.5, "logprobs": true, "top_logprobs": 2, "logit_bias": { "5": 1 }, "reasoning_effort": "low", "metadata": { "a": "b" },
            "store": true, "user": "u", "verbosity": "low", "prompt_cache_key": "k", "service_tier": "flex", "modalities": ["text"], "prediction": { "x": 1 }
        })
    })
}
