//! A provider's stream, chunk by chunk.

use crate::slots::Slots;

use serde_json::Value;

use super::decode::{self, Called, Head};
use super::details::{self, Block, Entry};
use crate::chat::{Delta, Finish, Kind, Object, Opening, Seal, Speech};
use crate::json;

/// Reads a stream of chunks.
#[derive(Debug, Default)]
pub struct Decoder {
    head: Head,
    begun: bool,
    ended: bool,
    speakers: Slots<Speaker>,
    /// Members beside the content that were told, and those that came before there was an answer.
    told: Object,
    early: Object,
    /// Perplexity's, which each chunk repeats.
    citations: Vec<Value>,
}

/// One choice.
#[derive(Debug, Default)]
struct Speaker {
    choice: u32,
    /// The next part's number.
    next: u32,
    open: Option<(u32, Open)>,
    calls: Slots<Call>,
    /// The number of what is said aloud.
    speech: Option<u32>,
    finished: bool,
}

/// What is being said, one thing at a time; calls and speech are open beside it.
#[derive(Debug)]
enum Open {
    Text,
    Refusal,
    /// Reasoning, of which block, what was said of it, and the entries that its seal is made of.
    Reasoning(Block, String, Object),
}

#[derive(Debug)]
struct Call {
    id: String,
    is_made_up: bool,
    name: String,
    custom: bool,
    seal: Option<Seal>,
    /// Its number, once its name is known.
    part: Option<u32>,
    held: String,
}

impl Decoder {
    /// Takes the data of one event, and adds what it says. None where it is not of the dialect.
    pub fn event(&mut self, data: &str, deltas: &mut Vec<Delta>) -> Option<()> {
        let data = data.trim();
        if data == "[DONE]" {
            self.end(deltas);
            return Some(());
        }
        if data.is_empty() || self.ended {
            return Some(());
        }
        let mut chunk: Object = json::object(data)?;
        if chunk.get("error").is_some_and(|error| !error.is_null()) {
            return None;
        }
        let head = Head::take(&mut chunk);
        let mut choices = match chunk.shift_remove("choices") {
            Some(Value::Array(choices)) => choices,
            None | Some(Value::Null) => Vec::new(),
            Some(_) => return None,
        };
        // Azure's first chunk may be about the prompt, and have no id yet.
        if !self.begun && (head.id.is_some() || head.model.is_some() || !choices.is_empty()) {
            self.begun = true;
            self.head = head.clone();
            deltas.push(Delta::Begin { id: head.id, model: head.model, created: head.created });
        }
        let citations = decode::citations(&mut chunk);
        if !citations.is_empty() {
            self.citations = citations;
        }
        let usage = decode::take_usage(&mut chunk).or_else(|| decode::usage_in(&mut choices));
        self.early.extend(decode::rest(chunk));
        if self.begun && !self.early.is_empty() {
            let mut extra = std::mem::take(&mut self.early);
            extra.retain(|name, value| self.told.get(name) != Some(value));
            if !extra.is_empty() {
                self.told.extend(extra.clone());
                deltas.push(Delta::Extra(extra));
            }
        }
        for (at, choice) in (0..).zip(choices) {
            let Value::Object(choice) = choice else { return None };
            self.choice(at, choice, deltas)?;
        }
        deltas.extend(usage.filter(|_| self.begun).map(Delta::Usage));
        Some(())
    }

    /// The stream is complete: adds [`Delta::End`], once however often this is called.
    pub fn end(&mut self, deltas: &mut Vec<Delta>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        // What OpenAI says aloud ends with when it expires, and has no finish reason (openai/openai-node#1206); nor do some of its imitators give any. What
        // its own terminator ends has stopped.
        for speaker in self.speakers.values_mut().filter(|speaker| !speaker.finished) {
            let finish = if speaker.calls.is_empty() { Finish::Stop } else { Finish::ToolCalls };
            speaker.finish(finish, &self.head, &self.citations, deltas);
        }
        deltas.push(Delta::End);
    }

    fn choice(&mut self, at: u32, mut choice: Object, deltas: &mut Vec<Delta>) -> Option<()> {
        let index = choice
            .shift_remove("index")
            .and_then(|index| index.as_u64())
            .and_then(|index| u32::try_from(index).ok())
            .unwrap_or(at);
        let speaker = self.speakers.of(index, || Speaker { choice: index, ..Speaker::default() });
        // Perplexity repeats the whole message beside each delta. Some say why they stop before the last of what they say.
        let delta = choice.shift_remove("delta");
        let message = choice.shift_remove("message").filter(|_| !speaker.finished);
        match delta.or(message) {
            Some(Value::Object(delta)) => speaker.delta(delta, &self.head, deltas)?,
            None | Some(Value::Null) => {}
            Some(_) => return None,
        }
        if let Some(logprobs @ Value::Object(_)) = choice.shift_remove("logprobs")
            && !speaker.finished
        {
            deltas.push(Delta::Logprobs { choice: index, logprobs });
        }
        if let Some(Value::String(word)) = choice.shift_remove("finish_reason")
            && !word.is_empty()
            && !speaker.finished
        {
            let finish = decode::finish(&word, !speaker.calls.is_empty())?;
            speaker.finish(finish, &self.head, &self.citations, deltas);
        }
        Some(())
    }
}

impl Speaker {
    fn delta(&mut self, mut delta: Object, head: &Head, deltas: &mut Vec<Delta>) -> Option<()> {
        self.think(&mut delta, deltas);
        match delta.shift_remove("content") {
            Some(Value::String(text)) => self.text(text, deltas),
            Some(Value::Array(list)) => {
                for kind in list.into_iter().filter_map(decode::item) {
                    match kind {
                        Kind::Text { text, .. } => self.text(text, deltas),
                        Kind::Reasoning(reasoning) => self.think_of(Block::Plain, false, &reasoning.text, deltas),
                        kind => self.whole(kind, deltas),
                    }
                }
            }
            _ => {}
        }
        if let Some(Value::String(text)) = delta.shift_remove("refusal")
            && !text.is_empty()
        {
            if !matches!(self.open, Some((_, Open::Refusal))) {
                let part = self.begin(Opening::Refusal, deltas);
                self.open = Some((part, Open::Refusal));
            }
            self.more(text, deltas);
        }
        if let Some(Value::Array(notes)) = delta.shift_remove("annotations")
            && let Some((part, Open::Text)) = self.open
        {
            deltas.extend(notes.into_iter().map(|note| Delta::Note { choice: self.choice, part, note }));
        }
        for image in decode::images(delta.shift_remove("images")) {
            self.whole(image.kind, deltas);
        }
        if let Some(speech) = decode::speech(delta.shift_remove("audio")) {
            self.speak(speech, deltas);
        }
        if let Some(Value::Array(calls)) = delta.shift_remove("tool_calls") {
            for call in calls {
                let Value::Object(mut call) = call else { return None };
                let index = call.shift_remove("index").and_then(|index| index.as_u64());
                self.call(index, Called::take(call), head, deltas);
            }
        }
        if let Some(Value::Object(function)) = delta.shift_remove("function_call") {
            let call = Object::from_iter([("function".to_owned(), Value::Object(function))]);
            self.call(Some(0), Called::take(call), head, deltas);
        }
        Some(())
    }

    /// Sound, or the words of it. It stays open beside the rest: some (Qwen's) say the text beside the sound, and the two come by turns.
    fn speak(&mut self, Speech { transcript, sound }: Speech, deltas: &mut Vec<Delta>) {
        let choice = self.choice;
        let part = *self.speech.get_or_insert_with(|| {
            let part = self.next;
            self.next += 1;
            deltas.push(Delta::Open { choice, part, kind: Opening::Speech });
            part
        });
        if !transcript.is_empty() {
            deltas.push(Delta::Text { choice, part, text: transcript });
        }
        if !sound.is_empty() {
            deltas.push(Delta::Sound { choice, part, sound });
        }
    }

    fn text(&mut self, text: String, deltas: &mut Vec<Delta>) {
        if text.is_empty() {
            return;
        }
        if !matches!(self.open, Some((_, Open::Text))) {
            let part = self.begin(Opening::Text, deltas);
            self.open = Some((part, Open::Text));
        }
        self.more(text, deltas);
    }

    /// More of what is open.
    fn more(&self, text: String, deltas: &mut Vec<Delta>) {
        if let Some((part, _)) = self.open {
            deltas.push(Delta::Text { choice: self.choice, part, text });
        }
    }

    /// Reasoning. Entries with text say what the text beside them says.
    fn think(&mut self, delta: &mut Object, deltas: &mut Vec<Delta>) {
        let beside = details::take_text(delta);
        let entries: Vec<Entry> = match delta.shift_remove("reasoning_details") {
            Some(Value::Array(entries)) => entries.into_iter().map(Entry::of).collect(),
            _ => Vec::new(),
        };
        let is_shown = entries.iter().any(|entry| entry.text.is_some() || entry.summary.is_some());
        if let Some(text) = beside.filter(|_| !is_shown) {
            self.think_of(Block::Plain, false, &text, deltas);
        }
        for entry in entries {
            self.entry(entry, deltas);
        }
    }

    fn think_of(&mut self, block: Block, redacted: bool, text: &str, deltas: &mut Vec<Delta>) {
        if !matches!(&self.open, Some((_, Open::Reasoning(open, ..))) if *open == block) {
            let part = self.begin(Opening::Reasoning { redacted }, deltas);
            self.open = Some((part, Open::Reasoning(block, String::new(), Object::new())));
        }
        if let Some((part, Open::Reasoning(_, said, _))) = &mut self.open
            && !text.is_empty()
        {
            said.push_str(text);
            deltas.push(Delta::Text { choice: self.choice, part: *part, text: text.to_owned() });
        }
    }

    fn entry(&mut self, mut entry: Entry, deltas: &mut Vec<Delta>) {
        // An image's is for the gateway that wrote it.
        if let Block::Image(_) = entry.block {
            return;
        }
        // A text's seal comes at its end.
        if entry.of_text.is_some() {
            if let Some((part, Open::Text)) = self.open {
                deltas.extend(entry.seal.map(|seal| Delta::Sign { choice: self.choice, part, seal }));
                self.close(deltas);
            }
            return;
        }
        // The gateway's own streams sign a text once it was said.
        if let Some((part, Open::Reasoning(Block::Plain, said, _))) = &mut self.open
            && let (Some(text), Some(seal)) = (&entry.text, &entry.seal)
            && said == text
        {
            deltas.push(Delta::Sign { choice: self.choice, part: *part, seal: seal.clone() });
            self.close(deltas);
            return;
        }
        self.think_of(entry.block.clone(), entry.is_redacted(), entry.text.as_deref().unwrap_or_default(), deltas);
        let Some((part, Open::Reasoning(_, said, kept))) = &mut self.open else { return };
        let (choice, part) = (self.choice, *part);
        if let Some(text) = entry.summary.take() {
            // One summary a block: whether a piece begins another cannot be told.
            deltas.push(Delta::Summary { choice, part, begins: said.is_empty(), text: text.clone() });
            said.push_str(&text);
        }
        entry.keep(kept);
        deltas.extend(entry.seal.map(|seal| Delta::Sign { choice, part, seal }));
    }

    fn whole(&mut self, kind: Kind, deltas: &mut Vec<Delta>) {
        let part = self.begin(Opening::Whole(Box::new(kind)), deltas);
        deltas.push(Delta::Close { choice: self.choice, part });
    }

    fn call(&mut self, index: Option<u64>, piece: Called, head: &Head, deltas: &mut Vec<Delta>) {
        let index = index.unwrap_or_else(|| self.place(&piece.id));
        // Some give each call the index 0, with an id of its own (InternLM/lmdeploy#3412). An id without a name begins nothing: others change it within a call
        // (poolsideai/pool#9).
        let is_new = |call: &Call| {
            !piece.id.is_empty() && !piece.name.is_empty() && !call.id.is_empty() && call.id != piece.id && !call.is_made_up
        };
        if self.calls.get(index).is_some_and(is_new) {
            if self.calls.get(index).is_some_and(|call| call.part.is_none()) {
                self.open_call(index, head, deltas);
                self.flush(index, deltas);
            }
            self.calls.remove(index);
        }
        let call = self.calls.of(index, || Call {
            id: String::new(),
            is_made_up: false,
            name: String::new(),
            custom: piece.custom,
            seal: None,
            part: None,
            held: String::new(),
        });
        // Some repeat these, or send empty ones, with every piece.
        if call.id.is_empty() {
            call.id = piece.id;
        }
        if call.name.is_empty() {
            call.name = piece.name;
        }
        // It comes with the name; a later one comes too late for who is told it in the id.
        match (piece.seal, call.part) {
            (Some(seal), Some(part)) => deltas.push(Delta::Sign { choice: self.choice, part, seal }),
            (Some(seal), None) => call.seal = Some(seal),
            (None, _) => {}
        }
        // Groq writes no arguments so, at the call's beginning.
        let none = call.part.is_none() && call.held.is_empty() && piece.arguments == "null";
        if !none || call.custom {
            call.held.push_str(&piece.arguments);
        }
        if call.part.is_none() && !call.name.is_empty() {
            self.open_call(index, head, deltas);
        }
        self.flush(index, deltas);
    }

    fn open_call(&mut self, index: u64, head: &Head, deltas: &mut Vec<Delta>) {
        let made_up = head.call_id(u64::from(self.choice), index);
        let Some(call) = self.calls.get_mut(index) else { return };
        if call.id.is_empty() {
            call.id = made_up;
            call.is_made_up = true;
        }
        let seal = call.seal.take();
        let kind = Opening::ToolCall { id: call.id.clone(), name: call.name.clone(), custom: call.custom, seal };
        let part = self.begin(kind, deltas);
        if let Some(call) = self.calls.get_mut(index) {
            call.part = Some(part);
        }
    }

    fn flush(&mut self, index: u64, deltas: &mut Vec<Delta>) {
        let choice = self.choice;
        if let Some(call) = self.calls.get_mut(index)
            && let Some(part) = call.part
            && !call.held.is_empty()
        {
            deltas.push(Delta::Text { choice, part, text: std::mem::take(&mut call.held) });
        }
    }

    /// Calls whose name never came.
    fn open_unnamed(&mut self, head: &Head, deltas: &mut Vec<Delta>) {
        let unnamed: Vec<u64> = self.calls.iter().filter(|(_, call)| call.part.is_none()).map(|(index, _)| index).collect();
        for index in unnamed {
            self.open_call(index, head, deltas);
            self.flush(index, deltas);
        }
    }

    /// Where a call without an index belongs: with the call of its id, behind all others if the id is new, and to the last one where it has none.
    fn place(&self, id: &str) -> u64 {
        let last = self.calls.indices().next_back();
        if id.is_empty() {
            return last.unwrap_or(0);
        }
        let known = self.calls.iter().find(|(_, call)| call.id == id);
        known.map_or_else(|| last.map_or(0, |last| last + 1), |(index, _)| index)
    }

    fn begin(&mut self, kind: Opening, deltas: &mut Vec<Delta>) -> u32 {
        self.close(deltas);
        let part = self.next;
        self.next += 1;
        deltas.push(Delta::Open { choice: self.choice, part, kind });
        part
    }

    fn finish(&mut self, finish: Finish, head: &Head, citations: &[Value], deltas: &mut Vec<Delta>) {
        let choice = self.choice;
        if let Some((part, Open::Text)) = self.open {
            deltas.extend(citations.iter().map(|note| Delta::Note { choice, part, note: note.clone() }));
        }
        self.close(deltas);
        self.open_unnamed(head, deltas);
        self.finished = true;
        deltas.push(Delta::Finish { choice: self.choice, finish, stop_sequence: None });
    }

    /// Closes what is open, calls and speech aside.
    fn close(&mut self, deltas: &mut Vec<Delta>) {
        let Some((part, open)) = self.open.take() else { return };
        if let Open::Reasoning(_, _, kept) = open
            && let Some(seal) = details::seal_of(kept)
        {
            deltas.push(Delta::Sign { choice: self.choice, part, seal });
        }
        deltas.push(Delta::Close { choice: self.choice, part });
    }
}
