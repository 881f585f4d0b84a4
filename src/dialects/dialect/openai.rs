//! What `OpenAI`'s two dialects have the same rules for, and others do not.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::chat::Object;

/// What a user says of an image that the assistant drew, where there is no place for it in what the assistant said.
pub(in crate::dialect) const DRAWN: &str = "The image that the assistant made:";

/// The most characters of `user` ("string too long. Expected a string with maximum length 64").
const MAX_USER: usize = 64;

/// The most characters of a tool's name.
const MAX_NAME: usize = 64;

/// How long what a prompt begins with is kept: a member of both.
pub(super) const RETENTION: &str = "prompt_cache_retention";

/// Whom a request is for, in as many characters as may be: what is longer (Claude Code's are 150) is its SHA-256 in hexadecimal, the same one in every
/// request.
pub(super) fn user(user: &str) -> String {
    if user.chars().count() <= MAX_USER {
        return user.to_owned();
    }
    let digit = |four: u8| char::from(if four < 10 { b'0' + four } else { b'a' + four - 10 });
    Sha256::digest(user).iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// A file's name, by whose end its kind is known ("Expected context stuffing file type to be a supported format"): what others call a title has none.
pub(super) fn file_name(name: Option<&str>, media_type: &str) -> String {
    let is_pdf = |name: &str| name.rsplit_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case("pdf"));
    let kind = match media_type {
        "text/plain" => "txt",
        "text/markdown" => "md",
        other => other.rsplit_once(['/', '+', '.', '-']).map_or("bin", |(_, kind)| kind),
    };
    match name {
        Some(name) if media_type == "application/pdf" && !is_pdf(name) => format!("{name}.pdf"),
        Some(name) => name.to_owned(),
        None => format!("document.{kind}"),
    }
}

/// A tool's schema with `properties`, without which an object's is refused ("object schema missing properties").
pub(super) fn parameters(mut schema: Value) -> Value {
    if let Value::Object(members) = &mut schema
        && members.get("type").is_some_and(|kind| kind == "object")
    {
        members.entry("properties").or_insert_with(|| Object::new().into());
    }
    schema
}

/// A custom tool's format, with a grammar's `syntax` and `definition` where Chat Completions has them: in `grammar`.
pub(super) fn nested(format: &Value) -> Value {
    let mut format = format.clone();
    if let Value::Object(members) = &mut format
        && members.get("type").is_some_and(|kind| kind == "grammar")
        && !members.contains_key("grammar")
    {
        let of = |name: &str| Some((name.to_owned(), members.shift_remove(name)?));
        let grammar: Object = ["syntax", "definition"].into_iter().filter_map(of).collect();
        members.insert("grammar".to_owned(), grammar.into());
    }
    format
}

/// The same where Responses have them: beside `type`.
pub(super) fn flat(format: &Value) -> Value {
    let mut format = format.clone();
    if let Value::Object(members) = &mut format
        && let Some(Value::Object(grammar)) = members.shift_remove("grammar")
    {
        members.extend(grammar);
    }
    format
}

/// Whether a tool may be called this: "a-z, A-Z, 0-9, or contain underscores and dashes, with a maximum length of 64", and `also` what others take.
pub(super) fn may_be_called(name: &str, also: &[u8]) -> bool {
    let is_taken = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') || also.contains(&byte);
    name.len() <= MAX_NAME && name.bytes().all(is_taken)
}
