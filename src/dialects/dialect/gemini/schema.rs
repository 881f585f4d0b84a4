//! A JSON schema in the subset of `OpenAPI` 3.0 that models before 2.5 take (<https://ai.google.dev/api/caching#Schema>), which refuses every member that it does
//! not know.
//!
//! What has another spelling there is translated: a reference by what it refers to, `const` by an `enum` of one, a type or null by `nullable`, `oneOf` by
//! `anyOf`. Whatever only narrows is left out, and said to be lost.

use serde_json::{Value, json};

use crate::chat::Object;
use crate::dialect::nullable;

/// How deep references are followed, and schemas nested: one that refers to itself has no end.
const MAX_DEPTH: usize = 16;

/// How many schemas may come of one: references within references multiply.
const MAX_SCHEMAS: usize = 4096;

/// What stays as it is.
const KEPT: [&str; 15] = [
    "title",
    "description",
    "nullable",
    "required",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "propertyOrdering",
    "default",
];

/// The formats that are known.
const FORMATS: [&str; 7] = ["enum", "date-time", "float", "double", "int32", "int64", "byte"];

/// A schema in the subset, and whether something of it was left out.
pub(super) fn subset(schema: &Value) -> (Value, bool) {
    let mut walk = Walk { root: schema, lost: false, left: MAX_SCHEMAS };
    let subset = walk.schema(schema, MAX_DEPTH);
    (subset, walk.lost)
}

/// A schema for the models that take JSON Schema, which has no `nullable`.
pub(super) fn json_schema(schema: &Value) -> Value {
    let mut schema = schema.clone();
    nullable::spell_out(&mut schema);
    schema
}

struct Walk<'a> {
    root: &'a Value,
    lost: bool,
    left: usize,
}

impl<'a> Walk<'a> {
    fn schema(&mut self, schema: &'a Value, depth: usize) -> Value {
        let Value::Object(members) = schema else {
            // `true` is any value.
            return self.anything();
        };
        if depth == 0 || self.left == 0 {
            return self.anything();
        }
        self.left -= 1;
        if let Some(Value::String(reference)) = members.get("$ref") {
            let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            return match target {
                Some(target) => self.schema(target, depth - 1),
                None => self.schema(&Value::Null, 0),
            };
        }
        let mut written = Object::new();
        for (name, value) in members {
            self.member(&mut written, name, value, depth);
        }
        Value::Object(written)
    }

    /// What stands for a schema that the subset cannot hold: an object without properties would be refused.
    fn anything(&mut self) -> Value {
        self.lost = true;
        json!({ "type": "string" })
    }

    fn member(&mut self, written: &mut Object, name: &str, value: &'a Value, depth: usize) {
        let put = |written: &mut Object, name: &str, value: Value| drop(written.insert(name.to_owned(), value));
        match (name, value) {
            (name, value) if KEPT.contains(&name) => put(written, name, value.clone()),
            ("type", Value::String(_)) => put(written, name, value.clone()),
            ("type", Value::Array(types)) => {
                if types.iter().any(|kind| kind == "null") {
                    put(written, "nullable", Value::Bool(true));
                }
                let others: Vec<&Value> = types.iter().filter(|kind| *kind != "null").collect();
                match others.as_slice() {
                    [] => put(written, "type", Value::from("null")),
                    [only] => put(written, "type", (*only).clone()),
                    several => put(written, "anyOf", several.iter().map(|kind| json!({ "type": kind })).collect()),
                }
            }
            ("format", Value::String(format)) if FORMATS.contains(&format.as_str()) => put(written, name, value.clone()),
            ("enum", Value::Array(values)) if values.iter().all(Value::is_string) => put(written, name, value.clone()),
            ("const", Value::String(_)) => put(written, "enum", json!([value])),
            ("properties", Value::Object(properties)) => {
                if !properties.is_empty() {
                    let read = properties.iter().map(|(name, schema)| (name.clone(), self.schema(schema, depth - 1))).collect();
                    put(written, name, Value::Object(read));
                }
            }
            ("items", Value::Object(_)) => {
                let items = self.schema(value, depth - 1);
                put(written, name, items);
            }
            ("anyOf" | "oneOf", Value::Array(schemas)) => self.any_of(written, schemas, depth),
            ("allOf", Value::Array(schemas)) => match schemas.as_slice() {
                [only] => {
                    if let Value::Object(members) = self.schema(only, depth - 1) {
                        written.extend(members);
                    }
                }
                _ => self.lost = true,
            },
            ("$defs" | "definitions" | "$schema" | "$id" | "$comment" | "examples" | "example", _) => {}
            ("additionalProperties", Value::Bool(_)) => self.lost |= value == &Value::Bool(true),
            _ => self.lost = true,
        }
    }

    /// Several schemas, of which null is `nullable`; one that is left stands for itself.
    fn any_of(&mut self, written: &mut Object, schemas: &'a [Value], depth: usize) {
        let is_null = |schema: &&Value| schema.get("type") == Some(&Value::from("null"));
        if schemas.iter().any(|schema| is_null(&schema)) {
            written.insert("nullable".to_owned(), Value::Bool(true));
        }
        let mut others: Vec<Value> =
            schemas.iter().filter(|schema| !is_null(schema)).map(|schema| self.schema(schema, depth - 1)).collect();
        if others.len() == 1
            && let Some(Value::Object(only)) = others.pop()
        {
            written.extend(only);
        } else if !others.is_empty() {
            written.insert("anyOf".to_owned(), Value::Array(others));
        }
    }
}
