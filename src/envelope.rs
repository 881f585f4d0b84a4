//! A request as text with the few places in it that a gateway must know.
//!
//! The invariant is that everything else reaches the provider byte for byte: fields that are newer than this code, numbers of any
//! size, spellings of strings. So the request is never decoded into values and encoded again. Where only `model` changes, which is the
//! common case, the body is spliced; where members come or go, the top level is put together anew from its members' own texts.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use breakwater_scan::members::{self, MAX_DEPTH, Members};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::dialect::Dialect;
use crate::error::Error;
use crate::json::is_object;

/// The most names in `models`.
const MAX_MODELS: usize = 8;

/// A parsed request.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    /// What the client speaks.
    pub dialect: Dialect,
    /// The request.
    pub body: &'a str,
    /// Where the value of `model` stands in the body.
    model_at: Option<Range<usize>>,
    names: Vec<Cow<'a, str>>,
    has_chain: bool,
    /// Whether a stream is wanted.
    pub stream: bool,
    /// Whether a stream tells the client its usage: in Chat Completions, where that was asked for, and everywhere else.
    pub include_usage: bool,
    system: &'a str,
    messages: &'a str,
    tools: &'a str,
    form: &'a str,
    prompt_cache_key: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// Finds what the gateway must know, and refuses what no provider could answer.
    #[inline(never)]
    pub fn parse(dialect: Dialect, body: &'a str) -> Result<Self, Error> {
        if let Some(at) = members::too_deep(body) {
            return Err(Error::invalid_request(None, format!("the JSON is nested more than {MAX_DEPTH} deep, at byte {at}")));
        }
        let members: Members<'a> = members::read(body).map_err(|error| not_a_request(body, &error))?;
        // What serde derives for a struct takes an array for one too.
        if !is_object(body) {
            return Err(no_object(body));
        }
        let model = members.model.map(|raw| text(raw, "model")).transpose()?;
        let chain: Option<Vec<String>> = members.models.map(chain).transpose()?;
        let has_chain = chain.is_some();
        let mut names: Vec<Cow<'a, str>> = model.into_iter().collect();
        for name in chain.into_iter().flatten() {
            if !names.iter().any(|other| *other == name) {
                names.push(Cow::Owned(name));
            }
        }
        if names.is_empty() {
            return Err(Error::invalid_request(Some("model"), "'model' is missing; it names a route or a target"));
        }
        let question = question(dialect, &members)?;
        let stream = match members.stream.map(RawValue::get) {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(wrong("stream", "true or false", members.stream)),
        };
        let include_usage = match dialect {
            Dialect::Chat | Dialect::Completions => members.stream_options.map(include_usage).transpose()?.unwrap_or(false),
            Dialect::Responses | Dialect::Messages | Dialect::Gemini => true,
        };
        let model_at = members.model.and_then(|raw| place(body, raw.get()));
        let (messages, tools) = (question.map_or("", RawValue::get), members.tools.map_or("", RawValue::get));
        let system = members.system.or(members.instructions).map_or("", RawValue::get);
        let prompt_cache_key = members.prompt_cache_key;
        let form = match dialect {
            Dialect::Chat | Dialect::Gemini => members.response_format,
            Dialect::Responses => members.text,
            // The name that a form had in its beta may stand beside the member in which it is now, of an effort for example.
            Dialect::Messages => members.output_config.filter(|config| holds_format(config.get())).or(members.output_format),
            Dialect::Completions => None,
        };
        let form = form.map_or("", RawValue::get);
        Ok(Self {
            dialect,
            body,
            model_at,
            names,
            has_chain,
            stream,
            include_usage,
            system,
            messages,
            tools,
            form,
            prompt_cache_key,
        })
    }

    /// The names to try, in order: `model`, then those of `models` that it does not repeat.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }

    /// OpenAI's `prompt_cache_key`, by which a client says which requests begin alike. One that is no text, or an empty one, is the
    /// provider's to refuse.
    #[must_use]
    pub fn prompt_cache_key(&self) -> Option<Cow<'a, str>> {
        self.prompt_cache_key.and_then(|raw| text(raw, "prompt_cache_key").ok())
    }

    /// The member that asks for a form of the answer's text, as it stands; empty where there is none.
    #[must_use]
    pub fn form(&self) -> &'a str {
        self.form
    }

    /// The tools, as they stand; empty where there are none.
    #[must_use]
    pub fn tools(&self) -> &'a str {
        self.tools
    }

    /// Whether there are any.
    #[must_use]
    pub fn has_tools(&self) -> bool {
        self.tools.strip_prefix('[').is_some_and(|rest| rest.trim_start() != "]")
    }

    /// The texts that a conversation repeats with every turn: its tools, what the system says where that stands apart, and its messages up to the
    /// first of the user's; all of them where there is none.
    #[must_use]
    pub fn opening(&self) -> [&'a str; 3] {
        let first = members::first_question(self.messages).and_then(|end| self.messages.get(..end)).unwrap_or(self.messages);
        [self.tools, self.system, first]
    }
}

/// The member that holds what is asked.
fn question<'a>(dialect: Dialect, members: &Members<'a>) -> Result<Option<&'a RawValue>, Error> {
    let first =
        |raw: Option<&RawValue>| raw.and_then(|raw| raw.get().as_bytes().first().copied()).filter(|first| *first != b'n');
    let (name, raw, allowed) = match dialect {
        Dialect::Chat | Dialect::Messages | Dialect::Gemini => ("messages", members.messages, "an array"),
        Dialect::Responses => ("input", members.input, "a string or an array"),
        Dialect::Completions => ("prompt", members.prompt, "a string"),
    };
    match (first(raw), dialect) {
        (Some(b'['), _) | (Some(b'"'), Dialect::Responses | Dialect::Completions) => Ok(raw),
        // A stored prompt, or a conversation that goes on, may be all of the question: the provider knows.
        (None, Dialect::Responses) => Ok(None),
        (None, _) if raw.is_none() => {
            Err(Error::invalid_request(Some(name), format!("'{name}' is missing; it takes {allowed}")))
        }
        _ => Err(wrong(name, allowed, raw)),
    }
}

/// Where `part`, which is a piece of `whole`, stands in it.
fn place(whole: &str, part: &str) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    let end = start.checked_add(part.len())?;
    (end <= whole.len()).then_some(start..end)
}

fn not_a_request(body: &str, error: &serde_json::Error) -> Error {
    if body.trim().is_empty() {
        return Error::invalid_request(None, "the body is empty; it takes a JSON object");
    }
    let message = error.to_string();
    if error.is_data() {
        if let Some(name) = message.strip_prefix("duplicate field `").and_then(|rest| rest.split('`').next()) {
            return Error::invalid_request(
                Some(name),
                format!("'{name}' is there twice, and what it means is anybody's guess"),
            );
        }
        return no_object(body);
    }
    Error::invalid_request(None, format!("the body is not JSON: {message}"))
}

fn no_object(body: &str) -> Error {
    Error::invalid_request(None, format!("the body is {}; it takes a JSON object", kind(body.trim_start())))
}

fn text<'a>(raw: &'a RawValue, name: &str) -> Result<Cow<'a, str>, Error> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    match serde_json::from_str::<Text<'a>>(raw.get()) {
        Ok(Text(text)) if !text.is_empty() => Ok(text),
        _ => Err(wrong(name, "a string that is not empty", Some(raw))),
    }
}

fn chain(raw: &RawValue) -> Result<Vec<String>, Error> {
    let names: Vec<String> = serde_json::from_str(raw.get()).map_err(|_| wrong("models", "an array of strings", Some(raw)))?;
    if names.is_empty() || names.len() > MAX_MODELS || names.iter().any(String::is_empty) {
        let message = format!("'models' holds {} names; it takes 1 to {MAX_MODELS}, none of them empty", names.len());
        return Err(Error::invalid_request(Some("models"), message));
    }
    Ok(names)
}

fn include_usage(raw: &RawValue) -> Result<bool, Error> {
    #[derive(Deserialize)]
    struct Options {
        #[serde(default)]
        include_usage: Option<bool>,
    }
    match serde_json::from_str::<Options>(raw.get()) {
        Ok(options) if is_object(raw.get()) => Ok(options.include_usage.unwrap_or(false)),
        _ => Err(wrong("stream_options", "an object whose 'include_usage' is true or false", Some(raw))),
    }
}

fn wrong(name: &str, allowed: &str, found: Option<&RawValue>) -> Error {
    let found = found.map_or("missing", |raw| kind(raw.get()));
    Error::invalid_request(Some(name), format!("'{name}' is {found}; it takes {allowed}"))
}

/// What kind of JSON value a text begins.
fn kind(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') if json == "\"\"" => "an empty string",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        Some(_) => "a number",
        None => "nothing",
    }
}

/// The request as a target is sent it: its own model name, the fields that the route decides, no `models`, and the usage asked for where
/// `force_usage`.
#[must_use]
#[inline(never)]
pub fn encode(envelope: &Envelope<'_>, model: &str, set: &Map<String, Value>, force_usage: bool) -> String {
    let model = Value::from(model).to_string();
    let force_usage = force_usage && envelope.dialect == Dialect::Chat && envelope.stream && !envelope.include_usage;
    let body = envelope.body;
    if !envelope.has_chain
        && set.is_empty()
        && !force_usage
        && let Some(at) = &envelope.model_at
        && let (Some(before), Some(after)) = (body.get(..at.start), body.get(at.end..))
    {
        return [before, &model, after].concat();
    }
    let Ok(Ordered(members)) = serde_json::from_str::<Ordered<'_>>(body) else { return body.to_owned() };
    let set: Vec<(&str, String)> = set.iter().map(|(name, value)| (name.as_str(), value.to_string())).collect();
    let mut fields: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::with_capacity(members.len() + set.len() + 1);
    fields.push((Cow::Borrowed("model"), Cow::Borrowed(&model)));
    for (name, raw) in &members {
        let decided = name == "model" || name == "models" || set.iter().any(|(other, _)| other == name);
        let ours = force_usage && name == "stream_options";
        if !decided && !ours {
            fields.push((Cow::Borrowed(name), Cow::Borrowed(raw.get())));
        }
    }
    let decided = set.iter().filter(|(name, _)| !(force_usage && *name == "stream_options"));
    fields.extend(decided.map(|(name, value)| (Cow::Borrowed(*name), Cow::Borrowed(value.as_str()))));
    if force_usage {
        let decided = set.iter().find(|(name, _)| *name == "stream_options").map(|(_, value)| value.as_str());
        let given = members.iter().find(|(name, _)| name == "stream_options").map(|(_, raw)| raw.get());
        let given = decided.or(given);
        let mut options: Map<String, Value> = given.and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default();
        options.insert("include_usage".to_owned(), Value::Bool(true));
        fields.push((Cow::Borrowed("stream_options"), Cow::Owned(Value::Object(options).to_string())));
    }
    let mut encoded = String::with_capacity(body.len() + 64);
    for (name, value) in &fields {
        encoded.push(if encoded.is_empty() { '{' } else { ',' });
        encoded.push_str(&Value::from(name.as_ref()).to_string());
        encoded.push(':');
        encoded.push_str(value);
    }
    encoded.push('}');
    encoded
}

/// An object's members in their order, values as their own texts.
struct Ordered<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Ordered<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Ordered<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, &'de RawValue>()? {
                    members.push(member);
                }
                Ok(Ordered(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// Whether an `output_config` has a `format`; a look at the text mostly tells.
fn holds_format(config: &str) -> bool {
    memchr::memmem::find(config.as_bytes(), b"\"format\"").is_some()
        && crate::json::object::<Map<String, Value>>(config)
            .is_some_and(|config| config.get("format").is_some_and(|format| !format.is_null()))
}
