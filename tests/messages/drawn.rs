//! Images that Gemini drew, through a client of any dialect and back: it wants each with its signature
//! (<https://ai.google.dev/gemini-api/docs/image-generation>, "Thought signatures").

use breakwater::dialect::Dialect;
use serde_json::{Value, json};

use crate::object;
use crate::signed::{CLIENTS, back, drawn, is_foreign_to_everybody_else, next, said, sent, thinks, thought, told};

const PNG: &str = "iVBORw0KGgo=";
const JPEG: &str = "/9j/4AAQSkZJRg==";
const WEBP: &str = "UklGRiQAAABXRUJQ";

#[test]
fn an_image_comes_back_in_its_place_with_its_signature() {
    let png = drawn("image/png", PNG, "SIG1");
    let plain = json!({"inlineData": {"mimeType": "image/png", "data": PNG}});
    for parts in [
        vec![png.clone()],
        vec![said("Here: é🦀", "SIG0"), png.clone()],
        vec![png.clone(), json!({"text": "That was it."})],
        vec![
            said("one", "SIG0"),
            png.clone(),
            json!({"text": "two"}),
            drawn("image/jpeg", JPEG, "SIG2"),
            said("three", "SIG3"),
        ],
        vec![png.clone(), drawn("image/webp", WEBP, "SIG2"), thought("hm", "SIG3"), png.clone()],
        vec![json!({"text": "one"}), plain],
    ] {
        for client in CLIENTS {
            for told in told(client, &thinks(), &parts, "STOP") {
                let mut expected = parts.clone();
                // A message of Anthropic's has no images of the assistant's.
                expected.retain(|part| client != Dialect::Messages || part.get("inlineData").is_none());
                if expected.is_empty() {
                    assert_eq!(told, json!([]), "{client:?}");
                } else {
                    assert_eq!(back(client, &told), json!(expected), "{client:?}: {told:#}");
                }
            }
        }
    }
}

#[test]
fn another_provider_is_shown_the_image_and_nothing_of_its_signature() {
    let parts = [said("Here.", "SIG0"), drawn("image/png", PNG, "SIG1")];
    let url = format!("data:image/png;base64,{PNG}");
    for client in CLIENTS {
        for told in told(client, &thinks(), &parts, "STOP") {
            is_foreign_to_everybody_else(client, &told, &["Here."]);
        }
    }
    let [told, _] = told(Dialect::Responses, &thinks(), &parts, "STOP");
    let body = next(Dialect::Responses, &told);
    let shown = json!({"type": "message", "role": "user", "content": [
        {"type": "input_text", "text": "The image that the assistant made:"}, {"type": "input_image", "image_url": url, "detail": "auto"}]});
    // Translated from another dialect, and passed through.
    let [message, _] = self::told(Dialect::Chat, &thinks(), &parts, "STOP");
    let written = sent(&next(Dialect::Chat, &message), Dialect::Chat, Dialect::Responses, "gpt-5");
    assert_eq!(written["input"][2], shown, "{written:#}");
    let passed: Value = serde_json::from_str(&Dialect::Responses.without_foreign(&body.to_string()).unwrap()).unwrap();
    assert_eq!(passed["input"][2], shown, "{passed:#}");
    let to_chat = sent(&body, Dialect::Responses, Dialect::Chat, "gpt-4o");
    assert_eq!(to_chat["messages"][2]["content"][1]["image_url"]["url"], json!(url), "{to_chat:#}");
    assert_eq!(to_chat["messages"][1], json!({"role": "assistant", "content": "Here."}));
}

#[test]
fn an_image_of_openai_s_own_stays_what_it_is() {
    let item = json!({"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": PNG});
    let body = json!({"model": "m", "input": [{"type": "message", "role": "user", "content": "q"}, item]});
    let written = sent(&body, Dialect::Responses, Dialect::Responses, "gpt-5");
    assert_eq!(written["input"][1], item);
    assert_eq!(Dialect::Responses.without_foreign(&body.to_string()), None);
}

/// What a conversation has from elsewhere says that there is nothing to be checked; an older model, and one that draws nothing, checks nothing.
#[test]
fn what_nobody_signed_is_said_to_be_unsigned_where_a_model_that_draws_would_refuse_it() {
    let url = format!("data:image/png;base64,{PNG}");
    let message = json!({"role": "assistant", "content": "one", "images": [{"type": "image_url", "image_url": {"url": url}}]});
    let body = |messages: Value| json!({"model": "m", "messages": messages});
    let user = json!({"role": "user", "content": "q"});
    let image = json!({"inlineData": {"mimeType": "image/png", "data": PNG}});
    let skipped = |part: &Value| {
        let mut part = object(part.clone());
        part.insert("thoughtSignature".to_owned(), json!("skip_thought_signature_validator"));
        Value::Object(part)
    };
    let parts = |model: &str| {
        let body = body(json!([user, message, user]));
        sent(&body, Dialect::Chat, Dialect::Gemini, model)["contents"].clone()
    };
    let text = json!({"text": "one"});
    for model in ["gemini-3-pro-image-preview", "gemini-3.1-flash-image"] {
        let contents = parts(model);
        assert_eq!(contents[1]["parts"], json!([skipped(&text), skipped(&image)]), "{model}");
        assert_eq!([&contents[0]["parts"], &contents[2]["parts"]], [&json!([{"text": "q"}]); 2], "{model}");
    }
    for model in ["gemini-2.5-flash-image", "gemini-3-pro-preview"] {
        assert_eq!(parts(model)[1]["parts"], json!([text, image]), "{model}");
    }
    // What came from it is as it was: the first part and images alone are signed.
    let parts = [said("one", "SIG0"), drawn("image/png", PNG, "SIG1"), json!({"text": "two"})];
    let [told, _] = told(Dialect::Chat, &thinks(), &parts, "STOP");
    let sent = sent(&next(Dialect::Chat, &told), Dialect::Chat, Dialect::Gemini, "gemini-3-pro-image-preview");
    assert_eq!(sent["contents"][1]["parts"], json!(parts));
}
