//! What a request may ask of the cache, and when an entry is served.

use std::time::Duration;

use breakwater::cache::{Directives, Entry, Freshness, Plan, encode};
use breakwater::dialect::Dialect;
use breakwater::time::Timestamp;
use breakwater::trace::Trace;
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const ANSWER: &str = r#"{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}"#;

fn plan(route: Option<Duration>, control: &str, ttl: Option<&str>) -> Plan {
    Plan::new(route, DAY, Directives::parse(Some(control), ttl).unwrap())
}

/// An entry that was stored for `ttl` at [`NOW`].
fn entry(ttl: Duration) -> Entry {
    let stored = encode("k", Dialect::Chat, ANSWER.to_owned(), "a/b", NOW, &plan(Some(ttl), "", None)).unwrap();
    Entry::decode("k", stored.value, &stored.metadata).unwrap()
}

/// Everything that a plan has to say, with an entry that is fresh for an hour as its example.
#[derive(Debug, PartialEq)]
struct Says {
    looks_up: bool,
    stores: bool,
    only_if_cached: bool,
    word: &'static str,
    /// The greatest age in seconds at which it is a hit.
    oldest_hit: Option<u64>,
    /// The greatest age in seconds at which it may be stale.
    oldest_stale: Option<u64>,
}

fn says(plan: &Plan) -> Says {
    let entry = entry(HOUR);
    let oldest = |wanted: &str| {
        let ages = (0..=25 * 3600).rev();
        ages.into_iter().find(|age| entry.freshness(NOW + Duration::from_secs(*age), plan).word() == Some(wanted))
    };
    Says {
        looks_up: plan.looks_up(),
        stores: plan.stores(),
        only_if_cached: plan.only_if_cached(),
        word: plan.word(),
        oldest_hit: oldest("hit"),
        oldest_stale: oldest("stale"),
    }
}

#[test]
fn directives_are_read_as_the_rfc_has_them() {
    let all = || Says {
        looks_up: true,
        stores: true,
        only_if_cached: false,
        word: "miss",
        oldest_hit: Some(3599),
        oldest_stale: Some(25 * 3600 - 1),
    };
    let bypass = || Says { looks_up: false, stores: false, word: "bypass", oldest_hit: None, oldest_stale: None, ..all() };
    let no_cache = || Says { looks_up: false, oldest_hit: None, oldest_stale: None, ..all() };
    let aged = |seconds: Option<u64>| Says { oldest_hit: seconds, oldest_stale: None, ..all() };
    let only = |says: Says| Says { only_if_cached: true, ..says };
    let rows: [(&str, &str, Says); 35] = [
        ("nothing", "", all()),
        ("no-store", "no-store", bypass()),
        ("no-cache", "no-cache", no_cache()),
        ("only-if-cached", "only-if-cached", only(all())),
        ("max-age", "max-age=10", aged(Some(10))),
        ("max-age beyond the route's", "max-age=86400", aged(Some(3599))),
        ("max-age of nothing", "max-age=0", aged(None)),
        ("any case", "No-StoRe", bypass()),
        ("white space", " \tno-cache\t , max-age = 5 ", no_cache()),
        ("several", "no-cache, only-if-cached", only(no_cache())),
        ("several, no-store among them", "max-age=5, no-store, only-if-cached", only(bypass())),
        ("empty parts", ",, ,max-age=7,", aged(Some(7))),
        ("quoted", r#"max-age="10""#, aged(Some(10))),
        ("half quoted", r#"max-age="10"#, aged(None)),
        ("the smaller of two", "max-age=10, max-age=5", aged(Some(5))),
        ("the smaller of two, the other way round", "max-age=5, max-age=10", aged(Some(5))),
        ("one of two is no number", "max-age=10, max-age=x", aged(None)),
        ("no number", "max-age=ten", aged(None)),
        ("no argument", "max-age", aged(None)),
        ("an empty argument", "max-age=", aged(None)),
        ("a negative one", "max-age=-1", aged(None)),
        ("one with a sign", "max-age=+10", aged(None)),
        ("a fraction", "max-age=1.5", aged(None)),
        ("too large for 32 bits", "max-age=4294967296", aged(Some(3599))),
        ("too large for 64 bits", "max-age=99999999999999999999", aged(Some(3599))),
        ("an argument where none belongs", "no-store=x", bypass()),
        ("unknown ones", "max-stale=5, min-fresh=5, stale-if-error=5, no-transform, private, public", all()),
        ("a name within another", "x-no-store, no-storey, no store", all()),
        ("a name as an argument", "x=no-store, y=\"no-cache\"", all()),
        ("a name within quotes", r#"x="a, no-store, b""#, all()),
        ("and one behind them", r#"x="a, no-store, b", no-cache"#, no_cache()),
        ("an escaped quote within them", r#"x="a\", no-store", no-cache"#, no_cache()),
        ("an escaped backslash before their end", r#"x="a\\", no-store"#, bypass()),
        ("quotes that never end", r#"no-cache, x="a, no-store"#, no_cache()),
        ("not ASCII", "é, no-caché, no-cache", no_cache()),
    ];
    for (name, control, expected) in rows {
        assert_eq!(says(&plan(Some(HOUR), control, None)), expected, "{name}");
    }
}

#[test]
fn a_client_can_only_shorten_the_routes_time() {
    let rows: [(&str, Option<u64>, &str, Option<u64>); 9] = [
        ("the route's", Some(3600), "", Some(3599)),
        ("shorter", Some(3600), "60", Some(59)),
        ("longer", Some(3600), "86400", Some(3599)),
        ("far longer", Some(3600), "99999999999999999999999", Some(3599)),
        ("with white space", Some(3600), " 60 ", Some(59)),
        ("nothing", Some(3600), "0", None),
        ("of a route that does not cache", None, "", None),
        ("asked of a route that does not cache", None, "60", None),
        ("of a route that has been shortened since", Some(30), "", Some(29)),
    ];
    for (name, route, ttl, hit) in rows {
        let plan = plan(route.map(Duration::from_secs), "", (!ttl.is_empty()).then_some(ttl));
        let got = says(&plan);
        assert_eq!((got.oldest_hit, got.stores, got.looks_up), (hit, hit.is_some(), hit.is_some()), "{name}");
    }
    // The route's own time may be longer than what an entry was stored for.
    assert_eq!(says(&plan(Some(DAY), "", None)).oldest_hit, Some(3599));
}

#[test]
fn a_ttl_that_is_no_number_is_the_clients_error() {
    for ttl in ["", " ", "x", "-1", "+1", "1.5", "1h", "1 2", "\"60\"", "0x10", "٣"] {
        let error = Directives::parse(None, Some(ttl)).expect_err(ttl);
        let body: Value = serde_json::from_str(&error.body(Dialect::Chat, &Trace::default())).unwrap();
        let expected = json!({ "error": {
            "message": format!("x-breakwater-cache-ttl is '{ttl}'; it takes a whole number of seconds"),
            "type": "invalid_request_error",
            "param": "x-breakwater-cache-ttl",
            "code": "invalid_request",
            "attempts": [],
        } });
        assert_eq!((error.status(), body), (400, expected), "{ttl}");
    }
}

#[test]
fn only_if_cached_holds_where_nothing_is_cached() {
    let directives = Directives::parse(Some("only-if-cached"), None).unwrap();
    let plan = Plan::new(None, DAY, directives);
    assert!(plan.only_if_cached() && plan.is_bypass());
    assert!(!Plan::bypass().only_if_cached() && Plan::bypass().is_bypass());
}

#[test]
fn an_entry_is_fresh_then_stale_then_gone() {
    let (fresh, stale) = (Freshness::Fresh as fn(Duration) -> Freshness, Freshness::Stale as fn(Duration) -> Freshness);
    // Stored for a minute, with an hour to be stale: the request's plan, the age in milliseconds, and what becomes of it.
    let rows: [(&str, Plan, i64, Option<fn(Duration) -> Freshness>); 19] = {
        let plan =
            |control: &str, ttl| Plan::new(Some(Duration::from_mins(1)), HOUR, Directives::parse(Some(control), ttl).unwrap());
        [
            ("just stored", plan("", None), 0, Some(fresh)),
            ("a moment before its end", plan("", None), 59_999, Some(fresh)),
            ("its end", plan("", None), 60_000, Some(stale)),
            ("a moment before it is forgotten", plan("", None), 3_659_999, Some(stale)),
            ("forgotten", plan("", None), 3_660_000, None),
            ("as old as was allowed", plan("max-age=5", None), 5_000, Some(fresh)),
            ("a moment older", plan("max-age=5", None), 5_001, None),
            ("younger than was allowed, but no longer fresh", plan("max-age=600", None), 60_000, None),
            ("a fresh one was asked for", plan("max-age=0", None), 0, None),
            ("no-cache", plan("no-cache", None), 1, None),
            ("no-cache, and it would be stale", plan("no-cache", None), 60_000, None),
            ("no-store", plan("no-store", None), 1, None),
            ("the client's own time", plan("", Some("10")), 9_999, Some(fresh)),
            ("beyond the client's own time", plan("", Some("10")), 10_000, Some(stale)),
            ("beyond that and what may be stale", plan("", Some("10")), 3_610_000, None),
            ("a clock that is behind", plan("", None), -60_000, Some(fresh)),
            ("a clock that is behind what a clock can be", plan("", None), -60_001, None),
            ("no staleness allowed", Plan::new(Some(HOUR), Duration::ZERO, Directives::default()), 60_000, None),
            ("a route that no longer caches", Plan::new(None, HOUR, Directives::default()), 1, None),
        ]
    };
    for (name, plan, age, expected) in rows {
        let now = Timestamp::from_millis(NOW.as_millis().checked_add_signed(age).unwrap());
        let age = Duration::from_millis(u64::try_from(age).unwrap_or(0));
        let expected = expected.map_or(Freshness::Unusable, |state| state(age));
        assert_eq!(entry(Duration::from_mins(1)).freshness(now, &plan), expected, "{name}");
    }
}
