//! What the first byte of a value says: which nodes it must be valid against, and whether it can be at all.

use serde_json::Value;

use super::syntax::Kind;
use crate::Schema;
use crate::node::{Id, Node, Rule, Types};

/// How deep branches are looked into, and how far for one value.
const DEPTH: u32 = 8;
pub(super) const FAR: usize = 10_000;

/// A string of an `enum`: its node, the rule there, and which of its values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(Id, usize, usize);

impl Place {
    pub(super) fn text(self, schema: &Schema) -> &str {
        match schema.rules(self.0).get(self.1) {
            Some(Rule::Enum(values)) => values.get(self.2).and_then(Value::as_str).unwrap_or_default(),
            _ => "",
        }
    }
}

/// A name that is required: the node and rule that require it, and its place there.
pub(super) type Missing = (Id, usize, usize);

/// The name that is missing.
pub(super) fn name(schema: &Schema, missing: Missing) -> &str {
    match schema.rules(missing.0).get(missing.1) {
        Some(Rule::Required(names)) => names.get(missing.2).map_or("", String::as_str),
        _ => "",
    }
}

/// What is known of a value by its first byte.
#[derive(Debug)]
pub(super) struct First {
    /// The nodes that it must be valid against: of arrays and objects.
    pub(super) nodes: Vec<Id>,
    /// Those of them that must see it whole.
    pub(super) close: Vec<Id>,
    pub(super) missing: Vec<Missing>,
    /// The longest that a string can be.
    pub(super) most: u64,
    /// The strings that it can be, if there are only some.
    pub(super) candidates: Option<Vec<Place>>,
}

impl Default for First {
    fn default() -> First {
        First { nodes: Vec::new(), close: Vec::new(), missing: Vec::new(), most: u64::MAX, candidates: None }
    }
}

impl First {
    /// Reads what `todo` say of a value of this kind; or the keyword that it cannot meet, and what that expected.
    pub(super) fn read(
        &mut self,
        schema: &Schema,
        mut todo: Vec<Id>,
        kind: Kind,
        steps: &mut usize,
    ) -> Result<(), (&'static str, String)> {
        let limit = *steps + FAR;
        while let Some(id) = todo.pop() {
            *steps += 1 + self.nodes.len();
            if self.nodes.contains(&id) {
                continue;
            }
            self.nodes.push(id);
            if matches!(schema.nodes.get(id), Some(Node::Never)) {
                return Err(("false", "nothing".to_owned()));
            }
            let mut close = false;
            for (at, rule) in schema.rules(id).iter().enumerate() {
                *steps += 1;
                match rule {
                    Rule::Types(types) => {
                        if types.0 & bits(kind) == 0 {
                            return Err(("type", types.to_string()));
                        }
                        close |= kind == Kind::Number && types.0 & bits(kind) != bits(kind);
                    }
                    Rule::Enum(values) => {
                        *steps += values.len();
                        if !values.iter().any(|value| kind_of(value) == kind) {
                            return Err((crate::violation::keyword_of(values), crate::violation::one_of(values)));
                        }
                        close = true;
                        if kind == Kind::String {
                            self.narrow(schema, id, at, values);
                        }
                    }
                    Rule::MaxLength(most) => self.most = self.most.min(*most),
                    Rule::Required(names) if kind == Kind::Object => {
                        *steps += names.len();
                        self.missing.extend((0..names.len()).map(|name| (id, at, name)));
                    }
                    Rule::Ref(node) => todo.push(*node),
                    Rule::AllOf(nodes) => todo.extend(nodes),
                    Rule::AnyOf(nodes) | Rule::OneOf(nodes) => {
                        let mut left = nodes.iter().filter(|node| possible(schema, **node, kind, DEPTH, steps, limit));
                        match (left.next(), left.next()) {
                            (None, _) => return Err(("anyOf", "a value of another type".to_owned())),
                            (Some(only), None) => todo.push(*only),
                            _ => close = true,
                        }
                    }
                    rule => close |= at_close(rule, kind),
                }
            }
            if close {
                self.close.push(id);
            }
        }
        match &self.candidates {
            Some(none) if none.is_empty() => Err(("enum", "a string that every list allows".to_owned())),
            _ => Ok(()),
        }
    }

    /// A string must be one of `values`, too.
    fn narrow(&mut self, schema: &Schema, id: Id, at: usize, values: &[Value]) {
        match &mut self.candidates {
            Some(candidates) => {
                candidates.retain(|place| values.iter().any(|value| value.as_str() == Some(place.text(schema))))
            }
            none => {
                let strings = values.iter().enumerate().filter(|(_, value)| value.is_string());
                *none = Some(strings.map(|(value, _)| Place(id, at, value)).collect());
            }
        }
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
    if matches!(schema.nodes.get(id), Some(Node::Never)) {
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

/// What begins.
pub(super) fn named(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::True => "true",
        Kind::False => "false",
        Kind::Number => "a number",
        Kind::String => "a string",
        Kind::Array => "an array",
        Kind::Object => "an object",
    }
}
