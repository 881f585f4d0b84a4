//! Whole answers, from Anthropic and for its clients.

use breakwater::chat::{Answer, Choice, Finish, Kind, Origin, Part, Reasoning, Seal, ToolCall, Usage};
use breakwater::dialect::Dialect;
use serde_json::{Value, json};

use crate::{manner, object};

pub(crate) fn answer(parts: Vec<Part>, finish: Finish) -> Answer {
    Answer { choices: vec![Choice { parts, finish: Some(finish), ..Choice::default() }], ..Answer::default() }
}

fn encode(answer: Answer) -> Value {
    Dialect::Messages.encode(answer, &manner())
}

pub(crate) fn reasoning(text: &str, seal: Option<Seal>) -> Reasoning {
    Reasoning { text: text.to_owned(), seal, ..Reasoning::default() }
}

#[test]
fn from_anthropic() {
    let body = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "tool_use", "stop_sequence": null, "container": {"id": "c"},
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "redacted_thinking", "data": "d"},
            {"type": "text", "text": "t", "citations": [{"type": "char_location", "cited_text": "c"}]},
            {"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {"q": 1}},
            {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"z": 1, "a": 2}, "caller": {"type": "direct"}}],
        "usage": {"input_tokens": 3, "cache_creation_input_tokens": 10, "cache_read_input_tokens": 100, "output_tokens": 7,
            "output_tokens_details": {"thinking_tokens": 5}, "service_tier": "standard", "server_tool_use": null},
    });
    let found = Dialect::Messages.decode(&body.to_string()).unwrap();
    let usage = Usage {
        input: 113,
        output: 7,
        cached: Some(100),
        cache_written: Some(10),
        reasoning: Some(5),
        extra: object(json!({"service_tier": "standard"})),
        ..Usage::default()
    };
    let sealed = |data: &str| Some(Seal::new(Origin::Anthropic, data));
    let arguments = "{\"z\":1,\"a\":2}".to_owned();
    let parts = vec![
        Part::new(Kind::Reasoning(reasoning("hm", sealed("s")))),
        Part::new(Kind::Reasoning(Reasoning { redacted: true, ..reasoning("", sealed("d")) })),
        Part::new(Kind::Text {
            text: "t".to_owned(),
            notes: vec![json!({"type": "char_location", "cited_text": "c"})],
            seal: None,
        }),
        Part::new(Kind::Opaque(json!({"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {"q": 1}}))),
        Part::new(Kind::ToolCall(ToolCall {
            id: "toolu_1".to_owned(),
            name: "look".to_owned(),
            arguments,
            custom: false,
            seal: None,
        })),
    ];
    let expected = Answer {
        id: Some("msg_1".to_owned()),
        model: Some("claude".to_owned()),
        usage: Some(usage),
        extra: object(json!({"container": {"id": "c"}})),
        ..answer(parts, Finish::ToolCalls)
    };
    assert_eq!(found, expected);
    // And back: with what a client needs, and nothing of ours.
    let again = encode(found);
    assert_eq!(again["content"][4], json!({"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"z": 1, "a": 2}}));
    for same in ["id", "type", "role", "model", "stop_reason", "stop_sequence", "container"] {
        assert_eq!(again[same], body[same], "{same}");
    }
    let counts = [
        "input_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "output_tokens",
        "output_tokens_details",
        "service_tier",
    ];
    assert!(counts.iter().all(|count| again["usage"][count] == body["usage"][count]), "{again}");
}

#[test]
fn what_is_no_answer() {
    for body in ["{}", "[]", "x", "{\"content\":[{}]}", "{\"content\":[{\"type\":\"text\"}]}"] {
        assert_eq!(Dialect::Messages.decode(body), None, "{body}");
    }
}

#[test]
fn for_its_clients() {
    let seal = |origin: Origin| Some(Seal::new(origin, "x y"));
    let summary =
        Reasoning { summary: vec!["a".to_owned(), "b".to_owned()], seal: seal(Origin::Responses), ..Reasoning::default() };
    let called = |arguments: &str, custom: bool, seal: Option<Seal>| {
        let (id, name, arguments) = ("call_1".to_owned(), "look".to_owned(), arguments.to_owned());
        Kind::ToolCall(ToolCall { id, name, arguments, custom, seal })
    };
    let cited = |note: Value| Kind::Text { text: "t".to_owned(), notes: vec![note], seal: seal(Origin::Gemini) };
    let page = json!({"type": "text", "text": "t", "citations": [{"type": "web_search_result_location", "cited_text": "", "encrypted_index": "bw1", "title": "T", "url": "u"}]});
    let tool = |input: Value| json!({"type": "tool_use", "id": "call_1", "name": "look", "input": input});
    let rows: Vec<(Kind, Option<Value>)> = vec![
        (Kind::Refusal("no".to_owned()), Some(json!({"type": "text", "text": "no"}))),
        (Kind::Reasoning(reasoning("hm", None)), Some(json!({"type": "thinking", "thinking": "hm", "signature": ""}))),
        (Kind::Reasoning(reasoning("", None)), None),
        (
            Kind::Reasoning(reasoning("", seal(Origin::Anthropic))),
            Some(json!({"type": "thinking", "thinking": "", "signature": "x y"})),
        ),
        (
            Kind::Reasoning(reasoning("hm", seal(Origin::Gemini))),
            Some(json!({"type": "thinking", "thinking": "hm", "signature": "bw1.g.x y"})),
        ),
        (Kind::Reasoning(summary), Some(json!({"type": "thinking", "thinking": "a\n\nb", "signature": "bw1.r.x y"}))),
        (
            Kind::Reasoning(Reasoning { redacted: true, ..reasoning("", seal(Origin::Chat)) }),
            Some(json!({"type": "redacted_thinking", "data": "bw1.c.x y"})),
        ),
        (called("{\"a\":1}", false, None), Some(tool(json!({"a": 1})))),
        (called("", false, None), Some(tool(json!({})))),
        (called("{\"a\":", false, None), Some(tool(json!({"input": "{\"a\":"})))),
        (called("ls", true, None), Some(tool(json!({"input": "ls"})))),
        (
            called("{}", false, seal(Origin::Gemini)),
            Some(json!({"type": "tool_use", "id": "call_1_bw1g_eCB5", "name": "look", "input": {}})),
        ),
        (
            cited(
                json!({"type": "url_citation", "url_citation": {"url": "u", "title": "T", "start_index": 0, "end_index": 1}}),
            ),
            Some(page.clone()),
        ),
        (cited(json!({"type": "url_citation", "url": "u", "title": "T"})), Some(page)),
        (cited(json!({"type": "file_citation", "file_id": "f"})), Some(json!({"type": "text", "text": "t"}))),
        (Kind::Opaque(json!({"type": "web_search_call", "id": "ws"})), None),
        (Kind::Opaque(json!({"type": "compaction", "id": "cmp_1", "encrypted_content": "e"})), None),
        (Kind::Opaque(json!({"type": "compaction", "id": "cmp_1", "content": null, "encrypted_content": "e"})), None),
        (Kind::Opaque(json!({"type": "odd_tool_result", "id": "x"})), None),
        (Kind::Opaque(json!({"executableCode": {"code": "1"}})), None),
        (
            Kind::Opaque(json!({"type": "compaction", "content": "so far"})),
            Some(json!({"type": "compaction", "content": "so far"})),
        ),
        (
            Kind::Opaque(json!({"type": "web_search_tool_result", "tool_use_id": "s", "content": []})),
            Some(json!({"type": "web_search_tool_result", "tool_use_id": "s", "content": []})),
        ),
    ];
    for (kind, expected) in rows {
        let told = format!("{kind:?}");
        let found = encode(answer(vec![Part::new(kind)], Finish::Stop));
        assert_eq!(found["content"].get(0), expected.as_ref(), "{told}");
    }
}

#[test]
fn what_only_another_provider_counts_is_not_told() {
    for (tier, expected) in [("priority", Some("priority")), ("on_demand", None)] {
        let extra =
            json!({"service_tier": tier, "cost": 1, "prompt_tokens_details": {"video_tokens": 0}, "num_sources_used": 2});
        let usage = Some(Usage { input: 3, output: 4, extra: extra.as_object().unwrap().clone(), ..Usage::default() });
        let found = encode(Answer { usage, ..answer(vec![], Finish::Stop) });
        let mut counts =
            json!({"input_tokens": 3, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 4});
        counts.as_object_mut().unwrap().extend(expected.map(|tier| ("service_tier".to_owned(), tier.into())));
        assert_eq!(found["usage"], counts);
    }
}

#[test]
fn why_it_ended() {
    let call = || {
        Part::new(Kind::ToolCall(ToolCall {
            id: "a".to_owned(),
            name: "b".to_owned(),
            arguments: "{}".to_owned(),
            custom: false,
            seal: None,
        }))
    };
    let rows = [
        (vec![], Finish::Stop, "end_turn"),
        (vec![], Finish::StopSequence, "stop_sequence"),
        (vec![], Finish::Length, "max_tokens"),
        (vec![call()], Finish::Length, "max_tokens"),
        (vec![call()], Finish::ToolCalls, "tool_use"),
        (vec![call()], Finish::Stop, "tool_use"),
        (vec![call()], Finish::Other("function_call".to_owned()), "tool_use"),
        (vec![], Finish::ContentFilter, "refusal"),
        (vec![], Finish::Refusal, "refusal"),
        (vec![Part::new(Kind::Refusal("No.".to_owned()))], Finish::Stop, "refusal"),
        (vec![], Finish::Pause, "pause_turn"),
        (vec![], Finish::Other("eos".to_owned()), "end_turn"),
    ];
    for (parts, finish, expected) in rows {
        assert_eq!(encode(answer(parts, finish.clone()))["stop_reason"], expected, "{finish:?}");
    }
}

#[test]
fn ids() {
    for (id, expected) in [
        (Some("chatcmpl-1"), "msg_chatcmpl-1"),
        (Some("msg_1"), "msg_1"),
        (Some("gen 1/é"), "msg_gen1"),
        (Some("msg_"), "msg_msg_"),
        (Some(""), "msg_0000000000000007"),
        (None, "msg_0000000000000007"),
    ] {
        let found = encode(Answer { id: id.map(str::to_owned), ..answer(vec![], Finish::Stop) });
        assert_eq!(found["id"], expected);
    }
}
