//! A second target beside a slow first one.

use std::rc::Rc;

use breakwater::gateway;
use breakwater::runtime::{Ending, Script};

use crate::pair::{body, counts, said, world};
use crate::three::calls;
use crate::upstreams::{error, events, hangs, limits, ms, refuses, says, streams, tells};
use crate::world::{Virtual, ask, chat};

/// Ten milliseconds for the breakers, then the call; a cold isolate asks both providers' objects at once.
const WARM: u64 = 10;

#[test]
fn timelines() {
    struct Row {
        name: &'static str,
        stream: bool,
        a: Script,
        b: Script,
        gives: (u16, &'static str),
        trace: &'static str,
        /// Each call's begin and end.
        calls: Vec<(char, u64, Option<u64>, bool)>,
    }
    let row = |name, stream, a, b, gives, trace, calls| Row { name, stream, a, b, gives, trace, calls };
    let second = WARM + 1_000;
    let rows = [
        row(
            "the first is in time: no second",
            false,
            says(900, "A"),
            hangs(),
            (200, "A"),
            "a/one;ok;900ms",
            vec![('a', WARM, Some(WARM + 900), true)],
        ),
        row(
            "the second wins, and the first is aborted in that moment",
            false,
            says(5_000, "A"),
            says(200, "B"),
            (200, "B"),
            "a/one;hedge_lost;1200ms, b/two;ok;200ms",
            vec![('a', WARM, Some(second + 200), false), ('b', second, Some(second + 200), true)],
        ),
        row(
            "the first wins after all",
            false,
            says(1_500, "A"),
            says(2_000, "B"),
            (200, "A"),
            "a/one;ok;1500ms, b/two;hedge_lost;500ms",
            vec![('a', WARM, Some(WARM + 1_500), true), ('b', second, Some(WARM + 1_500), false)],
        ),
        row(
            "the first fails before its time: the next one is asked as ever",
            false,
            error(100, 500, "x", "down"),
            says(50, "B"),
            (200, "B"),
            "a/one;server_error;100ms, b/two;ok;50ms",
            vec![('a', WARM, Some(WARM + 100), true), ('b', WARM + 100, Some(WARM + 150), true)],
        ),
        row(
            "the second fails: the first is waited for",
            false,
            says(2_000, "A"),
            error(100, 500, "x", "down"),
            (200, "A"),
            "a/one;ok;2000ms, b/two;server_error;100ms",
            vec![('a', WARM, Some(WARM + 2_000), true), ('b', second, Some(second + 100), true)],
        ),
        row(
            "the second refuses the request: the first is waited for all the same",
            false,
            says(2_000, "A"),
            error(100, 400, "invalid_value", "no"),
            (200, "A"),
            "a/one;ok;2000ms, b/two;refused;100ms",
            vec![('a', WARM, Some(WARM + 2_000), true), ('b', second, Some(second + 100), true)],
        ),
        row(
            "both fail",
            false,
            error(2_000, 500, "x", "down"),
            refuses(100),
            (502, "upstream_failed"),
            "a/one;server_error;2000ms, b/two;connect_failed;100ms",
            vec![('a', WARM, Some(WARM + 2_000), true), ('b', second, Some(second + 100), false)],
        ),
        row(
            "streams: the first content wins, not the headers",
            true,
            streams(1_600, 1, events(&["A"]), Ending::Eof),
            tells(100, 1, &["B"]),
            (200, "B"),
            "a/one;hedge_lost;1101ms, b/two;ok;101ms",
            vec![('a', WARM, Some(second + 101), false)],
        ),
    ];
    for row in rows {
        let (world, gateway) = world("hedge_after = \"1s\"", vec![row.a], vec![row.b]);
        let (status, headers, text) = ask(&world, &gateway, chat(&body(row.stream), &[]));
        let given = if status == 200 && row.stream {
            said(&text, "content")
        } else {
            let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
            let text = answer["choices"][0]["message"]["content"].as_str().or(answer["error"]["code"].as_str());
            text.unwrap().to_owned()
        };
        assert_eq!((status, given.as_str()), row.gives, "{}", row.name);
        let trace = headers.get("x-breakwater-trace").unwrap();
        // The role comes first, and the content a millisecond after it.
        assert_eq!(trace.replace("102ms", "101ms").replace("1102ms", "1101ms"), row.trace, "{}", row.name);
        if !row.stream {
            assert_eq!(calls(&world), row.calls, "{}", row.name);
        }
        assert_eq!(world.open_calls(), 0, "{}", row.name);
    }
}

#[test]
fn who_lost_is_not_to_blame() {
    let (world, gateway) = world("hedge_after = \"1s\"", vec![hangs()], vec![says(100, "B")]);
    for _ in 0..8 {
        assert_eq!(ask(&world, &gateway, chat(&body(false), &[])).0, 200);
    }
    assert_eq!(counts(&world, &gateway, 0), (0, 0), "the loser");
    assert_eq!(counts(&world, &gateway, 1), (8, 0), "the winner");
}

#[test]
fn no_hedge_goes_to_a_target_that_is_left_alone() {
    // `b` asks to be left alone for 30 s; then `a` is slow, and nobody stands beside it.
    let (world, gateway) =
        world("hedge_after = \"1s\"", vec![error(1, 500, "x", "down"), says(3_000, "A")], vec![limits(1, "30")]);
    assert_eq!(ask(&world, &gateway, chat(&body(false), &[])).0, 502);
    let (status, headers, _) = ask(&world, &gateway, chat(&body(false), &[]));
    assert_eq!((status, headers.get("x-breakwater-trace")), (200, Some("a/one;ok;3000ms")));
}

#[test]
fn after_p95_means_after_what_was_seen() {
    // Without a record there is no p95, and no hedge; with one, the hedge starts at it.
    let mut a = vec![says(200, "A"); 20];
    a.push(hangs());
    let (world, gateway) = world("hedge_after = \"p95\"", a, vec![says(100, "B")]);
    for _ in 0..20 {
        assert_eq!(ask(&world, &gateway, chat(&body(false), &[])).1.get("x-breakwater-trace"), Some("a/one;ok;200ms"));
    }
    let begun = world.elapsed();
    let (status, headers, _) = ask(&world, &gateway, chat(&body(false), &[]));
    assert_eq!((status, headers.get("x-breakwater-target")), (200, Some("b/two")));
    let took = world.elapsed().saturating_sub(begun).as_millis();
    // 200 ms are in a bucket that ends at most an eighth above it; then the second's 100 ms.
    assert!((300..=360).contains(&took), "{took} ms");
}

#[test]
fn hedged_calls_are_bounded_by_their_budget() {
    let (world, gateway) = world("hedge_after = \"100ms\"", vec![says(150, "A")], vec![says(500, "B")]);
    let requests = 400;
    for _ in 0..requests {
        assert_eq!(ask(&world, &gateway, chat(&body(false), &[])).0, 200);
    }
    let hedges = calls(&world).iter().filter(|(host, ..)| *host == 'b').count();
    // A twentieth of the requests, and the ten that the budget begins with.
    assert!((10..=requests / 20 + 10).contains(&hedges), "{hedges} hedges of {requests} requests");
}

#[test]
fn a_client_that_leaves_ends_both() {
    let (world, gateway) = world("hedge_after = \"1s\"", vec![hangs()], vec![hangs()]);
    let runtime = Virtual::new(&world, Some(ms(2_000)));
    world.block_on(gateway::handle(Rc::clone(&gateway), runtime.clone(), chat(&body(false), &[])));
    assert_eq!(calls(&world).iter().map(|call| call.2).collect::<Vec<_>>(), [Some(2_000), Some(2_000)]);
    assert!(runtime.most_waiting() <= 5, "{}", runtime.most_waiting());
}
