//! A request's members, found without being decoded, and what guards the parsers that come after.

use serde::Deserialize;
use serde_json::value::RawValue;

/// The deepest nesting of a request's JSON: recursion elsewhere, at providers too, ends badly far above any honest request.
pub const MAX_DEPTH: usize = 128;

/// The members that a gateway must know, each as its own text.
#[derive(Deserialize)]
pub struct Members<'a> {
    /// The model's name.
    #[serde(borrow, default)]
    pub model: Option<&'a RawValue>,
    /// Names of more models, to be tried after it.
    #[serde(borrow, default)]
    pub models: Option<&'a RawValue>,
    /// What is asked, in Chat Completions and Messages.
    #[serde(borrow, default)]
    pub messages: Option<&'a RawValue>,
    /// What is asked, in Responses.
    #[serde(borrow, default)]
    pub input: Option<&'a RawValue>,
    /// What is asked, in Completions.
    #[serde(borrow, default)]
    pub prompt: Option<&'a RawValue>,
    /// What the system says, in Messages.
    #[serde(borrow, default)]
    pub system: Option<&'a RawValue>,
    /// What the system says, in Responses.
    #[serde(borrow, default)]
    pub instructions: Option<&'a RawValue>,
    /// Whether a stream is wanted.
    #[serde(borrow, default)]
    pub stream: Option<&'a RawValue>,
    /// What the stream tells beside the answer.
    #[serde(borrow, default)]
    pub stream_options: Option<&'a RawValue>,
    /// What the model may call.
    #[serde(borrow, default)]
    pub tools: Option<&'a RawValue>,
    /// Which form the answer's text must have, in Chat Completions.
    #[serde(borrow, default)]
    pub response_format: Option<&'a RawValue>,
    /// The same and more of the text, in Responses.
    #[serde(borrow, default)]
    pub text: Option<&'a RawValue>,
    /// The same and more of the answer, in Messages.
    #[serde(borrow, default)]
    pub output_config: Option<&'a RawValue>,
    /// The same in the beta of Messages.
    #[serde(borrow, default)]
    pub output_format: Option<&'a RawValue>,
    /// Which requests begin alike.
    #[serde(borrow, default)]
    pub prompt_cache_key: Option<&'a RawValue>,
}

/// Finds them. An array is read too, by position, as serde has it: whoever calls looks whether this is an object.
#[inline(never)]
pub fn read(body: &str) -> serde_json::Result<Members<'_>> {
    serde_json::from_str(body)
}

/// Where the first message of the user's ends, in an array's text. What follows is not looked at: it may be a long conversation.
#[must_use]
#[inline(never)]
pub fn first_question(messages: &str) -> Option<usize> {
    #[derive(Deserialize)]
    struct Message<'a> {
        #[serde(borrow, default)]
        role: Option<&'a RawValue>,
    }
    let mut rest = messages.strip_prefix('[')?;
    loop {
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        let message = values.next()?.ok()?;
        rest = rest.get(values.byte_offset()..)?;
        let role = serde_json::from_str::<Message<'_>>(message.get()).ok().and_then(|message| message.role);
        if role.is_some_and(|role| role.get() == "\"user\"") {
            return Some(messages.len() - rest.len());
        }
        rest = rest.trim_start().strip_prefix(',')?;
    }
}

/// Where the nesting passes [`MAX_DEPTH`]. The parser does not say: what it skips, it skips without recursion.
#[must_use]
#[inline(never)]
pub fn too_deep(body: &str) -> Option<usize> {
    let bytes = body.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Some(at);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => at = string_end(bytes, at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The place of the quote that ends the string which begins at `start`.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(step) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += step;
        if bytes.get(at) == Some(&b'"') {
            return at;
        }
        at += 2;
    }
    bytes.len()
}
