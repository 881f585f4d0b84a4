//! Whether Anthropic can enforce a schema, and what is said to a model where not.
//!
//! Source: "Structured outputs", "JSON Schema limitations": every object closed, no bounds of numbers, lengths and counts, no recursion, no
//! conditionals. Anthropic refuses a schema with any of them, and the official SDKs rewrite it; here the schema is then put to the model in words, as
//! the gateway checks the answer by the whole schema anyway.

use std::fmt::Write as _;

use serde_json::Value;

/// Keywords beside which nothing is refused.
const KNOWN: [&str; 17] = [
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "const",
    "anyOf",
    "allOf",
    "description",
    "title",
    "default",
    "format",
    "$ref",
    "$defs",
    "definitions",
    "examples",
];

/// Formats of texts that are enforced; others are refused.
const FORMATS: [&str; 10] = ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];

/// Whether a schema can be enforced.
pub(super) fn fits(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("object") && node(schema, 0)
}

fn node(schema: &Value, depth: usize) -> bool {
    let Value::Object(members) = schema else { return false };
    if depth > 32 || !members.keys().all(|name| KNOWN.contains(&name.as_str()) || name == "$schema") {
        return false;
    }
    let is_object = match members.get("type") {
        Some(Value::String(kind)) => kind == "object",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "object"),
        _ => members.contains_key("properties"),
    };
    if is_object && members.get("additionalProperties") != Some(&Value::Bool(false)) {
        return false;
    }
    members.iter().all(|(name, value)| match (name.as_str(), value) {
        ("properties", Value::Object(properties)) => properties.values().all(|property| node(property, depth + 1)),
        // Definitions that hold references may be recursive, and are not followed to find out.
        ("$defs" | "definitions", Value::Object(definitions)) => {
            definitions.values().all(|definition| node(definition, depth + 1) && !refers(definition))
        }
        ("items", items) => node(items, depth + 1),
        ("anyOf" | "allOf", Value::Array(branches)) => branches.iter().all(|branch| node(branch, depth + 1)),
        ("format", format) => format.as_str().is_some_and(|format| FORMATS.contains(&format)),
        ("$ref", reference) => reference.as_str().is_some_and(|reference| reference.starts_with("#/") && members.len() == 1),
        ("additionalProperties", allowed) => allowed == &Value::Bool(false),
        _ => true,
    })
}

fn refers(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => members.iter().any(|(name, value)| name == "$ref" || refers(value)),
        Value::Array(values) => values.iter().any(refers),
        _ => false,
    }
}

/// What the system prompt says of an answer that must be JSON.
pub(super) fn instruction(name: Option<&str>, description: Option<&str>, schema: Option<&Value>) -> String {
    let mut text =
        "Your answer must be one JSON object and nothing else: no words before or after it, and no Markdown fence around it."
            .to_owned();
    if let Some(schema) = schema {
        if name.is_some() || description.is_some() {
            text.push_str("\nIt is what follows:");
        }
        for said in name.into_iter().chain(description) {
            let _ = write!(text, " {said}.");
        }
        let _ = write!(
            text,
            "\nIt must be valid by this JSON schema, with its properties in the order in which the schema names them:\n{schema}"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_anthropic_can_enforce() {
        let closed = |property: Value| json!({"type": "object", "properties": {"a": property}, "required": ["a"], "additionalProperties": false});
        let rows = [
            (closed(json!({"type": "string"})), true),
            (closed(json!({"type": ["string", "null"], "description": "minimum"})), true),
            (closed(json!({"type": "array", "items": {"type": "integer"}})), true),
            (closed(json!({"anyOf": [{"type": "string", "format": "ipv4"}, {"type": "null"}]})), true),
            (closed(json!({"type": "string", "enum": ["a"]})), true),
            (closed(closed(json!({"type": "string"}))), true),
            (closed(json!({"type": "object", "properties": {}})), false),
            (closed(json!({"type": "integer", "minimum": 1})), false),
            (closed(json!({"type": "string", "pattern": "a"})), false),
            (closed(json!({"type": "string", "format": "regex"})), false),
            (closed(json!({"type": "array", "items": {"type": "string", "maxLength": 3}})), false),
            (closed(json!({"$ref": "#"})), false),
            (closed(json!({"$ref": "https://example.com"})), false),
            (closed(json!(true)), false),
            (json!({"type": "object", "properties": {}}), false),
            (json!({"anyOf": [closed(json!({"type": "string"}))]}), false),
            (json!({"type": "array", "items": {"type": "string"}}), false),
        ];
        for (schema, expected) in rows {
            assert_eq!(fits(&schema), expected, "{schema}");
        }
        let recursive = json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/node"}}, "additionalProperties": false,
            "$defs": {"node": closed(json!({"$ref": "#/$defs/node"}))}});
        assert!(!fits(&recursive));
    }
}
