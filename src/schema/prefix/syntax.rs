//! JSON's grammar, a byte at a time: RFC 8259 as `serde_json` reads it, so that the first byte is found that no JSON can go on with.

/// How deep `serde_json` reads: 128 less the one that it stops at.
const DEPTH: usize = 127;

/// What a value is, by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    True,
    False,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    /// As told to people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::True => "true",
            Kind::False => "false",
            Kind::Number => "a number",
            Kind::String => "a string",
            Kind::Array => "an array",
            Kind::Object => "an object",
        }
    }

    /// The keywords of how many there must and may be in it.
    pub(crate) fn bounds(self) -> (&'static str, &'static str) {
        match self {
            Kind::Array => ("minItems", "maxItems"),
            Kind::Object => ("minProperties", "maxProperties"),
            _ => ("minLength", "maxLength"),
        }
    }
}

/// What a byte did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Nothing that anybody asks about.
    Nothing,
    /// A value begins with this byte.
    Opened(Kind),
    /// A value ends with this byte.
    Closed,
    /// A number ended before this byte, which has to be given again.
    Ended,
    /// A name begins with this byte, its quotation mark.
    Name,
    /// A name ends with this byte, its quotation mark.
    Named,
    /// A comma: another item or member must come.
    Comma,
    /// A byte of a string's text.
    Byte(u8),
    /// An escape begins in a string: one character must come of it.
    Escape,
    /// The character that an escape stood for.
    Escaped(char),
}

/// Where in the grammar the next byte is.
#[derive(Clone, Copy, Debug)]
enum At {
    Value,
    FirstItem,
    FirstName,
    Name,
    Colon,
    After,
    Number(Number),
    Literal(&'static [u8]),
    Text,
    Escape,
    /// After `\u`; `high` is the leading surrogate that came before, or 0.
    Hex {
        digits: u8,
        code: u32,
        high: u32,
    },
    /// After a leading surrogate: `\`.
    Low(u32),
    /// And then `u`.
    LowU(u32),
}

/// Where in a number: after a minus, a leading zero, …
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Minus,
    Zero,
    Whole,
    Dot,
    Fraction,
    E,
    Sign,
    Exponent,
}

impl Number {
    fn next(self, byte: u8) -> Option<Number> {
        Some(match (self, byte) {
            (Number::Minus, b'0') => Number::Zero,
            (Number::Minus | Number::Whole, b'0'..=b'9') => Number::Whole,
            (Number::Zero | Number::Whole, b'.') => Number::Dot,
            (Number::Zero | Number::Whole | Number::Fraction, b'e' | b'E') => Number::E,
            (Number::Dot | Number::Fraction, b'0'..=b'9') => Number::Fraction,
            (Number::E, b'+' | b'-') => Number::Sign,
            (Number::E | Number::Sign | Number::Exponent, b'0'..=b'9') => Number::Exponent,
            _ => return None,
        })
    }

    fn is_whole(self) -> bool {
        matches!(self, Number::Zero | Number::Whole | Number::Fraction | Number::Exponent)
    }
}

/// Reads one value, with whitespace around it.
#[derive(Debug)]
pub(crate) struct Syntax {
    at: At,
    /// The brackets that are open: whether each is an object's.
    open: Vec<bool>,
    /// Whether the string that is being read is a name.
    name: bool,
}

impl Syntax {
    pub(crate) fn new() -> Syntax {
        Syntax { at: At::Value, open: Vec::new(), name: false }
    }

    /// Whether a value was read to its end. Only what comes after a number can say that it ended.
    pub(crate) fn is_done(&self) -> bool {
        self.open.is_empty() && matches!(self.at, At::After)
    }

    /// Nothing comes any more: whether that ends a number.
    pub(crate) fn stop(&mut self) -> bool {
        let ended = matches!(self.at, At::Number(number) if number.is_whole());
        if ended {
            self.at = At::After;
        }
        ended
    }

    /// The brackets that are missing where the text ended with a value that is whole.
    pub(crate) fn missing(&mut self) -> Option<String> {
        self.stop();
        let whole = matches!(self.at, At::After) && !self.open.is_empty();
        whole.then(|| self.open.iter().rev().map(|object| if *object { '}' } else { ']' }).collect())
    }

    /// What could have come next.
    pub(crate) fn expected(&self) -> &'static str {
        match self.at {
            At::Value => "a value",
            At::FirstItem => "a value or `]`",
            At::FirstName => "a name in quotation marks or `}`",
            At::Name => "a name in quotation marks",
            At::Colon => "`:`",
            At::After => match self.open.last() {
                None => "nothing more",
                Some(true) => "`,` or `}`",
                Some(false) => "`,` or `]`",
            },
            At::Number(_) => "a digit",
            At::Literal(_) => "`true`, `false` or `null`",
            At::Text => "a string's text or end",
            At::Escape => "a JSON escape",
            At::Hex { .. } | At::Low(_) | At::LowU(_) => "four hexadecimal digits that are a character or a pair of surrogates",
        }
    }

    /// Whether a byte that could not be read would be JSON, but deeper than that is read.
    pub(crate) fn is_too_deep(&self, byte: u8) -> bool {
        let may_open = matches!(self.at, At::Value | At::FirstItem) && matches!(byte, b'{' | b'[');
        may_open && self.open.len() >= DEPTH
    }

    /// Reads a byte, whatever it does: whether JSON can go on like this.
    pub(crate) fn reads(&mut self, byte: u8) -> bool {
        match self.next(byte) {
            Some(Event::Ended) => self.next(byte).is_some(),
            event => event.is_some(),
        }
    }

    /// Reads a byte. `None`: no JSON goes on like this.
    pub(crate) fn next(&mut self, byte: u8) -> Option<Event> {
        let space = matches!(byte, b' ' | b'\n' | b'\t' | b'\r');
        match self.at {
            At::Value | At::FirstItem | At::FirstName | At::Name | At::Colon | At::After if space => Some(Event::Nothing),
            At::FirstItem if byte == b']' => Some(self.close()),
            At::Value | At::FirstItem => self.value(byte),
            At::FirstName if byte == b'}' => Some(self.close()),
            At::FirstName | At::Name => (byte == b'"').then(|| self.go(At::Text, true, Event::Name)),
            At::Colon => (byte == b':').then(|| self.go(At::Value, false, Event::Nothing)),
            At::After => match (byte, self.open.last()?) {
                (b',', true) => Some(self.go(At::Name, false, Event::Comma)),
                (b',', false) => Some(self.go(At::Value, false, Event::Comma)),
                (b'}', true) | (b']', false) => Some(self.close()),
                _ => None,
            },
            At::Number(number) => match number.next(byte) {
                Some(next) => Some(self.go(At::Number(next), false, Event::Nothing)),
                None => self.stop().then_some(Event::Ended),
            },
            At::Literal(rest) => match rest.split_first()? {
                (first, _) if *first != byte => None,
                (_, []) => Some(self.go(At::After, false, Event::Closed)),
                (_, rest) => Some(self.go(At::Literal(rest), false, Event::Nothing)),
            },
            _ => self.string(byte),
        }
    }

    fn go(&mut self, at: At, name: bool, event: Event) -> Event {
        self.at = at;
        self.name = name;
        event
    }

    fn value(&mut self, byte: u8) -> Option<Event> {
        let (kind, at) = match byte {
            b'n' => (Kind::Null, At::Literal(b"ull")),
            b't' => (Kind::True, At::Literal(b"rue")),
            b'f' => (Kind::False, At::Literal(b"alse")),
            b'-' => (Kind::Number, At::Number(Number::Minus)),
            b'0' => (Kind::Number, At::Number(Number::Zero)),
            b'1'..=b'9' => (Kind::Number, At::Number(Number::Whole)),
            b'"' => (Kind::String, At::Text),
            b'[' => (Kind::Array, At::FirstItem),
            b'{' => (Kind::Object, At::FirstName),
            _ => return None,
        };
        if matches!(kind, Kind::Array | Kind::Object) {
            if self.open.len() >= DEPTH {
                return None;
            }
            self.open.push(kind == Kind::Object);
        }
        Some(self.go(at, false, Event::Opened(kind)))
    }

    fn close(&mut self) -> Event {
        self.open.pop();
        self.go(At::After, false, Event::Closed)
    }

    fn string(&mut self, byte: u8) -> Option<Event> {
        let name = self.name;
        let (at, event) = match self.at {
            At::Text => match byte {
                b'"' if name => (At::Colon, Event::Named),
                b'"' => (At::After, Event::Closed),
                b'\\' => (At::Escape, Event::Escape),
                0..=0x1f => return None,
                _ => (At::Text, Event::Byte(byte)),
            },
            At::Escape => match byte {
                b'u' => (At::Hex { digits: 0, code: 0, high: 0 }, Event::Nothing),
                b'"' | b'\\' | b'/' => (At::Text, Event::Escaped(char::from(byte))),
                b'b' => (At::Text, Event::Escaped('\u{8}')),
                b'f' => (At::Text, Event::Escaped('\u{c}')),
                b'n' => (At::Text, Event::Escaped('\n')),
                b'r' => (At::Text, Event::Escaped('\r')),
                b't' => (At::Text, Event::Escaped('\t')),
                _ => return None,
            },
            At::Low(high) if byte == b'\\' => (At::LowU(high), Event::Nothing),
            At::LowU(high) if byte == b'u' => (At::Hex { digits: 0, code: 0, high }, Event::Nothing),
            At::Hex { digits, code, high } => {
                let code = code << 4 | char::from(byte).to_digit(16)?;
                let digits = digits + 1;
                // Trailing surrogates come after leading ones, and nowhere else.
                let fits = match digits {
                    1 => high == 0 || code == 0xd,
                    2 => (high == 0) != (0xdc..=0xdf).contains(&code),
                    _ => true,
                };
                if !fits {
                    return None;
                }
                match (digits, high, code) {
                    (4, 0, 0xd800..=0xdbff) => (At::Low(code), Event::Nothing),
                    (4, 0, _) => (At::Text, Event::Escaped(char::from_u32(code)?)),
                    (4, ..) => {
                        (At::Text, Event::Escaped(char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (code - 0xdc00))?))
                    }
                    _ => (At::Hex { digits, code, high }, Event::Nothing),
                }
            }
            _ => return None,
        };
        let text = matches!(event, Event::Byte(_) | Event::Escape | Event::Escaped(_));
        Some(self.go(at, name, if name && text { Event::Nothing } else { event }))
    }
}
