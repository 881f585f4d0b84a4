//! Checks `gateway.toml` when the worker is built, so that a mistake in it is found before anybody's request is.
//!
//! The check is the worker's own: `src/config.rs` is compiled a second time, into this build script.

#![allow(dead_code, unreachable_pub, unused_imports, reason = "the worker uses more of the configuration than its check does")]

use std::process::ExitCode;

#[path = "src"]
mod source {
    pub(crate) mod config;
}

// The configuration's modules call each other by the paths that they have in the worker.
use source::config;

const FILE: &str = "gateway.toml";

#[expect(clippy::print_stderr, reason = "what is shown when a build fails")]
fn main() -> ExitCode {
    println!("cargo::rerun-if-changed={FILE}");
    println!("cargo::rerun-if-changed=src/config.rs");
    println!("cargo::rerun-if-changed=src/config");
    let text = match std::fs::read_to_string(FILE) {
        Ok(text) => text,
        Err(error) => {
            println!("cargo::error={FILE} cannot be read: {error}");
            return ExitCode::FAILURE;
        }
    };
    match config::parse(&text) {
        Ok(config) => {
            for note in config.notes() {
                println!("cargo::warning={FILE}: {note}");
            }
            ExitCode::SUCCESS
        }
        Err(errors) => {
            for error in errors.iter() {
                println!("cargo::error={FILE}, {error}");
            }
            eprintln!("{FILE} is wrong:\n{errors}");
            ExitCode::FAILURE
        }
    }
}
