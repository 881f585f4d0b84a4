//! What a frame says: expectations written out, where the other tests go by a reference.

use breakwater::sse::{data, event};

#[test]
fn data_and_event_of_a_frame() {
    let rows: &[(&str, &[u8], Option<&str>, Option<&str>)] = &[
        ("one field", b"data: {\"a\":1}\n\n", Some("{\"a\":1}"), None),
        ("without a space", b"data:x\n\n", Some("x"), None),
        ("one space of two goes", b"data:  x\n\n", Some(" x"), None),
        ("a tab stays", b"data:\tx\n\n", Some("\tx"), None),
        ("white space at the end stays", b"data: x \n\n", Some("x "), None),
        ("colons within", b"data: a:b: c\n\n", Some("a:b: c"), None),
        ("empty", b"data:\n\n", Some(""), None),
        ("empty but for the space", b"data: \n\n", Some(""), None),
        ("no colon", b"data\n\n", Some(""), None),
        ("three lines", b"data: a\ndata: b\ndata: c\n\n", Some("a\nb\nc"), None),
        ("three lines, CRLF", b"data: a\r\ndata: b\r\ndata: c\r\n\r\n", Some("a\nb\nc"), None),
        ("three lines, CR", b"data: a\rdata: b\rdata: c\r\r", Some("a\nb\nc"), None),
        ("empty ones among them", b"data\ndata: b\ndata:\n\n", Some("\nb\n"), None),
        ("other fields between", b"data: a\nid: 1\n: x\ndata: b\nretry: 3\n\n", Some("a\nb"), None),
        ("an event's name", b"event: error\ndata: x\n\n", Some("x"), Some("error")),
        ("the name behind the data", b"data: x\nevent:ping\n\n", Some("x"), Some("ping")),
        ("two names", b"event: a\nevent: b\n\n", None, Some("b")),
        ("a name alone", b"event: ping\n\n", None, Some("ping")),
        ("a comment", b": data: x\n\n", None, None),
        ("another field that begins alike", b"database: x\ndata_: y\neventual: z\n\n", None, None),
        ("another that ends alike", b"mydata: x\n data: y\n\n", None, None),
        ("another case", b"Data: x\nDATA: y\n\n", None, None),
        ("behind a BOM", b"\xEF\xBB\xBFdata: x\n\n", Some("x"), None),
        ("a blank line alone", b"\n", None, None),
        ("no line end", b"data: x", Some("x"), None),
    ];
    for (name, frame, expected, named) in rows {
        assert_eq!(data(frame).as_deref(), expected.map(str::as_bytes), "{name}");
        assert_eq!(event(frame), named.map(str::as_bytes), "{name}");
    }
}

/// The usual frame, with one data field, is not copied.
#[test]
fn one_field_is_borrowed() {
    assert!(matches!(data(b"event: e\ndata: x\n\n"), Some(std::borrow::Cow::Borrowed(b"x"))));
}
