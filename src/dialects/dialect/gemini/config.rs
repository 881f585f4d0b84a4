//! `generationConfig` (<https://ai.google.dev/api/generate-content#generationconfig>).

use serde_json::{Value, json};

use super::model::{Model, Thinker};
use super::schema;
use super::write::named;
use crate::chat::{Effort, Format, Losses, Object, Request, Thinking, says};

/// The most stop sequences.
const MAX_STOPS: usize = 5;

/// The most candidates.
const MAX_CANDIDATES: u64 = 8;

/// Writes what there is of it.
pub(super) fn write(request: &Request, model: Model<'_>, losses: &mut Losses) -> Object {
    let mut config = Object::new();
    let mut set = |name: &str, value: Option<Value>| drop(value.map(|value| config.insert(name.to_owned(), value)));
    set("temperature", request.temperature.clone());
    set("topP", request.top_p.clone());
    set("topK", request.top_k.clone());
    set("maxOutputTokens", request.max_tokens.map(Value::from));
    set("presencePenalty", request.presence_penalty.clone());
    set("frequencyPenalty", request.frequency_penalty.clone());
    set("seed", seed(request, losses));
    set("stopSequences", stops(request, losses));
    set("candidateCount", candidates(request, losses));
    if request.logprobs == Some(true) {
        set("responseLogprobs", Some(Value::Bool(true)));
        set("logprobs", request.top_logprobs.map(Value::from));
    }
    if request.logit_bias.as_ref().is_some_and(says) {
        losses.refuse("logit_bias", "Gemini has no bias of tokens");
    }
    format(request, model, losses, &mut set);
    set("thinkingConfig", thinking(request, model, losses));
    modalities(request, model, losses, &mut set);
    config
}

/// A seed is 32 bits, signed.
fn seed(request: &Request, losses: &mut Losses) -> Option<Value> {
    let seed = request.seed.as_ref()?;
    let fits = seed.as_i64().is_some_and(|seed| i32::try_from(seed).is_ok());
    if !fits {
        losses.ignore("seed");
    }
    fits.then(|| seed.clone())
}

fn stops(request: &Request, losses: &mut Losses) -> Option<Value> {
    if request.stop.len() > MAX_STOPS {
        losses.refuse(named(request, "stop", "stop", "stop_sequences"), "Gemini takes at most 5 stop sequences");
    }
    (!request.stop.is_empty()).then(|| json!(request.stop))
}

fn candidates(request: &Request, losses: &mut Losses) -> Option<Value> {
    let n = request.n.filter(|n| *n != 1)?;
    if n > MAX_CANDIDATES {
        losses.refuse("n", "Gemini gives at most 8 candidates");
    }
    Some(Value::from(n))
}

/// Whether the form of the answer is the model's to keep; otherwise it is asked for in words.
pub(super) fn formats(request: &Request, model: Model<'_>) -> bool {
    model.is_gemini() && (request.tools.is_empty() || model.formats_beside_tools())
}

fn format(request: &Request, model: Model<'_>, losses: &mut Losses, set: &mut impl FnMut(&str, Option<Value>)) {
    let Some(format) = &request.format else { return };
    match format {
        Format::Text => {}
        Format::JsonObject | Format::JsonSchema { .. } if !formats(request, model) => {}
        Format::JsonObject => set("responseMimeType", Some(Value::from("application/json"))),
        Format::JsonSchema { schema, .. } => {
            set("responseMimeType", Some(Value::from("application/json")));
            let takes_all = model.takes_json_schema();
            let (mut written, lost) = if takes_all { (schema::json_schema(schema), false) } else { schema::subset(schema) };
            if format.describe(&mut written) {
                losses.ignore(named(
                    request,
                    "response_format.json_schema.description",
                    "text.format.description",
                    "output_config.format",
                ));
            }
            if takes_all {
                set("responseJsonSchema", Some(written));
            } else {
                if lost {
                    losses.ignore(named(
                        request,
                        "response_format.json_schema.schema",
                        "text.format.schema",
                        "output_config.format.schema",
                    ));
                }
                set("responseSchema", Some(written));
            }
        }
        Format::Other(_) => {
            losses.refuse(
                named(request, "response_format", "text.format", "output_config.format"),
                "Gemini has no such form of an answer",
            );
        }
    }
}

/// `thinkingConfig`. Thoughts are shown where the client's dialect shows them unless told otherwise, as Messages does, or where it asked for summaries; whether a
/// word or a number was said, the model gets what it knows, the nearest there is.
fn thinking(request: &Request, model: Model<'_>, losses: &mut Losses) -> Option<Value> {
    let thinking = request.thinking.as_ref()?;
    let mut config = Object::new();
    let off = thinking.budget == Some(0) || thinking.budget.is_none() && thinking.effort == Some(Effort::None);
    let name = named(request, "reasoning_effort", "reasoning.effort", "thinking");
    match model.thinker() {
        Thinker::None => {
            if !off {
                losses.ignore(name);
            }
            return None;
        }
        Thinker::Budget { least, most, off: can_be_off } => {
            let budget = thinking.budget.or_else(|| thinking.effort.map(Effort::budget));
            if off && !can_be_off {
                losses.ignore(name);
            }
            let budget = match budget {
                Some(0) if can_be_off => Some(Value::from(0)),
                Some(tokens) => Some(Value::from(tokens.clamp(least, most))),
                None => thinking.adaptive.then(|| Value::from(-1)),
            };
            config.extend(budget.map(|budget| ("thinkingBudget".to_owned(), budget)));
        }
        Thinker::Level { minimal, medium } => {
            let level = thinking.effort.or_else(|| thinking.budget.map(Effort::of_budget)).map(|effort| match effort {
                Effort::None | Effort::Minimal if minimal => "minimal",
                Effort::None | Effort::Minimal | Effort::Low => "low",
                Effort::Medium if medium => "medium",
                Effort::Medium | Effort::High | Effort::Xhigh | Effort::Max => "high",
            });
            if off {
                // No model of these is without a thought.
                losses.ignore(name);
            }
            config.extend(level.map(|level| ("thinkingLevel".to_owned(), Value::from(level))));
        }
    }
    let shown = shown(thinking, off);
    config.extend(shown.map(|shown| ("includeThoughts".to_owned(), Value::from(shown))));
    if thinking.summary.as_deref().is_some_and(|summary| summary != "auto") {
        losses.ignore("reasoning.summary");
    }
    losses.unknown(named(request, "reasoning.", "reasoning.", "thinking."), &thinking.extra);
    (!config.is_empty()).then_some(Value::Object(config))
}

fn shown(thinking: &Thinking, off: bool) -> Option<bool> {
    if off {
        return None;
    }
    let asked = thinking.summary.is_some() || thinking.budget.is_some() || thinking.adaptive;
    thinking.shown.or_else(|| asked.then_some(true))
}

/// Sound comes from models that do nothing else, as samples without a header; images from those that are named after them.
fn modalities(request: &Request, model: Model<'_>, losses: &mut Losses, set: &mut impl FnMut(&str, Option<Value>)) {
    let modalities = request.modalities.as_deref().unwrap_or_default();
    let wants = |what: &str| modalities.iter().any(|modality| modality.eq_ignore_ascii_case(what));
    if wants("audio") {
        let audio = |name: &str| request.audio.as_ref().and_then(|audio| audio.get(name)).and_then(Value::as_str);
        if !model.speaks() {
            losses.refuse("modalities", "this model of Gemini's gives no sound");
        } else if audio("format").is_some_and(|format| format != "pcm16") {
            losses.refuse("audio.format", "Gemini's sound is pcm16");
        } else {
            set("responseModalities", Some(json!(["AUDIO"])));
            let voice = |name: &str| json!({ "voiceConfig": { "prebuiltVoiceConfig": { "voiceName": name } } });
            set("speechConfig", audio("voice").map(voice));
        }
    } else if wants("image") {
        if model.draws() {
            set("responseModalities", Some(json!(["TEXT", "IMAGE"])));
        } else {
            losses.refuse("modalities", "this model of Gemini's gives no images");
        }
    }
    for modality in modalities {
        if !["text", "audio", "image"].iter().any(|known| modality.eq_ignore_ascii_case(known)) {
            losses.refuse("modalities", format!("Gemini gives no '{modality}'"));
        }
    }
}
