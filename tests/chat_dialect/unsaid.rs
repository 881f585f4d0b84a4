//! What a protocol has no place for is told in another one, or named: nothing that a client wrote is lost in silence.

use breakwater::dialect::Dialect;
use serde_json::{Value, json};

use crate::across::{asked, translate};

const NONE: [&str; 0] = [];
const SONNET: &str = "claude-sonnet-4-5";
const FLASH: &str = "gemini-2.5-flash";
/// Takes a part of JSON Schema only.
const OLD: &str = "gemini-2.0-flash";

/// A request of each of the dialects for an answer by a schema, of a description.
fn described(from: Dialect, description: &Value, schema: &Value) -> Value {
    let mut form = json!({ "name": "n", "description": description, "schema": schema });
    if from == Dialect::Chat {
        return asked(from, &json!({ "response_format": { "type": "json_schema", "json_schema": form } }));
    }
    form["type"] = "json_schema".into();
    asked(from, &json!({ "text": { "format": form } }))
}

/// "A description of what the response format is for, used by the model to determine how to respond in the format": where the form has none, its schema has.
#[test]
fn a_form_s_description_is_told_or_named() {
    let schema = |description: Option<&str>| {
        let mut schema = json!({ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"], "additionalProperties": false });
        if let Some(description) = description {
            schema["description"] = description.into();
        }
        schema
    };
    let rows = [
        (Dialect::Gemini, FLASH, "/generationConfig/responseJsonSchema/description"),
        (Dialect::Gemini, OLD, "/generationConfig/responseSchema/description"),
        (Dialect::Messages, SONNET, "/output_config/format/schema/description"),
    ];
    for (from, name) in
        [(Dialect::Chat, "response_format.json_schema.description"), (Dialect::Responses, "text.format.description")]
    {
        for (to, model, place) in rows {
            let of = |description: Value, own: Option<&str>| {
                let (body, ignored, refused) = translate(from, &described(from, &description, &schema(own)), to, "", model);
                assert_eq!(refused, NONE);
                (body.pointer(place).cloned(), ignored)
            };
            let none: Vec<String> = Vec::new();
            assert_eq!(of(json!("In French."), None), (Some(json!("In French.")), none.clone()), "{from:?} {model}");
            // Its own words stay.
            assert_eq!(
                of(json!("In French."), Some("A letter.")),
                (Some(json!("A letter.")), vec![name.to_owned()]),
                "{from:?} {model}"
            );
            for nothing in [json!(null), json!("")] {
                assert_eq!(
                    of(nothing.clone(), Some("A letter.")),
                    (Some(json!("A letter.")), none.clone()),
                    "{from:?} {model}"
                );
                assert_eq!(of(nothing, None), (None, none.clone()), "{from:?} {model}");
            }
            assert_eq!(of(json!("A letter."), Some("A letter.")), (Some(json!("A letter.")), none), "{from:?} {model}");
        }
    }
}

fn given(blocks: &Value) -> Value {
    json!({ "max_tokens": 100, "messages": [{ "role": "user", "content": blocks }] })
}

/// What is more than text in blocks that are told as text.
#[test]
fn what_stands_beside_a_told_block_is_named() {
    let found = |more: &Value| {
        let mut block = json!({ "type": "search_result", "source": "https://a.example", "title": "T", "content": [{ "type": "text", "text": "one" }] });
        block.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        block
    };
    let document = json!({ "type": "document", "title": "T", "citations": { "enabled": true }, "source": { "type": "content", "content": [{ "type": "text", "text": "one" }] } });
    let citations = vec!["messages[].content[].citations".to_owned()];
    for (to, model) in [(Dialect::Chat, "m"), (Dialect::Responses, "gpt-4.1"), (Dialect::Gemini, FLASH)] {
        let of = |block: &Value| {
            let bare = translate(Dialect::Messages, &given(&json!([block])), to, "", model);
            // As a tool's result, too.
            let body = json!({ "max_tokens": 100, "messages": [{ "role": "user", "content": "q" },
                { "role": "assistant", "content": [{ "type": "tool_use", "id": "toolu_1", "name": "f", "input": {} }] },
                { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "toolu_1", "content": [block] }] }] });
            let within = translate(Dialect::Messages, &body, to, "", model);
            assert!(bare.0.to_string().contains("one") && within.0.to_string().contains("one"));
            assert_eq!((&bare.1, &bare.2, &within.2), (&within.1, &vec![], &vec![]), "{to:?} {block}");
            bare.1
        };
        assert_eq!(of(&found(&json!({}))), NONE, "{to:?}");
        assert_eq!(of(&found(&json!({ "citations": null }))), NONE, "{to:?}");
        assert_eq!(of(&found(&json!({ "citations": { "enabled": true } }))), citations, "{to:?}");
        assert_eq!(of(&document), citations, "{to:?}");
        let marked = found(&json!({ "cache_control": { "type": "ephemeral" }, "citations": { "enabled": true } }));
        assert_eq!(of(&marked).len(), 2, "{to:?}");
        assert_eq!(
            of(&json!({ "type": "document", "title": "T", "source": { "type": "content", "content": "one" } })),
            NONE,
            "{to:?}"
        );
    }
}

/// The name of a document is what a question speaks of it by.
#[test]
fn a_document_s_title_is_told_to_gemini() {
    let document = |source: &Value, title: Option<&str>| {
        let mut block = json!({ "type": "document", "source": source });
        if let Some(title) = title {
            block["title"] = title.into();
        }
        block
    };
    let pdf = json!({ "type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQ=" });
    let web = json!({ "type": "url", "url": "https://a.example/x.pdf" });
    let text = json!({ "type": "text", "media_type": "text/plain", "data": "words" });
    let inline = json!({ "inlineData": { "mimeType": "application/pdf", "data": "JVBERi0xLjQ=" } });
    let at = json!({ "fileData": { "fileUri": "https://a.example/x.pdf", "mimeType": "application/pdf" } });
    let said = |text: &str| json!({ "text": text });
    let rows = [
        (&pdf, Some("Lease"), json!([said("Lease:"), inline])),
        (&web, Some("Lease"), json!([said("Lease:"), at])),
        (&text, Some("Lease"), json!([said("Lease:\nwords")])),
        (&pdf, Some(""), json!([inline])),
        (&pdf, None, json!([inline])),
        (&text, None, json!([said("words")])),
    ];
    for (source, title, expected) in rows {
        let (body, ignored, refused) =
            translate(Dialect::Messages, &given(&json!([document(source, title)])), Dialect::Gemini, "", FLASH);
        assert_eq!((&body["contents"][0]["parts"], ignored, refused), (&expected, vec![], vec![]), "{source} {title:?}");
    }
    // What a tool gave, and what a client of Chat Completions calls its file.
    let body = json!({ "max_tokens": 100, "messages": [{ "role": "user", "content": "q" },
        { "role": "assistant", "content": [{ "type": "tool_use", "id": "toolu_1", "name": "f", "input": {} }] },
        { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "toolu_1", "content": [document(&pdf, Some("Lease"))] }] }] });
    let (body, ..) = translate(Dialect::Messages, &body, Dialect::Gemini, "", FLASH);
    let answer = body["contents"][2]["parts"].to_string();
    assert!(answer.contains("Lease") && answer.contains("inlineData"), "{answer}");
    let file =
        json!({ "type": "file", "file": { "filename": "lease.pdf", "file_data": "data:application/pdf;base64,JVBERi0xLjQ=" } });
    let (body, ..) =
        translate(Dialect::Chat, &json!({ "messages": [{ "role": "user", "content": [file] }] }), Dialect::Gemini, "", FLASH);
    assert_eq!(body["contents"][0]["parts"], json!([said("lease.pdf:"), inline]));
}

#[test]
fn what_is_to_be_stored_and_is_not_is_named() {
    for (from, to, model) in [
        (Dialect::Chat, Dialect::Responses, "gpt-4.1"),
        (Dialect::Chat, Dialect::Messages, SONNET),
        (Dialect::Chat, Dialect::Gemini, FLASH),
        (Dialect::Responses, Dialect::Chat, "m"),
    ] {
        for (store, named) in [(json!(true), vec!["store".to_owned()]), (json!(false), vec![]), (json!(null), vec![])] {
            let (body, ignored, _) = translate(from, &asked(from, &json!({ "store": store })), to, "", model);
            assert_eq!(ignored, named, "{from:?} {to:?} {store}");
            assert_ne!(body.get("store"), Some(&json!(true)), "{from:?} {to:?}");
        }
    }
}

/// Whether thoughts are shown, and in which words, where a provider cannot be told.
#[test]
fn how_thoughts_are_to_be_shown_is_said_or_named() {
    let omitted = |thinking: Value| json!({ "thinking": thinking });
    let enabled = omitted(json!({ "type": "enabled", "budget_tokens": 1024, "display": "omitted" }));
    let shown = omitted(json!({ "type": "enabled", "budget_tokens": 1024, "display": "summarized" }));
    let off = omitted(json!({ "type": "disabled", "display": "omitted" }));
    let of = |from: Dialect, members: &Value, to: Dialect, preset: &str, model: &str| {
        let (_, ignored, refused) = translate(from, &asked(from, members), to, preset, model);
        assert_eq!(refused, NONE);
        ignored
    };
    let display = "thinking.display".to_owned();
    for preset in ["", "deepseek", "groq", "mistral"] {
        let ignored = of(Dialect::Messages, &enabled, Dialect::Chat, preset, "m");
        assert!(ignored.contains(&display), "{preset} {ignored:?}");
        for members in [&shown, &off] {
            let ignored = of(Dialect::Messages, members, Dialect::Chat, preset, "m");
            assert!(!ignored.contains(&display), "{preset} {ignored:?}");
        }
    }
    // OpenAI shows none there, OpenRouter and the others can be told.
    for (to, preset, model) in [
        (Dialect::Chat, "openai", "gpt-5"),
        (Dialect::Chat, "openrouter", "m"),
        (Dialect::Responses, "", "gpt-5"),
        (Dialect::Gemini, "", FLASH),
    ] {
        assert_eq!(of(Dialect::Messages, &enabled, to, preset, model), NONE, "{to:?} {preset}");
    }
    // Whoever shows thoughts shows them as it does: `auto` is that.
    let summary = |summary: &str| json!({ "reasoning": { "effort": "low", "summary": summary } });
    let named = vec!["reasoning.summary".to_owned()];
    for (to, preset, model) in [
        (Dialect::Messages, "", SONNET),
        (Dialect::Messages, "", "claude-opus-4-8"),
        (Dialect::Chat, "", "m"),
        (Dialect::Chat, "deepseek", "deepseek-chat"),
        (Dialect::Gemini, "", FLASH),
    ] {
        for word in ["concise", "detailed"] {
            let mut ignored = of(Dialect::Responses, &summary(word), to, preset, model);
            ignored.retain(|name| name != "reasoning");
            assert_eq!(ignored, named, "{to:?} {preset} {model}");
        }
        let ignored = of(Dialect::Responses, &summary("auto"), to, preset, model);
        assert!(!ignored.contains(&named[0]), "{to:?} {preset} {ignored:?}");
    }
    for word in ["auto", "detailed"] {
        // By its Chat Completions OpenAI shows no thoughts at all.
        assert_eq!(of(Dialect::Responses, &summary(word), Dialect::Chat, "openai", "gpt-5"), named, "{word}");
        assert_eq!(of(Dialect::Responses, &summary(word), Dialect::Chat, "openrouter", "m"), NONE, "{word}");
    }
}

#[test]
fn what_stands_beside_a_call_is_named() {
    let body = |more: &Value| {
        let mut call = json!({ "type": "tool_use", "id": "toolu_1", "name": "f", "input": {} });
        call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "max_tokens": 100, "messages": [{ "role": "user", "content": "q" }, { "role": "assistant", "content": [call] },
            { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "toolu_1", "content": "r" }] }] })
    };
    for preset in ["", "openai", "openrouter"] {
        for (more, named) in [
            (json!({}), vec![]),
            (json!({ "cache_control": { "type": "ephemeral" } }), vec!["messages[].content[].cache_control".to_owned()]),
            (json!({ "caller": { "type": "direct" } }), vec!["messages[].content[].caller".to_owned()]),
        ] {
            let (_, ignored, refused) = translate(Dialect::Messages, &body(&more), Dialect::Chat, preset, "m");
            assert_eq!((ignored, refused), (named, vec![]), "{preset} {more}");
        }
    }
    // What Responses call an item, and how far it has come, is nothing of a call's.
    let call =
        json!({ "type": "function_call", "id": "fc_1", "status": "completed", "call_id": "c", "name": "f", "arguments": "{}" });
    let body = json!({ "input": [{ "role": "user", "content": "q" }, call, { "type": "function_call_output", "call_id": "c", "output": "r" }] });
    let (_, ignored, _) = translate(Dialect::Responses, &body, Dialect::Chat, "", "m");
    assert_eq!(ignored, NONE);
}
