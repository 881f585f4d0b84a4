//! What [`crate::deadline`] is asked about a candidate, by what is known of it and of those after it.

use crate::deadline::{self, Allowance, Later};
use crate::gateway::Gateway;
use crate::latency::{Awaited, Kind, Quantiles};
use crate::route::Candidate;
use crate::runtime::Runtime;
use crate::time::Timestamp;

use super::Job;

/// What the candidate at `at` may take.
pub(super) fn allowance<R: Runtime>(gateway: &Gateway, runtime: &R, job: &Job, at: usize) -> Option<Allowance> {
    let candidate = job.candidates.get(at)?;
    let now = runtime.now();
    let ask = deadline::Ask {
        streamed: job.envelope.stream,
        first_token: candidate.first_token,
        client_first_token: job.first_token,
        fair_from: candidate.fair_from,
        most: candidate.deadline,
        own: known(gateway, now, job, candidate),
        later: later(gateway, now, job, at),
        random: runtime.random(),
    };
    deadline::allow(now, job.deadline, ask)
}

/// Whether the candidate at `at` cannot answer in what is left at `now`, and another one can.
pub(super) fn passes_over(gateway: &Gateway, now: Timestamp, job: &Job, at: usize) -> bool {
    let left = job.deadline.since(now);
    let own = job.candidates.get(at).and_then(|candidate| known(gateway, now, job, candidate));
    // Whom to leave the time to is looked for only where it is short.
    own.is_some_and(|own| own.p50 > left) && deadline::passes_over(left, own, later(gateway, now, job, at))
}

/// How long a candidate takes to what this request waits for.
pub(super) fn known(gateway: &Gateway, now: Timestamp, job: &Job, candidate: &Candidate<'_>) -> Option<Quantiles> {
    let kind = Kind { awaited: Awaited::of(job.envelope.stream), size: job.size };
    gateway.view().borrow().quantiles(candidate.circuits, kind, now)
}

/// The other targets that could be asked after the candidate at `at`. A target's keys stand beside each other.
fn later(gateway: &Gateway, now: Timestamp, job: &Job, at: usize) -> Later {
    let mut later = Later::default();
    let mut counted = job.candidates.get(at).map(|candidate| &candidate.name);
    for other in job.candidates.iter().skip(at + 1) {
        if Some(&other.name) != counted && gateway.view().borrow().would_admit(other.circuits, now) {
            later = later.and(known(gateway, now, job, other));
            counted = Some(&other.name);
        }
    }
    later
}
