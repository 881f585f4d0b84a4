//! A stream, event by event; a whole answer is a stream of one event ([`super::decode()`]).
//!
//! Two things are peculiar to Gemini's streams, and both are real (`stream_terminal_matrix` of the recordings): a finish reason may come before more content, and
//! twice. So a choice is finished at the end only, with the last reason. And a signature may come alone, in an empty text at the end: it is the signature of the
//! text before it, as the unstreamed answer shows.

use crate::slots::Slots;

use serde_json::Value;

use super::growing::Growing;
use super::piece::{self, Ids, Piece};
use super::said;
use crate::chat::{Delta, Finish, Object, Opening, Seal, Usage};

/// The longest text that places of citations are counted in, in bytes.
const MAX_TEXT: usize = 1024 * 1024;

/// Reads a provider's stream.
#[derive(Debug, Default)]
pub struct Decoder {
    begun: bool,
    ended: bool,
    ids: Ids,
    choices: Slots<Choice>,
    usage: Option<Value>,
    told: Option<Usage>,
    tier: Option<String>,
}

#[derive(Debug, Default)]
struct Choice {
    /// How many parts were opened.
    parts: u32,
    open: Option<Open>,
    growing: Option<Growing>,
    /// The text so far of the last text part.
    text: String,
    noted: Vec<Value>,
    calls: bool,
    finish: Option<Finish>,
}

/// A part of text that may go on.
#[derive(Debug)]
struct Open {
    part: u32,
    thought: bool,
    sealed: bool,
}

impl Decoder {
    /// Takes the data of one event, and adds what it says. None where it is not of the dialect.
    pub fn event(&mut self, data: &str, deltas: &mut Vec<Delta>) -> Option<()> {
        self.take(crate::json::object(data)?, deltas)
    }

    /// The stream is complete: adds what is still to be said, up to [`Delta::End`], which is said once however often this is called.
    pub fn end(&mut self, deltas: &mut Vec<Delta>) {
        if self.ended {
            return;
        }
        self.ended = true;
        for index in self.indices().collect::<Vec<_>>() {
            let Some(choice) = self.choices.get_mut(index) else { continue };
            choice.grown(index, &mut self.ids, deltas);
            choice.close(index, deltas);
            if let Some(finish) = choice.finish.take() {
                let finish = if finish == Finish::Stop && choice.calls { Finish::ToolCalls } else { finish };
                deltas.push(Delta::Finish { choice: index, finish, stop_sequence: None });
            }
        }
        let usage = self.usage.take().as_ref().and_then(said::usage);
        deltas.extend(usage.filter(|usage| self.told.as_ref() != Some(usage)).map(Delta::Usage));
        if let Some(tier) = self.tier.take() {
            deltas.push(Delta::Extra([("service_tier".to_owned(), Value::from(tier))].into_iter().collect()));
        }
        deltas.push(Delta::End);
    }

    /// The candidates that there are.
    pub(super) fn indices(&self) -> impl Iterator<Item = u32> {
        self.choices.indices().filter_map(|index| u32::try_from(index).ok())
    }

    /// The same of an event that is read already.
    pub(super) fn take(&mut self, mut event: Object, deltas: &mut Vec<Delta>) -> Option<()> {
        if event.get("error").is_some_and(|error| !error.is_null()) {
            return None;
        }
        self.begin(&event, deltas);
        if let Some(metadata) = event.shift_remove("usageMetadata").filter(Value::is_object) {
            self.cost(metadata, deltas);
        }
        let candidates = match event.shift_remove("candidates") {
            None | Some(Value::Null) => return Some(()),
            Some(Value::Array(candidates)) => candidates,
            Some(_) => return None,
        };
        for (at, candidate) in (0..).zip(candidates) {
            let Value::Object(candidate) = candidate else { return None };
            let index = candidate.get("index").and_then(Value::as_u64).unwrap_or(at);
            let index = u32::try_from(index).ok()?;
            self.choices.or_default(index).take(index, candidate, &mut self.ids, deltas)?;
        }
        Some(())
    }

    fn begin(&mut self, event: &Object, deltas: &mut Vec<Delta>) {
        let text = |name: &str| event.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let id = text("responseId");
        if !self.ids.are_seeded() {
            match id {
                Some(id) => self.ids.seed(id),
                None => self.ids.seed(&event.get("candidates").map(Value::to_string).unwrap_or_default()),
            }
        }
        if !self.begun {
            self.begun = true;
            let owned = |text: Option<&str>| text.map(str::to_owned);
            deltas.push(Delta::Begin { id: owned(id), model: owned(text("modelVersion")), created: None });
        }
    }

    /// Every event says what all has cost so far. The first is told for dialects that begin with it, and the last.
    fn cost(&mut self, metadata: Value, deltas: &mut Vec<Delta>) {
        if let Some(tier) = said::tier(&metadata).filter(|_| self.tier.is_none()) {
            self.tier = Some(tier.to_owned());
        }
        if self.told.is_none()
            && let Some(usage) = said::usage(&metadata)
        {
            self.told = Some(usage.clone());
            deltas.push(Delta::Usage(usage));
        }
        self.usage = Some(metadata);
    }
}

impl Choice {
    fn take(&mut self, index: u32, mut candidate: Object, ids: &mut Ids, deltas: &mut Vec<Delta>) -> Option<()> {
        let parts = match candidate.get_mut("content").map(Value::take) {
            None | Some(Value::Null) => None,
            Some(Value::Object(mut content)) => content.shift_remove("parts"),
            Some(_) => return None,
        };
        match parts {
            None | Some(Value::Null) => {}
            Some(Value::Array(parts)) => {
                for part in parts {
                    self.piece(index, piece::read(part)?, ids, deltas)?;
                }
            }
            Some(_) => return None,
        }
        if let Some(logprobs) = candidate.get("logprobsResult").and_then(said::logprobs) {
            deltas.push(Delta::Logprobs { choice: index, logprobs });
        }
        if candidate.contains_key("groundingMetadata") || candidate.contains_key("citationMetadata") {
            self.note(index, &candidate, deltas);
        }
        let reason = candidate.get("finishReason").and_then(Value::as_str).unwrap_or_default();
        if said::is_failure(reason) {
            return None;
        }
        self.finish = said::finish(reason).or(self.finish.take());
        Some(())
    }

    fn piece(&mut self, index: u32, piece: Piece, ids: &mut Ids, deltas: &mut Vec<Delta>) -> Option<()> {
        if let Piece::Growing(call, seal) = piece {
            return self.grow(index, &call, seal, ids, deltas);
        }
        if !matches!(piece, Piece::Nothing) {
            self.grown(index, ids, deltas);
        }
        match piece {
            Piece::Nothing | Piece::Growing(..) => {}
            Piece::Text { thought, text, seal } => self.text(index, thought, text, seal, deltas),
            Piece::Call { id, name, arguments, seal } => {
                let id = id.unwrap_or_else(|| ids.next());
                self.call(index, Opening::ToolCall { id, name, custom: false, seal }, arguments, deltas);
            }
            Piece::Whole(kind) => {
                let part = self.open(index, Opening::Whole(Box::new(kind)), deltas);
                deltas.push(Delta::Close { choice: index, part });
            }
        }
        Some(())
    }

    fn text(&mut self, choice: u32, thought: bool, text: String, seal: Option<Seal>, deltas: &mut Vec<Delta>) {
        if text.is_empty() && seal.is_none() {
            return;
        }
        // A signature alone belongs to what is open, whether that is text or a thought.
        let goes_on = |open: &&Open| !open.sealed && (open.thought == thought || text.is_empty());
        let part = if let Some(open) = self.open.as_ref().filter(goes_on) {
            open.part
        } else {
            let kind = if thought { Opening::Reasoning { redacted: false } } else { Opening::Text };
            let part = self.open(choice, kind, deltas);
            self.open = Some(Open { part, thought, sealed: false });
            if !thought {
                self.text.clear();
                self.noted.clear();
            }
            part
        };
        if !text.is_empty() {
            if !thought && self.text.len() + text.len() <= MAX_TEXT {
                self.text.push_str(&text);
            }
            deltas.push(Delta::Text { choice, part, text });
        }
        if let Some(seal) = seal {
            deltas.push(Delta::Sign { choice, part, seal });
            self.open.iter_mut().for_each(|open| open.sealed = true);
        }
    }

    fn call(&mut self, choice: u32, kind: Opening, arguments: String, deltas: &mut Vec<Delta>) {
        self.calls = true;
        let part = self.open(choice, kind, deltas);
        deltas.push(Delta::Text { choice, part, text: arguments });
        deltas.push(Delta::Close { choice, part });
    }

    fn grow(&mut self, index: u32, call: &Object, seal: Option<Seal>, ids: &mut Ids, deltas: &mut Vec<Delta>) -> Option<()> {
        if call.contains_key("name") && call.get("name").is_some_and(Value::is_string) {
            self.grown(index, ids, deltas);
            self.growing = Growing::begin(call, seal);
        }
        match &mut self.growing {
            Some(growing) => growing.add(call)?,
            // The end of nothing.
            None if call.is_empty() => {}
            None => return None,
        }
        if call.get("willContinue") != Some(&Value::Bool(true)) {
            self.grown(index, ids, deltas);
        }
        Some(())
    }

    /// The call that came piece by piece is whole.
    fn grown(&mut self, index: u32, ids: &mut Ids, deltas: &mut Vec<Delta>) {
        if let Some(Growing { id, name, seal, arguments }) = self.growing.take() {
            let id = id.unwrap_or_else(|| ids.next());
            self.call(index, Opening::ToolCall { id, name, custom: false, seal }, arguments.to_string(), deltas);
        }
    }

    /// Citations come with or after the text that they are of, and some streams repeat them.
    fn note(&mut self, choice: u32, candidate: &Object, deltas: &mut Vec<Delta>) {
        let Some(Open { part, thought: false, .. }) = self.open else { return };
        for note in said::notes(candidate, &self.text) {
            if !self.noted.contains(&note) {
                self.noted.push(note.clone());
                deltas.push(Delta::Note { choice, part, note });
            }
        }
    }

    fn open(&mut self, choice: u32, kind: Opening, deltas: &mut Vec<Delta>) -> u32 {
        self.close(choice, deltas);
        let part = self.parts;
        self.parts += 1;
        deltas.push(Delta::Open { choice, part, kind });
        part
    }

    fn close(&mut self, choice: u32, deltas: &mut Vec<Delta>) {
        if let Some(Open { part, .. }) = self.open.take() {
            deltas.push(Delta::Close { choice, part });
        }
    }
}
