//! A schema's text as an arena of rules.
//!
//! First the places where schemas stand are walked, and what they are called is noted: by `$id`, `$anchor`, `$dynamicAnchor`. Then nodes are made, each once, from
//! the root and whatever is referred to, and at last it is made sure that no node comes back to itself without having consumed a part of the value, as a check
//! by it would never end.
//!
//! Everything has a bound, so that a schema from anywhere costs a bounded time, stack and memory; each bound's refusal says where, what and how much.

mod cycle;
mod index;
mod keyword;

use serde_json::{Map, Value};

use crate::Schema;
use crate::node::{Id, Node, Rule};
use crate::uri;
use crate::violation;
use index::Index;

/// The most bytes of a schema, written without spaces.
const MOST_BYTES: usize = 256 * 1024;

/// The most nodes of a schema.
const MOST_NODES: usize = 5_000;

/// The deepest nesting of schemas in schemas.
const MOST_DEPTH: usize = 64;

/// The deepest chain of references and combinations that apply to the same value.
const MOST_CHAIN: usize = 100;

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

/// Compiles a schema.
pub(crate) fn compile(schema: &Value, draft: Draft) -> Result<Schema, Refusal> {
    let refuse = |at: &str, message: String| Err(Refusal { at: at.to_owned(), message });
    let bytes = schema.to_string().len();
    if bytes > MOST_BYTES {
        return refuse("", format!("it has {bytes} bytes; at most {MOST_BYTES} are taken"));
    }
    let draft = match schema.get("$schema") {
        None => draft,
        Some(named) => match named.as_str().and_then(draft_of) {
            Some(draft) => draft,
            None => {
                let found = violation::cut(&named.to_string());
                return refuse("/$schema", format!("it is {found}; drafts 7 and 2020-12 are taken (and 6 and 2019-09, which are read as these)"));
            }
        },
    };
    let mut compiler = Compiler {
        draft,
        index: Index::of(schema, draft)?,
        nodes: Vec::new(),
        resources: Vec::new(),
        places: Vec::new(),
        made: Vec::new(),
        is_dynamic: false,
        depth: 0,
    };
    let root = compiler.node(schema, "", 0)?;
    let anchors = if compiler.is_dynamic { compiler.anchors()? } else { Vec::new() };
    let Compiler { nodes, resources, places, is_dynamic, .. } = compiler;
    cycle::refuse(&nodes, &anchors, &places)?;
    Ok(Schema { nodes, root, is_dynamic, resources, anchors })
}

fn draft_of(uri: &str) -> Option<Draft> {
    let (uri, _) = uri::split(uri);
    let uri = uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://"))?;
    match uri {
        "json-schema.org/draft-07/schema" | "json-schema.org/draft-06/schema" => Some(Draft::Seven),
        "json-schema.org/draft/2019-09/schema" => Some(Draft::Nineteen),
        "json-schema.org/draft/2020-12/schema" => Some(Draft::Latest),
        _ => None,
    }
}

struct Compiler<'v> {
    draft: Draft,
    index: Index<'v>,
    nodes: Vec<Node>,
    /// Beside each node: its resource, and its place in the text.
    resources: Vec<usize>,
    places: Vec<String>,
    /// The nodes by the address of the text that they are made of, in order.
    made: Vec<(usize, Id)>,
    is_dynamic: bool,
    depth: usize,
}

/// Where a text stands in memory: the same text is made to a node once.
fn address(value: &Value) -> usize {
    std::ptr::from_ref(value) as usize
}

/// A place below another one.
fn below(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

impl<'v> Compiler<'v> {
    /// The node of a schema, which is made now where it was not before. `resource` is the one that it stands in, unless it begins one.
    fn node(&mut self, schema: &'v Value, at: &str, resource: usize) -> Result<Id, Refusal> {
        let refuse = |message: String| Err(Refusal { at: at.to_owned(), message });
        let address = address(schema);
        let place = match self.made.binary_search_by_key(&address, |(address, _)| *address) {
            Ok(found) => return Ok(self.made.get(found).map_or(0, |(_, node)| *node)),
            Err(place) => place,
        };
        if self.nodes.len() >= MOST_NODES {
            return refuse(format!("it is made of more than {MOST_NODES} schemas, which are the most that are taken"));
        }
        if self.depth >= MOST_DEPTH {
            return refuse(format!("schemas are nested more than {MOST_DEPTH} deep, which is the most that is taken"));
        }
        let resource = self.index.resource_of(address).unwrap_or(resource);
        let id = self.nodes.len();
        self.made.insert(place, (address, id));
        self.nodes.push(Node::Always);
        self.resources.push(resource);
        self.places.push(at.to_owned());
        self.depth += 1;
        let node = match schema {
            Value::Bool(true) => Node::Always,
            Value::Bool(false) => Node::Never,
            Value::Object(members) => {
                let rules = self.rules(members, at, resource)?;
                if rules.is_empty() { Node::Always } else { Node::Rules(rules) }
            }
            other => {
                let found = violation::shown(other);
                return refuse(format!("it is {found}; a schema is an object, true or false"));
            }
        };
        self.depth -= 1;
        if let Some(made) = self.nodes.get_mut(id) {
            *made = node;
        }
        Ok(id)
    }

    fn rules(&mut self, members: &'v Map<String, Value>, at: &str, resource: usize) -> Result<Vec<Rule>, Refusal> {
        let mut rules = Vec::new();
        if let Some(reference) = members.get("$ref") {
            rules.push(Rule::Ref(self.reference(reference, &below(at, "$ref"), resource)?.0));
            // "All other properties in a "$ref" object MUST be ignored" (draft 7, section 8.3).
            if self.draft == Draft::Seven {
                return Ok(rules);
            }
        }
        if members.contains_key("$recursiveRef") {
            let message = "$recursiveRef is not taken; use $ref, or $dynamicRef of draft 2020-12".to_owned();
            return Err(Refusal { at: below(at, "$recursiveRef"), message });
        }
        if self.draft == Draft::Latest
            && let Some(reference) = members.get("$dynamicRef")
        {
            let (fallback, anchor) = self.reference(reference, &below(at, "$dynamicRef"), resource)?;
            rules.push(match anchor {
                Some(anchor) => {
                    self.is_dynamic = true;
                    Rule::DynamicRef { anchor, fallback }
                }
                None => Rule::Ref(fallback),
            });
        }
        for (name, value) in members {
            self.keyword(name, value, members, at, resource, &mut rules)?;
        }
        // What depends on what the others evaluated comes last.
        for last in ["unevaluatedItems", "unevaluatedProperties"] {
            let Some(value) = members.get(last).filter(|_| self.draft != Draft::Seven) else { continue };
            let node = self.node(value, &below(at, last), resource)?;
            rules.push(if last == "unevaluatedItems" { Rule::UnevaluatedItems(node) } else { Rule::UnevaluatedProperties(node) });
        }
        Ok(rules)
    }

    /// The node that a reference is to, and its name where that is a dynamic anchor.
    fn reference(&mut self, reference: &Value, at: &str, resource: usize) -> Result<(Id, Option<String>), Refusal> {
        let refuse = |message: String| Err(Refusal { at: at.to_owned(), message });
        let Some(text) = reference.as_str() else {
            return refuse(format!("it is {}; a reference is a string", violation::shown(reference)));
        };
        let whole = uri::resolve(self.index.uri(resource), text);
        let (document, fragment) = uri::split(&whole);
        let Some(found) = self.index.find(document) else {
            return refuse(format!("{} is not in this schema, and nothing is fetched: what is referred to must stand in $defs", violation::quoted(text)));
        };
        let fragment = uri::decoded(fragment);
        let target = if fragment.is_empty() || fragment.starts_with('/') {
            self.index.value(found).and_then(|value| value.pointer(&fragment)).map(|value| (value, None))
        } else {
            self.index.anchor(found, &fragment).map(|(value, dynamic)| (value, dynamic.then(|| fragment.clone())))
        };
        let Some((value, dynamic)) = target else {
            return refuse(format!("{} is nowhere in this schema", violation::quoted(text)));
        };
        let place = if fragment.starts_with('/') && found == 0 { fragment } else { at.to_owned() };
        Ok((self.node(value, &place, found)?, dynamic))
    }

    /// The nodes of all dynamic anchors.
    fn anchors(&mut self) -> Result<Vec<(usize, String, Id)>, Refusal> {
        let mut anchors = Vec::new();
        for (resource, name, value) in self.index.dynamic() {
            anchors.push((resource, name.to_owned(), self.node(value, &format!("#{name}"), resource)?));
        }
        Ok(anchors)
    }
}
