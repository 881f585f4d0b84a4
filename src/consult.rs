//! How a request consults the breakers: the wiring between the isolate's [`View`](crate::breaker::View) and the object that
//! holds the truth.
//!
//! The invariant is the hot path's: a request whose isolate is warm and whose circuits are closed never waits for the object. It waits at
//! most [`PATIENCE`] in all, and only when the isolate knows nothing yet, or when a cooldown has ended and somebody must
//! be allowed to probe. Every exchange runs in the background and outlives the wait for it, so that what the object says is never lost, and
//! a lease that comes too late is given back.

use std::rc::Rc;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::{Either, join_all, select};

use crate::breaker::{Admission, Due, Outcome, Question, Refusal, Ticket, Urgency};
use crate::gateway::Gateway;
use crate::runtime::Runtime;
use crate::time::Timestamp;

/// The most that one request waits for breaker objects, all its questions together.
pub(crate) const PATIENCE: Duration = Duration::from_millis(50);

/// How long a failure may wait for others before it is reported, so that a storm of them is one message.
const GATHER: Duration = Duration::from_millis(250);

/// Refreshes what this isolate knows of the given providers: in the background where its knowledge is due, waiting for it where it
/// has none.
pub(crate) async fn warm<R: Runtime>(gateway: &Rc<Gateway>, runtime: &R, providers: impl Iterator<Item = usize>) {
    let now = runtime.now();
    let mut cold = Vec::new();
    for provider in providers {
        let due = gateway.view().borrow().due(provider, now);
        match due {
            Due::No => {}
            Due::Refresh => exchange(gateway, runtime, provider, None),
            Due::Cold => {
                let (done, waiting) = oneshot::channel();
                exchange(gateway, runtime, provider, Some((None, done)));
                cold.push(waiting);
            }
        }
    }
    if !cold.is_empty() {
        select(join_all(cold), std::pin::pin!(runtime.sleep(PATIENCE))).await;
    }
}

/// Whether a target may be called now. A question to the object is waited for until `patience` at the latest.
pub(crate) async fn admit<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    target: crate::breaker::TargetId,
    patience: Timestamp,
) -> Result<Ticket, Refusal> {
    let now = runtime.now();
    let admission = gateway.view().borrow_mut().admit(target, now);
    let question = match admission {
        Admission::Go(ticket) => return Ok(ticket),
        Admission::Refused(refusal) => return Err(refusal),
        Admission::Ask(question) => question,
    };
    let refusal = question.refusal(now);
    let (done, waiting) = oneshot::channel();
    exchange(gateway, runtime, question.provider(), Some((Some(question), done)));
    match select(waiting, std::pin::pin!(runtime.sleep(patience.since(now)))).await {
        Either::Left((Ok(Some(granted)), _)) => granted,
        _ => Err(refusal),
    }
}

/// Tells the breakers how a call ended.
pub(crate) fn record<R: Runtime>(gateway: &Rc<Gateway>, runtime: &R, ticket: &Ticket, outcome: Outcome) {
    let provider = ticket.provider();
    let urgency = gateway.view().borrow_mut().record(ticket, outcome, runtime.now(), runtime.random());
    match urgency {
        Urgency::Later => {}
        Urgency::Now => exchange(gateway, runtime, provider, None),
        Urgency::Soon => {
            let (gateway, later) = (Rc::clone(gateway), runtime.clone());
            runtime.after(async move {
                later.sleep(GATHER).await;
                let pending = gateway.view().borrow().has_pending(provider);
                if pending {
                    exchange(&gateway, &later, provider, None);
                }
            });
        }
    }
}

type Waiter = (Option<Question>, oneshot::Sender<Option<Result<Ticket, Refusal>>>);

/// One exchange with a provider's object, in the background.
fn exchange<R: Runtime>(gateway: &Rc<Gateway>, runtime: &R, provider: usize, waiter: Option<Waiter>) {
    let now = runtime.now();
    let (question, waiting) = waiter.map_or((None, None), |(question, waiting)| (question, Some(waiting)));
    let (message, sent) = gateway.view().borrow_mut().outgoing(provider, question.as_ref(), now);
    let object = gateway.breaker_object(provider, runtime.region());
    let answer = runtime.exchange(&object, message);
    let (gateway, again) = (Rc::clone(gateway), runtime.clone());
    runtime.after(async move {
        let answer = answer.await;
        let now = again.now();
        let granted = {
            let mut view = gateway.view().borrow_mut();
            view.incoming(provider, sent, answer.as_deref(), now);
            question.map(|question| view.resolve(question, answer.as_deref(), now))
        };
        if let Some(waiting) = waiting
            && let Err(Some(Ok(ticket))) = waiting.send(granted)
        {
            // Nobody waits any more: the lease goes back, so that the next request may probe.
            record(&gateway, &again, &ticket, Outcome::Nothing);
        }
    });
}
