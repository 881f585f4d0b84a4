//! Checks `gateway.toml` when the worker is built, so that a mistake in it is found before anybody's request is.
//!
//! The check is the worker's own: `src/config.rs` is compiled a second time, into this build script.

#![allow(dead_code, unreachable_pub, unused_imports, reason = "the worker uses more of the configuration than its check does")]

#[path = "src"]
mod source {
    pub(crate) mod config;
}

// The configuration's modules call each other by the paths that they have in the worker.
use source::config;

const FILE: &str = "gateway.toml";

fn main() {
    println!("cargo::rerun-if-changed={FILE}");
    println!("cargo::rerun-if-changed=src/config.rs");
    println!("cargo::rerun-if-changed=src/config");
    match std::fs::read_to_string(FILE) {
        Ok(text) => check(&text),
        Err(error) => println!("cargo::error={FILE} cannot be read: {error}"),
    }
}

/// Tells Cargo of each error, which fails the build, and of each setting that is not in effect.
fn check(text: &str) {
    match config::parse(text) {
        Ok(config) => {
            for note in config.notes() {
                println!("cargo::warning={FILE}: {note}");
            }
        }
        Err(errors) => {
            for error in errors.iter() {
                println!("cargo::error={FILE}, {error}");
            }
        }
    }
}
