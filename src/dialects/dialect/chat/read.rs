//! A client's request, all but its messages.

use serde_json::Value;

use super::turn;
use crate::chat::{Effort, Fields, Format, Object, Reading, Request, Thinking, Tool, ToolChoice};
use crate::dialect::Dialect;

/// Reads a request. The model is whoever's routes it is to know, and `stream_options` whoever's stream it is.
pub fn read(body: Object) -> Reading<Request> {
    let mut fields = Fields::root(body);
    let mut request = Request::new(Dialect::Chat);
    fields.any("model");
    fields.any("stream_options");
    let messages = fields.objects("messages")?.ok_or_else(|| fields.missing("messages", "an array of messages"))?;
    request.messages = turn::read(messages)?;
    let tools = fields.objects("tools")?.unwrap_or_default();
    request.tools = tools.into_iter().map(tool).collect::<Reading<_>>()?;
    for function in fields.objects("functions")?.unwrap_or_default() {
        request.tools.push(of_function(function, Object::new(), None)?);
    }
    request.tool_choice = tool_choice(&mut fields)?;
    request.parallel_tool_calls = fields.boolean("parallel_tool_calls")?;
    let old_limit = fields.whole("max_tokens")?;
    request.max_tokens = fields.whole("max_completion_tokens")?.or(old_limit);
    sampling(&mut fields, &mut request)?;
    request.n = fields.whole("n")?;
    request.logprobs = fields.boolean("logprobs")?;
    request.top_logprobs = fields.whole("top_logprobs")?;
    request.logit_bias = fields.any("logit_bias");
    request.thinking = thinking(&mut fields)?;
    request.format = fields.object("response_format")?.map(format).transpose()?;
    request.verbosity = fields.text("verbosity")?;
    request.modalities = fields.texts("modalities")?;
    request.audio = fields.any("audio");
    request.user = fields.text("user")?;
    if request.user.is_none() {
        request.user = fields.text("safety_identifier")?;
    }
    request.metadata = fields.any("metadata");
    request.store = fields.boolean("store")?;
    request.service_tier = fields.text("service_tier")?;
    request.prompt_cache_key = fields.text("prompt_cache_key")?;
    request.cache_control = fields.any("cache_control");
    request.stream = fields.boolean("stream")?.unwrap_or(false);
    request.extra = fields.rest();
    Ok(request)
}

/// What chooses among tokens, in this dialect and in Completions.
pub(in crate::dialect) fn sampling(fields: &mut Fields, request: &mut Request) -> Reading<()> {
    request.temperature = fields.number("temperature")?;
    request.top_p = fields.number("top_p")?;
    request.top_k = fields.number("top_k")?;
    request.frequency_penalty = fields.number("frequency_penalty")?;
    request.presence_penalty = fields.number("presence_penalty")?;
    request.seed = fields.number("seed")?;
    if request.seed.is_none() {
        // Mistral's name for it.
        request.seed = fields.number("random_seed")?;
    }
    request.stop = match fields.any("stop") {
        None => Vec::new(),
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(texts)) => {
            let text = |text: Value| match text {
                Value::String(text) => Ok(text),
                other => Err(fields.wrong("stop", "a string or an array of strings", &other)),
            };
            texts.into_iter().map(text).collect::<Reading<_>>()?
        }
        Some(other) => return Err(fields.wrong("stop", "a string or an array of strings", &other)),
    };
    Ok(())
}

fn tool(mut fields: Fields) -> Reading<Tool> {
    match fields.peek("type").and_then(Value::as_str) {
        Some("function") => {
            fields.any("type");
            let function = fields.needs_object("function")?;
            let cache = fields.any("cache_control");
            of_function(function, fields.rest(), cache)
        }
        Some("custom") => {
            fields.any("type");
            let mut custom = fields.needs_object("custom")?;
            let (name, description, format) = (custom.needs_text("name")?, custom.text("description")?, custom.any("format"));
            let mut extra = fields.rest();
            keep_inner(&mut extra, "custom", custom.rest());
            Ok(Tool::Custom { name, description, format, extra })
        }
        Some(_) => Ok(Tool::Hosted(fields.whole_value())),
        None => Err(fields.missing("type", "'function' or 'custom'")),
    }
}

fn of_function(mut function: Fields, mut extra: Object, cache: Option<Value>) -> Reading<Tool> {
    let (name, description) = (function.needs_text("name")?, function.text("description")?);
    let (parameters, strict) = (function.any("parameters"), function.boolean("strict")?);
    keep_inner(&mut extra, "function", function.rest());
    Ok(Tool::Function { name, description, parameters, strict, cache, extra })
}

/// What nobody knows of the inner object stands under its name.
fn keep_inner(extra: &mut Object, name: &str, rest: Object) {
    if !rest.is_empty() {
        extra.insert(name.to_owned(), Value::Object(rest));
    }
}

fn tool_choice(fields: &mut Fields) -> Reading<Option<ToolChoice>> {
    const WORDS: &str = "'auto', 'none', 'required' or an object";
    let name = if fields.has("tool_choice") { "tool_choice" } else { "function_call" };
    let choice = match fields.any(name) {
        None => return Ok(None),
        Some(Value::String(word)) => match word.as_str() {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            // Mistral's word is the second.
            "required" | "any" => ToolChoice::Required,
            other => return Err(fields.unknown_word(name, other, WORDS)),
        },
        Some(value @ Value::Object(_)) => {
            let mut choice = Fields::of(value, name)?;
            match choice.peek("type").and_then(Value::as_str) {
                Some(kind @ ("function" | "custom")) => {
                    let kind = kind.to_owned();
                    ToolChoice::Named(choice.needs_object(&kind)?.needs_text("name")?)
                }
                Some("allowed_tools") => allowed(choice)?,
                Some(_) => ToolChoice::Hosted(choice.whole_value()),
                None if name == "function_call" => ToolChoice::Named(choice.needs_text("name")?),
                None => return Err(choice.missing("type", "'function', 'custom' or 'allowed_tools'")),
            }
        }
        Some(other) => return Err(fields.wrong(name, WORDS, &other)),
    };
    Ok(Some(choice))
}

fn allowed(mut choice: Fields) -> Reading<ToolChoice> {
    let mut allowed = choice.needs_object("allowed_tools")?;
    let required = match allowed.text("mode")?.as_deref() {
        Some("required") => true,
        Some("auto") | None => false,
        Some(other) => return Err(allowed.unknown_word("mode", other, "'auto' or 'required'")),
    };
    let tools = allowed.objects("tools")?.ok_or_else(|| allowed.missing("tools", "an array of tools"))?;
    let names = tools.into_iter().map(|mut tool| match tool.text("type")?.as_deref() {
        Some(kind @ ("function" | "custom")) => tool.needs_object(kind)?.needs_text("name"),
        Some(other) => Err(tool.unknown_word("type", other, "'function' or 'custom'")),
        None => Err(tool.missing("type", "'function' or 'custom'")),
    });
    Ok(ToolChoice::Allowed { names: names.collect::<Reading<_>>()?, required })
}

/// `reasoning_effort` (`OpenAI`), `reasoning` (`OpenRouter`), `thinking` (Anthropic, `DeepSeek`, Z.ai), of which a request has one, or the last with the first.
fn thinking(fields: &mut Fields) -> Reading<Option<Thinking>> {
    let mut found = None;
    if let Some(mut thinking) = fields.object("thinking")? {
        let ours: &mut Thinking = found.get_or_insert_default();
        match thinking.peek("type").and_then(Value::as_str) {
            Some("disabled") => ours.effort = Some(Effort::None),
            Some("enabled" | "adaptive") => ours.adaptive = !thinking.has("budget_tokens"),
            _ => {}
        }
        ours.budget = thinking.whole("budget_tokens")?;
        thinking.any("type");
        ours.extra = thinking.rest();
    }
    // Some take an object only, some a text beside it: what is no object stays where it is.
    if fields.peek("reasoning").is_some_and(Value::is_object)
        && let Some(mut reasoning) = fields.object("reasoning")?
    {
        let ours: &mut Thinking = found.get_or_insert_default();
        let word = reasoning.text("effort")?;
        ours.effort = word.as_deref().and_then(Effort::parse).or(ours.effort);
        ours.budget = reasoning.whole("max_tokens")?.or(ours.budget);
        ours.summary = reasoning.text("summary")?;
        ours.shown = reasoning.boolean("exclude")?.map(|exclude| !exclude);
        match reasoning.boolean("enabled")? {
            Some(false) => ours.effort = Some(Effort::None),
            Some(true) => ours.adaptive = ours.effort.is_none() && ours.budget.is_none(),
            None => {}
        }
        ours.extra.extend(reasoning.rest());
        if let Some(word) = word.filter(|word| Effort::parse(word).is_none()) {
            return Err(fields.unknown_word("reasoning.effort", &word, EFFORTS));
        }
    }
    // Groq's `default` and the like stay with those who know them.
    if let Some(effort) = fields.peek("reasoning_effort").and_then(Value::as_str).and_then(Effort::parse) {
        fields.any("reasoning_effort");
        let ours: &mut Thinking = found.get_or_insert_default();
        ours.effort = ours.effort.or(Some(effort));
    }
    Ok(found)
}

const EFFORTS: &str = "'none', 'minimal', 'low', 'medium', 'high', 'xhigh' or 'max'";

/// Whether a schema stands beside a form's type, as Together and llama.cpp have it too (<https://docs.together.ai/docs/json-mode>,
/// <https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md>: `response_format`), and not in `json_schema`.
#[must_use]
pub fn is_flat(schema: Option<&Value>, json_schema: Option<&Value>) -> bool {
    schema.is_some_and(|schema| !schema.is_null()) && json_schema.is_none_or(Value::is_null)
}

fn format(mut fields: Fields) -> Reading<Format> {
    let is_flat = is_flat(fields.peek("schema"), fields.peek("json_schema"));
    match fields.peek("type").and_then(Value::as_str) {
        Some("text") => Ok(Format::Text),
        Some("json_object") if !fields.peek("schema").is_some_and(Value::is_object) => Ok(Format::JsonObject),
        Some("json_schema" | "json_object") => {
            let mut schema = if is_flat { fields } else { fields.needs_object("json_schema")? };
            Ok(Format::JsonSchema {
                name: schema.text("name")?,
                description: schema.text("description")?,
                strict: schema.boolean("strict")?,
                schema: schema.any("schema").ok_or_else(|| schema.missing("schema", "a JSON schema"))?,
            })
        }
        Some(_) => Ok(Format::Other(fields.whole_value())),
        None => Err(fields.missing("type", "'text', 'json_object' or 'json_schema'")),
    }
}
