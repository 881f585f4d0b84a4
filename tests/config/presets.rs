//! The table of known providers, as a whole.

use std::collections::HashSet;

use breakwater::config::{Asks, PRESETS, Protocol, Quirks, Thoughts, ToolIds, parse};

#[test]
fn names_are_unique() {
    let mut seen = HashSet::new();
    for preset in PRESETS {
        assert!(seen.insert(preset.name), "{} is there twice", preset.name);
    }
}

#[test]
fn each_is_enough_by_itself_and_passes_the_check_of_addresses() {
    for preset in PRESETS {
        let alone = format!("[providers.{}]\n", preset.name);
        let config = parse(&alone).unwrap_or_else(|errors| panic!("{}: {errors}", preset.name));
        let [provider] = config.providers.as_slice() else { panic!("{}", preset.name) };
        assert_eq!(provider.protocols, preset.protocols, "{}", preset.name);
        assert_eq!(provider.base_url, preset.base_url, "{}", preset.name);
        assert_eq!(provider.keys, preset.key.into_iter().collect::<Vec<_>>(), "{}", preset.name);
        assert_eq!(provider.quirks, preset.quirks, "{}", preset.name);
        if preset.protocols == [Protocol::Simulated] {
            continue;
        }
        // Written out by hand, the row must pass what a hand-written provider must.
        let key = preset.key.map_or("[]".to_owned(), |key| format!("[{key:?}]"));
        let by_hand = format!("[providers.x]\nbase_url = {:?}\nkeys = {key}\n", preset.base_url);
        let config = parse(&by_hand).unwrap_or_else(|errors| panic!("{}: {errors}", preset.name));
        assert_eq!(
            config.providers.first().map(|provider| provider.base_url.as_str()),
            Some(preset.base_url),
            "{}",
            preset.name
        );
    }
}

#[test]
fn addresses_are_encrypted_unless_they_are_this_machines_own() {
    for preset in PRESETS.iter().filter(|preset| preset.protocols != [Protocol::Simulated]) {
        let own = preset.base_url.starts_with("http://127.0.0.1:");
        assert_ne!(preset.base_url.starts_with("https://"), own, "{}", preset.name);
        assert_eq!(preset.key.is_none(), own, "{}", preset.name);
        assert!(preset.source.starts_with("https://"), "{} names no page", preset.name);
    }
}

#[test]
fn all_that_are_promised_are_there() {
    let openai: Vec<&str> =
        PRESETS.iter().filter(|preset| preset.protocols.contains(&Protocol::OpenAi)).map(|preset| preset.name).collect();
    let promised = [
        "openai",
        "deepseek",
        "groq",
        "mistral",
        "openrouter",
        "n1n",
        "together",
        "fireworks",
        "xai",
        "cerebras",
        "perplexity",
        "cloudflare",
        "github-models",
        "nvidia",
        "sambanova",
        "deepinfra",
        "hyperbolic",
        "moonshot",
        "qwen",
        "ollama",
        "vllm",
    ];
    for name in promised {
        assert!(openai.contains(&name), "{name}");
    }
    assert!(openai.len() >= 22, "{}", openai.len());
    let n1n = PRESETS.iter().find(|preset| preset.name == "n1n").map(|preset| preset.base_url);
    assert_eq!(n1n, Some("https://api.n1n.ai/v1"));
}

/// What is known of each is consistent, and of nobody is anything assumed.
#[test]
fn quirks_are_words_that_somebody_reads() {
    const KNOWS: [&str; 18] = [
        "json_schema flat",
        "top_k",
        "cache_control",
        "file",
        "file by url",
        "input_audio",
        "input_audio as text",
        "prefix",
        "video_url",
        "document_url",
        "modalities",
        "verbosity",
        "service_tier",
        "prompt_cache_key",
        "random_seed",
        "developer",
        "max_completion_tokens",
        "extra_content",
    ];
    const LACKS: [&str; 30] = [
        "user behind tool",
        "json_schema with tools",
        "json_schema streamed",
        "json_object with tools",
        "developer",
        "max_completion_tokens",
        "json_schema",
        "json_object",
        "n",
        "seed",
        "stop",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "logprobs",
        "logit_bias",
        "user",
        "messages[].name",
        "frequency_penalty",
        "presence_penalty",
        "content parts",
        "stream_options",
        "messages[].refusal",
        "messages[].reasoning_content",
        "messages[].reasoning",
        "messages[].reasoning_details",
        "messages[].annotations",
        "messages[].audio",
        "messages[].function_call",
        "extra_content",
    ];
    for preset in PRESETS {
        let quirks = preset.quirks;
        assert!(quirks.knows.iter().all(|word| KNOWS.contains(word)), "{}: {:?}", preset.name, quirks.knows);
        assert!(quirks.lacks.iter().all(|word| LACKS.contains(word)), "{}: {:?}", preset.name, quirks.lacks);
        assert!(quirks.knows.iter().all(|word| !quirks.lacks.contains(word)), "{} knows and lacks a word", preset.name);
        assert_eq!(quirks.original, preset.name == "openai", "{}", preset.name);
        assert!(!quirks.original || quirks.lacks.is_empty(), "{}", preset.name);
    }
    let by_hand = parse("[providers.x]\nbase_url = \"https://example.com/v1\"\nkeys = []\n").unwrap();
    assert_eq!(by_hand.providers[0].quirks, Quirks::default());
}

#[test]
fn differences_that_recordings_or_documents_show() {
    let find = |name: &str| PRESETS.iter().find(|preset| preset.name == name).unwrap().quirks;
    assert_eq!(find("mistral").tool_ids, ToolIds::Nine);
    assert!(find("mistral").knows("random_seed") && find("mistral").lacks("max_completion_tokens"));
    assert_eq!(find("deepseek").asks, Asks::Thinking);
    assert!(matches!(find("deepseek").thoughts, Thoughts::InToolTurns { unknown: "", .. }));
    assert!(matches!(find("moonshot").thoughts, Thoughts::InToolTurns { unknown: " ", .. }));
    assert!(find("deepseek").lacks("developer") && find("deepseek").lacks("json_schema"));
    assert!(
        find("perplexity").knows("top_k")
            && find("perplexity").lacks("json_object")
            && !find("perplexity").lacks("json_schema")
    );
    assert!(!find("cerebras").lacks("parallel_tool_calls") && find("cerebras").lacks("frequency_penalty"));
    assert_eq!((find("openrouter").asks, find("openrouter").thoughts), (Asks::Object, Thoughts::Details));
    assert!(find("groq").lacks("messages[].name") && find("groq").lacks("n"));
    assert!(find("cohere").lacks("parallel_tool_calls") && find("cohere").knows("developer"));
}
