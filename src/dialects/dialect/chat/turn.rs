//! The messages of a client's request.

use std::collections::HashSet;

use serde_json::Value;

use super::{decode, details, signature};
use crate::chat::{Fields, Kind, Message, Object, Part, Reading, Reasoning, Role, Source, ToolCall, ToolResult, sealed_in_id};

/// Reads `messages`.
pub(super) fn read(messages: Vec<Fields>) -> Reading<Vec<Message>> {
    let mut conversation = Conversation::default();
    messages.into_iter().map(|message| conversation.message(message)).collect()
}

/// What later messages need to know of earlier ones.
#[derive(Default)]
struct Conversation {
    /// The calls of custom tools.
    custom: HashSet<String>,
    /// How many calls of the old kind there were, which have no ids.
    legacy: usize,
}

impl Conversation {
    fn message(&mut self, mut fields: Fields) -> Reading<Message> {
        const ROLES: &str = "'system', 'developer', 'user', 'assistant' or 'tool'";
        let word = fields.needs_text("role")?;
        let role = match word.as_str() {
            "system" => Role::System,
            "developer" => Role::Developer,
            "user" => Role::User,
            "assistant" => return self.assistant(fields),
            "tool" | "function" => return self.result(fields, word == "function"),
            other => return Err(fields.unknown_word("role", other, ROLES)),
        };
        let name = fields.text("name")?;
        let parts = content(&mut fields)?.ok_or_else(|| fields.missing("content", "a string or an array of parts"))?;
        Ok(Message { role, parts, name, extra: fields.rest() })
    }

    fn assistant(&mut self, mut fields: Fields) -> Reading<Message> {
        let mut told = Object::new();
        for member in ["reasoning_content", "reasoning", "reasoning_details"] {
            told.extend(fields.any(member).map(|value| (member.to_owned(), value)));
        }
        let mut placed = details::take(&mut told);
        let mut said = content(&mut fields)?.unwrap_or_default();
        said.retain(|part| !matches!(&part.kind, Kind::Text { text, .. } if text.is_empty()));
        if let Some(refusal) = fields.text("refusal")?.filter(|refusal| !refusal.is_empty()) {
            said.push(Part::new(Kind::Refusal(refusal)));
        }
        // What the model drew, in the form in which clients are told it.
        if fields.peek("images").is_some_and(Value::is_array) {
            placed.show(decode::images(fields.any("images")), &mut said);
        }
        // OpenAI takes back the `id` alone, of what it keeps; clients that send the whole message send the words too.
        if fields.peek("audio").is_some_and(Value::is_object) {
            said.extend(decode::speech(fields.any("audio")).map(|speech| Part::new(Kind::Speech(speech))));
        }
        let mut calls = Vec::new();
        for call in fields.objects("tool_calls")?.unwrap_or_default() {
            calls.push(self.call(call)?);
        }
        if let Some(mut call) = fields.object("function_call")? {
            self.legacy += 1;
            let (name, arguments) = (call.needs_text("name")?, arguments(&mut call, "arguments")?);
            let id = format!("call_{}", self.legacy);
            calls.push(Part::new(Kind::ToolCall(ToolCall { id, name, arguments, custom: false, seal: None })));
        }
        let parts = placed.among(said, calls);
        let name = fields.text("name")?;
        Ok(Message { role: Role::Assistant, parts, name, extra: fields.rest() })
    }

    fn call(&mut self, mut call: Fields) -> Reading<Part> {
        let sealed = call.needs_text("id")?;
        let (id, seal) = sealed_in_id(&sealed);
        let id = id.to_owned();
        // It stays where it is, for a provider that is sent the client's own words.
        let seal = seal.or_else(|| signature::read(call.peek(signature::MEMBER)));
        let custom = call.text("type")?.as_deref() == Some("custom");
        let (inner, input) = if custom { ("custom", "input") } else { ("function", "arguments") };
        let mut function = call.needs_object(inner)?;
        let (name, arguments) = (function.needs_text("name")?, arguments(&mut function, input)?);
        if custom {
            self.custom.insert(id.clone());
        }
        let kind = Kind::ToolCall(ToolCall { id, name, arguments, custom, seal });
        Ok(Part { kind, cache: None, extra: call.rest() })
    }

    fn result(&mut self, mut fields: Fields, is_legacy: bool) -> Reading<Message> {
        let sealed = if is_legacy { format!("call_{}", self.legacy) } else { fields.needs_text("tool_call_id")? };
        let (id, _) = sealed_in_id(&sealed);
        let result = ToolResult {
            id: id.to_owned(),
            name: fields.text("name")?,
            content: content(&mut fields)?.unwrap_or_default(),
            is_error: false,
            custom: self.custom.contains(id),
        };
        let part = Part { cache: fields.any("cache_control"), ..Part::new(Kind::ToolResult(result)) };
        Ok(Message { role: Role::Tool, parts: vec![part], name: None, extra: fields.rest() })
    }
}

/// Arguments are text that holds JSON; some clients send the JSON itself.
fn arguments(call: &mut Fields, name: &str) -> Reading<String> {
    match call.any(name) {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text),
        Some(value @ Value::Object(_)) => Ok(value.to_string()),
        Some(other) => Err(call.wrong(name, "a string", &other)),
    }
}

fn content(fields: &mut Fields) -> Reading<Option<Vec<Part>>> {
    match fields.any("content") {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(vec![Part::text(text)])),
        Some(Value::Array(parts)) => {
            let at = fields.at("content");
            let parts = (0..).zip(parts).map(|(index, value)| part(value, &format!("{at}[{index}]")));
            parts.collect::<Reading<_>>().map(Some)
        }
        Some(other) => Err(fields.wrong("content", "a string or an array of parts", &other)),
    }
}

fn part(value: Value, at: &str) -> Reading<Part> {
    if let Value::String(text) = value {
        return Ok(Part::text(text));
    }
    let mut fields = Fields::of(value, at)?;
    let kind = match fields.peek("type").and_then(Value::as_str).unwrap_or_default() {
        "" => return Err(fields.missing("type", "a part's type, such as 'text' or 'image_url'")),
        "text" => Kind::Text { text: fields.needs_text("text")?, notes: Vec::new(), seal: None },
        "refusal" => Kind::Refusal(fields.needs_text("refusal")?),
        "image_url" => {
            let (url, detail) = address(&mut fields, "image_url")?;
            Kind::Image { source: Source::of_url(url), detail, seal: None }
        }
        "video_url" => Kind::Video(Source::of_url(address(&mut fields, "video_url")?.0)),
        "input_audio" => Kind::Audio(audio(&mut fields)?),
        "file" => {
            let mut file = fields.needs_object("file")?;
            let name = file.text("filename")?;
            Kind::File { source: file_source(&mut file)?, name }
        }
        // Mistral's documents and thoughts.
        "document_url" => {
            let source = Source::of_url(fields.needs_text("document_url")?);
            Kind::File { source, name: fields.text("document_name")? }
        }
        "thinking" if fields.peek("thinking").is_some_and(Value::is_array) => {
            let text = fields.any("thinking").map(|thoughts| texts(&thoughts)).unwrap_or_default();
            Kind::Reasoning(Reasoning { text, ..Reasoning::default() })
        }
        _ => return Ok(Part::new(Kind::Opaque(fields.whole_value()))),
    };
    fields.any("type");
    Ok(Part { kind, cache: fields.any("cache_control"), extra: fields.rest() })
}

/// The texts of a list of text parts, joined.
pub(super) fn texts(parts: &Value) -> String {
    let texts = parts.as_array().into_iter().flatten().filter_map(|part| part.get("text").and_then(Value::as_str));
    texts.collect()
}

/// `{"url": …, "detail": …}`, or the address alone, as Mistral takes it too.
fn address(fields: &mut Fields, name: &str) -> Reading<(String, Option<String>)> {
    match fields.any(name) {
        Some(Value::String(url)) => Ok((url, None)),
        Some(value) => {
            let mut inner = Fields::of(value, fields.at(name))?;
            Ok((inner.needs_text("url")?, inner.text("detail")?))
        }
        None => Err(fields.missing(name, "an object with a 'url'")),
    }
}

fn audio(fields: &mut Fields) -> Reading<Source> {
    match fields.any("input_audio") {
        // Mistral's: an address, or base64 whose format it finds out itself.
        Some(Value::String(text)) if text.starts_with("http") || text.starts_with("data:") => Ok(Source::of_url(text)),
        Some(Value::String(data)) => Ok(Source::of_sound(data)),
        Some(value) => {
            let mut inner = Fields::of(value, fields.at("input_audio"))?;
            let data = inner.needs_text("data")?;
            let Some(format) = inner.text("format")? else { return Ok(Source::of_sound(data)) };
            let media_type = if format == "mp3" { "audio/mpeg".to_owned() } else { format!("audio/{format}") };
            Ok(Source::Base64 { media_type, data })
        }
        None => Err(fields.missing("input_audio", "an object with 'data' and 'format'")),
    }
}

fn file_source(file: &mut Fields) -> Reading<Source> {
    if let Some(id) = file.text("file_id")? {
        return Ok(Source::FileId(id));
    }
    match file.text("file_data")? {
        Some(text) if text.starts_with("data:") || text.starts_with("http") => Ok(Source::of_url(text)),
        Some(data) => Ok(Source::Base64 { media_type: "application/pdf".to_owned(), data }),
        None => Err(file.missing("file_data", "a file as a data: URL, or 'file_id'")),
    }
}
