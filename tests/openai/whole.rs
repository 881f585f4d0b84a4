//! What an unstreamed 200 turned out to be.

use breakwater::dialect::Whole;
use breakwater::dialect::chat::classify_whole;
use serde_json::json;

use super::recordings;

#[test]
fn every_form() {
    let rows: &[(&str, &str, Whole)] = &[
        ("text", r#"{"choices":[{"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}"#, Whole::Complete),
        ("without a finish reason", r#"{"choices":[{"message":{"content":"hi"}}]}"#, Whole::Complete),
        ("text in parts", r#"{"choices":[{"message":{"content":[{"type":"text","text":"hi"}]}}]}"#, Whole::Complete),
        ("reasoning alone", r#"{"choices":[{"message":{"content":"","reasoning_content":"hm"}}]}"#, Whole::Complete),
        ("a refusal", r#"{"choices":[{"message":{"content":null,"refusal":"no"}}]}"#, Whole::Complete),
        ("a tool call", r#"{"choices":[{"message":{"content":null,"tool_calls":[{"id":"c"}]}}]}"#, Whole::Complete),
        (
            "the second choice speaks",
            r#"{"choices":[{"message":{"content":""}},{"message":{"content":"hi"}}]}"#,
            Whole::Complete,
        ),
        ("an error that is none", r#"{"error":null,"choices":[{"message":{"content":"hi"}}]}"#, Whole::Complete),
        ("an empty one", r#"{"error":{},"choices":[{"message":{"content":"hi"}}]}"#, Whole::Complete),
        ("white space around it", " \r\n\t{\"choices\" : [ {\"message\" : {\"content\" : \"hi\"}}]} \n", Whole::Complete),
        ("silent, as it was used up", r#"{"choices":[{"message":{"content":""},"finish_reason":"length"}]}"#, Whole::Complete),
        (
            "silent, as it was filtered",
            r#"{"choices":[{"message":{"content":null},"finish_reason":"content_filter"}]}"#,
            Whole::Complete,
        ),
        ("silent", r#"{"choices":[{"message":{"role":"assistant","content":""},"finish_reason":"stop"}]}"#, Whole::Empty),
        (
            "silent, with nulls",
            r#"{"choices":[{"message":{"content":null,"tool_calls":null,"refusal":null},"finish_reason":"stop"}]}"#,
            Whole::Empty,
        ),
        (
            "silent, with empty ones",
            r#"{"choices":[{"message":{"content":"","tool_calls":[],"function_call":{}}}]}"#,
            Whole::Empty,
        ),
        (
            "silent, with white space",
            "{\"choices\":[{\"message\":{\"content\":[ ],\"tool_calls\":[\n],\"function_call\":{ }}}]}",
            Whole::Empty,
        ),
        ("nothing", "", Whole::Empty),
        ("white space", " \r\n\t ", Whole::Empty),
        ("an error", r#"{"error":{"message":"m"}}"#, Whole::Error),
        ("an error as a text", r#"{"error":"m"}"#, Whole::Error),
        ("an error beside choices", r#"{"error":{"message":"m"},"choices":[{"message":{"content":"hi"}}]}"#, Whole::Error),
        ("an error with white space", "{\"error\" :\n {\"message\":\"m\"}}", Whole::Error),
        ("an empty error with white space", r#"{"error":{ },"choices":[{"message":{"content":"hi"}}]}"#, Whole::Complete),
        ("no choices", r#"{"choices":[]}"#, Whole::Garbage),
        ("nothing of this protocol", r#"{"id":"x"}"#, Whole::Garbage),
        ("choices that are null", r#"{"choices":null}"#, Whole::Garbage),
        ("choices of another type", r#"{"choices":"hi"}"#, Whole::Garbage),
        ("a choice without a message", r#"{"choices":[{"text":"hi"}]}"#, Whole::Garbage),
        ("one of two without a message", r#"{"choices":[{"message":{"content":"hi"}},{"text":"hi"}]}"#, Whole::Garbage),
        ("a chunk", r#"{"choices":[{"delta":{"content":"hi"}}]}"#, Whole::Garbage),
        ("a list of one", r#"[{"choices":[{"message":{"content":"hi"}}]}]"#, Whole::Garbage),
        ("an array that looks like its members", r#"[null,[[{"content":"hi"},null,"stop"]],null]"#, Whole::Garbage),
        ("HTML", "<!DOCTYPE html><html></html>", Whole::Garbage),
        ("a stream", "data: {\"choices\":[]}\n\n", Whole::Garbage),
        ("cut", r#"{"choices":[{"message":{"content":"hi"}"#, Whole::Garbage),
        ("something behind it", r#"{"choices":[{"message":{"content":"hi"}}]} x"#, Whole::Garbage),
        ("null", "null", Whole::Garbage),
        ("a text", "\"hi\"", Whole::Garbage),
    ];
    for (name, body, expected) in rows {
        assert_eq!(classify_whole(body), *expected, "{name}");
    }
}

/// Every member that is content, filled and empty.
#[test]
fn every_member_that_is_content() {
    let names = [
        "content",
        "reasoning_content",
        "reasoning",
        "reasoning_details",
        "refusal",
        "tool_calls",
        "function_call",
        "audio",
        "images",
    ];
    for name in names {
        for (value, expected) in [
            (json!("x"), Whole::Complete),
            (json!(" "), Whole::Complete),
            (json!([{}]), Whole::Complete),
            // Of sound, its id says nothing.
            (json!({ "a": null }), if name == "audio" { Whole::Empty } else { Whole::Complete }),
            (json!({ "data": "AA==" }), Whole::Complete),
            (json!(null), Whole::Empty),
            (json!(""), Whole::Empty),
            (json!([]), Whole::Empty),
            (json!({}), Whole::Empty),
        ] {
            let body = json!({ "choices": [{ "message": { name: value }, "finish_reason": "stop" }] });
            assert_eq!(classify_whole(&body.to_string()), expected, "{body}");
            assert_eq!(classify_whole(&format!("{body:#}")), expected, "{body:#}");
        }
    }
}

#[test]
fn recorded_answers() {
    let chats = recordings::all().into_iter().filter(|recording| recording.is_chat() && !recording.is_stream());
    for recording in chats {
        let expected = if recording.status < 400 { Whole::Complete } else { Whole::Error };
        assert_eq!(classify_whole(&recording.body), expected, "{}: {}", recording.name, recording.body);
    }
}
