//! Gemini's signature of a call where it is spoken to in Chat Completions: `extra_content.google.thought_signature`, in the call
//! (<https://ai.google.dev/gemini-api/docs/thought-signatures>). From Gemini 3 on, a turn whose first call has none is a 400.

use serde_json::{Value, json};

use crate::chat::{Object, Origin, Seal};
use crate::dialect::gemini;
use crate::quirk::{Quirks, Thoughts};

pub(super) const MEMBER: &str = "extra_content";

/// What `extra_content` holds.
pub(super) fn read(content: Option<&Value>) -> Option<Seal> {
    let signature = content?.get("google")?.get("thought_signature")?.as_str()?;
    (!signature.is_empty()).then(|| Seal::new(Origin::Gemini, signature))
}

/// Whether a target wants it back. Others know nothing of it, and some refuse it; `OpenRouter` has it in `reasoning_details`.
fn is_wanted(quirks: Quirks, model: &str) -> bool {
    quirks.knows.contains(&MEMBER) || model.contains("gemini") && quirks.thoughts != Thoughts::Details
}

/// Whether it must be there.
pub(super) fn is_missed(quirks: Quirks, model: &str) -> bool {
    is_wanted(quirks, model) && gemini::must_sign(model)
}

/// Signs a call of a turn, of which the first must be signed: where it was made elsewhere, what is documented for that stands for a signature. Takes a
/// signature out for who refuses it. Whether there was anything to do.
pub(super) fn write(call: &mut Object, seal: Option<&Seal>, is_first: bool, quirks: Quirks, model: &str) -> bool {
    if quirks.lacks(MEMBER) {
        return call.shift_remove(MEMBER).is_some();
    }
    if !is_wanted(quirks, model) || call.contains_key(MEMBER) {
        return false;
    }
    let own = seal.filter(|seal| seal.origin == Origin::Gemini).map(|seal| seal.data.as_str());
    let signature = own.or_else(|| (is_first && gemini::must_sign(model)).then_some(gemini::NO_SIGNATURE));
    if let Some(signature) = signature {
        call.insert(MEMBER.to_owned(), json!({ "google": { "thought_signature": signature } }));
    }
    signature.is_some()
}
