//! Whole requests under virtual time: what a route may spend on calls beyond the first, and what happens when it is spent.

use std::rc::Rc;
use std::time::Duration;

use crate::upstreams::{error, says};
use crate::world::{self, World, ask, chat};
use breakwater::gateway::Gateway;
use serde_json::{Value, json};

/// A primary whose breaker never opens, as if every object were lost and every isolate new, and one whose breaker does; a fallback.
const CONFIG: &str = r#"
[providers.dead]
preset = "vllm"
base_url = "http://dead.test/v1"
breaker = { failures = 10000, min_requests = 10000 }
[providers.guarded]
preset = "vllm"
base_url = "http://dead.test/v1"
breaker = { failures = 5, cooldown = "10m", max_cooldown = "10m" }
[providers.alive]
preset = "vllm"
base_url = "http://alive.test/v1"

[routes.plain]
targets = ["dead/m", "alive/m"]
[routes.frugal]
extends = "plain"
retry_budget = 0.2
[routes.unbounded]
extends = "plain"
retry_budget = "off"
[routes.guarded]
targets = ["guarded/m", "alive/m"]
retry_budget = 0
[routes.retried]
extends = "plain"
retries = 3
[routes.stored]
extends = "plain"
cache = "1h"
[routes.stored.set]
seed = 1
"#;

fn sea() -> (Rc<World>, Rc<Gateway>) {
    let world = World::new(5);
    *world.upstream.borrow_mut() =
        Box::new(|sent| if sent.url.starts_with("http://dead.") { error(0, 500, "x", "down") } else { says(0, "fine") });
    (world, world::gateway(CONFIG, &[]))
}

fn hello(route: &str) -> String {
    json!({ "model": route, "messages": [{ "role": "user", "content": "Hello" }] }).to_string()
}

/// The statuses of so many requests, and the calls that they came to.
fn many(world: &Rc<World>, gateway: &Rc<Gateway>, body: &str, times: usize) -> (usize, usize) {
    let before = world.calls.borrow().len();
    let answered = (0..times).filter(|_| ask(world, gateway, chat(body, &[])).0 == 200).count();
    (answered, world.calls.borrow().len() - before)
}

fn budget(world: &World, gateway: &Gateway, route: &str) -> Value {
    let now = breakwater::time::Timestamp::from_millis(world::DAWN) + world.elapsed();
    let status: Value = serde_json::from_str(&gateway.status(now).unwrap()).unwrap();
    let routes = status["routes"].as_array().unwrap();
    routes.iter().find(|other| other["route"] == route).unwrap()["budget"].clone()
}

#[test]
fn a_dead_primary_does_not_double_the_calls() {
    // All within a second, so that nothing trickles in.
    for (route, answered) in [("plain", 50 + 800), ("frugal", 50 + 200), ("unbounded", 1_000)] {
        let (world, gateway) = sea();
        let (found, calls) = many(&world, &gateway, &hello(route), 1_000);
        assert!(world.elapsed() < Duration::from_secs(1));
        assert!(found.abs_diff(answered) <= 1, "{route}: {found}");
        assert_eq!(calls, 1_000 + found, "{route}");
    }
}

#[test]
fn what_is_spent_is_told() {
    let (world, gateway) = sea();
    let (answered, _) = many(&world, &gateway, &hello("frugal"), 1_000);
    let told = budget(&world, &gateway, "frugal");
    assert_eq!((&told["withdrawn"]["fallbacks"], &told["refused"]["fallbacks"]), (&json!(answered), &json!(1_000 - answered)));
    assert!(told["balance"].as_f64().unwrap() < 1.0);
    assert_eq!(budget(&world, &gateway, "plain")["withdrawn"]["fallbacks"], 0, "each route has its own");
    // A request that cannot fall back is told what it met.
    while ask(&world, &gateway, chat(&hello("frugal"), &[])).0 == 200 {}
    let (status, headers, text) = ask(&world, &gateway, chat(&hello("frugal"), &[]));
    assert_eq!((status, headers.get("x-should-retry")), (502, Some("false")), "{text}");
    // A minute later there is enough for some again.
    world.run_until(world.elapsed() + Duration::from_secs(60));
    assert_eq!(many(&world, &gateway, &hello("frugal"), 40).0, 40);
}

#[test]
fn who_is_passed_over_costs_nothing() {
    let (world, gateway) = sea();
    assert_eq!(many(&world, &gateway, &hello("guarded"), 1_000), (1_000, 1_005), "five failures, and then the circuit is open");
    assert_eq!(budget(&world, &gateway, "guarded")["withdrawn"]["fallbacks"], 5);
}

#[test]
fn retries_leave_the_rest_to_fallbacks() {
    let (world, gateway) = sea();
    let (answered, _) = many(&world, &gateway, &hello("retried"), 60);
    let told = budget(&world, &gateway, "retried");
    assert_eq!(answered, 60, "nobody went without a fallback: {told}");
    assert!(told["refused"]["retries"].as_u64() > Some(0) && told["refused"]["fallbacks"] == 0, "{told}");
}

#[test]
fn an_answer_from_the_cache_earns_nothing() {
    let (world, gateway) = sea();
    assert_eq!(many(&world, &gateway, &hello("stored"), 1).1, 2);
    let before = budget(&world, &gateway, "stored")["balance"].as_f64().unwrap();
    assert!((before - 49.0).abs() < 0.1, "{before}");
    let now = world.elapsed();
    assert_eq!(many(&world, &gateway, &hello("stored"), 20), (20, 0));
    let earned = budget(&world, &gateway, "stored")["balance"].as_f64().unwrap() - before;
    let trickled = world.elapsed().saturating_sub(now).as_secs_f64();
    assert!((earned - trickled).abs() < 0.01, "{earned}, of which {trickled} by time");
}
