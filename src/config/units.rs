//! Quantities as people write them: `90s`, `1h 30m`, `10MiB`.
//!
//! Each reader says what it found and what it allows, without the place, which only its caller knows.

use std::time::Duration;

/// Reads a duration of at least a millisecond's resolution, between two bounds.
pub(super) fn duration(text: &str, least: Duration, most: Duration) -> Result<Duration, String> {
    let found = humantime::parse_duration(text)
        .map_err(|_| format!("found {text:?}; allowed is a duration, such as \"250ms\", \"10s\" or \"1h 30m\""))?;
    if found.subsec_nanos() % 1_000_000 != 0 {
        return Err(format!("found {text:?}; allowed are whole milliseconds"));
    }
    if found < least || found > most {
        return Err(format!("found {text:?}; allowed is {} to {}", show(least), show(most)));
    }
    Ok(found)
}

/// A duration as [`duration`] reads it, in the largest unit that it is a whole number of.
pub(super) fn show(duration: Duration) -> String {
    const UNITS: [(u128, &str); 4] = [(24 * 60 * 60 * 1000, "d"), (60 * 60 * 1000, "h"), (60 * 1000, "m"), (1000, "s")];
    let millis = duration.as_millis();
    let unit = UNITS.iter().find(|(unit, _)| millis > 0 && millis.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{millis}ms"), |(unit, name)| format!("{}{name}", millis / unit))
}

/// Reads a size in bytes: a number with `B`, `KiB`, `MiB`, or `KB`, `MB` for powers of ten.
pub(super) fn bytes(text: &str) -> Option<usize> {
    let split = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(split)?;
    let factor = match unit.trim() {
        "B" => 1,
        "KB" => 1_000,
        "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "MiB" => 1 << 20,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(factor)
}

/// A size as [`bytes`] reads it.
pub(super) fn show_bytes(bytes: usize) -> String {
    match bytes {
        0 => "0B".to_owned(),
        _ if bytes.is_multiple_of(1 << 20) => format!("{}MiB", bytes >> 20),
        _ if bytes.is_multiple_of(1 << 10) => format!("{}KiB", bytes >> 10),
        _ => format!("{bytes}B"),
    }
}
