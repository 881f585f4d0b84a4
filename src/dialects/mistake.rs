//! What is wrong with a client's request.

/// A mistake and its place, for the client to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where it is, such as `messages[0].content`; none where it is everywhere.
    pub param: Option<String>,
    /// What was found, and what is allowed.
    pub message: String,
}

impl Mistake {
    /// A mistake at `param`.
    #[must_use]
    pub fn new(param: Option<&str>, message: impl Into<String>) -> Self {
        Self { param: param.map(str::to_owned), message: message.into() }
    }
}
