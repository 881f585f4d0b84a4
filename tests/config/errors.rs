//! Every error, as its reader sees it. What is wrong stands in a whole document, so that a row also says that nothing else is found wrong.

use breakwater::config::parse;

/// What a document is told, line by line; nothing if it is right.
pub(crate) fn told(document: &str) -> Vec<String> {
    parse(document).err().map(|errors| errors.to_string().lines().map(str::to_owned).collect()).unwrap_or_default()
}

pub(crate) fn check(rows: &[(&str, &str, &[&str])], before: &str, after: &str) {
    for (name, text, expected) in rows {
        let document = format!("{before}{text}{after}");
        assert_eq!(told(&document), *expected, "{name}:\n{document}");
    }
}

#[test]
fn documents() {
    check(
        &[
            ("nothing at all is right", "", &[]),
            (
                "not TOML",
                "[defaults]\ndeadline = 120s\n",
                &["line 2, column 12: not TOML: string values must be quoted, expected literal string"],
            ),
            ("twice", "[auth]\nkeys = \"A\"\nkeys = \"B\"\n", &["line 3, column 1: not TOML: duplicate key"]),
            (
                "all that is not TOML, and nothing of what it may mean",
                "[defaults\n[routes.a]\ntargets = [\"x/y\"\nfoo bar\n",
                &[
                    "line 1, column 10: not TOML: unclosed table, expected `]`",
                    "line 4, column 1: not TOML: missing comma between array elements, expected `,`",
                    "line 4, column 1: not TOML: string values must be quoted, expected literal string",
                    "line 4, column 8: not TOML: unclosed array, expected `]`",
                ],
            ),
            (
                "an unknown section",
                "[default]\n",
                &[
                    "line 1: default: unknown; allowed are defaults, auth, admin, cors, providers, routes; did you mean \"defaults\"?",
                ],
            ),
            (
                "a section that is none",
                "providers = 1\nauth = []",
                &["line 1: providers: found 1; allowed is a table", "line 2: auth: found a list; allowed is a table"],
            ),
        ],
        "",
        "",
    );
}

#[test]
fn defaults() {
    let share = "allowed is a number from 0 to 1 with at most three decimals, or \"off\"";
    let time = "allowed is a duration, such as \"250ms\", \"10s\" or \"1h 30m\"";
    let rows: [(&str, &str, &str); 33] = [
        ("a number is no duration", "deadline = 120", &format!("deadline: found 120; {time}")),
        ("nor is a word", "stall = \"soon\"", &format!("stall: found \"soon\"; {time}")),
        ("nor a number in quotes", "stall = \"30\"", &format!("stall: found \"30\"; {time}")),
        ("too short", "deadline = \"5ms\"", "deadline: found \"5ms\"; allowed is 10ms to 1h"),
        ("too long", "first_token = \"61m\"", "first_token: found \"61m\"; allowed is 10ms to 1h"),
        ("a stream for two days", "max_duration = \"2d\"", "max_duration: found \"2d\"; allowed is 10ms to 1d"),
        ("less than a millisecond", "stall = \"10500us\"", "stall: found \"10500us\"; allowed are whole milliseconds"),
        ("cache is no flag", "cache = true", "cache: found true; allowed is \"off\" or a duration, such as \"1h\""),
        ("cache for nothing", "cache = \"0s\"", "cache: found \"0s\"; allowed is 1s to 365d"),
        ("cache on", "cache = \"on\"", &format!("cache: found \"on\"; {time}")),
        ("stale", "stale_for = 0", "stale_for: found 0; allowed is \"off\" or a duration, such as \"1h\""),
        ("order", "order = \"fast\"", "order: found \"fast\"; allowed is one of listed, fastest, weighted"),
        (
            "order, nearly",
            "order = \"wieghted\"",
            "order: found \"wieghted\"; allowed is one of listed, fastest, weighted; did you mean \"weighted\"?",
        ),
        ("order of another type", "order = 1", "order: found 1; allowed is one of listed, fastest, weighted"),
        (
            "percentile",
            "hedge_after = \"p99\"",
            "hedge_after: found \"p99\"; allowed is \"p95\", a duration such as \"2s\", or \"off\"",
        ),
        (
            "hedge after a number",
            "hedge_after = 2",
            "hedge_after: found 2; allowed is \"p95\", a duration such as \"2s\", or \"off\"",
        ),
        ("hedge too soon", "hedge_after = \"1ms\"", "hedge_after: found \"1ms\"; allowed is 10ms to 1h"),
        ("retries below zero", "retries = -1", "retries: found -1; allowed is a whole number from 0 to 10"),
        ("half a retry", "retries = 0.5", "retries: found 0.5; allowed is a whole number from 0 to 10"),
        ("many corrections", "schema_retries = 11", "schema_retries: found 11; allowed is a whole number from 0 to 10"),
        ("affinity is a flag", "affinity = \"session\"", "affinity: found \"session\"; allowed is true or false"),
        ("a budget in words", "retry_budget = \"none\"", &format!("retry_budget: found \"none\"; {share}")),
        ("a budget in quotes", "retry_budget = \"0.5\"", &format!("retry_budget: found \"0.5\"; {share}")),
        ("a budget of per cents", "retry_budget = 20", &format!("retry_budget: found 20; {share}")),
        ("a negative budget", "hedge_budget = -0.1", &format!("hedge_budget: found -0.1; {share}")),
        ("a finer budget than there is", "hedge_budget = 0.0005", &format!("hedge_budget: found 0.0005; {share}")),
        ("a budget that is no number", "hedge_budget = nan", &format!("hedge_budget: found nan; {share}")),
        ("no attempt", "max_attempts = 0", "max_attempts: found 0; allowed is a whole number from 1 to 20"),
        ("a flag", "server_timing = \"yes\"", "server_timing: found \"yes\"; allowed is true or false"),
        (
            "a large body",
            "max_body = \"1GiB\"",
            "max_body: found \"1GiB\"; allowed is a size from \"1KiB\" to \"48MiB\", such as \"10MiB\"",
        ),
        (
            "a small body",
            "max_body = 10",
            "max_body: found 10; allowed is a size from \"1KiB\" to \"48MiB\", such as \"10MiB\"",
        ),
        (
            "a body of a list",
            "max_body = []",
            "max_body: found a list; allowed is a size from \"1KiB\" to \"48MiB\", such as \"10MiB\"",
        ),
        (
            "unknown",
            "dead_line = \"1s\"",
            "dead_line: unknown; allowed are deadline, first_token, stall, max_duration, cache, retries, stale_for, order, \
             hedge_after, schema_retries, schema_stream, validate_tools, hold, on_cut, early_headers, unsupported, affinity, retry_budget, hedge_budget, server_timing, max_body, max_attempts; did you mean \"deadline\"?",
        ),
    ];
    for (name, line, expected) in rows {
        assert_eq!(told(&format!("[defaults]\n{line}\n")), [format!("line 2: defaults.{expected}")], "{name}");
    }
}

#[test]
fn keys_and_origins() {
    let origin = "allowed is \"*\", or an origin as browsers send it, such as \"https://app.example.com\"";
    let secret =
        "is not a secret's name; allowed are capital letters, digits and _, such as \"GATEWAY_KEYS\", and never a key itself";
    let rows: [(&str, &str, &str); 11] = [
        ("no name", "[auth]", "line 1: auth: has no keys; allowed is keys = \"GATEWAY_KEYS\", the name of a secret"),
        ("a key itself is not repeated", "[auth]\nkeys = \"sk-secret\"", &format!("line 2: auth.keys: {secret}")),
        ("a list", "[auth]\nkeys = [\"A\"]", &format!("line 2: auth.keys: {secret}")),
        ("unknown", "[auth]\nkeys = \"A\"\nkey = \"B\"", "line 3: auth.key: unknown; allowed are keys; did you mean \"keys\"?"),
        (
            "no list",
            "[cors]\norigins = \"*\"",
            &format!("line 2: cors.origins: found \"*\"; allowed is a list, each {}", origin.trim_start_matches("allowed is ")),
        ),
        (
            "a path",
            "[cors]\norigins = [\"*\", \"https://a.example/\"]",
            &format!("line 2: cors.origins[1]: found \"https://a.example/\"; {origin}"),
        ),
        ("no scheme", "[cors]\norigins = [\"a.example\"]", &format!("line 2: cors.origins[0]: found \"a.example\"; {origin}")),
        (
            "upper case",
            "[cors]\norigins = [\"https://A.example\"]",
            &format!("line 2: cors.origins[0]: found \"https://A.example\"; {origin}"),
        ),
        (
            "a pattern",
            "[cors]\norigins = [\"https://*.example\"]",
            &format!("line 2: cors.origins[0]: found \"https://*.example\"; {origin}"),
        ),
        ("a number", "[cors]\norigins = [1]", &format!("line 2: cors.origins[0]: found 1; {origin}")),
        ("unknown", "[cors]\nmethods = []", "line 2: cors.methods: unknown; allowed are origins"),
    ];
    for (name, document, expected) in rows {
        assert_eq!(told(document), [expected], "{name}");
    }
}

#[test]
fn operators_keys_are_not_callers_keys() {
    let other = |keys: &str| {
        vec![format!(
            "line 2: admin: has the callers' keys, {keys}; allowed is the name of another secret, such as \"ADMIN_KEYS\""
        )]
    };
    let rows = [
        ("another secret", "auth = { keys = \"TEAM\" }\n[admin]\nkeys = \"ADMIN_KEYS\"", vec![]),
        ("a name that only begins like it", "auth = { keys = \"TEAM\" }\n[admin]\nkeys = \"TEAM_10\"", vec![]),
        ("the same", "auth = { keys = \"TEAM\" }\n[admin]\nkeys = \"TEAM\"", other("TEAM")),
        ("the same by default", "\n[admin]\nkeys = \"GATEWAY_KEYS\"", other("GATEWAY_KEYS")),
        ("one that is merged with it", "auth = { keys = \"TEAM\" }\n[admin]\nkeys = \"TEAM_2\"", other("TEAM")),
        ("one that it is merged with", "auth = { keys = \"TEAM_9\" }\n[admin]\nkeys = \"TEAM\"", other("TEAM_9")),
        (
            "none",
            "\n[admin]",
            vec!["line 2: admin: has no keys; allowed is keys = \"ADMIN_KEYS\", the name of a secret".to_owned()],
        ),
    ];
    for (name, document, expected) in rows {
        assert_eq!(told(document), expected, "{name}");
    }
    assert_eq!(parse("[admin]\nkeys = \"ROOTS\"").unwrap().admin.map(|admin| admin.keys), Some("ROOTS".to_owned()));
}

#[test]
fn everything_at_once() {
    let document = r#"
[defaults]
deadline = 90
[providers.openai]
kye = "OPENAI_KEY"
[providers.mine]
[routes.smart]
targets = ["openai/o3", "opnai/gpt-4o"]
order = "random"
[routes.fast]
extends = "smrt"
[extra]
"#;
    assert_eq!(
        told(document),
        [
            "line 3: defaults.deadline: found 90; allowed is a duration, such as \"250ms\", \"10s\" or \"1h 30m\"",
            "line 5: providers.openai.kye: unknown; allowed are preset, protocol, base_url, key, keys, headers, breaker; did you mean \"key\"?",
            "line 6: providers.mine: has neither a preset nor an address; allowed is base_url, preset, or a known name",
            "line 8: routes.smart.targets[1]: found the provider \"opnai\", which is neither known nor configured; configured are openai, mine; did you mean \"openai\"?",
            "line 9: routes.smart.order: found \"random\"; allowed is one of listed, fastest, weighted",
            "line 11: routes.fast.extends: found \"smrt\"; allowed is the name of another route, of smart; did you mean \"smart\"?",
            "line 12: extra: unknown; allowed are defaults, auth, admin, cors, providers, routes",
        ]
    );
}

/// A document with a line for most kinds of setting.
const WHOLE: &str = r#"
[defaults]
deadline = "90s"
cache = "1h"
order = "listed"
hedge_after = "p95"
retries = 1
max_body = "1MiB"
server_timing = true
[auth]
keys = "GATEWAY_KEYS"
[cors]
origins = ["*"]
[providers.a]
preset = "openai"
key = "A"
headers = { x = "y" }
breaker = { failures = 3 }
[providers.b]
protocol = "openai"
base_url = "https://b.example"
keys = ["B"]
[providers.c]
protocol = "simulated"
fail = [500]
pace = "1ms"
models.m = { error_rate = 0.5 }
[routes.one]
targets = ["a/x", { target = "b/y", weight = 2, first_token = "1s" }]
set = { temperature = 0 }
stale_for = "1d"
[routes."two-*"]
extends = "one"
"#;

#[test]
fn whatever_stands_in_a_line_is_told_of_that_line() {
    assert_eq!(told(WHOLE), Vec::<String>::new());
    let values =
        ["7", "-1", "0.5", "nan", "true", "\"\"", "\"odd value\"", "[]", "[[]]", "[{}]", "{}", "{ a = 1 }", "1979-05-27"];
    let lines: Vec<&str> = WHOLE.lines().collect();
    let (mut wrong, mut right) = (0, 0);
    for (index, line) in lines.iter().enumerate() {
        let Some((key, _)) = line.split_once(" = ") else { continue };
        for value in values {
            let changed = format!("{key} = {value}");
            let document: Vec<&str> =
                lines.iter().enumerate().map(|(at, line)| if at == index { &changed } else { *line }).collect();
            let errors = told(&document.join("\n"));
            for error in &errors {
                assert!(error.starts_with(&format!("line {}: ", index + 1)), "{changed}: {error}");
                assert!(!error.contains("unknown;") || value.contains('a'), "{changed}: {error}");
            }
            if errors.is_empty() { right += 1 } else { wrong += 1 }
        }
    }
    assert!(wrong >= 200 && right >= 10, "{wrong} {right}");
}

#[test]
fn a_document_that_breaks_off_anywhere_is_no_panic() {
    for (end, _) in WHOLE.char_indices() {
        let _ = told(&WHOLE[..end]);
    }
}
