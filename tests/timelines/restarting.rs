//! Streams that break off after they were committed, and begin anew with another target.

use breakwater::runtime::{Ending, Script};
use serde_json::json;

use crate::pair::{body, counts, last, said, world};
use crate::three::calls;
use crate::upstreams::{chunk, error, error_body, streams, tells};
use crate::world::{ask, chat};

fn thinks() -> Vec<String> {
    let role = chunk(&json!({ "role": "assistant", "content": "" }), None);
    let thought = |text: &str| chunk(&json!({ "reasoning_content": text }), None);
    vec![role, thought("Let me"), thought(" think")]
}

fn thinks_and(more: Vec<String>, ending: Ending) -> Script {
    streams(10, 10, [thinks(), more].concat(), ending)
}

#[test]
fn as_long_as_only_reasoning_was_shown_another_target_goes_on() {
    let inside = || vec![format!("data: {}\n\n", error_body("x", "no"))];
    for (name, script) in [
        ("cut", thinks_and(vec![], Ending::Cut)),
        ("an end without a terminator", thinks_and(vec![], Ending::Eof)),
        ("a stall", thinks_and(vec![], Ending::Hang)),
        ("an error event", thinks_and(inside(), Ending::Hang)),
        ("garbage", thinks_and(vec!["data: {nope\n\n".to_owned()], Ending::Hang)),
    ] {
        let (world, gateway) = world("on_cut = \"restart\"", vec![script], vec![tells(1, 1, &["B", "!"])]);
        let (status, headers, stream) = ask(&world, &gateway, chat(&body(true), &[]));
        assert_eq!(status, 200, "{name}");
        assert_eq!(headers.get("x-breakwater-target"), Some("a/one"), "{name}: as it was when the head was sent");
        assert_eq!(said(&stream, "reasoning_content"), "Let me think", "{name}");
        assert_eq!((said(&stream, "content").as_str(), last(&stream)), ("B!", "data: [DONE]"), "{name}: {stream}");
        assert!(!stream.contains("error"), "{name}: {stream}");
        assert_eq!(counts(&world, &gateway, 0).1, 1, "{name}: the failure counts");
        assert_eq!(world.open_calls(), 0, "{name}");
    }
}

#[test]
fn an_answer_that_was_begun_is_never_begun_anew() {
    let spoken = || thinks_and(vec![chunk(&json!({ "content": "It is" }), None)], Ending::Cut);
    for (name, settings, script) in [
        ("content was shown", "on_cut = \"restart\"", spoken()),
        ("not asked for", "on_cut = \"error\"", thinks_and(vec![], Ending::Cut)),
        ("nor by default", "", thinks_and(vec![], Ending::Cut)),
    ] {
        let (world, gateway) = world(settings, vec![script], vec![]);
        let (_, _, stream) = ask(&world, &gateway, chat(&body(true), &[]));
        assert!(last(&stream).starts_with(r#"data: {"error""#), "{name}: {stream}");
        assert!(!stream.contains("[DONE]"), "{name}");
        assert_eq!(calls(&world).len(), 1, "{name}");
    }
}

#[test]
fn where_nobody_can_go_on_the_stream_ends_with_its_own_error() {
    let cut = || thinks_and(vec![], Ending::Cut);
    for (name, settings, other) in [
        ("the other fails", "on_cut = \"restart\"", error(1, 500, "x", "down")),
        ("the other breaks off too", "on_cut = \"restart\"", cut()),
    ] {
        let (world, gateway) = world(settings, vec![cut()], vec![other]);
        let (status, _, stream) = ask(&world, &gateway, chat(&body(true), &[]));
        assert_eq!(status, 200, "{name}");
        assert!(last(&stream).contains("ended before it was complete"), "{name}: {stream}");
        assert_eq!(calls(&world).len(), 2, "{name}: nobody is asked twice");
    }
}

#[test]
fn nothing_begins_anew_after_the_deadline() {
    let (world, gateway) = world(
        "on_cut = \"restart\"\ndeadline = \"2s\"",
        vec![streams(10, 900, [thinks(), thinks()].concat(), Ending::Cut)],
        vec![],
    );
    let (_, _, stream) = ask(&world, &gateway, chat(&body(true), &[]));
    assert!(last(&stream).contains("ended before it was complete"), "{stream}");
    assert_eq!(calls(&world).len(), 1);
}

#[test]
fn with_an_early_head_too() {
    let settings = "on_cut = \"restart\"\nearly_headers = true";
    let (world, gateway) = world(settings, vec![thinks_and(vec![], Ending::Cut)], vec![tells(1, 1, &["B"])]);
    let (_, _, stream) = ask(&world, &gateway, chat(&body(true), &[]));
    assert!(stream.starts_with(": keep-alive\n\n"));
    assert_eq!((said(&stream, "content").as_str(), last(&stream)), ("B", "data: [DONE]"));
}
