//! The circuit breaker: a provider that is down is left alone, and found again when it is back.
//!
//! **Why an object and a view.** Breaker state in each isolate alone learns too slowly, as there are thousands of isolates and each pays for
//! its own lessons; state that every request asks for puts a round trip, and a single point of failure, in front of everything. So one
//! Durable Object per provider and region holds the truth ([`Object`]), each isolate holds what it was told last and what it has seen
//! itself ([`View`]), and the two exchange messages in the background ([`message`]).
//!
//! **Which circuits.** A provider has one, each of its models has one, and each of its credentials; all three must admit a call. Beside
//! them a rate limit cools one credential for one model, which is nobody's failure.
//!
//! The invariants, whatever messages are lost: an open circuit lets nothing through but the probe that holds its lease, of which there is
//! one at a time; no circuit stays open for ever, as leases and cooldowns end by themselves; and an object that cannot be reached stops nobody.

mod admission;
pub mod circuit;
mod force;
pub mod message;
mod object;
mod pace;
mod provider;
mod status;
mod target;
mod view;

use std::time::Duration;

pub use admission::{Admission, Due, Question, Refusal, Ticket, Urgency, Why};
pub use circuit::Settings;
pub use force::{Force, Forced, Stance, is_taken};
pub use object::{Exchange, Object};
pub use provider::Sent;
pub use target::TargetId;
pub use view::View;

/// How a call ended, as far as circuits care: see the table of blame in [`crate::verdict`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer; for a probe, its first content.
    Success,
    /// The model failed.
    ModelFailed,
    /// The provider could not be reached.
    ProviderFailed,
    /// The credential has reached its limit for this model.
    Cool(Duration),
    /// The credential is not taken.
    CredentialRefused,
    /// The provider has no such model.
    NoSuchModel,
    /// Nobody is to blame.
    Nothing,
}

/// The longest that a rate limit cools a credential.
pub const LONGEST_COOLING: Duration = Duration::from_secs(300);

/// The longest that an operator forces a circuit: what is to hold for longer belongs into the configuration.
pub const LONGEST_FORCE: Duration = Duration::from_hours(24);

/// The name of the object that holds a provider's circuits for callers of one region.
#[must_use]
pub fn object_name(provider: &str, region: &str) -> String {
    format!("{provider}@{region}")
}

/// The region that an object is for, by its name. An object stays where it was first asked for, so that whoever asks says where that is:
/// not where they are themselves, as an operator reaches the objects of all regions from one.
#[must_use]
pub fn object_region(name: &str) -> Option<&str> {
    name.rsplit_once('@').map(|(_, region)| region)
}
