//! A body of this dialect for a provider that is known not to know a word of it.
//!
//! The client speaks the provider's dialect, so its body passes through; but what `OpenAI` renamed or added, its imitators may refuse. Only what a provider is
//! documented to lack is changed, and only in ways that say the same; what there is no other way to say is named. So are turns that another provider made,
//! which it would refuse as they stand ([`legal`]): a client need not know who answered. `OpenAI` itself is sent a schema where it has it; for the rest, and
//! for all others, the body is the client's own text.

use serde_json::{Value, json};

use super::{is_flat, legal, signature, speak};
use crate::chat::{Object, in_words, says};
use crate::json;
use crate::quirk::{Quirks, ToolIds};

/// The members of an assistant's messages that a provider is known not to know. They are of answers, and `OpenAI`'s SDKs send back whatever an answer had,
/// whoever gave it. A name is anybody's, and taken out elsewhere.
fn unknown(quirks: Quirks) -> impl Iterator<Item = &'static str> {
    quirks.lacks.iter().filter_map(|word| word.strip_prefix("messages[].")).filter(|name| *name != "name")
}

/// A body that was changed.
#[derive(Debug)]
pub struct Adapted {
    /// The body, as the provider knows it.
    pub body: String,
    /// What of it is no longer said.
    pub ignored: Vec<&'static str>,
}

/// The body as the provider knows it. None where nothing need be done, which a look at the text mostly tells.
#[must_use]
pub fn adapt(body: &str, model: &str, quirks: Quirks) -> Option<Adapted> {
    let has_schemas = quirks.has_schemas(model, true, true);
    let holds = |word: &str| memchr::memmem::find(body.as_bytes(), word.as_bytes()).is_some();
    let may_be_illegal = legal::matters(quirks, model, holds);
    // Who nests has the word twice.
    let may_be_flat = nests(quirks) && memchr::memmem::find_iter(body.as_bytes(), "\"json_schema\"").take(2).count() == 1;
    let is_signed = signature::is_missed(quirks, model);
    if has_schemas
        && !may_be_illegal
        && !may_be_flat
        && (quirks.original || !is_signed && quirks.lacks.is_empty() && quirks.tool_ids == ToolIds::Forty)
    {
        return None;
    }
    let lacks = |word: &str, quoted: &str| quirks.lacks(word) && holds(quoted);
    let matters = may_be_illegal
        || may_be_flat
        || lacks("max_completion_tokens", "\"max_completion_tokens\"")
        || lacks("developer", "\"developer\"")
        || lacks("parallel_tool_calls", "\"parallel_tool_calls\"")
        || !has_schemas && holds("\"json_schema\"")
        || !quirks.has_objects(true) && holds("\"json_object\"")
        || lacks("messages[].name", "\"name\"")
        || lacks("stream_options", "\"stream_options\"")
        || unknown(quirks).any(|name| holds(&format!("\"{name}\"")))
        || quirks.knows.contains(&"random_seed") && holds("\"seed\"")
        || lacks(signature::MEMBER, "\"extra_content\"")
        || is_signed && holds("\"tool_calls\"")
        || quirks.tool_ids == ToolIds::Nine && (holds("\"tool_call_id\"") || holds("\"tool_calls\""));
    let mut members: Object = matters.then(|| json::object(body)).flatten()?;
    let (mut changed, mut ignored) = (false, Vec::new());
    if quirks.lacks("max_completion_tokens")
        && let Some(limit) = members.shift_remove("max_completion_tokens")
    {
        // The newer name goes before the older one.
        if !limit.is_null() {
            members.insert("max_tokens".to_owned(), limit);
        }
        changed = true;
    }
    if quirks.knows.contains(&"random_seed")
        && let Some(seed) = members.shift_remove("seed")
    {
        members.entry("random_seed").or_insert(seed);
        changed = true;
    }
    if quirks.lacks("parallel_tool_calls")
        && let Some(parallel) = members.shift_remove("parallel_tool_calls")
    {
        // Otherwise they are allowed.
        if parallel == false {
            ignored.push("parallel_tool_calls");
        }
        changed = true;
    }
    if quirks.lacks("stream_options") {
        // Its streams tell their usage unasked.
        changed |= members.shift_remove("stream_options").is_some();
    }
    if let Some(Value::Array(messages)) = members.get_mut("messages") {
        for message in messages.iter_mut().filter_map(Value::as_object_mut) {
            changed |= adapt_message(message, model, quirks, &mut ignored);
        }
    }
    changed |= ask_in_words(&mut members, model, quirks);
    changed |= nests(quirks) && nest(&mut members);
    changed |= legal::make(&mut members, model, quirks);
    changed.then(|| Adapted { body: Value::Object(members).to_string(), ignored })
}

fn adapt_message(message: &mut Object, model: &str, quirks: Quirks, ignored: &mut Vec<&'static str>) -> bool {
    let mut changed = false;
    if quirks.lacks("developer")
        && let Some(role) = message.get_mut("role").filter(|role| *role == "developer")
    {
        *role = "system".into();
        changed = true;
    }
    if message.get("role").is_some_and(|role| role == "assistant") {
        for name in unknown(quirks) {
            changed |= forget(message, name);
        }
    }
    let is_result = message.get("role").is_some_and(|role| role == "tool");
    if quirks.lacks("messages[].name")
        && !(is_result && quirks.tool_ids == ToolIds::Nine)
        && let Some(name) = message.shift_remove("name")
    {
        // A result is its call's, whatever it is called.
        if says(&name) && !is_result && !ignored.contains(&"messages[].name") {
            ignored.push("messages[].name");
        }
        changed = true;
    }
    if quirks.tool_ids == ToolIds::Nine {
        changed |= adapt_id(message, "tool_call_id");
    }
    // A text's.
    changed |= quirks.lacks(signature::MEMBER) && message.shift_remove(signature::MEMBER).is_some();
    let calls = message.get_mut("tool_calls").and_then(Value::as_array_mut);
    for (at, call) in calls.into_iter().flatten().filter_map(Value::as_object_mut).enumerate() {
        changed |= quirks.tool_ids == ToolIds::Nine && adapt_id(call, "id");
        changed |= signature::write(call, None, at == 0, quirks, model);
    }
    changed
}

/// Takes a member out of an assistant's message.
fn forget(message: &mut Object, name: &str) -> bool {
    // A call of the old kind is no leftover of an answer, and its result follows: better refused than lost.
    if name == "function_call" && message.get(name).is_some_and(|call| !call.is_null()) {
        return false;
    }
    let Some(gone) = message.shift_remove(name) else { return false };
    let is_said = name == "refusal" && gone.as_str().is_some_and(|text| !text.is_empty());
    let says_else = match message.get("content") {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(parts)) => !parts.is_empty(),
        Some(_) => true,
    };
    // A refusal is what was said where nothing else was.
    if is_said && !says_else {
        message.insert("content".to_owned(), gone);
    }
    true
}

fn adapt_id(of: &mut Object, name: &str) -> bool {
    let Some(Value::String(id)) = of.get_mut(name) else { return false };
    let legal = speak::tool_id(id, ToolIds::Nine);
    let changed = legal != *id;
    *id = legal;
    changed
}

/// A form that the provider cannot enforce, or not beside what else is asked for, is asked for in words, and JSON by form where it has that.
fn ask_in_words(members: &mut Object, model: &str, quirks: Quirks) -> bool {
    let tools = members.get("tools").and_then(Value::as_array).is_some_and(|tools| !tools.is_empty());
    let stream = members.get("stream") == Some(&Value::Bool(true));
    let Some(format) = members.get("response_format") else { return false };
    let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).map(str::to_owned);
    let has_objects = quirks.has_objects(tools);
    let words = match text(format, "type").as_deref() {
        Some("json_schema") if !quirks.has_schemas(model, tools, stream) => {
            let inner = if holds_flat(format) { Some(format) } else { format.get("json_schema") };
            let Some(inner) = inner.filter(|inner| inner.get("schema").is_some()) else { return false };
            in_words(text(inner, "name").as_deref(), text(inner, "description").as_deref(), inner.get("schema"))
        }
        // One with a schema is more than that.
        Some("json_object") if !has_objects && format.get("schema").is_none() => in_words(None, None, None),
        _ => return false,
    };
    let Some(Value::Array(messages)) = members.get_mut("messages") else { return false };
    speak::instruct(messages, &words);
    if has_objects {
        members.insert("response_format".to_owned(), json!({ "type": "json_object" }));
    } else {
        members.shift_remove("response_format");
    }
    true
}

fn holds_flat(format: &Value) -> bool {
    is_flat(format.get("schema"), format.get("json_schema"))
}

/// Whether a provider takes a schema as `OpenAI` has it alone, as far as anything is known of it.
fn nests(quirks: Quirks) -> bool {
    (quirks.original || !quirks.lacks.is_empty()) && !quirks.knows.contains(&"json_schema flat")
}

/// A schema that stands beside the form's type, where `OpenAI` has it.
fn nest(members: &mut Object) -> bool {
    let format = members
        .get_mut("response_format")
        .filter(|format| holds_flat(format) && format.get("type").is_some_and(|kind| kind == "json_schema"));
    let Some(Value::Object(format)) = format else { return false };
    let mut inner = std::mem::take(format);
    inner.shift_remove("type");
    inner.shift_remove("json_schema");
    inner.entry("name").or_insert_with(|| "answer".into());
    *format = Object::from_iter([("type".to_owned(), "json_schema".into()), ("json_schema".to_owned(), inner.into())]);
    true
}
