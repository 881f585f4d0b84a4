//! OpenAI's Responses as a dialect of clients and of providers.

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
mod decoding;
mod encoding;
mod generated;
mod passing;
mod reading;
mod recorded;
#[path = "../recordings/mod.rs"]
mod recordings;
mod sealed;
mod writing;

use std::rc::Rc;

use breakwater::chat::{Answer, Delta, Gather, Losses, Object, Request};
use breakwater::config::Quirks;
use breakwater::dialect::{Decoder, Dialect, Encoder, Manner, Recipient, responses};
use serde_json::Value;

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        other => panic!("{other}"),
    }
}

fn read(body: Value) -> Request {
    responses::read(object(body.clone())).unwrap_or_else(|error| panic!("{error:?}: {body}"))
}

/// The written request, the members ignored and those refused.
fn write(request: &Request, model: &str) -> (Value, Vec<String>, Vec<String>) {
    let mut losses = Losses::new();
    let body = responses::write(request, &Recipient { model, quirks: Quirks::default() }, &mut losses);
    let (refused, ignored): (Vec<_>, Vec<_>) = losses.iter().partition(|loss| loss.refusal.is_some());
    let names = |losses: Vec<&breakwater::chat::Loss>| losses.into_iter().map(|loss| loss.field.clone()).collect();
    (body, names(ignored), names(refused))
}

fn manner(request: Request) -> Manner {
    Manner { request: Rc::new(request), include_usage: true, now: 1_700_000_000, seed: 7 }
}

/// The data of each event of a stream.
fn events(stream: &str) -> Vec<String> {
    let data = |frame: &str| frame.lines().find_map(|line| line.strip_prefix("data:")).map(|data| data.trim().to_owned());
    stream.replace("\r\n", "\n").split("\n\n").filter_map(data).collect()
}

fn deltas<'a>(events: impl IntoIterator<Item = &'a str>) -> Vec<Delta> {
    let mut decoder = Decoder::new(Dialect::Responses);
    let mut deltas = Vec::new();
    for event in events {
        decoder.event(event, &mut deltas).unwrap_or_else(|| panic!("not an event: {event}"));
    }
    decoder.end(&mut deltas);
    decoder.end(&mut deltas);
    deltas
}

fn gathered(deltas: Vec<Delta>) -> Answer {
    let mut gather = Gather::new();
    for delta in deltas {
        gather.push(delta);
    }
    gather.finish().expect("an answer")
}

fn encoded(deltas: Vec<Delta>, request: Request) -> String {
    let mut encoder = Encoder::new(Dialect::Responses, manner(request));
    let mut frames = String::new();
    for delta in deltas {
        encoder.delta(delta.clone(), &mut frames).unwrap_or_else(|| panic!("{delta:?}"));
    }
    frames
}
