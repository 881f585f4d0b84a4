//! What isolate and object tell each other, and what happens when messages are lost or cross.

use breakwater::breaker::{Due, Object, Outcome};
use serde_json::{Value, json};

use super::isolate::Isolate;
use super::{at, secs};

fn nothing(said: &Value) -> bool {
    ["counts", "trips", "probes", "cooling", "ask"].iter().all(|name| said[name].is_null())
}

#[test]
fn what_was_heard_is_not_said_again() {
    let (mut isolate, mut object) = (Isolate::new(), Object::new());
    isolate.fails("m", 2, 0);
    isolate.call("n", "k", Outcome::NoSuchModel, 0);
    isolate.call("o", "k", Outcome::Cool(secs(9)), 0);
    let (said, message, sent) = isolate.outgoing(None, 1);
    assert_eq!(said["counts"], json!([{ "key": "model:m", "epoch": 0, "ok": 0, "failed": 2, "trailing": 2 }]));
    assert_eq!(said["trips"], json!([{ "key": "model:n", "epoch": 0 }]));
    assert_eq!(said["cooling"], json!([{ "credential": "k", "model": "o", "until": at(9_000).as_millis() }]));
    let answer = object.exchange(&message, at(1), 0).answer;
    isolate.incoming(sent, Some(&answer), 2);
    assert!(!isolate.view.has_pending(0));
    assert!(nothing(&isolate.outgoing(None, 3).0));
}

/// Counts in the order in which they came about, in whichever message: a run must not be torn, nor made.
#[test]
fn what_was_lost_is_said_again() {
    let rows: [(&str, &[Outcome], &[Outcome], Value); 4] = [
        (
            "failures go on",
            &[Outcome::ModelFailed],
            &[Outcome::ModelFailed],
            json!({ "key": "model:m", "epoch": 0, "ok": 0, "failed": 2, "trailing": 2 }),
        ),
        (
            "a success came after",
            &[Outcome::ModelFailed, Outcome::ModelFailed],
            &[Outcome::Success],
            json!({ "key": "model:m", "epoch": 0, "ok": 1, "failed": 2, "trailing": 0 }),
        ),
        (
            "a success came before",
            &[Outcome::Success],
            &[Outcome::ModelFailed],
            json!({ "key": "model:m", "epoch": 0, "ok": 1, "failed": 1, "trailing": 1 }),
        ),
        (
            "nothing came after",
            &[Outcome::ModelFailed],
            &[],
            json!({ "key": "model:m", "epoch": 0, "ok": 0, "failed": 1, "trailing": 1 }),
        ),
    ];
    for (name, before, after, expected) in rows {
        for answer in [None, Some(""), Some("{"), Some("null"), Some("<html>502</html>")] {
            let mut isolate = Isolate::new();
            for outcome in before {
                isolate.call("m", "k", *outcome, 0);
            }
            let (_, _, sent) = isolate.outgoing(None, 0);
            for outcome in after {
                isolate.call("m", "k", *outcome, 1);
            }
            isolate.incoming(sent, answer, 2);
            let said = isolate.outgoing(None, 3).0;
            let batch = said["counts"].as_array().unwrap().iter().find(|batch| batch["key"] == "model:m");
            assert_eq!(batch, Some(&expected), "{name}, answered {answer:?}");
        }
    }
    let mut isolate = Isolate::new();
    isolate.call("n", "k", Outcome::NoSuchModel, 0);
    isolate.call("o", "k", Outcome::Cool(secs(9)), 0);
    let (first, _, sent) = isolate.outgoing(None, 0);
    isolate.call("n2", "k", Outcome::NoSuchModel, 1);
    isolate.incoming(sent, None, 2);
    let second = isolate.outgoing(None, 3).0;
    assert_eq!(second["trips"], json!([first["trips"][0], { "key": "model:n2", "epoch": 0 }]));
    assert_eq!(second["cooling"], first["cooling"]);
}

/// An object that stays away for long is not told everything at once when it is back.
#[test]
fn old_news_are_dropped_in_the_end() {
    let mut isolate = Isolate::new();
    for nth in 0..2_000 {
        isolate.call(&format!("m{}", nth % 900), "k", Outcome::Cool(secs(1)), nth * 10_000);
        let (said, message, sent) = isolate.outgoing(None, nth * 10_000);
        assert!(message.len() < 64 * 1024, "{} bytes", message.len());
        assert!(!nothing(&said));
        isolate.incoming(sent, None, nth * 10_000 + 1);
    }
}

/// Of two answers that cross on their way the one that was given last holds.
#[test]
fn answers_that_cross() {
    let (mut isolate, mut other, mut object) = (Isolate::new(), Isolate::new(), Object::new());
    isolate.target("m", "k");
    let (_, first, first_sent) = isolate.outgoing(None, 0);
    let (_, second, second_sent) = isolate.outgoing(None, 0);
    let closed = object.exchange(&first, at(1), 0).answer;
    other.fails("m", 3, 1);
    other.exchange(&mut object, 2);
    let open = object.exchange(&second, at(3), 0).answer;
    isolate.incoming(second_sent, Some(&open), 4);
    assert_eq!(isolate.state("model:m", 4), "open");
    isolate.incoming(first_sent, Some(&closed), 5);
    assert_eq!(isolate.state("model:m", 5), "open", "the older answer came later, and changes nothing");
}

/// An own trip stands until the object has heard of it, whatever it says meanwhile of what it knew before.
#[test]
fn a_trip_that_is_unheard_stands() {
    for (name, outcome, times) in [
        ("failures", Outcome::ModelFailed, 3),
        ("no such model", Outcome::NoSuchModel, 1),
        ("a key", Outcome::CredentialRefused, 1),
    ] {
        let (mut isolate, mut object) = (Isolate::new(), Object::new());
        isolate.target("m", "k");
        let (_, before, before_sent) = isolate.outgoing(None, 0);
        for _ in 0..times {
            isolate.call("m", "k", outcome, 1);
        }
        let unaware = object.exchange(&before, at(2), 0).answer;
        isolate.incoming(before_sent, Some(&unaware), 3);
        assert_eq!(isolate.word("m", "k", 3), "open", "{name}");
        assert!(isolate.view.has_pending(0), "{name}: it is still to be said");
        let answer = isolate.exchange(&mut object, 4);
        assert!(answer.contains("\"until\""), "{name}: {answer}");
        assert_eq!(isolate.word("m", "k", 5), "open", "{name}");
        // From now on the object knows best.
        let mut fresh = Object::new();
        isolate.exchange(&mut fresh, 2_000_000);
        assert_eq!(isolate.word("m", "k", 2_000_001), "go", "{name}");
    }
}

/// The same while the message that tells of it is under way, and an answer comes that was given before it was heard.
#[test]
fn a_trip_whose_message_is_under_way_stands() {
    for (name, outcome, times) in [("failures", Outcome::ModelFailed, 3), ("no such model", Outcome::NoSuchModel, 1)] {
        let (mut isolate, mut object) = (Isolate::new(), Object::new());
        isolate.target("m", "k");
        let (_, before, before_sent) = isolate.outgoing(None, 0);
        for _ in 0..times {
            isolate.call("m", "k", outcome, 1);
        }
        let (_, telling, telling_sent) = isolate.outgoing(None, 1);
        let unaware = object.exchange(&before, at(2), 0).answer;
        isolate.incoming(before_sent, Some(&unaware), 3);
        assert_eq!(isolate.word("m", "k", 3), "open", "{name}");
        let aware = object.exchange(&telling, at(4), 0).answer;
        isolate.incoming(telling_sent, Some(&aware), 5);
        assert_eq!(isolate.word("m", "k", 5), "open", "{name}");
        isolate.exchange(&mut Object::new(), 2_000_000);
        assert_eq!(isolate.word("m", "k", 2_000_001), "go", "{name}: from now on the object knows best");
    }
}

/// What one isolate learns, all do: trips, rate limits, a provider that opens as two of its models have, and circuits that were never met.
#[test]
fn isolates_learn_from_each_other() {
    let (mut one, mut other, mut object) = (Isolate::new(), Isolate::new(), Object::new());
    one.call("limited", "k", Outcome::Cool(secs(5)), 0);
    one.fails("a", 3, 0);
    one.exchange(&mut object, 1);
    other.exchange(&mut object, 2);
    let words = |isolate: &mut Isolate| ["a", "b", "limited"].map(|model| isolate.word(model, "k", 3));
    assert_eq!(words(&mut other), ["open", "go", "cooling"]);
    assert_eq!(other.word("limited", "l", 3), "go", "another credential");
    assert_eq!(other.until("a", "k", 3), 1_001, "as long as the object says");
    other.fails("b", 3, 4);
    other.exchange(&mut object, 5);
    one.exchange(&mut object, 6);
    for isolate in [&mut one, &mut other] {
        assert_eq!((isolate.state("provider", 7).as_str(), isolate.word("never", "met", 7)), ("open", "open"));
    }
}

/// An object that cannot be reached changes nothing: the isolate goes by its own circuits.
#[test]
fn an_object_that_cannot_be_reached_stops_nobody() {
    let mut isolate = Isolate::new();
    for nth in 0..50 {
        let (.., sent) = isolate.outgoing(None, nth * 20_000);
        assert_eq!(isolate.call("m", "k", Outcome::Success, nth * 20_000), breakwater::breaker::Urgency::Later);
        isolate.incoming(sent, None, nth * 20_000 + 1);
        assert_eq!(isolate.word("m", "k", nth * 20_000 + 1), "go");
    }
    isolate.fails("m", 3, 1_000_000);
    let (.., sent) = isolate.outgoing(None, 1_000_000);
    isolate.incoming(sent, None, 1_000_001);
    assert_eq!(isolate.word("m", "k", 1_000_001), "open", "an own trip needs no object");
    assert_eq!(isolate.view.status(0, at(1_000_001)).unwrap()["unreachable"], 51);
}

#[test]
fn when_an_exchange_is_due() {
    let answer = |again: u64, serial: u64| json!({ "again": again, "serial": serial }).to_string();
    // What happened, and when it was: an exchange begins, is answered so, or is lost.
    let mut isolate = Isolate::new();
    let due = |isolate: &Isolate, millis: u64| isolate.view.due(0, at(millis));
    assert_eq!(due(&isolate, 0), Due::Cold, "nothing is known");
    let (.., sent) = isolate.outgoing(None, 0);
    assert_eq!(
        [due(&isolate, 1), due(&isolate, 9_999), due(&isolate, 10_000)],
        [Due::No, Due::No, Due::Cold],
        "under way, then lost"
    );
    isolate.incoming(sent, Some(&answer(2_000, 1)), 10_000);
    let at_times = |isolate: &Isolate, times: [u64; 4]| times.map(|millis| due(isolate, millis));
    assert_eq!(
        at_times(&isolate, [10_001, 11_999, 12_000, 72_000]),
        [Due::No, Due::No, Due::Refresh, Due::Refresh],
        "when told"
    );
    assert_eq!(due(&isolate, 72_001), Due::Cold, "out of date");
    let (.., sent) = isolate.outgoing(None, 80_000);
    isolate.incoming(sent, Some(&answer(200_000, 2)), 80_000);
    assert_eq!(
        at_times(&isolate, [80_001, 279_999, 280_000, 340_001]),
        [Due::No, Due::No, Due::Refresh, Due::Cold],
        "much later"
    );
    let (.., sent) = isolate.outgoing(None, 400_000);
    isolate.incoming(sent, None, 400_000);
    assert_eq!(
        at_times(&isolate, [400_000, 404_999, 405_000, 465_001]),
        [Due::No, Due::No, Due::Refresh, Due::Cold],
        "unreachable"
    );
    assert_eq!(isolate.view.due(7, at(0)), Due::No, "no such provider");
}
