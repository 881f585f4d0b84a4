//! An answer's way to the client: in the form that was asked for, and into the cache.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use super::recording::Recording;
use super::state;
use crate::binding::{self, Binder};
use crate::breaker::{Outcome, Ticket};
use crate::cache::{self, Entry, Plan};
use crate::canonical::Key;
use crate::chat::{Answer, Object};
use crate::consult::{Consult, Timed};
use crate::demand::{Demand, Guard, Judgement};
use crate::dialect::{Dialect, Encoder, Manner, chat, responses};
use crate::engine::{Source, Streaming, Won, WonBody};
use crate::envelope::Envelope;
use crate::http::{self, Body, Headers, Response};
use crate::latency::Awaited;
use crate::load::UnderWay;
use crate::route::{Candidate, Resolved};
use crate::runtime::{End, Runtime, Step, StreamLimits, Tap};
use crate::stream::{EVENT_STREAM, Ending, Hold, Relay, Successor, Wording};

/// Where an answer is to be stored, once it is known to be complete.
pub(super) struct Store {
    pub(super) key: Key,
    pub(super) target: String,
    pub(super) plan: Plan,
}

impl Store {
    pub(super) fn put<R: Runtime>(self, runtime: &R, dialect: Dialect, completion: String) {
        // A turn that pauses is no answer yet.
        if dialect == Dialect::Messages && completion.contains("\"pause_turn\"") {
            return;
        }
        if let Some(stored) = cache::encode(self.key.as_str(), dialect, completion, &self.target, runtime.now(), &self.plan) {
            let key = self.key.as_str().to_owned();
            runtime.after(runtime.cache_put(key, stored.value, stored.metadata, stored.expire));
        }
    }
}

const JSON: &str = "application/json";

/// The dialect in which answers to clients of this one are stored: as they are told whole. That of Completions is a part of what Chat Completions say.
fn stored_as(client: Dialect) -> Dialect {
    if client == Dialect::Completions { Dialect::Chat } else { client }
}

/// A complete answer as it is stored, in the form that was asked for; none where it is not one.
fn render<S>(completion: &str, envelope: &Envelope<'_>, manner: &Manner) -> Option<(&'static str, Body<S>)> {
    let client = envelope.dialect;
    let decoded = || stored_as(client).decode(completion);
    Some(match (envelope.stream, client) {
        (true, Dialect::Chat) => (EVENT_STREAM, Body::Text(chat::replay(completion, envelope.include_usage)?)),
        // Its ids are what the client can ask for it by.
        (true, Dialect::Responses) => (EVENT_STREAM, Body::Text(responses::replay(completion)?)),
        (true, _) => (EVENT_STREAM, Body::Text(told(decoded()?, client, manner)?)),
        (false, Dialect::Completions) => (JSON, Body::Text(client.encode(decoded()?, manner).to_string())),
        (false, _) => (JSON, Body::Text(completion.to_owned())),
    })
}

/// A whole answer as a stream.
fn told(answer: Answer, client: Dialect, manner: &Manner) -> Option<String> {
    let mut encoder = Encoder::new(client, manner.clone());
    let mut frames = String::new();
    for delta in answer.told() {
        encoder.delta(delta, &mut frames)?;
    }
    Some(frames)
}

/// Whether a stored answer is what is demanded: nothing else is stored, but what is exempt.
pub(super) fn is_met(demand: &Demand, entry: &Entry, client: Dialect) -> bool {
    let answer = stored_as(client).decode(&entry.value);
    answer.is_some_and(|mut answer| matches!(demand.judge(&mut answer), Judgement::Valid))
}

/// A stored answer; none where it is damaged.
pub(super) fn replay<S>(
    entry: &Entry,
    envelope: &Envelope<'_>,
    manner: &Manner,
    word: &'static str,
    age: Duration,
) -> Option<Response<S>> {
    let (kind, body) = render(&entry.value, envelope, manner)?;
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
    pub(super) manner: Manner,
    /// Whether the client wants its answer to be kept.
    pub(super) kept: bool,
    /// For whom ids are bound.
    pub(super) tenant: &'a str,
    /// What is demanded of the answer's form.
    pub(super) demand: Option<&'a Rc<Demand>>,
}

impl<R: Runtime> Commit<'_, R> {
    fn candidate(&self, source: &Source) -> Option<&Candidate<'_>> {
        let is_it = |candidate: &&Candidate<'_>| candidate.name == source.target && candidate.credential == source.credential;
        self.resolved.candidates.iter().find(is_it)
    }

    /// What the head of an upstream's answer tells, but for its form.
    pub(super) fn headers(&self, won: &Won<R::Body>) -> Headers {
        let mut headers = Headers::new();
        headers.push("x-breakwater-target", won.source.target.clone());
        if !won.ignored.is_empty() {
            headers.push("x-breakwater-ignored", won.ignored.join(", "));
        }
        if let Some(mark) = won.mark {
            headers.push("x-breakwater-schema", mark.word());
        }
        let hidden = self.candidate(&won.source).map(|candidate| candidate.hidden);
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
            WonBody::Whole(text, answer) => self.whole(&won.source, text, answer, store),
            WonBody::Streamed(all) => (EVENT_STREAM, Body::Text(self.all_at_once(&won.source, &all, store))),
            WonBody::Stream(streaming) => {
                let (pipe, stream) = self.consult.runtime.pipe();
                self.consult.runtime.after(self.pump(&pipe, &won.source, *streaming, store, None));
                (EVENT_STREAM, Body::Stream(stream))
            }
        };
        headers.push("content-type", kind);
        Response { status: 200, headers, body }
    }

    /// An answer that came whole, `answer` where it is in another dialect than the client's, or is to be told as a stream.
    pub(super) fn whole<S>(
        &self,
        source: &Source,
        text: String,
        answer: Option<Box<Answer>>,
        store: Option<Store>,
    ) -> (&'static str, Body<S>) {
        let client = self.envelope.dialect;
        let completion = match answer {
            None if client == Dialect::Responses => self.bound(source, text),
            None => text,
            Some(answer) => {
                let completion = stored_as(client).encode(*answer, &self.manner).to_string();
                if self.keeps(source.dialect) {
                    state::keep(&self.consult.runtime, self.tenant, &completion);
                }
                completion
            }
        };
        // The engine has seen that it can be told in the form that was asked for.
        let rendered =
            render(&completion, self.envelope, &self.manner).unwrap_or_else(|| (JSON, Body::Text(completion.clone())));
        if let Some(store) = store {
            store.put(&self.consult.runtime, stored_as(client), completion);
        }
        rendered
    }

    /// A stream that was complete before any of it was sent.
    pub(super) fn all_at_once(&self, source: &Source, all: &[u8], store: Option<Store>) -> String {
        let mut relay = self.relay(source, Hold::new(source.dialect, false), store, None);
        let sent = match relay.chunk(all) {
            Step::Finish(bytes) | Step::Abort(bytes) => bytes,
            // One whose end is its only terminator.
            Step::Replace(mut bytes) => {
                bytes.extend(relay.end(End::Eof).unwrap_or_default());
                bytes
            }
            Step::Pass => {
                let mut bytes = all.to_vec();
                bytes.extend(relay.end(End::Eof).unwrap_or_default());
                bytes
            }
            Step::Leave => all.to_vec(),
        };
        String::from_utf8_lossy(&sent).into_owned()
    }

    /// Relays a stream into the client's; `successor` goes on where it breaks off before it has answered.
    pub(super) fn pump(
        &self,
        pipe: &R::Pipe,
        source: &Source,
        streaming: Streaming<R::Body>,
        store: Option<Store>,
        successor: Option<Successor>,
    ) -> impl Future<Output = ()> + 'static {
        let Streaming { first, rest, hold, ticket, timed, busy } = streaming;
        let candidate = self.candidate(source);
        let limits = StreamLimits {
            stall: candidate.map_or(Duration::ZERO, |candidate| candidate.stall),
            until: self.consult.runtime.now() + candidate.map_or(Duration::ZERO, |candidate| candidate.max_duration),
        };
        let hidden = candidate.map(|candidate| candidate.hidden.clone()).unwrap_or_default();
        let relay = self.relay(source, hold, store, Some(Call { ticket, timed, _busy: busy })).hiding(hidden);
        let (mut relay, first) = relay.after(first);
        if let Some(successor) = successor {
            relay = relay.succeeded_by(successor);
        }
        self.consult.runtime.pump(pipe, first, rest, Box::new(relay), limits)
    }

    /// Whether the gateway keeps what was said, as the client asked for that and the provider does not.
    fn keeps(&self, upstream: Dialect) -> bool {
        self.kept && self.envelope.dialect == Dialect::Responses && upstream != Dialect::Responses
    }

    /// Binds a provider's ids to the account that answered.
    fn binder(&self, source: &Source) -> Option<Binder> {
        let candidate = self.candidate(source)?;
        Some(binding::account(candidate, self.tenant).binder_of(candidate.model))
    }

    /// A response with ids that are bound to the account that answered.
    fn bound(&self, source: &Source, text: String) -> String {
        let (Some(bind), Some(mut body)) = (self.binder(source), crate::json::object::<Object>(&text)) else { return text };
        binding::bound(&mut body, &bind);
        Value::Object(body).to_string()
    }

    /// The tap over a stream: at its end the breakers are told, and a complete answer is stored.
    fn relay(&self, source: &Source, hold: Hold, store: Option<Store>, call: Option<Call>) -> Relay {
        let (consult, upstream) = (self.consult.clone(), source.dialect);
        let (client, manner) = (self.envelope.dialect, self.manner.clone());
        let keeps = self.keeps(upstream).then(|| self.tenant.to_owned());
        let recording =
            (store.is_some() || keeps.is_some()).then(|| Rc::new(RefCell::new(Recording::new(upstream, stored_as(client)))));
        let recorded = recording.clone();
        let ended = move |ending: Ending| {
            if let Some(Call { ticket, timed, .. }) = call {
                consult.record(&ticket, outcome(ending));
                match ending {
                    Ending::Complete => consult.came(&timed, Awaited::StreamCompletion),
                    Ending::Overlong => consult.gave_up(&timed, Awaited::StreamCompletion),
                    // One that broke off says nothing about how long a whole one takes.
                    Ending::Cut
                    | Ending::Stalled
                    | Ending::ErrorEvent
                    | Ending::Garbage
                    | Ending::Unsatisfied
                    | Ending::ClientGone => {}
                }
            }
            if ending == Ending::Complete
                && let Some(recorded) = recorded
                && let Some(completion) = recorded.replace(Recording::nothing()).finish(stored_as(client), &manner)
            {
                if let Some(tenant) = keeps {
                    state::keep(&consult.runtime, &tenant, &completion);
                }
                if let Some(store) = store {
                    store.put(&consult.runtime, stored_as(client), completion);
                }
            }
        };
        let mut relay = Relay::new(hold, Box::new(ended));
        if client == Dialect::Responses
            && upstream == client
            && let Some(bind) = self.binder(source)
        {
            relay = relay.worded(client, Wording::bound(bind));
        } else if upstream != client {
            relay = relay.worded(client, Wording::translated(upstream, client, self.manner.clone()));
        }
        relay = relay.guarded(self.demand.filter(|demand| demand.live).map(|demand| Guard::new(Rc::clone(demand), upstream)));
        match recording {
            Some(recording) => {
                let hide_usage = upstream == client && !self.envelope.include_usage;
                relay.recording(Box::new(move |data| recording.borrow_mut().push(data)), hide_usage)
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
        Ending::Complete | Ending::Overlong | Ending::Unsatisfied => Outcome::Success,
        Ending::ClientGone => Outcome::Nothing,
        Ending::Cut | Ending::Stalled | Ending::ErrorEvent | Ending::Garbage => Outcome::ModelFailed,
    }
}
