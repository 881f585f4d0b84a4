//! The conversation as Anthropic takes it.
//!
//! Its rules, from the API reference and from what it refuses: the first message is the user's; every `tool_use` is answered by one `tool_result` in the
//! very next message, before anything else in it; ids of calls are of letters, digits, `_` and `-`, each once; no text is empty or white space alone; a
//! message does not end with thinking; the last one, where it is the assistant's, does not end in white space, and from Claude 4.6 on there is none such.
//!
//! What is made of a conversation that is otherwise:
//!
//! - Results stand in the order of their messages, before what the user said with them, and words of the operator's between a call and its result behind it.
//! - A call without a result gets one that says so, as an error; a result without a call, or a second one, becomes text of the user's.
//! - Instructions in the middle of a conversation are text of the user's within `<system>`.
//! - [`GO_ON`] begins a conversation that begins with the assistant, and ends one that ends with it where the model takes no such.

use serde_json::Value;

use super::model::Model;
use super::{block, kind, object, system};
use crate::chat::{Kind, Losses, Message, Object, Part, Request, Role};
use crate::dialect::Dialect;

mod parts;

/// What the user is made to say where the conversation needs words of theirs.
pub(super) const GO_ON: &str = "Continue.";

/// A message.
struct Turn {
    role: &'static str,
    content: Vec<Value>,
    extra: Object,
}

/// Calls that wait for their results, and what came since.
#[derive(Default)]
struct Pending {
    /// The id that the client knows, the one that is written, and whether there is a result.
    calls: Vec<(String, String, bool)>,
    results: Vec<Value>,
    extra: Object,
    said: Vec<Turn>,
}

pub(super) struct Writer<'a> {
    own: bool,
    dialect: Dialect,
    turns: Vec<Turn>,
    pending: Option<Pending>,
    /// The ids of calls so far.
    ids: Vec<String>,
    losses: &'a mut Losses,
}

/// The messages, and those of the request's that lead as the system prompt.
pub(super) fn write<'a>(request: &'a Request, model: Model, losses: &mut Losses) -> (Vec<Value>, &'a [Message]) {
    let own = request.dialect == Dialect::Messages;
    let instructs = |message: &&Message| matches!(message.role, Role::System | Role::Developer);
    // Of the dialect's own, one field is one message: others stood in the conversation.
    let leading = if own {
        usize::from(request.messages.first().as_ref().is_some_and(instructs))
    } else {
        request.messages.iter().take_while(instructs).count()
    };
    let (leading, messages) = request.messages.split_at_checked(leading).unwrap_or((&[], &request.messages));
    let mut writer = Writer { own, dialect: request.dialect, turns: Vec::new(), pending: None, ids: Vec::new(), losses };
    for message in messages {
        writer.message(message);
    }
    writer.settle();
    let mut turns = writer.turns;
    frame(&mut turns, own, model);
    let written = turns.into_iter().map(|turn| {
        let mut message = object([("role", turn.role.into()), ("content", turn.content.into())]);
        message.extend(turn.extra);
        Value::Object(message)
    });
    (written.collect(), leading)
}

/// What the first and the last message must be.
fn frame(turns: &mut Vec<Turn>, own: bool, model: Model) {
    for turn in turns.iter_mut().filter(|turn| turn.role == "assistant") {
        while turn.content.last().and_then(kind).is_some_and(|kind| matches!(kind, "thinking" | "redacted_thinking")) {
            turn.content.pop();
        }
    }
    turns.retain(|turn| !turn.content.is_empty());
    let go_on =
        || Turn { role: "user", content: system::text_block(GO_ON, None, None).into_iter().collect(), extra: Object::new() };
    if turns.first().is_none_or(|turn| turn.role == "assistant") {
        turns.insert(0, go_on());
    }
    let Some(last) = turns.last_mut().filter(|turn| turn.role == "assistant") else { return };
    if !own && !model.takes_prefill() {
        turns.push(go_on());
    } else if let Some(Value::String(text)) = last.content.last_mut().and_then(|block| block.get_mut("text")) {
        text.truncate(text.trim_end().len());
    }
}

impl Writer<'_> {
    fn message(&mut self, message: &Message) {
        if message.name.is_some() {
            self.losses.ignore("messages[].name");
        }
        let extra = if self.own { message.extra.clone() } else { Object::new() };
        if !self.own {
            self.losses.unknown("messages[].", &message.extra);
        }
        match message.role {
            Role::Assistant => self.assistant(message, extra),
            Role::System | Role::Developer => {
                let role = if self.own { "system" } else { "user" };
                let content = message.parts.iter().filter_map(|part| self.instruction(part)).collect();
                self.say(Turn { role, content, extra });
            }
            Role::User | Role::Tool => {
                let mut content = Vec::new();
                let mut answered = false;
                for part in &message.parts {
                    match &part.kind {
                        Kind::ToolResult(_) => match self.result(part) {
                            Ok(()) => answered = true,
                            Err(orphan) => content.extend(orphan),
                        },
                        _ => content.extend(self.given(part)),
                    }
                }
                let mut extra = extra;
                if answered
                    && content.is_empty()
                    && let Some(pending) = &mut self.pending
                {
                    pending.extra.extend(std::mem::take(&mut extra));
                }
                self.say(Turn { role: "user", content, extra });
            }
        }
    }

    /// What is not the assistant's waits behind results.
    fn say(&mut self, turn: Turn) {
        match &mut self.pending {
            _ if turn.content.is_empty() => {}
            Some(pending) => pending.said.push(turn),
            None => self.turns.push(turn),
        }
    }

    /// Instructions in the middle of a conversation.
    fn instruction(&mut self, part: &Part) -> Option<Value> {
        match &part.kind {
            Kind::Text { .. } | Kind::Opaque(_) if self.own => self.given(part),
            Kind::Text { text, .. } if text.trim().is_empty() => None,
            Kind::Text { text, .. } => system::text_block(&format!("<system>\n{text}\n</system>"), part.cache.as_ref(), None),
            _ => {
                self.losses.refuse("messages[].content", "instructions of Anthropic's are text alone");
                None
            }
        }
    }

    fn assistant(&mut self, message: &Message, extra: Object) {
        // Two messages of the assistant's with calls, and the results behind both of them, are one turn.
        let goes_on = self.pending.as_ref().is_some_and(|pending| pending.results.is_empty() && pending.said.is_empty());
        if !goes_on {
            self.settle();
        }
        let mut calls = Vec::new();
        let mut content = Vec::new();
        for part in &message.parts {
            if let Kind::ToolCall(call) = &part.kind {
                let id = self.fresh_id(&call.id);
                content.push(Value::Object(self.call(call, &id, part)));
                calls.push((call.id.clone(), id, false));
            } else {
                content.extend(self.said(part));
            }
        }
        match self.turns.last_mut().filter(|_| goes_on) {
            Some(turn) => {
                turn.content.extend(content);
                turn.extra.extend(extra);
            }
            None if content.is_empty() => return,
            None => self.turns.push(Turn { role: "assistant", content, extra }),
        }
        if !calls.is_empty() {
            self.pending.get_or_insert_default().calls.extend(calls);
        }
    }

    /// An id that Anthropic takes, and that no earlier call has.
    fn fresh_id(&mut self, id: &str) -> String {
        let legal = |letter: char| if letter.is_ascii_alphanumeric() || "_-".contains(letter) { letter } else { '_' };
        let mut legal: String = id.chars().map(legal).collect();
        if legal.is_empty() {
            legal.push_str("call");
        }
        let mut fresh = legal.clone();
        let mut number = 2_u32;
        while self.ids.contains(&fresh) {
            fresh = format!("{legal}_{number}");
            number += 1;
        }
        self.ids.push(fresh.clone());
        fresh
    }

    /// The next message, where calls wait for it.
    fn settle(&mut self) {
        let Some(mut pending) = self.pending.take() else { return };
        let missing = pending.calls.iter().filter(|(_, _, is_answered)| !is_answered).map(|(_, id, _)| {
            let id = ("tool_use_id", id.as_str().into());
            let said: Vec<Value> = system::text_block("No result was given.", None, None).into_iter().collect();
            Value::Object(block("tool_result", [id, ("content", said.into()), ("is_error", true.into())]))
        });
        pending.results.extend(missing);
        let mut said = pending.said.into_iter().peekable();
        let mut turn = Turn { role: "user", content: pending.results, extra: pending.extra };
        if let Some(with) = said.next_if(|first| first.role == "user") {
            turn.content.extend(with.content);
            turn.extra.extend(with.extra);
        }
        self.turns.push(turn);
        self.turns.extend(said);
    }
}
