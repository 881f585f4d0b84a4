//! Secrets that cannot be printed by mistake.
//!
//! A key that gets into a log or an error message has to be revoked. So a [`Secret`] has no `Display` and no `Serialize`, its `Debug` shows
//! nothing, and whoever needs the text has to write [`Secret::expose`], which a reader can search for.

use std::fmt;
use std::rc::Rc;

pub(crate) use breakwater_scan::canonical::hex;
use sha2::{Digest, Sha256};

/// A text that only [`Secret::expose`] shows.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for a request's header field and nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The first eight hexadecimal digits of its SHA-256: enough to notice that a secret has changed, and far too little to find it by.
    #[must_use]
    pub fn digest8(&self) -> String {
        hex(Sha256::digest(&self.0).get(..4).unwrap_or_default())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What must not be told of a provider: its keys, and its address. Each has what stands in its place.
///
/// A copy is cheap.
#[derive(Clone, Debug, Default)]
pub struct Hidden(Rc<[(Secret, &'static str)]>);

/// Shorter texts are left alone: replacing them would spoil a message, and no provider's key is that short.
const SHORTEST: usize = 8;

const A_KEY: &str = "(a key)";
const AN_ADDRESS: &str = "(the provider's address)";

impl Hidden {
    /// Hides all keys of a provider, as they are and as a string in JSON has them, and its address: its URL, origin, host with port, and host. Where
    /// the address is one that everybody knows (`public`), only its URL: its host is where the provider's own pages are, to which messages refer.
    pub fn new<'a>(keys: impl Iterator<Item = &'a Secret>, url: &str, public: bool) -> Self {
        let mut texts: Vec<(String, &'static str)> = Vec::new();
        for Secret(key) in keys.filter(|key| key.0.len() >= SHORTEST) {
            let escaped = serde_json::Value::from(key.as_str()).to_string();
            texts.push((escaped.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned(), A_KEY));
            texts.push((key.clone(), A_KEY));
        }
        let host_from = url.find("://").map_or(0, |colon| colon + "://".len());
        let path_from = url.get(host_from..).and_then(|rest| rest.find('/')).map_or(url.len(), |slash| host_from + slash);
        let mut address = |text: Option<&str>| texts.push((text.unwrap_or_default().to_owned(), AN_ADDRESS));
        address(Some(url));
        if !public {
            address(url.get(..path_from));
            let authority = url.get(host_from..path_from).unwrap_or_default();
            // A name without a dot, such as `ollama`, is a word as well, and no address by itself.
            let (host, _) = authority.rsplit_once(':').filter(|_| !authority.ends_with(']')).unwrap_or((authority, ""));
            address((host.len() < authority.len()).then_some(authority));
            address(host.contains(['.', ':']).then_some(host));
        }
        texts.retain(|(text, _)| !text.is_empty());
        // A longer text first, as a shorter one may be part of it.
        texts.sort_unstable_by(|(one, _), (other, _)| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        texts.dedup();
        Self(texts.into_iter().map(|(text, instead)| (Secret(text), instead)).collect())
    }

    /// A provider's text without what must not be told.
    #[must_use]
    pub fn taken_out_of(&self, mut text: String) -> String {
        for (Secret(hidden), instead) in self.0.iter() {
            if *instead == A_KEY {
                if text.contains(hidden.as_str()) {
                    text = text.replace(hidden.as_str(), instead);
                }
            } else if let Some(without) = without_address(&text, hidden) {
                text = without;
            }
        }
        text
    }
}

/// A text without an address, in whatever case; none where it is not in it. An address ends where its name does: `a.example` stands in neither
/// `docs.a.example` nor `a.example.org`.
fn without_address(text: &str, address: &str) -> Option<String> {
    let (bytes, sought) = (text.as_bytes(), address.as_bytes());
    let part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let stands_at = |at: usize| {
        let (before, after) =
            (at.checked_sub(1).and_then(|at| bytes.get(at)), bytes.get(at + sought.len()..).unwrap_or_default());
        let goes_on = part(after.first()) || after.first() == Some(&b'.') && part(after.get(1));
        !part(before) && before != Some(&b'.') && !goes_on
    };
    let (mut without, mut from) = (None::<String>, 0);
    for (at, window) in bytes.windows(sought.len().max(1)).enumerate() {
        if at >= from && window.eq_ignore_ascii_case(sought) && stands_at(at) {
            let without = without.get_or_insert_default();
            without.push_str(text.get(from..at).unwrap_or_default());
            without.push_str(AN_ADDRESS);
            from = at + sought.len();
        }
    }
    let mut without = without?;
    without.push_str(text.get(from..).unwrap_or_default());
    Some(without)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_shown() {
        let secret = Secret::new("sk-very-secret");
        assert_eq!(format!("{secret:?} {:#?}", Some(&secret)), "Secret(…) Some(\n    Secret(…),\n)");
        assert_eq!(secret.expose(), "sk-very-secret");
    }

    #[test]
    fn a_digest_tells_secrets_apart() {
        // From FIPS 180-2, appendix B.1: SHA-256("abc") = ba7816bf 8f01cfea …
        assert_eq!(Secret::new("abc").digest8(), "ba7816bf");
        assert_ne!(Secret::new("abd").digest8(), Secret::new("abc").digest8());
    }

    #[test]
    fn quoted_keys_are_taken_out() {
        let text = "Incorrect API key provided: sk-12345678, sk-12345678-b. Check your key.";
        let rows: [(&str, &[&str], &str); 5] = [
            ("the key", &["sk-12345678"], "Incorrect API key provided: (a key), (a key)-b. Check your key."),
            (
                "the longer one first",
                &["sk-12345678", "sk-12345678-b"],
                "Incorrect API key provided: (a key), (a key). Check your key.",
            ),
            ("too short", &["key"], text),
            ("another", &["sk-other-key"], text),
            ("none", &[], text),
        ];
        for (name, keys, clean) in rows {
            let keys: Vec<Secret> = keys.iter().copied().map(Secret::new).collect();
            assert_eq!(Hidden::new(keys.iter(), "", false).taken_out_of(text.to_owned()), clean, "{name}");
        }
    }

    #[test]
    fn addresses_are_taken_out() {
        let at = AN_ADDRESS;
        let rows: [(&str, &str, String); 10] = [
            ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1/models, 127.0.0.1:8000", format!("{at}/models, {at}")),
            ("http://127.0.0.1:8000/v1", "127.0.0.1:80001 or 127.0.0.10", format!("{at}:80001 or 127.0.0.10")),
            ("http://[::1]:8080", "connect to [::1]:8080 failed, [::1]", format!("connect to {at} failed, {at}")),
            ("http://ollama:11434/v1", "ollama: is ollama:11434 up?", format!("ollama: is {at} up?")),
            ("https://a.example", "grüße from https://a.example/x", format!("grüße from {at}/x")),
            ("https://a.example/v1", "a.example, é a.example", format!("{at}, é {at}")),
            (
                "https://a.example/v1",
                "docs.a.example a.example.org a.example-b",
                "docs.a.example a.example.org a.example-b".into(),
            ),
            ("https://A.example/v1", "https://a.EXAMPLE/V1.", format!("{at}.")),
            ("https://a.example/v1", "", String::new()),
            ("", "a.example", "a.example".into()),
        ];
        for (url, text, clean) in rows {
            assert_eq!(Hidden::new([].iter(), url, false).taken_out_of(text.to_owned()), clean, "{url}: {text}");
        }
    }
}
