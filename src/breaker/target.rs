//! Names of targets, as an isolate's view hands them out.
//!
//! A handle says, beside which target it is, what its calls are to circuits and latencies. So whoever makes a call need not know whether it may
//! be recorded, and whoever records it cannot forget to ask.

/// A target with a credential, as [`View::target`](super::View::target) gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TargetId {
    pub(super) place: usize,
    /// A handle from before everything was forgotten refers to nothing.
    pub(super) generation: u32,
    pub(super) calls: Calls,
}

/// What calls are to their circuits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Calls {
    /// They say how their target is.
    Telling,
    /// They are sent, but something was done to them that is not the target's doing.
    Tampered,
    /// They are never sent.
    MadeUp,
}

impl TargetId {
    /// The same target, for calls that are kept waiting on purpose. Circuits are obeyed, but nothing is recorded, so that there is no probe either.
    #[must_use]
    pub const fn tampered(self) -> Self {
        Self { calls: Calls::Tampered, ..self }
    }

    /// The same target, for calls that are made up. As they are never sent, they are always admitted; and nothing is recorded.
    #[must_use]
    pub const fn made_up(self) -> Self {
        Self { calls: Calls::MadeUp, ..self }
    }
}
