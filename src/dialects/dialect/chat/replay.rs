//! A stored completion as the stream that a client asked for.
//!
//! The stream has the shape that `OpenAI`'s own has: a first delta with the role, the text in pieces, tool calls one by
//! one, a delta that is empty but for the finish reason, the usage where it was asked for, `[DONE]`. Fields that this
//! module does not know go with the first chunk (of the answer) or the first delta (of the message), so that none is
//! lost.

use serde_json::{Map, Value, json};

use crate::chat::pieces;

type Object = Map<String, Value>;

/// Fields of a message that a stream sends in pieces, in the order in which a model produces them.
const TEXTS: [&str; 4] = ["reasoning_content", "reasoning", "content", "refusal"];

/// The whole SSE text of a stream that says what `completion`, a `chat.completion` as JSON, says. With `include_usage`,
/// its last chunk holds the usage and every other one `"usage": null`, as `stream_options.include_usage` asks for;
/// without it there is none. Nothing where `completion` is not a finished chat completion.
#[must_use]
#[inline(never)]
pub fn replay(completion: &str, include_usage: bool) -> Option<String> {
    let mut top: Object = serde_json::from_str(completion).ok()?;
    let Some(Value::Array(choices)) = top.remove("choices") else { return None };
    if choices.is_empty() {
        return None;
    }
    let usage = top.remove("usage").filter(|usage| include_usage && !usage.is_null());
    let mut frames = Frames::new(top, usage.is_some());
    for (at, choice) in choices.into_iter().enumerate() {
        let Value::Object(choice) = choice else { return None };
        send(&mut frames, at, choice)?;
    }
    if let Some(usage) = usage {
        frames.usage(usage);
    }
    Some(frames.done())
}

/// One choice, from its role to its finish reason.
fn send(frames: &mut Frames, at: usize, mut choice: Object) -> Option<()> {
    let index = choice.remove("index").and_then(|index| index.as_u64()).or_else(|| u64::try_from(at).ok())?;
    let Some(Value::Object(mut message)) = choice.remove("message") else { return None };
    let reason = choice.remove("finish_reason").filter(Value::is_string)?;
    let mut logprobs = choice.remove("logprobs");
    let null_logprobs = logprobs.take_if(|logprobs| logprobs.is_null());

    let texts: Vec<(&str, String)> = TEXTS.iter().filter_map(|key| Some((*key, taken(&mut message, key)?))).collect();
    let parts = message.get_mut("content").filter(|content| content.is_array()).map(std::mem::take);
    if parts.is_some() {
        message.insert("content".to_owned(), Value::from(""));
    }
    let calls = calls(&mut message);
    frames.choice(index, Value::Object(message), None, null_logprobs.clone());
    if let Some(parts) = parts {
        frames.choice(index, json!({ "content": parts }), None, logprobs.take());
    }
    for (key, text) in &texts {
        for piece in pieces(text) {
            frames.choice(index, json!({ *key: piece }), None, logprobs.take());
        }
    }
    for (position, call) in calls.into_iter().enumerate() {
        send_call(frames, index, position, call)?;
    }
    // What is left of the choice, such as `native_finish_reason`, belongs to its end.
    choice.insert("finish_reason".to_owned(), reason);
    frames.choice(index, json!({}), Some(choice), logprobs.or(null_logprobs));
    Some(())
}

/// A string field's text; an empty string is left in its place, which is what a first delta has there.
fn taken(message: &mut Object, key: &str) -> Option<String> {
    match message.get_mut(key) {
        Some(Value::String(text)) => Some(std::mem::take(text)),
        _ => None,
    }
}

/// The tool calls; an empty list stays where it is, as there will be no call to tell of it.
fn calls(message: &mut Object) -> Vec<Value> {
    match message.remove("tool_calls") {
        Some(Value::Array(calls)) if !calls.is_empty() => calls,
        Some(other) => {
            message.insert("tool_calls".to_owned(), other);
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// A tool call: everything but its arguments at once, then those in pieces.
fn send_call(frames: &mut Frames, index: u64, position: usize, call: Value) -> Option<()> {
    let Value::Object(mut call) = call else { return None };
    call.insert("index".to_owned(), Value::from(position));
    let mut running = None;
    for (kind, field) in [("function", "arguments"), ("custom", "input")] {
        if let Some(text) = call.get_mut(kind).and_then(Value::as_object_mut).and_then(|inner| taken(inner, field)) {
            running = Some((kind, field, text));
        }
    }
    frames.choice(index, json!({ "tool_calls": [call] }), None, None);
    if let Some((kind, field, text)) = running {
        for piece in pieces(&text) {
            frames.choice(index, json!({ "tool_calls": [{ "index": position, kind: { field: piece } }] }), None, None);
        }
    }
    Some(())
}

/// The chunks as they are written.
struct Frames {
    /// What every chunk carries.
    common: Object,
    /// What only the first one does.
    once: Object,
    text: String,
}

impl Frames {
    fn new(top: Object, include_usage: bool) -> Self {
        // Single values (model, fingerprint, service tier, provider) are repeated as providers do; lists and objects
        // need not be.
        let (mut common, once): (Object, Object) =
            top.into_iter().partition(|(_, value)| !value.is_array() && !value.is_object());
        common.insert("object".to_owned(), Value::from("chat.completion.chunk"));
        if include_usage {
            common.insert("usage".to_owned(), Value::Null);
        }
        Self { common, once, text: String::new() }
    }

    fn choice(&mut self, index: u64, delta: Value, rest: Option<Object>, logprobs: Option<Value>) {
        let mut choice = rest.unwrap_or_default();
        choice.entry("finish_reason").or_insert(Value::Null);
        choice.insert("index".to_owned(), Value::from(index));
        choice.insert("delta".to_owned(), delta);
        if let Some(logprobs) = logprobs {
            choice.insert("logprobs".to_owned(), logprobs);
        }
        self.chunk([("choices", json!([choice]))]);
    }

    fn usage(&mut self, usage: Value) {
        self.chunk([("choices", json!([])), ("usage", usage)]);
    }

    fn chunk<const N: usize>(&mut self, fields: [(&str, Value); N]) {
        let mut chunk = self.common.clone();
        chunk.extend(std::mem::take(&mut self.once));
        chunk.extend(fields.map(|(key, value)| (key.to_owned(), value)));
        self.text.push_str("data: ");
        self.text.push_str(&Value::Object(chunk).to_string());
        self.text.push_str("\n\n");
    }

    fn done(mut self) -> String {
        self.text.push_str("data: [DONE]\n\n");
        self.text
    }
}
