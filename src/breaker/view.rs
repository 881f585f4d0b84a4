//! What one isolate knows of all circuits: what it was told last, and what it has seen itself since.
//!
//! The hot path is here, and waits for nothing: a call is admitted by looking at three circuits, and its outcome is counted in them at once.
//! What was counted goes to the object in batches. Its answer replaces what this isolate believed, its own trips included, as the object
//! has then heard everything that the isolate has; only what happened while the message was under way is kept on top. An object that
//! cannot be reached changes nothing: what was counted stays to be sent, and the isolate goes by its own circuits.

use std::collections::HashMap;
use std::time::Duration;

use super::Outcome;
use super::circuit::{Circuit, Counts, Known, Phase, Settings};
use super::message::{self, Answer, Batch, Cooling, Key, Mark, Probe, Report};
use crate::time::Timestamp;

/// After this long without an answer what is known is out of date, and worth waiting for.
const OUT_OF_DATE: Duration = Duration::from_secs(60);

/// An exchange that has not come back after this long is lost, with the request that made it.
const LOST: Duration = Duration::from_secs(10);

/// How long an object that could not be reached is left alone.
const UNREACHABLE: Duration = Duration::from_secs(5);

/// How soon a refused lease is asked for again: a probe has its answer within about that time, or its successor has.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// The most targets that an isolate keeps; beyond it all are forgotten, and learnt anew: names of models may come from clients.
const MOST_TARGETS: usize = 1024;

/// The most that is kept for an object that cannot be reached.
const MOST_NEWS: usize = 256;

/// An isolate's view of all providers.
#[derive(Debug, Default)]
pub struct View {
    pub(super) providers: Vec<Provider>,
    targets: Vec<Target>,
    generation: u32,
    by_name: HashMap<(usize, String, String), TargetId>,
}

/// A target with a credential, as [`View::target`] gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TargetId {
    place: usize,
    /// A handle from before everything was forgotten refers to nothing.
    generation: u32,
}

#[derive(Debug)]
struct Target {
    provider: usize,
    model: String,
    credential: String,
    /// The places of the three circuits: provider, model, credential.
    circuits: [usize; 3],
}

#[derive(Debug)]
pub(super) struct Provider {
    pub(super) name: String,
    pub(super) settings: Settings,
    pub(super) circuits: Vec<Local>,
    pub(super) cooling: Vec<Cooling>,
    /// What is still to be said, beside what each circuit has pending.
    news: Sent,
    /// When an answer came last.
    pub(super) heard: Option<Timestamp>,
    /// Since when an exchange is under way.
    under_way: Option<Timestamp>,
    next: Timestamp,
    pub(super) exchanges: u64,
    pub(super) unreachable: u64,
}

#[derive(Debug)]
pub(super) struct Local {
    pub(super) key: Key,
    pub(super) circuit: Circuit,
    /// Calls that the object has not heard of, and the epoch in which they began.
    pending: (u64, Counts),
    /// No lease is asked for before then: somebody is asking, or was refused.
    ask_after: Timestamp,
    pub(super) ok: u64,
    pub(super) failed: u64,
    pub(super) trips: u64,
}

/// What a message says, to be said again if it gets lost. Saying it twice does no harm: epochs see to that, but for counts, of which an
/// answer's loss may count some twice.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    counts: Vec<Batch>,
    trips: Vec<Mark>,
    probes: Vec<Probe>,
    cooling: Vec<Cooling>,
}

/// Whether a call may be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may; its outcome is to be recorded with this.
    Go(Ticket),
    /// It may if the object grants the leases.
    Ask(Question),
    /// It may not.
    Refused(Refusal),
}

/// A call that was admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    target: TargetId,
    provider: usize,
    /// The epochs of the three circuits when it was admitted.
    epochs: [u64; 3],
    leases: Vec<Mark>,
}

impl Ticket {
    /// Whether this call is a probe.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        !self.leases.is_empty()
    }

    /// The provider's place.
    #[must_use]
    pub fn provider(&self) -> usize {
        self.provider
    }
}

/// Leases that are to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    target: TargetId,
    provider: usize,
    keys: Vec<Key>,
}

impl Question {
    /// The provider's place.
    #[must_use]
    pub fn provider(&self) -> usize {
        self.provider
    }

    /// What holds while there is no answer.
    #[must_use]
    pub fn refusal(&self, now: Timestamp) -> Refusal {
        Refusal { until: now + ASK_AGAIN, why: Why::CircuitOpen }
    }
}

/// Why a call may not be made, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// When it is worth asking again.
    pub until: Timestamp,
    /// Why.
    pub why: Why,
}

/// Why a call may not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A circuit is open.
    CircuitOpen,
    /// The credential has reached its limit for the model.
    Cooling,
}

/// How soon the object is to hear of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// With the next exchange.
    Later,
    /// Soon, together with what else may come.
    Soon,
    /// At once: a trip, a probe's result, a rate limit.
    Now,
}

/// Whether an exchange is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// No.
    No,
    /// In the background.
    Refresh,
    /// It is worth waiting for: nothing is known, or nothing that is not long out of date.
    Cold,
}

impl View {
    /// Knows nothing yet of these providers.
    pub fn new(providers: impl Iterator<Item = (String, Settings)>) -> Self {
        let providers = providers.map(|(name, settings)| Provider {
            name,
            settings,
            circuits: Vec::new(),
            cooling: Vec::new(),
            news: Sent::default(),
            heard: None,
            under_way: None,
            next: Timestamp::default(),
            exchanges: 0,
            unreachable: 0,
        });
        Self { providers: providers.collect(), ..Self::default() }
    }

    /// The handle of a target with a credential; the same one whenever it is asked for.
    pub fn target(&mut self, provider: usize, model: &str, credential: &str) -> TargetId {
        let name = (provider, model.to_owned(), credential.to_owned());
        if let Some(known) = self.by_name.get(&name) {
            return *known;
        }
        if self.targets.len() >= MOST_TARGETS {
            self.targets.clear();
            self.by_name.clear();
            self.generation += 1;
            for provider in &mut self.providers {
                provider.circuits.clear();
                provider.heard = None;
            }
        }
        let id = TargetId { place: self.targets.len(), generation: self.generation };
        if let Some(own) = self.providers.get_mut(provider) {
            let keys = [message::PROVIDER.to_owned(), message::model(model), message::credential(credential)];
            let circuits = keys.map(|key| own.place(&key));
            self.targets.push(Target { provider, model: model.to_owned(), credential: credential.to_owned(), circuits });
            self.by_name.insert(name, id);
        }
        id
    }

    fn at(&self, id: TargetId) -> Option<&Target> {
        self.targets.get(id.place).filter(|_| id.generation == self.generation)
    }

    /// Whether a call of `target` may be made now.
    pub fn admit(&mut self, target: TargetId, now: Timestamp) -> Admission {
        let at = self.targets.get(target.place).filter(|_| target.generation == self.generation);
        let Some((at, provider)) = at.and_then(|at| Some((at, self.providers.get_mut(at.provider)?))) else {
            // Nothing is known of it, and that stops nobody.
            return Admission::Go(Ticket { target, provider: usize::MAX, epochs: [0; 3], leases: Vec::new() });
        };
        let mut refusal = provider.cools(at, now).map(|until| Refusal { until, why: Why::Cooling });
        let mut epochs = [0; 3];
        let mut ask = Vec::new();
        for (epoch, place) in epochs.iter_mut().zip(at.circuits) {
            let Some(local) = provider.circuits.get(place) else { continue };
            *epoch = local.circuit.epoch();
            let until = match local.circuit.phase(now) {
                Phase::Closed => continue,
                Phase::Open { until } => until,
                Phase::HalfOpen { leased: Some(_) } => now + ASK_AGAIN,
                Phase::HalfOpen { .. } if now < local.ask_after => local.ask_after,
                Phase::HalfOpen { .. } => {
                    ask.push(place);
                    continue;
                }
            };
            // Of several reasons the one that lasts longest is the one that counts.
            if refusal.is_none_or(|other| other.until < until) {
                refusal = Some(Refusal { until, why: Why::CircuitOpen });
            }
        }
        if let Some(refusal) = refusal {
            return Admission::Refused(refusal);
        }
        if ask.is_empty() {
            return Admission::Go(Ticket { target, provider: at.provider, epochs, leases: Vec::new() });
        }
        let mut keys = Vec::with_capacity(ask.len());
        for place in ask {
            if let Some(local) = provider.circuits.get_mut(place) {
                local.ask_after = now + ASK_AGAIN;
                keys.push(local.key.clone());
            }
        }
        Admission::Ask(Question { target, provider: at.provider, keys })
    }

    /// Whether a call of `target` would be admitted, or at least asked for.
    #[must_use]
    pub fn would_admit(&self, target: TargetId, now: Timestamp) -> bool {
        let Some(at) = self.at(target) else { return true };
        let Some(provider) = self.providers.get(at.provider) else { return true };
        let open = |place: &usize| match provider.circuits.get(*place).map(|local| (local.circuit.phase(now), local.ask_after))
        {
            Some((Phase::Open { .. }, _)) => true,
            Some((Phase::HalfOpen { leased }, ask_after)) => leased.is_some() || now < ask_after,
            Some((Phase::Closed, _)) | None => false,
        };
        provider.cools(at, now).is_none() && !at.circuits.iter().any(open)
    }

    /// What the answer to a question comes to, after [`View::incoming`] has taken it.
    pub fn resolve(&mut self, question: Question, answer: Option<&str>, now: Timestamp) -> Result<Ticket, Refusal> {
        let refusal = question.refusal(now);
        let answer = answer.and_then(|answer| serde_json::from_str::<Answer>(answer).ok());
        let Some(answer) = answer else { return self.lease_here(&question, now).ok_or(refusal) };
        let Some(leases) = answer.leases else { return Err(refusal) };
        self.lend(question.provider, &leases, now);
        if leases.is_empty() {
            // Nothing of it was open any more: it goes like any other call.
            return match self.admit(question.target, now) {
                Admission::Go(ticket) => Ok(ticket),
                Admission::Ask(_) => Err(refusal),
                Admission::Refused(refusal) => Err(refusal),
            };
        }
        Ok(Ticket { target: question.target, provider: question.provider, epochs: self.epochs(question.target), leases })
    }

    /// Notes the leases that this isolate holds.
    fn lend(&mut self, provider: usize, leases: &[Mark], now: Timestamp) {
        let Some(provider) = self.providers.get_mut(provider) else { return };
        for lease in leases {
            if let Some(local) = provider.circuits.iter_mut().find(|local| local.key == lease.key) {
                local.circuit.lend(lease.epoch, now);
            }
        }
    }

    /// The object cannot be reached, and stops nobody: this isolate lets its own probe through, under a lease of its own.
    fn lease_here(&mut self, question: &Question, now: Timestamp) -> Option<Ticket> {
        let provider = self.providers.get_mut(question.provider)?;
        let mut leases = Vec::new();
        for key in &question.keys {
            let place = provider.place(key);
            let local = provider.circuits.get_mut(place)?;
            match local.circuit.phase(now) {
                Phase::Closed => {}
                Phase::Open { .. } | Phase::HalfOpen { leased: Some(_) } => return None,
                Phase::HalfOpen { leased: None } => {
                    let epoch = local.circuit.lease(now)?;
                    leases.push(Mark { key: key.clone(), epoch });
                }
            }
        }
        Some(Ticket { target: question.target, provider: question.provider, epochs: self.epochs(question.target), leases })
    }

    fn epochs(&self, target: TargetId) -> [u64; 3] {
        let Some(at) = self.at(target) else { return [0; 3] };
        let epoch = |place: usize| Some(self.providers.get(at.provider)?.circuits.get(place)?.circuit.epoch());
        at.circuits.map(|place| epoch(place).unwrap_or_default())
    }

    /// What goes on after a probe's result has been recorded: the same call, as an ordinary one.
    #[must_use]
    pub fn settled(&self, ticket: &Ticket) -> Ticket {
        Ticket { leases: Vec::new(), epochs: self.epochs(ticket.target), ..ticket.clone() }
    }

    /// Counts how a call ended.
    pub fn record(&mut self, ticket: &Ticket, outcome: Outcome, now: Timestamp, random: u64) -> Urgency {
        let at = self.targets.get(ticket.target.place).filter(|_| ticket.target.generation == self.generation);
        let Some((at, provider)) = at.and_then(|at| Some((at, self.providers.get_mut(at.provider)?))) else {
            return Urgency::Later;
        };
        let [own, model, credential] = at.circuits;
        let [own_epoch, model_epoch, credential_epoch] = ticket.epochs;
        let mut urgency = Urgency::Later;
        if ticket.is_probe() {
            urgency = Urgency::Now;
            provider.probed(ticket, outcome, now, random);
        }
        let leased = |place: usize, provider: &Provider| {
            provider.circuits.get(place).is_some_and(|local| ticket.leases.iter().any(|lease| lease.key == local.key))
        };
        let mut count = |place: usize, epoch: u64, counts: Counts, provider: &mut Provider| {
            if !leased(place, provider) {
                urgency = urgency.max(provider.count(place, epoch, counts, now, random));
            }
        };
        match outcome {
            Outcome::Success => {
                count(own, own_epoch, Counts::OK, provider);
                count(model, model_epoch, Counts::OK, provider);
            }
            Outcome::ModelFailed => count(model, model_epoch, Counts::FAILED, provider),
            Outcome::ProviderFailed => count(own, own_epoch, Counts::FAILED, provider),
            Outcome::NoSuchModel => urgency = urgency.max(provider.trip(model, model_epoch, now, random)),
            Outcome::CredentialRefused => urgency = urgency.max(provider.trip(credential, credential_epoch, now, random)),
            Outcome::Cool(wait) => {
                let until = now + wait.min(super::LONGEST_COOLING);
                let cooling = Cooling { credential: at.credential.clone(), model: at.model.clone(), until };
                provider.cool(&cooling);
                provider.news.cooling.push(cooling);
                urgency = Urgency::Now;
            }
            Outcome::Nothing => {}
        }
        urgency
    }

    /// Whether an exchange with this provider's object is due.
    #[must_use]
    pub fn due(&self, provider: usize, now: Timestamp) -> Due {
        let Some(provider) = self.providers.get(provider) else { return Due::No };
        if provider.under_way.is_some_and(|since| now < since + LOST) {
            return Due::No;
        }
        match provider.heard {
            None => Due::Cold,
            Some(heard) if now.since(heard) > OUT_OF_DATE => Due::Cold,
            Some(_) if now >= provider.next => Due::Refresh,
            Some(_) => Due::No,
        }
    }

    /// Whether anything is still to be said.
    #[must_use]
    pub fn has_pending(&self, provider: usize) -> bool {
        self.providers.get(provider).is_some_and(|provider| {
            let news = &provider.news;
            !news.trips.is_empty()
                || !news.probes.is_empty()
                || !news.cooling.is_empty()
                || provider.circuits.iter().any(|local| local.pending.1.failed > 0)
        })
    }

    /// The message to a provider's object, and what it says: that is handed to [`View::incoming`] with the answer.
    pub fn outgoing(&mut self, provider: usize, question: Option<&Question>, now: Timestamp) -> (String, Sent) {
        let Some(provider) = self.providers.get_mut(provider) else { return (String::new(), Sent::default()) };
        provider.under_way = Some(now);
        provider.exchanges += 1;
        let mut sent = std::mem::take(&mut provider.news);
        for local in &mut provider.circuits {
            let (epoch, counts) = std::mem::take(&mut local.pending);
            if !counts.is_empty() {
                sent.counts.push(Batch { key: local.key.clone(), epoch, counts });
            }
        }
        let report = Report {
            settings: provider.settings,
            counts: sent.counts.clone(),
            trips: sent.trips.clone(),
            probes: sent.probes.clone(),
            cooling: sent.cooling.clone(),
            ask: question.map(|question| question.keys.clone()).unwrap_or_default(),
        };
        (serde_json::to_string(&report).unwrap_or_default(), sent)
    }

    /// Takes an object's answer to what was `sent`, or that there was none.
    pub fn incoming(&mut self, provider: usize, sent: Sent, answer: Option<&str>, now: Timestamp) {
        let Some(provider) = self.providers.get_mut(provider) else { return };
        provider.under_way = None;
        let Some(answer) = answer.and_then(|answer| serde_json::from_str::<Answer>(answer).ok()) else {
            provider.unreachable += 1;
            // It was asked, and nobody need wait for it again before what is known is out of date once more.
            provider.heard = Some(now);
            provider.next = now + UNREACHABLE;
            provider.keep(sent);
            return;
        };
        provider.heard = Some(now);
        provider.next = now + Duration::from_millis(answer.again);
        provider.learn(answer);
    }
}

impl Provider {
    /// The place of a circuit, made if there is none of that name yet.
    fn place(&mut self, key: &str) -> usize {
        if let Some(place) = self.circuits.iter().position(|local| local.key == key) {
            return place;
        }
        self.circuits.push(Local {
            key: key.to_owned(),
            circuit: Circuit::default(),
            pending: Default::default(),
            ask_after: Timestamp::default(),
            ok: 0,
            failed: 0,
            trips: 0,
        });
        self.circuits.len() - 1
    }

    fn cools(&self, target: &Target, now: Timestamp) -> Option<Timestamp> {
        let same = |cooling: &&Cooling| cooling.credential == target.credential && cooling.model == target.model;
        self.cooling.iter().find(same).map(|cooling| cooling.until).filter(|until| now < *until)
    }

    fn cool(&mut self, cooling: &Cooling) {
        let same = |own: &&mut Cooling| own.credential == cooling.credential && own.model == cooling.model;
        match self.cooling.iter_mut().find(same) {
            Some(own) => own.until = own.until.max(cooling.until),
            None => self.cooling.push(cooling.clone()),
        }
    }

    /// Counts a call at once, and for the object.
    fn count(&mut self, place: usize, epoch: u64, counts: Counts, now: Timestamp, random: u64) -> Urgency {
        let settings = self.settings;
        let Some(local) = self.circuits.get_mut(place) else { return Urgency::Later };
        local.ok += u64::from(counts.ok);
        local.failed += u64::from(counts.failed);
        if epoch != local.circuit.epoch() {
            return Urgency::Later;
        }
        if local.pending.0 != epoch {
            local.pending = (epoch, Counts::default());
        }
        local.pending.1 = local.pending.1.then(counts);
        if local.circuit.record(counts, epoch, now, &settings, random) {
            local.trips += 1;
            return Urgency::Now;
        }
        if counts.failed > 0 { Urgency::Soon } else { Urgency::Later }
    }

    fn trip(&mut self, place: usize, epoch: u64, now: Timestamp, random: u64) -> Urgency {
        let settings = self.settings;
        let Some(local) = self.circuits.get_mut(place) else { return Urgency::Later };
        local.failed += 1;
        if !local.circuit.trip(epoch, now, &settings, random) {
            return Urgency::Later;
        }
        local.trips += 1;
        self.news.trips.push(Mark { key: local.key.clone(), epoch });
        Urgency::Now
    }

    /// Tells of each lease what its probe showed: for some circuits success or failure, for others nothing.
    fn probed(&mut self, ticket: &Ticket, outcome: Outcome, now: Timestamp, random: u64) {
        let settings = self.settings;
        for lease in &ticket.leases {
            let kind = if lease.key == message::PROVIDER {
                'p'
            } else if lease.key.starts_with("model:") {
                'm'
            } else {
                'k'
            };
            let success = match (outcome, kind) {
                (Outcome::Success, _) => Some(true),
                (Outcome::ProviderFailed, 'p') => Some(false),
                // A provider that was open is not back because one of its models fails in another way.
                (Outcome::ModelFailed, 'p' | 'm') => Some(false),
                (Outcome::NoSuchModel, 'm') => Some(false),
                (Outcome::CredentialRefused, 'k') => Some(false),
                // Whatever it was, the provider has answered for its own part, and so has the credential that was taken.
                (Outcome::CredentialRefused | Outcome::NoSuchModel, 'p') | (Outcome::NoSuchModel, 'k') => Some(true),
                _ => None,
            };
            if let Some(local) = self.circuits.iter_mut().find(|local| local.key == lease.key) {
                local.ask_after = Timestamp::default();
                match success {
                    Some(success) => {
                        local.circuit.probed(lease.epoch, success, now, &settings, random);
                    }
                    None => {
                        local.circuit.release(lease.epoch);
                    }
                }
            }
            self.news.probes.push(Probe { key: lease.key.clone(), epoch: lease.epoch, success });
        }
    }

    /// Says again what was lost, before what came since.
    fn keep(&mut self, sent: Sent) {
        for batch in sent.counts {
            if let Some(local) = self.circuits.iter_mut().find(|local| local.key == batch.key) {
                if local.pending.1.is_empty() {
                    local.pending = (batch.epoch, batch.counts);
                } else if local.pending.0 == batch.epoch {
                    local.pending.1 = batch.counts.then(local.pending.1);
                }
            }
        }
        let news = std::mem::take(&mut self.news);
        self.news = Sent {
            counts: Vec::new(),
            trips: [sent.trips, news.trips].concat(),
            probes: [sent.probes, news.probes].concat(),
            cooling: [sent.cooling, news.cooling].concat(),
        };
        // Of an object that stays away, the latest news are the ones that matter when it is back.
        for excess in [self.news.trips.len(), self.news.probes.len(), self.news.cooling.len()].into_iter().max().into_iter() {
            if excess > MOST_NEWS {
                self.news = Sent::default();
            }
        }
    }

    fn learn(&mut self, answer: Answer) {
        for local in &mut self.circuits {
            // A trip that the object has not heard of yet stands until it has.
            let unheard = self.news.trips.iter().any(|mark| mark.key == local.key)
                || !local.pending.1.is_empty() && local.circuit.known().until.is_some();
            if unheard {
                continue;
            }
            let told = answer.circuits.iter().find(|told| told.key == local.key);
            local.circuit.adopt(&told.map_or(Known { epoch: 0, until: None, cooldown: 0 }, |told| told.known));
        }
        // Circuits that were never met here are learnt too: the next call may need them.
        for told in answer.circuits {
            if self.circuits.iter().all(|local| local.key != told.key) {
                let place = self.place(&told.key);
                if let Some(local) = self.circuits.get_mut(place) {
                    local.circuit.adopt(&told.known);
                }
            }
        }
        for cooling in &answer.cooling {
            self.cool(cooling);
        }
    }
}
