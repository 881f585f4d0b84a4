//! Items as messages.

use breakwater::chat::{Effort, Format, Kind, Origin, Role, Seal, Source, Tool, ToolChoice};
use serde_json::json;

use super::read;
use breakwater::dialect::responses;

#[test]
fn the_items_of_one_turn_are_one_message_and_results_stand_between_turns() {
    let request = read(json!({"model": "m", "instructions": "be brief", "input": [
        {"role": "user", "content": "hi"},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "gAAA"},
        {"type": "message", "role": "assistant", "id": "msg_1", "content": [{"type": "output_text", "text": "calling", "annotations": [{"type": "x"}]}]},
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "call_2", "name": "g", "input": "raw"},
        {"type": "function_call_output", "call_id": "call_1", "output": "1"},
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "2"}]},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"role": "developer", "content": [{"type": "input_text", "text": "now"}]},
    ]}));
    let roles: Vec<Role> = request.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::System, Role::User, Role::Assistant, Role::Tool, Role::Tool, Role::Assistant, Role::Developer]);
    let turn = &request.messages[2].parts;
    assert_eq!(turn.len(), 4);
    let Kind::Reasoning(reasoning) = &turn[0].kind else { panic!() };
    assert_eq!(
        (reasoning.summary.as_slice(), &reasoning.seal),
        (&["hm".to_owned()][..], &Some(Seal::new(Origin::Responses, "rs_1 gAAA")))
    );
    assert!(matches!(&turn[1].kind, Kind::Text { text, notes, .. } if text == "calling" && notes.len() == 1));
    assert!(matches!(&turn[2].kind, Kind::ToolCall(call) if call.id == "call_1" && !call.custom && call.arguments == "{}"));
    assert!(matches!(&turn[3].kind, Kind::ToolCall(call) if call.custom && call.arguments == "raw"));
    assert!(matches!(&request.messages[4].parts[0].kind, Kind::ToolResult(result) if result.custom && result.id == "call_2"));
    assert!(request.extra.is_empty(), "{:?}", request.extra);
}

#[test]
fn what_was_carried_for_another_provider_comes_back_as_its_seal() {
    let seal = Seal::new(Origin::Gemini, "sig==");
    let id = breakwater::chat::seal_into_id("call_1", Some(&seal));
    let request = read(json!({"input": [
        {"type": "reasoning", "id": "rs_bw10000000000000007_0", "summary": [], "encrypted_content": "bw1.a.EqQB"},
        {"type": "function_call", "id": "fc_bw10000000000000007_1", "call_id": id, "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": id, "output": ""},
    ]}));
    let turn = &request.messages[0].parts;
    assert!(matches!(&turn[0].kind, Kind::Reasoning(thought) if thought.seal == Some(Seal::new(Origin::Anthropic, "EqQB"))));
    assert!(matches!(&turn[1].kind, Kind::ToolCall(call) if call.id == "call_1" && call.seal.as_ref() == Some(&seal)));
    assert!(turn.iter().all(|part| part.extra.is_empty()), "an id of ours is nobody's business: {turn:?}");
    assert!(matches!(&request.messages[1].parts[0].kind, Kind::ToolResult(result) if result.id == "call_1"));
}

#[test]
fn parameters_have_their_places() {
    let request = read(json!({
        "model": "m", "input": [{"role": "user", "content": [
            {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"},
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,BB=="},
            {"type": "input_file", "file_url": "https://a/b.pdf"},
            {"type": "input_audio", "input_audio": {"data": "CC==", "format": "mp3"}},
            {"type": "input_hologram", "x": 1},
        ]}],
        "text": {"format": {"type": "json_schema", "name": "n", "schema": {"b": 1, "a": 2}, "strict": true}, "verbosity": "low"},
        "reasoning": {"effort": "xhigh", "summary": "auto"},
        "tools": [
            {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": true},
            {"type": "custom", "name": "g"},
            {"type": "web_search", "filters": {}},
        ],
        "tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]},
        "include": ["reasoning.encrypted_content", "message.output_text.logprobs", "file_search_call.results"],
        "top_logprobs": 3, "max_output_tokens": 9, "safety_identifier": "u", "store": true, "background": false, "stream": true,
        "previous_response_id": "resp_1", "truncation": "auto", "service_tier": "flex", "prompt_cache_key": "k", "metadata": {"a": "b"},
    }));
    let parts = &request.messages[0].parts;
    assert!(
        matches!(&parts[0].kind, Kind::Image { source: Source::Base64 { media_type, .. }, detail: Some(detail), .. } if media_type == "image/png" && detail == "low")
    );
    assert!(matches!(&parts[1].kind, Kind::File { source: Source::Base64 { .. }, name: Some(name) } if name == "a.pdf"));
    assert!(matches!(&parts[2].kind, Kind::File { source: Source::Url { .. }, .. }));
    assert!(matches!(&parts[3].kind, Kind::Audio(Source::Base64 { media_type, .. }) if media_type == "audio/mpeg"));
    assert!(matches!(&parts[4].kind, Kind::Opaque(_)));
    assert!(
        matches!(&request.format, Some(Format::JsonSchema { schema, strict: Some(true), .. }) if schema.as_object().unwrap().keys().eq(["b", "a"]))
    );
    assert_eq!(request.thinking.as_ref().unwrap().effort, Some(Effort::Xhigh));
    assert!(matches!(&request.tools[..], [Tool::Function { .. }, Tool::Custom { .. }, Tool::Hosted(_)]));
    assert_eq!(request.tool_choice, Some(ToolChoice::Allowed { names: vec!["f".to_owned()], required: true }));
    assert_eq!((request.logprobs, request.top_logprobs, request.max_tokens), (Some(true), Some(3), Some(9)));
    assert_eq!((request.user.as_deref(), request.store, request.stream), (Some("u"), Some(true), true));
    let left: Vec<&String> = request.extra.keys().collect();
    assert_eq!(left, ["previous_response_id", "truncation", "include"]);
    assert_eq!(request.extra["include"], json!(["file_search_call.results"]));
}

#[test]
fn a_mistake_is_told_with_its_place() {
    let item = |item| json!({"input": [{"role": "user", "content": "x"}, item]});
    for (body, place) in [
        (json!({"model": "m"}), "input"),
        (json!({"input": 1}), "input"),
        (json!({"input": [1]}), "input[0]"),
        (item(json!({"type": "item_reference", "id": "msg_1"})), "input[1]"),
        (item(json!({"id": "msg_1"})), "input[1]"),
        (item(json!({"role": "robot", "content": "x"})), "input[1].role"),
        (item(json!({"role": "user"})), "input[1].content"),
        (item(json!({"role": "user", "content": [{"type": "input_text"}]})), "input[1].content[0].text"),
        (item(json!({"role": "user", "content": [{"type": "input_image"}]})), "input[1].content[0].image_url"),
        (item(json!({"type": "function_call", "name": "f", "arguments": ""})), "input[1].call_id"),
        (item(json!({"type": "function_call_output", "call_id": "c"})), "input[1].output"),
        (json!({"input": "x", "tools": [{"name": "f"}]}), "tools[0].type"),
        (json!({"input": "x", "tool_choice": "any"}), "tool_choice"),
        (json!({"input": "x", "reasoning": {"effort": "loads"}}), "reasoning.effort"),
        (json!({"input": "x", "text": {"format": {"type": "json_schema", "name": "n"}}}), "text.format.schema"),
    ] {
        let error = responses::read(super::object(body.clone())).err().unwrap_or_else(|| panic!("read: {body}"));
        let said = format!("{error:?}");
        assert!(said.contains(&format!("'{place}'")), "{body}: {said}");
    }
}
