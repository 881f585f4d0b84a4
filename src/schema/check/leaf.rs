//! Rules that look at a value alone, and what is said of a value that breaks one.

use std::cmp::Ordering;

use serde_json::Value;

use super::unique;
use crate::node::{Rule, Types};
use crate::number;
use crate::violation;

/// Whether a value keeps a rule. Steps are taken from `left`; with none left, it does not.
pub(super) fn holds(rule: &Rule, value: &Value, left: &mut usize) -> bool {
    match (rule, value) {
        (Rule::Types(types), _) => types.0 & type_of(value) != 0,
        (Rule::Enum(values), _) => values.iter().any(|allowed| unique::equal(allowed, value, left)),
        (Rule::Minimum(bound), Value::Number(number)) => number::compare(number, bound) != Ordering::Less,
        (Rule::ExclusiveMinimum(bound), Value::Number(number)) => number::compare(number, bound) == Ordering::Greater,
        (Rule::Maximum(bound), Value::Number(number)) => number::compare(number, bound) != Ordering::Greater,
        (Rule::ExclusiveMaximum(bound), Value::Number(number)) => number::compare(number, bound) == Ordering::Less,
        (Rule::MultipleOf(of), Value::Number(number)) => number::is_multiple(number, of, left),
        (Rule::MinLength(least), Value::String(text)) => length(text, left) >= *least,
        (Rule::MaxLength(most), Value::String(text)) => length(text, left) <= *most,
        (Rule::Pattern(pattern), Value::String(text)) => pattern.is_match_within(text, left),
        (Rule::MinItems(least), Value::Array(items)) => items.len() as u64 >= *least,
        (Rule::MaxItems(most), Value::Array(items)) => items.len() as u64 <= *most,
        (Rule::UniqueItems, Value::Array(items)) => unique::first_twice(items, left).is_none(),
        (Rule::MinProperties(least), Value::Object(members)) => members.len() as u64 >= *least,
        (Rule::MaxProperties(most), Value::Object(members)) => members.len() as u64 <= *most,
        _ => true,
    }
}

/// In characters.
fn length(text: &str, left: &mut usize) -> u64 {
    *left = left.saturating_sub(text.len() / 32);
    text.chars().count() as u64
}

fn type_of(value: &Value) -> u8 {
    match value {
        Value::Null => Types::NULL,
        Value::Bool(_) => Types::BOOLEAN,
        Value::Number(number) if number::is_integer(number) => Types::INTEGER,
        Value::Number(_) => Types::FRACTION,
        Value::String(_) => Types::STRING,
        Value::Array(_) => Types::ARRAY,
        Value::Object(_) => Types::OBJECT,
    }
}

/// The keyword that a value breaks, what it expects, and what was found.
pub(super) fn broken(rule: &Rule, value: &Value) -> (&'static str, String, String) {
    let mut found = violation::shown(value);
    let (keyword, expected) = match rule {
        Rule::Types(types) => ("type", types.to_string()),
        Rule::Enum(values) => (if values.len() == 1 { "const" } else { "enum" }, violation::one_of(values)),
        Rule::Minimum(bound) => ("minimum", format!("at least {bound}")),
        Rule::ExclusiveMinimum(bound) => ("exclusiveMinimum", format!("more than {bound}")),
        Rule::Maximum(bound) => ("maximum", format!("at most {bound}")),
        Rule::ExclusiveMaximum(bound) => ("exclusiveMaximum", format!("less than {bound}")),
        Rule::MultipleOf(of) => ("multipleOf", format!("a multiple of {of}")),
        Rule::Pattern(pattern) => ("pattern", format!("a string that matches {}", violation::quoted(pattern.text()))),
        Rule::UniqueItems => {
            // Found within the budget before, and so again.
            let mut left = usize::MAX;
            let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
            if let Some((one, other)) = unique::first_twice(items, &mut left) {
                found = format!("{} at both {one} and {other}", items.get(one).map_or(String::new(), violation::json));
            }
            ("uniqueItems", "items that all differ".to_owned())
        }
        Rule::MinLength(bound) => return bounded("minLength", *bound, ["character", "characters"], length_of(value), &found),
        Rule::MaxLength(bound) => return bounded("maxLength", *bound, ["character", "characters"], length_of(value), &found),
        Rule::MinItems(bound) => return bounded("minItems", *bound, ["item", "items"], length_of(value), ""),
        Rule::MaxItems(bound) => return bounded("maxItems", *bound, ["item", "items"], length_of(value), ""),
        Rule::MinProperties(bound) => {
            return bounded("minProperties", *bound, ["property", "properties"], length_of(value), "");
        }
        Rule::MaxProperties(bound) => {
            return bounded("maxProperties", *bound, ["property", "properties"], length_of(value), "");
        }
        _ => ("schema", "another value".to_owned()),
    };
    (keyword, expected, found)
}

fn length_of(value: &Value) -> u64 {
    match value {
        Value::String(text) => text.chars().count() as u64,
        Value::Array(items) => items.len() as u64,
        Value::Object(members) => members.len() as u64,
        _ => 0,
    }
}

/// Of a count that is out of bounds: of `what`, in the singular and the plural.
pub(super) fn bounded(
    keyword: &'static str,
    bound: u64,
    what: [&str; 2],
    found: u64,
    within: &str,
) -> (&'static str, String, String) {
    let [one, many] = what;
    let words = if keyword.starts_with("min") { "at least" } else { "at most" };
    let counted = if bound == 1 { one } else { many };
    let within = if within.is_empty() { String::new() } else { format!(" in {within}") };
    (keyword, format!("{words} {bound} {counted}"), format!("{found}{within}"))
}
