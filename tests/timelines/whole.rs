//! Answers that are not streamed: what the client gets, and when.

use crate::three::*;
use crate::upstreams::{error, error_body, hangs, limits, ms, refuses, says};
use crate::world::{ask, chat};
use breakwater::runtime::Script;
use serde_json::Value;

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
            [vec![crate::upstreams::json(5, 200, &error_body("server_error", "no"))], vec![says(5, "B")], none()],
            200,
            "B",
            &["a/one;error_in_body", "b/two;ok"],
            20,
        ),
        row(
            "an empty 200",
            "pair",
            [vec![crate::upstreams::json(5, 200, "")], vec![says(5, "B")], none()],
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
            [vec![crate::upstreams::json(5, 200, "<html>")], vec![says(5, "B")], none()],
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
