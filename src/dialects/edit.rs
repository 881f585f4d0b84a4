//! JSON with some of its values changed, and every other byte as it was written: what is read and written again loses the digits of long numbers.

use std::fmt::Write as _;

/// What is put in the place of the value at a JSON pointer (RFC 6901), as JSON; none takes it out of what holds it.
pub type Edit = (String, Option<String>);

/// The text with these changes; none where it is not JSON. Nothing within a value that is changed is changed too.
#[must_use]
pub fn edited(json: &str, edits: &[Edit]) -> Option<String> {
    let mut editor = Editor { json, at: 0, copied: 0, path: String::new(), edits, text: String::with_capacity(json.len()) };
    editor.value(0)?;
    editor.copy(json.len());
    Some(editor.text)
}

/// Deeper than anything that was read before it is edited.
const MAX_DEPTH: usize = 256;

struct Editor<'a> {
    json: &'a str,
    /// The next byte.
    at: usize,
    /// Up to where the text has what stays.
    copied: usize,
    /// The pointer of the value that is read.
    path: String,
    edits: &'a [Edit],
    text: String,
}

impl Editor<'_> {
    fn copy(&mut self, to: usize) {
        self.text.push_str(self.json.get(self.copied..to).unwrap_or_default());
        self.copied = self.copied.max(to);
    }

    fn peek(&self) -> Option<u8> {
        self.json.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, is_skipped: fn(u8) -> bool) {
        while self.peek().is_some_and(is_skipped) {
            self.at += 1;
        }
    }

    fn space(&mut self) {
        self.skip(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
    }

    /// Reads a value, and changes what is to be changed in it.
    fn value(&mut self, depth: usize) -> Option<()> {
        self.space();
        match self.peek()? {
            open @ (b'{' | b'[') if depth < MAX_DEPTH => self.holder(open == b'{', depth + 1)?,
            b'"' => self.string()?,
            _ => self.skip(|byte| !matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t' | b'{' | b'[' | b'"')),
        }
        Some(())
    }

    /// Reads an object's members, or an array's items.
    fn holder(&mut self, is_object: bool, depth: usize) -> Option<()> {
        let close = if is_object { b'}' } else { b']' };
        let length = self.path.len();
        // Where the last one ends that stays.
        let mut kept = None;
        let mut index = 0_usize;
        self.at += 1;
        self.space();
        while self.peek()? != close {
            let begin = self.at;
            self.path.push('/');
            if is_object {
                self.string()?;
                let name: String = serde_json::from_str(self.json.get(begin..self.at)?).ok()?;
                self.path.push_str(&name.replace('~', "~0").replace('/', "~1"));
                self.space();
                self.at += usize::from(self.peek()? == b':');
            } else {
                write!(self.path, "{index}").ok()?;
            }
            self.space();
            let value = self.at;
            let edits = self.edits;
            let edit = edits.iter().find(|(path, _)| *path == self.path).map(|(_, edit)| edit.as_deref());
            if edit == Some(None) {
                self.copy(kept.unwrap_or(begin));
            } else if edit.is_some() {
                self.copy(value);
            }
            let written = self.text.len();
            self.value(depth)?;
            if let Some(new) = edit {
                self.text.truncate(written);
                self.text.push_str(new.unwrap_or_default());
                self.copied = self.at;
            }
            if edit != Some(None) {
                kept = Some(self.at);
            }
            self.path.truncate(length);
            index += 1;
            self.space();
            if self.peek()? == b',' {
                self.at += 1;
                self.space();
                // What comes first has no comma before it.
                if kept.is_none() {
                    self.copied = self.at;
                }
            } else if self.peek()? != close {
                return None;
            }
        }
        self.at += 1;
        Some(())
    }

    /// Reads a string to behind its last quotation mark.
    fn string(&mut self) -> Option<()> {
        if self.peek()? != b'"' {
            return None;
        }
        loop {
            self.at += 1;
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 1,
                _ => {}
            }
        }
        self.at += 1;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::edited;

    /// JSON, what is changed, what it is then.
    type Row = (&'static str, &'static [(&'static str, Option<&'static str>)], &'static str);

    #[test]
    fn all_else_stays_as_it_was_written() {
        let rows: [Row; 14] = [
            (r#" {"a": 1.10, "b" : [1e400 , "x\"]}"] } "#, &[], r#" {"a": 1.10, "b" : [1e400 , "x\"]}"] } "#),
            (r#"{"a": 1, "b": 2}"#, &[("/a", Some("3"))], r#"{"a": 3, "b": 2}"#),
            (
                r#"{"a": {"b": [0, {"c": "x"}]}, "b": 2}"#,
                &[("/a/b/1/c", Some("\"y\""))],
                r#"{"a": {"b": [0, {"c": "y"}]}, "b": 2}"#,
            ),
            (r#"{ "a": 1, "b": 2.50 }"#, &[("/a", None)], r#"{ "b": 2.50 }"#),
            (r#"{ "a": 1, "b": 2 }"#, &[("/b", None)], r#"{ "a": 1 }"#),
            (r#"{"a":1 , "b":2 ,"c":3}"#, &[("/b", None)], r#"{"a":1 ,"c":3}"#),
            (r#"{"a":1,"b":2,"c":3}"#, &[("/a", None), ("/b", None)], r#"{"c":3}"#),
            (r#"{"a":1,"b":2,"c":3}"#, &[("/c", None), ("/b", None)], r#"{"a":1}"#),
            (r#"{"a":1,"b":2,"c":3}"#, &[("/c", None), ("/a", None)], r#"{"b":2}"#),
            (r"[[1, 2],[3]]", &[("/0/0", None), ("/0/1", None), ("/1/0", Some("[]"))], r"[[],[[]]]"),
            (r#"{"a/b~c\"\u0041":null,"A":null}"#, &[("/a~1b~0c\"A", None)], r#"{"A":null}"#),
            // What is within a value that is changed goes with it.
            (r#"{"a":{"b":1,"c":2}}"#, &[("/a", Some("0")), ("/a/b", Some("9"))], r#"{"a":0}"#),
            (r#"{"a":[{"b":1}],"c":2}"#, &[("/a", None), ("/a/0/b", None)], r#"{"c":2}"#),
            (r#"{"a":1,"é":"é"}"#, &[("/é", Some("2")), ("/x", None)], r#"{"a":1,"é":2}"#),
        ];
        for (json, edits, expected) in rows {
            let edits: Vec<_> = edits.iter().map(|(at, new)| ((*at).to_owned(), new.map(str::to_owned))).collect();
            let found = edited(json, &edits).unwrap();
            assert_eq!(found, expected, "{json}");
            serde_json::from_str::<Value>(&found.replace("1e400", "1")).unwrap();
        }
    }

    #[test]
    fn what_is_no_json_does_no_harm() {
        for text in [
            "",
            "{",
            "{\"",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "[1",
            "[1 2]",
            "[\"\\",
            "[1,",
            "{1:2}",
            "{,}",
            &"[".repeat(100_000),
        ] {
            assert_eq!(edited(text, &[("/a".to_owned(), None)]), None, "{text}");
        }
    }
}
