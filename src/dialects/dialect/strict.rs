//! A JSON schema as providers take it that hold a model to one, which know a part of JSON Schema and refuse the rest.
//!
//! What is changed is changed for the provider's sake alone: the gateway judges answers by the schema that the client sent. So a keyword that only narrows may
//! be left out, and what is written may be narrower than what was asked for; but nothing may be written that lets less through than every value that the model
//! could need. Whatever cannot be said so (a map of any names, a reference to elsewhere) has no form here, and the schema is asked for by other means.

use serde_json::{Value, json};

use super::nullable;
use crate::chat::Object;

/// What one provider's subset is.
#[derive(Debug)]
pub struct Subset {
    /// Whether every property must be required; one that need not be there is null instead.
    all_required: bool,
    /// Whether a schema may refer to itself.
    recursive: bool,
    /// What stays as it is.
    kept: &'static [&'static str],
}

/// "Structured outputs", "Supported schemas".
pub const OPENAI: Subset = Subset {
    all_required: true,
    recursive: true,
    kept: &[
        // The helpers of its own SDKs say it.
        "$schema",
        "type",
        "title",
        "description",
        "enum",
        "const",
        "pattern",
        "multipleOf",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minItems",
        "maxItems",
    ],
};

/// "Structured outputs", "JSON Schema limitations": no bounds of numbers, lengths and counts, no recursion.
pub const ANTHROPIC: Subset = Subset {
    all_required: false,
    recursive: false,
    kept: &["type", "title", "description", "enum", "const", "default", "examples"],
};

/// Formats of texts that both enforce.
const FORMATS: [&str; 9] = ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];

/// Keywords that only narrow, or say nothing. `discriminator` is `OpenAPI`'s, which Pydantic writes beside a `oneOf`: a hint of where to look.
/// `nullable` is its as well, and says nothing any more where null is among the types, or where no type is.
const NARROWING: [&str; 27] = [
    "discriminator",
    "nullable",
    "pattern",
    "multipleOf",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "minProperties",
    "maxProperties",
    "uniqueItems",
    "contains",
    "minContains",
    "maxContains",
    "propertyNames",
    "not",
    "dependentRequired",
    "format",
    "default",
    "examples",
    "$schema",
    "$comment",
    "deprecated",
];

/// How deep a schema may be nested: `OpenAI` takes ten levels of objects, which are two of ours each.
const MAX_DEPTH: usize = 24;

/// Whether `OpenAI` takes a schema as it is.
#[must_use]
pub fn fits(schema: &Value) -> bool {
    fit(schema, &OPENAI).is_some_and(|fitted| fitted == *schema)
}

/// Puts the schema in the member `name` of what asks for it to be enforced strictly in `OpenAI`'s subset, and asks for it not strictly where it has no form
/// there. For an answer that is `live`, of which nothing can be taken out again, it stays as it is: what has to be there in the subset, and need not be, is
/// null. Whether anything was changed.
pub fn bend(of: &mut Object, name: &str, live: bool) -> bool {
    let schema = of.get(name).filter(|_| of.get("strict") == Some(&Value::Bool(true)));
    let Some(schema) = schema else { return false };
    let is_same = |fitted: &Value| {
        let mut spelt = schema.clone();
        nullable::spell_out(&mut spelt) && *fitted == spelt
    };
    match fit(schema, &OPENAI) {
        Some(fitted) if fitted == *schema => return false,
        Some(fitted) if !live || is_same(&fitted) => drop(of.insert(name.to_owned(), fitted)),
        _ => drop(of.insert("strict".to_owned(), false.into())),
    }
    true
}

/// The schema in the subset; none where it has no form there.
#[must_use]
pub fn fit(schema: &Value, subset: &Subset) -> Option<Value> {
    let mut schema = schema.clone();
    nullable::spell_out(&mut schema);
    let members = schema.as_object()?;
    let is_object = members.get("type").is_some_and(|kind| kind == "object") && !members.contains_key("anyOf");
    is_object.then(|| node(&schema, subset, 0)).flatten()
}

fn node(schema: &Value, subset: &Subset, depth: usize) -> Option<Value> {
    let members = schema.as_object().filter(|_| depth < MAX_DEPTH)?;
    if let Some(reference) = members.get("$ref") {
        // Neither takes anything beside a reference; a description is no loss.
        let is_here =
            reference.as_str().is_some_and(|reference| reference == "#" && subset.recursive || reference.starts_with("#/"));
        let alone =
            members.keys().all(|name| matches!(name.as_str(), "$ref" | "title" | "description" | "default" | "examples"));
        return (is_here && alone).then(|| json!({ "$ref": reference }));
    }
    let mut written = Object::new();
    for (name, value) in members {
        match (name.as_str(), value) {
            (name, value) if subset.kept.contains(&name) => drop(written.insert(name.to_owned(), value.clone())),
            ("format", Value::String(format)) if FORMATS.contains(&format.as_str()) => {
                drop(written.insert(name.clone(), value.clone()));
            }
            ("properties", Value::Object(properties)) => {
                drop(written.insert(name.clone(), self::properties(properties, members, subset, depth)?));
            }
            ("items", items) => drop(written.insert(name.clone(), node(items, subset, depth + 1)?)),
            ("anyOf" | "oneOf", Value::Array(branches)) => {
                let fitted: Option<Vec<Value>> = branches.iter().map(|branch| node(branch, subset, depth + 1)).collect();
                drop(written.insert("anyOf".to_owned(), fitted?.into()));
            }
            ("allOf", Value::Array(branches)) => match branches.as_slice() {
                [only] if members.keys().all(|name| matches!(name.as_str(), "allOf" | "title" | "description" | "default")) => {
                    return node(only, subset, depth + 1);
                }
                _ => return None,
            },
            ("$defs" | "definitions", Value::Object(definitions)) => {
                let mut fitted = Object::new();
                for (name, definition) in definitions {
                    // What refers may come back to where it began, and is not followed to find out.
                    if !subset.recursive && refers(definition) {
                        return None;
                    }
                    fitted.insert(name.clone(), node(definition, subset, depth + 1)?);
                }
                drop(written.insert(name.clone(), fitted.into()));
            }
            ("additionalProperties", Value::Bool(false)) | ("required", _) => {}
            // Said to be open, though with no names of its own to say: closed is narrower.
            ("additionalProperties", Value::Bool(true)) if members.contains_key("properties") => {}
            (name, _) if NARROWING.contains(&name) => {}
            _ => return None,
        }
    }
    close(&mut written, members, subset)?;
    Some(Value::Object(written))
}

/// Closes an object; an array must say what it is of, and anything what it is.
fn close(written: &mut Object, members: &Object, subset: &Subset) -> Option<()> {
    let is_of = |kind: &str| match members.get("type") {
        Some(Value::String(stated)) => stated == kind,
        Some(Value::Array(stated)) => stated.iter().any(|stated| stated == kind),
        _ => false,
    };
    if is_of("array") && !members.contains_key("items") {
        return None;
    }
    if is_of("object") || written.contains_key("properties") {
        let names: Vec<Value> = match written.get("properties").and_then(Value::as_object) {
            Some(properties) => properties.keys().map(|name| name.as_str().into()).collect(),
            // An object of any names is a map.
            None => return None,
        };
        let stated = members.get("required");
        let is_all = stated
            .and_then(Value::as_array)
            .is_some_and(|stated| stated.len() == names.len() && names.iter().all(|name| stated.contains(name)));
        let required = if subset.all_required && !is_all { Some(names.into()) } else { stated.cloned() };
        if let Some(required) = required {
            written.insert("required".to_owned(), required);
        }
        written.insert("additionalProperties".to_owned(), false.into());
    }
    let says = ["type", "enum", "const", "anyOf"].iter().any(|name| written.contains_key(*name));
    says.then_some(())
}

fn properties(properties: &Object, of: &Object, subset: &Subset, depth: usize) -> Option<Value> {
    let required = of.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|required| required.iter().any(|other| other == name));
    let mut written = Object::new();
    for (name, property) in properties {
        let fitted = node(property, subset, depth + 1)?;
        let fitted = if subset.all_required && !is_required(name) { or_null(fitted) } else { fitted };
        written.insert(name.clone(), fitted);
    }
    Some(written.into())
}

/// The same, or null.
fn or_null(mut schema: Value) -> Value {
    let simple = schema.get("enum").is_none() && schema.get("const").is_none();
    match schema.get_mut("type") {
        Some(Value::Array(kinds)) if simple => {
            if kinds.iter().all(|kind| kind != "null") {
                kinds.push("null".into());
            }
            schema
        }
        Some(kind @ Value::String(_)) if simple => {
            if *kind != "null" {
                *kind = json!([kind.take(), "null"]);
            }
            schema
        }
        _ => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

fn refers(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => members.iter().any(|(name, value)| name == "$ref" || refers(value)),
        Value::Array(values) => values.iter().any(refers),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_as_much_in_other_words_is_in_the_subset_of_openais() {
        let schema = |required: Value| {
            json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "additionalProperties": false,
                "properties": {"b": {"type": "string"}, "a": {"type": "string"}}, "required": required})
        };
        assert!(fits(&schema(json!(["a", "b"]))) && fits(&schema(json!(["b", "a"]))));
        for required in [json!(["a"]), json!(["a", "a"]), json!(["a", "c"]), json!(["a", "b", "c"]), json!("a")] {
            assert!(!fits(&schema(required.clone())), "{required}");
            assert_eq!(
                fit(&schema(required.clone()), &OPENAI).map(|fitted| fitted["required"].clone()),
                Some(json!(["b", "a"])),
                "{required}"
            );
        }
    }

    fn closed(property: &Value) -> Value {
        json!({"type": "object", "properties": {"a": property}, "required": ["a"], "additionalProperties": false})
    }

    #[test]
    fn what_is_in_the_subset_stays_as_it_is() {
        let rows = [
            json!({"type": "string"}),
            json!({"type": ["string", "null"], "description": "minimum"}),
            json!({"type": "array", "items": {"type": "integer"}}),
            json!({"anyOf": [{"type": "string", "format": "ipv4"}, {"type": "null"}]}),
            json!({"type": "string", "enum": ["a"]}),
            closed(&json!({"type": "string"})),
        ];
        for property in rows {
            for subset in [&OPENAI, &ANTHROPIC] {
                assert_eq!(fit(&closed(&property), subset), Some(closed(&property)), "{property}");
            }
        }
    }

    #[test]
    fn what_only_narrows_is_left_out_and_objects_are_closed() {
        let rows = [
            (json!({"type": "integer", "minimum": 1}), json!({"type": "integer", "minimum": 1}), json!({"type": "integer"})),
            (
                json!({"type": "string", "maxLength": 3, "format": "regex"}),
                json!({"type": "string"}),
                json!({"type": "string"}),
            ),
            (
                json!({"oneOf": [{"type": "string"}, {"type": "null"}]}),
                json!({"anyOf": [{"type": "string"}, {"type": "null"}]}),
                json!({"anyOf": [{"type": "string"}, {"type": "null"}]}),
            ),
            (
                json!({"oneOf": [{"$ref": "#/$defs/a"}], "discriminator": {"propertyName": "kind", "mapping": {"a": "#/$defs/a"}}}),
                json!({"anyOf": [{"$ref": "#/$defs/a"}]}),
                json!({"anyOf": [{"$ref": "#/$defs/a"}]}),
            ),
            (
                json!({"allOf": [{"$ref": "#/$defs/d"}], "description": "d"}),
                json!({"$ref": "#/$defs/d"}),
                json!({"$ref": "#/$defs/d"}),
            ),
            (
                json!({"type": "object", "properties": {"b": {"type": "string"}}}),
                json!({"type": "object", "properties": {"b": {"type": ["string", "null"]}}, "required": ["b"], "additionalProperties": false}),
                json!({"type": "object", "properties": {"b": {"type": "string"}}, "additionalProperties": false}),
            ),
            (
                json!({"type": "object", "properties": {"b": {"type": "string", "enum": ["x"]}}}),
                json!({"type": "object", "properties": {"b": {"anyOf": [{"type": "string", "enum": ["x"]}, {"type": "null"}]}},
                    "required": ["b"], "additionalProperties": false}),
                json!({"type": "object", "properties": {"b": {"type": "string", "enum": ["x"]}}, "additionalProperties": false}),
            ),
            // What null is among the types for is said in JSON Schema's words, here and there.
            (
                json!({"type": "string", "nullable": true, "description": "d"}),
                json!({"type": ["string", "null"], "description": "d"}),
                json!({"type": ["string", "null"], "description": "d"}),
            ),
            (
                json!({"nullable": true, "type": "object", "properties": {"b": {"type": "boolean", "nullable": true}}, "required": ["b"]}),
                json!({"type": ["object", "null"], "properties": {"b": {"type": ["boolean", "null"]}}, "required": ["b"], "additionalProperties": false}),
                json!({"type": ["object", "null"], "properties": {"b": {"type": ["boolean", "null"]}}, "required": ["b"], "additionalProperties": false}),
            ),
            (
                json!({"type": "string", "nullable": false, "enum": ["a"]}),
                json!({"type": "string", "enum": ["a"]}),
                json!({"type": "string", "enum": ["a"]}),
            ),
        ];
        for (property, of_openai, of_anthropic) in rows {
            assert_eq!(fit(&closed(&property), &OPENAI), Some(closed(&of_openai)), "{property}");
            assert_eq!(fit(&closed(&property), &ANTHROPIC), Some(closed(&of_anthropic)), "{property}");
        }
    }

    #[test]
    fn what_has_no_form() {
        let rows = [
            closed(&json!({"type": "object"})),
            closed(&json!({"type": "object", "additionalProperties": {"type": "string"}})),
            closed(&json!({"type": "object", "properties": {}, "patternProperties": {"^a": {}}})),
            closed(&json!({"type": "array"})),
            closed(&json!({"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "string"}})),
            closed(&json!({"allOf": [{"type": "string"}, {"minLength": 1}]})),
            closed(&json!({"$ref": "https://example.com"})),
            closed(&json!({})),
            closed(&json!(true)),
            json!({"anyOf": [closed(&json!({"type": "string"}))]}),
            json!({"type": "array", "items": {"type": "string"}}),
            // Null is an answer here, which no root may be.
            json!({"type": "object", "nullable": true, "properties": {}, "additionalProperties": false}),
        ];
        for schema in rows {
            for subset in [&OPENAI, &ANTHROPIC] {
                assert_eq!(fit(&schema, subset), None, "{schema}");
            }
        }
        let recursive = json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/node"}}, "required": ["a"], "additionalProperties": false,
            "$defs": {"node": closed(&json!({"$ref": "#/$defs/node"}))}});
        assert_eq!(fit(&recursive, &ANTHROPIC), None);
        assert_eq!(fit(&recursive, &OPENAI), Some(recursive.clone()));
        let mut deep = json!({"type": "string"});
        for _ in 0..30 {
            deep = closed(&deep);
        }
        assert_eq!(fit(&deep, &OPENAI), None);
    }
}
