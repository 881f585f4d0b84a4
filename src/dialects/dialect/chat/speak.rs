//! The messages of a request for a provider.
//!
//! What this dialect has no place for is said in another (emulated): images and files in a tool's result, and images of the model's own, follow in a
//! message of the user's behind the turn's last result; that a tool failed is said by `Error: ` before what it gave.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::places::Place;
use super::write::Writing;
use super::{details, media, put, signature};
use crate::chat::{Kind, Losses, Message, Object, Origin, Part, Reasoning, Role, Source, Speech, ToolCall, ToolResult};
use crate::dialect::messages;
use crate::dialect::openai::DRAWN;
use crate::hash::Hash;
use crate::quirk::{Thoughts, ToolIds};

/// Writes `messages`.
pub(super) fn messages(writing: &Writing<'_>, losses: &mut Losses) -> Vec<Value> {
    let is_call = |part: &Part| matches!(part.kind, Kind::ToolCall(_));
    let calls_tools = writing.request.messages.iter().any(|message| message.parts.iter().any(is_call));
    let mut speaking = Speaking { writing, losses, messages: Vec::new(), held: Vec::new(), calls_tools };
    for message in &writing.request.messages {
        if message.role != Role::Tool {
            speaking.show_held();
        }
        match message.role {
            Role::System | Role::Developer | Role::User => speaking.say(message),
            Role::Assistant => speaking.assistant(message),
            Role::Tool => speaking.results(message),
        }
    }
    speaking.show_held();
    speaking.messages
}

/// Whether `cache_control` may be written. It is no word of OpenAI's own.
pub(super) fn may_mark(writing: &Writing<'_>) -> bool {
    writing.own || writing.quirks.knows.contains(&"cache_control")
}

/// Adds an instruction to the first system message, or before all others.
pub(super) fn instruct(messages: &mut Vec<Value>, words: &str) {
    let content = messages
        .first_mut()
        .filter(|first| matches!(first.get("role").and_then(Value::as_str), Some("system" | "developer")))
        .and_then(|first| first.get_mut("content"));
    match content {
        Some(Value::String(text)) => *text = format!("{text}\n\n{words}"),
        Some(Value::Array(parts)) => parts.push(json!({ "type": "text", "text": words })),
        _ => messages.insert(0, json!({ "role": "system", "content": words })),
    }
}

/// An id that the provider takes: the same one for a call and its result, whoever made it.
pub(super) fn tool_id(id: &str, ids: ToolIds) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut hash = Hash::new(0).with(id.as_bytes()).finish();
    match ids {
        ToolIds::Forty if id.chars().count() <= 40 => id.to_owned(),
        ToolIds::Forty => format!("call_{hash:016x}{:016x}", Hash::new(1).with(id.as_bytes()).finish()),
        ToolIds::Nine if id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) => id.to_owned(),
        ToolIds::Nine => {
            let mut letter = || {
                let at = usize::try_from(hash % 62).unwrap_or_default();
                hash /= 62;
                char::from(LETTERS.get(at).copied().unwrap_or(b'A'))
            };
            (0..9).map(|_| letter()).collect()
        }
    }
}

struct Speaking<'a, 'b> {
    writing: &'a Writing<'b>,
    losses: &'a mut Losses,
    messages: Vec<Value>,
    /// What a message of the user's is to show behind the results.
    held: Vec<Value>,
    /// Whether the conversation calls tools.
    calls_tools: bool,
}

impl Speaking<'_, '_> {
    fn show_held(&mut self) {
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            self.messages.push(json!({ "role": "user", "content": held }));
        }
    }

    /// A message with what nobody here knows of it.
    fn push(&mut self, mut written: Object, message: &Message) {
        if let Some(name) = &message.name {
            if self.writing.quirks.lacks("messages[].name") {
                self.losses.ignore("messages[].name");
            } else {
                written.insert("name".to_owned(), name.as_str().into());
            }
        }
        if self.writing.own {
            written.extend(message.extra.clone());
        } else {
            self.losses.unknown("messages[].", &message.extra);
        }
        self.messages.push(Value::Object(written));
    }

    fn say(&mut self, message: &Message) {
        let role = match message.role {
            Role::Developer if self.writing.may("developer") => "developer",
            Role::System | Role::Developer => "system",
            _ => "user",
        };
        let parts: Vec<Value> = message.parts.iter().filter_map(|part| self.part(part)).collect();
        if parts.is_empty() && !message.parts.is_empty() {
            return;
        }
        let mut written = Object::new();
        written.insert("role".to_owned(), role.into());
        written.insert("content".to_owned(), self.content(parts));
        self.push(written, message);
    }

    /// One text is a string. Where a provider takes nothing else, several are one.
    fn content(&self, mut parts: Vec<Value>) -> Value {
        let bare = |part: &Value| part.as_object().filter(|part| part.len() == 2)?.get("text")?.as_str().map(str::to_owned);
        match parts.as_mut_slice() {
            [] => "".into(),
            [part] if bare(part).is_some() => bare(part).unwrap_or_default().into(),
            _ if self.writing.quirks.lacks("content parts") => {
                parts.iter().filter_map(bare).collect::<Vec<_>>().join("\n\n").into()
            }
            _ => parts.into(),
        }
    }

    /// A part of a system's or a user's message.
    fn part(&mut self, part: &Part) -> Option<Value> {
        let kind = match &part.kind {
            Kind::Text { text, .. } | Kind::Refusal(text) => Some(json!({ "type": "text", "text": text })),
            Kind::Image { .. } | Kind::File { .. } | Kind::Audio(_) | Kind::Video(_) => self.medium(&part.kind),
            Kind::Opaque(value) if self.writing.own => Some(value.clone()),
            Kind::Opaque(value) => {
                let text = messages::as_text(value, self.losses);
                if text.is_none() {
                    let kind = value.get("type").and_then(Value::as_str).unwrap_or("unknown");
                    self.losses.refuse("messages[].content[]", format!("'{kind}' is of another protocol's"));
                }
                text.map(|text| json!({ "type": "text", "text": text }))
            }
            Kind::Speech(_) | Kind::Reasoning(_) | Kind::ToolCall(_) | Kind::ToolResult(_) => None,
        };
        let mut kind = kind?;
        let members = kind.as_object_mut()?;
        match &part.cache {
            Some(cache) if may_mark(self.writing) => drop(members.insert("cache_control".to_owned(), cache.clone())),
            Some(_) => self.losses.ignore("messages[].content[].cache_control"),
            None => {}
        }
        if self.writing.own {
            members.extend(part.extra.clone());
        } else {
            self.losses.unknown("messages[].content[].", &part.extra);
        }
        Some(kind)
    }

    fn medium(&mut self, kind: &Kind) -> Option<Value> {
        if let Kind::File { source, name } = kind
            && let Some(text) = as_text(source).filter(|_| !self.writing.own || matches!(source, Source::Text(_)))
        {
            let text = name.as_ref().map_or_else(|| text.clone(), |name| format!("{name}:\n{text}"));
            return Some(json!({ "type": "text", "text": text }));
        }
        match media::write(self.writing, kind) {
            Ok(value) => Some(value),
            Err(why) => {
                self.losses.refuse("messages[].content[]", why);
                None
            }
        }
    }

    fn results(&mut self, message: &Message) {
        for part in &message.parts {
            let Kind::ToolResult(result) = &part.kind else { continue };
            let mut written = Object::new();
            written.insert("role".to_owned(), "tool".into());
            written.insert("tool_call_id".to_owned(), tool_id(&result.id, self.writing.quirks.tool_ids).into());
            written.insert("content".to_owned(), self.result(result));
            // Mistral knows the name here, and nowhere else.
            if let Some(name) = result.name.as_ref().filter(|_| self.writing.own) {
                if self.writing.quirks.lacks("messages[].name") && self.writing.quirks.tool_ids != ToolIds::Nine {
                    self.losses.ignore("messages[].name");
                } else {
                    written.insert("name".to_owned(), name.as_str().into());
                }
            }
            match &part.cache {
                Some(cache) if may_mark(self.writing) => drop(written.insert("cache_control".to_owned(), cache.clone())),
                Some(_) => self.losses.ignore("messages[].content[].cache_control"),
                None => {}
            }
            self.push(written, message);
        }
    }

    fn result(&mut self, result: &ToolResult) -> Value {
        let mut texts = Vec::new();
        let mut shown = Vec::new();
        for part in &result.content {
            match &part.kind {
                Kind::Text { .. } | Kind::Refusal(_) => texts.extend(self.part(part)),
                Kind::File { source, .. } if as_text(source).is_some() => texts.extend(self.part(part)),
                Kind::Opaque(value) if !self.writing.own => {
                    let text = messages::as_text(value, self.losses).unwrap_or_else(|| value.to_string());
                    texts.push(json!({ "type": "text", "text": text }));
                }
                _ => shown.extend(self.part(part)),
            }
        }
        if !shown.is_empty() {
            let id = tool_id(&result.id, self.writing.quirks.tool_ids);
            self.held.push(json!({ "type": "text", "text": format!("What the tool gave beside its text (call {id}):") }));
            self.held.append(&mut shown);
            if texts.is_empty() {
                texts.push(json!({ "type": "text", "text": "The result follows in the next message of the user's." }));
            }
        }
        if result.is_error {
            let first = texts.first_mut().and_then(|first| first.get_mut("text"));
            match first {
                Some(Value::String(text)) => *text = format!("Error: {text}"),
                _ => texts.push(json!({ "type": "text", "text": "Error: the tool failed" })),
            }
        }
        if self.writing.own {
            return self.content(texts);
        }
        // Not all take a list here.
        let texts: Vec<&str> = texts.iter().filter_map(|part| part.get("text")?.as_str()).collect();
        texts.join("\n").into()
    }

    fn assistant(&mut self, message: &Message) {
        let mut texts = Vec::new();
        let mut refusal = None;
        let mut calls = Vec::new();
        let mut thoughts = Vec::new();
        let mut audio = None;
        for part in &message.parts {
            match &part.kind {
                Kind::Text { .. } => texts.extend(self.part(part)),
                Kind::Refusal(text) if self.writing.may("refusal") => refusal = Some(text.as_str()),
                Kind::Refusal(_) => texts.extend(self.part(part)),
                Kind::Reasoning(reasoning) => thoughts.push(reasoning),
                Kind::ToolCall(call) => {
                    if part.cache.is_some() {
                        self.losses.ignore("messages[].content[].cache_control");
                    }
                    if !self.writing.own {
                        self.losses.unknown("messages[].content[].", &part.extra);
                    }
                    calls.push(self.call(call, &part.extra, calls.is_empty()));
                }
                // Only this dialect has it.
                Kind::Speech(Speech { transcript, sound }) => {
                    let mut sound = sound.clone();
                    put(&mut sound, "transcript", Some(transcript.as_str()).filter(|words| !words.is_empty()));
                    audio = Some(sound);
                }
                Kind::Image { .. } => {
                    let image = self.part(part);
                    if let Some(image) = image {
                        self.held.push(json!({ "type": "text", "text": DRAWN }));
                        self.held.push(image);
                    }
                }
                Kind::Opaque(value) if self.writing.own => texts.push(value.clone()),
                Kind::Opaque(_) | Kind::File { .. } | Kind::Audio(_) | Kind::Video(_) => {
                    self.losses.ignore("messages[].content[]");
                }
                Kind::ToolResult(_) => {}
            }
        }
        let mut written = Object::new();
        written.insert("role".to_owned(), "assistant".into());
        let says_nothing = texts.is_empty() && refusal.is_none() && calls.is_empty() && audio.is_none();
        // What another provider thought, and nothing else: nobody can be sent that.
        if says_nothing && !self.writing.own {
            return;
        }
        let content = if texts.is_empty() && (!calls.is_empty() || refusal.is_some() || audio.is_some()) {
            Value::Null
        } else {
            self.said(message, texts)
        };
        written.insert("content".to_owned(), content);
        self.think_aloud(&thoughts, &mut written);
        put(&mut written, "refusal", refusal);
        put(&mut written, "audio", audio);
        if !calls.is_empty() {
            written.insert("tool_calls".to_owned(), calls.into());
        }
        self.push(written, message);
    }

    /// A turn's text. Few take a list of the model's own, and a text that citations cut in pieces is one.
    fn said(&self, message: &Message, texts: Vec<Value>) -> Value {
        if self.writing.own {
            return self.content(texts);
        }
        let is_cut = message.parts.iter().any(|part| matches!(&part.kind, Kind::Text { notes, .. } if !notes.is_empty()));
        let texts: Vec<&str> = texts.iter().filter_map(|part| part.get("text")?.as_str()).collect();
        texts.join(if is_cut { "" } else { "\n\n" }).into()
    }

    fn think_aloud(&self, thoughts: &[&Reasoning], written: &mut Object) {
        let shown: Vec<String> =
            thoughts.iter().map(|thought| details::shown(thought)).filter(|text| !text.is_empty()).collect();
        let shown = shown.join("\n\n");
        match self.writing.quirks.thoughts {
            Thoughts::Dropped => {}
            Thoughts::InToolTurns { of, .. } if self.calls_tools && of.hold(self.writing.model) && !shown.is_empty() => {
                drop(written.insert("reasoning_content".to_owned(), shown.into()));
            }
            Thoughts::InToolTurns { .. } => {}
            Thoughts::Details => {
                let own =
                    thoughts.iter().filter(|thought| thought.seal.as_ref().is_some_and(|seal| seal.origin == Origin::Chat));
                let entries: Vec<Value> = own.flat_map(|thought| details::entries(thought, 0, Place::default())).collect();
                if !entries.is_empty() {
                    written.insert("reasoning_details".to_owned(), entries.into());
                } else if !shown.is_empty() {
                    written.insert("reasoning".to_owned(), shown.into());
                }
            }
        }
    }

    fn call(&self, call: &ToolCall, extra: &Object, is_first: bool) -> Value {
        let mut written = Object::new();
        written.insert("id".to_owned(), tool_id(&call.id, self.writing.quirks.tool_ids).into());
        let is_custom = call.custom && self.writing.may("custom");
        let inner = match (is_custom, call.custom) {
            (true, _) => json!({ "name": call.name, "input": call.arguments }),
            (false, true) => json!({ "name": call.name, "arguments": json!({ "input": call.arguments }).to_string() }),
            (false, false) if call.arguments.trim().is_empty() && !self.writing.own => {
                json!({ "name": call.name, "arguments": "{}" })
            }
            (false, false) => json!({ "name": call.name, "arguments": call.arguments }),
        };
        let kind = if is_custom { "custom" } else { "function" };
        written.insert("type".to_owned(), kind.into());
        written.insert(kind.to_owned(), inner);
        if self.writing.own {
            written.extend(extra.clone());
        }
        signature::write(&mut written, call.seal.as_ref(), is_first, self.writing.quirks, self.writing.model);
        Value::Object(written)
    }
}

/// What a document of text says.
fn as_text(source: &Source) -> Option<String> {
    match source {
        Source::Text(text) => Some(text.clone()),
        Source::Base64 { media_type, data } if media_type.starts_with("text/") => {
            String::from_utf8(STANDARD.decode(data).ok()?).ok()
        }
        _ => None,
    }
}
