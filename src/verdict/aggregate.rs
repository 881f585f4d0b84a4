//! What the client is told when no target answered.
//!
//! Where targets failed in different ways, the first of these that holds: the deadline passed (504); somebody refused the request itself; every
//! one was rate-limited (429); nothing was sent, as circuits were open (503); an answer came that was not what was demanded of its form (422); they failed
//! (502). A refusal by one target because of what *it* is (too small, without a feature, with a schema that it does not take) is the client's answer only if
//! all said so: with the circuit of another one open, it is that one's 503.

use std::time::Duration;

use super::{Fault, Said, Verdict};
use crate::breaker::{Refusal, Why};
use crate::error::Error;
use crate::time::Timestamp;

/// The soonest that anyone is told to come back.
const SOONEST: Duration = Duration::from_millis(100);

/// The error for these verdicts on calls, and these refusals by breakers, in order.
#[must_use]
#[inline(never)]
pub fn aggregate(verdicts: &[Verdict], refusals: &[Refusal], late: bool, now: Timestamp) -> Error {
    if verdicts.iter().any(|verdict| verdict.fault == Fault::ClientGone) {
        return Error::client_gone();
    }
    if late {
        return Error::deadline_exceeded(told("the deadline passed", verdicts));
    }
    if let Some(verdict) = verdicts.iter().rfind(|verdict| refuses(verdict)) {
        let said = verdict.said.clone().unwrap_or_default();
        return match verdict.fault.client_code() {
            Some(code) => Error::refused(404, Said { code: Some(code.to_owned()), ..said }),
            None => Error::refused(verdict.status.unwrap_or(400), said),
        };
    }
    let limited = |verdict: &Verdict| verdict.fault == Fault::RateLimited;
    let cooling = |refusal: &Refusal| refusal.why == Why::Cooling;
    if verdicts.iter().all(limited) && refusals.iter().all(cooling) && !(verdicts.is_empty() && refusals.is_empty()) {
        let waits = verdicts.iter().map(|verdict| verdict.wait.unwrap_or(super::DEFAULT_COOLING));
        return Error::rate_limited(waits.chain(until(refusals, now)).min().unwrap_or(SOONEST));
    }
    // Who could have answered is left alone, and what others cannot do does not make the request a wrong one.
    let cannot = verdicts.iter().all(incapable);
    if verdicts.is_empty() || cannot && !refusals.is_empty() {
        let soonest = until(refusals, now).min().unwrap_or(SOONEST);
        let drained = !refusals.is_empty() && refusals.iter().all(|refusal| refusal.why == Why::Drained);
        return if drained { Error::drained(soonest) } else { Error::circuit_open(soonest) };
    }
    if let Some(verdict) = verdicts.iter().rfind(|verdict| verdict.fault == Fault::Unsatisfied) {
        let said = verdict.said.as_ref().map_or("", |said| said.message.as_str());
        return Error::unsatisfied(format!("no answer is what was asked for; the last one, of {}: {said}", verdict.target));
    }
    if cannot && let Some(verdict) = verdicts.last() {
        let code = verdict.fault.client_code().map(str::to_owned);
        let said = verdict.said.clone().unwrap_or_default();
        return Error::refused(400, Said { code: code.or(said.code.clone()), ..said });
    }
    Error::upstream_failed(told("every target failed", verdicts))
}

/// Whether the request itself was refused, for whoever may answer it.
fn refuses(verdict: &Verdict) -> bool {
    matches!(verdict.fault, Fault::Refused | Fault::ContentPolicy)
        || verdict.fault == Fault::NoSuchModel && verdict.next == super::Next::Stop
}

/// Whether the request was refused because of what the target is.
fn incapable(verdict: &Verdict) -> bool {
    matches!(verdict.fault, Fault::ContextLength | Fault::Unsupported | Fault::SchemaRefused)
}

fn until(refusals: &[Refusal], now: Timestamp) -> impl Iterator<Item = Duration> {
    refusals.iter().map(move |refusal| refusal.until.since(now).max(SOONEST))
}

/// What happened, with each target's part in it.
fn told(what: &str, verdicts: &[Verdict]) -> String {
    let parts: Vec<String> = verdicts.iter().map(Verdict::in_words).collect();
    if parts.is_empty() { format!("{what} before anyone could be asked") } else { format!("{what}: {}", parts.join("; ")) }
}
