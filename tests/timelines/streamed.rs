//! Streams: what the client gets of good ones and bad ones.

use crate::three::*;
use crate::upstreams::{chunk, error_body, events, hangs, says, streams, tells};
use crate::world::{ask, chat};
use breakwater::runtime::{Ending, Script};
use serde_json::{Value, json};

#[test]
fn streamed_timelines() {
    struct Row {
        name: &'static str,
        scripts: [Vec<Script>; 3],
        status: u16,
        text: &'static str,
        /// The last frame.
        last: &'static str,
        trace: &'static [&'static str],
    }
    let row = |name, scripts, status, text, last, trace| Row { name, scripts, status, text, last, trace };
    let none = Vec::new;
    let role = || vec![chunk(&json!({ "role": "assistant", "content": "" }), None)];
    let said = |words: &[&str]| events(words)[..=words.len()].to_vec();
    let done = "data: [DONE]";
    let failed = "upstream_failed";
    let rows = [
        row("a complete stream", [vec![tells(100, 10, &["A", "B"])], none(), none()], 200, "AB", done, &["a/one;ok"]),
        row(
            "hangs before headers",
            [vec![hangs()], vec![tells(1, 1, &["B"])], none()],
            200,
            "B",
            done,
            &["a/one;first_token_timeout", "b/two;ok"],
        ),
        row(
            "headers, then silence",
            [vec![streams(0, 0, vec![], Ending::Hang)], vec![tells(1, 1, &["B"])], none()],
            200,
            "B",
            done,
            &["a/one;first_token_timeout", "b/two;ok"],
        ),
        row(
            "a role, then silence",
            [vec![streams(0, 0, role(), Ending::Hang)], vec![tells(1, 1, &["B"])], none()],
            200,
            "B",
            done,
            &["a/one;first_token_timeout", "b/two;ok"],
        ),
        row(
            "pings are no content",
            [vec![streams(0, 500, vec![": ping\n\n".to_owned(); 20], Ending::Hang)], vec![tells(1, 1, &["B"])], none()],
            200,
            "B",
            done,
            &["a/one;first_token_timeout", "b/two;ok"],
        ),
        row(
            "a role, then the end",
            [vec![streams(0, 0, role(), Ending::Eof)], vec![tells(1, 1, &["B"])], none()],
            200,
            "B",
            done,
            &["a/one;empty", "b/two;ok"],
        ),
        row(
            "a role, then a cut",
            [vec![streams(0, 0, role(), Ending::Cut)], vec![tells(1, 1, &["B"])], none()],
            200,
            "B",
            done,
            &["a/one;cut", "b/two;ok"],
        ),
        row(
            "an error before content",
            [
                vec![streams(0, 0, vec![format!("data: {}\n\n", error_body("x", "no"))], Ending::Eof)],
                vec![tells(1, 1, &["B"])],
                none(),
            ],
            200,
            "B",
            done,
            &["a/one;error_in_body", "b/two;ok"],
        ),
        row(
            "not a stream",
            [vec![streams(0, 0, vec!["<html>\n\n".to_owned()], Ending::Eof)], vec![tells(1, 1, &["B"])], none()],
            200,
            "B",
            done,
            &["a/one;empty", "b/two;ok"],
        ),
        row(
            "garbage for an event",
            [vec![streams(0, 0, vec!["data: {nope\n\n".to_owned()], Ending::Hang)], vec![tells(1, 1, &["B"])], none()],
            200,
            "B",
            done,
            &["a/one;garbage", "b/two;ok"],
        ),
        row(
            "all at once, though a stream was asked for",
            [vec![says(5, "whole")], none(), none()],
            200,
            "whole",
            done,
            &["a/one;ok"],
        ),
        row(
            "cut after content",
            [vec![streams(0, 1, said(&["A", "B"]), Ending::Cut)], none(), none()],
            200,
            "AB",
            failed,
            &["a/one;ok"],
        ),
        row(
            "ends without its terminator",
            [vec![streams(0, 1, said(&["A", "B"]), Ending::Eof)], none(), none()],
            200,
            "AB",
            failed,
            &["a/one;ok"],
        ),
        row(
            "stalls after content",
            [vec![streams(0, 1, said(&["A", "B"]), Ending::Hang)], none(), none()],
            200,
            "AB",
            failed,
            &["a/one;ok"],
        ),
        row(
            "an error event after content",
            [
                vec![streams(
                    0,
                    1,
                    [
                        said(&["A"]),
                        vec![format!("data: {}\n\n", error_body("tool_use_failed", "bad call"))],
                        vec![done.to_owned() + "\n\n"],
                    ]
                    .concat(),
                    Ending::Eof,
                )],
                none(),
                none(),
            ],
            200,
            "A",
            "tool_use_failed",
            &["a/one;ok"],
        ),
        row(
            "half a frame, then a cut",
            [
                vec![streams(
                    0,
                    1,
                    [said(&["A"]), vec!["data: {\"choices\":[{\"delta\":{\"con".to_owned()]].concat(),
                    Ending::Cut,
                )],
                none(),
                none(),
            ],
            200,
            "A",
            failed,
            &["a/one;ok"],
        ),
        row(
            "longer than max_duration",
            [vec![streams(0, 2_000, vec![chunk(&json!({ "content": "x" }), None); 100], Ending::Hang)], none(), none()],
            200,
            "",
            "deadline_exceeded",
            &["a/one;ok"],
        ),
    ];
    for Row { name, scripts, status, text, last, trace } in rows {
        let (world, gateway) = world(scripts);
        let (got, headers, stream) = ask(&world, &gateway, chat(&body("pair", true), &[]));
        assert_eq!(got, status, "{name}: {stream}");
        assert!(headers.get("content-type").unwrap().starts_with("text/event-stream"), "{name}");
        assert_eq!(outcomes(headers.get("x-breakwater-trace").unwrap()), trace, "{name}");
        if !text.is_empty() {
            assert_eq!(text_of(&stream), text, "{name}");
        }
        let frames: Vec<&str> = stream.split("\n\n").filter(|frame| !frame.trim().is_empty()).collect();
        assert!(frames.last().unwrap().contains(last), "{name}: {:?}", frames.last());
        // What is not complete must not look so.
        assert_eq!(stream.contains("[DONE]"), last == done, "{name}");
        for frame in &frames {
            let data = frame.strip_prefix("data: ").unwrap_or_else(|| panic!("{name}: {frame}"));
            assert!(data == "[DONE]" || serde_json::from_str::<Value>(data).is_ok(), "{name}: {frame}");
        }
        assert_eq!(world.open_calls(), 0, "{name}: a call was left open");
    }
}
