//! Secrets that cannot be printed by mistake.
//!
//! A key that gets into a log or an error message has to be revoked. So a [`Secret`] has no `Display` and no `Serialize`, its `Debug` shows
//! nothing, and whoever needs the text has to write [`Secret::expose`], which a reader can search for.

use std::fmt;

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

/// Shorter texts are left alone: replacing them would spoil a message, and no provider's key is that short.
const SHORTEST: usize = 8;

/// A provider's text without a secret that it quotes, as some do when they refuse a key.
#[must_use]
pub fn scrub(text: String, secret: &Secret) -> String {
    if secret.0.len() >= SHORTEST && text.contains(&secret.0) { text.replace(&secret.0, "(a key)") } else { text }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
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
        let text = || "Incorrect API key provided: sk-12345678, sk-12345678. Check your key.".to_owned();
        let clean = "Incorrect API key provided: (a key), (a key). Check your key.";
        assert_eq!(scrub(text(), &Secret::new("sk-12345678")), clean);
        assert_eq!([Secret::new("key"), Secret::new("sk-other-key")].map(|other| scrub(text(), &other)), [text(), text()]);
    }
}
