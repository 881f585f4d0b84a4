//! The requests of a scenario, and what each target would do with each of them.

use std::time::Duration;

use breakwater::time::Timestamp;

/// How many targets there are; asked in this order.
pub(crate) const TARGETS: usize = 3;

/// How many sizes of requests there are.
pub(crate) const SIZES: usize = 2;

/// The median of each target's answers in seconds, and how they are spread: the standard deviation of their logarithm. Half as long again
/// at one deviation, as completions of one model are whose lengths differ.
const SPEEDS: [(f64, f64); TARGETS] = [(3.0, 0.45), (4.0, 0.45), (2.0, 0.35)];

/// How much longer a large request takes, and one in how many is large.
const LARGE: f64 = 4.0;
const ONE_LARGE_IN: u64 = 5;

/// How long a scenario lasts, and how many requests there are per second.
const LASTS: Duration = Duration::from_secs(30 * 60);
const RATE: f64 = 2.0;

/// Where the clock begins.
const DAWN: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// What a target would do with a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    Answers(Duration),
    Fails(Duration),
    Hangs,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) at: Timestamp,
    pub(crate) size: usize,
    pub(crate) fates: [Fate; TARGETS],
    pub(crate) random: u64,
}

/// A story of faults.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// What happens to a target, at a minute of the story.
    fault: fn(target: usize, minute: f64) -> Fault,
}

/// What is wrong with a target.
#[derive(Clone, Copy)]
enum Fault {
    None,
    /// Everything takes so many times as long.
    Slow(f64),
    /// This share of its calls hangs.
    Hangs(f64),
    /// This share of its calls takes so many times as long.
    SometimesSlow(f64, f64),
    /// All fail, at once.
    Dead,
}

/// Whether a minute is within a span.
fn within(minute: f64, from: f64, until: f64) -> bool {
    (from..until).contains(&minute)
}

/// The stories.
pub(crate) const SCENARIOS: [Scenario; 8] = [
    Scenario { name: "nothing is wrong", fault: |_, _| Fault::None },
    Scenario {
        name: "the first hangs for 10 minutes",
        fault: |target, minute| if target == 0 && within(minute, 10.0, 20.0) { Fault::Hangs(1.0) } else { Fault::None },
    },
    Scenario {
        name: "one in ten of the first's calls hangs",
        fault: |target, _| if target == 0 { Fault::Hangs(0.1) } else { Fault::None },
    },
    Scenario {
        name: "the first becomes five times slower, and back",
        fault: |target, minute| {
            let times = 1.0 + 4.0 * (1.0 - (minute - 15.0).abs() / 10.0).max(0.0);
            if target == 0 { Fault::Slow(times) } else { Fault::None }
        },
    },
    Scenario {
        name: "15 % of the first's calls take 8 times",
        fault: |target, _| if target == 0 { Fault::SometimesSlow(0.15, 8.0) } else { Fault::None },
    },
    Scenario {
        name: "all become three times slower at once",
        fault: |_, minute| if within(minute, 10.0, 20.0) { Fault::Slow(3.0) } else { Fault::None },
    },
    Scenario {
        name: "the first is dead, the second hangs",
        fault: |target, minute| match target {
            0 if within(minute, 5.0, 20.0) => Fault::Dead,
            1 if within(minute, 10.0, 25.0) => Fault::Hangs(1.0),
            _ => Fault::None,
        },
    },
    Scenario {
        name: "one in five of the first two's calls hangs",
        fault: |target, minute| if target < 2 && within(minute, 5.0, 25.0) { Fault::Hangs(0.2) } else { Fault::None },
    },
];

/// The requests of a scenario, in the order of time; the same for the same seed.
pub(crate) fn requests(scenario: &Scenario, seed: u64) -> Vec<Request> {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut requests = Vec::new();
    let mut second = 0.0;
    loop {
        // Poisson arrivals.
        second -= (1.0 - random.share()).ln() / RATE;
        if second >= LASTS.as_secs_f64() {
            return requests;
        }
        let size = usize::from(random.next().is_multiple_of(ONE_LARGE_IN));
        let fates = [0, 1, 2].map(|target| {
            let (median, spread) = SPEEDS[target];
            let ordinary = median * (spread * random.normal()).exp() * if size == 1 { LARGE } else { 1.0 };
            // Drawn always, so that what comes after is the same in every scenario.
            let roll = random.share();
            let after = |seconds: f64| Fate::Answers(Duration::from_millis((seconds * 1000.0) as u64));
            match (scenario.fault)(target, second / 60.0) {
                Fault::None => after(ordinary),
                Fault::Slow(times) => after(ordinary * times),
                Fault::Hangs(share) if roll < share => Fate::Hangs,
                Fault::SometimesSlow(share, times) if roll < share => after(ordinary * times),
                Fault::Hangs(_) | Fault::SometimesSlow(..) => after(ordinary),
                Fault::Dead => Fate::Fails(Duration::from_millis(50)),
            }
        });
        let at = DAWN + Duration::from_millis((second * 1000.0) as u64);
        requests.push(Request { at, size, fates, random: random.next() });
    }
}

/// `SplitMix64` (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From the standard normal distribution (Box and Muller, 1958).
    fn normal(&mut self) -> f64 {
        let (radius, angle) = ((-2.0 * (1.0 - self.share()).ln()).sqrt(), self.share());
        radius * (std::f64::consts::TAU * angle).cos()
    }
}
