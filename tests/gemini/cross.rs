//! Every request that was recorded at other providers, written for Gemini, obeys Gemini's rules.

use breakwater::chat::{Kind, Part, Request};
use breakwater::dialect::Dialect;
use serde_json::{Value, json};

use super::recordings::all;
use super::rules::judge;
use super::written;

const MODELS: [&str; 4] = ["gemini-2.0-flash", "gemini-2.5-flash", "gemini-3-flash-preview", "gemini-4-argon"];

/// Every text, name and picture of a conversation, as it stands in JSON.
fn said(request: &Request) -> Vec<String> {
    fn of(part: &Part, found: &mut Vec<String>) {
        let quoted = |text: &str| Value::from(text).to_string().trim_matches('"').to_owned();
        match &part.kind {
            Kind::Text { text, .. } | Kind::Refusal(text) => found.push(quoted(text)),
            Kind::ToolCall(call) => found.push(format!("{}", json!(call.name))),
            Kind::ToolResult(result) => result.content.iter().for_each(|part| of(part, found)),
            Kind::Image { source, .. } | Kind::File { source, .. } | Kind::Audio(source) => {
                let url = source.to_url().unwrap_or_default();
                found.push(quoted(url.rsplit(',').next().unwrap_or_default()));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    request.messages.iter().flat_map(|message| &message.parts).for_each(|part| of(part, &mut found));
    found
}

#[test]
fn requests_of_other_dialects_obey_the_rules() {
    let (mut sent, mut refused, mut unread) = (0, 0, Vec::new());
    for recording in all() {
        let dialect = match recording.path.rsplit('/').next().unwrap() {
            "completions" => Dialect::Chat,
            "responses" => Dialect::Responses,
            "messages" => Dialect::Messages,
            _ => continue,
        };
        let Some(body) = recording.request.as_object().filter(|_| recording.method == "POST") else { continue };
        let Some(request) = dialect.read(body.clone()).ok().filter(|request| !request.messages.is_empty()) else {
            unread.push(recording.name.clone());
            continue;
        };
        for model in MODELS {
            let (body, losses) = written(&request, model);
            if losses.iter().any(|(_, refused)| *refused) {
                refused += 1;
                continue;
            }
            let text = body.to_string();
            for said in said(&request) {
                assert!(text.contains(&said), "{} for {model} says no more {said}\n{body:#}", recording.name);
            }
            judge(&body, model).unwrap_or_else(|rule| panic!("{} for {model}: {rule}\n{body:#}", recording.name));
            sent += 1;
        }
    }
    assert!(sent > 0 || all().is_empty());
    println!("{sent} requests sent, {refused} refused; not read by their own dialect: {unread:?}");
}
