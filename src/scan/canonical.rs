//! A request's canonical form, and the cache key that is made of it.
//!
//! A cache that takes two requests for the same gives one of them the other's answer, and nobody notices. So the invariant has
//! two sides, and the first one goes before the second: two requests that may mean different things never share a key, and two
//! spellings of one request do.
//!
//! - Members of objects are sorted, at every level; elements of arrays keep their order; white space is nothing.
//! - Strings, names included, count by value: `"\u0041"` is `"A"`. No Unicode normalisation: a model is shown the characters
//!   themselves.
//! - Numbers count by their spelling. Decoded, they would be 64-bit floats, of which 2^64 and 2^64 + 1 are the same one. The
//!   price is that `1`, `1.0` and `1e0` differ, and some providers do tell them apart: one that wants an integer refuses `1.0`.
//! - What has no one meaning has no key, and is not cached: an object that holds a name twice, of which parsers take the first,
//!   the last or neither, and a string with half a surrogate pair.
//!
//! Left out, at the top level only, is what does not shape the answer: how it is delivered (`stream`, `stream_options`), whom
//! it is for (`user`, `metadata`), how it is kept and billed at the provider (`store`, `service_tier`), and the client's names
//! for the model, for which stands what they were resolved to.
//!
//! The form is never written down: it is fed to SHA-256 as a sequence of tagged parts, each with its length or its end, so that
//! no two sequences come to the same bytes.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// What does not shape an answer.
const LEFT_OUT: [&str; 8] = ["stream", "stream_options", "user", "metadata", "store", "service_tier", "model", "models"];

/// What is hashed first. It keeps these keys apart from any other digest of the same bytes, and changes whenever the canonical
/// form or the stored one does, so that no old entry is misread.
const DOMAIN: &str = "breakwater chat.completion v1";

/// A key's first characters, for people who look into the storage.
const PREFIX: &str = "v1:";

/// The deepest nesting that is followed. Requests are refused beyond it before they come here; what guards the stack stands
/// beside the recursion all the same.
const MAX_DEPTH: usize = 128;

/// The most values that a request may hold. Each takes some 50 bytes while the key is made, so that a body of 10 MiB that is
/// nothing but zeros would take all of an isolate's memory; honest requests hold a few thousand.
const MAX_VALUES: usize = 256 * 1024;

/// A cache key: `v1:` and 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// The key's text, within KV's 512 bytes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The key of a request. None where the body has no canonical form: it is not cached then.
///
/// - `tenant`: whose it is; tenants never share an entry.
/// - `scope`: what the client's names were resolved to, in order: routes, or targets that were named directly.
/// - `shape`: what else the configuration decides about answers: the targets in order, and the fields that are set for them.
///   Nothing that only decides when and how often they are asked, so that an edit of a timeout keeps the cache.
/// - `body`: the request as the client sent it.
#[must_use]
pub fn key(tenant: &str, scope: &[String], shape: &[String], body: &str) -> Option<Key> {
    let Node::Object(members) = parse(body)? else { return None };
    let mut hash = Sha256::new();
    sized(&mut hash, *b"s", DOMAIN);
    sized(&mut hash, *b"s", tenant);
    for list in [scope, shape] {
        hash.update(b"[");
        for part in list {
            sized(&mut hash, *b"s", part);
        }
        hash.update(b"]");
    }
    object(&mut hash, members.iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_ref())));
    Some(Key(format!("{PREFIX}{}", hex(&hash.finalize()))))
}

/// A text that cannot be mistaken for two, or for a part of another.
fn sized(hash: &mut Sha256, tag: [u8; 1], text: &str) {
    hash.update(tag);
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}

fn value(hash: &mut Sha256, node: &Node<'_>) {
    match node {
        Node::Object(members) => object(hash, members.iter()),
        Node::Array(elements) => {
            hash.update(b"[");
            for element in elements {
                value(hash, element);
            }
            hash.update(b"]");
        }
        Node::Text(text) => sized(hash, *b"s", text),
        Node::Word(word) => sized(hash, *b"w", word),
    }
}

fn object<'a>(hash: &mut Sha256, members: impl Iterator<Item = &'a Member<'a>>) {
    hash.update(b"{");
    for (name, node) in members {
        sized(hash, *b"s", name);
        value(hash, node);
    }
    hash.update(b"}");
}

type Member<'a> = (Cow<'a, str>, Node<'a>);

/// A JSON value, as far as it matters here.
enum Node<'a> {
    /// Members sorted by name, no name twice.
    Object(Vec<Member<'a>>),
    Array(Vec<Node<'a>>),
    Text(Cow<'a, str>),
    /// A number, `true`, `false` or `null`, as it is spelled.
    Word(&'a str),
}

/// The value that a JSON text has, if it has one.
fn parse(text: &str) -> Option<Node<'_>> {
    // The grammar is serde_json's to check; what it then decodes numbers to is why the values are found here and not there.
    let valid: &RawValue = serde_json::from_str(text).ok()?;
    Scanner { text: valid.get(), at: 0, left: MAX_VALUES }.node(MAX_DEPTH)
}

/// Walks once over a text that is known to be JSON.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// How many more values there may be.
    left: usize,
}

impl<'a> Scanner<'a> {
    fn node(&mut self, depth: usize) -> Option<Node<'a>> {
        self.left = self.left.checked_sub(1)?;
        match self.next_byte()? {
            b'{' => self.members(depth.checked_sub(1)?),
            b'[' => self.elements(depth.checked_sub(1)?),
            b'"' => self.string().map(Node::Text),
            _ => self.word().map(Node::Word),
        }
    }

    fn members(&mut self, depth: usize) -> Option<Node<'a>> {
        let mut members: Vec<Member<'a>> = Vec::new();
        self.at += 1;
        while self.goes_on(b'}')? {
            let name = self.string()?;
            self.goes_on(b':')?;
            members.push((name, self.node(depth)?));
        }
        members.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let twice = members.windows(2).any(|pair| matches!(pair, [(one, _), (other, _)] if one == other));
        (!twice).then_some(Node::Object(members))
    }

    fn elements(&mut self, depth: usize) -> Option<Node<'a>> {
        let mut elements = Vec::new();
        self.at += 1;
        while self.goes_on(b']')? {
            elements.push(self.node(depth)?);
        }
        Some(Node::Array(elements))
    }

    /// Steps over the white space and the comma before the next part. False, and behind it, where `end` stands instead.
    fn goes_on(&mut self, end: u8) -> Option<bool> {
        let mut byte = self.next_byte()?;
        if byte == b',' {
            self.at += 1;
            byte = self.next_byte()?;
        }
        if byte == end {
            self.at += 1;
        }
        Some(byte != end)
    }

    /// The string that begins here.
    fn string(&mut self) -> Option<Cow<'a, str>> {
        #[derive(Deserialize)]
        struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
        self.next_byte()?;
        let bytes = self.text.as_bytes();
        let mut end = self.at + 1;
        loop {
            end += memchr::memchr2(b'"', b'\\', bytes.get(end..)?)?;
            if bytes.get(end) == Some(&b'"') {
                break;
            }
            end += 2;
        }
        let quoted = self.text.get(self.at..=end)?;
        self.at = end + 1;
        serde_json::from_str::<Text<'a>>(quoted).ok().map(|text| text.0)
    }

    fn word(&mut self) -> Option<&'a str> {
        let rest = self.text.get(self.at..)?;
        let ends = |char: char| matches!(char, ',' | ']' | '}') || is_space(char);
        let (word, _) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
        self.at += word.len();
        Some(word)
    }

    /// The next byte that is not white space; the scanner stands before it.
    fn next_byte(&mut self) -> Option<u8> {
        let rest = self.text.get(self.at..)?;
        self.at += rest.len() - rest.trim_start_matches(is_space).len();
        self.text.as_bytes().get(self.at).copied()
    }
}

/// JSON's white space (RFC 8259, section 2).
const fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\n' | '\r')
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
