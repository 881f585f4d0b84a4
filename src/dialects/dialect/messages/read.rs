//! A client's request as the canonical one.

use serde_json::Value;

use super::blocks;
use crate::chat::{Effort, Fields, Format, Message, Object, Part, Reading, Request, Role, Thinking, Tool, ToolChoice};
use crate::dialect::Dialect;

/// Reads a request. The model is whoever's routes it is to know.
pub fn read(body: Object) -> Reading<Request> {
    let mut fields = Fields::root(body);
    let mut request = Request::new(Dialect::Messages);
    fields.any("model");
    if let Some(parts) = blocks::content(&mut fields, "system")? {
        request.messages.push(Message::new(Role::System, parts));
    }
    for message in fields.objects("messages")?.ok_or_else(|| fields.missing("messages", "an array of messages"))? {
        read_message(message, &mut request.messages)?;
    }
    for tool in fields.objects("tools")?.into_iter().flatten() {
        request.tools.push(read_tool(tool)?);
    }
    if let Some(choice) = fields.object("tool_choice")? {
        (request.tool_choice, request.parallel_tool_calls) = read_tool_choice(choice)?;
    }
    request.max_tokens = fields.whole("max_tokens")?;
    request.temperature = fields.number("temperature")?;
    request.top_p = fields.number("top_p")?;
    request.top_k = fields.number("top_k")?;
    request.stop = fields.texts("stop_sequences")?.unwrap_or_default();
    request.stream = fields.boolean("stream")?.unwrap_or(false);
    request.cache_control = fields.any("cache_control");
    let thinking = fields.object("thinking")?;
    let output = fields.object("output_config")?;
    let former = fields.any("output_format");
    let metadata = fields.object("metadata")?;
    let mut extra = fields.rest();
    if let Some(thinking) = thinking {
        request.thinking = read_thinking(thinking, &mut extra)?;
    }
    if let Some(mut output) = output {
        // A word that is not known yet stays where it is.
        if let Some(effort) = output.peek("effort").and_then(Value::as_str).and_then(Effort::parse) {
            output.any("effort");
            request.thinking.get_or_insert_default().effort = Some(effort);
        }
        request.format = output.any("format").map(read_format);
        keep(&mut extra, "output_config", output.rest());
    }
    // Its place in the beta of structured outputs.
    if let Some(former) = former {
        request.format.get_or_insert_with(|| read_format(former));
    }
    if let Some(mut metadata) = metadata {
        request.user = metadata.text("user_id")?;
        keep(&mut extra, "metadata", metadata.rest());
    }
    request.extra = extra;
    Ok(request)
}

fn keep(extra: &mut Object, name: &str, rest: Object) {
    if !rest.is_empty() {
        extra.insert(name.to_owned(), Value::Object(rest));
    }
}

/// One message of Anthropic's is up to two here: the tool results that begin a user's are what tools say.
fn read_message(mut fields: Fields, messages: &mut Vec<Message>) -> Reading<()> {
    let role = match fields.needs_text("role")?.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        // In the middle of a conversation, known to the newest models.
        "system" => Role::System,
        other => return Err(fields.unknown_word("role", other, "'user' or 'assistant'")),
    };
    let Some(mut parts) = blocks::content(&mut fields, "content")? else {
        return Err(fields.missing("content", "a string or an array of content blocks"));
    };
    let mut rest = Message::new(role, Vec::new());
    rest.extra = fields.rest();
    let results = parts.iter().take_while(|part| role == Role::User && blocks::is_result(part)).count();
    let said = parts.split_off(results);
    if results > 0 {
        let extra = if said.is_empty() { std::mem::take(&mut rest.extra) } else { Object::new() };
        messages.push(Message { extra, ..Message::new(Role::Tool, parts) });
    }
    if results == 0 || !said.is_empty() {
        rest.parts = said;
        messages.push(rest);
    }
    Ok(())
}

fn read_tool(mut fields: Fields) -> Reading<Tool> {
    match fields.peek("type").and_then(Value::as_str) {
        None => {}
        Some("custom") => drop(fields.any("type")),
        Some(_) => return Ok(Tool::Hosted(fields.whole_value())),
    }
    Ok(Tool::Function {
        name: fields.needs_text("name")?,
        description: fields.text("description")?,
        parameters: fields.any("input_schema"),
        strict: fields.boolean("strict")?,
        cache: fields.any("cache_control"),
        extra: fields.rest(),
    })
}

fn read_tool_choice(mut fields: Fields) -> Reading<(Option<ToolChoice>, Option<bool>)> {
    let parallel = fields.boolean("disable_parallel_tool_use")?.map(|disabled| !disabled);
    let choice = match fields.needs_text("type")?.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Named(fields.needs_text("name")?),
        other => return Err(fields.unknown_word("type", other, "'auto', 'any', 'tool' or 'none'")),
    };
    Ok((Some(choice), parallel))
}

fn read_thinking(mut fields: Fields, extra: &mut Object) -> Reading<Option<Thinking>> {
    let mut thinking = Thinking::default();
    match fields.peek("type").and_then(Value::as_str) {
        Some("enabled") => {
            thinking.budget = fields.whole("budget_tokens")?;
            if thinking.budget.is_none() {
                return Err(fields.missing("budget_tokens", "a whole number of at least 1024"));
            }
        }
        Some("disabled") => thinking.budget = Some(0),
        Some("adaptive") => thinking.adaptive = true,
        // A mode of a later model's.
        Some(_) => {
            extra.insert("thinking".to_owned(), fields.whole_value());
            return Ok(None);
        }
        None => return Err(fields.missing("type", "'enabled', 'adaptive' or 'disabled'")),
    }
    fields.any("type");
    thinking.shown = match fields.peek("display").and_then(Value::as_str) {
        Some("summarized") => Some(true),
        Some("omitted") => Some(false),
        _ => None,
    };
    if thinking.shown.is_some() {
        fields.any("display");
    }
    thinking.extra = fields.rest();
    Ok(Some(thinking))
}

fn read_format(value: Value) -> Format {
    match value {
        Value::Object(mut format) if super::text(&format, "type") == Some("json_schema") && format.len() == 2 => {
            match format.shift_remove("schema") {
                Some(schema) => Format::JsonSchema { name: None, description: None, schema, strict: None },
                None => Format::Other(Value::Object(format)),
            }
        }
        other => Format::Other(other),
    }
}

/// A text part.
pub(super) fn plain(text: String) -> Vec<Part> {
    if text.is_empty() { Vec::new() } else { vec![Part::text(text)] }
}
