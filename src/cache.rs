//! The response cache's policy: what is looked up, what is stored, for how long it is fresh, and when something stale may be
//! served.
//!
//! A shared cache in front of a model is a way to give one caller another's answer, or an attacker's, or a bad one again and
//! again. The invariant: an answer is served only to a request that asks the same thing of the same route for the same tenant,
//! and only if it was whole. What an attacker or an accident could try, and what stands against it:
//!
//! - *Another tenant's answer.* The tenant is hashed into the key, each part with its length, so that no choice of names moves
//!   a boundary.
//! - *An answer that something outside the body shaped.* The key holds the route, what the route makes of answers, and the body
//!   ([`crate::canonical`]). Header fields are not in it, so a request with one that reaches the provider and can shape its
//!   answer takes no part in the cache at all.
//! - *One body with two meanings.* It has no key.
//! - *A part of an answer, an error inside a 200, a refusal by a filter.* [`storable`] asks each choice for a finish reason
//!   that says it is whole; a cut stream never comes here.
//! - *An answer that breaks its schema.* What is stored is what the client was given, after all checks of it, and never before.
//! - *An entry that is not this key's,* after an error in storage, a copied namespace or a change of the form: its metadata
//!   repeats the key and the form, and anything else is a miss. The value is not digested: whoever can write it can write the
//!   digest too.
//! - *An entry that lives for ever.* A client can shorten an entry's life, never lengthen it beyond the route's; one whose time
//!   of storing lies ahead is a miss; an edit of the route's time to live shortens that of what is stored already.
//!
//! What a caller can do is spoil entries of its own tenant: by a shorter life, and by asking first when a model's answer is
//! bad. Callers who do not trust each other that far are different tenants.
//!
//! An entry lives in storage for its freshness and `stale_for` beyond, as a stale answer is better than none when every target
//! fails.

mod answer;
mod directive;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use answer::storable;
pub use directive::Directives;

use crate::dialect::Dialect;
use crate::time::{Timestamp, millis};

/// KV keeps nothing for less (its documentation, "Expiring keys").
const SHORTEST_STORAGE: Duration = Duration::from_mins(1);

/// The most that KV takes as metadata, in bytes of JSON (its documentation, "Limits").
const MAX_METADATA: usize = 1024;

/// How far another machine's clock may be ahead of ours. An entry from further ahead would be fresh until its time has come, and
/// then for its whole life.
const MAX_SKEW: Duration = Duration::from_mins(1);

/// The form of entries; another one is a miss.
const FORM: u8 = 1;

/// What is done about one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    directives: Directives,
    /// How long an answer is fresh; none where nothing is cached.
    ttl: Option<Duration>,
    stale_for: Duration,
}

impl Plan {
    /// By the route's time to live (none where it does not cache), how long beyond that an answer may be stale, and what the
    /// request asks for.
    #[must_use]
    pub fn new(route: Option<Duration>, stale_for: Duration, directives: Directives) -> Self {
        let ttl = route.map(|route| directives.ttl.map_or(route, |asked| asked.min(route)));
        Self { directives, ttl: ttl.filter(|ttl| !ttl.is_zero()), stale_for }
    }

    /// The same for an answer of a target whose answers are kept for `ttl`.
    #[must_use]
    pub fn of_target(self, ttl: Option<Duration>) -> Self {
        Self { ttl: self.ttl.and(ttl).map(|ttl| self.directives.ttl.map_or(ttl, |asked| asked.min(ttl))), ..self }
    }

    /// No part in a request, whatever it asks for. Where it may ask for `only-if-cached`, [`Plan::new`] without a time to live
    /// is meant.
    #[must_use]
    pub fn bypass() -> Self {
        Self::new(None, Duration::ZERO, Directives::default())
    }

    /// Whether the cache has no part in this request at all: neither looks nor stores.
    #[must_use]
    pub fn is_bypass(&self) -> bool {
        self.ttl.is_none() || self.directives.no_store
    }

    /// Whether an entry is looked for. `no-cache` asks for a fresh answer, which then replaces the entry.
    #[must_use]
    pub fn looks_up(&self) -> bool {
        !self.is_bypass() && !self.directives.no_cache
    }

    /// Whether a complete answer is stored.
    #[must_use]
    pub fn stores(&self) -> bool {
        !self.is_bypass()
    }

    /// Whether nothing may go upstream.
    #[must_use]
    pub fn only_if_cached(&self) -> bool {
        self.directives.only_if_cached
    }

    /// What `x-breakwater-cache` says of an answer that came from upstream: `miss` or `bypass`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        if self.is_bypass() { "bypass" } else { "miss" }
    }
}

/// A stored answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The completion as JSON.
    pub value: String,
    /// Who answered: `provider/model`.
    pub target: String,
    stored: Timestamp,
    ttl: Duration,
}

/// What KV holds beside the value.
#[derive(Serialize, Deserialize)]
struct Metadata {
    form: u8,
    key: String,
    target: String,
    stored: Timestamp,
    /// Milliseconds.
    ttl: u64,
}

/// An entry's state, with its age: what the `age` header says, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// It may be served.
    Fresh(Duration),
    /// It may be served when every target fails.
    Stale(Duration),
    /// It may not be served.
    Unusable,
}

impl Freshness {
    /// What `x-breakwater-cache` says of an answer from the cache: `hit` or `stale`.
    #[must_use]
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::Fresh(_) => Some("hit"),
            Self::Stale(_) => Some("stale"),
            Self::Unusable => None,
        }
    }
}

/// A value as storage takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The value.
    pub value: String,
    /// What stands beside it, as JSON.
    pub metadata: String,
    /// When storage may forget it.
    pub expire: Duration,
}

/// An answer, whole in a dialect, in the form that is stored under `key`; none where it is not to be stored.
#[must_use]
pub fn encode(key: &str, dialect: Dialect, completion: String, target: &str, now: Timestamp, plan: &Plan) -> Option<Stored> {
    let ttl = plan.ttl?;
    if !plan.stores() || !storable(dialect, &completion) {
        return None;
    }
    let metadata = Metadata { form: FORM, key: key.to_owned(), target: target.to_owned(), stored: now, ttl: millis(ttl) };
    // Where a client's own name for a model is too long for it, the answer is not stored, rather than under a name that was
    // cut.
    let metadata = serde_json::to_string(&metadata).ok().filter(|metadata| metadata.len() <= MAX_METADATA)?;
    let expire = ttl.saturating_add(plan.stale_for).max(SHORTEST_STORAGE);
    Some(Stored { value: completion, metadata, expire })
}

impl Entry {
    /// What storage gave for `key`, if that is what it holds.
    #[must_use]
    pub fn decode(key: &str, value: String, metadata: &str) -> Option<Self> {
        let metadata: Metadata = serde_json::from_str(metadata).ok()?;
        if metadata.form != FORM || metadata.key != key {
            return None;
        }
        let ttl = Duration::from_millis(metadata.ttl);
        Some(Self { value, target: metadata.target, stored: metadata.stored, ttl })
    }

    /// Whether it may be served now: judged by the stricter of what held when it was stored and what holds now.
    ///
    /// `max-age` allows the age that it names (RFC 9111, section 5.2.1.1), counted exactly; 0 asks for an answer that is made
    /// now, which no stored one is. Who says how old an answer may be is never given a stale one.
    #[must_use]
    pub fn freshness(&self, now: Timestamp, plan: &Plan) -> Freshness {
        let asked = plan.directives;
        let Some(ttl) = plan.ttl.filter(|_| plan.looks_up()).map(|ttl| ttl.min(self.ttl)) else { return Freshness::Unusable };
        if self.stored > now + MAX_SKEW {
            return Freshness::Unusable;
        }
        let age = now.since(self.stored);
        let young_enough = asked.max_age.is_none_or(|max_age| age <= max_age && !max_age.is_zero());
        if age < ttl && young_enough {
            Freshness::Fresh(age)
        } else if asked.max_age.is_none() && age < ttl.saturating_add(plan.stale_for) {
            Freshness::Stale(age)
        } else {
            Freshness::Unusable
        }
    }
}
