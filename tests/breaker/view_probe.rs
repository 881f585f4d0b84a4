//! Probes: who asks for a lease, who holds it, and what its result says.

use breakwater::breaker::{Object, Outcome, Question, Refusal, Ticket, Why};
use serde_json::{Value, json};

use super::isolate::{Isolate, relative};
use super::{at, secs};

/// An isolate and its object, both of which know that model m is half-open at 1000.
fn half_open() -> (Isolate, Object) {
    let (mut isolate, mut object) = (Isolate::new(), Object::new());
    isolate.fails("m", 3, 0);
    isolate.exchange(&mut object, 0);
    (isolate, object)
}

/// Asks the object, and gives what came of it.
fn ask(isolate: &mut Isolate, object: &mut Object, question: &Question, millis: u64) -> Result<Ticket, Refusal> {
    let (_, message, sent) = isolate.outgoing(Some(question), millis);
    let answer = object.exchange(&message, at(millis), 0).answer;
    isolate.incoming(sent, Some(&answer), millis);
    isolate.view.resolve(question, Some(&answer), at(millis))
}

#[test]
fn one_request_at_a_time_asks() {
    let (mut isolate, _) = half_open();
    assert_eq!(isolate.word("m", "k", 999), "open");
    let question = isolate.question("m", "k", 1_000);
    assert_eq!(isolate.outgoing(Some(&question), 1_000).0["ask"], json!(["model:m"]));
    assert_eq!(isolate.until("m", "k", 1_001), 2_000, "another is refused meanwhile");
    assert_eq!(isolate.word("m", "l", 1_001), "open", "with another credential too");
    assert_eq!(isolate.word("n", "k", 1_001), "go", "but not another model's");
    assert_eq!(isolate.word("m", "k", 2_000), "ask", "and asks when nothing has come of it");
    assert_eq!(relative(question.refusal(at(1_000)).until), 2_000);
}

/// Everything that is half-open is asked for at once.
#[test]
fn all_circuits_of_a_call_are_asked_for() {
    let (mut isolate, mut object) = (Isolate::new(), Object::new());
    let (first, second) = (isolate.ticket("m", "k", 0), isolate.ticket("m", "k", 0));
    isolate.view.record(&first, Outcome::NoSuchModel, at(0), 0);
    isolate.view.record(&second, Outcome::CredentialRefused, at(0), 0);
    isolate.exchange(&mut object, 0);
    let question = isolate.question("m", "k", 1_000);
    assert_eq!(isolate.outgoing(Some(&question), 1_000).0["ask"], json!(["model:m", "key:k"]));
    let ticket = ask(&mut isolate, &mut object, &question, 1_001).unwrap();
    assert!(ticket.is_probe());
    isolate.view.record(&ticket, Outcome::Success, at(1_100), 0);
    assert_eq!([isolate.state("model:m", 1_100), isolate.state("key:k", 1_100)], ["closed", "closed"]);
    assert_eq!(isolate.outgoing(None, 1_100).0["probes"].as_array().unwrap().len(), 2);
}

#[test]
fn what_an_answer_comes_to() {
    let lease = json!([{ "key": "model:m", "epoch": 2 }]);
    let leased = json!([{ "key": "model:m", "epoch": 2, "until": at(1_000).as_millis(), "cooldown": 1000 }]);
    let closed = json!([{ "key": "model:m", "epoch": 3 }]);
    let open = json!([{ "key": "model:m", "epoch": 3, "until": at(3_000).as_millis(), "cooldown": 2000 }]);
    let answer = |leases: &Value, circuits: &Value| {
        Some(json!({ "again": 1000, "serial": u64::MAX >> 12, "leases": leases, "circuits": circuits }).to_string())
    };
    // The answer; whether it is admitted as a probe, or as an ordinary call, or until when it is refused.
    let rows: [(&str, Option<String>, Result<bool, u64>); 8] = [
        ("granted", answer(&lease, &leased), Ok(true)),
        ("refused, as somebody else holds it", answer(&Value::Null, &leased), Err(2_010)),
        ("refused, as it is open again", answer(&Value::Null, &open), Err(2_010)),
        ("nothing is open any more", answer(&json!([]), &closed), Ok(false)),
        ("nothing is known of it any more", answer(&json!([]), &json!([])), Ok(false)),
        ("none", None, Ok(true)),
        ("one that cannot be read", Some("<html>".to_owned()), Ok(true)),
        ("one without an answer in it", Some("{}".to_owned()), Ok(true)),
    ];
    for (name, answer, expected) in rows {
        let (mut isolate, _) = half_open();
        let question = isolate.question("m", "k", 1_000);
        let (.., sent) = isolate.outgoing(Some(&question), 1_000);
        isolate.incoming(sent, answer.as_deref(), 1_010);
        let got = isolate.view.resolve(&question, answer.as_deref(), at(1_010));
        let got = got.map(|ticket| ticket.is_probe()).map_err(|refusal| {
            assert_eq!(refusal.why, Why::CircuitOpen, "{name}");
            relative(refusal.until)
        });
        assert_eq!(got, expected, "{name}");
        if expected == Ok(true) {
            assert_eq!(isolate.word("m", "k", 1_011), "open", "{name}: one at a time");
            assert_eq!(isolate.circuit("model:m", 1_011)["probing"], true, "{name}");
        }
    }
}

/// What each outcome of a probe says of the circuits that were leased to it: true, false, or nothing.
#[test]
fn what_a_probe_shows() {
    let (yes, no, nothing) = (json!(true), json!(false), Value::Null);
    // Of the provider, the model and the credential.
    let rows: [(Outcome, [&Value; 3]); 7] = [
        (Outcome::Success, [&yes, &yes, &yes]),
        (Outcome::ModelFailed, [&no, &no, &nothing]),
        (Outcome::ProviderFailed, [&no, &nothing, &nothing]),
        (Outcome::CredentialRefused, [&yes, &nothing, &no]),
        (Outcome::NoSuchModel, [&yes, &no, &yes]),
        (Outcome::Cool(secs(1)), [&nothing, &nothing, &nothing]),
        (Outcome::Nothing, [&nothing, &nothing, &nothing]),
    ];
    for (outcome, expected) in rows {
        let (mut isolate, mut object) = (Isolate::new(), Object::new());
        let tickets: Vec<_> = (0..5).map(|_| isolate.ticket("m", "k", 0)).collect();
        let ways = [
            Outcome::ProviderFailed,
            Outcome::ProviderFailed,
            Outcome::ProviderFailed,
            Outcome::NoSuchModel,
            Outcome::CredentialRefused,
        ];
        for (ticket, outcome) in tickets.iter().zip(ways) {
            isolate.view.record(ticket, outcome, at(0), 0);
        }
        isolate.exchange(&mut object, 0);
        let question = isolate.question("m", "k", 1_000);
        let probe = ask(&mut isolate, &mut object, &question, 1_000).unwrap();
        assert_eq!(isolate.view.record(&probe, outcome, at(1_200), 0), breakwater::breaker::Urgency::Now, "{outcome:?}");
        let said = isolate.outgoing(None, 1_200).0;
        let shown: Vec<&Value> = said["probes"].as_array().unwrap().iter().map(|probe| &probe["success"]).collect();
        assert_eq!(shown, expected, "{outcome:?}");
        assert!(said["counts"].is_null() && said["trips"].is_null(), "{outcome:?}: a probe is counted once: {said}");
        let states = ["provider", "model:m", "key:k"].map(|key| isolate.state(key, 1_200));
        let states_expected = expected.map(|shown| match shown.as_bool() {
            Some(true) => "closed",
            Some(false) => "open",
            None => "half_open",
        });
        assert_eq!(states, states_expected, "{outcome:?}: and obeyed here at once");
    }
}

/// A probe whose isolate is gone: its lease ends by itself, another is granted, and what comes of the first says nothing any more.
#[test]
fn a_lost_lease_expires() {
    let (mut lost, mut object) = half_open();
    let mut other = Isolate::new();
    other.exchange(&mut object, 500);
    let question = lost.question("m", "k", 1_000);
    let first = ask(&mut lost, &mut object, &question, 1_000).unwrap();
    for millis in [1_001, 15_000, 30_999] {
        let question = other.question("m", "k", millis);
        assert!(ask(&mut other, &mut object, &question, millis).is_err(), "{millis}");
    }
    let question = other.question("m", "k", 32_000);
    let second = ask(&mut other, &mut object, &question, 32_000).expect("the first lease has ended");
    lost.view.record(&first, Outcome::ModelFailed, at(33_000), 0);
    lost.exchange(&mut object, 33_000);
    other.view.record(&second, Outcome::Success, at(34_000), 0);
    other.exchange(&mut object, 34_000);
    lost.exchange(&mut object, 34_001);
    assert_eq!([lost.state("model:m", 34_002), other.state("model:m", 34_002)], ["closed", "closed"]);
}

/// A probe that ended by nobody's fault gives its lease back, and the next may ask at once.
#[test]
fn a_lease_is_given_back() {
    let (mut isolate, mut object) = half_open();
    let question = isolate.question("m", "k", 1_000);
    let probe = ask(&mut isolate, &mut object, &question, 1_000).unwrap();
    isolate.view.record(&probe, Outcome::Nothing, at(1_100), 0);
    let again = isolate.question("m", "k", 1_101);
    assert!(ask(&mut isolate, &mut object, &again, 1_101).is_ok());
}

/// A circuit that opens while a lease is asked for another one stops the probe, and the lease goes back.
#[test]
fn a_circuit_that_opened_meanwhile() {
    let (mut isolate, mut object) = half_open();
    let ticket = isolate.ticket("n", "k", 900);
    let question = isolate.question("m", "k", 1_000);
    let (_, message, sent) = isolate.outgoing(Some(&question), 1_000);
    let answer = object.exchange(&message, at(1_000), 0).answer;
    isolate.view.record(&ticket, Outcome::CredentialRefused, at(1_005), 0);
    isolate.incoming(sent, Some(&answer), 1_010);
    assert!(isolate.view.resolve(&question, Some(&answer), at(1_010)).is_err());
    let said = isolate.outgoing(None, 1_011).0;
    assert_eq!(said["probes"], json!([{ "key": "model:m", "epoch": 2, "success": null }]));
    // Without an object as well.
    let (mut alone, _) = half_open();
    let ticket = alone.ticket("n", "k", 900);
    let question = alone.question("m", "k", 1_000);
    alone.view.record(&ticket, Outcome::CredentialRefused, at(1_005), 0);
    assert!(alone.view.resolve(&question, None, at(1_010)).is_err());
    assert_eq!(alone.circuit("model:m", 1_010)["probing"], false);
}

/// Nobody answers: the isolate lets a probe of its own through, whose result holds here, and which the object does not take for another's.
#[test]
fn a_probe_without_the_object() {
    for (outcome, word) in [(Outcome::Success, "go"), (Outcome::ModelFailed, "open")] {
        let (mut isolate, mut object) = half_open();
        let question = isolate.question("m", "k", 1_000);
        let (.., sent) = isolate.outgoing(Some(&question), 1_000);
        isolate.incoming(sent, None, 1_050);
        let probe = isolate.view.resolve(&question, None, at(1_050)).unwrap();
        assert!(probe.is_probe());
        assert_eq!(isolate.word("m", "k", 1_060), "open", "one at a time");
        // Another isolate, which does reach the object, holds its lease meanwhile.
        let mut other = Isolate::new();
        other.exchange(&mut object, 1_070);
        let question = other.question("m", "k", 1_080);
        let rival = ask(&mut other, &mut object, &question, 1_080).unwrap();
        isolate.view.record(&probe, outcome, at(1_100), 0);
        assert_eq!(isolate.word("m", "k", 1_101), word, "{outcome:?}");
        isolate.exchange(&mut object, 1_200);
        other.view.record(&rival, Outcome::Success, at(1_300), 0);
        other.exchange(&mut object, 1_300);
        isolate.exchange(&mut object, 1_400);
        assert_eq!(
            [isolate.word("m", "k", 1_401), other.word("m", "k", 1_401)],
            ["go", "go"],
            "{outcome:?}: the rival was heard"
        );
    }
}

/// A probe that has shown first content goes on as an ordinary call: how its stream ends counts in the circuit that it has closed.
#[test]
fn a_probe_goes_on_as_a_call() {
    let (mut isolate, mut object) = half_open();
    let question = isolate.question("m", "k", 1_000);
    let probe = ask(&mut isolate, &mut object, &question, 1_000).unwrap();
    isolate.view.record(&probe, Outcome::Success, at(1_100), 0);
    let call = isolate.view.settled(&probe);
    assert!(!call.is_probe() && call.provider() == 0);
    isolate.view.record(&call, Outcome::ModelFailed, at(2_000), 0);
    let circuit = isolate.circuit("model:m", 2_000);
    assert_eq!((&circuit["state"], &circuit["failures_in_a_row"]), (&json!("closed"), &json!(1)));
    let said = isolate.outgoing(None, 2_000).0;
    assert_eq!(said["probes"][0]["success"], true);
    let provider = json!({ "key": "provider", "epoch": 0, "ok": 1, "failed": 0, "trailing": 0 });
    let model = json!({ "key": "model:m", "epoch": 3, "ok": 0, "failed": 1, "trailing": 1 });
    assert_eq!(said["counts"], json!([provider, model]));
}
