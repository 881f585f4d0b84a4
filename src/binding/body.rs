//! Ids within bodies: a provider's own on the way up, bound ones on the way down.

use serde_json::{Map, Value};

use super::{account, is_bound};
use crate::chat::Object;
use crate::dialect::{Dialect, responses};
use crate::route::Candidate;

/// A request body as the account of `candidate` takes it: its own ids, and none of anybody else's. None where there is nothing to do.
pub(crate) fn unbound(body: &str, candidate: &Candidate<'_>, tenant: &str) -> Option<String> {
    if !is_bound(body) {
        return None;
    }
    let mut body: Object = crate::json::object(body)?;
    let account = account(candidate, tenant);
    let own = |id: &str| account.open(id).map(|opened| opened.id);
    let replace = |value: &mut Value| {
        if let Some(id) = value.as_str().and_then(own) {
            *value = Value::from(id);
        }
    };
    if let Some(id) = body.get_mut("previous_response_id") {
        replace(id);
    }
    if let Some(conversation) = body.get_mut("conversation") {
        match conversation.get_mut("id") {
            Some(id) => replace(id),
            None => replace(conversation),
        }
    }
    if let Some(Value::Array(items)) = body.get_mut("input") {
        items.retain_mut(|item| {
            if let Some(id) = item.get_mut("approval_request_id") {
                replace(id);
            }
            let Some(bound) = item.get("id").and_then(Value::as_str).filter(|id| is_bound(id)) else { return true };
            let id = own(bound);
            let Some(members) = item.as_object_mut() else { return true };
            match id {
                Some(id) => drop(members.insert("id".to_owned(), Value::from(id))),
                // Another account can neither read what was encrypted nor know the id, without which it takes no reasoning.
                None if is_its_makers(members) => return false,
                None => drop(members.shift_remove("id")),
            }
            true
        });
    }
    Some(Value::Object(body).to_string())
}

/// Whether an item is of no use to anybody but its maker.
fn is_its_makers(item: &Object) -> bool {
    item.contains_key("encrypted_content") || item.get("type").is_some_and(|kind| kind == "reasoning")
}

/// Whether something encrypted is not sent to `candidate`, as another account made it.
pub(crate) fn leaves_out(body: &str, candidate: &Candidate<'_>, tenant: &str) -> bool {
    let Some(body) = is_bound(body).then(|| crate::json::object::<Object>(body)).flatten() else { return false };
    let account = account(candidate, tenant);
    let others = |item: &Value| {
        let id = item.get("id").and_then(Value::as_str).filter(|id| responses::is_encrypted(item) && is_bound(id));
        id.is_some_and(|id| candidate.dialect != Dialect::Responses || account.open(id).is_none())
    };
    body.get("input").and_then(Value::as_array).is_some_and(|items| items.iter().any(others))
}

/// An event of a response with ids that are bound.
pub(crate) fn rebound(frame: &[u8], data: &str, bind: &dyn Fn(&str) -> String) -> Vec<u8> {
    let Some(mut event) = crate::json::object::<Object>(data) else { return frame.to_vec() };
    bound(&mut event, bind);
    let name = event.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    format!("event: {name}\ndata: {}\n\n", Value::Object(event)).into_bytes()
}

/// A response, or an event of one, as the client is told it: with ids that are bound to its account.
pub(crate) fn bound(value: &mut Object, bind: &dyn Fn(&str) -> String) {
    let replace = |members: &mut Map<String, Value>, name: &str| {
        if let Some(Value::String(id)) = members.get_mut(name)
            && !id.is_empty()
        {
            *id = bind(id);
        }
    };
    replace(value, "item_id");
    if value.get("object").and_then(Value::as_str) == Some("response") {
        replace(value, "id");
        replace(value, "previous_response_id");
        if let Some(Value::Object(conversation)) = value.get_mut("conversation") {
            replace(conversation, "id");
        }
        for item in value.get_mut("output").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(item) = item.as_object_mut() {
                replace(item, "id");
            }
        }
    }
    if let Some(Value::Object(item)) = value.get_mut("item") {
        replace(item, "id");
    }
    if let Some(Value::Object(response)) = value.get_mut("response") {
        bound(response, bind);
    }
}
