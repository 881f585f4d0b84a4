//! How a conversation is told, rule by rule.

use breakwater::chat::{Kind, Message, Origin, Part, Reasoning, Role, Seal, Source, ToolCall, ToolResult};
use serde_json::{Value, json};

use super::writing::{OLD, SECOND, THIRD, clean, hello, image, of, says};
use super::written;

fn call(id: &str, name: &str, arguments: &str, seal: Option<Seal>) -> Part {
    Part::new(Kind::ToolCall(ToolCall { id: id.into(), name: name.into(), arguments: arguments.into(), custom: false, seal }))
}

fn result(id: &str, text: &str, is_error: bool) -> Part {
    Part::new(Kind::ToolResult(ToolResult {
        id: id.into(),
        name: None,
        content: vec![Part::text(text)],
        is_error,
        custom: false,
    }))
}

fn contents(messages: Vec<Message>, model: &str) -> Value {
    clean(&of(messages), model)["contents"].clone()
}

#[test]
fn instructions_are_the_system_s_at_the_beginning_and_the_user_s_later() {
    let request = of(vec![
        says(Role::System, "One"),
        says(Role::Developer, "Two"),
        says(Role::User, "Hello"),
        says(Role::System, "Three"),
        says(Role::Assistant, "Hi"),
    ]);
    assert_eq!(
        clean(&request, SECOND),
        json!({
            "systemInstruction": { "parts": [{ "text": "One" }, { "text": "Two" }] },
            "contents": [
                { "role": "user", "parts": [{ "text": "Hello" }, { "text": "<system>\nThree\n</system>" }] },
                { "role": "model", "parts": [{ "text": "Hi" }] }
            ]
        })
    );
    assert_eq!(
        contents(vec![says(Role::System, "Alone")], SECOND),
        json!([{ "role": "user", "parts": [{ "text": "Alone" }] }])
    );
    assert_eq!(contents(vec![says(Role::User, "")], SECOND)[0]["parts"][0]["text"], "Continue.");
    assert_eq!(
        contents(vec![says(Role::Assistant, "Hi")], SECOND)[0],
        json!({ "role": "user", "parts": [{ "text": "Continue." }] })
    );
    // The open models have no place for instructions.
    let (gemma, _) = written(&request, "gemma-3-27b-it");
    assert!(gemma.get("systemInstruction").is_none());
    assert_eq!(gemma["contents"][0]["parts"][0], json!({ "text": "One\n\nTwo" }));
}

#[test]
fn results_answer_their_calls_in_the_next_turn_in_the_calls_order() {
    let messages = vec![
        says(Role::User, "Go"),
        Message::new(
            Role::Assistant,
            vec![call("x", "f", "{\"b\":1,\"a\":2}", None), call("y", "g", "", None), call("z", "h", "oops", None)],
        ),
        Message::new(Role::Tool, vec![result("y", "bad", true)]),
        Message::new(Role::Tool, vec![result("x", "good", false)]),
        says(Role::User, "And?"),
    ];
    let second = contents(messages.clone(), SECOND);
    assert_eq!(
        second[1]["parts"][0].to_string(),
        r#"{"functionCall":{"name":"f","args":{"b":1,"a":2}}}"#,
        "the order of arguments is the model's"
    );
    assert_eq!(second[1]["parts"][1], json!({ "functionCall": { "name": "g", "args": {} } }));
    assert_eq!(second[1]["parts"][2], json!({ "functionCall": { "name": "h", "args": { "input": "oops" } } }));
    assert_eq!(
        second[2],
        json!({ "role": "user", "parts": [
            { "functionResponse": { "name": "f", "response": { "result": "good" } } },
            { "functionResponse": { "name": "g", "response": { "error": "bad" } } },
            { "functionResponse": { "name": "h", "response": { "error": "The call was not carried out." } } },
            { "text": "And?" }
        ] })
    );
    let third = contents(messages, THIRD);
    let ids: Vec<&Value> = (0..3).map(|at| &third[1]["parts"][at]["functionCall"]["id"]).collect();
    assert_eq!(ids, ["x", "y", "z"]);
    assert_eq!(third[2]["parts"][1]["functionResponse"]["id"], "y");
    // A result of no call is told all the same.
    let orphan = contents(vec![says(Role::User, "Go"), Message::new(Role::Tool, vec![result("q", "what", false)])], SECOND);
    assert_eq!(orphan[0]["parts"][1], json!({ "text": "<tool_result id=\"q\">\nwhat\n</tool_result>" }));
}

#[test]
fn signatures_go_back_to_whom_they_came_from_and_to_nobody_else() {
    let seal = |origin| Some(Seal::new(origin, "sig"));
    let thought = |seal| Part::new(Kind::Reasoning(Reasoning { text: "hm".into(), seal, ..Reasoning::default() }));
    let spoken = |text: &str, seal| Part::new(Kind::Text { text: text.into(), notes: Vec::new(), seal });
    let turn = |parts: Vec<Part>| {
        vec![
            says(Role::User, "Go"),
            Message::new(Role::Assistant, parts),
            Message::new(Role::Tool, vec![result("x", "r", false)]),
        ]
    };
    let own = contents(
        turn(vec![
            thought(seal(Origin::Gemini)),
            spoken("", seal(Origin::Gemini)),
            call("x", "f", "{}", seal(Origin::Gemini)),
            call("y", "g", "{}", None),
        ]),
        THIRD,
    );
    assert_eq!(
        own[1]["parts"],
        json!([
            { "text": "hm", "thought": true, "thoughtSignature": "sig" },
            { "text": "", "thoughtSignature": "sig" },
            { "functionCall": { "name": "f", "args": {}, "id": "x" }, "thoughtSignature": "sig" },
            { "functionCall": { "name": "g", "args": {}, "id": "y" } }
        ])
    );
    for origin in [Origin::Anthropic, Origin::Responses, Origin::Chat] {
        let foreign = || {
            turn(vec![
                thought(seal(origin)),
                spoken("a", seal(origin)),
                call("x", "f", "{}", seal(origin)),
                call("y", "g", "{}", None),
            ])
        };
        let third = contents(foreign(), THIRD);
        assert!(!third.to_string().contains("\"sig\"") && !third.to_string().contains("hm"), "{third}");
        assert_eq!(third[1]["parts"][1]["thoughtSignature"], "skip_thought_signature_validator");
        assert!(third[1]["parts"][2].get("thoughtSignature").is_none(), "only the first call of a step is signed");
        assert!(!contents(foreign(), SECOND).to_string().contains("thoughtSignature"));
    }
}

#[test]
fn media_is_inline_or_fetched_by_who_can() {
    let url = |url: &str| Source::Url { url: url.into(), media_type: None };
    let image_of = |source| Part::new(Kind::Image { source, detail: None, seal: None });
    let file = |mime: &str, uri: &str| json!({ "fileData": { "fileUri": uri, "mimeType": mime } });
    for (part, model, expected) in [
        (image_of(image()), OLD, Some(json!({ "inlineData": { "mimeType": "image/png", "data": "AA" } }))),
        (image_of(url("https://x/a.JPG?b=c.png")), SECOND, Some(file("image/jpeg", "https://x/a.JPG?b=c.png"))),
        (image_of(url("https://x/a")), SECOND, Some(json!({ "fileData": { "fileUri": "https://x/a" } }))),
        (image_of(url("https://x/a.jpg")), OLD, None),
        (image_of(url("data:text/plain,hello")), SECOND, None),
        (image_of(url("ftp://x/a.jpg")), SECOND, None),
        (
            Part::new(Kind::Video(url("https://youtu.be/abc"))),
            OLD,
            Some(json!({ "fileData": { "fileUri": "https://youtu.be/abc" } })),
        ),
        (
            Part::new(Kind::File { source: Source::FileId("files/abc".into()), name: Some("a.pdf".into()) }),
            OLD,
            Some(file("application/pdf", "https://generativelanguage.googleapis.com/v1beta/files/abc")),
        ),
        (Part::new(Kind::File { source: Source::Text("plain".into()), name: None }), OLD, Some(json!({ "text": "plain" }))),
        (
            Part::new(Kind::Audio(Source::Base64 { media_type: "audio/wav".into(), data: "AA".into() })),
            OLD,
            Some(json!({ "inlineData": { "mimeType": "audio/wav", "data": "AA" } })),
        ),
    ] {
        let mut request = hello();
        request.messages[0].parts.push(part.clone());
        match expected {
            // Behind its name, where it has one.
            Some(expected) => {
                assert_eq!(clean(&request, model)["contents"][0]["parts"].as_array().unwrap().last(), Some(&expected));
            }
            None => assert!(written(&request, model).1.iter().all(|(_, refused)| *refused), "{part:?}"),
        }
    }
}

#[test]
fn images_of_a_result_stand_within_it_where_the_model_takes_that() {
    let given = ToolResult {
        id: "x".into(),
        name: None,
        content: vec![Part::text("a"), Part::text("b"), Part::new(Kind::Image { source: image(), detail: None, seal: None })],
        is_error: false,
        custom: false,
    };
    let messages = || {
        vec![
            says(Role::User, "Go"),
            Message::new(Role::Assistant, vec![call("x", "f", "{}", None)]),
            Message::new(Role::Tool, vec![Part::new(Kind::ToolResult(given.clone()))]),
        ]
    };
    let inline = json!({ "inlineData": { "mimeType": "image/png", "data": "AA" } });
    assert_eq!(
        contents(messages(), THIRD)[2]["parts"],
        json!([{ "functionResponse": { "name": "f", "response": { "result": "a\nb" }, "id": "x", "parts": [inline] } }])
    );
    assert_eq!(
        contents(messages(), SECOND)[2]["parts"],
        json!([
            { "functionResponse": { "name": "f", "response": { "result": "a\nb" } } },
            { "text": "What f gave beside its result:" },
            inline
        ])
    );
}
