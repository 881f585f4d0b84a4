//! `GET /status`: what this isolate knows of its providers, for people.
//!
//! It is one isolate's view: circuits and latencies as the provider's object told them last, and counts since this isolate started. It holds names of
//! secrets, never their values, and no addresses.

use serde_json::{Value, json};

use crate::config::Config;
use crate::gateway::Gateway;
use crate::time::Timestamp;

/// The report as JSON.
#[inline(never)]
pub(crate) fn report(gateway: &Gateway, config: &Config, now: Timestamp) -> String {
    let view = gateway.view().borrow();
    let providers: Vec<Value> = config
        .providers
        .iter()
        .zip(gateway.providers())
        .enumerate()
        .map(|(index, (provider, state))| {
            json!({
                "provider": provider.name,
                "usable": !state.credentials.is_empty(),
                "missing": state.missing,
                "breaker": view.status(index, now),
                "latency": view.latency(index, now),
            })
        })
        .collect();
    let routes: Vec<Value> = config
        .routes
        .iter()
        .enumerate()
        .map(|(place, route)| {
            let targets: Vec<String> = route
                .targets
                .iter()
                .filter_map(|target| {
                    config.providers.get(target.provider).map(|provider| format!("{}/{}", provider.name, target.model))
                })
                .collect();
            json!({ "route": route.name, "targets": targets, "budget": gateway.spending(Some(place)).status(now) })
        })
        .collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "now": now,
        "served": gateway.served(),
        "providers": providers,
        "routes": routes,
        "schemas": gateway.demand_record().borrow().status(now),
        "direct": { "budget": gateway.spending(None).status(now) },
        "notes": config.notes(),
    })
    .to_string()
}
