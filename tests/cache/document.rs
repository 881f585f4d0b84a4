//! JSON documents whose numbers are texts, and the many ways to spell each of them.

use proptest::prelude::*;

/// A JSON value. An object's names are all different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Document {
    Word(String),
    Text(String),
    Array(Vec<Document>),
    Object(Vec<(String, Document)>),
}

/// Any document: small, deep rather than wide, with names and texts that meet often.
pub(crate) fn any_document() -> impl Strategy<Value = Document> {
    let leaf = prop_oneof![word().prop_map(Document::Word), text().prop_map(Document::Text)];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Document::Array),
            prop::collection::btree_map(text(), inner, 0..4)
                .prop_map(|members| Document::Object(members.into_iter().collect())),
        ]
    })
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|word| word.to_string()),
        // Integers far beyond 64 bits, a few digits apart.
        "-?(0|[1-9][0-9]{0,2}|1844674407370955161[0-9]{1,8})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[abu{}\\[\\]:,\" \\\\]{0,3}", "[\u{0}-\u{1f}aé模😀/]{0,3}", Just("user".to_owned()), Just("null".to_owned())]
}

/// Draws from a seed, so that a failing one can be printed and used again.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

impl Document {
    /// The document spelled somehow: members in any order, any white space, any escapes.
    pub(crate) fn spelled(&self, dice: &mut Dice) -> String {
        let mut text = String::new();
        self.write(&mut text, dice);
        text
    }

    fn write(&self, text: &mut String, dice: &mut Dice) {
        space(text, dice);
        match self {
            Self::Word(word) => text.push_str(word),
            Self::Text(value) => quote(value, text, dice),
            Self::Array(elements) => {
                text.push('[');
                for (at, element) in elements.iter().enumerate() {
                    text.push_str(if at == 0 { "" } else { "," });
                    element.write(text, dice);
                }
                space(text, dice);
                text.push(']');
            }
            Self::Object(members) => {
                text.push('{');
                let mut left: Vec<_> = members.iter().collect();
                while !left.is_empty() {
                    let (name, value) = left.remove(dice.roll(left.len()));
                    space(text, dice);
                    quote(name, text, dice);
                    space(text, dice);
                    text.push(':');
                    value.write(text, dice);
                    text.push_str(if left.is_empty() { "" } else { "," });
                }
                space(text, dice);
                text.push('}');
            }
        }
        space(text, dice);
    }

    /// The document with one thing in it changed, which may come to the same document.
    pub(crate) fn changed(&self, other: &Self, dice: &mut Dice) -> Self {
        let inside = |count: usize, dice: &mut Dice| (count > 0 && dice.roll(4) > 0).then(|| dice.roll(count));
        match self {
            Self::Array(elements) => {
                let mut elements = elements.clone();
                match (inside(elements.len(), dice), dice.roll(4)) {
                    (Some(at), 0) => drop(elements.remove(at)),
                    (Some(at), 1) => elements.swap(0, at),
                    (Some(at), 2) => elements = vec![Self::Array(elements.split_off(at)), Self::Array(elements)],
                    (Some(at), _) => elements[at] = elements[at].changed(other, dice),
                    (None, 0) => elements.push(other.clone()),
                    (None, _) => return other.clone(),
                }
                Self::Array(elements)
            }
            Self::Object(members) => {
                let mut members = members.clone();
                match (inside(members.len(), dice), dice.roll(4)) {
                    (Some(at), 0) => drop(members.remove(at)),
                    (Some(at), 1) => members[at].0.push('x'),
                    (Some(at), _) => members[at].1 = members[at].1.changed(other, dice),
                    (None, 0) => members.push(("a name of its own".to_owned(), other.clone())),
                    (None, _) => return other.clone(),
                }
                members.dedup_by(|(one, _), (other, _)| one == other);
                Self::Object(members)
            }
            Self::Word(word) if dice.roll(2) == 0 => Self::Text(word.clone()),
            Self::Word(_) | Self::Text(_) => other.clone(),
        }
    }

    /// The document with its members sorted: equal documents are the same thing.
    pub(crate) fn sorted(&self) -> Self {
        match self {
            Self::Array(elements) => Self::Array(elements.iter().map(Self::sorted).collect()),
            Self::Object(members) => {
                let mut members: Vec<_> = members.iter().map(|(name, value)| (name.clone(), value.sorted())).collect();
                members.sort_by(|(one, _), (other, _)| one.cmp(other));
                Self::Object(members)
            }
            other => other.clone(),
        }
    }
}

fn space(text: &mut String, dice: &mut Dice) {
    text.push_str(["", "", " ", "\n\t", "\r\n"][dice.roll(5)]);
}

fn quote(value: &str, text: &mut String, dice: &mut Dice) {
    text.push('"');
    for char in value.chars() {
        let short = match char {
            '"' => Some("\\\""),
            '\\' => Some("\\\\"),
            '/' => Some("\\/"),
            '\n' => Some("\\n"),
            '\r' => Some("\\r"),
            '\t' => Some("\\t"),
            '\u{8}' => Some("\\b"),
            '\u{c}' => Some("\\f"),
            _ => None,
        };
        match (short, dice.roll(3)) {
            (Some(short), 0) => text.push_str(short),
            (_, 1) if char >= ' ' && char != '"' && char != '\\' => text.push(char),
            (_, way) => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    text.push_str(&if way == 0 { format!("\\u{unit:04x}") } else { format!("\\u{unit:04X}") });
                }
            }
        }
    }
    text.push('"');
}
