//! What is wrong with a value, in words that a model can act on.

use std::fmt;

use serde_json::Value;

use crate::node::Types;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where: a JSON pointer (RFC 6901) into the value; empty for all of it.
    pub at: String,
    /// The keyword that it breaks.
    pub keyword: &'static str,
    /// What was expected there.
    pub expected: String,
    /// What was found.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.at.is_empty() { "its root" } else { &self.at };
        write!(formatter, "at {at}: expected {}, found {}", self.expected, self.found)
    }
}

/// How much of what was found is quoted, in characters.
const MOST_QUOTED: usize = 80;

/// How many of what is allowed are listed.
const MOST_LISTED: usize = 10;

/// A text, cut.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST_QUOTED) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A text as JSON has it, cut: no control character is left in it.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(cut(text)).to_string()
}

/// A value in a few words.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => cut(&value.to_string()),
        Value::String(text) => format!("the string {}", quoted(text)),
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Object(members) => {
            let mut names = String::new();
            for name in members.keys().take(MOST_LISTED) {
                names.push_str(if names.is_empty() { " with " } else { ", " });
                names.push_str(&quoted(name));
            }
            format!("an object{names}")
        }
    }
}

/// What a list of what is allowed stands for.
pub(crate) fn keyword_of(values: &[Value]) -> &'static str {
    if values.len() == 1 { "const" } else { "enum" }
}

/// What a list allows.
pub(crate) fn one_of(values: &[Value]) -> String {
    let mut text = if values.len() == 1 { String::new() } else { "one of ".to_owned() };
    for (place, value) in values.iter().take(MOST_LISTED).enumerate() {
        if place > 0 {
            text.push_str(", ");
        }
        text.push_str(&cut(&value.to_string()));
    }
    if values.len() > MOST_LISTED {
        text.push_str(", …");
    }
    text
}

impl fmt::Display for Types {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = Self::INTEGER | Self::FRACTION;
        let names = [
            (Self::STRING, "a string"),
            (number, "a number"),
            (Self::INTEGER, "an integer"),
            (Self::BOOLEAN, "true or false"),
            (Self::ARRAY, "an array"),
            (Self::OBJECT, "an object"),
            (Self::NULL, "null"),
        ];
        let mut left = self.0;
        let mut first = true;
        for (bits, name) in names {
            if left & bits == bits {
                left &= !bits;
                formatter.write_str(if first { "" } else { " or " })?;
                formatter.write_str(name)?;
                first = false;
            }
        }
        Ok(())
    }
}
