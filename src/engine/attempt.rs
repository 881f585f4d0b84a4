//! One call of one candidate: sent, waited for, and judged.

use std::rc::Rc;

use super::{Job, in_place};
use crate::breaker::{Outcome, Ticket};
use crate::chat::{Answer, Means};
use crate::config::simulated::Simulated;
use crate::config::{Hold as Window, Protocol};
use crate::consult::{Consult, Timed};
use crate::deadline::Allowance;
use crate::demand::{self, Demand, Mark, Wrong};
use crate::dialect::Dialect;
use crate::fault::Fault;
use crate::http::Headers;
use crate::latency::Awaited;
use crate::load::UnderWay;
use crate::provider::address;
use crate::provider::simulated;
use crate::route::Candidate;
use crate::runtime::{Call, CallError, Destination, End, Payload, Read, Reply, Runtime};
use crate::stream::{self, Failure, Held, Hold};
use crate::time::Timestamp;
use crate::translation::{Guise, Sent};
use crate::verdict::{self, Evidence, Verdict};

/// The most that an unstreamed answer may hold, in bytes.
const MAX_ANSWER: usize = 10 * 1024 * 1024;

/// Who answered.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// `provider/model`.
    pub(crate) target: String,
    /// The credential, by the name that circuits have for it: of a provider with several keys, each may be another account.
    pub(crate) credential: String,
    /// What was spoken.
    pub(crate) dialect: Dialect,
}

/// An answer that counts.
pub(crate) struct Won<B> {
    /// Whose it is.
    pub(crate) source: Source,
    /// What of the request it was not told.
    pub(crate) ignored: Vec<String>,
    /// The upstream's header fields.
    pub(crate) headers: Headers,
    /// The answer.
    pub(crate) body: WonBody<B>,
    /// How it came to be what was demanded of its form, where something was.
    pub(crate) mark: Option<Mark>,
}

/// An answer, or as much of it as commits.
pub(crate) enum WonBody<B> {
    /// All of it, as JSON; decoded where it has to be told in another form than that.
    Whole(String, Option<Box<Answer>>),
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
    /// When all of a stream must be there, where it is sent only then.
    pub(super) whole: Option<Allowance>,
    pub(super) timed: Timed,
    /// How many calls of this request went to this target before.
    pub(super) nth: u64,
    /// How it asks for a form of the answer.
    pub(super) guise: &'a Guise,
}

/// Why a call was lost.
pub(super) struct Miss {
    pub(super) verdict: Verdict,
    pub(super) about: About,
}

/// What can be put right about it.
pub(super) enum About {
    /// Nothing, or the means by which the answer's form was asked for.
    Rest,
    /// That a tool's schema is to be enforced.
    Tool,
    /// Nothing any more: it was asked for by other means already.
    Spent,
    /// The answer, which was one, but not what was demanded.
    Answer(Box<Wrong>),
}

impl<R: Runtime> Attempt<'_, R> {
    /// Runs it. A success is recorded here, a verdict by whoever acts on it.
    pub(super) async fn run(&self, ticket: &Ticket) -> Result<Won<R::Body>, Miss> {
        if let Some(delay) = self.candidate.fault.as_ref().and_then(Fault::delay) {
            let left = self.allowance.until.since(self.consult.runtime.now());
            self.consult.runtime.sleep(delay.min(left)).await;
            if delay >= left {
                return Err(self.judge(&self.give_up()));
            }
        }
        let Sent { body, ignored, emulated, by_tool } = self.job.translation.sent(self.candidate, self.guise);
        let mut won = match self.call(body) {
            Ok(call) => self.answer(self.consult.runtime.call(call).await, ignored, by_tool, ticket).await?,
            Err(evidence) => return Err(self.judge(&evidence)),
        };
        if emulated && won.mark == Some(Mark::Valid) {
            won.mark = Some(Mark::Emulated);
        }
        Ok(won)
    }

    pub(super) fn judge(&self, evidence: &Evidence<'_>) -> Miss {
        let mut verdict = verdict::judge(&self.candidate.about(), evidence, self.consult.runtime.now());
        // What is known of a refusal beyond that it is one, such as that the request is too long, is right whatever it names beside that.
        if matches!(verdict.fault, verdict::Fault::Refused | verdict::Fault::Unsupported)
            && let Evidence::Status { body, .. } = evidence
            && let Some(fault) = self.of_schema(body)
        {
            (verdict.fault, verdict.next) = (fault, verdict::Next::Target);
        }
        let about = match (verdict.fault, evidence, self.job.demand) {
            (verdict::Fault::Unsatisfied, Evidence::Status { body, .. }, Some(demand)) => {
                demand.failed_generation(body).map_or(About::Rest, |wrong| About::Answer(Box::new(wrong)))
            }
            (verdict::Fault::SchemaRefused, ..) if self.guise.means == Means::Loose => About::Spent,
            (verdict::Fault::SchemaRefused, Evidence::Status { body, .. }, Some(demand)) if !is_of_form(demand, body) => {
                About::Tool
            }
            _ => About::Rest,
        };
        verdict.said = verdict.said.map(|said| said.without(self.candidate.hidden));
        Miss { verdict, about }
    }

    /// What a refusal is that is one of the form that was asked for rather than of the request: it can be asked for by other means.
    fn of_schema(&self, body: &str) -> Option<verdict::Fault> {
        let demand = self.job.demand?;
        if demand::is_wrong_answer(body) {
            return Some(verdict::Fault::Unsatisfied);
        }
        let of_tool = demand.has_strict_tools() && demand::is_of_strict_tool(body);
        let is_refused = match self.guise.means {
            Means::Native => is_of_form(demand, body) || of_tool,
            // It is not its being strict, then; another target may take it.
            Means::Loose => of_tool,
            Means::Tool | Means::Object | Means::Words => false,
        };
        is_refused.then_some(verdict::Fault::SchemaRefused)
    }

    /// The request as this candidate is sent it.
    fn call(&self, body: String) -> Result<Call, Evidence<'static>> {
        let candidate = self.candidate;
        let stream = self.job.envelope.stream;
        let made_up =
            candidate.fault.as_ref().and_then(|fault| fault.script(candidate.model, stream, self.consult.runtime.now()));
        let to = if let Some(script) = made_up {
            Destination::Script(script)
        } else if candidate.provider.protocols.contains(&Protocol::Simulated) {
            Destination::Script(self.script(&body)?)
        } else {
            let operation = self.job.translation.operation();
            // Whoever has no such endpoint was refused before.
            Destination::Post(
                address::url(candidate.base, candidate.dialect, candidate.model, operation, stream).ok_or(Evidence::Garbage)?,
            )
        };
        let mut headers = Headers::new();
        headers.push("content-type", "application/json");
        headers.push("accept", if stream { "text/event-stream" } else { "application/json" });
        address::sign(&mut headers, candidate.dialect, candidate.secret);
        let same = candidate.dialect == self.job.envelope.dialect;
        let up = self.job.headers.iter().filter(|(name, _)| same && address::goes_up(name, candidate.dialect));
        for (name, value) in up.chain(&candidate.provider.headers) {
            headers.push(name.clone(), value.clone());
        }
        address::version(&mut headers, candidate.dialect);
        Ok(Call { to, headers, body, streamed: stream, until: self.allowance.until, max_bytes: MAX_ANSWER })
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

    async fn answer(
        &self,
        reply: Result<Reply<R::Body>, CallError>,
        ignored: Vec<String>,
        by_tool: bool,
        ticket: &Ticket,
    ) -> Result<Won<R::Body>, Miss> {
        let Reply { status, headers, body } = match reply {
            Ok(reply) => reply,
            Err(error) => return Err(self.judge(&self.unanswered(error))),
        };
        if !(200..300).contains(&status) {
            let text = if let Payload::Whole(text) = body { text } else { String::new() };
            return Err(self.judge(&Evidence::Status { status, headers: &headers, body: &text }));
        }
        let (body, mark) = match body {
            Payload::Whole(text) => self.whole(text, by_tool, ticket)?,
            Payload::Stream(rest) => self.stream(rest, by_tool, ticket).await?,
        };
        let (candidate, target) = (self.candidate, self.candidate.name.clone());
        let source = Source { target, credential: candidate.credential.to_owned(), dialect: candidate.dialect };
        Ok(Won { source, ignored, headers, body, mark })
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
    pub(super) fn complete(&self, ticket: &Ticket, awaited: Awaited) {
        self.consult.record(ticket, Outcome::Success);
        self.consult.came(&self.timed, awaited);
    }

    /// Reads until the first content, and for as long beyond it as the stream is to be held back.
    async fn stream(
        &self,
        mut rest: R::Body,
        by_tool: bool,
        ticket: &Ticket,
    ) -> Result<(WonBody<R::Body>, Option<Mark>), Miss> {
        let runtime = &self.consult.runtime;
        let dialect = self.candidate.dialect;
        let mut hold = Hold::new(dialect, self.candidate.provider.quirks.done_may_be_missing)
            .beyond(self.job.hold)
            .to_its_end(self.job.buffers());
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
                    Some(release) if runtime.now() >= release && self.job.buffers() => {
                        let fair = self.whole.is_some_and(|whole| whole.fair);
                        return Err(self.judge(&Evidence::Timeout { fair, first_token: false }));
                    }
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
                    return Ok((WonBody::Stream(Box::new(streaming)), None));
                }
                Held::Complete(all) => {
                    if release.is_none() {
                        self.begun(&mut ticket);
                    }
                    self.consult.came(&self.timed, Awaited::StreamCompletion);
                    let examine = |demand: &Rc<Demand>| self.examine(demand, stream::told(dialect, &all), by_tool);
                    let examined = self.job.demand.map(examine).transpose()?;
                    self.consult.record(&ticket, Outcome::Success);
                    return Ok(match examined {
                        None => (WonBody::Streamed(all), None),
                        Some((mark @ (None | Some(Mark::Valid)), _)) => (WonBody::Streamed(all), mark),
                        Some((mark @ Some(Mark::Repaired), answer)) => {
                            (in_place::streamed(self.job, dialect, &all, answer), mark)
                        }
                        Some((mark, answer)) => (WonBody::Whole(String::new(), Some(Box::new(answer))), mark),
                    });
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
            _ if self.job.buffers() => self.whole.map_or(self.job.deadline, |whole| whole.until),
            Some(Window::Time(time)) => self.job.deadline.min(self.consult.runtime.now() + time),
            Some(Window::Tokens(_)) | None => self.job.deadline,
        }
    }
}

fn is_of_form(demand: &Demand, refusal: &str) -> bool {
    demand.has_schema() && demand::is_of_schema(refusal)
}
