//! Responses as streams that no `POST` of a stream gave: one that is kept, followed by its id, and one that came whole where a stream was asked for.

use std::rc::Rc;

use breakwater::gateway::Gateway;
use breakwater::http::Request;
use breakwater::runtime::{Ending, Script};
use serde_json::{Value, json};

use crate::dialects::{event, parsed, response, world};
use crate::state::input;
use crate::upstreams::{error, hangs, json as answers, ms, streams};
use crate::world::{World, ask, post};

fn get(id: &str, query: &str) -> Request {
    let mut request = post(&format!("/v1/responses/{id}"), "", &[]);
    "GET".clone_into(&mut request.method);
    query.clone_into(&mut request.query);
    request
}

fn events(text: &str) -> Vec<Value> {
    text.lines().filter_map(|line| line.strip_prefix("data: ")).map(parsed).collect()
}

/// A response in the background of `both`'s, whose ids are of an upstream that then does `follow` for a `GET`.
fn begun(follow: fn(&str) -> Script) -> (Rc<World>, Rc<Gateway>, String) {
    let (world, gateway) = world(|_, _, _| hangs());
    *world.upstream.borrow_mut() = Box::new(move |sent| {
        let Some(url) = sent.url.strip_prefix("GET ") else {
            let queued =
                json!({ "id": "resp_real", "object": "response", "status": "queued", "background": true, "output": [] });
            return answers(1, 200, &queued.to_string());
        };
        follow(url)
    });
    let (status, _, text) = ask(&world, &gateway, post("/v1/responses", &input("held", r#","background":true"#), &[]));
    assert_eq!((status, parsed(&text)["status"].as_str()), (200, Some("queued")), "{text}");
    let id = parsed(&text)["id"].as_str().unwrap().to_owned();
    (world, gateway, id)
}

fn told(from: u64) -> Vec<String> {
    let delta = json!({ "type": "response.output_text.delta", "sequence_number": from, "item_id": "msg_abc", "output_index": 0, "content_index": 0, "delta": "A" });
    let item = json!({ "type": "response.output_item.done", "sequence_number": from + 1, "output_index": 0, "item": response("x", "A")["output"][0] });
    let done = json!({ "type": "response.completed", "sequence_number": from + 2, "response": response("resp_real", "A") });
    [delta, item, done].iter().map(event).collect()
}

#[test]
fn a_response_that_is_kept_is_followed_where_it_is() {
    let (world, gateway, id) = begun(|_| streams(1, 5, told(4), Ending::Eof));
    let query = "stream=true&starting_after=3&include[]=reasoning.encrypted_content&include=a&include%5B%5D=b&include_obfuscation=false&key=x&includes=y";
    let (status, headers, text) = ask(&world, &gateway, get(&id, query));
    assert_eq!((status, headers.get("content-type")), (200, Some("text/event-stream; charset=utf-8")), "{text}");
    let calls = world.calls.borrow();
    let sent = &calls.last().unwrap().sent;
    let kept = "stream=true&starting_after=3&include[]=reasoning.encrypted_content&include=a&include%5B%5D=b&include_obfuscation=false";
    assert_eq!(sent.url, format!("GET https://resp.example/v1/responses/resp_real?{kept}"));
    assert_eq!(
        (sent.streamed, sent.headers.get("accept"), sent.headers.get("authorization"), sent.body.as_str()),
        (true, Some("text/event-stream"), Some("Bearer sk-resp-1"), "")
    );
    assert!(!text.contains("resp_real") && !text.contains("msg_abc"), "{text}");
    let events = events(&text);
    let numbers: Vec<_> = events.iter().map(|event| event["sequence_number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [4, 5, 6]);
    assert_eq!((&events[2]["type"], &events[2]["response"]["id"]), (&json!("response.completed"), &json!(id)));
    let item = events[1]["item"]["id"].as_str().unwrap();
    assert!(item.starts_with("msg_bound_"), "{item}");
    assert_eq!((&events[0]["item_id"], &events[2]["response"]["output"][0]["id"]), (&json!(item), &json!(item)));
    assert!(text.contains("event: response.output_text.delta\n"), "the SDKs read the event's line: {text}");
}

#[test]
fn one_that_is_not_followed_to_its_end_never_looks_complete() {
    let cut = |_: &str| streams(1, 5, told(4).into_iter().take(2).collect(), Ending::Eof);
    let silent = |_: &str| streams(1, 5, told(4).into_iter().take(2).collect(), Ending::Hang);
    let failed = |_: &str| {
        let failed = json!({ "type": "response.failed", "sequence_number": 6, "response": { "id": "resp_real", "object": "response",
            "status": "failed", "error": { "code": "server_error", "message": "The model is down." }, "output": [] } });
        streams(1, 5, told(4).into_iter().take(2).chain([event(&failed)]).collect(), Ending::Eof)
    };
    for (name, follow, said) in [
        ("cut", cut as fn(&str) -> Script, "ended before it was complete"),
        ("silent", silent, "went silent"),
        ("failed", failed, "The model is down."),
    ] {
        let (world, gateway, id) = begun(follow);
        let (status, _, text) = ask(&world, &gateway, get(&id, "stream=true"));
        let events = events(&text);
        let last = events.last().unwrap();
        assert_eq!(
            (status, events.len(), &last["type"], &last["sequence_number"]),
            (200, 3, &json!("error"), &json!(6)),
            "{name}: {text}"
        );
        assert!(last["message"].as_str().unwrap().contains(said), "{name}: {text}");
        assert!(!text.contains("resp_real") && world.open_calls() == 0, "{name}: {text}");
    }
}

#[test]
fn one_that_cannot_be_followed_is_an_error_and_a_whole_one_is_told_all_the_same() {
    let (world, gateway, id) = begun(|_| error(1, 400, "invalid_request_error", "This response cannot be streamed."));
    let (status, _, text) = ask(&world, &gateway, get(&id, "stream=true"));
    assert_eq!(
        (status, parsed(&text)["error"]["message"].as_str()),
        (400, Some("This response cannot be streamed.")),
        "{text}"
    );

    let (world, gateway, id) = begun(|_| hangs());
    let begun_at = world.elapsed();
    assert_eq!(ask(&world, &gateway, get(&id, "stream=true")).0, 504);
    assert_eq!(world.elapsed(), begun_at + ms(20_000), "the deadline");

    let (world, gateway, id) = begun(|_| answers(1, 200, &response("resp_real", "A").to_string()));
    let (status, headers, text) = ask(&world, &gateway, get(&id, "stream=true"));
    assert_eq!((status, headers.get("content-type")), (200, Some("text/event-stream; charset=utf-8")), "{text}");
    let events = events(&text);
    assert_eq!(
        (&events[0]["response"]["id"], &events.last().unwrap()["type"]),
        (&json!(id), &json!("response.completed")),
        "{text}"
    );

    // Without the word it is given whole, and an unknown one asks nobody.
    let (_, headers, text) = ask(&world, &gateway, get(&id, ""));
    assert_eq!((headers.get("content-type"), &parsed(&text)["id"]), (Some("application/json"), &json!(id)));
    let calls = world.calls.borrow().len();
    assert_eq!(ask(&world, &gateway, get("resp_real", "stream=true")).0, 404);
    assert_eq!(world.calls.borrow().len(), calls);
}

/// A response of every kind of item, with members that nobody here knows.
fn rich() -> Value {
    json!({
        "id": "resp_real", "object": "response", "created_at": 1, "status": "completed", "model": "gpt-real", "metadata": { "a": "b" }, "novel": [1],
        "output": [
            { "type": "reasoning", "id": "rs_1", "summary": [{ "type": "summary_text", "text": "S" }, { "type": "summary_text", "text": "T" }], "encrypted_content": "gAAAA" },
            { "type": "web_search_call", "id": "ws_1", "status": "completed", "action": { "type": "search", "query": "q" } },
            { "type": "message", "id": "msg_\"1", "status": "completed", "role": "assistant", "phase": "final_answer", "content": [
                { "type": "output_text", "text": "A \"B\"", "annotations": [{ "type": "url_citation", "url": "u", "start_index": 0, "end_index": 1 }], "logprobs": [] },
                { "type": "refusal", "refusal": "No." },
            ] },
            { "type": "function_call", "id": "fc_1", "status": "completed", "call_id": "call_1", "name": "f", "arguments": "{\"a\":1}" },
            { "type": "custom_tool_call", "id": "ctc_1", "status": "completed", "call_id": "call_2", "name": "g", "input": "x" },
            { "type": "novel", "id": "nv_1", "what": 7 },
        ],
        "usage": { "input_tokens": 3, "output_tokens": 2, "total_tokens": 5 },
    })
}

#[test]
fn a_whole_response_is_told_as_a_stream_under_the_ids_that_are_kept() {
    let (world, gateway) = world(|_, _, _| hangs());
    *world.upstream.borrow_mut() = Box::new(|sent| {
        if sent.url.contains("GET") {
            answers(1, 200, r#"{"id":"resp_real","object":"response","output":[]}"#)
        } else {
            answers(1, 200, &rich().to_string())
        }
    });
    let (status, headers, text) = ask(&world, &gateway, post("/v1/responses", &input("held", r#","stream":true"#), &[]));
    assert_eq!((status, headers.get("content-type")), (200, Some("text/event-stream; charset=utf-8")), "{text}");
    let events = events(&text);
    let numbers: Vec<_> = events.iter().map(|event| event["sequence_number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..events.len() as u64).collect::<Vec<_>>());
    let last = &events.last().unwrap()["response"];
    let id = last["id"].as_str().unwrap();
    assert!(id.starts_with("resp_bound_") && !text.contains("resp_real") && !text.contains("msg_\\\"1"), "{text}");
    // The last event holds all that the provider said, and what came before it comes to the same.
    let mut expected = rich();
    expected["id"] = json!(id);
    for (at, item) in expected["output"].as_array_mut().unwrap().iter_mut().enumerate() {
        item["id"] = last["output"][at]["id"].clone();
        assert!(item["id"].as_str().unwrap().contains("_bound_"), "{item}");
    }
    assert_eq!(*last, expected);
    assert_eq!(
        (&events[0]["type"], &events[0]["response"]["status"], &events[0]["response"]["output"]),
        (&json!("response.created"), &json!("in_progress"), &json!([]))
    );
    assert_eq!((&events[0]["response"]["id"], &events[0]["response"]["novel"]), (&json!(id), &json!([1])));
    assert_eq!(put_together(&events), expected["output"]);

    // And what is told is what can be asked for, and gone on with.
    let (status, _, _) = ask(&world, &gateway, get(id, ""));
    assert_eq!(
        (status, world.calls.borrow().last().unwrap().sent.url.as_str()),
        (200, "GET https://resp.example/v1/responses/resp_real")
    );
    let more = format!(r#","previous_response_id":"{id}""#);
    assert_eq!(ask(&world, &gateway, post("/v1/responses", &input("held", &more), &[])).0, 200);
    assert_eq!(parsed(&world.calls.borrow().last().unwrap().sent.body)["previous_response_id"], "resp_real");
}

/// The output as a client puts it together from events: from what was added, pieces, and what they end as.
fn put_together(events: &[Value]) -> Value {
    let mut output: Vec<Value> = Vec::new();
    let mut done = Vec::new();
    for event in events {
        let kind = event["type"].as_str().unwrap().strip_prefix("response.").unwrap();
        let index = |name: &str| event[name].as_u64().map_or(0, |index| usize::try_from(index).unwrap());
        let at = index("output_index");
        let append =
            |place: &mut Value| *place = json!(format!("{}{}", place.as_str().unwrap(), event["delta"].as_str().unwrap()));
        let (content, summary) = (index("content_index"), index("summary_index"));
        if !output.is_empty() && event.get("item_id").is_some() {
            assert_eq!(event["item_id"], output[at]["id"], "{event}");
        }
        match kind {
            "output_item.added" => {
                assert_eq!(at, output.len());
                output.push(event["item"].clone());
            }
            "content_part.added" => output[at]["content"].as_array_mut().unwrap().push(event["part"].clone()),
            "reasoning_summary_part.added" => output[at]["summary"].as_array_mut().unwrap().push(event["part"].clone()),
            "output_text.delta" => append(&mut output[at]["content"][content]["text"]),
            "refusal.delta" => append(&mut output[at]["content"][content]["refusal"]),
            "reasoning_summary_text.delta" => append(&mut output[at]["summary"][summary]["text"]),
            "function_call_arguments.delta" => append(&mut output[at]["arguments"]),
            "custom_tool_call_input.delta" => append(&mut output[at]["input"]),
            "output_text.annotation.added" => {
                output[at]["content"][content]["annotations"].as_array_mut().unwrap().push(event["annotation"].clone());
            }
            "output_text.done" => assert_eq!(output[at]["content"][content]["text"], event["text"]),
            "refusal.done" => assert_eq!(output[at]["content"][content]["refusal"], event["refusal"]),
            "reasoning_summary_text.done" => assert_eq!(output[at]["summary"][summary]["text"], event["text"]),
            "function_call_arguments.done" => assert_eq!(output[at]["arguments"], event["arguments"]),
            "custom_tool_call_input.done" => assert_eq!(output[at]["input"], event["input"]),
            "content_part.done" => assert_eq!(output[at]["content"][content], event["part"]),
            "reasoning_summary_part.done" => assert_eq!(output[at]["summary"][summary], event["part"]),
            "output_item.done" => {
                if output[at].get("status").is_some() {
                    output[at]["status"] = json!("completed");
                }
                assert_eq!(output[at], event["item"]);
                done.push(at);
            }
            "created" | "in_progress" | "completed" => {}
            other => panic!("{other}"),
        }
    }
    assert_eq!(done, (0..output.len()).collect::<Vec<_>>());
    Value::Array(output)
}
