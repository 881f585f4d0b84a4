//! The event stream's grammar read in the plainest way: the whole text at once, line by line, as the WHATWG's section 9.2.6 has it. It
//! shares nothing with the code under test.

/// Frames, each up to and including its blank line, and what is left behind the last. A blank line that ends in the text's very last byte,
/// a CR, is left as well: an LF could still follow.
pub(crate) fn frames(text: &[u8]) -> (Vec<Vec<u8>>, Vec<u8>) {
    let mut frames = Vec::new();
    let mut frame = Vec::new();
    let mut line = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let end: &[u8] = match text[at] {
            b'\r' if text.get(at + 1) == Some(&b'\n') => b"\r\n",
            b'\r' => b"\r",
            b'\n' => b"\n",
            other => {
                line.push(other);
                at += 1;
                continue;
            }
        };
        at += end.len();
        let over = line.is_empty() && !(end == b"\r" && at == text.len());
        frame.append(&mut line);
        frame.extend_from_slice(end);
        if over {
            frames.push(std::mem::take(&mut frame));
        }
    }
    frame.append(&mut line);
    (frames, frame)
}

/// The values of a frame's fields of that name, in their order.
pub(crate) fn values(frame: &[u8], name: &str) -> Vec<Vec<u8>> {
    let frame = frame.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(frame);
    let mut values = Vec::new();
    for line in frame.split(|byte| *byte == b'\n' || *byte == b'\r') {
        let colon = line.iter().position(|byte| *byte == b':');
        let (field, value) = colon.map_or((line, &b""[..]), |colon| (&line[..colon], &line[colon + 1..]));
        if field == name.as_bytes() {
            values.push(if value.first() == Some(&b' ') { value[1..].to_vec() } else { value.to_vec() });
        }
    }
    values
}

/// A frame's data.
pub(crate) fn data(frame: &[u8]) -> Option<Vec<u8>> {
    let values = values(frame, "data");
    (!values.is_empty()).then(|| values.join(&b'\n'))
}
