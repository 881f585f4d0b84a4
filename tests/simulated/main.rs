//! The simulated provider against what an OpenAI-compatible one is expected to do, and against its own promise to be
//! repeatable.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking, reports by printing, and values are written where they are passed"
)]

mod answers;
mod failures;
mod header;
mod refusals;
mod schema;
mod tools;

use breakwater::config::simulated::Behaviour;
use breakwater::provider::simulated::{Question, answer};
use breakwater::runtime::{Script, ScriptHead};
use breakwater::time::Timestamp;
use serde_json::{Value, json};

/// A call of `simulated/primary`: the target's first, and the request's first.
fn question(body: &str) -> Question<'_> {
    Question {
        target: "simulated/primary",
        model: "primary",
        body,
        nth: 0,
        attempt: 0,
        now: Timestamp::from_millis(1_700_000_000_999),
    }
}

fn ask(behaviour: &Behaviour, header: Option<&str>, body: &Value) -> Script {
    answer(behaviour, header, &question(&body.to_string())).expect("the header parses")
}

/// A behaviour of these settings.
fn behaving(settings: &[(&str, &str)]) -> Behaviour {
    let mut behaviour = Behaviour::default();
    for (key, value) in settings {
        behaviour.apply(key, value).unwrap();
    }
    behaviour
}

/// A request with one user message, and these fields.
fn saying(text: &str, fields: Value) -> Value {
    let mut body = json!({ "model": "primary", "messages": [{ "role": "user", "content": text }] });
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

fn status(script: &Script) -> Option<u16> {
    match &script.head {
        ScriptHead::Answer(status, _) => Some(*status),
        ScriptHead::Refuse | ScriptHead::Hang => None,
    }
}

fn header(script: &Script, name: &str) -> Option<String> {
    match &script.head {
        ScriptHead::Answer(_, headers) => headers.get(name).map(str::to_owned),
        ScriptHead::Refuse | ScriptHead::Hang => None,
    }
}

fn text(script: &Script) -> String {
    String::from_utf8(script.pieces.iter().flat_map(|(_, bytes)| bytes.clone()).collect()).expect("text")
}

fn body(script: &Script) -> Value {
    serde_json::from_str(&text(script)).unwrap_or_else(|_| panic!("no JSON: {}", text(script)))
}

/// The payloads of a streamed answer.
fn payloads(script: &Script) -> Vec<String> {
    text(script).split("\n\n").filter_map(|event| event.strip_prefix("data: ")).map(str::to_owned).collect()
}

fn content(script: &Script) -> String {
    body(script)["choices"][0]["message"]["content"].as_str().expect("text").to_owned()
}
