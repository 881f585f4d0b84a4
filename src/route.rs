//! From the model names of a request to the candidates that may answer it, in order.
//!
//! A **target** is a provider's model; a **candidate** is a target with one of the provider's credentials. Routes, patterns, direct
//! targets and the request's own `models` chain all come to the same flat list, so that the engine knows one thing only. A target whose
//! provider has no secret is not in it; a target that several routes of a chain name is asked once, at its first place.

mod order;
mod settings;

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::affinity::Conversation;
use crate::auth::Caller;
use crate::breaker::TargetId;
use crate::budget::Spending;
use crate::config::{Config, Found, Order, Provider, Route, Target, Times};
use crate::dialect::{Dialect, responses};
use crate::error::Error;
use crate::fault::Fault;
use crate::gateway::Gateway;
use crate::hash::Hash;
use crate::latency::Kind;
use crate::secret::{Hidden, Secret};
use crate::time::Timestamp;
use crate::verdict::About;
use order::Standing;
use settings::settings;
pub(crate) use settings::{Settings, deadline};

/// A target with one credential.
#[derive(Debug)]
pub(crate) struct Candidate<'a> {
    /// `provider/model`.
    pub(crate) name: String,
    pub(crate) provider: &'a Provider,
    /// The provider's own name of the model.
    pub(crate) model: &'a str,
    /// Its provider's address.
    pub(crate) base: &'a str,
    /// What it is spoken to in: the client's own dialect, where its provider speaks that.
    pub(crate) dialect: Dialect,
    /// The provider's place in the configuration.
    pub(crate) provider_index: usize,
    /// The credential; none where the provider needs none.
    pub(crate) secret: Option<&'a Secret>,
    /// The credential's name, as circuits have it; empty where there is none.
    pub(crate) credential: &'a str,
    /// What must not be told of its provider.
    pub(crate) hidden: &'a Hidden,
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
    /// The fields that the route and the target decide, where the client's dialect is the provider's.
    pub(crate) set: Cow<'a, Map<String, Value>>,
    /// The same apart, where it is not: the route's in the client's request, the target's own in the provider's.
    pub(crate) apart: Option<Apart<'a>>,
    /// Whether the client named this target itself.
    pub(crate) direct: bool,
    /// What its calls meet, where that was asked for.
    pub(crate) fault: Option<Fault>,
}

impl Candidate<'_> {
    /// What a verdict needs to know of it.
    pub(crate) fn about(&self) -> About<'_> {
        About { target: &self.name, model: self.model, direct: self.direct }
    }
}

/// The fields that a route decides, and those that one of its targets does.
pub(crate) type Apart<'a> = (&'a Map<String, Value>, &'a Map<String, Value>);

/// Where a request may go, and by which settings.
#[derive(Debug)]
pub(crate) struct Resolved<'a> {
    /// Whom to ask, in order.
    pub(crate) candidates: Vec<Candidate<'a>>,
    /// The first name's settings, which hold for the request as a whole.
    pub(crate) settings: Settings,
    /// What pays for its calls beyond the first.
    pub(crate) spending: &'a Spending,
    /// The names of what was resolved, in order: routes, or targets that were named directly.
    pub(crate) scope: Vec<String>,
    /// What shapes an answer, in order, for the cache's key: targets and the fields that are set.
    pub(crate) shape: Vec<String>,
    /// The secrets that targets were left out for.
    pub(crate) missing: Vec<String>,
}

/// What the order of targets may depend on.
pub(crate) struct Asking<'r> {
    pub(crate) now: Timestamp,
    /// Decides where nothing else does.
    pub(crate) random: u64,
    /// What the client speaks.
    pub(crate) client: Dialect,
    /// Whether it offers tools.
    pub(crate) tools: bool,
    /// What the request waits for.
    pub(crate) kind: Kind,
    pub(crate) conversation: &'r Conversation<'r>,
}

/// Resolves the names of a request.
#[inline(never)]
pub(crate) fn resolve<'a>(
    gateway: &'a Gateway,
    config: &'a Config,
    caller: &Caller,
    names: impl Iterator<Item = &'a str>,
    asking: &Asking<'_>,
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
        let resolved = resolved.get_or_insert_with(|| Resolved::new(gateway, config, &found));
        match found {
            Found::Route(route) => {
                resolved.scope.push(route.name.clone());
                let conversation = route.affinity.then(|| asking.conversation.hash());
                let targets = route.targets.iter();
                let groups = targets.filter_map(|target| {
                    resolved.group(gateway, config, &Choice::routed(route, target), target.weight, asking, conversation)
                });
                let groups: Vec<Group<'a>> = groups.collect();
                resolved.candidates.extend(arrange(gateway, route, asking, conversation, groups));
            }
            Found::Direct { provider, model, times } => {
                resolved.scope.push(name.to_owned());
                // Only the keys of such a target are in an order.
                let conversation = (config.defaults.affinity == Some(true)).then(|| asking.conversation.hash());
                let choice = Choice::direct(config, provider, model, times);
                let group = resolved.group(gateway, config, &choice, 1, asking, conversation);
                resolved.candidates.extend(group.into_iter().flat_map(|group| group.candidates));
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
    apart: Option<Apart<'a>>,
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
            apart: Some((&route.set, &target.own_set)),
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
            apart: None,
            direct: true,
        }
    }
}

impl<'a> Resolved<'a> {
    fn new(gateway: &'a Gateway, config: &Config, first: &Found<'_>) -> Self {
        let route = match first {
            Found::Route(route) => config.routes.iter().position(|other| std::ptr::eq(other, *route)),
            Found::Direct { .. } | Found::Unknown => None,
        };
        let (settings, spending) = (settings(config, first), gateway.spending(route));
        Self { candidates: Vec::new(), settings, spending, scope: Vec::new(), shape: Vec::new(), missing: Vec::new() }
    }

    /// A target with each credential of its provider that is set; none where there is none, and where the target is in the list already.
    fn group(
        &mut self,
        gateway: &'a Gateway,
        config: &'a Config,
        choice: &Choice<'a>,
        weight: u32,
        asking: &Asking<'_>,
        conversation: Option<u64>,
    ) -> Option<Group<'a>> {
        let (provider, state) = (config.providers.get(choice.provider)?, gateway.providers().get(choice.provider)?);
        let name = format!("{}/{}", provider.name, choice.model);
        if self.candidates.iter().any(|candidate| candidate.name == name) {
            return None;
        }
        if state.credentials.is_empty() {
            self.missing.extend(state.missing.iter().filter(|name| !self.missing.contains(name)).cloned().collect::<Vec<_>>());
            return None;
        }
        // Targets are told in the order in which they are listed, whatever the order in which they are asked: an answer that is stored
        // must be found again.
        self.shape.push(name.clone());
        if !choice.set.is_empty() {
            self.shape.push(Value::Object(choice.set.clone().into_owned()).to_string());
        }
        let keys = || state.credentials.iter().map(|credential| (hash(&[&credential.circuit], 0), 1));
        let keys = conversation.map_or_else(|| (0..state.credentials.len()).collect(), |seed| order::spread(keys(), seed));
        let credentials = keys.into_iter().filter_map(|key| state.credentials.get(key));
        let candidates = credentials.map(|credential| Candidate {
            name: name.clone(),
            provider,
            provider_index: choice.provider,
            model: choice.model,
            base: &state.base,
            dialect: spoken(provider, choice, asking),
            secret: credential.secret.as_ref(),
            credential: &credential.circuit,
            hidden: &state.hidden,
            circuits: gateway.view().borrow_mut().target(choice.provider, choice.model, &credential.circuit),
            first_token: choice.times.first_token,
            fair_from: choice.fair_from,
            stall: choice.times.stall,
            max_duration: choice.times.max_duration,
            retries: choice.retries,
            deadline: choice.times.deadline,
            cache: choice.cache,
            set: choice.set.clone(),
            apart: choice.apart,
            direct: choice.direct,
            fault: None,
        });
        Some(Group { name: hash(&[&name], 0), weight, candidates: candidates.collect() })
    }
}

/// What a provider is spoken to in for a client of that dialect: the same where it can be, as nothing is translated better than by not translating
/// it, else the first of what it speaks. But OpenAI's models that reason are offered tools by Responses where their provider speaks that: "Function tools
/// with `reasoning_effort` are not supported for gpt-5.6 in /v1/chat/completions" (<https://github.com/BerriAI/litellm/pull/34569>), and some effort is
/// the default. Not where the target has fields of its own: they are in the words of what it was spoken to in.
fn spoken(provider: &Provider, choice: &Choice<'_>, asking: &Asking<'_>) -> Dialect {
    let dialects = || provider.protocols.iter().filter_map(|protocol| protocol.dialect());
    let speaks = |one: Dialect| dialects().any(|dialect| dialect == one);
    let first = dialects().next().unwrap_or(Dialect::Chat);
    // A client of Chat Completions is translated for a model that is not there.
    let elsewhere = first == Dialect::Chat && speaks(Dialect::Responses) && responses::alone_has(choice.model);
    if elsewhere || speaks(asking.client) {
        return if elsewhere { Dialect::Responses } else { asking.client };
    }
    let has_own = choice.apart.is_some_and(|(_, own)| !own.is_empty());
    let reasons = || asking.tools && responses::reasons(choice.model) == Some(true);
    if first == Dialect::Chat && !has_own && speaks(Dialect::Responses) && reasons() { Dialect::Responses } else { first }
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

/// A target of a route, with each of its credentials.
struct Group<'a> {
    /// The hash of its name.
    name: u64,
    weight: u32,
    candidates: Vec<Candidate<'a>>,
}

/// A route's targets in the order in which they are asked. `conversation` is none where none is to be kept together.
fn arrange<'a>(
    gateway: &Gateway,
    route: &Route,
    asking: &Asking<'_>,
    conversation: Option<u64>,
    groups: Vec<Group<'a>>,
) -> impl Iterator<Item = Candidate<'a>> + use<'a> {
    let seed = conversation.unwrap_or(asking.random);
    let places = match route.order {
        Order::Listed => (0..groups.len()).collect(),
        Order::Weighted => order::spread(groups.iter().map(|group| (group.name, group.weight)), seed),
        Order::Fastest => {
            let standings: Vec<Standing> = groups.iter().map(|group| standing(gateway, asking, group)).collect();
            let lot = order::spread(groups.iter().map(|group| (group.name, 1)), seed);
            let mut places = order::by_speed(&standings, &lot);
            if let Some(conversation) = conversation {
                pin(gateway, asking.now, hash(&[&route.name], conversation), &groups, &standings, &mut places);
            }
            places
        }
    };
    let mut groups: Vec<Option<Group<'a>>> = groups.into_iter().map(Some).collect();
    places.into_iter().filter_map(move |place| groups.get_mut(place)?.take()).flat_map(|group| group.candidates)
}

/// Puts the target first that the conversation is with, and notes whom it is with from now on.
fn pin(
    gateway: &Gateway,
    now: Timestamp,
    conversation: u64,
    groups: &[Group<'_>],
    standings: &[Standing],
    places: &mut [usize],
) {
    let mut pins = gateway.pins().borrow_mut();
    let pinned = pins.get(conversation, now).and_then(|target| groups.iter().position(|group| group.name == target));
    if let Some(place) = pinned.filter(|place| order::stays(standings, *place)) {
        order::lead(places, place);
    }
    if let Some(first) = places.first().and_then(|place| groups.get(*place)) {
        pins.set(conversation, first.name, now);
    }
}

/// What is known of a target here and now.
fn standing(gateway: &Gateway, asking: &Asking<'_>, group: &Group<'_>) -> Standing {
    let view = gateway.view().borrow();
    let circuits = || group.candidates.iter().map(|candidate| candidate.circuits);
    let known = circuits().next().and_then(|target| view.quantiles(target, asking.kind, asking.now));
    Standing {
        admitted: circuits().any(|target| view.would_admit(target, asking.now)),
        // Of ten calls of which two have no answer, ten pay for eight.
        takes: known.map(|known| known.p50.div_f32(1.0 - known.unanswered.clamp(0.0, 0.9))),
        under_way: circuits().map(|target| gateway.load().of(target, asking.now)).sum(),
    }
}

fn hash(parts: &[&str], seed: u64) -> u64 {
    parts.iter().fold(Hash::new(seed), |hash, part| hash.with(part.as_bytes())).finish()
}
