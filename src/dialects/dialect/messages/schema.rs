//! What is said to a model of Anthropic's that is not held to a schema by its provider.

use std::fmt::Write as _;

use serde_json::Value;

/// What the system prompt says of an answer that must be JSON.
pub(super) fn instruction(name: Option<&str>, description: Option<&str>, schema: Option<&Value>) -> String {
    let mut text =
        "Your answer must be one JSON object and nothing else: no words before or after it, and no Markdown fence around it."
            .to_owned();
    if let Some(schema) = schema {
        if name.is_some() || description.is_some() {
            text.push_str("\nIt is what follows:");
        }
        for said in name.into_iter().chain(description) {
            let _ = write!(text, " {said}.");
        }
        let _ = write!(
            text,
            "\nIt must be valid by this JSON schema, with its properties in the order in which the schema names them:\n{schema}"
        );
    }
    text
}
