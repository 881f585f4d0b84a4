//! Whether a call may be made, and what is remembered of one that was: the words in which an isolate's view and those who ask it speak.

use std::time::Duration;

use super::message::{Key, Mark};
use super::target::TargetId;
use crate::time::Timestamp;

/// How soon a refused lease is asked for again: a probe has its answer within about that time, or its successor has.
pub(super) const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Whether a call may be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may; its outcome is to be recorded with this.
    Go(Ticket),
    /// It may if the object grants the leases.
    Ask(Question),
    /// It may not.
    Refused(Refusal),
}

/// A call that was admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub(super) target: TargetId,
    pub(super) provider: usize,
    /// The epochs of the three circuits when it was admitted.
    pub(super) epochs: [u64; 3],
    pub(super) leases: Vec<Mark>,
}

impl Ticket {
    /// Whether this call is a probe.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        !self.leases.is_empty()
    }

    /// The provider's place.
    #[must_use]
    pub fn provider(&self) -> usize {
        self.provider
    }
}

/// Leases that are to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub(super) target: TargetId,
    pub(super) provider: usize,
    pub(super) keys: Vec<Key>,
}

impl Question {
    /// The provider's place.
    #[must_use]
    pub fn provider(&self) -> usize {
        self.provider
    }

    /// What holds while there is no answer.
    #[must_use]
    pub fn refusal(&self, now: Timestamp) -> Refusal {
        Refusal { until: now + ASK_AGAIN, why: Why::CircuitOpen }
    }
}

/// Why a call may not be made, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// When it is worth asking again.
    pub until: Timestamp,
    /// Why.
    pub why: Why,
}

/// Why a call may not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A circuit is open.
    CircuitOpen,
    /// The credential has reached its limit for the model.
    Cooling,
    /// An operator has ordered it.
    Drained,
}

/// How soon the object is to hear of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// With the next exchange.
    Later,
    /// Soon, together with what else may come.
    Soon,
    /// At once: a trip, a probe's result, a rate limit.
    Now,
}

/// Whether an exchange is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// No.
    No,
    /// In the background.
    Refresh,
    /// It is worth waiting for: nothing is known, or nothing that is not long out of date.
    Cold,
}
