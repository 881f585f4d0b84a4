//! Tokens, as this dialect and its imitators count them.

use serde_json::Value;

use super::put;
use crate::chat::{Object, Usage};

const INPUT: &str = "prompt_tokens_details";
const OUTPUT: &str = "completion_tokens_details";

/// Reads `usage`.
pub(super) fn read(usage: Value) -> Option<Usage> {
    let Value::Object(mut usage) = usage else { return None };
    let mut take = |name: &str| usage.shift_remove(name).and_then(|value| value.as_u64());
    let (input, output, total) = (take("prompt_tokens"), take("completion_tokens"), take("total_tokens"));
    let (input, mut output) = (input?, output.unwrap_or_default());
    let mut details = |name: &str| match usage.shift_remove(name) {
        Some(Value::Object(details)) => details,
        _ => Object::new(),
    };
    let (mut of_input, mut of_output) = (details(INPUT), details(OUTPUT));
    let number = |object: &mut Object, name: &str| object.shift_remove(name).and_then(|value| value.as_u64());
    let cached = number(&mut of_input, "cached_tokens");
    let reasoning = number(&mut of_output, "reasoning_tokens");
    // xAI counts its reasoning beside the answer, as the total tells.
    if let (Some(reasoning), Some(total)) = (reasoning, total)
        && input + output + reasoning == total
    {
        output += reasoning;
    }
    let told = Usage {
        input,
        output,
        total: total.filter(|total| *total != input + output),
        // DeepSeek's older name.
        cached: cached.or_else(|| usage.get("prompt_cache_hit_tokens").and_then(Value::as_u64)),
        cache_written: number(&mut of_input, "cache_write_tokens"),
        audio_input: number(&mut of_input, "audio_tokens"),
        reasoning,
        audio_output: number(&mut of_output, "audio_tokens"),
        extra: Object::new(),
    };
    for (name, rest) in [(INPUT, of_input), (OUTPUT, of_output)] {
        if !rest.is_empty() {
            usage.insert(name.to_owned(), rest.into());
        }
    }
    Some(Usage { extra: usage, ..told })
}

/// Writes it: what the dialect counts. What else a provider does is in the words of its own dialect.
pub(in crate::dialect) fn write(usage: Usage) -> Value {
    let mut extra = usage.extra;
    let mut details = |name: &str, members: &[(&str, Option<u64>)]| {
        let mut details = Object::new();
        for (name, number) in members {
            put(&mut details, name, *number);
        }
        if let Some(Value::Object(rest)) = extra.shift_remove(name) {
            details.extend(rest);
        }
        (name.to_owned(), details)
    };
    let of_input =
        [("cached_tokens", usage.cached), ("cache_write_tokens", usage.cache_written), ("audio_tokens", usage.audio_input)];
    let of_output = [("reasoning_tokens", usage.reasoning), ("audio_tokens", usage.audio_output)];
    let details = [details(INPUT, &of_input), details(OUTPUT, &of_output)];
    let mut told = Object::new();
    told.insert("prompt_tokens".to_owned(), usage.input.into());
    told.insert("completion_tokens".to_owned(), usage.output.into());
    told.insert("total_tokens".to_owned(), usage.total.unwrap_or(usage.input + usage.output).into());
    told.extend(details.into_iter().filter(|(_, details)| !details.is_empty()).map(|(name, details)| (name, details.into())));
    Value::Object(told)
}
