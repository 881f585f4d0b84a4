//! What a configuration that is right comes to.

use std::time::Duration;

use breakwater::config::simulated::{Behaviour, Fault, Simulated};
use breakwater::config::{
    Auth, BreakerSettings, Config, Defaults, Found, Hedge, Limits, OnCut, Order, PRESETS, Protocol, Provider, Quirks, Route,
    SchemaStream, Share, Target, Times, Unsupported, fill, parse,
};
use serde_json::json;

fn read(document: &str) -> Config {
    parse(document).unwrap_or_else(|errors| panic!("{errors}\n{document}"))
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The design's own example.
const CONTRACT: &str = r#"
[defaults]                     # any route may override these, and any target within a route
deadline     = "120s"          # until a stream has begun, or an unstreamed answer is complete: attempts, retries and waits included
first_token  = "10s"           # until the first content of a streamed upstream call
stall        = "30s"           # between any two bytes of an upstream stream, pings included
max_duration = "30m"           # a stream that has begun
cache        = "off"           # or a time to live: "1h"

[providers.openai]             # a known name needs nothing more: protocols, address and secret's name are presets
[providers.n1n]
[providers.team-b]
preset   = "openai"            # a second account of a known provider; shares nothing but the preset
key      = "OPENAI_KEY_B"      # the name of a secret, never the secret
[providers.mine]
protocol = ["openai", "responses"]   # openai | responses | anthropic | gemini | workers-ai | bedrock | simulated; one or a list
base_url = "https://llm.example.com/v1"
keys     = ["MINE_KEY_1", "MINE_KEY_2"]
headers  = { "x-team" = "a" }
breaker  = { failures = 5, error_rate = 0.5, min_requests = 10, window = "30s", cooldown = "10s", max_cooldown = "5m" }

[routes.smart]
targets     = [ { target = "openai/o3", first_token = "60s" }, "anthropic/claude-sonnet-4-5", "deepseek/deepseek-chat" ]
order       = "listed"         # listed | fastest | weighted (weight = N on a target)
deadline    = "90s"
hedge_after = "p95"            # or "2s"; absent: no hedging
retries     = 1                # per target, before the next one
schema_retries = 2             # corrective retries when an answer breaks the requested JSON schema
cache       = "1h"
set         = { temperature = 0 }      # fields that the route decides

[routes."claude-*"]
extends = "smart"
"#;

/// What a preset says of itself is tested with the presets.
fn quirks(preset: &str) -> Quirks {
    PRESETS.iter().find(|known| known.name == preset).map_or(Quirks::default(), |known| known.quirks)
}

fn openai_like(name: &str, preset: &str, base_url: &str, keys: &[&str], stream_usage: bool) -> Provider {
    Provider {
        name: name.to_owned(),
        protocols: vec![Protocol::OpenAi],
        base_url: base_url.to_owned(),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        headers: Vec::new(),
        breaker: BreakerSettings {
            failures: 5,
            error_rate: 0.5,
            min_requests: 10,
            window: s(30),
            cooldown: s(10),
            max_cooldown: s(60),
        },
        quirks: Quirks { stream_usage, ..quirks(preset) },
        simulated: None,
    }
}

#[test]
fn the_contracts_example() {
    // Its route names two known providers that it does not configure.
    let config = read(CONTRACT);
    let times = Times { deadline: s(90), first_token: Some(s(10)), stall: s(30), max_duration: s(1800) };
    let set = json!({ "temperature": 0 }).as_object().cloned().expect("an object");
    let target = |provider, model: &str, times, first_token_set, silent_reasoner| Target {
        provider,
        model: model.to_owned(),
        weight: 1,
        times,
        retries: 1,
        cache: Some(s(3600)),
        first_token_set,
        silent_reasoner,
        set: set.clone(),
        own_set: serde_json::Map::default(),
    };
    let route = |name: &str| Route {
        name: name.to_owned(),
        targets: vec![
            target(0, "o3", Times { first_token: Some(s(60)), ..times }, true, true),
            target(4, "claude-sonnet-4-5", times, false, false),
            target(5, "deepseek-chat", times, false, false),
        ],
        order: Order::Listed,
        retries: 1,
        hedge_after: Some(Hedge::P95),
        schema_retries: 2,
        schema_stream: SchemaStream::Buffer,
        validate_tools: false,
        hold: None,
        on_cut: OnCut::Error,
        early_headers: false,
        unsupported: Unsupported::Mind,
        affinity: false,
        retry_budget: Some(Share::of_thousandths(800)),
        hedge_budget: Some(Share::of_thousandths(50)),
        cache: Some(s(3600)),
        stale_for: s(86_400),
        set: set.clone(),
        times,
    };
    let mut mine = openai_like("mine", "", "https://llm.example.com/v1", &["MINE_KEY_1", "MINE_KEY_2"], false);
    mine.protocols.push(Protocol::Responses);
    mine.headers = vec![("x-team".to_owned(), "a".to_owned())];
    mine.breaker.max_cooldown = s(300);
    let mut anthropic = openai_like("anthropic", "anthropic", "https://api.anthropic.com/v1", &["ANTHROPIC_API_KEY"], false);
    anthropic.protocols = vec![Protocol::Anthropic];

    let [mut openai, mut team] = [("openai", "OPENAI_API_KEY"), ("team-b", "OPENAI_KEY_B")]
        .map(|(name, key)| openai_like(name, "openai", "https://api.openai.com/v1", &[key], true));
    for account in [&mut openai, &mut team] {
        account.protocols = vec![Protocol::OpenAi, Protocol::Responses];
    }

    assert_eq!(
        config.providers,
        [
            openai,
            openai_like("n1n", "n1n", "https://api.n1n.ai/v1", &["N1N_API_KEY"], false),
            team,
            mine,
            anthropic,
            openai_like("deepseek", "deepseek", "https://api.deepseek.com/v1", &["DEEPSEEK_API_KEY"], true),
        ]
    );
    assert_eq!(config.routes, [route("smart"), route("claude-*")]);
    assert_eq!(config.default_route, None);
    assert_eq!(config.defaults, Defaults::default());
    assert_eq!((&config.auth, &config.cors, config.server_timing), (&None, &Vec::new(), false));
    assert_eq!(config.limits, Limits { max_body: 10 * 1024 * 1024, max_attempts: 6 });
    assert_eq!(config.notes(), [""; 0]);
}

#[test]
fn nothing_means_the_built_in_values() {
    let config = read("");
    let times = Times { deadline: s(120), first_token: Some(s(10)), stall: s(30), max_duration: s(1800) };
    let defaults = Defaults {
        times,
        cache: None,
        stale_for: s(86_400),
        order: Order::Listed,
        retries: 0,
        hedge_after: None,
        schema_retries: 1,
        schema_stream: SchemaStream::Buffer,
        validate_tools: false,
        hold: None,
        on_cut: OnCut::Error,
        early_headers: false,
        unsupported: Unsupported::Mind,
        affinity: None,
        retry_budget: Some(Share::of_thousandths(800)),
        hedge_budget: Some(Share::of_thousandths(50)),
    };
    assert_eq!(config.defaults, defaults);
    assert_eq!(config.limits, Limits { max_body: 10_485_760, max_attempts: 6 });
    assert_eq!((config.providers.len(), config.routes.len(), config.default_route, config.auth), (0, 0, None, None));
}

#[test]
fn defaults_and_the_gateways_own_settings() {
    let config = read(
        r#"
        [defaults]
        deadline = "1m 30s"
        first_token = "2500ms"
        stall = "5s"
        max_duration = "1h"
        cache = "1d"
        stale_for = "off"
        order = "fastest"
        retries = 2
        hedge_after = "2s"
        schema_retries = 4
        schema_stream = "live"
        validate_tools = true
        affinity = false
        retry_budget = 0.29
        hedge_budget = "off"
        max_attempts = 4
        max_body = "1MB"
        server_timing = true
        [auth]
        keys = "TEAM_KEYS"
        [cors]
        origins = ["*", "https://app.example.com", "http://localhost:3000"]
        "#,
    );
    let times = Times { deadline: s(90), first_token: Some(ms(2500)), stall: s(5), max_duration: s(3600) };
    let defaults = Defaults {
        times,
        cache: Some(s(86_400)),
        stale_for: Duration::ZERO,
        order: Order::Fastest,
        retries: 2,
        hedge_after: Some(Hedge::After(s(2))),
        schema_retries: 4,
        schema_stream: SchemaStream::Live,
        validate_tools: true,
        hold: None,
        on_cut: OnCut::Error,
        early_headers: false,
        unsupported: Unsupported::Mind,
        affinity: Some(false),
        retry_budget: Some(Share::of_thousandths(290)),
        hedge_budget: None,
    };
    assert_eq!(config.defaults, defaults);
    assert_eq!(config.limits, Limits { max_body: 1_000_000, max_attempts: 4 });
    assert_eq!(config.auth, Some(Auth { keys: "TEAM_KEYS".to_owned() }));
    assert_eq!(config.cors, ["*", "https://app.example.com", "http://localhost:3000"]);
    assert!(config.server_timing);
    assert_eq!(config.notes(), [""; 0]);
}

#[test]
fn body_limits() {
    for (text, bytes) in
        [("\"10MiB\"", 10_485_760), ("\"64 KiB\"", 65_536), ("\"2048B\"", 2048), ("1024", 1024), ("\"50331648\"", 50_331_648)]
    {
        assert_eq!(read(&format!("[defaults]\nmax_body = {text}")).limits.max_body, bytes, "{text}");
    }
}

#[test]
fn what_is_stated_nearer_wins() {
    let config = read(
        r#"
        [defaults]
        deadline = "100s"
        first_token = "9s"
        cache = "1h"
        hedge_after = "p95"
        [providers.simulated]
        [routes.child]
        extends = "parent"
        deadline = "80s"
        cache = "off"
        hedge_after = "off"
        set = { b = 2, c = { e = 1 } }
        [routes.parent]
        extends = "root"
        first_token = "7s"
        retries = 3
        order = "weighted"
        set = { a = 1, b = 1, c = { d = 1 } }
        targets = [{ target = "simulated/x", weight = 3, deadline = "50s", stall = "1s", max_duration = "2s", retries = 0, cache = "2h", set = { a = 9 } }, "simulated/o3"]
        [routes.root]
        targets = ["simulated/y", "simulated/o3", { target = "simulated/gpt-5", first_token = "40s" }]
        stale_for = "2d"
        "#,
    );
    let [child, parent, root] = config.routes.as_slice() else { panic!("three routes") };
    let first_tokens = |route: &Route| route.targets.iter().map(|target| target.times.first_token).collect::<Vec<_>>();

    assert_eq!(root.times, Times { deadline: s(100), first_token: Some(s(9)), stall: s(30), max_duration: s(1800) });
    assert_eq!(
        first_tokens(root),
        [Some(s(9)), None, Some(s(40))],
        "[defaults] are not said of a model that reasons in silence"
    );
    assert_eq!(root.targets.iter().map(|target| target.first_token_set).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!(root.targets.iter().map(|target| target.silent_reasoner).collect::<Vec<_>>(), [false, true, true]);
    assert_eq!((root.order, root.retries, root.cache, root.stale_for), (Order::Listed, 0, Some(s(3600)), s(172_800)));
    assert_eq!(root.hedge_after, Some(Hedge::P95));

    assert_eq!(parent.times, Times { deadline: s(100), first_token: Some(s(7)), stall: s(30), max_duration: s(1800) });
    assert_eq!(first_tokens(parent), [Some(s(7)), Some(s(7))], "a route's own is");
    assert_eq!((parent.order, parent.retries, parent.stale_for), (Order::Weighted, 3, s(172_800)));
    assert_eq!(json!(parent.set), json!({ "a": 1, "b": 1, "c": { "d": 1 } }));
    let [x, o3] = parent.targets.as_slice() else { panic!("two targets") };
    assert_eq!(x.times, Times { deadline: s(50), first_token: Some(s(7)), stall: s(1), max_duration: s(2) });
    assert_eq!((x.weight, x.retries, x.cache), (3, 0, Some(s(7200))));
    assert_eq!(json!(x.set), json!({ "a": 9, "b": 1, "c": { "d": 1 } }));
    assert_eq!((o3.weight, o3.retries, o3.cache, json!(o3.set)), (1, 3, Some(s(3600)), json!(parent.set)));

    assert_eq!(child.times, Times { deadline: s(80), first_token: Some(s(7)), stall: s(30), max_duration: s(1800) });
    assert_eq!((child.order, child.retries, child.cache, child.hedge_after), (Order::Weighted, 3, None, None));
    assert_eq!(json!(child.set), json!({ "a": 1, "b": 2, "c": { "e": 1 } }), "field by field, and no deeper");
    assert_eq!(child.targets.iter().map(|target| target.model.as_str()).collect::<Vec<_>>(), ["x", "o3"]);
    assert_eq!(child.targets.iter().map(|target| target.times.deadline).collect::<Vec<_>>(), [s(50), s(80)]);
    assert_eq!(child.targets.iter().map(|target| target.cache).collect::<Vec<_>>(), [Some(s(7200)), None]);
}

#[test]
fn fields_that_a_route_sets() {
    let config = read(
        r#"
        [providers.simulated]
        [routes.a]
        targets = ["simulated/x"]
        set = { temperature = 0.5, top_k = 0x1f, stop = ["a", 1, true], extra = { "odd key" = -9223372036854775808 } }
        "#,
    );
    let expected = json!({ "temperature": 0.5, "top_k": 31, "stop": ["a", 1, true], "extra": { "odd key": i64::MIN } });
    assert_eq!(config.routes.first().map(|route| json!(route.set)), Some(expected));
}

#[test]
fn providers() {
    let config = read(
        r#"
        [providers.ollama]
        [providers.far]
        preset = "ollama"
        base_url = "https://ollama.example.com/v1/"
        key = "OLLAMA_KEY"
        [providers.cloudflare]
        [providers.perplexity]
        [providers.open]
        preset = "groq"
        keys = []
        [providers.plain]
        base_url = "http://127.0.0.1:9000"
        headers = { X-Title = "a b", user-agent = "me/1" }
        breaker = { failures = 2, error_rate = 1, cooldown = "10m" }
        "#,
    );
    let find = |name: &str| config.providers.iter().find(|provider| provider.name == name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(*find("ollama"), openai_like("ollama", "ollama", "http://127.0.0.1:11434/v1", &[], true));
    assert_eq!(*find("far"), openai_like("far", "ollama", "https://ollama.example.com/v1", &["OLLAMA_KEY"], true));
    assert_eq!(find("perplexity").quirks, quirks("perplexity"));
    assert!(find("perplexity").quirks.done_may_be_missing && !find("perplexity").quirks.stream_usage);
    assert_eq!(*find("open"), openai_like("open", "groq", "https://api.groq.com/openai/v1", &[], true));
    let mut plain = openai_like("plain", "", "http://127.0.0.1:9000", &[], false);
    plain.headers = vec![("x-title".to_owned(), "a b".to_owned()), ("user-agent".to_owned(), "me/1".to_owned())];
    plain.breaker =
        BreakerSettings { failures: 2, error_rate: 1.0, cooldown: s(600), max_cooldown: s(600), ..BreakerSettings::default() };
    assert_eq!(*find("plain"), plain, "the longest cooldown is never less than the first");

    let account = |name: &str| (name == "CLOUDFLARE_ACCOUNT_ID").then(|| "0a1b".to_owned());
    let address = &find("cloudflare").base_url;
    assert_eq!(fill(address, &account).as_deref(), Ok("https://api.cloudflare.com/client/v4/accounts/0a1b/ai/v1"));
    assert_eq!(fill(address, &|_| None), Err(vec!["CLOUDFLARE_ACCOUNT_ID".to_owned()]));
}

#[test]
fn simulated_providers() {
    let config = read(
        r#"
        [providers.sim]
        protocol = "simulated"
        first_token = "200ms"
        error = "refuse"
        [providers.sim.models.primary]
        fail = [500, "hang", "cut:3", "ok", "stall"]
        cycle = true
        latency = "1s"
        first_token = "0s"
        pace = "20ms"
        error_rate = 1
        seed = 7
        text = "hello"
        piece = 2
        [providers.sim.models."org/other"]
        error = 503
        error_rate = 0.25
        "#,
    );
    let base = Behaviour { first_token: ms(200), error: Fault::Refuse, ..Behaviour::default() };
    let primary = Behaviour {
        fail: vec![Fault::Status(500), Fault::Hang, Fault::Cut(3), Fault::Ok, Fault::Stall(0)],
        cycle: true,
        latency: s(1),
        first_token: Duration::ZERO,
        pace: ms(20),
        error_rate: 1.0,
        error: Fault::Refuse,
        seed: 7,
        text: Some("hello".to_owned()),
        piece: 2,
    };
    let other = Behaviour { error: Fault::Status(503), error_rate: 0.25, ..base.clone() };
    let models = vec![("primary".to_owned(), primary.clone()), ("org/other".to_owned(), other.clone())];
    let simulated = config.providers.first().and_then(|provider| provider.simulated.clone()).expect("simulated");
    assert_eq!(simulated, Simulated { base: base.clone(), models });
    for (model, expected) in [("primary", &primary), ("org/other", &other), ("anything", &base)] {
        assert_eq!(simulated.behaviour(model), expected, "{model}");
    }
}

#[test]
fn names_are_found() {
    let document = r#"
        [defaults]
        deadline = "60s"
        [providers.sim]
        protocol = "simulated"
        [providers.aws]
        protocol = "bedrock"
        base_url = "https://bedrock.example.com"
        [routes."gpt-*"]
        targets = ["sim/a"]
        [routes."gpt-4o*"]
        targets = ["sim/b"]
        [routes."*-mini"]
        targets = ["sim/c"]
        [routes."*-4o-m"]
        targets = ["sim/d"]
        [routes.gpt-4o-exact]
        targets = ["sim/e"]
        [routes."sim/hidden"]
        targets = ["sim/f"]
        [routes."sim/pat*"]
        targets = ["sim/g"]
        [routes.unsupported]
        targets = ["aws/claude"]
    "#;
    let with_default = format!("{document}\n[routes.default]\ntargets = [\"sim/h\"]\n");
    let rows = [
        ("an exact name wins over a pattern", "gpt-4o-exact", "route gpt-4o-exact"),
        ("a pattern", "gpt-3.5", "route gpt-*"),
        ("the one that decides more", "gpt-4o-2024", "route gpt-4o*"),
        ("wherever it does", "gpt-4o-mini", "route gpt-4o*"),
        ("of equals the first", "gpt-4o-m", "route gpt-4o*"),
        ("at the end", "o9-mini", "route *-mini"),
        ("an exact name wins over a target", "sim/hidden", "route sim/hidden"),
        ("a pattern does", "sim/pattern", "route sim/pat*"),
        ("a target", "sim/model", "direct 0 model"),
        ("all after the first slash is the model", "sim/org/model", "direct 0 org/model"),
        ("a route that nobody can answer is a route", "unsupported", "route unsupported"),
        ("no model", "sim/", "unknown"),
        ("a model that none can be", "sim/a b", "unknown"),
        ("no such provider", "openai/o3", "unknown"),
        ("a provider that is not supported", "aws/claude", "unknown"),
        ("a provider alone", "sim", "unknown"),
        ("names are case-sensitive", "GPT-4o", "unknown"),
        ("nothing", "", "unknown"),
    ];
    for (default, document) in [(false, document), (true, &with_default)] {
        let config = read(document);
        for (name, model, expected) in rows {
            let found = match config.find(model) {
                Found::Route(route) => format!("route {}", route.name),
                Found::Direct { provider, model, times } => {
                    assert_eq!(times.deadline, s(60));
                    format!("direct {provider} {model}")
                }
                Found::Unknown => "unknown".to_owned(),
            };
            let expected = if default && expected == "unknown" { "route default" } else { expected };
            assert_eq!(found, expected, "{name}, with{} default", if default { "" } else { "out" });
        }
    }
    assert!(matches!(read(&with_default).find("default"), Found::Route(route) if route.name == "default"));
}

#[test]
fn a_direct_target_that_reasons_in_silence_has_its_slice() {
    let config = read("[providers.openai]");
    for (model, expected) in [("openai/o3", None), ("openai/gpt-4.1", Some(s(10)))] {
        let Found::Direct { times, .. } = config.find(model) else { panic!("{model}") };
        assert_eq!(times.first_token, expected, "{model}");
    }
}

#[test]
fn targets_that_are_not_supported_are_left_out() {
    let config = read(
        r#"
        [providers.workers]
        protocol = "workers-ai"
        base_url = "https://workers.example.com"
        [providers.claude]
        preset = "anthropic"
        protocol = ["bedrock", "anthropic"]
        [providers.aws]
        protocol = ["bedrock", "workers-ai"]
        base_url = "https://bedrock.example.com"
        [routes.a]
        targets = ["workers/x", "claude/x", "aws/x"]
        [routes.b]
        targets = ["workers/x"]
        "#,
    );
    let targets: Vec<Vec<usize>> =
        config.routes.iter().map(|route| route.targets.iter().map(|target| target.provider).collect()).collect();
    assert_eq!(targets, [vec![1], vec![]]);
    assert_eq!(
        config.notes(),
        [
            "providers.workers: protocol workers-ai is not supported by this version; its targets are left out",
            "providers.claude: protocol bedrock is not in effect in this version",
            "providers.aws: protocol bedrock, workers-ai is not supported by this version; its targets are left out",
        ]
    );
}
