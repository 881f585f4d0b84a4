//! The header's grammar, and what is said about mistakes in it.

use super::*;
use crate::fault::word::Wait;

fn parse(value: &str) -> Result<Faults, String> {
    let mut faults = Faults::default();
    faults.parse(value, &|name| ["openai", "anthropic", "a"].contains(&name))?;
    Ok(faults)
}

#[test]
fn every_word_is_read() {
    let rows = [
        ("refuse", Fault::Refuse),
        ("hang", Fault::Hang),
        ("silent", Fault::Silent),
        ("role", Fault::Role),
        ("drip", Fault::Drip),
        ("400", Fault::Status(400)),
        ("599", Fault::Status(599)),
        ("307", Fault::Status(307)),
        ("429", Fault::Limited(Wait::Unsaid)),
        ("429:retry-after=7", Fault::Limited(Wait::After(7))),
        ("429:retry-after-ms=2500", Fault::Limited(Wait::AfterMillis(2500))),
        ("429:date=20", Fault::Limited(Wait::Date(20))),
        ("429:retry-info=34.4", Fault::Limited(Wait::Info(34.4))),
        ("quota", Fault::Quota),
        ("context", Fault::Context),
        ("html", Fault::Html),
        ("empty", Fault::Empty),
        ("error", Fault::Error(None)),
        ("error@3", Fault::Error(Some(3))),
        ("garbage", Fault::Garbage(None)),
        ("garbage@0", Fault::Garbage(Some(0))),
        ("cut", Fault::Cut(0)),
        ("cut@3", Fault::Cut(3)),
        ("stall", Fault::Stall(0)),
        ("stall@1000", Fault::Stall(1000)),
        ("end@2", Fault::End(2)),
        ("midframe@2", Fault::Midframe(2)),
        ("hugeline", Fault::Huge),
        ("slow:2s", Fault::Slow(std::time::Duration::from_secs(2))),
        ("slow:250ms", Fault::Slow(std::time::Duration::from_millis(250))),
    ];
    for (word, fault) in rows {
        let faults = parse(&format!("openai={word}")).unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!(faults.of("openai", "o3"), Some(&fault), "{word}");
        assert_eq!(faults.of("anthropic", "o3"), None, "{word}");
    }
}

#[test]
fn the_most_particular_target_holds() {
    let faults = parse(" openai = 500,*=hang , openai/o3=429:retry-after=7,openai/meta/o3:free=cut@1").unwrap();
    let rows = [
        ("openai", "o3", Fault::Limited(Wait::After(7))),
        ("openai", "meta/o3:free", Fault::Cut(1)),
        ("openai", "o4", Fault::Status(500)),
        ("anthropic", "o3", Fault::Hang),
    ];
    for (provider, model, fault) in rows {
        assert_eq!(faults.of(provider, model), Some(&fault), "{provider}/{model}");
    }
    assert!(!faults.is_empty() && Faults::default().is_empty());
}

#[test]
fn mistakes_are_named() {
    let form = "allowed is target=fault, such as openai/o3=stall@3, anthropic=429 or *=hang";
    let rows = [
        ("", "", form),
        ("openai=500,", "", form),
        ("openai", "openai", form),
        ("500", "500", form),
        ("openai/=500", "openai/=500", "found the target \"openai/\", which names no model after its slash"),
        (
            "opnai/o3=500",
            "opnai/o3=500",
            "found the provider \"opnai\", which there is not; allowed is provider/model, provider or *",
        ),
        ("openai=500, openai=hang", "openai=hang", "this target is there twice"),
        ("a=cut@x", "a=cut@x", "found \"cut@x\"; allowed is a number of words from 0 to 1000 after the @"),
        ("a=cut@1001", "a=cut@1001", "found \"cut@1001\"; allowed is a number of words from 0 to 1000 after the @"),
        ("a=slow:2", "a=slow:2", "found \"slow:2\"; allowed is slow: and a duration up to 1h, such as slow:2s"),
        (
            "a=429:retry-after=soon",
            "a=429:retry-after=soon",
            "found \"429:retry-after=soon\"; allowed is 429, 429:retry-after=7, 429:retry-after-ms=2500, 429:date=20 or 429:retry-info=34.4, of up to 86400 seconds",
        ),
    ];
    for (value, entry, problem) in rows {
        assert_eq!(parse(value), Err(format!("x-breakwater-fault: {entry:?}: {problem}")), "{value}");
    }
    for wrong in ["", "ok", "200", "304", "399", "600", "HANG", "hang@1", "hang:1", "stal@3", "500:retry-after=1", "slow"] {
        let problem = parse(&format!("a={wrong}")).unwrap_err();
        assert!(problem.contains(&format!("found {wrong:?}; allowed is refuse, hang,")), "{problem}");
    }
    let many: Vec<String> = (0..33).map(|nth| format!("a/m{nth}=hang")).collect();
    assert_eq!(parse(&many.join(",")), Err("x-breakwater-fault: \"a/m32=hang\": allowed are 32 entries".to_owned()));
}
