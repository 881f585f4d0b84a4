//! What a model can do, by its name.
//!
//! Google publishes it per model and has no endpoint that tells all of it. A version within a name is believed; an alias without one (`gemini-flash-latest`) is of
//! the newest, as those aliases are; another family (`gemma-3-27b-it`, `learnlm-…`) gets what every model has had from the beginning.

/// How a model is told how much to think (<https://ai.google.dev/gemini-api/docs/thinking>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thinker {
    /// It does not think.
    None,
    /// In tokens: `thinkingBudget`.
    Budget {
        /// The least that is not nothing.
        least: u64,
        /// The most.
        most: u64,
        /// Whether it can be nothing.
        off: bool,
    },
    /// In words: `thinkingLevel`. All of them know `low` and `high`.
    Level {
        /// Whether it knows `minimal`.
        minimal: bool,
        /// Whether it knows `medium`.
        medium: bool,
    },
}

/// A model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Model<'a> {
    name: &'a str,
    version: (u32, u32),
}

/// The version of what has none in its name.
const NEWEST: (u32, u32) = (u32::MAX, 0);

impl<'a> Model<'a> {
    /// By its name, with or without the `models/` before it.
    pub(super) fn of(name: &'a str) -> Self {
        let name = name.rsplit('/').next().unwrap_or_default();
        let version = name.strip_prefix("gemini-").map_or((1, 0), |rest| version(rest).unwrap_or(NEWEST));
        Self { name, version }
    }

    fn is_at_least(self, version: (u32, u32)) -> bool {
        self.version >= version
    }

    /// Whether it takes a JSON schema as it is (`parametersJsonSchema`, `responseJsonSchema`), rather than the subset of `OpenAPI`'s that `parameters` and
    /// `responseSchema` take (<https://ai.google.dev/gemini-api/docs/structured-output>).
    pub(super) fn takes_json_schema(self) -> bool {
        self.is_at_least((2, 5))
    }

    /// Whether it fetches a `fileUri` that is any public or signed address (<https://ai.google.dev/gemini-api/docs/file-input-methods>).
    pub(super) fn fetches(self) -> bool {
        self.is_at_least((2, 5))
    }

    /// Whether functions and an answer in JSON go together; older ones refuse that ("Function calling with a response mime type: 'application/json' is
    /// unsupported").
    pub(super) fn formats_beside_tools(self) -> bool {
        self.is_at_least((3, 0))
    }

    /// Whether it has an answer in JSON at all, and instructions beside the conversation: the open models have neither.
    pub(super) fn is_gemini(self) -> bool {
        self.name.starts_with("gemini-")
    }

    /// Whether it has the function calling mode `VALIDATED`, in which arguments obey their schema though no call is forced
    /// (<https://ai.google.dev/gemini-api/docs/function-calling>, "Function calling modes").
    pub(super) fn validates(self) -> bool {
        self.is_at_least((2, 5))
    }

    /// Whether calls and results have ids, results may hold images and PDFs, and the calls of the current turn must be signed
    /// (<https://ai.google.dev/gemini-api/docs/thought-signatures>).
    pub(super) fn is_third(self) -> bool {
        self.is_at_least((3, 0))
    }

    /// Whether it answers in sound.
    pub(super) fn speaks(self) -> bool {
        self.name.contains("-tts") || self.name.contains("-native-audio")
    }

    /// Whether it answers in images.
    pub(super) fn draws(self) -> bool {
        self.name.contains("-image")
    }

    /// How it is told how much to think. `minimal` is refused by every Pro and by Flash from 3.7 on, and what is not known to take it is not sent it;
    /// `medium` came to Pro with 3.1.
    pub(super) fn thinker(self) -> Thinker {
        let is_flash = self.name.contains("flash");
        if self.is_at_least((3, 0)) {
            return Thinker::Level { minimal: is_flash && self.version <= (3, 5), medium: is_flash || self.version > (3, 0) };
        }
        if !self.is_at_least((2, 5)) {
            return Thinker::None;
        }
        if self.name.contains("flash-lite") {
            Thinker::Budget { least: 512, most: 24_576, off: true }
        } else if is_flash {
            Thinker::Budget { least: 1, most: 24_576, off: true }
        } else {
            Thinker::Budget { least: 128, most: 32_768, off: false }
        }
    }
}

/// The version that a name begins with, behind `gemini-`: `2.5-flash`, `3-pro-preview`, and the first ones' `pro-vision`, which had none.
fn version(rest: &str) -> Option<(u32, u32)> {
    let word = rest.split('-').next().unwrap_or_default();
    let mut numbers = word.splitn(2, '.');
    let major = numbers.next()?.parse().ok()?;
    Some((major, numbers.next().and_then(|minor| minor.parse().ok()).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_a_model_can_do() {
        for (name, version, thinker) in [
            ("gemini-3-pro-preview", (3, 0), Thinker::Level { minimal: false, medium: false }),
            ("gemini-3.1-pro-preview", (3, 1), Thinker::Level { minimal: false, medium: true }),
            ("models/gemini-3-flash-preview", (3, 0), Thinker::Level { minimal: true, medium: true }),
            ("gemini-3.5-flash", (3, 5), Thinker::Level { minimal: true, medium: true }),
            ("gemini-3.8-flash", (3, 8), Thinker::Level { minimal: false, medium: true }),
            ("gemini-4-argon", (4, 0), Thinker::Level { minimal: false, medium: true }),
            ("gemini-flash-latest", NEWEST, Thinker::Level { minimal: false, medium: true }),
            ("gemini-2.5-pro", (2, 5), Thinker::Budget { least: 128, most: 32_768, off: false }),
            ("gemini-2.5-flash-preview-09-2025", (2, 5), Thinker::Budget { least: 1, most: 24_576, off: true }),
            ("gemini-2.5-flash-lite", (2, 5), Thinker::Budget { least: 512, most: 24_576, off: true }),
            ("gemini-2.0-flash", (2, 0), Thinker::None),
            ("gemini-1.5-pro-002", (1, 5), Thinker::None),
            ("gemma-3-27b-it", (1, 0), Thinker::None),
            ("", (1, 0), Thinker::None),
        ] {
            let model = Model::of(name);
            assert_eq!((model.version, model.thinker()), (version, thinker), "{name}");
        }
    }
}
