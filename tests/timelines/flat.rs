//! A schema beside the form's type, as Together and llama.cpp document it, rather than in `json_schema`, as `OpenAI` does: it demands the same, and everybody
//! is told it in words that they know.

use breakwater::runtime::Script;
use serde_json::{Value, json};

use crate::dialects::{message, parsed};
use crate::upstreams::says;
use crate::world::{World, ask, chat, gateway};

const CONFIG: &str = r#"
[providers.openai]
[providers.together]
[providers.llamacpp]
[providers.groq]
[providers.deepseek]
[providers.anthropic]
[providers.plain]
base_url = "https://plain.example/v1"
key = "KEY"
"#;

const KEYS: [(&str, &str); 6] = [
    ("OPENAI_API_KEY", "sk-1"),
    ("TOGETHER_API_KEY", "sk-2"),
    ("GROQ_API_KEY", "sk-3"),
    ("DEEPSEEK_API_KEY", "sk-4"),
    ("ANTHROPIC_API_KEY", "sk-5"),
    ("KEY", "sk-6"),
];

fn schema() -> Value {
    json!({ "type": "object", "properties": { "n": { "type": "integer" } }, "required": ["n"], "additionalProperties": false })
}

/// What the client is answered, as status, mark and body, and each body that was sent.
fn asked(model: &str, form: &Value) -> ((u16, String, Value), Vec<Value>) {
    let world = World::new(7);
    *world.upstream.borrow_mut() = Box::new(|sent| -> Script {
        let text = if sent.nth == 0 { r#"{"n":"one"}"# } else { r#"{"n":1}"# };
        if sent.url.contains("anthropic") { message(text) } else { says(1, text) }
    });
    let body = json!({ "model": model, "messages": [{ "role": "user", "content": "q" }], "response_format": form });
    let (status, headers, text) = ask(&world, &gateway(CONFIG, &KEYS), chat(&body.to_string(), &[]));
    let mark = headers.get("x-breakwater-schema").unwrap_or("none").to_owned();
    let sent = world.calls.borrow().iter().map(|call| parsed(&call.sent.body)).collect();
    ((status, mark, parsed(&text)), sent)
}

#[test]
fn it_is_a_demand_and_told_to_each_in_its_own_words() {
    let flat = json!({ "type": "json_schema", "schema": schema() });
    let named = json!({ "type": "json_schema", "json_schema": { "name": "answer", "schema": schema() } });
    let object = json!({ "type": "json_object" });
    let rows = [
        ("plain/m", &flat),
        ("together/m", &flat),
        ("llamacpp/m", &flat),
        ("openai/gpt-4.1", &named),
        ("groq/openai/gpt-oss-120b", &named),
        ("groq/llama-3.3-70b-versatile", &object),
        ("deepseek/deepseek-chat", &object),
    ];
    for (model, told) in rows {
        let ((status, mark, body), sent) = asked(model, &flat);
        assert_eq!((status, mark.as_str()), (200, "retried;1"), "{model}: {body}");
        assert_eq!(body["choices"][0]["message"]["content"], r#"{"n":1}"#, "{model}");
        for sent in sent {
            assert_eq!(sent["response_format"], *told, "{model}");
            let in_words = sent["messages"].to_string().contains("\\\"additionalProperties\\\"");
            assert_eq!(in_words, told == &object, "{model}: {sent}");
        }
    }
    // So is the other way in which these have it, where it is translated.
    for form in [&flat, &json!({ "type": "json_object", "schema": schema() })] {
        let ((status, mark, body), sent) = asked("anthropic/claude-sonnet-4-5", form);
        assert_eq!((status, mark.as_str()), (200, "retried;1"), "{form}: {body}");
        assert_eq!(sent[0]["output_config"]["format"], json!({ "type": "json_schema", "schema": schema() }), "{form}");
    }
    // A name and strictness that stand beside it come along.
    let strict = json!({ "type": "json_schema", "name": "n", "strict": true, "schema": schema() });
    let (_, sent) = asked("openai/gpt-4.1", &strict);
    assert_eq!(
        sent[0]["response_format"],
        json!({ "type": "json_schema", "json_schema": { "name": "n", "strict": true, "schema": schema() } })
    );
}

#[test]
fn one_without_a_schema_anywhere_is_refused() {
    for form in [
        json!({ "type": "json_schema" }),
        json!({ "type": "json_schema", "schema": null }),
        json!({ "type": "json_schema", "json_schema": { "name": "n" }, "schema": {} }),
    ] {
        let ((status, _, body), sent) = asked("together/m", &form);
        let error = (status, body["error"]["param"].as_str(), sent.len());
        assert_eq!(error, (400, Some("response_format.json_schema.schema"), 0), "{form}: {body}");
    }
    let ((status, _, body), _) = asked("together/m", &json!({ "type": "json_schema", "schema": { "type": "objekt" } }));
    assert_eq!((status, body["error"]["param"].as_str()), (400, Some("response_format.schema")), "{body}");
}
