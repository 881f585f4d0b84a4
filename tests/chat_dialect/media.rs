//! Documents and sound in each client's words, to each protocol: the table that tests/e2e/media.test.mjs sends over sockets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
        // Behind its name, where it has one.
        Dialect::Gemini => body["contents"][0]["parts"].as_array().unwrap().last().unwrap().clone(),
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

/// Mistral's clients need not say what a sound is, and `format` may be missing; Gemini and `OpenAI` want to know.
#[test]
fn a_sound_of_which_nothing_is_said_is_what_its_first_bytes_say() {
    let refused = || Err("messages[].content[].input_audio".to_owned());
    let rows: [(&[u8], &str, &str); 22] = [
        (b"RIFF\x24\x08\0\0WAVEfmt ", "audio/wav", "wav"),
        (b"RIFF\x24\x08\0\0AVI LIST", "", ""),
        (b"RIFF\x24\x08\0", "", ""),
        (b"FORM\0\0\x10\0AIFFCOMM", "audio/aiff", "aiff"),
        (b"FORM\0\0\x10\0AIFCFVER", "audio/aiff", "aiff"),
        (b"FORM\0\0\x10\0ILBMBMHD", "", ""),
        (b"OggS\0\x02\0\0\0\0\0\0\0\0", "audio/ogg", "ogg"),
        (b"fLaC\0\0\0\x22\x10\0\x10\0", "audio/flac", "flac"),
        (b"\0\0\0\x1cftypM4A \0\0\0\0", "audio/mp4", "mp4"),
        (b"ID3\x04\0\0\0\0\0\x23TSSE", "audio/mp3", "mp3"),
        // MPEG 1, 2 and 2.5, layer III and II; what is reserved is none of them.
        (b"\xff\xfb\x90\x64\0\0\0\0\0\0\0\0", "audio/mp3", "mp3"),
        (b"\xff\xf3\x40\xc4\0\0\0\0\0\0\0\0", "audio/mp3", "mp3"),
        (b"\xff\xe3\x18\xc4\0\0\0\0\0\0\0\0", "audio/mp3", "mp3"),
        (b"\xff\xfd\x90\x04\0\0\0\0\0\0\0\0", "audio/mp3", "mp3"),
        (b"\xff\xeb\x90\x64\0\0\0\0\0\0\0\0", "", ""),
        (b"\xff\xe1\x90\x64\0\0\0\0\0\0\0\0", "", ""),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01", "", ""),
        (b"\xff\xf1\x50\x80\x2e\x7f\xfc\x21\0\0\0\0", "audio/aac", "aac"),
        (b"\xff\xf9\x50\x80\x2e\x7f\xfc\x21\0\0\0\0", "audio/aac", "aac"),
        (b"OggS", "audio/ogg", "ogg"),
        (b"Ogg", "", ""),
        (b"", "", ""),
    ];
    for (bytes, mime, format) in rows {
        let data = STANDARD.encode(bytes);
        for said in [json!(data), json!({ "data": data })] {
            let part = json!({ "type": "input_audio", "input_audio": said });
            let heard = json!({ "inlineData": { "mimeType": mime, "data": data } });
            let expected = if mime.is_empty() { refused() } else { Ok(heard) };
            assert_eq!(sent(Dialect::Chat, &part, Dialect::Gemini), expected, "{bytes:?}");
            let told = json!({ "type": "input_audio", "input_audio": { "data": data, "format": format } });
            let expected = if mime.is_empty() { Err(()) } else { Ok(told) };
            assert_eq!(sent(Dialect::Chat, &part, Dialect::Chat).map_err(drop), expected, "{bytes:?}");
        }
    }
    // What is said counts, and what is no base64 says nothing.
    let part = |said: Value| json!({ "type": "input_audio", "input_audio": said });
    let said = part(json!({ "data": "T2dnUwACAAAAAAAAAAA=", "format": "wav" }));
    assert_eq!(
        sent(Dialect::Chat, &said, Dialect::Gemini),
        Ok(json!({ "inlineData": { "mimeType": "audio/wav", "data": "T2dnUwACAAAAAAAAAAA=" } }))
    );
    for data in ["RIFF in clear, not base64", "ünïcödé, of two bytes a letter", "T"] {
        assert_eq!(sent(Dialect::Chat, &part(json!(data)), Dialect::Gemini), refused(), "{data}");
    }
}
