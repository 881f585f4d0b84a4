//! Conversations that another provider began, as they are legal where they go on: translated, passed through, and corrected.

use breakwater::chat::{Message, Part, Role};
use breakwater::dialect::chat::adapt;
use breakwater::dialect::{Dialect, Recipient};
use serde_json::{Value, json};

use crate::{object, quirks, read, write};

const CALL: &str = r#"{"id":"abcDEF123","type":"function","function":{"name":"f","arguments":"{}"}}"#;

fn call() -> Value {
    serde_json::from_str(CALL).unwrap()
}

fn result() -> Value {
    json!({ "role": "tool", "tool_call_id": "abcDEF123", "content": "1" })
}

fn adapted(body: &Value, preset: &str, model: &str) -> Option<Value> {
    adapt(&body.to_string(), model, quirks(preset)).map(|adapted| serde_json::from_str(&adapted.body).unwrap())
}

/// A client of Messages': a tool loop, an answer, and the next question. `thought` is what was thought before the call.
fn loop_of_messages(thought: &[Value], members: &Value) -> Value {
    let mut said = thought.to_vec();
    said.push(json!({ "type": "tool_use", "id": "abcDEF123", "name": "f", "input": {} }));
    let mut body = json!({ "model": "m", "max_tokens": 3000, "messages": [
        { "role": "user", "content": "q" },
        { "role": "assistant", "content": said },
        { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "abcDEF123", "content": "1" }] },
        { "role": "assistant", "content": "a" },
        { "role": "user", "content": "r" },
    ], "tools": [{ "name": "f", "input_schema": { "type": "object" } }] });
    body.as_object_mut().unwrap().extend(object(members));
    body
}

/// `reasoning_content` of each of the assistant's turns, as a client of Messages' is written to that provider.
fn thoughts(body: &Value, preset: &str, model: &str) -> Vec<Option<Value>> {
    let request = Dialect::Messages.read(object(body)).unwrap();
    let (body, ..) = write(&request, preset, model);
    of(&body)
}

fn of(body: &Value) -> Vec<Option<Value>> {
    let messages = body["messages"].as_array().unwrap().iter();
    messages.filter(|one| one["role"] == "assistant").map(|one| one.get("reasoning_content").cloned()).collect()
}

/// "The `reasoning_content` in the thinking mode must be passed back to the API", and Moonshot takes an empty one for none.
#[test]
fn who_wants_thoughts_back_gets_some_of_every_turn_where_tools_are_called() {
    let none = json!({});
    let on = json!({ "thinking": { "type": "enabled", "budget_tokens": 1024 } });
    let off = json!({ "thinking": { "type": "disabled" } });
    let thought = [json!({ "type": "thinking", "thinking": "hm", "signature": "s" })];
    let (hm, nothing, space) = (Some(json!("hm")), Some(json!("")), Some(json!(" ")));
    for members in [&none, &on] {
        let (without, with) = (loop_of_messages(&[], members), loop_of_messages(&thought, members));
        assert_eq!(thoughts(&without, "deepseek", "deepseek-v4-pro"), [nothing.clone(), nothing.clone()], "{members}");
        assert_eq!(thoughts(&with, "deepseek", "deepseek-v4-pro"), [hm.clone(), nothing.clone()], "{members}");
        assert_eq!(thoughts(&without, "moonshot", "kimi-k2.5"), [space.clone(), space.clone()], "{members}");
        assert_eq!(thoughts(&with, "moonshot", "kimi-k2.5"), [hm.clone(), space.clone()], "{members}");
        // Models that do not think, and providers that want none.
        for (preset, model) in [
            ("moonshot", "kimi-k2-0905-preview"),
            ("moonshot", "moonshot-v1-8k"),
            ("openai", "gpt-5"),
            ("mistral", "m"),
            ("", "m"),
        ] {
            assert_eq!(thoughts(&with, preset, model), [None, None], "{preset} {model}");
        }
    }
    // Who is not to think has nothing to give back.
    assert_eq!(thoughts(&loop_of_messages(&[], &off), "deepseek", "deepseek-v4-pro"), [None, None]);
    // And so it is where a call is forced, which switches it off.
    let forced = json!({ "tool_choice": { "type": "any" } });
    assert_eq!(thoughts(&loop_of_messages(&[], &forced), "deepseek", "deepseek-v4-pro"), [None, None]);
    // Without tools, thoughts are of no use to anybody.
    let mut plain = loop_of_messages(&[], &none);
    plain.as_object_mut().unwrap().shift_remove("tools");
    plain["messages"] = json!([{ "role": "user", "content": "q" }, { "role": "assistant", "content": [thought[0], { "type": "text", "text": "a" }] }, { "role": "user", "content": "r" }]);
    assert_eq!(thoughts(&plain, "deepseek", "deepseek-v4-pro"), [None]);
    // What was thought before the answer to a tool's result goes back too.
    let mut late = loop_of_messages(&[], &none);
    late["messages"][3]["content"] = json!([thought[0], { "type": "text", "text": "a" }]);
    assert_eq!(thoughts(&late, "deepseek", "deepseek-v4-pro"), [nothing, hm]);
}

/// The same of a client of Chat Completions, whose body passes through but for that.
#[test]
fn a_chat_clients_turns_get_the_thoughts_that_are_missing_and_keep_their_own() {
    let body = |assistant: Value, members: Value| {
        let mut body =
            json!({ "model": "m", "messages": [{ "role": "user", "content": "q" }, assistant, result()], "x_unknown": [1.50] });
        body.as_object_mut().unwrap().extend(object(&members));
        body
    };
    let without = || json!({ "role": "assistant", "content": null, "tool_calls": [call()] });
    for (preset, model, filler) in [("deepseek", "deepseek-v4-pro", ""), ("moonshot", "kimi-k2.6", " ")] {
        let mut expected = without();
        expected["reasoning_content"] = json!(filler);
        assert_eq!(adapted(&body(without(), json!({})), preset, model), Some(body(expected.clone(), json!({}))), "{preset}");
        // null says nothing.
        let mut null = without();
        null["reasoning_content"] = Value::Null;
        assert_eq!(adapted(&body(null, json!({})), preset, model), Some(body(expected, json!({}))), "{preset}");
        let mut own = without();
        own["reasoning_content"] = json!("hm");
        assert_eq!(adapted(&body(own, json!({})), preset, model), None, "{preset}");
        let off = json!({ "thinking": { "type": "disabled" } });
        assert_eq!(adapted(&body(without(), off), preset, model), None, "{preset}");
        let plain = json!({ "messages": [{ "role": "user", "content": "tool_calls" }, { "role": "assistant", "content": "a" }, { "role": "user", "content": "q" }] });
        assert_eq!(adapted(&plain, preset, model), None, "{preset}");
    }
    // DeepSeek takes an empty one; Moonshot takes it for none.
    let mut empty = without();
    empty["reasoning_content"] = json!("");
    assert_eq!(adapted(&body(empty.clone(), json!({})), "deepseek", "deepseek-v4-pro"), None);
    assert_eq!(of(&adapted(&body(empty, json!({})), "moonshot", "kimi-k2.6").unwrap()), [Some(json!(" "))]);
    for (preset, model) in [("moonshot", "moonshot-v1-8k"), ("openai", "gpt-5"), ("qwen", "m"), ("", "m")] {
        assert_eq!(adapted(&body(without(), json!({})), preset, model), None, "{preset} {model}");
    }
    // Read and written, where a route's settings or a schema want that.
    let (written, ..) = write(&read(&body(without(), json!({}))), "moonshot", "kimi-k2.6");
    assert_eq!(of(&written), [Some(json!(" "))]);
}

/// What is told of a wrong answer is a turn like any other.
#[test]
fn a_corrected_turn_is_as_legal_as_the_others() {
    let body = json!({ "model": "m", "messages": [{ "role": "user", "content": "q" }], "tools": [{ "type": "function", "function": { "name": "f" } }] });
    let turns =
        [Message::new(Role::Assistant, vec![Part::text("{}")]), Message::new(Role::User, vec![Part::text("That is wrong.")])];
    let to = Recipient { model: "kimi-k2.6", quirks: quirks("moonshot") };
    let continued: Value = serde_json::from_str(&Dialect::Chat.continued(&body.to_string(), &turns, &to).unwrap()).unwrap();
    assert_eq!(of(&continued), [Some(json!(" "))]);
    assert_eq!(continued["messages"].as_array().unwrap().len(), 3);
}

/// The roles of what is sent, each with how it begins.
fn roles(body: &Value) -> Vec<String> {
    let messages = body["messages"].as_array().unwrap().iter();
    let begins = |one: &Value| one["content"].as_str().map_or("…", |text| text.split(' ').next().unwrap()).to_owned();
    messages.map(|one| format!("{} {}", one["role"].as_str().unwrap(), begins(one))).collect()
}

/// "Unexpected role 'user' after role 'tool'": Claude Code's reminders stand beside a tool's result, and pictures of a result follow it.
#[test]
fn mistral_has_no_question_right_behind_a_result() {
    let result = |content: Value| json!({ "type": "tool_result", "tool_use_id": "abcDEF123", "content": content });
    let picture = json!({ "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "aGk=" } });
    let text = json!({ "type": "text", "text": "reminder" });
    let asked = |content: Value| {
        json!({ "model": "m", "max_tokens": 9, "messages": [
            { "role": "user", "content": "q" },
            { "role": "assistant", "content": [{ "type": "tool_use", "id": "abcDEF123", "name": "f", "input": {} }] },
            { "role": "user", "content": content },
        ] })
    };
    let head = ["user q", "assistant …", "tool r"];
    let sent = |body: &Value, preset: &str| {
        let request = Dialect::Messages.read(object(body)).unwrap();
        roles(&write(&request, preset, "m").0)
    };
    let beside = asked(json!([result(json!("r")), text]));
    assert_eq!(sent(&beside, "mistral"), [&head[..], &["assistant Ok.", "user reminder"]].concat());
    assert_eq!(sent(&beside, "openai"), [&head[..], &["user reminder"]].concat(), "others take it as it is");
    let alone = asked(json!([result(json!("r"))]));
    assert_eq!(sent(&alone, "mistral"), head, "nothing is put behind the last result");
    let drawn = asked(json!([result(json!([{ "type": "text", "text": "r" }, picture])), text]));
    assert_eq!(sent(&drawn, "mistral"), [&head[..], &["assistant Ok.", "user …", "user reminder"]].concat());
    // What Responses' clients say.
    let responses = json!({ "model": "m", "input": [
        { "role": "user", "content": "q" },
        { "type": "function_call", "call_id": "abcDEF123", "name": "f", "arguments": "{}" },
        { "type": "function_call_output", "call_id": "abcDEF123", "output": "r" },
        { "role": "user", "content": "stop" },
    ] });
    let request = Dialect::Responses.read(object(&responses)).unwrap();
    assert_eq!(roles(&write(&request, "mistral", "m").0), [&head[..], &["assistant Ok.", "user stop"]].concat());
}

/// The same of a client of Chat Completions that comes to Mistral as another provider failed: its ids are made Mistral's too.
#[test]
fn a_chat_clients_question_behind_a_result_is_legal_too() {
    let said = json!({ "role": "assistant", "content": null, "tool_calls": [call()] });
    let asked = |behind: Value| {
        let mut messages = json!([{ "role": "user", "content": "q" }, said, result(), result()]);
        messages.as_array_mut().unwrap().extend(behind.as_array().unwrap().clone());
        json!({ "model": "m", "messages": messages, "x_unknown": [1.50] })
    };
    let (question, answer) = (json!({ "role": "user", "content": "stop" }), json!({ "role": "assistant", "content": "a" }));
    let bridge = json!({ "role": "assistant", "content": "Ok." });
    assert_eq!(adapted(&asked(json!([question])), "mistral", "m"), Some(asked(json!([bridge, question]))));
    for fine in [json!([]), json!([answer]), json!([answer, question])] {
        assert_eq!(adapted(&asked(fine.clone()), "mistral", "m"), None, "{fine}");
    }
    for preset in ["openai", "groq", ""] {
        assert_eq!(adapted(&asked(json!([question])), preset, "m"), None, "{preset}");
    }
    // A correction of an answer that said nothing in words.
    let turns = [Message::new(Role::User, vec![Part::text("That is wrong.")])];
    let to = Recipient { model: "m", quirks: quirks("mistral") };
    let body = asked(json!([])).to_string();
    let continued: Value = serde_json::from_str(&Dialect::Chat.continued(&body, &turns, &to).unwrap()).unwrap();
    assert_eq!(roles(&continued)[4..], ["assistant Ok.", "user That"]);
}

/// "Unexpected role 'system' after role 'tool'"; nor does one stand behind an answer.
#[test]
fn instructions_in_the_middle_are_the_user_s_for_mistral() {
    let call = json!({ "role": "assistant", "content": null, "tool_calls": [call()] });
    let told = |role: &str, content: Value| json!({ "role": role, "content": content });
    let said = |before: Vec<Value>, role: &str, content: Value| {
        let messages = [vec![told("user", json!("q"))], before, vec![told(role, content), told("user", json!("r"))]].concat();
        adapted(&json!({ "model": "m", "messages": messages }), "mistral", "m").map(|body| body["messages"].clone())
    };
    let ok = told("assistant", json!("Ok."));
    let (q, r) = (told("user", json!("q")), told("user", json!("r")));
    let short = told("user", json!("<system>\nShort.\n</system>"));
    for role in ["system", "developer"] {
        let found = said(vec![call.clone(), result()], role, json!("Short."));
        assert_eq!(found, Some(json!([q, call, result(), ok, short, r])), "{role}");
        let found = said(vec![told("assistant", json!("a"))], role, json!("Short."));
        assert_eq!(found, Some(json!([q, told("assistant", json!("a")), short, r])), "{role}");
    }
    let parts = said(vec![told("assistant", json!("a"))], "system", json!([{ "type": "text", "text": "Short." }])).unwrap();
    let text: String = parts[2]["content"].as_array().unwrap().iter().map(|part| part["text"].as_str().unwrap()).collect();
    assert_eq!((parts[2]["role"].as_str(), text.as_str()), (Some("user"), "<system>\nShort.\n</system>"));
    // At the beginning, and behind the user's words, they stay.
    assert_eq!(said(vec![], "system", json!("Short.")), None);
}
