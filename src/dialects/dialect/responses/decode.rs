//! A provider's whole answer.

use serde_json::Value;

use super::{object, take_list, take_text, text};
use crate::chat::{Answer, Choice, Finish, Kind, Object, Origin, Part, Reasoning, Seal, ToolCall, Usage};

/// Reads a response; none where it is not one that came to its end.
///
/// Members of items that only this dialect has (ids, `phase`) are not kept: a client of another one could not send them back, and of this one gets
/// the body as it is.
#[must_use]
pub fn decode(mut answer: Object) -> Option<Answer> {
    if !answer.get("output")?.is_array() {
        return None;
    }
    let mut logprobs = Vec::new();
    let mut parts = Vec::new();
    for item in take_list(&mut answer, "output") {
        let Value::Object(item) = item else { return None };
        parts.extend(self::parts(item, &mut logprobs));
    }
    let calls = parts.iter().any(|part| matches!(part.kind, Kind::ToolCall(_)));
    let choice = Choice { finish: Some(finish(&answer, calls)?), parts, logprobs: joined(logprobs), ..Choice::default() };
    let (id, model, created) = head(&answer);
    let usage = answer.get("usage").and_then(usage);
    Some(Answer { id, model, created, usage, choices: vec![choice], extra: extra(&answer) })
}

/// Id, model and time.
pub(super) fn head(answer: &Object) -> (Option<String>, Option<String>, Option<u64>) {
    let own = |name: &str| text(answer, name).filter(|text| !text.is_empty()).map(str::to_owned);
    // LM Studio and others have fractions.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time")]
    let created = |at: &Value| at.as_u64().or_else(|| at.as_f64().map(|at| at as u64));
    (own("id"), own("model"), answer.get("created_at").and_then(created))
}

/// What stands beside the content.
pub(super) fn extra(answer: &Object) -> Object {
    text(answer, "service_tier").map(|tier| object([("service_tier", tier.into())])).unwrap_or_default()
}

/// Why it ended; none where it did not, or failed.
pub(super) fn finish(answer: &Object, calls: bool) -> Option<Finish> {
    match text(answer, "status") {
        Some("completed") | None => Some(if calls { Finish::ToolCalls } else { Finish::Stop }),
        Some("incomplete") => {
            let reason = answer.get("incomplete_details").and_then(|details| details.get("reason")).and_then(Value::as_str);
            Some(match reason {
                Some("content_filter") => Finish::ContentFilter,
                // There are two; whatever else is incomplete must not look whole.
                _ => Finish::Length,
            })
        }
        Some(_) => None,
    }
}

/// What it cost.
pub(super) fn usage(usage: &Value) -> Option<Usage> {
    let mut usage = usage.as_object()?.clone();
    let mut take = |name: &str| usage.shift_remove(name);
    let (input, output, total) = (take("input_tokens")?.as_u64()?, take("output_tokens")?.as_u64()?, take("total_tokens"));
    let (of_input, of_output) = (take("input_tokens_details"), take("output_tokens_details"));
    let detail = |details: &Option<Value>, name: &str| details.as_ref()?.get(name)?.as_u64();
    Some(Usage {
        input,
        output,
        total: total.and_then(|total| total.as_u64()).filter(|total| *total != input + output),
        cached: detail(&of_input, "cached_tokens"),
        // Where it is not known, it is told as none.
        cache_written: detail(&of_input, "cache_write_tokens").filter(|tokens| *tokens > 0),
        audio_input: detail(&of_input, "audio_tokens"),
        reasoning: detail(&of_output, "reasoning_tokens"),
        audio_output: detail(&of_output, "audio_tokens"),
        extra: usage.into_iter().filter(|(_, value)| !value.is_null()).collect(),
    })
}

/// In Chat Completions' form; the tokens have the same one.
pub(super) fn joined(logprobs: Vec<Value>) -> Option<Value> {
    (!logprobs.is_empty()).then(|| Value::Object(object([("content", logprobs.into())])))
}

/// An item as parts. Reasoning of which nothing is handed out is none.
fn parts(mut item: Object, logprobs: &mut Vec<Value>) -> Vec<Part> {
    match text(&item, "type") {
        Some("message") => {
            take_list(&mut item, "content").into_iter().map(|part| said(part, logprobs)).map(Part::new).collect()
        }
        Some("reasoning") => {
            let seal = seal(&item);
            let mut summary = texts(&mut item, "summary");
            summary.retain(|summary| !summary.is_empty());
            let text = texts(&mut item, "content").join("\n\n");
            if seal.is_none() && text.is_empty() && summary.is_empty() {
                return Vec::new();
            }
            vec![Part::new(Kind::Reasoning(Reasoning { text, summary, seal, redacted: false }))]
        }
        Some(kind @ ("function_call" | "custom_tool_call")) => {
            let custom = kind == "custom_tool_call";
            let arguments = take_text(&mut item, if custom { "input" } else { "arguments" });
            let (id, name) = called(&mut item);
            vec![Part::new(Kind::ToolCall(ToolCall { id, name, arguments, custom, seal: None }))]
        }
        _ => vec![Part::new(Kind::Opaque(Value::Object(item)))],
    }
}

/// What a call is known by, and the tool.
pub(super) fn called(item: &mut Object) -> (String, String) {
    let id = take_text(item, "call_id");
    let id = if id.is_empty() { take_text(item, "id") } else { id };
    (id, take_text(item, "name"))
}

fn said(part: Value, logprobs: &mut Vec<Value>) -> Kind {
    let Value::Object(mut part) = part else { return Kind::Opaque(part) };
    match text(&part, "type") {
        Some("output_text") => {
            logprobs.extend(take_list(&mut part, "logprobs"));
            let notes = take_list(&mut part, "annotations");
            Kind::Text { text: take_text(&mut part, "text"), notes, seal: None }
        }
        Some("refusal") => Kind::Refusal(take_text(&mut part, "refusal")),
        _ => Kind::Opaque(Value::Object(part)),
    }
}

/// The texts of a list of `{"text": …}`.
pub(super) fn texts(item: &mut Object, name: &str) -> Vec<String> {
    let text = |part: Value| match part {
        Value::Object(mut part) => take_text(&mut part, "text"),
        _ => String::new(),
    };
    take_list(item, name).into_iter().map(text).collect()
}

/// The encrypted thoughts, with the id that they belong to.
pub(super) fn seal(item: &Object) -> Option<Seal> {
    let encrypted = text(item, "encrypted_content").filter(|encrypted| !encrypted.is_empty())?;
    Some(Seal::new(Origin::Responses, format!("{} {encrypted}", text(item, "id").unwrap_or_default())))
}
