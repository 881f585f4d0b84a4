//! A stream after its first content: see [`super`].

mod last;

use std::cell::RefCell;
use std::rc::Rc;

use last::sequence_number;

use super::wording::Wording;
use super::{Failure, Hold, all_finished, failure_of};
use crate::demand::Guard;
use crate::dialect::{Dialect, Event, chat};
use crate::error::Error;
use crate::runtime::{End, Step, Tap};
use crate::secret::Hidden;
use crate::sse::{self, Frames};

/// How a committed stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By its protocol's terminator.
    Complete,
    /// Without it.
    Cut,
    /// By silence.
    Stalled,
    /// By our own limit.
    Overlong,
    /// By the provider's error event.
    ErrorEvent,
    /// By something that is not of this protocol.
    Garbage,
    /// By something with which its answer cannot become what was demanded.
    Unsatisfied,
    /// By the client's leaving.
    ClientGone,
}

/// Is given the data of every event, for the cache.
pub(crate) type Recorder = Box<dyn FnMut(&str)>;

/// The tap over a committed stream.
pub struct Relay {
    /// What the upstream speaks, and what the client does.
    upstream: Dialect,
    client: Dialect,
    wording: Wording,
    /// The number of the last event that the client was told, where its dialect numbers them.
    sequence: Option<u64>,
    frames: Frames,
    seen: Event,
    finish_is_enough: bool,
    /// Whether the event that holds nothing but usage, which was asked for on our own account, is kept from the client.
    hide_usage: bool,
    recorder: Option<Recorder>,
    /// Whether the answer can still become what was demanded; why it cannot.
    guard: Option<Guard>,
    unsatisfied: Option<String>,
    /// What the provider's errors may quote, and must not be told.
    hidden: Hidden,
    /// Whether more than reasoning was shown.
    answered: bool,
    /// What the client is told once the terminator is there: the finish reason, and what follows it. A stream that breaks off in between must not look complete.
    held: Vec<u8>,
    /// Whether something of what was held back could not be told.
    untold: bool,
    /// Where another target may go on: takes what would have ended the stream.
    successor: Option<Successor>,
    ended: Option<Box<dyn FnOnce(Ending)>>,
}

/// Takes the last event of a stream that broke off before more than reasoning was shown: whoever holds it goes on, or says it after all.
pub(crate) type Successor = Rc<RefCell<Option<Vec<u8>>>>;

impl Relay {
    /// Goes on where `hold` committed. `ended` is called once, whatever becomes of the stream.
    #[must_use]
    pub fn new(hold: Hold, ended: Box<dyn FnOnce(Ending)>) -> Self {
        Self {
            upstream: hold.dialect,
            client: hold.dialect,
            wording: Wording::Same,
            sequence: None,
            frames: hold.frames,
            seen: hold.seen,
            finish_is_enough: hold.finish_is_enough,
            hide_usage: false,
            recorder: None,
            guard: None,
            unsatisfied: None,
            hidden: Hidden::default(),
            answered: hold.seen.answer,
            held: Vec::new(),
            untold: false,
            successor: None,
            ended: Some(ended),
        }
    }

    /// Records every event, and hides the one that was asked for on our own account where `hide_usage`.
    #[must_use]
    pub(crate) fn recording(mut self, recorder: Recorder, hide_usage: bool) -> Self {
        self.recorder = Some(recorder);
        self.hide_usage = hide_usage;
        self
    }

    /// Ends the stream where its answer cannot become what was demanded any more.
    #[must_use]
    pub(crate) fn guarded(mut self, guard: Option<Guard>) -> Self {
        self.guard = guard;
        self
    }

    /// Whether the answer can still become what was demanded.
    fn satisfies(&mut self, data: &[u8]) -> bool {
        let looked = self.guard.as_mut().map(|guard| guard.event(&String::from_utf8_lossy(data)));
        self.unsatisfied = looked.and_then(Result::err);
        self.unsatisfied.is_none()
    }

    /// Tells a client of that dialect what the upstream says.
    #[must_use]
    pub(crate) fn worded(mut self, client: Dialect, wording: Wording) -> Self {
        self.client = client;
        self.wording = wording;
        self
    }

    /// Keeps the provider's keys and its address out of its errors.
    #[must_use]
    pub fn hiding(mut self, hidden: Hidden) -> Self {
        self.hidden = hidden;
        self
    }

    /// Leaves the client's stream open where it breaks off before more than reasoning was shown.
    #[must_use]
    pub(crate) fn succeeded_by(mut self, successor: Successor) -> Self {
        self.successor = Some(successor);
        self
    }

    /// Whether a failure now is one that a successor can make good; if so, it is given what would have ended the stream.
    fn hands_over(&self, last: &[u8]) -> bool {
        let successor = self.successor.as_ref().filter(|_| !self.answered);
        if let Some(successor) = successor {
            *successor.borrow_mut() = Some(last.to_vec());
        }
        successor.is_some()
    }

    /// Records what is sent before the relay begins, whole frames, and gives it without what is to be hidden.
    #[must_use]
    pub fn after(mut self, first: Vec<u8>) -> (Self, Vec<u8>) {
        let is_finished = self.seen.finish;
        if !is_finished && self.recorder.is_none() && self.guard.is_none() && self.wording.is_same() {
            return (self, first);
        }
        let Ok(fed) = Frames::of(&first) else { return (self, first) };
        let mut shown = Vec::with_capacity(first.len());
        for frame in fed.frames() {
            let data = sse::data(frame);
            if let (Some(data), Some(recorder)) = (&data, &mut self.recorder) {
                recorder(&String::from_utf8_lossy(data));
            }
            let event = data.as_ref().filter(|_| is_finished || self.hide_usage);
            let event = event.map(|data| self.upstream.classify_frame(frame, data)).unwrap_or_default();
            let hidden = self.hide_usage && event.usage_only;
            let is_held = self.holds(event);
            if data.is_some() && !is_held {
                shown.append(&mut self.held);
            }
            let mut told = std::mem::take(if is_held { &mut self.held } else { &mut shown });
            // What cannot be told ends the stream at the next chunk.
            self.untold = data.as_ref().is_some_and(|data| !self.satisfies(data))
                || !hidden && self.tell(frame, data.as_deref(), &mut told).is_none();
            *(if is_held { &mut self.held } else { &mut shown }) = told;
            if self.untold {
                break;
            }
        }
        (self, shown)
    }

    /// Whether the client is told of an event once the terminator is there, or something is said behind it: of several choices, each has its finish reason.
    fn holds(&self, event: Event) -> bool {
        event.finish || !self.held.is_empty() && !event.content
    }

    /// Adds what the client is told of a frame.
    fn tell(&mut self, frame: &[u8], data: Option<&[u8]>, told: &mut Vec<u8>) -> Option<()> {
        if self.client == Dialect::Responses
            && let Some(number) = data.and_then(sequence_number)
        {
            self.sequence = Some(number);
        }
        self.wording.frame(frame, data, told)
    }

    fn over(&mut self, ending: Ending) {
        if let Some(ended) = self.ended.take() {
            ended(ending);
        }
    }

    /// Looks at one frame's data. Says what to do with the frame, and how the stream ended if it did.
    fn look(&mut self, frame: &[u8], data: &[u8]) -> Looked {
        if let Some(recorder) = &mut self.recorder {
            recorder(&String::from_utf8_lossy(data));
        }
        if !self.satisfies(data) {
            return Looked::End(Ending::Unsatisfied);
        }
        // Until then every event is looked at for more than reasoning.
        let may_hand_over = self.successor.is_some() && !self.answered;
        let every = self.hide_usage || may_hand_over || self.finish_is_enough;
        if !every && !self.upstream.needs_a_look(frame, data) {
            return Looked::Pass;
        }
        let event = self.upstream.classify_frame(frame, data);
        match failure_of(event, data) {
            Some(Failure::Error(_)) => return Looked::End(Ending::ErrorEvent),
            Some(Failure::Garbage | Failure::Empty | Failure::Cut) => return Looked::End(Ending::Garbage),
            None => {}
        }
        self.seen.finish |= event.finish;
        self.seen.choices |= event.choices;
        self.seen.finished |= event.finished;
        self.answered |= event.answer;
        if event.done {
            Looked::End(Ending::Complete)
        } else if event.usage_only && self.hide_usage {
            Looked::Hide
        } else if self.holds(event) {
            Looked::Hold
        } else {
            Looked::Pass
        }
    }

    /// Looks at whole frames; gives what the client is sent of them where that is not all, and the ending.
    fn frames(&mut self, fed: &sse::Fed<'_>) -> (Option<Vec<u8>>, Option<Ending>) {
        // None as long as it is what came.
        let mut kept: Option<Vec<u8>> = (!self.wording.is_same()).then(Vec::new);
        let mut passed = 0;
        for frame in fed.frames() {
            let data = sse::data(frame);
            let mut looked = data.as_ref().map_or(Looked::Pass, |data| self.look(frame, data));
            let so_far = || fed.bytes.get(..passed).unwrap_or_default().to_vec();
            // Something is said behind what was taken for the end, or the end is there.
            let goes_on = matches!(looked, Looked::Pass) && data.is_some() || matches!(looked, Looked::End(Ending::Complete));
            let before = kept.as_ref().map(Vec::len);
            if goes_on && !self.held.is_empty() {
                kept.get_or_insert_with(so_far).append(&mut self.held);
            }
            // What goes as it is, is copied below, and only where it must be.
            if !self.wording.is_same() && !matches!(looked, Looked::Hide) {
                let is_held = matches!(looked, Looked::Hold);
                let mut told = if is_held { std::mem::take(&mut self.held) } else { kept.take().unwrap_or_default() };
                let ends = matches!(looked, Looked::End(ending) if ending != Ending::Complete);
                if !ends && self.tell(frame, data.as_deref(), &mut told).is_none() {
                    looked = Looked::End(Ending::Garbage);
                    told.truncate(before.unwrap_or_default());
                }
                *(if is_held { &mut self.held } else { kept.get_or_insert_default() }) = told;
            }
            match looked {
                Looked::Pass => {
                    if let Some(kept) = kept.as_mut().filter(|_| self.wording.is_same()) {
                        kept.extend_from_slice(frame);
                    }
                }
                Looked::Hide => {
                    kept.get_or_insert_with(so_far);
                }
                Looked::Hold => {
                    kept.get_or_insert_with(so_far);
                    if self.wording.is_same() {
                        self.held.extend_from_slice(frame);
                    }
                }
                Looked::End(ending) => {
                    let mut last = kept.unwrap_or_else(so_far);
                    match ending {
                        Ending::Complete if self.wording.is_same() => last.extend_from_slice(frame),
                        Ending::Complete => {
                            if self.wording.end(&mut last).is_none() {
                                last.truncate(before.unwrap_or_default());
                                last.extend_from_slice(&self.event_for(Ending::Garbage));
                                return (Some(last), Some(Ending::Garbage));
                            }
                        }
                        // In the provider's words, but without what else it put into that event, such as a finish reason.
                        Ending::ErrorEvent => {
                            last.extend_from_slice(&self.event(&Error::said_in_stream(self.said(frame))));
                        }
                        _ => last.extend_from_slice(&self.event_for(ending)),
                    }
                    return (Some(last), Some(ending));
                }
            }
            passed += frame.len();
        }
        (kept, None)
    }
}

enum Looked {
    Pass,
    Hide,
    /// Until the terminator is there.
    Hold,
    End(Ending),
}

impl Tap for Relay {
    fn chunk(&mut self, bytes: &[u8]) -> Step {
        let aligned = self.frames.is_aligned();
        if let Some(ending) = self.untold() {
            self.over(ending);
            return Step::Abort(self.event_for(ending));
        }
        let Ok(fed) = self.frames.feed(bytes) else {
            self.over(Ending::Garbage);
            let last = self.event_for(Ending::Garbage);
            return if self.hands_over(&last) { Step::Leave } else { Step::Abort(last) };
        };
        let (instead, ending) = self.frames(&fed);
        if let Some(ending) = ending {
            self.over(ending);
            let last = instead.unwrap_or_default();
            return match ending {
                Ending::Complete => Step::Finish(last),
                // What was whole before the failure is reasoning, and goes down with it.
                _ if self.hands_over(&last) => Step::Leave,
                _ => Step::Abort(last),
            };
        }
        match instead {
            Some(instead) => Step::Replace(instead),
            None if aligned && self.frames.is_aligned() => Step::Pass,
            None => Step::Replace(fed.bytes.into_owned()),
        }
    }

    fn end(&mut self, end: End) -> Option<Vec<u8>> {
        let ending = match end {
            End::ClientGone => {
                self.over(Ending::ClientGone);
                return Some(Vec::new());
            }
            End::Silence => Ending::Stalled,
            End::Overlong => Ending::Overlong,
            End::Eof | End::Cut => Ending::Cut,
        };
        if let Some(ending) = self.untold() {
            self.over(ending);
            return Some(self.event_for(ending));
        }
        let mut last = Vec::new();
        if end == End::Eof {
            let mut rest = self.frames.finish();
            if !rest.trim_ascii().is_empty() {
                // The last frame lacks its blank line, as careless servers leave it out: what it says counts all the same.
                rest.extend_from_slice(b"\n\n");
                let whole = sse::data(&rest)
                    .is_some_and(|data| !data.trim_ascii().is_empty() && !self.upstream.classify_frame(&rest, &data).garbage);
                match self.chunk(if whole { &rest } else { b"" }) {
                    Step::Finish(bytes) | Step::Abort(bytes) => return Some(bytes),
                    Step::Leave => return None,
                    Step::Replace(bytes) => last = bytes,
                    Step::Pass if whole => last = rest,
                    Step::Pass => {}
                }
            }
            if self.finish_is_enough && all_finished(self.seen) {
                let told = last.len();
                last.append(&mut self.held);
                // Gemini's answers are whole only now.
                self.unsatisfied = self.guard.as_mut().map_or(Ok(()), Guard::end).err();
                let ending = match self.unsatisfied {
                    Some(_) => Ending::Unsatisfied,
                    None if self.wording.end(&mut last).is_some() => Ending::Complete,
                    None => Ending::Garbage,
                };
                if ending != Ending::Complete {
                    last.truncate(told);
                } else if self.wording.is_same() && self.client == Dialect::Chat {
                    last.extend_from_slice(chat::DONE);
                }
                self.over(ending);
                last.extend_from_slice(&self.event_for(ending));
                return Some(last);
            }
        }
        self.over(ending);
        last.extend_from_slice(&self.event_for(ending));
        // Our own limit is nobody's failure, and no time is left for anybody else.
        if ending != Ending::Overlong && self.hands_over(&last) { None } else { Some(last) }
    }
}

impl Drop for Relay {
    /// A request that is dropped with its stream under way has lost its client.
    fn drop(&mut self) {
        self.over(Ending::ClientGone);
    }
}
