//! Chains of nodes that apply to the same value.

use super::{MOST_CHAIN, Refusal};
use crate::node::{Id, Node, Rule};

/// Refuses a node that comes back to itself without having consumed a part of the value, and chains that are longer than any that people write.
pub(super) fn refuse(nodes: &[Node], anchors: &[(usize, String, Id)], places: &[String]) -> Result<(), Refusal> {
    let mut walk = Walk { nodes, anchors, places, depths: vec![None; nodes.len()], path: Vec::new() };
    for id in 0..nodes.len() {
        walk.depth(id)?;
    }
    Ok(())
}

struct Walk<'n> {
    nodes: &'n [Node],
    anchors: &'n [(usize, String, Id)],
    places: &'n [String],
    /// How long the longest chain from each node is, where that is known.
    depths: Vec<Option<usize>>,
    path: Vec<Id>,
}

impl Walk<'_> {
    fn depth(&mut self, id: Id) -> Result<usize, Refusal> {
        if let Some(known) = self.depths.get(id).copied().flatten() {
            return Ok(known);
        }
        let at = self.places.get(id).cloned().unwrap_or_default();
        if self.path.contains(&id) {
            return Err(Refusal { at, message: "it refers back to itself with nothing in between, so that no value could ever be checked by it ($ref)".to_owned() });
        }
        if self.path.len() >= MOST_CHAIN {
            return Err(Refusal { at, message: format!("more than {MOST_CHAIN} references and combinations follow each other for the same value") });
        }
        self.path.push(id);
        let mut longest = 0;
        for next in in_place(self.nodes.get(id), self.anchors) {
            longest = longest.max(self.depth(next)? + 1);
        }
        self.path.pop();
        if longest > MOST_CHAIN {
            return Err(Refusal { at, message: format!("more than {MOST_CHAIN} references and combinations follow each other for the same value") });
        }
        if let Some(depth) = self.depths.get_mut(id) {
            *depth = Some(longest);
        }
        Ok(longest)
    }
}

/// The nodes that a node applies to the same value.
fn in_place(node: Option<&Node>, anchors: &[(usize, String, Id)]) -> Vec<Id> {
    let Some(Node::Rules(rules)) = node else { return Vec::new() };
    let mut next = Vec::new();
    for rule in rules {
        match rule {
            Rule::Ref(node) | Rule::Not(node) => next.push(*node),
            Rule::AllOf(nodes) | Rule::AnyOf(nodes) | Rule::OneOf(nodes) => next.extend_from_slice(nodes),
            Rule::If { condition, then, otherwise } => {
                next.push(*condition);
                next.extend(then);
                next.extend(otherwise);
            }
            Rule::DependentSchemas(all) => next.extend(all.iter().map(|(_, node)| *node)),
            Rule::DynamicRef { anchor, fallback } => {
                next.push(*fallback);
                next.extend(anchors.iter().filter(|(_, name, _)| name == anchor).map(|(.., node)| *node));
            }
            _ => {}
        }
    }
    next
}
