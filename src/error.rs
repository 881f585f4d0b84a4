//! What the gateway itself answers with.
//!
//! An error is part of the product: clients match on its code, people read its message, and SDKs decide by its header fields
//! whether to try again. They try twice by default, and some ignore a `retry-after` over 60 s, so that a gateway that has spent
//! its budget must say `x-should-retry: false`, or see its work multiplied by three.
//!
//! No secret, no upstream address and no stack is in any of them: what a provider said is passed on word for word, less its
//! keys and its address where it quotes them ([`Said::without`]); what we saw of it is put in our own words.
//!
//! What follows from an error is an exhaustive table over its kinds, and nowhere else.

mod render;

use std::time::Duration;

use breakwater_dialects::mistake::Mistake;

use crate::verdict::Said;

/// Up to this long an SDK may be told to try again: beyond it some of them ignore `retry-after`, and come back at once.
const WORTH_WAITING: Duration = Duration::from_mins(1);

/// The longest message that quotes what a client sent, in bytes: room for a long list of what is allowed, and not for a body's
/// worth of a model's name.
const MAX_MESSAGE: usize = 16 * 1024;

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    InvalidRequest,
    RequestTooLarge,
    InvalidApiKey,
    NotAllowed,
    ModelNotFound,
    NotFound,
    MethodNotAllowed,
    /// A provider refused the request; the status is its own.
    Refused(u16),
    RateLimited,
    CircuitOpen,
    NoTarget,
    Busy,
    UpstreamFailed,
    Unsatisfied,
    DeadlineExceeded,
    CacheMiss,
    ConfigInvalid,
    ClientGone,
}

impl Kind {
    const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::RequestTooLarge => 413,
            Self::InvalidApiKey => 401,
            Self::NotAllowed => 403,
            Self::ModelNotFound | Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Refused(status) => status,
            Self::RateLimited => 429,
            Self::CircuitOpen | Self::NoTarget | Self::Busy => 503,
            Self::UpstreamFailed => 502,
            Self::Unsatisfied => 422,
            Self::DeadlineExceeded | Self::CacheMiss => 504,
            Self::ConfigInvalid => 500,
            // nginx's status for the same; nobody is there to read it, but the log is.
            Self::ClientGone => 499,
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest | Self::Refused(_) => "invalid_request",
            Self::RequestTooLarge => "request_too_large",
            Self::InvalidApiKey => "invalid_api_key",
            Self::NotAllowed => "not_allowed",
            Self::ModelNotFound => "model_not_found",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::RateLimited => "rate_limited",
            Self::CircuitOpen => "circuit_open",
            Self::NoTarget => "no_target",
            Self::Busy => "busy",
            Self::UpstreamFailed => "upstream_failed",
            Self::Unsatisfied => "schema_unsatisfied",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::CacheMiss => "cache_miss",
            Self::ConfigInvalid => "config_invalid",
            Self::ClientGone => "client_gone",
        }
    }

    /// `OpenAI`'s `type` for the same sort of error. Its API calls a bad key, a model that is not there and a forbidden one an
    /// `invalid_request_error` all alike, and what it cannot help a `server_error`; its SDKs go by the status.
    /// `rate_limit_error` is the compatible providers' and Anthropic's word: `OpenAI`'s own, `requests` and `tokens`, name
    /// limits of an account's that ours is not.
    const fn kind(self) -> &'static str {
        match self {
            Self::InvalidRequest
            | Self::RequestTooLarge
            | Self::InvalidApiKey
            | Self::NotAllowed
            | Self::ModelNotFound
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::Refused(_)
            | Self::Unsatisfied
            | Self::CacheMiss
            | Self::ClientGone => "invalid_request_error",
            Self::RateLimited => "rate_limit_error",
            Self::CircuitOpen
            | Self::NoTarget
            | Self::Busy
            | Self::UpstreamFailed
            | Self::DeadlineExceeded
            | Self::ConfigInvalid => "server_error",
        }
    }

    /// Whether an answer that has gone stale is better than this: the request was right, and nobody could answer it.
    const fn may_be_stale(self) -> bool {
        match self {
            Self::RateLimited
            | Self::CircuitOpen
            | Self::NoTarget
            | Self::UpstreamFailed
            | Self::Unsatisfied
            | Self::DeadlineExceeded => true,
            Self::InvalidRequest
            | Self::RequestTooLarge
            | Self::InvalidApiKey
            | Self::NotAllowed
            | Self::ModelNotFound
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::Refused(_)
            | Self::Busy
            | Self::CacheMiss
            | Self::ConfigInvalid
            | Self::ClientGone => false,
        }
    }
}

/// An error as the client is told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
    message: String,
    param: Option<String>,
    /// Set where a provider said it.
    label: Option<Box<Label>>,
    retry_after: Option<Duration>,
    /// What the provider that refused it calls the request, by the name of the header field that says so.
    request: Option<(&'static str, String)>,
    /// The methods that an endpoint takes.
    allow: Option<&'static str>,
}

/// A provider's own `type` and `code`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Label {
    kind: Option<String>,
    code: Option<String>,
}

impl From<Mistake> for Error {
    fn from(Mistake { param, message }: Mistake) -> Self {
        Self::invalid_request(param.as_deref(), message)
    }
}

impl Error {
    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), param: None, label: None, retry_after: None, request: None, allow: None }
    }

    /// With a message that quotes what the client sent, which may be of any length.
    fn quoting(kind: Kind, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if message.len() > MAX_MESSAGE {
            message.truncate(message.floor_char_boundary(MAX_MESSAGE));
            message.push('…');
        }
        Self::new(kind, message)
    }

    /// In a provider's own words, or in ours where it had none.
    fn said(kind: Kind, said: Said, ours: &str) -> Self {
        let message = if said.message.is_empty() { ours.to_owned() } else { said.message };
        let label = Label { kind: said.kind, code: said.code };
        Self { param: said.param, label: Some(Box::new(label)), request: said.request, ..Self::new(kind, message) }
    }

    /// The request is wrong, at `param` where that is a place in it.
    pub fn invalid_request(param: Option<&str>, message: impl Into<String>) -> Self {
        Self { param: param.map(str::to_owned), ..Self::quoting(Kind::InvalidRequest, message) }
    }

    /// The body passes `limit` bytes.
    pub fn request_too_large(limit: usize) -> Self {
        Self::new(Kind::RequestTooLarge, format!("the body is larger than the {limit} bytes that this gateway takes"))
    }

    /// No key, or an unknown one.
    pub fn invalid_api_key(message: impl Into<String>) -> Self {
        Self::new(Kind::InvalidApiKey, message)
    }

    /// The key may not do this.
    pub fn not_allowed(message: impl Into<String>) -> Self {
        Self { param: Some("model".to_owned()), ..Self::quoting(Kind::NotAllowed, message) }
    }

    /// Only an operator may do this; `param` names what asked for it, where that is a part of the request.
    pub fn not_an_admin(param: Option<&str>, message: impl Into<String>) -> Self {
        Self { param: param.map(str::to_owned), ..Self::new(Kind::NotAllowed, message) }
    }

    /// No provider of that name.
    pub fn unknown_provider(name: &str, known: &[&str]) -> Self {
        let message = format!("there is no provider '{name}'; there are {}", known.join(", "));
        Self { param: Some("provider".to_owned()), ..Self::quoting(Kind::NotFound, message) }
    }

    /// No route, pattern or target of that name.
    pub fn model_not_found(message: impl Into<String>) -> Self {
        Self { param: Some("model".to_owned()), ..Self::quoting(Kind::ModelNotFound, message) }
    }

    /// No such endpoint.
    pub fn not_found(path: &str) -> Self {
        let known = "POST /v1/chat/completions, /v1/completions, /v1/responses, /v1/messages and /v1/messages/count_tokens, GET /v1/models, GET /status, GET /health";
        Self::quoting(Kind::NotFound, format!("there is {known}, but nothing at {path}"))
    }

    /// No such response, as far as this caller is concerned.
    pub fn no_response(id: &str) -> Self {
        let message = format!(
            "there is no response '{id}': either it was never kept, as that of a target of another protocol is not, or it was made with \
             another key of the gateway's or of the provider's"
        );
        Self { param: Some("id".to_owned()), ..Self::quoting(Kind::NotFound, message) }
    }

    /// The endpoint takes another method: `allowed`, where they are several with commas between them.
    pub fn method_not_allowed(method: &str, allowed: &'static str) -> Self {
        let message = format!("this endpoint takes {allowed}; the method is {method}");
        Self { allow: Some(allowed), ..Self::quoting(Kind::MethodNotAllowed, message) }
    }

    /// A provider refused the request itself: its status where that says so, and its own words. Any other is about the provider's own key or
    /// connection: a 401 would send the client to look after its key, and browsers and `fetch` take a 407 for a failure of the network.
    pub fn refused(status: u16, said: Said) -> Self {
        let status = if matches!(status, 400 | 403 | 404 | 413 | 422 | 451) { status } else { 400 };
        Self::said(Kind::Refused(status), said, "the provider refused the request, and did not say why")
    }

    /// Every target had its rate limit; the soonest of them ends after `retry_after`.
    pub fn rate_limited(retry_after: Duration) -> Self {
        let message = format!("every target is rate-limited; the first may be asked again in {}", in_words(retry_after));
        Self { retry_after: Some(retry_after), ..Self::new(Kind::RateLimited, message) }
    }

    /// No target has a closed circuit; the soonest probe is after `retry_after`.
    pub fn circuit_open(retry_after: Duration) -> Self {
        let after = in_words(retry_after);
        let message = format!("every target has failed lately and is left alone; the first is tried again in {after}");
        Self { retry_after: Some(retry_after), ..Self::new(Kind::CircuitOpen, message) }
    }

    /// An operator lets no target be asked; the soonest order ends after `retry_after`.
    pub fn drained(retry_after: Duration) -> Self {
        let after = in_words(retry_after);
        let message = format!("an operator has taken every target out of service; the first is back in {after}");
        Self { retry_after: Some(retry_after), ..Self::new(Kind::CircuitOpen, message) }
    }

    /// A route has no target that could be asked.
    pub fn no_target(missing: &[String]) -> Self {
        let message = if missing.is_empty() {
            "no target of this route can be asked: their providers' protocols are not supported by this version".to_owned()
        } else {
            format!("no target of this route has its secret; setting one of these would help: {}", missing.join(", "))
        };
        Self::new(Kind::NoTarget, message)
    }

    /// The isolate holds as much as it can.
    pub fn busy() -> Self {
        let message = "this isolate is holding as many large requests as it can; try again";
        Self { retry_after: Some(Duration::from_secs(1)), ..Self::new(Kind::Busy, message) }
    }

    /// Every target failed.
    pub fn upstream_failed(message: impl Into<String>) -> Self {
        Self::new(Kind::UpstreamFailed, message)
    }

    /// No answer was what was demanded of its form. What is quoted of one may be of any length.
    pub fn unsatisfied(message: impl Into<String>) -> Self {
        Self::quoting(Kind::Unsatisfied, message)
    }

    /// A provider's error within a stream that has begun, in its own words.
    pub fn said_in_stream(said: Said) -> Self {
        Self::said(Kind::UpstreamFailed, said, "the provider's stream failed, and it did not say why")
    }

    /// The deadline passed.
    pub fn deadline_exceeded(message: impl Into<String>) -> Self {
        Self::new(Kind::DeadlineExceeded, message)
    }

    /// `only-if-cached`, and it is not.
    pub fn cache_miss() -> Self {
        Self::new(Kind::CacheMiss, "the request says only-if-cached, and the cache has no fresh answer for it")
    }

    /// The configuration is wrong; `detail` for those who may know.
    pub fn config_invalid(detail: Option<&str>) -> Self {
        let message = match detail {
            Some(detail) => format!("the gateway's configuration is wrong:\n{detail}"),
            None => "the gateway's configuration is wrong; its log says where, and so does this message to callers with a key"
                .to_owned(),
        };
        Self::new(Kind::ConfigInvalid, message)
    }

    /// The client left before there was an answer.
    pub fn client_gone() -> Self {
        Self::new(Kind::ClientGone, "the client has gone")
    }

    /// The same as a provider would say it, for whoever judges a request by its refusals.
    pub(crate) fn as_said(&self) -> Said {
        let code = self.label.as_deref().map_or(Some(self.kind.code()), |label| label.code.as_deref());
        Said {
            message: self.message.clone(),
            kind: None,
            param: self.param.clone(),
            code: code.map(str::to_owned),
            request: None,
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.kind.status()
    }

    /// Whether a stale answer may stand in for it.
    #[must_use]
    pub fn may_be_stale(&self) -> bool {
        self.kind.may_be_stale()
    }

    /// The header fields that say whether and when to try again, and what HTTP wants beside a status (RFC 9110, sections 15.5.2
    /// and 15.5.6).
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let retry = self.retry_after.is_some_and(|after| after <= WORTH_WAITING);
        let mut headers = vec![("x-should-retry", retry.to_string())];
        if let Some(after) = self.retry_after {
            headers.push(("retry-after", up_to(after, SECOND).to_string()));
            headers.push(("retry-after-ms", up_to(after, MILLISECOND).to_string()));
        }
        if let Some((name, id)) = &self.request {
            headers.push((name, id.clone()));
        }
        if let Some(allow) = self.allow {
            headers.push(("allow", allow.to_owned()));
        }
        if self.kind == Kind::InvalidApiKey {
            headers.push(("www-authenticate", "Bearer".to_owned()));
        }
        headers
    }
}

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// How many units a duration takes, rounded up: who comes back a moment early is refused again.
const fn up_to(duration: Duration, unit: Duration) -> u128 {
    duration.as_nanos().div_ceil(unit.as_nanos())
}

/// A wait as a message names it, such as `1m 30s`.
fn in_words(wait: Duration) -> impl std::fmt::Display {
    let seconds = u64::try_from(up_to(wait, SECOND)).unwrap_or(u64::MAX);
    humantime::format_duration(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
