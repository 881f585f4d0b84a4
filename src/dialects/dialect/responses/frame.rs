//! Events as they are sent: named, numbered, each with its `type`.

use std::fmt::Write as _;

use serde_json::Value;

use crate::chat::Object;

/// Writes events. A muted one writes none, for whoever wants only what they end with.
#[derive(Debug, Default)]
pub(super) struct Events {
    sequence: u64,
    muted: bool,
}

/// Where something stands: an item, by its id and index, and what of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) item: &'a str,
    pub(super) output: usize,
    /// `content_index` or `summary_index`, where it is of a part.
    pub(super) part: Option<(&'static str, usize)>,
}

impl Events {
    pub(super) fn muted() -> Self {
        Self { muted: true, sequence: 0 }
    }

    /// The number of the next one.
    pub(super) const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// An event of a part's, with these members in JSON.
    pub(super) fn of_part(&mut self, kind: &str, place: Place<'_>, members: &[(&str, &str)], frames: &mut String) {
        if self.muted {
            return;
        }
        self.head(kind, frames);
        let _ = write!(frames, ",\"item_id\":\"{}\",\"output_index\":{}", place.item, place.output);
        if let Some((name, index)) = place.part {
            let _ = write!(frames, ",\"{name}\":{index}");
        }
        for (name, value) in members {
            let _ = write!(frames, ",\"{name}\":{value}");
        }
        frames.push_str("}\n\n");
    }

    /// An event of an item's.
    pub(super) fn of_item(&mut self, kind: &str, output: usize, item: &Object, frames: &mut String) {
        if self.muted {
            return;
        }
        self.head(kind, frames);
        let _ = write!(frames, ",\"output_index\":{output},\"item\":{}}}\n\n", json(item));
    }

    /// An event of the whole response's.
    pub(super) fn of_response(&mut self, kind: &str, response: &Object, frames: &mut String) {
        if self.muted {
            return;
        }
        self.head(kind, frames);
        let _ = write!(frames, ",\"response\":{}}}\n\n", json(response));
    }

    fn head(&mut self, kind: &str, frames: &mut String) {
        let _ = write!(frames, "event: {kind}\ndata: {{\"type\":\"{kind}\",\"sequence_number\":{}", self.sequence);
        self.sequence += 1;
    }
}

fn json(object: &Object) -> String {
    serde_json::to_string(object).unwrap_or_default()
}

/// A text in JSON.
pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// A list in JSON.
pub(super) fn listed(list: &[Value]) -> String {
    serde_json::to_string(list).unwrap_or_default()
}
