//! What real providers sent, and what real clients asked.

use std::collections::BTreeSet;

use breakwater::chat::{Answer, Kind, Seal};
use breakwater::dialect::{Dialect, Whole, responses};
use breakwater::sse;
use serde_json::{Map, Value, json};

use super::recordings::{self, Recording};
use super::{deltas, encoded, events, gathered, manner, object, read, write};

const PACKAGES: [&str; 4] = ["openai", "open-responses", "azure", "xai"];

fn exchanges() -> Vec<Recording> {
    recordings::all().into_iter().filter(|recording| recording.path.ends_with("/responses")).collect()
}

/// Streams: a name, and the data of each event.
fn streams() -> Vec<(String, Vec<String>)> {
    let recorded = exchanges().into_iter().filter(|recording| recording.status == 200 && recording.is_stream());
    let mut streams: Vec<(String, Vec<String>)> =
        recorded.map(|recording| (recording.name.clone(), events(&recording.body))).collect();
    for fixture in PACKAGES.into_iter().flat_map(recordings::fixtures) {
        let events: Vec<String> = fixture.text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
        if !fixture.is_stream()
            || !events.first().is_some_and(|event| event.contains("response.created"))
            || BROKEN.contains(&fixture.name.as_str())
        {
            continue;
        }
        // Some hold the streams of several turns, one behind the other.
        let mut turns: Vec<Vec<String>> = Vec::new();
        for event in events {
            if event.contains("\"response.created\"") {
                turns.push(Vec::new());
            }
            turns.last_mut().unwrap().push(event);
        }
        streams.extend(turns.into_iter().enumerate().map(|(turn, events)| (format!("{}#{turn}", fixture.name), events)));
    }
    streams
}

/// A fixture of which the first line is no JSON: it lacks a bracket.
const BROKEN: [&str; 1] = ["packages/openai/src/responses/__fixtures__/parallel-tool-call-wrapper.1.chunks.txt"];

/// The one that failed.
const FAILED: [&str; 1] = ["packages/openai/src/responses/__fixtures__/openai-error.1.chunks.txt#0"];

/// Fixtures from which somebody took deltas, so that the text is whole in the item alone.
const CUT: [&str; 1] = ["packages/openai/src/responses/__fixtures__/openai-phase.1.chunks.txt#0"];

/// Fixtures that were cut short by hand: they have no end.
fn has_an_end(events: &[String]) -> bool {
    events.iter().any(|event| event.contains("\"response.completed\"") || event.contains("\"response.incomplete\""))
}

fn last(events: &[String]) -> Map<String, Value> {
    let last = events.iter().rev().map(|event| serde_json::from_str::<Value>(event).unwrap());
    let last =
        last.into_iter().find(|event| matches!(event["type"].as_str(), Some("response.completed" | "response.incomplete")));
    object(last.unwrap()["response"].clone())
}

/// The text and the calls that the bytes say, by the plainest reading there is.
fn plainly(name: &str, events: &[String]) -> (String, Vec<String>) {
    let cut = CUT.contains(&name);
    let (mut text, mut calls) = (String::new(), Vec::new());
    for event in events {
        let event: Value = serde_json::from_str(event).unwrap();
        match event["type"].as_str().unwrap_or_default() {
            "response.output_item.done" if cut && event["item"]["type"] == "message" => {
                text += event["item"]["content"][0]["text"].as_str().unwrap();
            }
            "response.output_text.delta" | "response.refusal.delta" if !cut => text += event["delta"].as_str().unwrap(),
            "response.output_item.done" if event["item"]["type"] == "function_call" => {
                calls.push(event["item"]["arguments"].as_str().unwrap().to_owned());
            }
            "response.output_item.done" if event["item"]["type"] == "custom_tool_call" => {
                calls.push(event["item"]["input"].as_str().unwrap().to_owned());
            }
            _ => {}
        }
    }
    (text, calls)
}

fn said(answer: &Answer) -> (String, Vec<String>) {
    let (mut text, mut calls) = (String::new(), Vec::new());
    for part in &answer.choices[0].parts {
        match &part.kind {
            Kind::Text { text: more, .. } | Kind::Refusal(more) => text += more,
            Kind::ToolCall(call) => calls.push(call.arguments.clone()),
            _ => {}
        }
    }
    (text, calls)
}

#[test]
fn every_stream_says_what_its_bytes_say_and_is_told_again_the_same() {
    let (mut used, mut left) = (0, Vec::new());
    for (name, events) in streams() {
        if FAILED.contains(&name.as_str()) || !has_an_end(&events) || EDITED.contains(&name.as_str()) {
            left.push(name);
            continue;
        }
        let told = deltas(events.iter().map(String::as_str));
        let answer = gathered(told.clone());
        assert_eq!(said(&answer), plainly(&name, &events), "{name}");
        let again = |deltas| encoded(deltas, read(json!({"input": "x"})));
        let back = |stream: String| gathered(deltas(super::events(&stream).iter().map(String::as_str)));
        assert_eq!(normal(back(again(told))), normal(answer.clone()), "{name}");
        // A told answer tells log probabilities last, when a text before a call is done: only the last event has them.
        let last = responses::decode(last(&super::events(&again(answer.clone().told())))).unwrap();
        assert_eq!(normal(last), normal(answer), "{name}");
        used += 1;
    }
    println!("{used} streams; left out, as they fail, have no end or were edited: {left:#?}");
    assert!(left.len() <= 4, "{left:?}");
}

/// What is not kept by a round: thoughts are told as summaries, calls of no arguments have `{}`, and the id and time are ours where there are none.
fn normal(mut answer: Answer) -> Answer {
    for part in &mut answer.choices[0].parts {
        match &mut part.kind {
            Kind::Reasoning(reasoning) => {
                if !reasoning.text.is_empty() {
                    reasoning.summary.insert(0, std::mem::take(&mut reasoning.text));
                }
                // The id of the item is in what is carried, and ours before it.
                if let Some(seal) = &mut reasoning.seal {
                    seal.data = seal.data.rsplit(' ').next().unwrap().to_owned();
                }
            }
            Kind::ToolCall(call) if call.arguments.is_empty() && !call.custom => call.arguments.push_str("{}"),
            // What a citation must have: some of xAI's have neither a title nor a place.
            Kind::Text { text, notes, .. } => {
                let of_all = [("title", json!("")), ("start_index", json!(0)), ("end_index", json!(text.chars().count()))];
                for note in notes.iter_mut().filter(|note| note["type"] == "url_citation") {
                    for (name, value) in of_all.clone() {
                        note.as_object_mut().unwrap().entry(name).or_insert(value);
                    }
                }
            }
            _ => {}
        }
    }
    answer.id = None;
    answer.created = None;
    // What is always told has a value.
    answer.extra.entry("service_tier").or_insert("default".into());
    if let Some(usage) = &mut answer.usage {
        usage.cached = usage.cached.or(Some(0));
        usage.reasoning = usage.reasoning.or(Some(0));
        // What else a provider counts is not told in another one's name.
        (usage.audio_input, usage.audio_output) = (None, None);
        usage.extra.clear();
    }
    answer
}

/// Streams whose last event does not say what they said: somebody edited the text.
const EDITED: [&str; 1] = ["packages/openai/src/responses/__fixtures__/openai-shell-container.1.chunks.txt#0"];

#[test]
fn a_stream_and_its_last_event_say_the_same() {
    let (mut used, mut apart) = (0, Vec::new());
    for (name, events) in streams() {
        if FAILED.contains(&name.as_str()) || !has_an_end(&events) || EDITED.contains(&name.as_str()) {
            continue;
        }
        let mut streamed = gathered(deltas(events.iter().map(String::as_str)));
        let last = last(&events);
        if last["output"].as_array().unwrap().is_empty() {
            continue;
        }
        let mut whole = responses::decode(last).unwrap();
        // Copilot has another id in every event, OpenAI another encryption, and LM Studio log probabilities in deltas alone.
        for answer in [&mut streamed, &mut whole] {
            answer.choices[0].logprobs = None;
            answer.id = None;
            for part in &mut answer.choices[0].parts {
                match &mut part.kind {
                    Kind::Opaque(value) => value
                        .as_object_mut()
                        .unwrap()
                        .retain(|name, _| !["id", "encrypted_content", "fingerprint"].contains(&name.as_str())),
                    Kind::Reasoning(reasoning) => reasoning.seal = reasoning.seal.take().map(|seal| Seal::new(seal.origin, "")),
                    _ => {}
                }
            }
        }
        if streamed == whole {
            used += 1;
        } else {
            apart.push(name.clone());
            println!("{name}\n  streamed {:?}\n  whole    {:?}", kinds(&streamed), kinds(&whole));
        }
    }
    println!("{used} streams agree with their last event; apart: {apart:#?}");
    assert!(apart.is_empty(), "{apart:?}");
}

fn kinds(answer: &Answer) -> String {
    let text = format!("{:?} {:?} {:?}", answer.choices[0].parts, answer.usage, answer.extra);
    text.chars().take(1500).collect()
}

#[test]
fn every_whole_answer_is_read_and_told_again_the_same() {
    let mut used = 0;
    let recorded = exchanges().into_iter().filter(|recording| recording.status == 200 && !recording.is_stream());
    let mut bodies: Vec<(String, String)> = recorded.map(|recording| (recording.name.clone(), recording.body)).collect();
    for fixture in PACKAGES.into_iter().flat_map(recordings::fixtures) {
        if !fixture.is_stream() && fixture.text.contains("\"output\"") && fixture.text.contains("\"response\"") {
            bodies.push((fixture.name, fixture.text));
        }
    }
    for (name, body) in bodies {
        if serde_json::from_str::<Value>(&body).unwrap()["status"] == "failed" {
            assert_eq!(responses::classify_whole(&body), Whole::Error, "{name}");
            continue;
        }
        assert_eq!(responses::classify_whole(&body), Whole::Complete, "{name}");
        let answer = Dialect::Responses.decode(&body).unwrap_or_else(|| panic!("{name}"));
        let again = responses::encode(answer.clone(), &manner(read(json!({"input": "x"}))));
        let back = responses::decode(object(again)).unwrap();
        assert_eq!(normal(back), normal(answer.clone()), "{name}");
        // And as a stream in the provider's own words: the same answer, and at its end the same response.
        let replayed = super::events(&responses::replay(&body).unwrap());
        assert_eq!(normal(gathered(deltas(replayed.iter().map(String::as_str)))), normal(answer), "{name}: replayed");
        let ended: Value = serde_json::from_str(replayed.last().unwrap()).unwrap();
        assert_eq!(ended["response"], serde_json::from_str::<Value>(&body).unwrap(), "{name}: replayed");
        used += 1;
    }
    println!("{used} whole answers");
}

#[test]
fn events_of_a_stream_are_told_again_in_their_order_with_their_members() {
    let (mut used, mut left) = (0, Vec::new());
    for (name, events) in streams() {
        let parsed: Vec<Value> = events.iter().map(|event| serde_json::from_str(event).unwrap()).collect();
        // Hosted tools have events of their own; thoughts are told as summaries; an item without deltas is told with them; two messages become one.
        let own = |event: &Value| {
            let kind = event["type"].as_str().unwrap();
            let item = event["item"]["type"].as_str();
            item.is_none_or(|item| matches!(item, "message" | "reasoning" | "function_call" | "custom_tool_call"))
                && [
                    "created",
                    "in_progress",
                    "completed",
                    "incomplete",
                    "output_item.",
                    "content_part.",
                    "output_text.",
                    "refusal.",
                    "reasoning_summary_",
                    "function_call_",
                    "custom_tool_call_",
                ]
                .iter()
                .any(|begin| kind.strip_prefix("response.").is_some_and(|kind| kind.starts_with(begin)))
        };
        let empty_thought = parsed.iter().any(|event| {
            event["item"]["type"] == "reasoning"
                && event["type"] == "response.output_item.done"
                && event["item"].get("encrypted_content").is_none_or(Value::is_null)
                && event["item"]["summary"] == json!([])
        });
        let messages = parsed.iter().filter(|event| event["item"]["type"] == "message").count();
        if !parsed.iter().all(own)
            || empty_thought
            || messages > 2
            || !has_an_end(&events)
            || name.contains("xai")
            || name.contains("custom-tool")
            || name.contains("parallel-tool-call-wrapper")
        {
            left.push(name);
            continue;
        }
        let again: Vec<Value> = super::events(&encoded(deltas(events.iter().map(String::as_str)), read(json!({"input": "x"}))))
            .iter()
            .map(|event| serde_json::from_str(event).unwrap())
            .collect();
        let shape = |event: &Value| {
            let members: BTreeSet<String> = event
                .as_object()
                .unwrap()
                .keys()
                .filter(|name| !["obfuscation", "copilot_usage"].contains(&name.as_str()))
                .cloned()
                .collect();
            let item: BTreeSet<String> = event["item"]
                .as_object()
                .into_iter()
                .flat_map(|item| item.keys())
                .filter(|name| !["phase", "encrypted_content", "content", "caller", "namespace"].contains(&name.as_str()))
                .cloned()
                .collect();
            (event["type"].as_str().unwrap().to_owned(), members, item)
        };
        let (theirs, ours): (Vec<_>, Vec<_>) = (parsed.iter().map(shape).collect(), again.iter().map(shape).collect());
        for (index, (theirs, ours)) in theirs.iter().zip(&ours).enumerate() {
            assert_eq!(ours, theirs, "{name}: event {index}");
        }
        assert_eq!(ours.len(), theirs.len(), "{name}");
        // What every recorded response of OpenAI's has, ours has.
        if name.starts_with("openai/") {
            let members = |event: &Value| event["response"].as_object().unwrap().keys().cloned().collect::<BTreeSet<String>>();
            let lacks: Vec<String> =
                members(parsed.last().unwrap()).difference(&members(again.last().unwrap())).cloned().collect();
            assert!(
                lacks.iter().all(|name| ["moderation", "prompt_cache_retention", "tool_usage"].contains(&name.as_str())),
                "{name}: {lacks:?}"
            );
        }
        used += 1;
    }
    println!("{used} streams; left out: {} (hosted tools, items without deltas, several messages): {left:#?}", left.len());
}

#[test]
fn any_split_of_the_bytes_gives_the_same_deltas() {
    for recording in exchanges().into_iter().filter(|recording| recording.status == 200 && recording.is_stream()) {
        let whole = deltas(events(&recording.body).iter().map(String::as_str));
        for size in [1, 7, 1024] {
            let mut frames = sse::Frames::default();
            let mut data = Vec::new();
            for chunk in recording.body.as_bytes().chunks(size) {
                let fed = frames.feed(chunk).unwrap();
                data.extend(fed.frames().filter_map(sse::data).map(|data| String::from_utf8(data.into_owned()).unwrap()));
            }
            assert_eq!(deltas(data.iter().map(String::as_str)), whole, "{} by {size}", recording.name);
        }
    }
}

#[test]
fn streams_are_classified_as_they_are() {
    for (name, events) in streams() {
        let seen: Vec<_> = events.iter().map(|event| responses::classify_event(event.as_bytes())).collect();
        assert!(seen.iter().all(|event| !event.garbage), "{name}");
        let failed = FAILED.contains(&name.as_str());
        assert_eq!(seen.iter().any(|event| event.error), failed, "{name}");
        if !failed && has_an_end(&events) {
            assert!(seen.iter().any(|event| event.content), "{name}");
            assert_eq!(seen.iter().position(|event| event.done), Some(seen.len() - 1), "{name}");
        }
        for (event, seen) in events.iter().zip(&seen) {
            let matters = seen.done || seen.error || seen.finish;
            assert!(!matters || responses::needs_a_look(event.as_bytes()), "{name}: {event}");
        }
    }
}

#[test]
fn every_recorded_request_comes_back_as_it_was() {
    let mut used = 0;
    for recording in exchanges() {
        let request = read(recording.request.clone());
        let (written, ignored, refused) = write(&request, &recording.model);
        assert!(ignored.is_empty() && refused.is_empty(), "{}", recording.name);
        assert_eq!(plain(written), plain(recording.request.clone()), "{}", recording.name);
        assert_eq!(read(plain(write(&request, &recording.model).0)), read(plain(recording.request)), "{}", recording.name);
        used += 1;
    }
    println!("{used} requests");
}

/// The normal forms that the dialect's documentation names.
fn plain(mut body: Value) -> Value {
    let body_object = body.as_object_mut().unwrap();
    let mut include = body_object.remove("include").unwrap_or(json!([]));
    include.as_array_mut().unwrap().retain(|what| what != "reasoning.encrypted_content");
    body_object.insert("include".to_owned(), include);
    if let Some(text) = body_object.get("input").and_then(Value::as_str).map(str::to_owned) {
        body_object.insert("input".to_owned(), json!([{"type": "message", "role": "user", "content": text}]));
    }
    for item in body["input"].as_array_mut().unwrap() {
        if item["type"].is_null() {
            item["type"] = "message".into();
        }
        let kind = if item["role"] == "assistant" { "output_text" } else { "input_text" };
        for name in ["content", "output"] {
            if let Some(text) = item[name].as_str().map(str::to_owned) {
                item[name] = json!([{"type": kind, "text": text}]);
            }
        }
        for part in item["content"].as_array_mut().into_iter().flatten() {
            if part["type"] == "output_text" {
                part["annotations"] = json!([]);
                part.as_object_mut().unwrap().remove("logprobs");
            }
        }
        item.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    }
    if body["instructions"].is_null() && body["input"][0]["role"] == "system" {
        let first = body["input"].as_array_mut().unwrap().remove(0);
        body["instructions"] = first["content"][0]["text"].clone();
    }
    body.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    body
}

/// What `OpenAI` refuses of a request.
fn breaks_a_rule(body: &Value) -> Option<String> {
    let known = [
        "model",
        "instructions",
        "input",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "max_output_tokens",
        "temperature",
        "top_p",
        "reasoning",
        "text",
        "include",
        "top_logprobs",
        "user",
        "metadata",
        "store",
        "service_tier",
        "prompt_cache_key",
        "stream",
    ];
    if let Some(name) = body.as_object()?.keys().find(|name| !known.contains(&name.as_str())) {
        return Some(format!("unknown member {name}"));
    }
    if body["store"] != false {
        return Some("store".to_owned());
    }
    let mut open: Vec<&str> = Vec::new();
    for item in body["input"].as_array()? {
        let id = item["call_id"].as_str();
        match item["type"].as_str()? {
            "message" => {
                let kinds: &[&str] = if item["role"] == "assistant" {
                    &["output_text", "refusal"]
                } else {
                    &["input_text", "input_image", "input_file"]
                };
                let parts = item["content"].as_array().map(Vec::as_slice).unwrap_or_default();
                if item["role"] == "assistant" && parts.is_empty() {
                    return Some("an assistant's content is a list".to_owned());
                }
                if let Some(part) = parts.iter().find(|part| !kinds.contains(&part["type"].as_str().unwrap_or_default())) {
                    return Some(format!("part {part}"));
                }
            }
            "function_call"
                if id.is_some_and(|id| !id.is_empty() && id.len() <= 64)
                    && item["name"].is_string()
                    && item["arguments"].is_string() =>
            {
                open.extend(id);
            }
            "function_call_output" => match open.iter().position(|open| Some(*open) == id) {
                Some(at) => drop(open.remove(at)),
                None => return Some(format!("No tool call found for function call output with call_id {id:?}")),
            },
            "reasoning" if item["encrypted_content"].is_string() => {}
            _ => return Some(format!("item {item}")),
        }
    }
    if let Some(id) = open.first() {
        return Some(format!("No tool output found for function call {id}"));
    }
    let tools = body["tools"].as_array().into_iter().flatten();
    tools
        .into_iter()
        .find(|tool| {
            !(tool["type"] == "custom"
                || tool["type"] == "function" && tool["parameters"].is_object() && tool["strict"].is_boolean())
        })
        .map(|tool| format!("tool {tool}"))
}

/// Requests that break the rule in their own dialect, or are not of the dialect.
const ODD: [&str; 0] = [];

#[test]
fn requests_of_other_dialects_obey_the_rules() {
    let (mut used, mut refused_count, mut unread, mut broken) = (0, 0, 0, Vec::new());
    for recording in recordings::all() {
        if recording.method != "POST" || recording.status != 200 {
            continue;
        }
        let dialect = match recording.path.as_str() {
            path if path.ends_with("/chat/completions") => Dialect::Chat,
            path if path.ends_with("/messages") => Dialect::Messages,
            _ => continue,
        };
        let Ok(request) = dialect.read(object(recording.request.clone())) else {
            unread += 1;
            continue;
        };
        let (body, _, refused) = write(&request, "gpt-5");
        if !refused.is_empty() {
            println!("refused: {} {refused:?}", recording.name);
            refused_count += 1;
            continue;
        }
        match breaks_a_rule(&body) {
            Some(rule) if !ODD.contains(&recording.name.as_str()) => broken.push(format!("{}: {rule}", recording.name)),
            _ => used += 1,
        }
    }
    println!("{used} requests of other dialects obey; {refused_count} refused; {unread} not read; broken: {broken:#?}");
    assert!(broken.is_empty());
}
