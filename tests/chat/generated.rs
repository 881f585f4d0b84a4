//! Generated completions keep the law.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::law;

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,6}", inner, 0..4).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

fn text() -> impl Strategy<Value = Value> {
    prop_oneof![Just(Value::Null), "(\\PC| ){0,700}".prop_map(Value::from)]
}

fn part() -> impl Strategy<Value = Value> {
    prop_oneof![
        "\\PC{0,20}".prop_map(|text| json!({ "type": "text", "text": text })),
        "\\PC{0,20}".prop_map(|text| json!({ "type": "thinking", "thinking": [{ "type": "text", "text": text }] })),
        json_value(),
    ]
}

fn call() -> impl Strategy<Value = Value> {
    ("[a-z0-9]{0,8}", "[a-z]{1,8}", "\\PC{0,600}", any::<bool>()).prop_map(|(id, name, arguments, custom)| {
        if custom {
            json!({ "id": id, "type": "custom", "custom": { "name": name, "input": arguments } })
        } else {
            json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } })
        }
    })
}

fn message() -> impl Strategy<Value = Value> {
    let content = prop_oneof![3 => text(), 1 => prop::collection::vec(part(), 0..5).prop_map(Value::from)];
    let unknown = prop::collection::btree_map("z[a-z]{1,6}", json_value(), 0..3);
    let calls = prop::option::of(prop::collection::vec(call(), 0..4));
    let reasoning = || prop::option::of(text());
    let details = prop::option::of(prop::collection::vec(part(), 0..4));
    (content, reasoning(), reasoning(), text(), calls, details, unknown).prop_map(
        |(content, reasoning, reasoning_content, refusal, calls, details, unknown)| {
            let mut message: Map<String, Value> = unknown.into_iter().collect();
            message.insert("role".to_owned(), "assistant".into());
            message.insert("content".to_owned(), content);
            message.insert("refusal".to_owned(), refusal);
            message.extend(reasoning.map(|text| ("reasoning".to_owned(), text)));
            message.extend(reasoning_content.map(|text| ("reasoning_content".to_owned(), text)));
            message.extend(calls.map(|calls| ("tool_calls".to_owned(), calls.into())));
            message.extend(details.map(|details| ("reasoning_details".to_owned(), details.into())));
            message.into()
        },
    )
}

fn completion() -> impl Strategy<Value = Value> {
    let logprobs = prop::option::of(prop_oneof![
        Just(Value::Null),
        json_value().prop_map(|value| json!({ "content": [value], "refusal": null }))
    ]);
    let choice = (message(), prop_oneof!["stop", "length", "tool_calls"], logprobs, prop::option::of(json_value()));
    let unknown = prop::collection::btree_map("z[a-z]{1,6}", json_value(), 0..3);
    (prop::collection::vec(choice, 1..4), unknown, prop::option::of(json_value().prop_filter("null is no usage", |usage| !usage.is_null()))).prop_map(
        |(choices, unknown, usage)| {
            let choices = choices.into_iter().enumerate().map(|(index, (message, reason, logprobs, native))| {
                let mut choice = json!({ "index": index, "message": message, "finish_reason": reason });
                let fields = choice.as_object_mut().unwrap();
                fields.extend(logprobs.map(|logprobs| ("logprobs".to_owned(), logprobs)));
                fields.extend(native.map(|native| ("native_finish_reason".to_owned(), native)));
                choice
            });
            let mut completion = json!({ "id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": choices.collect::<Vec<_>>() });
            let fields = completion.as_object_mut().unwrap();
            fields.extend(unknown);
            fields.extend(usage.map(|usage| ("usage".to_owned(), usage)));
            completion
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn assembling_a_replay_gives_the_completion_back(completion in completion()) {
        law("generated", &completion);
    }
}
