//! The items of an array.

use serde_json::Value;

use super::{Checker, Path, Seen, has, leaf, note};
use crate::node::{Id, NEVER, Rule};

impl Checker<'_> {
    pub(super) fn items(&mut self, rule: &Rule, items: &[Value], at: &Path<'_>, mut seen: Seen<'_>) -> bool {
        let (from, only_unseen) = match rule {
            Rule::Contains { .. } => return self.contains(rule, items, at, seen),
            Rule::Items { from, .. } => (*from, false),
            _ => (0, matches!(rule, Rule::UnevaluatedItems(_))),
        };
        let mut valid = true;
        for (place, item) in items.iter().enumerate().skip(from) {
            let node = match rule {
                Rule::Prefix(nodes) => match nodes.get(place) {
                    Some(node) => *node,
                    None => break,
                },
                Rule::Items { node, .. } | Rule::UnevaluatedItems(node) => *node,
                _ => break,
            };
            if !self.spend(1) {
                return false;
            }
            if only_unseen && has(&seen, place) {
                continue;
            }
            valid &= self.item(rule, node, item, place, at);
            if !valid && self.is_done() {
                return false;
            }
            note(&mut seen, place);
        }
        valid
    }

    fn item(&mut self, rule: &Rule, node: Id, item: &Value, place: usize, at: &Path<'_>) -> bool {
        if node != NEVER || matches!(rule, Rule::Prefix(_)) {
            return self.node(node, item, &Path::Item(at, place), None);
        }
        // Said of the first only: all that follow are too many as well.
        let is_first = matches!(rule, Rule::Items { from, .. } if *from == place) || matches!(rule, Rule::UnevaluatedItems(_));
        if is_first && self.tells() {
            let keyword = if matches!(rule, Rule::Items { .. }) { "items" } else { "unevaluatedItems" };
            let expected =
                if matches!(rule, Rule::Items { .. }) { format!("at most {place} items") } else { "no such item".to_owned() };
            self.tell(at, keyword, expected, format!("an item at {place}"));
        }
        false
    }

    fn contains(&mut self, rule: &Rule, items: &[Value], at: &Path<'_>, mut seen: Seen<'_>) -> bool {
        let Rule::Contains { node, least, most, evaluates } = rule else { return true };
        let mut count = 0;
        for (place, item) in items.iter().enumerate() {
            if !self.spend(1) {
                return false;
            }
            if self.quietly(*node, item, at, None) {
                count += 1;
                if *evaluates {
                    note(&mut seen, place);
                } else if most.is_none() && count >= *least {
                    return true;
                }
            }
        }
        let (keyword, bound) = match most {
            _ if count < *least => (if *least == 1 { "contains" } else { "minContains" }, *least),
            Some(most) if count > *most => ("maxContains", *most),
            _ => return true,
        };
        if self.tells() {
            // `bounded` says "at least" of what begins with "min".
            let named = if keyword == "contains" { "minContains" } else { keyword };
            let (_, expected, found) =
                leaf::bounded(named, bound, ["item as contains says", "items as contains says"], count, "");
            self.tell(at, keyword, expected, found);
        }
        false
    }
}
