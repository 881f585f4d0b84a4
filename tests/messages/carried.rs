//! What Claude signed, through a client of another dialect and back: the blocks come back as they were, or Anthropic refuses the conversation ("`thinking` or
//! `redacted_thinking` blocks in the latest assistant message cannot be modified").

use breakwater::chat::{Delta, Losses};
use breakwater::dialect::chat::Assembly;
use breakwater::dialect::{Dialect, Encoder, Recipient};
use serde_json::{Value, json};

use crate::{decoded, events_of, manner, object};

/// Both ways in which a client of either dialect is told an answer.
const CLIENTS: [(Dialect, bool); 4] =
    [(Dialect::Responses, false), (Dialect::Responses, true), (Dialect::Chat, false), (Dialect::Chat, true)];

fn thinking(text: &str, signature: &str) -> Value {
    json!({"type": "thinking", "thinking": text, "signature": signature})
}

fn redacted(data: &str) -> Value {
    json!({"type": "redacted_thinking", "data": data})
}

fn said(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn call(id: &str) -> Value {
    json!({"type": "tool_use", "id": id, "name": "look", "input": {"at": id}})
}

/// Claude's stream of these blocks, each text in pieces.
fn stream(blocks: &[Value]) -> Vec<String> {
    let mut events = vec![json!({"type": "message_start", "message": {"id": "msg_1", "model": "claude", "usage": {}}})];
    for (index, block) in blocks.iter().enumerate() {
        let mut start = block.clone();
        let mut deltas = Vec::new();
        let pieces = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        match block["type"].as_str().unwrap() {
            "thinking" => {
                start = thinking("", "");
                let texts = pieces(block["thinking"].as_str().unwrap());
                deltas.extend(texts.iter().map(|text| json!({"type": "thinking_delta", "thinking": text})));
                deltas.push(json!({"type": "signature_delta", "signature": block["signature"]}));
            }
            "text" => {
                start = said("");
                let texts = pieces(block["text"].as_str().unwrap());
                deltas.extend(texts.iter().map(|text| json!({"type": "text_delta", "text": text})));
            }
            "tool_use" => {
                start["input"] = json!({});
                let json = block["input"].to_string();
                deltas.extend(pieces(&json).iter().map(|text| json!({"type": "input_json_delta", "partial_json": text})));
            }
            _ => {}
        }
        events.push(json!({"type": "content_block_start", "index": index, "content_block": start}));
        events.extend(deltas.iter().map(|delta| json!({"type": "content_block_delta", "index": index, "delta": delta})));
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    events.push(json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 3}}));
    events.push(json!({"type": "message_stop"}));
    events.iter().map(Value::to_string).collect()
}

/// What a client is told of them: a message of Chat Completions', or the items of Responses'.
pub(crate) fn told(client: Dialect, is_streamed: bool, blocks: &[Value]) -> Value {
    let body = if is_streamed {
        let stream = stream(blocks);
        streamed(client, decoded(stream.iter().map(String::as_str)).unwrap())
    } else {
        let answer = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": blocks, "stop_reason": "tool_use"});
        client.encode(Dialect::Messages.decode(&answer.to_string()).unwrap(), &manner())
    };
    if client == Dialect::Chat { body["choices"][0]["message"].clone() } else { body["output"].clone() }
}

/// What a client has of a stream in the end.
pub(crate) fn streamed(client: Dialect, deltas: Vec<Delta>) -> Value {
    let mut encoder = Encoder::new(client, manner());
    let mut frames = String::new();
    for delta in deltas {
        encoder.delta(delta, &mut frames).unwrap();
    }
    let events = events_of(&frames);
    if client == Dialect::Chat {
        let mut assembly = Assembly::new();
        for event in &events {
            assembly.push(event);
        }
        return serde_json::from_str(&assembly.finish().unwrap()).unwrap();
    }
    let mut done: Vec<(u64, Value)> = Vec::new();
    let mut last = Value::Null;
    for event in events.iter().map(|event| serde_json::from_str::<Value>(event).unwrap()) {
        if event["type"] == "response.output_item.done" {
            done.push((event["output_index"].as_u64().unwrap(), event["item"].clone()));
        }
        last = event["response"].clone();
    }
    // Clients take either.
    done.sort_by_key(|(index, _)| *index);
    assert_eq!(json!(done.into_iter().map(|(_, item)| item).collect::<Vec<_>>()), last["output"]);
    last
}

/// The assistant's turn as a provider is sent it, where the client sends back what it was told, and results of the calls.
pub(crate) fn sent_back(client: Dialect, told: Value, to: Dialect, model: &str) -> Value {
    let mut turns = vec![json!({"role": "user", "content": "q"})];
    if client == Dialect::Chat {
        let ids: Vec<Value> = told["tool_calls"].as_array().into_iter().flatten().map(|call| call["id"].clone()).collect();
        turns.push(told);
        turns.extend(ids.into_iter().map(|id| json!({"role": "tool", "tool_call_id": id, "content": "r"})));
    } else {
        let items = told.as_array().unwrap().clone();
        let ids: Vec<Value> = items.iter().map(|item| item["call_id"].clone()).filter(Value::is_string).collect();
        turns.extend(items);
        turns.extend(ids.into_iter().map(|id| json!({"type": "function_call_output", "call_id": id, "output": "r"})));
    }
    turns.push(json!({"role": "user", "content": "on"}));
    let member = if client == Dialect::Chat { "messages" } else { "input" };
    let body = json!({"model": "m", (member): turns});
    let request = client.read(object(body.clone())).unwrap_or_else(|error| panic!("{error:?}\n{body:#}"));
    let to_whom = Recipient { model, quirks: breakwater::config::Quirks::default() };
    let written = to.write(&request, &to_whom, &mut Losses::new());
    written[if to == Dialect::Gemini { "contents" } else { "messages" }][1].clone()
}

fn round(client: (Dialect, bool), blocks: &[Value]) -> Value {
    let told = told(client.0, client.1, blocks);
    sent_back(client.0, told, Dialect::Messages, "claude-sonnet-4-5")["content"].clone()
}

#[test]
fn signed_thinking_comes_back_word_for_word() {
    for client in CLIENTS {
        for text in ["deep thought", "one\n\ntwo\n\n\nthree", " \n of white space \n", "\n", "\"é\\", ""] {
            let blocks = [thinking(text, "EqQB+/=="), said("t"), call("toolu_1")];
            assert_eq!(round(client, &blocks), json!(blocks), "{client:?} {text:?}");
        }
    }
}

#[test]
fn redacted_thinking_comes_back_as_such() {
    for client in CLIENTS {
        for blocks in [
            vec![redacted("RED=="), call("toolu_1")],
            vec![redacted("RED=="), thinking("t", "SIG=="), redacted("RED2=="), thinking("", "SIG2=="), said("t")],
        ] {
            assert_eq!(round(client, &blocks), json!(blocks), "{client:?}");
        }
    }
}

#[test]
fn what_a_client_did_to_a_summary_does_not_reach_what_was_signed() {
    let blocks = [thinking("one\n\ntwo", "SIG=="), said("t")];
    let mut items = told(Dialect::Responses, false, &blocks);
    assert_eq!(items[0]["summary"], json!([{"type": "summary_text", "text": "one\n\ntwo"}]));
    // In parts, none of which says a letter of its own.
    items[0]["summary"] = json!([{"type": "summary_text", "text": "one\n\n"}, {"type": "summary_text", "text": "two"}, {"type": "summary_text", "text": ""}]);
    assert_eq!(sent_back(Dialect::Responses, items, Dialect::Messages, "claude-sonnet-4-5")["content"], json!(blocks));
}

#[test]
fn thoughts_between_words_and_calls_come_back_in_their_places() {
    let all = [
        thinking("first", "S1=="),
        said("Let me look: é€🦀 "),
        thinking("second", "S2=="),
        call("toolu_1"),
        thinking("", "S3=="),
        call("toolu_2"),
        call("toolu_3"),
    ];
    for client in CLIENTS {
        // Every thought alone, and all of them.
        for left in 0..8_u8 {
            let thoughts = [0, 2, 4];
            let kept = |at: usize| thoughts.iter().position(|thought| *thought == at).is_none_or(|bit| left & 1 << bit == 0);
            let blocks: Vec<Value> = (0..).zip(&all).filter(|(at, _)| kept(*at)).map(|(_, block)| block.clone()).collect();
            assert_eq!(round(client, &blocks), json!(blocks), "{client:?}");
        }
        let blocks = [
            said("a\n\n"),
            thinking("t", "S1=="),
            said("b"),
            redacted("S2=="),
            said(" c"),
            call("toolu_1"),
            thinking("t", "S1=="),
            call("toolu_2"),
        ];
        assert_eq!(round(client, &blocks), json!(blocks), "{client:?}");
    }
}

#[test]
fn a_thought_has_a_place_in_a_text_that_the_client_changed() {
    let blocks = [said("a b"), thinking("t", "S1=="), said("c d "), call("toolu_1")];
    let told = told(Dialect::Chat, false, &blocks);
    let back = |content: Value| {
        let mut told = told.clone();
        told["content"] = content;
        sent_back(Dialect::Chat, told, Dialect::Messages, "claude-sonnet-4-5")["content"].clone()
    };
    assert_eq!(back(json!("a bc d")), json!([said("a b"), thinking("t", "S1=="), said("c d"), call("toolu_1")]));
    assert_eq!(
        back(json!([said("a"), said(" b"), said("c d")])),
        json!([said("a"), said(" b"), thinking("t", "S1=="), said("c d"), call("toolu_1")])
    );
    assert_eq!(back(json!("a")), json!([said("a"), thinking("t", "S1=="), call("toolu_1")]));
    assert_eq!(back(Value::Null), json!([thinking("t", "S1=="), call("toolu_1")]));
}
