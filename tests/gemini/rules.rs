//! What Gemini holds a request to, as its reference and its error messages say: a judge of what is written.

use serde_json::{Map, Value};

const TOP: [&str; 5] = ["systemInstruction", "contents", "tools", "toolConfig", "generationConfig"];

const CONFIG: [&str; 18] = [
    "temperature",
    "topP",
    "topK",
    "maxOutputTokens",
    "presencePenalty",
    "frequencyPenalty",
    "seed",
    "stopSequences",
    "candidateCount",
    "responseLogprobs",
    "logprobs",
    "responseMimeType",
    "responseSchema",
    "responseJsonSchema",
    "thinkingConfig",
    "responseModalities",
    "speechConfig",
    "mediaResolution",
];

const SCHEMA: [&str; 23] = [
    "type",
    "format",
    "title",
    "description",
    "nullable",
    "enum",
    "maxItems",
    "minItems",
    "properties",
    "required",
    "minProperties",
    "maxProperties",
    "minLength",
    "maxLength",
    "pattern",
    "example",
    "anyOf",
    "propertyOrdering",
    "default",
    "items",
    "minimum",
    "maximum",
    "$ref",
];

/// What is wrong with a request for a model; nothing where it is right.
pub(crate) fn judge(body: &Value, model: &str) -> Result<(), String> {
    let third = !model.contains("gemini-2") && !model.contains("gemini-1");
    let json_schema = third || model.contains("gemini-2.5");
    let body = object(body, "the body")?;
    only(body, &TOP, "the body")?;
    if let Some(system) = body.get("systemInstruction") {
        for part in list(&system["parts"], "systemInstruction.parts")? {
            only(object(part, "a part of the instruction")?, &["text"], "a part of the instruction")?;
            text(&part["text"])?;
        }
    }
    contents(list(body.get("contents").unwrap_or(&Value::Null), "contents")?, third)?;
    let mut names = Vec::new();
    if let Some(tools) = body.get("tools") {
        for tool in list(tools, "tools")? {
            only(object(tool, "a tool")?, &["functionDeclarations"], "a tool")?;
            for declaration in list(&tool["functionDeclarations"], "functionDeclarations")? {
                let members = object(declaration, "a declaration")?;
                only(members, &["name", "description", "parameters", "parametersJsonSchema"], "a declaration")?;
                names.push(text(&declaration["name"])?);
                if let Some(schema) = members.get("parameters") {
                    subset(schema)?;
                    let has_none = schema["properties"].as_object().is_none_or(Map::is_empty);
                    ensure(!has_none || schema.get("anyOf").is_some(), "parameters.properties should be non-empty")?;
                }
                ensure(json_schema || !members.contains_key("parametersJsonSchema"), "parametersJsonSchema is not known")?;
            }
        }
    }
    let config = body.get("generationConfig").cloned().unwrap_or_else(|| Value::Object(Map::new()));
    let config = object(&config, "generationConfig")?;
    only(config, &CONFIG, "generationConfig")?;
    ensure(!config.is_empty() || !body.contains_key("generationConfig"), "an empty generationConfig")?;
    if let Some(choice) = body.get("toolConfig") {
        let choice = object(&choice["functionCallingConfig"], "functionCallingConfig")?;
        only(choice, &["mode", "allowedFunctionNames"], "functionCallingConfig")?;
        let mode = text(&choice["mode"])?;
        ensure(["AUTO", "ANY", "NONE", "VALIDATED"].contains(&mode), "mode")?;
        ensure(!names.is_empty(), "Function calling config is set without function_declarations")?;
        if let Some(allowed) = choice.get("allowedFunctionNames") {
            ensure(mode == "ANY", "allowedFunctionNames are for ANY")?;
            for name in list(allowed, "allowedFunctionNames")? {
                ensure(names.contains(&text(name)?), "allowedFunctionNames are declared")?;
            }
        }
    }
    if let Some(stops) = config.get("stopSequences") {
        ensure(list(stops, "stopSequences")?.len() <= 5, "at most 5 stop sequences")?;
    }
    let formatted = config.contains_key("responseSchema") || config.contains_key("responseJsonSchema");
    let mime = config.get("responseMimeType").and_then(Value::as_str);
    ensure(!formatted || mime == Some("application/json"), "a schema needs a mime type")?;
    ensure(third || names.is_empty() || mime.is_none(), "Function calling with a response mime type is unsupported")?;
    if let Some(schema) = config.get("responseSchema") {
        subset(schema)?;
    }
    if let Some(thinking) = config.get("thinkingConfig") {
        let thinking = object(thinking, "thinkingConfig")?;
        only(thinking, &["thinkingBudget", "thinkingLevel", "includeThoughts"], "thinkingConfig")?;
        ensure(json_schema, "this model does not think")?;
        ensure(!thinking.contains_key(if third { "thinkingBudget" } else { "thinkingLevel" }), "the other way to say it")?;
    }
    Ok(())
}

fn contents(contents: &[Value], third: bool) -> Result<(), String> {
    ensure(!contents.is_empty(), "contents is not specified")?;
    let mut calls: Vec<(String, Option<String>)> = Vec::new();
    let mut before = "model";
    for content in contents {
        only(object(content, "a content")?, &["role", "parts"], "a content")?;
        let role = text(&content["role"])?;
        ensure(["user", "model"].contains(&role) && role != before, "roles alternate, and the user begins")?;
        before = role;
        let parts = list(&content["parts"], "parts")?;
        ensure(!parts.is_empty(), "parts must not be empty")?;
        let mut now = Vec::new();
        let mut answered = Vec::new();
        let mut first_call = true;
        for part in parts {
            let members = object(part, "a part")?;
            let kinds =
                ["text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult"];
            ensure(kinds.iter().filter(|kind| members.contains_key(**kind)).count() == 1, "a part is one thing")?;
            let allowed: Vec<&str> = kinds.into_iter().chain(["thought", "thoughtSignature"]).collect();
            only(members, &allowed, "a part")?;
            if let Some(said) = members.get("text") {
                let said = text_or_empty(said)?;
                ensure(!said.is_empty() || members.contains_key("thoughtSignature"), "a text says something")?;
            }
            let signature = members.get("thoughtSignature").map(|signature| text(signature).map(str::to_owned)).transpose()?;
            ensure(signature.is_none() || role == "model", "the model alone signs")?;
            ensure(signature.is_none_or(|signature| !signature.starts_with("bw1")), "a signature of another's")?;
            if let Some(call) = members.get("functionCall") {
                ensure(role == "model", "the model alone calls")?;
                only(object(call, "a call")?, &["name", "args", "id"], "a call")?;
                object(&call["args"], "args")?;
                ensure(
                    !third || !first_call || members.contains_key("thoughtSignature"),
                    "Function call is missing a thought_signature",
                )?;
                first_call = false;
                now.push((text(&call["name"])?.to_owned(), call["id"].as_str().map(str::to_owned)));
            }
            if let Some(response) = members.get("functionResponse") {
                ensure(role == "user", "the user alone answers calls")?;
                only(object(response, "a response")?, &["name", "response", "id", "parts"], "a response")?;
                object(&response["response"], "response")?;
                ensure(third || response.get("parts").is_none(), "parts of responses")?;
                answered.push((text(&response["name"])?.to_owned(), response["id"].as_str().map(str::to_owned)));
            }
        }
        if role == "user" {
            ensure(answered == calls, "a response to each call, and nothing else, in the turn after it, in order")?;
        }
        calls = now;
    }
    Ok(())
}

fn subset(schema: &Value) -> Result<(), String> {
    let members = object(schema, "a schema")?;
    only(members, &SCHEMA, "a schema")?;
    ensure(!members.contains_key("$ref"), "a reference")?;
    ensure(members.get("type").is_none_or(Value::is_string), "one type")?;
    if let Some(values) = members.get("enum") {
        ensure(list(values, "enum")?.iter().all(Value::is_string), "an enum of texts")?;
    }
    for schema in members.get("properties").and_then(Value::as_object).into_iter().flat_map(|properties| properties.values()) {
        subset(schema)?;
    }
    for schema in members.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
        subset(schema)?;
    }
    members.get("items").map_or(Ok(()), subset)
}

fn ensure(holds: bool, rule: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(rule.to_owned()) }
}

fn object<'a>(value: &'a Value, what: &str) -> Result<&'a Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("{what} is {value}"))
}

fn list<'a>(value: &'a Value, what: &str) -> Result<&'a [Value], String> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| format!("{what} is {value}"))
}

fn text_or_empty(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("{value} is no text"))
}

fn text(value: &Value) -> Result<&str, String> {
    text_or_empty(value).and_then(|text| if text.is_empty() { Err("an empty text".to_owned()) } else { Ok(text) })
}

fn only(members: &Map<String, Value>, names: &[&str], what: &str) -> Result<(), String> {
    let stranger = members.keys().find(|name| !names.contains(&name.as_str()));
    stranger.map_or(Ok(()), |name| Err(format!("Unknown name \"{name}\" in {what}")))
}
