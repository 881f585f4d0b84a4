//! The members of an object.

use serde_json::{Map, Value};

use super::{Checker, Path};
use crate::node::{Id, Node, Rule};
use crate::violation;

/// Which members of an object, or items of an array, were evaluated, by their place.
pub(super) struct Seen(Vec<bool>);

impl Seen {
    /// Of a value: none yet.
    pub(super) fn of(value: &Value) -> Self {
        let count = match value {
            Value::Array(items) => items.len(),
            Value::Object(members) => members.len(),
            _ => 0,
        };
        Self(vec![false; count])
    }

    pub(super) fn note(&mut self, place: usize) {
        if let Some(seen) = self.0.get_mut(place) {
            *seen = true;
        }
    }

    pub(super) fn has(&self, place: usize) -> bool {
        self.0.get(place).is_some_and(|seen| *seen)
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (seen, other) in self.0.iter_mut().zip(&other.0) {
            *seen |= other;
        }
    }
}

impl Checker<'_> {
    pub(super) fn members(
        &mut self,
        rule: &Rule,
        beside: &[Rule],
        members: &Map<String, Value>,
        value: &Value,
        at: &Path<'_>,
        mut seen: Option<&mut Seen>,
    ) -> bool {
        let count = members.len() as u64;
        match rule {
            Rule::Required(names) => self.required("required", names, members, at),
            Rule::DependentRequired(all) => {
                all.iter().filter(|(name, _)| members.contains_key(name)).fold(true, |valid, (_, names)| self.required("dependentRequired", names, members, at) && valid)
            }
            Rule::DependentSchemas(all) => {
                let mut valid = true;
                for (_, node) in all.iter().filter(|(name, _)| members.contains_key(name)) {
                    valid &= self.node(*node, value, at, seen.as_deref_mut());
                }
                valid
            }
            Rule::MinProperties(least) if count < *least => {
                self.bound(at, "minProperties", *least, "properties", count);
                false
            }
            Rule::MaxProperties(most) if count > *most => {
                self.bound(at, "maxProperties", *most, "properties", count);
                false
            }
            Rule::Properties(_) | Rule::PatternProperties(_) | Rule::AdditionalProperties(_) | Rule::UnevaluatedProperties(_) => {
                self.each(rule, beside, members, at, seen)
            }
            Rule::PropertyNames(node) => {
                let mut valid = true;
                for name in members.keys() {
                    valid &= self.node(*node, &Value::from(name.as_str()), &Path::Name(at, name), None);
                }
                valid
            }
            _ => true,
        }
    }

    fn required(&mut self, keyword: &'static str, names: &[String], members: &Map<String, Value>, at: &Path<'_>) -> bool {
        let mut valid = true;
        for name in names.iter().filter(|name| !members.contains_key(name.as_str())) {
            valid = false;
            self.tell(at, keyword, format!("the property {}", violation::quoted(name)), "none of that name".to_owned());
        }
        self.step(names.len()) && valid
    }

    /// Every member, by the nodes that a rule has for it.
    fn each(&mut self, rule: &Rule, beside: &[Rule], members: &Map<String, Value>, at: &Path<'_>, mut seen: Option<&mut Seen>) -> bool {
        let mut valid = true;
        for (place, (name, member)) in members.iter().enumerate() {
            let mut nodes: [Option<Id>; 1] = [None];
            let mut matched = false;
            match rule {
                Rule::Properties(all) => nodes = [named(all, name)],
                Rule::PatternProperties(all) => {
                    for (pattern, node) in all {
                        if self.step(pattern.cost(name)) && pattern.is_match(name) {
                            matched = true;
                            valid &= self.member(*node, name, member, at, None);
                        }
                    }
                }
                Rule::AdditionalProperties(node) if !self.is_named(beside, name) => {
                    nodes = [Some(*node)];
                }
                Rule::UnevaluatedProperties(node) if !seen.as_ref().is_some_and(|seen| seen.has(place)) => {
                    nodes = [Some(*node)];
                }
                _ => {}
            }
            if let [Some(node)] = nodes {
                matched = true;
                let closed = matches!(rule, Rule::AdditionalProperties(_) | Rule::UnevaluatedProperties(_)).then_some(beside);
                valid &= self.member(node, name, member, at, closed);
            }
            if !valid && self.is_done() {
                return false;
            }
            if matched && let Some(seen) = seen.as_deref_mut() {
                seen.note(place);
            }
            if !self.step(1) {
                return false;
            }
        }
        valid
    }

    /// A member by a node. Where none may be there, `closed` are the rules that say which may.
    fn member(&mut self, node: Id, name: &str, member: &Value, at: &Path<'_>, closed: Option<&[Rule]>) -> bool {
        if let (Some(beside), Some(Node::Never)) = (closed, self.schema.nodes.get(node)) {
            if self.told.is_some() {
                let mut allowed = String::new();
                for (known, _) in beside.iter().filter_map(|rule| if let Rule::Properties(all) = rule { Some(all) } else { None }).flatten().take(20) {
                    allowed.push_str(if allowed.is_empty() { "only the properties " } else { ", " });
                    allowed.push_str(&violation::quoted(known));
                }
                let expected = if allowed.is_empty() { "no such property".to_owned() } else { allowed };
                self.tell(at, "additionalProperties", expected, format!("the property {}", violation::quoted(name)));
            }
            return false;
        }
        self.node(node, member, &Path::Name(at, name), None)
    }

    /// Whether the rules beside name a property.
    fn is_named(&mut self, beside: &[Rule], name: &str) -> bool {
        beside.iter().any(|rule| match rule {
            Rule::Properties(all) => named(all, name).is_some(),
            Rule::PatternProperties(all) => all.iter().any(|(pattern, _)| self.step(pattern.cost(name)) && pattern.is_match(name)),
            _ => false,
        })
    }
}

fn named(all: &[(String, Id)], name: &str) -> Option<Id> {
    all.iter().find(|(known, _)| known == name).map(|(_, node)| *node)
}
