//! Strict tools and strict forms at `OpenAI`, which takes a part of JSON Schema: what it is sent, and that its client's own schema is what counts.

use std::rc::Rc;

use breakwater::gateway::Gateway;
use breakwater::runtime::{Ending, Script};
use serde_json::{Value, json};

use crate::schemas::{calls, mark, response, sent, words};
use crate::upstreams::{chunk, json as answers, says, streams};
use crate::world::{World, ask, chat, gateway, post};

const CONFIG: &str = r#"
[providers.openai]
base_url = "https://openai.example/v1"
key = "KEY"
[providers.other]
base_url = "https://other.example/v1"
key = "KEY"
[providers.responses]
preset = "openai"
protocol = "responses"
base_url = "https://responses.example/v1"
key = "KEY"
[routes.one]
targets = ["openai/gpt-5"]
[routes.older]
targets = ["openai/gpt-4.1"]
[routes.responses]
targets = ["responses/gpt-5"]
[routes.other]
targets = ["other/m"]
[routes.live]
targets = ["openai/gpt-5"]
schema_stream = "live"
"#;

fn world(upstream: fn(bool, usize) -> Script) -> (Rc<World>, Rc<Gateway>) {
    let world = World::new(7);
    *world.upstream.borrow_mut() = Box::new(move |sent| upstream(sent.streamed, sent.nth));
    (world, gateway(CONFIG, &[("KEY", "sk-1")]))
}

/// In the subset, though not in the words of whoever would write it there.
fn fits() -> Value {
    json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "title": "T", "additionalProperties": false,
        "properties": {"b": {"type": "string"}, "a": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]}}, "required": ["a", "b"]})
}

/// Not in it, but there is something in it that is as good.
fn bends() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string", "minLength": 2}, "unit": {"type": "string"}}, "required": ["city"]})
}

fn bent() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}, "unit": {"type": ["string", "null"]}},
        "required": ["city", "unit"], "additionalProperties": false})
}

/// Not in it in any way.
fn open() -> Value {
    json!({"type": "object", "additionalProperties": {"type": "string"}, "properties": {}})
}

/// A request with tools in the client's words, each of a name, a schema, and whether it is strict.
fn asking(path: &str, route: &str, tools: &[(&str, Value, bool)]) -> Value {
    let tool = |(name, schema, strict): &(&str, Value, bool)| match path {
        "/v1/chat/completions" => {
            json!({"type": "function", "function": {"name": name, "parameters": schema, "strict": strict}})
        }
        "/v1/messages" => json!({"name": name, "input_schema": schema, "strict": strict}),
        _ => json!({"type": "function", "name": name, "parameters": schema, "strict": strict}),
    };
    let tools: Vec<Value> = tools.iter().map(tool).collect();
    match path {
        "/v1/responses" => json!({"model": route, "input": "Where?", "store": false, "tools": tools}),
        _ => json!({"model": route, "max_tokens": 100, "messages": [{"role": "user", "content": "Where?"}], "tools": tools}),
    }
}

/// What a body says of a tool: its schema, and whether it is strict.
fn told(body: &Value, name: &str) -> (Value, Value) {
    let tool = body["tools"].as_array().unwrap().iter().map(|tool| tool.get("function").unwrap_or(tool));
    let tool = tool.into_iter().find(|tool| tool["name"] == name).unwrap();
    (tool["parameters"].clone(), tool["strict"].clone())
}

/// An answer in Responses that calls a tool.
fn called(name: &str, arguments: &str) -> Script {
    let mut body: Value = serde_json::from_slice(&response("").pieces[0].1).unwrap();
    body["output"] = json!([{"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": name, "arguments": arguments, "status": "completed"}]);
    answers(1, 200, &body.to_string())
}

#[test]
fn a_strict_tool_is_put_in_the_subset_and_judged_by_the_clients_own_schema() {
    let tools = [("fits", fits(), true), ("bends", bends(), true), ("open", open(), true), ("loose", open(), false)];
    for path in ["/v1/chat/completions", "/v1/messages", "/v1/responses"] {
        for route in ["one", "older", "responses"] {
            let name = format!("{path} by {route}");
            let by_chat = route == "older" && path == "/v1/messages" || route != "responses" && path == "/v1/chat/completions";
            let (world, gateway) = if by_chat {
                world(|_, nth| {
                    calls("bends", if nth == 0 { r#"{"city":"O","unit":null}"# } else { r#"{"city":"Oslo","unit":null}"# })
                })
            } else {
                world(|_, nth| {
                    called("bends", if nth == 0 { r#"{"city":"O","unit":null}"# } else { r#"{"city":"Oslo","unit":null}"# })
                })
            };
            let (status, headers, body) = ask(&world, &gateway, post(path, &asking(path, route, &tools).to_string(), &[]));
            assert_eq!((status, mark(&headers)), (200, "retried;1"), "{name}: {body}");
            // What is null for nothing, and only as the provider was told that it must be there, is not handed out.
            let body: Value = serde_json::from_str(&body).unwrap();
            let arguments = match path {
                "/v1/chat/completions" => body["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"].clone(),
                "/v1/messages" => body["content"][0]["input"].to_string().into(),
                _ => body["output"][0]["arguments"].clone(),
            };
            assert_eq!(arguments, r#"{"city":"Oslo"}"#, "{name}: {body}");
            let sent = sent(&world);
            assert_eq!(sent.len(), 2, "{name}");
            for (_, body) in sent {
                assert_eq!(told(&body, "fits"), (fits(), json!(true)), "{name}");
                assert_eq!(told(&body, "bends"), (bent(), json!(true)), "{name}");
                assert_eq!(told(&body, "open"), (open(), json!(false)), "{name}");
                assert_eq!(told(&body, "loose"), (open(), json!(false)), "{name}");
            }
        }
    }
}

#[test]
fn what_was_sent_not_strictly_is_judged_all_the_same() {
    let (world, gateway) = world(|_, nth| calls("open", if nth == 0 { r#"{"a":1}"# } else { r#"{"a":"1"}"# }));
    let body = asking("/v1/chat/completions", "one", &[("open", open(), true)]);
    let (status, headers, body) = ask(&world, &gateway, chat(&body.to_string(), &[]));
    assert_eq!((status, mark(&headers)), (200, "retried;1"), "{body}");
}

#[test]
fn tools_in_the_subset_pass_through_byte_for_byte_and_so_do_all_at_others() {
    let fits = r#"{ "type":"object","properties" : {"b": {"type":"string"}, "a": {"type":"number"}}, "required":["a", "b"],"additionalProperties":false }"#;
    let bends = r#"{"type":"object" , "properties":{"b": {"type":"string","minLength":1}}}"#;
    for (route, model, schema) in [("one", "gpt-5", fits), ("other", "m", fits), ("other", "m", bends)] {
        let (world, gateway) = world(|_, _| says(1, "Hi"));
        let body = |model: &str| {
            format!(
                r#"{{"model":"{model}", "messages":[{{"role":"user","content":"Hi"}}],  "tools":[ {{"type":"function","function":{{"name":"f","strict": true, "parameters":{schema}}}}} ]}}"#
            )
        };
        let (status, headers, answer) = ask(&world, &gateway, chat(&body(route), &[]));
        // Nothing is demanded of words.
        assert_eq!((status, mark(&headers)), (200, "none"), "{answer}");
        assert_eq!(world.calls.borrow()[0].sent.body, body(model), "{route}");
    }
}

/// The events of a stream that calls a tool.
fn calling(name: &str, pieces: &[&str]) -> Script {
    let call = |index: usize, piece: &str| {
        let opening = json!({"index": 0, "id": "call_1", "type": "function", "function": {"name": name, "arguments": piece}});
        let more = json!({"index": 0, "function": {"arguments": piece}});
        chunk(&json!({"tool_calls": [if index == 0 { opening } else { more }]}), None)
    };
    let mut events = vec![chunk(&json!({"role": "assistant", "content": null}), None)];
    events.extend(pieces.iter().enumerate().map(|(index, piece)| call(index, piece)));
    events.push(chunk(&json!({}), Some("tool_calls")));
    events.push("data: [DONE]\n\n".to_owned());
    streams(10, 100, events, Ending::Eof)
}

fn events(body: &str) -> Vec<Value> {
    body.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok()).collect()
}

/// The arguments that a stream told.
fn arguments(body: &str) -> String {
    let piece =
        |event: &Value| event["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"].as_str().map(str::to_owned);
    events(body).iter().filter_map(piece).collect()
}

#[test]
fn a_buffered_stream_is_told_without_what_is_null_for_nothing() {
    let (world, gateway) = world(|_, _| calling("bends", &[r#"{"city":"Os"#, r#"lo","unit":null}"#]));
    let mut body = asking("/v1/chat/completions", "one", &[("bends", bends(), true)]);
    body["stream"] = true.into();
    let (status, headers, body) = ask(&world, &gateway, chat(&body.to_string(), &[]));
    assert_eq!((status, mark(&headers), arguments(&body).as_str()), (200, "repaired", r#"{"city":"Oslo"}"#), "{body}");
    assert!(body.ends_with("data: [DONE]\n\n"), "{body}");
    assert_eq!(told(&sent(&world)[0].1, "bends"), (bent(), json!(true)));
}

/// Nothing can be taken out of what was shown, so that nothing is put there that would have to be.
#[test]
fn a_live_stream_is_not_asked_for_strictly_where_that_would_make_it_say_null() {
    let rows = [(r#"lo"}"#, true), (r#"lo","unit":null}"#, false)];
    for (end, valid) in rows {
        let (world, gateway) = if valid {
            world(|_, _| calling("bends", &[r#"{"city":"Os"#, r#"lo"}"#]))
        } else {
            world(|_, _| calling("bends", &[r#"{"city":"Os"#, r#"lo","unit":null}"#]))
        };
        let mut body = asking("/v1/chat/completions", "live", &[("fits", fits(), true), ("bends", bends(), true)]);
        body["stream"] = true.into();
        body["response_format"] =
            json!({"type": "json_schema", "json_schema": {"name": "n", "strict": true, "schema": bends()}});
        let (status, _, body) = ask(&world, &gateway, chat(&body.to_string(), &[]));
        let told_last = events(&body).last().unwrap()["error"]["code"] == "schema_unsatisfied";
        assert_eq!((status, told_last, body.ends_with("data: [DONE]\n\n")), (200, !valid, valid), "{end}: {body}");
        let body = &sent(&world)[0].1;
        assert_eq!(told(body, "fits"), (fits(), json!(true)));
        assert_eq!(told(body, "bends"), (bends(), json!(false)));
        let form = &body["response_format"]["json_schema"];
        assert_eq!((&form["schema"], &form["strict"]), (&bends(), &json!(false)));
    }
}

#[test]
fn a_strict_form_is_put_in_the_subset_and_judged_by_the_clients_own_schema() {
    let rows = [
        (fits(), fits(), true, r#"{"a":null,"b":"x"}"#, "valid", r#"{"a":null,"b":"x"}"#),
        (bends(), bent(), true, r#"{"city":"Oslo","unit":null}"#, "repaired", r#"{"city":"Oslo"}"#),
        (open(), open(), false, r#"{"a":"b"}"#, "valid", r#"{"a":"b"}"#),
    ];
    for (schema, put, strict, answer, word, text) in rows {
        let world = World::new(7);
        *world.upstream.borrow_mut() = Box::new(move |_| says(1, answer));
        let gateway = gateway(CONFIG, &[("KEY", "sk-1")]);
        let body = json!({"model": "one", "messages": [{"role": "user", "content": "Where?"}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "n", "strict": true, "schema": schema}}});
        let (status, headers, body) = ask(&world, &gateway, chat(&body.to_string(), &[]));
        assert_eq!((status, mark(&headers), words(&headers)), (200, word, vec!["openai/gpt-5;ok".to_owned()]), "{body}");
        assert_eq!(crate::schemas::content(&body), text);
        let form = sent(&world)[0].1["response_format"]["json_schema"].clone();
        assert_eq!((&form["schema"], &form["strict"]), (&put, &json!(strict)), "{schema}");
    }
}
