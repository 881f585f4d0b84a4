//! Route names with `*`, which stands for any run of characters, none included.

/// Whether a route's name is a pattern.
pub(super) fn is_pattern(name: &str) -> bool {
    name.contains('*')
}

/// What is wrong with a route's name, in words.
pub(super) fn problem(name: &str) -> Option<&'static str> {
    let odd = |letter: char| !letter.is_ascii_graphic() || matches!(letter, '"' | '\'' | '`' | ',' | '=' | '\\');
    if name.is_empty() || name.len() > MAX_NAME {
        Some("a route's name has 1 to 128 characters")
    } else if name.chars().any(odd) {
        Some("a route's name is of visible ASCII characters without quotes, comma, equals sign and backslash")
    } else if name.contains(['?', '[', ']', '{', '}']) {
        Some("the only wildcard in a route's name is *")
    } else if name.contains("**") {
        Some("** says no more than *")
    } else if name == "*" {
        Some("* alone would take every name; the route that takes what nothing else does is called default")
    } else {
        None
    }
}

/// Longer than any model's name in use.
const MAX_NAME: usize = 128;

/// How specific a pattern is: the characters that it decides.
pub(super) fn literal(pattern: &str) -> usize {
    pattern.bytes().filter(|byte| *byte != b'*').count()
}

/// Whether `name` is of the form of `pattern`.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    // Taking each part where it is first found leaves the most for the parts after it.
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let rows = [
            ("claude-*", "claude-", true),
            ("claude-*", "claude-sonnet-4-5", true),
            ("claude-*", "claude", false),
            ("claude-*", "my-claude-x", false),
            ("*-mini", "gpt-4o-mini", true),
            ("*-mini", "gpt-4o-minima", false),
            ("gpt-*-mini", "gpt-4o-mini", true),
            ("gpt-*-mini", "gpt-mini", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "axbxbxc", true),
            ("a*b*c", "acb", false),
            ("openai/*", "openai/gpt-4o", true),
            ("plain", "plain", true),
            ("plain", "plainer", false),
        ];
        for (pattern, name, expected) in rows {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        assert!(literal("gpt-4o*") > literal("gpt-*"));
    }
}
