//! Bodies that pass through to Anthropic.

use breakwater::dialect::Dialect;
use serde_json::{Value, json};

fn through(body: &Value) -> Option<Value> {
    Dialect::Messages.without_foreign(&body.to_string()).map(|body| serde_json::from_str(&body).unwrap())
}

#[test]
fn what_is_anthropics_passes_untouched() {
    let body = json!({"model": "m", "messages": [{"role": "assistant", "content": [{"type": "thinking", "thinking": "", "signature": "EqQB"}]}]});
    assert_eq!(through(&body), None);
}

#[test]
fn what_is_not_is_taken_out() {
    let body = json!({
        "model": "m", "thinking": {"type": "enabled", "budget_tokens": 2000}, "unknown": {"bw1": 1},
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "bw1.g.x"}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "own", "signature": "EqQB"},
                {"type": "redacted_thinking", "data": "bw1.c.x"},
                {"type": "thinking", "thinking": "unsigned", "signature": ""},
                {"type": "text", "text": "bw1.g.x", "citations": [
                    {"type": "web_search_result_location", "encrypted_index": "bw1", "url": "u"},
                    {"type": "web_search_result_location", "encrypted_index": "e", "url": "v"}]},
                {"type": "text", "text": "t", "citations": [{"type": "web_search_result_location", "encrypted_index": "bw1", "url": "u"}]},
                {"type": "tool_use", "id": "call_1_bw1g_c2ln", "name": "n", "input": {"id": "call_1_bw1g_c2ln"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1_bw1g_c2ln", "content": "x"}]}]});
    let expected = json!({
        "model": "m", "thinking": {"type": "enabled", "budget_tokens": 2000}, "unknown": {"bw1": 1},
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "own", "signature": "EqQB"},
                {"type": "text", "text": "bw1.g.x", "citations": [{"type": "web_search_result_location", "encrypted_index": "e", "url": "v"}]},
                {"type": "text", "text": "t"},
                {"type": "tool_use", "id": "call_1", "name": "n", "input": {"id": "call_1_bw1g_c2ln"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "x"}]}]});
    assert_eq!(through(&body), Some(expected));
}

/// Without the thinking that another provider began a loop with, Anthropic would refuse to think on; unsigned thoughts alone are reason enough to look.
#[test]
fn a_loop_that_another_provider_began() {
    let body = |thinking: &str| {
        json!({"thinking": {"type": thinking, "budget_tokens": 2000}, "messages": [
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": ""}, {"type": "tool_use", "id": "a", "name": "n", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a"}]}]})
    };
    let enabled = through(&body("enabled")).unwrap();
    assert_eq!((enabled.get("thinking"), enabled["messages"][0]["content"].as_array().unwrap().len()), (None, 1));
    assert!(through(&body("adaptive")).unwrap().get("thinking").is_some());
}
