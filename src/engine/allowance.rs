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
    until(gateway, runtime, job, at, Awaited::of(job.envelope.stream))
}

/// What a stream of it may take to its end, where nothing of it is sent before: as little is lost by asking the next one then as with an unstreamed answer.
pub(super) fn to_its_end<R: Runtime>(gateway: &Gateway, runtime: &R, job: &Job, at: usize) -> Option<Allowance> {
    until(gateway, runtime, job, at, Awaited::StreamCompletion)
}

fn until<R: Runtime>(gateway: &Gateway, runtime: &R, job: &Job, at: usize, awaited: Awaited) -> Option<Allowance> {
    let candidate = job.candidates.get(at)?;
    let now = runtime.now();
    let ask = deadline::Ask {
        streamed: awaited == Awaited::FirstContent,
        first_token: candidate.first_token,
        client_first_token: job.first_token,
        fair_from: candidate.fair_from,
        most: candidate.deadline,
        own: known_of(gateway, now, job, candidate, awaited),
        later: later(gateway, now, job, at, awaited),
        random: runtime.random(),
    };
    deadline::allow(now, job.deadline, ask)
}

/// Whether the candidate at `at` cannot answer in what is left at `now`, and another one can.
pub(super) fn passes_over(gateway: &Gateway, now: Timestamp, job: &Job, at: usize) -> bool {
    let left = job.deadline.since(now);
    let own = job.candidates.get(at).and_then(|candidate| known(gateway, now, job, candidate));
    // Whom to leave the time to is looked for only where it is short.
    own.is_some_and(|own| own.p50 > left)
        && deadline::passes_over(left, own, later(gateway, now, job, at, Awaited::of(job.envelope.stream)))
}

/// How long a candidate takes to what this request waits for.
pub(super) fn known(gateway: &Gateway, now: Timestamp, job: &Job, candidate: &Candidate<'_>) -> Option<Quantiles> {
    known_of(gateway, now, job, candidate, Awaited::of(job.envelope.stream))
}

fn known_of(gateway: &Gateway, now: Timestamp, job: &Job, candidate: &Candidate<'_>, awaited: Awaited) -> Option<Quantiles> {
    gateway.view().borrow().quantiles(candidate.circuits, Kind { awaited, size: job.size }, now)
}

/// The other targets that could be asked after the candidate at `at`. A target's keys stand beside each other.
fn later(gateway: &Gateway, now: Timestamp, job: &Job, at: usize, awaited: Awaited) -> Later {
    let mut later = Later::default();
    let mut counted = job.candidates.get(at).map(|candidate| &candidate.name);
    for other in job.candidates.iter().skip(at + 1) {
        if Some(&other.name) != counted && gateway.view().borrow().would_admit(other.circuits, now) {
            later = later.and(known_of(gateway, now, job, other, awaited));
            counted = Some(&other.name);
        }
    }
    later
}
