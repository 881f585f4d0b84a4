//! Documents and sound in each client's words, to each protocol: the table that tests/e2e/media.test.mjs sends over sockets.

use breakwater::chat::Losses;
use breakwater::dialect::{Dialect, Recipient};
use serde_json::{Value, json};

use crate::{object, quirks};

const PDF: &str = "data:application/pdf;base64,JVBERi0xLjQK";
const DATA: &str = "JVBERi0xLjQK";
const URL: &str = "https://example.com/papers/a.pdf?v=2";

/// A question with one part in the client's words, as the provider is sent it: that part, or what is refused.
fn sent(client: Dialect, part: &Value, provider: Dialect) -> Result<Value, String> {
    let list = if client == Dialect::Responses { "input" } else { "messages" };
    let body = json!({ "model": "m", "max_tokens": 9, list: [{ "role": "user", "content": [part] }] });
    let request = client.read(object(&body)).unwrap_or_else(|error| panic!("{error:?}: {body}"));
    let (model, preset) = match provider {
        Dialect::Gemini => ("gemini-2.5-flash", "gemini"),
        Dialect::Messages => ("claude-sonnet-4-5", "anthropic"),
        _ => ("gpt-4.1-mini", "openai"),
    };
    let mut losses = Losses::new();
    let body = provider.write(&request, &Recipient { model, quirks: quirks(preset) }, &mut losses);
    if let Some(loss) = losses.iter().find(|loss| loss.refusal.is_some()) {
        return Err(loss.field.clone());
    }
    Ok(match provider {
        Dialect::Gemini => body["contents"][0]["parts"][0].clone(),
        Dialect::Responses => body["input"][0]["content"][0].clone(),
        _ => body["messages"][0]["content"][0].clone(),
    })
}

#[test]
fn documents_and_sound_to_each_protocol() {
    let of_chat = |name: &str| Ok(json!({ "type": "file", "file": { "filename": name, "file_data": PDF } }));
    let of_responses = |name: &str| Ok(json!({ "type": "input_file", "filename": name, "file_data": PDF }));
    let base64 = json!({ "type": "base64", "media_type": "application/pdf", "data": DATA });
    let inline = || Ok(json!({ "inlineData": { "mimeType": "application/pdf", "data": DATA } }));
    let at_url = || {
        [
            Err("messages[].content[]".to_owned()),
            Ok(json!({ "type": "input_file", "file_url": URL })),
            Ok(json!({ "type": "document", "source": { "type": "url", "url": URL } })),
            Ok(json!({ "fileData": { "fileUri": URL, "mimeType": "application/pdf" } })),
        ]
    };
    let named = json!({ "type": "document", "source": base64, "title": "a.pdf" });
    let nameless = json!({ "type": "document", "source": base64 });
    let sound = |format: &str| json!({ "type": "input_audio", "input_audio": { "data": "UklGRg==", "format": format } });
    let heard = |mime: &str| Ok(json!({ "inlineData": { "mimeType": mime, "data": "UklGRg==" } }));
    let kept = |sound: Value, mime: &str| {
        [Ok(sound), Err("messages[].content".to_owned()), Err("messages[].content".to_owned()), heard(mime)]
    };
    // To Chat Completions, Responses, Anthropic and Gemini.
    let table = [
        (
            Dialect::Chat,
            json!({ "type": "file", "file": { "filename": "a.pdf", "file_data": PDF } }),
            [of_chat("a.pdf"), of_responses("a.pdf"), Ok(named.clone()), inline()],
        ),
        (
            Dialect::Responses,
            json!({ "type": "input_file", "filename": "a.pdf", "file_data": PDF }),
            [of_chat("a.pdf"), of_responses("a.pdf"), Ok(named), inline()],
        ),
        (Dialect::Responses, json!({ "type": "input_file", "file_url": URL }), at_url()),
        (Dialect::Messages, nameless.clone(), [of_chat("document.pdf"), of_responses("document.pdf"), Ok(nameless), inline()]),
        (Dialect::Messages, json!({ "type": "document", "source": { "type": "url", "url": URL } }), at_url()),
        (Dialect::Chat, sound("wav"), kept(sound("wav"), "audio/wav")),
        (Dialect::Chat, sound("mp3"), kept(sound("mp3"), "audio/mpeg")),
    ];
    let providers = [Dialect::Chat, Dialect::Responses, Dialect::Messages, Dialect::Gemini];
    for (client, part, expected) in table {
        for (provider, expected) in providers.into_iter().zip(expected) {
            assert_eq!(sent(client, &part, provider), expected, "{client:?} to {provider:?}: {part}");
        }
    }
}
