//! What holds for every request: nothing outlives it, what is asked for is heeded, what passes through is not touched.

use std::rc::Rc;

use crate::three::*;
use crate::upstreams::{chunk, completion, hangs, ms, refuses, says, streams, tells};
use crate::world::{self, Virtual, World, ask, chat};
use breakwater::gateway::{self};
use breakwater::http::Body;
use breakwater::runtime::Ending;
use serde_json::json;

#[test]
fn an_abandoned_call_is_aborted_at_the_moment_it_is_abandoned() {
    let (world, gateway) = world([vec![hangs()], vec![streams(0, 0, vec![], Ending::Hang)], vec![tells(50, 10, &["C"])]]);
    ask(&world, &gateway, chat(&body("all", true), &[]));
    // Ten milliseconds for the breakers, two seconds for each first token, then the third target to its end.
    let expected = [('a', 10, Some(2_010), false), ('b', 2_010, Some(4_010), false), ('c', 4_010, Some(4_091), false)];
    let calls = calls(&world);
    assert_eq!(calls[..2], expected[..2]);
    assert_eq!((calls[2].0, calls[2].1), ('c', 4_010));
    assert_eq!(world.open_calls(), 0);
}

#[test]
fn a_client_that_leaves_ends_its_calls_at_once() {
    for (name, stream, script, leaves) in [
        ("before the headers", false, hangs(), 1_000),
        ("before the headers of a stream", true, hangs(), 1_000),
        ("before the first content", true, streams(0, 0, vec![], Ending::Hang), 1_500),
        (
            "in the middle of a stream",
            true,
            streams(0, 100, vec![chunk(&json!({ "content": "x" }), None); 50], Ending::Hang),
            2_345,
        ),
    ] {
        let (world, gateway) = world([vec![script], vec![], vec![]]);
        let runtime = Virtual::new(&world, Some(ms(leaves)));
        let response = world.block_on(gateway::handle(Rc::clone(&gateway), runtime, chat(&body("pair", stream), &[])));
        if let Body::Stream(received) = response.body {
            world.run_until(ms(20_000));
            assert!(!String::from_utf8_lossy(&received.bytes.borrow()).contains("[DONE]"), "{name}");
        }
        let calls = calls(&world);
        assert_eq!(calls.len(), 1, "{name}: nobody else is asked");
        assert_eq!(calls[0].2, Some(leaves), "{name}");
        // It was the client who left: nobody is to blame for it.
        let status = status(&world, &gateway);
        assert_eq!(circuit(&status, "a", "model", "one")["since_start"]["failed"], 0, "{name}");
    }
}

#[test]
fn what_the_client_asks_for_can_only_shorten() {
    let rows: &[(&str, bool, &[(&'static str, &str)], u64)] = &[
        ("a shorter deadline", false, &[("x-breakwater-deadline-ms", "1000")], 1_000),
        ("a longer deadline", false, &[("x-breakwater-deadline-ms", "100000")], 10_000),
        ("a shorter first token", true, &[("x-breakwater-first-token-ms", "300")], 300),
        ("a longer first token", true, &[("x-breakwater-first-token-ms", "9000")], 2_000),
    ];
    for (name, stream, headers, expected) in rows {
        let (world, gateway) = world([vec![hangs()], vec![], vec![]]);
        ask(&world, &gateway, chat(&body("alone", *stream), headers));
        let (_, began, ended, _) = calls(&world)[0];
        let cold = if *stream { 0 } else { began };
        assert_eq!(ended.unwrap() - began + cold, *expected, "{name}");
    }
}

#[test]
fn a_chain_of_models_is_asked_in_its_order_and_does_not_go_upstream() {
    let (world, gateway) = world([vec![refuses(1)], vec![refuses(1)], vec![says(1, "C")]]);
    let asked = r#"{"models": ["b/x", "alone", "c/y", "b/x"], "messages": [], "future_field": 1e400, "temperature":0.10}"#;
    let (status, headers, _) = ask(&world, &gateway, chat(asked, &[]));
    assert_eq!(status, 200);
    assert_eq!(outcomes(headers.get("x-breakwater-trace").unwrap()), ["b/x;connect_failed", "a/one;connect_failed", "c/y;ok"]);
    assert_eq!(
        world.calls.borrow()[2].sent.body,
        r#"{"model":"y","messages":[],"future_field":1e400,"temperature":0.10}"#,
        "numbers and unknown fields go up as they came"
    );
}

#[test]
fn what_passes_through_is_not_touched() {
    let answer =
        completion("A").replace("\"created\":1", "\"created\": 1.0, \"future\":{\"n\":123456789012345678901234567890}");
    let (world, gateway) = world([vec![crate::upstreams::json(1, 200, &answer)], vec![], vec![]]);
    let asked = " {\"messages\" : [ ],\t\"model\":\"alone\", \"seed\": 12345678901234567890123, \"x\":\"\\u00e9\" } ";
    let headers = [
        ("authorization", "Bearer client"),
        ("cookie", "a=b"),
        ("x-breakwater-anything", "1"),
        ("x-forwarded-for", "1.2.3.4"),
        ("cf-ray", "1"),
        ("openai-project", "p"),
        ("idempotency-key", "k"),
    ];
    let (_, _, text) = ask(&world, &gateway, chat(asked, &headers));
    assert_eq!(text, answer);
    let calls = world.calls.borrow();
    let sent = &calls[0].sent;
    assert_eq!(sent.body, asked.replace("\"alone\"", "\"one\""));
    let names: Vec<&str> = sent.headers.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["content-type", "accept", "openai-project", "idempotency-key"]);
}

#[test]
fn the_time_is_told_where_that_is_turned_on() {
    for (setting, told) in [("", None), ("server_timing = true", Some("cache;dur=10, upstream;dur=30, total;dur=40"))] {
        let config = format!("[defaults]\n{setting}\n[providers.a]\npreset = \"vllm\"\n[routes.one]\ntargets = [\"a/m\"]");
        let world = World::new(1);
        *world.upstream.borrow_mut() = Box::new(|_| says(30, "hi"));
        let gateway = world::gateway(&config, &[]);
        let (status, headers, _) = ask(&world, &gateway, chat(&body("one", false), &[]));
        assert_eq!((status, headers.get("server-timing")), (200, told));
    }
}
