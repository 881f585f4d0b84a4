//! What a client is told of its providers, and what not.

use std::rc::Rc;

use breakwater::gateway::Gateway;
use breakwater::http::{Headers, Request};
use breakwater::runtime::{Ending, Script, ScriptHead};
use serde_json::{Value, json};

use crate::pair;
use crate::upstreams::{chunk, completion, error, error_body, limits, ms, says, streams};
use crate::world::{self, World, ask, chat};

/// An answer with these header fields.
fn reply(status: u16, fields: &[(&'static str, &str)], text: &str) -> Script {
    let headers: Headers = fields.iter().copied().collect();
    let pieces = vec![(ms(0), text.as_bytes().to_vec())];
    Script { head_after: ms(1), head: ScriptHead::Answer(status, headers), pieces, ending: Ending::Eof }
}

const PLAIN: &[(&str, &str)] = &[("content-type", "text/plain; charset=utf-8")];

fn message(text: &str) -> String {
    let error: Value = serde_json::from_str(text).unwrap();
    error["error"]["message"].as_str().unwrap().to_owned()
}

/// What a status says that is not about the request ends nothing: the next target is asked, and only if all say so the client is told, by a status of ours.
#[test]
fn a_status_that_is_not_about_the_request_asks_the_next_target() {
    for status in [405, 406, 407, 409, 410, 418, 421, 423, 424, 425, 426, 428, 431, 451, 499] {
        for text in ["", "No.", r#"{"error":{"message":"no","type":"invalid_request_error","param":null,"code":null}}"#] {
            let refuses = || vec![reply(status, PLAIN, text)];
            let (world, gateway) = pair::world("", refuses(), vec![says(1, "B")]);
            let (told, headers, _) = ask(&world, &gateway, chat(&pair::body(false), &[]));
            assert_eq!((told, headers.get("x-breakwater-target")), (200, Some("b/two")), "{status} {text}");
            let (world, gateway) = pair::world("", refuses(), refuses());
            let (told, _, text) = ask(&world, &gateway, chat(&pair::body(false), &[]));
            let error: Value = serde_json::from_str(&text).unwrap();
            assert_eq!((told, &error["error"]["code"]), (502, &json!("upstream_failed")), "{status}");
        }
    }
}

/// A provider that answers in plain text is passed on like any other.
#[test]
fn plain_text_is_passed_on_word_for_word() {
    let long = "too hot ".repeat(2_000);
    let html = "<!DOCTYPE html><html><body>Bad Request</body></html>";
    let unsaid = "the provider refused the request, and did not say why";
    let rows: [(&str, &str, &str); 7] = [
        ("a sentence", "Invalid temperature: must be below 2\n", "Invalid temperature: must be below 2"),
        ("lines", "Invalid:\n\ttemperature\r\n", "Invalid:\n\ttemperature"),
        ("a page", html, unsaid),
        ("a page after a blank", "\n  <html>no</html>", unsaid),
        ("half an object", r#"{"error":{"mess"#, unsaid),
        ("no text", "\u{1}\u{2}\u{fffd}", unsaid),
        ("a long one", &long, &format!("{}…", &long[..4096])),
    ];
    for (name, text, told) in rows {
        let (world, gateway) = pair::world("", vec![reply(400, PLAIN, text)], vec![]);
        let (status, _, text) = ask(&world, &gateway, chat(&pair::body(false), &[]));
        assert_eq!((status, message(&text).as_str()), (400, told), "{name}");
    }
}

/// A provider on a private address with two keys, the second of which JSON writes otherwise, and one on its preset's own.
fn guarded(script: Script) -> (Rc<World>, Rc<Gateway>) {
    let config = "[providers.a]\nprotocol = \"openai\"\nbase_url = \"http://llm.internal.test:8443/team/v1\"\nkeys = [\"ONE\", \"TWO\"]\n\
                  [providers.openrouter]\n\
                  [routes.r]\ntargets = [\"a/one\"]\n[routes.public]\ntargets = [\"openrouter/m\"]\n";
    let world = World::new(7);
    *world.upstream.borrow_mut() = Box::new(move |_| script.clone());
    (
        world,
        world::gateway(config, &[("ONE", "sk-first-key"), ("TWO", "sk-\"second\\key"), ("OPENROUTER_API_KEY", "sk-or-key-1")]),
    )
}

#[test]
fn no_address_and_no_key_is_in_a_message() {
    let at = "(the provider's address)";
    let rows: [(&str, &str, &str, String); 13] = [
        (
            "its URL",
            "r",
            "cannot POST http://llm.internal.test:8443/team/v1/chat/completions",
            format!("cannot POST {at}/chat/completions"),
        ),
        ("its origin", "r", "see http://llm.internal.test:8443/docs.", format!("see {at}/docs.")),
        ("its host and port", "r", "no route to llm.internal.test:8443", format!("no route to {at}")),
        ("its host", "r", "cannot resolve llm.internal.test.", format!("cannot resolve {at}.")),
        ("in capitals", "r", "cannot resolve LLM.Internal.Test", format!("cannot resolve {at}")),
        (
            "another host",
            "r",
            "see https://docs.llm.internal.test and llm.internal.tests",
            "see https://docs.llm.internal.test and llm.internal.tests".into(),
        ),
        ("another port", "r", "llm.internal.test:84430", format!("{at}:84430")),
        ("its key", "r", "bad key sk-first-key", "bad key (a key)".into()),
        ("its other key", "r", r#"bad key sk-"second\key"#, "bad key (a key)".into()),
        ("its other key as JSON has it", "r", r#"bad header "sk-\"second\\key""#, "bad header \"(a key)\"".into()),
        (
            "a public address",
            "public",
            "POST https://openrouter.ai/api/v1/chat/completions",
            format!("POST {at}/chat/completions"),
        ),
        ("a public page", "public", "visit https://openrouter.ai/docs", "visit https://openrouter.ai/docs".into()),
        ("a public host", "public", "visit openrouter.ai.", "visit openrouter.ai.".into()),
    ];
    for (name, route, said, told) in &rows {
        for script in [error(1, 400, "invalid_value", said), reply(400, PLAIN, said)] {
            let (world, gateway) = guarded(script);
            let (status, _, text) =
                ask(&world, &gateway, chat(&pair::body(false).replace("\"r\"", &format!("\"{route}\"")), &[]));
            assert_eq!((status, &message(&text)), (400, told), "{name}");
        }
    }
}

#[test]
fn nor_in_an_error_event() {
    let said = "lost http://llm.internal.test:8443/team/v1 with sk-\"second\\key";
    let events = vec![chunk(&json!({ "content": "x" }), None), format!("data: {}\n\n", error_body("x", said))];
    let (world, gateway) = guarded(streams(1, 10, events, Ending::Eof));
    let (_, _, text) = ask(&world, &gateway, chat(&pair::body(true), &[]));
    let last = pair::last(&text).strip_prefix("data: ").unwrap();
    assert_eq!(message(last), "lost (the provider's address) with (a key)");
}

/// Header fields that come down are small, and hold neither.
#[test]
fn header_fields_that_come_down() {
    let (big, fits) = ("x".repeat(1_025 - "x-ratelimit-big".len()), "y".repeat(1_024 - "x-ratelimit-fits".len()));
    let fields = [
        ("content-type", "application/json"),
        ("x-ratelimit-limit-requests", "60"),
        ("x-ratelimit-key", "sk-\"second\\key of llm.internal.test:8443"),
        ("x-ratelimit-big", &big),
        ("x-ratelimit-fits", &fits),
        ("request-id", "req_sk-first-key"),
        ("x-request-id", "up_sk-first-key"),
        ("x-other", "stays"),
    ];
    let (world, gateway) = guarded(reply(200, &fields, &completion("A")));
    let (status, headers, _) = ask(&world, &gateway, chat(&pair::body(false), &[]));
    assert_eq!(status, 200);
    let rows = [
        ("x-ratelimit-limit-requests", Some("60")),
        ("x-ratelimit-key", Some("(a key) of (the provider's address)")),
        ("x-ratelimit-big", None),
        ("x-ratelimit-fits", Some(fits.as_str())),
        ("request-id", Some("req_(a key)")),
        ("x-upstream-request-id", Some("up_(a key)")),
        ("x-other", None),
    ];
    for (name, value) in rows {
        assert_eq!(headers.get(name), value, "{name}");
    }
}

/// Whoever asks a provider's support for a refused request needs its name there, and SDKs tell it (`err.requestID`).
#[test]
fn a_refusal_has_the_providers_name_of_the_request() {
    let rows: [(&[(&str, &str)], Option<&str>, Option<&str>); 4] = [
        (&[("request-id", "req_1")], Some("req_1"), None),
        (&[("x-request-id", "up_1")], None, Some("up_1")),
        (&[("request-id", "req_sk-first-key")], Some("req_(a key)"), None),
        (&[], None, None),
    ];
    for (fields, own, upstream) in rows {
        for text in ["", r#"{"error":{"message":"no","type":"invalid_request_error"}}"#] {
            let (world, gateway) = guarded(reply(400, fields, text));
            let (status, headers, _) = ask(&world, &gateway, chat(&pair::body(false), &[]));
            assert_eq!(status, 400, "{fields:?}");
            assert_eq!((headers.get("request-id"), headers.get("x-upstream-request-id")), (own, upstream), "{fields:?}");
        }
    }
}

#[test]
fn header_fields_that_come_down_have_a_limit_together() {
    let fields: Vec<(&'static str, &str)> = (0..100).map(|_| ("x-ratelimit-more", "z")).collect();
    let many = "z".repeat(1_000);
    let fields: Vec<(&'static str, &str)> = fields.into_iter().map(|(name, _)| (name, many.as_str())).collect();
    let (world, gateway) = guarded(reply(200, &fields, &completion("A")));
    let (status, headers, _) = ask(&world, &gateway, chat(&pair::body(false), &[]));
    let sent: usize =
        headers.iter().filter(|(name, _)| *name == "x-ratelimit-more").map(|(name, value)| name.len() + value.len()).sum();
    assert_eq!((status, sent), (200, 8 * 1_016));
}

/// A limit that is over at once is no limit, and cools all the same: otherwise client and gateway would ask in a loop.
#[test]
fn a_limit_that_ends_at_once_still_takes_a_second() {
    let (world, gateway) = pair::world("", vec![limits(1, "0")], vec![limits(1, "0")]);
    let (status, headers, _) = ask(&world, &gateway, chat(&pair::body(false), &[]));
    let told = |name| headers.get(name);
    assert_eq!((status, told("retry-after"), told("retry-after-ms")), (429, Some("1"), Some("1000")));
    assert_eq!(told("x-should-retry"), Some("true"));
    let asked = world.calls.borrow().len();
    let (again, ..) = ask(&world, &gateway, chat(&pair::body(false), &[]));
    assert_eq!((again, world.calls.borrow().len()), (429, asked), "nobody is asked meanwhile");
    world.run_until(world.elapsed() + ms(1_100));
    ask(&world, &gateway, chat(&pair::body(false), &[]));
    assert!(world.calls.borrow().len() > asked);
}

fn get(path: &str) -> Request {
    Request { method: "GET".to_owned(), path: path.to_owned(), host: "localhost".to_owned(), ..Request::default() }
}

/// A model's name in a path, as SDKs escape it.
#[test]
fn a_models_name_is_decoded() {
    let config = "[providers.a]\nprotocol = \"openai\"\nbase_url = \"http://a.test/v1\"\n\
                  [routes.\"r@(1)\"]\ntargets = [\"a/@cf/meta:8b\"]";
    let (world, gateway) = (World::new(1), world::gateway(config, &[]));
    let rows = [
        ("a slash", "a%2F@cf%2fmeta:8b", Ok("a/@cf/meta:8b")),
        ("as it is", "a/@cf/meta:8b", Ok("a/@cf/meta:8b")),
        ("everything", "a%2F%40cf%2Fmeta%3A8b", Ok("a/@cf/meta:8b")),
        ("a route", "r%40%281%29", Ok("r@(1)")),
        ("one that no route lists", "a%2Fother", Ok("a/other")),
        ("letters", "gr%C3%BC%C3%9Fe%2Fm", Err("grüße/m")),
        ("unknown", "no%20such%2Fm", Err("no such/m")),
        ("no UTF-8", "%FF%2Fm", Err("%FF%2Fm")),
        ("no escapes", "100%zz%2", Err("100%zz%2")),
        ("once", "a%252Fm", Err("a%2Fm")),
    ];
    for (name, path, expected) in rows {
        let (status, _, text) = ask(&world, &gateway, get(&format!("/v1/models/{path}")));
        let body: Value = serde_json::from_str(&text).unwrap();
        match expected {
            Ok(id) => assert_eq!((status, &body["id"]), (200, &json!(id)), "{name}"),
            Err(shown) => {
                assert_eq!(status, 404, "{name}");
                assert!(message(&text).starts_with(&format!("the model '{shown}' ")), "{name}: {text}");
            }
        }
    }
}
