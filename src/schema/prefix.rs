//! A check of what is still being written, for streams that are passed on as they come: it refuses at the first byte after which nothing can
//! make the text valid, as far as that is cheap to know, and by the end whatever is invalid.
//!
//! A prefix of a valid document is never refused: of one value with whitespace around it, in whose objects every name is written once. (Of two
//! members of one name `serde_json` keeps the last; here the first has to be valid too, as it is gone when the last one comes.) A document
//! that is invalid is never accepted whole: the root is checked in full before its last byte is accepted, or at the end if it is a number.
//!
//! Known at once: the grammar; types; how a string of an `enum` goes on; names; lengths and counts that are passed; what is required, at the
//! closing bracket. This holds for the *definite* nodes of a value, all of which must hold: those of the keywords that apply to its place,
//! what they refer to, their `allOf`, and the one branch of `anyOf` and `oneOf` that the value's first byte leaves. Keywords that are no such
//! conjunction are checked when the value closes. A number is judged at its end: 1.5e1 is an integer.

mod first;
pub(crate) mod syntax;

use std::rc::Rc;

use serde_json::Value;

use self::first::{First, keep};
use self::syntax::{Event, Kind, Syntax};
use crate::Schema;
use crate::node::{Id, Rule};
use crate::violation::{self, Violation};

/// The longest text that is kept, as for answers that are not streams.
const LONGEST: usize = 10 << 20;

/// Violations that the end says.
const MOST: usize = 8;

/// What a text may cost: so much, and so much for each of its bytes. Beyond it only the grammar is checked, until the end. A byte of a value that is
/// read again is one: it is for each value around it that needs a full check.
const STEPS: usize = 1_000_000;
const STEPS_A_BYTE: usize = 8;

/// The check of one text.
#[derive(Debug)]
pub struct Prefix {
    schema: Rc<Schema>,
    text: String,
    syntax: Syntax,
    /// The values that are open, from the root on: the last may be a scalar.
    open: Vec<Open>,
    /// What the next value must be valid against.
    next: Vec<Id>,
    /// Where the name that is being read begins.
    name: usize,
    steps: usize,
    failed: Vec<Violation>,
}

/// A value whose end has not come.
#[derive(Debug)]
struct Open {
    kind: Kind,
    from: usize,
    first: First,
    /// Items, members or characters that have begun.
    count: u64,
    /// Bytes of a string's text without escapes.
    bytes: usize,
    /// The last member's.
    name: String,
}

impl Prefix {
    /// The check of a text that has not begun.
    pub fn new(schema: Rc<Schema>) -> Self {
        let next = vec![schema.root];
        let (text, open, failed) = (String::new(), Vec::new(), Vec::new());
        Self { schema, text, syntax: Syntax::new(), open, next, name: 0, steps: 0, failed }
    }

    /// The text goes on. After an error it is the same one for ever.
    pub fn feed(&mut self, text: &str) -> Result<(), Violation> {
        if self.failed.is_empty() {
            let from = self.text.len();
            self.text.push_str(text);
            if self.text.len() > LONGEST {
                self.refuse(0, "json", "at most 10 MB", "more");
            }
            for (at, byte) in text.bytes().enumerate() {
                if !self.failed.is_empty() {
                    break;
                }
                self.byte(byte, from + at);
            }
        }
        match self.failed.first() {
            Some(first) => Err(first.clone()),
            None => Ok(()),
        }
    }

    /// The text has ended.
    pub fn end(&mut self) -> Result<(), Vec<Violation>> {
        if self.failed.is_empty() {
            if self.syntax.stop() {
                self.closed(self.text.len());
            }
            if !self.syntax.is_done() {
                self.not_json(self.text.len());
            }
        }
        if self.failed.is_empty() { Ok(()) } else { Err(self.failed.clone()) }
    }

    fn byte(&mut self, byte: u8, at: usize) {
        match self.syntax.next(byte) {
            None => self.not_json(at),
            Some(Event::Nothing) => {}
            Some(Event::Opened(kind)) => self.opened(kind, at),
            Some(Event::Closed) => self.closed(at + 1),
            Some(Event::Ended) => {
                self.closed(at);
                if self.failed.is_empty() {
                    self.byte(byte, at);
                }
            }
            Some(Event::Name) => {
                self.name = at;
                if self.open.last().is_some_and(|object| object.count == 0) {
                    self.another();
                }
            }
            Some(Event::Named) => self.named(at + 1),
            Some(Event::Comma | Event::Escape) => self.another(),
            Some(Event::Byte(byte)) => {
                // A character's first byte: those that follow begin with the bits 10.
                if byte & 0xc0 != 0x80 {
                    self.another();
                }
                self.letter(byte);
            }
            Some(Event::Escaped(character)) => {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    self.letter(byte);
                }
            }
        }
    }

    /// A value begins.
    fn opened(&mut self, kind: Kind, from: usize) {
        if self.open.last().is_some_and(|parent| parent.kind == Kind::Array && parent.count == 0) {
            self.another();
        }
        let mut first = First::new();
        let mut todo = std::mem::take(&mut self.next);
        if self.is_spent() {
            todo.clear();
        }
        let refused = first.read(&self.schema, todo, kind, &mut self.steps);
        if let Some((keyword, expected)) = refused {
            self.refuse(self.open.len(), keyword, &expected, kind.name());
        }
        self.open.push(Open { kind, from, first, count: 0, bytes: 0, name: String::new() });
    }

    /// A value has ended before `end`.
    fn closed(&mut self, end: usize) {
        let Some(mut open) = self.open.pop() else { return };
        let depth = self.open.len();
        if depth > 0 {
            self.enough(&open);
        }
        let text = self.text.get(open.from..end).unwrap_or_default();
        if self.schema.is_dynamic || self.is_spent() {
            open.first.close.clear();
        }
        // The root is checked as a whole; and numbers can be too large.
        if !self.failed.is_empty() || depth > 0 && open.first.close.is_empty() && open.kind != Kind::Number {
            return;
        }
        self.steps += text.len();
        let Ok(value) = serde_json::from_str::<Value>(text) else {
            let found = violation::cut(text);
            return self.refuse(depth, "json", "a number that a double can hold", &found);
        };
        if depth == 0 {
            self.failed = self.schema.check(&value, MOST).err().unwrap_or_default();
            return;
        }
        for id in open.first.close {
            let found = self.schema.violation(id, &value, &mut self.steps);
            if let Some(mut found) = found.filter(is_certain) {
                found.at.insert_str(0, &self.path(depth));
                self.failed.push(found);
                return;
            }
        }
    }

    /// Whether an array or object that has ended had all that it must.
    fn enough(&mut self, open: &Open) {
        let depth = self.open.len();
        if let (Some(missing), Kind::Object) = (open.first.places.first(), open.kind) {
            let expected = violation::quoted(missing.text(&self.schema));
            return self.refuse(depth, "required", &expected, "no such property");
        }
        if open.count < open.first.least {
            let (keyword, least) = (open.kind.bounds().0, format!("at least {}", open.first.least));
            self.refuse(depth, keyword, &least, "fewer");
        }
    }

    /// Another item, member or character must come: may it, and what must an item be?
    fn another(&mut self) {
        let depth = self.open.len().saturating_sub(1);
        let Some(open) = self.open.last_mut() else { return };
        let before = usize::try_from(open.count).unwrap_or(usize::MAX);
        open.count += 1;
        if open.count > open.first.most {
            let (keyword, most) = (open.kind.bounds().1, format!("at most {}", open.first.most));
            return self.refuse(depth, keyword, &most, "more");
        }
        if open.kind != Kind::Array {
            return;
        }
        self.next.clear();
        for id in &open.first.nodes {
            for rule in self.schema.rules(*id) {
                self.steps += 1;
                let item = match rule {
                    Rule::Prefix(nodes) => nodes.get(before),
                    Rule::Items { from, node } if before >= *from => Some(node),
                    _ => None,
                };
                if let Some(item) = item {
                    self.next.push(*item);
                }
            }
        }
        if self.schema.has_never(&self.next) {
            self.refuse(depth, "items", &format!("at most {before}"), "more");
        }
    }

    /// A name has ended before `end`.
    fn named(&mut self, end: usize) {
        let depth = self.open.len().saturating_sub(1);
        let spent = self.is_spent();
        let value = serde_json::from_str::<Value>(self.text.get(self.name..end).unwrap_or_default()).unwrap_or_default();
        let name = value.as_str().unwrap_or_default();
        let Some(open) = self.open.last_mut() else { return };
        open.name.clear();
        open.name.push_str(name);
        self.steps += open.first.places.len();
        keep(&mut open.first.places, &|place| place.text(&self.schema) != name);
        self.next.clear();
        if spent {
            return;
        }
        for id in &open.first.nodes {
            let (mut before, mut additional) = (self.next.len(), None);
            for rule in self.schema.rules(*id) {
                self.steps += 1;
                match rule {
                    Rule::Properties(all) => {
                        self.steps += all.len();
                        for (known, node) in all {
                            if known == name {
                                self.next.push(*node);
                            }
                        }
                    }
                    Rule::PatternProperties(all) => {
                        for (pattern, node) in all {
                            let cost = pattern.cost(name);
                            // Its steps are of 32 states each.
                            self.steps += 32 * cost.min(first::FAR);
                            if cost > first::FAR {
                                // Too far to look: whether the name is additional stays open.
                                before = usize::MAX;
                            } else if pattern.is_match(name) {
                                self.next.push(*node);
                            }
                        }
                    }
                    Rule::AdditionalProperties(node) => additional = Some(*node),
                    Rule::PropertyNames(node) if !self.schema.is_dynamic => {
                        let found = self.schema.violation(*node, &value, &mut self.steps);
                        if let Some(found) = found.filter(is_certain) {
                            return self.refuse(depth, "propertyNames", &found.expected, &found.found);
                        }
                    }
                    _ => {}
                }
            }
            if let (Some(node), true) = (additional, before == self.next.len()) {
                self.next.push(node);
            }
        }
        if self.schema.has_never(&self.next) {
            self.refuse(depth, "additionalProperties", "no such property", &violation::quoted(name));
        }
    }

    /// A string's next byte.
    fn letter(&mut self, byte: u8) {
        let depth = self.open.len().saturating_sub(1);
        let Some(open) = self.open.last_mut() else { return };
        if !open.first.is_listed {
            return;
        }
        let at = open.bytes;
        open.bytes += 1;
        self.steps += open.first.places.len();
        keep(&mut open.first.places, &|place| place.text(&self.schema).as_bytes().get(at) == Some(&byte));
        if open.first.places.is_empty() {
            self.refuse(depth, "enum", "a string that is allowed", "another one");
        }
    }

    fn is_spent(&self) -> bool {
        self.steps > STEPS + STEPS_A_BYTE * self.text.len()
    }

    fn not_json(&mut self, at: usize) {
        let found = self.text.get(at..).and_then(|rest| rest.chars().next());
        let found = found.map_or("the end".to_owned(), |found| violation::quoted(found.encode_utf8(&mut [0; 4])));
        self.refuse(self.open.len(), "json", self.syntax.expected(), &found);
    }

    /// The first refusal counts.
    fn refuse(&mut self, depth: usize, keyword: &'static str, expected: &str, found: &str) {
        if self.failed.is_empty() {
            self.failed.push(Violation {
                at: self.path(depth),
                keyword,
                expected: expected.to_owned(),
                found: found.to_owned(),
            });
        }
    }

    /// The JSON pointer of the value within so many.
    fn path(&self, depth: usize) -> String {
        let mut path = String::new();
        for open in self.open.iter().take(depth).filter(|open| open.count > 0) {
            match open.kind {
                Kind::Object => violation::step(&mut path, &open.name),
                Kind::Array => violation::step(&mut path, &(open.count - 1).to_string()),
                _ => {}
            }
        }
        path
    }
}

/// Whether this is no answer of a check that ran out of steps: the root's check has more, and may come to its end.
fn is_certain(found: &Violation) -> bool {
    found.keyword != "schema"
}
