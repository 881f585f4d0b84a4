//! Google's Gemini API, `generateContent` and `streamGenerateContent?alt=sse`, as a provider's dialect: no client speaks it here.
//!
//! Sources: <https://ai.google.dev/api/generate-content>, <https://ai.google.dev/api/caching> (Content, Part, Tool, Schema), and the guides that are named
//! where they are followed.
//!
//! What is unlike the other dialects, and where it is dealt with:
//!
//! - The model is in the address, and so is whether a stream is wanted: a body has neither.
//! - What a model can do follows from its version (`model`), as requests that an older one refuses are right for a newer one.
//! - Calls of tools have no ids before Gemini 3: results are matched by order and name, and decoded calls are given ids (`piece`).
//! - A signature (`thoughtSignature`) stands on the part that it belongs to, and must come back on it (`contents`).
//! - A stream's events are answers in themselves, of which some repeat the finish reason, and content may follow the first one. There is no terminator:
//!   the end of the bytes, after every candidate has finished, is one.

mod classify;
mod config;
mod contents;
mod decode;
mod growing;
mod media;
mod model;
mod piece;
mod said;
mod schema;
mod stream;
mod tools;
mod write;

pub use classify::{classify_event, classify_whole, needs_a_look};
pub(in crate::dialect) use contents::NO_SIGNATURE;
pub use decode::decode;
pub use stream::Decoder;
pub use write::write;

use serde_json::{Value, json};

use crate::chat::Object;

/// Whether a model insists on signatures of calls.
pub(in crate::dialect) fn must_sign(model: &str) -> bool {
    model::Model::of(model).is_third()
}

/// The body for `:countTokens` that counts what [`write()`] wrote for `:generateContent` (<https://ai.google.dev/api/tokens>): instructions and tools are
/// counted only where the request stands in it as a whole, and then the model is named once more.
#[must_use]
pub fn count_request(written: Value, model: &str) -> Value {
    let name = if model.starts_with("models/") { model.to_owned() } else { format!("models/{model}") };
    let mut request = Object::new();
    request.insert("model".to_owned(), Value::from(name));
    if let Value::Object(written) = written {
        request.extend(written);
    }
    json!({ "generateContentRequest": request })
}

/// How many tokens `:countTokens` counted.
#[must_use]
pub fn counted(answer: &str) -> Option<u64> {
    let answer: Object = crate::json::object(answer)?;
    answer.get("totalTokens")?.as_u64()
}
