//! What is told of a wrong answer of a model that thinks, to its own provider and to another account.

use breakwater::runtime::Script;
use serde_json::{Value, json};

use crate::upstreams::{error, json as answers};
use crate::world::{World, ask, chat, gateway, post};

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
    let said = text.map(|text| {
        json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}]})
    });
    let output: Vec<Value> = [Some(thoughts), said].into_iter().flatten().collect();
    let (status, why) =
        if text.is_some() { ("completed", Value::Null) } else { ("incomplete", json!({"reason": "max_output_tokens"})) };
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
        let (text, text_is_there) = (text.map(str::to_owned), text.is_some());
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
        assert_eq!(told["role"], "user", "{name}: {told}");
        let wrong = if text_is_there { "it:\\n- the answer: expected the property" } else { "it:\\n- the answer was cut off" };
        assert!(told.to_string().contains(wrong), "{name}: {told}");
    }
}

/// What only one account can read is sent to it once; but who answered it may be told what is wrong with that, unless the request does more than to be
/// answered.
#[test]
fn who_alone_can_read_a_request_may_be_told_of_its_answer() {
    let tool = json!([{"type": "web_search"}]);
    let rows: [(&str, Value, [u16; 2], u16, usize); 4] = [
        ("wrong, then right", json!({}), [200, 200], 200, 2),
        ("wrong, and then out of order", json!({}), [200, 500], 422, 2),
        ("out of order", json!({}), [500, 200], 502, 1),
        ("a search that is paid for", json!({"tools": tool}), [200, 200], 422, 1),
    ];
    for (name, more, statuses, expected, calls) in rows {
        let world = World::new(7);
        *world.upstream.borrow_mut() = Box::new(|_| thinks(true, Some("Hm.")));
        let gateway = gateway(CONFIG, &[("KEY", "sk-1")]);
        let asking = |input: &[Value], more: &Value| {
            let mut body =
                json!({"model": "accounts", "input": input, "store": false, "include": ["reasoning.encrypted_content"]});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            ask(&world, &gateway, post("/v1/responses", &body.to_string(), &[]))
        };
        let question = json!({"role": "user", "content": "Who?"});
        let (_, _, first) = asking(std::slice::from_ref(&question), &json!({}));
        let first: Value = serde_json::from_str(&first).unwrap();
        let mut input = vec![question.clone()];
        input.extend(first["output"].as_array().unwrap().iter().cloned());
        input.push(question);
        *world.upstream.borrow_mut() = Box::new(move |sent| match (statuses[usize::from(sent.nth == 2)], sent.nth) {
            (500, _) => error(1, 500, "x", "down"),
            (_, nth) => thinks(true, Some(if nth == 1 { "{}" } else { r#"{"age":1}"# })),
        });
        let mut asked = json!({"text": {"format": {"type": "json_schema", "name": "person", "schema": {"type": "object", "required": ["age"]}}}});
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (status, _, body) = asking(&input, &asked);
        assert_eq!((status, world.calls.borrow().len() - 1), (expected, calls), "{name}: {body}");
        assert!(world.calls.borrow().iter().all(|call| call.sent.url.contains("one.example")), "{name}");
    }
}
