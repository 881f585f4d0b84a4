//! The header `x-breakwater-simulate`.

use std::time::Duration;

use breakwater::config::simulated::{Behaviour, Fault};
use breakwater::provider::simulated::{answer, overrides};
use serde_json::json;

use super::{content, question, saying, status};

/// What a header makes of a call: how it ends for `primary` and for `backup`.
#[test]
fn who_is_meant() {
    let rows = [
        ("everybody", "500", Some(500), Some(500)),
        ("by model", "primary=500", Some(500), Some(200)),
        ("by provider and model", "simulated/backup=503", Some(200), Some(503)),
        ("each its own", "primary=500, backup=429", Some(500), Some(429)),
        ("blanks do not matter", " primary = 500 ;pace: 1ms , backup=429 ", Some(500), Some(429)),
        ("another provider's", "other/primary=500", Some(200), Some(200)),
        ("another target's", "third=500", Some(200), Some(200)),
        ("later entries win", "500,primary=ok", Some(200), Some(500)),
        ("later directives win", "500;fail:503", Some(503), Some(503)),
    ];
    let request = saying("x", json!({})).to_string();
    for (name, header, primary, backup) in rows {
        let call = |target, model| {
            let mut question = question(&request);
            (question.target, question.model) = (target, model);
            status(&answer(&Behaviour::default(), Some(header), &question).unwrap())
        };
        assert_eq!((call("simulated/primary", "primary"), call("simulated/backup", "backup")), (primary, backup), "{name}");
        assert_eq!(overrides::check(header), Ok(()), "{name}");
    }
}

#[test]
fn times_and_text() {
    let request = saying("x", json!({ "stream": true })).to_string();
    let script =
        answer(&Behaviour::default(), Some("latency:20ms;first_token:3s;pace:5ms;piece:2"), &question(&request)).unwrap();
    assert_eq!(script.head_after, Duration::from_millis(20));
    assert_eq!(script.pieces[1].0, Duration::from_secs(3));
    assert_eq!(script.pieces[2].0, Duration::from_millis(5));

    let request = saying("x", json!({})).to_string();
    let script = answer(&Behaviour::default(), Some("text:a%2Cb%3D%C3%A4%25"), &question(&request)).unwrap();
    assert_eq!(content(&script), "a,b=ä%");
}

#[test]
fn mistakes() {
    let keys = Behaviour::KEYS.join(", ");
    let faults = Fault::ALLOWED;
    let rows = [
        ("", "entry 1 (\"\"): a fault, as 500 or hang, or a setting, as latency:2s, is missing".to_owned()),
        ("500,,", "entry 2 (\"\"): a fault, as 500 or hang, or a setting, as latency:2s, is missing".to_owned()),
        ("primary=", "entry 1 (\"primary=\"): a fault, as 500 or hang, or a setting, as latency:2s, is missing".to_owned()),
        ("=500", "entry 1 (\"=500\"): a target's name is missing before \"=\"".to_owned()),
        ("primary=500, backup=5000", format!("entry 2 (\"backup=5000\"): found \"5000\"; allowed is {faults}, or a setting, as latency:2s, of {keys}")),
        ("hangs", format!("entry 1 (\"hangs\"): found \"hangs\"; allowed is {faults}, or a setting, as latency:2s, of {keys}")),
        ("cut:x", format!("entry 1 (\"cut:x\"): found \"cut:x\"; allowed is {faults}")),
        ("pase:1s", format!("entry 1 (\"pase:1s\"): pase: unknown; allowed are {keys}")),
        ("fail:500|nope", format!("entry 1 (\"fail:500|nope\"): fail: found \"nope\"; allowed is {faults}")),
        ("error_rate:2", "entry 1 (\"error_rate:2\"): error_rate: found \"2\"; allowed is a number from 0 to 1".to_owned()),
        ("text:100%", "entry 1 (\"text:100%\"): text: found \"100%\"; \"%\" needs two hexadecimal digits after it".to_owned()),
        ("text:%ff", "entry 1 (\"text:%ff\"): text: found \"%ff\"; what it stands for is not UTF-8".to_owned()),
        ("third=latency:1", "entry 1 (\"third=latency:1\"): latency: found \"1\"; allowed is a duration, such as \"250ms\", \"10s\" or \"1h 30m\"".to_owned()),
    ];
    for (header, message) in rows {
        let error = overrides::check(header).expect_err(header);
        assert_eq!(error.to_string(), format!("x-breakwater-simulate: {message}"), "{header}");
        assert_eq!(answer(&Behaviour::default(), Some(header), &question("{}")), Err(error), "{header}");
    }
}

/// No bytes that a client may send as a header make it panic.
#[test]
fn anything_may_be_sent() {
    let alphabet: Vec<char> = "5h0c:=,;|% aé\u{0}".chars().collect();
    let mut state = 1_u64;
    for _ in 0..20_000 {
        let mut header = String::new();
        for _ in 0..12 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            header.push(alphabet[usize::try_from(state >> 33).unwrap() % alphabet.len()]);
        }
        let _ = overrides::check(&header);
    }
}
