//! Whole requests under virtual time, with scripted upstreams: what the client gets, when, and what every upstream saw.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends when it is wrong"
)]
#![allow(clippy::too_many_lines, clippy::type_complexity, reason = "tables")]
#![allow(missing_docs, unreachable_pub, reason = "a test's tools")]

#[path = "../world/upstreams.rs"]
mod upstreams;
#[path = "../world/mod.rs"]
mod world;

mod pair;
mod three;

mod bound;
mod budget;
mod caching;
mod circuits;
mod corrections;
mod dialects;
mod drain;
mod early;
mod ends;
mod exempt;
mod faults;
mod flat;
mod following;
mod hedging;
mod holding;
mod in_place;
mod lacking;
mod late;
mod latency;
mod means;
mod nullable;
mod offered;
mod order;
mod refusals;
mod requests;
mod restarting;
mod schemas;

mod signed;
mod spoken;
mod state;
mod streamed;
mod strict;
mod telling;
mod thoughts;
mod whole;
