//! Citations: Anthropic's own, and what is shown of others' to its clients.
//!
//! A page that another provider cites is shown as `web_search_result_location`, whose `encrypted_index` only Anthropic can make: [`FOREIGN`] stands there, by
//! which it is taken out before Anthropic would refuse it.

use serde_json::Value;

use super::{block, kind, text};
use crate::chat::Object;

/// In the place of an index that Anthropic encrypts.
pub(super) const FOREIGN: &str = "bw1";

/// A citation as Anthropic's clients know them. None where there is none such.
pub(super) fn shown(note: Value) -> Option<Value> {
    if kind(&note).is_some_and(|kind| kind.ends_with("_location")) {
        return Some(note);
    }
    let Value::Object(note) = note else { return None };
    if text(&note, "type") != Some("url_citation") {
        return None;
    }
    // Chat Completions' has its members in an object of its own, Responses' beside the type.
    let cited: &Object = note.get("url_citation").and_then(Value::as_object).unwrap_or(&note);
    let cited_text = text(cited, "cited_text").unwrap_or_default();
    Some(Value::Object(block(
        "web_search_result_location",
        [
            ("cited_text", cited_text.into()),
            ("encrypted_index", FOREIGN.into()),
            ("title", cited.get("title").cloned().unwrap_or_default()),
            ("url", text(cited, "url")?.into()),
        ],
    )))
}

/// Whether a citation is one that Anthropic made.
pub(super) fn is_anthropics(note: &Value) -> bool {
    let is_foreign = || note.get("encrypted_index").and_then(Value::as_str) == Some(FOREIGN);
    kind(note).is_some_and(|kind| kind.ends_with("_location")) && !is_foreign()
}
