//! What an upstream's bytes are.

use breakwater::dialect::{Dialect, Event, Whole};
use serde_json::json;

use crate::recordings;

#[test]
fn whole_bodies() {
    let message = |content: serde_json::Value, stop_reason: serde_json::Value, tokens: u64| {
        json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": content, "stop_reason": stop_reason,
            "stop_sequence": null, "usage": {"input_tokens": 9, "output_tokens": tokens}})
        .to_string()
    };
    let text = json!([{"type": "text", "text": "Hi"}]);
    let rows = [
        (message(text.clone(), json!("end_turn"), 3), Whole::Complete),
        (message(json!([{"type": "tool_use", "id": "a", "name": "b", "input": {}}]), json!("tool_use"), 3), Whole::Complete),
        (message(json!([{"type": "thinking", "thinking": "", "signature": "x"}]), json!("end_turn"), 30), Whole::Complete),
        (message(json!([{"type": "redacted_thinking", "data": "x"}]), json!("end_turn"), 30), Whole::Complete),
        // An empty turn behind a tool's result, as it was recorded; a dead upstream counts nothing, one whose content got lost counts more.
        (message(json!([]), json!("end_turn"), 2), Whole::Complete),
        (message(json!([]), json!("end_turn"), 0), Whole::Empty),
        (message(json!([]), json!("end_turn"), 200), Whole::Empty),
        (message(json!([{"type": "text", "text": ""}]), json!("end_turn"), 0), Whole::Empty),
        (message(json!([]), json!("tool_use"), 2), Whole::Empty),
        (message(json!([]), json!("max_tokens"), 0), Whole::Complete),
        (message(json!([]), json!("refusal"), 0), Whole::Complete),
        (message(json!([]), json!("stop_sequence"), 1), Whole::Complete),
        (message(text, json!(null), 3), Whole::Garbage),
        (json!({"type": "message", "content": [], "stop_reason": "end_turn"}).to_string(), Whole::Empty),
        (json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}).to_string(), Whole::Error),
        (json!({"error": {"message": "no", "code": 502}}).to_string(), Whole::Error),
        (json!({"id": "x", "object": "chat.completion", "choices": []}).to_string(), Whole::Garbage),
        (json!({"data": [], "has_more": false}).to_string(), Whole::Garbage),
        (json!({"input_tokens": 9}).to_string(), Whole::Garbage),
        ("<html>".to_owned(), Whole::Garbage),
        ("[{\"type\": \"message\"}]".to_owned(), Whole::Garbage),
        ("{\"type\":\"message\",\"content\":[{\"type\":\"text\",\"te".to_owned(), Whole::Garbage),
        (" \n".to_owned(), Whole::Empty),
    ];
    for (body, expected) in rows {
        assert_eq!(Dialect::Messages.classify_whole(&body), expected, "{body}");
    }
}

#[test]
fn events() {
    let none = Event::default();
    let block = |bytes| Event { content: true, answer: true, bytes, choices: 1, ..none };
    let thought = |bytes| Event { answer: false, ..block(bytes) };
    let finish = |explains_silence| Event { finish: true, choices: 1, finished: 1, explains_silence, ..none };
    let rows = [
        (json!({"type": "message_start", "message": {"content": [], "usage": {"input_tokens": 1}}}), none),
        (json!({"type": "message_start"}), Event { garbage: true, ..none }),
        (json!({"type": "ping"}), none),
        (json!({"type": "of_a_later_version", "x": 1}), none),
        (
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            Event { choices: 1, ..none },
        ),
        (
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "a", "name": "b", "input": {}}}),
            block(0),
        ),
        (
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "redacted_thinking", "data": "x"}}),
            thought(0),
        ),
        (json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}}), block(5)),
        (
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ""}}),
            Event { choices: 1, ..none },
        ),
        (
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": ""}}),
            Event { choices: 1, ..none },
        ),
        (
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "{}"}}),
            block(2),
        ),
        (json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}}), thought(2)),
        // With thoughts that are not shown, nothing but their signature comes.
        (
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "x"}}),
            thought(0),
        ),
        (json!({"type": "content_block_stop", "index": 0}), none),
        (
            json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 200}}),
            finish(false),
        ),
        (json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}), finish(true)),
        (json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 0}}), finish(false)),
        (json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 2}}), finish(false)),
        (json!({"type": "message_delta", "delta": {"stop_reason": "max_tokens"}}), finish(true)),
        (json!({"type": "message_delta", "delta": {"stop_reason": null}, "usage": {"output_tokens": 2}}), none),
        (json!({"type": "message_stop"}), Event { done: true, ..none }),
        (
            json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
            Event { error: true, ..none },
        ),
        (json!({"error": {"message": "no"}}), Event { error: true, ..none }),
        (json!({"object": "chat.completion.chunk", "choices": []}), Event { garbage: true, ..none }),
        (json!(["x"]), Event { garbage: true, ..none }),
    ];
    for (data, expected) in rows {
        let data = data.to_string();
        assert_eq!(Dialect::Messages.classify_frame(data.as_bytes(), data.as_bytes()), expected, "{data}");
    }
    assert_eq!(Dialect::Messages.classify_frame(b"", b"[DONE]"), none);
    assert_eq!(Dialect::Messages.classify_frame(b"", b"<html>"), Event { garbage: true, ..none });
}

/// A wrong look costs a stream its end: whatever is more than content is looked at, in every recorded stream and however it is spaced.
#[test]
fn what_is_not_looked_at_is_content() {
    let mut looked = (0, 0);
    for recording in recordings::all().iter().filter(|recording| recording.provider() == "anthropic" && recording.is_stream()) {
        for data in crate::data_of([recording.body.as_bytes()]) {
            let event = Dialect::Messages.classify_frame(data.as_bytes(), data.as_bytes());
            let needs = Dialect::Messages.needs_a_look(data.as_bytes(), data.as_bytes());
            let plain = Event {
                content: event.content,
                answer: event.answer,
                bytes: event.bytes,
                choices: event.choices,
                ..Event::default()
            };
            assert!(needs || event == plain, "{data}");
            looked = if needs { (looked.0 + 1, looked.1) } else { (looked.0, looked.1 + 1) };
        }
    }
    println!("events looked at, and not: {looked:?}");
    let quoted =
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "x": "\"type\":\"content_block_delta\""})
            .to_string();
    for data in [quoted.as_str(), "{\"type\":\"message_stop\"}", "{\"type\": \"error\"}", "<html>", ""] {
        assert!(Dialect::Messages.needs_a_look(data.as_bytes(), data.as_bytes()), "{data}");
    }
    let plain = "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"\\\"type\\\":\\\"error\\\"\"}}";
    assert!(!Dialect::Messages.needs_a_look(plain.as_bytes(), plain.as_bytes()));
}
