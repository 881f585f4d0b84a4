//! An answer that is there to its end: what it is, and whether it is what was demanded.

use super::attempt::{About, Attempt, Miss, WonBody};
use super::in_place;
use crate::breaker::{Outcome, Ticket};
use crate::chat::{Answer, taken_out_of_call};
use crate::demand::{Demand, Judgement, Mark, Passed};
use crate::dialect::{Dialect, Whole, chat, gemini, messages};
use crate::latency::Awaited;
use crate::provider::address::Operation;
use crate::runtime::Runtime;
use crate::verdict::{self, Evidence, Said, Verdict};

impl<R: Runtime> Attempt<'_, R> {
    /// Whether an answer that is there to its end is what was demanded of it: how it came to be that, unless nothing of it was judged, and the answer as it is
    /// then.
    pub(super) fn examine(
        &self,
        demand: &Demand,
        answer: Option<Answer>,
        by_tool: bool,
    ) -> Result<(Option<Mark>, Answer), Miss> {
        let Some(mut answer) = answer else { return Err(self.judge(&Evidence::Garbage)) };
        let mut called = false;
        if by_tool {
            for choice in &mut answer.choices {
                called |= taken_out_of_call(choice);
            }
        }
        let record = self.consult.gateway.demand_record();
        let count = |passed| record.borrow_mut().count(&self.candidate.name, passed);
        match demand.judge(&mut answer) {
            Judgement::Exempt if !called => Ok((None, answer)),
            Judgement::Exempt | Judgement::Valid => {
                count(Passed::Valid);
                Ok((Some(if called { Mark::Emulated } else { Mark::Valid }), answer))
            }
            Judgement::Repaired => {
                count(Passed::Repaired);
                Ok((Some(Mark::Repaired), answer))
            }
            Judgement::Wrong(wrong) => {
                count(Passed::Wrong);
                let said = Some(Said { message: wrong.in_words(), ..Said::default() });
                let (fault, target) = (verdict::Fault::Unsatisfied, self.candidate.name.clone());
                let verdict = Verdict { fault, status: Some(200), next: fault.next(false), wait: None, said, target };
                Err(Miss { verdict, about: About::Answer(wrong) })
            }
        }
    }

    pub(super) fn whole(&self, text: String, by_tool: bool, ticket: &Ticket) -> Result<(WonBody<R::Body>, Option<Mark>), Miss> {
        let (dialect, stream) = (self.candidate.dialect, self.job.envelope.stream);
        if self.job.translation.operation() == Operation::Count {
            return Ok((self.count(text, ticket)?, None));
        }
        match dialect.classify_whole(&text) {
            Whole::Complete => {
                let same = dialect == self.job.envelope.dialect;
                // A client of another dialect must be told it in its own, and one that streams as a stream.
                let answer = match dialect {
                    Dialect::Chat | Dialect::Responses if same => None,
                    _ if same && !stream => None,
                    _ => Some(Box::new(dialect.decode(&text).ok_or_else(|| self.judge(&Evidence::Garbage))?)),
                };
                if answer.is_none() && stream && dialect == Dialect::Chat && chat::replay(&text, false).is_none() {
                    return Err(self.judge(&Evidence::Garbage));
                }
                if let Some(demand) = self.job.demand {
                    self.consult.came(&self.timed, Awaited::of(stream));
                    let is_told_as_it_is = answer.is_none();
                    let answer = answer.map(|answer| *answer).or_else(|| dialect.decode(&text));
                    let (mark, answer) = self.examine(demand, answer, by_tool)?;
                    self.consult.record(ticket, Outcome::Success);
                    let body = match mark {
                        None | Some(Mark::Valid) if is_told_as_it_is => WonBody::Whole(text, None),
                        Some(Mark::Repaired) => {
                            in_place::told(is_told_as_it_is.then(|| dialect.amended(&text, &answer)).flatten(), answer)
                        }
                        _ => WonBody::Whole(text, Some(Box::new(answer))),
                    };
                    return Ok((body, mark));
                }
                self.complete(ticket, Awaited::of(stream));
                Ok((WonBody::Whole(text, answer), None))
            }
            // What comes of it is asked for by its id, and is nothing to judge yet.
            Whole::Pending if dialect == self.job.envelope.dialect => {
                self.complete(ticket, Awaited::of(stream));
                Ok((WonBody::Whole(text, None), None))
            }
            Whole::Pending => Err(self.judge(&Evidence::Garbage)),
            Whole::Empty => Err(self.judge(&Evidence::Empty)),
            Whole::Error => Err(self.judge(&Evidence::ErrorInside { body: &text })),
            Whole::Garbage => Err(self.judge(&Evidence::Garbage)),
        }
    }

    /// A number of tokens, in Anthropic's form.
    fn count(&self, text: String, ticket: &Ticket) -> Result<WonBody<R::Body>, Miss> {
        let counted = match self.candidate.dialect {
            Dialect::Gemini => gemini::counted(&text).map(|tokens| format!(r#"{{"input_tokens":{tokens}}}"#)),
            _ => messages::counted(&text).map(|_| text),
        };
        let Some(counted) = counted else { return Err(self.judge(&Evidence::Garbage)) };
        self.consult.record(ticket, Outcome::Success);
        Ok(WonBody::Whole(counted, None))
    }
}
