//! An answer's way to the client: in the form that was asked for, and into the cache.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::breaker::{Outcome, Ticket};
use crate::cache::{self, Entry, Plan};
use crate::canonical::Key;
use crate::chat;
use crate::consult::{Consult, Timed};
use crate::engine::{Streaming, Won, WonBody};
use crate::http::{self, Body, Headers, Response};
use crate::latency::Awaited;
use crate::load::UnderWay;
use crate::provider::openai::Envelope;
use crate::route::{Candidate, Resolved};
use crate::runtime::{Runtime, Step, StreamLimits, Tap};
use crate::stream::{Ending, Hold, Relay, Successor};

/// Where an answer is to be stored, once it is known to be complete.
pub(super) struct Store {
    pub(super) key: Key,
    pub(super) target: String,
    pub(super) plan: Plan,
}

impl Store {
    pub(super) fn put<R: Runtime>(self, runtime: &R, completion: String) {
        if let Some(stored) = cache::encode(self.key.as_str(), completion, &self.target, runtime.now(), &self.plan) {
            let key = self.key.as_str().to_owned();
            runtime.after(runtime.cache_put(key, stored.value, stored.metadata, stored.expire));
        }
    }
}

pub(super) const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";
const JSON: &str = "application/json";

/// A complete answer, in the form that was asked for; none where it is not one that could be streamed.
pub(super) fn render<S>(completion: &str, envelope: &Envelope<'_>) -> Option<(&'static str, Body<S>)> {
    Some(if envelope.stream {
        (EVENT_STREAM, Body::Text(chat::replay(completion, envelope.include_usage)?))
    } else {
        (JSON, Body::Text(completion.to_owned()))
    })
}

/// A stored answer; none where it is damaged.
pub(super) fn replay<S>(entry: &Entry, envelope: &Envelope<'_>, word: &'static str, age: Duration) -> Option<Response<S>> {
    let (kind, body) = render(&entry.value, envelope)?;
    let mut headers = Headers::new();
    headers.push("content-type", kind);
    headers.push("x-breakwater-target", entry.target.clone());
    headers.push("x-breakwater-cache", word);
    headers.push("age", age.as_secs().to_string());
    Some(Response { status: 200, headers, body })
}

/// The longest of the upstream's header fields that comes down, and the most of them together, in bytes. They are numbers and ids, a
/// kilobyte in all. Clients give up an answer whose header fields are more than 16 KB (Node's `fetch`: `HeadersOverflowError`), of which ours need some.
const MAX_FIELD: usize = 1024;
const MAX_FIELDS: usize = 8 * 1024;

/// What an upstream's header field is called when it comes down; none where it does not.
fn comes_down(name: &str) -> Option<&str> {
    match name {
        "x-request-id" => Some("x-upstream-request-id"),
        // Of a gateway like this one.
        "x-upstream-request-id" => None,
        _ => http::is_providers(name).then_some(name),
    }
}

/// An answer's way to the client.
pub(super) struct Commit<'a, R: Runtime> {
    pub(super) consult: &'a Consult<R>,
    pub(super) envelope: &'a Envelope<'a>,
    pub(super) resolved: &'a Resolved<'a>,
}

impl<R: Runtime> Commit<'_, R> {
    fn candidate(&self, target: &str) -> Option<&Candidate<'_>> {
        self.resolved.candidates.iter().find(|candidate| candidate.name == target)
    }

    /// What the head of an upstream's answer tells, but for its form.
    pub(super) fn headers(&self, won: &Won<R::Body>) -> Headers {
        let mut headers = Headers::new();
        headers.push("x-breakwater-target", won.target.clone());
        let hidden = self.candidate(&won.target).map(|candidate| candidate.hidden);
        let mut left = MAX_FIELDS;
        for (name, value) in won.headers.iter() {
            let Some(name) = comes_down(name) else { continue };
            let size = name.len() + value.len();
            let Some(still) = left.checked_sub(size).filter(|_| size <= MAX_FIELD) else { continue };
            left = still;
            let value = hidden.map_or_else(|| value.to_owned(), |hidden| hidden.taken_out_of(value.to_owned()));
            headers.push(name.to_owned(), value);
        }
        headers
    }

    /// The client's 200.
    pub(super) fn response(&self, won: Won<R::Body>, store: Option<Store>) -> Response<R::Stream> {
        let mut headers = self.headers(&won);
        let (kind, body) = match won.body {
            WonBody::Whole(completion) => {
                // The engine has seen that it can be told in the form that was asked for.
                let rendered = render(&completion, self.envelope).unwrap_or_else(|| (JSON, Body::Text(completion.clone())));
                if let Some(store) = store {
                    store.put(&self.consult.runtime, completion);
                }
                rendered
            }
            WonBody::Streamed(all) => (EVENT_STREAM, Body::Text(self.all_at_once(&all, store))),
            WonBody::Stream(streaming) => {
                let (pipe, stream) = self.consult.runtime.pipe();
                self.consult.runtime.after(self.pump(&pipe, &won.target, *streaming, store, None));
                (EVENT_STREAM, Body::Stream(stream))
            }
        };
        headers.push("content-type", kind);
        Response { status: 200, headers, body }
    }

    /// A stream that was complete before any of it was sent.
    pub(super) fn all_at_once(&self, all: &[u8], store: Option<Store>) -> String {
        let sent = match self.relay(Hold::new(false), store, None).chunk(all) {
            Step::Finish(bytes) | Step::Abort(bytes) | Step::Replace(bytes) => bytes,
            Step::Pass | Step::Leave => all.to_vec(),
        };
        String::from_utf8_lossy(&sent).into_owned()
    }

    /// Relays a stream into the client's; `successor` goes on where it breaks off before it has answered.
    pub(super) fn pump(
        &self,
        pipe: &R::Pipe,
        target: &str,
        streaming: Streaming<R::Body>,
        store: Option<Store>,
        successor: Option<Successor>,
    ) -> impl Future<Output = ()> + 'static {
        let Streaming { first, rest, hold, ticket, timed, busy } = streaming;
        let candidate = self.candidate(target);
        let limits = StreamLimits {
            stall: candidate.map_or(Duration::ZERO, |candidate| candidate.stall),
            until: self.consult.runtime.now() + candidate.map_or(Duration::ZERO, |candidate| candidate.max_duration),
        };
        let hidden = candidate.map(|candidate| candidate.hidden.clone()).unwrap_or_default();
        let relay = self.relay(hold, store, Some(Call { ticket, timed, _busy: busy })).hiding(hidden);
        let (mut relay, first) = relay.after(first);
        if let Some(successor) = successor {
            relay = relay.succeeded_by(successor);
        }
        self.consult.runtime.pump(pipe, first, rest, Box::new(relay), limits)
    }

    /// The tap over a stream: at its end the breakers are told, and a complete answer is stored.
    fn relay(&self, hold: Hold, store: Option<Store>, call: Option<Call>) -> Relay {
        let consult = self.consult.clone();
        let assembly = store.is_some().then(|| Rc::new(RefCell::new(chat::Assembly::new())));
        let recorded = assembly.clone();
        let ended = move |ending: Ending| {
            if let Some(Call { ticket, timed, .. }) = call {
                consult.record(&ticket, outcome(ending));
                match ending {
                    Ending::Complete => consult.came(&timed, Awaited::StreamCompletion),
                    Ending::Overlong => consult.gave_up(&timed, Awaited::StreamCompletion),
                    // One that broke off says nothing about how long a whole one takes.
                    Ending::Cut | Ending::Stalled | Ending::ErrorEvent | Ending::Garbage | Ending::ClientGone => {}
                }
            }
            if ending == Ending::Complete
                && let (Some(store), Some(recorded)) = (store, recorded)
                && let Some(completion) = recorded.take().finish()
            {
                store.put(&consult.runtime, completion);
            }
        };
        let relay = Relay::new(hold, Box::new(ended));
        match assembly {
            Some(assembly) => {
                relay.recording(Box::new(move |data| assembly.borrow_mut().push(data)), !self.envelope.include_usage)
            }
            None => relay,
        }
    }
}

/// The call behind a stream.
struct Call {
    ticket: Ticket,
    timed: Timed,
    /// It keeps its target busy until its end.
    _busy: Option<UnderWay>,
}

/// Whom a stream's end counts for or against, once it has begun.
fn outcome(ending: Ending) -> Outcome {
    match ending {
        // One that was cut short by our own limit went on well until then.
        Ending::Complete | Ending::Overlong => Outcome::Success,
        Ending::ClientGone => Outcome::Nothing,
        Ending::Cut | Ending::Stalled | Ending::ErrorEvent | Ending::Garbage => Outcome::ModelFailed,
    }
}
