//! Providers that speak OpenAI's protocol in the cloud, and say what is wrong each in their own way.

use breakwater::verdict::Fault;

use super::{UNSAID, check};

/// Without a wrapper: <https://docs.mistral.ai/api/>
#[test]
fn mistral() {
    check(
        "mistral",
        &[
            ("a key that is none", 401, &[], r#"{"detail":"Invalid API Key"}"#, Fault::KeyRefused, None),
            ("the same, before", 401, &[], r#"{"message":"Unauthorized","request_id":"x"}"#, Fault::KeyRefused, None),
            (
                "no such model",
                400,
                &[],
                r#"{"object":"error","message":"Invalid model: m-1","type":"invalid_model","param":null,"code":"1500","raw_status_code":400}"#,
                Fault::NoSuchModel,
                None,
            ),
            (
                "its tier's capacity",
                429,
                &[],
                r#"{"object":"error","message":"Service tier capacity exceeded for this model.","type":"service_tier_capacity_exceeded","param":null,"code":"3505"}"#,
                Fault::RateLimited,
                UNSAID,
            ),
            ("rate limit", 429, &[], r#"{"message":"Requests rate limit exceeded"}"#, Fault::RateLimited, UNSAID),
            (
                "a prompt too long",
                400,
                &[],
                r#"{"object":"error","message":"Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length","type":"invalid_request_prompt","param":null,"code":"3051"}"#,
                Fault::ContextLength,
                None,
            ),
            (
                "a field that it does not know",
                422,
                &[],
                r#"{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","foo"],"msg":"Extra inputs are not permitted","input":1}]},"type":"invalid_request_error","param":null,"code":null}"#,
                Fault::Unsupported,
                None,
            ),
            (
                "a field that is missing",
                422,
                &[],
                r#"{"object":"error","message":{"detail":[{"type":"missing","loc":["body","messages"],"msg":"Field required"}]},"type":"invalid_request_error","param":null,"code":null}"#,
                Fault::Refused,
                None,
            ),
        ],
    );
}

/// Codes are numbers, and an upstream's own words are in `metadata.raw`: <https://openrouter.ai/docs/api-reference/errors>
#[test]
fn openrouter() {
    check(
        "openrouter",
        &[
            (
                "credit",
                402,
                &[],
                r#"{"error":{"message":"Insufficient credits. Add more using https://openrouter.ai/settings/credits","code":402}}"#,
                Fault::QuotaExhausted,
                None,
            ),
            (
                "credit for this request",
                402,
                &[],
                r#"{"error":{"message":"This request requires more credits, or fewer max_tokens. You requested up to 32000 tokens, but can only afford 4000.","code":402}}"#,
                Fault::QuotaExhausted,
                None,
            ),
            (
                "an upstream's limit",
                429,
                &[],
                r#"{"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"m-1 is temporarily rate-limited upstream. Please retry shortly, or add your own key.","provider_name":"X"}}}"#,
                Fault::RateLimited,
                UNSAID,
            ),
            (
                "its own limit",
                429,
                &[("x-ratelimit-limit", "50"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1700000060000")],
                r#"{"error":{"message":"Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day","code":429}}"#,
                Fault::RateLimited,
                Some(60_000),
            ),
            (
                "an upstream's context length",
                400,
                &[],
                r#"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"This model's maximum context length is 131072 tokens.\"}}","provider_name":"X"}}}"#,
                Fault::ContextLength,
                None,
            ),
            (
                "its own context length",
                400,
                &[],
                r#"{"error":{"message":"This endpoint's maximum context length is 131072 tokens. However, you requested about 150000 tokens. Please reduce the length of either one, or use the \"middle-out\" transform.","code":400}}"#,
                Fault::ContextLength,
                None,
            ),
            (
                "no such model",
                400,
                &[],
                r#"{"error":{"message":"m-1 is not a valid model ID","code":400}}"#,
                Fault::NoSuchModel,
                None,
            ),
            (
                "nobody has the model",
                404,
                &[],
                r#"{"error":{"message":"No endpoints found for m-1.","code":404}}"#,
                Fault::NoSuchModel,
                None,
            ),
            (
                "nobody has it with tools",
                404,
                &[],
                r#"{"error":{"message":"No endpoints found that support tool use. To learn more about provider routing, visit: https://openrouter.ai/docs/provider-routing","code":404}}"#,
                Fault::Unsupported,
                None,
            ),
            (
                "nobody has it with images",
                404,
                &[],
                r#"{"error":{"message":"No endpoints found that support image input","code":404}}"#,
                Fault::Unsupported,
                None,
            ),
            (
                "nobody has it with these parameters",
                404,
                &[],
                r#"{"error":{"message":"No endpoints found that can handle the requested parameters.","code":404}}"#,
                Fault::Unsupported,
                None,
            ),
            (
                "an upstream's moderation",
                403,
                &[],
                r#"{"error":{"message":"m-1 requires moderation on X. Your input was flagged for \"harassment\". No credits were charged.","code":403,"metadata":{"reasons":["harassment"],"flagged_input":"...","provider_name":"X","model_slug":"m-1"}}}"#,
                Fault::ContentPolicy,
                None,
            ),
            (
                "a key that is none",
                401,
                &[],
                r#"{"error":{"message":"No auth credentials found","code":401}}"#,
                Fault::KeyRefused,
                None,
            ),
            ("too slow", 408, &[], r#"{"error":{"message":"Request timed out","code":408}}"#, Fault::ServerError, None),
            (
                "an upstream's failure",
                502,
                &[],
                r#"{"error":{"message":"Provider returned error","code":502,"metadata":{"raw":"upstream connect error","provider_name":"X"}}}"#,
                Fault::ServerError,
                None,
            ),
            (
                "nobody is there",
                503,
                &[],
                r#"{"error":{"message":"No instances available","code":503}}"#,
                Fault::ServerError,
                None,
            ),
        ],
    );
}

/// <https://console.groq.com/docs/errors>
#[test]
fn groq() {
    check(
        "groq",
        &[
            (
                "a tool call that it got wrong",
                400,
                &[],
                r#"{"error":{"message":"Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.","type":"invalid_request_error","code":"tool_use_failed","failed_generation":"<function=x>{}"}}"#,
                Fault::Unsupported,
                None,
            ),
            (
                "JSON that it got wrong",
                400,
                &[],
                r#"{"error":{"message":"Failed to generate JSON. Please adjust your prompt. See 'failed_generation' for more details.","type":"invalid_request_error","code":"json_validate_failed","failed_generation":""}}"#,
                Fault::Unsupported,
                None,
            ),
            (
                "rate limit",
                429,
                &[("retry-after", "432")],
                r#"{"error":{"message":"Rate limit reached for model `m-1` in organization `org_x` service tier `on_demand` on tokens per day (TPD): Limit 500000, Used 499000, Requested 3500. Please try again in 7m12s.","type":"tokens","code":"rate_limit_exceeded"}}"#,
                Fault::RateLimited,
                Some(300_000),
            ),
            (
                "more than a minute's tokens",
                413,
                &[],
                r#"{"error":{"message":"Request too large for model `m-1` in organization `org_x` service tier `on_demand` on tokens per minute (TPM): Limit 6000, Requested 7000, please reduce your message size and try again.","type":"tokens","code":"rate_limit_exceeded"}}"#,
                Fault::ContextLength,
                None,
            ),
            (
                "context length",
                400,
                &[],
                r#"{"error":{"message":"Please reduce the length of the messages or completion.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
                Fault::ContextLength,
                None,
            ),
            (
                "no such model",
                404,
                &[],
                r#"{"error":{"message":"The model `m-1` does not exist or you do not have access to it.","type":"invalid_request_error","code":"model_not_found"}}"#,
                Fault::NoSuchModel,
                None,
            ),
            (
                "a model that was",
                400,
                &[],
                r#"{"error":{"message":"The model `m-1` has been decommissioned and is no longer supported.","type":"invalid_request_error","code":"model_decommissioned"}}"#,
                Fault::NoSuchModel,
                None,
            ),
            (
                "its flexible tier is full",
                498,
                &[],
                r#"{"error":{"message":"Flex tier capacity exceeded","type":"internal_server_error","code":"capacity_exceeded"}}"#,
                Fault::Overloaded,
                None,
            ),
            (
                "over capacity",
                503,
                &[("retry-after", "5")],
                r#"{"error":{"message":"m-1 is currently over capacity. Please try again and back off exponentially.","type":"internal_server_error"}}"#,
                Fault::Overloaded,
                Some(5_000),
            ),
        ],
    );
}
