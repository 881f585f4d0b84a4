//! Whether an upstream's bytes are an answer of Gemini's, and what of it counts.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::said;
use crate::chat::Finish;
use crate::dialect::{Event, Whole};
use crate::json::object;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    candidates: Option<Vec<Candidate<'a>>>,
    #[serde(borrow, default)]
    prompt_feedback: Option<Feedback<'a>>,
    #[serde(borrow, default)]
    usage_metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    response_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model_version: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback<'a> {
    #[serde(borrow, default)]
    block_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate<'a> {
    #[serde(default)]
    index: Option<u64>,
    #[serde(borrow, default)]
    content: Option<Content<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow, default)]
    parts: Option<Vec<Part<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part<'a> {
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(default)]
    thought: Option<bool>,
    #[serde(borrow, default)]
    function_call: Option<&'a RawValue>,
    #[serde(borrow, default)]
    inline_data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    file_data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    executable_code: Option<&'a RawValue>,
    #[serde(borrow, default)]
    code_execution_result: Option<&'a RawValue>,
}

impl Part<'_> {
    /// How many bytes it says, about; none where it says nothing. A signature alone says nothing, nor does a drawing that was only thought of.
    fn says(&self) -> Option<usize> {
        let is_thought = self.thought == Some(true);
        let others = [self.inline_data, self.file_data, self.executable_code, self.code_execution_result];
        let others = others.into_iter().flatten().next().filter(|_| !is_thought);
        let said = self.text.filter(|text| !matches!(text.get(), "\"\"" | "null")).or(self.function_call).or(others)?;
        Some(said.get().len().saturating_sub(2))
    }
}

impl Answer<'_> {
    fn is_error(&self) -> bool {
        let is_blocked =
            || self.prompt_feedback.as_ref().and_then(|feedback| feedback.block_reason.as_deref()).is_some_and(is_reason);
        let went_wrong = |candidate: &Candidate<'_>| candidate.finish_reason.as_deref().is_some_and(said::is_failure);
        let candidates = self.candidates.as_deref().unwrap_or_default();
        self.error.is_some_and(|error| error.get() != "null")
            || candidates.is_empty() && is_blocked()
            || candidates.iter().any(went_wrong)
    }
}

fn is_reason(reason: &str) -> bool {
    !matches!(reason, "" | "BLOCK_REASON_UNSPECIFIED")
}

impl Candidate<'_> {
    fn parts(&self) -> &[Part<'_>] {
        self.content.as_ref().and_then(|content| content.parts.as_deref()).unwrap_or_default()
    }

    fn finish(&self) -> Option<Finish> {
        self.finish_reason.as_deref().and_then(said::finish)
    }
}

/// Finish reasons with which an answer may be empty: the model was cut off, or kept from speaking, and says so.
fn explains_silence(finish: Option<&Finish>) -> bool {
    matches!(finish, Some(Finish::Length | Finish::ContentFilter))
}

/// Looks at the body of an unstreamed 200.
#[must_use]
pub fn classify_whole(body: &str) -> Whole {
    let Some(answer) = object::<Answer<'_>>(body) else {
        return match body.trim() {
            "" => Whole::Empty,
            list if first_is_error(list) => Whole::Error,
            _ => Whole::Garbage,
        };
    };
    if answer.is_error() {
        return Whole::Error;
    }
    match answer.candidates.as_deref() {
        // An answer without a word, as Gemini gives them now and then, has what an answer has beside its candidates; nothing else does.
        None | Some([])
            if answer.usage_metadata.is_some() && (answer.response_id.is_some() || answer.model_version.is_some()) =>
        {
            Whole::Empty
        }
        None | Some([]) => Whole::Garbage,
        Some(candidates) => {
            let speaks = |candidate: &Candidate<'_>| {
                candidate.parts().iter().any(|part| part.says().is_some()) || explains_silence(candidate.finish().as_ref())
            };
            if candidates.iter().any(speaks) { Whole::Complete } else { Whole::Empty }
        }
    }
}

/// An error as it comes where an array of answers was to come.
fn first_is_error(list: &str) -> bool {
    let list = list.starts_with('[').then(|| serde_json::from_str::<Vec<&RawValue>>(list).ok()).flatten();
    let first = list.and_then(|list| list.into_iter().next());
    first.and_then(|first| object::<Answer<'_>>(first.get())).is_some_and(|first| first.is_error())
}

/// Looks at the data of one event.
#[must_use]
pub fn classify_event(data: &[u8]) -> Event {
    let mut event = Event::default();
    let data = data.trim_ascii();
    if data.is_empty() {
        return event;
    }
    let text = std::str::from_utf8(data).unwrap_or_default();
    let Some(answer) = object::<Answer<'_>>(text) else {
        event.error = first_is_error(text);
        event.garbage = !event.error;
        return event;
    };
    event.error = answer.is_error();
    let Some(candidates) = answer.candidates.as_deref().filter(|candidates| !candidates.is_empty()) else {
        event.usage_only = answer.usage_metadata.is_some();
        event.garbage = !event.error && !event.usage_only && answer.prompt_feedback.is_none() && answer.response_id.is_none();
        return event;
    };
    for (at, candidate) in (0..).zip(candidates) {
        for part in candidate.parts() {
            let Some(bytes) = part.says() else { continue };
            event.content = true;
            event.answer |= part.thought != Some(true);
            event.bytes += bytes;
        }
        let finish = candidate.finish();
        let bit = 1 << candidate.index.unwrap_or(at).min(63);
        event.choices |= bit;
        event.finish |= finish.is_some();
        event.finished |= if finish.is_some() { bit } else { 0 };
        event.explains_silence |= explains_silence(finish.as_ref());
    }
    event
}

/// Whether an event of a stream that has begun must be looked at: all of them repeat the usage, so that only a finish, an error, a blocked prompt and what has no
/// candidates matter. What is found within a text is decoded for nothing, never believed.
#[must_use]
pub fn needs_a_look(data: &[u8]) -> bool {
    let data = data.trim_ascii();
    let has = |needle: &[u8]| memchr::memmem::find(data, needle).is_some();
    let is_object = data.first() == Some(&b'{') && data.last() == Some(&b'}');
    !is_object || !has(b"\"candidates\"") || has(b"\"finishReason\"") || has(b"\"error\"") || has(b"\"promptFeedback\"")
}
