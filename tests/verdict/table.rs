//! The contract's table "Whose fault", fault by fault, and what else follows from one.

use std::time::Duration;

use breakwater::breaker::Outcome;
use breakwater::verdict::{Blame, Evidence, Fault, Next, Verdict, judge};

use super::{NOW, about};

/// The fault, whom it counts against, whom to ask next, and whether the same may be asked again.
const TABLE: &[(Fault, Blame, Next, bool)] = &[
    (Fault::ServerError, Blame::Model, Next::Target, true),
    (Fault::Overloaded, Blame::Model, Next::Target, true),
    (Fault::FirstTokenTimeout, Blame::Model, Next::Target, false),
    (Fault::Timeout, Blame::Model, Next::Target, false),
    (Fault::Cut, Blame::Model, Next::Target, true),
    (Fault::Empty, Blame::Model, Next::Target, true),
    (Fault::Garbage, Blame::Model, Next::Target, true),
    (Fault::ErrorInside, Blame::Model, Next::Target, true),
    (Fault::Unreachable, Blame::Provider, Next::Target, true),
    (Fault::RateLimited, Blame::CredentialForModel, Next::Key, true),
    (Fault::KeyRefused, Blame::Credential, Next::Key, false),
    (Fault::QuotaExhausted, Blame::Credential, Next::Key, false),
    (Fault::NoSuchModel, Blame::ModelAtOnce, Next::Target, false),
    (Fault::ContextLength, Blame::Nobody, Next::Target, false),
    (Fault::Unsupported, Blame::Nobody, Next::Target, false),
    (Fault::Declined, Blame::Nobody, Next::Target, false),
    (Fault::NotNow, Blame::Nobody, Next::Target, true),
    (Fault::UnfairTimeout, Blame::Nobody, Next::Target, false),
    (Fault::UnfairFirstToken, Blame::Nobody, Next::Target, false),
    (Fault::Refused, Blame::Nobody, Next::Stop, false),
    (Fault::ContentPolicy, Blame::Nobody, Next::Stop, false),
    (Fault::ClientGone, Blame::Nobody, Next::Stop, false),
    (Fault::Unsatisfied, Blame::Nobody, Next::Target, false),
    (Fault::SchemaRefused, Blame::Nobody, Next::Target, false),
];

/// That a verdict says what its fault's row has.
pub(crate) fn check(verdict: &Verdict, name: &str) {
    let (_, blame, next, _) = TABLE.iter().copied().find(|row| row.0 == verdict.fault).expect("every fault has a row");
    let outcome = match blame {
        // It has answered, if not what was demanded.
        Blame::Nobody if verdict.fault == Fault::Unsatisfied => Outcome::Success,
        Blame::Nobody => Outcome::Nothing,
        Blame::Model => Outcome::ModelFailed,
        Blame::Provider => Outcome::ProviderFailed,
        Blame::Credential => Outcome::CredentialRefused,
        Blame::CredentialForModel => Outcome::Cool(verdict.wait.unwrap_or(Duration::from_secs(10))),
        Blame::ModelAtOnce => Outcome::NoSuchModel,
    };
    assert_eq!((verdict.next, verdict.outcome()), (next, outcome), "{name}: {:?}", verdict.fault);
}

#[test]
fn every_fault() {
    for (fault, blame, next, retriable) in TABLE.iter().copied() {
        assert_eq!((fault.blame(), fault.next(false), fault.retriable()), (blame, next, retriable), "{fault:?}");
        // Who named the target himself is told that it is not there; nothing else depends on it.
        let direct = if fault == Fault::NoSuchModel { Next::Stop } else { next };
        assert_eq!(fault.next(true), direct, "{fault:?}");
        let code = match fault {
            Fault::ContextLength => Some("context_length_exceeded"),
            Fault::Unsupported => Some("unsupported_parameter"),
            Fault::NoSuchModel => Some("model_not_found"),
            _ => None,
        };
        assert_eq!(fault.client_code(), code, "{fault:?}");
        assert!(fault.word().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{fault:?}");
    }
    let mut words: Vec<&str> = TABLE.iter().map(|(fault, ..)| fault.word()).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), TABLE.len() - 2, "one word each, but whether a timeout was fair is nothing to people");
}

/// What is seen without a status.
#[test]
fn every_evidence() {
    let timeout = |fair, first_token| Evidence::Timeout { fair, first_token };
    let rows: [(&str, Evidence<'_>, Fault, Option<u16>); 11] = [
        ("no connection", Evidence::Connect, Fault::Unreachable, None),
        ("no first token", timeout(true, true), Fault::FirstTokenTimeout, None),
        ("no answer in its slice", timeout(true, false), Fault::Timeout, None),
        ("no first token in a slice too short", timeout(false, true), Fault::UnfairFirstToken, None),
        ("no answer in a slice too short", timeout(false, false), Fault::UnfairTimeout, None),
        ("cut", Evidence::Cut, Fault::Cut, None),
        ("empty", Evidence::Empty, Fault::Empty, Some(200)),
        ("garbage", Evidence::Garbage, Fault::Garbage, Some(200)),
        ("too large", Evidence::TooLarge, Fault::Garbage, Some(200)),
        ("an error inside", Evidence::ErrorInside { body: r#"{"error":{"message":"m"}}"# }, Fault::ErrorInside, Some(200)),
        ("the client has gone", Evidence::ClientGone, Fault::ClientGone, None),
    ];
    for (name, evidence, fault, status) in rows {
        let verdict = judge(&about("p/m-1", "m-1"), &evidence, NOW);
        assert_eq!((verdict.fault, verdict.status, verdict.wait), (fault, status, None), "{name}");
        assert_eq!(verdict.target, "p/m-1");
        let words = match status {
            Some(status) => format!("p/m-1 {} (status {status})", fault.word()),
            None => format!("p/m-1 {}", fault.word()),
        };
        assert_eq!(verdict.in_words(), words, "{name}");
        check(&verdict, name);
    }
}

/// Statuses whose bodies say nothing, each from 100 to 999 so that none is left out.
#[test]
fn every_status_alone() {
    for status in 100..1000_u16 {
        let expected = match status {
            401 | 403 => Fault::KeyRefused,
            402 => Fault::QuotaExhausted,
            404 | 410 => Fault::NoSuchModel,
            408 | 424 => Fault::ServerError,
            407 | 421 | 426 => Fault::Unreachable,
            409 | 423 | 425 | 428 => Fault::NotNow,
            429 => Fault::RateLimited,
            498 | 529 => Fault::Overloaded,
            400 | 413 | 422 => Fault::Refused,
            400..=499 => Fault::Declined,
            520..=527 | 530 => Fault::Unreachable,
            _ => Fault::ServerError,
        };
        for body in ["", " ", "null", "{}", "[]", "<html><body>no</body></html>", "{\"error\":{}}", "{\"error\":null}"] {
            let verdict = super::status("p", "m-1", status, &[], body);
            // A page is a firewall's, of which a client's words can be the reason.
            let expected = if status == 403 && body.starts_with('<') { Fault::Declined } else { expected };
            assert_eq!((verdict.fault, &verdict.said), (expected, &None), "{status} {body}");
        }
    }
}

/// What a body says in particular goes before what its status says, whichever that is.
#[test]
fn every_refusal_by_its_words() {
    let rows = [
        ("context length", r#"{"error":{"message":"m","code":"context_length_exceeded"}}"#, Fault::ContextLength),
        ("quota", r#"{"error":{"message":"m","code":"insufficient_quota"}}"#, Fault::QuotaExhausted),
        ("key", r#"{"error":{"message":"m","code":"invalid_api_key"}}"#, Fault::KeyRefused),
        ("model", r#"{"error":{"message":"m","code":"model_not_found"}}"#, Fault::NoSuchModel),
        ("policy", r#"{"error":{"message":"m","code":"content_filter"}}"#, Fault::ContentPolicy),
        ("feature", r#"{"error":{"message":"m","code":"unsupported_parameter"}}"#, Fault::Unsupported),
        ("in plain text", "This model's maximum context length is 8192 tokens.", Fault::ContextLength),
    ];
    for status in (400..500).filter(|status| ![401, 402, 408, 429, 498].contains(status)) {
        for (name, body, fault) in rows {
            assert_eq!(super::status("p", "m-1", status, &[], body).fault, fault, "{status}, {name}");
        }
    }
}

/// What a wait is read from, and for which faults it is believed.
#[test]
fn waits() {
    let quota = r#"{"error":{"message":"m","code":"insufficient_quota"}}"#;
    let rows: [(&str, u16, &[(&'static str, &str)], &str, Option<u64>); 12] = [
        ("a rate limit", 429, &[("retry-after", "7")], "", Some(7_000)),
        ("a rate limit that does not say", 429, &[], "", None),
        ("a rate limit of a day", 429, &[("retry-after", "86400")], "", Some(300_000)),
        ("in milliseconds", 429, &[("retry-after-ms", "250"), ("retry-after", "1")], "", Some(250)),
        ("a rate limit that is over at once", 429, &[("retry-after", "0")], "", Some(1_000)),
        ("the same in milliseconds", 429, &[("retry-after-ms", "0")], "", Some(1_000)),
        ("hardly a moment", 429, &[("retry-after-ms", "3")], "", Some(100)),
        ("at a point in time", 429, &[("retry-after", "Tue, 14 Nov 2023 22:13:50 GMT")], "", Some(30_000)),
        ("an overload", 503, &[("retry-after", "7")], r#"{"error":{"message":"overloaded"}}"#, Some(7_000)),
        ("a server's error", 500, &[("retry-after", "7")], "", Some(7_000)),
        ("a quota that is used up is not over then", 429, &[("retry-after", "7")], quota, None),
        ("a refusal", 400, &[("retry-after", "7")], "", None),
    ];
    for (name, status, fields, body, wait) in rows {
        assert_eq!(super::status("p", "m-1", status, fields, body).wait, wait.map(Duration::from_millis), "{name}");
    }
}
