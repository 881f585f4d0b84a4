//! Conversations that a provider refuses as they stand, because of who was asked before it: made legal, whoever wrote them, the client or a translation.

use serde_json::{Value, json};

use crate::chat::Object;
use crate::quirk::{Quirks, Thoughts};

/// Whether a look at the text of a body tells that [`make`] may have to do something.
pub(super) fn matters(quirks: Quirks, model: &str, holds: impl Fn(&str) -> bool) -> bool {
    filler(quirks, model).is_some() && holds("\"tool") && holds("\"assistant\"")
        || quirks.lacks(BEHIND_RESULTS)
            && (holds("\"tool_call_id\"") || holds("\"assistant\"") && (holds("\"system\"") || holds("\"developer\"")))
}

/// What some lack: a message of the user's right behind a tool's result, and instructions behind that or behind an answer.
const BEHIND_RESULTS: &str = "user behind tool";

/// What stands for a thought that nobody knows, at a provider and model that wants some.
fn filler(quirks: Quirks, model: &str) -> Option<&'static str> {
    match quirks.thoughts {
        Thoughts::InToolTurns { unknown, of } if of.hold(model) => Some(unknown),
        _ => None,
    }
}

/// Makes a body's messages legal for that provider's model; whether anything had to be done.
pub(super) fn make(body: &mut Object, model: &str, quirks: Quirks) -> bool {
    let is_off = body.get("thinking").is_some_and(|thinking| thinking.get("type").is_some_and(|kind| kind == "disabled"));
    let has_tools = holds_some(body.get("tools"));
    let Some(Value::Array(messages)) = body.get_mut("messages") else { return false };
    let mut changed = false;
    if let Some(filler) = filler(quirks, model).filter(|_| !is_off)
        && (has_tools || messages.iter().any(|message| holds_some(message.get("tool_calls"))))
    {
        for message in messages.iter_mut().filter_map(Value::as_object_mut) {
            let is_there = |thought: &Value| thought.as_str().is_some_and(|text| text.len() >= filler.len());
            if is_of(message.get("role"), "assistant") && !message.get("reasoning_content").is_some_and(is_there) {
                message.insert("reasoning_content".to_owned(), filler.into());
                changed = true;
            }
        }
    }
    if quirks.lacks(BEHIND_RESULTS) {
        let mut before = false;
        for message in messages.iter_mut().filter_map(Value::as_object_mut) {
            let is_instruction = is_of(message.get("role"), "system") || is_of(message.get("role"), "developer");
            if is_instruction && before {
                instruct(message);
                changed = true;
            }
            before = is_of(message.get("role"), "assistant") || is_of(message.get("role"), "tool");
        }
        let is_asked = |at: &usize| match (at.checked_sub(1).and_then(|before| messages.get(before)), messages.get(*at)) {
            (Some(before), Some(message)) => is_of(before.get("role"), "tool") && is_of(message.get("role"), "user"),
            _ => false,
        };
        let places: Vec<usize> = (0..messages.len()).filter(is_asked).collect();
        changed |= !places.is_empty();
        // From the end, as each moves what is behind it.
        for at in places.into_iter().rev() {
            messages.insert(at, json!({ "role": "assistant", "content": "Ok." }));
        }
    }
    changed
}

/// Says instructions as the user, as they are said in the middle of a conversation to whoever has one place for them.
fn instruct(message: &mut Object) {
    message.insert("role".to_owned(), "user".into());
    let text = |text: &str| json!({ "type": "text", "text": text });
    match message.get_mut("content") {
        Some(Value::String(said)) => *said = format!("<system>\n{said}\n</system>"),
        Some(Value::Array(parts)) => {
            parts.insert(0, text("<system>\n"));
            parts.push(text("\n</system>"));
        }
        _ => {}
    }
}

fn is_of(role: Option<&Value>, one: &str) -> bool {
    role.is_some_and(|role| role == one)
}

fn holds_some(list: Option<&Value>) -> bool {
    list.and_then(Value::as_array).is_some_and(|list| !list.is_empty())
}
