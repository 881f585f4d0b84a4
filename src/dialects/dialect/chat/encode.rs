//! A canonical answer, as `OpenAI` would tell it.

use serde_json::{Value, json};

use super::places::Place;
use super::{details, put, usage};
use crate::chat::{Answer, Choice, Finish, Kind, Object, Reasoning, Source, Speech, ToolCall, seal_into_id};
use crate::dialect::Manner;

/// Writes a whole answer for a client.
#[must_use]
pub fn encode(answer: Answer, manner: &Manner) -> Value {
    let mut told = head("chat.completion", answer.id, answer.created, answer.model, manner);
    let choices = answer.choices.into_iter().enumerate().map(|(index, choice)| self::choice(index, choice));
    told.insert("choices".to_owned(), choices.collect::<Vec<_>>().into());
    if let Some(usage) = answer.usage {
        told.insert("usage".to_owned(), usage::write(usage));
    }
    told.extend(beside(answer.extra));
    Value::Object(told)
}

/// What stands before the choices, of this dialect and of Completions.
pub(in crate::dialect) fn head(
    object: &str,
    id: Option<String>,
    created: Option<u64>,
    model: Option<String>,
    manner: &Manner,
) -> Object {
    let made_up = || match object {
        "text_completion" => format!("cmpl-{:016x}", manner.seed),
        _ => format!("chatcmpl-{:016x}", manner.seed),
    };
    let mut told = Object::new();
    told.insert("id".to_owned(), id.unwrap_or_else(made_up).into());
    told.insert("object".to_owned(), object.into());
    told.insert("created".to_owned(), created.unwrap_or(manner.now).into());
    told.insert("model".to_owned(), model.unwrap_or_default().into());
    told
}

/// The members beside an answer that the dialect has.
pub(in crate::dialect) fn beside(mut extra: Object) -> Object {
    let members = ["service_tier", "system_fingerprint"];
    let is_known = |name: &str, value: &Value| name != "service_tier" || value.as_str().is_some_and(is_tier);
    let members = members.into_iter().filter_map(|name| Some((name.to_owned(), extra.shift_remove(name)?)));
    members.filter(|(name, value)| is_known(name, value)).collect()
}

/// Whether it is one of `OpenAI`'s words for a tier ("Create chat completion", `service_tier`); its imitators have others, of which its SDKs know nothing.
pub(in crate::dialect) fn is_tier(word: &str) -> bool {
    matches!(word, "auto" | "default" | "flex" | "scale" | "priority")
}

/// A finish reason, of the four that SDKs know.
pub(in crate::dialect) fn reason(finish: &Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::StopSequence | Finish::Pause | Finish::Other(_) => "stop",
        Finish::Length => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::ContentFilter | Finish::Refusal => "content_filter",
    }
}

fn choice(index: usize, choice: Choice) -> Value {
    let mut said = Said::default();
    for part in choice.parts {
        said.part(part.kind);
    }
    let mut told = Object::new();
    told.insert("index".to_owned(), index.into());
    told.insert("message".to_owned(), said.message().into());
    told.insert("logprobs".to_owned(), choice.logprobs.unwrap_or_default());
    told.insert("finish_reason".to_owned(), choice.finish.as_ref().map(reason).into());
    told.extend(choice.extra);
    Value::Object(told)
}

/// A message that grows part by part.
#[derive(Default)]
struct Said {
    content: String,
    notes: Vec<Value>,
    refusal: Option<String>,
    /// The thoughts as they are shown.
    thoughts: Vec<String>,
    /// Entries of thoughts, and of texts and images that are sealed, and whether those of thoughts are told.
    entries: Vec<Value>,
    is_detailed: bool,
    /// How many characters of content there are.
    characters: usize,
    images: Vec<Value>,
    speech: Option<Speech>,
    calls: Vec<Value>,
}

impl Said {
    fn part(&mut self, kind: Kind) {
        match kind {
            Kind::Text { text, notes, seal } => {
                let from = self.characters;
                self.content.push_str(&text);
                let to = from + text.chars().count();
                self.characters = to;
                self.entries.extend(seal.and_then(|seal| details::sealed_text(&seal, from, to)));
                self.notes.extend(notes.into_iter().filter_map(|note| self::note(note, from, to)));
            }
            Kind::Refusal(text) => self.refusal.get_or_insert_default().push_str(&text),
            Kind::Reasoning(reasoning) => {
                self.is_detailed |= is_detailed(&reasoning);
                self.entries.append(&mut details::entries(&reasoning, self.thoughts.len(), self.place()));
                self.thoughts.push(details::shown(&reasoning));
            }
            Kind::Image { source, seal, .. } => {
                let index = self.images.len();
                if let Some(image) = image(&source, index) {
                    self.images.push(image);
                    self.entries.extend(seal.and_then(|seal| details::sealed_image(&seal, self.place(), index)));
                }
            }
            Kind::Speech(speech) => self.hear(speech),
            Kind::Audio(source) => self.hear(Speech { sound: sound(source), ..Speech::default() }),
            Kind::ToolCall(call) => self.calls.push(tool_call(&call)),
            // Hosted tools, files and films: nothing here tells them.
            Kind::File { .. } | Kind::Video(_) | Kind::ToolResult(_) | Kind::Opaque(_) => {}
        }
    }

    fn place(&self) -> Place {
        Place { characters: self.characters, calls: self.calls.len() }
    }

    /// A message has one sound; Gemini's streams have many.
    fn hear(&mut self, more: Speech) {
        let ours = self.speech.get_or_insert_default();
        ours.transcript.push_str(&more.transcript);
        // What is no base64 is left where it ends.
        let _ = ours.hear(more.sound);
    }

    fn message(mut self) -> Object {
        let mut told = Object::new();
        told.insert("role".to_owned(), "assistant".into());
        let content = if self.content.is_empty() { Value::Null } else { self.content.into() };
        told.insert("content".to_owned(), content);
        self.thoughts.retain(|text| !text.is_empty());
        put(&mut told, "reasoning_content", (!self.thoughts.is_empty()).then(|| self.thoughts.join("\n\n")));
        // Those of plain text have no id.
        self.entries.retain(|entry| self.is_detailed || entry.get("id").is_some());
        if !self.entries.is_empty() {
            told.insert("reasoning_details".to_owned(), self.entries.into());
        }
        told.insert("refusal".to_owned(), self.refusal.into());
        if !self.notes.is_empty() {
            told.insert("annotations".to_owned(), self.notes.into());
        }
        if !self.images.is_empty() {
            told.insert("images".to_owned(), self.images.into());
        }
        put(&mut told, "audio", self.speech.map(audio));
        if !self.calls.is_empty() {
            told.insert("tool_calls".to_owned(), self.calls.into());
        }
        told
    }
}

/// Whether reasoning is told by entries too: plain text is not.
fn is_detailed(reasoning: &Reasoning) -> bool {
    reasoning.seal.is_some() || !reasoning.summary.is_empty()
}

pub(super) fn image(source: &Source, index: usize) -> Option<Value> {
    let url = source.to_url()?;
    Some(json!({ "type": "image_url", "image_url": { "url": url }, "index": index }))
}

/// A sound without words, as a piece of speech.
pub(super) fn sound(source: Source) -> Object {
    match source {
        Source::Base64 { data, .. } => Object::from_iter([("data".to_owned(), data.into())]),
        _ => Object::new(),
    }
}

/// Speech with the members that it must have, whole.
fn audio(speech: Speech) -> Value {
    let mut audio = Object::new();
    audio.insert("id".to_owned(), "audio".into());
    audio.insert("data".to_owned(), "".into());
    audio.insert("expires_at".to_owned(), 0.into());
    audio.insert("transcript".to_owned(), speech.transcript.into());
    audio.extend(speech.sound);
    Value::Object(audio)
}

pub(super) fn tool_call(call: &ToolCall) -> Value {
    let id = seal_into_id(&call.id, call.seal.as_ref());
    if call.custom {
        json!({ "id": id, "type": "custom", "custom": { "name": call.name, "input": call.arguments } })
    } else {
        json!({ "id": id, "type": "function", "function": { "name": call.name, "arguments": call.arguments } })
    }
}

/// A citation of a text that stands between two characters of the whole, which is cited where nothing says which part of it is. Responses' form is flat;
/// Anthropic's says where a cited page is. Nothing but pages is cited in this dialect.
pub(super) fn note(note: Value, from: usize, to: usize) -> Option<Value> {
    let Value::Object(mut note) = note else { return None };
    let mut before = from;
    let mut citation = Object::new();
    match note.get("type").and_then(Value::as_str)? {
        "url_citation" => match note.get_mut("url_citation").map(Value::take) {
            Some(Value::Object(nested)) => {
                before = 0;
                note = nested;
            }
            _ => drop(note.shift_remove("type")),
        },
        "web_search_result_location" => {
            note = ["url", "title"].into_iter().filter_map(|name| Some((name.to_owned(), note.shift_remove(name)?))).collect();
        }
        _ => return None,
    }
    for (name, whole) in [("start_index", from), ("end_index", to)] {
        let at = note.shift_remove(name).and_then(|at| at.as_u64()).and_then(|at| usize::try_from(at).ok());
        citation.insert(name.to_owned(), at.map_or(whole, |at| before + at).into());
    }
    citation.insert("url".to_owned(), note.shift_remove("url").filter(Value::is_string)?);
    citation.insert("title".to_owned(), note.shift_remove("title").filter(Value::is_string).unwrap_or_else(|| "".into()));
    citation.extend(note);
    Some(json!({ "type": "url_citation", "url_citation": citation }))
}

/// One frame.
pub(in crate::dialect) fn frame(chunk: &Value, frames: &mut String) {
    frames.push_str("data: ");
    frames.push_str(&chunk.to_string());
    frames.push_str("\n\n");
}
