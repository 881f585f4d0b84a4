//! Where a provider's endpoints are, and how a call says whose it is.
//!
//! Sources: OpenAI's API reference; Anthropic's "API overview" and "Versions"; Google's "Gemini API reference", which takes the key in a header field so
//! that it stands in no address.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::dialect::Dialect;
use crate::http::Headers;
use crate::secret::Secret;

/// What is asked of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// An answer.
    Generate,
    /// How many tokens a request has.
    Count,
}

/// The version of Anthropic's API that is spoken where the client names none; there has been no other since 2023.
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// What a name may not hold as it is where it is a segment of a path: all but RFC 3986's unreserved characters. Whoever may name targets directly could
/// reach other endpoints of the provider by it, with the gateway's key.
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The address of an endpoint below `base`; none where the dialect has no such endpoint.
pub(crate) fn url(base: &str, dialect: Dialect, model: &str, operation: Operation, stream: bool) -> Option<String> {
    let path = match (dialect, operation) {
        (Dialect::Chat | Dialect::Completions, Operation::Generate) => "/chat/completions",
        (Dialect::Responses, Operation::Generate) => "/responses",
        (Dialect::Messages, Operation::Generate) => "/messages",
        (Dialect::Messages, Operation::Count) => "/messages/count_tokens",
        (Dialect::Gemini, operation) => {
            let method = match operation {
                Operation::Generate if stream => "streamGenerateContent?alt=sse",
                Operation::Generate => "generateContent",
                Operation::Count => "countTokens",
            };
            // Tuned models have a collection of their own.
            let (collection, name) = match model.split_once('/') {
                Some((collection @ ("models" | "tunedModels"), name)) => (collection, name),
                _ => ("models", model),
            };
            return Some(format!("{base}/{collection}/{}:{method}", utf8_percent_encode(name, &RESERVED)));
        }
        (Dialect::Chat | Dialect::Completions | Dialect::Responses, Operation::Count) => return None,
    };
    Some([base, path].concat())
}

/// Adds what says whose a call is, and in which version of its protocol it speaks where that stands in a header field.
pub(crate) fn sign(headers: &mut Headers, dialect: Dialect, secret: Option<&Secret>) {
    let Some(secret) = secret else { return };
    match dialect {
        Dialect::Chat | Dialect::Completions | Dialect::Responses => {
            headers.push("authorization", format!("Bearer {}", secret.expose()));
        }
        Dialect::Messages => headers.push("x-api-key", secret.expose()),
        Dialect::Gemini => headers.push("x-goog-api-key", secret.expose()),
    }
}

/// Adds the version that is spoken, where nobody has said another.
pub(crate) fn version(headers: &mut Headers, dialect: Dialect) {
    if dialect == Dialect::Messages && headers.get("anthropic-version").is_none() {
        headers.push("anthropic-version", ANTHROPIC_VERSION);
    }
}

/// Whether a client's header field goes to a provider of its own dialect.
pub(crate) fn goes_up(name: &str, dialect: Dialect) -> bool {
    match dialect {
        Dialect::Chat | Dialect::Completions | Dialect::Responses => name.starts_with("openai-") || name == "idempotency-key",
        Dialect::Messages => name.starts_with("anthropic-") || name == "idempotency-key",
        Dialect::Gemini => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint() {
        let rows = [
            (Dialect::Chat, "m", Operation::Generate, true, Some("B/chat/completions")),
            (Dialect::Completions, "m", Operation::Generate, false, Some("B/chat/completions")),
            (Dialect::Responses, "m", Operation::Generate, false, Some("B/responses")),
            (Dialect::Messages, "m", Operation::Generate, false, Some("B/messages")),
            (Dialect::Messages, "m", Operation::Count, false, Some("B/messages/count_tokens")),
            (Dialect::Gemini, "m", Operation::Generate, false, Some("B/models/m:generateContent")),
            (Dialect::Gemini, "m", Operation::Generate, true, Some("B/models/m:streamGenerateContent?alt=sse")),
            (Dialect::Gemini, "tunedModels/m", Operation::Generate, false, Some("B/tunedModels/m:generateContent")),
            (Dialect::Gemini, "m", Operation::Count, false, Some("B/models/m:countTokens")),
            // A name is one segment of the path, whatever a client makes of it.
            (Dialect::Gemini, "../files", Operation::Generate, false, Some("B/models/..%2Ffiles:generateContent")),
            (Dialect::Gemini, "..", Operation::Generate, false, Some("B/models/..:generateContent")),
            (Dialect::Gemini, "tunedModels/../x", Operation::Generate, false, Some("B/tunedModels/..%2Fx:generateContent")),
            (
                Dialect::Gemini,
                "m:embed?key=k#",
                Operation::Generate,
                false,
                Some("B/models/m%3Aembed%3Fkey%3Dk%23:generateContent"),
            ),
            (Dialect::Gemini, "%2e%2e%2f", Operation::Generate, false, Some("B/models/%252e%252e%252f:generateContent")),
            (
                Dialect::Gemini,
                "gemini-2.5-pro_x~",
                Operation::Generate,
                false,
                Some("B/models/gemini-2.5-pro_x~:generateContent"),
            ),
            (Dialect::Chat, "m", Operation::Count, false, None),
        ];
        for (dialect, model, operation, stream, expected) in rows {
            assert_eq!(url("B", dialect, model, operation, stream).as_deref(), expected, "{dialect:?} {operation:?} {stream}");
        }
    }
}
