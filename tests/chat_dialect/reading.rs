//! What a client may say, and how mistakes are told.

use breakwater::chat::{Effort, Format, Kind, Origin, Role, Source, ToolChoice};
use breakwater::dialect::Dialect;
use serde_json::{Value, json};

use crate::{object, read};

fn with(members: Value) -> Value {
    let mut body = json!({ "model": "m", "messages": [{ "role": "user", "content": "Hi" }] });
    body.as_object_mut().unwrap().extend(object(&members));
    body
}

#[test]
fn every_mistake_names_its_place() {
    let table = [
        (json!({ "messages": "Hi" }), "messages"),
        (json!({ "messages": [1] }), "messages[0]"),
        (json!({ "messages": [{ "content": "Hi" }] }), "messages[0].role"),
        (json!({ "messages": [{ "role": "robot", "content": "Hi" }] }), "messages[0].role"),
        (json!({ "messages": [{ "role": "user" }] }), "messages[0].content"),
        (json!({ "messages": [{ "role": "user", "content": [{ "type": "text" }] }] }), "messages[0].content[0].text"),
        (json!({ "messages": [{ "role": "user", "content": [{ "text": "Hi" }] }] }), "messages[0].content[0].type"),
        (
            json!({ "messages": [{ "role": "user", "content": [{ "type": "image_url", "image_url": {} }] }] }),
            "messages[0].content[0].image_url.url",
        ),
        (json!({ "messages": [{ "role": "tool", "content": "x" }] }), "messages[0].tool_call_id"),
        (
            json!({ "messages": [{ "role": "assistant", "tool_calls": [{ "id": "a", "type": "function" }] }] }),
            "messages[0].tool_calls[0].function",
        ),
        (json!({ "tools": [{ "type": "function", "function": {} }] }), "tools[0].function.name"),
        (json!({ "tools": [{}] }), "tools[0].type"),
        (json!({ "tool_choice": "maybe" }), "tool_choice"),
        (
            json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "x" } } }),
            "response_format.json_schema.schema",
        ),
        (json!({ "stop": [1] }), "stop"),
        (json!({ "max_tokens": -1 }), "max_tokens"),
        (json!({ "reasoning": { "effort": "hard" } }), "reasoning.effort"),
    ];
    for (members, place) in table {
        let error = Dialect::Chat.read(object(&with(members.clone()))).expect_err(&members.to_string());
        assert!(format!("{error:?}").contains(&format!("\"{place}\"")), "{place}: {error:?}");
    }
}

#[test]
fn choices_of_tools_in_all_forms() {
    let table = [
        (json!("auto"), ToolChoice::Auto),
        (json!("none"), ToolChoice::None),
        (json!("required"), ToolChoice::Required),
        (json!("any"), ToolChoice::Required),
        (json!({ "type": "function", "function": { "name": "f" } }), ToolChoice::Named("f".to_owned())),
        (json!({ "type": "custom", "custom": { "name": "c" } }), ToolChoice::Named("c".to_owned())),
        (
            json!({ "type": "allowed_tools", "allowed_tools": { "mode": "required", "tools": [{ "type": "function", "function": { "name": "f" } }] } }),
            ToolChoice::Allowed { names: vec!["f".to_owned()], required: true },
        ),
    ];
    for (value, expected) in table {
        assert_eq!(read(&with(json!({ "tool_choice": value }))).tool_choice, Some(expected));
    }
    assert_eq!(read(&with(json!({ "function_call": { "name": "f" } }))).tool_choice, Some(ToolChoice::Named("f".to_owned())));
}

#[test]
fn ways_to_ask_for_thought() {
    let thinking = |members: Value| read(&with(members)).thinking.unwrap();
    assert_eq!(thinking(json!({ "reasoning_effort": "high" })).effort, Some(Effort::High));
    assert_eq!(thinking(json!({ "reasoning": { "max_tokens": 2000 } })).budget, Some(2000));
    assert_eq!(thinking(json!({ "reasoning": { "enabled": false } })).effort, Some(Effort::None));
    assert!(thinking(json!({ "reasoning": { "enabled": true } })).adaptive);
    assert_eq!(thinking(json!({ "reasoning": { "effort": "low", "exclude": true } })).shown, Some(false));
    assert_eq!(thinking(json!({ "thinking": { "type": "enabled", "budget_tokens": 4096 } })).budget, Some(4096));
    assert!(thinking(json!({ "thinking": { "type": "enabled" } })).adaptive);
    assert_eq!(thinking(json!({ "thinking": { "type": "disabled" } })).effort, Some(Effort::None));
    let unknown = read(&with(json!({ "reasoning_effort": "default" })));
    assert_eq!(
        (unknown.thinking, unknown.extra.get("reasoning_effort")),
        (None, Some(&json!("default"))),
        "Groq's stays Groq's"
    );
}

#[test]
fn limits_formats_and_what_is_left() {
    let request = read(&with(json!({
        "max_tokens": 5, "max_completion_tokens": 7, "stop": "x", "response_format": { "type": "json_object" },
        "web_search_options": {}, "stream": true, "stream_options": { "include_usage": true }, "safety_identifier": "u"
    })));
    assert_eq!((request.max_tokens, request.stop.as_slice(), request.stream), (Some(7), ["x".to_owned()].as_slice(), true));
    assert_eq!((request.format, request.user.as_deref()), (Some(Format::JsonObject), Some("u")));
    assert_eq!(request.extra.keys().collect::<Vec<_>>(), ["web_search_options"]);
}

#[test]
fn parts_of_all_kinds() {
    let content = json!([
        { "type": "text", "text": "a", "cache_control": { "type": "ephemeral" } },
        { "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA", "detail": "low" } },
        { "type": "input_audio", "input_audio": { "data": "AAAA", "format": "mp3" } },
        { "type": "file", "file": { "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA" } },
        { "type": "file", "file": { "file_id": "file-1" } },
        { "type": "video_url", "video_url": { "url": "https://example.com/a.mp4" } },
        { "type": "hologram", "depth": 3 }
    ]);
    let request = read(&json!({ "messages": [{ "role": "user", "content": content }] }));
    let parts = &request.messages[0].parts;
    let base64 = |media_type: &str| Source::Base64 { media_type: media_type.to_owned(), data: "AAAA".to_owned() };
    assert_eq!(parts[0].cache, Some(json!({ "type": "ephemeral" })));
    assert_eq!(parts[1].kind, Kind::Image { source: base64("image/png"), detail: Some("low".to_owned()), seal: None });
    assert_eq!(parts[2].kind, Kind::Audio(base64("audio/mpeg")));
    assert_eq!(parts[3].kind, Kind::File { source: base64("application/pdf"), name: Some("a.pdf".to_owned()) });
    assert_eq!(parts[4].kind, Kind::File { source: Source::FileId("file-1".to_owned()), name: None });
    assert!(matches!(&parts[5].kind, Kind::Video(Source::Url { .. })));
    assert_eq!(parts[6].kind, Kind::Opaque(json!({ "type": "hologram", "depth": 3 })));
}

#[test]
fn old_functions_are_tools() {
    let request = read(&json!({
        "functions": [{ "name": "f", "parameters": {} }],
        "messages": [
            { "role": "assistant", "content": null, "function_call": { "name": "f", "arguments": "{}" } },
            { "role": "function", "name": "f", "content": "1" }
        ]
    }));
    let Kind::ToolCall(call) = &request.messages[0].parts[0].kind else { panic!() };
    let Kind::ToolResult(result) = &request.messages[1].parts[0].kind else { panic!() };
    assert_eq!((call.id.as_str(), request.messages[1].role), (result.id.as_str(), Role::Tool));
}

#[test]
fn seals_come_back_from_ids_and_details() {
    let request = read(&json!({ "messages": [{
        "role": "assistant", "content": null, "reasoning_content": "thought",
        "reasoning_details": [
            { "type": "reasoning.text", "text": "thought", "signature": "sig", "format": "anthropic-claude-v1", "id": "bw1", "index": 0 },
            { "type": "reasoning.encrypted", "data": "secret", "format": "anthropic-claude-v1", "id": "bw1", "index": 1 },
            { "type": "reasoning.encrypted", "data": "enc", "format": "openai-responses-v1", "id": "bw1_rs_1", "index": 2 }
        ],
        "tool_calls": [{ "id": "call_1_bw1g_c2ln", "type": "function", "function": { "name": "f", "arguments": "{}" } }]
    }, { "role": "tool", "tool_call_id": "call_1_bw1g_c2ln", "content": "1" }] }));
    let reasoning: Vec<_> = request.messages[0]
        .parts
        .iter()
        .filter_map(|part| match &part.kind {
            Kind::Reasoning(reasoning) => {
                Some((reasoning.text.as_str(), reasoning.redacted, reasoning.seal.clone().map(|seal| (seal.origin, seal.data))))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        reasoning,
        [
            ("thought", false, Some((Origin::Anthropic, "sig".to_owned()))),
            ("", true, Some((Origin::Anthropic, "secret".to_owned()))),
            ("", false, Some((Origin::Responses, "rs_1 enc".to_owned()))),
        ]
    );
    let Kind::ToolCall(call) = &request.messages[0].parts[3].kind else { panic!() };
    assert_eq!(
        (call.id.as_str(), call.seal.as_ref().map(|seal| (seal.origin, seal.data.as_str()))),
        ("call_1", Some((Origin::Gemini, "sig")))
    );
    let Kind::ToolResult(result) = &request.messages[1].parts[0].kind else { panic!() };
    assert_eq!(result.id, "call_1");
}

#[test]
fn entries_without_our_mark_are_openrouters_whatever_their_format() {
    let entries =
        json!([{ "type": "reasoning.encrypted", "data": "x", "format": "openai-responses-v1", "id": "rs_1", "index": 0 }]);
    let request = read(&json!({ "messages": [{ "role": "assistant", "content": "a", "reasoning_details": entries }] }));
    let Kind::Reasoning(reasoning) = &request.messages[0].parts[0].kind else { panic!() };
    let seal = reasoning.seal.as_ref().unwrap();
    assert_eq!((seal.origin, serde_json::from_str::<Value>(&seal.data).unwrap()), (Origin::Chat, entries));
}
