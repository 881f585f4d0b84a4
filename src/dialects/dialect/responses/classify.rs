//! Whether an upstream's bytes are a response, and what of it counts.
//!
//! This is on the way of every answer that passes through, so that nothing is decoded that need not be.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::dialect::{Event, Whole};
use crate::json::object;

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow, default)]
    status: Option<Cow<'a, str>>,
    #[serde(default)]
    background: Option<bool>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    output: Option<Vec<Item<'a>>>,
}

/// The members of an item that are content. One is there when it is neither null nor empty.
#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, rename = "type", default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    summary: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Told<'a> {
    #[serde(borrow, rename = "type", default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    delta: Option<&'a RawValue>,
    #[serde(borrow, default)]
    item: Option<&'a RawValue>,
    #[serde(borrow, default)]
    response: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow, rename = "type", default)]
    kind: Option<Cow<'a, str>>,
}

impl Item<'_> {
    /// Whether something is said, and whether more than reasoning. Reasoning that nobody can read says nothing.
    fn says(&self) -> (bool, bool) {
        match self.kind.as_deref() {
            Some("reasoning") => (says(self.summary) || says(self.content), false),
            Some("message") => {
                let parts: Vec<Part<'_>> =
                    self.content.and_then(|content| serde_json::from_str(content.get()).ok()).unwrap_or_default();
                let known = |part: &Part<'_>| matches!(part.kind.as_deref(), Some("output_text" | "refusal"));
                let said = parts.iter().any(|part| says(part.text) || says(part.refusal) || !known(part));
                (said, said)
            }
            // Calls, and what a hosted tool gave.
            Some(_) => (true, true),
            None => (false, false),
        }
    }
}

fn says(member: Option<&RawValue>) -> bool {
    let Some(raw) = member.map(RawValue::get) else { return false };
    let nothing = raw.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    !matches!(raw, "null" | "\"\"" | "{}") && !nothing.is_some_and(|inside| inside.trim_ascii().is_empty())
}

/// Looks at the body of an unstreamed 200.
#[must_use]
#[inline(never)]
pub fn classify_whole(body: &str) -> Whole {
    let Some(response) = object::<Response<'_>>(body) else {
        return if body.trim().is_empty() { Whole::Empty } else { Whole::Garbage };
    };
    let failed = matches!(response.status.as_deref(), Some("failed" | "cancelled"));
    if failed || says(response.error) {
        return Whole::Error;
    }
    let Some(output) = response.output else { return Whole::Garbage };
    match response.status.as_deref() {
        Some("queued" | "in_progress") if response.background == Some(true) => Whole::Pending,
        Some("incomplete") => Whole::Complete,
        Some("completed") | None if output.iter().any(|item| item.says().0) => Whole::Complete,
        Some("completed") => Whole::Empty,
        _ => Whole::Garbage,
    }
}

/// Looks at the data of one event.
#[must_use]
pub fn classify_event(data: &[u8]) -> Event {
    let mut event = Event::default();
    let data = data.trim_ascii();
    // Some send the other dialect's terminator behind their own.
    if data.is_empty() || data == b"[DONE]" {
        return event;
    }
    let told = std::str::from_utf8(data).ok().and_then(object::<Told<'_>>);
    let Some(told) = told else {
        event.garbage = true;
        return event;
    };
    let Some(kind) = told.kind.as_deref() else {
        event.error = says(told.error);
        event.garbage = !event.error;
        return event;
    };
    match kind {
        "error" | "response.error" | "response.failed" | "response.cancelled" => event.error = true,
        "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => speak(&mut event, told.delta, false),
        "response.output_text.delta"
        | "response.refusal.delta"
        | "response.function_call_arguments.delta"
        | "response.custom_tool_call_input.delta" => speak(&mut event, told.delta, true),
        "response.image_generation_call.partial_image" => {
            event.content = true;
            event.answer = true;
        }
        "response.output_item.added" | "response.output_item.done" => {
            let item = told.item.and_then(|item| object::<Item<'_>>(item.get()));
            let is_call = |kind: &str| matches!(kind, "function_call" | "custom_tool_call");
            let is_done = kind == "response.output_item.done";
            let item = item.filter(|item| is_done || item.kind.as_deref().is_some_and(is_call));
            (event.content, event.answer) = item.map_or((false, false), |item| item.says());
        }
        "response.completed" | "response.incomplete" => complete(&mut event, told.response, kind == "response.incomplete"),
        _ => {}
    }
    event
}

fn speak(event: &mut Event, delta: Option<&RawValue>, answer: bool) {
    event.content = says(delta);
    event.answer = event.content && answer;
    event.bytes = delta.map_or(0, |delta| delta.get().len().saturating_sub(2));
}

fn complete(event: &mut Event, response: Option<&RawValue>, incomplete: bool) {
    let Some(response) = response.and_then(|response| object::<Response<'_>>(response.get())) else {
        event.garbage = true;
        return;
    };
    if matches!(response.status.as_deref(), Some("failed" | "cancelled")) {
        event.error = true;
        return;
    }
    event.done = true;
    event.finish = true;
    event.choices = 1;
    event.finished = 1;
    event.explains_silence = incomplete || response.status.as_deref() == Some("incomplete");
    // An answer may be told here for the first time.
    for item in response.output.iter().flatten() {
        let (content, answer) = item.says();
        event.content |= content;
        event.answer |= answer;
    }
}

/// Whether an event of a stream that has begun must be looked at: deltas need not be, which most are. The type is sought where it can only stand as a
/// member, as quotes within a text are escaped; an event that holds objects beside it is always looked at.
#[must_use]
pub fn needs_a_look(data: &[u8]) -> bool {
    const TYPE: &[u8] = b"\"type\":\"response.";
    let data = data.trim_ascii();
    let is_object = data.first() == Some(&b'{') && data.last() == Some(&b'}');
    let after = memchr::memmem::find(data, TYPE).and_then(|at| data.get(at + TYPE.len()..));
    let Some(rest) = after.filter(|_| is_object) else { return true };
    let kind = rest.split(|byte| *byte == b'"').next().unwrap_or_default();
    let is_delta = kind.ends_with(b".delta");
    !is_delta
        || [&b"\"response\":"[..], b"\"error\":", b"\"item\":"].iter().any(|name| memchr::memmem::find(data, name).is_some())
}
