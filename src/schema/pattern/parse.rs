//! A pattern's text as what it says (ECMA-262, section 22.2.1).

use std::iter::Peekable;
use std::str::Chars;

use super::property::{Property, is_word};
use super::set::Set;

/// How deep groups may be nested.
const MOST_DEPTH: usize = 50;

/// The largest number of a counted repetition; beyond it the states would be too many in any case.
const MOST_TIMES: u32 = 10_000;

#[derive(Debug)]
pub(super) enum Syntax {
    /// One character of a set.
    Set(u16),
    Assert(Assert),
    /// What must come next, or before; or must not.
    Look {
        inner: Box<Self>,
        ahead: bool,
        negated: bool,
    },
    Sequence(Vec<Self>),
    Either(Vec<Self>),
    Repeat(Box<Self>, u32, Option<u32>),
}

/// What holds between two characters.
#[derive(Clone, Copy, Debug)]
pub(super) enum Assert {
    Start,
    End,
    WordBoundary,
    NoWordBoundary,
}

impl Assert {
    pub(super) fn holds(self, before: Option<char>, after: Option<char>) -> bool {
        let boundary = || before.is_some_and(is_word) != after.is_some_and(is_word);
        match self {
            Self::Start => before.is_none(),
            Self::End => after.is_none(),
            Self::WordBoundary => boundary(),
            Self::NoWordBoundary => !boundary(),
        }
    }
}

/// Reads a pattern, and the sets that it is made of.
pub(super) fn parse(text: &str) -> Result<(Syntax, Vec<Set>), String> {
    let mut parser = Parser { chars: text.chars().peekable(), sets: Vec::new(), depth: 0 };
    let syntax = parser.either()?;
    match parser.chars.next() {
        None => Ok((syntax, parser.sets)),
        Some(_) => Err("the pattern has a ')' without a '('".to_owned()),
    }
}

struct Parser<'t> {
    chars: Peekable<Chars<'t>>,
    sets: Vec<Set>,
    depth: usize,
}

impl Parser<'_> {
    fn either(&mut self) -> Result<Syntax, String> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(format!("the pattern's groups are nested more than {MOST_DEPTH} deep"));
        }
        let mut branches = vec![self.sequence()?];
        while self.chars.next_if_eq(&'|').is_some() {
            branches.push(self.sequence()?);
        }
        self.depth -= 1;
        Ok(Syntax::Either(branches))
    }

    fn sequence(&mut self) -> Result<Syntax, String> {
        let mut parts = Vec::new();
        loop {
            if self.chars.peek() == Some(&'{') && self.counted()?.is_some() {
                return Err("the pattern has a repetition with nothing to repeat".to_owned());
            }
            let Some(next) = self.chars.next_if(|next| !matches!(next, '|' | ')')) else { break };
            let atom = self.atom(next)?;
            parts.push(self.quantified(atom)?);
        }
        Ok(Syntax::Sequence(parts))
    }

    /// Of each character of a pattern there is a set at most, and a pattern is short.
    fn set(&mut self, set: Set) -> Syntax {
        let place = u16::try_from(self.sets.len()).unwrap_or(u16::MAX);
        self.sets.push(set);
        Syntax::Set(place)
    }

    fn atom(&mut self, first: char) -> Result<Syntax, String> {
        Ok(match first {
            '^' => Syntax::Assert(Assert::Start),
            '$' => Syntax::Assert(Assert::End),
            '.' => {
                let mut set = Set { negated: true, ..Set::default() };
                set.ranges.extend([('\n', '\n'), ('\r', '\r'), ('\u{2028}', '\u{2029}')]);
                self.set(set)
            }
            '(' => {
                let look = if self.chars.next_if_eq(&'?').is_some() { self.group()? } else { None };
                let inner = self.either()?;
                if self.chars.next() != Some(')') {
                    return Err("the pattern has a '(' that is not closed".to_owned());
                }
                match look {
                    Some((ahead, negated)) => Syntax::Look { inner: Box::new(inner), ahead, negated },
                    None => inner,
                }
            }
            '[' => {
                let set = self.class()?;
                self.set(set)
            }
            '\\' => match self.chars.peek() {
                Some('b') => {
                    self.chars.next();
                    Syntax::Assert(Assert::WordBoundary)
                }
                Some('B') => {
                    self.chars.next();
                    Syntax::Assert(Assert::NoWordBoundary)
                }
                _ => {
                    let mut set = Set::default();
                    self.escape(&mut set)?;
                    self.set(set)
                }
            },
            '*' | '+' | '?' => return Err(format!("the pattern has a '{first}' with nothing to repeat")),
            literal => {
                let mut set = Set::default();
                set.ranges.push((literal, literal));
                self.set(set)
            }
        })
    }

    /// What follows `(?`: a group without a number, or one with a name; or one that looks around: whether ahead, and whether for what must not be there.
    fn group(&mut self) -> Result<Option<(bool, bool)>, String> {
        match (self.chars.next(), self.chars.peek().copied()) {
            (Some(':'), _) => Ok(None),
            (Some('<'), Some(sign @ ('=' | '!'))) => {
                self.chars.next();
                Ok(Some((false, sign == '!')))
            }
            (Some('<'), _) => {
                let closed = self.chars.by_ref().any(|next| next == '>');
                if closed { Ok(None) } else { Err("the pattern has a group whose name is not closed".to_owned()) }
            }
            (Some(sign @ ('=' | '!')), _) => Ok(Some((true, sign == '!'))),
            _ => Err("the pattern has a group with flags ('(?'), which are not taken".to_owned()),
        }
    }

    /// Adds what an escape stands for; the character, where it is one.
    fn escape(&mut self, set: &mut Set) -> Result<Option<char>, String> {
        let Some(first) = self.chars.next() else { return Err("the pattern ends in a '\\'".to_owned()) };
        let one = match first {
            'd' | 'D' | 'w' | 'W' | 's' | 'S' => {
                set.properties.push((Property::of_escape(first.to_ascii_lowercase()), first.is_ascii_uppercase()));
                return Ok(None);
            }
            'p' | 'P' => {
                let negated = first == 'P';
                let name = self.braced()?;
                let Some(property) = Property::named(&name) else {
                    return Err(format!("the pattern has \\{first}{{{name}}}, which is not taken; {} are", Property::NAMES));
                };
                set.properties.push((property, negated));
                return Ok(None);
            }
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'f' => '\u{c}',
            'v' => '\u{b}',
            '0' if !self.chars.peek().is_some_and(char::is_ascii_digit) => '\0',
            'c' => match self.chars.next().filter(char::is_ascii_alphabetic) {
                Some(letter) => char::from((letter as u8) % 32),
                None => return Err("the pattern has a \\c without a letter".to_owned()),
            },
            'x' => self.code(2)?,
            'u' => self.unicode()?,
            '1'..='9' | 'k' => return Err(format!("the pattern refers back (\\{first}), which is not taken")),
            other if other.is_ascii_alphanumeric() => {
                return Err(format!("the pattern has \\{other}, which ECMA-262 does not know"));
            }
            literal => literal,
        };
        set.ranges.push((one, one));
        Ok(Some(one))
    }

    fn unicode(&mut self) -> Result<char, String> {
        if self.chars.peek() == Some(&'{') {
            let digits = self.braced()?;
            let code = u32::from_str_radix(&digits, 16).ok().filter(|_| !digits.starts_with('+')).and_then(char::from_u32);
            return code.ok_or_else(|| format!("the pattern has \\u{{{digits}}}, which is no character"));
        }
        let unit = self.unit(4)?;
        if !(0xD800..0xDC00).contains(&unit) {
            return char::from_u32(unit).ok_or_else(|| "the pattern has half of a surrogate pair".to_owned());
        }
        let low = match (self.chars.next(), self.chars.next()) {
            (Some('\\'), Some('u')) => self.unit(4)?,
            _ => 0,
        };
        let code = low.checked_sub(0xDC00).map(|low| 0x1_0000 + ((unit - 0xD800) << 10) + low);
        code.and_then(char::from_u32).ok_or_else(|| "the pattern has half of a surrogate pair".to_owned())
    }

    fn unit(&mut self, digits: usize) -> Result<u32, String> {
        let text: String = self.chars.by_ref().take(digits).collect();
        let is_whole = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        u32::from_str_radix(&text, 16)
            .ok()
            .filter(|_| is_whole)
            .ok_or_else(|| format!("the pattern has '{text}' where {digits} hexadecimal digits must be"))
    }

    fn code(&mut self, digits: usize) -> Result<char, String> {
        let unit = self.unit(digits)?;
        char::from_u32(unit).ok_or_else(|| "the pattern has half of a surrogate pair".to_owned())
    }

    fn class(&mut self) -> Result<Set, String> {
        let mut set = Set { negated: self.chars.next_if_eq(&'^').is_some(), ..Set::default() };
        loop {
            let Some(first) = self.member(&mut set)? else { return Ok(set) };
            // A hyphen between two characters makes a range of them; before the bracket, or beside a set, it is itself.
            let mut ahead = self.chars.clone();
            let is_range = ahead.next() == Some('-') && ahead.next().is_some_and(|next| next != ']');
            let Member::One(low) = first else { continue };
            if is_range {
                self.chars.next();
                match self.member(&mut set)? {
                    Some(Member::One(high)) if low <= high => set.ranges.push((low, high)),
                    Some(Member::One(high)) => return Err(format!("the pattern has the range {low}-{high}, which is empty")),
                    _ => set.ranges.push(('-', '-')),
                }
            }
        }
    }

    /// Adds the next member of a class; none at its end.
    fn member(&mut self, set: &mut Set) -> Result<Option<Member>, String> {
        let literal = match self.chars.next() {
            None => return Err("the pattern has a '[' that is not closed".to_owned()),
            Some(']') => return Ok(None),
            Some('\\') if self.chars.next_if_eq(&'b').is_some() => '\u{8}',
            Some('\\') => return Ok(Some(self.escape(set)?.map_or(Member::Many, Member::One))),
            Some(literal) => literal,
        };
        set.ranges.push((literal, literal));
        Ok(Some(Member::One(literal)))
    }

    fn quantified(&mut self, atom: Syntax) -> Result<Syntax, String> {
        let (least, most) = match self.chars.peek() {
            Some('?') => (0, Some(1)),
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('{') => match self.counted()? {
                Some(counts) => return self.repeated(atom, counts),
                // One that counts nothing is itself.
                None => return Ok(atom),
            },
            _ => return Ok(atom),
        };
        self.chars.next();
        self.repeated(atom, (least, most))
    }

    fn repeated(&mut self, atom: Syntax, (least, most): (u32, Option<u32>)) -> Result<Syntax, String> {
        if matches!(atom, Syntax::Assert(_) | Syntax::Look { .. }) {
            return Err("the pattern has a repetition with nothing to repeat".to_owned());
        }
        // A lazy one matches the same texts.
        let _ = self.chars.next_if_eq(&'?');
        Ok(Syntax::Repeat(Box::new(atom), least, most))
    }

    /// The numbers in braces that come next, if there are such: braces are themselves otherwise.
    fn counted(&mut self) -> Result<Option<(u32, Option<u32>)>, String> {
        let mut ahead = self.chars.clone();
        let mut inside = String::new();
        ahead.next();
        loop {
            match ahead.next() {
                Some('}') => break,
                Some(next) if next.is_ascii_digit() || next == ',' => inside.push(next),
                _ => return Ok(None),
            }
        }
        let (least, most) = inside.split_once(',').unwrap_or((&inside, &inside));
        if least.is_empty() || most.contains(',') {
            return Ok(None);
        }
        let number = |text: &str| text.parse::<u32>().ok().filter(|times| *times <= MOST_TIMES);
        let most = if most.is_empty() { Some(None) } else { number(most).map(Some) };
        let (Some(least), Some(most)) = (number(least), most) else {
            return Err(format!("the pattern repeats {{{inside}}}; at most {MOST_TIMES} times are taken"));
        };
        if most.is_some_and(|most| most < least) {
            return Err(format!("the pattern repeats {{{inside}}}, of which the second number is below the first"));
        }
        self.chars = ahead;
        Ok(Some((least, most)))
    }

    /// What is in braces that come next.
    fn braced(&mut self) -> Result<String, String> {
        let mut inside = String::new();
        if self.chars.next_if_eq(&'{').is_some() {
            loop {
                match self.chars.next() {
                    Some('}') => return Ok(inside),
                    Some(next) => inside.push(next),
                    None => break,
                }
            }
        }
        Err("the pattern has an escape whose braces are missing, or not closed".to_owned())
    }
}

/// A member of a class.
enum Member {
    One(char),
    Many,
}
