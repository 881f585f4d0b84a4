//! An error in each dialect's form: as a response's body, and as the last event of a stream, which nothing follows.

use serde_json::{Value, json};

use super::{Error, Label};
use crate::dialect::Dialect;
use crate::trace::Trace;

impl Error {
    /// The body of a response, with the calls that led to it.
    #[must_use]
    pub fn body(&self, dialect: Dialect, trace: &Trace) -> String {
        match dialect {
            Dialect::Messages => self.anthropic(Some(trace)),
            Dialect::Chat | Dialect::Completions | Dialect::Responses | Dialect::Gemini => {
                json!({ "error": self.openai(Some(trace)) })
            }
        }
        .to_string()
    }

    /// The last event of a stream. `sequence` is its number, where the dialect numbers events.
    #[must_use]
    pub fn event(&self, dialect: Dialect, sequence: u64) -> Vec<u8> {
        self.told(dialect, sequence, None)
    }

    /// The same of a stream that nobody has answered, and whose head was sent too early to tell of the calls: they stand in the event.
    #[must_use]
    pub fn event_with(&self, dialect: Dialect, trace: &Trace) -> Vec<u8> {
        self.told(dialect, 0, Some(trace))
    }

    fn told(&self, dialect: Dialect, sequence: u64, trace: Option<&Trace>) -> Vec<u8> {
        match dialect {
            Dialect::Chat | Dialect::Completions | Dialect::Gemini => {
                format!("data: {}\n\n", json!({ "error": self.openai(trace) }))
            }
            Dialect::Messages => format!("event: error\ndata: {}\n\n", self.anthropic(trace)),
            Dialect::Responses => {
                let mut event = json!({ "type": "error", "sequence_number": sequence });
                if let (Some(event), Value::Object(error)) = (event.as_object_mut(), self.openai(trace)) {
                    event.extend(error.into_iter().filter(|(name, _)| name != "type"));
                }
                format!("event: error\ndata: {event}\n\n")
            }
        }
        .into_bytes()
    }

    /// With the calls that led to it, where a trace is given.
    fn openai(&self, trace: Option<&Trace>) -> Value {
        let ours = self.kind.kind();
        let (kind, code) = match self.label.as_deref() {
            Some(Label { kind, code }) => (kind.as_deref().unwrap_or(ours), code.as_deref()),
            None => (ours, Some(self.kind.code())),
        };
        let mut object = json!({ "message": self.message, "type": kind, "param": self.param, "code": code });
        if let (Some(members), Some(trace)) = (object.as_object_mut(), trace) {
            members.insert("attempts".to_owned(), trace.attempts());
        }
        object
    }

    fn anthropic(&self, trace: Option<&Trace>) -> Value {
        let said = self.label.as_deref().and_then(|label| label.kind.as_deref());
        // OpenAI's word for all that is wrong with a request is Anthropic's for a part of it.
        let says_all = |kind: &str| kind == "invalid_request_error" && ANTHROPIC.iter().any(|(own, _)| *own == self.status());
        let is_own = |kind: &&str| ANTHROPIC.iter().any(|(_, own)| own == kind) && !says_all(kind);
        let kind = said.filter(is_own).unwrap_or_else(|| of_status(self.status()));
        let mut body = json!({ "type": "error", "error": { "type": kind, "message": self.message } });
        if let (Some(members), Some(trace)) = (body.as_object_mut(), trace) {
            members.insert("attempts".to_owned(), trace.attempts());
        }
        body
    }
}

/// Anthropic's types and their statuses (API reference, "Errors").
const ANTHROPIC: [(u16, &str); 10] = [
    (400, "invalid_request_error"),
    (401, "authentication_error"),
    (402, "billing_error"),
    (403, "permission_error"),
    (404, "not_found_error"),
    (413, "request_too_large"),
    (429, "rate_limit_error"),
    (500, "api_error"),
    (504, "timeout_error"),
    (529, "overloaded_error"),
];

fn of_status(status: u16) -> &'static str {
    let exact = ANTHROPIC.iter().find(|(own, _)| *own == status).map(|(_, kind)| *kind);
    exact.unwrap_or(match status {
        503 => "overloaded_error",
        400..500 => "invalid_request_error",
        _ => "api_error",
    })
}
