//! The JSON Schema Test Suite's required tests of both drafts: all of them, but for what would have to be fetched, which is refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test ends when it is wrong"
)]

use std::fs;
use std::path::{Path, PathBuf};

use breakwater_schema::{Draft, Refusal, Schema};
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

/// What became of tests: how many passed, which schemas were refused, in which file, and which verdicts were wrong.
#[derive(Default)]
struct Counts {
    passed: usize,
    refused: Vec<(String, Refusal)>,
    /// Tests of these.
    untested: usize,
    wrong: Vec<String>,
}

fn run(files: &[PathBuf], draft: Draft) -> Counts {
    let mut counts = Counts::default();
    for path in files {
        let groups: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let file = path.file_name().unwrap().to_str().unwrap();
        for group in groups.as_array().unwrap() {
            let tests = group["tests"].as_array().unwrap();
            let schema = match Schema::compile_as(&group["schema"], draft) {
                Ok(schema) => schema,
                Err(refusal) => {
                    counts.refused.push((file.to_owned(), refusal));
                    counts.untested += tests.len();
                    continue;
                }
            };
            for test in tests {
                let name = format!("{file}: {}: {}", group["description"], test["description"]);
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

/// The folder of each draft, where the suite is there.
fn drafts() -> Vec<(&'static str, PathBuf, Draft)> {
    let tests = suite().join("tests");
    if !tests.exists() {
        println!("{} is not there: nothing is tested", tests.display());
        return Vec::new();
    }
    [("draft7", Draft::Seven), ("draft2020-12", Draft::Latest)].map(|(name, draft)| (name, tests.join(name), draft)).into()
}

#[test]
fn required() {
    for (name, folder, draft) in drafts() {
        let files = files(&folder);
        assert!(files.len() > 30, "{name}");
        let Counts { passed, refused, untested, wrong } = run(&files, draft);
        println!(
            "{name}: {passed} passed; {untested} of {} schemas not, as they refer to what would have to be fetched:",
            refused.len()
        );
        for (file, Refusal { at, message }) in &refused {
            println!("  {file}: at {at}: {message}");
        }
        assert_eq!(wrong, Vec::<String>::new(), "{name}");
        for (file, refusal) in &refused {
            let remote = match file.as_str() {
                "refRemote.json" => true,
                // Some of these extend a schema that is elsewhere, or are of a metaschema that is.
                "dynamicRef.json" | "vocabulary.json" => draft == Draft::Latest,
                _ => false,
            };
            let is_clear = refusal.at.ends_with("/$ref")
                && refusal.message.contains("is not in this schema, and nothing is fetched")
                || refusal.at == "/$schema" && refusal.message.contains("\"http://localhost:1234/");
            assert!(remote && is_clear, "{name}: {file}: {refusal:?}");
        }
        assert!(passed > 900 && refused.len() < 25, "{name}");
    }
}

/// What is beyond the required: patterns and large numbers must be right or refused; the rest is counted.
#[test]
fn optional() {
    for (name, folder, draft) in drafts() {
        for path in files(&folder.join("optional")) {
            let file = path.file_stem().unwrap().to_str().unwrap();
            if file.starts_with("format") {
                continue;
            }
            let Counts { passed, refused, untested, wrong } = run(std::slice::from_ref(&path), draft);
            println!(
                "{name}, optional, {file}: {passed} passed, {untested} of {} schemas refused, {} wrong",
                refused.len(),
                wrong.len()
            );
            for (_, Refusal { at, message }) in &refused {
                println!("  at {at}: {message}");
            }
            for wrong in &wrong {
                println!("  {wrong}");
            }
            if matches!(file, "ecmascript-regex" | "non-bmp-regex" | "bignum" | "float-overflow") {
                assert_eq!(wrong, Vec::<String>::new(), "{name}");
            }
        }
    }
}
