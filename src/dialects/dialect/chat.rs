//! OpenAI's Chat Completions: spoken by most clients, and imitated by most providers.
//!
//! Sources: the API reference, "Create chat completion" and "The chat completion chunk object" (<https://platform.openai.com/docs/api-reference/chat>); what the
//! imitators document and really send ([`the gateway's presets`], where each one's differences are data).
//!
//! Normal forms, in which a request comes back that is read and written here again: a content that is one bare text is a string; an assistant's content is
//! null where it says nothing; a refusal stands beside the content; `functions` and `function_call` are tools; `random_seed`, `max_tokens` and the ways to ask
//! for reasoning are in the provider's own words; `safety_identifier` alone is `user`; a `tool_call_id` has no seal in it.

use serde_json::Value;

mod adapt;
mod amend;
mod assembly;
mod classify;
mod decode;
mod details;
mod encode;
mod foreign;
mod legal;
mod live;
mod media;
mod merge;
mod places;
mod read;
mod replay;
mod signature;
mod speak;
mod stream;
mod tools;
mod turn;
mod usage;
mod write;

pub use adapt::{Adapted, adapt};
pub(in crate::dialect) use amend::amend;
pub use assembly::{Assembly, MAX_BYTES, PADDING};
pub use classify::{DONE, classify_event, classify_frame, classify_whole, is_named_error, needs_a_look};
pub use decode::decode;
pub use encode::encode;
pub(in crate::dialect) use encode::{beside, frame, head, is_tier, reason};
pub use foreign::without_foreign;
pub use live::Encoder;
pub(in crate::dialect) use read::sampling;
pub use read::{is_flat, read};
pub use replay::replay;
pub use stream::Decoder;
pub(in crate::dialect) use usage::write as write_usage;
pub use write::write;

use crate::chat::Object;

/// A body, after further messages were put behind those that it had, as its provider takes it.
pub(in crate::dialect) fn make_legal(body: &mut Object, to: &super::Recipient<'_>) {
    legal::make(body, to.model, to.quirks);
}

/// A member that is there where there is something to say.
fn put(object: &mut Object, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), value.into());
    }
}
