//! Numbers as JSON has them, which knows no difference between 1 and 1.0.

use std::cmp::Ordering;

use serde_json::Number;

/// Its value, where it is a whole number that fits; so does every one that is written as one.
fn whole(number: &Number) -> Option<i128> {
    if let Some(whole) = number.as_i64() {
        return Some(whole.into());
    }
    if let Some(whole) = number.as_u64() {
        return Some(whole.into());
    }
    let float = number.as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^126")]
    (float.fract() == 0.0 && float.abs() < 8.0e37).then_some(float as i128)
}

/// Whether it is an integer: `1.0` is.
pub(crate) fn is_integer(number: &Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|float| float.fract() == 0.0)
}

/// Which is larger.
pub(crate) fn compare(one: &Number, other: &Number) -> Ordering {
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => one.as_f64().partial_cmp(&other.as_f64()).unwrap_or(Ordering::Equal),
    }
}

/// Whether it is a multiple of `of`, which is above 0.
pub(crate) fn is_multiple(number: &Number, of: &Number) -> bool {
    if let (Some(number), Some(of)) = (whole(number), whole(of)) {
        return of != 0 && number % of == 0;
    }
    let (Some(number), Some(of)) = (number.as_f64(), of.as_f64()) else { return false };
    let times = number / of;
    if !times.is_finite() {
        return number % of == 0.0;
    }
    // Neither of two decimal fractions is what it says: 0.0075 is 75.00000000000001 times 0.0001.
    (times - times.round()).abs() <= 1e-9 * times.abs().max(1.0)
}
