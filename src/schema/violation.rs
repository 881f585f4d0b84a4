//! What is wrong with a value, in words that a model can act on.
//!
//! What is quoted is cut, and has no control characters: it goes into messages, logs and prompts, and what it quotes may be hostile, or large.

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
        if self.at.is_empty() {
            formatter.write_str("the answer")?;
        } else {
            let mut at = Short::new(MOST_QUOTED * 3);
            at.plain(&self.at);
            write!(formatter, "at {}", at.text)?;
        }
        write!(formatter, ": expected {}, found {}", self.expected, self.found)
    }
}

/// How much of what was found is quoted, in characters.
const MOST_QUOTED: usize = 80;

/// How many of what is allowed are listed.
const MOST_LISTED: usize = 10;

/// A text that takes no more than so much, and ends in dots where there was more.
struct Short {
    text: String,
    left: usize,
}

impl Short {
    fn new(most: usize) -> Self {
        Self { text: String::new(), left: most + 1 }
    }

    /// Adds a character, escaped where it would not be seen.
    fn push(&mut self, character: char) {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            if !self.text.ends_with('…') {
                self.text.push('…');
            }
        } else if character.is_control() || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        {
            self.text.push_str("\\u");
            let code = u32::from(character);
            for shift in [12, 8, 4, 0] {
                self.text.push(char::from_digit(code >> shift & 15, 16).unwrap_or('0'));
            }
        } else {
            self.text.push(character);
        }
    }

    fn plain(&mut self, text: &str) {
        for character in text.chars() {
            if self.left == 0 {
                return;
            }
            self.push(character);
        }
    }

    fn string(&mut self, text: &str) {
        self.push('"');
        for character in text.chars() {
            if self.left == 0 {
                return;
            }
            match character {
                '"' => self.plain("\\\""),
                '\\' => self.plain("\\\\"),
                '\n' => self.plain("\\n"),
                '\t' => self.plain("\\t"),
                other => self.push(other),
            }
        }
        self.push('"');
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.string(text),
            Value::Array(items) => {
                self.push('[');
                for (place, item) in items.iter().enumerate() {
                    if self.left == 0 {
                        return;
                    }
                    self.plain(if place > 0 { "," } else { "" });
                    self.value(item);
                }
                self.push(']');
            }
            Value::Object(members) => {
                self.push('{');
                for (place, (name, member)) in members.iter().enumerate() {
                    if self.left == 0 {
                        return;
                    }
                    self.plain(if place > 0 { "," } else { "" });
                    self.string(name);
                    self.push(':');
                    self.value(member);
                }
                self.push('}');
            }
            scalar => self.plain(&scalar.to_string()),
        }
    }
}

/// A text, cut.
pub(crate) fn cut(text: &str) -> String {
    let mut short = Short::new(MOST_QUOTED);
    short.plain(text);
    short.text
}

/// A text as JSON has it, cut.
pub(crate) fn quoted(text: &str) -> String {
    let mut short = Short::new(MOST_QUOTED);
    short.string(text);
    short.text
}

/// A value as JSON, cut.
pub(crate) fn json(value: &Value) -> String {
    let mut short = Short::new(MOST_QUOTED);
    short.value(value);
    short.text
}

/// A value as JSON, and what it is where this does not say so at once.
pub(crate) fn shown(value: &Value) -> String {
    let kind = match value {
        Value::Null | Value::Bool(_) => "",
        Value::Number(_) => "the number ",
        Value::String(_) => "the string ",
        Value::Array(_) => "the array ",
        Value::Object(_) => "the object ",
    };
    kind.to_owned() + &json(value)
}

/// Some of a list: `count` of them in all.
pub(crate) fn listed(intro: &str, items: &mut dyn Iterator<Item = String>, count: usize) -> String {
    let mut text = intro.to_owned();
    for (place, item) in items.take(MOST_LISTED).enumerate() {
        text.push_str(if place > 0 { ", " } else { "" });
        text.push_str(&item);
    }
    if count > MOST_LISTED {
        text.push_str(", … (");
        text.push_str(&count.to_string());
        text.push_str(" in all)");
    }
    text
}

/// What a list allows.
pub(crate) fn one_of(values: &[Value]) -> String {
    listed(if values.len() == 1 { "" } else { "one of " }, &mut values.iter().map(json), values.len())
}

/// Adds a name to a JSON pointer.
pub(crate) fn step(at: &mut String, name: &str) {
    at.push('/');
    for character in name.chars() {
        match character {
            '~' => at.push_str("~0"),
            '/' => at.push_str("~1"),
            other => at.push(other),
        }
    }
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
        for (bits, name) in names {
            if left & bits == bits {
                formatter.write_str(if left == self.0 { "" } else { " or " })?;
                formatter.write_str(name)?;
                left &= !bits;
            }
        }
        Ok(())
    }
}
