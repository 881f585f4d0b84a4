//! What of a request a provider's protocol has no words for.

use serde_json::Value;

use super::Object;

/// Members that a reader keeps for its dialect's own writer: of an item of Responses', and what Gemini signed of a call in Chat Completions, which is read.
const ITEM: [&str; 5] = ["id", "status", "phase", "item", "extra_content"];

/// Members that are tools by another name: connectors of Anthropic's ("MCP connector"), and the search of OpenAI's search models, which an empty object
/// asks for too.
const TOOLS: [&str; 2] = ["mcp_servers", "web_search_options"];

/// Whether a member says anything: null does not, nor does what is empty.
#[must_use]
pub fn says(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// One member of a request that could not be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Its name in the client's dialect, such as `logit_bias` or `messages[].name`.
    pub field: String,
    /// Why an answer without it would be another one; none where it may be ignored.
    pub refusal: Option<String>,
}

/// All of them, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    losses: Vec<Loss>,
    /// Whether a form of the answer is asked for in words, as the provider has no better means.
    emulated: bool,
}

impl Losses {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One without which the answer is the same in what matters: it is ignored, and the client is told so.
    pub fn ignore(&mut self, field: impl Into<String>) {
        self.add(field.into(), None);
    }

    /// One without which the answer would be another: `why` completes "the target cannot honour it: …".
    pub fn refuse(&mut self, field: impl Into<String>, why: impl Into<String>) {
        self.add(field.into(), Some(why.into()));
    }

    /// Members of another dialect that nobody here knows, `at` a place such as `messages[].`: ignored.
    ///
    /// What Responses call an item, and how far it has come, says nothing of what it holds. Tools by another name are refused, as tools are.
    pub fn unknown(&mut self, at: &str, extra: &Object) {
        for (name, value) in extra {
            if at.is_empty() && TOOLS.contains(&name.as_str()) && (says(value) || value.is_object()) {
                self.refuse(name.as_str(), "what it asks for runs at another provider");
            } else if says(value) && (at.is_empty() || !ITEM.contains(&name.as_str())) {
                self.ignore(format!("{at}{name}"));
            }
        }
    }

    /// A form of the answer is asked for in words.
    pub fn emulate(&mut self) {
        self.emulated = true;
    }

    /// Whether it is.
    #[must_use]
    pub fn is_emulated(&self) -> bool {
        self.emulated
    }

    fn add(&mut self, field: String, refusal: Option<String>) {
        match self.losses.iter_mut().find(|loss| loss.field == field) {
            Some(known) => known.refusal = known.refusal.take().or(refusal),
            None => self.losses.push(Loss { field, refusal }),
        }
    }

    /// In the order in which they were met.
    pub fn iter(&self) -> impl Iterator<Item = &Loss> {
        self.losses.iter()
    }

    /// Whether everything could be said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.losses.is_empty()
    }
}
