//! What stands beside the parts: why it ended, what it cost, where it is from, how likely it was.

use serde_json::{Value, json};

use crate::chat::{Finish, Object, Reasoning, Usage};

/// Why a candidate ended (<https://ai.google.dev/api/generate-content#FinishReason>); none where it is none, or the candidate is no answer: see [`is_failure`].
pub(super) fn finish(reason: &str) -> Option<Finish> {
    Some(match reason {
        "" | "FINISH_REASON_UNSPECIFIED" => return None,
        "STOP" => Finish::Stop,
        "MAX_TOKENS" => Finish::Length,
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION"
        | "LANGUAGE" => Finish::ContentFilter,
        other => Finish::Other(other.to_lowercase()),
    })
}

/// Whether a candidate ended because it went wrong, so that what there is of it is no answer.
pub(super) fn is_failure(reason: &str) -> bool {
    matches!(
        reason,
        "MALFORMED_FUNCTION_CALL"
            | "UNEXPECTED_TOOL_CALL"
            | "TOO_MANY_TOOL_CALLS"
            | "MISSING_THOUGHT_SIGNATURE"
            | "MALFORMED_RESPONSE"
    )
}

/// Thoughts as one text.
pub(super) fn thoughts(reasoning: &Reasoning) -> String {
    if reasoning.text.is_empty() { reasoning.summary.join("\n\n") } else { reasoning.text.clone() }
}

/// `usageMetadata` (<https://ai.google.dev/api/generate-content#UsageMetadata>); none where it counts nothing, as in the early events of some streams. What hosted tools read
/// is input, and thoughts are output, beside `candidatesTokenCount` rather than in it.
pub(super) fn usage(metadata: &Value) -> Option<Usage> {
    let count = |name: &str| metadata.get(name).and_then(Value::as_u64);
    let of_sound = |lists: &[&str]| {
        let details = lists.iter().filter_map(|list| metadata.get(list)?.as_array()).flatten();
        let sound = details.filter(|detail| detail.get("modality").and_then(Value::as_str) == Some("AUDIO"));
        sound.filter_map(|detail| detail.get("tokenCount")?.as_u64()).reduce(u64::saturating_add)
    };
    let prompt = count("promptTokenCount");
    let total = count("totalTokenCount");
    if prompt.is_none() && total.is_none() {
        return None;
    }
    let input = prompt.unwrap_or(0).saturating_add(count("toolUsePromptTokenCount").unwrap_or(0));
    let output = count("candidatesTokenCount").unwrap_or(0).saturating_add(count("thoughtsTokenCount").unwrap_or(0));
    Some(Usage {
        input,
        output,
        total: total.filter(|total| *total != input.saturating_add(output)),
        cached: count("cachedContentTokenCount"),
        cache_written: None,
        audio_input: of_sound(&["promptTokensDetails", "toolUsePromptTokensDetails"]),
        reasoning: count("thoughtsTokenCount"),
        audio_output: of_sound(&["candidatesTokensDetails"]),
        extra: Object::new(),
    })
}

/// The tier that served it, in `OpenAI`'s words.
pub(super) fn tier(metadata: &Value) -> Option<&str> {
    match metadata.get("serviceTier")?.as_str()? {
        "" => None,
        "standard" => Some("default"),
        tier => Some(tier),
    }
}

/// Citations of a candidate in the flat form of `url_citation`: of `groundingMetadata` (<https://ai.google.dev/api/generate-content#GroundingMetadata>) and of
/// `citationMetadata`. Gemini counts bytes of the text, and this form characters.
pub(super) fn notes(candidate: &Object, text: &str) -> Vec<Value> {
    let mut notes = Vec::new();
    let place = |segment: Option<&Value>| {
        let at = |name: &str| segment.and_then(|segment| segment.get(name)).and_then(Value::as_u64);
        let characters = |bytes: u64| {
            let end = text.floor_char_boundary(usize::try_from(bytes).unwrap_or(usize::MAX));
            text.get(..end).unwrap_or_default().chars().count()
        };
        (at("startIndex").map_or(0, characters), at("endIndex").map_or_else(|| text.chars().count(), characters))
    };
    let note = |source: &Value, (start, end): (usize, usize)| {
        let url = source.get("uri").and_then(Value::as_str)?;
        let title = source.get("title").and_then(Value::as_str).unwrap_or_default();
        Some(json!({ "type": "url_citation", "url": url, "title": title, "start_index": start, "end_index": end }))
    };
    if let Some(grounding) = candidate.get("groundingMetadata") {
        let list = |name: &str| grounding.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let source = |chunk: &'_ Value| ["web", "retrievedContext", "maps"].iter().find_map(|kind| chunk.get(kind).cloned());
        let chunks: Vec<Option<Value>> = list("groundingChunks").iter().map(source).collect();
        let mut cited = vec![false; chunks.len()];
        for support in list("groundingSupports") {
            let indices = support.get("groundingChunkIndices").and_then(Value::as_array).into_iter().flatten();
            for index in indices.filter_map(|index| usize::try_from(index.as_u64()?).ok()) {
                if let (Some(Some(source)), Some(cited)) = (chunks.get(index), cited.get_mut(index)) {
                    notes.extend(note(source, place(support.get("segment"))));
                    *cited = true;
                }
            }
        }
        // What was read for the answer as a whole.
        let uncited = chunks.iter().zip(cited).filter(|(_, cited)| !cited).filter_map(|(source, _)| source.as_ref());
        notes.extend(uncited.filter_map(|source| note(source, place(None))));
    }
    let sources = candidate
        .get("citationMetadata")
        .and_then(|citations| citations.get("citationSources").or_else(|| citations.get("citations")));
    let sources = sources.and_then(Value::as_array).into_iter().flatten();
    notes.extend(sources.filter_map(|source| note(source, place(Some(source)))));
    notes
}

/// `logprobsResult` in Chat Completions' form (<https://ai.google.dev/api/generate-content#LogprobsResult>).
pub(super) fn logprobs(result: &Value) -> Option<Value> {
    let token = |candidate: &Value| {
        let token = candidate.get("token").and_then(Value::as_str).unwrap_or_default();
        let logprob = candidate.get("logProbability").cloned().unwrap_or_else(|| Value::from(0));
        json!({ "token": token, "logprob": logprob, "bytes": token.as_bytes() })
    };
    let chosen = result.get("chosenCandidates")?.as_array()?;
    let top = result.get("topCandidates").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let content: Vec<Value> = chosen
        .iter()
        .enumerate()
        .map(|(at, chosen)| {
            let mut told = token(chosen);
            let others = top.get(at).and_then(|top| top.get("candidates")).and_then(Value::as_array).into_iter().flatten();
            if let Value::Object(told) = &mut told {
                told.insert("top_logprobs".to_owned(), others.map(token).collect());
            }
            told
        })
        .collect();
    (!content.is_empty()).then(|| json!({ "content": content, "refusal": null }))
}
