//! How providers' streams really end, and are cut into lines: what a client of another dialect, or one that demands a form, is told of them.

use breakwater::runtime::Ending;
use serde_json::{Value, json};

use crate::upstreams::{chunk, streams};
use crate::world::{World, ask, gateway, post};

pub(super) const CONFIG: &str = r#"
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

pub(super) const DONE: &str = "data: [DONE]\n\n";

/// What a client is told where the first target streams these events, each a chunk of its own, and the second says "two".
pub(super) fn told(path: &str, body: &Value, events: Vec<String>) -> (u16, String) {
    let world = World::new(7);
    *world.upstream.borrow_mut() = Box::new(move |sent| {
        let second = vec![chunk(&json!({ "content": "two" }), None), chunk(&json!({}), Some("stop")), DONE.to_owned()];
        streams(1, 5, if sent.url.contains("//b.") { second } else { events.clone() }, Ending::Eof)
    });
    let (status, _, body) = ask(&world, &gateway(CONFIG, &[("KEY", "sk-1")]), post(path, &body.to_string(), &[]));
    (status, body)
}

pub(super) const PATHS: [&str; 3] = ["/v1/chat/completions", "/v1/messages", "/v1/responses"];

/// A streaming request in the path's dialect.
pub(super) fn asking(path: &str, route: &str, more: &Value) -> Value {
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
pub(super) fn text(path: &str, body: &str) -> String {
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

/// The chunk with a tool's call, or a piece of it.
fn call(index: u64, id: &str, name: &str, arguments: &str) -> String {
    let call = json!({ "index": index, "id": id, "type": "function", "function": { "name": name, "arguments": arguments } });
    chunk(&json!({ "tool_calls": [call] }), None)
}

#[test]
fn a_stream_that_ends_by_its_terminator_has_stopped() {
    let null = || says(&["hi"]);
    let missing = || null().into_iter().map(|event| event.replace(",\"finish_reason\":null", "")).collect::<Vec<_>>();
    let empty = || null().into_iter().map(|event| event.replace("\"finish_reason\":null", "\"finish_reason\":\"\"")).collect();
    let calls = || vec![call(0, "c1", "f", "{}")];
    for (name, events, calls) in
        [("null", null(), false), ("missing", missing(), false), ("empty", empty(), false), ("a call", calls(), true)]
    {
        for path in PATHS.into_iter().skip(1) {
            let (_, body) = told(path, &asking(path, "one", &json!({})), [events.clone(), vec![DONE.to_owned()]].concat());
            let told = data(&body);
            let kinds = |kind: &str| told.iter().filter(|event| event["type"] == kind).count();
            if path == "/v1/messages" {
                assert_eq!(
                    (kinds("content_block_start"), kinds("content_block_stop"), kinds("message_stop")),
                    (1, 1, 1),
                    "{name}: {body}"
                );
                let reasons: Vec<_> = told
                    .iter()
                    .filter(|event| event["type"] == "message_delta")
                    .map(|event| event["delta"]["stop_reason"].as_str())
                    .collect();
                assert_eq!(reasons, [Some(if calls { "tool_use" } else { "end_turn" })], "{name}: {body}");
            } else {
                assert_eq!((kinds("response.output_item.added"), kinds("response.output_item.done")), (1, 1), "{name}: {body}");
                let last = told.last().unwrap();
                assert_eq!(last["type"], "response.completed", "{name}: {body}");
                let kind = if calls { "function_call" } else { "message" };
                assert_eq!(
                    (last["response"]["output"].as_array().unwrap().len(), last["response"]["output"][0]["type"].as_str()),
                    (1, Some(kind)),
                    "{name}: {body}"
                );
            }
        }
        // Untranslated bytes pass as they are.
        let sent = [events, vec![DONE.to_owned()]].concat();
        let (_, body) = told(PATHS[0], &asking(PATHS[0], "one", &json!({})), sent.clone());
        assert_eq!(body, sent.concat(), "{name}");
    }
}

/// The events of a message of Claude's that never says why it ended.
fn unfinished(words: &[&str]) -> Vec<String> {
    let start = json!({ "type": "message_start", "message": { "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
        "content": [], "stop_reason": null, "usage": { "input_tokens": 3, "output_tokens": 1 } } });
    let mut events =
        vec![start, json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } })];
    let said = |word| json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": word } });
    events.extend(words.iter().map(said));
    events.push(json!({ "type": "message_stop" }));
    events.iter().map(event).collect()
}

#[test]
fn a_message_that_stops_without_a_reason_has_ended_its_turn() {
    let (_, body) = told("/v1/responses", &asking("/v1/responses", "claude", &json!({})), unfinished(&["hi"]));
    let last = data(&body).pop().unwrap();
    assert_eq!(
        (last["type"].as_str(), &last["response"]["output"][0]["content"][0]["text"]),
        (Some("response.completed"), &json!("hi")),
        "{body}"
    );
    let (_, body) = told(PATHS[0], &asking(PATHS[0], "claude", &json!({})), unfinished(&["hi"]));
    assert!(body.contains(r#""finish_reason":"stop""#) && body.ends_with(DONE), "{body}");
}

fn gemini(words: &[&str]) -> Vec<String> {
    let last = words.len() - 1;
    let event = |(at, word): (usize, &&str)| {
        let finish = (at == last).then_some("STOP");
        format!(
            "data: {}\n\n",
            json!({ "candidates": [{ "index": 0, "content": { "role": "model", "parts": [{ "text": word }] }, "finishReason": finish }], "responseId": "r", "modelVersion": "m" })
        )
    };
    words.iter().enumerate().map(event).collect()
}

#[test]
fn a_live_stream_that_is_not_valid_by_its_end_ends_in_an_error() {
    let strict = json!({ "tools": [{ "type": "function", "function": { "name": "f", "strict": true, "parameters":
        { "type": "object", "properties": { "x": { "type": "integer" } }, "required": ["x"], "additionalProperties": false } } }] });
    let other =
        |finish: Option<&str>, text: &str| chunk(&json!({ "content": text }), finish).replace("\"index\":0", "\"index\":1");
    let done = || vec![DONE.to_owned()];
    let valid = says(&["{\"a\":", "1}"]);
    let both = json!({ "n": 2, "response_format": schema()["response_format"] });
    let finished = vec![chunk(&json!({}), Some("stop"))];
    let rows: Vec<(&str, &str, &Value, Vec<String>, bool)> = vec![
        ("cut", "live", &schema(), [says(&["{\"a\":", "1"]), done()].concat(), false),
        ("whole", "live", &schema(), [valid.clone(), done()].concat(), true),
        (
            "a call that is cut",
            "live",
            &strict,
            [vec![call(0, "c", "f", "{\"x\":"), call(0, "", "", "1")], done()].concat(),
            false,
        ),
        ("a call", "live", &strict, [vec![call(0, "c", "f", "{\"x\":"), call(0, "", "", "1}")], done()].concat(), true),
        ("one of two", "live", &both, [valid.clone(), vec![other(None, "{\"a\"")], finished.clone(), done()].concat(), false),
        ("two", "live", &both, [valid.clone(), vec![other(None, "{\"a\":2}")], finished, done()].concat(), true),
        ("Claude's, cut", "live-claude", &schema(), unfinished(&["{\"a\":", "1"]), false),
        ("Claude's", "live-claude", &schema(), unfinished(&["{\"a\":", "1}"]), true),
        ("Gemini's, cut", "live-gem", &schema(), gemini(&["{\"a\":", "1"]), false),
        ("Gemini's", "live-gem", &schema(), gemini(&["{\"a\":", "1}"]), true),
    ]
    .into_iter()
    .map(|(name, route, more, events, valid)| (name, route, Box::leak(Box::new(more.clone())) as &Value, events, valid))
    .collect();
    for (name, route, more, events, valid) in rows {
        let (status, body) = told(PATHS[0], &asking(PATHS[0], route, more), events);
        let last = data(&body).pop().unwrap();
        assert_eq!(status, 200, "{name}: {body}");
        assert_eq!(last["error"]["code"] == "schema_unsatisfied", !valid, "{name}: {body}");
        assert_eq!(body.ends_with(DONE), valid, "{name}: {body}");
    }
}

#[test]
fn a_held_answer_that_is_valid_needs_no_finish_reason() {
    let events = [says(&["{\"a\":", "1}"]), vec![DONE.to_owned()]].concat();
    let (status, body) = told(PATHS[0], &asking(PATHS[0], "one", &schema()), events);
    assert_eq!((status, text(PATHS[0], &body).as_str()), (200, "{\"a\":1}"), "{body}");
    let (status, body) =
        told(PATHS[0], &asking(PATHS[0], "one", &schema()), [says(&["{\"a\":1"]), vec![DONE.to_owned()]].concat());
    assert_ne!((status, text(PATHS[0], &body).as_str()), (200, "{\"a\":1"), "{body}");
}

/// The calls that a client of Messages is told: id, name, arguments.
fn called(body: &str) -> Vec<(String, String, String)> {
    let mut calls: Vec<(String, String, String)> = Vec::new();
    for event in data(body) {
        let block = &event["content_block"];
        if block["type"] == "tool_use" {
            calls.push((block["id"].as_str().unwrap().to_owned(), block["name"].as_str().unwrap().to_owned(), String::new()));
        }
        if let Some(more) = event["delta"]["partial_json"].as_str() {
            calls.last_mut().unwrap().2 += more;
        }
    }
    calls
}

#[test]
fn a_new_id_in_a_call_s_place_begins_another_call() {
    let (one, two) = (("a", "f", r#"{"x":1}"#), ("b", "g", r#"{"y":2}"#));
    let rows: [(&str, Vec<String>, Vec<(&str, &str, &str)>); 7] = [
        ("whole calls, as Gemini's", vec![call(0, "a", "f", one.2), call(0, "b", "g", two.2)], vec![one, two]),
        (
            "in pieces",
            vec![call(0, "a", "f", ""), call(0, "", "", one.2), call(0, "b", "g", "{\"y\""), call(0, "", "", ":2}")],
            vec![one, two],
        ),
        ("of one tool", vec![call(0, "a", "f", one.2), call(0, "b", "f", two.2)], vec![one, ("b", "f", two.2)]),
        (
            "the id in each piece",
            vec![call(0, "a", "f", "{\"x\""), call(0, "a", "f", ":1}"), call(0, "b", "g", two.2)],
            vec![one, two],
        ),
        ("an empty id later", vec![call(0, "a", "f", "{\"x\""), call(0, "", "f", ":1}")], vec![one]),
        // poolsideai/pool#9: only the first has a name.
        ("another id in each piece", vec![call(0, "a", "f", "{\"x\""), call(0, "z", "", ":1}")], vec![one]),
        ("the id behind the name", vec![call(0, "", "f", "{\"x\""), call(0, "a", "f", ":1}")], vec![("", "f", one.2)]),
    ];
    for (name, events, expected) in rows {
        let events = [events, vec![chunk(&json!({}), Some("tool_calls")), DONE.to_owned()]].concat();
        let (_, body) = told("/v1/messages", &asking("/v1/messages", "one", &json!({})), events);
        let mut calls = called(&body);
        // One that is made up is any.
        calls.iter_mut().zip(&expected).filter(|(_, expected)| expected.0.is_empty()).for_each(|(call, _)| call.0.clear());
        let calls: Vec<_> =
            calls.iter().map(|(id, name, arguments)| (id.as_str(), name.as_str(), arguments.as_str())).collect();
        assert_eq!(calls, expected, "{name}: {body}");
    }
}

#[test]
fn an_answer_that_its_provider_interrupts_is_none() {
    for word in ["insufficient_system_resource", "abort", "error"] {
        let broken = |words: &[&str]| [says(words), vec![chunk(&json!({}), Some(word)), DONE.to_owned()]].concat();
        for path in PATHS {
            // Within the first read nothing of it was sent: the next target answers.
            let (_, body) = told(path, &asking(path, "two", &json!({})), vec![broken(&["one"]).concat()]);
            assert_eq!(text(path, &body), "two", "{path}, {word}: {body}");
            let (_, body) = told(path, &asking(path, "two", &json!({})), broken(&["one"]));
            assert_eq!(text(path, &body), "one", "{path}, {word}: {body}");
            assert!(
                body.contains("error")
                    && !body.contains(DONE)
                    && !body.contains("message_stop")
                    && !body.contains("response.completed"),
                "{path}, {word}: {body}"
            );
            // Unstreamed, the same.
            let mut whole = asking(path, "two", &json!({}));
            whole["stream"] = false.into();
            let world = World::new(7);
            *world.upstream.borrow_mut() = Box::new(move |sent| {
                let finish = if sent.url.contains("//b.") { "stop" } else { word };
                let said = json!({ "id": "x", "choices": [{ "index": 0, "message": { "role": "assistant", "content": finish }, "finish_reason": finish }] });
                crate::upstreams::json(1, 200, &said.to_string())
            });
            let (status, headers, body) =
                ask(&world, &gateway(CONFIG, &[("KEY", "sk-1")]), post(path, &whole.to_string(), &[]));
            let trace = headers.get("x-breakwater-trace").unwrap_or_default();
            assert!(
                status == 200 && trace.starts_with("a/m;error_in_body") && trace.contains("b/m;ok"),
                "{path}, {word}: {trace} {body}"
            );
        }
    }
}

#[test]
fn finish_reasons_are_the_dialect_s_own() {
    let reason = |path: &str, route: &str, events: Vec<String>| {
        let (_, body) = told(path, &asking(path, route, &json!({})), events);
        let reasons: Vec<String> =
            data(&body).iter().filter_map(|event| event["choices"][0]["finish_reason"].as_str().map(str::to_owned)).collect();
        assert_eq!(reasons.len(), 1, "{body}");
        reasons.concat()
    };
    for (word, expected) in [("STOP", "stop"), ("LANGUAGE", "content_filter"), ("OTHER", "stop"), ("SOMETHING_NEW", "stop")] {
        for path in ["/v1/chat/completions", "/v1/completions"] {
            let events = gemini(&["hi"]).into_iter().map(|event| event.replace("\"STOP\"", &format!("\"{word}\""))).collect();
            assert_eq!(reason(path, "live-gem", events), expected, "{path}, {word}");
        }
    }
    for (word, expected) in [("max_tokens", "length"), ("eos", "stop"), ("function_call", "stop")] {
        let events = [says(&["hi"]), vec![chunk(&json!({}), Some(word)), DONE.to_owned()]].concat();
        assert_eq!(reason("/v1/completions", "one", events), expected, "{word}");
    }
}

/// What is told of a stream that breaks off between its finish reason and its terminator must not look complete (the SDKs take the reason for the end).
#[test]
fn a_finish_reason_without_the_terminator_is_not_told() {
    let mut message = unfinished(&["hi"]);
    let stop = message.pop().unwrap();
    message.push(event(&json!({ "type": "content_block_stop", "index": 0 })));
    message.push(event(&json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn", "stop_sequence": null }, "usage": { "output_tokens": 2 } })));
    let usage = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2}}\n\n";
    let stopped = chunk(&json!({}), Some("stop"));
    let said = [says(&["hi"]), vec![stopped.clone(), usage.to_owned()]].concat();
    let at_once = vec![chunk(&json!({ "content": "hi" }), Some("stop")), usage.to_owned()];
    let rows = [
        ("one", PATHS[0], said.clone(), DONE),
        ("one", "/v1/messages", said, DONE),
        ("one", PATHS[0], at_once, DONE),
        ("claude", PATHS[0], message.clone(), &stop),
        ("claude", "/v1/messages", message, &stop),
    ];
    for (route, path, events, terminator) in rows {
        let (_, body) = told(path, &asking(path, route, &json!({})), events.clone());
        assert!(body.contains("before it was complete"), "{route} {path}: {body}");
        assert!(!body.contains("\"stop\"") && !body.contains("end_turn") && !body.ends_with(DONE), "{route} {path}: {body}");
        // All of it is told once the terminator is there, in the order in which it came.
        let whole = [events.clone(), vec![terminator.to_owned()]].concat();
        let (_, body) = told(path, &asking(path, route, &json!({})), whole.clone());
        assert!(body.contains("\"stop\"") || body.contains("end_turn"), "{route} {path}: {body}");
        if (route == "one") == (path == PATHS[0]) {
            assert_eq!(body, whole.concat(), "{route} {path}");
        }
    }
    // What is said behind a finish reason shows that it was not the end.
    let late = [says(&["hi"]), vec![stopped], says(&[" there", "!"]), vec![DONE.to_owned()]].concat();
    let (_, body) = told(PATHS[0], &asking(PATHS[0], "one", &json!({})), late.clone());
    assert_eq!(body, late.concat());
}

/// Nor is it where the provider has no terminator, and the answer turns out at its end not to be what was demanded.
#[test]
fn nor_is_one_of_an_answer_that_is_refused_at_its_end() {
    for events in [gemini(&["{\"a\":", "1"]), gemini(&["{\"a\":", "\"x\"", "}"])] {
        let (_, body) = told(PATHS[0], &asking(PATHS[0], "live-gem", &schema()), events);
        assert!(body.contains("schema_unsatisfied"), "{body}");
        assert!(!body.contains("\"stop\"") && !body.ends_with(DONE), "{body}");
    }
}
