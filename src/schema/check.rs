//! A value by the rules of a schema.
//!
//! Two ways through the same rules: one only says whether, and stops at the first that is broken; the other also says what is wrong. Both have a budget of
//! steps and of depth: a schema and a value that were made to be expensive together are refused as such, in bounded time and stack.

mod members;
mod unique;

use std::cmp::Ordering;

use serde_json::Value;

use crate::Schema;
use crate::node::{Id, Node, Rule, Types};
use crate::number;
use crate::violation::{self, Violation};
use members::Seen;
pub(crate) use unique::equal;

/// The most steps of one check: rules, members and items that were looked at. A large answer against a large schema takes some ten thousand.
const MOST_STEPS: usize = 1_000_000;

/// The deepest recursion: nested values times rules that apply in place.
const MOST_DEPTH: usize = 600;

/// What is wrong with a value by a node.
pub(crate) fn check(schema: &Schema, node: Id, value: &Value, most: usize) -> Result<(), Vec<Violation>> {
    if is_valid(schema, node, value) {
        return Ok(());
    }
    let mut checker = Checker::new(schema);
    checker.told = Some(Vec::new());
    checker.most = most;
    checker.node(node, value, &Path::Root, None);
    let mut told = checker.told.unwrap_or_default();
    if checker.spent || told.is_empty() {
        let expected = "a value that can be checked in bounded time".to_owned();
        told.push(Violation { at: String::new(), keyword: "schema", expected, found: "one that is too costly".to_owned() });
    }
    told.truncate(most);
    Err(told)
}

/// Whether a value is valid by a node.
pub(crate) fn is_valid(schema: &Schema, node: Id, value: &Value) -> bool {
    let mut checker = Checker::new(schema);
    checker.node(node, value, &Path::Root, None) && !checker.spent
}

/// Where in the value, as a list that lives on the stack.
pub(crate) enum Path<'p> {
    Root,
    Name(&'p Self, &'p str),
    Item(&'p Self, usize),
}

impl Path<'_> {
    fn pointer(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Name(above, name) => format!("{}/{}", above.pointer(), name.replace('~', "~0").replace('/', "~1")),
            Self::Item(above, at) => format!("{}/{at}", above.pointer()),
        }
    }
}

struct Checker<'s> {
    schema: &'s Schema,
    steps: usize,
    depth: usize,
    /// Whether a bound was passed: then nothing is valid.
    spent: bool,
    /// The resources that were entered, for dynamic references.
    scope: Vec<usize>,
    /// What is wrong, where that is asked.
    told: Option<Vec<Violation>>,
    most: usize,
}

impl<'s> Checker<'s> {
    fn new(schema: &'s Schema) -> Self {
        Self { schema, steps: 0, depth: 0, spent: false, scope: Vec::new(), told: None, most: 0 }
    }

    fn tell(&mut self, at: &Path<'_>, keyword: &'static str, expected: String, found: String) {
        if let Some(told) = self.told.as_mut().filter(|told| told.len() < self.most) {
            told.push(Violation { at: at.pointer(), keyword, expected, found });
        }
    }

    /// Adds steps; whether some are left.
    fn step(&mut self, steps: usize) -> bool {
        self.steps += steps;
        self.spent |= self.steps > MOST_STEPS;
        !self.spent
    }

    /// Whether nothing more need be looked at once something was wrong.
    fn is_done(&self) -> bool {
        self.spent || self.told.as_ref().is_none_or(|told| told.len() >= self.most)
    }

    /// Whether a value is valid by a node. Members and items that were evaluated are noted in `seen`.
    fn node(&mut self, id: Id, value: &Value, at: &Path<'_>, seen: Option<&mut Seen>) -> bool {
        if self.depth >= MOST_DEPTH || !self.step(1) {
            self.spent = true;
            return false;
        }
        let schema = self.schema;
        let rules = match schema.nodes.get(id) {
            Some(Node::Always) => return true,
            Some(Node::Rules(rules)) => rules,
            Some(Node::Never) | None => {
                self.tell(at, "false", "nothing".to_owned(), violation::shown(value));
                return false;
            }
        };
        self.depth += 1;
        let resource = schema.resources.get(id).copied().unwrap_or_default();
        let enters = schema.is_dynamic && self.scope.last() != Some(&resource);
        if enters {
            self.scope.push(resource);
        }
        let tracks = rules.iter().any(|rule| matches!(rule, Rule::UnevaluatedItems(_) | Rule::UnevaluatedProperties(_)));
        let valid = match seen {
            // One that fails evaluates nothing.
            Some(above) => {
                let mut own = Seen::of(value);
                let valid = self.rules(rules, value, at, Some(&mut own));
                if valid {
                    above.add(&own);
                }
                valid
            }
            None if tracks => self.rules(rules, value, at, Some(&mut Seen::of(value))),
            None => self.rules(rules, value, at, None),
        };
        if enters {
            self.scope.pop();
        }
        self.depth -= 1;
        valid
    }

    fn rules(&mut self, rules: &[Rule], value: &Value, at: &Path<'_>, mut seen: Option<&mut Seen>) -> bool {
        let mut valid = true;
        for rule in rules {
            if !self.step(1) {
                return false;
            }
            let fine = self.rule(rule, rules, value, at, seen.as_deref_mut());
            valid &= fine;
            if !valid && self.is_done() {
                return false;
            }
        }
        valid
    }

    fn rule(&mut self, rule: &Rule, beside: &[Rule], value: &Value, at: &Path<'_>, seen: Option<&mut Seen>) -> bool {
        match (rule, value) {
            (Rule::Types(types), _) => {
                let fine = types.0 & type_of(value) != 0;
                if !fine {
                    self.tell(at, "type", types.to_string(), violation::shown(value));
                }
                fine
            }
            (Rule::Enum(values), _) => {
                let fine = values.iter().any(|allowed| self.step(1) && equal(allowed, value, &mut self.steps));
                if !fine {
                    self.tell(at, violation::keyword_of(values), violation::one_of(values), violation::shown(value));
                }
                fine
            }
            (Rule::Ref(node), _) => self.node(*node, value, at, seen),
            (Rule::DynamicRef { anchor, fallback }, _) => {
                let node = self.dynamic(anchor).unwrap_or(*fallback);
                self.node(node, value, at, seen)
            }
            (Rule::AllOf(_) | Rule::AnyOf(_) | Rule::OneOf(_) | Rule::Not(_) | Rule::If { .. }, _) => {
                self.applied(rule, value, at, seen)
            }
            (_, Value::Number(number)) => self.number(rule, number, at),
            (_, Value::String(text)) => self.text(rule, text, at),
            (_, Value::Array(items)) => self.items(rule, items, at, seen),
            (_, Value::Object(members)) => self.members(rule, beside, members, value, at, seen),
            (_, Value::Null | Value::Bool(_)) => true,
        }
    }

    /// The node that a dynamic reference is to: of the outermost resource that has the anchor.
    fn dynamic(&self, anchor: &str) -> Option<Id> {
        let anchors = &self.schema.anchors;
        let of = |resource: &usize| anchors.iter().find(|(of, name, _)| of == resource && name == anchor).map(|(_, _, node)| *node);
        self.scope.iter().find_map(of)
    }

    fn number(&mut self, rule: &Rule, value: &serde_json::Number, at: &Path<'_>) -> bool {
        let (keyword, bound, words, fine) = match rule {
            Rule::Minimum(bound) => ("minimum", bound, "at least", number::compare(value, bound) != Ordering::Less),
            Rule::ExclusiveMinimum(bound) => {
                ("exclusiveMinimum", bound, "more than", number::compare(value, bound) == Ordering::Greater)
            }
            Rule::Maximum(bound) => ("maximum", bound, "at most", number::compare(value, bound) != Ordering::Greater),
            Rule::ExclusiveMaximum(bound) => ("exclusiveMaximum", bound, "less than", number::compare(value, bound) == Ordering::Less),
            Rule::MultipleOf(of) => ("multipleOf", of, "a multiple of", number::is_multiple(value, of)),
            _ => return true,
        };
        if !fine {
            self.tell(at, keyword, format!("{words} {bound}"), value.to_string());
        }
        fine
    }

    fn text(&mut self, rule: &Rule, text: &str, at: &Path<'_>) -> bool {
        let length = || text.chars().count() as u64;
        let (keyword, expected, fine) = match rule {
            Rule::MinLength(least) => ("minLength", *least, length() >= *least),
            Rule::MaxLength(most) => ("maxLength", *most, length() <= *most),
            Rule::Pattern(pattern) => {
                let fine = self.step(pattern.cost(text)) && pattern.is_match(text);
                if !fine {
                    let expected = format!("a string that matches {}", violation::quoted(pattern.text()));
                    self.tell(at, "pattern", expected, format!("the string {}", violation::quoted(text)));
                }
                return fine;
            }
            _ => return true,
        };
        if !fine {
            self.bound(at, keyword, expected, "characters", length());
        }
        fine
    }

    /// Tells of a count that is out of bounds.
    fn bound(&mut self, at: &Path<'_>, keyword: &'static str, bound: u64, what: &str, found: u64) {
        let words = if keyword.starts_with("min") || keyword == "contains" { "at least" } else { "at most" };
        self.tell(at, keyword, format!("{words} {bound} {what}"), found.to_string());
    }

    fn items(&mut self, rule: &Rule, items: &[Value], at: &Path<'_>, mut seen: Option<&mut Seen>) -> bool {
        let count = items.len() as u64;
        let (from, node) = match rule {
            Rule::Prefix(nodes) => {
                let mut valid = true;
                for (place, (item, node)) in items.iter().zip(nodes).enumerate() {
                    valid &= self.node(*node, item, &Path::Item(at, place), None);
                    if !valid && self.is_done() {
                        return false;
                    }
                    if let Some(seen) = seen.as_deref_mut() {
                        seen.note(place);
                    }
                }
                return valid;
            }
            Rule::Items { from, node } => (*from, *node),
            Rule::UnevaluatedItems(node) => (0, *node),
            Rule::Contains { node, least, most } => return self.contains(*node, (*least, *most), items, at, seen),
            Rule::UniqueItems => {
                let twice = unique::first_twice(items, &mut self.steps);
                self.step(0);
                if let Some((one, other)) = twice {
                    self.tell(at, "uniqueItems", "items that differ".to_owned(), format!("the same at {one} and {other}"));
                }
                return twice.is_none();
            }
            Rule::MinItems(least) if count < *least => {
                self.bound(at, "minItems", *least, "items", count);
                return false;
            }
            Rule::MaxItems(most) if count > *most => {
                self.bound(at, "maxItems", *most, "items", count);
                return false;
            }
            _ => return true,
        };
        let only_unseen = matches!(rule, Rule::UnevaluatedItems(_));
        let mut valid = true;
        for (place, item) in items.iter().enumerate().skip(from) {
            if only_unseen && seen.as_ref().is_some_and(|seen| seen.has(place)) {
                continue;
            }
            valid &= self.node(node, item, &Path::Item(at, place), None);
            if !valid && self.is_done() {
                return false;
            }
            if let Some(seen) = seen.as_deref_mut() {
                seen.note(place);
            }
        }
        valid
    }

    fn contains(&mut self, node: Id, (least, most): (u64, Option<u64>), items: &[Value], at: &Path<'_>, mut seen: Option<&mut Seen>) -> bool {
        let told = self.told.take();
        let mut count = 0;
        for (place, item) in items.iter().enumerate() {
            if self.node(node, item, &Path::Item(at, place), None) {
                count += 1;
                if let Some(seen) = seen.as_deref_mut() {
                    seen.note(place);
                }
            }
        }
        self.told = told;
        let fine = count >= least && most.is_none_or(|most| count <= most);
        if !fine {
            let keyword = match least {
                1 if count == 0 => "contains",
                _ if count < least => "minContains",
                _ => "maxContains",
            };
            self.bound(at, keyword, if count < least { least } else { most.unwrap_or_default() }, "items that match contains", count);
        }
        fine
    }

    /// Rules that apply other nodes in place.
    fn applied(&mut self, rule: &Rule, value: &Value, at: &Path<'_>, mut seen: Option<&mut Seen>) -> bool {
        match rule {
            Rule::AllOf(nodes) => {
                let mut valid = true;
                for node in nodes {
                    valid &= self.node(*node, value, at, seen.as_deref_mut());
                    if !valid && self.is_done() {
                        return false;
                    }
                }
                valid
            }
            Rule::AnyOf(nodes) | Rule::OneOf(nodes) => {
                let is_one = matches!(rule, Rule::OneOf(_));
                let told = self.told.take();
                let mut valid = 0;
                for node in nodes {
                    valid += usize::from(self.node(*node, value, at, seen.as_deref_mut()));
                    // All branches count for what was evaluated.
                    if valid > usize::from(is_one) && seen.is_none() {
                        break;
                    }
                }
                self.told = told;
                match valid {
                    0 => {
                        self.tell_of_branches(nodes, value, at);
                        false
                    }
                    1 => true,
                    _ if is_one => {
                        self.tell(at, "oneOf", "exactly one of the forms that are allowed".to_owned(), "a value of several of them".to_owned());
                        false
                    }
                    _ => true,
                }
            }
            Rule::Not(node) => {
                let told = self.told.take();
                let fine = !self.node(*node, value, at, None) && !self.spent;
                self.told = told;
                if !fine {
                    self.tell(at, "not", "a value of another form".to_owned(), violation::shown(value));
                }
                fine
            }
            Rule::If { condition, then, otherwise } => {
                let told = self.told.take();
                let holds = self.node(*condition, value, at, seen.as_deref_mut());
                self.told = told;
                match if holds { then } else { otherwise } {
                    Some(node) => self.node(*node, value, at, seen),
                    None => true,
                }
            }
            _ => true,
        }
    }

    /// What is wrong by the branch that came furthest: the one whose first complaint is deepest in the value, and among those that fail in the same place,
    /// one that does not complain of the type.
    fn tell_of_branches(&mut self, nodes: &[Id], value: &Value, at: &Path<'_>) {
        let Some(told) = self.told.take() else { return };
        let most = std::mem::replace(&mut self.most, 4);
        let mut best: Option<((usize, bool), Vec<Violation>)> = None;
        for node in nodes {
            self.told = Some(Vec::new());
            self.node(*node, value, at, None);
            let of_branch = self.told.take().unwrap_or_default();
            let Some(first) = of_branch.first() else { continue };
            let rank = (first.at.matches('/').count(), first.keyword != "type");
            if best.as_ref().is_none_or(|(other, _)| rank > *other) {
                best = Some((rank, of_branch));
            }
        }
        self.most = most;
        let mut told = told;
        match best {
            Some((_, of_branch)) => told.extend(of_branch),
            None => {
                let (expected, found) = ("one of the forms that are allowed".to_owned(), violation::shown(value));
                told.push(Violation { at: at.pointer(), keyword: "anyOf", expected, found });
            }
        }
        told.truncate(self.most);
        self.told = Some(told);
    }
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
