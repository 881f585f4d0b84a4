//! Bodies that pass through, references, and state.

use breakwater::chat::{Losses, Origin, Seal, seal_into_id};
use breakwater::dialect::{Dialect, responses};
use serde_json::{Value, json};

use super::{object, read};

#[test]
fn only_what_a_translation_put_there_is_taken_out() {
    let sealed = seal_into_id("call_1", Some(&Seal::new(Origin::Gemini, "s")));
    let own = json!({"type": "reasoning", "id": "rs_9", "summary": [], "encrypted_content": "gAAA"});
    let minted = |prefix| responses::item_id(0xbeef, 3, prefix);
    let body = json!({"model": "m", "store": false, "input": [
        {"role": "user", "content": "bw1"},
        own,
        {"type": "reasoning", "id": minted("rs"), "summary": [], "encrypted_content": "bw1.a.sig"},
        {"type": "reasoning", "id": minted("rs"), "summary": [{"type": "summary_text", "text": "x"}]},
        {"type": "reasoning", "id": minted("rs"), "summary": [], "encrypted_content": "rs_1 gBBB"},
        {"type": "message", "id": minted("msg"), "role": "assistant", "content": []},
        {"type": "function_call", "id": minted("fc"), "call_id": sealed, "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": sealed, "output": "1"},
        {"type": "function_call_output", "call_id": "call_2", "output": "1"},
    ]});
    let cleaned = Dialect::Responses.without_foreign(&body.to_string()).unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&cleaned).unwrap(),
        json!({"model": "m", "store": false, "input": [
            {"role": "user", "content": "bw1"},
            own,
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gBBB"},
            {"type": "message", "role": "assistant", "content": []},
            {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_1", "output": "1"},
            {"type": "function_call_output", "call_id": "call_2", "output": "1"},
        ]})
    );
    let clean = json!({"input": "hi"}).to_string();
    assert_eq!(Dialect::Responses.without_foreign(&clean), None);
    let by_id_alone =
        json!({"input": [{"type": "message", "id": minted("msg"), "role": "assistant", "content": []}]}).to_string();
    assert!(!Dialect::Responses.without_foreign(&by_id_alone).unwrap().contains("bw1"), "an id alone is enough to look");
}

#[test]
fn references_become_the_items() {
    let mut body = object(json!({"input": [
        {"role": "user", "content": "hi"}, {"type": "item_reference", "id": "a"}, {"id": "b"}, {"id": "c", "type": null},
        {"id": "a", "type": "message", "role": "assistant", "content": []},
    ]}));
    assert_eq!(responses::references(&body), ["a", "b", "c"]);
    let unknown = responses::resolve(&mut body, &|id| {
        (id != "b").then(|| json!({"type": "message", "role": "assistant", "content": id}))
    });
    assert_eq!(unknown, ["b"]);
    assert_eq!(body["input"][1]["content"], "a");
    assert_eq!(body["input"][2], json!({"id": "b"}));
    assert_eq!(body["input"][4]["content"], json!([]));
    assert_eq!(responses::references(&object(json!({"input": "a"}))), Vec::<String>::new());
}

#[test]
fn state_is_named() {
    for (member, named) in [
        (json!({"input": "x", "store": true}), None),
        (json!({"input": "x", "previous_response_id": null, "background": false}), None),
        (json!({"input": "x", "previous_response_id": "resp_1"}), Some("previous_response_id")),
        (json!({"input": "x", "conversation": {"id": "conv"}}), Some("conversation")),
        (json!({"input": "x", "background": true}), Some("background")),
        (json!({"prompt": {"id": "p"}}), Some("prompt")),
        (json!({"input": [{"type": "item_reference", "id": "a"}]}), Some("item_reference")),
        (
            json!({"input": "x", "tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "g"}, {"type": "local_shell"}]}),
            None,
        ),
        (
            json!({"input": "x", "tools": [{"type": "apply_patch"}, {"type": "shell", "environment": {"type": "local"}}, {"type": "shell"}]}),
            None,
        ),
        (json!({"input": "x", "tools": [{"type": "web_search"}]}), Some("tools")),
        (json!({"input": "x", "tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]}), Some("tools")),
        (json!({"input": "x", "tools": [{"type": "mcp", "server_label": "a"}]}), Some("tools")),
        (json!({"input": "x", "tools": [{"type": "shell", "environment": {"type": "container_auto"}}]}), Some("tools")),
        (json!({"input": "x", "tools": [{"type": "file_search", "vector_store_ids": ["v"]}]}), Some("tools")),
        (json!({"input": "x", "tools": [{"type": "code_interpreter", "container": "cntr_1"}]}), Some("tools")),
        (json!({"input": [{"type": "code_interpreter_call", "id": "ci", "container_id": "cntr_1"}]}), Some("input")),
        (json!({"input": [{"type": "computer_call_output", "call_id": "c", "output": {}}]}), Some("input")),
    ] {
        assert_eq!(responses::is_stateful(&object(member.clone())), named, "{member}");
    }
    let request = read(
        json!({"input": "x", "previous_response_id": "r", "conversation": "c", "prompt": {"id": "p"}, "background": true, "store": true}),
    );
    let mut losses = Losses::new();
    responses::refuse_state(&request, &mut losses);
    assert_eq!(losses.iter().filter(|loss| loss.refusal.is_some()).count(), 4);
}
