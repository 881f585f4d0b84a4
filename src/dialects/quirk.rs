//! Where providers of one protocol differ, as data.

/// Where a provider differs from others that speak the same protocol. What nothing is known of is as careful as can be, and a body that passes through
/// to it is left alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// Its streams may end without `[DONE]`; a finish reason is enough.
    pub done_may_be_missing: bool,
    /// It accepts `stream_options.include_usage`.
    pub stream_usage: bool,
    /// It is the one that the others imitate: it knows every word of the dialect, and its reasoning models refuse some.
    pub original: bool,
    /// Which ids of tool calls it takes.
    pub tool_ids: ToolIds,
    /// How it is asked to think.
    pub asks: Asks,
    /// Which of its models take an effort, where it is asked by one.
    pub efforts: Models,
    /// Whether it wants its thoughts back.
    pub thoughts: Thoughts,
    /// What it is documented to know that not all know: members of a request, types of content parts, the role `developer`.
    pub knows: &'static [&'static str],
    /// What it is documented not to know that most know, or not to combine: `json_schema with tools`, `json_schema streamed`, `json_object with tools`.
    pub lacks: &'static [&'static str],
    /// The most stop sequences, where it documents one.
    pub most_stops: Option<u8>,
    /// Which of its models can be held to a JSON schema, where it knows the word `json_schema`.
    pub schemas: Models,
}

/// Some of a provider's models, by how their names begin; a `$` at the end is a name's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Models {
    /// All, as far as is known.
    #[default]
    All,
    /// These.
    Of(&'static [&'static str]),
    /// All but these.
    But(&'static [&'static str]),
}

impl Models {
    /// Whether a model is among them.
    #[must_use]
    pub fn hold(self, model: &str) -> bool {
        let is_one = |name: &str| match name.strip_suffix('$') {
            Some(whole) => model == whole,
            None => model.starts_with(name),
        };
        match self {
            Self::All => true,
            Self::Of(names) => names.iter().any(|name| is_one(name)),
            Self::But(names) => !names.iter().any(|name| is_one(name)),
        }
    }
}

impl Quirks {
    /// Whether it is documented to know a word.
    #[must_use]
    pub fn knows(&self, word: &str) -> bool {
        self.original || self.knows.contains(&word)
    }

    /// Whether a model of its can be held to a JSON schema by `json_schema`, in a request with such things beside.
    #[must_use]
    pub fn has_schemas(&self, model: &str, tools: bool, stream: bool) -> bool {
        let combines = !(tools && self.lacks("json_schema with tools") || stream && self.lacks("json_schema streamed"));
        !self.lacks("json_schema") && self.schemas.hold(model) && combines
    }

    /// Whether it knows `json_object`, in a request with or without tools.
    #[must_use]
    pub fn has_objects(&self, tools: bool) -> bool {
        !(self.lacks("json_object") || tools && self.lacks("json_object with tools"))
    }

    /// Whether it is documented not to know a word.
    #[must_use]
    pub fn lacks(&self, word: &str) -> bool {
        self.lacks.contains(&word)
    }
}

/// Which ids of tool calls a provider takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToolIds {
    /// At most 40 characters: OpenAI's limit, the lowest that is known.
    #[default]
    Forty,
    /// Exactly nine letters and digits.
    Nine,
}

/// How a provider is asked to think.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asks {
    /// By `reasoning_effort`.
    #[default]
    Effort,
    /// By `reasoning_effort`, of which it knows `none` and `high`.
    NoneOrHigh,
    /// By OpenRouter's `reasoning` object.
    Object,
    /// By `thinking: {"type": "enabled" | "disabled"}`, and `reasoning_effort` of `low`, `high` and `max`.
    Thinking,
    /// Not in words that are the same for all of its models.
    Nothing,
}

/// Whether a provider wants its thoughts back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Thoughts {
    /// No.
    #[default]
    Dropped,
    /// As `reasoning_content`, of all turns of a conversation with tools.
    InToolTurns {
        /// What stands there where nothing is known of what was thought, as another provider's models did it, and do not tell.
        unknown: &'static str,
        /// Which of its models think.
        of: Models,
    },
    /// As `reasoning` and `reasoning_details`.
    Details,
}
