//! What an isolate and an object say to each other, as JSON.

use serde::{Deserialize, Serialize};

use super::circuit::{Counts, Known, Settings};
use super::force::{Force, Forced};
use crate::latency::message as latency;
use crate::time::Timestamp;

/// Which of a provider's circuits: `provider`, `model:…` or `key:…`.
pub type Key = String;

/// The provider's own circuit.
pub const PROVIDER: &str = "provider";

/// What the name of a model's circuit begins with.
pub(super) const MODEL: &str = "model:";

/// The circuit of a model.
#[must_use]
pub fn model(name: &str) -> Key {
    format!("{MODEL}{name}")
}

/// The circuit of a credential.
#[must_use]
pub fn credential(name: &str) -> Key {
    format!("key:{name}")
}

/// An isolate's message.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// The provider's settings, so that the object needs no configuration of its own.
    pub settings: Settings,
    /// Calls since the last message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<Batch>,
    /// Circuits that are to open at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trips: Vec<Mark>,
    /// Probes and how they ended: none is nobody's fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<Probe>,
    /// Credentials that are to be left alone for a model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cooling: Vec<Cooling>,
    /// What calls took since the last message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latency: Vec<latency::Seen>,
    /// Half-open circuits whose leases are asked for, all or none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ask: Vec<Key>,
    /// An operator's order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force: Option<Force>,
    /// When it is this isolate's turn, in milliseconds from now, where it comes before its turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u64>,
}

/// Calls of one circuit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Batch {
    /// The circuit.
    pub key: Key,
    /// The epoch in which they began.
    pub epoch: u64,
    /// How they ended.
    #[serde(flatten)]
    pub counts: Counts,
}

/// A circuit in an epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The circuit.
    pub key: Key,
    /// The epoch.
    pub epoch: u64,
}

/// A probe's result.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Probe {
    /// The circuit.
    pub key: Key,
    /// The lease's epoch.
    pub epoch: u64,
    /// Whether it succeeded; none gives the lease back.
    pub success: Option<bool>,
}

/// A rate limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cooling {
    /// The credential.
    pub credential: String,
    /// The model.
    pub model: String,
    /// Until when.
    pub until: Timestamp,
}

/// An object's answer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Answer {
    /// Every circuit that is not as new: the others are closed in epoch 0.
    #[serde(default)]
    pub circuits: Vec<Told>,
    /// Every rate limit that holds.
    #[serde(default)]
    pub cooling: Vec<Cooling>,
    /// How long models take, where enough is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latency: Vec<latency::Known>,
    /// Every order of an operator's that holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forced: Vec<Forced>,
    /// The leases, if all that were asked for were granted.
    #[serde(default)]
    pub leases: Option<Vec<Mark>>,
    /// When to come again, in milliseconds from now.
    pub again: u64,
    /// Over how long isolates are to spread what they all want to say or ask at the same time, in milliseconds.
    #[serde(default)]
    pub spread: u64,
    /// Grows with every answer of an object: of two that cross on their way, the one with the greater holds.
    #[serde(default)]
    pub serial: u64,
}

/// A circuit's state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Told {
    /// The circuit.
    pub key: Key,
    /// Its state.
    #[serde(flatten)]
    pub known: Known,
}
