//! The object's load is bounded however many isolates there are, as they come again when they are told to.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use breakwater::breaker::{Object, Settings};
use breakwater::time::Timestamp;
use serde_json::{Value, json};

/// How long it may take to settle, and how long it is watched after that, in seconds.
const SETTLES: usize = 600;
const WATCHED: usize = 900;

/// What an object gives turns for in a second; what it takes on average where there are more isolates than turns; and what a second may
/// hold all the same, far below what the platform lets one object do.
const TURNS: f64 = 25.0;
const AIM: f64 = 60.0;
const MOST: u64 = 100;

fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// The exchanges in each second, when isolates start at these times and come again when they are told to.
fn exchanges(starts: &[u64], seed: u64) -> Vec<u64> {
    let message = json!({ "settings": Settings::default() }).to_string();
    let mut state = seed;
    let mut object = Object::new();
    let mut due: BinaryHeap<Reverse<u64>> = starts.iter().copied().map(Reverse).collect();
    let mut seconds = vec![0; SETTLES + WATCHED];
    while let Some(Reverse(at)) = due.pop() {
        let Some(second) = usize::try_from(at / 1000).ok().and_then(|second| seconds.get_mut(second)) else { continue };
        *second += 1;
        let now = Timestamp::from_millis(1_800_000_000_000 + at);
        let answer: Value = serde_json::from_str(&object.exchange(&message, now, random(&mut state)).answer).unwrap();
        // A request that finds the time come is soon there, but not in the same millisecond.
        due.push(Reverse(at + answer["again"].as_u64().unwrap() + random(&mut state) % 50));
    }
    seconds
}

#[test]
fn the_rate_settles() {
    let starts: [(&str, fn(u64, u64) -> u64); 4] = [
        ("all at once", |_, _| 0),
        ("within a second", |_, random| random % 1000),
        ("within a minute", |_, random| random % 60_000),
        ("one after the other", |nth, _| nth * 17),
    ];
    for (name, start) in starts {
        for isolates in [1, 10, 1_000, 10_000] {
            let seed = isolates;
            let mut state = seed;
            let starts: Vec<u64> = (0..isolates).map(|nth| start(nth, random(&mut state))).collect();
            let seconds = exchanges(&starts, seed);
            let watched = &seconds[SETTLES..];
            let most = *watched.iter().max().unwrap();
            let average = watched.iter().sum::<u64>() as f64 / WATCHED as f64;
            let aim = if isolates > 5_000 { AIM } else { TURNS * 1.01 };
            assert!(average <= aim && most <= MOST, "{isolates} isolates, {name}: {average} on average, {most} at most");
            // Few are not held back, and many use what there is.
            let wanted = (isolates as f64 / 1.1).min(20.0);
            assert!(average >= wanted, "{isolates} isolates, {name}: {average} on average");
        }
    }
}

/// Who asks often is told to come later, and no later than is of use.
#[test]
fn the_time_to_come_again_is_bounded() {
    let message = json!({ "settings": Settings::default() }).to_string();
    let mut object = Object::new();
    let now = Timestamp::from_millis(1_800_000_000_000);
    let mut again = |now| {
        let answer: Value = serde_json::from_str(&object.exchange(&message, now, 0).answer).unwrap();
        answer["again"].as_u64().unwrap()
    };
    assert_eq!(again(now), 1_000);
    let told: Vec<u64> = (0..100_000).map(|_| again(now)).collect();
    assert!(told[..1_000].is_sorted());
    let last = *told.iter().max().unwrap();
    assert!((60_000..=600_000).contains(&last), "{last}");
    // A flood is forgotten when it is over, and a clock that is set back does no harm.
    let later = Timestamp::from_millis(now.as_millis() + 600_000);
    assert_eq!(again(later), 1_000);
    let earlier = Timestamp::from_millis(now.as_millis() - 86_400_000);
    assert!(again(earlier) <= 600_000);
}
