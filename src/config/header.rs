//! The header fields that a provider's configuration may add to every call.

use crate::config::read::Value;

/// What would hold a credential: that belongs in a secret.
const CREDENTIALS: [&str; 6] = ["authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"];

/// What the gateway or the platform decides: the body's form, the connection (RFC 9110, section 7.6.1), and who is asking.
const OURS: [&str; 17] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-real-ip",
    "origin",
];

const OUR_PREFIXES: [&str; 5] = ["x-breakwater-", "cf-", "x-forwarded-", "proxy-", "sec-"];

/// Reads a table of header fields, names in lower case. No value is ever part of a message: it may be a secret in the wrong place.
pub(super) fn read(value: &Value<'_>) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for (name, value) in value.table().map(|table| table.entries()).unwrap_or_default() {
        let name = name.to_ascii_lowercase();
        match problem(&name, value.as_text()) {
            Some(message) => value.problem(message),
            None if fields.iter().any(|(other, _)| *other == name) => value.problem("is there twice, in another case"),
            None => fields.push((name, value.as_text().unwrap_or_default().to_owned())),
        }
    }
    fields
}

fn problem(name: &str, value: Option<&str>) -> Option<&'static str> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) {
        return Some("is not a header field's name; allowed are letters, digits and - . _");
    }
    if CREDENTIALS.contains(&name) {
        return Some("would hold a credential, and this file is no place for one; allowed is a secret's name in key");
    }
    if OURS.contains(&name) || OUR_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        return Some("is decided by the gateway; allowed are fields that it does not set itself");
    }
    let Some(value) = value else { return Some("is not a text; allowed is a header field's value as a text") };
    let legal = value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ' || byte == b'\t');
    if !legal || value.trim() != value {
        return Some("is not a header field's value; allowed are visible ASCII characters, with blanks between them");
    }
    None
}
