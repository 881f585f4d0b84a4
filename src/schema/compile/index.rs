//! Where schemas stand in a schema's text, and what they are called.

use serde_json::{Map, Value};

use super::{Draft, MOST_DEPTH, Refusal, address, below};
use crate::uri;

/// A document within the document: what stands below an `$id`.
struct Resource<'v> {
    uri: String,
    value: &'v Value,
    /// By name; whether it is a dynamic one.
    anchors: Vec<(&'v str, &'v Value, bool)>,
}

/// See the module's documentation.
pub(super) struct Index<'v> {
    resources: Vec<Resource<'v>>,
    /// The resource of each schema that was walked, by address, in order once all were.
    of: Vec<(usize, usize)>,
}

/// Keywords whose value is a schema, a list of schemas, or schemas by name.
const ONE: [&str; 13] = [
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
    "unevaluatedItems",
];
const LIST: [&str; 5] = ["allOf", "anyOf", "oneOf", "prefixItems", "items"];
const NAMED: [&str; 6] = ["properties", "patternProperties", "definitions", "$defs", "dependentSchemas", "dependencies"];

impl<'v> Index<'v> {
    pub(super) fn of(schema: &'v Value, draft: Draft) -> Result<Self, Refusal> {
        let mut index = Self { resources: vec![Resource { uri: String::new(), value: schema, anchors: Vec::new() }], of: Vec::new() };
        index.walk(schema, draft, 0, "", 0)?;
        index.of.sort_unstable();
        Ok(index)
    }

    fn walk(&mut self, schema: &'v Value, draft: Draft, resource: usize, at: &str, depth: usize) -> Result<(), Refusal> {
        let Value::Object(members) = schema else { return Ok(()) };
        if depth > MOST_DEPTH {
            let message = format!("schemas are nested more than {MOST_DEPTH} deep, which is the most that is taken");
            return Err(Refusal { at: at.to_owned(), message });
        }
        let resource = self.named(schema, members, draft, resource);
        self.of.push((address(schema), resource));
        for (name, value) in members {
            match value {
                Value::Object(_) if ONE.contains(&name.as_str()) => self.walk(value, draft, resource, &below(at, name), depth + 1)?,
                Value::Array(list) if LIST.contains(&name.as_str()) => {
                    for (place, value) in list.iter().enumerate() {
                        self.walk(value, draft, resource, &format!("{}/{place}", below(at, name)), depth + 1)?;
                    }
                }
                Value::Object(named) if NAMED.contains(&name.as_str()) => {
                    for (member, value) in named {
                        self.walk(value, draft, resource, &below(&below(at, name), member), depth + 1)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The resource that a schema is of: its own, where it begins one.
    fn named(&mut self, schema: &'v Value, members: &'v Map<String, Value>, draft: Draft, resource: usize) -> usize {
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let mut resource = resource;
        // Beside a reference nothing counts in draft 7.
        if let Some(id) = text("$id").filter(|_| draft != Draft::Seven || !members.contains_key("$ref")) {
            let (document, fragment) = uri::split(id);
            if !document.is_empty() {
                let uri = uri::resolve(self.uri(resource), document);
                let is_root = address(schema) == self.resources.first().map_or(0, |root| address(root.value));
                if is_root && let Some(root) = self.resources.first_mut() {
                    root.uri = uri;
                } else {
                    resource = self.resources.len();
                    self.resources.push(Resource { uri, value: schema, anchors: Vec::new() });
                }
            }
            if !fragment.is_empty() && draft == Draft::Seven {
                self.call(resource, fragment, schema, false);
            }
        }
        if draft != Draft::Seven {
            for (keyword, dynamic) in [("$anchor", false), ("$dynamicAnchor", true)] {
                if let Some(name) = text(keyword) {
                    self.call(resource, name, schema, dynamic);
                }
            }
        }
        resource
    }

    fn call(&mut self, resource: usize, name: &'v str, schema: &'v Value, dynamic: bool) {
        if let Some(resource) = self.resources.get_mut(resource) {
            resource.anchors.push((name, schema, dynamic));
        }
    }

    pub(super) fn uri(&self, resource: usize) -> &str {
        self.resources.get(resource).map_or("", |resource| &resource.uri)
    }

    pub(super) fn value(&self, resource: usize) -> Option<&'v Value> {
        self.resources.get(resource).map(|resource| resource.value)
    }

    /// The resource of that URI.
    pub(super) fn find(&self, uri: &str) -> Option<usize> {
        self.resources.iter().position(|resource| uri::split(&resource.uri).0 == uri)
    }

    /// The resource that a schema is of, where it was walked.
    pub(super) fn resource_of(&self, address: usize) -> Option<usize> {
        let found = self.of.binary_search_by_key(&address, |(address, _)| *address).ok()?;
        self.of.get(found).map(|(_, resource)| *resource)
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
