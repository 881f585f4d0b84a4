//! The files that are shipped.

use std::collections::BTreeSet;

use breakwater::config::{Config, Found, Protocol, parse};

const SHIPPED: &str = include_str!("../../gateway.toml");
const DEV_VARS: &str = include_str!("../../.dev.vars.example");

fn shipped() -> Config {
    parse(SHIPPED).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn demo_needs_nothing() {
    let config = shipped();
    let Found::Route(demo) = config.find("demo") else { panic!("no demo") };
    assert!(demo.targets.len() >= 2, "a fallback needs a second target");
    for target in &demo.targets {
        let provider = &config.providers[target.provider];
        assert_eq!(provider.protocols, [Protocol::Simulated]);
        assert!(provider.keys.is_empty());
        let behaviour = provider.simulated.as_ref().expect("simulated").behaviour(&target.model);
        assert!(behaviour.fail.is_empty() && behaviour.error_rate == 0.0, "the first curl must not fail: {behaviour:?}");
    }
}

#[test]
fn smart_and_fast_come_to_life_with_any_one_secret_and_use_only_what_works() {
    let config = shipped();
    for name in ["smart", "fast"] {
        let Found::Route(route) = config.find(name) else { panic!("no {name}") };
        assert!(route.targets.len() >= 3, "{name}");
        for target in &route.targets {
            let provider = &config.providers[target.provider];
            assert!(provider.is_supported(), "{name}: {}", provider.name);
            assert_eq!(provider.keys.len(), 1, "{name}: {}", provider.name);
        }
    }
    assert_eq!(config.notes(), Vec::<String>::new(), "everything that is shipped is in effect");
}

#[test]
fn it_is_closed_and_refuses_unknown_names() {
    let config = shipped();
    assert_eq!(config.auth.as_ref().map(|auth| auth.keys.as_str()), Some("GATEWAY_KEYS"));
    assert!(config.cors.is_empty());
    assert_eq!(config.default_route, None);
    assert_eq!(config.find("no-such-model"), Found::Unknown);
}

#[test]
fn what_it_says_of_built_in_values_is_true() {
    let (shipped, built_in) = (shipped(), parse("").expect("nothing"));
    assert_eq!(shipped.defaults, built_in.defaults);
    assert_eq!((shipped.limits, shipped.server_timing), (built_in.limits, built_in.server_timing));
}

/// The examples that are commented out.
#[test]
fn its_other_examples_are_right_too() {
    let lines: Vec<&str> = SHIPPED
        .lines()
        .map(|line| {
            let code = line.strip_prefix("# ").filter(|rest| {
                let word = rest.split([' ', '=']).next().unwrap_or_default();
                rest.starts_with('[')
                    || (rest.contains('=') && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
            });
            code.unwrap_or(line)
        })
        .collect();
    let uncommented = lines.join("\n");
    let config = parse(&uncommented).unwrap_or_else(|errors| panic!("{errors}\n{uncommented}"));
    let names: Vec<&str> = config.routes.iter().map(|route| route.name.as_str()).collect();
    assert_eq!(names, ["demo", "smart", "fast", "extract", "gpt-4o*", "shared", "chat", "default"]);
    assert!(["ollama", "team-b", "mine"].iter().all(|name| config.providers.iter().any(|provider| provider.name == *name)));
    assert_eq!((config.limits.max_attempts, config.cors.len()), (6, 1));
}

#[test]
fn every_secret_is_named_in_the_example_of_dev_vars() {
    let config = shipped();
    let mut needed: BTreeSet<&str> = config.providers.iter().flat_map(|provider| &provider.keys).map(String::as_str).collect();
    needed.insert("GATEWAY_KEYS");
    let lines = DEV_VARS.lines().filter(|line| !line.starts_with('#'));
    let named: BTreeSet<&str> = lines.filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    assert_eq!(named, needed);
    for line in DEV_VARS.lines().filter(|line| line.contains('=') && !line.starts_with('#')) {
        assert_eq!(
            line.split_once('=').map(|(_, value)| value.split('#').next().unwrap_or_default().trim()),
            Some("\"\""),
            "{line}"
        );
    }
}
