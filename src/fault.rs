//! Faults on demand: `x-breakwater-fault: openai/o3=stall@3, anthropic=429`.
//!
//! **Why.** A failover that was never seen is a hope. A real provider cannot be asked to fail, and a mock in its place proves something about
//! the mock. So a caller with an operator's key may say, for one request, what a call of a target shall meet, and everything else is as in
//! production: routes, deadlines, keys, and the other targets.
//!
//! **The invariant.** An injected fault leaves no trace but the one in its own response. The call is made up at the seam to the transport, so that
//! nothing is sent; its target is one for which nothing is recorded ([`TargetId::made_up`](crate::breaker::TargetId::made_up)), neither
//! by breakers nor by latencies, whoever in the engine would do so; and the cache takes no part in the request. In the other direction too:
//! a made-up call is admitted whatever its circuits are, so that what was asked for is what happens, on a bad day as on a good one.
//!
//! **The header.** Entries with commas between them, each `target=fault`. The target is `provider/model`, or a `provider` alone for all of its
//! models, or `*` for all; of several that fit, the most particular holds. It is met by every call of that target, retries and other keys included.
//! [`Fault`] has the words.

mod script;
mod word;

pub(crate) use word::Fault;

use crate::auth::Caller;
use crate::config::Config;
use crate::dialect::Dialect;
use crate::error::Error;
use crate::route::Candidate;

/// The header field.
pub(crate) const HEADER: &str = "x-breakwater-fault";

/// The most entries: a request has six attempts.
const MOST: usize = 32;

/// What calls of one request meet.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Faults(Vec<Entry>);

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    /// None stands for every one.
    provider: Option<String>,
    /// None stands for every one of the provider's.
    model: Option<String>,
    fault: Fault,
}

impl Faults {
    /// Adds what the field asks for, if its sender may.
    pub(crate) fn read(&mut self, value: &str, config: &Config, caller: &Caller) -> Result<(), Error> {
        if config.admin.is_none() {
            let message = format!("{HEADER} takes an operator's key, and there are none here, as [admin] is not configured");
            return Err(Error::not_an_admin(Some(HEADER), message));
        }
        if !caller.is_admin() {
            let message = format!("{HEADER} takes an operator's key, which that of '{}' is not", caller.name);
            return Err(Error::not_an_admin(Some(HEADER), message));
        }
        let known = |name: &str| config.providers.iter().any(|provider| provider.name == name);
        self.parse(value, &known).map_err(|message| Error::invalid_request(Some(HEADER), message))
    }

    /// Adds entries; the error names the one that is wrong, what was found and what is allowed. `known` are the providers that there are: one
    /// that is not would prove nothing.
    fn parse(&mut self, value: &str, known: &dyn Fn(&str) -> bool) -> Result<(), String> {
        for text in value.split(',').map(str::trim) {
            let entry = Entry::parse(text, known).map_err(|problem| format!("{HEADER}: {text:?}: {problem}"))?;
            if self.0.iter().any(|other| (&other.provider, &other.model) == (&entry.provider, &entry.model)) {
                return Err(format!("{HEADER}: {text:?}: this target is there twice"));
            }
            if self.0.len() >= MOST {
                return Err(format!("{HEADER}: {text:?}: allowed are {MOST} entries"));
            }
            self.0.push(entry);
        }
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What calls of a target meet.
    fn of(&self, provider: &str, model: &str) -> Option<&Fault> {
        let fits = |own: &Option<String>, name: &str| own.as_deref().is_none_or(|own| own == name);
        let fitting = self.0.iter().filter(|entry| fits(&entry.provider, provider) && fits(&entry.model, model));
        fitting.max_by_key(|entry| (entry.provider.is_some(), entry.model.is_some())).map(|entry| &entry.fault)
    }

    /// Lets candidates meet their faults.
    pub(crate) fn inject(&self, candidates: &mut [Candidate<'_>]) {
        for candidate in candidates {
            let Some(fault) = self.of(&candidate.provider.name, candidate.model) else { continue };
            candidate.circuits = match fault {
                Fault::Slow(_) => candidate.circuits.tampered(),
                _ => candidate.circuits.made_up(),
            };
            if !matches!(fault, Fault::Slow(_)) {
                // What is made up is an answer of Chat Completions', whatever its provider speaks.
                candidate.dialect = Dialect::Chat;
            }
            candidate.fault = Some(fault.clone());
        }
    }
}

impl Entry {
    fn parse(text: &str, known: &dyn Fn(&str) -> bool) -> Result<Self, String> {
        let (target, fault) =
            text.split_once('=').ok_or("allowed is target=fault, such as openai/o3=stall@3, anthropic=429 or *=hang")?;
        let (target, fault) = (target.trim(), fault.trim());
        let (provider, model) = match target.split_once('/') {
            _ if target == "*" => (None, None),
            Some((_, "")) => return Err(format!("found the target {target:?}, which names no model after its slash")),
            Some((provider, model)) => (Some(provider), Some(model)),
            None => (Some(target), None),
        };
        if let Some(provider) = provider.filter(|provider| !known(provider)) {
            return Err(format!(
                "found the provider {provider:?}, which there is not; allowed is provider/model, provider or *"
            ));
        }
        Ok(Self { provider: provider.map(str::to_owned), model: model.map(str::to_owned), fault: Fault::parse(fault)? })
    }
}

#[cfg(test)]
mod tests;
