//! A schema's text as an arena of rules.
//!
//! First the places where schemas stand are walked, and what they are called is noted: by `$id`, `$anchor`, `$dynamicAnchor`. Then nodes are made, each once, from
//! the root and whatever it leads to, and at last it is made sure that no node comes back to itself without having consumed a part of the value, as a check
//! by it would never end. What nothing leads to is not looked into. Nodes that are still to be made wait in a list, so that no chain of references, however
//! long, takes stack.
//!
//! Everything has a bound, so that a schema from anywhere costs a bounded time, stack and memory; each bound's refusal says where, what and how much.

mod cycle;
mod index;
mod keyword;
mod meta;
mod reference;

use serde_json::{Map, Value};

use crate::Schema;
use crate::node::{ALWAYS, Id, NEVER, Node};
use crate::violation;
use index::Index;
use meta::Metas;

/// The most bytes of a schema, written without spaces.
const MOST_BYTES: usize = 256 * 1024;

/// The most schemas within a schema.
const MOST_NODES: usize = 5_000;

/// The deepest nesting of schemas in schemas.
const MOST_DEPTH: usize = 64;

/// The deepest chain of references and combinations that apply to the same value.
const MOST_CHAIN: usize = 100;

/// The most schemas that one applies to the same value, each as often as there are ways to it: what is combined or referred to twice in each of 25 steps is checked
/// 33 million times. A union of three hundred forms, each a reference to one that has a base, comes to a thousand.
const MOST_WAYS: usize = 10_000;

/// The most states of all patterns, of which one has 2,000 at most.
const MOST_STATES: usize = 20_000;

/// What a schema's keywords mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draft {
    /// Draft 7, and draft 6, which is a part of it.
    Seven,
    /// 2019-09, but for `$recursiveRef`.
    Nineteen,
    /// 2020-12.
    Latest,
}

/// Why a schema is none, or one that is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where: a JSON pointer into the schema; empty for its root.
    pub at: String,
    /// What was found, and what is allowed.
    pub message: String,
}

/// A refusal, by the names that lead to its place.
fn refusal(path: &[&str], message: String) -> Refusal {
    let mut at = String::new();
    for name in path {
        violation::step(&mut at, name);
    }
    Refusal { at, message }
}

/// Compiles a schema.
pub(crate) fn compile(schema: &Value, draft: Draft) -> Result<Schema, Refusal> {
    let bytes = schema.to_string().len();
    if bytes > MOST_BYTES {
        return Err(refusal(&[], format!("it has {bytes} bytes; at most {MOST_BYTES} are taken")));
    }
    let named = index::draft_named(schema)?;
    let metas = Metas::default();
    let mut compiler = Compiler {
        draft: named.unwrap_or(draft),
        is_lenient: named.is_none(),
        metas: &metas,
        index: Index::of(schema, named.unwrap_or(draft))?,
        nodes: vec![Node::Always, Node::Never],
        resources: vec![0, 0],
        places: vec![Place::Root, Place::Root],
        far: Vec::new(),
        todo: Vec::new(),
        states: 0,
        is_dynamic: false,
    };
    let root = compiler.node(schema, 0).map_err(|message| refusal(&[], message))?;
    compiler.finish()?;
    let mut anchors = Vec::new();
    if compiler.is_dynamic {
        for (resource, name, value) in compiler.index.dynamic() {
            anchors.push((resource, name.to_owned(), compiler.node(value, resource).map_err(|message| refusal(&[], message))?));
        }
        compiler.finish()?;
    }
    cycle::refuse(&compiler, &anchors)?;
    let Compiler { nodes, resources, is_dynamic, .. } = compiler;
    Ok(Schema { nodes, root, is_dynamic, resources, anchors })
}

struct Compiler<'v> {
    draft: Draft,
    /// Whether the schema does not say which draft it follows: then what older ones wrote is read, too.
    is_lenient: bool,
    metas: &'v Metas,
    index: Index<'v>,
    /// The first two are `true` and `false`.
    nodes: Vec<Node>,
    /// Beside each node: its resource, and its place in the text.
    resources: Vec<usize>,
    places: Vec<Place>,
    /// Nodes of what stands where no schema is expected, but is referred to: by its address.
    far: Vec<(usize, Id)>,
    /// Nodes that are still to be made.
    todo: Vec<(Id, &'v Map<String, Value>)>,
    states: usize,
    is_dynamic: bool,
}

/// Where a node stands.
enum Place {
    Root,
    /// At this address, which was walked.
    Walked(usize),
    /// Where something refers to, in that resource.
    Far(usize, String),
}

/// Where a text stands in memory: the same text is made to a node once.
fn address(value: &Value) -> usize {
    std::ptr::from_ref(value) as usize
}

impl<'v> Compiler<'v> {
    /// The node of a schema, which will be made where it was not before. `resource` is the one that it stands in, unless it begins one.
    fn node(&mut self, schema: &'v Value, resource: usize) -> Result<Id, String> {
        let members = match schema {
            Value::Bool(true) => return Ok(ALWAYS),
            Value::Bool(false) => return Ok(NEVER),
            Value::Object(members) => members,
            other => return Err(format!("it is {}; a schema is an object, true or false", violation::shown(other))),
        };
        let (id, address) = (self.nodes.len(), address(schema));
        let (place, resource) = if let Some(entry) = self.index.entry(address) {
            if let Some(made) = entry.node {
                return Ok(made);
            }
            entry.node = Some(id);
            (Place::Walked(address), entry.resource)
        } else {
            if let Some((_, made)) = self.far.iter().find(|(known, _)| *known == address) {
                return Ok(*made);
            }
            if self.far.len() >= MOST_NODES {
                return Err(format!("it refers to more than {MOST_NODES} places where no schema is expected"));
            }
            self.far.push((address, id));
            (Place::Root, resource)
        };
        self.resources.push(resource);
        self.places.push(place);
        self.nodes.push(Node::Always);
        self.todo.push((id, members));
        Ok(id)
    }

    /// Makes what is still to be made.
    fn finish(&mut self) -> Result<(), Refusal> {
        while let Some((id, members)) = self.todo.pop() {
            let resource = self.resources.get(id).copied().unwrap_or_default();
            match self.rules(members, resource) {
                Ok(rules) if rules.is_empty() => {}
                Ok(rules) => {
                    if let Some(made) = self.nodes.get_mut(id) {
                        *made = Node::Rules(rules);
                    }
                }
                Err(Refusal { at, message }) => return Err(Refusal { at: self.pointer(id) + &at, message }),
            }
        }
        Ok(())
    }

    /// Where a node stands, as a JSON pointer.
    fn pointer(&self, id: Id) -> String {
        match self.places.get(id) {
            Some(Place::Walked(address)) => self.index.pointer(*address),
            Some(Place::Far(resource, pointer)) => {
                self.index.value(*resource).map_or(String::new(), |root| self.index.pointer(address(root))) + pointer
            }
            Some(Place::Root) | None => String::new(),
        }
    }
}
