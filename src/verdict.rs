//! What went wrong with an attempt, whose fault it was, and what to do next.
//!
//! The same status means different things: a 400 can be the client's mistake, a model that is too small for the request, or an account
//! without credit; a 429 can pass in a second or never. Gateways that go by the status alone trip a provider for one client's bad request, or
//! give up on a request that the next target would have answered. So a verdict is made of status **and body**, in two steps: `recognise`
//! says what happened, as a [`Fault`]; everything that follows from it is an exhaustive table over the faults, and nowhere else.
//!
//! The invariant: nothing that a client alone can bring about counts against a model, a provider or a credential.

mod aggregate;
mod fault;
mod parsed;
mod recognise;

use std::time::Duration;

pub use aggregate::aggregate;
pub use fault::{Blame, Fault, Next};

use crate::breaker::Outcome;
use crate::http::Headers;
use crate::secret::Hidden;
use crate::time::Timestamp;

/// Who was asked.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// `provider/model`, as messages name it.
    pub target: &'a str,
    /// The provider's own name of the model.
    pub model: &'a str,
    /// Whether the client named this target itself.
    pub direct: bool,
}

/// What was seen.
#[derive(Clone, Copy, Debug)]
pub enum Evidence<'a> {
    /// No connection, or one that broke before the headers.
    Connect,
    /// Nothing that counts by the time that was given.
    Timeout {
        /// Whether that was time enough to be judged by.
        fair: bool,
        /// Whether `first_token` was the limit.
        first_token: bool,
    },
    /// The body broke off before an answer was complete, or a stream before it was committed.
    Cut,
    /// A stream went silent after its first content, and before it was committed.
    Stalled,
    /// A 200 that says nothing: an empty body, or a stream that ends before any content.
    Empty,
    /// A 200 that is not an answer of the protocol.
    Garbage,
    /// A 200 that is larger than any answer.
    TooLarge,
    /// An error object in a 200, or in a stream before its first content.
    ErrorInside {
        /// The object with its wrapper.
        body: &'a str,
    },
    /// Any status but 2xx.
    Status {
        /// The status.
        status: u16,
        /// The header fields.
        headers: &'a Headers,
        /// The body.
        body: &'a str,
    },
    /// The client has gone.
    ClientGone,
}

/// What a provider said of it, word for word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Its message.
    pub message: String,
    /// Its `type`.
    pub kind: Option<String>,
    /// Its `param`.
    pub param: Option<String>,
    /// Its `code`, a number as its digits.
    pub code: Option<String>,
    /// What it calls the request, by the name of the header field in which the client is told: `request-id` as it is, its `x-request-id` as
    /// `x-upstream-request-id`.
    pub request: Option<(&'static str, String)>,
}

impl Said {
    /// Without what it quotes and must not be told, as providers quote a key when they refuse it.
    #[must_use]
    pub fn without(self, hidden: &Hidden) -> Self {
        let clean = |text: String| hidden.taken_out_of(text);
        Self {
            message: clean(self.message),
            kind: self.kind.map(clean),
            param: self.param.map(clean),
            code: self.code.map(clean),
            request: self.request.map(|(name, id)| (name, clean(id))),
        }
    }
}

/// The judgement on one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What happened.
    pub fault: Fault,
    /// The upstream's status, where it gave one.
    pub status: Option<u16>,
    /// Whom to ask next.
    pub next: Next,
    /// How long the provider asks to be left alone.
    pub wait: Option<Duration>,
    /// What the provider said.
    pub said: Option<Said>,
    /// Who was asked.
    pub target: String,
}

/// How long a rate limit cools a credential when its provider does not say.
const DEFAULT_COOLING: Duration = Duration::from_secs(10);

/// How long one takes that is over at once, as its provider says: that cannot be, and whoever believed it would ask in a loop.
const COOLING_FOR_NOTHING: Duration = Duration::from_secs(1);

/// The least that a rate limit cools, however exactly its provider knows.
const LEAST_COOLING: Duration = Duration::from_millis(100);

/// A rate limit's wait, as far as it is believed.
fn cooling(asked: Duration) -> Duration {
    if asked.is_zero() { COOLING_FOR_NOTHING } else { asked.max(LEAST_COOLING) }
}

impl Verdict {
    /// What the breakers are told.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self.fault.blame() {
            // It has answered, in time and all of it: for any other request that is a success.
            Blame::Nobody if self.fault == Fault::Unsatisfied => Outcome::Success,
            Blame::Nobody => Outcome::Nothing,
            Blame::Model => Outcome::ModelFailed,
            Blame::Provider => Outcome::ProviderFailed,
            Blame::Credential => Outcome::CredentialRefused,
            Blame::CredentialForModel => Outcome::Cool(self.wait.unwrap_or(DEFAULT_COOLING)),
            Blame::ModelAtOnce => Outcome::NoSuchModel,
        }
    }

    /// The attempt in a few words: its provider's own are left out, as they may quote a credential of ours.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self.status {
            Some(status) => format!("{} {} (status {status})", self.target, self.fault.word()),
            None => format!("{} {}", self.target, self.fault.word()),
        }
    }
}

/// The longest name of a request that is passed on.
const LONGEST_REQUEST: usize = 256;

fn request(headers: &Headers) -> Option<(&'static str, String)> {
    let told = |field: &str, name| Some((name, headers.get(field).filter(|id| id.len() <= LONGEST_REQUEST)?.to_owned()));
    told("request-id", "request-id").or_else(|| told("x-request-id", "x-upstream-request-id"))
}

/// What an error's body says, in whichever form.
#[must_use]
pub fn said(body: &str) -> Said {
    parsed::parse(body).said
}

/// Judges an attempt.
#[must_use]
#[inline(never)]
pub fn judge(about: &About<'_>, evidence: &Evidence<'_>, now: Timestamp) -> Verdict {
    let (fault, mut said) = recognise::recognise(about, evidence);
    if let Evidence::Status { headers, .. } = evidence
        && let Some(request) = request(headers)
    {
        said.get_or_insert_default().request = Some(request);
    }
    let (status, wait) = match evidence {
        Evidence::Status { status, headers, body } => {
            let waits = matches!(fault, Fault::RateLimited | Fault::Overloaded | Fault::ServerError);
            let wait = waits.then(|| crate::wait::asked(headers, body, now)).flatten();
            (Some(*status), if fault == Fault::RateLimited { wait.map(cooling) } else { wait })
        }
        // What a 200 says about waiting is not believed: Anthropic sends `retry-after` on good answers.
        Evidence::ErrorInside { .. } | Evidence::Empty | Evidence::Garbage | Evidence::TooLarge => (Some(200), None),
        Evidence::Connect | Evidence::Timeout { .. } | Evidence::Cut | Evidence::Stalled | Evidence::ClientGone => (None, None),
    };
    Verdict { fault, status, next: fault.next(about.direct), wait, said, target: about.target.to_owned() }
}
