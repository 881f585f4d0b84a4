//! What the object is told is bounded and checked, and what it stores is all that it needs.

use breakwater::breaker::{Exchange, Object, Settings, object_name};
use serde_json::{Value, json};

use super::{at, secs, settings};

fn tell(object: &mut Object, message: Value, millis: u64) -> Value {
    let mut message = message;
    if message["settings"].is_null() {
        message["settings"] = json!(settings());
    }
    serde_json::from_str(&object.exchange(&message.to_string(), at(millis), 0).answer).unwrap()
}

fn failures(key: &str, count: u32) -> Value {
    json!({ "key": key, "epoch": 0, "ok": 0, "failed": count, "trailing": count })
}

fn open_keys(answer: &Value) -> Vec<&str> {
    let circuits = answer["circuits"].as_array().unwrap().iter();
    circuits.filter(|circuit| !circuit["until"].is_null()).map(|circuit| circuit["key"].as_str().unwrap()).collect()
}

#[test]
fn each_provider_has_an_object_in_each_region() {
    assert_eq!(object_name("openai", "weur"), "openai@weur");
    assert_ne!(object_name("a", "weur"), object_name("a", "eeur"));
}

/// Failures that no isolate could have judged by itself.
#[test]
fn failures_anywhere_open_it_everywhere() {
    let mut object = Object::new();
    let one = || json!({ "counts": [failures("model:m", 1)] });
    let answers = [0, 10, 20].map(|millis| tell(&mut object, one(), millis));
    assert_eq!(answers.each_ref().map(|answer| open_keys(answer).len()), [0, 0, 1]);
    assert_eq!(
        answers[2]["circuits"],
        json!([{ "key": "model:m", "epoch": 1, "until": at(1020).as_millis(), "cooldown": 1000 }])
    );
}

/// Two models that fail are one provider that fails; two that are not there are not.
#[test]
fn two_open_models_open_the_provider() {
    let trip = |key: &str| json!({ "trips": [{ "key": key, "epoch": 0 }] });
    let count = |key: &str| json!({ "counts": [failures(key, 3)] });
    let rows: [(&str, Vec<(u64, Value)>, bool); 9] = [
        ("one model", vec![(0, count("model:a"))], false),
        ("two", vec![(0, count("model:a")), (10, count("model:b"))], true),
        ("two at once", vec![(0, json!({ "counts": [failures("model:a", 3), failures("model:b", 3)] }))], true),
        ("one of them half-open", vec![(0, count("model:a")), (5_000, count("model:b"))], true),
        ("two that are not there", vec![(0, trip("model:a")), (10, trip("model:b"))], false),
        ("one that is not there", vec![(0, trip("model:a")), (10, count("model:b"))], false),
        ("and one that fails later", vec![(0, count("model:a")), (10, trip("model:b")), (20, count("model:c"))], true),
        ("two credentials", vec![(0, count("key:a")), (10, count("key:b"))], false),
        ("a model and a credential", vec![(0, count("key:a")), (10, count("model:b"))], false),
    ];
    for (name, messages, opens) in rows {
        let mut object = Object::new();
        let answers: Vec<Value> = messages.into_iter().map(|(millis, message)| tell(&mut object, message, millis)).collect();
        assert_eq!(open_keys(answers.last().unwrap()).contains(&"provider"), opens, "{name}");
    }
}

/// A lease needs every circuit of a call: all are granted, or none.
#[test]
fn leases_for_all_or_for_none() {
    let opened = || {
        let mut object = Object::new();
        tell(&mut object, json!({ "counts": [failures("model:a", 3), failures("key:k", 3)] }), 0);
        tell(&mut object, json!({ "counts": [failures("model:late", 3)] }), 900);
        object
    };
    // At 1500 `model:a` and `key:k` are half-open, `model:late` and the provider, which opened with it, are open.
    let lease = |key: &str, epoch: u64| json!({ "key": key, "epoch": epoch });
    let rows: [(&str, &[&str], Value); 7] = [
        ("one", &["model:a"], json!([lease("model:a", 2)])),
        ("two", &["model:a", "key:k"], json!([lease("model:a", 2), lease("key:k", 2)])),
        ("one that is closed needs none", &["model:new", "key:k"], json!([lease("key:k", 2)])),
        ("all closed", &["model:new", "key:new"], json!([])),
        ("one that is open", &["model:late", "key:k"], Value::Null),
        ("the provider is open", &["provider", "model:a"], Value::Null),
        ("nothing is asked for", &[], Value::Null),
    ];
    for (name, ask, expected) in rows {
        let mut object = opened();
        assert_eq!(tell(&mut object, json!({ "ask": ask }), 1500)["leases"], expected, "{name}");
        // What was refused was not half granted.
        let again = tell(&mut object, json!({ "ask": ["key:k"] }), 1501)["leases"].clone();
        let was_leased = expected.as_array().is_some_and(|leases| leases.iter().any(|lease| lease["key"] == "key:k"));
        assert_eq!(again, if was_leased { Value::Null } else { json!([lease("key:k", 2)]) }, "{name}, again");
    }
}

#[test]
fn a_message_that_cannot_be_read_changes_nothing() {
    let mut object = Object::new();
    tell(&mut object, json!({ "counts": [failures("model:a", 2)] }), 0);
    let settings = json!(settings());
    let rows: [(&str, String); 9] = [
        ("nothing", String::new()),
        ("no JSON", "{".to_owned()),
        ("null", "null".to_owned()),
        ("no settings", json!({ "counts": [failures("model:a", 9)] }).to_string()),
        ("settings of another type", json!({ "settings": 1, "counts": [failures("model:a", 9)] }).to_string()),
        ("counts of another type", json!({ "settings": settings, "counts": [failures("model:a", 9), 1] }).to_string()),
        ("a negative count", json!({ "settings": settings, "counts": [{ "key": "model:a", "epoch": 0, "ok": -1, "failed": 9, "trailing": 9 }] }).to_string()),
        ("a fraction", json!({ "settings": settings, "counts": [{ "key": "model:a", "epoch": 0.5, "ok": 0, "failed": 9, "trailing": 9 }] }).to_string()),
        ("half of it wrong", json!({ "settings": settings, "counts": [failures("model:a", 9)], "ask": [1] }).to_string()),
    ];
    for (name, message) in rows {
        let Exchange { answer, store } = object.exchange(&message, at(1), 0);
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!((answer["circuits"].clone(), store), (json!([]), None), "{name}");
        assert!(answer["again"].as_u64().is_some_and(|again| again >= 1000), "{name}");
    }
    assert_eq!(open_keys(&tell(&mut object, json!({ "counts": [failures("model:a", 1)] }), 2)), ["model:a"]);
}

/// Settings that nobody can do harm with: an object must neither be opened by nothing, nor for ever.
#[test]
fn settings_are_clamped() {
    let zero =
        Settings { failures: 0, error_rate: 0.0, min_requests: 0, window: secs(0), cooldown: secs(0), max_cooldown: secs(0) };
    let day = 24 * 3600;
    let huge = Settings {
        failures: u32::MAX,
        error_rate: 100.0,
        min_requests: u32::MAX,
        window: secs(u64::MAX),
        cooldown: secs(u64::MAX),
        max_cooldown: secs(u64::MAX),
    };
    let open_for = |settings: Settings, counts: Value| {
        let answer = tell(&mut Object::new(), json!({ "settings": settings, "counts": [counts] }), 0);
        answer["circuits"][0]["until"].as_u64().map(|until| until - at(0).as_millis())
    };
    let ok = json!({ "key": "model:m", "epoch": 0, "ok": 5, "failed": 0, "trailing": 0 });
    assert_eq!(open_for(zero, ok), None, "successes open nothing");
    assert_eq!(open_for(zero, failures("model:m", 1)), Some(100), "not for no time at all");
    assert_eq!(open_for(huge, failures("model:m", u32::MAX)), Some(3_600_000), "not for ever");
    let odd = Settings { cooldown: secs(100 * day), ..settings() };
    assert_eq!(open_for(odd, failures("model:m", 3)), Some(3_600_000), "a longest that is shorter than the first");
}

/// Names of models may come from clients: what they can fill has an end, and an open circuit is not forgotten for it.
#[test]
fn what_is_remembered_is_bounded() {
    let mut object = Object::new();
    tell(&mut object, json!({ "counts": [failures("model:down", 3)] }), 0);
    for nth in 0..2_000 {
        let answer = tell(&mut object, json!({ "counts": [failures(&format!("model:{nth}"), 1)] }), 1);
        assert_eq!(open_keys(&answer), ["model:down"], "{nth}");
    }
    let mut answer = Value::Null;
    for nth in 0..2_000 {
        let trips = json!([{ "key": format!("model:x{nth}"), "epoch": 0 }]);
        let cooling = json!([{ "credential": "k", "model": format!("m{nth}"), "until": at(60_000).as_millis() }]);
        answer = tell(&mut object, json!({ "trips": trips, "cooling": cooling }), 2);
    }
    assert!(open_keys(&answer).contains(&"model:down") && open_keys(&answer).len() <= 256, "{}", open_keys(&answer).len());
    assert!(answer["cooling"].as_array().unwrap().len() <= 256);
    assert!(answer.to_string().len() < 64 * 1024, "an answer stays small: {}", answer.to_string().len());

    // Those that were half-open for long without anybody asking make room for one that fails now.
    let answer = tell(&mut object, json!({ "counts": [failures("model:real", 3)] }), 600_000);
    assert!(open_keys(&answer).contains(&"model:real"));
    assert!(answer["circuits"].as_array().unwrap().len() <= 256);

    let mut object = Object::new();
    let long = format!("model:{}", "x".repeat(300));
    let cooling = json!([{ "credential": "k", "model": long, "until": at(60_000).as_millis() }]);
    let answer = tell(
        &mut object,
        json!({ "counts": [failures(&long, 9)], "trips": [{ "key": long, "epoch": 0 }], "cooling": cooling }),
        0,
    );
    assert_eq!((&answer["circuits"], &answer["cooling"]), (&json!([]), &json!([])));
}

/// What cannot be read is forgotten: closed is the safe state.
#[test]
fn storage_that_cannot_be_read() {
    for stored in ["", "null", "{", "[]", r#"{"circuits":1}"#, r#"{"circuits":{"model:a":{"epoch":"x"}}}"#] {
        let answer = tell(&mut Object::restore(stored, at(0)), json!({}), 0);
        assert_eq!(answer["circuits"], json!([]), "{stored}");
    }
}
