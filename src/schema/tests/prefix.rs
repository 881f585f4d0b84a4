//! Where the check of what is still being written refuses: never a prefix of what is valid, by the end what is not, and where it says so in the table below.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test ends when it is wrong"
)]

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use breakwater_schema::{Draft, Prefix, Schema, Violation};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn compiled(schema: &Value) -> Rc<Schema> {
    Rc::new(Schema::compile(schema).unwrap_or_else(|refusal| panic!("{schema}: {} at {}", refusal.message, refusal.at)))
}

/// How many bytes were accepted, a character at a time, and what was said of the next, or at the end.
fn fed(schema: &Rc<Schema>, text: &str) -> (usize, Vec<Violation>) {
    let mut prefix = Prefix::new(schema.clone());
    for (at, character) in text.char_indices() {
        if let Err(violation) = prefix.feed(character.encode_utf8(&mut [0; 4])) {
            assert_eq!(prefix.feed("").unwrap_err(), violation, "an error stays");
            assert_eq!(prefix.end().unwrap_err().first(), Some(&violation), "an error stays");
            return (at, prefix.end().unwrap_err());
        }
    }
    (text.len(), prefix.end().err().unwrap_or_default())
}

/// `text` holds a `^` before the character that is refused, or at its end, if the end is, and nothing of the kind if it is valid.
#[track_caller]
fn refused(schema: &Value, text: &str) -> String {
    let whole = text.replacen('^', "", 1);
    let (accepted, violations) = fed(&compiled(schema), &whole);
    let shown = format!("{}^{}", &whole[..accepted], &whole[accepted..]);
    let shown = if violations.is_empty() { &whole } else { &shown };
    assert_eq!(shown, text, "{schema}: {violations:?}");
    violations.first().map_or(String::new(), |violation| format!("{} {}", violation.at, violation.keyword))
}

#[test]
fn grammar() {
    for text in [
        " {\"a\" : [ 1 , -0.5e+7 , true , false , null ] , \"b\" : { } , \"c\" : [ ] } \r\n\t",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83d\\uDE00é😀\"",
        "-0",
        "0e0",
        "1e-999",
        "^",
        " ^",
        "^\u{feff}1",
        "^,",
        "{^,",
        "{\"a\"^}",
        "{\"a\":^}",
        "{\"a\":1,^}",
        "{\"a\":1^]",
        "{\"a\":1^",
        "{^1",
        "[^,",
        "[1,^]",
        "[1^}",
        "[1^",
        "[1 ^2]",
        "1 ^1",
        "{}^{",
        "nul^",
        "n^ll",
        "t^True",
        "-^",
        "-^-",
        "0^1",
        "1.^",
        "1.^e",
        "1.5e^",
        "1e+^-",
        "1e999^",
        "[1e999^]",
        "\"^\n",
        "\"\\^x",
        "\"\\u00^g",
        "\"\\ud^c",
        "\"\\udbff^ ",
        "\"\\ud800\\^n",
        "\"\\ud800\\u^e",
        "\"\\ud800\\ud^b",
        "\"^",
        "^'a'",
        "{^a",
    ] {
        let said = refused(&json!(true), text);
        assert_eq!(said.ends_with("json"), text.contains('^'), "{text}: {said}");
    }
    // As deep as serde_json reads.
    for depth in [127, 128] {
        let text = "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(serde_json::from_str::<Value>(&text).is_ok(), depth == 127);
        let (accepted, violations) = fed(&compiled(&json!(true)), &text);
        assert_eq!((accepted, violations.is_empty()), if depth == 127 { (254, true) } else { (127, false) });
    }
}

#[test]
fn where_exactly() {
    let person = json!({
        "type": "object", "properties": { "name": { "type": "string", "minLength": 2, "maxLength": 3 }, "age": { "type": "integer", "minimum": 0 } },
        "required": ["name"], "additionalProperties": false
    });
    let list = json!({ "type": "array", "items": { "$ref": "#/$defs/person" }, "minItems": 1, "maxItems": 2, "$defs": { "person": person } });
    let rows = [
        // Types, at the first byte; integers at the end.
        (person.clone(), "^[", " type"),
        (person.clone(), "{\"name\":^1", "/name type"),
        (person.clone(), "{\"name\":\"ab\",\"age\":^\"", "/age type"),
        (person.clone(), "{\"name\":\"ab\",\"age\":1.5^}", "/age type"),
        (person.clone(), "{\"name\":\"ab\",\"age\":1.50e1}", ""),
        (person.clone(), "{\"name\":\"ab\",\"age\":-1^,", "/age minimum"),
        (json!({ "items": { "type": "integer" } }), "[1.5^,", "/0 type"),
        (json!({ "type": "integer" }), "1.5^ ", " type"),
        (json!({ "type": "integer" }), "1.5^", " type"),
        (json!({ "type": ["string", "null"] }), "^t", " type"),
        // Names and what is required.
        (person.clone(), "{\"nam^\":1", " additionalProperties"),
        (person.clone(), "{\"\\u006eame\":\"ab\"}", ""),
        (person.clone(), "{\"age\":1^}", " required"),
        (person.clone(), "{^}", " required"),
        (json!({ "propertyNames": { "maxLength": 1 } }), "{\"ab^\"", " propertyNames"),
        (
            json!({ "patternProperties": { "^a": { "type": "null" } }, "additionalProperties": { "type": "array" } }),
            "{\"ab\":null,\"b\":^1",
            "/b type",
        ),
        (json!({ "patternProperties": { "^a": { "type": "null" } } }), "{\"ab\":^1", "/ab type"),
        (json!({ "properties": { "a": false } }), "{\"a^\"", " additionalProperties"),
        (json!({ "items": { "maxProperties": 1 } }), "[{\"a\":1^,", "/0 maxProperties"),
        (json!({ "items": { "maxProperties": 0 } }), "[{^\"", "/0 maxProperties"),
        (json!({ "items": { "minProperties": 2 } }), "[{\"a\":1^}", "/0 minProperties"),
        // Lengths and counts.
        (list.clone(), "[^]", " minItems"),
        (list.clone(), "[{\"name\":\"ab\"},{\"name\":\"ab\"}^,", " maxItems"),
        (list.clone(), "[{\"name\":\"ab\"},{\"name\":\"abc^d", "/1/name maxLength"),
        (list.clone(), "[{\"name\":\"ab\"},{\"name\":\"é😀\\n\"}]", ""),
        (list.clone(), "[{\"name\":\"ab\"},{\"name\":\"abc^\\n", "/1/name maxLength"),
        (list.clone(), "[{\"name\":\"a^\"", "/0/name minLength"),
        (json!({ "items": { "pattern": "^a" } }), "[\"a\",\"ba^\"", "/1 pattern"),
        (json!({ "maxItems": 0 }), "[^1", " maxItems"),
        (json!({ "prefixItems": [{ "type": "null" }], "items": false }), "[null^,", " items"),
        (json!({ "prefixItems": [{ "type": "null" }], "items": { "type": "string" } }), "[null,^1", "/1 type"),
        (json!({ "prefixItems": [{ "type": "null" }] }), "[^1", "/0 type"),
        // Of some only.
        (json!({ "enum": ["abc", "abd", 1] }), "\"ab^x", " enum"),
        (json!({ "enum": ["abc", "abd", 1] }), "\"abc^c", " enum"),
        (json!({ "enum": ["abc", "abd", 1] }), "\"ab^\"", " enum"),
        (json!({ "enum": ["abc", "abd", 1] }), "^t", " enum"),
        (json!({ "items": { "enum": ["abc", "abd", 1] } }), "[1,2^]", "/1 enum"),
        (json!({ "items": { "enum": ["abc", "abd", 1] } }), "[1.0,\"\\u0061\\u^", ""),
        (json!({ "enum": ["é"] }), "\"\\u00e9\"", ""),
        (json!({ "const": true }), "^f", " enum"),
        (json!({ "allOf": [{ "enum": ["ab", "cd"] }, { "enum": ["cd", "ef"] }] }), "\"^a", " enum"),
        (json!({ "allOf": [{ "enum": ["ab"] }, { "enum": ["cd"] }] }), "^\"", " enum"),
        // Conjunctions, and the one branch that is left.
        (json!({ "allOf": [true, { "allOf": [person.clone()] }] }), "{\"age\":^\"", "/age type"),
        (json!({ "items": { "anyOf": [person.clone(), { "type": "null" }] } }), "[null,{\"name\":^1", "/1/name type"),
        (json!({ "items": { "oneOf": [person.clone(), { "type": "null" }] } }), "[null,^1", "/1 oneOf"),
        (json!({ "anyOf": [{ "type": "null" }, { "const": 1 }] }), "^\"", " anyOf"),
        // When the value closes.
        (json!({ "items": { "anyOf": [person.clone(), { "required": ["x"] }] } }), "[{\"age\":1^}", ""),
        (json!({ "items": { "not": { "type": "array" } } }), "[[1^]", "/0 not"),
        (json!({ "items": { "uniqueItems": true } }), "[[1,1^]", "/0 uniqueItems"),
        (json!({ "items": { "contains": { "const": 1 } } }), "[[2^]", "/0 contains"),
        (json!({ "items": { "dependentRequired": { "a": ["b"] } } }), "[{\"a\":1^}", "/0 dependentRequired"),
        (json!({ "items": { "if": { "type": "array" }, "then": { "minItems": 2 } } }), "[[1^]", "/0 minItems"),
        (
            json!({ "properties": { "x": { "allOf": [{ "properties": { "a": true } }], "unevaluatedProperties": false } } }),
            "{\"x\":{\"a\":1,\"b\":1^}",
            "",
        ),
        // The root is checked in full before its last byte goes.
        (json!({ "uniqueItems": true }), "[1,1^]", " uniqueItems"),
        (json!({ "not": { "type": "array" } }), "[1^]", " not"),
        (json!(false), "^1", " false"),
    ];
    for (schema, text, said) in rows {
        let found = refused(&schema, text);
        if !said.is_empty() {
            assert_eq!(found, said, "{schema}: {text}");
        }
    }
}

/// The branch that came first in a recursive schema is followed as deep as the value is.
#[test]
fn recursion() {
    let tree = json!({ "$ref": "#/$defs/tree", "$defs": { "tree": { "type": "object", "properties": {
        "children": { "type": "array", "items": { "$ref": "#/$defs/tree" } }, "value": { "type": "integer" } }, "required": ["value"] } } });
    assert_eq!(
        refused(&tree, "{\"children\":[{\"value\":1,\"children\":[{\"children\":[]^}"),
        "/children/0/children/0 required"
    );
    assert_eq!(refused(&tree, "{\"children\":[{\"value\":1,\"children\":[^1"), "/children/0/children/0 type");
}

#[test]
fn all_that_is_wrong_with_a_number() {
    let mut prefix = Prefix::new(compiled(&json!({ "minimum": 5, "multipleOf": 2 })));
    prefix.feed("3").unwrap();
    assert_eq!(prefix.end().unwrap_err().len(), 2);
}

/// Of two members of one name both must be valid. The exception that the documents make.
#[test]
fn names_written_twice() {
    let schema = json!({ "properties": { "a": { "type": "integer" } } });
    assert!(compiled(&schema).is_valid(&serde_json::from_str("{\"a\":\"x\",\"a\":1}").unwrap()));
    refused(&schema, "{\"a\":^\"x\",\"a\":1}");
    refused(&schema, "{\"a\":1,\"a\":^\"x\"}");
    refused(&json!({ "minProperties": 2 }), "{\"a\":1,\"a\":1^}");
}

/// A check's budget grows with its value. One of a part that runs out of it has said nothing: that of the whole may come to its end.
#[test]
fn a_part_that_is_too_costly_alone() {
    let branches: Vec<Value> = (0..150).map(|_| json!({ "$ref": "#/$defs/none" })).chain([json!(true)]).collect();
    let none = json!({ "none": { "enum": (0..2000).collect::<Vec<_>>() } });
    let alone = compiled(&json!({ "anyOf": branches, "$defs": none })).check(&json!(5000), 1).unwrap_err();
    assert_eq!(alone[0].keyword, "schema", "too costly");
    let schema = json!({ "prefixItems": [{ "anyOf": branches }], "propertyNames": { "anyOf": branches }, "$defs": none });
    refused(&schema, &json!([5000, vec![1; 5000]]).to_string());
    refused(&schema, &json!({ "a": vec![1; 5000] }).to_string());
}

/// What a dynamic reference is to depends on the way there, which the check of a part does not know.
#[test]
fn dynamic_references() {
    let schema = json!({
        "$id": "http://example.com/outer", "$ref": "list", "$defs": {
            "item": { "$dynamicAnchor": "item", "type": ["integer", "null"] },
            "list": { "$id": "list", "items": { "$dynamicRef": "#item" }, "$defs": { "item": { "$dynamicAnchor": "item", "type": "null" } } }
        }
    });
    refused(&schema, "[1,null]");
    refused(&schema, "[1,true^]");
}

/// A name that is too long to be matched on the way is not taken for one that no pattern matches.
#[test]
fn names_that_are_costly_to_match() {
    let schema = json!({ "patternProperties": { "^[ab]{1,600}$": true }, "additionalProperties": false });
    refused(&schema, &format!("{{\"{}\":1}}", "ab".repeat(300)));
    refused(&schema, &format!("{{\"{}\":1^}}", "ab".repeat(301)));
    refused(&schema, "{\"abc^\":1}");
}

#[test]
fn ten_megabytes_and_no_more() {
    let mut prefix = Prefix::new(compiled(&json!(true)));
    prefix.feed("\"").unwrap();
    prefix.feed(&"a".repeat((10 << 20) - 2)).unwrap();
    prefix.feed("\"").unwrap();
    assert_eq!(prefix.feed(" ").unwrap_err().keyword, "json");
}

/// None takes longer than a few passes would. What is costly is given up and left to the end, so that the figures hold whatever the schema.
#[test]
fn hostile_texts_and_schemas_cost_no_more_than_their_length() {
    let many = |of: &dyn Fn(usize) -> Value| (0..500).map(of).collect::<Vec<_>>();
    let schemas = [
        json!(true),
        json!({ "anyOf": [{ "items": { "$ref": "#" } }, { "items": true }], "additionalProperties": { "$ref": "#" } }),
        json!({ "items": { "$ref": "#" }, "uniqueItems": true, "additionalProperties": { "$ref": "#" } }),
        json!({ "items": { "enum": many(&|at| json!(format!("aaaaaaaaaa{at}"))) } }),
        json!({ "items": { "anyOf": many(&|at| json!({ "const": at })) } }),
        json!({ "patternProperties": Value::Object((0..200).map(|at| (format!("(a|aa)+{at}"), json!(true))).collect()), "items": { "$ref": "#" } }),
        json!({ "required": many(&|at| json!(format!("b{at}"))), "additionalProperties": { "$ref": "#" }, "items": { "$ref": "#" } }),
    ];
    let texts = ["[", "[1,", "[\"aaaaaaaaaa", "{\"a\":"].map(|piece| piece.repeat(100)).into_iter().chain([
        format!("[{}", "1,".repeat(200_000)),
        format!("[{}", "[],".repeat(200_000)),
        format!("[{}", "\"aaaaaaaaaa1\",".repeat(30_000)),
        format!("{{{}", "\"aaaaaaaaaaaaa\":1,".repeat(30_000)),
        format!("{{\"{}\":", "a".repeat(400_000)),
        format!("{}{}", "[".repeat(120), "[1],".repeat(100_000)),
        format!("{}{}", "{\"a\":".repeat(120), "[1]".repeat(100_000)),
    ]);
    for text in texts {
        for schema in &schemas {
            let schema_of = compiled(schema);
            let begun = Instant::now();
            let _ = Prefix::new(schema_of).feed(&text);
            let took = begun.elapsed();
            assert!(took.as_secs() < 4, "{}…: {took:?} for {:.100}", &text[..20], schema.to_string());
        }
    }
}

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
