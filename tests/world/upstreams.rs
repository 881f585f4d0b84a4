//! How scripted upstreams answer, well and badly.

#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test file uses its own part of it")]

use std::time::Duration;

use breakwater::http::Headers;
use breakwater::runtime::{Ending, Script, ScriptHead};

pub const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn answer(status: u16, fields: &[(&'static str, &str)], after: u64, pieces: Vec<(u64, String)>, ending: Ending) -> Script {
    let headers: Headers = fields.iter().map(|(name, value)| (*name, *value)).collect();
    Script {
        head_after: ms(after),
        head: ScriptHead::Answer(status, headers),
        pieces: pieces.into_iter().map(|(wait, piece)| (ms(wait), piece.into_bytes())).collect(),
        ending,
    }
}

/// A complete chat completion that says `text`.
pub fn completion(text: &str) -> String {
    serde_json::json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "upstream-model",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3 },
    })
    .to_string()
}

/// One event of a chat stream.
pub fn chunk(delta: &serde_json::Value, finish: Option<&str>) -> String {
    let chunk = serde_json::json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "upstream-model",
        "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }],
    });
    format!("data: {chunk}\n\n")
}

/// Answers JSON after a wait.
pub fn json(after: u64, status: u16, body: &str) -> Script {
    answer(status, &[("content-type", "application/json")], after, vec![(0, body.to_owned())], Ending::Eof)
}

/// Answers a complete completion after a wait.
pub fn says(after: u64, text: &str) -> Script {
    json(after, 200, &completion(text))
}

/// The events of a complete stream that says `words`.
pub fn events(words: &[&str]) -> Vec<String> {
    let mut events = vec![chunk(&serde_json::json!({ "role": "assistant", "content": "" }), None)];
    events.extend(words.iter().map(|word| chunk(&serde_json::json!({ "content": word }), None)));
    events.push(chunk(&serde_json::json!({}), Some("stop")));
    events.push("data: [DONE]\n\n".to_owned());
    events
}

/// Streams `events`, the first after `after` from the headers and each further one after `pace`, and then ends so.
pub fn streams(after: u64, pace: u64, events: Vec<String>, ending: Ending) -> Script {
    let pieces = events.into_iter().enumerate().map(|(at, event)| (if at == 0 { after } else { pace }, event)).collect();
    answer(200, &[("content-type", "text/event-stream")], 1, pieces, ending)
}

/// Streams a complete answer.
pub fn tells(after: u64, pace: u64, words: &[&str]) -> Script {
    streams(after, pace, events(words), Ending::Eof)
}

/// Fails to connect.
pub fn refuses(after: u64) -> Script {
    Script { head_after: ms(after), head: ScriptHead::Refuse, pieces: Vec::new(), ending: Ending::Eof }
}

/// Never answers.
pub fn hangs() -> Script {
    Script { head_after: Duration::ZERO, head: ScriptHead::Hang, pieces: Vec::new(), ending: Ending::Hang }
}

/// An OpenAI error with a status.
pub fn error(after: u64, status: u16, code: &str, message: &str) -> Script {
    json(after, status, &error_body(code, message))
}

/// An OpenAI error's body.
pub fn error_body(code: &str, message: &str) -> String {
    serde_json::json!({ "error": { "message": message, "type": "some_error", "param": null, "code": code } }).to_string()
}

/// A rate limit with a `retry-after` in seconds.
pub fn limits(after: u64, retry_after: &str) -> Script {
    let fields = [("content-type", "application/json"), ("retry-after", retry_after)];
    answer(429, &fields, after, vec![(0, error_body("rate_limit_exceeded", "slow down"))], Ending::Eof)
}
