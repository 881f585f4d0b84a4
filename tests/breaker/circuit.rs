//! Every transition of a circuit, as timelines: what happens at which millisecond, and what is seen then.

use breakwater::breaker::Settings;
use breakwater::breaker::circuit::{Circuit, Counts, Phase};

use super::{at, settings};

/// What happens. What can be told a random number is told zero, so that a cooldown has its bare length.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Do {
    /// This many successes, or failures, of the present epoch.
    Ok(u32),
    Failed(u32),
    /// Several of the present epoch at once.
    Batch(u32, u32, u32),
    /// A failure of that epoch.
    FailedIn(u64),
    Trip(u64),
    TripByOthers,
    Lease,
    /// The probe of that epoch has failed, or not.
    Probed(u64, bool),
    Release(u64),
    /// It is written down and read again, as from storage.
    Restore,
    Look,
}

use Do::{Batch, Failed, FailedIn, Lease, Look, Ok, Probed, Release, Restore, Trip, TripByOthers};

/// What is seen then: the epoch, and the phase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Seen {
    Closed(u64),
    /// Until that millisecond.
    Open(u64, u64),
    HalfOpen(u64),
    /// Its lease is out until that millisecond.
    Leased(u64, u64),
}

use Seen::{Closed, HalfOpen, Leased, Open};

pub(crate) fn seen(circuit: &Circuit, millis: u64) -> Seen {
    let since = |point: breakwater::time::Timestamp| point.as_millis() - at(0).as_millis();
    match circuit.phase(at(millis)) {
        Phase::Closed => Closed(circuit.epoch()),
        Phase::Open { until } => Open(circuit.epoch(), since(until)),
        Phase::HalfOpen { leased: None } => HalfOpen(circuit.epoch()),
        Phase::HalfOpen { leased: Some(until) } => Leased(circuit.epoch(), since(until)),
    }
}

/// Does it, and says whether it was heard.
fn does(circuit: &mut Circuit, what: Do, millis: u64, settings: &Settings) -> bool {
    let (epoch, now) = (circuit.epoch(), at(millis));
    let repeat = |circuit: &mut Circuit, count: u32, counts: Counts| {
        (0..count).map(|_| circuit.record(counts, epoch, now, settings, 0)).last().unwrap_or_default()
    };
    match what {
        Ok(count) => repeat(circuit, count, Counts::OK),
        Failed(count) => repeat(circuit, count, Counts::FAILED),
        Batch(ok, failed, trailing) => circuit.record(Counts { ok, failed, trailing }, epoch, now, settings, 0),
        FailedIn(epoch) => circuit.record(Counts::FAILED, epoch, now, settings, 0),
        Trip(epoch) => circuit.trip(epoch, now, settings, 0),
        TripByOthers => circuit.trip_by_others(now, settings, 0),
        Lease => circuit.lease(now).is_some_and(|granted| granted == circuit.epoch()),
        Probed(epoch, success) => circuit.probed(epoch, success, now, settings, 0),
        Release(epoch) => circuit.release(epoch),
        Restore => {
            *circuit = serde_json::from_str(&serde_json::to_string(circuit).unwrap()).unwrap();
            true
        }
        Look => true,
    }
}

/// What happens when, whether it was heard (for a call: whether it opened the circuit), and what is seen then.
pub(crate) type Line = (u64, Do, bool, Seen);

pub(crate) fn check(name: &str, settings: &Settings, lines: &[Line]) {
    let mut circuit = Circuit::default();
    for (nth, (millis, what, heard, expected)) in lines.iter().enumerate() {
        let got = does(&mut circuit, *what, *millis, settings);
        assert_eq!((got, seen(&circuit, *millis)), (*heard, *expected), "{name}, line {nth}: {what:?} at {millis}");
    }
}

pub(crate) fn check_all(rows: &[(&str, Settings, &[Line])]) {
    for (name, settings, lines) in rows {
        check(name, settings, lines);
    }
}

#[test]
fn it_opens_on_failures_in_a_row() {
    let usual = settings();
    let slow = Settings { min_requests: 1000, ..usual };
    check_all(&[
        ("three", usual, &[(0, Failed(2), false, Closed(0)), (5, Failed(1), true, Open(1, 1005))]),
        (
            "however far apart",
            slow,
            &[
                (0, Failed(1), false, Closed(0)),
                (60_000, Failed(1), false, Closed(0)),
                (7_200_000, Failed(1), true, Open(1, 7_201_000)),
            ],
        ),
        (
            "a success ends a run",
            slow,
            &[
                (0, Failed(2), false, Closed(0)),
                (1, Ok(1), false, Closed(0)),
                (2, Failed(2), false, Closed(0)),
                (3, Ok(1), false, Closed(0)),
                (4, Failed(3), true, Open(1, 1004)),
            ],
        ),
        ("in one batch", slow, &[(0, Batch(0, 3, 3), true, Open(1, 1000))]),
        ("in two batches", slow, &[(0, Batch(5, 2, 2), false, Closed(0)), (1, Batch(0, 1, 1), true, Open(1, 1001))]),
        (
            "a batch's success ends a run before it",
            slow,
            &[
                (0, Batch(0, 2, 2), false, Closed(0)),
                (1, Batch(1, 2, 1), false, Closed(0)),
                (2, Batch(0, 1, 1), false, Closed(0)),
                (3, Batch(0, 1, 1), true, Open(1, 1003)),
            ],
        ),
        ("a batch of failures before its success", slow, &[(0, Batch(1, 9, 0), false, Closed(0))]),
        ("nothing", usual, &[(0, Failed(2), false, Closed(0)), (1, Batch(0, 0, 0), false, Closed(0))]),
        (
            "one is enough",
            Settings { failures: 1, ..usual },
            &[(0, Ok(3), false, Closed(0)), (1, Failed(1), true, Open(1, 1001))],
        ),
    ]);
}

#[test]
fn it_opens_on_a_rate() {
    let usual = Settings { failures: 1000, ..settings() };
    let rate = |error_rate| Settings { error_rate, ..usual };
    check_all(&[
        (
            "half of six",
            usual,
            &[(0, Ok(3), false, Closed(0)), (1, Failed(2), false, Closed(0)), (2, Failed(1), true, Open(1, 1002))],
        ),
        (
            "less than half",
            usual,
            &[(0, Ok(4), false, Closed(0)), (1, Failed(3), false, Closed(0)), (2, Failed(1), true, Open(1, 1002))],
        ),
        ("too few calls", usual, &[(0, Failed(5), false, Closed(0)), (1, Failed(1), true, Open(1, 1001))]),
        ("a success makes them enough", usual, &[(0, Failed(5), false, Closed(0)), (1, Ok(1), true, Open(1, 1001))]),
        (
            "a quarter",
            rate(0.25),
            &[(0, Ok(5), false, Closed(0)), (1, Failed(1), false, Closed(0)), (2, Failed(1), true, Open(1, 1002))],
        ),
        (
            "all",
            rate(1.0),
            &[(0, Failed(5), false, Closed(0)), (1, Ok(1), false, Closed(0)), (2, Failed(100), false, Closed(0))],
        ),
        (
            "a rate of nothing needs a failure",
            rate(0.0),
            &[(0, Ok(100), false, Closed(0)), (1, Failed(1), true, Open(1, 1001))],
        ),
        ("in one batch", usual, &[(0, Batch(3, 3, 0), true, Open(1, 1000))]),
        ("over batches", usual, &[(0, Batch(3, 2, 0), false, Closed(0)), (9, Batch(1, 2, 1), true, Open(1, 1009))]),
    ]);
}

/// The window is ten steps of a second: what happened within a step leaves with all of it.
#[test]
fn the_window_slides() {
    let usual = Settings { failures: 1000, ..settings() };
    check_all(&[
        ("what is within it", usual, &[(0, Failed(5), false, Closed(0)), (9_999, Failed(1), true, Open(1, 10_999))]),
        ("what has left it", usual, &[(999, Failed(5), false, Closed(0)), (10_000, Failed(1), false, Closed(0))]),
        (
            "old successes leave it too",
            usual,
            &[
                (0, Ok(100), false, Closed(0)),
                (5_000, Failed(5), false, Closed(0)),
                (9_999, Failed(1), false, Closed(0)),
                (10_000, Failed(1), true, Open(1, 11_000)),
            ],
        ),
        (
            "step by step",
            usual,
            &[
                (0, Failed(1), false, Closed(0)),
                (2_000, Failed(1), false, Closed(0)),
                (4_000, Failed(1), false, Closed(0)),
                (6_000, Failed(1), false, Closed(0)),
                (8_000, Failed(1), false, Closed(0)),
                (10_000, Failed(1), false, Closed(0)),
                (11_999, Failed(1), true, Open(1, 12_999)),
            ],
        ),
        (
            "a clock that is set back",
            usual,
            &[
                (50_000, Failed(5), false, Closed(0)),
                (10_000, Failed(5), false, Closed(0)),
                (10_000, Failed(1), true, Open(1, 11_000)),
            ],
        ),
    ]);
    let mut circuit = Circuit::default();
    for (millis, counts) in
        [(0, Counts::OK), (0, Counts::FAILED), (3_000, Counts::FAILED), (3_500, Counts::OK), (9_000, Counts::OK)]
    {
        circuit.record(counts, 0, at(millis), &usual, 0);
    }
    let totals: Vec<(u64, (u32, u32))> =
        [9_000, 9_999, 10_000, 12_999, 13_000, 18_999, 19_000].map(|now| (now, circuit.window(at(now), &usual))).to_vec();
    let expected = [
        (9_000, (3, 2)),
        (9_999, (3, 2)),
        (10_000, (2, 1)),
        (12_999, (2, 1)),
        (13_000, (1, 0)),
        (18_999, (1, 0)),
        (19_000, (0, 0)),
    ];
    assert_eq!(totals, expected);
}

/// Up to a tenth longer, whatever is drawn, and never shorter.
#[test]
fn cooldowns_are_spread() {
    let draws = [0, 1, 50, 100, 101, 12_345, u64::MAX];
    let cooldowns = draws.map(|random| {
        let mut circuit = Circuit::default();
        circuit.trip(0, at(0), &settings(), random);
        let Open(1, until) = seen(&circuit, 0) else { panic!("{circuit:?}") };
        until
    });
    assert!(cooldowns.iter().all(|until| (1000..=1100).contains(until)), "{cooldowns:?}");
    assert!(cooldowns.iter().collect::<std::collections::HashSet<_>>().len() >= 4, "{cooldowns:?}");
}

/// Two models that fail are taken for a provider that does; two that are not there are not, even when they are still not there later.
#[test]
fn what_counts_for_the_provider() {
    let usual = settings();
    let counts = |lines: &[(u64, Do)]| {
        let mut circuit = Circuit::default();
        for (millis, what) in lines {
            does(&mut circuit, *what, *millis, &usual);
        }
        circuit.counts_for_provider()
    };
    let rows: [(&str, &[(u64, Do)], bool); 6] = [
        ("closed", &[(0, Failed(2))], false),
        ("failures", &[(0, Failed(3))], true),
        ("failures, half-open", &[(0, Failed(3)), (1000, Lease)], true),
        ("failures, closed again", &[(0, Failed(3)), (1000, Lease), (1000, Probed(2, true))], false),
        ("at once", &[(0, Trip(0))], false),
        ("at once, and again", &[(0, Trip(0)), (1000, Lease), (1000, Probed(2, false))], false),
    ];
    for (name, lines, expected) in rows {
        assert_eq!(counts(lines), expected, "{name}");
    }
}

#[test]
fn counts_add_up_in_their_order() {
    let counts = |(ok, failed, trailing)| Counts { ok, failed, trailing };
    let rows = [
        ("nothing", (0, 0, 0), (0, 0, 0), (0, 0, 0)),
        ("failures go on", (1, 2, 2), (0, 3, 3), (1, 5, 5)),
        ("a success ends them", (1, 2, 2), (1, 0, 0), (2, 2, 0)),
        ("and some follow it", (0, 4, 4), (1, 5, 2), (1, 9, 2)),
        ("as many as can be counted", (u32::MAX, u32::MAX, u32::MAX), (0, 1, 1), (u32::MAX, u32::MAX, u32::MAX)),
    ];
    for (name, first, later, sum) in rows {
        assert_eq!(counts(first).then(counts(later)), counts(sum), "{name}");
        assert_eq!(counts(first).is_empty(), first == (0, 0, 0), "{name}");
    }
}
