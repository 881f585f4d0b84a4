//! The canonical request as one that Anthropic takes.
//!
//! What a client of another dialect asked for is fitted to what the model takes ([`super::model`]): what it would refuse is left out and noted, rather
//! than sent to be refused. A request of this dialect's own says what its client wrote, which knows its model.

use serde_json::Value;

use super::model::Model;
use super::{object, system, thinking, tools, turns};
use crate::chat::{Format, Losses, Object, Request, says};
use crate::dialect::{Dialect, Recipient, strict};

/// Writes a request.
#[must_use]
pub fn write(request: &Request, to: &Recipient<'_>, losses: &mut Losses) -> Value {
    let model = Model::named(to.model);
    let own = request.dialect == Dialect::Messages;
    let (messages, leading) = turns::write(request, model, losses);
    let tools = tools::write(request, model, losses);
    let choice = tools::choice(request, model, !tools.is_empty(), losses);
    let is_forced =
        choice.as_ref().and_then(|choice| super::text(choice, "type")).is_some_and(|kind| matches!(kind, "any" | "tool"));
    let thinking = thinking::decide(request, model, is_forced, &messages, losses);
    let (format, instruction) = format(request, model, losses);

    let mut body = object([("model", to.model.into()), ("max_tokens", thinking.max_tokens.into())]);
    put_all(&mut body, "system", system::write(leading, instruction, own, losses));
    body.insert("messages".to_owned(), messages.into());
    put_all(&mut body, "tools", tools);
    put(&mut body, "tool_choice", choice);
    put(&mut body, "thinking", thinking.thinking.clone());
    let mut output = Object::new();
    put(&mut output, "effort", thinking.effort);
    put(&mut output, "format", format);
    let mut metadata = Object::new();
    put(&mut metadata, "user_id", request.user.clone());
    if own {
        put(&mut body, "temperature", request.temperature.clone());
        put(&mut body, "top_p", request.top_p.clone());
        put(&mut body, "top_k", request.top_k.clone());
    } else {
        sampling(&mut body, request, model, thinking.thinks(), losses);
    }
    put_all(&mut body, "stop_sequences", stop(request, own, losses));
    if request.stream {
        body.insert("stream".to_owned(), true.into());
    }
    put(&mut body, "cache_control", request.cache_control.clone());
    unsaid(request, losses);
    if own {
        for (name, value) in &request.extra {
            match (name.as_str(), value) {
                ("output_config", Value::Object(rest)) => output.extend(rest.clone()),
                ("metadata", Value::Object(rest)) => metadata.extend(rest.clone()),
                (name, value) => drop(body.insert(name.to_owned(), value.clone())),
            }
        }
    } else {
        losses.unknown("", &request.extra);
    }
    if !output.is_empty() {
        body.insert("output_config".to_owned(), output.into());
    }
    if !metadata.is_empty() {
        body.insert("metadata".to_owned(), metadata.into());
    }
    Value::Object(body)
}

fn put(body: &mut Object, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        body.insert(name.to_owned(), value.into());
    }
}

fn put_all(body: &mut Object, name: &str, values: Vec<Value>) {
    if !values.is_empty() {
        body.insert(name.to_owned(), values.into());
    }
}

/// `output_config.format`, or what the system prompt must say instead.
fn format(request: &Request, model: Model, losses: &mut Losses) -> (Option<Value>, Option<String>) {
    let own = request.dialect == Dialect::Messages;
    match &request.format {
        None | Some(Format::Text) => (None, None),
        Some(form @ Format::JsonObject) => {
            losses.emulate();
            (None, Some(form.in_words()))
        }
        Some(form @ Format::JsonSchema { schema, .. }) => {
            let fitted = if own {
                Some(schema.clone())
            } else {
                strict::fit(schema, &strict::ANTHROPIC).filter(|_| model.has_structured_outputs())
            };
            if let Some(mut schema) = fitted {
                if form.describe(&mut schema) {
                    losses.ignore(if request.dialect == Dialect::Responses {
                        "text.format.description"
                    } else {
                        "response_format.json_schema.description"
                    });
                }
                let format = super::block("json_schema", [("schema", schema)]);
                return (Some(format.into()), None);
            }
            losses.emulate();
            (None, Some(form.in_words()))
        }
        Some(Format::Other(format)) if own => (Some(format.clone()), None),
        Some(Format::Other(_)) => {
            let field = if request.dialect == Dialect::Responses { "text.format" } else { "response_format" };
            losses.refuse(field, "Anthropic's API has JSON schemas, and no grammars");
            (None, None)
        }
    }
}

/// Temperature to 1, and what else the model takes.
fn sampling(body: &mut Object, request: &Request, model: Model, thinks: bool, losses: &mut Losses) {
    let number = |value: &Option<Value>| value.as_ref().and_then(Value::as_f64);
    // The default says nothing.
    let is_default = |value: &Option<Value>| number(value).is_none_or(|number| (number - 1.0).abs() < f64::EPSILON);
    let takes_temperature = model.samples() && !thinks;
    if !is_default(&request.temperature) {
        let is_above = number(&request.temperature).is_some_and(|temperature| temperature > 1.0);
        if is_above || !takes_temperature {
            losses.ignore("temperature");
        }
        if takes_temperature {
            let temperature = if is_above { Some(1.into()) } else { request.temperature.clone() };
            put(body, "temperature", temperature);
        }
    } else if takes_temperature {
        put(body, "temperature", request.temperature.clone());
    }
    if !is_default(&request.top_p) {
        // Beside thinking from 0.95 on ("Extended thinking", "Feature compatibility").
        let is_narrow = number(&request.top_p).is_some_and(|top_p| top_p < 0.95);
        let beside = body.contains_key("temperature") && model.samples_by_one();
        if model.samples() && !beside && !(thinks && is_narrow) {
            put(body, "top_p", request.top_p.clone());
        } else {
            losses.ignore("top_p");
        }
    }
    if request.top_k.is_some() {
        if takes_temperature {
            put(body, "top_k", request.top_k.clone());
        } else {
            losses.ignore("top_k");
        }
    }
}

/// Stop sequences; Anthropic refuses those of white space.
fn stop(request: &Request, own: bool, losses: &mut Losses) -> Vec<Value> {
    let is_taken = |stop: &&String| own || !stop.trim().is_empty();
    let taken: Vec<Value> = request.stop.iter().filter(is_taken).map(|stop| stop.as_str().into()).collect();
    if taken.len() < request.stop.len() {
        losses.ignore("stop");
    }
    taken
}

/// What there are no words for.
fn unsaid(request: &Request, losses: &mut Losses) {
    let is_zero = |value: &Value| value.as_f64() == Some(0.0);
    if request.n.is_some_and(|n| n > 1) {
        losses.refuse("n", "Anthropic's API gives one answer");
    }
    if request.logprobs == Some(true) || request.top_logprobs.is_some_and(|top| top > 0) {
        losses.refuse("logprobs", "Anthropic's API has no log probabilities");
    }
    if request.logit_bias.as_ref().and_then(Value::as_object).is_some_and(|bias| !bias.is_empty()) {
        losses.refuse("logit_bias", "Anthropic's API has no bias of tokens");
    }
    if request.modalities.iter().flatten().any(|modality| modality != "text") {
        losses.refuse("modalities", "Anthropic's models answer in text");
    } else if request.audio.is_some() {
        losses.ignore("audio");
    }
    let ignored = [
        ("frequency_penalty", request.frequency_penalty.as_ref().is_some_and(|penalty| !is_zero(penalty))),
        ("presence_penalty", request.presence_penalty.as_ref().is_some_and(|penalty| !is_zero(penalty))),
        ("seed", request.seed.is_some()),
        ("metadata", request.metadata.as_ref().is_some_and(says)),
        ("store", request.store == Some(true)),
        ("service_tier", request.service_tier.as_deref().is_some_and(|tier| !matches!(tier, "auto" | "default"))),
        ("prompt_cache_key", request.prompt_cache_key.as_deref().is_some_and(|key| !key.is_empty())),
        (
            if request.dialect == Dialect::Responses { "text.verbosity" } else { "verbosity" },
            request.verbosity.as_deref().is_some_and(|verbosity| verbosity != "medium"),
        ),
    ];
    for (field, _) in ignored.into_iter().filter(|(_, is_stated)| *is_stated) {
        losses.ignore(field);
    }
}
