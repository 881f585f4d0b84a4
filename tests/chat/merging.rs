//! How chunks become a completion.

use breakwater::dialect::chat::{Assembly, MAX_BYTES};
use serde_json::{Value, json};

use super::assemble;

fn chunk(fields: &Value) -> String {
    let mut chunk = json!({ "id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m" });
    chunk.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    chunk.to_string()
}

fn delta(delta: Value) -> Value {
    json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": null }] })
}

fn finish(reason: &str) -> Value {
    json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }] })
}

/// A row's name, its deltas, and the message that they and `stop` come to.
type Row = (&'static str, Vec<Value>, Value);

fn check(rows: Vec<Row>) {
    for (name, deltas, message) in rows {
        let chunks = deltas.into_iter().map(delta).chain([finish("stop")]).map(|fields| chunk(&fields));
        let expected = json!({
            "id": "c1", "object": "chat.completion", "created": 7, "model": "m",
            "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }],
        });
        assert_eq!(assemble(chunks), Some(expected), "{name}");
    }
}

#[test]
fn messages() {
    check(vec![
        (
            "text",
            vec![json!({"role": "assistant", "content": ""}), json!({"content": "He"}), json!({"content": "llo"})],
            json!({"role": "assistant", "content": "Hello"}),
        ),
        ("nothing at all is an empty answer", vec![json!({})], json!({"role": "assistant", "content": null})),
        (
            "null says nothing",
            vec![json!({"content": "a", "refusal": null}), json!({"content": null, "role": null})],
            json!({"role": "assistant", "content": "a", "refusal": null}),
        ),
        (
            "an empty role says nothing",
            vec![json!({"role": "assistant", "content": "a"}), json!({"role": ""})],
            json!({"role": "assistant", "content": "a"}),
        ),
        (
            "refusal",
            vec![json!({"content": null, "refusal": "I "}), json!({"refusal": "can't"})],
            json!({"role": "assistant", "content": null, "refusal": "I can't"}),
        ),
        (
            "reasoning in both spellings",
            vec![
                json!({"reasoning_content": "a", "reasoning": "x"}),
                json!({"reasoning_content": "b", "reasoning": "y", "content": "c"}),
            ],
            json!({"role": "assistant", "content": "c", "reasoning_content": "ab", "reasoning": "xy"}),
        ),
        (
            "a field nobody knows",
            vec![json!({"content": "a", "channel": "analysis"}), json!({"channel": "final"})],
            json!({"role": "assistant", "content": "a", "channel": "final"}),
        ),
        (
            "a list",
            vec![json!({"content": "a", "annotations": [1]}), json!({"annotations": [2, 3]})],
            json!({"role": "assistant", "content": "a", "annotations": [1, 2, 3]}),
        ),
    ]);
}

#[test]
fn content_in_parts() {
    let text = |text: &str| json!({ "type": "text", "text": text });
    let thinking = |parts: Vec<Value>| json!({ "type": "thinking", "thinking": parts });
    check(vec![
        (
            "Mistral: thinking in parts, then text",
            vec![
                json!({"role": "assistant", "content": ""}),
                json!({"content": [thinking(vec![text("The")])]}),
                json!({"content": [thinking(vec![text(" user")])]}),
                json!({"content": "Fo"}),
                json!({"content": "ur"}),
                json!({"content": [text(".")]}),
                json!({"content": ""}),
            ],
            json!({"role": "assistant", "content": [thinking(vec![text("The user")]), text("Four.")]}),
        ),
        (
            "text, then parts",
            vec![json!({"content": "a"}), json!({"content": [{"type": "image_url", "url": "u"}]})],
            json!({"role": "assistant", "content": [text("a"), {"type": "image_url", "url": "u"}]}),
        ),
        (
            "parts side by side stay apart",
            vec![json!({"content": [text("a"), text("b")]})],
            json!({"role": "assistant", "content": [text("a"), text("b")]}),
        ),
        (
            "a text part with more than text stays apart",
            vec![json!({"content": [text("a")]}), json!({"content": [{"type": "text", "text": "b", "cite": 1}]})],
            json!({"role": "assistant", "content": [text("a"), {"type": "text", "text": "b", "cite": 1}]}),
        ),
        (
            "OpenRouter: one block of reasoning, its signature, the next block",
            vec![
                json!({"reasoning_details": [{"type": "reasoning.text", "text": "Let", "index": 0, "format": "f"}]}),
                json!({"reasoning_details": [{"type": "reasoning.text", "text": " me", "index": 0, "format": "f"}]}),
                json!({"reasoning_details": [{"type": "reasoning.text", "signature": "sig", "index": 0, "format": "f"}]}),
                json!({"reasoning_details": [{"type": "reasoning.text", "text": "Now", "index": 0, "format": "f"}]}),
                json!({"reasoning_details": [{"type": "reasoning.text", "text": "And", "index": 1, "format": "f"}]}),
                json!({"reasoning_details": [{"type": "reasoning.encrypted", "data": "x", "index": 1}]}),
                json!({"reasoning_details": [{"type": "reasoning.encrypted", "data": "y", "index": 1}]}),
            ],
            json!({"role": "assistant", "content": null, "reasoning_details": [
                {"type": "reasoning.text", "text": "Let me", "signature": "sig", "index": 0, "format": "f"},
                {"type": "reasoning.text", "text": "Now", "index": 0, "format": "f"},
                {"type": "reasoning.text", "text": "And", "index": 1, "format": "f"},
                {"type": "reasoning.encrypted", "data": "x", "index": 1},
                {"type": "reasoning.encrypted", "data": "y", "index": 1},
            ]}),
        ),
    ]);
}

#[test]
fn tool_calls() {
    check(vec![
        (
            "tool calls meet by index; empty names and later ids say nothing",
            vec![
                json!({"content": null, "tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}]}),
                json!({"tool_calls": [{"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": "{"}}]}),
                json!({"tool_calls": [{"index": 0, "id": "", "function": {"name": "", "arguments": "{\"x\":"}}, {"index": 1, "function": {"arguments": "}"}}]}),
                json!({"tool_calls": [{"index": 0, "id": "other", "function": {"name": null, "arguments": "1}"}}]}),
            ],
            json!({"role": "assistant", "content": null, "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}},
                {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
            ]}),
        ),
        (
            "tool calls without an index meet by id",
            vec![
                json!({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{"}}]}),
                json!({"tool_calls": [{"function": {"arguments": "}"}}]}),
                json!({"tool_calls": [{"id": "b", "function": {"name": "g", "arguments": "{}"}}]}),
                json!({"tool_calls": [{"id": "a", "function": {"arguments": " "}}]}),
            ],
            json!({"role": "assistant", "content": null, "tool_calls": [
                {"id": "a", "function": {"name": "f", "arguments": "{} "}},
                {"id": "b", "function": {"name": "g", "arguments": "{}"}},
            ]}),
        ),
        (
            "a custom tool's input, and a field beside the function (Gemini's signature)",
            vec![
                json!({"tool_calls": [{"index": 0, "id": "a", "type": "custom", "custom": {"name": "f", "input": "x"}}]}),
                json!({"tool_calls": [{"index": 0, "custom": {"input": "y"}, "extra_content": {"google": {"thought_signature": "s"}}}]}),
            ],
            json!({"role": "assistant", "content": null, "tool_calls": [
                {"id": "a", "type": "custom", "custom": {"name": "f", "input": "xy"}, "extra_content": {"google": {"thought_signature": "s"}}},
            ]}),
        ),
        (
            "the function call of old",
            vec![json!({"function_call": {"name": "f", "arguments": "{"}}), json!({"function_call": {"arguments": "}"}})],
            json!({"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{}"}}),
        ),
        (
            "no tool calls",
            vec![json!({"content": "a", "tool_calls": []})],
            json!({"role": "assistant", "content": "a", "tool_calls": []}),
        ),
    ]);
}

/// What stands around the message.
#[test]
fn the_rest_of_a_completion() {
    let logprob = |token: &str| json!({ "token": token, "logprob": -0.5, "bytes": [1], "top_logprobs": [] });
    let chunks = [
        json!({ "id": "", "model": "", "created": 0, "prompt_filter_results": [1], "choices": [], "obfuscation": "xyz", "p": "abc" }),
        json!({ "system_fingerprint": null, "service_tier": "default", "usage": null, "choices": [
            { "index": 1, "delta": { "role": "assistant", "content": "b" }, "finish_reason": null, "logprobs": null },
            { "index": 0, "delta": { "role": "assistant", "content": "a" }, "finish_reason": "", "token_ids": [1] },
        ]}),
        json!({ "system_fingerprint": "fp", "choices": [{ "index": 1, "delta": {}, "finish_reason": "length", "stop_reason": 5,
            "logprobs": { "content": [logprob("b")], "refusal": null } }] }),
        json!({ "service_tier": null, "choices": [{ "index": 0, "delta": null, "finish_reason": "stop", "token_ids": [2, 3] },
            { "index": 1, "delta": { "content": "c" }, "finish_reason": null, "logprobs": { "content": [logprob("c")], "refusal": [] } }] }),
        json!({ "choices": [], "usage": { "total_tokens": 3 }, "x_groq": { "id": "r" } }),
    ];
    let expected = json!({
        "id": "c1", "object": "chat.completion", "created": 7, "model": "m", "system_fingerprint": "fp", "service_tier": "default",
        "usage": { "total_tokens": 3 }, "x_groq": { "id": "r" }, "prompt_filter_results": [1],
        "choices": [
            { "index": 0, "message": { "role": "assistant", "content": "a" }, "finish_reason": "stop", "token_ids": [1, 2, 3] },
            { "index": 1, "message": { "role": "assistant", "content": "bc" }, "finish_reason": "length", "stop_reason": 5,
              "logprobs": { "content": [logprob("b"), logprob("c")], "refusal": [] } },
        ],
    });
    let payloads: Vec<_> = chunks.iter().map(chunk).chain(["[DONE]".to_owned()]).collect();
    assert_eq!(assemble(&payloads), Some(expected));
}

/// Streams of which nothing may be kept.
#[test]
fn nothing_rather_than_something_wrong() {
    let hello = || chunk(&delta(json!({ "content": "hello" })));
    let stop = || chunk(&finish("stop"));
    let rows: Vec<(&str, Vec<String>)> = vec![
        ("no chunk", vec![]),
        ("only the end", vec!["[DONE]".to_owned()]),
        ("no choice", vec![chunk(&json!({ "choices": [], "usage": {} }))]),
        ("no finish reason", vec![hello(), "[DONE]".to_owned()]),
        ("an empty finish reason", vec![hello(), chunk(&finish(""))]),
        ("nothing but an empty finish reason", vec![chunk(&finish(""))]),
        (
            "one choice of two did not finish",
            vec![hello(), stop(), chunk(&json!({ "choices": [{ "index": 1, "delta": { "content": "x" } }] }))],
        ),
        ("an error event", vec![hello(), json!({ "error": { "message": "overloaded" } }).to_string(), stop()]),
        (
            "an error in a choice",
            vec![
                hello(),
                chunk(&json!({ "choices": [{ "index": 0, "delta": {}, "error": { "code": 502 }, "finish_reason": "stop" }] })),
            ],
        ),
        ("finished by an error", vec![hello(), chunk(&finish("error"))]),
        ("interrupted", vec![hello(), chunk(&finish("insufficient_system_resource"))]),
        (
            "two calls with one index",
            ["a", "b"]
                .map(|id| {
                    chunk(&delta(
                        json!({ "tool_calls": [{ "index": 0, "id": id, "function": { "name": "f", "arguments": "{}" } }] }),
                    ))
                })
                .into_iter()
                .chain([stop()])
                .collect(),
        ),
        ("no JSON", vec![hello(), "{\"id\":".to_owned(), stop()]),
        ("no object", vec![hello(), "[]".to_owned(), stop()]),
        ("choices that are none", vec![chunk(&json!({ "choices": 3 })), hello(), stop()]),
        ("a choice that is none", vec![chunk(&json!({ "choices": [3] })), hello(), stop()]),
        ("a delta that is none", vec![chunk(&json!({ "choices": [{ "index": 0, "delta": "x" }] })), hello(), stop()]),
        ("sound, which expires", vec![chunk(&delta(json!({ "audio": { "data": "AA==" } }))), stop()]),
    ];
    for (name, payloads) in rows {
        assert_eq!(assemble(&payloads), None, "{name}");
    }
}

#[test]
fn an_assembly_is_bounded() {
    let size = 64 * 1024;
    let piece = chunk(&delta(json!({ "content": "x".repeat(size) })));
    let rows = [("just under", MAX_BYTES / size - 1, true), ("just over", MAX_BYTES / size + 1, false)];
    for (name, count, kept) in rows {
        let mut assembly = Assembly::new();
        (0..count).for_each(|_| assembly.push(&piece));
        assert_eq!(assembly.is_alive(), kept, "{name}");
        assembly.push(&chunk(&finish("stop")));
        assert_eq!(assembly.finish().map(|text| text.len() > count * size), kept.then_some(true), "{name}");
    }
    // What replaces something takes no more room, however often it comes.
    let mut assembly = Assembly::new();
    for tokens in 0..40_000 {
        assembly
            .push(&chunk(&json!({ "choices": [], "usage": { "completion_tokens": tokens, "cost": { "a": 0.1, "b": 0.2 } } })));
    }
    assert!(assembly.is_alive());
    // Many small things are as much as one large one.
    let mut assembly = Assembly::new();
    for index in 0..200_000 {
        assembly.push(&chunk(&json!({ "choices": [{ "index": index, "delta": {}, "finish_reason": null }] })));
    }
    assert!(!assembly.is_alive());
}
