//! Every recorded exchange that has a schema: of those real answers, the valid ones pass, and the others are found.
//!
//! What an answer says is found by the gateway's own decoders; what its request asked for, by its place in the JSON. Every verdict is compared with that of
//! a second judge (`naive.rs`), which shares no code with the first; and as most real answers are valid, each is also spoilt in every place there is.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    clippy::print_stdout,
    reason = "a test ends when it is wrong"
)]
#![allow(missing_docs, unreachable_pub, reason = "a test's tools")]

#[path = "../recordings/mod.rs"]
mod recordings;

mod naive;

use std::collections::BTreeMap;
use std::rc::Rc;

use breakwater::chat::{Answer, Choice, Finish, Gather, Kind};
use breakwater::dialect::{Decoder, Dialect};
use breakwater::sse::{self, Frames};
use breakwater_schema::{Finished, Prefix, Schema, repaired};
use recordings::Recording;
use serde_json::{Value, json};

/// What is wrong without having been cut off by its own account: arguments that end in the middle, of turns that say that they ended with calls.
const WRONG: [(&str, &str); 6] = [
    ("openrouter/tool_truncation_contract_matrix__blocking_gpt41_low_agent__0", "file_report"),
    ("openrouter/tool_truncation_contract_matrix__blocking_gpt41_low_model__0", "file_report"),
    ("openrouter/tool_truncation_contract_matrix__blocking_gpt4o_mid_agent__0", "file_report"),
    ("openrouter/tool_truncation_contract_matrix__streaming_gpt41_mid_agent__0", "file_report"),
    ("openrouter/tool_truncation_contract_matrix__streaming_gpt41_mid_model__0", "file_report"),
    ("openrouter/tool_truncation_contract_matrix__streaming_gpt4o_mid_model__0", "file_report"),
];

/// What an exchange is spoken in; none where it asks for something else than an answer.
fn dialect(recording: &Recording) -> Option<Dialect> {
    let path = recording.path.split('?').next().unwrap();
    match path.rsplit('/').next().unwrap() {
        "completions" if path.contains("/chat/") => Some(Dialect::Chat),
        "messages" => Some(Dialect::Messages),
        "responses" => Some(Dialect::Responses),
        last if last.ends_with(":generateContent") || last.ends_with(":streamGenerateContent") => Some(Dialect::Gemini),
        _ => None,
    }
}

/// The schema that a request asks its answer to be valid by.
fn form(request: &Value) -> Option<Value> {
    if request["response_format"]["type"] == "json_object" {
        return Some(json!({ "type": "object" }));
    }
    let places = [
        "/response_format/json_schema/schema",
        "/text/format/schema",
        "/output_config/format/schema",
        "/generationConfig/responseJsonSchema",
        "/generationConfig/responseSchema",
    ];
    places.iter().find_map(|place| request.pointer(place)).cloned()
}

/// The tools of a request, each with its schema and whether it is strict.
fn tools(request: &Value) -> Vec<(String, Value, bool)> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let listed = list(&request["tools"]).into_iter().flat_map(|tool| match &tool["functionDeclarations"] {
        Value::Null => vec![if tool["function"].is_object() { tool["function"].clone() } else { tool }],
        declared => list(declared),
    });
    listed
        .filter_map(|tool| {
            let schema = ["parameters", "input_schema", "parametersJsonSchema"]
                .iter()
                .map(|name| &tool[*name])
                .find(|it| it.is_object());
            Some((tool["name"].as_str()?.to_owned(), schema?.clone(), tool["strict"] == true))
        })
        .collect()
}

fn answer(recording: &Recording, dialect: Dialect) -> Option<Answer> {
    if !recording.is_stream() {
        return dialect.decode(&recording.body);
    }
    let mut frames = Frames::default();
    let fed = frames.feed(recording.body.as_bytes()).ok()?;
    let rest = [frames.finish(), b"\n\n".to_vec()].concat();
    let (mut decoder, mut deltas) = (Decoder::new(dialect), Vec::new());
    for frame in fed.frames().chain([rest.as_slice()]) {
        let Some(data) = sse::data(frame) else { continue };
        decoder.event(std::str::from_utf8(&data).unwrap(), &mut deltas)?;
    }
    decoder.end(&mut deltas);
    let mut gather = Gather::new();
    for delta in deltas {
        gather.push(delta);
    }
    gather.finish()
}

/// Counts, and the texts that were judged valid with their schemas, to be spoilt.
#[derive(Default)]
struct Judged {
    counts: BTreeMap<String, usize>,
    valid: Vec<(String, Value, Value)>,
    wrong: Vec<(String, String)>,
}

impl Judged {
    fn count(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
    }

    /// A text, as an answer or a call's arguments, by its schema.
    fn judge(&mut self, name: &str, what: &str, text: &str, schema: &Value, is_cut: bool) {
        let kind = if what == "the answer" { "answers" } else { "calls" };
        let compiled = Rc::new(Schema::compile(schema).unwrap_or_else(|refusal| panic!("{name}: {refusal:?} of {schema}")));
        let value = serde_json::from_str::<Value>(text).ok();
        let found = value.as_ref().map(|value| compiled.check(value, 8));
        let is_valid = matches!(found, Some(Ok(())));
        let other = value.as_ref().is_some_and(|value| naive::is_valid(schema, schema, value));
        assert_eq!(is_valid, other, "{name}, {what}: {found:?} of {text} by {schema}");
        assert_eq!(
            value.as_ref().is_some_and(|value| compiled.is_valid(value)),
            is_valid,
            "{name}, {what}: the short way says otherwise"
        );
        assert_eq!(as_it_comes(&compiled, text), is_valid, "{name}, {what}: as it comes, {text}");
        if is_valid {
            self.count(&format!("{kind} that are valid"));
            self.valid.push((name.to_owned(), schema.clone(), value.unwrap()));
            return;
        }
        let finished = if is_cut { Finished::Cut } else { Finished::Stop };
        let mended =
            repaired(text, finished, &mut |value| compiled.is_valid(value)).map(|(json, value)| (json.into_owned(), value));
        if let Some((json, value)) = mended {
            assert!(naive::is_valid(schema, schema, &value), "{name}, {what}: repaired to {json}");
            assert!(text.contains(&json) || !is_cut, "{name}, {what}: what was cut off was closed by guessing");
            self.count(&format!("{kind} that are valid once they are taken out of what is around them"));
        } else if is_cut {
            self.count(&format!("{kind} that were cut off, and are found wrong"));
        } else {
            self.count(&format!("{kind} that are found wrong"));
            self.wrong.push((name.to_owned(), what.to_owned()));
        }
    }

    fn choice(&mut self, name: &str, choice: &Choice, form: Option<&Value>, tools: &[(String, Value, bool)]) {
        let is_cut = choice.finish == Some(Finish::Length);
        let mut text = String::new();
        let (mut calls, mut refuses) = (0, choice.finish == Some(Finish::Refusal));
        for part in &choice.parts {
            match &part.kind {
                Kind::Text { text: said, .. } => text += said,
                Kind::Refusal(_) => refuses = true,
                Kind::ToolCall(call) => {
                    calls += 1;
                    // A call that a stream broke off in may say nothing of how it ended.
                    let arguments = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
                    match tools.iter().find(|(tool, ..)| *tool == call.name) {
                        Some((_, schema, strict)) => {
                            self.count(if *strict { "calls of strict tools" } else { "calls of other tools" });
                            self.judge(name, &call.name, arguments, schema, is_cut);
                        }
                        None => self.count("calls of tools without a schema"),
                    }
                }
                _ => {}
            }
        }
        match form {
            None => {}
            Some(_) if calls > 0 => self.count("answers that call tools, and are exempt"),
            Some(_) if refuses => self.count("answers that refuse, and are exempt"),
            Some(schema) => self.judge(name, "the answer", &text, schema, is_cut),
        }
    }
}

/// What the incremental check says of a text that comes in pieces of three characters.
fn as_it_comes(schema: &Rc<Schema>, text: &str) -> bool {
    let mut prefix = Prefix::new(Rc::clone(schema));
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(3).all(|piece| prefix.feed(&piece.iter().collect::<String>()).is_ok()) && prefix.end().is_ok()
}

/// Every value that differs from this one in one place: a member less, a member more, something else where something was.
fn spoilt(value: &Value) -> Vec<Value> {
    let others = [json!(null), json!(true), json!(-3), json!(0.5), json!("no"), json!([]), json!({})];
    let mut all: Vec<Value> = others.into_iter().filter(|other| other != value).collect();
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let mut less = members.clone();
                less.shift_remove(name);
                all.push(less.into());
                for other in spoilt(member) {
                    let mut changed = members.clone();
                    changed.insert(name.clone(), other);
                    all.push(changed.into());
                }
            }
            let mut more = members.clone();
            more.insert("nobody asked".to_owned(), json!(1));
            all.push(more.into());
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                for other in spoilt(item) {
                    let mut changed = items.clone();
                    changed[place] = other;
                    all.push(changed.into());
                }
            }
        }
        _ => {}
    }
    all
}

#[test]
fn every_recorded_answer_to_a_schema() {
    let mut judged = Judged::default();
    let mut exchanges = 0;
    let all = recordings::all();
    for recording in &all {
        let (Some(dialect), 200) = (dialect(recording), recording.status) else { continue };
        let (form, tools) = (form(&recording.request), tools(&recording.request));
        if form.is_none() && tools.is_empty() {
            continue;
        }
        exchanges += 1;
        match answer(recording, dialect) {
            Some(answer) => {
                for choice in &answer.choices {
                    judged.choice(&recording.name, choice, form.as_ref(), &tools);
                }
            }
            None => judged.count("streams that are errors"),
        }
    }
    let (mut found, mut harmless) = (0, 0);
    for (name, schema, value) in &judged.valid {
        let compiled = Rc::new(Schema::compile(schema).unwrap());
        for other in spoilt(value) {
            let is_valid = compiled.is_valid(&other);
            assert_eq!(is_valid, naive::is_valid(schema, schema, &other), "{name}: {other} by {schema}");
            assert_eq!(compiled.check(&other, 1).is_ok(), is_valid, "{name}: {other}");
            assert_eq!(as_it_comes(&compiled, &other.to_string()), is_valid, "{name}: as it comes, {other}");
            *(if is_valid { &mut harmless } else { &mut found }) += 1;
        }
    }
    for (what, count) in &judged.counts {
        println!("{count} × {what}");
    }
    println!(
        "{exchanges} recorded exchanges with a schema; spoilt in one place: {found} found wrong, {harmless} still valid; both judges agree"
    );
    if !all.is_empty() {
        let wrong: Vec<(&str, &str)> = judged.wrong.iter().map(|(name, what)| (name.as_str(), what.as_str())).collect();
        assert_eq!(wrong, WRONG);
        assert!(exchanges > 250 && found > 1000, "{exchanges} exchanges, {found} spoilt");
    }
}
