//! Targets of the client's own dialect that are known not to know a word of it: what is adapted is named, and a route can pass over them.

use std::rc::Rc;

use breakwater::gateway::Gateway;
use serde_json::{Value, json};

use crate::schemas::{sent, words};
use crate::upstreams::{completion, json as answers, says};
use crate::world::{World, ask, chat, gateway};

const CONFIG: &str = r#"
[providers.groq]
base_url = "https://groq.example/v1"
key = "KEY"
[providers.cohere]
base_url = "https://cohere.example/v1"
key = "KEY"
[providers.perplexity]
base_url = "https://perplexity.example/v1"
key = "KEY"
[providers.openai]
base_url = "https://openai.example/v1"
key = "KEY"
[providers.plain]
base_url = "https://plain.example/v1"
key = "KEY"
[routes.groq-next]
targets = ["groq/m", "plain/m"]
unsupported = "next"
[routes.groq-alone]
targets = ["groq/m"]
unsupported = "next"
[routes.groq-refuse]
extends = "groq-next"
unsupported = "refuse"
[routes.groq-mind]
extends = "groq-next"
unsupported = "mind"
[routes.groq-ignore]
extends = "groq-next"
unsupported = "ignore"
[routes.cohere-next]
targets = ["cohere/m", "plain/m"]
unsupported = "next"
[routes.perplexity-next]
targets = ["perplexity/m", "plain/m"]
unsupported = "next"
[routes.openai-next]
targets = ["openai/o3", "openai/gpt-4.1", "plain/m"]
unsupported = "next"
[routes.plain-next]
targets = ["plain/m", "groq/m"]
unsupported = "next"
"#;

fn world() -> (Rc<World>, Rc<Gateway>) {
    let world = World::new(7);
    *world.upstream.borrow_mut() = Box::new(|_| says(1, "Hi"));
    (world, gateway(CONFIG, &[("KEY", "sk-1")]))
}

fn asking(model: &str, members: &Value) -> String {
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": "Hi"}]});
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body.to_string()
}

#[test]
fn next_passes_over_what_is_known_not_to_honour_the_request() {
    let tool = json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]);
    let over = |name: &str| vec![format!("{name};unsupported"), "plain/m;ok".to_owned()];
    let rows = [
        ("groq-next", json!({"n": 2}), over("groq/m")),
        ("groq-next", json!({"logprobs": true}), over("groq/m")),
        ("groq-next", json!({"logit_bias": {"1": 2}}), over("groq/m")),
        // Whoever asks for one, for none, or for no bias, asks for nothing.
        ("groq-next", json!({"n": 1, "logprobs": false, "logit_bias": {}}), vec!["groq/m;ok".to_owned()]),
        ("groq-next", json!({"seed": 7, "stop": ["a"], "a new word": 1}), vec!["groq/m;ok".to_owned()]),
        ("groq-next", json!({"messages": [{"role": "user", "name": "Ann", "content": "Hi"}]}), over("groq/m")),
        ("cohere-next", json!({"tools": tool, "parallel_tool_calls": false}), over("cohere/m")),
        ("cohere-next", json!({"tools": tool, "parallel_tool_calls": true}), vec!["cohere/m;ok".to_owned()]),
        ("perplexity-next", json!({"tools": tool}), over("perplexity/m")),
        ("perplexity-next", json!({"stop": ["a"]}), over("perplexity/m")),
        (
            "openai-next",
            json!({"stop": ["a", "b", "c", "d", "e"]}),
            vec!["openai/o3;unsupported".to_owned(), "openai/gpt-4.1;unsupported".to_owned(), "plain/m;ok".to_owned()],
        ),
        ("openai-next", json!({"stop": ["a"]}), vec!["openai/o3;unsupported".to_owned(), "openai/gpt-4.1;ok".to_owned()]),
        (
            "openai-next",
            json!({"user": "u", "metadata": {"a": "b"}, "store": true, "verbosity": "low"}),
            vec!["openai/o3;ok".to_owned()],
        ),
        ("plain-next", json!({"n": 2}), vec!["plain/m;ok".to_owned()]),
    ];
    for (route, members, expected) in rows {
        let (world, gateway) = world();
        let (status, headers, text) = ask(&world, &gateway, chat(&asking(route, &members), &[]));
        assert_eq!((status, words(&headers)), (200, expected), "{route} {members}: {text}");
        // Passed over means that nothing was sent.
        let (url, body) = sent(&world).remove(0);
        assert_eq!(sent(&world).len(), 1, "{route} {members}");
        for (name, value) in members.as_object().unwrap() {
            assert!(url.contains("cohere") || body[name] == *value, "{route} {name}: {body}");
        }
    }
}

#[test]
fn where_nobody_can_or_nobody_else_is_to_be_asked_it_is_an_error_that_names_the_field() {
    for route in ["groq-alone", "groq-refuse"] {
        let (world, gateway) = world();
        let (status, _, text) = ask(&world, &gateway, chat(&asking(route, &json!({"n": 2})), &[]));
        let error = serde_json::from_str::<Value>(&text).unwrap()["error"].take();
        assert_eq!((status, &error["code"], &error["param"]), (400, &json!("unsupported_parameter"), &json!("n")), "{text}");
        assert!(sent(&world).is_empty(), "{route}");
    }
}

/// What is known of a provider may be older than the provider: it has the last word unless the route says otherwise.
#[test]
fn otherwise_the_provider_says_it_in_its_own_words() {
    for route in ["groq-mind", "groq-ignore", "groq/m"] {
        let (world, gateway) = world();
        let (status, headers, _) = ask(&world, &gateway, chat(&asking(route, &json!({"n": 2})), &[]));
        assert_eq!((status, words(&headers)), (200, vec!["groq/m;ok".to_owned()]), "{route}");
        let theirs = r#"{"error":{"message":"'n' : number must be at most 1","type":"invalid_request_error"}}"#;
        *world.upstream.borrow_mut() = Box::new(move |_| answers(1, 400, theirs));
        let (status, _, text) = ask(&world, &gateway, chat(&asking(route, &json!({"n": 3})), &[]));
        assert!(status == 400 && text.contains("'n' : number must be at most 1"), "{route}: {status} {text}");
    }
}

#[test]
fn a_body_that_cannot_be_read_is_its_providers_to_judge() {
    let (world, gateway) = world();
    *world.upstream.borrow_mut() =
        Box::new(|sent| answers(1, if sent.url.contains("groq") { 200 } else { 400 }, &completion("Hi")));
    let body = asking("groq-next", &json!({"messages": [{"role": "narrator", "content": 7}]}));
    let (status, headers, text) = ask(&world, &gateway, chat(&body, &[]));
    assert_eq!((status, words(&headers)), (200, vec!["groq/m;ok".to_owned()]), "{text}");
}

#[test]
fn what_is_left_out_is_named() {
    let ann = json!([{"role": "user", "name": "Ann", "content": "Hi"}]);
    let result = json!([{"role": "user", "content": "Hi"},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "a", "name": "f", "content": "1"}]);
    let rows = [
        ("cohere/m", json!({"parallel_tool_calls": false}), Some("parallel_tool_calls")),
        ("cohere/m", json!({"parallel_tool_calls": true}), None),
        ("groq/m", json!({"messages": ann}), Some("messages[].name")),
        ("groq/m", json!({"messages": result}), None),
        ("groq/m", json!({"messages": [{"role": "user", "name": "", "content": "Hi"}]}), None),
        ("plain/m", json!({"messages": ann, "parallel_tool_calls": false}), None),
    ];
    for (model, members, ignored) in rows {
        let (world, gateway) = world();
        let (status, headers, text) = ask(&world, &gateway, chat(&asking(model, &members), &[]));
        assert_eq!((status, headers.get("x-breakwater-ignored")), (200, ignored), "{model} {members}: {text}");
        let (_, body) = sent(&world).remove(0);
        assert_eq!(model == "plain/m", body.get("parallel_tool_calls").is_some_and(|parallel| parallel == false), "{body}");
        assert_eq!(model == "plain/m", body["messages"][0].get("name").is_some(), "{body}");
    }
}
