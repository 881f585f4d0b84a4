//! How much of the request's deadline one attempt may have.
//!
//! A deadline that only cuts off is a promise to fail late: the first target hangs, takes everything, and the second is never
//! asked. So the remaining time is shared out before each attempt. Two clocks bound an attempt:
//!
//! - its **slice** of what is left, which holds for streamed and unstreamed calls alike;
//! - `first_token`, for a streamed call only, as an unstreamed one shows nothing before its end.
//!
//! An unstreamed call that is slow cannot be told from one that hangs. Long answers are common and hangs are rare, so the first
//! of several candidates gets half of what is left, the next half of the rest, and the last one all of it: with three targets and two
//! minutes 60, 30 and 30 seconds. The invariant is that while time is left there is time for the last candidate.
//!
//! A timeout that we brought about ourselves, by giving less than the route's own `first_token`, says nothing about the model
//! ([`Allowance::fair`]); otherwise a short deadline, which the client chooses, could open circuits for everybody.

use std::time::Duration;

use crate::time::Timestamp;

/// No attempt is started with less: a TLS handshake and one round trip across an ocean need about as much.
pub const LEAST_SLICE: Duration = Duration::from_millis(250);

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
    /// The target's limit for the first content; none for a model that reasons in silence, which has its slice instead.
    pub first_token: Option<Duration>,
    /// What a timeout must have been given to count against the model: the route's `first_token`.
    pub fair_from: Duration,
    /// The most that the target may take at all.
    pub most: Duration,
    /// How many targets could still be tried after this one.
    pub later: usize,
}

/// The attempt's allowance at `now` under `deadline`; nothing when what is left is not worth starting with.
#[must_use]
pub fn allow(now: Timestamp, deadline: Timestamp, ask: Ask) -> Option<Allowance> {
    let left = deadline.since(now);
    if left.is_zero() {
        return None;
    }
    // The last candidate may try with whatever is left: there is nothing to save it for.
    let slice = if ask.later == 0 { left } else { (left / 2).max(LEAST_SLICE).min(left) };
    let slice = slice.min(ask.most);
    let limit = ask.first_token.filter(|limit| ask.streamed && *limit < slice);
    let given = limit.unwrap_or(slice);
    // A limit of the route's own is always fair to be judged by, however short somebody configured it.
    Some(Allowance { until: now + given, fair: limit.is_some() || given >= ask.fair_from, first_token: limit.is_some() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn allowances() {
        let now = Timestamp::from_millis(1_000_000);
        let ask = |streamed, first_token, later| Ask { streamed, first_token, fair_from: s(10), most: s(600), later };
        let rows = [
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
            (
                "a slice is never less than 250 ms",
                Duration::from_millis(300),
                ask(false, None, 3),
                Some((LEAST_SLICE, false, false)),
            ),
            (
                "nor more than what is left",
                Duration::from_millis(100),
                ask(false, None, 3),
                Some((Duration::from_millis(100), false, false)),
            ),
            ("a target's own limit", s(120), Ask { most: s(20), ..ask(false, None, 1) }, Some((s(20), true, false))),
            ("nothing left", s(0), ask(false, None, 0), None),
        ];
        for (name, left, ask, expected) in rows {
            let allowance = allow(now, now + left, ask);
            let expected = expected.map(|(given, fair, first_token)| Allowance { until: now + given, fair, first_token });
            assert_eq!(allowance, expected, "{name}");
        }
    }

    #[test]
    fn time_is_left_for_the_last_candidate() {
        for candidates in 1..6_usize {
            let mut now = Timestamp::from_millis(0);
            let deadline = now + s(120);
            for later in (0..candidates).rev() {
                let ask = Ask { streamed: false, first_token: None, fair_from: s(10), most: s(600), later };
                let allowance = allow(now, deadline, ask).expect("time is left");
                assert!(allowance.until <= deadline);
                now = allowance.until;
            }
            assert_eq!(now, deadline);
        }
    }
}
