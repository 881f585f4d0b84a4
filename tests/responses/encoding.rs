//! Answers and streams as a client is told them.

use breakwater::chat::{Answer, Choice, Delta, Finish, Kind, Opening, Origin, Part, Reasoning, Request, Seal, ToolCall, Usage};
use breakwater::dialect::{Dialect, responses};
use serde_json::{Value, json};

use super::{encoded, events, manner, read};

fn request() -> Request {
    read(
        json!({"input": "hi", "instructions": "be brief", "temperature": 0.5, "tools": [{"type": "function", "name": "f", "parameters": {}}],
        "reasoning": {"effort": "low"}, "text": {"verbosity": "low"}, "max_output_tokens": 99, "metadata": {"a": "b"}, "user": "u"}),
    )
}

fn answer(parts: Vec<Part>, finish: Finish) -> Answer {
    let usage = Some(Usage { input: 3, output: 4, cached: Some(1), reasoning: Some(2), ..Usage::default() });
    let choice = Choice { parts, finish: Some(finish), ..Choice::default() };
    Answer {
        id: Some("chatcmpl-1".to_owned()),
        model: Some("m".to_owned()),
        created: Some(5),
        choices: vec![choice],
        usage,
        ..Answer::default()
    }
}

fn call(id: &str, arguments: &str, custom: bool, seal: Option<Seal>) -> Part {
    Part::new(Kind::ToolCall(ToolCall {
        id: id.to_owned(),
        name: "f".to_owned(),
        arguments: arguments.to_owned(),
        custom,
        seal,
    }))
}

#[test]
fn a_whole_answer_is_what_the_sdks_expect() {
    let seal = Seal::new(Origin::Anthropic, "sig");
    let thought = Reasoning { text: "hm".to_owned(), seal: Some(seal), ..Reasoning::default() };
    let parts = vec![
        Part::new(Kind::Reasoning(thought)),
        Part::text("hello"),
        Part::new(Kind::Refusal("no".to_owned())),
        call("c1", "", false, Some(Seal::new(Origin::Gemini, "g"))),
        call("c2", "raw", true, None),
        Part::new(Kind::Opaque(json!({"type": "server_tool_use"}))),
        Part::new(Kind::Opaque(json!({"type": "web_search_call", "id": "ws"}))),
    ];
    let body = responses::encode(answer(parts, Finish::ToolCalls), &manner(request()));
    assert_eq!(
        body["output"],
        json!([
            {"id": "rs_bw10000000000000007_0", "type": "reasoning", "encrypted_content": "bw1.a.sig", "summary": [{"type": "summary_text", "text": "hm"}]},
            {"id": "msg_bw10000000000000007_1", "type": "message", "status": "completed", "content": [
                {"type": "output_text", "annotations": [], "logprobs": [], "text": "hello"}, {"type": "refusal", "refusal": "no"}], "role": "assistant"},
            {"id": "fc_bw10000000000000007_2", "type": "function_call", "status": "completed", "arguments": "{}", "call_id": "c1_bw1g_Zw", "name": "f"},
            {"id": "ctc_bw10000000000000007_3", "type": "custom_tool_call", "status": "completed", "input": "raw", "call_id": "c2", "name": "f"},
            {"type": "web_search_call", "id": "ws"},
        ])
    );
    for (name, value) in super::object(json!({
        "id": "resp_bw10000000000000007", "object": "response", "created_at": 5, "status": "completed", "background": false, "error": null,
        "incomplete_details": null, "instructions": "be brief", "max_output_tokens": 99, "model": "m", "parallel_tool_calls": true,
        "previous_response_id": null, "reasoning": {"effort": "low", "summary": null}, "store": false, "temperature": 0.5,
        "text": {"format": {"type": "text"}, "verbosity": "low"}, "tool_choice": "auto", "tools": [{"type": "function", "name": "f", "parameters": {}}],
        "top_p": 1.0, "truncation": "disabled", "user": "u", "metadata": {"a": "b"},
        "usage": {"input_tokens": 3, "input_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 0}, "output_tokens": 4, "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 7},
    })) {
        assert_eq!(body[&name], value, "{name}");
    }
}

#[test]
fn an_answer_that_was_cut_off_is_incomplete() {
    for (finish, reason) in
        [(Finish::Length, "max_output_tokens"), (Finish::ContentFilter, "content_filter"), (Finish::Refusal, "content_filter")]
    {
        let told = answer(vec![Part::text("hel")], finish);
        let stream = encoded(told.clone().told(), request());
        let last: Value = serde_json::from_str(events(&stream).last().unwrap()).unwrap();
        assert_eq!(last["type"], "response.incomplete");
        let body = responses::encode(told, &manner(request()));
        assert_eq!(last["response"], body);
        assert_eq!(
            (&body["status"], &body["incomplete_details"], &body["output"][0]["status"]),
            (&json!("incomplete"), &json!({"reason": reason}), &json!("incomplete"))
        );
    }
}

#[test]
fn events_are_numbered_named_and_in_order() {
    let thought = Reasoning { summary: vec!["one".to_owned(), "two".to_owned()], ..Reasoning::default() };
    let parts = vec![
        Part::new(Kind::Reasoning(thought)),
        Part::text("hello"),
        call("c", "{}", false, None),
        call("d", "x", true, None),
    ];
    let told = answer(parts, Finish::ToolCalls);
    let stream = encoded(told.clone().told(), request());
    let mut kinds = Vec::new();
    for (index, frame) in stream.split_terminator("\n\n").enumerate() {
        let (name, data) = frame.split_once('\n').unwrap();
        let event: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(event["sequence_number"], index);
        assert_eq!(name, format!("event: {}", event["type"].as_str().unwrap()));
        kinds.push(event["type"].as_str().unwrap().trim_start_matches("response.").to_owned());
    }
    assert_eq!(
        kinds,
        [
            "created",
            "in_progress",
            "output_item.added",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "output_item.done",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "output_item.added",
            "function_call_arguments.delta",
            "function_call_arguments.done",
            "output_item.done",
            "output_item.added",
            "custom_tool_call_input.delta",
            "custom_tool_call_input.done",
            "output_item.done",
            "completed",
        ]
    );
    let last: Value = serde_json::from_str(events(&stream).last().unwrap()).unwrap();
    assert_eq!(last["response"], responses::encode(told, &manner(request())), "a stream ends as the whole answer");
}

#[test]
fn parts_that_grow_beside_each_other_are_told_at_once() {
    let open = |part, kind| Delta::Open { choice: 0, part, kind };
    let tool = |id: &str| Opening::ToolCall { id: id.to_owned(), name: "f".to_owned(), custom: false, seal: None };
    let text = |part, text: &str| Delta::Text { choice: 0, part, text: text.to_owned() };
    let told = vec![
        Delta::Begin { id: None, model: Some("m".to_owned()), created: None },
        open(0, Opening::Text),
        text(0, "a"),
        open(1, tool("x")),
        open(2, tool("y")),
        text(1, "{\"p\":"),
        text(2, "{"),
        text(0, "b"),
        text(1, "1}"),
        text(2, "}"),
        Delta::Finish { choice: 0, finish: Finish::ToolCalls, stop_sequence: None },
        Delta::Usage(Usage { input: 1, output: 1, cached: Some(0), reasoning: Some(0), ..Usage::default() }),
        Delta::End,
    ];
    let stream = encoded(told.clone(), request());
    let back = super::gathered(super::deltas(events(&stream).iter().map(String::as_str)));
    assert_eq!(back.choices, super::gathered(told).choices);
    let last: Value = serde_json::from_str(events(&stream).last().unwrap()).unwrap();
    let output = &last["response"]["output"];
    assert_eq!(
        (&output[0]["content"][0]["text"], &output[1]["arguments"], &output[2]["arguments"]),
        (&json!("ab"), &json!("{\"p\":1}"), &json!("{}"))
    );
    assert_eq!(last["response"]["usage"]["total_tokens"], 2, "what it cost comes after the finish");
}

#[test]
fn what_is_closed_cannot_go_on_and_other_choices_are_not_told() {
    let mut encoder = breakwater::dialect::Encoder::new(Dialect::Responses, manner(request()));
    let mut frames = String::new();
    let mut tell = |delta| encoder.delta(delta, &mut frames);
    let text = |choice, part| Delta::Text { choice, part, text: "x".to_owned() };
    assert!(tell(Delta::Open { choice: 0, part: 0, kind: Opening::Text }).is_some());
    assert!(tell(text(0, 0)).is_some());
    assert!(tell(Delta::Close { choice: 0, part: 0 }).is_some());
    assert!(tell(text(0, 0)).is_none());
    assert!(tell(text(0, 7)).is_none());
    assert!(tell(Delta::Open { choice: 1, part: 0, kind: Opening::Text }).is_some());
    assert!(tell(text(1, 0)).is_some());
    assert!(tell(Delta::Finish { choice: 1, finish: Finish::Stop, stop_sequence: None }).is_some());
    assert_eq!(encoder.sequence(), 7, "{frames}");
}

#[test]
fn log_probabilities_stand_with_their_text() {
    let token = json!({"token": "hi", "logprob": -0.5, "bytes": [104], "top_logprobs": []});
    let mut told = answer(vec![Part::text("hi"), call("c", "{}", false, None)], Finish::ToolCalls);
    told.choices[0].logprobs = Some(json!({"content": [token], "refusal": null}));
    let body = responses::encode(told.clone(), &manner(request()));
    assert_eq!(
        (&body["output"][1]["type"], &body["output"][0]["content"][0]["logprobs"]),
        (&json!("function_call"), &json!([token]))
    );
    let open = Delta::Open { choice: 0, part: 0, kind: Opening::Text };
    let logprobs = Delta::Logprobs { choice: 0, logprobs: json!({"content": [token]}) };
    let text = Delta::Text { choice: 0, part: 0, text: "hi".to_owned() };
    let finish = Delta::Finish { choice: 0, finish: Finish::Stop, stop_sequence: None };
    let before = encoded(vec![open.clone(), logprobs.clone(), text.clone(), finish.clone(), Delta::End], request());
    let after = encoded(vec![open, text, logprobs, finish, Delta::End], request());
    for stream in [before, after] {
        let back = super::gathered(super::deltas(events(&stream).iter().map(String::as_str)));
        assert_eq!(back.choices[0].logprobs, Some(json!({"content": [token]})), "{stream}");
    }
}

/// What an answer is told as: whole, and as what a stream ends with, which say the same.
fn told(answer: Answer) -> Value {
    let body = responses::encode(answer.clone(), &manner(request()));
    let stream = encoded(answer.told(), request());
    let last: Value = serde_json::from_str(events(&stream).last().unwrap()).unwrap();
    assert_eq!(last["response"], body);
    body
}

#[test]
fn only_its_own_items_are_told() {
    let rows = [
        (json!({"type": "compaction", "id": "cmp_1", "encrypted_content": "e"}), true),
        (json!({"type": "mcp_list_tools", "id": "mcpl_1", "tools": []}), true),
        (json!({"type": "shell_call_output", "id": "sho_1", "output": []}), true),
        // Anthropic's.
        (json!({"type": "compaction", "content": "so far"}), false),
        (json!({"type": "compaction", "content": null, "encrypted_content": "e"}), false),
        (json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}), false),
        (json!({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}), false),
        (json!({"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "f", "server_name": "s", "input": {}}), false),
        (json!({"type": "container_upload", "file_id": "f"}), false),
        // Google's.
        (json!({"executableCode": {"code": "1"}}), false),
        (json!({"type": "google_search_call", "id": "g"}), false),
    ];
    for (item, is_own) in rows {
        let body = told(answer(vec![Part::new(Kind::Opaque(item.clone())), Part::text("hi")], Finish::Stop));
        let output = body["output"].as_array().unwrap();
        let others: Vec<&Value> = output.iter().filter(|told| told["type"] != "message").collect();
        assert_eq!(others, if is_own { vec![&item] } else { vec![] });
        assert!(output.iter().all(|told| told["id"].as_str().is_some_and(|id| !id.is_empty())), "{body}");
    }
}

#[test]
fn pages_are_cited_flat_and_documents_of_others_are_not() {
    let citation = |url: &str, title: &str, start: u64, end: u64| json!({"type": "url_citation", "start_index": start, "end_index": end, "url": url, "title": title});
    let file = json!({"type": "file_citation", "file_id": "f", "filename": "a", "index": 1});
    let rows = [
        (
            json!({"type": "web_search_result_location", "url": "u", "title": "T", "cited_text": "c", "encrypted_index": "e"}),
            Some(citation("u", "T", 0, 5)),
        ),
        (json!({"type": "web_search_result_location", "url": "u", "title": null}), Some(citation("u", "", 0, 5))),
        (citation("u", "T", 1, 3), Some(citation("u", "T", 1, 3))),
        (
            json!({"type": "url_citation", "url_citation": {"url": "u", "title": "T", "start_index": 1, "end_index": 2}}),
            Some(citation("u", "T", 1, 2)),
        ),
        (json!({"type": "url_citation", "url_citation": {"url": "u"}}), Some(citation("u", "", 0, 5))),
        (file.clone(), Some(file)),
        (json!({"type": "url_citation"}), None),
        (json!({"type": "char_location", "cited_text": "c", "document_index": 0}), None),
        (json!({"type": "page_location", "cited_text": "c"}), None),
        (json!({"type": "content_block_location", "cited_text": "c"}), None),
        (json!({"cited_text": "c"}), None),
        (json!({"type": "file", "file": {}}), None),
    ];
    for (note, expected) in rows {
        let expected: Vec<Value> = expected.into_iter().collect();
        let cited = Kind::Text { text: "Größe".to_owned(), notes: vec![note.clone()], seal: None };
        let body = told(answer(vec![Part::new(cited)], Finish::Stop));
        assert_eq!(body["output"][0]["content"][0]["annotations"], json!(expected), "{note}");
        // Anthropic says what it cites before it says what of.
        let stream = encoded(
            vec![
                Delta::Open { choice: 0, part: 0, kind: Opening::Text },
                Delta::Note { choice: 0, part: 0, note: note.clone() },
                Delta::Text { choice: 0, part: 0, text: "Größe".to_owned() },
                Delta::Close { choice: 0, part: 0 },
                Delta::Finish { choice: 0, finish: Finish::Stop, stop_sequence: None },
                Delta::End,
            ],
            request(),
        );
        let events: Vec<Value> = events(&stream).iter().map(|event| serde_json::from_str(event).unwrap()).collect();
        let added = events.iter().filter(|event| event["type"] == "response.output_text.annotation.added");
        let first = json!(0);
        let added: Vec<(&Value, &Value)> = added.map(|event| (&event["annotation"], &event["annotation_index"])).collect();
        assert_eq!(added, expected.iter().map(|note| (note, &first)).collect::<Vec<_>>(), "{note} in a stream");
        assert_eq!(events.last().unwrap()["response"]["output"][0]["content"][0]["annotations"], json!(expected), "{note}");
        let index = |kind: &str| events.iter().position(|event| event["type"] == kind);
        let is_before = index("response.output_text.annotation.added") < index("response.output_text.done");
        assert!(is_before, "{stream}");
    }
}

#[test]
fn what_only_another_provider_counts_or_calls_is_not_told() {
    let mut of_anthropic = answer(vec![Part::text("hi")], Finish::Stop);
    of_anthropic.usage = Some(Usage {
        input: 9,
        output: 4,
        cached: Some(2),
        cache_written: Some(3),
        audio_input: Some(1),
        audio_output: Some(1),
        extra: super::object(
            json!({"cache_creation": {}, "inference_geo": "eu", "service_tier": "standard", "iterations": [], "cost": 1,
            "prompt_tokens_details": {"video_tokens": 0}}),
        ),
        ..Usage::default()
    });
    let expected = json!({"input_tokens": 9, "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 3}, "output_tokens": 4,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 13});
    for (tier, told_as) in [("on_demand", "default"), ("standard", "default"), ("scale", "scale"), ("priority", "priority")] {
        of_anthropic.extra = super::object(json!({"service_tier": tier}));
        let body = told(of_anthropic.clone());
        assert_eq!((&body["usage"], &body["service_tier"]), (&expected, &json!(told_as)), "{tier}");
    }
    // What the client itself has asked for is told again, where it is a word of the API's.
    for (tier, told_as) in [("flex", "flex"), ("on_demand", "default")] {
        let asked = read(json!({"input": "hi", "service_tier": tier}));
        let body = responses::encode(answer(vec![Part::text("hi")], Finish::Stop), &manner(asked));
        assert_eq!(body["service_tier"], told_as);
    }
}

#[test]
fn what_an_answer_was_cut_in_is_incomplete_and_nothing_else() {
    let text = || Part::text("words");
    let first = || call("c", "{\"x\":1}", false, None);
    let tables = [
        // A call that was cut in its arguments, in none yet, and in text of a custom tool's.
        (
            vec![text(), first(), call("d", "{\"x\":", false, None)],
            Finish::Length,
            vec!["completed", "completed", "incomplete"],
        ),
        (vec![first(), call("d", "", false, None)], Finish::Length, vec!["completed", "incomplete"]),
        (vec![first(), call("d", "raw", true, None)], Finish::ContentFilter, vec!["completed", "incomplete"]),
        // Another item behind it, which is the one that was cut.
        (vec![first(), text()], Finish::Length, vec!["completed", "incomplete"]),
        // A model that wrote badly was not cut.
        (vec![first(), call("d", "{\"x\":", false, None)], Finish::ToolCalls, vec!["completed", "completed"]),
    ];
    for (parts, finish, statuses) in tables {
        let told = answer(parts, finish);
        let whole = responses::encode(told.clone(), &manner(request()));
        let of = |items: &[Value]| items.iter().map(|item| item["status"].clone()).collect::<Vec<_>>();
        assert_eq!(of(whole["output"].as_array().unwrap()), statuses, "{whole:#}");
        let events: Vec<Value> =
            events(&encoded(told.told(), request())).iter().map(|event| serde_json::from_str(event).unwrap()).collect();
        let of_kind = |kind: &str| events.iter().filter(|event| event["type"] == kind).cloned().collect::<Vec<_>>();
        let done: Vec<Value> = of_kind("response.output_item.done").iter().map(|event| event["item"].clone()).collect();
        assert_eq!(json!(done), whole["output"]);
        // An item is done before the next one begins.
        let order: Vec<&str> =
            events.iter().filter_map(|event| event["type"].as_str()?.strip_prefix("response.output_item.")).collect();
        assert_eq!(order, ["added", "done"].repeat(done.len()));
        // Nothing is said of an item behind its end, and its arguments end once.
        assert_eq!(
            of_kind("response.function_call_arguments.done").len(),
            done.iter().filter(|item| item["type"] == "function_call").count()
        );
    }
}
