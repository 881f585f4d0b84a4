//! Numbers and strings within their bounds.

use serde_json::{Number, Value, json};

use super::{MAX_TEXT, Schema, merge, pattern};

/// A value of the type `kind`: the `nth` of them where distinct ones are needed.
pub(super) fn value(kind: &str, flat: &Schema, nth: usize) -> Option<Value> {
    match kind {
        "null" => (nth == 0).then_some(Value::Null),
        "boolean" => [true, false].get(nth).map(|value| Value::Bool(*value)),
        "integer" => integer(flat, nth),
        "number" => number(flat, nth),
        "string" => string(flat, nth).map(Value::String),
        _ => None,
    }
}

/// Whether a value that the schema names (`const`, `enum`) is within what else it says.
pub(super) fn admits(flat: &Schema, value: &Value) -> bool {
    let kinds = merge::types(flat);
    let of_type = kinds.is_none_or(|kinds| kinds.iter().any(|kind| is(value, kind)));
    let listed = flat.get("enum").and_then(Value::as_array).is_none_or(|values| values.contains(value));
    let in_bounds = match value {
        Value::Number(number) => {
            number.as_f64().is_some_and(|number| Bounds::of(flat).is_some_and(|bounds| bounds.admit(number)))
        }
        Value::String(text) => {
            let (least, most) = lengths(flat);
            (least..=most).contains(&text.chars().count())
        }
        _ => true,
    };
    of_type && listed && in_bounds
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

struct Bounds {
    low: f64,
    high: f64,
    /// Whether the bounds themselves are outside.
    without_low: bool,
    without_high: bool,
    step: Option<f64>,
}

impl Bounds {
    /// Nothing where no number can satisfy them.
    fn of(flat: &Schema) -> Option<Self> {
        let number = |key| flat.get(key).and_then(Value::as_f64);
        let (minimum, maximum) = (number("minimum"), number("maximum"));
        let (above, below) = (number("exclusiveMinimum"), number("exclusiveMaximum"));
        let says = |key| flat.get(key) == Some(&Value::Bool(true));
        let low = minimum.into_iter().chain(above).fold(f64::NEG_INFINITY, f64::max);
        let high = maximum.into_iter().chain(below).fold(f64::INFINITY, f64::min);
        let step = number("multipleOf").filter(|step| *step > 0.0);
        let bounds = Self {
            low,
            high,
            without_low: above.is_some_and(|above| above >= low) || says("exclusiveMinimum"),
            without_high: below.is_some_and(|below| below <= high) || says("exclusiveMaximum"),
            step,
        };
        (low < high || (low <= high && !bounds.without_low && !bounds.without_high)).then_some(bounds)
    }

    fn admit(&self, number: f64) -> bool {
        let above = if self.without_low { number > self.low } else { number >= self.low };
        let below = if self.without_high { number < self.high } else { number <= self.high };
        above && below && self.step.is_none_or(|step| whole(number / step))
    }

    /// The multiple of `step` from which to count, and the direction: from zero, or the bound that is nearest to it.
    fn start(&self, step: f64) -> (f64, f64) {
        if self.low > 0.0 || (self.low >= 0.0 && self.without_low) {
            let first = (self.low / step).ceil();
            (if self.without_low && first * step <= self.low { first + 1.0 } else { first }, 1.0)
        } else if self.high < 0.0 || (self.high <= 0.0 && self.without_high) {
            let first = (self.high / step).floor();
            (if self.without_high && first * step >= self.high { first - 1.0 } else { first }, -1.0)
        } else {
            (0.0, 1.0)
        }
    }
}

/// Division by a step such as 0.1 is never quite exact.
fn whole(quotient: f64) -> bool {
    (quotient - quotient.round()).abs() < 1e-9 * quotient.abs().max(1.0)
}

/// How many multiples are looked at for one that is an integer too.
const MULTIPLES: u32 = 10_000;

fn integer(flat: &Schema, nth: usize) -> Option<Value> {
    let bounds = Bounds::of(flat)?;
    // Every integer has to be a multiple of the step, or every multiple that is an integer has to be found.
    let step = bounds.step.filter(|step| *step > 1.0 || !whole(1.0 / step)).unwrap_or(1.0);
    let found = multiples(&bounds, step).filter(|number| number.fract() == 0.0).nth(nth)?;
    // Beyond 2^53 a float does not hold every integer, and the bound that led here is not to be missed by one.
    let bound = flat.get(if found > 0.0 { "minimum" } else { "maximum" });
    let exact =
        bound.filter(|bound| nth == 0 && found.abs() > 9.0e15 && bounds.step.is_none() && bound.as_f64() == Some(found));
    exact.cloned().or_else(|| decimal(found, 0))
}

fn number(flat: &Schema, nth: usize) -> Option<Value> {
    let bounds = Bounds::of(flat)?;
    if let Some(step) = bounds.step {
        let found = multiples(&bounds, step).nth(nth)?;
        return decimal(found, decimals(flat.get("multipleOf")));
    }
    if let Some(found) = multiples(&bounds, 1.0).nth(nth) {
        return decimal(found, 0);
    }
    if bounds.admit(bounds.low) && nth == 0 {
        return Some(json!(bounds.low));
    }
    // No whole number lies between the bounds: the middle does, and for further ones the middle between it and the
    // upper bound.
    let mut low = bounds.low;
    let middle = (0..=nth.min(40))
        .map(|_| {
            low = low.midpoint(bounds.high);
            low
        })
        .last()?;
    Some(json!(middle))
}

fn multiples(bounds: &Bounds, step: f64) -> impl Iterator<Item = f64> {
    let (first, direction) = bounds.start(step);
    let forward = (0..MULTIPLES)
        .map(move |at| (first + direction * f64::from(at)) * step)
        .take_while(|number| bounds.admit_all_but_step(*number));
    // From zero upwards, and then downwards, where negative numbers are allowed too.
    let backward = (1..MULTIPLES)
        .map(move |at| (first - direction * f64::from(at)) * step)
        .take_while(|number| bounds.admit_all_but_step(*number));
    forward.chain(backward)
}

impl Bounds {
    fn admit_all_but_step(&self, number: f64) -> bool {
        Self { step: None, ..*self }.admit(number)
    }
}

/// How many decimals a step has, so that three times 0.1 is 0.3.
fn decimals(step: Option<&Value>) -> usize {
    let text = step.map(Value::to_string).unwrap_or_default();
    match text.split_once("e-") {
        Some((_, exponent)) => exponent.parse().unwrap_or(0),
        None => text.split_once('.').map_or(0, |(_, digits)| digits.len()),
    }
}

fn decimal(number: f64, decimals: usize) -> Option<Value> {
    if !number.is_finite() {
        return None;
    }
    let text = format!("{:.*}", decimals.min(30), number);
    let text = if decimals > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    let text = if text == "-0" { "0" } else { text };
    text.parse::<Number>().ok().map(Value::Number)
}

/// A keyword that counts something, which may be written as `2.0`.
pub(super) fn count(flat: &Schema, key: &str, otherwise: usize) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates, which is what a count needs"
    )]
    flat.get(key).and_then(Value::as_f64).map_or(otherwise, |count| count as usize)
}

fn lengths(flat: &Schema) -> (usize, usize) {
    (count(flat, "minLength", 0), count(flat, "maxLength", usize::MAX))
}

fn string(flat: &Schema, nth: usize) -> Option<String> {
    let (least, most) = lengths(flat);
    if least > most || least > MAX_TEXT {
        return None;
    }
    let fits = |text: &String| (least..=most).contains(&text.chars().count());
    if let Some(sample) =
        flat.get("pattern").and_then(Value::as_str).and_then(|pattern| pattern::sample(pattern, least, nth)).filter(fits)
    {
        return Some(sample);
    }
    if let Some(text) = flat.get("format").and_then(Value::as_str).and_then(|format| formatted(format, least, nth)).filter(fits)
    {
        return Some(text);
    }
    let mut text = if nth == 0 { "example".to_owned() } else { format!("example{}", nth + 1) };
    if text.len() > most {
        // Short strings that are all different: a, b, … z, then two letters.
        text = letters(nth).filter(|text| text.len() <= most).unwrap_or_default();
    }
    text.extend(std::iter::repeat_n('.', least.saturating_sub(text.len())));
    Some(text).filter(fits)
}

fn letters(nth: usize) -> Option<String> {
    let letter = |at: usize| u8::try_from(at % 26).ok().map(|at| char::from(b'a' + at));
    if nth < 26 { letter(nth).map(String::from) } else { Some([letter(nth / 26 - 1)?, letter(nth)?].iter().collect()) }
}

/// A string of a format that JSON Schema 2020-12 (validation, section 7.3) defines, at least `least` long where the
/// format can be.
fn formatted(format: &str, least: usize, nth: usize) -> Option<String> {
    let number = nth + 1;
    let padded = |before: &str, after: &str| {
        let short = least.saturating_sub(before.len() + after.len());
        format!("{before}{}{after}", "a".repeat(short))
    };
    let suffix = if nth == 0 { String::new() } else { number.to_string() };
    Some(match format {
        "date-time" => format!("2025-01-01T{:02}:{:02}:00Z", 12 + nth / 60 % 12, nth % 60),
        "date" => format!("{}-01-01", 2025 + nth),
        "time" => format!("{:02}:{:02}:00Z", 12 + nth / 60 % 12, nth % 60),
        "duration" => format!("P{number}D"),
        "email" | "idn-email" => padded("someone", &format!("{suffix}@example.com")),
        "hostname" | "idn-hostname" => format!("host{suffix}.example.com"),
        "ipv4" => format!("192.0.2.{}", number.min(254)),
        "ipv6" => format!("2001:db8::{number:x}"),
        "uri" | "iri" | "url" => padded(&format!("https://example.com/{suffix}"), ""),
        "uri-reference" | "iri-reference" | "json-pointer" => padded(&format!("/example{suffix}"), ""),
        "uri-template" => padded(&format!("/example{suffix}/"), "{id}"),
        "uuid" => format!("00000000-0000-4000-8000-{number:012x}"),
        "relative-json-pointer" => nth.to_string(),
        "regex" => format!("^example{suffix}$"),
        _ => return None,
    })
}
