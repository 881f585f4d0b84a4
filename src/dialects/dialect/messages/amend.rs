//! A provider's answer, repaired in its own JSON.

use serde_json::Value;

use super::kind;
use crate::chat::Answer;
use crate::dialect::amend::Amend;
use crate::edit::Edit;

/// What makes `answer`, which was read from it and changed, of a message. None where they do not fit. Citations say what a text is taken from, and nothing of
/// places in it: they stay.
pub(in crate::dialect) fn amend(told: &Value, answer: &Answer) -> Option<Vec<Edit>> {
    let mut amend = Amend::of(&answer.choices.first()?.parts, Vec::new());
    for (index, block) in told.get("content")?.as_array()?.iter().enumerate() {
        let at = format!("/content/{index}");
        match kind(block) {
            Some("text") => {
                let new = amend.text()?;
                if block.get("text")? == new {
                    continue;
                }
                // No text may be empty.
                if new.is_empty() {
                    amend.leave_out(&at);
                } else {
                    amend.say(&format!("{at}/text"), new);
                }
            }
            Some("tool_use") => {
                let (new, old) = (amend.call()?, block.get("input"));
                if old.map_or_else(|| "{}".to_owned(), Value::to_string) != new.arguments {
                    old?;
                    amend.put(&format!("{at}/input"), new.arguments.clone());
                }
            }
            _ => {}
        }
    }
    amend.done()
}
