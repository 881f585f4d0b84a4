//! The Durable Object that holds one provider's circuits for one region of callers.
//!
//! Invariant: this instance is the only writer of its circuits, and a transition is in storage before anyone hears of it, as the
//! answer waits behind the platform's output gate. So an open circuit survives eviction, restarts and deploys.
//!
//! One endpoint, for the gateway only: `POST /` with a `breaker` message as JSON; 200 with the answer. What the message means, and what
//! is worth storing, is [`breaker::Object`]'s to say.

use std::cell::RefCell;

use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use crate::breaker;
use crate::time::Timestamp;

/// The one key under which the circuits are stored, as JSON text: one write per transition.
const CIRCUITS: &str = "circuits";

/// See the module's documentation.
#[durable_object]
pub struct BreakerObject {
    state: State,
    circuits: RefCell<Option<breaker::Object>>,
}

impl DurableObject for BreakerObject {
    fn new(state: State, _env: Env) -> Self {
        Self { state, circuits: RefCell::new(None) }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let message = request.text().await?;
        let now = Timestamp::from_millis(worker::Date::now().as_millis());
        let loaded = self.circuits.borrow().is_some();
        if !loaded {
            let stored: Option<String> = self.state.storage().get(CIRCUITS).await?;
            let restored = stored.map_or_else(breaker::Object::new, |stored| breaker::Object::restore(&stored, now));
            // Another request may have loaded, and gone on, while this one waited.
            self.circuits.borrow_mut().get_or_insert(restored);
        }
        let exchanged = self
            .circuits
            .borrow_mut()
            .as_mut()
            .map(|circuits| circuits.exchange(&message, now, getrandom::u64().unwrap_or_default()));
        let Some(exchanged) = exchanged else { return Response::error("no state", 500) };
        if let Some(store) = exchanged.store {
            self.state.storage().put(CIRCUITS, store).await?;
        }
        Response::ok(exchanged.answer)
    }
}
