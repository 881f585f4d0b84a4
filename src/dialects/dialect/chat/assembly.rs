//! A stream of chunks as the one completion that it tells: what the cache stores.
//!
//! One cache entry serves clients that stream and clients that do not, so both forms of an answer must come to the same
//! thing. That thing is the unstreamed one, the `chat.completion` object: it is what most of the protocol's
//! documentation describes, and whatever else wants to look at an answer (a schema check, another dialect) reads it
//! without knowing how it arrived.
//!
//! [`Assembly`] builds it from a stream's chunks, [`super::replay()`] turns it into a stream again, and the two are each
//! other's inverse: assembling a replay gives the completion back, field by field, those that nobody here has heard of
//! included. Two things are not kept, because a stream has no place for them: the `index` that some providers put on
//! unstreamed tool calls, and padding that only hides a chunk's length ([`PADDING`]).
//!
//! An assembly says nothing rather than something wrong: an error event, a choice without a finish reason, more bytes
//! than it may hold, and there is no completion. Nothing of this runs for an answer that is only passed through.

use crate::slots::Slots;

use serde_json::{Map, Value};

use super::decode::broke_off;
use super::merge;

/// The most that an assembly holds, in bytes of JSON: the design's limit for what is copied beside a stream. It is far
/// above any model's longest answer in text; only log probabilities come near.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;

/// Fields of a chunk that exist only to hide how long its text is: `OpenAI`'s `obfuscation`, Mistral's `p`.
pub const PADDING: [&str; 2] = ["obfuscation", "p"];

/// A `chat.completion` that grows chunk by chunk.
///
/// How fields come together:
///
/// - text (`content`, `refusal`, `reasoning`, `reasoning_content`, a call's `arguments` or `input`) is concatenated;
/// - tool calls meet by `index`, and keep the first `id`, `type` and name that they were given;
/// - lists (`annotations`, `reasoning_details`, `logprobs.content`, a `content` that comes in parts) are appended to;
///   where a list was cut in the middle of a text part, the two halves are joined;
/// - anything else keeps its last value that says something: neither null nor an empty string.
#[derive(Debug, Default)]
pub struct Assembly {
    fields: Map<String, Value>,
    choices: Slots<Choice>,
    held: usize,
    failed: bool,
}

#[derive(Debug, Default)]
struct Choice {
    /// What stands beside the message: finish reason, log probabilities, and the like.
    fields: Map<String, Value>,
    message: Map<String, Value>,
    calls: Slots<Map<String, Value>>,
}

impl Assembly {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the payload of one `data:` event. `[DONE]` adds nothing.
    pub fn push(&mut self, payload: &str) {
        if self.failed || payload.trim() == "[DONE]" {
            return;
        }
        let grown = serde_json::from_str(payload).ok().and_then(|chunk| self.chunk(chunk));
        match grown.map(|bytes| self.held.saturating_add(bytes)) {
            Some(held) if held <= MAX_BYTES => self.held = held,
            _ => *self = Self { failed: true, ..Self::default() },
        }
    }

    /// Whether there is still something to come of it; once false, further chunks need not be pushed.
    #[must_use]
    pub const fn is_alive(&self) -> bool {
        !self.failed
    }

    /// The completion as JSON. Nothing where a chunk was an error or no chunk at all, where there was more than
    /// [`MAX_BYTES`], and where a choice (or all of them) did not finish.
    #[must_use]
    pub fn finish(mut self) -> Option<String> {
        if self.failed || self.choices.is_empty() {
            return None;
        }
        let choices =
            self.choices.into_all().into_iter().map(|(index, choice)| choice.finish(index)).collect::<Option<Vec<_>>>()?;
        self.fields.insert("object".to_owned(), Value::from("chat.completion"));
        self.fields.insert("choices".to_owned(), Value::Array(choices));
        serde_json::to_string(&self.fields).ok()
    }

    /// Merges a chunk and says by how many bytes that may have grown the whole; nothing where it is not a chunk of an
    /// answer.
    fn chunk(&mut self, chunk: Map<String, Value>) -> Option<usize> {
        let mut grown = 0;
        for (key, value) in chunk {
            match key.as_str() {
                "choices" => {
                    for (at, choice) in (0..).zip(array(value)?) {
                        grown += self.choice(at, choice)?;
                    }
                }
                "error" if !value.is_null() => return None,
                // Chunks that come before the usage say that it is null, which a completion does not.
                "usage" if value.is_null() => {}
                key if PADDING.contains(&key) => {}
                _ => grown += merge::latest(&mut self.fields, key, value),
            }
        }
        Some(grown)
    }

    fn choice(&mut self, at: u64, choice: Value) -> Option<usize> {
        let Value::Object(mut choice) = choice else { return None };
        let index = choice.remove("index").and_then(|index| index.as_u64()).unwrap_or(at);
        let ours = self.choices.or_default(index);
        let mut grown = 0;
        for (key, value) in choice {
            grown += match key.as_str() {
                "delta" => ours.delta(value)?,
                // Perplexity repeats the whole message so far beside each delta.
                "message" => 0,
                "error" if !value.is_null() => return None,
                "logprobs" => merge::lists(&mut ours.fields, key, value),
                _ if value.is_array() => merge::append(&mut ours.fields, key, value),
                _ => merge::latest(&mut ours.fields, key, value),
            };
        }
        Some(grown)
    }
}

impl Choice {
    fn delta(&mut self, delta: Value) -> Option<usize> {
        let delta = match delta {
            Value::Object(delta) => delta,
            Value::Null => return Some(0),
            _ => return None,
        };
        let mut grown = 0;
        for (key, value) in delta {
            grown += match key.as_str() {
                "content" => merge::content(&mut self.message, value),
                "refusal" | "reasoning" | "reasoning_content" if value.is_string() => {
                    merge::text(&mut self.message, key, value)
                }
                "tool_calls" if value.is_array() => self.calls(array(value)?)?,
                "function_call" if value.is_object() => merge::call(&mut self.message, key, value),
                // The provider keeps sound by its id for an hour or so: it is not an answer to keep for longer.
                "audio" if !value.is_null() => return None,
                _ if value.is_array() => merge::append(&mut self.message, key, value),
                _ => merge::latest(&mut self.message, key, value),
            };
        }
        Some(grown)
    }

    fn calls(&mut self, calls: Vec<Value>) -> Option<usize> {
        self.message.insert("tool_calls".to_owned(), Value::Array(Vec::new()));
        let mut grown = 0;
        for call in calls {
            let Value::Object(mut call) = call else { return None };
            let index = call.remove("index").and_then(|index| index.as_u64());
            let index = index.unwrap_or_else(|| self.place(call.get("id").and_then(Value::as_str)));
            let ours = self.calls.or_default(index);
            if is_another(ours, &call) {
                return None;
            }
            for (key, value) in call {
                grown += merge::call(ours, key, value);
            }
        }
        Some(grown)
    }

    /// Where a call without an index belongs: with the call of its id, behind all others if the id is new, and to the
    /// last one where it has none.
    fn place(&self, id: Option<&str>) -> u64 {
        let last = self.calls.indices().next_back();
        let Some(id) = id.filter(|id| !id.is_empty()) else { return last.unwrap_or(0) };
        let known = self.calls.iter().find(|(_, call)| call.get("id").and_then(Value::as_str) == Some(id));
        known.map_or_else(|| last.map_or(0, |last| last + 1), |(index, _)| index)
    }

    fn finish(mut self, index: u64) -> Option<Value> {
        let reason = self.fields.get("finish_reason").and_then(Value::as_str)?;
        if reason.is_empty() || broke_off(reason) {
            return None;
        }
        if self.message.get("role").and_then(Value::as_str).is_none_or(str::is_empty) {
            self.message.insert("role".to_owned(), Value::from("assistant"));
        }
        self.message.entry("content").or_insert(Value::Null);
        if !self.calls.is_empty() {
            let calls = self.calls.into_values().into_iter().map(Value::Object).collect();
            self.message.insert("tool_calls".to_owned(), Value::Array(calls));
        }
        self.fields.insert("index".to_owned(), Value::from(index));
        self.fields.insert("message".to_owned(), Value::Object(self.message));
        Some(Value::Object(self.fields))
    }
}

/// Whether a piece is of another call than what there is at its index, as the decoder of streams tells it.
fn is_another(ours: &Map<String, Value>, piece: &Map<String, Value>) -> bool {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    let is_named = || text(piece.get("function").and_then(|function| function.get("name")));
    text(ours.get("id")) && text(piece.get("id")) && ours.get("id") != piece.get("id") && is_named()
}

fn array(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(items) => Some(items),
        Value::Null => Some(Vec::new()),
        _ => None,
    }
}
