//! Bodies that pass through: what is changed, and that nothing else is.

use breakwater::config::PRESETS;
use breakwater::dialect::Dialect;
use breakwater::dialect::chat::adapt;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{quirks, recordings};

fn adapted(body: &Value, preset: &str) -> Option<Value> {
    adapt(&body.to_string(), "model", quirks(preset)).map(|adapted| serde_json::from_str(&adapted.body).unwrap())
}

#[test]
fn a_table_of_changes() {
    let hi = json!([{ "role": "user", "content": "Hi" }]);
    let table = [
        ("mistral", json!({ "messages": hi, "max_completion_tokens": 5 }), json!({ "messages": hi, "max_tokens": 5 })),
        (
            "deepseek",
            json!({ "messages": [{ "role": "developer", "content": "x" }] }),
            json!({ "messages": [{ "role": "system", "content": "x" }] }),
        ),
        (
            "cerebras",
            json!({ "messages": [{ "role": "developer", "content": "x" }], "max_completion_tokens": 5 }),
            json!({ "messages": [{ "role": "system", "content": "x" }], "max_completion_tokens": 5 }),
        ),
        (
            "perplexity",
            json!({ "messages": [{ "role": "developer", "content": "x" }], "max_completion_tokens": 5 }),
            json!({ "messages": [{ "role": "system", "content": "x" }], "max_tokens": 5 }),
        ),
        ("cohere", json!({ "messages": hi, "parallel_tool_calls": false }), json!({ "messages": hi })),
        ("groq", json!({ "messages": [{ "role": "user", "name": "Ann", "content": "Hi" }] }), json!({ "messages": hi })),
        ("mistral", json!({ "messages": hi, "stream_options": { "include_usage": true } }), json!({ "messages": hi })),
        ("mistral", json!({ "messages": hi, "stream_options": null }), json!({ "messages": hi })),
        ("mistral", json!({ "messages": hi, "seed": 1 }), json!({ "messages": hi, "random_seed": 1 })),
    ];
    for (preset, body, expected) in table {
        assert_eq!(adapted(&body, preset), Some(expected), "{preset} {body}");
        assert_eq!(adapted(&body, "openai"), None, "the original is never touched");
        assert_eq!(adapted(&body, "unknown"), None, "of whom nothing is known, neither");
    }
    let body = json!({ "messages": hi, "response_format": { "type": "json_schema", "json_schema": { "name": "n", "schema": { "type": "object" } } } });
    let after = adapted(&body, "deepseek").unwrap();
    assert_eq!(after["response_format"], json!({ "type": "json_object" }));
    assert!(after["messages"][0]["content"].as_str().unwrap().contains(r#"{"type":"object"}"#));
    assert_eq!(adapted(&json!({ "messages": hi, "max_tokens": 5 }), "mistral"), None, "nothing to do");
    // What goes together, and what is another's form, stays.
    let object = json!({ "type": "json_object" });
    let (with, none) = (json!([{ "type": "function", "function": { "name": "f" } }]), json!([]));
    for (tools, format, is_taken) in [
        (&none, &object, true),
        (&with, &json!({ "type": "text" }), true),
        (&with, &json!({ "type": "json_object", "schema": { "type": "object" } }), true),
        (&with, &object, false),
    ] {
        let body = json!({ "messages": hi, "tools": tools, "response_format": format });
        assert_eq!(adapted(&body, "groq").is_none(), is_taken, "{body}");
    }
}

/// `OpenAI`'s SDKs send earlier answers back as they came, whoever gave them.
#[test]
fn what_only_answers_have_is_taken_out_for_who_refuses_it() {
    let call = json!({ "id": "abcDEF123", "type": "function", "function": { "name": "f", "arguments": "{\"refusal\":null}" } });
    let full = json!({
        "role": "assistant", "refusal": null, "content": "x", "annotations": [], "audio": null, "function_call": null, "reasoning": "hm",
        "reasoning_content": "hm", "reasoning_details": [{ "type": "reasoning.text", "text": "hm" }], "tool_calls": [call], "prefix": false,
    });
    let table = [
        (full.clone(), json!({ "role": "assistant", "content": "x", "tool_calls": [call], "prefix": false })),
        // A refusal is what was said, where nothing else was.
        (json!({ "role": "assistant", "content": null, "refusal": "No." }), json!({ "role": "assistant", "content": "No." })),
        (json!({ "role": "assistant", "refusal": "No." }), json!({ "role": "assistant", "content": "No." })),
        (json!({ "role": "assistant", "content": "", "refusal": "No." }), json!({ "role": "assistant", "content": "No." })),
        (json!({ "role": "assistant", "content": [], "refusal": "No." }), json!({ "role": "assistant", "content": "No." })),
        (
            json!({ "role": "assistant", "content": "Well,", "refusal": "No." }),
            json!({ "role": "assistant", "content": "Well," }),
        ),
        // A call that says nothing in words still says nothing.
        (
            json!({ "role": "assistant", "content": null, "refusal": "", "tool_calls": [call] }),
            json!({ "role": "assistant", "content": null, "tool_calls": [call] }),
        ),
        // A call of the old kind is no leftover: better refused than lost.
        (
            json!({ "role": "assistant", "content": null, "refusal": null, "function_call": { "name": "f", "arguments": "{}" } }),
            json!({ "role": "assistant", "content": null, "function_call": { "name": "f", "arguments": "{}" } }),
        ),
    ];
    for (message, expected) in table {
        let body = |message: &Value| json!({ "messages": [{ "role": "user", "content": "Hi" }, message] });
        assert_eq!(adapted(&body(&message), "mistral"), Some(body(&expected)), "{message}");
        for preset in ["openai", "openrouter", "deepseek", "unknown"] {
            // But for thoughts that are missing, which is told elsewhere (legal.rs).
            if preset != "deepseek" || message.get("tool_calls").is_none() || message.get("reasoning_content").is_some() {
                assert_eq!(adapted(&body(&message), preset), None, "{preset} {message}");
            }
        }
    }
    // Others refuse less, and lose no more than that.
    for preset in ["groq", "cerebras"] {
        let mut expected = full.clone();
        expected.as_object_mut().unwrap().shift_remove("reasoning_content");
        assert_eq!(adapted(&json!({ "messages": [full] }), preset), Some(json!({ "messages": [expected] })), "{preset}");
    }
}

/// Where the words stand as text, or are someone else's, nothing is changed.
#[test]
fn the_words_alone_change_nothing() {
    let schema = json!({ "type": "object", "properties": { "refusal": {}, "audio": {}, "stream_options": {} } });
    let body = json!({
        "messages": [
            { "role": "user", "content": "\"refusal\": null, reasoning_content, \"stream_options\"", "annotations": [] },
            { "role": "assistant", "content": "audio, reasoning, annotations" },
        ],
        "tools": [{ "type": "function", "function": { "name": "audio", "parameters": schema } }],
    });
    assert_eq!(adapted(&body, "mistral"), None);
}

#[test]
fn only_a_translations_own_is_taken_out() {
    let body = json!({ "model": "m", "messages": [
        { "role": "assistant", "reasoning_details": [
            { "type": "reasoning.text", "text": "a", "signature": "s", "format": "anthropic-claude-v1", "id": "bw1", "index": 0 },
            { "type": "reasoning.encrypted", "data": "x", "format": "openai-responses-v1", "id": "rs_1", "index": 0 }
        ], "tool_calls": [{ "id": "a_bw1g_c2ln", "type": "function", "function": { "name": "f", "arguments": "{}" } }] },
        { "role": "tool", "tool_call_id": "a_bw1g_c2ln", "content": "1" },
        { "role": "assistant", "content": "bw1", "reasoning_details": [{ "type": "reasoning.encrypted", "data": "y", "format": "anthropic-claude-v1", "id": "bw1", "index": 0 }] }
    ], "unknown": [1.0, 2] });
    let clean: Value = serde_json::from_str(&Dialect::Chat.without_foreign(&body.to_string()).unwrap()).unwrap();
    let mut expected = body;
    expected["messages"][0]["reasoning_details"].as_array_mut().unwrap().remove(0);
    expected["messages"][0]["tool_calls"][0]["id"] = json!("a");
    expected["messages"][1]["tool_call_id"] = json!("a");
    expected["messages"][2].as_object_mut().unwrap().remove("reasoning_details");
    assert_eq!(clean, expected);
}

/// Members that an adaptation may change.
const OWNED: [&str; 8] = [
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "seed",
    "random_seed",
    "parallel_tool_calls",
    "messages",
    "response_format",
];

fn law(body: &Value) {
    for preset in PRESETS {
        let Some(after) = adapted(body, preset.name) else { continue };
        assert_eq!(adapted(&after, preset.name), None, "{}: twice is once: {after}", preset.name);
        for (name, value) in body.as_object().unwrap().iter().filter(|(name, _)| !OWNED.contains(&name.as_str())) {
            assert_eq!(after[name].to_string(), value.to_string(), "{} {name}", preset.name);
        }
        let spoken = |body: &Value| -> Vec<String> {
            body["messages"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|message| message["role"] == "user")
                .map(|message| message["content"].to_string())
                // Instructions in the middle become the user's (legal.rs).
                .filter(|said| preset.name != "mistral" || !said.contains("<system>\\n"))
                .collect()
        };
        assert_eq!(spoken(&after), spoken(body), "{}", preset.name);
        if preset.name == "mistral" {
            assert!(after.get("stream_options").is_none());
            let answers = after["messages"].as_array().unwrap().iter().filter(|message| message["role"] == "assistant");
            for name in answers.flat_map(|answer| answer.as_object().unwrap().keys()) {
                assert!(
                    ["role", "content", "tool_calls", "prefix"].contains(&name.as_str()),
                    "Mistral refuses {name}: {after}"
                );
            }
        }
    }
}

#[test]
fn recorded_bodies_keep_all_else() {
    for recording in recordings::all().into_iter().filter(recordings::Recording::is_chat) {
        law(&recording.request);
    }
}

fn message() -> impl Strategy<Value = Value> {
    let id = "[a-zA-Z0-9_]{1,50}";
    prop_oneof![
        (prop_oneof![Just("user"), Just("system"), Just("developer")], "[ -~]{0,20}", proptest::option::of("[a-z]{1,5}")).prop_map(|(role, text, name)| {
            let mut message = json!({ "role": role, "content": text });
            if let Some(name) = name {
                message["name"] = name.into();
            }
            message
        }),
        id.prop_map(|id| json!({ "role": "assistant", "content": null, "tool_calls": [{ "id": id, "type": "function", "function": { "name": "f", "arguments": "{}" } }] })),
        ("[ -~]{0,20}", any::<[bool; 7]>()).prop_map(|(text, has)| {
            let mut message = json!({ "role": "assistant", "content": text });
            let answered = [
                ("refusal", Value::Null),
                ("reasoning_content", "hm".into()),
                ("reasoning", "hm".into()),
                ("reasoning_details", json!([{ "type": "reasoning.text", "text": "hm" }])),
                ("annotations", json!([])),
                ("audio", json!({ "id": "a" })),
                ("function_call", Value::Null),
            ];
            for ((name, value), _) in answered.into_iter().zip(has).filter(|(_, has)| *has) {
                message[name] = value;
            }
            message
        }),
        id.prop_map(|id| json!({ "role": "tool", "tool_call_id": id, "content": "1", "name": "f" })),
    ]
}

proptest! {
    #[test]
    fn generated_bodies_keep_all_else(
        messages in proptest::collection::vec(message(), 0..5),
        limit in proptest::option::of(0_u64..100),
        old in proptest::option::of(0_u64..100),
        flags in any::<[bool; 7]>(),
    ) {
        let mut body = json!({ "model": "m", "messages": messages, "temperature": 0.1, "x_unknown": { "developer": [1.50, null] } });
        if let Some(limit) = limit { body["max_completion_tokens"] = limit.into(); }
        if let Some(old) = old { body["max_tokens"] = old.into(); }
        if flags[0] { body["parallel_tool_calls"] = true.into(); }
        if flags[1] { body["seed"] = 5.into(); }
        if flags[2] { body["response_format"] = json!({ "type": "json_schema", "json_schema": { "name": "n", "schema": { "b": 1, "a": 2 } } }); }
        if flags[3] { body["tools"] = json!([{ "type": "function", "function": { "name": "developer" } }]); }
        if flags[4] { body["stream_options"] = json!({ "include_usage": true }); }
        if flags[5] { body["stream"] = true.into(); }
        if flags[6] { body["response_format"] = json!({ "type": "json_object" }); }
        law(&body);
    }
}

/// What Google's Chat Completions say in a call, and in a message.
#[test]
fn what_gemini_signed_is_taken_out_where_it_is_refused_and_put_where_it_is_missed() {
    let call = |id: &str, extra: Option<&str>| {
        let mut call = json!({ "id": id, "type": "function", "function": { "name": "f", "arguments": "{}" } });
        if let Some(signature) = extra {
            call["extra_content"] = json!({ "google": { "thought_signature": signature } });
        }
        call
    };
    let body = |calls: Value| {
        json!({ "model": "m", "messages": [{ "role": "user", "content": "q" }, { "role": "assistant", "content": null, "tool_calls": calls },
            { "role": "tool", "tool_call_id": "call00001", "content": "r" }] })
    };
    let adapted = |body: &Value, preset: &str, model: &str| -> Option<Value> {
        let adapted = adapt(&body.to_string(), model, quirks(preset))?;
        assert_eq!(adapted.ignored, Vec::<&str>::new(), "nobody asked for it");
        Some(serde_json::from_str(&adapted.body).unwrap())
    };
    let bare = body(json!([call("call00001", None), call("call00002", None)]));
    let mut signed = body(json!([call("call00001", Some("SIG")), call("call00002", None)]));
    let missed = body(json!([call("call00001", Some("skip_thought_signature_validator")), call("call00002", None)]));
    for (preset, model) in [("gemini-openai", "gemini-3-pro-preview"), ("", "google/gemini-3.5-flash")] {
        assert_eq!(adapted(&signed, preset, model), None, "{preset}");
        assert_eq!(adapted(&bare, preset, model), Some(missed.clone()), "{preset}");
    }
    for (preset, model) in [
        ("gemini-openai", "gemini-2.5-pro"),
        ("openrouter", "google/gemini-3-pro"),
        ("openai", "gpt-5"),
        ("", "m"),
        ("xai", "m"),
    ] {
        assert_eq!(adapted(&bare, preset, model), None, "{preset} {model}");
        assert_eq!(adapted(&signed, preset, model), None, "{preset} {model}");
    }
    signed["messages"][1]["extra_content"] = json!({ "google": { "thought_signature": "TEXT" } });
    for preset in ["mistral", "fireworks"] {
        assert_eq!(adapted(&signed, preset, "m"), Some(bare.clone()), "{preset}");
        assert_eq!(adapted(&bare, preset, "m"), None, "{preset}");
    }
}
