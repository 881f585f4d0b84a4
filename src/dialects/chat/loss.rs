//! What of a request a provider's protocol has no words for.

use super::Object;

/// Members of an item of Responses', as its reader keeps them for its writer.
const ITEM: [&str; 4] = ["id", "status", "phase", "item"];

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
    /// What Responses call an item, and how far it has come, says nothing of what it holds.
    pub fn unknown(&mut self, at: &str, extra: &Object) {
        let says_nothing = |name: &&String| !at.is_empty() && ITEM.contains(&name.as_str());
        for name in extra.keys().filter(|name| !says_nothing(name)) {
            self.ignore(format!("{at}{name}"));
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
