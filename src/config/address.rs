//! A provider's address: everything of a URL before the endpoint's own path.
//!
//! It may hold placeholders, `{NAME}`, for parts that belong to an account rather than to a provider; they are filled from the bindings
//! at start. What fills one is checked, as it must not be able to turn the address into another.

/// Checks an address, and gives it without the slash at its end. The error says what is allowed, without what was found where that may hold
/// a password.
pub(super) fn check(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else {
        return Err(match text.split_once("://") {
            Some((scheme, _)) => format!("found the scheme {scheme:?}; allowed is https:// or http://"),
            None => "found no scheme; allowed is an address such as \"https://llm.example.com/v1\"".to_owned(),
        });
    };
    let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    if authority.contains('@') {
        return Err("found credentials in an address; allowed is a secret's name in key".to_owned());
    }
    if rest.contains('?') || rest.contains('#') {
        return Err("found a query or a fragment; allowed is an address without".to_owned());
    }
    if let Some(odd) = rest.chars().find(|letter| !is_plain(*letter) && !"{}[]%".contains(*letter)) {
        return Err(format!("found the character {odd:?}; allowed is an address such as \"https://llm.example.com/v1\""));
    }
    placeholders(text)?;
    if !is_authority(authority) {
        return Err(format!("found the host {authority:?}; allowed is a name or an IP address, and a port from 1 to 65535"));
    }
    let path = path.trim_end_matches('/');
    for endpoint in ["/chat/completions", "/responses", "/messages", "/embeddings"] {
        if path.ends_with(endpoint) {
            return Err(format!("found {endpoint} at its end; allowed is the address before it"));
        }
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// What may stand anywhere in an address, without a meaning of its own there (RFC 3986, unreserved, and the commonest of the rest).
fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-._~/:@!$&+,;=".contains(letter)
}

fn is_authority(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let port_is_right = port
        .is_none_or(|port| port.bytes().all(|digit| digit.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0));
    let host_is_right = match host.strip_prefix('[') {
        Some(address) => address.strip_suffix(']').is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok()),
        None => !host.is_empty() && host.chars().all(|letter| letter.is_ascii_alphanumeric() || "-._{}".contains(letter)),
    };
    port_is_right && host_is_right
}

/// The names in an address's placeholders.
fn placeholders(text: &str) -> Result<Vec<&str>, String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find(['{', '}']) {
        let after = rest.get(open..).unwrap_or_default();
        let name = after.strip_prefix('{').and_then(|after| after.split_once('}'));
        let Some((name, following)) = name.filter(|(name, _)| is_binding(name)) else {
            return Err(
                "found a brace that is no placeholder; allowed is {NAME}, with the name of a variable or a secret".to_owned()
            );
        };
        names.push(name);
        rest = following;
    }
    Ok(names)
}

/// Whether this can be the name of a variable or a secret. Workers would take small letters too; that keys have them, and names by custom
/// do not, is what tells a key that was pasted in place of its name.
pub(super) fn is_binding(name: &str) -> bool {
    let first = name.bytes().next();
    first.is_some_and(|first| first.is_ascii_uppercase() || first == b'_')
        && name.len() <= MAX_BINDING
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Far longer than any name in use; API keys, which are pasted here by mistake, are often longer.
const MAX_BINDING: usize = 64;

/// An address with its placeholders filled from the bindings; or the names of those that are not set, or whose text cannot
/// stand in an address.
pub fn fill(address: &str, text: &dyn Fn(&str) -> Option<String>) -> Result<String, Vec<String>> {
    let names = placeholders(address).unwrap_or_default();
    let mut filled = address.to_owned();
    let mut missing = Vec::new();
    for name in names {
        match text(name).map(|text| text.trim().to_owned()).filter(|text| is_filling(text)) {
            Some(text) => filled = filled.replace(&format!("{{{name}}}"), &text),
            None => missing.push(name.to_owned()),
        }
    }
    if missing.is_empty() { Ok(filled) } else { Err(missing) }
}

/// A filling is a name: without slash, colon or dot segment it can lead nowhere else.
fn is_filling(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('.')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let rows = [
            ("https://llm.example.com/v1", Ok("https://llm.example.com/v1")),
            ("https://llm.example.com/v1//", Ok("https://llm.example.com/v1")),
            ("http://127.0.0.1:11434/v1", Ok("http://127.0.0.1:11434/v1")),
            ("http://[::1]:8080", Ok("http://[::1]:8080")),
            ("http://[::1]", Ok("http://[::1]")),
            ("https://{REGION}.example.com/{ACCOUNT}/v1", Ok("https://{REGION}.example.com/{ACCOUNT}/v1")),
            ("llm.example.com", Err("found no scheme; allowed is an address such as \"https://llm.example.com/v1\"")),
            ("ftp://example.com", Err("found the scheme \"ftp\"; allowed is https:// or http://")),
            ("https://me:pass@example.com", Err("found credentials in an address; allowed is a secret's name in key")),
            ("https://example.com?key=1", Err("found a query or a fragment; allowed is an address without")),
            ("https://example.com/v1#x", Err("found a query or a fragment; allowed is an address without")),
            ("https:///v1", Err("found the host \"\"; allowed is a name or an IP address, and a port from 1 to 65535")),
            ("https://a:0/v1", Err("found the host \"a:0\"; allowed is a name or an IP address, and a port from 1 to 65535")),
            ("https://a:+1", Err("found the host \"a:+1\"; allowed is a name or an IP address, and a port from 1 to 65535")),
            ("https://[::g]", Err("found the host \"[::g]\"; allowed is a name or an IP address, and a port from 1 to 65535")),
            ("https://a b", Err("found the character ' '; allowed is an address such as \"https://llm.example.com/v1\"")),
            (
                "https://a/{}",
                Err("found a brace that is no placeholder; allowed is {NAME}, with the name of a variable or a secret"),
            ),
            (
                "https://a/{A",
                Err("found a brace that is no placeholder; allowed is {NAME}, with the name of a variable or a secret"),
            ),
            (
                "https://a/A}",
                Err("found a brace that is no placeholder; allowed is {NAME}, with the name of a variable or a secret"),
            ),
            ("https://a/v1/chat/completions", Err("found /chat/completions at its end; allowed is the address before it")),
        ];
        for (text, expected) in rows {
            assert_eq!(check(text), expected.map(str::to_owned).map_err(str::to_owned), "{text}");
        }
    }

    #[test]
    fn placeholders_are_filled() {
        let bindings = |name: &str| match name {
            "ACCOUNT" => Some(" 0a1b-c_2.d\n".to_owned()),
            "EMPTY" => Some("  ".to_owned()),
            "SLASH" => Some("a/../b".to_owned()),
            "HOST" => Some("evil.example#".to_owned()),
            "UP" => Some("..".to_owned()),
            _ => None,
        };
        let rows = [
            ("https://a.example/v1", Ok("https://a.example/v1")),
            ("https://{ACCOUNT}.example/{ACCOUNT}/v1", Ok("https://0a1b-c_2.d.example/0a1b-c_2.d/v1")),
            ("https://a/{EMPTY}/{ACCOUNT}/{SLASH}/{HOST}/{UP}/{NONE}", Err(vec!["EMPTY", "SLASH", "HOST", "UP", "NONE"])),
        ];
        for (address, expected) in rows {
            let expected =
                expected.map(str::to_owned).map_err(|names| names.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(fill(address, &bindings), expected, "{address}");
        }
    }
}
