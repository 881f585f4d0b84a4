//! The items of an answer that is being told.

use serde_json::Value;

use super::{object, put};
use crate::chat::{Kind, Object, Origin, Seal, Source};

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Message,
    Reasoning {
        redacted: bool,
    },
    Call {
        custom: bool,
    },
    /// Anything that comes whole.
    Whole,
}

/// An item, as far as it was told.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) sort: Sort,
    pub(super) id: String,
    /// What is known from the beginning: a call's id and name, all of what comes whole.
    pub(super) members: Object,
    /// Of a message its parts, of reasoning its summaries, of a call the one text of its arguments.
    pub(super) contents: Vec<Content>,
    pub(super) seal: Option<Seal>,
    /// Whether another item stands behind it, so that no more parts come to it.
    pub(super) settled: bool,
    pub(super) done: bool,
}

/// A piece of an item.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) refusal: bool,
    /// Of reasoning: whether the provider calls it a summary itself.
    pub(super) summary: bool,
    pub(super) text: String,
    pub(super) notes: Vec<Value>,
    /// Citations of all of the text, which must be whole for that.
    pub(super) unplaced: Vec<Object>,
    pub(super) logprobs: Vec<Value>,
    pub(super) closed: bool,
}

impl Content {
    /// As a part of a message.
    pub(super) fn said(&self) -> Value {
        Value::Object(if self.refusal {
            object([("type", "refusal".into()), ("refusal", self.text.as_str().into())])
        } else {
            object([
                ("type", "output_text".into()),
                ("annotations", self.notes.clone().into()),
                ("logprobs", self.logprobs.clone().into()),
                ("text", self.text.as_str().into()),
            ])
        })
    }

    /// As a summary of reasoning.
    pub(super) fn summarised(&self) -> Value {
        Value::Object(object([("type", "summary_text".into()), ("text", self.text.as_str().into())]))
    }
}

impl Item {
    /// As it is now.
    pub(super) fn value(&self, status: &str) -> Object {
        let of_type = |kind: &str| object([("id", self.id.as_str().into()), ("type", kind.into())]);
        match self.sort {
            Sort::Message => {
                let mut item = of_type("message");
                let content: Vec<Value> = self.contents.iter().map(Content::said).collect();
                item.extend(object([("status", status.into()), ("content", content.into()), ("role", "assistant".into())]));
                item
            }
            Sort::Reasoning { redacted } => {
                let mut item = of_type("reasoning");
                let carried = self.seal.as_ref().map(|seal| seal.carried_as(Origin::Responses, redacted));
                put(&mut item, "encrypted_content", carried);
                let summary: Vec<Value> = self.contents.iter().map(Content::summarised).collect();
                item.insert("summary".to_owned(), summary.into());
                item
            }
            Sort::Call { custom } => {
                let (kind, name) = if custom { ("custom_tool_call", "input") } else { ("function_call", "arguments") };
                let mut item = of_type(kind);
                let text = self.contents.first().map_or("", |content| content.text.as_str());
                item.extend(object([("status", status.into()), (name, text.into())]));
                item.extend(self.members.clone());
                item
            }
            Sort::Whole => self.members.clone(),
        }
    }
}

/// An item that holds a seal of what stands before it.
pub(super) fn behind(seal: &Seal, id: String) -> Object {
    object([
        ("id", id.into()),
        ("type", "reasoning".into()),
        ("encrypted_content", seal.carried_behind().into()),
        ("summary", Vec::<Value>::new().into()),
    ])
}

/// What of a provider's own comes whole and is an item here too: what Responses' own decoder kept, and images. None of what only another dialect knows.
pub(super) fn whole(kind: Kind, id: &str) -> Option<Object> {
    match kind {
        // An item of this API's has an id; a block of another's, which may be called the same, has none.
        Kind::Opaque(Value::Object(item)) => {
            (is_known(super::text(&item, "type")?) && item.get("id").is_some_and(Value::is_string)).then_some(item)
        }
        Kind::Image { source: Source::Base64 { data, .. }, .. } => Some(object([
            ("id", id.into()),
            ("type", "image_generation_call".into()),
            ("status", "completed".into()),
            ("result", data.into()),
        ])),
        _ => None,
    }
}

/// Whether an item of this type is one of the API's.
fn is_known(kind: &str) -> bool {
    // "The response object", `output`; `x_search_call` is xAI's.
    const ITEMS: [&str; 23] = [
        "web_search_call",
        "file_search_call",
        "computer_call",
        "computer_call_output",
        "image_generation_call",
        "code_interpreter_call",
        "local_shell_call",
        "local_shell_call_output",
        "shell_call",
        "shell_call_output",
        "apply_patch_call",
        "apply_patch_call_output",
        "mcp_call",
        "mcp_list_tools",
        "mcp_approval_request",
        "tool_search_call",
        "tool_search_output",
        "function_call_output",
        "custom_tool_call_output",
        "compaction",
        "program",
        "program_output",
        "x_search_call",
    ];
    ITEMS.contains(&kind)
}
