//! The dialects of Breakwater: what clients and providers speak, and the canonical conversation that they meet in.
//!
//! A crate of its own for one reason: it is compiled for the least size (`opt-level = "z"`), which took the gzipped worker from 923 KB to 852 before
//! anything else was done, and costs only requests that are translated. What every request passes through is in the gateway's own crate; what both need
//! on that way is marked `#[inline]`, so that the gateway's crate compiles it for itself.

pub mod chat;
pub mod dialect;
pub mod event;
pub mod hash;
pub mod json;
pub mod mistake;
pub mod quirk;
mod slots;
