//! A fast hash that is the same in every isolate, for decisions that isolates must make alike without talking to each other.
//!
//! What it hashes may be a prompt of megabytes, so it takes eight bytes a step, by the rotation and multiplication of Firefox' hash
//! (`FxHasher` of rustc), and mixes at the end, as such a product's lower bits know nothing of the upper ones. It is no match for somebody who looks
//! for collisions, and need not be: whoever finds two conversations of one hash has them sent to one target.
//!
//! The standard library's hasher would do, but promises nothing about the next release, and with it every conversation would move at an
//! update of the compiler.

/// The odd number that each word is multiplied by: 2⁶⁴ through the golden ratio.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// A hash under way. Parts are told apart: `"ab", "c"` is another hash than `"a", "bc"`.
#[derive(Clone, Copy, Debug)]
pub struct Hash(u64);

impl Hash {
    /// One of nothing yet; hashes of different seeds have nothing to do with each other.
    #[inline]
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// With one more part.
    #[must_use]
    #[inline]
    pub fn with(self, part: &[u8]) -> Self {
        let (words, rest) = part.as_chunks::<8>();
        let mut hash = words.iter().fold(self, |hash, word| hash.step(u64::from_le_bytes(*word)));
        let mut last = [0; 8];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        hash = hash.step(u64::from_le_bytes(last));
        // With the length, no part ends in zeros that were not there, and none runs into the next.
        hash.step(part.len() as u64)
    }

    #[inline]
    const fn step(self, word: u64) -> Self {
        Self((self.0.rotate_left(5) ^ word).wrapping_mul(FACTOR))
    }

    /// The hash.
    #[inline]
    #[must_use]
    pub const fn finish(self) -> u64 {
        mix(self.0)
    }
}

/// `SplitMix64`'s step (Steele, Lea and Flood, 2014).
#[inline]
const fn mix(number: u64) -> u64 {
    finalize(number.wrapping_add(FACTOR))
}

/// The end of that step: every bit of the number sways every other, so that numbers which follow one another have nothing to do with
/// one another any more.
#[inline]
#[must_use]
pub const fn finalize(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn hash(parts: &[&str]) -> u64 {
        parts.iter().fold(Hash::new(0), |hash, part| hash.with(part.as_bytes())).finish()
    }

    #[test]
    fn stays_what_it_is() {
        // A change here moves every conversation to another target.
        assert_eq!(hash(&["openai/gpt-5", "conversation"]), 0x952D_D1BC_4663_48F5);
    }

    #[test]
    fn parts_lengths_and_places_count() {
        let rows: &[&[&str]] = &[
            &[],
            &[""],
            &["", ""],
            &["ab", "c"],
            &["a", "bc"],
            &["abc"],
            &["abc\0"],
            &["abc\0\0\0\0\0"],
            &["abc\0\0\0\0\0\0"],
            &["12345678"],
            &["12345678", ""],
            &["1234567", "8"],
            &["1234567812345678"],
            &["8765432112345678"],
        ];
        assert_eq!(rows.iter().map(|parts| hash(parts)).collect::<HashSet<_>>().len(), rows.len());
    }

    #[test]
    fn one_bit_sways_half_of_all() {
        let text = [0x55_u8; 100];
        let plain = Hash::new(7).with(&text).finish();
        let mut swayed = 0;
        for bit in 0..800 {
            let mut other = text;
            other[bit / 8] ^= 1 << (bit % 8);
            swayed += (plain ^ Hash::new(7).with(&other).finish()).count_ones();
        }
        let mean = f64::from(swayed) / 800.0;
        assert!((31.0..33.0).contains(&mean), "{mean}");
    }
}
