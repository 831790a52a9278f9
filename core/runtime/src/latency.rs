//! Histograms of durations that the control thread can fill.
//!
//! Fixed buckets, sixteen to an octave, so that a quantile is at most 6 % above
//! the true one; recording is one addition to an atomic and never allocates or
//! waits. Rejected: keeping the samples, which grows, and a decaying estimate,
//! which cannot be added up over threads.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// Buckets to an octave, as a power of two.
const FINE_BITS: u32 = 4;
const FINE: usize = 1 << FINE_BITS;
/// Octaves above the first, linear one: up to 2^40 ns, some 18 minutes.
const OCTAVES: usize = 37;
const BUCKETS: usize = FINE * OCTAVES;

/// A histogram of durations (ns). One or more threads record, any thread reads.
#[derive(Debug)]
pub struct LatencyHistogram {
    buckets: Box<[AtomicU64]>,
    count: AtomicU64,
    max_ns: AtomicU64,
}

/// What a histogram says, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LatencyQuantiles {
    /// Durations recorded.
    pub count: u64,
    /// Half are at most this (µs).
    pub p50_us: f64,
    /// 95 % are at most this (µs).
    pub p95_us: f64,
    /// 99 % are at most this (µs).
    pub p99_us: f64,
    /// 99.9 % are at most this (µs).
    pub p999_us: f64,
    /// The longest (µs), exact.
    pub max_us: f64,
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        Self {
            buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
            count: AtomicU64::new(0),
            max_ns: AtomicU64::new(0),
        }
    }
}

impl LatencyHistogram {
    /// Records one duration. Allocates nothing, waits for nobody.
    pub fn record(&self, duration_ns: u64) {
        if let Some(bucket) = self.buckets.get(index_of(duration_ns)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.max_ns.fetch_max(duration_ns, Ordering::Relaxed);
    }

    /// Forgets everything.
    pub fn clear(&self) {
        for bucket in &self.buckets {
            bucket.store(0, Ordering::Relaxed);
        }
        self.count.store(0, Ordering::Relaxed);
        self.max_ns.store(0, Ordering::Relaxed);
    }

    /// Durations recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// The duration (ns) that a share (0 … 1) of all does not exceed, rounded up
    /// to its bucket's end; 0 without any.
    #[must_use]
    pub fn quantile_ns(&self, share: f64) -> u64 {
        let counts: Vec<u64> = self
            .buckets
            .iter()
            .map(|bucket| bucket.load(Ordering::Relaxed))
            .collect();
        let all: u64 = counts.iter().sum();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "a count of measurements and a share of it"
        )]
        let wanted = (all as f64 * share.clamp(0.0, 1.0)).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (index, count) in counts.into_iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return end_of(index).min(self.max_ns.load(Ordering::Relaxed));
            }
        }
        0
    }

    /// Share (0 … 1) of the durations that are shorter than `limit_ns`, as far
    /// as the buckets can tell; 1 without any.
    #[must_use]
    pub fn share_below(&self, limit_ns: u64) -> f64 {
        let (mut below, mut all) = (0, 0);
        for (index, bucket) in self.buckets.iter().enumerate() {
            let count = bucket.load(Ordering::Relaxed);
            all += count;
            if end_of(index) < limit_ns {
                below += count;
            }
        }
        if all == 0 {
            return 1.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of measurements")]
        let share = below as f64 / all as f64;
        share
    }

    /// The usual quantiles.
    #[must_use]
    pub fn quantiles(&self) -> LatencyQuantiles {
        #[expect(clippy::cast_precision_loss, reason = "durations far below 2^53 ns")]
        let micros = |ns: u64| ns as f64 * 1e-3;
        LatencyQuantiles {
            count: self.count(),
            p50_us: micros(self.quantile_ns(0.5)),
            p95_us: micros(self.quantile_ns(0.95)),
            p99_us: micros(self.quantile_ns(0.99)),
            p999_us: micros(self.quantile_ns(0.999)),
            max_us: micros(self.max_ns.load(Ordering::Relaxed)),
        }
    }
}

/// The bucket of a duration; the last holds everything longer.
fn index_of(duration_ns: u64) -> usize {
    let bits = u64::BITS - duration_ns.leading_zeros();
    // Below 16 ns a bucket is one nanosecond.
    let shift = bits.saturating_sub(FINE_BITS + 1);
    let octave = usize::try_from(bits.saturating_sub(FINE_BITS)).unwrap_or(OCTAVES);
    let fine = usize::try_from(duration_ns >> shift).unwrap_or(FINE) & (FINE - 1);
    (octave * FINE + fine).min(BUCKETS - 1)
}

/// The longest duration of a bucket (ns).
fn end_of(index: usize) -> u64 {
    let (octave, fine) = (index / FINE, (index % FINE) as u64);
    match octave {
        0 => fine,
        _ => (((FINE as u64) + fine + 1) << (octave - 1)) - 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_duration_lies_in_its_bucket(ns in prop_oneof![0..64_u64, 0..1_u64 << 40]) {
            let index = index_of(ns);
            prop_assert!(ns <= end_of(index));
            prop_assert!(index == 0 || ns > end_of(index - 1));
            // No bucket is wider than a sixteenth of what lies in it.
            prop_assert!(end_of(index) - ns <= ns / 16 + 1);
        }
    }

    #[test]
    fn quantiles_are_within_a_bucket_of_the_truth() {
        let histogram = LatencyHistogram::default();
        assert_eq!(histogram.quantile_ns(0.5), 0);
        for ns in 1..=100_000_u64 {
            histogram.record(ns);
        }
        for (share, truth) in [(0.5, 50_000.0), (0.95, 95_000.0), (0.999, 99_900.0)] {
            let got = histogram.quantile_ns(share) as f64;
            assert!(got >= truth && got <= truth * 1.07, "{share}: {got}");
        }
        let quantiles = histogram.quantiles();
        assert_eq!(
            (quantiles.count, quantiles.max_us),
            (100_000, 100.0),
            "{quantiles:?}"
        );
        let below = histogram.share_below(50_000);
        assert!((0.46..=0.5).contains(&below), "{below}");
        histogram.record(u64::MAX);
        assert_eq!(histogram.count(), 100_001);
        histogram.clear();
        assert_eq!(histogram.quantiles(), LatencyQuantiles::default());
    }
}
