//! Anthropic's rules for a request, as its reference and its error messages state them: a judge of what is written, which shares nothing with the writer.

use serde_json::{Map, Value};

/// What is wrong with a request, in the order in which it is met.
pub(crate) fn broken(body: &Value, model: &str) -> Vec<String> {
    let mut judge = Judge { wrong: Vec::new() };
    judge.request(body, model);
    judge.wrong
}

struct Judge {
    wrong: Vec<String>,
}

fn is_blank(value: &Value) -> bool {
    value.as_str().is_none_or(|text| text.trim().is_empty())
}

fn kind(value: &Value) -> &str {
    value["type"].as_str().unwrap_or("")
}

fn blocks(message: &Value) -> &[Value] {
    message["content"].as_array().map_or(&[], Vec::as_slice)
}

impl Judge {
    fn when(&mut self, is_wrong: bool, what: impl Into<String>) {
        if is_wrong {
            self.wrong.push(what.into());
        }
    }

    fn members(&mut self, value: &Value, allowed: &[&str], what: &str) {
        let none = Map::new();
        for name in value.as_object().unwrap_or(&none).keys() {
            self.when(!allowed.contains(&name.as_str()), format!("{what}.{name}: extra inputs are not permitted"));
        }
        self.when(!value.is_object(), format!("{what} is no object"));
    }

    fn request(&mut self, body: &Value, model: &str) {
        let top = [
            "model",
            "max_tokens",
            "system",
            "messages",
            "tools",
            "tool_choice",
            "thinking",
            "output_config",
            "temperature",
            "top_p",
            "top_k",
            "stop_sequences",
            "stream",
            "metadata",
            "cache_control",
        ];
        self.members(body, &top, "body");
        self.when(body["model"] != model, "model");
        let max_tokens = body["max_tokens"].as_u64().unwrap_or(0);
        self.when(max_tokens == 0, "max_tokens: field required");
        for block in body["system"].as_array().into_iter().flatten() {
            self.when(kind(block) != "text", "system: not text");
            self.block(block, "system");
        }
        self.when(body.get("system").is_some_and(|system| system.as_array().is_none_or(Vec::is_empty)), "system: no blocks");
        let messages = body["messages"].as_array().map_or(&[][..], Vec::as_slice);
        self.messages(messages);
        let adaptive_only = model.contains("-4-7");
        let is_last_assistant = messages.last().is_some_and(|message| message["role"] == "assistant");
        self.when(
            is_last_assistant && (adaptive_only || model.contains("-4-6")),
            "this model does not support assistant message prefill",
        );
        self.tools(body);
        let thinks = matches!(kind(&body["thinking"]), "enabled" | "adaptive");
        self.thinking(body, messages, max_tokens, adaptive_only);
        let temperature = body.get("temperature").map(|temperature| temperature.as_f64().unwrap_or(-1.0));
        self.when(temperature.is_some_and(|temperature| !(0.0..=1.0).contains(&temperature)), "temperature: range: 0..1");
        self.when(
            thinks && temperature.is_some_and(|temperature| temperature < 1.0),
            "temperature may only be set to 1 when thinking is enabled",
        );
        self.when(thinks && body.get("top_k").is_some(), "top_k with thinking");
        for name in ["temperature", "top_p", "top_k"] {
            self.when(adaptive_only && body.get(name).is_some(), format!("{name} is deprecated for this model"));
        }
        let both = temperature.is_some() && body.get("top_p").is_some();
        self.when(both && !model.contains("claude-3"), "temperature and top_p cannot both be specified");
        for stop in body["stop_sequences"].as_array().into_iter().flatten() {
            self.when(is_blank(stop), "stop_sequences: each must contain non-whitespace");
        }
        if let Some(output) = body.get("output_config") {
            self.members(output, &["effort", "format"], "output_config");
            let structured = !model.contains("claude-3");
            self.when(output.get("format").is_some() && !structured, "output_config.format is not supported");
            self.when(output.get("effort").is_some() && !(adaptive_only || model.contains("-4-6")), "effort is not supported");
        }
        if let Some(metadata) = body.get("metadata") {
            self.members(metadata, &["user_id"], "metadata");
        }
    }

    fn messages(&mut self, messages: &[Value]) {
        self.when(messages.is_empty(), "messages: at least one message is required");
        self.when(
            messages.first().is_some_and(|message| message["role"] != "user"),
            "messages: first message must use the user role",
        );
        let mut ids: Vec<&str> = Vec::new();
        let mut open: Vec<&str> = Vec::new();
        for (index, message) in messages.iter().enumerate() {
            self.members(message, &["role", "content"], "message");
            let is_user = message["role"] == "user";
            self.when(!is_user && message["role"] != "assistant", "role");
            self.when(blocks(message).is_empty(), format!("messages.{index}: content must be non-empty"));
            let results: Vec<&str> = blocks(message)
                .iter()
                .take_while(|block| kind(block) == "tool_result")
                .map(|block| block["tool_use_id"].as_str().unwrap_or(""))
                .collect();
            let mut answered = results.clone();
            answered.sort_unstable();
            open.sort_unstable();
            self.when(
                answered != open,
                format!(
                    "messages.{index}: `tool_use` ids {open:?} without `tool_result` blocks immediately after: {answered:?}"
                ),
            );
            open.clear();
            for (at, block) in blocks(message).iter().enumerate() {
                let allowed: &[&str] = if is_user {
                    &["text", "image", "document", "tool_result"]
                } else {
                    &["text", "tool_use", "thinking", "redacted_thinking"]
                };
                self.when(!allowed.contains(&kind(block)), format!("messages.{index}: {} of {}", kind(block), message["role"]));
                self.when(
                    kind(block) == "tool_result" && at >= results.len(),
                    format!("messages.{index}: a tool_result behind others"),
                );
                self.block(block, "messages");
                if kind(block) == "tool_use" {
                    let id = block["id"].as_str().unwrap_or("");
                    let is_legal =
                        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
                    self.when(!is_legal, format!("tool_use.id: string should match pattern '^[a-zA-Z0-9_-]+$': {id}"));
                    self.when(ids.contains(&id), format!("`tool_use` ids must be unique: {id}"));
                    ids.push(id);
                    open.push(id);
                }
            }
            let last = blocks(message).last().map_or("", kind);
            self.when(last.ends_with("thinking"), format!("messages.{index}: the final block cannot be thinking"));
        }
        self.when(!open.is_empty(), "calls without results at the end");
        if let Some(last) = messages.last().filter(|message| message["role"] == "assistant") {
            let text = blocks(last).last().map_or("", |block| block["text"].as_str().unwrap_or(""));
            self.when(text.ends_with(char::is_whitespace), "final assistant content cannot end with trailing whitespace");
        }
    }

    fn block(&mut self, block: &Value, at: &str) {
        let allowed: &[&str] = match kind(block) {
            "text" => &["type", "text", "cache_control"],
            "image" => &["type", "source", "cache_control"],
            "document" => &["type", "source", "title", "cache_control"],
            "tool_use" => &["type", "id", "name", "input", "cache_control"],
            "tool_result" => &["type", "tool_use_id", "content", "is_error", "cache_control"],
            "thinking" => &["type", "thinking", "signature"],
            "redacted_thinking" => &["type", "data"],
            other => return self.wrong.push(format!("{at}: a block of type {other}")),
        };
        self.members(block, allowed, kind(block));
        match kind(block) {
            "text" => {
                self.when(is_blank(&block["text"]), format!("{at}: text content blocks must contain non-whitespace text"));
            }
            "thinking" => self
                .when(is_blank(&block["signature"]) || block["signature"].as_str().unwrap().starts_with("bw1."), "signature"),
            "redacted_thinking" => {
                self.when(is_blank(&block["data"]) || block["data"].as_str().unwrap().starts_with("bw1."), "data");
            }
            "tool_use" => self.when(!block["input"].is_object(), "tool_use.input: input should be a valid dictionary"),
            "tool_result" => {
                for inner in blocks(block) {
                    self.when(!matches!(kind(inner), "text" | "image" | "document"), format!("tool_result: {}", kind(inner)));
                    self.block(inner, "tool_result");
                }
            }
            "image" | "document" => {
                let (source, wanted): (_, &[&str]) = (
                    &block["source"],
                    match kind(&block["source"]) {
                        "base64" | "text" => &["type", "media_type", "data"],
                        "url" => &["type", "url"],
                        _ => &[],
                    },
                );
                self.members(source, wanted, "source");
                let media = source["media_type"].as_str();
                let fits = match (kind(block), kind(source)) {
                    ("image", "base64") => media.is_some_and(|media| media.starts_with("image/")),
                    ("document", "base64") => media == Some("application/pdf"),
                    ("document", "text") => media == Some("text/plain"),
                    (_, kind) => kind == "url",
                };
                self.when(!fits, format!("{} from {source}", kind(block)));
            }
            _ => {}
        }
    }

    fn tools(&mut self, body: &Value) {
        let tools = body["tools"].as_array().map_or(&[][..], Vec::as_slice);
        for tool in tools {
            self.members(tool, &["name", "description", "input_schema", "strict", "cache_control"], "tools");
            self.when(tool["input_schema"]["type"] != "object", "input_schema.type: field required");
            for name in ["anyOf", "oneOf", "allOf"] {
                self.when(
                    tool["input_schema"].get(name).is_some(),
                    format!("input_schema does not support {name} at the top level"),
                );
            }
            let name = tool["name"].as_str().unwrap_or("");
            self.when(name.is_empty(), "tools.name");
        }
        let Some(choice) = body.get("tool_choice") else { return };
        self.when(tools.is_empty(), "tool_choice may only be specified while providing tools");
        let allowed: &[&str] = match kind(choice) {
            "auto" | "any" => &["type", "disable_parallel_tool_use"],
            "tool" => &["type", "name", "disable_parallel_tool_use"],
            "none" => &["type"],
            _ => &[],
        };
        self.members(choice, allowed, "tool_choice");
    }

    fn thinking(&mut self, body: &Value, messages: &[Value], max_tokens: u64, adaptive_only: bool) {
        let Some(thinking) = body.get("thinking") else { return };
        match kind(thinking) {
            "enabled" => {
                self.members(thinking, &["type", "budget_tokens"], "thinking");
                let budget = thinking["budget_tokens"].as_u64().unwrap_or(0);
                self.when(budget < 1024, "thinking.enabled.budget_tokens: input should be greater than or equal to 1024");
                self.when(budget >= max_tokens, "`max_tokens` must be greater than `thinking.budget_tokens`");
                self.when(adaptive_only, "\"thinking.type.enabled\" is not supported for this model");
                // The user's messages at the end are one for Anthropic.
                let assistant = messages.iter().rposition(|message| message["role"] == "assistant");
                if let Some(assistant) = assistant
                    && messages[assistant + 1..].iter().flat_map(blocks).any(|block| kind(block) == "tool_result")
                {
                    let first = blocks(&messages[assistant]).first().map_or("", kind);
                    self.when(
                        !first.ends_with("thinking"),
                        format!("expected `thinking` or `redacted_thinking`, but found `{first}`"),
                    );
                }
            }
            "adaptive" => self.members(thinking, &["type", "display"], "thinking"),
            "disabled" => {}
            other => self.when(true, format!("thinking.type: {other}")),
        }
        // "Incompatible with manual extended thinking but works with adaptive thinking" ("Thinking", "Response prefill and forced tool use").
        let is_forced = matches!(kind(&body["tool_choice"]), "any" | "tool");
        self.when(is_forced && kind(thinking) == "enabled", "thinking may not be enabled when tool_choice forces tool use");
    }
}
