//! How a completion becomes chunks.

use breakwater::dialect::chat::replay;
use serde_json::{Value, json};

use super::replayed;

#[test]
fn a_whole_stream() {
    let completion = json!({
        "id": "c1", "object": "chat.completion", "created": 7, "model": "m", "x": { "y": 1 }, "usage": { "total_tokens": 3 },
        "choices": [{
            "index": 0, "finish_reason": "tool_calls", "native_finish_reason": "TOOL", "logprobs": null,
            "message": { "role": "assistant", "content": "Hi", "refusal": null, "tool_calls": [{ "id": "a", "type": "function", "function": { "name": "f", "arguments": "{}" } }] },
        }],
    });
    let chunk = |choices: Value, usage: Value, first: bool| {
        let mut chunk = json!({ "id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m", "choices": choices, "usage": usage });
        if first {
            chunk["x"] = json!({ "y": 1 });
        }
        chunk
    };
    let delta = |delta: Value| json!([{ "index": 0, "delta": delta, "finish_reason": null }]);
    let expected = [
        chunk(
            json!([{ "index": 0, "delta": { "role": "assistant", "content": "", "refusal": null }, "finish_reason": null, "logprobs": null }]),
            Value::Null,
            true,
        ),
        chunk(delta(json!({ "content": "Hi" })), Value::Null, false),
        chunk(
            delta(
                json!({ "tool_calls": [{ "index": 0, "id": "a", "type": "function", "function": { "name": "f", "arguments": "" } }] }),
            ),
            Value::Null,
            false,
        ),
        chunk(delta(json!({ "tool_calls": [{ "index": 0, "function": { "arguments": "{}" } }] })), Value::Null, false),
        chunk(
            json!([{ "index": 0, "delta": {}, "finish_reason": "tool_calls", "native_finish_reason": "TOOL", "logprobs": null }]),
            Value::Null,
            false,
        ),
        chunk(json!([]), json!({ "total_tokens": 3 }), false),
    ];
    let told: Vec<Value> =
        replayed(&completion, true).iter().filter_map(|payload| serde_json::from_str(payload).ok()).collect();
    assert_eq!(told, expected);

    let untold: Vec<Value> =
        replayed(&completion, false).iter().filter_map(|payload| serde_json::from_str(payload).ok()).collect();
    let without = expected.iter().take(5).cloned().map(|mut chunk| {
        chunk.as_object_mut().unwrap().remove("usage");
        chunk
    });
    assert_eq!(untold, without.collect::<Vec<_>>());
}

/// Null means that the usage is still to come, which would be a lie here.
#[test]
fn usage_that_is_not_known_is_not_announced() {
    let completion = json!({ "id": "c", "choices": [{ "index": 0, "message": { "role": "assistant", "content": "a" }, "finish_reason": "stop" }] });
    assert_eq!(replayed(&completion, true), replayed(&completion, false));
    assert!(!replayed(&completion, true).concat().contains("usage"));
}

#[test]
fn long_text_comes_in_several_pieces() {
    let text = "lorem ipsum dolor ".repeat(100) + &"ä".repeat(1000);
    let completion = json!({ "id": "c", "choices": [{ "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": "stop" }] });
    let pieces: Vec<String> = replayed(&completion, false)
        .iter()
        .filter_map(|payload| serde_json::from_str::<Value>(payload).ok())
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str().filter(|text| !text.is_empty()).map(str::to_owned))
        .collect();
    assert_eq!(pieces.concat(), text);
    assert!(pieces.len() > text.len() / 256 && pieces.len() < text.len() / 128, "{} pieces", pieces.len());
    assert!(pieces.iter().all(|piece| piece.len() <= 256));
}

#[test]
fn what_is_no_finished_completion_has_no_stream() {
    let choice = |fields: Value| json!({ "id": "c", "choices": [fields] }).to_string();
    let rows = [
        ("no JSON", "{".to_owned()),
        ("no object", "[]".to_owned()),
        ("no choices", "{}".to_owned()),
        ("no choice", json!({ "choices": [] }).to_string()),
        ("no message", choice(json!({ "finish_reason": "stop" }))),
        ("no finish reason", choice(json!({ "message": { "content": "a" } }))),
        ("a null finish reason", choice(json!({ "message": { "content": "a" }, "finish_reason": null }))),
        ("a tool call that is none", choice(json!({ "message": { "tool_calls": [3] }, "finish_reason": "stop" }))),
    ];
    for (name, completion) in rows {
        assert_eq!(replay(&completion, true), None, "{name}");
    }
}
