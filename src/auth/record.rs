//! One line of the callers' keys: `name:sha256-in-hex`, then optionally ` routes=smart,fast direct=yes scope=team-a`.

use crate::auth::{Caller, Rank};

/// A caller, and what their key hashes to.
#[derive(Clone)]
pub(super) struct Record {
    pub(super) caller: Caller,
    pub(super) digest: [u8; 32],
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record").field("caller", &self.caller).finish_non_exhaustive()
    }
}

impl Record {
    /// Reads a line. The error does not quote what stands there, which may be a key.
    pub(super) fn parse(line: &str, rank: Rank) -> Result<Self, String> {
        let mut words = line.split_ascii_whitespace();
        let (name, hash) =
            words.next().and_then(|word| word.split_once(':')).ok_or("it does not begin with name:sha256-in-hex")?;
        if !is_name(name) {
            return Err("its name is not of 1 to 64 letters, digits, - _ and .".to_owned());
        }
        let digest = digest(hash)
            .ok_or("what follows its name is not 64 hexadecimal digits: the SHA-256 of a key, not the key itself")?;
        let admin = rank == Rank::Admin;
        let mut caller = Caller { name: name.to_owned(), scope: name.to_owned(), routes: None, direct: admin, admin };
        let mut seen = Vec::new();
        for word in words {
            let (option, value) = word.split_once('=').ok_or("an option is not of the form routes=…, direct=… or scope=…")?;
            if seen.contains(&option) {
                return Err("an option is there twice".to_owned());
            }
            seen.push(option);
            match (option, value) {
                ("routes", list) if list.split(',').all(|route| !route.is_empty()) => {
                    caller.routes = Some(list.split(',').map(str::to_owned).collect());
                }
                ("routes", _) => return Err("routes= is not a list such as routes=smart,fast".to_owned()),
                ("direct", "yes") => caller.direct = true,
                ("direct", "no") => caller.direct = false,
                ("direct", _) => return Err("direct= is neither yes nor no".to_owned()),
                ("scope", scope) if is_name(scope) => scope.clone_into(&mut caller.scope),
                ("scope", _) => return Err("scope= is not of 1 to 64 letters, digits, - _ and .".to_owned()),
                _ => return Err("an option is none of routes, direct and scope".to_owned()),
            }
        }
        Ok(Self { caller, digest })
    }
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn digest(hex: &str) -> Option<[u8; 32]> {
    if hex.len() != 64 || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut digest = [0; 32];
    for (index, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(digest)
}
