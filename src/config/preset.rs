//! Known providers, a row of data each.
//!
//! A preset is where a provider's own documentation says that its API is, what it calls the key, and where it differs from what it imitates.
//! `stream_usage` is set only where the documentation lists `stream_options`: some providers refuse fields that they do not know.

use breakwater_dialects::quirk::{Asks, Models, Quirks, Thoughts, ToolIds};

use crate::config::provider::Protocol;

/// A known provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// What a provider is called to be this one.
    pub name: &'static str,
    /// What it speaks.
    pub protocols: &'static [Protocol],
    /// Its address without a slash at the end, perhaps with placeholders.
    pub base_url: &'static str,
    /// The name of the secret that holds its key; none where it needs none.
    pub key: Option<&'static str>,
    /// Where it differs from others of its protocol.
    pub quirks: Quirks,
    /// The page that says so.
    pub source: &'static str,
}

/// The preset of that name.
pub(super) fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// Whether an address is one that everybody knows, as it stands in a preset of the cloud's.
pub(crate) fn is_public(base_url: &str) -> bool {
    base_url.starts_with("https://") && PRESETS.iter().any(|preset| preset.base_url == base_url)
}

const OPENAI: &[Protocol] = &[Protocol::OpenAi];

/// A provider that speaks OpenAI's Chat Completions.
const fn openai(name: &'static str, base_url: &'static str, key: &'static str, source: &'static str) -> Preset {
    let quirks = Quirks {
        done_may_be_missing: false,
        stream_usage: false,
        original: false,
        tool_ids: ToolIds::Forty,
        asks: Asks::Effort,
        efforts: Models::All,
        thoughts: Thoughts::Dropped,
        knows: &[],
        lacks: &[],
        most_stops: None,
        schemas: Models::All,
    };
    Preset { name, protocols: OPENAI, base_url, key: Some(key), quirks, source }
}

impl Preset {
    /// It documents `stream_options.include_usage`.
    const fn tells_usage(mut self) -> Self {
        self.quirks.stream_usage = true;
        self
    }

    /// It needs no key: it runs on the caller's own machine.
    const fn without_key(mut self) -> Self {
        self.key = None;
        self
    }

    const fn speaks(mut self, protocols: &'static [Protocol]) -> Self {
        self.protocols = protocols;
        self
    }

    /// Its streams are known to end without `[DONE]`.
    const fn leaves_done_out(mut self) -> Self {
        self.quirks.done_may_be_missing = true;
        self
    }

    /// It is the original.
    const fn original(mut self) -> Self {
        self.quirks.original = true;
        self
    }

    /// It documents what not all know.
    const fn knows(mut self, words: &'static [&'static str]) -> Self {
        self.quirks.knows = words;
        self
    }

    /// It documents that it does not know what most know, or its reference, which says of itself that it is complete, has no such thing.
    const fn lacks(mut self, words: &'static [&'static str]) -> Self {
        self.quirks.lacks = words;
        self
    }

    /// Not all of its models can be held to a JSON schema.
    const fn schemas(mut self, schemas: Models) -> Self {
        self.quirks.schemas = schemas;
        self
    }

    /// It documents how many stop sequences it takes at most.
    const fn stops(mut self, most: u8) -> Self {
        self.quirks.most_stops = Some(most);
        self
    }

    const fn asked(mut self, asks: Asks) -> Self {
        self.quirks.asks = asks;
        self
    }

    /// Its other models refuse to be asked for an effort, or are not known to take one: what thinks at all does so unasked.
    const fn efforts(mut self, models: &'static [&'static str]) -> Self {
        self.quirks.efforts = Models::Of(models);
        self
    }

    const fn thinks(mut self, thoughts: Thoughts) -> Self {
        self.quirks.thoughts = thoughts;
        self
    }

    const fn short_ids(mut self) -> Self {
        self.quirks.tool_ids = ToolIds::Nine;
        self
    }
}

/// All of them: OpenAI's protocol in the cloud, the same on one's own machine, other protocols, and none.
#[rustfmt::skip]
pub const PRESETS: &[Preset] = &[
    // "Structured outputs": "gpt-4o-mini, gpt-4o-2024-08-06 and later". "You can pass up to four stop sequences" (https://help.openai.com/en/articles/5072263).
    openai("openai", "https://api.openai.com/v1", "OPENAI_API_KEY", "https://platform.openai.com/docs/api-reference/chat")
        .schemas(Models::But(&["gpt-3.5-", "gpt-4$", "gpt-4-", "gpt-4o-2024-05-13", "o1-mini", "o1-preview"]))
        .tells_usage().original().stops(4).speaks(&[Protocol::OpenAi, Protocol::Responses]),
    // https://api-docs.deepseek.com/guides/thinking_mode (the switch, the three efforts, thoughts of turns with tools that must come back);
    // https://api-docs.deepseek.com/api/create-chat-completion (system, user, assistant and tool; `json_object`; a call forced not in thinking mode; no n,
    // seed and logit_bias); https://api-docs.deepseek.com/guides/vision (images, which were refused when the recordings were made; files are images only).
    // "The `reasoning_content` in the thinking mode must be passed back to the API": of plain turns too (https://github.com/MoonshotAI/kimi-cli/issues/2141), and
    // an empty one is taken (https://github.com/looplj/axonhub/pull/1491, https://github.com/earendil-works/pi/pull/4178).
    openai("deepseek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY", "https://api-docs.deepseek.com/")
        .tells_usage().asked(Asks::Thinking).thinks(Thoughts::InToolTurns { unknown: "", of: Models::All })
        .lacks(&["developer", "max_completion_tokens", "json_schema", "n", "seed", "logit_bias"]),
    // "Currently Unsupported OpenAI Features", each a 400; "property 'reasoning_content' is unsupported" (https://github.com/janhq/jan/issues/8136).
    openai("groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY", "https://console.groq.com/docs/openai")
        // https://console.groq.com/docs/structured-outputs: the models; "Streaming and tool use are not currently supported with Structured Outputs". "json mode
        // cannot be combined with tool/function calling" (https://github.com/vercel/ai/pull/16540).
        .schemas(Models::Of(&["openai/gpt-oss-", "moonshotai/kimi-k2-instruct", "meta-llama/llama-4-"]))
        // https://console.groq.com/docs/reasoning: low, medium and high of gpt-oss, where Qwen has "none" and "default"; "reasoning_effort is not supported with
        // this model" (https://github.com/brendanlong/lion-reader/pull/1325).
        .efforts(&["openai/gpt-oss-"])
        .tells_usage().knows(&["service_tier"])
        .lacks(&["logprobs", "logit_bias", "messages[].name", "n", "messages[].reasoning_content", "json_schema with tools", "json_schema streamed",
            "json_object with tools"]),
    // The schema of ChatCompletionRequest (also in github.com/mistralai/client-python, docs/models): members that it does not have are refused, those of
    // messages too (https://github.com/BerriAI/litellm/issues/30835), and `stream_options` (https://github.com/yetone/avante.nvim/issues/2347; its
    // streams tell their usage unasked); four roles; `random_seed`. Recorded: documents by `document_url`, sound as text. "Tool call id was … but must
    // be a-z, A-Z, 0-9, with a length of 9". "Expected last role User or Tool (or Assistant with prefix True)". "Unexpected role 'user' after role 'tool'"
    // (https://github.com/BerriAI/litellm/issues/17761), which an assistant's words in between mend (https://github.com/avante-corp/avante.nvim/pull/2695): not of
    // all models, as recordings show, but which are which no page says.
    openai("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", "https://docs.mistral.ai/api/")
        .asked(Asks::Nothing).short_ids().knows(&["random_seed", "document_url", "input_audio as text", "prefix"])
        .lacks(&["developer", "max_completion_tokens", "logprobs", "logit_bias", "messages[].name", "user", "stream_options", "messages[].refusal",
            "messages[].reasoning_content", "messages[].reasoning", "messages[].reasoning_details", "messages[].annotations", "messages[].audio",
            "messages[].function_call", "user behind tool", "extra_content"]),
    // ChatRequest and ChatContent* of its SDK (openrouter on PyPI, 1.3: all of these but verbosity; `file_data` is a "data URL or URL"), and
    // https://openrouter.ai/docs/api-reference/parameters (top_k, verbosity), /docs/use-cases/reasoning-tokens, /docs/features/prompt-caching,
    // /docs/guides/overview/multimodal.
    openai("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", "https://openrouter.ai/docs/quickstart")
        .tells_usage().asked(Asks::Object).thinks(Thoughts::Details)
        .knows(&["top_k", "cache_control", "file", "file by url", "input_audio", "video_url", "modalities", "verbosity", "service_tier",
            "prompt_cache_key"]),
    openai("n1n", "https://api.n1n.ai/v1", "N1N_API_KEY", "https://docs.n1n.ai/"),
    // A schema beside the form's type too (https://docs.together.ai/docs/json-mode).
    openai("together", "https://api.together.xyz/v1", "TOGETHER_API_KEY", "https://docs.together.ai/docs/openai-api-compatibility")
        .knows(&["json_schema flat"]),
    // "non-reasoning model does not support reasoning_effort" (https://github.com/lambda-symbolics/autolith/pull/25); those that take it in three words
    // (https://github.com/vellum-ai/vellum-assistant/pull/31381).
    openai("fireworks", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY", "https://docs.fireworks.ai/tools-sdks/openai-compatibility")
        .efforts(&["accounts/fireworks/models/gpt-oss-", "accounts/fireworks/models/deepseek-v4-"])
        // "Extra inputs are not permitted, field: 'messages[N].tool_calls[M].extra_content'" (https://github.com/NousResearch/hermes-agent/pull/18663).
        .lacks(&["extra_content"]),
    // `logit_bias` is in no request of its SDK (xai-sdk on PyPI, 1.21: Client.chat.create), which has the rest. That its reasoning models refuse penalties
    // and `stop` (https://docs.x.ai/docs/guides/reasoning) is for the model to say: others of its models take them.
    openai("xai", "https://api.x.ai/v1", "XAI_API_KEY", "https://docs.x.ai/docs/api-reference")
        // "later than grok-2-1212 and grok-2-vision-1212" (https://docs.x.ai/docs/guides/structured-outputs)
        .schemas(Models::But(&["grok-2$", "grok-2-vision$", "grok-beta"]))
        // "Model … does not support parameter reasoningEffort": all but these (tried: https://github.com/NousResearch/hermes-agent/pull/23435; 4.5 and 4.6:
        // https://docs.x.ai/developers/model-capabilities/text/reasoning). Of grok-4.20-multi-agent it says how many agents there are.
        .efforts(&["grok-3-mini", "grok-4.3", "grok-4.5", "grok-4.6"])
        .tells_usage().lacks(&["logit_bias"]),
    // "Currently Unsupported OpenAI Features", each a 400: the first three; "Our implementation does not expose `developer` directly. Instead, your system
    // messages act at the developer level". Thoughts are `reasoning` (its SDK, cerebras_cloud_sdk on PyPI, 1.91), and `reasoning_content` is a 400
    // (https://github.com/Kilo-Org/kilocode/issues/10375). "\"tools\" is incompatible with \"response_format\""
    // (https://github.com/BerriAI/litellm/pull/31445).
    // `reasoning_effort` "low, medium or high" of gpt-oss, and refused by what does not think (https://github.com/brendanlong/lion-reader/pull/1325).
    openai("cerebras", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY", "https://inference-docs.cerebras.ai/resources/openai")
        .efforts(&["gpt-oss-"])
        .lacks(&["frequency_penalty", "presence_penalty", "logit_bias", "developer", "messages[].reasoning_content", "json_schema with tools",
            "json_object with tools"]),
    // The missing `[DONE]`: https://github.com/perplexityai/api-discussion/issues/209. Its reference (https://docs.perplexity.ai/api-reference/chat-completions-post)
    // has `top_k`, and nothing of what it lacks here; the types of its SDK (perplexityai on PyPI, 0.46) do have tools, stop, n and logprobs, of which no page
    // says what becomes of them, but neither seed, logit_bias, `developer`, `max_completion_tokens` nor `json_object`: text, `json_schema` and regex.
    openai("perplexity", "https://api.perplexity.ai", "PERPLEXITY_API_KEY", "https://docs.perplexity.ai/guides/chat-completions-guide")
        .leaves_done_out().knows(&["top_k"])
        .lacks(&["developer", "max_completion_tokens", "tools", "stop", "seed", "n", "logprobs", "logit_bias", "json_object"]),
    openai("cloudflare", "https://api.cloudflare.com/client/v4/accounts/{CLOUDFLARE_ACCOUNT_ID}/ai/v1", "CLOUDFLARE_API_KEY", "https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/"),
    // OpenAI's models that reason (tried: https://github.com/anomalyco/models.dev/pull/2334); the others refuse it, as at OpenAI's.
    openai("github-models", "https://models.github.ai/inference", "GITHUB_TOKEN", "https://docs.github.com/en/rest/models/inference")
        .efforts(&["openai/o1$", "openai/o3", "openai/o4", "openai/gpt-5$", "openai/gpt-5-mini", "openai/gpt-5-nano"])
        .tells_usage(),
    openai("nvidia", "https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY", "https://docs.api.nvidia.com/nim/reference/llm-apis"),
    openai("sambanova", "https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY", "https://docs.sambanova.ai/docs/en/api-reference/endpoints/chat")
        .tells_usage(),
    openai("deepinfra", "https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY", "https://deepinfra.com/docs/openai_api")
        .tells_usage(),
    openai("hyperbolic", "https://api.hyperbolic.xyz/v1", "HYPERBOLIC_API_KEY", "https://docs.hyperbolic.xyz/docs/rest-api"),
    // "thinking is enabled but reasoning_content is missing in assistant tool call message": the models that think do so unless told otherwise, and take an empty
    // one for none, but a space for one (https://github.com/theopenco/llmgateway/pull/2093, https://github.com/earendil-works/pi/pull/4178).
    openai("moonshot", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY", "https://platform.moonshot.ai/docs/api/chat")
        .asked(Asks::Nothing)
        .thinks(Thoughts::InToolTurns { unknown: " ", of: Models::But(&["moonshot-v1-", "kimi-latest", "kimi-k2-0", "kimi-k2-turbo"]) }),
    openai("qwen", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY", "https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope")
        .tells_usage().asked(Asks::Nothing),
    // "Structured output": `json_object` alone.
    openai("zai", "https://api.z.ai/api/paas/v4", "ZAI_API_KEY", "https://docs.z.ai/guides/develop/http/introduction")
        .lacks(&["json_schema"]),
    // Signatures of calls in `extra_content` (https://ai.google.dev/gemini-api/docs/thought-signatures).
    openai("gemini-openai", "https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY", "https://ai.google.dev/gemini-api/docs/openai")
        .knows(&["extra_content"]),
    // "Supported parameters", "Unsupported parameters"; its own example has a `developer`.
    openai("cohere", "https://api.cohere.ai/compatibility/v1", "COHERE_API_KEY", "https://docs.cohere.com/docs/compatibility-api")
        .asked(Asks::NoneOrHigh).knows(&["developer"])
        .lacks(&["max_completion_tokens", "parallel_tool_calls", "logprobs", "logit_bias", "n", "user"]),
    openai("huggingface", "https://router.huggingface.co/v1", "HF_TOKEN", "https://huggingface.co/docs/inference-providers/index"),
    openai("nebius", "https://api.tokenfactory.nebius.com/v1", "NEBIUS_API_KEY", "https://docs.tokenfactory.nebius.com/quickstart"),
    openai("scaleway", "https://api.scaleway.ai/v1", "SCW_SECRET_KEY", "https://www.scaleway.com/en/docs/generative-apis/quickstart/"),
    openai("vercel", "https://ai-gateway.vercel.sh/v1", "AI_GATEWAY_API_KEY", "https://vercel.com/docs/ai-gateway/openai-compat"),

    // "Supported request fields": those without a tick. What can think does so unless told otherwise (https://github.com/ollama/ollama/issues/14820); what cannot
    // "does not support thinking" (https://github.com/Gitlawb/openclaude/issues/1371), and levels are gpt-oss's alone (https://docs.ollama.com/capabilities/thinking).
    openai("ollama", "http://127.0.0.1:11434/v1", "", "https://docs.ollama.com/api/openai-compatibility")
        .efforts(&["gpt-oss"])
        .tells_usage().without_key().lacks(&["tool_choice", "logit_bias", "user", "n"]),
    // ChatCompletionRequest (vllm/entrypoints/openai/chat_completion/protocol.py: top_k; penalties, n, logprobs and the rest are OpenAI's; `user` is not
    // read), https://docs.vllm.ai/en/latest/features/multimodal_inputs.html (sound and films).
    openai("vllm", "http://127.0.0.1:8000/v1", "", "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html")
        .tells_usage().without_key().knows(&["top_k", "input_audio", "video_url"]),
    openai("lmstudio", "http://127.0.0.1:1234/v1", "", "https://lmstudio.ai/docs/developer/openai-compat")
        .tells_usage().without_key(),
    // It compiles `json_schema` to a grammar, beside tools too (tools/server/server-common.cpp: "Cannot use custom grammar constraints with tools." is of the
    // member `grammar` alone). A schema beside the form's type too (its README, `response_format`).
    openai("llamacpp", "http://127.0.0.1:8080/v1", "", "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md")
        .tells_usage().without_key().knows(&["json_schema flat"]),

    openai("anthropic", "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY", "https://docs.claude.com/en/api/overview")
        .speaks(&[Protocol::Anthropic]),
    openai("gemini", "https://generativelanguage.googleapis.com/v1beta", "GEMINI_API_KEY", "https://ai.google.dev/api")
        .speaks(&[Protocol::Gemini]),

    openai("simulated", "", "", "src/provider/simulated.rs")
        .speaks(&[Protocol::Simulated]).without_key(),
];
