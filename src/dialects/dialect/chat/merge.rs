//! How a field that comes in several chunks becomes one.
//!
//! Providers differ in what they repeat: some send `role` in every delta, some an empty name with each piece of a
//! call's arguments, some an empty string where others send null. The rules are chosen so that what says nothing
//! changes nothing. Each function returns by how many bytes of JSON the whole may have grown, never less than it did.

use serde_json::{Map, Value};

type Object = Map<String, Value>;

/// The last value that says something.
pub(super) fn latest(object: &mut Object, key: String, value: Value) -> usize {
    match object.get_mut(&key) {
        Some(_) if says_nothing(&value) => 0,
        Some(ours) if *ours == value => 0,
        Some(ours) => {
            let grown = weight(&value).saturating_sub(weight(ours));
            *ours = value;
            grown
        }
        None => add(object, key, value),
    }
}

/// The first value that says something.
fn first(object: &mut Object, key: String, value: Value) -> usize {
    match object.get(&key) {
        Some(ours) if !says_nothing(ours) => 0,
        _ => latest(object, key, value),
    }
}

/// Text, piece by piece.
pub(super) fn text(object: &mut Object, key: String, value: Value) -> usize {
    match (object.get_mut(&key), value) {
        (Some(Value::String(ours)), Value::String(more)) => {
            ours.push_str(&more);
            more.len()
        }
        (_, value) => latest(object, key, value),
    }
}

/// A list, of which each chunk brings more.
pub(super) fn append(object: &mut Object, key: String, value: Value) -> usize {
    match (object.get_mut(&key), value) {
        (Some(Value::Array(ours)), Value::Array(more)) => join(ours, more),
        (_, value) => latest(object, key, value),
    }
}

/// An object of lists, as `logprobs` is.
pub(super) fn lists(object: &mut Object, key: String, value: Value) -> usize {
    match (object.get_mut(&key), value) {
        (Some(Value::Object(ours)), Value::Object(more)) => more.into_iter().map(|(key, value)| append(ours, key, value)).sum(),
        (_, value) => latest(object, key, value),
    }
}

/// A message's content: text, or (Mistral, `OpenRouter`) parts, or both one after the other.
pub(super) fn content(message: &mut Object, value: Value) -> usize {
    let key = || "content".to_owned();
    match (message.get_mut("content"), value) {
        (Some(Value::Array(ours)), Value::String(more)) => {
            if more.is_empty() {
                return 0;
            }
            join(ours, vec![text_part(more)])
        }
        (Some(Value::String(ours)), Value::Array(more)) => {
            let before = std::mem::take(ours);
            let mut parts = if before.is_empty() { Vec::new() } else { vec![text_part(before)] };
            let grown = join(&mut parts, more) + PART;
            message.insert(key(), Value::Array(parts));
            grown
        }
        (Some(Value::Array(_)), value @ Value::Array(_)) => append(message, key(), value),
        (_, value) => text(message, key(), value),
    }
}

/// A field of a tool call, or of the function in it.
pub(super) fn call(call: &mut Object, key: String, value: Value) -> usize {
    match key.as_str() {
        "id" | "type" | "name" => first(call, key, value),
        "arguments" | "input" if value.is_string() => text(call, key, value),
        "function" | "custom" | "function_call" => match (call.get_mut(&key), value) {
            (Some(Value::Object(ours)), Value::Object(more)) => {
                more.into_iter().map(|(key, value)| self::call(ours, key, value)).sum()
            }
            (_, value) => latest(call, key, value),
        },
        _ => latest(call, key, value),
    }
}

/// What a text part costs around its text.
const PART: usize = r#"{"text":"","type":"text"},"#.len();

fn text_part(text: String) -> Value {
    let mut part = Object::new();
    part.insert("type".to_owned(), Value::from("text"));
    part.insert("text".to_owned(), Value::String(text));
    Value::Object(part)
}

/// Appends; if the stream cut a part in two, its halves are put together first. Only there: parts that one chunk holds
/// side by side are kept apart, as whoever sent them did.
fn join(ours: &mut Vec<Value>, more: Vec<Value>) -> usize {
    let grown = more.iter().map(|item| weight(item) + 1).sum();
    let mut more = more.into_iter();
    if let Some(next) = more.next() {
        let rest = match ours.last_mut() {
            Some(last) => continued(last, next),
            None => Some(next),
        };
        ours.extend(rest);
    }
    ours.extend(more);
    grown
}

/// Adds `next` to `last` where it is the rest of it; gives it back where it is not.
fn continued(last: &mut Value, next: Value) -> Option<Value> {
    let (Value::Object(ours), Value::Object(theirs)) = (last, &next) else { return Some(next) };
    let Some(key) = running(ours, theirs) else { return Some(next) };
    let Value::Object(theirs) = next else { return None };
    for (name, value) in theirs {
        match name.as_str() {
            "thinking" => append(ours, name, value),
            _ if name == key => text(ours, name, value),
            _ => latest(ours, name, value),
        };
    }
    None
}

/// The field in which one part goes on in the other, where it does.
fn running(ours: &Object, theirs: &Object) -> Option<&'static str> {
    let same = |key: &str| ours.get(key) == theirs.get(key);
    let bare = |part: &Object| part.keys().all(|key| key == "type" || key == "text");
    if !same("type") {
        return None;
    }
    match ours.get("type").and_then(Value::as_str)? {
        "text" if bare(ours) && bare(theirs) => Some("text"),
        "thinking" if ours.get("closed") != Some(&Value::Bool(true)) => Some("thinking"),
        // OpenRouter's `reasoning_details` number their blocks; a signature is the last piece of one.
        "reasoning.text" if ours.contains_key("index") && same("index") && !signed(ours) => Some("text"),
        "reasoning.summary" if ours.contains_key("index") && same("index") => Some("summary"),
        _ => None,
    }
}

fn signed(part: &Object) -> bool {
    part.get("signature").is_some_and(|signature| !says_nothing(signature))
}

fn says_nothing(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(str::is_empty)
}

fn add(object: &mut Object, key: String, value: Value) -> usize {
    let grown = key.len() + 4 + weight(&value);
    object.insert(key, value);
    grown
}

/// About as many bytes as the value's JSON has.
fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => 2 + items.iter().map(|item| weight(item) + 1).sum::<usize>(),
        Value::Object(fields) => 2 + fields.iter().map(|(key, value)| key.len() + 4 + weight(value)).sum::<usize>(),
    }
}
