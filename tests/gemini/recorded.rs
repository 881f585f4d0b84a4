//! Every answer that Gemini was recorded giving.

use breakwater::chat::{Answer, Finish, Kind};
use breakwater::dialect::{Whole, gemini};
use breakwater::sse::{self, Frames};
use serde_json::Value;

use super::recordings::{Fixture, Recording, all, fixtures};
use super::{decoded, gathered, told};

/// What was recorded of Gemini and is no answer of `generateContent`, by what it is.
const NO_ANSWERS: [(&str, usize); 3] = [("/v1beta/cachedContents", 18), ("/v1beta/interactions", 6), ("batchEmbedContents", 8)];

/// Fixtures of other protocols than this one.
const OTHER_FIXTURES: [&str; 2] = ["/interactions/", "/speech-translation/"];

fn is_answer(recording: &Recording) -> bool {
    recording.path.contains("enerateContent")
}

fn recorded() -> Vec<Recording> {
    all().into_iter().filter(|recording| recording.provider() == "gemini").collect()
}

/// The data of a stream's frames, however its bytes are cut.
fn frames(body: &str, size: usize) -> Vec<String> {
    let mut frames = Frames::default();
    let mut found = Vec::new();
    for chunk in body.as_bytes().chunks(size) {
        let fed = frames.feed(chunk).unwrap();
        found.extend(fed.frames().filter_map(sse::data).map(|data| String::from_utf8(data.into_owned()).unwrap()));
    }
    let rest = frames.finish();
    found.extend(sse::data(&rest).map(|data| String::from_utf8(data.into_owned()).unwrap()));
    found
}

/// What the bytes say, read without the gateway's own code: per candidate its text, its thoughts, its calls, how many other parts, and the last finish reason.
#[derive(Debug, Default, PartialEq)]
struct Said {
    text: String,
    thoughts: String,
    calls: Vec<(String, Value)>,
    others: usize,
    signatures: Vec<String>,
    reason: String,
}

fn naive(events: &[Value]) -> Vec<Said> {
    let mut said: Vec<Said> = Vec::new();
    for candidate in events.iter().flat_map(|event| event["candidates"].as_array().cloned().unwrap_or_default()) {
        let index = usize::try_from(candidate["index"].as_u64().unwrap_or(0)).unwrap();
        while said.len() <= index {
            said.push(Said::default());
        }
        let said = &mut said[index];
        for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
            said.signatures.extend(part["thoughtSignature"].as_str().map(str::to_owned));
            if let Some(text) = part["text"].as_str() {
                if part["thought"] == true { said.thoughts.push_str(text) } else { said.text.push_str(text) }
            } else if part["functionCall"].is_object() {
                let call = &part["functionCall"];
                let args = if call["args"].is_object() { call["args"].clone() } else { serde_json::json!({}) };
                said.calls.push((call["name"].as_str().unwrap_or_default().to_owned(), args));
            } else {
                said.others += 1;
            }
        }
        if let Some(reason) = candidate["finishReason"].as_str() {
            reason.clone_into(&mut said.reason);
        }
    }
    said
}

fn of_answer(answer: &Answer) -> Vec<Said> {
    answer
        .choices
        .iter()
        .map(|choice| {
            let mut said = Said::default();
            for part in &choice.parts {
                let seal = match &part.kind {
                    Kind::Text { text, seal, .. } => {
                        said.text.push_str(text);
                        seal
                    }
                    Kind::Reasoning(reasoning) => {
                        said.thoughts.push_str(&reasoning.text);
                        &reasoning.seal
                    }
                    Kind::ToolCall(call) => {
                        said.calls.push((call.name.clone(), serde_json::from_str(&call.arguments).unwrap()));
                        &call.seal
                    }
                    _ => {
                        said.others += 1;
                        &None
                    }
                };
                said.signatures.extend(seal.as_ref().map(|seal| seal.data.clone()));
            }
            let reason = match choice.finish.as_ref().unwrap() {
                Finish::Stop => "STOP",
                Finish::ToolCalls if !said.calls.is_empty() => "STOP",
                Finish::Length => "MAX_TOKENS",
                other => panic!("{other:?}"),
            };
            reason.clone_into(&mut said.reason);
            said
        })
        .collect()
}

fn check_usage(name: &str, answer: &Answer, events: &[Value]) {
    let raw = &events.iter().rev().find(|event| event["usageMetadata"]["promptTokenCount"].is_u64()).unwrap()["usageMetadata"];
    let usage = answer.usage.as_ref().unwrap();
    let count = |name: &str| raw[name].as_u64().unwrap_or(0);
    assert_eq!(usage.input, count("promptTokenCount") + count("toolUsePromptTokenCount"), "{name}");
    assert_eq!(usage.output, count("candidatesTokenCount") + count("thoughtsTokenCount"), "{name}");
    assert_eq!(usage.reasoning, raw["thoughtsTokenCount"].as_u64(), "{name}");
    assert_eq!(usage.cached, raw["cachedContentTokenCount"].as_u64(), "{name}");
    let total = usage.total.unwrap_or(usage.input + usage.output);
    assert_eq!(total, count("totalTokenCount"), "{name}");
}

#[test]
fn every_recorded_answer_is_decoded_as_its_bytes_say() {
    let (mut whole, mut streams, mut refused) = (0, 0, 0);
    for recording in recorded().iter().filter(|recording| is_answer(recording)) {
        let name = &recording.name;
        if recording.status != 200 {
            assert_eq!(gemini::classify_whole(&recording.body), Whole::Error, "{name}");
            assert!(gemini::classify_event(recording.body.trim().as_bytes()).error, "{name}");
            refused += 1;
            continue;
        }
        if recording.is_stream() {
            let data = frames(&recording.body, usize::MAX);
            let events: Vec<Value> = data.iter().map(|data| serde_json::from_str(data).unwrap()).collect();
            let answer = gathered(data.iter().map(String::as_str)).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(of_answer(&answer), naive(&events), "{name}");
            check_usage(name, &answer, &events);
            for size in [1, 7, 100] {
                let cut = frames(&recording.body, size);
                assert_eq!(told(cut.iter().map(String::as_str)), told(data.iter().map(String::as_str)), "{name} by {size}");
            }
            streams += 1;
        } else {
            let body: Value = serde_json::from_str(&recording.body).unwrap();
            let answer = decoded(&body).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(gemini::classify_whole(&recording.body), Whole::Complete, "{name}");
            assert_eq!(of_answer(&answer), naive(std::slice::from_ref(&body)), "{name}");
            assert_eq!(answer.id.as_deref(), body["responseId"].as_str(), "{name}");
            assert_eq!(answer.model.as_deref(), body["modelVersion"].as_str(), "{name}");
            check_usage(name, &answer, std::slice::from_ref(&body));
            // The same as one event of a stream is the same answer.
            assert_eq!(gathered([recording.body.as_str()]), Some(answer), "{name}");
            whole += 1;
        }
    }
    println!("{whole} whole answers, {streams} streams, {refused} errors");
    assert!(whole == 0 && streams == 0 || (whole, streams, refused) == (70, 27, 2), "{whole} {streams} {refused}");
}

#[test]
fn what_other_endpoints_answered_is_never_an_answer() {
    let mut counts = [0; NO_ANSWERS.len()];
    for recording in recorded().iter().filter(|recording| !is_answer(recording)) {
        let at = NO_ANSWERS
            .iter()
            .position(|(path, _)| recording.path.contains(path))
            .unwrap_or_else(|| panic!("{}", recording.name));
        counts[at] += 1;
        let found = gemini::classify_whole(&recording.body);
        assert!(matches!(found, Whole::Garbage | Whole::Error), "{}: {found:?}", recording.name);
        if recording.is_stream() {
            for data in frames(&recording.body, usize::MAX) {
                let event = gemini::classify_event(data.as_bytes());
                assert!(event.garbage && !event.content && !event.finish, "{}: {data}", recording.name);
            }
        }
    }
    println!("{counts:?} of {NO_ANSWERS:?}");
    assert!(counts == [0; 3] || counts == NO_ANSWERS.map(|(_, count)| count), "{counts:?}");
}

#[test]
fn other_providers_answers_are_never_gemini_s() {
    let mut count = 0;
    for recording in all().iter().filter(|recording| recording.provider() != "gemini" && !recording.is_stream()) {
        let found = gemini::classify_whole(&recording.body);
        assert!(found != Whole::Complete, "{}", recording.name);
        count += 1;
    }
    println!("{count} answers of other providers");
}

#[test]
fn every_event_is_classified_as_what_it_is() {
    let mut count = 0;
    for recording in recorded().iter().filter(|recording| is_answer(recording) && recording.is_stream()) {
        for data in frames(&recording.body, usize::MAX) {
            let raw: Value = serde_json::from_str(&data).unwrap();
            let event = gemini::classify_event(data.as_bytes());
            let said = naive(std::slice::from_ref(&raw));
            let says = said.iter().any(|said| !said.text.is_empty() || said.others > 0 || !said.calls.is_empty());
            let thinks = said.iter().any(|said| !said.thoughts.is_empty());
            assert!(!event.garbage && !event.error && !event.done, "{}", recording.name);
            assert_eq!((event.content, event.answer), (says || thinks, says), "{}: {data}", recording.name);
            assert_eq!(event.finish, said.iter().any(|said| !said.reason.is_empty()), "{}: {data}", recording.name);
            assert_eq!(event.finished, u64::from(event.finish), "{}", recording.name);
            // Nothing that ends anything goes by unlooked.
            assert!(!event.finish || gemini::needs_a_look(data.as_bytes()), "{}", recording.name);
            assert!(event.finish || !gemini::needs_a_look(data.as_bytes()), "a dear look at {data}");
            count += 1;
        }
    }
    println!("{count} events");
}

fn check_fixture(fixture: &Fixture) {
    let name = &fixture.name;
    if fixture.is_stream() {
        let lines: Vec<&str> = fixture.text.lines().filter(|line| !line.trim().is_empty()).collect();
        let events: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let answer = gathered(lines.iter().copied()).unwrap_or_else(|| panic!("{name}"));
        let (ours, theirs) = (of_answer(&answer), naive(&events));
        let piecemeal = fixture.text.contains("partialArgs");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(
                (&ours.text, &ours.thoughts, ours.others, &ours.reason),
                (&theirs.text, &theirs.thoughts, theirs.others, &theirs.reason),
                "{name}"
            );
            let names: Vec<&str> = ours.calls.iter().map(|(name, _)| name.as_str()).collect();
            let named: Vec<&str> = theirs.calls.iter().map(|(name, _)| name.as_str()).filter(|name| !name.is_empty()).collect();
            assert_eq!(names, named, "{name}");
            assert!(piecemeal || ours.calls == theirs.calls, "{name}");
        }
    } else {
        let body: Value = serde_json::from_str(&fixture.text).unwrap();
        if body.get("error").is_some() {
            assert_eq!(gemini::classify_whole(&fixture.text), Whole::Error, "{name}");
            return;
        }
        let answer = decoded(&body).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(of_answer(&answer), naive(std::slice::from_ref(&body)), "{name}");
    }
}

#[test]
fn every_fixture_is_decoded_as_its_bytes_say() {
    let (mut count, mut others) = (0, 0);
    for fixture in fixtures("google") {
        if OTHER_FIXTURES.iter().any(|other| fixture.name.contains(other)) {
            others += 1;
            let lines = fixture.text.lines().filter(|_| fixture.is_stream());
            for line in lines.filter(|line| !line.trim().is_empty()) {
                let event = gemini::classify_event(line.as_bytes());
                // The live API's own usage looks like this one's, and says as little.
                assert!(event.garbage || event.usage_only, "{}: {line}", fixture.name);
                assert!(!event.content && !event.finish, "{}: {line}", fixture.name);
            }
            assert!(fixture.is_stream() || gemini::classify_whole(&fixture.text) == Whole::Garbage, "{}", fixture.name);
            continue;
        }
        check_fixture(&fixture);
        count += 1;
    }
    println!("{count} fixtures, and {others} of the protocols {OTHER_FIXTURES:?}");
}
