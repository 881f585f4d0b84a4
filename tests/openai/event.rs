//! What one event of a stream is.

use breakwater::dialect::chat::classify_event;

/// What an event is taken for.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Is {
    done: bool,
    content: bool,
    finish: bool,
    explains_silence: bool,
    error: bool,
    usage_only: bool,
    garbage: bool,
}

fn is(data: &[u8]) -> Is {
    let event = classify_event(data);
    Is {
        done: event.done,
        content: event.content,
        finish: event.finish,
        explains_silence: event.explains_silence,
        error: event.error,
        usage_only: event.usage_only,
        garbage: event.garbage,
    }
}

const NOTHING: Is =
    Is { done: false, content: false, finish: false, explains_silence: false, error: false, usage_only: false, garbage: false };

#[test]
fn every_form() {
    let done = || Is { done: true, ..NOTHING };
    let content = || Is { content: true, ..NOTHING };
    let finish = || Is { finish: true, ..NOTHING };
    let garbage = || Is { garbage: true, ..NOTHING };
    let error = || Is { error: true, ..NOTHING };
    let silent = || Is { finish: true, explains_silence: true, ..NOTHING };
    let rows: &[(&str, &str, Is)] = &[
        ("the terminator", "[DONE]", done()),
        ("the terminator in white space", " [DONE]\t ", done()),
        ("nothing", "", NOTHING),
        ("white space", "  ", NOTHING),
        ("a role", r#"{"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#, NOTHING),
        ("text", r#"{"choices":[{"delta":{"content":"hi"},"finish_reason":null}]}"#, content()),
        ("text of the second choice", r#"{"choices":[{"delta":{}},{"delta":{"content":"hi"}}]}"#, content()),
        ("a message instead of a delta", r#"{"choices":[{"message":{"content":"hi"}}]}"#, content()),
        ("a finish reason", r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#, finish()),
        (
            "of the second choice",
            r#"{"choices":[{"delta":{},"finish_reason":null},{"delta":{},"finish_reason":"tool_calls"}]}"#,
            finish(),
        ),
        ("an empty one", r#"{"choices":[{"delta":{},"finish_reason":""}]}"#, NOTHING),
        ("used up", r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#, silent()),
        ("filtered", r#"{"choices":[{"delta":{},"finish_reason":"content_filter"}]}"#, silent()),
        (
            "text and a finish reason",
            r#"{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}"#,
            Is { content: true, ..finish() },
        ),
        ("usage", r#"{"choices":[],"usage":{"total_tokens":1}}"#, Is { usage_only: true, ..NOTHING }),
        (
            "usage beside a finish reason",
            r#"{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"total_tokens":1}}"#,
            finish(),
        ),
        ("usage that is null", r#"{"choices":[],"usage":null}"#, NOTHING),
        ("no choices", r#"{"choices":[]}"#, NOTHING),
        ("Azure's first", r#"{"choices":[],"prompt_filter_results":[{"prompt_index":0}]}"#, NOTHING),
        ("metadata", r#"{"id":"x","type":"ping"}"#, NOTHING),
        ("an error", r#"{"error":{"message":"m"}}"#, error()),
        ("an error as a text", r#"{"error":"m"}"#, error()),
        (
            "an error beside a choice",
            r#"{"error":{"code":502},"choices":[{"delta":{"content":""},"finish_reason":"error"}]}"#,
            Is { error: true, ..finish() },
        ),
        ("an error that is none", r#"{"error":null,"choices":[{"delta":{"content":"hi"}}]}"#, content()),
        (
            "words in a text",
            r#"{"choices":[{"delta":{"content":"\"error\": [DONE] \"finish_reason\":\"stop\""},"finish_reason":null}]}"#,
            content(),
        ),
        ("empty ones in white space", "{\"choices\":[{\"delta\":{\"content\":[ ],\"tool_calls\":[\n ]}}]}", NOTHING),
        ("an array", "[1]", garbage()),
        ("a text", "\"hi\"", garbage()),
        ("null", "null", garbage()),
        ("HTML", "<html>", garbage()),
        ("cut", r#"{"choices":[{"delta":{"cont"#, garbage()),
        ("a cut terminator", "[DON", garbage()),
        ("choices of another type", r#"{"choices":{"delta":{}}}"#, garbage()),
        ("a choice of another type", r#"{"choices":["hi"]}"#, garbage()),
        ("a finish reason of another type", r#"{"choices":[{"delta":{},"finish_reason":1}]}"#, garbage()),
        ("two objects", "{}{}", garbage()),
    ];
    for (name, data, expected) in rows {
        assert_eq!(is(data.as_bytes()), *expected, "{name}");
    }
    assert_eq!(is(b"{\"id\":\"\xFF\"}"), garbage(), "not UTF-8");
}
