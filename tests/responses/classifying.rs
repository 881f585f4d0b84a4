//! What an upstream's bytes are.

use breakwater::dialect::{Event, Whole, responses};
use serde_json::{Value, json};

#[test]
fn a_whole_body_is_an_answer_nothing_an_error_or_garbage() {
    let message = |text| json!({"type": "message", "content": [{"type": "output_text", "text": text}]});
    let response =
        |status, output: Value| json!({"object": "response", "status": status, "error": null, "output": output}).to_string();
    for (body, whole) in [
        (response("completed", json!([message("hi")])), Whole::Complete),
        (
            response("completed", json!([{"type": "message", "content": [{"type": "refusal", "refusal": "no"}]}])),
            Whole::Complete,
        ),
        (response("completed", json!([{"type": "function_call"}])), Whole::Complete),
        (response("completed", json!([{"type": "web_search_call"}])), Whole::Complete),
        (response("completed", json!([{"type": "reasoning", "summary": [{"text": "x"}]}])), Whole::Complete),
        (
            response("completed", json!([{"type": "reasoning", "summary": [], "content": null, "encrypted_content": "x"}])),
            Whole::Empty,
        ),
        (response("completed", json!([message("")])), Whole::Empty),
        (response("completed", json!([])), Whole::Empty),
        (response("incomplete", json!([])), Whole::Complete),
        (response("failed", json!([])), Whole::Error),
        (response("cancelled", json!([])), Whole::Error),
        (response("in_progress", json!([])), Whole::Garbage),
        (json!({"status": "queued", "background": true, "output": []}).to_string(), Whole::Pending),
        (json!({"error": {"message": "no"}}).to_string(), Whole::Error),
        (json!({"object": "chat.completion", "choices": [{"message": {"content": "hi"}}]}).to_string(), Whole::Garbage),
        (json!({"object": "list", "data": []}).to_string(), Whole::Garbage),
        ("<html>".to_owned(), Whole::Garbage),
        ("{\"output\": [".to_owned(), Whole::Garbage),
        ("[{\"output\": []}]".to_owned(), Whole::Garbage),
        (" ".to_owned(), Whole::Empty),
    ] {
        assert_eq!(responses::classify_whole(&body), whole, "{body}");
    }
}

#[test]
fn an_event_is_content_the_end_or_an_error() {
    let nothing = Event::default();
    let answer = |bytes| Event { content: true, answer: true, bytes, ..nothing };
    let done = Event { done: true, finish: true, choices: 1, finished: 1, ..nothing };
    let error = Event { error: true, ..nothing };
    let said = json!([{"type": "message", "content": [{"type": "output_text", "text": "hi"}]}]);
    for (data, event) in [
        (json!({"type": "response.created", "response": {"output": []}}), nothing),
        (json!({"type": "response.output_item.added", "item": {"type": "message", "content": []}}), nothing),
        (json!({"type": "response.output_item.added", "item": {"type": "web_search_call"}}), nothing),
        (json!({"type": "response.web_search_call.in_progress"}), nothing),
        (json!({"type": "response.something.new"}), nothing),
        (json!({"type": "response.output_item.added", "item": {"type": "function_call"}}), answer(0)),
        (json!({"type": "response.output_item.done", "item": {"type": "web_search_call"}}), answer(0)),
        (json!({"type": "response.output_text.delta", "delta": "hello"}), answer(5)),
        (json!({"type": "response.output_text.delta", "delta": ""}), nothing),
        (json!({"type": "response.refusal.delta", "delta": "no"}), answer(2)),
        (json!({"type": "response.function_call_arguments.delta", "delta": "{}"}), answer(2)),
        (json!({"type": "response.reasoning_summary_text.delta", "delta": "hm"}), Event { answer: false, ..answer(2) }),
        (json!({"type": "response.completed", "response": {"status": "completed", "output": []}}), done),
        (
            json!({"type": "response.completed", "response": {"status": "completed", "output": said}}),
            Event { content: true, answer: true, ..done },
        ),
        (
            json!({"type": "response.incomplete", "response": {"status": "incomplete", "output": []}}),
            Event { explains_silence: true, ..done },
        ),
        (json!({"type": "response.failed", "response": {"status": "failed"}}), error),
        (json!({"type": "response.completed", "response": {"status": "failed"}}), error),
        (json!({"type": "response.cancelled", "response": {}}), error),
        (json!({"type": "error", "code": "x", "message": "y"}), error),
        (json!({"error": {"message": "y"}}), error),
        (json!({"choices": []}), Event { garbage: true, ..nothing }),
        (json!([1]), Event { garbage: true, ..nothing }),
    ] {
        assert_eq!(responses::classify_event(data.to_string().as_bytes()), event, "{data}");
    }
    assert_eq!(responses::classify_event(b"[DONE]"), nothing);
    assert!(responses::classify_event(b"{\"type\": ").garbage);
}

#[test]
fn only_plain_deltas_are_not_looked_at() {
    for (data, looked) in [
        (r#"{"type":"response.output_text.delta","delta":"a \"type\":\"response.completed\" b"}"#, false),
        (r#"{"sequence_number":4,"type":"response.function_call_arguments.delta","delta":"{}"}"#, false),
        (r#"{"type":"response.completed","response":{"output":[]}}"#, true),
        (r#"{"type":"response.output_item.done","item":{"x":"foo.delta"}}"#, true),
        (r#"{"response":{"tools":[{"type":"response.x.delta"}]},"type":"response.completed"}"#, true),
        (r#"{"error":{"type":"response.x.delta"},"type":"error"}"#, true),
        (r#"{"type": "response.output_text.delta"}"#, true),
        (r#"{"type":"error"}"#, true),
        (r#"{"type":"response.output_text.delta","delta":"#, true),
        ("[DONE]", true),
        ("", true),
    ] {
        assert_eq!(responses::needs_a_look(data.as_bytes()), looked, "{data}");
    }
}
