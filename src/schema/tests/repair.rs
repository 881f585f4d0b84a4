//! What repair finds, what it leaves alone, and what it costs.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, reason = "a test ends when it is wrong")]

use std::borrow::Cow;
use std::time::Instant;

use breakwater_schema::{Finished, repaired};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// The text that is found where any JSON is valid.
fn any(text: &str, finished: Finished) -> Option<String> {
    repaired(text, finished, &mut |_| true).map(|(found, value)| {
        assert_eq!(serde_json::from_str::<Value>(&found).unwrap(), value, "the value is the text's");
        found.into_owned()
    })
}

/// What is found where an object is wanted.
fn object(text: &str, finished: Finished) -> Option<String> {
    repaired(text, finished, &mut Value::is_object).map(|(found, _)| found.into_owned())
}

#[test]
fn what_is_found() {
    // Text, where any JSON is valid: what is found if the model finished, what if it was cut.
    let rows: &[(&str, Option<&str>, Option<&str>)] = &[
        // All of it.
        ("\u{feff} {\"a\": 1}\r\n", Some("{\"a\": 1}"), Some("{\"a\": 1}")),
        ("\"text\"", Some("\"text\""), Some("\"text\"")),
        ("true", Some("true"), Some("true")),
        ("12", Some("12"), None),
        ("12\n", Some("12"), Some("12")),
        ("tru", None, None),
        ("", None, None),
        ("No idea.", None, None),
        ("There are 12 of them.", None, None),
        // Fences.
        ("```json\n{\"a\": 1}\n```", Some("{\"a\": 1}"), Some("{\"a\": 1}")),
        ("Sure:\n```\n12\n```\nThat is all.", Some("12"), Some("12")),
        ("~~~ JSON\n\"a\"\n~~~~", Some("\"a\""), Some("\"a\"")),
        ("````json\n\"a\"\n```\n", None, None),
        ("````json\n\"a\"\n````\n", Some("\"a\""), Some("\"a\"")),
        ("```json\n12", Some("12"), None),
        ("```json\n{\"a\": 1}", Some("{\"a\": 1}"), None),
        ("```json\n{\"a\": 1}\nThis", Some("{\"a\": 1}"), Some("{\"a\": 1}")),
        ("```json\r\n{\"a\": 1}```", Some("{\"a\": 1}"), Some("{\"a\": 1}")),
        ("```json {\"a\": 1} ```", Some("{\"a\": 1}"), Some("{\"a\": 1}")),
        ("```\n1\n```\nNo:\n```\n2\n```", None, None),
        ("```\n[1]\n```\nAgain:\n```\n[ 1 ]\n```", Some("[ 1 ]"), Some("[ 1 ]")),
        ("```\n1\n```\nNo:\n```\n2", None, None),
        ("```\n{}\n```\nNo:\n```\n{\"a\":", Some("{}"), None),
        ("```\n{}\n```\nNo:\n```\n", Some("{}"), None),
        ("```\n1\n```\nor\n```\nfoo\n```", Some("1"), Some("1")),
        // A fence within a string is none.
        ("{\"a\": \"```\\n1\\n```\"", Some("{\"a\": \"```\\n1\\n```\"}"), None),
        // Chatter.
        ("The answer is {\"a\": \"}\"}, I think.", Some("{\"a\": \"}\"}"), Some("{\"a\": \"}\"}")),
        ("The answer is {\"a\": \"}\"}", Some("{\"a\": \"}\"}"), None),
        ("[1] and [2]", None, None),
        ("[1] and [1].", Some("[1]"), Some("[1]")),
        ("{\"a\":1}\nWait, that is wrong. Corrected:\n{\"a\":2}\n.", None, None),
        ("[1], no:\n```\n[2]\n```\n", None, None),
        ("[1], no: [2", None, None),
        // Thoughts.
        ("<think>maybe {\"a\":5}? no</think>\n{\"a\":1}", Some("{\"a\":1}"), Some("{\"a\":1}")),
        ("<think>[5]</think>\n```\n[1]\n```", Some("[1]"), Some("[1]")),
        ("<think>[5]</think> It is [1].", Some("[1]"), Some("[1]")),
        ("<think>maybe [5]", None, None),
        ("<think>maybe [5], then.", None, None),
        ("[5] <think>or</think> [1].", Some("[1]"), Some("[1]")),
        // Their end alone, where the prompt has their beginning.
        ("maybe {\"a\":5}? no</think>\n{\"a\":1}", Some("{\"a\":1}"), Some("{\"a\":1}")),
        ("maybe {\"a\":5}.</think>\nI cannot say.", None, None),
        ("{\"a\":5}</think>", None, None),
        ("Well. <thinking>[5]</thinking>\n```\n[1]\n```\n", Some("[1]"), Some("[1]")),
        ("<thinking>[5]", None, None),
        // Within a string they are what is said.
        ("{\"a\":\"<think>[5]</think>\"}", Some("{\"a\":\"<think>[5]</think>\"}"), Some("{\"a\":\"<think>[5]</think>\"}")),
        ("{curly} {{\"a\": 1}}", Some("{\"a\": 1}"), Some("{\"a\": 1}")),
        // Closed.
        ("{\"a\": [1, {\"b\": \"c\"", Some("{\"a\": [1, {\"b\": \"c\"}]}"), None),
        ("Here: [[1, 2.5", Some("[[1, 2.5]]"), None),
        ("```json\n[true, null\n```", Some("[true, null]"), None),
        ("[1 ", Some("[1]"), None),
        ("[1e5", Some("[1e5]"), None),
        // Not closed: within a string, after a comma, a colon, a name, half a literal, half a number, nothing.
        ("{\"a\": \"b", None, None),
        ("{\"a\": \"b\\\"", None, None),
        ("{\"a\": 1,", None, None),
        ("{\"a\":", None, None),
        ("{\"a\"", None, None),
        ("[tru", None, None),
        ("[1.", None, None),
        ("[-", None, None),
        ("[1e", None, None),
        ("[\"\\ud800\"", None, None),
        ("[", None, None),
        ("{\"a\": {", None, None),
        ("[1}", None, None),
        ("[01", None, None),
    ];
    for (text, stop, cut) in rows {
        assert_eq!(any(text, Finished::Stop).as_deref(), *stop, "{text:?}, finished");
        assert_eq!(any(text, Finished::Cut).as_deref(), *cut, "{text:?}, cut");
    }
}

#[test]
fn what_is_found_must_be_valid() {
    assert_eq!(object("[1] {\"a\": 1} [2]", Finished::Stop).as_deref(), Some("{\"a\": 1}"));
    assert_eq!(object("[1] {\"a\": 1} {}", Finished::Stop), None);
    // One more than is looked at may differ.
    assert_eq!(object(&format!("{{}} {}", "[1] ".repeat(32)), Finished::Stop), None);
    assert_eq!(object("```\n{}\n```\n```\n[]\n```", Finished::Stop).as_deref(), Some("{}"));
    // An object of a list is not the answer, be the list whole, broken, or open.
    for text in ["[{\"a\": 1}, {\"a\": 2}]", "[{\"a\": 1}, {\"a\": 2},]", "[{\"a\": 1}, {\"a\": 2}", "[{\"a\": 1}, {\"a\":"] {
        assert_eq!(object(text, Finished::Stop), None, "{text}");
        assert_eq!(object(text, Finished::Cut), None, "{text}");
    }
    // The last of two of the same name counts, as with serde_json.
    let (text, value) = repaired("{\"a\": 1, \"a\": 2", Finished::Stop, &mut |value| value["a"] == 2).unwrap();
    assert_eq!((text, value), (Cow::Owned("{\"a\": 1, \"a\": 2}".to_owned()), json!({ "a": 2 })));
}

#[test]
fn what_is_too_deep_is_never_taken_for_an_inner_piece_of_itself() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    assert_eq!(any(&format!("So: {}.", deep(127)), Finished::Stop), Some(deep(127)), "what can be read still is found");
    let rows = [
        deep(128),
        deep(300),
        objects(128),
        objects(300),
        format!("[{{\"big\":{}}},{{\"a\":1}}]", deep(140)),
        format!("{{\"a\":1,\"b\":{}}} and {{\"a\":1}}.", deep(140)),
        format!("{{\"a\":1}}, no: {}", deep(140)),
        "[".repeat(200) + "{\"a\":1}",
    ];
    for text in &rows {
        let around =
            [text.clone(), format!("So: {text}."), format!("```json\n{text}\n```"), format!("<think>hm</think>{text}")];
        for text in around {
            for finished in [Finished::Stop, Finished::Cut] {
                assert_eq!(any(&text, finished), None, "{text}, {finished:?}");
            }
        }
    }
    // What is no JSON at all is no answer that is too deep.
    assert_eq!(any(&format!("{}x {{\"a\":1}}.", "[".repeat(127)), Finished::Stop).as_deref(), Some("{\"a\":1}"));
    // What a fence holds is what was meant, and another one beside it a guess.
    let fenced = format!("```\n{{\"a\":1}}\n```\nor\n```\n{}\n```\n", deep(140));
    assert_eq!(any(&fenced, Finished::Stop), None);
}

#[test]
fn what_is_whole_is_borrowed() {
    for text in [" {} ", "```\n{}\n```", "So: {}."] {
        assert!(matches!(repaired(text, Finished::Stop, &mut |_| true), Some((Cow::Borrowed("{}"), _))), "{text}");
    }
}

#[test]
fn hostile_texts_cost_no_more_than_their_length() {
    const LENGTH: usize = 5_000_000;
    for piece in
        ["{", "[", "{\"", "[\"", "{}", "[[]", "{\"a\":", "```\n", "```\n{}\n```\n", "~~~\n{\"\n", "[1,", "\"[", "\\", " ", "1"]
    {
        for finished in [Finished::Stop, Finished::Cut] {
            let text = piece.repeat(LENGTH / piece.len());
            let mut judged = 0;
            let begun = Instant::now();
            let found = repaired(&text, finished, &mut |_| {
                judged += 1;
                false
            });
            assert!(found.is_none() && judged <= 32, "{piece:?}: judged {judged} times");
            // A pass over it takes tens of milliseconds; anything quadratic would take hours.
            assert!(begun.elapsed().as_secs() < 5, "{piece:?} took {:?}", begun.elapsed());
        }
    }
}

fn value() -> impl Strategy<Value = Value> {
    let text = "[a-c{}\\[\\]\"\\\\`~\n\t ,:é😀0-9]{0,6}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any_bool().prop_map(Value::from),
        (-1000i64..1000).prop_map(Value::from),
        (-1000..1000).prop_map(|n| Value::from(f64::from(n) / 8.0)),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((text, inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn any_bool() -> impl Strategy<Value = bool> {
    prop::bool::ANY
}

fn document() -> impl Strategy<Value = (Value, String)> {
    (value(), any_bool()).prop_map(|(value, pretty)| {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        (value, text.unwrap())
    })
}

/// Strings, names and numbers, as they are written.
fn pieces(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| pieces(item, all)),
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            all.push(Value::from(name.as_str()).to_string());
            pieces(value, all);
        }),
        scalar => all.push(scalar.to_string()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn a_valid_document_is_its_own((value, text) in document(), cut in any_bool()) {
        let finished = if cut { Finished::Cut } else { Finished::Stop };
        let found = repaired(&text, finished, &mut |found| *found == value);
        if cut && value.is_number() {
            prop_assert!(found.is_none());
        } else {
            let (found, _) = found.unwrap();
            prop_assert!(matches!(found, Cow::Borrowed(_)));
            prop_assert_eq!(&found, &text);
        }
    }

    #[test]
    fn in_a_fence_among_chatter((value, text) in document(), before in "([A-Za-z{\\[\"':. ]{0,12}\n)?", fence in "(```|~~~~|`````)", info in "( ?json)?",
            after in "(\n[A-Za-z}\\]{\\[\"'. ]{0,12})?", cut in any_bool()) {
        let finished = if cut { Finished::Cut } else { Finished::Stop };
        let whole = format!("{before}{fence}{info}\n{text}\n{fence}{after}");
        let (found, _) = repaired(&whole, finished, &mut |found| *found == value).unwrap();
        prop_assert_eq!(&found, &text);
    }

    #[test]
    fn among_chatter((value, text) in document(), before in "[A-Za-z\"'`:. ]{0,12}", after in "[A-Za-z\"'`. ]{0,11}[a-z.]", cut in any_bool()) {
        let finished = if cut { Finished::Cut } else { Finished::Stop };
        let whole = format!("{before}{text}{after}");
        let found = repaired(&whole, finished, &mut |found| *found == value);
        if value.is_object() || value.is_array() {
            prop_assert_eq!(found.unwrap().0, text);
        } else {
            prop_assert!(found.is_none() || before.trim().is_empty() && after.trim().is_empty());
        }
    }

    #[test]
    fn without_its_last_brackets((value, text) in document(), count in 1..4usize, before in "([A-Za-z. ]{0,12}\n)?") {
        let mut short = text.as_str();
        for _ in 0..count {
            short = short.trim_end().strip_suffix(['}', ']']).unwrap_or(short);
        }
        short = short.trim_end();
        prop_assume!(short.len() < text.len());
        let whole = format!("{before}{short}");
        let found = repaired(&whole, Finished::Stop, &mut |found| *found == value);
        if short.ends_with(['{', '[']) {
            prop_assert!(found.is_none());
        } else {
            prop_assert!(found.unwrap().0.starts_with(short));
        }
        prop_assert!(any(&whole, Finished::Cut).is_none());
    }

    /// Cut anywhere, and in any soup of tokens: what is found is a stretch of the text, with nothing but brackets after it, and every string and number in it
    /// was said.
    #[test]
    fn nothing_is_made_up((_, text) in document(), at in 0..200usize, soup in "([{}\\[\\],:1-3\"a \n]|```){0,40}", take_soup in any_bool(), cut in any_bool()) {
        let finished = if cut { Finished::Cut } else { Finished::Stop };
        let text = if take_soup { soup } else { text.chars().take(at).collect() };
        if let Some((found, value)) = repaired(&text, finished, &mut |_| true) {
            if let Cow::Owned(found) = &found {
                prop_assert!(!cut);
                let said = text.contains(found.trim_end_matches(['}', ']']));
                prop_assert!(said && !text.contains(found.as_str()), "{} is not the text, closed", found);
            } else {
                prop_assert!(text.contains(&*found));
            }
            let mut all = Vec::new();
            pieces(&value, &mut all);
            for piece in all {
                prop_assert!(text.contains(&piece), "{} is not in the text", piece);
            }
        }
    }
}
