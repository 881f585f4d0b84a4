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

use self::first::{First, Missing, Place};
use self::syntax::{Event, Kind, Syntax};
use crate::Schema;
use crate::node::{Id, Node, Rule};
use crate::violation::{self, Violation};

/// The longest text that is kept, as for answers that are not streams.
const LONGEST: usize = 10 << 20;

/// Violations that the end says.
const MOST: usize = 8;

/// What a text may cost: so much, and so much for each of its bytes. Beyond it only the grammar is checked, until the end.
const STEPS: usize = 1_000_000;
const STEPS_A_BYTE: usize = 16;

/// How many bytes of closed values are read again for each byte of the text: a value is read for each one around it that needs a full check.
const REREAD: usize = 16;

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
    string: Watched,
    /// Where the name that is being read begins.
    name: usize,
    steps: usize,
    reread: usize,
    failed: Vec<Violation>,
}

/// A value whose end has not come.
#[derive(Debug)]
struct Open {
    kind: Kind,
    from: usize,
    /// The nodes that it must be valid against.
    nodes: Vec<Id>,
    /// Those of them that have to see it whole.
    close: Vec<Id>,
    missing: Vec<Missing>,
    /// Items and members that have begun.
    count: u64,
    /// The last member's.
    name: String,
}

/// The string that is being read.
#[derive(Debug, Default)]
struct Watched {
    /// In characters.
    length: u64,
    most: u64,
    /// In bytes, of its text without escapes.
    bytes: usize,
    /// Strings that it can still become, if it must be one of some.
    candidates: Option<Vec<Place>>,
}

impl Prefix {
    /// The check of a text that has not begun.
    pub fn new(schema: Rc<Schema>) -> Prefix {
        let next = vec![schema.root];
        Prefix {
            schema,
            text: String::new(),
            syntax: Syntax::new(),
            open: Vec::new(),
            next,
            string: Watched::default(),
            name: 0,
            steps: 0,
            reread: 0,
            failed: Vec::new(),
        }
    }

    /// The text goes on. After an error it is the same one for ever.
    pub fn feed(&mut self, text: &str) -> Result<(), Violation> {
        if self.failed.is_empty() {
            let from = self.text.len();
            self.text.push_str(text);
            if self.text.len() > LONGEST {
                self.failed = self.refusal(0, "json", "at most 10 MB".to_owned(), "more".to_owned());
            }
            for (at, byte) in (from..).zip(text.bytes()) {
                if !self.failed.is_empty() {
                    break;
                }
                self.failed = self.byte(byte, at).err().unwrap_or_default();
            }
        }
        self.failed.first().map_or(Ok(()), |first| Err(first.clone()))
    }

    /// The text has ended.
    pub fn end(&mut self) -> Result<(), Vec<Violation>> {
        if self.failed.is_empty() && self.syntax.stop() {
            self.failed = self.closed(self.text.len()).err().unwrap_or_default();
        }
        if self.failed.is_empty() && !self.syntax.is_done() {
            self.failed = self.not_json(self.text.len());
        }
        if self.failed.is_empty() { Ok(()) } else { Err(self.failed.clone()) }
    }

    fn byte(&mut self, byte: u8, at: usize) -> Result<(), Vec<Violation>> {
        let Some(event) = self.syntax.next(byte) else { return Err(self.not_json(at)) };
        match event {
            Event::Nothing => Ok(()),
            Event::Opened(kind) => self.opened(kind, at),
            Event::Closed => self.closed(at + 1),
            Event::Ended => {
                self.closed(at)?;
                self.byte(byte, at)
            }
            Event::Name => {
                self.name = at;
                if self.open.last().is_some_and(|object| object.count == 0) { self.another() } else { Ok(()) }
            }
            Event::Named => self.named(at + 1),
            Event::Comma => self.another(),
            // A character's first byte: those that follow begin with the bits 10.
            Event::Byte(byte) if byte & 0xc0 == 0x80 => self.letter(byte),
            Event::Byte(byte) => self.longer().and_then(|()| self.letter(byte)),
            Event::Escape => self.longer(),
            Event::Escaped(character) => character.encode_utf8(&mut [0; 4]).bytes().try_for_each(|byte| self.letter(byte)),
        }
    }

    /// A value begins.
    fn opened(&mut self, kind: Kind, from: usize) -> Result<(), Vec<Violation>> {
        if self.open.last().is_some_and(|parent| parent.kind == Kind::Array && parent.count == 0) {
            self.another()?;
        }
        let mut first = First::default();
        let next = std::mem::take(&mut self.next);
        if !self.is_spent()
            && let Err((keyword, expected)) = first.read(&self.schema, next, kind, &mut self.steps)
        {
            return Err(self.refusal(self.open.len(), keyword, expected, first::named(kind).to_owned()));
        }
        self.string = Watched { length: 0, most: first.most, bytes: 0, candidates: first.candidates };
        self.open.push(Open {
            kind,
            from,
            nodes: first.nodes,
            close: first.close,
            missing: first.missing,
            count: 0,
            name: String::new(),
        });
        Ok(())
    }

    /// A value has ended before `end`.
    fn closed(&mut self, end: usize) -> Result<(), Vec<Violation>> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let (depth, is_root) = (self.open.len(), self.open.is_empty());
        if !is_root {
            self.counted(&open, depth)?;
        }
        let text = self.text.get(open.from..end).unwrap_or_default();
        let mut close = open.close;
        if self.schema.is_dynamic || self.is_spent() || self.reread + text.len() > REREAD * self.text.len() {
            close.clear();
        }
        // Numbers can be too large.
        if !is_root && close.is_empty() && open.kind != Kind::Number {
            return Ok(());
        }
        let Ok(value) = serde_json::from_str::<Value>(text) else {
            return Err(self.refusal(depth, "json", "a number that a double can hold".to_owned(), violation::cut(text)));
        };
        if is_root {
            return self.schema.check(&value, MOST);
        }
        self.reread += text.len();
        for id in close {
            if let Some(mut found) = self.schema.violation(id, &value) {
                found.at = self.path(depth) + &found.at;
                return Err(vec![found]);
            }
        }
        Ok(())
    }

    /// Whether an array or object that has ended had all that it must.
    fn counted(&self, open: &Open, depth: usize) -> Result<(), Vec<Violation>> {
        if let Some(missing) = open.missing.first() {
            let expected = format!("the property {}", violation::quoted(first::name(&self.schema, *missing)));
            return Err(self.refusal(depth, "required", expected, "none of that name".to_owned()));
        }
        for id in &open.nodes {
            for rule in self.schema.rules(*id) {
                let (keyword, least) = match (rule, open.kind) {
                    (Rule::MinItems(least), Kind::Array) => ("minItems", *least),
                    (Rule::MinProperties(least), Kind::Object) => ("minProperties", *least),
                    _ => continue,
                };
                if open.count < least {
                    return Err(self.refusal(depth, keyword, format!("at least {least}"), open.count.to_string()));
                }
            }
        }
        Ok(())
    }

    /// Another item or member must come: may it, and what must an item be?
    fn another(&mut self) -> Result<(), Vec<Violation>> {
        let depth = self.open.len().saturating_sub(1);
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        let before = usize::try_from(open.count).unwrap_or(usize::MAX);
        open.count += 1;
        let (kind, count) = (open.kind, open.count);
        self.next.clear();
        for id in &open.nodes {
            for rule in self.schema.rules(*id) {
                self.steps += 1;
                let item = match (rule, kind) {
                    (Rule::MaxItems(most), Kind::Array) if count > *most => {
                        return Err(self.refusal(depth, "maxItems", format!("at most {most}"), format!("item {count}")));
                    }
                    (Rule::MaxProperties(most), Kind::Object) if count > *most => {
                        return Err(self.refusal(
                            depth,
                            "maxProperties",
                            format!("at most {most}"),
                            format!("property {count}"),
                        ));
                    }
                    (Rule::Prefix(nodes), Kind::Array) => nodes.get(before),
                    (Rule::Items { from, node }, Kind::Array) if before >= *from => Some(node),
                    _ => None,
                };
                let Some(item) = item else { continue };
                if matches!(self.schema.nodes.get(*item), Some(Node::Never)) {
                    return Err(self.refusal(depth, "items", format!("at most {before}"), format!("item {count}")));
                }
                self.next.push(*item);
            }
        }
        Ok(())
    }

    /// A name has ended before `end`.
    fn named(&mut self, end: usize) -> Result<(), Vec<Violation>> {
        let depth = self.open.len().saturating_sub(1);
        let (spent, dynamic) = (self.is_spent(), self.schema.is_dynamic);
        let Ok(Value::String(name)) = serde_json::from_str(self.text.get(self.name..end).unwrap_or_default()) else {
            return Err(self.not_json(end));
        };
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        self.next.clear();
        self.steps += open.missing.len();
        open.missing.retain(|missing| first::name(&self.schema, *missing) != name);
        open.name.clone_from(&name);
        if spent {
            return Ok(());
        }
        let value = Value::String(name);
        let name = value.as_str().unwrap_or_default();
        for id in &open.nodes {
            let (mut known, mut additional) = (false, None);
            let from = self.next.len();
            for rule in self.schema.rules(*id) {
                self.steps += 1;
                match rule {
                    Rule::Properties(all) => {
                        self.steps += all.len();
                        self.next.extend(all.iter().filter(|(known, _)| known == name).map(|(_, node)| *node));
                    }
                    // Too far to look: whose name it is stays open.
                    Rule::PatternProperties(all) if all.len() * name.len() > first::FAR => known = true,
                    Rule::PatternProperties(all) => {
                        self.steps += all.len() * name.len();
                        self.next.extend(all.iter().filter(|(pattern, _)| pattern.is_match(name)).map(|(_, node)| *node));
                    }
                    Rule::AdditionalProperties(node) => additional = Some(*node),
                    Rule::PropertyNames(node) if !dynamic => {
                        if let Some(found) = self.schema.violation(*node, &value) {
                            return Err(self.refusal(depth, "propertyNames", found.expected, found.found));
                        }
                    }
                    _ => {}
                }
            }
            known |= self.next.len() > from;
            if !known {
                self.next.extend(additional);
            }
            if self
                .next
                .get(from..)
                .is_some_and(|nodes| nodes.iter().any(|id| matches!(self.schema.nodes.get(*id), Some(Node::Never))))
            {
                let keyword = if known { "properties" } else { "additionalProperties" };
                return Err(self.refusal(depth, keyword, "no such property".to_owned(), violation::quoted(name)));
            }
        }
        Ok(())
    }

    /// A string is a character longer.
    fn longer(&mut self) -> Result<(), Vec<Violation>> {
        self.string.length += 1;
        let most = self.string.most;
        if self.string.length <= most {
            return Ok(());
        }
        Err(self.refusal(self.open.len() - 1, "maxLength", format!("at most {most} characters"), "more".to_owned()))
    }

    /// A string's next byte.
    fn letter(&mut self, byte: u8) -> Result<(), Vec<Violation>> {
        let Some(candidates) = &mut self.string.candidates else { return Ok(()) };
        let at = self.string.bytes;
        self.string.bytes += 1;
        self.steps += candidates.len();
        candidates.retain(|place| place.text(&self.schema).as_bytes().get(at) == Some(&byte));
        if !candidates.is_empty() {
            return Ok(());
        }
        Err(self.refusal(self.open.len() - 1, "enum", "one of those allowed".to_owned(), "another string".to_owned()))
    }

    fn is_spent(&self) -> bool {
        self.steps > STEPS + STEPS_A_BYTE * self.text.len()
    }

    fn not_json(&self, at: usize) -> Vec<Violation> {
        let found = self.text.get(at..).and_then(|rest| rest.chars().next());
        let found = found.map_or("the end".to_owned(), |found| violation::quoted(found.encode_utf8(&mut [0; 4])));
        self.refusal(self.open.len(), "json", format!("JSON: {}", self.syntax.expected()), found)
    }

    fn refusal(&self, depth: usize, keyword: &'static str, expected: String, found: String) -> Vec<Violation> {
        vec![Violation { at: self.path(depth), keyword, expected, found }]
    }

    /// The JSON pointer of the value within so many.
    fn path(&self, depth: usize) -> String {
        let mut path = String::new();
        for open in self.open.iter().take(depth).filter(|open| open.count > 0) {
            path.push('/');
            if open.kind == Kind::Object {
                path.push_str(&open.name.replace('~', "~0").replace('/', "~1"));
            } else {
                path.push_str(&(open.count - 1).to_string());
            }
        }
        path
    }
}
