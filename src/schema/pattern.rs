//! Patterns of ECMA-262, as JSON Schema has them, with Unicode.
//!
//! A pattern is compiled to a program whose every state is followed at the same time (Thompson, "Regular Expression Search Algorithm", 1968): a text of n
//! characters takes n times the number of states at most, whatever the pattern. What cannot be matched so, back references, is refused by name. Matching is
//! unanchored, as the drafts will have it.
//!
//! Looking around is matched so as well: what is looked for has a program of its own, which says in one pass, before the rest is matched, at which places of
//! the text it holds. To look ahead, the pass is from the end to the beginning, of the reversed program; to look behind, from the beginning to the end. What
//! is looked for within what is looked for comes first. So each state, of whichever program, is followed once at each character.

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
    /// What is looked for, the innermost first.
    looks: Vec<Look>,
}

/// A state's place.
type Place = u16;

/// A program, and how a text is read by it.
#[derive(Clone, Copy, Debug)]
struct Look {
    start: Place,
    way: Way,
    /// Whether it must not be there.
    negated: bool,
}

/// Where a program begins to match.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    /// At the text's beginning.
    Once,
    /// Anywhere, read from the beginning to the end.
    Forwards,
    /// Anywhere, read from the end to the beginning: the program is reversed.
    Backwards,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// A character of this set, then the next state.
    Set(Place),
    /// These two.
    Split(Place, Place),
    Jump(Place),
    Assert(Assert),
    /// What is looked for (by its number), which comes next; then the state of this place.
    Look(Place, Place),
    Match,
}

impl Pattern {
    /// Compiles a pattern; the error says what of it is not taken.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        if text.len() > MOST_TEXT {
            return Err(format!("the pattern has {} bytes; at most {MOST_TEXT} are taken", text.len()));
        }
        let (syntax, sets) = parse::parse(text)?;
        let mut pattern = Self { text: text.to_owned(), states: Vec::new(), sets, looks: Vec::new() };
        pattern.emit(&syntax, Way::Forwards, false)?;
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

    /// Adds what a syntax says, for a program of this way; `is_start` where that can only be at the text's beginning.
    fn emit(&mut self, syntax: &Syntax, way: Way, mut is_start: bool) -> Result<(), String> {
        match syntax {
            Syntax::Set(set) => drop(self.push(State::Set(*set))?),
            Syntax::Assert(assert) => drop(self.push(State::Assert(*assert))?),
            Syntax::Sequence(parts) => {
                for at in 0..parts.len() {
                    let at = if way == Way::Backwards { parts.len() - 1 - at } else { at };
                    let Some(part) = parts.get(at) else { break };
                    self.emit(part, way, is_start)?;
                    is_start = way != Way::Backwards
                        && (matches!(part, Syntax::Assert(Assert::Start))
                            || is_start && matches!(part, Syntax::Assert(_) | Syntax::Look { .. }));
                }
            }
            Syntax::Look { inner, ahead, negated } => {
                // Most look ahead from the beginning: this way no more is read than is needed to know.
                let way = match ahead {
                    true if is_start => Way::Once,
                    true => Way::Backwards,
                    false => Way::Forwards,
                };
                let look = self.push(State::Match)?;
                let start = self.end();
                self.emit(inner, way, way == Way::Once)?;
                self.push(State::Match)?;
                let place = Place::try_from(self.looks.len()).unwrap_or(Place::MAX);
                self.looks.push(Look { start, way, negated: *negated });
                self.put(look, State::Look(place, self.end()));
            }
            Syntax::Either(branches) => {
                let mut ends = Vec::new();
                for (place, branch) in branches.iter().enumerate() {
                    if place + 1 == branches.len() {
                        self.emit(branch, way, is_start)?;
                        break;
                    }
                    let split = self.push(State::Match)?;
                    self.emit(branch, way, is_start)?;
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
                    self.emit(part, way, false)?;
                    // What has no states matches nothing but the empty text, however often: an end of nested repetitions, which would have none.
                    if self.end() == before {
                        return Ok(());
                    }
                }
                match most {
                    None => {
                        let split = self.push(State::Match)?;
                        self.emit(part, way, false)?;
                        self.push(State::Jump(split))?;
                        self.split_to_end(split);
                    }
                    Some(most) => {
                        let mut splits = Vec::new();
                        for _ in *least..*most {
                            splits.push(self.push(State::Match)?);
                            self.emit(part, way, false)?;
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
            round: 0,
            at: 0,
            before: None,
            after: None,
            stack: Vec::new(),
            held: Vec::new(),
        };
        for look in &self.looks {
            let mut places = Places::default();
            if look.way == Way::Once {
                if self.run(*look, text, None, &mut threads, left) {
                    places.add(0);
                }
            } else {
                *left = left.saturating_sub(text.len() / 64);
                self.run(*look, text, Some(&mut places), &mut threads, left);
            }
            // What was not read to its end says nothing of what does not hold.
            if *left == 0 {
                return false;
            }
            threads.held.push(places);
        }
        self.run(Look { start: 0, way: Way::Forwards, negated: false }, text, None, &mut threads, left)
    }

    /// Runs a program: until it matches, or for all places where it does.
    fn run(&self, look: Look, text: &str, mut places: Option<&mut Places>, threads: &mut Threads, left: &mut usize) -> bool {
        let is_back = look.way == Way::Backwards;
        // A program that begins with ^, or backwards with $, does not begin anywhere else.
        let is_anchored = match self.states.get(usize::from(look.start)) {
            _ if look.way == Way::Once => true,
            Some(State::Assert(Assert::Start)) => !is_back,
            Some(State::Assert(Assert::End)) => is_back,
            _ => false,
        };
        // Where the states of the characters that were read lead.
        let mut next: Vec<Place> = vec![look.start];
        let mut chars = text.chars();
        let mut last = None;
        threads.at = if is_back { text.len() } else { 0 };
        loop {
            let character = if is_back { chars.next_back() } else { chars.next() };
            (threads.before, threads.after) = if is_back { (character, last) } else { (last, character) };
            threads.round += 1;
            threads.now.clear();
            for state in next.drain(..) {
                if self.follow(state, threads, left) {
                    match &mut places {
                        Some(places) => places.add(threads.at),
                        None => return *left > 0,
                    }
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
            if !is_anchored {
                next.push(look.start);
            }
            last = Some(character);
            threads.at = if is_back { threads.at - character.len_utf8() } else { threads.at + character.len_utf8() };
        }
    }

    /// Adds a state and all that follow from it without a character; whether the match is among them.
    fn follow(&self, from: Place, threads: &mut Threads, left: &mut usize) -> bool {
        let mut matches = false;
        threads.stack.push(from);
        while let Some(at) = threads.stack.pop() {
            *left = left.saturating_sub(1);
            match threads.seen.get_mut(usize::from(at)) {
                Some(seen) if *seen != threads.round => *seen = threads.round,
                _ => continue,
            }
            match self.states.get(usize::from(at)) {
                Some(State::Match) | None => matches = true,
                Some(State::Jump(to)) => threads.stack.push(*to),
                Some(State::Split(one, other)) => threads.stack.extend([*other, *one]),
                Some(State::Assert(assert)) if assert.holds(threads.before, threads.after) => threads.stack.push(at + 1),
                Some(State::Look(look, to)) => {
                    let look = usize::from(*look);
                    let is_there = threads.held.get(look).is_some_and(|places| places.has(threads.at));
                    if self.looks.get(look).is_some_and(|look| look.negated != is_there) {
                        threads.stack.push(*to);
                    }
                }
                Some(State::Assert(_)) => {}
                Some(State::Set(_)) => threads.now.push(at),
            }
        }
        matches
    }
}

/// States that are followed at the same time, each once.
struct Threads {
    /// Those that wait for a character.
    now: Vec<Place>,
    /// By state, the round in which it was added last, of which there is one for each character of each run.
    seen: Vec<u32>,
    round: u32,
    /// Where in the text this is, and the characters on both sides.
    at: usize,
    before: Option<char>,
    after: Option<char>,
    stack: Vec<Place>,
    /// Where what is looked for is.
    held: Vec<Places>,
}

/// Places in a text, as one bit each: there may be as many as bytes.
#[derive(Default)]
struct Places(Vec<u32>);

impl Places {
    fn add(&mut self, at: usize) {
        if self.0.len() <= at / 32 {
            self.0.resize(at / 32 + 1, 0);
        }
        if let Some(bits) = self.0.get_mut(at / 32) {
            *bits |= 1 << (at % 32);
        }
    }

    fn has(&self, at: usize) -> bool {
        self.0.get(at / 32).is_some_and(|bits| bits >> (at % 32) & 1 == 1)
    }
}
