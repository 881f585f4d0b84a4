//! The object, through its messages as JSON, against the histories of all of its circuits, after every message of random sequences.

use std::collections::BTreeMap;

use breakwater::breaker::Object;
use breakwater::time::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::history::{Happened, History};
use super::{Settings, settings};

const KEYS: [&str; 6] = ["provider", "model:a", "model:b", "model:c", "key:x", "key:y"];

/// A message, its circuits by their place in [`KEYS`] and its epochs by how far they are from the present ones.
#[derive(Clone, Debug)]
struct Message {
    counts: Vec<(usize, i64, (u32, u32, u32))>,
    trips: Vec<(usize, i64)>,
    probes: Vec<(usize, i64, Option<bool>)>,
    /// Credential, model, and for how many milliseconds.
    cooling: Vec<(usize, usize, u64)>,
    ask: Vec<usize>,
}

fn message() -> impl Strategy<Value = Message> {
    let key = || 0..KEYS.len();
    let epoch = || prop_oneof![8 => Just(0_i64), 1 => -3..4_i64];
    let calls = (0..3_u32, 0..4_u32, 0..4_u32)
        .prop_map(|(ok, failed, trailing)| (ok, failed, if ok == 0 { failed } else { trailing.min(failed) }));
    let success = prop_oneof![2 => Just(Some(true)), 2 => Just(Some(false)), 1 => Just(None)];
    let ask = prop_oneof![
        2 => Just(Vec::new()),
        2 => (1..4_usize, 4..6_usize).prop_map(|(model, credential)| vec![0, model, credential]),
        1 => prop::collection::vec(key(), 1..3).prop_map(|mut keys| { keys.dedup(); keys }),
    ];
    (
        prop::collection::vec((key(), epoch(), calls), 0..4),
        prop::collection::vec((key(), epoch()), 0..2),
        prop::collection::vec((key(), epoch(), success), 0..4),
        prop::collection::vec((0..2_usize, 0..3_usize, 0..600_000_u64), 0..2),
        ask,
    )
        .prop_map(|(counts, trips, probes, cooling, ask)| Message { counts, trips, probes, cooling, ask })
}

/// All that was ever told to an object.
struct Reference {
    circuits: BTreeMap<&'static str, History>,
    /// When, whom, for which model, and until when.
    cooling: Vec<(u64, String, String, u64)>,
}

impl Reference {
    fn new(settings: Settings) -> Self {
        Self { circuits: KEYS.into_iter().map(|key| (key, History::new(settings))).collect(), cooling: Vec::new() }
    }

    fn epoch(&self, key: usize, shift: i64) -> u64 {
        self.circuits[KEYS[key]].state().epoch.saturating_add_signed(shift)
    }

    fn happens(&mut self, key: &str, now: u64, what: Happened, random: u64) -> bool {
        self.circuits.get_mut(key).unwrap().happens(now, what, random)
    }

    /// The message as an isolate would send it.
    fn write(&self, message: &Message, settings: &Settings, now: u64) -> Value {
        let list = |values: Vec<Value>| Value::Array(values);
        let counts = message.counts.iter().map(|(key, shift, (ok, failed, trailing))| {
            json!({ "key": KEYS[*key], "epoch": self.epoch(*key, *shift), "ok": ok, "failed": failed, "trailing": trailing })
        });
        let trips = message.trips.iter().map(|(key, shift)| json!({ "key": KEYS[*key], "epoch": self.epoch(*key, *shift) }));
        let probes = message
            .probes
            .iter()
            .map(|(key, shift, success)| json!({ "key": KEYS[*key], "epoch": self.epoch(*key, *shift), "success": success }));
        let cooling = message.cooling.iter().map(|(credential, model, wait)| {
            json!({ "credential": format!("k{credential}"), "model": format!("m{model}"), "until": now + wait })
        });
        json!({
            "settings": settings,
            "counts": list(counts.collect()),
            "trips": list(trips.collect()),
            "probes": list(probes.collect()),
            "cooling": list(cooling.collect()),
            "ask": message.ask.iter().map(|key| KEYS[*key]).collect::<Vec<_>>(),
        })
    }

    /// Takes what was written. Gives the leases, and whether anything changed that must be stored.
    fn hear(&mut self, message: &Value, now: u64, random: u64) -> (Option<Vec<Value>>, bool) {
        let list = |name: &str| message[name].as_array().unwrap().clone();
        let number = |value: &Value| value.as_u64().unwrap();
        let mut changed = false;
        for probe in list("probes") {
            let what = Happened::Probe { epoch: number(&probe["epoch"]), success: probe["success"].as_bool() };
            changed |= self.happens(probe["key"].as_str().unwrap(), now, what, random);
        }
        let mut a_model_tripped = false;
        for batch in list("counts") {
            let count = |name: &str| u32::try_from(number(&batch[name])).unwrap();
            let (ok, failed, trailing) = (count("ok"), count("failed"), count("trailing"));
            let key = batch["key"].as_str().unwrap();
            let tripped =
                self.happens(key, now, Happened::Calls { epoch: number(&batch["epoch"]), ok, failed, trailing }, random);
            changed |= tripped;
            a_model_tripped |= tripped && key.starts_with("model:");
        }
        for mark in list("trips") {
            changed |=
                self.happens(mark["key"].as_str().unwrap(), now, Happened::Trip { epoch: number(&mark["epoch"]) }, random);
        }
        for cooling in list("cooling") {
            let text = |name: &str| cooling[name].as_str().unwrap().to_owned();
            // Five minutes at most.
            self.cooling.push((now, text("credential"), text("model"), number(&cooling["until"]).min(now + 300_000)));
        }
        let failing = |(key, history): (&&str, &History)| {
            key.starts_with("model:") && history.state().open.is_some_and(|open| open.by_failures)
        };
        if a_model_tripped && self.circuits.iter().filter(|entry| failing((entry.0, entry.1))).count() >= 2 {
            changed |= self.happens("provider", now, Happened::Neighbours, random);
        }
        let ask: Vec<String> = list("ask").iter().map(|key| key.as_str().unwrap().to_owned()).collect();
        if ask.is_empty() || !ask.iter().all(|key| self.circuits[key.as_str()].state().is_free(now)) {
            return (None, changed);
        }
        let mut leases = Vec::new();
        for key in ask {
            if self.happens(&key, now, Happened::Asked, random) {
                changed = true;
                leases.push(json!({ "key": key, "epoch": self.circuits[key.as_str()].state().epoch }));
            }
        }
        (Some(leases), changed)
    }

    /// Each circuit that is not as new, in the form of an answer.
    fn told(&self) -> Value {
        let mut told = Vec::new();
        for (key, history) in &self.circuits {
            let state = history.state();
            if state.epoch > 0 {
                let cooldown = state.open.as_ref().map_or(0, |open| open.cooldown);
                let mut circuit = json!({ "key": key, "epoch": state.epoch, "cooldown": cooldown });
                if let Some(open) = &state.open {
                    circuit["until"] = open.until.into();
                }
                told.push(circuit);
            }
        }
        Value::Array(told)
    }

    /// Each rate limit that holds, sorted.
    fn cools(&self, now: u64) -> Vec<(String, String, u64)> {
        let mut until: BTreeMap<(String, String), u64> = BTreeMap::new();
        for (_, credential, model, end) in self.cooling.iter().filter(|(.., end)| *end > now) {
            let known = until.entry((credential.clone(), model.clone())).or_default();
            *known = (*known).max(*end);
        }
        until.into_iter().map(|((credential, model), until)| (credential, model, until)).collect()
    }
}

fn cools(answer: &Value) -> Vec<(String, String, u64)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = answer["cooling"].as_array().unwrap().iter();
    let mut all: Vec<_> =
        all.map(|one| (text(&one["credential"]), text(&one["model"]), one["until"].as_u64().unwrap())).collect();
    all.sort();
    all
}

fn step() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 1..300_u64, 3 => Just(1000), 2 => 900..2500_u64, 1 => 20_000..40_000_u64]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn an_object_is_what_its_histories_say(
        failures in 1..4_u32,
        steps in prop::collection::vec((step(), message(), any::<u64>(), prop::bool::weighted(0.08)), 1..50),
    ) {
        let settings = Settings { failures, ..settings() };
        let mut reference = Reference::new(settings);
        let mut object = Object::new();
        let mut stored = String::new();
        let mut now = 1_800_000_000_000;
        let mut serial = 0;
        for (wait, message, random, is_evicted) in steps {
            now += wait;
            if is_evicted {
                object = Object::restore(&stored, Timestamp::from_millis(now));
                reference.cooling.clear();
                for key in KEYS {
                    reference.happens(key, now, Happened::Restored, 0);
                }
            }
            let written = reference.write(&message, &settings, now);
            let (leases, changed) = reference.hear(&written, now, random);
            let exchange = object.exchange(&written.to_string(), Timestamp::from_millis(now), random);
            let answer: Value = serde_json::from_str(&exchange.answer).unwrap();
            prop_assert_eq!(&answer["circuits"], &reference.told(), "circuits after {}", written);
            prop_assert_eq!(&answer["leases"], &json!(leases), "leases after {}", written);
            prop_assert_eq!(cools(&answer), reference.cools(now), "rate limits after {}", written);
            prop_assert_eq!(exchange.store.is_some(), changed, "stored after {}", written);
            prop_assert!(answer["serial"].as_u64().unwrap() > serial, "serials grow");
            serial = answer["serial"].as_u64().unwrap();
            stored = exchange.store.unwrap_or(stored);
        }
    }
}
