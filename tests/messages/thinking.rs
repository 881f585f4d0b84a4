//! Thinking: how much, by which model, beside what.

use breakwater::chat::{Effort, Kind, Message, Origin, Part, Reasoning, Request, Role, Seal, Thinking, Tool, ToolChoice};
use breakwater::dialect::Dialect;
use serde_json::{Value, json};

use crate::rules::broken;
use crate::writing::{call, chat, hi, result, say};
use crate::{object, written};

#[expect(clippy::unnecessary_wraps, reason = "as a request holds it")]
fn effort(effort: Effort) -> Option<Thinking> {
    Some(Thinking { effort: Some(effort), ..Thinking::default() })
}

#[expect(clippy::unnecessary_wraps, reason = "as a request holds it")]
fn budget(budget: u64) -> Option<Thinking> {
    Some(Thinking { budget: Some(budget), ..Thinking::default() })
}

#[test]
fn by_model() {
    let enabled = |budget: u64| json!({"type": "enabled", "budget_tokens": budget});
    let adaptive = || json!({"type": "adaptive", "display": "summarized"});
    let omitted = Some(Thinking { effort: Some(Effort::Xhigh), shown: Some(false), ..Thinking::default() });
    let by_itself = || Some(Thinking { adaptive: true, ..Thinking::default() });
    let only_summary = Some(Thinking { summary: Some("auto".to_owned()), ..Thinking::default() });
    let none = Value::Null;
    // Model, thinking, most tokens; `thinking`, `output_config.effort`, `max_tokens`, losses.
    let rows: Vec<(&str, Option<Thinking>, Option<u64>, Value, Value, u64, &[&str])> = vec![
        ("claude-sonnet-4-5", effort(Effort::Low), None, enabled(1024), none.clone(), 32_000, &[]),
        ("claude-sonnet-4-5", effort(Effort::High), None, enabled(24_576), none.clone(), 32_768, &[]),
        ("claude-sonnet-4-5", effort(Effort::Xhigh), None, enabled(32_768), none.clone(), 40_960, &[]),
        ("claude-opus-4-1", effort(Effort::Xhigh), None, enabled(16_000), none.clone(), 32_000, &[]),
        ("claude-sonnet-4-5", effort(Effort::High), Some(4000), enabled(2000), none.clone(), 4000, &[]),
        ("claude-sonnet-4-5", effort(Effort::High), Some(1500), enabled(1024), none.clone(), 1500, &[]),
        ("claude-sonnet-4-5", effort(Effort::High), Some(1024), none.clone(), none.clone(), 1024, &["reasoning_effort"]),
        ("claude-sonnet-4-5", budget(100), Some(4000), enabled(1024), none.clone(), 4000, &[]),
        ("claude-sonnet-4-5", by_itself(), None, enabled(8192), none.clone(), 32_000, &[]),
        ("claude-sonnet-4-5", effort(Effort::None), None, none.clone(), none.clone(), 32_000, &[]),
        ("claude-sonnet-4-5", only_summary, None, none.clone(), none.clone(), 32_000, &[]),
        ("claude-3-5-sonnet-20241022", effort(Effort::High), None, none.clone(), none.clone(), 8192, &["reasoning_effort"]),
        ("claude-3-5-sonnet-20241022", effort(Effort::None), None, none.clone(), none.clone(), 8192, &[]),
        ("claude-sonnet-4-6", effort(Effort::Medium), Some(900), json!({"type": "adaptive"}), json!("medium"), 900, &[]),
        ("claude-sonnet-4-6", effort(Effort::Max), None, json!({"type": "adaptive"}), json!("max"), 32_000, &[]),
        ("claude-sonnet-4-6", effort(Effort::Xhigh), None, json!({"type": "adaptive"}), json!("high"), 32_000, &[]),
        ("claude-sonnet-4-6", budget(2048), None, enabled(2048), none.clone(), 32_000, &[]),
        ("claude-sonnet-4-6", budget(90_000), None, enabled(90_000), none.clone(), 98_192, &[]),
        ("claude-haiku-4-5", budget(90_000), None, enabled(32_000), none.clone(), 64_000, &[]),
        ("claude-opus-4-7", effort(Effort::Minimal), None, adaptive(), json!("low"), 32_000, &[]),
        ("claude-opus-4-7", budget(20_000), None, adaptive(), json!("high"), 32_000, &[]),
        ("claude-opus-4-7", by_itself(), None, adaptive(), none.clone(), 32_000, &[]),
        ("claude-opus-4-7", omitted, None, json!({"type": "adaptive", "display": "omitted"}), json!("xhigh"), 32_000, &[]),
        ("claude-opus-4-7", effort(Effort::None), None, none.clone(), none.clone(), 32_000, &[]),
        ("claude-opus-5", budget(0), None, json!({"type": "disabled"}), none.clone(), 32_000, &[]),
        ("claude-opus-5-5", effort(Effort::None), None, none.clone(), json!("low"), 32_000, &["reasoning_effort"]),
        ("claude-haiku-5-5", effort(Effort::None), None, json!({"type": "disabled"}), none.clone(), 32_000, &[]),
        ("claude-sonnet-5", effort(Effort::None), None, json!({"type": "disabled"}), none.clone(), 32_000, &[]),
        ("claude-sonnet-5-5", effort(Effort::None), None, json!({"type": "between_tools"}), none.clone(), 32_000, &[]),
        ("claude-fable-5", effort(Effort::None), None, none.clone(), json!("low"), 32_000, &["reasoning_effort"]),
        ("claude-sonnet-5-5", effort(Effort::Max), None, adaptive(), json!("max"), 32_000, &[]),
    ];
    for (model, thinking, max_tokens, expected, effort, most, lost) in rows {
        let told = format!("{model} {thinking:?} {max_tokens:?}");
        let (body, losses) = written(&Request { thinking, max_tokens, ..hi() }, model);
        assert_eq!(body.get("thinking").unwrap_or(&Value::Null), &expected, "{told}");
        assert_eq!(body["output_config"]["effort"], effort, "{told}");
        assert_eq!(
            (body["max_tokens"].as_u64(), losses.as_slice()),
            (Some(most), lost.iter().map(|&field| field.to_owned()).collect::<Vec<_>>().as_slice()),
            "{told}"
        );
        if model.contains("-4-") {
            assert_eq!(broken(&body, model), Vec::<String>::new(), "{told}");
        }
    }
}

#[test]
fn beside_others() {
    let thinks = || Request {
        thinking: effort(Effort::Low),
        temperature: Some(json!(0.2)),
        top_k: Some(json!(4)),
        top_p: Some(json!(0.97)),
        ..hi()
    };
    let (body, lost) = written(&thinks(), "claude-sonnet-4-5");
    assert_eq!(lost, ["temperature", "top_k"]);
    assert_eq!((body.get("temperature"), body.get("top_k"), &body["top_p"]), (None, None, &json!(0.97)));
    assert_eq!(broken(&body, "claude-sonnet-4-5"), Vec::<String>::new());

    let tool = Tool::Function {
        name: "look".to_owned(),
        description: None,
        parameters: None,
        strict: None,
        cache: None,
        extra: object(json!({})),
    };
    let forced = Request { tools: vec![tool], tool_choice: Some(ToolChoice::Required), ..thinks() };
    let (body, lost) = written(&forced, "claude-sonnet-4-5");
    assert_eq!((body.get("thinking"), &body["temperature"], &body["tool_choice"]["type"]), (None, &json!(0.2), &json!("any")));
    assert_eq!(lost, ["reasoning_effort", "top_p"]);
    let responses = Request { dialect: Dialect::Responses, ..forced.clone() };
    assert_eq!(written(&responses, "claude-sonnet-4-5").1, ["reasoning", "top_p"]);
    // Only a budget excludes a forced tool; where there is a choice, it is for the other.
    let forced = Request { temperature: None, top_k: None, top_p: None, thinking: budget(2048), ..forced };
    for model in ["claude-sonnet-4-6", "claude-opus-4-8", "claude-sonnet-5", "claude-haiku-5-5"] {
        let (body, lost) = written(&forced, model);
        assert_eq!((&body["thinking"]["type"], &body["tool_choice"]["type"]), (&json!("adaptive"), &json!("any")), "{model}");
        assert_eq!(lost, Vec::<String>::new(), "{model}");
    }
}

/// A loop of tool calls that runs goes on with thinking only where it began with Anthropic's own.
#[test]
fn in_a_running_loop() {
    let thought = |origin: Origin| {
        Part::new(Kind::Reasoning(Reasoning {
            text: "hm".to_owned(),
            seal: Some(Seal::new(origin, "s")),
            ..Reasoning::default()
        }))
    };
    let conversation = |parts: Vec<Part>, ends: Vec<Message>| {
        let mut messages =
            vec![say(Role::User, "a"), Message::new(Role::Assistant, parts), Message::new(Role::Tool, vec![result("1", "x")])];
        messages.extend(ends);
        Request { thinking: budget(2000), ..chat(messages) }
    };
    let rows = [
        (conversation(vec![thought(Origin::Anthropic), call("1", "{}")], vec![]), true),
        (conversation(vec![call("1", "{}")], vec![]), false),
        (conversation(vec![thought(Origin::Gemini), call("1", "{}")], vec![]), false),
        (conversation(vec![Part::text("t"), call("1", "{}")], vec![say(Role::User, "b")]), false),
        (conversation(vec![call("1", "{}")], vec![say(Role::Assistant, "b"), say(Role::User, "c")]), true),
    ];
    for (request, thinks) in rows {
        let (body, lost) = written(&request, "claude-sonnet-4-5");
        assert_eq!(body.get("thinking").is_some(), thinks, "{body}");
        assert_eq!(lost.is_empty(), thinks);
        assert_eq!(broken(&body, "claude-sonnet-4-5"), Vec::<String>::new(), "{body}");
        // Those that adapt do not insist.
        let (body, lost) = written(&request, "claude-sonnet-4-6");
        assert_eq!(body["thinking"]["type"], if thinks { "enabled" } else { "adaptive" });
        assert_eq!((lost, broken(&body, "claude-sonnet-4-6")), (vec![], vec![]));
    }
}
