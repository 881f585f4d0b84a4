//! Every recorded request: its own dialect's comes back, others' obey the rules.

use std::collections::HashSet;

use breakwater::dialect::Dialect;
use serde_json::{Value, json};

use crate::{object, quirks, read, recordings, write};

/// The normal forms that the module documents.
fn normal(body: &Value) -> Value {
    let mut body = body.clone();
    let members = body.as_object_mut().unwrap();
    members.remove("stream_options");
    if members.get("stream") == Some(&json!(false)) {
        members.remove("stream");
    }
    if let Some(limit) = members.remove("max_completion_tokens") {
        members.insert("max_tokens".to_owned(), limit);
    }
    if members.get("tool_choice") == Some(&json!("any")) {
        members.insert("tool_choice".to_owned(), json!("required"));
    }
    for message in members["messages"].as_array_mut().unwrap() {
        let message = message.as_object_mut().unwrap();
        let text = match message.get("content") {
            Some(Value::Array(parts))
                if parts.len() == 1 && parts[0]["type"] == "text" && parts[0].as_object().unwrap().len() == 2 =>
            {
                parts[0]["text"].clone()
            }
            Some(Value::String(text)) if text.is_empty() && message["role"] == "assistant" => Value::Null,
            Some(other) => other.clone(),
            None => Value::Null,
        };
        message.insert("content".to_owned(), text);
    }
    body
}

#[test]
fn a_recorded_request_comes_back() {
    let mut count = 0;
    for recording in recordings::all().into_iter().filter(recordings::Recording::is_chat) {
        let request = read(&recording.request);
        let (written, ignored, refused) = write(&request, recording.provider(), &recording.model);
        // Two of DeepSeek's were refused when they were recorded, for an image and a document; it has learned to see since.
        assert_eq!((ignored, refused), (vec![], vec![]), "{}", recording.name);
        let mut expected = normal(&recording.request);
        let mut written = normal(&written);
        // The recordings' ids are redacted, and not of Mistral's form any more.
        if recording.provider() == "mistral" {
            // Of some models it takes a question right behind a result, which others refuse.
            written["messages"].as_array_mut().unwrap().retain(|message| message["content"] != "Ok.");
            for body in [&mut expected, &mut written] {
                for message in body["messages"].as_array_mut().unwrap() {
                    if message["tool_call_id"].is_string() {
                        message["tool_call_id"] = json!("id");
                    }
                    for call in message["tool_calls"].as_array_mut().into_iter().flatten() {
                        call["id"] = json!("id");
                    }
                }
            }
        }
        assert_eq!(written, expected, "{}", recording.name);
        count += 1;
    }
    println!("{count} requests came back");
}

/// What each provider's documentation demands, as far as a body shows it.
fn obeys(name: &str, body: &Value, preset: &str) {
    let quirks = quirks(preset);
    let say = format!("{name} for {preset}: {body:#}");
    let known = [
        "model",
        "messages",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "top_k",
        "stop",
        "n",
        "logprobs",
        "top_logprobs",
        "logit_bias",
        "seed",
        "random_seed",
        "response_format",
        "reasoning_effort",
        "reasoning",
        "thinking",
        "stream",
        "stream_options",
        "user",
        "service_tier",
        "verbosity",
        "prompt_cache_key",
        "frequency_penalty",
        "presence_penalty",
        "modalities",
        "cache_control",
    ];
    for member in body.as_object().unwrap().keys() {
        assert!(known.contains(&member.as_str()), "{member}: {say}");
        assert!(!quirks.lacks(member), "{member}: {say}");
    }
    let messages = body["messages"].as_array().unwrap();
    assert!(!messages.is_empty(), "{say}");
    let mut open: HashSet<String> = HashSet::new();
    for message in messages {
        let role = message["role"].as_str().unwrap();
        assert!(role != "developer" || quirks.knows("developer") && !quirks.lacks("developer"), "{say}");
        if role == "tool" {
            assert!(open.remove(message["tool_call_id"].as_str().unwrap()), "a result without a call: {say}");
            assert!(message["content"].is_string(), "{say}");
        } else {
            assert!(open.is_empty(), "a call without a result: {say}");
        }
        for part in message["content"].as_array().into_iter().flatten() {
            let kind = part["type"].as_str().unwrap();
            let is_known = match kind {
                "text" => true,
                "image_url" => !quirks.lacks("image_url"),
                other => quirks.knows(other),
            };
            assert!(is_known && role == "user" || kind == "text", "{kind}: {say}");
            assert!(part.get("cache_control").is_none() || quirks.knows.contains(&"cache_control"), "{say}");
        }
        if role == "assistant" {
            assert!(!message["content"].is_array(), "{say}");
            assert!(
                message["content"].is_string() || message["tool_calls"].is_array() || message["refusal"].is_string(),
                "{say}"
            );
        }
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            let id = call["id"].as_str().unwrap();
            assert!(open.insert(id.to_owned()), "{say}");
            match quirks.tool_ids {
                breakwater::config::ToolIds::Nine => {
                    assert!(id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{say}")
                }
                breakwater::config::ToolIds::Forty => assert!((1..=40).contains(&id.len()), "{say}"),
            }
            assert!(call["function"]["arguments"].is_string(), "{say}");
            assert!(!id.contains("_bw1"), "{say}");
        }
        assert!(message.get("reasoning_details").is_none(), "another provider's seal: {say}");
    }
    assert!(body.get("tool_choice").is_none() || body["tools"].is_array(), "{say}");
    assert!(body.get("parallel_tool_calls").is_none() || body["tools"].is_array(), "{say}");
    let words = body.to_string();
    assert!(!words.contains("\"signature\"") && !words.contains("encrypted_content"), "{say}");
}

#[test]
fn recorded_requests_of_other_dialects_obey_each_providers_rules() {
    let presets = ["openai", "deepseek", "groq", "mistral", "openrouter", "cohere", "perplexity", "ollama", "unknown"];
    let (mut written, mut refused_for, mut left_out) = (0, 0, Vec::new());
    for recording in recordings::all() {
        let dialect = match recording.path.as_str() {
            path if path.ends_with("/messages") => Dialect::Messages,
            path if path.ends_with("/responses") => Dialect::Responses,
            _ => continue,
        };
        if recording.status != 200 || !recording.request.is_object() {
            continue;
        }
        let request = match dialect.read(object(&recording.request)) {
            Ok(request) if !request.messages.is_empty() => request,
            Ok(_) => {
                left_out.push(format!("{}: its messages are at the provider", recording.name));
                continue;
            }
            Err(error) => {
                left_out.push(format!("{}: cannot be read: {error:?}", recording.name));
                continue;
            }
        };
        for preset in presets {
            let (body, _, refused) = write(&request, preset, "some/model");
            if refused.is_empty() {
                obeys(&recording.name, &body, preset);
                written += 1;
            } else {
                refused_for += 1;
            }
        }
    }
    println!("{written} written, {refused_for} refused; left out:\n{}", left_out.join("\n"));
}
