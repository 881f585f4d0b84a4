//! What only a translation put into a body that now passes through.

use serde_json::Value;

use super::details::MARK;
use crate::chat::{Object, Seal, bare_id};

/// The body without it: ids of calls are bare, in calls and results alike, and entries of `reasoning_details` that hold another provider's seal are gone.
#[must_use]
pub fn without_foreign(mut body: Object) -> Object {
    let messages = body.get_mut("messages").and_then(Value::as_array_mut);
    for message in messages.into_iter().flatten().filter_map(Value::as_object_mut) {
        bare(message, "tool_call_id");
        let calls = message.get_mut("tool_calls").and_then(Value::as_array_mut);
        for call in calls.into_iter().flatten().filter_map(Value::as_object_mut) {
            bare(call, "id");
        }
        if let Some(Value::Array(entries)) = message.get_mut("reasoning_details") {
            let before = entries.len();
            entries.retain(|entry| !is_foreign(entry));
            if entries.is_empty() && before > 0 {
                message.shift_remove("reasoning_details");
            }
        }
    }
    body
}

fn bare(of: &mut Object, name: &str) {
    if let Some(Value::String(id)) = of.get_mut(name) {
        let length = bare_id(id).len();
        id.truncate(length);
    }
}

fn is_foreign(entry: &Value) -> bool {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
    text("id").starts_with(MARK) || Seal::is_foreign(text("data")) || Seal::is_foreign(text("signature"))
}
