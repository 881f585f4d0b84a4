//! A stream as Anthropic's clients know it.
//!
//! Blocks come strictly one after the other, while other dialects' parts may grow side by side. A part that opens while a call is still being written waits
//! until its arguments are whole; text and reasoning that went on behind something else go on in a block of their own. Why an answer ended and what it cost
//! stand in one event, so that both wait for the end.

use std::collections::VecDeque;
use std::fmt::Write as _;

use serde_json::Value;

use super::{block, citation, encode, object};
use crate::chat::{Delta, Finish, Object, Opening, Origin, Seal, Usage, seal_into_id};
use crate::dialect::Manner;

/// The most bytes of arguments, and of what waits for them.
const MOST_HELD: usize = 4 * 1024 * 1024;

/// Writes a stream.
#[derive(Debug)]
pub struct Encoder {
    manner: Manner,
    begun: bool,
    ended: bool,
    /// The index of the next block.
    next: u32,
    current: Option<Current>,
    waiting: VecDeque<(u32, Vec<Delta>)>,
    held: usize,
    /// The kinds of the parts of text and reasoning so far, by which they go on after others.
    told: Vec<(u32, Said)>,
    calls: bool,
    refuses: bool,
    finish: Option<(Finish, Option<String>)>,
    usage: Option<Usage>,
    extra: Object,
}

/// What is said bit by bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Text,
    Thinking,
    Redacted,
}

/// The part that is being written.
#[derive(Debug)]
struct Current {
    part: u32,
    /// Whether its block has begun: reasoning of which nothing is said and nothing carried is none.
    begun: bool,
    /// Whether more than one summary has begun.
    summaries: bool,
    /// What a text is sealed with, to be told behind it.
    seal: Option<Seal>,
    kind: Open,
}

#[derive(Debug)]
enum Open {
    Said(Said),
    /// A call and its arguments so far.
    Call {
        arguments: String,
        custom: bool,
    },
}

impl Current {
    /// Whether another part may begin.
    fn may_yield(&self) -> bool {
        match &self.kind {
            Open::Said(_) => true,
            Open::Call { arguments, custom } => {
                // The cheap look first: it is asked at every piece while something waits.
                !custom
                    && arguments.trim_end().ends_with('}')
                    && serde_json::from_str::<serde::de::IgnoredAny>(arguments).is_ok()
            }
        }
    }
}

impl Encoder {
    /// Of a manner.
    #[must_use]
    pub fn new(manner: Manner) -> Self {
        Self {
            manner,
            begun: false,
            ended: false,
            next: 0,
            current: None,
            waiting: VecDeque::new(),
            held: 0,
            told: Vec::new(),
            calls: false,
            refuses: false,
            finish: None,
            usage: None,
            extra: Object::new(),
        }
    }

    /// Adds the frames that say `delta`. None where it cannot be said any more.
    pub fn delta(&mut self, delta: Delta, frames: &mut String) -> Option<()> {
        match delta {
            _ if self.ended => {}
            Delta::Begin { id, model, .. } => self.begin(id.as_deref(), model.as_deref(), frames),
            Delta::Usage(usage) => self.usage = Some(usage),
            Delta::Extra(extra) => self.extra.extend(extra),
            Delta::Finish { choice: 0, finish, stop_sequence } => {
                self.drain(frames)?;
                self.finish = Some((finish, stop_sequence));
            }
            Delta::End => self.end(frames)?,
            Delta::Open { choice: 0, part, .. }
            | Delta::Text { choice: 0, part, .. }
            | Delta::Summary { choice: 0, part, .. }
            | Delta::Sign { choice: 0, part, .. }
            | Delta::Note { choice: 0, part, .. }
            | Delta::Close { choice: 0, part } => self.part(part, delta, frames)?,
            // There are no other choices here, and no log probabilities.
            _ => {}
        }
        Some(())
    }

    fn begin(&mut self, id: Option<&str>, model: Option<&str>, frames: &mut String) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let mut message = encode::message(id, model, &self.manner);
        message.insert("usage".to_owned(), encode::counts(&self.usage.clone().unwrap_or_default()).into());
        event(frames, block("message_start", [("message", message.into())]));
        event(frames, block("ping", []));
    }

    /// Something of a part: now, or when it is its turn.
    fn part(&mut self, part: u32, delta: Delta, frames: &mut String) -> Option<()> {
        if let Some((_, held)) = self.waiting.iter_mut().find(|(waits, _)| *waits == part) {
            if let Delta::Text { text, .. } | Delta::Summary { text, .. } = &delta {
                self.held += text.len();
            }
            held.push(delta);
            return (self.held <= MOST_HELD).then_some(());
        }
        let is_current = self.current.as_ref().is_some_and(|current| current.part == part);
        if !is_current && self.current.as_ref().is_some_and(|current| !current.may_yield()) {
            if matches!(delta, Delta::Close { .. }) {
                return Some(());
            }
            self.waiting.push_back((part, vec![delta]));
            return Some(());
        }
        self.write(part, delta, frames)?;
        self.turn_over(frames)
    }

    /// Those that wait, as long as the one before them lets them.
    fn turn_over(&mut self, frames: &mut String) -> Option<()> {
        while !self.waiting.is_empty() && self.current.as_ref().is_none_or(Current::may_yield) {
            let Some((part, held)) = self.waiting.pop_front() else { break };
            for delta in held {
                self.write(part, delta, frames)?;
            }
        }
        Some(())
    }

    /// Everything that waits, the choice being over.
    fn drain(&mut self, frames: &mut String) -> Option<()> {
        while let Some((part, held)) = self.waiting.pop_front() {
            for delta in held {
                self.write(part, delta, frames)?;
            }
        }
        self.stop(frames);
        Some(())
    }

    fn write(&mut self, part: u32, delta: Delta, frames: &mut String) -> Option<()> {
        match delta {
            Delta::Open { kind, .. } => self.open(part, kind, frames),
            Delta::Close { .. } if self.current.as_ref().is_some_and(|current| current.part == part) => self.stop(frames),
            Delta::Text { text, .. } => self.text(part, text, frames)?,
            Delta::Summary { begins, text, .. } => {
                self.resume(part, frames)?;
                let between =
                    self.current.as_mut().is_some_and(|current| begins && std::mem::replace(&mut current.summaries, true));
                self.say("thinking_delta", "thinking", if between { format!("\n\n{text}") } else { text }, frames);
            }
            Delta::Sign { seal, .. } => self.sign(part, seal, frames),
            Delta::Note { note, .. } => {
                if let Some(citation) = citation::shown(note) {
                    self.resume(part, frames)?;
                    self.block_delta(block("citations_delta", [("citation", citation)]), frames);
                }
            }
            _ => {}
        }
        Some(())
    }

    fn open(&mut self, part: u32, kind: Opening, frames: &mut String) {
        if matches!(kind, Opening::Speech) {
            // Its words are a text, which begins when there are any.
            self.told.push((part, Said::Text));
            return;
        }
        self.stop(frames);
        self.refuses |= matches!(kind, Opening::Refusal);
        let said = match kind {
            Opening::Text | Opening::Refusal | Opening::Speech => Said::Text,
            Opening::Reasoning { redacted: true } => Said::Redacted,
            Opening::Reasoning { redacted: false } => Said::Thinking,
            Opening::ToolCall { id, name, custom, seal } => {
                self.calls = true;
                let id = seal_into_id(&id, seal.as_ref());
                let members = [("id", id.into()), ("name", name.into()), ("input", Object::new().into())];
                self.start(block("tool_use", members), frames);
                let kind = Open::Call { arguments: String::new(), custom };
                self.current = Some(Current { part, begun: true, summaries: false, seal: None, kind });
                return;
            }
            Opening::Whole(kind) => {
                if let crate::chat::Kind::Opaque(value) = *kind
                    && encode::is_own(&value)
                    && let Value::Object(whole) = value
                {
                    self.start(whole, frames);
                    self.stop_block(frames);
                }
                return;
            }
        };
        self.told.push((part, said));
        self.current = Some(Current { part, begun: false, summaries: false, seal: None, kind: Open::Said(said) });
        if said == Said::Text {
            self.start_said(frames);
        }
    }

    /// Makes the part the one that is written, in a new block where another one came between.
    fn resume(&mut self, part: u32, frames: &mut String) -> Option<()> {
        if self.current.as_ref().is_none_or(|current| current.part != part) {
            let (_, said) = *self.told.iter().find(|(told, _)| *told == part)?;
            self.stop(frames);
            self.current = Some(Current { part, begun: false, summaries: false, seal: None, kind: Open::Said(said) });
        }
        self.start_said(frames);
        Some(())
    }

    /// Begins the block of what is said, where that has not been done.
    fn start_said(&mut self, frames: &mut String) {
        let Some(current) = self.current.as_mut() else { return };
        let Open::Said(said) = current.kind else { return };
        if std::mem::replace(&mut current.begun, true) {
            return;
        }
        let empty = || Value::from("");
        let start = match said {
            Said::Text => block("text", [("text", empty())]),
            Said::Thinking | Said::Redacted => encode::thought(String::new()),
        };
        self.start(start, frames);
    }

    fn text(&mut self, part: u32, text: String, frames: &mut String) -> Option<()> {
        match self.current.as_mut().filter(|current| current.part == part).map(|current| &mut current.kind) {
            Some(Open::Call { arguments, custom }) => {
                self.held += text.len();
                arguments.push_str(&text);
                if !*custom {
                    self.say("input_json_delta", "partial_json", text, frames);
                }
                return (self.held <= MOST_HELD).then_some(());
            }
            Some(Open::Said(_)) => {}
            // White space behind arguments that were whole says nothing.
            None if text.trim().is_empty() && !self.told.iter().any(|(told, _)| *told == part) => return Some(()),
            None => {}
        }
        if text.is_empty() {
            return Some(());
        }
        self.resume(part, frames)?;
        match self.current.as_ref().map(|current| &current.kind) {
            Some(Open::Said(Said::Text)) => self.say("text_delta", "text", text, frames),
            _ => self.say("thinking_delta", "thinking", text, frames),
        }
        Some(())
    }

    /// A seal on reasoning, or on a text, which citations may still come to. Calls have theirs in their id.
    fn sign(&mut self, part: u32, seal: Seal, frames: &mut String) {
        let Some((_, said)) = self.told.iter().find(|(told, _)| *told == part).copied() else { return };
        let carried = seal.carried(Origin::Anthropic);
        match said {
            Said::Text => {
                if let Some(current) = self.current.as_mut().filter(|current| current.part == part) {
                    current.seal = Some(seal).filter(|_| encode::tells_seals(&self.manner));
                }
            }
            Said::Redacted => {
                self.start(block("redacted_thinking", [("data", carried.into())]), frames);
                self.stop_block(frames);
            }
            Said::Thinking => {
                if self.resume(part, frames).is_some() {
                    self.block_delta(block("signature_delta", [("signature", carried.into())]), frames);
                }
            }
        }
    }

    /// Ends the part that is written.
    fn stop(&mut self, frames: &mut String) {
        let Some(current) = self.current.take() else { return };
        if let Open::Call { arguments, custom: true } = current.kind {
            let input = Value::Object(object([("input", arguments.into())])).to_string();
            self.say("input_json_delta", "partial_json", input, frames);
        }
        if current.begun {
            self.stop_block(frames);
        }
        if let Some(seal) = current.seal {
            self.start(encode::thought(String::new()), frames);
            self.say("signature_delta", "signature", seal.carried_behind(), frames);
            self.stop_block(frames);
        }
    }

    fn start(&mut self, content: Object, frames: &mut String) {
        event(frames, block("content_block_start", [("index", self.next.into()), ("content_block", content.into())]));
    }

    fn say(&mut self, kind: &str, member: &str, text: String, frames: &mut String) {
        if !text.is_empty() {
            self.block_delta(block(kind, [(member, text.into())]), frames);
        }
    }

    fn block_delta(&mut self, delta: Object, frames: &mut String) {
        event(frames, block("content_block_delta", [("index", self.next.into()), ("delta", delta.into())]));
    }

    fn stop_block(&mut self, frames: &mut String) {
        event(frames, block("content_block_stop", [("index", self.next.into())]));
        self.next += 1;
    }

    fn end(&mut self, frames: &mut String) -> Option<()> {
        self.begin(None, None, frames);
        self.drain(frames)?;
        self.ended = true;
        let (finish, stop_sequence) = self.finish.take().unzip();
        let mut delta = object([
            ("stop_reason", encode::stop_reason(finish.as_ref(), self.calls, self.refuses).into()),
            ("stop_sequence", stop_sequence.flatten().into()),
        ]);
        delta.extend(encode::beside(std::mem::take(&mut self.extra)));
        let usage = encode::counts(&self.usage.take().unwrap_or_default());
        event(frames, block("message_delta", [("delta", delta.into()), ("usage", usage.into())]));
        event(frames, block("message_stop", []));
        Some(())
    }
}

/// A frame, with the name without which the official clients skip it.
fn event(frames: &mut String, data: Object) {
    let name = super::text(&data, "type").unwrap_or_default().to_owned();
    let _ = write!(frames, "event: {name}\ndata: {}\n\n", Value::Object(data));
}
