//! The canonical request as Anthropic is asked.

use breakwater::chat::{
    Effort, Format, Kind, Message, Origin, Part, Reasoning, Request, Role, Seal, Source, Thinking, Tool, ToolCall, ToolChoice,
    ToolResult,
};
use breakwater::dialect::Dialect;
use serde_json::{Value, json};

use crate::rules::broken;
use crate::{object, read, written};

const MODEL: &str = "claude-sonnet-4-5";

pub(crate) fn say(role: Role, text: &str) -> Message {
    Message::new(role, vec![Part::text(text)])
}

pub(crate) fn call(id: &str, arguments: &str) -> Part {
    let (name, arguments) = ("look".to_owned(), arguments.to_owned());
    Part::new(Kind::ToolCall(ToolCall { id: id.to_owned(), name, arguments, custom: false, seal: None }))
}

pub(crate) fn result(id: &str, text: &str) -> Part {
    let content = vec![Part::text(text)];
    Part::new(Kind::ToolResult(ToolResult { id: id.to_owned(), name: None, content, is_error: false, custom: false }))
}

/// A request of Chat Completions'.
pub(crate) fn chat(messages: Vec<Message>) -> Request {
    Request { messages, ..Request::new(Dialect::Chat) }
}

pub(crate) fn hi() -> Request {
    chat(vec![say(Role::User, "Hi")])
}

fn function(parameters: Option<Value>) -> Tool {
    let parameters = parameters.or(Some(json!({"type": "object", "properties": {}})));
    Tool::Function {
        name: "look".to_owned(),
        description: None,
        parameters,
        strict: None,
        cache: None,
        extra: object(json!({})),
    }
}

/// What is written of a conversation, each message as its role and its blocks in short.
fn turns(messages: Vec<Message>, model: &str) -> Vec<String> {
    let (body, _) = written(&chat(messages), model);
    assert_eq!(broken(&body, model), Vec::<String>::new(), "{body}");
    let block = |block: &Value| match block["type"].as_str().unwrap() {
        "text" => block["text"].as_str().unwrap().to_owned(),
        "tool_use" => format!("call {} {}", block["id"].as_str().unwrap(), block["input"]),
        "tool_result" => format!(
            "{} {}={}",
            if block["is_error"] == true { "error" } else { "result" },
            block["tool_use_id"].as_str().unwrap(),
            block["content"].as_str().or(block["content"][0]["text"].as_str()).unwrap_or("")
        ),
        other => other.to_owned(),
    };
    let turn = |turn: &Value| {
        let blocks: Vec<String> = turn["content"].as_array().unwrap().iter().map(block).collect();
        format!("{}: {}", turn["role"].as_str().unwrap(), blocks.join(" | "))
    };
    body["messages"].as_array().unwrap().iter().map(turn).collect()
}

#[test]
fn conversations() {
    let assistant = |parts: Vec<Part>| Message::new(Role::Assistant, parts);
    let tool = |parts: Vec<Part>| Message::new(Role::Tool, parts);
    let user = |text: &str| say(Role::User, text);
    let rows: Vec<(&str, Vec<Message>, Vec<&str>)> = vec![
        ("two of the user's stay two", vec![user("a"), user("b")], vec!["user: a", "user: b"]),
        (
            "results of messages of their own are one message with what the user says then",
            vec![
                user("a"),
                assistant(vec![Part::text("I look"), call("1", "{\"x\":1}"), call("2", "{}")]),
                tool(vec![result("2", "two")]),
                tool(vec![result("1", "one")]),
                user("b"),
                user("c"),
            ],
            vec![
                "user: a",
                "assistant: I look | call 1 {\"x\":1} | call 2 {}",
                "user: result 2=two | result 1=one | b",
                "user: c",
            ],
        ),
        (
            "words between a call and its result stand behind it",
            vec![user("a"), assistant(vec![call("1", "{}")]), say(Role::Developer, "quick"), tool(vec![result("1", "one")])],
            vec!["user: a", "assistant: call 1 {}", "user: result 1=one | <system>\nquick\n</system>"],
        ),
        (
            "a call without a result, in the middle and at the end",
            vec![user("a"), assistant(vec![call("1", "{}")]), user("b"), assistant(vec![call("2", "{}")])],
            vec![
                "user: a",
                "assistant: call 1 {}",
                "user: error 1=No result was given. | b",
                "assistant: call 2 {}",
                "user: error 2=No result was given.",
            ],
        ),
        (
            "a result without a call, and a second one",
            vec![
                user("a"),
                tool(vec![result("9", "x")]),
                assistant(vec![call("1", "{}")]),
                tool(vec![result("1", "y"), result("1", "z")]),
            ],
            vec![
                "user: a",
                "user: Result of the tool call '9': | x",
                "assistant: call 1 {}",
                "user: result 1=y | Result of the tool call '1': | z",
            ],
        ),
        (
            "two messages of the assistant's with calls, and the results of both behind",
            vec![
                user("a"),
                assistant(vec![call("1", "{}")]),
                assistant(vec![call("2", "{}")]),
                tool(vec![result("1", "x"), result("2", "y")]),
            ],
            vec!["user: a", "assistant: call 1 {} | call 2 {}", "user: result 1=x | result 2=y"],
        ),
        (
            "ids that are not legal, or used twice",
            vec![
                user("a"),
                assistant(vec![call("functions.look:0", "{}"), call("functions/look:0", "{}")]),
                tool(vec![result("functions/look:0", "slash"), result("functions.look:0", "dot")]),
                assistant(vec![call("functions.look:0", "{}"), call("", "{}")]),
                tool(vec![result("functions.look:0", "again"), result("", "none")]),
            ],
            vec![
                "user: a",
                "assistant: call functions_look_0 {} | call functions_look_0_2 {}",
                "user: result functions_look_0_2=slash | result functions_look_0=dot",
                "assistant: call functions_look_0_3 {} | call call {}",
                "user: result functions_look_0_3=again | result call=none",
            ],
        ),
        (
            "arguments that are no object",
            vec![user("a"), assistant(vec![call("1", ""), call("2", "[1]"), call("3", "{\"a\":")])],
            vec![
                "user: a",
                "assistant: call 1 {} | call 2 {\"input\":\"[1]\"} | call 3 {\"input\":\"{\\\"a\\\":\"}",
                "user: error 1=No result was given. | error 2=No result was given. | error 3=No result was given.",
            ],
        ),
        (
            "nothing said is nothing",
            vec![
                user("a"),
                assistant(vec![Part::text(" \n")]),
                user(""),
                assistant(vec![Part::text("b"), Part::text("")]),
                user("c"),
            ],
            vec!["user: a", "assistant: b", "user: c"],
        ),
        ("the assistant begins, and ends", vec![assistant(vec![Part::text("b \n")])], vec!["user: Continue.", "assistant: b"]),
        ("there is nobody", vec![], vec!["user: Continue."]),
        (
            "a refusal is text, and what nobody signed is not sent",
            vec![
                user("a"),
                assistant(vec![
                    Part::new(Kind::Reasoning(Reasoning { text: "hm".to_owned(), ..Reasoning::default() })),
                    Part::new(Kind::Reasoning(Reasoning {
                        seal: Some(Seal::new(Origin::Gemini, "g")),
                        redacted: true,
                        ..Reasoning::default()
                    })),
                    Part::new(Kind::Refusal("No.".to_owned())),
                ]),
                user("b"),
            ],
            vec!["user: a", "assistant: No.", "user: b"],
        ),
        (
            "what Anthropic signed is, but not at the end",
            vec![
                user("a"),
                assistant(vec![
                    Part::new(Kind::Reasoning(Reasoning {
                        text: "hm".to_owned(),
                        seal: Some(Seal::new(Origin::Anthropic, "s")),
                        ..Reasoning::default()
                    })),
                    Part::text("b"),
                    Part::new(Kind::Reasoning(Reasoning {
                        seal: Some(Seal::new(Origin::Anthropic, "d")),
                        redacted: true,
                        ..Reasoning::default()
                    })),
                ]),
                user("c"),
            ],
            vec!["user: a", "assistant: thinking | b", "user: c"],
        ),
    ];
    for (what, messages, expected) in rows {
        assert_eq!(turns(messages, MODEL), expected, "{what}");
    }
    let ends = vec![user("a"), assistant(vec![Part::text("b")])];
    assert_eq!(turns(ends, "claude-opus-4-6"), ["user: a", "assistant: b", "user: Continue."], "no prefill from 4.6 on");
}

/// Ids are the same in every request of a conversation, so that the prompt cache holds.
#[test]
fn ids_do_not_change_as_a_conversation_grows() {
    let mut messages = vec![say(Role::User, "a")];
    let mut before: Vec<String> = Vec::new();
    for _ in 0..3 {
        messages.push(Message::new(Role::Assistant, vec![call("a:1", "{}")]));
        messages.push(Message::new(Role::Tool, vec![result("a:1", "x")]));
        let now = turns(messages.clone(), MODEL);
        assert!(now.starts_with(&before), "{now:?}");
        before = now;
    }
}

#[test]
fn instructions_that_lead_are_the_system_prompt() {
    let mut cached = Part::text("Be kind.");
    cached.cache = Some(json!({"type": "ephemeral"}));
    let messages = vec![
        say(Role::System, "Be brief."),
        Message::new(Role::Developer, vec![cached]),
        say(Role::User, "Hi"),
        say(Role::System, "Now."),
    ];
    let (body, lost) = written(&chat(messages), MODEL);
    assert_eq!(
        body["system"],
        json!([{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}])
    );
    assert_eq!(body["messages"][1]["content"][0]["text"], "<system>\nNow.\n</system>");
    assert_eq!(lost, Vec::<String>::new());
}

#[test]
fn content() {
    let base64 = |media_type: &str, data: &str| Source::Base64 { media_type: media_type.to_owned(), data: data.to_owned() };
    let url = || Source::Url { url: "https://x/y".to_owned(), media_type: None };
    let file = |source: Source, name: Option<&str>| Kind::File { source, name: name.map(str::to_owned) };
    let image = |source: Source| Kind::Image { source, detail: None, seal: None };
    let rows: Vec<(Kind, Option<Value>)> = vec![
        (image(url()), Some(json!({"type": "image", "source": {"type": "url", "url": "https://x/y"}}))),
        (
            image(base64("image/png", "AA==")),
            Some(json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}})),
        ),
        (image(base64("image/bmp", "AA==")), None),
        (image(Source::FileId("file-1".to_owned())), None),
        (
            file(base64("application/pdf", "AA=="), Some("a.pdf")),
            Some(
                json!({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AA=="}, "title": "a.pdf"}),
            ),
        ),
        (
            file(base64("application/octet-stream", "AA=="), Some("A.PDF")),
            Some(
                json!({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AA=="}, "title": "A.PDF"}),
            ),
        ),
        (
            file(base64("text/csv", "YSxi"), None),
            Some(json!({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a,b"}})),
        ),
        (
            file(Source::Text("a".to_owned()), None),
            Some(json!({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a"}})),
        ),
        (
            file(base64("image/webp", "AA=="), None),
            Some(json!({"type": "image", "source": {"type": "base64", "media_type": "image/webp", "data": "AA=="}})),
        ),
        (file(url(), None), Some(json!({"type": "document", "source": {"type": "url", "url": "https://x/y"}}))),
        (file(base64("application/zip", "/w=="), None), None),
        (file(Source::FileId("file-1".to_owned()), None), None),
        (Kind::Audio(base64("audio/wav", "AA==")), None),
        (Kind::Video(url()), None),
        (Kind::Opaque(json!({"type": "input_secret"})), None),
    ];
    for (kind, expected) in rows {
        let told = format!("{kind:?}");
        let message = Message::new(Role::User, vec![Part::text("Hi"), Part::new(kind)]);
        let (body, lost) = written(&chat(vec![message]), MODEL);
        let content = body["messages"][0]["content"].as_array().unwrap();
        assert_eq!(content.get(1), expected.as_ref(), "{told}");
        let refused: &[&str] = if expected.is_some() { &[] } else { &["!messages[].content"] };
        assert_eq!(lost, refused, "{told}");
        assert_eq!(broken(&body, MODEL), Vec::<String>::new());
    }
}

#[test]
fn results_of_tools_hold_images_and_errors() {
    let image = Kind::Image { source: Source::of_url("data:image/png;base64,AA==".to_owned()), detail: None, seal: None };
    let content = vec![Part::text(""), Part::text("Seen"), Part::new(image)];
    let given = Kind::ToolResult(ToolResult { id: "1".to_owned(), name: None, content, is_error: true, custom: false });
    let messages = vec![
        say(Role::User, "a"),
        Message::new(Role::Assistant, vec![call("1", "{}")]),
        Message::new(Role::Tool, vec![Part::new(given)]),
    ];
    let (body, _) = written(&chat(messages), MODEL);
    let image = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}});
    let expected = json!([{"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "Seen"}, image], "is_error": true}]);
    assert_eq!(body["messages"][2]["content"], expected);
}

/// Each member, what is written of it, and what is lost.
#[test]
fn members() {
    let tools = || vec![function(None)];
    let schema =
        || json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false});
    let open = || json!({"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}});
    let format =
        |schema: Value| Some(Format::JsonSchema { name: Some("n".to_owned()), description: None, schema, strict: Some(true) });
    let strict = |parameters: Value| match function(Some(parameters)) {
        Tool::Function { name, description, parameters, cache, extra, .. } => {
            vec![Tool::Function { name, description, parameters, strict: Some(true), cache, extra }]
        }
        other => vec![other],
    };
    let rows: Vec<(&str, Request, Value, &[&str])> = vec![
        (MODEL, Request { max_tokens: Some(9), ..hi() }, json!({"max_tokens": 9}), &[]),
        (MODEL, hi(), json!({"max_tokens": 32000}), &[]),
        ("claude-3-opus-20240229", hi(), json!({"max_tokens": 4096}), &[]),
        ("claude-3-5-sonnet-20241022", hi(), json!({"max_tokens": 8192}), &[]),
        (MODEL, Request { temperature: Some(json!(0.3)), ..hi() }, json!({"temperature": 0.3}), &[]),
        (MODEL, Request { temperature: Some(json!(1.7)), ..hi() }, json!({"temperature": 1}), &["temperature"]),
        (
            "claude-opus-4-7",
            Request { temperature: Some(json!(0.3)), top_p: Some(json!(0.5)), top_k: Some(json!(3)), ..hi() },
            json!({"temperature": null, "top_p": null, "top_k": null}),
            &["temperature", "top_p", "top_k"],
        ),
        (
            "claude-opus-4-7",
            Request { temperature: Some(json!(1)), top_p: Some(json!(1.0)), ..hi() },
            json!({"temperature": null, "top_p": null}),
            &[],
        ),
        (
            MODEL,
            Request { temperature: Some(json!(0.3)), top_p: Some(json!(0.5)), ..hi() },
            json!({"temperature": 0.3, "top_p": null}),
            &["top_p"],
        ),
        (
            MODEL,
            Request { temperature: Some(json!(0.3)), top_p: Some(json!(1)), ..hi() },
            json!({"temperature": 0.3, "top_p": null}),
            &[],
        ),
        (
            "claude-3-opus-20240229",
            Request { temperature: Some(json!(0.3)), top_p: Some(json!(0.5)), ..hi() },
            json!({"temperature": 0.3, "top_p": 0.5}),
            &[],
        ),
        (MODEL, Request { top_p: Some(json!(0.5)), ..hi() }, json!({"top_p": 0.5}), &[]),
        (MODEL, Request { stop: vec!["x".to_owned(), "\n".to_owned()], ..hi() }, json!({"stop_sequences": ["x"]}), &["stop"]),
        (MODEL, Request { stop: vec!["\n".to_owned()], ..hi() }, json!({"stop_sequences": null}), &["stop"]),
        (MODEL, Request { user: Some("u".to_owned()), ..hi() }, json!({"metadata": {"user_id": "u"}}), &[]),
        (MODEL, Request { stream: true, ..hi() }, json!({"stream": true}), &[]),
        (MODEL, Request { n: Some(1), ..hi() }, json!({}), &[]),
        (MODEL, Request { n: Some(2), ..hi() }, json!({}), &["!n"]),
        (MODEL, Request { logprobs: Some(true), ..hi() }, json!({}), &["!logprobs"]),
        (MODEL, Request { logit_bias: Some(json!({"5": 1})), ..hi() }, json!({}), &["!logit_bias"]),
        (MODEL, Request { logit_bias: Some(json!({})), ..hi() }, json!({}), &[]),
        (MODEL, Request { modalities: Some(vec!["text".to_owned(), "audio".to_owned()]), ..hi() }, json!({}), &["!modalities"]),
        (MODEL, Request { modalities: Some(vec!["text".to_owned()]), ..hi() }, json!({}), &[]),
        (
            MODEL,
            Request { seed: Some(json!(1)), frequency_penalty: Some(json!(1)), presence_penalty: Some(json!(0)), ..hi() },
            json!({}),
            &["frequency_penalty", "seed"],
        ),
        (
            MODEL,
            Request { store: Some(false), service_tier: Some("auto".to_owned()), verbosity: Some("medium".to_owned()), ..hi() },
            json!({}),
            &[],
        ),
        (
            MODEL,
            Request {
                store: Some(true),
                service_tier: Some("flex".to_owned()),
                verbosity: Some("low".to_owned()),
                metadata: Some(json!({"a": "b"})),
                prompt_cache_key: Some("k".to_owned()),
                ..hi()
            },
            json!({"metadata": null}),
            &["metadata", "store", "service_tier", "prompt_cache_key", "verbosity"],
        ),
        (
            MODEL,
            Request { extra: object(json!({"prediction": {"type": "content"}, "web_search_options": {}})), ..hi() },
            json!({"prediction": null}),
            &["prediction", "!web_search_options"],
        ),
        (
            MODEL,
            Request { cache_control: Some(json!({"type": "ephemeral"})), ..hi() },
            json!({"cache_control": {"type": "ephemeral"}}),
            &[],
        ),
        // Tools.
        (
            MODEL,
            Request { tools: tools(), ..hi() },
            json!({"tools": [{"name": "look", "input_schema": {"type": "object", "properties": {}}}], "tool_choice": null}),
            &[],
        ),
        (
            MODEL,
            Request { tools: tools(), tool_choice: Some(ToolChoice::Required), ..hi() },
            json!({"tool_choice": {"type": "any"}}),
            &[],
        ),
        (
            MODEL,
            Request { tools: tools(), tool_choice: Some(ToolChoice::None), parallel_tool_calls: Some(false), ..hi() },
            json!({"tool_choice": {"type": "none"}}),
            &[],
        ),
        (
            MODEL,
            Request { tools: tools(), tool_choice: Some(ToolChoice::Named("look".to_owned())), ..hi() },
            json!({"tool_choice": {"type": "tool", "name": "look"}}),
            &[],
        ),
        (
            MODEL,
            Request { tools: tools(), parallel_tool_calls: Some(false), ..hi() },
            json!({"tool_choice": {"type": "auto", "disable_parallel_tool_use": true}}),
            &[],
        ),
        (MODEL, Request { tools: tools(), parallel_tool_calls: Some(true), ..hi() }, json!({"tool_choice": null}), &[]),
        (
            MODEL,
            Request { tool_choice: Some(ToolChoice::Auto), parallel_tool_calls: Some(false), ..hi() },
            json!({"tools": null, "tool_choice": null}),
            &[],
        ),
        (
            MODEL,
            Request {
                tools: [
                    tools(),
                    vec![Tool::Function {
                        name: "b".to_owned(),
                        description: None,
                        parameters: None,
                        strict: Some(false),
                        cache: None,
                        extra: object(json!({})),
                    }],
                ]
                .concat(),
                tool_choice: Some(ToolChoice::Allowed { names: vec!["b".to_owned()], required: true }),
                ..hi()
            },
            json!({"tools": [{"name": "b", "input_schema": {"type": "object", "properties": {}}}], "tool_choice": {"type": "any"}}),
            &[],
        ),
        (
            "claude-opus-5-5",
            Request { tools: tools(), tool_choice: Some(ToolChoice::Required), ..hi() },
            json!({"tool_choice": null}),
            &["!tool_choice"],
        ),
        (
            "claude-sonnet-5-5",
            Request { tools: tools(), tool_choice: Some(ToolChoice::Named("look".to_owned())), ..hi() },
            json!({"tool_choice": null}),
            &["!tool_choice"],
        ),
        // Of its family the others refuse it.
        (
            "claude-haiku-5-5",
            Request { tools: tools(), tool_choice: Some(ToolChoice::Required), ..hi() },
            json!({"tool_choice": {"type": "any"}}),
            &[],
        ),
        (
            MODEL,
            Request { tools: strict(schema()), ..hi() },
            json!({"tools": [{"name": "look", "input_schema": schema(), "strict": true}]}),
            &[],
        ),
        (
            MODEL,
            Request { tools: strict(open()), ..hi() },
            // Closed for Anthropic's sake; the gateway judges by what the client wrote.
            json!({"tools": [{"name": "look", "input_schema": json!({"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": false}), "strict": true}]}),
            &[],
        ),
        (
            "claude-sonnet-4-20250514",
            Request { tools: strict(schema()), ..hi() },
            json!({"tools": [{"name": "look", "input_schema": schema()}]}),
            &[],
        ),
        (
            MODEL,
            Request { tools: vec![function(Some(json!({"properties": {"a": {}}})))], ..hi() },
            json!({"tools": [{"name": "look", "input_schema": {"type": "object", "properties": {"a": {}}}}]}),
            &[],
        ),
        (
            MODEL,
            Request {
                tools: vec![function(Some(json!({"anyOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]})))],
                ..hi()
            },
            json!({"tools": [{"name": "look", "input_schema": {"type": "object", "properties": {"a": {}, "b": {}}}}]}),
            &["tools[].parameters.anyOf"],
        ),
        (
            MODEL,
            Request { tools: vec![Tool::Hosted(json!({"type": "web_search"}))], ..hi() },
            json!({"tools": null}),
            &["!tools"],
        ),
        (
            MODEL,
            Request {
                tools: vec![Tool::Custom { name: "c".to_owned(), description: None, format: None, extra: object(json!({})) }],
                ..hi()
            },
            json!({"tools": null}),
            &["!tools"],
        ),
        // Formats.
        (
            MODEL,
            Request { format: format(schema()), ..hi() },
            json!({"output_config": {"format": {"type": "json_schema", "schema": schema()}}, "system": null}),
            &[],
        ),
        (MODEL, Request { format: Some(Format::Text), ..hi() }, json!({"output_config": null, "system": null}), &[]),
        (
            MODEL,
            Request { format: Some(Format::Other(json!({"type": "grammar"}))), ..hi() },
            json!({"output_config": null}),
            &["!response_format"],
        ),
    ];
    for (model, request, expected, lost) in rows {
        let (body, told) = written(&request, model);
        assert_eq!(told, lost, "{body}");
        for (name, value) in object(expected) {
            assert_eq!(body.get(&name).unwrap_or(&Value::Null), &value, "{name}: {body}");
        }
        let of_old = ["claude-opus-5-5"].contains(&model);
        assert_eq!(if of_old { Vec::new() } else { broken(&body, model) }, Vec::<String>::new(), "{body}");
    }
    // Where it cannot be enforced, the model is told.
    for (model, schema) in [("claude-3-opus-20240229", schema()), (MODEL, json!({"type": "array"}))] {
        let (body, told) = written(&Request { format: format(schema.clone()), ..hi() }, model);
        assert!(body["system"][0]["text"].as_str().unwrap().contains(&schema.to_string()), "{body}");
        assert_eq!((body.get("output_config"), told), (None, Vec::new()));
    }
    // Where it can be, without what only narrows.
    let (body, told) = written(&Request { format: format(open()), ..hi() }, MODEL);
    let closed = json!({"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": false});
    assert_eq!((&body["output_config"]["format"]["schema"], told), (&closed, Vec::new()));
    let (body, told) = written(&Request { format: Some(Format::JsonObject), ..hi() }, MODEL);
    assert!(body["system"][0]["text"].as_str().unwrap().contains("JSON"));
    assert_eq!(told, Vec::<String>::new());
}

/// The order of a schema's properties and of arguments is kept, as models write in it.
#[test]
fn order_is_kept() {
    let parameters = json!({"properties": {"z": {}, "a": {}, "m": {}}, "type": "object"});
    let messages = vec![say(Role::User, "Hi"), Message::new(Role::Assistant, vec![call("1", "{\"z\":1,\"a\":2,\"m\":3}")])];
    let (body, _) = written(&Request { tools: vec![function(Some(parameters))], ..chat(messages) }, MODEL);
    assert!(body.to_string().contains("{\"properties\":{\"z\":{},\"a\":{},\"m\":{}},\"type\":\"object\"}"), "{body}");
    assert!(body.to_string().contains("{\"z\":1,\"a\":2,\"m\":3}"), "{body}");
}

/// Of the dialect's own, everything stays as it was written, but for what another provider left.
#[test]
fn own_requests_stay() {
    let body = json!({
        "model": "m", "max_tokens": 5, "temperature": 1.0, "top_p": 0.3, "stop_sequences": ["\n"], "service_tier": "standard_only",
        "container": "c", "metadata": {"user_id": "u", "x": 1}, "output_config": {"effort": "max", "task_budget": {"a": 1}},
        "system": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "tools": [{"name": "b", "description": "d", "input_schema": {"anyOf": []}, "strict": true, "defer_loading": true, "cache_control": {"type": "ephemeral"}},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 1}],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": false},
        "thinking": {"type": "enabled", "budget_tokens": 5000},
        "messages": [
            {"role": "user", "content": [{"type": "search_result", "source": "x", "title": "t", "content": []}, {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]},
            {"role": "user", "content": [{"type": "document", "source": {"type": "content", "content": "x"}, "citations": {"enabled": true}}]},
            {"role": "assistant", "content": [
                {"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {}},
                {"type": "web_search_tool_result", "tool_use_id": "srv", "content": []},
                {"type": "text", "text": "t", "citations": [{"type": "web_search_result_location", "url": "u", "title": "t", "encrypted_index": "e", "cited_text": "c"}]},
                {"type": "tool_use", "id": "toolu_1", "name": "b", "input": {}, "caller": {"type": "direct"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "tool_reference", "tool_name": "b"}]}, {"type": "text", "text": "b"}]},
            {"role": "system", "content": [{"type": "text", "text": "now"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "go"}]}],
    });
    let (again, lost) = written(&read(body.clone()), "m");
    assert_eq!(again, body);
    assert_eq!(lost, Vec::<String>::new());
}

#[test]
fn thinking_extra_is_named() {
    let thinking = Thinking { effort: Some(Effort::Low), extra: object(json!({"x": 1})), ..Thinking::default() };
    assert_eq!(written(&Request { thinking: Some(thinking), ..hi() }, MODEL).1, ["reasoning_effort.x"]);
}
