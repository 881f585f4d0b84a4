//! The response cache: which requests share a key, what a request may ask of it, what is stored, and when it is served.

#![allow(clippy::type_complexity, clippy::format_push_string, reason = "tables; small texts")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends when it is wrong"
)]

mod document;
mod key;
mod policy;
mod storing;
