//! The response cache's policy: what is looked up, what is stored, for how long it is fresh, and when something stale may be served.
//!
//! A shared cache in front of a model is a way to give one caller another's answer, or an attacker's. What keeps that from happening:
//!
//! - the key holds the tenant, the route, what the route makes of answers, and everything that shapes the answer ([`crate::canonical`]);
//!   no header field shapes an answer, as those that reach a provider are not let into a cached request's key by mistake: a request that carries
//!   one is not cached at all;
//! - only complete answers are stored, with a regular finish reason for every choice: never an error, never what a cut stream left;
//! - an entry says for which key it was stored, and of which form it is, and is a miss otherwise;
//! - a client can shorten an entry's life, never lengthen it beyond the route's.
//!
//! An entry lives in storage for its freshness and `stale_for` beyond, as a stale answer is better than none when every target fails.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::time::{Timestamp, millis};

/// KV keeps nothing for less (its documentation, "Expiring keys").
const SHORTEST_STORAGE: Duration = Duration::from_secs(60);

/// The form of entries; another one is a miss.
const FORM: u8 = 1;

/// What a request asks of the cache: `cache-control` (RFC 9111, section 5.2.1) and `x-breakwater-cache-ttl`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Directives {
    no_store: bool,
    no_cache: bool,
    only_if_cached: bool,
    max_age: Option<Duration>,
    ttl: Option<Duration>,
}

impl Directives {
    /// Reads both header fields. Directives that are unknown are ignored, as the RFC says; of one that is there twice the stricter holds; a
    /// `max-age` that cannot be read counts as 0, "stale" being the safe reading.
    pub fn parse(cache_control: Option<&str>, ttl: Option<&str>) -> Result<Self, Error> {
        let mut directives = Self::default();
        for part in cache_control.unwrap_or_default().split(',') {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "no-store" => directives.no_store = true,
                "no-cache" => directives.no_cache = true,
                "only-if-cached" => directives.only_if_cached = true,
                "max-age" => {
                    let seconds = value.trim().trim_matches('"').parse().unwrap_or(0);
                    let age = Duration::from_secs(seconds);
                    directives.max_age = Some(directives.max_age.map_or(age, |other| other.min(age)));
                }
                _ => {}
            }
        }
        if let Some(ttl) = ttl {
            let seconds = ttl.trim().parse().map_err(|_| {
                let message = format!("x-breakwater-cache-ttl is '{ttl}'; it takes a whole number of seconds");
                Error::invalid_request(Some("x-breakwater-cache-ttl"), message)
            })?;
            directives.ttl = Some(Duration::from_secs(seconds));
        }
        Ok(directives)
    }
}

/// What is done about one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    directives: Directives,
    /// How long an answer is fresh; none where the route does not cache.
    ttl: Option<Duration>,
    stale_for: Duration,
}

impl Plan {
    /// By the route's time to live, and what the request asks for.
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

    /// No part in a request.
    #[must_use]
    pub fn bypass() -> Self {
        Self { directives: Directives::default(), ttl: None, stale_for: Duration::ZERO }
    }

    /// Whether the cache has no part in this request at all.
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

/// What KV holds beside the value (at most 1 KiB).
#[derive(Serialize, Deserialize)]
struct Metadata {
    form: u8,
    key: String,
    target: String,
    stored: Timestamp,
    /// Milliseconds.
    ttl: u64,
}

/// An entry's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// It may be served, at this age.
    Fresh(Duration),
    /// It may be served when every target fails, at this age.
    Stale(Duration),
    /// It may not be served.
    Unusable,
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

/// A completion in the form that is stored under `key`; none where it is not to be stored.
#[must_use]
pub fn encode(key: &str, completion: String, target: &str, now: Timestamp, plan: &Plan) -> Option<Stored> {
    let ttl = plan.ttl?;
    if !plan.stores() || !storable(&completion) {
        return None;
    }
    // Names are the configuration's own, and far shorter; what does not fit is not stored rather than cut.
    let metadata = Metadata { form: FORM, key: key.to_owned(), target: target.to_owned(), stored: now, ttl: millis(ttl) };
    let metadata = serde_json::to_string(&metadata).ok().filter(|metadata| metadata.len() <= 1024)?;
    Some(Stored { value: completion, metadata, expire: (ttl + plan.stale_for).max(SHORTEST_STORAGE) })
}

impl Entry {
    /// What storage gave for `key`, if that is what it holds.
    #[must_use]
    pub fn decode(key: &str, value: String, metadata: &str) -> Option<Self> {
        let metadata: Metadata = serde_json::from_str(metadata).ok()?;
        if metadata.form != FORM || metadata.key != key {
            return None;
        }
        Some(Self { value, target: metadata.target, stored: metadata.stored, ttl: Duration::from_millis(metadata.ttl) })
    }

    /// Whether it may be served now.
    #[must_use]
    pub fn freshness(&self, now: Timestamp, plan: &Plan) -> Freshness {
        // An entry is judged by the stricter of what held when it was stored and what holds now.
        let Some(ttl) = plan.ttl.map(|ttl| ttl.min(self.ttl)) else { return Freshness::Unusable };
        let age = now.since(self.stored);
        let fresh_for = plan.directives.max_age.map_or(ttl, |max_age| max_age.min(ttl));
        if age < fresh_for {
            Freshness::Fresh(age)
        } else if plan.directives.no_cache || plan.directives.max_age.is_some() || age >= self.ttl + plan.stale_for {
            // A client that says how old an answer may be has said that an older one is none.
            Freshness::Unusable
        } else {
            Freshness::Stale(age)
        }
    }
}

/// Whether an answer may stand for later ones: every choice ended by itself or by a tool call, and none was cut off or filtered, which
/// the next attempt may not be.
fn storable(completion: &str) -> bool {
    #[derive(Deserialize)]
    struct Completion<'a> {
        #[serde(borrow)]
        choices: Vec<Choice<'a>>,
        #[serde(default)]
        error: Option<serde::de::IgnoredAny>,
    }
    #[derive(Deserialize)]
    struct Choice<'a> {
        #[serde(borrow, default)]
        finish_reason: Option<std::borrow::Cow<'a, str>>,
    }
    let Ok(completion) = serde_json::from_str::<Completion<'_>>(completion) else { return false };
    let regular = |choice: &Choice<'_>| {
        matches!(choice.finish_reason.as_deref(), Some("stop" | "length" | "tool_calls" | "function_call"))
    };
    completion.error.is_none() && !completion.choices.is_empty() && completion.choices.iter().all(regular)
}
