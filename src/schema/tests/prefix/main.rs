//! Where the check of what is still being written refuses: never a prefix of what is valid, by the end what is not, and where it says so in the table below.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test ends when it is wrong"
)]

mod laws;

use std::rc::Rc;
use std::time::Instant;

use breakwater_schema::{Prefix, Schema, Violation};
use serde_json::{Value, json};

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
        (json!({ "type": "string", "nullable": true }), "null", ""),
        (json!({ "type": "string", "nullable": true }), "^t", " type"),
        (json!({ "type": "string", "nullable": true, "enum": ["a"] }), "^null", " enum"),
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
