//! One part of a candidate, read.

use serde_json::Value;

use crate::chat::{Kind, Object, Origin, Seal, Source};

/// What a part says.
pub(super) enum Piece {
    /// Text, or thoughts.
    Text {
        /// Whether it is a thought.
        thought: bool,
        /// It.
        text: String,
        /// Its signature.
        seal: Option<Seal>,
    },
    /// A call, whole.
    Call {
        /// Gemini's own id; it gives none before its third version.
        id: Option<String>,
        /// The function.
        name: String,
        /// The arguments as JSON.
        arguments: String,
        /// Its signature.
        seal: Option<Seal>,
    },
    /// A piece of a call whose arguments come piece by piece.
    Growing(Object, Option<Seal>),
    /// Anything else.
    Whole(Kind),
    /// Nothing that anybody is shown.
    Nothing,
}

/// Reads a part; none where it is not one.
pub(super) fn read(part: Value) -> Option<Piece> {
    let Value::Object(mut part) = part else { return None };
    let seal = match part.get("thoughtSignature") {
        Some(Value::String(signature)) if !signature.is_empty() => Some(Seal::new(Origin::Gemini, signature)),
        _ => None,
    };
    let thought = part.get("thought") == Some(&Value::Bool(true));
    if let Some(text) = part.get_mut("text") {
        let Value::String(text) = text.take() else { return None };
        return Some(Piece::Text { thought, text, seal });
    }
    match part.get_mut("functionCall").map(Value::take) {
        None => {}
        Some(Value::Object(call)) => return call_of(call, seal),
        Some(_) => return None,
    }
    // A drawing that was only thought of is no part of the answer.
    if thought {
        return Some(Piece::Nothing);
    }
    if let Some(mut kind) = part.get_mut("inlineData").and_then(inline) {
        if let Kind::Image { seal: ours, .. } = &mut kind {
            *ours = seal;
        }
        return Some(Piece::Whole(kind));
    }
    part.shift_remove("thought");
    let is_signature_alone = part.keys().all(|name| name == "thoughtSignature");
    if is_signature_alone {
        return Some(Piece::Text { thought, text: String::new(), seal });
    }
    Some(Piece::Whole(Kind::Opaque(Value::Object(part))))
}

fn call_of(mut call: Object, seal: Option<Seal>) -> Option<Piece> {
    let goes_on = call.get("willContinue") == Some(&Value::Bool(true));
    let name = match call.get_mut("name").map(Value::take) {
        Some(Value::String(name)) if !name.is_empty() => name,
        None | Some(Value::Null | Value::String(_)) => return Some(Piece::Growing(call, seal)),
        Some(_) => return None,
    };
    if goes_on || call.contains_key("partialArgs") {
        call.insert("name".to_owned(), Value::from(name));
        return Some(Piece::Growing(call, seal));
    }
    let arguments = match call.get("args") {
        None | Some(Value::Null) => "{}".to_owned(),
        Some(args) => args.to_string(),
    };
    Some(Piece::Call { id: id_of(&call), name, arguments, seal })
}

/// Gemini's own id of a call.
pub(super) fn id_of(call: &Object) -> Option<String> {
    call.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned)
}

fn inline(data: &mut Value) -> Option<Kind> {
    let media_type = data.get("mimeType")?.as_str()?.to_owned();
    let Value::String(data) = data.get_mut("data").filter(|data| data.is_string())?.take() else { return None };
    let family = media_type.split('/').next().unwrap_or_default();
    let made: fn(Source) -> Kind = match family {
        "image" => |source| Kind::Image { source, detail: None, seal: None },
        "audio" => Kind::Audio,
        "video" => Kind::Video,
        _ => |source| Kind::File { source, name: None },
    };
    Some(made(Source::Base64 { media_type, data }))
}

/// Ids for calls that came without one: of the answer's own id, so that those of a conversation's other turns are others, and a count.
#[derive(Debug, Default)]
pub(super) struct Ids {
    seed: Option<u64>,
    given: u32,
}

impl Ids {
    /// Whether it is known what they are made of.
    pub(super) fn are_seeded(&self) -> bool {
        self.seed.is_some()
    }

    /// What they are made of (FNV-1a: nobody gains anything by two ids that are the same).
    pub(super) fn seed(&mut self, text: &str) {
        let hash =
            text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        self.seed = Some(hash);
    }

    /// The next one.
    pub(super) fn next(&mut self) -> String {
        let number = self.given;
        self.given += 1;
        format!("call_{:016x}_{number}", self.seed.unwrap_or_default())
    }
}
