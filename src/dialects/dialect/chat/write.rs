//! A request for a provider, all but its messages.

use serde_json::{Value, json};

use super::{legal, put, speak, tools};
use crate::chat::{Effort, Format, Losses, Object, Request, Thinking, says};
use crate::dialect::openai::{self, RETENTION};
use crate::dialect::{Dialect, Recipient};
use crate::quirk::{Asks, Quirks};

/// A request under way.
pub(super) struct Writing<'a> {
    pub(super) request: &'a Request,
    pub(super) quirks: Quirks,
    pub(super) model: &'a str,
    /// Whether it was read from this dialect: what is known of it only there is put back.
    pub(super) own: bool,
}

impl Writing<'_> {
    /// Whether a provider may be sent a word that not all know.
    pub(super) fn may(&self, word: &str) -> bool {
        !self.quirks.lacks(word) && (self.own || self.quirks.knows(word))
    }

    /// A field's name in the client's dialect.
    fn named(&self, chat: &'static str, responses: &'static str, messages: &'static str) -> &'static str {
        match self.request.dialect {
            Dialect::Chat | Dialect::Completions | Dialect::Gemini => chat,
            Dialect::Responses => responses,
            Dialect::Messages => messages,
        }
    }
}

/// Writes a request for a provider, and notes what of it could not be said.
#[must_use]
pub fn write(request: &Request, to: &Recipient<'_>, losses: &mut Losses) -> Value {
    let writing = Writing { request, quirks: to.quirks, model: to.model, own: request.dialect == Dialect::Chat };
    let reasons = to.quirks.original && always_samples_itself(to.model, request);
    let mut body = Object::new();
    body.insert("model".to_owned(), to.model.into());
    let mut messages = speak::messages(&writing, losses);
    let format = format(&writing, &mut messages, losses);
    if !writing.own && to.quirks.knows.contains(&"prefix") {
        begins(&mut messages);
    }
    body.insert("messages".to_owned(), messages.into());
    put(&mut body, "response_format", format);
    tools::write(&writing, &mut body, losses);
    let has_limit = to.quirks.knows("max_completion_tokens") && !to.quirks.lacks("max_completion_tokens");
    let limit = if has_limit { "max_completion_tokens" } else { "max_tokens" };
    put(&mut body, limit, request.max_tokens);
    sampling(&writing, reasons, &mut body, losses);
    alternatives(&writing, reasons, &mut body, losses);
    thinking(&writing, to.model, &mut body, losses);
    beside(&writing, &mut body, losses);
    if request.stream {
        body.insert("stream".to_owned(), true.into());
        if to.quirks.stream_usage {
            body.insert("stream_options".to_owned(), json!({ "include_usage": true }));
        }
    }
    if writing.own {
        body.extend(request.extra.clone());
    } else {
        let mut extra = request.extra.clone();
        if to.quirks.original && request.dialect == Dialect::Responses {
            put(&mut body, RETENTION, extra.shift_remove(RETENTION));
        }
        losses.unknown("", &extra);
    }
    legal::make(&mut body, to.model, to.quirks);
    Value::Object(body)
}

/// A last turn of the assistant's is the beginning of its answer.
fn begins(messages: &mut [Value]) {
    if let Some(Value::Object(last)) = messages.last_mut()
        && last.get("role").is_some_and(|role| role == "assistant")
        && !last.contains_key("tool_calls")
    {
        last.insert("prefix".to_owned(), true.into());
    }
}

/// OpenAI's reasoning models, by their names.
fn is_reasoning(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    let is_series = ["o1", "o3", "o4", "gpt-5"].iter().any(|series| name.starts_with(series));
    is_series && !name.contains("-chat")
}

/// "Reasoning models": they refuse to be told how to choose among tokens, since gpt-5.1 unless they are not to think at all.
fn always_samples_itself(model: &str, request: &Request) -> bool {
    let is_off = request.thinking.as_ref().is_some_and(|thinking| thinking.effort == Some(Effort::None));
    is_reasoning(model) && !(is_off && model.contains("gpt-5."))
}

fn sampling(writing: &Writing<'_>, reasons: bool, body: &mut Object, losses: &mut Losses) {
    let request = writing.request;
    let numbers = [
        ("temperature", &request.temperature, 1.0),
        ("top_p", &request.top_p, 1.0),
        ("frequency_penalty", &request.frequency_penalty, 0.0),
        ("presence_penalty", &request.presence_penalty, 0.0),
    ];
    for (name, value, default) in numbers {
        match value {
            Some(value) if !reasons && !writing.quirks.lacks(name) => drop(body.insert(name.to_owned(), value.clone())),
            // Whoever states the default asks for nothing.
            Some(value) if value.as_f64() != Some(default) => losses.ignore(name),
            _ => {}
        }
    }
    if let Some(top_k) = &request.top_k {
        // No word of OpenAI's own.
        if writing.own || writing.quirks.knows.contains(&"top_k") {
            body.insert("top_k".to_owned(), top_k.clone());
        } else {
            losses.ignore("top_k");
        }
    }
    if let Some(seed) = &request.seed {
        let name = if writing.quirks.knows.contains(&"random_seed") { "random_seed" } else { "seed" };
        if writing.quirks.lacks("seed") {
            losses.ignore("seed");
        } else {
            body.insert(name.to_owned(), seed.clone());
        }
    }
    if !request.stop.is_empty() {
        // "Not supported with latest reasoning models o3 and o4-mini"; gpt-5 neither.
        if writing.quirks.lacks("stop") || reasons {
            losses.refuse(writing.named("stop", "stop", "stop_sequences"), "the target knows no stop sequences");
        } else {
            let most = writing.quirks.most_stops.filter(|most| request.stop.len() > usize::from(*most));
            if let Some(most) = most {
                let why = format!("the target takes at most {most} stop sequences");
                losses.refuse(writing.named("stop", "stop", "stop_sequences"), why);
            }
            if most.is_none() || writing.own {
                body.insert("stop".to_owned(), request.stop.clone().into());
            }
        }
    }
}

/// What an answer would be another without.
fn alternatives(writing: &Writing<'_>, reasons: bool, body: &mut Object, losses: &mut Losses) {
    let request = writing.request;
    let lacks = |word: &str| writing.quirks.lacks(word) || reasons && word != "n";
    if let Some(n) = request.n {
        match (lacks("n"), n) {
            (false, _) => drop(body.insert("n".to_owned(), n.into())),
            (true, 1) => {}
            (true, _) => losses.refuse("n", "the target gives one answer"),
        }
    }
    match (request.logprobs, request.top_logprobs) {
        (Some(false), Some(_)) | (None, Some(0)) if !writing.own || lacks("logprobs") => {}
        (None | Some(false), None) => put(body, "logprobs", request.logprobs.filter(|_| !lacks("logprobs"))),
        _ if lacks("logprobs") => losses.refuse("logprobs", "the target tells no log probabilities"),
        (logprobs, top) => {
            // In Responses, the number alone asks for them.
            put(body, "logprobs", if writing.own { logprobs } else { Some(true) });
            put(body, "top_logprobs", top);
        }
    }
    if let Some(bias) = &request.logit_bias {
        match (lacks("logit_bias"), bias.as_object().is_some_and(Object::is_empty)) {
            (false, _) => drop(body.insert("logit_bias".to_owned(), bias.clone())),
            (true, true) => {}
            (true, false) => losses.refuse("logit_bias", "the target has no such parameter"),
        }
    }
    if let Some(modalities) = &request.modalities {
        if writing.may("modalities") {
            body.insert("modalities".to_owned(), modalities.clone().into());
        } else if modalities.iter().any(|modality| modality != "text") {
            losses.refuse("modalities", "the target answers in text");
        }
    }
    if let Some(audio) = &request.audio {
        if writing.may("audio") {
            body.insert("audio".to_owned(), audio.clone());
        } else {
            losses.refuse("audio", "the target answers in text");
        }
    }
}

/// Members beside the question.
fn beside(writing: &Writing<'_>, body: &mut Object, losses: &mut Losses) {
    let request = writing.request;
    let text = |text: &Option<String>| text.clone().map(Value::from);
    let user = request.user.as_deref().filter(|user| writing.own || !user.is_empty());
    match user.map(|user| if writing.own { user.to_owned() } else { openai::user(user) }) {
        Some(user) if !writing.quirks.lacks("user") => drop(body.insert("user".to_owned(), user.into())),
        Some(_) => losses.ignore(writing.named("user", "user", "metadata.user_id")),
        None => {}
    }
    // Anthropic's word for what is not priority is `standard_only`.
    let tier = request.service_tier.as_deref().map(|tier| if tier == "standard_only" { "default" } else { tier });
    let members = [
        ("verbosity", text(&request.verbosity)),
        ("metadata", request.metadata.clone()),
        ("service_tier", tier.map(Value::from)),
        ("prompt_cache_key", text(&request.prompt_cache_key)),
        ("cache_control", request.cache_control.clone()),
    ];
    for (name, value) in members {
        let Some(value) = value else { continue };
        // No word of OpenAI's own.
        let may = writing.may(name) && (name != "cache_control" || writing.own || !writing.quirks.original);
        if may && (writing.own || name != "metadata") {
            body.insert(name.to_owned(), value);
        } else if says(&value) {
            losses.ignore(name);
        }
    }
    match request.store {
        Some(store) if writing.own => drop(body.insert("store".to_owned(), store.into())),
        Some(true) => losses.ignore("store"),
        _ => {}
    }
}

/// Whether a call is forced, by what is written.
fn is_forced(body: &Object) -> bool {
    body.get("tool_choice").is_some_and(|choice| choice != "auto" && choice != "none")
}

/// How thoughts are to be shown, where the provider cannot be told: `OpenAI` shows none here, and the others show them as they are.
fn showing(writing: &Writing<'_>, thinking: &Thinking, losses: &mut Losses) {
    if writing.quirks.asks == Asks::Object {
        return;
    }
    let original = writing.quirks.original;
    if thinking.shown == Some(false) && !original {
        losses.ignore("thinking.display");
    }
    if thinking.summary.as_deref().is_some_and(|summary| original || summary != "auto") {
        losses.ignore("reasoning.summary");
    }
}

fn thinking(writing: &Writing<'_>, model: &str, body: &mut Object, losses: &mut Losses) {
    let name = writing.named("reasoning_effort", "reasoning", "thinking");
    let is_off = |thinking: &Thinking| thinking.effort.map_or(thinking.budget == Some(0), |effort| effort == Effort::None);
    if writing.quirks.asks == Asks::Thinking && !writing.own && is_forced(body) {
        // "Thinking mode does not support this tool_choice", and is what it does unless told otherwise.
        body.insert("thinking".to_owned(), json!({ "type": "disabled" }));
        if writing.request.thinking.as_ref().is_some_and(|thinking| !is_off(thinking)) {
            losses.ignore(name);
        }
        return;
    }
    let Some(thinking) = &writing.request.thinking else { return };
    let is_off = is_off(thinking);
    let effort = thinking.effort.or_else(|| thinking.budget.map(Effort::of_budget));
    if !writing.own {
        losses.unknown(&format!("{name}."), &thinking.extra);
        if !is_off {
            showing(writing, thinking, losses);
        }
    }
    match writing.quirks.asks {
        Asks::Effort if writing.quirks.original && !writing.own && !is_reasoning(model) => {
            if !is_off {
                losses.ignore(name);
            }
        }
        Asks::Effort if !writing.own && !writing.quirks.efforts.hold(model) => losses.ignore(name),
        Asks::Effort if is_off && !writing.own => {
            // "none" since gpt-5.1, "minimal" of gpt-5, "low" of the o series; of others' models nothing is known.
            let least = if model.contains("gpt-5.") {
                "none"
            } else if model.contains("gpt-5") {
                "minimal"
            } else {
                "low"
            };
            if writing.quirks.original {
                put(body, "reasoning_effort", Some(least));
            } else {
                // Whether the model thinks, and whether it can be kept from it, nobody knows.
                losses.ignore(name);
            }
        }
        Asks::Effort => {
            // The highest that all know, and of others than OpenAI the least.
            let least = if writing.quirks.original { Effort::Minimal } else { Effort::Low };
            let effort = effort.map(|effort| if writing.own { effort } else { effort.clamp(least, Effort::High) });
            put(body, "reasoning_effort", effort.map(Effort::word));
        }
        Asks::NoneOrHigh => {
            let word = if is_off { "none" } else { "high" };
            body.insert("reasoning_effort".to_owned(), word.into());
        }
        Asks::Object => {
            let mut reasoning = Object::new();
            match (thinking.effort, thinking.budget) {
                _ if is_off => put(&mut reasoning, "enabled", Some(false)),
                (Some(effort), _) => {
                    let effort = if effort == Effort::Max { Effort::Xhigh } else { effort };
                    put(&mut reasoning, "effort", Some(effort.word()));
                }
                (None, Some(budget)) => put(&mut reasoning, "max_tokens", Some(budget)),
                (None, None) if thinking.adaptive => put(&mut reasoning, "enabled", Some(true)),
                (None, None) => {}
            }
            put(&mut reasoning, "exclude", thinking.shown.map(|shown| !shown));
            put(&mut reasoning, "summary", thinking.summary.clone());
            if writing.own {
                reasoning.extend(thinking.extra.clone());
            }
            body.insert("reasoning".to_owned(), reasoning.into());
        }
        Asks::Thinking => {
            // The client's own words may leave the switch to its default.
            if is_off || !writing.own || thinking.adaptive || thinking.effort.is_none() {
                let kind = if is_off { "disabled" } else { "enabled" };
                body.insert("thinking".to_owned(), json!({ "type": kind }));
            }
            let word = match effort {
                None | Some(Effort::None) => None,
                Some(Effort::Minimal | Effort::Low) => Some("low"),
                Some(Effort::Medium | Effort::High | Effort::Xhigh) => Some("high"),
                Some(Effort::Max) => Some("max"),
            };
            put(body, "reasoning_effort", word);
        }
        Asks::Nothing if writing.own => put(body, "reasoning_effort", effort.map(Effort::word)),
        Asks::Nothing => losses.ignore(name),
    }
}

/// `response_format`; what the provider has no form for is asked for in words.
fn format(writing: &Writing<'_>, messages: &mut Vec<Value>, losses: &mut Losses) -> Option<Value> {
    let (request, tools) = (writing.request, !writing.request.tools.is_empty());
    let object = || writing.quirks.has_objects(tools).then(|| json!({ "type": "json_object" }));
    let form = request.format.as_ref()?;
    match form {
        Format::Text => writing.own.then(|| json!({ "type": "text" })),
        Format::JsonObject => {
            let object = object();
            if object.is_none() {
                speak::instruct(messages, &form.in_words());
            }
            object
        }
        Format::JsonSchema { .. } if !writing.quirks.has_schemas(writing.model, tools, request.stream) => {
            losses.emulate();
            speak::instruct(messages, &form.in_words());
            object()
        }
        Format::JsonSchema { name, description, schema, strict } => {
            let mut inner = Object::new();
            inner.insert("name".to_owned(), name.as_deref().unwrap_or("answer").into());
            put(&mut inner, "description", description.clone());
            inner.insert("schema".to_owned(), schema.clone());
            put(&mut inner, "strict", *strict);
            Some(json!({ "type": "json_schema", "json_schema": inner }))
        }
        Format::Other(form) if writing.own => Some(form.clone()),
        Format::Other(_) => {
            losses.refuse("response_format", "its form is of another protocol's");
            None
        }
    }
}
