//! How long targets take, remembered so that a deadline can be spent by it.
//!
//! **Why a record, and not a timeout.** One number for all targets is wrong for most of them: ten seconds is for ever for a small
//! model, and less than a long answer takes. What a target needs is what it needed lately, for requests like this one: so the record is
//! kept by what was waited for and by the size of the request, and it decays, as a provider's bad hour says nothing about the next.
//!
//! **Why attempts that were cut off count.** Whoever counts answers only, and cuts off at what answers took, measures his own
//! scissors: a provider that slows down is cut off sooner and sooner. And whoever counts a cut as an answer of that length learns nonsense
//! twice over: clients with short deadlines would shorten everybody's, and a target that hangs once in ten would be worth waiting for
//! the longer the more often it was waited for in vain. So a cut is what statistics call a censored observation (Kaplan and Meier,
//! 1958): the answer would have taken *at least* that long. Within what is known it counts with the answers that took longer; beyond that
//! it counts as **unanswered**, a share that is told beside the quantiles, and which says that their tail is not known
//! ([`Sketch`]).
//!
//! **Who knows what.** An isolate records what it sees in a sketch of its own, and sends what is new with the messages that go to the
//! provider's breaker object anyway (`local`). The object adds everybody's up and answers with the quantiles (`shared`), so that a cold isolate
//! knows after its first exchange what the others know. An isolate goes by the object's numbers where it was told some, and by its own
//! sketch otherwise. Nothing of this is stored: after an eviction the object learns again from what the isolates send, within
//! seconds where there is traffic.
//!
//! The invariants: recording is O(1) and allocates only once for a kind of call; what is held and sent is bounded; and too few observations
//! say nothing at all, rather than something wrong.

pub(crate) mod local;
pub mod message;
pub(crate) mod shared;
mod sketch;

use std::time::Duration;

pub use sketch::{BUCKETS, Sketch};

/// What an observation waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// The first content of a streamed answer: what its deadline is about.
    FirstContent,
    /// All of a streamed answer.
    StreamCompletion,
    /// An unstreamed answer, which shows nothing before its end.
    WholeCompletion,
}

impl Awaited {
    /// What a call's deadline is about.
    #[must_use]
    pub const fn of(streamed: bool) -> Self {
        if streamed { Self::FirstContent } else { Self::WholeCompletion }
    }

    /// As `/status` names it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::FirstContent => "first_content",
            Self::StreamCompletion => "stream_completion",
            Self::WholeCompletion => "whole_completion",
        }
    }
}

/// The size of a request: a question and a book are read at different speeds, and have answers of different lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Below 4 KiB: a question with its instructions.
    Small,
    /// Below 64 KiB: a conversation, some documents.
    Medium,
    /// Anything longer; this is where reading the prompt dominates.
    Large,
}

impl Size {
    /// The class of a request whose body has so many bytes.
    #[must_use]
    pub const fn of(bytes: usize) -> Self {
        match bytes {
            0..4_096 => Self::Small,
            4_096..65_536 => Self::Medium,
            _ => Self::Large,
        }
    }

    /// As `/status` names it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }
}

/// A kind of observation. Calls of one kind are like enough to be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// What was waited for.
    pub awaited: Awaited,
    /// The request's size.
    pub size: Size,
}

impl Kind {
    /// How many there are.
    pub const COUNT: usize = 9;

    /// A number below [`Kind::COUNT`], as messages carry it.
    #[must_use]
    pub const fn index(self) -> usize {
        self.awaited as usize * 3 + self.size as usize
    }

    /// All of them, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        let sizes = [Size::Small, Size::Medium, Size::Large];
        let awaited = [Awaited::FirstContent, Awaited::StreamCompletion, Awaited::WholeCompletion];
        awaited.into_iter().flat_map(move |awaited| sizes.into_iter().map(move |size| Self { awaited, size }))
    }
}

/// One observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Took {
    /// It came after so long.
    Exactly(Duration),
    /// It had not come after so long, and was not waited for any longer.
    AtLeast(Duration),
}

/// What a record comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantiles {
    /// Half of the answers came within this.
    pub p50: Duration,
    /// 95 of 100 answers did.
    pub p95: Duration,
    /// 99 of 100 answers did.
    pub p99: Duration,
    /// The share of calls, 0 to 1, that were given as long as the answers take, and more, and had no answer still.
    pub unanswered: f32,
}

impl Quantiles {
    /// Whether so many calls are unanswered that the 95th of 100 is among them: that these are slow, and their answers would come a
    /// little later, is as likely as that they hang.
    #[must_use]
    pub fn tail_is_unknown(&self) -> bool {
        self.unanswered > 0.05
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_numbered_in_order() {
        assert_eq!(Kind::all().map(Kind::index).collect::<Vec<_>>(), (0..Kind::COUNT).collect::<Vec<_>>());
    }

    #[test]
    fn sizes() {
        for (bytes, size) in [
            (0, Size::Small),
            (4_095, Size::Small),
            (4_096, Size::Medium),
            (65_535, Size::Medium),
            (65_536, Size::Large),
            (usize::MAX, Size::Large),
        ] {
            assert_eq!(Size::of(bytes), size, "{bytes}");
        }
    }
}
