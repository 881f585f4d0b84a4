//! Messages as items.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::item::{begins_item, split_item};
use super::{is_minted, object, put};
use crate::chat::{Kind, Losses, Message, Object, Origin, Part, Reasoning, Request, Role, Seal, Source, ToolCall, ToolResult};
use crate::dialect::{Dialect, messages, openai};

/// The most bytes of a call's id: a longer one is refused with `string_above_max_length`.
const MAX_CALL_ID: usize = 64;

/// `instructions`, and the messages that are items: a leading message of the operator's that is one text alone goes there, every other one stays where
/// it is, where its role is known as well.
pub(super) fn instructions(request: &Request) -> (Option<&str>, &[Message]) {
    let own = request.dialect == Dialect::Responses;
    let Some((first, rest)) = request.messages.split_first() else { return (None, &[]) };
    let leads = first.role == Role::System || first.role == Role::Developer && !own;
    match first.parts.as_slice() {
        [Part { kind: Kind::Text { text, .. }, extra, cache: None }]
            if leads && extra.is_empty() && first.extra.is_empty() && first.name.is_none() && !text.is_empty() =>
        {
            (Some(text), rest)
        }
        _ => (None, &request.messages),
    }
}

/// All items.
pub(super) fn items(request: &Request, messages: &[Message], losses: &mut Losses) -> Vec<Value> {
    let mut writer = Writer {
        own: request.dialect == Dialect::Responses,
        dialect: request.dialect,
        items: Vec::new(),
        held: Vec::new(),
        losses,
    };
    for message in messages {
        if message.role != Role::Tool {
            writer.items.append(&mut writer.held);
        }
        writer.message(message);
    }
    writer.items.append(&mut writer.held);
    writer.items
}

struct Writer<'a> {
    own: bool,
    dialect: Dialect,
    items: Vec<Value>,
    /// Messages of the user's, to stand behind the results.
    held: Vec<Value>,
    losses: &'a mut Losses,
}

impl Writer<'_> {
    fn message(&mut self, message: &Message) {
        if message.name.is_some() {
            self.losses.ignore("messages[].name");
        }
        if !self.own {
            self.losses.unknown("messages[].", &message.extra);
        }
        let role = match message.role {
            Role::System => "system",
            Role::Developer => "developer",
            Role::User | Role::Tool => "user",
            Role::Assistant => "assistant",
        };
        let said = |part: &Part| matches!(part.kind, Kind::Text { .. } | Kind::Refusal(_) | Kind::Speech(_));
        let mut content: Vec<Value> = Vec::new();
        let mut item = Object::new();
        for (index, part) in message.parts.iter().enumerate() {
            if part.cache.is_some() {
                self.losses.ignore("cache_control");
            }
            let in_turn = message.role == Role::Assistant;
            if !content.is_empty() && in_turn && (!said(part) || begins_item(&part.extra)) {
                self.flush(role, &mut item, &mut content);
            }
            match &part.kind {
                Kind::ToolCall(call) => {
                    self.flush(role, &mut item, &mut content);
                    self.call(call, &part.extra);
                }
                Kind::ToolResult(result) => {
                    self.flush(role, &mut item, &mut content);
                    self.result(result, &part.extra);
                }
                Kind::Reasoning(reasoning) => {
                    let is_followed = message
                        .parts
                        .get(index + 1..)
                        .is_some_and(|rest| rest.iter().any(|part| !matches!(part.kind, Kind::Reasoning(_))));
                    self.reasoning(reasoning, &part.extra, is_followed);
                }
                Kind::Opaque(value) if self.own && is_item(value) => {
                    self.flush(role, &mut item, &mut content);
                    self.items.push(value.clone());
                }
                Kind::Opaque(_) if in_turn && !self.own => self.losses.ignore("messages[].content"),
                // The API takes no image of the model's but by its own id.
                Kind::Image { .. } if in_turn => {
                    if let Some(image) = self.given(part) {
                        self.held.push(drawn(image).into());
                    }
                }
                _ => {
                    let (of_item, of_part) =
                        if in_turn { split_item(&part.extra) } else { (Object::new(), part.extra.clone()) };
                    let written = if in_turn { self.said(part) } else { self.given(part) };
                    if let Some(mut written) = written {
                        if self.own {
                            item.extend(of_item);
                            written.extend(of_part);
                        } else {
                            self.losses.unknown("messages[].content[].", &part.extra);
                        }
                        content.push(Value::Object(written));
                    }
                }
            }
        }
        if self.own {
            item.extend(message.extra.clone());
        }
        self.flush(role, &mut item, &mut content);
    }

    /// A message item of what was gathered.
    fn flush(&mut self, role: &str, members: &mut Object, content: &mut Vec<Value>) {
        let members = std::mem::take(members);
        let mut content = std::mem::take(content);
        if content.is_empty() {
            return;
        }
        let mut item = object([("type", "message".into()), ("role", role.into())]);
        // One text alone is a string, as most write it; an assistant's text has a type of its own.
        let plain = |part: &Object| part.len() == 2 && super::text(part, "type") == Some("input_text");
        let one = match content.as_mut_slice() {
            [Value::Object(part)] if plain(part) => part.shift_remove("text"),
            _ => None,
        };
        item.insert("content".to_owned(), one.unwrap_or_else(|| content.into()));
        item.extend(members);
        self.items.push(Value::Object(item));
    }

    fn call(&mut self, call: &ToolCall, extra: &Object) {
        let (kind, input) = if call.custom { ("custom_tool_call", "input") } else { ("function_call", "arguments") };
        let mut item =
            object([("type", kind.into()), ("call_id", call_id(&call.id).into()), ("name", call.name.as_str().into())]);
        // A call without arguments is one with none.
        let arguments = if call.arguments.is_empty() && !call.custom && !self.own { "{}" } else { &call.arguments };
        item.insert(input.to_owned(), arguments.into());
        self.item(item, extra);
    }

    fn result(&mut self, result: &ToolResult, extra: &Object) {
        let kind = if result.custom { "custom_tool_call_output" } else { "function_call_output" };
        let mut item = object([("type", kind.into()), ("call_id", call_id(&result.id).into())]);
        let mut parts: Vec<Value> = Vec::new();
        for part in &result.content {
            if part.cache.is_some() {
                self.losses.ignore("cache_control");
            }
            if let Some(mut written) = self.given(part) {
                if self.own {
                    written.extend(part.extra.clone());
                }
                parts.push(Value::Object(written));
            }
        }
        // There is no member for it: the words must say it.
        if result.is_error {
            parts.insert(0, Value::Object(object([("type", "input_text".into()), ("text", "Error:".into())])));
        }
        let text = |part: &Value| match part {
            Value::Object(part) if part.len() == 2 => {
                super::text(part, "type").and(super::text(part, "text")).map(str::to_owned)
            }
            _ => None,
        };
        let texts: Option<Vec<String>> = parts.iter().map(text).collect();
        let output = match texts {
            Some(texts) if !self.own || texts.len() == 1 => texts.join(if result.is_error { " " } else { "\n" }).into(),
            _ => parts.into(),
        };
        item.insert("output".to_owned(), output);
        self.item(item, extra);
    }

    /// Reasoning of the provider's own; of others it knows nothing, nor of one that nothing follows ("was provided without its required following item").
    fn reasoning(&mut self, reasoning: &Reasoning, extra: &Object, is_followed: bool) {
        let own_seal = reasoning.seal.as_ref().filter(|seal| seal.origin == Origin::Responses).map(unsealed);
        let is_foreign = reasoning.seal.is_some() && own_seal.is_none();
        if is_foreign || !self.own && (own_seal.is_none() || !is_followed) {
            return;
        }
        let summary: Vec<Value> = reasoning.summary.iter().map(|text| typed("summary_text", text)).collect();
        let mut item = object([("type", "reasoning".into()), ("summary", summary.into())]);
        if let Some((id, encrypted)) = own_seal {
            put(&mut item, "id", Some(id).filter(|id| !id.is_empty() && !is_minted(id)));
            item.insert("encrypted_content".to_owned(), encrypted.into());
        }
        if self.own && !reasoning.text.is_empty() {
            item.insert("content".to_owned(), vec![typed("reasoning_text", &reasoning.text)].into());
        }
        self.item(item, extra);
    }

    fn item(&mut self, mut item: Object, extra: &Object) {
        if self.own {
            item.extend(extra.clone());
        } else {
            self.losses.unknown("messages[].content[].", extra);
        }
        self.items.push(Value::Object(item));
    }

    /// What the model said.
    fn said(&mut self, part: &Part) -> Option<Object> {
        match &part.kind {
            Kind::Text { text, notes, .. } => {
                let notes = if self.own { notes.clone() } else { Vec::new() };
                let written =
                    object([("type", "output_text".into()), ("text", text.as_str().into()), ("annotations", notes.into())]);
                (self.own || !text.is_empty()).then_some(written)
            }
            Kind::Refusal(text) => Some(object([("type", "refusal".into()), ("refusal", text.as_str().into())])),
            Kind::Speech(speech) => {
                let words = Part::text(speech.words(self.losses)?);
                self.said(&words)
            }
            Kind::Opaque(Value::Object(part)) => Some(part.clone()),
            _ if self.own => self.given(part),
            _ => {
                self.losses.refuse("messages[].content", "the Responses API takes no image, file or sound that the model made");
                None
            }
        }
    }

    /// What the model is given.
    fn given(&mut self, part: &Part) -> Option<Object> {
        let of_type = |kind: &str| object([("type", kind.into())]);
        let unreadable = |what: &str| format!("the Responses API cannot be given {what}");
        match &part.kind {
            Kind::Text { text, .. } => (self.own || !text.is_empty()).then(|| {
                let mut written = of_type("input_text");
                written.insert("text".to_owned(), text.as_str().into());
                written
            }),
            Kind::Refusal(text) if self.own => Some(object([("type", "refusal".into()), ("refusal", text.as_str().into())])),
            Kind::Refusal(text) => Some(object([("type", "input_text".into()), ("text", text.as_str().into())])),
            Kind::Image { source, detail, .. } => {
                let mut image = of_type("input_image");
                if let Some(url) = source.to_url() {
                    put(&mut image, "image_url", Some(url));
                } else if let Source::FileId(id) = source
                    && self.has_files()
                {
                    put(&mut image, "file_id", Some(id.as_str()));
                } else {
                    self.losses.refuse("messages[].content", unreadable("a file of another provider's"));
                    return None;
                }
                let detail = detail.clone().or_else(|| (!self.own).then(|| "auto".to_owned()));
                put(&mut image, "detail", detail);
                Some(image)
            }
            Kind::File { source, name } => {
                let mut file = of_type("input_file");
                match source {
                    // A document that is text is read best as that.
                    Source::Text(text) => {
                        let text = name.as_ref().map_or_else(|| text.clone(), |name| format!("{name}:\n\n{text}"));
                        return Some(object([("type", "input_text".into()), ("text", text.into())]));
                    }
                    Source::Url { url, .. } => put(&mut file, "file_url", Some(url.as_str())),
                    Source::Base64 { media_type, .. } => {
                        let named = if self.own { name.clone() } else { Some(openai::file_name(name.as_deref(), media_type)) };
                        put(&mut file, "filename", named);
                        put(&mut file, "file_data", source.to_url());
                        return Some(file);
                    }
                    Source::FileId(id) if self.has_files() => put(&mut file, "file_id", Some(id.as_str())),
                    Source::FileId(_) => {
                        self.losses.refuse("messages[].content", unreadable("a file of another provider's"));
                        return None;
                    }
                }
                if self.own {
                    put(&mut file, "filename", name.clone());
                }
                Some(file)
            }
            // "Create a response", `input`: text, images and files. Some that imitate the API take sound from their own clients.
            Kind::Audio(Source::Base64 { media_type, data }) if self.own => {
                let format = media_type.strip_prefix("audio/").map(|format| if format == "mpeg" { "mp3" } else { format });
                let mut audio = of_type("input_audio");
                let mut inner = object([("data", data.as_str().into())]);
                put(&mut inner, "format", format);
                audio.insert("input_audio".to_owned(), inner.into());
                Some(audio)
            }
            Kind::Opaque(Value::Object(part)) if self.own => Some(part.clone()),
            Kind::Audio(_) | Kind::Video(_) => {
                self.losses.refuse("messages[].content", unreadable("sound or films"));
                None
            }
            kind => {
                let text = if let Kind::Opaque(block) = kind { messages::as_text(block, self.losses) } else { None };
                if text.is_none() {
                    self.losses.refuse("messages[].content", unreadable("a block of another provider's own"));
                }
                text.map(|text| object([("type", "input_text".into()), ("text", text.into())]))
            }
        }
    }

    /// Whether a file's id can be one of the provider's: clients of `OpenAI`'s own dialects have theirs from `OpenAI`.
    fn has_files(&self) -> bool {
        matches!(self.dialect, Dialect::Responses | Dialect::Chat)
    }
}

/// An image that another provider's model made, as a user shows it.
pub(super) fn drawn(image: Object) -> Object {
    let content = vec![typed("input_text", openai::DRAWN), image.into()];
    object([("type", "message".into()), ("role", "user".into()), ("content", content.into())])
}

/// Whether something unknown is an item of the conversation, and not a part of a message.
fn is_item(value: &Value) -> bool {
    value
        .get("type")
        .and_then(Value::as_str)
        .is_some_and(|kind| !kind.starts_with("input_") && !kind.starts_with("output_") && kind != "computer_screenshot")
}

fn typed(kind: &str, text: &str) -> Value {
    Value::Object(object([("type", kind.into()), ("text", text.into())]))
}

/// An item's id and its encrypted content.
pub(super) fn unsealed(seal: &Seal) -> (&str, &str) {
    seal.data.split_once(' ').unwrap_or(("", &seal.data))
}

/// An id that the API takes: the same one for a call and its output.
fn call_id(id: &str) -> String {
    if id.len() <= MAX_CALL_ID { id.to_owned() } else { format!("call_{}", URL_SAFE_NO_PAD.encode(Sha256::digest(id))) }
}
