//! Characters beyond the basic plane that were split over two events of a stream.
//!
//! JSON writes such a character as two escapes (RFC 8259, section 7), and a server that cuts its text by UTF-16 units sends the first in one event and the second
//! in the next. No parser of whole texts takes either. So what could not be read is looked at for halves: one that ends a text waits for the next event, and goes
//! before the other half with which a text of that begins. A half without its other one is U+FFFD, or nothing where it waited in vain.

/// One half, as it is written.
type Half = String;

/// An event's data with all characters whole, and `waiting` the half that the last event ended in and that this one ends in. None where it has no halves.
pub(super) fn join(data: &str, waiting: &mut Option<Half>) -> Option<String> {
    let mut before = waiting.take();
    let (mut joined, mut changed) = (String::with_capacity(data.len() + 6), false);
    let mut rest = data;
    while let Some((text, escape)) = rest.split_once('\\') {
        joined.push_str(text);
        let begins = text.ends_with('"') || text.is_empty() && joined.ends_with('"');
        let Some(unit) = unit(escape) else {
            // Another escape: what is escaped begins none.
            let kind = escape.chars().next().map_or(0, char::len_utf8);
            let (kind, behind) = escape.split_at_checked(kind)?;
            joined.push('\\');
            joined.push_str(kind);
            rest = behind;
            continue;
        };
        let (written, behind) = escape.split_at_checked(5)?;
        rest = behind;
        let second = behind.strip_prefix('\\').filter(|next| self::unit(next).is_some_and(is_second));
        match (is_first(unit), second.and_then(|next| next.split_at_checked(5))) {
            (true, Some((second, behind))) => {
                joined.extend(["\\", written, "\\", second]);
                rest = behind;
                continue;
            }
            (true, None) if behind.starts_with('"') && waiting.is_none() => *waiting = Some(format!("\\{written}")),
            (false, _) if is_second(unit) && begins && before.is_some() => {
                joined.extend(before.take());
                joined.extend(["\\", written]);
            }
            (false, _) if !is_second(unit) => {
                joined.extend(["\\", written]);
                continue;
            }
            _ => joined.push('\u{fffd}'),
        }
        changed = true;
    }
    joined.push_str(rest);
    changed.then_some(joined)
}

/// The UTF-16 unit that an escape stands for, behind its backslash.
fn unit(escape: &str) -> Option<u16> {
    let digits = escape.strip_prefix('u')?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

const fn is_first(unit: u16) -> bool {
    matches!(unit, 0xd800..=0xdbff)
}

const fn is_second(unit: u16) -> bool {
    matches!(unit, 0xdc00..=0xdfff)
}

#[cfg(test)]
mod tests {
    use super::join;

    /// Data, what waited, what the data becomes, what waits.
    type Row = (&'static str, Option<&'static str>, Option<&'static str>, Option<&'static str>);

    #[test]
    fn halves_wait_for_each_other() {
        let rows: [Row; 12] = [
            (r#"{"a":"x"}"#, None, None, None),
            (r#"{"a":"\ud83d\uDE00"}"#, None, None, None),
            (r#"{"a":"x\ud83d"}"#, None, Some(r#"{"a":"x"}"#), Some(r"\ud83d")),
            (r#"{"a":"\ude00y"}"#, Some(r"\ud83d"), Some(r#"{"a":"\ud83d\ude00y"}"#), None),
            (
                r#"{"b":"z","a":"\ude00y","c":"\ude00"}"#,
                Some(r"\ud83d"),
                Some("{\"b\":\"z\",\"a\":\"\\ud83d\\ude00y\",\"c\":\"\u{fffd}\"}"),
                None,
            ),
            (r#"{"a":"y\ude00"}"#, Some(r"\ud83d"), Some("{\"a\":\"y\u{fffd}\"}"), None),
            (r#"{"a":"\ude00"}"#, None, Some("{\"a\":\"\u{fffd}\"}"), None),
            (r#"{"a":"\ud83dx"}"#, None, Some("{\"a\":\"\u{fffd}x\"}"), None),
            (r#"{"a":"\ude00x\ud83d"}"#, Some(r"\ud83d"), Some(r#"{"a":"\ud83d\ude00x"}"#), Some(r"\ud83d")),
            (r#"{"a":"y"}"#, Some(r"\ud83d"), None, None),
            (r#"{"a":"\\ud83d"}"#, None, None, None),
            (r#"{"a":"\"\n\u00e9\\"}"#, None, None, None),
        ];
        for (data, waited, joined, waits) in rows {
            let mut waiting = waited.map(str::to_owned);
            assert_eq!(join(data, &mut waiting).as_deref(), joined, "{data}");
            assert_eq!(waiting.as_deref(), waits, "{data}");
        }
        // What is no JSON at all does no harm.
        for data in ["\\", "\"\\u", "\\ud83", "\\é", "\\ud83d"] {
            join(data, &mut None);
        }
    }
}
