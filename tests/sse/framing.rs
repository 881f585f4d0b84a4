//! Where frames end, for every way to cut a stream into chunks.

use breakwater::sse::{Frames, data, event};
use proptest::prelude::*;

use super::naive;

/// Streams with everything that the grammar has: a name, and the text.
const CORPUS: &[(&str, &[u8])] = &[
    ("LF", b"data: a\n\ndata: b\n\ndata: [DONE]\n\n"),
    ("CRLF", b"data: a\r\n\r\ndata: b\r\n\r\ndata: [DONE]\r\n\r\n"),
    ("CR", b"data: a\r\rdata: b\r\rdata: [DONE]\r\r"),
    ("CR, then an LF that belongs to it", b"data: a\r\r\ndata: b\r\r\n"),
    ("LF, then CR", b"data: a\n\rdata: b\n\r"),
    ("LF, then CRLF", b"data: a\n\r\ndata: b\n\r\n"),
    ("CRLF, then LF", b"data: a\r\n\ndata: b\r\n\n"),
    ("CRLF, then CR", b"data: a\r\n\rdata: b\r\n\r"),
    ("every line end in one frame", b"event: e\rdata: a\ndata: b\r\ndata: c\r\r\ndata: d\n\n"),
    ("comments", b": OPENROUTER PROCESSING\n\n: again\n\ndata: a\n\n:\n\n"),
    ("comments within a frame", b":x\r\ndata: a\r\n:y\r\n\r\n"),
    ("a BOM", b"\xEF\xBB\xBFdata: a\n\ndata: b\n\n"),
    ("a BOM alone on its line", b"\xEF\xBB\xBF\ndata: a\n\n"),
    ("data of several lines", b"data: {\ndata:  \"a\": 1\ndata: }\n\ndata\ndata:\n\n"),
    ("no last blank line", b"data: a\n\ndata: b\n"),
    ("no last line end", b"data: a\n\ndata: b"),
    ("no last line end, CR", b"data: a\r\rdata: b\r"),
    ("empty frames", b"\n\n\ndata: a\n\n\n\ndata: b\n\n\n"),
    ("empty frames, CR", b"\r\r\rdata: a\r\r\r\rdata: b\r\r\r"),
    ("empty frames, CRLF", b"\r\n\r\ndata: a\r\n\r\n\r\n\r\n"),
    ("line ends alone", b"\r\n\n\r\r\n\r\n\r\r\r\n\n\n\r"),
    ("UTF-8", "data: é€𝄞\n\ndata: 日本\r\n\r\n".as_bytes()),
    ("not UTF-8", b"data: \xFF\xFE\x80\n\ndata: \xC3\n\n"),
    ("NUL, and other line ends of Unicode's", "data: a\0b\u{85}c\u{2028}d\u{B}\u{C}\n\n".as_bytes()),
    ("other fields", b"id: 1\nevent: error\nretry: 5\ndata: a\n\nevent: ping\n\nwhat\n\n"),
    ("nothing", b""),
];

/// What is given for chunks, frame by frame, and at the end. `None` stands for an empty read between two chunks.
fn framed<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, Vec<u8>) {
    let mut frames = Frames::default();
    let mut found = Vec::new();
    let mut fed_bytes = 0;
    for chunk in chunks {
        fed_bytes += chunk.len();
        let fed = frames.feed(chunk).unwrap();
        let before = found.len();
        found.extend(fed.frames().map(<[u8]>::to_vec));
        assert_eq!(found[before..].concat(), *fed.bytes, "a chunk's frames are its bytes");
        assert_eq!(frames.is_aligned(), found.concat().len() == fed_bytes, "aligned, when all that was fed was given");
    }
    let rest = frames.finish();
    assert!(frames.is_aligned(), "nothing is kept behind the end");
    (found, rest)
}

fn check(name: &str, text: &[u8], chunks: &[&[u8]]) {
    let got = framed(chunks.iter().copied());
    assert_eq!(
        got,
        naive::frames(text),
        "{name}, in chunks of {:?}",
        chunks.iter().map(|chunk| chunk.len()).collect::<Vec<_>>()
    );
    for frame in got.0.iter().chain([&got.1]) {
        assert_eq!(data(frame).map(std::borrow::Cow::into_owned), naive::data(frame), "{name}: {frame:?}");
        assert_eq!(event(frame), naive::values(frame, "event").last().map(Vec::as_slice), "{name}: {frame:?}");
    }
}

/// The reference itself, on a text that is read by eye.
#[test]
fn the_reference_is_right() {
    let (frames, rest) = naive::frames(b"a\r\n\r\nb\n\n\rc\r\rd\r\r");
    let expected: [&[u8]; 4] = [b"a\r\n\r\n", b"b\n\n", b"\r", b"c\r\r"];
    assert_eq!((frames, rest), (expected.map(<[u8]>::to_vec).to_vec(), b"d\r\r".to_vec()));
    assert_eq!(naive::data(b"data: a\ndata:b\n:c\ndata\ndatax: d\n\n"), Some(b"a\nb\n".to_vec()));
}

#[test]
fn every_split_point() {
    for (name, text) in CORPUS {
        check(name, text, &[text]);
        check(name, text, &text.chunks(1).collect::<Vec<_>>());
        for at in 0..=text.len() {
            check(name, text, &[&text[..at], &text[at..]]);
        }
    }
}

/// Two splits, the same one twice included: a read may hold nothing.
#[test]
fn every_pair_of_split_points() {
    for (name, text) in CORPUS {
        for first in 0..=text.len() {
            for second in first..=text.len() {
                check(name, text, &[&text[..first], &text[first..second], &text[second..]]);
            }
        }
    }
}

/// All of the corpus as one stream: a frame's end leaves nothing behind that the next one could trip over.
#[test]
fn streams_behind_streams() {
    let text = CORPUS.iter().map(|(_, text)| *text).collect::<Vec<_>>().concat();
    for size in 1..=97 {
        check("the corpus", &text, &text.chunks(size).collect::<Vec<_>>());
    }
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let word = |bytes: &[u8]| Just(bytes.to_vec());
    prop_oneof![
        4 => prop_oneof![word(b"\n"), word(b"\r"), word(b"\r\n")],
        2 => prop_oneof![word(b"\n\n"), word(b"\r\r"), word(b"\r\n\r\n")],
        3 => prop_oneof![word(b"data"), word(b"data:"), word(b"data: "), word(b"event: "), word(b":"), word(b" ")],
        2 => prop_oneof![word(b"{\"a\":1}"), word("é€".as_bytes()), word(b"[DONE]"), word(b"x")],
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_text_in_any_chunks(pieces in prop::collection::vec(piece(), 0..40), sizes in prop::collection::vec(0_usize..9, 0..120)) {
        let text = pieces.concat();
        let mut chunks = Vec::new();
        let mut rest = text.as_slice();
        for size in sizes {
            let (chunk, further) = rest.split_at(size.min(rest.len()));
            chunks.push(chunk);
            rest = further;
        }
        chunks.push(rest);
        check("generated", &text, &chunks);
    }
}
