//! The dialects of Breakwater: what clients and providers speak, and the canonical conversation that they meet in.
//!
//! A crate of its own, as the gateway's knows it and it knows nothing of that. It costs only requests that are translated; what every request passes through
//! is marked `#[inline]`, so that the crate which needs it compiles it for itself.

pub mod chat;
pub mod dialect;
pub mod edit;
pub mod event;
pub mod hash;
pub mod json;
pub mod mistake;
pub mod quirk;
mod slots;
