//! Completions: what is read, what is refused, and how an answer is told.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

#[path = "../recordings/mod.rs"]
mod recordings;

use std::rc::Rc;

use breakwater::chat::{Answer, Choice, Finish, Kind, Losses, Part, Reasoning, Request, Role, Usage};
use breakwater::config::Quirks;
use breakwater::dialect::{Dialect, Encoder, Manner, Recipient};
use serde_json::{Value, json};

fn read(body: Value) -> Result<Request, String> {
    Dialect::Completions.read(body.as_object().cloned().unwrap()).map_err(|error| format!("{error:?}"))
}

fn manner(include_usage: bool) -> Manner {
    Manner { request: Rc::new(Request::new(Dialect::Completions)), include_usage, now: 1, seed: 7 }
}

#[test]
fn a_prompt_is_what_a_user_says() {
    for prompt in [json!("Once"), json!(["Once"])] {
        let request = read(json!({ "model": "m", "prompt": prompt, "max_tokens": 5, "logprobs": 2, "stop": "\n", "seed": 1, "stream": true, "odd": 1 })).unwrap();
        assert_eq!(request.messages[0].role, Role::User);
        assert_eq!(request.messages[0].parts, [Part::text("Once")]);
        assert_eq!(
            (request.max_tokens, request.logprobs, request.top_logprobs, request.stream),
            (Some(5), Some(true), Some(2), true)
        );
        let mut losses = Losses::new();
        let body = Dialect::Chat.write(&request, &Recipient { model: "m", quirks: Quirks::default() }, &mut losses);
        assert_eq!(losses.iter().map(|loss| loss.field.as_str()).collect::<Vec<_>>(), ["odd"]);
        assert_eq!(body["messages"], json!([{ "role": "user", "content": "Once" }]));
        assert_eq!((&body["logprobs"], &body["top_logprobs"]), (&json!(true), &json!(2)));
    }
}

#[test]
fn what_only_old_models_can_do_is_refused_by_name() {
    for (member, value) in [
        ("prompt", json!(["a", "b"])),
        ("prompt", json!([1, 2])),
        ("prompt", json!([[1, 2]])),
        ("prompt", json!([])),
        ("suffix", json!("end")),
        ("echo", json!(true)),
        ("best_of", json!(2)),
        ("logprobs", json!("many")),
    ] {
        let mut body = json!({ "prompt": "a" });
        body[member] = value.clone();
        let error = read(body).expect_err(&value.to_string());
        assert!(error.contains(&format!("\"{member}\"")), "{error}");
    }
    for harmless in [
        json!({ "suffix": "" }),
        json!({ "suffix": null }),
        json!({ "echo": false }),
        json!({ "best_of": 1 }),
        json!({ "best_of": 2, "n": 2 }),
    ] {
        let mut body = json!({ "prompt": "a" });
        body.as_object_mut().unwrap().extend(harmless.as_object().cloned().unwrap());
        read(body).unwrap();
    }
    assert!(read(json!({})).is_err());
}

fn answer() -> Answer {
    let thought = Part::new(Kind::Reasoning(Reasoning { text: "hm".to_owned(), ..Reasoning::default() }));
    let token = |token: &str| json!({ "token": token, "logprob": -0.5, "bytes": null, "top_logprobs": [{ "token": "x", "logprob": -1.0 }] });
    let choice = Choice {
        parts: vec![thought, Part::text("Hellö you")],
        finish: Some(Finish::Length),
        logprobs: Some(json!({ "content": [token("Hellö"), token(" you")] })),
        ..Choice::default()
    };
    Answer {
        id: Some("c".to_owned()),
        model: Some("m".to_owned()),
        created: Some(2),
        choices: vec![choice],
        usage: Some(Usage { input: 3, output: 4, ..Usage::default() }),
        ..Answer::default()
    }
}

#[test]
fn an_answer_is_its_text() {
    let told = Dialect::Completions.encode(answer(), &manner(true));
    assert_eq!(
        told,
        json!({
            "id": "c", "object": "text_completion", "created": 2, "model": "m",
            "choices": [{
                "text": "Hellö you", "index": 0, "finish_reason": "length",
                "logprobs": {
                    "tokens": ["Hellö", " you"], "token_logprobs": [-0.5, -0.5], "top_logprobs": [{ "x": -1.0 }, { "x": -1.0 }], "text_offset": [0, 5]
                }
            }],
            "usage": { "prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7 }
        })
    );
}

#[test]
fn a_stream_says_the_same() {
    for include_usage in [true, false] {
        let mut encoder = Encoder::new(Dialect::Completions, manner(include_usage));
        let mut frames = String::new();
        for delta in answer().told() {
            encoder.delta(delta, &mut frames).unwrap();
        }
        assert!(frames.ends_with("data: [DONE]\n\n"));
        let chunks: Vec<Value> =
            frames.split("\n\n").filter_map(|frame| serde_json::from_str(frame.strip_prefix("data: ")?).ok()).collect();
        let text: String = chunks.iter().filter_map(|chunk| chunk["choices"][0]["text"].as_str()).collect();
        assert_eq!(text, "Hellö you");
        assert!(chunks.iter().all(|chunk| chunk["object"] == "text_completion"));
        let finishes: Vec<&str> = chunks.iter().filter_map(|chunk| chunk["choices"][0]["finish_reason"].as_str()).collect();
        assert_eq!(finishes, ["length"]);
        assert_eq!(frames.contains("\"prompt_tokens\":3"), include_usage);
        assert_eq!(frames.contains("\"usage\""), include_usage);
    }
}

#[test]
fn it_has_the_members_of_the_recorded_ones() {
    for fixture in recordings::fixtures("openai")
        .into_iter()
        .filter(|fixture| fixture.name.contains("completion-text.json") && !fixture.is_stream())
    {
        let theirs: Value = serde_json::from_str(&fixture.text).unwrap();
        let ours = Dialect::Completions.encode(answer(), &manner(true));
        let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<std::collections::BTreeSet<_>>();
        assert_eq!(names(&ours), names(&theirs));
        assert_eq!(names(&ours["choices"][0]), names(&theirs["choices"][0]));
        println!("{} compared", fixture.name);
    }
}
