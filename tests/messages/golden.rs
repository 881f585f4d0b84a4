//! What Anthropic and its clients really sent.

use std::collections::BTreeMap;

use breakwater::chat::{Answer, Finish, Kind, Losses};
use breakwater::config::Quirks;
use breakwater::dialect::{Dialect, Recipient, Whole};
use serde_json::{Value, json};

use crate::recordings::{self, Recording};
use crate::rules::broken;
use crate::{data_of, decoded, encoded, events_of, gathered, manner, object, read, written};

/// Exchanges that are no messages, with the reason.
const LEFT_OUT: [(&str, &str); 2] = [
    ("anthropic/document_file_id__streaming_document_file_id_roundtrip_live__2", "deletes a file"),
    ("anthropic/models__list_models_smoke__0", "lists models"),
];

/// Fixtures that are no answers, with the reason.
const FIXTURES_LEFT_OUT: [(&str, &str); 1] =
    [("spliced-message-start.chunks.txt", "begins a second time in the middle, which cannot be told any more")];

fn ours() -> Vec<Recording> {
    let all = recordings::all().into_iter().filter(|recording| recording.provider() == "anthropic");
    let (left, ours): (Vec<Recording>, Vec<Recording>) =
        all.partition(|recording| LEFT_OUT.iter().any(|(name, _)| *name == recording.name));
    assert!(ours.is_empty() || left.len() == LEFT_OUT.len(), "left out, and not there");
    ours
}

/// What an answer says, in the plainest words.
#[derive(Debug, Default, PartialEq)]
struct Plain {
    blocks: Vec<String>,
    end: String,
    counts: BTreeMap<String, u64>,
}

fn input_of(text: &str) -> Value {
    if text.is_empty() { json!({}) } else { serde_json::from_str(text).unwrap() }
}

/// A message as its JSON says, without anything of ours.
fn plain(message: &Value) -> Plain {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let block = |block: &Value| match block["type"].as_str().unwrap() {
        "text" => {
            format!("text {} {}", block["text"], block["citations"].as_array().cloned().map_or_else(|| json!([]), Value::from))
        }
        "thinking" => format!("thinking {} {}", text(&block["thinking"]), text(&block["signature"])),
        "redacted_thinking" => format!("redacted {}", text(&block["data"])),
        "tool_use" => format!("call {} {} {}", text(&block["id"]), text(&block["name"]), block["input"]),
        _ => format!("whole {block}"),
    };
    let count = |name: &str| Some((name.to_owned(), message["usage"][name].as_u64()?));
    Plain {
        blocks: message["content"].as_array().unwrap().iter().map(block).collect(),
        end: format!("{} {}", text(&message["stop_reason"]), text(&message["stop_sequence"])),
        counts: ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"]
            .into_iter()
            .filter_map(count)
            .collect(),
    }
}

/// A stream's events as the message that they tell: an independent, naive reading.
fn assembled(events: &[Value]) -> Value {
    let mut message = json!({});
    let mut inputs: BTreeMap<u64, String> = BTreeMap::new();
    for event in events {
        let at = event["index"].as_u64().unwrap_or(0);
        match event["type"].as_str().unwrap() {
            "message_start" => message = event["message"].clone(),
            "content_block_start" => message["content"].as_array_mut().unwrap().push(event["content_block"].clone()),
            "content_block_delta" => {
                let delta = &event["delta"];
                let block = &mut message["content"][usize::try_from(at).unwrap()];
                for name in ["text", "thinking", "signature", "content"] {
                    if let Some(more) = delta[name].as_str() {
                        block[name] = format!("{}{more}", block[name].as_str().unwrap_or("")).into();
                    }
                }
                if delta["type"] == "citations_delta" {
                    let mut citations = block["citations"].as_array().cloned().unwrap_or_default();
                    citations.push(delta["citation"].clone());
                    block["citations"] = citations.into();
                }
                if let Some(more) = delta["partial_json"].as_str() {
                    inputs.entry(at).or_default().push_str(more);
                }
            }
            "content_block_stop" => {
                if let Some(input) = inputs.remove(&at).filter(|input| !input.is_empty()) {
                    message["content"][usize::try_from(at).unwrap()]["input"] = input_of(&input);
                }
            }
            "message_delta" => {
                for name in ["stop_reason", "stop_sequence"] {
                    message[name] = event["delta"][name].clone();
                }
                for (name, count) in object(event["usage"].clone()) {
                    if !count.is_null() {
                        message["usage"][name] = count;
                    }
                }
            }
            _ => {}
        }
    }
    message
}

/// The canonical answer in the same plain words.
fn plain_of(answer: &Answer) -> Plain {
    let choice = &answer.choices[0];
    let block = |kind: &Kind| match kind {
        Kind::Text { text, notes, .. } => format!("text {} {}", json!(text), json!(notes)),
        Kind::Reasoning(reasoning) => {
            let seal = reasoning.seal.as_ref().map_or("", |seal| seal.data.as_str());
            if reasoning.redacted { format!("redacted {seal}") } else { format!("thinking {} {seal}", reasoning.text) }
        }
        Kind::ToolCall(call) => format!("call {} {} {}", call.id, call.name, input_of(&call.arguments)),
        Kind::Opaque(block) => format!("whole {block}"),
        other => panic!("{other:?}"),
    };
    let usage = answer.usage.clone().unwrap_or_default();
    let (read, created) = (usage.cached, usage.cache_written);
    let mut counts = BTreeMap::from([("output_tokens".to_owned(), usage.output)]);
    counts.insert("input_tokens".to_owned(), usage.input - read.unwrap_or(0) - created.unwrap_or(0));
    counts.extend(read.map(|count| ("cache_read_input_tokens".to_owned(), count)));
    counts.extend(created.map(|count| ("cache_creation_input_tokens".to_owned(), count)));
    let end = match choice.finish.as_ref().unwrap() {
        Finish::Stop => "end_turn",
        Finish::StopSequence => "stop_sequence",
        Finish::Length => "max_tokens",
        Finish::ToolCalls => "tool_use",
        Finish::Refusal => "refusal",
        Finish::Pause => "pause_turn",
        other => panic!("{other:?}"),
    };
    let end = format!("{end} {}", choice.stop_sequence.as_deref().unwrap_or(""));
    Plain { blocks: choice.parts.iter().map(|part| block(&part.kind)).collect(), end, counts }
}

/// An answer through its dialect's own writer and reader, whole and streamed.
fn returns(answer: &Answer, name: &str) {
    let shown = |answer: Answer| Dialect::Messages.encode(answer, &manner());
    let again = Dialect::Messages.decode(&shown(answer.clone()).to_string()).unwrap();
    let stated = |answer: &Answer| {
        let mut plain = plain_of(answer);
        // Clients are told of a cache that was not used as well.
        plain.counts.retain(|_, count| *count > 0);
        // Calls of a program that runs at Anthropic's do not end an answer; no client of another dialect has one.
        if plain.blocks.iter().any(|block| block.starts_with("call ")) {
            plain.end = plain.end.replace("end_turn", "tool_use");
        }
        plain
    };
    assert_eq!(stated(&again), stated(answer), "{name}");
    let frames = encoded(answer.clone().told());
    let events = events_of(&frames);
    let streamed = gathered(decoded(events.iter().map(String::as_str)).unwrap()).unwrap();
    assert_eq!(stated(&streamed), stated(answer), "{name}");
}

#[test]
fn recorded_answers() {
    let (mut whole, mut streams, mut errors) = (0, 0, 0);
    for recording in ours() {
        let name = &recording.name;
        if recording.status != 200 {
            assert_eq!(Dialect::Messages.classify_whole(&recording.body), Whole::Error, "{name}");
            errors += 1;
        } else if recording.is_stream() {
            let body = recording.body.as_bytes();
            let events = data_of([body]);
            let deltas = decoded(events.iter().map(String::as_str)).unwrap();
            for size in [1, 7, 100] {
                let split = data_of(body.chunks(size));
                assert_eq!(decoded(split.iter().map(String::as_str)).as_ref(), Some(&deltas), "{name} in pieces of {size}");
            }
            let answer = gathered(deltas).unwrap();
            let json: Vec<Value> =
                events.iter().filter(|event| *event != "[DONE]").map(|event| serde_json::from_str(event).unwrap()).collect();
            assert_eq!(plain_of(&answer), plain(&assembled(&json)), "{name}");
            let looks: Vec<_> =
                events.iter().map(|event| Dialect::Messages.classify_frame(event.as_bytes(), event.as_bytes())).collect();
            assert!(looks.iter().all(|look| !look.garbage && !look.error), "{name}");
            assert!(
                looks.iter().filter(|look| look.done).count() == 1 && looks.iter().filter(|look| look.finish).count() == 1,
                "{name}"
            );
            assert!(looks.iter().any(|look| look.answer || look.explains_silence), "{name}");
            returns(&answer, name);
            streams += 1;
        } else {
            assert_eq!(Dialect::Messages.classify_whole(&recording.body), Whole::Complete, "{name}");
            let answer = Dialect::Messages.decode(&recording.body).unwrap();
            assert_eq!(plain_of(&answer), plain(&serde_json::from_str(&recording.body).unwrap()), "{name}");
            returns(&answer, name);
            whole += 1;
        }
    }
    println!("recorded answers: {whole} whole, {streams} streamed, {errors} errors; left out {LEFT_OUT:?}");
}

#[test]
fn fixtures_of_another_project() {
    let (mut whole, mut streams, mut skills, mut open) = (0, 0, 0, Vec::new());
    for fixture in recordings::fixtures("anthropic") {
        let name = &fixture.name;
        if name.contains("/skills/") {
            assert_eq!(
                Dialect::Messages.classify_whole(&fixture.text),
                Whole::Garbage,
                "{name}: of the Skills API, no messages"
            );
            skills += 1;
            continue;
        }
        if FIXTURES_LEFT_OUT.iter().any(|(left, _)| name.ends_with(left)) {
            assert!(decoded(fixture.text.lines()).is_none(), "{name} is left out in vain");
            continue;
        }
        if !fixture.is_stream() {
            assert_eq!(Dialect::Messages.classify_whole(&fixture.text), Whole::Complete, "{name}");
            let answer = Dialect::Messages.decode(&fixture.text).unwrap();
            assert_eq!(plain_of(&answer), plain(&serde_json::from_str(&fixture.text).unwrap()), "{name}");
            returns(&answer, name);
            whole += 1;
            continue;
        }
        // Some are several streams, one after the other.
        let lines: Vec<&str> = fixture.text.lines().filter(|line| !line.trim().is_empty()).collect();
        for lines in lines.split_inclusive(|line| line.contains("\"message_stop\"")) {
            let deltas = decoded(lines.iter().copied()).unwrap_or_else(|| panic!("{name}"));
            if !lines.last().is_some_and(|line| line.contains("\"message_stop\"")) {
                open.push(name.clone());
                continue;
            }
            let json: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
            if !json.iter().any(|event| event["type"] == "message_delta") {
                open.push(format!("{name} (no message_delta)"));
                continue;
            }
            let answer = gathered(deltas).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(plain_of(&answer), plain(&assembled(&json)), "{name}");
            returns(&answer, name);
            streams += 1;
        }
    }
    // It is many streams in one file, of which all but the last stop without a reason.
    assert!(open.iter().all(|name| name.contains("programmatic-tool-calling")), "{open:?}");
    let open = open.len();
    println!(
        "fixtures: {whole} whole, {streams} streams; {skills} of the Skills API; without an end: {open} in one file; left out {FIXTURES_LEFT_OUT:?}"
    );
}

#[test]
fn recorded_requests_are_written_as_they_were_read() {
    let mut count = 0;
    for recording in ours() {
        let mut body = recording.request.clone();
        let model = recording.model.clone();
        let (again, lost) = written(&read(body.clone()), &model);
        // The normal forms: a string is one block of text.
        for message in body["messages"].as_array_mut().unwrap() {
            if let Some(text) = message["content"].as_str() {
                message["content"] = json!([{"type": "text", "text": text}]);
            }
        }
        // Some of these began with the assistant, as Anthropic lets them.
        if body["messages"][0]["role"] == "assistant" {
            body["messages"]
                .as_array_mut()
                .unwrap()
                .insert(0, json!({"role": "user", "content": [{"type": "text", "text": "Continue."}]}));
        }
        assert_eq!(again, body, "{}", recording.name);
        assert_eq!(lost, Vec::<String>::new());
        count += 1;
    }
    println!("recorded requests read and written: {count}");
}

/// What is said in a conversation in strings of its own: nothing of it may be lost.
fn texts_of(body: &Value) -> Vec<&str> {
    let messages = body["messages"].as_array().or(body["input"].as_array());
    let said = messages.into_iter().flatten().filter_map(|message| message["content"].as_str());
    said.chain(body["input"].as_str()).chain(body["instructions"].as_str()).filter(|text| !text.trim().is_empty()).collect()
}

/// What was sent to other providers, in dialects that clients speak.
#[test]
fn requests_of_other_dialects_obey_anthropics_rules() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut texts = 0;
    for recording in recordings::all() {
        let dialect = match recording.path.as_str() {
            path if path.ends_with("/chat/completions") => Dialect::Chat,
            path if path.ends_with("/responses") => Dialect::Responses,
            _ => continue,
        };
        let Value::Object(body) = recording.request.clone() else { continue };
        let request = match dialect.read(body) {
            Ok(request) => request,
            Err(error) => {
                println!("not read: {} {error:?}", recording.name);
                *counts.entry(format!("{dialect:?}, not read")).or_default() += 1;
                continue;
            }
        };
        for model in ["claude-3-5-haiku-20241022", "claude-sonnet-4-5", "claude-sonnet-4-6", "claude-opus-4-7"] {
            let mut losses = Losses::new();
            let body = Dialect::Messages.write(&request, &Recipient { model, quirks: Quirks::default() }, &mut losses);
            assert_eq!(broken(&body, model), Vec::<String>::new(), "{} for {model}: {body}", recording.name);
            let written = body.to_string();
            for said in texts_of(&recording.request) {
                let quoted = json!(said.trim_end()).to_string();
                assert!(written.contains(quoted.trim_matches('"')), "{}: {said} is not in {written}", recording.name);
                texts += 1;
            }
            for loss in losses.iter() {
                *counts.entry(format!("lost: {}{}", if loss.refusal.is_some() { "!" } else { "" }, loss.field)).or_default() +=
                    1;
            }
        }
        *counts.entry(format!("{dialect:?}")).or_default() += 1;
    }
    println!("requests of other dialects, in which {texts} texts were found again: {counts:#?}");
}
