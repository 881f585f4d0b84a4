//! What a frame of server-sent events says (WHATWG HTML, section 9.2.6).

use std::borrow::Cow;

/// A frame's data: its `data` fields joined by line feeds; none where it has none, as a comment or a lone `event` has.
#[inline]
#[must_use]
pub fn data(frame: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut found: Option<Cow<'_, [u8]>> = None;
    for value in lines(frame).filter_map(|line| field(line, b"data")) {
        match &mut found {
            None => found = Some(Cow::Borrowed(value)),
            Some(joined) => {
                let joined = joined.to_mut();
                joined.push(b'\n');
                joined.extend_from_slice(value);
            }
        }
    }
    found
}

/// A frame's `event` field, the last where there are several.
#[inline]
#[must_use]
pub fn event(frame: &[u8]) -> Option<&[u8]> {
    lines(frame).filter_map(|line| field(line, b"event")).last()
}

#[inline]
fn lines(frame: &[u8]) -> impl Iterator<Item = &[u8]> {
    let frame = frame.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(frame);
    frame.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.is_empty())
}

/// The value of the field `name` in a line, without the one space that may stand before it.
#[inline]
fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let rest = line.strip_prefix(name)?;
    if rest.is_empty() {
        return Some(rest);
    }
    let value = rest.strip_prefix(b":")?;
    Some(value.strip_prefix(b" ").unwrap_or(value))
}
