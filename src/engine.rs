//! One request's attempts, in order, under one deadline.
//!
//! The engine asks candidates one after the other until one of them gives an answer that counts: a complete one, or, for a
//! stream, its first content. What it guarantees whatever upstreams do:
//!
//! - it returns by the deadline, and by then every call that it started has been dropped, and so aborted, but the one it returns;
//! - it starts at most `max_attempts` calls, and none at a circuit that is open;
//! - nothing reaches the client before an attempt has won, so that failing over is never visible in the answer.
//!
//! It decides only the order of things. How long an attempt may take is [`crate::deadline`]'s to say, what went wrong and whose fault it
//! was [`crate::verdict`]'s, and whether a target may be asked at all the breakers' ([`crate::consult`]).

mod attempt;

use std::time::Duration;

pub(crate) use attempt::{Won, WonBody};

use crate::breaker::{self, Refusal, Ticket};
use crate::consult::{Consult, PATIENCE};
use crate::deadline::{self, Allowance};
use crate::error::Error;
use crate::gateway::Gateway;
use crate::provider::openai::Envelope;
use crate::route::Candidate;
use crate::runtime::Runtime;
use crate::time::Timestamp;
use crate::trace::Trace;
use crate::verdict::{self, Next, Verdict};

/// What a request asks of the engine.
pub(crate) struct Job<'a> {
    /// The client's body, and what was found in it.
    pub(crate) envelope: &'a Envelope<'a>,
    /// What may be asked, in order.
    pub(crate) candidates: &'a [Candidate<'a>],
    /// The client's header fields that go upstream.
    pub(crate) headers: &'a [(String, String)],
    /// When everything must be over.
    pub(crate) deadline: Timestamp,
    /// The client's own limit for the first content.
    pub(crate) first_token: Option<Duration>,
    /// The most calls to start.
    pub(crate) max_attempts: usize,
    /// Whether streams must tell their usage, as they may be stored.
    pub(crate) force_usage: bool,
    /// The `x-breakwater-simulate` header.
    pub(crate) simulate: Option<&'a str>,
}

/// What came of it.
pub(crate) struct Outcome<B> {
    /// Every call that was started.
    pub(crate) trace: Trace,
    /// The answer, or what the client is told.
    pub(crate) result: Result<Won<B>, Error>,
}

/// What one request has gone through so far.
struct Progress {
    trace: Trace,
    verdicts: Vec<Verdict>,
    refusals: Vec<Refusal>,
    /// Until when questions to breaker objects may be waited for.
    patience: Timestamp,
}

/// Runs a job to its end.
pub(crate) async fn run<R: Runtime>(consult: &Consult<R>, job: &Job<'_>) -> Outcome<R::Body> {
    let runtime = &consult.runtime;
    let mut progress =
        Progress { trace: Trace::default(), verdicts: Vec::new(), refusals: Vec::new(), patience: runtime.now() + PATIENCE };
    let mut at = 0;
    let mut late = false;
    while let Some(candidate) = job.candidates.get(at) {
        if progress.trace.len() >= job.max_attempts {
            break;
        }
        let ticket = match consult.admit(candidate.circuits, progress.patience).await {
            Ok(ticket) => ticket,
            Err(refusal) => {
                progress.refusals.push(refusal);
                at += 1;
                continue;
            }
        };
        match persist(consult, job, at, ticket, &mut progress).await {
            Tried::Won(won) => return Outcome { trace: progress.trace, result: Ok(*won) },
            Tried::Late => {
                late = true;
                break;
            }
            Tried::Stop => break,
            Tried::Lost(Next::Key) => at += 1,
            Tried::Lost(_) => at = next_target(job.candidates, at),
        }
    }
    let late = late || (runtime.now() >= job.deadline && !progress.verdicts.is_empty());
    let error = verdict::aggregate(&progress.verdicts, &progress.refusals, late, runtime.now());
    Outcome { trace: progress.trace, result: Err(error) }
}

/// How a candidate's turn ended.
enum Tried<B> {
    Won(Box<Won<B>>),
    /// No time is left.
    Late,
    /// Nobody else needs asking.
    Stop,
    Lost(Next),
}

/// One candidate, with its retries.
async fn persist<R: Runtime>(
    consult: &Consult<R>,
    job: &Job<'_>,
    at: usize,
    mut ticket: Ticket,
    progress: &mut Progress,
) -> Tried<R::Body> {
    let runtime = &consult.runtime;
    let Some(candidate) = job.candidates.get(at) else { return Tried::Stop };
    let mut retries = 0;
    loop {
        let Some(allowance) = allowance(&consult.gateway, runtime.now(), job, at) else {
            consult.record(&ticket, breaker::Outcome::Nothing);
            return Tried::Late;
        };
        let started = runtime.now();
        let nth = progress.trace.calls_of(&candidate.name);
        let call = attempt::Attempt { consult, job, candidate, allowance, nth };
        let result = call.run(&ticket).await;
        let took = runtime.now().since(started);
        let verdict = match result {
            Ok(won) => {
                progress.trace.push(&candidate.name, "ok", Some(200), took);
                return Tried::Won(Box::new(won));
            }
            Err(verdict) => verdict,
        };
        consult.record(&ticket, verdict.outcome());
        progress.trace.push(&candidate.name, verdict.fault.word(), verdict.status, took);
        let (next, wait) = (verdict.next, retry_wait(&verdict, retries, runtime.random()));
        progress.verdicts.push(verdict);
        if matches!(next, Next::Stop) {
            return Tried::Stop;
        }
        let Some(wait) = wait.filter(|_| retries < candidate.retries && progress.trace.len() < job.max_attempts) else {
            return Tried::Lost(next);
        };
        // A wait that leaves no time for the retry is better spent on the next target.
        if runtime.now() + wait + deadline::LEAST_SLICE >= job.deadline {
            return Tried::Lost(next);
        }
        runtime.sleep(wait).await;
        retries += 1;
        match consult.admit(candidate.circuits, progress.patience).await {
            Ok(again) => ticket = again,
            Err(refusal) => {
                progress.refusals.push(refusal);
                return Tried::Lost(next);
            }
        }
    }
}

/// The first wait before a retry; each further one may be twice as long.
const BACKOFF: Duration = Duration::from_millis(250);

/// How long to wait before asking the same candidate again, where that can help: exponential with full jitter, so that the clients of a
/// provider that stumbled do not come back all at once; never less than the provider asked for.
fn retry_wait(verdict: &Verdict, retries: u32, random: u64) -> Option<Duration> {
    if !verdict.fault.retriable() {
        return None;
    }
    let most = BACKOFF.saturating_mul(1 << retries.min(6));
    let jittered = Duration::from_millis(random % (crate::time::millis(most) + 1));
    Some(verdict.wait.map_or(jittered, |asked| asked + jittered))
}

/// What the candidate at `at` may take; see [`crate::deadline`].
fn allowance(gateway: &Gateway, now: Timestamp, job: &Job<'_>, at: usize) -> Option<Allowance> {
    let candidate = job.candidates.get(at)?;
    let mut later: Vec<&str> = Vec::new();
    for other in job.candidates.get(at + 1..).unwrap_or_default() {
        if other.name != candidate.name
            && !later.contains(&other.name.as_str())
            && gateway.view().borrow().would_admit(other.circuits, now)
        {
            later.push(&other.name);
        }
    }
    let first_token = match (candidate.first_token, job.first_token) {
        (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
        (ours, theirs) => ours.or(theirs),
    };
    let ask = deadline::Ask {
        streamed: job.envelope.stream,
        first_token,
        fair_from: candidate.fair_from,
        most: candidate.deadline,
        later: later.len(),
    };
    deadline::allow(now, job.deadline, ask)
}

/// The next candidate that is another target than the one at `at`: its other keys would meet the same fault.
fn next_target(candidates: &[Candidate<'_>], at: usize) -> usize {
    let name = candidates.get(at).map(|candidate| &candidate.name);
    let others = candidates.iter().skip(at + 1).position(|other| Some(&other.name) != name);
    others.map_or(candidates.len(), |further| at + 1 + further)
}
