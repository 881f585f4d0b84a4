//! How providers' streams really end, and are cut into lines: what a client of another dialect, or one that demands a form, is told of them.

use breakwater::runtime::Ending;
use serde_json::{Value, json};

use crate::upstreams::{chunk, streams};
use crate::world::{World, ask, gateway, post};

const CONFIG: &str = r#"
[defaults]
deadline = "20s"
schema_retries = 0
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
[routes.live]
targets = ["a/m"]
schema_stream = "live"
[routes.resp]
targets = ["resp/gpt-5"]
[routes.claude]
targets = ["claude/claude-sonnet-4-5"]
[routes.live-claude]
extends = "claude"
schema_stream = "live"
[routes.live-gem]
targets = ["gem/gemini-2.5-flash"]
schema_stream = "live"
"#;

const DONE: &str = "data: [DONE]\n\n";

/// What a client is told where the first target streams these events, each a chunk of its own, and the second says "two".
fn told(path: &str, body: &Value, events: Vec<String>) -> (u16, String) {
    let world = World::new(7);
    *world.upstream.borrow_mut() = Box::new(move |sent| {
        let second = vec![chunk(&json!({ "content": "two" }), None), chunk(&json!({}), Some("stop")), DONE.to_owned()];
        streams(1, 5, if sent.url.contains("//b.") { second } else { events.clone() }, Ending::Eof)
    });
    let (status, _, body) = ask(&world, &gateway(CONFIG, &[("KEY", "sk-1")]), post(path, &body.to_string(), &[]));
    (status, body)
}

const PATHS: [&str; 3] = ["/v1/chat/completions", "/v1/messages", "/v1/responses"];

/// A streaming request in the path's dialect.
fn asking(path: &str, route: &str, more: &Value) -> Value {
    let mut body = match path {
        "/v1/responses" => json!({ "input": "q" }),
        "/v1/completions" => json!({ "prompt": "q" }),
        _ => json!({ "max_tokens": 9, "messages": [{ "role": "user", "content": "q" }] }),
    };
    let members = body.as_object_mut().unwrap();
    members.insert("model".to_owned(), route.into());
    members.insert("stream".to_owned(), true.into());
    members.extend(more.as_object().unwrap().clone());
    body
}

fn data(body: &str) -> Vec<Value> {
    body.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok()).collect()
}

/// The text that a stream tells, by its deltas.
fn text(path: &str, body: &str) -> String {
    let place = match path {
        "/v1/responses" => "/delta",
        "/v1/messages" => "/delta/text",
        _ => "/choices/0/delta/content",
    };
    data(body).iter().filter_map(|event| event.pointer(place)?.as_str().map(str::to_owned)).collect()
}

fn event(data: &Value) -> String {
    format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap())
}

fn says(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| chunk(&json!({ "content": word }), None)).collect()
}

fn schema() -> Value {
    json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "n", "schema": {
        "type": "object", "properties": { "a": { "type": "integer" } }, "required": ["a"] } } } })
}

#[test]
fn lines_may_end_in_any_way_and_chunks_anywhere() {
    for path in PATHS {
        for line_end in ["\n", "\r\n", "\r"] {
            for (at, extra) in [("text", json!({})), ("a form", schema())] {
                if at == "a form" && path != "/v1/chat/completions" {
                    continue;
                }
                let route = if at == "a form" { "live" } else { "one" };
                let words = ["{\"a\"", ":", "1}"];
                let mut events = says(&words);
                events.push(chunk(&json!({}), Some("stop")));
                events.push(DONE.to_owned());
                let whole = events.concat().replace('\n', line_end);
                let cuts = [1, 2, 3, 50, 170, 333, whole.len()];
                for size in cuts {
                    let chunks = whole.as_bytes().chunks(size).map(|chunk| String::from_utf8(chunk.to_vec()).unwrap());
                    let (status, body) = told(path, &asking(path, route, &extra), chunks.collect());
                    let shown = body.replace("\r\n", "\n").replace('\r', "\n");
                    assert_eq!(
                        (status, text(path, &shown).as_str()),
                        (200, "{\"a\":1}"),
                        "{path}, {at}, {line_end:?}, chunks of {size}: {body:?}"
                    );
                }
                let events = events.iter().map(|event| event.replace('\n', line_end)).collect();
                let (_, body) = told(path, &asking(path, route, &extra), events);
                let shown = body.replace("\r\n", "\n").replace('\r', "\n");
                assert_eq!(text(path, &shown), "{\"a\":1}", "{path}, {at}, {line_end:?}, event by event: {body:?}");
            }
        }
    }
}

/// A frame that ends in CR is whole where all of an answer is held, too; in Responses the last one says why it ended.
#[test]
fn a_held_answer_whose_lines_end_in_cr_is_all_there() {
    let item = json!({ "type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
        "content": [{ "type": "output_text", "text": "{\"a\":1}", "annotations": [] }] });
    let mut response =
        json!({ "id": "resp_1", "object": "response", "created_at": 1, "status": "in_progress", "model": "m", "output": [] });
    let created = event(&json!({ "type": "response.created", "sequence_number": 0, "response": response }));
    response["status"] = "completed".into();
    response["output"] = json!([item]);
    let completed = event(&json!({ "type": "response.completed", "sequence_number": 1, "response": response }));
    let delta = event(
        &json!({ "type": "response.output_text.delta", "sequence_number": 1, "output_index": 0, "content_index": 0, "item_id": "msg_1", "delta": "{\"a\":1}" }),
    );
    let events = vec![[created, delta, completed, ": bye\n\n".to_owned()].concat().replace('\n', "\r")];
    let (status, body) = told(PATHS[0], &asking(PATHS[0], "resp", &schema()), events);
    assert_eq!((status, text("", &body).as_str()), (200, "{\"a\":1}"), "{body}");
}
