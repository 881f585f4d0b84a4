//! A provider's answer with some of its texts and arguments said otherwise, in their places, and all else as it came.

use serde_json::Value;

use crate::chat::{Kind, Part, ToolCall};
use crate::edit::Edit;

/// Goes through a choice beside the JSON that it was read from: its texts and calls in the order in which they were read.
pub(super) struct Amend<'a> {
    parts: std::slice::Iter<'a, Part>,
    pub(super) edits: Vec<Edit>,
}

impl<'a> Amend<'a> {
    pub(super) fn of(parts: &'a [Part], edits: Vec<Edit>) -> Self {
        Self { parts: parts.iter(), edits }
    }

    fn next(&mut self) -> Option<&'a Kind> {
        let kind = |part: &'a Part| matches!(part.kind, Kind::Text { .. } | Kind::ToolCall(_)).then_some(&part.kind);
        self.parts.by_ref().find_map(kind)
    }

    /// The next one, which must be a text. An empty one stands for what is left out.
    pub(super) fn text(&mut self) -> Option<&'a str> {
        if let Kind::Text { text, .. } = self.next()? { Some(text) } else { None }
    }

    /// The next one, which must be a call.
    pub(super) fn call(&mut self) -> Option<&'a ToolCall> {
        if let Kind::ToolCall(call) = self.next()? { Some(call) } else { None }
    }

    /// All that is changed, if there is nothing more in the choice.
    pub(super) fn done(mut self) -> Option<Vec<Edit>> {
        self.next().is_none().then_some(self.edits)
    }

    /// Puts a text in the place of a string.
    pub(super) fn say(&mut self, at: &str, text: &str) {
        self.put(at, Value::from(text).to_string());
    }

    pub(super) fn put(&mut self, at: &str, json: String) {
        self.edits.push((at.to_owned(), Some(json)));
    }

    pub(super) fn leave_out(&mut self, at: &str) {
        self.edits.push((at.to_owned(), None));
    }

    /// Leaves out what is noted of places in a text that is another one now: annotations of `holder`, which is at `at`.
    pub(super) fn leave_out_places(&mut self, holder: &Value, at: &str) {
        let is_placed = |note: &Value| note.get("url_citation").unwrap_or(note).get("start_index").is_some();
        let notes = holder.get("annotations").and_then(Value::as_array);
        for (index, _) in notes.into_iter().flatten().enumerate().filter(|(_, note)| is_placed(note)) {
            self.leave_out(&format!("{at}/annotations/{index}"));
        }
    }
}
