//! JSON objects, and nothing else.
//!
//! What serde derives for a struct takes an array of the fields' values for one too, so that `["gpt-4o"]` would be a request and
//! `[[…]]` an answer. Whoever reads something that others wrote reads it here.

use serde::Deserialize;

/// Whether a text begins as an object does.
pub fn is_object(json: &str) -> bool {
    json.trim_start().starts_with('{')
}

/// Reads an object.
pub fn object<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    is_object(json).then(|| serde_json::from_str(json).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_no_object() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Point {
            x: u8,
        }
        assert_eq!(object(" {\"x\": 1}"), Some(Point { x: 1 }));
        assert_eq!(serde_json::from_str::<Point>("[1]").ok(), Some(Point { x: 1 }), "what this is for");
        for other in ["[1]", " [1]", "1", "", "{", "{\"y\": 1}"] {
            assert_eq!(object::<Point>(other), None, "{other}");
        }
    }
}
