//! A provider without a network, for testing what an application, or this gateway, does when models are slow, limited,
//! broken or lying.
//!
//! What it is for decides what it must be: **indistinguishable** from an OpenAI-compatible provider in every byte that
//! a client or the rest of the gateway could look at, and **repeatable**. An answer depends on the request alone, so
//! that the same question always gets the same words, streamed or not; whether a call fails depends on the configured
//! [`Behaviour`] and on how many calls came before it. Nothing is drawn at random, and time is an argument.
//!
//! [`answer`] writes a [`Script`], which the runtime plays as if an upstream had sent it: it decides nothing about how
//! the gateway takes it. The order of things: the overrides of this request ([`overrides`]), the request as a provider
//! would check it (`request`), whether and how this call fails, what is said (`say`, [`schema`]), how that looks on the
//! wire (`wire`), and what a failure does to it (`failure`).
//!
//! # Which calls fail
//!
//! [`Behaviour::scheduled`] says what the schedule has for a call. A schedule in the configuration counts the target's
//! calls in this isolate; one in the header, which is about one request, counts the calls that this request makes to
//! the target. What the schedule lets through fails with `error` at `error_rate`, decided by `seed` and the call's
//! number in this isolate.
//!
//! # The header `x-breakwater-simulate`
//!
//! ```text
//! header    = entry *( "," entry )
//! entry     = [ target "=" ] directive *( ";" directive )
//! target    = provider "/" model, or the model alone; without one, every simulated target
//! directive = key ":" value                  ; a key of the configuration: fail, cycle, latency, first_token, …
//!           / fault                          ; every call meets it
//! fault     = "ok" / status / "hang" / "refuse" / "cut" [ ":" pieces ] / "stall" [ ":" pieces ]
//!           / "empty" / "garbage" / "error" / "no-done" / "html"
//! ```
//!
//! `primary=500` fails every call of the model `primary`; `simulated/primary=hang, backup=first_token:200ms;pace:10ms`
//! lets one target hang and another take its time; `fail:500|hang|cut:3` lets the first three calls of every simulated
//! target fail, each in its way, and the fourth succeed. A fault alone settles what happens: no configured error rate
//! adds to it, so that `ok` always answers. Later entries add to earlier ones. A value may hold any character as `%`
//! and two hexadecimal digits, as in `text:Hello%2C world`.

mod failure;
pub mod overrides;
mod request;
mod say;
pub mod schema;
mod wire;

pub use overrides::SimulateError;

use crate::config::simulated::{Behaviour, Fault};
use crate::hash::finalize;
use crate::runtime::Script;
use crate::time::Timestamp;

/// A call of a simulated target.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// `provider/model`.
    pub target: &'a str,
    /// The provider's own name of the model.
    pub model: &'a str,
    /// The chat request as it would go upstream.
    pub body: &'a str,
    /// How many calls this target had in this isolate before this one.
    pub nth: u64,
    /// How many calls of this request went to this target before this one.
    pub attempt: u64,
    /// When the call is made.
    pub now: Timestamp,
}

/// What a simulated provider that behaves as `behaviour` answers. `header` is this request's `x-breakwater-simulate`.
///
/// # Errors
///
/// When the header does not parse, even where the mistake is in another target's entry. [`overrides::check`] finds that
/// out before any target is called.
#[inline(never)]
pub fn answer(behaviour: &Behaviour, header: Option<&str>, question: &Question<'_>) -> Result<Script, SimulateError> {
    let mut behaviour = behaviour.clone();
    let scheduled = match header {
        Some(header) => overrides::apply(header, question.target, question.model, &mut behaviour)?,
        None => false,
    };
    let fault = fault(&behaviour, if scheduled { question.attempt } else { question.nth }, question.nth);
    let request = match request::read(question.body, question.model) {
        Ok(request) => request,
        // A provider that answers at all refuses what it cannot read.
        Err(refusal) => return Ok(failure::refused(&behaviour, question, fault, &refusal)),
    };
    let answers = match say::all(&request, behaviour.text.as_deref()) {
        Ok(answers) => answers,
        Err(refusal) => return Ok(failure::refused(&behaviour, question, fault, &refusal)),
    };
    let reply = wire::write(&behaviour, question, &request, answers);
    Ok(failure::script(fault, reply, behaviour.latency, question))
}

/// What goes wrong with a call: what the schedule has for its `turn`, else an error at the configured rate for the
/// `nth` call.
fn fault(behaviour: &Behaviour, turn: u64, nth: u64) -> Fault {
    match behaviour.scheduled(turn) {
        Fault::Ok if chance(behaviour.seed, nth) < behaviour.error_rate => behaviour.error,
        scheduled => scheduled,
    }
}

/// A number in `0..1`, evenly spread over `nth`.
fn chance(seed: u64, nth: u64) -> f64 {
    let bits = finalize(seed.wrapping_add(nth.wrapping_mul(0x9e37_79b9_7f4a_7c15))) >> 11;
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what a float holds exactly")]
    let numerator = bits as f64;
    numerator / 9_007_199_254_740_992.0
}

/// FNV-1a over what is written to it, each part closed off from the next.
struct Hash(u64);

impl Hash {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn part(mut self, text: &str) -> Self {
        self.update(text.as_bytes());
        self.update(&[0xff]);
        self
    }

    fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    const fn finish(&self) -> u64 {
        finalize(self.0)
    }
}

impl std::io::Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
