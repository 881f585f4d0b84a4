//! What one isolate knows of one provider: its circuits, what is still to be told about them, and when.

use std::time::Duration;

use super::Outcome;
use super::admission::{Due, Ticket, Urgency};
use super::circuit::{Circuit, Counts, Known, Phase, Settings};
use super::force::Orders;
use super::message::{self, Answer, Batch, Cooling, Key, Mark, Probe, Report};
use super::pace::Pace;
use super::view::Target;
use crate::latency::local::Local as Latency;
use crate::time::{Timestamp, millis};

/// This long after it should have been refreshed what is known is out of date, and worth waiting for.
const OUT_OF_DATE: Duration = Duration::from_secs(60);

/// An exchange that has not come back after this long is lost, with the request that made it.
const LOST: Duration = Duration::from_secs(10);

/// How long an object that could not be reached is left alone.
const UNREACHABLE: Duration = Duration::from_secs(5);

/// The most that is kept for an object that cannot be reached.
const MOST_NEWS: usize = 256;

/// One provider.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) name: String,
    pub(super) settings: Settings,
    pub(super) circuits: Vec<Local>,
    pub(super) cooling: Vec<Cooling>,
    /// What an operator has ordered, and the serial of the answer that said so.
    pub(super) orders: (Orders, u64),
    /// How long its models take.
    pub(super) latency: Latency,
    /// What is still to be said, beside what each circuit has pending.
    pub(super) news: Sent,
    /// When an answer came last.
    pub(super) heard: Option<Timestamp>,
    /// Since when an exchange is under way.
    under_way: Option<Timestamp>,
    next: Timestamp,
    pub(super) pace: Pace,
    /// The greatest serial of an answer.
    pub(super) serial: u64,
    pub(super) exchanges: u64,
    pub(super) unreachable: u64,
}

/// One of its circuits.
#[derive(Debug)]
pub(super) struct Local {
    pub(super) key: Key,
    pub(super) circuit: Circuit,
    /// Calls that the object has not heard of, and the epoch in which they began.
    pending: (u64, Counts),
    /// The exchange that told of its last trip.
    told: u64,
    /// No lease is asked for before then: somebody is asking, or was refused.
    pub(super) ask_after: Timestamp,
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
    pub(super) cooling: Vec<Cooling>,
    /// With which exchange it went.
    nth: u64,
}

impl Local {
    /// Takes what the object knows. When that opens it, everybody who is told is told the same end of the cooldown: each asks for the
    /// lease that much `later`.
    fn adopt(&mut self, known: &Known, later: Duration, now: Timestamp) {
        let before = self.circuit.epoch();
        self.circuit.adopt(known);
        if let Some(until) = known.until.filter(|_| before != known.epoch) {
            self.ask_after = self.ask_after.max(until.max(now) + later);
        }
    }

    /// The same, when it has opened here.
    fn opened(&mut self, later: Duration) {
        if let Some(until) = self.circuit.known().until {
            self.ask_after = until + later;
        }
    }
}

impl Provider {
    pub(super) fn new(name: String, settings: Settings) -> Self {
        Self {
            name,
            settings,
            circuits: Vec::new(),
            cooling: Vec::new(),
            orders: Default::default(),
            latency: Latency::default(),
            news: Sent::default(),
            heard: None,
            under_way: None,
            next: Timestamp::default(),
            pace: Pace::default(),
            serial: 0,
            exchanges: 0,
            unreachable: 0,
        }
    }

    pub(super) fn due(&self, now: Timestamp) -> Due {
        if self.under_way.is_some_and(|since| now < since + LOST) {
            return Due::No;
        }
        match self.heard {
            None => Due::Cold,
            Some(_) if now > self.next + OUT_OF_DATE => Due::Cold,
            Some(_) if now >= self.next || self.must_tell(now) => Due::Refresh,
            Some(_) => Due::No,
        }
    }

    pub(super) fn has_pending(&self) -> bool {
        let news = &self.news;
        let told = news.trips.is_empty() && news.probes.is_empty() && news.cooling.is_empty();
        !told || self.circuits.iter().any(|local| local.pending.1.failed > 0)
    }

    /// How long what is to be told may wait: see [`Pace::tell_in`].
    pub(super) fn tell_in(&mut self, urgency: Urgency, now: Timestamp, random: u64) -> Option<Duration> {
        if urgency == Urgency::Now && !self.news.probes.is_empty() {
            return Some(Duration::ZERO);
        }
        self.pace.tell_in(urgency, now, random)
    }

    /// Whether there is something to be told, and it has waited long enough.
    pub(super) fn must_tell(&self, now: Timestamp) -> bool {
        self.pace.is_time(now) && self.has_pending()
    }

    pub(super) fn outgoing(&mut self, ask: Vec<Key>, now: Timestamp) -> (String, Sent) {
        self.under_way = Some(now);
        self.exchanges += 1;
        self.pace.tell(self.has_pending(), now);
        let mut sent = std::mem::take(&mut self.news);
        sent.nth = self.exchanges;
        for local in &mut self.circuits {
            let (epoch, counts) = std::mem::take(&mut local.pending);
            let is_open = local.circuit.known().until.is_some();
            if is_open && (!counts.is_empty() || sent.trips.iter().any(|mark| mark.key == local.key)) {
                local.told = sent.nth;
            }
            if !counts.is_empty() {
                sent.counts.push(Batch { key: local.key.clone(), epoch, counts });
            }
        }
        let report = Report {
            settings: self.settings,
            counts: sent.counts.clone(),
            trips: sent.trips.clone(),
            probes: sent.probes.clone(),
            cooling: sent.cooling.clone(),
            latency: self.latency.news(),
            ask,
            force: None,
            turn: Some(millis(self.next.since(now))).filter(|turn| *turn > 0),
        };
        (serde_json::to_string(&report).unwrap_or_default(), sent)
    }

    pub(super) fn incoming(&mut self, sent: Sent, answer: Option<&str>, now: Timestamp) {
        self.under_way = None;
        // It was asked, and nobody need wait for it again before what is known is out of date once more.
        self.heard = Some(now);
        self.cooling.retain(|cooling| now < cooling.until);
        let Some(answer) = answer.and_then(|answer| serde_json::from_str::<Answer>(answer).ok()) else {
            self.unreachable += 1;
            self.next = now + UNREACHABLE;
            self.keep(sent);
            return;
        };
        self.next = now + Duration::from_millis(answer.again);
        self.obey(&answer);
        self.pace.hear(answer.spread, answer.serial);
        if answer.serial > self.serial {
            self.serial = answer.serial;
            self.latency.learn(&answer.latency, now);
            self.learn(answer, sent.nth, now);
        }
    }

    /// Takes what is ordered. It is told whole with every answer, so that the latest one holds, whatever it answers.
    pub(super) fn obey(&mut self, answer: &Answer) {
        if answer.serial > self.orders.1 {
            self.orders = (answer.forced.clone().into(), answer.serial);
        }
    }

    /// The place of a circuit, made if there is none of that name yet.
    pub(super) fn place(&mut self, key: &str) -> usize {
        if let Some(place) = self.circuits.iter().position(|local| local.key == key) {
            return place;
        }
        self.circuits.push(Local {
            key: key.to_owned(),
            circuit: Circuit::default(),
            pending: Default::default(),
            told: 0,
            ask_after: Timestamp::default(),
            ok: 0,
            failed: 0,
            trips: 0,
        });
        self.circuits.len() - 1
    }

    /// Whether calls go through a circuit: as an operator has ordered, or as it is.
    pub(super) fn phase(&self, place: usize, now: Timestamp) -> Phase {
        let Some(local) = self.circuits.get(place) else { return Phase::Closed };
        if self.orders.0.closes(&local.key, now) { Phase::Closed } else { local.circuit.phase(now) }
    }

    /// Whether something else than a circuit keeps a target from being asked.
    pub(super) fn holds_back(&self, target: &Target, now: Timestamp) -> bool {
        self.cools(target, now).is_some() || self.orders.0.drained(&target.model, now).is_some()
    }

    pub(super) fn cools(&self, target: &Target, now: Timestamp) -> Option<Timestamp> {
        let same = |cooling: &&Cooling| cooling.credential == target.credential && cooling.model == target.model;
        self.cooling.iter().find(same).map(|cooling| cooling.until).filter(|until| now < *until)
    }

    pub(super) fn cool(&mut self, cooling: &Cooling) {
        let same = |own: &&mut Cooling| own.credential == cooling.credential && own.model == cooling.model;
        match self.cooling.iter_mut().find(same) {
            Some(own) => own.until = own.until.max(cooling.until),
            None => self.cooling.push(cooling.clone()),
        }
    }

    /// Counts a call at once, and for the object.
    pub(super) fn count(&mut self, place: usize, epoch: u64, counts: Counts, now: Timestamp, random: u64) -> Urgency {
        let (settings, later) = (self.settings, self.pace.later());
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
            local.opened(later);
            self.trip_by_models(later, now, random);
            return Urgency::Now;
        }
        if counts.failed > 0 { Urgency::Soon } else { Urgency::Later }
    }

    /// The provider opens when two of its models are open, as it does in the object.
    fn trip_by_models(&mut self, later: Duration, now: Timestamp, random: u64) {
        let failing = |local: &&Local| local.key.starts_with("model:") && local.circuit.counts_for_provider();
        if self.circuits.iter().filter(failing).count() < 2 {
            return;
        }
        let settings = self.settings;
        if let Some(own) = self.circuits.iter_mut().find(|local| local.key == message::PROVIDER)
            && own.circuit.trip_by_others(now, &settings, random)
        {
            own.trips += 1;
            own.opened(later);
        }
    }

    pub(super) fn trip(&mut self, place: usize, epoch: u64, now: Timestamp, random: u64) -> Urgency {
        let (settings, later) = (self.settings, self.pace.later());
        let Some(local) = self.circuits.get_mut(place) else { return Urgency::Later };
        local.failed += 1;
        if !local.circuit.trip(epoch, now, &settings, random) {
            return Urgency::Later;
        }
        local.trips += 1;
        local.opened(later);
        self.news.trips.push(Mark { key: local.key.clone(), epoch });
        Urgency::Now
    }

    /// Tells of each lease what its probe showed: for some circuits success or failure, for others nothing.
    pub(super) fn probed(&mut self, ticket: &Ticket, outcome: Outcome, now: Timestamp, random: u64) {
        let (settings, later) = (self.settings, self.pace.later());
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
                self.pace.may_ask();
                match success {
                    Some(success) => {
                        local.circuit.probed(lease.epoch, success, now, &settings, random);
                        local.opened(later);
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
            nth: 0,
        };
        // Of an object that stays away, the latest news are the ones that matter when it is back.
        if [self.news.trips.len(), self.news.probes.len(), self.news.cooling.len()].into_iter().any(|count| count > MOST_NEWS) {
            self.news = Sent::default();
        }
    }

    fn learn(&mut self, answer: Answer, to: u64, now: Timestamp) {
        let later = self.pace.later();
        for local in &mut self.circuits {
            // A trip that the object has not heard of yet stands until it has: one that is still to be told, or that a later message tells.
            let unheard = self.news.trips.iter().any(|mark| mark.key == local.key)
                || local.circuit.known().until.is_some() && (!local.pending.1.is_empty() || local.told > to);
            if unheard {
                continue;
            }
            let told = answer.circuits.iter().find(|told| told.key == local.key);
            local.adopt(&told.map_or(Known { epoch: 0, until: None, cooldown: 0 }, |told| told.known), later, now);
        }
        // Circuits that were never met here are learnt too: the next call may need them.
        for told in answer.circuits {
            if self.circuits.iter().all(|local| local.key != told.key) {
                let place = self.place(&told.key);
                if let Some(local) = self.circuits.get_mut(place) {
                    local.adopt(&told.known, later, now);
                }
            }
        }
        for cooling in &answer.cooling {
            self.cool(cooling);
        }
    }
}
