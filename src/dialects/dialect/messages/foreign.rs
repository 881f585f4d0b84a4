//! What only a translation put into a conversation that passes through to Anthropic: seals of other providers, and citations that it did not make.

use serde_json::Value;

use super::{citation, kind, text, thinking};
use crate::chat::{Object, Seal, bare_id};

/// Whether a body may hold something that must be taken out though no seal is in it: thoughts that nobody signed. Anthropic's own have a signature.
#[must_use]
pub fn may_need_repair(body: &str) -> bool {
    ["\"signature\":\"\"", "\"signature\": \"\""]
        .iter()
        .any(|unsigned| memchr::memmem::find(body.as_bytes(), unsigned.as_bytes()).is_some())
}

/// The body without it.
#[must_use]
pub fn without_foreign(mut body: Object) -> Object {
    let Some(Value::Array(messages)) = body.get_mut("messages") else { return body };
    let mut is_repaired = false;
    for message in messages.iter_mut() {
        let Some(Value::Array(blocks)) = message.get_mut("content") else { continue };
        let before = blocks.len();
        blocks.retain(|block| !is_foreign(block));
        is_repaired |= blocks.len() < before;
        for block in blocks.iter_mut() {
            repair(block);
        }
    }
    if is_repaired {
        messages.retain(|message| message.get("content").and_then(Value::as_array).is_none_or(|blocks| !blocks.is_empty()));
    }
    // A loop of tool calls that another provider began is gone on with without thinking: Anthropic would miss its own.
    let is_broken = is_repaired && thinking::loop_is_broken(messages);
    if is_broken && body.get("thinking").and_then(kind) == Some("enabled") {
        body.shift_remove("thinking");
    }
    body
}

/// Thinking that Anthropic did not sign.
fn is_foreign(block: &Value) -> bool {
    let Value::Object(block) = block else { return false };
    match text(block, "type") {
        Some("thinking") => {
            text(block, "signature").is_none_or(|signature| signature.is_empty() || Seal::is_foreign(signature))
        }
        Some("redacted_thinking") => text(block, "data").is_none_or(|data| data.is_empty() || Seal::is_foreign(data)),
        _ => false,
    }
}

fn repair(block: &mut Value) {
    for name in ["id", "tool_use_id"] {
        if let Some(Value::String(id)) = block.get_mut(name) {
            let bare = bare_id(id).len();
            id.truncate(bare);
        }
    }
    let Value::Object(block) = block else { return };
    if let Some(Value::Array(citations)) = block.get_mut("citations") {
        let before = citations.len();
        citations.retain(|note| {
            citation::is_anthropics(note) || note.get("encrypted_index").and_then(Value::as_str) != Some(citation::FOREIGN)
        });
        if citations.is_empty() && before > 0 {
            block.shift_remove("citations");
        }
    }
}
