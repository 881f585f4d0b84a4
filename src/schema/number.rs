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

/// Which is larger. Of two that are not both whole, one has a fraction, and is below 2^52, where doubles tell it from every whole number; or one is above 2^124.
pub(crate) fn compare(one: &Number, other: &Number) -> Ordering {
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => one.as_f64().partial_cmp(&other.as_f64()).unwrap_or(Ordering::Equal),
    }
}

/// Whether it is a multiple of `of`, which is above 0: by the decimal digits of both, as 0.0075 is a multiple of 0.0001, but no double of another.
/// Takes steps from `left` by their distance.
pub(crate) fn is_multiple(number: &Number, of: &Number, left: &mut usize) -> bool {
    let ((digits, power), (of, of_power)) = (decimal(number), decimal(of));
    if digits == 0 {
        return true;
    }
    // With fewer places than the number has, `of` divides none whose last digit is there, which is not 0.
    let Some(places) = power.checked_sub(of_power).and_then(|places| u32::try_from(places).ok()) else { return false };
    if of == 0 {
        return false;
    }
    let sum = |one: u64, other: u64| if one >= of - other { one - (of - other) } else { one + other };
    let mut rest = digits % of;
    *left = left.saturating_sub(20 + places as usize);
    for _ in 0..places {
        if rest == 0 {
            return true;
        }
        let twice = sum(rest, rest);
        let four = sum(twice, twice);
        let five = sum(four, rest);
        rest = sum(five, five);
    }
    rest == 0
}

/// A number's size: digits of which the last is not 0, times a power of ten. They are those of the shortest text that is this number: 20 at most.
fn decimal(number: &Number) -> (u64, i32) {
    let (mut digits, mut power, mut is_fraction) = (0_u64, 0_i32, false);
    let text = number.to_string();
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
    for byte in mantissa.bytes() {
        match byte {
            b'0'..=b'9' => {
                digits = digits.saturating_mul(10).saturating_add((byte - b'0').into());
                power -= i32::from(is_fraction);
            }
            b'.' => is_fraction = true,
            _ => {}
        }
    }
    power += exponent.parse::<i32>().unwrap_or_default();
    while digits != 0 && digits % 10 == 0 {
        digits /= 10;
        power += 1;
    }
    (digits, power)
}
