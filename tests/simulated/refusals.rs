//! Requests that a provider refuses, in its words.

use breakwater::config::simulated::Behaviour;
use breakwater::provider::simulated::answer;
use breakwater::runtime::Ending;
use serde_json::{Value, json};

use super::{body, header, question, saying, status};

/// A row's name, its request, and the error's `param`, `code` and message.
type Row = (&'static str, String, Value, Value, &'static str);

fn with(fields: Value) -> String {
    saying("x", fields).to_string()
}

fn check(rows: Vec<Row>) {
    for (name, request, param, code, message) in rows {
        let script = answer(&Behaviour::default(), None, &question(&request)).unwrap();
        let expected =
            json!({ "error": { "message": message, "type": "invalid_request_error", "param": param, "code": code } });
        assert_eq!(body(&script), expected, "{name}");
        assert_eq!((status(&script), script.ending), (Some(400), Ending::Eof), "{name}");
        assert_eq!(header(&script, "content-type").as_deref(), Some("application/json"), "{name}");
    }
}

#[test]
fn messages() {
    let one = |message: Value| json!({ "messages": [message] }).to_string();
    check(vec![
        (
            "no JSON",
            "{".to_owned(),
            Value::Null,
            Value::Null,
            "We could not parse the JSON body of your request. The API expects a JSON payload.",
        ),
        (
            "no object",
            "[]".to_owned(),
            Value::Null,
            Value::Null,
            "We could not parse the JSON body of your request. The API expects a JSON payload.",
        ),
        (
            "no messages",
            "{}".to_owned(),
            json!("messages"),
            json!("missing_required_parameter"),
            "Missing required parameter: 'messages'.",
        ),
        (
            "messages of another type",
            json!({ "messages": "hi" }).to_string(),
            json!("messages"),
            json!("invalid_type"),
            "Invalid type for 'messages': expected an array of objects, but got a string instead.",
        ),
        (
            "an empty list",
            json!({ "messages": [] }).to_string(),
            json!("messages"),
            json!("empty_array"),
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        ),
        (
            "a message that is none",
            json!({ "messages": [7] }).to_string(),
            json!("messages[0]"),
            json!("invalid_type"),
            "Invalid type for 'messages[0]': expected an object, but got an integer instead.",
        ),
        (
            "no role",
            one(json!({ "content": "x" })),
            json!("messages[0].role"),
            json!("missing_required_parameter"),
            "Missing required parameter: 'messages[0].role'.",
        ),
        (
            "an unknown role",
            one(json!({ "role": "bot", "content": "x" })),
            json!("messages[0].role"),
            json!("invalid_value"),
            "Invalid value: 'bot'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', 'developer'.",
        ),
        (
            "no content",
            one(json!({ "role": "user" })),
            json!("messages[0].content"),
            json!("missing_required_parameter"),
            "Missing required parameter: 'messages[0].content'.",
        ),
        (
            "null content",
            one(json!({ "role": "user", "content": null })),
            json!("messages[0].content"),
            json!("invalid_type"),
            "Invalid type for 'messages[0].content': expected a string or an array of objects, but got null instead.",
        ),
        (
            "a tool's result without its call",
            one(json!({ "role": "tool", "content": "x" })),
            json!("messages[0].tool_call_id"),
            json!("missing_required_parameter"),
            "Missing required parameter: 'messages[0].tool_call_id'.",
        ),
    ]);
}

#[test]
fn parameters() {
    check(vec![
        (
            "max_tokens below one",
            with(json!({ "max_tokens": 0 })),
            json!("max_tokens"),
            json!("integer_below_min_value"),
            "Invalid 'max_tokens': integer below minimum value. Expected a value >= 1, but got 0 instead.",
        ),
        (
            "max_tokens in words",
            with(json!({ "max_tokens": "9" })),
            json!("max_tokens"),
            json!("invalid_type"),
            "Invalid type for 'max_tokens': expected an integer, but got a string instead.",
        ),
        (
            "too many choices",
            with(json!({ "n": 129 })),
            json!("n"),
            json!("integer_above_max_value"),
            "Invalid 'n': integer above maximum value. Expected a value <= 128, but got 129 instead.",
        ),
        (
            "stream of another type",
            with(json!({ "stream": "yes" })),
            json!("stream"),
            json!("invalid_type"),
            "Invalid type for 'stream': expected a boolean, but got a string instead.",
        ),
        (
            "stream_options without stream",
            with(json!({ "stream_options": {} })),
            json!("stream_options"),
            Value::Null,
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        ),
        (
            "five stops",
            with(json!({ "stop": ["a", "b", "c", "d", "e"] })),
            json!("stop"),
            json!("array_above_max_length"),
            "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length 5 instead.",
        ),
    ]);
}

#[test]
fn tools_and_formats() {
    let tool = json!({ "type": "function", "function": { "name": "f" } });
    check(vec![
        (
            "tools of another type",
            with(json!({ "tools": {} })),
            json!("tools"),
            json!("invalid_type"),
            "Invalid type for 'tools': expected an array of objects, but got an object instead.",
        ),
        (
            "a tool without a name",
            with(json!({ "tools": [{ "type": "function" }] })),
            json!("tools[0].function.name"),
            json!("missing_required_parameter"),
            "Missing required parameter: 'tools[0].function.name'.",
        ),
        (
            "a tool of an unknown type",
            with(json!({ "tools": [{ "type": "spoon" }] })),
            json!("tools[0].type"),
            json!("invalid_value"),
            "Invalid value: 'spoon'. Supported values are: 'function' and 'custom'.",
        ),
        (
            "a choice without tools",
            with(json!({ "tool_choice": "auto" })),
            json!("tool_choice"),
            Value::Null,
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
        ),
        (
            "an unknown choice",
            with(json!({ "tools": [tool], "tool_choice": "g" })),
            json!("tool_choice"),
            json!("invalid_value"),
            "Invalid value: 'g'. Supported values are: 'none', 'auto', and 'required'.",
        ),
        (
            "a tool that is not there",
            with(json!({ "tools": [tool], "tool_choice": { "type": "function", "function": { "name": "g" } } })),
            json!("tool_choice"),
            Value::Null,
            "Invalid value for 'tool_choice': no function named 'g' was specified in the 'tools' parameter.",
        ),
        (
            "an allowed tool that is not there",
            with(
                json!({ "tools": [tool], "tool_choice": { "type": "allowed_tools", "allowed_tools": { "mode": "auto", "tools": [{ "type": "function", "function": { "name": "g" } }] } } }),
            ),
            json!("tool_choice"),
            Value::Null,
            "Invalid value for 'tool_choice': no function named 'g' was specified in the 'tools' parameter.",
        ),
        (
            "allowed tools in an unknown mode",
            with(
                json!({ "tools": [tool], "tool_choice": { "type": "allowed_tools", "allowed_tools": { "mode": "none", "tools": [] } } }),
            ),
            json!("tool_choice.allowed_tools.mode"),
            json!("invalid_value"),
            "Invalid value: 'none'. Supported values are: 'auto' and 'required'.",
        ),
        (
            "allowed tools without a list",
            with(json!({ "tools": [tool], "tool_choice": { "type": "allowed_tools", "mode": "auto" } })),
            json!("tool_choice.tools"),
            json!("missing_required_parameter"),
            "Missing required parameter: 'tool_choice.tools'.",
        ),
        (
            "an unknown format",
            with(json!({ "response_format": { "type": "yaml" } })),
            json!("response_format.type"),
            json!("invalid_value"),
            "Invalid value: 'yaml'. Supported values are: 'json_object', 'json_schema', and 'text'.",
        ),
        (
            "no schema",
            with(json!({ "response_format": { "type": "json_schema" } })),
            json!("response_format.json_schema"),
            json!("missing_required_parameter"),
            "Missing required parameter: 'response_format.json_schema'.",
        ),
        (
            "an impossible schema",
            with(json!({ "response_format": { "type": "json_schema", "json_schema": { "schema": false } } })),
            json!("response_format.json_schema.schema"),
            json!("invalid_json_schema"),
            "Invalid schema for 'response_format.json_schema.schema': no value was found that satisfies it. Remote references are not followed.",
        ),
    ]);
}

/// A provider that does not answer at all does not refuse either; one that would answer wrongly does.
#[test]
fn failing_goes_before_refusing() {
    let rows =
        [("hang", None), ("refuse", None), ("503", Some(503)), ("cut", Some(400)), ("garbage", Some(400)), ("ok", Some(400))];
    for (fault, expected) in rows {
        let script = answer(&Behaviour::default(), Some(fault), &question("{}")).unwrap();
        assert_eq!(status(&script), expected, "{fault}");
    }
}
