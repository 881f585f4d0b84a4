//! Whether an upstream's bytes are a chat completion, and what of it counts.
//!
//! Source: the API reference, "Create chat completion" and "The chat completion chunk object"; what providers really send, from recordings.
//!
//! The client speaks the same dialect, so nothing is decoded that need not be: a request is spliced (`envelope`), an answer is looked
//! at for what makes it one.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::dialect::{Event, Whole};
use crate::event;
use crate::json::object;

/// The terminator's frame.
pub const DONE: &[u8] = b"data: [DONE]\n\n";

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    object: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default)]
    index: Option<u64>,
    #[serde(borrow, default)]
    message: Option<Spoken<'a>>,
    #[serde(borrow, default)]
    delta: Option<Spoken<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
}

/// The members of a message or delta that are content. A member is there when it is neither null nor empty.
#[derive(Deserialize)]
struct Spoken<'a> {
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning_details: Option<&'a RawValue>,
    #[serde(borrow, default)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool_calls: Option<&'a RawValue>,
    #[serde(borrow, default)]
    function_call: Option<&'a RawValue>,
    #[serde(borrow, default)]
    audio: Option<&'a RawValue>,
    #[serde(borrow, default)]
    images: Option<&'a RawValue>,
    /// Of `audio`, which is read as the same.
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    transcript: Option<&'a RawValue>,
}

impl Spoken<'_> {
    fn says_something(&self) -> bool {
        self.reasons() || self.answers()
    }

    fn reasons(&self) -> bool {
        says([self.reasoning_content, self.reasoning, self.reasoning_details])
    }

    fn answers(&self) -> bool {
        says([self.content, self.refusal, self.tool_calls, self.function_call, self.images]) || self.audio.is_some_and(sounds)
    }

    fn bytes(&self) -> usize {
        let texts = [self.content, self.reasoning_content, self.reasoning, self.refusal, self.tool_calls];
        texts.into_iter().flatten().map(|raw| raw.get().len().saturating_sub(2)).sum()
    }
}

/// Whether something is said aloud: its id, and when it expires, come in chunks of their own.
fn sounds(audio: &RawValue) -> bool {
    object::<Spoken<'_>>(audio.get()).map_or_else(|| !is_empty(audio), |sound| says([sound.data, sound.transcript]))
}

fn says<const N: usize>(members: [Option<&RawValue>; N]) -> bool {
    members.into_iter().flatten().any(|raw| !is_empty(raw))
}

/// Null, or a text, an array or an object with nothing in it, perhaps but white space.
fn is_empty(raw: &RawValue) -> bool {
    let between = |open: char, close: char| raw.get().strip_prefix(open)?.strip_suffix(close);
    let nothing = between('[', ']').or_else(|| between('{', '}'));
    matches!(raw.get(), "null" | "\"\"") || nothing.is_some_and(|inside| inside.trim_ascii().is_empty())
}

/// Finish reasons with which an answer may be empty: the model was cut off, or kept from speaking, and says so.
fn explains_silence(finish_reason: Option<&str>) -> bool {
    matches!(finish_reason, Some("length" | "content_filter"))
}

/// Looks at the body of an unstreamed 200.
#[must_use]
#[inline(never)]
pub fn classify_whole(body: &str) -> Whole {
    let Some(answer) = object::<Answer<'_>>(body) else {
        return if body.trim().is_empty() { Whole::Empty } else { Whole::Garbage };
    };
    if is_error(answer.error) {
        return Whole::Error;
    }
    match answer.choices.as_deref() {
        None | Some([]) => Whole::Garbage,
        Some(choices) if choices.iter().any(broke_off) => Whole::Error,
        Some(choices) if choices.iter().any(|choice| choice.message.is_none()) => Whole::Garbage,
        Some(choices) if choices.iter().any(speaks_or_explains) => Whole::Complete,
        Some(_) => Whole::Empty,
    }
}

fn speaks_or_explains(choice: &Choice<'_>) -> bool {
    choice.message.as_ref().is_some_and(Spoken::says_something) || explains_silence(choice.finish_reason.as_deref())
}

fn broke_off(choice: &Choice<'_>) -> bool {
    choice.finish_reason.as_deref().is_some_and(super::decode::broke_off)
}

fn is_error(error: Option<&RawValue>) -> bool {
    error.is_some_and(|error| !is_empty(error))
}

/// Looks at the data of one event.
#[must_use]
pub fn classify_event(data: &[u8]) -> Event {
    let mut event = Event::default();
    let data = data.trim_ascii();
    if data == b"[DONE]" {
        event.done = true;
        return event;
    }
    if data.is_empty() {
        return event;
    }
    let Some(answer) = std::str::from_utf8(data).ok().and_then(object::<Answer<'_>>) else {
        event.garbage = true;
        return event;
    };
    // vLLM's errors within a stream have no wrapper.
    event.error = is_error(answer.error) || answer.choices.is_none() && answer.object.as_deref() == Some("error");
    match answer.choices.as_deref() {
        // Ids, pings and metadata of a provider's own come as objects without choices.
        None => {}
        Some([]) => event.usage_only = answer.usage.is_some(),
        Some(choices) => {
            for choice in choices {
                event.error |= broke_off(choice);
                let spoken = choice.delta.as_ref().or(choice.message.as_ref());
                if let Some(spoken) = spoken.filter(|spoken| spoken.says_something()) {
                    event.content = true;
                    event.answer |= spoken.answers();
                    event.bytes += spoken.bytes();
                }
                let finish = choice.finish_reason.as_deref().filter(|reason| !reason.is_empty());
                event.finish |= finish.is_some();
                let bit = 1 << choice.index.unwrap_or(0).min(63);
                event.choices |= bit;
                event.finished |= if finish.is_some() { bit } else { 0 };
                event.explains_silence |= explains_silence(finish);
            }
        }
    }
    event
}

/// The same with what stands beside the data: some providers say that it is an error by the event's name alone.
#[must_use]
pub fn classify_frame(frame: &[u8], data: &[u8]) -> Event {
    let mut event = classify_event(data);
    event.error |= is_named_error(frame, data);
    event
}

/// Whether the frame's `event` field says `error`.
#[must_use]
pub fn is_named_error(frame: &[u8], data: &[u8]) -> bool {
    // Most frames hold nothing but `data: ` and a blank line around their data.
    frame.len() > data.len() + b"data: \r\n\r\n".len() && event::event(frame) == Some(b"error")
}

/// Whether an event of a stream that has begun must be looked at. Most hold content only, and a search for the three words that matter costs
/// far less than decoding; what it finds within a text is decoded for nothing, never believed. What does not look like a choice of an answer is
/// always looked at.
#[must_use]
pub fn needs_a_look(data: &[u8]) -> bool {
    let data = data.trim_ascii();
    let after = |needle: &[u8]| memchr::memmem::find(data, needle).and_then(|at| data.get(at + needle.len()..));
    let value = |rest: &[u8]| rest.trim_ascii_start().strip_prefix(b":").unwrap_or(rest).trim_ascii_start().first().copied();
    let is_object = data.first() == Some(&b'{') && data.last() == Some(&b'}');
    let has_choices =
        || after(b"\"choices\"").is_some_and(|rest| value(rest) == Some(b'[') && after(b"\"choices\":[]").is_none());
    if !is_object || !has_choices() || after(b"\"error\"").is_some() {
        return true;
    }
    after(b"\"finish_reason\"").is_some_and(|rest| {
        let value = rest.trim_ascii_start().strip_prefix(b":").unwrap_or(rest).trim_ascii_start();
        // Several choices have several finish reasons: only the first is known to be null here.
        !value.starts_with(b"null") || memchr::memmem::find(value, b"\"finish_reason\"").is_some()
    })
}
