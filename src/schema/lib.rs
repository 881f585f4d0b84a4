//! JSON Schema for answers of language models: validation, repair, and the check of what is still being written.
//!
//! ```text
//! compile   a schema's text as an arena of rules (drafts 7 and 2020-12), within bounds      compile.rs
//! check     a value by those rules, and what is wrong with it                               check.rs
//! pattern   ECMA-262 patterns but back references, in time that grows with the text alone   pattern.rs
//! repair    the JSON in what a model wrote around it                                        repair.rs
//! prefix    what is still being written, refused where it cannot become valid any more      prefix.rs
//! ```
//!
//! **The promise**: a value is valid here where the drafts say so, by their own test suite; no schema and no value, however hostile, takes more than a bounded
//! time, stack or memory; and nothing is ever fetched.
//!
//! A crate of our own, by measurement: on wasm32, gzipped, beyond `serde_json`, `jsonschema` 0.x adds 763 KB, `boon` 443 KB, and of pattern matchers `regex`
//! 94 KB, `regex-automata` 92 KB, and `regex-lite` 21 KB without reading ECMA-262, where the whole worker may have 700 KB. For the same reason it is compiled for
//! the least size.

mod check;
mod compile;
mod node;
mod number;
mod pattern;
mod prefix;
mod repair;
mod sort;
mod uri;
mod violation;

use serde_json::Value;

pub use compile::{Draft, Refusal};
pub use prefix::Prefix;
pub use repair::{Finished, repaired, shown};
pub use violation::Violation;

use node::{Id, Node, Rule};

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    nodes: Vec<Node>,
    root: Id,
    /// Whether what a rule refers to can depend on the way there.
    is_dynamic: bool,
    /// The resource that each node is of, and the nodes of dynamic anchors: resource, anchor, node.
    resources: Vec<usize>,
    anchors: Vec<(usize, String, Id)>,
}

impl Schema {
    /// Compiles a schema, by the draft that its `$schema` names, else by 2020-12.
    pub fn compile(schema: &Value) -> Result<Self, Refusal> {
        compile::compile(schema, Draft::Latest)
    }

    /// Compiles a schema, by `draft` where it names none.
    pub fn compile_as(schema: &Value, draft: Draft) -> Result<Self, Refusal> {
        compile::compile(schema, draft)
    }

    /// What is wrong with a value: at most `most` things, the first ones.
    pub fn check(&self, value: &Value, most: usize) -> Result<(), Vec<Violation>> {
        check::check(self, self.root, value, most)
    }

    /// Whether a value is valid.
    #[must_use]
    pub fn is_valid(&self, value: &Value) -> bool {
        check::is_valid(self, self.root, value)
    }

    /// What is wrong with a value by one node, first of all. The steps that this took are added to `steps`.
    fn violation(&self, node: Id, value: &Value, steps: &mut usize) -> Option<Violation> {
        check::first(self, node, value, steps)
    }

    fn rules(&self, node: Id) -> &[Rule] {
        match self.nodes.get(node) {
            Some(Node::Rules(rules)) => rules,
            _ => &[],
        }
    }
}
