//! Instances of schemas. Every row's instance was looked at, and is valid against its schema.

use breakwater::provider::simulated::schema::instance;
use serde_json::{Value, json};

fn check(rows: Vec<(&str, Value, Value)>) {
    for (name, schema, expected) in rows {
        assert_eq!(instance(&schema), Some(expected), "{name}: {schema}");
        assert_eq!(instance(&schema), instance(&schema), "{name}");
    }
}

#[test]
fn scalars() {
    check(vec![
        ("anything", json!(true), json!("example")),
        ("string", json!({ "type": "string" }), json!("example")),
        ("integer", json!({ "type": "integer" }), json!(0)),
        ("number", json!({ "type": "number" }), json!(0)),
        ("boolean", json!({ "type": "boolean" }), json!(true)),
        ("null", json!({ "type": "null" }), json!(null)),
        ("const", json!({ "const": { "a": [1] } }), json!({ "a": [1] })),
        ("enum", json!({ "enum": ["red", "green"] }), json!("red")),
        ("enum, null last", json!({ "enum": [null, "green"] }), json!("green")),
        ("enum of the type", json!({ "type": "integer", "enum": ["red", 7] }), json!(7)),
        ("enum within bounds", json!({ "enum": [1, 5, 9], "minimum": 4 }), json!(5)),
        ("nullable: a value", json!({ "type": ["null", "integer"] }), json!(0)),
        ("what else there is tells the type", json!({ "minimum": 3 }), json!(3)),
    ]);
}

#[test]
fn numbers() {
    check(vec![
        ("minimum", json!({ "type": "integer", "minimum": 3 }), json!(3)),
        ("minimum between integers", json!({ "type": "integer", "minimum": 2.5 }), json!(3)),
        ("exclusive minimum", json!({ "type": "integer", "exclusiveMinimum": 3 }), json!(4)),
        ("exclusive minimum, as in draft 4", json!({ "type": "integer", "minimum": 3, "exclusiveMinimum": true }), json!(4)),
        ("maximum below zero", json!({ "type": "integer", "maximum": -3 }), json!(-3)),
        ("exclusive maximum of zero", json!({ "type": "integer", "exclusiveMaximum": 0 }), json!(-1)),
        ("zero is within", json!({ "type": "integer", "minimum": -5, "maximum": 5 }), json!(0)),
        ("multiple", json!({ "type": "integer", "multipleOf": 7, "minimum": 50 }), json!(56)),
        ("multiple downwards", json!({ "type": "integer", "multipleOf": 7, "maximum": -50 }), json!(-56)),
        ("an integer that is a multiple of 1.5", json!({ "type": "integer", "multipleOf": 1.5, "minimum": 1 }), json!(3)),
        ("every integer is a multiple of 0.5", json!({ "type": "integer", "multipleOf": 0.5, "minimum": 1 }), json!(1)),
        ("tenths", json!({ "type": "number", "multipleOf": 0.1, "minimum": 0.25 }), json!(0.3)),
        ("between whole numbers", json!({ "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 }), json!(0.5)),
        ("at a bound", json!({ "type": "number", "minimum": 0.25, "maximum": 0.75 }), json!(0.25)),
        (
            "beyond what a float counts",
            json!({ "type": "integer", "minimum": 9_007_199_254_740_993_u64 }),
            json!(9_007_199_254_740_993_u64),
        ),
    ]);
}

#[test]
fn strings() {
    check(vec![
        ("too short", json!({ "type": "string", "minLength": 10 }), json!("example...")),
        ("too long", json!({ "type": "string", "maxLength": 3 }), json!("a")),
        ("empty", json!({ "type": "string", "maxLength": 0 }), json!("")),
        ("date-time", json!({ "type": "string", "format": "date-time" }), json!("2025-01-01T12:00:00Z")),
        ("date", json!({ "type": "string", "format": "date" }), json!("2025-01-01")),
        ("time", json!({ "type": "string", "format": "time" }), json!("12:00:00Z")),
        ("duration", json!({ "type": "string", "format": "duration" }), json!("P1D")),
        ("email", json!({ "type": "string", "format": "email" }), json!("someone@example.com")),
        ("a long email", json!({ "type": "string", "format": "email", "minLength": 21 }), json!("someoneaa@example.com")),
        ("uri", json!({ "type": "string", "format": "uri" }), json!("https://example.com/")),
        ("uuid", json!({ "type": "string", "format": "uuid" }), json!("00000000-0000-4000-8000-000000000001")),
        ("ipv4", json!({ "type": "string", "format": "ipv4" }), json!("192.0.2.1")),
        ("ipv6", json!({ "type": "string", "format": "ipv6" }), json!("2001:db8::1")),
        ("hostname", json!({ "type": "string", "format": "hostname" }), json!("host.example.com")),
        ("a format nobody knows", json!({ "type": "string", "format": "spoon" }), json!("example")),
        ("a format that does not fit", json!({ "type": "string", "format": "date", "maxLength": 2 }), json!("a")),
    ]);
}

#[test]
fn patterns() {
    let rows = [
        ("^[A-Z]{2}-\\d{4}$", 0, "AA-0000"),
        ("^(red|green)$", 0, "red"),
        ("^a?b*c+$", 0, "c"),
        ("^a{2,3}$", 0, "aa"),
        ("^a{2,3}$", 3, "aaa"),
        ("^[a-z]+$", 4, "aaaa"),
        ("^(foo|bar)+\\.txt$", 12, "foofoofoo.txt"),
        ("^[^a-y]$", 0, "z"),
        ("^[\\w.-]+@\\w+\\.com$", 0, "a@a.com"),
        ("^\\+\\(1\\)\\s.$", 0, "+(1) a"),
        ("^(?:x)(?<name>y)$", 0, "xy"),
        ("^[-x]$", 0, "-"),
        ("^[]x]$", 0, "]"),
        ("^\\u0041$", 0, "A"),
        ("^.*?$", 2, "aa"),
        ("open", 6, "openaa"),
        ("", 0, ""),
    ];
    for (pattern, least, expected) in rows {
        let schema = json!({ "type": "string", "pattern": pattern, "minLength": least });
        assert_eq!(instance(&schema), Some(json!(expected)), "{pattern}");
    }
    for pattern in ["^(?=a)b$", "(a)\\1", "^\\p{L}$", "(", "[", "a{", "*", "^(a{1000}){1000}$"] {
        assert_eq!(
            instance(&json!({ "type": "string", "pattern": pattern })),
            Some(json!("example")),
            "{pattern} is not understood"
        );
    }
}

#[test]
fn objects_and_lists() {
    let string = || json!({ "type": "string" });
    check(vec![
        (
            "only what is required",
            json!({ "type": "object", "properties": { "a": string(), "b": string() }, "required": ["b"] }),
            json!({ "b": "example" }),
        ),
        ("required, but not described", json!({ "type": "object", "required": ["a"] }), json!({ "a": "example" })),
        (
            "required, by additional properties",
            json!({ "type": "object", "required": ["a"], "additionalProperties": { "type": "integer" } }),
            json!({ "a": 0 }),
        ),
        (
            "dependent",
            json!({ "type": "object", "required": ["a"], "dependentRequired": { "a": ["b"], "b": ["a"] } }),
            json!({ "a": "example", "b": "example" }),
        ),
        (
            "at least two",
            json!({ "type": "object", "properties": { "x": { "type": "integer" } }, "minProperties": 2 }),
            json!({ "x": 0, "property1": "example" }),
        ),
        (
            "names by a pattern",
            json!({ "type": "object", "patternProperties": { "^k[0-9]$": { "type": "boolean" } }, "additionalProperties": false, "minProperties": 2 }),
            json!({ "k0": true, "k1": true }),
        ),
        ("an empty list", json!({ "type": "array", "items": string() }), json!([])),
        ("two items", json!({ "type": "array", "items": { "type": "integer" }, "minItems": 2 }), json!([0, 0])),
        (
            "different items",
            json!({ "type": "array", "items": { "type": "integer" }, "minItems": 3, "uniqueItems": true }),
            json!([0, 1, 2]),
        ),
        (
            "different enums",
            json!({ "type": "array", "items": { "enum": ["x", "y"] }, "minItems": 2, "uniqueItems": true }),
            json!(["x", "y"]),
        ),
        (
            "different objects",
            json!({ "type": "array", "items": { "type": "object", "required": ["id"] }, "minItems": 2, "uniqueItems": true }),
            json!([{ "id": "example" }, { "id": "example2" }]),
        ),
        (
            "by position",
            json!({ "type": "array", "prefixItems": [{ "type": "integer" }, string()], "items": { "type": "boolean" }, "minItems": 3 }),
            json!([0, "example", true]),
        ),
        (
            "by position, as in draft 7",
            json!({ "type": "array", "items": [{ "type": "integer" }], "additionalItems": { "type": "null" }, "minItems": 2 }),
            json!([0, null]),
        ),
        (
            "contains",
            json!({ "type": "array", "items": { "type": "integer" }, "contains": { "minimum": 5 }, "minContains": 2, "minItems": 3 }),
            json!([5, 5, 0]),
        ),
    ]);
}

#[test]
fn combinations() {
    check(vec![
        ("allOf", json!({ "allOf": [{ "type": "number", "minimum": 2 }, { "type": "integer", "minimum": 5 }] }), json!(5)),
        (
            "allOf of objects",
            json!({ "allOf": [{ "properties": { "a": { "minimum": 1 } }, "required": ["a"] }, { "properties": { "a": { "type": "integer" } }, "required": ["a"] }] }),
            json!({ "a": 1 }),
        ),
        (
            "allOf of steps",
            json!({ "type": "integer", "minimum": 1, "allOf": [{ "multipleOf": 4 }, { "multipleOf": 6 }] }),
            json!(12),
        ),
        ("anyOf", json!({ "anyOf": [{ "type": "integer" }, { "type": "string" }] }), json!(0)),
        ("anyOf, null last", json!({ "anyOf": [{ "type": "null" }, { "type": "string" }] }), json!("example")),
        ("anyOf, what fits", json!({ "type": "string", "anyOf": [{ "type": "integer" }, { "const": "b" }] }), json!("b")),
        (
            "oneOf",
            json!({ "oneOf": [{ "properties": { "k": { "const": 1 } }, "required": ["k"] }, { "properties": { "k": { "const": 2 } }, "required": ["k"] }] }),
            json!({ "k": 1 }),
        ),
        (
            "two choices at one place",
            json!({ "anyOf": [{ "const": 1 }, { "const": 2 }], "oneOf": [{ "const": 2 }, { "const": 3 }] }),
            json!(2),
        ),
        ("if and then", json!({ "type": "integer", "if": { "minimum": 10 }, "then": { "multipleOf": 7 } }), json!(14)),
        (
            "else, where if cannot be",
            json!({ "type": "integer", "maximum": 5, "if": { "minimum": 10 }, "else": { "minimum": 2 } }),
            json!(2),
        ),
        ("$ref", json!({ "$ref": "#/$defs/a%20b", "$defs": { "a b": { "type": "integer" } } }), json!(0)),
        (
            "$ref with a neighbour",
            json!({ "$ref": "#/definitions/a", "minimum": 4, "definitions": { "a": { "type": "integer" } } }),
            json!(4),
        ),
        (
            "$ref to an anchor",
            json!({ "$ref": "#here", "$defs": { "a": { "$anchor": "here", "type": "boolean" } } }),
            json!(true),
        ),
        (
            "the same reference twice",
            json!({ "allOf": [{ "$ref": "#/$defs/a" }, { "$ref": "#/$defs/a" }], "$defs": { "a": { "type": "integer" } } }),
            json!(0),
        ),
        (
            "a reference in several places",
            json!({ "type": "array", "prefixItems": [{ "$ref": "#/$defs/a" }, { "$ref": "#/$defs/a" }], "minItems": 2, "$defs": { "a": { "type": "integer" } } }),
            json!([0, 0]),
        ),
        (
            "recursion ends",
            json!({ "$ref": "#/$defs/node", "$defs": { "node": { "type": "object", "required": ["value", "left", "children"], "properties": {
                "value": { "type": "integer" },
                "left": { "anyOf": [{ "$ref": "#/$defs/node" }, { "type": "null" }] },
                "children": { "type": "array", "items": { "$ref": "#/$defs/node" } },
            } } } }),
            json!({ "value": 0, "left": null, "children": [] }),
        ),
    ]);
}

#[test]
fn what_cannot_be() {
    let rows = [
        ("false", json!(false)),
        ("no schema", json!(7)),
        ("two types", json!({ "allOf": [{ "type": "string" }, { "type": "integer" }] })),
        ("two constants", json!({ "allOf": [{ "const": 1 }, { "const": 2 }] })),
        ("nothing between", json!({ "type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 1 })),
        ("minimum above maximum", json!({ "type": "number", "minimum": 2, "maximum": 1 })),
        ("an enum out of bounds", json!({ "enum": [1, 2], "minimum": 3 })),
        ("an empty enum", json!({ "enum": [] })),
        ("lengths", json!({ "type": "string", "minLength": 2, "maxLength": 1 })),
        (
            "a required property that is forbidden",
            json!({ "type": "object", "required": ["a"], "additionalProperties": false }),
        ),
        (
            "three different booleans",
            json!({ "type": "array", "items": { "type": "boolean" }, "minItems": 3, "uniqueItems": true }),
        ),
        (
            "two different items that are the same",
            json!({ "type": "array", "items": { "const": 1 }, "minItems": 2, "uniqueItems": true }),
        ),
        ("not anything", json!({ "not": {} })),
        ("recursion without an end", json!({ "type": "object", "properties": { "a": { "$ref": "#" } }, "required": ["a"] })),
        ("somewhere else", json!({ "$ref": "https://example.com/schema" })),
        ("nowhere", json!({ "$ref": "#/$defs/a" })),
        ("an unknown type", json!({ "type": "spoon" })),
    ];
    for (name, schema) in rows {
        assert_eq!(instance(&schema), None, "{name}");
    }
}

/// Schemas made to hurt come to their end: not by running long, and not by running out of stack or memory.
#[test]
fn bounds() {
    let nested = |inner: Value, around: fn(Value) -> Value| {
        // As deep as JSON may be that is read at all.
        (0..60).fold(inner, |schema, _| around(schema))
    };
    let references: serde_json::Map<String, Value> =
        (0..3000).map(|at| (format!("d{at}"), json!({ "$ref": format!("#/$defs/d{}", at + 1) }))).collect();
    let rows = [
        ("a huge list", json!({ "type": "array", "minItems": 1e15 }), false),
        ("a huge string", json!({ "type": "string", "minLength": 1e15 }), false),
        (
            "two large strings",
            json!({ "type": "array", "minItems": 2, "items": { "type": "string", "minLength": 40_000 } }),
            false,
        ),
        ("a large string", json!({ "type": "string", "minLength": 40_000 }), true),
        ("a huge object", json!({ "type": "object", "minProperties": 1e15 }), false),
        ("lists that multiply", nested(json!({}), |items| json!({ "type": "array", "minItems": 4, "items": items })), false),
        ("deep lists", nested(json!({}), |items| json!({ "type": "array", "minItems": 1, "items": items })), true),
        ("deep choices", nested(json!({}), |branch| json!({ "anyOf": [branch] })), true),
        ("a long chain of references", json!({ "$ref": "#/$defs/d0", "$defs": references }), false),
        (
            "choices that multiply",
            json!({ "allOf": vec![json!({ "anyOf": [{ "minimum": 1 }, { "minimum": 2 }] }); 40], "maximum": 0 }),
            false,
        ),
        ("many parts are no depth", json!({ "allOf": vec![json!({ "type": "integer" }); 3000] }), true),
    ];
    for (name, schema, possible) in rows {
        assert_eq!(instance(&schema).is_some(), possible, "{name}");
    }
}
