//! Google's Gemini API as a provider's dialect: what is sent, what comes back, and what of it is an answer.

#![allow(clippy::type_complexity, clippy::too_many_lines, reason = "tables")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::needless_pass_by_value,
    reason = "a test ends when it is wrong, says what it skipped, and is given values where they are written"
)]

mod classifying;
mod cross;
mod decoding;
mod generated;
mod recorded;
#[path = "../recordings/mod.rs"]
mod recordings;
mod rules;
mod turns;
mod writing;

use breakwater::chat::{Answer, Delta, Gather, Losses, Object, Request};
use breakwater::config::Quirks;
use breakwater::dialect::{Recipient, gemini};
use serde_json::Value;

/// What is written for a model, and what is lost: a field, and whether that is refused.
fn written(request: &Request, model: &str) -> (Value, Vec<(String, bool)>) {
    let mut losses = Losses::new();
    let body = gemini::write(request, &Recipient { model, quirks: Quirks::default() }, &mut losses);
    (body, losses.iter().map(|loss| (loss.field.clone(), loss.refusal.is_some())).collect())
}

/// The deltas of a stream's events, to its end.
fn told<'a>(events: impl IntoIterator<Item = &'a str>) -> Option<Vec<Delta>> {
    let mut decoder = gemini::Decoder::default();
    let mut deltas = Vec::new();
    for event in events {
        decoder.event(event, &mut deltas)?;
    }
    decoder.end(&mut deltas);
    decoder.end(&mut deltas);
    Some(deltas)
}

/// The answer that a stream's events tell.
fn gathered<'a>(events: impl IntoIterator<Item = &'a str>) -> Option<Answer> {
    let mut gather = Gather::new();
    told(events)?.into_iter().for_each(|delta| gather.push(delta));
    gather.finish()
}

/// A whole answer, decoded.
fn decoded(answer: &Value) -> Option<Answer> {
    let answer: Object = answer.as_object()?.clone();
    gemini::decode(answer)
}
