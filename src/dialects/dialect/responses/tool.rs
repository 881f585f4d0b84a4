//! Tools, the choice among them, and the text's form, as Responses writes them: for a provider, and for a client that is told its own again.

use serde_json::Value;

use super::{object, put};
use crate::chat::{Format, Losses, Object, Request, Thinking, Tool, ToolChoice};
use crate::dialect::{Dialect, openai};

/// The tools. Of a tool of another dialect's, arguments need not obey the schema unless the client said so, which here is the default
/// ("Function calling", "Strict mode").
pub(super) fn tools(request: &Request, losses: &mut Losses) -> Vec<Value> {
    let own = request.dialect == Dialect::Responses;
    let mut tools = Vec::new();
    for tool in &request.tools {
        match tool {
            Tool::Function { name, description, parameters, strict, cache, extra } => {
                let mut written = object([("type", "function".into()), ("name", name.as_str().into())]);
                put(&mut written, "description", description.clone());
                let nothing = || Value::Object(object([("type", "object".into()), ("properties", Object::new().into())]));
                let schema = parameters.clone();
                let parameters = if own { schema } else { Some(schema.map_or_else(nothing, openai::parameters)) };
                put(&mut written, "parameters", parameters);
                put(&mut written, "strict", strict.or_else(|| (!own).then_some(false)));
                finish(written, own, cache.is_some(), extra, &mut tools, losses);
            }
            Tool::Custom { name, description, format, extra } => {
                let mut written = object([("type", "custom".into()), ("name", name.as_str().into())]);
                put(&mut written, "description", description.clone());
                let format = format.as_ref().map(|format| if own { format.clone() } else { openai::flat(format) });
                put(&mut written, "format", format);
                finish(written, own, false, extra, &mut tools, losses);
            }
            Tool::Hosted(tool) if own => tools.push(tool.clone()),
            Tool::Hosted(tool) => {
                let kind = tool.get("type").and_then(Value::as_str).unwrap_or("a hosted tool");
                losses.refuse("tools", format!("the tool '{kind}' runs at another provider"));
            }
        }
    }
    tools
}

fn finish(mut tool: Object, own: bool, cached: bool, extra: &Object, tools: &mut Vec<Value>, losses: &mut Losses) {
    if own {
        tool.extend(extra.clone());
    } else {
        let name = super::text(&tool, "name").unwrap_or_default();
        if !openai::may_be_called(name, b"") {
            losses.refuse("tools", format!("the Responses API takes no tool of the name '{name}'"));
        }
        losses.unknown("tools[].", extra);
    }
    if cached {
        losses.ignore("tools[].cache_control");
    }
    tools.push(Value::Object(tool));
}

/// The choice.
pub(super) fn choice(request: &Request, losses: &mut Losses) -> Option<Value> {
    Some(match request.tool_choice.as_ref()? {
        ToolChoice::Auto => "auto".into(),
        ToolChoice::None => "none".into(),
        ToolChoice::Required => "required".into(),
        ToolChoice::Named(name) => named(request, name),
        ToolChoice::Allowed { names, required } => {
            let tools: Vec<Value> = names.iter().map(|name| named(request, name)).collect();
            let mode = if *required { "required" } else { "auto" };
            Value::Object(object([("type", "allowed_tools".into()), ("mode", mode.into()), ("tools", tools.into())]))
        }
        ToolChoice::Hosted(choice) if request.dialect == Dialect::Responses => choice.clone(),
        ToolChoice::Hosted(_) => {
            losses.refuse("tool_choice", "it names a tool that runs at another provider");
            return None;
        }
    })
}

fn named(request: &Request, wanted: &str) -> Value {
    let is_custom = request.tools.iter().any(|tool| matches!(tool, Tool::Custom { name, .. } if name == wanted));
    let kind = if is_custom { "custom" } else { "function" };
    Value::Object(object([("type", kind.into()), ("name", wanted.into())]))
}

/// `text`: the form of the answer's text, and how many words.
pub(super) fn text(request: &Request, losses: &mut Losses) -> Object {
    let mut text = Object::new();
    let own = request.dialect == Dialect::Responses;
    if let Some(Value::Object(rest)) = request.extra.get("text").filter(|_| own) {
        text.clone_from(rest);
    }
    let of_type = |kind: &str| object([("type", kind.into())]);
    let format = request.format.as_ref().and_then(|format| match format {
        Format::Text => Some(of_type("text")),
        Format::JsonObject => Some(of_type("json_object")),
        Format::JsonSchema { name, description, schema, strict } => {
            let mut format = of_type("json_schema");
            // A name must be there, of letters, digits, _ and -.
            let name = name.clone().unwrap_or_else(|| "response".to_owned());
            format.insert("name".to_owned(), name.into());
            put(&mut format, "description", description.clone());
            format.insert("schema".to_owned(), schema.clone());
            put(&mut format, "strict", *strict);
            Some(format)
        }
        Format::Other(Value::Object(format)) if own => Some(format.clone()),
        Format::Other(_) => {
            losses.refuse("response_format", "it has a form of another provider's");
            None
        }
    });
    put(&mut text, "format", format);
    put(&mut text, "verbosity", request.verbosity.clone());
    text
}

/// Whether a model of `OpenAI`'s has no other endpoint than this one, as its page says ("Responses" alone, <https://platform.openai.com/docs/models>): Codex, the
/// pro models, those of deep research and of computer use. Elsewhere they are 404, "only supported in v1/responses and not in v1/chat/completions".
#[must_use]
pub fn alone_has(model: &str) -> bool {
    let name = model.rsplit_once('/').map_or(model, |(_, name)| name);
    let is_of_openai = name.starts_with("gpt-5")
        || name.starts_with("codex")
        || name.starts_with("computer-use")
        || reasons(name) == Some(true);
    is_of_openai && name.split('-').any(|word| matches!(word, "codex" | "pro" | "research" | "computer"))
}

/// Whether a model of `OpenAI`'s reasons; none where that cannot be told from its name.
#[must_use]
pub fn reasons(model: &str) -> Option<bool> {
    let name = model.rsplit_once('/').map_or(model, |(_, name)| name);
    let number = |prefix: &str| name.strip_prefix(prefix)?.bytes().next().filter(u8::is_ascii_digit);
    if number("o").is_some() {
        return Some(true);
    }
    match number("gpt-") {
        Some(b'1'..=b'4') => Some(false),
        // gpt-5-chat-latest is what ChatGPT answers with, and does not reason.
        Some(_) if name.contains("-chat") => Some(false),
        Some(_) => Some(true),
        None if name.starts_with("chatgpt-") => Some(false),
        None => None,
    }
}

/// Whether the model reasons even where nobody asks it to, and then takes neither `temperature` nor `top_p`: all that do before gpt-5.1.
pub(super) fn always_reasons(model: &str) -> bool {
    let name = model.rsplit_once('/').map_or(model, |(_, name)| name);
    reasons(model) == Some(true) && !name.strip_prefix("gpt-5").is_some_and(|rest| rest.starts_with('.')) && !newer(name)
}

/// After gpt-5 and its minor versions.
fn newer(name: &str) -> bool {
    name.strip_prefix("gpt-").and_then(|rest| rest.bytes().next()).is_some_and(|digit| matches!(digit, b'6'..=b'9'))
}

/// `reasoning`, as it was asked for: what a client is told again.
pub(super) fn reasoning(thinking: &Thinking) -> Object {
    let mut reasoning = Object::new();
    put(&mut reasoning, "effort", thinking.effort.map(crate::chat::Effort::word));
    put(&mut reasoning, "summary", thinking.summary.clone());
    reasoning.extend(thinking.extra.clone());
    reasoning
}
