//! A reader of TOML that goes on after an error.
//!
//! Whoever edits a configuration wants to hear of everything that is wrong with it, with the place, in one go; a deserializer stops at the
//! first. So the document is walked by hand: each [`Value`] knows its key path and its line, says what is wrong to the
//! shared [`Problems`], and yields nothing. A key that nobody asked for is unknown ([`Table::close`]).

use std::cell::RefCell;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::problem::{self, Problems};
use crate::config::units;

/// A value, with the place where it stands.
#[derive(Clone)]
pub(super) struct Value<'a> {
    /// The key path, as `routes.smart.targets[0]`.
    pub(super) path: String,
    /// The offset in the document, in bytes.
    pub(super) at: usize,
    node: &'a DeValue<'a>,
    problems: &'a Problems,
}

impl<'a> Value<'a> {
    fn new(path: String, value: &'a Spanned<DeValue<'a>>, problems: &'a Problems) -> Self {
        Self { path, at: value.span().start, node: value.get_ref(), problems }
    }

    /// Reports a problem with this value.
    pub(super) fn problem(&self, message: impl Into<String>) {
        self.problems.add(self.at, &self.path, message);
    }

    /// Reports that this value is none of what is allowed.
    pub(super) fn wrong(&self, allowed: &str) {
        self.problem(format!("found {}; allowed is {allowed}", self.found()));
    }

    /// The value in words.
    pub(super) fn found(&self) -> String {
        match self.node {
            DeValue::String(text) => quoted(text),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.to_string(),
            DeValue::Boolean(flag) => flag.to_string(),
            DeValue::Datetime(_) => "a date".to_owned(),
            DeValue::Array(_) => "a list".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
        }
    }

    /// The text, where it is one; says nothing where it is not.
    pub(super) fn as_text(&self) -> Option<&'a str> {
        self.node.as_str()
    }

    /// Whether this is a list; says nothing.
    pub(super) fn is_list(&self) -> bool {
        self.node.is_array()
    }

    /// A text.
    pub(super) fn text(&self, allowed: &str) -> Option<&'a str> {
        let text = self.as_text();
        if text.is_none() {
            self.wrong(allowed);
        }
        text
    }

    /// A text, number or flag as text; says nothing where it is none of them.
    pub(super) fn as_scalar(&self) -> Option<String> {
        match self.node {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) => Some(self.found()),
            DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
        }
    }

    /// A flag.
    pub(super) fn flag(&self) -> Option<bool> {
        let flag = self.node.as_bool();
        if flag.is_none() {
            self.wrong("true or false");
        }
        flag
    }

    /// A whole number within bounds.
    pub(super) fn whole(&self, least: u32, most: u32) -> Option<u32> {
        let whole = self.node.as_integer().and_then(|number| u32::from_str_radix(number.as_str(), number.radix()).ok());
        let whole = whole.filter(|whole| (least..=most).contains(whole));
        if whole.is_none() {
            self.wrong(&format!("a whole number from {least} to {most}"));
        }
        whole
    }

    /// A number, whole or not; says nothing where it is none.
    pub(super) fn as_number(&self) -> Option<f64> {
        match self.node {
            DeValue::Integer(number) => number.to_string().parse().ok(),
            DeValue::Float(number) => number.as_str().parse().ok(),
            _ => None,
        }
    }

    /// A duration within bounds.
    pub(super) fn duration(&self, least: Duration, most: Duration) -> Option<Duration> {
        let Some(text) = self.as_text() else {
            self.wrong("a duration, such as \"250ms\", \"10s\" or \"1h 30m\"");
            return None;
        };
        units::duration(text, least, most).map_err(|message| self.problem(message)).ok()
    }

    /// One of several names.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&'static str, T)]) -> Option<T> {
        let names = || choices.iter().map(|(name, _)| *name);
        let found = self.as_text().and_then(|text| choices.iter().find(|(name, _)| *name == text));
        if found.is_none() {
            let hint = self.as_text().and_then(|text| problem::suggest(text, names())).unwrap_or_default();
            self.wrong(&format!("one of {}{hint}", names().collect::<Vec<_>>().join(", ")));
        }
        found.map(|(_, choice)| *choice)
    }

    /// The entries of a list.
    pub(super) fn list(&self, allowed: &str) -> Option<Vec<Self>> {
        let Some(entries) = self.node.as_array() else {
            self.wrong(allowed);
            return None;
        };
        let entry = |(index, value)| Self::new(format!("{}[{index}]", self.path), value, self.problems);
        Some(entries.iter().enumerate().map(entry).collect())
    }

    /// A table.
    pub(super) fn table(&self) -> Option<Table<'a>> {
        let table = self.as_table();
        if table.is_none() {
            self.wrong("a table");
        }
        table
    }

    /// A table; says nothing where it is none.
    pub(super) fn as_table(&self) -> Option<Table<'a>> {
        let entries = self.node.as_table()?;
        Some(Table { path: self.path.clone(), at: self.at, entries, asked: RefCell::default(), problems: self.problems })
    }

    /// The same as JSON, for fields that are sent upstream.
    pub(super) fn json(&self) -> Option<serde_json::Value> {
        let json = match self.node {
            DeValue::String(text) => Some(serde_json::Value::from(text.as_ref())),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok().map(serde_json::Value::from),
            DeValue::Float(number) => {
                number.as_str().parse().ok().and_then(serde_json::Number::from_f64).map(serde_json::Value::from)
            }
            DeValue::Boolean(flag) => Some(serde_json::Value::from(*flag)),
            DeValue::Datetime(_) => None,
            DeValue::Array(_) => {
                return self.list("a list")?.iter().map(Self::json).collect::<Option<Vec<_>>>().map(serde_json::Value::from);
            }
            DeValue::Table(_) => {
                let entries = self.table()?.entries();
                let members = entries.iter().map(|(name, value)| Some(((*name).to_owned(), value.json()?)));
                return members.collect::<Option<serde_json::Map<_, _>>>().map(serde_json::Value::from);
            }
        };
        if json.is_none() {
            self.wrong("what JSON can hold: a text, a number, true, false, a list or a table");
        }
        json
    }
}

/// A text as it stands in the document, cut off where it is very long.
fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{:?}…", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

/// A table, which remembers what was asked of it.
pub(super) struct Table<'a> {
    path: String,
    at: usize,
    entries: &'a DeTable<'a>,
    asked: RefCell<Vec<&'static str>>,
    problems: &'a Problems,
}

impl<'a> Table<'a> {
    /// The document itself.
    pub(super) fn document(entries: &'a DeTable<'a>, problems: &'a Problems) -> Self {
        Self { path: String::new(), at: 0, entries, asked: RefCell::default(), problems }
    }

    /// Reports a problem with the table as a whole.
    pub(super) fn problem(&self, message: &str) {
        self.problems.add(self.at, &self.path, message);
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &'static str) -> Option<Value<'a>> {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
        let value = self.entries.get(key)?;
        Some(Value::new(self.below(key), value, self.problems))
    }

    /// Whether a key is there, known or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// All entries, in the order of the document; none of them is unknown then.
    pub(super) fn entries(&self) -> Vec<(&'a str, Value<'a>)> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_unstable_by_key(|(key, _)| key.span().start);
        entries
            .into_iter()
            .map(|(key, value)| {
                let key: &'a str = key.get_ref();
                (key, Value::new(self.below(key), value, self.problems))
            })
            .collect()
    }

    /// Reports every key that nobody has asked for.
    pub(super) fn close(&self) {
        self.close_with(|_| None);
    }

    /// The same, where some keys are known to belong elsewhere.
    pub(super) fn close_with(&self, elsewhere: impl Fn(&str) -> Option<String>) {
        let asked = self.asked.borrow();
        for key in self.entries.keys() {
            let name: &str = key.get_ref();
            if asked.contains(&name) {
                continue;
            }
            let message = elsewhere(name).unwrap_or_else(|| {
                let hint = problem::suggest(name, asked.iter().copied()).unwrap_or_default();
                format!("unknown; allowed are {}{hint}", asked.join(", "))
            });
            self.problems.add(key.span().start, &self.below(name), message);
        }
    }

    /// The path of a key below this table.
    fn below(&self, key: &str) -> String {
        let bare = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        let key = if bare { key.to_owned() } else { format!("{key:?}") };
        if self.path.is_empty() { key } else { format!("{}.{key}", self.path) }
    }
}
