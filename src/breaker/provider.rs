//! What one isolate knows of one provider: its circuits, what is still to be told about them, and when.

use std::time::Duration;

use super::Outcome;
use super::circuit::{Circuit, Counts, Known, Settings};
use super::message::{self, Answer, Batch, Cooling, Key, Mark, Probe, Report};
use super::view::{Due, Target, Ticket, Urgency};
use crate::time::Timestamp;

/// After this long without an answer what is known is out of date, and worth waiting for.
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
    /// What is still to be said, beside what each circuit has pending.
    pub(super) news: Sent,
    /// When an answer came last.
    pub(super) heard: Option<Timestamp>,
    /// Since when an exchange is under way.
    under_way: Option<Timestamp>,
    next: Timestamp,
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
}

impl Provider {
    pub(super) fn new(name: String, settings: Settings) -> Self {
        Self {
            name,
            settings,
            circuits: Vec::new(),
            cooling: Vec::new(),
            news: Sent::default(),
            heard: None,
            under_way: None,
            next: Timestamp::default(),
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
            Some(heard) if now.since(heard) > OUT_OF_DATE => Due::Cold,
            Some(_) if now >= self.next => Due::Refresh,
            Some(_) => Due::No,
        }
    }

    pub(super) fn has_pending(&self) -> bool {
        let news = &self.news;
        let told = news.trips.is_empty() && news.probes.is_empty() && news.cooling.is_empty();
        !told || self.circuits.iter().any(|local| local.pending.1.failed > 0)
    }

    pub(super) fn outgoing(&mut self, ask: Vec<Key>, now: Timestamp) -> (String, Sent) {
        self.under_way = Some(now);
        self.exchanges += 1;
        let mut sent = std::mem::take(&mut self.news);
        for local in &mut self.circuits {
            let (epoch, counts) = std::mem::take(&mut local.pending);
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
            ask,
        };
        (serde_json::to_string(&report).unwrap_or_default(), sent)
    }

    pub(super) fn incoming(&mut self, sent: Sent, answer: Option<&str>, now: Timestamp) {
        self.under_way = None;
        // It was asked, and nobody need wait for it again before what is known is out of date once more.
        self.heard = Some(now);
        let Some(answer) = answer.and_then(|answer| serde_json::from_str::<Answer>(answer).ok()) else {
            self.unreachable += 1;
            self.next = now + UNREACHABLE;
            self.keep(sent);
            return;
        };
        self.next = now + Duration::from_millis(answer.again);
        if answer.serial > self.serial {
            self.serial = answer.serial;
            self.learn(answer);
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
            ask_after: Timestamp::default(),
            ok: 0,
            failed: 0,
            trips: 0,
        });
        self.circuits.len() - 1
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

    pub(super) fn trip(&mut self, place: usize, epoch: u64, now: Timestamp, random: u64) -> Urgency {
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
    pub(super) fn probed(&mut self, ticket: &Ticket, outcome: Outcome, now: Timestamp, random: u64) {
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
        if [self.news.trips.len(), self.news.probes.len(), self.news.cooling.len()].into_iter().any(|count| count > MOST_NEWS) {
            self.news = Sent::default();
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
