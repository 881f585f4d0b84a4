//! `POST /v1/chat/completions`: OpenAI's Chat Completions, streamed and not.
//!
//! The provider speaks the same dialect, so the body passes through: what was not understood here reaches the provider, and the client,
//! unchanged.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::auth::Caller;
use crate::breaker::{Outcome, Ticket};
use crate::cache::{self, Directives, Entry, Freshness, Plan};
use crate::canonical::{self, Key};
use crate::chat;
use crate::config::Config;
use crate::consult::Consult;
use crate::engine::{self, Job, Won, WonBody};
use crate::error::Error;
use crate::gateway::{self, Gateway};
use crate::http::{Body, Headers, Request, Response};
use crate::provider::openai::Envelope;
use crate::provider::simulated;
use crate::route::{self, Resolved};
use crate::runtime::{Runtime, Step, StreamLimits, Tap};
use crate::stream::{Ending, Hold, Relay};

/// Serves one chat completion.
pub(crate) async fn serve<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    config: &Config,
    request: &Request,
    caller: &Caller,
) -> Response<R::Stream> {
    answer(gateway, runtime, config, request, caller).await.unwrap_or_else(|error| gateway::refuse(&error))
}

async fn answer<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    config: &Config,
    request: &Request,
    caller: &Caller,
) -> Result<Response<R::Stream>, Error> {
    let started = runtime.now();
    let consult = Consult::new(Rc::clone(gateway), runtime.clone());
    let envelope = Envelope::parse(&request.body)?;
    let asked = Asked::read(request)?;
    let resolved = route::resolve(gateway, config, caller, envelope.names(), runtime.random())?;
    let plan = asked.plan(&resolved);
    let key = plan.stores().then(|| canonical::key(&caller.scope, &resolved.scope, &resolved.shape, &request.body)).flatten();
    let lookup = async {
        let key = key.as_ref().filter(|_| plan.looks_up())?.as_str();
        let (value, metadata) = runtime.cache_get(key).await?;
        Entry::decode(key, value, &metadata)
    };
    let (entry, ()) = futures::join!(lookup, consult.warm(first_two(&resolved)));
    let freshness = entry.as_ref().map_or(Freshness::Unusable, |entry| entry.freshness(runtime.now(), &plan));
    if let (Some(entry), Freshness::Fresh(age)) = (&entry, freshness)
        && let Some(response) = replay(entry, &envelope, "hit", age)
    {
        return Ok(response);
    }
    if plan.only_if_cached() {
        return Err(Error::cache_miss());
    }

    let deadline = asked.deadline.map_or(resolved.settings.deadline, |asked| asked.min(resolved.settings.deadline));
    let job = Job {
        envelope: &envelope,
        candidates: &resolved.candidates,
        headers: &asked.upstream,
        deadline: started + deadline,
        first_token: asked.first_token,
        max_attempts: config.limits.max_attempts,
        force_usage: key.is_some(),
        simulate: asked.simulate.as_deref(),
    };
    let engine::Outcome { trace, result } = engine::run(&consult, &job).await;
    let mut response = match result {
        Ok(won) => {
            let kept =
                resolved.candidates.iter().find(|candidate| candidate.name == won.target).and_then(|candidate| candidate.cache);
            let store = key.map(|key| Store { key, target: won.target.clone(), plan: plan.of_target(kept) });
            let commit = Commit { consult: &consult, envelope: &envelope, resolved: &resolved };
            commit.response(won, store)
        }
        Err(error) => {
            let stale = match (&entry, freshness) {
                (Some(entry), Freshness::Stale(age)) if error.may_be_stale() => replay(entry, &envelope, "stale", age),
                _ => None,
            };
            stale.unwrap_or_else(|| gateway::answer_error(&error, &trace))
        }
    };
    if !trace.is_empty() {
        response.headers.push("x-breakwater-trace", trace.header());
    }
    if response.headers.get("x-breakwater-cache").is_none() {
        response.headers.push("x-breakwater-cache", plan.word());
    }
    Ok(response)
}

/// What the header fields ask for.
struct Asked {
    directives: Directives,
    deadline: Option<Duration>,
    first_token: Option<Duration>,
    simulate: Option<String>,
    /// What goes upstream as it is.
    upstream: Vec<(String, String)>,
}

impl Asked {
    fn read(request: &Request) -> Result<Self, Error> {
        let headers = &request.headers;
        let mut asked = Self {
            directives: Directives::parse(headers.get("cache-control"), headers.get("x-breakwater-cache-ttl"))?,
            deadline: None,
            first_token: None,
            simulate: None,
            upstream: Vec::new(),
        };
        for (name, value) in headers.iter() {
            match name {
                "x-breakwater-deadline-ms" => asked.deadline = Some(positive_millis(name, value)?),
                "x-breakwater-first-token-ms" => asked.first_token = Some(positive_millis(name, value)?),
                "x-breakwater-simulate" => {
                    simulated::overrides::check(value)
                        .map_err(|error| Error::invalid_request(Some(name), error.to_string()))?;
                    asked.simulate = Some(value.to_owned());
                }
                "idempotency-key" => asked.upstream.push((name.to_owned(), value.to_owned())),
                _ if name.starts_with("openai-") => asked.upstream.push((name.to_owned(), value.to_owned())),
                _ => {}
            }
        }
        Ok(asked)
    }

    /// What the cache does about this request: nothing where a header field shapes the answer, as it is not in the key.
    fn plan(&self, resolved: &Resolved<'_>) -> Plan {
        if self.simulate.is_some() || self.upstream.iter().any(|(name, _)| name.starts_with("openai-")) {
            return Plan::bypass();
        }
        Plan::new(resolved.settings.cache, resolved.settings.stale_for, self.directives)
    }
}

fn positive_millis(name: &str, value: &str) -> Result<Duration, Error> {
    match value.trim().parse::<u64>() {
        Ok(ms) if ms > 0 => Ok(Duration::from_millis(ms)),
        _ => Err(Error::invalid_request(
            Some(name),
            format!("{name} is '{value}'; it takes a whole number of milliseconds above 0"),
        )),
    }
}

/// The providers of the first two candidates: the platform allows six connections at once, and these are the ones that will most
/// likely be asked.
fn first_two(resolved: &Resolved<'_>) -> impl Iterator<Item = usize> {
    let mut providers: Vec<usize> = Vec::with_capacity(2);
    for candidate in &resolved.candidates {
        if providers.len() < 2 && !providers.contains(&candidate.provider_index) {
            providers.push(candidate.provider_index);
        }
    }
    providers.into_iter()
}

/// Where an answer is to be stored, once it is known to be complete.
struct Store {
    key: Key,
    target: String,
    plan: Plan,
}

impl Store {
    fn put<R: Runtime>(self, runtime: &R, completion: String) {
        if let Some(stored) = cache::encode(self.key.as_str(), completion, &self.target, runtime.now(), &self.plan) {
            let key = self.key.as_str().to_owned();
            runtime.after(runtime.cache_put(key, stored.value, stored.metadata, stored.expire));
        }
    }
}

const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";
const JSON: &str = "application/json";

/// A complete answer, in the form that was asked for; none where it is not one that could be streamed.
fn render<S>(completion: &str, envelope: &Envelope<'_>) -> Option<(&'static str, Body<S>)> {
    Some(if envelope.stream {
        (EVENT_STREAM, Body::Text(chat::replay(completion, envelope.include_usage)?))
    } else {
        (JSON, Body::Text(completion.to_owned()))
    })
}

/// A stored answer; none where it is damaged.
fn replay<S>(entry: &Entry, envelope: &Envelope<'_>, word: &'static str, age: Duration) -> Option<Response<S>> {
    let (kind, body) = render(&entry.value, envelope)?;
    let mut headers = Headers::new();
    headers.push("content-type", kind);
    headers.push("x-breakwater-target", entry.target.clone());
    headers.push("x-breakwater-cache", word);
    headers.push("age", age.as_secs().to_string());
    Some(Response { status: 200, headers, body })
}

/// The upstream's header fields that come down as they are.
fn comes_down(name: &str) -> bool {
    name.starts_with("x-ratelimit-") || name.starts_with("anthropic-ratelimit-") || name == "request-id"
}

/// An answer's way to the client.
struct Commit<'a, R: Runtime> {
    consult: &'a Consult<R>,
    envelope: &'a Envelope<'a>,
    resolved: &'a Resolved<'a>,
}

impl<R: Runtime> Commit<'_, R> {
    /// The client's 200.
    fn response(&self, won: Won<R::Body>, store: Option<Store>) -> Response<R::Stream> {
        let mut headers = Headers::new();
        headers.push("x-breakwater-target", won.target.clone());
        for (name, value) in won.headers.iter().filter(|(name, _)| comes_down(name)) {
            headers.push(name.to_owned(), value);
        }
        if let Some(id) = won.headers.get("x-request-id") {
            headers.push("x-upstream-request-id", id);
        }
        let (kind, body) = match won.body {
            WonBody::Whole(completion) => {
                // The engine has seen that it is an answer; only its own form could be wrong for a stream, and then that is what is sent.
                let rendered = render(&completion, self.envelope).unwrap_or_else(|| (JSON, Body::Text(completion.clone())));
                if let Some(store) = store {
                    store.put(&self.consult.runtime, completion);
                }
                rendered
            }
            WonBody::Streamed(all) => (EVENT_STREAM, Body::Text(self.all_at_once(&all, store))),
            WonBody::Stream { first, rest, hold, ticket } => {
                (EVENT_STREAM, Body::Stream(self.stream(&won.target, first, rest, hold, ticket, store)))
            }
        };
        headers.push("content-type", kind);
        Response { status: 200, headers, body }
    }

    /// A stream that was complete before any of it was sent.
    fn all_at_once(&self, all: &[u8], store: Option<Store>) -> String {
        let sent = match self.relay(Hold::new(false), store, None).chunk(all) {
            Step::Finish(bytes) | Step::Abort(bytes) | Step::Replace(bytes) => bytes,
            Step::Pass => all.to_vec(),
        };
        String::from_utf8_lossy(&sent).into_owned()
    }

    fn stream(
        &self,
        target: &str,
        first: Vec<u8>,
        rest: R::Body,
        hold: Hold,
        ticket: Ticket,
        store: Option<Store>,
    ) -> R::Stream {
        let candidate = self.resolved.candidates.iter().find(|candidate| candidate.name == target);
        let limits = StreamLimits {
            stall: candidate.map_or(Duration::ZERO, |candidate| candidate.stall),
            until: self.consult.runtime.now() + candidate.map_or(Duration::ZERO, |candidate| candidate.max_duration),
        };
        let secret = candidate.and_then(|candidate| candidate.secret).cloned();
        let relay = self.relay(hold, store, Some(ticket)).hiding(secret).after(&first);
        self.consult.runtime.relay(first, rest, Box::new(relay), limits)
    }

    /// The tap over a stream: at its end the breakers are told, and a complete answer is stored.
    fn relay(&self, hold: Hold, store: Option<Store>, ticket: Option<Ticket>) -> Relay {
        let consult = self.consult.clone();
        let assembly = store.is_some().then(|| Rc::new(RefCell::new(chat::Assembly::new())));
        let recorded = assembly.clone();
        let ended = move |ending: Ending| {
            if let Some(ticket) = ticket {
                consult.record(&ticket, outcome(ending));
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

/// Whom a stream's end counts for or against, once it has begun.
fn outcome(ending: Ending) -> Outcome {
    match ending {
        // One that was cut short by our own limit went on well until then.
        Ending::Complete | Ending::Overlong => Outcome::Success,
        Ending::ClientGone => Outcome::Nothing,
        Ending::Cut | Ending::Stalled | Ending::ErrorEvent | Ending::Garbage => Outcome::ModelFailed,
    }
}
