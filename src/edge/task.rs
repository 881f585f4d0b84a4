//! Requests as tasks, and how they wait for JavaScript.
//!
//! The usual way costs more than all that the gateway decides about a request: a promise for the whole, two closures for every promise
//! that is waited for, each registered with the garbage collector, and a trip through the platform's microtask queue before anything
//! goes on. So a request is a task of this executor, and what every request waits for, its body, its upstream call and its cache entry, it
//! waits for by number: JavaScript calls the one function of this isolate with it, and the task goes on within that call.
//!
//! Within one poll the clock stands still, as the platform's does between two pieces of input (<https://developers.cloudflare.com/workers/reference/security-model/>):
//! it is read once, not at each of the dozen places that want to know it.
//!
//! Invariants: a task is never polled within its own poll, nor within another piece of Rust that wakes it, which may hold anything; and a
//! number stands for one wait and is never used again, so that a call that comes late, or twice, is a call for nobody.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use rustc_hash::FxHashMap;
use wasm_bindgen::prelude::*;

use super::glue;

type Work = Pin<Box<dyn Future<Output = ()>>>;

struct Task {
    /// None while it is being polled.
    work: Option<Work>,
    waker: Waker,
    /// Woken while it was being polled.
    again: bool,
}

enum Wait {
    /// Nobody has asked yet.
    New,
    Waiting(Waker),
    Over,
}

/// What is known of the time.
#[derive(Clone, Copy)]
enum Clock {
    /// No task is being polled: who asks reads it.
    Free,
    /// Nobody has asked in this poll.
    Unread,
    Read(f64),
}

thread_local! {
    static CLOCK: Cell<Clock> = const { Cell::new(Clock::Free) };
    static TASKS: RefCell<FxHashMap<u32, Task>> = RefCell::default();
    static WAITS: RefCell<FxHashMap<u32, Wait>> = RefCell::default();
    static NUMBER: Cell<u32> = const { Cell::new(0) };
    /// The tasks that are woken by a call from JavaScript, which can go on as soon as all wakers have been called. None outside of one.
    static READY: RefCell<Option<Vec<u32>>> = const { RefCell::new(None) };
}

/// A number that was not used before; never 0.
fn number() -> u32 {
    let number = NUMBER.get().wrapping_add(1).max(1);
    NUMBER.set(number);
    number
}

/// Wakes one task.
struct Nudge(u32);

impl std::task::Wake for Nudge {
    fn wake(self: Arc<Self>) {
        let task = self.0;
        let noted = READY.with_borrow_mut(|ready| ready.as_mut().map(|ready| ready.push(task)).is_some());
        if !noted {
            wasm_bindgen_futures::spawn_local(async move { go_on(task) });
        }
    }
}

/// Tells JavaScript whom to call; once per instance.
pub(super) fn install() {
    let woken = Closure::<dyn Fn(u32)>::new(|number| {
        let wait = WAITS.with_borrow_mut(|waits| waits.get_mut(&number).map(|wait| std::mem::replace(wait, Wait::Over)));
        let Some(Wait::Waiting(waker)) = wait else { return };
        // JavaScript may call this within a call from here; then what is ready goes on when the outer one is done.
        let outermost = READY.with_borrow_mut(|ready| {
            let outermost = ready.is_none();
            ready.get_or_insert_default();
            outermost
        });
        waker.wake();
        if outermost {
            for task in READY.take().unwrap_or_default() {
                go_on(task);
            }
        }
    });
    glue::on_wake(woken.as_ref());
    // It lives as long as the instance does.
    woken.forget();
}

/// The milliseconds since 1970.
pub(super) fn time() -> f64 {
    match CLOCK.get() {
        Clock::Free => js_sys::Date::now(),
        Clock::Unread => {
            let time = js_sys::Date::now();
            CLOCK.set(Clock::Read(time));
            time
        }
        Clock::Read(time) => time,
    }
}

/// Runs a task: its first part at once.
pub(super) fn spawn(work: impl Future<Output = ()> + 'static) {
    let id = number();
    let task = Task { work: Some(Box::pin(work)), waker: Waker::from(Arc::new(Nudge(id))), again: false };
    TASKS.with_borrow_mut(|tasks| tasks.insert(id, task));
    go_on(id);
}

/// Polls a task, until it waits for something.
fn go_on(id: u32) {
    let taken = TASKS.with_borrow_mut(|tasks| {
        let task = tasks.get_mut(&id)?;
        task.again = task.work.is_none();
        Some((task.work.take()?, task.waker.clone()))
    });
    let Some((mut work, waker)) = taken else { return };
    loop {
        CLOCK.set(Clock::Unread);
        let over = work.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        CLOCK.set(Clock::Free);
        if over {
            TASKS.with_borrow_mut(|tasks| tasks.remove(&id));
            return;
        }
        let again = TASKS.with_borrow_mut(|tasks| tasks.get_mut(&id).is_some_and(|task| std::mem::take(&mut task.again)));
        if !again {
            break;
        }
    }
    TASKS.with_borrow_mut(|tasks| {
        if let Some(task) = tasks.get_mut(&id) {
            task.work = Some(work);
        }
    });
}

/// One wait for JavaScript.
pub(super) struct Woken(u32);

impl Woken {
    pub(super) fn new() -> Self {
        let number = number();
        WAITS.with_borrow_mut(|waits| waits.insert(number, Wait::New));
        Self(number)
    }

    /// What JavaScript calls back with.
    pub(super) const fn number(&self) -> u32 {
        self.0
    }
}

impl Future for Woken {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        WAITS.with_borrow_mut(|waits| match waits.get_mut(&self.0) {
            None | Some(Wait::Over) => Poll::Ready(()),
            Some(wait) => {
                *wait = Wait::Waiting(context.waker().clone());
                Poll::Pending
            }
        })
    }
}

impl Drop for Woken {
    fn drop(&mut self) {
        WAITS.with_borrow_mut(|waits| waits.remove(&self.0));
    }
}
