//! The circuit breaker: one circuit's transitions, the object and the isolate's view of it, each also against a reference that keeps a
//! list of everything that ever happened.

#![allow(clippy::type_complexity, clippy::too_many_lines, clippy::cast_precision_loss, reason = "tables; small numbers")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends when it is wrong"
)]

mod circuit;
mod force;
mod history;
mod isolate;
mod load;
mod naive_circuit;
mod naive_object;
mod object;
mod probing;
mod view;
mod view_exchange;
mod view_probe;

use std::time::Duration;

use breakwater::breaker::Settings;
use breakwater::time::Timestamp;

/// A point that many milliseconds into a test, which begins at the beginning of a step of every window used here.
fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + millis)
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Three failures in a row; or half of at least six within ten seconds. Open for a second, and up to eight.
fn settings() -> Settings {
    Settings { failures: 3, error_rate: 0.5, min_requests: 6, window: secs(10), cooldown: secs(1), max_cooldown: secs(8) }
}
