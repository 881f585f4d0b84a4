//! What a client's request demands, read from its own text.
//!
//! Requests that demand nothing pay for nothing: they have no such member, or one without the word that matters. Those that do mostly come again and again
//! with the same texts, so that what was compiled is kept by the text that it was compiled from.

use std::cell::RefCell;
use std::rc::Rc;

use breakwater_schema::{Refusal, Schema};
use memchr::memmem;
use serde_json::{Value, json};

use super::{Bends, Demand, Form, Tools};
use crate::chat::Object;
use crate::dialect::{Dialect, chat, nullable, strict};
use crate::envelope::Envelope;
use crate::error::Error;
use crate::hash::Hash;
use crate::json;

/// How many texts are kept compiled, and how many bytes of them.
const MOST_KEPT: usize = 64;
const MOST_BYTES: usize = 1024 * 1024;

/// What an isolate has compiled, the newest last.
#[derive(Debug, Default)]
pub(crate) struct Demands(RefCell<Vec<Kept>>);

#[derive(Debug)]
struct Kept {
    key: Key,
    text: Box<str>,
    compiled: Compiled,
}

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    /// The member that asks for a form, in this dialect.
    Form(Dialect),
    /// The tools, in this dialect; whether all are checked, or the strict ones.
    Tools(Dialect, bool),
}

#[derive(Clone, Debug)]
enum Compiled {
    Form(Option<Rc<Form>>),
    Tools(Option<Rc<Tools>>),
}

impl Demands {
    /// What a request demands, if anything. `form` is the member that asks for a form where not the client but its route decides it; `offers_elsewhere`,
    /// whether the route offers tools of its own.
    pub(crate) fn of(
        &self,
        envelope: &Envelope<'_>,
        form: Option<&str>,
        validate_tools: bool,
        live: bool,
        offers_elsewhere: bool,
    ) -> Result<Option<Demand>, Error> {
        let dialect = envelope.dialect;
        let holds = |text: &str, word: &str| memmem::find(text.as_bytes(), word.as_bytes()).is_some();
        let asks = form.unwrap_or(envelope.form());
        let form = match asks {
            text if holds(text, "json") => match self.compiled(Key::Form(dialect), text)? {
                Compiled::Form(form) => form,
                Compiled::Tools(_) => None,
            },
            _ => None,
        };
        let tools = envelope.tools();
        // Where a form is demanded, a call of what was not offered is no answer either.
        let judges_tools = envelope.has_tools() && (validate_tools || holds(tools, "\"strict\""));
        let judges_names = form.is_some() && !offers_elsewhere && !self::offers_elsewhere(envelope);
        let checked = if judges_tools || judges_names {
            match self.compiled(Key::Tools(dialect, validate_tools), tools)? {
                Compiled::Tools(checked) => checked,
                Compiled::Form(_) => None,
            }
        } else {
            None
        };
        let is_held = |tools: &Rc<Tools>| validate_tools || tools.offered.iter().any(|(_, schema)| schema.is_some());
        let are_held = judges_tools && checked.as_ref().is_some_and(is_held);
        if form.is_none() && !are_held {
            return Ok(None);
        }
        let checked = checked.filter(|_| are_held || judges_names);
        let id = Hash::new(0).with(asks.as_bytes()).with(if are_held { tools.as_bytes() } else { b"" }).finish();
        Ok(Some(Demand { form, tools: checked, may_call: envelope.has_tools(), live, id }))
    }

    fn compiled(&self, key: Key, text: &str) -> Result<Compiled, Error> {
        let mut kept = self.0.borrow_mut();
        if let Some(at) = kept.iter().rposition(|kept| kept.key == key && *kept.text == *text) {
            // What is asked for stays: the oldest go first.
            let found = kept.remove(at);
            let compiled = found.compiled.clone();
            kept.push(found);
            return Ok(compiled);
        }
        let compiled = match key {
            Key::Form(dialect) => Compiled::Form(form(dialect, text)?.map(Rc::new)),
            Key::Tools(dialect, all) => Compiled::Tools(tools(dialect, text, all)?.map(Rc::new)),
        };
        if text.len() <= MOST_BYTES / 4 {
            kept.push(Kept { key, text: text.into(), compiled: compiled.clone() });
            while kept.len() > MOST_KEPT || kept.iter().map(|kept| kept.text.len()).sum::<usize>() > MOST_BYTES {
                kept.remove(0);
            }
        }
        Ok(compiled)
    }
}

/// What the member that asks for a form demands. What is no demand for JSON, or not in the words of the dialect, is the provider's to judge.
fn form(dialect: Dialect, text: &str) -> Result<Option<Form>, Error> {
    let Ok(member) = serde_json::from_str::<Value>(text) else { return Ok(None) };
    let (format, place) = match dialect {
        Dialect::Chat | Dialect::Completions | Dialect::Gemini => (Some(&member), "response_format"),
        Dialect::Responses => (member.get("format"), "text.format"),
        Dialect::Messages if member.get("format").is_some() => (member.get("format"), "output_config.format"),
        // The name that it had in its beta.
        Dialect::Messages => (Some(&member), "output_format"),
    };
    let Some(format) = format else { return Ok(None) };
    let mut is_strict = false;
    let (schema, place) = match format.get("type").and_then(Value::as_str) {
        Some("json_object") => match format.get("schema") {
            // llama.cpp's, Together's and Fireworks' way to say it.
            Some(schema) if schema.is_object() => (schema, format!("{place}.schema")),
            _ => {
                let schema = compile(&json!({ "type": "object" }), place)?;
                return Ok(Some(Form { schema, any_object: true, bends: Bends::default() }));
            }
        },
        Some("json_schema") => {
            let is_flat = chat::is_flat(format.get("schema"), format.get("json_schema"));
            let (holder, place) = match dialect {
                Dialect::Chat if !is_flat => (format.get("json_schema"), format!("{place}.json_schema.schema")),
                _ => (Some(format), format!("{place}.schema")),
            };
            is_strict = holder.and_then(|holder| holder.get("strict")) == Some(&Value::Bool(true));
            match holder.and_then(|holder| holder.get("schema")) {
                Some(schema) => (schema, place),
                None => {
                    return Err(Error::invalid_request(Some(&place), format!("'{place}' is missing; it takes a JSON schema")));
                }
            }
        }
        _ => return Ok(None),
    };
    let bends = Bends { strictly: is_strict && !strict::fits(schema), nullable: nullable::is_said(schema) };
    Ok(Some(Form { schema: compile(schema, &place)?, any_object: false, bends }))
}

/// What the tools demand of their calls.
fn tools(dialect: Dialect, text: &str, all: bool) -> Result<Option<Tools>, Error> {
    let listed = match serde_json::from_str(if text.is_empty() { "[]" } else { text }) {
        Ok(Value::Array(listed)) => listed,
        Ok(Value::Null) => Vec::new(),
        _ => return Ok(None),
    };
    let mut tools = Tools { offered: Vec::new(), bends: Bends::default(), strict: false };
    for (place, tool) in listed.iter().enumerate() {
        let (function, at) = match dialect {
            Dialect::Chat => {
                let named = tool.get("function").or_else(|| tool.get("custom"));
                (named.unwrap_or(tool), format!("tools[{place}].function.parameters"))
            }
            Dialect::Messages => (tool, format!("tools[{place}].input_schema")),
            Dialect::Responses | Dialect::Completions | Dialect::Gemini => (tool, format!("tools[{place}].parameters")),
        };
        let Some(name) = function.get("name").and_then(Value::as_str) else { continue };
        let parameters =
            function.get("parameters").or_else(|| function.get("input_schema")).filter(|schema| schema.is_object());
        let is_strict = function.get("strict") == Some(&Value::Bool(true));
        tools.strict |= is_strict && parameters.is_some();
        tools.bends.strictly |= is_strict && parameters.is_some_and(|schema| !strict::fits(schema));
        tools.bends.nullable |= parameters.is_some_and(nullable::is_said);
        let schema = match parameters {
            Some(schema) if is_strict => Some(compile(schema, &at)?),
            // Nobody but the route asked for that: a tool whose schema is none is not judged, as it would not be elsewhere.
            Some(schema) if all => compile(schema, &at).ok(),
            _ => None,
        };
        tools.offered.push((name.to_owned(), schema));
    }
    Ok(Some(tools))
}

/// Whether a request may offer tools that are not in its list: by the older name that they had, in a prompt that its provider keeps, in a group, or by a search.
fn offers_elsewhere(envelope: &Envelope<'_>) -> bool {
    let holds = |text: &str, word: &str| memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    let member = match envelope.dialect {
        Dialect::Chat => "\"functions\"",
        Dialect::Responses => "\"prompt\"",
        Dialect::Messages | Dialect::Completions | Dialect::Gemini => return false,
    };
    if holds(envelope.tools(), "\"tool_search") || holds(envelope.tools(), "\"namespace\"") {
        return true;
    }
    // A look at the text mostly tells.
    holds(envelope.body, member)
        && json::object(envelope.body).is_some_and(|body: Object| body.contains_key(member.trim_matches('"')))
}

fn compile(schema: &Value, place: &str) -> Result<Rc<Schema>, Error> {
    Schema::compile(schema).map(Rc::new).map_err(|Refusal { at, message }| {
        let message = if at.is_empty() {
            format!("the schema at '{place}': {message}")
        } else {
            format!("the schema at '{place}', at {at}: {message}")
        };
        Error::invalid_request(Some(place), message)
    })
}
