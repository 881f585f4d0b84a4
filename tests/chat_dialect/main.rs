//! Chat Completions, read and written: against what real providers sent, by tables of rules, and by laws.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::too_many_lines,
    clippy::needless_pass_by_value,
    clippy::type_complexity,
    clippy::needless_for_each,
    clippy::default_trait_access,
    clippy::case_sensitive_file_extension_comparisons,
    clippy::assigning_clones,
    clippy::semicolon_if_nothing_returned,
    reason = "a test fails by panicking, reports by printing, and values are written where they are passed"
)]

mod across;
mod adapting;
mod answers;
mod laws;
mod legal;
mod media;
mod reading;
#[path = "../recordings/mod.rs"]
mod recordings;
mod requests;
mod sound;
mod unsaid;
mod writing;

use std::rc::Rc;

use breakwater::chat::{Answer, Delta, Gather, Losses, Object, Request};
use breakwater::config::{PRESETS, Quirks};
use breakwater::dialect::{Decoder, Dialect, Encoder, Manner, Recipient};
use serde_json::Value;

fn quirks(preset: &str) -> Quirks {
    PRESETS.iter().find(|known| known.name == preset).map_or_else(Quirks::default, |known| known.quirks)
}

fn object(value: &Value) -> Object {
    value.as_object().cloned().expect("an object")
}

fn read(body: &Value) -> Request {
    Dialect::Chat.read(object(body)).unwrap_or_else(|error| panic!("{error:?}\n{body:#}"))
}

/// What is written, what of it is ignored, and what is refused.
fn write(request: &Request, preset: &str, model: &str) -> (Value, Vec<String>, Vec<String>) {
    let mut losses = Losses::new();
    let body = Dialect::Chat.write(request, &Recipient { model, quirks: quirks(preset) }, &mut losses);
    let (refused, ignored): (Vec<_>, Vec<_>) = losses.iter().partition(|loss| loss.refusal.is_some());
    let names = |losses: Vec<&breakwater::chat::Loss>| losses.iter().map(|loss| loss.field.clone()).collect();
    (body, names(ignored), names(refused))
}

fn manner(include_usage: bool) -> Manner {
    Manner { request: Rc::new(Request::new(Dialect::Chat)), include_usage, now: 1, seed: 7 }
}

fn decode(events: &[String]) -> Option<Vec<Delta>> {
    let mut decoder = Decoder::new(Dialect::Chat);
    let mut deltas = Vec::new();
    for event in events {
        decoder.event(event, &mut deltas)?;
    }
    decoder.end(&mut deltas);
    Some(deltas)
}

fn gather(deltas: Vec<Delta>) -> Option<Answer> {
    let mut gather = Gather::new();
    deltas.into_iter().for_each(|delta| gather.push(delta));
    gather.finish()
}

/// The data of SSE text, found as naively as can be.
fn payloads(sse: &str) -> Vec<String> {
    let sse = sse.replace("\r\n", "\n");
    sse.lines().filter_map(|line| line.strip_prefix("data:")).map(|data| data.trim().to_owned()).collect()
}

fn encoded(deltas: Vec<Delta>, include_usage: bool) -> String {
    let mut encoder = Encoder::new(Dialect::Chat, manner(include_usage));
    let mut frames = String::new();
    for delta in deltas {
        encoder.delta(delta, &mut frames).unwrap();
    }
    frames
}
