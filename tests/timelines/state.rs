//! What a provider keeps: requests that go on with it, and the ids by which it is asked for.

use breakwater::runtime::Ending;
use serde_json::json;

use crate::dialects::{claude, event, message, message_events, outcomes, parsed, response, world};
use crate::upstreams::{error, json as answers, limits, ms, streams};
use crate::world::{World, ask, gateway, post};

pub(super) fn input(model: &str, more: &str) -> String {
    format!(r#"{{"model":"{model}","input":"Hello"{more}}}"#)
}

#[test]
fn what_a_provider_keeps_is_asked_of_nobody_else() {
    let (world, gateway) = world(|host, _, nth| match (host, nth) {
        ("resp", 0) => answers(1, 200, &response("resp_real", "A").to_string()),
        _ => error(1, 500, "x", "down"),
    });
    let (status, headers, text) = ask(&world, &gateway, post("/v1/responses", &input("held", ""), &[]));
    let first = parsed(&text);
    assert_eq!((status, headers.get("x-breakwater-cache")), (200, Some("bypass")));
    let (id, item) = (first["id"].as_str().unwrap(), first["output"][0]["id"].as_str().unwrap());
    assert!(!text.contains("resp_real") && !text.contains("msg_abc"), "the provider's own ids are not told: {text}");
    assert!(id.starts_with("resp_") && item.starts_with("msg_"));

    // It goes where it is kept, in that provider's words, and nowhere else when that fails.
    for more in [
        format!(r#","previous_response_id":"{id}""#),
        format!(r#","input":[{{"type":"item_reference","id":"{item}"}},{{"role":"user","content":"B"}}]"#),
    ] {
        let body = if more.contains("input") { format!(r#"{{"model":"held"{more}}}"#) } else { input("held", &more) };
        let (status, headers, _) = ask(&world, &gateway, post("/v1/responses", &body, &[]));
        assert_eq!((status, outcomes(&headers)), (502, vec!["resp/gpt-5;server_error".into()]), "{more}");
        let sent = world.calls.borrow().last().unwrap().sent.body.clone();
        assert!(sent.contains("\"resp_real\"") || sent.contains("\"msg_abc\""), "{sent}");
    }
    for (more, param) in [
        (r#","previous_response_id":"resp_real""#, "previous_response_id"),
        (r#","previous_response_id":"resp_bound_AAAA""#, "previous_response_id"),
    ] {
        let (status, _, text) = ask(&world, &gateway, post("/v1/responses", &input("held", more), &[]));
        assert_eq!((status, parsed(&text)["error"]["param"].as_str()), (400, Some(param)), "{text}");
    }
    for (more, param) in [
        (r#","conversation":"conv_1""#, "conversation"),
        (r#","background":true"#, "background"),
        (r#","prompt":{"id":"p"}"#, "prompt"),
    ] {
        let (status, headers, text) = ask(&world, &gateway, post("/v1/responses", &input("claude/c", more), &[]));
        let error = &parsed(&text)["error"];
        assert_eq!(
            (status, &error["code"], &error["param"]),
            (400, &json!("unsupported_parameter"), &json!(param)),
            "{more}: {text}"
        );
        assert_eq!(outcomes(&headers), ["claude/c;unsupported"], "{more}");
    }
    // A target of another protocol cannot go on with it.
    let elsewhere = input("claude/c", &format!(r#","previous_response_id":"{id}""#));
    assert_eq!(ask(&world, &gateway, post("/v1/responses", &elsewhere, &[])).0, 400);
}

#[test]
fn of_several_keys_the_one_that_made_a_response_goes_on_with_it() {
    let config = r#"
[providers.resp]
protocol = "responses"
base_url = "https://resp.example/v1"
keys = ["FIRST_KEY", "SECOND_KEY"]
[routes.held]
targets = ["resp/gpt-5"]
"#;
    for stream in [false, true] {
        let world = World::new(7);
        *world.upstream.borrow_mut() = Box::new(move |sent| {
            let limited = sent.nth == 0;
            let made = response("resp_real", "A");
            match (limited, stream) {
                (true, _) => limits(1, "60"),
                (false, false) => answers(1, 200, &made.to_string()),
                (false, true) => {
                    let events = [
                        json!({ "type": "response.created", "sequence_number": 0, "response": { "id": "resp_real", "object": "response", "output": [] } }),
                        json!({ "type": "response.output_text.delta", "sequence_number": 1, "item_id": "msg_abc", "output_index": 0, "content_index": 0, "delta": "A" }),
                        json!({ "type": "response.completed", "sequence_number": 2, "response": made }),
                    ];
                    streams(1, 1, events.iter().map(event).collect(), Ending::Eof)
                }
            }
        });
        let gateway = gateway(config, &[("FIRST_KEY", "sk-first-1"), ("SECOND_KEY", "sk-second-1")]);
        let (_, _, text) = ask(&world, &gateway, post("/v1/responses", &input("held", &format!(r#","stream":{stream}"#)), &[]));
        let last = text.trim_end().rsplit("data: ").next().unwrap();
        let id = if stream { parsed(last)["response"]["id"].clone() } else { parsed(&text)["id"].clone() };
        let more = format!(r#","stream":{stream},"previous_response_id":{id}"#);
        let (status, _, text) = ask(&world, &gateway, post("/v1/responses", &input("held", &more), &[]));
        let calls = world.calls.borrow();
        let keys: Vec<&str> = calls.iter().map(|call| call.sent.headers.get("authorization").unwrap()).collect();
        assert_eq!((status, keys), (200, vec!["Bearer sk-first-1", "Bearer sk-second-1", "Bearer sk-second-1"]), "{text}");
    }
}

#[test]
fn a_kept_response_is_asked_for_and_deleted_where_it_is() {
    let (world, gateway) = world(|_, _, nth| {
        if nth == 0 {
            answers(1, 200, &response("resp_real", "A").to_string())
        } else {
            answers(1, 200, r#"{"id":"resp_real","object":"response","deleted":true}"#)
        }
    });
    let (_, _, text) = ask(&world, &gateway, post("/v1/responses", &input("resp/gpt-5", ""), &[]));
    let id = parsed(&text)["id"].as_str().unwrap().to_owned();
    for (method, path, url) in [
        ("GET", format!("/v1/responses/{id}"), "GET https://resp.example/v1/responses/resp_real"),
        ("DELETE", format!("/v1/responses/{id}"), "DELETE https://resp.example/v1/responses/resp_real"),
        ("POST", format!("/v1/responses/{id}/cancel"), "POST https://resp.example/v1/responses/resp_real/cancel"),
        ("GET", format!("/v1/responses/{id}/input_items"), "GET https://resp.example/v1/responses/resp_real/input_items"),
    ] {
        let mut request = post(&path, "", &[]);
        method.clone_into(&mut request.method);
        let (status, _, text) = ask(&world, &gateway, request);
        assert_eq!((status, parsed(&text)["id"].as_str()), (200, Some(id.as_str())), "{method} {path}: {text}");
        let calls = world.calls.borrow();
        let sent = &calls.last().unwrap().sent;
        assert_eq!((sent.url.as_str(), sent.headers.get("authorization")), (url, Some("Bearer sk-resp-1")));
    }
    let mut unknown = post("/v1/responses/resp_real", "", &[]);
    "GET".clone_into(&mut unknown.method);
    assert_eq!(ask(&world, &gateway, unknown).0, 404, "a provider's own id is nobody's");
}

#[test]
fn an_item_of_a_translated_answer_is_put_back_in_the_place_of_its_id() {
    let (world, gateway) =
        world(|_, streamed, _| if streamed { streams(1, 1, message_events(&["A"]), Ending::Eof) } else { message("A") });
    for stream in [false, true] {
        let more = format!(r#","store":true,"stream":{stream}"#);
        let (status, _, text) = ask(&world, &gateway, post("/v1/responses", &input("claude/c", &more), &[]));
        assert_eq!(status, 200, "{text}");
        world.run_until(world.elapsed() + std::time::Duration::from_secs(1));
        let last =
            if stream { parsed(text.trim_end().rsplit("data: ").next().unwrap())["response"].clone() } else { parsed(&text) };
        assert_eq!(last["store"], false, "nobody keeps it: {last}");
        let item = last["output"][0]["id"].as_str().unwrap();
        let body = json!({ "model": "claude/c", "input": [{ "role": "user", "content": "Hi" }, { "type": "item_reference", "id": item }, { "role": "user", "content": "B" }] });
        let (status, _, text) = ask(&world, &gateway, post("/v1/responses", &body.to_string(), &[]));
        assert_eq!(status, 200, "{text}");
        let sent = parsed(&world.calls.borrow().last().unwrap().sent.body);
        let roles: Vec<&str> =
            sent["messages"].as_array().unwrap().iter().map(|message| message["role"].as_str().unwrap()).collect();
        assert_eq!(roles, ["user", "assistant", "user"], "{sent}");
    }
    let unknown = json!({ "model": "claude/c", "input": [{ "type": "item_reference", "id": "msg_bw10000000000000000_0" }] });
    let (status, _, text) = ask(&world, &gateway, post("/v1/responses", &unknown.to_string(), &[]));
    assert_eq!(status, 400, "{text}");
}

/// Storage that does not answer costs no more than the deadline, from the moment in which the request came.
#[test]
fn items_that_are_not_found_in_time_are_an_error_by_the_deadline() {
    for (look_up, asked, status, took) in [
        (u64::MAX / 4, None, 504, 20_000),
        (u64::MAX / 4, Some("3000"), 504, 3_000),
        // What it took is part of the time, not beside it: the upstream has the rest.
        (1_000, Some("3000"), 504, 3_000),
        (1_000, None, 200, 6_000),
    ] {
        for early in [false, true] {
            let (world, _) = world(|_, _, _| message("A"));
            let config = format!(
                "[defaults]\ndeadline = \"20s\"\nearly_headers = {early}\n[providers.claude]\nprotocol = \"anthropic\"\nbase_url = \"https://claude.example/v1\"\nkey = \"CLAUDE_KEY\"\n"
            );
            let gateway = gateway(&config, &[("CLAUDE_KEY", "sk-claude-1")]);
            let (_, _, text) = ask(&world, &gateway, post("/v1/responses", &input("claude/c", r#","store":true"#), &[]));
            world.run_until(world.elapsed() + ms(1_000));
            let item = parsed(&text)["output"][0]["id"].as_str().unwrap().to_owned();
            *world.upstream.borrow_mut() = Box::new(|_| answers(5_000, 200, &claude("B")));
            world.look_up.set(look_up);
            let body = json!({ "model": "claude/c", "input": [{ "role": "user", "content": "Hi" }, { "type": "item_reference", "id": item }, { "role": "user", "content": "B" }] });
            let headers: Vec<(&'static str, &str)> = asked.map(|ms| ("x-breakwater-deadline-ms", ms)).into_iter().collect();
            let begun = world.elapsed();
            let (found, _, text) = ask(&world, &gateway, post("/v1/responses", &body.to_string(), &headers));
            let name = format!("{look_up}, {asked:?}, {early}: {text}");
            assert_eq!(found, status, "{name}");
            if status == 504 {
                assert_eq!(parsed(&text)["error"]["code"], "deadline_exceeded", "{name}");
            }
            let ended = world.elapsed();
            assert!(ended >= begun + ms(took) && ended < begun + ms(took + 50), "{begun:?} to {ended:?}, {name}");
        }
    }
}

/// What Gemini signed its words with stands in an item of its own behind them: clients that send items by their ids send that one too.
#[test]
fn a_signature_of_words_is_put_back_with_them() {
    const SAID: &str = r#"{"responseId":"r","candidates":[{"content":{"role":"model","parts":[{"text":"A","thoughtSignature":"SIG"}]},"finishReason":"STOP"}]}"#;
    let (world, gateway) = world(|host, streamed, _| match (host, streamed) {
        ("gem", true) => streams(1, 1, vec![format!("data: {SAID}\n\n")], Ending::Eof),
        ("gem", false) => answers(1, 200, SAID),
        _ => message("B"),
    });
    for stream in [false, true] {
        let more = format!(r#","stream":{stream}"#);
        let (status, _, text) = ask(&world, &gateway, post("/v1/responses", &input("gem/gemini-3-pro", &more), &[]));
        assert_eq!(status, 200, "{text}");
        world.run_until(world.elapsed() + std::time::Duration::from_secs(1));
        let last =
            if stream { parsed(text.trim_end().rsplit("data: ").next().unwrap())["response"].clone() } else { parsed(&text) };
        let items = last["output"].as_array().unwrap();
        let mut turns = vec![json!({ "role": "user", "content": "Hi" })];
        turns.extend(items.iter().map(|item| json!({ "type": "item_reference", "id": item["id"] })));
        turns.push(json!({ "role": "user", "content": "B" }));
        for (model, is_signed) in [("gem/gemini-3-pro", true), ("claude/c", false)] {
            let body = json!({ "model": model, "input": turns });
            let (status, headers, text) = ask(&world, &gateway, post("/v1/responses", &body.to_string(), &[]));
            assert_eq!((status, headers.get("x-breakwater-ignored")), (200, None), "{text}");
            let sent = world.calls.borrow().last().unwrap().sent.body.clone();
            assert_eq!(sent.contains(r#"{"text":"A","thoughtSignature":"SIG"}"#), is_signed, "{sent}");
            assert_eq!(sent.contains("SIG"), is_signed, "{sent}");
        }
    }
}
