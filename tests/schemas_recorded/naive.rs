//! A second opinion: as much of JSON Schema as the recorded schemas use, word by word, and nothing that could be shared with the gateway's own validator. A
//! keyword that it does not know is an error, so that it never passes anything unseen.

use serde_json::Value;

pub fn is_valid(root: &Value, schema: &Value, value: &Value) -> bool {
    let Some(keywords) = schema.as_object() else { return schema.as_bool().unwrap() };
    keywords.iter().all(|(keyword, said)| match keyword.as_str() {
        "$schema" | "$defs" | "definitions" | "title" | "description" | "format" | "default" | "examples" => true,
        "type" => match said {
            Value::Array(types) => types.iter().any(|name| is_a(value, name.as_str().unwrap())),
            name => is_a(value, name.as_str().unwrap()),
        },
        "enum" => said.as_array().unwrap().contains(value),
        "const" => said == value,
        "minimum" => value.as_f64().is_none_or(|number| number >= said.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|number| number <= said.as_f64().unwrap()),
        "properties" => {
            let known = said.as_object().unwrap();
            known.iter().all(|(name, schema)| value.get(name).is_none_or(|member| is_valid(root, schema, member)))
        }
        "required" => {
            !value.is_object() || said.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some())
        }
        "additionalProperties" => {
            let known = keywords.get("properties").and_then(Value::as_object);
            let mut members = value.as_object().into_iter().flatten();
            members.all(|(name, member)| known.is_some_and(|known| known.contains_key(name)) || is_valid(root, said, member))
        }
        "items" => value.as_array().into_iter().flatten().all(|item| is_valid(root, said, item)),
        "anyOf" => said.as_array().unwrap().iter().any(|schema| is_valid(root, schema, value)),
        "allOf" => said.as_array().unwrap().iter().all(|schema| is_valid(root, schema, value)),
        "$ref" => is_valid(root, root.pointer(said.as_str().unwrap().strip_prefix('#').unwrap()).unwrap(), value),
        other => panic!("the second judge does not know {other}"),
    })
}

fn is_a(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        other => panic!("there is no type {other}"),
    }
}
