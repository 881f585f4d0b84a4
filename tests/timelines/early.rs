//! Streams whose 200 is sent before anybody has answered.

use breakwater::http::Body;
use serde_json::Value;

use crate::pair::{body, last, said, world};
use crate::upstreams::{error, hangs, ms, says, tells};
use crate::world::{ask, chat, send};

const EARLY: &str = "early_headers = true\ndeadline = \"60s\"\nfirst_token = \"25s\"";

#[test]
fn the_head_does_not_wait_and_comments_keep_the_connection() {
    let (world, gateway) = world(EARLY, vec![hangs()], vec![tells(1, 1, &["B"])]);
    let response = send(&world, &gateway, chat(&body(true), &[]));
    assert_eq!(response.status, 200);
    assert!(world.elapsed() < ms(100), "{:?}", world.elapsed());
    assert_eq!(response.headers.get("content-type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(response.headers.get("x-breakwater-target"), None, "nobody has answered yet");
    let Body::Stream(received) = response.body else { panic!("a stream") };
    let text = || String::from_utf8(received.bytes.borrow().clone()).unwrap();
    world.run_until(ms(9_000));
    assert_eq!(text(), ": keep-alive\n\n".repeat(2));
    world.run_until(ms(24_000));
    assert_eq!(text(), ": keep-alive\n\n".repeat(5));
    world.run_until(ms(26_000));
    assert_eq!((said(&text(), "content").as_str(), last(&text())), ("B", "data: [DONE]"));
    assert!(received.ended.get().is_some());
    assert_eq!(world.open_calls(), 0);
}

#[test]
fn a_failure_is_an_error_event() {
    let rows = [("every target fails", error(1, 500, "x", "down"), "upstream_failed"), ("late", hangs(), "deadline_exceeded")];
    for (name, script, code) in rows {
        let (world, gateway) =
            world("early_headers = true\ndeadline = \"2s\"\nfirst_token = \"2s\"", vec![script.clone()], vec![script]);
        let (status, _, text) = ask(&world, &gateway, chat(&body(true), &[]));
        assert_eq!(status, 200, "{name}");
        let event: Value = serde_json::from_str(last(&text).strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(event["error"]["code"], code, "{name}: {text}");
        assert!(!text.contains("[DONE]"), "{name}");
        // The 200 was sent before there was a trace: this is where the calls are told.
        let attempts = event["error"]["attempts"].as_array().unwrap();
        let targets: Vec<&Value> = attempts.iter().map(|attempt| &attempt["target"]).collect();
        assert_eq!(targets.first(), Some(&&Value::from("a/one")), "{name}: {text}");
        assert_eq!(targets.len(), world.calls.borrow().len(), "{name}: {text}");
    }
}

#[test]
fn what_is_known_before_is_told_by_its_status() {
    let (world, gateway) = world(EARLY, vec![], vec![]);
    let nobody = body(true).replace("\"r\"", "\"nobody\"");
    for (body, status) in [("{", 400), (nobody.as_str(), 404)] {
        assert_eq!(ask(&world, &gateway, chat(body, &[])).0, status);
    }
}

#[test]
fn who_does_not_stream_waits_as_ever() {
    let (world, gateway) = world(EARLY, vec![says(5_000, "A")], vec![]);
    let (status, headers, _) = ask(&world, &gateway, chat(&body(false), &[]));
    assert_eq!((status, headers.get("x-breakwater-trace")), (200, Some("a/one;ok;5000ms")));
}

#[test]
fn an_answer_from_the_cache_and_a_whole_one_are_streamed() {
    let settings = format!("{EARLY}\ncache = \"1h\"");
    let (world, gateway) = world(&settings, vec![says(10, "at once")], vec![]);
    let (_, _, first) = ask(&world, &gateway, chat(&body(true), &[]));
    assert_eq!((said(&first, "content").as_str(), last(&first)), ("at once", "data: [DONE]"));
    world.run_until(world.elapsed() + ms(100));
    let (_, headers, second) = ask(&world, &gateway, chat(&body(true), &[]));
    assert_eq!(headers.get("x-breakwater-cache"), Some("hit"));
    assert_eq!((said(&second, "content").as_str(), last(&second)), ("at once", "data: [DONE]"));
}
