//! Waiting for JavaScript, for the price of one call.
//!
//! A `JsFuture` makes two closures and registers them with the garbage collector for every promise that it waits for, which costs more
//! than all that the gateway decides about a request. So what every request waits for, its body, its upstream call and its cache entry, is
//! waited for by number: JavaScript is given one, and calls the one function of this isolate with it when there is something to see.
//!
//! Invariant: a number stands for one wait and is never used again, so that a call that comes late, or twice, is a call for nobody.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use wasm_bindgen::prelude::*;

use super::glue;

thread_local! {
    static NEXT: Cell<u32> = const { Cell::new(1) };
    static WAITING: RefCell<HashMap<u32, State>> = RefCell::default();
}

enum State {
    /// Nobody has asked yet.
    New,
    Waiting(Waker),
    Woken,
}

/// Tells JavaScript whom to call; once per instance.
pub(super) fn install() {
    let wake = Closure::<dyn Fn(u32)>::new(|number| {
        let waiting = WAITING.with_borrow_mut(|all| all.get_mut(&number).map(|state| std::mem::replace(state, State::Woken)));
        if let Some(State::Waiting(waker)) = waiting {
            waker.wake();
        }
    });
    glue::on_wake(wake.as_ref());
    // It lives as long as the instance does.
    wake.forget();
}

/// One wait.
pub(super) struct Wake(u32);

impl Wake {
    pub(super) fn new() -> Self {
        let number = NEXT.get();
        NEXT.set(number.wrapping_add(1).max(1));
        WAITING.with_borrow_mut(|all| all.insert(number, State::New));
        Self(number)
    }

    /// What JavaScript calls back with; never 0.
    pub(super) const fn number(&self) -> u32 {
        self.0
    }
}

impl Future for Wake {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        WAITING.with_borrow_mut(|all| match all.get_mut(&self.0) {
            None | Some(State::Woken) => Poll::Ready(()),
            Some(state) => {
                *state = State::Waiting(context.waker().clone());
                Poll::Pending
            }
        })
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        WAITING.with_borrow_mut(|all| all.remove(&self.0));
    }
}
