//! Server-sent events over bytes (WHATWG HTML, section 9.2.6, "Interpreting an event stream").
//!
//! A gateway needs frames, not events: where one ends, so that only whole ones are passed on, and what its data says, where anyone
//! has to look. So framing and reading are apart, and the common case, a chunk that consists of whole frames, copies nothing.
//!
//! The invariant is that how the bytes are split into chunks changes nothing: the same bytes give the same frames. Lines end in LF, CRLF
//! or CR; a CR at the end of a chunk may be half of a CRLF, so that a frame which ends in one is not over until the next byte is known.

use std::borrow::Cow;

pub use breakwater_dialects::event::{data, event};

/// The longest line, in bytes: a provider must not be able to fill an isolate's memory with one that never ends.
pub const MAX_LINE: usize = 1024 * 1024;

/// The longest frame, in bytes: it is kept until it ends, and short lines without a blank one between them are a frame that does not.
pub const MAX_FRAME: usize = 2 * MAX_LINE;

/// A line that is longer than [`MAX_LINE`], or a frame that is longer than [`MAX_FRAME`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlong;

/// Finds frames in a stream of chunks. A frame is everything up to and including the blank line that ends it.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    /// The beginning of a frame whose end has not come yet.
    tail: Vec<u8>,
    scan: Scan,
}

/// Where in a frame the scan is.
#[derive(Clone, Debug, Default)]
struct Scan {
    /// The length of the line that is being read.
    line: usize,
    /// Whether the last byte was a CR, after which an LF belongs to the same line end.
    after_cr: bool,
    /// A blank line that ended in CR: the frame is over, but for an LF that may still follow.
    blank_cr: bool,
}

impl Scan {
    /// Reads `chunk` and calls `frame` with the end of each frame in it.
    fn run(&mut self, chunk: &[u8], mut frame: impl FnMut(usize)) -> Result<(), Overlong> {
        let mut at = 0;
        while let Some(rest) = chunk.get(at..).filter(|rest| !rest.is_empty()) {
            if self.blank_cr {
                // The frame ended in CR; an LF right behind it is still part of it.
                self.blank_cr = false;
                self.after_cr = false;
                if rest.first() == Some(&b'\n') {
                    at += 1;
                    frame(at);
                    continue;
                }
                frame(at);
            }
            let Some(step) = memchr::memchr2(b'\n', b'\r', rest) else {
                self.after_cr = false;
                self.line += rest.len();
                return if self.line > MAX_LINE { Err(Overlong) } else { Ok(()) };
            };
            let is_cr = rest.get(step) == Some(&b'\r');
            at += step + 1;
            self.line += step;
            if self.line > MAX_LINE {
                return Err(Overlong);
            }
            if step == 0 && !is_cr && self.after_cr {
                self.after_cr = false;
                continue;
            }
            let blank = self.line == 0;
            self.line = 0;
            self.after_cr = is_cr;
            match (blank, is_cr) {
                (true, true) => self.blank_cr = true,
                (true, false) => frame(at),
                (false, _) => {}
            }
        }
        Ok(())
    }
}

impl Frames {
    /// Reads a chunk and gives what is whole: all bytes up to the end of the last frame that ended. The rest is kept.
    pub fn feed<'a>(&mut self, chunk: &'a [u8]) -> Result<Fed<'a>, Overlong> {
        let had_tail = self.tail.len();
        let mut ends = Vec::new();
        self.scan.run(chunk, |end| ends.push(had_tail + end))?;
        let size = had_tail + chunk.len();
        if size > MAX_FRAME && longest(&ends, size) > MAX_FRAME {
            return Err(Overlong);
        }
        let Some(last) = ends.last().copied() else {
            self.tail.extend_from_slice(chunk);
            return Ok(Fed { bytes: Cow::Borrowed(&[]), ends });
        };
        let (whole, rest) = chunk.split_at_checked(last - had_tail).unwrap_or((chunk, &[]));
        let bytes = if had_tail == 0 {
            Cow::Borrowed(whole)
        } else {
            let mut joined = std::mem::take(&mut self.tail);
            joined.extend_from_slice(whole);
            Cow::Owned(joined)
        };
        self.tail.extend_from_slice(rest);
        Ok(Fed { bytes, ends })
    }

    /// The frames of bytes that are nothing but whole ones: where the last ends in CR, no LF is waited for.
    pub fn of(whole: &[u8]) -> Result<Fed<'_>, Overlong> {
        let mut frames = Self::default();
        let mut fed = frames.feed(whole)?;
        if !frames.is_aligned() {
            fed.ends.push(whole.len());
            fed.bytes = Cow::Borrowed(whole);
        }
        Ok(fed)
    }

    /// The stream is over: a frame that only waited to see whether an LF follows its CR, or whose blank line is missing, as the last one
    /// of careless servers is.
    pub fn finish(&mut self) -> Vec<u8> {
        self.scan = Scan::default();
        std::mem::take(&mut self.tail)
    }

    /// Whether all that was fed has been given.
    #[must_use]
    pub fn is_aligned(&self) -> bool {
        self.tail.is_empty()
    }
}

/// The length of the longest frame among those that end at `ends`, and the one behind them, of which all up to `size` has come.
fn longest(ends: &[usize], size: usize) -> usize {
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let lengths = starts.zip(ends.iter().copied().chain([size])).map(|(start, end)| end.saturating_sub(start));
    lengths.max().unwrap_or_default()
}

/// Whole frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fed<'a> {
    /// Their bytes, one frame after the other.
    pub bytes: Cow<'a, [u8]>,
    ends: Vec<usize>,
}

impl Fed<'_> {
    /// Each frame's bytes.
    pub fn frames(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).filter_map(|(start, end)| self.bytes.get(start..*end))
    }
}
