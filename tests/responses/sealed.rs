//! What a text was sealed with, in an item of its own behind the text's.

use breakwater::chat::{Answer, Choice, Finish, Kind, Origin, Part, Seal, ToolCall};
use breakwater::dialect::responses;
use serde_json::{Value, json};

use super::{encoded, events, manner, read};

fn said(text: &str, seal: &str) -> Part {
    let seal = Some(Seal::new(Origin::Gemini, seal)).filter(|seal| !seal.data.is_empty());
    Part::new(Kind::Text { text: text.to_owned(), notes: Vec::new(), seal })
}

fn answer(parts: Vec<Part>, finish: Finish) -> Answer {
    Answer { choices: vec![Choice { parts, finish: Some(finish), ..Choice::default() }], ..Answer::default() }
}

fn called() -> Part {
    let call = ToolCall { id: "c1".to_owned(), name: "f".to_owned(), arguments: "{}".to_owned(), custom: false, seal: None };
    Part::new(Kind::ToolCall(call))
}

/// Each event's type, its item's index and what that item is.
fn told(parts: Vec<Part>, finish: Finish) -> Vec<(String, u64)> {
    let stream = encoded(answer(parts, finish).told(), read(json!({"input": "hi"})));
    let events = events(&stream).into_iter().map(|event| serde_json::from_str::<Value>(&event).unwrap());
    let place = |(nth, event): (usize, Value)| {
        assert_eq!(event["sequence_number"], nth, "{stream}");
        let kind = event["type"].as_str().unwrap().strip_prefix("response.").unwrap().to_owned();
        let item = event["item"]["type"].as_str().map(|item| format!(" {item}")).unwrap_or_default();
        event["output_index"].as_u64().map(|at| (format!("{kind}{item}"), at))
    };
    events.enumerate().filter_map(place).collect()
}

#[test]
fn an_item_is_whole_before_the_seal_behind_it_and_the_seal_before_what_follows() {
    let rows = told(vec![said("one", "S1"), called(), said("two", "S2")], Finish::ToolCalls);
    let rows: Vec<(&str, u64)> = rows.iter().map(|(kind, at)| (kind.as_str(), *at)).collect();
    let message = |at| {
        [
            ("output_item.added message", at),
            ("content_part.added", at),
            ("output_text.delta", at),
            ("output_text.done", at),
            ("content_part.done", at),
            ("output_item.done message", at),
        ]
    };
    let sealed = |at| [("output_item.added reasoning", at), ("output_item.done reasoning", at)];
    let call = [
        ("output_item.added function_call", 2),
        ("function_call_arguments.delta", 2),
        ("function_call_arguments.done", 2),
        ("output_item.done function_call", 2),
    ];
    assert_eq!(rows, [&message(0)[..], &sealed(1), &call, &message(3), &sealed(4)].concat());
}

#[test]
fn texts_beside_each_other_are_of_one_message_unless_a_seal_is_between_them() {
    let body = responses::encode(
        answer(vec![said("a", ""), said("b", "S1"), said("c", ""), said("d", "")], Finish::Stop),
        &manner(read(json!({"input": "hi"}))),
    );
    let text = |text: &str| json!({"type": "output_text", "annotations": [], "logprobs": [], "text": text});
    let message = |at: u8, content: Value| json!({"id": format!("msg_bw10000000000000007_{at}"), "type": "message", "status": "completed", "content": content, "role": "assistant"});
    assert_eq!(
        body["output"],
        json!([
            message(0, json!([text("a"), text("b")])),
            {"id": "rs_bw10000000000000007_1", "type": "reasoning", "encrypted_content": "bw1.gt.S1", "summary": []},
            message(2, json!([text("c"), text("d")])),
        ])
    );
}

#[test]
fn a_text_that_was_cut_is_incomplete_though_a_seal_stands_behind_it() {
    let answer = answer(vec![said("a", "S1")], Finish::Length);
    let body = responses::encode(answer.clone(), &manner(read(json!({"input": "hi"}))));
    let of = |item: &Value| (item["type"].clone(), item["status"].clone());
    assert_eq!(
        body["output"].as_array().unwrap().iter().map(of).collect::<Vec<_>>(),
        [(json!("message"), json!("incomplete")), (json!("reasoning"), Value::Null)]
    );
    let stream = events(&encoded(answer.told(), read(json!({"input": "hi"}))));
    let last: Value = serde_json::from_str(stream.last().unwrap()).unwrap();
    assert_eq!(last["response"]["output"], body["output"]);
}

#[test]
fn a_seal_is_put_on_the_text_before_it_alone() {
    let seal =
        |data: &str| json!({"type": "reasoning", "id": "rs_1", "encrypted_content": format!("bw1.gt.{data}"), "summary": []});
    let text = |text: &str| json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]});
    let call = json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"});
    let user = json!({"role": "user", "content": "q"});
    let seals = |input: Value| -> Vec<Vec<Option<String>>> {
        let of = |part: &Part| match &part.kind {
            Kind::Text { seal, .. } => seal.as_ref().map(|seal| seal.data.clone()),
            Kind::ToolCall(_) => None,
            other => panic!("{other:?}"),
        };
        read(json!({ "input": input })).messages.iter().map(|message| message.parts.iter().map(of).collect()).collect()
    };
    let some = |data: &str| Some(data.to_owned());
    assert_eq!(seals(json!([user, text("a"), seal("1"), text("b"), seal("2")])), [vec![None], vec![some("1"), some("2")]]);
    // Where a client left out the text, it is nobody else's.
    assert_eq!(seals(json!([user, seal("1")])), [vec![None]]);
    assert_eq!(seals(json!([user, text("a"), call, seal("1")])), [vec![None], vec![None, None]]);
    assert_eq!(seals(json!([user, text("a"), seal("1"), seal("2")])), [vec![None], vec![some("1")]]);
}
