//! The ways in which an upstream fails, as they look from outside.

use std::time::Duration;

use serde_json::json;

use super::Question;
use super::request::Refusal;
use super::wire::{DONE, Reply, headers};
use crate::config::simulated::{Behaviour, Fault};
use crate::http::Headers;
use crate::runtime::{Ending, Script, ScriptHead};
use crate::time::millis;

type Pieces = Vec<(Duration, Vec<u8>)>;

/// What becomes of an answer. What shows nothing of one comes after `latency`: nobody makes up an answer first, to fail with it.
pub(super) fn script(fault: Fault, reply: Reply, latency: Duration, question: &Question<'_>) -> Script {
    let Reply { streamed, headers: fields, head_after, opening, content, closing } = reply;
    let answer = |pieces, ending| Script { head_after, head: ScriptHead::Answer(200, fields.clone()), pieces, ending };
    match fault {
        // What an unstreamed answer could leave out is its end, and that is `cut`.
        Fault::NoDone if streamed => answer(all(opening, content, Vec::new(), false), Ending::Eof),
        Fault::Ok | Fault::NoDone => answer(all(opening, content, closing, streamed), Ending::Eof),
        Fault::Cut(after) => answer(some(streamed, opening, content, after), Ending::Cut),
        Fault::Stall(after) => answer(some(streamed, opening, content, after), Ending::Hang),
        Fault::Empty => answer(Vec::new(), Ending::Eof),
        Fault::Garbage => answer(
            now(if streamed { "data: {\"id\":\"chatcmpl-\n\n\0\u{fffd}<<<\n\n" } else { "{\"id\":\"chatcmpl-\0\u{fffd}<<<" }),
            Ending::Eof,
        ),
        Fault::ErrorInBody => {
            let body = error_body(500, question);
            answer(now(&if streamed { format!("data: {body}\n\n") } else { body }), Ending::Eof)
        }
        Fault::Html => Script {
            head_after,
            head: ScriptHead::Answer(200, headers(question, head_after, "text/html")),
            pieces: now(&page("200 OK", "It works!")),
            ending: Ending::Eof,
        },
        other => bare(other, latency, question),
    }
}

/// A failure that shows nothing of an answer.
fn bare(fault: Fault, head_after: Duration, question: &Question<'_>) -> Script {
    let head = match fault {
        Fault::Refuse => ScriptHead::Refuse,
        Fault::Status(status) => return refusing(status, head_after, question),
        _ => ScriptHead::Hang,
    };
    Script { head_after, head, pieces: Vec::new(), ending: Ending::Eof }
}

/// A request that the provider refuses, unless it fails before it would read it.
pub(super) fn refused(behaviour: &Behaviour, question: &Question<'_>, fault: Fault, refusal: &Refusal) -> Script {
    if matches!(fault, Fault::Hang | Fault::Refuse | Fault::Status(..)) {
        return bare(fault, behaviour.latency, question);
    }
    let body = json!({ "error": {
        "message": refusal.message, "type": "invalid_request_error", "param": refusal.param, "code": refusal.code,
    } });
    Script {
        head_after: behaviour.latency,
        head: ScriptHead::Answer(400, headers(question, behaviour.latency, "application/json")),
        pieces: now(&body.to_string()),
        ending: Ending::Eof,
    }
}

/// What a simulated rate limit asks for: long enough to be seen to be obeyed, short enough to wait for while watching.
const RETRY_AFTER: Duration = Duration::from_secs(2);

fn refusing(status: u16, head_after: Duration, question: &Question<'_>) -> Script {
    // What stands before a provider's servers answers in its own way when they do not.
    let gateway = matches!(status, 502 | 504 | 520..=527);
    let (content_type, body) = if gateway {
        let title = format!("{status} {}", if status == 504 { "Gateway Time-out" } else { "Bad Gateway" });
        ("text/html", page(&title, "nginx"))
    } else {
        ("application/json", error_body(status, question))
    };
    let mut fields: Headers = headers(question, head_after, content_type);
    if status == 429 {
        fields.push("retry-after", RETRY_AFTER.as_secs().to_string());
        fields.push("retry-after-ms", millis(RETRY_AFTER).to_string());
    }
    Script { head_after, head: ScriptHead::Answer(status, fields), pieces: now(&body), ending: Ending::Eof }
}

fn now(text: &str) -> Pieces {
    vec![(Duration::ZERO, text.as_bytes().to_vec())]
}

fn all(opening: Vec<u8>, content: Pieces, closing: Vec<u8>, done: bool) -> Pieces {
    let end = if done { DONE.to_vec() } else { Vec::new() };
    let around = |bytes: Vec<u8>| (!bytes.is_empty()).then_some((Duration::ZERO, bytes));
    around(opening).into_iter().chain(content).chain(around(closing)).chain(around(end)).collect()
}

/// The first `count` pieces of content and what comes before them; of an unstreamed answer, about half.
fn some(streamed: bool, opening: Vec<u8>, content: Pieces, count: usize) -> Pieces {
    if !streamed {
        let half = |(wait, mut bytes): (Duration, Vec<u8>)| {
            bytes.truncate(bytes.len() / 2);
            (wait, bytes)
        };
        return content.into_iter().map(half).collect();
    }
    all(opening, content.into_iter().take(count).collect(), Vec::new(), false)
}

fn page(title: &str, text: &str) -> String {
    format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>{text}</center>\r\n</body>\r\n</html>\r\n"
    )
}

/// `OpenAI`'s error object for a status, in words that tell where the error comes from.
fn error_body(status: u16, question: &Question<'_>) -> String {
    let model = question.model;
    let (message, kind, code) = match status {
        400 => ("Invalid request (simulated).".to_owned(), "invalid_request_error", None),
        401 => ("Incorrect API key provided (simulated).".to_owned(), "invalid_request_error", Some("invalid_api_key")),
        402 => ("Insufficient balance (simulated).".to_owned(), "insufficient_balance", Some("insufficient_balance")),
        403 => ("This key may not use this model (simulated).".to_owned(), "invalid_request_error", Some("permission_denied")),
        404 => {
            let message = format!("The model `{model}` does not exist or you do not have access to it.");
            (message, "invalid_request_error", Some("model_not_found"))
        }
        408 => ("Request timed out (simulated).".to_owned(), "server_error", Some("timeout")),
        413 => ("Request too large (simulated).".to_owned(), "invalid_request_error", Some("request_too_large")),
        429 => {
            let seconds = RETRY_AFTER.as_secs();
            let message = format!(
                "Rate limit reached for {model} on requests per min (RPM) (simulated). Please try again in {seconds}s."
            );
            (message, "requests", Some("rate_limit_exceeded"))
        }
        503 | 529 => (
            "The engine is currently overloaded, please try again later (simulated).".to_owned(),
            "server_error",
            Some("overloaded"),
        ),
        500..=599 => (
            "The server had an error while processing your request. Sorry about that! (simulated)".to_owned(),
            "server_error",
            None,
        ),
        _ => (format!("Simulated status {status}."), "invalid_request_error", None),
    };
    json!({ "error": { "message": message, "type": kind, "param": null, "code": code } }).to_string()
}
