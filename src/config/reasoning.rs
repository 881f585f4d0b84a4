//! Models that reason before they show anything.
//!
//! Their first content may come after minutes, and that is no fault: a limit on it would cut off every hard question. Models that
//! stream their reasoning (`deepseek-reasoner`, `qwq`, `kimi-thinking` …) are not among them, as reasoning is content.
//!
//! Sources: OpenAI, "Reasoning models" (reasoning tokens are not shown in Chat Completions); Google, "Gemini thinking" (thoughts are
//! shown only where they are asked for); xAI, "Reasoning" (`grok-4` shows none); Perplexity, "Sonar deep research".

use crate::config::pattern;

/// The last part of the models' names.
const SILENT: [&str; 8] = ["o1*", "o3*", "o4*", "gpt-5*", "gemini-2.5-*", "gemini-3*", "grok-4*", "sonar-deep-research*"];

/// What looks like one of them and answers at once.
const SPEAKING: [&str; 3] = ["gpt-5*-chat*", "gemini-2.5-flash-lite*", "grok-4*-non-reasoning*"];

/// Whether a model is known to reason in silence, by its name as the provider has it (`openai/o3` at an aggregator is `o3`).
pub(super) fn is_silent(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    let among = |patterns: &[&str]| patterns.iter().any(|pattern| pattern::matches(pattern, name));
    among(&SILENT) && !among(&SPEAKING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models() {
        for silent in [
            "o1",
            "o3-mini",
            "o4-mini-2025-04-16",
            "gpt-5",
            "gpt-5.1-codex",
            "openai/o3",
            "google/gemini-2.5-pro",
            "grok-4-0709",
        ] {
            assert!(is_silent(silent), "{silent}");
        }
        for speaking in
            ["gpt-4o", "gpt-5-chat-latest", "deepseek-reasoner", "omni", "claude-sonnet-4-5", "gpt-oss-120b", "o1/llama"]
        {
            assert!(!is_silent(speaking), "{speaking}");
        }
    }
}
