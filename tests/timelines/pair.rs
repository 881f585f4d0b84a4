//! Two providers and a route of both, and what to look at afterwards.

use std::rc::Rc;

use crate::world::{self, World};
use breakwater::gateway::Gateway;
use breakwater::runtime::Script;
use serde_json::{Value, json};

/// Two providers, `a` and `b`, and a route `r` of both with these settings.
pub fn world(settings: &str, a: Vec<Script>, b: Vec<Script>) -> (Rc<World>, Rc<Gateway>) {
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

pub fn body(stream: bool) -> String {
    json!({ "model": "r", "stream": stream, "messages": [{ "role": "user", "content": "Hello" }] }).to_string()
}

/// What a stream's deltas say in `field`.
pub fn said(stream: &str, field: &str) -> String {
    let events = stream.split("\n\n").filter_map(|frame| frame.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    let text = |data: &str| serde_json::from_str::<Value>(data).ok()?["choices"][0]["delta"][field].as_str().map(str::to_owned);
    events.filter_map(text).collect()
}

/// The last frame of a stream.
pub fn last(stream: &str) -> &str {
    stream.trim_end().rsplit("\n\n").next().unwrap_or_default()
}

/// What `GET /status` says of a model's calls: successes and failures.
pub fn counts(world: &World, gateway: &Gateway, provider: usize) -> (u64, u64) {
    let now = breakwater::time::Timestamp::from_millis(world::DAWN + u64::try_from(world.elapsed().as_millis()).unwrap());
    let status: Value = serde_json::from_str(&gateway.status(now).unwrap()).unwrap();
    let circuits = status["providers"][provider]["breaker"]["circuits"].as_array().unwrap();
    let model = circuits.iter().find(|circuit| circuit["circuit"] == "model").expect("a model was asked");
    (model["since_start"]["ok"].as_u64().unwrap(), model["since_start"]["failed"].as_u64().unwrap())
}
