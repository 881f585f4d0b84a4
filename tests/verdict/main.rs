//! Whose fault it was: the contract's table, with the bodies that providers really send.
//!
//! Where a body is not a recording it is what the provider's own documentation or its users' reports show, names and numbers changed.

#![allow(clippy::type_complexity, clippy::too_many_lines, reason = "tables")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test ends when it is wrong, and says what it skipped"
)]

mod aggregate;
mod cloud;
mod compatible;
mod inside;
mod local;
mod others;
mod platform;
mod recorded;
#[path = "../recordings/mod.rs"]
mod recordings;
mod referred;
mod table;

use std::time::Duration;

use breakwater::http::Headers;
use breakwater::time::Timestamp;
use breakwater::verdict::{About, Evidence, Fault, Verdict, judge};

/// 2023-11-14T22:13:20Z
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// A status as a provider of this name gives it for this model.
fn status(provider: &str, model: &str, status: u16, fields: &[(&'static str, &str)], body: &str) -> Verdict {
    let headers: Headers = fields.iter().copied().collect();
    judge(&about(&format!("{provider}/{model}"), model), &Evidence::Status { status, headers: &headers, body }, NOW)
}

fn about<'a>(target: &'a str, model: &'a str) -> About<'a> {
    About { target, model, direct: false }
}

/// Whether it was named, the status, the header fields, the body, the fault and the wait in milliseconds.
type Row = (&'static str, u16, &'static [(&'static str, &'static str)], &'static str, Fault, Option<u64>);

/// Checks rows of one provider, asked for its model `m-1`.
fn check(provider: &str, rows: &[Row]) {
    for (name, code, fields, body, fault, wait) in rows {
        let verdict = status(provider, "m-1", *code, fields, body);
        assert_eq!(verdict.fault, *fault, "{provider}, {name}");
        assert_eq!(verdict.wait, wait.map(Duration::from_millis), "{provider}, {name}");
        assert_eq!((verdict.status, verdict.next), (Some(*code), fault.next(false)), "{provider}, {name}");
        table::check(&verdict, name);
    }
}

/// The default wait of a rate limit whose provider does not say one.
const UNSAID: Option<u64> = None;
