//! A client's request.

use breakwater::chat::{Effort, Format, Kind, Origin, Role, Source, Thinking, Tool, ToolChoice};
use breakwater::dialect::Dialect;
use serde_json::{Value, json};

use crate::{object, read, written};

#[test]
fn everything_that_there_is() {
    let request = read(json!({
        "model": "m", "max_tokens": 9, "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Hm", "signature": "sig"},
                {"type": "redacted_thinking", "data": "dat"},
                {"type": "thinking", "thinking": "foreign", "signature": "bw1.r.rs_1 enc"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "call_1_bw1g_c2ln", "name": "look", "input": {"z": 1, "a": [2]}},
                {"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "call_1_bw1g_c2ln", "is_error": true, "content": [
                    {"type": "text", "text": "Seen"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}]},
                {"type": "document", "title": "T", "context": "C", "source": {"type": "text", "media_type": "text/plain", "data": "D"}},
                {"type": "text", "text": "Go on"}]}],
        "tools": [{"name": "look", "input_schema": {"type": "object"}, "strict": true}, {"type": "web_search_20250305", "name": "web_search"}],
        "tool_choice": {"type": "tool", "name": "look", "disable_parallel_tool_use": true},
        "thinking": {"type": "enabled", "budget_tokens": 2048}, "temperature": 0.5, "top_p": 0.9, "top_k": 5, "stop_sequences": ["x"], "stream": true,
        "metadata": {"user_id": "u"}, "service_tier": "standard_only", "mcp_servers": [], "output_config": {"effort": "max", "task_budget": 1},
    }));
    assert_eq!(request.dialect, Dialect::Messages);
    let roles: Vec<Role> = request.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::System, Role::User, Role::Assistant, Role::Tool, Role::User]);
    assert_eq!(request.messages[0].parts[0].cache, Some(json!({"type": "ephemeral"})));
    let said = &request.messages[2].parts;
    let seal = |at: usize| match &said[at].kind {
        Kind::Reasoning(reasoning) => reasoning.seal.as_ref().map(|seal| (seal.origin, seal.data.as_str())),
        Kind::ToolCall(call) => call.seal.as_ref().map(|seal| (seal.origin, seal.data.as_str())),
        other => panic!("{other:?}"),
    };
    assert_eq!(seal(0), Some((Origin::Anthropic, "sig")));
    assert_eq!(seal(1), Some((Origin::Anthropic, "dat")));
    assert_eq!(seal(2), Some((Origin::Responses, "rs_1 enc")));
    assert_eq!(seal(4), Some((Origin::Gemini, "sig")));
    assert!(matches!(&said[4].kind, Kind::ToolCall(call) if call.id == "call_1" && call.arguments == "{\"z\":1,\"a\":[2]}"));
    assert!(matches!(&said[5].kind, Kind::Opaque(block) if block["type"] == "server_tool_use"));
    let Kind::ToolResult(result) = &request.messages[3].parts[0].kind else { panic!() };
    assert_eq!((result.id.as_str(), result.is_error, result.content.len()), ("call_1", true, 2));
    let document = &request.messages[4].parts[0];
    assert_eq!(document.kind, Kind::File { source: Source::Text("D".to_owned()), name: Some("T".to_owned()) });
    assert_eq!(document.extra["context"], "C");
    assert!(matches!(&request.tools[0], Tool::Function { name, strict: Some(true), .. } if name == "look"));
    assert!(matches!(&request.tools[1], Tool::Hosted(tool) if tool["name"] == "web_search"));
    assert_eq!(request.tool_choice, Some(ToolChoice::Named("look".to_owned())));
    assert_eq!(request.parallel_tool_calls, Some(false));
    let thinking = Thinking { budget: Some(2048), effort: Some(Effort::Max), ..Thinking::default() };
    assert_eq!(request.thinking, Some(thinking));
    assert_eq!((request.max_tokens, request.stream, request.user.as_deref()), (Some(9), true, Some("u")));
    let left: Vec<&String> = request.extra.keys().collect();
    assert_eq!(left, ["service_tier", "mcp_servers", "output_config"]);
    assert_eq!(request.extra["output_config"], json!({"task_budget": 1}));
}

#[test]
fn formats_in_both_places() {
    let schema = json!({"type": "object"});
    let format = json!({"type": "json_schema", "schema": schema});
    let expected = Some(Format::JsonSchema { name: None, description: None, schema, strict: None });
    let with = |name: &str, value: Value| {
        let mut body = object(json!({"messages": []}));
        body.insert(name.to_owned(), value);
        read(body.into()).format
    };
    assert_eq!(with("output_config", json!({"format": format})), expected);
    assert_eq!(with("output_format", format), expected);
}

#[test]
fn thinking_as_it_is_said() {
    let rows = [
        (json!({"thinking": {"type": "disabled"}}), Some(Thinking { budget: Some(0), ..Thinking::default() })),
        (json!({"thinking": {"type": "adaptive"}}), Some(Thinking { adaptive: true, ..Thinking::default() })),
        (
            json!({"thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "low"}}),
            Some(Thinking { adaptive: true, shown: Some(false), effort: Some(Effort::Low), ..Thinking::default() }),
        ),
        (json!({"output_config": {"effort": "high"}}), Some(Thinking { effort: Some(Effort::High), ..Thinking::default() })),
        (json!({"thinking": {"type": "between_tools"}}), None),
        (json!({"output_config": {"effort": "of_a_later_version"}}), None),
    ];
    for (members, expected) in rows {
        let mut body =
            object(json!({"max_tokens": 9, "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]}));
        body.extend(object(members));
        let request = read(body.clone().into());
        assert_eq!(request.thinking, expected, "{body:?}");
        body.insert("model".to_owned(), "m".into());
        assert_eq!(written(&request, "m"), (body.into(), Vec::new()));
    }
}

/// Every mistake names its place.
#[test]
fn mistakes() {
    let message = |message: Value| json!({"messages": [{"role": "user", "content": "a"}, message]});
    let rows = [
        (json!({}), "messages"),
        (json!({"messages": {}}), "messages"),
        (json!({"messages": ["x"]}), "messages[0]"),
        (message(json!({"role": "tool", "content": "x"})), "messages[1].role"),
        (message(json!({"role": "user"})), "messages[1].content"),
        (message(json!({"role": "user", "content": 1})), "messages[1].content"),
        (message(json!({"role": "user", "content": [{"text": "x"}]})), "messages[1].content[0].type"),
        (message(json!({"role": "user", "content": [{"type": "text"}]})), "messages[1].content[0].text"),
        (message(json!({"role": "user", "content": [{"type": "image"}]})), "messages[1].content[0].source"),
        (message(json!({"role": "user", "content": [{"type": "tool_result"}]})), "messages[1].content[0].tool_use_id"),
        (
            message(
                json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": 1}]}]}),
            ),
            "messages[1].content[0].content[0].text",
        ),
        (json!({"messages": [], "system": 1}), "system"),
        (json!({"messages": [], "max_tokens": "9"}), "max_tokens"),
        (json!({"messages": [], "tools": [{}]}), "tools[0].name"),
        (json!({"messages": [], "tool_choice": {"type": "required"}}), "tool_choice.type"),
        (json!({"messages": [], "tool_choice": {"type": "tool"}}), "tool_choice.name"),
        (json!({"messages": [], "thinking": {"type": "enabled"}}), "thinking.budget_tokens"),
        (json!({"messages": [], "metadata": {"user_id": 1}}), "metadata.user_id"),
    ];
    for (body, at) in rows {
        let error = Dialect::Messages.read(object(body.clone())).unwrap_err();
        assert!(format!("{error:?}").contains(&format!("'{at}'")), "{body}: {error:?}");
    }
}
