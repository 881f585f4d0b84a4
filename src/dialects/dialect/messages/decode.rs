//! Anthropic's whole answers, and what whole and streamed ones share.

use serde_json::Value;

use super::{kind, take_text};
use crate::chat::{Answer, Choice, Finish, Kind, Object, Origin, Part, Reasoning, Seal, ToolCall, Usage};

/// Reads an answer. None where it is not one.
#[must_use]
pub fn decode(mut answer: Object) -> Option<Answer> {
    let Some(Value::Array(blocks)) = answer.shift_remove("content") else { return None };
    let mut choice = Choice { parts: blocks.into_iter().map(part).collect::<Option<_>>()?, ..Choice::default() };
    choice.finish = take_text(&mut answer, "stop_reason").map(|reason| finish(&reason));
    choice.stop_sequence = take_text(&mut answer, "stop_sequence");
    let usage = match answer.shift_remove("usage") {
        Some(Value::Object(counts)) => Some(usage(counts)),
        _ => None,
    };
    let (id, model) = (take_text(&mut answer, "id"), take_text(&mut answer, "model"));
    Some(Answer { id, model, created: None, choices: vec![choice], usage, extra: beside(answer) })
}

/// What stands beside an answer's content, without what every answer has.
pub(super) fn beside(members: Object) -> Object {
    const KNOWN: [&str; 8] = ["id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage"];
    members.into_iter().filter(|(name, value)| !value.is_null() && !KNOWN.contains(&name.as_str())).collect()
}

fn part(block: Value) -> Option<Part> {
    let of = |name: &str| block.get(name).and_then(Value::as_str).map(str::to_owned);
    let seal = |data: String| Some(Seal::new(Origin::Anthropic, data)).filter(|seal| !seal.data.is_empty());
    let read = match kind(&block)? {
        "text" => {
            let notes = block.get("citations").and_then(Value::as_array).cloned().unwrap_or_default();
            Kind::Text { text: of("text")?, notes, seal: None }
        }
        "tool_use" => {
            let arguments = block.get("input").map_or_else(|| "{}".to_owned(), Value::to_string);
            Kind::ToolCall(ToolCall { id: of("id")?, name: of("name")?, arguments, custom: false, seal: None })
        }
        "thinking" => {
            Kind::Reasoning(Reasoning { text: of("thinking")?, seal: of("signature").and_then(seal), ..Reasoning::default() })
        }
        "redacted_thinking" => {
            Kind::Reasoning(Reasoning { seal: of("data").and_then(seal), redacted: true, ..Reasoning::default() })
        }
        _ => Kind::Opaque(block),
    };
    Some(Part::new(read))
}

/// Why an answer ended ("Handling stop reasons").
pub(super) fn finish(reason: &str) -> Finish {
    match reason {
        "end_turn" => Finish::Stop,
        "stop_sequence" => Finish::StopSequence,
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_use" => Finish::ToolCalls,
        "refusal" => Finish::Refusal,
        "pause_turn" => Finish::Pause,
        other => Finish::Other(other.to_owned()),
    }
}

/// Tokens. Anthropic counts what came from its cache, and went there, beside the input.
pub(super) fn usage(mut counts: Object) -> Usage {
    let mut count = |name: &str| counts.shift_remove(name).and_then(|count| count.as_u64());
    let uncached = count("input_tokens").unwrap_or(0);
    let output = count("output_tokens").unwrap_or(0);
    let cached = count("cache_read_input_tokens");
    let cache_written = count("cache_creation_input_tokens");
    let details = counts.get("output_tokens_details").and_then(Value::as_object);
    let reasoning = details.and_then(|details| details.get("thinking_tokens")).and_then(Value::as_u64);
    if details.is_some_and(|details| details.len() == usize::from(reasoning.is_some())) {
        counts.shift_remove("output_tokens_details");
    }
    Usage {
        input: uncached + cached.unwrap_or(0) + cache_written.unwrap_or(0),
        output,
        cached,
        cache_written,
        reasoning,
        extra: counts.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        ..Usage::default()
    }
}
