//! Every error among the recordings, judged by hand.

use std::collections::BTreeMap;

use breakwater::verdict::Fault;

use super::{recordings, status, table};

/// Each by its recording's name, without its number; what it says is in the recording.
const JUDGED: &[(&str, u16, Fault)] = &[
    ("anthropic/error_envelope__nonexistent_model_error_preserves_status_and_body", 404, Fault::NoSuchModel),
    ("anthropic/error_identity_edge__auth_rejection_carries_identity", 401, Fault::KeyRefused),
    ("anthropic/error_identity_edge__streaming_connect_4xx_matches_blocking_richness", 404, Fault::NoSuchModel),
    // "tools.0.custom.input_schema.type: Field required", and the like: the request is wrong.
    ("anthropic/strict_schema_matrix__cyclic_root_ref_aliases_are_rejected", 400, Fault::Refused),
    ("anthropic/strict_schema_matrix__scalar_root_ref_is_rejected_for_tool_input", 400, Fault::Refused),
    ("anthropic/strict_schema_matrix__top_level_any_of_is_rejected_for_tool_input", 400, Fault::Refused),
    // "unknown variant `image_url`, expected `text`": another model may have eyes.
    ("deepseek/wire_shape_matrix__blocking_image_url_part_reaches_the_wire", 400, Fault::Unsupported),
    ("deepseek/wire_shape_matrix__blocking_pdf_document_part_reaches_the_wire", 400, Fault::Unsupported),
    ("gemini/embedding_matrix__error_preserves_provider_body", 404, Fault::NoSuchModel),
    ("gemini/error_envelope__nonexistent_model_streaming_error_preserves_status_and_body", 404, Fault::NoSuchModel),
    // "CachedContent not found (or permission denied)": what the client refers to is gone, and the key is as good as before.
    ("gemini/prompt_caching__explicit_cache_expired", 403, Fault::Refused),
    ("gemini/response_identity__provider_error_keeps_transport_shape_and_none_id", 404, Fault::NoSuchModel),
    ("groq/response_identity_edge__auth_rejection_classifies_with_contract", 401, Fault::KeyRefused),
    ("mistral/embedding_matrix__error_preserves_provider_body", 400, Fault::NoSuchModel),
    ("mistral/models__list_models_rejected_key_reports_api_error_with_context", 401, Fault::KeyRefused),
    ("openai/error_identity_edge__extractor_failure_surfaces_provider_error_context", 400, Fault::NoSuchModel),
    ("openai/error_identity_edge__streaming_connect_4xx_matches_blocking_richness", 400, Fault::NoSuchModel),
    ("openai/image_params_matrix__caller_can_reinstate_response_format", 400, Fault::Unsupported),
    ("openai/image_params_matrix__non_object_additional_params_are_a_no_op", 400, Fault::Refused),
    ("openai/image_params_matrix__retired_model_reaches_model_validation", 400, Fault::NoSuchModel),
    ("openai/image_params_matrix__unlisted_dated_snapshot_reaches_its_own_validation", 400, Fault::Refused),
    ("openai/models__list_models_rejected_key_reports_api_error_with_context", 401, Fault::KeyRefused),
    ("openai/response_identity_edge__provider_error_response_surfaces_cleanly", 400, Fault::NoSuchModel),
];

#[test]
fn every_recorded_error() {
    let recordings = recordings::all();
    if recordings.is_empty() {
        return;
    }
    let mut left: BTreeMap<&str, (u16, Fault)> =
        JUDGED.iter().map(|(name, status, fault)| (*name, (*status, *fault))).collect();
    for recording in recordings.iter().filter(|recording| recording.status >= 400) {
        let name = recording.name.rsplit_once("__").unwrap().0;
        let Some((code, fault)) = left.remove(name) else { panic!("{name} has not been judged: {}", recording.body) };
        let verdict = status(recording.provider(), &recording.model, recording.status, &[], &recording.body);
        assert_eq!((recording.status, verdict.fault), (code, fault), "{name}: {}", recording.body);
        assert!(!verdict.said.as_ref().unwrap().message.is_empty(), "{name}");
        table::check(&verdict, name);
    }
    assert!(left.is_empty(), "not among the recordings: {left:?}");
}
