//! Anthropic's streams.
//!
//! Blocks come one after the other, each with its index; what is counted comes in `message_start` and, by then final, in `message_delta`, whose values replace
//! those before. A stream may begin twice (a provider's own retry): before any content that is nothing, after it the answer cannot be told any more.

use serde_json::Value;

use super::{decode, kind, take_text, text};
use crate::chat::{Delta, Finish, Kind, Object, Opening, Origin, Seal};

/// The most bytes that are held of blocks that are kept whole.
const MOST_HELD: usize = 4 * 1024 * 1024;

/// Reads a stream's events.
#[derive(Debug, Default)]
pub struct Decoder {
    begun: bool,
    /// Whether it was said why it ended.
    finished: bool,
    ended: bool,
    calls: bool,
    parts: u32,
    blocks: Vec<(u64, Block)>,
    held: usize,
    usage: Object,
}

/// A block that has begun.
#[derive(Debug)]
enum Block {
    /// Text or reasoning.
    Said(u32),
    /// A call, the input that stood in its beginning, and whether any has come since.
    Call { part: u32, input: Value, is_told: bool },
    /// One that is kept whole, and its input so far.
    Whole { block: Object, input: String },
}

impl Decoder {
    /// Takes the data of one event, and adds what it says. None where it is not of the dialect.
    pub fn event(&mut self, data: &str, deltas: &mut Vec<Delta>) -> Option<()> {
        // OpenRouter ends its streams in this as well.
        if self.ended || data.trim() == "[DONE]" {
            return Some(());
        }
        let mut event: Object = crate::json::object(data)?;
        if self.blocks.iter().any(|(_, block)| matches!(block, Block::Whole { .. })) {
            self.held += data.len();
        }
        if self.held > MOST_HELD {
            return None;
        }
        let index = event.get("index").and_then(Value::as_u64).unwrap_or(0);
        match take_text(&mut event, "type")?.as_str() {
            "message_start" => self.begin(take_object(&mut event, "message")?, deltas),
            "content_block_start" => self.open(index, take_object(&mut event, "content_block")?, deltas),
            "content_block_delta" => self.more(index, take_object(&mut event, "delta")?, deltas),
            "content_block_stop" => self.close(index, deltas),
            "message_delta" => {
                self.finish(event, deltas);
                Some(())
            }
            "message_stop" => {
                self.end(deltas);
                Some(())
            }
            "error" => None,
            // Pings, and events of later versions, which are to be ignored ("Versioning").
            _ => Some(()),
        }
    }

    /// The stream is complete.
    pub fn end(&mut self, deltas: &mut Vec<Delta>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        // What its own terminator ends has ended its turn, though it never said why.
        if self.begun && !self.finished {
            while let Some((index, _)) = self.blocks.first() {
                let _ = self.close(*index, deltas);
            }
            let finish = if self.calls { Finish::ToolCalls } else { Finish::Stop };
            deltas.push(Delta::Finish { choice: 0, finish, stop_sequence: None });
        }
        deltas.push(Delta::End);
    }

    fn begin(&mut self, mut message: Object, deltas: &mut Vec<Delta>) -> Option<()> {
        if self.begun {
            return (self.parts == 0 && self.blocks.is_empty()).then_some(());
        }
        self.begun = true;
        self.count(take_object(&mut message, "usage"));
        let (id, model) = (take_text(&mut message, "id"), take_text(&mut message, "model"));
        deltas.push(Delta::Begin { id, model, created: None });
        tell_beside(decode::beside(message), deltas);
        Some(())
    }

    fn count(&mut self, counts: Option<Object>) {
        self.usage.extend(counts.into_iter().flatten().filter(|(_, count)| !count.is_null()));
    }

    fn next(&mut self) -> u32 {
        let part = self.parts;
        self.parts += 1;
        part
    }

    fn open(&mut self, index: u64, mut block: Object, deltas: &mut Vec<Delta>) -> Option<()> {
        self.blocks.retain(|(known, _)| *known != index);
        let said = match text(&block, "type")? {
            "text" => Opening::Text,
            "thinking" => Opening::Reasoning { redacted: false },
            "redacted_thinking" => Opening::Reasoning { redacted: true },
            "tool_use" => {
                self.calls = true;
                let part = self.next();
                let (id, name) = (take_text(&mut block, "id")?, take_text(&mut block, "name")?);
                deltas.push(Delta::Open { choice: 0, part, kind: Opening::ToolCall { id, name, custom: false, seal: None } });
                let input = block.shift_remove("input").filter(|input| !input.is_null());
                let input = input.unwrap_or_else(|| Object::new().into());
                self.blocks.push((index, Block::Call { part, input, is_told: false }));
                return Some(());
            }
            _ => {
                self.blocks.push((index, Block::Whole { block, input: String::new() }));
                return Some(());
            }
        };
        let part = self.next();
        deltas.push(Delta::Open { choice: 0, part, kind: said });
        self.blocks.push((index, Block::Said(part)));
        // A block may have begun with something.
        say(part, &mut block, deltas);
        Some(())
    }

    fn more(&mut self, index: u64, mut delta: Object, deltas: &mut Vec<Delta>) -> Option<()> {
        let (_, block) = self.blocks.iter_mut().find(|(known, _)| *known == index)?;
        match block {
            Block::Said(part) => say(*part, &mut delta, deltas),
            Block::Call { part, is_told, .. } => {
                if let Some(text) = take_text(&mut delta, "partial_json").filter(|text| !text.is_empty()) {
                    *is_told = true;
                    deltas.push(Delta::Text { choice: 0, part: *part, text });
                }
            }
            Block::Whole { block, input } => {
                if let Some(more) = take_text(&mut delta, "partial_json") {
                    input.push_str(&more);
                }
                delta.shift_remove("type");
                for (name, value) in delta {
                    match (block.get_mut(&name), value) {
                        (Some(Value::String(ours)), Value::String(more)) => ours.push_str(&more),
                        (Some(Value::Array(ours)), Value::Array(more)) => ours.extend(more),
                        (_, value) => drop(block.insert(name, value)),
                    }
                }
            }
        }
        Some(())
    }

    fn close(&mut self, index: u64, deltas: &mut Vec<Delta>) -> Option<()> {
        let at = self.blocks.iter().position(|(known, _)| *known == index)?;
        let part = match self.blocks.remove(at).1 {
            Block::Said(part) => part,
            Block::Call { part, input, is_told } => {
                if !is_told {
                    deltas.push(Delta::Text { choice: 0, part, text: input.to_string() });
                }
                part
            }
            Block::Whole { mut block, input } => {
                if !input.is_empty() {
                    block.insert("input".to_owned(), serde_json::from_str(&input).ok()?);
                }
                let part = self.next();
                let kind = Opening::Whole(Box::new(Kind::Opaque(Value::Object(block))));
                deltas.push(Delta::Open { choice: 0, part, kind });
                part
            }
        };
        deltas.push(Delta::Close { choice: 0, part });
        Some(())
    }

    fn finish(&mut self, mut event: Object, deltas: &mut Vec<Delta>) {
        self.count(take_object(&mut event, "usage"));
        let mut delta = take_object(&mut event, "delta").unwrap_or_default();
        let reason = take_text(&mut delta, "stop_reason").filter(|reason| !reason.is_empty());
        let stop_sequence = take_text(&mut delta, "stop_sequence");
        let mut extra = decode::beside(delta);
        extra.extend(decode::beside(event));
        tell_beside(extra, deltas);
        if !self.usage.is_empty() {
            deltas.push(Delta::Usage(decode::usage(self.usage.clone())));
        }
        if let Some(reason) = reason {
            self.finished = true;
            deltas.push(Delta::Finish { choice: 0, finish: decode::finish(&reason), stop_sequence });
        }
    }
}

/// What a block of text or reasoning, or a delta of one, says.
fn say(part: u32, said: &mut Object, deltas: &mut Vec<Delta>) {
    let choice = 0;
    let is_said = |text: &String| !text.is_empty();
    let texts = ["text", "thinking"].into_iter().filter_map(|name| take_text(said, name)).filter(is_said);
    deltas.extend(texts.map(|text| Delta::Text { choice, part, text }).collect::<Vec<_>>());
    if let Some(Value::Array(notes)) = said.shift_remove("citations") {
        deltas.extend(notes.into_iter().map(|note| Delta::Note { choice, part, note }));
    }
    if let Some(note) = said.shift_remove("citation").filter(|note| kind(note).is_some()) {
        deltas.push(Delta::Note { choice, part, note });
    }
    let seals = ["signature", "data"].into_iter().filter_map(|name| take_text(said, name)).filter(is_said);
    deltas.extend(seals.map(|data| Delta::Sign { choice, part, seal: Seal::new(Origin::Anthropic, data) }).collect::<Vec<_>>());
}

fn tell_beside(extra: Object, deltas: &mut Vec<Delta>) {
    if !extra.is_empty() {
        deltas.push(Delta::Extra(extra));
    }
}

fn take_object(members: &mut Object, name: &str) -> Option<Object> {
    match members.shift_remove(name) {
        Some(Value::Object(members)) => Some(members),
        _ => None,
    }
}
