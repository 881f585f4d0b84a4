//! `OpenAI`'s Responses: what its newer clients speak, and its newest models best.
//!
//! Source: the API reference, "Create a model response" and "Streaming events" (<https://platform.openai.com/docs/api-reference/responses>), and what
//! `OpenAI`, Azure, xAI and LM Studio really send, from recordings.
//!
//! A conversation is a flat list of items here: messages, calls, their outputs, reasoning. The items of one turn of the model's are the parts of one
//! message in [`crate::chat`], in order. What holds:
//!
//! - The gateway keeps no state of a provider's. What binds a request to the provider that has it is named by [`is_stateful`], and refused by
//!   [`refuse_state`] where another dialect is to answer; a translated request asks for `store: false` and for encrypted reasoning instead.
//! - Items that an answer here is made of get ids by [`item_id`], the same ones whenever the same answer is told, and [`without_foreign`] takes
//!   them out of what passes through: `OpenAI` would look for them.
//!
//! Normal forms, in which a request comes back that is read and written here again: a content or an output that is a string is a string only where it is a
//! user's, system's or tool's one text; every item says its `type`; an assistant's content is a list; `instructions` are the leading system message where that
//! is one text; `safety_identifier` alone is `user`; what only states a default (`background: false`, `truncation: "disabled"`) is left out.

mod amend;
mod classify;
mod decode;
mod echo;
mod encode;
mod foreign;
mod frame;
mod item;
mod output;
mod read;
mod replay;
mod stream;
mod tool;
mod turn;
mod write;

use serde_json::Value;

pub(in crate::dialect) use amend::amend;
pub use classify::{classify_event, classify_whole, needs_a_look};
pub use decode::decode;
pub use encode::{Encoder, encode};
pub use foreign::{acts, is_encrypted, is_stateful, made, references, refuse_state, resolve, without_foreign};
pub use read::read;
pub use replay::replay;
pub use stream::Decoder;
pub use tool::{alone_has, reasons};
pub use write::write;

use crate::chat::Object;

/// What an id that was made here has behind its prefix. It holds the tag by which [`crate::chat`] tells at a glance that a body may hold something of
/// a translation's.
pub const MINTED: &str = "_bw1";

/// The id of an answer's item: `msg`, `rs`, `fc` and the like, and where it stands. The same for the same answer, so that whoever keeps the items finds
/// them under the ids that the client was told.
#[must_use]
pub fn item_id(seed: u64, output_index: usize, prefix: &str) -> String {
    format!("{prefix}{MINTED}{seed:016x}_{output_index}")
}

/// What the ids of an answer and of its items have in common: its seed, as 16 hexadecimal digits. None of an id that was not made here.
#[must_use]
pub fn answer_of(id: &str) -> Option<&str> {
    const PREFIXES: [&str; 6] = ["msg", "rs", "fc", "ctc", "ig", "resp"];
    let rest = PREFIXES.iter().find_map(|prefix| id.strip_prefix(prefix)?.strip_prefix(MINTED))?;
    Some(rest.split('_').next().unwrap_or(rest))
}

/// Whether an id of an item or answer was made here.
fn is_minted(id: &str) -> bool {
    answer_of(id).is_some()
}

/// An object of these members.
fn object<const N: usize>(members: [(&str, Value); N]) -> Object {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A member that is text.
fn text<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

/// The text of a member that is text; empty where there is none.
fn take_text(object: &mut Object, name: &str) -> String {
    match object.shift_remove(name) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    }
}

/// The members of a member that is a list; nothing where there is none.
fn take_list(object: &mut Object, name: &str) -> Vec<Value> {
    match object.shift_remove(name) {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    }
}

/// A member that is there where there is something to say.
fn put(object: &mut Object, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), value.into());
    }
}
