//! What holds of every schema and every text: the suite's own cases, fed by character, and generated ones.

use std::path::PathBuf;
use std::rc::Rc;

use breakwater_schema::{Draft, Prefix, Schema};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{compiled, fed};

/// Every case of both drafts: the end says what a check of the whole says, and nothing is refused before that of what is valid.
#[test]
fn the_suites_cases() {
    let suite = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/json-schema-test-suite/tests");
    let (mut cases, mut early, mut invalid) = (0, 0, 0);
    for (draft, folder) in [(Draft::Seven, "draft7"), (Draft::Latest, "draft2020-12")] {
        for file in std::fs::read_dir(suite.join(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let groups: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            for group in groups.as_array().unwrap() {
                let Ok(schema) = Schema::compile_as(&group["schema"], draft) else { continue };
                let schema = Rc::new(schema);
                for case in group["tests"].as_array().unwrap() {
                    let text = serde_json::to_string_pretty(&case["data"]).unwrap();
                    let valid = schema.is_valid(&case["data"]);
                    let (accepted, violations) = fed(&schema, &text);
                    assert_eq!(
                        violations.is_empty(),
                        valid,
                        "{}: {}: {}",
                        path.display(),
                        group["description"],
                        case["description"]
                    );
                    cases += 1;
                    invalid += usize::from(!valid);
                    early += usize::from(!valid && accepted + 1 < text.len());
                }
            }
        }
    }
    println!("{cases} cases, {invalid} invalid, {early} of them refused before their last byte");
    assert!(cases > 2_000 && early * 4 > invalid, "{cases} cases, {invalid} invalid, {early} early");
}

/// A schema and a value that is valid against it.
type Pair = (Value, Value);

fn text() -> impl Strategy<Value = String> {
    "[a-c\"\\\\é😀\n]{0,4}"
}

fn leaf() -> impl Strategy<Value = Pair> {
    prop_oneof![
        Just((json!({ "type": "null" }), Value::Null)),
        (prop::bool::ANY, text()).prop_map(|(is_null, text)| (
            json!({ "type": "string", "nullable": true }),
            if is_null { Value::Null } else { json!(text) }
        )),
        Just((json!(true), json!({ "free": ["x", 1.5e300] }))),
        prop::bool::ANY.prop_map(|value| (json!({ "type": "boolean", "enum": [value] }), json!(value))),
        (-50i64..50, 0i64..3)
            .prop_map(|(n, by)| (json!({ "type": "integer", "minimum": n - by, "exclusiveMaximum": n + by + 1 }), json!(n))),
        (-50..50).prop_map(|n| (json!({ "type": "integer" }), json!(f64::from(n)))),
        (-50..50).prop_map(|n| (json!({ "type": "number", "multipleOf": 0.25, "maximum": 50 }), json!(f64::from(n) / 4.0))),
        text().prop_map(|text| {
            let length = text.chars().count();
            (json!({ "type": ["string", "null"], "minLength": length, "maxLength": length }), json!(text))
        }),
        (text(), text()).prop_map(|(text, other)| (json!({ "enum": [other, 7, text, [text]] }), json!(text))),
        text().prop_map(|text| (json!({ "const": text }), json!(text))),
        "[a-c]{1,4}".prop_map(|text| (json!({ "pattern": "^[a-c]+$" }), json!(text))),
    ]
}

fn pair() -> impl Strategy<Value = Pair> {
    leaf().prop_recursive(4, 32, 4, |inner| {
        let pairs = prop::collection::vec(inner.clone(), 0..4);
        let members = prop::collection::vec(("[a-d~/\"]{1,2}", inner.clone(), prop::bool::ANY, prop::bool::ANY), 0..4);
        prop_oneof![
            // Arrays, item by item.
            pairs.clone().prop_map(|pairs| {
                let (schemas, items): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
                let count = items.len();
                (json!({ "type": "array", "prefixItems": if schemas.is_empty() { json!([true]) } else { json!(schemas) }, "items": false, "minItems": count, "maxItems": count }), json!(items))
            }),
            // And of one schema.
            (inner.clone(), 0..4usize).prop_map(|((schema, item), count)| {
                (json!({ "type": "array", "items": schema, "maxItems": count }), json!(vec![item; count]))
            }),
            // Objects.
            (members, 0..4).prop_map(|(members, form)| {
                let (mut properties, mut required, mut value) = (Map::new(), Vec::new(), Map::new());
                for (name, (schema, member), is_there, is_required) in members {
                    properties.insert(name.clone(), schema);
                    value.remove(&name);
                    if is_there {
                        value.insert(name.clone(), member);
                    }
                    required.retain(|other| *other != name);
                    if is_there && is_required {
                        required.push(name);
                    }
                }
                let names: Vec<String> = properties.keys().cloned().collect();
                let mut schema = json!({ "type": "object", "properties": properties, "required": required });
                match form {
                    0 => schema["additionalProperties"] = json!(false),
                    1 => schema["unevaluatedProperties"] = json!(false),
                    2 => schema["propertyNames"] = json!({ "enum": if names.is_empty() { vec!["none".to_owned()] } else { names } }),
                    _ => {
                        schema["additionalProperties"] = json!({ "type": "integer" });
                        value.insert("extra".to_owned(), json!(1));
                    }
                }
                (schema, Value::Object(value))
            }),
            inner.clone().prop_map(|(schema, value)| (json!({ "patternProperties": { "^x": schema }, "additionalProperties": false }), json!({ "x1": value, "x2": value }))),
            // In place.
            (inner.clone(), inner.clone()).prop_map(|((schema, value), (other, _))| (json!({ "anyOf": [other, schema] }), value)),
            (inner.clone(), inner.clone()).prop_map(|((schema, value), (other, _))| (json!({ "oneOf": [{ "not": schema }, { "allOf": [schema, { "anyOf": [other, true] }] }] }), value)),
            inner.clone().prop_map(|(schema, value)| (json!({ "oneOf": [{ "const": "no such" }, schema] }), value)),
            (inner.clone(), inner.clone()).prop_map(|((schema, value), (other, _))| (json!({ "if": other, "then": true, "allOf": [schema] }), value)),
            (inner.clone(), 0u32..1_000_000).prop_map(|((schema, value), id)| {
                (json!({ "$id": format!("http://example.com/{id}"), "$defs": { "a": schema }, "$ref": "#/$defs/a" }), value)
            }),
            inner.prop_map(|(schema, value)| (json!({ "type": "array", "contains": schema, "uniqueItems": true }), json!([[0, [0]], value]))),
        ]
    })
}

fn written() -> impl Strategy<Value = (Value, String)> {
    (pair(), prop::bool::ANY).prop_map(|((schema, value), pretty)| {
        let text = if pretty { format!("\n{value:#}\t ") } else { value.to_string() };
        (schema, text)
    })
}

/// What a whole check says of a text.
fn valid(schema: &Schema, text: &str) -> bool {
    serde_json::from_str(text).is_ok_and(|value| schema.is_valid(&value))
}

/// No object of the text writes a name twice: what it says is as long as what is read of it.
fn names_are_unique(text: &str) -> bool {
    let colons = |text: &str| {
        let (mut count, mut within, mut escaped) = (0, false, false);
        for byte in text.bytes() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => within = !within,
                b':' if !within => count += 1,
                _ => {}
            }
        }
        count
    };
    serde_json::from_str::<Value>(text).is_ok_and(|value| colons(&value.to_string()) == colons(text))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1024) })]

    #[test]
    fn a_prefix_of_what_is_valid_is_never_refused((schema, text) in written(), places in prop::collection::vec(any::<prop::sample::Index>(), 0..8)) {
        let Ok(compiled) = Schema::compile(&schema) else { return Ok(()) };
        let compiled = Rc::new(compiled);
        // The generator's `oneOf` may be wrong about the value; a check of the whole is the judge.
        prop_assume!(valid(&compiled, &text));
        prop_assert_eq!(fed(&compiled, &text), (text.len(), vec![]));
        let mut places: Vec<usize> = places.iter().map(|place| place.index(text.len())).filter(|at| text.is_char_boundary(*at)).collect();
        places.extend([0, text.len()]);
        places.sort_unstable();
        let mut prefix = Prefix::new(compiled);
        for pair in places.windows(2) {
            prop_assert_eq!(prefix.feed(&text[pair[0]..pair[1]]), Ok(()));
        }
        prop_assert_eq!(prefix.end(), Ok(()));
    }

    /// A text that is nearly valid: what the check of the whole refuses, this one refuses, by the end at the latest, and nothing else; the same
    /// wherever the text is split.
    #[test]
    fn what_is_invalid_is_refused_by_the_end((schema, text) in written(), edits in prop::collection::vec((any::<prop::sample::Index>(), 0..3, "[0-9a-c\",:{}\\[\\]\\\\ntf.e-]"), 1..4)) {
        let Ok(compiled) = Schema::compile(&schema) else { return Ok(()) };
        let compiled = Rc::new(compiled);
        let mut text: Vec<char> = text.chars().collect();
        for (at, edit, piece) in edits {
            let at = at.index(text.len().max(1)).min(text.len());
            if edit < 2 && at < text.len() {
                text.remove(at);
            }
            if edit > 0 {
                text.insert(at, piece.chars().next().unwrap());
            }
        }
        let text: String = text.into_iter().collect();
        let (accepted, violations) = fed(&compiled, &text);
        if valid(&compiled, &text) {
            prop_assert!(violations.is_empty() || !names_are_unique(&text), "{} {:?}", text, violations);
        } else {
            prop_assert!(!violations.is_empty(), "{} accepted", text);
        }
        let mut whole = Prefix::new(compiled);
        let fed_whole = whole.feed(&text);
        prop_assert_eq!(fed_whole.is_err(), accepted < text.len());
        prop_assert_eq!(whole.end().err().unwrap_or_default(), violations);
    }

    /// One value of a valid document replaced by another: the same, with documents that are JSON.
    #[test]
    fn other_values((schema, _) in pair(), (_, value) in pair()) {
        let Ok(compiled) = Schema::compile(&schema) else { return Ok(()) };
        let text = value.to_string();
        let is_valid = compiled.is_valid(&value);
        let (_, violations) = fed(&Rc::new(compiled), &text);
        prop_assert_eq!(violations.is_empty(), is_valid, "{} {:?}", text, violations);
    }

    /// The grammar, to the byte, against `serde_json`: what is accepted can be gone on with, and what is refused cannot.
    #[test]
    fn json_to_the_byte(text in r#"([\[\]{},: ]|"|"a"|"\\ud83d\\ude00"|\\u|\\|[dD][89cC]00|a|-|[0-9.eE+]|null|tr|true){0,9}"#) {
        let mut open = Vec::new();
        let (accepted, _) = fed(&compiled(&json!(true)), &text);
        for end in [accepted, accepted + 1] {
            let Some(start) = text.get(..end) else { continue };
            let could = ends(start, &mut open).iter().any(|end| serde_json::from_str::<Value>(&format!("{start}{end}")).is_ok());
            prop_assert_eq!(could, end == accepted, "{:?}", start);
        }
    }
}

/// Ways in which JSON could go on to its end.
fn ends(start: &str, open: &mut Vec<char>) -> Vec<String> {
    open.clear();
    let (mut within, mut escaped) = (false, false);
    for character in start.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => within = !within,
            '{' if !within => open.push('}'),
            '[' if !within => open.push(']'),
            '}' | ']' if !within => drop(open.pop()),
            _ => {}
        }
    }
    let brackets: String = open.iter().rev().collect();
    let escapes = ["", "n", "0000", "000", "00", "0", "800\\udc00", "00\\udc00", "\\udc00", "udc00", "dc00", "c00"];
    let mut all: Vec<String> =
        ["", "0", "\"\"", "\"\":0", ":0", "ull", "ll", "l", "rue", "ue", "e", "alse"].map(str::to_owned).into();
    all.extend(escapes.iter().flat_map(|escape| [format!("{escape}\""), format!("{escape}\":0")]));
    all.iter().map(|end| format!("{end}{brackets}")).collect()
}
