//! One call of one candidate: sent, waited for, and judged.

use super::Job;
use crate::breaker::{Outcome, Ticket};
use crate::config::Protocol;
use crate::config::simulated::Simulated;
use crate::consult::Consult;
use crate::deadline::Allowance;
use crate::http::Headers;
use crate::provider::{openai, simulated};
use crate::route::Candidate;
use crate::runtime::{Call, CallError, Destination, End, Payload, Read, Reply, Runtime};
use crate::stream::{Failure, Held, Hold};
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
    /// A stream that has begun. Its outcome is still to be recorded.
    Stream {
        /// What was held back: whole frames, the first content among them.
        first: Vec<u8>,
        /// What comes after, to be looked at by whoever relays it.
        rest: B,
        /// The scanner's state after `first`.
        hold: Hold,
        /// To tell the breakers how it ended.
        ticket: Ticket,
    },
}

pub(super) struct Attempt<'a, R: Runtime> {
    pub(super) consult: &'a Consult<R>,
    pub(super) job: &'a Job<'a>,
    pub(super) candidate: &'a Candidate<'a>,
    pub(super) allowance: Allowance,
    /// How many calls of this request went to this target before.
    pub(super) nth: u64,
}

impl<R: Runtime> Attempt<'_, R> {
    /// Runs it. A success is recorded here, a verdict by whoever acts on it.
    pub(super) async fn run(&self, ticket: &Ticket) -> Result<Won<R::Body>, Verdict> {
        match self.call() {
            Ok(call) => self.answer(self.consult.runtime.call(call).await, ticket).await,
            Err(evidence) => Err(self.judge(&evidence)),
        }
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Verdict {
        let mut verdict = verdict::judge(&self.candidate.about(), evidence, self.consult.runtime.now());
        if let Some(secret) = self.candidate.secret {
            verdict.said = verdict.said.map(|said| said.without(secret));
        }
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
        let to = if candidate.provider.protocols.contains(&Protocol::Simulated) {
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
            CallError::Timeout => self.timeout(),
            CallError::Cut => Evidence::Cut,
            CallError::TooLarge => Evidence::TooLarge,
            CallError::ClientGone => Evidence::ClientGone,
        }
    }

    fn timeout(&self) -> Evidence<'static> {
        Evidence::Timeout { fair: self.allowance.fair, first_token: self.allowance.first_token }
    }

    fn whole(&self, text: String, ticket: &Ticket) -> Result<WonBody<R::Body>, Verdict> {
        match openai::classify_whole(&text) {
            openai::Whole::Complete => {
                self.consult.record(ticket, Outcome::Success);
                Ok(WonBody::Whole(text))
            }
            openai::Whole::Empty => Err(self.judge(&Evidence::Empty)),
            openai::Whole::Error => Err(self.judge(&Evidence::ErrorInside { body: &text })),
            openai::Whole::Garbage => Err(self.judge(&Evidence::Garbage)),
        }
    }

    /// Reads until the first content.
    async fn stream(&self, mut rest: R::Body, ticket: &Ticket) -> Result<WonBody<R::Body>, Verdict> {
        let mut hold = Hold::new(self.candidate.provider.quirks.done_may_be_missing);
        loop {
            let fed = match self.consult.runtime.read(&mut rest, self.allowance.until).await {
                Read::Bytes(bytes) => hold.feed(&bytes),
                Read::End(End::Eof) => hold.end(),
                Read::End(End::Cut) => return Err(self.judge(&Evidence::Cut)),
                Read::End(End::ClientGone) => return Err(self.judge(&Evidence::ClientGone)),
                Read::End(End::Silence | End::Overlong) => return Err(self.judge(&self.timeout())),
            };
            match fed {
                Held::More => {}
                Held::Commit(first) => {
                    let mut ticket = ticket.clone();
                    if ticket.is_probe() {
                        // The first content is what a probe is for; how the stream ends counts as for any other call.
                        self.consult.record(&ticket, Outcome::Success);
                        ticket = self.consult.gateway.view().borrow().settled(&ticket);
                    }
                    return Ok(WonBody::Stream { first, rest, hold, ticket });
                }
                Held::Complete(all) => {
                    self.consult.record(ticket, Outcome::Success);
                    return Ok(WonBody::Streamed(all));
                }
                Held::Failed(Failure::Empty) => return Err(self.judge(&Evidence::Empty)),
                Held::Failed(Failure::Garbage) => return Err(self.judge(&Evidence::Garbage)),
                Held::Failed(Failure::Error(body)) => return Err(self.judge(&Evidence::ErrorInside { body: &body })),
            }
        }
    }
}
