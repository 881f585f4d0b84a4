//! Beyond one target after the other: hedges, streams that are held back, that begin early, and that begin anew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::type_complexity,
    clippy::too_many_lines,
    reason = "a test ends when it is wrong; tables"
)]

#[path = "../world/upstreams.rs"]
mod upstreams;
#[path = "../world/mod.rs"]
mod world;

mod early;
mod hedging;
mod holding;
mod restarting;

use std::rc::Rc;

use breakwater::gateway::Gateway;
use breakwater::runtime::Script;
use serde_json::{Value, json};
use world::World;

/// Two providers, `a` and `b`, and a route `r` of both with these settings.
fn world(settings: &str, a: Vec<Script>, b: Vec<Script>) -> (Rc<World>, Rc<Gateway>) {
    let config = format!(
        "[defaults]\ndeadline = \"30s\"\nfirst_token = \"4s\"\nstall = \"3s\"\n\
         [providers.a]\npreset = \"vllm\"\nbase_url = \"http://a.test/v1\"\n\
         [providers.b]\nprotocol = \"openai\"\nbase_url = \"http://b.test/v1\"\n\
         [routes.r]\ntargets = [\"a/one\", \"b/two\"]\n{settings}\n"
    );
    let world = World::new(7);
    *world.upstream.borrow_mut() = Box::new(move |sent| {
        let scripts = if sent.url.starts_with("http://a.") { &a } else { &b };
        scripts.get(sent.nth).or(scripts.last()).cloned().expect("this provider is not to be called")
    });
    (world, world::gateway(&config, &[]))
}

fn body(stream: bool) -> String {
    json!({ "model": "r", "stream": stream, "messages": [{ "role": "user", "content": "Hello" }] }).to_string()
}

/// Who was called, from when until when in milliseconds, and whether it was let finish.
fn calls(world: &World) -> Vec<(char, u64, Option<u64>, bool)> {
    let calls = world.calls.borrow();
    let call = |call: &Rc<world::CallLog>| {
        let host = call.sent.url.chars().nth("http://".len()).unwrap();
        let ended = call.ended.get();
        (host, call.started - world::DAWN, ended.map(|(at, _)| at - world::DAWN), ended.is_some_and(|(_, regular)| regular))
    };
    calls.iter().map(call).collect()
}

/// What a stream's deltas say in `field`.
fn said(stream: &str, field: &str) -> String {
    let events = stream.split("\n\n").filter_map(|frame| frame.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    let text = |data: &str| serde_json::from_str::<Value>(data).ok()?["choices"][0]["delta"][field].as_str().map(str::to_owned);
    events.filter_map(text).collect()
}

/// The last frame of a stream.
fn last(stream: &str) -> &str {
    stream.trim_end().rsplit("\n\n").next().unwrap_or_default()
}

/// What `GET /status` says of a model's calls: successes and failures.
fn counts(world: &World, gateway: &Gateway, provider: usize) -> (u64, u64) {
    let now = breakwater::time::Timestamp::from_millis(world::DAWN + u64::try_from(world.elapsed().as_millis()).unwrap());
    let status: Value = serde_json::from_str(&gateway.status(now).unwrap()).unwrap();
    let circuits = status["providers"][provider]["breaker"]["circuits"].as_array().unwrap();
    let model = circuits.iter().find(|circuit| circuit["circuit"] == "model").expect("a model was asked");
    (model["since_start"]["ok"].as_u64().unwrap(), model["since_start"]["failed"].as_u64().unwrap())
}
