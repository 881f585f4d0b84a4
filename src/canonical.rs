//! A request's canonical form, and the cache key that is made of it.
//!
//! Two spellings of the same request must meet, and two different requests never: a collision would give one client another one's
//! answer. So members are sorted and strings compared by value, while a number counts by its text: decoding it would make one of all
//! integers that a 64-bit float cannot tell apart. A request that holds a name twice in one object has no one meaning and no key.
//!
//! Left out, at the top level only, is what does not shape the answer: how it is delivered (`stream`, `stream_options`), whom it is
//! for (`user`, `metadata`), how it is kept and billed at the provider (`store`, `service_tier`), and the model names, for which the
//! resolved route stands.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// What does not shape an answer.
const LEFT_OUT: [&str; 8] = ["stream", "stream_options", "user", "metadata", "store", "service_tier", "model", "models"];

/// Changes whenever the canonical form or the stored form does, so that no old entry is misread.
const VERSION: &str = "breakwater-cache-v1";

/// A cache key: `c1:` and 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// The key's text, within KV's 512 bytes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The key of a request: whose it is, where it may go, what the route makes of answers, and what it asks for. None where the body has no
/// canonical form.
#[must_use]
#[inline(never)]
pub fn key(tenant: &str, scope: &[String], shape: &[String], body: &str) -> Option<Key> {
    let mut hash = Sha256::new();
    framed(&mut hash, VERSION);
    framed(&mut hash, tenant);
    for list in [scope, shape] {
        framed(&mut hash, &list.len().to_string());
        for part in list {
            framed(&mut hash, part);
        }
    }
    let members: Members<'_> = serde_json::from_str(body).ok()?;
    hash.update(b"{");
    for (name, raw) in members.0.iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str())) {
        framed(&mut hash, name);
        value(&mut hash, raw)?;
    }
    hash.update(b"}");
    Some(Key(format!("c1:{}", hex(&hash.finalize()))))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// A text that cannot be mistaken for two, or for a part of another.
fn framed(hash: &mut Sha256, text: &str) {
    hash.update(b"s");
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}

fn value(hash: &mut Sha256, raw: &RawValue) -> Option<()> {
    let text = raw.get();
    match text.as_bytes().first()? {
        b'{' => {
            let members: Members<'_> = serde_json::from_str(text).ok()?;
            hash.update(b"{");
            for (name, raw) in &members.0 {
                framed(hash, name);
                value(hash, raw)?;
            }
            hash.update(b"}");
        }
        b'[' => {
            let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            hash.update(b"[");
            for raw in elements {
                value(hash, raw)?;
            }
            hash.update(b"]");
        }
        b'"' => framed(hash, &serde_json::from_str::<String>(text).ok()?),
        b't' | b'f' | b'n' => hash.update(text.as_bytes().get(..1)?),
        _ => {
            hash.update(b"#");
            framed(hash, text);
        }
    }
    Some(())
}

/// An object's members, sorted; an error where a name is there twice.
struct Members<'a>(BTreeMap<String, &'a RawValue>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Sorted;
        impl<'de> Visitor<'de> for Sorted {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, raw)) = map.next_entry::<String, &'de RawValue>()? {
                    if members.insert(name, raw).is_some() {
                        return Err(A::Error::custom("a name is there twice"));
                    }
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Sorted)
    }
}
