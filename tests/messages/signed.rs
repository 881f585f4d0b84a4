//! What Gemini signed, through a client of any dialect and back: the same signatures on the same parts, and nothing of them to anybody else
//! (<https://ai.google.dev/gemini-api/docs/thought-signatures>).

use std::rc::Rc;

use breakwater::chat::{Delta, Losses, Request, Thinking};
use breakwater::dialect::{Decoder, Dialect, Encoder, Manner, Recipient};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::carried;
use crate::{events_of, manner, object};

pub(crate) const CLIENTS: [Dialect; 3] = [Dialect::Chat, Dialect::Responses, Dialect::Messages];

pub(crate) fn said(text: &str, signature: &str) -> Value {
    json!({"text": text, "thoughtSignature": signature})
}

pub(crate) fn thought(text: &str, signature: &str) -> Value {
    json!({"text": text, "thought": true, "thoughtSignature": signature})
}

pub(crate) fn called(id: &str, signature: &str) -> Value {
    json!({"functionCall": {"name": "f", "args": {}, "id": id}, "thoughtSignature": signature})
}

pub(crate) fn drawn(media_type: &str, data: &str, signature: &str) -> Value {
    json!({"inlineData": {"mimeType": media_type, "data": data}, "thoughtSignature": signature})
}

pub(crate) fn thinks() -> Manner {
    let thinking = Some(Thinking { budget: Some(2048), ..Thinking::default() });
    Manner { request: Rc::new(Request { thinking, ..Request::new(Dialect::Messages) }), ..manner() }
}

/// Gemini's answer of these parts, as a stream has it: a text's signature alone, behind it.
fn deltas(parts: &[Value], reason: &str) -> Vec<Delta> {
    let mut decoder = Decoder::new(Dialect::Gemini);
    let mut deltas = Vec::new();
    for part in parts {
        let mut alone = part.clone();
        let mut pieces = vec![part.clone()];
        if part.get("text").is_some() && part.get("thoughtSignature").is_some() {
            pieces[0].as_object_mut().unwrap().remove("thoughtSignature");
            alone["text"] = json!("");
            pieces.push(alone);
        }
        for piece in pieces {
            let event = json!({"responseId": "r", "candidates": [{"content": {"role": "model", "parts": [piece]}}]});
            decoder.event(&event.to_string(), &mut deltas).unwrap();
        }
    }
    decoder.event(&json!({"candidates": [{"finishReason": reason}]}).to_string(), &mut deltas).unwrap();
    decoder.end(&mut deltas);
    deltas
}

/// The events in which a client is told them.
pub(crate) fn events(client: Dialect, manner: &Manner, deltas: Vec<Delta>) -> Vec<Value> {
    let mut encoder = Encoder::new(client, manner.clone());
    let mut frames = String::new();
    for delta in deltas {
        encoder.delta(delta, &mut frames).unwrap();
    }
    events_of(&frames).iter().filter_map(|event| serde_json::from_str(event).ok()).collect()
}

/// What a client has of an answer in the end, streamed and not: the message, the items, the blocks.
pub(crate) fn told(client: Dialect, manner: &Manner, parts: &[Value], reason: &str) -> [Value; 2] {
    let answer =
        json!({"responseId": "r", "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": reason}]});
    let whole = client.encode(Dialect::Gemini.decode(&answer.to_string()).unwrap(), manner);
    match client {
        Dialect::Messages => [whole["content"].clone(), blocks(&events(client, manner, deltas(parts, reason)))],
        Dialect::Chat => {
            [whole, carried::streamed(client, deltas(parts, reason))].map(|body| body["choices"][0]["message"].clone())
        }
        _ => [whole, carried::streamed(client, deltas(parts, reason))].map(|body| body["output"].clone()),
    }
}

/// As Anthropic's SDKs put a message together (`MessageStream`).
pub(crate) fn blocks(events: &[Value]) -> Value {
    let mut blocks: Vec<Value> = Vec::new();
    let mut open = false;
    let mut arguments = String::new();
    for event in events {
        let at = event["index"].as_u64().map(|index| usize::try_from(index).unwrap());
        match event["type"].as_str().unwrap() {
            "content_block_start" => {
                assert!(!std::mem::replace(&mut open, true), "one at a time");
                assert_eq!(at, Some(blocks.len()));
                blocks.push(event["content_block"].clone());
                arguments.clear();
            }
            "content_block_delta" => {
                assert!(open && at == Some(blocks.len() - 1));
                let block = blocks.last_mut().unwrap();
                let delta = &event["delta"];
                let member = match delta["type"].as_str().unwrap() {
                    "text_delta" => "text",
                    "thinking_delta" => "thinking",
                    "signature_delta" => "signature",
                    "input_json_delta" => {
                        arguments.push_str(delta["partial_json"].as_str().unwrap());
                        continue;
                    }
                    other => panic!("{other}"),
                };
                block[member] = json!(format!("{}{}", block[member].as_str().unwrap(), delta[member].as_str().unwrap()));
            }
            "content_block_stop" => {
                assert!(std::mem::replace(&mut open, false));
                if blocks[at.unwrap()]["type"] == "tool_use" {
                    blocks[at.unwrap()]["input"] = serde_json::from_str(&arguments).unwrap();
                }
            }
            _ => {}
        }
    }
    json!(blocks)
}

/// What the client sends in its next turn: what it was told, and results of the calls.
pub(crate) fn next(client: Dialect, told: &Value) -> Value {
    let ids = |list: &Value, member: &str| -> Vec<Value> {
        list.as_array().into_iter().flatten().map(|item| item[member].clone()).filter(Value::is_string).collect()
    };
    let mut turns = vec![json!({"role": "user", "content": "q"})];
    match client {
        Dialect::Chat => {
            turns.push(told.clone());
            let results = ids(&told["tool_calls"], "id").into_iter();
            turns.extend(results.map(|id| json!({"role": "tool", "tool_call_id": id, "content": "r"})));
        }
        Dialect::Responses => {
            turns.extend(told.as_array().unwrap().clone());
            let results = ids(told, "call_id").into_iter();
            turns.extend(results.map(|id| json!({"type": "function_call_output", "call_id": id, "output": "r"})));
        }
        _ => {
            turns.push(json!({"role": "assistant", "content": told}));
            let results =
                ids(told, "id").into_iter().map(|id| json!({"type": "tool_result", "tool_use_id": id, "content": "r"}));
            turns.push(json!({"role": "user", "content": results.collect::<Vec<_>>()}));
            turns.retain(|turn| turn["content"] != json!([]));
        }
    }
    turns.push(json!({"role": "user", "content": "on"}));
    json!({"model": "m", "max_tokens": 9, (if client == Dialect::Responses { "input" } else { "messages" }): turns})
}

pub(crate) fn sent(body: &Value, client: Dialect, to: Dialect, model: &str) -> Value {
    let request = client.read(object(body.clone())).unwrap_or_else(|error| panic!("{error:?}\n{body:#}"));
    to.write(&request, &Recipient { model, quirks: breakwater::config::Quirks::default() }, &mut Losses::new())
}

/// The parts of the model's turn as Gemini is sent them again.
pub(crate) fn back(client: Dialect, told: &Value) -> Value {
    sent(&next(client, told), client, Dialect::Gemini, "gemini-3-pro")["contents"][1]["parts"].clone()
}

pub(crate) fn is_foreign_to_everybody_else(client: Dialect, told: &Value, words: &[&str]) {
    let body = next(client, told);
    let others = [(Dialect::Messages, "claude-sonnet-4-5"), (Dialect::Responses, "gpt-5"), (Dialect::Chat, "gpt-4o")];
    for (to, model) in others {
        let body = if to == client {
            let cleaned = client.without_foreign(&body.to_string()).expect("something to take out");
            serde_json::from_str(&cleaned).unwrap()
        } else {
            sent(&body, client, to, model)
        };
        let body = body.to_string();
        assert!(!body.contains("bw1") && !body.contains("SIG"), "{client:?} to {to:?}: {body}");
        // Nothing is left of a thought that was none.
        assert!(!body.contains("\"thinking\":\"\"") && !body.contains("\"summary\":[]"), "{client:?} to {to:?}: {body}");
        for word in words {
            assert!(body.contains(word), "{client:?} to {to:?}: {word} in {body}");
        }
    }
}

fn answers() -> Vec<Vec<Value>> {
    vec![
        vec![said("whole: é🦀", "SIG1")],
        vec![thought("hm", "SIG0"), said("text", "SIG1")],
        vec![said("one", "SIG1"), said("two", "SIG2"), json!({"text": "three"})],
        vec![json!({"text": "one"}), thought("hm", "SIG2"), said("two", "SIG1"), called("c1", "SIG4")],
        vec![said("one", "SIG1"), called("c1", "SIG2"), called("c2", "SIG3"), said("two", "SIG4"), thought("hm", "SIG5")],
        vec![said("one", "SIG1"), thought("hm", "SIG2"), thought("hm", "SIG3"), called("c1", "SIG4")],
    ]
}

#[test]
fn what_a_text_was_signed_with_goes_back_on_it() {
    for client in CLIENTS {
        for parts in answers() {
            for told in told(client, &thinks(), &parts, "STOP") {
                // Words between or behind calls come back before the first, where a message has one text.
                let mut expected = parts.clone();
                if client == Dialect::Chat && parts.len() == 5 {
                    let words = expected.remove(3);
                    expected.insert(1, words);
                }
                assert_eq!(back(client, &told), json!(expected), "{client:?}: {told:#}");
                is_foreign_to_everybody_else(client, &told, &[]);
            }
        }
        let [whole, streamed] = told(client, &thinks(), &[said("The words.", "SIG1"), called("c1", "SIG2")], "STOP");
        for told in [&whole, &streamed] {
            is_foreign_to_everybody_else(client, told, &["The words.", "c1"]);
        }
        assert_eq!(whole, streamed, "{client:?}");
    }
}

#[test]
fn a_client_of_messages_is_told_of_a_text_s_signature_where_it_asked_for_thinking() {
    let parts = [said("The words.", "SIG1")];
    let text = json!({"type": "text", "text": "The words."});
    let asked = |thinking: Option<Thinking>| Manner {
        request: Rc::new(Request { thinking, ..(*manner().request).clone() }),
        ..manner()
    };
    let with = |change: fn(&mut Thinking)| {
        let mut thinking = Thinking::default();
        change(&mut thinking);
        asked(Some(thinking))
    };
    for (manner, is_told) in [
        (asked(None), false),
        (with(|_| {}), false),
        (with(|thinking| thinking.budget = Some(0)), false),
        (with(|thinking| thinking.budget = Some(1024)), true),
        (with(|thinking| thinking.adaptive = true), true),
    ] {
        let behind = json!({"type": "thinking", "thinking": "", "signature": "bw1.gt.SIG1"});
        let expected = if is_told { json!([text, behind]) } else { json!([text]) };
        assert_eq!(told(Dialect::Messages, &manner, &parts, "STOP"), [expected.clone(), expected], "{manner:?}");
    }
}

#[test]
fn citations_come_before_the_signature_of_what_they_are_of() {
    let event = json!({"responseId": "r", "candidates": [{"content": {"parts": [said("cited", "SIG1")]}, "finishReason": "STOP",
        "groundingMetadata": {"groundingChunks": [{"web": {"uri": "https://e.com", "title": "E"}}]}}]});
    let mut decoder = Decoder::new(Dialect::Gemini);
    let mut deltas = Vec::new();
    decoder.event(&event.to_string(), &mut deltas).unwrap();
    decoder.end(&mut deltas);
    let mut encoder = Encoder::new(Dialect::Messages, thinks());
    let mut frames = String::new();
    for delta in deltas {
        encoder.delta(delta, &mut frames).unwrap();
    }
    let events: Vec<Value> = events_of(&frames).iter().map(|event| serde_json::from_str(event).unwrap()).collect();
    let said: Vec<(u64, &str)> = events
        .iter()
        .filter_map(|event| {
            Some((event["index"].as_u64()?, event["delta"]["type"].as_str().or(event["content_block"]["type"].as_str())?))
        })
        .collect();
    assert_eq!(said, [(0, "text"), (0, "text_delta"), (0, "citations_delta"), (1, "thinking"), (1, "signature_delta")]);
}

#[test]
fn a_loop_of_calls_that_gemini_began_goes_on_at_claude_without_thinking() {
    let [whole, _] = told(Dialect::Messages, &thinks(), &[said("one", "SIG1"), called("c1", "SIG2")], "STOP");
    let mut body = next(Dialect::Messages, &whole);
    body["messages"].as_array_mut().unwrap().truncate(3);
    body["thinking"] = json!({"type": "enabled", "budget_tokens": 1024});
    let cleaned: Value = serde_json::from_str(&Dialect::Messages.without_foreign(&body.to_string()).unwrap()).unwrap();
    assert_eq!(cleaned.get("thinking"), None, "{cleaned}");
    let kinds: Vec<&Value> = cleaned["messages"][1]["content"].as_array().unwrap().iter().map(|block| &block["type"]).collect();
    assert_eq!(kinds, ["text", "tool_use"]);
}

/// Words, thoughts, calls and images in any order, each signed; words also not, where they do not go on in others.
fn any_answer() -> impl Strategy<Value = Vec<Value>> {
    let part = (0..5_u8, "[a-zé🦀]{1,4}", any::<bool>());
    vec(part, 1..7).prop_map(|parts| {
        let kinds: Vec<u8> = parts.iter().map(|(kind, ..)| *kind).collect();
        let parts = parts.into_iter().enumerate().map(|(at, (kind, text, is_signed))| {
            let signature = format!("SIG{at}=");
            match kind {
                0 => thought(&text, &signature),
                1 => called(&format!("c{at}"), &signature),
                2 => drawn("image/png", "iVBORw0K", &signature),
                _ if is_signed || kinds.get(at + 1).is_some_and(|next| *next > 2) => said(&text, &signature),
                _ => json!({ "text": text }),
            }
        });
        parts.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_answer_comes_back_as_it_was(parts in any_answer()) {
        for client in CLIENTS {
            let [whole, streamed] = told(client, &thinks(), &parts, "STOP");
            for told in [whole, streamed] {
                let back = back(client, &told);
                let mut expected = parts.clone();
                // Messages have no images of the assistant's.
                expected.retain(|part| client != Dialect::Messages || part.get("inlineData").is_none());
                if client == Dialect::Chat && parts.iter().any(|part| part.get("functionCall").is_some()) {
                    // Words between calls come back before the first, and those that nobody signed in one.
                    let sorted = |parts: &[Value]| {
                        let signed = parts.iter().filter(|part| part.get("thoughtSignature").is_some());
                        let mut parts: Vec<String> = signed.map(Value::to_string).collect();
                        parts.sort();
                        parts
                    };
                    prop_assert_eq!(sorted(back.as_array().unwrap()), sorted(&expected), "{:#}", told);
                } else if expected.is_empty() {
                    prop_assert!(!back.to_string().contains("SIG"), "{}", back);
                } else {
                    prop_assert_eq!(back, json!(expected), "{:?}: {:#}", client, told);
                }
                let others = [(Dialect::Messages, "claude-sonnet-4-5"), (Dialect::Responses, "gpt-5"), (Dialect::Chat, "gpt-4o")];
                for (to, model) in others.into_iter().filter(|(to, _)| *to != client) {
                    let sent = sent(&next(client, &told), client, to, model).to_string();
                    prop_assert!(!sent.contains("SIG") && !sent.contains("bw1"), "{}", sent);
                }
            }
        }
    }
}
