//! What upstreams speak: one file per protocol. Each encodes a request, and tells an answer from what only looks like one.

pub mod openai;
pub mod simulated;
