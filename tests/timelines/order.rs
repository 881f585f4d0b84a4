//! Whole requests under virtual time: who is asked first, and which conversations stay with whom.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use crate::upstreams::{error, limits, ms, says};
use crate::world::{self, World, ask, chat};
use breakwater::gateway::Gateway;
use serde_json::{Value, json};

/// Three providers, of which `c` has three keys.
const CONFIG: &str = r#"
[providers.a]
preset = "vllm"
base_url = "http://a.test/v1"
[providers.b]
preset = "vllm"
base_url = "http://b.test/v1"
[providers.c]
preset = "vllm"
base_url = "http://c.test/v1"
keys = ["C1", "C2", "C3"]

[routes.shared]
order = "weighted"
targets = [{ target = "a/m", weight = 3 }, { target = "b/m", weight = 2 }, { target = "c/m", weight = 5 }]
[routes.spread]
extends = "shared"
affinity = false
[routes.fast]
order = "fastest"
targets = ["a/m", "b/m"]
[routes.quick]
extends = "fast"
affinity = false
[routes.keys]
targets = ["c/m"]
[routes.kept-keys]
targets = ["c/m"]
affinity = true
[routes.stored]
extends = "shared"
affinity = false
cache = "1h"
"#;

const SECRETS: [(&str, &str); 3] = [("C1", "secret-1"), ("C2", "secret-2"), ("C3", "secret-3")];

/// Three providers, by what a test may change: after how many milliseconds they answer; with zero they fail.
struct Sea {
    world: Rc<World>,
    takes: [Cell<u64>; 3],
    /// A key that has reached its limit.
    limited: Cell<&'static str>,
}

fn sea() -> Rc<Sea> {
    let world = World::new(3);
    let sea = Rc::new(Sea {
        world: Rc::clone(&world),
        takes: [Cell::new(100), Cell::new(100), Cell::new(100)],
        limited: Cell::new("-"),
    });
    let upstream = Rc::clone(&sea);
    *world.upstream.borrow_mut() = Box::new(move |sent| {
        let place = ["http://a.", "http://b.", "http://c."].iter().position(|host| sent.url.starts_with(host)).unwrap();
        if sent.headers.get("authorization").unwrap_or_default().ends_with(upstream.limited.get()) {
            return limits(5, "30");
        }
        match upstream.takes[place].get() {
            0 => error(5, 500, "x", "down"),
            takes => says(takes, "fine"),
        }
    });
    sea
}

fn isolate() -> Rc<Gateway> {
    world::gateway(CONFIG, &SECRETS)
}

/// A turn of the conversation that begins with `opening`.
fn turn(route: &str, opening: &str, turns: usize) -> String {
    let mut messages =
        vec![json!({ "role": "system", "content": "You are brief." }), json!({ "role": "user", "content": opening })];
    for turn in 0..turns {
        messages.push(json!({ "role": "assistant", "content": "Yes." }));
        messages.push(json!({ "role": "user", "content": format!("And {turn}?") }));
    }
    json!({ "model": route, "messages": messages }).to_string()
}

impl Sea {
    /// Who answers, as target and key.
    fn asks(&self, gateway: &Rc<Gateway>, body: &str, headers: &[(&'static str, &str)]) -> (String, String) {
        let (status, fields, text) = ask(&self.world, gateway, chat(body, headers));
        assert_eq!(status, 200, "{text}");
        let key = self.world.calls.borrow().last().unwrap().sent.headers.get("authorization").unwrap_or_default().to_owned();
        (fields.get("x-breakwater-target").unwrap().to_owned(), key)
    }

    fn who(&self, gateway: &Rc<Gateway>, body: &str) -> String {
        self.asks(gateway, body, &[]).0
    }
}

#[test]
fn a_conversation_has_one_target_and_one_key_in_all_isolates() {
    let sea = sea();
    let (one, other) = (isolate(), isolate());
    let mut seen = BTreeMap::new();
    for conversation in 0..60 {
        let opening = format!("Question {conversation}");
        let first = sea.asks(&one, &turn("shared", &opening, 0), &[]);
        for turns in 1..4 {
            assert_eq!(sea.asks(if turns == 2 { &other } else { &one }, &turn("shared", &opening, turns), &[]), first);
        }
        *seen.entry(first).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), 5, "each target and each key has some: {seen:?}");
}

#[test]
fn what_the_client_says_keeps_requests_together() {
    let keyed =
        |number: usize| turn("shared", &format!("Question {number}"), 0).replacen('{', "{\"prompt_cache_key\":\"k\",", 1);
    let plain = |number: usize| turn("shared", &format!("Question {number}"), 0);
    let rows: &[(&str, &dyn Fn(usize) -> String, &[(&'static str, &str)], bool)] = &[
        ("a key", &keyed, &[], true),
        ("a session", &plain, &[("x-breakwater-session", "s")], true),
        ("a session of Codex", &plain, &[("session_id", "s")], true),
        ("a session of others", &plain, &[("x-session-id", "s")], true),
        ("nothing", &plain, &[], false),
    ];
    for (name, body, headers, together) in rows {
        let (sea, gateway) = (sea(), isolate());
        let seen: BTreeSet<_> = (0..30).map(|number| sea.asks(&gateway, &body(number), headers)).collect();
        assert_eq!(seen.len() == 1, *together, "{name}: {seen:?}");
        let sent = sea.world.calls.borrow()[0].sent.clone();
        assert_eq!(sent.body.contains("\"prompt_cache_key\":\"k\""), *name == "a key", "it goes upstream as it came");
        assert!(headers.iter().all(|(field, _)| sent.headers.get(field).is_none()), "{name}");
    }
}

#[test]
fn a_dead_target_lends_its_conversations_and_has_them_back() {
    let (sea, gateway) = (sea(), isolate());
    let openings: Vec<String> = (0..40).map(|number| format!("Question {number}")).collect();
    let all = |turns| openings.iter().map(|opening| sea.who(&gateway, &turn("shared", opening, turns))).collect::<Vec<_>>();
    let before = all(0);
    sea.takes[0].set(0);
    let meanwhile = all(1);
    for (was, is) in before.iter().zip(&meanwhile) {
        assert!(if was == "a/m" { is != "a/m" } else { is == was }, "{was} became {is}: only the dead one's move");
    }
    assert!(before.iter().zip(&meanwhile).any(|(was, is)| was == "a/m" && is == "b/m"), "they are spread");
    assert!(before.iter().zip(&meanwhile).any(|(was, is)| was == "a/m" && is == "c/m"), "over all that are left");
    sea.takes[0].set(100);
    sea.world.run_until(sea.world.elapsed() + Duration::from_secs(30));
    all(2);
    assert_eq!(all(3), before);
}

#[test]
fn a_limited_key_lends_its_conversations_to_the_other_keys() {
    let (sea, gateway) = (sea(), isolate());
    let openings: Vec<String> = (0..30).map(|number| format!("Question {number}")).collect();
    let all = |turns| {
        openings.iter().map(|opening| sea.asks(&gateway, &turn("kept-keys", opening, turns), &[]).1).collect::<Vec<_>>()
    };
    let before = all(0);
    assert_eq!(before.iter().collect::<BTreeSet<_>>().len(), 3);
    sea.limited.set("secret-2");
    for (was, is) in before.iter().zip(all(1)) {
        assert!(if was.ends_with("secret-2") { !is.ends_with("secret-2") } else { is == *was }, "{was} became {is}");
    }
    sea.limited.set("-");
    sea.world.run_until(sea.world.elapsed() + Duration::from_secs(60));
    assert_eq!(all(2), before);
}

#[test]
fn without_affinity_it_is_a_matter_of_lot_and_keys_are_as_listed() {
    let (sea, gateway) = (sea(), isolate());
    let body = turn("spread", "Hello", 0);
    let mut shares = BTreeMap::new();
    for _ in 0..1_000 {
        *shares.entry(sea.who(&gateway, &body)).or_insert(0) += 1;
    }
    let near = |target: &str, expected: i32| (expected - 50..expected + 50).contains(&shares[target]);
    assert!(near("a/m", 300) && near("b/m", 200) && near("c/m", 500), "{shares:?}");
    for _ in 0..20 {
        assert!(sea.asks(&gateway, &turn("keys", "Hello", 0), &[]).1.ends_with("secret-1"));
    }
}

#[test]
fn an_answer_is_found_again_whatever_the_order_was() {
    let (sea, gateway) = (sea(), isolate());
    let body = turn("stored", "Hello", 0);
    for _ in 0..50 {
        ask(&sea.world, &gateway, chat(&body, &[]));
    }
    assert_eq!(sea.world.calls.borrow().len(), 1);
}

/// Asks with as many conversations as it takes until both targets' latencies are known.
fn get_to_know(sea: &Sea, gateway: &Rc<Gateway>) {
    for _ in 0..40 {
        sea.who(gateway, &turn("quick", "Hello", 0));
    }
}

#[test]
fn the_faster_one_is_asked() {
    let (sea, gateway) = (sea(), isolate());
    sea.takes[0].set(900);
    get_to_know(&sea, &gateway);
    for _ in 0..20 {
        assert_eq!(sea.who(&gateway, &turn("quick", "Hello", 0)), "b/m");
    }
    // It changes its ways: what it takes is known after a while.
    sea.takes[1].set(5_000);
    for _ in 0..30 {
        sea.who(&gateway, &turn("quick", "Hello", 0));
    }
    assert_eq!(sea.who(&gateway, &turn("quick", "Hello", 0)), "a/m");
}

#[test]
fn a_conversation_stays_where_it_is_until_that_is_much_slower() {
    // All of it is quicker than the shortest slice of a deadline, so that nothing is cut off.
    let (sea, gateway) = (sea(), isolate());
    sea.takes[0].set(60);
    sea.takes[1].set(40);
    get_to_know(&sea, &gateway);
    let hello = |turns| turn("fast", "Hello", turns);
    assert_eq!(sea.who(&gateway, &hello(0)), "b/m");
    // Twice as slow: others go elsewhere, and this one stays.
    sea.takes[1].set(140);
    for _ in 0..40 {
        sea.who(&gateway, &turn("fast", "Hello", 1));
    }
    assert_eq!(sea.who(&gateway, &turn("fast", "Something else", 0)), "a/m");
    assert_eq!(sea.who(&gateway, &hello(2)), "b/m");
    // Four times. Others go on asking, so that it is known what the faster one takes.
    sea.takes[1].set(245);
    for _ in 0..200 {
        sea.who(&gateway, &hello(3));
        sea.who(&gateway, &turn("quick", "Hello", 0));
    }
    assert_eq!(sea.who(&gateway, &hello(4)), "a/m");
}

#[test]
fn a_pinned_target_that_dies_gives_way_and_does_not_get_the_conversation_back() {
    let (sea, gateway) = (sea(), isolate());
    get_to_know(&sea, &gateway);
    let hello = |turns| turn("fast", "Hello", turns);
    let first = sea.who(&gateway, &hello(0));
    let (dies, other) = if first == "a/m" { (0, "b/m") } else { (1, "a/m") };
    sea.takes[dies].set(0);
    for turns in 1..10 {
        assert_eq!(sea.who(&gateway, &hello(turns)), other);
    }
    let calls = sea.world.calls.borrow().len();
    sea.who(&gateway, &hello(10));
    assert_eq!(sea.world.calls.borrow().len(), calls + 1, "its circuit is open, and the other one is asked at once");
    // By now the other one has the prompt.
    sea.takes[dies].set(50);
    sea.world.run_until(sea.world.elapsed() + Duration::from_secs(60));
    assert_eq!(sea.who(&gateway, &hello(11)), other);
    // The one that came back is asked by others.
    let whom: BTreeSet<String> =
        (0..40).map(|number| sea.who(&gateway, &turn("fast", &format!("Question {number}"), 0))).collect();
    assert_eq!(whom.len(), 2, "{whom:?}");
    assert_eq!(sea.who(&gateway, &hello(12)), other);
    // Ten minutes later nothing is cached anywhere, and the conversation is as any other.
    sea.world.run_until(sea.world.elapsed() + Duration::from_secs(601));
    assert_eq!(sea.who(&gateway, &hello(13)), first);
}

#[test]
fn requests_are_told_in_the_status() {
    let (sea, gateway) = (sea(), isolate());
    sea.who(&gateway, &turn("shared", "Hello", 0));
    let now = breakwater::time::Timestamp::from_millis(world::DAWN) + sea.world.elapsed() + ms(0);
    let status: Value = serde_json::from_str(&gateway.status(now).unwrap()).unwrap();
    let nothing = json!({ "fallbacks": 0, "retries": 0, "hedges": 0 });
    let full = json!({ "balance": 50.0, "hedge_balance": 10.0, "withdrawn": nothing, "refused": nothing });
    assert_eq!(status["routes"][0]["budget"], full);
    assert_eq!(status["direct"]["budget"], full);
}
