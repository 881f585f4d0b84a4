//! What a provider's object knows of how long its models take: everything that isolates tell it, added up.
//!
//! What it is told is bounded, as it may be wrong: the number and length of names, the numbers of buckets and kinds, and how much
//! one message can weigh. It lives in memory only: to write every message to storage would cost more than learning again, which
//! takes one exchange of each isolate.

use std::collections::BTreeMap;

use super::message::{Counts, Known, Seen};
use super::sketch::Sketch;
use super::{BUCKETS, Kind};
use crate::time::Timestamp;

/// The most models: with all kinds of each in use an answer is about 30 KB then, and with two or three kinds of a few models, which is
/// what there is, some hundred bytes.
const MOST_MODELS: usize = 64;

/// The longest name of a model, as for circuits.
const LONGEST_NAME: usize = 256;

/// The most observations of one bucket that a message is believed: an isolate serves some hundred requests a second, and sends every
/// half minute at the latest.
const MOST_OF_A_BUCKET: u32 = 10_000;

/// One provider's models.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    models: BTreeMap<String, [Option<Box<Sketch>>; Kind::COUNT]>,
}

impl Shared {
    /// Adds what an isolate saw.
    pub(crate) fn hear(&mut self, seen: &[Seen], now: Timestamp) {
        for seen in seen {
            if seen.model.len() > LONGEST_NAME || usize::from(seen.kind) >= Kind::COUNT {
                continue;
            }
            if !self.models.contains_key(&seen.model) && self.models.len() >= MOST_MODELS {
                self.forget_one(now);
            }
            let records = self.models.entry(seen.model.clone()).or_default();
            if let Some(record) = records.get_mut(usize::from(seen.kind)) {
                record.get_or_insert_default().merge(&bounded(&seen.answered), &bounded(&seen.cut), now);
            }
        }
    }

    /// All that is known.
    pub(crate) fn known(&self, now: Timestamp) -> Vec<Known> {
        let mut all = Vec::new();
        for (model, records) in &self.models {
            for (kind, record) in (0..).zip(records) {
                if let Some(quantiles) = record.as_ref().and_then(|record| record.quantiles(now)) {
                    all.push(Known::new(model, kind, quantiles));
                }
            }
        }
        all
    }

    /// Makes room by the model of which least is known: it is the one that is asked least.
    fn forget_one(&mut self, now: Timestamp) {
        let weight = |records: &[Option<Box<Sketch>>; Kind::COUNT]| -> f32 {
            records.iter().flatten().map(|record| record.weight(now)).sum()
        };
        let least = self.models.iter().map(|(model, records)| (model, weight(records))).min_by(|a, b| a.1.total_cmp(&b.1));
        if let Some(model) = least.map(|(model, _)| model.clone()) {
            self.models.remove(&model);
        }
    }
}

fn bounded(counts: &Counts) -> Counts {
    counts.iter().take(BUCKETS).map(|(bucket, count)| (*bucket, (*count).min(MOST_OF_A_BUCKET))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::local::Local;
    use super::super::{Awaited, Size, Took};
    use super::*;
    use std::time::Duration;

    const DAWN: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const KIND: Kind = Kind { awaited: Awaited::FirstContent, size: Size::Medium };

    fn seen(model: &str, kind: u8, answered: Counts) -> Seen {
        Seen { model: model.to_owned(), kind, answered, cut: Vec::new() }
    }

    #[test]
    fn a_cold_isolate_knows_what_the_others_saw() {
        let (mut warm, mut cold, mut object) = (Local::default(), Local::default(), Shared::default());
        let place = warm.place("m");
        for nth in 0..100_u64 {
            let took = if nth < 90 { Took::Exactly(Duration::from_secs(2)) } else { Took::AtLeast(Duration::from_secs(3)) };
            warm.record(place, KIND, took, DAWN);
        }
        object.hear(&warm.news(), DAWN);
        assert!(warm.news().is_empty(), "it is told once");
        let told = object.known(DAWN);
        let json = serde_json::to_string(&told).unwrap();
        assert!(json.len() < 80, "{json}");
        cold.learn(&serde_json::from_str::<Vec<Known>>(&json).unwrap(), DAWN);
        let place = cold.place("m");
        let (theirs, own) = (cold.quantiles(place, KIND, DAWN).unwrap(), warm.quantiles(0, KIND, DAWN).unwrap());
        assert_eq!((theirs.p50.as_millis(), theirs.p95.as_millis()), (own.p50.as_millis(), own.p95.as_millis()));
        assert!((theirs.unanswered - 0.1).abs() < 0.001);
        // What the object told does not hold for ever, and what it no longer tells it no longer knows.
        assert_eq!(cold.quantiles(place, KIND, DAWN + Duration::from_secs(301)), None);
        cold.learn(&[], DAWN);
        assert_eq!(cold.quantiles(place, KIND, DAWN), None);
        warm.learn(&[], DAWN);
        assert!(warm.quantiles(0, KIND, DAWN).is_some(), "its own sketch is left");
    }

    #[test]
    fn what_is_told_is_bounded() {
        let mut object = Shared::default();
        let rows = [
            ("a long name", seen(&"x".repeat(257), 0, vec![(1, 100)])),
            ("no such kind", seen("m", 9, vec![(1, 100)])),
            ("nothing", seen("m", 0, vec![])),
        ];
        for (name, seen) in rows {
            object.hear(&[seen], DAWN);
            assert_eq!(object.known(DAWN), [], "{name}");
        }
        object.hear(&[seen("m", 0, vec![(200, u32::MAX); 1_000])], DAWN);
        let weight = object.models["m"][0].as_ref().unwrap().weight(DAWN);
        assert!(weight <= 51.0 * 10_000.0, "{weight}");
        for nth in 0..1_000 {
            object.hear(&[seen(&format!("model-{nth}"), 0, vec![(1, 10)])], DAWN);
        }
        assert_eq!(object.models.len(), MOST_MODELS);
        assert!(object.models.contains_key("m"), "the one that most is known of stays");
    }
}
