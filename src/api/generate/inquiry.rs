//! A request with everything that follows from it: where it may go, what the cache does about it, what the engine is asked.

use std::rc::Rc;

use super::answer::{self, Commit, Store};
use super::asked::Asked;
use super::state::State;
use crate::affinity::Conversation;
use crate::auth::Caller;
use crate::cache::{Entry, Freshness, Plan};
use crate::canonical::{self, Key};
use crate::chat;
use crate::config::{Config, OnCut, SchemaStream, Unsupported};
use crate::consult::Consult;
use crate::demand::{Demand, Mark};
use crate::dialect::{Dialect, Manner};
use crate::engine::{Job, Won};
use crate::envelope::Envelope;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::http::{Request, Response};
use crate::latency::{Awaited, Kind, Size};
use crate::provider::address::Operation;
use crate::route::{self, Asking, Resolved, Settings};
use crate::runtime::Runtime;
use crate::time::{Timestamp, millis};
use crate::trace::Trace;
use crate::translation::Translation;

/// See the module's documentation.
pub(super) struct Inquiry<'a, R: Runtime> {
    pub(super) consult: Consult<R>,
    pub(super) envelope: &'a Envelope<'a>,
    pub(super) translation: Translation<'a>,
    pub(super) resolved: Resolved<'a>,
    pub(super) plan: Plan,
    asked: Asked,
    config: &'a Config,
    size: Size,
    /// When the request came.
    pub(super) started: Timestamp,
    /// What ids of ours are made of.
    seed: u64,
    key: Option<Key>,
    state: State,
    tenant: String,
    /// What is demanded of the answer's form.
    demand: Option<Rc<Demand>>,
}

/// What the cache knows of a request.
pub(super) struct Known {
    entry: Option<Entry>,
    freshness: Freshness,
    looked_up: Timestamp,
}

impl<'a, R: Runtime> Inquiry<'a, R> {
    pub(super) fn new(
        gateway: &'a Rc<Gateway>,
        runtime: &R,
        config: &'a Config,
        request: &'a Request,
        envelope: &'a Envelope<'a>,
        caller: &Caller,
        operation: Operation,
    ) -> Result<Self, Error> {
        let started = runtime.now();
        let asked = Asked::read(request, envelope.dialect, config, caller)?;
        let size = Size::of(request.body.len());
        let asking = Asking {
            now: started,
            random: runtime.random(),
            client: envelope.dialect,
            tools: envelope.has_tools(),
            kind: Kind { awaited: Awaited::of(envelope.stream), size },
            conversation: &Conversation::new(envelope, &request.headers),
        };
        let mut resolved = route::resolve(gateway, config, caller, envelope.names(), &asking)?;
        if !asked.faults.is_empty() {
            asked.faults.inject(&mut resolved.candidates);
            // Made-up failures spend nothing that real ones may need, and are not in want of it either.
            resolved.spending = gateway.rehearsals();
        }
        let demand = if operation == Operation::Count { None } else { demand(gateway, envelope, &resolved)? };
        let state = State::of(envelope, &mut resolved, &caller.scope)?;
        // What a provider keeps under an id is one answer, and not another request's too.
        let bypass = operation == Operation::Count || state.once || state.kept;
        let plan = if bypass { Plan::bypass() } else { asked.plan(&resolved) };
        let unsupported = resolved.settings.unsupported;
        if envelope.dialect != Dialect::Chat {
            // One body means another thing in another dialect.
            resolved.shape.push(format!("{:?}", envelope.dialect));
        }
        if unsupported == Unsupported::Ignore {
            resolved.shape.push("ignore".to_owned());
        }
        let key = || canonical::key(&caller.scope, &resolved.scope, &resolved.shape, &request.body);
        let key = plan.stores().then(key).flatten();
        let consult = Consult::new(Rc::clone(gateway), runtime.clone());
        let translation = Translation::new(envelope, operation, unsupported, key.is_some(), &caller.scope, demand.clone());
        Ok(Self {
            consult,
            envelope,
            translation,
            resolved,
            plan,
            asked,
            config,
            size,
            started,
            seed: runtime.random(),
            key,
            state,
            tenant: caller.scope.clone(),
            demand,
        })
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.resolved.settings
    }

    /// Whether its stream is more than the relay of one upstream's: see [`super::live`].
    pub(super) fn goes_on_after_its_head(&self) -> bool {
        self.envelope.stream && (self.settings().early_headers || self.restarts())
    }

    /// Whether a stream that broke off goes on with another target. Only Chat Completions has streams that may begin twice: elsewhere a beginning is
    /// said once, by an event of its own.
    pub(super) fn restarts(&self) -> bool {
        self.settings().on_cut == OnCut::Restart && self.envelope.dialect == Dialect::Chat
    }

    /// When an answer must have begun.
    pub(super) fn deadline(&self) -> Timestamp {
        let ours = self.settings().deadline;
        self.started + self.asked.deadline.map_or(ours, |asked| asked.min(ours))
    }

    /// Looks into the cache, and refreshes what is known of the breakers meanwhile.
    pub(super) async fn look_up(&self) -> Known {
        let lookup = async {
            let key = self.key.as_ref().filter(|_| self.plan.looks_up())?.as_str();
            let (value, metadata) = self.consult.runtime.cache_get(key).await?;
            Entry::decode(key, value, &metadata)
        };
        let (entry, ()) = futures::join!(lookup, self.consult.warm(first_two(&self.resolved)));
        let looked_up = self.consult.runtime.now();
        let freshness = entry.as_ref().map_or(Freshness::Unusable, |entry| entry.freshness(looked_up, &self.plan));
        Known { entry, freshness, looked_up }
    }

    /// Credits its route with a request that goes upstream; once, before the engine is asked.
    pub(super) fn deposit(&self) {
        self.resolved.spending.deposit(self.consult.runtime.now());
    }

    /// The stored answer, where it is fresh. An error where nothing may go upstream for another one.
    pub(super) fn hit(&self, known: &Known) -> Result<Option<Response<R::Stream>>, Error> {
        if let (Some(entry), Freshness::Fresh(age)) = (&known.entry, known.freshness)
            && let Some(mut response) = answer::replay(entry, self.envelope, &self.manner(), "hit", age)
        {
            if self.demand.as_deref().is_some_and(|demand| answer::is_met(demand, entry, self.envelope.dialect)) {
                response.headers.push("x-breakwater-schema", Mark::Valid.word());
            }
            self.tell_time(&mut response, known);
            return Ok(Some(response));
        }
        if self.plan.only_if_cached() { Err(Error::cache_miss()) } else { Ok(None) }
    }

    /// The stored answer, where a stale one is better than this error.
    pub(super) fn stale(&self, known: &Known, error: &Error) -> Option<Response<R::Stream>> {
        match (&known.entry, known.freshness) {
            (Some(entry), Freshness::Stale(age)) if error.may_be_stale() => {
                answer::replay(entry, self.envelope, &self.manner(), "stale", age)
            }
            _ => None,
        }
    }

    /// What the engine is asked. The targets of these names are not asked again.
    pub(super) fn job<'j>(&'j self, asked_before: &'j [String]) -> Job<'j> {
        Job {
            envelope: self.envelope,
            translation: &self.translation,
            size: self.size,
            candidates: &self.resolved.candidates,
            asked_before,
            headers: &self.asked.upstream,
            deadline: self.deadline(),
            first_token: self.asked.first_token,
            hedge_after: self.settings().hedge_after.filter(|_| !self.state.once),
            hold: self.settings().hold,
            max_attempts: if self.state.once { 1 } else { self.config.limits.max_attempts }.saturating_sub(asked_before.len()),
            corrects_beyond: self.state.corrects,
            spending: self.resolved.spending,
            simulate: self.asked.simulate.as_deref(),
            demand: self.demand.as_ref(),
            schema_retries: self.settings().schema_retries,
        }
    }

    /// Where an answer of `target` is to be stored, if it is.
    pub(super) fn store(&self, target: &str) -> Option<Store> {
        let key = self.key.clone()?;
        let kept =
            self.resolved.candidates.iter().find(|candidate| candidate.name == target).and_then(|candidate| candidate.cache);
        Some(Store { key, target: target.to_owned(), plan: self.plan.of_target(kept) })
    }

    /// How answers are told.
    pub(super) fn manner(&self) -> Manner {
        let dialect = self.envelope.dialect;
        // Only a dialect that repeats parts of the request needs it read, and one that says less to who did not ask for thinking: where a translation says it.
        let needs = dialect == Dialect::Responses || dialect == Dialect::Messages && self.translation.is_used();
        let request = if needs { self.translation.request().ok() } else { None };
        Manner {
            request: request.unwrap_or_else(|| Rc::new(chat::Request::new(dialect))),
            include_usage: self.envelope.include_usage,
            now: self.started.as_millis() / 1000,
            seed: self.seed,
        }
    }

    pub(super) fn commits(&self) -> Commit<'_, R> {
        Commit {
            consult: &self.consult,
            envelope: self.envelope,
            resolved: &self.resolved,
            manner: self.manner(),
            kept: self.state.kept,
            tenant: &self.tenant,
            demand: self.demand.as_ref(),
        }
    }

    /// The client's 200.
    pub(super) fn commit(&self, won: Won<R::Body>) -> Response<R::Stream> {
        let store = self.store(&won.source.target);
        self.commits().response(won, store)
    }

    /// Adds what every response tells of how it came about.
    pub(super) fn tell(&self, mut response: Response<R::Stream>, known: &Known, trace: &Trace) -> Response<R::Stream> {
        if !trace.is_empty() {
            response.headers.push("x-breakwater-trace", trace.header());
        }
        if response.headers.get("x-breakwater-cache").is_none() {
            response.headers.push("x-breakwater-cache", self.plan.word());
        }
        self.tell_time(&mut response, known);
        response
    }

    /// `server-timing` (W3C, "Server Timing", section 3): how long the cache was looked at, how long upstreams were asked, and all of it until the
    /// response's head, in milliseconds.
    fn tell_time(&self, response: &mut Response<R::Stream>, known: &Known) {
        if self.config.server_timing {
            let now = self.consult.runtime.now();
            let [cache, upstream, total] =
                [known.looked_up.since(self.started), now.since(known.looked_up), now.since(self.started)].map(millis);
            response.headers.push("server-timing", format!("cache;dur={cache}, upstream;dur={upstream}, total;dur={total}"));
        }
    }
}

/// What a request demands of the form of its answer: in the client's words, or in those that its route puts in their place.
fn demand(gateway: &Gateway, envelope: &Envelope<'_>, resolved: &Resolved<'_>) -> Result<Option<Rc<Demand>>, Error> {
    let member = match envelope.dialect {
        Dialect::Chat | Dialect::Completions | Dialect::Gemini => "response_format",
        Dialect::Responses => "text",
        Dialect::Messages => "output_config",
    };
    let set = resolved.candidates.first().and_then(|candidate| match candidate.apart {
        Some((of_route, _)) => of_route.get(member),
        None => candidate.set.get(member),
    });
    let set = set.map(ToString::to_string);
    let Settings { schema_stream, validate_tools, .. } = resolved.settings;
    let offers = |set: &chat::Object| set.contains_key("tools") || set.contains_key("functions");
    let offers_elsewhere = resolved
        .candidates
        .iter()
        .any(|one| offers(&one.set) || one.apart.is_some_and(|(of_route, own)| offers(of_route) || offers(own)));
    let live = schema_stream == SchemaStream::Live;
    let demand = gateway.demands().of(envelope, set.as_deref(), validate_tools, live, offers_elsewhere)?;
    Ok(demand.map(Rc::new))
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
