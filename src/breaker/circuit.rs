//! One circuit's state machine.
//!
//! **Why two signals.** Failures in a row find a dead upstream within a handful of calls, however few there are. A rate over a window finds one
//! that fails half of the time and never five times in a row. Either alone misses what the other sees.
//!
//! **Trip.** Closed, it opens on `failures` in a row, or on `error_rate` over the sliding `window` once that holds `min_requests`.
//!
//! **Recovery.** Open, it lets nothing through until its cooldown ends. That it has ended is found by whoever asks next, so that no alarm can be
//! lost: it is half-open then, and grants one lease at a time. The probe's success closes it, with an empty window and no run; its
//! failure opens it for twice as long. A lease expires by itself, as a probe's report can get lost with its isolate.
//!
//! **Epochs.** Every transition and every lease begins a new epoch, and what is reported of an older one is dropped: calls that began before
//! a trip say nothing about what came after it, and a probe that was given up cannot close a circuit that failed since. A trip always
//! starts from the shortest cooldown: it never inherits an earlier trip's clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::{Timestamp, millis};

/// When a circuit opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Failures in a row that open it.
    pub failures: u32,
    /// The share of failures within the window that opens it, 0 to 1.
    pub error_rate: f64,
    /// The fewest calls in the window for the rate to count.
    pub min_requests: u32,
    /// How far back the rate looks.
    pub window: Duration,
    /// The first cooldown.
    pub cooldown: Duration,
    /// The longest cooldown.
    pub max_cooldown: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            failures: 5,
            error_rate: 0.5,
            min_requests: 10,
            window: Duration::from_secs(30),
            cooldown: Duration::from_secs(10),
            // One probe a region costs next to nothing; what is gained by more seldom ones is lost when the provider is back.
            max_cooldown: Duration::from_secs(60),
        }
    }
}

/// How long a lease holds. Longer than most probes take to their first content; short enough that a lost one is soon made good.
pub const LEASE: Duration = Duration::from_secs(30);

/// Marks the epochs that an isolate begins by itself, by the clock; no object gets that far, and JSON's numbers get a little further.
const OWN: u64 = 1 << 50;

/// In how many steps the window slides: an old failure leaves it at most a tenth of a window early.
const STEPS: u64 = 10;

/// Outcomes of calls, in the order in which they ended, as far as that matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Successes.
    pub ok: u32,
    /// Failures.
    pub failed: u32,
    /// The failures after the last success.
    pub trailing: u32,
}

impl Counts {
    /// One success.
    pub const OK: Self = Self { ok: 1, failed: 0, trailing: 0 };
    /// One failure.
    pub const FAILED: Self = Self { ok: 0, failed: 1, trailing: 1 };

    /// These, and then `later` ones.
    #[must_use]
    pub const fn then(self, later: Self) -> Self {
        Self {
            ok: self.ok.saturating_add(later.ok),
            failed: self.failed.saturating_add(later.failed),
            trailing: run_after(self.trailing, later),
        }
    }

    /// Whether nothing is counted.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.ok == 0 && self.failed == 0
    }
}

/// The failures in a row after `later`, when there were `run` before. Any success ends a run.
const fn run_after(run: u32, later: Counts) -> u32 {
    if later.ok > 0 { later.trailing } else { run.saturating_add(later.failed) }
}

/// Whether calls go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// They do.
    Closed,
    /// None does before then.
    Open {
        /// The end of the cooldown.
        until: Timestamp,
    },
    /// The cooldown is over: one may, under a lease.
    HalfOpen {
        /// When the lease that is out expires, if one is.
        leased: Option<Timestamp>,
    },
}

/// A circuit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Circuit {
    epoch: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open: Option<Open>,
    /// Counts since the last transition; not stored, as only transitions are.
    #[serde(skip)]
    run: u32,
    #[serde(skip)]
    window: Window,
}

/// What an open circuit remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Open {
    until: Timestamp,
    /// Without jitter, in milliseconds.
    cooldown: u64,
    /// Why: see [`Circuit::counts_for_provider`].
    at_once: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leased: Option<Timestamp>,
}

impl Circuit {
    /// The epoch that reports must carry.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Failures in a row.
    #[must_use]
    pub const fn run(&self) -> u32 {
        self.run
    }

    /// Successes and failures within the window.
    #[must_use]
    pub fn window(&self, now: Timestamp, settings: &Settings) -> (u32, u32) {
        self.window.totals(now, settings.window)
    }

    /// Whether calls go through at `now`.
    #[must_use]
    pub fn phase(&self, now: Timestamp) -> Phase {
        match self.open {
            None => Phase::Closed,
            Some(open) if now < open.until => Phase::Open { until: open.until },
            Some(open) => Phase::HalfOpen { leased: open.leased.filter(|expires| now < *expires) },
        }
    }

    /// Whether it is open because calls failed, rather than because somebody asked for what is not there.
    #[must_use]
    pub fn counts_for_provider(&self) -> bool {
        self.open.is_some_and(|open| !open.at_once)
    }

    /// Counts calls that began in `epoch`. True when that opened it.
    pub fn record(&mut self, counts: Counts, epoch: u64, now: Timestamp, settings: &Settings, random: u64) -> bool {
        if epoch != self.epoch || self.open.is_some() || counts.is_empty() {
            return false;
        }
        self.run = run_after(self.run, counts);
        self.window.add(counts, now, settings.window);
        let (ok, failed) = self.window.totals(now, settings.window);
        let calls = f64::from(ok) + f64::from(failed);
        let rate_trips = ok.saturating_add(failed) >= settings.min_requests
            && f64::from(failed) >= settings.error_rate * calls
            && failed > 0;
        if self.run < settings.failures && !rate_trips {
            return false;
        }
        self.open(settings.cooldown, false, now, settings, random);
        true
    }

    /// Opens it at once, if it is closed in `epoch`. True when it was.
    pub fn trip(&mut self, epoch: u64, now: Timestamp, settings: &Settings, random: u64) -> bool {
        if epoch != self.epoch || self.open.is_some() {
            return false;
        }
        self.open(settings.cooldown, true, now, settings, random);
        true
    }

    /// Opens it for a reason outside of it, such as the fate of its neighbours. True when it was closed.
    pub fn trip_by_others(&mut self, now: Timestamp, settings: &Settings, random: u64) -> bool {
        if self.open.is_some() {
            return false;
        }
        self.open(settings.cooldown, false, now, settings, random);
        true
    }

    /// Grants the lease for a probe: its epoch, if it is half-open and none is out.
    pub fn lease(&mut self, now: Timestamp) -> Option<u64> {
        self.lease_in(self.epoch + 1, now)
    }

    /// The same for an isolate that cannot reach the object. Its epochs are no epochs of the object's, which may grant a lease to somebody
    /// else meanwhile, and must not take this probe's result for that one's.
    pub fn lease_alone(&mut self, now: Timestamp) -> Option<u64> {
        self.lease_in(OWN | now.as_millis(), now)
    }

    fn lease_in(&mut self, epoch: u64, now: Timestamp) -> Option<u64> {
        if self.phase(now) != (Phase::HalfOpen { leased: None }) {
            return None;
        }
        self.epoch = epoch;
        if let Some(open) = &mut self.open {
            open.leased = Some(now + LEASE);
        }
        Some(self.epoch)
    }

    /// Notes that the lease of `epoch` is out.
    pub fn lend(&mut self, epoch: u64, now: Timestamp) {
        if let Some(open) = self.open.as_mut().filter(|_| epoch == self.epoch) {
            open.leased = Some(now + LEASE);
        }
    }

    /// The result of the probe under the lease of `epoch`. True when it was heard.
    pub fn probed(&mut self, epoch: u64, success: bool, now: Timestamp, settings: &Settings, random: u64) -> bool {
        let Some(open) = self.open.filter(|open| epoch == self.epoch && open.leased.is_some()) else { return false };
        if success {
            *self = Self { epoch: self.epoch + 1, ..Self::default() };
        } else {
            let longer = Duration::from_millis(open.cooldown.saturating_mul(2));
            self.open(longer.clamp(settings.cooldown, settings.max_cooldown), open.at_once, now, settings, random);
        }
        true
    }

    /// The lease of `epoch` is given back: its probe ended by nobody's fault. True when it was out.
    pub fn release(&mut self, epoch: u64) -> bool {
        match &mut self.open {
            Some(open) if epoch == self.epoch && open.leased.is_some() => {
                open.leased = None;
                true
            }
            _ => false,
        }
    }

    /// Up to a tenth longer than asked, so that the isolates of the world do not come back in the same instant.
    fn open(&mut self, cooldown: Duration, at_once: bool, now: Timestamp, settings: &Settings, random: u64) {
        let cooldown = millis(cooldown.min(settings.max_cooldown));
        let jitter = random % (cooldown / 10 + 1);
        let until = now + Duration::from_millis(cooldown + jitter);
        *self = Self { epoch: self.epoch + 1, open: Some(Open { until, cooldown, at_once, leased: None }), ..Self::default() };
    }

    /// The state as somebody else knows it better.
    pub fn adopt(&mut self, known: &Known) {
        if self.epoch == known.epoch && self.open.is_some() == known.until.is_some() {
            return;
        }
        let open = known.until.map(|until| Open { until, cooldown: known.cooldown, at_once: false, leased: None });
        *self = Self { epoch: known.epoch, open, ..Self::default() };
    }

    /// The state as others are told it.
    #[must_use]
    pub fn known(&self) -> Known {
        Known {
            epoch: self.epoch,
            until: self.open.map(|open| open.until),
            cooldown: self.open.map_or(0, |open| open.cooldown),
        }
    }
}

/// What is told of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The epoch.
    pub epoch: u64,
    /// The end of the cooldown; none when it is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The cooldown in milliseconds.
    #[serde(default)]
    pub cooldown: u64,
}

/// Successes and failures by steps of time.
#[derive(Clone, Debug, Default, PartialEq)]
struct Window {
    /// Step number, successes, failures; in the order of time.
    steps: Vec<(u64, u32, u32)>,
}

impl Window {
    fn step(now: Timestamp, window: Duration) -> u64 {
        now.as_millis() / (millis(window) / STEPS).max(1)
    }

    fn add(&mut self, counts: Counts, now: Timestamp, window: Duration) {
        let step = Self::step(now, window);
        self.steps.retain(|(old, ..)| old + STEPS > step && *old <= step);
        match self.steps.last_mut() {
            Some((last, ok, failed)) if *last == step => {
                *ok = ok.saturating_add(counts.ok);
                *failed = failed.saturating_add(counts.failed);
            }
            _ => self.steps.push((step, counts.ok, counts.failed)),
        }
    }

    fn totals(&self, now: Timestamp, window: Duration) -> (u32, u32) {
        let step = Self::step(now, window);
        let recent = self.steps.iter().filter(|(old, ..)| old + STEPS > step);
        recent.fold((0, 0), |(oks, fails), (_, ok, failed)| (oks + ok, fails + failed))
    }
}

impl From<&crate::config::BreakerSettings> for Settings {
    fn from(configured: &crate::config::BreakerSettings) -> Self {
        let crate::config::BreakerSettings { failures, error_rate, min_requests, window, cooldown, max_cooldown } = *configured;
        Self { failures, error_rate, min_requests, window, cooldown, max_cooldown }
    }
}
