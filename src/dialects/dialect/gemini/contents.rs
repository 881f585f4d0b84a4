//! `systemInstruction` and `contents` (<https://ai.google.dev/api/caching#Content>).
//!
//! The order that Gemini holds a conversation to, whatever order it came in: it begins with the user, roles alternate, and a turn with function calls is
//! followed by one with a response to each of them. Turns of one role that follow each other become one; a call without a result is given one that says so, and
//! a result without a call is told as text.
//!
//! System and developer messages at the beginning are the system instruction. There is one only, so that later ones stand in their place as the user's, within
//! `<system>`.
//!
//! Signatures (<https://ai.google.dev/gemini-api/docs/thought-signatures>) go back on the part that they came on. From Gemini 3 on, the first call of each step
//! must have one, and of models that draw (<https://ai.google.dev/gemini-api/docs/gemini-3>, "Thought signatures") every image and the first part of a turn; where
//! another provider made it there is none, and what Google documents for a history that was made elsewhere stands for it ([`NO_SIGNATURE`]).

use serde_json::{Value, json};

use super::media;
use super::model::Model;
use super::said;
use super::write::named;
use crate::chat::{Kind, Losses, Message, Origin, Part, Request, Role, Seal, Source, ToolCall, ToolResult};
use crate::dialect::{Dialect, messages};

/// Tells the check of signatures that there is none to be checked.
pub(in crate::dialect) const NO_SIGNATURE: &str = "skip_thought_signature_validator";

/// The media types that a response may hold (<https://ai.google.dev/gemini-api/docs/function-calling>, "Multimodal function responses").
const IN_RESPONSES: [&str; 5] = ["image/png", "image/jpeg", "image/webp", "application/pdf", "text/plain"];

/// The texts of the system instruction, and the contents.
pub(super) fn write(request: &Request, model: Model<'_>, losses: &mut Losses) -> (Vec<String>, Vec<Value>) {
    let mut writer = Writer { request, model, losses, system: Vec::new(), turns: Vec::new() };
    let mut leading = true;
    for message in &request.messages {
        leading &= matches!(message.role, Role::System | Role::Developer);
        writer.message(message, leading);
    }
    writer.finish()
}

struct Writer<'a> {
    request: &'a Request,
    model: Model<'a>,
    losses: &'a mut Losses,
    system: Vec<String>,
    turns: Vec<Turn>,
}

/// A content that is being written.
struct Turn {
    is_model: bool,
    parts: Vec<Value>,
    /// Of the model's: the calls in it.
    calls: Vec<Call>,
}

/// A call, and what answers it: a response and the parts that it has no room for.
struct Call {
    id: String,
    name: String,
    response: Option<(Value, Vec<Value>)>,
}

impl Writer<'_> {
    fn message(&mut self, message: &Message, leading: bool) {
        if message.name.is_some() {
            self.losses.ignore(self.name("messages[].name", "input[].name", "messages[].name"));
        }
        self.losses.unknown(self.name("messages[].", "input[].", "messages[]."), &message.extra);
        match message.role {
            Role::System | Role::Developer => self.instruct(message, leading),
            Role::User | Role::Tool | Role::Assistant => {
                for part in &message.parts {
                    self.part(part, message.role == Role::Assistant);
                }
            }
        }
    }

    fn name(&self, chat: &'static str, responses: &'static str, messages: &'static str) -> &'static str {
        named(self.request, chat, responses, messages)
    }

    fn instruct(&mut self, message: &Message, leading: bool) {
        let mut texts = Vec::new();
        for part in &message.parts {
            self.beside(part);
            match &part.kind {
                Kind::Text { text, .. } if text.is_empty() => {}
                Kind::Text { text, .. } | Kind::File { source: Source::Text(text), .. } => texts.push(text.clone()),
                _ => self.losses.refuse(self.name("messages[].content", "input[].content", "system"), "instructions are text"),
            }
        }
        if leading {
            self.system.extend(texts);
        } else if !texts.is_empty() {
            self.say(false, json!({ "text": format!("<system>\n{}\n</system>", texts.join("\n\n")) }));
        }
    }

    /// What stands beside a part's content.
    fn beside(&mut self, part: &Part) {
        if part.cache.is_some() {
            self.losses.ignore("cache_control");
        }
        self.losses.unknown(self.name("messages[].content[].", "input[].content[].", "messages[].content[]."), &part.extra);
    }

    fn part(&mut self, part: &Part, is_model: bool) {
        self.beside(part);
        match &part.kind {
            Kind::Text { text, seal, .. } => {
                let signature = own(seal.as_ref()).filter(|_| is_model);
                if !text.is_empty() || signature.is_some() {
                    self.say(is_model, signed(json!({ "text": text }), signature));
                }
            }
            Kind::Refusal(text) => {
                if !text.is_empty() {
                    self.say(is_model, json!({ "text": text }));
                }
            }
            Kind::Speech(speech) => {
                if let Some(words) = speech.words(self.losses) {
                    self.say(is_model, json!({ "text": words }));
                }
            }
            Kind::Reasoning(reasoning) => {
                // Thoughts are sent back for their signature. Another's, and those without, are no use to Gemini.
                if let Some(signature) = own(reasoning.seal.as_ref()) {
                    self.say(true, signed(json!({ "text": said::thoughts(reasoning), "thought": true }), Some(signature)));
                }
            }
            Kind::ToolCall(call) => self.call(call),
            Kind::ToolResult(result) => self.result(result),
            Kind::Opaque(value) => self.opaque(value, is_model),
            Kind::Image { .. } | Kind::File { .. } | Kind::Audio(_) | Kind::Video(_) => {
                if let Some(written) = self.media(&part.kind) {
                    if let Some(title) = media::title(&part.kind) {
                        self.say(is_model, json!({ "text": title }));
                    }
                    let signature = if let Kind::Image { seal, .. } = &part.kind { own(seal.as_ref()) } else { None };
                    self.say(is_model, signed(written, signature.filter(|_| is_model)));
                }
            }
        }
    }

    fn media(&mut self, kind: &Kind) -> Option<Value> {
        let (source, name, what) = match kind {
            Kind::Image { source, detail, .. } => {
                if detail.as_deref().is_some_and(|detail| detail != "auto") {
                    self.losses.ignore(self.name(
                        "messages[].content[].image_url.detail",
                        "input[].content[].detail",
                        "detail",
                    ));
                }
                (
                    source,
                    None,
                    self.name("messages[].content[].image_url", "input[].content[].image_url", "messages[].content[].source"),
                )
            }
            Kind::File { source, name } => (
                source,
                name.as_deref(),
                self.name("messages[].content[].file", "input[].content[].file", "messages[].content[].source"),
            ),
            Kind::Audio(source) => (source, None, "messages[].content[].input_audio"),
            Kind::Video(source) => (source, None, "messages[].content[].video_url"),
            _ => return None,
        };
        match media::write(source, name, self.model) {
            Ok(part) => Some(part),
            Err(why) => {
                self.losses.refuse(what, why);
                None
            }
        }
    }

    /// Gemini's own code and its result go back as they were; what another provider's tools did is its own.
    fn opaque(&mut self, value: &Value, is_model: bool) {
        let is_own = ["executableCode", "codeExecutionResult"].iter().any(|name| value.get(name).is_some());
        if is_own && is_model {
            self.say(true, value.clone());
            return;
        }
        let kind = value.get("type").and_then(Value::as_str).unwrap_or("unknown");
        let at = if self.request.dialect == Dialect::Responses { "input[]" } else { "messages[].content[]" };
        if is_model {
            self.losses.ignore(format!("{at} ({kind})"));
        } else if let Some(text) = messages::as_text(value, self.losses) {
            self.say(false, json!({ "text": text }));
        } else {
            self.losses.refuse(format!("{at}.type"), format!("Gemini has no '{kind}'"));
        }
    }

    fn call(&mut self, call: &ToolCall) {
        // Arguments are an object. Text that is none, of a custom tool or of a model that did not do well, is kept as one member.
        let parsed = if call.custom { None } else { serde_json::from_str(&call.arguments).ok().filter(Value::is_object) };
        let args = match parsed {
            Some(args) => args,
            None if call.arguments.trim().is_empty() => json!({}),
            None => json!({ "input": call.arguments }),
        };
        let mut written = json!({ "name": call.name, "args": args });
        self.identify(&mut written, &call.id);
        let part = signed(json!({ "functionCall": written }), own(call.seal.as_ref()));
        if let Some(turn) = self.turn(true) {
            turn.parts.push(part);
            turn.calls.push(Call { id: call.id.clone(), name: call.name.clone(), response: None });
        }
    }

    fn identify(&self, written: &mut Value, id: &str) {
        if self.model.is_third()
            && !id.is_empty()
            && let Value::Object(members) = written
        {
            members.insert("id".to_owned(), Value::from(id));
        }
    }

    fn result(&mut self, result: &ToolResult) {
        let open = |call: &&mut Call| call.id == result.id && call.response.is_none();
        let name = self.calls().and_then(|calls| calls.iter_mut().find(open)).map(|call| call.name.clone());
        let (text, inside, after) = self.content(result, name.is_some());
        let Some(name) = name else {
            self.say(false, json!({ "text": format!("<tool_result id=\"{}\">\n{text}\n</tool_result>", result.id) }));
            inside.into_iter().chain(after).for_each(|part| self.say(false, part));
            return;
        };
        let word = if result.is_error { "error" } else { "result" };
        let mut response = json!({ "name": name, "response": { word: text } });
        self.identify(&mut response, &result.id);
        if !inside.is_empty()
            && let Value::Object(members) = &mut response
        {
            members.insert("parts".to_owned(), Value::Array(inside));
        }
        // The turn that answers the calls must be there, even if nothing else is said in it.
        self.turn(false);
        if let Some(call) = self.calls().and_then(|calls| calls.iter_mut().find(open)) {
            call.response = Some((json!({ "functionResponse": response }), after));
        }
    }

    /// A result's text, what may stand within the response, and what must stand after it.
    fn content(&mut self, result: &ToolResult, called: bool) -> (String, Vec<Value>, Vec<Value>) {
        let (mut texts, mut inside, mut after) = (Vec::new(), Vec::new(), Vec::new());
        for part in &result.content {
            self.beside(part);
            match &part.kind {
                Kind::Text { text, .. } | Kind::Refusal(text) => texts.push(text.clone()),
                Kind::Opaque(value) => texts.push(messages::as_text(value, self.losses).unwrap_or_else(|| value.to_string())),
                kind => {
                    let Some(written) = self.media(kind) else { continue };
                    texts.extend(media::title(kind));
                    let mime = written.pointer("/inlineData/mimeType").and_then(Value::as_str);
                    match written.get("text").and_then(Value::as_str) {
                        Some(text) => texts.push(text.to_owned()),
                        None if called && self.model.is_third() && mime.is_some_and(|mime| IN_RESPONSES.contains(&mime)) => {
                            inside.push(written);
                        }
                        None => after.push(written),
                    }
                }
            }
        }
        (texts.join("\n"), inside, after)
    }

    /// The calls that may still be answered: of the last turn of the model's, if nothing but the user's turn after it has come.
    fn calls(&mut self) -> Option<&mut Vec<Call>> {
        let mut last = self.turns.iter_mut().rev();
        let turn = last.next()?;
        let turn = if turn.is_model { turn } else { last.next()? };
        Some(&mut turn.calls)
    }

    fn say(&mut self, is_model: bool, part: Value) {
        if let Some(turn) = self.turn(is_model) {
            turn.parts.push(part);
        }
    }

    /// The turn that goes on where it is this one's, else a new one.
    fn turn(&mut self, is_model: bool) -> Option<&mut Turn> {
        let goes_on = self.turns.last().is_some_and(|turn| turn.is_model == is_model);
        if !goes_on {
            self.turns.push(Turn { is_model, parts: Vec::new(), calls: Vec::new() });
        }
        self.turns.last_mut()
    }

    fn finish(self) -> (Vec<String>, Vec<Value>) {
        let third = self.model.is_third();
        let mut contents: Vec<Value> = Vec::with_capacity(self.turns.len() + 1);
        if self.turns.first().is_some_and(|turn| turn.is_model) {
            contents.push(json!({ "role": "user", "parts": [{ "text": "Continue." }] }));
        }
        let mut responses: Vec<Value> = Vec::new();
        for mut turn in self.turns {
            if turn.is_model {
                if third {
                    sign(&mut turn.parts, self.model.draws());
                }
                contents.push(json!({ "role": "model", "parts": turn.parts }));
                responses = responses_of(turn.calls, third);
            } else {
                responses.append(&mut turn.parts);
                contents.push(json!({ "role": "user", "parts": std::mem::take(&mut responses) }));
            }
        }
        (self.system, contents)
    }
}

/// The responses to a turn's calls in their order, and behind them what those had no room for.
fn responses_of(calls: Vec<Call>, third: bool) -> Vec<Value> {
    let mut after: Vec<Value> = Vec::new();
    let mut responses = Vec::with_capacity(calls.len());
    for call in calls {
        if let Some((response, more)) = call.response {
            responses.push(response);
            if !more.is_empty() {
                after.push(json!({ "text": format!("What {} gave beside its result:", call.name) }));
                after.extend(more);
            }
        } else {
            let mut response = json!({ "name": call.name, "response": { "error": "The call was not carried out." } });
            if let Value::Object(members) = &mut response
                && third
                && !call.id.is_empty()
            {
                members.insert("id".to_owned(), Value::from(call.id));
            }
            responses.push(json!({ "functionResponse": response }));
        }
    }
    responses.append(&mut after);
    responses
}

/// Gemini's own signature.
fn own(seal: Option<&Seal>) -> Option<&str> {
    seal.filter(|seal| seal.origin == Origin::Gemini).map(|seal| seal.data.as_str())
}

fn signed(mut part: Value, signature: Option<&str>) -> Value {
    if let (Value::Object(members), Some(signature)) = (&mut part, signature) {
        members.insert("thoughtSignature".to_owned(), Value::from(signature));
    }
    part
}

/// Says of what must be signed and is not that it need not be.
fn sign(parts: &mut [Value], draws: bool) {
    let (mut is_first, mut has_called) = (true, false);
    for part in parts {
        let Value::Object(part) = part else { continue };
        let is_call = part.contains_key("functionCall");
        let is_thought = part.contains_key("thought");
        if is_call && !has_called || draws && !is_thought && (is_first || part.contains_key("inlineData")) {
            part.entry("thoughtSignature").or_insert_with(|| NO_SIGNATURE.into());
        }
        has_called |= is_call;
        is_first &= is_thought;
    }
}
