//! What Anthropic's models take, by their names.
//!
//! Sources, all of <https://platform.claude.com/docs/en>: `build-with-claude/thinking` ("Configuring thinking", and below "Limits and feature
//! compatibility": "Sampling parameters", "Response prefill and forced tool use", "Output limits"), `build-with-claude/thinking-steering-and-cost` (efforts),
//! `build-with-claude/structured-outputs` ("Compatibility"), and what is new in `models/{fable-5-1,opus-5-5,sonnet-5-5,haiku-5-5}`. From 4.7 on sampling
//! parameters and thinking budgets are refused, and thoughts are not shown unless `display` asks for them; from 5 on thinking is on by default; from 5.1 on
//! a tool cannot be forced any more, except with Haiku.

use crate::chat::Effort;

/// A model, as far as its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Model {
    version: (u32, u32),
    family: Family,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Haiku,
    Sonnet,
    Opus,
    /// Fable and Mythos, which always think.
    Thinker,
    /// Not Claude: a provider that imitates the API, as it was when all of them learned it.
    Other,
}

/// A model of Claude's whose name does not say which is the newest one.
const NEWEST: (u32, u32) = (5, 5);

/// What imitators imitate.
const IMITATED: (u32, u32) = (4, 0);

impl Model {
    /// Of a provider's own name: `claude-sonnet-4-5-20250929`, `claude-3-5-haiku-latest`, `anthropic/claude-4.7-opus`.
    pub(super) fn named(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let Some((_, name)) = name.rsplit_once("claude") else { return Self { version: IMITATED, family: Family::Other } };
        let words = || name.split(['-', '.', '@', ':', '_']).filter(|word| !word.is_empty());
        let family = |word: &str| match word {
            "haiku" => Some(Family::Haiku),
            "sonnet" => Some(Family::Sonnet),
            "opus" => Some(Family::Opus),
            "fable" | "mythos" => Some(Family::Thinker),
            "instant" => Some(Family::Other),
            _ => None,
        };
        let family = words().find_map(family).unwrap_or(Family::Other);
        // Dates have more digits.
        let number = |word: &str| word.parse::<u32>().ok().filter(|_| word.len() <= 2);
        let mut numbers = words().skip_while(|word| number(word).is_none()).map_while(number);
        let version = numbers.next().map_or(NEWEST, |major| (major, numbers.next().unwrap_or(0)));
        Self { version, family }
    }

    /// The tokens that are asked for where the client leaves that open, which Anthropic does not allow.
    pub(super) fn default_max_tokens(self) -> u64 {
        match self.version {
            (0..=2, _) | (3, 0..=4) => 4096,
            (3, 5..=6) => 8192,
            _ => 32_000,
        }
    }

    /// The most tokens that an answer can have, thinking included.
    pub(super) fn most_tokens(self) -> u64 {
        match (self.version, self.family) {
            ((0..=3, 0..=6), _) => self.default_max_tokens(),
            ((4, 0..=1), Family::Opus | Family::Other) => 32_000,
            ((4, 0..=5) | (3, _), _) => 64_000,
            _ => 128_000,
        }
    }

    /// Whether `temperature`, `top_p` and `top_k` are taken.
    pub(super) fn samples(self) -> bool {
        self.version < (4, 7)
    }

    /// Whether `temperature` is refused beside `top_p`.
    pub(super) fn samples_by_one(self) -> bool {
        self.version >= (4, 1) && self.family != Family::Other
    }

    /// Whether `output_config.format` and strict tools are known.
    pub(super) fn has_structured_outputs(self) -> bool {
        self.version >= (4, 5)
    }

    pub(super) fn thinks(self) -> bool {
        self.version >= (3, 7)
    }

    /// Whether thinking may be left to the model, with `output_config.effort`.
    pub(super) fn adapts(self) -> bool {
        self.version >= (4, 6)
    }

    /// Whether a budget of thinking is taken.
    pub(super) fn takes_budget(self) -> bool {
        self.thinks() && self.version < (4, 7)
    }

    pub(super) fn thinks_by_default(self) -> bool {
        self.version >= (5, 0)
    }

    /// The kind of thinking that is none: Sonnet 5.5 has one of its own, which without tools is the same.
    pub(super) fn silence(self) -> Option<&'static str> {
        match self.family {
            Family::Thinker => None,
            Family::Sonnet if self.version > (5, 0) => Some("between_tools"),
            Family::Opus | Family::Other if self.version > (5, 0) => None,
            _ => Some("disabled"),
        }
    }

    /// Whether `tool_choice` may force a call.
    pub(super) fn can_be_forced(self) -> bool {
        self.version < (5, 1) || self.family == Family::Haiku
    }

    /// Whether a conversation may end with words of the model's, which it goes on with.
    pub(super) fn takes_prefill(self) -> bool {
        self.version < (4, 6)
    }

    /// The word for an effort that it knows.
    pub(super) fn effort(self, effort: Effort) -> &'static str {
        match effort {
            Effort::None | Effort::Minimal | Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High => "high",
            Effort::Xhigh if self.version >= (4, 7) => "xhigh",
            Effort::Xhigh => "high",
            Effort::Max if self.adapts() => "max",
            Effort::Max => "high",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let rows = [
            ("claude-3-opus-20240229", (3, 0), Family::Opus),
            ("claude-3-5-haiku-latest", (3, 5), Family::Haiku),
            ("claude-3-7-sonnet-20250219", (3, 7), Family::Sonnet),
            ("claude-sonnet-4-20250514", (4, 0), Family::Sonnet),
            ("claude-opus-4-1@20250805", (4, 1), Family::Opus),
            ("anthropic.claude-sonnet-4-5-20250929-v1:0", (4, 5), Family::Sonnet),
            ("anthropic/claude-haiku-4.5", (4, 5), Family::Haiku),
            ("anthropic/claude-4.7-opus", (4, 7), Family::Opus),
            ("claude-opus-5", (5, 0), Family::Opus),
            ("claude-haiku-5-5", (5, 5), Family::Haiku),
            ("claude-fable-5-1", (5, 1), Family::Thinker),
            ("claude-mythos-preview", NEWEST, Family::Thinker),
            ("claude-opus-latest", NEWEST, Family::Opus),
            ("claude-2.1", (2, 1), Family::Other),
            ("kimi-k2", IMITATED, Family::Other),
        ];
        for (name, version, family) in rows {
            assert_eq!(Model::named(name), Model { version, family }, "{name}");
        }
    }

    #[test]
    fn most_tokens() {
        for (name, default, most) in [
            ("claude-3-haiku-20240307", 4096, 4096),
            ("claude-3-5-sonnet-20241022", 8192, 8192),
            ("claude-3-7-sonnet-20250219", 32_000, 64_000),
            ("claude-opus-4-20250514", 32_000, 32_000),
            ("claude-sonnet-4-20250514", 32_000, 64_000),
            ("claude-opus-4-5", 32_000, 64_000),
            ("claude-sonnet-4-6", 32_000, 128_000),
            ("claude-haiku-5-5", 32_000, 128_000),
        ] {
            let model = Model::named(name);
            assert_eq!((model.default_max_tokens(), model.most_tokens()), (default, most), "{name}");
        }
    }
}
