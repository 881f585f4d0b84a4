//! What recorded bytes say, found without any of the gateway's code: by their places in the JSON.

use breakwater::dialect::Dialect;
use serde_json::Value;

type Said = (String, Vec<(String, String)>);

fn json(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

fn events(body: &str) -> Vec<Value> {
    let data = body.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
    data.filter(|data| *data != "[DONE]").map(json).collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The text of a Chat Completions `content`, in either of its forms.
fn content(value: &Value) -> String {
    let parts = list(value).filter(|part| part["type"] == "text").map(|part| text(&part["text"]));
    format!("{}{}", text(value), parts.collect::<String>())
}

pub fn said(dialect: Dialect, body: &str) -> Said {
    let body = json(body);
    match dialect {
        Dialect::Chat => {
            let message = &body["choices"][0]["message"];
            let calls = list(&message["tool_calls"]).map(|call| &call["function"]);
            let said = content(&message["content"]) + text(&message["refusal"]);
            (said, calls.map(|call| (text(&call["name"]).to_owned(), super::compact(text(&call["arguments"])))).collect())
        }
        Dialect::Messages => {
            let of = |kind: &'static str| list(&body["content"]).filter(move |block| block["type"] == kind);
            let calls = of("tool_use").map(|block| (text(&block["name"]).to_owned(), block["input"].to_string()));
            (of("text").map(|block| text(&block["text"])).collect(), calls.collect())
        }
        Dialect::Gemini => of_parts([&body].into_iter()),
        Dialect::Responses => {
            let parts = list(&body["output"]).flat_map(|item| list(&item["content"]));
            let said = parts.map(|part| {
                format!("{}{}", if part["type"] == "output_text" { text(&part["text"]) } else { "" }, text(&part["refusal"]))
            });
            let calls = list(&body["output"]).filter(|item| item["type"] == "function_call");
            (
                said.collect(),
                calls.map(|call| (text(&call["name"]).to_owned(), super::compact(text(&call["arguments"])))).collect(),
            )
        }
        Dialect::Completions => unreachable!(),
    }
}

fn of_parts<'a>(answers: impl Iterator<Item = &'a Value>) -> Said {
    let parts: Vec<&Value> = answers.flat_map(|answer| list(&answer["candidates"][0]["content"]["parts"])).collect();
    let calls = parts.iter().filter(|part| part["functionCall"].is_object()).map(|part| &part["functionCall"]);
    let calls = calls.map(|call| {
        (text(&call["name"]).to_owned(), if call["args"].is_null() { "{}".to_owned() } else { call["args"].to_string() })
    });
    (parts.iter().filter(|part| part["thought"] != true).map(|part| text(&part["text"])).collect(), calls.collect())
}

pub fn said_in_stream(dialect: Dialect, body: &str) -> Said {
    let events = events(body);
    let mut said = String::new();
    // By the number that each stream gives its calls, in the order in which they begin.
    let mut calls: Vec<(Value, String, String)> = Vec::new();
    match dialect {
        Dialect::Gemini => return of_parts(events.iter()),
        Dialect::Chat => {
            // A chunk holds one choice of several, each with its number.
            let first = |event: &&Value| event["choices"][0]["index"].as_u64().unwrap_or(0) == 0;
            for delta in events.iter().filter(first).map(|event| &event["choices"][0]["delta"]) {
                said += &content(&delta["content"]);
                said += text(&delta["refusal"]);
                for call in list(&delta["tool_calls"]) {
                    let (index, function) = (&call["index"], &call["function"]);
                    if !calls.iter().any(|(known, ..)| known == index) {
                        calls.push((index.clone(), text(&function["name"]).to_owned(), String::new()));
                    }
                    let known = calls.iter_mut().find(|(known, ..)| known == index).unwrap();
                    known.2 += text(&function["arguments"]);
                }
            }
        }
        Dialect::Messages => {
            for event in &events {
                let block = &event["content_block"];
                if block["type"] == "tool_use" {
                    calls.push((event["index"].clone(), text(&block["name"]).to_owned(), String::new()));
                }
                said += text(&block["text"]);
                said += text(&event["delta"]["text"]);
                if let Some(call) = calls.iter_mut().find(|(index, ..)| *index == event["index"]) {
                    call.2 += text(&event["delta"]["partial_json"]);
                }
            }
        }
        Dialect::Responses => {
            for event in &events {
                match text(&event["type"]) {
                    "response.output_text.delta" | "response.refusal.delta" => said += text(&event["delta"]),
                    "response.output_item.added" if event["item"]["type"] == "function_call" => {
                        calls.push((event["output_index"].clone(), text(&event["item"]["name"]).to_owned(), String::new()));
                    }
                    "response.function_call_arguments.delta" => {
                        let call = calls.iter_mut().find(|(index, ..)| *index == event["output_index"]).unwrap();
                        call.2 += text(&event["delta"]);
                    }
                    _ => {}
                }
            }
        }
        Dialect::Completions => unreachable!(),
    }
    (said, calls.into_iter().map(|(_, name, arguments)| (name, super::compact(&arguments))).collect())
}

/// Every string in a value.
pub fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(strings).collect(),
        Value::Object(members) => members.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}

/// What a request says in words: of users, the system, the model and tools, but for thoughts and what only its provider can read.
pub fn texts(request: &Value) -> Vec<String> {
    let mut texts = Vec::new();
    for name in ["system", "instructions"] {
        collect(&request[name], &mut texts);
    }
    for turn in list(&request["messages"]).chain(list(&request["input"])) {
        if turn["type"] != "reasoning" && turn["type"] != "item_reference" {
            collect(&turn["content"], &mut texts);
            collect(&turn["output"], &mut texts);
        }
    }
    if let Some(text) = request["input"].as_str() {
        texts.push(text.to_owned());
    }
    // Providers refuse texts of spaces, and one at the end of a turn.
    texts.iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

fn collect(content: &Value, texts: &mut Vec<String>) {
    match content {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(parts) => {
            for part in parts {
                match text(&part["type"]) {
                    "text" | "input_text" | "output_text" => texts.push(text(&part["text"]).to_owned()),
                    "tool_result" => collect(&part["content"], texts),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}
