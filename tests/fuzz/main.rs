//! Everything that reads what somebody else wrote, fed with what nobody would write.
//!
//! Inputs are real traffic (the recordings, where they are there) and a few written by hand, mutated: bytes and numbers changed, pieces cut out, doubled, swapped with
//! pieces of other inputs, nested deeper, cut short. On the stable toolchain and without an instrumented build, so that it runs wherever the tests do;
//! what coverage would find is made up for by inputs that begin deep inside.
//!
//! What is asked of every reader, whatever the bytes: it does not panic, it is done within [`LONGEST`], and what it makes of an input is not larger than a multiple of it.
//!
//! `FUZZ_SECONDS` sets how long it goes on (`make fuzz`), `FUZZ_SEED` where it begins: a run prints its seed, and a failure its input.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::format_collect,
    reason = "a test ends when it is wrong"
)]
#![allow(missing_docs, unreachable_pub, reason = "a test's tools")]

#[path = "../recordings/mod.rs"]
mod recordings;

mod mutate;
mod readers;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use mutate::{Dice, mutated};
use readers::READERS;

/// The longest that one reader may take over one input of at most [`MOST`] bytes: a thousand times what it should.
const LONGEST: Duration = Duration::from_secs(2);

/// The largest input, in bytes.
const MOST: usize = 64 * 1024;

/// By how much a reader's output may be larger than its input, and how large it may be of the smallest: a dialect's frame around every piece
/// is some hundred bytes, and an answer of Responses repeats the request.
const GROWTH: usize = 400;
const LEAST: usize = 64 * 1024;

/// The inputs to begin with.
fn corpus() -> Vec<Vec<u8>> {
    let mut inputs: Vec<Vec<u8>> = readers::BY_HAND.iter().map(|text| text.as_bytes().to_vec()).collect();
    for recording in recordings::all() {
        if !recording.request.is_null() {
            inputs.push(recording.request.to_string().into_bytes());
        }
        inputs.push(recording.body.into_bytes());
    }
    for package in ["anthropic", "google", "openai", "open-responses", "mistral", "groq"] {
        for fixture in recordings::fixtures(package) {
            let framed = fixture.is_stream();
            let text =
                if framed { fixture.text.lines().map(|line| format!("data: {line}\n\n")).collect() } else { fixture.text };
            inputs.push(text.into_bytes());
        }
    }
    inputs.retain(|input| !input.is_empty() && input.len() <= MOST);
    inputs
}

/// What went wrong with an input, if anything did.
fn problem(reader: &readers::Reader, input: &[u8]) -> Option<String> {
    let began = Instant::now();
    let Ok(made) = catch_unwind(AssertUnwindSafe(|| (reader.read)(input))) else { return Some("it panicked".to_owned()) };
    if began.elapsed() > LONGEST {
        return Some(format!("it took {:?}", began.elapsed()));
    }
    let most = LEAST + GROWTH * input.len();
    (made > most).then(|| format!("it made {made} bytes of {}", input.len()))
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

#[test]
fn no_reader_fails_whatever_it_reads() {
    let corpus = corpus();
    let seed = number("FUZZ_SEED", 1);
    let until = Instant::now() + Duration::from_secs(number("FUZZ_SECONDS", 10));
    println!("fuzzing {} readers from {} inputs, FUZZ_SEED={seed}", READERS.len(), corpus.len());
    let mut dice = Dice::new(seed);
    let mut rounds = 0_u64;
    // Every input as it is, first: what real providers sent is read without a problem of this kind.
    let whole = corpus.iter().cloned().map(Some).chain(std::iter::repeat(None));
    for input in whole {
        let plain = input.is_some();
        if !plain && Instant::now() > until {
            break;
        }
        let mut input = input.unwrap_or_else(|| mutated(&corpus, &mut dice));
        input.truncate(MOST);
        for reader in READERS {
            if let Some(problem) = problem(reader, &input) {
                panic!("{}: {problem}; round {rounds} of FUZZ_SEED={seed}:\n{}", reader.name, String::from_utf8_lossy(&input));
            }
        }
        rounds += 1;
    }
    println!("{rounds} inputs, each read by all");
    assert!(rounds > corpus.len() as u64, "nothing was mutated");
}
