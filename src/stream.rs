//! A streamed answer, before and after the client has seen any of it.
//!
//! Two stages, because two different promises hold. Before the first content nothing has been sent, and every failure can be made good by
//! another target: [`Hold`] keeps the frames back. Afterwards the client is reading, and the only thing left to get right is the
//! truth about the end: [`Relay`] lets a stream look complete only if its provider's own terminator was seen, and ends every other one
//! with an error event.
//!
//! Both pass on whole frames only, so that an error event behind a cut stream is always well formed.

mod relay;
mod wording;

pub(crate) use relay::Successor;
pub use relay::{Ending, Relay};
pub(crate) use wording::Wording;

use serde_json::Value;

use crate::chat::{Answer, Gather, Object};
use crate::config::Hold as Window;
use crate::dialect::{Decoder, Dialect, Event, chat};
use crate::sse::{self, Frames};

/// What a stream to a client calls itself.
pub(crate) const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";

/// What became of the bytes that were fed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// No content yet.
    More,
    /// The first content is there: these whole frames are what the client is sent.
    Commit(Vec<u8>),
    /// The whole answer is there.
    Complete(Vec<u8>),
    /// It will not become an answer.
    Failed(Failure),
}

/// Why a stream is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It ended before any content.
    Empty,
    /// It broke off after content that was still held back.
    Cut,
    /// It is not a stream of this protocol.
    Garbage,
    /// An error event, with its data.
    Error(String),
}

/// The most that is held back, in bytes: a provider that sends pings for ever is one that does not answer.
const MOST_HELD: usize = 2 * sse::MAX_LINE;

/// The same of a stream that is held to its end: as much as of an answer that is none.
const MOST_WHOLE: usize = 10 * 1024 * 1024;

/// About how many bytes of text a token is.
const TOKEN: usize = 4;

/// A stream before its first content, and, where a window was set, for that much longer: until then another target can take over unseen.
#[derive(Clone, Debug)]
pub struct Hold {
    dialect: Dialect,
    frames: Frames,
    held: Vec<u8>,
    seen: Event,
    /// Whether a finish reason ends the stream of a provider that leaves `[DONE]` out.
    finish_is_enough: bool,
    window: Option<Window>,
    /// Whether all of it is held.
    whole: bool,
}

impl Hold {
    /// Holds from the first byte on. Gemini's streams have no terminator but their end.
    #[must_use]
    pub fn new(dialect: Dialect, finish_is_enough: bool) -> Self {
        let finish_is_enough = finish_is_enough || dialect == Dialect::Gemini;
        let (frames, seen) = (Frames::default(), Event::default());
        Self { dialect, frames, held: Vec::new(), seen, finish_is_enough, window: None, whole: false }
    }

    /// Holds on beyond the first content: for so many tokens, as far as they can be told, or, for a time, until [`Hold::release`].
    #[must_use]
    pub fn beyond(mut self, window: Option<Window>) -> Self {
        self.window = window;
        self
    }

    /// Holds to the end.
    #[must_use]
    pub fn to_its_end(mut self, whole: bool) -> Self {
        self.whole = whole;
        self
    }

    /// Whether there was content.
    #[must_use]
    pub fn has_content(&self) -> bool {
        self.seen.content
    }

    /// What is held, as the window has passed.
    pub fn release(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    fn window_is_open(&self) -> bool {
        match self.window {
            _ if self.whole => true,
            None => false,
            Some(Window::Tokens(tokens)) => self.seen.bytes.div_ceil(TOKEN) < tokens as usize,
            Some(Window::Time(_)) => true,
        }
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, chunk: &[u8]) -> Held {
        let Ok(fed) = self.frames.feed(chunk) else { return Held::Failed(Failure::Garbage) };
        let (mut failure, mut whole) = (None, self.held.len());
        for frame in fed.frames() {
            if self.seen.done || failure.is_some() {
                break;
            }
            whole += frame.len();
            let Some(data) = sse::data(frame) else { continue };
            let event = self.dialect.classify_frame(frame, &data);
            failure = failure_of(event, &data);
            self.seen.content |= event.content;
            self.seen.answer |= event.answer;
            self.seen.bytes += event.bytes;
            self.seen.finish |= event.finish;
            self.seen.choices |= event.choices;
            self.seen.finished |= event.finished;
            self.seen.explains_silence |= event.explains_silence;
            self.seen.done |= event.done;
        }
        self.held.extend_from_slice(&fed.bytes);
        let is_full = self.held.len() > if self.whole { MOST_WHOLE } else { MOST_HELD };
        let speaks = self.seen.content || (self.seen.explains_silence && self.seen.done);
        match failure {
            // What failed after its first content, though within the same read, is still unseen: another target may answer.
            Some(failure) => Held::Failed(failure),
            None if self.seen.done && speaks => {
                self.held.truncate(whole);
                Held::Complete(std::mem::take(&mut self.held))
            }
            None if self.seen.done => Held::Failed(Failure::Empty),
            None if self.seen.content && (!self.window_is_open() || is_full && !self.whole) => {
                Held::Commit(std::mem::take(&mut self.held))
            }
            None if is_full => Held::Failed(Failure::Garbage),
            None => Held::More,
        }
    }

    /// The stream ended regularly, and no content was committed.
    pub fn end(&mut self) -> Held {
        let mut rest = self.frames.finish();
        if !rest.trim_ascii().is_empty() {
            // The last frame lacks its blank line; what it says counts all the same.
            rest.extend_from_slice(b"\n\n");
            match self.feed(&rest) {
                Held::More => {}
                Held::Commit(held) => self.held = held,
                held => return held,
            }
        }
        if self.finish_is_enough && all_finished(self.seen) && (self.seen.content || self.seen.explains_silence) {
            if self.dialect == Dialect::Chat {
                self.held.extend_from_slice(chat::DONE);
            }
            return Held::Complete(std::mem::take(&mut self.held));
        }
        // Content without an end is a stream that broke off, however politely.
        Held::Failed(if self.seen.content { Failure::Cut } else { Failure::Empty })
    }
}

/// The answer that whole frames tell, the terminator among them or left out; none where they do not.
pub(crate) fn told(dialect: Dialect, frames: &[u8]) -> Option<Answer> {
    let (mut decoder, mut gather, mut deltas) = (Decoder::new(dialect), Gather::new(), Vec::new());
    for frame in Frames::of(frames).ok()?.frames() {
        if let Some(data) = sse::data(frame) {
            decoder.event(&String::from_utf8_lossy(&data), &mut deltas)?;
        }
    }
    decoder.end(&mut deltas);
    for delta in deltas {
        gather.push(delta);
    }
    gather.finish()
}

/// A complete stream as the answer that its provider would have given at once, where nothing of it is lost so.
pub(crate) fn whole(dialect: Dialect, events: &[String]) -> Option<String> {
    match dialect {
        Dialect::Chat => {
            let mut assembly = chat::Assembly::new();
            for data in events {
                assembly.push(data);
            }
            assembly.finish()
        }
        Dialect::Responses => crate::json::object::<Object>(events.last()?)?.get("response").map(Value::to_string),
        _ => None,
    }
}

/// The data of a stream's events.
pub(crate) fn events(frames: &[u8]) -> Option<Vec<String>> {
    let frames = Frames::of(frames).ok()?;
    Some(frames.frames().filter_map(sse::data).map(|data| String::from_utf8_lossy(&data).into_owned()).collect())
}

/// Whether each choice that was begun has its finish reason.
fn all_finished(seen: Event) -> bool {
    seen.finish && seen.choices & !seen.finished == 0
}

fn failure_of(event: Event, data: &[u8]) -> Option<Failure> {
    if event.error {
        return Some(Failure::Error(String::from_utf8_lossy(data).into_owned()));
    }
    event.garbage.then_some(Failure::Garbage)
}
