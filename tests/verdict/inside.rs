//! An error object where an answer should be: in a 200, or in a stream before its first content.

use breakwater::verdict::{Blame, Evidence, Fault, judge};
use serde_json::json;

use super::{NOW, about, table};

#[test]
fn errors_within_a_200() {
    let rows: &[(&str, &str, Fault)] = &[
        (
            "an upstream's failure, OpenRouter",
            r#"{"error":{"message":"Provider returned error","code":502}}"#,
            Fault::ServerError,
        ),
        (
            "the same in a chunk",
            r#"{"id":"x","choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],"error":{"code":"502","message":"m"}}"#,
            Fault::ServerError,
        ),
        ("a limit, OpenRouter", r#"{"error":{"message":"Rate limit exceeded","code":429}}"#, Fault::RateLimited),
        ("credit, OpenRouter", r#"{"error":{"message":"Insufficient credits","code":402}}"#, Fault::QuotaExhausted),
        (
            "moderation, OpenRouter",
            r#"{"error":{"message":"m-1 requires moderation on X. Your input was flagged for \"hate\". No credits were charged.","code":403}}"#,
            Fault::ContentPolicy,
        ),
        (
            "an upstream's context length",
            r#"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"maximum context length is 8192 tokens"}}}"#,
            Fault::ContextLength,
        ),
        (
            "a tool call that it got wrong, Groq",
            r#"{"error":{"message":"Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.","type":"invalid_request_error","code":"tool_use_failed","failed_generation":"<function=x>","status_code":400}}"#,
            Fault::Unsupported,
        ),
        (
            "quota, OpenAI",
            r#"{"type":"error","sequence_number":2,"error":{"type":"insufficient_quota","code":"insufficient_quota","message":"You exceeded your current quota, please check your plan and billing details.","param":null}}"#,
            Fault::QuotaExhausted,
        ),
        (
            "a limit, OpenAI",
            r#"{"error":{"message":"Rate limit reached","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#,
            Fault::RateLimited,
        ),
        (
            "a limit in a response that failed",
            r#"{"type":"response.failed","sequence_number":3,"response":{"id":"resp_1","status":"failed","error":{"code":"rate_limit_exceeded","message":"Rate limit reached"}}}"#,
            Fault::RateLimited,
        ),
        (
            "a failure of the model's, in a response that failed",
            r#"{"type":"response.failed","sequence_number":3,"response":{"id":"resp_1","status":"failed","error":{"code":"server_error","message":"The model failed to generate a response."}}}"#,
            Fault::ErrorInside,
        ),
        (
            "an error event without an object, Responses",
            r#"{"type":"error","sequence_number":3,"code":"rate_limit_exceeded","message":"Rate limit reached","param":null}"#,
            Fault::RateLimited,
        ),
        (
            "a prompt that is blocked, Gemini",
            r#"{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{}}"#,
            Fault::ContentPolicy,
        ),
        ("a limit, Anthropic", r#"{"type":"error","error":{"type":"rate_limit_error","message":"m"}}"#, Fault::RateLimited),
        ("a limit, Gemini", r#"[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}}]"#, Fault::RateLimited),
        (
            "overloaded, Anthropic",
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            Fault::Overloaded,
        ),
        (
            "overloaded, Gemini",
            r#"{"error":{"code":503,"message":"The model is overloaded. Please try again later.","status":"UNAVAILABLE"}}"#,
            Fault::Overloaded,
        ),
        (
            "its own failure",
            r#"{"error":{"message":"The server had an error","type":"server_error","param":null,"code":null}}"#,
            Fault::ErrorInside,
        ),
        ("its policy, Azure", r#"{"error":{"message":"filtered","code":"content_filter"}}"#, Fault::ContentPolicy),
        ("a key", r#"{"error":{"message":"m","code":"invalid_api_key"}}"#, Fault::KeyRefused),
        ("no such model", r#"{"error":{"message":"m","code":"model_not_found"}}"#, Fault::NoSuchModel),
        ("a text", r#"{"error":"something went wrong"}"#, Fault::ErrorInside),
        ("nothing", r#"{"error":{}}"#, Fault::ErrorInside),
        ("a code that is no status", r#"{"error":{"message":"m","code":1500}}"#, Fault::ErrorInside),
        ("a code of success", r#"{"error":{"message":"m","code":200}}"#, Fault::ErrorInside),
    ];
    for (name, body, fault) in rows {
        let verdict = judge(&about("p/m-1", "m-1"), &Evidence::ErrorInside { body }, NOW);
        assert_eq!((verdict.fault, verdict.status, verdict.wait), (*fault, Some(200), None), "{name}");
        table::check(&verdict, name);
    }
}

/// A client alone cannot bring about what counts against a model, a provider or a credential: not by what it writes, which some providers
/// quote in their refusals.
#[test]
fn what_a_client_wrote_blames_nobody() {
    let written = [
        "overloaded",
        "rate limit",
        "server_error",
        "insufficient balance",
        "credit balance is too low",
        "incorrect api key",
        "no such model",
        "the model does not exist",
        "not found",
        "spending limit",
    ];
    for text in written {
        let openai = json!({ "error": { "message": format!("Invalid value: '{text}'. Supported values are: 'user'."), "type": "invalid_request_error", "param": "messages[0].role", "code": "invalid_value" } });
        let serde = json!({ "error": { "message": format!("Failed to deserialize the JSON body into the target type: messages[0].role: unknown variant `{text}`, expected `user`"), "type": "invalid_request_error", "param": null, "code": "invalid_request_error" } });
        let fastapi = json!({ "detail": [{ "type": "literal_error", "loc": ["body", "messages", 0, "role"], "msg": "Input should be 'user'", "input": text }] });
        for (status, body) in [(400, openai), (400, serde), (422, fastapi)] {
            let verdict = super::status("p", "m-1", status, &[], &body.to_string());
            assert_eq!(verdict.fault.blame(), Blame::Nobody, "{body}");
        }
    }
}
