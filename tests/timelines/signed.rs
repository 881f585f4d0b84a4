//! What Gemini signed its words with, through a client of Messages: told where the request asks for thinking, and not where it does not.

use breakwater::runtime::Ending;
use serde_json::{Value, json};

use crate::dialects::{parsed, world};
use crate::upstreams::{json as answers, streams};
use crate::world::{ask, post};

const SAID: &str = r#"{"responseId":"r","candidates":[{"content":{"role":"model","parts":[{"text":"A","thoughtSignature":"SIG"}]},"finishReason":"STOP"}]}"#;

#[test]
fn a_client_that_asked_for_thinking_is_told_and_sends_it_back() {
    let rows = [
        (json!({ "type": "enabled", "budget_tokens": 2048 }), true),
        (json!({ "type": "adaptive" }), true),
        (json!({ "type": "disabled" }), false),
        (Value::Null, false),
    ];
    for (thinking, is_told) in rows {
        for stream in [false, true] {
            let (world, gateway) = world(|_, streamed, _| {
                if streamed { streams(1, 1, vec![format!("data: {SAID}\n\n")], Ending::Eof) } else { answers(1, 200, SAID) }
            });
            let body = |messages: Value| json!({ "model": "gem/gemini-3-pro", "max_tokens": 9000, "stream": stream, "thinking": thinking, "messages": messages });
            let user = json!({ "role": "user", "content": "Hi" });
            let (status, _, text) = ask(&world, &gateway, post("/v1/messages", &body(json!([user])).to_string(), &[]));
            assert_eq!((status, text.contains("bw1.gt.SIG")), (200, is_told), "{thinking} {stream}: {text}");
            if stream {
                continue;
            }
            let told = json!({ "role": "assistant", "content": parsed(&text)["content"] });
            let next = body(json!([user, told, user])).to_string();
            let (status, _, text) = ask(&world, &gateway, post("/v1/messages", &next, &[]));
            let sent = world.calls.borrow().last().unwrap().sent.body.clone();
            let part = r#"{"text":"A","thoughtSignature":"SIG"}"#;
            assert_eq!((status, sent.contains(part)), (200, is_told), "{sent} {text}");
        }
    }
}
