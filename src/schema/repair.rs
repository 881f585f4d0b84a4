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

/// The JSON in `text`, and its value, if there is some that `is_valid`, and no other: two that differ are a guess, and models that correct themselves say
/// the right one last, while those that run on past the end of an answer say it first. Looked for in this order:
///
/// 1. All of it, but for whitespace and a byte order mark; then all of it behind `<think>…</think>` (or its end alone). What stands in there is never looked at
///    again.
/// 2. What is in a Markdown fence. One that is not closed counts if the model finished; if it was cut, what it meant to say last is lost, and no earlier
///    fence is taken in its stead.
/// 3. An object or array between other words. Never a part of an object or array that is JSON itself, or that is not closed. If the model was cut,
///    something must follow.
/// 4. If the model finished after a whole value within objects and arrays, these closed: in a fence, or at the text's end.
///
/// Scalars are taken by the first two only: in chatter, every number would be one. Where there is an object or array that is deeper than is read, nothing is
/// found: it may be the answer.
pub fn repaired<'a>(
    text: &'a str,
    finished: Finished,
    is_valid: &mut dyn FnMut(&Value) -> bool,
) -> Option<(Cow<'a, str>, Value)> {
    let mut judge = Judge { is_valid, left: TRIES, found: None, is_guess: false };
    search(text, finished, &mut judge);
    judge.found.filter(|_| !judge.is_guess)
}

/// What a text shows that may have been meant as its answer, for those who tell what is wrong with it: of several the one in the last fence, or the first.
#[must_use]
pub fn shown(text: &str, finished: Finished) -> Option<Value> {
    let mut judge = Judge { is_valid: &mut |_| true, left: TRIES, found: None, is_guess: false };
    search(text, finished, &mut judge);
    judge.found.map(|(_, value)| value)
}

fn search<'a>(text: &'a str, finished: Finished, judge: &mut Judge<'a, '_>) {
    let cut = finished == Finished::Cut;
    let mut whole = trimmed(text);
    if ["<think>", "<thinking>"].iter().any(|tag| whole.starts_with(tag)) {
        let Some(said) = behind_thoughts(whole) else { return };
        whole = said;
    }
    judge.offer(Cow::Borrowed(whole));
    // Some templates open the thoughts in the prompt, so that their end alone is in the answer (https://github.com/vllm-project/vllm/issues/13125).
    if judge.found.is_none()
        && let Some(said) = behind_thoughts(whole)
    {
        whole = said;
        judge.offer(Cow::Borrowed(whole));
    }
    if let Some((_, value)) = &judge.found {
        // More digits may have been to come.
        judge.is_guess = cut && value.is_number() && text.ends_with(|last: char| last.is_ascii_digit());
        return;
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
        judge.offer(Cow::Borrowed(inside));
    }
    let in_fence = judge.found.is_some();
    let open = scan(if cut { open.unwrap_or(whole) } else { whole }, cut, judge);
    if cut {
        judge.is_guess |= open.is_some() && !in_fence;
        return;
    }
    fences.insert(0, open.unwrap_or_default());
    for inside in fences.iter().rev() {
        if let Some(closed) = closed(inside) {
            judge.offer(Cow::Owned(closed));
        }
    }
}

struct Judge<'a, 'b> {
    is_valid: &'b mut dyn FnMut(&Value) -> bool,
    left: u32,
    /// The first that is valid.
    found: Option<(Cow<'a, str>, Value)>,
    /// Whether another one is, or may be.
    is_guess: bool,
}

impl<'a> Judge<'a, '_> {
    fn offer(&mut self, text: Cow<'a, str>) {
        if self.found.as_ref().is_some_and(|(found, _)| found.as_ptr() == text.as_ptr() && found.len() == text.len()) {
            return;
        }
        if self.left == 0 {
            self.is_guess = true;
            return;
        }
        let Ok(value) = serde_json::from_str(&text) else { return };
        self.left -= 1;
        if !(self.is_valid)(&value) {
            return;
        }
        match &self.found {
            None => self.found = Some((text, value)),
            Some((_, found)) => self.is_guess |= *found != value,
        }
    }
}

/// What was said behind the last thoughts.
fn behind_thoughts(text: &str) -> Option<&str> {
    let behind = |tag: &str| text.rsplit_once(tag).map(|(_, said)| said);
    let (one, other) = (behind("</think>"), behind("</thinking>"));
    // The shorter is the later.
    one.into_iter().chain(other).min_by_key(|said| said.len()).map(trimmed)
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

/// Offers the objects and arrays among other words; the one at the end that is not closed is returned. Reads every byte once: what follows a piece that is
/// not JSON is looked for where it stopped being JSON, not in it.
fn scan<'a>(text: &'a str, cut: bool, judge: &mut Judge<'a, '_>) -> Option<&'a str> {
    let mut start = None;
    let mut syntax = Syntax::new();
    for (at, byte) in text.bytes().enumerate() {
        if start.is_some() && !syntax.reads(byte) {
            if syntax.is_too_deep(byte) {
                // It may be JSON, which nobody here can read, and what follows a part of it.
                judge.is_guess = true;
                return None;
            }
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
        // If the text was cut, more than this may have been to come.
        if cut && at + 1 == text.len() {
            break;
        }
        start = None;
        if let Some(piece) = text.get(from..=at) {
            judge.offer(Cow::Borrowed(piece));
        }
    }
    start.and_then(|from| text.get(from..))
}

/// The text, which is an object or array to its end, with the brackets that are missing there.
fn closed(text: &str) -> Option<String> {
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let mut syntax = Syntax::new();
    let json = text.bytes().all(|byte| syntax.reads(byte));
    let missing = syntax.missing().filter(|missing| json && !missing.is_empty())?;
    Some(text.to_owned() + &missing)
}
