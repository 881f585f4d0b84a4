//! Every recorded exchange, both ways: what a provider answered is told to clients of every dialect, and what a client asked is written for providers of
//! every dialect. Each dialect's own tests look at its rules; here nothing may get lost on any of the twelve ways.
//!
//! What is no answer of a model's (a list of models, an embedding, a file that was deleted) is used too: no reader may take it for one.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    clippy::print_stdout,
    clippy::format_collect,
    reason = "a test ends when it is wrong"
)]
#![allow(missing_docs, unreachable_pub, reason = "a test's tools")]

#[path = "../recordings/mod.rs"]
mod recordings;

mod naive;

use std::collections::BTreeMap;
use std::rc::Rc;

use breakwater::chat::{Answer, Delta, Gather, Kind, Losses, Request};
use breakwater::config::Quirks;
use breakwater::dialect::{Decoder, Dialect, Encoder, Manner, Recipient, Whole};
use breakwater::sse::{self, Frames};
use recordings::Recording;
use serde_json::Value;

/// Exchanges that are left out, each with its reason.
const LEFT_OUT: &[(&str, &str)] = &[];

const CLIENTS: [Dialect; 3] = [Dialect::Chat, Dialect::Responses, Dialect::Messages];
const PROVIDERS: [Dialect; 4] = [Dialect::Chat, Dialect::Responses, Dialect::Messages, Dialect::Gemini];

/// What an exchange is spoken in; none where it asks for something else than an answer.
fn dialect(recording: &Recording) -> Option<Dialect> {
    let path = recording.path.split('?').next().unwrap();
    let generate = recording.method == "POST";
    match path.rsplit('/').next().unwrap() {
        "completions" if generate && path.contains("/chat/") => Some(Dialect::Chat),
        "messages" if generate => Some(Dialect::Messages),
        "responses" if generate => Some(Dialect::Responses),
        last if last.ends_with(":generateContent") || last.ends_with(":streamGenerateContent") => Some(Dialect::Gemini),
        _ => None,
    }
}

fn manner(client: Dialect) -> Manner {
    Manner { request: Rc::new(Request::new(client)), include_usage: true, now: 1, seed: 7 }
}

/// A stream's deltas, and whether it was complete by its own account.
fn deltas(dialect: Dialect, body: &str) -> Option<Vec<Delta>> {
    let mut frames = Frames::default();
    let fed = frames.feed(body.as_bytes()).ok()?;
    let rest = [frames.finish(), b"\n\n".to_vec()].concat();
    let mut decoder = Decoder::new(dialect);
    let mut deltas = Vec::new();
    for frame in fed.frames().chain([rest.as_slice()]) {
        let Some(data) = sse::data(frame) else { continue };
        let event = dialect.classify_frame(frame, &data);
        if event.error || event.garbage {
            return None;
        }
        decoder.event(std::str::from_utf8(&data).unwrap(), &mut deltas)?;
    }
    decoder.end(&mut deltas);
    Some(deltas)
}

fn gathered(deltas: &[Delta]) -> Option<Answer> {
    let mut gather = Gather::new();
    deltas.iter().cloned().for_each(|delta| gather.push(delta));
    gather.finish()
}

/// What an answer says: text, refusals, and calls with their arguments as JSON. Of the first choice, which is all that every dialect has.
fn said(answer: &Answer) -> (String, Vec<(String, String)>) {
    let mut text = String::new();
    let mut calls = Vec::new();
    for part in &answer.choices[0].parts {
        match &part.kind {
            Kind::Text { text: more, .. } | Kind::Refusal(more) => text.push_str(more),
            Kind::ToolCall(call) => calls.push((call.name.clone(), compact(&call.arguments))),
            _ => {}
        }
    }
    (text, calls)
}

/// Arguments that broke off are no JSON, of which a whole message's `input` must be made: there they are a text within it.
fn as_told_whole((text, calls): &(String, Vec<(String, String)>), client: Dialect) -> (String, Vec<(String, String)>) {
    let broken = |arguments: &str| client == Dialect::Messages && serde_json::from_str::<Value>(arguments).is_err();
    let told = |(name, arguments): &(String, String)| {
        let arguments =
            if broken(arguments) { serde_json::json!({ "input": arguments }).to_string() } else { arguments.clone() };
        (name.clone(), arguments)
    };
    (text.clone(), calls.iter().map(told).collect())
}

/// JSON without its spaces, and text as it is. No arguments at all are none, and so is Groq's `null`.
fn compact(arguments: &str) -> String {
    let parsed = if matches!(arguments.trim(), "" | "null") {
        Ok(Value::Object(serde_json::Map::new()))
    } else {
        serde_json::from_str::<Value>(arguments)
    };
    parsed.map_or_else(|_| arguments.to_owned(), |value| value.to_string())
}

/// Tells an answer to clients of every dialect, whole and as a stream, and reads what they get.
fn told_to_everyone(name: &str, answer: &Answer) {
    let expected = said(answer);
    for client in CLIENTS {
        let whole = client.encode(answer.clone(), &manner(client)).to_string();
        let read = client.decode(&whole).unwrap_or_else(|| panic!("{name}: {client:?} is no answer: {whole}"));
        assert_eq!(said(&read), as_told_whole(&expected, client), "{name}: told whole to {client:?}");
        if let (Some(ours), Some(theirs)) = (&read.usage, &answer.usage) {
            assert_eq!(
                (ours.input, ours.output, ours.cached.unwrap_or(0)),
                (theirs.input, theirs.output, theirs.cached.unwrap_or(0)),
                "{name}: {client:?}"
            );
        }
        let (mut encoder, mut frames) = (Encoder::new(client, manner(client)), String::new());
        for delta in answer.clone().told() {
            encoder.delta(delta, &mut frames).unwrap_or_else(|| panic!("{name}: cannot be told to {client:?}"));
        }
        let streamed = deltas(client, &frames).and_then(|deltas| gathered(&deltas));
        let streamed = streamed.unwrap_or_else(|| panic!("{name}: {client:?} is no stream: {frames}"));
        assert_eq!(said(&streamed), expected, "{name}: streamed to {client:?}");
        assert_eq!(streamed.choices[0].finish, read.choices[0].finish, "{name}: {client:?} whole and streamed");
    }
}

/// Reads a client's request, and writes it for everybody else.
fn written_for_everyone(name: &str, dialect: Dialect, body: &Value) {
    let request = dialect.read(body.as_object().unwrap().clone());
    let request = request.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    let texts = naive::texts(body);
    for provider in PROVIDERS {
        let mut losses = Losses::new();
        let to = Recipient { model: "model", quirks: Quirks::default() };
        let written = provider.write(&request, &to, &mut losses);
        assert!(written.is_object(), "{name} for {provider:?}");
        let all = naive::strings(&written);
        for text in &texts {
            let there = all.iter().any(|string| string.contains(text.as_str()));
            let told = losses.iter().any(|loss| loss.refusal.is_some());
            assert!(there || told, "{name} for {provider:?}: lost {text:?} without a word; it wrote {written}");
        }
    }
}

#[test]
fn every_recorded_exchange() {
    let all = recordings::all();
    let mut counts: BTreeMap<(String, &str), usize> = BTreeMap::new();
    let mut used = 0;
    for recording in &all {
        let name = &recording.name;
        if let Some((_, why)) = LEFT_OUT.iter().find(|(left, _)| left == name) {
            println!("left out: {name}: {why}");
            continue;
        }
        let kind = match dialect(recording) {
            Some(dialect) => exchange(recording, dialect),
            None => no_answer(recording),
        };
        *counts.entry((recording.provider().to_owned(), kind)).or_default() += 1;
        used += 1;
    }
    for ((provider, kind), count) in &counts {
        println!("{provider}: {count} × {kind}");
    }
    println!("{used} of {} recorded exchanges used", all.len());
    assert!(used * 100 >= all.len() * 95);
}

/// An exchange that asks for an answer.
fn exchange(recording: &Recording, dialect: Dialect) -> &'static str {
    let name = &recording.name;
    if CLIENTS.contains(&dialect) {
        written_for_everyone(name, dialect, &recording.request);
    }
    if recording.status != 200 {
        assert_ne!(dialect.classify_whole(&recording.body), Whole::Complete, "{name}: an error is no answer");
        return "an error";
    }
    if recording.is_stream() {
        let Some(deltas) = deltas(dialect, &recording.body) else {
            assert!(recording.body.contains("\"error\""), "{name}: is no stream");
            return "an error within a stream";
        };
        let answer = gathered(&deltas).unwrap_or_else(|| panic!("{name}: deltas that are no answer: {deltas:?}"));
        assert_eq!(said(&answer), naive::said_in_stream(dialect, &recording.body), "{name}");
        told_to_everyone(name, &answer);
        return "a stream";
    }
    let answer = dialect.decode(&recording.body).unwrap_or_else(|| panic!("{name}: is no answer: {}", recording.body));
    assert_eq!(said(&answer), naive::said(dialect, &recording.body), "{name}");
    told_to_everyone(name, &answer);
    "a whole answer"
}

/// An exchange that asks for something else.
fn no_answer(recording: &Recording) -> &'static str {
    for dialect in PROVIDERS {
        assert_ne!(
            dialect.classify_whole(&recording.body),
            Whole::Complete,
            "{}: taken for an answer of {dialect:?}",
            recording.name
        );
    }
    "not an answer"
}
