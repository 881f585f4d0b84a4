//! A quantile sketch that forgets: see [`super`].
//!
//! **Buckets** grow by a quarter each, from 10 ms to beyond 10 minutes, so that a quantile is off by at most 12 % wherever it lies, and the
//! whole takes 220 bytes. A slice is half as long again as a quantile, so that more precision would buy nothing.
//!
//! **Decay** is exponential by [`HALF_LIFE`]. To decay 51 buckets at every observation would be work for nothing: instead the newer
//! observation weighs more (forward decay: Cormode, Shkapenyuk, Srivastava and Xu, 2009), and all are scaled down together once their
//! numbers have grown too far. So recording is O(1), and the ratio of any two observations is as it would be.
//!
//! **Cuts.** A call that was given up after `t` would have taken at least `t`. Where enough answers are known that took longer,
//! its weight is spread over them in proportion, which is what Kaplan and Meier's estimate comes to (Efron's redistribution to
//! the right, 1967). Where there are not, it is counted as unanswered. Enough are [`TAIL`] of all answers: spread over fewer, a single late
//! answer would draw the weight of every hang to itself.

use std::time::Duration;

use super::message::Counts;
use super::{Quantiles, Took};
use crate::time::Timestamp;

/// How many buckets there are: one below 10 ms, and fifty that grow by a quarter each, of which the last takes all that is longer.
pub const BUCKETS: usize = 51;

/// How much longer each bucket is than the one before.
const GROWTH: f64 = 1.25;

/// The square root of [`GROWTH`]: a bucket's middle lies so far above its lower bound.
const HALF_GROWTH: f64 = 1.118_033_988_749_895;

/// Where the second bucket begins. What is faster than this is network, and no model.
const SHORTEST: Duration = Duration::from_millis(10);

/// After how long an observation weighs half. Providers' bad times last for minutes; and a target that is asked twice a minute still has
/// a record by this, where a shorter one would leave it without.
pub(super) const HALF_LIFE: Duration = Duration::from_secs(300);

/// The least weight of answers that says anything: the 95th percentile of fewer is their maximum, and of very few that is chance.
const LEAST_WEIGHT: f32 = 8.0;

/// The least share of answers beyond a cut among which its weight is spread.
const TAIL: f32 = 0.05;

/// After how many half-lives the weights are scaled down: an observation weighs at most 2⁸ then, of `f32`'s 2²⁴ whole numbers.
const RENEWAL: f32 = 8.0;

/// The buckets' lower bounds in microseconds, from the second on.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    reason = "evaluated when this is compiled"
)]
const BOUNDS: [u64; BUCKETS - 1] = {
    let mut bounds = [0; BUCKETS - 1];
    let mut bound = SHORTEST.as_micros() as f64;
    let mut at = 0;
    while at < bounds.len() {
        bounds[at] = bound as u64;
        bound *= GROWTH;
        at += 1;
    }
    bounds
};

/// How long calls took, the newer ones weighing more.
#[derive(Clone, Debug, PartialEq)]
pub struct Sketch {
    answered: [f32; BUCKETS],
    unanswered: f32,
    /// The time at which an observation weighs one, as the numbers above have it.
    since: Timestamp,
}

impl Default for Sketch {
    fn default() -> Self {
        Self { answered: [0.0; BUCKETS], unanswered: 0.0, since: Timestamp::default() }
    }
}

/// The bucket that a duration falls into.
#[must_use]
pub(super) fn bucket(took: Duration) -> u8 {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    u8::try_from(BOUNDS.partition_point(|bound| *bound <= micros)).unwrap_or(u8::MAX)
}

/// The middle of a bucket, by ratio.
fn middle(bucket: usize) -> Duration {
    let Some(bound) = bucket.checked_sub(1).and_then(|below| BOUNDS.get(below)) else { return SHORTEST };
    Duration::from_micros(*bound).mul_f64(HALF_GROWTH)
}

impl Sketch {
    /// Records one observation.
    pub fn record(&mut self, took: Took, now: Timestamp) {
        match took {
            Took::Exactly(took) => self.add(bucket(took), 1.0, now),
            Took::AtLeast(given) => self.cut(bucket(given), 1.0, now),
        }
    }

    /// Adds what somebody else has seen lately. Of two such, the order does not matter to how much they weigh, and where nothing was
    /// cut off it does not matter at all.
    #[expect(clippy::cast_precision_loss, reason = "a weight")]
    pub fn merge(&mut self, answered: &Counts, cut: &Counts, now: Timestamp) {
        for (bucket, count) in answered {
            self.add(*bucket, *count as f32, now);
        }
        for (bucket, count) in cut {
            self.cut(*bucket, *count as f32, now);
        }
    }

    fn add(&mut self, bucket: u8, count: f32, now: Timestamp) {
        let weight = self.weight_at(now) * count;
        if let Some(answered) = self.answered.get_mut(usize::from(bucket).min(BUCKETS - 1)) {
            *answered += weight;
        }
    }

    fn cut(&mut self, bucket: u8, count: f32, now: Timestamp) {
        let weight = self.weight_at(now) * count;
        let total = self.total();
        let beyond = self.answered.get_mut(usize::from(bucket) + 1..).unwrap_or_default();
        let known: f32 = beyond.iter().sum();
        if known > 0.0 && known >= total * TAIL {
            let factor = 1.0 + weight / known;
            for answered in beyond {
                *answered *= factor;
            }
        } else {
            self.unanswered += weight;
        }
    }

    /// What an observation weighs that is made now.
    fn weight_at(&mut self, now: Timestamp) -> f32 {
        let lives = self.lives(now);
        if lives < RENEWAL {
            return lives.exp2();
        }
        let factor = (-lives).exp2();
        for answered in &mut self.answered {
            *answered *= factor;
        }
        self.unanswered *= factor;
        self.since = now;
        1.0
    }

    /// How many half-lives have passed; none where another machine's clock is behind.
    fn lives(&self, now: Timestamp) -> f32 {
        now.since(self.since).as_secs_f32() / HALF_LIFE.as_secs_f32()
    }

    fn total(&self) -> f32 {
        self.answered.iter().sum()
    }

    /// How many answers this stands for, after decay.
    #[must_use]
    pub fn weight(&self, now: Timestamp) -> f32 {
        self.total() * (-self.lives(now)).exp2()
    }

    /// Within how long a share `q` of the answers came; nothing where too few are known.
    #[must_use]
    pub fn quantile(&self, q: f32, now: Timestamp) -> Option<Duration> {
        let [quantile] = self.at([q], now)?;
        Some(quantile)
    }

    /// The quantiles that a deadline is spent by; nothing where too few answers are known.
    #[must_use]
    pub fn quantiles(&self, now: Timestamp) -> Option<Quantiles> {
        let [p50, p95, p99] = self.at([0.50, 0.95, 0.99], now)?;
        Some(Quantiles { p50, p95, p99, unanswered: self.unanswered / (self.total() + self.unanswered) })
    }

    /// Quantiles in ascending order, in one pass.
    fn at<const N: usize>(&self, shares: [f32; N], now: Timestamp) -> Option<[Duration; N]> {
        let total = self.total();
        if total * (-self.lives(now)).exp2() < LEAST_WEIGHT {
            return None;
        }
        let (mut bucket, mut sum) = (0, self.answered.first().copied().unwrap_or_default());
        Some(shares.map(|share| {
            while sum < share * total
                && let Some(further) = self.answered.get(bucket + 1)
            {
                sum += further;
                bucket += 1;
            }
            middle(bucket)
        }))
    }
}

#[cfg(test)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "durations drawn by their logarithm, and ranks"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAWN: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn of(answers: &[u64]) -> Sketch {
        let mut sketch = Sketch::default();
        for millis in answers {
            sketch.record(Took::Exactly(ms(*millis)), DAWN);
        }
        sketch
    }

    fn record(sketch: &mut Sketch, count: u32, took: Took, now: Timestamp) {
        for _ in 0..count {
            sketch.record(took, now);
        }
    }

    /// Within the 12 % that a bucket's middle is off by at most.
    fn near(estimate: Duration, exact: Duration) -> bool {
        let ratio = estimate.as_secs_f64() / exact.as_secs_f64();
        (1.0 / 1.12..1.12).contains(&ratio)
    }

    #[test]
    fn it_is_small() {
        assert!(size_of::<Sketch>() <= 220, "{}", size_of::<Sketch>());
        assert!(BOUNDS[BUCKETS - 2] > 550_000_000 && BOUNDS[BUCKETS - 2] < 600_000_000);
    }

    #[test]
    fn too_few_say_nothing() {
        assert_eq!(of(&[1_000; 7]).quantiles(DAWN), None);
        assert!(of(&[1_000; 8]).quantiles(DAWN).is_some());
        assert_eq!(of(&[1_000; 8]).quantiles(DAWN + ms(1_000)), None, "as they have decayed a little");
        let mut hangs = of(&[1_000; 7]);
        record(&mut hangs, 100, Took::AtLeast(ms(60_000)), DAWN);
        assert_eq!(hangs.quantiles(DAWN), None, "and how long nothing came says nothing about when something will");
    }

    #[test]
    fn what_is_out_of_range_is_taken_for_the_nearest() {
        let sketch = of(&[0; 10]);
        assert_eq!(sketch.quantile(0.5, DAWN), Some(SHORTEST));
        let mut sketch = Sketch::default();
        record(&mut sketch, 10, Took::Exactly(Duration::MAX), DAWN);
        assert!(sketch.quantile(0.5, DAWN).unwrap() > ms(600_000));
        let mut sketch = Sketch::default();
        sketch.merge(&vec![(255, 10)], &vec![(255, 10)], DAWN);
        assert!(sketch.quantile(0.5, DAWN).unwrap() > ms(600_000));
    }

    #[test]
    fn a_cut_within_what_is_known_counts_with_the_answers_that_took_longer() {
        // Half take one second, half take four; but half of the calls are given two seconds only. Counting answers only would
        // find that two of three take one second.
        let mut sketch = of(&[1_000; 100]);
        record(&mut sketch, 50, Took::Exactly(ms(4_000)), DAWN);
        record(&mut sketch, 50, Took::AtLeast(ms(2_000)), DAWN);
        assert!((sketch.weight(DAWN) - 200.0).abs() < 0.1);
        assert!(near(sketch.quantile(0.49, DAWN).unwrap(), ms(1_000)));
        assert!(near(sketch.quantile(0.51, DAWN).unwrap(), ms(4_000)));
        assert!(sketch.quantiles(DAWN).unwrap().unanswered < 0.001);
    }

    #[test]
    fn cuts_by_short_deadlines_shorten_nothing() {
        let mut sketch = of(&[1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000, 9_000, 10_000]);
        let before = sketch.quantiles(DAWN).unwrap();
        record(&mut sketch, 1_000, Took::AtLeast(ms(500)), DAWN);
        let after = sketch.quantiles(DAWN).unwrap();
        assert_eq!((after.p50, after.p95, after.p99), (before.p50, before.p95, before.p99));
    }

    #[test]
    fn cuts_beyond_what_is_known_make_the_tail_unknown_and_move_nothing() {
        // One call in five hangs, and a single answer once took a minute.
        let mut sketch = of(&[1_000; 80]);
        sketch.record(Took::Exactly(ms(60_000)), DAWN);
        let before = sketch.quantiles(DAWN).unwrap();
        record(&mut sketch, 20, Took::AtLeast(ms(1_500)), DAWN);
        let after = sketch.quantiles(DAWN).unwrap();
        assert_eq!((after.p50, after.p95), (before.p50, before.p95));
        assert!((after.unanswered - 20.0 / 101.0).abs() < 0.001);
        assert!(after.tail_is_unknown() && !before.tail_is_unknown());
    }

    #[test]
    fn a_new_time_outweighs_an_old_one() {
        let mut sketch = of(&[1_000; 100]);
        let later = DAWN + HALF_LIFE * 2;
        record(&mut sketch, 26, Took::Exactly(ms(5_000)), later);
        assert!(near(sketch.quantile(0.5, later).unwrap(), ms(5_000)), "a hundred weigh 25 after two half-lives");
    }

    proptest! {
        #[test]
        fn quantiles_are_within_a_buckets_error(
            exponents in prop::collection::vec(1.0_f64..5.77, 8..300), q in 0.01_f32..0.999
        ) {
            let mut millis: Vec<u64> = exponents.iter().map(|exponent| 10_f64.powf(*exponent) as u64).collect();
            let sketch = of(&millis);
            millis.sort_unstable();
            let estimate = sketch.quantile(q, DAWN).unwrap();
            let rank = f64::from(q) * millis.len() as f64;
            // Where the rank is a whole number but for rounding, its neighbour is as right.
            let at = |rank: f64| ms(millis[(rank.ceil() as usize).clamp(1, millis.len()) - 1]);
            let (least, most) = (at(rank - 0.001), at(rank + 0.001));
            prop_assert!(near(estimate, least) || near(estimate, most), "{estimate:?}, exactly {least:?} to {most:?}");
        }

        #[test]
        fn weight_halves_with_every_half_life(count in 1_u32..1_000, after in 0_u64..7_200_000, recorded_over in 0_u64..7_200_000) {
            let mut sketch = Sketch::default();
            let mut expected = 0.0;
            let seen = DAWN + ms(recorded_over + after);
            for nth in 0..count {
                let at = DAWN + ms(recorded_over * u64::from(nth) / u64::from(count));
                sketch.record(if nth % 3 == 0 { Took::AtLeast(ms(5)) } else { Took::Exactly(ms(100)) }, at);
                expected += (-seen.since(at).as_secs_f64() / HALF_LIFE.as_secs_f64()).exp2();
            }
            let unanswered = sketch.unanswered * (-sketch.lives(seen)).exp2();
            let weight = f64::from(sketch.weight(seen) + unanswered);
            prop_assert!((weight - expected).abs() <= expected * 0.001 + 1e-6, "{weight}, exactly {expected}");
        }

        #[test]
        fn what_several_saw_adds_up_in_any_order(
            first in prop::collection::vec((0_u8..51, 1_u32..50), 1..20),
            second in prop::collection::vec((0_u8..51, 1_u32..50), 1..20),
            cut in prop::collection::vec((0_u8..51, 1_u32..50), 0..5),
        ) {
            let none = Vec::new();
            let merged = |deltas: [(&Counts, &Counts); 2]| {
                let mut sketch = of(&[700; 8]);
                for (answered, cut) in deltas {
                    sketch.merge(answered, cut, DAWN + HALF_LIFE);
                }
                sketch
            };
            let (one, other) = (merged([(&first, &none), (&second, &none)]), merged([(&second, &none), (&first, &none)]));
            prop_assert_eq!(one.quantiles(DAWN + HALF_LIFE), other.quantiles(DAWN + HALF_LIFE));
            let (one, other) = (merged([(&first, &cut), (&second, &none)]), merged([(&second, &none), (&first, &cut)]));
            let all = |sketch: &Sketch| sketch.total() + sketch.unanswered;
            prop_assert!((all(&one) - all(&other)).abs() < all(&one) * 0.001);
        }

        #[test]
        fn a_longer_share_is_never_shorter(millis in prop::collection::vec(0_u64..700_000, 8..100), low in 0.0_f32..1.0, high in 0.0_f32..1.0) {
            let sketch = of(&millis);
            let (low, high) = (low.min(high), low.max(high));
            prop_assert!(sketch.quantile(low, DAWN) <= sketch.quantile(high, DAWN));
        }
    }
}
