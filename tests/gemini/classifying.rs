//! What is an answer, an error, nothing, or garbage; tokens counted.

use breakwater::dialect::{Event, Whole, gemini};
use serde_json::json;

#[test]
fn a_whole_body_is_what_it_is() {
    let beside = r#""usageMetadata":{"promptTokenCount":1},"modelVersion":"m","responseId":"r""#;
    let candidate = |candidate: &str| format!("{{\"candidates\":[{candidate}],{beside}}}");
    for (name, body, expected) in [
        ("text", candidate(r#"{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"}"#), Whole::Complete),
        (
            "a thought alone",
            candidate(r#"{"content":{"parts":[{"text":"x","thought":true}]},"finishReason":"STOP"}"#),
            Whole::Complete,
        ),
        (
            "a call",
            candidate(r#"{"content":{"parts":[{"functionCall":{"name":"f"}}]},"finishReason":"STOP"}"#),
            Whole::Complete,
        ),
        (
            "an image",
            candidate(r#"{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"x"}}]}}"#),
            Whole::Complete,
        ),
        ("no parts", candidate(r#"{"content":{"role":"model"},"finishReason":"STOP"}"#), Whole::Empty),
        (
            "a signature alone",
            candidate(r#"{"content":{"parts":[{"text":"","thoughtSignature":"s"}]},"finishReason":"STOP"}"#),
            Whole::Empty,
        ),
        ("cut off", candidate(r#"{"content":{"role":"model"},"finishReason":"MAX_TOKENS"}"#), Whole::Complete),
        ("filtered", candidate(r#"{"finishReason":"SAFETY"}"#), Whole::Complete),
        ("an unknown end", candidate(r#"{"finishReason":"OTHER"}"#), Whole::Empty),
        (
            "a malformed call",
            candidate(r#"{"content":{"parts":[{"text":"x"}]},"finishReason":"MALFORMED_FUNCTION_CALL"}"#),
            Whole::Error,
        ),
        ("a blocked prompt", format!(r#"{{"promptFeedback":{{"blockReason":"PROHIBITED_CONTENT"}},{beside}}}"#), Whole::Error),
        (
            "feedback that blocks nothing",
            format!(
                r#"{{"promptFeedback":{{"safetyRatings":[]}},"candidates":[{{"content":{{"parts":[{{"text":"x"}}]}}}}],{beside}}}"#
            ),
            Whole::Complete,
        ),
        ("no candidates", format!("{{{beside}}}"), Whole::Empty),
        ("an error", r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}"#.into(), Whole::Error),
        ("a list with an error", r#"[{"error":{"code":400}}]"#.into(), Whole::Error),
        ("a list with an answer", format!("[{}]", candidate(r#"{"content":{"parts":[{"text":"x"}]}}"#)), Whole::Garbage),
        ("nothing", " \n".into(), Whole::Empty),
        ("an empty object", "{}".into(), Whole::Garbage),
        (
            "a chat completion",
            r#"{"object":"chat.completion","choices":[{"message":{"content":"x"}}],"usage":{}}"#.into(),
            Whole::Garbage,
        ),
        ("a message", r#"{"type":"message","content":[{"type":"text","text":"x"}]}"#.into(), Whole::Garbage),
        ("models", r#"{"models":[{"name":"models/gemini-2.5-flash"}]}"#.into(), Whole::Garbage),
        ("candidates of another kind", r#"{"candidates":"x"}"#.into(), Whole::Garbage),
        ("a page", "<html>".into(), Whole::Garbage),
        ("half of one", r#"{"candidates":[{"content":{"parts":[{"text":"x"}"#.into(), Whole::Garbage),
    ] {
        assert_eq!(gemini::classify_whole(&body), expected, "{name}: {body}");
        let decodes = serde_json::from_str(&body).ok().and_then(gemini::decode).is_some();
        assert!(decodes || expected != Whole::Complete, "{name}: what is complete can be decoded");
        assert!(
            !decodes || matches!(expected, Whole::Complete | Whole::Empty),
            "{name}: what cannot be an answer is not decoded"
        );
    }
}

#[test]
fn an_event_is_what_it_is() {
    let none = Event::default();
    for (data, expected) in [
        ("", none),
        (
            r#"{"candidates":[{"content":{"parts":[{"text":"abc"}]}}]}"#,
            Event { content: true, answer: true, bytes: 3, choices: 1, ..none },
        ),
        (
            r#"{"candidates":[{"content":{"parts":[{"text":"abc","thought":true}]}}]}"#,
            Event { content: true, bytes: 3, choices: 1, ..none },
        ),
        (r#"{"candidates":[{"content":{"role":"model"}}]}"#, Event { choices: 1, ..none }),
        (
            r#"{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"s"}]},"finishReason":"STOP","index":2}]}"#,
            Event { finish: true, choices: 4, finished: 4, ..none },
        ),
        (
            r#"{"candidates":[{"finishReason":"MAX_TOKENS"},{"content":{"parts":[{"text":"a"}]}}]}"#,
            Event {
                finish: true,
                explains_silence: true,
                choices: 3,
                finished: 1,
                content: true,
                answer: true,
                bytes: 1,
                ..none
            },
        ),
        (
            r#"{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL"}]}"#,
            Event { error: true, finish: true, choices: 1, finished: 1, ..none },
        ),
        (r#"{"usageMetadata":{"promptTokenCount":1}}"#, Event { usage_only: true, ..none }),
        (r#"{"promptFeedback":{"blockReason":"OTHER"}}"#, Event { error: true, ..none }),
        (r#"{"error":{"code":503}}"#, Event { error: true, ..none }),
        (r#"[{"error":{"code":503}}]"#, Event { error: true, ..none }),
        ("[DONE]", Event { garbage: true, ..none }),
        ("{}", Event { garbage: true, ..none }),
        (r#"{"choices":[{"delta":{"content":"x"}}]}"#, Event { garbage: true, ..none }),
        (r#"{"candidates":[{"content":"x"}]}"#, Event { garbage: true, ..none }),
    ] {
        assert_eq!(gemini::classify_event(data.as_bytes()), expected, "{data}");
        // Content is not looked at, and what has candidates that are none is the decoder's to refuse.
        let is_content = data.contains("candidates") && !data.contains("finishReason");
        assert!(data.is_empty() || gemini::needs_a_look(data.as_bytes()) != is_content, "{data}");
    }
    assert_eq!(gemini::Decoder::default().event(r#"{"candidates":[{"content":"x"}]}"#, &mut Vec::new()), None);
    assert!(gemini::classify_event(b"\xff").garbage);
}

#[test]
fn tokens_are_counted_of_the_whole_request() {
    let written = json!({ "contents": [], "tools": [] });
    for name in ["gemini-2.5-flash", "models/gemini-2.5-flash"] {
        assert_eq!(
            gemini::count_request(written.clone(), name),
            json!({ "generateContentRequest": { "model": "models/gemini-2.5-flash", "contents": [], "tools": [] } })
        );
    }
    assert_eq!(gemini::counted(r#"{"totalTokens": 31, "promptTokensDetails": []}"#), Some(31));
    for other in ["{}", "[31]", r#"{"error":{"code":400}}"#, r#"{"totalTokens":"x"}"#] {
        assert_eq!(gemini::counted(other), None, "{other}");
    }
}
