//! From status and body to a [`Fault`].
//!
//! Providers agree on neither the form of an error nor its words, so that each rule below names who it is for. Codes are asked before
//! messages, and messages only where providers have no code for the matter.

use serde_json::Value;

use super::parsed::{Parsed, form, parse, plain, read, unquoted};
use super::{About, Evidence, Fault, Said};

/// What happened, and what the provider said of it.
pub(super) fn recognise(about: &About<'_>, evidence: &Evidence<'_>) -> (Fault, Option<Said>) {
    match *evidence {
        Evidence::Connect => (Fault::Unreachable, None),
        Evidence::Timeout { fair: false, first_token: true } => (Fault::UnfairFirstToken, None),
        Evidence::Timeout { fair: false, .. } => (Fault::UnfairTimeout, None),
        Evidence::Timeout { first_token: true, .. } => (Fault::FirstTokenTimeout, None),
        Evidence::Timeout { .. } => (Fault::Timeout, None),
        Evidence::Cut => (Fault::Cut, None),
        Evidence::Stalled => (Fault::Stalled, None),
        Evidence::Empty => (Fault::Empty, None),
        Evidence::Garbage | Evidence::TooLarge => (Fault::Garbage, None),
        Evidence::ClientGone => (Fault::ClientGone, None),
        Evidence::ErrorInside { body } => {
            let said = parse(body);
            (inside(about, &said), Some(said.said))
        }
        // A firewall's page, of which a client's words can be the reason. No API refuses a key so.
        Evidence::Status { status: 403, body, .. } if body.trim_start().starts_with('<') => (Fault::Declined, None),
        Evidence::Status { status, body, .. } => {
            // A server's failure in plain text is a trace of its program's, whose words mean nothing here.
            let sentence = || plain(body).filter(|_| (400..500).contains(&status)).map(Value::String);
            let said = read(form(body).or_else(sentence));
            (by_status(about, status, &said), (!said.said.message.is_empty()).then_some(said.said))
        }
    }
}

/// By the status, where the body says nothing particular. Of the client errors, 400, 413 and 422 alone are about the request itself, and end the
/// asking: that another provider would refuse it too is as good as certain. The others are about this provider:
///
/// - 407, 421 and 426 (RFC 9110, sections 15.5.8, 15.5.20 and 15.5.22) are about the connection, which no client has a part in: the provider's.
/// - 410 is 404 for good: the model's.
/// - 424 is what Bedrock and TGI say when the model itself failed: the model's.
/// - 409, 423, 425 and 428 are about a state that passes: nobody's, as a client's own `idempotency-key` can be in conflict with itself.
/// - 451 is the law where the provider stands, and not where the next one does: nobody's.
/// - 405, 406, 411, 412, 414 to 418, 431, 499 and those that are not registered are what an address, a firewall or a proxy says, of which a client's
///   words can be the reason: nobody's.
fn by_status(about: &About<'_>, status: u16, said: &Parsed) -> Fault {
    match status {
        401 => {
            if quota(said) {
                Fault::QuotaExhausted
            } else {
                Fault::KeyRefused
            }
        }
        402 => Fault::QuotaExhausted,
        403 => refusal(about, said).unwrap_or(Fault::KeyRefused),
        404 if of_something_else(said) => refusal(about, said).unwrap_or(Fault::Refused),
        // An address that is wrong as a whole answers so for every model, and then each of them is rightly left alone.
        404 => refusal(about, said).unwrap_or(Fault::NoSuchModel),
        407 | 421 | 426 => refusal(about, said).unwrap_or(Fault::Unreachable),
        408 => Fault::ServerError,
        409 | 423 | 425 | 428 => refusal(about, said).unwrap_or(Fault::NotNow),
        410 => refusal(about, said).unwrap_or(Fault::NoSuchModel),
        424 => refusal(about, said).unwrap_or(Fault::ServerError),
        429 => {
            if quota(said) {
                Fault::QuotaExhausted
            } else {
                Fault::RateLimited
            }
        }
        // Groq's flexible tier is full.
        498 => Fault::Overloaded,
        400 | 413 | 422 => refusal(about, said).unwrap_or(Fault::Refused),
        400..=499 => refusal(about, said).unwrap_or(Fault::Declined),
        // llama.cpp says so of images, which a client sends.
        500 | 501 if said.says(&["input is not supported", "does not support"]) => Fault::Unsupported,
        520..=527 | 530 => Fault::Unreachable,
        529 => Fault::Overloaded,
        503 if overloaded(said) => Fault::Overloaded,
        // A redirect is followed nowhere, as the credential would go with it; and what is no status at all is no answer either.
        _ => Fault::ServerError,
    }
}

/// What a 4xx body says, by the most particular rule first; none where it is just a refusal.
fn refusal(about: &About<'_>, said: &Parsed) -> Option<Fault> {
    if content_policy(said) {
        // Before the quota: OpenRouter adds that no credits were charged.
        Some(Fault::ContentPolicy)
    } else if said.says_itself(&["cachedcontent not found", "permission to access the file"]) {
        // Gemini's 403s for what a request refers to; its files are gone after two days.
        Some(Fault::Refused)
    } else if quota(said) {
        Some(Fault::QuotaExhausted)
    } else if key_refused(said) {
        Some(Fault::KeyRefused)
    } else if context_length(said) {
        Some(Fault::ContextLength)
    } else if no_such_model(about, said) {
        Some(Fault::NoSuchModel)
    } else if unsupported(said) {
        Some(Fault::Unsupported)
    } else {
        None
    }
}

/// An error inside a 200: a status in it is believed, else its words, else it is the model's failure.
fn inside(about: &About<'_>, said: &Parsed) -> Fault {
    if let Some(status) = said.number {
        return by_status(about, status, said);
    }
    if said.labelled(&["rate_limit_exceeded", "rate_limit_error", "resource_exhausted", "too_many_requests"]) {
        return if quota(said) { Fault::QuotaExhausted } else { Fault::RateLimited };
    }
    if overloaded(said) {
        return Fault::Overloaded;
    }
    refusal(about, said).unwrap_or(Fault::ErrorInside)
}

/// No credit or quota left: OpenAI's `insufficient_quota`, Anthropic's credit balance and its owner's limit, Alibaba's `Arrearage`, xAI's and
/// Fireworks' spending limit, DeepSeek's and OpenRouter's 402 in other clothes. Not by "exceeded your current quota", which Gemini says of a
/// limit per minute too.
fn quota(said: &Parsed) -> bool {
    said.labelled(&[
        "insufficient_quota",
        "billing_hard_limit_reached",
        "billing_not_active",
        "insufficient_balance",
        "insufficient_credits",
        "credit_limit_exceeded",
        "arrearage",
    ]) || said.says_itself(&[
        "credit balance is too low",
        "insufficient balance",
        "insufficient credits",
        "no credits",
        "have any credits",
        "api usage limits",
        "spending limit",
    ])
}

/// A credential that is refused by another status than 401: Gemini's 400 `API_KEY_INVALID`.
fn key_refused(said: &Parsed) -> bool {
    said.labelled(&["api_key_invalid", "invalid_api_key", "authentication_error", "unauthenticated"])
        || said.says_itself(&["api key not valid", "invalid api key", "incorrect api key"])
}

/// The prompt does not fit: OpenAI's code, and the sentences of Anthropic, Gemini, Mistral, Groq, xAI, Together, vLLM and llama.cpp. Groq's 413 is
/// about an account's limit per minute, which no waiting helps against.
fn context_length(said: &Parsed) -> bool {
    said.labelled(&[
        "context_length_exceeded",
        "string_above_max_length",
        "exceed_context_size_error",
        "context_window_exceeded",
    ]) || said.says(&[
        "maximum context length",
        "prompt is too long",
        "context length",
        "context window",
        "context size",
        "exceeds the maximum number of tokens",
        "input token count",
        "too many tokens",
        "context limit",
        "maximum prompt length",
        "`inputs` tokens",
        "request too large for model",
        "reduce the length",
    ])
}

/// OpenAI's and Azure's codes, and the sentences of Anthropic, OpenRouter and DeepSeek.
fn content_policy(said: &Parsed) -> bool {
    said.labelled(&[
        "content_policy_violation",
        "content_filter",
        "responsibleaipolicyviolation",
        "data_inspection_failed",
        "moderation_blocked",
    ]) || said.says(&[
        "content management policy",
        "output blocked by content filtering policy",
        "violates our usage policies",
        "content policy",
        "your input was flagged",
        "content exists risk",
        // xAI's 403, whose code is that of a key.
        "violates usage guidelines",
    ])
}

/// Whether what is not found is something that the request refers to: an item, a conversation, a file of OpenAI's or Anthropic's. All of them have ids, which
/// clients send. By the code, the parameter or the first word, as each of these may be all that there is.
fn of_something_else(said: &Parsed) -> bool {
    let code = said.said.code.as_deref().unwrap_or_default();
    let param = said.said.param.as_deref().unwrap_or("model");
    let of_code = code.ends_with("_not_found") && code != "model_not_found";
    of_code
        || param != "model"
        || [
            "item ",
            "conversation ",
            "response ",
            "previous response ",
            "prompt ",
            "vector store",
            "file ",
            "file: ",
            "container ",
            "batch ",
            "skill ",
        ]
        .iter()
        .any(|noun| said.own.strip_prefix("no such ").unwrap_or(&said.own).starts_with(noun))
}

/// The model is not there: by code, or by a sentence that names it.
fn no_such_model(about: &About<'_>, said: &Parsed) -> bool {
    if said.labelled(&["model_not_found", "invalid_model", "model_not_available", "model_decommissioned", "unknown_model"]) {
        return true;
    }
    // A name in quotes is no quote, where it is the model's.
    let name = about.model.to_lowercase();
    let text = ['\'', '"', '`']
        .iter()
        .fold(said.said.message.to_lowercase(), |text, quote| text.replace(&format!("{quote}{name}{quote}"), &name));
    let own = unquoted(&text);
    if own.starts_with("model: ") {
        return true;
    }
    let absent = |sentence: &str| {
        (names(sentence, &name) || sentence.contains("model"))
            && [
                "not found",
                "no such model",
                "not exist",
                "invalid model",
                "not a valid model",
                "unknown model",
                "no endpoints found",
                "has been decommissioned",
                "do not have access",
                "does not have access",
                "not have permission",
            ]
            .iter()
            .any(|phrase| sentence.contains(phrase))
    };
    !own.contains(NO_SUCH_ENDPOINT) && own.split(". ").any(absent)
}

/// Whether a text has a name in it that is no piece of a longer one: `o3` is none of `o3_1`, nor of `foo3.png`.
fn names(text: &str, name: &str) -> bool {
    let is_of_name = |letter: char| letter.is_alphanumeric() || "_-".contains(letter);
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + name.len()..).unwrap_or_default());
        let after = after.strip_prefix('.').unwrap_or(after);
        !before.ends_with(is_of_name) && !after.starts_with(is_of_name)
    })
}

/// OpenRouter has the model, but at nobody who can do what is asked for.
const NO_SUCH_ENDPOINT: &str = "no endpoints found that";

/// The model or its provider cannot do what is asked for.
fn unsupported(said: &Parsed) -> bool {
    said.labelled(&[
        "unsupported_parameter",
        "unsupported_value",
        "unsupported_model",
        "unsupported_feature",
        "unknown_parameter",
        "not_supported",
        // Groq's words for a model that got a tool call or its JSON wrong.
        "tool_use_failed",
        "json_validate_failed",
    ]) || said.says(&[
        NO_SUCH_ENDPOINT,
        // OpenAI's 404 for a model that is there, but not at this endpoint.
        "only supported in v1/",
        "tool choice requires",
        "is not a multimodal model",
        "not supported",
        "does not support",
        "doesn't support",
        "unsupported",
        "unknown variant `image_url`",
        "unknown variant `file`",
        "unrecognized request argument",
        "extra inputs are not permitted",
    ])
}

fn overloaded(said: &Parsed) -> bool {
    said.labelled(&[
        "overloaded_error",
        "overloaded",
        "server_overloaded",
        "unavailable",
        "model_overloaded",
        "engine_overloaded_error",
    ]) || said.says(&["overloaded", "over capacity", "at capacity"])
}
