//! A chat request as an OpenAI-compatible provider reads it: refused in the same words, or known to be sound from here
//! on.

use serde_json::{Map, Value};

use super::Hash;

type Object = Map<String, Value>;

/// What a request asks for.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) model: String,
    pub(super) stream: bool,
    pub(super) include_usage: bool,
    /// How many choices.
    pub(super) choices: usize,
    /// The most tokens that an answer may have.
    pub(super) limit: Option<usize>,
    pub(super) stop: Vec<String>,
    pub(super) format: Format,
    pub(super) tools: Vec<Tool>,
    pub(super) tool_choice: ToolChoice,
    pub(super) parallel: bool,
    /// What was said last, and by whom.
    pub(super) last: Last,
    /// All text of the messages.
    pub(super) prompt: String,
    /// Tells conversations apart: the same model and messages have the same one.
    pub(super) hash: u64,
}

/// `response_format`.
#[derive(Debug)]
pub(super) enum Format {
    Text,
    AnyObject,
    Schema(Value),
}

/// Something that may be called.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) name: String,
    /// The schema of a function's arguments; none for a custom tool, whose input is text.
    pub(super) parameters: Option<Value>,
}

/// `tool_choice`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ToolChoice {
    None,
    Auto,
    Required,
    Named(String),
}

/// The message that is to be answered.
#[derive(Debug)]
pub(super) enum Last {
    User(String),
    Tool(String),
}

/// Why a request is refused: the parts of `OpenAI`'s error object.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) message: String,
    pub(super) param: Option<String>,
    pub(super) code: Option<&'static str>,
}

impl Refusal {
    pub(super) fn new(param: impl Into<String>, code: Option<&'static str>, message: impl Into<String>) -> Self {
        Self { message: message.into(), param: Some(param.into()), code }
    }

    fn missing(param: &str) -> Self {
        Self::new(param, Some("missing_required_parameter"), format!("Missing required parameter: '{param}'."))
    }

    fn kind(param: &str, wanted: &str, found: &Value) -> Self {
        let found = match found {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(number) if number.is_f64() => "a decimal number",
            Value::Number(_) => "an integer",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        };
        Self::new(
            param,
            Some("invalid_type"),
            format!("Invalid type for '{param}': expected {wanted}, but got {found} instead."),
        )
    }
}

type Checked<T> = Result<T, Refusal>;

/// Reads a request's body, as it would reach a provider's `model`.
pub(super) fn read(body: &str, model: &str) -> Checked<Request> {
    let Ok(Value::Object(body)) = serde_json::from_str(body) else {
        let message = "We could not parse the JSON body of your request. The API expects a JSON payload.";
        return Err(Refusal { message: message.to_owned(), param: None, code: None });
    };
    let messages = messages(&body)?;
    let mut tools = tools(&body)?;
    let tool_choice = tool_choice(&body, &mut tools)?;
    let stream = boolean(&body, "stream")?.unwrap_or(false);
    let options = body.get("stream_options").filter(|options| !options.is_null());
    if options.is_some() && !stream {
        let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(Refusal::new("stream_options", None, message));
    }
    let limit = match integer(&body, "max_completion_tokens", 1, u64::MAX)? {
        None => integer(&body, "max_tokens", 1, u64::MAX)?,
        limit => limit,
    };
    let mut hash = Hash::new().part(model);
    // Nothing that is written to a hash fails.
    let _ = serde_json::to_writer(&mut hash, &body.get("messages"));
    Ok(Request {
        model: model.to_owned(),
        stream,
        include_usage: options.and_then(|options| options.get("include_usage")) == Some(&Value::Bool(true)),
        // OpenAI's own limit.
        choices: integer(&body, "n", 1, 128)?.unwrap_or(1),
        limit,
        stop: stop(&body)?,
        format: format(&body)?,
        tools,
        tool_choice,
        parallel: boolean(&body, "parallel_tool_calls")?.unwrap_or(true),
        last: messages.last,
        prompt: messages.prompt,
        hash: hash.finish(),
    })
}

struct Messages {
    last: Last,
    prompt: String,
}

const ROLES: [&str; 6] = ["system", "assistant", "user", "function", "tool", "developer"];

fn messages(body: &Object) -> Checked<Messages> {
    let messages = match body.get("messages") {
        Some(Value::Array(messages)) => messages,
        None | Some(Value::Null) => return Err(Refusal::missing("messages")),
        Some(other) => return Err(Refusal::kind("messages", "an array of objects", other)),
    };
    if messages.is_empty() {
        let message =
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.";
        return Err(Refusal::new("messages", Some("empty_array"), message));
    }
    let mut said = Messages { last: Last::User(String::new()), prompt: String::new() };
    for (at, message) in messages.iter().enumerate() {
        let Value::Object(message) = message else {
            return Err(Refusal::kind(&format!("messages[{at}]"), "an object", message));
        };
        let (role, text) = self::message(at, message)?;
        if !said.prompt.is_empty() {
            said.prompt.push('\n');
        }
        said.prompt.push_str(&text);
        match role {
            "user" => said.last = Last::User(text),
            "tool" | "function" => said.last = Last::Tool(text),
            _ => {}
        }
    }
    Ok(said)
}

fn message(at: usize, message: &Object) -> Checked<(&str, String)> {
    let role = match message.get("role") {
        Some(Value::String(role)) => role.as_str(),
        None => return Err(Refusal::missing(&format!("messages[{at}].role"))),
        Some(other) => return Err(Refusal::kind(&format!("messages[{at}].role"), "a string", other)),
    };
    if !ROLES.contains(&role) {
        let message = format!("Invalid value: '{role}'. Supported values are: '{}'.", ROLES.join("', '"));
        return Err(Refusal::new(format!("messages[{at}].role"), Some("invalid_value"), message));
    }
    if role == "tool" && !message.get("tool_call_id").is_some_and(Value::is_string) {
        return Err(Refusal::missing(&format!("messages[{at}].tool_call_id")));
    }
    let text = match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect::<Vec<_>>().join(" ")
        }
        None | Some(Value::Null) if role == "assistant" => String::new(),
        None => return Err(Refusal::missing(&format!("messages[{at}].content"))),
        Some(other) => return Err(Refusal::kind(&format!("messages[{at}].content"), "a string or an array of objects", other)),
    };
    Ok((role, text))
}

fn tools(body: &Object) -> Checked<Vec<Tool>> {
    let tools = match body.get("tools") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(tools)) => tools,
        Some(other) => return Err(Refusal::kind("tools", "an array of objects", other)),
    };
    let tool = |(at, tool): (usize, &Value)| {
        let path = format!("tools[{at}]");
        let (kind, custom) = match tool.get("type").and_then(Value::as_str) {
            Some("function") => ("function", false),
            Some("custom") => ("custom", true),
            Some(other) => {
                let message = format!("Invalid value: '{other}'. Supported values are: 'function' and 'custom'.");
                return Err(Refusal::new(format!("{path}.type"), Some("invalid_value"), message));
            }
            None => return Err(Refusal::missing(&format!("{path}.type"))),
        };
        let inner = tool.get(kind);
        let Some(name) = inner.and_then(|inner| inner.get("name")).and_then(Value::as_str) else {
            return Err(Refusal::missing(&format!("{path}.{kind}.name")));
        };
        let parameters = inner.and_then(|inner| inner.get("parameters")).filter(|parameters| !parameters.is_null()).cloned();
        let parameters = parameters.unwrap_or_else(|| serde_json::json!({ "type": "object" }));
        Ok(Tool { name: name.to_owned(), parameters: (!custom).then_some(parameters) })
    };
    tools.iter().enumerate().map(tool).collect()
}

/// Which tools are to be called. Those that are not allowed are left out.
fn tool_choice(body: &Object, tools: &mut Vec<Tool>) -> Checked<ToolChoice> {
    let choice = match body.get("tool_choice") {
        None | Some(Value::Null) => return Ok(ToolChoice::Auto),
        Some(_) if tools.is_empty() => {
            let message = "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.";
            return Err(Refusal::new("tool_choice", None, message));
        }
        Some(choice) => choice,
    };
    if choice.get("allowed_tools").is_some() || choice.get("type").and_then(Value::as_str) == Some("allowed_tools") {
        return allowed_tools(choice, tools);
    }
    // `any` is Mistral's word for required.
    match choice.as_str() {
        Some("none") => return Ok(ToolChoice::None),
        Some("auto") => return Ok(ToolChoice::Auto),
        Some("required" | "any") => return Ok(ToolChoice::Required),
        Some(other) => {
            let message = format!("Invalid value: '{other}'. Supported values are: 'none', 'auto', and 'required'.");
            return Err(Refusal::new("tool_choice", Some("invalid_value"), message));
        }
        None => {}
    }
    let Some(name) = tool_name(choice) else { return Err(Refusal::missing("tool_choice.function.name")) };
    if tools.iter().any(|tool| tool.name == name) { Ok(ToolChoice::Named(name.to_owned())) } else { Err(no_such_tool(name)) }
}

/// The name in a choice, or in one of the tools that are allowed: in Chat Completions' form, or in the flat one of Responses.
fn tool_name(choice: &Value) -> Option<&str> {
    ["/function/name", "/custom/name", "/name"].iter().find_map(|path| choice.pointer(path)?.as_str())
}

fn no_such_tool(name: &str) -> Refusal {
    let message =
        format!("Invalid value for 'tool_choice': no function named '{name}' was specified in the 'tools' parameter.");
    Refusal::new("tool_choice", None, message)
}

/// `{"type": "allowed_tools", "allowed_tools": {"mode", "tools"}}`, or its members without the wrapper, as Responses has them. An empty list allows all.
fn allowed_tools(choice: &Value, tools: &mut Vec<Tool>) -> Checked<ToolChoice> {
    let (inner, path) = match choice.get("allowed_tools") {
        Some(inner) => (inner, "tool_choice.allowed_tools"),
        None => (choice, "tool_choice"),
    };
    let mode = match inner.get("mode").and_then(Value::as_str) {
        Some("auto") => ToolChoice::Auto,
        Some("required") => ToolChoice::Required,
        Some(other) => {
            let message = format!("Invalid value: '{other}'. Supported values are: 'auto' and 'required'.");
            return Err(Refusal::new(format!("{path}.mode"), Some("invalid_value"), message));
        }
        None => return Err(Refusal::missing(&format!("{path}.mode"))),
    };
    let Some(Value::Array(listed)) = inner.get("tools") else { return Err(Refusal::missing(&format!("{path}.tools"))) };
    let mut allowed = Vec::new();
    for (at, tool) in listed.iter().enumerate() {
        let Some(name) = tool_name(tool) else { return Err(Refusal::missing(&format!("{path}.tools[{at}].function.name"))) };
        if !tools.iter().any(|tool| tool.name == name) {
            return Err(no_such_tool(name));
        }
        allowed.push(name);
    }
    if !allowed.is_empty() {
        tools.retain(|tool| allowed.contains(&tool.name.as_str()));
    }
    Ok(mode)
}

fn format(body: &Object) -> Checked<Format> {
    let Some(format) = body.get("response_format").filter(|format| !format.is_null()) else { return Ok(Format::Text) };
    match format.get("type").and_then(Value::as_str) {
        Some("text") => Ok(Format::Text),
        Some("json_object") => Ok(Format::AnyObject),
        Some("json_schema") => match format.pointer("/json_schema/schema") {
            Some(schema) => Ok(Format::Schema(schema.clone())),
            None if format.get("json_schema").is_none() => Err(Refusal::missing("response_format.json_schema")),
            None => Err(Refusal::missing("response_format.json_schema.schema")),
        },
        Some(other) => {
            let message = format!("Invalid value: '{other}'. Supported values are: 'json_object', 'json_schema', and 'text'.");
            Err(Refusal::new("response_format.type", Some("invalid_value"), message))
        }
        None => Err(Refusal::missing("response_format.type")),
    }
}

fn stop(body: &Object) -> Checked<Vec<String>> {
    let stop = match body.get("stop") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::String(stop)) => vec![stop.clone()],
        Some(Value::Array(stops)) => stops
            .iter()
            .map(|stop| {
                stop.as_str().map(str::to_owned).ok_or_else(|| Refusal::kind("stop", "a string or an array of strings", stop))
            })
            .collect::<Result<_, _>>()?,
        Some(other) => return Err(Refusal::kind("stop", "a string or an array of strings", other)),
    };
    if stop.len() > 4 {
        let message = format!(
            "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length {} instead.",
            stop.len()
        );
        return Err(Refusal::new("stop", Some("array_above_max_length"), message));
    }
    Ok(stop)
}

fn boolean(body: &Object, key: &str) -> Checked<Option<bool>> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(*value)),
        Some(other) => Err(Refusal::kind(key, "a boolean", other)),
    }
}

/// A whole number from `least` to `most`.
fn integer(body: &Object, key: &str, least: u64, most: u64) -> Checked<Option<usize>> {
    let found = match body.get(key) {
        None | Some(Value::Null) => return Ok(None),
        Some(found) => found,
    };
    if !found.is_i64() && !found.is_u64() {
        return Err(Refusal::kind(key, "an integer", found));
    }
    match found.as_u64() {
        Some(value) if value > most => {
            let message =
                format!("Invalid '{key}': integer above maximum value. Expected a value <= {most}, but got {value} instead.");
            Err(Refusal::new(key, Some("integer_above_max_value"), message))
        }
        Some(value) if value >= least => Ok(Some(usize::try_from(value).unwrap_or(usize::MAX))),
        _ => {
            let message =
                format!("Invalid '{key}': integer below minimum value. Expected a value >= {least}, but got {found} instead.");
            Err(Refusal::new(key, Some("integer_below_min_value"), message))
        }
    }
}
