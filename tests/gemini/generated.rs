//! Laws, over requests and answers that nobody thought of.

use breakwater::chat::{Kind, Message, Origin, Part, Reasoning, Request, Role, Seal, Source, ToolCall, ToolResult};
use breakwater::dialect::{Dialect, Whole, gemini};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::rules::judge;
use super::{decoded, gathered, written};

fn part() -> impl Strategy<Value = Value> {
    let text = "[a-cé ]{0,6}";
    let signature = prop::option::of("[a-z]{0,4}");
    let signed = |(mut part, signature): (Value, Option<String>)| {
        if let Some(signature) = signature {
            part["thoughtSignature"] = json!(signature);
        }
        part
    };
    let plain = prop_oneof![
        4 => text.prop_map(|text| json!({ "text": text })),
        2 => text.prop_map(|text| json!({ "text": text, "thought": true })),
        2 => ("[f-h]", any::<u8>()).prop_map(|(name, x)| json!({ "functionCall": { "name": name, "args": { "x": x } } })),
        1 => Just(json!({ "functionCall": { "name": "f", "id": "own" } })),
        1 => Just(json!({ "inlineData": { "mimeType": "image/png", "data": "AA" } })),
        1 => Just(json!({ "executableCode": { "code": "1" } })),
        1 => Just(json!({})),
    ];
    (plain, signature).prop_map(signed)
}

fn origin() -> impl Strategy<Value = Option<Seal>> {
    let origins = prop_oneof![Just(Origin::Gemini), Just(Origin::Anthropic), Just(Origin::Responses), Just(Origin::Chat)];
    prop::option::of((origins, "[a-z]{1,5}").prop_map(|(origin, data)| Seal::new(origin, data)))
}

fn said() -> impl Strategy<Value = Part> {
    let id = "[x-z]";
    prop_oneof![
        3 => ("[a-b]{0,3}", origin()).prop_map(|(text, seal)| Kind::Text { text, notes: Vec::new(), seal }),
        2 => ("[a-b]{0,3}", origin()).prop_map(|(text, seal)| Kind::Reasoning(Reasoning { text, seal, ..Reasoning::default() })),
        4 => (id, "[f-g]", prop_oneof![Just("{}"), Just("{\"a\":1}"), Just(""), Just("{\"a\""), Just("[1]")], origin(), any::<bool>())
            .prop_map(|(id, name, arguments, seal, custom)| Kind::ToolCall(ToolCall { id, name, arguments: arguments.into(), custom, seal })),
        4 => (id, any::<bool>(), "[a-b]{0,3}", any::<bool>()).prop_map(|(id, is_error, text, image)| {
            let mut content = vec![Part::text(text)];
            if image {
                let source = Source::Base64 { media_type: "image/png".into(), data: "AA".into() };
                content.push(Part::new(Kind::Image { source, detail: None, seal: None }));
            }
            Kind::ToolResult(ToolResult { id, name: None, content, is_error, custom: false })
        }),
        1 => Just(Kind::Image { source: Source::Base64 { media_type: "image/png".into(), data: "AA".into() }, detail: None, seal: None }),
        1 => Just(Kind::Refusal("no".into())),
    ]
    .prop_map(Part::new)
}

fn conversation() -> impl Strategy<Value = Vec<Message>> {
    let message = (0..5_usize, vec(said(), 0..4)).prop_map(|(role, parts)| {
        let role = [Role::System, Role::Developer, Role::User, Role::Assistant, Role::Tool][role];
        // Who says what: instructions are text, calls the model's, results the tools'.
        let fits = |part: &Part| match part.kind {
            Kind::Text { .. } => role != Role::Tool,
            Kind::ToolCall(_) | Kind::Reasoning(_) | Kind::Refusal(_) => role == Role::Assistant,
            Kind::ToolResult(_) => role == Role::Tool,
            _ => matches!(role, Role::User | Role::Assistant),
        };
        Message::new(role, parts.into_iter().filter(fits).collect())
    });
    vec(message, 0..9)
}

proptest! {
    /// However the parts of an answer are spread over events, they tell the answer that comes whole, and it is an answer just when it is classified as one.
    #[test]
    fn a_stream_and_its_whole_twin_are_one_answer(parts in vec(part(), 0..8), cuts in vec(any::<bool>(), 8)) {
        let body = |parts: &[Value], finish: bool| {
            let mut candidate = json!({ "content": { "parts": parts } });
            if finish {
                candidate["finishReason"] = json!("STOP");
            }
            json!({ "candidates": [candidate], "responseId": "r", "usageMetadata": { "promptTokenCount": 1 } })
        };
        let whole = body(&parts, true);
        let mut events = Vec::new();
        let mut rest = &parts[..];
        let mut at = 0;
        while !rest.is_empty() {
            let mut size = 1;
            while size < rest.len() && !cuts[(at + size) % cuts.len()] {
                size += 1;
            }
            let (now, later) = rest.split_at(size);
            events.push(body(now, later.is_empty()).to_string());
            (rest, at) = (later, at + size);
        }
        if events.is_empty() {
            events.push(whole.to_string());
        }
        let answer = decoded(&whole);
        prop_assert!(answer.is_some());
        prop_assert_eq!(gathered(events.iter().map(String::as_str)), answer.clone());
        // A signature alone says nothing to anybody.
        let silent = |kind: &Kind| match kind {
            Kind::Text { text, .. } => text.is_empty(),
            Kind::Reasoning(reasoning) => reasoning.text.is_empty(),
            _ => false,
        };
        let says = answer.unwrap().choices[0].parts.iter().any(|part| !silent(&part.kind));
        let is_empty_part = parts.iter().any(|part| part.as_object().is_some_and(serde_json::Map::is_empty));
        let class = gemini::classify_whole(&whole.to_string());
        prop_assert!(is_empty_part || class == if says { Whole::Complete } else { Whole::Empty }, "{:?} {}", class, whole);
    }

    /// Whatever a client's conversation is, what is sent obeys Gemini's rules.
    #[test]
    fn any_conversation_becomes_one_that_gemini_takes(messages in conversation()) {
        let mut request = Request::new(Dialect::Chat);
        request.messages = messages;
        for model in ["gemini-2.0-flash", "gemini-2.5-pro", "gemini-3-pro-preview"] {
            let (body, losses) = written(&request, model);
            if losses.iter().all(|(_, refused)| !refused) {
                judge(&body, model).map_err(|rule| TestCaseError::fail(format!("{model}: {rule}\n{body:#}")))?;
            }
        }
    }

    /// No bytes break anything, and what is not JSON is garbage.
    #[test]
    fn any_bytes_are_classified(bytes in vec(any::<u8>(), 0..60)) {
        let event = gemini::classify_event(&bytes);
        let is_json = serde_json::from_slice::<Value>(&bytes).is_ok();
        prop_assert!(is_json || event.garbage || bytes.trim_ascii().is_empty());
    }
}
