//! OpenAI's Chat Completions as an upstream protocol: what makes an answer one, and how a request is passed on.

#![allow(clippy::type_complexity, clippy::too_many_lines, reason = "tables")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::needless_pass_by_value,
    reason = "a test ends when it is wrong, says what it skipped, and is given values where they are written"
)]

mod agreement;
mod encoding;
mod event;
mod parsing;
#[path = "../recordings/mod.rs"]
mod recordings;
mod rewriting;
mod whole;
