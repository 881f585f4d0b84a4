//! An answer.

use serde_json::Value;

use super::{Kind, Object, Part};

/// An answer in no dialect.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The upstream's id for it.
    pub id: Option<String>,
    /// The upstream's own name of the model.
    pub model: Option<String>,
    /// Seconds since 1970.
    pub created: Option<u64>,
    /// At least one, in order of their index.
    pub choices: Vec<Choice>,
    /// What it cost.
    pub usage: Option<Usage>,
    /// `service_tier` and `system_fingerprint` where there are any, and what else stood at the top; not what a dialect has for every answer.
    pub extra: Object,
}

/// One of `n` answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    /// What is said, in order.
    pub parts: Vec<Part>,
    /// Why it ended.
    pub finish: Option<Finish>,
    /// The stop sequence that ended it.
    pub stop_sequence: Option<String>,
    /// Log probabilities in Chat Completions' form.
    pub logprobs: Option<Value>,
    /// What else stood in the choice.
    pub extra: Object,
}

impl Choice {
    /// All that it says in words.
    #[must_use]
    pub fn text(&self) -> String {
        let text = |part: &'_ Part| if let Kind::Text { text, .. } = &part.kind { Some(text.clone()) } else { None };
        self.parts.iter().filter_map(text).collect()
    }
}

/// Why an answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The model was done.
    Stop,
    /// At one of the client's stop sequences, where a provider tells that from [`Finish::Stop`].
    StopSequence,
    /// At the most tokens that were asked for, or that fit.
    Length,
    /// With calls of tools.
    ToolCalls,
    /// A filter ended it.
    ContentFilter,
    /// The model would not go on: Anthropic's `refusal`.
    Refusal,
    /// A turn with tools of the provider's own that is to be continued: Anthropic's `pause_turn`.
    Pause,
    /// In a provider's own word.
    Other(String),
}

/// Tokens. `input` and `output` are everything, their details included, as `OpenAI` counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// The prompt, what came from a prompt cache included.
    pub input: u64,
    /// The answer, reasoning included.
    pub output: u64,
    /// The provider's own total, where it is another than the sum.
    pub total: Option<u64>,
    /// Of the input: read from the provider's prompt cache.
    pub cached: Option<u64>,
    /// Of the input: written to it.
    pub cache_written: Option<u64>,
    /// Of the input: sound.
    pub audio_input: Option<u64>,
    /// Of the output: reasoning.
    pub reasoning: Option<u64>,
    /// Of the output: sound.
    pub audio_output: Option<u64>,
    /// What else a provider counts, by its own names: Anthropic's `server_tool_use`, `cache_creation`, Groq's times, OpenRouter's `cost`.
    pub extra: Object,
}
