//! `tools` and `toolConfig` (<https://ai.google.dev/api/caching#Tool>).

use serde_json::{Value, json};

use super::model::Model;
use super::schema;
use super::write::named;
use crate::chat::{Losses, Object, Request, Tool, ToolChoice};
use crate::dialect::openai;

/// The declarations, and what is said of their use; none where there are no functions.
pub(super) fn write(request: &Request, model: Model<'_>, losses: &mut Losses) -> Option<(Vec<Value>, Option<Value>)> {
    let mut declarations = Vec::new();
    // Which functions there are to be where some are allowed and none is forced: `allowedFunctionNames` is only for calls that are.
    let only = match &request.tool_choice {
        Some(ToolChoice::Allowed { names, required: false }) => Some(names),
        _ => None,
    };
    let mut strict_one = false;
    for tool in &request.tools {
        match tool {
            Tool::Function { name, description, parameters, strict, cache, extra } => {
                if cache.is_some() {
                    losses.ignore("cache_control");
                }
                losses.unknown(named(request, "tools[].function.", "tools[].", "tools[]."), extra);
                // Where the model is not held to it, the gateway judges its calls, by all of the schema.
                let is_strict = *strict == Some(true);
                strict_one |= is_strict;
                // "Must start with a letter or an underscore", and may hold colons and dots (https://ai.google.dev/api/caching#FunctionDeclaration).
                let begins = name.bytes().next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
                if !begins || !openai::may_be_called(name, b".:") {
                    let at = named(request, "tools[].function.name", "tools[].name", "tools[].name");
                    losses.refuse(at, format!("Gemini takes no function of the name '{name}'"));
                }
                if only.is_none_or(|only| only.contains(name)) {
                    let parameters =
                        parameters.as_ref().map(|parameters| arguments(request, parameters, is_strict, model, losses));
                    declarations.push(declaration(name, description.as_deref(), parameters.flatten()));
                }
            }
            Tool::Custom { .. } => losses.refuse("tools[].type", "Gemini has no custom tools, whose input is text"),
            Tool::Hosted(value) => {
                let kind = value.get("type").and_then(Value::as_str).unwrap_or("a tool of another provider's");
                losses.refuse("tools[].type", format!("'{kind}' runs at another provider"));
            }
        }
    }
    let choice = choice(request, strict_one && model.validates(), !declarations.is_empty(), losses);
    (!declarations.is_empty()).then_some((declarations, choice))
}

fn declaration(name: &str, description: Option<&str>, parameters: Option<(&'static str, Value)>) -> Value {
    let mut declaration = Object::new();
    declaration.insert("name".to_owned(), Value::from(name));
    declaration.extend(description.map(|description| ("description".to_owned(), Value::from(description))));
    declaration.extend(parameters.map(|(member, schema)| (member.to_owned(), schema)));
    Value::Object(declaration)
}

/// The member that a function's schema stands in, and it. None where there is nothing to say: `parameters` refuses an object without properties, and a
/// function without parameters is declared without them.
fn arguments(
    request: &Request,
    schema: &Value,
    is_strict: bool,
    model: Model<'_>,
    losses: &mut Losses,
) -> Option<(&'static str, Value)> {
    let has_none = schema.get("properties").and_then(Value::as_object).is_none_or(Object::is_empty);
    let says_more = ["anyOf", "oneOf", "allOf", "$ref", "patternProperties"].iter().any(|word| schema.get(word).is_some())
        || schema.get("additionalProperties").is_some_and(|more| more != &Value::Bool(false));
    if has_none && !says_more {
        return None;
    }
    if model.takes_json_schema() {
        return Some(("parametersJsonSchema", schema::json_schema(schema)));
    }
    let (subset, lost) = schema::subset(schema);
    if lost && !is_strict {
        losses.ignore(named(request, "tools[].function.parameters", "tools[].parameters", "tools[].input_schema"));
    }
    // An object without properties is refused: what cannot be said at all is left to the model.
    subset.get("properties").is_some().then_some(("parameters", subset))
}

/// `functionCallingConfig`. `ANY` holds arguments to their schema, as `VALIDATED` does where nothing is forced.
fn choice(request: &Request, strict: bool, any: bool, losses: &mut Losses) -> Option<Value> {
    let free = if strict { "VALIDATED" } else { "AUTO" };
    let name = "tool_choice";
    match &request.tool_choice {
        None => strict.then(|| json!({ "mode": free })),
        Some(ToolChoice::Auto | ToolChoice::Allowed { required: false, .. }) => Some(json!({ "mode": free })),
        Some(ToolChoice::None) => Some(json!({ "mode": "NONE" })),
        Some(ToolChoice::Required) => {
            if !any {
                losses.refuse(name, "there is no function that could be called");
            }
            Some(json!({ "mode": "ANY" }))
        }
        Some(ToolChoice::Named(tool)) => forced(request, std::slice::from_ref(tool), losses),
        Some(ToolChoice::Allowed { names, required: true }) => forced(request, names, losses),
        Some(ToolChoice::Hosted(_)) => {
            losses.refuse(name, "the tool runs at another provider");
            None
        }
    }
}

/// One of these must be called. A name that is not declared is refused by Gemini with a sentence that nobody understands.
fn forced(request: &Request, names: &[String], losses: &mut Losses) -> Option<Value> {
    let declared =
        |wanted: &String| request.tools.iter().any(|tool| matches!(tool, Tool::Function { name, .. } if name == wanted));
    if let Some(missing) = names.iter().find(|name| !declared(name)) {
        losses.refuse("tool_choice", format!("'{missing}' is none of the functions"));
        return None;
    }
    Some(json!({ "mode": "ANY", "allowedFunctionNames": names }))
}
