//! What is not found need not be the model: a client names files, items and conversations too, and a wrong one of these is nobody's fault.

use breakwater::verdict::Fault;

use super::check;

#[test]
fn what_a_request_refers_to() {
    check(
        "openai",
        &[
            (
                "an item",
                404,
                &[],
                r#"{"error":{"message":"Item with id 'rs_1' not found. Items are not persisted when `store` is set to false.","type":"invalid_request_error","param":"input","code":null}}"#,
                Fault::Refused,
                None,
            ),
            (
                "a conversation",
                404,
                &[],
                r#"{"error":{"message":"Conversation with id 'conv_1' not found.","type":"invalid_request_error","param":null,"code":null}}"#,
                Fault::Refused,
                None,
            ),
            (
                "a prompt",
                404,
                &[],
                r#"{"error":{"message":"Prompt with id 'pmpt_1' not found.","type":"invalid_request_error","param":null,"code":"prompt_not_found"}}"#,
                Fault::Refused,
                None,
            ),
            (
                "a file",
                404,
                &[],
                r#"{"error":{"message":"No such File object: file-1","type":"invalid_request_error","param":"id","code":null}}"#,
                Fault::Refused,
                None,
            ),
            (
                "a vector store",
                404,
                &[],
                r#"{"error":{"message":"Vector store with id 'vs_1' not found.","type":"invalid_request_error","param":null,"code":null}}"#,
                Fault::Refused,
                None,
            ),
            (
                "a model that another endpoint has",
                404,
                &[],
                r#"{"error":{"message":"This model is only supported in v1/responses and not in v1/chat/completions.","type":"invalid_request_error","param":"model","code":null}}"#,
                Fault::Unsupported,
                None,
            ),
        ],
    );
    check(
        "anthropic",
        &[
            (
                "a file",
                404,
                &[],
                r#"{"type":"error","error":{"type":"not_found_error","message":"File not found: file_011C"}}"#,
                Fault::Refused,
                None,
            ),
            (
                "a container",
                404,
                &[],
                r#"{"type":"error","error":{"type":"not_found_error","message":"Container not found"}}"#,
                Fault::Refused,
                None,
            ),
            (
                "a model",
                404,
                &[],
                r#"{"type":"error","error":{"type":"not_found_error","message":"model: m-1"}}"#,
                Fault::NoSuchModel,
                None,
            ),
        ],
    );
    check(
        "gemini",
        &[(
            "a file that is gone",
            403,
            &[],
            r#"{"error":{"code":403,"message":"You do not have permission to access the File abc or it may not exist.","status":"PERMISSION_DENIED"}}"#,
            Fault::Refused,
            None,
        )],
    );
    check(
        "xai",
        &[(
            "content",
            403,
            &[],
            r#"{"code":"The caller does not have permission to execute the specified operation","error":"Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO"}"#,
            Fault::ContentPolicy,
            None,
        )],
    );
}

/// A name within another one names no model, nor does the word in the next sentence.
#[test]
fn a_name_is_a_word_of_its_own() {
    let rows = [
        ("o3", "Tool call o3_1 not found", Fault::Refused),
        ("foo1", "Image at https://a/foo1.png not found", Fault::Refused),
        ("m-1", "Attachment not found. Supported by this model: pdf", Fault::Refused),
        ("m-1", "Model m-10 says that the tool was not found", Fault::NoSuchModel),
        ("o3", "models/o3 is not found for API version v1beta", Fault::NoSuchModel),
        ("o3", "There is no o3. It does not exist", Fault::Refused),
        ("foo1", "foo1 does not exist.", Fault::NoSuchModel),
    ];
    for (model, message, fault) in rows {
        let body = serde_json::json!({"error": {"message": message}}).to_string();
        assert_eq!(super::status("p", model, 400, &[], &body).fault, fault, "{message}");
    }
}
