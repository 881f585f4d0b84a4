//! An answer as Anthropic's clients know it.

use serde_json::Value;

use super::{block, citation, object};
use crate::chat::{Answer, Finish, Kind, Object, Origin, Part, Reasoning, ToolCall, Usage, seal_into_id};
use crate::dialect::Manner;

/// What only Anthropic puts beside an answer's content; other providers' is nothing that its clients know.
const BESIDE: [&str; 3] = ["container", "context_management", "stop_details"];

/// What only Anthropic counts.
const COUNTED: [&str; 4] = ["cache_creation", "server_tool_use", "service_tier", "iterations"];

/// Writes a whole answer: its first choice, as there are no others here.
#[must_use]
pub fn encode(answer: Answer, manner: &Manner) -> Value {
    let choice = answer.choices.into_iter().next().unwrap_or_default();
    let calls = choice.parts.iter().any(|part| matches!(part.kind, Kind::ToolCall(_)));
    let refuses = choice.parts.iter().any(|part| matches!(part.kind, Kind::Refusal(_)));
    let tells_seals = tells_seals(manner);
    let mut content: Vec<Value> = Vec::new();
    for mut part in choice.parts {
        let sealed = match &mut part.kind {
            Kind::Text { seal, .. } if tells_seals => seal.take(),
            _ => None,
        };
        content.extend(content_block(part));
        content.extend(sealed.map(|seal| Value::Object(thought(seal.carried_behind()))));
    }
    let mut written = message(answer.id.as_deref(), answer.model.as_deref(), manner);
    written.insert("content".to_owned(), content.into());
    written.insert("stop_reason".to_owned(), stop_reason(choice.finish.as_ref(), calls, refuses).into());
    written.insert("stop_sequence".to_owned(), choice.stop_sequence.into());
    written.insert("usage".to_owned(), counts(&answer.usage.unwrap_or_default()).into());
    written.extend(beside(answer.extra));
    Value::Object(written)
}

/// Whether what texts are sealed with is told, in a thought behind each of which there is nothing else. Behind the last word it would be taken for the answer by
/// those who look at the last block alone; who asked for thinking must look at what each block is ("Extended thinking": thinking stands between other blocks).
pub(super) fn tells_seals(manner: &Manner) -> bool {
    let thinking = manner.request.thinking.as_ref();
    thinking.is_some_and(|thinking| thinking.adaptive || thinking.budget.is_some_and(|budget| budget > 0))
}

/// Thinking of which nothing is shown.
pub(super) fn thought(signature: String) -> Object {
    block("thinking", [("thinking", "".into()), ("signature", signature.into())])
}

/// A message in which nothing is said yet.
pub(super) fn message(id: Option<&str>, model: Option<&str>, manner: &Manner) -> Object {
    let legal = |letter: &char| letter.is_ascii_alphanumeric() || "_-".contains(*letter);
    let id: String = id.unwrap_or_default().chars().filter(legal).collect();
    let id = match id.strip_prefix("msg_") {
        Some(bare) if !bare.is_empty() => id,
        _ if id.is_empty() => format!("msg_{:016x}", manner.seed),
        _ => format!("msg_{id}"),
    };
    object([
        ("id", id.into()),
        ("type", "message".into()),
        ("role", "assistant".into()),
        ("model", model.unwrap_or_default().into()),
        ("content", Vec::<Value>::new().into()),
        ("stop_reason", Value::Null),
        ("stop_sequence", Value::Null),
    ])
}

/// What of an answer's extra is Anthropic's.
pub(super) fn beside(extra: Object) -> impl Iterator<Item = (String, Value)> {
    extra.into_iter().filter(|(name, _)| BESIDE.contains(&name.as_str()))
}

/// Why it ended. Some providers say of an answer that calls tools that the model was done; and those whose refusals are parts of their own say so of these,
/// which without that part's name would be taken for an answer, by clients that asked for JSON above all.
pub(super) fn stop_reason(finish: Option<&Finish>, calls: bool, refuses: bool) -> &'static str {
    match finish {
        Some(Finish::Length) => "max_tokens",
        Some(Finish::ContentFilter | Finish::Refusal) => "refusal",
        Some(Finish::Pause) => "pause_turn",
        Some(Finish::StopSequence) if !calls => "stop_sequence",
        Some(Finish::ToolCalls) => "tool_use",
        _ if calls => "tool_use",
        _ if refuses => "refusal",
        _ => "end_turn",
    }
}

/// Tokens, what came from a cache and went there beside the input.
pub(super) fn counts(usage: &Usage) -> Object {
    let (cached, written) = (usage.cached.unwrap_or(0), usage.cache_written.unwrap_or(0));
    let mut counts = object([
        ("input_tokens", usage.input.saturating_sub(cached).saturating_sub(written).into()),
        ("cache_creation_input_tokens", written.into()),
        ("cache_read_input_tokens", cached.into()),
        ("output_tokens", usage.output.into()),
    ]);
    if let Some(reasoning) = usage.reasoning {
        counts.insert("output_tokens_details".to_owned(), object([("thinking_tokens", reasoning.into())]).into());
    }
    // What another dialect calls its tiers is none of Anthropic's.
    let is_known = |name: &str, value: &Value| {
        name != "service_tier" || ["standard", "priority", "batch"].iter().any(|tier| value == tier)
    };
    let counted = COUNTED.iter().filter_map(|name| Some((*name, usage.extra.get(*name)?)));
    counts.extend(counted.filter(|(name, value)| is_known(name, value)).map(|(name, value)| (name.to_owned(), value.clone())));
    counts
}

fn content_block(part: Part) -> Option<Value> {
    let written = match part.kind {
        Kind::Text { text, notes, .. } => {
            let mut written = block("text", [("text", text.into())]);
            let citations: Vec<Value> = notes.into_iter().filter_map(citation::shown).collect();
            if !citations.is_empty() {
                written.insert("citations".to_owned(), citations.into());
            }
            written
        }
        Kind::Refusal(text) => block("text", [("text", text.into())]),
        Kind::Speech(speech) if !speech.transcript.is_empty() => block("text", [("text", speech.transcript.into())]),
        Kind::Reasoning(reasoning) => thinking(reasoning)?,
        Kind::ToolCall(call) => {
            let id = seal_into_id(&call.id, call.seal.as_ref());
            block("tool_use", [("id", id.into()), ("name", call.name.as_str().into()), ("input", input(&call).into())])
        }
        Kind::Opaque(value) if is_own(&value) => return Some(value),
        // There is no block of the assistant's for what else another provider makes.
        _ => return None,
    };
    Some(Value::Object(written))
}

/// A call's arguments: an object, as clients rely on.
fn input(call: &ToolCall) -> Object {
    match serde_json::from_str(&call.arguments) {
        Ok(Value::Object(input)) if !call.custom => input,
        _ if call.arguments.trim().is_empty() => Object::new(),
        // Groq writes no arguments so.
        Ok(Value::Null) => Object::new(),
        _ => object([("input", call.arguments.as_str().into())]),
    }
}

/// Reasoning; nothing where there is none to show and nothing to carry.
fn thinking(reasoning: Reasoning) -> Option<Object> {
    let Reasoning { mut text, summary, seal, redacted } = reasoning;
    let carried = seal.map(|seal| seal.carried(Origin::Anthropic));
    if redacted {
        return Some(block("redacted_thinking", [("data", carried?.into())]));
    }
    for summary in summary {
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str(&summary);
    }
    if text.is_empty() && carried.is_none() {
        return None;
    }
    Some(block("thinking", [("thinking", text.into()), ("signature", carried.unwrap_or_default().into())]))
}

/// Whether a block that is kept whole is one of Anthropic's.
pub(super) fn is_own(value: &Value) -> bool {
    const OWN: [&str; 13] = [
        "server_tool_use",
        "web_search_tool_result",
        "web_fetch_tool_result",
        "code_execution_tool_result",
        "bash_code_execution_tool_result",
        "text_editor_code_execution_tool_result",
        "tool_search_tool_result",
        "advisor_tool_result",
        "mcp_tool_use",
        "mcp_tool_result",
        "container_upload",
        "compaction",
        "fallback",
    ];
    match super::kind(value) {
        // Responses has an item that is called the same; all of its items have ids.
        Some("compaction") => value.get("id").is_none(),
        kind => kind.is_some_and(|kind| OWN.contains(&kind)),
    }
}
