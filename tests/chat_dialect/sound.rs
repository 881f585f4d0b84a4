//! What is said aloud: a stream and its whole twin, and what clients and providers of other dialects get of it.
//!
//! The forms are those of `OpenAI`'s audio models: chunks with `{"id", "transcript"}`, then `{"data"}`, then `{"expires_at"}`, as reported with recordings in
//! mozilla-ai/any-llm#1344 and openai/openai-openapi#577, and a `message.audio` with all four ("The chat completion object").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use breakwater::chat::{Answer, Choice, Finish, Kind, Part, Source, Speech};
use breakwater::dialect::{Dialect, Encoder};
use serde_json::{Value, json};

use crate::{decode, encoded, gather, manner, object, payloads, read, write};

const WORDS: [&str; 3] = ["Good ", "day, ", "wörld."];
const BYTES: &[u8] = b"\x00\x01\xfe\xffsixteen bits, little-endian, at 24 kHz.";

fn chunk(delta: &Value, finish: Option<&str>) -> String {
    json!({ "id": "c", "object": "chat.completion.chunk", "created": 5, "model": "gpt-audio",
        "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] })
    .to_string()
}

/// `OpenAI`'s stream, its sound in these pieces. It has no finish reason (openai/openai-node#1206).
fn stream(pieces: &[String]) -> Vec<String> {
    let mut events = vec![chunk(&json!({ "role": "assistant", "content": null, "refusal": null }), None)];
    events.push(chunk(&json!({ "audio": { "id": "audio_1", "transcript": WORDS[0] } }), None));
    for (at, data) in pieces.iter().enumerate() {
        events.push(chunk(&json!({ "audio": { "data": data } }), None));
        if let Some(words) = WORDS.get(at + 1) {
            events.push(chunk(&json!({ "audio": { "transcript": words } }), None));
        }
    }
    let late = WORDS.iter().skip(pieces.len() + 1);
    events.extend(late.map(|words| chunk(&json!({ "audio": { "transcript": words } }), None)));
    events.push(chunk(&json!({ "audio": { "expires_at": 1_700_000_000 } }), None));
    events.push("[DONE]".to_owned());
    events
}

fn whole() -> Value {
    json!({ "id": "c", "object": "chat.completion", "created": 5, "model": "gpt-audio", "choices": [{ "index": 0, "finish_reason": "stop", "message": {
        "role": "assistant", "content": null, "refusal": null,
        "audio": { "id": "audio_1", "data": STANDARD.encode(BYTES), "expires_at": 1_700_000_000, "transcript": WORDS.concat() } } }] })
}

/// Each of `size` bytes and encoded for itself, as a server does that encodes what it has.
fn encoded_apart(size: usize) -> Vec<String> {
    BYTES.chunks(size).map(|bytes| STANDARD.encode(bytes)).collect()
}

/// One text, cut.
fn cut(size: usize) -> Vec<String> {
    STANDARD.encode(BYTES).as_bytes().chunks(size).map(|piece| String::from_utf8(piece.to_vec()).unwrap()).collect()
}

#[test]
fn a_stream_and_its_whole_twin_are_the_same_however_the_sound_was_cut() {
    let answer = Dialect::Chat.decode(&whole().to_string()).unwrap();
    let speech = Speech {
        transcript: "Good day, wörld.".to_owned(),
        sound: object(&json!({ "id": "audio_1", "data": STANDARD.encode(BYTES), "expires_at": 1_700_000_000 })),
    };
    assert_eq!(answer.choices[0].parts, [Part::new(Kind::Speech(speech))]);
    for size in 1..=BYTES.len() {
        for pieces in [encoded_apart(size), cut(size)] {
            assert!(pieces.len() >= BYTES.len() / size);
            assert_eq!(gather(decode(&stream(&pieces)).unwrap()).as_ref(), Some(&answer), "{pieces:?}");
        }
    }
    // Without the last of it, it has stopped by its terminator, as any other.
    let mut events = stream(&encoded_apart(9));
    events.remove(events.len() - 2);
    assert_eq!(gather(decode(&events).unwrap()).unwrap().choices[0].finish, answer.choices[0].finish);
    // Neither of the two: nothing that is no sound is made of it.
    for pieces in [["AA==", "A"], ["AA==", "?AAA"]] {
        assert_eq!(decode(&stream(&pieces.map(str::to_owned))).and_then(gather), None, "{pieces:?}");
    }
}

#[test]
fn a_chat_client_is_told_it_as_it_was() {
    let answer = Dialect::Chat.decode(&whole().to_string()).unwrap();
    let told = Dialect::Chat.encode(answer, &manner(false));
    assert_eq!(told["choices"][0]["message"]["audio"], whole()["choices"][0]["message"]["audio"]);
    let pieces = encoded_apart(7);
    let heard = |events: &[String]| -> Vec<Value> {
        let chunks = events.iter().filter_map(|event| serde_json::from_str::<Value>(event).ok());
        chunks.map(|chunk| chunk["choices"][0]["delta"]["audio"].clone()).filter(|audio| !audio.is_null()).collect()
    };
    // The words and the id are in deltas of their own.
    let split: Vec<Value> = heard(&stream(&pieces))
        .into_iter()
        .flat_map(|audio| match audio["id"].as_str() {
            Some(id) => vec![json!({ "transcript": audio["transcript"] }), json!({ "id": id })],
            None => vec![audio],
        })
        .collect();
    assert_eq!(heard(&payloads(&encoded(decode(&stream(&pieces)).unwrap(), false))), split);
}

/// The text that a client of the dialect is told, by a stream and whole.
fn texts(dialect: Dialect, events: &[String]) -> [String; 2] {
    let mut encoder = Encoder::new(dialect, manner(false));
    let mut frames = String::new();
    let deltas = decode(events).unwrap();
    for delta in deltas.clone() {
        encoder.delta(delta, &mut frames).unwrap();
    }
    let whole = dialect.encode(gather(deltas).unwrap(), &manner(false));
    for told in [&frames, &whole.to_string()] {
        assert!(!told.contains("audio_1") && !told.contains(&STANDARD.encode(&BYTES[..6])), "{told}");
    }
    let streamed = payloads(&frames)
        .iter()
        .filter_map(|event| serde_json::from_str::<Value>(event).ok())
        .filter_map(|event| {
            let text = match dialect {
                Dialect::Messages => &event["delta"]["text"],
                Dialect::Responses if event["type"] == "response.output_text.delta" => &event["delta"],
                Dialect::Completions => &event["choices"][0]["text"],
                _ => return None,
            };
            text.as_str().map(str::to_owned)
        })
        .collect();
    let list = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let texts: Vec<Value> = match dialect {
        Dialect::Messages => list(&whole["content"]).iter().map(|block| block["text"].clone()).collect(),
        Dialect::Responses => {
            list(&whole["output"]).iter().flat_map(|item| list(&item["content"])).map(|part| part["text"].clone()).collect()
        }
        _ => vec![whole["choices"][0]["text"].clone()],
    };
    // No text is empty.
    assert!(texts.iter().all(|text| text != ""), "{whole}");
    [streamed, texts.iter().map(|text| text.as_str().unwrap()).collect()]
}

#[test]
fn clients_of_other_dialects_are_told_the_words() {
    for dialect in [Dialect::Messages, Dialect::Responses, Dialect::Completions] {
        assert_eq!(texts(dialect, &stream(&encoded_apart(7))), [WORDS.concat(), WORDS.concat()], "{dialect:?}");
    }
}

#[test]
fn text_beside_sound_stays_one_text() {
    // Qwen's audio models say the text as text, and the sound of it beside, by turns.
    let events = [
        chunk(&json!({ "role": "assistant", "content": "Good " }), None),
        chunk(&json!({ "audio": { "id": "audio_1", "data": "AAAA" } }), None),
        chunk(&json!({ "content": "day." }), None),
        chunk(&json!({ "audio": { "data": "BBBB" } }), None),
        chunk(&json!({}), Some("stop")),
        "[DONE]".to_owned(),
    ];
    let answer = gather(decode(&events).unwrap()).unwrap();
    let sound = object(&json!({ "id": "audio_1", "data": "AAAABBBB" }));
    let speech = Part::new(Kind::Speech(Speech { transcript: String::new(), sound }));
    assert_eq!(answer.choices[0].parts, [Part::text("Good day."), speech]);
    for dialect in [Dialect::Messages, Dialect::Responses, Dialect::Completions] {
        assert_eq!(texts(dialect, &events), ["Good day.", "Good day."], "{dialect:?}");
    }
    // One block, which no other one interrupts.
    let mut encoder = Encoder::new(Dialect::Messages, manner(false));
    let mut frames = String::new();
    decode(&events).unwrap().into_iter().for_each(|delta| encoder.delta(delta, &mut frames).unwrap());
    assert_eq!(frames.matches("event: content_block_start").count(), 1, "{frames}");
}

#[test]
fn sound_in_several_parts_is_one_message() {
    // Gemini's stream: each piece is encoded for itself.
    let media_type = "audio/L16;codec=pcm;rate=24000".to_owned();
    let part = |data: &str| Part::new(Kind::Audio(Source::Base64 { media_type: media_type.clone(), data: data.to_owned() }));
    let choice = Choice { parts: vec![part("AQ=="), part("AgM=")], finish: Some(Finish::Stop), ..Choice::default() };
    let answer = Answer { choices: vec![choice], ..Answer::default() };
    let told = Dialect::Chat.encode(answer.clone(), &manner(false));
    let told = &told["choices"][0]["message"]["audio"];
    assert_eq!(told, &json!({ "id": "audio", "data": "AQID", "expires_at": 0, "transcript": "" }));
    let back = gather(decode(&payloads(&encoded(answer.told(), false))).unwrap()).unwrap();
    let [Part { kind: Kind::Speech(speech), .. }] = &back.choices[0].parts[..] else { panic!("{back:?}") };
    assert_eq!((speech.sound["data"].as_str(), speech.transcript.as_str()), (Some("AQID"), ""));
}

#[test]
fn what_was_said_aloud_before_is_its_words_or_refused() {
    let request = |audio: Value| {
        read(&json!({ "model": "m", "messages": [
            { "role": "user", "content": "Hello" }, { "role": "assistant", "audio": audio }, { "role": "user", "content": "And?" }] }))
    };
    let kept = json!({ "id": "audio_1" });
    let echoed = whole()["choices"][0]["message"]["audio"].clone();
    for audio in [&kept, &echoed] {
        let (body, ignored, refused) = write(&request(audio.clone()), "openai", "gpt-audio");
        assert_eq!((&body["messages"][1]["audio"], ignored.len(), refused.len()), (audio, 0, 0), "{body}");
    }
    for dialect in [Dialect::Messages, Dialect::Responses, Dialect::Gemini] {
        let written = |audio: &Value| {
            let mut losses = breakwater::chat::Losses::new();
            let recipient = breakwater::dialect::Recipient { model: "m", quirks: crate::quirks("") };
            let body = dialect.write(&request(audio.clone()), &recipient, &mut losses).to_string();
            (body, losses.iter().filter(|loss| loss.refusal.is_some()).map(|loss| loss.field.clone()).collect::<Vec<_>>())
        };
        let (body, refused) = written(&echoed);
        assert!(refused.is_empty() && body.contains(&WORDS.concat()) && !body.contains("audio_1"), "{dialect:?}: {body}");
        assert_eq!(written(&kept).1, ["messages[].audio"], "{dialect:?}");
    }
}
