//! What a target is sent, byte for byte.

use breakwater::dialect::Dialect;
use breakwater::envelope::{Envelope, encode};
use serde_json::{Map, Value, json};

fn fields(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn encoded(body: &str, model: &str, set: Value, force_usage: bool) -> String {
    encode(&Envelope::parse(Dialect::Chat, body).unwrap(), model, &fields(set), force_usage)
}

/// Numbers, escapes and spellings that a decoder would not give back.
const ODD: &str = r#""seed":123456789012345678901234567890,"x":1.10,"y":-0,"z":1e400,"w":"\u00e9\/\ud83d\ude00","v":{"b":1,"a":[ 1 , 2 ],"b":2}"#;

#[test]
fn where_only_the_model_changes_nothing_else_does() {
    let rows = [
        ("plain", r#"{"model":"m","messages":[]}"#.to_owned(), r#"{"model":"up/x","messages":[]}"#.to_owned()),
        (
            "white space",
            "\n{ \"messages\" : [ ] ,\r\n\t\"model\" : \"m\" , \"stream\" : true }\n ".to_owned(),
            "\n{ \"messages\" : [ ] ,\r\n\t\"model\" : \"up/x\" , \"stream\" : true }\n ".to_owned(),
        ),
        (
            "odd values",
            format!(r#"{{{ODD},"model":"m","messages":[{{"content":"\"model\":\"m\""}}]}}"#),
            format!(r#"{{{ODD},"model":"up/x","messages":[{{"content":"\"model\":\"m\""}}]}}"#),
        ),
        (
            "models elsewhere",
            r#"{"metadata":{"model":"m"},"model":"m","messages":["model"],"tools":[{"model":"m"}]}"#.to_owned(),
            r#"{"metadata":{"model":"m"},"model":"up/x","messages":["model"],"tools":[{"model":"m"}]}"#.to_owned(),
        ),
        (
            "an escaped name",
            r#"{"mod\u0065l":"m\u0041","messages":[]}"#.to_owned(),
            r#"{"mod\u0065l":"up/x","messages":[]}"#.to_owned(),
        ),
        (
            "others twice",
            r#"{"x":1,"model":"m","x":2,"messages":[]}"#.to_owned(),
            r#"{"x":1,"model":"up/x","x":2,"messages":[]}"#.to_owned(),
        ),
        (
            "usage is there",
            r#"{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#.to_owned(),
            r#"{"model":"up/x","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#.to_owned(),
        ),
    ];
    for (name, body, expected) in rows {
        for force_usage in [false, true] {
            // Only a stream is made to tell its usage.
            let forced = force_usage && body.contains("\"stream\" : true");
            if !forced {
                assert_eq!(encoded(&body, "up/x", json!({}), force_usage), expected, "{name}");
            }
        }
    }
    // The model's name is written as JSON, whatever it is.
    assert_eq!(
        encoded(r#"{"model":"m","messages":[]}"#, "a\"b\\é\n", json!({}), false),
        r#"{"model":"a\"b\\é\n","messages":[]}"#
    );
}

#[test]
fn where_members_come_and_go_the_others_stay_as_they_are() {
    let rows: [(&str, String, Value, bool, String); 12] = [
        (
            "a chain goes",
            format!(r#"{{ {ODD} , "models":["a"],"model":"m", "messages": [ 1.0 ]}}"#),
            json!({}),
            false,
            format!(r#"{{"model":"up",{ODD},"messages":[ 1.0 ]}}"#),
        ),
        (
            "a chain without a model",
            r#"{"messages":[],"models":["a"]}"#.into(),
            json!({}),
            false,
            r#"{"model":"up","messages":[]}"#.into(),
        ),
        (
            "a chain that is null",
            r#"{"model":"m","models":null,"messages":[]}"#.into(),
            json!({}),
            false,
            r#"{"model":"up","models":null,"messages":[]}"#.into(),
        ),
        (
            "an escaped name",
            r#"{"models":["a"],"mess\u0061ges":[],"\u0078\"":1}"#.into(),
            json!({}),
            false,
            r#"{"model":"up","messages":[],"x\"":1}"#.into(),
        ),
        (
            "the route decides",
            r#"{"model":"m","messages":[],"temperature":1.0,"top_p":0.50}"#.into(),
            json!({ "temperature": 0 }),
            false,
            r#"{"model":"up","messages":[],"top_p":0.50,"temperature":0}"#.into(),
        ),
        (
            "the route adds",
            r#"{"model":"m","messages":[]}"#.into(),
            json!({ "reasoning": { "effort": "low" }, "stop": null }),
            false,
            r#"{"model":"up","messages":[],"reasoning":{"effort":"low"},"stop":null}"#.into(),
        ),
        (
            "what the route decides is there twice",
            r#"{"model":"m","messages":[],"top_k":1,"top_k":2}"#.into(),
            json!({ "top_k": 3 }),
            false,
            r#"{"model":"up","messages":[],"top_k":3}"#.into(),
        ),
        (
            "usage is asked for",
            r#"{"model":"m","messages":[],"stream":true,"x":1.10}"#.into(),
            json!({}),
            true,
            r#"{"model":"up","messages":[],"stream":true,"x":1.10,"stream_options":{"include_usage":true}}"#.into(),
        ),
        (
            "usage is asked for, and options are kept",
            r#"{"model":"m","stream_options":{"include_obfuscation":false,"include_usage":false},"messages":[],"stream":true}"#
                .into(),
            json!({}),
            true,
            r#"{"model":"up","messages":[],"stream":true,"stream_options":{"include_obfuscation":false,"include_usage":true}}"#
                .into(),
        ),
        (
            "usage is asked for, and options are null",
            r#"{"model":"m","stream_options":null,"messages":[],"stream":true}"#.into(),
            json!({}),
            true,
            r#"{"model":"up","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#.into(),
        ),
        (
            "usage is asked for, and the route decides the options",
            r#"{"model":"m","stream_options":{"a":1},"messages":[],"stream":true}"#.into(),
            json!({ "stream_options": { "b": 2 } }),
            true,
            r#"{"model":"up","messages":[],"stream":true,"stream_options":{"b":2,"include_usage":true}}"#.into(),
        ),
        (
            "all of it",
            r#"{"model":"m","models":["n"],"messages":[],"stream":true,"n":1}"#.into(),
            json!({ "n": 2 }),
            true,
            r#"{"model":"up","messages":[],"stream":true,"n":2,"stream_options":{"include_usage":true}}"#.into(),
        ),
    ];
    for (name, body, set, force_usage, expected) in rows {
        assert_eq!(encoded(&body, "up", set, force_usage), expected, "{name}");
    }
}

/// What is not streamed has no options, and its usage in its answer anyway.
#[test]
fn usage_is_asked_for_of_streams_only() {
    for stream in ["", r#","stream":false"#, r#","stream":null"#] {
        let body = format!(r#"{{"model":"m","messages":[]{stream}}}"#);
        assert_eq!(encoded(&body, "m", json!({}), true), body);
    }
}
