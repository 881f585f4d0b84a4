//! How an input is changed.

/// A generator of numbers that says the same again (xorshift64*; Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// One of 0 to `end`, which is not among them.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap()
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// What parsers trip over.
const TOKENS: [&str; 36] = [
    "null",
    "true",
    "{}",
    "[]",
    "[[[[[[[[",
    "{\"a\":{\"a\":{\"a\":",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "-1",
    "1e999",
    "18446744073709551616",
    "0.5",
    "\n\n",
    "\r\n\r\n",
    "\r",
    "data: ",
    "data: [DONE]\n\n",
    "event: error\n",
    ": comment\n\n",
    "\u{FEFF}",
    "\"error\":{},",
    "\"choices\":[],",
    "\"type\":\"",
    "\"index\":4294967295,",
    "\"index\":99,",
    "\"output_index\":7,",
    "\"finish_reason\":\"stop\",",
    "\"id\":\"call_1_bw1g_QQ\",",
    "\"signature\":\"bw1.g.QQ\",",
    "\"content\":null,",
    "\"content\":[{}],",
    "\"parts\":[{}],",
    "\"candidates\":[{}],",
    "\"tool_calls\":[{}],",
    "\"delta\":{},",
];

/// The values that whole lines and members are replaced with would rarely come of single bytes: so pieces between structural bytes are the unit.
fn piece(input: &[u8], dice: &mut Dice) -> (usize, usize) {
    let structural = |byte: &u8| b",:{}[]\"\n".contains(byte);
    let start = dice.below(input.len());
    let start = input[..start].iter().rposition(structural).map_or(0, |at| at);
    let length = 1 + dice.below(64);
    let end = (start + length).min(input.len());
    let end = input[end..].iter().position(structural).map_or(input.len(), |at| end + at);
    (start, end)
}

/// One of the inputs, changed a few times.
pub fn mutated(corpus: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut input = dice.of(corpus).clone();
    for _ in 0..=dice.below(6) {
        if input.is_empty() {
            break;
        }
        let (start, end) = piece(&input, dice);
        match dice.below(9) {
            0 => {
                let at = dice.below(input.len());
                input[at] = u8::try_from(dice.below(256)).unwrap();
            }
            1 => drop(input.drain(start..end)),
            2 => {
                let doubled = input[start..end].to_vec();
                for _ in 0..=dice.below(8) {
                    input.splice(end..end, doubled.iter().copied());
                }
            }
            3 => {
                let other = dice.of(corpus);
                let (from, to) = piece(other, dice);
                input.splice(start..end, other[from..to].iter().copied());
            }
            4 => {
                let token = dice.of(&TOKENS);
                input.splice(start..start, token.bytes());
            }
            5 => {
                let token = dice.of(&TOKENS);
                input.splice(start..end, token.bytes());
            }
            6 => input.truncate(end),
            7 => {
                // Two places change theirs.
                let (from, to) = piece(&input, dice);
                if to <= start {
                    let (first, second) = (input[from..to].to_vec(), input[start..end].to_vec());
                    input.splice(start..end, first);
                    input.splice(from..to, second);
                }
            }
            _ => {
                let open = *dice.of(b"[{");
                let deep = dice.below(300);
                input.splice(start..start, std::iter::repeat_n(open, deep));
            }
        }
    }
    input
}
