//! `nullable: true`, the word of `OpenAPI` 3.0 for null, in JSON Schema's words.
//!
//! OpenAI takes it, and its helpers for zod 3 write it (<https://github.com/openai/openai-node/issues/1049>). To who else holds a model to a schema it is an unknown
//! word, by which null is not to be said: there it is one of the types. As in the gateway's own judgement it says something beside a `type` alone.

use serde_json::{Value, json};

/// Keywords whose value is no schema: there the word is one of the client's own.
const VALUES: [&str; 5] = ["enum", "const", "default", "examples", "example"];

/// Keywords whose value is schemas by name.
const NAMED: [&str; 6] = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];

/// Whether a schema says it anywhere.
#[must_use]
pub fn is_said(schema: &Value) -> bool {
    let mut spelt = schema.clone();
    spell_out(&mut spelt)
}

/// Puts null among the types instead. Whether there was anything to be done.
pub fn spell_out(schema: &mut Value) -> bool {
    walk(schema, false)
}

/// Schemas are read from a text, so that they are no deeper than texts are read.
fn walk(value: &mut Value, by_name: bool) -> bool {
    let mut changed = false;
    match value {
        Value::Object(members) => {
            let says = !by_name && members.get("nullable") == Some(&Value::Bool(true));
            if says && let Some(kind) = members.get_mut("type").filter(|kind| kind.is_string() || kind.is_array()) {
                match kind {
                    Value::Array(kinds) if kinds.iter().any(|kind| kind == "null") => {}
                    Value::Array(kinds) => kinds.push("null".into()),
                    kind if *kind == "null" => {}
                    kind => *kind = json!([kind.take(), "null"]),
                }
                members.shift_remove("nullable");
                changed = true;
            }
            for (name, member) in members.iter_mut().filter(|(name, _)| by_name || !VALUES.contains(&name.as_str())) {
                changed |= walk(member, !by_name && NAMED.contains(&name.as_str()));
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| changed |= walk(value, false)),
        _ => {}
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_among_the_types_where_the_word_is_a_keyword() {
        let said = json!({ "type": "string", "nullable": true });
        let spelt = json!({ "type": ["string", "null"] });
        let rows = [
            (said.clone(), spelt.clone()),
            (json!({ "type": ["string", "null"], "nullable": true }), spelt.clone()),
            (json!({ "nullable": true, "type": "null" }), json!({ "type": "null" })),
            (
                json!({ "type": "string", "enum": ["a", null], "nullable": true }),
                json!({ "type": ["string", "null"], "enum": ["a", null] }),
            ),
            // Wherever schemas stand, and under any name.
            (json!({ "items": said, "anyOf": [said], "not": said }), json!({ "items": spelt, "anyOf": [spelt], "not": spelt })),
            (
                json!({ "properties": { "enum": said, "properties": { "properties": { "a": said } }, "nullable": said, "type": said } }),
                json!({ "properties": { "enum": spelt, "properties": { "properties": { "a": spelt } }, "nullable": spelt, "type": spelt } }),
            ),
            (
                json!({ "$defs": { "default": said }, "prefixItems": [said] }),
                json!({ "$defs": { "default": spelt }, "prefixItems": [spelt] }),
            ),
        ];
        for (schema, expected) in rows {
            let mut written = schema.clone();
            assert!(is_said(&schema) && spell_out(&mut written), "{schema}");
            assert_eq!(written, expected, "{schema}");
        }
        let same = [
            json!({ "type": "string", "nullable": false }),
            json!({ "nullable": true, "anyOf": [{ "type": "string" }] }),
            json!({ "properties": { "nullable": true, "type": { "type": "string" } } }),
            json!({ "enum": [said], "const": said, "default": said, "examples": [said] }),
            json!({ "properties": { "a": { "default": { "properties": { "a": said } } } } }),
            json!(true),
        ];
        for schema in same {
            let mut written = schema.clone();
            assert!(!is_said(&schema) && !spell_out(&mut written), "{schema}");
            assert_eq!(written, schema);
        }
    }
}
