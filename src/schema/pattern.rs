//! Patterns of ECMA-262, as JSON Schema has them, with Unicode.
//!
//! A pattern is compiled to a program whose every state is followed at the same time (Thompson, "Regular Expression Search Algorithm", 1968): a text of n
//! characters takes n times the number of states at most, whatever the pattern. What cannot be matched so, look-around and back references, is refused by
//! name. Matching is unanchored, as the drafts will have it.

mod parse;
mod property;
mod set;

use parse::{Assert, Syntax};
use set::Set;

/// The longest pattern, in bytes.
const MOST_TEXT: usize = 2_000;

/// The most states, once counted repetitions are written out.
const MOST_STATES: usize = 2_000;

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    text: String,
    states: Vec<State>,
    sets: Vec<Set>,
}

/// A state's place.
type Place = u16;

#[derive(Clone, Copy, Debug)]
enum State {
    /// A character of this set, then the next state.
    Set(Place),
    /// These two.
    Split(Place, Place),
    Jump(Place),
    Assert(Assert),
    Match,
}

impl Pattern {
    /// Compiles a pattern; the error says what of it is not taken.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        if text.len() > MOST_TEXT {
            return Err(format!("the pattern has {} bytes; at most {MOST_TEXT} are taken", text.len()));
        }
        let (syntax, sets) = parse::parse(text)?;
        let mut pattern = Self { text: text.to_owned(), states: Vec::new(), sets };
        pattern.emit(&syntax)?;
        pattern.push(State::Match)?;
        Ok(pattern)
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// How many states it has.
    pub(crate) fn states(&self) -> usize {
        self.states.len()
    }

    /// The most that matching a text may cost, in steps of 32 states each.
    pub(crate) fn cost(&self, text: &str) -> usize {
        1 + text.len() * self.states.len() / 32
    }

    /// Where the next state will be.
    fn end(&self) -> Place {
        Place::try_from(self.states.len()).unwrap_or(Place::MAX)
    }

    /// Adds a state.
    fn push(&mut self, state: State) -> Result<Place, String> {
        if self.states.len() >= MOST_STATES {
            return Err(format!(
                "the pattern comes to more than {MOST_STATES} states, which are the most that are taken: its counted repetitions are too large"
            ));
        }
        let place = self.end();
        self.states.push(state);
        Ok(place)
    }

    fn put(&mut self, at: Place, state: State) {
        if let Some(place) = self.states.get_mut(usize::from(at)) {
            *place = state;
        }
    }

    /// From here to the next state, or to the end, which is here.
    fn split_to_end(&mut self, at: Place) {
        self.put(at, State::Split(at + 1, self.end()));
    }

    fn emit(&mut self, syntax: &Syntax) -> Result<(), String> {
        match syntax {
            Syntax::Set(set) => drop(self.push(State::Set(*set))?),
            Syntax::Assert(assert) => drop(self.push(State::Assert(*assert))?),
            Syntax::Sequence(parts) => {
                for part in parts {
                    self.emit(part)?;
                }
            }
            Syntax::Either(branches) => {
                let mut ends = Vec::new();
                for (place, branch) in branches.iter().enumerate() {
                    if place + 1 == branches.len() {
                        self.emit(branch)?;
                        break;
                    }
                    let split = self.push(State::Match)?;
                    self.emit(branch)?;
                    ends.push(self.push(State::Match)?);
                    self.split_to_end(split);
                }
                for end in ends {
                    self.put(end, State::Jump(self.end()));
                }
            }
            Syntax::Repeat(part, least, most) => {
                for _ in 0..*least {
                    let before = self.end();
                    self.emit(part)?;
                    // What has no states matches nothing but the empty text, however often: an end of nested repetitions, which would have none.
                    if self.end() == before {
                        return Ok(());
                    }
                }
                match most {
                    None => {
                        let split = self.push(State::Match)?;
                        self.emit(part)?;
                        self.push(State::Jump(split))?;
                        self.split_to_end(split);
                    }
                    Some(most) => {
                        let mut splits = Vec::new();
                        for _ in *least..*most {
                            splits.push(self.push(State::Match)?);
                            self.emit(part)?;
                        }
                        for split in splits {
                            self.split_to_end(split);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a part of a text matches.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        let mut left = usize::MAX;
        self.is_match_within(text, &mut left)
    }

    /// Whether a part of a text matches. Each state that is followed takes a step; with none left, nothing matches.
    pub(crate) fn is_match_within(&self, text: &str, left: &mut usize) -> bool {
        *left = left.saturating_sub(self.states.len() / 8);
        let mut threads = Threads {
            now: Vec::new(),
            seen: vec![0; self.states.len()],
            round: 1,
            before: None,
            after: None,
            stack: Vec::new(),
        };
        // Where the states of the characters that were read lead.
        let mut next: Vec<Place> = Vec::new();
        let mut chars = text.chars();
        // A pattern that begins with ^ does not begin anywhere else.
        let is_anchored = matches!(self.states.first(), Some(State::Assert(Assert::Start)));
        loop {
            let character = chars.next();
            threads.after = character;
            if !(is_anchored && threads.before.is_some()) {
                next.push(0);
            }
            threads.now.clear();
            for state in next.drain(..) {
                if self.follow(state, &mut threads, left) {
                    return true;
                }
            }
            let Some(character) = character else { return false };
            if *left == 0 || is_anchored && threads.now.is_empty() {
                return false;
            }
            for state in &threads.now {
                if let Some(State::Set(set)) = self.states.get(usize::from(*state))
                    && self.sets.get(usize::from(*set)).is_some_and(|set| set.holds(character, left))
                {
                    next.push(state + 1);
                }
            }
            threads.round += 1;
            threads.before = Some(character);
        }
    }

    /// Adds a state and all that follow from it without a character; whether the match is among them.
    fn follow(&self, from: Place, threads: &mut Threads, left: &mut usize) -> bool {
        threads.stack.push(from);
        while let Some(at) = threads.stack.pop() {
            *left = left.saturating_sub(1);
            match threads.seen.get_mut(usize::from(at)) {
                Some(seen) if *seen != threads.round => *seen = threads.round,
                _ => continue,
            }
            match self.states.get(usize::from(at)) {
                Some(State::Match) | None => return *left > 0,
                Some(State::Jump(to)) => threads.stack.push(*to),
                Some(State::Split(one, other)) => threads.stack.extend([*other, *one]),
                Some(State::Assert(assert)) if assert.holds(threads.before, threads.after) => threads.stack.push(at + 1),
                Some(State::Assert(_)) => {}
                Some(State::Set(_)) => threads.now.push(at),
            }
        }
        false
    }
}

/// States that are followed at the same time, each once.
struct Threads {
    /// Those that wait for a character.
    now: Vec<Place>,
    /// By state, the round in which it was added last, of which there is one for each character.
    seen: Vec<u32>,
    round: u32,
    /// The characters on both sides of where this is.
    before: Option<char>,
    after: Option<char>,
    stack: Vec<Place>,
}
