//! What a model is told of its wrong answer: the answer itself, as its own turn, and what is wrong with it, as the next one.
//!
//! The same prompt once more gives the same wrong answer; a model that sees what it said, and where it is wrong, mostly mends it. What is quoted of an answer
//! is quoted as JSON, and cut: it may be made of words that the user, or a page that was read, has put into the model's mouth.

use std::fmt::Write as _;

use super::{Demand, Wrong};
use crate::chat::{Kind, Message, Origin, Part, Role, ToolResult};

/// The longest answer that is told again, in bytes: a longer one is not mended, but written anew.
const LONGEST: usize = 64 * 1024;

/// Further turns of a conversation.
#[derive(Clone, Debug)]
pub(crate) struct Correction {
    pub(crate) turns: Vec<Message>,
    /// Whether it is of use to another model than the one that was wrong.
    helps_others: bool,
}

impl Correction {
    /// Of a wrong answer; none where telling it again is of no use.
    pub(crate) fn of(mut wrong: Wrong, demand: &Demand) -> Option<Self> {
        let helps_others = wrong.is_json && !wrong.cut;
        if weight(&wrong.parts) > LONGEST {
            return None;
        }
        if demand.tools.as_ref().is_some_and(|tools| tools.offered.is_empty()) {
            // Some providers take no calls, and no results of them, in a request without tools.
            wrong.parts.retain(|part| !matches!(part.kind, Kind::ToolCall(_)));
        }
        let answers: Vec<Part> = wrong.parts.iter().filter_map(|part| result(part, &wrong)).collect();
        let words = words(&wrong, demand);
        let reply = if answers.is_empty() {
            Message::new(Role::User, vec![Part::text(words)])
        } else {
            Message::new(Role::Tool, answers)
        };
        // Thoughts that nothing follows are no turn to any provider.
        let mut turns = vec![reply];
        if wrong.parts.iter().any(says) {
            turns.insert(0, Message::new(Role::Assistant, wrong.parts));
        }
        Some(Self { turns, helps_others })
    }

    /// The same for another model than the one that was wrong. Thoughts that OpenAI encrypted are an account's own.
    pub(crate) fn for_others(mut self) -> Option<Self> {
        let own = |part: &Part| matches!(&part.kind, Kind::Reasoning(thoughts) if thoughts.seal.as_ref().is_some_and(|seal| seal.origin == Origin::Responses));
        self.turns.iter_mut().for_each(|turn| turn.parts.retain(|part| !own(part)));
        self.helps_others.then_some(self)
    }
}

fn says(part: &Part) -> bool {
    match &part.kind {
        Kind::Text { text, .. } => !text.trim().is_empty(),
        kind => matches!(kind, Kind::ToolCall(_)),
    }
}

/// The result of a call that was not run, as one of its turn was wrong.
fn result(part: &Part, wrong: &Wrong) -> Option<Part> {
    let Kind::ToolCall(call) = &part.kind else { return None };
    let mut text = String::new();
    for complaint in wrong.complaints.iter().filter(|complaint| complaint.call.as_ref() == Some(&call.id)) {
        let _ = write!(text, "\n- {}", complaint.message);
    }
    let text = if text.is_empty() {
        "This call was not run, as another one of the same turn was wrong. Make it again.".to_owned()
    } else {
        format!("This call was not run: its arguments are wrong.{text}\nMake the call again, with what is wrong put right.")
    };
    let content = vec![Part::text(text)];
    Some(Part::new(Kind::ToolResult(ToolResult {
        id: call.id.clone(),
        // A call has its name already, and some providers refuse it with a result.
        name: None,
        content,
        is_error: true,
        custom: call.custom,
    })))
}

fn words(wrong: &Wrong, demand: &Demand) -> String {
    let what = if demand.has_schema() { "JSON that is valid by the schema that was asked for" } else { "a JSON object" };
    let mut words = format!("Your last answer is not {what}. What is wrong with it:");
    for complaint in &wrong.complaints {
        let _ = write!(words, "\n- {}", complaint.message);
    }
    if wrong.cut {
        words.push_str("\nIt must be shorter than that.");
    }
    words.push_str(
        "\nAnswer again with the corrected JSON alone: no explanation before or after it, and no code fence around it.",
    );
    words
}

fn weight(parts: &[Part]) -> usize {
    parts
        .iter()
        .map(|part| match &part.kind {
            Kind::Text { text, .. } | Kind::Refusal(text) => text.len(),
            Kind::ToolCall(call) => call.arguments.len(),
            Kind::Reasoning(reasoning) => reasoning.text.len(),
            _ => 0,
        })
        .sum()
}
