//! A string that matches a regular expression, for the expressions that people write into schemas.
//!
//! Read are literals, escapes (`\d`, `\w`, `\s`, `\.`), classes with ranges and negation, groups, alternation, anchors
//! and every quantifier. Anything else (look-around, back references, Unicode properties) has no sample. The sample is
//! the shortest one that is long enough.

use std::iter::Peekable;
use std::str::Chars;

use super::MAX_TEXT;

/// How deep groups may be nested.
const MAX_DEPTH: usize = 50;

/// A string of at least `least` characters that matches `pattern`: the `nth` of them, as far as its character classes
/// allow for different ones. Nothing for a pattern that is not understood.
pub(super) fn sample(pattern: &str, least: usize, nth: usize) -> Option<String> {
    let mut parser = Parser { chars: pattern.chars().peekable(), depth: 0 };
    let node = parser.alternatives()?;
    if parser.chars.next().is_some() {
        return None;
    }
    // An unanchored pattern may match in the middle: what is too short is then made longer around it.
    let open_end = !pattern.ends_with('$') || pattern.ends_with("\\$");
    let (mut extra, mut step, mut before) = (0, 0, 0);
    loop {
        let mut writer = Writer { text: String::new(), length: 0, extra, nth };
        writer.write(&node)?;
        let short = least.saturating_sub(writer.length);
        if short == 0 {
            return Some(writer.text);
        }
        if extra > 0 && writer.length <= before {
            // More repetitions made it no longer.
            writer.text.extend(std::iter::repeat_n('a', short));
            return open_end.then_some(writer.text);
        }
        // One more repetition tells how much each adds.
        step = if extra == 0 { 1 } else { short.div_ceil((writer.length - before).div_ceil(step)) };
        before = writer.length;
        extra += step;
    }
}

#[derive(Debug)]
enum Node {
    Empty,
    Set(Vec<(char, char)>),
    Sequence(Vec<Node>),
    Either(Vec<Node>),
    Repeat(Box<Node>, usize, Option<usize>),
}

struct Parser<'a> {
    chars: Peekable<Chars<'a>>,
    depth: usize,
}

impl Parser<'_> {
    fn alternatives(&mut self) -> Option<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut branches = vec![self.sequence()?];
        while self.chars.next_if_eq(&'|').is_some() {
            branches.push(self.sequence()?);
        }
        self.depth -= 1;
        Some(if branches.len() == 1 { branches.pop()? } else { Node::Either(branches) })
    }

    fn sequence(&mut self) -> Option<Node> {
        let mut items = Vec::new();
        while self.chars.peek().is_some_and(|next| !matches!(next, '|' | ')')) {
            let atom = self.atom()?;
            items.push(self.quantified(atom)?);
        }
        Some(Node::Sequence(items))
    }

    fn atom(&mut self) -> Option<Node> {
        Some(match self.chars.next()? {
            '^' | '$' => Node::Empty,
            '.' => set(&[('a', 'z')]),
            '(' => {
                if self.chars.next_if_eq(&'?').is_some() {
                    self.group_kind()?;
                }
                let inner = self.alternatives()?;
                self.chars.next_if_eq(&')')?;
                inner
            }
            '[' => Node::Set(self.class()?),
            '\\' => Node::Set(self.escape()?),
            '*' | '+' | '?' => return None,
            literal => set(&[(literal, literal)]),
        })
    }

    /// What follows `(?`: a group without a number, or a named one.
    fn group_kind(&mut self) -> Option<()> {
        match self.chars.next()? {
            ':' => Some(()),
            'P' => {
                self.chars.next_if_eq(&'<')?;
                self.chars.by_ref().find(|next| *next == '>').map(|_| ())
            }
            '<' => {
                self.chars.next_if(|next| !matches!(next, '=' | '!'))?;
                self.chars.by_ref().find(|next| *next == '>').map(|_| ())
            }
            _ => None,
        }
    }

    /// The characters that an escape stands for; none for an anchor.
    fn escape(&mut self) -> Option<Vec<(char, char)>> {
        let ranges = match self.chars.next()? {
            'd' => vec![('0', '9')],
            'w' => vec![('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
            's' => vec![(' ', ' ')],
            'D' => vec![('a', 'z')],
            'W' => vec![('-', '-')],
            'S' => vec![('a', 'z'), ('0', '9')],
            'n' => vec![('\n', '\n')],
            't' => vec![('\t', '\t')],
            'r' => vec![('\r', '\r')],
            'A' | 'Z' | 'z' => Vec::new(),
            'u' => {
                let code: String = self.chars.by_ref().take(4).collect();
                let literal = char::from_u32(u32::from_str_radix(&code, 16).ok()?)?;
                vec![(literal, literal)]
            }
            other if other.is_ascii_alphanumeric() => return None,
            literal => vec![(literal, literal)],
        };
        Some(ranges)
    }

    fn class(&mut self) -> Option<Vec<(char, char)>> {
        let negated = self.chars.next_if_eq(&'^').is_some();
        let mut ranges = Vec::new();
        loop {
            let next = self.chars.next()?;
            if next == ']' && !ranges.is_empty() {
                break;
            }
            let mut low = match next {
                '\\' => self.escape()?,
                literal => vec![(literal, literal)],
            };
            let single = match low.as_slice() {
                [(first, last)] if first == last => Some(*first),
                _ => None,
            };
            if let Some(first) = single.filter(|_| self.chars.peek() == Some(&'-')) {
                let mut ahead = self.chars.clone();
                ahead.next();
                // A hyphen before the bracket is itself.
                if ahead.peek().is_some_and(|next| *next != ']') {
                    self.chars.next();
                    let last = match self.chars.next()? {
                        '\\' => self.escape()?.first()?.0,
                        literal => literal,
                    };
                    low = if first <= last { vec![(first, last)] } else { return None };
                }
            }
            ranges.append(&mut low);
        }
        if !negated {
            return Some(ranges);
        }
        let outside = |candidate: &char| !ranges.iter().any(|(low, high)| (low..=high).contains(&candidate));
        let candidates = ('a'..='z').chain('A'..='Z').chain('0'..='9').chain(" -_.,:;!?/".chars());
        let allowed: Vec<(char, char)> = candidates.filter(outside).map(|allowed| (allowed, allowed)).collect();
        (!allowed.is_empty()).then_some(allowed)
    }

    fn quantified(&mut self, atom: Node) -> Option<Node> {
        let (least, most) = match self.chars.peek() {
            Some('?') => (0, Some(1)),
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('{') => return self.counted(atom),
            _ => return Some(atom),
        };
        self.chars.next();
        Some(self.repeat(atom, least, most))
    }

    fn counted(&mut self, atom: Node) -> Option<Node> {
        self.chars.next();
        let least = self.digits()?;
        let most = if self.chars.next_if_eq(&',').is_some() {
            if self.chars.peek() == Some(&'}') { None } else { Some(self.digits()?) }
        } else {
            Some(least)
        };
        self.chars.next_if_eq(&'}')?;
        (least <= MAX_TEXT && most.is_none_or(|most| least <= most)).then(|| self.repeat(atom, least, most))
    }

    fn digits(&mut self) -> Option<usize> {
        let mut digits = String::new();
        while let Some(digit) = self.chars.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        digits.parse().ok()
    }

    fn repeat(&mut self, atom: Node, least: usize, most: Option<usize>) -> Node {
        // Lazy or possessive: the same strings match.
        let _ = self.chars.next_if(|next| matches!(next, '?' | '+'));
        Node::Repeat(Box::new(atom), least, most)
    }
}

fn set(ranges: &[(char, char)]) -> Node {
    Node::Set(ranges.to_vec())
}

struct Writer {
    text: String,
    length: usize,
    /// How many repetitions more than needed are still to be made.
    extra: usize,
    /// What is left of the number that tells samples apart.
    nth: usize,
}

impl Writer {
    fn write(&mut self, node: &Node) -> Option<()> {
        match node {
            Node::Empty => Some(()),
            Node::Set(ranges) => self.pick(ranges),
            Node::Sequence(items) => items.iter().try_for_each(|item| self.write(item)),
            Node::Either(branches) => {
                let branch = branches.get(self.nth % branches.len())?;
                self.nth /= branches.len();
                self.write(branch)
            }
            Node::Repeat(inner, least, most) => {
                let more = most.map_or(self.extra, |most| self.extra.min(most - least));
                self.extra -= more;
                for _ in 0..least + more {
                    self.write(inner)?;
                }
                Some(())
            }
        }
    }

    fn pick(&mut self, ranges: &[(char, char)]) -> Option<()> {
        if ranges.is_empty() {
            return Some(());
        }
        if self.length >= MAX_TEXT {
            return None;
        }
        let size = |(low, high): &(char, char)| (*high as usize).saturating_sub(*low as usize) + 1;
        let all: usize = ranges.iter().map(size).sum();
        let mut at = self.nth % all;
        self.nth /= all;
        for range in ranges {
            if at < size(range) {
                let code = u32::try_from(range.0 as usize + at).ok()?;
                // A range over the surrogates has a gap.
                self.text.push(char::from_u32(code).unwrap_or(range.0));
                self.length += 1;
                return Some(());
            }
            at -= size(range);
        }
        None
    }
}
