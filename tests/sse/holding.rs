//! What commits a stream, what completes it, and what makes it none: the contract's "What counts as an answer".

use breakwater::dialect::Dialect;
use breakwater::stream::{Failure, Held, Hold};

const ROLE: &str = r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#;
const TEXT: &str = r#"{"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}"#;
const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const LENGTH: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#;
const USAGE: &str = r#"{"choices":[],"usage":{"total_tokens":1}}"#;
const ERROR: &str = r#"{"error":{"message":"no"}}"#;

fn events(data: &[&str]) -> Vec<u8> {
    data.iter().flat_map(|data| format!("data: {data}\n\n").into_bytes()).collect()
}

fn delta(delta: &str) -> Vec<u8> {
    events(&[&format!(r#"{{"choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#)])
}

#[derive(Debug, PartialEq)]
enum Is {
    More,
    /// Committed or complete, with as many of the bytes from the first on, and no more.
    Commit(usize),
    Complete(usize),
    Failed(Failure),
}

fn is(held: Held, text: &[u8]) -> Is {
    match held {
        Held::More => Is::More,
        Held::Commit(first) => {
            assert!(text.starts_with(&first), "{}", String::from_utf8_lossy(&first));
            Is::Commit(first.len())
        }
        Held::Complete(all) => {
            assert!(text.starts_with(&all), "{}", String::from_utf8_lossy(&all));
            Is::Complete(all.len())
        }
        Held::Failed(failure) => Is::Failed(failure),
    }
}

#[test]
fn what_commits() {
    let commits: &[(&str, &str)] = &[
        ("text", r#"{"content":"h"}"#),
        ("a space", r#"{"content":" "}"#),
        ("text in parts", r#"{"content":[{"type":"text","text":"h"}]}"#),
        ("reasoning, DeepSeek's", r#"{"reasoning_content":"h"}"#),
        ("reasoning, OpenRouter's", r#"{"reasoning":"h"}"#),
        ("reasoning in parts", r#"{"reasoning_details":[{"type":"reasoning.text","text":"h"}]}"#),
        ("a refusal", r#"{"refusal":"no"}"#),
        ("a tool call", r#"{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":""}}]}"#),
        ("a function call", r#"{"function_call":{"name":"f","arguments":""}}"#),
        ("sound", r#"{"audio":{"data":"AA=="}}"#),
        ("the words of sound", r#"{"role":"assistant","audio":{"id":"a","transcript":"h"}}"#),
        ("text beside empty ones", r#"{"role":"assistant","refusal":null,"tool_calls":[],"content":"h"}"#),
    ];
    for (name, spoken) in commits {
        let text = delta(spoken);
        assert_eq!(is(Hold::new(Dialect::Chat, false).feed(&text), &text), Is::Commit(text.len()), "{name}");
    }
    let do_not: &[(&str, Vec<u8>)] = &[
        ("nothing", Vec::new()),
        ("a comment", b": ping\n\n".to_vec()),
        ("an event's name", b"event: ping\n\n".to_vec()),
        ("empty data", b"data:\n\n".to_vec()),
        ("a role", delta(r#"{"role":"assistant"}"#)),
        ("a role with empty text", events(&[ROLE])),
        ("nulls", delta(r#"{"content":null,"reasoning":null,"refusal":null,"tool_calls":null}"#)),
        ("empty ones", delta(r#"{"content":"","reasoning_content":"","tool_calls":[],"function_call":{}}"#)),
        ("content of a name that nobody has", delta(r#"{"obfuscation":"xyz"}"#)),
        ("sound that is announced", delta(r#"{"role":"assistant","audio":{"id":"a","transcript":"","data":null}}"#)),
        ("when sound expires", delta(r#"{"audio":{"expires_at":5}}"#)),
        ("an object without choices", events(&[r#"{"id":"x","object":"chat.completion.chunk"}"#])),
        ("no choices", events(&[r#"{"choices":[],"prompt_filter_results":[]}"#])),
        ("an error that is none", events(&[r#"{"error":null,"choices":[]}"#])),
        ("a finish reason alone", events(&[STOP])),
        ("text whose frame has not ended", b"data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n".to_vec()),
    ];
    for (name, text) in do_not {
        assert_eq!(is(Hold::new(Dialect::Chat, false).feed(text), text), Is::More, "{name}");
    }
}

#[test]
fn one_read_of_several_events() {
    let (role, text) = (events(&[ROLE]).len(), events(&[ROLE, TEXT]).len());
    let error = || Is::Failed(Failure::Error(ERROR.to_owned()));
    let rows: Vec<(&str, Vec<u8>, Is)> = vec![
        ("up to the text", events(&[ROLE, TEXT]), Is::Commit(text)),
        ("and what is whole behind it", events(&[ROLE, TEXT, STOP]), Is::Commit(events(&[ROLE, TEXT, STOP]).len())),
        ("but not what is not", [events(&[ROLE, TEXT]), b"data: {\"cho".to_vec()].concat(), Is::Commit(text)),
        ("all", events(&[ROLE, TEXT, STOP, "[DONE]"]), Is::Complete(events(&[ROLE, TEXT, STOP, "[DONE]"]).len())),
        (
            "nothing from behind the terminator",
            events(&[TEXT, "[DONE]", ERROR, "[DONE]"]),
            Is::Complete(events(&[TEXT, "[DONE]"]).len()),
        ),
        ("no text", events(&[ROLE, STOP, "[DONE]"]), Is::Failed(Failure::Empty)),
        ("the terminator alone", events(&["[DONE]"]), Is::Failed(Failure::Empty)),
        ("usage alone", events(&[USAGE, "[DONE]"]), Is::Failed(Failure::Empty)),
        (
            "no text, as its length was used up",
            events(&[ROLE, LENGTH, "[DONE]"]),
            Is::Complete(events(&[ROLE, LENGTH, "[DONE]"]).len()),
        ),
        ("the same before the terminator", events(&[ROLE, LENGTH]), Is::More),
        ("an error", events(&[ERROR]), error()),
        ("an error behind a role", events(&[ROLE, ERROR]), error()),
        ("an error behind text that nobody has seen", events(&[TEXT, ERROR]), error()),
        ("an error and a terminator", events(&[ERROR, "[DONE]"]), error()),
        ("HTML in frames", b"<html>\n\n".to_vec(), Is::More),
        ("HTML as data", events(&["<html>"]), Is::Failed(Failure::Garbage)),
        ("an array", events(&["[1]"]), Is::Failed(Failure::Garbage)),
        ("cut JSON", events(&[r#"{"choices":[{"delta""#]), Is::Failed(Failure::Garbage)),
        ("not UTF-8", [b"data: {\"id\":\"\xFF\"}\n\n".to_vec()].concat(), Is::Failed(Failure::Garbage)),
        ("choices of another type", events(&[r#"{"choices":"hi"}"#]), Is::Failed(Failure::Garbage)),
        ("garbage behind text that nobody has seen", events(&[TEXT, "<html>"]), Is::Failed(Failure::Garbage)),
        ("data over two lines", b"data: {\"choices\":[{\"delta\":\ndata: {\"content\":\"hi\"}}]}\n\n".to_vec(), Is::Commit(55)),
    ];
    assert!(role < text);
    for (name, text, expected) in rows {
        assert_eq!(is(Hold::new(Dialect::Chat, false).feed(&text), &text), expected, "{name}");
    }
}

#[test]
fn the_end_of_a_body() {
    let open = |events: &[u8], cut: usize| events[..events.len() - cut].to_vec();
    let with_done = |data: &[&str]| [events(data), b"data: [DONE]\n\n".to_vec()].concat();
    // The body, whether a finish reason is enough, and the outcome: the text that is sent, or the failure.
    let rows: Vec<(&str, Vec<u8>, bool, Result<Vec<u8>, Failure>)> = vec![
        ("nothing", Vec::new(), false, Err(Failure::Empty)),
        ("nothing, where a finish reason is enough", Vec::new(), true, Err(Failure::Empty)),
        ("HTML", b"<!DOCTYPE html><html><body>hi</body></html>".to_vec(), false, Err(Failure::Empty)),
        ("JSON that is no stream", b"{\"choices\":[]}".to_vec(), false, Err(Failure::Empty)),
        ("a role", events(&[ROLE]), false, Err(Failure::Empty)),
        ("a finish reason without text", events(&[ROLE, STOP]), true, Err(Failure::Empty)),
        ("used up", events(&[ROLE, LENGTH]), true, Ok(with_done(&[ROLE, LENGTH]))),
        ("used up, where that is not enough", events(&[ROLE, LENGTH]), false, Err(Failure::Empty)),
        ("an error without a blank line", open(&events(&[ERROR]), 1), false, Err(Failure::Error(ERROR.to_owned()))),
        ("an error without a line end", open(&events(&[ERROR]), 2), false, Err(Failure::Error(ERROR.to_owned()))),
        ("text without a blank line, and no end", open(&events(&[TEXT]), 1), false, Err(Failure::Cut)),
        ("the same, where a finish reason is enough", open(&events(&[TEXT]), 1), true, Err(Failure::Cut)),
        ("and there is one", open(&events(&[STOP, TEXT]), 2), true, Ok(with_done(&[STOP, TEXT]))),
        ("a terminator without a blank line", open(&events(&[LENGTH, "[DONE]"]), 1), false, Ok(with_done(&[LENGTH]))),
    ];
    for (name, body, enough, expected) in rows {
        for size in [body.len().max(1), 1] {
            let mut hold = Hold::new(Dialect::Chat, enough);
            for chunk in body.chunks(size) {
                assert_eq!(hold.feed(chunk), Held::More, "{name}");
            }
            let ended = match hold.end() {
                Held::Complete(sent) => Ok(String::from_utf8(sent).unwrap()),
                Held::Failed(failure) => Err(failure),
                other => panic!("{name}: {other:?}"),
            };
            assert_eq!(
                ended.as_ref().map(|sent| sent.trim_end()),
                expected.as_ref().map(|sent| std::str::from_utf8(sent).unwrap().trim_end()),
                "{name}"
            );
        }
    }
}
