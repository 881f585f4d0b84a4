//! What a request asks of the cache.

use std::time::Duration;

use crate::error::Error;

/// The header field of our own.
const TTL: &str = "x-breakwater-cache-ttl";

/// What a number of seconds counts as that is too large to hold (RFC 9111, section 1.2.2).
const MOST_SECONDS: u64 = 1 << 31;

/// What a request asks of the cache: `cache-control` (RFC 9111, section 5.2.1) and `x-breakwater-cache-ttl`.
///
/// | directive | effect |
/// |---|---|
/// | `no-store` | no part in the cache: nothing is looked for, nothing is stored |
/// | `no-cache` | nothing is looked for, a stale answer neither; the fresh one is stored |
/// | `only-if-cached` | nothing goes upstream |
/// | `max-age=N` | no answer older than N seconds, and no stale one |
///
/// Others are ignored, as the RFC says of those that a cache does not know. That holds for `max-stale` and `min-fresh` too,
/// which it may ignore: a stale answer is served here only instead of a failure, and whoever minds how old it is has `max-age`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Directives {
    pub(super) no_store: bool,
    pub(super) no_cache: bool,
    pub(super) only_if_cached: bool,
    pub(super) max_age: Option<Duration>,
    pub(super) ttl: Option<Duration>,
}

impl Directives {
    /// Reads the values of `cache-control` and `x-breakwater-cache-ttl`.
    ///
    /// Of `cache-control` every part is read by itself, and what cannot be read is taken in the stricter sense, because it is
    /// other people's field: proxies and browsers write it too. A name counts in any case of letters, and whatever stands
    /// behind it where nothing should. Of two `max-age` the smaller holds; one that is not a number is 0.
    ///
    /// Our own field is an error where it is not a number of seconds. 0 means no part in the cache.
    pub fn parse(cache_control: Option<&str>, ttl: Option<&str>) -> Result<Self, Error> {
        let mut directives = Self::default();
        for part in parts(cache_control.unwrap_or_default()) {
            let (name, argument) = part.split_once('=').unwrap_or((part, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "no-store" => directives.no_store = true,
                "no-cache" => directives.no_cache = true,
                "only-if-cached" => directives.only_if_cached = true,
                "max-age" => {
                    let age = seconds(unquoted(argument.trim())).unwrap_or(Duration::ZERO);
                    directives.max_age = Some(directives.max_age.map_or(age, |other| other.min(age)));
                }
                _ => {}
            }
        }
        if let Some(ttl) = ttl {
            let wrong = || Error::invalid_request(Some(TTL), format!("{TTL} is '{ttl}'; it takes a whole number of seconds"));
            directives.ttl = Some(seconds(ttl.trim()).ok_or_else(wrong)?);
        }
        Ok(directives)
    }
}

/// The parts of a list: cut at its commas, but for those within quotes (RFC 9110, sections 5.6.1 and 5.6.4).
fn parts(list: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    list.split(move |char| {
        match char {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        char == ',' && !quoted
    })
}

/// An argument without its quotes: either form is to be accepted of every directive (RFC 9111, section 5.2).
fn unquoted(argument: &str) -> &str {
    argument.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(argument)
}

/// `delta-seconds` (RFC 9111, section 1.2.2): digits and nothing else, at most [`MOST_SECONDS`].
fn seconds(digits: &str) -> Option<Duration> {
    let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    number.then(|| Duration::from_secs(digits.parse().unwrap_or(MOST_SECONDS).min(MOST_SECONDS)))
}
