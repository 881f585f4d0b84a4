//! Ids of what a provider keeps, as clients are told them: bound to the account that keeps it.
//!
//! OpenAI's Responses can be stored at the provider, continued by their id (`previous_response_id`), asked for again, deleted. An id means something to
//! the account that made it and to nobody else, and all of a gateway's callers share its accounts. So no client is told a provider's own id: it gets one
//! that says to which of the gateway's accounts it belongs, for which of its tenants it was made, and of what model, and cannot be made up.
//!
//! - *Opaque.* `resp_bound_` and base64url of: a code (96 bits), the account (32), the model (32), the provider's id. Account and model are digests.
//! - *Authenticated.* The code is HMAC-SHA-256 (RFC 2104) over all of that and the tenant, with the account's own key: whoever has no such key makes no such id, and one
//!   tenant's is not valid for another. A provider that needs no key has an empty one: its ids are bound, and not authenticated.
//! - *Stateless.* Nothing is stored. A changed key ends the validity of what was made with it.

mod body;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

pub(crate) use body::{bound, leaves_out, rebound, unbound};

use crate::route::Candidate;
use crate::secret::Secret;

/// What stands between the kind of an id and what is sealed in it.
const BOUND: &str = "_bound_";

const CODE: usize = 12;
const DIGEST: usize = 4;

/// One of the gateway's accounts, for one of its tenants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account<'a> {
    pub(crate) provider: &'a str,
    /// The credential's name, as circuits have it.
    pub(crate) credential: &'a str,
    pub(crate) secret: Option<&'a Secret>,
    pub(crate) tenant: &'a str,
}

/// What was sealed in an id, once its account is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    /// The provider's own id.
    pub(crate) id: String,
    model: [u8; DIGEST],
}

impl Opened {
    /// Whether it was made by that model.
    pub(crate) fn is_of(&self, model: &str) -> bool {
        self.model == digest(&[model])
    }
}

/// Gives the id that the client is told for a provider's own.
pub(crate) type Binder = Box<dyn Fn(&str) -> String>;

fn digest(parts: &[&str]) -> [u8; DIGEST] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut short = [0; DIGEST];
    short.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    short
}

impl Account<'_> {
    fn digest(&self) -> [u8; DIGEST] {
        digest(&[self.provider, self.credential])
    }

    fn code(&self, model: [u8; DIGEST], id: &str) -> Option<Hmac<Sha256>> {
        let key = self.secret.map_or("", Secret::expose);
        // HMAC takes a key of any length.
        let mut code = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
        for part in [b"breakwater id v1".as_slice(), self.tenant.as_bytes(), &self.digest(), &model, id.as_bytes()] {
            code.update(&(part.len() as u64).to_le_bytes());
            code.update(part);
        }
        Some(code)
    }

    /// Binds ids beside that of what was opened, for as long as a stream lasts.
    pub(crate) fn binder_beside(&self, opened: &Opened) -> Binder {
        self.binder(opened.model)
    }

    /// Binds ids of a model's, for as long as a stream lasts.
    pub(crate) fn binder_of(&self, model: &str) -> Binder {
        self.binder(digest(&[model]))
    }

    fn binder(&self, model: [u8; DIGEST]) -> Binder {
        let (provider, credential, tenant) = (self.provider.to_owned(), self.credential.to_owned(), self.tenant.to_owned());
        let secret = self.secret.cloned();
        Box::new(move |id| {
            let account = Account { provider: &provider, credential: &credential, secret: secret.as_ref(), tenant: &tenant };
            account.sealed(model, id)
        })
    }

    fn sealed(&self, model: [u8; DIGEST], id: &str) -> String {
        let Some(code) = self.code(model, id) else { return String::new() };
        let mut sealed = Vec::with_capacity(CODE + 2 * DIGEST + id.len());
        sealed.extend(code.finalize().into_bytes().iter().take(CODE));
        sealed.extend(self.digest());
        sealed.extend(model);
        sealed.extend(id.as_bytes());
        let kind = id.split_once('_').map_or("id", |(kind, _)| kind);
        format!("{kind}{BOUND}{}", URL_SAFE_NO_PAD.encode(sealed))
    }

    /// What was sealed in an id, where it was made by this account for this tenant.
    pub(crate) fn open(&self, bound: &str) -> Option<Opened> {
        let (_, sealed) = bound.split_once(BOUND)?;
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (code, rest) = sealed.split_at_checked(CODE)?;
        let (account, rest) = rest.split_first_chunk::<DIGEST>()?;
        let (model, id) = rest.split_first_chunk::<DIGEST>()?;
        let id = std::str::from_utf8(id).ok()?;
        if *account != self.digest() {
            return None;
        }
        self.code(*model, id)?.verify_truncated_left(code).ok()?;
        Some(Opened { id: id.to_owned(), model: *model })
    }
}

/// The account of a candidate.
pub(crate) fn account<'a>(candidate: &'a Candidate<'_>, tenant: &'a str) -> Account<'a> {
    Account { provider: &candidate.provider.name, credential: candidate.credential, secret: candidate.secret, tenant }
}

/// Whether a text holds an id that is bound.
pub(crate) fn is_bound(id: &str) -> bool {
    id.contains(BOUND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_account_that_made_it_opens_it_and_only_for_the_tenant() {
        let (key, other) = (Secret::new("sk-1"), Secret::new("sk-2"));
        let account = Account { provider: "openai", credential: "A#1", secret: Some(&key), tenant: "alice" };
        let bound = account.binder_of("gpt-5")("resp_0123");
        assert!(bound.starts_with("resp_bound_") && !bound.contains("0123"), "{bound}");
        assert!(is_bound(&bound) && !is_bound("resp_0123"));
        let opened = account.open(&bound).unwrap();
        assert_eq!((opened.id.as_str(), opened.is_of("gpt-5"), opened.is_of("gpt-4")), ("resp_0123", true, false));
        for stranger in [
            Account { tenant: "bob", ..account },
            Account { secret: Some(&other), ..account },
            Account { secret: None, ..account },
            Account { provider: "openai2", ..account },
            Account { credential: "B#1", ..account },
        ] {
            assert_eq!(stranger.open(&bound), None, "{stranger:?}");
        }
    }

    #[test]
    fn nothing_else_is_one() {
        let key = Secret::new("sk-1");
        let account = Account { provider: "openai", credential: "A#1", secret: Some(&key), tenant: "alice" };
        let bound = account.binder_of("gpt-5")("resp_0123");
        let at = |byte: usize| {
            let mut bytes = bound.clone().into_bytes();
            bytes[byte] = if bytes[byte] == b'A' { b'B' } else { b'A' };
            String::from_utf8(bytes).unwrap()
        };
        let from = "resp_bound_".len();
        for byte in from..bound.len() - 1 {
            assert_eq!(account.open(&at(byte)), None, "changed at {byte}");
        }
        for id in ["", "resp_0123", "resp_bound_", "resp_bound_AAAA", "resp_bound_!", &bound[..bound.len() - 4]] {
            assert_eq!(account.open(id), None, "{id}");
        }
    }
}
