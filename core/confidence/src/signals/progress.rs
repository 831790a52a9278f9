//! What the progress head says, and how long it says nothing new.

use super::Meter;
use crate::Evidence;

/// Rise of the probability of being done that is progress.
const RISE: f64 = 0.05;

/// Time without progress (s): since the probability of being done last rose to
/// a new height by 0.05.
///
/// # Meaning
/// For every policy. Without a progress head it is the time since the primitive
/// began, which is later than in good episodes when something is wrong.
///
/// # Timing
/// One comparison.
#[derive(Debug, Default)]
pub(super) struct NoProgress {
    best: f64,
    risen_ns: u64,
}

impl Meter for NoProgress {
    fn measure(&mut self, evidence: &Evidence<'_>) -> Option<f64> {
        let done = evidence.progress.map_or(0.0, |(done, _)| done);
        if done >= self.best + RISE {
            self.best = done;
            self.risen_ns = evidence.since_start_ns;
        }
        Some(evidence.since_start_ns.saturating_sub(self.risen_ns) as f64 * 1e-9)
    }
}

/// The failing output of the progress head, 0..1.
///
/// # Meaning
/// Where the bundle has a progress head. It was trained on states that the
/// expert calls failing, and knows no others.
///
/// # Timing
/// None: the head runs anyway.
#[derive(Debug)]
pub(super) struct Failing;

impl Meter for Failing {
    fn measure(&mut self, evidence: &Evidence<'_>) -> Option<f64> {
        evidence.progress.map(|(_, failing)| failing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::tests::{evidence, path};

    #[test]
    fn time_counts_until_the_probability_rises() {
        let plan = path(0, &[0.0]);
        let mut meter = NoProgress::default();
        let mut at = |seconds, done| {
            let mut evidence = evidence(seconds, 0.0, &plan);
            evidence.progress = Some((done, 0.25));
            assert_eq!(Failing.measure(&evidence), Some(0.25));
            meter.measure(&evidence).unwrap()
        };
        assert!((at(2.0, 0.01) - 2.0).abs() < 1e-9);
        assert!(at(3.0, 0.4) < 1e-9);
        assert!((at(5.0, 0.42) - 2.0).abs() < 1e-9, "too little");
        assert_eq!(Failing.measure(&evidence(0.0, 0.0, &plan)), None);
    }
}
