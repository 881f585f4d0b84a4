//! In which order a route's targets are asked, and a target's keys.
//!
//! **Shares and conversations.** A provider's prompt cache is worth more than a perfect spread: a conversation that comes back to the same
//! account finds its prompt read, at a tenth of the price and in a fraction of the time, and one that is dealt to another each time never does. But
//! isolates do not talk to each other, and there are thousands. So who is asked is not remembered, it is computed, by weighted rendezvous
//! hashing (Thaler and Ravishankar, 1996; weights as in Schindelhauer and Schomaker, 2005): every target draws a number from its name and the
//! conversation, and they stand in the order of these numbers. Every isolate draws the same; each target comes first for its share of
//! all conversations, second for its share of those that are left, and so on; and a target that comes or goes moves only
//! those conversations that it comes first for. A request without a conversation is one of its own, its seed drawn by lot.
//!
//! **Speed.** To send everybody to the fastest target makes it the slowest, and all isolates change their minds together when they hear of it.
//! The better of two choices by chance is nearly as good as the best, and does not herd (Mitzenmacher, 2001): the first two of the order by lot
//! are compared by what they took lately times the calls that wait there now, this one included. A target about which too little is known
//! passes for as fast as the fastest, and is preferred to it, so that it becomes known; its calls under way bound the
//! price if it is slow. The others follow by the same measure, as nobody is to be spared by then.
//!
//! A target whose circuit is open comes after all others: to choose it would waste the choice.

use std::cmp::Reverse;
use std::time::Duration;

use crate::hash::Hash;
use crate::time::millis;

/// How much slower than the fastest a conversation's target may become before the conversation moves: its prompt cache saves that much
/// on a long prompt, and hardly more.
const PATIENCE: u64 = 3;

/// What the order by speed goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Whether it may be asked now.
    pub(crate) admitted: bool,
    /// How long it takes; none where too little is known.
    pub(crate) takes: Option<Duration>,
    /// How many calls it has under way.
    pub(crate) under_way: usize,
}

/// The places of members, each a name's hash and a weight, in the order that `seed` gives them.
pub(crate) fn spread(members: impl Iterator<Item = (u64, u32)>, seed: u64) -> Vec<usize> {
    // The least of such draws comes from a member with a probability in proportion to its weight, and so does each further one of those that
    // are left (Efraimidis and Spirakis, 2006).
    let draw = |(name, weight): (u64, u32)| {
        -uniform(Hash::new(seed).with(&name.to_le_bytes()).finish()).ln() / f64::from(weight.max(1))
    };
    let mut drawn: Vec<(f64, usize)> = members.map(draw).zip(0..).collect();
    drawn.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
    drawn.into_iter().map(|(_, place)| place).collect()
}

/// A number between 0 and 1, neither included.
#[expect(clippy::cast_precision_loss, reason = "its 53 upper bits")]
fn uniform(hash: u64) -> f64 {
    ((hash >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// The order by speed; `lot` has all places, and its first two that are admitted are the two choices.
pub(crate) fn by_speed(standings: &[Standing], lot: &[usize]) -> Vec<usize> {
    let fastest = fastest(standings);
    let measure = |place: &usize| {
        let standing = standings.get(*place).copied().unwrap_or(Standing { admitted: false, takes: None, under_way: 0 });
        let takes = standing.takes.map_or(fastest, millis).max(1);
        let score = takes.saturating_mul(standing.under_way as u64 + 1);
        (Reverse(standing.admitted), score, standing.takes.is_some())
    };
    let mut order = lot.to_vec();
    let chosen = {
        let mut choices = lot.iter().filter(|place| standings.get(**place).is_some_and(|standing| standing.admitted)).take(2);
        let (first, second) = (choices.next(), choices.next());
        // Of equals the first by lot.
        second.filter(|second| first.is_none_or(|first| measure(second) < measure(first))).or(first).copied()
    };
    // Equals stay as the lot has them.
    let lot = order.clone();
    order.sort_unstable_by_key(|place| (measure(place), lot.iter().position(|other| other == place)));
    if let Some(chosen) = chosen {
        lead(&mut order, chosen);
    }
    order
}

/// Whether a conversation stays with the target at `place`.
pub(crate) fn stays(standings: &[Standing], place: usize) -> bool {
    standings.get(place).is_some_and(|standing| {
        let bearable = fastest(standings).saturating_mul(PATIENCE);
        standing.admitted && standing.takes.is_none_or(|takes| millis(takes).max(1) <= bearable)
    })
}

/// What the fastest takes of those that may be asked, in milliseconds.
fn fastest(standings: &[Standing]) -> u64 {
    let known = standings.iter().filter(|standing| standing.admitted).filter_map(|standing| standing.takes);
    known.min().map_or(1, millis).max(1)
}

/// Puts `place` first; the others stay in their order.
pub(crate) fn lead(order: &mut [usize], place: usize) {
    if let Some(at) = order.iter().position(|other| *other == place)
        && let Some(front) = order.get_mut(..=at)
    {
        front.rotate_right(1);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(weights: &[u32]) -> Vec<(u64, u32)> {
        weights
            .iter()
            .enumerate()
            .map(|(place, weight)| (Hash::new(1).with(&[u8::try_from(place).unwrap()]).finish(), *weight))
            .collect()
    }

    fn standing(admitted: bool, takes: Option<u64>, under_way: usize) -> Standing {
        Standing { admitted, takes: takes.map(Duration::from_millis), under_way }
    }

    #[test]
    fn shares_are_those_of_the_weights_at_every_place() {
        for weights in [&[1_u32, 1][..], &[3, 1], &[5, 3, 2], &[1, 1, 1, 1, 1, 1], &[1000, 1, 1]] {
            let members = names(weights);
            let total: u32 = weights.iter().sum();
            let mut first = vec![0_u32; weights.len()];
            let mut second_after_first = vec![0_u32; weights.len()];
            for conversation in 0..10_000 {
                let order = spread(members.iter().copied(), conversation);
                first[order[0]] += 1;
                second_after_first[order[1]] += u32::from(order[0] == 0);
            }
            for (place, weight) in weights.iter().enumerate() {
                let found = f64::from(first[place]) / 10_000.0;
                let expected = f64::from(*weight) / f64::from(total);
                assert!((found - expected).abs() < 0.02, "{weights:?}: {place} is first for {found}, and not {expected}");
                if place > 0 {
                    let found = f64::from(second_after_first[place]) / f64::from(first[0]);
                    let expected = f64::from(*weight) / f64::from(total - weights[0]);
                    assert!((found - expected).abs() < 0.03, "{weights:?}: {place} is second for {found}, and not {expected}");
                }
            }
        }
    }

    #[test]
    fn shares_hold_for_seeds_that_are_hashes() {
        let members = names(&[4, 1]);
        let first = (0..10_000_u64).filter(|conversation| {
            spread(members.iter().copied(), Hash::new(0).with(conversation.to_string().as_bytes()).finish())[0] == 0
        });
        let share = first.count();
        assert!((7_850..8_150).contains(&share), "{share}");
    }

    proptest! {
        #[test]
        fn a_target_that_goes_moves_only_its_own(seed: u64, weights in prop::collection::vec(1_u32..100, 2..8), goes in 0_usize..8) {
            let members = names(&weights);
            let goes = goes % members.len();
            let before = spread(members.iter().copied(), seed);
            let left: Vec<usize> = (0..members.len()).filter(|place| *place != goes).collect();
            let after = spread(left.iter().map(|place| members[*place]), seed);
            let expected: Vec<usize> = before.into_iter().filter(|place| *place != goes).collect();
            prop_assert_eq!(after.into_iter().map(|place| left[place]).collect::<Vec<_>>(), expected);
        }

        #[test]
        fn a_weight_that_grows_takes_and_moves_nobody_else(seed: u64, weights in prop::collection::vec(1_u32..100, 2..8), grows in 0_usize..8) {
            let members = names(&weights);
            let grows = grows % members.len();
            let first = spread(members.iter().copied(), seed)[0];
            let mut grown = members;
            grown[grows].1 *= 2;
            let now = spread(grown.into_iter(), seed)[0];
            prop_assert!(now == first || now == grows);
        }

        #[test]
        fn every_order_has_everybody_once(
            standings in prop::collection::vec((any::<bool>(), prop::option::of(0_u64..100_000), 0_usize..100), 0..8),
            seed: u64,
        ) {
            let standings: Vec<Standing> = standings.into_iter().map(|(admitted, takes, under_way)| standing(admitted, takes, under_way)).collect();
            let lot = spread(names(&vec![1; standings.len()]).into_iter(), seed);
            let mut order = by_speed(&standings, &lot);
            let refused: Vec<bool> = order.iter().map(|place| !standings[*place].admitted).collect();
            prop_assert!(refused.is_sorted(), "those that may be asked come first");
            order.sort_unstable();
            prop_assert_eq!(order, (0..standings.len()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn speed() {
        type Places<'a> = &'a [usize];

        let fast = standing(true, Some(100), 0);
        let slow = standing(true, Some(900), 0);
        let new = standing(true, None, 0);
        let rows: &[(&str, &[Standing], Places<'_>, Places<'_>)] = &[
            ("nobody", &[], &[], &[]),
            ("the faster of two", &[slow, fast], &[0, 1], &[1, 0]),
            ("whoever is drawn first", &[slow, fast], &[1, 0], &[1, 0]),
            ("the faster of the two that are drawn", &[fast, slow, slow], &[1, 2, 0], &[1, 0, 2]),
            ("equals as they are drawn", &[fast, fast, fast], &[2, 0, 1], &[2, 0, 1]),
            ("calls under way count", &[standing(true, Some(100), 9), slow], &[0, 1], &[1, 0]),
            ("each as much as the time", &[standing(true, Some(100), 7), slow], &[1, 0], &[0, 1]),
            ("an unknown one is preferred", &[fast, new], &[0, 1], &[1, 0]),
            ("and bears no crowd", &[fast, standing(true, None, 1)], &[0, 1], &[0, 1]),
            ("all unknown: the least busy", &[standing(true, None, 2), standing(true, None, 1)], &[0, 1], &[1, 0]),
            ("an open circuit is no choice", &[standing(false, Some(1), 0), slow, slow], &[0, 2, 1], &[2, 1, 0]),
            ("nor does it set the pace", &[standing(false, Some(1), 0), fast, new], &[0, 1, 2], &[2, 1, 0]),
            ("all circuits open", &[standing(false, Some(9), 0), standing(false, Some(1), 0)], &[0, 1], &[1, 0]),
        ];
        for (name, standings, lot, expected) in rows {
            assert_eq!(by_speed(standings, lot), *expected, "{name}");
        }
    }

    #[test]
    fn staying() {
        let rows: &[(&str, Standing, Option<u64>, bool)] = &[
            ("as fast", standing(true, Some(100), 0), Some(100), true),
            ("three times slower", standing(true, Some(300), 0), Some(100), true),
            ("slower than that", standing(true, Some(301), 0), Some(100), false),
            ("busy", standing(true, Some(100), 50), Some(100), true),
            ("not known", standing(true, None, 0), Some(100), true),
            ("nobody else is known", standing(true, Some(9_000), 0), None, true),
            ("an open circuit", standing(false, Some(100), 0), Some(100), false),
        ];
        for (name, own, other, expected) in rows {
            assert_eq!(stays(&[standing(true, *other, 0), *own], 1), *expected, "{name}");
        }
        assert!(!stays(&[], 0), "nobody");
    }

    /// A hundred calls a second for a minute, to targets that take so long: each target's share.
    fn shares(takes: &[u64], told: &[Option<u64>]) -> Vec<f64> {
        let mut under_way: Vec<Vec<u64>> = vec![Vec::new(); takes.len()];
        let mut asked = vec![0_u32; takes.len()];
        for call in 0..6_000_u64 {
            let now = call * 10;
            for calls in &mut under_way {
                calls.retain(|ends| *ends > now);
            }
            let standings: Vec<Standing> =
                told.iter().zip(&under_way).map(|(told, calls)| standing(true, *told, calls.len())).collect();
            let lot = spread(names(&vec![1; takes.len()]).into_iter(), Hash::new(call).finish());
            let chosen = by_speed(&standings, &lot)[0];
            under_way[chosen].push(now + takes[chosen]);
            asked[chosen] += 1;
        }
        asked.into_iter().map(|asked| f64::from(asked) / 6_000.0).collect()
    }

    #[test]
    fn load_goes_where_it_is_answered() {
        let even = shares(&[500, 500, 500], &[Some(500), Some(500), Some(500)]);
        assert!(even.iter().all(|share| (0.3..0.37).contains(share)), "{even:?}");
        let faster = shares(&[200, 800], &[Some(200), Some(800)]);
        assert!(faster[0] > 0.6, "{faster:?}");
        // It hangs, and nobody has been told: the calls under way say so.
        let hangs = shares(&[500, 60_000], &[Some(500), Some(500)]);
        assert!(hangs[1] < 0.02, "{hangs:?}");
        // It is slow, and nobody knows it.
        let unknown = shares(&[500, 20_000], &[Some(500), None]);
        assert!(unknown[1] < 0.05, "{unknown:?}");
    }
}
