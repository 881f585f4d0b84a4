//! What is not judged by a form that was asked for, as it is no answer yet; and forms by other names.

use std::rc::Rc;

use breakwater::gateway::Gateway;
use breakwater::runtime::{Ending, Script};
use serde_json::{Value, json};

use crate::schemas::{mark, words};
use crate::upstreams::{json as answers, says, streams};
use crate::world::{World, ask, gateway, post};

const CONFIG: &str = r#"
[defaults]
schema_retries = 0
[providers.resp]
protocol = "responses"
base_url = "https://resp.example/v1"
key = "KEY"
[providers.claude]
protocol = "anthropic"
base_url = "https://claude.example/v1"
key = "KEY"
[providers.mistral]
base_url = "https://mistral.example/v1"
key = "KEY"
[routes.resp]
targets = ["resp/gpt-5"]
[routes.live]
targets = ["resp/gpt-5"]
schema_stream = "live"
[routes.claude]
targets = ["claude/claude-sonnet-4-5"]
[routes.mistral]
targets = ["mistral/m"]
"#;

fn world(upstream: impl Fn(bool) -> Script + 'static) -> (Rc<World>, Rc<Gateway>) {
    let world = World::new(7);
    *world.upstream.borrow_mut() = Box::new(move |sent| upstream(sent.streamed));
    (world, gateway(CONFIG, &[("KEY", "sk-1")]))
}

fn form() -> Value {
    let schema =
        json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": false});
    json!({"type": "json_schema", "name": "n", "schema": schema})
}

fn response(status: &str, output: &Value) -> Value {
    json!({"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": status, "background": status != "completed", "output": output,
        "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}})
}

fn asking(route: &str, more: &Value) -> String {
    let mut body = json!({"model": route, "input": "q", "store": false, "text": {"format": form()}});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body.to_string()
}

/// An answer, or the stream of it.
fn acting(item: &Value, streamed: bool) -> Script {
    let whole = response("completed", &json!([item]));
    if !streamed {
        return answers(1, 200, &whole.to_string());
    }
    let events = [
        json!({"type": "response.created", "sequence_number": 0, "response": response("in_progress", &json!([]))}),
        json!({"type": "response.output_item.added", "sequence_number": 1, "output_index": 0, "item": item}),
        json!({"type": "response.output_item.done", "sequence_number": 2, "output_index": 0, "item": item}),
        json!({"type": "response.completed", "sequence_number": 3, "response": whole}),
    ];
    let frame = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    streams(1, 1, events.iter().map(frame).collect(), Ending::Eof)
}

#[test]
fn a_turn_in_which_the_client_is_to_act_is_exempt_whatever_the_item() {
    let rows = [
        (
            json!({"type": "computer_call", "id": "cu_1", "call_id": "c", "action": {"type": "screenshot"}, "status": "completed"}),
            true,
        ),
        (
            json!({"type": "local_shell_call", "id": "l_1", "call_id": "c", "action": {"type": "exec", "command": ["ls"]}, "status": "completed"}),
            true,
        ),
        (
            json!({"type": "shell_call", "id": "s_1", "call_id": "c", "action": {"commands": ["ls"]}, "status": "completed"}),
            true,
        ),
        (
            json!({"type": "apply_patch_call", "id": "p_1", "call_id": "c", "operation": {"type": "delete_file", "path": "a"}, "status": "completed"}),
            true,
        ),
        (json!({"type": "mcp_approval_request", "id": "m_1", "name": "x", "arguments": "{}", "server_label": "s"}), true),
        // What the provider did itself leaves the answer to be given.
        (
            json!({"type": "web_search_call", "id": "w_1", "status": "completed", "action": {"type": "search", "query": "x"}}),
            false,
        ),
    ];
    for (item, exempt) in rows {
        for (route, stream) in [("resp", false), ("resp", true), ("live", true)] {
            let acted = item.clone();
            let (world, gateway) = world(move |streamed| acting(&acted, streamed));
            let (status, headers, body) =
                ask(&world, &gateway, post("/v1/responses", &asking(route, &json!({"stream": stream})), &[]));
            let passed = status == 200 && !body.contains("\"error\"") && body.contains(item["type"].as_str().unwrap());
            assert_eq!(passed, exempt, "{route} {stream} {item}: {status} {:?} {body}", words(&headers));
        }
    }
}

#[test]
fn what_is_made_in_the_background_is_not_judged_before_it_is_there() {
    for status in ["queued", "in_progress"] {
        let (world, gateway) = world(move |_| answers(1, 200, &response(status, &json!([])).to_string()));
        let more = json!({"background": true, "store": true});
        let (found, headers, body) = ask(&world, &gateway, post("/v1/responses", &asking("resp", &more), &[]));
        assert_eq!((found, mark(&headers)), (200, "none"), "{body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert!(body["status"] == status && body["id"].as_str().unwrap().starts_with("resp_bound_"), "{body}");
    }
}

#[test]
fn the_beta_s_name_of_a_form_counts_beside_an_effort() {
    for (config, demanded) in [
        (json!({"output_format": form(), "output_config": {"effort": "low"}}), true),
        (json!({"output_format": form(), "output_config": {"format": null}}), true),
        (json!({"output_format": form()}), true),
        (json!({"output_config": {"format": form(), "effort": "low"}}), true),
        (json!({"output_config": {"effort": "low"}}), false),
    ] {
        let (world, gateway) = world(|_| {
            let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": "no"}],
                "stop_reason": "end_turn", "stop_sequence": null, "usage": {"input_tokens": 1, "output_tokens": 1}});
            answers(1, 200, &message.to_string())
        });
        let mut body = json!({"model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": "q"}]});
        body.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
        let (status, _, answer) = ask(&world, &gateway, post("/v1/messages", &body.to_string(), &[]));
        assert_eq!(status, if demanded { 422 } else { 200 }, "{config}: {answer}");
    }
}

/// The header says by which means, for any object as for a schema.
#[test]
fn any_object_is_emulated_where_it_is_asked_for_in_words() {
    for (route, word) in [("claude", "emulated"), ("mistral", "valid")] {
        let (world, gateway) = world(move |_| {
            if route == "mistral" {
                return says(1, r#"{"a":1}"#);
            }
            let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
                "content": [{"type": "text", "text": r#"{"a":1}"#}], "stop_reason": "end_turn", "stop_sequence": null,
                "usage": {"input_tokens": 1, "output_tokens": 1}});
            answers(1, 200, &message.to_string())
        });
        let body = json!({"model": route, "messages": [{"role": "user", "content": "JSON"}], "response_format": {"type": "json_object"}});
        let (status, headers, answer) = ask(&world, &gateway, post("/v1/chat/completions", &body.to_string(), &[]));
        assert_eq!((status, mark(&headers)), (200, word), "{answer}");
    }
}
