//! The event queue: a ring of milliseconds. Events of one millisecond happen in the order in which they were planned.

/// How far ahead anything may be planned; what takes longer is planned to be planned again.
pub const HORIZON: u64 = 1 << 16;

pub struct Wheel<E> {
    slots: Vec<Vec<E>>,
    now: u64,
}

impl<E> Wheel<E> {
    pub fn new() -> Self {
        Self { slots: (0..HORIZON).map(|_| Vec::new()).collect(), now: 0 }
    }

    pub fn now(&self) -> u64 {
        self.now
    }

    /// Plans `event` for `after` milliseconds from now: never the present one, whose events are being dealt with.
    #[allow(clippy::cast_possible_truncation, reason = "below the horizon")]
    pub fn plan(&mut self, after: u64, event: E) {
        let at = self.now + after.clamp(1, HORIZON - 1);
        self.slots[(at % HORIZON) as usize].push(event);
    }

    /// The events of the next millisecond.
    #[allow(clippy::cast_possible_truncation, reason = "below the horizon")]
    pub fn turn(&mut self) -> Vec<E> {
        self.now += 1;
        std::mem::take(&mut self.slots[(self.now % HORIZON) as usize])
    }
}
