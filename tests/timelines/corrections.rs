//! What must not come of a demand on the answer's form: another one's time spent, the gateway's own words refused in the client's stead, words beside a call.

use std::rc::Rc;

use breakwater::gateway::Gateway;
use breakwater::runtime::{Ending, Script};
use serde_json::{Value, json};

use crate::schemas::{content, mark, sent, words};
use crate::upstreams::{chunk, error, json as answers, says, streams, tells};
use crate::world::{World, ask, chat, gateway, post};

const CONFIG: &str = r#"
[defaults]
deadline = "20s"
schema_retries = 1
[providers.a]
base_url = "https://a.example/v1"
key = "KEY"
[providers.b]
base_url = "https://b.example/v1"
key = "KEY"
[providers.resp]
protocol = "responses"
base_url = "https://resp.example/v1"
key = "KEY"
[providers.claude]
protocol = "anthropic"
base_url = "https://claude.example/v1"
key = "KEY"
[routes.one]
targets = ["a/m"]
[routes.both]
targets = ["a/m", "b/m"]
[routes.resp]
targets = ["resp/gpt-5"]
[routes.claude]
targets = ["claude/claude-sonnet-4-5"]
[routes.kept]
targets = ["claude/claude-sonnet-4-5"]
cache = "1h"
[routes.checked]
targets = ["a/m"]
validate_tools = true
"#;

const GOOD: &str = r#"{"age":36}"#;
const BAD: &str = r#"{"age":"36"}"#;

/// What an upstream does, by its host's first letter, and by how often what was sent has been corrected.
type Upstream = fn(&str, usize) -> Script;

fn world(upstream: Upstream) -> (Rc<World>, Rc<Gateway>) {
    let world = World::new(7);
    *world.upstream.borrow_mut() = Box::new(move |sent| {
        let host = sent.url.rsplit("https://").next().unwrap().split('.').next().unwrap().to_owned();
        upstream(&host, sent.body.matches("corrected JSON").count())
    });
    (world, gateway(CONFIG, &[("KEY", "sk-1")]))
}

fn schema() -> Value {
    json!({"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"], "additionalProperties": false})
}

fn tool() -> Value {
    json!({"type": "object", "properties": {}})
}

fn asking(route: &str, more: &Value) -> String {
    let mut body = json!({"model": route, "messages": [{"role": "user", "content": "Who?"}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "person", "schema": schema()}}});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body.to_string()
}

fn refused() -> Script {
    error(1, 400, "invalid", "tool call message at index 1: no")
}

#[test]
fn a_stream_that_does_not_end_leaves_the_next_target_its_time() {
    let (world, gateway) = world(|host, _| {
        if host == "b" {
            return tells(10, 100, &[GOOD]);
        }
        let mut chunks = vec![chunk(&json!({"content": "{\"age\":"}), None)];
        chunks.extend((0..100).map(|_| chunk(&json!({"content": " \n"}), None)));
        streams(10, 1_000, chunks, Ending::Eof)
    });
    let (status, headers, body) = ask(&world, &gateway, chat(&asking("both", &json!({"stream": true})), &[]));
    assert_eq!((status, words(&headers)), (200, vec!["a/m;timeout".to_owned(), "b/m;ok".to_owned()]), "{body}");
    // The last one has all that is left.
    let (status, headers, body) = ask(&world, &gateway, chat(&asking("one", &json!({"stream": true})), &[]));
    assert_eq!((status, words(&headers)), (504, vec!["a/m;timeout".to_owned()]), "{body}");
    assert!(body.contains("deadline_exceeded"), "{body}");
}

#[test]
fn a_correction_that_is_refused_is_no_refusal_of_the_request() {
    let rows: [(&str, &str, Upstream, u16, &[&str]); 5] = [
        (
            "the next one answers",
            "both",
            |host, corrected| match (host, corrected) {
                ("a", 0) => says(1, BAD),
                ("a", _) => refused(),
                _ => says(1, GOOD),
            },
            200,
            &["a/m;schema_unsatisfied", "a/m;refused", "b/m;ok"],
        ),
        (
            "the next one will not have it either, and answers the request as it was",
            "both",
            |host, corrected| match (host, corrected) {
                (_, 1..) => refused(),
                ("a", _) => says(1, BAD),
                _ => says(1, GOOD),
            },
            200,
            &["a/m;schema_unsatisfied", "a/m;refused", "b/m;refused", "b/m;ok"],
        ),
        (
            "nobody is left",
            "one",
            |_, corrected| if corrected == 0 { says(1, BAD) } else { refused() },
            422,
            &["a/m;schema_unsatisfied", "a/m;refused"],
        ),
        (
            "it is too long",
            "one",
            |_, corrected| {
                if corrected == 0 { says(1, BAD) } else { error(1, 400, "invalid", "maximum context length is 10 tokens") }
            },
            422,
            &["a/m;schema_unsatisfied", "a/m;context_length"],
        ),
        ("the request itself is refused", "both", |_, _| refused(), 400, &["a/m;refused"]),
    ];
    for (name, route, upstream, status, trace) in rows {
        let (world, gateway) = world(upstream);
        let (found, headers, body) = ask(&world, &gateway, chat(&asking(route, &json!({})), &[]));
        assert_eq!((found, words(&headers)), (status, trace.iter().map(|word| (*word).to_owned()).collect()), "{name}: {body}");
        match status {
            200 => assert_eq!(content(&body), GOOD, "{name}"),
            422 => assert!(body.contains("/age") && !body.contains("index 1"), "{name}: {body}"),
            _ => assert!(body.contains("index 1"), "{name}: {body}"),
        }
        assert_eq!(sent(&world).len(), trace.len(), "{name}");
    }
}

/// A completion that says something beside a call.
fn beside(text: &str) -> Script {
    let body = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "of_its_own": true,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text,
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]},
            "finish_reason": "tool_calls"}]});
    answers(1, 200, &body.to_string())
}

fn with_tool() -> Value {
    json!({"tools": [{"type": "function", "function": {"name": "look", "parameters": tool()}}]})
}

#[test]
fn words_beside_a_call_are_no_answer() {
    let rows: [(&str, Upstream, Option<&str>, &str); 3] = [
        ("words", |_, _| beside("I will look."), None, "repaired"),
        ("blanks", |_, _| beside("\n\n"), None, "repaired"),
        ("what was demanded", |_, _| beside(GOOD), Some(GOOD), "valid"),
    ];
    for (name, upstream, left, word) in rows {
        let (world, gateway) = world(upstream);
        let (status, headers, body) = ask(&world, &gateway, chat(&asking("one", &with_tool()), &[]));
        let body: Value = serde_json::from_str(&body).unwrap();
        let message = &body["choices"][0]["message"];
        assert_eq!((status, mark(&headers)), (200, word), "{name}: {body}");
        assert_eq!((message["content"].as_str(), &body["of_its_own"]), (left, &json!(true)), "{name}");
        assert!(message.as_object().unwrap().contains_key("content"), "{name}: {message}");
        assert_eq!(message["tool_calls"][0]["function"]["name"], "look", "{name}");
    }
    // Nothing is demanded of a text where only tools are offered.
    let (world, gateway) = world(|_, _| beside("I will look."));
    let body = json!({"model": "one", "messages": [{"role": "user", "content": "Who?"}], "tools": with_tool()["tools"]});
    let (_, _, body) = ask(&world, &gateway, chat(&body.to_string(), &[]));
    assert_eq!(content(&body), "I will look.");
}

#[test]
fn nor_are_they_in_any_other_dialect_or_in_a_stream() {
    let upstream: Upstream = |host, _| match host {
        "a" => streams(
            1,
            1,
            vec![
                chunk(&json!({"role": "assistant", "content": "I will look."}), None),
                chunk(
                    &json!({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]}),
                    Some("tool_calls"),
                ),
                "data: [DONE]\n\n".to_owned(),
            ],
            Ending::Eof,
        ),
        "resp" => {
            let output = json!([{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": "I will look.", "annotations": []}]},
                {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "look", "arguments": "{}", "status": "completed"}]);
            answers(1, 200, &json!({"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": "completed", "output": output,
                "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}}).to_string())
        }
        _ => {
            let content = json!([{"type": "text", "text": "I will look."}, {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}]);
            answers(
                1,
                200,
                &json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content,
                "stop_reason": "tool_use", "stop_sequence": null, "usage": {"input_tokens": 1, "output_tokens": 1}})
                .to_string(),
            )
        }
    };
    let form = json!({"type": "json_schema", "name": "person", "schema": schema()});
    for route in ["one", "resp", "claude"] {
        for streamed in [false, true] {
            if streamed != (route == "one") && route != "claude" {
                continue;
            }
            let question = json!([{"role": "user", "content": "Who?"}]);
            let bodies = [
                (
                    "/v1/responses",
                    json!({"input": "Who?", "store": false, "text": {"format": form}, "tools": [{"type": "function", "name": "look", "parameters": tool()}]}),
                ),
                (
                    "/v1/messages",
                    json!({"max_tokens": 9, "messages": question, "output_format": {"type": "json_schema", "schema": schema()}, "tools": [{"name": "look", "input_schema": tool()}]}),
                ),
            ];
            for (path, mut body) in bodies {
                body["model"] = json!(route);
                body["stream"] = json!(streamed);
                let (world, gateway) = world(upstream);
                let (status, headers, text) = ask(&world, &gateway, post(path, &body.to_string(), &[]));
                assert_eq!((status, mark(&headers)), (200, "repaired"), "{route} {path} {streamed}: {text}");
                assert!(text.contains("look") && !text.contains("I will"), "{route} {path} {streamed}: {text}");
                assert!(!text.contains("output_text\"") && !text.contains("\"type\":\"text\""), "{route} {path}: {text}");
            }
        }
    }
}

/// A message of Claude's that says this, and why it ended.
fn message(text: &str, stop_reason: &str) -> Script {
    let body = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": text}],
        "stop_reason": stop_reason, "stop_sequence": null, "usage": {"input_tokens": 1, "output_tokens": 1}});
    answers(1, 200, &body.to_string())
}

fn to_claude(route: &str) -> String {
    json!({"model": route, "max_tokens": 9, "messages": [{"role": "user", "content": "Who?"}],
        "output_format": {"type": "json_schema", "schema": schema()}})
    .to_string()
}

#[test]
fn what_did_not_end_by_itself_is_not_closed() {
    let rows: [(Upstream, u16); 3] = [
        (|_, _| message("{\"age\":36", "end_turn"), 200),
        (|_, _| message("{\"age\":36", "stop_sequence"), 422),
        (|_, _| message("{\"age\":36", "compaction"), 422),
    ];
    for (upstream, expected) in rows {
        let (world, gateway) = world(upstream);
        let (status, _, body) = ask(&world, &gateway, post("/v1/messages", &to_claude("claude"), &[]));
        assert_eq!(status, expected, "{body}");
    }
}

#[test]
fn a_turn_that_pauses_is_not_stored() {
    for (reason, stored) in [("pause_turn", 0), ("end_turn", 1)] {
        let world = World::new(7);
        *world.upstream.borrow_mut() = Box::new(move |_| message("Let me", reason));
        let gateway = gateway(CONFIG, &[("KEY", "sk-1")]);
        let body = json!({"model": "kept", "max_tokens": 9, "messages": [{"role": "user", "content": "Who?"}]}).to_string();
        assert_eq!(ask(&world, &gateway, post("/v1/messages", &body, &[])).0, 200);
        assert_eq!(world.stored.borrow().len(), stored, "{reason}");
    }
}

#[test]
fn a_tool_that_nobody_called_strict_may_have_a_schema_that_is_none() {
    let (world, gateway) = world(|_, _| beside("I will look."));
    let odd = json!({"type": "any", "properties": {"x": {"type": "integer", "minimum": 1, "exclusiveMinimum": true}}});
    let asking = |strict: bool| {
        json!({"model": "checked", "messages": [{"role": "user", "content": "Who?"}],
            "tools": [{"type": "function", "function": {"name": "look", "strict": strict, "parameters": odd}}]})
        .to_string()
    };
    let (status, _, body) = ask(&world, &gateway, chat(&asking(false), &[]));
    assert_eq!(status, 200, "{body}");
    let (status, _, body) = ask(&world, &gateway, chat(&asking(true), &[]));
    assert!(status == 400 && body.contains("tools[0].function.parameters"), "{status} {body}");
}

#[test]
fn a_tool_s_name_that_claude_does_not_take_is_not_sent() {
    let (world, gateway) = world(|_, _| message("Hi", "end_turn"));
    let body = json!({"model": "claude", "messages": [{"role": "user", "content": "Who?"}],
        "tools": [{"type": "function", "function": {"name": "a.b", "parameters": tool()}}]});
    let (status, _, body) = ask(&world, &gateway, chat(&body.to_string(), &[]));
    assert!(status == 400 && body.contains("'a.b'"), "{status} {body}");
    assert_eq!(sent(&world).len(), 0);
}
