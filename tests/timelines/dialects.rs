//! A client of one dialect, and targets of others: who is asked where and in which words, and what the client is told.

use std::rc::Rc;

use breakwater::http::Headers;
use breakwater::runtime::{Ending, Script};
use serde_json::{Value, json};

use crate::upstreams::{error, json as answers, says, streams, tells};
use crate::world::{World, ask, chat, gateway, post};

const CONFIG: &str = r#"
[defaults]
deadline = "20s"
[providers.chat]
base_url = "https://chat.example/v1"
key = "CHAT_KEY"
[providers.claude]
protocol = "anthropic"
base_url = "https://claude.example/v1"
key = "CLAUDE_KEY"
[providers.gem]
protocol = "gemini"
base_url = "https://gem.example/v1beta"
key = "GEM_KEY"
[providers.resp]
protocol = "responses"
base_url = "https://resp.example/v1"
key = "RESP_KEY"
[providers.both]
protocol = ["openai", "responses"]
base_url = "https://both.example/v1"
key = "BOTH_KEY"
[routes.claude-first]
targets = ["claude/claude-sonnet-4-5", "chat/gpt"]
[routes.kept]
targets = ["claude/claude-sonnet-4-5"]
cache = "1h"
[routes.held]
targets = ["resp/gpt-5", "both/gpt-5"]
[routes.ignores]
extends = "claude-first"
unsupported = "ignore"
[routes.refuses]
extends = "claude-first"
unsupported = "refuse"
[routes.next]
extends = "claude-first"
unsupported = "next"
[routes.decides]
targets = [{ target = "claude/claude-sonnet-4-5", set = { top_k = 5 } }]
set = { temperature = 0.5 }
"#;

const KEYS: [(&str, &str); 5] = [
    ("CHAT_KEY", "sk-chat-1"),
    ("CLAUDE_KEY", "sk-claude-1"),
    ("GEM_KEY", "sk-gem-1"),
    ("RESP_KEY", "sk-resp-1"),
    ("BOTH_KEY", "sk-both-1"),
];

/// An upstream by the beginning of its host.
pub(super) type Upstream = fn(&str, bool, usize) -> Script;

pub(super) fn world(upstream: Upstream) -> (Rc<World>, Rc<breakwater::gateway::Gateway>) {
    let world = World::new(7);
    *world.upstream.borrow_mut() = Box::new(move |sent| {
        let url = sent.url.rsplit("https://").next().unwrap();
        upstream(url.split('.').next().unwrap(), sent.streamed, sent.nth)
    });
    (world, gateway(CONFIG, &KEYS))
}

pub(super) fn message(text: &str) -> Script {
    answers(1, 200, &claude(text))
}

/// A message of Anthropic's.
pub(super) fn claude(text: &str) -> String {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-real",
        "content": [{ "type": "text", "text": text }], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": { "input_tokens": 3, "cache_read_input_tokens": 2, "output_tokens": 4 },
    })
    .to_string()
}

pub(super) fn event(data: &Value) -> String {
    format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap())
}

pub(super) fn message_events(words: &[&str]) -> Vec<String> {
    let start = json!({ "type": "message_start", "message": { "id": "msg_1", "type": "message", "role": "assistant",
        "model": "claude-real", "content": [], "stop_reason": null, "usage": { "input_tokens": 3, "output_tokens": 1 } } });
    let open = json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } });
    let mut events = vec![event(&start), event(&json!({ "type": "ping" })), event(&open)];
    for word in words {
        let delta = json!({ "type": "text_delta", "text": word });
        events.push(event(&json!({ "type": "content_block_delta", "index": 0, "delta": delta })));
    }
    events.push(event(&json!({ "type": "content_block_stop", "index": 0 })));
    events.push(event(&json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn", "stop_sequence": null }, "usage": { "output_tokens": 4 } })));
    events.push(event(&json!({ "type": "message_stop" })));
    events
}

fn gemini(text: &str, finish: bool) -> String {
    let mut candidate = json!({ "index": 0, "content": { "role": "model", "parts": [{ "text": text }] } });
    if finish {
        candidate["finishReason"] = json!("STOP");
    }
    let usage = json!({ "promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5 });
    json!({ "candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-real", "responseId": "r1" }).to_string()
}

pub(super) fn response(id: &str, text: &str) -> Value {
    json!({
        "id": id, "object": "response", "created_at": 1, "status": "completed", "model": "gpt-real",
        "output": [{ "type": "message", "id": "msg_abc", "status": "completed", "role": "assistant",
            "content": [{ "type": "output_text", "text": text, "annotations": [] }] }],
        "usage": { "input_tokens": 3, "output_tokens": 2, "total_tokens": 5 },
    })
}

pub(super) fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn user(model: &str, more: &str) -> String {
    format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"Hello"}}]{more}}}"#)
}

pub(super) fn outcomes(headers: &Headers) -> Vec<String> {
    let trace = headers.get("x-breakwater-trace").unwrap_or_default();
    trace.split(", ").map(|part| part.rsplit_once(';').map_or(part, |(rest, _)| rest).to_owned()).collect()
}

#[test]
fn each_protocol_is_called_where_and_as_it_wants() {
    let (world, gateway) = world(|host, _, _| match host {
        "claude" => message("A"),
        "gem" => answers(1, 200, &gemini("A", true)),
        "resp" => answers(1, 200, &response("resp_1", "A").to_string()),
        _ => says(1, "A"),
    });
    let rows = [
        ("claude/c", "https://claude.example/v1/messages", ("x-api-key", "sk-claude-1"), Some("2023-06-01")),
        ("gem/g", "https://gem.example/v1beta/models/g:generateContent", ("x-goog-api-key", "sk-gem-1"), None),
        ("resp/r", "https://resp.example/v1/responses", ("authorization", "Bearer sk-resp-1"), None),
        ("chat/c", "https://chat.example/v1/chat/completions", ("authorization", "Bearer sk-chat-1"), None),
        ("both/c", "https://both.example/v1/chat/completions", ("authorization", "Bearer sk-both-1"), None),
    ];
    for (model, url, (name, value), version) in rows {
        let headers = [("anthropic-beta", "x"), ("openai-organization", "o"), ("authorization", "Bearer mine")];
        let (status, headers, text) = ask(&world, &gateway, chat(&user(model, ""), &headers));
        assert_eq!((status, parsed(&text)["choices"][0]["message"]["content"].as_str()), (200, Some("A")), "{model}: {text}");
        assert_eq!(headers.get("x-breakwater-target"), Some(model));
        let calls = world.calls.borrow();
        let sent = &calls.last().unwrap().sent;
        assert_eq!(sent.url, url, "{model}");
        assert_eq!(sent.headers.get(name), Some(value), "{model}");
        assert_eq!(sent.headers.get("anthropic-version"), version, "{model}");
        assert_eq!(sent.headers.get("anthropic-beta"), None, "{model}: another dialect's");
        let own = model.starts_with("chat/") || model.starts_with("both/");
        assert_eq!(sent.headers.get("openai-organization").is_some(), own, "{model}");
        let keys = sent.headers.iter().filter(|(name, _)| ["x-api-key", "x-goog-api-key", "authorization"].contains(name));
        assert_eq!(keys.count(), 1, "{model}: {:?}", sent.headers);
    }
}

#[test]
fn a_client_of_messages_is_answered_in_its_own_form_by_everyone() {
    let (world, gateway) = world(|host, streamed, _| match (host, streamed) {
        ("claude", false) => message("A B"),
        ("claude", true) => streams(1, 1, message_events(&["A", " B"]), Ending::Eof),
        ("gem", false) => answers(1, 200, &gemini("A B", true)),
        ("gem", true) => {
            let events = vec![format!("data: {}\n\n", gemini("A", false)), format!("data: {}\n\n", gemini(" B", true))];
            streams(1, 1, events, Ending::Eof)
        }
        ("resp", _) => answers(1, 200, &response("resp_1", "A B").to_string()),
        (_, false) => says(1, "A B"),
        (_, true) => tells(1, 1, &["A", " B"]),
    });
    for model in ["claude/c", "gem/g", "resp/r", "chat/c"] {
        for stream in [false, true] {
            let more = format!(r#","max_tokens":100,"stream":{stream}"#);
            let (status, headers, text) = ask(&world, &gateway, post("/v1/messages", &user(model, &more), &[]));
            assert_eq!(status, 200, "{model} {stream}: {text}");
            assert_eq!(headers.get("x-breakwater-target"), Some(model));
            if stream {
                let events: Vec<Value> = text.lines().filter_map(|line| line.strip_prefix("data: ")).map(parsed).collect();
                let said: String = events.iter().filter_map(|event| event["delta"]["text"].as_str()).collect();
                assert_eq!(said, "A B", "{model}: {text}");
                assert_eq!(events.first().unwrap()["type"], "message_start", "{model}");
                assert_eq!(events.last().unwrap()["type"], "message_stop", "{model}: {text}");
                for event in &events {
                    let line = format!("event: {}\n", event["type"].as_str().unwrap());
                    assert!(text.contains(&line), "{model}: the SDK skips what has no {line}");
                }
            } else {
                let message = parsed(&text);
                assert_eq!((&message["type"], &message["content"][0]["text"]), (&json!("message"), &json!("A B")), "{model}");
                assert_eq!(message["stop_reason"], "end_turn", "{model}");
            }
        }
    }
}

#[test]
fn failing_over_from_one_protocol_to_another_is_not_seen() {
    let (world, gateway) = world(|host, streamed, _| match host {
        "claude" => answers(1, 529, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#),
        _ if streamed => tells(1, 1, &["A"]),
        _ => says(1, "A"),
    });
    for stream in [false, true] {
        let (status, headers, text) =
            ask(&world, &gateway, chat(&user("claude-first", &format!(r#","stream":{stream}"#)), &[]));
        assert_eq!(
            (status, outcomes(&headers)),
            (200, vec!["claude/claude-sonnet-4-5;overloaded".into(), "chat/gpt;ok".into()]),
            "{text}"
        );
    }
    let (status, headers, text) =
        ask(&world, &gateway, post("/v1/messages", &user("claude-first", r#","max_tokens":9,"stream":true"#), &[]));
    assert_eq!((status, headers.get("x-breakwater-target")), (200, Some("chat/gpt")));
    assert!(text.trim_end().ends_with(r#"data: {"type":"message_stop"}"#), "{text}");
}

#[test]
fn a_translated_stream_that_breaks_off_never_looks_complete() {
    let (world, gateway) = world(|_, _, _| {
        let mut events = message_events(&["A", " B"]);
        events.truncate(5);
        streams(1, 1, events, Ending::Cut)
    });
    let rows = [
        ("/v1/chat/completions", "data: {\"error\""),
        ("/v1/responses", "event: error"),
        ("/v1/completions", "data: {\"error\""),
    ];
    for (path, last) in rows {
        let question = match path {
            "/v1/responses" => r#""input":"Hi""#,
            "/v1/completions" => r#""prompt":"Hi""#,
            _ => r#""messages":[{"role":"user","content":"Hi"}]"#,
        };
        let body = &format!(r#"{{"model":"claude/c",{question},"stream":true}}"#);
        let (status, _, text) = ask(&world, &gateway, post(path, body, &[]));
        let ends = text.trim_end().rsplit("\n\n").next().unwrap();
        assert!(status == 200 && ends.starts_with(last), "{path}: {text}");
        assert!(text.contains(" B") && !text.contains("[DONE]") && !text.contains("response.completed"), "{path}: {text}");
        if path == "/v1/responses" {
            let numbers: Vec<u64> = text
                .lines()
                .filter_map(|line| line.strip_prefix("data: "))
                .map(|data| parsed(data)["sequence_number"].as_u64().unwrap())
                .collect();
            assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>(), "{text}");
        }
    }
}

#[test]
fn errors_have_the_clients_form_and_the_providers_words() {
    let (world, gateway) = world(|host, _, _| match host {
        "claude" => {
            answers(1, 400, r#"{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: too large"}}"#)
        }
        "gem" => {
            answers(1, 400, r#"{"error":{"code":400,"message":"Unable to process input image.","status":"INVALID_ARGUMENT"}}"#)
        }
        _ => error(1, 400, "bad", "no such thing"),
    });
    for (model, said) in
        [("claude/c", "max_tokens: too large"), ("gem/g", "Unable to process input image."), ("chat/c", "no such thing")]
    {
        let (status, _, text) = ask(&world, &gateway, chat(&user(model, ""), &[]));
        assert_eq!((status, parsed(&text)["error"]["message"].as_str()), (400, Some(said)), "{model}: {text}");
        let (status, _, text) = ask(&world, &gateway, post("/v1/messages", &user(model, r#","max_tokens":1"#), &[]));
        let error = parsed(&text);
        assert_eq!(
            (status, &error["type"], &error["error"]["type"], error["error"]["message"].as_str()),
            (400, &json!("error"), &json!("invalid_request_error"), Some(said)),
            "{model}: {text}"
        );
        assert_eq!(error["attempts"][0]["target"], model);
    }
    let unknown = ask(&world, &gateway, post("/v1/messages", &user("nobody", r#","max_tokens":1"#), &[]));
    assert_eq!((unknown.0, parsed(&unknown.2)["error"]["type"].as_str()), (404, Some("not_found_error")));
    let wrong = ask(&world, &gateway, post("/v1/messages", r#"{"model":"claude/c","messages":7}"#, &[]));
    assert_eq!((wrong.0, parsed(&wrong.2)["type"].as_str()), (400, Some("error")), "{}", wrong.2);
}

#[test]
fn what_cannot_be_said_is_judged_by_the_route() {
    let (world, gateway) = world(|host, _, _| if host == "claude" { message("claude") } else { says(1, "chat") });
    let (ignorable, meant) = (r#","seed":7"#, r#","n":2"#);
    let rows: [(&str, &str, u16, &[&str], Option<&str>); 8] = [
        ("claude-first", ignorable, 200, &["claude/claude-sonnet-4-5;ok"], Some("seed")),
        ("claude-first", meant, 200, &["claude/claude-sonnet-4-5;unsupported", "chat/gpt;ok"], None),
        ("ignores", meant, 200, &["claude/claude-sonnet-4-5;ok"], Some("n")),
        ("refuses", ignorable, 400, &["claude/claude-sonnet-4-5;unsupported"], None),
        ("next", ignorable, 200, &["claude/claude-sonnet-4-5;unsupported", "chat/gpt;ok"], None),
        ("claude/claude-sonnet-4-5", meant, 400, &["claude/claude-sonnet-4-5;unsupported"], None),
        ("claude/claude-sonnet-4-5", ignorable, 200, &["claude/claude-sonnet-4-5;ok"], Some("seed")),
        ("chat/gpt", meant, 200, &["chat/gpt;ok"], None),
    ];
    for (model, more, status, trace, ignored) in rows {
        let (found, headers, text) = ask(&world, &gateway, chat(&user(model, more), &[]));
        assert_eq!(found, status, "{model} {more}: {text}");
        // A route that refuses does so in the word for a refusal, wherever that is made.
        let seen: Vec<String> = outcomes(&headers).iter().map(|part| part.replace(";refused", ";unsupported")).collect();
        assert_eq!(seen, trace, "{model} {more}");
        assert_eq!(headers.get("x-breakwater-ignored"), ignored, "{model} {more}");
        if status == 400 {
            let error = &parsed(&text)["error"];
            assert_eq!(error["code"], "unsupported_parameter", "{text}");
            assert_eq!(error["param"], more.split('"').nth(1).unwrap(), "{text}");
        }
    }
}

#[test]
fn what_a_route_decides_is_the_clients_and_what_a_target_decides_the_providers() {
    let (world, gateway) = world(|_, _, _| message("A"));
    ask(&world, &gateway, chat(&user("decides", r#","temperature":1"#), &[]));
    let sent = parsed(&world.calls.borrow().last().unwrap().sent.body);
    assert_eq!((&sent["temperature"], &sent["top_k"]), (&json!(0.5), &json!(5)), "{sent}");
}

#[test]
fn a_translated_answer_is_cached_and_told_again_in_either_form() {
    let (world, gateway) = world(|_, streamed, nth| match (streamed, nth) {
        (false, 0) => message("first"),
        (true, 0) => streams(1, 1, message_events(&["first"]), Ending::Eof),
        other => panic!("asked again: {other:?}"),
    });
    for stream in [false, true] {
        for path in ["/v1/chat/completions", "/v1/messages", "/v1/completions"] {
            let question = format!("{path} {stream}");
            let body = |stream: bool| {
                json!({ "model": "kept", "max_tokens": 50, "stream": stream, "prompt": question, "messages": [{ "role": "user", "content": question }] }).to_string()
            };
            // The upstream of each question is a world of its own.
            let (world, gateway) = (&world, &gateway);
            world.calls.borrow_mut().clear();
            let (status, headers, _) = ask(world, gateway, post(path, &body(stream), &[]));
            assert_eq!((status, headers.get("x-breakwater-cache")), (200, Some("miss")), "{question}");
            world.run_until(world.elapsed() + std::time::Duration::from_secs(1));
            for again in [false, true] {
                let (status, headers, text) = ask(world, gateway, post(path, &body(again), &[]));
                assert_eq!((status, headers.get("x-breakwater-cache")), (200, Some("hit")), "{question} then {again}");
                assert!(text.contains("first"), "{text}");
                let kind = headers.get("content-type").unwrap();
                assert_eq!(kind.starts_with("text/event-stream"), again, "{question}");
            }
        }
    }
}

#[test]
fn tokens_are_counted_by_whoever_can() {
    let (world, gateway) = world(|host, _, _| match host {
        "claude" => answers(1, 200, r#"{"input_tokens":42}"#),
        "gem" => answers(1, 200, r#"{"totalTokens":43}"#),
        _ => panic!("{host} cannot"),
    });
    let path = "/v1/messages/count_tokens";
    for (model, tokens, url) in [
        ("claude/c", 42, "https://claude.example/v1/messages/count_tokens"),
        ("gem/g", 43, "https://gem.example/v1beta/models/g:countTokens"),
    ] {
        let (status, _, text) = ask(&world, &gateway, post(path, &user(model, ""), &[]));
        assert_eq!((status, parsed(&text)), (200, json!({ "input_tokens": tokens })), "{model}");
        assert_eq!(world.calls.borrow().last().unwrap().sent.url, url);
    }
    let (status, _, text) = ask(&world, &gateway, post(path, &user("chat/c", ""), &[]));
    assert_eq!((status, parsed(&text)["type"].as_str()), (400, Some("error")), "{text}");
}

/// That one target has no words for a request is no reason to tell a client that the request is wrong, while another one, which has, is left alone.
#[test]
fn what_only_a_target_that_is_left_alone_could_say_is_to_be_asked_again() {
    let (world, gateway) = world(|host, _, _| if host == "chat" { error(1, 500, "x", "down") } else { message("A") });
    for _ in 0..5 {
        let (status, headers, text) = ask(&world, &gateway, chat(&user("claude-first", r#","n":2"#), &[]));
        assert_eq!((status, outcomes(&headers).len()), (502, 2), "{text}");
    }
    let (status, headers, text) = ask(&world, &gateway, chat(&user("claude-first", r#","n":2"#), &[]));
    assert_eq!((status, &parsed(&text)["error"]["code"]), (503, &json!("circuit_open")), "{text}");
    let after: u64 = headers.get("retry-after").unwrap().parse().unwrap();
    assert!((10..=11).contains(&after) && headers.get("x-should-retry") == Some("true"), "{after}");
}
