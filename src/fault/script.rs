//! What a faulty upstream sends, byte by byte.
//!
//! Like the simulated provider, and unlike it: an injected fault stands in for a provider of any name, so that it is as plain as can be, says nothing of
//! what was asked, and says in its words that it is made up, in case they are read in an incident.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use super::word::{Fault, Wait};
use crate::http::Headers;
use crate::runtime::{Ending, Script, ScriptHead};
use crate::sse;
use crate::time::Timestamp;

/// What a made-up answer says, again and again.
const WORDS: [&str; 8] = ["This ", "answer ", "is ", "made ", "up, ", "and ", "breaks ", "off. "];

/// Between words: each comes by itself, as from a model, and none has to be waited for.
const PACE: Duration = Duration::from_millis(10);

/// Between two bytes of a drip: often enough to keep any limit on silence from ending it.
const DRIP: Duration = Duration::from_millis(100);

/// How many bytes drip before there is silence: two minutes, which no attempt lasts without content.
const DRIPS: usize = 1200;

/// What an answer that is too large says of its length: none is taken beyond 10 MiB.
const HUGE: &str = "1073741824";

type Pieces = Vec<(Duration, Vec<u8>)>;

impl Fault {
    /// What a call of `model` meets instead of its upstream; none where it does reach that.
    pub(crate) fn script(&self, model: &str, streamed: bool, now: Timestamp) -> Option<Script> {
        Some(match self {
            Self::Slow(_) => return None,
            Self::Refuse => headless(ScriptHead::Refuse),
            Self::Hang => headless(ScriptHead::Hang),
            Self::Silent => answer(streamed, Vec::new(), Ending::Hang),
            Self::Role if streamed => answer(true, begun(0), Ending::Hang),
            Self::Role => answer(false, half(), Ending::Hang),
            Self::Drip => {
                let byte = if streamed { ":" } else { " " };
                answer(streamed, vec![(DRIP, byte.into()); DRIPS], Ending::Hang)
            }
            Self::Status(status) => refusing(*status, &[], &error(*status, model)),
            Self::Limited(wait) => limited(wait, model, now),
            Self::Quota => {
                let message = "You exceeded your current quota (injected).";
                refusing(429, &[], &object(message, "insufficient_quota", Some("insufficient_quota")))
            }
            Self::Context => {
                let message = "This model's maximum context length is 10 tokens (injected).";
                refusing(400, &[], &object(message, "invalid_request_error", Some("context_length_exceeded")))
            }
            Self::Html => page(200, "It works!"),
            Self::Empty => answer(streamed, Vec::new(), Ending::Eof),
            Self::Error(words) => {
                let object = error(500, model);
                if streamed {
                    answer(true, then(*words, &format!("data: {object}\n\n")), Ending::Eof)
                } else {
                    answer(false, at_once(object.to_string()), Ending::Eof)
                }
            }
            Self::Garbage(words) if streamed => answer(true, then(*words, "data: {not json\n\n"), Ending::Eof),
            Self::Garbage(_) => answer(false, at_once("{not json"), Ending::Eof),
            Self::Cut(words) => answer(streamed, started(streamed, *words), Ending::Cut),
            Self::Stall(words) => answer(streamed, started(streamed, *words), Ending::Hang),
            Self::End(words) => answer(streamed, started(streamed, *words), Ending::Eof),
            Self::Midframe(words) if streamed => {
                let mut frame = chunk(&json!({ "content": "half" }));
                frame.truncate(frame.len() / 2);
                answer(true, then(Some(*words), &frame), Ending::Eof)
            }
            Self::Midframe(_) => answer(false, half(), Ending::Cut),
            Self::Huge if streamed => {
                answer(true, then(Some(0), &format!("data: {}", "x".repeat(sse::MAX_LINE + 1))), Ending::Eof)
            }
            // It says how large it is, and so need not be it.
            Self::Huge => answered(200, &[("content-type", JSON), ("content-length", HUGE)], half(), Ending::Eof),
        })
    }
}

const JSON: &str = "application/json";

fn headless(head: ScriptHead) -> Script {
    Script { head_after: Duration::ZERO, head, pieces: Vec::new(), ending: Ending::Eof }
}

fn answered(status: u16, fields: &[(&'static str, &str)], pieces: Pieces, ending: Ending) -> Script {
    let id = ("x-request-id", "req_injected");
    let headers: Headers = fields.iter().copied().chain([id]).collect();
    Script { head_after: Duration::ZERO, head: ScriptHead::Answer(status, headers), pieces, ending }
}

/// A 200.
fn answer(streamed: bool, pieces: Pieces, ending: Ending) -> Script {
    answered(200, &[("content-type", if streamed { "text/event-stream" } else { JSON })], pieces, ending)
}

fn at_once(text: impl Into<String>) -> Pieces {
    vec![(Duration::ZERO, text.into().into_bytes())]
}

/// An error status. What stands before a provider's servers answers in its own way when they do not.
fn refusing(status: u16, fields: &[(&'static str, &str)], object: &Value) -> Script {
    if matches!(status, 502 | 504 | 520..=527 | 530) {
        return page(status, "Bad Gateway");
    }
    let fields: Vec<_> = [("content-type", JSON)].into_iter().chain(fields.iter().copied()).collect();
    answered(status, &fields, at_once(object.to_string()), Ending::Eof)
}

fn page(status: u16, title: &str) -> Script {
    let page = format!("<html><head><title>{title}</title></head><body><h1>{title} (injected)</h1></body></html>");
    answered(status, &[("content-type", "text/html")], at_once(page), Ending::Eof)
}

fn limited(wait: &Wait, model: &str, now: Timestamp) -> Script {
    let object = error(429, model);
    match wait {
        Wait::Unsaid => refusing(429, &[], &object),
        Wait::After(seconds) => refusing(429, &[("retry-after", &seconds.to_string())], &object),
        Wait::AfterMillis(millis) => {
            let (seconds, millis) = (millis.div_ceil(1000).to_string(), millis.to_string());
            refusing(429, &[("retry-after", &seconds), ("retry-after-ms", &millis)], &object)
        }
        Wait::Date(seconds) => {
            // A date has no fractions of a second, and must not ask for less than was said.
            let at = Duration::from_millis(now.as_millis().next_multiple_of(1000)) + Duration::from_secs(*seconds);
            let date = UNIX_EPOCH.checked_add(at).map(httpdate::fmt_http_date).unwrap_or_default();
            refusing(429, &[("retry-after", &date)], &object)
        }
        Wait::Info(seconds) => {
            let info = json!({ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": format!("{seconds}s") });
            let message = "Resource has been exhausted (injected).";
            let object = json!({ "error": {
                "code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": [info],
            } });
            refusing(429, &[], &object)
        }
    }
}

fn object(message: &str, kind: &str, code: Option<&str>) -> Value {
    json!({ "error": { "message": message, "type": kind, "param": null, "code": code } })
}

/// `OpenAI`'s error object for a status.
fn error(status: u16, model: &str) -> Value {
    match status {
        401 => object("Incorrect API key provided (injected).", "invalid_request_error", Some("invalid_api_key")),
        402 => object("Insufficient balance (injected).", "insufficient_balance", Some("insufficient_balance")),
        404 => {
            let message = format!("The model `{model}` does not exist or you do not have access to it (injected).");
            object(&message, "invalid_request_error", Some("model_not_found"))
        }
        429 => object("Rate limit reached (injected).", "requests", Some("rate_limit_exceeded")),
        503 | 529 => object("The engine is currently overloaded (injected).", "server_error", Some("overloaded")),
        400..=499 => object("Invalid request (injected).", "invalid_request_error", None),
        _ => object("The server had an error (injected).", "server_error", None),
    }
}

/// One event of a stream.
fn chunk(delta: &Value) -> String {
    let choices = json!([{ "index": 0, "delta": delta, "finish_reason": null }]);
    let chunk = json!({ "id": "chatcmpl-injected", "object": "chat.completion.chunk", "created": 0, "model": "injected", "choices": choices });
    format!("data: {chunk}\n\n")
}

/// A stream's role, and so many words.
fn begun(words: usize) -> Pieces {
    let role = chunk(&json!({ "role": "assistant", "content": "" }));
    let words = WORDS.iter().cycle().take(words).map(|word| (PACE, chunk(&json!({ "content": word })).into_bytes()));
    std::iter::once((Duration::ZERO, role.into_bytes())).chain(words).collect()
}

/// A beginning of so many words, or none at all, and something after it.
fn then(words: Option<usize>, last: &str) -> Pieces {
    let mut pieces = words.map(begun).unwrap_or_default();
    pieces.push((PACE, last.as_bytes().to_vec()));
    pieces
}

/// The beginning of an answer that is not streamed.
fn half() -> Pieces {
    at_once(
        r#"{"id":"chatcmpl-injected","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"This answer is made"#,
    )
}

/// The beginning of an answer.
fn started(streamed: bool, words: usize) -> Pieces {
    if streamed { begun(words) } else { half() }
}
