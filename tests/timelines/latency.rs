//! Whole requests under virtual time: what is known of targets' latencies, who knows it, and how a deadline is spent by it.

use std::cell::Cell;
use std::rc::Rc;

use crate::upstreams::{error, hangs, ms, says, tells};
use crate::world::{self, Post, World, ask, chat};
use breakwater::gateway::Gateway;
use breakwater::runtime::Script;
use serde_json::{Value, json};

/// Two providers under a deadline of twenty seconds.
const TWO: &str = r#"
[defaults]
deadline = "20s"
first_token = "5s"

[providers.a]
preset = "vllm"
base_url = "http://a.test/v1"
[providers.b]
preset = "vllm"
base_url = "http://b.test/v1"

[routes.pair]
targets = ["a/one", "b/two"]
[routes.other]
targets = ["b/two", "a/one"]
"#;

/// How the providers are now, by numbers that a test may change.
#[derive(Default)]
struct Sea {
    /// After how long `a` and `b` answer, in milliseconds; none hangs, and zero is an error.
    answers: [Cell<Option<u64>>; 2],
}

fn sea(a: u64, b: u64) -> (Rc<World>, Rc<Gateway>, Rc<Sea>) {
    let world = World::new(11);
    let sea = Rc::new(Sea { answers: [Cell::new(Some(a)), Cell::new(Some(b))] });
    let answers = Rc::clone(&sea);
    *world.upstream.borrow_mut() = Box::new(move |sent| script(&answers, sent));
    (world, world::gateway(TWO, &[]), sea)
}

fn script(sea: &Sea, sent: &world::Sent) -> Script {
    match sea.answers[usize::from(sent.url.starts_with("http://b."))].get() {
        None => hangs(),
        Some(0) => error(5, 500, "x", "down"),
        Some(after) if sent.streamed => tells(after, 100, &["fine", " indeed"]),
        Some(after) => says(after, "fine"),
    }
}

fn body(model: &str, stream: bool) -> String {
    json!({ "model": model, "stream": stream, "messages": [{ "role": "user", "content": "Hello" }] }).to_string()
}

/// Status, and the trace's text.
fn one(world: &Rc<World>, gateway: &Rc<Gateway>, model: &str, stream: bool, deadline: u64) -> (u16, String) {
    let deadline = deadline.to_string();
    let (status, headers, _) = ask(world, gateway, chat(&body(model, stream), &[("x-breakwater-deadline-ms", &deadline)]));
    (status, headers.get("x-breakwater-trace").unwrap_or_default().to_owned())
}

fn warm_up(world: &Rc<World>, gateway: &Rc<Gateway>, stream: bool) {
    for model in ["pair", "other"] {
        for _ in 0..20 {
            assert_eq!(one(world, gateway, model, stream, 20_000).0, 200);
        }
    }
}

fn status(world: &Rc<World>, gateway: &Rc<Gateway>) -> Value {
    let (method, path, host) = ("GET".to_owned(), "/status".to_owned(), "localhost".to_owned());
    let request = breakwater::http::Request { method, path, host, ..Default::default() };
    serde_json::from_str(&ask(world, gateway, request).2).unwrap()
}

/// A row of a provider's latencies in `/status`.
fn latency(status: &Value, provider: &str, awaited: &str, size: &str) -> Value {
    let provider = status["providers"].as_array().unwrap().iter().find(|other| other["provider"] == provider).unwrap();
    let rows = provider["latency"].as_array().unwrap();
    rows.iter().find(|row| row["awaited"] == awaited && row["size"] == size).cloned().unwrap_or(Value::Null)
}

#[test]
fn a_target_that_hangs_is_given_what_it_needs_and_no_more() {
    for (stream, takes) in [(false, 800), (true, 901)] {
        let (world, gateway, sea) = sea(800, 400);
        warm_up(&world, &gateway, stream);
        sea.answers[0].set(None);
        let (status, trace) = one(&world, &gateway, "pair", stream, 20_000);
        let given: u64 = trace.strip_prefix("a/one;timeout;").unwrap().split("ms").next().unwrap().parse().unwrap();
        assert_eq!(status, 200, "{trace}");
        // A quarter longer than it takes, give or take a bucket; not half of the deadline, nor the 5 s of first_token.
        assert!((takes * 111 / 100..takes * 140 / 100).contains(&given), "stream {stream}: {trace}");
        assert!(trace.contains("b/two;ok"), "{trace}");
    }
}

#[test]
fn it_is_to_blame_for_a_hang_though_first_token_is_longer() {
    let (world, gateway, sea) = sea(800, 400);
    warm_up(&world, &gateway, false);
    sea.answers[0].set(None);
    for _ in 0..5 {
        assert_eq!(one(&world, &gateway, "pair", false, 20_000).0, 200);
    }
    assert_eq!(one(&world, &gateway, "pair", false, 20_000).1.split(';').next(), Some("b/two"), "its circuit is open");
}

#[test]
fn no_client_opens_a_circuit_by_what_it_asks_for() {
    let (world, gateway, _) = sea(800, 400);
    warm_up(&world, &gateway, true);
    warm_up(&world, &gateway, false);
    let before = status(&world, &gateway);
    for _ in 0..30 {
        assert_eq!(one(&world, &gateway, "a/one", false, 500).0, 504);
        let short = [("x-breakwater-first-token-ms", "100")];
        assert_eq!(ask(&world, &gateway, chat(&body("a/one", true), &short)).0, 502);
    }
    assert!(one(&world, &gateway, "pair", false, 20_000).1.starts_with("a/one;ok;"));
    // Nor does it change what is known of the target.
    for awaited in ["first_content", "whole_completion"] {
        let (before, after) =
            (latency(&before, "a", awaited, "small"), latency(&status(&world, &gateway), "a", awaited, "small"));
        assert_eq!((&before["p50_ms"], &before["p95_ms"]), (&after["p50_ms"], &after["p95_ms"]));
    }
}

#[test]
fn who_cannot_answer_in_time_is_passed_over_where_another_can() {
    let (world, gateway, sea) = sea(6_000, 400);
    warm_up(&world, &gateway, false);
    let (status, trace) = one(&world, &gateway, "pair", false, 20_000);
    assert!(status == 200 && trace.starts_with("a/one;ok;"), "{trace}");
    let calls = world.calls.borrow().len();
    let (status, trace) = one(&world, &gateway, "pair", false, 3_000);
    assert_eq!((status, trace.as_str()), (200, "a/one;passed_over;0ms, b/two;ok;400ms"));
    assert_eq!(world.calls.borrow().len(), calls + 1, "it was not called");
    // The last one is always tried.
    let (status, trace) = one(&world, &gateway, "a/one", false, 3_000);
    assert_eq!((status, trace.as_str()), (504, "a/one;timeout;3000ms"));
    // An error's attempts are calls.
    sea.answers[1].set(Some(0));
    let (code, headers, text) = ask(&world, &gateway, chat(&body("pair", false), &[("x-breakwater-deadline-ms", "3000")]));
    assert_eq!((code, headers.get("x-breakwater-trace")), (502, Some("a/one;passed_over;0ms, b/two;server_error;5ms")));
    let attempts: Value = serde_json::from_str::<Value>(&text).unwrap()["error"]["attempts"].clone();
    assert_eq!(attempts, json!([{ "target": "b/two", "outcome": "server_error", "status": 500, "milliseconds": 5 }]));
    // Neither is it to blame.
    let circuits = self::status(&world, &gateway)["providers"][0]["breaker"]["circuits"].clone();
    assert!(circuits.as_array().unwrap().iter().all(|circuit| circuit["since_start"]["failed"] == 0), "{circuits}");
}

#[test]
fn who_is_passed_over_takes_no_lease() {
    let (world, gateway, sea) = sea(6_000, 400);
    warm_up(&world, &gateway, false);
    sea.answers[0].set(Some(0));
    for _ in 0..5 {
        one(&world, &gateway, "pair", false, 20_000);
    }
    // The cooldown is over: the next call would be the probe.
    world.run_until(world.elapsed() + ms(12_000));
    assert_eq!(one(&world, &gateway, "pair", false, 3_000).1, "a/one;passed_over;0ms, b/two;ok;400ms");
    sea.answers[0].set(Some(6_000));
    assert_eq!(one(&world, &gateway, "pair", false, 20_000).1, "a/one;ok;6000ms", "and it still can be");
}

#[test]
fn a_cold_isolate_starts_with_what_others_know() {
    let (world, warm, sea) = sea(800, 400);
    warm_up(&world, &warm, false);
    // What was seen last rides with the next refresh, which a request brings about when it is due.
    world.run_until(world.elapsed() + ms(2_000));
    one(&world, &warm, "pair", false, 20_000);
    world.run_until(world.elapsed() + ms(100));
    let cold = world::gateway(TWO, &[]);
    assert_eq!(latency(&status(&world, &cold), "a", "whole_completion", "small"), Value::Null);
    let exchanges: u64 = world.exchanges.borrow().values().sum();
    sea.answers[0].set(None);
    let (status, trace) = one(&world, &cold, "pair", false, 20_000);
    let given: u64 = trace.strip_prefix("a/one;timeout;").unwrap().split("ms").next().unwrap().parse().unwrap();
    assert!(status == 200 && (890..1_120).contains(&given), "its first call is given what others saw: {trace}");
    assert!(world.exchanges.borrow().values().sum::<u64>() <= exchanges + 4, "by the exchanges that it has anyway");
    let row = latency(&self::status(&world, &cold), "a", "whole_completion", "small");
    assert_eq!((&row["model"], &row["seen_by"]), (&json!("one"), &json!("all_isolates")));
}

#[test]
fn latencies_cause_no_message() {
    let (world, gateway, _) = sea(800, 400);
    for _ in 0..50 {
        assert_eq!(one(&world, &gateway, "pair", false, 20_000).0, 200);
    }
    // Half a minute and more of calls, and the object of `b`, which is not asked, is refreshed as often as that of `a`, which is.
    let exchanges = world.exchanges.borrow();
    assert_eq!(exchanges.get("a@weur"), exchanges.get("b@weur"));
    assert!(exchanges.get("a@weur").is_some_and(|count| (20..=45).contains(count)), "{exchanges:?}");
}

#[test]
fn an_object_that_cannot_be_reached_leaves_each_isolate_to_what_it_saw() {
    let (world, gateway, sea) = sea(800, 400);
    *world.post.borrow_mut() = Box::new(|_| Post::Lost(ms(5)));
    warm_up(&world, &gateway, false);
    sea.answers[0].set(None);
    let (_, trace) = one(&world, &gateway, "pair", false, 20_000);
    let given: u64 = trace.strip_prefix("a/one;timeout;").unwrap().split("ms").next().unwrap().parse().unwrap();
    assert!((890..1_120).contains(&given), "{trace}");
    let row = latency(&status(&world, &gateway), "a", "whole_completion", "small");
    assert_eq!(row["seen_by"], "this_isolate");
}

#[test]
fn status_tells_what_is_known_by_what_is_waited_for_and_by_size() {
    let (world, gateway, _) = sea(800, 400);
    warm_up(&world, &gateway, true);
    let long = json!({ "model": "pair", "messages": [{ "role": "user", "content": "x".repeat(5_000) }] }).to_string();
    for _ in 0..10 {
        assert_eq!(ask(&world, &gateway, chat(&long, &[])).0, 200);
    }
    let status = status(&world, &gateway);
    // 1 ms to the headers, 0.8 s to the role, and a tenth of a second for each of the further events: two words, the finish, [DONE].
    let rows = [("first_content", "small", 901), ("stream_completion", "small", 1_201), ("whole_completion", "medium", 800)];
    for (awaited, size, exact) in rows {
        let row = latency(&status, "a", awaited, size);
        for name in ["p50_ms", "p95_ms", "p99_ms"] {
            let ratio = row[name].as_f64().unwrap() / f64::from(exact);
            assert!((1.0 / 1.12..1.12).contains(&ratio), "{awaited} {size}: {row}");
        }
        assert_eq!(row["unanswered_percent"], 0.0);
    }
    assert_eq!(latency(&status, "a", "whole_completion", "small"), Value::Null, "too little is known");
}
