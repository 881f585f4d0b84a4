//! From the model names of a request to the candidates that may answer it, in order.
//!
//! A **target** is a provider's model; a **candidate** is a target with one of the provider's credentials. Routes, patterns, direct
//! targets and the request's own `models` chain all come to the same flat list, so that the engine knows one thing only. A target whose
//! provider has no secret is not in it; a target that several routes of a chain name is asked once, at its first place.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::auth::Caller;
use crate::breaker::TargetId;
use crate::config::{Config, Found, Order, Provider, Route, Target, Times};
use crate::error::Error;
use crate::gateway::Gateway;
use crate::secret::Secret;
use crate::verdict::About;

/// A target with one credential.
#[derive(Debug)]
pub(crate) struct Candidate<'a> {
    /// `provider/model`.
    pub(crate) name: String,
    pub(crate) provider: &'a Provider,
    /// The provider's own name of the model.
    pub(crate) model: &'a str,
    /// Where a call goes.
    pub(crate) url: &'a str,
    /// The provider's place in the configuration.
    pub(crate) provider_index: usize,
    /// The credential; none where the provider needs none.
    pub(crate) secret: Option<&'a Secret>,
    /// The circuits that must admit a call.
    pub(crate) circuits: TargetId,
    /// The limit for a stream's first content; none where the slice is the limit.
    pub(crate) first_token: Option<Duration>,
    /// From which allowance on a timeout counts against the model.
    pub(crate) fair_from: Duration,
    pub(crate) stall: Duration,
    pub(crate) max_duration: Duration,
    pub(crate) retries: u32,
    /// The most that one attempt may take.
    pub(crate) deadline: Duration,
    /// How long its answers are kept.
    pub(crate) cache: Option<Duration>,
    /// The fields that the route and the target decide.
    pub(crate) set: Cow<'a, Map<String, Value>>,
    /// Whether the client named this target itself.
    pub(crate) direct: bool,
}

impl Candidate<'_> {
    /// What a verdict needs to know of it.
    pub(crate) fn about(&self) -> About<'_> {
        About { target: &self.name, model: self.model, direct: self.direct }
    }
}

/// Where a request may go, and by which settings.
#[derive(Debug)]
pub(crate) struct Resolved<'a> {
    /// Whom to ask, in order.
    pub(crate) candidates: Vec<Candidate<'a>>,
    /// The first name's settings, which hold for the request as a whole.
    pub(crate) settings: Settings,
    /// The names of what was resolved, in order: routes, or targets that were named directly.
    pub(crate) scope: Vec<String>,
    /// What shapes an answer, in order, for the cache's key: targets and the fields that are set.
    pub(crate) shape: Vec<String>,
    /// The secrets that targets were left out for.
    pub(crate) missing: Vec<String>,
}

/// What holds for a request as a whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) deadline: Duration,
    pub(crate) cache: Option<Duration>,
    pub(crate) stale_for: Duration,
}

/// Resolves the names of a request. `random` decides the order of weighted routes.
#[inline(never)]
pub(crate) fn resolve<'a>(
    gateway: &'a Gateway,
    config: &'a Config,
    caller: &Caller,
    names: impl Iterator<Item = &'a str>,
    random: u64,
) -> Result<Resolved<'a>, Error> {
    let mut resolved: Option<Resolved<'a>> = None;
    let mut denied = None;
    for name in names {
        let found = config.find(name);
        if let Err(error) = allowed(config, caller, name, &found) {
            // A chain goes on without what this key may not use, unless nothing of it is left.
            denied.get_or_insert(error);
            continue;
        }
        let resolved = resolved.get_or_insert_with(|| Resolved::new(settings(config, &found)));
        match found {
            Found::Route(route) => {
                resolved.scope.push(route.name.clone());
                for target in ordered(route, random) {
                    resolved.add(gateway, config, &Choice::routed(route, target));
                }
            }
            Found::Direct { provider, model, times } => {
                resolved.scope.push(name.to_owned());
                resolved.add(gateway, config, &Choice::direct(config, provider, model, times));
            }
            Found::Unknown => {}
        }
    }
    let Some(resolved) = resolved else { return Err(denied.unwrap_or_else(|| unknown(config, caller, ""))) };
    if resolved.candidates.is_empty() {
        return Err(Error::no_target(&resolved.missing));
    }
    Ok(resolved)
}

/// A target, and by which settings it is asked.
struct Choice<'a> {
    provider: usize,
    model: &'a str,
    times: Times,
    fair_from: Duration,
    retries: u32,
    cache: Option<Duration>,
    set: Cow<'a, Map<String, Value>>,
    direct: bool,
}

impl<'a> Choice<'a> {
    fn routed(route: &'a Route, target: &'a Target) -> Self {
        Self {
            provider: target.provider,
            model: &target.model,
            times: target.times,
            fair_from: route.times.first_token.unwrap_or(target.times.deadline),
            retries: target.retries,
            cache: target.cache,
            set: Cow::Borrowed(&target.set),
            direct: false,
        }
    }

    fn direct(config: &'a Config, provider: usize, model: &'a str, times: Times) -> Self {
        Self {
            provider,
            model,
            fair_from: times.first_token.unwrap_or(times.deadline),
            times,
            retries: config.defaults.retries,
            cache: config.defaults.cache,
            set: Cow::Owned(Map::new()),
            direct: true,
        }
    }
}

impl<'a> Resolved<'a> {
    fn new(settings: Settings) -> Self {
        Self { candidates: Vec::new(), settings, scope: Vec::new(), shape: Vec::new(), missing: Vec::new() }
    }

    /// Adds a target with each credential of its provider that is set.
    fn add(&mut self, gateway: &'a Gateway, config: &'a Config, choice: &Choice<'a>) {
        let (Some(provider), Some(state)) = (config.providers.get(choice.provider), gateway.providers().get(choice.provider))
        else {
            return;
        };
        let name = format!("{}/{}", provider.name, choice.model);
        if self.candidates.iter().any(|candidate| candidate.name == name) {
            return;
        }
        if state.credentials.is_empty() {
            self.missing.extend(state.missing.iter().filter(|name| !self.missing.contains(name)).cloned().collect::<Vec<_>>());
            return;
        }
        self.shape.push(name.clone());
        if !choice.set.is_empty() {
            self.shape.push(Value::Object(choice.set.clone().into_owned()).to_string());
        }
        for credential in &state.credentials {
            self.candidates.push(Candidate {
                name: name.clone(),
                provider,
                provider_index: choice.provider,
                model: choice.model,
                url: &state.url,
                secret: credential.secret.as_ref(),
                circuits: gateway.view().borrow_mut().target(choice.provider, choice.model, &credential.circuit),
                first_token: choice.times.first_token,
                fair_from: choice.fair_from,
                stall: choice.times.stall,
                max_duration: choice.times.max_duration,
                retries: choice.retries,
                deadline: choice.times.deadline,
                cache: choice.cache,
                set: choice.set.clone(),
                direct: choice.direct,
            });
        }
    }
}

/// Whether this key may use what was found.
fn allowed(config: &Config, caller: &Caller, name: &str, found: &Found<'_>) -> Result<(), Error> {
    match found {
        Found::Route(route) if caller.may_use_route(&route.name) => Ok(()),
        Found::Direct { .. } if caller.may_name_targets() => Ok(()),
        Found::Direct { .. } => Err(Error::not_allowed(format!(
            "the key '{}' may not name targets directly, as '{name}' does; it may use {}",
            caller.name,
            listing(config, caller)
        ))),
        Found::Route(route) => Err(Error::not_allowed(format!(
            "the key '{}' may not use the route '{}'; it may use {}",
            caller.name,
            route.name,
            listing(config, caller)
        ))),
        Found::Unknown => Err(unknown(config, caller, name)),
    }
}

pub(crate) fn unknown(config: &Config, caller: &Caller, name: &str) -> Error {
    Error::model_not_found(format!(
        "the model '{name}' is neither a route nor a target here; this key may use {}",
        listing(config, caller)
    ))
}

/// What a key may use, in words.
fn listing(config: &Config, caller: &Caller) -> String {
    let routes: Vec<&str> = names(config, caller).collect();
    let routes = if routes.is_empty() { "no route".to_owned() } else { routes.join(", ") };
    if caller.may_name_targets() { format!("{routes}, and any target as provider/model") } else { routes }
}

/// The routes that a key may use.
pub(crate) fn names<'a>(config: &'a Config, caller: &'a Caller) -> impl Iterator<Item = &'a str> {
    config.routes.iter().map(|route| route.name.as_str()).filter(|name| caller.may_use_route(name))
}

fn settings(config: &Config, found: &Found<'_>) -> Settings {
    match found {
        Found::Route(route) => Settings { deadline: route.times.deadline, cache: route.cache, stale_for: route.stale_for },
        Found::Direct { .. } | Found::Unknown => Settings {
            deadline: config.defaults.times.deadline,
            cache: config.defaults.cache,
            stale_for: config.defaults.stale_for,
        },
    }
}

/// A route's targets in the order in which they are asked.
fn ordered(route: &Route, random: u64) -> Vec<&Target> {
    let mut targets: Vec<&Target> = route.targets.iter().collect();
    if route.order != Order::Weighted {
        return targets;
    }
    // Each place is drawn among those that are left, in proportion to their weights, so that the whole order is weighted and not
    // the first choice alone: when a heavy target is down, its share goes to the others by their weights.
    let mut ordered = Vec::with_capacity(targets.len());
    let mut seed = random;
    while !targets.is_empty() {
        let total: u64 = targets.iter().map(|target| u64::from(target.weight)).sum();
        seed = splitmix(seed);
        let mut ticket = seed % total.max(1);
        let drawn = targets.iter().position(|target| {
            let hit = ticket < u64::from(target.weight);
            ticket = ticket.saturating_sub(u64::from(target.weight));
            hit
        });
        ordered.push(targets.remove(drawn.unwrap_or(0)));
    }
    ordered
}

/// One step of `SplitMix64` (Steele, Lea and Flood, 2014): several draws from one random number.
fn splitmix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
