//! What is demanded of an answer's form: what comes back is valid by the client's own schema, or is an error, within the deadline.

use std::rc::Rc;

use breakwater::gateway::Gateway;
use breakwater::http::{Body, Headers};
use breakwater::runtime::{Ending, Script};
use serde_json::{Value, json};

use crate::upstreams::{chunk, error, json as answers, ms, says, streams, tells};
use crate::world::{World, ask, chat, gateway, post, send};

const CONFIG: &str = r#"
[defaults]
deadline = "20s"
schema_retries = 2
[providers.a]
base_url = "https://a.example/v1"
key = "KEY"
[providers.b]
base_url = "https://b.example/v1"
key = "KEY"
[providers.claude]
protocol = "anthropic"
base_url = "https://claude.example/v1"
key = "KEY"
[providers.gem]
protocol = "gemini"
base_url = "https://gem.example/v1beta"
key = "KEY"
[providers.resp]
protocol = "responses"
base_url = "https://resp.example/v1"
key = "KEY"
[routes.one]
targets = ["a/m"]
[routes.two]
targets = ["a/m", "b/m"]
schema_retries = 0
[routes.both]
targets = ["a/m", "b/m"]
[routes.live]
targets = ["a/m"]
schema_stream = "live"
[routes.early]
targets = ["a/m"]
early_headers = true
[routes.tools]
targets = ["a/m"]
validate_tools = true
[routes.kept]
targets = ["a/m"]
cache = "1h"
[routes.decides]
targets = ["a/m"]
set = { response_format = { type = "json_object" } }
[routes.claude]
targets = ["claude/claude-sonnet-4-5"]
[routes.gem]
targets = ["gem/gemini-2.5-flash"]
[routes.resp]
targets = ["resp/gpt-5"]
"#;

const GOOD: &str = r#"{"name":"Ada","age":36}"#;
const BAD: &str = r#"{"name":"Ada","age":"36"}"#;

fn schema() -> Value {
    json!({"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name", "age"], "additionalProperties": false})
}

/// A chat request that demands the schema, with further members.
fn asking(route: &str, more: &Value) -> String {
    let mut body = json!({"model": route, "messages": [{"role": "user", "content": "Who?"}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "person", "schema": schema()}}});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body.to_string()
}

/// What an upstream does, by the first part of its host, whether a stream was asked for, and how many calls it had before.
type Upstream = fn(&str, bool, usize) -> Script;

fn world(upstream: Upstream) -> (Rc<World>, Rc<Gateway>) {
    let world = World::new(7);
    *world.upstream.borrow_mut() = Box::new(move |sent| {
        let url = sent.url.rsplit("https://").next().unwrap();
        upstream(url.split('.').next().unwrap(), sent.streamed, sent.nth)
    });
    (world, gateway(CONFIG, &[("KEY", "sk-1")]))
}

/// The bodies that upstreams were sent, each with the first part of its host.
pub fn sent(world: &World) -> Vec<(String, Value)> {
    let calls = world.calls.borrow();
    let host = |url: &str| url.rsplit("https://").next().unwrap().split('.').next().unwrap().to_owned();
    calls.iter().map(|call| (host(&call.sent.url), serde_json::from_str(&call.sent.body).unwrap())).collect()
}

pub fn content(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap();
    body["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned()
}

pub fn mark(headers: &Headers) -> &str {
    headers.get("x-breakwater-schema").unwrap_or("none")
}

pub fn words(headers: &Headers) -> Vec<String> {
    let trace = headers.get("x-breakwater-trace").unwrap_or_default();
    trace.split(", ").map(|call| call.split(';').take(2).collect::<Vec<_>>().join(";")).collect()
}

/// A completion that ended so.
fn finished(text: &str, finish: &str) -> Script {
    let body = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}]});
    answers(1, 200, &body.to_string())
}

/// A completion that calls a tool.
pub fn calls(name: &str, arguments: &str) -> Script {
    calls_ending(name, arguments, "tool_calls")
}

pub fn calls_ending(name: &str, arguments: &str, finish: &str) -> Script {
    let body = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": null,
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}]},
            "finish_reason": finish}]});
    answers(1, 200, &body.to_string())
}

#[test]
fn a_whole_answer_is_valid_repaired_corrected_or_an_error() {
    let rows: [(&str, &str, Upstream, u16, &str, &str, &[&str]); 12] = [
        ("valid at once", "one", |_, _, _| says(1, GOOD), 200, "valid", GOOD, &["a/m;ok"]),
        (
            "wrong, then valid",
            "one",
            |_, _, nth| says(1, if nth == 0 { BAD } else { GOOD }),
            200,
            "retried;1",
            GOOD,
            &["a/m;schema_unsatisfied", "a/m;ok"],
        ),
        (
            "twice wrong, then valid within chatter",
            "one",
            |_, _, nth| says(1, &if nth < 2 { BAD.to_owned() } else { format!("Sorry! Here it is: {GOOD}") }),
            200,
            "retried;2",
            GOOD,
            &["a/m;schema_unsatisfied", "a/m;schema_unsatisfied", "a/m;ok"],
        ),
        ("in a fence", "one", |_, _, _| says(1, &format!("Sure:\n```json\n{GOOD}\n```\n")), 200, "repaired", GOOD, &["a/m;ok"]),
        ("not closed", "one", |_, _, _| says(1, r#"{"name":"Ada","age":36"#), 200, "repaired", GOOD, &["a/m;ok"]),
        (
            "cut off, and never closed by guessing",
            "two",
            |host, _, _| if host == "a" { finished(r#"{"name":"Ada","age":36"#, "length") } else { says(1, GOOD) },
            200,
            "valid",
            GOOD,
            &["a/m;schema_unsatisfied", "b/m;ok"],
        ),
        (
            "valid by the second target",
            "two",
            |host, _, _| says(1, if host == "a" { BAD } else { GOOD }),
            200,
            "retried;1",
            GOOD,
            &["a/m;schema_unsatisfied", "b/m;ok"],
        ),
        (
            "the second target is asked when the first fails",
            "two",
            |host, _, _| if host == "a" { error(1, 500, "down", "down") } else { says(1, GOOD) },
            200,
            "valid",
            GOOD,
            &["a/m;server_error", "b/m;ok"],
        ),
        (
            "never valid",
            "both",
            |_, _, _| says(1, BAD),
            422,
            "none",
            "",
            &[
                "a/m;schema_unsatisfied",
                "a/m;schema_unsatisfied",
                "a/m;schema_unsatisfied",
                "b/m;schema_unsatisfied",
                "b/m;schema_unsatisfied",
                "b/m;schema_unsatisfied",
            ],
        ),
        (
            "no time for another try",
            "one",
            |_, _, _| says(15_000, BAD),
            504,
            "none",
            "",
            &["a/m;schema_unsatisfied", "a/m;timeout"],
        ),
        ("a refusal is exempt", "one", |_, _, _| finished("I won't.", "content_filter"), 200, "none", "I won't.", &["a/m;ok"]),
        (
            "so is what was asked for once more",
            "one",
            |_, _, nth| if nth == 0 { says(1, BAD) } else { finished("I won't.", "content_filter") },
            200,
            "none",
            "I won't.",
            &["a/m;schema_unsatisfied", "a/m;ok"],
        ),
    ];
    for (name, route, upstream, status, word, text, trace) in rows {
        let (world, gateway) = world(upstream);
        let (found, headers, body) = ask(&world, &gateway, chat(&asking(route, &json!({})), &[]));
        assert_eq!(found, status, "{name}: {body}");
        assert_eq!((mark(&headers), words(&headers)), (word, trace.iter().map(|call| (*call).to_owned()).collect()), "{name}");
        if status == 200 {
            assert_eq!(content(&body), text, "{name}");
        }
    }
}

#[test]
fn an_error_tells_what_was_wrong_at_last() {
    let (world, gateway) = world(|_, _, _| says(1, BAD));
    let (status, headers, body) = ask(&world, &gateway, chat(&asking("one", &json!({})), &[]));
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (status, &body["error"]["code"], headers.get("x-should-retry")),
        (422, &json!("schema_unsatisfied"), Some("false"))
    );
    let message = body["error"]["message"].as_str().unwrap();
    assert!(message.contains("a/m") && message.contains("/age") && message.contains("\"36\""), "{message}");
    assert_eq!(body["error"]["attempts"].as_array().unwrap().len(), 3);
    // Nobody's circuit is told.
    for _ in 0..10 {
        let (_, headers, _) = ask(&world, &gateway, chat(&asking("one", &json!({})), &[]));
        assert!(words(&headers).iter().all(|word| word == "a/m;schema_unsatisfied"), "{:?}", words(&headers));
    }
}

#[test]
fn the_next_call_says_what_was_said_and_what_is_wrong_with_it() {
    let (world, gateway) = world(|_, _, nth| says(1, if nth == 0 { BAD } else { GOOD }));
    ask(&world, &gateway, chat(&asking("one", &json!({"temperature": 0.5, "seed": 7})), &[]));
    let sent = sent(&world);
    let [(_, first), (_, second)] = sent.as_slice() else { panic!("{sent:?}") };
    let (before, after) = (first["messages"].as_array().unwrap(), second["messages"].as_array().unwrap());
    assert_eq!(after[..before.len()], before[..]);
    let [said, told] = &after[before.len()..] else { panic!("{after:?}") };
    assert_eq!((&said["role"], &said["content"], &told["role"]), (&json!("assistant"), &json!(BAD), &json!("user")));
    let told = told["content"].as_str().unwrap();
    assert!(told.contains("/age") && told.contains("integer") && told.contains("\"36\""), "{told}");
    for member in ["temperature", "seed", "response_format", "model"] {
        assert_eq!(first[member], second[member]);
    }
}

#[test]
fn the_next_target_is_told_of_json_and_not_of_chatter() {
    for (wrong, is_told) in [(BAD, true), ("I cannot say.", false)] {
        let world = World::new(7);
        *world.upstream.borrow_mut() =
            Box::new(move |sent| says(1, if sent.url.starts_with("https://a.") { wrong } else { GOOD }));
        let gateway = gateway(CONFIG, &[("KEY", "sk-1")]);
        let (status, _, _) = ask(&world, &gateway, chat(&asking("two", &json!({})), &[]));
        let sent = sent(&world);
        assert_eq!((status, sent.len(), sent[1].0.as_str()), (200, 2, "b"));
        assert_eq!(sent[1].1["messages"].as_array().unwrap().len(), if is_told { 3 } else { 1 }, "{wrong}");
    }
}

pub fn message(text: &str) -> Script {
    let body = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "c", "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn", "stop_sequence": null, "usage": {"input_tokens": 1, "output_tokens": 1}});
    answers(1, 200, &body.to_string())
}

pub fn candidate(text: &str) -> Script {
    let body = json!({"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}});
    answers(1, 200, &body.to_string())
}

pub fn response(text: &str) -> Script {
    let body = json!({"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "g",
        "output": [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": text, "annotations": []}]}],
        "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}});
    answers(1, 200, &body.to_string())
}

fn any(host: &str, nth: usize) -> Script {
    let text = if nth == 0 { BAD } else { GOOD };
    match host {
        "claude" => message(text),
        "gem" => candidate(text),
        "resp" => response(text),
        _ => says(1, text),
    }
}

#[test]
fn every_protocol_is_corrected_in_its_own_words_for_every_client() {
    let of_messages = json!({"max_tokens": 100, "messages": [{"role": "user", "content": "Who?"}],
        "output_config": {"format": {"type": "json_schema", "schema": schema()}}});
    let of_responses = json!({"input": "Who?", "store": false,
        "text": {"format": {"type": "json_schema", "name": "person", "schema": schema()}}});
    let of_chat: Value = serde_json::from_str(&asking("", &json!({}))).unwrap();
    for (path, body) in [("/v1/chat/completions", of_chat), ("/v1/messages", of_messages), ("/v1/responses", of_responses)] {
        for (route, member) in [("one", "messages"), ("claude", "messages"), ("gem", "contents"), ("resp", "input")] {
            let name = format!("{path} by {route}");
            let (world, gateway) = world(|host, _, nth| any(host, nth));
            let mut body = body.clone();
            body["model"] = route.into();
            let (status, headers, answer) = ask(&world, &gateway, post(path, &body.to_string(), &[]));
            assert_eq!((status, mark(&headers)), (200, "retried;1"), "{name}: {answer}");
            assert!(answer.contains(r#"{\"name\":\"Ada\",\"age\":36}"#), "{name}: {answer}");
            let sent = sent(&world);
            let [(_, first), (_, second)] = sent.as_slice() else { panic!("{name}: {sent:?}") };
            let further = second[member].as_array().unwrap();
            let before = first[member].as_array().map_or(1, Vec::len);
            assert_eq!(further.len(), before + 2, "{name}: {second}");
            let (said, told) = (further[before].to_string(), further[before + 1].to_string());
            assert!(said.contains(r#"\"age\":\"36\""#), "{name}: {said}");
            assert!(said.contains(if route == "gem" { "\"model\"" } else { "\"assistant\"" }), "{name}: {said}");
            assert!(told.contains("/age") && told.contains("\"user\""), "{name}: {told}");
        }
    }
}

#[test]
fn a_stream_waits_until_its_answer_is_valid() {
    let rows: [(&str, Upstream, u16, &str); 5] = [
        ("valid", |_, _, _| tells(10, 100, &[r#"{"name":"Ada","#, r#""age":36}"#]), 200, "valid"),
        (
            "wrong, then valid",
            |_, _, nth| tells(10, 100, &[r#"{"name":"Ada","#, if nth == 0 { r#""age":"36"}"# } else { r#""age":36}"# }]),
            200,
            "retried;1",
        ),
        ("in a fence", |_, _, _| tells(10, 100, &["```json\n", GOOD, "\n```"]), 200, "repaired"),
        (
            "broken off, then valid",
            |_, _, nth| {
                if nth == 0 {
                    streams(10, 100, vec![chunk(&json!({"content": "{\"name\":"}), None)], Ending::Cut)
                } else {
                    tells(10, 100, &[GOOD])
                }
            },
            502,
            "none",
        ),
        ("whole though a stream was asked for", |_, _, _| says(10, GOOD), 200, "valid"),
    ];
    for (name, upstream, status, word) in rows {
        let (world, gateway) = world(upstream);
        let body = asking("one", &json!({"stream": true, "stream_options": {"include_usage": false}}));
        let (found, headers, body) = ask(&world, &gateway, chat(&body, &[]));
        assert_eq!((found, mark(&headers)), (status, word), "{name}: {body}");
        if status != 200 {
            continue;
        }
        let chunks: Vec<Value> =
            body.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok()).collect();
        let text: String = chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
        assert_eq!(text, GOOD, "{name}");
        assert!(body.ends_with("data: [DONE]\n\n"), "{name}: {body}");
    }
}

#[test]
fn a_valid_answer_that_came_whole_is_told_as_a_stream_with_all_that_its_provider_said() {
    let (world, gateway) = world(|host, _, _| {
        if host == "resp" {
            return response(GOOD);
        }
        let body = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "novel": 7,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": GOOD, "newer": 8}, "finish_reason": "stop"}]});
        answers(1, 200, &body.to_string())
    });
    let (_, headers, body) = ask(&world, &gateway, chat(&asking("one", &json!({"stream": true})), &[]));
    assert_eq!(mark(&headers), "valid");
    assert!(body.contains("\"novel\":7") && body.contains("\"newer\":8"), "{body}");
    // What is kept under an id can be asked for by it.
    let asked = json!({"model": "resp", "input": "Who?", "stream": true,
        "text": {"format": {"type": "json_schema", "name": "person", "schema": schema()}}});
    let (_, headers, body) = ask(&world, &gateway, post("/v1/responses", &asked.to_string(), &[]));
    assert_eq!(mark(&headers), "valid");
    assert!(body.contains("resp_bound_"), "{body}");
}

#[test]
fn nothing_is_sent_before_an_answer_is_valid_but_comments() {
    let upstream: Upstream =
        |_, _, nth| tells(10, 1500, &[r#"{"name":"Ada","#, if nth == 0 { r#""age":"36"}"# } else { r#""age":36}"# }]);
    let (world_, gateway_) = world(upstream);
    let response = send(&world_, &gateway_, chat(&asking("early", &json!({"stream": true})), &[]));
    let Body::Stream(received) = response.body else { panic!("no stream") };
    while received.ended.get().is_none() {
        let valid = world_.calls.borrow().len() == 2 && world_.calls.borrow()[1].ended.get().is_some();
        let told = String::from_utf8(received.bytes.borrow().clone()).unwrap();
        assert!(valid || told.lines().all(|line| line.is_empty() || line.starts_with(':')), "{told}");
        world_.run_until(world_.elapsed() + ms(50));
    }
    let told = String::from_utf8(received.bytes.borrow().clone()).unwrap();
    assert!(told.contains(r#"\"age\":36"#) && !told.contains(r#"\"36\""#) && told.ends_with("data: [DONE]\n\n"), "{told}");
}

#[test]
fn a_live_stream_ends_where_it_cannot_become_valid() {
    let rows: [(&str, &[&str], &str, bool); 6] = [
        ("valid", &[r#"{"name":"Ada","#, r#""age":36}"#], GOOD, true),
        ("a wrong type", &[r#"{"name":"Ada","#, r#""age":"#, r#""36"}"#], r#"{"name":"Ada","age":"#, false),
        ("wrong in its first words", &["Sure! ", GOOD], "", false),
        ("a name that is not known", &[r#"{"name":"Ada","#, r#""size":1,"#, r#""age":36}"#], r#"{"name":"Ada","#, false),
        ("what is missing", &[r#"{"name":"Ada""#, "}"], r#"{"name":"Ada""#, false),
        ("not closed", &[r#"{"name":"Ada","age":36"#], r#"{"name":"Ada","age":36"#, false),
    ];
    for (name, pieces, shown, valid) in rows {
        let world = World::new(7);
        let pieces: Vec<String> = pieces.iter().map(|piece| (*piece).to_owned()).collect();
        *world.upstream.borrow_mut() =
            Box::new(move |_| tells(10, 100, &pieces.iter().map(String::as_str).collect::<Vec<_>>()));
        let gateway = gateway(CONFIG, &[("KEY", "sk-1")]);
        let (status, _, body) = ask(&world, &gateway, chat(&asking("live", &json!({"stream": true})), &[]));
        let events: Vec<Value> =
            body.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok()).collect();
        let text: String = events.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str()).collect();
        assert_eq!((status, text.as_str()), (200, shown), "{name}: {body}");
        assert_eq!(body.ends_with("data: [DONE]\n\n"), valid, "{name}: {body}");
        assert_eq!(events.iter().any(|event| event["choices"][0]["finish_reason"].is_string()), valid, "{name}: {body}");
        let last = &events.last().unwrap()["error"]["code"];
        assert_eq!(last == "schema_unsatisfied", !valid, "{name}: {body}");
    }
}

#[test]
fn turns_that_call_tools_are_exempt_and_calls_are_validated() {
    let tools = json!([{"type": "function", "function": {"name": "weather", "strict": true, "parameters":
        {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false}}},
        {"type": "function", "function": {"name": "time", "parameters": {"type": "object", "required": ["zone"]}}}]);
    let rows: [(&str, &str, Upstream, u16, &[&str]); 7] = [
        ("as it must be", "one", |_, _, _| calls("weather", r#"{"city":"Oslo"}"#), 200, &["a/m;ok"]),
        (
            "wrong, then right",
            "one",
            |_, _, nth| calls("weather", if nth == 0 { r#"{"town":"Oslo"}"# } else { r#"{"city":"Oslo"}"# }),
            200,
            &["a/m;schema_unsatisfied", "a/m;ok"],
        ),
        (
            "no such tool, then right",
            "one",
            |_, _, nth| calls(if nth == 0 { "whether" } else { "weather" }, r#"{"city":"Oslo"}"#),
            200,
            &["a/m;schema_unsatisfied", "a/m;ok"],
        ),
        ("one that is not strict", "one", |_, _, _| calls("time", "{}"), 200, &["a/m;ok"]),
        (
            "that one where all are validated",
            "tools",
            |_, _, nth| calls("time", if nth == 0 { "{}" } else { r#"{"zone":"CET"}"# }),
            200,
            &["a/m;schema_unsatisfied", "a/m;ok"],
        ),
        (
            "an answer in words is checked as such",
            "one",
            |_, _, nth| says(1, if nth == 0 { "Hi!" } else { GOOD }),
            200,
            &["a/m;schema_unsatisfied", "a/m;ok"],
        ),
        (
            "never right",
            "one",
            |_, _, _| calls("weather", "{\"city\":"),
            422,
            &["a/m;schema_unsatisfied", "a/m;schema_unsatisfied", "a/m;schema_unsatisfied"],
        ),
    ];
    for (name, route, upstream, status, trace) in rows {
        let (world, gateway) = world(upstream);
        let (found, headers, body) = ask(&world, &gateway, chat(&asking(route, &json!({"tools": tools})), &[]));
        assert_eq!((found, words(&headers)), (status, trace.iter().map(|word| (*word).to_owned()).collect()), "{name}: {body}");
        let sent = sent(&world);
        if let [_, (_, second), ..] = sent.as_slice()
            && !name.starts_with("an answer")
        {
            // The call, and its result, which every protocol wants for every call.
            let turns = second["messages"].as_array().unwrap();
            let [.., call, result] = turns.as_slice() else { panic!("{turns:?}") };
            assert_eq!((&call["tool_calls"][0]["id"], &result["role"]), (&json!("call_1"), &json!("tool")), "{name}");
            assert_eq!(result["tool_call_id"], "call_1", "{name}");
            // OpenAI knows no other member.
            assert_eq!(result.as_object().unwrap().len(), 3, "{name}: {result}");
            assert!(result["content"].as_str().unwrap().contains("not run"), "{name}: {result}");
        }
    }
}

#[test]
fn each_of_several_choices_is_validated() {
    let upstream: Upstream = |_, _, nth| {
        let choice = |index: u32, text: &str| json!({"index": index, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"});
        let second = if nth == 0 { BAD.to_owned() } else { format!("```\n{GOOD}\n```") };
        let body = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice(0, GOOD), choice(1, &second)]});
        answers(1, 200, &body.to_string())
    };
    let (world, gateway) = world(upstream);
    let (status, headers, body) = ask(&world, &gateway, chat(&asking("one", &json!({"n": 2})), &[]));
    assert_eq!((status, mark(&headers)), (200, "retried;1"), "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&body["choices"][0]["message"]["content"], &body["choices"][1]["message"]["content"]),
        (&json!(GOOD), &json!(GOOD))
    );
}

#[test]
fn a_schema_that_a_provider_refuses_is_asked_for_in_words_and_that_is_remembered() {
    let upstream: Upstream = |_, _, nth| {
        if nth == 0 {
            error(1, 400, "bad", "Invalid schema for response_format 'person': 'additionalProperties' is required")
        } else {
            says(1, GOOD)
        }
    };
    let (world, gateway) = world(upstream);
    for (times, trace) in [(2, &["a/m;schema_refused", "a/m;ok"][..]), (3, &["a/m;ok"][..])] {
        let (status, headers, body) = ask(&world, &gateway, chat(&asking("one", &json!({})), &[]));
        assert_eq!((status, mark(&headers), content(&body).as_str()), (200, "emulated", GOOD));
        assert_eq!(words(&headers), trace.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        let sent = sent(&world);
        assert_eq!(sent.len(), times);
        let (_, body) = sent.last().unwrap();
        assert_eq!(body["response_format"], json!({"type": "json_object"}));
        assert!(body["messages"][0]["content"].to_string().contains("additionalProperties"), "{body}");
    }
    // One that is of the request's length is none of the schema, whatever it names beside it.
    let (world, gateway) = self::world(|_, _, _| {
        error(1, 400, "context_length_exceeded", "too long: 9 tokens in the messages, 90 in the response_format")
    });
    let (status, headers, _) = ask(&world, &gateway, chat(&asking("one", &json!({})), &[]));
    assert_eq!((status, words(&headers)), (400, vec!["a/m;context_length".to_owned()]));
    // A refusal that is of something else is the client's.
    let (world, gateway) = self::world(|_, _, _| error(1, 400, "bad", "messages must not be empty"));
    assert_eq!(ask(&world, &gateway, chat(&asking("one", &json!({})), &[])).0, 400);
    assert_eq!(world.calls.borrow().len(), 1);
}

#[test]
fn a_target_that_keeps_failing_a_schema_is_asked_last_for_a_while() {
    let (world, gateway) = world(|host, _, _| says(1, if host == "a" { BAD } else { GOOD }));
    let first = |world: &Rc<World>| {
        let (_, headers, _) = ask(world, &gateway, chat(&asking("two", &json!({})), &[]));
        words(&headers)[0].clone()
    };
    for _ in 0..3 {
        assert_eq!(first(&world), "a/m;schema_unsatisfied");
    }
    assert_eq!(first(&world), "b/m;ok");
    // For another schema it is as good as any, and after a while for this one.
    let mut other: Value = serde_json::from_str(&asking("two", &json!({}))).unwrap();
    other["response_format"]["json_schema"]["schema"] = json!({"type": "object"});
    let (_, headers, _) = ask(&world, &gateway, chat(&other.to_string(), &[]));
    assert_eq!(words(&headers), ["a/m;ok"]);
    world.run_until(world.elapsed() + ms(301_000));
    assert_eq!(first(&world), "a/m;schema_unsatisfied");
    let status: Value = serde_json::from_str(&gateway.status(breakwater::time::Timestamp::default()).unwrap()).unwrap();
    assert_eq!(status["schemas"][0]["target"], "a/m");
    assert_eq!((&status["schemas"][0]["wrong"], &status["schemas"][0]["valid"]), (&json!(4), &json!(1)));
}

#[test]
fn only_what_is_valid_is_stored() {
    let (world, gateway) = world(|_, _, nth| says(1, if nth < 3 { BAD } else { GOOD }));
    let body = asking("kept", &json!({}));
    assert_eq!(ask(&world, &gateway, chat(&body, &[])).0, 422);
    assert!(world.stored.borrow().is_empty());
    let (status, headers, _) = ask(&world, &gateway, chat(&body, &[]));
    assert_eq!((status, headers.get("x-breakwater-cache")), (200, Some("miss")));
    let (status, headers, answer) = ask(&world, &gateway, chat(&body, &[]));
    assert_eq!((status, headers.get("x-breakwater-cache"), content(&answer).as_str()), (200, Some("hit"), GOOD));
    assert_eq!(mark(&headers), "valid");
    let streamed = asking("kept", &json!({"stream": true}));
    let (_, headers, body) = ask(&world, &gateway, chat(&streamed, &[]));
    assert_eq!((headers.get("x-breakwater-cache"), body.contains("[DONE]")), (Some("hit"), true));
}

#[test]
fn any_object_by_the_clients_word_or_the_routes() {
    for body in [
        json!({"model": "one", "messages": [{"role": "user", "content": "JSON?"}], "response_format": {"type": "json_object"}}),
        json!({"model": "decides", "messages": [{"role": "user", "content": "JSON?"}]}),
    ] {
        let (world, gateway) = world(|_, _, nth| says(1, if nth == 0 { "[1]" } else { "{\"a\":1}" }));
        let (status, headers, answer) = ask(&world, &gateway, chat(&body.to_string(), &[]));
        assert_eq!((status, mark(&headers), content(&answer).as_str()), (200, "retried;1", "{\"a\":1}"), "{body}");
    }
}

#[test]
fn a_schema_that_is_none_is_refused_with_its_place() {
    let rows = [
        (json!({"type": "objekt"}), "/type"),
        (json!({"properties": {"a": {"$ref": "https://example.com/s"}}}), "/properties/a"),
        (json!({"properties": {"a": {"pattern": "("}}}), "/properties/a/pattern"),
        (json!({"$ref": "#"}), "$ref"),
    ];
    for (schema, place) in rows {
        let (world, gateway) = world(|_, _, _| says(1, GOOD));
        let format = json!({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}});
        let (status, _, body) = ask(&world, &gateway, chat(&asking("one", &format), &[]));
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &body["error"]["param"]), (400, &json!("response_format.json_schema.schema")), "{schema}: {body}");
        assert!(body["error"]["message"].as_str().unwrap().contains(place), "{body}");
        assert!(world.calls.borrow().is_empty());
    }
}

#[test]
fn requests_that_demand_nothing_are_as_they_were() {
    let (world, gateway) = world(|_, streamed, _| if streamed { tells(10, 100, &["Hello", " you"]) } else { says(1, "Hello") });
    for body in [
        json!({"model": "one", "messages": [{"role": "user", "content": "Hi"}]}),
        json!({"model": "one", "messages": [{"role": "user", "content": "Hi"}], "response_format": {"type": "text"}}),
        json!({"model": "one", "stream": true, "messages": [{"role": "user", "content": "Hi"}]}),
    ] {
        let (status, headers, answer) = ask(&world, &gateway, chat(&body.to_string(), &[]));
        assert_eq!((status, mark(&headers)), (200, "none"));
        assert!(answer.contains("Hello"));
    }
}

#[test]
fn nothing_is_said_of_what_was_not_judged() {
    let tool = |strict: bool| json!({"tools": [{"type": "function", "function": {"name": "weather", "strict": strict, "parameters": {"type": "object"}}}]});
    let refuses = || {
        let body = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": null, "refusal": "No."}, "finish_reason": "stop"}]});
        answers(1, 200, &body.to_string())
    };
    let several = || {
        let choice = |index: u32, text: &str, finish: &str| json!({"index": index, "message": {"role": "assistant", "content": text}, "finish_reason": finish});
        let body = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [choice(0, GOOD, "stop"), choice(1, "No.", "content_filter")]});
        answers(1, 200, &body.to_string())
    };
    let rows: [(&str, Value, fn() -> Script, &str); 6] = [
        ("a refusal", json!({}), refuses, "none"),
        ("what a filter ended", json!({}), || finished("{\"name\":", "content_filter"), "none"),
        ("one of two answers, as a filter ended the other", json!({"n": 2}), several, "valid"),
        ("a call of which the tool alone is judged", tool(false), || calls("weather", "{}"), "valid"),
        ("a call that is judged", tool(true), || calls("weather", "{}"), "valid"),
        (
            "a stream of words that a filter ended",
            json!({"stream": true}),
            || {
                streams(
                    1,
                    1,
                    vec![chunk(&json!({"content": "No."}), Some("content_filter")), "data: [DONE]\n\n".to_owned()],
                    Ending::Eof,
                )
            },
            "none",
        ),
    ];
    for (name, more, script, word) in rows {
        let world = World::new(7);
        *world.upstream.borrow_mut() = Box::new(move |_| script());
        let gateway = gateway(CONFIG, &[("KEY", "sk-1")]);
        // The second time from the cache, where it is stored.
        for cache in ["miss", "hit"] {
            let (status, headers, body) = ask(&world, &gateway, chat(&asking("kept", &more), &[]));
            let cache = if name.contains("filter") { "miss" } else { cache };
            assert_eq!((status, headers.get("x-breakwater-cache")), (200, Some(cache)), "{name}: {body}");
            assert_eq!(mark(&headers), word, "{name}, {cache}");
        }
    }
}

#[test]
fn what_was_repaired_is_valid_in_the_cache() {
    let (world, gateway) = world(|_, _, _| says(1, &format!("```\n{GOOD}\n```")));
    for word in ["repaired", "valid"] {
        let (status, headers, body) = ask(&world, &gateway, chat(&asking("kept", &json!({})), &[]));
        assert_eq!((status, mark(&headers), content(&body).as_str()), (200, word, GOOD));
    }
}
