//! The ways to fail, and when.

use std::time::Duration;

use breakwater::config::simulated::Behaviour;
use breakwater::provider::simulated::answer;
use breakwater::runtime::{Ending, Script, ScriptHead};
use serde_json::json;

use super::{ask, behaving, body, header, payloads, question, saying, status, text};

/// What can be seen of a script, in a line.
fn seen(script: &Script) -> String {
    let head = match &script.head {
        ScriptHead::Answer(status, headers) => format!("{status} {}", headers.get("content-type").unwrap_or("-")),
        ScriptHead::Refuse => "refused".to_owned(),
        ScriptHead::Hang => "silence".to_owned(),
    };
    let mut words = Vec::new();
    for (_, bytes) in &script.pieces {
        let piece = String::from_utf8_lossy(bytes);
        words.push(match () {
            () if piece.contains("\"error\"") => "error",
            () if piece.contains("<html>") => "page",
            () if piece == "data: [DONE]\n\n" => "done",
            () if piece.contains("\"role\":\"assistant\"") && piece.ends_with("\n\n") => "role",
            () if piece.contains("\"finish_reason\":\"stop\"") && piece.ends_with("\n\n") => "finish",
            () if piece.contains("\"content\":") && piece.ends_with("\n\n") => "text",
            () if serde_json::from_str::<serde_json::Value>(&piece).is_ok() => "whole",
            () => "part",
        });
    }
    format!("{head}: {} {:?}", words.join(" "), script.ending)
}

#[test]
fn what_a_fault_looks_like() {
    let sse = "200 text/event-stream; charset=utf-8";
    let rows = [
        ("ok", format!("{sse}: role text text text finish done Eof"), "200 application/json: whole Eof"),
        ("cut", format!("{sse}: role Cut"), "200 application/json: part Cut"),
        ("cut:2", format!("{sse}: role text text Cut"), "200 application/json: part Cut"),
        ("cut:9", format!("{sse}: role text text text Cut"), "200 application/json: part Cut"),
        ("stall:1", format!("{sse}: role text Hang"), "200 application/json: part Hang"),
        ("hang", "silence:  Eof".to_owned(), "silence:  Eof"),
        ("refuse", "refused:  Eof".to_owned(), "refused:  Eof"),
        ("empty", format!("{sse}:  Eof"), "200 application/json:  Eof"),
        ("garbage", format!("{sse}: part Eof"), "200 application/json: part Eof"),
        ("error", format!("{sse}: error Eof"), "200 application/json: error Eof"),
        ("no-done", format!("{sse}: role text text text Eof"), "200 application/json: whole Eof"),
        ("html", "200 text/html: page Eof".to_owned(), "200 text/html: page Eof"),
        ("500", "500 application/json: error Eof".to_owned(), "500 application/json: error Eof"),
    ];
    let behaviour = behaving(&[("text", "one two three"), ("latency", "7ms")]);
    for (fault, streamed, whole) in rows {
        let script = ask(&behaviour, Some(fault), &saying("x", json!({ "stream": true })));
        assert_eq!(seen(&script), streamed, "{fault}, streamed");
        assert_eq!(script.head_after, Duration::from_millis(7), "{fault}");
        assert_eq!(seen(&ask(&behaviour, Some(fault), &saying("x", json!({})))), whole, "{fault}, whole");
    }
    let garbage = ask(&behaviour, Some("garbage"), &saying("x", json!({ "stream": true })));
    assert!(payloads(&garbage).iter().all(|payload| serde_json::from_str::<serde_json::Value>(payload).is_err()));
    // Half of an answer is not one.
    let part = ask(&behaviour, Some("cut"), &saying("x", json!({})));
    assert!(text(&part).starts_with("{\"id\":") && text(&part).len() > 100, "{}", text(&part));
}

#[test]
fn statuses() {
    let json_type = "application/json";
    let rows = [
        (400, json_type, Some("invalid_request_error"), None, None),
        (401, json_type, Some("invalid_request_error"), Some("invalid_api_key"), None),
        (402, json_type, Some("insufficient_balance"), Some("insufficient_balance"), None),
        (403, json_type, Some("invalid_request_error"), Some("permission_denied"), None),
        (404, json_type, Some("invalid_request_error"), Some("model_not_found"), None),
        (408, json_type, Some("server_error"), Some("timeout"), None),
        (413, json_type, Some("invalid_request_error"), Some("request_too_large"), None),
        (418, json_type, Some("invalid_request_error"), None, None),
        (429, json_type, Some("requests"), Some("rate_limit_exceeded"), Some("2")),
        (500, json_type, Some("server_error"), None, None),
        (502, "text/html", None, None, None),
        (503, json_type, Some("server_error"), Some("overloaded"), None),
        (504, "text/html", None, None, None),
        (522, "text/html", None, None, None),
        (529, json_type, Some("server_error"), Some("overloaded"), None),
    ];
    for (code, content_type, kind, error_code, retry_after) in rows {
        let script = ask(&Behaviour::default(), Some(&code.to_string()), &saying("x", json!({ "stream": true })));
        assert_eq!(status(&script), Some(code));
        assert_eq!(header(&script, "content-type").as_deref(), Some(content_type), "{code}");
        assert_eq!(header(&script, "retry-after").as_deref(), retry_after, "{code}");
        assert_eq!(header(&script, "retry-after-ms").is_some(), retry_after.is_some(), "{code}");
        assert!(header(&script, "x-request-id").is_some(), "{code}");
        if let Some(kind) = kind {
            let error = body(&script)["error"].clone();
            assert_eq!(
                (error["type"].as_str(), error["code"].as_str(), error["param"].is_null()),
                (Some(kind), error_code, true),
                "{code}"
            );
            assert!(error["message"].as_str().is_some_and(|message| message.len() > 10), "{code}");
        } else {
            assert!(text(&script).starts_with("<html>"), "{code}");
        }
    }
}

/// The statuses of calls `0..count`, each the first of its request.
fn statuses_of(behaviour: &Behaviour, header: Option<&str>, count: u64) -> Vec<Option<u16>> {
    let request = saying("x", json!({})).to_string();
    let call = |nth| {
        let mut question = question(&request);
        question.nth = nth;
        status(&answer(behaviour, header, &question).unwrap())
    };
    (0..count).map(call).collect()
}

#[test]
fn a_configured_schedule_counts_calls() {
    let (ok, down) = (Some(200), Some(500));
    let rows = [
        ("once", vec![("fail", "500,hang,ok,429")], vec![down, None, ok, Some(429), ok, ok]),
        ("over and over", vec![("fail", "500,ok"), ("cycle", "true")], vec![down, ok, down, ok, down, ok]),
        (
            "then a rate",
            vec![("fail", "ok,500"), ("error_rate", "1"), ("error", "503")],
            vec![Some(503), down, Some(503), Some(503), Some(503), Some(503)],
        ),
    ];
    for (name, settings, expected) in rows {
        assert_eq!(statuses_of(&behaving(&settings), None, 6), expected, "{name}");
    }
}

#[test]
fn a_schedule_in_the_header_counts_the_request_s_own_calls() {
    let request = saying("x", json!({})).to_string();
    let mut question = question(&request);
    question.nth = 40;
    let attempts = |header: &str| {
        let attempt = |attempt| {
            let mut question = question;
            question.attempt = attempt;
            status(&answer(&behaving(&[("fail", "401,402,403")]), Some(header), &question).unwrap())
        };
        (0..4).map(attempt).collect::<Vec<_>>()
    };
    assert_eq!(attempts("fail:500|503|hang"), [Some(500), Some(503), None, Some(200)]);
    assert_eq!(attempts("fail:500|ok;cycle:true"), [Some(500), Some(200), Some(500), Some(200)]);
    assert_eq!(attempts("500"), [Some(500); 4], "a fault alone is for all of them");
    assert_eq!(attempts("pace:1ms"), [Some(200); 4], "without a schedule of its own, the configuration's holds, which is over");
}

#[test]
fn an_error_rate_is_kept_and_repeatable() {
    let failures = |settings: &[(&str, &str)]| {
        statuses_of(&behaving(settings), None, 1000).iter().map(|status| *status == Some(500)).collect::<Vec<bool>>()
    };
    for (rate, low, high) in [("0", 0, 0), ("0.1", 70, 130), ("0.5", 440, 560), ("1", 1000, 1000)] {
        for seed in ["0", "1", "18446744073709551615"] {
            let count = failures(&[("error_rate", rate), ("seed", seed)]).iter().filter(|failed| **failed).count();
            assert!((low..=high).contains(&count), "rate {rate}, seed {seed}: {count} of 1000");
        }
    }
    let settings = [("error_rate", "0.5"), ("seed", "7")];
    assert_eq!(failures(&settings), failures(&settings));
    assert_ne!(failures(&settings), failures(&[("error_rate", "0.5"), ("seed", "8")]));
    // Neither in runs nor in turns: every pair of neighbours occurs about as often.
    let drawn = failures(&settings);
    for pair in [[false, false], [false, true], [true, false], [true, true]] {
        let count = drawn.windows(2).filter(|window| *window == pair).count();
        assert!((200..300).contains(&count), "{pair:?}: {count}");
    }
    let calm = statuses_of(&behaving(&[("error_rate", "1")]), Some("ok"), 20);
    assert_eq!(calm, [Some(200); 20], "a fault alone settles what happens");
}

/// The script of an answer that is not slowed down has no waits at all.
#[test]
fn nothing_waits_that_was_not_told_to() {
    let script = ask(&Behaviour::default(), None, &saying("x", json!({ "stream": true })));
    assert!(script.head_after.is_zero() && script.pieces.iter().all(|(wait, _)| wait.is_zero()));
    assert_eq!(script.ending, Ending::Eof);
}

#[test]
fn what_shows_nothing_of_an_answer_does_not_wait_for_one() {
    let behaviour = behaving(&[("text", "one two three"), ("latency", "7ms"), ("first_token", "1s"), ("pace", "1s")]);
    let after = |fault, stream: bool| ask(&behaviour, Some(fault), &saying("x", json!({ "stream": stream }))).head_after;
    for fault in ["500", "429", "502", "refuse"] {
        for stream in [false, true] {
            assert_eq!(after(fault, stream), Duration::from_millis(7), "{fault}, stream {stream}");
        }
    }
    assert!(after("ok", false) > Duration::from_secs(3), "an answer that is not streamed is there at its end");
}
