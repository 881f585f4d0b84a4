//! References of URIs, as far as schemas have them (RFC 3986, section 5.2).

/// A reference within a document at `base`, as a whole URI.
pub(crate) fn resolve(base: &str, reference: &str) -> String {
    let (base, _) = split(base);
    if reference.is_empty() || reference.starts_with('#') {
        return format!("{base}{reference}");
    }
    if has_scheme(reference) {
        return reference.to_owned();
    }
    let Some((scheme, rest)) = base.split_once(':') else {
        return if reference.starts_with('/') { reference.to_owned() } else { merged(base, reference) };
    };
    if reference.starts_with("//") {
        return format!("{scheme}:{reference}");
    }
    let Some(rest) = rest.strip_prefix("//") else { return format!("{scheme}:{}", merged(rest, reference)) };
    let (authority, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
    let path = if reference.starts_with('/') { reference.to_owned() } else { merged(path, reference) };
    format!("{scheme}://{authority}{path}")
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

/// A path in the folder of another, without dots.
fn merged(base: &str, reference: &str) -> String {
    let folder = base.rfind('/').map_or("", |slash| base.get(..=slash).unwrap_or_default());
    let (reference, fragment) = reference.find('#').map_or((reference, ""), |hash| reference.split_at(hash));
    let mut segments: Vec<&str> = Vec::new();
    let joined = format!("{folder}{reference}");
    for segment in joined.split('/') {
        match segment {
            "." => {}
            ".." if segments.len() > 1 => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    format!("{}{fragment}", segments.join("/"))
}

/// A fragment without percent-encoding; itself where that is broken.
pub(crate) fn decoded(fragment: &str) -> String {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let code = others.get(..2).filter(|_| *first == b'%').and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = others.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| fragment.to_owned())
}
