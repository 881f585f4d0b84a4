//! Servers on one's own machine.

use breakwater::verdict::Fault;

use super::{check, status};

#[test]
fn vllm() {
    check(
        "vllm",
        &[
            (
                "context length",
                400,
                &[],
                r#"{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4900 in the messages, 100 in the completion). Please reduce the length of the messages or completion.","type":"BadRequestError","param":null,"code":400}"#,
                Fault::ContextLength,
                None,
            ),
            (
                "the same in a wrapper",
                400,
                &[],
                r#"{"error":{"message":"This model's maximum context length is 4096 tokens. However, your request has 5000 input tokens.","type":"BadRequestError","param":"input_tokens","code":400}}"#,
                Fault::ContextLength,
                None,
            ),
            (
                "no such model",
                404,
                &[],
                r#"{"object":"error","message":"The model `m-1` does not exist.","type":"NotFoundError","param":null,"code":404}"#,
                Fault::NoSuchModel,
                None,
            ),
            ("a key that is none", 401, &[], r#"{"error":"Unauthorized"}"#, Fault::KeyRefused, None),
            (
                "started without tools",
                400,
                &[],
                r#"{"object":"error","message":"\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set","type":"BadRequestError","param":null,"code":400}"#,
                Fault::Unsupported,
                None,
            ),
            (
                "a model without eyes",
                400,
                &[],
                r#"{"object":"error","message":"m-1 is not a multimodal model None","type":"BadRequestError","param":null,"code":400}"#,
                Fault::Unsupported,
                None,
            ),
            (
                "a wrong value",
                400,
                &[],
                r#"{"object":"error","message":"temperature must be non-negative, got -1.0.","type":"BadRequestError","param":null,"code":400}"#,
                Fault::Refused,
                None,
            ),
            ("its engine is dead", 500, &[], "Internal Server Error", Fault::ServerError, None),
        ],
    );
}

#[test]
fn llama_cpp() {
    check(
        "llamacpp",
        &[
            (
                "context size",
                400,
                &[],
                r#"{"error":{"code":400,"message":"request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":5000,"n_ctx":4096}}"#,
                Fault::ContextLength,
                None,
            ),
            (
                "a key that is none",
                401,
                &[],
                r#"{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}"#,
                Fault::KeyRefused,
                None,
            ),
            (
                "it is starting",
                503,
                &[],
                r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#,
                Fault::ServerError,
                None,
            ),
            (
                "a model without eyes",
                500,
                &[],
                r#"{"error":{"code":500,"message":"image input is not supported - hint: if this is unexpected, you may need to provide the mmproj","type":"server_error"}}"#,
                Fault::Unsupported,
                None,
            ),
            (
                "started without something",
                501,
                &[],
                r#"{"error":{"code":501,"message":"This server does not support tools. Start it with `--jinja`","type":"not_supported_error"}}"#,
                Fault::Unsupported,
                None,
            ),
            ("something else that is not there", 501, &[], "Not Implemented", Fault::ServerError, None),
        ],
    );
}

#[test]
fn ollama() {
    check(
        "ollama",
        &[
            (
                "no such model",
                404,
                &[],
                r#"{"error":{"message":"model \"m-1\" not found, try pulling it first","type":"api_error","param":null,"code":null}}"#,
                Fault::NoSuchModel,
                None,
            ),
            (
                "a model without tools",
                400,
                &[],
                r#"{"error":{"message":"registry.ollama.ai/library/m-1 does not support tools","type":"api_error","param":null,"code":null}}"#,
                Fault::Unsupported,
                None,
            ),
            (
                "context length",
                400,
                &[],
                r#"{"error":{"message":"input length exceeds maximum context length","type":"api_error","param":null,"code":null}}"#,
                Fault::ContextLength,
                None,
            ),
            ("in its own API's form", 404, &[], r#"{"error":"model 'm-1' not found"}"#, Fault::NoSuchModel, None),
        ],
    );
}

/// FastAPI's way to refuse a request: a list, and no message.
#[test]
fn fastapi() {
    let list = r#"{"detail":[{"type":"missing","loc":["body","messages"],"msg":"Field required","input":{}}]}"#;
    check(
        "any",
        &[
            ("a list", 422, &[], list, Fault::Refused, None),
            ("a text", 404, &[], r#"{"detail":"Not Found"}"#, Fault::NoSuchModel, None),
            (
                "extra fields",
                422,
                &[],
                r#"{"detail":[{"type":"extra_forbidden","loc":["body","foo"],"msg":"Extra inputs are not permitted"}]}"#,
                Fault::Unsupported,
                None,
            ),
        ],
    );
    let said = status("any", "m-1", 422, &[], list).said.unwrap();
    assert!(said.message.contains("Field required") && said.message.contains("messages"), "{said:?}");
}

/// What is said is passed on word for word, from whichever form.
#[test]
fn what_was_said() {
    let rows: [(&str, &str, Option<(&str, Option<&str>, Option<&str>, Option<&str>)>); 11] = [
        (
            "OpenAI's",
            r#"{"error":{"message":"No  \"x\".","type":"t","param":"p","code":"c"}}"#,
            Some(("No  \"x\".", Some("t"), Some("p"), Some("c"))),
        ),
        ("a numeric code", r#"{"error":{"message":"m","code":429}}"#, Some(("m", None, None, Some("429")))),
        ("nulls", r#"{"error":{"message":"m","type":null,"param":null,"code":null}}"#, Some(("m", None, None, None))),
        ("a text", r#"{"error":"m"}"#, Some(("m", None, None, None))),
        ("a text, and a code beside", r#"{"code":"c","error":"m"}"#, Some(("m", None, None, Some("c")))),
        ("no wrapper", r#"{"message":"m","type":"t"}"#, Some(("m", Some("t"), None, None))),
        ("a list", r#"[{"error":{"message":"m","code":400}}]"#, Some(("m", None, None, Some("400")))),
        ("a detail", r#"{"detail":"m"}"#, Some(("m", None, None, None))),
        ("an error that is null, and a message", r#"{"error":null,"message":"m"}"#, Some(("m", None, None, None))),
        ("HTML", "<html>m</html>", None),
        ("nothing", "", None),
    ];
    for (name, body, expected) in rows {
        let said = status("any", "m-1", 400, &[], body).said;
        let said = said
            .as_ref()
            .map(|said| (said.message.as_str(), said.kind.as_deref(), said.param.as_deref(), said.code.as_deref()));
        assert_eq!(said, expected, "{name}");
    }
}
