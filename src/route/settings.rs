//! What a route, or the defaults, decide for a request as a whole.

use std::time::Duration;

use crate::config::{Config, Found, Hedge, Hold, OnCut, SchemaStream, Unsupported};

/// What holds for a request as a whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) deadline: Duration,
    pub(crate) cache: Option<Duration>,
    pub(crate) stale_for: Duration,
    pub(crate) hedge_after: Option<Hedge>,
    pub(crate) hold: Option<Hold>,
    pub(crate) on_cut: OnCut,
    pub(crate) early_headers: bool,
    pub(crate) unsupported: Unsupported,
    pub(crate) schema_retries: u32,
    pub(crate) schema_stream: SchemaStream,
    pub(crate) validate_tools: bool,
}

/// The time that a request for this name has.
pub(crate) fn deadline(config: &Config, name: &str) -> Duration {
    settings(config, &config.find(name)).deadline
}

pub(super) fn settings(config: &Config, found: &Found<'_>) -> Settings {
    let defaults = &config.defaults;
    match found {
        Found::Route(route) => Settings {
            deadline: route.times.deadline,
            cache: route.cache,
            stale_for: route.stale_for,
            hedge_after: route.hedge_after,
            hold: route.hold,
            on_cut: route.on_cut,
            early_headers: route.early_headers,
            unsupported: route.unsupported,
            schema_retries: route.schema_retries,
            schema_stream: route.schema_stream,
            validate_tools: route.validate_tools,
        },
        Found::Direct { .. } | Found::Unknown => Settings {
            deadline: defaults.times.deadline,
            cache: defaults.cache,
            stale_for: defaults.stale_for,
            hedge_after: defaults.hedge_after,
            hold: defaults.hold,
            on_cut: defaults.on_cut,
            early_headers: defaults.early_headers,
            unsupported: defaults.unsupported,
            schema_retries: defaults.schema_retries,
            schema_stream: defaults.schema_stream,
            validate_tools: defaults.validate_tools,
        },
    }
}
