//! How many calls beyond the first a route may spend on its requests.
//!
//! **Why a budget, and not a number of attempts.** A number bounds what one request may do, and multiplies with the traffic: six attempts
//! each, and on the day when a provider dies its customers send it and its neighbours six times the calls, of which they pay for those that
//! answer late. What should be bounded is what a *fleet* spends, and that is a ratio: so much for each request. Requests deposit, further calls
//! withdraw; on an ordinary day the balance is full and nobody notices, and on a bad one the ratio holds whatever else goes wrong
//! (tower's `retry::budget`; Finagle's `RetryBudget`, where the idea is from).
//!
//! **Why so much more than the usual fifth.** Those budgets are for retries, which ask again whoever has just failed. Here most withdrawals
//! are fallbacks, and that they happen is what the gateway promises: a primary that is down must not take its route with it. What bounds the
//! need for long is the breaker. It opens where half of a target's calls fail, and a target that is passed over as its circuit is open costs
//! nothing: the first call of a request is free, whoever it goes to. So a primary and a fallback that both fail just short of that need
//! ½ + ¼ of a call for each request, and the 0.8 that `retry_budget` is unless configured pays for it. It stays below one: with no breaker that works, and a primary
//! that answers nothing, a fleet's calls still do not double.
//!
//! **Who goes without first.** A retry asks the same target, a hedge asks while the first may still answer: both are worth less than a fallback,
//! which asks somebody else because there is no answer. So they need more than half of the capacity to be there (gRPC's retry
//! throttling, proposal A6, stops at half, too), and what is left is the fallbacks'.
//!
//! The invariant: from any moment on, what was withdrawn is at most the capacity, plus the ratio for each request since, plus the trickle
//! for the time that has passed. It is kept by each isolate for itself, so a fleet's bound is the sum; the capacity is small, as there are many.

mod account;

pub(crate) use account::{Account, Spending};

use crate::config::Share;
use crate::time::{Timestamp, millis};

/// A call, in thousandths: the balance is a whole number, and a hundred deposits of a tenth are ten calls exactly.
const CALL: u64 = 1000;

/// How a budget fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// What a request deposits, in thousandths of a call.
    pub(crate) per_request: u32,
    /// How many calls come in by themselves each second.
    pub(crate) trickle: u32,
    /// The most that is kept, in calls; there at the start.
    pub(crate) capacity: u32,
}

impl Settings {
    /// For all calls beyond the first. Fifty are the requests that an isolate has under way when a provider dies, each of which may fall
    /// back at once; one a second is for an isolate with so little traffic that deposits say nothing.
    pub(crate) const fn calls(share: Share) -> Self {
        Self { per_request: share.thousandths(), trickle: 1, capacity: 50 }
    }

    /// For hedges alone. They are a luxury: nothing comes in by itself, and ten are enough for a burst.
    pub(crate) const fn hedges(share: Share) -> Self {
        Self { per_request: share.thousandths(), trickle: 0, capacity: 10 }
    }
}

/// A bucket of calls.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    settings: Settings,
    /// In thousandths of a call.
    balance: u64,
    /// Until when the trickle has been credited.
    credited: Timestamp,
}

impl Budget {
    /// A full one.
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, balance: u64::from(settings.capacity) * CALL, credited: Timestamp::default() }
    }

    /// Credits a request.
    pub(crate) fn deposit(&mut self, now: Timestamp) {
        self.trickle(now);
        self.credit(u64::from(self.settings.per_request));
    }

    /// Takes one call; whether there was one.
    pub(crate) fn withdraw(&mut self, now: Timestamp) -> bool {
        self.take(now, CALL)
    }

    /// Takes one call, where half of the capacity is left after it.
    pub(crate) fn withdraw_surplus(&mut self, now: Timestamp) -> bool {
        self.take(now, CALL + u64::from(self.settings.capacity) * CALL / 2)
    }

    /// What is there, in thousandths of a call.
    pub(crate) fn balance(&mut self, now: Timestamp) -> u64 {
        self.trickle(now);
        self.balance
    }

    fn take(&mut self, now: Timestamp, needed: u64) -> bool {
        self.trickle(now);
        let may = self.balance >= needed;
        if may {
            self.balance -= CALL;
        }
        may
    }

    /// A call a second is a thousandth of one in each millisecond, so that no time is lost between two looks.
    fn trickle(&mut self, now: Timestamp) {
        let passed = millis(now.since(self.credited));
        self.credited = self.credited.max(now);
        self.credit(passed.saturating_mul(u64::from(self.settings.trickle)));
    }

    fn credit(&mut self, thousandths: u64) {
        self.balance = self.balance.saturating_add(thousandths).min(u64::from(self.settings.capacity) * CALL);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAWN: u64 = 1_800_000_000_000;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(DAWN + millis)
    }

    #[test]
    fn timelines() {
        #[derive(Debug)]
        enum Do {
            Deposit(u64),
            /// How many withdrawals are tried, and how many of them succeed.
            Withdraw(u64, u64),
            Surplus(u64, u64),
        }
        use Do::{Deposit, Surplus, Withdraw};
        type Timeline<'a> = &'a [(u64, Do)];
        let small = Settings { per_request: 250, trickle: 1, capacity: 4 };
        let rows: &[(&str, Settings, Timeline<'_>)] = &[
            ("full at the start", small, &[(0, Withdraw(9, 4))]),
            (
                "four requests are a call",
                small,
                &[(0, Withdraw(4, 4)), (0, Deposit(3)), (0, Withdraw(1, 0)), (0, Deposit(1)), (0, Withdraw(2, 1))],
            ),
            (
                "a second is a call",
                small,
                &[
                    (0, Withdraw(4, 4)),
                    (999, Withdraw(1, 0)),
                    (1_000, Withdraw(2, 1)),
                    (3_500, Withdraw(9, 2)),
                    (4_000, Withdraw(9, 1)),
                ],
            ),
            ("no more than the capacity", small, &[(0, Deposit(1_000)), (1_000_000, Withdraw(9, 4))]),
            ("retries stop at half", small, &[(0, Surplus(9, 2)), (0, Withdraw(9, 2))]),
            ("and go on beyond it", small, &[(0, Withdraw(3, 3)), (2_000, Surplus(1, 1)), (2_000, Surplus(1, 0))]),
            (
                "a clock that goes back gives nothing twice",
                small,
                &[(5_000, Withdraw(4, 4)), (1_000, Withdraw(1, 0)), (5_500, Withdraw(1, 0)), (6_000, Withdraw(2, 1))],
            ),
            (
                "none for nothing",
                Settings { per_request: 0, trickle: 0, capacity: 1 },
                &[(0, Withdraw(2, 1)), (0, Deposit(99)), (90_000, Withdraw(1, 0))],
            ),
            (
                "a primary and a fallback that fail half of the time",
                Settings::calls(Share::of_thousandths(800)),
                &[(0, Withdraw(50, 50)), (0, Deposit(100)), (0, Withdraw(50, 50)), (0, Deposit(15)), (0, Withdraw(12, 12))],
            ),
            (
                "one hedge in twenty",
                Settings::hedges(Share::of_thousandths(50)),
                &[(0, Withdraw(11, 10)), (60_000, Withdraw(1, 0)), (60_000, Deposit(20)), (60_000, Withdraw(2, 1))],
            ),
        ];
        for (name, settings, steps) in rows {
            let mut budget = Budget::new(*settings);
            for (millis, step) in *steps {
                let now = at(*millis);
                let (found, expected) = match step {
                    Deposit(times) => {
                        (0..*times).for_each(|_| budget.deposit(now));
                        continue;
                    }
                    Withdraw(times, expected) => ((0..*times).filter(|_| budget.withdraw(now)).count() as u64, *expected),
                    Surplus(times, expected) => {
                        ((0..*times).filter(|_| budget.withdraw_surplus(now)).count() as u64, *expected)
                    }
                };
                assert_eq!(found, expected, "{name}: {step:?} at {millis}");
            }
        }
    }

    proptest! {
        /// The invariant, from the start and from any later moment on.
        #[test]
        fn what_is_spent_is_bounded(
            steps in prop::collection::vec((0_u8..3, 0_u64..3_000), 1..400),
            per_request in 0_u32..=1000,
            trickle in 0_u32..3,
            capacity in 0_u32..60,
            from in 0_usize..400,
        ) {
            let mut budget = Budget::new(Settings { per_request, trickle, capacity });
            let (mut now, mut begun, mut requests, mut calls) = (0, 0, 0_u64, 0_u64);
            for (place, (step, passed)) in steps.into_iter().enumerate() {
                now += passed;
                if place == from {
                    (begun, requests, calls) = (now - passed, 0, 0);
                }
                match step {
                    0 => { budget.deposit(at(now)); requests += 1; }
                    1 => calls += u64::from(budget.withdraw(at(now))),
                    _ => calls += u64::from(budget.withdraw_surplus(at(now))),
                }
                let bound = u64::from(capacity) * CALL + requests * u64::from(per_request) + (now - begun) * u64::from(trickle);
                prop_assert!(calls * CALL <= bound, "{calls} calls, {requests} requests, {} ms", now - begun);
            }
        }
    }
}
