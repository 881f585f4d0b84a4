//! What a message is made of.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::sound::{self, UNKNOWN};
use super::{Losses, Object, Seal};

/// A piece of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What it is.
    pub kind: Kind,
    /// Anthropic's `cache_control`: the prompt up to here is to be cached.
    pub cache: Option<Value>,
    /// Members that nobody here knows.
    pub extra: Object,
}

impl Part {
    /// A part with nothing beside it.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self { kind, cache: None, extra: Object::new() }
    }

    /// Text with nothing beside it.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Kind::Text { text: text.into(), notes: Vec::new(), seal: None })
    }

    /// Takes a seal that stood behind it in a conversation ([`Seal::carried_behind`]). What it was of may have been left out since, so that what has one already, or
    /// can have none, stays as it is.
    pub(crate) fn take_seal(&mut self, of_before: Seal) {
        if let Kind::Text { seal, .. } | Kind::Image { seal, .. } = &mut self.kind {
            seal.get_or_insert(of_before);
        }
    }
}

/// What a part is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Text.
    Text {
        /// It.
        text: String,
        /// Citations and annotations, in `OpenAI`'s form (`url_citation`, `file_citation`) where a reader could make it, else in their own.
        notes: Vec<Value>,
        /// What a provider signed it with: Gemini's `thoughtSignature`.
        seal: Option<Seal>,
    },
    /// The model's refusal.
    Refusal(String),
    /// An image.
    Image {
        /// Where it is.
        source: Source,
        /// OpenAI's `detail`: `low`, `high`, `auto`.
        detail: Option<String>,
        /// What a provider that drew it signed it with: Gemini's `thoughtSignature`.
        seal: Option<Seal>,
    },
    /// A document: a PDF, a text, any file.
    File {
        /// Where it is.
        source: Source,
        /// Its name, or Anthropic's `title`.
        name: Option<String>,
    },
    /// Sound.
    Audio(Source),
    /// What the model said aloud.
    Speech(Speech),
    /// A film.
    Video(Source),
    /// What was thought.
    Reasoning(Reasoning),
    /// A tool that the model calls.
    ToolCall(ToolCall),
    /// What a tool gave.
    ToolResult(ToolResult),
    /// Something of a dialect's own that no other has, whole: a hosted tool's call and result, a generated image, a block of a later version.
    Opaque(Value),
}

/// Where content is. The gateway fetches nothing: a URL goes to a provider that fetches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// At an address.
    Url {
        /// It.
        url: String,
        /// Its media type, where the client said so.
        media_type: Option<String>,
    },
    /// Here, in base64.
    Base64 {
        /// Its media type; `audio/*` of a sound of which nobody knows it.
        media_type: String,
        /// The content.
        data: String,
    },
    /// Here, as text.
    Text(String),
    /// At the provider, by the provider's own id.
    FileId(String),
}

impl Source {
    /// Reads a URL, `data:` ones (RFC 2397) as what they hold.
    #[must_use]
    pub fn of_url(url: String) -> Self {
        let data = url.strip_prefix("data:").and_then(|rest| rest.split_once(','));
        if let Some((head, data)) = data
            && let Some(media_type) = head.strip_suffix(";base64")
        {
            let media_type = media_type.split(';').next().unwrap_or_default();
            // No type that is registered, but one that many write, and OpenAI takes.
            let media_type = if media_type == "image/jpg" { "image/jpeg" } else { media_type };
            return Self::Base64 { media_type: media_type.to_owned(), data: data.to_owned() };
        }
        Self::Url { url, media_type: None }
    }

    /// An image in base64 of which nobody says what it is: by its first three bytes.
    #[must_use]
    pub fn of_image(data: String) -> Self {
        let media_type = match data.get(..4) {
            Some("/9j/") => "image/jpeg",
            Some("UklG") => "image/webp",
            Some("R0lG") => "image/gif",
            _ => "image/png",
        };
        Self::Base64 { media_type: media_type.to_owned(), data }
    }

    /// A sound in base64 of which nobody says what it is.
    #[must_use]
    pub fn of_sound(data: String) -> Self {
        let media_type = sound::media_type(&data).unwrap_or(UNKNOWN);
        Self::Base64 { media_type: media_type.to_owned(), data }
    }

    /// As a URL, of which inline content is a `data:` one. None of what only a provider has.
    #[must_use]
    pub fn to_url(&self) -> Option<String> {
        match self {
            Self::Url { url, .. } => Some(url.clone()),
            Self::Base64 { media_type, data } => Some(format!("data:{media_type};base64,{data}")),
            Self::Text(_) | Self::FileId(_) => None,
        }
    }
}

/// What was said aloud. Dialects without sound tell its words as text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Speech {
    /// The words.
    pub transcript: String,
    /// The sound in Chat Completions' form, without the transcript: `id`, `data` (base64, in the format that the client asked for), `expires_at`.
    pub sound: Object,
}

impl Speech {
    /// The words, for a provider that takes no sound of the model's: where they are not there, what was said is kept by the provider that said it.
    pub(crate) fn words(&self, losses: &mut Losses) -> Option<&str> {
        if self.transcript.is_empty() {
            losses.refuse("messages[].audio", "what was said is kept by another provider");
            return None;
        }
        Some(&self.transcript)
    }

    /// Adds more of the sound. A stream's pieces of `data` are each a base64 text of their own, whose padding may stand in the middle of the whole, or one
    /// text that was cut anywhere. None where they are neither.
    pub fn hear(&mut self, more: Object) -> Option<()> {
        for (name, value) in more {
            match (self.sound.get_mut(&name), value) {
                (Some(Value::String(ours)), Value::String(more)) if name == "data" => {
                    // Four characters are three bytes, and the last four fewer where they are padded.
                    if ours.ends_with('=') && ours.len() % 4 == 0 && !more.is_empty() {
                        let last = ours.split_off(ours.len() - 4);
                        let mut bytes = STANDARD.decode(&last).ok()?;
                        bytes.append(&mut STANDARD.decode(&more).ok()?);
                        ours.push_str(&STANDARD.encode(bytes));
                    } else {
                        ours.push_str(&more);
                    }
                }
                (_, value) => drop(self.sound.insert(name, value)),
            }
        }
        Some(())
    }
}

/// What was thought, as far as it is shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reasoning {
    /// The thoughts themselves, or what is shown of them. Empty where they are redacted.
    pub text: String,
    /// Summaries of them, where the dialect tells those from thoughts (Responses).
    pub summary: Vec<String>,
    /// The provider's signature, or the thoughts in a form that only the provider can read.
    pub seal: Option<Seal>,
    /// Whether nothing of it can be shown: Anthropic's `redacted_thinking`.
    pub redacted: bool,
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    /// What its result refers to, without a seal ([`super::sealed_in_id`]).
    pub id: String,
    /// The tool.
    pub name: String,
    /// Its arguments as the model wrote them: JSON where the model did well, text where `custom`.
    pub arguments: String,
    /// Whether it is of OpenAI's custom tools.
    pub custom: bool,
    /// What a provider signed it with: Gemini's `thoughtSignature`.
    pub seal: Option<Seal>,
}

/// What a tool gave.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolResult {
    /// The call's id, without a seal.
    pub id: String,
    /// The tool, where the dialect says so; writers that need it look for the call.
    pub name: Option<String>,
    /// Text, images, files.
    pub content: Vec<Part>,
    /// Whether it failed.
    pub is_error: bool,
    /// Whether the call was of a custom tool.
    pub custom: bool,
}
