//! What stands before the conversation.

use serde_json::Value;

use super::block;
use crate::chat::{Kind, Losses, Message, Object};

/// The `system` blocks of the messages that lead, and what is added by the gateway.
pub(super) fn write(leading: &[Message], instruction: Option<String>, own: bool, losses: &mut Losses) -> Vec<Value> {
    let mut blocks: Vec<Value> = Vec::new();
    for message in leading {
        if message.name.is_some() {
            losses.ignore("messages[].name");
        }
        if !own {
            losses.unknown("messages[].", &message.extra);
        }
        for part in &message.parts {
            match &part.kind {
                Kind::Text { text, .. } | Kind::Refusal(text) => {
                    blocks.extend(text_block(text, part.cache.as_ref(), own.then_some(&part.extra)));
                }
                Kind::Opaque(value) if own => blocks.push(value.clone()),
                _ => losses.refuse("messages[].content", "Anthropic's system prompt is text alone"),
            }
            if !own {
                losses.unknown("messages[].content[].", &part.extra);
            }
        }
    }
    blocks.extend(instruction.map(|text| Value::Object(block("text", [("text", text.into())]))));
    blocks
}

/// A block of text. None where there is nothing but white space, which Anthropic refuses ("text content blocks must contain non-whitespace text").
pub(super) fn text_block(text: &str, cache: Option<&Value>, extra: Option<&Object>) -> Option<Value> {
    if text.trim().is_empty() {
        return None;
    }
    let mut written = block("text", [("text", text.into())]);
    if let Some(cache) = cache {
        written.insert("cache_control".to_owned(), cache.clone());
    }
    written.extend(extra.cloned().into_iter().flatten());
    Some(Value::Object(written))
}
