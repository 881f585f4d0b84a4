//! Where schemas stand in a schema's text, and what they are called.

use serde_json::{Map, Value};

use super::{Draft, MOST_DEPTH, MOST_NODES, Refusal, address, refusal};
use crate::node::Id;
use crate::sort::sort;
use crate::{uri, violation};

/// A document within the document: what stands below an `$id`.
struct Resource<'v> {
    uri: String,
    value: &'v Value,
    /// By name; whether it is a dynamic one.
    anchors: Vec<(&'v str, &'v Value, bool)>,
}

/// A schema that was walked. Where it stands is put together when it is asked for: names can be long, and schemas many.
pub(super) struct Entry<'v> {
    address: usize,
    pub(super) resource: usize,
    pub(super) node: Option<Id>,
    /// The address of the schema around it, 0 for a document's root, and how to get here from there.
    parent: usize,
    keyword: &'v str,
    step: Step<'v>,
}

#[derive(Clone, Copy)]
enum Step<'v> {
    None,
    Name(&'v str),
    Item(usize),
}

/// See the module's documentation.
pub(super) struct Index<'v> {
    resources: Vec<Resource<'v>>,
    entries: Vec<Entry<'v>>,
    /// Addresses of entries, and their places, in order once all were walked.
    order: Vec<(u64, usize)>,
}

/// Keywords whose value is a schema, a list of schemas, or schemas by name.
const ONE: [&str; 12] = [
    "additionalItems",
    "items",
    "contains",
    "additionalProperties",
    "propertyNames",
    "if",
    "then",
    "else",
    "not",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
];
const LIST: [&str; 5] = ["allOf", "anyOf", "oneOf", "prefixItems", "items"];
const NAMED: [&str; 6] = ["properties", "patternProperties", "definitions", "$defs", "dependentSchemas", "dependencies"];

/// The draft that a schema says it follows.
pub(super) fn draft_named(schema: &Value) -> Result<Option<Draft>, Refusal> {
    let Some(named) = schema.get("$schema") else { return Ok(None) };
    let (uri, _) = uri::split(named.as_str().unwrap_or_default());
    match uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://")) {
        Some("json-schema.org/draft-07/schema" | "json-schema.org/draft-06/schema") => Ok(Some(Draft::Seven)),
        Some("json-schema.org/draft/2019-09/schema") => Ok(Some(Draft::Nineteen)),
        Some("json-schema.org/draft/2020-12/schema") => Ok(Some(Draft::Latest)),
        _ => {
            let found = violation::json(named);
            Err(refusal(
                &["$schema"],
                format!("it is {found}; drafts 7 and 2020-12 are taken (and 6 and 2019-09, which are read as these)"),
            ))
        }
    }
}

impl<'v> Index<'v> {
    pub(super) fn of(schema: &'v Value, draft: Draft) -> Result<Self, Refusal> {
        let mut index = Self { resources: Vec::new(), entries: Vec::new(), order: Vec::new() };
        index.add(String::new(), schema, draft)?;
        Ok(index)
    }

    /// Walks a document. Its resource is the next one.
    #[inline(never)]
    pub(super) fn add(&mut self, uri: String, schema: &'v Value, draft: Draft) -> Result<usize, Refusal> {
        let resource = self.resources.len();
        self.resources.push(Resource { uri, value: schema, anchors: Vec::new() });
        let mut walk = Walk { index: self, draft, depth: 0 };
        walk.schema(schema, Entry { address: 0, resource, node: None, parent: 0, keyword: "", step: Step::None })?;
        self.order.clear();
        for (place, entry) in self.entries.iter().enumerate() {
            self.order.push((entry.address as u64, place));
        }
        sort(&mut self.order);
        Ok(resource)
    }

    fn place(&self, address: usize) -> Option<usize> {
        let at = self.order.partition_point(|(known, _)| *known < address as u64);
        self.order.get(at).filter(|(known, _)| *known == address as u64).map(|(_, place)| *place)
    }

    pub(super) fn entry(&mut self, address: usize) -> Option<&mut Entry<'v>> {
        let place = self.place(address)?;
        self.entries.get_mut(place)
    }

    /// Where a schema that was walked stands.
    pub(super) fn pointer(&self, address: usize) -> String {
        match self.place(address).and_then(|place| self.entries.get(place)) {
            Some(entry) if entry.parent != 0 => {
                let mut at = self.pointer(entry.parent);
                entry.add_to(&mut at);
                at
            }
            _ => String::new(),
        }
    }

    pub(super) fn uri(&self, resource: usize) -> &str {
        self.resources.get(resource).map_or("", |resource| &resource.uri)
    }

    pub(super) fn value(&self, resource: usize) -> Option<&'v Value> {
        self.resources.get(resource).map(|resource| resource.value)
    }

    /// The resources of that URI: there should be one.
    pub(super) fn find(&self, uri: &str) -> Vec<usize> {
        let places = self.resources.iter().enumerate();
        places.filter(|(_, resource)| resource.uri == uri).map(|(place, _)| place).take(2).collect()
    }

    /// What an anchor is the name of, and whether it is a dynamic one.
    pub(super) fn anchor(&self, resource: usize, name: &str) -> Option<(&'v Value, bool)> {
        let anchors = &self.resources.get(resource)?.anchors;
        anchors.iter().find(|(known, ..)| *known == name).map(|(_, value, dynamic)| (*value, *dynamic))
    }

    /// All dynamic anchors: resource, name, schema.
    pub(super) fn dynamic(&self) -> Vec<(usize, &'v str, &'v Value)> {
        let mut all = Vec::new();
        for (place, resource) in self.resources.iter().enumerate() {
            for (name, value, dynamic) in &resource.anchors {
                if *dynamic {
                    all.push((place, *name, *value));
                }
            }
        }
        all
    }
}

impl Entry<'_> {
    fn add_to(&self, at: &mut String) {
        violation::step(at, self.keyword);
        match self.step {
            Step::None => {}
            Step::Name(name) => violation::step(at, name),
            Step::Item(place) => violation::step(at, &place.to_string()),
        }
    }
}

struct Walk<'i, 'v> {
    index: &'i mut Index<'v>,
    draft: Draft,
    depth: usize,
}

impl<'v> Walk<'_, 'v> {
    fn schema(&mut self, schema: &'v Value, mut entry: Entry<'v>) -> Result<(), Refusal> {
        let Value::Object(members) = schema else { return Ok(()) };
        if self.depth > MOST_DEPTH {
            return Err(refusal(
                &[],
                format!("schemas are nested more than {MOST_DEPTH} deep, which is the most that is taken"),
            ));
        }
        if self.index.entries.len() >= MOST_NODES {
            return Err(refusal(
                &[],
                format!("there are more than {MOST_NODES} schemas in it, which are the most that are taken"),
            ));
        }
        if self.depth > 0 && draft_named(schema)?.is_some_and(|draft| draft != self.draft) {
            return Err(refusal(
                &["$schema"],
                "it is of another draft than the schema around it, which is not taken".to_owned(),
            ));
        }
        entry.address = address(schema);
        entry.resource = self.named(schema, members, entry.resource);
        let (parent, resource) = (entry.address, entry.resource);
        self.index.entries.push(entry);
        self.depth += 1;
        for (keyword, value) in members {
            let name = keyword.as_str();
            match value {
                Value::Object(_) if ONE.contains(&name) => self.below(value, parent, resource, keyword, Step::None)?,
                Value::Array(list) if LIST.contains(&name) => {
                    for (place, value) in list.iter().enumerate() {
                        self.below(value, parent, resource, keyword, Step::Item(place))?;
                    }
                }
                Value::Object(named) if NAMED.contains(&name) => {
                    for (name, value) in named {
                        self.below(value, parent, resource, keyword, Step::Name(name))?;
                    }
                }
                _ => {}
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn below(
        &mut self,
        value: &'v Value,
        parent: usize,
        resource: usize,
        keyword: &'v str,
        step: Step<'v>,
    ) -> Result<(), Refusal> {
        let entry = || Entry { address: 0, resource, node: None, parent, keyword, step };
        self.schema(value, entry()).map_err(|mut refusal| {
            let mut at = String::new();
            entry().add_to(&mut at);
            refusal.at.insert_str(0, &at);
            refusal
        })
    }

    /// The resource that a schema is of: its own, where it begins one.
    fn named(&mut self, schema: &'v Value, members: &'v Map<String, Value>, resource: usize) -> usize {
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let mut resource = resource;
        // Beside a reference nothing counts in draft 7.
        if let Some(id) = text("$id").filter(|_| self.draft != Draft::Seven || !members.contains_key("$ref")) {
            let (document, fragment) = uri::split(id);
            let uri = uri::resolve(self.index.uri(resource), document);
            if !document.is_empty() && uri != self.index.uri(resource) {
                if self.depth == 0
                    && let Some(root) = self.index.resources.get_mut(resource)
                {
                    root.uri = uri;
                } else {
                    resource = self.index.resources.len();
                    self.index.resources.push(Resource { uri, value: schema, anchors: Vec::new() });
                }
            }
            // Draft 7 has no other anchors, and newer ones no such `$id`.
            if !fragment.is_empty() {
                self.call(resource, fragment, schema, false);
            }
        }
        if self.draft != Draft::Seven {
            for (keyword, dynamic) in [("$anchor", false), ("$dynamicAnchor", true)] {
                if let Some(name) = text(keyword) {
                    self.call(resource, name, schema, dynamic);
                }
            }
        }
        resource
    }

    fn call(&mut self, resource: usize, name: &'v str, schema: &'v Value, dynamic: bool) {
        if let Some(resource) = self.index.resources.get_mut(resource) {
            resource.anchors.push((name, schema, dynamic));
        }
    }
}
