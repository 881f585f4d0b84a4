//! What providers are sent, by each one's rules.

use breakwater::chat::{
    Effort, Format, Kind, Message, Origin, Part, Reasoning, Request, Role, Seal, Source, Thinking, Tool, ToolCall, ToolChoice,
    ToolResult,
};
use breakwater::dialect::Dialect;
use serde_json::{Value, json};

use crate::write;

/// A request of another dialect.
fn foreign() -> Request {
    let mut request = Request::new(Dialect::Messages);
    request.messages = vec![Message::new(Role::User, vec![Part::text("Hi")])];
    request
}

fn tool(name: &str) -> Tool {
    Tool::Function {
        name: name.to_owned(),
        description: None,
        parameters: Some(json!({ "type": "object" })),
        strict: None,
        cache: None,
        extra: Default::default(),
    }
}

fn call(id: &str) -> Part {
    Part::new(Kind::ToolCall(ToolCall {
        id: id.to_owned(),
        name: "f".to_owned(),
        arguments: "{}".to_owned(),
        custom: false,
        seal: None,
    }))
}

fn result(id: &str, content: Vec<Part>, is_error: bool) -> Message {
    let result = ToolResult { id: id.to_owned(), name: None, content, is_error, custom: false };
    Message::new(Role::Tool, vec![Part::new(Kind::ToolResult(result))])
}

fn image() -> Part {
    Part::new(Kind::Image {
        source: Source::Url { url: "https://example.com/a.png".to_owned(), media_type: None },
        detail: None,
        seal: None,
    })
}

#[test]
fn names_and_roles() {
    let mut request = foreign();
    request.max_tokens = Some(9);
    request.seed = Some(json!(3));
    request.messages.insert(0, Message::new(Role::Developer, vec![Part::text("Be brief")]));
    for (preset, limit, seed, role) in [
        ("openai", "max_completion_tokens", "seed", "developer"),
        ("mistral", "max_tokens", "random_seed", "system"),
        ("groq", "max_tokens", "seed", "system"),
        ("cohere", "max_tokens", "seed", "developer"),
        ("unknown", "max_tokens", "seed", "system"),
    ] {
        let (body, ignored, refused) = write(&request, preset, "gpt-4o");
        assert_eq!((&body[limit], &body[seed], &body["messages"][0]["role"]), (&json!(9), &json!(3), &json!(role)), "{preset}");
        assert_eq!(body.as_object().unwrap().len(), 4, "{preset}: {body}");
        assert!(ignored.is_empty() && refused.is_empty(), "{preset}");
    }
    let (body, ignored, _) = write(&request, "deepseek", "deepseek-chat");
    assert_eq!((body.get("seed"), ignored), (None, vec!["seed".to_owned()]));
}

#[test]
fn what_would_change_the_answer_is_refused_and_the_rest_ignored() {
    let refusals: [(&str, &str, fn(&mut Request)); 9] = [
        ("groq", "n", |request| request.n = Some(2)),
        ("groq", "logprobs", |request| request.logprobs = Some(true)),
        ("groq", "logit_bias", |request| request.logit_bias = Some(json!({ "1": 1 }))),
        ("perplexity", "tools", |request| request.tools = vec![tool("f")]),
        ("perplexity", "stop_sequences", |request| request.stop = vec!["x".to_owned()]),
        ("deepseek", "messages[].content[]", |request| {
            let source = Source::Base64 { media_type: "application/pdf".to_owned(), data: "JVBERi0=".to_owned() };
            request.messages[0].parts.push(Part::new(Kind::File { source, name: None }));
        }),
        ("groq", "modalities", |request| request.modalities = Some(vec!["audio".to_owned()])),
        ("ollama", "tool_choice", |request| {
            (request.tools, request.tool_choice) = (vec![tool("f")], Some(ToolChoice::Required))
        }),
        ("unknown", "tools", |request| request.tools = vec![Tool::Hosted(json!({ "type": "web_search_20250305" }))]),
    ];
    for (preset, field, set) in refusals {
        let mut request = foreign();
        set(&mut request);
        let (body, _, refused) = write(&request, preset, "m");
        assert_eq!(refused, [field], "{preset} {body}");
    }
    let mut request = foreign();
    request.n = Some(1);
    request.logprobs = Some(false);
    request.top_k = Some(json!(5));
    request.store = Some(true);
    request.extra.insert("container".to_owned(), json!("c"));
    request.messages[0].parts[0].cache = Some(json!({ "type": "ephemeral" }));
    let (body, ignored, refused) = write(&request, "groq", "m");
    assert_eq!(ignored, ["messages[].content[].cache_control", "top_k", "store", "container"]);
    assert_eq!((refused.len(), body.as_object().unwrap().len()), (0, 2), "{body}");
    request.service_tier = Some("flex".to_owned());
    request.prompt_cache_key = Some("k".to_owned());
    let (body, ignored, _) = write(&request, "openrouter", "m");
    assert_eq!(
        (ignored, &body["service_tier"], &body["prompt_cache_key"]),
        (vec!["store".to_owned(), "container".to_owned()], &json!("flex"), &json!("k"))
    );
    assert_eq!(
        (&body["top_k"], &body["messages"][0]["content"][0]["cache_control"]),
        (&json!(5), &json!({ "type": "ephemeral" }))
    );
}

#[test]
fn reasoning_models_choose_among_tokens_themselves() {
    let mut request = foreign();
    request.temperature = Some(json!(0.5));
    request.top_p = Some(json!(1));
    for (model, refuses) in
        [("o3", true), ("o4-mini", true), ("gpt-5", true), ("gpt-5-chat-latest", false), ("gpt-4o", false), ("gpt-5.1", true)]
    {
        let (body, ignored, _) = write(&request, "openai", model);
        assert_eq!((body.get("temperature").is_none(), ignored.len()), (refuses, usize::from(refuses)), "{model}");
    }
    let (body, ..) = write(&request, "openrouter", "openai/o3");
    assert_eq!(body["temperature"], 0.5, "OpenRouter drops what a model does not know");
    request.stop = vec!["x".to_owned()];
    assert_eq!(write(&request, "openai", "o3").2, ["stop_sequences"]);
}

#[test]
fn how_much_is_to_be_thought() {
    let table: [(&str, &str, Option<Effort>, Option<u64>, Value); 12] = [
        ("openai", "o3", Some(Effort::High), None, json!({ "reasoning_effort": "high" })),
        ("openai", "o3", None, Some(5000), json!({ "reasoning_effort": "medium" })),
        ("openai", "o3", Some(Effort::None), None, json!({ "reasoning_effort": "low" })),
        ("openai", "gpt-5-mini", None, Some(0), json!({ "reasoning_effort": "minimal" })),
        ("openai", "gpt-5.1", Some(Effort::None), None, json!({ "reasoning_effort": "none" })),
        ("openai", "gpt-4o", Some(Effort::High), None, json!({})),
        ("deepseek", "m", Some(Effort::Medium), None, json!({ "thinking": { "type": "enabled" }, "reasoning_effort": "high" })),
        ("deepseek", "m", Some(Effort::None), None, json!({ "thinking": { "type": "disabled" } })),
        ("openrouter", "m", None, Some(5000), json!({ "reasoning": { "max_tokens": 5000 } })),
        ("openrouter", "m", Some(Effort::None), None, json!({ "reasoning": { "enabled": false } })),
        ("cohere", "m", Some(Effort::Low), None, json!({ "reasoning_effort": "high" })),
        ("mistral", "m", Some(Effort::High), None, json!({})),
    ];
    for (preset, model, effort, budget, expected) in table {
        let mut request = foreign();
        request.thinking = Some(Thinking { effort, budget, ..Thinking::default() });
        let (mut body, ..) = write(&request, preset, model);
        let members = body.as_object_mut().unwrap();
        members.retain(|name, _| name.contains("reasoning") || name == "thinking");
        assert_eq!(body, expected, "{preset} {model} {effort:?} {budget:?}");
    }
}

/// "does not support parameter reasoningEffort", "`reasoning_effort` is not supported with this model", "does not support thinking": each a 400.
#[test]
fn an_effort_is_asked_of_models_that_are_known_to_take_one() {
    let asked = |preset: &str, model: &str, effort: Effort| {
        let mut request = foreign();
        request.thinking = Some(Thinking { effort: Some(effort), ..Thinking::default() });
        let (body, ignored, refused) = write(&request, preset, model);
        assert_eq!(refused, Vec::<String>::new());
        assert_eq!(
            ignored.contains(&"thinking".to_owned()),
            body.get("reasoning_effort").is_none(),
            "{preset} {model}: {ignored:?}"
        );
        body.get("reasoning_effort").cloned()
    };
    for (preset, model) in [
        ("xai", "grok-3-mini"),
        ("xai", "grok-4.3"),
        ("xai", "grok-4.6"),
        ("groq", "openai/gpt-oss-120b"),
        ("cerebras", "gpt-oss-120b"),
        ("ollama", "gpt-oss:20b"),
        ("fireworks", "accounts/fireworks/models/gpt-oss-120b"),
        ("github-models", "openai/o3-mini"),
        ("vllm", "m"),
        ("", "m"),
    ] {
        assert_eq!(asked(preset, model, Effort::High), Some(json!("high")), "{preset} {model}");
        // What others call the least is OpenAI's word; theirs are low, medium and high.
        assert_eq!(asked(preset, model, Effort::Minimal), Some(json!("low")), "{preset} {model}");
        assert_eq!(asked(preset, model, Effort::Max), Some(json!("high")), "{preset} {model}");
    }
    for (preset, model) in [
        ("xai", "grok-3"),
        ("xai", "grok-4"),
        ("xai", "grok-4-fast-reasoning"),
        ("xai", "grok-4-1-fast-reasoning"),
        ("xai", "grok-4.20-0309-reasoning"),
        // How many agents there are, not how much they think.
        ("xai", "grok-4.20-multi-agent-0309"),
        ("xai", "grok-code-fast-1"),
        ("xai", "grok-unheard-of"),
        ("groq", "llama-3.3-70b-versatile"),
        ("groq", "meta-llama/llama-4-scout-17b-16e-instruct"),
        ("groq", "qwen/qwen3-32b"),
        ("cerebras", "llama-3.3-70b"),
        ("ollama", "llama3.1:8b"),
        ("ollama", "qwen3:4b"),
        ("fireworks", "accounts/fireworks/models/qwen3p7-plus"),
        ("github-models", "openai/gpt-4.1"),
    ] {
        assert_eq!(asked(preset, model, Effort::High), None, "{preset} {model}");
    }
    assert_eq!(asked("openai", "gpt-5", Effort::Minimal), Some(json!("minimal")));
}

/// Its default is to think, and thinking "does not support this `tool_choice`".
#[test]
fn a_forced_call_switches_deepseeks_thinking_off() {
    let asked = || Some(Thinking { effort: Some(Effort::High), ..Thinking::default() });
    let off = || Some(Thinking { effort: Some(Effort::None), ..Thinking::default() });
    let (forced, named) = (ToolChoice::Required, ToolChoice::Named("f".to_owned()));
    let table = [
        (Some(forced.clone()), None, json!({ "type": "disabled" }), vec![]),
        (Some(named), None, json!({ "type": "disabled" }), vec![]),
        (Some(forced.clone()), off(), json!({ "type": "disabled" }), vec![]),
        (Some(forced), asked(), json!({ "type": "disabled" }), vec!["thinking"]),
        (Some(ToolChoice::Auto), asked(), json!({ "type": "enabled" }), vec![]),
        (Some(ToolChoice::None), asked(), json!({ "type": "enabled" }), vec![]),
        (Some(ToolChoice::Auto), None, Value::Null, vec![]),
        (None, None, Value::Null, vec![]),
    ];
    for (choice, thinking, expected, lost) in table {
        let told = format!("{choice:?} {thinking:?}");
        let mut request = foreign();
        (request.tools, request.tool_choice, request.thinking) = (vec![tool("f")], choice, thinking);
        let (body, ignored, refused) = write(&request, "deepseek", "m");
        assert_eq!(
            (&body["thinking"], ignored, refused),
            (&expected, lost.iter().map(|&lost| lost.to_owned()).collect(), vec![]),
            "{told}"
        );
        assert_eq!(body.get("reasoning_effort").is_some(), expected["type"] == "enabled", "{told}");
    }
    let mut request = foreign();
    (request.tools, request.tool_choice) = (vec![tool("f")], Some(ToolChoice::Required));
    assert_eq!(write(&request, "openrouter", "m").0.get("thinking"), None, "others have no such switch");
}

/// What an image is to who has documented since that it sees: <https://api-docs.deepseek.com/guides/vision>.
#[test]
fn deepseek_is_sent_images() {
    let mut request = foreign();
    request.messages[0].parts.push(image());
    let (body, ignored, refused) = write(&request, "deepseek", "deepseek-flash");
    assert_eq!(body["messages"][0]["content"][1]["type"], "image_url");
    assert!(ignored.is_empty() && refused.is_empty());
}

#[test]
fn schemas_where_they_are_known_and_in_words_where_not() {
    let mut request = foreign();
    let schema = json!({ "type": "object", "properties": { "z": {}, "a": {} } });
    request.format = Some(Format::JsonSchema { name: None, description: None, schema: schema.clone(), strict: Some(true) });
    let (body, ..) = write(&request, "openai", "gpt-4o");
    assert_eq!(
        body["response_format"],
        json!({ "type": "json_schema", "json_schema": { "name": "answer", "schema": schema, "strict": true } })
    );
    let (body, ignored, refused) = write(&request, "deepseek", "m");
    assert_eq!(body["response_format"], json!({ "type": "json_object" }));
    let words = body["messages"][0]["content"].as_str().unwrap();
    assert!(
        body["messages"][0]["role"] == "system" && words.contains("JSON") && words.contains(&schema.to_string()),
        "{words}"
    );
    assert!(ignored.is_empty() && refused.is_empty());
}

#[test]
fn ids_are_legal_and_match() {
    let long = "toolu_".to_owned() + &"x".repeat(60);
    for (preset, id) in [("mistral", "call_123"), ("mistral", "abcDEF123"), ("openai", long.as_str()), ("openai", "toolu_01")] {
        let mut request = foreign();
        request.messages.push(Message::new(Role::Assistant, vec![call(id)]));
        request.messages.push(result(id, vec![Part::text("1")], false));
        let (body, ..) = write(&request, preset, "m");
        let (one, other) = (&body["messages"][1]["tool_calls"][0]["id"], &body["messages"][2]["tool_call_id"]);
        assert_eq!(one, other);
        let written = one.as_str().unwrap();
        match preset {
            "mistral" => assert!(written.len() == 9 && written.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{written}"),
            _ => assert!(written.len() <= 40),
        }
        assert_eq!(written == id, id == "abcDEF123" || id == "toolu_01", "{id}");
    }
}

#[test]
fn results_with_images_and_errors() {
    let mut request = foreign();
    request.messages.push(Message::new(Role::Assistant, vec![call("a"), call("b")]));
    request.messages.push(result("a", vec![image()], false));
    request.messages.push(result("b", vec![Part::text("no such file")], true));
    request.messages.push(Message::new(Role::User, vec![Part::text("And?")]));
    let (body, ignored, refused) = write(&request, "unknown", "m");
    let roles: Vec<&str> =
        body["messages"].as_array().unwrap().iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "tool", "user", "user"], "all results stand behind the calls");
    assert_eq!(body["messages"][3]["content"], "Error: no such file");
    assert_eq!(body["messages"][4]["content"][1]["type"], "image_url");
    assert!(ignored.is_empty() && refused.is_empty());
}

#[test]
fn thoughts_go_back_only_to_those_who_want_them_and_seals_only_to_their_own() {
    let thought =
        |seal: Option<Seal>| Part::new(Kind::Reasoning(Reasoning { text: "hm".to_owned(), seal, ..Reasoning::default() }));
    let turn = |seal, with_call: bool| {
        let mut request = foreign();
        let mut parts = vec![thought(seal), Part::text("a")];
        if with_call {
            parts.push(call("a"));
        }
        request.messages.push(Message::new(Role::Assistant, parts));
        request
    };
    let anthropic = || Some(Seal::new(Origin::Anthropic, "sig"));
    let own = || Some(Seal::new(Origin::Chat, r#"[{"type":"reasoning.encrypted","data":"x"}]"#));
    let said = |request: &Request, preset| {
        let (body, ..) = write(request, preset, "m");
        let message = body["messages"][1].clone();
        (
            message.get("reasoning_content").cloned(),
            message.get("reasoning").cloned(),
            message.get("reasoning_details").cloned(),
        )
    };
    assert_eq!(said(&turn(anthropic(), true), "openai"), (None, None, None));
    assert_eq!(said(&turn(anthropic(), true), "deepseek"), (Some(json!("hm")), None, None));
    assert_eq!(said(&turn(anthropic(), false), "deepseek"), (None, None, None));
    assert_eq!(said(&turn(anthropic(), true), "openrouter"), (None, Some(json!("hm")), None));
    assert_eq!(
        said(&turn(own(), true), "openrouter"),
        (None, None, Some(json!([{ "type": "reasoning.encrypted", "data": "x" }])))
    );
    // A turn that was nothing but what another provider encrypted is left out.
    let mut request = foreign();
    let hidden = Reasoning { seal: anthropic(), redacted: true, ..Reasoning::default() };
    request.messages.push(Message::new(Role::Assistant, vec![Part::new(Kind::Reasoning(hidden))]));
    assert_eq!(write(&request, "openai", "m").0["messages"].as_array().unwrap().len(), 1);
}

#[test]
fn files_where_they_are_known() {
    let pdf = || Source::Base64 { media_type: "application/pdf".to_owned(), data: "AAAA".to_owned() };
    let url = || Source::Url { url: "https://example.com/a.pdf".to_owned(), media_type: None };
    let sent = |source, preset| {
        let mut request = foreign();
        request.messages[0].parts = vec![Part::new(Kind::File { source, name: None })];
        let (body, _, refused) = write(&request, preset, "m");
        if refused.is_empty() { body["messages"][0]["content"].clone() } else { json!("refused") }
    };
    assert_eq!(
        sent(pdf(), "openai")[0]["file"],
        json!({ "filename": "document.pdf", "file_data": "data:application/pdf;base64,AAAA" })
    );
    assert_eq!(sent(url(), "openai"), "refused");
    assert_eq!(sent(url(), "openrouter")[0]["file"]["file_data"], "https://example.com/a.pdf");
    assert_eq!(sent(url(), "mistral")[0]["document_url"], "https://example.com/a.pdf");
    assert_eq!(sent(pdf(), "groq"), "refused");
    assert_eq!(sent(Source::FileId("file_1".to_owned()), "openai"), "refused");
    assert_eq!(sent(Source::Text("words".to_owned()), "groq"), "words");
    assert_eq!(sent(Source::Base64 { media_type: "text/plain".to_owned(), data: "d29yZHM=".to_owned() }, "groq"), "words");
}

#[test]
fn a_choice_among_some_is_one_among_all_where_there_are_no_others() {
    let mut request = foreign();
    request.tools = vec![tool("f"), tool("g")];
    request.tool_choice = Some(ToolChoice::Allowed { names: vec!["g".to_owned()], required: true });
    let (body, ..) = write(&request, "openai", "gpt-4o");
    assert_eq!((body["tools"].as_array().unwrap().len(), &body["tool_choice"]["type"]), (2, &json!("allowed_tools")));
    let (body, ..) = write(&request, "groq", "m");
    assert_eq!(
        (body["tools"].as_array().unwrap().len(), &body["tools"][0]["function"]["name"], &body["tool_choice"]),
        (1, &json!("g"), &json!("required"))
    );
    request.tool_choice = Some(ToolChoice::None);
    assert_eq!(write(&request, "ollama", "m").0.get("tools"), None, "without tools, none is called");
}

#[test]
fn usage_is_asked_for_where_streams_tell_it() {
    let mut request = foreign();
    request.stream = true;
    assert_eq!(write(&request, "openai", "m").0["stream_options"], json!({ "include_usage": true }));
    assert_eq!(write(&request, "mistral", "m").0.get("stream_options"), None);
}
