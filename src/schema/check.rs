//! A value by the rules of a schema.
//!
//! Two ways through the same rules: one only says whether, stops at the first that is broken, and writes nothing down; the other also says what is wrong.
//! Both have a budget of steps and of depth: a schema and a value that were made to be expensive together are refused as such, in bounded time and stack.

mod branch;
mod items;
mod leaf;
mod members;
mod unique;

use serde_json::Value;

use crate::Schema;
use crate::node::{Id, Node, Rule};
use crate::violation::{self, Violation};

/// What a check may cost: rules, members, items, characters of patterns, and so on. So much in any case, so much for each part of the value, and no more
/// than so much. By measurement a step takes some 10 ns when compiled for the least size: 2 ms for a small value, 0.2 s for the largest. A valid answer
/// of 2 MB took 5,000,000 steps.
const STEPS: usize = 200_000;
const STEPS_EACH: usize = 100;
const MOST_STEPS: usize = 20_000_000;

/// What telling of a violation costs.
const TELLING: usize = 50;

/// The deepest recursion: nested values times rules that apply in place.
const MOST_DEPTH: usize = 600;

/// What is wrong with a value by a node.
pub(crate) fn check(schema: &Schema, node: Id, value: &Value, most: usize) -> Result<(), Vec<Violation>> {
    let mut steps = 0;
    let told = wrong(schema, node, value, most, &mut steps);
    if told.is_empty() { Ok(()) } else { Err(told) }
}

/// What is wrong first. The steps that this took are added.
pub(crate) fn first(schema: &Schema, node: Id, value: &Value, steps: &mut usize) -> Option<Violation> {
    wrong(schema, node, value, 1, steps).into_iter().next()
}

fn wrong(schema: &Schema, node: Id, value: &Value, most: usize, steps: &mut usize) -> Vec<Violation> {
    let mut checker = Checker::new(schema, value);
    let budget = checker.left;
    let valid = checker.node(node, value, &Path::Root, None);
    *steps += budget - checker.left;
    let mut told = Vec::new();
    if !checker.is_spent() {
        if valid {
            return told;
        }
        checker.left = budget;
        checker.most = most.max(1);
        checker.told = Some(told);
        checker.node(node, value, &Path::Root, None);
        *steps += budget - checker.left;
        told = checker.told.unwrap_or_default();
    }
    if told.is_empty() {
        let expected = "a value that can be checked in bounded time".to_owned();
        told.push(Violation { at: String::new(), keyword: "schema", expected, found: "one that is too costly".to_owned() });
    }
    told
}

/// Whether a value is valid by a node.
pub(crate) fn is_valid(schema: &Schema, node: Id, value: &Value) -> bool {
    let mut checker = Checker::new(schema, value);
    checker.node(node, value, &Path::Root, None) && !checker.is_spent()
}

/// How much a value is: its parts, and one for every two bytes of its texts.
fn parts(value: &Value) -> usize {
    match value {
        Value::String(text) => 1 + text.len() / 2,
        Value::Array(items) => items.iter().fold(1, |sum, item| sum + parts(item)),
        Value::Object(members) => members.iter().fold(1, |sum, (name, member)| sum + 1 + name.len() / 2 + parts(member)),
        _ => 1,
    }
}

/// Where in the value, as a list that lives on the stack.
enum Path<'p> {
    Root,
    Name(&'p Self, &'p str),
    Item(&'p Self, usize),
}

impl Path<'_> {
    fn add_to(&self, pointer: &mut String) {
        match self {
            Self::Root => {}
            Self::Name(above, name) => {
                above.add_to(pointer);
                violation::step(pointer, name);
            }
            Self::Item(above, place) => {
                above.add_to(pointer);
                violation::step(pointer, &place.to_string());
            }
        }
    }

    fn pointer(&self) -> String {
        let mut pointer = String::new();
        self.add_to(&mut pointer);
        pointer
    }
}

/// Which members of an object, or items of an array, were evaluated, by their place.
type Seen<'s> = Option<&'s mut [bool]>;

fn note(seen: &mut Seen<'_>, place: usize) {
    if let Some(seen) = seen.as_deref_mut().and_then(|seen| seen.get_mut(place)) {
        *seen = true;
    }
}

fn has(seen: &Seen<'_>, place: usize) -> bool {
    seen.as_deref().and_then(|seen| seen.get(place)).is_some_and(|seen| *seen)
}

struct Checker<'s> {
    schema: &'s Schema,
    /// Steps that are left. With none, what is said of validity says nothing.
    left: usize,
    depth: usize,
    /// The resources that were entered, for dynamic references.
    scope: Vec<usize>,
    /// What is wrong, where that is asked.
    told: Option<Vec<Violation>>,
    most: usize,
}

impl<'s> Checker<'s> {
    fn new(schema: &'s Schema, value: &Value) -> Self {
        let left = (STEPS + STEPS_EACH * parts(value)).min(MOST_STEPS);
        Self { schema, left, depth: 0, scope: Vec::new(), told: None, most: 0 }
    }

    /// Takes steps; whether some are left.
    fn spend(&mut self, steps: usize) -> bool {
        self.left = self.left.saturating_sub(steps);
        self.left > 0
    }

    fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// Whether nothing more need be looked at once something was wrong.
    fn is_done(&self) -> bool {
        self.is_spent() || self.told.as_ref().is_none_or(|told| told.len() >= self.most)
    }

    /// Whether a violation is to be told of.
    fn tells(&mut self) -> bool {
        self.told.as_ref().is_some_and(|told| told.len() < self.most) && self.spend(TELLING)
    }

    fn tell(&mut self, at: &Path<'_>, keyword: &'static str, expected: String, found: String) {
        let at = at.pointer();
        self.spend(at.len() / 8);
        if let Some(told) = &mut self.told {
            told.push(Violation { at, keyword, expected, found });
        }
    }

    /// Whether a value is valid by a node, without a word.
    fn quietly(&mut self, id: Id, value: &Value, at: &Path<'_>, seen: Seen<'_>) -> bool {
        let told = self.told.take();
        let valid = self.node(id, value, at, seen);
        self.told = told;
        valid
    }

    /// Whether a value is valid by a node. Members and items that were evaluated are noted in `seen`, if it is.
    fn node(&mut self, id: Id, value: &Value, at: &Path<'_>, seen: Seen<'_>) -> bool {
        let schema = self.schema;
        let rules = match schema.nodes.get(id) {
            Some(Node::Always) => return true,
            Some(Node::Rules(rules)) => rules,
            Some(Node::Never) | None => {
                if self.tells() {
                    self.tell(at, "false", "nothing".to_owned(), violation::shown(value));
                }
                return false;
            }
        };
        if self.depth >= MOST_DEPTH {
            self.left = 0;
        }
        if !self.spend(1) {
            return false;
        }
        self.depth += 1;
        let resource = schema.resources.get(id).copied().unwrap_or_default();
        let enters = schema.is_dynamic && self.scope.last() != Some(&resource);
        if enters {
            self.scope.push(resource);
        }
        let tracks = matches!(rules.last(), Some(Rule::UnevaluatedItems(_) | Rule::UnevaluatedProperties(_)));
        let valid =
            if tracks || seen.is_some() { self.tracked(rules, value, at, seen) } else { self.rules(rules, value, at, None) };
        if enters {
            self.scope.pop();
        }
        self.depth -= 1;
        valid
    }

    /// By rules, noting what they evaluate: for those among them that ask, and for `seen`, unless one fails, as then nothing is evaluated.
    fn tracked(&mut self, rules: &'s [Rule], value: &Value, at: &Path<'_>, seen: Seen<'_>) -> bool {
        let count = match value {
            Value::Array(items) => items.len(),
            Value::Object(members) => members.len(),
            _ => return self.rules(rules, value, at, None),
        };
        if !self.spend(count / 4) {
            return false;
        }
        let mut own = vec![false; count];
        let valid = self.rules(rules, value, at, Some(&mut own));
        if let Some(seen) = seen.filter(|_| valid) {
            for (seen, own) in seen.iter_mut().zip(own) {
                *seen |= own;
            }
        }
        valid
    }

    fn rules(&mut self, rules: &'s [Rule], value: &Value, at: &Path<'_>, mut seen: Seen<'_>) -> bool {
        let mut valid = true;
        for rule in rules {
            valid &= self.spend(1) && self.rule(rule, rules, value, at, seen.as_deref_mut());
            if !valid && self.is_done() {
                return false;
            }
        }
        valid
    }

    fn rule(&mut self, rule: &'s Rule, beside: &'s [Rule], value: &Value, at: &Path<'_>, seen: Seen<'_>) -> bool {
        match (rule, value) {
            (Rule::Ref(node), _) => self.node(*node, value, at, seen),
            (Rule::DynamicRef { anchor, fallback }, _) => {
                let node = self.dynamic(anchor).unwrap_or(*fallback);
                self.node(node, value, at, seen)
            }
            (Rule::AllOf(_) | Rule::AnyOf(_) | Rule::OneOf(_) | Rule::Not(_) | Rule::If { .. }, _) => {
                self.branches(rule, value, at, seen)
            }
            (Rule::Prefix(_) | Rule::Items { .. } | Rule::UnevaluatedItems(_) | Rule::Contains { .. }, Value::Array(items)) => {
                self.items(rule, items, at, seen)
            }
            (
                Rule::Required(_)
                | Rule::Properties(_)
                | Rule::PatternProperties(_)
                | Rule::AdditionalProperties(_)
                | Rule::PropertyNames(_)
                | Rule::DependentRequired(_)
                | Rule::DependentSchemas(_)
                | Rule::UnevaluatedProperties(_),
                Value::Object(members),
            ) => self.members(rule, beside, members, value, at, seen),
            _ => {
                let holds = leaf::holds(rule, value, &mut self.left);
                if !holds && self.tells() {
                    let (keyword, expected, found) = leaf::broken(rule, value);
                    self.tell(at, keyword, expected, found);
                }
                holds
            }
        }
    }

    /// The node that a dynamic reference is to: of the outermost resource that has the anchor.
    fn dynamic(&mut self, anchor: &str) -> Option<Id> {
        let anchors = &self.schema.anchors;
        self.spend(self.scope.len() * anchors.len() / 4);
        let of =
            |resource: &usize| anchors.iter().find(|(of, name, _)| of == resource && name == anchor).map(|(_, _, node)| *node);
        self.scope.iter().find_map(of)
    }
}
