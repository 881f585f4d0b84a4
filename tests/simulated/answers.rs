//! What is answered, and how it is told.

use std::time::Duration;

use breakwater::config::simulated::Behaviour;
use breakwater::dialect::chat::Assembly;
use breakwater::http::Headers;
use breakwater::provider::simulated::answer;
use breakwater::runtime::{Ending, Script, ScriptHead};
use serde_json::{Value, json};

use super::{ask, behaving, body, content, header, payloads, question, saying, status, text};

const MS: Duration = Duration::from_millis(1);

/// The whole of an answer, with everything about it that could change by accident.
#[test]
fn an_unstreamed_answer() {
    let script =
        ask(&behaving(&[("text", "Hello there, world"), ("latency", "20ms")]), None, &saying("Are you well?", json!({})));
    let id = body(&script)["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("chatcmpl-") && id.len() == 25, "{id}");
    let request_id = header(&script, "x-request-id").unwrap();
    assert!(request_id.starts_with("req_") && request_id.len() == 20, "{request_id}");
    let expected = json!({
        "id": id, "object": "chat.completion", "created": 1_700_000_000, "model": "primary",
        "service_tier": "default", "system_fingerprint": "fp_simulated",
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": "Hello there, world", "refusal": null, "annotations": [] },
            "logprobs": null, "finish_reason": "stop",
        }],
        "usage": {
            "prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6,
            "prompt_tokens_details": { "cached_tokens": 0, "audio_tokens": 0 },
            "completion_tokens_details": {
                "reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
            },
        },
    });
    assert_eq!(body(&script), expected);
    let headers: Headers = [
        ("content-type", "application/json"),
        ("x-request-id", request_id.as_str()),
        ("openai-version", "2020-10-01"),
        ("openai-organization", "simulated"),
        ("openai-processing-ms", "20"),
        ("x-ratelimit-limit-requests", "10000"),
        ("x-ratelimit-remaining-requests", "9999"),
        ("x-ratelimit-reset-requests", "6ms"),
        ("x-ratelimit-limit-tokens", "2000000"),
        ("x-ratelimit-remaining-tokens", "1999000"),
        ("x-ratelimit-reset-tokens", "30ms"),
    ]
    .into_iter()
    .collect();
    let whole = vec![(Duration::ZERO, text(&script).into_bytes())];
    assert_eq!(
        script,
        Script { head_after: 20 * MS, head: ScriptHead::Answer(200, headers), pieces: whole, ending: Ending::Eof }
    );
}

#[test]
fn a_streamed_answer() {
    let behaviour = behaving(&[
        ("text", "one two three four five"),
        ("piece", "2"),
        ("latency", "20ms"),
        ("first_token", "300ms"),
        ("pace", "10ms"),
    ]);
    let request = saying("Count.", json!({ "stream": true, "stream_options": { "include_usage": true } }));
    let script = ask(&behaviour, None, &request);
    assert_eq!(header(&script, "content-type").as_deref(), Some("text/event-stream; charset=utf-8"));
    assert_eq!((status(&script), script.head_after, script.ending), (Some(200), 20 * MS, Ending::Eof));
    let waits: Vec<Duration> = script.pieces.iter().map(|(wait, _)| *wait).collect();
    let zero = Duration::ZERO;
    assert_eq!(waits, [zero, 300 * MS, 10 * MS, 10 * MS, zero, zero], "role, three pieces, the finish, [DONE]");

    let all = payloads(&script);
    let (done, chunks) = all.split_last().unwrap();
    assert_eq!(done, "[DONE]");
    let chunks: Vec<Value> = chunks.iter().map(|chunk| serde_json::from_str(chunk).unwrap()).collect();
    let id = chunks[0]["id"].clone();
    let chunk = |choices: Value, usage: Value| {
        json!({
            "id": id, "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "primary",
            "service_tier": "default", "system_fingerprint": "fp_simulated", "choices": choices, "usage": usage,
        })
    };
    let delta = |delta: Value, finish: Value| {
        chunk(json!([{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish }]), Value::Null)
    };
    let usage = json!({
        "prompt_tokens": 1, "completion_tokens": 5, "total_tokens": 6,
        "prompt_tokens_details": { "cached_tokens": 0, "audio_tokens": 0 },
        "completion_tokens_details": {
            "reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
        },
    });
    let expected = [
        delta(json!({ "role": "assistant", "content": "", "refusal": null }), Value::Null),
        delta(json!({ "content": "one two" }), Value::Null),
        delta(json!({ "content": " three four" }), Value::Null),
        delta(json!({ "content": " five" }), Value::Null),
        delta(json!({}), json!("stop")),
        chunk(json!([]), usage),
    ];
    assert_eq!(chunks, expected);

    let untold = ask(&behaviour, None, &saying("Count.", json!({ "stream": true })));
    assert!(!text(&untold).contains("usage"), "usage that nobody asked for");
}

/// An unstreamed answer takes as long as its stream.
#[test]
fn an_unstreamed_answer_takes_its_time() {
    let behaviour =
        behaving(&[("text", "a b c d"), ("latency", "5ms"), ("first_token", "100ms"), ("pace", "10ms"), ("piece", "1")]);
    let rows = [
        ("one choice", json!({}), 135),
        ("choices are made at once", json!({ "n": 3 }), 135),
        ("cut short", json!({ "max_tokens": 1 }), 105),
    ];
    for (name, fields, millis) in rows {
        let script = ask(&behaviour, None, &saying("x", fields));
        assert_eq!(script.head_after, millis * MS, "{name}");
        assert_eq!(header(&script, "openai-processing-ms"), Some(millis.to_string()), "{name}");
    }
}

/// What a made-up answer says: the words are part of the first thing that a new user sees.
#[test]
fn an_answer_in_words() {
    let script = ask(&Behaviour::default(), None, &saying("What is\n a  breakwater?", json!({})));
    let said = content(&script);
    let opening = "Hello from primary, a simulated model. You asked: \"What is a breakwater?\" ";
    assert!(said.starts_with(opening), "{said}");
    assert!(said.split_whitespace().count() > 30, "long enough to watch: {said}");
    let pieces = ask(&Behaviour::default(), None, &saying("What is\n a  breakwater?", json!({ "stream": true }))).pieces.len();
    assert!(pieces > 30, "{pieces} pieces");

    let long = ask(&Behaviour::default(), None, &saying(&"ä ".repeat(200), json!({})));
    assert!(content(&long).contains(&format!("\"{}…\"", ["ä"; 40].join(" ") + " ")), "{}", content(&long));
    let parts = json!({ "messages": [{ "role": "user", "content": [{ "type": "text", "text": "One" }, { "type": "image_url", "image_url": { "url": "u" } }] }] });
    assert!(content(&ask(&Behaviour::default(), None, &parts)).contains("\"One\""));
    let nothing = json!({ "messages": [{ "role": "system", "content": "Be brief." }] });
    assert!(content(&ask(&Behaviour::default(), None, &nothing)).contains("You asked nothing."));
}

#[test]
fn the_same_question_gets_the_same_words() {
    let say = |body: &Value, nth, model| {
        let text = body.to_string();
        let mut question = question(&text);
        (question.nth, question.attempt, question.model) = (nth, nth, model);
        answer(&Behaviour::default(), None, &question).unwrap()
    };
    let first = say(&saying("a", json!({})), 0, "primary");
    let again = say(&saying("a", json!({ "temperature": 1, "user": "x", "max_tokens": 1000 })), 7, "primary");
    assert_eq!(content(&first), content(&again));
    assert_ne!(body(&first)["id"], body(&again)["id"], "calls are told apart");

    let varied: std::collections::BTreeSet<String> = (0..40)
        .map(|at| content(&say(&saying(&format!("question {at}"), json!({})), 0, "primary")))
        .map(|text| text.split_once("\" ").unwrap().1.to_owned())
        .collect();
    assert!(varied.len() >= 5, "{varied:?}");
    for said in &varied {
        let sentences: Vec<&str> = said.split_inclusive(". ").map(|sentence| sentence.trim_end_matches([' ', '.'])).collect();
        let different: std::collections::BTreeSet<&str> = sentences.iter().copied().collect();
        assert_eq!((sentences.len(), different.len()), (3, 3), "{said}");
    }
    let choices = body(&say(&saying("a", json!({ "n": 8 })), 0, "primary"))["choices"].clone();
    let different: std::collections::BTreeSet<String> =
        choices.as_array().unwrap().iter().map(|choice| choice["message"]["content"].to_string()).collect();
    assert!(different.len() >= 3, "{different:?}");
    assert_ne!(content(&first), content(&say(&saying("a", json!({})), 0, "backup")));
}

#[test]
fn limits_and_stops() {
    let behaviour = behaving(&[("text", "one two three END four")]);
    let rows = [
        ("no limit", json!({}), "one two three END four", "stop", 5),
        ("max_tokens", json!({ "max_tokens": 2 }), "one two", "length", 2),
        ("max_completion_tokens", json!({ "max_completion_tokens": 1 }), "one", "length", 1),
        ("the newer name wins", json!({ "max_completion_tokens": 1, "max_tokens": 2 }), "one", "length", 1),
        ("exactly enough", json!({ "max_tokens": 5 }), "one two three END four", "stop", 5),
        ("stop", json!({ "stop": "END" }), "one two three ", "stop", 4),
        ("the earliest of several", json!({ "stop": ["END", "two", ""] }), "one ", "stop", 2),
        ("stop before the limit", json!({ "stop": " two", "max_tokens": 2 }), "one", "stop", 1),
        ("the limit before stop", json!({ "stop": "END", "max_tokens": 1 }), "one", "length", 1),
        ("a stop that does not occur", json!({ "stop": "nowhere" }), "one two three END four", "stop", 5),
    ];
    for (name, fields, expected, reason, tokens) in rows {
        let said = body(&ask(&behaviour, None, &saying("x", fields)));
        let choice = &said["choices"][0];
        assert_eq!(choice["message"]["content"], expected, "{name}");
        assert_eq!(
            (choice["finish_reason"].as_str(), said["usage"]["completion_tokens"].as_u64()),
            (Some(reason), Some(tokens)),
            "{name}"
        );
    }
}

#[test]
fn structured_answers() {
    let schema = json!({ "type": "object", "properties": { "city": { "type": "string" }, "days": { "type": "integer", "minimum": 3 } }, "required": ["city", "days"], "additionalProperties": false });
    let format = json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "trip", "strict": true, "schema": schema } } });
    let parsed = |script| serde_json::from_str::<Value>(&content(&script)).expect("JSON");
    assert_eq!(parsed(ask(&Behaviour::default(), None, &saying("x", format.clone()))), json!({ "city": "example", "days": 3 }));
    let fixed = behaving(&[("text", "no JSON")]);
    assert_eq!(
        parsed(ask(&fixed, None, &saying("x", format))),
        json!({ "city": "example", "days": 3 }),
        "a schema goes before a fixed text"
    );

    let any = parsed(ask(&Behaviour::default(), None, &saying("x", json!({ "response_format": { "type": "json_object" } }))));
    assert_eq!(any["model"], "primary");
    let plain = content(&ask(&Behaviour::default(), None, &saying("x", json!({ "response_format": { "type": "text" } }))));
    assert!(plain.starts_with("Hello"), "{plain}");
}

/// The stream of an answer, put together, is the unstreamed answer.
#[test]
fn a_stream_says_what_the_whole_says() {
    let tool = json!({ "type": "function", "function": { "name": "look_up", "parameters": { "type": "object", "properties": { "key": { "type": "string" } }, "required": ["key"] } } });
    let custom = json!({ "type": "custom", "custom": { "name": "note" } });
    let rows = [
        ("words", saying("Hello", json!({}))),
        ("several choices", saying("Hello", json!({ "n": 3, "max_tokens": 9 }))),
        ("a tool", saying("Hello", json!({ "tools": [tool], "tool_choice": "required" }))),
        ("two tools", saying("look_up, then note", json!({ "tools": [tool, custom], "n": 2 }))),
        (
            "a schema",
            saying(
                "Hello",
                json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "x", "schema": { "type": "object", "required": ["a"] } } } }),
            ),
        ),
        ("nothing", saying("Hello", json!({ "stop": "H" }))),
    ];
    for (name, request) in rows {
        for piece in ["1", "3", "1000"] {
            let behaviour = behaving(&[("piece", piece)]);
            let mut streamed = request.clone();
            streamed["stream"] = json!(true);
            streamed["stream_options"] = json!({ "include_usage": true });
            let mut assembly = Assembly::new();
            for payload in payloads(&ask(&behaviour, None, &streamed)) {
                assembly.push(&payload);
            }
            let mut assembled: Value = serde_json::from_str(&assembly.finish().expect("complete")).unwrap();
            let mut whole = body(&ask(&behaviour, None, &request));
            for completion in [&mut assembled, &mut whole] {
                completion["id"] = Value::Null;
                for choice in completion["choices"].as_array_mut().unwrap() {
                    choice["message"].as_object_mut().unwrap().remove("annotations");
                }
            }
            assert_eq!(assembled, whole, "{name}, in pieces of {piece}");
        }
    }
}

/// However much is asked for, an answer stays within what an isolate can hold: a model's own limit.
#[test]
fn an_answer_has_an_end() {
    let long = behaving(&[("text", &"a ".repeat(32_000))]);
    for (name, fields, reason) in [
        ("one long text", json!({}), "length"),
        ("many long texts", json!({ "n": 128 }), "length"),
        ("more than there is", json!({ "max_tokens": u64::MAX }), "length"),
    ] {
        let said = body(&ask(&long, None, &saying("x", fields.clone())));
        assert_eq!(said["choices"][0]["finish_reason"], reason, "{name}");
        assert_eq!(said["usage"]["completion_tokens"], 16_384, "{name}");
        let mut fields = fields;
        fields["stream"] = json!(true);
        let size = text(&ask(&long, None, &saying("x", fields))).len();
        assert!(size < 8 * 1024 * 1024, "{name}: {size} bytes");
    }
    let parameters =
        json!({ "type": "object", "required": ["a"], "properties": { "a": { "type": "string", "minLength": 60_000 } } });
    let tools: Vec<Value> = (0..10)
        .map(|at| json!({ "type": "function", "function": { "name": format!("t{at}"), "parameters": parameters } }))
        .collect();
    let named = "t0 t1 t2 t3 t4 t5 t6 t7 t8 t9";
    let refused = ask(&long, None, &saying(named, json!({ "tools": tools })));
    let expected = json!({ "error": {
        "message": "The tool calls do not fit into this model's maximum of 16384 completion tokens.",
        "type": "invalid_request_error", "param": "tools", "code": "max_tokens_exceeded",
    }});
    assert_eq!((status(&refused), body(&refused)), (Some(400), expected));
    assert_eq!(status(&ask(&long, None, &saying("t3", json!({ "tools": tools })))), Some(200));
}
