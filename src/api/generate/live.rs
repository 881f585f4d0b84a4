//! Streams that go on after their head was sent: with `early_headers`, before anybody has answered, and with `on_cut = "restart"`, after the upstream
//! that answered has failed.
//!
//! Such a request is served by a task that owns all of it, and hands its head to the client as soon as there is one. What it guarantees:
//!
//! - a head that was promised early is a 200, whatever comes: a failure is then an error event, as after any other commit;
//! - a stream goes on with another target only while nothing but reasoning was shown, within the deadline and the number of calls that the
//!   request has in all; the client then sees two beginnings, and one answer;
//! - while nothing is there to send, a comment goes out from time to time, so that what stands between keeps the connection open.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::{Either, select};

use super::Endpoint;
use super::inquiry::{Inquiry, Known};
use crate::auth::Caller;
use crate::dialect::Dialect;
use crate::engine::{self, Won, WonBody};
use crate::envelope::Envelope;
use crate::error::Error;
use crate::gateway::{self, Gateway};
use crate::http::{Body, Headers, Request, Response};
use crate::runtime::Runtime;
use crate::stream::{EVENT_STREAM, Successor};
use crate::time::Timestamp;

/// A comment of the protocol, which every client skips (WHATWG HTML, section 9.2.6).
const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

/// How often it is sent. Proxies and load balancers give up a silent connection after 30 to 60 seconds; that a client has left without a word (by
/// FIN rather than RST) is noticed only when something is written to it.
const EVERY: Duration = Duration::from_secs(5);

type Head<R> = oneshot::Sender<Response<<R as Runtime>::Stream>>;

/// Serves a request whose stream goes on after its head.
pub(super) async fn serve<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    request: &Request,
    caller: &Caller,
    endpoint: Endpoint,
    came: Timestamp,
) -> Response<R::Stream> {
    let (head, promised) = oneshot::channel();
    let (gateway, owned, request, caller) = (Rc::clone(gateway), runtime.clone(), request.clone(), caller.clone());
    runtime.after(async move {
        // Both were there when the request was understood the first time.
        let Ok(config) = gateway.config() else { return };
        let Ok(envelope) = Envelope::parse(endpoint.dialect, &request.body) else { return };
        match Inquiry::new(&gateway, &owned, config, &request, &envelope, &caller, endpoint.operation) {
            Ok(mut inquiry) => {
                inquiry.started = came;
                Live { inquiry: &inquiry, head: Some(head), pipe: None }.run().await;
            }
            Err(error) => drop(head.send(gateway::refuse(endpoint.dialect, &error))),
        }
    });
    promised.await.unwrap_or_else(|_| gateway::refuse(endpoint.dialect, &Error::client_gone()))
}

struct Live<'a, R: Runtime> {
    inquiry: &'a Inquiry<'a, R>,
    /// Until the head is sent.
    head: Option<Head<R>>,
    /// The client's stream, from then on.
    pipe: Option<R::Pipe>,
}

impl<R: Runtime> Live<'_, R> {
    fn dialect(&self) -> Dialect {
        self.inquiry.envelope.dialect
    }

    async fn run(mut self) {
        let inquiry = self.inquiry;
        let known = inquiry.look_up().await;
        match inquiry.hit(&known) {
            Ok(None) => {}
            Ok(Some(hit)) => return self.send(hit),
            Err(error) => return self.send(gateway::refuse(self.dialect(), &error)),
        }
        inquiry.deposit();
        if inquiry.settings().early_headers {
            self.open(&known, Headers::new());
            self.say(KEEP_ALIVE);
        }
        // The calls so far, by their targets, and what would have ended the stream that the last of them began.
        let mut asked: Vec<String> = Vec::new();
        let mut unsaid: Option<Vec<u8>> = None;
        loop {
            let engine::Outcome { trace, result } = self.ask(&asked).await;
            asked.extend(trace.targets());
            let won = match result {
                Ok(won) => won,
                Err(error) => return self.fail(&error, unsaid, &known, &trace),
            };
            // A whole answer needs no stream of its own, unless one has begun already.
            if self.pipe.is_none() && !matches!(won.body, WonBody::Stream(_)) {
                return self.send(inquiry.tell(inquiry.commit(won), &known, &trace));
            }
            if self.pipe.is_none() {
                let mut head: Response<R::Stream> =
                    Response { status: 200, headers: inquiry.commits().headers(&won), body: Body::Empty };
                head = inquiry.tell(head, &known, &trace);
                self.open(&known, head.headers);
            }
            unsaid = self.relay(won).await;
            let late = inquiry.consult.runtime.now() >= inquiry.deadline();
            match unsaid.take_if(|_| late) {
                Some(last) => return self.end(&last),
                None if unsaid.is_none() => return,
                None => {}
            }
        }
    }

    /// Asks the engine; a stream that is open already is kept so.
    async fn ask(&self, asked: &[String]) -> engine::Outcome<R::Body> {
        let runtime = &self.inquiry.consult.runtime;
        let job = self.inquiry.job(asked);
        let mut asking = pin!(engine::run(&self.inquiry.consult, &job));
        if self.pipe.is_none() {
            return asking.await;
        }
        loop {
            match select(asking.as_mut(), pin!(runtime.sleep(EVERY))).await {
                Either::Left((outcome, _)) => return outcome,
                Either::Right(_) => self.say(KEEP_ALIVE),
            }
        }
    }

    /// Relays an answer into the open stream. What would have ended it, where another target may go on.
    async fn relay(&self, won: Won<R::Body>) -> Option<Vec<u8>> {
        let (inquiry, pipe) = (self.inquiry, self.pipe.as_ref()?);
        let store = inquiry.store(&won.source.target);
        let commits = inquiry.commits();
        match won.body {
            WonBody::Stream(streaming) => {
                let successor = inquiry.restarts().then(Successor::default);
                commits.pump(pipe, &won.source, *streaming, store, successor.clone()).await;
                return successor.and_then(|successor| successor.take());
            }
            WonBody::Streamed(all) => self.end(commits.all_at_once(&won.source, &all, store).as_bytes()),
            WonBody::Whole(text, answer) => match commits.whole::<R::Stream>(&won.source, text, answer, store) {
                (_, Body::Text(events)) => self.end(events.as_bytes()),
                (_, Body::Empty | Body::Stream(_)) => self.end(b""),
            },
        }
        None
    }

    /// Nobody has answered.
    fn fail(mut self, error: &Error, unsaid: Option<Vec<u8>>, known: &Known, trace: &crate::trace::Trace) {
        let begun = unsaid.is_some();
        let stale = if begun { None } else { self.inquiry.stale(known, error) };
        match (&self.pipe, stale) {
            (None, Some(stale)) => self.send(self.inquiry.tell(stale, known, trace)),
            (None, None) => self.send(self.inquiry.tell(gateway::answer_error(self.dialect(), error, trace), known, trace)),
            (Some(_), Some(Response { body: Body::Text(text), .. })) => self.end(text.as_bytes()),
            // Of a stream that had begun, its own end is what there is to tell.
            (Some(_), _) => self.end(&unsaid.unwrap_or_else(|| error.event_with(self.dialect(), trace))),
        }
    }

    fn send(&mut self, response: Response<R::Stream>) {
        if let Some(head) = self.head.take() {
            // A client that has gone needs none.
            drop(head.send(response));
        }
    }

    /// Sends a head, and opens the stream behind it.
    fn open(&mut self, known: &Known, mut headers: Headers) {
        let (pipe, stream) = self.inquiry.consult.runtime.pipe();
        self.pipe = Some(pipe);
        let told = !headers.is_empty();
        headers.push("content-type", EVENT_STREAM);
        let response = Response { status: 200, headers, body: Body::Stream(stream) };
        let response = if told { response } else { self.inquiry.tell(response, known, &crate::trace::Trace::default()) };
        self.send(response);
    }

    fn say(&self, bytes: &[u8]) {
        if let Some(pipe) = &self.pipe {
            self.inquiry.consult.runtime.write(pipe, bytes.to_vec());
        }
    }

    fn end(&self, last: &[u8]) {
        self.say(last);
        if let Some(pipe) = &self.pipe {
            self.inquiry.consult.runtime.close(pipe);
        }
    }
}
