//! A small seeded generator, so that a training is a function of its configuration.

/// SplitMix64: one 64-bit state, no two seeds alike, good enough for augmentation and shuffling.
///
/// # Source
/// Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", figure 17.
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
}

impl Rng {
    /// A generator for `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A generator for one purpose of one seed: every list of numbers has its own.
    #[must_use]
    pub fn keyed(seed: u64, keys: &[u64]) -> Self {
        let mut rng = Self::new(seed);
        for key in keys {
            let mixed = rng.next_u64() ^ key.wrapping_mul(0xd6e8_feb8_6659_fd93);
            rng = Self::new(mixed);
            rng.next_u64();
        }
        rng
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in 0..1, 1 excluded.
    pub fn unit(&mut self) -> f32 {
        (self.next_u64() >> 40) as f32 / 16_777_216.0
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// Uniform in `0..n`; 0 when `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        // The high half of a 128-bit product: no modulo bias that could be seen.
        ((u128::from(self.next_u64()) * n as u128) >> 64) as usize
    }

    /// Standard normal.
    pub fn normal(&mut self) -> f32 {
        let radius = (-2.0 * (self.unit() + 1.0 / 33_554_432.0).ln()).sqrt();
        radius * (self.unit() * std::f32::consts::TAU).cos()
    }

    /// One element, or none of an empty list.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }

    /// Brings a list into random order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            list.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_and_keys() {
        let mut rng = Rng::keyed(7, &[1, 2]);
        assert_eq!(rng.clone().next_u64(), Rng::keyed(7, &[1, 2]).next_u64());
        assert_ne!(rng.clone().next_u64(), Rng::keyed(7, &[2, 1]).next_u64());
        let n: Vec<f32> = (0..20_000).map(|_| rng.normal()).collect();
        let mean = n.iter().sum::<f32>() / 2e4;
        let variance = n.iter().map(|x| x * x).sum::<f32>() / 2e4;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05);
        let mut counts = [0; 5];
        for _ in 0..5000 {
            counts[rng.below(5)] += 1;
        }
        assert!(counts.iter().all(|c| (800..1200).contains(c)), "{counts:?}");
        let mut list: Vec<usize> = (0..100).collect();
        rng.shuffle(&mut list);
        assert_ne!(list[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        list.sort_unstable();
        assert!(list.iter().enumerate().all(|(i, x)| i == *x));
    }
}
