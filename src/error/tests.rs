use std::time::Duration;

use serde_json::{Value, json};

use super::Error;
use crate::dialect::Dialect;
use crate::secret::{Hidden, Secret};
use crate::trace::Trace;
use crate::verdict::Said;

fn said(message: &str, code: Option<&str>) -> Said {
    Said { message: message.to_owned(), kind: None, param: None, code: code.map(str::to_owned), request: None }
}

/// Status, `type`, `code`, `param`, and all header fields.
type Told = (u16, &'static str, Option<&'static str>, Option<&'static str>, &'static [(&'static str, &'static str)]);

const NEVER: &[(&str, &str)] = &[("x-should-retry", "false")];

/// The contract's table of errors, row by row, and what else the gateway says by itself.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of all errors")]
fn every_error_is_told_as_the_contract_has_it() {
    let secs = Duration::from_secs;
    let message = "m";
    let (request, server, limit) = ("invalid_request_error", "server_error", "rate_limit_error");
    let rows: Vec<(&str, Error, Told)> = vec![
        ("no JSON", Error::invalid_request(None, message), (400, request, Some("invalid_request"), None, NEVER)),
        (
            "a field of the wrong type, a limit passed",
            Error::invalid_request(Some("stream"), message),
            (400, request, Some("invalid_request"), Some("stream"), NEVER),
        ),
        ("body larger than the limit", Error::request_too_large(10), (413, request, Some("request_too_large"), None, NEVER)),
        (
            "no key, or an unknown one",
            Error::invalid_api_key(message),
            (401, request, Some("invalid_api_key"), None, &[("x-should-retry", "false"), ("www-authenticate", "Bearer")]),
        ),
        ("not allowed for this key", Error::not_allowed(message), (403, request, Some("not_allowed"), Some("model"), NEVER)),
        (
            "unknown route, provider or model",
            Error::model_not_found(message),
            (404, request, Some("model_not_found"), Some("model"), NEVER),
        ),
        (
            "the provider refuses the request itself",
            Error::refused(422, Said { kind: Some("t".into()), param: Some("p".into()), ..said(message, Some("c")) }),
            (422, "t", Some("c"), Some("p"), NEVER),
        ),
        ("the provider refuses, without a code", Error::refused(400, said(message, None)), (400, request, None, None, NEVER)),
        (
            "every target refused for one client's reason",
            Error::refused(400, said(message, Some("context_length_exceeded"))),
            (400, request, Some("context_length_exceeded"), None, NEVER),
        ),
        (
            "every target was rate-limited",
            Error::rate_limited(Duration::from_millis(2_001)),
            (
                429,
                limit,
                Some("rate_limited"),
                None,
                &[("x-should-retry", "true"), ("retry-after", "3"), ("retry-after-ms", "2001")],
            ),
        ),
        (
            "every target was rate-limited, for just a minute",
            Error::rate_limited(secs(60)),
            (
                429,
                limit,
                Some("rate_limited"),
                None,
                &[("x-should-retry", "true"), ("retry-after", "60"), ("retry-after-ms", "60000")],
            ),
        ),
        (
            "every target was rate-limited, for a moment more",
            Error::rate_limited(secs(60) + Duration::from_micros(1)),
            (
                429,
                limit,
                Some("rate_limited"),
                None,
                &[("x-should-retry", "false"), ("retry-after", "61"), ("retry-after-ms", "60001")],
            ),
        ),
        (
            "no target has a closed circuit",
            Error::circuit_open(Duration::from_millis(100)),
            (
                503,
                server,
                Some("circuit_open"),
                None,
                &[("x-should-retry", "true"), ("retry-after", "1"), ("retry-after-ms", "100")],
            ),
        ),
        (
            "no target has a closed circuit, for minutes",
            Error::circuit_open(secs(300)),
            (
                503,
                server,
                Some("circuit_open"),
                None,
                &[("x-should-retry", "false"), ("retry-after", "300"), ("retry-after-ms", "300000")],
            ),
        ),
        ("every target failed", Error::upstream_failed(message), (502, server, Some("upstream_failed"), None, NEVER)),
        ("the deadline passed", Error::deadline_exceeded(message), (504, server, Some("deadline_exceeded"), None, NEVER)),
        // Elsewhere in the contract.
        ("only-if-cached without an entry", Error::cache_miss(), (504, request, Some("cache_miss"), None, NEVER)),
        ("a route left with no target", Error::no_target(&[]), (503, server, Some("no_target"), None, NEVER)),
        ("the configuration is wrong", Error::config_invalid(None), (500, server, Some("config_invalid"), None, NEVER)),
        (
            "the isolate is full",
            Error::busy(),
            (503, server, Some("busy"), None, &[("x-should-retry", "true"), ("retry-after", "1"), ("retry-after-ms", "1000")]),
        ),
        // Of HTTP's own.
        ("no such endpoint", Error::not_found("/v2"), (404, request, Some("not_found"), None, NEVER)),
        (
            "another method",
            Error::method_not_allowed("PUT", "GET, HEAD"),
            (405, request, Some("method_not_allowed"), None, &[("x-should-retry", "false"), ("allow", "GET, HEAD")]),
        ),
        ("the client has gone", Error::client_gone(), (499, request, Some("client_gone"), None, NEVER)),
    ];
    for (name, error, (status, kind, code, param, headers)) in rows {
        let body: Value = serde_json::from_str(&error.body(Dialect::Chat, &Trace::default())).unwrap();
        let text = body["error"]["message"].as_str().unwrap();
        assert!(!text.is_empty() && !text.ends_with('.'), "{name}: {text}");
        let expected = json!({ "error": { "message": text, "type": kind, "param": param, "code": code, "attempts": [] } });
        let got: Vec<_> = error.headers();
        let got: Vec<(&str, &str)> = got.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!((error.status(), body, got.as_slice()), (status, expected, headers), "{name}");
    }
}

#[test]
fn attempts_stand_in_the_body_and_not_in_an_event() {
    let mut trace = Trace::default();
    trace.push("openai/o3", "first_token_timeout", None, Duration::from_millis(5003));
    trace.push("a/b", "server_error", Some(500), Duration::from_millis(3));
    let error = Error::upstream_failed("a \"quoted\"\nword");
    let mut body = json!({ "error": {
        "message": "a \"quoted\"\nword",
        "type": "server_error",
        "param": null,
        "code": "upstream_failed",
        "attempts": [
            { "target": "openai/o3", "outcome": "first_token_timeout", "status": null, "milliseconds": 5003 },
            { "target": "a/b", "outcome": "server_error", "status": 500, "milliseconds": 3 },
        ],
    } });
    assert_eq!(serde_json::from_str::<Value>(&error.body(Dialect::Chat, &trace)).unwrap(), body);

    let event = String::from_utf8(error.event(Dialect::Chat, 0)).unwrap();
    let data = event.strip_prefix("data: ").and_then(|rest| rest.strip_suffix("\n\n")).unwrap();
    assert!(!data.contains(['\n', '\r']), "one frame of one line: {event}");
    let with = String::from_utf8(error.event_with(Dialect::Chat, &trace)).unwrap();
    assert_eq!(
        with,
        format!("data: {}\n\n", error.body(Dialect::Chat, &trace)),
        "but in one of a stream that nobody has answered"
    );
    body["error"].as_object_mut().unwrap().remove("attempts");
    assert_eq!(serde_json::from_str::<Value>(data).unwrap(), body);
}

/// OpenAI calls all that is wrong with a request by one name; Anthropic has several, by its status.
#[test]
fn anthropics_type_of_a_refusal_is_that_of_its_status() {
    let of = |status: u16, kind: &str| {
        let error = Error::refused(status, Said { kind: Some(kind.to_owned()), ..said("m", None) });
        let body: Value = serde_json::from_str(&error.body(Dialect::Messages, &Trace::default())).unwrap();
        body["error"]["type"].as_str().unwrap().to_owned()
    };
    let rows = [
        (400, "invalid_request_error", "invalid_request_error"),
        (404, "invalid_request_error", "not_found_error"),
        (413, "invalid_request_error", "request_too_large"),
        (422, "invalid_request_error", "invalid_request_error"),
        (400, "request_too_large", "request_too_large"),
        (400, "a word of its own", "invalid_request_error"),
    ];
    for (status, kind, told) in rows {
        assert_eq!(of(status, kind), told, "{status} {kind}");
    }
}

#[test]
fn a_refusals_status_is_the_providers_where_it_says_so() {
    let rows = [
        (400, 400),
        (401, 400),
        (402, 400),
        (407, 400),
        (408, 400),
        (409, 400),
        (429, 400),
        (403, 403),
        (404, 404),
        (413, 413),
        (422, 422),
        (451, 451),
        (499, 400),
        (0, 400),
        (200, 400),
        (302, 400),
        (500, 400),
        (65_535, 400),
    ];
    for (theirs, ours) in rows {
        assert_eq!(Error::refused(theirs, said("m", None)).status(), ours, "{theirs}");
    }
}

#[test]
fn a_providers_words_are_passed_on_less_the_secrets_in_them() {
    let long = "x".repeat(100_000);
    for message in ["Incorrect: sk-1 \u{0} é \"q\"\n", &long] {
        let [refused, streamed] = [Error::refused(400, said(message, None)), Error::said_in_stream(said(message, None))];
        for error in [refused, streamed] {
            let body: Value = serde_json::from_str(&error.body(Dialect::Chat, &Trace::default())).unwrap();
            assert_eq!(body["error"]["message"], message);
        }
    }
    let all = |text: &str| Said {
        message: text.to_owned(),
        kind: Some(text.to_owned()),
        param: Some(text.to_owned()),
        code: Some(text.to_owned()),
        request: Some(("request-id", text.to_owned())),
    };
    let hidden = Hidden::new([Secret::new("sk-12345678")].iter(), "http://a.test:1/v1", false);
    assert_eq!(all("a sk-12345678").without(&hidden), all("a (a key)"));
    assert_eq!(said("sk-12345678 at a.test:1", None).without(&hidden), said("(a key) at (the provider's address)", None));
    assert_eq!(
        [Error::refused(400, Said::default()), Error::said_in_stream(Said::default())].map(|error| error.message),
        ["the provider refused the request, and did not say why", "the provider's stream failed, and it did not say why"]
    );
}

#[test]
fn messages_name_what_is_allowed() {
    let rows = [
        (
            Error::rate_limited(Duration::from_millis(89_001)),
            "every target is rate-limited; the first may be asked again in 1m 30s",
        ),
        (
            Error::circuit_open(Duration::from_secs(5)),
            "every target has failed lately and is left alone; the first is tried again in 5s",
        ),
        (
            Error::no_target(&["A_KEY".to_owned(), "B_KEY".to_owned()]),
            "no target of this route has its secret; setting one of these would help: A_KEY, B_KEY",
        ),
        (Error::method_not_allowed("PUT", "POST"), "this endpoint takes POST; the method is PUT"),
        (
            Error::not_found("/v2"),
            "there is POST /v1/chat/completions, /v1/completions, /v1/responses, /v1/messages and /v1/messages/count_tokens, GET /v1/models, GET /status, GET /health, but nothing at /v2",
        ),
        (Error::config_invalid(Some("routes.a: x")), "the gateway's configuration is wrong:\nroutes.a: x"),
        (Error::request_too_large(10), "the body is larger than the 10 bytes that this gateway takes"),
    ];
    for (error, message) in rows {
        assert_eq!(error.message, message);
    }
    // A wait of any length can be told.
    assert!(Error::circuit_open(Duration::MAX).message.len() < 200);
}

#[test]
fn what_a_client_sent_is_quoted_within_bounds() {
    let long = "é".repeat(1 << 20);
    let quoting = [
        Error::invalid_request(None, long.clone()),
        Error::model_not_found(long.clone()),
        Error::not_allowed(long.clone()),
        Error::not_found(&long),
        Error::method_not_allowed(&long, "POST"),
    ];
    for error in quoting {
        assert!(error.message.len() <= super::MAX_MESSAGE + '…'.len_utf8(), "{error:.100?}");
        assert!(error.message.ends_with("é…"), "{error:.100?}");
    }
    assert_eq!(Error::config_invalid(Some(&long)).message.len(), "the gateway's configuration is wrong:\n".len() + long.len());
}

#[test]
fn a_stale_answer_is_better_than_no_answer_and_never_hides_a_wrong_request() {
    let wait = Duration::from_secs(1);
    let better = [
        Error::rate_limited(wait),
        Error::circuit_open(wait),
        Error::no_target(&[]),
        Error::upstream_failed("m"),
        Error::deadline_exceeded("m"),
    ];
    let worse = [
        Error::invalid_request(None, "m"),
        Error::request_too_large(1),
        Error::invalid_api_key("m"),
        Error::not_allowed("m"),
        Error::model_not_found("m"),
        Error::not_found("m"),
        Error::method_not_allowed("m", "GET"),
        Error::refused(400, Said::default()),
        Error::busy(),
        Error::cache_miss(),
        Error::config_invalid(None),
        Error::client_gone(),
    ];
    for (errors, stale) in [(better.as_slice(), true), (worse.as_slice(), false)] {
        for error in errors {
            assert_eq!(error.may_be_stale(), stale, "{error:?}");
        }
    }
}
