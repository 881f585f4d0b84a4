//! When a tool is called, which one, and with what.

use breakwater::config::simulated::Behaviour;
use serde_json::{Value, json};

use super::{ask, body, content, saying, status};

fn tools() -> Value {
    json!([
        { "type": "function", "function": { "name": "get_weather", "parameters": {
            "type": "object", "properties": { "city": { "type": "string" }, "unit": { "enum": ["celsius", "fahrenheit"] } }, "required": ["city", "unit"],
        } } },
        { "type": "function", "function": { "name": "get_time" } },
        { "type": "custom", "custom": { "name": "note" } },
    ])
}

#[test]
fn which_tools_are_called() {
    let named = |name: &str| json!({ "type": "function", "function": { "name": name } });
    let rows: [(&str, &str, Value, &[&str]); 21] = [
        ("nothing is asked for", "Hello", json!({}), &[]),
        ("the message names a tool", "Please call get_weather now", json!({}), &["get_weather"]),
        ("in quotes", "use `get_time`.", json!({}), &["get_time"]),
        ("two of them, in the request's order", "get_time and get_weather", json!({}), &["get_weather", "get_time"]),
        ("one at a time", "get_time and get_weather", json!({ "parallel_tool_calls": false }), &["get_weather"]),
        ("part of another word", "forget_time or get_timeout or notes", json!({}), &[]),
        ("forbidden", "get_weather", json!({ "tool_choice": "none" }), &[]),
        ("required", "Hello", json!({ "tool_choice": "required" }), &["get_weather"]),
        ("required, by Mistral's word", "Hello", json!({ "tool_choice": "any" }), &["get_weather"]),
        ("required, and named", "get_time", json!({ "tool_choice": "required" }), &["get_time"]),
        ("chosen", "get_weather", json!({ "tool_choice": named("get_time") }), &["get_time"]),
        ("a custom one", "x", json!({ "tool_choice": { "type": "custom", "custom": { "name": "note" } } }), &["note"]),
        (
            "allowed tools",
            "x",
            json!({ "tool_choice": { "type": "allowed_tools", "allowed_tools": { "mode": "required", "tools": [] } } }),
            &["get_weather"],
        ),
        (
            "one of them allowed, and required",
            "get_weather",
            json!({ "tool_choice": { "type": "allowed_tools", "allowed_tools": { "mode": "required", "tools": [named("get_time")] } } }),
            &["get_time"],
        ),
        (
            "one of them allowed, and named",
            "get_weather and get_time",
            json!({ "tool_choice": { "type": "allowed_tools", "allowed_tools": { "mode": "auto", "tools": [named("get_time")] } } }),
            &["get_time"],
        ),
        (
            "another is named than the one that is allowed",
            "get_weather",
            json!({ "tool_choice": { "type": "allowed_tools", "allowed_tools": { "mode": "auto", "tools": [named("get_time")] } } }),
            &[],
        ),
        (
            "a custom one is allowed",
            "x",
            json!({ "tool_choice": { "type": "allowed_tools", "allowed_tools": { "mode": "required", "tools": [{ "type": "custom", "custom": { "name": "note" } }] } } }),
            &["note"],
        ),
        (
            "in the flat form",
            "get_weather",
            json!({ "tool_choice": { "type": "allowed_tools", "mode": "required", "tools": [{ "type": "function", "name": "get_time" }] } }),
            &["get_time"],
        ),
        (
            "without a type",
            "get_weather",
            json!({ "tool_choice": { "allowed_tools": { "mode": "required", "tools": [named("get_time")] } } }),
            &["get_time"],
        ),
        (
            "two allowed, in the request's order",
            "note get_time get_weather",
            json!({ "tool_choice": { "type": "allowed_tools", "allowed_tools": { "mode": "auto", "tools": [named("get_time"), named("get_weather")] } } }),
            &["get_weather", "get_time"],
        ),
        ("auto", "get_weather", json!({ "tool_choice": "auto" }), &["get_weather"]),
    ];
    for (name, message, mut fields, expected) in rows {
        fields["tools"] = tools();
        let choice = body(&ask(&Behaviour::default(), None, &saying(message, fields)))["choices"][0].clone();
        let message = &choice["message"];
        let calls = message["tool_calls"].as_array().cloned().unwrap_or_default();
        let called: Vec<&str> =
            calls.iter().filter_map(|call| call["function"]["name"].as_str().or(call["custom"]["name"].as_str())).collect();
        assert_eq!(called, expected, "{name}");
        assert_eq!(message["content"].is_null(), !expected.is_empty(), "{name}");
        assert_eq!(choice["finish_reason"], if expected.is_empty() { "stop" } else { "tool_calls" }, "{name}");
    }
}

#[test]
fn what_they_are_called_with() {
    let fields = json!({ "tools": tools() });
    let answer = body(&ask(&Behaviour::default(), None, &saying("get_weather get_time note", fields)));
    let calls = answer["choices"][0]["message"]["tool_calls"].as_array().unwrap().clone();
    let ids: Vec<&str> = calls.iter().map(|call| call["id"].as_str().unwrap()).collect();
    assert!(ids.iter().all(|id| id.starts_with("call_")) && ids[0] != ids[1] && ids[1] != ids[2], "{ids:?}");
    let expected = json!([
        { "id": ids[0], "type": "function", "function": { "name": "get_weather", "arguments": "{\"city\":\"example\",\"unit\":\"celsius\"}" } },
        { "id": ids[1], "type": "function", "function": { "name": "get_time", "arguments": "{}" } },
        { "id": ids[2], "type": "custom", "custom": { "name": "note", "input": "example" } },
    ]);
    assert_eq!(Value::Array(calls), expected);
}

/// An agent's loop ends: what a tool returned is answered in words, even where a tool is demanded again.
#[test]
fn a_tool_result_is_answered() {
    let request = json!({
        "messages": [
            { "role": "user", "content": "get_weather" },
            { "role": "assistant", "content": null, "tool_calls": [{ "id": "c", "type": "function", "function": { "name": "get_weather", "arguments": "{}" } }] },
            { "role": "tool", "tool_call_id": "c", "content": "17 degrees" },
        ],
        "tools": tools(), "tool_choice": "required",
    });
    let said = content(&ask(&Behaviour::default(), None, &request));
    assert!(said.contains("The tool answered: \"17 degrees\""), "{said}");
}

#[test]
fn parameters_that_nothing_satisfies_are_refused() {
    let tool = json!({ "type": "function", "function": { "name": "f", "parameters": { "type": "object", "properties": { "x": false }, "required": ["x"] } } });
    let script = ask(&Behaviour::default(), None, &saying("f", json!({ "tools": [tool] })));
    assert_eq!((status(&script), body(&script)["error"]["param"].as_str()), (Some(400), Some("tools.f.parameters")));
}
