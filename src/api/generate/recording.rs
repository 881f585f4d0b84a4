//! A stream as the one answer that it tells, for whoever wants it whole: the cache, and what is kept of a translated response.

use crate::chat::Gather;
use crate::dialect::{Decoder, Dialect, Manner, chat};

/// What was recorded so far.
pub(super) enum Recording {
    /// Chunks of Chat Completions', for a client of the same: nothing of them is lost.
    Chunks(chat::Assembly),
    /// Anything else.
    Deltas(Box<(Decoder, Gather)>),
}

impl Recording {
    /// Of an upstream's stream, to be told in the dialect `stored`.
    pub(super) fn new(upstream: Dialect, stored: Dialect) -> Self {
        if upstream == Dialect::Chat && stored == Dialect::Chat {
            Self::nothing()
        } else {
            Self::Deltas(Box::new((Decoder::new(upstream), Gather::new())))
        }
    }

    /// One of which no answer comes.
    pub(super) fn nothing() -> Self {
        Self::Chunks(chat::Assembly::new())
    }

    /// Takes the data of the next event.
    pub(super) fn push(&mut self, data: &str) {
        match self {
            Self::Chunks(assembly) => assembly.push(data),
            Self::Deltas(recorded) => {
                let (decoder, gather) = &mut **recorded;
                let mut deltas = Vec::new();
                if decoder.event(data, &mut deltas).is_none() {
                    *self = Self::nothing();
                    return;
                }
                for delta in deltas {
                    gather.push(delta);
                }
            }
        }
    }

    /// The answer, where there is a whole one.
    pub(super) fn finish(self, stored: Dialect, manner: &Manner) -> Option<String> {
        match self {
            Self::Chunks(assembly) => assembly.finish(),
            Self::Deltas(recorded) => {
                let (mut decoder, mut gather) = *recorded;
                let mut deltas = Vec::new();
                decoder.end(&mut deltas);
                for delta in deltas {
                    gather.push(delta);
                }
                Some(stored.encode(gather.finish()?, manner).to_string())
            }
        }
    }
}
