//! Whether an upstream's bytes are a message of Anthropic's, and what of it counts.
//!
//! Source: "Streaming messages", "Handling stop reasons", and recordings. An answer without content is one where its stop reason says why, and where the model
//! ended its turn on purpose, as it may after a tool's result ("Handling stop reasons", "Empty responses"): it has then counted the few tokens by which it did so. An
//! upstream that died has counted none, and one whose content got lost on the way more.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::dialect::{Event, Whole};
use crate::json::object;

/// The most tokens of a turn that says nothing: two in recordings.
const SILENT_TOKENS: u64 = 8;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    content: Option<Vec<Block<'a>>>,
    #[serde(borrow, default)]
    stop_reason: Option<Cow<'a, str>>,
    #[serde(default)]
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    output_tokens: Option<u64>,
}

/// A block, or a delta of one.
#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    thinking: Option<&'a RawValue>,
    #[serde(borrow, default)]
    signature: Option<&'a RawValue>,
    #[serde(borrow, default)]
    partial_json: Option<&'a RawValue>,
    #[serde(borrow, default)]
    stop_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Streamed<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    delta: Option<Block<'a>>,
    #[serde(borrow, default)]
    content_block: Option<Block<'a>>,
    #[serde(default)]
    usage: Option<Usage>,
}

fn is_said(raw: Option<&RawValue>) -> bool {
    raw.is_some_and(|raw| !matches!(raw.get(), "null" | "\"\""))
}

impl Block<'_> {
    /// Whether it says something, and whether that is more than reasoning.
    fn says(&self) -> (bool, bool) {
        match self.kind.as_deref() {
            Some("text" | "text_delta") => (is_said(self.text), is_said(self.text)),
            Some("thinking" | "thinking_delta" | "signature_delta") => {
                (is_said(self.thinking) || is_said(self.signature), false)
            }
            Some("redacted_thinking") => (true, false),
            Some("input_json_delta") => (is_said(self.partial_json), is_said(self.partial_json)),
            // Of the conversation's, not of what the client has asked for.
            Some("compaction" | "compaction_delta" | "fallback") => (true, false),
            Some(_) => (true, true),
            None => (false, false),
        }
    }

    fn bytes(&self) -> usize {
        let texts = [self.text, self.thinking, self.partial_json];
        texts.into_iter().flatten().map(|raw| raw.get().len().saturating_sub(2)).sum()
    }
}

/// Whether an answer may be empty that ended like this.
fn explains_silence(stop_reason: Option<&str>, usage: Option<&Usage>) -> bool {
    let tokens = usage.and_then(|usage| usage.output_tokens).unwrap_or(0);
    match stop_reason {
        Some("max_tokens" | "model_context_window_exceeded" | "refusal" | "stop_sequence" | "pause_turn" | "compaction") => {
            true
        }
        Some("end_turn") => (1..=SILENT_TOKENS).contains(&tokens),
        _ => false,
    }
}

/// Looks at the body of an unstreamed 200.
#[must_use]
#[inline(never)]
pub fn classify_whole(body: &str) -> Whole {
    let Some(message) = object::<Message<'_>>(body) else {
        return if body.trim().is_empty() { Whole::Empty } else { Whole::Garbage };
    };
    if message.kind.as_deref() == Some("error") || message.error.is_some_and(|error| error.get() != "null") {
        return Whole::Error;
    }
    let Some(content) = message.content.filter(|_| message.kind.as_deref() == Some("message")) else { return Whole::Garbage };
    // Without one it is not over, whatever it says.
    let Some(stop_reason) = message.stop_reason.as_deref().filter(|reason| !reason.is_empty()) else { return Whole::Garbage };
    if content.iter().any(|block| block.says().0) || explains_silence(Some(stop_reason), message.usage.as_ref()) {
        Whole::Complete
    } else {
        Whole::Empty
    }
}

/// Looks at the data of one event.
#[must_use]
pub fn classify_event(data: &[u8]) -> Event {
    let mut event = Event::default();
    let data = data.trim_ascii();
    // OpenRouter sends the other dialect's terminator behind this one's.
    if data.is_empty() || data == b"[DONE]" {
        return event;
    }
    let Some(streamed) = std::str::from_utf8(data).ok().and_then(object::<Streamed<'_>>) else {
        event.garbage = true;
        return event;
    };
    let is_error = streamed.error.is_some_and(|error| error.get() != "null");
    match streamed.kind.as_deref() {
        _ if is_error => event.error = true,
        Some("error") => event.error = true,
        Some("message_start") => event.garbage = streamed.message.is_none(),
        Some("content_block_start" | "content_block_delta") => match streamed.content_block.or(streamed.delta) {
            Some(block) => {
                (event.content, event.answer) = block.says();
                event.bytes = block.bytes();
                event.choices = 1;
            }
            None => event.garbage = true,
        },
        Some("message_delta") => {
            let stop_reason =
                streamed.delta.as_ref().and_then(|delta| delta.stop_reason.as_deref()).filter(|reason| !reason.is_empty());
            event.finish = stop_reason.is_some();
            event.choices = u64::from(event.finish);
            event.finished = event.choices;
            event.explains_silence = explains_silence(stop_reason, streamed.usage.as_ref());
        }
        Some("message_stop") => event.done = true,
        // Pings, ends of blocks, and events of later versions, which are to be ignored ("Versioning").
        Some(_) => {}
        None => event.garbage = true,
    }
    event
}

/// Whether an event of a stream that has begun must be looked at: not where it is plainly more of a block. Within a text its quotes would be escaped.
#[must_use]
pub fn needs_a_look(data: &[u8]) -> bool {
    let data = data.trim_ascii();
    let has = |needle: &[u8]| memchr::memmem::find(data, needle).is_some();
    let is_object = data.first() == Some(&b'{') && data.last() == Some(&b'}');
    !is_object || !has(b"\"type\":\"content_block_delta\"") || has(b"\"error\"") || has(b"\"stop_reason\"")
}
