//! What clients and providers speak: a module per dialect, each with the same rooms.
//!
//! ```text
//! read       a client's request, as the canonical one        (client dialects)
//! write      the canonical request, as a provider's          (provider dialects)
//! decode     a provider's answer and stream, as canonical    (provider dialects)
//! encode     a canonical answer and stream, as a client's    (client dialects)
//! classify   what an upstream's bytes are: an answer, an error, nothing, garbage; first content, terminator
//! amend      a provider's answer with what was repaired of it in its place
//! foreign    takes out of a body that passes through what only a translation put there
//! ```
//!
//! | dialect | spoken by clients at | by providers as |
//! |---|---|---|
//! | [`chat`] | `/v1/chat/completions` | `openai` |
//! | [`completions`] | `/v1/completions` | |
//! | [`responses`] | `/v1/responses` | `responses` |
//! | [`messages`] | `/v1/messages` | `anthropic` |
//! | [`gemini`] | | `gemini` |
//!
//! Where both sides speak the same one, nothing is read or written: the body passes through, and only `classify` looks at it. Otherwise they meet
//! in [`crate::chat`]. This file is the one that knows all of them.

mod amend;
pub mod chat;
pub mod completions;
pub mod gemini;
mod halves;
pub mod messages;
pub mod nullable;
mod openai;
pub mod responses;
pub mod strict;

use std::rc::Rc;

use serde_json::{Value, json};

use crate::chat::{Answer, Delta, Kind, Losses, Means, Message, Object, Part, Reading, Request, Role};
use crate::mistake::Mistake;
use crate::quirk::Quirks;

/// A dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAI's Chat Completions.
    Chat,
    /// OpenAI's Completions, which came before.
    Completions,
    /// OpenAI's Responses.
    Responses,
    /// Anthropic's Messages.
    Messages,
    /// Google's Gemini API, generateContent.
    Gemini,
}

impl Dialect {
    /// Reads a client's request.
    pub fn read(self, body: Object) -> Reading<Request> {
        match self {
            Self::Chat => chat::read(body),
            Self::Completions => completions::read(body),
            Self::Responses => responses::read(body),
            Self::Messages => messages::read(body),
            Self::Gemini => Err(Mistake::new(None, "no endpoint here speaks Gemini's API")),
        }
    }

    /// Writes a request for a provider, and notes what of it could not be said.
    #[must_use]
    pub fn write(self, request: &Request, to: &Recipient<'_>, losses: &mut Losses) -> Value {
        if request.dialect == Self::Responses && self != Self::Responses {
            responses::refuse_state(request, losses);
        }
        match self {
            Self::Chat | Self::Completions => chat::write(request, to, losses),
            Self::Responses => responses::write(request, to, losses),
            Self::Messages => messages::write(request, to, losses),
            Self::Gemini => gemini::write(request, to, losses),
        }
    }

    /// By which means a model is best held to the form that a request asks for.
    #[must_use]
    pub fn means(self, request: &Request, to: &Recipient<'_>) -> Means {
        let by_tool = self == Self::Messages && messages::answers_by_tool(request, to.model);
        if by_tool { Means::Tool } else { Means::Native }
    }

    /// A body for a provider, with further turns behind those that it has; none where it is not one of the dialect.
    #[must_use]
    pub fn continued(self, body: &str, turns: &[Message], to: &Recipient<'_>) -> Option<String> {
        // Written behind a question, without which some protocols let no model speak.
        let mut request = Request::new(self);
        request.messages.push(Message::new(Role::User, vec![Part::text("…")]));
        request.messages.extend_from_slice(turns);
        if self == Self::Responses {
            // Thoughts that are not sealed are known by an id alone, which is that of an answer, and may not be kept: "Item with id … not found".
            let known = |part: &Part| !matches!(&part.kind, Kind::Reasoning(reasoning) if reasoning.seal.is_none());
            request.messages.iter_mut().for_each(|message| message.parts.retain(known));
        }
        let mut written = self.write(&request, to, &mut Losses::new());
        let name = match self {
            Self::Chat | Self::Completions | Self::Messages => "messages",
            Self::Responses => "input",
            Self::Gemini => "contents",
        };
        let Value::Array(further) = written.get_mut(name)?.take() else { return None };
        let mut body: Object = crate::json::object(body)?;
        let said = body.entry(name).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::String(text) = said {
            *said = json!([{ "role": "user", "content": text }]);
        }
        said.as_array_mut()?.extend(further.into_iter().skip(1));
        if self == Self::Chat {
            chat::make_legal(&mut body, to);
        }
        Some(Value::Object(body).to_string())
    }

    /// A body for who takes another kind of schema than was sent: for `OpenAI`, with those that are to be enforced strictly as that takes them
    /// ([`strict::bend`]); for others that have its two dialects, without a word that is `OpenAI`'s ([`nullable`]). None where nothing need be done.
    #[must_use]
    pub fn bent(self, body: &str, original: bool, live: bool) -> Option<String> {
        let bend = |of: &mut Object, name: &str| {
            if original { strict::bend(of, name, live) } else { of.get_mut(name).is_some_and(nullable::spell_out) }
        };
        let mut body: Object = crate::json::object(body)?;
        let (outer, inner) = if self == Self::Responses { ("text", "format") } else { ("response_format", "json_schema") };
        let mut changed = false;
        if let Some(Value::Object(form)) = body.get_mut(outer) {
            // In its own member, or beside the type `json_object`.
            let form = if form.contains_key(inner) { form.get_mut(inner).and_then(Value::as_object_mut) } else { Some(form) };
            changed |= form.is_some_and(|form| bend(form, "schema"));
        }
        let tools = body.get_mut("tools").and_then(Value::as_array_mut);
        for tool in tools.into_iter().flatten() {
            let function = if self == Self::Responses { Some(tool) } else { tool.get_mut("function") };
            if let Some(Value::Object(function)) = function {
                changed |= bend(function, "parameters");
            }
        }
        changed.then(|| Value::Object(body).to_string())
    }

    /// Reads a provider's whole answer; none where it is not one.
    #[must_use]
    pub fn decode(self, answer: &str) -> Option<Answer> {
        let whole = || crate::json::object(&halves::join(answer, &mut None)?);
        let answer: Object = crate::json::object(answer).or_else(whole)?;
        match self {
            Self::Chat | Self::Completions => chat::decode(answer),
            Self::Responses => responses::decode(answer),
            Self::Messages => messages::decode(answer),
            Self::Gemini => gemini::decode(answer),
        }
    }

    /// A provider's whole answer that says what `answer` does, which was read from it and repaired since: all else is as it came. An empty text stands for
    /// one that is left out. None where they do not fit, and where no client speaks the dialect.
    #[must_use]
    pub fn amended(self, whole: &str, answer: &Answer) -> Option<String> {
        let told = Value::Object(crate::json::object(whole)?);
        let edits = match self {
            Self::Chat => chat::amend(&told, answer)?,
            Self::Responses => responses::amend(&told, answer)?,
            Self::Messages => messages::amend(&told, answer)?,
            Self::Completions | Self::Gemini => return None,
        };
        crate::edit::edited(whole, &edits)
    }

    /// The same of a stream, of which these are the data of its events: its frames. None too where it is better told as the whole of it ([`Dialect::amended`]).
    #[must_use]
    pub fn retold(self, events: &[String], answer: &Answer) -> Option<String> {
        if self == Self::Messages { messages::retell(events, answer) } else { None }
    }

    /// Writes a whole answer for a client: in Chat Completions' form where no client speaks the dialect.
    #[must_use]
    pub fn encode(self, answer: Answer, manner: &Manner) -> Value {
        match self {
            Self::Chat | Self::Gemini => chat::encode(answer, manner),
            Self::Completions => completions::encode(answer, manner),
            Self::Responses => responses::encode(answer, manner),
            Self::Messages => messages::encode(answer, manner),
        }
    }

    /// Looks at the body of an unstreamed 200.
    #[must_use]
    pub fn classify_whole(self, body: &str) -> Whole {
        match self {
            Self::Chat | Self::Completions => chat::classify_whole(body),
            Self::Responses => responses::classify_whole(body),
            Self::Messages => messages::classify_whole(body),
            Self::Gemini => gemini::classify_whole(body),
        }
    }

    /// Looks at one frame of a stream, of which `data` is the data.
    #[must_use]
    pub fn classify_frame(self, frame: &[u8], data: &[u8]) -> Event {
        match self {
            Self::Chat | Self::Completions => chat::classify_frame(frame, data),
            Self::Responses => responses::classify_event(data),
            Self::Messages => messages::classify_event(data),
            Self::Gemini => gemini::classify_event(data),
        }
    }

    /// Whether a frame of a stream that has begun must be looked at.
    #[must_use]
    pub fn needs_a_look(self, frame: &[u8], data: &[u8]) -> bool {
        match self {
            Self::Chat | Self::Completions => chat::needs_a_look(data) || chat::is_named_error(frame, data),
            Self::Responses => responses::needs_a_look(data),
            Self::Messages => messages::needs_a_look(data),
            Self::Gemini => gemini::needs_a_look(data),
        }
    }

    /// The body of a request that passes through, without what only a translation of an earlier turn put there. None where nothing of that is in it.
    #[must_use]
    pub fn without_foreign(self, body: &str) -> Option<String> {
        let may_be_in = crate::chat::may_be_in(body) || self == Self::Messages && messages::may_need_repair(body);
        if !may_be_in {
            return None;
        }
        let body: Object = crate::json::object(body)?;
        let body = match self {
            Self::Chat | Self::Completions | Self::Gemini => chat::without_foreign(body),
            Self::Responses => responses::without_foreign(body),
            Self::Messages => messages::without_foreign(body),
        };
        Some(Value::Object(body).to_string())
    }
}

/// Whom a request is written for.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    /// The provider's own name of the model.
    pub model: &'a str,
    /// Where the provider differs from others of its protocol.
    pub quirks: Quirks,
}

/// What an answer's form depends on beside the answer.
#[derive(Clone, Debug)]
pub struct Manner {
    /// The request that it answers: some dialects repeat parts of it.
    pub request: Rc<Request>,
    /// Whether a stream tells the usage where the dialect leaves that to the client.
    pub include_usage: bool,
    /// Seconds since 1970.
    pub now: u64,
    /// What ids are made of that a provider did not give.
    pub seed: u64,
}

/// What an unstreamed 200 turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whole {
    /// A complete answer.
    Complete,
    /// One that is still to be made in the background, as the client has asked for.
    Pending,
    /// Complete by form, but it says nothing at all.
    Empty,
    /// An error object.
    Error,
    /// Something else.
    Garbage,
}

/// What one event of a stream is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The protocol's terminator, such as `[DONE]`.
    pub done: bool,
    /// Content: text, reasoning, a refusal, a tool call.
    pub content: bool,
    /// Content that is more than reasoning: what the client has asked for.
    pub answer: bool,
    /// About how many bytes of content it holds.
    pub bytes: usize,
    /// A finish reason.
    pub finish: bool,
    /// Which choices it says something of, and which of them it finishes: a bit each, by their index.
    pub choices: u64,
    /// See `choices`.
    pub finished: u64,
    /// A finish reason with which an answer may be empty.
    pub explains_silence: bool,
    /// An error object.
    pub error: bool,
    /// Nothing but usage, which a client may not have asked for.
    pub usage_only: bool,
    /// Not an event of this protocol.
    pub garbage: bool,
}

/// Reads a provider's stream, event by event.
#[derive(Debug)]
pub struct Decoder {
    of: Protocol,
    /// Half of a character that the last event ended in.
    half: Option<String>,
}

#[derive(Debug)]
enum Protocol {
    Chat(chat::Decoder),
    Responses(responses::Decoder),
    Messages(messages::Decoder),
    Gemini(gemini::Decoder),
}

impl Decoder {
    /// Of a dialect.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        let of = match dialect {
            Dialect::Chat | Dialect::Completions => Protocol::Chat(chat::Decoder::default()),
            Dialect::Responses => Protocol::Responses(responses::Decoder::default()),
            Dialect::Messages => Protocol::Messages(messages::Decoder::default()),
            Dialect::Gemini => Protocol::Gemini(gemini::Decoder::default()),
        };
        Self { of, half: None }
    }

    /// Takes the data of one event, and adds what it says. None where it is not of the dialect.
    pub fn event(&mut self, data: &str, deltas: &mut Vec<Delta>) -> Option<()> {
        let waits = self.half.is_some();
        if !waits && self.of.event(data, deltas).is_some() {
            return Some(());
        }
        // Few are looked at for halves: what could not be read, of which nothing was told, and what follows a half.
        match halves::join(data, &mut self.half) {
            Some(joined) => self.of.event(&joined, deltas),
            None if waits => self.of.event(data, deltas),
            None => None,
        }
    }

    /// The stream is complete: adds what is still to be said, up to [`Delta::End`], which is said once however often this is called.
    pub fn end(&mut self, deltas: &mut Vec<Delta>) {
        match &mut self.of {
            Protocol::Chat(decoder) => decoder.end(deltas),
            Protocol::Responses(decoder) => decoder.end(deltas),
            Protocol::Messages(decoder) => decoder.end(deltas),
            Protocol::Gemini(decoder) => decoder.end(deltas),
        }
    }
}

impl Protocol {
    fn event(&mut self, data: &str, deltas: &mut Vec<Delta>) -> Option<()> {
        match self {
            Self::Chat(decoder) => decoder.event(data, deltas),
            Self::Responses(decoder) => decoder.event(data, deltas),
            Self::Messages(decoder) => decoder.event(data, deltas),
            Self::Gemini(decoder) => decoder.event(data, deltas),
        }
    }
}

/// Writes a stream for a client, delta by delta.
#[derive(Debug)]
pub enum Encoder {
    /// Chat Completions.
    Chat(chat::Encoder),
    /// Completions.
    Completions(completions::Encoder),
    /// Responses.
    Responses(Box<responses::Encoder>),
    /// Messages.
    Messages(messages::Encoder),
}

impl Encoder {
    /// Of a client's dialect; of Chat Completions where no client speaks it.
    #[must_use]
    pub fn new(dialect: Dialect, manner: Manner) -> Self {
        match dialect {
            Dialect::Chat | Dialect::Gemini => Self::Chat(chat::Encoder::new(manner)),
            Dialect::Completions => Self::Completions(completions::Encoder::new(manner)),
            Dialect::Responses => Self::Responses(Box::new(responses::Encoder::new(manner))),
            Dialect::Messages => Self::Messages(messages::Encoder::new(manner)),
        }
    }

    /// Adds the frames that say `delta`. None where the dialect cannot say it any more (as where a part that had to be closed goes on): the stream
    /// must end with an error then.
    pub fn delta(&mut self, delta: Delta, frames: &mut String) -> Option<()> {
        match self {
            Self::Chat(encoder) => encoder.delta(delta, frames),
            Self::Completions(encoder) => encoder.delta(delta, frames),
            Self::Responses(encoder) => encoder.delta(delta, frames),
            Self::Messages(encoder) => encoder.delta(delta, frames),
        }
    }

    /// The number of the next event, where the dialect numbers them.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        match self {
            Self::Responses(encoder) => encoder.sequence(),
            Self::Chat(_) | Self::Completions(_) | Self::Messages(_) => 0,
        }
    }
}
