//! Which targets fail which demands, as one isolate has seen it lately.
//!
//! A model that cannot keep to a schema costs every request the time of its tries. One that failed it with all of its corrections several times in a row is
//! passed over for a while, as long as another target can be asked; and one whose provider refuses a schema is asked by other means from then on. Nobody's
//! circuit is told: for other requests the model is as good as ever.

use std::time::Duration;

use serde_json::{Value, json};

use crate::time::Timestamp;

/// How many requests in a row must have failed.
const FAILURES: u32 = 3;

/// For how long it is remembered.
const WHILE: Duration = Duration::from_mins(5);

/// For how long a provider is not asked for a schema that it refused.
const REFUSED: Duration = Duration::from_hours(1);

/// How many pairs of a target and a demand are remembered, and how many targets are counted: the newest.
const MOST: usize = 256;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pairs: Vec<Pair>,
    counts: Vec<(String, [u64; 4])>,
}

#[derive(Debug)]
struct Pair {
    target: String,
    demand: u64,
    failures: u32,
    unfit_until: Timestamp,
    refused_until: Timestamp,
    /// Whether what was refused is a tool's.
    of_tool: bool,
}

/// What came of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    /// It was what was demanded.
    Valid,
    /// It was, once it was repaired.
    Repaired,
    /// It was not.
    Wrong,
    /// The provider would not have the schema.
    Refused,
}

impl Record {
    /// Counts an answer.
    pub(crate) fn count(&mut self, target: &str, passed: Passed) {
        let at = self.counts.iter().position(|(known, _)| known == target).unwrap_or_else(|| {
            // Callers who may name targets can name any number of them.
            if self.counts.len() >= MOST {
                self.counts.remove(0);
            }
            self.counts.push((target.to_owned(), [0; 4]));
            self.counts.len() - 1
        });
        if let Some(count) = self.counts.get_mut(at).and_then(|(_, counts)| counts.get_mut(passed as usize)) {
            *count += 1;
        }
    }

    fn pair(&mut self, target: &str, demand: u64) -> Option<&mut Pair> {
        let at = self.pairs.iter().position(|pair| pair.demand == demand && pair.target == target);
        let at = at.unwrap_or_else(|| {
            if self.pairs.len() >= MOST {
                self.pairs.remove(0);
            }
            let never = Timestamp::default();
            self.pairs.push(Pair {
                target: target.to_owned(),
                demand,
                failures: 0,
                unfit_until: never,
                refused_until: never,
                of_tool: false,
            });
            self.pairs.len() - 1
        });
        self.pairs.get_mut(at)
    }

    /// A target has failed a demand in spite of all corrections.
    pub(crate) fn failed(&mut self, target: &str, demand: u64, now: Timestamp) {
        if let Some(pair) = self.pair(target, demand) {
            pair.failures += 1;
            if pair.failures >= FAILURES {
                pair.unfit_until = now + WHILE;
            }
        }
    }

    /// A target has met a demand.
    pub(crate) fn met(&mut self, target: &str, demand: u64) {
        if let Some(pair) = self.pairs.iter_mut().find(|pair| pair.demand == demand && pair.target == target) {
            pair.failures = 0;
            pair.unfit_until = Timestamp::default();
        }
    }

    /// A target's provider will not have the schema of a demand, or of one of its tools.
    pub(crate) fn refused(&mut self, target: &str, demand: u64, of_tool: bool, now: Timestamp) {
        if let Some(pair) = self.pair(target, demand) {
            pair.refused_until = now + REFUSED;
            pair.of_tool = of_tool;
        }
    }

    fn find(&self, target: &str, demand: u64) -> Option<&Pair> {
        self.pairs.iter().find(|pair| pair.demand == demand && pair.target == target)
    }

    /// Whether a target is better passed over.
    pub(crate) fn is_unfit(&self, target: &str, demand: u64, now: Timestamp) -> bool {
        self.find(target, demand).is_some_and(|pair| now < pair.unfit_until)
    }

    /// Whether a target is known to refuse the schema; if so, whether it is a tool's.
    pub(crate) fn refuses(&self, target: &str, demand: u64, now: Timestamp) -> Option<bool> {
        self.find(target, demand).filter(|pair| now < pair.refused_until).map(|pair| pair.of_tool)
    }

    /// For people.
    pub(crate) fn status(&self, now: Timestamp) -> Value {
        let told = |(target, counts): &(String, [u64; 4])| {
            let [valid, repaired, wrong, refused] = counts;
            let unfit = self.pairs.iter().filter(|pair| pair.target == *target && now < pair.unfit_until).count();
            json!({ "target": target, "valid": valid, "repaired": repaired, "wrong": wrong, "schema_refused": refused, "passed_over_for": unfit })
        };
        Value::Array(self.counts.iter().map(told).collect())
    }
}
