//! How much of the request's deadline one attempt may have.
//!
//! **Why a budget.** A deadline that only cuts off is a promise to fail late: the first target hangs, takes everything, and the second is
//! never asked. A fixed timeout per attempt is no way out: whichever number is chosen cuts off long answers that were on their way, or
//! spends on a hang what three other targets would have answered in. So the remaining time is a budget, shared out before each attempt
//! by what targets have lately needed ([`crate::latency`]):
//!
//! - A target with a record is given a little more than its 95th percentile (`STRETCH`). A call that has no answer by then is an
//!   exception, and the next candidate is the better bet.
//! - The later candidates keep what the fastest of them needs: its own 95th percentile, so that one good chance is left, and not several
//!   poor ones. Where nothing is known of any, they keep half. Only a target whose 95th percentile is within half of what is left has that
//!   in any case: a slow fallback must not starve a fast first choice.
//! - Where so many of a target's calls go unanswered that its 95th percentile is not known, it may hang, or it may have become slow.
//!   Only longer waiting tells the two apart, so one call in `EXPLORERS` waits longer, by `REACH`; its answer, if it has one, moves the
//!   record for all. The others go on by what answers take, so that a hang costs most requests no more than before.
//! - A target without a record is given half of what is left: one that is slow cannot be told from one that hangs, long answers are common,
//!   and hangs are rare. With three targets and two minutes that is 60, 30 and 30 seconds.
//! - The last candidate is given all that is left: there is nothing to save it for.
//! - A target whose own median is beyond what is left is **passed over** while a later one fits ([`passes_over`]): it would most likely
//!   fail, and take with it the time in which the other would have answered.
//!
//! How this compares with fixed timeouts is measured by `make simulate-deadline`, and so is every number here: see `docs/deadline.md`.
//!
//! Beside its slice, a streamed call has `first_token` for a limit where the route has one. An unstreamed call shows nothing before its
//! end, and has its slice only.
//!
//! The invariant is that while time is left there is time for the last candidate.
//!
//! **Whose fault.** A timeout that we brought about ourselves says nothing about the model ([`Allowance::fair`]): one after less than
//! the target's own 95th percentile, or, without a record, after less than the route's `first_token`. Otherwise a short deadline, which
//! the client chooses, could open circuits for everybody. A limit that the owner configured is fair to be judged by however short it
//! is, as that is his word for what is too slow; one that the client asked for is not his.

use std::time::Duration;

use crate::latency::Quantiles;
use crate::time::Timestamp;

/// No attempt is started with less: a TLS handshake and one round trip across an ocean need about as much.
pub const LEAST_SLICE: Duration = Duration::from_millis(250);

/// How many times its 95th percentile a target is given: a sketch is off by an eighth at most, and an ordinary minute adds as much. More
/// was worse in every comparison, as it is the price of each hang.
const STRETCH: f32 = 1.25;

/// How many times its 95th percentile a target is given by a call that finds out whether it hangs or has become slow: a provider
/// under load becomes two or three times slower, hardly more; what is beyond is down, whatever the reason.
const REACH: f32 = 3.0;

/// One in so many calls finds that out: enough to see within a minute that a provider has become slow, and so few that a hang does
/// not show in the 99th percentile of the time to the answer.
const EXPLORERS: u64 = 8;

/// What an attempt is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// When it must have shown its first content (streamed), or be complete (unstreamed).
    pub until: Timestamp,
    /// Whether a timeout at `until` is the model's fault.
    pub fair: bool,
    /// Whether `first_token` rather than the slice sets `until`.
    pub first_token: bool,
}

/// What an attempt asks to be judged by.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// Whether the upstream call is streamed.
    pub streamed: bool,
    /// The owner's limit for the first content; none for a model that reasons in silence, which has its slice instead.
    pub first_token: Option<Duration>,
    /// The client's limit for the same.
    pub client_first_token: Option<Duration>,
    /// Without a record, what a timeout must have been given to count against the model: the route's `first_token`.
    pub fair_from: Duration,
    /// The most that the target may take at all.
    pub most: Duration,
    /// What is known of how long the target takes to what is waited for.
    pub own: Option<Quantiles>,
    /// The targets that could still be tried after this one.
    pub later: Later,
    /// Any number: it decides which calls find out whether a target hangs or has become slow.
    pub random: u64,
}

/// The targets that could still be tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Later {
    count: usize,
    /// The shortest median; nothing speaks against one without a record.
    median: Option<Duration>,
    /// The shortest 95th percentile of those that have a record.
    p95: Option<Duration>,
}

impl Later {
    /// With one more, of which this is known.
    #[must_use]
    pub fn and(self, known: Option<Quantiles>) -> Self {
        let shorter = |one: Option<Duration>, other: Duration| Some(one.map_or(other, |one| one.min(other)));
        let median = known.map_or(Duration::ZERO, |known| known.p50.max(LEAST_SLICE));
        let p95 = known.map_or(self.p95, |known| shorter(self.p95, known.p95.max(LEAST_SLICE)));
        Self { count: self.count + 1, median: shorter(self.median, median), p95 }
    }

    /// What they keep of `left`.
    fn keep(self, left: Duration) -> Duration {
        self.p95.unwrap_or(left / 2)
    }
}

/// The attempt's allowance at `now` under `deadline`; nothing when no time is left.
#[must_use]
pub fn allow(now: Timestamp, deadline: Timestamp, ask: Ask) -> Option<Allowance> {
    let left = deadline.since(now);
    if left.is_zero() {
        return None;
    }
    let slice = slice(left, &ask).min(ask.most);
    let first_token = match (ask.first_token, ask.client_first_token) {
        (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
        (ours, theirs) => ours.or(theirs),
    };
    let limit = first_token.filter(|limit| ask.streamed && *limit < slice);
    let given = limit.unwrap_or(slice);
    let owners = limit.is_some() && limit == ask.first_token;
    let enough = ask.own.map_or(ask.fair_from, |own| own.p95);
    Some(Allowance { until: now + given, fair: owners || given >= enough, first_token: limit.is_some() })
}

fn slice(left: Duration, ask: &Ask) -> Duration {
    if ask.later.count == 0 {
        return left;
    }
    let half = left / 2;
    let slice = ask.own.map_or(half, |own| {
        let need = own.p95.mul_f32(STRETCH);
        let explores = own.tail_is_unknown() && ask.random.is_multiple_of(EXPLORERS);
        let need = if explores { half.clamp(need, own.p95.mul_f32(REACH)) } else { need };
        let in_any_case = if own.p95 <= half { own.p95 } else { Duration::ZERO };
        need.min(left.saturating_sub(ask.later.keep(left)).max(in_any_case))
    });
    slice.max(LEAST_SLICE).min(left)
}

/// Whether a target is not worth asking with so much time left: its own median does not fit, and a later target's does.
#[must_use]
pub fn passes_over(left: Duration, own: Option<Quantiles>, later: Later) -> bool {
    own.is_some_and(|own| own.p50 > left) && later.median.is_some_and(|median| median <= left)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[expect(clippy::unnecessary_wraps, reason = "every table wants it so")]
    fn known(p50: Duration, p95: Duration, unanswered: f32) -> Option<Quantiles> {
        Some(Quantiles { p50, p95, p99: p95 * 2, unanswered })
    }

    /// So many of which nothing is known.
    fn unknown(count: usize) -> Later {
        (0..count).fold(Later::default(), |later, _| later.and(None))
    }

    fn ask(streamed: bool, first_token: Option<Duration>, later: Later) -> Ask {
        Ask { streamed, first_token, client_first_token: None, fair_from: s(10), most: s(600), own: None, later, random: 1 }
    }

    type Row = (&'static str, Duration, Ask, Option<(Duration, bool, bool)>);

    fn check(rows: impl IntoIterator<Item = Row>) {
        let now = Timestamp::from_millis(1_000_000);
        for (name, left, ask, expected) in rows {
            let allowance = allow(now, now + left, ask);
            let expected = expected.map(|(given, fair, first_token)| Allowance { until: now + given, fair, first_token });
            assert_eq!(allowance, expected, "{name}");
        }
    }

    #[test]
    fn without_a_record() {
        let ask = |streamed, first_token, later| ask(streamed, first_token, unknown(later));
        check([
            ("unstreamed, first of three: half", s(120), ask(false, Some(s(10)), 2), Some((s(60), true, false))),
            ("unstreamed, last: all", s(30), ask(false, Some(s(10)), 0), Some((s(30), true, false))),
            (
                "unstreamed, less than first_token: not the model's fault",
                s(12),
                ask(false, Some(s(10)), 1),
                Some((s(6), false, false)),
            ),
            ("streamed: first_token", s(120), ask(true, Some(s(10)), 1), Some((s(10), true, true))),
            ("streamed, last: first_token still", s(120), ask(true, Some(s(10)), 0), Some((s(10), true, true))),
            ("streamed, the slice is shorter", s(8), ask(true, Some(s(10)), 1), Some((s(4), false, false))),
            ("streamed, silent reasoner: its slice", s(120), ask(true, None, 1), Some((s(60), true, false))),
            ("a slice is never less than 250 ms", ms(300), ask(false, None, 3), Some((LEAST_SLICE, false, false))),
            ("nor more than what is left", ms(100), ask(false, None, 3), Some((ms(100), false, false))),
            ("a target's own limit", s(120), Ask { most: s(20), ..ask(false, None, 1) }, Some((s(20), true, false))),
            ("nothing left", s(0), ask(false, None, 0), None),
            ("the owner's limit is fair however short", s(120), ask(true, Some(ms(100)), 0), Some((ms(100), true, true))),
            (
                "the client's is not",
                s(120),
                Ask { client_first_token: Some(ms(100)), ..ask(true, Some(s(10)), 0) },
                Some((ms(100), false, true)),
            ),
            (
                "unless the owner's was no longer",
                s(120),
                Ask { client_first_token: Some(s(20)), ..ask(true, Some(s(10)), 0) },
                Some((s(10), true, true)),
            ),
            (
                "nor is it where the owner has none",
                s(120),
                Ask { client_first_token: Some(s(1)), ..ask(true, None, 0) },
                Some((s(1), false, true)),
            ),
        ]);
    }

    #[test]
    fn with_a_record() {
        let rec = |own, later| Ask { own, ..ask(false, Some(s(10)), later) };
        let streamed = |own, later| Ask { streamed: true, ..rec(own, later) };
        let fast = known(s(1), s(2), 0.0);
        let slow = known(s(20), s(40), 0.0);
        let hanging = known(s(1), s(2), 0.06);
        let one = Later::default().and(fast);
        let least = known(ms(1), ms(2), 0.0);
        let explorer = |own, later| Ask { random: 16, ..rec(own, later) };
        check([
            ("a little more than its p95", s(120), rec(fast, one), Some((ms(2_500), true, false))),
            ("whatever the others are", s(120), rec(fast, unknown(3)), Some((ms(2_500), true, false))),
            ("never less than 250 ms", s(120), rec(least, one), Some((LEAST_SLICE, true, false))),
            ("the last candidate gets the rest", s(120), rec(fast, Later::default()), Some((s(120), true, false))),
            ("what a later one needs is left to it", s(51), rec(slow, one), Some((s(49), true, false))),
            ("to the fastest of several", s(51), rec(slow, one.and(slow).and(None)), Some((s(49), true, false))),
            ("at least 250 ms", s(50), rec(slow, Later::default().and(least)), Some((ms(49_750), true, false))),
            ("half to those of which nothing is known", s(90), rec(slow, unknown(2)), Some((s(45), true, false))),
            ("less than its p95: not its fault", s(30), rec(slow, one), Some((s(28), false, false))),
            ("its p95, though less than first_token: its fault", s(4), rec(fast, one), Some((s(2), true, false))),
            ("never more than is left", ms(200), rec(slow, one), Some((ms(200), false, false))),
            ("a slow fallback does not starve it", s(10), rec(fast, Later::default().and(slow)), Some((s(2), true, false))),
            ("unless it is slow itself", s(60), rec(slow, Later::default().and(slow)), Some((s(20), false, false))),
            ("streamed: the slice where it is shorter", s(120), streamed(fast, one), Some((ms(2_500), true, false))),
            ("streamed: first_token where that is, and fair", s(120), streamed(slow, one), Some((s(10), true, true))),
            (
                "streamed: what the client asked for is fair from its p95 on",
                s(120),
                Ask { client_first_token: Some(s(2)), ..streamed(fast, one) },
                Some((s(2), true, true)),
            ),
            (
                "streamed: and not before",
                s(120),
                Ask { client_first_token: Some(ms(1_999)), ..streamed(fast, one) },
                Some((ms(1_999), false, true)),
            ),
            ("calls go unanswered: most go on as before", s(120), rec(hanging, one), Some((ms(2_500), true, false))),
            ("and some wait longer", s(120), explorer(hanging, one), Some((s(6), true, false))),
            ("but not for more than half", s(10), explorer(hanging, one), Some((s(5), true, false))),
            ("nor for less than others", s(5), explorer(hanging, one), Some((ms(2_500), true, false))),
            ("nor where few go unanswered", s(120), explorer(fast, one), Some((ms(2_500), true, false))),
        ]);
    }

    #[test]
    fn passed_over() {
        let slow = known(s(20), s(40), 0.0);
        let fast = known(s(1), s(2), 0.0);
        let none = Later::default();
        let rows = [
            ("it fits", s(20), slow, none.and(fast), false),
            ("it does not, and the next one does", s(19), slow, none.and(fast), true),
            ("nor does the next, but one after it", s(19), slow, none.and(slow).and(fast), true),
            ("nor does anyone", s(19), slow, none.and(slow), false),
            ("of the next nothing is known", s(19), slow, none.and(None), true),
            ("it is the last", s(19), slow, none, false),
            ("nothing is known of it", s(19), None, none.and(fast), false),
            ("with less than 250 ms nobody known fits", ms(200), slow, none.and(known(ms(1), ms(1), 0.0)), false),
        ];
        for (name, left, own, later, expected) in rows {
            assert_eq!(passes_over(left, own, later), expected, "{name}");
        }
    }

    #[test]
    fn time_is_left_for_the_last_candidate() {
        let records = [None, known(s(1), s(3), 0.0), known(s(30), s(90), 0.0), known(s(5), s(9), 0.5)];
        for pick in 0..records.len().pow(4) {
            let owns: Vec<_> = (0_u32..4).map(|place| records[pick / records.len().pow(place) % records.len()]).collect();
            let mut now = Timestamp::from_millis(0);
            let deadline = now + s(120);
            for (at, own) in owns.iter().enumerate() {
                let later = owns[at + 1..].iter().fold(Later::default(), |later, other| later.and(*other));
                let allowance = allow(now, deadline, Ask { own: *own, ..ask(false, None, later) }).expect("time is left");
                assert!(now < allowance.until && allowance.until <= deadline);
                now = allowance.until;
            }
            assert_eq!(now, deadline, "the last one has the rest: {owns:?}");
        }
    }
}
