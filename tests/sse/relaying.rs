//! The truth about a stream's end: only its provider's terminator makes it complete, and everything else ends with an error event.

use breakwater::dialect::Dialect;
use breakwater::runtime::{End, Step, Tap};
use breakwater::secret::{Hidden, Secret};
use breakwater::stream::{Ending, Held, Hold};
use serde_json::{Value, json};

use super::client::relay;

const TEXT: &str = r#"{"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}"#;
const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const DONE: &str = "data: [DONE]\n\n";

fn committed(finish_is_enough: bool) -> Hold {
    let mut hold = Hold::new(Dialect::Chat, finish_is_enough);
    assert!(matches!(hold.feed(format!("data: {TEXT}\n\n").as_bytes()), Held::Commit(_)));
    hold
}

fn frame(data: &str) -> String {
    format!("data: {data}\n\n")
}

/// The client's bytes, the error object at their end if there is one, and how the stream ended.
fn relayed(chunks: &[&str], end: End, finish_is_enough: bool) -> (String, Option<Value>, Ending) {
    let (mut relay, ending) = relay(committed(finish_is_enough));
    let mut sent = String::new();
    let mut is_over = false;
    for chunk in chunks {
        let (bytes, over) = match relay.chunk(chunk.as_bytes()) {
            Step::Pass => (chunk.as_bytes().to_vec(), false),
            Step::Replace(bytes) => (bytes, false),
            Step::Finish(bytes) | Step::Abort(bytes) => (bytes, true),
            Step::Leave => panic!("nobody goes on in its stead"),
        };
        sent += std::str::from_utf8(&bytes).unwrap();
        is_over = over;
        if over {
            break;
        }
    }
    if !is_over {
        sent += std::str::from_utf8(&relay.end(end).unwrap()).unwrap();
    }
    let error = sent.rsplit_once("data: {\"error\":").map(|(before, _)| before.len());
    let error = error.map(|at| {
        let event = sent.split_off(at);
        let event = event.strip_prefix("data: ").and_then(|event| event.strip_suffix("\n\n")).unwrap();
        serde_json::from_str::<Value>(event).expect("an error event is well formed and the last")["error"].clone()
    });
    (sent, error, ending.get().unwrap())
}

fn code(error: Option<&Value>) -> Option<&str> {
    error.map(|error| error["code"].as_str().unwrap_or("none"))
}

#[test]
fn every_ending() {
    let whole = [frame(TEXT), frame(STOP)].concat();
    let failed = Some("upstream_failed");
    let rows: Vec<(&str, Vec<String>, End, bool, (String, Option<&str>, Ending))> = vec![
        ("the terminator", vec![whole.clone(), DONE.into()], End::Eof, false, (whole.clone() + DONE, None, Ending::Complete)),
        ("in one chunk", vec![whole.clone() + DONE], End::Eof, false, (whole.clone() + DONE, None, Ending::Complete)),
        (
            "nothing behind it",
            vec![whole.clone() + DONE + &frame(TEXT)],
            End::Eof,
            false,
            (whole.clone() + DONE, None, Ending::Complete),
        ),
        (
            "the terminator without its blank line",
            vec![whole.clone() + "data: [DONE]"],
            End::Eof,
            false,
            (whole.clone() + DONE, None, Ending::Complete),
        ),
        ("none", vec![whole.clone()], End::Eof, false, (frame(TEXT), failed, Ending::Cut)),
        (
            "none, where a finish reason is enough",
            vec![whole.clone()],
            End::Eof,
            true,
            (whole.clone() + DONE, None, Ending::Complete),
        ),
        ("no finish reason either", vec![frame(TEXT)], End::Eof, true, (frame(TEXT), failed, Ending::Cut)),
        (
            "a finish reason without its blank line, where it is enough",
            vec![format!("data: {STOP}")],
            End::Eof,
            true,
            (frame(STOP) + DONE, None, Ending::Complete),
        ),
        ("broken behind a finish reason", vec![whole.clone()], End::Cut, true, (frame(TEXT), failed, Ending::Cut)),
        ("broken within a frame", vec![frame(TEXT) + "data: {\"choi"], End::Cut, false, (frame(TEXT), failed, Ending::Cut)),
        ("ended within a frame", vec![frame(TEXT) + "data: {\"choi"], End::Eof, false, (frame(TEXT), failed, Ending::Cut)),
        ("ended within a terminator", vec![frame(TEXT) + "data: [DON"], End::Eof, false, (frame(TEXT), failed, Ending::Cut)),
        (
            "broken behind a terminator's line",
            vec!["data: [DONE]\n".into()],
            End::Cut,
            false,
            (String::new(), failed, Ending::Cut),
        ),
        ("silence", vec![frame(TEXT)], End::Silence, false, (frame(TEXT), failed, Ending::Stalled)),
        ("our limit", vec![frame(TEXT)], End::Overlong, false, (frame(TEXT), Some("deadline_exceeded"), Ending::Overlong)),
        ("the client left", vec![frame(TEXT)], End::ClientGone, false, (frame(TEXT), None, Ending::ClientGone)),
        (
            "ended behind a frame's first word",
            vec![frame(TEXT) + "data: "],
            End::Eof,
            false,
            (frame(TEXT), failed, Ending::Cut),
        ),
        (
            "garbage",
            vec![frame(TEXT) + &frame("<html>") + &frame(TEXT)],
            End::Eof,
            false,
            (frame(TEXT), failed, Ending::Garbage),
        ),
        (
            "an error",
            vec![frame(TEXT), frame(r#"{"error":{"message":"m","type":"t","code":"c","param":"p"}}"#), DONE.into()],
            End::Eof,
            false,
            (frame(TEXT), Some("c"), Ending::ErrorEvent),
        ),
        (
            "an error beside a finish reason, as OpenRouter has it",
            vec![frame(r#"{"error":{"code":502,"message":"m"},"choices":[{"delta":{"content":""},"finish_reason":"error"}]}"#)],
            End::Eof,
            true,
            (String::new(), Some("502"), Ending::ErrorEvent),
        ),
        (
            "comments pass",
            vec![": ping\n\n".into(), whole.clone() + DONE],
            End::Eof,
            false,
            (": ping\n\n".to_owned() + &whole + DONE, None, Ending::Complete),
        ),
    ];
    for (name, chunks, end, enough, (sent, told, ending)) in rows {
        let chunks: Vec<&str> = chunks.iter().map(String::as_str).collect();
        let got = relayed(&chunks, end, enough);
        assert_eq!((got.0, code(got.1.as_ref()), got.2), (sent, told, ending), "{name}");
        assert!(got.1.is_none_or(|error| error["message"].as_str().is_some_and(|message| !message.is_empty())), "{name}");
    }
}

/// A provider's words go down as they are, but for the key that it was given.
#[test]
fn an_error_event_in_the_providers_words() {
    let (relay, ending) = relay(committed(false));
    let mut relay = relay.hiding(Hidden::new([Secret::new("sk-0123456789")].iter(), "", false));
    let error = json!({ "error": { "message": "bad key sk-0123456789!", "type": "auth", "param": null, "code": 401 } });
    let Step::Abort(event) = relay.chunk(frame(&error.to_string()).as_bytes()) else { panic!("it goes on") };
    let event: Value = serde_json::from_slice(&event["data: ".len()..]).unwrap();
    assert_eq!(event, json!({ "error": { "message": "bad key (a key)!", "type": "auth", "param": null, "code": "401" } }));
    assert_eq!(ending.get(), Some(Ending::ErrorEvent));
}

/// Whole frames in one chunk are not copied, and others are passed on only as far as they are whole.
#[test]
fn chunks_of_whole_frames_pass() {
    let (mut relay, _) = relay(committed(false));
    let text = frame(TEXT);
    let (first, second) = text.split_at(10);
    assert_eq!(relay.chunk(text.as_bytes()), Step::Pass);
    assert_eq!(relay.chunk(first.as_bytes()), Step::Replace(Vec::new()));
    assert_eq!(relay.chunk(second.as_bytes()), Step::Replace(text.clone().into_bytes()));
    assert_eq!(relay.chunk((text.clone() + &text).as_bytes()), Step::Pass);
    assert_eq!(relay.chunk((text.clone() + first).as_bytes()), Step::Replace(text.into_bytes()));
}

#[test]
fn a_line_that_never_ends_ends_the_stream() {
    let (mut relay, ending) = relay(committed(false));
    let mib = vec![b'x'; 1 << 20];
    assert_eq!(relay.chunk(&mib), Step::Replace(Vec::new()));
    let Step::Abort(event) = relay.chunk(b"x") else { panic!("it goes on") };
    assert!(event.starts_with(b"data: {\"error\":") && event.ends_with(b"}\n\n"));
    assert_eq!(ending.get(), Some(Ending::Garbage));
}

/// A relay that is dropped has lost its client, and says so once.
#[test]
fn a_dropped_relay_tells() {
    let (dropped, ending) = relay(committed(false));
    drop(dropped);
    assert_eq!(ending.get(), Some(Ending::ClientGone));
    let (mut finished, ending) = relay(committed(false));
    finished.chunk(DONE.as_bytes());
    drop(finished);
    assert_eq!(ending.get(), Some(Ending::Complete));
}

#[test]
fn a_stream_that_carried_something_else_never_looks_complete() {
    let wrong = r#"{"object":"error","message":"the engine died","code":500}"#;
    let named = |data: &str| format!("event: error\ndata: {data}\n\n");
    let rows = [
        ("an error without a wrapper", frame(wrong), Ending::ErrorEvent, "the engine died"),
        ("an event whose name is error", named(r#"{"message":"overloaded","code":529}"#), Ending::ErrorEvent, "overloaded"),
        ("garbage", frame("{not json"), Ending::Garbage, "broke its protocol"),
        (
            "long garbage",
            frame("{not json at all, and long enough to be a chunk of an answer}"),
            Ending::Garbage,
            "broke its protocol",
        ),
        ("an answer that is not JSON", frame(&TEXT[..TEXT.len() - 3]), Ending::Garbage, "broke its protocol"),
    ];
    for (name, event, ending, says) in rows {
        let (sent, error, ended) = relayed(&[&frame(TEXT), &event, &frame(STOP), DONE], End::Eof, false);
        assert_eq!((sent, ended), (frame(TEXT), ending), "{name}");
        assert!(error.as_ref().unwrap()["message"].as_str().unwrap().contains(says), "{name}: {error:?}");
    }
}

#[test]
fn every_choice_that_was_begun_needs_its_finish_reason() {
    let of = |index: u64, finish: Option<&str>| {
        frame(&json!({ "choices": [{ "index": index, "delta": { "content": "x" }, "finish_reason": finish }] }).to_string())
    };
    for (name, rest, complete) in [
        ("one of two", vec![of(1, None), of(0, Some("stop"))], false),
        ("both", vec![of(1, None), of(0, Some("stop")), of(1, Some("length"))], true),
        ("the only one", vec![of(0, Some("stop"))], true),
    ] {
        let chunks: Vec<&str> = rest.iter().map(String::as_str).collect();
        let (sent, error, ending) = relayed(&chunks, End::Eof, true);
        assert_eq!((sent.ends_with(DONE), error.is_none()), (complete, complete), "{name}");
        assert_eq!(ending == Ending::Complete, complete, "{name}");
    }
}
