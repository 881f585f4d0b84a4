//! A whole response as the stream that it would have been, in its provider's own words: its ids, items of any type, members that nobody here knows.
//!
//! Source of the events and their order: the API reference, "Streaming events", and the recorded streams of `OpenAI`'s.

use serde_json::Value;

use super::frame::{Events, Place, quoted};
use super::text;
use crate::chat::Object;
use crate::json;

/// The events of a response that came whole; none where it is not one. One that is still to be made has no last event.
#[must_use]
pub fn replay(body: &str) -> Option<String> {
    let mut begun: Object = json::object(body)?;
    let whole = begun.clone();
    let items = whole.get("output")?.as_array()?;
    let last = match text(&whole, "status") {
        Some("queued" | "in_progress") => None,
        Some("incomplete") => Some("response.incomplete"),
        _ => Some("response.completed"),
    };
    begun.insert("output".to_owned(), Value::Array(Vec::new()));
    begun.insert("usage".to_owned(), Value::Null);
    if last.is_some() {
        begun.insert("status".to_owned(), "in_progress".into());
    }
    let (mut events, mut frames) = (Events::default(), String::new());
    events.of_response("response.created", &begun, &mut frames);
    events.of_response("response.in_progress", &begun, &mut frames);
    for (output, item) in items.iter().enumerate() {
        if let Value::Object(item) = item {
            Telling { events: &mut events, frames: &mut frames, output, item }.tell();
        }
    }
    if let Some(last) = last {
        events.of_response(last, &whole, &mut frames);
    }
    Some(frames)
}

/// An item that is told.
struct Telling<'a> {
    events: &'a mut Events,
    frames: &'a mut String,
    output: usize,
    item: &'a Object,
}

impl Telling<'_> {
    fn tell(&mut self) {
        let kind = text(self.item, "type").unwrap_or_default();
        let mut begun = self.item.clone();
        for (name, value) in &mut begun {
            match (name.as_str(), &mut *value, kind) {
                ("status", Value::String(status), _) => "in_progress".clone_into(status),
                ("content" | "summary", Value::Array(parts), "message" | "reasoning") => parts.clear(),
                ("arguments", Value::String(text), "function_call") | ("input", Value::String(text), "custom_tool_call") => {
                    text.clear();
                }
                _ => {}
            }
        }
        self.events.of_item("response.output_item.added", self.output, &begun, self.frames);
        match kind {
            "message" | "reasoning" => {
                self.parts("summary", "summary_index", "response.reasoning_summary_part");
                self.parts("content", "content_index", "response.content_part");
            }
            "function_call" => self.text(None, "response.function_call_arguments", "arguments", self.item),
            "custom_tool_call" => self.text(None, "response.custom_tool_call_input", "input", self.item),
            // What else there is comes whole.
            _ => {}
        }
        self.events.of_item("response.output_item.done", self.output, self.item, self.frames);
    }

    fn parts(&mut self, list: &str, index: &'static str, event: &str) {
        let item = self.item;
        for (at, part) in item.get(list).and_then(Value::as_array).into_iter().flatten().enumerate() {
            let Value::Object(part) = part else { continue };
            let told = match text(part, "type") {
                Some("output_text") => Some(("response.output_text", "text")),
                Some("refusal") => Some(("response.refusal", "refusal")),
                Some("reasoning_text") => Some(("response.reasoning_text", "text")),
                Some("summary_text") => Some(("response.reasoning_summary_text", "text")),
                _ => None,
            };
            let mut begun = part.clone();
            if let Some((_, member)) = told {
                begun.insert(member.to_owned(), "".into());
                if let Some(Value::Array(notes)) = begun.get_mut("annotations") {
                    notes.clear();
                }
            }
            let place = Some((index, at));
            self.event(place, &[event, ".added"].concat(), "part", &Value::Object(begun).to_string());
            if let Some((event, member)) = told {
                self.text(place, event, member, part);
            }
            self.event(place, &[event, ".done"].concat(), "part", &Value::Object(part.clone()).to_string());
        }
    }

    /// The text that stands in a member, its citations behind it.
    fn text(&mut self, place: Option<(&'static str, usize)>, event: &str, member: &str, holder: &Object) {
        let said = quoted(text(holder, member).unwrap_or_default());
        self.event(place, &[event, ".delta"].concat(), "delta", &said);
        for (at, note) in holder.get("annotations").and_then(Value::as_array).into_iter().flatten().enumerate() {
            let added = format!("{note},\"annotation_index\":{at}");
            self.event(place, "response.output_text.annotation.added", "annotation", &added);
        }
        self.event(place, &[event, ".done"].concat(), member, &said);
    }

    fn event(&mut self, part: Option<(&'static str, usize)>, kind: &str, name: &str, value: &str) {
        let id = quoted(text(self.item, "id").unwrap_or_default());
        let item = id.get(1..id.len() - 1).unwrap_or_default();
        // Log probabilities are told with the text, and must be there for the SDKs' types.
        let is_text = kind == "response.output_text.delta" || kind == "response.output_text.done";
        let members = [(name, value), ("logprobs", "[]")];
        let members = members.get(..if is_text { 2 } else { 1 }).unwrap_or_default();
        self.events.of_part(kind, Place { item, output: self.output, part }, members, self.frames);
    }
}
