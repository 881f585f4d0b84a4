//! What is repaired of an answer whose target speaks the client's dialect is put in its place: all else reaches the client as a valid answer's would.

use std::rc::Rc;

use breakwater::gateway::Gateway;
use breakwater::runtime::{Ending, Script};
use serde_json::{Value, json};

use crate::schemas::mark;
use crate::upstreams::{json as answers, streams};
use crate::world::{World, ask, chat, gateway, post};

const CONFIG: &str = r#"
[providers.a]
base_url = "https://a.example/v1"
key = "KEY"
[providers.claude]
protocol = "anthropic"
base_url = "https://claude.example/v1"
key = "KEY"
[providers.resp]
protocol = "responses"
base_url = "https://resp.example/v1"
key = "KEY"
"#;

const GOOD: &str = r#"{"a":1}"#;

fn schema() -> Value {
    json!({"type": "object", "properties": {"a": {"type": "integer"}, "o": {"type": "string"}}, "required": ["a"],
        "additionalProperties": false})
}

fn world(script: impl Fn() -> Script + 'static) -> (Rc<World>, Rc<Gateway>) {
    let world = World::new(7);
    *world.upstream.borrow_mut() = Box::new(move |_| script());
    (world, gateway(CONFIG, &[("KEY", "sk-1")]))
}

fn of_chat(stream: bool) -> String {
    json!({"model": "a/m", "messages": [{"role": "user", "content": "Who?"}], "stream": stream,
        "tools": [{"type": "function", "function": {"name": "f", "strict": true, "parameters": schema()}}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema()}}})
    .to_string()
}

fn of_responses(stream: bool) -> String {
    json!({"model": "resp/gpt-5", "input": "Who?", "stream": stream,
        "tools": [{"type": "function", "name": "f", "strict": true, "parameters": schema()}, {"type": "web_search"}],
        "text": {"format": {"type": "json_schema", "name": "x", "schema": schema()}}})
    .to_string()
}

fn of_messages() -> String {
    json!({"model": "claude/claude-sonnet-4-5", "max_tokens": 100, "messages": [{"role": "user", "content": "Who?"}],
        "tools": [{"name": "f", "strict": true, "input_schema": schema()}, {"type": "web_search_20250305", "name": "web_search"}],
        "output_config": {"format": {"type": "json_schema", "schema": schema()}}})
    .to_string()
}

/// What the client gets of `provided`, which must be repaired.
fn told(path: &str, body: &str, provided: &str) -> Value {
    let provided = provided.to_owned();
    let (world, gateway) = world(move || answers(1, 200, &provided));
    let (status, headers, text) = ask(&world, &gateway, post(path, body, &[]));
    assert_eq!((status, mark(&headers)), (200, "repaired"), "{text}");
    serde_json::from_str(&text).unwrap()
}

/// A completion in which `said` is the model's message, with members that nobody here knows.
fn completion(said: &Value) -> Value {
    json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "citations": ["https://a"], "x_extra": {"b": [1]},
        "search_results": [{"url": "https://a", "title": "t"}], "system_fingerprint": "fp", "obfuscation": "zz",
        "choices": [{"index": 0, "finish_reason": "stop", "x_choice": 2, "message": said}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "cost": 0.25, "x": null}})
}

#[test]
fn a_completion_keeps_what_nobody_here_knows() {
    let rows = [
        ("<think>hm</think>\n{\"a\":1}", GOOD),
        ("```json\n{\"a\":1}\n```", GOOD),
        ("{\"a\":1", GOOD),
        (r#"{ "o": null, "a": 1 }"#, r#"{ "a": 1 }"#),
    ];
    for (text, repaired) in rows {
        let said = |text: &str| json!({"role": "assistant", "content": text, "reasoning": "hm", "x_message": [1, null]});
        let answer = told("/v1/chat/completions", &of_chat(false), &completion(&said(text)).to_string());
        assert_eq!(answer, completion(&said(repaired)), "{text}");
    }
    // A number is written as its provider wrote it.
    let provided = completion(&json!({"role": "assistant", "content": "```\n{\"a\":1}\n```"})).to_string();
    let provided = provided.replace("0.25", "0.250");
    let (world, gateway) = world(move || answers(1, 200, &provided));
    let (_, _, text) = ask(&world, &gateway, chat(&of_chat(false), &[]));
    assert!(text.contains("\"cost\":0.250,\"x\":null"), "{text}");
}

#[test]
fn calls_of_a_completion_are_repaired_in_their_place() {
    let said = |words: Option<&str>, first: &str, second: &str| {
        json!({"role": "assistant", "content": words, "tool_calls": [
            {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": first, "x": 1}},
            {"index": 1, "id": "c2", "type": "function", "function": {"name": "f", "arguments": second}, "y": 2}]})
    };
    let provided = completion(&said(Some("Let me see."), r#"{"a": 1}"#, r#"{"a":2,"o":null}"#));
    let answer = told("/v1/chat/completions", &of_chat(false), &provided.to_string());
    assert_eq!(answer, completion(&said(None, r#"{"a": 1}"#, r#"{"a":2}"#)));
}

#[test]
fn each_choice_and_each_part_is_repaired_for_itself() {
    let choice = |index: u32, content: Value, logprobs: &Value| json!({"index": index, "finish_reason": "stop", "logprobs": logprobs, "message": {"role": "assistant", "content": content}});
    let (tokens, none) = (json!({"content": []}), Value::Null);
    let thought = json!({"type": "thinking", "thinking": [{"type": "text", "text": "{\"a\":9}"}]});
    let of = |choices: Value| json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": choices});
    let provided = of(json!([
        choice(0, json!(GOOD), &tokens),
        choice(
            1,
            json!([thought, "Here: ", {"type": "text", "text": "{\"a\":", "z": 1}, {"type": "text", "text": "2}"}]),
            &tokens
        ),
        choice(2, json!("Sure: {\"a\":3}"), &tokens),
    ]));
    let answer = told("/v1/chat/completions", &of_chat(false), &provided.to_string());
    let expected = of(json!([
        choice(0, json!(GOOD), &tokens),
        choice(1, json!([thought, "{\"a\":2}"]), &none),
        choice(2, json!("{\"a\":3}"), &none),
    ]));
    assert_eq!(answer, expected);
}

#[test]
fn notes_of_places_in_the_old_text_are_left_out() {
    let note = |more: Value| {
        let mut note = json!({"url": "https://a", "title": "t"});
        note.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"type": "url_citation", "url_citation": note})
    };
    let said = |text: &str, notes: Value| json!({"role": "assistant", "content": text, "annotations": notes});
    let placed = note(json!({"start_index": 0, "end_index": 3}));
    let provided = completion(&said("```\n{\"a\":1}\n```", json!([placed, note(json!({}))])));
    let answer = told("/v1/chat/completions", &of_chat(false), &provided.to_string());
    assert_eq!(answer, completion(&said(GOOD, json!([note(json!({}))]))));
}

/// A response as it is told of itself beside its output.
fn response(output: &Value) -> Value {
    json!({"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "g", "store": true, "output": output,
        "metadata": {"k": "v"}, "prompt_cache_key": "pk", "reasoning": {"effort": "high", "summary": null}, "x_extra": [1],
        "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}})
}

fn items(text: &str) -> Value {
    json!([
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "ENC"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "phase": "final_answer",
            "content": [{"type": "output_text", "text": text, "annotations": [], "x": 1}]},
    ])
}

/// Without what binding makes of ids, each of which must be bound.
fn unbound(mut response: Value) -> Value {
    let free = |value: &mut Value, id: &str| {
        let bound = value["id"].as_str().unwrap();
        assert!(bound.starts_with(&format!("{}_bound_", id.split_once('_').unwrap().0)), "{bound}");
        value["id"] = id.into();
    };
    free(&mut response, "resp_1");
    for item in response["output"].as_array_mut().unwrap() {
        let id = match item["type"].as_str().unwrap() {
            "reasoning" => "rs_1",
            "web_search_call" => "ws_1",
            "function_call" => "fc_1",
            _ => "msg_1",
        };
        free(item, id);
    }
    response
}

#[test]
fn a_response_is_bound_and_kept_as_a_valid_one_is() {
    for (text, repaired) in [("```json\n{\"a\":1}\n```", GOOD), (r#"{"a":1,"o":null}"#, GOOD)] {
        let answer = told("/v1/responses", &of_responses(false), &response(&items(text)).to_string());
        assert_eq!(unbound(answer), response(&items(repaired)), "{text}");
    }
    let call = |arguments: &str| json!([{"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "status": "completed", "arguments": arguments}]);
    let answer = told("/v1/responses", &of_responses(false), &response(&call(r#"{"a":1,"o":null}"#)).to_string());
    assert_eq!(unbound(answer), response(&call(GOOD)));
}

#[test]
fn a_message_keeps_what_nobody_here_knows() {
    let message = |content: Value| {
        json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "c", "content": content, "stop_reason": "end_turn",
            "stop_sequence": null, "container": {"id": "c1"}, "x_extra": null,
            "usage": {"input_tokens": 1, "output_tokens": 1, "service_tier": "standard", "cache_creation": null}})
    };
    let thought = json!({"type": "thinking", "thinking": "hm", "signature": "SIG", "x": 1});
    let search = json!({"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}});
    let found = json!({"type": "web_search_tool_result", "tool_use_id": "s1", "content": []});
    let text = |text: &str| json!({"type": "text", "text": text, "citations": null, "y": 2});
    // What stands before a search is not moved, nor what stands behind it. What is no JSON is no part of the answer, as in one text.
    let provided =
        message(json!([thought, text("Let me look."), search, found, text("Found:\n{\"a\":"), text("1,\"o\":null}")]));
    let answer = told("/v1/messages", &of_messages(), &provided.to_string());
    assert_eq!(answer, message(json!([thought, search, found, text(GOOD)])));
    let call =
        |input: Value| json!({"type": "tool_use", "id": "t1", "name": "f", "input": input, "caller": {"type": "direct"}});
    let provided = message(json!([text("Let me call."), call(json!({"a": 1, "o": null})), call(json!({"a": 2}))]));
    let answer = told("/v1/messages", &of_messages(), &provided.to_string());
    assert_eq!(answer, message(json!([call(json!({"a": 1})), call(json!({"a": 2}))])));
}

fn events(body: &str) -> Vec<Value> {
    body.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok()).collect()
}

#[test]
fn a_stream_of_chunks_keeps_what_nobody_here_knows() {
    let chunk = |delta: Value, finish: Option<&str>| {
        let chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "citations": ["https://a"], "x_extra": 7,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
        format!("data: {chunk}\n\n")
    };
    let (world, gateway) = world(move || {
        let events = vec![
            chunk(json!({"role": "assistant", "content": "", "x_message": 8}), None),
            chunk(json!({"content": "```json\n{\"a\""}), None),
            chunk(json!({"content": ":1}\n```"}), None),
            chunk(json!({}), Some("stop")),
            "data: [DONE]\n\n".to_owned(),
        ];
        streams(1, 1, events, Ending::Eof)
    });
    let (status, headers, body) = ask(&world, &gateway, chat(&of_chat(true), &[]));
    assert_eq!((status, mark(&headers)), (200, "repaired"), "{body}");
    let events = events(&body);
    let text: String = events.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(text, GOOD);
    for member in ["\"x_extra\":7", "\"x_message\":8", "\"citations\":[\"https://a\"]"] {
        assert!(body.contains(member), "{member}: {body}");
    }
    assert!(body.ends_with("data: [DONE]\n\n"), "{body}");
}

#[test]
fn a_stream_of_a_response_is_bound_and_kept_as_a_valid_one_is() {
    // Some tell all of it in the last event, some nothing of its output there.
    for is_told in [true, false] {
        let (world, gateway) = world(move || {
            let items = items("```json\n{\"a\":1}\n```");
            let mut events = vec![json!({"type": "response.created", "response": response(&json!([]))})];
            for (at, item) in items.as_array().unwrap().iter().enumerate() {
                let mut begun = item.clone();
                if begun["type"] == "message" {
                    begun["content"] = json!([]);
                }
                events.push(json!({"type": "response.output_item.added", "output_index": at, "item": begun}));
                if let Some(part) = item["content"].as_array().map(|parts| &parts[0]) {
                    let place = |kind: &str| json!({"type": kind, "item_id": "msg_1", "output_index": at, "content_index": 0});
                    let mut added = place("response.content_part.added");
                    added["part"] = json!({"type": "output_text", "text": "", "annotations": []});
                    let mut delta = place("response.output_text.delta");
                    delta["delta"] = part["text"].clone();
                    let mut done = place("response.output_text.done");
                    done["text"] = part["text"].clone();
                    events.extend([added, delta, done]);
                }
                events.push(json!({"type": "response.output_item.done", "output_index": at, "item": item}));
            }
            let output = if is_told { items } else { json!([]) };
            events.push(json!({"type": "response.completed", "response": response(&output)}));
            let frame = |event: Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
            streams(1, 1, events.into_iter().map(frame).collect(), Ending::Eof)
        });
        let (status, headers, body) = ask(&world, &gateway, post("/v1/responses", &of_responses(true), &[]));
        assert_eq!((status, mark(&headers)), (200, "repaired"), "{body}");
        let events = events(&body);
        let text: String = events
            .iter()
            .filter(|event| event["type"] == "response.output_text.delta")
            .filter_map(|event| event["delta"].as_str())
            .collect();
        assert_eq!(text, GOOD, "{is_told}");
        let last = events.last().unwrap();
        assert_eq!(last["type"], "response.completed");
        if is_told {
            assert_eq!(unbound(last["response"].clone()), response(&items(GOOD)));
        }
    }
}

#[test]
fn numbers_are_as_the_model_wrote_them_where_nulls_are_left_out() {
    let rows = [
        (r#"{"a":1,"n":12345678901234567890123,"o":null}"#, r#"{"a":1,"n":12345678901234567890123}"#),
        (r#"{"o": null, "a": 1, "n": 0.1234567890123456789}"#, r#"{"a": 1, "n": 0.1234567890123456789}"#),
        ("Sure: {\"a\":1,\"o\":null,\"n\":1.10}", r#"{"a":1,"n":1.10}"#),
        ("{\"a\":1,\"o\":null,\"n\":1e2", r#"{"a":1,"n":1e2}"#),
    ];
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}, "n": {"type": "number"}, "o": {"type": "string"}},
        "required": ["a"], "additionalProperties": false});
    let body = json!({"model": "a/m", "messages": [{"role": "user", "content": "Who?"}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}});
    for (text, repaired) in rows {
        let provided = completion(&json!({"role": "assistant", "content": text}));
        let answer = told("/v1/chat/completions", &body.to_string(), &provided.to_string());
        assert_eq!(answer["choices"][0]["message"]["content"], repaired, "{text}");
    }
}

fn of_events(events: &[Value]) -> Script {
    let frame = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    streams(1, 1, events.iter().map(frame).collect(), Ending::Eof)
}

/// The events of a block: how it begins, what its deltas say.
fn block(index: usize, begun: &Value, deltas: &[Value]) -> Vec<Value> {
    let mut events = vec![json!({"type": "content_block_start", "index": index, "content_block": begun, "x": 1})];
    events.extend(deltas.iter().map(|delta| json!({"type": "content_block_delta", "index": index, "delta": delta})));
    events.push(json!({"type": "content_block_stop", "index": index}));
    events
}

/// A stream of a message that is made of these blocks.
fn message_of(blocks: Vec<Vec<Value>>) -> Vec<Value> {
    let begun = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "c", "content": [], "stop_reason": null, "x_extra": 2,
        "usage": {"input_tokens": 1, "output_tokens": 1, "x_usage": null}});
    let mut events = vec![json!({"type": "message_start", "message": begun})];
    events.extend(blocks.into_iter().flatten());
    events.push(json!({"type": "ping", "x": 3}));
    events.push(json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "container": {"id": "c1"}}, "usage": {"output_tokens": 2}}));
    events.push(json!({"type": "message_stop"}));
    events
}

#[test]
fn a_stream_of_a_message_keeps_what_nobody_here_knows() {
    let said = |pieces: &[&str]| pieces.iter().map(|piece| json!({"type": "text_delta", "text": piece, })).collect::<Vec<_>>();
    let input = |pieces: &[&str]| {
        pieces.iter().map(|piece| json!({"type": "input_json_delta", "partial_json": piece})).collect::<Vec<_>>()
    };
    let text = json!({"type": "text", "text": "", "y": 2});
    let thought = |index| {
        block(
            index,
            &json!({"type": "thinking", "thinking": "", "signature": ""}),
            &[json!({"type": "thinking_delta", "thinking": "hm", "z": 1})],
        )
    };
    let search = |index| {
        block(
            index,
            &json!({"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}),
            &input(&["{\"query\":", "\"q\"}"]),
        )
    };
    let note = json!({"type": "citations_delta", "citation": {"type": "web_search_result_location", "url": "https://a"}});
    let call = |id: &str| json!({"type": "tool_use", "id": id, "name": "f", "input": {}, "caller": {"type": "direct"}});
    let at_once = |id: &str| json!({"type": "tool_use", "id": id, "name": "f", "input": {"a": 5}});
    let mut noted = said(&["Found:\n{\"a\"", ":1,\"o\""]);
    noted.push(note.clone());
    noted.extend(said(&[":null}"]));
    let rows = [
        (
            message_of(vec![thought(0), block(1, &text, &said(&["Let me ", "look."])), search(2), block(3, &text, &noted)]),
            message_of(vec![thought(0), search(1), block(2, &text, &[said(&[GOOD]), vec![note]].concat())]),
        ),
        (
            message_of(vec![
                block(0, &text, &said(&["Let me ", "call."])),
                block(1, &call("t1"), &input(&["{\"a\":", "1,\"o\":null}"])),
                block(2, &call("t2"), &input(&["{\"a\":", " 2}"])),
                block(3, &at_once("t3"), &[]),
            ]),
            message_of(vec![
                block(0, &call("t1"), &input(&[GOOD])),
                block(1, &call("t2"), &input(&["{\"a\":", " 2}"])),
                block(2, &at_once("t3"), &[]),
            ]),
        ),
    ];
    for (provided, expected) in rows {
        let (world, gateway) = world(move || of_events(&provided));
        let mut body: Value = serde_json::from_str(&of_messages()).unwrap();
        body["stream"] = true.into();
        let (status, headers, body) = ask(&world, &gateway, post("/v1/messages", &body.to_string(), &[]));
        assert_eq!((status, mark(&headers)), (200, "repaired"), "{body}");
        assert_eq!(events(&body), expected);
        let named = body.lines().filter_map(|line| line.strip_prefix("event: "));
        assert!(named.eq(expected.iter().map(|event| event["type"].as_str().unwrap())), "{body}");
    }
}
