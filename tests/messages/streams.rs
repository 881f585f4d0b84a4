//! Streams, from Anthropic and for its clients.

use breakwater::chat::{Delta, Finish, Kind, Opening, Origin, Part, Seal, Usage};
use breakwater::dialect::{Decoder, Dialect};
use serde_json::{Value, json};

use crate::answers::reasoning;
use crate::{decoded, encoded, events_of, gathered, object};

fn open(part: u32, kind: Opening) -> Delta {
    Delta::Open { choice: 0, part, kind }
}

fn call(part: u32, id: &str) -> Delta {
    open(part, Opening::ToolCall { id: id.to_owned(), name: "look".to_owned(), custom: false, seal: None })
}

fn text(part: u32, text: &str) -> Delta {
    Delta::Text { choice: 0, part, text: text.to_owned() }
}

fn close(part: u32) -> Delta {
    Delta::Close { choice: 0, part }
}

fn begin() -> Delta {
    Delta::Begin { id: Some("1".to_owned()), model: Some("m".to_owned()), created: Some(5) }
}

fn finish(finish: Finish) -> Delta {
    Delta::Finish { choice: 0, finish, stop_sequence: None }
}

/// A stream in short: `+text`, `text`, `-`, and so on.
fn told(frames: &str) -> Vec<String> {
    let short = |data: &String| {
        let event: Value = serde_json::from_str(data).unwrap();
        match event["type"].as_str().unwrap() {
            "content_block_start" => {
                let block = &event["content_block"];
                let id = block["id"].as_str().or(block["data"].as_str()).unwrap_or("");
                format!("{}+{}{id}", event["index"], block["type"].as_str().unwrap())
            }
            "content_block_delta" => {
                let delta = object(event["delta"].clone());
                let (_, said) = delta.into_iter().find(|(name, _)| name != "type").unwrap();
                format!("{} {}", event["index"], said.as_str().map_or_else(|| said.to_string(), str::to_owned))
            }
            "content_block_stop" => format!("{}-", event["index"]),
            "message_delta" => event["delta"]["stop_reason"].as_str().unwrap().to_owned(),
            other => other.to_owned(),
        }
    };
    events_of(frames).iter().map(short).collect()
}

/// What stands between the beginning and the end.
fn blocks(deltas: Vec<Delta>) -> Vec<String> {
    let mut all = vec![begin()];
    all.extend(deltas);
    all.extend([finish(Finish::Stop), Delta::End]);
    let mut told = told(&encoded(all));
    assert_eq!(told.drain(..2).collect::<Vec<_>>(), ["message_start", "ping"]);
    assert_eq!(told.pop().unwrap(), "message_stop");
    told.pop();
    told
}

/// Each frame with its event's name, in Anthropic's order, what is counted last in `message_delta` though it came behind the finish.
#[test]
fn the_frames_themselves() {
    let usage = Usage { input: 12, output: 3, cached: Some(2), ..Usage::default() };
    let frames = encoded(vec![
        begin(),
        open(0, Opening::Text),
        text(0, "Hi"),
        close(0),
        finish(Finish::Length),
        Delta::Usage(usage),
        Delta::End,
    ]);
    let expected = concat!(
        "event: message_start\n",
        "data: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],",
        "\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":0,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,",
        "\"output_tokens\":0}}}\n\n",
        "event: ping\ndata: {\"type\":\"ping\"}\n\n",
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\n",
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"max_tokens\",\"stop_sequence\":null},",
        "\"usage\":{\"input_tokens\":10,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":2,\"output_tokens\":3}}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    );
    assert_eq!(frames, expected);
}

#[test]
fn one_block_after_the_other() {
    let rows: Vec<(&str, Vec<Delta>, Vec<&str>)> = vec![
        (
            "calls side by side wait for one another",
            vec![
                call(0, "a"),
                call(1, "b"),
                text(0, "{\"x\":"),
                text(1, "{\"y\""),
                text(0, "1}"),
                text(1, ":2}"),
                close(1),
                close(0),
            ],
            vec!["0+tool_usea", "0 {\"x\":", "0 1}", "0-", "1+tool_useb", "1 {\"y\"", "1 :2}", "1-"],
        ),
        (
            "a call whose arguments look whole goes on for nobody",
            vec![
                call(0, "a"),
                text(0, "{\"x\":{}"),
                call(1, "b"),
                text(1, "{}"),
                text(0, "}"),
                call(2, "c"),
                text(0, " "),
                text(2, "{}"),
            ],
            vec!["0+tool_usea", "0 {\"x\":{}", "0 }", "0-", "1+tool_useb", "1 {}", "1-", "2+tool_usec", "2 {}", "2-"],
        ),
        (
            "a call without arguments, which only the end can tell",
            vec![call(0, "a"), call(1, "b"), text(1, "{}")],
            vec!["0+tool_usea", "0-", "1+tool_useb", "1 {}", "1-"],
        ),
        (
            "text that is left open, and goes on behind a call",
            vec![
                open(0, Opening::Text),
                text(0, "a"),
                call(1, "b"),
                text(1, "{"),
                text(0, " "),
                text(0, "c"),
                text(1, "}"),
                close(0),
                close(1),
            ],
            vec!["0+text", "0 a", "0-", "1+tool_useb", "1 {", "1 }", "1-", "2+text", "2  ", "2 c", "2-"],
        ),
        (
            "reasoning, its summaries, its seal",
            vec![
                open(0, Opening::Reasoning { redacted: false }),
                Delta::Summary { choice: 0, part: 0, begins: true, text: "a".to_owned() },
                Delta::Summary { choice: 0, part: 0, begins: false, text: "b".to_owned() },
                Delta::Summary { choice: 0, part: 0, begins: true, text: "c".to_owned() },
                Delta::Sign { choice: 0, part: 0, seal: Seal::new(Origin::Responses, "s") },
                close(0),
            ],
            vec!["0+thinking", "0 a", "0 b", "0 \n\nc", "0 bw1.r.s", "0-"],
        ),
        (
            "reasoning of which there is nothing",
            vec![open(0, Opening::Reasoning { redacted: false }), close(0), open(1, Opening::Text), text(1, "a")],
            vec!["0+text", "0 a", "0-"],
        ),
        (
            "reasoning that cannot be shown",
            vec![
                open(0, Opening::Reasoning { redacted: true }),
                Delta::Sign { choice: 0, part: 0, seal: Seal::new(Origin::Gemini, "s") },
                close(0),
                open(1, Opening::Text),
                text(1, "a"),
            ],
            vec!["0+redacted_thinkingbw1.g.s", "0-", "1+text", "1 a", "1-"],
        ),
        (
            "what another provider has whole is left out, other choices too",
            vec![
                open(0, Opening::Whole(Box::new(Kind::Opaque(json!({"type": "web_search_call"}))))),
                Delta::Open { choice: 1, part: 0, kind: Opening::Text },
                Delta::Text { choice: 1, part: 0, text: "x".to_owned() },
                open(1, Opening::Refusal),
                text(1, "no"),
            ],
            vec!["0+text", "0 no", "0-"],
        ),
        (
            "what is called as one of Anthropic's blocks, and is Responses'",
            vec![
                open(
                    0,
                    Opening::Whole(Box::new(Kind::Opaque(
                        json!({"type": "compaction", "id": "cmp_1", "encrypted_content": "e"}),
                    ))),
                ),
                open(1, Opening::Text),
                text(1, "a"),
            ],
            vec!["0+text", "0 a", "0-"],
        ),
        (
            "a custom tool's input is an object for these clients",
            vec![
                open(0, Opening::ToolCall { id: "a".to_owned(), name: "b".to_owned(), custom: true, seal: None }),
                text(0, "l"),
                text(0, "s"),
            ],
            vec!["0+tool_usea", "0 {\"input\":\"ls\"}", "0-"],
        ),
        (
            "a seal of Gemini's is in the id",
            vec![
                open(
                    0,
                    Opening::ToolCall {
                        id: "a".to_owned(),
                        name: "b".to_owned(),
                        custom: false,
                        seal: Some(Seal::new(Origin::Gemini, "x y")),
                    },
                ),
                text(0, "{}"),
            ],
            vec!["0+tool_usea_bw1g_eCB5", "0 {}", "0-"],
        ),
    ];
    for (what, deltas, expected) in rows {
        assert_eq!(blocks(deltas), expected, "{what}");
    }
}

#[test]
fn a_call_that_was_whole_and_goes_on_cannot_be_said() {
    let mut encoder = breakwater::dialect::Encoder::new(Dialect::Messages, crate::manner());
    let mut frames = String::new();
    for delta in [begin(), call(0, "a"), text(0, "{}"), call(1, "b")] {
        assert_eq!(encoder.delta(delta, &mut frames), Some(()));
    }
    assert_eq!(encoder.delta(text(1, "{}"), &mut frames), Some(()));
    assert_eq!(encoder.delta(text(0, "x"), &mut frames), None);
}

#[test]
fn stop_reasons_of_streams() {
    let ends = |deltas: Vec<Delta>| told(&encoded(deltas)).into_iter().rev().nth(1).unwrap();
    assert_eq!(ends(vec![begin(), call(0, "a"), text(0, "{}"), finish(Finish::Stop), Delta::End]), "tool_use");
    assert_eq!(ends(vec![begin(), open(0, Opening::Text), finish(Finish::Stop), Delta::End]), "end_turn");
    assert_eq!(ends(vec![begin(), open(0, Opening::Refusal), finish(Finish::Stop), Delta::End]), "refusal");
    assert_eq!(ends(vec![begin(), finish(Finish::ContentFilter), Delta::End, Delta::End]), "refusal");
}

fn events(content: &[Value]) -> Vec<String> {
    content.iter().map(Value::to_string).collect()
}

fn decode(content: &[Value]) -> Option<Vec<Delta>> {
    let events = events(content);
    decoded(events.iter().map(String::as_str))
}

/// What providers do that the reference does not say.
#[test]
fn traps_of_streams_from_anthropic() {
    let start = |id: &str| json!({"type": "message_start", "message": {"id": id, "model": "m", "content": [], "usage": {"input_tokens": 5, "output_tokens": 1}}});
    let opened = |block: Value| json!({"type": "content_block_start", "index": 0, "content_block": block});
    let stop = json!({"type": "content_block_stop", "index": 0});
    let end = [
        json!({"type": "message_delta", "delta": {"stop_reason": "stop_sequence", "stop_sequence": "x"}, "usage": {"output_tokens": 9, "input_tokens": null}}),
        json!({"type": "message_stop"}),
        json!("[DONE]"),
    ];
    let stream = |content: Vec<Value>| {
        let mut events: Vec<Value> = vec![start("1"), json!({"type": "ping"}), json!({"type": "of_a_later_version"})];
        events.extend(content);
        events.extend(end[..2].to_vec());
        gathered(decode(&events)?)
    };
    let one = |content: Vec<Value>| stream(content).unwrap().choices.remove(0).parts;
    let tool = json!({"type": "tool_use", "id": "a", "name": "b", "input": {}});
    let arguments = |content: Vec<Value>| match &one(content)[0].kind {
        Kind::ToolCall(call) => call.arguments.clone(),
        other => panic!("{other:?}"),
    };
    let json_delta = |json: &str| json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": json}});
    assert_eq!(arguments(vec![opened(tool.clone()), json_delta(""), stop.clone()]), "{}", "no arguments");
    assert_eq!(arguments(vec![opened(tool.clone()), json_delta("{\"a\""), json_delta(":1}"), stop.clone()]), "{\"a\":1}");
    let whole = json!({"type": "tool_use", "id": "a", "name": "b", "input": {"a": 1}});
    assert_eq!(arguments(vec![opened(whole), stop.clone()]), "{\"a\":1}", "all of them at once");
    assert_eq!(
        one(vec![start("1"), opened(json!({"type": "text", "text": "Hi"})), stop.clone()]),
        [Part::text("Hi")],
        "two beginnings, text in the block"
    );
    assert_eq!(stream(vec![opened(json!({"type": "text", "text": ""})), start("2")]), None, "a second beginning in the middle");
    assert_eq!(stream(vec![json!({"type": "error", "error": {}})]), None);
    assert_eq!(stream(vec![stop.clone()]), None, "the end of nothing");
    let hidden = vec![
        opened(json!({"type": "thinking", "thinking": "", "signature": ""})),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "s"}}),
        stop.clone(),
    ];
    assert_eq!(one(hidden), [Part::new(Kind::Reasoning(reasoning("", Some(Seal::new(Origin::Anthropic, "s")))))]);
    let server = vec![
        opened(json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}})),
        json_delta("{\"q\":"),
        json_delta("1}"),
        stop.clone(),
    ];
    assert_eq!(
        one(server),
        [Part::new(Kind::Opaque(json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": 1}})))]
    );
    let compaction = vec![
        opened(json!({"type": "compaction", "content": null})),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "compaction_delta", "content": "a"}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "compaction_delta", "content": "b"}}),
        stop,
    ];
    assert_eq!(one(compaction), [Part::new(Kind::Opaque(json!({"type": "compaction", "content": "ab"})))]);
    let answer = stream(vec![]).unwrap();
    assert_eq!(
        answer.usage.map(|usage| (usage.input, usage.output)),
        Some((5, 9)),
        "the later counts replace the former, null does not"
    );
    assert_eq!(
        (answer.choices[0].finish.clone(), answer.choices[0].stop_sequence.as_deref()),
        (Some(Finish::StopSequence), Some("x"))
    );
}

/// What must be held is bounded: a provider cannot fill an isolate's memory.
#[test]
fn what_is_held_is_bounded() {
    let piece = "x".repeat(1024 * 1024);
    let mut decoder = Decoder::new(Dialect::Messages);
    let mut deltas = Vec::new();
    let block = json!({"type": "server_tool_use", "id": "s", "name": "n", "input": {}});
    decoder
        .event(&json!({"type": "content_block_start", "index": 0, "content_block": block}).to_string(), &mut deltas)
        .unwrap();
    let more = json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": piece}})
        .to_string();
    assert!((0..8).any(|_| decoder.event(&more, &mut deltas).is_none()));

    let mut encoder = breakwater::dialect::Encoder::new(Dialect::Messages, crate::manner());
    let mut frames = String::new();
    for delta in [begin(), call(0, "a"), text(0, "{"), call(1, "b")] {
        encoder.delta(delta, &mut frames).unwrap();
    }
    assert!((0..8).any(|_| encoder.delta(text(1, &piece), &mut frames).is_none()));
}

#[test]
fn the_end_is_said_once() {
    let mut decoder = Decoder::new(Dialect::Messages);
    let mut deltas = Vec::new();
    for event in
        ["{\"type\":\"message_start\",\"message\":{}}", "{\"type\":\"message_stop\"}", "[DONE]", "{\"type\":\"message_stop\"}"]
    {
        decoder.event(event, &mut deltas).unwrap();
    }
    decoder.end(&mut deltas);
    decoder.end(&mut deltas);
    assert_eq!(deltas.iter().filter(|delta| **delta == Delta::End).count(), 1);
    assert_eq!(deltas.last(), Some(&Delta::End));
}
