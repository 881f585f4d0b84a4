//! The request as a provider is sent it, all but its items.

use serde_json::Value;

use super::read::{ENCRYPTED, LOGPROBS};
use super::{object, put, tool, turn};
use crate::chat::{Effort, Losses, Object, Request};
use crate::dialect::openai::{self, RETENTION};
use crate::dialect::{Dialect, Recipient};

/// The least that `max_output_tokens` may be (API reference): a smaller one is raised to it.
const MIN_TOKENS: u64 = 16;

/// Writes a request. What another dialect's client did not ask to be kept is not: `store` is false, and reasoning is asked for in the form
/// in which a client can send it back.
#[must_use]
pub fn write(request: &Request, to: &Recipient<'_>, losses: &mut Losses) -> Value {
    let own = request.dialect == Dialect::Responses;
    let mut body = object([("model", to.model.into())]);
    let (instructions, messages) = turn::instructions(request);
    let items = turn::items(request, messages, losses);
    if items.is_empty() && !own {
        // Without an item there is no request, "even if there are instructions": then these are one.
        let (role, text) = instructions.map_or(("user", Value::from("")), |text| ("system", text.into()));
        let item = object([("type", "message".into()), ("role", role.into()), ("content", text)]);
        body.insert("input".to_owned(), Value::Array(vec![item.into()]));
    } else {
        put(&mut body, "instructions", instructions);
        body.insert("input".to_owned(), items.into());
    }
    let tools = tool::tools(request, losses);
    if !tools.is_empty() {
        body.insert("tools".to_owned(), tools.into());
    }
    put(&mut body, "tool_choice", tool::choice(request, losses));
    put(&mut body, "parallel_tool_calls", request.parallel_tool_calls);
    put(&mut body, "max_output_tokens", request.max_tokens.map(|most| if own { most } else { most.max(MIN_TOKENS) }));
    let reasoning = thinking(request, to.model, losses);
    let effort = reasoning.get("effort").and_then(Value::as_str);
    let takes_sampling = own
        || !tool::always_reasons(to.model) && (tool::reasons(to.model) != Some(true) || matches!(effort, None | Some("none")));
    for (name, value) in [("temperature", &request.temperature), ("top_p", &request.top_p)] {
        // Whoever states the default asks for nothing.
        let is_default = value.as_ref().and_then(Value::as_f64) == Some(1.0);
        match value {
            Some(value) if takes_sampling => drop(body.insert(name.to_owned(), value.clone())),
            Some(_) if !is_default => losses.ignore(name),
            _ => {}
        }
    }
    let asks_encrypted = if own { tool::reasons(to.model) == Some(true) } else { wants_encrypted(request, to.model) };
    if !reasoning.is_empty() {
        body.insert("reasoning".to_owned(), reasoning.into());
    }
    let text = tool::text(request, losses);
    if !text.is_empty() {
        body.insert("text".to_owned(), text.into());
    }
    include(request, asks_encrypted, &mut body);
    put(&mut body, "top_logprobs", request.top_logprobs);
    put(&mut body, "user", request.user.as_deref().map(|user| if own { user.to_owned() } else { openai::user(user) }));
    put(&mut body, "metadata", request.metadata.clone());
    put(&mut body, "store", if own { request.store } else { Some(false) });
    // Anthropic's word for what is not priority is `standard_only`.
    let tier = request.service_tier.as_deref().map(|tier| if tier == "standard_only" { "default" } else { tier });
    put(&mut body, "service_tier", tier);
    put(&mut body, "prompt_cache_key", request.prompt_cache_key.clone());
    if request.stream {
        body.insert("stream".to_owned(), true.into());
    }
    unsayable(request, losses);
    for (name, value) in &request.extra {
        if own && name != "text" && name != "include" {
            body.insert(name.clone(), value.clone());
        }
    }
    if !own {
        let mut extra = request.extra.clone();
        if request.dialect == Dialect::Chat {
            put(&mut body, RETENTION, extra.shift_remove(RETENTION));
        }
        losses.unknown("", &extra);
    }
    Value::Object(body)
}

fn include(request: &Request, encrypted: bool, body: &mut Object) {
    let mut include = match request.extra.get("include") {
        Some(Value::Array(include)) if request.dialect == Dialect::Responses => include.clone(),
        _ => Vec::new(),
    };
    if encrypted {
        include.push(ENCRYPTED.into());
    }
    if request.logprobs == Some(true) {
        include.push(LOGPROBS.into());
    }
    if !include.is_empty() {
        body.insert("include".to_owned(), include.into());
    }
}

/// Models that do not reason refuse to be asked for it.
fn wants_encrypted(request: &Request, model: &str) -> bool {
    let asked = request.thinking.as_ref().is_some_and(|thinking| {
        thinking.adaptive
            || thinking.budget.is_some_and(|budget| budget > 0)
            || thinking.effort.is_some_and(|effort| effort != Effort::None)
    });
    tool::reasons(model).unwrap_or(asked)
}

/// `reasoning`. Budgets become words; that nothing is to be thought becomes the least that the model knows. Summaries are asked for where
/// the client is shown thoughts by its own dialect's rules, and not otherwise: `OpenAI` makes them for verified organisations only.
fn thinking(request: &Request, model: &str, losses: &mut Losses) -> Object {
    let Some(thinking) = &request.thinking else { return Object::new() };
    if request.dialect == Dialect::Responses {
        return tool::reasoning(thinking);
    }
    losses.unknown("reasoning.", &thinking.extra);
    let is_off = thinking.effort.map_or(thinking.budget == Some(0), |effort| effort == Effort::None);
    let mut reasoning = Object::new();
    if tool::reasons(model) == Some(false) {
        if !is_off {
            losses.ignore(if request.dialect == Dialect::Chat { "reasoning_effort" } else { "thinking" });
        }
        return reasoning;
    }
    let in_words = request.dialect == Dialect::Chat || request.dialect == Dialect::Completions;
    let effort = match (thinking.effort, thinking.budget) {
        (Some(effort), _) if in_words => Some(effort),
        // The highest word that all models know.
        (Some(effort), _) if !is_off => Some(effort.min(Effort::High)),
        (None, Some(budget)) if !is_off => Some(Effort::of_budget(budget)),
        _ if is_off => least(model),
        _ => None,
    };
    if is_off && effort.is_none() {
        losses.ignore("thinking");
    }
    put(&mut reasoning, "effort", effort.map(Effort::word));
    let shown = thinking.shown.unwrap_or(request.dialect == Dialect::Messages);
    let summary = thinking.summary.as_deref().or_else(|| (shown && !is_off).then_some("auto"));
    put(&mut reasoning, "summary", summary);
    reasoning
}

/// The least effort of a model: `none` since gpt-5.1, `minimal` of gpt-5, `low` of the o series.
fn least(model: &str) -> Option<Effort> {
    match tool::reasons(model) {
        Some(true) if !tool::always_reasons(model) => Some(Effort::None),
        Some(true) if model.contains("gpt-5") => Some(Effort::Minimal),
        Some(true) => Some(Effort::Low),
        _ => None,
    }
}

/// What the API has no words for.
fn unsayable(request: &Request, losses: &mut Losses) {
    if request.stop.iter().any(|stop| !stop.is_empty()) {
        let name = if request.dialect == Dialect::Messages { "stop_sequences" } else { "stop" };
        losses.refuse(name, "the Responses API knows no stop sequences");
    }
    if request.n.is_some_and(|n| n > 1) {
        losses.refuse("n", "the Responses API gives one answer");
    }
    if request.logit_bias.as_ref().is_some_and(|bias| bias.as_object().is_none_or(|bias| !bias.is_empty())) {
        losses.refuse("logit_bias", "the Responses API has no such parameter");
    }
    if request.modalities.iter().flatten().any(|modality| modality != "text") {
        losses.refuse("modalities", "the Responses API answers in text");
    } else if request.audio.is_some() {
        losses.refuse("audio", "the Responses API answers in text");
    }
    let ignored = [
        ("seed", request.seed.is_some()),
        ("top_k", request.top_k.is_some()),
        ("frequency_penalty", is_not_zero(request.frequency_penalty.as_ref())),
        ("presence_penalty", is_not_zero(request.presence_penalty.as_ref())),
        // Prompts are cached without being asked.
        ("cache_control", request.cache_control.is_some()),
        // What is asked of a translation is kept by nobody.
        ("store", request.store == Some(true) && request.dialect != Dialect::Responses),
    ];
    for (name, _) in ignored.into_iter().filter(|(_, is_there)| *is_there) {
        losses.ignore(name);
    }
}

fn is_not_zero(value: Option<&Value>) -> bool {
    value.is_some_and(|value| value.as_f64() != Some(0.0))
}
