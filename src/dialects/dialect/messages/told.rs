//! Blocks of text that only Anthropic has, as the text that they are.

use serde_json::Value;

use crate::chat::{Losses, Object};

/// What is told of one, or says what it is.
const TOLD: [&str; 6] = ["type", "title", "source", "context", "content", "tool_name"];

/// A search result, a document of text blocks, or the name of a tool that was found, in words. None of what is more than text. What stands beside the words, and is
/// none (that they are to be cited, or cached), is lost.
pub(in crate::dialect) fn as_text(block: &Value, losses: &mut Losses) -> Option<String> {
    let text = words(block)?;
    let beside = block.as_object()?.iter().filter(|(name, _)| !TOLD.contains(&name.as_str()));
    let beside: Object = beside.map(|(name, value)| (name.clone(), value.clone())).collect();
    losses.unknown("messages[].content[].", &beside);
    Some(text)
}

fn words(block: &Value) -> Option<String> {
    let content = match block.get("type")?.as_str()? {
        "tool_reference" => return block.get("tool_name")?.as_str().map(str::to_owned),
        "search_result" => block.get("content")?,
        "document" => {
            block.get("source").filter(|source| source.get("type").is_some_and(|kind| kind == "content"))?.get("content")?
        }
        _ => return None,
    };
    let mut words: Vec<&str> = ["title", "source", "context"].iter().filter_map(|name| block.get(*name)?.as_str()).collect();
    match content {
        Value::String(text) => words.push(text),
        Value::Array(blocks) => {
            for block in blocks {
                words.push(block.get("text").filter(|_| block.get("type").is_some_and(|kind| kind == "text"))?.as_str()?);
            }
        }
        _ => return None,
    }
    Some(words.join("\n"))
}
