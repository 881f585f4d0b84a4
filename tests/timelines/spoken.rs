//! A provider that speaks several of `OpenAI`'s dialects, for a client that speaks neither: which one it is spoken to in.

use breakwater::http::Headers;
use breakwater::runtime::Script;
use serde_json::{Value, json};

use crate::dialects::{parsed, response};
use crate::upstreams::{json as answers, says};
use crate::world::{World, ask, gateway, post};

const CONFIG: &str = r#"
[providers.openai]
[providers.both]
protocol = ["openai", "responses"]
base_url = "https://both.example/v1"
key = "BOTH_KEY"
[providers.turned]
protocol = ["responses", "openai"]
base_url = "https://both.example/v1"
key = "BOTH_KEY"
[providers.chat]
base_url = "https://both.example/v1"
key = "BOTH_KEY"
[routes.smart]
targets = ["both/gpt-5.4"]
[routes.decides]
targets = [{ target = "both/gpt-5.4", set = { reasoning_effort = "none" } }]
"#;

const KEYS: [(&str, &str); 2] = [("OPENAI_API_KEY", "sk-1"), ("BOTH_KEY", "sk-2")];

fn tools(list: &Value) -> Value {
    let mut body = json!({ "max_tokens": 99, "messages": [{ "role": "user", "content": "q" }] });
    body["tools"] = list.clone();
    body
}

/// Where a request is sent, and what it says there.
fn sent(path: &str, model: &str, mut body: Value) -> (String, Value) {
    let world = World::new(7);
    *world.upstream.borrow_mut() = Box::new(|sent| -> Script {
        if sent.url.ends_with("/responses") { answers(1, 200, &response("resp_1", "A").to_string()) } else { says(1, "A") }
    });
    body["model"] = model.into();
    let gateway = gateway(CONFIG, &KEYS);
    let (status, headers, text): (_, Headers, _) = ask(&world, &gateway, post(path, &body.to_string(), &[]));
    assert_eq!((status, headers.get("x-breakwater-ignored")), (200, None), "{path} {model}: {text}");
    let calls = world.calls.borrow();
    let sent = &calls.last().unwrap().sent;
    (sent.url.rsplit("/v1/").next().unwrap().to_owned(), parsed(&sent.body))
}

#[test]
fn a_reasoning_model_is_offered_tools_by_responses() {
    // "Function tools with reasoning_effort are not supported for gpt-5.6 in /v1/chat/completions": said or not, there is always some effort.
    let one = tools(&json!([{ "name": "f", "input_schema": { "type": "object" } }]));
    for model in ["openai/gpt-5.6", "both/gpt-5.4", "smart", "both/openai/gpt-5", "both/o3", "turned/gpt-4.1"] {
        let (path, body) = sent("/v1/messages", model, one.clone());
        assert_eq!((path.as_str(), &body["tools"][0]["name"]), ("responses", &json!("f")), "{model}");
    }
    let mut asked = one.clone();
    asked["thinking"] = json!({ "type": "adaptive" });
    asked["output_config"] = json!({ "effort": "high" });
    let (path, body) = sent("/v1/messages", "both/gpt-5.6", asked);
    assert_eq!((path.as_str(), &body["reasoning"]["effort"]), ("responses", &json!("high")));
    // Where it speaks nothing else, where the model does not reason, and where a target's own fields are in Chat Completions' words.
    for model in ["chat/gpt-5.6", "both/gpt-4.1", "both/llama", "both/gpt-5-chat-latest", "decides"] {
        let (path, body) = sent("/v1/messages", model, one.clone());
        assert_eq!((path.as_str(), &body["tools"][0]["type"]), ("chat/completions", &json!("function")), "{model}");
    }
    // Without tools, there is nothing against the first that it speaks.
    for none in [json!([]), Value::Null] {
        assert_eq!(sent("/v1/messages", "both/gpt-5.6", tools(&none)).0, "chat/completions", "{none}");
    }
    // A client of the provider's own dialects is not translated.
    let function = json!([{ "type": "function", "function": { "name": "f" } }]);
    assert_eq!(sent("/v1/chat/completions", "both/gpt-5.6", tools(&function)).0, "chat/completions");
}

#[test]
fn a_model_that_only_responses_has_is_asked_there_for_every_client() {
    let words = json!({ "max_tokens": 99, "messages": [{ "role": "user", "content": "q" }] });
    for path in ["/v1/messages", "/v1/chat/completions"] {
        for model in [
            "openai/gpt-5-codex",
            "both/gpt-5.1-codex-max",
            "both/o3-pro",
            "both/gpt-5-pro",
            "both/codex-mini-latest",
            "both/o4-mini-deep-research",
        ] {
            assert_eq!(sent(path, model, words.clone()).0, "responses", "{path} {model}");
        }
        for model in ["both/gpt-5.4", "both/gemini-3-pro", "both/deepseek-pro", "chat/gpt-5-codex"] {
            assert_eq!(sent(path, model, words.clone()).0, "chat/completions", "{path} {model}");
        }
    }
}
