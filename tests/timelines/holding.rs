//! Streams that are held back beyond their first content.

use breakwater::runtime::{Ending, Script};
use serde_json::json;

use crate::pair::{body, counts, last, said, world};
use crate::upstreams::{chunk, error_body, events, streams, tells};
use crate::world::{ask, chat};

fn words(count: usize) -> Vec<String> {
    (0..count).map(|at| chunk(&json!({ "content": format!("word{} ", at % 10) }), None)).collect()
}

fn broken(count: usize, pace: u64, ending: Ending) -> Script {
    streams(10, pace, words(count), ending)
}

#[test]
fn a_failure_within_the_window_is_unseen() {
    // Each word is six characters, two tokens by rule of thumb: the window of 20 tokens is 13 or 14 words.
    let tokens = "hold = \"20 tokens\"";
    let time = "hold = \"500ms\"";
    let inside = [words(2), vec![format!("data: {}\n\n", error_body("x", "no"))]].concat();
    let rows: Vec<(&str, &str, Script, &str, &str)> = vec![
        ("a cut within so many tokens", tokens, broken(5, 10, Ending::Cut), "a/one;cut", "B"),
        ("an end without a terminator", tokens, broken(5, 10, Ending::Eof), "a/one;cut", "B"),
        ("silence", tokens, broken(5, 10, Ending::Hang), "a/one;stalled", "B"),
        ("an error event", tokens, streams(10, 10, inside, Ending::Hang), "a/one;error_in_body", "B"),
        ("a cut within a time", time, broken(5, 50, Ending::Cut), "a/one;cut", "B"),
        ("without a window it is seen", "", broken(5, 10, Ending::Cut), "a/one;ok", "word0 word1 word2 word3 word4 "),
        ("beyond the tokens it is seen", tokens, broken(20, 10, Ending::Cut), "a/one;ok", "word0 word1"),
        ("beyond the time it is seen", time, broken(20, 50, Ending::Cut), "a/one;ok", "word0 word1"),
    ];
    for (name, settings, script, trace, text) in rows {
        let (world, gateway) = world(settings, vec![script], vec![tells(1, 1, &["B"])]);
        let (status, headers, stream) = ask(&world, &gateway, chat(&body(true), &[]));
        assert_eq!(status, 200, "{name}");
        assert!(headers.get("x-breakwater-trace").unwrap().starts_with(trace), "{name}: {headers:?}");
        assert!(said(&stream, "content").starts_with(text), "{name}: {stream}");
        let complete = trace != "a/one;ok";
        assert_eq!(last(&stream) == "data: [DONE]", complete, "{name}: {stream}");
        assert_eq!(counts(&world, &gateway, 0).1, 1, "{name}: the model is to blame, seen or not");
    }
}

#[test]
fn a_time_window_ends_by_the_clock() {
    let slow = [vec![chunk(&json!({ "content": "A" }), None)], events(&["later"])[2..].to_vec()].concat();
    let (world, gateway) = world("hold = \"500ms\"", vec![streams(100, 2_000, slow, Ending::Eof)], vec![]);
    let response = crate::world::send(&world, &gateway, chat(&body(true), &[]));
    // Ten milliseconds for the breakers, one for the headers, a hundred for the content, and the window.
    assert_eq!(world.elapsed().as_millis(), 10 + 101 + 500);
    assert_eq!(response.headers.get("x-breakwater-trace"), Some("a/one;ok;601ms"));
}

#[test]
fn what_is_complete_is_not_held() {
    let (world, gateway) = world("hold = \"5s\"", vec![tells(10, 1, &["A", "B"])], vec![]);
    let (_, _, stream) = ask(&world, &gateway, chat(&body(true), &[]));
    assert_eq!((said(&stream, "content").as_str(), last(&stream)), ("AB", "data: [DONE]"));
    assert!(world.elapsed().as_millis() < 200, "{:?}", world.elapsed());
}
