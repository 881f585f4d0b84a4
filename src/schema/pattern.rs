//! Patterns of ECMA-262, as JSON Schema has them, with Unicode.
//!
//! A pattern is compiled to a program whose every state is followed at the same time (Thompson, "Regular Expression Search Algorithm", 1968): a text of n
//! characters takes n times the number of states at most, whatever the pattern. What cannot be matched so, look-around and back references, is refused by
//! name. Matching is unanchored, as the drafts will have it.

mod parse;
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

#[derive(Clone, Copy, Debug)]
enum State {
    /// A character of this set, then the next state.
    Set(usize),
    /// These two.
    Split(usize, usize),
    Jump(usize),
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

    /// What matching a text costs, in steps of a check.
    pub(crate) fn cost(&self, text: &str) -> usize {
        1 + text.len() * self.states.len() / 32
    }

    fn push(&mut self, state: State) -> Result<usize, String> {
        if self.states.len() >= MOST_STATES {
            return Err(format!("the pattern comes to more than {MOST_STATES} states, which are the most that are taken: its counted repetitions are too large"));
        }
        self.states.push(state);
        Ok(self.states.len() - 1)
    }

    fn put(&mut self, at: usize, state: State) {
        if let Some(place) = self.states.get_mut(at) {
            *place = state;
        }
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
                    self.put(split, State::Split(split + 1, self.states.len()));
                }
                for end in ends {
                    self.put(end, State::Jump(self.states.len()));
                }
            }
            Syntax::Repeat(part, least, most) => {
                for _ in 0..*least {
                    self.emit(part)?;
                }
                match most {
                    None => {
                        let split = self.push(State::Match)?;
                        self.emit(part)?;
                        self.push(State::Jump(split))?;
                        self.put(split, State::Split(split + 1, self.states.len()));
                    }
                    Some(most) => {
                        let mut splits = Vec::new();
                        for _ in *least..*most {
                            splits.push(self.push(State::Match)?);
                            self.emit(part)?;
                        }
                        for split in splits {
                            self.put(split, State::Split(split + 1, self.states.len()));
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a part of a text matches.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        let mut now = Threads::new(self.states.len());
        let mut next = Threads::new(self.states.len());
        let mut before = None;
        let mut chars = text.chars();
        loop {
            let after = chars.clone().next();
            // A match may begin anywhere.
            if self.follow(0, &mut now, before, after) {
                return true;
            }
            let Some(character) = chars.next() else { return false };
            let beyond = chars.clone().next();
            next.clear();
            for at in 0..now.list.len() {
                let Some(state) = now.list.get(at).copied() else { break };
                if let Some(State::Set(set)) = self.states.get(state)
                    && self.sets.get(*set).is_some_and(|set| set.holds(character))
                    && self.follow(state + 1, &mut next, Some(character), beyond)
                {
                    return true;
                }
            }
            std::mem::swap(&mut now, &mut next);
            before = Some(character);
        }
    }

    /// Adds a state and all that follow from it without a character; whether the match is among them.
    fn follow(&self, from: usize, threads: &mut Threads, before: Option<char>, after: Option<char>) -> bool {
        threads.stack.push(from);
        while let Some(at) = threads.stack.pop() {
            if !threads.add(at) {
                continue;
            }
            match self.states.get(at) {
                Some(State::Match) | None => return true,
                Some(State::Jump(to)) => threads.stack.push(*to),
                Some(State::Split(one, other)) => threads.stack.extend([*other, *one]),
                Some(State::Assert(assert)) if assert.holds(before, after) => threads.stack.push(at + 1),
                Some(State::Assert(_) | State::Set(_)) => {}
            }
        }
        false
    }
}

/// States that are followed at the same time, each once.
struct Threads {
    list: Vec<usize>,
    is_in: Vec<bool>,
    stack: Vec<usize>,
}

impl Threads {
    fn new(states: usize) -> Self {
        Self { list: Vec::new(), is_in: vec![false; states], stack: Vec::new() }
    }

    /// Adds a state; not one that is in already.
    fn add(&mut self, state: usize) -> bool {
        let Some(is_in) = self.is_in.get_mut(state).filter(|is_in| !**is_in) else { return false };
        *is_in = true;
        self.list.push(state);
        true
    }

    fn clear(&mut self) {
        for state in self.list.drain(..) {
            if let Some(is_in) = self.is_in.get_mut(state) {
                *is_in = false;
            }
        }
        self.stack.clear();
    }
}
