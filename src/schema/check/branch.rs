//! Rules that apply other nodes to the same value.

use serde_json::Value;

use super::{Checker, Path, Seen};
use crate::node::{Id, Rule};
use crate::violation::{self, Violation};

/// What speaks against a branch for each thing that is wrong by it: least where it may be the one that was meant; more where a part of the value says by a
/// word that it is another; most where the whole is of another kind.
const WRONG: usize = 1;
const ANOTHER_WORD: usize = 10;
const ANOTHER_KIND: usize = 1_000;

/// How many things that are wrong by a branch are looked at.
const COMPARED: usize = 8;

impl Checker<'_> {
    pub(super) fn branches(&mut self, rule: &Rule, value: &Value, at: &Path<'_>, mut seen: Seen<'_>) -> bool {
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
            Rule::AnyOf(nodes) => {
                let mut valid = false;
                for node in nodes {
                    valid |= self.quietly(*node, value, at, seen.as_deref_mut());
                    // All branches count for what was evaluated.
                    if valid && seen.is_none() || self.is_spent() {
                        break;
                    }
                }
                if !valid && self.tells() {
                    self.tell_of_branches("anyOf", nodes, value, at);
                }
                valid
            }
            Rule::OneOf(nodes) => {
                let (mut first, mut second) = (None, None);
                for (place, node) in nodes.iter().enumerate() {
                    if self.is_spent() || second.is_some() {
                        break;
                    }
                    if self.quietly(*node, value, at, seen.as_deref_mut()) {
                        (first, second) = if first.is_none() { (Some(place), None) } else { (first, Some(place)) };
                    }
                }
                if let (Some(first), Some(second)) = (first, second)
                    && self.tells()
                {
                    let expected = format!("exactly one of the {} forms that are allowed", nodes.len());
                    self.tell(at, "oneOf", expected, format!("a value of both the form at {first} and that at {second}"));
                }
                if first.is_none() && self.tells() {
                    self.tell_of_branches("oneOf", nodes, value, at);
                }
                first.is_some() && second.is_none()
            }
            Rule::Not(node) => {
                let valid = !self.quietly(*node, value, at, None);
                if !valid && self.tells() {
                    self.tell(at, "not", "a value of another form".to_owned(), violation::shown(value));
                }
                valid
            }
            Rule::If { condition, then, otherwise } => {
                let holds = self.quietly(*condition, value, at, seen.as_deref_mut());
                (if holds { then } else { otherwise }).is_none_or(|node| self.node(node, value, at, seen))
            }
            _ => true,
        }
    }

    /// What is wrong by the branch that came furthest; or, where the value is of another kind than all of them, which kinds are allowed.
    fn tell_of_branches(&mut self, keyword: &'static str, nodes: &[Id], value: &Value, at: &Path<'_>) {
        let told = self.told.take();
        let most = std::mem::replace(&mut self.most, COMPARED);
        let here = at.pointer();
        let mut best: (usize, Vec<Violation>) = (usize::MAX, Vec::new());
        let mut kinds: Vec<String> = Vec::new();
        for node in nodes {
            self.told = Some(Vec::new());
            self.node(*node, value, at, None);
            let wrong = self.told.take().unwrap_or_default();
            let mut against = 0;
            for violation in &wrong {
                let is_word = matches!(violation.keyword, "type" | "enum" | "const");
                let is_kind = is_word && violation.at == here;
                against += if is_kind {
                    ANOTHER_KIND
                } else if is_word {
                    ANOTHER_WORD
                } else {
                    WRONG
                };
                if is_kind && !kinds.contains(&violation.expected) {
                    kinds.push(violation.expected.clone());
                }
            }
            if !wrong.is_empty() && against < best.0 {
                best = (against, wrong);
            }
            if self.is_spent() || kinds.len() > 20 {
                break;
            }
        }
        (self.told, self.most) = (told, most);
        let (against, wrong) = best;
        if against < ANOTHER_KIND {
            if let Some(told) = &mut self.told {
                told.extend(wrong);
                told.truncate(self.most);
            }
            return;
        }
        let expected = if kinds.is_empty() { "one of the forms that are allowed".to_owned() } else { kinds.join(" or ") };
        self.tell(at, keyword, expected, violation::shown(value));
    }
}
