//! When a provider's circuits open, and for how long.

use std::time::Duration;

use crate::config::read::Value;
use crate::config::units;

/// A provider's circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerSettings {
    /// So many failures in a row open a circuit.
    pub failures: u32,
    /// So do failures that are this share of a window's calls, above 0 and up to 1.
    pub error_rate: f64,
    /// The least number of calls in a window by which a share is judged.
    pub min_requests: u32,
    /// How far back calls count towards the share.
    pub window: Duration,
    /// How long a circuit stays open the first time.
    pub cooldown: Duration,
    /// The longest that it stays open, however often it opens again; not shorter than `cooldown`.
    pub max_cooldown: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            failures: 5,
            error_rate: 0.5,
            min_requests: 10,
            window: Duration::from_secs(30),
            cooldown: Duration::from_secs(10),
            max_cooldown: Duration::from_mins(1),
        }
    }
}

/// Counts beyond this are as good as never, and they bound what an object remembers.
const MOST_COUNT: u32 = 10_000;
/// A window holds at least the few calls that a share can be judged by, and is forgotten within the hour.
const WINDOW: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(1));
/// Shorter cooldowns would let isolates probe faster than their knowledge travels; a day is the longest outage to wait out unseen.
const COOLDOWN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_hours(24));

/// Reads `breaker = { … }`.
pub(super) fn read(value: &Value<'_>) -> BreakerSettings {
    let mut settings = BreakerSettings::default();
    let Some(table) = value.table() else { return settings };
    let count = |key| table.get(key).and_then(|value: Value<'_>| value.whole(1, MOST_COUNT));
    settings.failures = count("failures").unwrap_or(settings.failures);
    if let Some(value) = table.get("error_rate") {
        match value.as_number().filter(|rate| *rate > 0.0 && *rate <= 1.0) {
            Some(rate) => settings.error_rate = rate,
            None => value.wrong("a number above 0, up to 1"),
        }
    }
    settings.min_requests = count("min_requests").unwrap_or(settings.min_requests);
    let time = |key, (least, most)| table.get(key).and_then(|value: Value<'_>| value.duration(least, most));
    settings.window = time("window", WINDOW).unwrap_or(settings.window);
    settings.cooldown = time("cooldown", COOLDOWN).unwrap_or(settings.cooldown);
    match (table.get("max_cooldown"), time("max_cooldown", COOLDOWN)) {
        (Some(value), Some(longest)) if longest < settings.cooldown => {
            value.wrong(&format!("at least cooldown, which is {}", units::show(settings.cooldown)));
        }
        (_, Some(longest)) => settings.max_cooldown = longest,
        // Somebody who asks for one long cooldown need not know that there is a longest.
        (_, None) => settings.max_cooldown = settings.max_cooldown.max(settings.cooldown),
    }
    table.close();
    settings
}
