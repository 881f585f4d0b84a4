//! How a request consults the breakers: the wiring between the isolate's [`View`](crate::breaker::View) and the objects that hold the
//! truth.
//!
//! The invariant is the hot path's: a request whose isolate is warm and whose circuits are closed never waits for an object. It waits at
//! most [`PATIENCE`] in all, and only when the isolate knows nothing yet, or when a cooldown has ended and somebody must
//! be allowed to probe. Every exchange runs in the background and outlives the wait for it, so that what the object says is never lost, and
//! a lease that comes too late is given back.
//!
//! The platform lets a request wait for the headers of six connections, and queues the seventh without a word while its timer runs. So a
//! request has at most [`MOST`] exchanges under way, which with its upstream call and the cache makes five; what is to be said beyond that waits until
//! one is back.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::{Either, join_all, select};

use crate::breaker::{Admission, Due, Outcome, Question, Refusal, TargetId, Ticket};
use crate::gateway::Gateway;
use crate::latency::{Awaited, Kind, Size, Took};
use crate::runtime::Runtime;
use crate::time::Timestamp;

/// The most that one request waits for breaker objects, all its questions together.
pub(crate) const PATIENCE: Duration = Duration::from_millis(50);

/// The longest that news wait in the background of the request that made them: the platform ends what goes on for thirty seconds.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// The most exchanges of one request at a time. One of them is kept for a question, which somebody waits for.
const MOST: usize = 3;

/// What one request needs to consult the breakers.
#[derive(Clone)]
pub(crate) struct Consult<R> {
    pub(crate) gateway: Rc<Gateway>,
    pub(crate) runtime: R,
    exchanges: Rc<RefCell<Exchanges>>,
}

/// A call whose time is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timed {
    pub(crate) target: TargetId,
    pub(crate) size: Size,
    pub(crate) started: Timestamp,
}

/// A request's exchanges.
#[derive(Default)]
struct Exchanges {
    under_way: usize,
    /// Providers that have news, and no place among those under way.
    waiting: Vec<usize>,
}

/// Who waits for an exchange, and with what question.
struct Waiter {
    question: Option<Question>,
    done: oneshot::Sender<Option<Result<Ticket, Refusal>>>,
}

impl<R: Runtime> Consult<R> {
    pub(crate) fn new(gateway: Rc<Gateway>, runtime: R) -> Self {
        Self { gateway, runtime, exchanges: Rc::default() }
    }

    /// Refreshes what this isolate knows of the given providers: in the background where its knowledge is due, waiting for it where it
    /// has none.
    pub(crate) async fn warm(&self, providers: impl Iterator<Item = usize>) {
        let now = self.runtime.now();
        let mut cold = Vec::new();
        for provider in providers {
            let due = self.gateway.view().borrow().due(provider, now);
            match due {
                Due::No => {}
                Due::Refresh => self.tell(provider),
                Due::Cold => {
                    let (done, waiting) = oneshot::channel();
                    self.exchange(provider, Some(Waiter { question: None, done }));
                    cold.push(waiting);
                }
            }
        }
        if !cold.is_empty() {
            select(join_all(cold), std::pin::pin!(self.runtime.sleep(PATIENCE))).await;
        }
    }

    /// Whether a target may be called now. A question to its object is waited for until `patience` at the latest.
    pub(crate) async fn admit(&self, target: TargetId, patience: Timestamp) -> Result<Ticket, Refusal> {
        let now = self.runtime.now();
        self.keep_up(target, now);
        let admission = self.gateway.view().borrow_mut().admit(target, now);
        let question = match admission {
            Admission::Go(ticket) => return Ok(ticket),
            Admission::Refused(refusal) => return Err(refusal),
            Admission::Ask(question) => question,
        };
        let refusal = question.refusal(now);
        if self.exchanges.borrow().under_way >= MOST {
            return Err(refusal);
        }
        let (done, waiting) = oneshot::channel();
        self.exchange(question.provider(), Some(Waiter { question: Some(question), done }));
        match select(waiting, std::pin::pin!(self.runtime.sleep(patience.since(now)))).await {
            Either::Left((Ok(Some(granted)), _)) => granted,
            _ => Err(refusal),
        }
    }

    /// Refreshes in the background what is known of a target's provider, where that is due: [`Consult::warm`] looks after the first two targets, and
    /// an operator's order must be heard wherever a target stands.
    fn keep_up(&self, target: TargetId, now: Timestamp) {
        let due = self.gateway.view().borrow().due_for(target, now);
        if let Some(provider) = due {
            self.tell(provider);
        }
    }

    /// Whether a target may be called without asking anybody.
    pub(crate) fn is_closed(&self, target: TargetId) -> bool {
        self.gateway.view().borrow().is_closed(target, self.runtime.now())
    }

    /// The ticket of a target that may be called without asking anybody.
    pub(crate) fn admit_closed(&self, target: TargetId) -> Option<Ticket> {
        if !self.is_closed(target) {
            return None;
        }
        match self.gateway.view().borrow_mut().admit(target, self.runtime.now()) {
            Admission::Go(ticket) => Some(ticket),
            Admission::Ask(_) | Admission::Refused(_) => None,
        }
    }

    /// Tells the breakers how a call ended.
    pub(crate) fn record(&self, ticket: &Ticket, outcome: Outcome) {
        let provider = ticket.provider();
        let (now, random) = (self.runtime.now(), self.runtime.random());
        let urgency = self.gateway.view().borrow_mut().record(ticket, outcome, now, random);
        let wait = self.gateway.view().borrow_mut().tell_in(provider, urgency, now, self.runtime.random());
        match wait {
            None => {}
            // The next request tells it.
            Some(wait) if wait > LONGEST_WAIT => {}
            Some(Duration::ZERO) => self.tell(provider),
            Some(wait) => {
                let later = self.clone();
                self.runtime.after(async move {
                    later.runtime.sleep(wait).await;
                    let must = later.gateway.view().borrow().must_tell(provider, later.runtime.now());
                    if must {
                        later.tell(provider);
                    }
                });
            }
        }
    }

    /// Notes that what a call was waited for has come.
    pub(crate) fn came(&self, call: &Timed, awaited: Awaited) {
        self.took(call, awaited, Took::Exactly);
    }

    /// Notes that it has not, and is waited for no longer.
    pub(crate) fn gave_up(&self, call: &Timed, awaited: Awaited) {
        self.took(call, awaited, Took::AtLeast);
    }

    fn took(&self, call: &Timed, awaited: Awaited, took: fn(Duration) -> Took) {
        let now = self.runtime.now();
        let kind = Kind { awaited, size: call.size };
        self.gateway.view().borrow_mut().took(call.target, kind, took(now.since(call.started)), now);
    }

    /// An exchange that nobody waits for, now or as soon as there is a place for it.
    fn tell(&self, provider: usize) {
        {
            let mut exchanges = self.exchanges.borrow_mut();
            if exchanges.under_way + 1 >= MOST {
                if !exchanges.waiting.contains(&provider) {
                    exchanges.waiting.push(provider);
                }
                return;
            }
        }
        self.exchange(provider, None);
    }

    /// One exchange with a provider's object, in the background.
    fn exchange(&self, provider: usize, waiter: Option<Waiter>) {
        let (question, done) = waiter.map_or((None, None), |waiter| (waiter.question, Some(waiter.done)));
        let (message, sent) = self.gateway.view().borrow_mut().outgoing(provider, question.as_ref(), self.runtime.now());
        let object = self.gateway.breaker_object(provider, self.runtime.region());
        self.exchanges.borrow_mut().under_way += 1;
        let answer = self.runtime.exchange(&object, message);
        let consult = self.clone();
        self.runtime.after(async move {
            let answer = answer.await;
            let now = consult.runtime.now();
            let granted = {
                let mut view = consult.gateway.view().borrow_mut();
                view.incoming(provider, sent, answer.as_deref(), now);
                question.map(|question| view.resolve(&question, answer.as_deref(), now))
            };
            if let Some(done) = done
                && let Err(Some(Ok(ticket))) = done.send(granted)
            {
                // Nobody waits any more: the lease goes back, so that the next request may probe.
                consult.record(&ticket, Outcome::Nothing);
            }
            let next = {
                let mut exchanges = consult.exchanges.borrow_mut();
                exchanges.under_way -= 1;
                exchanges.waiting.pop()
            };
            if let Some(provider) = next {
                consult.tell(provider);
            }
        });
    }
}
