//! A client's request, all but its items.

use serde_json::Value;

use super::item::Conversation;
use crate::chat::{Effort, Fields, Format, Message, Object, Part, Reading, Request, Role, Thinking, Tool, ToolChoice};
use crate::dialect::Dialect;

/// What `include` says where the reasoning is to be handed out encrypted. Every answer here does.
pub(super) const ENCRYPTED: &str = "reasoning.encrypted_content";

/// What `include` says where log probabilities are wanted.
pub(super) const LOGPROBS: &str = "message.output_text.logprobs";

/// Reads a request. The model is whoever's routes it is to know.
pub fn read(body: Object) -> Reading<Request> {
    let mut fields = Fields::root(body);
    let mut request = Request::new(Dialect::Responses);
    fields.any("model");
    let mut conversation = Conversation::default();
    if let Some(instructions) = fields.text("instructions")? {
        conversation.push(Message::new(Role::System, vec![Part::text(instructions)]));
    }
    let is_continued = ["previous_response_id", "conversation", "prompt"].iter().any(|name| fields.has(name));
    match fields.any("input") {
        Some(Value::String(text)) => conversation.push(Message::new(Role::User, vec![Part::text(text)])),
        Some(Value::Array(items)) => conversation.read(items)?,
        Some(other) => return Err(fields.wrong("input", "a string or an array of items", &other)),
        None if is_continued => {}
        None => return Err(fields.missing("input", "a string or an array of items")),
    }
    request.messages = conversation.finish();
    request.tools = fields.objects("tools")?.into_iter().flatten().map(tool).collect::<Reading<_>>()?;
    request.tool_choice = tool_choice(&mut fields)?;
    request.parallel_tool_calls = fields.boolean("parallel_tool_calls")?;
    request.max_tokens = fields.whole("max_output_tokens")?;
    request.temperature = fields.number("temperature")?;
    request.top_p = fields.number("top_p")?;
    request.top_logprobs = fields.whole("top_logprobs")?;
    if let Some(reasoning) = fields.object("reasoning")? {
        request.thinking = Some(thinking(reasoning)?);
    }
    let mut left_of_text = Object::new();
    if let Some(mut text) = fields.object("text")? {
        request.format = text.object("format")?.map(format).transpose()?;
        request.verbosity = text.text("verbosity")?;
        left_of_text = text.rest();
    }
    let mut include = fields.texts("include")?.unwrap_or_default();
    if include.iter().any(|what| what == LOGPROBS) {
        request.logprobs = Some(true);
    }
    include.retain(|what| what != LOGPROBS && what != ENCRYPTED);
    request.user = fields.text("user")?;
    if request.user.is_none() {
        request.user = fields.text("safety_identifier")?;
    }
    request.metadata = fields.any("metadata");
    request.store = fields.boolean("store")?;
    request.service_tier = fields.text("service_tier")?;
    request.prompt_cache_key = fields.text("prompt_cache_key")?;
    request.stream = fields.boolean("stream")?.unwrap_or(false);
    // What only states the default is nothing that another dialect could fail to say.
    if fields.peek("background") == Some(&Value::Bool(false)) {
        fields.any("background");
    }
    if fields.peek("truncation").and_then(Value::as_str) == Some("disabled") {
        fields.any("truncation");
    }
    request.extra = fields.rest();
    if !left_of_text.is_empty() {
        request.extra.insert("text".to_owned(), Value::Object(left_of_text));
    }
    if !include.is_empty() {
        request.extra.insert("include".to_owned(), Value::from(include));
    }
    Ok(request)
}

fn tool(mut fields: Fields) -> Reading<Tool> {
    match fields.peek("type").and_then(Value::as_str) {
        Some("function") => {
            fields.any("type");
            Ok(Tool::Function {
                name: fields.needs_text("name")?,
                description: fields.text("description")?,
                parameters: fields.any("parameters"),
                strict: fields.boolean("strict")?,
                cache: None,
                extra: fields.rest(),
            })
        }
        Some("custom") => {
            fields.any("type");
            Ok(Tool::Custom {
                name: fields.needs_text("name")?,
                description: fields.text("description")?,
                format: fields.any("format"),
                extra: fields.rest(),
            })
        }
        Some(_) => Ok(Tool::Hosted(fields.whole_value())),
        None => Err(fields.missing("type", "'function', 'custom' or the type of a hosted tool")),
    }
}

fn tool_choice(fields: &mut Fields) -> Reading<Option<ToolChoice>> {
    const WORDS: &str = "'auto', 'none', 'required' or an object";
    let choice = match fields.any("tool_choice") {
        None => return Ok(None),
        Some(Value::String(word)) => match word.as_str() {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" => ToolChoice::Required,
            other => return Err(fields.unknown_word("tool_choice", other, WORDS)),
        },
        Some(value @ Value::Object(_)) => {
            let mut choice = Fields::of(value, "tool_choice")?;
            match choice.peek("type").and_then(Value::as_str) {
                Some("function" | "custom") => ToolChoice::Named(choice.needs_text("name")?),
                Some("allowed_tools") => allowed(choice)?,
                Some(_) => ToolChoice::Hosted(choice.whole_value()),
                None => {
                    return Err(choice.missing("type", "'function', 'custom', 'allowed_tools' or the type of a hosted tool"));
                }
            }
        }
        Some(other) => return Err(fields.wrong("tool_choice", WORDS, &other)),
    };
    Ok(Some(choice))
}

/// A choice among tools: among hosted ones too, it is one that only a provider of the dialect's own understands.
fn allowed(mut choice: Fields) -> Reading<ToolChoice> {
    let required = match choice.peek("mode").and_then(Value::as_str) {
        Some("required") => true,
        Some("auto") | None => false,
        Some(other) => return Err(choice.unknown_word("mode", other, "'auto' or 'required'")),
    };
    let tools = choice.peek("tools").and_then(Value::as_array);
    let name = |tool: &Value| {
        let is_own = matches!(tool.get("type").and_then(Value::as_str), Some("function" | "custom"));
        tool.get("name").and_then(Value::as_str).filter(|_| is_own).map(str::to_owned)
    };
    match tools.map(|tools| tools.iter().map(name).collect::<Option<Vec<String>>>()) {
        Some(Some(names)) => Ok(ToolChoice::Allowed { names, required }),
        Some(None) => Ok(ToolChoice::Hosted(choice.whole_value())),
        None => Err(match choice.any("tools") {
            Some(other) => choice.wrong("tools", "an array of tools", &other),
            None => choice.missing("tools", "an array of tools"),
        }),
    }
}

fn thinking(mut fields: Fields) -> Reading<Thinking> {
    let words = "'none', 'minimal', 'low', 'medium', 'high', 'xhigh' or 'max'";
    let effort =
        fields.text("effort")?.map(|word| Effort::parse(&word).ok_or_else(|| fields.unknown_word("effort", &word, words)));
    let effort = effort.transpose()?;
    Ok(Thinking { effort, summary: fields.text("summary")?, extra: fields.rest(), ..Thinking::default() })
}

fn format(mut fields: Fields) -> Reading<Format> {
    match fields.peek("type").and_then(Value::as_str) {
        Some("text") => Ok(Format::Text),
        Some("json_object") => Ok(Format::JsonObject),
        Some("json_schema") => Ok(Format::JsonSchema {
            name: fields.text("name")?,
            description: fields.text("description")?,
            strict: fields.boolean("strict")?,
            schema: fields.any("schema").ok_or_else(|| fields.missing("schema", "a JSON schema"))?,
        }),
        Some(_) => Ok(Format::Other(fields.whole_value())),
        None => Err(fields.missing("type", "'text', 'json_object' or 'json_schema'")),
    }
}
