//! Whether a calibration still fits.
//!
//! Good primitives exceed their threshold as often as was stated, as long as
//! they are like those of the calibration. Two numbers watch that. A cumulative
//! sum of log likelihood ratios tells the stated rate from three times as much:
//! it forgets what went well and grows with what did not. Adaptive conformal
//! inference says what rate would have to be aimed at to get the stated one.
//!
//! # Source
//! Page, "Continuous inspection schemes" (1954); Gibbs, Candès, "Adaptive
//! conformal inference under distribution shift" (2021).

use serde::Serialize;

/// How much more often than stated is told from the stated rate.
const WORSE: f64 = 3.0;
/// Sum at which the alarm is raised: when all is well, once in some thousand
/// primitives.
pub const DRIFT_ALARM: f64 = 4.0;
/// Step of the adaptive rate.
const GAMMA: f64 = 0.02;

/// Watches the good primitives of a session.
#[derive(Clone, Debug, PartialEq)]
pub struct DriftWatch {
    rate: f64,
    sum: f64,
    adapted: f64,
    seen: u32,
    held: u32,
}

/// What the watch says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DriftReport {
    /// The stated false-hold rate.
    pub rate: f64,
    /// Good primitives seen.
    pub seen: u32,
    /// Of which so many exceeded their threshold.
    pub held: u32,
    /// The cumulative sum; from 4 on the calibration does not fit.
    pub sum: f64,
    /// The rate that would have to be aimed at.
    pub adapted_rate: f64,
    /// Whether the calibration should be made anew.
    pub is_drifting: bool,
}

impl DriftWatch {
    /// A watch for a stated false-hold rate.
    #[must_use]
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            sum: 0.0,
            adapted: rate,
            seen: 0,
            held: 0,
        }
    }

    /// Takes a primitive that went well; `was_held` when its score exceeded the
    /// threshold. True when the alarm is raised by it.
    pub fn observe(&mut self, was_held: bool) -> bool {
        let was_drifting = self.sum >= DRIFT_ALARM;
        let worse = (WORSE * self.rate).min(0.5 + 0.5 * self.rate);
        let step = if was_held {
            (worse / self.rate).ln()
        } else {
            ((1.0 - worse) / (1.0 - self.rate)).ln()
        };
        self.sum = (self.sum + step).max(0.0);
        let missed = if was_held { 1.0 } else { 0.0 };
        self.adapted = (self.adapted + GAMMA * (self.rate - missed)).clamp(0.0, 1.0);
        self.seen = self.seen.saturating_add(1);
        self.held = self.held.saturating_add(u32::from(was_held));
        self.sum >= DRIFT_ALARM && !was_drifting
    }

    /// What it says now.
    #[must_use]
    pub fn report(&self) -> DriftReport {
        DriftReport {
            rate: self.rate,
            seen: self.seen,
            held: self.held,
            sum: self.sum,
            adapted_rate: self.adapted,
            is_drifting: self.sum >= DRIFT_ALARM,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many primitives go by until the alarm when so many of a hundred are
    /// held; none within `most`.
    fn until_alarm(held_of_100: u64, seed: u64, most: u32) -> Option<u32> {
        let mut watch = DriftWatch::new(0.05);
        let mut state = seed;
        (1..=most).find(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            watch.observe((state >> 33) % 100 < held_of_100)
        })
    }

    #[test]
    fn the_stated_rate_raises_no_alarm_and_three_times_as_much_does() {
        let false_alarms = (0..50)
            .filter(|seed| until_alarm(5, *seed, 300).is_some())
            .count();
        assert!(false_alarms <= 10, "{false_alarms} of 50 in 300 primitives");
        for seed in 0..50 {
            let found = until_alarm(30, seed, 300);
            assert!(found.is_some_and(|after| after < 100), "{found:?}");
        }
    }

    #[test]
    fn the_report_counts() {
        let mut watch = DriftWatch::new(0.05);
        watch.observe(false);
        watch.observe(true);
        let report = watch.report();
        assert_eq!(
            (report.seen, report.held, report.is_drifting),
            (2, 1, false)
        );
        assert!(report.adapted_rate < 0.05, "too many: aim lower");
    }
}
