//! Which requests share a cache key.

use std::collections::HashMap;

use breakwater::canonical::key;
use proptest::prelude::*;

use crate::document::{Dice, Document, any_document};

fn key_of(body: &str) -> Option<String> {
    key("team", &["smart".to_owned()], &["openai/o3".to_owned()], body).map(|key| key.to_string())
}

/// Requests by what they ask for: the spellings in a row share a key, and no two rows do.
const CLASSES: &[(&str, &[&str])] = &[
    (
        "a question, in every spelling",
        &[
            r#"{"messages":[{"role":"user","content":"A/é😀"}],"temperature":0.7}"#,
            r#"{"temperature":0.7,"messages":[{"content":"A/é😀","role":"user"}]}"#,
            "\t{ \"messages\" : [\r\n{ \"role\" : \"user\" , \"content\":\"A/é😀\" } ] , \"temperature\" : 0.7 }\n",
            r#"{"m\u0065ssages":[{"role":"user","content":"\u0041\/\u00e9\uD83D\uDE00"}],"temperature":0.7}"#,
            r#"{"messages":[{"r\u006Fle":"\u0075ser","content":"A/\u00E9\ud83d\ude00"}],"temperature":0.7}"#,
            // What does not shape the answer.
            r#"{"model":"a","messages":[{"role":"user","content":"A/é😀"}],"temperature":0.7}"#,
            r#"{"model":"b","models":["c"],"messages":[{"role":"user","content":"A/é😀"}],"temperature":0.7}"#,
            r#"{"stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"A/é😀"}],"temperature":0.7}"#,
            r#"{"stream":false,"stream_options":null,"messages":[{"role":"user","content":"A/é😀"}],"temperature":0.7}"#,
            r#"{"user":"u","metadata":{"a":[1]},"store":true,"service_tier":"flex","messages":[{"role":"user","content":"A/é😀"}],"temperature":0.7}"#,
            r#"{"us\u0065r":"u","messages":[{"role":"user","content":"A/é😀"}],"temperature":0.7}"#,
        ],
    ),
    (
        "its é as a letter and an accent",
        &["{\"messages\":[{\"role\":\"user\",\"content\":\"A/e\u{301}😀\"}],\"temperature\":0.7}"],
    ),
    ("in lower case", &[r#"{"messages":[{"role":"user","content":"a/é😀"}],"temperature":0.7}"#]),
    ("with a space", &[r#"{"messages":[{"role":"user","content":"A/é😀 "}],"temperature":0.7}"#]),
    ("at another temperature", &[r#"{"messages":[{"role":"user","content":"A/é😀"}],"temperature":0.8}"#]),
    ("at no temperature", &[r#"{"messages":[{"role":"user","content":"A/é😀"}]}"#]),
    ("at a temperature of null", &[r#"{"messages":[{"role":"user","content":"A/é😀"}],"temperature":null}"#]),
    ("with a field that nobody knows", &[r#"{"messages":[{"role":"user","content":"A/é😀"}],"temperature":0.7,"new":0}"#]),
    (
        "in the name of a user within a message",
        &[r#"{"messages":[{"role":"user","user":"u","content":"A/é😀"}],"temperature":0.7}"#],
    ),
    ("of another user within a message", &[r#"{"messages":[{"role":"user","user":"v","content":"A/é😀"}],"temperature":0.7}"#]),
    ("with a model within a message", &[r#"{"messages":[{"role":"user","model":"m","content":"A/é😀"}],"temperature":0.7}"#]),
    (
        "with the successor of user",
        &[r#"{"safety_identifier":"u","messages":[{"role":"user","content":"A/é😀"}],"temperature":0.7}"#],
    ),
    // Shapes that a careless form confuses.
    ("nothing", &["{}", " { } ", r#"{"model":"m"}"#]),
    ("null", &[r#"{"x":null}"#]),
    ("the text null", &[r#"{"x":"null"}"#]),
    ("an empty text", &[r#"{"x":""}"#]),
    ("an empty array", &[r#"{"x":[]}"#, r#"{"x":[ ]}"#]),
    ("an empty object", &[r#"{"x":{}}"#]),
    ("an empty name", &[r#"{"":"x"}"#]),
    ("false", &[r#"{"x":false}"#]),
    ("the text false", &[r#"{"x":"false"}"#]),
    ("true", &[r#"{"x":true}"#]),
    ("a pair", &[r#"{"x":["a","b"]}"#]),
    ("the pair the other way round", &[r#"{"x":["b","a"]}"#]),
    ("the pair as one", &[r#"{"x":["ab"]}"#]),
    ("the pair as one with a comma", &[r#"{"x":["a,b"]}"#, r#"{"x":["a\u002cb"]}"#]),
    ("the pair as one with quotes", &[r#"{"x":["a\",\"b"]}"#]),
    ("the pair in a pair", &[r#"{"x":[["a","b"]]}"#]),
    ("each of the pair in an array", &[r#"{"x":[["a"],["b"]]}"#]),
    ("the pair as an object", &[r#"{"x":{"a":"b"}}"#]),
    ("a member within", &[r#"{"a":{"b":0}}"#]),
    ("a member beside", &[r#"{"a":{},"b":0}"#, r#"{"b":0,"a":{}}"#]),
    ("brackets in a text", &[r#"{"a":"{}","b":0}"#]),
    // Numbers, of which a 64-bit float knows but one in each group.
    ("1", &[r#"{"x":1}"#]),
    ("the text 1", &[r#"{"x":"1"}"#]),
    ("1.0", &[r#"{"x":1.0}"#]),
    ("1e0", &[r#"{"x":1e0}"#]),
    ("-1", &[r#"{"x":-1}"#]),
    ("0", &[r#"{"x":0}"#]),
    ("-0", &[r#"{"x":-0}"#]),
    ("0.1", &[r#"{"x":0.1}"#]),
    ("a little more", &[r#"{"x":0.10000000000000001}"#]),
    ("2^53", &[r#"{"x":9007199254740992}"#]),
    ("2^53 + 1", &[r#"{"x":9007199254740993}"#]),
    ("2^64", &[r#"{"x":18446744073709551616}"#]),
    ("2^64 + 1", &[r#"{"x":18446744073709551617}"#]),
    ("-2^63 - 1", &[r#"{"x":-9223372036854775809}"#]),
    ("-2^63 - 2", &[r#"{"x":-9223372036854775810}"#]),
    ("beyond any float", &[r#"{"x":1e400}"#]),
    ("further beyond", &[r#"{"x":1e401}"#]),
    ("one and two", &[r#"{"x":[1,2]}"#, r#"{"x":[1 , 2]}"#, "{\"x\":[1\t,\n2\r]}"]),
    ("twelve", &[r#"{"x":[12]}"#]),
];

#[test]
fn spellings_of_a_request_share_a_key_and_requests_do_not() {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for (name, spellings) in CLASSES {
        let first = key_of(spellings[0]).expect(name);
        for spelling in *spellings {
            assert_eq!(key_of(spelling).as_ref(), Some(&first), "{name}: {spelling}");
        }
        assert_eq!(seen.insert(first, name), None, "{name}");
    }
}

#[test]
fn what_has_no_one_meaning_has_no_key() {
    let array = |count: usize| format!(r#"{{"x":[0{}]}}"#, ",0".repeat(count - 1));
    let deep = |levels: usize| format!(r#"{{"x":{}{}}}"#, "[".repeat(levels - 1), "]".repeat(levels - 1));
    let rows: [(&str, String, bool); 24] = [
        ("a name twice", r#"{"a":1,"a":2}"#.into(), false),
        ("a name twice with one value", r#"{"a":1,"a":1}"#.into(), false),
        ("a name in two spellings", r#"{"a":1,"\u0061":2}"#.into(), false),
        ("a name that is left out, twice", r#"{"user":"u","user":"v"}"#.into(), false),
        ("a name twice within", r#"{"x":[{"y":{"b":0,"a":1,"c":2,"a":3}}]}"#.into(), false),
        ("a name twice within what is left out", r#"{"metadata":{"a":1,"a":2}}"#.into(), false),
        ("a name in two objects", r#"{"a":{"a":1},"b":[{"a":1},{"a":1}]}"#.into(), true),
        ("half a surrogate pair", r#"{"x":"\ud83d"}"#.into(), false),
        ("the other half", r#"{"x":"\ude00 "}"#.into(), false),
        ("half a pair as a name", r#"{"\ud83d":0}"#.into(), false),
        ("an array", "[]".into(), false),
        ("a text", r#""{}""#.into(), false),
        ("nothing", String::new(), false),
        ("not JSON", "{x}".into(), false),
        ("a comma too many", r#"{"x":1,}"#.into(), false),
        ("a comma too few", r#"{"x":1 "y":2}"#.into(), false),
        ("cut off", r#"{"x":[1,2"#.into(), false),
        ("more behind it", "{}{}".into(), false),
        ("a number that is none", r#"{"x":01}"#.into(), false),
        ("a control character", "{\"x\":\"\u{1}\"}".into(), false),
        ("the deepest nesting", deep(128), true),
        ("one level more", deep(129), false),
        // The object, the array and its elements.
        ("the most values", array(256 * 1024 - 2), true),
        ("one value more", array(256 * 1024 - 1), false),
    ];
    for (name, body, has) in rows {
        assert_eq!(key_of(&body).is_some(), has, "{name}");
    }
}

#[test]
fn no_choice_of_names_moves_a_boundary() {
    let rows: [(&str, &[&str], &[&str]); 12] = [
        ("a", &["b"], &["c"]),
        ("ab", &[], &["c"]),
        ("", &["ab"], &["c"]),
        ("a", &["b", "c"], &[]),
        ("a", &[], &["b", "c"]),
        ("a", &["bc"], &[]),
        ("a", &["c", "b"], &[]),
        ("a", &["", "b"], &["c"]),
        ("a", &["b", ""], &["c"]),
        ("a", &["b][c"], &[]),
        ("A", &["b"], &["c"]),
        ("a", &["b"], &["c", "{\"temperature\":0}"]),
    ];
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let mut seen = HashMap::new();
    for row in rows {
        let (tenant, scope, shape) = row;
        let key = key(tenant, &owned(scope), &owned(shape), "{}").unwrap();
        assert_eq!(seen.insert(key, row), None, "{row:?}");
    }
}

/// Entries live in storage longer than a version of this code: whoever changes the form must change its name too.
#[test]
fn the_form_is_what_it_was() {
    let body = r#"{"messages":[{"role":"user","content":"hi"}],"temperature":0,"n":[true,null,1.50],"user":"u"}"#;
    assert_eq!(key_of(body).as_deref(), Some("v1:58dd6e64e85529069a1db97cccdd0a162241859d06cd3ea5ab386ff261ab105e"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// However a document is spelled, and whatever does not shape the answer stands beside it.
    #[test]
    fn any_two_spellings_share_a_key(document in any_document(), beside in any_document(), seed in 1_u64..) {
        let mut dice = Dice(seed);
        let x = ("x".to_owned(), document);
        let one = Document::Object(vec![x.clone(), ("user".to_owned(), beside)]).spelled(&mut dice);
        let other = Document::Object(vec![x]).spelled(&mut dice);
        prop_assert!(key_of(&one).is_some(), "{one}");
        prop_assert_eq!(key_of(&one), key_of(&other), "{} / {}", one, other);
    }

    /// The key tells what is different, and only that.
    #[test]
    fn a_change_changes_the_key(document in any_document(), other in any_document(), seed in 1_u64..) {
        let mut dice = Dice(seed);
        let mut changed = document.clone();
        for _ in 0..=dice.roll(3) {
            changed = changed.changed(&other, &mut dice);
        }
        let body = |document: &Document, dice: &mut Dice| format!(r#"{{"x":{}}}"#, document.spelled(dice));
        let (one, another) = (body(&document, &mut dice), body(&changed, &mut dice));
        prop_assert_eq!(key_of(&one) == key_of(&another), document.sorted() == changed.sorted(), "{} / {}", one, another);
    }

    /// Whatever the bytes, there is no panic; and only an object has a key.
    #[test]
    fn any_text_is_survived(mut text in "[\\[\\]{}:,\"\\\\u0-9eE+. \\-tfnaé]{0,40}") {
        prop_assert!(key_of(&text).is_none() || serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text).is_ok());
        text = format!(r#"{{"x":{text}}}"#);
        prop_assert!(key_of(&text).is_none() || serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok(), "{}", text);
    }
}
