//! Seeded random numbers for the disturbance of recorded motions.
//!
//! SplitMix64 (Steele, Lea and Flood 2014): a few lines, and the same numbers on
//! every machine and in every version, which a general generator does not promise.

/// A seeded stream of numbers.
#[derive(Clone, Debug)]
pub(crate) struct SeededNoise {
    state: u64,
}

impl SeededNoise {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in 0 … 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether an event of this probability happens.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// Normal with mean 0 and the given standard deviation (Box and Muller).
    pub(crate) fn normal(&mut self, deviation: f64) -> f64 {
        let radius = (-2.0 * self.uniform().max(f64::MIN_POSITIVE).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos() * deviation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_numbers_and_normal_moments() {
        let draw = |seed| {
            let mut noise = SeededNoise::new(seed);
            (0..4000).map(|_| noise.normal(2.0)).collect::<Vec<f64>>()
        };
        let values = draw(7);
        assert_eq!(values, draw(7));
        assert_ne!(values, draw(8));
        let mean = values.iter().sum::<f64>() / 4000.0;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 4000.0;
        assert!(
            mean.abs() < 0.15 && (variance - 4.0).abs() < 0.4,
            "{mean} {variance}"
        );
    }
}
