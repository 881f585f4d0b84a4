//! Faults on demand under virtual time: every word shows as what it is, the next target answers, and nothing is left behind.

use std::fmt::Write as _;
use std::rc::Rc;

use crate::upstreams::{ms, says, tells};
use crate::world::{self, World, ask, chat};
use breakwater::gateway::Gateway;
use breakwater::http::{Headers, Request};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const CONFIG: &str = r#"
[defaults]
deadline = "10s"
first_token = "2s"
stall = "3s"
[admin]
keys = "ADMIN_KEYS"
[providers.a]
preset = "vllm"
base_url = "http://a.test/v1"
[providers.b]
preset = "vllm"
base_url = "http://b.test/v1"
[routes.pair]
targets = ["a/one", "b/two"]
cache = "1h"
[routes.retried]
targets = ["a/one", "b/two"]
retries = 2
[routes.hedged]
targets = ["a/one", "b/two"]
hedge_after = "300ms"
"#;

const KEY: &str = "an-operators-key";

fn record(name: &str, key: &str) -> String {
    let digest = Sha256::digest(key).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    format!("{name}:{digest}")
}

/// A world in which every upstream answers well, and an operator has a key.
fn world() -> (Rc<World>, Rc<Gateway>) {
    let world = World::new(7);
    *world.upstream.borrow_mut() = Box::new(|sent| {
        let name = if sent.url.starts_with("http://a.test") { "A" } else { "B" };
        if sent.streamed { tells(5, 1, &[name]) } else { says(5, name) }
    });
    (world, world::gateway(CONFIG, &[("ADMIN_KEYS", &record("root", KEY))]))
}

fn request(model: &str, stream: bool, fault: &str) -> Request {
    let body = json!({ "model": model, "stream": stream, "messages": [{ "role": "user", "content": "Hello" }] }).to_string();
    let bearer = format!("Bearer {KEY}");
    let mut fields = vec![("authorization", bearer.as_str())];
    if !fault.is_empty() {
        fields.push(("x-breakwater-fault", fault));
    }
    chat(&body, &fields)
}

fn trace(headers: &Headers) -> Vec<String> {
    let parts = headers.get("x-breakwater-trace").unwrap_or_default().split(", ").filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let [target, word, _, rest @ ..] = &part.split(';').collect::<Vec<_>>()[..] else { panic!("{part}") };
            [&[*target, *word], rest].concat().join(";")
        })
        .collect()
}

fn status(world: &Rc<World>, gateway: &Rc<Gateway>) -> Value {
    let request = Request { method: "GET".into(), path: "/status".into(), host: "localhost".into(), ..Default::default() };
    serde_json::from_str(&ask(world, gateway, request).2).unwrap()
}

/// Nothing of these calls is in `/status`: no circuit of `a` has counted, tripped or cooled, and no latency was learnt.
fn leaves_nothing(status: &Value, name: &str) {
    let a = &status["providers"][0];
    assert_eq!(a["provider"], "a");
    for circuit in a["breaker"]["circuits"].as_array().unwrap() {
        let counts = (&circuit["state"], &circuit["since_start"], &circuit["epoch"]);
        assert_eq!(counts, (&json!("closed"), &json!({ "ok": 0, "failed": 0, "trips": 0 }), &json!(0)), "{name}: {circuit}");
    }
    assert_eq!((&a["breaker"]["cooling"], &a["latency"]), (&json!([]), &json!([])), "{name}");
}

#[derive(Clone, Copy, PartialEq)]
enum Shows {
    /// As this word, and the next target answers.
    As(&'static str),
    /// As a stream that has begun and ends with an error event.
    Begun,
    /// As what the client is told, with this status.
    Told(&'static str, u16),
}

#[test]
fn every_fault_shows_as_what_it_is_and_the_next_target_answers() {
    use Shows::{As, Begun, Told};
    // The word, how it shows in a stream, how it does where nothing is streamed.
    let rows: &[(&str, Shows, Shows)] = &[
        ("refuse", As("connect_failed"), As("connect_failed")),
        ("hang", As("first_token_timeout"), As("timeout")),
        ("silent", As("first_token_timeout"), As("timeout")),
        ("role", As("first_token_timeout"), As("timeout")),
        ("drip", As("first_token_timeout"), As("timeout")),
        ("307", As("server_error"), As("server_error")),
        ("400", Told("refused", 400), Told("refused", 400)),
        ("401", As("key_refused"), As("key_refused")),
        ("402", As("quota_exhausted"), As("quota_exhausted")),
        ("403", As("key_refused"), As("key_refused")),
        ("404", As("no_such_model"), As("no_such_model")),
        ("408", As("server_error"), As("server_error")),
        ("413", Told("refused", 413), Told("refused", 413)),
        ("422", Told("refused", 422), Told("refused", 422)),
        ("429", As("rate_limited"), As("rate_limited")),
        ("429:retry-after=7", As("rate_limited"), As("rate_limited")),
        ("429:retry-after-ms=2500", As("rate_limited"), As("rate_limited")),
        ("429:date=20", As("rate_limited"), As("rate_limited")),
        ("429:retry-info=34.4", As("rate_limited"), As("rate_limited")),
        ("500", As("server_error"), As("server_error")),
        ("502", As("server_error"), As("server_error")),
        ("503", As("overloaded"), As("overloaded")),
        ("504", As("server_error"), As("server_error")),
        ("522", As("connect_failed"), As("connect_failed")),
        ("529", As("overloaded"), As("overloaded")),
        ("quota", As("quota_exhausted"), As("quota_exhausted")),
        ("context", As("context_length"), As("context_length")),
        ("html", As("garbage"), As("garbage")),
        ("empty", As("empty"), As("empty")),
        ("error", As("error_in_body"), As("error_in_body")),
        ("error@0", As("error_in_body"), As("error_in_body")),
        ("error@3", Begun, As("error_in_body")),
        ("garbage", As("garbage"), As("garbage")),
        ("garbage@3", Begun, As("garbage")),
        ("cut", As("cut"), As("cut")),
        ("cut@3", Begun, As("cut")),
        ("stall", As("first_token_timeout"), As("timeout")),
        ("stall@3", Begun, As("timeout")),
        ("end", As("empty"), As("garbage")),
        ("end@3", Begun, As("garbage")),
        ("midframe", As("garbage"), As("cut")),
        ("midframe@3", Begun, As("cut")),
        ("hugeline", As("garbage"), As("garbage")),
    ];
    for (fault, streamed, whole) in rows {
        for (stream, shows) in [(true, *streamed), (false, *whole)] {
            let name = format!("{fault}, {}", if stream { "streamed" } else { "not streamed" });
            let (world, gateway) = world();
            let (status_code, headers, text) = ask(&world, &gateway, request("pair", stream, &format!("a={fault}")));
            assert_eq!(headers.get("x-breakwater-cache"), Some("bypass"), "{name}");
            let called = |host: &str| world.calls.borrow().iter().filter(|call| call.sent.url.contains(host)).count();
            assert_eq!(called("a.test"), 0, "{name}: nothing is sent");
            match shows {
                As(word) => {
                    assert_eq!(trace(&headers), [format!("a/one;{word};injected"), "b/two;ok".to_owned()], "{name}");
                    assert_eq!((status_code, text.contains('B'), called("b.test")), (200, true, 1), "{name}: {text}");
                }
                Begun => {
                    assert_eq!(trace(&headers), ["a/one;ok;injected"], "{name}");
                    assert!(text.contains("This ") && !text.contains("[DONE]"), "{name}: {text}");
                    assert!(text.trim_end().rsplit("\n\n").next().unwrap().starts_with("data: {\"error\""), "{name}: {text}");
                }
                Told(word, told) => {
                    assert_eq!(trace(&headers), [format!("a/one;{word};injected")], "{name}");
                    let error: Value = serde_json::from_str(&text).unwrap();
                    assert_eq!((status_code, &error["error"]["attempts"][0]["injected"]), (told, &json!(true)), "{name}");
                }
            }
            world.run_until(world.elapsed() + ms(5_000));
            leaves_nothing(&status(&world, &gateway), &name);
            assert_eq!((world.stored.borrow().len(), world.open_calls()), (0, 0), "{name}");
        }
    }
}

#[test]
fn a_slow_target_is_the_real_one() {
    let (world, gateway) = world();
    ask(&world, &gateway, request("pair", false, "*=hang"));
    for stream in [true, false] {
        let begun = world.elapsed();
        let (_, headers, text) = ask(&world, &gateway, request("pair", stream, "a=slow:1s"));
        assert_eq!((trace(&headers), text.contains('A')), (vec!["a/one;ok;injected".to_owned()], true));
        assert!((1_000..1_100).contains(&world.elapsed().saturating_sub(begun).as_millis()));
    }
    // Slower than the time there is: nothing is sent at all.
    let calls = world.calls.borrow().len();
    let (_, headers, _) = ask(&world, &gateway, request("pair", true, "a=slow:1m"));
    assert_eq!(trace(&headers), ["a/one;first_token_timeout;injected", "b/two;ok"]);
    assert_eq!(world.calls.borrow().len(), calls + 1);
    leaves_nothing(&status(&world, &gateway), "slow");
}

#[test]
fn a_fault_is_met_by_every_call_of_its_target() {
    let (world, gateway) = world();
    let (_, headers, _) = ask(&world, &gateway, request("retried", false, "a/one=500"));
    let failed = "a/one;server_error;injected";
    assert_eq!(trace(&headers), [failed, failed, failed, "b/two;ok"]);
    let (code, headers, text) = ask(&world, &gateway, request("pair", false, "*=429:retry-after=7"));
    assert_eq!((code, headers.get("retry-after")), (429, Some("7")), "{text}");
}

/// What was asked for is what happens, on a bad day as on a good one; but the real target is not asked for it.
#[test]
fn circuits_do_not_come_between() {
    let (world, gateway) = world();
    let down = |sent: &world::Sent| {
        if sent.url.starts_with("http://a") { crate::upstreams::error(5, 500, "x", "down") } else { says(5, "B") }
    };
    *world.upstream.borrow_mut() = Box::new(down);
    for _ in 0..5 {
        // The cache would answer the same question.
        let mut plain = request("pair", false, "");
        plain.headers.push("cache-control", "no-store");
        ask(&world, &gateway, plain);
    }
    let asked = |fault: &str| trace(&ask(&world, &gateway, request("pair", false, fault)).1);
    assert_eq!(asked("b=slow:10ms"), ["b/two;ok;injected"], "a's circuit is open");
    assert_eq!(asked("a=empty"), ["a/one;empty;injected", "b/two;ok"]);
    assert_eq!(asked("a=slow:10ms"), ["b/two;ok"], "it is the real one, and it is left alone");
    // Half-open: who is kept waiting is no probe.
    world.run_until(world.elapsed() + ms(12_000));
    assert_eq!(asked("a=slow:10ms"), ["b/two;ok"]);
}

#[test]
fn who_may_not_is_told_why() {
    let (world, gateway) = world();
    let told = |gateway: &Rc<Gateway>, key: &str, fault: &str| {
        let body = json!({ "model": "pair", "messages": [] }).to_string();
        let bearer = format!("Bearer {key}");
        let (code, _, text) = ask(&world, gateway, chat(&body, &[("authorization", &bearer), ("x-breakwater-fault", fault)]));
        let error: Value = serde_json::from_str(&text).unwrap();
        let text = |name: &str| error["error"][name].as_str().unwrap_or_default().to_owned();
        (code, text("code"), text("param"), text("message"))
    };
    let (code, word, param, message) = told(&gateway, "nobody", "a=500");
    assert_eq!((code, word.as_str(), param.as_str()), (403, "not_allowed", "x-breakwater-fault"));
    assert!(message.contains("'anyone'"), "open on loopback is no operator: {message}");
    let without = world::gateway(&CONFIG.replace("[admin]\nkeys = \"ADMIN_KEYS\"\n", ""), &[]);
    let (code, word, _, message) = told(&without, KEY, "a=500");
    assert_eq!((code, word.as_str()), (403, "not_allowed"));
    assert!(message.contains("[admin] is not configured"), "{message}");
    let (code, word, param, message) = told(&gateway, KEY, "a=500, c=hang");
    assert_eq!((code, word.as_str(), param.as_str()), (400, "invalid_request", "x-breakwater-fault"));
    assert!(message.contains("\"c=hang\""), "{message}");
    assert!(world.calls.borrow().is_empty());
}

/// Failures that are made up spend nothing of what real ones may need: not what pays for fallbacks, retries and hedges.
#[test]
fn nothing_is_spent() {
    let (world, gateway) = world();
    for model in ["pair", "retried", "hedged"] {
        for _ in 0..100 {
            let (code, headers, _) =
                ask(&world, &gateway, request(model, false, if model == "hedged" { "a=hang" } else { "a=500" }));
            assert_eq!((code, headers.get("x-breakwater-target")), (200, Some("b/two")), "{model}: {headers:?}");
        }
    }
    let (_, headers, _) = ask(&world, &gateway, request("hedged", true, "a=hang"));
    assert_eq!(trace(&headers), ["a/one;hedge_lost;injected", "b/two;ok"]);
    let status = status(&world, &gateway);
    leaves_nothing(&status, "many");
    let routes = status["routes"].as_array().unwrap();
    for route in routes {
        let none = json!({ "fallbacks": 0, "retries": 0, "hedges": 0 });
        assert_eq!((&route["budget"]["withdrawn"], &route["budget"]["refused"]), (&none, &none), "{route}");
    }
    assert_eq!(routes.len(), 3);
}
