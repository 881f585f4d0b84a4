//! Whether an answer is what was demanded.

use breakwater_schema::{Finished, Schema, Violation, repaired, shown};
use serde_json::Value;

use super::{Demand, Form};
use crate::chat::{Answer, Choice, Finish, Kind, Part, ToolCall};
use crate::edit::edited;

/// The most that is told of one answer: more would not be mended at once either.
const MOST_TOLD: usize = 8;

/// The most members that are null for nothing.
const MOST_NULLS: usize = 256;

/// What an answer is.
#[derive(Debug)]
pub(crate) enum Judgement {
    /// What was demanded, as it stands.
    Valid,
    /// Nothing of which anything was demanded: a refusal, a turn that calls tools of which none is judged.
    Exempt,
    /// What was demanded, once the JSON is taken out of what is around it: the answer was changed so.
    Repaired,
    /// Something else.
    Wrong(Box<Wrong>),
}

/// A choice that is not what was demanded.
#[derive(Debug)]
pub(crate) struct Wrong {
    /// What the model said.
    pub(crate) parts: Vec<Part>,
    /// What is wrong with it; of a text, or of the calls with these ids.
    pub(crate) complaints: Vec<Complaint>,
    /// Whether it was cut off at the most tokens that it might have.
    pub(crate) cut: bool,
    /// Whether it was JSON at all, so that another model can make something of it.
    pub(crate) is_json: bool,
}

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub(crate) struct Complaint {
    /// The call that it is about; none where it is the text.
    pub(crate) call: Option<String>,
    pub(crate) message: String,
}

impl Wrong {
    /// All of it in one text, for the client.
    pub(crate) fn in_words(&self) -> String {
        let messages: Vec<&str> = self.complaints.iter().map(|complaint| complaint.message.as_str()).collect();
        messages.join("; ")
    }
}

impl Demand {
    /// Judges every choice of an answer.
    pub(crate) fn judge(&self, answer: &mut Answer) -> Judgement {
        let mut judgement = Judgement::Exempt;
        for choice in &mut answer.choices {
            let found = self.judge_choice(choice);
            let calls = || choice.parts.iter().any(|part| matches!(part.kind, Kind::ToolCall(_)));
            match (found, &judgement) {
                (wrong @ Judgement::Wrong(_), _) => return wrong,
                (Judgement::Repaired, _) => judgement = Judgement::Repaired,
                (Judgement::Valid, Judgement::Exempt) => judgement = Judgement::Valid,
                (Judgement::Exempt, Judgement::Exempt) if self.tools.is_some() && calls() => judgement = Judgement::Valid,
                (Judgement::Valid | Judgement::Exempt, _) => {}
            }
        }
        judgement
    }

    /// What is wrong with an answer that its provider has refused itself, telling it: Groq's `failed_generation`.
    pub(crate) fn failed_generation(&self, refusal: &str) -> Option<Wrong> {
        let refusal: Value = serde_json::from_str(refusal).ok()?;
        let said = refusal.pointer("/error/failed_generation")?.as_str().filter(|said| !said.trim().is_empty())?;
        let mut choice = Choice { parts: vec![Part::text(said)], ..Choice::default() };
        match self.judge_choice(&mut choice) {
            Judgement::Wrong(wrong) => Some(*wrong),
            // It is by the schema, and was refused for something that the schema does not say.
            Judgement::Exempt | Judgement::Valid | Judgement::Repaired => {
                let message = refusal.pointer("/error/message").and_then(Value::as_str);
                let message = message.unwrap_or("its provider refused it").to_owned();
                let complaints = vec![Complaint { call: None, message }];
                Some(Wrong { parts: vec![Part::text(said)], complaints, cut: false, is_json: true })
            }
        }
    }

    fn judge_choice(&self, choice: &mut Choice) -> Judgement {
        let cut = choice.finish == Some(Finish::Length);
        let finished = finished(choice.finish.as_ref());
        let (mut calls, mut repaired, mut complaints) = (choice.parts.iter().any(|part| acts(&part.kind)), false, Vec::new());
        for part in &mut choice.parts {
            let Kind::ToolCall(call) = &mut part.kind else { continue };
            calls = true;
            let messages = self.of_call(&call.name, &call.arguments, call.custom);
            if messages.is_empty() {
                continue;
            }
            if let Some(arguments) = self.mended(call, finished) {
                (call.arguments, repaired) = (arguments, true);
                continue;
            }
            complaints.extend(messages.into_iter().map(|message| Complaint { call: Some(call.id.clone()), message }));
        }
        if calls {
            if !complaints.is_empty() {
                return wrong(choice, complaints, cut, true);
            }
            repaired |= self.form.as_deref().is_some_and(|form| hush(form, choice));
            return if repaired { Judgement::Repaired } else { Judgement::Exempt };
        }
        if is_exempt(choice.finish.as_ref()) || choice.parts.iter().any(|part| matches!(part.kind, Kind::Refusal(_))) {
            return Judgement::Exempt;
        }
        match self.form.as_deref() {
            None => Judgement::Exempt,
            Some(form) => of_text(form, choice, finished, cut),
        }
    }

    /// The schema of a tool's arguments, where they are judged.
    fn schema_of(&self, name: &str) -> Option<&Schema> {
        let (_, schema) = self.tools.as_deref()?.offered.iter().find(|(offered, _)| offered == name)?;
        schema.as_deref()
    }

    /// The arguments of a call, repaired as the text of an answer is.
    fn mended(&self, call: &ToolCall, finished: Finished) -> Option<String> {
        let schema = self.schema_of(&call.name).filter(|_| !call.custom)?;
        mended(schema, &call.arguments, finished).map(|(json, _)| json)
    }

    /// What is wrong with a call of a tool.
    pub(super) fn of_call(&self, name: &str, arguments: &str, custom: bool) -> Vec<String> {
        let Some(tools) = self.tools.as_deref() else { return Vec::new() };
        let offered: Vec<&str> = tools.offered.iter().map(|(name, _)| name.as_str()).collect();
        if offered.is_empty() {
            return vec![format!("there is no tool {}: none was offered", Value::from(name))];
        }
        if !offered.contains(&name) {
            return vec![format!("there is no tool {}; there are {}", Value::from(name), offered.join(", "))];
        }
        let Some(schema) = self.schema_of(name).filter(|_| !custom) else { return Vec::new() };
        // No arguments at all are how some models call a tool that needs none.
        let arguments = if arguments.trim().is_empty() { "{}" } else { arguments };
        match serde_json::from_str::<Value>(arguments) {
            Ok(value) => told(schema.check(&value, MOST_TOLD), &format!("the arguments of {name}")),
            Err(error) => vec![format!("the arguments of {name} are not JSON: {error}")],
        }
    }
}

/// Whether a choice that ended so need not be what was demanded: a filter or the model would not have it, or it is not over yet.
pub(super) fn is_exempt(finish: Option<&Finish>) -> bool {
    matches!(finish, Some(Finish::Refusal | Finish::ContentFilter | Finish::Pause))
}

/// Whether the client is to do something, by an item of Responses' that is no function's call: a shell's, a computer's, a patch, an approval. What the provider
/// does itself is none of these; what is new is taken for one, as it is no text.
pub(super) fn acts(kind: &Kind) -> bool {
    const OF_THE_PROVIDER: [&str; 5] =
        ["web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call", "mcp_call"];
    let Kind::Opaque(Value::Object(item)) = kind else { return false };
    let kind = item.get("type").and_then(Value::as_str).unwrap_or_default();
    (kind.ends_with("_call") || kind == "mcp_approval_request") && !OF_THE_PROVIDER.contains(&kind)
}

fn wrong(choice: &Choice, complaints: Vec<Complaint>, cut: bool, is_json: bool) -> Judgement {
    Judgement::Wrong(Box::new(Wrong { parts: choice.parts.clone(), complaints, cut, is_json }))
}

/// Whether a model that ended so had said all that it wanted to: not at a limit of tokens, nor at a stop sequence, nor for a reason that nobody here knows.
fn finished(finish: Option<&Finish>) -> Finished {
    match finish {
        None | Some(Finish::Stop | Finish::ToolCalls) => Finished::Stop,
        Some(_) => Finished::Cut,
    }
}

fn of_text(form: &Form, choice: &mut Choice, finished: Finished, cut: bool) -> Judgement {
    let text = choice.text();
    match mended(&form.schema, &text, finished) {
        Some((json, _)) if json == text.trim() => Judgement::Valid,
        Some((json, at)) => {
            put(choice, json, at);
            Judgement::Repaired
        }
        None => {
            let (messages, is_json) = form.complaints(&text, finished, cut);
            let complaints = messages.into_iter().map(|message| Complaint { call: None, message }).collect();
            wrong(choice, complaints, cut, is_json)
        }
    }
}

/// Takes the words beside a call out of a choice, where they are not what was demanded of a text. Models announce what they do, and those that demanded a form
/// read every text as JSON: OpenAI's own models say nothing there, and its SDKs' `parse` throws. Whether there were any.
fn hush(form: &Form, choice: &mut Choice) -> bool {
    let text = choice.text();
    if text.is_empty() || mended(&form.schema, &text, Finished::Stop).is_some_and(|(json, _)| json == text.trim()) {
        return false;
    }
    put(choice, String::new(), 0);
    true
}

/// Says the JSON that begins at a byte of a choice's text where it begins, and nothing in its other texts. What was noted of places in the old ones is not
/// true of them.
fn put(choice: &mut Choice, json: String, at: usize) {
    let (mut json, mut end) = (Some(json), 0);
    for part in &mut choice.parts {
        let Kind::Text { text, notes, .. } = &mut part.kind else { continue };
        end += text.len();
        *text = json.take_if(|_| at < end).unwrap_or_default();
        notes.clear();
    }
    choice.logprobs = None;
}

/// A text as it is valid by a schema, and where that begins in it: as it is, taken out of what is around it, closed, or without what is null for nothing.
fn mended(schema: &Schema, text: &str, finished: Finished) -> Option<(String, usize)> {
    if let Some((json, _)) = repaired(text, finished, &mut |value| schema.is_valid(value)) {
        let at = place(text, &json);
        return Some((json.into_owned(), at));
    }
    let (json, value) = repaired(text, finished, &mut |_| true)?;
    Some((without_nulls(schema, &json, &value)?, place(text, &json)))
}

/// Where what was found in a text begins in it: a piece of it, or one that was closed, which is the last that the text says.
fn place(text: &str, found: &str) -> usize {
    let at = found.as_ptr().addr().wrapping_sub(text.as_ptr().addr());
    if at < text.len() { at } else { text.rfind(found.trim_end_matches(['}', ']'])).unwrap_or(0) }
}

/// JSON without those members that are null where they should be something else, and need not be there: so models say that there is nothing to say,
/// those above all that must say something of every property. All else is as the model wrote it, numbers to their last digit.
fn without_nulls(schema: &Schema, json: &str, value: &Value) -> Option<String> {
    let violations = schema.check(value, MOST_NULLS).err()?;
    let is_null = |at: &str| {
        let holder = at.rsplit_once('/').and_then(|(holder, _)| value.pointer(holder));
        holder.is_some_and(Value::is_object) && value.pointer(at).is_some_and(Value::is_null)
    };
    let nulls = violations.into_iter().filter(|violation| is_null(&violation.at));
    let json = edited(json, &nulls.map(|violation| (violation.at, None)).collect::<Vec<_>>())?;
    let value = serde_json::from_str(&json).ok()?;
    schema.is_valid(&value).then_some(json)
}

impl Form {
    /// What is wrong with a text, and whether it is JSON, as far as that can be told.
    fn complaints(&self, text: &str, finished: Finished, cut: bool) -> (Vec<String>, bool) {
        // What a fence or chatter is around is judged by what is in it.
        if let Some(value) = shown(text, finished) {
            let told = told(self.schema.check(&value, MOST_TOLD), "the answer");
            // What is shown may be right, and another answer beside it too.
            let guess = || vec!["the text has more than one answer in it, or is not over".to_owned()];
            return (if told.is_empty() { guess() } else { told }, true);
        }
        let message = if cut {
            "the answer was cut off at the most tokens that it may have".to_owned()
        } else {
            let error = serde_json::from_str::<Value>(text.trim()).err().map(|error| error.to_string());
            format!("the answer is not JSON: {}", error.unwrap_or_default())
        };
        (vec![message], false)
    }
}

fn told(checked: Result<(), Vec<Violation>>, whole: &str) -> Vec<String> {
    let violations = checked.err().unwrap_or_default();
    violations.iter().map(|violation| in_words(whole, violation)).collect()
}

/// What is wrong, and with what.
pub(super) fn in_words(whole: &str, violation: &Violation) -> String {
    let words = violation.to_string();
    // Of all of it, the validator says "the answer".
    match words.strip_prefix("the answer").filter(|_| violation.at.is_empty()) {
        Some(words) => format!("{whole}{words}"),
        None => format!("{whole}, {words}"),
    }
}
