//! Chance from a seed, so that the same seed gives the same world.

/// Splitmix64: one word of state, and good enough for a world's weather.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Above 0, at most 1.
    #[allow(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub fn unit(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 1.0) / (1_u64 << 53) as f64
    }

    pub fn happens(&mut self, share: f64) -> bool {
        self.unit() <= share
    }

    /// The wait for the next of events that come `rate` times a second on average, in milliseconds.
    pub fn wait(&mut self, rate: f64) -> f64 {
        -self.unit().ln() / rate * 1_000.0
    }

    /// Log-normal, around `median`.
    pub fn around(&mut self, median: f64, sigma: f64) -> f64 {
        let normal = (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos();
        median * (sigma * normal).exp()
    }

    /// The place of one of `weights`, each as often as it weighs.
    pub fn among(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (place, weight) in weights.iter().enumerate() {
            left -= weight;
            if left <= 0.0 {
                return place;
            }
        }
        weights.len() - 1
    }
}
