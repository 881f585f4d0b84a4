//! A request: a conversation so far, and how it is to go on.

use serde_json::Value;

use super::{Object, Part};
use crate::dialect::Dialect;

/// A request in no dialect. A member is none where the client did not state it, so that providers' own defaults hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Whose `extra`s these are: the dialect that it was read from.
    pub dialect: Dialect,
    /// The conversation, in order; instructions of the system's are messages of it.
    pub messages: Vec<Message>,
    /// What the model may call.
    pub tools: Vec<Tool>,
    /// Whether and what it must call.
    pub tool_choice: Option<ToolChoice>,
    /// Whether it may make several calls in one turn.
    pub parallel_tool_calls: Option<bool>,
    /// The most tokens of the answer, reasoning included.
    pub max_tokens: Option<u64>,
    /// Randomness: a number, in the scale of OpenAI's (0 to 2), which all but Anthropic's (0 to 1) share.
    pub temperature: Option<Value>,
    /// Nucleus sampling, 0 to 1.
    pub top_p: Option<Value>,
    /// The most likely tokens to choose among.
    pub top_k: Option<Value>,
    /// -2 to 2.
    pub frequency_penalty: Option<Value>,
    /// -2 to 2.
    pub presence_penalty: Option<Value>,
    /// For answers that can be repeated.
    pub seed: Option<Value>,
    /// Texts at which the answer ends.
    pub stop: Vec<String>,
    /// How many answers.
    pub n: Option<u64>,
    /// Whether log probabilities are wanted.
    pub logprobs: Option<bool>,
    /// Of how many alternatives for each token.
    pub top_logprobs: Option<u64>,
    /// Token ids of the model's own, with a bias each.
    pub logit_bias: Option<Value>,
    /// How much is to be thought.
    pub thinking: Option<Thinking>,
    /// Which form the answer's text must have.
    pub format: Option<Format>,
    /// `low`, `medium` or `high`: how many words.
    pub verbosity: Option<String>,
    /// What the answer may be made of, such as `text` and `audio`.
    pub modalities: Option<Vec<String>>,
    /// OpenAI's `audio`: voice and format of an answer that is spoken.
    pub audio: Option<Value>,
    /// Whom the request is for, in the client's words: OpenAI's `user`, `safety_identifier`, Anthropic's `metadata.user_id`.
    pub user: Option<String>,
    /// What the client keeps beside a request at OpenAI's.
    pub metadata: Option<Value>,
    /// Whether the provider is to keep the answer.
    pub store: Option<bool>,
    /// `auto`, `default`, `flex`, `priority` …
    pub service_tier: Option<String>,
    /// Which requests begin alike.
    pub prompt_cache_key: Option<String>,
    /// Anthropic's `cache_control` of the request as a whole.
    pub cache_control: Option<Value>,
    /// Whether a stream is wanted.
    pub stream: bool,
    /// Top-level members that nobody here knows.
    pub extra: Object,
}

impl Request {
    /// One without anything but its dialect.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            messages: Vec::new(),
            tools: Vec::new(),
            tool_choice: None,
            parallel_tool_calls: None,
            max_tokens: None,
            temperature: None,
            top_p: None,
            top_k: None,
            frequency_penalty: None,
            presence_penalty: None,
            seed: None,
            stop: Vec::new(),
            n: None,
            logprobs: None,
            top_logprobs: None,
            logit_bias: None,
            thinking: None,
            format: None,
            verbosity: None,
            modalities: None,
            audio: None,
            user: None,
            metadata: None,
            store: None,
            service_tier: None,
            prompt_cache_key: None,
            cache_control: None,
            stream: false,
            extra: Object::new(),
        }
    }
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The application's operator, in older words.
    System,
    /// The same in newer ones.
    Developer,
    /// The user. Tool results are theirs in some dialects; here they are parts of a [`Role::Tool`] message.
    User,
    /// The model.
    Assistant,
    /// What tools gave.
    Tool,
}

/// One turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub parts: Vec<Part>,
    /// The speaker's name.
    pub name: Option<String>,
    /// Members that nobody here knows.
    pub extra: Object,
}

impl Message {
    /// One without a name.
    #[must_use]
    pub fn new(role: Role, parts: Vec<Part>) -> Self {
        Self { role, parts, name: None, extra: Object::new() }
    }
}

/// What the model may call.
#[derive(Clone, Debug, PartialEq)]
pub enum Tool {
    /// A function of the client's.
    Function {
        /// Its name.
        name: String,
        /// What it does.
        description: Option<String>,
        /// The JSON schema of its arguments.
        parameters: Option<Value>,
        /// Whether arguments must obey it.
        strict: Option<bool>,
        /// Anthropic's `cache_control`.
        cache: Option<Value>,
        /// Members that nobody here knows.
        extra: Object,
    },
    /// OpenAI's custom tool, whose input is text.
    Custom {
        /// Its name.
        name: String,
        /// What it does.
        description: Option<String>,
        /// The grammar of its input.
        format: Option<Value>,
        /// Members that nobody here knows.
        extra: Object,
    },
    /// One that runs at a provider, as its dialect writes it.
    Hosted(Value),
}

/// Whether and what the model must call.
#[derive(Clone, Debug, PartialEq)]
pub enum ToolChoice {
    /// As it likes.
    Auto,
    /// Nothing.
    None,
    /// Something.
    Required,
    /// This tool.
    Named(String),
    /// One of these, or (where `required` is false) none.
    Allowed {
        /// Their names.
        names: Vec<String>,
        /// Whether one must be called.
        required: bool,
    },
    /// A tool that runs at a provider, as its dialect writes it.
    Hosted(Value),
}

/// How much is to be thought before the answer. Dialects say it as one of these, and writers convert: see [`Thinking::budget`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thinking {
    /// In words.
    pub effort: Option<Effort>,
    /// In tokens; 0 is not at all.
    pub budget: Option<u64>,
    /// Whether it is up to the model: Anthropic's `adaptive`, Gemini's budget of -1.
    pub adaptive: bool,
    /// Whether thoughts are to be shown: Gemini's `includeThoughts`, `Some` where the client said so.
    pub shown: Option<bool>,
    /// OpenAI's `reasoning.summary`: `auto`, `concise`, `detailed`.
    pub summary: Option<String>,
    /// Members that nobody here knows.
    pub extra: Object,
}

/// OpenAI's words, with Anthropic's `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// Not at all.
    None,
    /// Hardly.
    Minimal,
    /// A little.
    Low,
    /// OpenAI's default.
    Medium,
    /// Much.
    High,
    /// More than that.
    Xhigh,
    /// As much as there is.
    Max,
}

impl Effort {
    const WORDS: [(&'static str, Self); 7] = [
        ("none", Self::None),
        ("minimal", Self::Minimal),
        ("low", Self::Low),
        ("medium", Self::Medium),
        ("high", Self::High),
        ("xhigh", Self::Xhigh),
        ("max", Self::Max),
    ];

    /// The effort of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(name, _)| *name == word).map(|(_, effort)| *effort)
    }

    /// Its name.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, effort)| *effort == self).map_or("medium", |(name, _)| name)
    }

    /// So much thinking in tokens, for providers that count it. `OpenAI` publishes no numbers; these are the ones that Gemini's `OpenAI`-compatible endpoint
    /// documents (low 1,024, medium 8,192, high 24,576; <https://ai.google.dev/gemini-api/docs/openai>, "Thinking"), and steps of the same kind beyond.
    #[must_use]
    pub const fn budget(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Minimal | Self::Low => 1024,
            Self::Medium => 8192,
            Self::High => 24_576,
            Self::Xhigh | Self::Max => 32_768,
        }
    }

    /// The word for a budget in tokens.
    #[must_use]
    pub const fn of_budget(tokens: u64) -> Self {
        match tokens {
            0 => Self::None,
            1..=2048 => Self::Low,
            2049..=12_288 => Self::Medium,
            _ => Self::High,
        }
    }
}

/// Which form the answer's text must have.
#[derive(Clone, Debug, PartialEq)]
pub enum Format {
    /// Any.
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON by a schema.
    JsonSchema {
        /// What the client calls it.
        name: Option<String>,
        /// What it is for.
        description: Option<String>,
        /// The schema.
        schema: Value,
        /// Whether the provider must enforce it.
        strict: Option<bool>,
    },
    /// Another one of a dialect's, as it writes it: a grammar.
    Other(Value),
}
