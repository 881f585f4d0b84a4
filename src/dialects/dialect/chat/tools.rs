//! The tools of a request for a provider, and the choice among them.

use serde_json::{Value, json};

use super::write::Writing;
use super::{put, speak};
use crate::chat::{Losses, Object, Tool, ToolChoice};
use crate::dialect::openai;

/// Writes `tools`, `tool_choice` and `parallel_tool_calls`.
pub(super) fn write(writing: &Writing<'_>, body: &mut Object, losses: &mut Losses) {
    let request = writing.request;
    let lacks_choice = writing.quirks.lacks("tool_choice");
    // A choice among some is the same as a choice among all where there are no others.
    let allowed = match &request.tool_choice {
        Some(ToolChoice::Allowed { names, .. }) if !writing.may("allowed_tools") => Some(names),
        Some(ToolChoice::None) if lacks_choice => return,
        _ => None,
    };
    let is_offered = |tool: &&Tool| match tool {
        Tool::Function { name, .. } | Tool::Custom { name, .. } => allowed.is_none_or(|names| names.contains(name)),
        Tool::Hosted(_) => true,
    };
    let written: Vec<Value> =
        request.tools.iter().filter(is_offered).filter_map(|tool| self::tool(writing, tool, losses)).collect();
    if writing.quirks.lacks("tools") && !written.is_empty() {
        losses.refuse("tools", "the target calls no tools");
        return;
    }
    // Without tools, neither is allowed.
    if written.is_empty() && !writing.own {
        return;
    }
    if !written.is_empty() {
        body.insert("tools".to_owned(), written.into());
    }
    if let Some(choice) = choice(writing, losses) {
        match (lacks_choice, choice.as_str()) {
            (false, _) => drop(body.insert("tool_choice".to_owned(), choice)),
            (true, Some("auto")) => {}
            (true, _) => losses.refuse("tool_choice", "the target cannot be made to call a tool"),
        }
    }
    match request.parallel_tool_calls {
        Some(parallel) if !writing.quirks.lacks("parallel_tool_calls") => put(body, "parallel_tool_calls", Some(parallel)),
        Some(false) => losses.ignore("parallel_tool_calls"),
        _ => {}
    }
}

fn tool(writing: &Writing<'_>, tool: &Tool, losses: &mut Losses) -> Option<Value> {
    let (kind, mut inner, cache, extra) = match tool {
        Tool::Function { name, description, parameters, strict, cache, extra } => {
            let mut function = Object::new();
            function.insert("name".to_owned(), name.as_str().into());
            put(&mut function, "description", description.clone());
            let schema = parameters.clone();
            put(&mut function, "parameters", if writing.own { schema } else { schema.map(openai::parameters) });
            // Elsewhere, the default is not to be strict, and few know the word.
            let says_so = writing.own || writing.quirks.original || *strict == Some(true);
            put(&mut function, "strict", strict.filter(|_| says_so));
            ("function", function, cache.clone(), extra)
        }
        Tool::Custom { name, description, format, extra } if writing.may("custom") => {
            let mut custom = Object::new();
            custom.insert("name".to_owned(), name.as_str().into());
            put(&mut custom, "description", description.clone());
            let format = format.as_ref().map(|format| if writing.own { format.clone() } else { openai::nested(format) });
            put(&mut custom, "format", format);
            ("custom", custom, None, extra)
        }
        Tool::Custom { .. } => {
            losses.refuse("tools", "the target knows no custom tools");
            return None;
        }
        Tool::Hosted(tool) if writing.own => return Some(tool.clone()),
        Tool::Hosted(tool) => {
            let kind = tool.get("type").and_then(Value::as_str).unwrap_or("a hosted tool");
            losses.refuse("tools", format!("the tool '{kind}' runs at another provider"));
            return None;
        }
    };
    // Of the others nothing is known.
    let name = inner.get("name").and_then(Value::as_str).unwrap_or_default();
    if writing.quirks.original && !writing.own && !openai::may_be_called(name, b"") {
        losses.refuse("tools", format!("the target takes no tool of the name '{name}'"));
    }
    let mut outer = Object::new();
    outer.insert("type".to_owned(), kind.into());
    let mut extra = extra.clone();
    if writing.own {
        if let Some(Value::Object(rest)) = extra.shift_remove(kind) {
            inner.extend(rest);
        }
        outer.extend(extra);
    } else {
        losses.unknown("tools[].", &extra);
    }
    outer.insert(kind.to_owned(), inner.into());
    match cache {
        Some(cache) if speak::may_mark(writing) => drop(outer.insert("cache_control".to_owned(), cache)),
        Some(_) => losses.ignore("tools[].cache_control"),
        None => {}
    }
    Some(Value::Object(outer))
}

fn choice(writing: &Writing<'_>, losses: &mut Losses) -> Option<Value> {
    let named = |name: &str| {
        let is_custom =
            writing.request.tools.iter().any(|tool| matches!(tool, Tool::Custom { name: custom, .. } if custom == name));
        let kind = if is_custom { "custom" } else { "function" };
        json!({ "type": kind, kind: { "name": name } })
    };
    match writing.request.tool_choice.as_ref()? {
        ToolChoice::Auto => Some("auto".into()),
        ToolChoice::None => Some("none".into()),
        ToolChoice::Required => Some("required".into()),
        ToolChoice::Named(name) => Some(named(name)),
        ToolChoice::Allowed { names, required } => {
            let mode = if *required { "required" } else { "auto" };
            if !writing.may("allowed_tools") {
                return Some(mode.into());
            }
            let tools: Vec<Value> = names.iter().map(|name| named(name)).collect();
            Some(json!({ "type": "allowed_tools", "allowed_tools": { "mode": mode, "tools": tools } }))
        }
        ToolChoice::Hosted(choice) if writing.own => Some(choice.clone()),
        ToolChoice::Hosted(_) => {
            losses.refuse("tool_choice", "the tool runs at another provider");
            None
        }
    }
}
