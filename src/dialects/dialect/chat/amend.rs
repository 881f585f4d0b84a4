//! A provider's answer, repaired in its own JSON.

use serde_json::Value;

use super::decode::{Called, item};
use crate::chat::{Answer, Kind, Object};
use crate::dialect::amend::Amend;
use crate::edit::Edit;

/// What makes `answer`, which was read from it and changed, of a completion. None where they do not fit.
pub(in crate::dialect) fn amend(told: &Value, answer: &Answer) -> Option<Vec<Edit>> {
    let choices = told.get("choices")?.as_array()?;
    if choices.len() != answer.choices.len() {
        return None;
    }
    let (mut edits, mut before) = (Vec::new(), None);
    for (at, (told, choice)) in (0_u64..).zip(choices.iter().zip(&answer.choices)) {
        let index = told.get("index").and_then(Value::as_u64).unwrap_or(at);
        // They were sorted when they were read.
        if before.is_some_and(|before| before >= index) {
            return None;
        }
        before = Some(index);
        let mut amend = Amend::of(&choice.parts, edits);
        self::choice(&mut amend, told, &format!("/choices/{at}"))?;
        edits = amend.done()?;
    }
    Some(edits)
}

fn choice(amend: &mut Amend<'_>, told: &Value, at: &str) -> Option<()> {
    let (message, of_message) = (told.get("message")?, format!("{at}/message"));
    let (content, begun) = (format!("{of_message}/content"), amend.edits.len());
    match message.get("content") {
        Some(Value::String(text)) if !text.is_empty() => {
            let new = amend.text()?;
            if new.is_empty() {
                amend.put(&content, Value::Null.to_string());
            } else if new != text {
                amend.say(&content, new);
            }
        }
        Some(Value::Array(list)) => texts(amend, list, &content)?,
        _ => {}
    }
    if amend.edits.len() > begun {
        amend.leave_out_places(message, &of_message);
        if told.get("logprobs").is_some() {
            amend.put(&format!("{at}/logprobs"), Value::Null.to_string());
        }
    }
    let calls = message.get("tool_calls").and_then(Value::as_array);
    for (index, told) in calls.into_iter().flatten().enumerate() {
        call(amend, told.as_object()?.clone(), &format!("{of_message}/tool_calls/{index}"), None)?;
    }
    if let Some(function) = message.get("function_call").filter(|function| function.is_object()) {
        let told = Object::from_iter([("function".to_owned(), function.clone())]);
        call(amend, told, &of_message, Some("function_call"))?;
    }
    Some(())
}

/// A content in parts, of which texts side by side were read as one.
fn texts(amend: &mut Amend<'_>, list: &[Value], at: &str) -> Option<()> {
    let (mut run, mut text) = (Vec::new(), String::new());
    for index in 0..=list.len() {
        match list.get(index).map(|value| (value, item(value.clone()))) {
            Some((_, None)) => continue,
            Some((value, Some(Kind::Text { text: more, .. }))) => {
                let member = if value.is_string() { "" } else { "/text" };
                run.push((format!("{at}/{index}"), member));
                text.push_str(&more);
                continue;
            }
            _ => {}
        }
        let mut new = if run.is_empty() { None } else { Some(amend.text()?).filter(|new| *new != text) };
        if new.is_some() {
            new = new.filter(|new| !new.is_empty());
            for (at, member) in &run {
                match new.take() {
                    Some(new) => amend.say(&[at, *member].concat(), new),
                    None => amend.leave_out(at),
                }
            }
        }
        run.clear();
        text.clear();
    }
    Some(())
}

/// A call; `named` is what its function is called in the older form, which is no list of calls.
fn call(amend: &mut Amend<'_>, told: Object, at: &str, named: Option<&str>) -> Option<()> {
    let new = amend.call()?;
    let (inner, field) = if new.custom { ("custom", "input") } else { ("function", "arguments") };
    let is_there = told.get(inner).is_some_and(|inner| inner.get(field).is_some());
    let name = named.unwrap_or(inner);
    if Called::take(told).whole(String::new).arguments != new.arguments {
        is_there.then(|| amend.say(&format!("{at}/{name}/{field}"), &new.arguments))?;
    }
    Some(())
}
