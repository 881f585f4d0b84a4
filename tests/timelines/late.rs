//! What comes late in a stream: words behind a finish reason, and the other half of a character.

use serde_json::json;

use crate::ends::{CONFIG, DONE, PATHS, asking, text, told};
use crate::upstreams::{chunk, json as answers};
use crate::world::{World, ask, gateway, post};

#[test]
fn what_comes_behind_a_finish_reason_is_told() {
    let usage = format!(
        "data: {}\n\n",
        json!({ "id": "x", "choices": [], "usage": { "prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3 } })
    );
    for path in PATHS.into_iter().skip(1) {
        let late = vec![
            chunk(&json!({ "content": "a" }), None),
            chunk(&json!({}), Some("length")),
            chunk(&json!({ "content": "b" }), None),
            usage.clone(),
            DONE.to_owned(),
        ];
        let (_, body) = told(path, &asking(path, "one", &json!({})), late);
        assert_eq!(text(path, &body), "ab", "{path}: {body}");
        let ends = if path == "/v1/messages" { "\"stop_reason\":\"max_tokens\"" } else { "response.incomplete" };
        assert!(body.contains(ends), "{path}: {body}");
    }
}

#[test]
fn half_a_character_is_joined_with_its_other_half() {
    let half = |escape: &str| chunk(&json!({ "content": "@" }), None).replace('@', escape);
    for (name, pieces, expected) in [
        ("at once", vec!["\\ud83d\\ude00"], "😀"),
        ("split", vec!["a\\ud83d", "\\ude00b"], "a😀b"),
        ("never whole", vec!["a\\ud83d", "b"], "ab"),
        ("the second alone", vec!["a", "\\ude00b"], "a\u{fffd}b"),
        ("a backslash", vec!["\\\\ud83d"], "\\ud83d"),
    ] {
        for path in PATHS.into_iter().skip(1) {
            let events =
                pieces.iter().map(|piece| half(piece)).chain([chunk(&json!({}), Some("stop")), DONE.to_owned()]).collect();
            let (_, body) = told(path, &asking(path, "one", &json!({})), events);
            assert_eq!(text(path, &body), expected, "{name}, {path}: {body}");
        }
    }
    // An answer that is not streamed has nothing to wait for.
    for path in PATHS {
        let world = World::new(7);
        *world.upstream.borrow_mut() = Box::new(|_| {
            let said = json!({ "id": "x", "choices": [{ "index": 0, "message": { "role": "assistant", "content": "a@" }, "finish_reason": "length" }] });
            answers(1, 200, &said.to_string().replace('@', "\\ud83d"))
        });
        let body = asking(path, "one", &json!({ "stream": false })).to_string();
        let (status, _, body) = ask(&world, &gateway(CONFIG, &[("KEY", "sk-1")]), post(path, &body, &[]));
        assert!(status == 200 && body.contains("\"a"), "{path}: {body}");
    }
}
