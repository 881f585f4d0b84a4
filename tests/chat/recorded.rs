//! What real providers sent (the folder's own README says where it comes from).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{assemble, law, payloads};

fn folder() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/recorded");
    let folder = std::env::var_os("BREAKWATER_RECORDED").map_or_else(beside, PathBuf::from);
    if !folder.is_dir() {
        println!("no recordings at {}: nothing checked against real traffic", folder.display());
        return None;
    }
    Some(folder)
}

fn files(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, suffix));
        } else if path.to_string_lossy().ends_with(suffix) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The recorded chat answers: name, and response body.
fn answers(folder: &Path) -> Vec<(String, String)> {
    let mut answers = Vec::new();
    for provider in ["openai", "deepseek", "groq", "mistral", "openrouter"] {
        for path in files(&folder.join(provider), ".json") {
            let recording: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let chat = recording["request"]["path"].as_str().unwrap().ends_with("/chat/completions");
            if chat && recording["response"]["status"] == 200 {
                let name = format!("{provider}/{}", path.file_name().unwrap().to_string_lossy());
                answers.push((name, recording["response"]["body"].as_str().unwrap().to_owned()));
            }
        }
    }
    answers
}

/// What a choice comes to, by a reading of the chunks that shares nothing with the code under test.
#[derive(Debug, Default, PartialEq)]
struct Gist {
    text: String,
    reasoning: String,
    refusal: String,
    details: String,
    calls: BTreeMap<u64, [String; 3]>,
    finish: String,
    logprobs: usize,
}

/// All text in content, be it a string, or parts, or parts of parts.
fn flat(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(flat).collect(),
        Value::Object(fields) => {
            ["thinking", "text", "summary", "data", "signature"].iter().filter_map(|key| fields.get(*key)).map(flat).collect()
        }
        _ => String::new(),
    }
}

fn read(gist: &mut Gist, message: &Value, choice: &Value) {
    gist.text += &flat(&message["content"]);
    gist.reasoning += &flat(&message["reasoning_content"]);
    gist.reasoning += &flat(&message["reasoning"]);
    gist.refusal += &flat(&message["refusal"]);
    gist.details += &flat(&message["reasoning_details"]);
    for (at, call) in message["tool_calls"].as_array().into_iter().flatten().enumerate() {
        let [id, name, arguments] = gist.calls.entry(call["index"].as_u64().unwrap_or(at as u64)).or_default();
        *id += call["id"].as_str().unwrap_or("");
        *name += call["function"]["name"].as_str().unwrap_or("");
        *arguments += call["function"]["arguments"].as_str().unwrap_or("");
    }
    if let Some(reason) = choice["finish_reason"].as_str() {
        reason.clone_into(&mut gist.finish);
    }
    gist.logprobs += choice["logprobs"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, list)| list.as_array())
        .map(Vec::len)
        .sum::<usize>();
}

fn check_stream(name: &str, payloads: &[String], tally: &mut Tally) {
    let chunks: Vec<Value> =
        payloads.iter().filter(|payload| *payload != "[DONE]").map(|payload| serde_json::from_str(payload).unwrap()).collect();
    if chunks.iter().any(|chunk| chunk.get("error").is_some()) {
        assert_eq!(assemble(payloads), None, "{name} holds an error");
        tally.errors += 1;
        return;
    }
    let mut gists: BTreeMap<u64, Gist> = BTreeMap::new();
    let mut last: BTreeMap<&str, &Value> = BTreeMap::new();
    for chunk in &chunks {
        for choice in chunk["choices"].as_array().unwrap() {
            read(gists.entry(choice["index"].as_u64().unwrap()).or_default(), &choice["delta"], choice);
        }
        for key in ["id", "model", "created", "system_fingerprint", "service_tier", "provider", "usage", "citations"] {
            if let Some(value) = chunk.get(key).filter(|value| !value.is_null() && **value != "") {
                last.insert(key, value);
            }
        }
    }
    let completion = assemble(payloads).unwrap_or_else(|| panic!("{name} is complete"));
    assert_eq!(completion["object"], "chat.completion", "{name}");
    for (key, value) in last {
        assert_eq!(completion[key], *value, "{name}: {key}");
    }
    let assembled: BTreeMap<u64, Gist> = completion["choices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|choice| {
            let mut gist = Gist::default();
            read(&mut gist, &choice["message"], choice);
            (choice["index"].as_u64().unwrap(), gist)
        })
        .collect();
    assert_eq!(assembled, gists, "{name}");
    law(name, &completion);
    tally.streams += 1;
    tally.chunks += chunks.len();
    tally.calls += gists.values().map(|gist| gist.calls.len()).sum::<usize>();
}

#[derive(Debug, Default)]
struct Tally {
    streams: usize,
    chunks: usize,
    calls: usize,
    errors: usize,
}

#[test]
fn streams_of_providers() {
    let Some(folder) = folder() else { return };
    let mut tally = Tally::default();
    for (name, body) in answers(&folder) {
        if !body.starts_with('{') {
            check_stream(&name, &payloads(&body), &mut tally);
        }
    }
    println!("recorded chat streams: {tally:?}");
    assert!(tally.streams >= 100, "{tally:?}");
}

#[test]
fn streams_of_the_vercel_fixtures() {
    let Some(folder) = folder() else { return };
    let mut tally = Tally::default();
    for path in files(&folder.join("vercel-ai"), ".chunks.txt") {
        let text = fs::read_to_string(&path).unwrap();
        let payloads: Vec<String> = text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
        if payloads.iter().all(|payload| payload.contains("\"object\":\"chat.completion.")) {
            check_stream(&path.display().to_string(), &payloads, &mut tally);
        }
    }
    println!("chat streams in vercel-ai: {tally:?}");
    assert!(tally.streams >= 15, "{tally:?}");
}

/// An answer that came unstreamed is replayed to clients that stream: nothing but a tool call's own `index` is lost.
#[test]
fn unstreamed_answers_replay() {
    let Some(folder) = folder() else { return };
    let mut completions: Vec<(String, Value)> = Vec::new();
    for (name, body) in answers(&folder) {
        completions.extend(serde_json::from_str(&body).ok().map(|completion| (name, completion)));
    }
    for path in files(&folder.join("vercel-ai"), ".json") {
        let text = fs::read_to_string(&path).unwrap();
        completions.extend(serde_json::from_str(&text).ok().map(|completion| (path.display().to_string(), completion)));
    }
    completions.retain(|(_, completion)| completion["object"] == "chat.completion");
    for (name, completion) in &mut completions {
        for choice in completion["choices"].as_array_mut().unwrap() {
            let message = choice["message"].as_object_mut().unwrap_or_else(|| panic!("{name}"));
            message.entry("content").or_insert(Value::Null);
            for call in message.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
                call.as_object_mut().unwrap().remove("index");
            }
        }
        law(name, completion);
    }
    println!("recorded completions replayed: {}", completions.len());
    assert!(completions.len() >= 100, "{}", completions.len());
}
