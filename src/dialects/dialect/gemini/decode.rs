//! A whole answer.

use crate::slots::Slots;

use crate::chat::{Answer, Choice, Delta, Kind, Object, Opening, Part, Reasoning, ToolCall};

use super::stream::Decoder;

/// Reads a provider's whole answer; none where it is not one. It is read as a stream of one event, so that both come to the same; it is not gathered as one
/// ([`crate::chat::Gather`]), which holds less than the images in an answer may weigh.
#[must_use]
pub fn decode(answer: Object) -> Option<Answer> {
    let has_candidates = answer.get("candidates").and_then(serde_json::Value::as_array).is_some_and(|list| !list.is_empty());
    let mut decoder = Decoder::default();
    let mut deltas = Vec::new();
    decoder.take(answer, &mut deltas).filter(|()| has_candidates)?;
    let mut choices: Slots<Choice> = Slots::default();
    for index in decoder.indices() {
        choices.insert(index, Choice::default());
    }
    decoder.end(&mut deltas);
    let mut whole = Answer::default();
    for delta in deltas {
        take(&mut whole, &mut choices, delta)?;
    }
    whole.choices = choices.into_values();
    Some(whole)
}

fn take(whole: &mut Answer, choices: &mut Slots<Choice>, delta: Delta) -> Option<()> {
    match delta {
        Delta::Begin { id, model, created } => (whole.id, whole.model, whole.created) = (id, model, created),
        Delta::Open { choice, kind, .. } => {
            let kind = match kind {
                Opening::Text => Kind::Text { text: String::new(), notes: Vec::new(), seal: None },
                Opening::Refusal => Kind::Refusal(String::new()),
                // Gemini's sound comes whole.
                Opening::Speech => return None,
                Opening::Reasoning { redacted } => Kind::Reasoning(Reasoning { redacted, ..Reasoning::default() }),
                Opening::ToolCall { id, name, custom, seal } => {
                    Kind::ToolCall(ToolCall { id, name, arguments: String::new(), custom, seal })
                }
                Opening::Whole(kind) => *kind,
            };
            choices.get_mut(choice)?.parts.push(Part::new(kind));
        }
        // Parts come one after the other: what is said is said of the last one.
        Delta::Text { choice, text: more, .. } => match last(choices, choice)? {
            Kind::Text { text, .. }
            | Kind::Reasoning(Reasoning { text, .. })
            | Kind::ToolCall(ToolCall { arguments: text, .. }) => {
                // The first piece of a part is all of it, nearly always.
                if text.is_empty() { *text = more } else { text.push_str(&more) }
            }
            _ => return None,
        },
        Delta::Sign { choice, seal: theirs, .. } => match last(choices, choice)? {
            Kind::Text { seal, .. } | Kind::Reasoning(Reasoning { seal, .. }) => *seal = Some(theirs),
            _ => return None,
        },
        Delta::Note { choice, note, .. } => match last(choices, choice)? {
            Kind::Text { notes, .. } => notes.push(note),
            _ => return None,
        },
        Delta::Logprobs { choice, logprobs } => choices.get_mut(choice)?.logprobs = Some(logprobs),
        Delta::Finish { choice, finish, .. } => choices.get_mut(choice)?.finish = Some(finish),
        Delta::Usage(usage) => whole.usage = Some(usage),
        Delta::Extra(extra) => whole.extra.extend(extra),
        Delta::Sound { .. } | Delta::Summary { .. } | Delta::Close { .. } | Delta::End => {}
    }
    Some(())
}

fn last(choices: &mut Slots<Choice>, choice: u32) -> Option<&mut Kind> {
    choices.get_mut(choice)?.parts.last_mut().map(|part| &mut part.kind)
}
