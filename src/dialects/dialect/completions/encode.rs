//! An answer and a stream as text.

use crate::slots::Slots;

use serde_json::{Value, json};

use crate::chat::{Answer, Delta, Kind, Object, Opening, Speech, Usage};
use crate::dialect::Manner;
use crate::dialect::chat::{beside, frame, head, reason, write_usage};

/// Writes a whole answer for a client: its text. Nothing else has a place in it.
#[must_use]
pub fn encode(answer: Answer, manner: &Manner) -> Value {
    let mut told = head("text_completion", answer.id, answer.created, answer.model, manner);
    let mut choices = Vec::new();
    for (index, choice) in answer.choices.into_iter().enumerate() {
        let mut text = String::new();
        for part in choice.parts {
            if let Kind::Text { text: more, .. } | Kind::Refusal(more) | Kind::Speech(Speech { transcript: more, .. }) =
                part.kind
            {
                text.push_str(&more);
            }
        }
        let logprobs = choice.logprobs.map(|logprobs| old_logprobs(&logprobs, &mut 0));
        let finish = choice.finish.as_ref().map(reason).map(old_reason);
        choices.push(json!({ "text": text, "index": index, "logprobs": logprobs, "finish_reason": finish }));
    }
    told.insert("choices".to_owned(), choices.into());
    if let Some(usage) = answer.usage {
        told.insert("usage".to_owned(), write_usage(usage));
    }
    told.extend(beside(answer.extra));
    Value::Object(told)
}

/// There were no tools.
fn old_reason(reason: &'static str) -> &'static str {
    if reason == "tool_calls" { "stop" } else { reason }
}

/// Log probabilities in the older form: lists side by side, with where each token begins, in characters.
fn old_logprobs(logprobs: &Value, offset: &mut usize) -> Value {
    let (mut tokens, mut own, mut tops, mut offsets) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let content = logprobs.get("content").and_then(Value::as_array);
    for token in content.into_iter().flatten() {
        let text = token.get("token").and_then(Value::as_str).unwrap_or_default();
        let logprob = |of: &Value| of.get("logprob").cloned().unwrap_or_default();
        let mut top = Object::new();
        for other in token.get("top_logprobs").and_then(Value::as_array).into_iter().flatten() {
            let name = other.get("token").and_then(Value::as_str).unwrap_or_default();
            top.insert(name.to_owned(), logprob(other));
        }
        tokens.push(text.to_owned());
        own.push(logprob(token));
        tops.push(if top.is_empty() { Value::Null } else { top.into() });
        offsets.push(*offset);
        *offset += text.chars().count();
    }
    let tops = if tops.iter().all(Value::is_null) { Value::Null } else { tops.into() };
    json!({ "tokens": tokens, "token_logprobs": own, "top_logprobs": tops, "text_offset": offsets })
}

/// Writes a stream for a client, delta by delta.
#[derive(Debug)]
pub struct Encoder {
    manner: Manner,
    common: Object,
    /// Which parts are text, and how far each choice's log probabilities came.
    texts: Vec<(u32, u32)>,
    offsets: Slots<usize>,
    usage: Option<Usage>,
}

impl Encoder {
    /// Nothing told yet.
    #[must_use]
    pub fn new(manner: Manner) -> Self {
        let common = head("text_completion", None, None, None, &manner);
        Self { manner, common, texts: Vec::new(), offsets: Slots::default(), usage: None }
    }

    /// Adds the frames that say `delta`: text, and what ends it.
    pub fn delta(&mut self, delta: Delta, frames: &mut String) -> Option<()> {
        match delta {
            Delta::Begin { id, model, created } => self.common = head("text_completion", id, created, model, &self.manner),
            Delta::Open { choice, part, kind: Opening::Text | Opening::Refusal | Opening::Speech } => {
                self.texts.push((choice, part));
            }
            Delta::Text { choice, part, text } if self.texts.contains(&(choice, part)) => {
                self.chunk(choice, &text, None, None, frames);
            }
            Delta::Logprobs { choice, logprobs } => {
                let logprobs = old_logprobs(&logprobs, self.offsets.or_default(choice));
                self.chunk(choice, "", Some(&logprobs), None, frames);
            }
            Delta::Finish { choice, finish, .. } => self.chunk(choice, "", None, Some(old_reason(reason(&finish))), frames),
            Delta::Usage(usage) => self.usage = Some(usage),
            Delta::Extra(extra) => self.common.extend(beside(extra)),
            Delta::End => {
                if let Some(usage) = self.usage.take().filter(|_| self.manner.include_usage) {
                    let mut chunk = self.common.clone();
                    chunk.insert("choices".to_owned(), json!([]));
                    chunk.insert("usage".to_owned(), write_usage(usage));
                    frame(&Value::Object(chunk), frames);
                }
                frames.push_str("data: [DONE]\n\n");
            }
            Delta::Open { .. }
            | Delta::Text { .. }
            | Delta::Sound { .. }
            | Delta::Summary { .. }
            | Delta::Sign { .. }
            | Delta::Note { .. }
            | Delta::Close { .. } => {}
        }
        Some(())
    }

    fn chunk(&self, choice: u32, text: &str, logprobs: Option<&Value>, finish: Option<&str>, frames: &mut String) {
        let mut chunk = self.common.clone();
        chunk.insert(
            "choices".to_owned(),
            json!([{ "text": text, "index": choice, "logprobs": logprobs, "finish_reason": finish }]),
        );
        if self.manner.include_usage {
            chunk.insert("usage".to_owned(), Value::Null);
        }
        frame(&Value::Object(chunk), frames);
    }
}
