//! OpenAI's Completions, which came before Chat Completions: a prompt, and the text that follows it. Spoken by clients only, and answered by providers that
//! chat.
//!
//! Source: the API reference, "Create completion" and "The completion object" (<https://platform.openai.com/docs/api-reference/completions>).
//!
//! What only a model that continues text can do (`suffix`, `echo`, `best_of`) is refused, not ignored: the answer would be another one.

mod encode;

use serde_json::Value;

pub use encode::{Encoder, encode};

use super::{Dialect, chat};
use crate::chat::Object;
use crate::chat::{Fields, Message, Part, Reading, Request, Role};
use crate::mistake::Mistake;

/// Reads a request.
pub fn read(body: Object) -> Reading<Request> {
    let mut fields = Fields::root(body);
    let mut request = Request::new(Dialect::Completions);
    fields.any("model");
    fields.any("stream_options");
    let prompt = prompt(&mut fields)?;
    request.messages = vec![Message::new(Role::User, vec![Part::text(prompt)])];
    request.max_tokens = fields.whole("max_tokens")?;
    chat::sampling(&mut fields, &mut request)?;
    request.n = fields.whole("n")?;
    refuse(&mut fields, request.n.unwrap_or(1))?;
    match fields.any("logprobs") {
        None | Some(Value::Bool(false)) => {}
        Some(Value::Bool(true)) => request.logprobs = Some(true),
        Some(value) => {
            let most = value.as_u64().ok_or_else(|| fields.wrong("logprobs", "a whole number from 0 to 5", &value))?;
            request.logprobs = Some(true);
            request.top_logprobs = (most > 0).then_some(most);
        }
    }
    request.logit_bias = fields.any("logit_bias");
    request.user = fields.text("user")?;
    request.stream = fields.boolean("stream")?.unwrap_or(false);
    request.extra = fields.rest();
    Ok(request)
}

fn prompt(fields: &mut Fields) -> Reading<String> {
    const ALLOWED: &str = "one string: several prompts and lists of tokens are not supported";
    match fields.any("prompt") {
        Some(Value::String(text)) => Ok(text),
        Some(Value::Array(prompts)) => match <[Value; 1]>::try_from(prompts) {
            Ok([Value::String(text)]) => Ok(text),
            Ok([other]) => Err(fields.wrong("prompt", ALLOWED, &other)),
            Err(several) => Err(fields.wrong("prompt", ALLOWED, &Value::Array(several))),
        },
        Some(other) => Err(fields.wrong("prompt", ALLOWED, &other)),
        None => Err(fields.missing("prompt", "a string")),
    }
}

/// What nobody who chats can do.
fn refuse(fields: &mut Fields, n: u64) -> Reading<()> {
    let no = |name: &str, why: &str| Err(Mistake::new(Some(name), format!("'{name}' is not supported: {why}")));
    if fields.text("suffix")?.is_some_and(|suffix| !suffix.is_empty()) {
        return no("suffix", "no text can be put before it");
    }
    if fields.boolean("echo")? == Some(true) {
        return no("echo", "an answer does not repeat the prompt");
    }
    // The default is to choose among none but those that are told.
    if fields.whole("best_of")?.is_some_and(|best| best > n.max(1)) {
        return no("best_of", "answers cannot be chosen among");
    }
    Ok(())
}
