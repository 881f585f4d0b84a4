//! What can be wrong with a provider.

use breakwater::config::PRESETS;
use breakwater::config::simulated::Fault;

use crate::errors::{check, told};

/// Each row's lines are all of a provider's, and what is told is told of it: of its last line, or of all of it.
fn check_provider(rows: &[(&str, &str, &str)]) {
    for (name, lines, expected) in rows {
        let document = format!("[providers.mine]\n{lines}\n");
        let line = if expected.starts_with(':') { 1 } else { document.lines().count() };
        assert_eq!(told(&document), [format!("line {line}: providers.mine{expected}")], "{name}");
    }
}

#[test]
fn addresses_and_protocols() {
    let presets: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
    let presets = presets.join(", ");
    check_provider(&[
        (
            "neither preset nor address",
            "protocol = \"openai\"",
            ": has neither a preset nor an address; allowed is base_url, preset, or a known name",
        ),
        (
            "unknown preset",
            "preset = \"opnai\"",
            &format!(".preset: found \"opnai\"; allowed is one of {presets}; did you mean \"openai\"?"),
        ),
        ("preset of another type", "preset = 1", ".preset: found 1; allowed is a preset's name"),
        (
            "no protocol",
            "base_url = \"http://a\"\nprotocol = []",
            ".protocol: found an empty list; allowed is at least one protocol",
        ),
        (
            "unknown protocol",
            "base_url = \"http://a\"\nprotocol = \"antropic\"",
            ".protocol: found \"antropic\"; allowed is one of openai, responses, anthropic, gemini, workers-ai, bedrock, simulated; did you mean \"anthropic\"?",
        ),
        (
            "an unknown protocol in a list",
            "base_url = \"http://a\"\nprotocol = [\"openai\", \"grpc\"]",
            ".protocol[1]: found \"grpc\"; allowed is one of openai, responses, anthropic, gemini, workers-ai, bedrock, simulated",
        ),
        (
            "a protocol twice",
            "base_url = \"http://a\"\nprotocol = [\"openai\", \"openai\"]",
            ".protocol[1]: \"openai\" is there twice",
        ),
        (
            "simulated and real",
            "protocol = [\"openai\", \"simulated\"]",
            ".protocol: simulated stands beside other protocols; allowed is simulated alone",
        ),
        (
            "simulated with an address",
            "protocol = \"simulated\"\nbase_url = \"http://a\"",
            ".base_url: a simulated provider has no address",
        ),
        (
            "an address of another type",
            "base_url = 1",
            ".base_url: found 1; allowed is an address such as \"https://llm.example.com/v1\"",
        ),
        (
            "an address without scheme",
            "base_url = \"a.example/v1\"",
            ".base_url: found no scheme; allowed is an address such as \"https://llm.example.com/v1\"",
        ),
        (
            "another scheme",
            "base_url = \"ws://a.example\"",
            ".base_url: found the scheme \"ws\"; allowed is https:// or http://",
        ),
        (
            "a password is not repeated",
            "base_url = \"https://me:secret@a.example\"",
            ".base_url: found credentials in an address; allowed is a secret's name in key",
        ),
        (
            "a query is not repeated",
            "base_url = \"https://a.example?key=secret\"",
            ".base_url: found a query or a fragment; allowed is an address without",
        ),
        (
            "a fragment",
            "base_url = \"https://a.example/#x\"",
            ".base_url: found a query or a fragment; allowed is an address without",
        ),
        (
            "a port",
            "base_url = \"https://a:99999\"",
            ".base_url: found the host \"a:99999\"; allowed is a name or an IP address, and a port from 1 to 65535",
        ),
        (
            "a placeholder",
            "base_url = \"https://a/{my account}\"",
            ".base_url: found the character ' '; allowed is an address such as \"https://llm.example.com/v1\"",
        ),
        (
            "the endpoint",
            "base_url = \"https://a/v1/chat/completions/\"",
            ".base_url: found /chat/completions at its end; allowed is the address before it",
        ),
        (
            "unknown",
            "preset = \"openai\"\nbaseurl = \"http://a\"",
            ".baseurl: unknown; allowed are preset, protocol, base_url, key, keys, headers, breaker; did you mean \"base_url\"?",
        ),
        ("a simulation elsewhere", "preset = \"openai\"\nfail = [500]", ".fail: allowed only where protocol = \"simulated\""),
    ]);
}

#[test]
fn secrets() {
    let secret = "is not a secret's name; allowed are capital letters, digits and _, such as \"OPENAI_API_KEY\", and never the key itself";
    check_provider(&[
        ("both", "preset = \"openai\"\nkey = \"A\"\nkeys = [\"B\"]", ".keys: stands beside key; allowed is one of the two"),
        ("a key itself is not repeated", "preset = \"openai\"\nkey = \"sk-proj-secret\"", &format!(".key: {secret}")),
        ("a key without dashes", "preset = \"openai\"\nkey = \"0123456789abcdef0123456789abcdef\"", &format!(".key: {secret}")),
        ("a key in a list", "preset = \"openai\"\nkeys = [\"A\", \"sk-secret\"]", &format!(".keys[1]: {secret}")),
        ("a key of another type", "preset = \"openai\"\nkey = 5", &format!(".key: {secret}")),
        ("a very long name", &format!("preset = \"openai\"\nkey = \"{}\"", "A".repeat(65)), &format!(".key: {secret}")),
        ("a name in small letters", "preset = \"openai\"\nkey = \"openai_key\"", &format!(".key: {secret}")),
        ("a name that begins with a digit", "preset = \"openai\"\nkey = \"1A\"", &format!(".key: {secret}")),
        ("a key twice", "preset = \"openai\"\nkeys = [\"A\", \"A\"]", ".keys[1]: is there twice"),
        (
            "keys that are no list",
            "preset = \"openai\"\nkeys = \"A\"",
            ".keys: is not a list; allowed is a list of secrets' names",
        ),
    ]);
}

#[test]
fn headers() {
    let credential = "would hold a credential, and this file is no place for one; allowed is a secret's name in key";
    let ours = "is decided by the gateway; allowed are fields that it does not set itself";
    let value = "is not a header field's value; allowed are visible ASCII characters, with blanks between them";
    check_provider(&[
        ("headers of another type", "preset = \"openai\"\nheaders = []", ".headers: found a list; allowed is a table"),
        (
            "authorization",
            "preset = \"openai\"\nheaders = { Authorization = \"Bearer secret\" }",
            &format!(".headers.Authorization: {credential}"),
        ),
        (
            "x-api-key",
            "preset = \"openai\"\nheaders = { x-api-key = \"secret\" }",
            &format!(".headers.x-api-key: {credential}"),
        ),
        ("cookie", "preset = \"openai\"\nheaders = { cookie = \"a=b\" }", &format!(".headers.cookie: {credential}")),
        ("host", "preset = \"openai\"\nheaders = { HOST = \"a\" }", &format!(".headers.HOST: {ours}")),
        ("hop by hop", "preset = \"openai\"\nheaders = { connection = \"close\" }", &format!(".headers.connection: {ours}")),
        ("length", "preset = \"openai\"\nheaders = { content-length = \"1\" }", &format!(".headers.content-length: {ours}")),
        (
            "our own",
            "preset = \"openai\"\nheaders = { x-breakwater-trace = \"1\" }",
            &format!(".headers.x-breakwater-trace: {ours}"),
        ),
        ("Cloudflare's", "preset = \"openai\"\nheaders = { cf-ray = \"1\" }", &format!(".headers.cf-ray: {ours}")),
        (
            "forwarded",
            "preset = \"openai\"\nheaders = { x-forwarded-for = \"1\" }",
            &format!(".headers.x-forwarded-for: {ours}"),
        ),
        (
            "no name",
            "preset = \"openai\"\nheaders = { \"a b\" = \"1\" }",
            ".headers.\"a b\": is not a header field's name; allowed are letters, digits and - . _",
        ),
        ("a line break", "preset = \"openai\"\nheaders = { a = \"1\\r\\nb: 2\" }", &format!(".headers.a: {value}")),
        ("outside of ASCII", "preset = \"openai\"\nheaders = { a = \"é\" }", &format!(".headers.a: {value}")),
        ("blanks around", "preset = \"openai\"\nheaders = { a = \" 1\" }", &format!(".headers.a: {value}")),
        (
            "no text",
            "preset = \"openai\"\nheaders = { a = 1 }",
            ".headers.a: is not a text; allowed is a header field's value as a text",
        ),
    ]);
}

#[test]
fn breakers() {
    check_provider(&[
        ("breaker of another type", "preset = \"openai\"\nbreaker = true", ".breaker: found true; allowed is a table"),
        (
            "no failures",
            "preset = \"openai\"\nbreaker = { failures = 0 }",
            ".breaker.failures: found 0; allowed is a whole number from 1 to 10000",
        ),
        (
            "an error rate of nothing",
            "preset = \"openai\"\nbreaker = { error_rate = 0 }",
            ".breaker.error_rate: found 0; allowed is a number above 0, up to 1",
        ),
        (
            "an error rate in percent",
            "preset = \"openai\"\nbreaker = { error_rate = 50 }",
            ".breaker.error_rate: found 50; allowed is a number above 0, up to 1",
        ),
        (
            "an error rate that is none",
            "preset = \"openai\"\nbreaker = { error_rate = nan }",
            ".breaker.error_rate: found nan; allowed is a number above 0, up to 1",
        ),
        (
            "requests",
            "preset = \"openai\"\nbreaker = { min_requests = \"10\" }",
            ".breaker.min_requests: found \"10\"; allowed is a whole number from 1 to 10000",
        ),
        (
            "a window",
            "preset = \"openai\"\nbreaker = { window = \"2h\" }",
            ".breaker.window: found \"2h\"; allowed is 1s to 1h",
        ),
        (
            "a cooldown",
            "preset = \"openai\"\nbreaker = { cooldown = \"99ms\" }",
            ".breaker.cooldown: found \"99ms\"; allowed is 100ms to 1d",
        ),
        (
            "longest below first",
            "preset = \"openai\"\nbreaker = { cooldown = \"10s\", max_cooldown = \"9s\" }",
            ".breaker.max_cooldown: found \"9s\"; allowed is at least cooldown, which is 10s",
        ),
        (
            "an unknown breaker setting",
            "preset = \"openai\"\nbreaker = { timeout = \"1s\" }",
            ".breaker.timeout: unknown; allowed are failures, error_rate, min_requests, window, cooldown, max_cooldown",
        ),
    ]);
}

#[test]
fn provider_names() {
    let legal = "a provider's name has 1 to 64 letters, digits, - _ and .";
    check(
        &[
            ("a slash", "[providers.\"a/b\"]\npreset = \"openai\"", &[&format!("line 1: providers.\"a/b\": {legal}")]),
            ("empty", "[providers.\"\"]\npreset = \"openai\"", &[&format!("line 1: providers.\"\": {legal}")]),
            ("no table", "[providers]\nopenai = true", &["line 2: providers.openai: found true; allowed is a table"]),
            (
                "nearly a preset",
                "[providers.opanai]",
                &[
                    "line 1: providers.opanai: has neither a preset nor an address; allowed is base_url, preset, or a known name; did you mean \"openai\"?",
                ],
            ),
        ],
        "",
        "",
    );
}

#[test]
fn simulated_providers() {
    let fault = Fault::ALLOWED;
    let rows: [(&str, &str, &str); 15] = [
        ("no list", "fail = 500", &format!("fail: found 500; allowed is a list, of {fault}")),
        ("a status that is none", "fail = [500, 200]", &format!("fail[1]: found 200; allowed is {fault}")),
        ("an unknown fault", "fail = [\"explode\"]", &format!("fail[0]: found \"explode\"; allowed is {fault}")),
        ("a list within", "fail = [[500]]", &format!("fail[0]: found a list; allowed is {fault}")),
        ("cycle", "cycle = 1", "cycle: found \"1\"; allowed is true or false"),
        ("latency", "latency = 20", "latency: found \"20\"; allowed is a duration, such as \"250ms\", \"10s\" or \"1h 30m\""),
        ("first token", "first_token = \"2h\"", "first_token: found \"2h\"; allowed is 0ms to 1h"),
        ("pace", "pace = []", "pace: found a list; allowed is a text, a number, true or false"),
        ("error rate", "error_rate = 2", "error_rate: found \"2\"; allowed is a number from 0 to 1"),
        ("error", "error = \"ohno\"", &format!("error: found \"ohno\"; allowed is {fault}")),
        ("seed", "seed = -7", "seed: found \"-7\"; allowed is a whole number from 0"),
        ("piece", "piece = 0", "piece: found \"0\"; allowed is a number of words from 1 to 1000"),
        ("a model's", "models.a.fail = [1]", &format!("models.a.fail[0]: found 1; allowed is {fault}")),
        (
            "a model's unknown key",
            "models.a.speed = 1",
            "models.a.speed: unknown; allowed are fail, cycle, latency, first_token, pace, error_rate, error, seed, text, piece; did you mean \"seed\"?",
        ),
        ("a model that is no table", "models.a = 1", "models.a: found 1; allowed is a table"),
    ];
    for (name, line, expected) in rows {
        assert_eq!(
            told(&format!("[providers.simulated]\n{line}\n")),
            [format!("line 2: providers.simulated.{expected}")],
            "{name}"
        );
    }
}
