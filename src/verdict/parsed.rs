//! An error as its provider said it: the forms that they have for one.

use serde::Deserialize;
use serde_json::Value;

use super::Said;

/// An error as said, with everything in it that rules look at.
pub(super) struct Parsed {
    pub(super) said: Said,
    /// `type`, `code`, `status` and the like, in lower case, separated by spaces.
    pub(super) labels: String,
    /// The message in lower case, and an upstream's own words behind it.
    pub(super) text: String,
    /// The message in lower case up to the first thing that it quotes, which may be what a client wrote.
    pub(super) own: String,
    /// A status that stands in the body.
    pub(super) number: Option<u16>,
}

impl Parsed {
    pub(super) fn labelled(&self, labels: &[&str]) -> bool {
        self.labels.split(' ').any(|own| labels.contains(&own))
    }

    pub(super) fn says(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.text.contains(phrase))
    }

    /// The same of what counts against somebody: in the provider's own words, and not in quotes of a request or of another's answer.
    pub(super) fn says_itself(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.own.contains(phrase))
    }
}

/// A text up to its first quote. An apostrophe within a word is none.
pub(super) fn unquoted(text: &str) -> &str {
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        if matches!(character, '"' | '`') || character == '\'' && !before.is_alphanumeric() {
            return text.get(..at).unwrap_or_default();
        }
        before = character;
    }
    text
}

/// Reads the forms that providers have for an error: OpenAI's and most others' `{"error": {…}}`, Gemini's list of one, `{"error": "…"}`, Mistral's
/// and FastAPI's without a wrapper (`message`, `detail`), OpenRouter's numeric code with the upstream's own words in `metadata.raw`.
pub(super) fn parse(body: &str) -> Parsed {
    read(form(body))
}

/// A body that is JSON; of a list, its first.
pub(super) fn form(body: &str) -> Option<Value> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Root {
        List(Vec<Value>),
        One(Value),
    }
    Some(match serde_json::from_str(body).ok()? {
        Root::List(list) => list.into_iter().next().unwrap_or(Value::Null),
        Root::One(value) => value,
    })
}

pub(super) fn read(root: Option<Value>) -> Parsed {
    let root = root.unwrap_or(Value::Null);
    if let Some(blocked) = blocked(&root) {
        return blocked;
    }
    let inside = |value: &'_ Value| value.get("error").is_some_and(|error| !error.is_null());
    // Responses' `response.failed` holds the response, and that its error.
    let root =
        if inside(&root) { root } else { root.get("response").filter(|response| inside(response)).cloned().unwrap_or(root) };
    let error = root.get("error").filter(|error| !error.is_null()).unwrap_or(&root);
    let text = |name: &str| match error.get(name).or_else(|| root.get(name)) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let message = match error {
        Value::String(message) => Some(message.clone()),
        _ => text("message").or_else(|| text("detail")).or_else(|| {
            let details = ["detail", "message"].into_iter().filter_map(|name| error.get(name));
            details.filter(|detail| detail.is_object() || detail.is_array()).map(Value::to_string).next()
        }),
    };
    let said = Said {
        message: message.unwrap_or_default(),
        kind: text("type"),
        param: text("param"),
        code: text("code"),
        request: None,
    };
    let mut labels: Vec<String> =
        [&said.kind, &said.code, &text("status")].into_iter().flatten().map(|label| label.to_lowercase()).collect();
    // Gemini's machine-readable reason, such as API_KEY_INVALID.
    let reasons = error.get("details").and_then(Value::as_array).into_iter().flatten();
    labels.extend(reasons.filter_map(|detail| detail.get("reason")?.as_str()).map(str::to_lowercase));
    let mut lower = said.message.to_lowercase();
    let own = unquoted(&lower).to_owned();
    if let Some(raw) = error.get("metadata").and_then(|metadata| metadata.get("raw")).and_then(Value::as_str) {
        lower.push(' ');
        lower.push_str(&raw.to_lowercase());
    }
    let number = said.code.as_ref().and_then(|code| code.parse().ok()).filter(|code| (400..600).contains(code));
    Parsed { labels: labels.join(" "), text: lower, own, number, said }
}

/// Gemini's answer to a prompt that its policy forbids: a 200 without candidates, and the reason beside (API reference, `PromptFeedback`).
fn blocked(root: &Value) -> Option<Parsed> {
    let feedback = root.get("promptFeedback").filter(|_| root.get("error").is_none())?;
    let reason = feedback.get("blockReason")?.as_str()?;
    let message = feedback
        .get("blockReasonMessage")
        .and_then(Value::as_str)
        .map_or_else(|| format!("the prompt was blocked by the provider's policy: {reason}"), str::to_owned);
    let said = Said { message, kind: None, param: None, code: Some("content_filter".to_owned()), request: None };
    Some(Parsed { labels: "content_filter".to_owned(), text: String::new(), own: String::new(), number: None, said })
}

/// The most of a plain text that is passed on, in bytes: room for any sentence, and not for a stack of a hundred frames.
const MAX_PLAIN: usize = 4 * 1024;

/// A body that is a sentence rather than a form. A page of HTML or XML is none, nor is half an object, nor what is not text.
pub(super) fn plain(body: &str) -> Option<String> {
    let text = body.trim();
    let odd = |letter: char| letter == char::REPLACEMENT_CHARACTER || letter.is_control() && !"\n\r\t".contains(letter);
    let short = text.get(..text.floor_char_boundary(MAX_PLAIN)).unwrap_or_default();
    if text.is_empty() || text.starts_with(['<', '{']) || short.contains(odd) {
        return None;
    }
    Some(if short.len() < text.len() { format!("{short}…") } else { text.to_owned() })
}
