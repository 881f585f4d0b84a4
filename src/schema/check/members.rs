//! The members of an object.

use serde_json::{Map, Value};

use super::{Checker, Path, Seen, has, note};
use crate::node::{ALWAYS, Id, NEVER, Rule};
use crate::violation;

impl<'s> Checker<'s> {
    pub(super) fn members(
        &mut self,
        rule: &'s Rule,
        beside: &'s [Rule],
        members: &Map<String, Value>,
        value: &Value,
        at: &Path<'_>,
        mut seen: Seen<'_>,
    ) -> bool {
        let mut valid = true;
        match rule {
            Rule::Required(names) => return self.required(names, None, members, at),
            Rule::DependentRequired(all) => {
                for (name, names) in all {
                    valid &= self.spend(1) && (!members.contains_key(name) || self.required(names, Some(name), members, at));
                }
            }
            Rule::DependentSchemas(all) => {
                for (name, node) in all {
                    valid &= self.spend(1) && (!members.contains_key(name) || self.node(*node, value, at, seen.as_deref_mut()));
                    if !valid && self.is_done() {
                        return false;
                    }
                }
            }
            Rule::PropertyNames(node) => {
                for name in members.keys() {
                    valid &= self.spend(1 + name.len() / 16) && self.name(*node, name, at);
                    if !valid && self.is_done() {
                        return false;
                    }
                }
            }
            Rule::AdditionalProperties(ALWAYS) if seen.is_none() => {}
            _ => return self.each(rule, beside, members, at, seen),
        }
        valid
    }

    fn required(&mut self, names: &[String], beside: Option<&str>, members: &Map<String, Value>, at: &Path<'_>) -> bool {
        let mut valid = self.spend(names.len());
        for name in names.iter().filter(|name| !members.contains_key(name.as_str())) {
            valid = false;
            if self.is_done() {
                break;
            }
            if self.tells() {
                let mut expected = format!("the property {}", violation::quoted(name));
                if let Some(beside) = beside {
                    expected.push_str(" beside ");
                    expected.push_str(&violation::quoted(beside));
                }
                let keyword = if beside.is_some() { "dependentRequired" } else { "required" };
                self.tell(at, keyword, expected, "none of that name".to_owned());
            }
        }
        valid
    }

    /// A member's name by a node. What is wrong with it is said of the object, as a name has no place.
    fn name(&mut self, node: Id, name: &str, at: &Path<'_>) -> bool {
        let value = Value::from(name);
        if self.quietly(node, &value, at, None) {
            return true;
        }
        if self.tells() {
            let (told, most) = (self.told.replace(Vec::new()), std::mem::replace(&mut self.most, 1));
            self.node(node, &value, at, None);
            let of_name = std::mem::replace(&mut self.told, told).unwrap_or_default();
            self.most = most;
            let expected = of_name.into_iter().next().map_or("another name".to_owned(), |first| first.expected);
            self.tell(at, "propertyNames", format!("as a property's name {expected}"), violation::quoted(name));
        }
        false
    }

    /// Every member, by the nodes that a rule has for it.
    fn each(
        &mut self,
        rule: &'s Rule,
        beside: &'s [Rule],
        members: &Map<String, Value>,
        at: &Path<'_>,
        mut seen: Seen<'_>,
    ) -> bool {
        let mut valid = true;
        for (place, (name, member)) in members.iter().enumerate() {
            let mut concerns = true;
            valid &= match rule {
                Rule::Properties(all) => {
                    let node = self.find(all, name);
                    concerns = node.is_some();
                    node.is_none_or(|node| self.node(node, member, &Path::Name(at, name), None))
                }
                Rule::PatternProperties(all) => {
                    let mut fine = true;
                    concerns = false;
                    for (pattern, node) in all {
                        if pattern.is_match_within(name, &mut self.left) {
                            concerns = true;
                            fine &= self.node(*node, member, &Path::Name(at, name), None);
                        }
                    }
                    fine
                }
                Rule::AdditionalProperties(node) if !self.is_named(beside, name) => {
                    self.extra(rule, *node, (name, member), beside, at)
                }
                Rule::UnevaluatedProperties(node) if !has(&seen, place) => self.extra(rule, *node, (name, member), beside, at),
                _ => {
                    concerns = false;
                    true
                }
            };
            if !self.spend(1) || !valid && self.is_done() {
                return false;
            }
            if concerns {
                note(&mut seen, place);
            }
        }
        valid
    }

    /// A member that nothing names. Where none may be there, those that may are told of.
    fn extra(&mut self, rule: &Rule, node: Id, (name, member): (&str, &Value), beside: &[Rule], at: &Path<'_>) -> bool {
        if node != NEVER {
            return self.node(node, member, &Path::Name(at, name), None);
        }
        if self.tells() {
            let mut expected = "no such property".to_owned();
            for rule in beside {
                if let Rule::Properties(all) = rule
                    && !all.is_empty()
                {
                    expected = violation::listed(
                        "only the properties ",
                        &mut all.iter().map(|(known, _)| violation::quoted(known)),
                        all.len(),
                    );
                }
            }
            let is_unevaluated = matches!(rule, Rule::UnevaluatedProperties(_));
            let keyword = if is_unevaluated { "unevaluatedProperties" } else { "additionalProperties" };
            self.tell(at, keyword, expected, format!("the property {}", violation::quoted(name)));
        }
        false
    }

    /// Whether the rules beside name a property.
    fn is_named(&mut self, beside: &[Rule], name: &str) -> bool {
        beside.iter().any(|rule| match rule {
            Rule::Properties(all) => self.find(all, name).is_some(),
            Rule::PatternProperties(all) => all.iter().any(|(pattern, _)| pattern.is_match_within(name, &mut self.left)),
            _ => false,
        })
    }

    fn find(&mut self, all: &[(String, Id)], name: &str) -> Option<Id> {
        self.spend(all.len() / 8);
        all.iter().find(|(known, _)| known == name).map(|(_, node)| *node)
    }
}
