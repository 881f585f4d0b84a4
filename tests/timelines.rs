//! Whole requests under virtual time, with scripted upstreams: what the client gets, when, and what every upstream saw.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends when it is wrong"
)]
#![allow(clippy::too_many_lines, clippy::type_complexity, reason = "tables")]

#[path = "world/upstreams.rs"]
mod upstreams;
mod world;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use breakwater::gateway::{self, Gateway};
use breakwater::http::Body;
use breakwater::runtime::{Ending, Script};
use serde_json::{Value, json};
use upstreams::{chunk, completion, error, error_body, events, hangs, limits, ms, refuses, says, streams, tells};
use world::{Post, Virtual, World, ask, chat};

/// Three providers, `a`, `b` and `c`; a deadline of ten seconds, of which a stream's first content may take two.
const THREE: &str = r#"
[defaults]
deadline = "10s"
first_token = "2s"
stall = "3s"
max_duration = "60s"

[providers.a]
preset = "vllm"
base_url = "http://a.test/v1"
[providers.b]
protocol = "openai"
base_url = "http://b.test/v1"
[providers.c]
protocol = "openai"
base_url = "http://c.test/v1"

[routes.all]
targets = ["a/one", "b/two", "c/three"]
[routes.pair]
targets = ["a/one", "b/two"]
[routes.alone]
targets = ["a/one"]
[routes.retried]
targets = ["a/one", "b/two"]
retries = 2
[routes.kept]
targets = ["a/one", "b/two"]
cache = "1m"
"#;

/// A world whose provider `a` answers by the first list, `b` by the second, `c` by the third; the last entry of each goes on for ever.
fn world(scripts: [Vec<Script>; 3]) -> (Rc<World>, Rc<Gateway>) {
    let world = World::new(7);
    *world.upstream.borrow_mut() = Box::new(move |sent| {
        let place = ["http://a.test", "http://b.test", "http://c.test"].iter().position(|host| sent.url.starts_with(host));
        let scripts = &scripts[place.expect("a known host")];
        scripts.get(sent.nth).or(scripts.last()).cloned().expect("this provider is not to be called")
    });
    (world, world::gateway(THREE, &[]))
}

fn body(model: &str, stream: bool) -> String {
    json!({ "model": model, "stream": stream, "messages": [{ "role": "user", "content": "Hello" }] }).to_string()
}

/// Who was called, from when until when in milliseconds, and whether it was let finish.
fn calls(world: &World) -> Vec<(char, u64, Option<u64>, bool)> {
    let calls = world.calls.borrow();
    let call = |call: &Rc<world::CallLog>| {
        let host = call.sent.url.chars().nth("http://".len()).unwrap();
        let ended = call.ended.get();
        (host, call.started - world::DAWN, ended.map(|(at, _)| at - world::DAWN), ended.is_some_and(|(_, regular)| regular))
    };
    calls.iter().map(call).collect()
}

/// The outcomes of a trace, without times.
fn outcomes(trace: &str) -> Vec<String> {
    trace.split(", ").filter(|part| !part.is_empty()).map(|part| part.rsplit_once(';').unwrap().0.to_owned()).collect()
}

fn text_of(stream: &str) -> String {
    let events = stream.split("\n\n").filter_map(|frame| frame.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    events
        .filter_map(|data| {
            serde_json::from_str::<Value>(data).ok()?["choices"][0]["delta"]["content"].as_str().map(str::to_owned)
        })
        .collect()
}

#[test]
fn unstreamed_timelines() {
    struct Row {
        name: &'static str,
        model: &'static str,
        scripts: [Vec<Script>; 3],
        status: u16,
        /// The answer's text, or the error's code.
        gives: &'static str,
        trace: &'static [&'static str],
        after_ms: u64,
    }
    let row =
        |name, model, scripts, status, gives, trace, after_ms| Row { name, model, scripts, status, gives, trace, after_ms };
    let none = Vec::new;
    let rows = [
        row("the first answers", "all", [vec![says(300, "A")], none(), none()], 200, "A", &["a/one;ok"], 310),
        row(
            "the first fails",
            "all",
            [vec![error(100, 500, "oops", "no")], vec![says(200, "B")], none()],
            200,
            "B",
            &["a/one;server_error", "b/two;ok"],
            310,
        ),
        row(
            "two fail",
            "all",
            [vec![refuses(20)], vec![error(30, 529, "overloaded", "no")], vec![says(50, "C")]],
            200,
            "C",
            &["a/one;connect_failed", "b/two;overloaded", "c/three;ok"],
            110,
        ),
        row(
            "the first hangs: half of the deadline",
            "pair",
            [vec![hangs()], vec![says(200, "B")], none()],
            200,
            "B",
            &["a/one;timeout", "b/two;ok"],
            5_205,
        ),
        row(
            "all hang: the deadline, and not a moment more",
            "all",
            [vec![hangs()], vec![hangs()], vec![hangs()]],
            504,
            "deadline_exceeded",
            &["a/one;timeout", "b/two;timeout", "c/three;timeout"],
            10_000,
        ),
        row(
            "every one fails",
            "pair",
            [vec![error(10, 500, "x", "no")], vec![error(10, 502, "x", "no")], none()],
            502,
            "upstream_failed",
            &["a/one;server_error", "b/two;server_error"],
            30,
        ),
        row(
            "the request is refused: nobody else is asked",
            "pair",
            [vec![error(40, 400, "invalid_value", "temperature is wrong")], none(), none()],
            400,
            "invalid_value",
            &["a/one;refused"],
            50,
        ),
        row(
            "too long for one: another may have room",
            "pair",
            [vec![error(40, 400, "context_length_exceeded", "too long")], vec![says(10, "B")], none()],
            200,
            "B",
            &["a/one;context_length", "b/two;ok"],
            60,
        ),
        row(
            "too long for all",
            "pair",
            [
                vec![error(40, 400, "context_length_exceeded", "too long")],
                vec![error(10, 400, "context_length_exceeded", "too long")],
                none(),
            ],
            400,
            "context_length_exceeded",
            &["a/one;context_length", "b/two;context_length"],
            60,
        ),
        row(
            "rate-limited everywhere",
            "pair",
            [vec![limits(5, "7")], vec![limits(5, "3")], none()],
            429,
            "rate_limited",
            &["a/one;rate_limited", "b/two;rate_limited"],
            20,
        ),
        row(
            "an upstream's 401 is not the client's",
            "alone",
            [vec![error(5, 401, "invalid_api_key", "bad key")], none(), none()],
            502,
            "upstream_failed",
            &["a/one;key_refused"],
            15,
        ),
        row(
            "an error within a 200",
            "pair",
            [vec![upstreams::json(5, 200, &error_body("server_error", "no"))], vec![says(5, "B")], none()],
            200,
            "B",
            &["a/one;error_in_body", "b/two;ok"],
            20,
        ),
        row(
            "an empty 200",
            "pair",
            [vec![upstreams::json(5, 200, "")], vec![says(5, "B")], none()],
            200,
            "B",
            &["a/one;empty", "b/two;ok"],
            20,
        ),
        row(
            "an answer that says nothing",
            "pair",
            [vec![says(5, "")], vec![says(5, "B")], none()],
            200,
            "B",
            &["a/one;empty", "b/two;ok"],
            20,
        ),
        row(
            "HTML",
            "pair",
            [vec![upstreams::json(5, 200, "<html>")], vec![says(5, "B")], none()],
            200,
            "B",
            &["a/one;garbage", "b/two;ok"],
            20,
        ),
        row(
            "no such model on a route: the next one",
            "pair",
            [vec![error(5, 404, "model_not_found", "The model `one` does not exist")], vec![says(5, "B")], none()],
            200,
            "B",
            &["a/one;no_such_model", "b/two;ok"],
            20,
        ),
        row(
            "no such model, named by the client: it is told",
            "a/nowhere",
            [vec![error(5, 404, "model_not_found", "The model `nowhere` does not exist")], none(), none()],
            404,
            "model_not_found",
            &["a/nowhere;no_such_model"],
            15,
        ),
        row(
            "an answer that arrives after its slice",
            "pair",
            [vec![says(5_000, "late")], vec![says(10, "B")], none()],
            200,
            "B",
            &["a/one;timeout", "b/two;ok"],
            5_015,
        ),
        row(
            "a wait that is longer than what is left: the next one now",
            "retried",
            [vec![limits(5, "60")], vec![says(10, "B")], none()],
            200,
            "B",
            &["a/one;rate_limited", "b/two;ok"],
            25,
        ),
    ];
    for Row { name, model, scripts, status, gives, trace, after_ms } in rows {
        let (world, gateway) = world(scripts);
        let warm = world.elapsed();
        let (got, headers, text) = ask(&world, &gateway, chat(&body(model, false), &[]));
        let answer: Value = serde_json::from_str(&text).expect(name);
        let said = if got == 200 { &answer["choices"][0]["message"]["content"] } else { &answer["error"]["code"] };
        assert_eq!((got, said.as_str()), (status, Some(gives)), "{name}: {text}");
        assert_eq!(outcomes(headers.get("x-breakwater-trace").unwrap_or_default()), trace, "{name}");
        // The cold isolate's first look at its breakers, 10 ms there and back, is part of it.
        assert_eq!(world.elapsed().saturating_sub(warm), ms(after_ms), "{name}");
        assert_eq!(world.open_calls(), 0, "{name}: a call was left open");
        if got != 200 {
            let attempts = answer["error"]["attempts"].as_array().expect(name);
            assert_eq!(attempts.len(), trace.len(), "{name}");
            assert_eq!(headers.get("x-should-retry"), Some(if got == 429 { "true" } else { "false" }), "{name}");
        }
        if got == 429 {
            assert_eq!((headers.get("retry-after"), headers.get("retry-after-ms")), (Some("3"), Some("3000")), "{name}");
        }
    }
}

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
    let (world, gateway) = world([vec![upstreams::json(1, 200, &answer)], vec![], vec![]]);
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

fn status(world: &Rc<World>, gateway: &Rc<Gateway>) -> Value {
    let request = breakwater::http::Request {
        method: "GET".to_owned(),
        path: "/status".to_owned(),
        host: "localhost".to_owned(),
        ..Default::default()
    };
    serde_json::from_str(&ask(world, gateway, request).2).unwrap()
}

/// A circuit in `/status`.
fn circuit(status: &Value, provider: &str, kind: &str, name: &str) -> Value {
    let provider = status["providers"].as_array().unwrap().iter().find(|other| other["provider"] == provider).unwrap();
    let circuits = provider["breaker"]["circuits"].as_array().unwrap();
    circuits.iter().find(|circuit| circuit["circuit"] == kind && circuit["name"] == name).cloned().unwrap_or(Value::Null)
}

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
        ("a filtered answer", false, upstreams::json(1, 200, &completion("A").replace("\"stop\"", "\"content_filter\""))),
        ("an answer without a finish reason", false, upstreams::json(1, 200, &completion("A").replace("\"stop\"", "null"))),
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
