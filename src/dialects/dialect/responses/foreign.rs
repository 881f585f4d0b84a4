//! What binds a request to one provider, and what only a translation put into it.

use serde_json::Value;

use super::turn::{drawn, unsealed};
use super::{is_minted, object, text};
use crate::chat::{Losses, Object, Origin, Request, Seal, Source, bare_id};
use crate::dialect::Dialect;

/// Takes out of a request that passes through what only our answers put there: reasoning that another dialect's provider signed, seals in ids of
/// calls, ids of items that we made.
#[must_use]
pub fn without_foreign(mut body: Object) -> Object {
    if let Some(Value::Array(items)) = body.get_mut("input") {
        items.retain_mut(|item| item.as_object_mut().is_none_or(clean));
    }
    body
}

/// Whether the item stays.
fn clean(item: &mut Object) -> bool {
    if let Some(id) = text(item, "call_id").map(bare_id).map(str::to_owned) {
        item.insert("call_id".to_owned(), id.into());
    }
    let ours = text(item, "id").is_some_and(is_minted);
    let is_reasoning = text(item, "type") == Some("reasoning");
    if ours && text(item, "type") == Some("image_generation_call") {
        // What another provider drew has no id here, without which it is refused.
        let Some(Value::String(data)) = item.shift_remove("result") else { return false };
        let url = Source::of_image(data).to_url();
        *item = drawn(object([("type", "input_image".into()), ("image_url", url.into()), ("detail", "auto".into())]));
        return true;
    }
    if is_reasoning && let Some(encrypted) = text(item, "encrypted_content") {
        if Seal::is_foreign(encrypted) {
            return false;
        }
        // The provider's own, which came through another dialect: its id is in it.
        let seal = Seal::new(Origin::Responses, encrypted);
        let (id, encrypted) = unsealed(&seal);
        let (id, encrypted) = (id.to_owned(), encrypted.to_owned());
        if ours && !id.is_empty() {
            item.insert("id".to_owned(), id.into());
        } else if ours {
            item.shift_remove("id");
        }
        item.insert("encrypted_content".to_owned(), encrypted.into());
        return true;
    }
    if ours && is_reasoning {
        // Thoughts of a provider's that signs none: nobody would believe them.
        return false;
    }
    if ours && text(item, "type") != Some("item_reference") {
        item.shift_remove("id");
    }
    true
}

/// The id that an item of `input` refers to, where it is nothing but that. The `type` may be left out ("Create a model response", `input`).
fn reference(item: &Value) -> Option<&str> {
    let item = item.as_object()?;
    let is_one = match item.get("type") {
        None | Some(Value::Null) => item.len() <= 2 && item.keys().all(|name| name == "id" || name == "type"),
        Some(kind) => kind == "item_reference",
    };
    text(item, "id").filter(|_| is_one)
}

fn items(body: &Object) -> impl Iterator<Item = &Value> {
    body.get("input").and_then(Value::as_array).into_iter().flatten()
}

/// The ids of the items that a request refers to.
#[must_use]
pub fn references(body: &Object) -> Vec<String> {
    items(body).filter_map(reference).map(str::to_owned).collect()
}

/// Puts the items that are referred to in the place of the references, and says which were not found.
pub fn resolve(body: &mut Object, find: &dyn Fn(&str) -> Option<Value>) -> Vec<String> {
    let mut unknown = Vec::new();
    let Some(Value::Array(items)) = body.get_mut("input") else { return unknown };
    for item in items {
        let Some(id) = reference(item) else { continue };
        match find(id) {
            Some(found) => *item = found,
            None => unknown.push(id.to_owned()),
        }
    }
    unknown
}

/// Members of a request that name what a provider keeps.
const KEPT: [&str; 3] = ["previous_response_id", "conversation", "prompt"];

/// What of a request is bound to the provider that holds its state: none where any provider of the dialect could answer it.
#[must_use]
pub fn is_stateful(body: &Object) -> Option<&'static str> {
    let is_there = |name: &&&str| body.get(**name).is_some_and(|value| !value.is_null());
    if let Some(name) = KEPT.iter().find(is_there) {
        return Some(name);
    }
    if body.get("background") == Some(&Value::Bool(true)) {
        return Some("background");
    }
    if items(body).any(|item| reference(item).is_some()) {
        return Some("item_reference");
    }
    let tools = body.get("tools").and_then(Value::as_array).into_iter().flatten();
    if tools.into_iter().any(tool_is_bound) {
        return Some("tools");
    }
    items(body).any(item_is_bound).then_some("input")
}

/// Whether a request may do more than to be answered, so that it is not to be said again in any other words either.
#[must_use]
pub fn acts(body: &Object) -> bool {
    let is_there = |name: &&str| body.get(*name).is_some_and(|value| !value.is_null() && *value != Value::Bool(false));
    let tools = body.get("tools").and_then(Value::as_array).into_iter().flatten();
    ["conversation", "prompt", "background"].iter().any(is_there)
        || tools.into_iter().any(tool_is_bound)
        || items(body).any(item_is_bound)
}

/// A hosted tool: it works with what lies at the provider (files, a container, a screen), or does something that is not to be done twice (a search that
/// is paid for, a call of another server). What the client runs itself is none.
fn tool_is_bound(tool: &Value) -> bool {
    match tool.get("type").and_then(Value::as_str).unwrap_or_default() {
        "" | "function" | "custom" | "namespace" | "tool_search" | "local_shell" | "apply_patch" => false,
        "shell" => tool.get("environment").is_some_and(|place| place.get("type").is_none_or(|kind| kind != "local")),
        _ => true,
    }
}

/// An item of such a tool.
fn item_is_bound(item: &Value) -> bool {
    let kind = item.get("type").and_then(Value::as_str).unwrap_or_default();
    let in_container = item.get("container_id").is_some_and(Value::is_string)
        || item.get("environment").is_some_and(|environment| environment.get("container_id").is_some());
    in_container || kind.starts_with("computer_call") || kind == "mcp_approval_response"
}

/// Whether an item holds what only its maker can read.
#[must_use]
pub fn is_encrypted(item: &Value) -> bool {
    item.get("encrypted_content").and_then(Value::as_str).is_some_and(|text| !text.is_empty())
}

/// The ids of the items that only their maker can go on with: what a hosted tool did and, where `encrypted`, what is encrypted. The last one first, as
/// it is of the turn that goes on. An item that was made here has none.
pub fn made(body: &Object, encrypted: bool) -> impl Iterator<Item = &str> {
    let items = body.get("input").and_then(Value::as_array).into_iter().flatten().rev();
    items.filter_map(move |item| {
        let kind = item.get("type").and_then(Value::as_str).unwrap_or_default();
        let hosted =
            item_is_bound(item) || kind.starts_with("mcp_") || kind.ends_with("_call") && !RUN_BY_CLIENTS.contains(&kind);
        let id = item.get("approval_request_id").or_else(|| item.get("id")).and_then(Value::as_str)?;
        (hosted || encrypted && is_encrypted(item)).then_some(id)
    })
}

/// Calls that the client answers.
const RUN_BY_CLIENTS: [&str; 6] =
    ["function_call", "custom_tool_call", "local_shell_call", "shell_call", "apply_patch_call", "tool_search_call"];

/// Refuses what of a request of this dialect only the provider that holds its state can honour, where another dialect is to answer. Hosted tools
/// and their items are the writers' to refuse, who meet them.
pub fn refuse_state(request: &Request, losses: &mut Losses) {
    if request.dialect != Dialect::Responses {
        return;
    }
    for name in KEPT.iter().chain(&["background"]) {
        if request.extra.contains_key(*name) {
            losses.refuse(*name, "it refers to what a provider of another dialect keeps");
        }
    }
}
