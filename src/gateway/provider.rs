//! Providers as their secrets allow them to be used.

use super::Bindings;
use crate::config::{self, Config};
use crate::secret::{Hidden, Secret};

/// A provider as its secrets allow it to be used.
#[derive(Debug, Default)]
pub(crate) struct ProviderState {
    /// Its address; empty where a placeholder of it is not set.
    pub(crate) base: String,
    /// The credentials that are set; one nameless one where the provider needs none.
    pub(crate) credentials: Vec<Credential>,
    /// The secrets that are not set; the provider is left out if nothing else is.
    pub(crate) missing: Vec<String>,
    /// What must not be told of it.
    pub(crate) hidden: Hidden,
}

/// One of a provider's keys.
#[derive(Debug)]
pub(crate) struct Credential {
    /// Its circuit's name: the secret's name with a digest, so that a changed secret starts afresh.
    pub(crate) circuit: String,
    pub(crate) secret: Option<Secret>,
}

/// All providers, in the order of the configuration. The log is told once of each that is left out.
pub(super) fn states(config: &Config, bindings: &Bindings<'_>, log: &dyn Fn(&str)) -> Vec<ProviderState> {
    let mut states = Vec::new();
    for provider in &config.providers {
        let mut state = ProviderState::default();
        let base = config::fill(&provider.base_url, bindings.text);
        match &base {
            Ok(base) => state.base.clone_from(base),
            Err(missing) => state.missing.extend(missing.iter().cloned()),
        }
        if provider.keys.is_empty() {
            state.credentials.push(Credential { circuit: String::new(), secret: None });
        }
        for name in &provider.keys {
            match (bindings.text)(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()) {
                Some(text) => {
                    let secret = Secret::new(text);
                    state
                        .credentials
                        .push(Credential { circuit: format!("{name}#{}", secret.digest8()), secret: Some(secret) });
                }
                None => state.missing.push(name.clone()),
            }
        }
        let keys = state.credentials.iter().filter_map(|credential| credential.secret.as_ref());
        state.hidden = Hidden::new(keys, base.as_deref().unwrap_or_default(), config::is_public(&provider.base_url));
        if base.is_err() {
            state.credentials.clear();
        }
        if state.credentials.is_empty() {
            log(&format!("provider '{}' is left out: {} not set", provider.name, are(&state.missing)));
        }
        states.push(state);
    }
    states
}

fn are(names: &[String]) -> String {
    format!("{} {}", names.join(", "), if names.len() == 1 { "is" } else { "are" })
}
