//! Streams that are odd.

use breakwater::chat::{Delta, Finish, Kind};
use breakwater::dialect::{Dialect, responses};
use serde_json::{Value, json};

use super::{deltas, gathered, object};

fn stream(events: &[Value]) -> Vec<Delta> {
    let events: Vec<String> = events.iter().map(Value::to_string).collect();
    deltas(events.iter().map(String::as_str))
}

fn completed(output: Value) -> Value {
    json!({"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": output}})
}

#[test]
fn what_no_delta_told_is_neither_lost_nor_doubled() {
    let message = json!({"type": "message", "content": [{"type": "output_text", "text": "hello", "annotations": [{"type": "url_citation"}],
        "logprobs": [{"token": "hello", "logprob": -1.0, "bytes": null, "top_logprobs": []}]}]});
    let call = json!({"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{\"a\":1}"});
    let thought = json!({"type": "reasoning", "id": "rs_1", "summary": [{"text": "hm"}], "encrypted_content": "gA"});
    let search = json!({"type": "web_search_call", "id": "ws_1"});
    let output = json!([thought, search, message, call]);
    let done = |index: usize| json!({"type": "response.output_item.done", "output_index": index, "item": output[index]});
    let all = completed(output.clone());
    let whole = responses::decode(object(all["response"].clone())).unwrap();
    assert_eq!(whole.choices[0].finish, Some(Finish::ToolCalls));
    assert_eq!(whole.choices[0].parts.len(), 4);
    let delta = |kind: &str, index: usize, delta: &str| json!({"type": kind, "output_index": index, "item_id": format!("rotates{delta}"), "delta": delta});
    let named = |name: &str, events: Vec<Value>| (name.to_owned(), events);
    for (name, events) in [
        named("only in the last event", vec![all.clone()]),
        named("items whole", vec![done(0), done(1), done(2), done(3), all.clone()]),
        named("the last only in the last event", vec![done(0), done(1), done(2), all.clone()]),
        named("no output at the end", vec![done(0), done(1), done(2), done(3), completed(json!([]))]),
        named("twice", vec![done(0), done(0), done(1), done(2), done(2), done(3), all.clone()]),
        named(
            "in deltas",
            vec![
                json!({"type": "response.created", "response": {"id": "resp_1"}}),
                json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning", "id": "other", "summary": []}}),
                delta("response.reasoning_summary_text.delta", 0, "h"),
                done(0),
                done(1),
                json!({"type": "response.content_part.added", "output_index": 2, "content_index": 0, "part": {"type": "output_text", "text": ""}}),
                delta("response.output_text.delta", 2, "hel"),
                delta("response.output_text.delta", 2, "lo"),
                json!({"type": "response.output_text.annotation.added", "output_index": 2, "content_index": 0, "annotation": {"type": "url_citation"}}),
                json!({"type": "response.content_part.done", "output_index": 2, "content_index": 0, "part": message["content"][0]}),
                done(2),
                json!({"type": "response.output_item.added", "output_index": 3, "item": {"type": "function_call", "id": "x", "call_id": "c", "name": "f", "arguments": ""}}),
                delta("response.function_call_arguments.delta", 3, "{\"a\""),
                json!({"type": "response.function_call_arguments.done", "output_index": 3, "arguments": "{\"a\":1}"}),
                json!({"type": "response.of.tomorrow", "x": 1}),
                done(3),
                all.clone(),
            ],
        ),
    ] {
        assert_eq!(gathered(stream(&events)), whole, "{name}");
    }
}

#[test]
fn an_answer_that_was_cut_off_says_so_and_one_that_failed_is_none() {
    let response = |status: &str, reason: Value| json!({"status": status, "output": [], "incomplete_details": reason});
    let decode = |body| responses::decode(object(body)).map(|answer| answer.choices[0].finish.clone().unwrap());
    assert_eq!(decode(response("incomplete", json!({"reason": "max_output_tokens"}))), Some(Finish::Length));
    assert_eq!(decode(response("incomplete", json!({"reason": "content_filter"}))), Some(Finish::ContentFilter));
    for status in ["failed", "cancelled", "in_progress", "queued"] {
        assert_eq!(decode(response(status, Value::Null)), None);
    }
    assert_eq!(Dialect::Responses.decode("{\"object\": \"list\", \"data\": []}"), None);
}

#[test]
fn usage_counts_what_openai_counts() {
    let usage = json!({"input_tokens": 10, "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2}, "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 15, "cost": 0.1});
    let answer = responses::decode(object(json!({"status": "completed", "output": [], "usage": usage}))).unwrap();
    let read = answer.usage.unwrap();
    assert_eq!(
        (read.input, read.output, read.total, read.cached, read.cache_written, read.reasoning),
        (10, 5, None, Some(4), Some(2), Some(3))
    );
    assert_eq!(read.extra, object(json!({"cost": 0.1})));
}

#[test]
fn parts_of_calls_beside_each_other_come_apart_by_their_index() {
    let added = |index: usize, id: &str| json!({"type": "response.output_item.added", "output_index": index, "item": {"type": "function_call", "call_id": id, "name": "f", "arguments": ""}});
    let delta = |index: usize, text: &str| json!({"type": "response.function_call_arguments.delta", "output_index": index, "delta": text});
    let answer = gathered(stream(&[
        added(0, "a"),
        added(1, "b"),
        delta(0, "{\"x\":"),
        delta(1, "{"),
        delta(0, "1}"),
        delta(1, "}"),
        completed(json!([])),
    ]));
    let calls: Vec<(String, String)> = answer.choices[0]
        .parts
        .iter()
        .map(|part| match &part.kind {
            Kind::ToolCall(call) => (call.id.clone(), call.arguments.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(calls, [("a".to_owned(), "{\"x\":1}".to_owned()), ("b".to_owned(), "{}".to_owned())]);
}
