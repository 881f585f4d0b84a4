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
        status: response["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap(),
        headers: headers.map(|(name, value)| (name.clone(), text(value))).collect(),
        body: text(&response["body"]),
    }
}
