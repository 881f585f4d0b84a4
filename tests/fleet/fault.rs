//! The ways in which the provider fails.

use std::time::Duration;

use breakwater::breaker::Outcome;

use crate::dice::Dice;

/// How long a call waits for its first token before it is given up: the gateway's default.
pub const FIRST_TOKEN: u64 = 10_000;

/// What a provider that is well needs to its first token: the median in milliseconds, and the spread of its logarithm.
const LATENCY: (f64, f64) = (600.0, 0.5);

/// Calls that fail although all is well.
const ALWAYS: f64 = 0.002;

/// The models and their shares of the traffic.
pub const MODELS: [(&str, f64); 3] = [("large", 0.5), ("small", 0.35), ("old", 0.15)];

/// The keys, used in turn.
pub const KEYS: [&str; 2] = ["A", "B"];

/// What is wrong with the provider while something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Every call is answered by 503.
    Whole,
    /// Every call of one region is.
    Region,
    /// Every call of one model is.
    Model,
    /// One of the keys is answered by 401.
    Key,
    /// One of the keys is answered by 429, `retry-after: 10`.
    Limited,
    /// No call is answered at all.
    Silent,
    /// The time to the first token doubles every six seconds.
    Creep,
    /// Five seconds of 503, five seconds of health.
    Flapping,
    /// Two calls of five are answered by 503: less than the rate that opens a circuit.
    Some,
}

impl Fault {
    pub const ALL: [Self; 9] = [
        Self::Whole,
        Self::Region,
        Self::Model,
        Self::Key,
        Self::Limited,
        Self::Silent,
        Self::Creep,
        Self::Flapping,
        Self::Some,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Whole => "wholly (503)",
            Self::Region => "in one region (503)",
            Self::Model => "for one model (503)",
            Self::Key => "for one key (401)",
            Self::Limited => "for one key (429)",
            Self::Silent => "wholly, in silence",
            Self::Creep => "by latency creep",
            Self::Flapping => "flapping, 5 s / 5 s",
            Self::Some => "40 % of calls",
        }
    }

    /// Whether it is one of those calls that the fault is about.
    pub const fn concerns(self, call: Call) -> bool {
        match self {
            Self::Region => call.region == 0,
            Self::Model => call.model == 0,
            Self::Key | Self::Limited => call.key == 0,
            Self::Whole | Self::Silent | Self::Creep | Self::Flapping | Self::Some => true,
        }
    }

    /// What becomes of a call; `since` is how long the fault has lasted, none while there is none.
    pub fn meet(self, call: Call, since: Option<u64>, dice: &mut Dice) -> Fate {
        let latency = dice.around(LATENCY.0, LATENCY.1);
        let refused = dice.around(80.0, 0.3);
        let ill = dice.unit();
        let Some(since) = since.filter(|_| self.concerns(call)) else {
            let outcome = if ill <= ALWAYS { Outcome::ModelFailed } else { Outcome::Success };
            return Fate::after(latency, outcome, false);
        };
        match self {
            Self::Flapping if since / 5_000 % 2 == 1 => Fate::after(latency, Outcome::Success, false),
            Self::Some if ill > 0.4 => Fate::after(latency, Outcome::Success, false),
            Self::Whole | Self::Region | Self::Model | Self::Flapping | Self::Some => {
                Fate::after(refused, Outcome::ModelFailed, true)
            }
            Self::Key => Fate::after(refused, Outcome::CredentialRefused, true),
            Self::Limited => Fate::after(refused, Outcome::Cool(Duration::from_secs(10)), true),
            Self::Silent => Fate::after(f64::INFINITY, Outcome::Success, true),
            #[allow(clippy::cast_precision_loss, reason = "a minute or two")]
            Self::Creep => Fate::after(latency * (since as f64 / 6_000.0).exp2(), Outcome::Success, true),
        }
    }
}

/// Who calls what.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub region: usize,
    pub model: usize,
    pub key: usize,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug)]
pub struct Fate {
    /// When its first token, or its failure, comes: milliseconds after it was sent.
    pub after: u64,
    pub outcome: Outcome,
    /// Whether it fails, and would not have without the fault.
    pub wasted: bool,
}

impl Fate {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a latency")]
    fn after(after: f64, outcome: Outcome, ill: bool) -> Self {
        if after >= FIRST_TOKEN as f64 {
            return Self { after: FIRST_TOKEN, outcome: Outcome::ModelFailed, wasted: ill };
        }
        Self { after: after as u64, outcome, wasted: ill && outcome != Outcome::Success }
    }
}
