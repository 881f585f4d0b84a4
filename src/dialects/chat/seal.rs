//! What a provider signed or encrypted, on its way through a client and back.
//!
//! Reasoning models hand out thoughts with a signature, or in a form that only they can read, and want them back in the next turn, or refuse it. A
//! client that speaks another dialect has no field for that; it has fields, though, that it sends back as they are: a signature, an encrypted content, the
//! id of a tool call. There a foreign seal is written as [`TAG`], whose it is, and the data. Whoever reads a request tells it by the tag from one of the
//! dialect's own, and whoever writes one leaves out every seal that is not the provider's: a signature of another's is refused by all of them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What stands before a seal that is carried in another dialect's field.
const TAG: &str = "bw1";

/// What stands behind the letter of whose it is, where the thoughts are redacted: see [`Seal::carried_as`].
const REDACTED: &str = "x";

/// What stands there where the seal is of no thought, but of what was said before it: see [`Seal::carried_behind`].
const BEHIND: &str = "t";

/// Whose a seal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Anthropic's `signature`, and the data of `redacted_thinking`.
    Anthropic,
    /// Gemini's `thoughtSignature`.
    Gemini,
    /// Responses' `encrypted_content`, the item's id before it.
    Responses,
    /// `reasoning_details` of Chat Completions' (`OpenRouter`), as JSON.
    Chat,
}

impl Origin {
    const LETTERS: [(char, Self); 4] = [('a', Self::Anthropic), ('g', Self::Gemini), ('r', Self::Responses), ('c', Self::Chat)];

    fn letter(self) -> char {
        Self::LETTERS.iter().find(|(_, origin)| *origin == self).map_or('a', |(letter, _)| *letter)
    }

    fn of_letter(letter: char) -> Option<Self> {
        Self::LETTERS.iter().find(|(own, _)| *own == letter).map(|(_, origin)| *origin)
    }
}

/// Something that only its provider can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// Whose it is.
    pub origin: Origin,
    /// It, as the provider wrote it.
    pub data: String,
}

impl Seal {
    /// A provider's own.
    #[must_use]
    pub fn new(origin: Origin, data: impl Into<String>) -> Self {
        Self { origin, data: data.into() }
    }

    /// As it stands in a field where seals of `own` are at home.
    #[must_use]
    pub fn carried(&self, own: Origin) -> String {
        if self.origin == own { self.data.clone() } else { format!("{TAG}.{}.{}", self.origin.letter(), self.data) }
    }

    /// The same where the dialect has one word for thoughts that are shown and for those that are redacted: which of them it is stands in the seal.
    #[must_use]
    pub fn carried_as(&self, own: Origin, redacted: bool) -> String {
        let mut carried = self.carried(own);
        if redacted && self.origin != own {
            carried.insert_str(TAG.len() + 2, REDACTED);
        }
        carried
    }

    /// As it stands behind a text that it is of, in a thought of which there is nothing else: dialects have room for a seal there, and none on a text.
    #[must_use]
    pub fn carried_behind(&self) -> String {
        format!("{TAG}.{}{BEHIND}.{}", self.origin.letter(), self.data)
    }

    /// The seal of what was said before such a thought; none of any other thought.
    #[must_use]
    pub(crate) fn of_before(text: &str) -> Option<Self> {
        Self::marked(text).filter(|(_, mark)| *mark == BEHIND).map(|(seal, _)| seal)
    }

    /// What stands in such a field.
    #[must_use]
    pub fn read(text: String, own: Origin) -> Self {
        Self::read_as(text, own).0
    }

    /// What stands in such a field, and whether the thoughts are redacted.
    #[must_use]
    pub fn read_as(text: String, own: Origin) -> (Self, bool) {
        match Self::marked(&text) {
            Some((seal, "")) => (seal, false),
            Some((seal, REDACTED)) => (seal, true),
            _ => (Self::new(own, text), false),
        }
    }

    /// A seal that is carried through another dialect, and what is said of it behind the letter.
    fn marked(text: &str) -> Option<(Self, &str)> {
        let (letters, data) = text.strip_prefix(TAG)?.strip_prefix('.')?.split_once('.')?;
        let mut letters = letters.chars();
        let origin = letters.next().and_then(Origin::of_letter)?;
        Some((Self::new(origin, data), letters.as_str()))
    }

    /// Whether a field's text is a seal that is carried through a dialect that is not its own.
    #[must_use]
    pub fn is_foreign(text: &str) -> bool {
        text.strip_prefix(TAG).is_some_and(|rest| rest.starts_with('.'))
    }
}

/// What stands between a tool call's id and the seal in it.
const SEALED: &str = "_bw1";

/// A tool call's id as a client is told it: with the seal of the call in it, as every client sends ids back, and few of them anything else.
#[must_use]
pub fn seal_into_id(id: &str, seal: Option<&Seal>) -> String {
    match seal {
        Some(seal) => format!("{id}{SEALED}{}_{}", seal.origin.letter(), URL_SAFE_NO_PAD.encode(&seal.data)),
        None => id.to_owned(),
    }
}

/// The id and the seal that a client sent back; the id alone where there is none, or a damaged one.
#[must_use]
pub fn sealed_in_id(sealed: &str) -> (&str, Option<Seal>) {
    let Some((id, rest)) = sealed.split_once(SEALED) else { return (sealed, None) };
    let seal = rest.split_once('_').and_then(|(letter, data)| {
        let origin = letter.chars().next().and_then(Origin::of_letter)?;
        let data = String::from_utf8(URL_SAFE_NO_PAD.decode(data).ok()?).ok()?;
        Some(Seal { origin, data })
    });
    (id, seal)
}

/// A tool call's id without a seal in it.
#[must_use]
pub fn bare_id(sealed: &str) -> &str {
    sealed_in_id(sealed).0
}

/// Whether a text may hold something that only a translation put there: see [`crate::dialect`], which takes it out of bodies that pass through.
#[must_use]
pub(crate) fn may_be_in(body: &str) -> bool {
    memchr::memmem::find(body.as_bytes(), TAG.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_comes_back_from_a_field_of_any_dialect() {
        for (_, origin) in Origin::LETTERS {
            for (_, own) in Origin::LETTERS {
                for data in ["", "abc+/=", "bw1", "a.b.c", "{\"x\": 1}"] {
                    let seal = Seal::new(origin, data);
                    let carried = seal.carried(own);
                    assert_eq!(Seal::read(carried.clone(), own), seal, "{carried}");
                    assert_eq!(Seal::is_foreign(&carried), origin != own, "{carried}");
                    let behind = seal.carried_behind();
                    assert_eq!((Seal::is_foreign(&behind), Seal::of_before(&behind)), (true, Some(seal.clone())), "{behind}");
                    for redacted in [false, true] {
                        let carried = seal.carried_as(own, redacted);
                        assert_eq!(Seal::of_before(&carried), None, "{carried}");
                        assert_eq!(Seal::is_foreign(&carried), origin != own, "{carried}");
                        assert_eq!(Seal::read_as(carried, own), (seal.clone(), redacted && origin != own));
                    }
                }
            }
        }
    }

    #[test]
    fn a_seal_comes_back_from_an_id_of_letters_that_every_provider_takes() {
        let seal = Seal::new(Origin::Gemini, "EtwBCtkB+/x==");
        let id = seal_into_id("call_1", Some(&seal));
        assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)), "{id}");
        assert_eq!(sealed_in_id(&id), ("call_1", Some(seal)));
        assert_eq!(sealed_in_id("call_1"), ("call_1", None));
        assert_eq!(sealed_in_id("call_1_bw1g_!"), ("call_1", None), "a damaged seal is none");
        assert_eq!(sealed_in_id("call_1_bw1"), ("call_1", None));
    }
}
