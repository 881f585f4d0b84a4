//! What is demanded of answers beside their schema: that only what was offered is called, and that nothing of them is guessed.

use std::rc::Rc;

use breakwater::gateway::Gateway;
use breakwater::runtime::Script;
use serde_json::{Value, json};

use crate::schemas::{calls, calls_ending, content, sent};
use crate::upstreams::says;
use crate::world::{World, ask, chat, gateway};

const CONFIG: &str = r#"
[defaults]
deadline = "20s"
schema_retries = 1
[providers.a]
base_url = "https://a.example/v1"
key = "KEY"
[routes.one]
targets = ["a/m"]
"#;

const GOOD: &str = r#"{"a":1}"#;

fn schema() -> Value {
    json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": false})
}

/// A request with further members.
fn asking(model: &str, more: &Value) -> String {
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": "Who?"}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body.to_string()
}

fn form(schema: &Value) -> Value {
    json!({"type": "json_schema", "json_schema": {"name": "x", "schema": schema}})
}

fn function(name: &str, strict: bool, parameters: &Value) -> Value {
    json!({"type": "function", "function": {"name": name, "strict": strict, "parameters": parameters}})
}

fn world(upstream: impl Fn(usize) -> Script + 'static) -> (Rc<World>, Rc<Gateway>) {
    let world = World::new(7);
    *world.upstream.borrow_mut() = Box::new(move |sent| upstream(sent.nth));
    (world, gateway(CONFIG, &[("KEY", "sk-1")]))
}

#[test]
fn a_call_of_what_was_not_offered_is_a_failure_wherever_anything_is_demanded() {
    let loose = json!([function("known", false, &json!({"type": "object"}))]);
    let rows = [
        ("a schema", json!({"response_format": form(&schema())})),
        ("an object", json!({"response_format": {"type": "json_object"}})),
        ("a schema beside a tool that is not strict", json!({"response_format": form(&schema()), "tools": loose})),
        ("an empty list of tools", json!({"response_format": form(&schema()), "tools": []})),
    ];
    for (name, more) in rows {
        for mended in [true, false] {
            let (world, gateway) = world(move |nth| if nth == 0 || !mended { calls("ghost", "{}") } else { says(1, GOOD) });
            let (status, headers, body) = ask(&world, &gateway, chat(&asking("one", &more), &[]));
            assert_eq!(status, if mended { 200 } else { 422 }, "{name}: {body}");
            let sent = sent(&world);
            assert_eq!(sent.len(), 2, "{name}");
            assert!(sent[1].1["messages"].to_string().contains("ghost"), "{name}: {}", sent[1].1);
            if more["tools"].as_array().is_none_or(Vec::is_empty) {
                // Without tools, some providers take neither calls nor their results.
                assert!(!sent[1].1.to_string().contains("tool_call"), "{name}: {}", sent[1].1);
            }
            if mended {
                assert_eq!(headers.get("x-breakwater-schema"), Some("retried;1"), "{name}");
            } else {
                assert!(body.contains("ghost"), "{name}: {body}");
            }
        }
    }
    // What was offered may be called, also by its older name, and nothing is demanded where nothing is.
    let of_old =
        json!({"response_format": form(&schema()), "functions": [{"name": "ghost", "parameters": {"type": "object"}}]});
    let offered = json!({"response_format": form(&schema()), "tools": [function("ghost", false, &json!({"type": "object"}))]});
    for more in [of_old, offered, json!({}), json!({"tools": loose})] {
        let (world, gateway) = world(|_| calls("ghost", "{}"));
        let (status, _, body) = ask(&world, &gateway, chat(&asking("one", &more), &[]));
        assert_eq!((status, sent(&world).len()), (200, 1), "{more}: {body}");
    }
}

#[test]
fn two_different_answers_are_a_guess_and_thoughts_are_none() {
    let rows = [
        ("<think>maybe {\"a\":5}? no</think>\n{\"a\":1}", "repaired", 1),
        ("{\"a\":1}\nWait, that is wrong. Corrected:\n{\"a\":2}", "retried;1", 2),
        ("{\"a\":1}\nThat is:\n```json\n{ \"a\": 1 }\n```", "repaired", 1),
    ];
    for (text, word, times) in rows {
        let (world, gateway) = world(move |nth| says(1, if nth == 0 { text } else { GOOD }));
        let (status, headers, body) =
            ask(&world, &gateway, chat(&asking("one", &json!({"response_format": form(&schema())})), &[]));
        assert_eq!((status, headers.get("x-breakwater-schema")), (200, Some(word)), "{text}: {body}");
        let content: Value = serde_json::from_str(&content(&body)).unwrap();
        assert_eq!((content, sent(&world).len()), (json!({"a": 1}), times), "{text}");
    }
}

#[test]
fn arguments_of_tools_are_repaired_as_texts_are() {
    let optional = json!({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
        "required": ["a"], "additionalProperties": false});
    let more = json!({"tools": [function("known", true, &optional)]});
    let rows = [
        ("```json\n{\"a\":1}\n```", "tool_calls", Some("{\"a\":1}")),
        ("{\"a\":1", "tool_calls", Some("{\"a\":1}")),
        ("{\"a\":1,\"b\":null}", "tool_calls", Some("{\"a\":1}")),
        ("{\"a\":1", "length", None),
        ("{\"a\":1} or {\"a\":2}", "tool_calls", None),
        ("{\"a\":\"1\"", "tool_calls", None),
    ];
    for (arguments, finish, repaired) in rows {
        let (world, gateway) = world(move |_| calls_ending("known", arguments, finish));
        let (status, headers, body) = ask(&world, &gateway, chat(&asking("one", &more), &[]));
        assert_eq!(status, if repaired.is_some() { 200 } else { 422 }, "{arguments}: {body}");
        if let Some(repaired) = repaired {
            let body: Value = serde_json::from_str(&body).unwrap();
            let call = &body["choices"][0]["message"]["tool_calls"][0];
            assert_eq!((&call["function"]["arguments"], &call["id"]), (&json!(repaired), &json!("call_1")), "{arguments}");
            assert_eq!((headers.get("x-breakwater-schema"), sent(&world).len()), (Some("repaired"), 1), "{arguments}");
        }
    }
}
