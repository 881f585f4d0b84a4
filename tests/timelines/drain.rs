//! Circuits that an operator forces: in every region, in every isolate after its next exchange, for as long as was ordered.

use std::fmt::Write as _;
use std::rc::Rc;

use crate::upstreams::{error, ms, says};
use crate::world::{self, Post, World, ask, chat};
use breakwater::gateway::Gateway;
use breakwater::http::Request;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const CONFIG: &str = r#"
[defaults]
deadline = "10s"
[admin]
keys = "ADMIN_KEYS"
[providers.a]
preset = "vllm"
base_url = "http://a.test/v1"
[providers.b]
preset = "vllm"
base_url = "http://b.test/v1"
keys = ["B1", "B2"]
[providers.c]
preset = "vllm"
base_url = "http://c.test/v1"
[routes.all]
targets = ["a/one", "b/two", "c/three"]
[routes.pair]
targets = ["a/one", "c/three"]
[routes.models]
targets = ["a/one", "a/more", "c/three"]
[routes.alone]
targets = ["a/one"]
"#;

const KEY: &str = "an-operators-key";

fn isolate() -> Rc<Gateway> {
    let digest = Sha256::digest(KEY).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    world::gateway(CONFIG, &[("ADMIN_KEYS", &format!("root:{digest}")), ("B1", "key-one"), ("B2", "key-two")])
}

fn world() -> Rc<World> {
    let world = World::new(7);
    *world.upstream.borrow_mut() = Box::new(|sent| says(5, &sent.url[7..8]));
    world
}

fn targets(world: &Rc<World>, gateway: &Rc<Gateway>, model: &str) -> Vec<String> {
    let body = json!({ "model": model, "messages": [] }).to_string();
    let (_, headers, _) = ask(world, gateway, chat(&body, &[]));
    let parts = headers.get("x-breakwater-trace").unwrap_or_default().split(", ");
    parts.map(|part| part.rsplit_once(';').map_or(part, |(rest, _)| rest).to_owned()).collect()
}

fn call(world: &Rc<World>, gateway: &Rc<Gateway>, key: &str, method: &str, path: &str, body: &str) -> (u16, Value) {
    let request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: String::new(),
        host: "localhost".to_owned(),
        headers: [("authorization", format!("Bearer {key}"))].into_iter().collect(),
        body: body.to_owned(),
    };
    let (status, _, text) = ask(world, gateway, request);
    (status, serde_json::from_str(&text).unwrap())
}

fn order(world: &Rc<World>, gateway: &Rc<Gateway>, provider: &str, order: &Value) -> (u16, Value) {
    call(world, gateway, KEY, "POST", &format!("/admin/circuits/{provider}"), &order.to_string())
}

fn forced(world: &Rc<World>, gateway: &Rc<Gateway>) -> Value {
    let status = call(world, gateway, KEY, "GET", "/status", "").1;
    status["providers"][0]["breaker"]["forced"].clone()
}

#[test]
fn a_drained_provider_is_left_alone_everywhere_and_comes_back_by_itself() {
    let world = world();
    let (here, there) = (isolate(), isolate());
    for gateway in [&here, &there] {
        assert_eq!(targets(&world, gateway, "all"), ["a/one;ok"]);
    }
    let (status, answer) = order(&world, &here, "a", &json!({ "state": "open", "for": "10m" }));
    let ordered = world.elapsed();
    assert_eq!(status, 200, "{answer}");
    assert_eq!((&answer["provider"], &answer["model"], &answer["state"]), (&json!("a"), &Value::Null, &json!("open")));
    assert_eq!(answer["targets"], json!(["a/more", "a/one"]));
    let regions = answer["regions"].as_object().unwrap();
    assert_eq!((regions.len(), regions.values().all(|word| word == "ok")), (9, true), "{answer}");
    assert!(world.lines.borrow().iter().any(|line| line.starts_with("'root' forces a open for 10m: weur ok, ")));
    // Here at once, there with the next exchange.
    assert_eq!(targets(&world, &here, "all"), ["a/one;drained", "b/two;ok"]);
    world.run_until(world.elapsed() + ms(2_000));
    targets(&world, &there, "all");
    world.run_until(world.elapsed() + ms(100));
    assert_eq!(targets(&world, &there, "all"), ["a/one;drained", "b/two;ok"]);
    // A new isolate asks before it calls, and eviction forgets nothing.
    world.evict_objects();
    assert_eq!(targets(&world, &isolate(), "all"), ["a/one;drained", "b/two;ok"]);
    let told = forced(&world, &there);
    assert_eq!((&told[0]["circuit"], &told[0]["name"], &told[0]["state"]), (&json!("provider"), &json!("a"), &json!("open")));
    assert_eq!(call(&world, &here, KEY, "GET", "/admin/circuits", "").1["forced"][0]["provider"], "a");
    // Who is left with nobody is told when to come back, and nothing is sent.
    let before = world.calls.borrow().len();
    let (status, headers, text) = ask(&world, &here, chat(&json!({ "model": "alone", "messages": [] }).to_string(), &[]));
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &told["error"]["code"]), (503, &json!("circuit_open")));
    assert!(told["error"]["message"].as_str().unwrap().contains("operator"), "{text}");
    assert!((590..=600).contains(&headers.get("retry-after").unwrap().parse().unwrap()));
    assert_eq!((headers.get("x-should-retry"), world.calls.borrow().len()), (Some("false"), before));
    // Over: nobody need be told.
    world.run_until(ordered + ms(600_000));
    for gateway in [&here, &there] {
        assert_eq!(targets(&world, gateway, "all"), ["a/one;ok"]);
    }
    assert_eq!(forced(&world, &here), json!([]));
}

#[test]
fn an_order_ends_when_that_is_ordered_and_may_be_for_one_model() {
    let world = world();
    let (here, there) = (isolate(), isolate());
    assert_eq!(order(&world, &here, "a", &json!({ "state": "open", "for": "1h", "model": "one" })).0, 200);
    for gateway in [&here, &there] {
        assert_eq!(targets(&world, gateway, "models"), ["a/one;drained", "a/more;ok"]);
    }
    assert_eq!(order(&world, &there, "a", &json!({ "state": "auto", "model": "one" })).0, 200);
    assert_eq!(targets(&world, &there, "models"), ["a/one;ok"]);
    // The one that was not asked hears of it too, although the target stands behind the two that are always refreshed.
    assert_eq!(order(&world, &there, "c", &json!({ "state": "open", "for": "1h" })).0, 200);
    world.run_until(world.elapsed() + ms(3_000));
    targets(&world, &here, "models");
    world.run_until(world.elapsed() + ms(100));
    assert_eq!(targets(&world, &here, "models"), ["a/one;ok"]);
    let down = |sent: &world::Sent| if sent.url.starts_with("http://c") { says(5, "c") } else { error(5, 500, "x", "down") };
    *world.upstream.borrow_mut() = Box::new(down);
    targets(&world, &here, "all");
    world.run_until(world.elapsed() + ms(100));
    assert_eq!(targets(&world, &here, "all"), ["a/one;server_error", "b/two;server_error", "c/three;drained"]);
}

#[test]
fn both_keys_of_a_drained_target_are_one_target() {
    let world = world();
    let here = isolate();
    assert_eq!(order(&world, &here, "a", &json!({ "state": "open", "for": "1h" })).0, 200);
    assert_eq!(order(&world, &here, "b", &json!({ "state": "open", "for": "1h" })).0, 200);
    assert_eq!(targets(&world, &here, "all"), ["a/one;drained", "b/two;drained", "c/three;ok"]);
}

#[test]
fn a_circuit_that_is_forced_closed_stops_nobody_and_goes_on_counting() {
    let world = world();
    let here = isolate();
    let down = |sent: &world::Sent| if sent.url.starts_with("http://a") { error(5, 500, "x", "down") } else { says(5, "c") };
    *world.upstream.borrow_mut() = Box::new(down);
    for _ in 0..5 {
        assert_eq!(targets(&world, &here, "pair"), ["a/one;server_error", "c/three;ok"]);
    }
    assert_eq!(targets(&world, &here, "pair"), ["c/three;ok"], "it is open");
    assert_eq!(order(&world, &here, "a", &json!({ "state": "closed", "for": "5m" })).0, 200);
    for _ in 0..10 {
        assert_eq!(targets(&world, &here, "pair"), ["a/one;server_error", "c/three;ok"]);
        world.run_until(world.elapsed() + ms(3_000));
    }
    // Beneath it is as it was, so that one probe decides when the order ends.
    assert_eq!(order(&world, &here, "a", &json!({ "state": "auto" })).0, 200);
    assert_eq!(targets(&world, &here, "pair"), ["a/one;server_error", "c/three;ok"], "the probe");
    assert_eq!(targets(&world, &here, "pair"), ["c/three;ok"], "and it is open again");
    // An order to send less wins over one to send more.
    assert_eq!(order(&world, &here, "a", &json!({ "state": "closed", "for": "5m" })).0, 200);
    assert_eq!(order(&world, &here, "a", &json!({ "state": "open", "for": "5m", "model": "one" })).0, 200);
    assert_eq!(targets(&world, &here, "pair"), ["a/one;drained", "c/three;ok"]);
}

/// A rate limit holds whatever was ordered: a key is not made valid by it.
#[test]
fn a_rate_limit_is_obeyed_while_a_circuit_is_forced_closed() {
    let world = world();
    let here = isolate();
    let limited =
        |sent: &world::Sent| if sent.url.starts_with("http://a") { crate::upstreams::limits(5, "60") } else { says(5, "c") };
    *world.upstream.borrow_mut() = Box::new(limited);
    assert_eq!(order(&world, &here, "a", &json!({ "state": "closed", "for": "5m" })).0, 200);
    assert_eq!(targets(&world, &here, "pair"), ["a/one;rate_limited", "c/three;ok"]);
    assert_eq!(targets(&world, &here, "pair"), ["c/three;ok"]);
}

#[test]
fn what_could_not_be_reached_is_told() {
    let world = world();
    let here = isolate();
    *world.post.borrow_mut() = Box::new(|object| match object {
        "a@apac" => Post::Lost(ms(60_000)),
        "a@weur" | "a@oc" => Post::Lost(ms(5)),
        _ => Post::Delivered(ms(5)),
    });
    let (status, answer) = order(&world, &here, "a", &json!({ "state": "open", "for": "10m" }));
    let word = |region: &str| answer["regions"][region].as_str().unwrap();
    assert_eq!(
        (status, word("weur"), word("apac"), word("oc"), word("enam")),
        (200, "unreachable", "unreachable", "unreachable", "ok")
    );
    assert!(world.elapsed() < ms(4_000), "one that hangs is waited for three seconds: {:?}", world.elapsed());
    assert_eq!(targets(&world, &here, "pair"), ["a/one;drained", "c/three;ok"], "this isolate obeys all the same");
    *world.post.borrow_mut() = Box::new(|_| Post::Lost(ms(5)));
    let (status, answer) = order(&world, &here, "c", &json!({ "state": "open", "for": "10m" }));
    assert_eq!((status, &answer["error"]["code"]), (502, &json!("upstream_failed")));
    assert_eq!(targets(&world, &isolate(), "pair"), ["a/one;ok"]);
    assert_eq!(targets(&world, &here, "pair"), ["a/one;drained", "c/three;ok"]);
}

#[test]
fn mistakes_and_strangers() {
    let world = world();
    let here = isolate();
    let rows: [(&str, &str, &str, u16, &str, Value); 19] = [
        ("POST", "/admin/circuits/z", r#"{"state":"open","for":"1m"}"#, 404, "not_found", json!("provider")),
        ("POST", "/admin/circuits/a", "", 400, "invalid_request", Value::Null),
        ("POST", "/admin/circuits/a", "[]", 400, "invalid_request", Value::Null),
        ("POST", "/admin/circuits/a", "{}", 400, "invalid_request", json!("state")),
        ("POST", "/admin/circuits/a", r#"{"state":"shut","for":"1m"}"#, 400, "invalid_request", json!("state")),
        ("POST", "/admin/circuits/a", r#"{"state":"open"}"#, 400, "invalid_request", json!("for")),
        ("POST", "/admin/circuits/a", r#"{"state":"open","for":"soon"}"#, 400, "invalid_request", json!("for")),
        ("POST", "/admin/circuits/a", r#"{"state":"open","for":"25h"}"#, 400, "invalid_request", json!("for")),
        ("POST", "/admin/circuits/a", r#"{"state":"open","for":"500ms"}"#, 400, "invalid_request", json!("for")),
        ("POST", "/admin/circuits/a", r#"{"state":"auto","for":"1m"}"#, 400, "invalid_request", json!("for")),
        ("POST", "/admin/circuits/a", r#"{"state":"open","for":"1m","model":""}"#, 400, "invalid_request", json!("model")),
        ("POST", "/admin/circuits/a", r#"{"state":"open","for":"1m","modle":"one"}"#, 400, "invalid_request", json!("modle")),
        ("POST", "/admin/circuits/a", r#"{"state":"open","for":60}"#, 400, "invalid_request", json!("for")),
        ("GET", "/admin/circuits/a", "", 405, "method_not_allowed", Value::Null),
        ("POST", "/admin/circuits", "", 405, "method_not_allowed", Value::Null),
        ("POST", "/admin/circuits/a/b", "", 404, "not_found", Value::Null),
        ("POST", "/admin/circuitsa", r#"{"state":"open","for":"1m"}"#, 404, "not_found", Value::Null),
        ("GET", "/admin/", "", 404, "not_found", Value::Null),
        ("GET", "/admin/else", "", 404, "not_found", Value::Null),
    ];
    for (method, path, body, status, code, param) in rows {
        let (got, answer) = call(&world, &here, KEY, method, path, body);
        let name = format!("{method} {path} {body}: {answer}");
        assert_eq!((got, &answer["error"]["code"], &answer["error"]["param"]), (status, &json!(code), &param), "{name}");
    }
    let body = r#"{"state":"open","for":"1m"}"#;
    let (status, answer) = call(&world, &here, "a-strangers", "POST", "/admin/circuits/a", body);
    assert_eq!((status, &answer["error"]["code"]), (403, &json!("not_allowed")), "open on loopback is no operator");
    let without = world::gateway(&CONFIG.replace("[admin]\nkeys = \"ADMIN_KEYS\"\n", ""), &[]);
    let (status, answer) = call(&world, &without, KEY, "POST", "/admin/circuits/a", body);
    assert_eq!((status, &answer["error"]["code"]), (404, &json!("not_found")));
    assert!(world.exchanges.borrow().is_empty(), "nothing of it was ordered");
}
