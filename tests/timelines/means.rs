//! By which means a form is asked for where that depends on what else is in the request, as the presets' rows have it: at once, and not after a 400.

use std::rc::Rc;

use breakwater::gateway::Gateway;
use serde_json::{Value, json};

use crate::schemas::{mark, message, sent, words};
use crate::upstreams::{says, tells};
use crate::world::{World, ask, gateway, post};

const CONFIG: &str = r#"
[providers.groq]
base_url = "https://groq.example/v1"
key = "KEY"
[providers.cerebras]
base_url = "https://cerebras.example/v1"
key = "KEY"
[providers.llamacpp]
base_url = "https://llamacpp.example/v1"
key = "KEY"
[providers.gem]
protocol = "gemini"
base_url = "https://gem.example/v1beta"
key = "KEY"
[providers.claude]
protocol = "anthropic"
base_url = "https://claude.example/v1"
key = "KEY"
[routes.groq]
targets = ["groq/openai/gpt-oss-120b"]
[routes.live]
targets = ["groq/openai/gpt-oss-120b"]
schema_stream = "live"
[routes.cerebras]
targets = ["cerebras/m"]
[routes.llamacpp]
targets = ["llamacpp/m"]
[routes.old-gemini]
targets = ["gem/gemini-2.0-flash"]
[routes.old-claude]
targets = ["claude/claude-3-5-haiku-latest"]
"#;

const GOOD: &str = r#"{"size":1}"#;

fn world() -> (Rc<World>, Rc<Gateway>) {
    let world = World::new(7);
    *world.upstream.borrow_mut() = Box::new(|sent| if sent.streamed { tells(10, 100, &[GOOD]) } else { says(1, GOOD) });
    (world, gateway(CONFIG, &[("KEY", "sk-1")]))
}

fn schema() -> Value {
    json!({"type": "object", "properties": {"size": {"type": "integer"}}, "required": ["size"], "additionalProperties": false})
}

/// A request in the client's words.
fn asking(path: &str, route: &str, tools: bool, stream: bool) -> Value {
    let mut body =
        json!({"model": route, "max_tokens": 100, "messages": [{"role": "user", "content": "How big?"}], "stream": stream});
    if path == "/v1/messages" {
        body["output_config"] = json!({"format": {"type": "json_schema", "schema": schema()}});
    } else {
        body["response_format"] = json!({"type": "json_schema", "json_schema": {"name": "thing", "schema": schema()}});
    }
    if tools {
        let parameters = json!({"type": "object", "properties": {}});
        body["tools"] = if path == "/v1/messages" {
            json!([{"name": "look", "input_schema": parameters}])
        } else {
            json!([{"type": "function", "function": {"name": "look", "parameters": parameters}}])
        };
    }
    body
}

#[test]
fn the_next_means_are_taken_at_once_where_a_provider_cannot_combine_them() {
    let rows = [
        ("groq", false, false, "json_schema"),
        ("groq", false, true, "json_object"),
        ("groq", true, false, "words"),
        ("groq", true, true, "words"),
        ("live", false, true, "json_object"),
        ("cerebras", false, false, "json_schema"),
        ("cerebras", false, true, "json_schema"),
        ("cerebras", true, false, "words"),
        ("cerebras", true, true, "words"),
        // Of its own grammars alone it says that they go with no tools.
        ("llamacpp", true, false, "json_schema"),
        ("llamacpp", true, true, "json_schema"),
    ];
    for (route, tools, stream, means) in rows {
        for path in ["/v1/chat/completions", "/v1/messages"] {
            let name = format!("{path} by {route}, tools: {tools}, stream: {stream}");
            let (world, gateway) = world();
            let body = asking(path, route, tools, stream).to_string();
            let (status, headers, answer) = ask(&world, &gateway, post(path, &body, &[]));
            let word = match (means, route) {
                (_, "live") => "none",
                ("json_schema", _) => "valid",
                _ => "emulated",
            };
            assert_eq!((status, mark(&headers), words(&headers).len()), (200, word, 1), "{name}: {answer}");
            let (_, body) = sent(&world).remove(0);
            let form = body["response_format"]["type"].as_str().unwrap_or("words");
            assert_eq!(form, means, "{name}: {body}");
            let prompted = body["messages"].to_string().contains("additionalProperties");
            assert_eq!(prompted, means != "json_schema", "{name}: {body}");
        }
    }
}

#[test]
fn any_object_beside_tools_is_asked_for_in_words_where_that_is_refused_too() {
    for (route, means) in [("groq", "words"), ("cerebras", "words"), ("llamacpp", "json_object")] {
        let (world, gateway) = world();
        let mut body = asking("/v1/chat/completions", route, true, false);
        body["response_format"] = json!({"type": "json_object"});
        let (status, _, answer) = ask(&world, &gateway, post("/v1/chat/completions", &body.to_string(), &[]));
        assert_eq!(status, 200, "{answer}");
        let (_, body) = sent(&world).remove(0);
        assert_eq!(body["response_format"]["type"].as_str().unwrap_or("words"), means, "{route}: {body}");
        assert_eq!(body["messages"].to_string().contains("JSON"), means == "words", "{route}: {body}");
    }
}

/// The gateway holds the arguments to the schema: the word is emulated, and not ignored.
#[test]
fn strict_tools_are_named_as_ignored_nowhere() {
    let tools = |path: &str| match path {
        "/v1/messages" => json!([{"name": "look", "strict": true, "input_schema": schema()}]),
        "/v1/responses" => json!([{"type": "function", "name": "look", "strict": true, "parameters": schema()}]),
        _ => json!([{"type": "function", "function": {"name": "look", "strict": true, "parameters": schema()}}]),
    };
    for path in ["/v1/chat/completions", "/v1/messages", "/v1/responses"] {
        for route in ["old-gemini", "old-claude", "groq"] {
            let world = World::new(7);
            *world.upstream.borrow_mut() = Box::new(|sent| match sent.url.as_str() {
                url if url.contains("gem.") => {
                    let wrong = sent.nth == 0;
                    let args = if wrong { json!({"size": "1"}) } else { json!({"size": 1}) };
                    let body = json!({"candidates": [{"content": {"role": "model", "parts": [{"functionCall": {"name": "look", "args": args}}]},
                        "finishReason": "STOP", "index": 0}]});
                    crate::upstreams::json(1, 200, &body.to_string())
                }
                url if url.contains("claude.") => message("Hi"),
                _ => says(1, "Hi"),
            });
            let gateway = gateway(CONFIG, &[("KEY", "sk-1")]);
            let body = if path == "/v1/responses" {
                json!({"model": route, "input": "Hi", "store": false, "tools": tools(path)})
            } else {
                json!({"model": route, "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], "tools": tools(path)})
            };
            let (status, headers, answer) = ask(&world, &gateway, post(path, &body.to_string(), &[]));
            assert_eq!((status, headers.get("x-breakwater-ignored")), (200, None), "{path} by {route}: {answer}");
            // Nothing is demanded of words.
            let word = if route == "old-gemini" { "retried;1" } else { "none" };
            assert_eq!(mark(&headers), word, "{path} by {route}: {answer}");
        }
    }
}
