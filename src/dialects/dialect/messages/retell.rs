//! A provider's stream, repaired in its own events.

use serde_json::Value;

use super::kind;
use crate::chat::Answer;
use crate::dialect::amend::Amend;
use crate::edit::{Edit, edited};

/// A block of which something may have been repaired.
struct Block {
    index: u64,
    calls: bool,
    said: String,
    /// What a call begins with, which is its input where nothing follows.
    input: String,
    /// What it is to say; nothing where it is left out.
    new: Option<String>,
}

/// The events with these data, so that they say what `answer` does, which was read from them and repaired since: all else is as it came. None where they do
/// not fit.
pub(in crate::dialect) fn retell(events: &[String], answer: &Answer) -> Option<String> {
    let read: Vec<Value> = events.iter().filter_map(|data| serde_json::from_str(data).ok()).collect();
    if read.len() < events.len() {
        return None;
    }
    let changed = changed(&read, answer)?;
    let mut frames = String::new();
    for (data, event) in events.iter().zip(&read) {
        let index = event.get("index").and_then(Value::as_u64);
        let ours = changed.iter().find(|block| Some(block.index) == index);
        if ours.is_some_and(|block| block.new.is_none()) {
            continue;
        }
        let mut edits: Vec<Edit> = Vec::new();
        let before = |block: &&Block| block.new.is_none() && Some(block.index) < index;
        let place = index.map(|index| index - changed.iter().filter(before).count() as u64);
        if place != index {
            edits.extend(place.map(|place| ("/index".to_owned(), Some(place.to_string()))));
        }
        let mut told = None;
        if let Some(Block { calls, new: Some(new), .. }) = ours {
            match (kind(event), event.get("delta").and_then(kind)) {
                (Some("content_block_start"), _) => {
                    let (name, empty) = if *calls { ("input", "{}") } else { ("text", "\"\"") };
                    edits.push((format!("/content_block/{name}"), Some(empty.to_owned())));
                    told = Some((*calls, new, place.unwrap_or_default()));
                }
                (_, Some("text_delta" | "input_json_delta")) => continue,
                _ => {}
            }
        }
        frame(&mut frames, kind(event).unwrap_or_default(), &edited(data, &edits)?);
        if let Some((calls, new, index)) = told {
            let (kind, name) = if calls { ("input_json_delta", "partial_json") } else { ("text_delta", "text") };
            let new = Value::from(new.as_str());
            let data =
                format!(r#"{{"type":"content_block_delta","index":{index},"delta":{{"type":"{kind}","{name}":{new}}}}}"#);
            frame(&mut frames, "content_block_delta", &data);
        }
    }
    Some(frames)
}

fn frame(frames: &mut String, name: &str, data: &str) {
    frames.extend(["event: ", name, "\ndata: ", data, "\n\n"]);
}

/// The blocks that say something else now.
fn changed(events: &[Value], answer: &Answer) -> Option<Vec<Block>> {
    let mut blocks: Vec<Block> = Vec::new();
    for event in events {
        let index = event.get("index").and_then(Value::as_u64).unwrap_or(0);
        let text = |holder: &str, name: &str| event.get(holder).and_then(|holder| holder.get(name)).and_then(Value::as_str);
        match (kind(event), event.get("content_block").and_then(kind)) {
            (Some("content_block_start"), Some(kind @ ("text" | "tool_use"))) => {
                let said = text("content_block", "text").unwrap_or_default().to_owned();
                let input = event.get("content_block").and_then(|block| block.get("input")).filter(|input| !input.is_null());
                let input = input.map_or_else(|| "{}".to_owned(), Value::to_string);
                blocks.push(Block { index, calls: kind == "tool_use", said, input, new: None });
            }
            (Some("content_block_delta"), _) => {
                if let Some(block) = blocks.iter_mut().rfind(|block| block.index == index) {
                    let more = text("delta", if block.calls { "partial_json" } else { "text" });
                    block.said.push_str(more.unwrap_or_default());
                }
            }
            _ => {}
        }
    }
    // Each index is of one block.
    if !blocks.iter().zip(blocks.iter().skip(1)).all(|(one, next)| one.index < next.index) {
        return None;
    }
    let mut amend = Amend::of(&answer.choices.first()?.parts, Vec::new());
    for block in &mut blocks {
        if block.calls && block.said.is_empty() {
            std::mem::swap(&mut block.said, &mut block.input);
        }
        let new = if block.calls { amend.call()?.arguments.as_str() } else { amend.text()? };
        block.new = Some(new.to_owned()).filter(|new| !new.is_empty());
    }
    amend.done()?;
    blocks.retain(|block| block.new.as_deref().unwrap_or_default() != block.said);
    Some(blocks)
}
