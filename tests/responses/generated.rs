//! Laws, by requests and answers that nobody wrote.

use breakwater::chat::{Answer, Choice, Finish, Kind, Part, Reasoning, ToolCall, Usage};
use breakwater::dialect::responses;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{deltas, encoded, events, gathered, manner, object, read, write};

fn word() -> impl Strategy<Value = String> {
    "[a-zé\"\\\\ \n]{1,12}"
}

fn item() -> impl Strategy<Value = Value> {
    let role = prop::sample::select(vec!["user", "system", "developer"]);
    let part = prop_oneof![
        word().prop_map(|text| json!({"type": "input_text", "text": text})),
        word()
            .prop_map(|text| json!({"type": "input_image", "image_url": format!("https://a/{}", text.len()), "detail": "low"})),
        Just(json!({"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="})),
        Just(json!({"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}})),
        Just(json!({"type": "input_new", "x": 1})),
    ];
    let said = prop_oneof![
        word().prop_map(|text| json!({"type": "output_text", "text": text, "annotations": []})),
        word().prop_map(|text| json!({"type": "refusal", "refusal": text})),
    ];
    let id = prop::option::of("[a-z]{3}");
    prop_oneof![
        (role.clone(), word()).prop_map(|(role, text)| json!({"role": role, "content": text})),
        (role, prop::collection::vec(part.clone(), 1..4)).prop_map(|(role, content)| json!({"type": "message", "role": role, "content": content})),
        (id.clone(), prop::collection::vec(said, 1..3)).prop_map(|(id, content)| match id {
            Some(id) => json!({"type": "message", "id": id, "role": "assistant", "content": content, "phase": "commentary"}),
            None => json!({"role": "assistant", "content": content}),
        }),
        word().prop_map(|text| json!({"role": "assistant", "content": text})),
        (id.clone(), word()).prop_map(|(id, text)| json!({"type": "function_call", "id": id, "call_id": "c", "name": "f", "arguments": text})),
        word().prop_map(|text| json!({"type": "custom_tool_call", "call_id": "d", "name": "g", "input": text})),
        word().prop_map(|text| json!({"type": "function_call_output", "call_id": "c", "output": text})),
        prop::collection::vec(part, 1..3).prop_map(|output| json!({"type": "custom_tool_call_output", "call_id": "d", "output": output})),
        (word(), prop::option::of("[a-zA-Z]{4}")).prop_map(|(text, sealed)| json!({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": text}], "encrypted_content": sealed})),
        Just(json!({"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}})),
        Just(json!({"type": "local_shell_call_output", "id": "x", "output": "y"})),
    ]
}

fn body() -> impl Strategy<Value = Value> {
    (prop::collection::vec(item(), 0..8), prop::option::of(word()), any::<u16>()).prop_map(|(input, instructions, bits)| {
        let mut body = json!({"model": "m", "input": input});
        let mut set = |bit: u16, name: &str, value: Value| {
            if bits & (1 << bit) != 0 {
                body[name] = value;
            }
        };
        set(0, "temperature", json!(0.25));
        set(1, "tools", json!([{"type": "function", "name": "f", "parameters": {"z": 1, "a": 2}, "strict": false, "x": 1}, {"type": "custom", "name": "g"}, {"type": "web_search"}]));
        set(2, "tool_choice", json!({"type": "custom", "name": "g"}));
        set(3, "text", json!({"format": {"type": "json_object"}, "verbosity": "low", "x": 1}));
        set(4, "reasoning", json!({"effort": "low", "summary": "auto", "mode": "pro"}));
        set(5, "include", json!(["message.output_text.logprobs", "web_search_call.action.sources"]));
        set(6, "store", json!(true));
        set(7, "previous_response_id", json!("resp_1"));
        set(8, "stream", json!(true));
        set(9, "user", json!("u"));
        set(10, "safety_identifier", json!("s"));
        set(11, "max_output_tokens", json!(5));
        set(12, "tool_choice", json!({"type": "web_search"}));
        set(13, "unheard_of", json!({"a": [1]}));
        if let Some(instructions) = instructions {
            body["instructions"] = instructions.into();
        }
        body
    })
}

fn part() -> impl Strategy<Value = Part> {
    let call = |custom| {
        move |(id, text): (String, String)| {
            Part::new(Kind::ToolCall(ToolCall { id, name: "f".to_owned(), arguments: text, custom, seal: None }))
        }
    };
    prop_oneof![
        (word(), 0..2_usize).prop_map(|(text, notes)| Part::new(Kind::Text {
            text,
            notes: vec![json!({"type": "url_citation", "url": "u", "title": "T", "start_index": 0, "end_index": 1}); notes],
            seal: None
        })),
        word().prop_map(|text| Part::new(Kind::Refusal(text))),
        prop::collection::vec(word(), 1..3)
            .prop_map(|summary| Part::new(Kind::Reasoning(Reasoning { summary, ..Reasoning::default() }))),
        ("[a-z]{4}", word()).prop_map(call(false)),
        ("[a-z]{4}", word()).prop_map(call(true)),
        Just(Part::new(Kind::Opaque(json!({"type": "web_search_call", "id": "ws"})))),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    (prop::collection::vec(part(), 0..6), 0..3_u8, any::<[u16; 3]>(), any::<bool>()).prop_map(
        |(parts, end, [input, output, cached], logprobs)| {
            let calls = parts.iter().any(|part| matches!(part.kind, Kind::ToolCall(_)));
            let finish = match end {
                0 => Finish::Length,
                1 => Finish::ContentFilter,
                _ if calls => Finish::ToolCalls,
                _ => Finish::Stop,
            };
            // They come last in a told answer, and only a message that is still open can take them.
            let ends_in_text = matches!(parts.last().map(|part| &part.kind), Some(Kind::Text { .. }));
            let logprobs = (logprobs && ends_in_text)
                .then(|| json!({"content": [{"token": "a", "logprob": -1.5, "bytes": [97], "top_logprobs": []}]}));
            Answer {
                id: Some("resp_1".to_owned()),
                model: Some("m".to_owned()),
                created: Some(9),
                choices: vec![Choice { parts, finish: Some(finish), logprobs, ..Choice::default() }],
                usage: Some(Usage {
                    input: input.into(),
                    output: output.into(),
                    cached: Some(cached.into()),
                    reasoning: Some(1),
                    ..Usage::default()
                }),
                extra: object(json!({"service_tier": "flex"})),
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_request_that_is_read_and_written_is_read_the_same(body in body()) {
        let once = read(body);
        let (written, ignored, refused) = write(&once, "m");
        prop_assert!(ignored.is_empty() && refused.is_empty(), "{ignored:?} {refused:?}");
        prop_assert_eq!(read(written), once);
    }

    #[test]
    fn an_answer_that_is_told_is_read_the_same(answer in answer()) {
        let request = || read(json!({"input": "x"}));
        let body = responses::encode(answer.clone(), &manner(request()));
        prop_assert_eq!(responses::decode(object(body.clone())), Some(answer.clone()));
        let stream = encoded(answer.clone().told(), request());
        let events = events(&stream);
        prop_assert_eq!(gathered(deltas(events.iter().map(String::as_str))), answer);
        let last: Value = serde_json::from_str(events.last().unwrap()).unwrap();
        prop_assert_eq!(&last["response"], &body);
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(kinds in prop::collection::vec((prop::sample::select(vec![
        "response.created", "response.output_item.added", "response.output_item.done", "response.content_part.added", "response.content_part.done",
        "response.output_text.delta", "response.refusal.delta", "response.reasoning_summary_text.delta", "response.reasoning_text.delta",
        "response.function_call_arguments.delta", "response.function_call_arguments.done", "response.output_text.annotation.added", "response.completed",
    ]), 0..3_u64, 0..2_u64, word(), prop::sample::select(vec!["message", "reasoning", "function_call", "x"])), 0..30)) {
        let mut decoder = breakwater::dialect::Decoder::new(breakwater::dialect::Dialect::Responses);
        let mut told = Vec::new();
        for (kind, output, content, text, item) in kinds {
            let event = json!({"type": kind, "output_index": output, "content_index": content, "summary_index": content, "delta": text, "arguments": text,
                "part": {"type": "output_text", "text": text}, "annotation": {}, "response": {"output": []},
                "item": {"type": item, "call_id": "c", "name": "f", "arguments": text, "summary": [{"text": text}], "content": [{"type": "output_text", "text": text}]}});
            let _ = decoder.event(&event.to_string(), &mut told);
        }
        decoder.end(&mut told);
        // Whatever was sent, what it gives keeps the order of deltas: an encoder never meets a part that is closed.
        let mut gather = breakwater::chat::Gather::new();
        let finished = told.iter().any(|delta| matches!(delta, breakwater::chat::Delta::Finish { .. }));
        for delta in told {
            gather.push(delta);
        }
        prop_assert_eq!(gather.finish().is_some(), finished);
    }
}
