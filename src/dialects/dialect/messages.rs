//! Anthropic's Messages: spoken by Claude's own clients, by Anthropic, and by providers that imitate it.
//!
//! Sources: Anthropic's API reference, "Create a Message", "Streaming messages", "Tool use", "Extended thinking", "Adaptive thinking", "Structured
//! outputs" and the migration guides of its models (<https://platform.claude.com/docs>); what the API really sends and refuses, from recordings.
//!
//! What holds here:
//!
//! - A request that obeys Anthropic's rules is read and written again as the same JSON, but for normal forms: content, `system` and a tool result's content
//!   that are one string become one text block; `output_format` of the first beta becomes `output_config.format`.
//! - A request that is written for Anthropic obeys its rules, whatever conversation it came from (`write`, `turns`).
//! - What Anthropic did not sign is never sent to it as thinking, and what it signed comes back to it as it was.

mod amend;
mod blocks;
mod citation;
mod classify;
mod decode;
mod encode;
mod foreign;
mod live;
mod model;
mod read;
mod retell;
mod stream;
mod system;
mod thinking;
mod told;
mod tools;
mod turns;
mod write;

pub(in crate::dialect) use amend::amend;
pub use classify::{classify_event, classify_whole, needs_a_look};
pub use decode::decode;
pub use encode::encode;
pub use foreign::{may_need_repair, without_foreign};
pub use live::Encoder;
pub use read::read;
pub(in crate::dialect) use retell::retell;
pub use stream::Decoder;
pub(in crate::dialect) use told::as_text;
pub use write::write;

use serde_json::Value;

use crate::chat::{Effort, Format, Object, Request};

/// Whether an answer by a schema is best asked for as the arguments of a tool that must be called: of a model that cannot be held to the schema otherwise, nor
/// has tools of the client's to call, and does not think, beside which no call can be forced.
pub(super) fn answers_by_tool(request: &Request, model: &str) -> bool {
    let Some(Format::JsonSchema { schema, .. }) = &request.format else { return false };
    let model = model::Model::named(model);
    let is_held = model.has_structured_outputs() && super::strict::fit(schema, &super::strict::ANTHROPIC).is_some();
    let thinks = match &request.thinking {
        Some(thinking) => thinking.budget != Some(0) && thinking.effort != Some(Effort::None),
        None => model.thinks_by_default(),
    };
    let is_object = schema.get("type").is_some_and(|kind| kind == "object");
    is_object && request.tools.is_empty() && !is_held && !thinks && model.can_be_forced()
}

/// An object of a few members.
fn object<const N: usize>(members: [(&str, Value); N]) -> Object {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A block of content.
fn block<const N: usize>(kind: &str, members: [(&str, Value); N]) -> Object {
    let mut block = object([("type", kind.into())]);
    block.extend(object(members));
    block
}

/// A member that is a text.
fn text<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

/// A block's type.
fn kind(block: &Value) -> Option<&str> {
    block.get("type").and_then(Value::as_str)
}

/// Takes a text out of an object.
fn take_text(object: &mut Object, name: &str) -> Option<String> {
    match object.shift_remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// The number of tokens that `count_tokens` answers (Anthropic's API reference, "Count tokens in a Message").
#[must_use]
pub fn counted(answer: &str) -> Option<u64> {
    let answer: Object = crate::json::object(answer)?;
    answer.get("input_tokens").and_then(Value::as_u64)
}
