//! What real providers sent: the folder's own README says where it comes from. `BREAKWATER_RECORDED` names another folder.

#![allow(dead_code, unreachable_pub, reason = "shared by several test binaries, each of which needs a part of it")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// One answer of a provider.
pub struct Recording {
    /// `provider/file`.
    pub name: String,
    /// The request's path.
    pub path: String,
    /// The model that was asked for, where it stands in the request's body or path.
    pub model: String,
    /// The request's method and body, null where it had none.
    pub method: String,
    pub request: Value,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Recording {
    pub fn provider(&self) -> &str {
        self.name.split('/').next().unwrap()
    }

    pub fn is_chat(&self) -> bool {
        self.path.ends_with("/chat/completions")
    }

    pub fn is_stream(&self) -> bool {
        self.body.lines().any(|line| line.starts_with("data:"))
    }
}

/// Every recorded pair, in the order of names; nothing where the folder is not there, which is said.
pub fn all() -> Vec<Recording> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/recorded");
    let folder = std::env::var_os("BREAKWATER_RECORDED").map_or_else(beside, PathBuf::from);
    if !folder.is_dir() {
        println!("skipped: the recordings are not here, and nothing is checked against real traffic");
        return Vec::new();
    }
    let mut found = Vec::new();
    for provider in ["anthropic", "deepseek", "gemini", "groq", "mistral", "openai", "openrouter"] {
        let mut files: Vec<PathBuf> =
            fs::read_dir(folder.join(provider)).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        found.extend(files.iter().map(|file| read(provider, file)));
    }
    found
}

fn read(provider: &str, file: &Path) -> Recording {
    let pair: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let response = &pair["response"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let path = text(&pair["request"]["path"]);
    let in_path = path.split_once("/models/").map(|(_, rest)| rest.split([':', '?']).next().unwrap().to_owned());
    let headers = response["headers"].as_object().into_iter().flatten();
    Recording {
        name: format!("{provider}/{}", file.file_stem().unwrap().to_string_lossy()),
        model: pair["request"]["body"]["model"].as_str().map(str::to_owned).or(in_path).unwrap_or_default(),
        path,
        method: text(&pair["request"]["method"]),
        request: pair["request"]["body"].clone(),
        status: response["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap(),
        headers: headers.map(|(name, value)| (name.clone(), text(value))).collect(),
        body: text(&response["body"]),
    }
}

/// A response that another project keeps as a fixture: `packages/…` and its text; one JSON object a line where the name ends in `.chunks.txt`, which are a
/// stream's events without their framing.
pub struct Fixture {
    pub name: String,
    pub text: String,
}

impl Fixture {
    pub fn is_stream(&self) -> bool {
        self.name.ends_with(".chunks.txt")
    }
}

/// The fixtures of one of the packages of vercel/ai, in the order of names; nothing where the folder is not there.
pub fn fixtures(package: &str) -> Vec<Fixture> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/recorded");
    let root = std::env::var_os("BREAKWATER_RECORDED").map_or_else(beside, PathBuf::from).join("vercel-ai");
    let mut found = Vec::new();
    let mut folders = vec![root.join("packages").join(package)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                found.push(Fixture { name: path.strip_prefix(&root).unwrap().to_string_lossy().into_owned(), text });
            }
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}
