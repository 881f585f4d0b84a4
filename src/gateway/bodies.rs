//! Large bodies, and how many of them an isolate holds at a time.
//!
//! An isolate has 128 MB for everything, and a body is in it from when it is read until its request has been served. So a large one takes a place
//! before it is read, and is turned away where there is none: a request that waits for memory would only hold the others up. A client's leaving
//! does not run destructors, so that a place also expires.

use std::cell::RefCell;
use std::rc::Rc;

use crate::http::Request;
use crate::time::Timestamp;

/// The most that the bodies of one isolate's requests may hold together, in bytes: an isolate has 128 MB for everything.
const MAX_HELD: usize = 48 * 1024 * 1024;

/// Bodies below this are not counted: what they hold together is bounded by how many requests an isolate is given.
pub(super) const COUNTED_FROM: usize = 64 * 1024;

/// The large bodies that are being served.
#[derive(Debug, Default)]
pub(super) struct Bodies(Rc<RefCell<Vec<Held>>>);

#[derive(Debug)]
struct Held {
    id: u64,
    bytes: usize,
    expires: Timestamp,
}

impl Bodies {
    /// A place for a body, which no other has the `id` of; none where they are too many.
    pub(super) fn hold(&self, bytes: usize, id: u64, now: Timestamp, expires: Timestamp) -> Option<Holding> {
        let mut held = self.0.borrow_mut();
        held.retain(|held| held.expires > now);
        if held.iter().map(|held| held.bytes).sum::<usize>() + bytes > MAX_HELD {
            return None;
        }
        held.push(Held { id, bytes, expires });
        Some(Holding { held: Rc::clone(&self.0), id })
    }
}

/// A large body's place among those that an isolate holds; dropping it gives it back.
#[derive(Debug)]
#[must_use]
pub struct Holding {
    held: Rc<RefCell<Vec<Held>>>,
    id: u64,
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.held.borrow_mut().retain(|held| held.id != self.id);
    }
}

/// How long the body is, where the client said so.
pub(super) fn declared(request: &Request) -> Option<usize> {
    request.headers.get("content-length")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_back_or_expire() {
        let at = |seconds: u64| Timestamp::from_millis(1_800_000_000_000 + seconds * 1_000);
        let bodies = Bodies::default();
        let take = |id, now| bodies.hold(20 * 1024 * 1024, id, at(now), at(now + 60));
        let first = take(1, 0).expect("the first fits");
        let second = take(2, 0).expect("so does the second");
        assert!(take(3, 0).is_none(), "a third does not");
        drop(first);
        let third = take(3, 1).expect("one was given back");
        std::mem::forget((second, third));
        assert!(take(4, 59).is_none());
        assert!(take(4, 61).is_some(), "what nobody gives back expires");
    }
}
