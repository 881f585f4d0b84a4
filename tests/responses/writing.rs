//! Requests of other dialects, as a Responses provider is sent them.

use breakwater::chat::{
    Effort, Format, Kind, Message, Origin, Part, Reasoning, Request, Role, Seal, Source, Thinking, Tool, ToolCall, ToolResult,
};
use breakwater::dialect::Dialect;
use serde_json::{Value, json};

use super::write;

fn request() -> Request {
    Request { messages: vec![Message::new(Role::User, vec![Part::text("hi")])], ..Request::new(Dialect::Chat) }
}

fn thought(origin: Origin, data: &str) -> Part {
    let seal = Some(Seal::new(origin, data));
    Part::new(Kind::Reasoning(Reasoning { text: "hm".to_owned(), seal, ..Reasoning::default() }))
}

fn call(id: &str) -> Part {
    Part::new(Kind::ToolCall(ToolCall {
        id: id.to_owned(),
        name: "f".to_owned(),
        arguments: String::new(),
        custom: false,
        seal: None,
    }))
}

fn result(id: &str, is_error: bool) -> Message {
    let content = vec![Part::text("out")];
    let result = ToolResult { id: id.to_owned(), name: None, content, is_error, custom: false };
    Message::new(Role::Tool, vec![Part::new(Kind::ToolResult(result))])
}

#[test]
fn a_conversation_that_others_began_goes_on() {
    let long = "c".repeat(65);
    let messages = vec![
        Message::new(Role::System, vec![Part::text("be brief")]),
        Message::new(Role::User, vec![Part::text("hi")]),
        Message::new(
            Role::Assistant,
            vec![
                thought(Origin::Anthropic, "sig"),
                thought(Origin::Responses, "rs_1 gAAA"),
                Part::text("calling"),
                call("toolu_1"),
                call(&long),
            ],
        ),
        result("toolu_1", false),
        result(&long, true),
        Message::new(Role::System, vec![Part::text("later")]),
        Message::new(Role::Assistant, vec![thought(Origin::Responses, "rs_2 gBBB")]),
    ];
    let (body, ignored, refused) = write(&Request { messages, ..request() }, "gpt-5");
    assert_eq!((ignored, refused), (vec![], vec![]));
    let input = body["input"].as_array().unwrap();
    let short = input[4]["call_id"].as_str().unwrap().to_owned();
    assert!(short.len() <= 64 && short != long[..64]);
    assert_eq!(body["instructions"], "be brief");
    assert_eq!(
        body["input"],
        json!([
            {"type": "message", "role": "user", "content": "hi"},
            {"type": "reasoning", "summary": [], "id": "rs_1", "encrypted_content": "gAAA"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "calling", "annotations": []}]},
            {"type": "function_call", "call_id": "toolu_1", "name": "f", "arguments": "{}"},
            {"type": "function_call", "call_id": short, "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "toolu_1", "output": "out"},
            {"type": "function_call_output", "call_id": short, "output": "Error: out"},
            {"type": "message", "role": "system", "content": "later"},
        ])
    );
    assert_eq!((&body["store"], &body["include"]), (&json!(false), &json!(["reasoning.encrypted_content"])));
}

#[test]
fn each_parameter_is_said_ignored_or_refused() {
    let budget = |budget| Some(Thinking { budget: Some(budget), ..Thinking::default() });
    let effort = |effort| Some(Thinking { effort: Some(effort), ..Thinking::default() });
    let function = Tool::Function {
        name: "f".to_owned(),
        description: None,
        parameters: None,
        strict: None,
        cache: None,
        extra: breakwater::chat::Object::new(),
    };
    let image = |source| vec![Message::new(Role::User, vec![Part::new(Kind::Image { source, detail: None, seal: None })])];
    let messages = Dialect::Messages;
    // The request, the model, members of the body, what is ignored, what is refused.
    let table: Vec<(Request, &str, Value, &[&str], &[&str])> = vec![
        (
            request(),
            "gpt-4o",
            json!({"model": "gpt-4o", "store": false, "include": null, "reasoning": null, "stream": null}),
            &[],
            &[],
        ),
        (
            Request { stream: true, max_tokens: Some(5), ..request() },
            "gpt-4o",
            json!({"stream": true, "max_output_tokens": 16}),
            &[],
            &[],
        ),
        (Request { stop: vec!["x".to_owned()], ..request() }, "gpt-4o", json!({}), &[], &["stop"]),
        (
            Request { n: Some(2), logit_bias: Some(json!({"1": 2})), ..request() },
            "gpt-4o",
            json!({}),
            &[],
            &["n", "logit_bias"],
        ),
        (
            Request { n: Some(1), logit_bias: Some(json!({})), frequency_penalty: Some(json!(0)), ..request() },
            "gpt-4o",
            json!({}),
            &[],
            &[],
        ),
        (
            Request { seed: Some(json!(1)), top_k: Some(json!(2)), presence_penalty: Some(json!(1)), ..request() },
            "gpt-4o",
            json!({}),
            &["seed", "top_k", "presence_penalty"],
            &[],
        ),
        (
            Request { modalities: Some(vec!["text".to_owned(), "audio".to_owned()]), audio: Some(json!({})), ..request() },
            "gpt-4o",
            json!({}),
            &[],
            &["modalities"],
        ),
        (
            Request { logprobs: Some(true), top_logprobs: Some(2), ..request() },
            "gpt-4o",
            json!({"include": ["message.output_text.logprobs"], "top_logprobs": 2}),
            &[],
            &[],
        ),
        (Request { temperature: Some(json!(0.5)), ..request() }, "gpt-4o", json!({"temperature": 0.5}), &[], &[]),
        (
            Request { temperature: Some(json!(0.5)), ..request() },
            "gpt-5-mini",
            json!({"temperature": null}),
            &["temperature"],
            &[],
        ),
        (Request { temperature: Some(json!(1)), ..request() }, "o3", json!({"temperature": null}), &[], &[]),
        (Request { temperature: Some(json!(0.5)), ..request() }, "gpt-5.2", json!({"temperature": 0.5}), &[], &[]),
        (Request { thinking: effort(Effort::High), ..request() }, "gpt-5", json!({"reasoning": {"effort": "high"}}), &[], &[]),
        (
            Request { thinking: effort(Effort::High), ..request() },
            "gpt-4o",
            json!({"reasoning": null}),
            &["reasoning_effort"],
            &[],
        ),
        (
            Request { thinking: budget(20_000), dialect: messages, ..request() },
            "o3",
            json!({"reasoning": {"effort": "high", "summary": "auto"}}),
            &[],
            &[],
        ),
        (
            Request { thinking: budget(0), dialect: messages, ..request() },
            "gpt-5",
            json!({"reasoning": {"effort": "minimal"}}),
            &[],
            &[],
        ),
        (
            Request { thinking: budget(0), dialect: messages, ..request() },
            "gpt-5.2",
            json!({"reasoning": {"effort": "none"}}),
            &[],
            &[],
        ),
        (Request { thinking: budget(0), dialect: messages, ..request() }, "gpt-4o", json!({"reasoning": null}), &[], &[]),
        (
            Request { thinking: budget(5000), dialect: messages, ..request() },
            "grok",
            json!({"reasoning": {"effort": "medium", "summary": "auto"}, "include": ["reasoning.encrypted_content"]}),
            &[],
            &[],
        ),
        (
            Request { tools: vec![function.clone()], ..request() },
            "gpt-4o",
            json!({"tools": [{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": false}]}),
            &[],
            &[],
        ),
        (
            Request { tools: vec![Tool::Hosted(json!({"type": "web_search_20250305"}))], dialect: messages, ..request() },
            "gpt-4o",
            json!({"tools": null}),
            &[],
            &["tools"],
        ),
        (
            Request {
                format: Some(Format::JsonSchema { name: None, description: None, schema: json!({}), strict: Some(true) }),
                verbosity: Some("low".to_owned()),
                ..request()
            },
            "gpt-4o",
            json!({"text": {"format": {"type": "json_schema", "name": "response", "schema": {}, "strict": true}, "verbosity": "low"}}),
            &[],
            &[],
        ),
        (
            Request { messages: image(Source::FileId("file_1".to_owned())), dialect: messages, ..request() },
            "gpt-4o",
            json!({"input": [{"type": "message", "role": "user", "content": ""}]}),
            &[],
            &["messages[].content"],
        ),
        (
            Request { messages: image(Source::of_url("data:image/png;base64,AA==".to_owned())), ..request() },
            "gpt-4o",
            json!({"input": [{"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "auto"}]}]}),
            &[],
            &[],
        ),
    ];
    for (request, model, members, expected_ignored, expected_refused) in table {
        let (body, ignored, refused) = write(&request, model);
        for (name, value) in super::object(members) {
            assert_eq!(body.get(&name).cloned().unwrap_or_default(), value, "{name} in {body}");
        }
        assert_eq!(
            (ignored, refused),
            (
                expected_ignored.iter().map(ToString::to_string).collect::<Vec<_>>(),
                expected_refused.iter().map(ToString::to_string).collect::<Vec<_>>()
            ),
            "{body}"
        );
    }
}
