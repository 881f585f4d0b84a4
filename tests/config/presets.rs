//! The table of known providers, as a whole.

use std::collections::HashSet;

use breakwater::config::{PRESETS, Protocol, parse};

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
        PRESETS.iter().filter(|preset| preset.protocols == [Protocol::OpenAi]).map(|preset| preset.name).collect();
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
