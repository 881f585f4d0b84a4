//! A second target beside the first, where that has shown nothing for longer than it should.
//!
//! **Why.** A call that is slow cannot be told from one that hangs. To wait for its slice to end costs the client that slice; to give it up early costs
//! the answer that was about to come. A hedge costs neither, and money instead: so it is rare (it starts when all but the slowest calls would have
//! answered), it has a budget of its own, and there is one for a request.
//!
//! **The invariant.** A hedge is never worse than none: the first content wins, whoever's it is; the other call is dropped in that moment; and while one
//! of the two is under way, nothing that the other meets ends the request.

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};

use super::{Job, Shared, Tried, Turn, known, persist};
use crate::config::Hedge;
use crate::consult::Consult;
use crate::route::Candidate;
use crate::runtime::Runtime;

/// How long to wait for the candidate at `at` before a second one is asked beside it; never, where that is unknown.
pub(super) fn delay<R: Runtime>(consult: &Consult<R>, job: &Job<'_>, at: usize, hedge: Hedge) -> Option<Duration> {
    match hedge {
        Hedge::After(delay) => Some(delay),
        Hedge::P95 => {
            let candidate = job.candidates.get(at)?;
            known(&consult.gateway, consult.runtime.now(), job, candidate).map(|known| known.p95)
        }
    }
}

/// A candidate's turn, and the next target's beside it once the first has shown nothing for `delay`. Says whether that was needed.
pub(super) async fn beside<R: Runtime>(
    consult: &Consult<R>,
    job: &Job<'_>,
    progress: &Shared,
    turn: Turn,
    delay: Duration,
) -> (Tried<R::Body>, bool) {
    let place = turn.at;
    let mut first = pin!(persist(consult, job, turn, progress));
    if let Either::Left((tried, _)) = select(first.as_mut(), pin!(consult.runtime.sleep(delay))).await {
        return (tried, false);
    }
    let Some(turn) = second_turn(consult, job, progress, place) else { return (first.await, false) };
    let second = pin!(persist(consult, job, turn, progress));
    let (tried, other) = match select(first, second).await {
        Either::Left((tried @ Tried::Won(_), _)) | Either::Right((tried @ Tried::Won(_), _)) => return (tried, true),
        Either::Left((tried, second)) => (tried, second.await),
        Either::Right((tried, first)) => (tried, first.await),
    };
    let both = match (tried, other) {
        (_, won @ Tried::Won(_)) => won,
        (Tried::Stop, _) | (_, Tried::Stop) => Tried::Stop,
        (Tried::Late, _) | (_, Tried::Late) => Tried::Late,
        _ => Tried::Lost,
    };
    (both, true)
}

/// The turn of the first other target that may be asked beside the one at `place`: one whose circuits are closed, as a probe beside another
/// call would waste a lease.
fn second_turn<R: Runtime>(consult: &Consult<R>, job: &Job<'_>, progress: &Shared, place: usize) -> Option<Turn> {
    let now = consult.runtime.now();
    let name = job.candidates.get(place).map(|candidate| &candidate.name)?;
    let noted = progress.borrow();
    if noted.trace.calls() >= job.max_attempts {
        return None;
    }
    let left = job.deadline.since(now);
    let fits = |candidate: &Candidate<'_>| known(&consult.gateway, now, job, candidate).is_none_or(|known| known.p50 <= left);
    let at = job.candidates.iter().zip(&noted.ruled_out).position(|(other, out)| {
        !out && other.name != *name
            && consult.is_closed(other.circuits)
            && fits(other)
            && job.translation.refusal(other).is_none()
    })?;
    if !job.spending.withdraw_hedge(now) {
        return None;
    }
    let ticket = consult.admit_closed(job.candidates.get(at)?.circuits)?;
    Some(Turn { at, ticket })
}
