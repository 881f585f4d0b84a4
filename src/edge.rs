//! The Worker: how everything is done, and nothing is decided.
//!
//! One file per side of the platform: `fetch` is the entrance, `runtime` implements [`crate::runtime::Runtime`], `breaker_object` is the
//! Durable Object, `task` how a request runs and waits for JavaScript, `panic` the last resort. `glue.js` holds the loops that are cheaper on JavaScript's side of the boundary.

mod breaker_object;
mod fetch;
mod glue;
mod panic;
mod runtime;
mod task;
