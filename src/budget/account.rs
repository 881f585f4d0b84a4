//! A route's account: what its requests have deposited, and what was spent of it on what.
//!
//! All calls of a route beyond the first are paid from one budget, hedges included, so that there is one bound; hedges must have one of their
//! own besides. What was withdrawn and what was refused is counted by what it was for, as `/status` shows it.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};

use super::{Budget, CALL, Settings};
use crate::config::Share;
use crate::time::Timestamp;

/// Budgets with their counts. Either budget may be missing: then it limits nothing.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    calls: Option<Budget>,
    hedges: Option<Budget>,
    withdrawn: Counts,
    refused: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    fallbacks: u64,
    retries: u64,
    hedges: u64,
}

impl Account {
    /// An account by what each request deposits for all calls, and for hedges; none limits nothing.
    pub(crate) fn new(calls: Option<Share>, hedges: Option<Share>) -> Self {
        Self {
            calls: calls.map(|share| Budget::new(Settings::calls(share))),
            hedges: hedges.map(|share| Budget::new(Settings::hedges(share))),
            withdrawn: Counts::default(),
            refused: Counts::default(),
        }
    }

    fn deposit(&mut self, now: Timestamp) {
        for budget in [&mut self.calls, &mut self.hedges].into_iter().flatten() {
            budget.deposit(now);
        }
    }

    fn fallback(&mut self, now: Timestamp) -> bool {
        let may = self.calls.as_mut().is_none_or(|budget| budget.withdraw(now));
        self.counts(may).fallbacks += 1;
        may
    }

    fn retry(&mut self, now: Timestamp) -> bool {
        let may = self.calls.as_mut().is_none_or(|budget| budget.withdraw_surplus(now));
        self.counts(may).retries += 1;
        may
    }

    /// From both budgets, or from neither.
    fn hedge(&mut self, now: Timestamp) -> bool {
        let may = self.hedges.as_mut().is_none_or(|budget| budget.balance(now) >= CALL)
            && self.calls.as_mut().is_none_or(|budget| budget.withdraw_surplus(now))
            && self.hedges.as_mut().is_none_or(|budget| budget.withdraw(now));
        self.counts(may).hedges += 1;
        may
    }

    fn counts(&mut self, granted: bool) -> &mut Counts {
        if granted { &mut self.withdrawn } else { &mut self.refused }
    }

    fn status(&mut self, now: Timestamp) -> Value {
        #[expect(clippy::cast_precision_loss, reason = "some tens of thousands")]
        let balance = |budget: &mut Option<Budget>| budget.as_mut().map(|budget| budget.balance(now) as f64 / CALL as f64);
        let counts =
            |counts: Counts| json!({ "fallbacks": counts.fallbacks, "retries": counts.retries, "hedges": counts.hedges });
        json!({
            "balance": balance(&mut self.calls),
            "hedge_balance": balance(&mut self.hedges),
            "withdrawn": counts(self.withdrawn),
            "refused": counts(self.refused),
        })
    }
}

/// A request's hold on its route's account.
///
/// The first call of a request is free, whichever candidate it goes to; every other one is asked for here before it is started. What is refused
/// is not waited for: the request makes do with what it has, which for a retry is the next target, and for a fallback the failure.
#[derive(Clone, Debug)]
pub(crate) struct Spending(Rc<RefCell<Account>>);

impl Spending {
    pub(crate) fn new(account: Account) -> Self {
        Self(Rc::new(RefCell::new(account)))
    }

    /// Credits a request that is about to go upstream. One that the cache answers needs nothing, and so credits nothing: otherwise a route
    /// whose answers are mostly stored could spend many calls on each that is not.
    pub(crate) fn deposit(&self, now: Timestamp) {
        self.0.borrow_mut().deposit(now);
    }

    /// Whether another target, or another key of the same one, may be asked after a failure.
    #[must_use]
    pub(crate) fn withdraw_fallback(&self, now: Timestamp) -> bool {
        self.0.borrow_mut().fallback(now)
    }

    /// Whether the same candidate may be asked again.
    #[must_use]
    pub(crate) fn withdraw_retry(&self, now: Timestamp) -> bool {
        self.0.borrow_mut().retry(now)
    }

    /// Whether another target may be asked beside one that has not answered yet.
    #[must_use]
    pub(crate) fn withdraw_hedge(&self, now: Timestamp) -> bool {
        self.0.borrow_mut().hedge(now)
    }

    /// As `/status` shows it, balances in calls.
    pub(crate) fn status(&self, now: Timestamp) -> Value {
        self.0.borrow_mut().status(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn account(calls: Option<u32>, hedges: Option<u32>) -> Account {
        Account::new(calls.map(Share::of_thousandths), hedges.map(Share::of_thousandths))
    }

    fn times(most: u32, mut may: impl FnMut() -> bool) -> u32 {
        (0..most).map(|_| u32::from(may())).sum()
    }

    #[test]
    fn fallbacks_have_what_retries_and_hedges_leave() {
        let spending = Spending::new(account(Some(800), None));
        assert_eq!(times(100, || spending.withdraw_hedge(NOW)), 25);
        assert_eq!(times(100, || spending.withdraw_retry(NOW)), 0);
        assert_eq!(times(100, || spending.withdraw_fallback(NOW)), 25);
        assert_eq!(
            spending.status(NOW),
            json!({
                "balance": 0.0,
                "hedge_balance": null,
                "withdrawn": { "fallbacks": 25, "retries": 0, "hedges": 25 },
                "refused": { "fallbacks": 75, "retries": 100, "hedges": 75 },
            })
        );
    }

    #[test]
    fn a_hedge_takes_from_both_or_from_neither() {
        let spending = Spending::new(account(Some(800), Some(50)));
        let balances = |spending: &Spending| {
            let status = spending.status(NOW);
            (status["balance"].as_f64(), status["hedge_balance"].as_f64())
        };
        assert_eq!(times(20, || spending.withdraw_hedge(NOW)), 10);
        assert_eq!(balances(&spending), (Some(40.0), Some(0.0)), "the hedges' own is empty");
        (0..20).for_each(|_| spending.deposit(NOW));
        assert_eq!(balances(&spending), (Some(50.0), Some(1.0)));
        assert_eq!(times(25, || spending.withdraw_fallback(NOW)), 25);
        assert_eq!(times(20, || spending.withdraw_hedge(NOW)), 0, "half of the calls are the fallbacks'");
        assert_eq!(balances(&spending), (Some(25.0), Some(1.0)));
    }

    #[test]
    fn without_budgets_nothing_is_refused() {
        let spending = Spending::new(account(None, None));
        assert_eq!(
            times(1_000, || spending.withdraw_fallback(NOW) && spending.withdraw_retry(NOW) && spending.withdraw_hedge(NOW)),
            1_000
        );
    }

    #[test]
    fn clones_are_one_account() {
        let spending = Spending::new(account(Some(0), Some(0)));
        let other = spending.clone();
        assert_eq!(times(50, || spending.withdraw_fallback(NOW)), 50);
        assert!(!other.withdraw_fallback(NOW));
    }
}
