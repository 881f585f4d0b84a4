//! Circuits that an operator has forced, open or closed, for a time.
//!
//! **Why.** A breaker learns from failures, and an operator knows before: a provider has announced an outage, a bill is running away, or a
//! circuit is open for a reason that has just been mended. Neither may need a deploy, and neither may be forgotten: every order ends by
//! itself, without an alarm, as one that has expired is as if it had never been given.
//!
//! **Forced open**, nothing is sent: no call, and no probe. **Forced closed**, the provider's circuit and its models' stop nobody. A credential's
//! does, and a rate limit does: an order does not make a key valid. Outcomes are counted all the while, so that the circuits beneath know
//! how things are when the order ends: one that has opened meanwhile is not shut with a bang of traffic, but by the one probe that it
//! would have needed anyway.
//!
//! Where two orders meet, one for the provider and one for a model, the one that sends less holds.

use serde::{Deserialize, Serialize};

use super::LONGEST_FORCE;
use super::message::{self, Answer, Key, PROVIDER, Report};
use super::view::View;
use crate::time::Timestamp;

/// The most orders of one provider: they are written by hand, one for a model at most.
const MOST: usize = 64;

/// The longest name of a circuit in an order, in bytes.
pub(super) const LONGEST_KEY: usize = 256;

/// What a circuit is forced to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stance {
    /// Nothing is sent.
    Open,
    /// It stops nobody.
    Closed,
}

impl Stance {
    /// The word that people write, and are shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// An operator's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Force {
    /// The circuit: the provider's, which stands for all of its models' too, or one model's.
    pub key: Key,
    /// What it is to be; none ends an earlier order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stance: Option<Stance>,
    /// Until when.
    pub until: Timestamp,
}

/// An order that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forced {
    /// The circuit.
    pub key: Key,
    /// What it is.
    pub stance: Stance,
    /// Until when.
    pub until: Timestamp,
}

/// A provider's orders, one for a circuit at most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Orders(Vec<Forced>);

impl Orders {
    /// Takes an order, in the place of an earlier one for the same circuit; one that names no such circuit, or for which there is no room,
    /// changes nothing.
    pub(super) fn take(&mut self, order: &Force, now: Timestamp) {
        let legal = order.key == PROVIDER || order.key.starts_with(message::MODEL);
        if !legal || order.key.len() > LONGEST_KEY {
            return;
        }
        self.0.retain(|own| own.until > now && own.key != order.key);
        let until = order.until.min(now + LONGEST_FORCE);
        if let Some(stance) = order.stance
            && until > now
            && self.0.len() < MOST
        {
            self.0.push(Forced { key: order.key.clone(), stance, until });
        }
    }

    /// Those that hold.
    pub(super) fn all(&self, now: Timestamp) -> impl Iterator<Item = &Forced> {
        self.0.iter().filter(move |own| own.until > now)
    }

    /// Until when nothing may be sent to a model.
    pub(super) fn drained(&self, model: &str, now: Timestamp) -> Option<Timestamp> {
        let about = |key: &str| key == PROVIDER || key.strip_prefix(message::MODEL) == Some(model);
        self.all(now).filter(|own| own.stance == Stance::Open && about(&own.key)).map(|own| own.until).max()
    }

    /// Whether the circuit of that name stops nobody.
    pub(super) fn closes(&self, key: &str, now: Timestamp) -> bool {
        let of_model = key.starts_with(message::MODEL);
        let about = |own: &str| own == key || (of_model && own == PROVIDER);
        self.all(now).any(|own| own.stance == Stance::Closed && about(&own.key))
    }

    /// Whether any of these circuits is forced open: then there is nothing to probe.
    pub(super) fn forbid_probe(&self, keys: &[Key], now: Timestamp) -> bool {
        self.all(now).any(|own| own.stance == Stance::Open && (own.key == PROVIDER || keys.contains(&own.key)))
    }
}

impl From<Vec<Forced>> for Orders {
    fn from(orders: Vec<Forced>) -> Self {
        Self(orders)
    }
}

impl View {
    /// The message that brings an order to a provider's object; none where there is no such provider.
    #[must_use]
    pub fn order(&self, provider: usize, order: &Force) -> Option<String> {
        let settings = self.providers.get(provider)?.settings;
        serde_json::to_string(&Report { settings, force: Some(order.clone()), ..Report::default() }).ok()
    }

    /// Takes the answer of this isolate's own object to an order.
    pub fn ordered(&mut self, provider: usize, answer: &str) {
        if let (Some(provider), Ok(answer)) = (self.providers.get_mut(provider), serde_json::from_str(answer)) {
            provider.obey(&answer);
        }
    }

    /// Obeys an order although this isolate's own object could not be reached: until that says otherwise.
    pub fn obey(&mut self, provider: usize, order: &Force, now: Timestamp) {
        if let Some(provider) = self.providers.get_mut(provider) {
            provider.orders.0.take(order, now);
        }
    }

    /// A provider's orders that hold, as far as this isolate has heard.
    pub fn forced(&self, provider: usize, now: Timestamp) -> impl Iterator<Item = &Forced> {
        self.providers.get(provider).into_iter().flat_map(move |provider| provider.orders.0.all(now))
    }
}

/// Whether an object has taken an order, by its answer. One of an earlier version of the gateway, as may still be there while a new one is
/// rolled out, answers as if it had been asked nothing.
#[must_use]
pub fn is_taken(order: &Force, answer: &str) -> bool {
    let Ok(answer) = serde_json::from_str::<Answer>(answer) else { return false };
    let held = answer.forced.iter().find(|forced| forced.key == order.key);
    held.map(|forced| forced.stance) == order.stance
}
