//! Four ways to keep breakers.

/// Who decides whether a call is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contender {
    /// Nobody: everything is sent.
    Nobody,
    /// Each isolate by what it has seen itself. It is our own view, whose object is never there.
    Alone,
    /// One object for the world, which every call asks first and tells afterwards. It knows everything at once, and is as fast as if one
    /// object could take it all.
    Central,
    /// Views, and an object per region.
    Ours,
}

impl Contender {
    pub const ALL: [Self; 4] = [Self::Nobody, Self::Alone, Self::Central, Self::Ours];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Nobody => "no breaker",
            Self::Alone => "each isolate alone",
            Self::Central => "one object, asked each time",
            Self::Ours => "Breakwater",
        }
    }

    /// Whether there is a view in each isolate.
    pub const fn has_views(self) -> bool {
        matches!(self, Self::Alone | Self::Ours)
    }
}
