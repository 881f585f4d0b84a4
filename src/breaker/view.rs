//! What one isolate knows of all circuits: what it was told last, and what it has seen itself since.
//!
//! The hot path is here, and waits for nothing: a call is admitted by looking at three circuits, and its outcome is counted in them at once.
//! What was counted goes to the object in batches. Its answer replaces what this isolate believed, its own trips included, as the object
//! has then heard everything that the isolate has; only what happened while the message was under way is kept on top. An object that
//! cannot be reached changes nothing: what was counted stays to be sent, and the isolate goes by its own circuits.

use std::time::Duration;

use super::Outcome;
use super::admission::{ASK_AGAIN, Admission, Due, Question, Refusal, Ticket, Urgency, Why};
use super::circuit::{Counts, Phase, Settings};
use super::message::{self, Answer, Cooling, Mark};
use super::provider::{Provider, Sent};
use super::target::{Calls, TargetId};
use crate::latency::{Kind, Quantiles, Took};
use crate::time::Timestamp;

/// The most targets that an isolate keeps; beyond it all are forgotten, and learnt anew: names of models may come from clients.
const MOST_TARGETS: usize = 1024;

/// An isolate's view of all providers.
#[derive(Debug, Default)]
pub struct View {
    pub(super) providers: Vec<Provider>,
    targets: Vec<Target>,
    generation: u32,
}

#[derive(Debug)]
pub(super) struct Target {
    provider: usize,
    pub(super) model: String,
    pub(super) credential: String,
    /// The places of the three circuits: provider, model, credential.
    circuits: [usize; 3],
    /// The place of its model's latencies.
    latency: usize,
}

impl View {
    /// Knows nothing yet of these providers.
    pub fn new(providers: impl Iterator<Item = (String, Settings)>) -> Self {
        let providers = providers.map(|(name, settings)| Provider::new(name, settings));
        Self { providers: providers.collect(), ..Self::default() }
    }

    /// The handle of a target with a credential; the same one whenever it is asked for.
    pub fn target(&mut self, provider: usize, model: &str, credential: &str) -> TargetId {
        // They are few: to look at each costs less than a key for a map.
        let same = |known: &Target| known.provider == provider && known.model == model && known.credential == credential;
        if let Some(place) = self.targets.iter().position(same) {
            return TargetId { place, generation: self.generation, calls: Calls::Telling };
        }
        if self.targets.len() >= MOST_TARGETS {
            self.targets.clear();
            self.generation += 1;
            for provider in &mut self.providers {
                provider.circuits.clear();
                provider.latency.clear();
                provider.heard = None;
            }
        }
        let id = TargetId { place: self.targets.len(), generation: self.generation, calls: Calls::Telling };
        if let Some(own) = self.providers.get_mut(provider) {
            let keys = [message::PROVIDER.to_owned(), message::model(model), message::credential(credential)];
            let circuits = keys.map(|key| own.place(&key));
            let latency = own.latency.place(model);
            let (model, credential) = (model.to_owned(), credential.to_owned());
            self.targets.push(Target { provider, model, credential, circuits, latency });
        }
        id
    }

    fn at(&self, id: TargetId) -> Option<&Target> {
        self.targets.get(id.place).filter(|_| id.generation == self.generation)
    }

    /// Whether a call of `target` may be made now.
    pub fn admit(&mut self, target: TargetId, now: Timestamp) -> Admission {
        let at = self.targets.get(target.place).filter(|_| target.generation == self.generation);
        let at = at.filter(|_| target.calls != Calls::MadeUp);
        let Some((at, provider)) = at.and_then(|at| Some((at, self.providers.get_mut(at.provider)?))) else {
            // Nothing is known of it, and that stops nobody.
            return Admission::Go(Ticket { target, provider: usize::MAX, epochs: [0; 3], leases: Vec::new() });
        };
        if let Some(until) = provider.orders.0.drained(&at.model, now) {
            return Admission::Refused(Refusal { until, why: Why::Drained });
        }
        let mut refusal = provider.cools(at, now).map(|until| Refusal { until, why: Why::Cooling });
        let mut epochs = [0; 3];
        let mut ask = Vec::new();
        let asks_from = provider.pace.asks_from();
        for (epoch, place) in epochs.iter_mut().zip(at.circuits) {
            let Some(local) = provider.circuits.get(place) else { continue };
            *epoch = local.circuit.epoch();
            let until = match provider.phase(place, now) {
                Phase::Closed => continue,
                Phase::Open { until } => until,
                Phase::HalfOpen { leased: Some(_) } => now + ASK_AGAIN,
                Phase::HalfOpen { .. } if target.calls == Calls::Tampered => now + ASK_AGAIN,
                Phase::HalfOpen { .. } if now < local.ask_after.max(asks_from) => local.ask_after.max(asks_from),
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
        provider.pace.ask(now);
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
        let Some(at) = self.at(target).filter(|_| target.calls != Calls::MadeUp) else { return true };
        let Some(provider) = self.providers.get(at.provider) else { return true };
        let asked = |place: usize| {
            let after = provider.circuits.get(place).map(|local| local.ask_after);
            after.is_some_and(|after| now < after.max(provider.pace.asks_from()))
        };
        let open = |place: &usize| match provider.phase(*place, now) {
            Phase::Open { .. } => true,
            Phase::HalfOpen { leased } => leased.is_some() || target.calls == Calls::Tampered || asked(*place),
            Phase::Closed => false,
        };
        !provider.holds_back(at, now) && !at.circuits.iter().any(open)
    }

    /// Whether a call of `target` would be admitted without a question.
    #[must_use]
    pub fn is_closed(&self, target: TargetId, now: Timestamp) -> bool {
        let Some(at) = self.at(target).filter(|_| target.calls != Calls::MadeUp) else { return true };
        let Some(provider) = self.providers.get(at.provider) else { return true };
        !provider.holds_back(at, now) && at.circuits.iter().all(|place| provider.phase(*place, now) == Phase::Closed)
    }

    /// What the answer to a question comes to, after [`View::incoming`] has taken it.
    pub fn resolve(&mut self, question: &Question, answer: Option<&str>, now: Timestamp) -> Result<Ticket, Refusal> {
        let refusal = question.refusal(now);
        let answer = answer.and_then(|answer| serde_json::from_str::<Answer>(answer).ok());
        let Some(answer) = answer else {
            return self.lease_here(question, now).and_then(|ticket| self.confirm(ticket, now)).ok_or(refusal);
        };
        let Some(leases) = answer.leases.clone() else { return Err(refusal) };
        self.lend(question.provider, &leases, &answer, now);
        if leases.is_empty() {
            // Nothing of it was open any more: it goes like any other call.
            return match self.admit(question.target, now) {
                Admission::Go(ticket) => Ok(ticket),
                Admission::Ask(_) => Err(refusal),
                Admission::Refused(refusal) => Err(refusal),
            };
        }
        let ticket =
            Ticket { target: question.target, provider: question.provider, epochs: self.epochs(question.target), leases };
        self.confirm(ticket, now).ok_or(refusal)
    }

    /// The ticket of a probe, unless a circuit has opened meanwhile for which no lease was asked: then those that were granted go back.
    fn confirm(&mut self, ticket: Ticket, now: Timestamp) -> Option<Ticket> {
        if self.admits_probe(&ticket, now) {
            return Some(ticket);
        }
        self.record(&ticket, Outcome::Nothing, now, 0);
        None
    }

    /// Whether every circuit of a probe is closed, or leased to it.
    fn admits_probe(&self, ticket: &Ticket, now: Timestamp) -> bool {
        let (Some(at), Some(provider)) = (self.at(ticket.target), self.providers.get(ticket.provider)) else { return true };
        let leased = |place: usize| {
            provider.circuits.get(place).is_some_and(|local| ticket.leases.iter().any(|lease| lease.key == local.key))
        };
        provider.orders.0.drained(&at.model, now).is_none()
            && at.circuits.iter().all(|place| provider.phase(*place, now) == Phase::Closed || leased(*place))
    }

    /// Notes the leases that this isolate holds. Of these circuits the object knows best, whatever is still to be said of them.
    fn lend(&mut self, provider: usize, leases: &[Mark], answer: &Answer, now: Timestamp) {
        let Some(provider) = self.providers.get_mut(provider) else { return };
        for lease in leases {
            let Some(local) = provider.circuits.iter_mut().find(|local| local.key == lease.key) else { continue };
            let told = answer.circuits.iter().find(|told| told.key == lease.key);
            if let Some(told) = told.filter(|_| answer.serial >= provider.serial) {
                local.circuit.adopt(&told.known);
            }
            local.circuit.lend(lease.epoch, now);
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
                    let epoch = local.circuit.lease_alone(now)?;
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
        let at = at.filter(|_| ticket.target.calls == Calls::Telling);
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

    /// Records how long a call of `target` took. No message is sent for it: it rides with the next.
    pub fn took(&mut self, target: TargetId, kind: Kind, took: Took, now: Timestamp) {
        let at = self.targets.get(target.place).filter(|_| target.generation == self.generation);
        let at = at.filter(|_| target.calls == Calls::Telling);
        if let Some((at, provider)) = at.and_then(|at| Some((at, self.providers.get_mut(at.provider)?))) {
            provider.latency.record(at.latency, kind, took, now);
        }
    }

    /// How long calls of `target` take; nothing where too little is known.
    #[must_use]
    pub fn quantiles(&self, target: TargetId, kind: Kind, now: Timestamp) -> Option<Quantiles> {
        let at = self.at(target)?;
        self.providers.get(at.provider)?.latency.quantiles(at.latency, kind, now)
    }

    /// Whether an exchange with this provider's object is due.
    #[must_use]
    pub fn due(&self, provider: usize, now: Timestamp) -> Due {
        self.providers.get(provider).map_or(Due::No, |provider| provider.due(now))
    }

    /// The provider of a target, where an exchange with its object is due.
    #[must_use]
    pub fn due_for(&self, target: TargetId, now: Timestamp) -> Option<usize> {
        self.at(target).map(|at| at.provider).filter(|provider| self.due(*provider, now) != Due::No)
    }

    /// Whether anything is still to be said that should not wait for the next exchange to be due.
    #[must_use]
    pub fn has_pending(&self, provider: usize) -> bool {
        self.providers.get(provider).is_some_and(Provider::has_pending)
    }

    /// How long what [`View::record`] calls urgent may wait before the object is told; nothing where it will be told anyway. The more
    /// isolates there are, the longer.
    pub fn tell_in(&mut self, provider: usize, urgency: Urgency, now: Timestamp, random: u64) -> Option<Duration> {
        self.providers.get_mut(provider)?.tell_in(urgency, now, random)
    }

    /// Whether there is something to be told that has waited long enough.
    #[must_use]
    pub fn must_tell(&self, provider: usize, now: Timestamp) -> bool {
        self.providers.get(provider).is_some_and(|provider| provider.must_tell(now))
    }

    /// The message to a provider's object, and what it says: that is handed to [`View::incoming`] with the answer.
    pub fn outgoing(&mut self, provider: usize, question: Option<&Question>, now: Timestamp) -> (String, Sent) {
        let ask = question.map(|question| question.keys.clone()).unwrap_or_default();
        self.providers.get_mut(provider).map(|provider| provider.outgoing(ask, now)).unwrap_or_default()
    }

    /// Takes an object's answer to what was `sent`, or that there was none.
    pub fn incoming(&mut self, provider: usize, sent: Sent, answer: Option<&str>, now: Timestamp) {
        if let Some(provider) = self.providers.get_mut(provider) {
            provider.incoming(sent, answer, now);
        }
    }
}
