//! Chains of nodes that apply to the same value, and how many there are.

use super::{Compiler, MOST_CHAIN, MOST_WAYS, Refusal};
use crate::node::{Id, Node, Rule};

/// Refuses a node that comes back to itself without having consumed a part of the value, and chains that are longer, or more, than any that people write.
pub(super) fn refuse(compiler: &Compiler<'_>, anchors: &[(usize, String, Id)]) -> Result<(), Refusal> {
    let mut walk = Walk { nodes: &compiler.nodes, anchors, known: vec![None; compiler.nodes.len()], path: Vec::new() };
    for id in 0..compiler.nodes.len() {
        walk.chains(id).map_err(|(id, message)| Refusal { at: compiler.pointer(id), message })?;
    }
    Ok(())
}

struct Walk<'n> {
    nodes: &'n [Node],
    anchors: &'n [(usize, String, Id)],
    /// How long the longest chain from each node is, and how many nodes all of them come to, where that is known.
    known: Vec<Option<(usize, usize)>>,
    path: Vec<Id>,
}

impl Walk<'_> {
    fn chains(&mut self, id: Id) -> Result<(usize, usize), (Id, String)> {
        if let Some(known) = self.known.get(id).copied().flatten() {
            return Ok(known);
        }
        if self.path.contains(&id) {
            return Err((
                id,
                "it refers back to itself with nothing in between, so that no value could ever be checked by it ($ref)"
                    .to_owned(),
            ));
        }
        let (mut longest, mut ways) = (0, 1);
        self.path.push(id);
        if self.path.len() <= MOST_CHAIN {
            for next in in_place(self.nodes.get(id), self.anchors) {
                let (length, more) = self.chains(next)?;
                longest = longest.max(length + 1);
                // Of each no more than the bound, and of a node no more than its schemas.
                ways += more;
            }
        }
        if self.path.len().max(longest) > MOST_CHAIN {
            return Err((
                id,
                format!("more than {MOST_CHAIN} references and combinations follow each other for the same value"),
            ));
        }
        if ways > MOST_WAYS {
            let message =
                format!("more than {MOST_WAYS} schemas apply to the same value, as references and combinations multiply");
            return Err((id, message));
        }
        self.path.pop();
        if let Some(known) = self.known.get_mut(id) {
            *known = Some((longest, ways));
        }
        Ok((longest, ways))
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
