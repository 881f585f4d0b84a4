//! A stream after its first content: see [`super`].

use super::{Failure, Hold, failure_of};
use crate::error::Error;
use crate::provider::openai;
use crate::runtime::{End, Step, Tap};
use crate::secret::Secret;
use crate::sse::{self, Frames};
use crate::verdict::{self, Said};

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
    /// By the client's leaving.
    ClientGone,
}

/// Is given the data of every event, for the cache.
pub(crate) type Recorder = Box<dyn FnMut(&str)>;

/// The tap over a committed stream.
pub struct Relay {
    frames: Frames,
    finished: bool,
    finish_is_enough: bool,
    /// Whether the event that holds nothing but usage, which was asked for on our own account, is kept from the client.
    hide_usage: bool,
    recorder: Option<Recorder>,
    /// The key that the provider was given, which its errors may quote.
    secret: Option<Secret>,
    ended: Option<Box<dyn FnOnce(Ending)>>,
}

impl Relay {
    /// Goes on where `hold` committed. `ended` is called once, whatever becomes of the stream.
    #[must_use]
    pub fn new(hold: Hold, ended: Box<dyn FnOnce(Ending)>) -> Self {
        Self {
            frames: hold.frames,
            finished: hold.seen.finish,
            finish_is_enough: hold.finish_is_enough,
            hide_usage: false,
            recorder: None,
            secret: None,
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

    /// Keeps the key that the provider was given out of its errors.
    #[must_use]
    pub fn hiding(mut self, secret: Option<Secret>) -> Self {
        self.secret = secret;
        self
    }

    /// Records what was sent before the relay began: whole frames.
    #[must_use]
    pub fn after(mut self, first: &[u8]) -> Self {
        if let (Some(recorder), Ok(fed)) = (&mut self.recorder, Frames::default().feed(first)) {
            for data in fed.frames().filter_map(sse::data) {
                recorder(&String::from_utf8_lossy(&data));
            }
        }
        self
    }

    fn over(&mut self, ending: Ending) {
        if let Some(ended) = self.ended.take() {
            ended(ending);
        }
    }

    /// Looks at one frame's data. Says what to do with the frame, and how the stream ended if it did.
    fn look(&mut self, data: &[u8]) -> Looked {
        if let Some(recorder) = &mut self.recorder {
            recorder(&String::from_utf8_lossy(data));
        }
        if !self.hide_usage && !openai::needs_a_look(data) {
            return Looked::Pass;
        }
        let event = openai::classify_event(data);
        match failure_of(event, data) {
            Some(Failure::Error(_)) => return Looked::End(Ending::ErrorEvent),
            Some(Failure::Garbage | Failure::Empty) => return Looked::End(Ending::Garbage),
            None => {}
        }
        self.finished |= event.finish;
        if event.done {
            Looked::End(Ending::Complete)
        } else if event.usage_only && self.hide_usage {
            Looked::Hide
        } else {
            Looked::Pass
        }
    }

    fn said(&self, frame: &[u8]) -> Said {
        let said = sse::data(frame).map(|data| verdict::said(&String::from_utf8_lossy(&data))).unwrap_or_default();
        match &self.secret {
            Some(secret) => said.without(secret),
            None => said,
        }
    }

    /// Looks at whole frames; gives what the client is sent of them where that is not all, and the ending.
    fn frames(&mut self, fed: &sse::Fed<'_>) -> (Option<Vec<u8>>, Option<Ending>) {
        let mut kept: Option<Vec<u8>> = None;
        let mut passed = 0;
        for frame in fed.frames() {
            let looked = sse::data(frame).map_or(Looked::Pass, |data| self.look(&data));
            match looked {
                Looked::Pass => {
                    if let Some(kept) = &mut kept {
                        kept.extend_from_slice(frame);
                    }
                }
                Looked::Hide => {
                    kept.get_or_insert_with(|| fed.bytes.get(..passed).unwrap_or_default().to_vec());
                }
                Looked::End(ending) => {
                    let mut last = kept.unwrap_or_else(|| fed.bytes.get(..passed).unwrap_or_default().to_vec());
                    match ending {
                        Ending::Complete => last.extend_from_slice(frame),
                        // In the provider's words, but without what else it put into that event, such as a finish reason.
                        Ending::ErrorEvent => {
                            last.extend_from_slice(&Error::said_in_stream(self.said(frame)).event_openai());
                        }
                        _ => last.extend_from_slice(&event_for(ending)),
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
    End(Ending),
}

impl Tap for Relay {
    fn chunk(&mut self, bytes: &[u8]) -> Step {
        let aligned = self.frames.is_aligned();
        let Ok(fed) = self.frames.feed(bytes) else {
            self.over(Ending::Garbage);
            return Step::Abort(event_for(Ending::Garbage));
        };
        let (instead, ending) = self.frames(&fed);
        if let Some(ending) = ending {
            self.over(ending);
            let last = instead.unwrap_or_default();
            return if ending == Ending::Complete { Step::Finish(last) } else { Step::Abort(last) };
        }
        match instead {
            Some(instead) => Step::Replace(instead),
            None if aligned && self.frames.is_aligned() => Step::Pass,
            None => Step::Replace(fed.bytes.into_owned()),
        }
    }

    fn end(&mut self, end: End) -> Vec<u8> {
        let ending = match end {
            End::ClientGone => {
                self.over(Ending::ClientGone);
                return Vec::new();
            }
            End::Silence => Ending::Stalled,
            End::Overlong => Ending::Overlong,
            End::Eof | End::Cut => Ending::Cut,
        };
        let mut last = Vec::new();
        if end == End::Eof {
            let mut rest = self.frames.finish();
            if !rest.trim_ascii().is_empty() {
                // The last frame lacks its blank line, as careless servers leave it out: what it says counts all the same.
                rest.extend_from_slice(b"\n\n");
                let whole = sse::data(&rest).is_some_and(|data| !openai::classify_event(&data).garbage);
                match self.chunk(if whole { &rest } else { b"" }) {
                    Step::Finish(bytes) | Step::Abort(bytes) => return bytes,
                    Step::Replace(bytes) => last = bytes,
                    Step::Pass if whole => last = rest,
                    Step::Pass => {}
                }
            }
            if self.finished && self.finish_is_enough {
                self.over(Ending::Complete);
                last.extend_from_slice(openai::DONE);
                return last;
            }
        }
        self.over(ending);
        last.extend_from_slice(&event_for(ending));
        last
    }
}

impl Drop for Relay {
    /// A request that is dropped with its stream under way has lost its client.
    fn drop(&mut self) {
        self.over(Ending::ClientGone);
    }
}

/// The event that ends a stream which must not look complete.
fn event_for(ending: Ending) -> Vec<u8> {
    match ending {
        Ending::Cut => Error::upstream_failed("the provider's stream ended before it was complete"),
        Ending::Stalled => Error::upstream_failed("the provider's stream went silent before it was complete"),
        Ending::Overlong => Error::deadline_exceeded("the stream passed its greatest duration before it was complete"),
        Ending::Garbage | Ending::ErrorEvent => {
            Error::upstream_failed("the provider's stream broke its protocol before it was complete")
        }
        Ending::Complete | Ending::ClientGone => return Vec::new(),
    }
    .event_openai()
}
