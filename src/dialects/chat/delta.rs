//! A stream: an answer, piece by piece.

use serde_json::Value;

use super::{Finish, Kind, Object, Seal, Usage};

/// A piece of an answer.
///
/// The order that every reader keeps to and every writer relies on: [`Delta::Begin`] first; a part is opened before anything is said of it, and said
/// nothing of after it was closed, or its choice has finished; [`Delta::End`] last, and only at the protocol's own terminator. Parts of a choice are
/// numbered from 0 in the order in which they are opened. Several may be open at the same time, as Chat Completions' parallel tool calls can be.
#[derive(Clone, Debug, PartialEq)]
pub enum Delta {
    /// What is known of an answer before its content.
    Begin {
        /// The upstream's id for it.
        id: Option<String>,
        /// The upstream's own name of the model.
        model: Option<String>,
        /// Seconds since 1970.
        created: Option<u64>,
    },
    /// A part begins.
    Open {
        /// Of this choice.
        choice: u32,
        /// With this number.
        part: u32,
        /// As this.
        kind: Opening,
    },
    /// More of a part's text: of text, a refusal, reasoning, a call's arguments, the words of speech.
    Text {
        /// Of this choice.
        choice: u32,
        /// Of this part.
        part: u32,
        /// It.
        text: String,
    },
    /// More of speech's sound, to be heard by [`super::Speech::hear`].
    Sound {
        /// Of this choice.
        choice: u32,
        /// Of this part.
        part: u32,
        /// It.
        sound: Object,
    },
    /// The next piece of a summary of reasoning; `begins` where it is a new summary.
    Summary {
        /// Of this choice.
        choice: u32,
        /// Of this part.
        part: u32,
        /// Whether it is the first piece of a summary.
        begins: bool,
        /// It.
        text: String,
    },
    /// The provider's seal on a part: reasoning, a call, text.
    Sign {
        /// Of this choice.
        choice: u32,
        /// Of this part.
        part: u32,
        /// It.
        seal: Seal,
    },
    /// A citation or annotation of a text.
    Note {
        /// Of this choice.
        choice: u32,
        /// Of this part.
        part: u32,
        /// In the form of [`super::Kind::Text`]'s `notes`.
        note: Value,
    },
    /// Log probabilities of more tokens, in Chat Completions' form (`{"content": […], "refusal": […]}`).
    Logprobs {
        /// Of this choice.
        choice: u32,
        /// They.
        logprobs: Value,
    },
    /// A part is whole.
    Close {
        /// Of this choice.
        choice: u32,
        /// This part.
        part: u32,
    },
    /// A choice is whole. Every part of it that is open is closed by this.
    Finish {
        /// This one.
        choice: u32,
        /// Why.
        finish: Finish,
        /// The stop sequence that ended it.
        stop_sequence: Option<String>,
    },
    /// What it has cost so far; a later one replaces an earlier one.
    Usage(Usage),
    /// Members beside the content, such as `service_tier` and `system_fingerprint`.
    Extra(Object),
    /// The answer is whole.
    End,
}

/// How a part begins.
#[derive(Clone, Debug, PartialEq)]
pub enum Opening {
    /// Text.
    Text,
    /// A refusal.
    Refusal,
    /// What is said aloud.
    Speech,
    /// Reasoning.
    Reasoning {
        /// Whether nothing of it can be shown.
        redacted: bool,
    },
    /// A call of a tool.
    ToolCall {
        /// What its result refers to, without a seal.
        id: String,
        /// The tool.
        name: String,
        /// Whether it is of OpenAI's custom tools.
        custom: bool,
        /// The seal, where it is known from the beginning (as Gemini's is, whose calls come whole).
        seal: Option<Seal>,
    },
    /// Anything else, whole: an image, a file, sound, something of a dialect's own.
    Whole(Box<Kind>),
}
