//! Who is calling, and what they may use.
//!
//! The gateway spends its owner's money, so it is closed by default: without a configured key nobody is let in. Keys are not stored: a record
//! holds the SHA-256 of one, which is enough as keys are long and random. Every presented key is compared with every record
//! in constant time, so that neither a digest's beginning nor a record's position shows in how long an answer takes.
//!
//! Records come as lines of a secret, and one that cannot be read never disables the others. It is left out whole, as half of it might allow
//! more than was meant.

mod record;

use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};

use crate::http::Headers;

use record::Record;

/// Somebody with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The record's name.
    pub name: String,
    /// What shares a cache: the record's name, unless it states another scope.
    pub scope: String,
    /// The routes that may be used; all of them where this is none.
    routes: Option<Vec<String>>,
    /// Whether targets may be named directly.
    direct: bool,
    /// Whether circuits may be forced, and faults injected.
    admin: bool,
}

impl Caller {
    /// Whoever calls a gateway that was opened on loopback: everything is allowed that callers may do, and nothing that only operators may.
    #[must_use]
    pub fn anyone() -> Self {
        Self { name: "anyone".to_owned(), scope: "anyone".to_owned(), routes: None, direct: true, admin: false }
    }

    /// Whether a route may be used, by the name that it has in the configuration.
    #[must_use]
    pub fn may_use_route(&self, name: &str) -> bool {
        self.routes.as_ref().is_none_or(|routes| routes.iter().any(|route| route == name))
    }

    /// Whether a target may be named directly, as `provider/model`.
    #[must_use]
    pub fn may_name_targets(&self) -> bool {
        self.direct
    }

    /// Whether this is an operator: who may force circuits, and inject faults.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.admin
    }
}

/// Whose keys a secret holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// Callers'.
    Caller,
    /// Operators', which are callers' too: with all routes and all targets, unless a record says otherwise.
    Admin,
}

/// All records.
#[derive(Clone, Debug, Default)]
pub struct Keyring(Vec<Record>);

impl Keyring {
    /// Reads callers' records from several texts, each with the name that problems call it by. A problem names the line and never what is
    /// on it.
    #[must_use]
    pub fn parse<'t>(texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> (Self, Vec<String>) {
        let mut keyring = Self::default();
        let problems = keyring.add(Rank::Caller, texts);
        (keyring, problems)
    }

    /// Adds records, and says what is wrong with any. A key that is there already stays what it is.
    pub fn add<'t>(&mut self, rank: Rank, texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> Vec<String> {
        let (records, mut problems) = (&mut self.0, Vec::new());
        for (source, text) in texts {
            for (index, line) in text.lines().enumerate() {
                let line = line.trim();
                if line.is_empty() || line.starts_with('#') {
                    continue;
                }
                let new = |record: Record| match records.iter().find(|other| other.digest == record.digest) {
                    Some(other) => Err(format!("the key is that of '{}' already", other.caller.name)),
                    None => Ok(record),
                };
                match Record::parse(line, rank).and_then(new) {
                    Ok(record) => records.push(record),
                    Err(problem) => problems.push(format!("{source}, line {}, is left out: {problem}", index + 1)),
                }
            }
        }
        problems
    }

    /// Whether nobody has a key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any of the keys is an operator's.
    #[must_use]
    pub fn has_admins(&self) -> bool {
        self.0.iter().any(|record| record.caller.admin)
    }

    /// Whose key this is.
    #[must_use]
    pub fn check(&self, presented: &str) -> Option<&Caller> {
        let digest = Sha256::digest(presented);
        let mut found = u32::MAX;
        for (position, record) in (0_u32..).zip(&self.0) {
            found.conditional_assign(&position, record.digest.ct_eq(digest.as_slice()));
        }
        usize::try_from(found).ok().and_then(|position| self.0.get(position)).map(|record| &record.caller)
    }

    /// The routes that records name and the gateway does not have, with whose record it is.
    #[must_use]
    pub fn unknown_routes<'a>(&'a self, known: &[&str]) -> Vec<(&'a str, &'a str)> {
        let named = self.0.iter().flat_map(|record| {
            let routes = record.caller.routes.iter().flatten();
            routes.map(|route| (record.caller.name.as_str(), route.as_str()))
        });
        named.filter(|(_, route)| !known.contains(route)).collect()
    }
}

/// The names of the secrets that are merged: a secret holds 5 KB, which is some 60 records.
fn sources(name: &str) -> impl Iterator<Item = String> {
    std::iter::once(name.to_owned()).chain((2..=9).map(move |number| format!("{name}_{number}")))
}

/// Reads all records from the secret of that name and those with `_2` to `_9` after it, and what is wrong with any, a line each.
#[must_use]
pub fn read_keys(name: &str, text: &dyn Fn(&str) -> Option<String>) -> (Keyring, Vec<String>) {
    let mut keyring = Keyring::default();
    let problems = keyring.read(Rank::Caller, name, text);
    (keyring, problems)
}

impl Keyring {
    /// Adds the records of the secret of that name and those with `_2` to `_9` after it.
    pub fn read(&mut self, rank: Rank, name: &str, text: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
        let texts: Vec<(String, String)> = sources(name).filter_map(|name| text(&name).map(|text| (name, text))).collect();
        self.add(rank, texts.iter().map(|(name, text)| (name.as_str(), text.as_str())))
    }
}

/// Who sent a request with these header fields; or what to tell them.
pub fn identify(keyring: &Keyring, headers: &Headers) -> Result<Caller, String> {
    if keyring.is_empty() {
        return Err(
            "this gateway has no keys, and so lets nobody in; `make key NAME=alice` makes one and says where to put it"
                .to_owned(),
        );
    }
    let presented = presented(headers)?;
    keyring.check(presented).cloned().ok_or_else(|| "the key is not one of this gateway's".to_owned())
}

/// The key that a request presents: as OpenAI's clients send it, or Anthropic's, or Azure's.
fn presented(headers: &Headers) -> Result<&str, String> {
    const HOW: &str = "send one as `authorization: Bearer …` or `x-api-key: …`";
    if let Some(value) = headers.get("authorization") {
        let (scheme, key) = value.trim().split_once([' ', '\t']).unwrap_or((value.trim(), ""));
        return match key.trim() {
            _ if !scheme.eq_ignore_ascii_case("bearer") => {
                Err(format!("the authorization header is not a bearer token; {HOW}"))
            }
            "" => Err(format!("the authorization header holds no key; {HOW}")),
            key => Ok(key),
        };
    }
    let key = headers.get("x-api-key").or_else(|| headers.get("api-key")).map(str::trim);
    key.filter(|key| !key.is_empty()).ok_or_else(|| format!("the request has no key; {HOW}"))
}

/// Whether a host, without its port, is this machine's own. Names other than `localhost` are not believed: a page on the internet can
/// let its own name point here (DNS rebinding), and the host that the browser then sends is that name.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    if host.eq_ignore_ascii_case("localhost") {
        return true;
    }
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok_and(|address| address.is_loopback()),
        None => host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback()),
    }
}

#[cfg(test)]
mod tests;
