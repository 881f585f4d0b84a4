//! More providers that speak OpenAI's protocol in the cloud.

use breakwater::verdict::Fault;

use super::{UNSAID, check};

/// <https://api-docs.deepseek.com/quick_start/error_codes>
#[test]
fn deepseek() {
    check(
        "deepseek",
        &[
            (
                "credit",
                402,
                &[],
                r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}"#,
                Fault::QuotaExhausted,
                None,
            ),
            (
                "a key that is none",
                401,
                &[],
                r#"{"error":{"message":"Authentication Fails, Your api key: ****abcd is invalid","type":"authentication_error","param":null,"code":"invalid_request_error"}}"#,
                Fault::KeyRefused,
                None,
            ),
            (
                "no such model",
                400,
                &[],
                r#"{"error":{"message":"Model Not Exist","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#,
                Fault::NoSuchModel,
                None,
            ),
            (
                "context length",
                400,
                &[],
                r#"{"error":{"message":"This model's maximum context length is 65536 tokens. However, you requested 70000 tokens (66000 in the messages, 4000 in the completion). Please reduce the length of the messages or completion.","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#,
                Fault::ContextLength,
                None,
            ),
            (
                "its policy",
                400,
                &[],
                r#"{"error":{"message":"Content Exists Risk","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#,
                Fault::ContentPolicy,
                None,
            ),
            (
                "a wrong value",
                422,
                &[],
                r#"{"error":{"message":"Invalid temperature value, the valid range of temperature is [0, 2]","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#,
                Fault::Refused,
                None,
            ),
            (
                "busy",
                503,
                &[],
                r#"{"error":{"message":"Service is too busy. We advise users to temporarily switch to alternative LLM API service providers.","type":"service_unavailable_error","param":null,"code":"service_unavailable_error"}}"#,
                Fault::ServerError,
                None,
            ),
        ],
    );
}

/// <https://docs.together.ai/docs/error-codes>
#[test]
fn together() {
    check(
        "together",
        &[
            (
                "credit",
                402,
                &[],
                r#"{"error":{"message":"Credit limit exceeded, please navigate to https://api.together.ai/settings/billing to update your billing.","type":"credit_limit","param":null,"code":null}}"#,
                Fault::QuotaExhausted,
                None,
            ),
            (
                "no such model",
                404,
                &[],
                r#"{"error":{"message":"Unable to access model m-1. Please visit https://api.together.ai/models to view the list of supported models.","type":"invalid_request_error","param":"model","code":"model_not_available"}}"#,
                Fault::NoSuchModel,
                None,
            ),
            (
                "context length",
                422,
                &[],
                r#"{"error":{"message":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: 5000 `inputs` tokens and 100 `max_new_tokens`","type":"invalid_request_error","param":null,"code":null}}"#,
                Fault::ContextLength,
                None,
            ),
            (
                "rate limit",
                429,
                &[("retry-after", "1")],
                r#"{"error":{"message":"You have reached the rate limit specific to this model m-1.","type":"model_rate_limit","param":null,"code":null}}"#,
                Fault::RateLimited,
                Some(1_000),
            ),
            (
                "overloaded",
                503,
                &[],
                r#"{"error":{"message":"The server is overloaded or not ready yet.","type":"service_unavailable","param":null,"code":null}}"#,
                Fault::Overloaded,
                None,
            ),
        ],
    );
}

/// <https://docs.fireworks.ai/guides/inference-error-codes>
#[test]
fn fireworks() {
    check(
        "fireworks",
        &[
            (
                "an account that is suspended",
                412,
                &[],
                r#"{"error":{"object":"error","type":"invalid_request_error","code":"PRECONDITION_FAILED","message":"Account x is suspended, possibly due to reaching the monthly spending limit or failure to pay past invoices."}}"#,
                Fault::QuotaExhausted,
                None,
            ),
            (
                "no such model",
                404,
                &[],
                r#"{"error":{"object":"error","type":"invalid_request_error","code":"NOT_FOUND","message":"Model not found, inaccessible, and/or not deployed"}}"#,
                Fault::NoSuchModel,
                None,
            ),
            (
                "context length",
                400,
                &[],
                r#"{"error":{"object":"error","type":"invalid_request_error","code":"invalid_request_error","message":"The prompt is too long: 200000, model maximum context length: 131071"}}"#,
                Fault::ContextLength,
                None,
            ),
            ("a key that is none", 401, &[], r#"{"error":"unauthorized"}"#, Fault::KeyRefused, None),
            (
                "over capacity",
                503,
                &[],
                r#"{"error":{"object":"error","type":"internal_server_error","message":"The model is over capacity, please try again later"}}"#,
                Fault::Overloaded,
                None,
            ),
        ],
    );
}

/// `error` is a text, and `code` a sentence: <https://docs.x.ai/docs/key-information/debugging>
#[test]
fn xai() {
    check(
        "xai",
        &[
            (
                "a key that is none",
                400,
                &[],
                r#"{"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa***yz. You can obtain an API key from https://console.x.ai."}"#,
                Fault::KeyRefused,
                None,
            ),
            (
                "no such model",
                404,
                &[],
                r#"{"code":"Some requested entity was not found","error":"The model m-1 does not exist or your team x does not have access to it."}"#,
                Fault::NoSuchModel,
                None,
            ),
            (
                "credit",
                403,
                &[],
                r#"{"code":"The caller does not have permission to execute the specified operation","error":"Your newly created team doesn't have any credits yet. You can purchase credits on https://console.x.ai/team/x."}"#,
                Fault::QuotaExhausted,
                None,
            ),
            (
                "its owner's limit",
                429,
                &[],
                r#"{"code":"Some resource has been exhausted","error":"Your team x has either used all available credits or reached its monthly spending limit. To continue making API requests, please purchase more credits or raise your spending limit."}"#,
                Fault::QuotaExhausted,
                None,
            ),
            (
                "context length",
                400,
                &[],
                r#"{"code":"Client specified an invalid argument","error":"This model's maximum prompt length is 131072 but the request contains 150000 tokens."}"#,
                Fault::ContextLength,
                None,
            ),
        ],
    );
}

/// Without a wrapper: <https://inference-docs.cerebras.ai/support/error>
#[test]
fn cerebras() {
    check(
        "cerebras",
        &[
            (
                "no such model",
                404,
                &[],
                r#"{"message":"Model m-1 does not exist or you do not have access to it.","type":"not_found_error","param":"model","code":"model_not_found"}"#,
                Fault::NoSuchModel,
                None,
            ),
            (
                "context length",
                400,
                &[],
                r#"{"message":"Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}"#,
                Fault::ContextLength,
                None,
            ),
            (
                "a key that is none",
                401,
                &[],
                r#"{"message":"Wrong API Key","type":"invalid_request_error","param":"","code":"wrong_api_key"}"#,
                Fault::KeyRefused,
                None,
            ),
            (
                "rate limit",
                429,
                &[],
                r#"{"message":"Requests per minute limit exceeded - too many requests sent.","type":"too_many_requests_error","param":"quota","code":"request_quota_exceeded"}"#,
                Fault::RateLimited,
                UNSAID,
            ),
            (
                "busy",
                503,
                &[],
                r#"{"message":"We're experiencing high traffic right now! Please try again soon.","type":"too_many_requests_error","param":"queue","code":"queue_exceeded"}"#,
                Fault::ServerError,
                None,
            ),
        ],
    );
}

/// <https://www.alibabacloud.com/help/en/model-studio/error-code>
#[test]
fn qwen() {
    check(
        "qwen",
        &[
            (
                "credit",
                400,
                &[],
                r#"{"error":{"message":"Access denied, please make sure your account is in good standing.","type":"Arrearage","param":null,"code":"Arrearage"}}"#,
                Fault::QuotaExhausted,
                None,
            ),
            (
                "its policy",
                400,
                &[],
                r#"{"error":{"message":"Input data may contain inappropriate content.","type":"data_inspection_failed","param":null,"code":"data_inspection_failed"}}"#,
                Fault::ContentPolicy,
                None,
            ),
        ],
    );
}
