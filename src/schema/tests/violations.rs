//! What is said of a value that is not valid, word by word: a model reads it, and acts on it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends when it is wrong"
)]

use breakwater_schema::Schema;
use serde_json::{Value, json};

fn told(schema: &Value, value: &Value, most: usize) -> Vec<String> {
    let schema = Schema::compile(schema).unwrap_or_else(|refusal| panic!("{schema}: {refusal:?}"));
    let told = schema.check(value, most).err().unwrap_or_default();
    told.iter().map(|violation| format!("{violation} ({})", violation.keyword)).collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn texts() {
    let table = [
        (json!({ "type": "number" }), json!("12"), r#"the answer: expected a number, found the string "12" (type)"#),
        (
            json!({ "type": ["string", "null"] }),
            json!(1.5),
            "the answer: expected a string or null, found the number 1.5 (type)",
        ),
        (
            json!({ "type": ["integer", "boolean"] }),
            json!([1, "a"]),
            r#"the answer: expected an integer or true or false, found the array [1,"a"] (type)"#,
        ),
        (
            json!({ "type": "array" }),
            json!({ "a": null }),
            r#"the answer: expected an array, found the object {"a":null} (type)"#,
        ),
        (json!({ "type": "object" }), json!(null), "the answer: expected an object, found null (type)"),
        (
            json!({ "properties": { "a/b~": { "items": { "type": "null" } } } }),
            json!({ "a/b~": [null, true] }),
            "at /a~1b~0/1: expected null, found true (type)",
        ),
        (
            json!({ "enum": ["a", 1, null] }),
            json!("b"),
            r#"the answer: expected one of "a", 1, null, found the string "b" (enum)"#,
        ),
        (
            json!({ "enum": (0..12).collect::<Vec<_>>() }),
            json!("b"),
            r#"the answer: expected one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, … (12 in all), found the string "b" (enum)"#,
        ),
        (json!({ "const": "a" }), json!("b"), r#"the answer: expected "a", found the string "b" (const)"#),
        (json!({ "minimum": 3 }), json!(2), "the answer: expected at least 3, found the number 2 (minimum)"),
        (json!({ "maximum": 3.5 }), json!(4), "the answer: expected at most 3.5, found the number 4 (maximum)"),
        (
            json!({ "exclusiveMinimum": 3 }),
            json!(3.0),
            "the answer: expected more than 3, found the number 3.0 (exclusiveMinimum)",
        ),
        (json!({ "exclusiveMaximum": 3 }), json!(3), "the answer: expected less than 3, found the number 3 (exclusiveMaximum)"),
        (
            json!({ "multipleOf": 0.01 }),
            json!(0.015),
            "the answer: expected a multiple of 0.01, found the number 0.015 (multipleOf)",
        ),
        (
            json!({ "minLength": 3 }),
            json!("éé"),
            r#"the answer: expected at least 3 characters, found 2 in the string "éé" (minLength)"#,
        ),
        (
            json!({ "maxLength": 1 }),
            json!("ab"),
            r#"the answer: expected at most 1 character, found 2 in the string "ab" (maxLength)"#,
        ),
        (
            json!({ "pattern": "^\\d+$" }),
            json!("a\nb"),
            r#"the answer: expected a string that matches "^\\d+$", found the string "a\nb" (pattern)"#,
        ),
        (json!({ "minItems": 1 }), json!([]), "the answer: expected at least 1 item, found 0 (minItems)"),
        (json!({ "maxItems": 2 }), json!([1, 2, 3]), "the answer: expected at most 2 items, found 3 (maxItems)"),
        (
            json!({ "uniqueItems": true }),
            json!([{ "a": 1 }, 2, { "a": 1.0 }]),
            r#"the answer: expected items that all differ, found {"a":1} at both 0 and 2 (uniqueItems)"#,
        ),
        (
            json!({ "contains": { "const": 1 } }),
            json!([2]),
            "the answer: expected at least 1 item as contains says, found 0 (contains)",
        ),
        (
            json!({ "contains": true, "maxContains": 1 }),
            json!([2, 2]),
            "the answer: expected at most 1 item as contains says, found 2 (maxContains)",
        ),
        (
            json!({ "contains": true, "minContains": 2 }),
            json!([2]),
            "the answer: expected at least 2 items as contains says, found 1 (minContains)",
        ),
        (
            json!({ "prefixItems": [true], "items": false }),
            json!([1, 2, 3]),
            "the answer: expected at most 1 items, found an item at 1 (items)",
        ),
        (
            json!({ "minProperties": 2 }),
            json!({ "a": 1 }),
            "the answer: expected at least 2 properties, found 1 (minProperties)",
        ),
        (
            json!({ "maxProperties": 0 }),
            json!({ "a": 1 }),
            "the answer: expected at most 0 properties, found 1 (maxProperties)",
        ),
        (
            json!({ "required": ["a"] }),
            json!({ "A": 1 }),
            r#"the answer: expected the property "a", found none of that name (required)"#,
        ),
        (
            json!({ "dependentRequired": { "a": ["b"] } }),
            json!({ "a": 1 }),
            r#"the answer: expected the property "b" beside "a", found none of that name (dependentRequired)"#,
        ),
        (
            json!({ "properties": { "a": true, "b": true }, "additionalProperties": false }),
            json!({ "a": 1, "c": 2 }),
            r#"the answer: expected only the properties "a", "b", found the property "c" (additionalProperties)"#,
        ),
        (
            json!({ "additionalProperties": false }),
            json!({ "c": 2 }),
            r#"the answer: expected no such property, found the property "c" (additionalProperties)"#,
        ),
        (
            json!({ "properties": { "a": true }, "unevaluatedProperties": false }),
            json!({ "c": 2 }),
            r#"the answer: expected only the properties "a", found the property "c" (unevaluatedProperties)"#,
        ),
        (
            json!({ "prefixItems": [true], "unevaluatedItems": false }),
            json!([1, 2]),
            "the answer: expected no such item, found an item at 1 (unevaluatedItems)",
        ),
        (
            json!({ "propertyNames": { "maxLength": 2 } }),
            json!({ "abc": 2 }),
            r#"the answer: expected as a property's name at most 2 characters, found "abc" (propertyNames)"#,
        ),
        (json!({ "properties": { "a": false } }), json!({ "a": 2 }), "at /a: expected nothing, found the number 2 (false)"),
        (json!({ "not": { "type": "null" } }), json!(null), "the answer: expected a value of another form, found null (not)"),
        (
            json!({ "oneOf": [true, { "type": "string" }, { "type": "null" }] }),
            json!(null),
            "the answer: expected exactly one of the 3 forms that are allowed, found a value of both the form at 0 and that at 2 (oneOf)",
        ),
        (
            json!({ "if": { "type": "string" }, "then": { "minLength": 1 } }),
            json!(""),
            r#"the answer: expected at least 1 character, found 0 in the string "" (minLength)"#,
        ),
        (
            json!({ "dependencies": { "a": { "minProperties": 2 } } }),
            json!({ "a": 1 }),
            "the answer: expected at least 2 properties, found 1 (minProperties)",
        ),
    ];
    for (schema, value, text) in table {
        assert_eq!(told(&schema, &value, 8), [text], "{schema}: {value}");
    }
}

/// Of branches, what is wrong by the one that was meant.
#[test]
fn branches() {
    let shape = |kind: &str, of: Value| json!({ "type": "object", "properties": { "kind": { "const": kind }, "size": of }, "required": ["kind", "size"] });
    let shapes =
        json!([shape("circle", json!({ "type": "number" })), shape("square", json!({ "type": "array", "minItems": 2 }))]);
    let table = [
        // The word that tells forms apart says which.
        (json!({ "kind": "square", "size": [1] }), "at /size: expected at least 2 items, found 1 (minItems)"),
        (json!({ "kind": "square" }), r#"the answer: expected the property "size", found none of that name (required)"#),
        (json!({ "kind": "circle", "size": "1" }), r#"at /size: expected a number, found the string "1" (type)"#),
        // Of another kind than all of them.
        (json!("circle"), r#"the answer: expected an object, found the string "circle" (anyOf)"#),
    ];
    for (value, text) in table {
        for schema in [json!({ "anyOf": shapes }), json!({ "anyOf": [{ "anyOf": shapes }] })] {
            assert_eq!(told(&schema, &value, 8), [text], "{value}");
        }
        assert_eq!(told(&json!({ "oneOf": shapes }), &value, 8), [text.replace("anyOf", "oneOf")], "{value}");
    }
    let kinds = json!({ "anyOf": [{ "type": "string" }, { "type": "integer" }, { "enum": [null, false] }, { "type": "string", "minLength": 3 }] });
    let text = "the answer: expected a string or an integer or one of null, false, found the number 1.5 (anyOf)";
    assert_eq!(told(&kinds, &json!(1.5), 8), [text]);
    let optional = json!({ "properties": { "a": { "anyOf": [{ "type": "integer", "maximum": 5 }, { "type": "null" }] } } });
    assert_eq!(told(&optional, &json!({ "a": 6 }), 8), ["at /a: expected at most 5, found the number 6 (maximum)"]);
}

/// At most so many, in the order of the schema, each once; and what was asked for does not change what is valid.
#[test]
fn as_many_as_are_asked_for() {
    let schema = json!({ "type": "object", "required": ["a", "b", "c"], "properties": { "d": { "type": "string", "minLength": 2 }, "e": { "items": { "type": "null" } } } });
    let value = json!({ "d": 1, "e": [1, 2, null] });
    let all = told(&schema, &value, 100);
    let words = ["\"a\"", "\"b\"", "\"c\"", "at /d", "at /e/0", "at /e/1"];
    assert_eq!(all.len(), words.len(), "{all:?}");
    for (text, word) in all.iter().zip(words) {
        assert!(text.contains(word), "{text}");
    }
    for most in 1..7 {
        assert_eq!(told(&schema, &value, most), all[..most]);
    }
    assert_eq!(told(&schema, &value, 0), all[..1]);
    let wrong = json!({ "anyOf": [{ "items": { "type": "null" } }] });
    assert_eq!(told(&wrong, &json!(vec![1; 20]), 3).len(), 3);
}

/// Hostile text is cut, and has no control characters, whatever quotes it.
#[test]
fn what_is_quoted_is_safe() {
    let long = "\u{1b}[31m\u{202e}\u{7f}\u{2028}\"\\\n".to_owned() + &"x".repeat(100_000);
    let table = [
        (json!({ "type": "null" }), json!(long)),
        (json!({ "type": "null" }), json!({ long.clone(): [long] })),
        (json!({ "properties": { "a": true }, "additionalProperties": false }), json!({ long.clone(): 1 })),
        (json!({ "additionalProperties": { "type": "null" } }), json!({ long.clone(): 1 })),
        (json!({ "propertyNames": { "maxLength": 3 } }), json!({ long.clone(): 1 })),
        (json!({ "required": [long] }), json!({})),
        (json!({ "enum": [long, { "a": long }] }), json!(long.clone() + "x")),
        (json!({ "uniqueItems": true }), json!([long, long])),
    ];
    for (schema, value) in table {
        let texts = told(&schema.clone(), &value, 8);
        assert_eq!(texts.len(), 1);
        assert!(texts[0].chars().count() < 700, "{}", texts[0]);
        assert!(texts[0].contains("\\u001b[31m\\u202e\\u007f\\u2028"), "{}", texts[0]);
        assert!(
            !texts[0].contains(|character: char| character.is_control() || "\u{202e}\u{2028}".contains(character)),
            "{}",
            texts[0]
        );
        assert!(texts[0].contains('…'), "{}", texts[0]);
    }
    // Not by a character more than there is room for.
    let text = |count: usize| told(&json!({ "type": "null" }), &json!("é".repeat(count)), 1).remove(0);
    assert!(!text(78).contains('…') && text(78).contains(&"é".repeat(78)), "{}", text(78));
    assert!(text(79).contains('…'), "{}", text(79));
}

/// Why a schema is not taken: where, what, and what is allowed.
#[test]
fn refusals() {
    let table = [
        (json!([]), "", "it is the array []; a schema is an object, true or false"),
        (json!({ "properties": { "a": 1 } }), "/properties/a", "it is the number 1; a schema is an object, true or false"),
        (
            json!({ "items": { "allOf": [true, "x"] } }),
            "/items/allOf/1",
            r#"it is the string "x"; a schema is an object, true or false"#,
        ),
        (json!({ "properties": [] }), "/properties", "it is the array []; allowed is an object"),
        (
            json!({ "type": "str" }),
            "/type",
            "it is the string \"str\"; allowed is null, boolean, object, array, number, string or integer, or an array of these",
        ),
        (json!({ "type": ["string", "str"] }), "/type", "it is the array [\"string\",\"str\"]; allowed is null"),
        (json!({ "type": [] }), "/type", "it is the array []; allowed is null"),
        (json!({ "minLength": -1 }), "/minLength", "it is the number -1; allowed is a whole number of at least 0"),
        (json!({ "maxItems": 1.5 }), "/maxItems", "it is the number 1.5; allowed is a whole number of at least 0"),
        (json!({ "minimum": "1" }), "/minimum", "allowed is a number"),
        (json!({ "exclusiveMinimum": true }), "/exclusiveMinimum", "it is true; allowed is a number"),
        (json!({ "multipleOf": 0 }), "/multipleOf", "allowed is a number above 0"),
        (
            json!({ "properties": { "a": { "required": true } } }),
            "/properties/a/required",
            "it is true; allowed is an array of names",
        ),
        (json!({ "required": ["a", 1] }), "/required", "allowed is an array of names"),
        (json!({ "dependentRequired": { "a/b": [1] } }), "/dependentRequired/a~1b", "allowed is an array of names"),
        (json!({ "uniqueItems": 1 }), "/uniqueItems", "allowed is true or false"),
        (json!({ "anyOf": [] }), "/anyOf", "allowed is an array of at least one schema"),
        (json!({ "enum": 1 }), "/enum", "allowed is an array"),
        (json!({ "$ref": 1 }), "/$ref", "a reference is a string"),
        (json!({ "$ref": "#/$defs/a" }), "/$ref", "\"#/$defs/a\" is nowhere in this schema"),
        (json!({ "$ref": "#a" }), "/$ref", "\"#a\" is nowhere in this schema"),
        (json!({ "$ref": "#/type/0", "type": ["null"] }), "/$ref", "it is the string \"null\"; a schema is an object"),
        (
            json!({ "items": { "$ref": "https://example.com/a.json#/b" } }),
            "/items/$ref",
            "\"https://example.com/a.json#/b\" is not in this schema, and nothing is fetched",
        ),
        (
            json!({ "$ref": "a.json", "$defs": { "a": { "$id": "a.json" }, "b": { "$id": "a.json" } } }),
            "/$ref",
            "more than one schema in it has the $id \"a.json\"",
        ),
        (json!({ "$recursiveRef": "#" }), "/$recursiveRef", "$recursiveRef is not taken"),
        (
            json!({ "$schema": "http://json-schema.org/draft-04/schema#" }),
            "/$schema",
            "it is \"http://json-schema.org/draft-04/schema#\"; drafts 7 and 2020-12 are taken",
        ),
        (json!({ "$schema": 7 }), "/$schema", "it is 7; drafts 7 and 2020-12 are taken"),
        (
            json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": { "a": { "$schema": "http://json-schema.org/draft-07/schema#" } } }),
            "/$defs/a/$schema",
            "another draft",
        ),
        (
            json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "items": [true] }),
            "/items",
            "it is the array [true]; a schema is an object",
        ),
        (json!({ "pattern": "(a)\\1" }), "/pattern", "refers back (\\1)"),
        (json!({ "pattern": "(a)(?=\\1)" }), "/pattern", "refers back (\\1)"),
        (json!({ "pattern": "(?<n>a)\\k<n>" }), "/pattern", "refers back (\\k)"),
        (json!({ "patternProperties": { "(?i)a": true } }), "/patternProperties/(?i)a", "flags"),
        (json!({ "pattern": "\\p{Script=Greek}" }), "/pattern", "\\p{Script=Greek}, which is not taken; L, Lu,"),
        (json!({ "pattern": "\\Z" }), "/pattern", "\\Z, which ECMA-262 does not know"),
        (json!({ "pattern": "[b-a]" }), "/pattern", "range b-a"),
        (json!({ "pattern": "a**" }), "/pattern", "nothing to repeat"),
        (json!({ "pattern": "^*" }), "/pattern", "nothing to repeat"),
        (json!({ "pattern": "a{3,2}" }), "/pattern", "{3,2}"),
        (json!({ "pattern": "(" }), "/pattern", "not closed"),
        (json!({ "pattern": ")" }), "/pattern", "without a '('"),
        (json!({ "pattern": "[a" }), "/pattern", "not closed"),
        (json!({ "pattern": "\\" }), "/pattern", "ends in a '\\'"),
        (json!({ "pattern": "\\u{110000}" }), "/pattern", "no character"),
        (json!({ "pattern": "\\x1" }), "/pattern", "2 hexadecimal digits"),
    ];
    for (schema, at, message) in table {
        let refusal = Schema::compile(&schema).expect_err(&schema.to_string());
        assert_eq!(refusal.at, at, "{schema}: {refusal:?}");
        assert!(refusal.message.contains(message), "{schema}: {refusal:?}");
    }
}
