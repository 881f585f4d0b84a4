//! Targets that are left alone, and found again; retries.

use std::cell::RefCell;
use std::rc::Rc;

use crate::three::*;
use crate::upstreams::{error, ms, says};
use crate::world::{self, Post, World, ask, chat};
use serde_json::{Value, json};

#[test]
fn a_dead_target_is_left_alone_and_found_again() {
    let alive = Rc::new(RefCell::new(false));
    let (world, gateway) = world([vec![], vec![says(5, "B")], vec![]]);
    let switch = Rc::clone(&alive);
    *world.upstream.borrow_mut() = Box::new(move |sent| match sent.url.starts_with("http://a.test") {
        true if *switch.borrow() => says(5, "A"),
        true => error(5, 500, "x", "down"),
        false => says(5, "B"),
    });
    let target = |world: &Rc<World>| {
        let (_, headers, _) = ask(world, &gateway, chat(&body("pair", false), &[]));
        outcomes(headers.get("x-breakwater-trace").unwrap())
    };
    for _ in 0..5 {
        assert_eq!(target(&world), ["a/one;server_error", "b/two;ok"]);
    }
    // Five in a row: it is open, and nothing is sent to it.
    let opened = world.elapsed();
    while world.elapsed() < opened + ms(9_900) {
        assert_eq!(target(&world), ["b/two;ok"]);
        world.run_until(world.elapsed() + ms(300));
    }
    assert_eq!(circuit(&status(&world, &gateway), "a", "model", "one")["state"], "open");
    // The cooldown and its jitter are over: one probe, which fails; the next cooldown is twice as long.
    world.run_until(opened + ms(11_100));
    assert_eq!(target(&world), ["a/one;server_error", "b/two;ok"]);
    assert_eq!(target(&world), ["b/two;ok"]);
    *alive.borrow_mut() = true;
    world.run_until(world.elapsed() + ms(19_900));
    assert_eq!(target(&world), ["b/two;ok"]);
    world.run_until(world.elapsed() + ms(2_200));
    assert_eq!(target(&world), ["a/one;ok"]);
    assert_eq!(target(&world), ["a/one;ok"]);
    let model = circuit(&status(&world, &gateway), "a", "model", "one");
    assert_eq!((model["state"].as_str(), model["failures_in_a_row"].as_u64()), (Some("closed"), Some(0)));
}

#[test]
fn with_every_circuit_open_the_client_is_told_when_to_come_back() {
    let (world, gateway) = world([vec![error(5, 500, "x", "down")], vec![], vec![]]);
    for _ in 0..5 {
        assert_eq!(ask(&world, &gateway, chat(&body("alone", false), &[])).0, 502);
    }
    let (status, headers, text) = ask(&world, &gateway, chat(&body("alone", false), &[]));
    let error: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, error["error"]["code"].as_str()), (503, Some("circuit_open")));
    assert_eq!(error["error"]["attempts"], json!([]));
    let after: u64 = headers.get("retry-after").unwrap().parse().unwrap();
    assert!((10..=11).contains(&after), "{after}");
    assert_eq!(headers.get("x-should-retry"), Some("true"));
    assert_eq!(world.calls.borrow().len(), 5);
}

#[test]
fn an_open_circuit_outlives_isolates_and_evictions() {
    let (world, first) = world([vec![error(5, 500, "x", "down")], vec![says(5, "B")], vec![]]);
    for _ in 0..5 {
        ask(&world, &first, chat(&body("pair", false), &[]));
    }
    world.run_until(world.elapsed() + ms(1_000));
    world.evict_objects();
    let second = world::gateway(THREE, &[]);
    let (_, headers, _) = ask(&world, &second, chat(&body("pair", false), &[]));
    assert_eq!(outcomes(headers.get("x-breakwater-trace").unwrap()), ["b/two;ok"], "a new isolate asks before it calls");
}

#[test]
fn an_object_that_cannot_be_reached_stops_nobody() {
    let (world, gateway) = world([vec![error(5, 500, "x", "down")], vec![says(5, "B")], vec![]]);
    *world.post.borrow_mut() = Box::new(|_| Post::Lost(ms(30_000)));
    let begun = world.elapsed();
    ask(&world, &gateway, chat(&body("pair", false), &[]));
    assert_eq!(world.elapsed().saturating_sub(begun), ms(50 + 10), "it is waited for no longer than its 50 ms");
    for _ in 0..4 {
        ask(&world, &gateway, chat(&body("pair", false), &[]));
    }
    // The isolate goes by what it has seen itself.
    let (_, headers, _) = ask(&world, &gateway, chat(&body("pair", false), &[]));
    assert_eq!(outcomes(headers.get("x-breakwater-trace").unwrap()), ["b/two;ok"]);
    // And lets a probe through by itself when the cooldown is over.
    world.run_until(world.elapsed() + ms(60_000));
    *world.post.borrow_mut() = Box::new(|_| Post::Lost(ms(5)));
    let (_, headers, _) = ask(&world, &gateway, chat(&body("pair", false), &[]));
    assert_eq!(outcomes(headers.get("x-breakwater-trace").unwrap()), ["a/one;server_error", "b/two;ok"]);
}

#[test]
fn retries_stay_with_the_target_and_within_their_number() {
    let (world, gateway) = world([vec![error(5, 500, "x", "no"), error(5, 500, "x", "no"), says(5, "A")], vec![], vec![]]);
    let (status, headers, _) = ask(&world, &gateway, chat(&body("retried", false), &[]));
    assert_eq!(status, 200);
    assert_eq!(outcomes(headers.get("x-breakwater-trace").unwrap()), ["a/one;server_error", "a/one;server_error", "a/one;ok"]);
}
