//! What an isolate does by itself: whom it admits, what counts against whom, and at once.

use breakwater::breaker::{Admission, Outcome, Settings, Urgency};
use proptest::prelude::*;

use super::isolate::Isolate;
use super::{at, secs, settings};

const CIRCUITS: [&str; 3] = ["provider", "model:m", "key:k"];

/// The contract's table of blame: successes and failures of provider, model and credential, which of them opens, and how soon it is told.
#[test]
fn what_counts_against_whom() {
    let rows: [(&str, Outcome, [(u64, u64); 3], Option<&str>, Urgency); 7] = [
        ("success", Outcome::Success, [(1, 0), (1, 0), (0, 0)], None, Urgency::Later),
        ("the model failed", Outcome::ModelFailed, [(0, 0), (0, 1), (0, 0)], None, Urgency::Soon),
        ("the provider failed", Outcome::ProviderFailed, [(0, 1), (0, 0), (0, 0)], None, Urgency::Soon),
        ("a rate limit", Outcome::Cool(secs(1)), [(0, 0); 3], None, Urgency::Now),
        ("the credential is refused", Outcome::CredentialRefused, [(0, 0), (0, 0), (0, 1)], Some("key:k"), Urgency::Now),
        ("no such model", Outcome::NoSuchModel, [(0, 0), (0, 1), (0, 0)], Some("model:m"), Urgency::Now),
        ("nobody", Outcome::Nothing, [(0, 0); 3], None, Urgency::Later),
    ];
    for (name, outcome, counts, opens, urgency) in rows {
        let mut isolate = Isolate::new();
        assert_eq!(isolate.call("m", "k", outcome, 0), urgency, "{name}");
        for (key, (ok, failed)) in CIRCUITS.into_iter().zip(counts) {
            let circuit = isolate.circuit(key, 0);
            let since = &circuit["since_start"];
            assert_eq!((&since["ok"], &since["failed"]), (&ok.into(), &failed.into()), "{name}: {key}");
            assert_eq!(circuit["state"], if opens == Some(key) { "open" } else { "closed" }, "{name}: {key}");
        }
    }
}

/// What an isolate has seen itself it obeys at once, and nobody else is made to pay.
#[test]
fn own_trips_are_obeyed_at_once() {
    let model = ["open", "go", "open", "go"];
    // Whether a call goes to model m and n with credential k, and to both with credential l.
    let rows: [(&str, Outcome, usize, [&str; 4]); 10] = [
        ("a failure too few", Outcome::ModelFailed, 2, ["go"; 4]),
        ("a model", Outcome::ModelFailed, 3, model),
        ("a failure too few of a provider", Outcome::ProviderFailed, 2, ["go"; 4]),
        ("a provider", Outcome::ProviderFailed, 3, ["open"; 4]),
        ("a model that is not there", Outcome::NoSuchModel, 1, model),
        ("a credential", Outcome::CredentialRefused, 1, ["open", "open", "go", "go"]),
        ("a rate limit", Outcome::Cool(secs(9)), 1, ["cooling", "go", "go", "go"]),
        ("a rate limit of no time", Outcome::Cool(secs(0)), 20, ["go"; 4]),
        ("nobody's fault", Outcome::Nothing, 100, ["go"; 4]),
        ("success", Outcome::Success, 100, ["go"; 4]),
    ];
    for (name, outcome, times, expected) in rows {
        let mut isolate = Isolate::new();
        for _ in 0..times {
            isolate.call("m", "k", outcome, 0);
        }
        let got =
            [("m", "k"), ("n", "k"), ("m", "l"), ("n", "l")].map(|(model, credential)| isolate.word(model, credential, 0));
        assert_eq!(got, expected, "{name}");
    }
}

#[test]
fn a_trip_is_told_at_once() {
    let mut isolate = Isolate::new();
    let urgencies = [0, 1, 2].map(|millis| isolate.call("m", "k", Outcome::ModelFailed, millis));
    assert_eq!(urgencies, [Urgency::Soon, Urgency::Soon, Urgency::Now]);
    assert_eq!(isolate.until("m", "k", 2), 1002);
    assert_eq!(isolate.word("m", "k", 1001), "open");
    assert_eq!(isolate.word("m", "k", 1002), "ask", "and half-open when the cooldown ends");
}

/// A call that began before a trip, and ends after it, says nothing about what came after it.
#[test]
fn calls_that_ended_late() {
    let mut isolate = Isolate::new();
    let tickets: Vec<_> = (0..8).map(|_| isolate.ticket("m", "k", 0)).collect();
    let urgencies: Vec<Urgency> =
        tickets.iter().map(|ticket| isolate.view.record(ticket, Outcome::ModelFailed, at(500), 0)).collect();
    let expected = [&[Urgency::Soon, Urgency::Soon, Urgency::Now][..], &[Urgency::Later; 5]].concat();
    assert_eq!(urgencies, expected);
    let circuit = isolate.circuit("model:m", 500);
    assert_eq!((&circuit["epoch"], &circuit["since_start"]["trips"]), (&1.into(), &1.into()));
    let (said, ..) = isolate.outgoing(None, 500);
    assert_eq!(said["counts"].as_array().unwrap().len(), 1);
    assert_eq!((&said["counts"][0]["failed"], &said["counts"][0]["epoch"]), (&3.into(), &0.into()));
}

#[test]
fn of_several_reasons_the_longest_counts() {
    let cool = |millis| Outcome::Cool(std::time::Duration::from_millis(millis));
    let rows: [(&str, &[Outcome], u64, &str); 4] = [
        ("a rate limit alone", &[cool(5_000)], 5_000, "cooling"),
        ("an open circuit alone", &[Outcome::NoSuchModel], 1_000, "open"),
        ("the rate limit lasts longer", &[cool(5_000), Outcome::NoSuchModel], 5_000, "cooling"),
        ("the circuit stays open longer", &[cool(300), Outcome::NoSuchModel], 1_000, "open"),
    ];
    for (name, outcomes, until, word) in rows {
        let mut isolate = Isolate::new();
        let tickets: Vec<_> = outcomes.iter().map(|_| isolate.ticket("m", "k", 0)).collect();
        for (ticket, outcome) in tickets.iter().zip(outcomes) {
            isolate.view.record(ticket, *outcome, at(0), 0);
        }
        assert_eq!((isolate.until("m", "k", 0), isolate.word("m", "k", 0)), (until, word), "{name}");
    }
}

#[test]
fn a_rate_limit_ends_by_itself() {
    let rows: [(&str, &[(u64, u64)], u64); 5] = [
        ("as long as was asked", &[(0, 2_500)], 2_500),
        ("five minutes at most", &[(0, 86_400_000)], 300_000),
        ("the longer of two", &[(0, 9_000), (0, 1_000)], 9_000),
        ("the longer of two, the other way round", &[(0, 1_000), (0, 9_000)], 9_000),
        ("anew", &[(0, 1_000), (2_000, 1_000)], 3_000),
    ];
    for (name, limits, until) in rows {
        let mut isolate = Isolate::new();
        let ticket = isolate.ticket("m", "k", 0);
        for (millis, wait) in limits {
            isolate.view.record(&ticket, Outcome::Cool(std::time::Duration::from_millis(*wait)), at(*millis), 0);
        }
        assert_eq!(isolate.word("m", "k", until - 1), "cooling", "{name}");
        assert_eq!(isolate.word("m", "k", until), "go", "{name}");
    }
}

/// Names of models may come from clients. When there are too many, all is forgotten, and learnt anew; what is left of before stops nobody.
#[test]
fn too_many_targets() {
    let mut isolate = Isolate::new();
    let mut object = breakwater::breaker::Object::new();
    isolate.fails("down", 3, 0);
    isolate.exchange(&mut object, 0);
    let (old, ticket) = (isolate.target("m", "k"), isolate.ticket("m", "k", 0));
    assert_eq!(isolate.target("m", "k"), old, "the same handle whenever it is asked for");
    for nth in 0..1_100 {
        isolate.target(&format!("m{nth}"), "k");
    }
    let new = isolate.target("m", "k");
    assert_ne!(old, new, "of another generation");
    assert!(matches!(isolate.view.admit(old, at(1)), Admission::Go(_)) && isolate.view.would_admit(old, at(1)));
    for _ in 0..9 {
        assert_eq!(isolate.view.record(&ticket, Outcome::ModelFailed, at(1), 0), Urgency::Later);
    }
    assert_eq!(isolate.word("m", "k", 1), "go", "an old handle's failures are nobody's");
    assert_eq!(isolate.word("down", "k", 1), "go", "forgotten");
    assert_eq!(isolate.view.due(0, at(1)), breakwater::breaker::Due::Cold);
    isolate.exchange(&mut object, 1);
    assert_eq!(isolate.word("down", "k", 1), "open", "and learnt anew");
}

/// An isolate lives for days, and what it keeps has an end.
#[test]
fn what_is_kept_is_bounded() {
    let mut isolate = Isolate::new();
    let mut object = breakwater::breaker::Object::new();
    for nth in 0..2_000_u64 {
        let millis = nth * 1_000;
        isolate.call(&format!("model-{nth}"), "k", Outcome::Cool(secs(10)), millis);
        isolate.exchange(&mut object, millis);
    }
    let kept = format!("{:?}", isolate.view);
    assert!(kept.contains("\"model-1999\""), "what holds is kept");
    assert!(!kept.contains("\"model-7\""), "what has ended long ago is not");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
    /// Whoever orders candidates by what would be admitted is not lied to.
    #[test]
    fn would_admit_is_what_admit_says(
        steps in prop::collection::vec((0..1500_u64, 0..3_usize, 0..2_usize, 0..7_usize), 1..60),
    ) {
        let mut isolate = Isolate::with(Settings { failures: 2, ..settings() });
        let mut millis = 0;
        for (wait, model, credential, outcome) in steps {
            millis += wait;
            let target = isolate.target(["a", "b", "c"][model], ["k", "l"][credential]);
            let would = isolate.view.would_admit(target, at(millis));
            match isolate.view.admit(target, at(millis)) {
                Admission::Go(ticket) => {
                    prop_assert!(would);
                    let outcome = [
                        Outcome::Success, Outcome::ModelFailed, Outcome::ModelFailed, Outcome::ProviderFailed,
                        Outcome::Cool(secs(1)), Outcome::CredentialRefused, Outcome::NoSuchModel,
                    ][outcome];
                    isolate.view.record(&ticket, outcome, at(millis), 0);
                }
                Admission::Ask(question) => {
                    prop_assert!(would);
                    // Nobody is there to ask.
                    if outcome > 2 && let Ok(ticket) = isolate.view.resolve(&question, None, at(millis)) {
                        let outcome = if outcome > 4 { Outcome::ModelFailed } else { Outcome::Success };
                        isolate.view.record(&ticket, outcome, at(millis), 0);
                    }
                }
                Admission::Refused(refusal) => {
                    prop_assert!(!would);
                    prop_assert!(refusal.until > at(millis));
                }
            }
        }
    }
}
