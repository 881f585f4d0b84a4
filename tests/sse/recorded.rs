//! Real streams, cut into chunks in every way: the client is sent the same bytes, and told the same end.

use breakwater::runtime::End;
use breakwater::stream::{Ending, Failure};
use serde_json::Value;

use super::client::{Told, play};
use super::{Random, naive, recordings};

/// The chat streams: name and body.
fn streams() -> Vec<(String, Vec<u8>)> {
    let chats = recordings::all().into_iter().filter(|recording| recording.is_chat() && recording.is_stream());
    let streams: Vec<_> = chats.map(|recording| (recording.name, recording.body.into_bytes())).collect();
    assert!(streams.is_empty() || streams.len() >= 100, "only {} streams", streams.len());
    streams
}

/// Whether an event has content, read apart from the code under test.
fn has_content(data: &[u8]) -> bool {
    let Ok(event) = serde_json::from_slice::<Value>(data) else { return false };
    let filled = |value: &Value| match value {
        Value::String(text) => !text.is_empty(),
        Value::Array(parts) => !parts.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => false,
    };
    let names = ["content", "reasoning", "reasoning_content", "reasoning_details", "refusal", "tool_calls", "images", "audio"];
    event["choices"].as_array().into_iter().flatten().any(|choice| names.iter().any(|name| filled(&choice["delta"][name])))
}

fn is_finish(data: &[u8]) -> bool {
    let event: Value = serde_json::from_slice(data).unwrap_or_default();
    event["choices"].as_array().is_some_and(|choices| choices.iter().any(|choice| choice["finish_reason"].is_string()))
}

/// What a client must be told of a body that ends behind `text`, worked out from its frames.
fn expected(text: &[u8]) -> (Vec<u8>, Result<Ending, Failure>) {
    let (frames, rest) = naive::frames(text);
    // What is told once the terminator is there: the finish reason, and what stands behind it.
    let (mut sent, mut held) = (Vec::new(), Vec::new());
    let mut committed = false;
    let mut add = |sent: &mut Vec<u8>, data: &[u8], frame: &[u8]| {
        if is_finish(data) || !held.is_empty() && !has_content(data) && data != b"[DONE]" {
            held.extend_from_slice(frame);
        } else {
            sent.append(&mut held);
            sent.extend_from_slice(frame);
        }
    };
    for frame in frames {
        let data = naive::data(&frame).unwrap_or_default();
        add(&mut sent, &data, &frame);
        committed |= has_content(&data);
        if data == b"[DONE]" {
            return (sent, Ok(Ending::Complete));
        }
    }
    // The last frame counts without its blank line too, if it is whole.
    let last = naive::data(&rest).unwrap_or_default();
    if last == b"[DONE]" {
        add(&mut sent, &last, &rest);
        return (sent, Ok(Ending::Complete));
    }
    let whole = serde_json::from_slice::<Value>(&last).is_ok_and(|event| event.is_object());
    if !committed {
        let failure = match () {
            () if has_content(&last) => Failure::Cut,
            () if whole || last.is_empty() => Failure::Empty,
            () => Failure::Garbage,
        };
        return (Vec::new(), Err(failure));
    }
    if whole {
        add(&mut sent, &last, &rest);
    }
    (sent, Ok(Ending::Cut))
}

/// That a client was told that much, with an error event at its end unless the stream is complete.
fn check(name: &str, told: &Told, (sent, ending): &(Vec<u8>, Result<Ending, Failure>)) {
    assert_eq!(told.ending, *ending, "{name}");
    let rest = told.sent.strip_prefix(sent.as_slice()).unwrap_or_else(|| {
        panic!("{name}: sent {}\nexpected {}", String::from_utf8_lossy(&told.sent), String::from_utf8_lossy(sent))
    });
    let rest = rest.trim_ascii();
    if *ending == Ok(Ending::Cut) {
        let error: Value =
            serde_json::from_slice(rest.strip_prefix(b"data: ").unwrap_or_else(|| panic!("{name}: no error event")))
                .unwrap_or_else(|_| panic!("{name}: {}", String::from_utf8_lossy(rest)));
        assert_eq!(error["error"]["code"], "upstream_failed", "{name}");
        assert!(told.sent.ends_with(b"\n\n"), "{name}");
    } else {
        assert_eq!(rest, b"", "{name}");
    }
}

#[test]
fn whole_streams_come_through_unchanged() {
    for (name, text) in streams() {
        let expected = (text.clone(), Ok(Ending::Complete));
        check(&name, &play([text.as_slice()], End::Eof, false), &expected);
        for size in [1, 2, 7, 64, 1000] {
            check(&format!("{name} in chunks of {size}"), &play(text.chunks(size), End::Eof, false), &expected);
        }
    }
}

#[test]
fn every_split_point_of_a_stream_of_each_provider() {
    let mut streams = streams();
    streams.sort_by_key(|(_, text)| text.len());
    for provider in ["openai", "deepseek", "groq", "mistral", "openrouter"] {
        let Some((name, text)) = streams.iter().find(|(name, _)| name.starts_with(provider)) else { continue };
        for at in 0..=text.len() {
            let told = play([&text[..at], &text[at..]], End::Eof, false);
            assert_eq!((told.sent, told.ending), (text.clone(), Ok(Ending::Complete)), "{name} at {at}");
        }
    }
}

/// The same with other line ends. Where they are CR, the last frame's end is known only at the body's.
#[test]
fn streams_with_other_line_ends() {
    for (name, text) in streams().into_iter().step_by(5) {
        for end in ["\r\n", "\r"] {
            let text = String::from_utf8(text.clone()).unwrap().replace('\n', end).into_bytes();
            let expected = (text.clone(), Ok(Ending::Complete));
            for size in [text.len(), 1, 3, 50] {
                check(
                    &format!("{name} with {end:?} in chunks of {size}"),
                    &play(text.chunks(size), End::Eof, false),
                    &expected,
                );
            }
        }
    }
}

/// Streams that break off anywhere, in random chunks.
#[test]
fn streams_that_break_off() {
    let mut cut = 0;
    for (at, (name, text)) in streams().into_iter().enumerate() {
        for round in 0..12 {
            let seed = (at * 100 + round) as u64;
            let mut random = Random::seeded(seed);
            let text = &text[..random.below(text.len() + 1)];
            let expected = expected(text);
            cut += usize::from(expected.1 == Ok(Ending::Cut));
            for longest in [usize::MAX / 2, 1, 9, 300] {
                let chunks = random.chunks(text, longest.min(text.len().max(1)));
                let name = format!("{name}, seed {seed}, {} bytes in chunks of up to {longest}", text.len());
                check(&name, &play(chunks, End::Eof, false), &expected);
            }
        }
    }
    println!("broken off after their first content: {cut}");
}

/// A stream without its terminator is complete where its provider is known to leave it out, and only with a finish reason.
#[test]
fn streams_without_their_terminator() {
    for (name, text) in streams() {
        let text = String::from_utf8(text).unwrap();
        let Some((before, _)) = text.split_once("data: [DONE]") else { panic!("{name} has no terminator") };
        let expected = ((before.to_owned() + "data: [DONE]\n\n").into_bytes(), Ok(Ending::Complete));
        for size in [before.len(), 1, 100] {
            check(&format!("{name} in chunks of {size}"), &play(before.as_bytes().chunks(size), End::Eof, true), &expected);
        }
        let told = play(before.as_bytes().chunks(100), End::Eof, false);
        check(&name, &told, &self::expected(before.as_bytes()));
    }
}
