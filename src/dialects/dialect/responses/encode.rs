//! An answer for a client: its events, and the response that they end with.
//!
//! A whole answer is the response of its own stream's last event, so that both say the same. Source: the recorded streams of `OpenAI`'s, whose order of
//! events and whose members are kept. Thoughts are told as summaries of reasoning, for which clients look. What a text was sealed with, for which a message has
//! no room, and an image, stands behind it in reasoning of which there is nothing else: whether it was asked for or not, as what thoughts are sealed with does.

use serde_json::Value;

use super::frame::{Events, Place, listed, quoted};
use super::output::{Content, Item, Sort, behind, whole};
use super::{echo, item_id, object, put};
use crate::chat::{Answer, Delta, Finish, Kind, Object, Opening, Seal, Usage, seal_into_id};
use crate::dialect::Manner;
use crate::dialect::chat::is_tier;

/// Writes a whole answer.
#[must_use]
pub fn encode(answer: Answer, manner: &Manner) -> Value {
    let mut encoder = Encoder { events: Events::muted(), ..Encoder::new(manner.clone()) };
    let mut nothing = String::new();
    for delta in answer.told() {
        // Nothing of an answer is told out of order.
        let _ = encoder.delta(delta, &mut nothing);
    }
    Value::Object(encoder.response)
}

/// Writes a stream: the events of one answer, of which only the first choice is told.
#[derive(Debug)]
pub struct Encoder {
    manner: Manner,
    events: Events,
    /// What every event of the response's holds, and what it ends as.
    response: Object,
    begun: bool,
    items: Vec<Item>,
    /// The item and the content of each part of the answer; none for what cannot be told here.
    parts: Vec<Option<(usize, usize)>>,
    finish: Option<Finish>,
    usage: Option<Usage>,
    /// Log probabilities of text that is still to come.
    logprobs: Vec<Value>,
    ended: bool,
}

impl Encoder {
    /// Of an answer that is to come.
    #[must_use]
    pub fn new(manner: Manner) -> Self {
        Self {
            events: Events::default(),
            response: echo::response(&manner),
            manner,
            begun: false,
            items: Vec::new(),
            parts: Vec::new(),
            finish: None,
            usage: None,
            logprobs: Vec::new(),
            ended: false,
        }
    }

    /// The number of the next event: of an error's, where the stream breaks off.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.events.sequence()
    }

    /// Adds the events that say `delta`. None where its part is closed, or was never opened.
    pub fn delta(&mut self, delta: Delta, frames: &mut String) -> Option<()> {
        if self.ended {
            return None;
        }
        match delta {
            Delta::Begin { id, model, created } => self.begin(id, model, created, frames),
            Delta::Open { choice: 0, part, kind } => {
                self.begin(None, None, None, frames);
                (self.parts.len() == part as usize).then_some(())?;
                self.open(kind, frames);
            }
            Delta::Text { choice: 0, part, text } => {
                // The words of speech are a text, which begins when there are any.
                if self.parts.get(part as usize)?.is_none() && !text.is_empty() {
                    self.open_said(false, frames);
                    let place = self.parts.pop()?;
                    *self.parts.get_mut(part as usize)? = place;
                }
                self.told(part, false, false, &text, frames)?;
            }
            Delta::Summary { choice: 0, part, begins, text } => self.told(part, begins, true, &text, frames)?,
            Delta::Sign { choice: 0, part, seal } => {
                // A call's stands in its id, which was told when it began; a text's waits for what comes next, as its message may end incomplete.
                if let Some((item, _)) = *self.parts.get(part as usize)? {
                    self.items.get_mut(item)?.seal = Some(seal);
                }
            }
            Delta::Note { choice: 0, part, note } => self.note(part, note, frames)?,
            Delta::Logprobs { choice: 0, logprobs } => self.logprobs(logprobs),
            Delta::Close { choice: 0, part } => {
                let last_at = self.items.len();
                if let Some((item, content)) = *self.parts.get(part as usize)? {
                    // Of the last call it is not known yet whether it is whole, or was cut: see [`Self::add`] and [`Self::finish`].
                    match self.items.last_mut().filter(|last| item + 1 == last_at && matches!(last.sort, Sort::Call { .. })) {
                        Some(last) => last.contents.iter_mut().for_each(|content| content.closed = true),
                        None => self.close(item, content, "completed", frames),
                    }
                }
            }
            Delta::Finish { choice: 0, finish, .. } => {
                self.begin(None, None, None, frames);
                self.finish(&finish, frames);
                self.finish = Some(finish);
            }
            Delta::Usage(usage) => self.usage = Some(usage),
            Delta::Extra(extra) => {
                if let Some(tier) = extra.get("service_tier").filter(|tier| tier.as_str().is_some_and(is_tier)) {
                    self.response.insert("service_tier".to_owned(), tier.clone());
                }
            }
            Delta::End => self.end(frames),
            // Another choice's: there is only one here.
            _ => {}
        }
        Some(())
    }

    fn begin(&mut self, id: Option<String>, model: Option<String>, created: Option<u64>, frames: &mut String) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        // Other dialects' ids are of another form, at which clients may look.
        put(&mut self.response, "id", id.filter(|id| id.starts_with("resp_")));
        put(&mut self.response, "model", model);
        put(&mut self.response, "created_at", created.filter(|created| *created > 0));
        self.events.of_response("response.created", &self.response, frames);
        self.events.of_response("response.in_progress", &self.response, frames);
    }

    fn open(&mut self, kind: Opening, frames: &mut String) {
        self.seal_said(frames);
        let next = self.items.len();
        match kind {
            Opening::Text => self.open_said(false, frames),
            Opening::Refusal => self.open_said(true, frames),
            Opening::Speech => self.parts.push(None),
            Opening::Reasoning { redacted } => {
                self.add(Sort::Reasoning { redacted }, "rs", Object::new(), frames);
                self.parts.push(Some((next, 0)));
            }
            Opening::ToolCall { id, name, custom, seal } => {
                let id = seal_into_id(&id, seal.as_ref());
                let members = object([("call_id", id.into()), ("name", name.into())]);
                self.add(Sort::Call { custom }, if custom { "ctc" } else { "fc" }, members, frames);
                if let Some(item) = self.items.last_mut() {
                    item.contents.push(Content::default());
                }
                self.parts.push(Some((next, 0)));
            }
            Opening::Whole(mut kind) => {
                let seal = if let Kind::Image { seal, .. } = &mut *kind { seal.take() } else { None };
                match whole(*kind, &item_id(self.manner.seed, next, "ig")) {
                    Some(members) => {
                        self.whole(members, frames);
                        self.parts.push(Some((next, 0)));
                        self.seal(seal, frames);
                    }
                    None => self.parts.push(None),
                }
            }
        }
    }

    /// Text and a refusal beside each other are of one message.
    fn open_said(&mut self, refusal: bool, frames: &mut String) {
        let is_open = |item: &Item| item.sort == Sort::Message && !item.done && !item.settled;
        if !self.items.last().is_some_and(is_open) {
            self.add(Sort::Message, "msg", Object::new(), frames);
        }
        let Some((output, item)) = self.items.iter_mut().enumerate().next_back() else { return };
        let (index, content) = (item.contents.len(), Content { refusal, ..Content::default() });
        let part = content.said().to_string();
        item.contents.push(content);
        self.parts.push(Some((output, index)));
        let place = Place { item: &item.id, output, part: Some(("content_index", index)) };
        self.events.of_part("response.content_part.added", place, &[("part", &part)], frames);
    }

    /// Another item, behind which the one before gets no more parts.
    fn add(&mut self, sort: Sort, prefix: &str, members: Object, frames: &mut String) {
        let output = self.items.len();
        if let Some(last) = self.items.last_mut() {
            last.settled = true;
            let waits = matches!(last.sort, Sort::Message | Sort::Call { .. });
            if waits && last.contents.iter().all(|content| content.closed) {
                self.close(output - 1, 0, "completed", frames);
            }
        }
        let id = item_id(self.manner.seed, output, prefix);
        let item = Item { sort, id, members, contents: Vec::new(), seal: None, settled: false, done: false };
        self.events.of_item("response.output_item.added", output, &item.value("in_progress"), frames);
        self.items.push(item);
    }

    /// An item that comes whole.
    fn whole(&mut self, members: Object, frames: &mut String) {
        let next = self.items.len();
        self.add(Sort::Whole, "ig", members, frames);
        self.item_done(next, "completed", frames);
    }

    /// What the last message was sealed with.
    fn seal_said(&mut self, frames: &mut String) {
        let sealed = self.items.last_mut().filter(|last| last.sort == Sort::Message).and_then(|last| last.seal.take());
        self.seal(sealed, frames);
    }

    /// What the last item was sealed with, in an item of its own behind it.
    fn seal(&mut self, seal: Option<Seal>, frames: &mut String) {
        if let Some(seal) = seal {
            let members = behind(&seal, item_id(self.manner.seed, self.items.len(), "rs"));
            self.whole(members, frames);
        }
    }

    /// More of a part's text. A summary of reasoning that begins is another content.
    fn told(&mut self, part: u32, begins: bool, summary: bool, text: &str, frames: &mut String) -> Option<()> {
        let Some((output, index)) = *self.parts.get(part as usize)? else { return Some(()) };
        let item = self.items.get_mut(output)?;
        if item.done {
            return None;
        }
        let mut index = index;
        if matches!(item.sort, Sort::Reasoning { .. }) {
            let last = item.contents.last().map(|content| content.summary);
            if begins || last != Some(summary) {
                self.next_summary(output, summary, frames);
            }
            index = self.items.get(output)?.contents.len().checked_sub(1)?;
        }
        let item = self.items.get_mut(output)?;
        let content = item.contents.get_mut(index).filter(|content| !content.closed)?;
        content.text.push_str(text);
        if text.is_empty() {
            return Some(());
        }
        let delta = quoted(text);
        let place = |part| Place { item: &item.id, output, part };
        match item.sort {
            Sort::Message if content.refusal => {
                let place = place(Some(("content_index", index)));
                self.events.of_part("response.refusal.delta", place, &[("delta", &delta)], frames);
            }
            Sort::Message => {
                let place = place(Some(("content_index", index)));
                let new = std::mem::take(&mut self.logprobs);
                let logprobs = listed(&new);
                content.logprobs.extend(new);
                self.events.of_part("response.output_text.delta", place, &[("delta", &delta), ("logprobs", &logprobs)], frames);
            }
            Sort::Reasoning { .. } => {
                let place = place(Some(("summary_index", index)));
                self.events.of_part("response.reasoning_summary_text.delta", place, &[("delta", &delta)], frames);
            }
            Sort::Call { custom } => {
                let kind =
                    if custom { "response.custom_tool_call_input.delta" } else { "response.function_call_arguments.delta" };
                self.events.of_part(kind, place(None), &[("delta", &delta)], frames);
            }
            Sort::Whole => return None,
        }
        Some(())
    }

    fn next_summary(&mut self, output: usize, summary: bool, frames: &mut String) {
        self.close_summary(output, frames);
        let Some(item) = self.items.get_mut(output) else { return };
        let (index, content) = (item.contents.len(), Content { summary, ..Content::default() });
        let part = content.summarised().to_string();
        item.contents.push(content);
        let place = Place { item: &item.id, output, part: Some(("summary_index", index)) };
        self.events.of_part("response.reasoning_summary_part.added", place, &[("part", &part)], frames);
    }

    fn close_summary(&mut self, output: usize, frames: &mut String) {
        let Some(item) = self.items.get_mut(output) else { return };
        let Some((index, content)) = item.contents.iter_mut().enumerate().next_back() else { return };
        if std::mem::replace(&mut content.closed, true) {
            return;
        }
        let (text, part) = (quoted(&content.text), content.summarised().to_string());
        let place = Place { item: &item.id, output, part: Some(("summary_index", index)) };
        self.events.of_part("response.reasoning_summary_text.done", place, &[("text", &text)], frames);
        self.events.of_part("response.reasoning_summary_part.done", place, &[("part", &part)], frames);
    }

    fn note(&mut self, part: u32, note: Value, frames: &mut String) -> Option<()> {
        let Some((output, index)) = *self.parts.get(part as usize)? else { return Some(()) };
        let item = self.items.get_mut(output)?;
        let content = item.contents.get_mut(index).filter(|content| !content.closed)?;
        match echo::note(note) {
            Some(note) if echo::is_placed(&note) => {
                let place = Place { item: &item.id, output, part: Some(("content_index", index)) };
                annotate(&mut self.events, place, content, note, frames);
            }
            Some(note) => content.unplaced.push(note),
            None => {}
        }
        Some(())
    }

    /// Log probabilities belong to the text that comes next, or, where all is said, to what was said last.
    fn logprobs(&mut self, logprobs: Value) {
        let Value::Object(mut logprobs) = logprobs else { return };
        let new = super::take_list(&mut logprobs, "content");
        let message = self.items.iter_mut().enumerate().rev().find(|(_, item)| item.sort == Sort::Message);
        let Some((output, item)) = message else {
            self.logprobs.extend(new);
            return;
        };
        match item.contents.iter_mut().rev().find(|content| !content.refusal).filter(|content| content.closed) {
            Some(content) => content.logprobs.extend(new),
            None => self.logprobs.extend(new),
        }
        // Of an item that is done, the response's own event can still tell it.
        if item.done
            && let Some(done) = self.response.get_mut("output").and_then(|items| items.get_mut(output))
        {
            let status = done.get("status").and_then(Value::as_str).unwrap_or("completed").to_owned();
            *done = Value::Object(item.value(&status));
        }
    }

    fn close(&mut self, output: usize, index: usize, status: &str, frames: &mut String) {
        let Some(item) = self.items.get_mut(output).filter(|item| !item.done) else { return };
        match item.sort {
            Sort::Message => {
                let Some(content) = item.contents.get_mut(index) else { return };
                if !std::mem::replace(&mut content.closed, true) {
                    let place = Place { item: &item.id, output, part: Some(("content_index", index)) };
                    let length = content.text.chars().count();
                    for mut note in std::mem::take(&mut content.unplaced) {
                        note.insert("start_index".to_owned(), 0.into());
                        note.insert("end_index".to_owned(), length.into());
                        annotate(&mut self.events, place, content, note, frames);
                    }
                    let text = quoted(&content.text);
                    if content.refusal {
                        self.events.of_part("response.refusal.done", place, &[("refusal", &text)], frames);
                    } else {
                        content.logprobs.append(&mut self.logprobs);
                        let logprobs = listed(&content.logprobs);
                        let members = [("text", text.as_str()), ("logprobs", &logprobs)];
                        self.events.of_part("response.output_text.done", place, &members, frames);
                    }
                    let part = content.said().to_string();
                    self.events.of_part("response.content_part.done", place, &[("part", &part)], frames);
                }
                if item.settled && item.contents.iter().all(|content| content.closed) {
                    self.item_done(output, status, frames);
                }
            }
            Sort::Reasoning { .. } => {
                self.close_summary(output, frames);
                self.item_done(output, status, frames);
            }
            Sort::Call { custom } => {
                let Some(content) = item.contents.first_mut() else { return };
                let place = Place { item: &item.id, output, part: None };
                // What clients parse must be JSON: a call without arguments has an empty object of them.
                if content.text.is_empty() && !custom {
                    content.text.push_str("{}");
                    self.events.of_part("response.function_call_arguments.delta", place, &[("delta", "\"{}\"")], frames);
                }
                let (kind, name) = if custom {
                    ("response.custom_tool_call_input.done", "input")
                } else {
                    ("response.function_call_arguments.done", "arguments")
                };
                self.events.of_part(kind, place, &[(name, &quoted(&content.text))], frames);
                self.item_done(output, status, frames);
            }
            Sort::Whole => {}
        }
    }

    fn item_done(&mut self, output: usize, status: &str, frames: &mut String) {
        let Some(item) = self.items.get_mut(output) else { return };
        if std::mem::replace(&mut item.done, true) {
            return;
        }
        let value = item.value(status);
        self.events.of_item("response.output_item.done", output, &value, frames);
        if let Some(Value::Array(items)) = self.response.get_mut("output") {
            // Items may end in another order than that in which they began.
            items.resize(items.len().max(output + 1), Value::Null);
            if let Some(place) = items.get_mut(output) {
                *place = Value::Object(value);
            }
        }
    }

    /// Whatever is open is whole now; an answer that was cut off ends in an item that was.
    fn finish(&mut self, finish: &Finish, frames: &mut String) {
        let cut = reason(finish).is_some();
        for output in 0..self.items.len() {
            let status = if cut && output + 1 == self.items.len() { "incomplete" } else { "completed" };
            for index in 0..self.items.get(output).map_or(0, |item| item.contents.len().max(1)) {
                self.close(output, index, status, frames);
            }
            self.item_done(output, status, frames);
        }
        self.seal_said(frames);
    }

    fn end(&mut self, frames: &mut String) {
        self.ended = true;
        let reason = self.finish.as_ref().and_then(reason);
        let response = &mut self.response;
        response.insert("status".to_owned(), if reason.is_some() { "incomplete" } else { "completed" }.into());
        if reason.is_none() {
            response.insert("completed_at".to_owned(), self.manner.now.into());
        }
        let details = reason.map(|reason| Value::Object(object([("reason", reason.into())])));
        put(response, "incomplete_details", details);
        put(response, "usage", self.usage.take().as_ref().map(echo::usage));
        let kind = if reason.is_some() { "response.incomplete" } else { "response.completed" };
        self.events.of_response(kind, &self.response, frames);
    }
}

/// A citation of a text.
fn annotate(events: &mut Events, place: Place<'_>, content: &mut Content, note: Object, frames: &mut String) {
    let note = Value::Object(note);
    let members = [("annotation_index", content.notes.len().to_string()), ("annotation", note.to_string())];
    let members = members.each_ref().map(|(name, value)| (*name, value.as_str()));
    events.of_part("response.output_text.annotation.added", place, &members, frames);
    content.notes.push(note);
}

/// Why an answer is incomplete; none where it is not. There are two reasons ("The response object", `incomplete_details`).
fn reason(finish: &Finish) -> Option<&'static str> {
    match finish {
        Finish::Length => Some("max_output_tokens"),
        Finish::ContentFilter | Finish::Refusal => Some("content_filter"),
        Finish::Stop | Finish::StopSequence | Finish::ToolCalls | Finish::Pause | Finish::Other(_) => None,
    }
}
