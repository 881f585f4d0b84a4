//! A request and a response without a platform: what the core is given and what it gives back.

use std::borrow::Cow;

use memchr::{memchr, memchr3};

/// Header fields in the order received, names in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(Cow<'static, str>, String)>);

impl Headers {
    /// No fields.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The first value of `name`, which must be in lower case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Adds a field. A line feed cannot stand in a value (RFC 9110, section 5.5): it becomes a space, so that nothing a
    /// client or provider sends can add a field of its own.
    pub fn push(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        let mut value = value.into();
        // By bytes: a search for these as characters was the dearest function of a small request.
        if memchr3(b'\n', b'\r', 0, value.as_bytes()).is_some() {
            value = value.replace(['\n', '\r', '\0'], " ");
        }
        self.0.push((name.into(), value));
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All fields, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_str()))
    }

    /// Reads the form that crosses the JavaScript boundary as one string: `name\nvalue\nname\nvalue`.
    #[must_use]
    pub fn from_flat(flat: &str) -> Self {
        let mut headers = Self::new();
        let mut from = 0;
        let mut line = || {
            let rest = flat.get(from..)?;
            let end = memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
            from += end + 1;
            rest.get(..end)
        };
        while let (Some(name), Some(value)) = (line(), line()) {
            headers.push(name.to_ascii_lowercase(), value);
        }
        headers
    }

    /// The form that [`Headers::from_flat`] reads.
    #[must_use]
    pub fn to_flat(&self) -> String {
        let mut flat = String::with_capacity(self.0.iter().map(|(name, value)| name.len() + value.len() + 2).sum());
        for (name, value) in self.iter() {
            if !flat.is_empty() {
                flat.push('\n');
            }
            flat.push_str(name);
            flat.push('\n');
            flat.push_str(value);
        }
        flat
    }
}

impl<N: Into<Cow<'static, str>>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let mut headers = Self::new();
        for (name, value) in fields {
            headers.push(name, value);
        }
        headers
    }
}

/// A text without its percent-encoding (RFC 3986, section 2.1). The error says what is wrong with it.
pub(crate) fn percent_decoded(text: &str) -> Result<String, &'static str> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (high, low) = (digit(), digit());
        let escaped = high.zip(low).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        decoded.push(escaped.ok_or("\"%\" needs two hexadecimal digits after it")?);
    }
    String::from_utf8(decoded).map_err(|_| "what it stands for is not UTF-8")
}

/// Whether a header field of a response is a provider's that comes down as it is, `x-upstream-request-id` being its `x-request-id`.
pub(crate) fn is_providers(name: &str) -> bool {
    name.starts_with("x-ratelimit-")
        || name.starts_with("anthropic-ratelimit-")
        || matches!(name, "request-id" | "x-upstream-request-id")
}

/// A client's request, its body read to the end and within the limit.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// In upper case.
    pub method: String,
    /// The path without query and fragment.
    pub path: String,
    /// What stands behind the path's question mark, as it is.
    pub query: String,
    /// The host that the client addressed, without a port.
    pub host: String,
    /// All header fields.
    pub headers: Headers,
    /// The body, which is text in every dialect.
    pub body: String,
}

/// What the client is given.
#[derive(Debug)]
pub struct Response<S> {
    /// The HTTP status, of a closed set: nothing an upstream says reaches this unchecked.
    pub status: u16,
    /// All header fields.
    pub headers: Headers,
    /// The body.
    pub body: Body<S>,
}

/// A response's body.
#[derive(Debug)]
pub enum Body<S> {
    /// Nothing, as for 204.
    Empty,
    /// All of it.
    Text(String),
    /// A stream that the runtime feeds.
    Stream(S),
}
