//! What a request's `x-breakwater-simulate` header asks of the simulated targets; its grammar is in the [parent
//! module](super).

use std::error::Error;
use std::fmt;

use crate::config::simulated::{Behaviour, Fault};
use crate::http::percent_decoded;

/// The header's name.
pub const HEADER: &str = "x-breakwater-simulate";

/// A header that does not parse: where, what was found, and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulateError(String);

impl fmt::Display for SimulateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{HEADER}: {}", self.0)
    }
}

impl Error for SimulateError {}

/// Whether the header parses, whichever targets there are.
///
/// # Errors
///
/// When it does not.
pub fn check(header: &str) -> Result<(), SimulateError> {
    apply(header, "", "", &mut Behaviour::default()).map(|_| ())
}

/// Applies the entries for this target to `behaviour`, and checks the others too. Says whether `fail` was among what
/// was set.
pub(super) fn apply(header: &str, target: &str, model: &str, behaviour: &mut Behaviour) -> Result<bool, SimulateError> {
    let mut scheduled = false;
    let mut ignored = Behaviour::default();
    for (at, entry) in header.split(',').map(str::trim).enumerate() {
        let error = |message: String| SimulateError(format!("entry {} ({entry:?}): {message}", at + 1));
        let (name, directives) = match entry.split_once('=') {
            Some((name, directives)) => (Some(name.trim()), directives),
            None => (None, entry),
        };
        if name == Some("") {
            return Err(error("a target's name is missing before \"=\"".to_owned()));
        }
        let ours = name.is_none_or(|name| name == target || name == model);
        let behaviour = if ours { &mut *behaviour } else { &mut ignored };
        for directive in directives.split(';').map(str::trim) {
            scheduled |= set(behaviour, directive).map_err(error)? && ours;
        }
    }
    Ok(scheduled)
}

/// Applies one directive; says whether it set the schedule.
fn set(behaviour: &mut Behaviour, directive: &str) -> Result<bool, String> {
    if directive.is_empty() {
        return Err("a fault, as 500 or hang, or a setting, as latency:2s, is missing".to_owned());
    }
    let message = match Fault::parse(directive) {
        Ok(fault) => {
            behaviour.fail = vec![fault];
            behaviour.cycle = true;
            behaviour.error_rate = 0.0;
            return Ok(true);
        }
        Err(message) => message,
    };
    let (key, value) = match directive.split_once(':') {
        Some(("cut" | "stall", _)) => return Err(message),
        Some((key, value)) => (key.trim(), value.trim()),
        None => return Err(format!("{message}, or a setting, as latency:2s, of {}", Behaviour::KEYS.join(", "))),
    };
    let decoded = percent_decoded(value).map_err(|why| format!("{key}: found {value:?}; {why}"))?;
    behaviour.apply(key, &decoded).map_err(|message| format!("{key}: {message}"))?;
    Ok(key == "fail")
}
