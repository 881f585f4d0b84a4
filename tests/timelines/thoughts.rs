//! What is told of a wrong answer of a model that thinks, to its own provider and to another account.

use breakwater::runtime::Script;
use serde_json::{Value, json};

use crate::upstreams::json as answers;
use crate::world::{World, ask, chat, gateway};

const CONFIG: &str = r#"
[providers.one]
protocol = "responses"
base_url = "https://one.example/v1"
key = "KEY"
[providers.other]
protocol = "responses"
base_url = "https://other.example/v1"
key = "KEY"
[routes.accounts]
targets = ["one/gpt-5", "other/gpt-5"]
"#;

/// A response that thinks, and then says something or nothing.
fn thinks(encrypted: bool, text: Option<&str>) -> Script {
    let mut thoughts = json!({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]});
    if encrypted {
        thoughts["encrypted_content"] = "gAAAA-sealed".into();
    }
    let said = text.map(|text| json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}]}));
    let output: Vec<Value> = [Some(thoughts), said].into_iter().flatten().collect();
    let (status, why) = if text.is_some() { ("completed", Value::Null) } else { ("incomplete", json!({"reason": "max_output_tokens"})) };
    let body = json!({"id": "resp_1", "object": "response", "created_at": 1, "status": status, "incomplete_details": why, "model": "g",
        "output": output, "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}});
    answers(1, 200, &body.to_string())
}

#[test]
fn thoughts_go_back_where_their_provider_can_read_them() {
    // What comes at first, and whether the thoughts are in the second body (the same account's) and the third (another's).
    let rows: [(&str, bool, Option<&str>, &[bool]); 3] = [
        ("sealed", true, Some("{}"), &[true, false, true]),
        // Of these OpenAI knows nothing, where the answer was not kept.
        ("with an id alone", false, Some("{}"), &[false, false, false]),
        // "Reasoning was provided without its required following item."
        ("followed by nothing", true, None, &[false, false, false]),
    ];
    for (name, sealed, text, thoughts) in rows {
        let world = World::new(7);
        let text = text.map(str::to_owned);
        *world.upstream.borrow_mut() = Box::new(move |_| thinks(sealed, text.as_deref()));
        let gateway = gateway(CONFIG, &[("KEY", "sk-1")]);
        let body = json!({"model": "accounts", "messages": [{"role": "user", "content": "Who?"}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "person", "schema": {"type": "object", "required": ["age"]}}}});
        let (status, _, body) = ask(&world, &gateway, chat(&body.to_string(), &[]));
        assert_eq!(status, 422, "{name}: {body}");
        let calls = world.calls.borrow();
        let hosts: Vec<&str> = calls.iter().filter_map(|call| call.sent.url.split(['/', '.']).nth(2)).collect();
        assert_eq!(hosts, ["one", "one", "other", "other"], "{name}");
        let sent: Vec<Value> = calls.iter().skip(1).map(|call| serde_json::from_str(&call.sent.body).unwrap()).collect();
        let found: Vec<bool> = sent.iter().map(|body| body["input"].to_string().contains("reasoning")).collect();
        assert_eq!(found, thoughts, "{name}");
        let told = sent[0]["input"].as_array().unwrap().last().unwrap();
        assert!(told["role"] == "user" && told.to_string().contains("What is wrong with it"), "{name}: {told}");
    }
}
