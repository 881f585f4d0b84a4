//! What a response says again of its request, and the rest of its frame.

use serde_json::Value;

use super::{MINTED, object, tool, turn};
use crate::chat::{Losses, Object, Usage};
use crate::dialect::Manner;
use crate::dialect::chat::is_tier;

/// A response of which nothing has been said yet. Its members are those that `OpenAI` sends, whose SDKs count on most of them.
pub(super) fn response(manner: &Manner) -> Object {
    let request = &manner.request;
    let mut unsaid = Losses::new();
    let extra = |name: &str| request.extra.get(name).cloned().unwrap_or_default();
    let text = |value: &Option<String>| value.as_deref().map_or(Value::Null, Value::from);
    let number = |value: &Option<Value>, default: f64| value.clone().unwrap_or_else(|| default.into());
    let mut reasoning = object([("effort", Value::Null), ("summary", Value::Null)]);
    reasoning.extend(request.thinking.as_ref().map(tool::reasoning).unwrap_or_default());
    let mut form = object([("format", Value::Object(object([("type", "text".into())])))]);
    form.extend(tool::text(request, &mut unsaid));
    let (instructions, _) = turn::instructions(request);
    let tier = request.service_tier.as_deref().filter(|tier| is_tier(tier)).unwrap_or("default");
    object([
        ("id", format!("resp{MINTED}{:016x}", manner.seed).into()),
        ("object", "response".into()),
        ("created_at", manner.now.into()),
        ("status", "in_progress".into()),
        ("background", false.into()),
        ("completed_at", Value::Null),
        ("error", Value::Null),
        ("frequency_penalty", 0.0.into()),
        ("incomplete_details", Value::Null),
        ("instructions", instructions.into()),
        ("max_output_tokens", request.max_tokens.into()),
        ("max_tool_calls", extra("max_tool_calls")),
        ("model", "".into()),
        ("output", Vec::<Value>::new().into()),
        ("parallel_tool_calls", request.parallel_tool_calls.unwrap_or(true).into()),
        ("presence_penalty", 0.0.into()),
        ("previous_response_id", Value::Null),
        ("prompt_cache_key", text(&request.prompt_cache_key)),
        ("reasoning", reasoning.into()),
        ("safety_identifier", Value::Null),
        ("service_tier", tier.into()),
        ("store", false.into()),
        ("temperature", number(&request.temperature, 1.0)),
        ("text", form.into()),
        ("tool_choice", tool::choice(request, &mut unsaid).unwrap_or_else(|| "auto".into())),
        ("tools", tool::tools(request, &mut unsaid).into()),
        ("top_logprobs", request.top_logprobs.unwrap_or(0).into()),
        ("top_p", number(&request.top_p, 1.0)),
        ("truncation", request.extra.get("truncation").cloned().unwrap_or_else(|| "disabled".into())),
        ("usage", Value::Null),
        ("user", text(&request.user)),
        ("metadata", request.metadata.clone().unwrap_or_else(|| Object::new().into())),
    ])
}

/// The cost.
pub(super) fn usage(usage: &Usage) -> Value {
    // Exactly these: what else a provider counts is in its own words, and the official SDKs know no others here.
    let of_input = object([
        ("cached_tokens", usage.cached.unwrap_or(0).into()),
        ("cache_write_tokens", usage.cache_written.unwrap_or(0).into()),
    ]);
    let of_output = object([("reasoning_tokens", usage.reasoning.unwrap_or(0).into())]);
    object([
        ("input_tokens", usage.input.into()),
        ("input_tokens_details", of_input.into()),
        ("output_tokens", usage.output.into()),
        ("output_tokens_details", of_output.into()),
        ("total_tokens", usage.total.unwrap_or(usage.input + usage.output).into()),
    ])
    .into()
}

/// A citation in the dialect's form: Chat Completions nests what stands beside the type here, and Anthropic's have the pages that were cited, without a place in
/// the text ([`is_placed`]). None of what has no form here: a document of another provider's has no file id.
pub(super) fn note(note: Value) -> Option<Object> {
    let Value::Object(mut note) = note else { return None };
    match super::text(&note, "type")? {
        "url_citation" => {}
        "web_search_result_location" => {
            note = ["url", "title"].into_iter().filter_map(|name| Some((name.to_owned(), note.shift_remove(name)?))).collect();
        }
        "file_citation" | "container_file_citation" | "file_path" => return Some(note),
        _ => return None,
    }
    let mut flat = object([("type", "url_citation".into())]);
    match note.get_mut("url_citation").map(Value::take) {
        Some(Value::Object(nested)) => flat.extend(nested),
        _ => flat.extend(note.into_iter().filter(|(name, _)| name != "type")),
    }
    super::text(&flat, "url")?;
    if super::text(&flat, "title").is_none() {
        flat.insert("title".to_owned(), "".into());
    }
    Some(flat)
}

/// Whether a citation says which part of the text it is of, where its form has that.
pub(super) fn is_placed(note: &Object) -> bool {
    super::text(note, "type") != Some("url_citation") || note.contains_key("start_index") && note.contains_key("end_index")
}
