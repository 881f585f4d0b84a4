//! An operator's orders: what the object takes, keeps and tells, and what an isolate makes of it.

use breakwater::breaker::{Admission, Force, Object, Stance, Why, is_taken, object_name, object_region};
use serde_json::{Value, json};

use super::isolate::{Isolate, relative};
use super::{at, secs, settings};

fn order(key: &str, stance: Option<Stance>, until: u64) -> Force {
    Force { key: key.to_owned(), stance, until: at(until) }
}

/// Gives an order to an object, and its answer to the isolate where that is its own.
fn give(isolate: &mut Isolate, object: &mut Object, order: &Force, millis: u64) -> (bool, Option<String>) {
    let message = isolate.view.order(0, order).unwrap();
    let exchanged = object.exchange(&message, at(millis), 0);
    isolate.view.ordered(0, &exchanged.answer);
    (is_taken(order, &exchanged.answer), exchanged.store)
}

fn forced(object: &mut Object, millis: u64) -> Value {
    let message = json!({ "settings": settings() }).to_string();
    let answer: Value = serde_json::from_str(&object.exchange(&message, at(millis), 0).answer).unwrap();
    answer["forced"].clone()
}

#[test]
fn an_object_is_where_its_region_is() {
    assert_eq!(object_region(&object_name("a@b", "apac")), Some("apac"));
    assert_eq!(object_region("a"), None);
}

#[test]
fn what_an_object_takes() {
    let long = format!("model:{}", "x".repeat(300));
    let rows: [(&str, &str, Option<Stance>, u64, bool, Value); 7] = [
        ("the provider", "provider", Some(Stance::Open), 5_000, true, json!([["provider", "open", 5_000]])),
        ("a model", "model:m", Some(Stance::Closed), 5_000, true, json!([["model:m", "closed", 5_000]])),
        ("a credential is none of it", "key:k", Some(Stance::Open), 5_000, false, json!(null)),
        ("nor is what there is not", "else", Some(Stance::Open), 5_000, false, json!(null)),
        ("a name that is too long", &long, Some(Stance::Open), 5_000, false, json!(null)),
        ("no longer than a day", "provider", Some(Stance::Open), 90_000_000, true, json!([["provider", "open", 86_400_000]])),
        ("the end of what there is not", "provider", None, 0, true, json!(null)),
    ];
    for (name, key, stance, until, taken, expected) in rows {
        let (mut isolate, mut object) = (Isolate::new(), Object::new());
        assert_eq!(give(&mut isolate, &mut object, &order(key, stance, until), 0).0, taken, "{name}");
        let held = forced(&mut object, 0);
        let held = held.as_array().map(|held| {
            let row = |one: &Value| json!([one["key"], one["stance"], one["until"].as_u64().unwrap() - at(0).as_millis()]);
            held.iter().map(row).collect::<Value>()
        });
        assert_eq!(json!(held), expected, "{name}");
    }
}

#[test]
fn an_order_is_stored_and_expires_by_itself() {
    let (mut isolate, mut object) = (Isolate::new(), Object::new());
    let (_, store) = give(&mut isolate, &mut object, &order("provider", Some(Stance::Open), 10_000), 0);
    let mut restored = Object::restore(&store.unwrap(), at(100));
    assert_eq!(forced(&mut restored, 9_999).as_array().map(Vec::len), Some(1));
    assert_eq!(forced(&mut restored, 10_000), Value::Null);
    assert_eq!((isolate.word("m", "k", 9_999), isolate.word("m", "k", 10_000)), ("open", "go"));
    // What an earlier version stored has none.
    assert_eq!(forced(&mut Object::restore(r#"{"circuits":{}}"#, at(0)), 0), Value::Null);
}

#[test]
fn a_later_order_takes_an_earlier_ones_place_and_there_is_room_for_64() {
    let (mut isolate, mut object) = (Isolate::new(), Object::new());
    for nth in 0..64 {
        assert!(give(&mut isolate, &mut object, &order(&format!("model:{nth}"), Some(Stance::Open), 10_000), 0).0);
    }
    assert!(!give(&mut isolate, &mut object, &order("model:more", Some(Stance::Open), 10_000), 0).0);
    assert!(give(&mut isolate, &mut object, &order("model:0", Some(Stance::Closed), 10_000), 0).0);
    assert!(give(&mut isolate, &mut object, &order("model:1", None, 0), 0).0);
    assert!(give(&mut isolate, &mut object, &order("model:more", Some(Stance::Open), 10_000), 0).0);
    let words = ["0", "1", "2", "more"].map(|model| isolate.word(model, "k", 1));
    assert_eq!(words, ["go", "go", "open", "open"]);
    assert!(give(&mut isolate, &mut object, &order("model:late", Some(Stance::Open), 20_000), 10_000).0, "those are over");
}

/// Half-open circuits that are forced open get no probe, whether isolate or object knows of it first.
#[test]
fn nothing_is_probed_while_it_is_drained() {
    let open = order("provider", Some(Stance::Open), 60_000);
    let (mut isolate, mut object) = (Isolate::new(), Object::new());
    isolate.fails("m", 3, 0);
    isolate.exchange(&mut object, 1);
    assert_eq!(isolate.word("m", "k", 3_000), "ask");
    // The order comes while the question is under way.
    let question = isolate.question("m", "k", 5_000);
    let message = isolate.view.order(0, &open).unwrap();
    object.exchange(&message, at(5_000), 0);
    let (_, message, sent) = isolate.outgoing(Some(&question), 5_001);
    let answer = object.exchange(&message, at(5_002), 0).answer;
    assert_eq!(serde_json::from_str::<Value>(&answer).unwrap()["leases"], Value::Null);
    isolate.incoming(sent, Some(&answer), 5_003);
    assert!(isolate.view.resolve(&question, Some(&answer), at(5_003)).is_err());
    let target = isolate.target("m", "k");
    let Admission::Refused(refusal) = isolate.view.admit(target, at(5_004)) else { panic!("it is admitted") };
    assert_eq!((refusal.why, relative(refusal.until)), (Why::Drained, 60_000));
    assert!(!isolate.view.would_admit(target, at(5_004)) && !isolate.view.is_closed(target, at(5_004)));
    assert_eq!(isolate.word("m", "k", 60_000), "ask", "then its probe is due");
}

/// An exchange that was answered before an order was given, and comes back after it, does not undo it.
#[test]
fn an_older_answer_does_not_undo_an_order() {
    let (mut isolate, mut object) = (Isolate::new(), Object::new());
    let (_, message, sent) = isolate.outgoing(None, 0);
    let older = object.exchange(&message, at(1), 0).answer;
    give(&mut isolate, &mut object, &order("provider", Some(Stance::Open), 60_000), 2);
    isolate.incoming(sent, Some(&older), 3);
    assert_eq!(isolate.word("m", "k", 4), "open");
}

#[test]
fn what_is_made_up_or_kept_waiting_counts_for_nothing() {
    use breakwater::breaker::Outcome::{Cool, CredentialRefused, ModelFailed, NoSuchModel, ProviderFailed, Success};
    let mut isolate = Isolate::new();
    let target = isolate.target("m", "k");
    for target in [target.made_up(), target.tampered()] {
        for outcome in [Success, ModelFailed, ProviderFailed, CredentialRefused, NoSuchModel, Cool(secs(60))] {
            for _ in 0..10 {
                let Admission::Go(ticket) = isolate.view.admit(target, at(0)) else { panic!("{outcome:?}") };
                isolate.view.record(&ticket, outcome, at(0), 0);
            }
        }
    }
    let (report, ..) = isolate.outgoing(None, 1);
    assert_eq!(report, json!({ "settings": settings() }));
    // Circuits hold for a call that is really sent, and for none other.
    isolate.fails("m", 3, 2);
    let word = |isolate: &mut Isolate, target, millis| match isolate.view.admit(target, at(millis)) {
        Admission::Go(ticket) => format!("go, {}", ticket.is_probe()),
        Admission::Ask(_) => "ask".to_owned(),
        Admission::Refused(_) => "refused".to_owned(),
    };
    for millis in [3, 5_000] {
        assert_eq!(word(&mut isolate, target.made_up(), millis), "go, false");
        assert_eq!(word(&mut isolate, target.tampered(), millis), "refused");
        assert!(
            isolate.view.is_closed(target.made_up(), at(millis)) && !isolate.view.would_admit(target.tampered(), at(millis))
        );
    }
    assert_eq!(word(&mut isolate, target, 5_000), "ask");
}
