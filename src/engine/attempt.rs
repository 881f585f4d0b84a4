//! One call of one candidate: sent, waited for, and judged.

use super::Job;
use crate::breaker::{Outcome, Ticket};
use crate::chat;
use crate::config::simulated::Simulated;
use crate::config::{Hold as Window, Protocol};
use crate::consult::{Consult, Timed};
use crate::deadline::Allowance;
use crate::fault::Fault;
use crate::http::Headers;
use crate::latency::Awaited;
use crate::load::UnderWay;
use crate::provider::{openai, simulated};
use crate::route::Candidate;
use crate::runtime::{Call, CallError, Destination, End, Payload, Read, Reply, Runtime};
use crate::stream::{Failure, Held, Hold};
use crate::time::Timestamp;
use crate::verdict::{self, Evidence, Verdict};

/// The most that an unstreamed answer may hold, in bytes.
const MAX_ANSWER: usize = 10 * 1024 * 1024;

/// An answer that counts.
pub(crate) struct Won<B> {
    /// Who answered: `provider/model`.
    pub(crate) target: String,
    /// The upstream's header fields.
    pub(crate) headers: Headers,
    /// The answer.
    pub(crate) body: WonBody<B>,
}

/// An answer, or as much of it as commits.
pub(crate) enum WonBody<B> {
    /// All of it, as JSON.
    Whole(String),
    /// The whole of a stream.
    Streamed(Vec<u8>),
    /// A stream that has begun.
    Stream(Box<Streaming<B>>),
}

/// A stream that has begun. Its outcome is still to be recorded.
pub(crate) struct Streaming<B> {
    /// What was held back: whole frames, the first content among them.
    pub(crate) first: Vec<u8>,
    /// What comes after, to be looked at by whoever relays it.
    pub(crate) rest: B,
    /// The scanner's state after `first`.
    pub(crate) hold: Hold,
    /// To tell the breakers how it ended.
    pub(crate) ticket: Ticket,
    /// To note how long it took.
    pub(crate) timed: Timed,
    /// Counts it among the calls of its target, for as long as it goes on.
    pub(crate) busy: Option<UnderWay>,
}

pub(super) struct Attempt<'a, R: Runtime> {
    pub(super) consult: &'a Consult<R>,
    pub(super) job: &'a Job<'a>,
    pub(super) candidate: &'a Candidate<'a>,
    pub(super) allowance: Allowance,
    pub(super) timed: Timed,
    /// How many calls of this request went to this target before.
    pub(super) nth: u64,
}

impl<R: Runtime> Attempt<'_, R> {
    /// Runs it. A success is recorded here, a verdict by whoever acts on it.
    pub(super) async fn run(&self, ticket: &Ticket) -> Result<Won<R::Body>, Verdict> {
        if let Some(delay) = self.candidate.fault.as_ref().and_then(Fault::delay) {
            let left = self.allowance.until.since(self.consult.runtime.now());
            self.consult.runtime.sleep(delay.min(left)).await;
            if delay >= left {
                return Err(self.judge(&self.give_up()));
            }
        }
        match self.call() {
            Ok(call) => self.answer(self.consult.runtime.call(call).await, ticket).await,
            Err(evidence) => Err(self.judge(&evidence)),
        }
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Verdict {
        let mut verdict = verdict::judge(&self.candidate.about(), evidence, self.consult.runtime.now());
        verdict.said = verdict.said.map(|said| said.without(self.candidate.hidden));
        verdict
    }

    /// The request as this candidate is sent it.
    fn call(&self) -> Result<Call, Evidence<'static>> {
        let candidate = self.candidate;
        let body = openai::encode(
            self.job.envelope,
            candidate.model,
            &candidate.set,
            self.job.force_usage && candidate.provider.quirks.stream_usage,
        );
        let made_up = candidate
            .fault
            .as_ref()
            .and_then(|fault| fault.script(candidate.model, self.job.envelope.stream, self.consult.runtime.now()));
        let to = if let Some(script) = made_up {
            Destination::Script(script)
        } else if candidate.provider.protocols.contains(&Protocol::Simulated) {
            Destination::Script(self.script(&body)?)
        } else {
            Destination::Post(candidate.url.to_owned())
        };
        let mut headers = Headers::new();
        headers.push("content-type", "application/json");
        headers.push("accept", if self.job.envelope.stream { "text/event-stream" } else { "application/json" });
        if let Some(secret) = candidate.secret {
            headers.push("authorization", format!("Bearer {}", secret.expose()));
        }
        for (name, value) in self.job.headers.iter().chain(&candidate.provider.headers) {
            headers.push(name.clone(), value.clone());
        }
        Ok(Call { to, headers, body, streamed: self.job.envelope.stream, until: self.allowance.until, max_bytes: MAX_ANSWER })
    }

    fn script(&self, body: &str) -> Result<crate::runtime::Script, Evidence<'static>> {
        let candidate = self.candidate;
        let none = Simulated::default();
        let behaviour = candidate.provider.simulated.as_ref().unwrap_or(&none).behaviour(candidate.model);
        let question = simulated::Question {
            target: &candidate.name,
            model: candidate.model,
            body,
            nth: self.consult.gateway.count_simulated(&candidate.name),
            attempt: self.nth,
            now: self.consult.runtime.now(),
        };
        // The header was checked when the request was read.
        simulated::answer(behaviour, self.job.simulate, &question).map_err(|_| Evidence::Garbage)
    }

    async fn answer(&self, reply: Result<Reply<R::Body>, CallError>, ticket: &Ticket) -> Result<Won<R::Body>, Verdict> {
        let Reply { status, headers, body } = match reply {
            Ok(reply) => reply,
            Err(error) => return Err(self.judge(&self.unanswered(error))),
        };
        if !(200..300).contains(&status) {
            let text = if let Payload::Whole(text) = body { text } else { String::new() };
            return Err(self.judge(&Evidence::Status { status, headers: &headers, body: &text }));
        }
        let body = match body {
            Payload::Whole(text) => self.whole(text, ticket)?,
            Payload::Stream(rest) => self.stream(rest, ticket).await?,
        };
        Ok(Won { target: self.candidate.name.clone(), headers, body })
    }

    fn unanswered(&self, error: CallError) -> Evidence<'static> {
        match error {
            CallError::Connect => Evidence::Connect,
            CallError::Timeout => self.give_up(),
            CallError::Cut => Evidence::Cut,
            CallError::TooLarge => Evidence::TooLarge,
            CallError::ClientGone => Evidence::ClientGone,
        }
    }

    /// Nothing came in the time that was given. Of all failures this is the one that says something about latency.
    fn give_up(&self) -> Evidence<'static> {
        self.consult.gave_up(&self.timed, Awaited::of(self.job.envelope.stream));
        Evidence::Timeout { fair: self.allowance.fair, first_token: self.allowance.first_token }
    }

    /// All of an answer is there.
    fn complete(&self, ticket: &Ticket, awaited: Awaited) {
        self.consult.record(ticket, Outcome::Success);
        self.consult.came(&self.timed, awaited);
    }

    fn whole(&self, text: String, ticket: &Ticket) -> Result<WonBody<R::Body>, Verdict> {
        match openai::classify_whole(&text) {
            // A client that streams must be told it as a stream.
            openai::Whole::Complete if self.job.envelope.stream && chat::replay(&text, false).is_none() => {
                Err(self.judge(&Evidence::Garbage))
            }
            openai::Whole::Complete => {
                self.complete(ticket, Awaited::of(self.job.envelope.stream));
                Ok(WonBody::Whole(text))
            }
            openai::Whole::Empty => Err(self.judge(&Evidence::Empty)),
            openai::Whole::Error => Err(self.judge(&Evidence::ErrorInside { body: &text })),
            openai::Whole::Garbage => Err(self.judge(&Evidence::Garbage)),
        }
    }

    /// Reads until the first content, and for as long beyond it as the stream is to be held back.
    async fn stream(&self, mut rest: R::Body, ticket: &Ticket) -> Result<WonBody<R::Body>, Verdict> {
        let runtime = &self.consult.runtime;
        let mut hold = Hold::new(self.candidate.provider.quirks.done_may_be_missing).beyond(self.job.hold);
        let mut ticket = ticket.clone();
        // Set at the first content: the end of what is held back in any case.
        let mut release: Option<Timestamp> = None;
        loop {
            let until = match release {
                None => self.allowance.until,
                Some(release) => release.min(runtime.now() + self.candidate.stall),
            };
            let fed = match runtime.read(&mut rest, until).await {
                Read::Bytes(bytes) => hold.feed(&bytes),
                Read::End(End::Eof) => hold.end(),
                Read::End(End::Cut) => return Err(self.judge(&Evidence::Cut)),
                Read::End(End::ClientGone) => return Err(self.judge(&Evidence::ClientGone)),
                Read::End(End::Silence | End::Overlong) => match release {
                    None => return Err(self.judge(&self.give_up())),
                    Some(release) if runtime.now() >= release => Held::Commit(hold.release()),
                    Some(_) => return Err(self.judge(&Evidence::Stalled)),
                },
            };
            if release.is_none() && (hold.has_content() || matches!(fed, Held::Commit(_))) {
                release = Some(self.begun(&mut ticket));
            }
            match fed {
                Held::More => {}
                Held::Commit(first) => {
                    let streaming = Streaming { first, rest, hold, ticket, timed: self.timed, busy: None };
                    return Ok(WonBody::Stream(Box::new(streaming)));
                }
                Held::Complete(all) => {
                    if release.is_none() {
                        self.begun(&mut ticket);
                    }
                    self.complete(&ticket, Awaited::StreamCompletion);
                    return Ok(WonBody::Streamed(all));
                }
                Held::Failed(Failure::Empty) => return Err(self.judge(&Evidence::Empty)),
                Held::Failed(Failure::Cut) => return Err(self.judge(&Evidence::Cut)),
                Held::Failed(Failure::Garbage) => return Err(self.judge(&Evidence::Garbage)),
                Held::Failed(Failure::Error(body)) => return Err(self.judge(&Evidence::ErrorInside { body: &body })),
            }
        }
    }

    /// The first content is there. Until when more may be held back.
    fn begun(&self, ticket: &mut Ticket) -> Timestamp {
        self.consult.came(&self.timed, Awaited::FirstContent);
        if ticket.is_probe() {
            // The first content is what a probe is for; how the stream ends counts as for any other call.
            self.consult.record(ticket, Outcome::Success);
            *ticket = self.consult.gateway.view().borrow().settled(ticket);
        }
        match self.job.hold {
            Some(Window::Time(time)) => self.job.deadline.min(self.consult.runtime.now() + time),
            Some(Window::Tokens(_)) | None => self.job.deadline,
        }
    }
}
