//! What a provider itself refuses about a form: the schema of a strict tool, and its own model's answer.

use std::rc::Rc;

use breakwater::gateway::Gateway;
use breakwater::runtime::Script;
use serde_json::{Value, json};

use crate::schemas::{calls, content, mark, sent, words};
use crate::upstreams::{json as answers, says};
use crate::world::{World, ask, gateway, post};

const CONFIG: &str = r#"
[defaults]
schema_retries = 1
[providers.openai]
base_url = "https://openai.example/v1"
key = "KEY"
[providers.groq]
base_url = "https://groq.example/v1"
key = "KEY"
[providers.claude]
protocol = "anthropic"
base_url = "https://claude.example/v1"
key = "KEY"
[routes.openai]
targets = ["openai/gpt-5"]
[routes.two]
targets = ["openai/gpt-5", "claude/claude-sonnet-4-5"]
[routes.groq]
targets = ["groq/m"]
[routes.claude]
targets = ["claude/claude-sonnet-4-5"]
"#;

fn world(upstream: fn(&str, usize) -> Script) -> (Rc<World>, Rc<Gateway>) {
    let world = World::new(7);
    *world.upstream.borrow_mut() = Box::new(move |sent| upstream(&sent.body, sent.nth));
    (world, gateway(CONFIG, &[("KEY", "sk-1")]))
}

fn schema() -> Value {
    json!({"type": "object", "properties": {"size": {"type": "integer"}}, "required": ["size"], "additionalProperties": false})
}

fn refusal(message: &str, code: &str) -> Script {
    answers(1, 400, &json!({"error": {"message": message, "type": "invalid_request_error", "code": code}}).to_string())
}

const CHAT: &str = "/v1/chat/completions";

fn with_tool(route: &str) -> String {
    let tool = json!({"type": "function", "function": {"name": "measure", "strict": true, "parameters": schema()}});
    json!({"model": route, "a new member": 1, "messages": [{"role": "user", "content": "How big?"}], "tools": [tool]})
        .to_string()
}

#[test]
fn a_strict_tool_that_its_provider_refuses_is_sent_not_strict_and_judged_here() {
    let (world, gateway) = world(|body, nth| match nth {
        _ if body.contains(r#""strict":true"#) => {
            refusal("Invalid schema for function 'measure': no.", "invalid_function_parameters")
        }
        1 => calls("measure", r#"{"size":"1"}"#),
        _ => calls("measure", r#"{"size":1}"#),
    });
    let (status, headers, answer) = ask(&world, &gateway, post(CHAT, &with_tool("openai"), &[]));
    assert_eq!((status, mark(&headers)), (200, "retried;1"), "{answer}");
    assert_eq!(words(&headers), ["openai/gpt-5;schema_refused", "openai/gpt-5;schema_unsatisfied", "openai/gpt-5;ok"]);
    let bodies = sent(&world);
    assert_eq!(bodies[1].1["tools"][0]["function"]["strict"], json!(false));
    assert_eq!((&bodies[1].1["tools"][0]["function"]["parameters"], &bodies[1].1["a new member"]), (&schema(), &json!(1)));
    // It is remembered, and by what other means it is asked for.
    let (status, headers, answer) = ask(&world, &gateway, post(CHAT, &with_tool("openai"), &[]));
    assert_eq!((status, mark(&headers), words(&headers)), (200, "emulated", vec!["openai/gpt-5;ok".to_owned()]), "{answer}");
}

#[test]
fn nor_does_another_protocol_s_word_for_it_reach_the_client() {
    let (world, gateway) = world(|body, _| {
        if body.contains(r#""strict":true"#) {
            let error = json!({"type": "error", "error": {"type": "invalid_request_error", "message": "Schema is too complex for compilation."}});
            return answers(1, 400, &error.to_string());
        }
        let content = json!([{"type": "tool_use", "id": "toolu_1", "name": "measure", "input": {"size": 1}}]);
        let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content,
            "stop_reason": "tool_use", "stop_sequence": null, "usage": {"input_tokens": 1, "output_tokens": 1}});
        answers(1, 200, &message.to_string())
    });
    for path in [CHAT, "/v1/messages"] {
        let tool = json!({"name": "measure", "strict": true, "input_schema": schema()});
        let own =
            json!({"model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": "How big?"}], "tools": [tool]});
        let body = if path == CHAT { with_tool("claude") } else { own.to_string() };
        let (status, headers, answer) = ask(&world, &gateway, post(path, &body, &[]));
        let refused = "claude/claude-sonnet-4-5;schema_refused".to_owned();
        assert_eq!((status, mark(&headers)), (200, "emulated"), "{path}: {answer}");
        assert!(words(&headers).contains(&refused), "{path}: {:?}", words(&headers));
    }
}

#[test]
fn a_tool_that_is_refused_though_it_is_not_strict_goes_to_the_next_target() {
    let (world, gateway) = world(|body, _| {
        if body.contains("\"function\"") {
            return refusal("Invalid schema for function 'measure': no.", "invalid_function_parameters");
        }
        let content = json!([{"type": "tool_use", "id": "toolu_1", "name": "measure", "input": {"size": 1}}]);
        let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content,
            "stop_reason": "tool_use", "stop_sequence": null, "usage": {"input_tokens": 1, "output_tokens": 1}});
        answers(1, 200, &message.to_string())
    });
    let (status, headers, answer) = ask(&world, &gateway, post(CHAT, &with_tool("two"), &[]));
    assert_eq!((status, mark(&headers)), (200, "valid"), "{answer}");
    assert_eq!(words(&headers), ["openai/gpt-5;schema_refused", "openai/gpt-5;schema_refused", "claude/claude-sonnet-4-5;ok"]);
    // Where there is none, its refusal is the answer, word for word.
    let (status, headers, answer) = ask(&world, &gateway, post(CHAT, &with_tool("openai"), &[]));
    assert_eq!((status, words(&headers).len()), (400, 1), "{answer}");
    assert!(
        answer.contains("Invalid schema for function 'measure': no.") && answer.contains("invalid_function_parameters"),
        "{answer}"
    );
}

/// What is wrong with a tool that is not strict, is wrong by any means.
#[test]
fn the_schema_of_another_tool_is_the_client_s_to_mend() {
    let (world, gateway) = world(|_, _| refusal("Invalid schema for function 'measure': no.", "invalid_function_parameters"));
    let body = with_tool("openai").replace("true", "false");
    let (status, headers, answer) = ask(&world, &gateway, post(CHAT, &body, &[]));
    assert_eq!((status, words(&headers).len()), (400, 1), "{answer}");
    assert!(answer.contains("Invalid schema for function"), "{answer}");
}

#[test]
fn an_answer_that_its_provider_refuses_is_told_to_the_model_that_made_it() {
    let (world, gateway) = world(|_, nth| match nth {
        0 => {
            let error = json!({"error": {"message": "Failed to generate JSON.", "type": "invalid_request_error", "code": "json_validate_failed",
                "failed_generation": "{\"size\": \"one\"}"}});
            answers(1, 400, &error.to_string())
        }
        _ => says(1, r#"{"size":1}"#),
    });
    let body = json!({"model": "groq", "messages": [{"role": "user", "content": "How big?"}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "size", "schema": schema()}}});
    let (status, headers, answer) = ask(&world, &gateway, post(CHAT, &body.to_string(), &[]));
    assert_eq!((status, mark(&headers), content(&answer).as_str()), (200, "retried;1", r#"{"size":1}"#), "{answer}");
    assert_eq!(words(&headers), ["groq/m;schema_unsatisfied", "groq/m;ok"]);
    // Its own answer, and what is wrong with it.
    let told = &sent(&world)[1].1["messages"];
    let told: Vec<&Value> = told.as_array().unwrap().iter().rev().take(2).collect();
    assert_eq!(*told[1], json!({"role": "assistant", "content": "{\"size\": \"one\"}"}), "{told:?}");
    assert!(told[0]["content"].as_str().unwrap().contains("/size"), "{told:?}");
}
