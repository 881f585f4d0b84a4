//! A second opinion: schemas that are read as they stand, keyword by keyword, with sets for what was evaluated, and no thought of cost.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends when it is wrong"
)]

use std::collections::BTreeSet;

use breakwater_schema::Schema;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Names and places that were evaluated, of a value that is valid.
type Evaluated = Option<BTreeSet<String>>;

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len() && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| same(value, other)))
        }
        _ => one == other,
    }
}

#[expect(clippy::too_many_lines, reason = "a keyword each")]
fn valid(schema: &Value, value: &Value, root: &Value) -> Evaluated {
    let Value::Object(keywords) = schema else { return (schema == &Value::Bool(true)).then(BTreeSet::new) };
    let mut evaluated = BTreeSet::new();
    let holds = |schema: &Value, value: &Value| valid(schema, value, root).is_some();
    let (items, members) = (value.as_array(), value.as_object());
    let number = value.as_f64();
    let length = value.as_str().map(|text| text.chars().count() as u64);
    let named = |name: &str| {
        keywords.get("properties").is_some_and(|all| all.get(name).is_some())
            || keywords
                .get("patternProperties")
                .is_some_and(|all| all.as_object().unwrap().keys().any(|pattern| name.contains(pattern)))
    };
    for (keyword, of) in keywords {
        let list = || of.as_array().unwrap();
        let mut in_place = |schema: &Value| {
            let inner = valid(schema, value, root);
            evaluated.extend(inner.iter().flatten().cloned());
            inner.is_some()
        };
        let fine = match keyword.as_str() {
            "type" => {
                let types = of.as_array().cloned().unwrap_or_else(|| vec![of.clone()]);
                types.iter().any(|of| match of.as_str().unwrap() {
                    "null" => value.is_null(),
                    "boolean" => value.is_boolean(),
                    "string" => value.is_string(),
                    "number" => value.is_number(),
                    "integer" => number.is_some_and(|number| number.fract() == 0.0),
                    "array" => value.is_array(),
                    _ => value.is_object(),
                })
            }
            "enum" => list().iter().any(|of| same(of, value)),
            "const" => same(of, value),
            "minimum" => number.is_none_or(|number| number >= of.as_f64().unwrap()),
            "exclusiveMaximum" => number.is_none_or(|number| number < of.as_f64().unwrap()),
            "multipleOf" => number.is_none_or(|number| number % of.as_f64().unwrap() == 0.0),
            "minLength" => length.is_none_or(|length| length >= of.as_u64().unwrap()),
            "maxLength" => length.is_none_or(|length| length <= of.as_u64().unwrap()),
            "minItems" => items.is_none_or(|items| items.len() as u64 >= of.as_u64().unwrap()),
            "maxItems" => items.is_none_or(|items| items.len() as u64 <= of.as_u64().unwrap()),
            "uniqueItems" => items.is_none_or(|items| {
                !items.iter().enumerate().any(|(at, one)| items[..at].iter().any(|other| same(one, other)))
            }),
            "prefixItems" => items.is_none_or(|items| {
                evaluated.extend((0..items.len().min(list().len())).map(|at| at.to_string()));
                items.iter().zip(list()).all(|(item, of)| holds(of, item))
            }),
            "items" => items.is_none_or(|items| {
                evaluated.extend((0..items.len()).map(|at| at.to_string()));
                items
                    .iter()
                    .skip(keywords.get("prefixItems").map_or(0, |before| before.as_array().unwrap().len()))
                    .all(|item| holds(of, item))
            }),
            "contains" => items.is_none_or(|items| {
                let places: Vec<usize> = (0..items.len()).filter(|at| holds(of, &items[*at])).collect();
                evaluated.extend(places.iter().map(ToString::to_string));
                let bound = |name: &str, without: u64| keywords.get(name).map_or(without, |bound| bound.as_u64().unwrap());
                (bound("minContains", 1)..=bound("maxContains", 99)).contains(&(places.len() as u64))
            }),
            "minProperties" => members.is_none_or(|members| members.len() as u64 >= of.as_u64().unwrap()),
            "required" => members.is_none_or(|members| list().iter().all(|name| members.contains_key(name.as_str().unwrap()))),
            "properties" => members.is_none_or(|members| {
                members.iter().all(|(name, member)| {
                    of.get(name).is_none_or(|of| {
                        evaluated.insert(name.clone());
                        holds(of, member)
                    })
                })
            }),
            "patternProperties" => members.is_none_or(|members| {
                members.iter().all(|(name, member)| {
                    of.as_object().unwrap().iter().filter(|(pattern, _)| name.contains(*pattern)).all(|(_, of)| {
                        evaluated.insert(name.clone());
                        holds(of, member)
                    })
                })
            }),
            "additionalProperties" => members.is_none_or(|members| {
                members.iter().filter(|(name, _)| !named(name)).all(|(name, member)| {
                    evaluated.insert(name.clone());
                    holds(of, member)
                })
            }),
            "propertyNames" => members.is_none_or(|members| members.keys().all(|name| holds(of, &json!(name)))),
            "dependentRequired" => members.is_none_or(|members| {
                let all = of.as_object().unwrap().iter().filter(|(name, _)| members.contains_key(*name));
                all.flat_map(|(_, names)| names.as_array().unwrap()).all(|name| members.contains_key(name.as_str().unwrap()))
            }),
            "dependentSchemas" => members.is_none_or(|members| {
                of.as_object().unwrap().iter().filter(|(name, _)| members.contains_key(*name)).all(|(_, of)| in_place(of))
            }),
            // All of them, as each counts for what was evaluated.
            "allOf" => list().iter().filter(|of| !in_place(of)).count() == 0,
            "anyOf" => list().iter().filter(|of| in_place(of)).count() > 0,
            "oneOf" => list().iter().filter(|of| in_place(of)).count() == 1,
            "not" => !holds(of, value),
            "if" => {
                let branch = if in_place(of) { "then" } else { "else" };
                keywords.get(branch).is_none_or(in_place)
            }
            "$ref" => in_place(root.pointer(&of.as_str().unwrap()[1..]).unwrap()),
            _ => true,
        };
        if !fine {
            return None;
        }
    }
    if let Some(of) = keywords.get("unevaluatedProperties") {
        for (name, member) in members.into_iter().flatten() {
            if evaluated.insert(name.clone()) && !holds(of, member) {
                return None;
            }
        }
    }
    if let Some(of) = keywords.get("unevaluatedItems") {
        for (at, item) in items.into_iter().flatten().enumerate() {
            if evaluated.insert(at.to_string()) && !holds(of, item) {
                return None;
            }
        }
    }
    Some(evaluated)
}

fn scalar() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(1.0),
        json!(2.5),
        json!(-3),
        json!("a"),
        json!("é"),
        json!("ab"),
        json!(""),
    ])
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[abc]{1,2}", inner), 0..4)
                .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

/// Half of them speak of objects, as most does there.
fn schema() -> impl Strategy<Value = Value> {
    let names = || prop::collection::vec("[abc]", 0..3);
    let types = || prop::sample::select(vec!["null", "boolean", "string", "number", "integer", "array", "object"]);
    let count = 0_u64..4;
    let leaf = prop_oneof![
        prop::bool::ANY.prop_map(Value::from),
        types().prop_map(|of| json!({ "type": of })),
        prop::collection::vec(types(), 1..4).prop_map(|of| json!({ "type": of })),
        prop::collection::vec(value(), 1..3).prop_map(|of| json!({ "enum": of })),
        value().prop_map(|of| json!({ "const": of })),
        (prop::sample::select(vec!["minimum", "exclusiveMaximum"]), -3..4).prop_map(|(keyword, of)| json!({ keyword: of })),
        prop::sample::select(vec![json!(1), json!(0.5), json!(2)]).prop_map(|of| json!({ "multipleOf": of })),
        (prop::sample::select(vec!["minLength", "maxLength", "minItems", "maxItems", "minProperties"]), count.clone())
            .prop_map(|(keyword, of)| json!({ keyword: of })),
        Just(json!({ "uniqueItems": true })),
        names().prop_map(|of| json!({ "required": of })),
        ("[abc]", names()).prop_map(|(name, of)| json!({ "dependentRequired": { name: of } })),
        Just(json!({ "items": { "$ref": "#/$defs/x" } })),
        Just(json!({ "additionalProperties": { "$ref": "#/$defs/y" } })),
    ];
    leaf.prop_recursive(4, 40, 4, move |inner| {
        let list = || prop::collection::vec(inner.clone(), 1..4);
        let named = || prop::collection::vec(("[abc]", inner.clone()), 0..4).prop_map(|of| of.into_iter().collect::<Map<_, _>>());
        let one = prop::sample::select(vec![
            "items", "contains", "additionalProperties", "propertyNames", "not", "unevaluatedItems", "unevaluatedProperties",
        ]);
        prop_oneof![
            // Keywords beside each other.
            4 => list().prop_map(|all| {
                let mut merged = Map::new();
                for of in all {
                    merged.extend(of.as_object().cloned().unwrap_or_default());
                }
                merged.into()
            }),
            2 => (one, inner.clone()).prop_map(|(keyword, of)| json!({ keyword: of })),
            2 => (prop::sample::select(vec!["prefixItems", "allOf", "anyOf", "oneOf"]), list()).prop_map(|(keyword, of)| json!({ keyword: of })),
            2 => (prop::sample::select(vec!["properties", "patternProperties", "dependentSchemas"]), named()).prop_map(|(keyword, of)| json!({ keyword: of })),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(one, two, three)| json!({ "if": one, "then": two, "else": three })),
            1 => (inner.clone(), count.clone(), count.clone()).prop_map(|(of, least, most)| json!({ "contains": of, "minContains": least, "maxContains": most })),
            1 => (list(), inner.clone(), inner.clone()).prop_map(|(all, of, rest)| json!({ "anyOf": all, "properties": { "a": of }, "unevaluatedProperties": rest })),
            1 => (list(), inner.clone(), inner.clone()).prop_map(|(all, of, rest)| json!({ "anyOf": all, "prefixItems": [of], "unevaluatedItems": rest })),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn as_another_has_it(schema in schema(), definition in schema(), values in prop::collection::vec(value(), 8)) {
        let mut whole = match schema {
            Value::Object(members) => members,
            other => Map::from_iter([("allOf".to_owned(), json!([other]))]),
        };
        whole.insert("$defs".to_owned(), json!({ "x": definition, "y": { "type": ["integer", "string", "object"] } }));
        let whole = Value::from(whole);
        let compiled = Schema::compile(&whole).unwrap_or_else(|refusal| panic!("{whole}: {refusal:?}"));
        for value in values {
            let expected = valid(&whole, &value, &whole).is_some();
            prop_assert_eq!(compiled.is_valid(&value), expected, "{}: {}", whole, value);
            match compiled.check(&value, 5) {
                Ok(()) => prop_assert!(expected, "{}: {}", whole, value),
                Err(told) => {
                    prop_assert!(!expected && !told.is_empty() && told.len() <= 5, "{}: {}", whole, value);
                    for violation in told {
                        prop_assert!(value.pointer(&violation.at).is_some(), "{}: {}: {}", whole, value, violation);
                        prop_assert!(violation.keyword != "schema", "{}: {}: {}", whole, value, violation);
                    }
                }
            }
        }
    }

    /// Products and their neighbours, in as many places as prices have.
    #[test]
    fn multiples(of in 1_u64..1_000_000, times in 0_u64..1_000_000, places in 0_usize..9) {
        let decimal = |digits: u64| -> Value { serde_json::from_str(&format!("{digits}e-{places}")).unwrap() };
        let schema = Schema::compile(&json!({ "multipleOf": decimal(of) })).unwrap();
        prop_assert!(schema.is_valid(&decimal(of * times)), "{} times {}e-{}", times, of, places);
        if of > 1 {
            prop_assert!(!schema.is_valid(&decimal(of * times + 1)), "{} times {}e-{}, and 1", times, of, places);
        }
    }

    /// Whole numbers and their doubles, where these are not the same.
    #[test]
    fn comparisons(number in any::<i64>(), near in -2_i64..3) {
        let Some(other) = number.checked_add(near) else { return Ok(()) };
        let least = Schema::compile(&json!({ "minimum": number })).unwrap();
        prop_assert_eq!(least.is_valid(&json!(other)), near >= 0);
        let constant = Schema::compile(&json!({ "const": number })).unwrap();
        prop_assert_eq!(constant.is_valid(&json!(other)), near == 0);
        // A double of the same value is the same number, and no other is.
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "that it may lose digits is what is tested")]
        let (double, exact) = (number as f64, number as f64 as i128 == i128::from(number));
        prop_assert_eq!(constant.is_valid(&json!(double)), exact);
    }
}
