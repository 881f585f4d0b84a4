//! What one isolate knows of how long a provider's models take: what it saw itself, what of that is still to be told, and what the
//! object told last.
//!
//! The object's numbers are used where it told some that are not too old, as it has heard this isolate too, within the seconds between two
//! messages. What it does not tell, it does not know: then the isolate's own sketch has to do.

use std::time::Duration;

use super::message::{Counts, Known, Seen};
use super::sketch::{HALF_LIFE, Sketch, bucket};
use super::{Kind, Quantiles, Took};
use crate::time::{Timestamp, millis};

/// For how long what the object told is better than what the isolate saw. An object that is asked at all is asked every half minute; but one
/// whose provider is only ever a request's third candidate is not.
const TOLD_HOLDS: Duration = HALF_LIFE;

/// The most models of which an isolate takes an object's word without having met them; those that it has met are bounded with its targets.
const MOST_UNMET: usize = 256;

/// One provider's models.
#[derive(Debug, Default)]
pub(crate) struct Local {
    models: Vec<Model>,
}

#[derive(Debug)]
struct Model {
    name: String,
    /// Made at the first call of each kind: most models only ever see two or three.
    records: [Option<Box<Record>>; Kind::COUNT],
}

#[derive(Debug, Default)]
struct Record {
    own: Sketch,
    answered: Counts,
    cut: Counts,
    told: Option<(Quantiles, Timestamp)>,
}

impl Local {
    /// The place of a model, made if there is none of that name yet.
    pub(crate) fn place(&mut self, model: &str) -> usize {
        if let Some(place) = self.models.iter().position(|own| own.name == model) {
            return place;
        }
        self.models.push(Model { name: model.to_owned(), records: Default::default() });
        self.models.len() - 1
    }

    pub(crate) fn clear(&mut self) {
        self.models.clear();
    }

    /// Records what a call of the model at `place` took.
    pub(crate) fn record(&mut self, place: usize, kind: Kind, took: Took, now: Timestamp) {
        let record = self.models.get_mut(place).and_then(|model| model.records.get_mut(kind.index()));
        let Some(record) = record.map(Option::get_or_insert_default) else { return };
        record.own.record(took, now);
        let (counts, bucket) = match took {
            Took::Exactly(took) => (&mut record.answered, bucket(took)),
            Took::AtLeast(given) => (&mut record.cut, bucket(given)),
        };
        match counts.iter_mut().find(|(known, _)| *known == bucket) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => counts.push((bucket, 1)),
        }
    }

    /// What is known of the model at `place`.
    pub(crate) fn quantiles(&self, place: usize, kind: Kind, now: Timestamp) -> Option<Quantiles> {
        self.models.get(place)?.records.get(kind.index())?.as_ref()?.quantiles(now).map(|(quantiles, _)| quantiles)
    }

    /// All that is known: model, kind, numbers, and whether the object told them.
    pub(crate) fn all(&self, now: Timestamp) -> impl Iterator<Item = (&str, Kind, Quantiles, bool)> {
        self.models.iter().flat_map(move |model| {
            Kind::all().zip(&model.records).filter_map(move |(kind, record)| {
                let (quantiles, told) = record.as_ref()?.quantiles(now)?;
                Some((model.name.as_str(), kind, quantiles, told))
            })
        })
    }

    /// What was seen since this was asked last. A message that is lost is not said again: the next calls tell the same, and a lost answer's
    /// message would count twice.
    pub(crate) fn news(&mut self) -> Vec<Seen> {
        let mut news = Vec::new();
        for model in &mut self.models {
            for (kind, record) in (0..).zip(&mut model.records) {
                let Some(record) = record else { continue };
                if record.answered.is_empty() && record.cut.is_empty() {
                    continue;
                }
                let (answered, cut) = (std::mem::take(&mut record.answered), std::mem::take(&mut record.cut));
                news.push(Seen { model: model.name.clone(), kind, answered, cut });
            }
        }
        news
    }

    /// Takes what the object knows: all that it does.
    pub(crate) fn learn(&mut self, known: &[Known], now: Timestamp) {
        for record in self.models.iter_mut().flat_map(|model| &mut model.records).flatten() {
            record.told = None;
        }
        for known in known {
            if self.models.len() >= MOST_UNMET && self.models.iter().all(|own| own.name != known.model) {
                continue;
            }
            let place = self.place(&known.model);
            let record = self.models.get_mut(place).and_then(|model| model.records.get_mut(usize::from(known.kind)));
            let Some(record) = record.map(Option::get_or_insert_default) else { continue };
            let [p50, p95, p99] = known.ms.map(Duration::from_millis);
            record.told = Some((Quantiles { p50, p95, p99, unanswered: f32::from(known.unanswered) / 1000.0 }, now));
        }
    }
}

impl Record {
    fn quantiles(&self, now: Timestamp) -> Option<(Quantiles, bool)> {
        let told = self.told.filter(|(_, at)| now.since(*at) <= TOLD_HOLDS).map(|(quantiles, _)| (quantiles, true));
        told.or_else(|| Some((self.own.quantiles(now)?, false)))
    }
}

impl Known {
    /// What is told of a record.
    pub(super) fn new(model: &str, kind: u8, quantiles: Quantiles) -> Self {
        let ms = [quantiles.p50, quantiles.p95, quantiles.p99].map(millis);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share in thousandths")]
        let unanswered = (quantiles.unanswered * 1000.0).clamp(0.0, 1000.0) as u16;
        Self { model: model.to_owned(), kind, ms, unanswered }
    }
}
