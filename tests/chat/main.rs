//! A stream and its completion are two forms of one answer: checked against what real providers sent, and by generated
//! completions.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking, reports by printing, and values are written where they are passed"
)]

mod generated;
mod merging;
mod recorded;
mod replaying;

use breakwater::dialect::chat::{Assembly, replay};
use serde_json::Value;

fn assemble<T: AsRef<str>>(payloads: impl IntoIterator<Item = T>) -> Option<Value> {
    let mut assembly = Assembly::new();
    for payload in payloads {
        assembly.push(payload.as_ref());
    }
    assembly.finish().map(|text| serde_json::from_str(&text).expect("a completion is JSON"))
}

/// The payloads of SSE text, found as naively as can be.
fn payloads(sse: &str) -> Vec<String> {
    let events = sse.replace("\r\n", "\n");
    events.split("\n\n").filter_map(|event| event.strip_prefix("data: ")).map(|data| data.trim_end().to_owned()).collect()
}

fn replayed(completion: &Value, include_usage: bool) -> Vec<String> {
    let sse = replay(&completion.to_string(), include_usage).expect("it can be replayed");
    assert!(sse.ends_with("\n\ndata: [DONE]\n\n"), "{sse}");
    payloads(&sse)
}

/// Assembling a replay gives the completion back.
fn law(name: &str, completion: &Value) {
    assert_eq!(assemble(replayed(completion, true)).as_ref(), Some(completion), "{name}, with usage");
    let mut without = completion.clone();
    without.as_object_mut().unwrap().remove("usage");
    assert_eq!(assemble(replayed(completion, false)), Some(without), "{name}, without usage");
}
