//! A provider's answer, repaired in its own JSON.

use serde_json::Value;

use crate::chat::Answer;
use crate::dialect::amend::Amend;
use crate::edit::Edit;

/// What makes `answer`, which was read from it and changed, of a response. None where they do not fit.
pub(in crate::dialect) fn amend(told: &Value, answer: &Answer) -> Option<Vec<Edit>> {
    let mut amend = Amend::of(&answer.choices.first()?.parts, Vec::new());
    for (index, told) in told.get("output")?.as_array()?.iter().enumerate() {
        item(&mut amend, told, &format!("/output/{index}"))?;
    }
    amend.done()
}

fn item(amend: &mut Amend<'_>, told: &Value, at: &str) -> Option<()> {
    match kind(told) {
        "message" => {
            let Some(parts) = told.get("content").and_then(Value::as_array) else { return Some(()) };
            let (begun, mut left) = (amend.edits.len(), parts.len());
            for (index, part) in parts.iter().enumerate().filter(|(_, part)| kind(part) == "output_text") {
                let (new, at) = (amend.text()?, format!("{at}/content/{index}"));
                if Some(new).filter(|new| !new.is_empty()) == said(part, "text") {
                    continue;
                }
                if new.is_empty() {
                    amend.leave_out(&at);
                    left -= 1;
                    continue;
                }
                amend.say(&format!("{at}/text"), new);
                amend.leave_out_places(part, &at);
                if part.get("logprobs").is_some() {
                    amend.put(&format!("{at}/logprobs"), "[]".to_owned());
                }
            }
            // A message that says nothing is none.
            if left == 0 && amend.edits.len() > begun {
                amend.edits.truncate(begun);
                amend.leave_out(at);
            }
        }
        kind @ ("function_call" | "custom_tool_call") => {
            let (new, name) = (amend.call()?, if kind == "function_call" { "arguments" } else { "input" });
            let old = said(told, name);
            if old.unwrap_or_default() != new.arguments {
                old?;
                amend.say(&format!("{at}/{name}"), &new.arguments);
            }
        }
        _ => {}
    }
    Some(())
}

fn kind(value: &Value) -> &str {
    said(value, "type").unwrap_or_default()
}

/// A member that is text, and not an empty one.
fn said<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}
