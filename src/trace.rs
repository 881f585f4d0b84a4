//! What a request went through: each upstream call that was started, in order.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::time::millis;

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Attempt {
    target: String,
    outcome: &'static str,
    status: Option<u16>,
    took: Duration,
}

/// A request's calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace(Vec<Attempt>);

impl Trace {
    /// Adds a call that has ended: `ok`, or a fault's word.
    pub fn push(&mut self, target: &str, outcome: &'static str, status: Option<u16>, took: Duration) {
        // Names come from configurations and clients, and a header holds visible ASCII only (RFC 9110, section 5.5).
        let target =
            target.chars().map(|char| if char.is_ascii_graphic() && !matches!(char, ',' | ';') { char } else { '_' }).collect();
        self.0.push(Attempt { target, outcome, status, took });
    }

    /// How many calls there were.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// How many of them went to `target`.
    #[must_use]
    pub fn calls_of(&self, target: &str) -> u64 {
        self.0.iter().filter(|attempt| attempt.target == target).count() as u64
    }

    /// Whether there was none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The header's text: `openai/o3;first_token_timeout;5003ms, anthropic/claude-sonnet-4-5;ok;812ms`.
    #[must_use]
    pub fn header(&self) -> String {
        let mut text = String::new();
        for attempt in &self.0 {
            let comma = if text.is_empty() { "" } else { ", " };
            let _ = write!(text, "{comma}{};{};{}ms", attempt.target, attempt.outcome, millis(attempt.took));
        }
        text
    }

    /// The `attempts` of an error's body.
    #[must_use]
    pub fn attempts(&self) -> Value {
        let attempt = |attempt: &Attempt| {
            json!({
                "target": attempt.target,
                "outcome": attempt.outcome,
                "status": attempt.status,
                "milliseconds": millis(attempt.took),
            })
        };
        self.0.iter().map(attempt).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_body_tell_the_same() {
        let mut trace = Trace::default();
        assert_eq!((trace.header(), trace.attempts()), (String::new(), json!([])));
        trace.push("openai/o3", "first_token_timeout", None, Duration::from_millis(5003));
        trace.push("a/b;c, d\n", "ok", Some(200), Duration::from_micros(812_900));
        assert_eq!(trace.header(), "openai/o3;first_token_timeout;5003ms, a/b_c__d_;ok;812ms");
        assert_eq!(
            trace.attempts(),
            json!([
                { "target": "openai/o3", "outcome": "first_token_timeout", "status": null, "milliseconds": 5003 },
                { "target": "a/b_c__d_", "outcome": "ok", "status": 200, "milliseconds": 812 },
            ])
        );
    }
}
