//! Breakwater: an LLM gateway at the edge, as one Worker.
//!
//! A request's life, each step one room:
//!
//! ```text
//! edge      reads body and header fields, once                    edge/fetch.rs
//! gateway   finds the endpoint, and who is calling                gateway.rs, auth.rs
//! api       finds in its text what a gateway must know            api/generate.rs, envelope.rs, scan/members.rs
//! route     makes names into candidates: target × credential      route.rs
//!   order     whom to ask first, and who stays with whom          route/order.rs, affinity.rs, load.rs
//! cache     looks for an answer that is there already             cache.rs, scan/canonical.rs
//! engine    asks one candidate after the other until one answers  engine.rs
//!   budget    says whether there is another call to spend         budget.rs
//!   breaker   says whether a candidate may be asked               consult.rs, breaker.rs
//!   deadline  says how long it may take, by what it took lately   deadline.rs, latency.rs
//!   fault     puts a made-up call in its place, where asked to    fault.rs
//!   translation  says it in the candidate's words               translation.rs, dialects/
//!   provider  knows where it goes, and how it says whose it is    provider/
//!   dialect   tells an answer from a lie                          dialects/
//!   stream    holds back until the first content                  stream.rs, scan/sse.rs
//!   demand    says whether an answer has the form that was asked   demand.rs, schema/
//!   verdict   says what went wrong, whose fault, what next        verdict.rs
//! api       renders the answer, or the error                      api/generate.rs, error.rs
//! after     the answer is stored, the breakers are told           runtime.rs
//! ```
//!
//! Everything but `edge` is the **core**: it decides, takes time and randomness as arguments, sees the outside through
//! [`runtime::Runtime`], and compiles and tests without Workers (`cargo test --no-default-features`). `edge` does, and decides nothing.

mod affinity;
mod api;
pub mod auth;
mod binding;
pub mod breaker;
mod budget;
pub mod cache;
pub mod config;
mod consult;
mod cors;
pub mod deadline;
mod demand;
#[cfg(feature = "edge")]
mod edge;
mod engine;
pub mod envelope;
pub mod error;
mod fault;
pub mod gateway;
pub mod http;
pub mod latency;
mod load;
pub mod provider;
pub mod region;
mod route;
pub mod runtime;
pub mod secret;
pub mod stream;
pub mod time;
pub mod trace;
mod translation;
pub mod verdict;
pub mod wait;

pub use breakwater_dialects::{chat, dialect};
use breakwater_dialects::{edit, hash, json};
pub use breakwater_scan::{canonical, sse};
