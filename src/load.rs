//! How many calls of each target this isolate has under way.
//!
//! What a target took lately is known only once it has been waited for; how many are waiting for it now is known at once. So whoever looks for
//! the fastest target counts both (tower's `load`), and a target that has just begun to hang loses its share within a few requests, long before
//! its first timeout says so.
//!
//! A call counts while its [`UnderWay`] is held, so that it cannot be forgotten. But when a client leaves, the platform ends the request
//! without running destructors: so a call also counts no longer than until a time that is given with it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::breaker::TargetId;
use crate::time::Timestamp;

/// The calls under way. A few hundred at most, as many as the requests that an isolate serves at once: a list is quickest.
#[derive(Debug, Default)]
pub(crate) struct Load {
    calls: RefCell<Vec<Call>>,
    begun: Cell<u64>,
}

#[derive(Debug)]
struct Call {
    id: u64,
    target: TargetId,
    expires: Timestamp,
}

impl Load {
    /// Counts a call of `target`, until the handle is dropped, or until `expires` if it never is.
    pub(crate) fn begin(self: &Rc<Self>, target: TargetId, now: Timestamp, expires: Timestamp) -> UnderWay {
        let id = self.begun.get();
        self.begun.set(id.wrapping_add(1));
        let mut calls = self.calls.borrow_mut();
        calls.retain(|call| call.expires > now);
        calls.push(Call { id, target, expires });
        UnderWay { load: Rc::clone(self), id }
    }

    /// How many calls of `target` are under way.
    pub(crate) fn of(&self, target: TargetId, now: Timestamp) -> usize {
        self.calls.borrow().iter().filter(|call| call.target == target && call.expires > now).count()
    }
}

/// A call that is under way; dropping it says that it no longer is.
#[derive(Debug)]
#[must_use]
pub(crate) struct UnderWay {
    load: Rc<Load>,
    id: u64,
}

impl UnderWay {
    /// Lets it count for longer: a stream that has begun keeps its target busy until it ends.
    pub(crate) fn until(&self, expires: Timestamp) {
        if let Some(call) = self.load.calls.borrow_mut().iter_mut().find(|call| call.id == self.id) {
            call.expires = expires;
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut calls = self.load.calls.borrow_mut();
        if let Some(place) = calls.iter().position(|call| call.id == self.id) {
            calls.swap_remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breaker::View;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + seconds * 1_000)
    }

    #[test]
    fn a_call_counts_while_it_is_held_and_has_not_expired() {
        let mut view = View::new([("a".to_owned(), (&crate::config::BreakerSettings::default()).into())].into_iter());
        let (one, other) = (view.target(0, "one", "key"), view.target(0, "one", "other key"));
        let load = Rc::new(Load::default());
        let counts = |now| (load.of(one, now), load.of(other, now));
        let first = load.begin(one, at(0), at(10));
        let second = load.begin(one, at(0), at(10));
        let third = load.begin(other, at(0), at(10));
        assert_eq!(counts(at(0)), (2, 1));
        drop(first);
        assert_eq!(counts(at(9)), (1, 1));
        second.until(at(60));
        assert_eq!(counts(at(10)), (1, 0), "the client has left, and nothing was dropped");
        let fourth = load.begin(other, at(20), at(30));
        drop(third);
        assert_eq!(counts(at(20)), (1, 1), "what expired is not taken off twice");
        drop((second, fourth));
        assert_eq!(counts(at(20)), (0, 0));
        assert!(load.calls.borrow().is_empty());
    }
}
