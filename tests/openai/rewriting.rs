//! However a request is rewritten, it says the same: any request, any fields that a route decides, spliced or put together anew.

use breakwater::dialect::Dialect;
use breakwater::envelope::{Envelope, encode};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,10}".prop_map(Value::from),
        Just(json!("\"model\":\"m\"")),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("(model|models|[a-z\"\\\\é]{1,4})", inner, 0..4)
                .prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

/// Members that the gateway does not know.
fn unknown() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map("z[a-z\"\\\\é \n]{0,4}", value(), 0..6).prop_map(|fields| fields.into_iter().collect())
}

fn written(members: &Map<String, Value>, pretty: bool) -> String {
    let value = Value::Object(members.clone());
    if pretty { format!("{value:#}") } else { value.to_string() }
}

fn read(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn it_says_the_same(
        unknown in unknown(),
        set in unknown(),
        shared in prop::option::of(value()),
        model in "\\PC{1,12}",
        target in "\\PC{1,12}",
        messages in prop::collection::vec(value(), 0..3),
        stream in prop::option::of(any::<bool>()),
        options in prop::option::of(prop::option::of(any::<bool>())),
        chain in any::<bool>(),
        force_usage in any::<bool>(),
        pretty in any::<bool>(),
    ) {
        let mut request = unknown;
        request.insert("model".to_owned(), model.clone().into());
        request.insert("messages".to_owned(), messages.into());
        if let Some(stream) = stream {
            request.insert("stream".to_owned(), stream.into());
        }
        if let Some(usage) = options {
            request.insert("stream_options".to_owned(), json!({ "include_usage": usage, "z": 1 }));
        }
        let mut set = set;
        if let Some(value) = shared {
            request.insert("temperature".to_owned(), 1.into());
            set.insert("temperature".to_owned(), value);
        }
        // What must come out, member by member.
        let mut expected = request.clone();
        expected.insert("model".to_owned(), target.clone().into());
        expected.extend(set.clone());
        if force_usage && stream == Some(true) && options.flatten() != Some(true) {
            let options = expected.entry("stream_options").or_insert_with(|| json!({}));
            options["include_usage"] = true.into();
        }
        if chain {
            request.insert("models".to_owned(), json!(["a", "b"]));
        }
        let body = written(&request, pretty);
        let envelope = Envelope::parse(Dialect::Chat, &body).unwrap();
        let names: Vec<&str> = envelope.names().collect();
        prop_assert_eq!(names[0], model.as_str());
        prop_assert_eq!(read(&encode(&envelope, &target, &set, force_usage)), expected);

        // Spliced where nothing else changes, and put together where a chain goes: the same members.
        let plain = encode(&envelope, &target, &Map::new(), false);
        request.remove("models");
        let spliced = written(&request, pretty);
        let spliced = encode(&Envelope::parse(Dialect::Chat, &spliced).unwrap(), &target, &Map::new(), false);
        prop_assert_eq!(read(&plain), read(&spliced));
    }
}
