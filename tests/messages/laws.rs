//! Laws over generated requests and answers.

use breakwater::chat::{
    Answer, Choice, Finish, Kind, Message, Origin, Part, Reasoning, Request, Role, Seal, Thinking, ToolCall, ToolResult, Usage,
};
use breakwater::dialect::Dialect;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::rules::broken;
use crate::{decoded, encoded, events_of, gathered, manner, object, read, written};

fn word() -> impl Strategy<Value = String> {
    "[a-zé \n\"\\\\]{0,6}".prop_map(|text| format!("x{text}y"))
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![word(), Just(String::new()), Just(" \n".to_owned()), word().prop_map(|word| format!("{word} \n"))]
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..4_u8).prop_map(|id| format!("call_{id}")),
        Just("a:b".to_owned()),
        Just(String::new()),
        Just("a b".to_owned())
    ]
}

fn seal() -> impl Strategy<Value = Option<Seal>> {
    let origin = prop_oneof![Just(Origin::Anthropic), Just(Origin::Gemini), Just(Origin::Responses), Just(Origin::Chat)];
    prop_oneof![Just(None), (origin, "[a-z.+/=][a-z.+/= ]{0,7}").prop_map(|(origin, data)| Some(Seal::new(origin, data)))]
}

fn arguments() -> impl Strategy<Value = String> {
    prop_oneof![Just("{}"), Just(""), Just("{\"z\":1.5,\"a\":[{}]}"), Just("[1]"), Just("{\"a\":")].prop_map(str::to_owned)
}

fn any_part() -> impl Strategy<Value = Part> {
    prop_oneof![
        3 => any_text().prop_map(Part::text),
        1 => any_text().prop_map(|text| Part::new(Kind::Refusal(text))),
        2 => (any_text(), seal(), any::<bool>())
            .prop_map(|(text, seal, redacted)| Part::new(Kind::Reasoning(Reasoning { text, seal, redacted, ..Reasoning::default() }))),
        3 => (id(), arguments()).prop_map(|(id, arguments)| {
            Part::new(Kind::ToolCall(ToolCall { id, name: "look".to_owned(), arguments, custom: false, seal: None }))
        }),
        1 => Just(Part::new(Kind::Opaque(json!({"type": "x"})))),
    ]
}

fn result() -> impl Strategy<Value = Part> {
    (id(), any_text(), any::<bool>()).prop_map(|(id, text, is_error)| {
        Part::new(Kind::ToolResult(ToolResult { id, name: None, content: vec![Part::text(text)], is_error, custom: false }))
    })
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        2 => prop::collection::vec(any_text().prop_map(Part::text), 0..3).prop_map(|parts| Message::new(Role::User, parts)),
        3 => prop::collection::vec(any_part(), 0..4).prop_map(|parts| Message::new(Role::Assistant, parts)),
        3 => prop::collection::vec(result(), 0..3).prop_map(|parts| Message::new(Role::Tool, parts)),
        1 => any_text().prop_map(|text| Message::new(Role::System, vec![Part::text(text)])),
        1 => any_text().prop_map(|text| Message::new(Role::Developer, vec![Part::text(text)])),
    ]
}

/// Requests of Anthropic's that obey its rules, as JSON.
fn legal() -> impl Strategy<Value = Value> {
    let user = prop::collection::vec(word(), 1..3);
    let turn = (user, prop::collection::vec(word(), 0..2), 0..3_usize, any::<bool>());
    prop::collection::vec(turn, 1..4).prop_map(|turns| {
        let text = |text: &String| json!({"type": "text", "text": text});
        let mut messages = Vec::new();
        let mut waiting: Vec<Value> = Vec::new();
        for (at, (user, said, calls, thinks)) in turns.iter().enumerate() {
            let results = waiting
                .drain(..)
                .map(|id| json!({"type": "tool_result", "tool_use_id": id, "content": [{"type": "text", "text": "r"}]}));
            let content: Vec<Value> = results.chain(user.iter().map(text)).collect();
            messages.push(json!({"role": "user", "content": content}));
            let mut content: Vec<Value> = Vec::new();
            if *thinks {
                content.push(json!({"type": "thinking", "thinking": "t", "signature": "s"}));
            }
            content.extend(said.iter().map(text));
            for call in 0..*calls {
                let id = format!("toolu_{at}_{call}");
                content.push(json!({"type": "tool_use", "id": id, "name": "look", "input": {"z": call, "a": null}}));
                waiting.push(id.into());
            }
            if content.last().is_some_and(|last| last["type"] != "thinking") {
                messages.push(json!({"role": "assistant", "content": content}));
            }
        }
        let results: Vec<Value> = waiting.into_iter().map(|id| json!({"type": "tool_result", "tool_use_id": id})).collect();
        if !results.is_empty() {
            messages.push(json!({"role": "user", "content": results}));
        }
        json!({"model": "m", "max_tokens": 9, "messages": messages})
    })
}

fn answer() -> impl Strategy<Value = Answer> {
    let note = json!({"type": "char_location", "cited_text": "c"});
    let part = prop_oneof![
        (word(), 0..3_usize).prop_map(move |(text, notes)| Kind::Text { text, notes: vec![note.clone(); notes], seal: None }),
        (word(), seal()).prop_map(|(text, seal)| Kind::Reasoning(Reasoning { text, seal, ..Reasoning::default() })),
        "[a-z]{1,8}".prop_map(|data| {
            let seal = Some(Seal::new(Origin::Anthropic, data));
            Kind::Reasoning(Reasoning { seal, redacted: true, ..Reasoning::default() })
        }),
        prop_oneof![Just("{}"), Just("{\"z\":1.5,\"a\":[{}]}")].prop_map(|arguments| {
            Kind::ToolCall(ToolCall {
                id: "call_1".to_owned(),
                name: "look".to_owned(),
                arguments: arguments.to_owned(),
                custom: false,
                seal: None,
            })
        }),
        Just(Kind::Opaque(json!({"type": "server_tool_use", "id": "s", "name": "n", "input": {"a": 1}}))),
    ];
    let usage = (1..99_u64, 1..99_u64, 0..9_u64, 0..9_u64, prop::option::of(0..9_u64)).prop_map(
        |(input, output, cached, written, reasoning)| Usage {
            input: input + cached + written,
            output,
            cached: Some(cached),
            cache_written: Some(written),
            reasoning,
            ..Usage::default()
        },
    );
    (prop::collection::vec(part.prop_map(Part::new), 0..5), usage, 0..6_usize).prop_map(|(parts, usage, end)| {
        let calls = parts.iter().any(|part| matches!(part.kind, Kind::ToolCall(_)));
        let finish = [Finish::Length, Finish::Refusal, Finish::Pause, Finish::StopSequence, Finish::Stop][end.min(4)].clone();
        let finish = if calls && end > 2 { Finish::ToolCalls } else { finish };
        let stop_sequence = (finish == Finish::StopSequence).then(|| "x".to_owned());
        let choices = vec![Choice { parts, finish: Some(finish), stop_sequence, ..Choice::default() }];
        Answer { id: Some("msg_1".to_owned()), model: Some("m".to_owned()), choices, usage: Some(usage), ..Answer::default() }
    })
}

/// A seal of another provider's comes back as what a client's next request says of it.
fn as_read_back(mut answer: Answer) -> Answer {
    for part in &mut answer.choices[0].parts {
        if let Kind::Reasoning(reasoning) = &mut part.kind
            && let Some(seal) = &mut reasoning.seal
        {
            *seal = Seal::new(Origin::Anthropic, seal.carried(Origin::Anthropic));
        }
    }
    answer
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_and_written_is_the_same(body in legal()) {
        prop_assert_eq!(broken(&body, "m"), Vec::<String>::new());
        let request = read(body.clone());
        let (again, lost) = written(&request, "m");
        prop_assert_eq!(&again, &body);
        prop_assert_eq!(lost, Vec::<String>::new());
        prop_assert_eq!(read(again), request);
    }

    #[test]
    fn any_conversation_obeys_anthropics_rules(
        messages in prop::collection::vec(message(), 0..9), budget in prop::option::of(0..9000_u64), max_tokens in prop::option::of(1..9000_u64),
    ) {
        let thinking = budget.map(|budget| Thinking { budget: Some(budget), ..Thinking::default() });
        let request = Request { messages, thinking, max_tokens, ..Request::new(Dialect::Chat) };
        for model in ["claude-3-5-haiku-20241022", "claude-sonnet-4-5", "claude-sonnet-4-6", "claude-opus-4-7"] {
            let (body, _) = written(&request, model);
            prop_assert_eq!(broken(&body, model), Vec::<String>::new(), "{}", body);
            // What is legal is legal still when it is read and written again, and from then on the same: results and words behind them are one message.
            let again = written(&read(body), model).0;
            prop_assert_eq!(broken(&again, model), Vec::<String>::new(), "{}", again);
            prop_assert_eq!(&written(&read(again.clone()), model).0, &again);
        }
    }

    #[test]
    fn an_answer_comes_back_whole_and_streamed(answer in answer()) {
        let expected = as_read_back(answer.clone());
        let whole = Dialect::Messages.encode(answer.clone(), &manner());
        prop_assert_eq!(Dialect::Messages.decode(&whole.to_string()), Some(expected.clone()));
        let frames = encoded(answer.told());
        let events = events_of(&frames);
        let streamed = gathered(decoded(events.iter().map(String::as_str)).unwrap());
        prop_assert_eq!(streamed, Some(expected));
    }

    /// Calls that grow side by side, in any order of their pieces, come out each whole.
    #[test]
    fn calls_side_by_side(order in prop::collection::vec(0..3_u32, 0..40)) {
        use breakwater::chat::{Delta, Opening};
        let texts = ["{\"a\":{\"b\":1}}", "{\"c\":\"}{\"}", "{\"d\":[{}]}"];
        let mut left: Vec<Vec<char>> = texts.iter().map(|text| text.chars().rev().collect()).collect();
        let mut deltas = vec![Delta::Begin { id: None, model: None, created: None }];
        for part in 0..3 {
            let kind = Opening::ToolCall { id: format!("c{part}"), name: "n".to_owned(), custom: false, seal: None };
            deltas.push(Delta::Open { choice: 0, part, kind });
        }
        for part in order.into_iter().chain([0; 20]).chain([1; 20]).chain([2; 20]) {
            if let Some(letter) = left[part as usize].pop() {
                deltas.push(Delta::Text { choice: 0, part, text: letter.to_string() });
            }
        }
        deltas.extend([Delta::Finish { choice: 0, finish: Finish::ToolCalls, stop_sequence: None }, Delta::End]);
        let events = events_of(&encoded(deltas));
        let answer = gathered(decoded(events.iter().map(String::as_str)).unwrap()).unwrap();
        let found: Vec<&str> = answer.choices[0].parts.iter().map(|part| match &part.kind {
            Kind::ToolCall(call) => call.arguments.as_str(),
            _ => "",
        }).collect();
        prop_assert_eq!(found, texts);
    }
}

#[test]
fn a_request_with_every_member_comes_back() {
    let body = json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}], "top_k": 1, "stream": true});
    assert_eq!(written(&read(body.clone()), "m").0, Value::Object(object(body)));
}
