//! What a request went through: each upstream call that was started, in order, and each target that was passed over.
//!
//! Who reads it wants to know why an answer took as long as it did, or why there is none. It is told twice, and the two tell
//! the same: in a header field, for people with `curl`, and in an error's body, for programs. Only the first names targets that were passed
//! over, as they could not have answered in time, are drained, or could not be paid for: nothing was sent to them, so that they are no attempts.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::time::millis;

/// The longest name that is shown, in characters. No model's name comes near; but where a caller may name targets directly, the
/// name is theirs to choose, up to the size of a body, and header fields of more than some kilobytes are refused on the way.
const MAX_NAME: usize = 128;

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Attempt {
    target: String,
    outcome: &'static str,
    status: Option<u16>,
    took: Duration,
    /// Whether anything was sent.
    sent: bool,
    /// Whether what came of it was made up.
    injected: bool,
}

/// A request's calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace(Vec<Attempt>);

impl Trace {
    /// Adds a call that begins; its place, to say later how it ended.
    pub fn begin(&mut self, target: &str) -> usize {
        self.push(target, "under_way", None, Duration::ZERO);
        self.0.len() - 1
    }

    /// The call at `place` has ended: `ok`, or a fault's word. `status` is the upstream's, where it gave one.
    pub fn end(&mut self, place: usize, outcome: &'static str, status: Option<u16>, took: Duration) {
        if let Some(attempt) = self.0.get_mut(place) {
            (attempt.outcome, attempt.status, attempt.took) = (outcome, status, took);
        }
    }

    /// Adds a call that has ended.
    pub fn push(&mut self, target: &str, outcome: &'static str, status: Option<u16>, took: Duration) {
        self.0.push(Attempt { target: target.to_owned(), outcome, status, took, sent: true, injected: false });
    }

    /// Adds a target that was not called, in a word for why: it would not have answered in time, or an operator forbids it.
    pub fn pass_over(&mut self, target: &str, why: &'static str) {
        let took = Duration::ZERO;
        self.0.push(Attempt { target: target.to_owned(), outcome: why, status: None, took, sent: false, injected: false });
    }

    /// Notes that a fault was injected into the call at `place`.
    pub fn inject(&mut self, place: usize) {
        if let Some(attempt) = self.0.get_mut(place) {
            attempt.injected = true;
        }
    }

    fn sent(&self) -> impl Iterator<Item = &Attempt> {
        self.0.iter().filter(|attempt| attempt.sent)
    }

    /// How many calls there were.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.sent().count()
    }

    /// How many of them went to `target`.
    #[must_use]
    pub fn calls_of(&self, target: &str) -> u64 {
        self.sent().filter(|attempt| attempt.target == target).count() as u64
    }

    /// The targets of the calls, in order.
    pub fn targets(&self) -> impl Iterator<Item = String> {
        self.sent().map(|attempt| attempt.target.clone())
    }

    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The header's text: `openai/o3;first_token_timeout;5003ms, anthropic/claude-sonnet-4-5;ok;812ms`. A call that a fault was injected
    /// into ends in `;injected`.
    #[must_use]
    pub fn header(&self) -> String {
        let mut text = String::new();
        for attempt in &self.0 {
            let comma = if text.is_empty() { "" } else { ", " };
            let _ = write!(text, "{comma}{};{};{}ms", visible(&attempt.target), attempt.outcome, millis(attempt.took));
            if attempt.injected {
                text.push_str(";injected");
            }
        }
        text
    }

    /// The `attempts` of an error's body: `[{"target", "outcome", "status", "milliseconds"}]`, `status` null where there was
    /// none.
    #[must_use]
    pub fn attempts(&self) -> Value {
        let attempt = |attempt: &Attempt| {
            let mut told = json!({
                "target": visible(&attempt.target),
                "outcome": attempt.outcome,
                "status": attempt.status,
                "milliseconds": millis(attempt.took),
            });
            if let (true, Some(members)) = (attempt.injected, told.as_object_mut()) {
                members.insert("injected".to_owned(), true.into());
            }
            told
        };
        self.sent().map(attempt).collect()
    }
}

/// A target's name as a header field shows it: in visible ASCII (RFC 9110, section 5.5), without what separates a trace's
/// parts, and cut, with an ellipsis, at 128 characters.
#[must_use]
pub fn visible(name: &str) -> String {
    let plain = |char: char| if char.is_ascii_graphic() && !matches!(char, ',' | ';') { char } else { '_' };
    let mut shown: String = name.chars().take(MAX_NAME + 1).map(plain).collect();
    if shown.len() > MAX_NAME {
        shown.truncate(MAX_NAME - 3);
        shown.push_str("...");
    }
    shown
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

    #[test]
    fn who_was_passed_over_was_not_called() {
        let mut trace = Trace::default();
        trace.pass_over("a/slow", "passed_over");
        assert_eq!((trace.is_empty(), trace.calls(), trace.calls_of("a/slow")), (false, 0, 0));
        trace.push("b/fast", "ok", Some(200), Duration::from_millis(7));
        assert_eq!(trace.header(), "a/slow;passed_over;0ms, b/fast;ok;7ms");
        assert_eq!(trace.calls(), 1);
        assert_eq!(trace.attempts(), json!([{ "target": "b/fast", "outcome": "ok", "status": 200, "milliseconds": 7 }]));
    }

    #[test]
    fn what_was_made_up_says_so() {
        let mut trace = Trace::default();
        let place = trace.begin("a/one");
        trace.inject(place);
        trace.end(place, "server_error", Some(500), Duration::from_millis(3));
        trace.push("b/two", "ok", Some(200), Duration::from_millis(7));
        assert_eq!(trace.header(), "a/one;server_error;3ms;injected, b/two;ok;7ms");
        let attempts = trace.attempts();
        assert_eq!((&attempts[0]["injected"], &attempts[1]["injected"]), (&json!(true), &json!(null)));
    }

    #[test]
    fn calls_are_counted_by_a_targets_own_name() {
        let mut trace = Trace::default();
        for target in ["ollama/模型", "ollama/模式", "ollama/模型", "a/b,c"] {
            trace.push(target, "server_error", Some(500), Duration::ZERO);
        }
        assert_eq!(["ollama/模型", "ollama/模式", "a/b,c", "a/b_c"].map(|target| trace.calls_of(target)), [2, 1, 1, 0]);
    }

    #[test]
    fn names_are_shown_in_visible_ascii_and_within_bounds() {
        let rows: [(&str, String, String); 5] = [
            ("a model with slashes", "openrouter/meta/llama-3.1:free".into(), "openrouter/meta/llama-3.1:free".into()),
            ("one character, one underscore", "ollama/模型 é\u{7f}\0\r\n".into(), "ollama/__________"[..15].into()),
            ("the longest", "x".repeat(128), "x".repeat(128)),
            ("one more", "x".repeat(129), "x".repeat(125) + "..."),
            ("far more, of several bytes each", "é".repeat(1 << 20), "_".repeat(125) + "..."),
        ];
        for (name, given, shown) in rows {
            assert_eq!(visible(&given), shown, "{name}");
        }
    }
}
