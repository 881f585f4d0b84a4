//! Streams as bytes: how they are cut into chunks changes nothing, neither what a frame is nor what the client is sent.

#![allow(clippy::type_complexity, clippy::too_many_lines, reason = "tables")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test ends when it is wrong, and says what it skipped"
)]

mod client;
mod framing;
mod holding;
mod limits;
mod naive;
mod reading;
mod recorded;
#[path = "../recordings/mod.rs"]
mod recordings;
mod relaying;

/// A generator of numbers that needs no more than a seed (xorshift64*): a failure names the seed.
struct Random(u64);

impl Random {
    fn seeded(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(drawn).unwrap() % limit.max(1)
    }

    /// `bytes` in pieces of 1 to `longest` bytes.
    fn chunks<'a>(&mut self, mut bytes: &'a [u8], longest: usize) -> Vec<&'a [u8]> {
        let mut chunks = Vec::new();
        while !bytes.is_empty() {
            let (chunk, rest) = bytes.split_at((1 + self.below(longest)).min(bytes.len()));
            chunks.push(chunk);
            bytes = rest;
        }
        chunks
    }
}
