//! What is sent, rule by rule.

use breakwater::chat::{Effort, Format, Kind, Message, Part, Request, Role, Source, Thinking, Tool, ToolChoice};
use breakwater::dialect::Dialect;
use serde_json::{Value, json};

use super::rules::judge;
use super::written;

pub(crate) const SECOND: &str = "gemini-2.5-flash";
pub(crate) const THIRD: &str = "gemini-3-pro-preview";
pub(crate) const OLD: &str = "gemini-2.0-flash";

pub(crate) fn of(messages: Vec<Message>) -> Request {
    Request { messages, ..Request::new(Dialect::Chat) }
}

pub(crate) fn says(role: Role, text: &str) -> Message {
    Message::new(role, vec![Part::text(text)])
}

pub(crate) fn hello() -> Request {
    of(vec![says(Role::User, "Hello")])
}

fn function(name: &str, parameters: Option<Value>, strict: Option<bool>) -> Tool {
    Tool::Function {
        name: name.into(),
        description: Some("what".into()),
        parameters,
        strict,
        cache: None,
        extra: serde_json::Map::new(),
    }
}

pub(crate) fn image() -> Source {
    Source::Base64 { media_type: "image/png".into(), data: "AA".into() }
}

/// Written without a loss, and by the rules.
pub(crate) fn clean(request: &Request, model: &str) -> Value {
    let (body, losses) = written(request, model);
    assert_eq!(losses, [], "{body}");
    judge(&body, model).unwrap_or_else(|rule| panic!("{rule}: {body:#}"));
    body
}

#[test]
fn a_request_is_no_more_than_what_was_said() {
    assert_eq!(clean(&hello(), SECOND), json!({ "contents": [{ "role": "user", "parts": [{ "text": "Hello" }] }] }));
}

#[test]
fn what_is_generated_is_configured_in_gemini_s_words() {
    let mut request = hello();
    request.temperature = Some(json!(0.5));
    request.top_p = Some(json!(0.9));
    request.top_k = Some(json!(40));
    request.max_tokens = Some(100);
    request.presence_penalty = Some(json!(0.1));
    request.frequency_penalty = Some(json!(0.2));
    request.seed = Some(json!(7));
    request.stop = vec!["a".into(), "b".into()];
    request.n = Some(3);
    request.logprobs = Some(true);
    request.top_logprobs = Some(4);
    assert_eq!(
        clean(&request, SECOND)["generationConfig"],
        json!({
            "temperature": 0.5, "topP": 0.9, "topK": 40, "maxOutputTokens": 100, "presencePenalty": 0.1, "frequencyPenalty": 0.2, "seed": 7,
            "stopSequences": ["a", "b"], "candidateCount": 3, "responseLogprobs": true, "logprobs": 4
        })
    );
}

#[test]
fn what_cannot_be_said_is_named() {
    let cases: Vec<(&str, fn(&mut Request), &[(&str, bool)])> = vec![
        ("logit bias", |request| request.logit_bias = Some(json!({ "1": 1 })), &[("logit_bias", true)]),
        ("six stops", |request| request.stop = vec!["a".into(); 6], &[("stop", true)]),
        ("nine answers", |request| request.n = Some(9), &[("n", true)]),
        ("one answer", |request| request.n = Some(1), &[]),
        ("a seed beyond 32 bits", |request| request.seed = Some(json!(1_u64 << 40)), &[("seed", false)]),
        ("one call at a time", |request| request.parallel_tool_calls = Some(false), &[("parallel_tool_calls", false)]),
        ("several calls", |request| request.parallel_tool_calls = Some(true), &[]),
        ("a user", |request| request.user = Some("u".into()), &[("user", false)]),
        ("metadata", |request| request.metadata = Some(json!({"a": "b"})), &[("metadata", false)]),
        ("to be stored", |request| request.store = Some(true), &[("store", false)]),
        ("not to be stored", |request| request.store = Some(false), &[]),
        ("a tier", |request| request.service_tier = Some("flex".into()), &[("service_tier", false)]),
        ("the tier that is", |request| request.service_tier = Some("auto".into()), &[]),
        ("few words", |request| request.verbosity = Some("low".into()), &[("verbosity", false)]),
        ("a cache's key", |request| request.prompt_cache_key = Some("k".into()), &[("prompt_cache_key", false)]),
        ("a mark", |request| request.messages[0].parts[0].cache = Some(json!({})), &[("cache_control", false)]),
        ("something new", |request| drop(request.extra.insert("zeta".into(), json!(1))), &[("zeta", false)]),
        ("a name", |request| request.messages[0].name = Some("bob".into()), &[("messages[].name", false)]),
        ("sound", |request| request.modalities = Some(vec!["text".into(), "audio".into()]), &[("modalities", true)]),
        ("an image", |request| request.modalities = Some(vec!["image".into()]), &[("modalities", true)]),
        ("text", |request| request.modalities = Some(vec!["text".into()]), &[]),
        ("a grammar", |request| request.format = Some(Format::Other(json!({}))), &[("response_format", true)]),
        (
            "a custom tool",
            |request| {
                request.tools =
                    vec![Tool::Custom { name: "c".into(), description: None, format: None, extra: serde_json::Map::new() }];
            },
            &[("tools[].type", true)],
        ),
        (
            "a hosted tool",
            |request| request.tools = vec![Tool::Hosted(json!({ "type": "web_search" }))],
            &[("tools[].type", true)],
        ),
        ("a call of nothing", |request| request.tool_choice = Some(ToolChoice::Required), &[("tool_choice", true)]),
        (
            "a call of what is not there",
            |request| request.tool_choice = Some(ToolChoice::Named("x".into())),
            &[("tool_choice", true)],
        ),
        (
            "a file of another's",
            |request| {
                request.messages[0].parts.push(Part::new(Kind::File { source: Source::FileId("file-1".into()), name: None }));
            },
            &[("messages[].content[].file", true)],
        ),
        (
            "an unknown block",
            |request| request.messages[0].parts.push(Part::new(Kind::Opaque(json!({ "type": "hologram" })))),
            &[("messages[].content[].type", true)],
        ),
        (
            "another's tool's doings",
            |request| {
                request.messages.push(Message::new(
                    Role::Assistant,
                    vec![Part::text("x"), Part::new(Kind::Opaque(json!({ "type": "server_tool_use" })))],
                ));
            },
            &[("messages[].content[] (server_tool_use)", false)],
        ),
    ];
    for (name, change, expected) in cases {
        let mut request = hello();
        change(&mut request);
        let (body, losses) = written(&request, SECOND);
        let losses: Vec<(&str, bool)> = losses.iter().map(|(field, refused)| (field.as_str(), *refused)).collect();
        assert_eq!(losses, expected, "{name}");
        if expected.iter().all(|(_, refused)| !refused) {
            judge(&body, SECOND).unwrap_or_else(|rule| panic!("{name}: {rule}: {body}"));
        }
    }
}

#[test]
fn fields_are_named_as_the_client_knows_them() {
    let mut request = hello();
    request.dialect = Dialect::Messages;
    request.stop = vec!["a".into(); 6];
    request.user = Some("u".into());
    let (_, losses) = written(&request, SECOND);
    assert_eq!(losses, [("stop_sequences".to_owned(), true), ("metadata.user_id".to_owned(), false)]);
}

#[test]
fn thinking_is_told_in_the_model_s_own_measure() {
    let effort = |effort| Thinking { effort: Some(effort), ..Thinking::default() };
    let budget = |budget| Thinking { budget: Some(budget), ..Thinking::default() };
    let loss: &[&str] = &["reasoning_effort"];
    for (model, thinking, config, lost) in [
        (SECOND, effort(Effort::Low), json!({ "thinkingBudget": 1024 }), &[][..]),
        (SECOND, effort(Effort::None), json!({ "thinkingBudget": 0 }), &[]),
        (SECOND, budget(50_000), json!({ "thinkingBudget": 24_576, "includeThoughts": true }), &[]),
        (SECOND, budget(0), json!({ "thinkingBudget": 0 }), &[]),
        (
            SECOND,
            Thinking { adaptive: true, ..Thinking::default() },
            json!({ "thinkingBudget": -1, "includeThoughts": true }),
            &[],
        ),
        (
            SECOND,
            Thinking { shown: Some(false), ..budget(2000) },
            json!({ "thinkingBudget": 2000, "includeThoughts": false }),
            &[],
        ),
        (SECOND, Thinking { summary: Some("auto".into()), ..Thinking::default() }, json!({ "includeThoughts": true }), &[]),
        (SECOND, Thinking::default(), Value::Null, &[]),
        ("gemini-2.5-pro", effort(Effort::None), json!({ "thinkingBudget": 128 }), loss),
        ("gemini-2.5-pro", budget(50_000), json!({ "thinkingBudget": 32_768, "includeThoughts": true }), &[]),
        ("gemini-2.5-flash-lite", budget(10), json!({ "thinkingBudget": 512, "includeThoughts": true }), &[]),
        (THIRD, effort(Effort::Low), json!({ "thinkingLevel": "low" }), &[]),
        (THIRD, effort(Effort::Medium), json!({ "thinkingLevel": "high" }), &[]),
        (THIRD, effort(Effort::Max), json!({ "thinkingLevel": "high" }), &[]),
        (THIRD, effort(Effort::Minimal), json!({ "thinkingLevel": "low" }), &[]),
        (THIRD, effort(Effort::None), json!({ "thinkingLevel": "low" }), loss),
        (THIRD, budget(1000), json!({ "thinkingLevel": "low", "includeThoughts": true }), &[]),
        ("gemini-3-flash-preview", effort(Effort::Minimal), json!({ "thinkingLevel": "minimal" }), &[]),
        ("gemini-3.1-pro-preview", effort(Effort::Medium), json!({ "thinkingLevel": "medium" }), &[]),
        ("gemini-3.8-flash", effort(Effort::Minimal), json!({ "thinkingLevel": "low" }), &[]),
        (OLD, effort(Effort::High), Value::Null, loss),
        (OLD, effort(Effort::None), Value::Null, &[]),
    ] {
        let mut request = hello();
        request.thinking = Some(thinking.clone());
        let (body, losses) = written(&request, model);
        judge(&body, model).unwrap_or_else(|rule| panic!("{model} {thinking:?}: {rule}"));
        assert_eq!(body["generationConfig"]["thinkingConfig"], config, "{model} {thinking:?}");
        let lost_fields: Vec<&str> = losses.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(lost_fields, lost, "{model} {thinking:?}");
    }
}

#[test]
fn functions_are_declared_with_the_schema_that_the_model_takes() {
    let schema = json!({ "$schema": "x", "type": "object", "properties": { "z": { "type": ["string", "null"] }, "a": { "$ref": "#/$defs/A" } },
        "$defs": { "A": { "const": "x" } }, "required": ["z"], "additionalProperties": false });
    let mut request = hello();
    request.tools = vec![
        function("f", Some(schema.clone()), None),
        function("none", Some(json!({ "type": "object", "properties": {} })), None),
        function("unsaid", None, None),
    ];
    let body = clean(&request, SECOND);
    let declared = &body["tools"][0]["functionDeclarations"];
    assert_eq!(declared[0]["parametersJsonSchema"].to_string(), schema.to_string(), "as it is, order included");
    assert_eq!(declared[1], json!({ "name": "none", "description": "what" }));
    assert_eq!(declared[2], json!({ "name": "unsaid", "description": "what" }));
    assert!(body.get("toolConfig").is_none());
    assert_eq!(
        clean(&request, OLD)["tools"][0]["functionDeclarations"][0]["parameters"],
        json!({ "type": "object", "properties": { "z": { "nullable": true, "type": "string" }, "a": { "enum": ["x"] } }, "required": ["z"] })
    );
}

#[test]
fn the_subset_says_what_it_can_and_what_it_lost() {
    for (schema, expected, lost) in [
        (json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] }), json!({ "nullable": true, "type": "string" }), false),
        (
            json!({ "oneOf": [{ "type": "string" }, { "type": "number" }] }),
            json!({ "anyOf": [{ "type": "string" }, { "type": "number" }] }),
            false,
        ),
        (json!({ "allOf": [{ "type": "string" }] }), json!({ "type": "string" }), false),
        (json!({ "type": "string", "format": "uri" }), json!({ "type": "string" }), true),
        (json!({ "type": "string", "format": "date-time" }), json!({ "type": "string", "format": "date-time" }), false),
        (json!({ "type": "integer", "enum": [1, 2] }), json!({ "type": "integer" }), true),
        (
            json!({ "type": "array", "items": { "type": "string" }, "uniqueItems": true }),
            json!({ "type": "array", "items": { "type": "string" } }),
            true,
        ),
        (json!({ "type": ["string", "number"] }), json!({ "anyOf": [{ "type": "string" }, { "type": "number" }] }), false),
    ] {
        let mut request = hello();
        let whole = json!({ "type": "object", "properties": { "p": schema } });
        request.format = Some(Format::JsonSchema { name: None, description: None, schema: whole, strict: None });
        let (body, losses) = written(&request, OLD);
        judge(&body, OLD).unwrap();
        assert_eq!(body["generationConfig"]["responseSchema"]["properties"]["p"], expected);
        assert_eq!(!losses.is_empty(), lost, "{expected}");
    }
    // One that refers to itself, twice, ends.
    let node = json!({ "type": "object", "properties": { "l": { "$ref": "#" }, "r": { "$ref": "#" } } });
    let mut request = hello();
    request.tools = vec![function("f", Some(node), None)];
    let (body, losses) = written(&request, OLD);
    judge(&body, OLD).unwrap();
    assert!(body.to_string().len() < 1_000_000);
    assert_eq!(losses, [("tools[].function.parameters".to_owned(), false)]);
}

#[test]
fn what_must_be_called_is_told() {
    let plain = || vec![function("f", None, None), function("g", None, None)];
    let strict = || vec![function("f", None, Some(true)), function("g", None, None)];
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    for (tools, choice, config, declared) in [
        (plain(), None, Value::Null, 2),
        (strict(), None, json!({ "mode": "VALIDATED" }), 2),
        (plain(), Some(ToolChoice::Auto), json!({ "mode": "AUTO" }), 2),
        (strict(), Some(ToolChoice::Auto), json!({ "mode": "VALIDATED" }), 2),
        (plain(), Some(ToolChoice::None), json!({ "mode": "NONE" }), 2),
        (plain(), Some(ToolChoice::Required), json!({ "mode": "ANY" }), 2),
        (plain(), Some(ToolChoice::Named("g".into())), json!({ "mode": "ANY", "allowedFunctionNames": ["g"] }), 2),
        (
            plain(),
            Some(ToolChoice::Allowed { names: names(&["f"]), required: true }),
            json!({ "mode": "ANY", "allowedFunctionNames": ["f"] }),
            2,
        ),
        (plain(), Some(ToolChoice::Allowed { names: names(&["f"]), required: false }), json!({ "mode": "AUTO" }), 1),
    ] {
        let mut request = hello();
        request.tools = tools;
        request.tool_choice = choice.clone();
        let body = clean(&request, SECOND);
        assert_eq!(body["toolConfig"]["functionCallingConfig"], config, "{choice:?}");
        assert_eq!(body["tools"][0]["functionDeclarations"].as_array().unwrap().len(), declared, "{choice:?}");
    }
}

#[test]
fn a_form_is_enforced_where_the_model_can_and_asked_for_where_it_cannot() {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"], "additionalProperties": false });
    let mut request = hello();
    request.format =
        Some(Format::JsonSchema { name: Some("n".into()), description: None, schema: schema.clone(), strict: Some(true) });
    assert_eq!(
        clean(&request, SECOND)["generationConfig"],
        json!({ "responseMimeType": "application/json", "responseJsonSchema": schema })
    );
    assert_eq!(clean(&request, OLD)["generationConfig"]["responseSchema"]["required"], json!(["a"]));
    request.tools = vec![function("f", None, None)];
    assert_eq!(clean(&request, THIRD)["generationConfig"]["responseJsonSchema"], schema);
    let body = clean(&request, SECOND);
    assert!(body.get("generationConfig").is_none());
    let words = body["systemInstruction"]["parts"][0]["text"].as_str().unwrap();
    assert!(words.contains(&schema.to_string()), "{words}");
    request.tools.clear();
    request.format = Some(Format::JsonObject);
    assert_eq!(clean(&request, SECOND)["generationConfig"], json!({ "responseMimeType": "application/json" }));
    request.format = Some(Format::Text);
    assert!(clean(&request, SECOND).get("generationConfig").is_none());
}

#[test]
fn sound_comes_from_the_models_that_make_it() {
    let mut request = hello();
    request.modalities = Some(vec!["audio".into()]);
    request.audio = Some(json!({ "voice": "Kore", "format": "pcm16" }));
    assert_eq!(
        clean(&request, "gemini-2.5-flash-preview-tts")["generationConfig"],
        json!({ "responseModalities": ["AUDIO"], "speechConfig": { "voiceConfig": { "prebuiltVoiceConfig": { "voiceName": "Kore" } } } })
    );
    request.audio = Some(json!({ "voice": "Kore", "format": "mp3" }));
    assert_eq!(written(&request, "gemini-2.5-flash-preview-tts").1, [("audio.format".to_owned(), true)]);
    request.modalities = Some(vec!["image".into(), "text".into()]);
    assert_eq!(
        clean(&request, "gemini-2.5-flash-image")["generationConfig"],
        json!({ "responseModalities": ["TEXT", "IMAGE"] })
    );
}
