//! Tables of records, credentials and hosts.

use sha2::{Digest, Sha256};

use super::*;

fn hash(key: &str) -> String {
    crate::secret::hex(&Sha256::digest(key))
}

fn caller(name: &str, scope: &str, routes: Option<&[&str]>, direct: bool) -> Caller {
    let routes = routes.map(|routes| routes.iter().map(|route| (*route).to_owned()).collect());
    Caller { name: name.to_owned(), scope: scope.to_owned(), routes, direct, admin: false }
}

#[test]
fn records_that_are_read() {
    let rows = [
        ("name and hash", "alice:HASH", caller("alice", "alice", None, false)),
        ("upper-case hash", "alice:UPPER", caller("alice", "alice", None, false)),
        ("routes", "a.b-c_1:HASH routes=smart,claude-*", caller("a.b-c_1", "a.b-c_1", Some(&["smart", "claude-*"]), false)),
        ("direct", "alice:HASH direct=yes", caller("alice", "alice", None, true)),
        ("not direct", "alice:HASH direct=no", caller("alice", "alice", None, false)),
        ("scope", "alice:HASH scope=team-a", caller("alice", "team-a", None, false)),
        (
            "all, in any order and with any blanks",
            "  bob:HASH \t scope=t   direct=yes routes=fast  ",
            caller("bob", "t", Some(&["fast"]), true),
        ),
    ];
    for (row, line, expected) in rows {
        let line = line.replace("HASH", &hash("key")).replace("UPPER", &hash("key").to_uppercase());
        let (keyring, problems) = Keyring::parse([("GATEWAY_KEYS", line.as_str())]);
        assert_eq!(problems, Vec::<String>::new(), "{row}");
        assert_eq!(keyring.check("key"), Some(&expected), "{row}");
    }
}

#[test]
fn records_that_are_left_out() {
    let no_hash = "what follows its name is not 64 hexadecimal digits: the SHA-256 of a key, not the key itself";
    let name = "its name is not of 1 to 64 letters, digits, - _ and .";
    let rows = [
        ("no colon", "alice", "it does not begin with name:sha256-in-hex"),
        ("no name", ":HASH", name),
        ("odd name", "al/ice:HASH", name),
        ("the key itself", "alice:sk-secret-key", no_hash),
        ("short hash", "alice:abc", no_hash),
        ("not hexadecimal, and not ASCII", "alice:éééééééééééééééééééééééééééééééé", no_hash),
        ("an unknown option must not be ignored", "alice:HASH route=smart", "an option is none of routes, direct and scope"),
        ("no option", "alice:HASH smart", "an option is not of the form routes=…, direct=… or scope=…"),
        ("twice", "alice:HASH direct=no direct=yes", "an option is there twice"),
        ("no routes", "alice:HASH routes=", "routes= is not a list such as routes=smart,fast"),
        ("an empty route", "alice:HASH routes=smart,,fast", "routes= is not a list such as routes=smart,fast"),
        ("direct", "alice:HASH direct=true", "direct= is neither yes nor no"),
        ("scope", "alice:HASH scope=", "scope= is not of 1 to 64 letters, digits, - _ and ."),
    ];
    for (row, line, problem) in rows {
        let text = format!("# callers\n\n{}\ngood:{}", line.replace("HASH", &hash("key")), hash("good"));
        let (keyring, problems) = Keyring::parse([("GATEWAY_KEYS", text.as_str())]);
        assert_eq!(problems, [format!("GATEWAY_KEYS, line 3, is left out: {problem}")], "{row}");
        assert_eq!(keyring.check("key"), None, "{row}");
        assert_eq!(keyring.check("good").map(|caller| caller.name.as_str()), Some("good"), "{row}");
    }
}

#[test]
fn secrets_are_merged() {
    let text = |name: &str| match name {
        "TEAM" => Some(format!("one:{}", hash("1"))),
        "TEAM_2" => Some(format!("two:{}\r\nagain:{}\r\n", hash("2"), hash("1"))),
        "TEAM_9" => Some(format!("nine:{}", hash("9"))),
        "TEAM_1" | "TEAM_10" => Some(format!("none:{}", hash("10"))),
        _ => None,
    };
    let (keyring, problems) = read_keys("TEAM", &text);
    assert_eq!(problems, ["TEAM_2, line 2, is left out: the key is that of 'one' already"]);
    let names = ["1", "2", "9", "10", ""].map(|key| keyring.check(key).map(|caller| caller.name.as_str()));
    assert_eq!(names, [Some("one"), Some("two"), Some("nine"), None, None]);
}

#[test]
fn every_record_is_found_wherever_it_stands() {
    let lines: Vec<String> = (0..100).map(|number| format!("n{number}:{}", hash(&format!("key {number}")))).collect();
    let text = lines.join("\n");
    let (keyring, problems) = Keyring::parse([("K", text.as_str())]);
    assert!(problems.is_empty());
    for number in 0..100 {
        let found = keyring.check(&format!("key {number}")).map(|caller| caller.name.clone());
        assert_eq!(found, Some(format!("n{number}")));
    }
    assert_eq!(keyring.check("key 100"), None);
}

#[test]
fn what_a_caller_may_use() {
    let some = caller("a", "a", Some(&["smart", "claude-*"]), false);
    let any = caller("b", "b", None, true);
    for (route, allowed) in [("smart", true), ("claude-*", true), ("claude-3", false), ("fast", false), ("", false)] {
        assert_eq!(some.may_use_route(route), allowed, "{route}");
        assert!(any.may_use_route(route), "{route}");
        assert!(Caller::anyone().may_use_route(route), "{route}");
    }
    assert_eq!([&some, &any, &Caller::anyone()].map(Caller::may_name_targets), [false, true, true]);
}

#[test]
fn routes_that_do_not_exist_are_told() {
    let text = format!("a:{} routes=smart,smrt\nb:{}\nc:{} routes=gone", hash("a"), hash("b"), hash("c"));
    let (keyring, _) = Keyring::parse([("K", text.as_str())]);
    assert_eq!(keyring.unknown_routes(&["smart", "fast"]), [("a", "smrt"), ("c", "gone")]);
}

type CredentialRow<'a> = (&'a str, &'a [(&'static str, &'a str)], Result<(), String>);

#[test]
fn credentials() {
    let (keyring, _) = Keyring::parse([("K", format!("alice:{}", hash("key")).as_str())]);
    let how = "send one as `authorization: Bearer …` or `x-api-key: …`";
    let not_bearer = format!("the authorization header is not a bearer token; {how}");
    let empty = format!("the authorization header holds no key; {how}");
    let unknown = "the key is not one of this gateway's".to_owned();
    let rows: [CredentialRow<'_>; 12] = [
        ("bearer", &[("authorization", "Bearer key")], Ok(())),
        ("in any case, with blanks", &[("authorization", " bEARER   key ")], Ok(())),
        ("Anthropic's", &[("x-api-key", "key")], Ok(())),
        ("Azure's", &[("api-key", " key ")], Ok(())),
        ("bearer goes first", &[("x-api-key", "key"), ("authorization", "Bearer other")], Err(unknown.clone())),
        ("unknown", &[("authorization", "Bearer other")], Err(unknown.clone())),
        ("the hash is no key", &[("x-api-key", &hash("key"))], Err(unknown)),
        ("basic", &[("authorization", "Basic a2V5")], Err(not_bearer.clone())),
        ("no scheme", &[("authorization", "key")], Err(not_bearer)),
        ("no token", &[("authorization", "Bearer ")], Err(empty)),
        ("empty", &[("x-api-key", "")], Err(format!("the request has no key; {how}"))),
        ("none", &[], Err(format!("the request has no key; {how}"))),
    ];
    for (row, headers, expected) in rows {
        let headers: Headers = headers.iter().map(|(name, value)| (*name, *value)).collect();
        let expected = expected.map(|()| caller("alice", "alice", None, false));
        assert_eq!(identify(&keyring, &headers), expected, "{row}");
    }
}

#[test]
fn without_keys_nobody_is_let_in() {
    let headers: Headers = [("authorization", "Bearer key")].into_iter().collect();
    let message = "this gateway has no keys, and so lets nobody in; `make key NAME=alice` makes one and says where to put it";
    assert_eq!(identify(&Keyring::default(), &headers), Err(message.to_owned()));
}

#[test]
fn hosts() {
    for own in ["localhost", "LOCALHOST", "127.0.0.1", "127.255.0.3", "[::1]", "[0:0:0:0:0:0:0:1]"] {
        assert!(is_loopback(own), "{own}");
    }
    for foreign in [
        "",
        "example.com",
        "localhost.example.com",
        "app.localhost",
        "localhost.",
        "127.0.0.1.nip.io",
        "127.1",
        "0127.0.0.1",
        "128.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "::1",
        "[::2]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::1",
        "localhost:8787",
    ] {
        assert!(!is_loopback(foreign), "{foreign}");
    }
}

#[test]
fn no_digest_is_printed() {
    let (keyring, _) = Keyring::parse([("K", format!("alice:{}", hash("key")).as_str())]);
    let printed = format!("{keyring:?}");
    assert!(printed.contains("alice") && !printed.contains("digest"), "{printed}");
}

#[test]
fn an_operators_key_is_a_callers_too() {
    let text = |name: &str| match name {
        "GATEWAY_KEYS" => Some(format!("alice:{}", hash("1"))),
        "ADMIN_KEYS" => Some(format!("root:{}\nalice-again:{}", hash("2"), hash("1"))),
        "ADMIN_KEYS_2" => Some(format!("tester:{} routes=smart direct=no", hash("3"))),
        _ => None,
    };
    let (mut keyring, problems) = read_keys("GATEWAY_KEYS", &text);
    assert_eq!((problems.len(), keyring.has_admins()), (0, false));
    let problems = keyring.read(Rank::Admin, "ADMIN_KEYS", &text);
    assert_eq!(problems, ["ADMIN_KEYS, line 2, is left out: the key is that of 'alice' already"]);
    assert!(keyring.has_admins());
    let may = |key: &str| {
        let caller = keyring.check(key).unwrap();
        (caller.is_admin(), caller.may_name_targets(), caller.may_use_route("fast"))
    };
    assert_eq!([may("1"), may("2"), may("3")], [(false, false, true), (true, true, true), (true, false, false)]);
    assert!(!Caller::anyone().is_admin());
}
