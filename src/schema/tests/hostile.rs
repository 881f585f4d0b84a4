//! Schemas and values that were made to be expensive: each ends soon, on a small stack, with a refusal that says where and what, or with a verdict.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends when it is wrong"
)]

use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use breakwater_schema::{Prefix, Refusal, Schema, Violation};
use serde_json::{Map, Value, json};

/// Far more than any of these takes, and far less than one that does not end.
const SOON: Duration = Duration::from_secs(4);

/// What the work comes to, on the stack that a worker has.
fn soon<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let builder = thread::Builder::new().stack_size(1 << 20);
    builder.spawn(move || sender.send(work())).unwrap();
    receiver.recv_timeout(SOON).unwrap_or_else(|_| panic!("{name} takes too long, or too much stack"))
}

fn compiled(name: &str, schema: Value) -> Result<Schema, Refusal> {
    soon(name, move || Schema::compile(&schema))
}

fn checked(name: &str, schema: Value, value: Value) -> Result<(), Vec<Violation>> {
    soon(name, move || Schema::compile(&schema).unwrap().check(&value, 8))
}

fn nested(depth: usize, inner: Value, around: impl Fn(Value) -> Value) -> Value {
    (0..depth).fold(inner, |inner, _| around(inner))
}

fn named(count: usize, of: impl Fn(usize) -> (String, Value)) -> Value {
    (0..count).map(of).collect::<Map<String, Value>>().into()
}

/// Every bound: the last that is taken, the first that is not, where that is said to be, and a part of what is said.
#[test]
fn bounds() {
    let deep = |depth| nested(depth, json!({}), |inner| json!({ "items": inner }));
    let many = |count| json!({ "anyOf": vec![json!({ "minimum": 1 }); count] });
    let long = |count: usize| json!({ "title": "x".repeat(count) });
    let pattern = |text: String| json!({ "properties": { "a": { "pattern": text } } });
    let states = |count| json!({ "properties": named(count, |at| (at.to_string(), json!({ "pattern": "a{1900}" }))) });
    let chain = |count: usize| {
        let next = |at: usize| (format!("d{at}"), json!({ "$ref": format!("#/$defs/d{}", at + 1) }));
        let mut definitions = named(count, next);
        definitions[format!("d{count}")] = json!(true);
        json!({ "$ref": "#/$defs/d0", "$defs": definitions })
    };
    let table = [
        ("nesting", deep(63), deep(70), "/items/items", "64"),
        ("nodes", many(4_900), many(5_100), "/anyOf/", "5000"),
        ("size", long(262_000), long(263_000), "", "262144"),
        ("a pattern's length", pattern("a".repeat(1_900)), pattern("a".repeat(2_100)), "/properties/a/pattern", "2000"),
        ("a pattern's states", pattern("(ab){900}".into()), pattern("((ab){90}){90}".into()), "/properties/a/pattern", "2000"),
        (
            "a pattern's groups",
            pattern(format!("{}a{}", "(".repeat(40), ")".repeat(40))),
            pattern("(".repeat(500)),
            "/properties/a/pattern",
            "50",
        ),
        ("all patterns' states", states(9), states(900), "/properties/", "20000"),
        ("a chain in place", chain(80), chain(200), "/$defs/", "100"),
    ];
    for (name, taken, refused, at, says) in table {
        assert!(compiled(name, taken).is_ok(), "{name}");
        let refusal = compiled(name, refused).expect_err(name);
        assert!(refusal.at.starts_with(at), "{name}: {refusal:?}");
        assert!(refusal.message.contains(says), "{name}: {refusal:?}");
    }
}

#[test]
fn references_that_consume_nothing_are_refused_where_they_are() {
    let table = [
        (json!({ "$ref": "#" }), ""),
        (json!({ "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } }, "$ref": "#/$defs/a" }), "/$defs/"),
        (json!({ "properties": { "x": { "anyOf": [{ "type": "string" }, { "$ref": "#/properties/x" }] } } }), "/properties/x"),
        (json!({ "not": { "$ref": "#" } }), ""),
        (json!({ "if": true, "then": { "$ref": "#" } }), ""),
        (json!({ "dependentSchemas": { "a": { "oneOf": [true, { "$ref": "#" }] } } }), ""),
        (json!({ "$dynamicAnchor": "a", "allOf": [{ "$dynamicRef": "#a" }] }), ""),
    ];
    for (schema, at) in table {
        let refusal = compiled("a cycle", schema.clone()).expect_err("a cycle");
        assert!(refusal.at.starts_with(at), "{schema}: {refusal:?}");
        assert!(refusal.message.contains("refers back to itself"), "{schema}: {refusal:?}");
    }
    // What consumes a part of the value is none.
    let tree =
        json!({ "properties": { "next": { "$ref": "#" } }, "propertyNames": { "maxLength": 4 }, "items": { "$ref": "#" } });
    assert!(compiled("a tree", tree).is_ok());
}

/// Definitions that lead to each other are no nesting, however many.
#[test]
fn long_ways_through_definitions_are_taken() {
    let next = |at: usize| (format!("d{at}"), json!({ "properties": { "next": { "$ref": format!("#/$defs/d{}", at + 1) } } }));
    let mut definitions = named(500, next);
    definitions["d500"] = json!({ "type": "string" });
    let schema = json!({ "$ref": "#/$defs/d0", "$defs": definitions });
    assert!(compiled("a long way", schema).is_ok());
}

/// Long names above many schemas: what says where they are must not be kept for each.
#[test]
fn long_names_above_many_schemas_take_no_memory() {
    let inner = named(4_000, |at| (at.to_string(), json!({ "minimum": at })));
    let name = "n".repeat(150_000);
    let schema = nested(1, json!({ "properties": inner }), |inner| json!({ "properties": { name.clone(): inner } }));
    assert!(compiled("long names", schema).is_ok());
    let references = vec![json!({ "$ref": format!("#/$defs/{}", "d".repeat(20)) }); 2_000];
    let schema = json!({ "anyOf": references, "$defs": { "d".repeat(20): true } });
    assert!(compiled("many references", schema).is_ok());
}

/// Every pattern must end in time that grows with the text alone.
#[test]
fn patterns_end() {
    let compiles = ["(((){10000}){10000}){10000}", "((((a*)*)*)*)*", "(|){9999}", "(((a{0}){999}){9999}){9999}"];
    for text in compiles {
        let _ = compiled(text, json!({ "pattern": text }));
    }
    let long = "a".repeat(30_000) + "!";
    let table = [
        ("(a+)+$", false),
        ("(a|a)*$", true),
        ("(a|aa)+$", false),
        ("(.*)*x", false),
        ("(.*)*!", true),
        ("^(([a-z])+.)+[A-Z]([a-z])+$", false),
        ("(x+x+)+y", false),
        ("a*a*a*a*a*a*a*b", false),
        ("a?a?a?a?a?a?a?aaaaaaa!", true),
        ("^(a{1,10}){1,10}$", false),
    ];
    for (text, matches) in table {
        let told = checked(text, json!({ "pattern": text }), long.clone().into());
        assert_eq!(told.is_ok(), matches, "{text}");
        // By the pattern, not because it was too costly.
        assert!(told.err().is_none_or(|told| told[0].keyword == "pattern"), "{text}");
    }
    // Two thousand states at each character of a long text.
    let _ = checked("many states", json!({ "pattern": "(.{0,40}a){0,20}b" }), "a".repeat(1_000_000).into());
}

/// What looks around takes its pass over the text once, however often it is asked, and however deep it is nested; or is too costly, and says so.
#[test]
fn patterns_that_look_around_end() {
    let long = "a".repeat(100_000) + "!";
    let nested_looks = format!("^a*{}", nested_text(3, "a$", "(?=a*(?!b", "))"));
    let table = [
        // At the beginning: read no further than is needed.
        ("^(?=(a+)+$)a*", false),
        ("^(?=(a+)+!)a*!$", true),
        ("^(?!(a|aa)+$)(?=(.*)*!$).*$", true),
        ("^(?!.{65,})", false),
        // At each place, where a matcher that tries would read on to the end each time.
        ("^(?:(?=(a+)+!)a)*!$", true),
        ("^(?:(?!.*x)a)*!$", true),
        ("^(?:(?!(?:a|aa)*!)a)+!$", false),
        ("^(?:(?=.*(?!.*(?=x)))a)*!$", true),
        ("(?<=^(?:a+)+)b", false),
        ("^(?:a(?<=^(?:a|aa)+))*!$", true),
        ("(?<!a(?<=^a*))!", false),
        (&*nested_looks, true),
    ];
    for (text, matches) in table {
        let told = checked(text, json!({ "pattern": text }), long.clone().into());
        assert_eq!(told.is_ok(), matches, "{text}: {told:?}");
        // By the pattern, not because it was too costly.
        assert!(told.err().is_none_or(|told| told[0].keyword == "pattern"), "{text}");
    }
    // As many as there can be, at each character of a long text; in both senses, as what was not read to its end must not be taken for what is not there.
    let many = format!("^(?:{}a)*$", "(?=a)(?!.{0,30}b)".repeat(25));
    for schema in
        [json!({ "pattern": many }), json!({ "not": { "pattern": many } }), json!({ "pattern": "^(?:(?!a{900}[^b])a)*$" })]
    {
        let told = checked("many looks", schema, "a".repeat(1_000_000).into()).unwrap_err();
        assert_eq!(told[0].keyword, "schema", "{told:?}");
    }
    // They count as states and as groups do.
    let table = [
        ("(?:(?=a)b){600}".to_owned(), "2000 states"),
        (nested_text(300, "a", "(?!", ")"), "50 deep"),
        (nested_text(150, "a", "(?<=(?!", "))"), "50 deep"),
    ];
    for (pattern, says) in table {
        let refusal = compiled("looks", json!({ "pattern": pattern })).expect_err(says);
        assert!(refusal.message.contains(says), "{refusal:?}");
    }
    // A name is judged by such a pattern in bounded time as well, while it is written.
    let schema = Schema::compile(&json!({ "patternProperties": { "^(?:(?!.*x)a)*$": false } })).unwrap();
    let name = "a".repeat(1_000_000);
    let told = soon("a name", move || Prefix::new(Rc::new(schema)).feed(&format!("{{\"{name}\":")).is_err());
    assert!(!told, "what is too far to look at stays open");
}

fn nested_text(depth: usize, inner: &str, before: &str, after: &str) -> String {
    format!("{}{inner}{}", before.repeat(depth), after.repeat(depth))
}

/// So many definitions, each of the next, which is what `of` makes of a reference to it; the last one is `last`.
fn doubling(count: usize, of: impl Fn(Value) -> Value, last: Value) -> Value {
    let mut definitions = named(count, |at| (format!("d{at}"), of(json!({ "$ref": format!("#/$defs/d{}", at + 1) }))));
    definitions[format!("d{count}")] = last;
    json!({ "$ref": "#/$defs/d0", "$defs": definitions })
}

/// What is checked twice in each of some steps: refused before anything is checked, at the place from where on it is too much; where it is not too much, there is a
/// verdict.
#[test]
fn ways_that_multiply_are_refused_where_they_do() {
    type Of = fn(Value) -> Value;
    let forms: [(&str, Of); 8] = [
        ("allOf", |next| json!({ "allOf": [next, next] })),
        ("anyOf", |next| json!({ "anyOf": [next, next] })),
        ("oneOf", |next| json!({ "oneOf": [next, next] })),
        ("not", |next| json!({ "not": next, "allOf": [next] })),
        ("if", |next| json!({ "if": next, "then": next })),
        ("else", |next| json!({ "if": next, "else": next })),
        ("$ref", |next| json!({ "$ref": next["$ref"], "allOf": [next] })),
        ("dependentSchemas", |next| json!({ "dependentSchemas": { "a": next, "b": next } })),
    ];
    for (name, of) in forms {
        // Each step has a node of its own beside the two ways, and most have one for each reference.
        for last in [json!({ "type": "string" }), json!({ "type": "object" })] {
            assert!(compiled(name, doubling(11, of, last.clone())).is_ok(), "{name}");
            for count in [14, 25, 48] {
                let refusal = compiled(name, doubling(count, of, last.clone())).expect_err(name);
                // From the end on there are 2^k ways: the fourteenth step from there is the first that is too many, at the latest.
                let at: usize =
                    refusal.at.strip_prefix("/$defs/d").and_then(|at| at.split('/').next()).unwrap().parse().unwrap();
                assert!((count - 14..=count - 11).contains(&at), "{name}, {count}: {refusal:?}");
                assert!(refusal.message.contains("10000"), "{name}: {refusal:?}");
            }
        }
    }
    // What consumes a part of the value is another value's: a tree of unions, and as many definitions as there may be, each in two places of the next.
    let tree =
        json!({ "anyOf": [{ "type": "null" }, { "properties": { "left": { "$ref": "#" }, "right": { "$ref": "#" } } }] });
    assert!(compiled("a tree", tree).is_ok());
    let deep = doubling(48, |next| json!({ "properties": { "a": next, "b": next } }), json!(true));
    assert!(compiled("places", deep).is_ok());
    // A union of as many as there may be schemas, of references too.
    assert!(
        compiled("wide", json!({ "anyOf": vec![json!({ "$ref": "#/$defs/a" }); 4_000], "$defs": { "a": { "type": "null" } } }))
            .is_ok()
    );
}

/// What grows exponentially, or by the product of schema and value: ends, valid or not, never as valid where it is not.
#[test]
fn combinations_end() {
    let wide = nested(16, json!({ "const": 1 }), |inner| json!({ "anyOf": [inner.clone(), inner] }));
    assert!(compiled("wide", wide).is_err(), "131,071 nodes");
    // As many ways as there may be to one value: they are all gone, and the verdict is one on the value.
    for keyword in ["allOf", "anyOf", "oneOf"] {
        for (last, valid) in [(json!({ "const": 1 }), false), (json!({ "type": "integer" }), keyword != "oneOf")] {
            let told = checked(keyword, doubling(11, |next| json!({ keyword: [next, next] }), last), json!(2));
            assert_eq!(told.is_ok(), valid, "{keyword}: {told:?}");
            let is_verdict =
                |told: Vec<Violation>| !told.is_empty() && told.len() <= 8 && told.iter().all(|told| told.keyword != "schema");
            assert!(told.err().is_none_or(is_verdict), "{keyword}");
        }
    }
    let array: Value = (0..200_000).collect::<Vec<u32>>().into();
    assert_eq!(checked("differ", json!({ "uniqueItems": true }), array.clone()), Ok(()));
    let Value::Array(mut twice) = array.clone() else { panic!() };
    twice.push(json!(7.0));
    let told = checked("two alike", json!({ "uniqueItems": true }), twice.into()).unwrap_err();
    assert!(told[0].found.contains('7') && told[0].found.contains("200000"), "{told:?}");
    let objects: Value =
        (0..3_000).map(|at| json!({ "a": [at], "b": { "c": "x".repeat(200) } })).collect::<Vec<Value>>().into();
    assert_eq!(checked("objects differ", json!({ "uniqueItems": true }), objects), Ok(()));
    let words = json!({ "enum": (0..4_000).map(|at| at.to_string()).collect::<Vec<_>>() });
    let branches = |count: usize, of: Value| json!({ "anyOf": vec![of; count] });
    let table = [
        ("unique, often", branches(4_000, json!({ "uniqueItems": true, "maxItems": 1 }))),
        ("contains, often", branches(2_400, json!({ "contains": { "const": "x" } }))),
        (
            "unevaluated, often",
            json!({ "allOf": vec![json!({ "unevaluatedItems": true, "contains": { "minimum": 5 } }); 2_000], "unevaluatedItems": false }),
        ),
        ("multiples, often", branches(1_500, json!({ "items": { "type": "number", "not": { "multipleOf": 0.001 } } }))),
        (
            "enum, often",
            json!({ "anyOf": vec![json!({ "contains": { "$ref": "#/$defs/words" } }); 2_000], "$defs": { "words": words } }),
        ),
    ];
    for (name, schema) in table {
        let told = checked(name, schema, array.clone());
        assert!(told.is_err(), "{name}");
    }
}

/// A large enum that many branches fail by: what is said of it is cut before it is written.
#[test]
fn large_lists_are_not_written_out() {
    let huge = json!({ "enum": vec!["x".repeat(10_000); 10] });
    let schema = json!({ "items": { "anyOf": vec![json!({ "$ref": "#/$defs/huge" }); 1_500] }, "$defs": { "huge": huge } });
    let array: Value = vec![json!("y"); 1_000].into();
    let told = checked("a huge enum", schema, array).unwrap_err();
    assert!(told.iter().all(|told| told.to_string().len() < 2_000), "{told:?}");
}

/// Large objects against large lists of names.
#[test]
fn many_names_end() {
    let schema =
        json!({ "properties": named(4_000, |at| (format!("property{at}"), json!(true))), "additionalProperties": false });
    let schema = json!({ "anyOf": vec![json!({ "$ref": "#/$defs/all" }); 500], "$defs": { "all": schema } });
    let value = named(100_000, |at| (format!("member{at}"), json!(at)));
    assert!(checked("many names", schema, value).is_err());
    let patterns = named(2_000, |at| (format!("^(a|b)*{at}$"), json!(true)));
    let value = named(20_000, |at| (format!("{}{at}", "ab".repeat(20)), json!(at)));
    let _ = compiled("many patterns", json!({ "patternProperties": patterns }));
    let patterns = named(300, |at| (format!("^(a|b)*{at}$"), json!(true)));
    let _ = checked("many patterns", json!({ "patternProperties": patterns, "additionalProperties": false }), value);
}

/// Long strings by many rules.
#[test]
fn long_strings_end() {
    let text: Value = "é".repeat(4_000_000).into();
    let schema = json!({ "anyOf": vec![json!({ "minLength": 5_000_000 }); 4_000] });
    assert!(checked("lengths", schema, text.clone()).is_err());
    let schema = json!({ "anyOf": vec![json!({ "uniqueItems": true, "maxItems": 1 }); 4_000] });
    assert!(checked("hashes", schema, json!([text, 1])).is_err());
}

/// The deepest value that can be read, by the longest chain at each level.
#[test]
fn deep_values_take_a_bounded_stack() {
    let value = nested(120, json!(1), |inner| json!([inner]));
    let chain = |at: usize| (format!("d{at}"), json!({ "allOf": [{ "$ref": format!("#/$defs/d{}", at + 1) }] }));
    let mut definitions = named(40, chain);
    definitions["d40"] = json!({ "items": { "$ref": "#/$defs/d0" } });
    let schema = json!({ "$ref": "#/$defs/d0", "$defs": definitions });
    let told = checked("deep", schema, value.clone()).unwrap_err();
    assert!(told[0].to_string().contains("bounded"), "{told:?}");
    // A tree as people write them.
    let schema = json!({ "$defs": { "tree": { "anyOf": [{ "type": "integer" }, { "type": "array", "items": { "$ref": "#/$defs/tree" } }] } }, "$ref": "#/$defs/tree" });
    assert_eq!(checked("a deep tree", schema.clone(), value), Ok(()));
    let broken = nested(120, json!("x"), |inner| json!([inner]));
    let told = checked("a deep tree", schema, broken).unwrap_err();
    assert_eq!(told[0].at, "/0".repeat(120), "{told:?}");
}

/// A large answer that is as it should be is no attack.
#[test]
fn large_answers_are_checked() {
    let item = json!({ "type": "object", "required": ["id", "name", "tags"], "additionalProperties": false, "properties": {
        "id": { "type": "integer", "minimum": 0 },
        "name": { "type": "string", "pattern": "^[a-z ]+$", "maxLength": 100 },
        "tags": { "type": "array", "items": { "anyOf": [{ "enum": ["a", "b"] }, { "type": "null" }] }, "uniqueItems": true },
    } });
    let schema = json!({ "type": "array", "items": item });
    let value: Value = (0..30_000)
        .map(|at| json!({ "id": at, "name": "some name of a thing", "tags": ["a", null, "b"] }))
        .collect::<Vec<_>>()
        .into();
    assert!(value.to_string().len() > 1_500_000);
    assert_eq!(checked("large", schema, value), Ok(()));
}
