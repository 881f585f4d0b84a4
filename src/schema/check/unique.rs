//! When two values are the same, and whether two of many are.

use std::cmp::Ordering;

use serde_json::Value;

use crate::number;

/// Whether two values are the same: numbers by their value, objects whatever the order of their members.
pub(crate) fn equal(one: &Value, other: &Value, steps: &mut usize) -> bool {
    *steps += 1;
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => number::compare(one, other) == Ordering::Equal,
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other, steps))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| equal(value, other, steps)))
        }
        _ => one == other,
    }
}

/// The first two items that are the same. Items are compared where their hashes are the same only.
pub(super) fn first_twice(items: &[Value], steps: &mut usize) -> Option<(usize, usize)> {
    let mut hashes: Vec<(u64, usize)> = items.iter().enumerate().map(|(place, item)| (hash(item, steps), place)).collect();
    hashes.sort_unstable();
    for (at, (hash, place)) in hashes.iter().enumerate() {
        for (other_hash, other) in hashes.iter().skip(at + 1) {
            if other_hash != hash || *steps > super::MOST_STEPS {
                break;
            }
            if let (Some(one), Some(two)) = (items.get(*place), items.get(*other))
                && equal(one, two, steps)
            {
                return Some((*place, *other));
            }
        }
    }
    None
}

const PRIME: u64 = 0x0100_0000_01B3;

fn bytes(seed: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(seed ^ 0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

fn hash(value: &Value, steps: &mut usize) -> u64 {
    *steps += 1;
    match value {
        Value::Null => 1,
        Value::Bool(value) => 2 + u64::from(*value),
        // All numbers of the same value have the same double.
        Value::Number(number) => bytes(4, &(number.as_f64().unwrap_or_default() + 0.0).to_bits().to_le_bytes()),
        Value::String(text) => bytes(5, text.as_bytes()),
        Value::Array(items) => items.iter().fold(6, |all, item| (all ^ hash(item, steps)).wrapping_mul(PRIME)),
        Value::Object(members) => {
            members.iter().fold(7, |all, (name, member)| all.wrapping_add(bytes(hash(member, steps), name.as_bytes())))
        }
    }
}
