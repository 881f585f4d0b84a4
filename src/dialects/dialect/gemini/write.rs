//! A request for `generateContent`.

use serde_json::{Value, json};

use super::model::Model;
use super::{config, contents, tools};
use crate::chat::{Format, Losses, Object, Request, says};
use crate::dialect::{Dialect, Recipient};

/// A field's name in the client's dialect.
pub(super) fn named(request: &Request, chat: &'static str, responses: &'static str, messages: &'static str) -> &'static str {
    match request.dialect {
        Dialect::Chat | Dialect::Completions | Dialect::Gemini => chat,
        Dialect::Responses => responses,
        Dialect::Messages => messages,
    }
}

/// Writes a request for a provider, and notes what of it could not be said.
#[must_use]
pub fn write(request: &Request, to: &Recipient<'_>, losses: &mut Losses) -> Value {
    let model = Model::of(to.model);
    let (mut system, mut spoken) = contents::write(request, model, losses);
    let declared = tools::write(request, model, losses);
    let generation = config::write(request, model, losses);
    let asks_for_json = matches!(request.format, Some(Format::JsonObject | Format::JsonSchema { .. }));
    if asks_for_json && !config::formats(request, model) {
        losses.emulate();
        system.extend(request.format.as_ref().map(Format::in_words));
    }
    if system.is_empty() && spoken.is_empty() {
        spoken.push(user_text("Continue."));
    } else if spoken.is_empty() {
        // Instructions alone are a prompt elsewhere; here a request without contents is refused.
        spoken.push(user_text(&std::mem::take(&mut system).join("\n\n")));
    } else if !model.is_gemini() && !system.is_empty() {
        // "Developer instruction is not enabled for models/gemma-…".
        spoken.insert(0, user_text(&std::mem::take(&mut system).join("\n\n")));
        merge_first_two(&mut spoken);
    }
    ignored(request, losses);

    let mut body = Object::new();
    if !system.is_empty() {
        let parts: Vec<Value> = system.into_iter().map(|text| json!({ "text": text })).collect();
        body.insert("systemInstruction".to_owned(), json!({ "parts": parts }));
    }
    body.insert("contents".to_owned(), Value::Array(spoken));
    if let Some((declarations, choice)) = declared {
        body.insert("tools".to_owned(), json!([{ "functionDeclarations": declarations }]));
        if let Some(choice) = choice {
            body.insert("toolConfig".to_owned(), json!({ "functionCallingConfig": choice }));
        }
    }
    if !generation.is_empty() {
        body.insert("generationConfig".to_owned(), Value::Object(generation));
    }
    Value::Object(body)
}

fn user_text(text: &str) -> Value {
    json!({ "role": "user", "parts": [{ "text": text }] })
}

/// Roles alternate: two turns of the user's are one.
fn merge_first_two(spoken: &mut Vec<Value>) {
    let is_user = |content: Option<&Value>| content.is_some_and(|content| content.get("role") == Some(&Value::from("user")));
    if is_user(spoken.first()) && is_user(spoken.get(1)) {
        let second = spoken.remove(1);
        let more = second.get("parts").and_then(Value::as_array).cloned().unwrap_or_default();
        if let Some(Value::Array(parts)) = spoken.first_mut().and_then(|first| first.get_mut("parts")) {
            parts.extend(more);
        }
    }
}

/// What Gemini has no words for and the answer is right without.
fn ignored(request: &Request, losses: &mut Losses) {
    if request.parallel_tool_calls == Some(false) {
        losses.ignore(named(request, "parallel_tool_calls", "parallel_tool_calls", "tool_choice.disable_parallel_tool_use"));
    }
    let says_text = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    if says_text(&request.user) {
        losses.ignore(named(request, "user", "user", "metadata.user_id"));
    }
    if request.metadata.as_ref().is_some_and(says) {
        losses.ignore("metadata");
    }
    if request.store == Some(true) {
        losses.ignore("store");
    }
    if request.service_tier.as_deref().is_some_and(|tier| !matches!(tier, "auto" | "default" | "standard_only")) {
        losses.ignore("service_tier");
    }
    if request.verbosity.is_some() {
        losses.ignore(named(request, "verbosity", "text.verbosity", "verbosity"));
    }
    if says_text(&request.prompt_cache_key) {
        losses.ignore("prompt_cache_key");
    }
    if request.cache_control.is_some() {
        losses.ignore("cache_control");
    }
    losses.unknown("", &request.extra);
}
