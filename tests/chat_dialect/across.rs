//! From one dialect into another, where the two have different rules for the same thing.

use breakwater::chat::Losses;
use breakwater::dialect::{Dialect, Recipient};
use serde_json::{Value, json};

use crate::{object, quirks};

const MODEL: &str = "m";

/// What is written, what of it is ignored, and what is refused.
pub(crate) fn translate(
    from: Dialect,
    body: &Value,
    to: Dialect,
    preset: &str,
    model: &str,
) -> (Value, Vec<String>, Vec<String>) {
    let mut losses = Losses::new();
    let request = from.read(object(body)).unwrap_or_else(|error| panic!("{error:?}\n{body:#}"));
    let body = to.write(&request, &Recipient { model, quirks: quirks(preset) }, &mut losses);
    let names = |refused: bool| {
        losses.iter().filter(|loss| loss.refusal.is_some() == refused).map(|loss| loss.field.clone()).collect::<Vec<_>>()
    };
    (body, names(false), names(true))
}

/// A request with a question in it, and these members.
pub(crate) fn asked(dialect: Dialect, members: &Value) -> Value {
    let mut body = match dialect {
        Dialect::Responses => json!({ "model": MODEL, "input": "q" }),
        _ => json!({ "model": MODEL, "messages": [{ "role": "user", "content": "q" }] }),
    };
    if dialect == Dialect::Messages {
        body["max_tokens"] = json!(99);
    }
    body.as_object_mut().unwrap().extend(object(members));
    body
}

fn nothing() -> Vec<String> {
    Vec::new()
}

#[test]
fn a_tool_without_arguments_has_properties() {
    // "object schema missing properties" is what OpenAI answers.
    let body = asked(
        Dialect::Messages,
        &json!({ "tools": [{ "name": "f", "input_schema": { "type": "object", "additionalProperties": false } }] }),
    );
    let schema = json!({ "type": "object", "additionalProperties": false, "properties": {} });
    let (chat, ..) = translate(Dialect::Messages, &body, Dialect::Chat, "", MODEL);
    assert_eq!(chat["tools"][0]["function"]["parameters"], schema);
    let (responses, ..) = translate(Dialect::Messages, &body, Dialect::Responses, "openai", MODEL);
    assert_eq!(responses["tools"][0]["parameters"], schema);
    // What has some keeps them, and what is no object gets none.
    for schema in [
        json!({ "type": "object", "properties": { "a": {} } }),
        json!({ "$ref": "#/$defs/a", "$defs": { "a": { "type": "object" } } }),
    ] {
        let body = asked(Dialect::Messages, &json!({ "tools": [{ "name": "f", "input_schema": schema }] }));
        let (chat, ..) = translate(Dialect::Messages, &body, Dialect::Chat, "openai", MODEL);
        assert_eq!(chat["tools"][0]["function"]["parameters"], schema);
    }
    // A client's own words stay.
    let body = asked(
        Dialect::Chat,
        &json!({ "tools": [{ "type": "function", "function": { "name": "f", "parameters": { "type": "object" } } }] }),
    );
    let (own, ..) = translate(Dialect::Chat, &body, Dialect::Chat, "openai", MODEL);
    assert_eq!(own["tools"][0]["function"]["parameters"], json!({ "type": "object" }));
}

#[test]
fn a_long_user_is_a_digest() {
    for to in [Dialect::Chat, Dialect::Responses] {
        let user = |id: &str| {
            let body = asked(Dialect::Messages, &json!({ "metadata": { "user_id": id } }));
            let (body, ignored, refused) = translate(Dialect::Messages, &body, to, "openai", "gpt-4.1");
            assert_eq!((ignored, refused), (nothing(), nothing()));
            body["user"].as_str().unwrap().to_owned()
        };
        assert_eq!(user(&"é".repeat(64)), "é".repeat(64));
        // printf 'a%.0s' $(seq 65) | sha256sum
        assert_eq!(user(&"a".repeat(65)), "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0");
        assert_ne!(user(&"a".repeat(65)), user(&"b".repeat(65)));
    }
}

#[test]
fn what_runs_tools_beside_the_tools_is_refused() {
    let servers = json!({ "mcp_servers": [{ "type": "url", "url": "https://m.example", "name": "m" }] });
    for to in [Dialect::Chat, Dialect::Responses, Dialect::Gemini] {
        let of = |members: &Value| {
            let (_, ignored, refused) = translate(Dialect::Messages, &asked(Dialect::Messages, members), to, "", MODEL);
            (ignored, refused)
        };
        assert_eq!(of(&servers), (nothing(), vec!["mcp_servers".to_owned()]), "{to:?}");
        assert_eq!(of(&json!({ "mcp_servers": [] })), (nothing(), nothing()), "{to:?}");
    }
    // An empty object searches with the defaults.
    for options in [json!({}), json!({ "search_context_size": "low" })] {
        for to in [Dialect::Messages, Dialect::Responses, Dialect::Gemini] {
            let body = asked(Dialect::Chat, &json!({ "web_search_options": options }));
            let (_, ignored, refused) = translate(Dialect::Chat, &body, to, "", "claude-sonnet-4-5");
            assert_eq!((ignored, refused), (nothing(), vec!["web_search_options".to_owned()]), "{to:?}");
        }
    }
}

#[test]
fn what_says_nothing_is_not_named() {
    let empty = json!({ "metadata": {}, "prompt_cache_key": "", "logit_bias": {}, "whatever": [], "other": "", "third": {},
        "messages": [{ "role": "user", "content": "q" }, { "role": "assistant", "content": "a", "annotations": [] }, { "role": "user", "content": "r" }] });
    let full = json!({ "metadata": { "a": "b" }, "prompt_cache_key": "k", "whatever": [1], "other": false });
    for (to, kept) in [(Dialect::Messages, ""), (Dialect::Gemini, ""), (Dialect::Responses, "metadata prompt_cache_key")] {
        let (_, ignored, refused) = translate(Dialect::Chat, &asked(Dialect::Chat, &empty), to, "", "claude-sonnet-4-5");
        assert_eq!((ignored, refused), (nothing(), nothing()), "{to:?}");
        let (_, ignored, _) = translate(Dialect::Chat, &asked(Dialect::Chat, &full), to, "", "claude-sonnet-4-5");
        for name in ["metadata", "prompt_cache_key", "whatever", "other"] {
            assert_eq!(ignored.iter().any(|ignored| ignored == name), !kept.contains(name), "{to:?} {name} {ignored:?}");
        }
    }
    let body = asked(Dialect::Responses, &json!({ "metadata": {}, "prompt_cache_key": "" }));
    let (_, ignored, _) = translate(Dialect::Responses, &body, Dialect::Chat, "", MODEL);
    assert_eq!(ignored, nothing());
}

#[test]
fn not_to_think_is_said_or_named() {
    let off = asked(Dialect::Messages, &json!({ "thinking": { "type": "disabled" } }));
    let of = |preset: &str, model: &str| {
        let (body, ignored, refused) = translate(Dialect::Messages, &off, Dialect::Chat, preset, model);
        assert_eq!(refused, nothing());
        (body["reasoning_effort"].clone(), ignored)
    };
    let named = vec!["thinking".to_owned()];
    assert_eq!(of("", MODEL), (Value::Null, named.clone()));
    assert_eq!(of("openai", "gpt-4.1"), (Value::Null, nothing()));
    assert_eq!(of("openai", "gpt-5.1"), (json!("none"), nothing()));
    assert_eq!(of("cohere", MODEL), (json!("none"), nothing()));
    let (_, ignored, _) = translate(Dialect::Messages, &off, Dialect::Responses, "", MODEL);
    assert_eq!(ignored, named);
    let off = asked(Dialect::Responses, &json!({ "reasoning": { "effort": "none" } }));
    let (body, ignored, _) = translate(Dialect::Responses, &off, Dialect::Chat, "", MODEL);
    assert_eq!((body.get("reasoning_effort"), ignored), (None, vec!["reasoning".to_owned()]));
}

#[test]
fn a_grammar_stands_where_each_has_it() {
    let nested = json!({ "type": "grammar", "grammar": { "syntax": "lark", "definition": "start: \"a\"" } });
    let flat = json!({ "type": "grammar", "syntax": "lark", "definition": "start: \"a\"" });
    let text = json!({ "type": "text" });
    for (chat, responses) in [(&nested, &flat), (&text, &text)] {
        let in_chat =
            asked(Dialect::Chat, &json!({ "tools": [{ "type": "custom", "custom": { "name": "c", "format": chat } }] }));
        let in_responses =
            asked(Dialect::Responses, &json!({ "tools": [{ "type": "custom", "name": "c", "format": responses }] }));
        let (body, ..) = translate(Dialect::Chat, &in_chat, Dialect::Responses, "openai", "gpt-5");
        assert_eq!(body["tools"][0]["format"], *responses);
        let (body, ..) = translate(Dialect::Responses, &in_responses, Dialect::Chat, "openai", "gpt-5");
        assert_eq!(body["tools"][0]["custom"]["format"], *chat);
        let (body, ..) = translate(Dialect::Chat, &in_chat, Dialect::Chat, "openai", "gpt-5");
        assert_eq!(body["tools"][0]["custom"]["format"], *chat);
    }
}

#[test]
fn stops_are_no_more_than_are_taken() {
    let of = |preset: &str, stops: &Value| {
        let body = asked(Dialect::Messages, &json!({ "stop_sequences": stops }));
        let (body, _, refused) = translate(Dialect::Messages, &body, Dialect::Chat, preset, "gpt-4.1");
        (body["stop"].as_array().map_or(0, Vec::len), refused)
    };
    assert_eq!(of("openai", &json!(["a", "b", "c", "d"])), (4, nothing()));
    assert_eq!(of("openai", &json!(["a", "b", "c", "d", "e"])).1, ["stop_sequences"]);
    assert_eq!(of("", &json!(["a", "b", "c", "d", "e"])), (5, nothing()));
}

#[test]
fn a_name_that_is_not_taken_is_refused() {
    let of = |name: &str, to: Dialect, preset: &str| {
        let body = asked(Dialect::Messages, &json!({ "tools": [{ "name": name, "input_schema": { "type": "object" } }] }));
        translate(Dialect::Messages, &body, to, preset, "gpt-4.1").2.len()
    };
    for (name, openai, gemini) in [
        ("a".repeat(64), 0, 0),
        ("a".repeat(65), 1, 1),
        ("a.b".to_owned(), 1, 0),
        ("1-a_B".to_owned(), 0, 1),
        ("é".to_owned(), 1, 1),
    ] {
        assert_eq!(of(&name, Dialect::Chat, "openai"), openai, "{name}");
        assert_eq!(of(&name, Dialect::Responses, "openai"), openai, "{name}");
        assert_eq!(of(&name, Dialect::Gemini, "gemini"), gemini, "{name}");
        assert_eq!(of(&name, Dialect::Chat, ""), 0, "{name}");
    }
}

#[test]
fn blocks_of_text_are_told_as_text() {
    let found = json!({ "type": "search_result", "source": "https://a.example", "title": "T", "content": [{ "type": "text", "text": "one" }, { "type": "text", "text": "two" }] });
    let document = json!({ "type": "document", "title": "T", "source": { "type": "content", "content": [{ "type": "text", "text": "one" }] } });
    let drawn = json!({ "type": "document", "source": { "type": "content", "content": [{ "type": "image", "source": { "type": "url", "url": "https://a.example/a.png" } }] } });
    let result = |content: &Value| {
        json!({ "model": MODEL, "max_tokens": 9, "messages": [
            { "role": "user", "content": "q" },
            { "role": "assistant", "content": [{ "type": "tool_use", "id": "t", "name": "f", "input": {} }] },
            { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "t", "content": [content] }] },
        ] })
    };
    let plain =
        |content: &Value| json!({ "model": MODEL, "max_tokens": 9, "messages": [{ "role": "user", "content": [content] }] });
    for to in [Dialect::Chat, Dialect::Responses, Dialect::Gemini] {
        for (body, text) in [
            (result(&found), "T\\nhttps://a.example\\none\\ntwo"),
            (plain(&found), "T\\nhttps://a.example\\none\\ntwo"),
            (result(&document), "T\\none"),
            (plain(&document), "T\\none"),
        ] {
            let (written, ignored, refused) = translate(Dialect::Messages, &body, to, "", MODEL);
            assert_eq!((ignored, refused), (nothing(), nothing()), "{to:?}");
            assert!(written.to_string().contains(&format!("\"{text}\"")), "{to:?} {written:#}");
        }
        assert_eq!(translate(Dialect::Messages, &plain(&drawn), to, "", MODEL).2.len(), 1, "{to:?}");
    }
    // Its own provider gets the blocks as they were.
    let (own, ..) = translate(Dialect::Messages, &plain(&found), Dialect::Messages, "", "claude-sonnet-4-5");
    assert_eq!(own["messages"][0]["content"][0], found);
}

#[test]
fn both_of_openais_dialects_keep_a_prompts_beginning() {
    for (from, to, back) in [
        (Dialect::Chat, Dialect::Responses, true),
        (Dialect::Responses, Dialect::Chat, true),
        (Dialect::Chat, Dialect::Messages, false),
    ] {
        let body = asked(from, &json!({ "prompt_cache_retention": "24h" }));
        let (body, ignored, _) = translate(from, &body, to, "openai", "gpt-5.1");
        assert_eq!(body["prompt_cache_retention"] == "24h", back, "{from:?}");
        assert_eq!(ignored.is_empty(), back, "{from:?}");
    }
    let (_, ignored, _) = translate(
        Dialect::Responses,
        &asked(Dialect::Responses, &json!({ "prompt_cache_retention": "24h" })),
        Dialect::Chat,
        "",
        MODEL,
    );
    assert_eq!(ignored, ["prompt_cache_retention"]);
}

#[test]
fn no_log_probabilities_are_asked_for_by_none() {
    for (from, members) in [
        (Dialect::Responses, json!({ "top_logprobs": 0 })),
        (Dialect::Chat, json!({ "logprobs": false, "top_logprobs": 0 })),
        (Dialect::Chat, json!({ "logprobs": false })),
    ] {
        let (body, ignored, refused) = translate(from, &asked(from, &members), Dialect::Chat, "groq", MODEL);
        assert_eq!((ignored, refused), (nothing(), nothing()), "{members}");
        assert_eq!((body.get("logprobs"), body.get("top_logprobs")), (None, None), "{members}");
    }
    let body = asked(Dialect::Responses, &json!({ "top_logprobs": 2 }));
    assert_eq!(translate(Dialect::Responses, &body, Dialect::Chat, "groq", MODEL).2, ["logprobs"]);
}

#[test]
fn a_request_of_instructions_alone_has_an_input() {
    let of = |messages: &Value| {
        let (body, ..) =
            translate(Dialect::Chat, &json!({ "model": MODEL, "messages": messages }), Dialect::Responses, "openai", MODEL);
        (body["input"].clone(), body.get("instructions").cloned())
    };
    let item = |role: &str, text: &str| json!([{ "type": "message", "role": role, "content": text }]);
    assert_eq!(of(&json!([{ "role": "system", "content": "s" }])), (item("system", "s"), None));
    assert_eq!(
        of(&json!([{ "role": "system", "content": "s" }, { "role": "user", "content": "q" }])),
        (item("user", "q"), Some(json!("s")))
    );
    for blank in ["", " "] {
        let (input, _) = of(&json!([{ "role": "user", "content": blank }]));
        assert_eq!(input.as_array().map(Vec::len), Some(1), "{input}");
    }
}

#[test]
fn an_answer_that_was_begun_is_marked_where_that_must_be_said() {
    let turns =
        |last: &Value| json!({ "model": MODEL, "max_tokens": 9, "messages": [{ "role": "user", "content": "q" }, last] });
    let of = |body: &Value, preset: &str| {
        let (body, ..) = translate(Dialect::Messages, body, Dialect::Chat, preset, MODEL);
        let messages = body["messages"].as_array().unwrap().clone();
        (messages.last().unwrap().get("prefix").cloned(), messages[0].get("prefix").cloned())
    };
    let begun = turns(&json!({ "role": "assistant", "content": "The answer is" }));
    assert_eq!(of(&begun, "mistral"), (Some(json!(true)), None));
    assert_eq!(of(&begun, "groq"), (None, None));
    assert_eq!(of(&turns(&json!({ "role": "user", "content": "r" })), "mistral"), (None, None));
}

#[test]
fn a_picture_s_type_is_the_one_that_is_registered() {
    let body = asked(
        Dialect::Chat,
        &json!({ "messages": [{ "role": "user", "content": [{ "type": "image_url", "image_url": { "url": "data:image/jpg;base64,QUJD" } }] }] }),
    );
    for to in [Dialect::Messages, Dialect::Gemini, Dialect::Responses] {
        let (body, ignored, refused) = translate(Dialect::Chat, &body, to, "", "claude-sonnet-4-5");
        assert_eq!((ignored, refused), (nothing(), nothing()));
        assert!(body.to_string().contains("image/jpeg") && !body.to_string().contains("image/jpg"), "{to:?} {body}");
    }
}

#[test]
fn a_document_s_name_says_what_it_is() {
    let of = |title: Option<&str>, to: Dialect| {
        let mut block =
            json!({ "type": "document", "source": { "type": "base64", "media_type": "application/pdf", "data": "QUJD" } });
        if let Some(title) = title {
            block["title"] = title.into();
        }
        let (body, ..) = translate(
            Dialect::Messages,
            &asked(Dialect::Messages, &json!({ "messages": [{ "role": "user", "content": [block] }] })),
            to,
            "openai",
            MODEL,
        );
        body.pointer("/messages/0/content/0/file/filename").or_else(|| body.pointer("/input/0/content/0/filename")).cloned()
    };
    for to in [Dialect::Chat, Dialect::Responses] {
        for (title, name) in [
            (Some("Report 2024"), "Report 2024.pdf"),
            (Some("a.PDF"), "a.PDF"),
            (Some("v1.2"), "v1.2.pdf"),
            (None, "document.pdf"),
        ] {
            assert_eq!(of(title, to), Some(json!(name)), "{to:?}");
        }
    }
}

#[test]
fn a_tool_that_was_found_is_told_by_its_name() {
    let body = json!({ "model": MODEL, "max_tokens": 9, "messages": [
        { "role": "user", "content": "q" },
        { "role": "assistant", "content": [{ "type": "tool_use", "id": "t", "name": "search", "input": {} }] },
        { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "t", "content": [{ "type": "tool_reference", "tool_name": "get_weather" }] }] },
    ] });
    for to in [Dialect::Chat, Dialect::Responses, Dialect::Gemini] {
        let (written, ignored, refused) = translate(Dialect::Messages, &body, to, "", MODEL);
        assert_eq!((ignored, refused), (nothing(), nothing()), "{to:?}");
        assert!(
            written.to_string().contains("\"get_weather\"") && !written.to_string().contains("tool_reference"),
            "{to:?} {written}"
        );
    }
}
