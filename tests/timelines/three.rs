//! Three providers, and what to look at afterwards.

use std::rc::Rc;

use crate::world::{self, World, ask};
use breakwater::gateway::Gateway;
use breakwater::runtime::Script;
use serde_json::{Value, json};

/// Three providers, `a`, `b` and `c`; a deadline of ten seconds, of which a stream's first content may take two.
pub const THREE: &str = r#"
[defaults]
deadline = "10s"
first_token = "2s"
stall = "3s"
max_duration = "60s"

[providers.a]
preset = "vllm"
base_url = "http://a.test/v1"
[providers.b]
protocol = "openai"
base_url = "http://b.test/v1"
[providers.c]
protocol = "openai"
base_url = "http://c.test/v1"

[routes.all]
targets = ["a/one", "b/two", "c/three"]
[routes.pair]
targets = ["a/one", "b/two"]
[routes.alone]
targets = ["a/one"]
[routes.retried]
targets = ["a/one", "b/two"]
retries = 2
[routes.kept]
targets = ["a/one", "b/two"]
cache = "1m"
"#;

/// A world whose provider `a` answers by the first list, `b` by the second, `c` by the third; the last entry of each goes on for ever.
pub fn world(scripts: [Vec<Script>; 3]) -> (Rc<World>, Rc<Gateway>) {
    let world = World::new(7);
    *world.upstream.borrow_mut() = Box::new(move |sent| {
        let place = ["http://a.test", "http://b.test", "http://c.test"].iter().position(|host| sent.url.starts_with(host));
        let scripts = &scripts[place.expect("a known host")];
        scripts.get(sent.nth).or(scripts.last()).cloned().expect("this provider is not to be called")
    });
    (world, world::gateway(THREE, &[]))
}

pub fn body(model: &str, stream: bool) -> String {
    json!({ "model": model, "stream": stream, "messages": [{ "role": "user", "content": "Hello" }] }).to_string()
}

/// Who was called, from when until when in milliseconds, and whether it was let finish.
pub fn calls(world: &World) -> Vec<(char, u64, Option<u64>, bool)> {
    let calls = world.calls.borrow();
    let call = |call: &Rc<world::CallLog>| {
        let host = call.sent.url.chars().nth("http://".len()).unwrap();
        let ended = call.ended.get();
        (host, call.started - world::DAWN, ended.map(|(at, _)| at - world::DAWN), ended.is_some_and(|(_, regular)| regular))
    };
    calls.iter().map(call).collect()
}

/// The outcomes of a trace, without times.
pub fn outcomes(trace: &str) -> Vec<String> {
    trace.split(", ").filter(|part| !part.is_empty()).map(|part| part.rsplit_once(';').unwrap().0.to_owned()).collect()
}

pub fn text_of(stream: &str) -> String {
    let events = stream.split("\n\n").filter_map(|frame| frame.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    events
        .filter_map(|data| {
            serde_json::from_str::<Value>(data).ok()?["choices"][0]["delta"]["content"].as_str().map(str::to_owned)
        })
        .collect()
}

pub fn status(world: &Rc<World>, gateway: &Rc<Gateway>) -> Value {
    let request = breakwater::http::Request {
        method: "GET".to_owned(),
        path: "/status".to_owned(),
        host: "localhost".to_owned(),
        ..Default::default()
    };
    serde_json::from_str(&ask(world, gateway, request).2).unwrap()
}

/// A circuit in `/status`.
pub fn circuit(status: &Value, provider: &str, kind: &str, name: &str) -> Value {
    let provider = status["providers"].as_array().unwrap().iter().find(|other| other["provider"] == provider).unwrap();
    let circuits = provider["breaker"]["circuits"].as_array().unwrap();
    circuits.iter().find(|circuit| circuit["circuit"] == kind && circuit["name"] == name).cloned().unwrap_or(Value::Null)
}
