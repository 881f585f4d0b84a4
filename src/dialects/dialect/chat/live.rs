//! A canonical stream, as `OpenAI` would tell it: chunk by chunk, which say together what [`super::encode`] says at once.

use serde_json::{Value, json};

use super::encode::{self, beside, frame, head, image, reason, sound, tool_call};
use super::places::Place;
use super::{details, put, usage};
use crate::chat::{Delta, Kind, Object, Opening, Origin, Reasoning, Seal, ToolCall, Usage};
use crate::dialect::Manner;
use crate::slots::Slots;

/// Writes a stream for a client, delta by delta.
#[derive(Debug)]
pub struct Encoder {
    manner: Manner,
    /// What every chunk repeats, and the same as text, up to the choice's index.
    common: Object,
    before: String,
    speakers: Slots<Speaker>,
    usage: Option<Usage>,
}

/// One choice.
#[derive(Debug, Default)]
struct Speaker {
    has_role: bool,
    parts: Slots<Told>,
    /// How many characters of content, reasoning parts, calls and images there were.
    characters: usize,
    thoughts: usize,
    calls: usize,
    images: usize,
}

/// A part that is being told.
#[derive(Debug)]
enum Told {
    Text { from: usize, notes: Vec<Value>, seal: Option<Seal> },
    Refusal,
    Reasoning { index: usize, place: Place, reasoning: Reasoning },
    Call { index: usize, custom: bool },
    Speech,
    Nothing,
}

impl Encoder {
    /// Nothing told yet.
    #[must_use]
    pub fn new(manner: Manner) -> Self {
        let common = head("chat.completion.chunk", None, None, None, &manner);
        let before = before(&common);
        Self { manner, common, before, speakers: Slots::default(), usage: None }
    }

    /// Adds the frames that say `delta`. There is nothing that this dialect could not say any more.
    pub fn delta(&mut self, delta: Delta, frames: &mut String) -> Option<()> {
        match delta {
            Delta::Begin { id, model, created } => {
                self.common = head("chat.completion.chunk", id, created, model, &self.manner);
                self.before = before(&self.common);
            }
            Delta::Open { choice, part, kind } => self.open(choice, part, kind, frames),
            Delta::Text { choice, part, text } => self.text(choice, part, &text, frames),
            Delta::Sound { choice, sound, .. } => {
                self.chunk(choice, &json!({ "audio": sound }).to_string(), None, None, frames);
            }
            Delta::Summary { choice, part, begins, text } => self.summary(choice, part, begins, &text, frames),
            Delta::Sign { choice, part, seal } => {
                if let Some(Told::Reasoning { reasoning: Reasoning { seal: ours, .. }, .. } | Told::Text { seal: ours, .. }) =
                    self.told(choice, part)
                {
                    *ours = Some(seal);
                }
            }
            Delta::Note { choice, part, note } => {
                if let Some(Told::Text { notes, .. }) = self.told(choice, part) {
                    notes.push(note);
                }
            }
            Delta::Logprobs { choice, logprobs } => self.chunk(choice, "{}", Some(&logprobs), None, frames),
            Delta::Close { choice, part } => self.close(choice, part, frames),
            Delta::Finish { choice, finish, .. } => {
                let open: Vec<u64> =
                    self.speakers.get(choice).map(|speaker| speaker.parts.indices().collect()).unwrap_or_default();
                for part in open.into_iter().filter_map(|part| u32::try_from(part).ok()) {
                    self.close(choice, part, frames);
                }
                self.role(choice, "\"\"", frames);
                self.chunk(choice, "{}", None, Some(reason(&finish)), frames);
            }
            Delta::Usage(usage) => self.usage = Some(usage),
            Delta::Extra(extra) => {
                self.common.extend(beside(extra));
                self.before = before(&self.common);
            }
            Delta::End => {
                if let Some(usage) = self.usage.take().filter(|_| self.manner.include_usage) {
                    let mut chunk = self.common.clone();
                    chunk.insert("choices".to_owned(), json!([]));
                    chunk.insert("usage".to_owned(), usage::write(usage));
                    frame(&Value::Object(chunk), frames);
                }
                frames.push_str("data: [DONE]\n\n");
            }
        }
        Some(())
    }

    fn told(&mut self, choice: u32, part: u32) -> Option<&mut Told> {
        self.speakers.get_mut(choice)?.parts.get_mut(part)
    }

    fn open(&mut self, choice: u32, part: u32, kind: Opening, frames: &mut String) {
        let content = if matches!(kind, Opening::ToolCall { .. }) { "null" } else { "\"\"" };
        self.role(choice, content, frames);
        let speaker = self.speakers.or_default(choice);
        let mut delta = None;
        let told = match kind {
            Opening::Text => Told::Text { from: speaker.characters, notes: Vec::new(), seal: None },
            Opening::Refusal => Told::Refusal,
            Opening::Speech => Told::Speech,
            Opening::Reasoning { redacted } => {
                speaker.thoughts += 1;
                let place = Place { characters: speaker.characters, calls: speaker.calls };
                let reasoning = Reasoning { redacted, ..Reasoning::default() };
                Told::Reasoning { index: speaker.thoughts - 1, place, reasoning }
            }
            Opening::ToolCall { id, name, custom, seal } => {
                let index = speaker.calls;
                speaker.calls += 1;
                let mut call = tool_call(&ToolCall { id, name, arguments: String::new(), custom, seal });
                if let Some(call) = call.as_object_mut() {
                    call.insert("index".to_owned(), index.into());
                }
                delta = Some(json!({ "tool_calls": [call] }));
                Told::Call { index, custom }
            }
            Opening::Whole(kind) => {
                match *kind {
                    Kind::Image { source, seal, .. } => {
                        if let Some(image) = image(&source, speaker.images) {
                            let place = Place { characters: speaker.characters, calls: speaker.calls };
                            let sealed = seal.and_then(|seal| details::sealed_image(&seal, place, speaker.images));
                            speaker.images += 1;
                            let mut told = Object::new();
                            put(&mut told, "images", Some(vec![image]));
                            put(&mut told, "reasoning_details", sealed.map(|entry| vec![entry]));
                            delta = Some(told.into());
                        }
                    }
                    Kind::Audio(source) => delta = Some(json!({ "audio": sound(source) })),
                    _ => {}
                }
                Told::Nothing
            }
        };
        speaker.parts.insert(part, told);
        if let Some(delta) = delta {
            self.chunk(choice, &delta.to_string(), None, None, frames);
        }
    }

    fn text(&mut self, choice: u32, part: u32, text: &str, frames: &mut String) {
        let Some(speaker) = self.speakers.get_mut(choice) else { return };
        let quoted = Value::from(text).to_string();
        let delta = match speaker.parts.get_mut(part) {
            Some(Told::Text { .. }) => {
                speaker.characters += text.chars().count();
                format!(r#"{{"content":{quoted}}}"#)
            }
            Some(Told::Refusal) => format!(r#"{{"refusal":{quoted}}}"#),
            Some(Told::Speech) => format!(r#"{{"audio":{{"transcript":{quoted}}}}}"#),
            Some(Told::Reasoning { reasoning, .. }) => {
                reasoning.text.push_str(text);
                format!(r#"{{"reasoning_content":{quoted}}}"#)
            }
            Some(Told::Call { index, custom: false }) => {
                format!(r#"{{"tool_calls":[{{"index":{index},"function":{{"arguments":{quoted}}}}}]}}"#)
            }
            Some(Told::Call { index, custom: true }) => {
                format!(r#"{{"tool_calls":[{{"index":{index},"custom":{{"input":{quoted}}}}}]}}"#)
            }
            Some(Told::Nothing) | None => return,
        };
        self.chunk(choice, &delta, None, None, frames);
    }

    /// Summaries are told in one, with a blank line between them.
    fn summary(&mut self, choice: u32, part: u32, begins: bool, text: &str, frames: &mut String) {
        let Some(Told::Reasoning { index, place, reasoning }) = self.told(choice, part) else { return };
        let text = if begins && !reasoning.summary.is_empty() { format!("\n\n{text}") } else { text.to_owned() };
        if reasoning.summary.is_empty() {
            reasoning.summary.push(String::new());
        }
        if text.is_empty() {
            return;
        }
        let piece = Reasoning { summary: vec![text.clone()], ..Reasoning::default() };
        let entries = details::entries(&piece, *index, *place);
        let delta = json!({ "reasoning_content": text, "reasoning_details": entries });
        self.chunk(choice, &delta.to_string(), None, None, frames);
    }

    fn close(&mut self, choice: u32, part: u32, frames: &mut String) {
        let Some(speaker) = self.speakers.get_mut(choice) else { return };
        let delta = match speaker.parts.remove(part) {
            Some(Told::Text { from, notes, seal }) => {
                let to = speaker.characters;
                let notes: Vec<Value> = notes.into_iter().filter_map(|note| encode::note(note, from, to)).collect();
                let sealed = seal.and_then(|seal| details::sealed_text(&seal, from, to));
                let mut delta = Object::new();
                put(&mut delta, "annotations", (!notes.is_empty()).then_some(notes));
                put(&mut delta, "reasoning_details", sealed.map(|entry| vec![entry]));
                if delta.is_empty() {
                    return;
                }
                Value::Object(delta)
            }
            // The seal, and the text that it belongs to: summaries were told as they came.
            Some(Told::Reasoning { index, place, mut reasoning }) if reasoning.seal.is_some() => {
                let is_own = matches!(&reasoning.seal, Some(Seal { origin: Origin::Chat, .. }));
                if !is_own {
                    reasoning.summary.clear();
                }
                json!({ "reasoning_details": details::entries(&reasoning, index, place) })
            }
            _ => return,
        };
        self.chunk(choice, &delta.to_string(), None, None, frames);
    }

    /// The first delta of a choice has the role.
    fn role(&mut self, choice: u32, content: &str, frames: &mut String) {
        if !std::mem::replace(&mut self.speakers.or_default(choice).has_role, true) {
            let delta = format!(r#"{{"role":"assistant","content":{content},"refusal":null}}"#);
            self.chunk(choice, &delta, None, None, frames);
        }
    }

    /// One chunk, put together as text: a stream has thousands.
    fn chunk(&self, choice: u32, delta: &str, logprobs: Option<&Value>, finish: Option<&str>, frames: &mut String) {
        let logprobs = logprobs.map_or_else(|| "null".to_owned(), Value::to_string);
        let finish = Value::from(finish);
        let usage = if self.manner.include_usage { r#","usage":null"# } else { "" };
        let pieces: [&str; 10] = [
            &self.before,
            &choice.to_string(),
            r#","delta":"#,
            delta,
            r#","logprobs":"#,
            &logprobs,
            r#","finish_reason":"#,
            &finish.to_string(),
            "}]",
            usage,
        ];
        for piece in pieces {
            frames.push_str(piece);
        }
        frames.push_str("}\n\n");
    }
}

/// A chunk's frame up to its choice's index.
fn before(common: &Object) -> String {
    let mut text = String::from("data: ");
    text.push_str(&Value::Object(common.clone()).to_string());
    text.truncate(text.len() - 1);
    text.push_str(r#","choices":[{"index":"#);
    text
}
