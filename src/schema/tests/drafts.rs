//! What a schema means by the draft that it names, or without one: where the suite, whose tests all are of one draft, does not say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends when it is wrong"
)]

use std::rc::Rc;

use breakwater_schema::{Prefix, Schema};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const SIX: &str = "http://json-schema.org/draft-06/schema#";
const SEVEN: &str = "http://json-schema.org/draft-07/schema";
const NINETEEN: &str = "https://json-schema.org/draft/2019-09/schema";
const TWENTY: &str = "https://json-schema.org/draft/2020-12/schema";

/// Whether a value is valid; nothing where the schema is refused.
fn is_valid(draft: &str, schema: &Value, value: &Value) -> Option<bool> {
    let mut schema = schema.clone();
    if !draft.is_empty() {
        schema["$schema"] = draft.into();
    }
    Some(Schema::compile(&schema).ok()?.is_valid(value))
}

#[test]
fn by_draft() {
    let no = Some(false);
    let yes = Some(true);
    // By none, 7 (and 6), 2019-09, and 2020-12.
    let table = [
        ("array items", json!({ "items": [{ "type": "null" }], "additionalItems": false }), json!([1]), [no, no, no, None]),
        ("additional items", json!({ "items": [true], "additionalItems": false }), json!([1, 2]), [no, no, no, None]),
        ("additional items alone", json!({ "additionalItems": false }), json!([1, 2]), [yes, yes, yes, yes]),
        ("prefix items", json!({ "prefixItems": [false] }), json!([1]), [no, yes, yes, no]),
        ("dependencies", json!({ "dependencies": { "a": ["b"], "c": false } }), json!({ "a": 1 }), [no, no, no, no]),
        (
            "definitions",
            json!({ "properties": { "a": { "$ref": "#/definitions/a" } }, "definitions": { "a": false } }),
            json!({ "a": 1 }),
            [no, no, no, no],
        ),
        (
            "$defs",
            json!({ "properties": { "a": { "$ref": "#/$defs/a" } }, "$defs": { "a": false } }),
            json!({ "a": 1 }),
            [no, no, no, no],
        ),
        (
            "beside $ref",
            json!({ "properties": { "a": { "$ref": "#/$defs/a", "minimum": 5 } }, "$defs": { "a": true } }),
            json!({ "a": 1 }),
            [no, yes, no, no],
        ),
        ("minContains", json!({ "contains": true, "minContains": 2 }), json!([1]), [no, yes, no, no]),
        ("dependentRequired", json!({ "dependentRequired": { "a": ["b"] } }), json!({ "a": 1 }), [no, yes, no, no]),
        ("dependentSchemas", json!({ "dependentSchemas": { "a": false } }), json!({ "a": 1 }), [no, yes, no, no]),
        ("unevaluated", json!({ "unevaluatedProperties": false }), json!({ "a": 1 }), [no, yes, no, no]),
        (
            "contains evaluates",
            json!({ "contains": { "const": 1 }, "unevaluatedItems": false }),
            json!([1]),
            [yes, yes, no, yes],
        ),
        (
            "$anchor",
            json!({ "properties": { "a": { "$ref": "#a" } }, "$defs": { "a": { "$anchor": "a", "not": true } } }),
            json!({ "a": 1 }),
            [no, None, no, no],
        ),
        (
            "$id as an anchor",
            json!({ "properties": { "a": { "$ref": "#a" } }, "$defs": { "a": { "$id": "#a", "not": true } } }),
            json!({ "a": 1 }),
            [no, no, no, no],
        ),
        (
            "$dynamicRef",
            json!({ "properties": { "a": { "$dynamicRef": "#/$defs/a" } }, "$defs": { "a": false } }),
            json!({ "a": 1 }),
            [no, yes, yes, no],
        ),
        (
            "$recursiveRef",
            json!({ "properties": { "a": { "$recursiveRef": "#" } } }),
            json!({ "a": 1 }),
            [None, yes, None, None],
        ),
        ("format", json!({ "format": "ipv4" }), json!("x"), [yes, yes, yes, yes]),
        (
            "the draft's own",
            json!({ "properties": { "a": { "$ref": SEVEN } } }),
            json!({ "a": { "minLength": -1 } }),
            [None, no, None, None],
        ),
        (
            "the draft's own",
            json!({ "properties": { "a": { "$ref": TWENTY } } }),
            json!({ "a": { "items": { "minLength": -1 } } }),
            [no, None, None, no],
        ),
        (
            "the draft's own",
            json!({ "properties": { "a": { "$ref": TWENTY } } }),
            json!({ "a": { "items": { "minLength": 1 } } }),
            [yes, None, None, yes],
        ),
        (
            "an extension",
            json!({ "$id": "http://a/b", "$dynamicAnchor": "meta", "$ref": TWENTY, "required": ["title"] }),
            json!({ "title": "", "items": {} }),
            [no, None, None, no],
        ),
    ];
    for (name, schema, value, expected) in table {
        let found = ["", SEVEN, NINETEEN, TWENTY].map(|draft| is_valid(draft, &schema, &value));
        assert_eq!(found, expected, "{name}: {schema}: {value}");
        assert_eq!(is_valid(SIX, &schema, &value), expected[1], "{name}: {schema}: {value}");
    }
}

/// Names of resources: what a reference is relative to, and what it is not.
#[test]
fn resources() {
    let table = [
        // A reference to the root of the resource that it is in.
        (
            json!({ "$defs": { "a": { "$id": "http://a/a", "properties": { "b": { "$ref": "#" } }, "type": "object" } }, "$ref": "http://a/a" }),
            json!({ "b": 1 }),
            false,
        ),
        // A pointer across resources counts from the resource that it names; what is there is relative to its own.
        (
            json!({ "$ref": "#/$defs/a/properties/b", "$defs": { "a": { "$id": "http://a/a", "properties": { "b": { "$ref": "#/$defs/c" } }, "$defs": { "c": { "type": "null" } } }, "c": true } }),
            json!(1),
            false,
        ),
        // Two resources of one name, of which each refers to itself.
        (
            json!({ "allOf": [{ "$id": "a", "$ref": "#/$defs/b", "$defs": { "b": true } }, { "$id": "a", "$ref": "#/$defs/b", "$defs": { "b": false } }] }),
            json!(1),
            false,
        ),
        // In what is no schema, `$id` names nothing, and a pointer finds schemas all the same.
        (
            json!({ "const": { "$id": "http://a/a", "type": "null" }, "$defs": { "a": { "$id": "http://a/a" } }, "not": { "$ref": "http://a/a" } }),
            json!(1),
            false,
        ),
        (json!({ "x": { "y": [{ "type": "null" }] }, "$ref": "#/x/y/0" }), json!(1), false),
        (
            json!({ "$id": "http://a/b/", "$ref": "c/../d#/minimum", "$defs": { "d": { "$id": "d", "minimum": { "type": "null" } } } }),
            json!(1),
            false,
        ),
    ];
    for (schema, value, valid) in table {
        assert_eq!(Schema::compile(&schema).unwrap().is_valid(&value), valid, "{schema}");
    }
    // What nothing leads to need not be right.
    let unused = json!({ "type": "null", "$defs": { "a": { "pattern": "(a)\\1" }, "b": { "$ref": "http://a/b" } } });
    assert!(Schema::compile(&unused).unwrap().is_valid(&json!(null)));
}

fn json() -> impl Strategy<Value = Value> {
    let keyword = prop::sample::select(vec![
        "type",
        "enum",
        "const",
        "items",
        "prefixItems",
        "properties",
        "$defs",
        "definitions",
        "$ref",
        "$id",
        "$anchor",
        "$dynamicAnchor",
        "$dynamicRef",
        "allOf",
        "anyOf",
        "not",
        "if",
        "then",
        "minimum",
        "minLength",
        "pattern",
        "required",
        "dependencies",
        "dependentRequired",
        "uniqueItems",
        "contains",
        "additionalProperties",
        "patternProperties",
        "unevaluatedItems",
        "a",
        "a/b~",
    ]);
    let leaf = prop_oneof![
        Just(json!(true)),
        Just(json!(false)),
        Just(json!(null)),
        Just(json!({})),
        Just(json!([])),
        Just(json!(1)),
        Just(json!(-1.5)),
        prop::sample::select(vec![
            "string",
            "a",
            "#",
            "#a",
            "#/$defs/a",
            "#/definitions/a",
            "http://a/b",
            "b",
            "b#a",
            "^a",
            "(",
            "#/items",
            "#/properties/a~1b~0"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 5, move |inner| {
        prop_oneof![
            4 => prop::collection::vec((keyword.clone(), inner.clone()), 0..5).prop_map(|all| all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()),
            1 => prop::collection::vec(inner, 0..3).prop_map(Value::from),
        ]
    })
}

/// `OpenAPI` 3.0's word for null, as its own clarification has it, in every draft; while a value is written, too.
#[test]
fn nullable() {
    let table = [
        (json!({ "type": "string", "nullable": true }), true),
        (json!({ "nullable": true, "type": "object", "properties": { "a": true }, "required": ["a"] }), true),
        (json!({ "type": ["integer", "string"], "nullable": true }), true),
        (json!({ "type": "string", "nullable": true, "enum": ["a", null] }), true),
        (json!({ "type": "array", "nullable": true, "allOf": [{ "minItems": 1 }] }), true),
        // Null is among the types, and nothing else that stands there gives way to it.
        (json!({ "type": "string", "nullable": true, "enum": ["a"] }), false),
        (json!({ "type": "string", "nullable": true, "const": "a" }), false),
        (json!({ "type": "string", "nullable": true, "allOf": [{ "type": "string" }] }), false),
        (json!({ "type": "string", "nullable": false }), false),
        (json!({ "type": "string", "nullable": "true" }), false),
        // Without a type it says nothing, neither more nor less.
        (json!({ "nullable": true, "anyOf": [{ "type": "string" }] }), false),
        (json!({ "nullable": false }), true),
        (json!({ "type": "string", "allOf": [{ "nullable": true }] }), false),
        // A property of that name is none of it.
        (json!({ "type": "object", "properties": { "nullable": true, "type": { "type": "string" } } }), false),
    ];
    for (schema, takes_null) in table {
        for draft in ["", SIX, SEVEN, NINETEEN, TWENTY] {
            assert_eq!(is_valid(draft, &schema, &json!(null)), Some(takes_null), "{draft}: {schema}");
            // All else is as it is without the word.
            let mut bare = schema.clone();
            bare.as_object_mut().unwrap().remove("nullable");
            for other in
                [json!("a"), json!("b"), json!(1), json!(1.5), json!(true), json!({}), json!({ "a": 1 }), json!([]), json!([1])]
            {
                assert_eq!(is_valid(draft, &schema, &other), is_valid(draft, &bare, &other), "{draft}: {schema}: {other}");
            }
        }
        let schema = Rc::new(Schema::compile(&schema).unwrap());
        let mut prefix = Prefix::new(Rc::clone(&schema));
        assert_eq!(prefix.feed("null").is_ok() && prefix.end().is_ok(), takes_null);
    }
    // What is wrong with another says that it could be null.
    let schema = Schema::compile(&json!({ "type": "string", "nullable": true })).unwrap();
    assert_eq!(schema.check(&json!(true), 1).unwrap_err()[0].expected, "a string or null");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6_000, ..ProptestConfig::default() })]

    /// Whatever is said to be a schema is one, or is refused at a place that is there; and whatever is one, says yes or no.
    #[test]
    fn anything_ends(schema in json(), value in json()) {
        match Schema::compile(&schema) {
            Ok(compiled) => {
                let told = compiled.check(&value, 3);
                prop_assert_eq!(told.is_ok(), compiled.is_valid(&value));
                prop_assert!(told.err().is_none_or(|told| told.iter().all(|violation| violation.keyword != "schema")), "{}: {}", schema, value);
            }
            Err(refusal) => {
                prop_assert!(schema.pointer(&refusal.at).is_some(), "{}: {:?}", schema, refusal);
                prop_assert!(!refusal.message.is_empty());
            }
        }
    }
}
