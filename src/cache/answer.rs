//! Which answers may be stored.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::{Choice, Finish};
use crate::dialect::{Dialect, Whole, chat};
use crate::json::{is_object, object};

/// Finish reasons of a choice that is whole.
///
/// A list of what is allowed: a provider that invents a reason most likely says that something went wrong, as `DeepSeek`'s
/// `insufficient_system_resource` and `OpenRouter`'s `error` do. `length` is in it, because the limit that was reached is in
/// the request and so in the key: the same question would be cut again. `content_filter` is not: the filter has spoken, not the
/// model, its judgement of the next attempt may differ, and a false alarm would stay for as long as the entry. `eos` is
/// Together's word for `stop`.
const WHOLE: [&str; 5] = ["stop", "length", "tool_calls", "function_call", "eos"];

/// Whether an answer, as its dialect's JSON, may stand for later ones.
///
/// It may where every choice is whole, neither it nor the answer holds an error, it can be streamed to a client that asks for
/// that ([`chat::replay()`]), and it is no larger than an answer that came as a stream may be ([`chat::MAX_BYTES`]): an entry
/// that holds more would have to be decoded in an isolate that serves others too.
#[must_use]
pub fn storable(dialect: Dialect, completion: &str) -> bool {
    if completion.len() > chat::MAX_BYTES {
        return false;
    }
    if dialect != Dialect::Chat {
        let answer = dialect.decode(completion).filter(|_| dialect.classify_whole(completion) == Whole::Complete);
        return answer.is_some_and(|answer| answer.choices.iter().all(is_whole));
    }
    let Some(completion) = object::<Completion<'_>>(completion) else { return false };
    completion.error.is_none() && !completion.choices.is_empty() && completion.choices.iter().all(|choice| whole(choice.get()))
}

/// The same in canonical words.
fn is_whole(choice: &Choice) -> bool {
    matches!(choice.finish, Some(Finish::Stop | Finish::StopSequence | Finish::Length | Finish::ToolCalls))
}

#[derive(Deserialize)]
struct Completion<'a> {
    #[serde(borrow)]
    choices: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Told<'a> {
    #[serde(borrow)]
    message: &'a RawValue,
    #[serde(borrow)]
    finish_reason: Cow<'a, str>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    tool_calls: Option<Vec<&'a RawValue>>,
}

fn whole(choice: &str) -> bool {
    let Some(choice) = object::<Told<'_>>(choice) else { return false };
    let Some(message) = object::<Message<'_>>(choice.message.get()) else { return false };
    let calls = message.tool_calls.unwrap_or_default();
    choice.error.is_none() && WHOLE.contains(&choice.finish_reason.as_ref()) && calls.iter().all(|call| is_object(call.get()))
}
