//! How much is thought, and the tokens for it.
//!
//! Models up to 4.6 take a budget, those from 4.6 on leave it to the model with an effort, those from 4.7 on only that. A budget is at least 1024 and less
//! than `max_tokens`; it excludes a forced tool ("incompatible with manual extended thinking but works with adaptive thinking"); and with it the assistant's turn of a tool loop that still runs must begin with a block of thinking, or
//! the request is refused ("Expected `thinking` or `redacted_thinking`, but found `tool_use`"), as it is where another provider began the loop. Adaptive
//! thinking does not insist on that ("Adaptive thinking", "Validation changes").

use serde_json::Value;

use super::model::Model;
use super::{block, kind};
use crate::chat::{Effort, Losses, Object, Request, Thinking};
use crate::dialect::Dialect;

/// The smallest budget.
const LEAST: u64 = 1024;

/// What an answer may have beside the thinking where the client does not say.
const ANSWER: u64 = 8192;

/// What is written.
#[derive(Debug, Default)]
pub(super) struct Decision {
    pub(super) thinking: Option<Object>,
    pub(super) effort: Option<&'static str>,
    pub(super) max_tokens: u64,
}

impl Decision {
    /// Whether the model is told to think.
    pub(super) fn thinks(&self) -> bool {
        self.thinking.as_ref().and_then(|thinking| super::text(thinking, "type")).is_some_and(|kind| kind != "disabled")
    }
}

/// What is to be written, beside a tool choice and the messages that are.
pub(super) fn decide(request: &Request, model: Model, is_forced: bool, messages: &[Value], losses: &mut Losses) -> Decision {
    let max_tokens = request.max_tokens.unwrap_or_else(|| model.default_max_tokens());
    let mut decision = Decision { max_tokens, ..Decision::default() };
    let Some(thinking) = &request.thinking else { return decision };
    if request.dialect == Dialect::Messages {
        decision.thinking = literal(thinking);
        decision.effort = thinking.effort.map(Effort::word);
        return decision;
    }
    let field = match request.dialect {
        Dialect::Chat | Dialect::Completions => "reasoning_effort",
        Dialect::Responses => "reasoning",
        Dialect::Messages | Dialect::Gemini => "thinking",
    };
    losses.unknown(&format!("{field}."), &thinking.extra);
    let (effort, budget) = (thinking.effort, thinking.budget);
    let is_off = effort == Some(Effort::None) || budget == Some(0);
    if is_off {
        match model.silence().filter(|_| model.thinks_by_default()) {
            Some(kind) => decision.thinking = Some(block(kind, [])),
            None if model.thinks_by_default() => {
                losses.ignore(field);
                decision.effort = Some(model.effort(Effort::Low));
            }
            None => {}
        }
        return decision;
    }
    // Thoughts are shown in Anthropic's words.
    if thinking.summary.as_deref().is_some_and(|summary| summary != "auto") {
        losses.ignore("reasoning.summary");
    }
    if effort.is_none() && budget.is_none() && !thinking.adaptive {
        return decision;
    }
    if !model.thinks() || is_forced && !model.adapts() {
        losses.ignore(field);
        return decision;
    }
    let is_broken = loop_is_broken(messages);
    if model.adapts() && (budget.is_none() || is_broken || is_forced || !model.takes_budget()) {
        let mut written = block("adaptive", []);
        if !model.takes_budget() {
            let display = if thinking.shown == Some(false) { "omitted" } else { "summarized" };
            written.insert("display".to_owned(), display.into());
        }
        decision.thinking = Some(written);
        decision.effort = effort.or(budget.map(Effort::of_budget)).map(|effort| model.effort(effort));
        return decision;
    }
    let wanted = budget.or(effort.map(Effort::budget)).unwrap_or(Effort::Medium.budget()).max(LEAST);
    if request.max_tokens.is_none() {
        decision.max_tokens = max_tokens.max(wanted.saturating_add(ANSWER)).min(model.most_tokens());
    }
    if is_broken || decision.max_tokens <= LEAST {
        decision.max_tokens = max_tokens;
        losses.ignore(field);
        return decision;
    }
    // Where all would go into thinking, half of it is for the answer.
    let budget = if wanted < decision.max_tokens { wanted } else { (decision.max_tokens / 2).max(LEAST) };
    decision.thinking = Some(block("enabled", [("budget_tokens", budget.into())]));
    decision
}

/// As a client of the same dialect wrote it.
fn literal(thinking: &Thinking) -> Option<Object> {
    let mut written = match thinking.budget {
        _ if thinking.adaptive => block("adaptive", []),
        Some(0) => block("disabled", []),
        Some(budget) => block("enabled", [("budget_tokens", budget.into())]),
        None => return None,
    };
    if let Some(shown) = thinking.shown {
        written.insert("display".to_owned(), if shown { "summarized" } else { "omitted" }.into());
    }
    written.extend(thinking.extra.clone());
    Some(written)
}

/// Whether a loop of tool calls runs whose last turn of the assistant's does not begin with thinking. Messages of the user's that follow one another are one
/// for Anthropic, so that what is said behind the results may not end the loop.
pub(super) fn loop_is_broken(messages: &[Value]) -> bool {
    let first_of =
        |message: &Value| message.get("content").and_then(|content| content.get(0)).and_then(kind).map(str::to_owned);
    let is_assistant = |message: &Value| message.get("role").and_then(Value::as_str) == Some("assistant");
    let Some(last) = messages.iter().rposition(is_assistant) else { return false };
    let first = |at: usize| messages.get(at).and_then(first_of);
    let runs = first(last + 1).as_deref() == Some("tool_result");
    runs && !matches!(first(last).as_deref(), Some("thinking" | "redacted_thinking"))
}
