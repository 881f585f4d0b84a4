//! An instance of a JSON schema: what the simulated provider says when it is asked for structured output, or calls a
//! tool.
//!
//! The instance is the smallest that is easily found, and always the same one: required properties only, as few items
//! as are allowed, numbers near zero, strings that name an example. `null` comes last among a property's types, so that
//! something optional is shown with a value.
//!
//! [`instance`] first flattens what applies at one place (`$ref`, `allOf`, the first branch of `anyOf` or `oneOf` that
//! works, `if` with `then`) into one schema without combinators (`merge`), and then builds a value for that (`scalar`,
//! `pattern`, and here for objects and lists). A definition is never entered within itself: an instance that holds one
//! of its own kind could be replaced by that one, so the smallest never does, and recursion ends by itself.
//!
//! This is not a validator. It does not look at `not` (but for one that forbids everything), `unevaluatedProperties`
//! and `unevaluatedItems`, `dependentSchemas`, remote references, or whether a second branch of a `oneOf` would match
//! too. A schema that needs those gets a best guess; one that is plainly impossible, or refers to somewhere else, gets
//! nothing.

mod merge;
mod pattern;
mod scalar;

use serde_json::{Map, Value};

use crate::http::percent_decoded;

type Schema = Map<String, Value>;

/// How many places and branches may be looked at. A schema that people write by hand or derive from a type needs a few
/// hundred.
const MAX_STEPS: usize = 4_000;
/// How many references, branches and levels of an instance may lie within each other: what fits into a worker's stack
/// of 1 MiB with room to spare.
const MAX_CALLS: usize = 160;

/// How many characters the strings of an instance may have together, names not counted.
const MAX_TEXT: usize = 64 * 1024;

/// A minimal instance of `schema`, or nothing where none was found.
#[must_use]
pub fn instance(schema: &Value) -> Option<Value> {
    Generator { root: schema, steps: 0, calls: 0, room: MAX_TEXT, depth: 0, within: Vec::new() }.build(schema.clone(), 0)
}

struct Generator<'a> {
    root: &'a Value,
    steps: usize,
    calls: usize,
    /// The characters that may still be written.
    room: usize,
    /// The level of the instance that is being built.
    depth: usize,
    /// The references that led here, each with the depth at which it was followed.
    within: Vec<(String, usize)>,
}

impl Generator<'_> {
    /// A value for `schema`: the `nth` of them, where distinct ones are needed.
    fn build(&mut self, schema: Value, nth: usize) -> Option<Value> {
        self.depth += 1;
        let value = self.nested(|this| this.flatten(Schema::new(), vec![schema], nth));
        self.depth -= 1;
        value
    }

    /// Merges `todo` into `flat`, branch by branch, until nothing is left to be merged and a value can be built.
    fn flatten(&mut self, mut flat: Schema, mut todo: Vec<Value>, nth: usize) -> Option<Value> {
        while let Some(next) = todo.pop() {
            self.steps += 1;
            if self.steps > MAX_STEPS {
                return None;
            }
            let mut schema = match next {
                Value::Bool(true) => continue,
                Value::Object(schema) => schema,
                _ => return None,
            };
            if schema.get("not").is_some_and(|not| *not == true || not.as_object().is_some_and(Map::is_empty)) {
                return None;
            }
            if let Some(Value::Array(parts)) = schema.remove("allOf") {
                todo.push(Value::Object(schema));
                todo.extend(parts);
                continue;
            }
            if let Some(Value::String(reference)) = schema.remove("$ref") {
                todo.push(Value::Object(schema));
                return self.follow(&reference, flat, todo, nth);
            }
            if let Some(branches) = branches(&mut schema) {
                todo.push(Value::Object(schema));
                return self.first_that_works(branches, &flat, &todo, nth);
            }
            merge::into(&mut flat, schema)?;
        }
        self.value(&flat, nth)
    }

    fn first_that_works(&mut self, branches: Vec<Vec<Value>>, flat: &Schema, todo: &[Value], nth: usize) -> Option<Value> {
        branches.into_iter().find_map(|branch| {
            let todo = todo.iter().cloned().chain(branch).collect();
            self.nested(|this| this.flatten(flat.clone(), todo, nth))
        })
    }

    /// Goes one call deeper, as far as the stack is meant for.
    fn nested(&mut self, inner: impl FnOnce(&mut Self) -> Option<Value>) -> Option<Value> {
        if self.calls >= MAX_CALLS {
            return None;
        }
        self.calls += 1;
        let value = inner(self);
        self.calls -= 1;
        value
    }

    fn follow(&mut self, reference: &str, flat: Schema, mut todo: Vec<Value>, nth: usize) -> Option<Value> {
        match self.within.iter().find(|(name, _)| name == reference) {
            // Merged already: saying it twice at one place adds nothing.
            Some((_, depth)) if *depth == self.depth => self.nested(|this| this.flatten(flat, todo, nth)),
            Some(_) => None,
            None => {
                todo.push(resolve(self.root, reference)?.clone());
                self.within.push((reference.to_owned(), self.depth));
                let value = self.nested(|this| this.flatten(flat, todo, nth));
                self.within.pop();
                value
            }
        }
    }

    /// A value for a schema without combinators.
    fn value(&mut self, flat: &Schema, nth: usize) -> Option<Value> {
        if let Some(value) = flat.get("const") {
            return Some(value.clone()).filter(|value| scalar::admits(flat, value));
        }
        if let Some(Value::Array(values)) = flat.get("enum") {
            let admitted = values.iter().filter(|value| scalar::admits(flat, value));
            // Null is the last resort.
            let (nulls, mut values): (Vec<&Value>, Vec<&Value>) = admitted.partition(|value| value.is_null());
            values.extend(nulls);
            return values.get(nth).map(|value| (*value).clone());
        }
        let kinds = merge::types(flat).unwrap_or_else(|| vec![implied(flat).to_owned()]);
        let (nulls, mut kinds): (Vec<String>, Vec<String>) = kinds.into_iter().partition(|kind| kind == "null");
        kinds.extend(nulls);
        kinds.iter().find_map(|kind| match kind.as_str() {
            "object" => self.object(flat, nth),
            "array" => self.array(flat, nth),
            kind => self.fit(scalar::value(kind, flat, nth)?),
        })
    }

    fn fit(&mut self, value: Value) -> Option<Value> {
        self.room = self.room.checked_sub(value.as_str().map_or(0, str::len))?;
        Some(value)
    }

    fn object(&mut self, flat: &Schema, nth: usize) -> Option<Value> {
        let mut names = strings(flat.get("required"));
        let dependent = flat.get("dependentRequired").and_then(Value::as_object);
        let mut at = 0;
        while let Some(name) = names.get(at) {
            let more = strings(dependent.and_then(|dependent| dependent.get(name)));
            let new: Vec<String> = more.into_iter().filter(|name| !names.contains(name)).collect();
            names.extend(new);
            at += 1;
        }
        let mut object = Schema::new();
        for name in names {
            if !object.contains_key(&name) {
                let value = self.build(property(flat, &name), nth)?;
                object.insert(name, value);
            }
        }
        self.fill(flat, &mut object, nth)?;
        (object.len() <= scalar::count(flat, "maxProperties", usize::MAX)).then_some(Value::Object(object))
    }

    /// Adds properties until `minProperties` is met: first those that the schema lists, then invented ones.
    fn fill(&mut self, flat: &Schema, object: &mut Schema, nth: usize) -> Option<()> {
        let least = scalar::count(flat, "minProperties", 0);
        if least > MAX_STEPS {
            return None;
        }
        let listed = flat.get("properties").and_then(Value::as_object);
        for name in listed.into_iter().flat_map(Map::keys) {
            if object.len() < least
                && !object.contains_key(name)
                && let Some(value) = self.build(property(flat, name), nth)
            {
                object.insert(name.clone(), value);
            }
        }
        let invented =
            |at| flat.get("patternProperties")?.as_object()?.keys().find_map(|pattern| pattern::sample(pattern, 1, at));
        for at in 0..least {
            if object.len() >= least {
                break;
            }
            let name = match flat.get("propertyNames") {
                Some(names) => self.build(names.clone(), at)?.as_str()?.to_owned(),
                None => invented(at).unwrap_or_else(|| format!("property{}", at + 1)),
            };
            let value = self.build(property(flat, &name), nth)?;
            object.insert(name, value);
        }
        (object.len() >= least).then_some(())
    }

    fn array(&mut self, flat: &Schema, nth: usize) -> Option<Value> {
        let least = scalar::count(flat, "minItems", 0);
        let contained = flat.get("contains");
        let wanted = if contained.is_some() { scalar::count(flat, "minContains", 1) } else { 0 };
        let count = least.max(wanted);
        let too_many = count > scalar::count(flat, "maxItems", MAX_STEPS).min(MAX_STEPS);
        if too_many || wanted > scalar::count(flat, "maxContains", usize::MAX) {
            return None;
        }
        let distinct = flat.get("uniqueItems") == Some(&Value::Bool(true));
        let mut items = Vec::new();
        for at in 0..count {
            let mut schema = item(flat, at);
            if let Some(contains) = contained.filter(|_| at < wanted) {
                schema = serde_json::json!({ "allOf": [schema, contains] });
            }
            // Only the first is varied where this list itself is one of several.
            let variant = if distinct {
                at + nth
            } else if at == 0 {
                nth
            } else {
                0
            };
            items.push(self.build(schema, variant)?);
        }
        let repeats =
            |items: &[Value]| (1..items.len()).any(|at| items.iter().take(at).any(|earlier| Some(earlier) == items.get(at)));
        (!distinct || !repeats(&items)).then_some(Value::Array(items))
    }
}

/// Takes a choice between branches out of a schema: each a list of what holds together. Branches that are only null
/// come last.
fn branches(schema: &mut Schema) -> Option<Vec<Vec<Value>>> {
    if let Some(Value::Array(branches)) = schema.remove("anyOf").or_else(|| schema.remove("oneOf")) {
        let (null, other): (Vec<Value>, Vec<Value>) = branches.into_iter().partition(is_null);
        return Some(other.into_iter().chain(null).map(|branch| vec![branch]).collect());
    }
    let condition = schema.remove("if")?;
    let mut then = |key| schema.remove(key).unwrap_or(Value::Bool(true));
    let (then, otherwise) = (then("then"), then("else"));
    Some(vec![vec![condition, then], vec![otherwise]])
}

/// What holds for the property `name`.
fn property(flat: &Schema, name: &str) -> Value {
    if let Some(schema) = flat.get("properties").and_then(|properties| properties.get(name)) {
        return schema.clone();
    }
    // Whether a name matches a pattern is not found out: where there are patterns, the first one is taken to be meant.
    let patterned = flat.get("patternProperties").and_then(Value::as_object).and_then(|patterns| patterns.values().next());
    patterned.or_else(|| flat.get("additionalProperties")).cloned().unwrap_or(Value::Bool(true))
}

/// What holds for the item at `at`: by position (`prefixItems`, a list of `items` in draft 7), or as for all others.
fn item(flat: &Schema, at: usize) -> Value {
    let positions = flat.get("prefixItems").or_else(|| flat.get("items")).and_then(Value::as_array);
    let rest = match flat.get("items") {
        Some(Value::Array(_)) => flat.get("additionalItems"),
        other => other,
    };
    positions.and_then(|positions| positions.get(at)).or(rest).cloned().unwrap_or(Value::Bool(true))
}

/// The type that a schema without one is about.
fn implied(flat: &Schema) -> &'static str {
    let about = |keys: &[&str]| keys.iter().any(|key| flat.contains_key(*key));
    if about(&["properties", "required", "minProperties", "patternProperties", "additionalProperties", "propertyNames"]) {
        "object"
    } else if about(&["items", "prefixItems", "minItems", "contains", "uniqueItems"]) {
        "array"
    } else if about(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"])
        && !about(&["minLength", "pattern", "format"])
    {
        "number"
    } else {
        "string"
    }
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null") || schema.get("const").is_some_and(Value::is_null)
}

fn strings(value: Option<&Value>) -> Vec<String> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// What a local reference (`#`, `#/$defs/name`, `#name`) points to.
fn resolve<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    // RFC 6901, section 6: a pointer in a fragment may hold escaped characters.
    let fragment = percent_decoded(reference.strip_prefix('#')?).ok()?;
    if fragment.is_empty() || fragment.starts_with('/') {
        return root.pointer(&fragment);
    }
    let definitions = ["$defs", "definitions"].into_iter().filter_map(|key| root.get(key)?.as_object());
    definitions.flat_map(Map::values).find(|schema| schema.get("$anchor").and_then(Value::as_str) == Some(&fragment))
}
