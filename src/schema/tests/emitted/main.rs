//! Patterns that SDKs write into JSON Schema (all of zod's formats, and of pydantic's types): as JavaScript has them. The table is made by
//! generate.mjs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends when it is wrong"
)]

use breakwater_schema::{Prefix, Schema};
use serde_json::{Value, json};
use std::rc::Rc;

#[test]
fn as_javascript_has_it() {
    let table: Value = serde_json::from_str(include_str!("table.json")).unwrap();
    let strings = table["strings"].as_array().unwrap();
    let patterns = table["patterns"].as_array().unwrap();
    assert!(strings.len() > 300 && patterns.len() > 70);
    let mut wrong = Vec::new();
    for entry in patterns {
        let pattern = &entry["pattern"];
        let schema = match Schema::compile(&json!({ "pattern": pattern })) {
            Ok(schema) => Rc::new(schema),
            Err(refusal) => {
                wrong.push(format!("{pattern} of {}: {}", entry["from"], refusal.message));
                continue;
            }
        };
        let matches = entry["matches"].as_array().unwrap();
        assert!(!matches.is_empty(), "{entry}");
        for (at, text) in strings.iter().enumerate() {
            let expected = matches.contains(&json!(at));
            // While it is being written, too.
            let mut prefix = Prefix::new(Rc::clone(&schema));
            let streamed = prefix.feed(&text.to_string()).is_ok() && prefix.end().is_ok();
            if schema.is_valid(text) != expected || streamed != expected {
                wrong.push(format!("{pattern} of {} on {text}: JavaScript says {expected}", entry["from"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
