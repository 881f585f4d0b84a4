//! By which means a model is held to a form of its answer.
//!
//! What a provider's own form cannot do, a request can ask for in other ways: they are written into the canonical request, so that every protocol has all
//! of them.

use serde_json::Value;

use super::{Choice, Finish, Format, Kind, Message, Part, Request, Role, Tool, ToolChoice};

/// Means, from the strongest to the weakest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Means {
    /// The form of the provider's own protocol, which it enforces, as far as it has one; what its protocol's writer does where it has none.
    #[default]
    Native,
    /// The same, but for tools: their schemas are told, and nobody at the provider holds the model to them.
    Loose,
    /// A tool whose arguments are the answer, and which must be called.
    Tool,
    /// The schema in words, beside JSON by form.
    Object,
    /// The schema in words alone.
    Words,
}

/// The name of the tool whose arguments are the answer.
pub const ANSWER: &str = "give_answer";

impl Means {
    /// Rewrites a request that asks for JSON by a schema, or for calls by one, so that it asks by these means.
    pub fn apply(self, request: &mut Request) {
        if self == Self::Loose {
            for tool in &mut request.tools {
                if let Tool::Function { strict, .. } = tool {
                    // In Responses, strict is what a tool is of which nothing is said.
                    *strict = Some(false);
                }
            }
            return;
        }
        let Some(Format::JsonSchema { name, description, schema, .. }) = &request.format else { return };
        match self {
            Self::Native | Self::Loose => {}
            Self::Tool => {
                let description = description.clone().or_else(|| name.clone());
                let tool = Tool::Function {
                    name: ANSWER.to_owned(),
                    description: Some(description.unwrap_or_else(|| "Gives the answer.".to_owned())),
                    parameters: Some(schema.clone()),
                    strict: None,
                    cache: None,
                    extra: super::Object::new(),
                };
                request.tools.push(tool);
                request.tool_choice = Some(ToolChoice::Named(ANSWER.to_owned()));
                request.format = None;
            }
            Self::Object | Self::Words => {
                let words = in_words(name.as_deref(), description.as_deref(), Some(schema));
                instruct(request, words);
                request.format = (self == Self::Object).then_some(Format::JsonObject);
            }
        }
    }
}

impl Format {
    /// Puts what describes the form in its schema as that is written, for a protocol whose forms have no description. Whether that is lost, as the schema is
    /// described in other words.
    pub(crate) fn describe(&self, schema: &mut Value) -> bool {
        let Self::JsonSchema { description: Some(description), .. } = self else { return false };
        let known = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        if description.is_empty() || known == description {
            return false;
        }
        let is_undescribed = known.is_empty();
        match schema {
            Value::Object(members) if is_undescribed => {
                members.insert("description".to_owned(), description.as_str().into());
                false
            }
            _ => true,
        }
    }

    /// What a model is told where nothing but words holds it to this form.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::JsonSchema { name, description, schema, .. } => {
                in_words(name.as_deref(), description.as_deref(), Some(schema))
            }
            _ => in_words(None, None, None),
        }
    }
}

/// What a model is told where nothing but words holds it to a schema, or (where that is none) to any object. Some providers want the word JSON in the
/// prompt of whoever asks for it by form too ("JSON mode", "JSON Output"). Models write properties in the order that they are told.
pub(crate) fn in_words(name: Option<&str>, description: Option<&str>, schema: Option<&Value>) -> String {
    let mut words = "Your final answer, whenever you do not call a tool, must be JSON and nothing else: no explanation before or after it, and no code fence around it.".to_owned();
    for said in [name, description].into_iter().flatten() {
        words.push_str(" It is: ");
        words.push_str(said);
        words.push('.');
    }
    if let Some(schema) = schema {
        words.push_str(
            " It must be valid by this JSON schema, with its properties in the order in which the schema names them:\n",
        );
        words.push_str(&schema.to_string());
    } else {
        words.push_str(" It must be a JSON object.");
    }
    words
}

/// Adds an instruction behind those that the conversation begins with.
fn instruct(request: &mut Request, words: String) {
    let is_instruction = |message: &Message| matches!(message.role, Role::System | Role::Developer);
    let leading = request.messages.iter().take_while(|message| is_instruction(message)).count();
    request.messages.insert(leading, Message::new(Role::System, vec![Part::text(words)]));
}

/// The answer that stands in the arguments of the tool [`ANSWER`], in the place of its call.
pub fn taken_out_of_call(choice: &mut Choice) -> bool {
    let mut found = false;
    for part in &mut choice.parts {
        if let Kind::ToolCall(call) = &mut part.kind
            && call.name == ANSWER
        {
            let text = std::mem::take(&mut call.arguments);
            part.kind = Kind::Text { text, notes: Vec::new(), seal: None };
            found = true;
        }
    }
    if found && choice.finish == Some(Finish::ToolCalls) {
        choice.finish = Some(Finish::Stop);
    }
    found
}
