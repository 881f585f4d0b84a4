//! Requests that are bound to an account without an id that says so: by what only that account can read, and by what runs at it.

use std::rc::Rc;

use breakwater::gateway::Gateway;
use breakwater::runtime::Script;
use serde_json::{Value, json};

use crate::dialects::{message, outcomes, parsed};
use crate::upstreams::{error, json as answers, ms};
use crate::world::{World, ask, gateway, post};

const CONFIG: &str = r#"
[defaults]
deadline = "20s"
retries = 2
[providers.one]
protocol = "responses"
base_url = "https://one.example/v1"
keys = ["FIRST_KEY", "SECOND_KEY"]
[providers.two]
protocol = "responses"
base_url = "https://two.example/v1"
key = "TWO_KEY"
[providers.claude]
protocol = "anthropic"
base_url = "https://claude.example/v1"
key = "CLAUDE_KEY"
[routes.both]
targets = ["claude/c", "two/gpt-5", "one/gpt-5"]
hedge_after = "100ms"
cache = "1h"
[routes.ignores]
extends = "both"
unsupported = "ignore"
[routes.pair]
targets = ["two/gpt-5", "one/gpt-5"]
cache = "1h"
[routes.claude-last]
targets = ["two/gpt-5", "claude/c"]
[routes.claude-ignores]
targets = ["claude/c", "two/gpt-5"]
unsupported = "ignore"
"#;

/// An upstream by the beginning of its host.
type Upstream = fn(&str) -> Script;

fn world(upstream: Upstream) -> (Rc<World>, Rc<Gateway>) {
    let world = World::new(7);
    *world.upstream.borrow_mut() = Box::new(move |sent| {
        let url = sent.url.rsplit("https://").next().unwrap();
        upstream(url.split('.').next().unwrap())
    });
    let keys =
        [("FIRST_KEY", "sk-first-1"), ("SECOND_KEY", "sk-second-1"), ("TWO_KEY", "sk-two-1"), ("CLAUDE_KEY", "sk-claude-1")];
    (world, gateway(CONFIG, &keys))
}

/// What a host says: its name, after reasoning that only it can read.
fn thinks(host: &str) -> Script {
    answers(5, 200, &thought(host).to_string())
}

fn thought(host: &str) -> Value {
    json!({
        "id": format!("resp_{host}"), "object": "response", "created_at": 1, "status": "completed", "model": "gpt-real", "store": false,
        "output": [
            { "type": "reasoning", "id": format!("rs_{host}"), "summary": [], "encrypted_content": format!("gAAAA-{host}") },
            { "type": "message", "id": format!("msg_{host}"), "status": "completed", "role": "assistant",
                "content": [{ "type": "output_text", "text": host, "annotations": [] }] },
        ],
        "usage": { "input_tokens": 3, "output_tokens": 2, "total_tokens": 5 },
    })
}

/// What `model` answers first: items to go on with.
fn first(world: &Rc<World>, gateway: &Rc<Gateway>, model: &str) -> Vec<Value> {
    let body = json!({ "model": model, "input": "Hello", "store": false, "include": ["reasoning.encrypted_content"] });
    let (status, _, text) = ask(world, gateway, post("/v1/responses", &body.to_string(), &[]));
    assert_eq!(status, 200, "{text}");
    parsed(&text)["output"].as_array().unwrap().clone()
}

fn follows(model: &str, items: &[Value], more: &Value) -> String {
    let mut input = vec![json!({ "role": "user", "content": "Hello" })];
    input.extend(items.iter().cloned());
    input.push(json!({ "role": "user", "content": "And then?" }));
    let mut body = json!({ "model": model, "store": false, "input": input });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body.to_string()
}

/// The calls since `from`: host, key, and whether the maker's own reasoning was in it.
fn calls(world: &World, from: usize, encrypted: &str) -> Vec<(String, bool)> {
    let all = world.calls.borrow();
    all.iter()
        .skip(from)
        .map(|call| {
            let host = call.sent.url.trim_start_matches("https://").split('.').next().unwrap().to_owned();
            (host, call.sent.body.contains(encrypted))
        })
        .collect()
}

#[test]
fn what_was_encrypted_goes_to_whoever_can_read_it() {
    let row = |made: &'static str,
               asked: &'static str,
               calls: &'static [(&'static str, bool)],
               ignored: Option<&'static str>,
               cache: &'static str| (made, asked, calls, ignored, cache);
    for (made, asked, expected, ignored, cache) in [
        // The route has who made it, at whatever place: nobody else is asked.
        row("one/gpt-5", "both", &[("one", true)], None, "bypass"),
        row("two/gpt-5", "both", &[("two", true)], None, "bypass"),
        // It does not: the others are asked without it.
        row("one/gpt-5", "claude-last", &[("two", false)], None, "bypass"),
        row("one/gpt-5", "claude/c", &[("claude", false)], None, "bypass"),
        // Another model of the account is another target; it can still read it.
        row("one/gpt-4", "one/gpt-5", &[("one", true)], None, "bypass"),
        // The route wants no such thing to decide.
        row("one/gpt-5", "ignores", &[("claude", false)], Some("input[].encrypted_content"), "miss"),
        row("one/gpt-5", "claude-ignores", &[("claude", false)], Some("input[].encrypted_content"), "bypass"),
    ] {
        let (world, gateway) = world(|host| if host == "claude" { message("claude") } else { thinks(host) });
        let items = first(&world, &gateway, made);
        let from = world.calls.borrow().len();
        let (status, headers, text) = ask(&world, &gateway, post("/v1/responses", &follows(asked, &items, &json!({})), &[]));
        let name = format!("made by {made}, asked of {asked}: {text}");
        let expected: Vec<(String, bool)> = expected.iter().map(|(host, sent)| ((*host).to_owned(), *sent)).collect();
        assert_eq!((status, calls(&world, from, "gAAAA-")), (200, expected), "{name}");
        assert_eq!((headers.get("x-breakwater-ignored"), headers.get("x-breakwater-cache")), (ignored, Some(cache)), "{name}");
        let sent = world.calls.borrow().last().unwrap().sent.body.clone();
        assert!(!sent.contains("_bound_"), "{sent}");
        if !sent.contains("gAAAA-") {
            assert!(!sent.contains("\"reasoning\"") && !sent.contains("rs_"), "left out, not mutilated: {sent}");
        }
    }
}

#[test]
fn a_request_that_only_one_account_can_read_is_asked_of_it_once() {
    for stream in [false, true] {
        let (world, gateway) = world(|host| if host == "claude" { message("claude") } else { thinks(host) });
        let items = first(&world, &gateway, "two/gpt-5");
        for (name, slow) in [("it fails", false), ("it is slow", true)] {
            let from = world.calls.borrow().len();
            *world.upstream.borrow_mut() =
                Box::new(
                    move |_| {
                        if slow { answers(5_000, 200, &thought("two").to_string()) } else { error(5, 500, "x", "down") }
                    },
                );
            let body = follows("both", &items, &json!({ "stream": stream }));
            let (status, headers, text) = ask(&world, &gateway, post("/v1/responses", &body, &[]));
            assert_eq!(calls(&world, from, "gAAAA-two"), [("two".to_owned(), true)], "{name}, {stream}: {text}");
            assert_eq!(status, if slow { 200 } else { 502 }, "{name}, {stream}: {text}");
            assert_eq!(outcomes(&headers).len(), 1, "{name}");
            world.run_until(world.elapsed() + ms(60_000));
        }
    }
}

#[test]
fn of_several_keys_the_one_that_made_it_is_asked() {
    let (world, gateway) = world(thinks);
    let limited = Rc::new(std::cell::Cell::new(true));
    let switch = Rc::clone(&limited);
    *world.upstream.borrow_mut() = Box::new(move |sent| {
        let first = sent.headers.get("authorization") == Some("Bearer sk-first-1");
        if first && switch.get() { crate::upstreams::limits(1, "1") } else { thinks("one") }
    });
    let items = first(&world, &gateway, "one/gpt-5");
    limited.set(false);
    world.run_until(world.elapsed() + ms(10_000));
    for _ in 0..2 {
        ask(&world, &gateway, post("/v1/responses", &follows("one/gpt-5", &items, &json!({})), &[]));
        let sent = world.calls.borrow().last().unwrap().sent.clone();
        assert_eq!(sent.headers.get("authorization"), Some("Bearer sk-second-1"));
        assert!(sent.body.contains("gAAAA-one"), "{}", sent.body);
    }
}

/// Of a conversation that went from one account to another, the last that thought is the one that goes on; what the other encrypted is left out.
#[test]
fn the_last_who_thought_goes_on() {
    let (world, gateway) = world(|host| if host == "claude" { message("claude") } else { thinks(host) });
    let mut items = first(&world, &gateway, "one/gpt-5");
    items.extend(first(&world, &gateway, "two/gpt-5"));
    let from = world.calls.borrow().len();
    ask(&world, &gateway, post("/v1/responses", &follows("both", &items, &json!({})), &[]));
    assert_eq!(calls(&world, from, "gAAAA-two"), [("two".to_owned(), true)]);
    assert_eq!(calls(&world, from, "gAAAA-one"), [("two".to_owned(), false)]);
}

/// Seals that translated answers carry have no account in them, nor has what a client made up.
#[test]
fn what_nobody_here_bound_binds_nobody() {
    let sealed = |id: &str, encrypted: &str| {
        vec![json!({ "type": "reasoning", "id": id, "summary": [], "encrypted_content": encrypted })]
    };
    for items in [
        sealed("rs_bw10000000000000007_0", "bw1.a.signature"),
        sealed("rs_bw10000000000000007_0", "rs_real gAAAA"),
        sealed("rs_bound_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "gAAAA"),
        sealed("rs_1", "gAAAA"),
    ] {
        let (world, gateway) = world(|host| if host == "claude" { error(5, 500, "x", "down") } else { thinks(host) });
        let (status, headers, text) = ask(&world, &gateway, post("/v1/responses", &follows("both", &items, &json!({})), &[]));
        let trace = outcomes(&headers);
        assert_eq!(
            (status, trace.first().map(String::as_str), trace.last().map(String::as_str)),
            (200, Some("claude/c;server_error"), Some("two/gpt-5;ok")),
            "{items:?}: {text}"
        );
        assert_eq!(headers.get("x-breakwater-cache"), Some("miss"));
    }
}

/// Reasoning that a provider keeps, named by its id alone, is nothing to anybody else, who would refuse it without one.
#[test]
fn reasoning_that_is_kept_elsewhere_is_left_out() {
    let (world, gateway) = world(thinks);
    let mut items = first(&world, &gateway, "one/gpt-5");
    items[0].as_object_mut().unwrap().shift_remove("encrypted_content");
    ask(&world, &gateway, post("/v1/responses", &follows("two/gpt-5", &items, &json!({})), &[]));
    let sent = parsed(&world.calls.borrow().last().unwrap().sent.body);
    let kinds: Vec<&str> =
        sent["input"].as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap_or("user")).collect();
    assert_eq!(kinds, ["user", "message", "user"], "{sent}");
}

/// What is bound by what it asks for: sent to one who speaks Responses, once, whatever becomes of it, and never answered from the cache.
#[test]
fn what_runs_at_the_provider_is_not_run_twice() {
    let container = |kind: &str| json!({ "type": "code_interpreter", "container": { "type": kind } });
    for more in [
        json!({ "background": true }),
        json!({ "conversation": "conv_1" }),
        json!({ "conversation": { "id": "conv_1" } }),
        json!({ "prompt": { "id": "pmpt_1" } }),
        json!({ "tools": [{ "type": "file_search", "vector_store_ids": ["vs_1"] }] }),
        json!({ "tools": [container("auto")] }),
        json!({ "tools": [{ "type": "code_interpreter", "container": "cntr_1" }] }),
        json!({ "tools": [{ "type": "web_search" }] }),
        json!({ "tools": [{ "type": "web_search_preview_2025_03_11" }] }),
        json!({ "tools": [{ "type": "image_generation" }] }),
        json!({ "tools": [{ "type": "mcp", "server_label": "a", "server_url": "https://mcp.example" }] }),
        json!({ "tools": [{ "type": "computer_use_preview" }] }),
        json!({ "tools": [{ "type": "shell", "environment": { "type": "container_auto" } }] }),
        json!({ "tools": [{ "type": "function", "name": "f", "parameters": {} }, { "type": "mcp", "server_label": "a", "connector_id": "c" }] }),
    ] {
        let body = |stream: bool| {
            let mut body = json!({ "model": "both", "store": false, "stream": stream, "input": "Hello" });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body.to_string()
        };
        for stream in [false, true] {
            // Slow enough for a hedge, and then down.
            for status in [200, 500] {
                let (world, gateway) = world(|_| error(1, 500, "x", "down"));
                *world.upstream.borrow_mut() = Box::new(move |_| {
                    if status == 200 {
                        answers(3_000, 200, &thought("two").to_string())
                    } else {
                        error(3_000, 500, "x", "down")
                    }
                });
                for asked in 1..=2 {
                    let (found, headers, text) = ask(&world, &gateway, post("/v1/responses", &body(stream), &[]));
                    assert_eq!(found, if status == 200 { 200 } else { 502 }, "{more}: {text}");
                    assert_eq!(headers.get("x-breakwater-cache"), Some("bypass"), "{more}");
                    let sent = calls(&world, 0, "");
                    assert_eq!(sent.len(), asked, "{more}, {stream}, {status}: {sent:?}");
                    assert!(sent.iter().all(|(host, _)| host == "two"), "{more}: the first that speaks Responses: {sent:?}");
                    world.run_until(world.elapsed() + ms(10_000));
                }
            }
        }
    }
    // What the client runs itself binds nothing.
    for tool in [
        json!({ "type": "function", "name": "f" }),
        json!({ "type": "local_shell" }),
        json!({ "type": "shell", "environment": { "type": "local" } }),
        json!({ "type": "apply_patch" }),
    ] {
        let (world, gateway) = world(|host| if host == "two" { error(1, 500, "x", "down") } else { thinks(host) });
        let body = json!({ "model": "pair", "store": false, "input": "Hello", "tools": [tool] }).to_string();
        let (status, headers, text) = ask(&world, &gateway, post("/v1/responses", &body, &[]));
        let told = (status, headers.get("x-breakwater-target"), headers.get("x-breakwater-cache"));
        assert_eq!(told, (200, Some("one/gpt-5"), Some("miss")), "{tool}: {text}");
    }
}

/// What a hosted tool gave goes on where it ran.
#[test]
fn what_a_hosted_tool_gave_goes_on_where_it_ran() {
    let call = |id: &str| match id.split('_').next().unwrap() {
        "ci" => {
            json!({ "type": "code_interpreter_call", "id": id, "status": "completed", "container_id": "cntr_1", "code": "1", "outputs": null })
        }
        "mcpr" => json!({ "type": "mcp_approval_request", "id": id, "server_label": "a", "name": "f", "arguments": "{}" }),
        "ws" => {
            json!({ "type": "web_search_call", "id": id, "status": "completed", "action": { "type": "search", "query": "q" } })
        }
        _ => json!({ "type": "image_generation_call", "id": id, "status": "completed", "result": "AAAA" }),
    };
    for id in ["ci_1", "mcpr_1", "ws_1", "ig_1"] {
        let (world, gateway) = world(thinks);
        let mut made = thought("one");
        made["output"][0] = call(id);
        *world.upstream.borrow_mut() = Box::new(move |_| answers(1, 200, &made.to_string()));
        let mut items = first(&world, &gateway, "one/gpt-5");
        if id == "mcpr_1" {
            let asked = items[0]["id"].clone();
            items.push(json!({ "type": "mcp_approval_response", "approval_request_id": asked, "approve": true }));
        }
        let from = world.calls.borrow().len();
        let (status, _, text) = ask(&world, &gateway, post("/v1/responses", &follows("both", &items, &json!({})), &[]));
        assert_eq!((status, calls(&world, from, &format!("\"{id}\""))), (200, vec![("one".to_owned(), true)]), "{id}: {text}");
        let sent = world.calls.borrow().last().unwrap().sent.body.clone();
        assert!(!sent.contains("_bound_"), "{sent}");
    }
}
