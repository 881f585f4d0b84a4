//! `nullable: true`, as OpenAI's helpers for zod 3 write it: null is an answer, and who does not know the word is told so in JSON Schema's.

use breakwater::runtime::{Ending, Script};
use serde_json::{Value, json};

use crate::schemas::{calls, candidate, content, mark, message, response, sent};
use crate::upstreams::{chunk, says, streams};
use crate::world::{World, ask, chat, gateway, post};

const CONFIG: &str = r#"
[providers.openai]
base_url = "https://openai.example/v1"
key = "KEY"
[providers.other]
base_url = "https://other.example/v1"
key = "KEY"
[providers.resp]
base_url = "https://resp.example/v1"
protocol = "responses"
key = "KEY"
[providers.anthropic]
base_url = "https://claude.example/v1"
key = "KEY"
[providers.gemini]
base_url = "https://gem.example/v1beta"
key = "KEY"
[routes.one]
targets = ["openai/gpt-5"]
[routes.live]
targets = ["openai/gpt-5"]
schema_stream = "live"
[routes.other]
targets = ["other/m"]
[routes.resp]
targets = ["resp/m"]
[routes.claude]
targets = ["anthropic/claude-sonnet-4-5"]
[routes.gem]
targets = ["gemini/gemini-2.5-flash"]
"#;

/// What `zodResponseFormat` of openai 7 makes of a zod 3 object of a nullable string, number, enum and object.
fn written() -> Value {
    json!({"type": "object", "properties": {
        "name": {"type": "string", "nullable": true},
        "n": {"type": "number", "nullable": true, "description": "how many"},
        "kind": {"anyOf": [{"type": "string", "enum": ["a", "b"]}, {"type": "null"}]},
        "sub": {"anyOf": [{"type": "object", "properties": {"x": {"type": "boolean", "nullable": true}}, "required": ["x"], "additionalProperties": false}, {"type": "null"}]}},
        "required": ["name", "n", "kind", "sub"], "additionalProperties": false, "$schema": "http://json-schema.org/draft-07/schema#"})
}

fn spelt() -> Value {
    let mut schema = written();
    schema["properties"]["name"] = json!({"type": ["string", "null"]});
    schema["properties"]["n"] = json!({"type": ["number", "null"], "description": "how many"});
    schema["properties"]["sub"]["anyOf"][0]["properties"]["x"] = json!({"type": ["boolean", "null"]});
    schema
}

const NULLS: &str = r#"{"name":null,"n":null,"kind":null,"sub":{"x":null}}"#;

/// An answer of whoever is at this address.
fn said(url: &str, text: &str) -> Script {
    if url.contains("//claude.") {
        message(text)
    } else if url.contains("//gem.") {
        candidate(text)
    } else if url.contains("//resp.") {
        response(text)
    } else {
        says(1, text)
    }
}

fn form(body: &Value) -> Value {
    let places = [
        "/response_format/json_schema/schema",
        "/text/format/schema",
        "/output_config/format/schema",
        "/generationConfig/responseJsonSchema",
    ];
    places.iter().find_map(|place| body.pointer(place)).cloned().unwrap_or_default()
}

#[test]
fn null_is_an_answer_whoever_is_asked_and_is_told_in_words_that_all_know() {
    for strict in [true, false] {
        for (route, put) in [
            // OpenAI knows the word, and what is strict is what its documentation says.
            ("one", if strict { spelt() } else { written() }),
            ("other", spelt()),
            ("resp", spelt()),
            // Without what it does not take.
            ("claude", {
                let mut put = spelt();
                put.as_object_mut().unwrap().remove("$schema");
                put
            }),
            ("gem", spelt()),
        ] {
            let name = format!("{route}, {strict}");
            let world = World::new(7);
            *world.upstream.borrow_mut() = Box::new(move |sent| said(&sent.url, NULLS));
            let gateway = gateway(CONFIG, &[("KEY", "sk-1")]);
            let body = json!({"model": route, "messages": [{"role": "user", "content": "Where?"}],
                "response_format": {"type": "json_schema", "json_schema": {"name": "n", "strict": strict, "schema": written()}}});
            let (status, headers, body) = ask(&world, &gateway, chat(&body.to_string(), &[]));
            assert_eq!((status, mark(&headers)), (200, "valid"), "{name}: {body}");
            assert_eq!(
                serde_json::from_str::<Value>(&content(&body)).unwrap(),
                serde_json::from_str::<Value>(NULLS).unwrap(),
                "{name}"
            );
            let sent = sent(&world);
            assert_eq!(form(&sent[0].1), put, "{name}");
            if route == "one" || route == "other" {
                assert_eq!(sent[0].1["response_format"]["json_schema"]["strict"], strict, "{name}");
            }
        }
    }
}

/// A client of Responses too, and the schema beside `json_object`.
#[test]
fn wherever_the_schema_stands() {
    let rows = [
        (
            "/v1/responses",
            "resp",
            json!({"text": {"format": {"type": "json_schema", "name": "n", "schema": written()}}}),
            "/text/format/schema",
        ),
        (
            "/v1/responses",
            "other",
            json!({"text": {"format": {"type": "json_schema", "name": "n", "schema": written()}}}),
            "/response_format/json_schema/schema",
        ),
        (
            "/v1/chat/completions",
            "other",
            json!({"response_format": {"type": "json_object", "schema": written()}}),
            "/response_format/schema",
        ),
    ];
    for (path, route, form, place) in rows {
        let world = World::new(7);
        *world.upstream.borrow_mut() = Box::new(move |sent| said(&sent.url, NULLS));
        let gateway = gateway(CONFIG, &[("KEY", "sk-1")]);
        let mut body = json!({"model": route, "store": false});
        body.as_object_mut().unwrap().extend(form.as_object().unwrap().clone());
        body[if path == "/v1/responses" { "input" } else { "messages" }] = json!([{"role": "user", "content": "Where?"}]);
        let (status, headers, body) = ask(&world, &gateway, post(path, &body.to_string(), &[]));
        assert_eq!((status, mark(&headers)), (200, "valid"), "{path} {route}: {body}");
        assert_eq!(sent(&world)[0].1.pointer(place), Some(&spelt()), "{path} {route}");
    }
}

#[test]
fn arguments_of_strict_tools_can_be_null() {
    let city = |kind: Value| json!({"type": "object", "properties": {"city": kind}, "required": ["city"], "additionalProperties": false});
    for route in ["one", "other"] {
        let world = World::new(7);
        *world.upstream.borrow_mut() = Box::new(|_| calls("f", r#"{"city":null}"#));
        let gateway = gateway(CONFIG, &[("KEY", "sk-1")]);
        let schema = city(json!({"type": "string", "nullable": true}));
        let body = json!({"model": route, "messages": [{"role": "user", "content": "Where?"}],
            "tools": [{"type": "function", "function": {"name": "f", "strict": true, "parameters": schema}}]});
        let (status, headers, body) = ask(&world, &gateway, chat(&body.to_string(), &[]));
        assert_eq!((status, mark(&headers)), (200, "valid"), "{route}: {body}");
        assert!(body.contains(r#"{\"city\":null}"#), "{body}");
        let function = &sent(&world)[0].1["tools"][0]["function"];
        assert_eq!(function["parameters"], city(json!({"type": ["string", "null"]})), "{route}");
        assert_eq!(function["strict"], true, "{route}");
    }
}

/// Nothing is put there that would have to be taken out again, so that it stays strict.
#[test]
fn a_live_stream_is_asked_for_strictly() {
    let world = World::new(7);
    *world.upstream.borrow_mut() = Box::new(|_| {
        let (first, second) = NULLS.split_at(9);
        let mut events: Vec<String> = [first, second].map(|text| chunk(&json!({"content": text}), None)).into();
        events.extend([chunk(&json!({}), Some("stop")), "data: [DONE]\n\n".to_owned()]);
        streams(10, 100, events, Ending::Eof)
    });
    let gateway = gateway(CONFIG, &[("KEY", "sk-1")]);
    let body = json!({"model": "live", "stream": true, "messages": [{"role": "user", "content": "Where?"}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "strict": true, "schema": written()}}});
    let (status, _, body) = ask(&world, &gateway, chat(&body.to_string(), &[]));
    assert!(status == 200 && body.ends_with("data: [DONE]\n\n") && !body.contains("\"error\""), "{body}");
    let form = &sent(&world)[0].1["response_format"]["json_schema"];
    assert_eq!((&form["schema"], &form["strict"]), (&spelt(), &json!(true)));
}
