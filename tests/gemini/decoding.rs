//! What an answer of Gemini's means, rule by rule.

use breakwater::chat::{Answer, Finish, Kind, Origin, Reasoning, Seal, Source, ToolCall};
use serde_json::{Value, json};

use super::{decoded, gathered};

fn answer(candidate: Value) -> Value {
    json!({ "candidates": [candidate], "responseId": "r", "modelVersion": "m", "usageMetadata": { "promptTokenCount": 1, "totalTokenCount": 1 } })
}

fn parts(answer: &Answer) -> Vec<Kind> {
    answer.choices[0].parts.iter().map(|part| part.kind.clone()).collect()
}

fn text(text: &str, seal: Option<&str>) -> Kind {
    Kind::Text { text: text.into(), notes: Vec::new(), seal: seal.map(|seal| Seal::new(Origin::Gemini, seal)) }
}

fn thought(text: &str, seal: Option<&str>) -> Kind {
    Kind::Reasoning(Reasoning {
        text: text.into(),
        seal: seal.map(|seal| Seal::new(Origin::Gemini, seal)),
        ..Reasoning::default()
    })
}

#[test]
fn parts_are_what_they_say_whole_and_in_pieces() {
    let image = |family: &str| json!({ "inlineData": { "mimeType": format!("{family}/x"), "data": "AA" } });
    let source = |family: &str| Source::Base64 { media_type: format!("{family}/x"), data: "AA".into() };
    let code = json!({ "executableCode": { "code": "1", "language": "PYTHON" } });
    let cases: Vec<(&str, Vec<Value>, Vec<Kind>)> = vec![
        ("text goes on", vec![json!({ "text": "a" }), json!({ "text": "b" })], vec![text("ab", None)]),
        (
            "thoughts end where the answer begins",
            vec![json!({ "text": "t", "thought": true }), json!({ "text": "a" })],
            vec![thought("t", None), text("a", None)],
        ),
        (
            "a signature alone is the text's",
            vec![json!({ "text": "a" }), json!({ "text": "", "thoughtSignature": "s" })],
            vec![text("a", Some("s"))],
        ),
        (
            "a signature on the last piece is the text's",
            vec![json!({ "text": "a" }), json!({ "text": "b", "thoughtSignature": "s" })],
            vec![text("ab", Some("s"))],
        ),
        (
            "text behind a signature is another part",
            vec![json!({ "text": "a", "thoughtSignature": "s" }), json!({ "text": "b" })],
            vec![text("a", Some("s")), text("b", None)],
        ),
        (
            "a signature alone behind a thought is the thought's",
            vec![json!({ "text": "t", "thought": true }), json!({ "text": "", "thoughtSignature": "s" })],
            vec![thought("t", Some("s"))],
        ),
        (
            "a signature without anything before it keeps its place",
            vec![json!({ "thoughtSignature": "s" })],
            vec![text("", Some("s"))],
        ),
        ("an empty text is nothing", vec![json!({ "text": "" })], vec![]),
        (
            "code and its result are kept whole",
            vec![json!({ "text": "a" }), code.clone(), json!({ "text": "b" })],
            vec![text("a", None), Kind::Opaque(code), text("b", None)],
        ),
        ("an image", vec![image("image")], vec![Kind::Image { source: source("image"), detail: None, seal: None }]),
        ("sound", vec![image("audio")], vec![Kind::Audio(source("audio"))]),
        ("a film", vec![image("video")], vec![Kind::Video(source("video"))]),
        ("any file", vec![image("application")], vec![Kind::File { source: source("application"), name: None }]),
        (
            "a drawing that was only thought of",
            vec![json!({ "thought": true, "inlineData": { "mimeType": "image/x", "data": "AA" } }), json!({ "text": "a" })],
            vec![text("a", None)],
        ),
        ("a part of a later version", vec![json!({ "newThing": 1 })], vec![Kind::Opaque(json!({ "newThing": 1 }))]),
    ];
    for (name, given, expected) in cases {
        let whole = decoded(&answer(json!({ "content": { "parts": given }, "finishReason": "STOP" }))).unwrap();
        assert_eq!(parts(&whole), expected, "{name}, whole");
        let mut events: Vec<String> =
            given.iter().map(|part| answer(json!({ "content": { "parts": [part] } })).to_string()).collect();
        events.push(answer(json!({ "finishReason": "STOP" })).to_string());
        let stream = gathered(events.iter().map(String::as_str));
        // A choice without parts finishes all the same.
        assert_eq!(stream, Some(whole), "{name}, in pieces");
    }
}

#[test]
fn calls_have_ids_that_a_conversation_has_once() {
    let calls = json!([
        { "functionCall": { "name": "f", "args": { "b": 1, "a": 2.0 } }, "thoughtSignature": "s" },
        { "functionCall": { "name": "g" } },
        { "functionCall": { "name": "h", "args": {}, "id": "own" } },
        { "functionCall": { "name": "i", "id": "" } }
    ]);
    let of = |id: &str| {
        let body = json!({ "candidates": [{ "content": { "parts": calls }, "finishReason": "STOP" }], "responseId": id });
        let answer = decoded(&body).unwrap();
        assert_eq!(answer.choices[0].finish, Some(Finish::ToolCalls));
        parts(&answer)
            .into_iter()
            .map(|kind| match kind {
                Kind::ToolCall(call) => call,
                other => panic!("{other:?}"),
            })
            .collect::<Vec<ToolCall>>()
    };
    let one = of("r1");
    assert_eq!(one[0].arguments, r#"{"b":1,"a":2.0}"#, "in the order of the model's");
    assert_eq!(one[0].seal, Some(Seal::new(Origin::Gemini, "s")));
    assert_eq!((one[1].arguments.as_str(), &one[1].seal), ("{}", &None));
    assert_eq!(one[2].id, "own");
    assert_eq!(of("r1"), one, "told twice they are the same");
    let mut ids: Vec<String> = one.into_iter().chain(of("r2")).map(|call| call.id).filter(|id| id != "own").collect();
    assert!(
        ids.iter().all(|id| id.len() <= 40 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')),
        "{ids:?}"
    );
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6);
}

#[test]
fn text_behind_the_first_finish_reason_is_kept_and_the_last_reason_holds() {
    let events = [
        r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}],"responseId":"r"}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"b"}]},"finishReason":"MAX_TOKENS"}]}"#,
        r#"{"usageMetadata":{"promptTokenCount":2,"candidatesTokenCount":3,"totalTokenCount":5}}"#,
    ];
    let answer = gathered(events).unwrap();
    assert_eq!(parts(&answer), [text("ab", None)]);
    assert_eq!(answer.choices[0].finish, Some(Finish::Length));
    assert_eq!(answer.usage.unwrap().output, 3);
}

#[test]
fn a_stream_without_a_finish_reason_is_not_finished() {
    assert_eq!(gathered([r#"{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}"#]), None);
}

#[test]
fn reasons_are_told_in_the_canonical_words() {
    for (reason, finish) in [
        ("STOP", Some(Finish::Stop)),
        ("MAX_TOKENS", Some(Finish::Length)),
        ("SAFETY", Some(Finish::ContentFilter)),
        ("RECITATION", Some(Finish::ContentFilter)),
        ("BLOCKLIST", Some(Finish::ContentFilter)),
        ("PROHIBITED_CONTENT", Some(Finish::ContentFilter)),
        ("SPII", Some(Finish::ContentFilter)),
        ("IMAGE_SAFETY", Some(Finish::ContentFilter)),
        ("LANGUAGE", Some(Finish::ContentFilter)),
        ("OTHER", Some(Finish::Other("other".into()))),
        ("FINISH_REASON_UNSPECIFIED", None),
    ] {
        let found = decoded(&answer(json!({ "content": { "parts": [{ "text": "x" }] }, "finishReason": reason }))).unwrap();
        assert_eq!(found.choices[0].finish, finish, "{reason}");
    }
    for failure in ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MISSING_THOUGHT_SIGNATURE"] {
        assert_eq!(
            decoded(&answer(json!({ "content": { "parts": [{ "text": "x" }] }, "finishReason": failure }))),
            None,
            "{failure}"
        );
    }
}

#[test]
fn candidates_are_choices_by_their_index() {
    let body = json!({ "candidates": [
        { "index": 1, "content": { "parts": [{ "text": "b" }] }, "finishReason": "STOP" },
        { "index": 0, "content": { "parts": [{ "text": "a" }] }, "finishReason": "MAX_TOKENS" }
    ] });
    let found = decoded(&body).unwrap();
    let told: Vec<_> =
        found.choices.iter().map(|choice| (choice.parts[0].kind.clone(), choice.finish.clone().unwrap())).collect();
    assert_eq!(told, [(text("a", None), Finish::Length), (text("b", None), Finish::Stop)]);
    assert_eq!(gathered([body.to_string().as_str()]), Some(found));
}

#[test]
fn usage_counts_as_openai_does() {
    let mut body = answer(json!({ "content": { "parts": [{ "text": "x" }] }, "finishReason": "STOP" }));
    body["usageMetadata"] = json!({
        "promptTokenCount": 100, "toolUsePromptTokenCount": 10, "cachedContentTokenCount": 40, "candidatesTokenCount": 7, "thoughtsTokenCount": 5,
        "totalTokenCount": 122, "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": 70 }, { "modality": "AUDIO", "tokenCount": 30 }],
        "candidatesTokensDetails": [{ "modality": "AUDIO", "tokenCount": 6 }], "serviceTier": "standard"
    });
    let found = decoded(&body).unwrap();
    assert_eq!(found.extra["service_tier"], "default");
    let usage = found.usage.unwrap();
    assert_eq!((usage.input, usage.output, usage.total), (110, 12, None));
    assert_eq!((usage.cached, usage.reasoning, usage.audio_input, usage.audio_output), (Some(40), Some(5), Some(30), Some(6)));
}

#[test]
fn grounding_is_citations_counted_in_characters() {
    let said = "Grüße. Zwei.";
    let candidate = json!({
        "content": { "parts": [{ "text": said }] }, "finishReason": "STOP",
        "groundingMetadata": {
            "groundingChunks": [{ "web": { "uri": "https://a", "title": "A" } }, { "web": { "uri": "https://b", "title": "B" } }],
            "groundingSupports": [{ "segment": { "startIndex": 9, "endIndex": 14 }, "groundingChunkIndices": [0, 7] }]
        }
    });
    let body = answer(candidate);
    let expected = vec![
        json!({ "type": "url_citation", "url": "https://a", "title": "A", "start_index": 7, "end_index": 12 }),
        json!({ "type": "url_citation", "url": "https://b", "title": "B", "start_index": 0, "end_index": 12 }),
    ];
    let found = decoded(&body).unwrap();
    let Kind::Text { notes, .. } = &found.choices[0].parts[0].kind else { panic!() };
    assert_eq!(notes, &expected);
    // In a stream it comes at the end, and may come twice.
    let first = answer(json!({ "content": { "parts": [{ "text": "Grüße. " }] } })).to_string();
    let mut last = body;
    last["candidates"][0]["content"]["parts"][0]["text"] = json!("Zwei.");
    let mut again = last.clone();
    again["candidates"][0]["content"]["parts"] = json!([]);
    assert_eq!(gathered([first.as_str(), &last.to_string(), &again.to_string()]), Some(found));
}

#[test]
fn log_probabilities_are_told_in_chat_s_form() {
    let body = answer(json!({
        "content": { "parts": [{ "text": "é" }] }, "finishReason": "STOP", "avgLogprobs": -0.1,
        "logprobsResult": {
            "chosenCandidates": [{ "token": "é", "tokenId": 5, "logProbability": -0.1 }],
            "topCandidates": [{ "candidates": [{ "token": "é", "logProbability": -0.1 }, { "token": "e" }] }]
        }
    }));
    let top = json!([{ "token": "é", "logprob": -0.1, "bytes": [195, 169] }, { "token": "e", "logprob": 0, "bytes": [101] }]);
    let expected =
        json!({ "content": [{ "token": "é", "logprob": -0.1, "bytes": [195, 169], "top_logprobs": top }], "refusal": null });
    assert_eq!(decoded(&body).unwrap().choices[0].logprobs, Some(expected));
}

#[test]
fn arguments_in_pieces_are_those_that_would_have_come_whole() {
    let call = |call: Value| json!({ "candidates": [{ "content": { "parts": [{ "functionCall": call }] } }] }).to_string();
    let piece = |path: &str, kind: &str, value: Value| {
        call(json!({ "partialArgs": [{ "jsonPath": path, kind: value }], "willContinue": true }))
    };
    let events = [
        call(json!({ "name": "f", "willContinue": true })),
        piece("$.a.b[0].c", "stringValue", json!("x")),
        piece("$.a.b[0].c", "stringValue", json!("y")),
        piece("$.a.b[1]", "numberValue", json!(2)),
        piece("$['d']", "boolValue", json!(true)),
        piece("$.e", "nullValue", json!("NULL_VALUE")),
        call(json!({})),
        call(json!({ "name": "g", "willContinue": true })),
        r#"{"candidates":[{"finishReason":"STOP"}]}"#.to_owned(),
    ];
    let found = gathered(events.iter().map(String::as_str)).unwrap();
    let calls: Vec<(String, Value)> = parts(&found)
        .into_iter()
        .map(|kind| match kind {
            Kind::ToolCall(call) => (call.name, serde_json::from_str(&call.arguments).unwrap()),
            other => panic!("{other:?}"),
        })
        .collect();
    let whole = json!({ "a": { "b": [{ "c": "xy" }, 2] }, "d": true, "e": null });
    assert_eq!(calls, [("f".to_owned(), whole), ("g".to_owned(), json!({}))]);
    for wrong in ["$.a[5]", "a", "$.a.b[0].c.d", "$[0]", "$.a["] {
        let mut events = events[..3].to_vec();
        events.push(piece(wrong, "stringValue", json!("x")));
        assert_eq!(gathered(events.iter().map(String::as_str)), None, "{wrong}");
    }
    assert_eq!(gathered([piece("$.a", "stringValue", json!("x")).as_str()]), None, "a piece of no call");
}

#[test]
fn an_image_of_any_size_is_decoded() {
    let data = "A".repeat(3 * 1024 * 1024);
    let found = decoded(&answer(
        json!({ "content": { "parts": [{ "inlineData": { "mimeType": "image/png", "data": data } }] }, "finishReason": "STOP" }),
    ));
    assert!(
        matches!(&parts(&found.unwrap())[..], [Kind::Image { source: Source::Base64 { data: found, .. }, .. }] if *found == data)
    );
}
