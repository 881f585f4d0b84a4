//! When two values are the same, and whether two of many are.

use std::cmp::Ordering;

use serde_json::Value;

use crate::number;
use crate::sort::sort;

/// Whether two values are the same: numbers by their value, objects whatever the order of their members. With no steps left, they are not.
pub(super) fn equal(one: &Value, other: &Value, left: &mut usize) -> bool {
    *left = left.saturating_sub(1);
    if *left == 0 {
        return false;
    }
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => number::compare(one, other) == Ordering::Equal,
        (Value::String(one), Value::String(other)) => {
            if one.len() != other.len() {
                return false;
            }
            *left = left.saturating_sub(one.len() / 32);
            one == other
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other, left))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| equal(value, other, left)))
        }
        (Value::Null, Value::Null) => true,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        _ => false,
    }
}

/// Two items that are the same, the first of them first. Items are compared where their hashes are the same only.
pub(super) fn first_twice(items: &[Value], left: &mut usize) -> Option<(usize, usize)> {
    let mut hashes: Vec<(u64, usize)> = Vec::with_capacity(items.len());
    for (place, item) in items.iter().enumerate() {
        hashes.push((hash(item, left), place));
        if *left == 0 {
            return None;
        }
    }
    // A step for each level of the heap.
    *left = left.saturating_sub(hashes.len() * (usize::BITS - hashes.len().leading_zeros()) as usize);
    sort(&mut hashes);
    for (at, (hash, place)) in hashes.iter().enumerate() {
        for (other_hash, other) in hashes.iter().skip(at + 1) {
            if other_hash != hash || *left == 0 {
                break;
            }
            if let (Some(one), Some(two)) = (items.get(*place), items.get(*other))
                && equal(one, two, left)
            {
                return Some((*place, *other));
            }
        }
    }
    None
}

const PRIME: u64 = 0x0100_0000_01B3;

fn bytes(seed: u64, bytes: &[u8], left: &mut usize) -> u64 {
    *left = left.saturating_sub(1 + bytes.len() / 8);
    bytes.iter().fold(seed ^ 0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

fn hash(value: &Value, left: &mut usize) -> u64 {
    *left = left.saturating_sub(1);
    match value {
        _ if *left == 0 => 0,
        Value::Null => 1,
        Value::Bool(value) => 2 + u64::from(*value),
        // All numbers of the same value have the same double.
        Value::Number(number) => bytes(4, &(number.as_f64().unwrap_or_default() + 0.0).to_bits().to_le_bytes(), left),
        Value::String(text) => bytes(5, text.as_bytes(), left),
        Value::Array(items) => items.iter().fold(6, |all, item| (all ^ hash(item, left)).wrapping_mul(PRIME)),
        Value::Object(members) => members.iter().fold(7, |all, (name, member)| {
            let seed = hash(member, left);
            all.wrapping_add(bytes(seed, name.as_bytes(), left))
        }),
    }
}
