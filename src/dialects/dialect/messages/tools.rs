//! Tools, and whether and what must be called.

use serde_json::Value;

use super::model::Model;
use super::{block, object};
use crate::chat::{Losses, Object, Request, Tool, ToolChoice};
use crate::dialect::strict::{ANTHROPIC, fit};
use crate::dialect::{Dialect, openai};

/// The tools that the model may call: those that `tool_choice` leaves, as Anthropic has no choice among some.
pub(super) fn write(request: &Request, model: Model, losses: &mut Losses) -> Vec<Value> {
    let own = request.dialect == Dialect::Messages;
    let is_allowed = |name: &str| match &request.tool_choice {
        Some(ToolChoice::Allowed { names, .. }) => names.iter().any(|allowed| allowed == name),
        _ => true,
    };
    let mut tools = Vec::new();
    for tool in &request.tools {
        match tool {
            Tool::Function { name, .. } if !is_allowed(name) => {}
            Tool::Function { name, description, parameters, strict, cache, extra } => {
                // "^[a-zA-Z0-9_-]{1,128}$" (https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use): of the others' names, all that is in question is dots and colons.
                if !own && !openai::may_be_called(name, b"") {
                    losses.refuse("tools", format!("Anthropic takes no tool of the name '{name}'"));
                }
                let mut written = object([("name", name.as_str().into())]);
                // Arguments that Anthropic does not hold to the schema are judged by the gateway all the same.
                let is_held = *strict == Some(true) && !own && model.has_structured_outputs();
                let fitted = parameters.as_ref().filter(|_| is_held).and_then(|schema| fit(schema, &ANTHROPIC));
                let strict = if own { *strict } else { fitted.is_some().then_some(true) };
                let input_schema = match fitted {
                    None if own => parameters.clone(),
                    None => Some(parameters_of(parameters.as_ref(), losses)),
                    fitted => fitted,
                };
                let members = [
                    ("description", description.as_deref().map(Value::from)),
                    ("input_schema", input_schema),
                    ("strict", strict.map(Value::from)),
                    ("cache_control", cache.clone()),
                ];
                written.extend(members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
                if own {
                    written.extend(extra.clone());
                } else {
                    losses.unknown("tools[].", extra);
                }
                tools.push(Value::Object(written));
            }
            Tool::Hosted(tool) if own => tools.push(tool.clone()),
            Tool::Hosted(_) => losses.refuse("tools", "a tool that runs at another provider is not Anthropic's"),
            Tool::Custom { .. } => losses.refuse("tools", "Anthropic's API has no custom tools"),
        }
    }
    tools
}

/// A schema that says of itself that it is an object's, without which Anthropic refuses it ("Field required"), and which has no
/// alternatives at its root, which it refuses as well: their properties are all allowed then.
fn parameters_of(parameters: Option<&Value>, losses: &mut Losses) -> Value {
    let mut written = match parameters {
        Some(Value::Object(parameters)) => parameters.clone(),
        _ => Object::new(),
    };
    for name in ["anyOf", "oneOf", "allOf"] {
        let Some(Value::Array(branches)) = written.shift_remove(name) else { continue };
        losses.ignore(format!("tools[].parameters.{name}"));
        for branch in branches {
            let Some(Value::Object(properties)) = branch.get("properties") else { continue };
            if let Value::Object(ours) = written.entry("properties").or_insert_with(|| Value::Object(Object::new())) {
                for (name, property) in properties {
                    ours.entry(name.clone()).or_insert_with(|| property.clone());
                }
            }
        }
    }
    if written.get("type").and_then(Value::as_str) == Some("object") {
        return Value::Object(written);
    }
    written.shift_remove("type");
    let mut typed = object([("type", "object".into())]);
    if written.is_empty() {
        typed.insert("properties".to_owned(), Value::Object(Object::new()));
    }
    typed.extend(written);
    Value::Object(typed)
}

/// `tool_choice`.
pub(super) fn choice(request: &Request, model: Model, has_tools: bool, losses: &mut Losses) -> Option<Object> {
    let own = request.dialect == Dialect::Messages;
    let written = match &request.tool_choice {
        None => None,
        Some(ToolChoice::Auto | ToolChoice::Allowed { required: false, .. }) => Some(block("auto", [])),
        Some(ToolChoice::None) => Some(block("none", [])),
        Some(ToolChoice::Required | ToolChoice::Allowed { required: true, .. }) => Some(block("any", [])),
        Some(ToolChoice::Named(name)) => Some(block("tool", [("name", name.as_str().into())])),
        Some(ToolChoice::Hosted(choice)) if own => choice.as_object().cloned(),
        Some(ToolChoice::Hosted(_)) => {
            losses.refuse("tool_choice", "a tool that runs at another provider is not Anthropic's");
            None
        }
    };
    if own {
        return match (written, request.parallel_tool_calls) {
            (Some(mut choice), Some(parallel)) => {
                choice.insert("disable_parallel_tool_use".to_owned(), (!parallel).into());
                Some(choice)
            }
            (choice, _) => choice,
        };
    }
    // A choice without tools is refused.
    if !has_tools {
        return None;
    }
    let kind = written.as_ref().and_then(|choice| super::text(choice, "type")).unwrap_or("auto");
    if matches!(kind, "any" | "tool") && !model.can_be_forced() {
        losses.refuse("tool_choice", "this model of Anthropic's cannot be made to call a tool");
        return None;
    }
    if request.parallel_tool_calls == Some(false) && kind != "none" {
        let mut choice = written.unwrap_or_else(|| block("auto", []));
        choice.insert("disable_parallel_tool_use".to_owned(), true.into());
        return Some(choice);
    }
    written
}
