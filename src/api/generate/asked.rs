//! What a request's header fields ask for.

use std::time::Duration;

use crate::auth::Caller;
use crate::cache::{Directives, Plan};
use crate::config::Config;
use crate::dialect::Dialect;
use crate::error::Error;
use crate::fault::{self, Faults};
use crate::http::Request;
use crate::provider::{address, simulated};
use crate::route::Resolved;

/// The client's own limit, in milliseconds.
pub(super) const DEADLINE: &str = "x-breakwater-deadline-ms";

/// What the header fields ask for.
pub(super) struct Asked {
    directives: Directives,
    pub(super) deadline: Option<Duration>,
    pub(super) first_token: Option<Duration>,
    pub(super) simulate: Option<String>,
    pub(super) faults: Faults,
    /// What goes upstream as it is.
    pub(super) upstream: Vec<(String, String)>,
}

impl Asked {
    pub(super) fn read(request: &Request, dialect: Dialect, config: &Config, caller: &Caller) -> Result<Self, Error> {
        let headers = &request.headers;
        let mut asked = Self {
            directives: Directives::parse(headers.get("cache-control"), headers.get("x-breakwater-cache-ttl"))?,
            deadline: None,
            first_token: None,
            simulate: None,
            faults: Faults::default(),
            upstream: Vec::new(),
        };
        for (name, value) in headers.iter() {
            match name {
                DEADLINE => asked.deadline = Some(positive_millis(name, value)?),
                "x-breakwater-first-token-ms" => asked.first_token = Some(positive_millis(name, value)?),
                "x-breakwater-simulate" => {
                    simulated::overrides::check(value)
                        .map_err(|error| Error::invalid_request(Some(name), error.to_string()))?;
                    asked.simulate = Some(value.to_owned());
                }
                fault::HEADER => asked.faults.read(value, config, caller)?,
                _ if address::goes_up(name, dialect) => asked.upstream.push((name.to_owned(), value.to_owned())),
                _ => {}
            }
        }
        Ok(asked)
    }

    /// What the cache does about this request: nothing where a header field shapes the answer, as it is not in the key.
    pub(super) fn plan(&self, resolved: &Resolved<'_>) -> Plan {
        if self.simulate.is_some() || !self.faults.is_empty() || self.upstream.iter().any(|(name, _)| shapes_answers(name)) {
            return Plan::bypass();
        }
        Plan::new(resolved.settings.cache, resolved.settings.stale_for, self.directives)
    }
}

/// Whether a header field that goes upstream can shape an answer. The version of Anthropic's API, which its SDKs always name, and their word that they
/// run in a browser cannot, nor can a key by which a request is told from another.
fn shapes_answers(name: &str) -> bool {
    !matches!(name, "idempotency-key" | "anthropic-version" | "anthropic-dangerous-direct-browser-access")
}

pub(super) fn positive_millis(name: &str, value: &str) -> Result<Duration, Error> {
    match value.trim().parse::<u64>() {
        Ok(ms) if ms > 0 => Ok(Duration::from_millis(ms)),
        _ => Err(Error::invalid_request(
            Some(name),
            format!("{name} is '{value}'; it takes a whole number of milliseconds above 0"),
        )),
    }
}
