//! Blocks of content, read.

use serde_json::Value;

use super::read::plain;
use crate::chat::{Fields, Kind, Object, Origin, Part, Reading, Reasoning, Seal, Source, ToolCall, ToolResult, sealed_in_id};

/// A string, or blocks. None where there is neither.
pub(super) fn content(fields: &mut Fields, name: &str) -> Reading<Option<Vec<Part>>> {
    match fields.peek(name) {
        None => Ok(None),
        Some(Value::String(_)) => Ok(fields.text(name)?.map(plain)),
        Some(Value::Array(_)) => {
            let mut parts: Vec<Part> = Vec::new();
            for fields in fields.objects(name)?.unwrap_or_default() {
                let of_before = fields.peek("signature").and_then(Value::as_str).and_then(Seal::of_before);
                match (of_before, parts.last_mut()) {
                    (Some(seal), Some(said)) => said.take_seal(seal),
                    (Some(_), None) => {}
                    (None, _) => parts.push(block(fields)?),
                }
            }
            Ok(Some(parts))
        }
        Some(other) => Err(fields.wrong(name, "a string or an array of content blocks", other)),
    }
}

/// Whether a part is what a tool gave.
pub(super) fn is_result(part: &Part) -> bool {
    matches!(part.kind, Kind::ToolResult(_))
}

/// A block. One that is not known is kept whole: its `cache_control` too.
fn block(mut fields: Fields) -> Reading<Part> {
    let Some(kind) = fields.peek("type").and_then(Value::as_str).map(str::to_owned) else {
        return Err(fields.missing("type", "a block's type, such as 'text'"));
    };
    let source = match kind.as_str() {
        "image" | "document" => match fields.peek("source").and_then(source) {
            Some(source) => Some(source),
            None if fields.has("source") => return Ok(Part::new(Kind::Opaque(fields.whole_value()))),
            None => return Err(fields.missing("source", "an object with 'type'")),
        },
        _ => None,
    };
    let kind = match (kind.as_str(), source) {
        ("text", _) => {
            let notes = fields.list("citations")?.unwrap_or_default();
            Kind::Text { text: fields.needs_text("text")?, notes, seal: None }
        }
        ("image", Some(source)) => Kind::Image { source, detail: None, seal: None },
        ("document", Some(source)) => Kind::File { source, name: fields.text("title")? },
        ("tool_use", _) => {
            let sealed = fields.needs_text("id")?;
            let (id, seal) = sealed_in_id(&sealed);
            let arguments = fields.any("input").map_or_else(|| "{}".to_owned(), |input| input.to_string());
            let name = fields.needs_text("name")?;
            Kind::ToolCall(ToolCall { id: id.to_owned(), name, arguments, custom: false, seal })
        }
        ("tool_result", _) => {
            let id = fields.needs_text("tool_use_id")?;
            Kind::ToolResult(ToolResult {
                id: sealed_in_id(&id).0.to_owned(),
                name: None,
                content: content(&mut fields, "content")?.unwrap_or_default(),
                is_error: fields.boolean("is_error")?.unwrap_or(false),
                custom: false,
            })
        }
        ("thinking", _) => {
            let seal = fields.text("signature")?.filter(|signature| !signature.is_empty());
            Kind::Reasoning(Reasoning {
                text: fields.needs_text("thinking")?,
                seal: seal.map(|signature| Seal::read(signature, Origin::Anthropic)),
                ..Reasoning::default()
            })
        }
        ("redacted_thinking", _) => {
            let seal = Some(Seal::read(fields.needs_text("data")?, Origin::Anthropic));
            Kind::Reasoning(Reasoning { seal, redacted: true, ..Reasoning::default() })
        }
        _ => return Ok(Part::new(Kind::Opaque(fields.whole_value()))),
    };
    for read in ["type", "source"] {
        fields.any(read);
    }
    Ok(Part { kind, cache: fields.any("cache_control"), extra: fields.rest() })
}

/// Where an image or a document is. None where it is in a way that is not known, or made of blocks.
fn source(value: &Value) -> Option<Source> {
    let source = value.as_object()?;
    let of = |name: &str| super::text(source, name).map(str::to_owned);
    match (super::text(source, "type")?, source.len()) {
        ("base64", 3) => Some(Source::Base64 { media_type: of("media_type")?, data: of("data")? }),
        ("text", 3) if super::text(source, "media_type") == Some("text/plain") => Some(Source::Text(of("data")?)),
        ("url", 2) => Some(Source::Url { url: of("url")?, media_type: None }),
        ("file", 2) => Some(Source::FileId(of("file_id")?)),
        _ => None,
    }
}

/// The source of an image or a document, as Anthropic writes it.
pub(super) fn write_source(source: &Source) -> Object {
    use super::block;
    match source {
        Source::Base64 { media_type, data } => {
            block("base64", [("media_type", media_type.as_str().into()), ("data", data.as_str().into())])
        }
        Source::Text(text) => block("text", [("media_type", "text/plain".into()), ("data", text.as_str().into())]),
        Source::Url { url, .. } => block("url", [("url", url.as_str().into())]),
        Source::FileId(id) => block("file", [("file_id", id.as_str().into())]),
    }
}
