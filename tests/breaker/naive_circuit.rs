//! A circuit against its history, after every event of random sequences.

use breakwater::breaker::Settings;
use breakwater::breaker::circuit::{Circuit, Counts, Known, Phase};
use breakwater::time::Timestamp;
use proptest::prelude::*;

use super::history::{Happened, History};
use super::{secs, settings};

/// Which epoch an event is of: the present one as a rule.
fn epoch() -> impl Strategy<Value = i64> {
    prop_oneof![8 => Just(0_i64), 1 => Just(-1), 1 => Just(1), 1 => -5..5_i64]
}

fn event() -> impl Strategy<Value = (i64, Happened)> {
    let success = || prop_oneof![Just(Some(true)), Just(Some(false)), Just(None)];
    let calls = (0..4_u32, 0..4_u32, 0..4_u32);
    let of = |epoch: i64, what: Happened| (epoch, what);
    prop_oneof![
        4 => epoch().prop_map(move |epoch| of(epoch, Happened::Calls { epoch: 0, ok: 0, failed: 1, trailing: 1 })),
        2 => epoch().prop_map(move |epoch| of(epoch, Happened::Calls { epoch: 0, ok: 1, failed: 0, trailing: 0 })),
        2 => (epoch(), calls).prop_map(move |(epoch, (ok, failed, trailing))| {
            let trailing = if ok == 0 { failed } else { trailing.min(failed) };
            of(epoch, Happened::Calls { epoch: 0, ok, failed, trailing })
        }),
        1 => epoch().prop_map(move |epoch| of(epoch, Happened::Trip { epoch: 0 })),
        1 => Just((0, Happened::Neighbours)),
        6 => Just((0, Happened::Asked)),
        6 => (epoch(), success()).prop_map(move |(epoch, success)| of(epoch, Happened::Probe { epoch: 0, success })),
        1 => Just((0, Happened::Restored)),
    ]
}

fn any_settings() -> impl Strategy<Value = Settings> {
    // Rates that have an exact form, so that it does not matter how they are compared.
    let rates = prop_oneof![Just(0.25), Just(0.5), Just(0.75), Just(1.0)];
    (1..6_u32, rates, 1..12_u32, 1..4_u64, 1..5_u64).prop_map(|(failures, error_rate, min_requests, window, longest)| {
        Settings { failures, error_rate, min_requests, window: secs(window), max_cooldown: secs(longest), ..settings() }
    })
}

fn step() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..300_u64, 3 => Just(1000), 2 => 900..2500_u64, 1 => 20_000..40_000_u64]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_circuit_is_what_its_history_says(
        settings in any_settings(),
        events in prop::collection::vec((step(), event(), any::<u64>()), 1..60),
    ) {
        let mut history = History::new(settings);
        let mut circuit = Circuit::default();
        let mut now = 1_800_000_000_000;
        for (wait, (shift, what), random) in events {
            now += wait;
            let at = Timestamp::from_millis(now);
            let epoch = history.state().epoch.saturating_add_signed(shift);
            let (what, heard) = match what {
                Happened::Calls { ok, failed, trailing, .. } => (
                    Happened::Calls { epoch, ok, failed, trailing },
                    circuit.record(Counts { ok, failed, trailing }, epoch, at, &settings, random),
                ),
                Happened::Trip { .. } => (Happened::Trip { epoch }, circuit.trip(epoch, at, &settings, random)),
                Happened::Neighbours => (what, circuit.trip_by_others(at, &settings, random)),
                Happened::Asked => (what, circuit.lease(at).is_some()),
                Happened::Probe { success: None, .. } => (Happened::Probe { epoch, success: None }, circuit.release(epoch)),
                Happened::Probe { success: Some(success), .. } => (
                    Happened::Probe { epoch, success: Some(success) },
                    circuit.probed(epoch, success, at, &settings, random),
                ),
                Happened::Restored => {
                    circuit = serde_json::from_str(&serde_json::to_string(&circuit).unwrap()).unwrap();
                    (what, false)
                }
            };
            let expected = history.happens(now, what.clone(), random);
            prop_assert_eq!(heard, expected, "heard {:?} at {}", what, now);
            let state = history.state();
            let phase = match &state.open {
                None => Phase::Closed,
                Some(open) if now < open.until => Phase::Open { until: Timestamp::from_millis(open.until) },
                Some(open) => Phase::HalfOpen {
                    leased: open.lease.filter(|lease| now < *lease).map(Timestamp::from_millis),
                },
            };
            prop_assert_eq!(circuit.epoch(), state.epoch, "epoch after {:?}", what);
            prop_assert_eq!(circuit.phase(at), phase, "phase after {:?}", what);
            prop_assert_eq!(circuit.run(), state.in_a_row(), "run after {:?}", what);
            prop_assert_eq!(circuit.window(at, &settings), history.window(&state, now), "window after {:?}", what);
            prop_assert_eq!(circuit.counts_for_provider(), state.open.as_ref().is_some_and(|open| open.by_failures));
            let known = Known {
                epoch: state.epoch,
                until: state.open.as_ref().map(|open| Timestamp::from_millis(open.until)),
                cooldown: state.open.as_ref().map_or(0, |open| open.cooldown),
            };
            prop_assert_eq!(circuit.known(), known);
            // Who adopts what is known knows the same.
            let mut other = Circuit::default();
            other.adopt(&circuit.known());
            prop_assert_eq!(other.known(), known);
        }
    }
}
