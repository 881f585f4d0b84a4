//! An answer that grows delta by delta, and the deltas that tell one.

use crate::slots::Slots;

use serde_json::Value;

use super::{Answer, Choice, Delta, Finish, Kind, Opening, Part, Reasoning, Source, Speech, ToolCall};

/// The most that is gathered, in bytes of content.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// How many bytes of text a delta holds at most when an answer is told again.
const PIECE: usize = 256;

/// Deltas as the answer that they tell.
#[derive(Debug, Default)]
pub struct Gather {
    answer: Answer,
    choices: Slots<Choice>,
    held: usize,
    ended: bool,
    failed: bool,
}

impl Gather {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next one.
    pub fn push(&mut self, delta: Delta) {
        self.held += weight(&delta);
        if self.held > MAX_BYTES {
            *self = Self { failed: true, held: self.held, ..Self::default() };
        }
        if !self.failed && self.take(delta).is_none() {
            self.failed = true;
        }
    }

    /// The answer, where it came to its end, and every choice to its own.
    #[must_use]
    pub fn finish(mut self) -> Option<Answer> {
        if self.failed || !self.ended || self.choices.is_empty() {
            return None;
        }
        self.answer.choices = self.choices.into_values();
        self.answer.choices.iter().all(|choice| choice.finish.is_some()).then_some(self.answer)
    }

    fn part(&mut self, choice: u32, part: u32) -> Option<&mut Part> {
        self.choices.get_mut(choice)?.parts.get_mut(part as usize)
    }

    /// None where the delta cannot be: the order that [`Delta`] promises was broken.
    fn take(&mut self, delta: Delta) -> Option<()> {
        match delta {
            Delta::Begin { id, model, created } => {
                let answer = &mut self.answer;
                answer.id = answer.id.take().or(id);
                answer.model = answer.model.take().or(model);
                answer.created = answer.created.or(created);
            }
            Delta::Open { choice, part, kind } => {
                let parts = &mut self.choices.or_default(choice).parts;
                if parts.len() != part as usize {
                    return None;
                }
                parts.push(opened(kind));
            }
            Delta::Text { choice, part, text } => match &mut self.part(choice, part)?.kind {
                Kind::Text { text: ours, .. } | Kind::Refusal(ours) => ours.push_str(&text),
                Kind::Reasoning(reasoning) => reasoning.text.push_str(&text),
                Kind::ToolCall(call) => call.arguments.push_str(&text),
                Kind::Speech(speech) => speech.transcript.push_str(&text),
                _ => return None,
            },
            Delta::Sound { choice, part, sound } => {
                let Kind::Speech(speech) = &mut self.part(choice, part)?.kind else { return None };
                speech.hear(sound)?;
            }
            Delta::Summary { choice, part, begins, text } => {
                let Kind::Reasoning(reasoning) = &mut self.part(choice, part)?.kind else { return None };
                match reasoning.summary.last_mut().filter(|_| !begins) {
                    Some(last) => last.push_str(&text),
                    None => reasoning.summary.push(text),
                }
            }
            Delta::Sign { choice, part, seal } => match &mut self.part(choice, part)?.kind {
                Kind::Text { seal: ours, .. } => *ours = Some(seal),
                Kind::Reasoning(reasoning) => reasoning.seal = Some(seal),
                Kind::ToolCall(call) => call.seal = Some(seal),
                _ => return None,
            },
            Delta::Note { choice, part, note } => {
                let Kind::Text { notes, .. } = &mut self.part(choice, part)?.kind else { return None };
                notes.push(note);
            }
            Delta::Logprobs { choice, logprobs } => {
                join_logprobs(&mut self.choices.or_default(choice).logprobs, logprobs);
            }
            Delta::Close { .. } => {}
            Delta::Finish { choice, finish, stop_sequence } => {
                let choice = self.choices.or_default(choice);
                choice.finish = Some(finish);
                choice.stop_sequence = stop_sequence;
            }
            Delta::Usage(usage) => self.answer.usage = Some(usage),
            Delta::Extra(extra) => self.answer.extra.extend(extra),
            Delta::End => self.ended = true,
        }
        Some(())
    }
}

fn opened(kind: Opening) -> Part {
    Part::new(match kind {
        Opening::Text => Kind::Text { text: String::new(), notes: Vec::new(), seal: None },
        Opening::Refusal => Kind::Refusal(String::new()),
        Opening::Speech => Kind::Speech(Speech::default()),
        Opening::Reasoning { redacted } => Kind::Reasoning(Reasoning { redacted, ..Reasoning::default() }),
        Opening::ToolCall { id, name, custom, seal } => {
            Kind::ToolCall(ToolCall { id, name, arguments: String::new(), custom, seal })
        }
        Opening::Whole(kind) => *kind,
    })
}

fn join_logprobs(ours: &mut Option<Value>, more: Value) {
    let Some(Value::Object(lists)) = ours else {
        *ours = Some(more);
        return;
    };
    let Value::Object(more) = more else { return };
    for (name, list) in more {
        match (lists.get_mut(&name), list) {
            (Some(Value::Array(ours)), Value::Array(more)) => ours.extend(more),
            (_, Value::Null) => {}
            (_, list) => drop(lists.insert(name, list)),
        }
    }
}

/// About how many bytes a delta adds.
fn weight(delta: &Delta) -> usize {
    const PART: usize = 64;
    match delta {
        Delta::Text { text, .. } | Delta::Summary { text, .. } => text.len(),
        Delta::Sign { seal, .. } => seal.data.len(),
        Delta::Sound { sound, .. } => PART + sound.get("data").and_then(Value::as_str).map_or(0, str::len),
        Delta::Open { kind: Opening::Whole(kind), .. } => PART + whole(kind),
        Delta::Open { kind: Opening::ToolCall { id, name, .. }, .. } => PART + id.len() + name.len(),
        Delta::Note { note: value, .. } | Delta::Logprobs { logprobs: value, .. } => value.to_string().len(),
        Delta::Open { .. } => PART,
        Delta::Begin { .. } | Delta::Close { .. } | Delta::Finish { .. } | Delta::Usage(_) | Delta::Extra(_) | Delta::End => 0,
    }
}

fn whole(kind: &Kind) -> usize {
    let sealed = if let Kind::Image { seal: Some(seal), .. } = kind { seal.data.len() } else { 0 };
    let held = match kind {
        Kind::Opaque(value) => value.to_string().len(),
        Kind::Image { source, .. } | Kind::File { source, .. } | Kind::Audio(source) | Kind::Video(source) => match source {
            Source::Base64 { data: text, .. } | Source::Text(text) | Source::Url { url: text, .. } | Source::FileId(text) => {
                text.len()
            }
        },
        Kind::Text { .. }
        | Kind::Refusal(_)
        | Kind::Speech(_)
        | Kind::Reasoning(_)
        | Kind::ToolCall(_)
        | Kind::ToolResult(_) => 0,
    };
    held + sealed
}

impl Answer {
    /// The deltas that tell it: gathering them gives it back.
    #[must_use]
    pub fn told(self) -> Vec<Delta> {
        let mut deltas = vec![Delta::Begin { id: self.id, model: self.model, created: self.created }];
        if !self.extra.is_empty() {
            deltas.push(Delta::Extra(self.extra));
        }
        for (choice, answer) in (0..).zip(self.choices) {
            let mut logprobs = answer.logprobs;
            for (part, told) in (0..).zip(answer.parts) {
                let text = matches!(told.kind, Kind::Text { .. } | Kind::Refusal(_));
                tell(&mut deltas, choice, part, told.kind);
                // They are the text's, and said while it is open.
                deltas.extend(logprobs.take_if(|_| text).map(|logprobs| Delta::Logprobs { choice, logprobs }));
                deltas.push(Delta::Close { choice, part });
            }
            deltas.extend(logprobs.map(|logprobs| Delta::Logprobs { choice, logprobs }));
            let finish = answer.finish.unwrap_or(Finish::Stop);
            deltas.push(Delta::Finish { choice, finish, stop_sequence: answer.stop_sequence });
        }
        deltas.extend(self.usage.map(Delta::Usage));
        deltas.push(Delta::End);
        deltas
    }
}

fn tell(deltas: &mut Vec<Delta>, choice: u32, part: u32, kind: Kind) {
    let texts = |deltas: &mut Vec<Delta>, text: &str| {
        deltas.extend(pieces(text).map(|piece| Delta::Text { choice, part, text: piece.to_owned() }));
    };
    match kind {
        Kind::Text { text, notes, seal } => {
            deltas.push(Delta::Open { choice, part, kind: Opening::Text });
            texts(deltas, &text);
            deltas.extend(notes.into_iter().map(|note| Delta::Note { choice, part, note }));
            deltas.extend(seal.map(|seal| Delta::Sign { choice, part, seal }));
        }
        Kind::Refusal(text) => {
            deltas.push(Delta::Open { choice, part, kind: Opening::Refusal });
            texts(deltas, &text);
        }
        Kind::Speech(Speech { transcript, sound }) => {
            deltas.push(Delta::Open { choice, part, kind: Opening::Speech });
            texts(deltas, &transcript);
            deltas.push(Delta::Sound { choice, part, sound });
        }
        Kind::Reasoning(reasoning) => {
            deltas.push(Delta::Open { choice, part, kind: Opening::Reasoning { redacted: reasoning.redacted } });
            texts(deltas, &reasoning.text);
            for summary in reasoning.summary {
                let mut begins = true;
                for piece in pieces(&summary) {
                    deltas.push(Delta::Summary { choice, part, begins, text: piece.to_owned() });
                    begins = false;
                }
                if begins {
                    deltas.push(Delta::Summary { choice, part, begins, text: String::new() });
                }
            }
            deltas.extend(reasoning.seal.map(|seal| Delta::Sign { choice, part, seal }));
        }
        Kind::ToolCall(ToolCall { id, name, arguments, custom, seal }) => {
            deltas.push(Delta::Open { choice, part, kind: Opening::ToolCall { id, name, custom, seal } });
            texts(deltas, &arguments);
        }
        kind @ (Kind::Image { .. }
        | Kind::File { .. }
        | Kind::Audio(_)
        | Kind::Video(_)
        | Kind::ToolResult(_)
        | Kind::Opaque(_)) => deltas.push(Delta::Open { choice, part, kind: Opening::Whole(Box::new(kind)) }),
    }
}

/// Cuts text into pieces of at most [`PIECE`] bytes, between characters and, where there is one, behind a space.
pub(crate) fn pieces(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        if text.is_empty() {
            return None;
        }
        let end = text.floor_char_boundary(PIECE);
        let (window, _) = text.split_at(end);
        let cut = if end < text.len() { window.rfind(' ').map_or(end, |space| space + 1) } else { end };
        let (piece, rest) = text.split_at(cut);
        text = rest;
        Some(piece)
    })
}
