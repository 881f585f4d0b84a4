//! What Gemini signed of its calls, where it is spoken to in Chat Completions: the signature stands in `extra_content` of the call, and is refused to be left out
//! (<https://ai.google.dev/gemini-api/docs/thought-signatures>; <https://ai.google.dev/gemini-api/docs/openai>).

use breakwater::chat::{Answer, Delta, Gather, Losses, Message, Part, Request, Role, ToolResult};
use breakwater::config::{PRESETS, Quirks};
use breakwater::dialect::{Decoder, Dialect, Recipient};
use serde_json::{Value, json};

use crate::carried;
use crate::signed::{self, blocks, events, next, sent};
use crate::{manner, object};

const PLACEHOLDER: &str = "skip_thought_signature_validator";

fn quirks(preset: &str) -> Quirks {
    PRESETS.iter().find(|known| known.name == preset).map_or_else(Quirks::default, |known| known.quirks)
}

fn extra(signature: &str) -> Value {
    json!({"google": {"thought_signature": signature}})
}

/// A call, signed where that says anything.
fn call(id: &str, signature: &str) -> Value {
    let mut call = json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}});
    if !signature.is_empty() {
        call["extra_content"] = extra(signature);
    }
    call
}

fn whole(calls: &[Value]) -> Answer {
    let message = json!({"role": "assistant", "content": null, "tool_calls": calls});
    let answer = json!({"id": "r", "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]});
    Dialect::Chat.decode(&answer.to_string()).unwrap()
}

/// As Google streams them: each call whole, and (its own bug) each with the index 0.
fn deltas(calls: &[Value]) -> Vec<Delta> {
    let mut decoder = Decoder::new(Dialect::Chat);
    let mut deltas = Vec::new();
    for call in calls {
        let mut call = call.clone();
        call["index"] = json!(0);
        let chunk = json!({"id": "r", "choices": [{"index": 0, "delta": {"role": "assistant", "tool_calls": [call]}}]});
        decoder.event(&chunk.to_string(), &mut deltas).unwrap();
    }
    let last = json!({"id": "r", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]});
    decoder.event(&last.to_string(), &mut deltas).unwrap();
    decoder.end(&mut deltas);
    deltas
}

fn gathered(calls: &[Value]) -> Answer {
    let mut gather = Gather::new();
    for delta in deltas(calls) {
        gather.push(delta);
    }
    gather.finish().unwrap()
}

/// What a client has of the answer in the end, not streamed and streamed: a message, items, blocks.
fn told(client: Dialect, calls: &[Value]) -> [Value; 2] {
    let body = client.encode(whole(calls), &manner());
    match client {
        Dialect::Responses => [body, carried::streamed(client, deltas(calls))].map(|body| body["output"].clone()),
        Dialect::Messages => {
            let streamed = blocks(&events(client, &manner(), deltas(calls)));
            [body["content"].clone(), streamed]
        }
        _ => [body, carried::streamed(client, deltas(calls))].map(|body| body["choices"][0]["message"].clone()),
    }
}

/// The calls as a provider of Chat Completions' is sent them again.
fn back(client: Dialect, told: &Value, preset: &str, model: &str) -> Value {
    let request = client.read(object(next(client, told))).unwrap();
    let body = Dialect::Chat.write(&request, &Recipient { model, quirks: quirks(preset) }, &mut Losses::new());
    body["messages"][1]["tool_calls"].clone()
}

/// The targets that are Gemini: by their preset, and by their model's name.
const GEMINIS: [(&str, &str); 4] = [
    ("gemini-openai", "gemini-3-pro-preview"),
    ("gemini-openai", "tuned"),
    ("", "google/gemini-3-flash-preview"),
    ("n1n", "gemini-3-pro-preview"),
];

#[test]
fn a_call_s_signature_goes_back_on_it() {
    // The first of parallel calls is signed, and calls that follow one another each.
    for calls in
        [vec![call("c1", "SIG1")], vec![call("c1", "SIG1"), call("c2", "")], vec![call("c1", "SIG1"), call("c2", "SIG2+/=")]]
    {
        for client in [Dialect::Messages, Dialect::Responses] {
            for told in told(client, &calls) {
                for (preset, model) in GEMINIS {
                    assert_eq!(back(client, &told, preset, model), json!(calls), "{client:?} {preset} {model}: {told:#}");
                }
                let native = sent(&next(client, &told), client, Dialect::Gemini, "gemini-3-pro");
                for (at, call) in calls.iter().enumerate() {
                    let signature = call.pointer("/extra_content/google/thought_signature");
                    let part = &native["contents"][1]["parts"][at];
                    assert_eq!(part.get("thoughtSignature"), signature, "{client:?}: {native:#}");
                }
            }
        }
    }
}

#[test]
fn a_call_that_gemini_signed_itself_goes_on_in_chat_completions() {
    let parts = [signed::called("c1", "SIG1"), json!({"functionCall": {"id": "c2", "name": "f", "args": {}}})];
    for client in [Dialect::Messages, Dialect::Responses] {
        for told in signed::told(client, &manner(), &parts, "STOP") {
            let calls = back(client, &told, "gemini-openai", "gemini-3-pro");
            assert_eq!(calls[0]["extra_content"], extra("SIG1"), "{calls:#}");
            assert_eq!(calls[1].get("extra_content"), None, "{calls:#}");
        }
    }
}

#[test]
fn nobody_else_is_sent_anything_of_it() {
    for client in [Dialect::Messages, Dialect::Responses] {
        for told in told(client, &[call("c1", "SIG1"), call("c2", "SIG2")]) {
            let bare = json!([call("c1", ""), call("c2", "")]);
            for (preset, model) in [
                ("", "m"),
                ("openai", "gpt-5"),
                ("groq", "m"),
                ("mistral", "m"),
                ("deepseek", "deepseek-chat"),
                ("openrouter", "google/gemini-3-pro-preview"),
            ] {
                let mut calls = back(client, &told, preset, model);
                for (at, call) in calls.as_array_mut().unwrap().iter_mut().enumerate() {
                    call["id"] = json!(format!("c{}", at + 1));
                }
                assert_eq!(calls, bare, "{client:?} {preset}");
            }
            for (to, model) in [(Dialect::Messages, "claude-sonnet-4-5"), (Dialect::Responses, "gpt-5")] {
                let body = next(client, &told);
                let body = if to == client {
                    client.without_foreign(&body.to_string()).unwrap()
                } else {
                    sent(&body, client, to, model).to_string()
                };
                assert!(
                    !body.contains("SIG") && !body.contains("bw1") && !body.contains("extra_content"),
                    "{client:?} to {to:?}: {body}"
                );
            }
        }
    }
}

#[test]
fn a_turn_of_another_provider_s_has_the_placeholder() {
    let blocks = json!([{"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}}, {"type": "tool_use", "id": "c2", "name": "f", "input": {"a": 1}}]);
    let first = json!([call("c1", PLACEHOLDER), call("c2", "")]);
    let none = json!([call("c1", ""), call("c2", "")]);
    for (preset, model, expected) in [
        ("gemini-openai", "gemini-3-pro-preview", &first),
        ("gemini-openai", "models/gemini-flash-latest", &first),
        ("", "google/gemini-3.5-flash", &first),
        // It insists on none.
        ("gemini-openai", "gemini-2.5-flash", &none),
        ("gemini-openai", "gemma-3-27b-it", &none),
        ("openrouter", "google/gemini-3-pro-preview", &none),
        ("openai", "gpt-4o", &none),
        ("", "m", &none),
    ] {
        assert_eq!(back(Dialect::Messages, &blocks, preset, model), *expected, "{preset} {model}");
    }
}

#[test]
fn a_wrong_call_is_told_again_with_its_signature() {
    let calls = [call("c1", "SIG1"), call("c2", "")];
    for answer in [whole(&calls), gathered(&calls)] {
        let parts = answer.choices[0].parts.clone();
        let result = |id: &str| {
            let content = vec![Part::text("wrong")];
            let result = ToolResult { id: id.to_owned(), name: None, content, is_error: true, custom: false };
            Part::new(breakwater::chat::Kind::ToolResult(result))
        };
        let turns = [Message::new(Role::Assistant, parts), Message::new(Role::Tool, vec![result("c1"), result("c2")])];
        let body = json!({"model": "m", "messages": [{"role": "user", "content": "q"}]}).to_string();
        let continued = |preset: &str, model: &str| -> Value {
            let body = Dialect::Chat.continued(&body, &turns, &Recipient { model, quirks: quirks(preset) }).unwrap();
            serde_json::from_str::<Value>(&body).unwrap()["messages"][1]["tool_calls"].clone()
        };
        for (preset, model) in GEMINIS {
            assert_eq!(continued(preset, model), json!(calls), "{preset} {model}");
        }
        assert_eq!(continued("openai", "gpt-4o"), json!([call("c1", ""), call("c2", "")]));
    }
}

#[test]
fn a_client_of_chat_completions_sends_it_back_itself() {
    let message = json!({"role": "assistant", "content": null, "tool_calls": [call("c1", "SIG1"), call("c2", "")]});
    let body = next(Dialect::Chat, &message);
    assert_eq!(Dialect::Chat.without_foreign(&body.to_string()), None);
    let request: Request = Dialect::Chat.read(object(body)).unwrap();
    let written = |to: Dialect, preset: &str, model: &str| {
        let mut losses = Losses::new();
        let body = to.write(&request, &Recipient { model, quirks: quirks(preset) }, &mut losses);
        (body, losses.iter().map(|loss| loss.field.clone()).collect::<Vec<_>>())
    };
    // What it says is its own, to whomever.
    for (preset, model) in GEMINIS.into_iter().chain([("openai", "gpt-4o")]) {
        let (body, losses) = written(Dialect::Chat, preset, model);
        assert_eq!(body["messages"][1]["tool_calls"], message["tool_calls"], "{preset} {model}");
        assert_eq!(losses, Vec::<String>::new());
    }
    for preset in ["mistral", "fireworks"] {
        let (body, losses) = written(Dialect::Chat, preset, "m");
        assert!(!body.to_string().contains("extra_content"), "refused: {body:#}");
        assert_eq!(losses, Vec::<String>::new());
    }
    // Gemini itself knows it, and nobody else is told.
    let (body, losses) = written(Dialect::Gemini, "", "gemini-3-pro");
    assert_eq!(body["contents"][1]["parts"][0]["thoughtSignature"], "SIG1", "{body:#}");
    assert_eq!(losses, Vec::<String>::new());
    for (to, model) in [(Dialect::Messages, "claude-sonnet-4-5"), (Dialect::Responses, "gpt-5")] {
        let (body, losses) = written(to, "", model);
        assert!(!body.to_string().contains("SIG"), "{body:#}");
        assert_eq!(losses, Vec::<String>::new(), "{to:?}");
    }
}

#[test]
fn a_signature_that_is_none_is_none() {
    for odd in [
        json!(null),
        json!({}),
        json!({"google": null}),
        json!({"google": {"thought_signature": ""}}),
        json!({"google": {"thought_signature": 7}}),
        json!("SIG"),
    ] {
        let mut odd_call = call("c1", "");
        odd_call["extra_content"] = odd;
        for told in told(Dialect::Messages, &[odd_call]) {
            assert_eq!(told[0]["id"], "c1");
        }
    }
    // One that comes late is the call's all the same, where that is told whole.
    let mut decoder = Decoder::new(Dialect::Chat);
    let mut deltas = Vec::new();
    for piece in [
        json!({"index": 0, "id": "c1", "function": {"name": "f", "arguments": "{"}}),
        json!({"index": 0, "function": {"arguments": "}"}, "extra_content": extra("SIG1")}),
    ] {
        let chunk = json!({"id": "r", "choices": [{"index": 0, "delta": {"tool_calls": [piece]}}]});
        decoder.event(&chunk.to_string(), &mut deltas).unwrap();
    }
    decoder.end(&mut deltas);
    carried::streamed(Dialect::Responses, deltas.clone());
    let mut gather = Gather::new();
    for delta in deltas {
        gather.push(delta);
    }
    let told = Dialect::Messages.encode(gather.finish().unwrap(), &manner());
    assert_eq!(back(Dialect::Messages, &told["content"], "gemini-openai", "gemini-3-pro")[0]["extra_content"], extra("SIG1"));
}
