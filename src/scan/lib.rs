//! What every byte of a request, or of a stream, goes through.
//!
//! A crate of its own for one reason: everything else is compiled for the least size (`opt-level = "z"` in the workspace's `Cargo.toml`), as what is done
//! once a request is not where its time goes. What is done once a byte is: so this crate is compiled with loops in mind.

pub mod canonical;
pub mod members;
pub mod sse;
