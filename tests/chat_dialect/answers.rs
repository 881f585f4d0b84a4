//! Every recorded answer, whole and streamed.

use breakwater::chat::{Answer, Choice, Delta, Finish, Kind, Part, Usage};
use breakwater::dialect::Dialect;
use breakwater::sse::{Frames, data};
use serde_json::{Value, json};

use crate::{decode, encoded, gather, manner, payloads, recordings};

/// What an answer's bytes say, read without knowing anything of the code: content, reasoning, refusal, calls, finish reason, and tokens.
#[derive(Debug, Default, PartialEq)]
struct Naive {
    text: String,
    reasoning: String,
    refusal: String,
    calls: Vec<(String, String)>,
    finish: String,
    tokens: Option<(u64, u64)>,
}

fn naive_texts(content: &Value, naive: &mut Naive) {
    match content {
        Value::String(text) => naive.text.push_str(text),
        Value::Array(parts) => {
            for part in parts {
                match part["type"].as_str().unwrap() {
                    "text" => naive.text.push_str(part["text"].as_str().unwrap()),
                    "thinking" => {
                        for thought in part["thinking"].as_array().unwrap() {
                            naive.reasoning.push_str(thought["text"].as_str().unwrap());
                        }
                    }
                    other => panic!("{other}"),
                }
            }
        }
        _ => {}
    }
}

fn naive(objects: &[Value], choice: u64) -> Naive {
    let mut naive = Naive::default();
    for object in objects {
        if let Some(usage) = Some(&object["usage"]).filter(|usage| usage["prompt_tokens"].is_u64()) {
            let (input, output) = (usage["prompt_tokens"].as_u64().unwrap(), usage["completion_tokens"].as_u64().unwrap());
            // xAI counts what was thought beside the rest.
            let thought = usage["completion_tokens_details"]["reasoning_tokens"].as_u64().unwrap_or(0);
            let beside = usage["total_tokens"].as_u64() == Some(input + output + thought);
            naive.tokens = Some((input, if beside { output + thought } else { output }));
        }
        for told in object["choices"].as_array().into_iter().flatten().filter(|told| told["index"].as_u64() == Some(choice)) {
            let spoken = if told["delta"].is_object() { &told["delta"] } else { &told["message"] };
            naive_texts(&spoken["content"], &mut naive);
            let thought = spoken["reasoning_content"].as_str().or(spoken["reasoning"].as_str());
            naive.reasoning.push_str(thought.unwrap_or_default());
            naive.refusal.push_str(spoken["refusal"].as_str().unwrap_or_default());
            for (at, call) in spoken["tool_calls"].as_array().into_iter().flatten().enumerate() {
                let index =
                    if told["delta"].is_object() { usize::try_from(call["index"].as_u64().unwrap_or(0)).unwrap() } else { at };
                while naive.calls.len() <= index {
                    naive.calls.push(Default::default());
                }
                naive.calls[index].0.push_str(call["function"]["name"].as_str().unwrap_or_default());
                naive.calls[index].1.push_str(call["function"]["arguments"].as_str().unwrap_or_default());
            }
            if let Some(reason) = told["finish_reason"].as_str() {
                reason.clone_into(&mut naive.finish);
            }
        }
    }
    // Groq's way to write no arguments.
    for (_, arguments) in naive.calls.iter_mut().filter(|(_, arguments)| arguments == "null") {
        arguments.clear();
    }
    // Where an index begins at 1, the place before it is empty.
    naive.calls.retain(|(name, _)| !name.is_empty());
    naive
}

fn said(answer: &Answer, choice: usize) -> Naive {
    let mut naive = Naive::default();
    for part in &answer.choices[choice].parts {
        match &part.kind {
            Kind::Text { text, .. } => naive.text.push_str(text),
            Kind::Refusal(text) => naive.refusal.push_str(text),
            Kind::Reasoning(reasoning) => naive.reasoning.push_str(&reasoning.text),
            Kind::ToolCall(call) => {
                assert!(!call.id.is_empty());
                naive.calls.push((call.name.clone(), call.arguments.clone()));
            }
            other => panic!("{other:?}"),
        }
    }
    naive.finish = Dialect::Chat.encode(answer.clone(), &manner(true))["choices"][choice]["finish_reason"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    naive.tokens = answer.usage.as_ref().map(|usage| (usage.input, usage.output));
    naive
}

fn check(name: &str, answer: &Answer, objects: &[Value]) {
    for choice in 0..answer.choices.len() {
        assert_eq!(said(answer, choice), naive(objects, choice as u64), "{name}");
    }
    // Told again in the same dialect, it is the same: whole, and as a stream.
    let again = Dialect::Chat.encode(answer.clone(), &manner(true));
    let mut back = Dialect::Chat.decode(&again.to_string()).unwrap();
    for choice in 0..answer.choices.len() {
        assert_eq!(back.choices[choice].parts, merged(answer, choice), "{name}");
    }
    // What else a provider counts, in its own words, is not told again.
    let counted = answer.usage.clone().map(|mut usage| {
        usage.extra.retain(|name, _| ["prompt_tokens_details", "completion_tokens_details"].contains(&name.as_str()));
        usage
    });
    assert_eq!((&back.id, &back.model, &back.usage), (&answer.id, &answer.model, &counted), "{name}");
    let stream = encoded(answer.clone().told(), true);
    assert!(stream.ends_with("\n\ndata: [DONE]\n\n"), "{name}");
    let streamed = gather(decode(&payloads(&stream)).unwrap()).unwrap();
    back.created = streamed.created;
    for (one, other) in back.choices.iter().zip(&streamed.choices) {
        assert_eq!(
            (&one.parts, &one.finish, &one.logprobs),
            (&other.parts, &other.finish, &other.logprobs),
            "{name}\n{stream}"
        );
    }
    assert_eq!(back.usage, streamed.usage, "{name}");
}

/// Parts in the order of a whole message: text goes before calls.
fn merged(answer: &Answer, choice: usize) -> Vec<breakwater::chat::Part> {
    let mut parts = answer.choices[choice].parts.clone();
    // What a citation must have: some providers' have neither a title nor a place.
    for part in &mut parts {
        let Kind::Text { text, notes, .. } = &mut part.kind else { continue };
        for note in notes.iter_mut().filter_map(|note| note["url_citation"].as_object_mut()) {
            for (name, whole) in [("title", json!("")), ("start_index", json!(0)), ("end_index", json!(text.chars().count()))] {
                note.entry(name).or_insert(whole);
            }
        }
    }
    parts.sort_by_key(|part| match &part.kind {
        Kind::Reasoning(_) => 0,
        Kind::Text { .. } => 1,
        Kind::Refusal(_) => 2,
        _ => 3,
    });
    parts
}

fn fixtures() -> Vec<recordings::Fixture> {
    let packages = ["openai", "deepseek", "groq", "mistral", "xai", "perplexity", "togetherai", "openai-compatible"];
    packages.into_iter().flat_map(recordings::fixtures).collect()
}

#[test]
fn every_recorded_answer_says_what_its_bytes_say() {
    let (mut whole, mut streams) = (0, 0);
    let mut left_out = Vec::new();
    for recording in recordings::all().into_iter().filter(recordings::Recording::is_chat) {
        if recording.status != 200 {
            left_out.push(format!("{}: a {}", recording.name, recording.status));
        } else if recording.is_stream() {
            let events = payloads(&recording.body);
            let objects: Vec<Value> =
                events.iter().filter(|event| *event != "[DONE]").map(|event| serde_json::from_str(event).unwrap()).collect();
            if objects.iter().any(|object| object["error"].is_object()) {
                assert!(decode(&events).is_none(), "{}", recording.name);
                left_out.push(format!("{}: its stream ends in an error, which is told as one", recording.name));
                continue;
            }
            let answer = gather(decode(&events).unwrap_or_else(|| panic!("{}", recording.name)))
                .unwrap_or_else(|| panic!("{}", recording.name));
            check(&recording.name, &answer, &objects);
            streams += 1;
        } else {
            let answer = Dialect::Chat.decode(&recording.body).unwrap_or_else(|| panic!("{}", recording.name));
            check(&recording.name, &answer, &[serde_json::from_str(&recording.body).unwrap()]);
            whole += 1;
        }
    }
    println!("{whole} whole answers and {streams} streams; left out:\n{}", left_out.join("\n"));
    assert!(
        whole + streams == 0 || whole + streams + left_out.len() == 201 && left_out.len() <= 10,
        "{whole} {streams} {}",
        left_out.len()
    );
}

#[test]
fn every_fixture_of_the_dialect_says_what_its_bytes_say() {
    let (mut used, mut others) = (0, Vec::new());
    for fixture in fixtures() {
        let events: Vec<String> = match (fixture.is_stream(), fixture.name.ends_with(".sse")) {
            (true, _) => fixture.text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect(),
            (_, true) => payloads(&fixture.text),
            _ => Vec::new(),
        };
        if events.is_empty() {
            let value: Value = serde_json::from_str(&fixture.text).unwrap_or_default();
            if value["object"] != "chat.completion" {
                others.push(fixture.name);
                continue;
            }
            check(&fixture.name, &Dialect::Chat.decode(&fixture.text).unwrap(), &[value]);
        } else {
            let objects: Vec<Value> =
                events.iter().filter(|event| *event != "[DONE]").filter_map(|event| serde_json::from_str(event).ok()).collect();
            if !objects.iter().any(|object| object["object"] == "chat.completion.chunk") {
                others.push(fixture.name);
                continue;
            }
            let answer = gather(decode(&events).unwrap_or_else(|| panic!("{}", fixture.name)))
                .unwrap_or_else(|| panic!("{}", fixture.name));
            check(&fixture.name, &answer, &objects);
        }
        used += 1;
    }
    println!("{used} fixtures; not of this dialect:\n{}", others.join("\n"));
    assert!(others.is_empty() || used >= 25, "{used}");
}

#[test]
fn any_split_of_the_bytes_gives_the_same_deltas() {
    let mut streams = 0;
    for recording in recordings::all()
        .into_iter()
        .filter(|recording| recording.is_chat() && recording.status == 200 && recording.is_stream())
    {
        let expected = decode(&payloads(&recording.body));
        for size in [1, 7, 100, 4096] {
            let mut frames = Frames::default();
            let mut events = Vec::new();
            for chunk in recording.body.as_bytes().chunks(size) {
                let fed = frames.feed(chunk).unwrap();
                events.extend(fed.frames().filter_map(data).map(|data| String::from_utf8(data.into_owned()).unwrap()));
            }
            events.extend(data(&frames.finish()).map(|data| String::from_utf8(data.into_owned()).unwrap()));
            assert_eq!(decode(&events), expected, "{} in pieces of {size}", recording.name);
        }
        streams += 1;
    }
    println!("{streams} streams");
}

/// An answer of another dialect's provider: two texts, the second of which cites.
fn citing(notes: &[Value]) -> Answer {
    let cited = Kind::Text { text: "Größe".to_owned(), notes: notes.to_vec(), seal: None };
    let parts = vec![Part::text("Ja. "), Part::new(cited)];
    let choice = Choice { parts, finish: Some(Finish::Stop), ..Choice::default() };
    Answer { choices: vec![choice], ..Answer::default() }
}

#[test]
fn only_pages_are_cited_with_their_places_in_the_whole() {
    let citation = |url: &str, title: &str, start: u64, end: u64| json!({ "type": "url_citation", "url_citation": { "start_index": start, "end_index": end, "url": url, "title": title } });
    let rows = [
        (
            json!({ "type": "web_search_result_location", "url": "u", "title": "T", "cited_text": "c", "encrypted_index": "e" }),
            Some(citation("u", "T", 4, 9)),
        ),
        (json!({ "type": "web_search_result_location", "url": "u", "title": null }), Some(citation("u", "", 4, 9))),
        (
            json!({ "type": "url_citation", "url": "u", "title": "T", "start_index": 1, "end_index": 3 }),
            Some(citation("u", "T", 5, 7)),
        ),
        (json!({ "type": "url_citation", "url_citation": { "url": "u" } }), Some(citation("u", "", 4, 9))),
        (citation("u", "T", 1, 2), Some(citation("u", "T", 1, 2))),
        (json!({ "type": "url_citation" }), None),
        (json!({ "type": "char_location", "cited_text": "c", "document_index": 0 }), None),
        (json!({ "type": "page_location", "cited_text": "c" }), None),
        (json!({ "type": "content_block_location", "cited_text": "c" }), None),
        (json!({ "cited_text": "c" }), None),
        (json!({ "type": "file_citation", "file_id": "f", "index": 0 }), None),
        (json!({ "type": "container_file_citation", "file_id": "f" }), None),
        (json!("odd"), None),
    ];
    for (note, expected) in rows {
        let expected: Vec<Value> = expected.into_iter().collect();
        let answer = citing(std::slice::from_ref(&note));
        let message = Dialect::Chat.encode(answer.clone(), &manner(true))["choices"][0]["message"].clone();
        assert_eq!(message["annotations"].as_array().cloned().unwrap_or_default(), expected, "{note}");
        // Anthropic says what it cites before it says what of.
        let mut deltas = answer.told();
        let at = deltas.iter().position(|delta| matches!(delta, Delta::Note { .. })).unwrap();
        let note_delta = deltas.remove(at);
        deltas.insert(at - 1, note_delta);
        let told: Vec<Value> = payloads(&encoded(deltas, true))
            .iter()
            .filter_map(|event| serde_json::from_str::<Value>(event).ok())
            .flat_map(|chunk| chunk["choices"][0]["delta"]["annotations"].as_array().cloned().unwrap_or_default())
            .collect();
        assert_eq!(told, expected, "{note} in a stream");
    }
}

#[test]
fn what_only_another_provider_counts_or_calls_is_not_told() {
    let extra = json!({ "cache_creation": { "ephemeral_5m_input_tokens": 0 }, "inference_geo": "eu", "service_tier": "standard",
        "server_tool_use": { "web_search_requests": 1 }, "iterations": [], "num_sources_used": 3 });
    let usage = Usage { input: 3, output: 4, extra: crate::object(&extra), ..Usage::default() };
    let told = json!({ "prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7 });
    for (tier, expected) in [("on_demand", None), ("standard", None), ("auto", Some("auto")), ("priority", Some("priority"))] {
        let extra = crate::object(&json!({ "service_tier": tier, "container": {}, "system_fingerprint": "fp" }));
        let answer = Answer { usage: Some(usage.clone()), extra, ..citing(&[]) };
        let whole = Dialect::Chat.encode(answer.clone(), &manner(true));
        let stream = payloads(&encoded(answer.told(), true));
        let last: Value = serde_json::from_str(&stream[stream.len() - 2]).unwrap();
        for told_in in [whole, last] {
            assert_eq!(told_in["usage"], told, "{told_in}");
            assert_eq!(
                (told_in["service_tier"].as_str(), &told_in["system_fingerprint"]),
                (expected, &json!("fp")),
                "{told_in}"
            );
        }
    }
}

/// Moonshot's streams say what they cost in the choice that ends.
#[test]
fn usage_may_stand_in_a_choice() {
    let events = [
        json!({"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "hi"}, "finish_reason": null}]}),
        json!({"id": "c", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop",
            "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "cached_tokens": 1}}]}),
    ];
    let deltas = decode(&events.map(|event| event.to_string())).unwrap();
    let usage = deltas.iter().find_map(|delta| if let Delta::Usage(usage) = delta { Some(usage) } else { None }).unwrap();
    assert_eq!((usage.input, usage.output), (3, 2), "{usage:?}");
}
