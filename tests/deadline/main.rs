//! The deadline's rule against fixed timeouts, under the same faults.
//!
//! **What is compared.** Each request asks three targets in order, under one deadline, with the crate's own circuits in front of them. Only
//! how long an attempt may take differs: by `deadline::allow`, with a `latency::Sketch` for each target and size of request, or a fixed
//! timeout, of several lengths. Every rule meets the same requests, and what a target would do with a request is drawn beforehand, so that
//! chance favours none.
//!
//! **What is counted.** The share of requests that were answered, and the 99th percentile of the time to the answer, in which a request that was
//! not answered counts as the whole deadline: it had no answer by then. The scenarios of one deadline, together, are what the budget must do better
//! in: each of them has a timeout that suits it, but nobody knows beforehand which it will be.
//!
//! `make simulate-deadline` prints the table that `docs/deadline.md` shows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test ends when it is wrong")]
#![allow(clippy::print_stdout, reason = "the table")]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "milliseconds, shares and percentiles of a simulation"
)]

mod sea;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use breakwater::breaker::circuit::{Circuit, Counts, Phase, Settings};
use breakwater::deadline::{self, Ask, Later};
use breakwater::latency::{Sketch, Took};
use breakwater::time::Timestamp;
use sea::{Fate, Request, Scenario, TARGETS};

/// The deadlines that are tried. The scenarios' rows are of the first.
const DEADLINES: [Duration; 3] = [Duration::from_secs(60), Duration::from_secs(30), Duration::from_secs(120)];

/// By how many percentage points some timeout may answer more in one scenario. No one of them does in all.
const MARGIN: f64 = 1.5;

/// How many seeds each scenario is lived through with.
const SEEDS: u64 = 10;

/// How long an attempt may take.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    Budget,
    Fixed(Duration),
}

const RULES: [(&str, Rule); 6] = [
    ("budget", Rule::Budget),
    ("2 s", Rule::Fixed(Duration::from_secs(2))),
    ("10 s", Rule::Fixed(Duration::from_secs(10))),
    ("20 s", Rule::Fixed(Duration::from_secs(20))),
    ("30 s", Rule::Fixed(Duration::from_secs(30))),
    ("whole", Rule::Fixed(Duration::MAX)),
];

/// What came of a scenario, or of several.
#[derive(Clone, Default)]
struct Tally {
    answered: usize,
    /// Milliseconds to the answer, or the deadline.
    times: Vec<u64>,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.answered += other.answered;
        self.times.extend(&other.times);
    }

    /// In percent.
    fn success(&self) -> f64 {
        self.answered as f64 * 100.0 / self.times.len() as f64
    }

    /// In seconds.
    fn percentile(&self, share: f64) -> f64 {
        let mut times = self.times.clone();
        times.sort_unstable();
        times[((times.len() as f64 * share).ceil() as usize).clamp(1, times.len()) - 1] as f64 / 1000.0
    }
}

/// A call under way.
struct Call {
    target: usize,
    started: Timestamp,
    epoch: u64,
    probe: bool,
    /// Whether it ends by our giving it up, and whether that is fair.
    cut: Option<bool>,
}

/// A request under way.
#[derive(Default)]
struct Progress {
    next: usize,
    call: Option<Call>,
}

/// One rule's life through one scenario.
struct Life<'a> {
    rule: Rule,
    deadline: Duration,
    requests: &'a [Request],
    progress: Vec<Progress>,
    circuits: [Circuit; TARGETS],
    /// By target and size.
    sketches: [[Sketch; sea::SIZES]; TARGETS],
    /// What happens next: when, and to which request.
    events: BinaryHeap<Reverse<(Timestamp, usize)>>,
    tally: Tally,
    settings: Settings,
}

impl<'a> Life<'a> {
    fn live(rule: Rule, deadline: Duration, requests: &'a [Request]) -> Tally {
        let mut life = Self {
            rule,
            deadline,
            requests,
            progress: requests.iter().map(|_| Progress::default()).collect(),
            circuits: Default::default(),
            sketches: Default::default(),
            events: requests.iter().enumerate().map(|(nth, request)| Reverse((request.at, nth))).collect(),
            tally: Tally::default(),
            settings: Settings::default(),
        };
        while let Some(Reverse((now, nth))) = life.events.pop() {
            if !life.ends_well(nth, now) {
                life.goes_on(nth, now);
            }
        }
        life.tally
    }

    /// The call of a request has ended, if there was one. True when that was its answer.
    fn ends_well(&mut self, nth: usize, now: Timestamp) -> bool {
        let request = &self.requests[nth];
        let Some(call) = self.progress[nth].call.take() else { return false };
        let circuit = &mut self.circuits[call.target];
        let sketch = &mut self.sketches[call.target][request.size];
        let took = now.since(call.started);
        let answered = call.cut.is_none() && matches!(request.fates[call.target], Fate::Answers(_));
        if answered {
            sketch.record(Took::Exactly(took), now);
            self.tally.answered += 1;
            self.tally.times.push(breakwater::time::millis(now.since(request.at)));
        } else if call.cut.is_some() {
            sketch.record(Took::AtLeast(took), now);
        }
        let fair = call.cut != Some(false);
        if call.probe && (answered || fair) {
            circuit.probed(call.epoch, answered, now, &self.settings, request.random);
        } else if call.probe {
            circuit.release(call.epoch);
        } else if answered || fair {
            let counts = if answered { Counts::OK } else { Counts::FAILED };
            circuit.record(counts, call.epoch, now, &self.settings, request.random);
        }
        answered
    }

    /// Asks the next target that may be asked; without one the request has failed.
    fn goes_on(&mut self, nth: usize, now: Timestamp) {
        let request = &self.requests[nth];
        while self.progress[nth].next < TARGETS {
            let target = self.progress[nth].next;
            self.progress[nth].next += 1;
            let Some((given, fair)) = self.allowance(target, request, now) else { continue };
            let Some((epoch, probe)) = self.admits(target, now) else { continue };
            let (ends, cut) = match request.fates[target] {
                Fate::Answers(after) | Fate::Fails(after) if after <= given => (after, None),
                Fate::Answers(_) | Fate::Fails(_) | Fate::Hangs => (given, Some(fair)),
            };
            self.progress[nth].call = Some(Call { target, started: now, epoch, probe, cut });
            self.events.push(Reverse((now + ends, nth)));
            return;
        }
        self.tally.times.push(breakwater::time::millis(self.deadline));
    }

    /// How long an attempt may take, and whether a timeout then is the target's fault; none where it is not to be made.
    fn allowance(&self, target: usize, request: &Request, now: Timestamp) -> Option<(Duration, bool)> {
        let deadline = request.at + self.deadline;
        let left = deadline.since(now);
        let Rule::Budget = self.rule else {
            let Rule::Fixed(timeout) = self.rule else { return None };
            return (!left.is_zero()).then(|| (timeout.min(left), true));
        };
        let known = |target: usize| self.sketches[target][request.size].quantiles(now);
        let open = |target: &usize| matches!(self.circuits[*target].phase(now), Phase::Open { .. });
        let later = (target + 1..TARGETS).filter(|later| !open(later));
        let later = later.fold(Later::default(), |later, other| later.and(known(other)));
        if deadline::passes_over(left, known(target), later) {
            return None;
        }
        let ask = Ask {
            streamed: false,
            first_token: None,
            client_first_token: None,
            fair_from: Duration::from_secs(10),
            most: self.deadline,
            own: known(target),
            later,
            random: request.random,
        };
        let allowance = deadline::allow(now, deadline, ask)?;
        Some((allowance.until.since(now), allowance.fair))
    }

    /// Whether the circuit lets a call through: its epoch, and whether it is a probe.
    fn admits(&mut self, target: usize, now: Timestamp) -> Option<(u64, bool)> {
        let circuit = &mut self.circuits[target];
        match circuit.phase(now) {
            Phase::Closed => Some((circuit.epoch(), false)),
            Phase::Open { .. } => None,
            Phase::HalfOpen { .. } => circuit.lease(now).map(|epoch| (epoch, true)),
        }
    }
}

/// Every rule's tally of a scenario.
fn compare(scenario: &Scenario, deadline: Duration) -> [Tally; RULES.len()] {
    let mut tallies: [Tally; RULES.len()] = Default::default();
    for seed in 0..SEEDS {
        let requests = sea::requests(scenario, seed);
        for (tally, (_, rule)) in tallies.iter_mut().zip(RULES) {
            tally.add(&Life::live(rule, deadline, &requests));
        }
    }
    tallies
}

fn print_row(name: &str, tallies: &[Tally; RULES.len()]) {
    print!("| {name:<45} |");
    for tally in tallies {
        print!(" {:>6.2} % {:>5.1} s |", tally.success(), tally.percentile(0.99));
    }
    println!();
}

#[test]
fn the_budget_answers_more_than_any_fixed_timeout() {
    print!("\n| {:<45} |", "");
    for (name, _) in RULES {
        print!(" {name:>16} |");
    }
    println!("\n|{}|{}", "-".repeat(47), format!("{}:|", "-".repeat(17)).repeat(RULES.len()));
    for deadline in DEADLINES {
        let mut all: [Tally; RULES.len()] = Default::default();
        for scenario in &sea::SCENARIOS {
            let tallies = compare(scenario, deadline);
            if deadline == DEADLINES[0] {
                print_row(scenario.name, &tallies);
            }
            let best = tallies.iter().map(Tally::success).fold(0.0, f64::max);
            let ours = tallies[0].success();
            assert!(ours >= best - MARGIN, "{} in {deadline:?}: {ours:.2} %, and not {best:.2} %", scenario.name);
            for (all, tally) in all.iter_mut().zip(&tallies) {
                all.add(tally);
            }
        }
        print_row(&format!("all of them, under {} s", deadline.as_secs()), &all);
        let [budget, fixed @ ..] = &all;
        for (tally, (name, _)) in fixed.iter().zip(&RULES[1..]) {
            assert!(budget.success() > tally.success(), "a fixed timeout of {name} answers more in {deadline:?}");
        }
    }
    println!();
}

#[test]
fn the_same_seed_gives_the_same_figures() {
    let scenario = &sea::SCENARIOS[1];
    let [one, other] = [0, 1].map(|_| Life::live(Rule::Budget, DEADLINES[0], &sea::requests(scenario, 3)));
    assert_eq!((one.answered, one.times), (other.answered, other.times));
}
