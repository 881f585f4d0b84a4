//! The JSON Schema Test Suite's required tests of both drafts: all of them, but for what would have to be fetched, which is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout, reason = "a test ends when it is wrong")]

use std::fs;
use std::path::{Path, PathBuf};

use breakwater_schema::{Draft, Schema};
use serde_json::Value;

fn suite() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/json-schema-test-suite")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    files
}

/// What became of a folder's tests.
#[derive(Default)]
struct Counts {
    passed: usize,
    remote: Vec<String>,
    wrong: Vec<String>,
}

fn run(files: &[PathBuf], draft: Draft) -> Counts {
    let mut counts = Counts::default();
    for path in files {
        let groups: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        for group in groups.as_array().unwrap() {
            let tests = group["tests"].as_array().unwrap();
            let name = format!("{}: {}", path.file_name().unwrap().to_str().unwrap(), group["description"].as_str().unwrap());
            let schema = match Schema::compile_as(&group["schema"], draft) {
                Ok(schema) => schema,
                Err(refusal) => {
                    counts.remote.extend(tests.iter().map(|_| format!("{name}: {} at {}", refusal.message, refusal.at)));
                    continue;
                }
            };
            for test in tests {
                let name = format!("{name}: {}", test["description"].as_str().unwrap());
                let found = schema.is_valid(&test["data"]);
                let told = schema.check(&test["data"], 8);
                assert_eq!(told.is_ok(), found, "{name}: {told:?}");
                if found == test["valid"].as_bool().unwrap() {
                    counts.passed += 1;
                } else {
                    counts.wrong.push(name);
                }
            }
        }
    }
    counts
}

#[test]
fn required() {
    for (folder, draft) in [("draft7", Draft::Seven), ("draft2020-12", Draft::Latest)] {
        let files = files(&suite().join("tests").join(folder));
        assert!(files.len() > 30, "{folder}");
        let Counts { passed, remote, wrong } = run(&files, draft);
        println!("{folder}: {passed} passed, {} refused as they refer to what would have to be fetched:", remote.len());
        let mut names = remote.clone();
        names.dedup();
        for name in names {
            println!("  {name}");
        }
        assert_eq!(wrong, Vec::<String>::new(), "{folder}");
        for name in &remote {
            assert!(name.contains("nothing is fetched") || name.contains("/$schema"), "{name}");
        }
        assert!(passed > 850 && remote.len() < 80, "{folder}");
    }
}

#[test]
fn patterns_beyond_what_is_required_are_right_or_refused() {
    for (folder, draft) in [("draft7", Draft::Seven), ("draft2020-12", Draft::Latest)] {
        let optional = suite().join("tests").join(folder).join("optional");
        let files: Vec<PathBuf> = ["ecmascript-regex", "non-bmp-regex", "bignum", "float-overflow"]
            .iter()
            .map(|name| optional.join(format!("{name}.json")))
            .filter(|path| path.exists())
            .collect();
        let Counts { passed, remote, wrong } = run(&files, draft);
        println!("{folder}, optional: {passed} passed, {} refused, {} wrong: {wrong:#?}", remote.len(), wrong.len());
        assert!(wrong.iter().all(|name| !name.contains("look")), "{wrong:?}");
    }
}
