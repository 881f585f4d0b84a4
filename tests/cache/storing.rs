//! What is stored, in which form, and what is taken for it when it is read.

use std::time::Duration;

use breakwater::cache::{Directives, Entry, Freshness, Plan, Stored, encode, storable};
use breakwater::dialect::{Dialect, chat};
use breakwater::time::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_123);
const HOUR: Duration = Duration::from_hours(1);
const ANSWER: &str = r#"{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}"#;

fn plan(ttl: Option<Duration>, stale_for: Duration, control: &str) -> Plan {
    Plan::new(ttl, stale_for, Directives::parse(Some(control), None).unwrap())
}

fn stored(plan: &Plan) -> Option<Stored> {
    encode("v1:00", Dialect::Chat, ANSWER.to_owned(), "openai/o3", NOW, plan)
}

#[test]
fn an_entry_holds_the_answer_and_what_is_needed_to_judge_it() {
    let stored = stored(&plan(Some(HOUR), 24 * HOUR, "")).unwrap();
    let metadata = r#"{"form":1,"key":"v1:00","target":"openai/o3","stored":1800000000123,"ttl":3600000}"#;
    assert_eq!(stored, Stored { value: ANSWER.to_owned(), metadata: metadata.to_owned(), expire: 25 * HOUR });
    let entry = Entry::decode("v1:00", stored.value, &stored.metadata).unwrap();
    assert_eq!((entry.value.as_str(), entry.target.as_str()), (ANSWER, "openai/o3"));
    assert_eq!(entry.freshness(NOW, &plan(Some(HOUR), HOUR, "")), Freshness::Fresh(Duration::ZERO));
}

#[test]
fn storage_keeps_an_entry_for_as_long_as_it_may_be_served() {
    let second = Duration::from_secs(1);
    let rows: [(&str, Plan, Option<Duration>); 8] = [
        ("fresh and stale", plan(Some(HOUR), HOUR, ""), Some(2 * HOUR)),
        ("KV's least", plan(Some(second), second, ""), Some(60 * second)),
        ("just KV's least", plan(Some(59 * second), second, ""), Some(60 * second)),
        ("no-cache", plan(Some(HOUR), HOUR, "no-cache"), Some(2 * HOUR)),
        ("max-age says nothing of storing", plan(Some(HOUR), HOUR, "max-age=0"), Some(2 * HOUR)),
        ("no-store", plan(Some(HOUR), HOUR, "no-store"), None),
        ("a route that does not cache", plan(None, HOUR, ""), None),
        ("more than there is time", plan(Some(HOUR), Duration::MAX, ""), Some(Duration::MAX)),
    ];
    for (name, plan, expire) in rows {
        assert_eq!(stored(&plan).map(|stored| stored.expire), expire, "{name}");
    }
}

#[test]
fn what_does_not_fit_is_not_stored() {
    let plan = plan(Some(HOUR), HOUR, "");
    let metadata = |length| {
        encode("k", Dialect::Chat, ANSWER.to_owned(), &"x".repeat(length), NOW, &plan).map(|stored| stored.metadata.len())
    };
    let beside = metadata(0).unwrap();
    assert_eq!((metadata(1024 - beside), metadata(1025 - beside)), (Some(1024), None));

    let answer = |length| ANSWER.replace("hi", &"x".repeat(length + 2 - ANSWER.len()));
    assert_eq!([chat::MAX_BYTES, chat::MAX_BYTES + 1].map(|length| storable(Dialect::Chat, &answer(length))), [true, false]);
}

#[test]
fn what_is_not_this_keys_entry_is_a_miss() {
    let good = stored(&plan(Some(HOUR), HOUR, "")).unwrap().metadata;
    let rows: [(&str, &str, String, bool); 12] = [
        ("the entry", "v1:00", good.clone(), true),
        ("with something new in it", "v1:00", good.replace('{', r#"{"new":0,"#), true),
        ("another key's", "v1:01", good.clone(), false),
        ("of another form", "v1:00", good.replace(r#""form":1"#, r#""form":2"#), false),
        ("without a form", "v1:00", good.replace(r#""form":1,"#, ""), false),
        ("without a key", "v1:00", good.replace(r#""key":"v1:00","#, ""), false),
        ("without a time", "v1:00", good.replace(r#""stored":1800000000123,"#, ""), false),
        ("a time of another type", "v1:00", good.replace("3600000", "\"1h\""), false),
        ("a negative time", "v1:00", good.replace("3600000", "-1"), false),
        ("cut off", "v1:00", good[..good.len() - 1].to_owned(), false),
        ("nothing", "v1:00", String::new(), false),
        ("null", "v1:00", "null".to_owned(), false),
    ];
    for (name, key, metadata, found) in rows {
        assert_eq!(Entry::decode(key, ANSWER.to_owned(), &metadata).is_some(), found, "{name}");
    }
    // The longest times that can be written are not too long to be judged.
    let eternal = good.replace("3600000", &u64::MAX.to_string());
    let entry = Entry::decode("v1:00", ANSWER.to_owned(), &eternal).unwrap();
    let far = Timestamp::from_millis(u64::MAX);
    assert_eq!(entry.freshness(far, &plan(Some(Duration::MAX), Duration::MAX, "")).word(), Some("hit"));
}

/// What stands in a choice beside its index, and whether the answer may be stored.
const CHOICES: &[(&str, &str, bool)] = &[
    ("text", r#""message":{"role":"assistant","content":"hi"},"finish_reason":"stop""#, true),
    ("text up to the limit", r#""message":{"content":"hi"},"finish_reason":"length""#, true),
    ("a tool call", r#""message":{"content":null,"tool_calls":[{"id":"c","function":{}}]},"finish_reason":"tool_calls""#, true),
    ("a function call", r#""message":{"content":null,"function_call":{"name":"f"}},"finish_reason":"function_call""#, true),
    ("a refusal", r#""message":{"content":null,"refusal":"no"},"finish_reason":"stop""#, true),
    ("Together's stop", r#""message":{"content":"hi"},"finish_reason":"eos""#, true),
    ("an escaped reason", r#""message":{"content":"hi"},"finish_reason":"st\u006fp""#, true),
    ("an error of null", r#""message":{"content":"hi"},"finish_reason":"stop","error":null"#, true),
    ("tool calls of null", r#""message":{"content":"hi","tool_calls":null},"finish_reason":"stop""#, true),
    ("a filter", r#""message":{"content":"hi"},"finish_reason":"content_filter""#, false),
    ("OpenRouter's error", r#""message":{"content":"hi"},"finish_reason":"error""#, false),
    ("an error", r#""message":{"content":"hi"},"finish_reason":"stop","error":{"code":502}"#, false),
    ("DeepSeek's overload", r#""message":{"content":"hi"},"finish_reason":"insufficient_system_resource""#, false),
    ("a reason that nobody knows", r#""message":{"content":"hi"},"finish_reason":"stopped""#, false),
    ("in capitals", r#""message":{"content":"hi"},"finish_reason":"STOP""#, false),
    ("an empty reason", r#""message":{"content":"hi"},"finish_reason":"""#, false),
    ("a reason of null", r#""message":{"content":"hi"},"finish_reason":null"#, false),
    ("a number as a reason", r#""message":{"content":"hi"},"finish_reason":0"#, false),
    ("no reason", r#""message":{"content":"hi"}"#, false),
    ("two reasons", r#""message":{"content":"hi"},"finish_reason":"content_filter","finish_reason":"stop""#, false),
    ("no message", r#""finish_reason":"stop""#, false),
    ("a message of null", r#""message":null,"finish_reason":"stop""#, false),
    ("a message that is an array", r#""message":[null],"finish_reason":"stop""#, false),
    ("a message that is a text", r#""message":"hi","finish_reason":"stop""#, false),
    ("a delta", r#""delta":{"content":"hi"},"finish_reason":"stop""#, false),
    ("a tool call that is a text", r#""message":{"tool_calls":["f"]},"finish_reason":"tool_calls""#, false),
    ("tool calls that are an object", r#""message":{"tool_calls":{"id":"c"}},"finish_reason":"tool_calls""#, false),
];

#[test]
fn only_whole_answers_are_stored() {
    let mut answers: Vec<(String, String, bool)> = CHOICES
        .iter()
        .map(|(name, choice, good)| ((*name).to_owned(), format!(r#"{{"choices":[{{"index":0,{choice}}}]}}"#), *good))
        .collect();
    // Of two choices both must be whole.
    for (name, choice, good) in CHOICES {
        for (other, another, both) in CHOICES {
            let answer = format!(r#"{{"choices":[{{"index":0,{choice}}},{{"index":1,{another}}}]}}"#);
            answers.push((format!("{name}, and {other}"), answer, *good && *both));
        }
    }
    let choice = r#"{"message":{"content":"hi"},"finish_reason":"stop"}"#;
    let rows: [(&str, String, bool); 15] = [
        ("with white space", format!(" \n{{ \"choices\" : [ {choice} ] }} "), true),
        ("with an error of null", format!(r#"{{"error":null,"choices":[{choice}]}}"#), true),
        ("with an error", format!(r#"{{"error":{{"message":"x"}},"choices":[{choice}]}}"#), false),
        ("with a text as its error", format!(r#"{{"choices":[{choice}],"error":"x"}}"#), false),
        ("an error", r#"{"error":{"message":"x"}}"#.to_owned(), false),
        ("no choices", r#"{"choices":[]}"#.to_owned(), false),
        ("choices of null", r#"{"choices":null}"#.to_owned(), false),
        ("choices twice", format!(r#"{{"choices":[{choice}],"choices":[{choice}]}}"#), false),
        ("a choice that is an array", r#"{"choices":[[{"content":"hi"},"stop",null]]}"#.to_owned(), false),
        ("an array", format!("[[{choice}],null]"), false),
        ("cut off", format!(r#"{{"choices":[{choice}]"#), false),
        ("a stream", format!("data: {{\"choices\":[{choice}]}}\n\n"), false),
        ("HTML", "<html></html>".to_owned(), false),
        ("nothing", String::new(), false),
        ("null", "null".to_owned(), false),
    ];
    answers.extend(rows.map(|(name, answer, good)| (name.to_owned(), answer, good)));
    for (name, answer, good) in answers {
        assert_eq!(storable(Dialect::Chat, &answer), good, "{name}: {answer}");
        // Whatever is stored can be sent to clients that stream.
        assert!(!good || chat::replay(&answer, true).is_some(), "{name}: {answer}");
        assert_eq!(encode("k", Dialect::Chat, answer, "a/b", NOW, &plan(Some(HOUR), HOUR, "")).is_some(), good, "{name}");
    }
}
