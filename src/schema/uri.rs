//! References of URIs, as far as schemas have them (RFC 3986, section 5.2).

/// A reference without a fragment, within a document at `base`, as a whole URI.
pub(crate) fn resolve(base: &str, reference: &str) -> String {
    if reference.is_empty() {
        return base.to_owned();
    }
    if has_scheme(reference) {
        return reference.to_owned();
    }
    let scheme = if has_scheme(base) { base.find(':').map_or(0, |colon| colon + 1) } else { 0 };
    let (scheme, rest) = base.split_at(scheme);
    if reference.starts_with("//") {
        return scheme.to_owned() + reference;
    }
    let authority = rest.strip_prefix("//").map_or(0, |rest| 2 + rest.find('/').unwrap_or(rest.len()));
    let (authority, path) = rest.split_at(authority);
    let is_rooted = !authority.is_empty() || path.starts_with('/') || reference.starts_with('/');
    let folder = if reference.starts_with('/') { "" } else { path.rfind('/').map_or("", |slash| path.split_at(slash).0) };
    let mut whole = scheme.to_owned() + authority + if is_rooted { "/" } else { "" };
    let start = whole.len();
    let mut is_folder = false;
    let folders = folder.split('/').filter(|segment| !segment.is_empty());
    for segment in folders.chain(reference.strip_prefix('/').unwrap_or(reference).split('/')) {
        is_folder = segment == "." || segment == "..";
        if segment == ".." {
            let above = whole.strip_suffix('/').unwrap_or(&whole).rfind('/').map_or(start, |slash| slash + 1);
            whole.truncate(above.max(start));
        } else if segment != "." {
            whole.push_str(segment);
            whole.push('/');
        }
    }
    if !is_folder {
        whole.pop();
    }
    whole
}

/// The part before the fragment, and the fragment.
pub(crate) fn split(uri: &str) -> (&str, &str) {
    uri.split_once('#').unwrap_or((uri, ""))
}

fn has_scheme(reference: &str) -> bool {
    reference.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

/// A fragment without percent-encoding; itself where that is broken.
pub(crate) fn decoded(fragment: &str) -> String {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let digit = |place: usize| others.get(place).and_then(|digit| char::from(*digit).to_digit(16));
        let code = digit(0).zip(digit(1)).and_then(|(high, low)| u8::try_from(high << 4 | low).ok());
        rest = others;
        if let Some(code) = code.filter(|_| *first == b'%') {
            bytes.push(code);
            rest = others.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| fragment.to_owned())
}

#[cfg(test)]
mod tests {
    use super::resolve;

    /// Those of RFC 3986, section 5.4, that have no query, and those of schemas.
    #[test]
    fn references() {
        let table = [
            ("http://a/b/c/d", "g", "http://a/b/c/g"),
            ("http://a/b/c/d", "./g", "http://a/b/c/g"),
            ("http://a/b/c/d", "g/", "http://a/b/c/g/"),
            ("http://a/b/c/d", "/g", "http://a/g"),
            ("http://a/b/c/d", "//g", "http://g"),
            ("http://a/b/c/d", "", "http://a/b/c/d"),
            ("http://a/b/c/d", ".", "http://a/b/c/"),
            ("http://a/b/c/d", "..", "http://a/b/"),
            ("http://a/b/c/d", "../g", "http://a/b/g"),
            ("http://a/b/c/d", "../..", "http://a/"),
            ("http://a/b/c/d", "../../g", "http://a/g"),
            ("http://a/b/c/d", "../../../g", "http://a/g"),
            ("http://a/b/c/d", "./g/.", "http://a/b/c/g/"),
            ("http://a/b/c/d", "g/../h", "http://a/b/c/h"),
            ("http://a/b/c/d", "g:h", "g:h"),
            ("http://a", "g", "http://a/g"),
            ("http://a/", "g/h.json", "http://a/g/h.json"),
            ("", "g.json", "g.json"),
            ("", "/g.json", "/g.json"),
            ("folder/a.json", "g.json", "folder/g.json"),
            ("file:///folder/a.json", "g.json", "file:///folder/g.json"),
            ("urn:uuid:1", "", "urn:uuid:1"),
            ("urn:uuid:1", "urn:uuid:2", "urn:uuid:2"),
        ];
        for (base, reference, whole) in table {
            assert_eq!(resolve(base, reference), whole, "{reference} within {base}");
        }
    }
}
