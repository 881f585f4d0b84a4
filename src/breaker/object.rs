//! The truth about one provider's circuits for the callers of one region.
//!
//! All isolates' reports meet here, so that five failures anywhere open a circuit everywhere; and because the object is one, a lease is given to
//! one probe. What it is told is bounded and checked: the settings are clamped, the number of circuits is limited, and a message that cannot be
//! read changes nothing.
//!
//! **Load.** Isolates come again when they are told to. The object keeps the rate of exchanges under [`TURNS_PER_SECOND`] by giving each a
//! turn of its own, so that they come later the more of them come: with ten isolates each asks every second, with a thousand every
//! forty. Who comes before its turn, with news or a question, keeps it. All isolates have news when a provider goes down, and all have a
//! question when its cooldown ends: those are spread by [`super::pace`] over a time that the object names, so that they come to
//! [`NEWS_PER_SECOND`]. Both rates together, and what chance adds, stay under two hundred in any second, which is a fifth of what the
//! platform lets one object do; `make simulate-fleet` shows it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::LONGEST_COOLING;
use super::circuit::{Circuit, Phase, Settings};
use super::force::{LONGEST_KEY, Orders};
use super::message::{Answer, Cooling, Key, Mark, PROVIDER, Report, Told};
use crate::latency::shared::Shared;
use crate::time::{Timestamp, millis};

/// The turns in a second. Few, as a turn tells an isolate what it mostly need not know, and news tell it what it needs: in a fleet that is
/// large, what is left to news is what the fleet is fast by.
const TURNS_PER_SECOND: u64 = 25;

/// The news and questions in a second, when every isolate has some.
const NEWS_PER_SECOND: u64 = 110;

/// The soonest and the latest that an isolate is told to come again.
const SOONEST: Duration = Duration::from_secs(1);
const LATEST: Duration = Duration::from_secs(300);

/// The most circuits: model names may come from clients, and a message must stay small.
const MOST_CIRCUITS: usize = 256;

/// The most rate limits that are remembered.
const MOST_COOLING: usize = 256;

/// The circuits of one provider.
#[derive(Debug, Default)]
pub struct Object {
    circuits: BTreeMap<Key, Circuit>,
    cooling: Vec<Cooling>,
    orders: Orders,
    /// Not stored: see [`crate::latency`].
    latency: Shared,
    load: Load,
    serial: u64,
}

/// What an exchange comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The answer to the isolate, as JSON.
    pub answer: String,
    /// What must be stored before it is given; none where nothing changed that is worth it.
    pub store: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    circuits: BTreeMap<Key, Circuit>,
    #[serde(default)]
    orders: Orders,
}

impl Object {
    /// All closed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// As it was stored. What cannot be read is forgotten: closed is the safe state, as an upstream that is down is soon found again.
    #[must_use]
    pub fn restore(stored: &str, _now: Timestamp) -> Self {
        let Ok(Stored { circuits, orders }) = serde_json::from_str(stored) else { return Self::default() };
        Self { circuits, orders, ..Self::default() }
    }

    /// Takes an isolate's message and answers it.
    pub fn exchange(&mut self, message: &str, now: Timestamp, random: u64) -> Exchange {
        let Ok(report) = serde_json::from_str::<Report>(message) else {
            let answer = Answer { again: millis(LATEST), ..Answer::default() };
            return Exchange { answer: serde_json::to_string(&answer).unwrap_or_default(), store: None };
        };
        let spread = self.load.spread(now);
        let again = self.load.again(report.turn, now, random);
        let settings = clamp(report.settings);
        let changed = self.hear(&report, now, &settings, random);
        let leases = self.grant(&report.ask, now);
        let changed = changed || leases.as_ref().is_some_and(|leases| !leases.is_empty());
        self.cooling.retain(|cooling| cooling.until > now);
        self.latency.hear(&report.latency, now);
        // By the clock, so that it goes on growing when this object's memory is lost.
        self.serial = now.as_millis().max(self.serial + 1);
        let circuits = self.circuits.iter().filter(|(_, circuit)| circuit.epoch() > 0);
        let answer = Answer {
            circuits: circuits.map(|(key, circuit)| Told { key: key.clone(), known: circuit.known() }).collect(),
            cooling: self.cooling.clone(),
            latency: self.latency.known(now),
            forced: self.orders.all(now).cloned().collect(),
            leases,
            again: millis(again),
            spread: millis(spread),
            serial: self.serial,
        };
        let store = changed.then(|| self.to_store());
        Exchange { answer: serde_json::to_string(&answer).unwrap_or_default(), store: store.flatten() }
    }

    fn to_store(&self) -> Option<String> {
        let circuits = self.circuits.iter().filter(|(_, circuit)| circuit.epoch() > 0);
        let circuits = circuits.map(|(key, circuit)| (key.clone(), circuit.clone())).collect();
        serde_json::to_string(&Stored { circuits, orders: self.orders.clone() }).ok()
    }

    /// Counts what is reported. True when a circuit changed its state.
    fn hear(&mut self, report: &Report, now: Timestamp, settings: &Settings, random: u64) -> bool {
        let mut changed = false;
        if let Some(order) = &report.force {
            self.orders.take(order, now);
            changed = true;
        }
        for probe in &report.probes {
            let Some(circuit) = self.circuits.get_mut(&probe.key) else { continue };
            changed |= match probe.success {
                Some(success) => circuit.probed(probe.epoch, success, now, settings, random),
                None => circuit.release(probe.epoch),
            };
        }
        let mut tripped = Vec::new();
        for batch in &report.counts {
            if let Some(circuit) = self.circuit(&batch.key, now)
                && circuit.record(batch.counts, batch.epoch, now, settings, random)
            {
                tripped.push(&batch.key);
            }
        }
        for mark in &report.trips {
            changed |= self.circuit(&mark.key, now).is_some_and(|circuit| circuit.trip(mark.epoch, now, settings, random));
        }
        for cooling in report.cooling.iter().filter(|cooling| cooling.until > now) {
            self.cool(cooling, now);
        }
        // Two models that fail at once are more likely one provider that fails.
        if tripped.iter().any(|key| key.starts_with("model:")) && self.failing_models(now) >= 2 {
            let provider = self.circuits.entry(PROVIDER.to_owned()).or_default();
            changed |= provider.trip_by_others(now, settings, random);
        }
        changed || !tripped.is_empty()
    }

    fn failing_models(&self, now: Timestamp) -> usize {
        let models = self.circuits.iter().filter(|(key, _)| key.starts_with("model:"));
        models.filter(|(_, circuit)| circuit.counts_for_provider() && circuit.phase(now) != Phase::Closed).count()
    }

    /// The circuit of that name, made if there is room for it.
    fn circuit(&mut self, key: &str, now: Timestamp) -> Option<&mut Circuit> {
        if !self.circuits.contains_key(key) {
            if key.len() > LONGEST_KEY {
                return None;
            }
            if self.circuits.len() >= MOST_CIRCUITS {
                // One that is closed loses least, then one whose cooldown ended first and that nobody has probed since; one that
                // is open, or leased, is never forgotten for another's sake.
                let idle = self
                    .circuits
                    .iter()
                    .filter(|(_, circuit)| matches!(circuit.phase(now), Phase::Closed | Phase::HalfOpen { leased: None }));
                let idle = idle.min_by_key(|(_, circuit)| circuit.known().until).map(|(key, _)| key.clone())?;
                self.circuits.remove(&idle);
            }
        }
        Some(self.circuits.entry(key.to_owned()).or_default())
    }

    fn cool(&mut self, cooling: &Cooling, now: Timestamp) {
        let until = cooling.until.min(now + LONGEST_COOLING);
        let same = |own: &&mut Cooling| own.credential == cooling.credential && own.model == cooling.model;
        if let Some(own) = self.cooling.iter_mut().find(same) {
            own.until = own.until.max(until);
        } else if self.cooling.len() < MOST_COOLING && cooling.credential.len() + cooling.model.len() <= LONGEST_KEY {
            self.cooling.push(Cooling { until, ..cooling.clone() });
        }
    }

    /// Leases for all of `keys`, or for none: a probe needs every one of them. A circuit that is closed needs no lease.
    fn grant(&mut self, keys: &[Key], now: Timestamp) -> Option<Vec<Mark>> {
        let free = |key: &Key| {
            let phase = self.circuits.get(key).map_or(Phase::Closed, |circuit| circuit.phase(now));
            matches!(phase, Phase::Closed | Phase::HalfOpen { leased: None })
        };
        if keys.is_empty() || !keys.iter().all(free) || self.orders.forbid_probe(keys, now) {
            return None;
        }
        let mut leases = Vec::with_capacity(keys.len());
        for key in keys {
            if let Some(epoch) = self.circuits.get_mut(key).and_then(|circuit| circuit.lease(now)) {
                leases.push(Mark { key: key.clone(), epoch });
            }
        }
        Some(leases)
    }
}

/// Settings that nobody can do harm with.
fn clamp(settings: Settings) -> Settings {
    let second = Duration::from_secs(1);
    let hour = Duration::from_secs(3600);
    let cooldown = settings.cooldown.clamp(Duration::from_millis(100), hour);
    Settings {
        failures: settings.failures.max(1),
        error_rate: settings.error_rate.clamp(0.01, 1.0),
        min_requests: settings.min_requests.max(1),
        window: settings.window.clamp(second, hour),
        cooldown,
        max_cooldown: settings.max_cooldown.clamp(cooldown, hour * 24),
    }
}

/// When isolates are to come again. A rate that is measured, and answered by one time for all, swings: who is told the same time comes back
/// in the same second. Turns that are handed out one by one cannot.
#[derive(Debug, Default)]
struct Load {
    /// The last turn that was given.
    turn: Timestamp,
}

impl Load {
    /// Says when an isolate is to come again. One that comes before its turn keeps it.
    fn again(&mut self, turn: Option<u64>, now: Timestamp, random: u64) -> Duration {
        let kept = turn.map(Duration::from_millis).filter(|turn| (SOONEST..=LATEST).contains(turn));
        if let Some(kept) = kept {
            return kept;
        }
        let turn = self.turn + Duration::from_millis(1000 / TURNS_PER_SECOND);
        self.turn = turn.clamp(now + SOONEST, now + LATEST);
        if turn > self.turn {
            // There are more than have turns of their own, and they must not come back all in the same instant.
            let half = millis(LATEST) / 2;
            return Duration::from_millis(half + random % half);
        }
        self.turn.since(now)
    }

    /// Over how long the isolates are to spread their news. How far ahead the turns are given out says how many isolates there are.
    fn spread(&self, now: Timestamp) -> Duration {
        let ahead = self.turn.since(now + SOONEST).min(LATEST);
        Duration::from_millis(millis(ahead) * TURNS_PER_SECOND / NEWS_PER_SECOND)
    }
}
