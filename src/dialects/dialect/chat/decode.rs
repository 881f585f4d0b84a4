//! A provider's whole answer, and what it has in common with a stream's chunks.

use serde_json::{Value, json};

use super::{details, signature, turn, usage};
use crate::chat::{Answer, Choice, Finish, Kind, Object, Part, Seal, Source, Speech, ToolCall, Usage};
use crate::hash::Hash;

/// Reads a provider's whole answer; none where it is not one.
#[must_use]
pub fn decode(mut answer: Object) -> Option<Answer> {
    let Some(Value::Array(choices)) = answer.shift_remove("choices") else { return None };
    let head = Head::take(&mut answer);
    let notes = citations(&mut answer);
    let mut read = Vec::new();
    for (at, value) in (0..).zip(choices) {
        let Value::Object(mut told) = value else { return None };
        let index = told.shift_remove("index").and_then(|index| index.as_u64()).unwrap_or(at);
        let mut choice = choice(told, &head, index)?;
        let text = choice.parts.iter_mut().find_map(|part| match &mut part.kind {
            Kind::Text { notes, .. } => Some(notes),
            _ => None,
        });
        if let Some(ours) = text {
            ours.extend(notes.iter().cloned());
        }
        read.push((index, choice));
    }
    if read.is_empty() {
        return None;
    }
    read.sort_unstable_by_key(|(index, _)| *index);
    let usage = take_usage(&mut answer);
    let choices = read.into_iter().map(|(_, choice)| choice).collect();
    Some(Answer { id: head.id, model: head.model, created: head.created, choices, usage, extra: rest(answer) })
}

/// What every chunk repeats.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Head {
    pub(super) id: Option<String>,
    pub(super) model: Option<String>,
    pub(super) created: Option<u64>,
}

impl Head {
    pub(super) fn take(answer: &mut Object) -> Self {
        let mut text = |name: &str| match answer.shift_remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        let (id, model) = (text("id"), text("model"));
        answer.shift_remove("object");
        let created = answer.shift_remove("created").and_then(|created| created.as_u64());
        Self { id, model, created }
    }

    /// An id for a call that was given none: another one for every call of every answer.
    pub(super) fn call_id(&self, choice: u64, at: u64) -> String {
        let hash = Hash::new(choice << 32 | at).with(self.id.as_deref().unwrap_or_default().as_bytes());
        format!("call_{:016x}", hash.finish())
    }
}

/// What it cost, where it says so; Groq's streams say it in a place of their own.
pub(super) fn take_usage(answer: &mut Object) -> Option<Usage> {
    let beside = answer.get_mut("x_groq").and_then(Value::as_object_mut).and_then(|groq| groq.shift_remove("usage"));
    answer.shift_remove("usage").and_then(usage::read).or_else(|| beside.and_then(usage::read))
}

/// What it cost where it says so in a choice, as Moonshot's streams do (earendil-works/pi#2017).
pub(super) fn usage_in(choices: &mut [Value]) -> Option<Usage> {
    let taken = |choice: &mut Value| choice.as_object_mut()?.shift_remove("usage").and_then(usage::read);
    choices.iter_mut().filter_map(taken).next_back()
}

/// What is left, but for what only hides a chunk's length.
pub(super) fn rest(answer: Object) -> Object {
    answer.into_iter().filter(|(name, value)| !value.is_null() && !super::PADDING.contains(&name.as_str())).collect()
}

/// Perplexity's `citations`, which stand beside the answer, as notes.
pub(super) fn citations(answer: &mut Object) -> Vec<Value> {
    let Some(Value::Array(urls)) = answer.shift_remove("citations") else { return Vec::new() };
    let results = answer.get("search_results").and_then(Value::as_array);
    let title = |url: &str| {
        let result = results?.iter().find(|result| result.get("url").and_then(Value::as_str) == Some(url))?;
        result.get("title").cloned()
    };
    let note = |url: &Value| {
        let url = url.as_str()?;
        let mut citation = json!({ "url": url });
        if let (Some(title), Some(citation)) = (title(url), citation.as_object_mut()) {
            citation.insert("title".to_owned(), title);
        }
        Some(json!({ "type": "url_citation", "url_citation": citation }))
    };
    urls.iter().filter_map(note).collect()
}

/// Whether a finish reason says that the answer broke off: `OpenRouter`'s and Mistral's `error`, `DeepSeek`'s
/// (<https://api-docs.deepseek.com/api/create-chat-completion>, `finish_reason`), vLLM's `abort` (its `FinishReason`).
pub(super) fn broke_off(word: &str) -> bool {
    matches!(word, "error" | "insufficient_system_resource" | "abort")
}

/// A finish reason; none where it says that the answer broke off.
pub(super) fn finish(word: &str, calls_tools: bool) -> Option<Finish> {
    Some(match word {
        word if broke_off(word) => return None,
        // OpenAI itself says so where the tool was named by the client.
        "stop" | "tool_calls" | "function_call" if calls_tools => Finish::ToolCalls,
        "tool_calls" | "function_call" => Finish::ToolCalls,
        "stop" => Finish::Stop,
        // The second is Mistral's; the third, Anthropic's, is what some say that translate its answers.
        "length" | "model_length" | "max_tokens" => Finish::Length,
        "content_filter" => Finish::ContentFilter,
        other => Finish::Other(other.to_owned()),
    })
}

fn choice(mut told: Object, head: &Head, index: u64) -> Option<Choice> {
    let Some(Value::Object(mut message)) = told.shift_remove("message") else { return None };
    let placed = details::take(&mut message);
    let mut parts = content(message.shift_remove("content"));
    if let Some(Value::String(refusal)) = message.shift_remove("refusal").filter(|refusal| refusal != "") {
        parts.push(Part::new(Kind::Refusal(refusal)));
    }
    if let Some(Value::Array(notes)) = message.shift_remove("annotations")
        && let Some(ours) = parts.iter_mut().rev().find_map(|part| match &mut part.kind {
            Kind::Text { notes, .. } => Some(notes),
            _ => None,
        })
    {
        ours.extend(notes);
    }
    parts.extend(images(message.shift_remove("images")));
    parts.extend(speech(message.shift_remove("audio")).map(|speech| Part::new(Kind::Speech(speech))));
    let mut called = Vec::new();
    if let Some(Value::Array(calls)) = message.shift_remove("tool_calls") {
        for (at, call) in (0..).zip(calls) {
            let Value::Object(call) = call else { return None };
            called.push(Part::new(Kind::ToolCall(Called::take(call).whole(|| head.call_id(index, at)))));
        }
    }
    if let Some(Value::Object(function)) = message.shift_remove("function_call") {
        let call = Called::take(Object::from_iter([("function".to_owned(), Value::Object(function))]));
        called.push(Part::new(Kind::ToolCall(call.whole(|| head.call_id(index, 0)))));
    }
    let calls_tools = !called.is_empty();
    let parts = placed.among(parts, called);
    let finish = match told.shift_remove("finish_reason") {
        Some(Value::String(word)) if !word.is_empty() => Some(finish(&word, calls_tools)?),
        _ => None,
    };
    let logprobs = told.shift_remove("logprobs").filter(|logprobs| !logprobs.is_null());
    Some(Choice { parts, finish, stop_sequence: None, logprobs, extra: rest(told) })
}

/// `content`: text, or a list of parts (Mistral, `OpenRouter`). Texts side by side are one, as they are in a stream.
pub(super) fn content(content: Option<Value>) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    match content {
        Some(Value::String(text)) if !text.is_empty() => parts.push(Part::text(text)),
        Some(Value::Array(list)) => {
            for kind in list.into_iter().filter_map(item) {
                match (parts.last_mut().map(|part| &mut part.kind), kind) {
                    (Some(Kind::Text { text, .. }), Kind::Text { text: more, .. }) => text.push_str(&more),
                    (Some(Kind::Reasoning(ours)), Kind::Reasoning(more)) => ours.text.push_str(&more.text),
                    (_, kind) => parts.push(Part::new(kind)),
                }
            }
        }
        _ => {}
    }
    parts
}

/// A part of a `content`; none where it says nothing.
pub(super) fn item(value: Value) -> Option<Kind> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let kind = match text("type") {
        "text" | "" => {
            let text = value.as_str().unwrap_or_else(|| text("text")).to_owned();
            return (!text.is_empty()).then(|| Part::text(text).kind);
        }
        "thinking" => {
            let text = value.get("thinking").map(turn::texts).filter(|text| !text.is_empty())?;
            Kind::Reasoning(crate::chat::Reasoning { text, ..Default::default() })
        }
        "image_url" => return image(&value),
        _ => Kind::Opaque(value),
    };
    Some(kind)
}

fn image(value: &Value) -> Option<Kind> {
    let image = value.get("image_url")?;
    let url = image.get("url").unwrap_or(image).as_str()?.to_owned();
    Some(Kind::Image { source: Source::of_url(url), detail: None, seal: None })
}

/// OpenRouter's `images`.
pub(super) fn images(images: Option<Value>) -> Vec<Part> {
    match images {
        Some(Value::Array(images)) => images.iter().filter_map(image).map(Part::new).collect(),
        _ => Vec::new(),
    }
}

/// `audio`: what was said aloud, or a piece of it. None where it says nothing.
pub(super) fn speech(audio: Option<Value>) -> Option<Speech> {
    let Some(Value::Object(audio)) = audio else { return None };
    let mut sound = rest(audio);
    let transcript = match sound.shift_remove("transcript") {
        Some(Value::String(text)) => text,
        _ if sound.is_empty() => return None,
        _ => String::new(),
    };
    Some(Speech { transcript, sound })
}

/// A call, or a piece of one.
pub(super) struct Called {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: String,
    pub(super) custom: bool,
    pub(super) seal: Option<Seal>,
}

impl Called {
    pub(super) fn take(mut call: Object) -> Self {
        let text = |object: &mut Object, name: &str| match object.shift_remove(name) {
            Some(Value::String(text)) => text,
            // Some servers send the JSON that the text should hold.
            Some(value @ (Value::Object(_) | Value::Array(_))) => value.to_string(),
            _ => String::new(),
        };
        let id = text(&mut call, "id");
        let seal = signature::read(call.get(signature::MEMBER));
        let custom = call.contains_key("custom") || text(&mut call, "type") == "custom";
        let (inner, field) = if custom { ("custom", "input") } else { ("function", "arguments") };
        let mut inner = match call.shift_remove(inner) {
            Some(Value::Object(inner)) => inner,
            _ => Object::new(),
        };
        Self { id, name: text(&mut inner, "name"), arguments: text(&mut inner, field), custom, seal }
    }

    pub(super) fn whole(self, made_up: impl FnOnce() -> String) -> ToolCall {
        let id = if self.id.is_empty() { made_up() } else { self.id };
        // Groq writes no arguments so.
        let arguments = if self.arguments == "null" && !self.custom { String::new() } else { self.arguments };
        ToolCall { id, name: self.name, arguments, custom: self.custom, seal: self.seal }
    }
}
