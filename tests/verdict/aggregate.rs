//! What the client is told when no target answered: the contract's "Errors", for every mixture.

use std::time::Duration;

use breakwater::breaker::{Refusal, Why};
use breakwater::dialect::Dialect;
use breakwater::error::Error;
use breakwater::http::Headers;
use breakwater::time::Timestamp;
use breakwater::trace::Trace;
use breakwater::verdict::{About, Evidence, Fault, Verdict, aggregate, judge};
use serde_json::Value;

use super::NOW;

/// Something that can become of an attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Came {
    Failed,
    Unreachable,
    TimedOut,
    Limited(u64),
    KeyRefused,
    NoQuota,
    NotThere,
    NotThereDirect,
    TooLong,
    CannotDo,
    /// An answer that is not what was demanded.
    Wrong,
    /// A provider that would not have the schema.
    NoSchema,
    Refused,
    Flagged,
    Gone,
}

const EVERY: [Came; 15] = [
    Came::Failed,
    Came::Unreachable,
    Came::TimedOut,
    Came::Limited(7),
    Came::KeyRefused,
    Came::NoQuota,
    Came::NotThere,
    Came::NotThereDirect,
    Came::TooLong,
    Came::CannotDo,
    Came::Wrong,
    Came::NoSchema,
    Came::Refused,
    Came::Flagged,
    Came::Gone,
];

fn verdict(came: Came, target: &str) -> Verdict {
    let mut headers = Headers::new();
    let told =
        |message: &str, code: &str| format!(r#"{{"error":{{"message":"{message}","type":"t","param":"p","code":"{code}"}}}}"#);
    let (status, body) = match came {
        Came::Failed => (500, String::new()),
        Came::Limited(seconds) => {
            headers.push("retry-after", seconds.to_string());
            (429, told("slow down", "rate_limit_exceeded"))
        }
        Came::KeyRefused => (401, told("bad key", "invalid_api_key")),
        Came::NoQuota => (402, told("pay", "insufficient_quota")),
        Came::NotThere | Came::NotThereDirect => (404, told("gone", "model_not_found")),
        Came::TooLong => (400, told("too long", "context_length_exceeded")),
        Came::CannotDo => (400, told("cannot", "unsupported_value")),
        Came::Refused => (422, told("wrong", "invalid_value")),
        Came::NoSchema => (400, told("bad schema", "invalid_json_schema")),
        Came::Wrong => (200, told("at /age: expected an integer", "")),
        Came::Flagged => (400, told("flagged", "content_filter")),
        Came::Unreachable | Came::TimedOut | Came::Gone => (0, String::new()),
    };
    let evidence = match came {
        Came::Unreachable => Evidence::Connect,
        Came::TimedOut => Evidence::Timeout { fair: true, first_token: true },
        Came::Gone => Evidence::ClientGone,
        _ => Evidence::Status { status, headers: &headers, body: &body },
    };
    let mut verdict = judge(&About { target, model: "m", direct: came == Came::NotThereDirect }, &evidence, NOW);
    // What is known only to who knows what was demanded.
    let by_demand = match came {
        Came::Wrong => Some(Fault::Unsatisfied),
        Came::NoSchema => Some(Fault::SchemaRefused),
        _ => None,
    };
    if let Some(fault) = by_demand {
        (verdict.fault, verdict.next) = (fault, fault.next(false));
    }
    verdict
}

fn refusal(why: Why, seconds: u64) -> Refusal {
    Refusal { until: NOW + Duration::from_secs(seconds), why }
}

fn told(came: &[Came], refusals: &[Refusal], late: bool) -> Error {
    let verdicts: Vec<Verdict> = came.iter().enumerate().map(|(nth, came)| verdict(*came, &format!("p{nth}/m"))).collect();
    aggregate(&verdicts, refusals, late, NOW)
}

fn object(error: &Error) -> Value {
    serde_json::from_str::<Value>(&error.body(Dialect::Chat, &Trace::default())).unwrap()["error"].clone()
}

fn field(error: &Error, name: &str) -> Option<String> {
    error.headers().into_iter().find(|(field, _)| *field == name).map(|(_, value)| value)
}

/// Status, code, and the seconds of `retry-after`, worked out from the contract's sentence about mixtures.
fn expected(came: &[Came], refusals: &[Refusal], late: bool) -> (u16, &'static str, Option<u64>) {
    let has = |what: Came| came.contains(&what);
    let all = |what: &[Came]| came.iter().all(|one| what.contains(one));
    let seconds = |refusal: &Refusal| refusal.until.since(NOW).as_secs();
    if has(Came::Gone) {
        return (499, "client_gone", None);
    }
    if late {
        return (504, "deadline_exceeded", None);
    }
    // Who refused last is the one whose words are passed on.
    if let Some(last) = came.iter().rev().find(|one| matches!(one, Came::Refused | Came::Flagged | Came::NotThereDirect)) {
        return match last {
            Came::Refused => (422, "invalid_value", None),
            Came::Flagged => (400, "content_filter", None),
            _ => (404, "model_not_found", None),
        };
    }
    let everyone_is_limited = all(&[Came::Limited(7)]) && refusals.iter().all(|refusal| refusal.why == Why::Cooling);
    if everyone_is_limited && !(came.is_empty() && refusals.is_empty()) {
        let soonest = came.iter().map(|_| 7).chain(refusals.iter().map(seconds)).min();
        return (429, "rate_limited", soonest);
    }
    // Who could have answered is left alone; what others cannot do does not make the request wrong.
    let cannot = all(&[Came::TooLong, Came::CannotDo, Came::NoSchema]);
    if came.is_empty() || cannot && !refusals.is_empty() {
        return (503, "circuit_open", Some(refusals.iter().map(seconds).min().unwrap_or(1)));
    }
    if has(Came::Wrong) {
        return (422, "schema_unsatisfied", None);
    }
    if cannot {
        return match came.last() {
            Some(Came::TooLong) => (400, "context_length_exceeded", None),
            Some(Came::NoSchema) => (400, "invalid_json_schema", None),
            _ => (400, "unsupported_parameter", None),
        };
    }
    (502, "upstream_failed", None)
}

#[test]
fn every_mixture() {
    let mut attempts: Vec<Vec<Came>> = vec![vec![]];
    for first in EVERY {
        attempts.push(vec![first]);
        for second in EVERY {
            attempts.push(vec![first, second]);
            attempts.extend(EVERY.map(|third| vec![first, second, third]));
        }
    }
    let refusals = [
        vec![],
        vec![refusal(Why::CircuitOpen, 9)],
        vec![refusal(Why::Cooling, 3)],
        vec![refusal(Why::Cooling, 90), refusal(Why::Cooling, 80)],
        vec![refusal(Why::CircuitOpen, 5), refusal(Why::Cooling, 40)],
    ];
    for came in &attempts {
        for refusals in &refusals {
            for late in [false, true] {
                let name = format!("{came:?}, {refusals:?}, late: {late}");
                let error = told(came, refusals, late);
                let (status, code, seconds) = expected(came, refusals, late);
                assert_eq!(error.status(), status, "{name}");
                assert_eq!(object(&error)["code"], code, "{name}");
                assert_eq!(field(&error, "retry-after"), seconds.map(|seconds| seconds.to_string()), "{name}");
                let retry = seconds.is_some_and(|seconds| seconds <= 60);
                assert_eq!(field(&error, "x-should-retry"), Some(retry.to_string()), "{name}");
            }
        }
    }
}

/// A provider's words are passed on where they are about the request, and nowhere else.
#[test]
fn whose_words() {
    let rows: [(&str, &[Came], [Value; 4]); 6] = [
        (
            "a schema that nobody would have",
            &[Came::NoSchema],
            ["bad schema".into(), "t".into(), "p".into(), "invalid_json_schema".into()],
        ),
        ("a refusal", &[Came::Failed, Came::Refused], ["wrong".into(), "t".into(), "p".into(), "invalid_value".into()]),
        (
            "the last of two",
            &[Came::Refused, Came::Flagged],
            ["flagged".into(), "t".into(), "p".into(), "content_filter".into()],
        ),
        (
            "too long for all",
            &[Came::TooLong; 2],
            ["too long".into(), "t".into(), "p".into(), "context_length_exceeded".into()],
        ),
        ("a target that was named", &[Came::NotThereDirect], ["gone".into(), "t".into(), "p".into(), "model_not_found".into()]),
        (
            "failures",
            &[Came::KeyRefused, Came::Unreachable, Came::Failed],
            [
                "every target failed: p0/m key_refused (status 401); p1/m connect_failed; p2/m server_error (status 500)"
                    .into(),
                "server_error".into(),
                Value::Null,
                "upstream_failed".into(),
            ],
        ),
    ];
    for (name, came, expected) in rows {
        let object = object(&told(came, &[], false));
        assert_eq!(["message", "type", "param", "code"].map(|key| object[key].clone()), expected, "{name}");
    }
    let late = object(&told(&[Came::TimedOut, Came::Refused], &[], true));
    assert_eq!(late["message"], "the deadline passed: p0/m first_token_timeout; p1/m refused (status 422)");
    let unasked = object(&told(&[], &[], true));
    assert_eq!(unasked["message"], "the deadline passed before anyone could be asked");
}

/// When to come again: rounded up, never at once, and a limit that does not say how long is one of ten seconds.
#[test]
fn when_to_come_again() {
    let limited = |seconds: u64| verdict(Came::Limited(seconds), "p/m");
    let unsaid = Verdict { wait: None, ..limited(1) };
    let at = |millis: u64| Refusal { until: Timestamp::from_millis(NOW.as_millis() + millis), why: Why::Cooling };
    let rows: [(&str, Vec<Verdict>, Vec<Refusal>, &str); 7] = [
        ("the sooner of two", vec![limited(9), limited(4)], vec![], "4000"),
        ("one that is not asked at all is sooner", vec![limited(9)], vec![at(1_500)], "1500"),
        ("not said", vec![unsaid.clone()], vec![], "10000"),
        ("not said, and a longer one", vec![limited(200), unsaid], vec![], "10000"),
        ("now", vec![], vec![at(0)], "100"),
        ("in the past", vec![], vec![Refusal { until: NOW - Duration::from_secs(5), why: Why::Cooling }], "100"),
        ("nearly five minutes", vec![], vec![at(299_001)], "299001"),
    ];
    for (name, verdicts, refusals, millis) in rows {
        assert!(verdicts.iter().all(|verdict| verdict.fault == Fault::RateLimited), "{name}");
        let error = aggregate(&verdicts, &refusals, false, NOW);
        assert_eq!((error.status(), field(&error, "retry-after-ms").as_deref()), (429, Some(millis)), "{name}");
        let seconds = millis.parse::<u64>().unwrap().div_ceil(1000).to_string();
        assert_eq!(field(&error, "retry-after"), Some(seconds), "{name}");
    }
}
