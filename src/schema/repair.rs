//! Free repair: finds the JSON in what a model wrote where JSON was wanted, and adds the closing brackets that it forgot. Nothing else is ever
//! added, and nothing within the JSON is taken away: what is returned says what the model said.

use std::borrow::Cow;

use serde_json::Value;

use crate::prefix::syntax::Syntax;

/// How many pieces of a text are judged: checks cost, and a text of a hundred pieces has no answer in it.
const TRIES: u32 = 32;

/// How a text ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// The model had said what it wanted to.
    Stop,
    /// It was cut at its limit of tokens: what is open stays open. An array that lost its last items would be valid, and a lie.
    Cut,
}

/// The JSON in `text`, and its value, if there is some that `is_valid`. Tried in this order:
///
/// 1. All of it, but for whitespace and a byte order mark.
/// 2. What is in a Markdown fence. The last one first: a model that shows several corrects itself. A last one that is not closed counts
///    if the model finished; if it was cut, what it meant to say last is lost, and no earlier fence is taken in its stead.
/// 3. The first object or array between other words. Here the first, as models run on past the end of an answer, and make up the next question
///    and its answer. Never a part of an object or array that is JSON itself, or that is not closed. If the model was cut, something must follow.
/// 4. If the model finished after a whole value within objects and arrays, these closed: in a fence, or at the text's end.
///
/// Scalars are taken by the first two only: in chatter, every number would be one.
pub fn repaired<'a>(
    text: &'a str,
    finished: Finished,
    is_valid: &mut dyn FnMut(&Value) -> bool,
) -> Option<(Cow<'a, str>, Value)> {
    let mut judge = Judge { is_valid, left: TRIES };
    let cut = finished == Finished::Cut;
    let whole = trimmed(text);
    if let Some(value) = judge.value(whole) {
        // More digits may have been to come.
        let unsure = cut && value.is_number() && text.ends_with(|last: char| last.is_ascii_digit());
        return (!unsure).then_some((Cow::Borrowed(whole), value));
    }
    let (mut fences, open) = fences(whole);
    if let Some(inside) = open {
        if cut {
            fences.clear();
        } else {
            fences.push(inside);
        }
    }
    for inside in fences.iter().rev() {
        if let Some(value) = judge.value(inside) {
            return Some((Cow::Borrowed(inside), value));
        }
    }
    let (found, open) = scan(if cut { open.unwrap_or(whole) } else { whole }, cut, &mut judge);
    if cut {
        return found.filter(|_| open.is_none());
    }
    if found.is_some() {
        return found;
    }
    fences.insert(0, open.unwrap_or_default());
    for inside in fences.iter().rev() {
        if let Some(closed) = closed(inside)
            && let Some(value) = judge.value(&closed)
        {
            return Some((Cow::Owned(closed), value));
        }
    }
    None
}

struct Judge<'a> {
    is_valid: &'a mut dyn FnMut(&Value) -> bool,
    left: u32,
}

impl Judge<'_> {
    /// The value that the text is, if it is one and valid.
    fn value(&mut self, text: &str) -> Option<Value> {
        if self.left == 0 {
            return None;
        }
        let value = serde_json::from_str(text).ok()?;
        self.left -= 1;
        (self.is_valid)(&value).then_some(value)
    }
}

fn trimmed(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('\u{feff}').map_or(text, str::trim)
}

/// What is in the last fences that are closed, and in one that is not. Strings of JSON have no line breaks, so that what looks like a fence
/// within JSON is none of its own.
fn fences(text: &str) -> (Vec<&str>, Option<&str>) {
    let mut closed = Vec::new();
    let mut open: Option<(&str, usize)> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        let rest = bare.trim_start_matches(if bare.starts_with('~') { '~' } else { '`' });
        let mark = bare.get(..bare.len() - rest.len()).unwrap_or_default();
        match open {
            Some((opening, from)) if rest.is_empty() && mark.starts_with(opening) => {
                if closed.len() >= TRIES as usize {
                    closed.remove(0);
                }
                closed.push(trimmed(text.get(from..at).unwrap_or_default()));
                open = None;
            }
            None if mark.len() >= 3 && !rest.contains('`') => open = Some((mark, at + line.len())),
            _ => {}
        }
        at += line.len();
    }
    (closed, open.map(|(_, from)| trimmed(text.get(from..).unwrap_or_default())))
}

/// The first valid object or array among other words, and the one at the end that is not closed. Reads every byte once: what follows a piece
/// that is not JSON is looked for where it stopped being JSON, not in it.
fn scan<'a>(text: &'a str, cut: bool, judge: &mut Judge) -> (Option<(Cow<'a, str>, Value)>, Option<&'a str>) {
    let mut found = None;
    let mut start = None;
    let mut syntax = Syntax::new();
    for (at, byte) in text.bytes().enumerate() {
        if start.is_some() && !syntax.reads(byte) {
            start = None;
        }
        let Some(from) = start else {
            // Where one ended another may begin.
            if matches!(byte, b'{' | b'[') {
                syntax = Syntax::new();
                syntax.reads(byte);
                start = Some(at);
            }
            continue;
        };
        if !syntax.is_done() {
            continue;
        }
        start = None;
        // If the text was cut, more than this may have been to come.
        let (Some(piece), false) = (text.get(from..=at), found.is_some() || cut && at + 1 == text.len()) else { continue };
        if let Some(value) = judge.value(piece) {
            found = Some((Cow::Borrowed(piece), value));
            if !cut {
                return (found, None);
            }
        }
    }
    (found, start.and_then(|from| text.get(from..)))
}

/// The text, which is an object or array to its end, with the brackets that are missing there.
fn closed(text: &str) -> Option<String> {
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let mut syntax = Syntax::new();
    let json = text.bytes().all(|byte| syntax.reads(byte));
    let missing = syntax.missing().filter(|_| json)?;
    Some(text.to_owned() + &missing)
}
