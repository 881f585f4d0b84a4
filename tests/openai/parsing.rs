//! What is refused before anything goes upstream, in which words, and what is found in a request.

use breakwater::dialect::Dialect;
use breakwater::envelope::Envelope;
use breakwater::error::Error;
use breakwater::trace::Trace;
use serde_json::{Value, json};

fn object(error: &Error) -> Value {
    serde_json::from_str::<Value>(&error.body(Dialect::Chat, &Trace::default())).unwrap()["error"].clone()
}

/// A request with these members beside a model and messages.
fn with(members: &str) -> String {
    format!(r#"{{"model":"m","messages":[]{members}}}"#)
}

#[test]
fn what_is_refused() {
    let only = |members: &str| format!("{{{members}}}");
    let model = |value: &str| format!(r#"{{"messages":[],"model":{value}}}"#);
    let models = |value: &str| format!(r#"{{"messages":[],"models":{value}}}"#);
    let messages = |value: &str| format!(r#"{{"model":"m","messages":{value}}}"#);
    let nine = json!(["a", "b", "c", "d", "e", "f", "g", "h", "i"]).to_string();
    let name = "a string that is not empty";
    let count = |count: usize| format!("'models' holds {count} names; it takes 1 to 8, none of them empty");
    let no_object = |found: &str| format!("the body is {found}; it takes a JSON object");
    let wrong = |name: &str, found: &str, allowed: &str| format!("'{name}' is {found}; it takes {allowed}");
    let usage = "an object whose 'include_usage' is true or false";
    let twice = |name: &str| format!("'{name}' is there twice, and what it means is anybody's guess");
    let rows: Vec<(&str, String, Option<&str>, String)> = vec![
        ("nothing", String::new(), None, "the body is empty; it takes a JSON object".into()),
        ("white space", " \r\n\t".into(), None, "the body is empty; it takes a JSON object".into()),
        ("an array", "[]".into(), None, no_object("an array")),
        ("an array that looks like the members", r#" ["m",null,[]]"#.into(), None, no_object("an array")),
        ("an array of a request", format!("[{}]", with("")), None, no_object("an array")),
        ("null", "null".into(), None, no_object("null")),
        ("a number", " 1".into(), None, no_object("a number")),
        ("a text", "\"x\"".into(), None, no_object("a string")),
        ("a boolean", "true".into(), None, no_object("a boolean")),
        ("no model", only(r#""messages":[]"#), Some("model"), "'model' is missing; it names a route or a target".into()),
        ("an empty object", "{}".into(), Some("model"), "'model' is missing; it names a route or a target".into()),
        ("a model that is null", model("null"), Some("model"), "'model' is missing; it names a route or a target".into()),
        ("a model that is a number", model("1"), Some("model"), wrong("model", "a number", name)),
        ("a negative number", model("-1"), Some("model"), wrong("model", "a number", name)),
        ("an empty model", model("\"\""), Some("model"), wrong("model", "an empty string", name)),
        ("a model that is an array", model("[\"m\"]"), Some("model"), wrong("model", "an array", name)),
        ("a model that is an object", model("{}"), Some("model"), wrong("model", "an object", name)),
        ("a model that is half a character", model(r#""\ud800""#), Some("model"), wrong("model", "a string", name)),
        ("no models", models("[]"), Some("models"), count(0)),
        ("nine models", models(&nine), Some("models"), count(9)),
        ("an empty one among them", models(r#"["a",""]"#), Some("models"), count(2)),
        ("a number among them", models(r#"["a",1]"#), Some("models"), wrong("models", "an array", "an array of strings")),
        ("models that are a text", models("\"a\""), Some("models"), wrong("models", "a string", "an array of strings")),
        ("models that are null", models("null"), Some("model"), "'model' is missing; it names a route or a target".into()),
        ("no messages", only(r#""model":"m""#), Some("messages"), "'messages' is missing; it takes an array".into()),
        ("messages that are null", messages("null"), Some("messages"), "'messages' is missing; it takes an array".into()),
        ("messages that are a text", messages("\"hi\""), Some("messages"), wrong("messages", "a string", "an array")),
        ("messages that are an object", messages("{}"), Some("messages"), wrong("messages", "an object", "an array")),
        ("a stream that is a text", with(r#","stream":"true""#), Some("stream"), wrong("stream", "a string", "true or false")),
        ("a stream that is a number", with(r#","stream":1"#), Some("stream"), wrong("stream", "a number", "true or false")),
        (
            "options that are a boolean",
            with(r#","stream_options":true"#),
            Some("stream_options"),
            wrong("stream_options", "a boolean", usage),
        ),
        (
            "options that are an array",
            with(r#","stream_options":[true]"#),
            Some("stream_options"),
            wrong("stream_options", "an array", usage),
        ),
        (
            "usage that is a number",
            with(r#","stream_options":{"include_usage":1}"#),
            Some("stream_options"),
            wrong("stream_options", "an object", usage),
        ),
        ("two models", with(r#","model":"n""#), Some("model"), twice("model")),
        ("two models, one of them escaped", with(r#","m\u006fdel":"n""#), Some("model"), twice("model")),
        ("two lists of models", with(r#","models":["a"],"models":["b"]"#), Some("models"), twice("models")),
        ("two lists of messages", with(r#","messages":[]"#), Some("messages"), twice("messages")),
        ("two wishes for a stream", with(r#","stream":true,"stream":false"#), Some("stream"), twice("stream")),
        ("two wishes that agree", with(r#","stream":true,"stream":true"#), Some("stream"), twice("stream")),
        ("two options", with(r#","stream_options":{},"stream_options":{}"#), Some("stream_options"), twice("stream_options")),
    ];
    for (name, body, param, message) in rows {
        let error = Envelope::parse(Dialect::Chat, &body).expect_err(name);
        let expected = json!({ "message": message, "type": "invalid_request_error", "param": param, "code": "invalid_request", "attempts": [] });
        assert_eq!((error.status(), object(&error)), (400, expected), "{name}");
    }
}

#[test]
fn what_is_not_json() {
    let rows: [(&str, String); 10] = [
        ("half of it", r#"{"model":"m""#.into()),
        ("something behind it", with("") + "x"),
        ("two of them", with("") + &with("")),
        ("a comma too many", with(",")),
        ("single quotes", "{'model':'m'}".into()),
        ("no quotes", "{model:1}".into()),
        ("a control character", "{\"model\":\"a\nb\",\"messages\":[]}".into()),
        ("a form", "model=m&messages=x".into()),
        ("a BOM", format!("\u{FEFF}{}", with(""))),
        ("NaN", with(r#","temperature":NaN"#)),
    ];
    for (name, body) in rows {
        let error = Envelope::parse(Dialect::Chat, &body).expect_err(name);
        let object = object(&error);
        assert_eq!(
            (error.status(), &object["param"], &object["code"]),
            (400, &Value::Null, &"invalid_request".into()),
            "{name}"
        );
        assert!(object["message"].as_str().unwrap().starts_with("the body is not JSON: "), "{name}: {object}");
    }
}

/// Deep JSON ends badly at providers, and wide JSON does not.
#[test]
fn nesting() {
    let nested =
        |depth: usize, open: &str, close: &str| with(&format!(r#","x":{}0{}"#, open.repeat(depth), close.repeat(depth)));
    let brackets = with(&format!(r#","x":"{}""#, "[{".repeat(500)));
    let escaped = with(&format!(r#","x":"\\\"{}\\""#, "[".repeat(500)));
    let wide = with(&format!(r#","x":[{}0]"#, "[],{},".repeat(5_000)));
    let rows: [(&str, String, bool); 9] = [
        ("as deep as may be", nested(127, "[", "]"), true),
        ("one deeper", nested(128, "[", "]"), false),
        ("objects as deep as may be", nested(127, r#"{"a":"#, "}"), true),
        ("objects one deeper", nested(128, r#"{"a":"#, "}"), false),
        ("far deeper", nested(500_000, "[", "]"), false),
        ("never closed", "[".repeat(1_000_000), false),
        ("brackets in a text", brackets, true),
        ("brackets in a text behind escapes", escaped, true),
        ("wide", wide, true),
    ];
    for (name, body, fine) in rows {
        match Envelope::parse(Dialect::Chat, &body) {
            Ok(_) => assert!(fine, "{name}"),
            Err(error) => {
                assert!(!fine, "{name}: {error:?}");
                let message = object(&error)["message"].as_str().unwrap().to_owned();
                let at = message
                    .strip_prefix("the JSON is nested more than 128 deep, at byte ")
                    .unwrap_or_else(|| panic!("{name}: {message}"));
                assert!(matches!(body.as_bytes()[at.parse::<usize>().unwrap()], b'[' | b'{'), "{name}");
            }
        }
    }
}

#[test]
fn what_is_found() {
    let rows: [(&str, String, &[&str], bool, bool); 14] = [
        ("a model", with(""), &["m"], false, false),
        ("a chain", r#"{"models":["a","b"],"messages":[]}"#.into(), &["a", "b"], false, false),
        ("both", with(r#","models":["a","b"]"#), &["m", "a", "b"], false, false),
        ("the model among them", with(r#","models":["a","m","b"]"#), &["m", "a", "b"], false, false),
        ("names that repeat", with(r#","models":["a","a","b","a"]"#), &["m", "a", "b"], false, false),
        (
            "eight of them",
            with(r#","models":["1","2","3","4","5","6","7","8"]"#),
            &["m", "1", "2", "3", "4", "5", "6", "7", "8"],
            false,
            false,
        ),
        ("an escaped name", r#"{"mod\u0065l":"a\/\u00e9\"b","messages":[]}"#.into(), &["a/é\"b"], false, false),
        ("a stream", with(r#","stream":true"#), &["m"], true, false),
        ("no stream", with(r#","stream":false"#), &["m"], false, false),
        ("a stream that is null", with(r#","stream":null"#), &["m"], false, false),
        ("with usage", with(r#","stream":true,"stream_options":{"include_usage":true}"#), &["m"], true, true),
        ("without", with(r#","stream":true,"stream_options":{"include_usage":false,"x":1}"#), &["m"], true, false),
        ("options that say nothing", with(r#","stream_options":{"include_usage":null}"#), &["m"], false, false),
        ("others twice", with(r#","x":1,"x":2"#), &["m"], false, false),
    ];
    for (name, body, names, stream, usage) in rows {
        let envelope = Envelope::parse(Dialect::Chat, &body).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(envelope.names().collect::<Vec<_>>(), names, "{name}");
        assert_eq!((envelope.stream, envelope.include_usage), (stream, usage), "{name}");
    }
}
