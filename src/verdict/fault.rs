//! What can go wrong with an attempt, and all that follows from it: whom it counts against, whom to ask next, what the trace and the client are told.

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No connection, TLS, Cloudflare's word that it could not reach the origin (520 to 527, 530), or a proxy's or server's that this connection is
    /// not the way to it (407, 421, 426).
    Unreachable,
    /// 5xx, 408, a redirect, a status that is none.
    ServerError,
    /// 529, and the overloads that say so: the model has more requests than it can serve.
    Overloaded,
    /// No first content by `first_token`.
    FirstTokenTimeout,
    /// No answer by the end of a slice.
    Timeout,
    /// No answer by the end of a slice that was too short to be judged by.
    UnfairTimeout,
    /// No first content by a limit that was too short to be judged by, as one of the client's own may be.
    UnfairFirstToken,
    /// The body broke off.
    Cut,
    /// A stream went silent after content that was still held back.
    Stalled,
    /// Nothing was said.
    Empty,
    /// Not an answer.
    Garbage,
    /// An error object where an answer should be.
    ErrorInside,
    /// Too many requests of this credential for this model.
    RateLimited,
    /// The credential is refused.
    KeyRefused,
    /// The credential's account has nothing left.
    QuotaExhausted,
    /// The provider has no such model, or not for this credential.
    NoSuchModel,
    /// The request does not fit into the model.
    ContextLength,
    /// The model cannot do what is asked for.
    Unsupported,
    /// The provider will not answer this, by its policy.
    ContentPolicy,
    /// The request itself is wrong.
    Refused,
    /// A 4xx that is not about the request: the endpoint, its rules or the law say no. A client can bring some of them about, as firewalls answer
    /// 405 and 406 to words that they dislike, and 431 counts header fields that pass through.
    Declined,
    /// A 4xx of a state that passes, such as a conflict; over an `idempotency-key`, that is the client's own.
    NotNow,
    /// The answer is not what was demanded of its form.
    Unsatisfied,
    /// The provider will not have the schema, and is to be asked by other means.
    SchemaRefused,
    /// The client has gone.
    ClientGone,
}

/// Whom a fault counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Nobody.
    Nobody,
    /// The model.
    Model,
    /// The provider as a whole.
    Provider,
    /// The credential, which is not asked again until a probe succeeds or the secret changes.
    Credential,
    /// The credential for this model, for as long as it was asked to wait.
    CredentialForModel,
    /// The model, which is cooled at once.
    ModelAtOnce,
}

/// Whom to ask next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another credential of the same target if there is one, else the next target.
    Key,
    /// The next target.
    Target,
    /// Nobody: the client is told.
    Stop,
}

impl Fault {
    /// The word that a trace has for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unreachable => "connect_failed",
            Self::ServerError => "server_error",
            Self::Overloaded => "overloaded",
            Self::FirstTokenTimeout | Self::UnfairFirstToken => "first_token_timeout",
            Self::Timeout | Self::UnfairTimeout => "timeout",
            Self::Cut => "cut",
            Self::Stalled => "stalled",
            Self::Empty => "empty",
            Self::Garbage => "garbage",
            Self::ErrorInside => "error_in_body",
            Self::RateLimited => "rate_limited",
            Self::KeyRefused => "key_refused",
            Self::QuotaExhausted => "quota_exhausted",
            Self::NoSuchModel => "no_such_model",
            Self::ContextLength => "context_length",
            Self::Unsupported => "unsupported",
            Self::ContentPolicy => "content_policy",
            Self::Refused => "refused",
            Self::Declined => "declined",
            Self::NotNow => "not_now",
            Self::Unsatisfied => "schema_unsatisfied",
            Self::SchemaRefused => "schema_refused",
            Self::ClientGone => "client_gone",
        }
    }

    /// The table of blame.
    #[must_use]
    pub const fn blame(self) -> Blame {
        match self {
            Self::Unreachable => Blame::Provider,
            Self::ServerError
            | Self::Overloaded
            | Self::FirstTokenTimeout
            | Self::Timeout
            | Self::Cut
            | Self::Stalled
            | Self::Empty
            | Self::Garbage
            | Self::ErrorInside => Blame::Model,
            Self::RateLimited => Blame::CredentialForModel,
            Self::KeyRefused | Self::QuotaExhausted => Blame::Credential,
            Self::NoSuchModel => Blame::ModelAtOnce,
            Self::UnfairTimeout
            | Self::UnfairFirstToken
            | Self::ContextLength
            | Self::Unsupported
            | Self::ContentPolicy
            | Self::Refused
            | Self::Declined
            | Self::NotNow
            | Self::Unsatisfied
            | Self::SchemaRefused
            | Self::ClientGone => Blame::Nobody,
        }
    }

    /// Whom to ask next. `direct`: the client named the target itself.
    #[must_use]
    pub const fn next(self, direct: bool) -> Next {
        match self {
            Self::RateLimited | Self::KeyRefused | Self::QuotaExhausted => Next::Key,
            Self::Unreachable
            | Self::ServerError
            | Self::Overloaded
            | Self::FirstTokenTimeout
            | Self::Timeout
            | Self::UnfairTimeout
            | Self::UnfairFirstToken
            | Self::Cut
            | Self::Stalled
            | Self::Empty
            | Self::Garbage
            | Self::ErrorInside
            | Self::ContextLength
            | Self::Unsupported
            | Self::Declined
            | Self::NotNow
            | Self::Unsatisfied
            | Self::SchemaRefused => Next::Target,
            // Who named the target is told that it is not there; who named a route cannot know.
            Self::NoSuchModel if direct => Next::Stop,
            Self::NoSuchModel => Next::Target,
            Self::ContentPolicy | Self::Refused | Self::ClientGone => Next::Stop,
        }
    }

    /// Whether asking the same candidate again can help.
    #[must_use]
    pub const fn retriable(self) -> bool {
        match self {
            Self::Unreachable
            | Self::ServerError
            | Self::Overloaded
            | Self::Cut
            | Self::Stalled
            | Self::Empty
            | Self::Garbage
            | Self::ErrorInside
            | Self::RateLimited
            | Self::NotNow => true,
            // A timeout has spent its share of the deadline already.
            Self::FirstTokenTimeout
            | Self::Timeout
            | Self::UnfairTimeout
            | Self::UnfairFirstToken
            | Self::KeyRefused
            | Self::QuotaExhausted
            | Self::NoSuchModel
            | Self::ContextLength
            | Self::Unsupported
            | Self::ContentPolicy
            | Self::Refused
            | Self::Declined
            | Self::Unsatisfied
            | Self::SchemaRefused
            | Self::ClientGone => false,
        }
    }

    /// OpenAI's code for a request that a target was not up to.
    #[must_use]
    pub const fn client_code(self) -> Option<&'static str> {
        match self {
            Self::ContextLength => Some("context_length_exceeded"),
            Self::Unsupported => Some("unsupported_parameter"),
            Self::NoSuchModel => Some("model_not_found"),
            Self::Unreachable
            | Self::ServerError
            | Self::Overloaded
            | Self::FirstTokenTimeout
            | Self::Timeout
            | Self::UnfairTimeout
            | Self::UnfairFirstToken
            | Self::Cut
            | Self::Stalled
            | Self::Empty
            | Self::Garbage
            | Self::ErrorInside
            | Self::RateLimited
            | Self::KeyRefused
            | Self::QuotaExhausted
            | Self::ContentPolicy
            | Self::Refused
            | Self::Declined
            | Self::NotNow
            | Self::Unsatisfied
            | Self::SchemaRefused
            | Self::ClientGone => None,
        }
    }
}
