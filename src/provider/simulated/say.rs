//! What a simulated model says: text, JSON of a requested shape, or tool calls.
//!
//! It says the same to the same conversation: words are chosen by the request's hash. A tool is called when the request
//! demands it, or when the user's last message names it; what a tool returned is answered in text, so that an agent's
//! loop comes to its end.

use serde_json::{Value, json};

use super::request::{Format, Last, Refusal, Request, Tool, ToolChoice};
use super::schema;
use crate::hash::finalize;

/// One choice of an answer.
#[derive(Debug)]
pub(super) struct Said {
    /// The text, token by token; none beside tool calls.
    pub(super) tokens: Option<Vec<String>>,
    pub(super) calls: Vec<Called>,
    pub(super) finish_reason: &'static str,
}

/// A tool call.
#[derive(Debug)]
pub(super) struct Called {
    pub(super) id: String,
    pub(super) name: String,
    /// A function's arguments as JSON, or a custom tool's input.
    pub(super) input: String,
    pub(super) custom: bool,
}

impl Said {
    /// How many tokens it is billed as.
    pub(super) fn count(&self) -> usize {
        self.tokens.as_ref().map_or(0, Vec::len) + self.calls.iter().map(Called::count).sum::<usize>()
    }
}

impl Called {
    fn count(&self) -> usize {
        tokens(&self.name).count() + tokens(&self.input).count()
    }
}

/// The most tokens that an answer may have, its choices together, as every model has such a limit: what a stream of
/// single tokens takes a few megabytes for.
const MAX_TOKENS: usize = 16_384;

/// All choices of the answer. `text` replaces what would be said in words.
pub(super) fn all(request: &Request, text: Option<&str>) -> Result<Vec<Said>, Refusal> {
    let share = MAX_TOKENS / request.choices.max(1);
    (0..request.choices).map(|choice| one(request, text, choice, share)).collect()
}

fn one(request: &Request, fixed: Option<&str>, choice: usize, share: usize) -> Result<Said, Refusal> {
    let seed = finalize(request.hash.wrapping_add(choice as u64));
    let calls = calls(request, seed, share)?;
    if !calls.is_empty() {
        return Ok(Said { tokens: None, calls, finish_reason: "tool_calls" });
    }
    let mut text = match (&request.format, fixed) {
        (Format::Schema(schema), _) => structured(schema, "response_format.json_schema.schema")?.to_string(),
        (_, Some(fixed)) => fixed.to_owned(),
        (Format::AnyObject, None) => json!({ "model": request.model, "answer": words(request, seed) }).to_string(),
        (Format::Text, None) => words(request, seed),
    };
    let stop = request.stop.iter().filter(|stop| !stop.is_empty()).filter_map(|stop| text.find(stop.as_str())).min();
    if let Some(stop) = stop {
        text.truncate(stop);
    }
    let limit = request.limit.map_or(share, |limit| limit.min(share));
    let mut rest = tokens(&text).map(str::to_owned);
    let tokens: Vec<String> = rest.by_ref().take(limit).collect();
    let finish_reason = if rest.next().is_some() { "length" } else { "stop" };
    Ok(Said { tokens: Some(tokens), calls, finish_reason })
}

fn calls(request: &Request, seed: u64, share: usize) -> Result<Vec<Called>, Refusal> {
    let Last::User(said) = &request.last else { return Ok(Vec::new()) };
    let mentioned = || request.tools.iter().filter(|tool| mentions(said, &tool.name)).collect::<Vec<_>>();
    let mut wanted: Vec<&Tool> = match &request.tool_choice {
        ToolChoice::None => Vec::new(),
        ToolChoice::Auto => mentioned(),
        ToolChoice::Named(name) => request.tools.iter().filter(|tool| tool.name == *name).collect(),
        ToolChoice::Required => {
            let mentioned = mentioned();
            if mentioned.is_empty() { request.tools.iter().take(1).collect() } else { mentioned }
        }
    };
    if !request.parallel {
        wanted.truncate(1);
    }
    let mut calls = Vec::new();
    let mut left = share;
    for (at, tool) in (1..).zip(wanted) {
        let (input, custom) = match &tool.parameters {
            Some(parameters) => (structured(parameters, &format!("tools.{}.parameters", tool.name))?.to_string(), false),
            None => ("example".to_owned(), true),
        };
        let call =
            Called { id: format!("call_{:016x}", finalize(seed.wrapping_add(at))), name: tool.name.clone(), input, custom };
        let Some(still) = left.checked_sub(call.count()) else {
            let message = format!("The tool calls do not fit into this model's maximum of {MAX_TOKENS} completion tokens.");
            return Err(Refusal::new("tools", Some("max_tokens_exceeded"), message));
        };
        left = still;
        calls.push(call);
    }
    Ok(calls)
}

/// Whether `text` holds `name` as a word of its own.
fn mentions(text: &str, name: &str) -> bool {
    let part = |next: char| next.is_alphanumeric() || next == '_' || next == '-';
    text.match_indices(name).any(|(at, _)| {
        let (before, rest) = text.split_at(at);
        let after = rest.chars().nth(name.chars().count());
        !before.chars().next_back().is_some_and(part) && !after.is_some_and(part)
    })
}

/// An instance of a schema; a provider refuses a schema that it cannot follow.
fn structured(schema: &Value, param: &str) -> Result<Value, Refusal> {
    schema::instance(schema).ok_or_else(|| {
        let message =
            format!("Invalid schema for '{param}': no value was found that satisfies it. Remote references are not followed.");
        Refusal::new(param, Some("invalid_json_schema"), message)
    })
}

/// Sentences to choose from, for an answer that is long enough to be watched as it streams.
const REMARKS: [&str; 10] = [
    "A breakwater does not stop the sea; it makes a place where ships can wait.",
    "The tide is out, and the harbour is quiet.",
    "Three boats came in this morning, and one of them was late.",
    "The lamp in the lighthouse turns once in ten seconds.",
    "Nobody has seen the ferry since noon, but the timetable has not changed.",
    "There is a second pier behind the first, for days when the first is closed.",
    "The pilot asks twice before he trusts a silence.",
    "A rope that has never been pulled is only believed to hold.",
    "The harbour master keeps a list of what broke, and when.",
    "When the fog came down, the bell was enough.",
];

/// How many of them.
const REMARKS_SAID: u64 = 3;

/// How much of the question is quoted, in characters.
const QUOTED: usize = 80;

fn words(request: &Request, seed: u64) -> String {
    let (told, verb) = match &request.last {
        Last::User(said) => (said, "You asked"),
        Last::Tool(result) => (result, "The tool answered"),
    };
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut quoted: String = told.chars().take(QUOTED).collect();
    if quoted.len() < told.len() {
        quoted.push('…');
    }
    let answered = if quoted.is_empty() { "You asked nothing.".to_owned() } else { format!("{verb}: \"{quoted}\"") };
    let mut text = format!("Hello from {}, a simulated model. {answered}", request.model);
    let count = REMARKS.len() as u64;
    for at in 0..REMARKS_SAID {
        // Steps of three through ten sentences: no two of them the same.
        let remark = usize::try_from((seed % count + at * 3) % count).ok().and_then(|at| REMARKS.get(at));
        text.push(' ');
        text += remark.copied().unwrap_or_default();
    }
    text
}

/// The longest token, in characters, so that text without spaces streams in pieces too.
const TOKEN: usize = 16;

/// Text cut into words, each with the space before it: what the simulated provider counts as tokens.
pub(super) fn tokens(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let mut in_word = false;
        let end = text.char_indices().enumerate().find_map(|(length, (at, next))| {
            let ends = (in_word && next.is_whitespace()) || length >= TOKEN;
            in_word = !next.is_whitespace();
            ends.then_some(at)
        });
        let (token, rest) = text.split_at(end.unwrap_or(text.len()));
        text = rest;
        (!token.is_empty()).then_some(token)
    })
}
