//! Answers from the cache, and into it.

use std::time::Duration;

use crate::three::*;
use crate::upstreams::{completion, error, events, ms, refuses, says, streams, tells};
use crate::world::{ask, chat};
use breakwater::runtime::Ending;
use serde_json::Value;

#[test]
fn one_entry_serves_streams_and_whole_answers() {
    for first_streams in [false, true] {
        let script = if first_streams { tells(5, 1, &["Hel", "lo"]) } else { says(5, "Hello") };
        let (world, gateway) = world([vec![script, refuses(1)], vec![], vec![]]);
        let (_, headers, _) = ask(&world, &gateway, chat(&body("kept", first_streams), &[]));
        assert_eq!(headers.get("x-breakwater-cache"), Some("miss"));
        world.run_until(world.elapsed() + ms(2_000));
        for stream in [false, true] {
            let (status, headers, text) = ask(&world, &gateway, chat(&body("kept", stream), &[]));
            assert_eq!((status, headers.get("x-breakwater-cache"), headers.get("age")), (200, Some("hit"), Some("2")));
            assert_eq!(headers.get("x-breakwater-target"), Some("a/one"));
            let said = if stream {
                text_of(&text)
            } else {
                serde_json::from_str::<Value>(&text).unwrap()["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
            };
            assert_eq!(said, "Hello");
            assert_eq!(text.contains("[DONE]"), stream);
        }
        assert_eq!(world.calls.borrow().len(), 1);
    }
}

#[test]
fn a_stale_answer_is_better_than_none() {
    let (world, gateway) = world([vec![says(5, "old"), refuses(1)], vec![refuses(1)], vec![]]);
    ask(&world, &gateway, chat(&body("kept", false), &[]));
    world.run_until(world.elapsed() + Duration::from_secs(90));
    let rows: &[(&[(&'static str, &str)], u16, Option<&str>)] = &[
        (&[], 200, Some("stale")),
        (&[("cache-control", "no-cache")], 502, Some("miss")),
        (&[("cache-control", "no-store")], 502, Some("bypass")),
        (&[("cache-control", "max-age=10")], 502, Some("miss")),
        (&[("cache-control", "only-if-cached")], 504, None),
    ];
    for (headers, expected, cache) in rows {
        let (status, got, _) = ask(&world, &gateway, chat(&body("kept", false), headers));
        assert_eq!((status, got.get("x-breakwater-cache")), (*expected, *cache), "{headers:?}");
        if *cache == Some("stale") {
            assert_eq!(got.get("age"), Some("90"));
        }
    }
}

#[test]
fn only_what_is_complete_is_stored() {
    let half = || streams(0, 1, events(&["A", "B"])[..2].to_vec(), Ending::Cut);
    let rows = [
        ("an error", false, error(1, 400, "x", "no")),
        ("a cut stream", true, half()),
        (
            "a filtered answer",
            false,
            crate::upstreams::json(1, 200, &completion("A").replace("\"stop\"", "\"content_filter\"")),
        ),
        (
            "an answer without a finish reason",
            false,
            crate::upstreams::json(1, 200, &completion("A").replace("\"stop\"", "null")),
        ),
    ];
    for (name, stream, script) in rows {
        let (world, gateway) = world([vec![script], vec![], vec![]]);
        ask(&world, &gateway, chat(&body("kept", stream), &[]));
        assert!(world.stored.borrow().is_empty(), "{name}");
    }
}

#[test]
fn usage_is_asked_for_on_the_caches_account_and_hidden_from_who_did_not_ask() {
    let mut all = events(&["Hello"]);
    let usage = r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[],"usage":{"total_tokens":3}}"#;
    all.insert(3, format!("{usage}\n\n"));
    let (world, gateway) = world([vec![streams(1, 1, all, Ending::Eof)], vec![], vec![]]);
    let (_, _, stream) = ask(&world, &gateway, chat(&body("kept", true), &[]));
    assert!(!stream.contains("total_tokens") && stream.ends_with("data: [DONE]\n\n"), "{stream}");
    assert!(world.calls.borrow()[0].sent.body.contains(r#""stream_options":{"include_usage":true}"#));
    let (_, headers, whole) = ask(&world, &gateway, chat(&body("kept", false), &[]));
    assert_eq!(headers.get("x-breakwater-cache"), Some("hit"));
    assert_eq!(serde_json::from_str::<Value>(&whole).unwrap()["usage"]["total_tokens"], 3);
}
