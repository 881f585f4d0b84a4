//! An answer as it looks on the wire: `OpenAI`'s header fields, `chat.completion`, `chat.completion.chunk`.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::request::Request;
use super::say::{Called, Said, tokens};
use super::{Hash, Question};
use crate::config::simulated::Behaviour;
use crate::hash::finalize;
use crate::http::Headers;
use crate::time::millis;

/// A whole answer with its times, before anything goes wrong with it.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) streamed: bool,
    pub(super) headers: Headers,
    pub(super) head_after: Duration,
    /// What comes before the first content: a stream's role.
    pub(super) opening: Vec<u8>,
    /// The content, each piece after a wait. An unstreamed answer has one.
    pub(super) content: Vec<(Duration, Vec<u8>)>,
    /// What comes after it but for `[DONE]`: finish reasons, usage.
    pub(super) closing: Vec<u8>,
}

/// The frame that ends a stream.
pub(super) const DONE: &[u8] = b"data: [DONE]\n\n";

const FINGERPRINT: &str = "fp_simulated";

#[derive(Serialize)]
struct Envelope<'a> {
    id: &'a str,
    object: &'a str,
    created: u64,
    model: &'a str,
    service_tier: &'a str,
    system_fingerprint: &'a str,
    choices: Vec<Value>,
    /// Absent, null, or told.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<&'a Value>,
}

/// Puts an answer into its form.
pub(super) fn write(behaviour: &Behaviour, question: &Question<'_>, request: &Request, answers: Vec<Said>) -> Reply {
    let asked = tokens(&request.prompt).count();
    let said: usize = answers.iter().map(Said::count).sum();
    let usage = json!({
        "prompt_tokens": asked,
        "completion_tokens": said,
        "total_tokens": asked + said,
        "prompt_tokens_details": { "cached_tokens": 0, "audio_tokens": 0 },
        "completion_tokens_details": {
            "reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
        },
    });
    let id = format!("chatcmpl-{:016x}", call_hash(question));
    let form = Form { id: &id, created: question.now.as_millis() / 1000, model: question.model, usage: &usage };
    if request.stream {
        stream(behaviour, question, request, &form, &answers)
    } else {
        whole(behaviour, question, &form, answers)
    }
}

/// What all objects of an answer have in common.
struct Form<'a> {
    id: &'a str,
    created: u64,
    model: &'a str,
    usage: &'a Value,
}

impl Form<'_> {
    fn json(&self, object: &str, choices: Vec<Value>, usage: Option<&Value>) -> String {
        let envelope = Envelope {
            id: self.id,
            object,
            created: self.created,
            model: self.model,
            service_tier: "default",
            system_fingerprint: FINGERPRINT,
            choices,
            usage,
        };
        // Serialization of strings and numbers cannot fail.
        serde_json::to_string(&envelope).unwrap_or_default()
    }

    fn frame(&self, choices: Vec<Value>, usage: Option<&Value>) -> Vec<u8> {
        format!("data: {}\n\n", self.json("chat.completion.chunk", choices, usage)).into_bytes()
    }
}

fn whole(behaviour: &Behaviour, question: &Question<'_>, form: &Form<'_>, answers: Vec<Said>) -> Reply {
    // It takes as long as its stream would, and shows nothing before its end.
    let longest = answers.iter().map(|said| deltas(said, behaviour.piece).len()).max().unwrap_or(0);
    let steps = u32::try_from(longest.saturating_sub(1)).unwrap_or(u32::MAX);
    let head_after =
        behaviour.latency.saturating_add(behaviour.first_token).saturating_add(behaviour.pace.saturating_mul(steps));
    let choices = answers.into_iter().enumerate().map(|(index, said)| {
        let mut message = json!({ "role": "assistant", "content": said.tokens.map(|tokens| tokens.concat()), "refusal": null, "annotations": [] });
        if let Some(message) = message.as_object_mut().filter(|_| !said.calls.is_empty()) {
            message.insert("tool_calls".to_owned(), said.calls.iter().map(|call| tool_call(call, &call.input)).collect());
        }
        json!({ "index": index, "message": message, "logprobs": null, "finish_reason": said.finish_reason })
    });
    let body = form.json("chat.completion", choices.collect(), Some(form.usage));
    Reply {
        streamed: false,
        headers: headers(question, head_after, "application/json"),
        head_after,
        opening: Vec::new(),
        content: vec![(Duration::ZERO, body.into_bytes())],
        closing: Vec::new(),
    }
}

fn stream(behaviour: &Behaviour, question: &Question<'_>, request: &Request, form: &Form<'_>, answers: &[Said]) -> Reply {
    // Where usage is asked for, every chunk but the last says null.
    let untold = request.include_usage.then_some(&Value::Null);
    let chunk = |index: usize, delta: Value, finish_reason: Value| {
        let choice = json!({ "index": index, "delta": delta, "logprobs": null, "finish_reason": finish_reason });
        form.frame(vec![choice], untold)
    };
    let mut opening = Vec::new();
    let mut closing = Vec::new();
    let mut steps: Vec<Vec<u8>> = Vec::new();
    for (index, said) in answers.iter().enumerate() {
        let nothing_yet = said.tokens.as_ref().map(|_| "");
        opening.extend(chunk(index, json!({ "role": "assistant", "content": nothing_yet, "refusal": null }), Value::Null));
        for (at, delta) in deltas(said, behaviour.piece).into_iter().enumerate() {
            let frame = chunk(index, delta, Value::Null);
            match steps.get_mut(at) {
                Some(step) => step.extend(frame),
                None => steps.push(frame),
            }
        }
        closing.extend(chunk(index, json!({}), Value::from(said.finish_reason)));
    }
    if request.include_usage {
        closing.extend(form.frame(Vec::new(), Some(form.usage)));
    }
    let wait = |at| if at == 0 { behaviour.first_token } else { behaviour.pace };
    Reply {
        streamed: true,
        headers: headers(question, behaviour.latency, "text/event-stream; charset=utf-8"),
        head_after: behaviour.latency,
        opening,
        content: steps.into_iter().enumerate().map(|(at, step)| (wait(at), step)).collect(),
        closing,
    }
}

/// A choice's deltas after its role: `piece` tokens of text each; a tool call's name first, and its input after that.
fn deltas(said: &Said, piece: usize) -> Vec<Value> {
    let piece = piece.max(1);
    let mut deltas: Vec<Value> = Vec::new();
    if let Some(tokens) = &said.tokens {
        deltas.extend(tokens.chunks(piece).map(|tokens| json!({ "content": tokens.concat() })));
    }
    for (index, call) in said.calls.iter().enumerate() {
        let mut first = tool_call(call, "");
        if let Some(first) = first.as_object_mut() {
            first.insert("index".to_owned(), Value::from(index));
        }
        deltas.push(json!({ "tool_calls": [first] }));
        let (kind, field) = kind(call);
        let tokens: Vec<&str> = tokens(&call.input).collect();
        for piece in tokens.chunks(piece) {
            deltas.push(json!({ "tool_calls": [{ "index": index, kind: { field: piece.concat() } }] }));
        }
    }
    deltas
}

fn kind(call: &Called) -> (&'static str, &'static str) {
    if call.custom { ("custom", "input") } else { ("function", "arguments") }
}

fn tool_call(call: &Called, input: &str) -> Value {
    let (kind, field) = kind(call);
    json!({ "id": call.id, "type": kind, kind: { "name": call.name, field: input } })
}

/// Tells calls apart, those of the same request included.
fn call_hash(question: &Question<'_>) -> u64 {
    finalize(Hash::new().part(question.target).part(question.body).finish().wrapping_add(question.nth))
}

/// The header fields that `OpenAI` sends; the limits are those of a small account, of which little is used.
pub(super) fn headers(question: &Question<'_>, took: Duration, content_type: &str) -> Headers {
    let fields = [
        ("content-type", content_type.to_owned()),
        ("x-request-id", format!("req_{:016x}", finalize(call_hash(question)))),
        ("openai-version", "2020-10-01".to_owned()),
        ("openai-organization", "simulated".to_owned()),
        ("openai-processing-ms", millis(took).to_string()),
        ("x-ratelimit-limit-requests", "10000".to_owned()),
        ("x-ratelimit-remaining-requests", "9999".to_owned()),
        ("x-ratelimit-reset-requests", "6ms".to_owned()),
        ("x-ratelimit-limit-tokens", "2000000".to_owned()),
        ("x-ratelimit-remaining-tokens", "1999000".to_owned()),
        ("x-ratelimit-reset-tokens", "30ms".to_owned()),
    ];
    fields.into_iter().collect()
}
