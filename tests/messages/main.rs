//! Anthropic's Messages: what clients ask, what Anthropic is asked, what it answers, and what its clients are answered.

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

mod answers;
mod carried;
mod classifying;
mod compatible;
mod drawn;
mod foreign;
mod golden;
mod laws;
mod reading;
#[path = "../recordings/mod.rs"]
mod recordings;
mod rules;
mod signed;
mod streams;
mod thinking;
mod writing;

use std::rc::Rc;

use breakwater::chat::{Answer, Delta, Gather, Losses, Object, Request};
use breakwater::config::Quirks;
use breakwater::dialect::{Decoder, Dialect, Encoder, Manner, Recipient};
use breakwater::sse;
use serde_json::Value;

/// An object of a `json!`.
fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

fn read(body: Value) -> Request {
    Dialect::Messages.read(object(body)).unwrap()
}

/// What is written for a model of Anthropic's, and what of the request was lost: `field` where it is ignored, `!field` where it is refused.
fn written(request: &Request, model: &str) -> (Value, Vec<String>) {
    let mut losses = Losses::new();
    let to = Recipient { model, quirks: Quirks::default() };
    let body = Dialect::Messages.write(request, &to, &mut losses);
    let told = losses.iter().map(|loss| if loss.refusal.is_some() { format!("!{}", loss.field) } else { loss.field.clone() });
    (body, told.collect())
}

fn manner() -> Manner {
    Manner { request: Rc::new(Request::new(Dialect::Messages)), include_usage: true, now: 0, seed: 7 }
}

/// The frames that tell deltas.
fn encoded(deltas: Vec<Delta>) -> String {
    let mut encoder = Encoder::new(Dialect::Messages, manner());
    let mut frames = String::new();
    for delta in deltas {
        encoder.delta(delta, &mut frames).unwrap();
    }
    frames
}

/// The data of each frame of a stream that comes in these chunks.
fn data_of<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
    let mut frames = sse::Frames::default();
    let mut found = Vec::new();
    let mut take = |frame: &[u8]| found.extend(sse::data(frame).map(|data| String::from_utf8(data.into_owned()).unwrap()));
    for chunk in chunks {
        let fed = frames.feed(chunk).unwrap();
        fed.frames().for_each(&mut take);
    }
    take(&frames.finish());
    found
}

/// The deltas of a stream's events. None where it is no stream of Anthropic's.
fn decoded<'a>(events: impl IntoIterator<Item = &'a str>) -> Option<Vec<Delta>> {
    let mut decoder = Decoder::new(Dialect::Messages);
    let mut deltas = Vec::new();
    for event in events {
        decoder.event(event, &mut deltas)?;
    }
    Some(deltas)
}

fn gathered(deltas: Vec<Delta>) -> Option<Answer> {
    let mut gather = Gather::new();
    for delta in deltas {
        gather.push(delta);
    }
    gather.finish()
}

fn events_of(frames: &str) -> Vec<String> {
    data_of([frames.as_bytes()])
}
