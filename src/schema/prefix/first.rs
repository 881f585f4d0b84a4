//! What the first byte of a value says: which nodes it must be valid against, and whether it can be at all.

use serde_json::Value;

use super::syntax::Kind;
use crate::Schema;
use crate::node::{Id, Node, Rule, Types};

/// How deep branches are looked into, and how far for one value.
const DEPTH: u32 = 8;
pub(super) const FAR: usize = 10_000;

/// A string in a rule: its node, the rule there, and which of the rule's it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(Id, usize, usize);

impl Place {
    pub(super) fn text(self, schema: &Schema) -> &str {
        match schema.rules(self.0).get(self.1) {
            Some(Rule::Enum(values)) => values.get(self.2).and_then(Value::as_str),
            Some(Rule::Required(names)) => names.get(self.2).map(String::as_str),
            _ => None,
        }
        .unwrap_or_default()
    }
}

/// Those that pass, in any order: small, as it is compiled once.
pub(super) fn keep(places: &mut Vec<Place>, test: &dyn Fn(Place) -> bool) {
    let mut at = 0;
    while let Some(place) = places.get(at) {
        if test(*place) {
            at += 1;
        } else {
            places.swap_remove(at);
        }
    }
}

/// What is known of a value by its first byte.
#[derive(Debug)]
pub(super) struct First {
    /// The nodes that it must be valid against.
    pub(super) nodes: Vec<Id>,
    /// Those of them that must see it whole.
    pub(super) close: Vec<Id>,
    /// The names that an object must have; or, if it `is_listed`, what a string can be.
    pub(super) places: Vec<Place>,
    pub(super) is_listed: bool,
    /// How many items and members it must have.
    pub(super) least: u64,
    /// How many items, members or characters it can have.
    pub(super) most: u64,
}

impl First {
    pub(super) fn new() -> Self {
        Self { nodes: Vec::new(), close: Vec::new(), places: Vec::new(), is_listed: false, least: 0, most: u64::MAX }
    }

    /// Reads what `todo` say of a value of this kind. Returned is the keyword that it cannot meet, if there is one, and what that expected.
    pub(super) fn read(
        &mut self,
        schema: &Schema,
        mut todo: Vec<Id>,
        kind: Kind,
        steps: &mut usize,
    ) -> Option<(&'static str, String)> {
        let limit = *steps + FAR;
        while let Some(id) = todo.pop() {
            *steps += 1 + self.nodes.len();
            if self.nodes.contains(&id) {
                continue;
            }
            self.nodes.push(id);
            if schema.has_never(&[id]) {
                return Some(("false", "nothing".to_owned()));
            }
            let mut close = false;
            for (at, rule) in schema.rules(id).iter().enumerate() {
                *steps += 1;
                match rule {
                    Rule::Types(types) => {
                        if types.0 & bits(kind) == 0 {
                            return Some(("type", types.to_string()));
                        }
                        close |= kind == Kind::Number && types.0 & bits(kind) != bits(kind);
                    }
                    Rule::Enum(values) => {
                        *steps += values.len();
                        if !values.iter().any(|value| kind_of(value) == kind) {
                            return Some(("enum", crate::violation::one_of(values)));
                        }
                        close = true;
                        if kind == Kind::String {
                            self.narrow(schema, id, at, values);
                        }
                    }
                    Rule::Required(names) if kind == Kind::Object => {
                        *steps += names.len();
                        for name in 0..names.len() {
                            self.places.push(Place(id, at, name));
                        }
                    }
                    Rule::Ref(node) => todo.push(*node),
                    Rule::AllOf(nodes) => todo.extend_from_slice(nodes),
                    Rule::AnyOf(nodes) | Rule::OneOf(nodes) => {
                        let (mut left, mut only) = (0, id);
                        for node in nodes {
                            if possible(schema, *node, kind, DEPTH, steps, limit) {
                                left += 1;
                                only = *node;
                            }
                        }
                        match left {
                            0 => {
                                let keyword = if matches!(rule, Rule::AnyOf(_)) { "anyOf" } else { "oneOf" };
                                return Some((keyword, "a value of another type".to_owned()));
                            }
                            1 => todo.push(only),
                            _ => close = true,
                        }
                    }
                    rule => close |= at_close(rule, kind),
                }
                let (least, most) = bounds(rule, kind);
                self.least = self.least.max(least);
                self.most = self.most.min(most);
            }
            if close {
                self.close.push(id);
            }
        }
        let nothing = self.is_listed && self.places.is_empty();
        nothing.then(|| ("enum", "a string that every list allows".to_owned()))
    }

    /// A string must be one of `values`, too.
    fn narrow(&mut self, schema: &Schema, id: Id, at: usize, values: &[Value]) {
        if self.is_listed {
            keep(&mut self.places, &|place| values.iter().any(|value| value.as_str() == Some(place.text(schema))));
            return;
        }
        self.is_listed = true;
        for (which, value) in values.iter().enumerate() {
            if value.is_string() {
                self.places.push(Place(id, at, which));
            }
        }
    }
}

/// The counts that a rule allows a value of this kind. A string that is too short is found when it closes.
fn bounds(rule: &Rule, kind: Kind) -> (u64, u64) {
    match (rule, kind) {
        (Rule::MinItems(least), Kind::Array) | (Rule::MinProperties(least), Kind::Object) => (*least, u64::MAX),
        (Rule::MaxItems(most), Kind::Array)
        | (Rule::MaxProperties(most), Kind::Object)
        | (Rule::MaxLength(most), Kind::String) => (0, *most),
        _ => (0, u64::MAX),
    }
}

/// Whether a rule has to see a value of this kind whole. `Types`, `Enum`, `AnyOf` and `OneOf` are judged where they are met.
fn at_close(rule: &Rule, kind: Kind) -> bool {
    match rule {
        Rule::Not(_) | Rule::If { .. } | Rule::DynamicRef { .. } => true,
        Rule::Minimum(_) | Rule::ExclusiveMinimum(_) | Rule::Maximum(_) | Rule::ExclusiveMaximum(_) | Rule::MultipleOf(_) => {
            kind == Kind::Number
        }
        Rule::MinLength(_) | Rule::Pattern(_) => kind == Kind::String,
        Rule::UniqueItems | Rule::Contains { .. } | Rule::UnevaluatedItems(_) => kind == Kind::Array,
        Rule::DependentRequired(_) | Rule::DependentSchemas(_) | Rule::UnevaluatedProperties(_) => kind == Kind::Object,
        _ => false,
    }
}

/// Whether a value of this kind can be valid, as far as types say; yes, where that is far to look.
fn possible(schema: &Schema, id: Id, kind: Kind, depth: u32, steps: &mut usize, limit: usize) -> bool {
    *steps += 1;
    let Some(depth) = depth.checked_sub(1).filter(|_| *steps < limit) else { return true };
    if schema.has_never(&[id]) {
        return false;
    }
    schema.rules(id).iter().all(|rule| {
        *steps += 1;
        match rule {
            Rule::Types(types) => types.0 & bits(kind) != 0,
            Rule::Enum(values) => values.iter().any(|value| kind_of(value) == kind),
            Rule::Ref(node) => possible(schema, *node, kind, depth, steps, limit),
            Rule::AllOf(nodes) => nodes.iter().all(|node| possible(schema, *node, kind, depth, steps, limit)),
            Rule::AnyOf(nodes) | Rule::OneOf(nodes) => {
                nodes.iter().any(|node| possible(schema, *node, kind, depth, steps, limit))
            }
            _ => true,
        }
    })
}

fn bits(kind: Kind) -> u8 {
    match kind {
        Kind::Null => Types::NULL,
        Kind::True | Kind::False => Types::BOOLEAN,
        Kind::Number => Types::INTEGER | Types::FRACTION,
        Kind::String => Types::STRING,
        Kind::Array => Types::ARRAY,
        Kind::Object => Types::OBJECT,
    }
}

fn kind_of(value: &Value) -> Kind {
    match value {
        Value::Null => Kind::Null,
        Value::Bool(true) => Kind::True,
        Value::Bool(false) => Kind::False,
        Value::Number(_) => Kind::Number,
        Value::String(_) => Kind::String,
        Value::Array(_) => Kind::Array,
        Value::Object(_) => Kind::Object,
    }
}

impl Schema {
    /// Whether one of these is valid for no value.
    pub(super) fn has_never(&self, ids: &[Id]) -> bool {
        ids.iter().any(|id| matches!(self.nodes.get(*id), Some(Node::Never)))
    }
}
