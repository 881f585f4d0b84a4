//! A provider cannot fill an isolate's memory: lines have a greatest length, and so have frames.

use breakwater::dialect::Dialect;
use breakwater::sse::{Frames, MAX_FRAME, MAX_LINE, Overlong};
use breakwater::stream::{Failure, Held, Hold};

/// What feeding a text in chunks of `size` comes to: the frames, or that it was refused.
fn fed(text: &[u8], size: usize) -> Result<usize, Overlong> {
    let mut frames = Frames::default();
    let mut found = 0;
    for chunk in text.chunks(size) {
        found += frames.feed(chunk)?.frames().count();
    }
    Ok(found)
}

const SIZES: [usize; 6] = [usize::MAX, MAX_LINE, MAX_LINE + 1, 65_536, 65_535, 4_093];

#[test]
fn a_line_is_as_long_as_it_may_be() {
    let line = |length: usize, end: &str| {
        let mut line = vec![b'x'; length];
        line.extend_from_slice(end.as_bytes());
        line
    };
    let short = b"data: a\n\n".to_vec();
    let rows: Vec<(&str, Vec<u8>, Option<usize>)> = vec![
        ("the longest", line(MAX_LINE, "\n\n"), Some(1)),
        ("the longest, CR", line(MAX_LINE, "\r\rx"), Some(1)),
        ("the longest, CRLF", line(MAX_LINE, "\r\n\r\n"), Some(1)),
        ("the longest, not ended", line(MAX_LINE, ""), Some(0)),
        ("the longest, twice", [line(MAX_LINE, "\n\n"), line(MAX_LINE, "\n\n")].concat(), Some(2)),
        ("the longest behind a blank CR", [b"\r".to_vec(), line(MAX_LINE, "\n\n")].concat(), Some(2)),
        ("one byte longer", line(MAX_LINE + 1, "\n\n"), None),
        ("one byte longer, CR", line(MAX_LINE + 1, "\r\r"), None),
        ("one byte longer, not ended", line(MAX_LINE + 1, ""), None),
        ("far longer", line(3 * MAX_LINE, ""), None),
        ("behind good frames", [short.clone(), short.clone(), line(MAX_LINE + 1, "\n\n"), short.clone()].concat(), None),
        ("within a frame", [b"data: a\n".to_vec(), line(MAX_LINE + 1, "\n\n")].concat(), None),
        ("a comment", [b":".to_vec(), line(MAX_LINE, "\n\n")].concat(), None),
    ];
    for (name, text, expected) in rows {
        for size in SIZES {
            assert_eq!(fed(&text, size).ok(), expected, "{name}, in chunks of {size}");
        }
    }
}

/// Short lines without a blank one between them are one frame, which is kept until it ends.
#[test]
fn a_frame_that_never_ends_is_refused() {
    let lines = b"data: x\n".repeat(2 * MAX_FRAME / 8);
    let short = b"data: a\n\n".repeat(3);
    let frame = |last: &str| [&lines[..MAX_FRAME - 8], last.as_bytes(), b"\n"].concat();
    let line = |length: usize| [vec![b'x'; length], b"\n".to_vec()].concat();
    let rows: Vec<(&str, Vec<u8>, Option<usize>)> = vec![
        ("two long lines", [line(MAX_LINE), line(MAX_LINE - 3), b"\n".to_vec()].concat(), Some(1)),
        ("the longest", frame("data: \n"), Some(1)),
        ("the longest behind others", [short.clone(), frame("data: \n"), short.clone()].concat(), Some(7)),
        ("one byte longer", frame("data: x\n"), None),
        ("one byte longer behind others", [short.clone(), frame("data: x\n"), short.clone()].concat(), None),
        ("never ended", lines.clone(), None),
        ("never ended, behind others", [short.clone(), lines.clone()].concat(), None),
        ("many short ones", b"data: x\n\n".repeat(MAX_FRAME / 8), Some(MAX_FRAME / 8)),
    ];
    for (name, text, expected) in rows {
        for size in SIZES {
            assert_eq!(fed(&text, size).ok(), expected, "{name}, in chunks of {size}");
        }
    }
}

/// Before the first content everything is held back, and that too has an end.
#[test]
fn what_is_held_back_is_bounded() {
    let rows: [(&str, &[u8]); 4] = [
        ("comments", b": ping\n\n"),
        ("comments that are never ended", b": ping\n"),
        ("events without content", b"data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n"),
        ("blank lines", b"\n"),
    ];
    for (name, ping) in rows {
        let mut hold = Hold::new(Dialect::Chat, false);
        let pings = ping.repeat(65_536 / ping.len());
        let mut sent = 0;
        let held = loop {
            sent += pings.len();
            match hold.feed(&pings) {
                Held::More => assert!(sent < 8 * MAX_LINE, "{name}: {sent} bytes are held"),
                held => break held,
            }
        };
        assert_eq!(held, Held::Failed(Failure::Garbage), "{name}");
        assert!(sent > MAX_LINE, "{name}: refused after {sent} bytes");
    }
}
