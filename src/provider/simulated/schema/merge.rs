//! Two schemas that hold at the same place, as one.

use serde_json::{Map, Value, json};

use super::Schema;

/// Adds what `more` says to `flat`, neither holding a combinator; nothing where the two contradict each other.
pub(super) fn into(flat: &mut Schema, more: Schema) -> Option<()> {
    for (key, theirs) in more {
        let Some(ours) = flat.remove(&key) else {
            flat.insert(key, theirs);
            continue;
        };
        let both = keyword(&key, ours, theirs)?;
        flat.insert(key, both);
    }
    Some(())
}

fn keyword(key: &str, ours: Value, theirs: Value) -> Option<Value> {
    Some(match key {
        "type" => {
            let common = common_types(&listed(&ours), &listed(&theirs));
            if common.is_empty() {
                return None;
            }
            json!(common)
        }
        "const" => (ours == theirs).then_some(ours)?,
        "enum" => {
            let (ours, theirs) = (ours.as_array()?, theirs.as_array()?);
            Value::Array(ours.iter().filter(|value| theirs.contains(value)).cloned().collect())
        }
        "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties" | "minContains" => larger(ours, theirs),
        "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties" => {
            if larger(ours.clone(), theirs.clone()) == ours { theirs } else { ours }
        }
        "multipleOf" => match (ours.as_u64(), theirs.as_u64()) {
            (Some(a), Some(b)) => json!(a / gcd(a, b).max(1) * b),
            _ => larger(ours, theirs),
        },
        "uniqueItems" => Value::Bool(ours == true || theirs == true),
        "required" => {
            let mut names = ours.as_array()?.clone();
            names.extend(
                theirs.as_array()?.iter().filter(|name| !ours.as_array().is_some_and(|ours| ours.contains(name))).cloned(),
            );
            Value::Array(names)
        }
        "properties" | "patternProperties" | "$defs" | "definitions" | "dependentRequired" => members(ours, theirs)?,
        "prefixItems" => positions(&ours, &theirs)?,
        "items" | "additionalItems" | "additionalProperties" | "contains" | "propertyNames" => both(ours, theirs),
        // Titles, defaults and the like; of two patterns or formats the first is tried.
        _ => ours,
    })
}

fn both(ours: Value, theirs: Value) -> Value {
    if ours == theirs { ours } else { Value::Object(Map::from_iter([("allOf".to_owned(), Value::Array(vec![ours, theirs]))])) }
}

fn members(ours: Value, theirs: Value) -> Option<Value> {
    let (Value::Object(mut ours), Value::Object(theirs)) = (ours, theirs) else { return None };
    for (name, schema) in theirs {
        let schema = match ours.remove(&name) {
            Some(other) => both(other, schema),
            None => schema,
        };
        ours.insert(name, schema);
    }
    Some(Value::Object(ours))
}

fn positions(ours: &Value, theirs: &Value) -> Option<Value> {
    let (ours, theirs) = (ours.as_array()?, theirs.as_array()?);
    let longer = ours.len().max(theirs.len());
    let at = |index: usize| match (ours.get(index), theirs.get(index)) {
        (Some(a), Some(b)) => both(a.clone(), b.clone()),
        (a, b) => a.or(b).cloned().unwrap_or(Value::Bool(true)),
    };
    Some(Value::Array((0..longer).map(at).collect()))
}

fn larger(ours: Value, theirs: Value) -> Value {
    if ours.as_f64() >= theirs.as_f64() { ours } else { theirs }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The types that `flat` allows, where it says so.
pub(super) fn types(flat: &Map<String, Value>) -> Option<Vec<String>> {
    flat.get("type").map(listed)
}

fn listed(types: &Value) -> Vec<String> {
    match types {
        Value::String(kind) => vec![kind.clone()],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn common_types(ours: &[String], theirs: &[String]) -> Vec<String> {
    let mut common = Vec::new();
    for a in ours {
        for b in theirs {
            let kind = match (a.as_str(), b.as_str()) {
                (a, b) if a == b => a,
                ("integer", "number") | ("number", "integer") => "integer",
                _ => continue,
            };
            if !common.iter().any(|known| known == kind) {
                common.push(kind.to_owned());
            }
        }
    }
    common
}
