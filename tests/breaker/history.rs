//! A circuit as a list of everything that happened to it. What it is now is worked out from the beginning, each time anew, in the words of
//! the design and without anything of the code under test.

use breakwater::breaker::Settings;

/// What happened.
#[derive(Clone, Debug)]
pub(crate) enum Happened {
    /// Calls that began in an epoch: successes, failures, and how many of these came after the last success.
    Calls { epoch: u64, ok: u32, failed: u32, trailing: u32 },
    /// It was to open at once.
    Trip { epoch: u64 },
    /// Its neighbours have failed.
    Neighbours,
    /// Somebody asked for the lease.
    Asked,
    /// A probe ended; none is nobody's fault.
    Probe { epoch: u64, success: Option<bool> },
    /// Memory was lost, and what is stored was read.
    Restored,
}

#[derive(Clone, Debug)]
pub(crate) struct History {
    settings: Settings,
    /// When in milliseconds, what, and the random number that was drawn.
    events: Vec<(u64, Happened, u64)>,
}

/// What a circuit is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct State {
    pub(crate) epoch: u64,
    pub(crate) open: Option<Open>,
    /// Each call since it last closed: when, and whether it succeeded.
    calls: Vec<(u64, bool)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Open {
    pub(crate) until: u64,
    pub(crate) cooldown: u64,
    pub(crate) by_failures: bool,
    /// When the lease expires that was granted last, unless it was given back.
    pub(crate) lease: Option<u64>,
}

const LEASE: u64 = 30_000;

impl History {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, events: Vec::new() }
    }

    /// Adds an event. True when it made a difference other than in counts.
    pub(crate) fn happens(&mut self, at: u64, what: Happened, random: u64) -> bool {
        let before = self.state();
        self.events.push((at, what, random));
        let after = self.state();
        (before.epoch, before.open) != (after.epoch, after.open)
    }

    pub(crate) fn state(&self) -> State {
        let mut state = State::default();
        for (at, what, random) in &self.events {
            self.step(&mut state, *at, what, *random);
        }
        state
    }

    fn step(&self, state: &mut State, at: u64, what: &Happened, random: u64) {
        match (what, state.open.clone()) {
            (Happened::Calls { epoch, ok, failed, trailing }, None) if *epoch == state.epoch && ok + failed > 0 => {
                let last = if *ok == 0 { *failed } else { *trailing };
                state.calls.extend((0..failed - last).map(|_| (at, false)));
                state.calls.extend((0..*ok).map(|_| (at, true)));
                state.calls.extend((0..last).map(|_| (at, false)));
                if state.in_a_row() >= self.settings.failures || self.rate_is_too_high(state, at) {
                    self.opens(state, at, millis(self.settings.cooldown), true, random);
                }
            }
            (Happened::Trip { epoch }, None) if *epoch == state.epoch => {
                self.opens(state, at, millis(self.settings.cooldown), false, random);
            }
            (Happened::Neighbours, None) => self.opens(state, at, millis(self.settings.cooldown), true, random),
            (Happened::Asked, Some(open)) if at >= open.until && open.lease.is_none_or(|lease| at >= lease) => {
                state.epoch += 1;
                state.open = Some(Open { lease: Some(at + LEASE), ..open });
            }
            (Happened::Probe { epoch, success }, Some(open)) if *epoch == state.epoch && open.lease.is_some() => {
                match success {
                    Some(true) => *state = State { epoch: state.epoch + 1, ..State::default() },
                    Some(false) => self.opens(state, at, open.cooldown * 2, open.by_failures, random),
                    None => state.open = Some(Open { lease: None, ..open }),
                }
            }
            (Happened::Restored, _) => state.calls.clear(),
            _ => {}
        }
    }

    fn opens(&self, state: &mut State, at: u64, cooldown: u64, by_failures: bool, random: u64) {
        let cooldown = cooldown.min(millis(self.settings.max_cooldown));
        let until = at + cooldown + random % (cooldown / 10 + 1);
        *state =
            State { epoch: state.epoch + 1, open: Some(Open { until, cooldown, by_failures, lease: None }), calls: Vec::new() };
    }

    /// Successes and failures of the last ten tenths of a window, of which the present one has only begun.
    pub(crate) fn window(&self, state: &State, now: u64) -> (u32, u32) {
        let tenth = millis(self.settings.window) / 10;
        let recent = state.calls.iter().filter(|(at, _)| now / tenth - at / tenth < 10);
        recent.fold((0, 0), |(ok, failed), (_, success)| if *success { (ok + 1, failed) } else { (ok, failed + 1) })
    }

    fn rate_is_too_high(&self, state: &State, now: u64) -> bool {
        let (ok, failed) = self.window(state, now);
        ok + failed >= self.settings.min_requests
            && failed > 0
            && f64::from(failed) / f64::from(ok + failed) >= self.settings.error_rate
    }
}

impl State {
    /// Failures after the last success.
    pub(crate) fn in_a_row(&self) -> u32 {
        u32::try_from(self.calls.iter().rev().take_while(|(_, ok)| !ok).count()).unwrap()
    }

    /// Whether a lease could be had at `now`.
    pub(crate) fn is_free(&self, now: u64) -> bool {
        self.open.as_ref().is_none_or(|open| now >= open.until && open.lease.is_none_or(|lease| now >= lease))
    }
}

pub(crate) fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap()
}
