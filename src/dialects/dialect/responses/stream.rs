//! A provider's stream.
//!
//! Text comes from the deltas. What is whole at the end of a part, an item or the answer completes what they left out, and is not said twice: some
//! providers send items whole, with no deltas before. Items are told by `output_index`, never by their ids, which GitHub Copilot changes with every event.

use crate::slots::Slots;

use serde_json::Value;

use super::decode::{called, extra, finish, head, joined, seal, texts, usage};
use super::{take_list, take_text, text};
use crate::chat::{Delta, Kind, Object, Opening};

/// The one choice there is.
const CHOICE: u32 = 0;

/// Reads a stream event by event.
#[derive(Debug, Default)]
pub struct Decoder {
    begun: bool,
    finished: bool,
    ended: bool,
    calls: bool,
    parts: u32,
    items: Slots<Item>,
}

/// What has been told of an item.
#[derive(Debug, Default)]
struct Item {
    done: bool,
    /// Of a message by their `content_index`; of all else, the one.
    parts: Slots<Told>,
    /// Of reasoning: how many bytes of each summary.
    summaries: Slots<usize>,
}

/// What a part was opened as. A provider that confuses its indices gets nothing told of a part that cannot be said of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sort {
    Text,
    Reasoning,
    #[default]
    Other,
}

/// What has been told of a part.
#[derive(Debug, Default)]
struct Told {
    part: u32,
    sort: Sort,
    bytes: usize,
    /// Of reasoning: the `content_index` that the text is at.
    content: u64,
    notes: usize,
    logprobs: bool,
    closed: bool,
}

impl Decoder {
    /// Takes the data of one event.
    pub fn event(&mut self, data: &str, deltas: &mut Vec<Delta>) -> Option<()> {
        if data.trim() == "[DONE]" {
            return Some(());
        }
        let mut event: Object = crate::json::object(data)?;
        let number = |name: &str| event.get(name).and_then(Value::as_u64).unwrap_or(0);
        let (output, content) = (number("output_index"), number("content_index"));
        let summary = number("summary_index");
        if self.finished {
            return Some(());
        }
        match take_text(&mut event, "type").as_str() {
            "" | "error" | "response.failed" | "response.cancelled" => return None,
            "response.created" | "response.in_progress" | "response.queued" => self.begin(&event, deltas),
            "response.output_item.added" => self.added(output, event, deltas),
            "response.output_item.done" => self.done(output, event, deltas),
            "response.content_part.added" => {
                if let Some(Value::Object(part)) = event.get("part") {
                    self.open_said(output, content, part, deltas);
                }
            }
            "response.content_part.done" => {
                if let Some(Value::Object(part)) = event.shift_remove("part") {
                    self.said(output, content, part, deltas);
                }
            }
            "response.output_text.delta" => {
                self.ensure(output, content, Opening::Text, deltas);
                self.logprobs(output, content, take_list(&mut event, "logprobs"), deltas);
                self.text(output, content, take_text(&mut event, "delta"), deltas);
            }
            "response.refusal.delta" => {
                self.ensure(output, content, Opening::Refusal, deltas);
                self.text(output, content, take_text(&mut event, "delta"), deltas);
            }
            "response.output_text.annotation.added" => {
                self.ensure(output, content, Opening::Text, deltas);
                self.notes(output, content, event.shift_remove("annotation"), deltas);
            }
            "response.reasoning_text.delta" => self.thought(output, content, take_text(&mut event, "delta"), deltas),
            "response.reasoning_summary_text.delta" => {
                self.summary(output, summary, take_text(&mut event, "delta"), deltas);
            }
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                self.text(output, 0, take_text(&mut event, "delta"), deltas);
            }
            "response.function_call_arguments.done" => self.rest(output, 0, &take_text(&mut event, "arguments"), deltas),
            "response.custom_tool_call_input.done" => self.rest(output, 0, &take_text(&mut event, "input"), deltas),
            "response.completed" | "response.incomplete" => {
                let Some(Value::Object(response)) = event.shift_remove("response") else { return None };
                self.complete(response, deltas)?;
            }
            // Progress of hosted tools, `done` of what `content_part.done` says as well, and what is still to be invented.
            _ => {}
        }
        Some(())
    }

    /// The stream is complete.
    pub fn end(&mut self, deltas: &mut Vec<Delta>) {
        if !std::mem::replace(&mut self.ended, true) {
            deltas.push(Delta::End);
        }
    }

    fn begin(&mut self, event: &Object, deltas: &mut Vec<Delta>) {
        if let Some(Value::Object(response)) = event.get("response") {
            self.head(response, deltas);
        }
    }

    fn head(&mut self, response: &Object, deltas: &mut Vec<Delta>) {
        if !std::mem::replace(&mut self.begun, true) {
            let (id, model, created) = head(response);
            deltas.push(Delta::Begin { id, model, created });
        }
    }

    fn complete(&mut self, mut response: Object, deltas: &mut Vec<Delta>) -> Option<()> {
        self.head(&response, deltas);
        // Of items, the last may never have been told. Their place here need not be their index, as hidden ones are counted there.
        let mut next = self.items.indices().next_back().map_or(0, |last| last + 1);
        let known = self.items.len();
        for item in take_list(&mut response, "output").into_iter().skip(known) {
            if let Value::Object(item) = item {
                self.whole(next, item, deltas);
                next += 1;
            }
        }
        let extra = extra(&response);
        if !extra.is_empty() {
            deltas.push(Delta::Extra(extra));
        }
        let finish = finish(&response, self.calls)?;
        self.finished = true;
        deltas.push(Delta::Finish { choice: CHOICE, finish, stop_sequence: None });
        deltas.extend(response.get("usage").and_then(usage).map(Delta::Usage));
        Some(())
    }

    fn added(&mut self, output: u64, mut event: Object, deltas: &mut Vec<Delta>) {
        let Some(Value::Object(mut item)) = event.shift_remove("item") else { return };
        self.items.or_default(output);
        self.open_call(output, &mut item, deltas);
    }

    fn done(&mut self, output: u64, mut event: Object, deltas: &mut Vec<Delta>) {
        if let Some(Value::Object(item)) = event.shift_remove("item") {
            self.whole(output, item, deltas);
        }
    }

    /// An item that is whole: what was not told of it.
    fn whole(&mut self, output: u64, mut item: Object, deltas: &mut Vec<Delta>) {
        if std::mem::replace(&mut self.items.or_default(output).done, true) {
            return;
        }
        match text(&item, "type").map(str::to_owned).as_deref() {
            Some("message") => {
                for (content, part) in (0..).zip(take_list(&mut item, "content")) {
                    if let Value::Object(part) = part {
                        self.said(output, content, part, deltas);
                    }
                }
            }
            Some("reasoning") => {
                let seal = seal(&item);
                for (index, summary) in (0..).zip(texts(&mut item, "summary")) {
                    let told = self.items.get(output).and_then(|item| item.summaries.get(index)).copied();
                    let rest = summary.get(told.unwrap_or(0)..).unwrap_or_default();
                    if !rest.is_empty() {
                        self.summary(output, index, rest.to_owned(), deltas);
                    }
                }
                self.rest_of_thought(output, &texts(&mut item, "content").join("\n\n"), deltas);
                if let Some(seal) = seal {
                    let part = self.ensure(output, 0, Opening::Reasoning { redacted: false }, deltas);
                    if self.told(output, 0).is_some_and(|told| told.sort == Sort::Reasoning) {
                        deltas.push(Delta::Sign { choice: CHOICE, part, seal });
                    }
                }
            }
            Some(kind @ ("function_call" | "custom_tool_call")) => {
                let input = if kind == "function_call" { "arguments" } else { "input" };
                let arguments = take_text(&mut item, input);
                self.open_call(output, &mut item, deltas);
                self.rest(output, 0, &arguments, deltas);
            }
            _ => {
                self.ensure(output, 0, Opening::Whole(Box::new(Kind::Opaque(Value::Object(item)))), deltas);
            }
        }
        let parts = &mut self.items.or_default(output).parts;
        for content in parts.indices().collect::<Vec<_>>() {
            let Some(told) = parts.get_mut(content) else { continue };
            if !std::mem::replace(&mut told.closed, true) {
                deltas.push(Delta::Close { choice: CHOICE, part: told.part });
            }
        }
    }

    fn open_call(&mut self, output: u64, item: &mut Object, deltas: &mut Vec<Delta>) {
        let custom = match text(item, "type") {
            Some("function_call") => false,
            Some("custom_tool_call") => true,
            _ => return,
        };
        self.calls = true;
        let (id, name) = called(item);
        self.ensure(output, 0, Opening::ToolCall { id, name, custom, seal: None }, deltas);
    }

    /// The number of a part, which is opened where it was not.
    fn ensure(&mut self, output: u64, content: u64, kind: Opening, deltas: &mut Vec<Delta>) -> u32 {
        let parts = &mut self.items.or_default(output).parts;
        if let Some(told) = parts.get(content) {
            return told.part;
        }
        let part = self.parts;
        let sort = match &kind {
            Opening::Text => Sort::Text,
            Opening::Reasoning { .. } => Sort::Reasoning,
            Opening::Refusal | Opening::Speech | Opening::ToolCall { .. } | Opening::Whole(_) => Sort::Other,
        };
        parts.insert(content, Told { part, sort, ..Told::default() });
        self.parts += 1;
        deltas.push(Delta::Open { choice: CHOICE, part, kind });
        part
    }

    fn told(&mut self, output: u64, content: u64) -> Option<&mut Told> {
        self.items.get_mut(output)?.parts.get_mut(content).filter(|told| !told.closed)
    }

    fn text(&mut self, output: u64, content: u64, text: String, deltas: &mut Vec<Delta>) {
        if let Some(told) = self.told(output, content).filter(|_| !text.is_empty()) {
            told.bytes += text.len();
            deltas.push(Delta::Text { choice: CHOICE, part: told.part, text });
        }
    }

    /// Of a text that is whole, what was not told.
    fn rest(&mut self, output: u64, content: u64, text: &str, deltas: &mut Vec<Delta>) {
        let told = self.told(output, content).map_or(0, |told| told.bytes);
        self.text(output, content, text.get(told..).unwrap_or_default().to_owned(), deltas);
    }

    fn thought(&mut self, output: u64, content: u64, text: String, deltas: &mut Vec<Delta>) {
        if text.is_empty() {
            return;
        }
        self.ensure(output, 0, Opening::Reasoning { redacted: false }, deltas);
        let Some(told) = self.told(output, 0) else { return };
        let goes_on = told.bytes == 0 || std::mem::replace(&mut told.content, content) == content;
        told.content = content;
        self.text(output, 0, if goes_on { text } else { format!("\n\n{text}") }, deltas);
    }

    fn rest_of_thought(&mut self, output: u64, text: &str, deltas: &mut Vec<Delta>) {
        if !text.is_empty() {
            self.ensure(output, 0, Opening::Reasoning { redacted: false }, deltas);
            self.rest(output, 0, text, deltas);
        }
    }

    fn summary(&mut self, output: u64, index: u64, text: String, deltas: &mut Vec<Delta>) {
        let part = self.ensure(output, 0, Opening::Reasoning { redacted: false }, deltas);
        let goes_on = |told: &Told| !told.closed && told.sort == Sort::Reasoning;
        let item = self.items.get_mut(output).filter(|item| item.parts.get(0_u32).is_some_and(goes_on));
        let Some(item) = item else { return };
        let begins = item.summaries.get(index).is_none();
        *item.summaries.or_default(index) += text.len();
        deltas.push(Delta::Summary { choice: CHOICE, part, begins, text });
    }

    fn notes(&mut self, output: u64, content: u64, notes: impl IntoIterator<Item = Value>, deltas: &mut Vec<Delta>) {
        let Some(told) = self.told(output, content).filter(|told| told.sort == Sort::Text) else { return };
        for note in notes {
            told.notes += 1;
            deltas.push(Delta::Note { choice: CHOICE, part: told.part, note });
        }
    }

    fn logprobs(&mut self, output: u64, content: u64, logprobs: Vec<Value>, deltas: &mut Vec<Delta>) {
        let Some(told) = self.items.get_mut(output).and_then(|item| item.parts.get_mut(content)) else { return };
        if let Some(logprobs) = joined(logprobs) {
            told.logprobs = true;
            deltas.push(Delta::Logprobs { choice: CHOICE, logprobs });
        }
    }

    /// A part of a message begins.
    fn open_said(&mut self, output: u64, content: u64, part: &Object, deltas: &mut Vec<Delta>) {
        match text(part, "type") {
            Some("output_text") => {
                self.ensure(output, content, Opening::Text, deltas);
            }
            Some("refusal") => {
                self.ensure(output, content, Opening::Refusal, deltas);
            }
            _ => {}
        }
    }

    /// A part of a message is whole.
    fn said(&mut self, output: u64, content: u64, mut part: Object, deltas: &mut Vec<Delta>) {
        self.open_said(output, content, &part, deltas);
        match text(&part, "type") {
            Some("output_text") => {
                let logprobs = take_list(&mut part, "logprobs");
                if self.items.get(output).and_then(|item| item.parts.get(content)).is_some_and(|told| !told.logprobs) {
                    self.logprobs(output, content, logprobs, deltas);
                }
                self.rest(output, content, &take_text(&mut part, "text"), deltas);
                let known = self.told(output, content).map_or(0, |told| told.notes);
                let notes = take_list(&mut part, "annotations");
                self.notes(output, content, notes.into_iter().skip(known), deltas);
            }
            Some("refusal") => self.rest(output, content, &take_text(&mut part, "refusal"), deltas),
            // The text of reasoning is told with its item.
            Some("reasoning_text" | "summary_text") | None => return,
            Some(_) => {
                self.ensure(output, content, Opening::Whole(Box::new(Kind::Opaque(Value::Object(part)))), deltas);
            }
        }
        if let Some(told) = self.told(output, content) {
            told.closed = true;
            let part = told.part;
            deltas.push(Delta::Close { choice: CHOICE, part });
        }
    }
}
