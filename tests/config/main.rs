//! The configuration: what it means, every way in which it can be wrong, the table of known providers, and the file that is shipped.

#![allow(clippy::panic, reason = "a test's way to fail, in what its tests share")]

mod errors;
mod errors_provider;
mod errors_route;
mod meaning;
mod order;
mod presets;
mod shipped;
