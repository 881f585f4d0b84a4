//! What an isolate and an object say to each other about latencies, within the messages of [`crate::breaker::message`].
//!
//! They are compact, as they ride with messages that are sent every second: of a histogram only the buckets that something fell
//! into since the last message, and of what all isolates saw only the quantiles.

use serde::{Deserialize, Serialize};

/// How many observations fell into which bucket of a [`super::Sketch`]; buckets that none fell into are left out.
pub type Counts = Vec<(u8, u32)>;

/// What an isolate saw of one kind of a model's calls since its last message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The model.
    pub model: String,
    /// [`super::Kind::index`].
    pub kind: u8,
    /// Answers, by how long they took.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answered: Counts,
    /// Calls that were cut off, by how long they were waited for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cut: Counts,
}

/// What all isolates together saw of one kind of a model's calls, where that is enough to say anything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// The model.
    pub model: String,
    /// [`super::Kind::index`].
    pub kind: u8,
    /// The 50th, 95th and 99th percentile in milliseconds.
    pub ms: [u64; 3],
    /// [`super::Quantiles::unanswered`], in thousandths.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unanswered: u16,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u16) -> bool {
    *number == 0
}
