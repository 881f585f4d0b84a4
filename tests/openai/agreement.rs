//! A stream that has begun is looked at only as far as it must be. What is passed on without a look must be what a look would have passed
//! on: neither the end, nor a finish reason, nor an error.

use breakwater::dialect::Event;
use breakwater::dialect::chat::{classify_event, needs_a_look};
use breakwater::sse::{Frames, data};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::recordings;

/// Checks one event; says whether it was spared the look. Usage is not among what must be seen: who hides it looks at every event.
fn spared(name: &str, data: &[u8]) -> bool {
    if needs_a_look(data) {
        return false;
    }
    let event = classify_event(data);
    let matters = event.done || event.finish || event.explains_silence || event.error || event.garbage;
    assert!(!matters, "{name}: {event:?}: {}", String::from_utf8_lossy(data));
    true
}

/// What an event is taken for, however long its text is when it is written in another way.
fn flags(event: Event) -> [bool; 7] {
    let Event { done, content, finish, explains_silence, error, usage_only, garbage, .. } = event;
    [done, content, finish, explains_silence, error, usage_only, garbage]
}

/// Whether an event says what must be seen, by a reading of its own.
fn matters(event: &Value) -> bool {
    let ends = |choice: &Value| choice["finish_reason"].as_str().is_some_and(|reason| !reason.is_empty());
    !event["error"].is_null() || event["choices"].as_array().into_iter().flatten().any(ends)
}

#[test]
fn recorded_events() {
    let (mut events, mut passed) = (0, 0);
    for recording in recordings::all().iter().filter(|recording| recording.is_chat() && recording.is_stream()) {
        let mut frames = Frames::default();
        let fed = frames.feed(recording.body.as_bytes()).unwrap();
        for data in fed.frames().filter_map(data) {
            events += 1;
            passed += usize::from(spared(&recording.name, &data));
            if let Ok(event) = serde_json::from_slice::<Value>(&data) {
                let seen = classify_event(&data);
                assert_eq!(seen.finish || seen.error, matters(&event), "{}: {event}", recording.name);
                for text in [format!("{event:#}"), event.to_string(), format!(" {event} ")] {
                    spared(&recording.name, text.as_bytes());
                    assert_eq!(flags(classify_event(text.as_bytes())), flags(seen), "{}: {text}", recording.name);
                }
            }
        }
    }
    println!("{events} recorded events, of which {passed} are not looked at");
    // Otherwise nothing would be gained by it.
    assert!(passed * 2 >= events, "{passed} of {events}");
}

#[test]
fn what_is_looked_at() {
    let rows: [(&str, &str, bool); 15] = [
        ("the terminator", "[DONE]", true),
        ("the terminator in much white space", "            [DONE]            ", true),
        ("text", r#"{"choices":[{"delta":{"content":"hi"},"finish_reason":null}]}"#, false),
        ("text without a finish reason", r#"{"choices":[{"delta":{"content":"hi"}}]}"#, false),
        ("two choices without one", r#"{"choices":[{"delta":{"content":"hi"}},{"delta":{"content":"ho"}}]}"#, false),
        ("white space before null", "{\"choices\":[{\"delta\":{\"content\":\"hi\"},\"finish_reason\" :\r\n\t null}]}", false),
        ("a finish reason", r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#, true),
        ("white space before it", "{\"choices\":[{\"delta\":{},\"finish_reason\" : \n \"stop\"}]}", true),
        (
            "of the second choice",
            r#"{"choices":[{"delta":{},"finish_reason":null},{"delta":{},"finish_reason":"stop"}]}"#,
            true,
        ),
        ("of the third", r#"{"choices":[{"finish_reason":null},{"finish_reason":null},{"finish_reason":"stop"}]}"#, true),
        ("an error", r#"{"id":"0123456789","error":{"message":"m"}}"#, true),
        ("white space behind its name", "{\"id\":\"0123456789\",\"error\"\n:{\"message\":\"m\"}}", true),
        (
            "the words within a text",
            r#"{"choices":[{"delta":{"content":"an \"error\" and a \"finish_reason\":\"stop\""}}]}"#,
            false,
        ),
        ("a word as a text", r#"{"choices":[{"delta":{"content":"error"},"finish_reason":null}]}"#, true),
        ("usage", r#"{"choices":[],"usage":{"total_tokens":1}}"#, true),
    ];
    for (name, data, looks) in rows {
        assert_eq!(needs_a_look(data.as_bytes()), looks, "{name}");
        spared(name, data.as_bytes());
    }
}

/// Writes JSON with this white space between all of its parts.
fn spaced(value: &Value, space: &str, out: &mut String) {
    let list = |out: &mut String, open: char, parts: Vec<(Option<&String>, &Value)>, close: char| {
        out.push(open);
        for (nth, (name, value)) in parts.into_iter().enumerate() {
            out.push_str(if nth > 0 { "," } else { "" });
            out.push_str(space);
            if let Some(name) = name {
                out.push_str(&Value::from(name.as_str()).to_string());
                out.extend([space, ":", space]);
            }
            spaced(value, space, out);
            out.push_str(space);
        }
        out.push(close);
    };
    match value {
        Value::Object(members) => list(out, '{', members.iter().map(|(name, value)| (Some(name), value)).collect(), '}'),
        Value::Array(items) => list(out, '[', items.iter().map(|value| (None, value)).collect(), ']'),
        other => out.push_str(&other.to_string()),
    }
}

/// What a text may hold that looks like something else.
const WORDS: &[&str] = &[
    "error",
    "finish_reason",
    "\"error\":",
    "\"finish_reason\":null",
    "\"finish_reason\":\"stop\"",
    "[DONE]",
    "null",
    "\\",
    "\\\"",
];

fn text() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => "\\PC{0,12}".prop_map(Value::from),
        2 => prop::sample::select(WORDS).prop_map(Value::from),
        1 => prop::collection::vec(prop::sample::select(WORDS), 0..4).prop_map(|words| words.concat().into()),
        1 => Just(Value::Null),
    ]
}

fn choice() -> impl Strategy<Value = Value> {
    let reason = prop_oneof![
        4 => Just(Some(Value::Null)),
        2 => Just(None),
        2 => prop::sample::select(&["stop", "length", "tool_calls", "", "null"][..]).prop_map(|reason| Some(reason.into())),
    ];
    (text(), prop::option::of(text()), reason, any::<bool>()).prop_map(|(content, other, reason, reason_first)| {
        let delta = match other {
            Some(other) => json!({ "content": content, "tool_calls": [{ "function": { "name": "f", "arguments": other } }] }),
            None => json!({ "content": content }),
        };
        // Members are kept in the order of their names: `a` is before and `z` behind a finish reason.
        let mut choice = json!({ if reason_first { "z" } else { "a" }: content, "delta": delta });
        if let Some(reason) = reason {
            choice["finish_reason"] = reason;
        }
        choice
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn generated_events(
        choices in prop::collection::vec(choice(), 0..4),
        error in prop_oneof![6 => Just(None), 1 => Just(Some(Value::Null)), 1 => text().prop_map(Some), 1 => text().prop_map(|text| Some(json!({ "message": text })))],
        logprobs in prop::option::of(text()),
        space in prop::sample::select(&["", " ", "\n", "\r\n\t ", "  \n"][..]),
    ) {
        let mut event = json!({ "choices": choices, "logprobs": logprobs });
        if let Some(error) = error {
            event["error"] = error;
        }
        let mut text = String::new();
        spaced(&event, space, &mut text);
        prop_assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), &event, "the generator writes JSON");
        spared("generated", text.as_bytes());
        let seen = classify_event(text.as_bytes());
        let is_error = !matches!(event["error"].as_str(), Some("")) && !event["error"].is_null();
        prop_assert_eq!((seen.error, seen.garbage, seen.done), (is_error, false, false));
        let mut without = event.clone();
        without.as_object_mut().unwrap().remove("error");
        prop_assert_eq!(seen.finish, matters(&without));
    }
}
