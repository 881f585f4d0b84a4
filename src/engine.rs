//! One request's attempts, in order, under one deadline.
//!
//! The engine asks candidates one after the other until one of them gives an answer that counts: a complete one, or, for a
//! stream, its first content. What it guarantees whatever upstreams do:
//!
//! - it returns by the deadline, and by then every call that it started has been dropped, and so aborted, but the one it returns;
//! - it starts at most `max_attempts` calls (a request that only one account can answer may be corrected beyond its one), and none at a circuit that is open;
//! - nothing reaches the client before an attempt has won, so that failing over is never visible in the answer.
//!
//! It decides only the order of things. How long an attempt may take is [`crate::deadline`]'s to say, what went wrong and whose fault it
//! was [`crate::verdict`]'s, and whether a target may be asked at all the breakers' ([`crate::consult`]). A target that is passed over for want of
//! time is not put to the breakers: it takes no lease, and counts for and against nobody.

mod allowance;
mod attempt;
mod corrective;
mod hedge;
mod in_place;
mod whole;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use allowance::{allowance, known, passes_over, to_its_end};
pub(crate) use attempt::{Source, Streaming, Won, WonBody};

use crate::breaker::{self, Refusal, Ticket, Why};
use crate::budget::Spending;
use crate::config::{Hedge, Hold};
use crate::consult::{Consult, PATIENCE, Timed};
use crate::deadline;
use crate::demand::{Correction, Demand};
use crate::envelope::Envelope;
use crate::error::Error;
use crate::latency::{Awaited, Size};
use crate::route::Candidate;
use crate::runtime::Runtime;
use crate::time::Timestamp;
use crate::trace::Trace;
use crate::translation::{Guise, Translation};
use crate::verdict::{self, Fault, Next, Verdict};

/// What a request asks of the engine.
pub(crate) struct Job<'a> {
    /// The client's body, and what was found in it.
    pub(crate) envelope: &'a Envelope<'a>,
    /// The same in the words of each candidate.
    pub(crate) translation: &'a Translation<'a>,
    /// How large it is.
    pub(crate) size: Size,
    /// What may be asked, in order.
    pub(crate) candidates: &'a [Candidate<'a>],
    /// The calls that were made for this request before, by their targets: those are not asked again.
    pub(crate) asked_before: &'a [String],
    /// The client's header fields that go upstream.
    pub(crate) headers: &'a [(String, String)],
    /// When everything must be over.
    pub(crate) deadline: Timestamp,
    /// The client's own limit for the first content.
    pub(crate) first_token: Option<Duration>,
    /// When a second target is asked beside the first.
    pub(crate) hedge_after: Option<Hedge>,
    /// How long a stream is held back beyond its first content.
    pub(crate) hold: Option<Hold>,
    /// The most calls to start.
    pub(crate) max_attempts: usize,
    /// Whether calls with something to put right are beyond these.
    pub(crate) corrects_beyond: bool,
    /// Pays for every call beyond the first.
    pub(crate) spending: &'a Spending,
    /// The `x-breakwater-simulate` header.
    pub(crate) simulate: Option<&'a str>,
    /// What is demanded of the answer's form.
    pub(crate) demand: Option<&'a Rc<Demand>>,
    /// How often a target is told what is wrong with its answer.
    pub(crate) schema_retries: u32,
}

impl Job<'_> {
    /// Whether nothing of a stream is sent before all of it is known to be what was demanded.
    fn buffers(&self) -> bool {
        self.envelope.stream && self.demand.is_some_and(|demand| !demand.live)
    }
}

/// What came of it.
pub(crate) struct Outcome<B> {
    /// Every call that was started, and who was passed over.
    pub(crate) trace: Trace,
    /// The answer, or what the client is told.
    pub(crate) result: Result<Won<B>, Error>,
}

/// What one request has gone through so far.
struct Progress {
    trace: Trace,
    verdicts: Vec<Verdict>,
    refusals: Vec<Refusal>,
    /// Which candidates need not be asked any more, each by its place.
    ruled_out: Vec<bool>,
    /// Until when questions to breaker objects may be waited for.
    patience: Timestamp,
    /// What is said of the last answer that was not what was demanded.
    correction: Option<Correction>,
    /// How many calls had something to put right.
    corrected: u32,
}

/// Progress is looked at and noted between two waits, never across one.
type Shared = RefCell<Progress>;

/// Runs a job to its end.
pub(crate) async fn run<R: Runtime>(consult: &Consult<R>, job: &Job<'_>) -> Outcome<R::Body> {
    let runtime = &consult.runtime;
    let progress = Shared::new(Progress {
        trace: Trace::default(),
        verdicts: Vec::new(),
        refusals: Vec::new(),
        ruled_out: job.candidates.iter().map(|candidate| job.asked_before.contains(&candidate.name)).collect(),
        patience: runtime.now() + PATIENCE,
        correction: None,
        corrected: 0,
    });
    let mut hedge = job.hedge_after;
    let mut late = false;
    let mut won = None;
    while let Some(turn) = next_turn(consult, job, &progress).await {
        let tried = match hedge.and_then(|hedge| hedge::delay(consult, job, turn.at, hedge)) {
            Some(delay) => {
                let (tried, hedged) = hedge::beside(consult, job, &progress, turn, delay).await;
                // One hedge a request: what two did not answer, a third call beside another will not mend.
                hedge = hedge.filter(|_| !hedged);
                tried
            }
            None => persist(consult, job, turn, &progress).await,
        };
        match tried {
            Tried::Won(answer) => {
                won = Some(*answer);
                break;
            }
            Tried::Late => {
                late = true;
                break;
            }
            Tried::Stop => break,
            Tried::Lost => {}
        }
    }
    let Progress { trace, verdicts, refusals, .. } = progress.into_inner();
    let late = late || (runtime.now() >= job.deadline && !verdicts.is_empty());
    let result = won.ok_or_else(|| verdict::aggregate(&verdicts, &refusals, late, runtime.now()));
    Outcome { trace, result }
}

/// A candidate that may be called.
struct Turn {
    /// Its place among the job's.
    at: usize,
    ticket: Ticket,
}

/// The next candidate in order that has the time and may be asked.
async fn next_turn<R: Runtime>(consult: &Consult<R>, job: &Job<'_>, progress: &Shared) -> Option<Turn> {
    loop {
        let at = next_place(consult, job, progress)?;
        let candidate = job.candidates.get(at)?;
        let patience = progress.borrow().patience;
        match consult.admit(candidate.circuits, patience).await {
            Ok(ticket) => {
                let mut progress = progress.borrow_mut();
                let first = progress.trace.calls() == 0 && job.asked_before.is_empty();
                if first || job.spending.withdraw_fallback(consult.runtime.now()) {
                    return Some(Turn { at, ticket });
                }
                consult.record(&ticket, breaker::Outcome::Nothing);
                progress.trace.pass_over(&candidate.name, "over_budget");
                return None;
            }
            Err(refusal) => {
                let mut progress = progress.borrow_mut();
                progress.refusals.push(refusal);
                if refusal.why == Why::Drained {
                    progress.trace.pass_over(&candidate.name, "drained");
                    progress.rule_out_target(job.candidates, at);
                } else {
                    progress.rule_out(at);
                }
            }
        }
    }
}

/// The place of the next candidate that could answer in what is left of the time.
fn next_place<R: Runtime>(consult: &Consult<R>, job: &Job<'_>, progress: &Shared) -> Option<usize> {
    let mut progress = progress.borrow_mut();
    loop {
        let at = corrective::next(consult, job, &mut progress)?;
        if progress.trace.calls() >= job.max_attempts {
            return None;
        }
        let candidate = job.candidates.get(at)?;
        if passes_over(&consult.gateway, consult.runtime.now(), job, at) {
            progress.trace.pass_over(&candidate.name, "passed_over");
        } else if let Some(verdict) = job.translation.refusal(candidate) {
            progress.trace.pass_over(&candidate.name, verdict.fault.word());
            let stop = verdict.next == Next::Stop;
            progress.verdicts.push(verdict);
            if stop {
                return None;
            }
        } else {
            return Some(at);
        }
        progress.rule_out_target(job.candidates, at);
    }
}

impl Progress {
    /// Notes the verdict on the candidate at `at`. One `of_correction` is nothing that the client can be told: it is of what was added to its request.
    fn lost(&mut self, candidates: &[Candidate<'_>], at: usize, verdict: Verdict, of_correction: bool) -> After {
        let next = verdict.next;
        if !of_correction {
            self.verdicts.push(verdict);
        }
        if next == Next::Target {
            self.rule_out_target(candidates, at);
        }
        let name = candidates.get(at).map(|candidate| &candidate.name);
        let mut left = self.ruled_out.iter().zip(candidates).filter(|(out, _)| !**out).peekable();
        let nobody_else = left.peek().is_none();
        let other_key = next == Next::Key && left.any(|(_, candidate)| Some(&candidate.name) == name);
        After { other_key, nobody_else, calls: self.trace.calls() }
    }

    fn rule_out(&mut self, at: usize) {
        if let Some(out) = self.ruled_out.get_mut(at) {
            *out = true;
        }
    }

    /// With all keys of its target: they would meet the same fault.
    fn rule_out_target(&mut self, candidates: &[Candidate<'_>], at: usize) {
        let name = candidates.get(at).map(|candidate| &candidate.name);
        for (out, candidate) in self.ruled_out.iter_mut().zip(candidates) {
            *out |= Some(&candidate.name) == name;
        }
    }
}

/// What is left after a call that was lost.
struct After {
    /// Whether another key of the same target can be asked now; the one that was asked would have to be waited for.
    other_key: bool,
    /// Whether no candidate is left.
    nobody_else: bool,
    calls: usize,
}

/// How a candidate's turn ended.
enum Tried<B> {
    Won(Box<Won<B>>),
    /// No time is left.
    Late,
    /// Nobody else needs asking.
    Stop,
    Lost,
}

/// A call that is under way. Dropped before it has landed, it was given up for another one that was faster: nobody's fault, but it would have
/// taken longer than this.
struct Flight<'a, R: Runtime> {
    consult: &'a Consult<R>,
    progress: &'a Shared,
    job: &'a Job<'a>,
    ticket: &'a Ticket,
    timed: Timed,
    /// Its place in the trace.
    place: usize,
    landed: bool,
}

impl<R: Runtime> Flight<'_, R> {
    fn land(mut self, outcome: &'static str, status: Option<u16>) {
        self.landed = true;
        self.note(outcome, status);
    }

    fn note(&self, outcome: &'static str, status: Option<u16>) {
        let took = self.consult.runtime.now().since(self.timed.started);
        self.progress.borrow_mut().trace.end(self.place, outcome, status, took);
    }
}

impl<R: Runtime> Drop for Flight<'_, R> {
    fn drop(&mut self) {
        if !self.landed {
            self.note("hedge_lost", None);
            self.consult.record(self.ticket, breaker::Outcome::Nothing);
            self.consult.gave_up(&self.timed, Awaited::of(self.job.envelope.stream));
        }
    }
}

/// One candidate, with its retries.
async fn persist<R: Runtime>(consult: &Consult<R>, job: &Job<'_>, turn: Turn, progress: &Shared) -> Tried<R::Body> {
    let runtime = &consult.runtime;
    let Turn { at, mut ticket } = turn;
    let Some(candidate) = job.candidates.get(at) else { return Tried::Stop };
    let mut guise = corrective::guise(consult, job, candidate, progress);
    // Whatever comes of it, nobody else takes this turn.
    progress.borrow_mut().rule_out(at);
    let (mut retries, mut corrections) = (0, 0);
    let most = |corrections: u32| job.max_attempts + if job.corrects_beyond { corrections as usize } else { 0 };
    loop {
        // Looked at again for each call: of two that stand beside each other, the other one may have begun another meanwhile.
        if progress.borrow().trace.calls() >= most(corrections) {
            consult.record(&ticket, breaker::Outcome::Nothing);
            return Tried::Lost;
        }
        let Some(allowance) = allowance(&consult.gateway, runtime, job, at) else {
            consult.record(&ticket, breaker::Outcome::Nothing);
            return Tried::Late;
        };
        let whole = if job.buffers() { to_its_end(&consult.gateway, runtime, job, at) } else { None };
        let timed = Timed { target: candidate.circuits, size: job.size, started: runtime.now() };
        let (nth, place) = {
            let trace = &mut progress.borrow_mut().trace;
            (trace.calls_of(&candidate.name), trace.begin(&candidate.name))
        };
        if candidate.fault.is_some() {
            progress.borrow_mut().trace.inject(place);
        }
        let busy = consult.gateway.load().begin(candidate.circuits, timed.started, allowance.until);
        let flight = Flight { consult, progress, job, ticket: &ticket, timed, place, landed: false };
        let call = attempt::Attempt { consult, job, candidate, allowance, whole, timed, nth, guise: &guise };
        let attempt::Miss { mut verdict, about } = match call.run(&ticket).await {
            Ok(mut won) => {
                flight.land("ok", Some(200));
                corrective::met(consult, job, candidate, progress, &mut won);
                if let WonBody::Stream(streaming) = &mut won.body {
                    // It keeps its target busy until its end.
                    busy.until(runtime.now() + candidate.max_duration);
                    streaming.busy = Some(busy);
                }
                return Tried::Won(Box::new(won));
            }
            Err(miss) => miss,
        };
        flight.land(verdict.fault.word(), verdict.status);
        consult.record(&ticket, verdict.outcome());
        let is_unsatisfied = verdict.fault == Fault::Unsatisfied;
        let of_correction = corrective::is_refused(&verdict, &guise);
        if of_correction {
            verdict.next = Next::Target;
        }
        let anew = corrective::again(consult, job, candidate, progress, verdict.fault, about, corrections)
            .or_else(|| (of_correction && corrections == 0).then(|| Guise { correction: None, ..guise.clone() }));
        let (next, wait) = (verdict.next, retry_wait(&verdict, retries, runtime.random()));
        let After { other_key, nobody_else, calls } = progress.borrow_mut().lost(job.candidates, at, verdict, of_correction);
        if next == Next::Stop {
            return Tried::Stop;
        }
        let worth = |wait: &Duration| *wait <= LONGEST_WAIT || nobody_else;
        let wait = wait.filter(|_| !other_key && retries < candidate.retries);
        let corrected = corrections + u32::from(is_unsatisfied && anew.is_some());
        let wait = anew.as_ref().map(|_| Duration::ZERO).or(wait).filter(|_| calls < most(corrected));
        let Some(wait) = wait.filter(worth) else { return Tried::Lost };
        // A wait that leaves no time for the retry is better spent on the next target.
        let again = runtime.now() + wait;
        if again + deadline::LEAST_SLICE >= job.deadline || passes_over(&consult.gateway, again, job, at) {
            return Tried::Lost;
        }
        if !job.spending.withdraw_retry(runtime.now()) {
            return Tried::Lost;
        }
        if let Some(anew) = anew {
            corrections = corrected;
            guise = anew;
        } else {
            runtime.sleep(wait).await;
            retries += 1;
        }
        let patience = progress.borrow().patience;
        match consult.admit(candidate.circuits, patience).await {
            Ok(again) => ticket = again,
            Err(refusal) => {
                progress.borrow_mut().refusals.push(refusal);
                return Tried::Lost;
            }
        }
    }
}

/// The longest that a target is waited for while another could be asked instead.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

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
