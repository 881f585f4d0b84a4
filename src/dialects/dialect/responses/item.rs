//! A request's items, as messages.

use serde_json::Value;

use super::{is_minted, object};
use crate::chat::{
    Fields, Kind, Message, Object, Origin, Part, Reading, Reasoning, Role, Seal, Source, ToolCall, ToolResult, sealed_in_id,
};
use crate::mistake::Mistake;

/// Members of a message item that stand beside those of its first part; what else an item has is under `item`.
pub(super) const OF_ITEM: [&str; 3] = ["id", "status", "phase"];

/// Messages, as items give them.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    messages: Vec<Message>,
    /// Whether the last part is of a message item: another item beside it must be told from it.
    ends_with_message: bool,
}

impl Conversation {
    pub(super) fn push(&mut self, message: Message) {
        self.ends_with_message = false;
        self.messages.push(message);
    }

    pub(super) fn finish(self) -> Vec<Message> {
        self.messages
    }

    pub(super) fn read(&mut self, items: Vec<Value>) -> Reading<()> {
        for (index, item) in items.into_iter().enumerate() {
            self.item(Fields::of(item, format!("input[{index}]"))?)?;
        }
        Ok(())
    }

    fn item(&mut self, mut fields: Fields) -> Reading<()> {
        let kind = fields.peek("type").and_then(Value::as_str).map(str::to_owned);
        match kind.as_deref() {
            Some("message") => self.message(fields),
            None if fields.has("role") => self.message(fields),
            None if fields.has("id") => Err(unknown_reference(&fields)),
            None => Err(fields.missing("type", "the type of an item, such as 'message'")),
            Some("item_reference") => Err(unknown_reference(&fields)),
            Some(kind @ ("function_call" | "custom_tool_call")) => {
                fields.any("type");
                let custom = kind == "custom_tool_call";
                let id = fields.needs_text("call_id")?;
                let (id, seal) = sealed_in_id(&id);
                let call = ToolCall {
                    id: id.to_owned(),
                    name: fields.needs_text("name")?,
                    arguments: fields.needs_text(if custom { "input" } else { "arguments" })?,
                    custom,
                    seal,
                };
                self.assistant(Part { extra: own(fields.rest()), ..Part::new(Kind::ToolCall(call)) });
                Ok(())
            }
            Some(kind @ ("function_call_output" | "custom_tool_call_output")) => {
                fields.any("type");
                let custom = kind == "custom_tool_call_output";
                let id = fields.needs_text("call_id")?;
                let content = match fields.any("output") {
                    Some(Value::String(text)) => vec![Part::text(text)],
                    Some(value @ Value::Array(_)) => parts(value, &fields.at("output"))?,
                    Some(other) => return Err(fields.wrong("output", "a string or an array of parts", &other)),
                    None => return Err(fields.missing("output", "a string or an array of parts")),
                };
                let id = sealed_in_id(&id).0.to_owned();
                let result = ToolResult { id, name: None, content, is_error: false, custom };
                let part = Part { extra: own(fields.rest()), ..Part::new(Kind::ToolResult(result)) };
                self.push(Message::new(Role::Tool, vec![part]));
                Ok(())
            }
            Some("reasoning") => {
                if let Some(seal) = fields.peek("encrypted_content").and_then(Value::as_str).and_then(Seal::of_before) {
                    let turn = self.messages.last_mut().filter(|message| message.role == Role::Assistant);
                    if let Some(said) = turn.and_then(|turn| turn.parts.last_mut()) {
                        said.take_seal(seal);
                    }
                    return Ok(());
                }
                let part = reasoning(fields)?;
                self.assistant(part);
                Ok(())
            }
            // What another provider drew; the API's own stays what it is.
            Some("image_generation_call")
                if fields.peek("id").and_then(Value::as_str).is_some_and(is_minted)
                    && fields.peek("result").is_some_and(Value::is_string) =>
            {
                let source = Source::of_image(fields.needs_text("result")?);
                self.assistant(Part::new(Kind::Image { source, detail: None, seal: None }));
                Ok(())
            }
            Some(kind) => {
                // What the client's side of a provider's own tool gave is no word of the model's.
                let is_given = kind.ends_with("_output") || kind.ends_with("_response");
                let part = Part::new(Kind::Opaque(fields.whole_value()));
                if is_given {
                    self.push(Message::new(Role::User, vec![part]));
                } else {
                    self.assistant(part);
                }
                Ok(())
            }
        }
    }

    fn message(&mut self, mut fields: Fields) -> Reading<()> {
        fields.any("type");
        let role = match fields.needs_text("role")?.as_str() {
            "user" => Role::User,
            "system" => Role::System,
            "developer" => Role::Developer,
            "assistant" => Role::Assistant,
            other => return Err(fields.unknown_word("role", other, "'user', 'assistant', 'system' or 'developer'")),
        };
        let mut parts = match fields.any("content") {
            Some(Value::String(text)) => vec![Part::text(text)],
            Some(value @ Value::Array(_)) => parts(value, &fields.at("content"))?,
            Some(other) => return Err(fields.wrong("content", "a string or an array of parts", &other)),
            None => return Err(fields.missing("content", "a string or an array of parts")),
        };
        let mut rest = own(fields.rest());
        if role != Role::Assistant {
            self.push(Message { extra: rest, ..Message::new(role, parts) });
            return Ok(());
        }
        let Some(first) = parts.first_mut() else { return Ok(()) };
        for name in OF_ITEM {
            first.extra.extend(rest.shift_remove(name).map(|value| (name.to_owned(), value)));
        }
        if !rest.is_empty() {
            first.extra.insert("item".to_owned(), Value::Object(rest));
        }
        // Two items without a word of their own would come back as one. That it is completed is true of each that a client sends.
        if self.ends_with_message && !OF_ITEM.iter().any(|name| first.extra.contains_key(*name)) {
            first.extra.insert("status".to_owned(), Value::from("completed"));
        }
        for part in parts {
            self.assistant(part);
        }
        self.ends_with_message = true;
        Ok(())
    }

    /// More of the model's turn.
    fn assistant(&mut self, part: Part) {
        self.ends_with_message = false;
        match self.messages.last_mut().filter(|message| message.role == Role::Assistant) {
            Some(turn) => turn.parts.push(part),
            None => self.messages.push(Message::new(Role::Assistant, vec![part])),
        }
    }
}

/// Without an id that was made here: nobody but the gateway knows it.
fn own(mut extra: Object) -> Object {
    if extra.get("id").and_then(Value::as_str).is_some_and(is_minted) {
        extra.shift_remove("id");
    }
    extra
}

fn unknown_reference(fields: &Fields) -> Mistake {
    let at = fields.at("");
    let at = at.trim_end_matches('.');
    let id = fields.peek("id").and_then(Value::as_str).unwrap_or_default();
    let message = format!(
        "'{at}' refers to the item '{id}', which is not known here: no item is kept for ever, nor one of another provider's. Send the item itself; \
         with `store: false` clients do so by themselves"
    );
    Mistake::new(Some(at), message)
}

fn reasoning(mut fields: Fields) -> Reading<Part> {
    fields.any("type");
    let texts = |list: Option<Vec<Fields>>| {
        list.into_iter().flatten().map(|mut text| text.needs_text("text")).collect::<Reading<Vec<String>>>()
    };
    let mut summary = texts(fields.objects("summary")?)?;
    let mut text = texts(fields.objects("content")?)?.join("\n\n");
    let id = fields.peek("id").and_then(Value::as_str).filter(|id| !is_minted(id)).unwrap_or_default().to_owned();
    let seal = fields.text("encrypted_content")?.map(|encrypted| match encrypted {
        // As it was told to a client: with the provider's id in it.
        text if Seal::is_foreign(&text) || text.contains(' ') => Seal::read_as(text, Origin::Responses),
        text => (Seal::new(Origin::Responses, format!("{id} {text}")), false),
    });
    let (seal, redacted) = seal.unzip();
    // What another dialect's provider sealed was told as a summary, for which clients look ([`super::encode`]): it is the thoughts themselves, to the letter, as
    // their signature is of them ("Extended thinking", "Preserving thinking blocks": they are passed back unmodified).
    if text.is_empty() && seal.as_ref().is_some_and(|seal| seal.origin != Origin::Responses) {
        text = summary.concat();
        summary.clear();
    }
    let reasoning = Reasoning { text, summary, seal, redacted: redacted == Some(true) };
    Ok(Part { extra: own(fields.rest()), ..Part::new(Kind::Reasoning(reasoning)) })
}

fn parts(list: Value, at: &str) -> Reading<Vec<Part>> {
    let Value::Array(list) = list else { return Ok(Vec::new()) };
    list.into_iter().enumerate().map(|(index, part)| content(Fields::of(part, format!("{at}[{index}]"))?)).collect()
}

fn content(mut fields: Fields) -> Reading<Part> {
    let kind = match fields.peek("type").and_then(Value::as_str) {
        Some("input_text" | "text" | "output_text") => {
            let text = fields.needs_text("text")?;
            let notes = fields.list("annotations")?.unwrap_or_default();
            fields.any("logprobs");
            Kind::Text { text, notes, seal: None }
        }
        Some("refusal") => Kind::Refusal(fields.needs_text("refusal")?),
        Some("input_image") => {
            let source = match (fields.text("image_url")?, fields.text("file_id")?) {
                (Some(url), _) => Source::of_url(url),
                (None, Some(id)) => Source::FileId(id),
                (None, None) => return Err(fields.missing("image_url", "a URL")),
            };
            Kind::Image { source, detail: fields.text("detail")?, seal: None }
        }
        Some("input_file") => file(&mut fields)?,
        Some("input_audio") => {
            let mut audio = fields.needs_object("input_audio")?;
            let media_type = match audio.needs_text("format")?.as_str() {
                "mp3" => "audio/mpeg".to_owned(),
                other => format!("audio/{other}"),
            };
            Kind::Audio(Source::Base64 { media_type, data: audio.needs_text("data")? })
        }
        Some(_) => return Ok(Part::new(Kind::Opaque(fields.whole_value()))),
        None => return Err(fields.missing("type", "the type of a part, such as 'input_text'")),
    };
    fields.any("type");
    Ok(Part { extra: fields.rest(), ..Part::new(kind) })
}

fn file(fields: &mut Fields) -> Reading<Kind> {
    let name = fields.text("filename")?;
    let source = if let Some(data) = fields.text("file_data")? {
        match Source::of_url(data) {
            // Bare base64 is taken too: of a PDF, unless the name says otherwise.
            Source::Url { url, .. } if !url.starts_with("data:") => {
                let media_type = media_type(name.as_deref().unwrap_or_default());
                Source::Base64 { media_type: media_type.to_owned(), data: url }
            }
            source => source,
        }
    } else if let Some(url) = fields.text("file_url")? {
        Source::Url { url, media_type: None }
    } else if let Some(id) = fields.text("file_id")? {
        Source::FileId(id)
    } else {
        return Err(fields.missing("file_data", "a file in base64, or 'file_url' or 'file_id' beside it"));
    };
    Ok(Kind::File { source, name })
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("txt" | "md") => "text/plain",
        Some("csv") => "text/csv",
        Some("json") => "application/json",
        Some("html") => "text/html",
        _ => "application/pdf",
    }
}

/// Kept for those that write: whether a part carries the beginning of a message item.
pub(super) fn begins_item(extra: &Object) -> bool {
    OF_ITEM.iter().chain(&["item"]).any(|name| extra.contains_key(*name))
}

/// The members of a message item that a part carries, taken out of it, and what is the part's own.
pub(super) fn split_item(extra: &Object) -> (Object, Object) {
    let (mut item, mut part) = (object([]), Object::new());
    for (name, value) in extra {
        match value {
            Value::Object(members) if name == "item" => item.extend(members.clone()),
            _ if OF_ITEM.contains(&name.as_str()) => drop(item.insert(name.clone(), value.clone())),
            _ => drop(part.insert(name.clone(), value.clone())),
        }
    }
    (item, part)
}
