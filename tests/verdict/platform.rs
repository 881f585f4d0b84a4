//! The large platforms, and what stands in front of any provider.

use breakwater::verdict::Fault;

use super::{UNSAID, check};

/// <https://ai.google.dev/gemini-api/docs/troubleshooting>; its OpenAI-compatible endpoint puts the same object into a list.
#[test]
fn gemini() {
    check(
        "gemini-openai",
        &[
            (
                "a key that is none",
                400,
                &[],
                r#"[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}]"#,
                Fault::KeyRefused,
                None,
            ),
            (
                "a key that has expired",
                400,
                &[],
                r#"{"error":{"code":400,"message":"API key expired. Please renew the API key.","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#,
                Fault::KeyRefused,
                None,
            ),
            (
                "a key for something else",
                403,
                &[],
                r#"{"error":{"code":403,"message":"Generative Language API has not been used in project 1 before or it is disabled.","status":"PERMISSION_DENIED","details":[{"reason":"SERVICE_DISABLED"}]}}"#,
                Fault::KeyRefused,
                None,
            ),
            (
                "a limit per minute",
                429,
                &[],
                r#"[{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.4s"}]}}]"#,
                Fault::RateLimited,
                Some(34_400),
            ),
            (
                "overloaded",
                503,
                &[],
                r#"{"error":{"code":503,"message":"The model is overloaded. Please try again later.","status":"UNAVAILABLE"}}"#,
                Fault::Overloaded,
                None,
            ),
            (
                "unavailable",
                503,
                &[],
                r#"{"error":{"code":503,"message":"The service is currently unavailable.","status":"UNAVAILABLE"}}"#,
                Fault::Overloaded,
                None,
            ),
            (
                "no such model",
                404,
                &[],
                r#"[{"error":{"code":404,"message":"models/m-1 is not found for API version v1main, or is not supported for generateContent.","status":"NOT_FOUND"}}]"#,
                Fault::NoSuchModel,
                None,
            ),
            (
                "a prompt too long",
                400,
                &[],
                r#"{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}"#,
                Fault::ContextLength,
                None,
            ),
            (
                "an image for a model without eyes",
                400,
                &[],
                r#"{"error":{"code":400,"message":"Image input modality is not enabled for models/m-1: it does not support images","status":"INVALID_ARGUMENT"}}"#,
                Fault::Unsupported,
                None,
            ),
            (
                "a wrong request",
                400,
                &[],
                r#"{"error":{"code":400,"message":"Please ensure that multiturn requests alternate between user and model.","status":"INVALID_ARGUMENT"}}"#,
                Fault::Refused,
                None,
            ),
            (
                "its own failure",
                500,
                &[],
                r#"{"error":{"code":500,"message":"An internal error has occurred.","status":"INTERNAL"}}"#,
                Fault::ServerError,
                None,
            ),
            (
                "too slow",
                504,
                &[],
                r#"{"error":{"code":504,"message":"Deadline expired before operation could complete.","status":"DEADLINE_EXCEEDED"}}"#,
                Fault::ServerError,
                None,
            ),
        ],
    );
}

/// <https://learn.microsoft.com/en-us/azure/ai-services/openai/concepts/content-filter>
#[test]
fn azure() {
    check(
        "azure",
        &[
            (
                "its policy",
                400,
                &[],
                r#"{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":true,"severity":"high"}}}}}"#,
                Fault::ContentPolicy,
                None,
            ),
            (
                "no such deployment",
                404,
                &[],
                r#"{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}"#,
                Fault::NoSuchModel,
                None,
            ),
            (
                "a key that is none",
                401,
                &[],
                r#"{"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint."}}"#,
                Fault::KeyRefused,
                None,
            ),
            (
                "rate limit",
                429,
                &[("retry-after", "6"), ("retry-after-ms", "5500")],
                r#"{"error":{"code":"429","message":"Requests to the ChatCompletions_Create Operation have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 6 seconds."}}"#,
                Fault::RateLimited,
                Some(5_500),
            ),
        ],
    );
}

/// Proxies and networks in front of a provider: HTML, and statuses that no API has.
#[test]
fn in_front() {
    let html = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.25.3</center>\r\n</body>\r\n</html>";
    let cloudflare = "<!DOCTYPE html>\n<html><head><title>api.example.com | 522: Connection timed out</title></head><body>Error code 522</body></html>";
    let too_large = "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>nginx</body>\r\n</html>";
    check(
        "any",
        &[
            ("nginx", 502, &[("content-type", "text/html")], html, Fault::ServerError, None),
            ("a gateway's timeout", 504, &[], html, Fault::ServerError, None),
            ("520", 520, &[], cloudflare, Fault::Unreachable, None),
            ("521", 521, &[], cloudflare, Fault::Unreachable, None),
            ("522", 522, &[], cloudflare, Fault::Unreachable, None),
            ("523", 523, &[], cloudflare, Fault::Unreachable, None),
            ("524", 524, &[], cloudflare, Fault::Unreachable, None),
            ("525, TLS", 525, &[], cloudflare, Fault::Unreachable, None),
            ("526, TLS", 526, &[], cloudflare, Fault::Unreachable, None),
            ("527", 527, &[], cloudflare, Fault::Unreachable, None),
            ("530, DNS", 530, &[], "error code: 1016", Fault::Unreachable, None),
            ("1015", 429, &[("retry-after", "10")], "error code: 1015", Fault::RateLimited, Some(10_000)),
            ("a limit that does not say", 429, &[], html, Fault::RateLimited, UNSAID),
            ("moved", 301, &[("location", "https://elsewhere.example.com/")], "", Fault::ServerError, None),
            ("found", 302, &[("location", "https://elsewhere.example.com/login")], html, Fault::ServerError, None),
            ("temporarily elsewhere", 307, &[("location", "/v2")], "", Fault::ServerError, None),
            ("permanently elsewhere", 308, &[("location", "/v2")], "", Fault::ServerError, None),
            ("not modified", 304, &[], "", Fault::ServerError, None),
            ("too large", 413, &[], too_large, Fault::Refused, None),
            ("too slow", 408, &[], "", Fault::ServerError, None),
            ("a login page", 401, &[], html, Fault::KeyRefused, None),
            ("nothing at this address", 404, &[], "404 page not found", Fault::NoSuchModel, None),
            (
                "a program's trace",
                500,
                &[],
                "TypeError: 'NoneType' object does not support item assignment",
                Fault::ServerError,
                None,
            ),
            ("another method", 405, &[], "Method Not Allowed", Fault::Declined, None),
            ("a teapot", 418, &[], "", Fault::Declined, None),
        ],
    );
}
