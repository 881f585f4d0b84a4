//! When an isolate tells its news and asks for leases: at once in a small fleet, each at a moment of its own in a large one.
//!
//! **Why.** When a provider goes down, every isolate of a region has the same news within a second or two; when its cooldown ends, all of them
//! would ask for the same lease. Sent at once, ten thousand isolates' messages come to between 1,300 and 2,100 a second at
//! the busiest object (`docs/fleet.md`), more than the platform takes, and nearly all say what the object knows already. But each isolate needs an
//! answer of its own, as there is no other way for it to learn what the object knows. So there is a shortest time in which a fleet can be
//! told anything, its number divided by what the object can take; the object says how long that is, and each isolate draws its own
//! moment within it, its **lot**.
//!
//! What matters is not that each report goes at once, but that the first does. The lots are spread evenly, so that of `n` isolates that have
//! seen a failure the first tells of it after an `n`th of the time: where all have, within hundredths of a second. An isolate
//! that waits has opened its own circuits meanwhile. The same holds for the lease: one of many that wait for the end of a cooldown asks as soon as
//! it has ended.
//!
//! A probe's result is not held back: there is one at a time, and everybody waits for it.

use std::time::Duration;

use super::admission::Urgency;
use crate::hash::finalize;
use crate::time::{Timestamp, millis};

/// How long a failure may wait for others before it is reported, so that a storm of them is one message.
const GATHER: Duration = Duration::from_millis(250);

/// One isolate's pace with one object.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Over how long all isolates are to spread what they would do at the same time.
    spread: Duration,
    /// This isolate's part of that, in 2³² parts, for what it asks.
    lot: Option<u64>,
    /// Its moment to tell what there is to be told. It is drawn once: the first of several draws would come too soon.
    drawn: Option<Timestamp>,
    /// When it is to be told: its moment, or a little later.
    tell_at: Option<Timestamp>,
    /// When news were told last.
    told_at: Timestamp,
    /// When leases were asked for last.
    asked_at: Timestamp,
}

impl Pace {
    /// Takes what an answer says. No two answers of an object have the same serial, which makes it as good as chance.
    pub(super) fn hear(&mut self, spread: u64, serial: u64) {
        // An object that has lost its memory finds out only by and by how many isolates there are.
        self.spread = Duration::from_millis(spread).max(self.spread / 2);
        self.lot.get_or_insert_with(|| finalize(serial));
    }

    /// How long news may wait; nothing where they are waited for already, or can wait for the next exchange.
    pub(super) fn tell_in(&mut self, urgency: Urgency, now: Timestamp, random: u64) -> Option<Duration> {
        let least = match urgency {
            Urgency::Later => return None,
            Urgency::Soon => GATHER,
            Urgency::Now => Duration::ZERO,
        };
        let spread = self.spread;
        let drawn = *self.drawn.get_or_insert_with(|| (now + part(spread, random)).max(self.told_at + spread));
        let at = drawn.max(now + least);
        if self.tell_at.is_some_and(|planned| planned <= at) {
            return None;
        }
        self.tell_at = Some(at);
        Some(at.since(now))
    }

    /// Whether the time to tell has come.
    pub(super) fn is_time(&self, now: Timestamp) -> bool {
        self.tell_at.is_some_and(|at| at <= now)
    }

    /// A message goes out that tells all there is, if there are `news`.
    pub(super) fn tell(&mut self, news: bool, now: Timestamp) {
        (self.drawn, self.tell_at) = (None, None);
        if news {
            self.told_at = now;
        }
    }

    /// How long after a cooldown's end this isolate asks for the lease.
    pub(super) fn later(&self) -> Duration {
        part(self.spread, self.lot.unwrap_or_default())
    }

    /// No lease is asked for before then. An answer tells of every circuit, so that one question serves them all.
    pub(super) fn asks_from(&self) -> Timestamp {
        self.asked_at + self.spread
    }

    /// Leases are asked for.
    pub(super) fn ask(&mut self, now: Timestamp) {
        self.asked_at = now;
    }

    /// A probe has ended here, and there may be another circuit to probe.
    pub(super) fn may_ask(&mut self) {
        self.asked_at = Timestamp::default();
    }
}

/// The part of `whole` that the lower half of `lot` stands for.
fn part(whole: Duration, lot: u64) -> Duration {
    Duration::from_millis(millis(whole).saturating_mul(lot & 0xFFFF_FFFF) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + millis)
    }

    /// In a small fleet nothing waits but failures for others.
    #[test]
    fn few_isolates_tell_at_once() {
        let mut pace = Pace::default();
        pace.hear(0, 1);
        assert_eq!(pace.tell_in(Urgency::Later, at(0), u64::MAX), None);
        assert_eq!(pace.tell_in(Urgency::Soon, at(0), u64::MAX), Some(GATHER));
        assert_eq!(pace.tell_in(Urgency::Soon, at(10), u64::MAX), None, "it is told with the first");
        assert_eq!(
            pace.tell_in(Urgency::Now, at(20), u64::MAX),
            Some(ms(0)),
            "a trip does not wait for the failures before it"
        );
        pace.tell(true, at(20));
        assert!(!pace.is_time(at(1_000)));
        assert_eq!((pace.later(), pace.asks_from()), (ms(0), Timestamp::default()));
    }

    /// In a large one each has its moment, and tells once in the time that is given.
    #[test]
    fn many_isolates_take_turns() {
        let mut pace = Pace::default();
        pace.hear(8_000, 1);
        let half = 1 << 31;
        assert_eq!(pace.tell_in(Urgency::Soon, at(0), half), Some(ms(4_000)));
        assert_eq!(pace.tell_in(Urgency::Now, at(100), 0), None, "the moment is drawn once");
        assert!(!pace.is_time(at(3_999)) && pace.is_time(at(4_000)));
        pace.tell(true, at(4_000));
        assert_eq!(pace.tell_in(Urgency::Now, at(4_500), 0), Some(ms(7_500)), "once in that time");
        pace.tell(false, at(5_000));
        assert_eq!(
            pace.tell_in(Urgency::Now, at(20_000), 0),
            Some(ms(0)),
            "and at once when it was quiet, if the lot is the first"
        );
    }

    #[test]
    fn the_lots_are_spread_evenly() {
        let later = |serial| {
            let mut pace = Pace::default();
            pace.hear(10_000, serial);
            pace.later()
        };
        for tenth in 0..10 {
            let within = (0..10_000).filter(|serial| later(1_800_000_000_000 + serial).as_millis() / 1_000 == tenth).count();
            assert!((900..1_100).contains(&within), "{tenth}: {within}");
        }
    }

    /// A small fleet's first answer of an object without memory does not undo what the last one said.
    #[test]
    fn a_shorter_time_is_believed_by_and_by() {
        let mut pace = Pace::default();
        let told: Vec<Duration> = [8_000, 0, 0, 6_000, 0]
            .map(|spread| {
                pace.hear(spread, 1);
                pace.spread
            })
            .into();
        assert_eq!(told, [ms(8_000), ms(4_000), ms(2_000), ms(6_000), ms(3_000)]);
    }
}
