//! What a response says again of its request, and the rest of its frame.

use serde_json::Value;

use super::{MINTED, object, put, tool, turn};
use crate::chat::{Losses, Object, Usage};
use crate::dialect::Manner;

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
        ("service_tier", request.service_tier.as_deref().unwrap_or("default").into()),
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
pub(super) fn usage(usage: Usage) -> Value {
    let mut of_input = object([("cached_tokens", usage.cached.unwrap_or(0).into())]);
    put(&mut of_input, "cache_write_tokens", usage.cache_written);
    put(&mut of_input, "audio_tokens", usage.audio_input);
    let mut of_output = object([("reasoning_tokens", usage.reasoning.unwrap_or(0).into())]);
    put(&mut of_output, "audio_tokens", usage.audio_output);
    let mut written = object([
        ("input_tokens", usage.input.into()),
        ("input_tokens_details", of_input.into()),
        ("output_tokens", usage.output.into()),
        ("output_tokens_details", of_output.into()),
        ("total_tokens", usage.total.unwrap_or(usage.input + usage.output).into()),
    ]);
    written.extend(usage.extra);
    written.into()
}

/// A citation: Chat Completions nests what stands beside the type here. Others pass as they are.
pub(super) fn note(note: Value) -> Value {
    match note {
        Value::Object(mut note) => match note.get_mut("url_citation").map(Value::take) {
            Some(Value::Object(cited)) => {
                let mut flat = object([("type", "url_citation".into())]);
                flat.extend(cited);
                flat.into()
            }
            _ => note.into(),
        },
        other => other,
    }
}
