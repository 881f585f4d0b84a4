//! What can be wrong with a route.

use crate::errors::told;

/// Two providers, one of each kind.
const PROVIDERS: &str = "[providers.openai]\n[providers.simulated]\n";

/// Each row's lines are all of a route's, and what is told is told of it: of its last line, or of all of it.
fn check_route(rows: &[(&str, &str, &str)]) {
    for (name, lines, expected) in rows {
        let document = format!("{PROVIDERS}[routes.other]\ntargets = [\"simulated/a\"]\n[routes.mine]\n{lines}\n");
        let line = if expected.starts_with(':') { 5 } else { document.lines().count() };
        assert_eq!(told(&document), [format!("line {line}: routes.mine{expected}")], "{name}");
    }
}

#[test]
fn targets() {
    let list = "a list of targets, each \"provider/model\" or { target = \"provider/model\", … }";
    check_route(&[
        (
            "no target",
            "retries = 1",
            ": has no targets; allowed are targets = [\"provider/model\", …] here, or in the route that it extends",
        ),
        ("an empty list", "targets = []", &format!(".targets: found an empty list; allowed is {list}")),
        ("no list", "targets = \"openai/o3\"", &format!(".targets: found \"openai/o3\"; allowed is {list}")),
        (
            "a number",
            "targets = [3]",
            ".targets[0]: found 3; allowed is \"provider/model\", or { target = \"provider/model\", … }",
        ),
        ("no provider", "targets = [\"gpt-4o\"]", ".targets[0]: found \"gpt-4o\"; allowed is \"provider/model\""),
        (
            "a route",
            "targets = [\"other\"]",
            ".targets[0]: found \"other\"; allowed is \"provider/model\"; to use the targets of a route, say extends = \"other\"",
        ),
        (
            "no model",
            "targets = [\"openai/\"]",
            ".targets[0]: found \"openai/\"; allowed is \"provider/model\", with a model of 1 to 256 visible ASCII characters",
        ),
        (
            "a model with a blank",
            "targets = [\"openai/gpt 4o\"]",
            ".targets[0]: found \"openai/gpt 4o\"; allowed is \"provider/model\", with a model of 1 to 256 visible ASCII characters",
        ),
        (
            "nearly a provider",
            "targets = [\"opneai/o3\"]",
            ".targets[0]: found the provider \"opneai\", which is neither known nor configured; configured are openai, simulated; did you mean \"openai\"?",
        ),
        (
            "nearly a known provider",
            "targets = [\"gorq/llama\"]",
            ".targets[0]: found the provider \"gorq\", which is neither known nor configured; configured are openai, simulated; did you mean \"groq\"?",
        ),
        (
            "no such provider",
            "targets = [\"acme/x\"]",
            ".targets[0]: found the provider \"acme\", which is neither known nor configured; configured are openai, simulated",
        ),
        (
            "a table without target",
            "targets = [{ weight = 1 }]",
            ".targets[0]: has no target; allowed is \"provider/model\", or { target = \"provider/model\", … }",
        ),
        (
            "a target of another type",
            "targets = [{ target = 1 }]",
            ".targets[0].target: found 1; allowed is \"provider/model\"",
        ),
        (
            "twice, once as a table",
            "targets = [\"openai/o3\", { target = \"openai/o3\", weight = 2 }]",
            ".targets[1]: is there twice; a route asks each target once, and retries = N asks it again",
        ),
        (
            "weightless",
            "targets = [{ target = \"openai/o3\", weight = 0 }]",
            ".targets[0].weight: found 0; allowed is a whole number from 1 to 1000000",
        ),
        (
            "negative",
            "targets = [{ target = \"openai/o3\", weight = -1 }]",
            ".targets[0].weight: found -1; allowed is a whole number from 1 to 1000000",
        ),
        (
            "a fraction",
            "targets = [{ target = \"openai/o3\", weight = 0.5 }]",
            ".targets[0].weight: found 0.5; allowed is a whole number from 1 to 1000000",
        ),
        (
            "a target's time",
            "targets = [{ target = \"openai/o3\", first_token = \"2h\" }]",
            ".targets[0].first_token: found \"2h\"; allowed is 10ms to 1h",
        ),
        (
            "a target's unknown key",
            "targets = [{ target = \"openai/o3\", order = \"listed\" }]",
            ".targets[0].order: unknown; allowed are target, weight, deadline, first_token, stall, max_duration, cache, retries, set",
        ),
        (
            "a target's affinity",
            "targets = [{ target = \"openai/o3\", affinity = true }]",
            ".targets[0].affinity: unknown; allowed are target, weight, deadline, first_token, stall, max_duration, cache, retries, set",
        ),
        (
            "a target's set",
            "targets = [{ target = \"openai/o3\", set = { stream = true } }]",
            ".targets[0].set.stream: a route may not decide model, models, messages, input, contents, stream",
        ),
    ]);
}

#[test]
fn fields_and_settings() {
    check_route(&[
        (
            "model",
            "targets = [\"openai/o3\"]\nset = { model = \"x\" }",
            ".set.model: a route may not decide model, models, messages, input, contents, stream",
        ),
        (
            "messages",
            "targets = [\"openai/o3\"]\nset.messages = []",
            ".set.messages: a route may not decide model, models, messages, input, contents, stream",
        ),
        ("set is no table", "targets = [\"openai/o3\"]\nset = 0", ".set: found 0; allowed is a table"),
        (
            "a date",
            "targets = [\"openai/o3\"]\nset = { a = { b = [1979-05-27] } }",
            ".set.a.b[0]: found a date; allowed is what JSON can hold: a text, a number, true, false, a list or a table",
        ),
        (
            "infinity",
            "targets = [\"openai/o3\"]\nset = { temperature = inf }",
            ".set.temperature: found inf; allowed is what JSON can hold: a text, a number, true, false, a list or a table",
        ),
        (
            "extends nothing",
            "extends = \"othr\"",
            ".extends: found \"othr\"; allowed is the name of another route, of other; did you mean \"other\"?",
        ),
        (
            "extends of another type",
            "extends = [\"other\"]",
            ".extends: found a list; allowed is the name of another route, of other",
        ),
        ("extends itself", "extends = \"mine\"", ".extends: routes extend each other in a ring: mine → mine"),
        ("a limit of the whole gateway", "extends = \"other\"\nmax_attempts = 3", ".max_attempts: allowed only in [defaults]"),
        (
            "a budget",
            "extends = \"other\"\nretry_budget = 1.1",
            ".retry_budget: found 1.1; allowed is a number from 0 to 1 with at most three decimals, or \"off\"",
        ),
        ("a time", "extends = \"other\"\ndeadline = \"0s\"", ".deadline: found \"0s\"; allowed is 10ms to 1h"),
        (
            "unknown",
            "extends = \"other\"\nhedge = \"2s\"",
            ".hedge: unknown; allowed are targets, extends, deadline, first_token, stall, max_duration, cache, retries, stale_for, order, \
             hedge_after, schema_retries, schema_stream, validate_tools, hold, on_cut, early_headers, unsupported, affinity, retry_budget, hedge_budget, set",
        ),
    ]);
}

#[test]
fn route_names() {
    let legal = "a route's name is of visible ASCII characters without quotes, comma, equals sign and backslash";
    let rows = [
        ("", "a route's name has 1 to 128 characters"),
        ("a b", legal),
        ("é", legal),
        ("a,b", legal),
        ("a=b", legal),
        ("gpt-?", "the only wildcard in a route's name is *"),
        ("gpt-[45]", "the only wildcard in a route's name is *"),
        ("{a}", "the only wildcard in a route's name is *"),
        ("gpt-**", "** says no more than *"),
        ("*", "* alone would take every name; the route that takes what nothing else does is called default"),
    ];
    for (name, problem) in rows {
        let document = format!("{PROVIDERS}[routes.\"{name}\"]\ntargets = [\"openai/o3\"]\n");
        assert_eq!(told(&document), [format!("line 3: routes.\"{name}\": {problem}")]);
    }
}

#[test]
fn a_ring_is_told_once() {
    let document =
        "[routes.z]\nextends = \"b\"\n[routes.b]\nextends = \"c\"\n[routes.c]\nextends = \"a\"\n[routes.a]\nextends = \"b\"\n";
    assert_eq!(told(document), ["line 4: routes.b.extends: routes extend each other in a ring: b → c → a → b"]);
}

#[test]
fn what_is_wrong_above_is_told_there_only() {
    let document = "[routes.a]\nextends = \"b\"\n[routes.b]\nextends = \"gone\"\n[providers.p]\nbase_url = 1\n[routes.c]\ntargets = [\"p/m\"]\n";
    assert_eq!(
        told(document),
        [
            "line 4: routes.b.extends: found \"gone\"; allowed is the name of another route, of a, c",
            "line 6: providers.p.base_url: found 1; allowed is an address such as \"https://llm.example.com/v1\"",
        ]
    );
}
