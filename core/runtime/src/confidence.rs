//! First confidence: how far the samples of a chunk lie apart, how well a chunk
//! continues the one before it, and what the progress head says of failing.
//!
//! Each signal is averaged over the last decisions and compared with its own
//! threshold. The score puts them on one scale: 1 / (1 + r), where r is the
//! worst ratio of a signal to its threshold, so that the score is below
//! [`HOLD_BELOW`] exactly when some signal is above its threshold. Rejected: a
//! product of probabilities, since the signals are not calibrated as such.

use std::collections::VecDeque;

use crate::ConfidenceReading;

/// The score below which the arm holds.
pub(crate) const HOLD_BELOW: f64 = 0.5;

/// Decisions before the mean of a window is believed.
const LEAST_DECISIONS: usize = 3;

/// Signals that are watched: each with the threshold above which the arm holds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ConfidenceSettings {
    /// Spread of the samples (m).
    pub(crate) sample_spread_m: Option<f64>,
    /// Change against the chunk before (m).
    pub(crate) chunk_change_m: Option<f64>,
    /// Probability of failing.
    pub(crate) failing: Option<f64>,
    /// Decisions averaged.
    pub(crate) window: usize,
}

/// Tool translations (m) that one decision plans, at equal row times.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PlannedPath {
    /// Time of the first row (ns).
    pub(crate) first_ns: u64,
    /// Time between rows (ns).
    pub(crate) period_ns: u64,
    /// Positions in the base frame, one a row.
    pub(crate) rows: Vec<[f64; 3]>,
}

/// What one decision offers to judge it by.
pub(crate) struct Judged {
    /// The sampled paths.
    pub(crate) samples: Vec<PlannedPath>,
    /// The path that is executed.
    pub(crate) executed: PlannedPath,
    /// Probability of failing, where the bundle has a progress head.
    pub(crate) failing: Option<f64>,
}

/// Watches the decisions of one primitive.
#[derive(Clone, Debug)]
pub(crate) struct ConfidenceMonitor {
    settings: ConfidenceSettings,
    recent: VecDeque<[f64; 3]>,
    previous: Option<PlannedPath>,
    sum: f64,
    decisions: u32,
}

impl ConfidenceMonitor {
    pub(crate) fn new(settings: ConfidenceSettings) -> Self {
        Self {
            settings,
            recent: VecDeque::new(),
            previous: None,
            sum: 0.0,
            decisions: 0,
        }
    }

    /// Mean score of all decisions; 1 before the first.
    pub(crate) fn mean(&self) -> f64 {
        if self.decisions == 0 {
            1.0
        } else {
            self.sum / f64::from(self.decisions)
        }
    }

    /// Forgets the window, after a person said to go on.
    pub(crate) fn forgive(&mut self) {
        self.recent.clear();
        self.previous = None;
    }

    /// Takes a decision.
    pub(crate) fn observe(&mut self, judged: Judged) -> ConfidenceReading {
        let spread = spread_m(&judged.samples);
        let change = self
            .previous
            .as_ref()
            .map_or(0.0, |before| change_m(before, &judged.executed));
        self.previous = Some(judged.executed);
        self.recent
            .push_back([spread, change, judged.failing.unwrap_or(0.0)]);
        while self.recent.len() > self.settings.window.max(1) {
            self.recent.pop_front();
        }
        let score = self.score();
        self.decisions += 1;
        self.sum += score;
        ConfidenceReading {
            score,
            threshold: HOLD_BELOW,
            low: !(score >= HOLD_BELOW)
                && self.recent.len() >= LEAST_DECISIONS.min(self.settings.window),
            signals: vec![
                ("sample_spread", spread),
                ("chunk_consistency", change),
                ("failing", judged.failing.unwrap_or(0.0)),
            ],
        }
    }

    fn score(&self) -> f64 {
        let thresholds = [
            self.settings.sample_spread_m,
            self.settings.chunk_change_m,
            self.settings.failing,
        ];
        let mut worst: f64 = 0.0;
        for (index, threshold) in thresholds.iter().enumerate() {
            let Some(threshold) = threshold else { continue };
            let sum: f64 = self
                .recent
                .iter()
                .filter_map(|signals| signals.get(index))
                .sum();
            let ratio = sum / self.recent.len().max(1) as f64 / threshold;
            // Positive test: a signal that is not a number gives no confidence.
            if !(ratio >= 0.0) {
                return 0.0;
            }
            worst = worst.max(ratio);
        }
        1.0 / (1.0 + worst)
    }
}

/// Root mean square distance of the samples from their mean, over all rows.
fn spread_m(samples: &[PlannedPath]) -> f64 {
    let count = samples.len();
    let rows = samples
        .iter()
        .map(|sample| sample.rows.len())
        .min()
        .unwrap_or(0);
    if count < 2 || rows == 0 {
        return 0.0;
    }
    let mut sum = 0.0;
    for row in 0..rows {
        for axis in 0..3 {
            let values = || {
                samples
                    .iter()
                    .filter_map(|sample| Some(sample.rows.get(row)?[axis]))
            };
            let mean = values().sum::<f64>() / count as f64;
            sum += values().map(|value| (value - mean).powi(2)).sum::<f64>();
        }
    }
    (sum / (count * rows) as f64).sqrt()
}

/// Mean distance of two paths at the row times they share (within half a period).
fn change_m(before: &PlannedPath, now: &PlannedPath) -> f64 {
    let mut sum = 0.0;
    let mut shared = 0_u32;
    for (index, row) in now.rows.iter().enumerate() {
        let time = now.first_ns + index as u64 * now.period_ns;
        let Some(offset) = time.checked_sub(before.first_ns) else {
            continue;
        };
        let place = (offset + before.period_ns / 2) / before.period_ns.max(1);
        let Some(old) = usize::try_from(place)
            .ok()
            .and_then(|place| before.rows.get(place))
        else {
            continue;
        };
        sum += row
            .iter()
            .zip(old)
            .map(|(a, b)| (a - b).powi(2))
            .sum::<f64>()
            .sqrt();
        shared += 1;
    }
    if shared == 0 {
        0.0
    } else {
        sum / f64::from(shared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(first_ns: u64, x: &[f64]) -> PlannedPath {
        PlannedPath {
            first_ns,
            period_ns: 100,
            rows: x.iter().map(|x| [*x, 0.0, 0.0]).collect(),
        }
    }

    fn monitor() -> ConfidenceMonitor {
        ConfidenceMonitor::new(ConfidenceSettings {
            sample_spread_m: Some(0.05),
            chunk_change_m: Some(0.05),
            failing: None,
            window: 3,
        })
    }

    fn judged(samples: [PlannedPath; 2], executed: PlannedPath) -> Judged {
        Judged {
            samples: samples.to_vec(),
            executed,
            failing: Some(0.0),
        }
    }

    #[test]
    fn equal_samples_are_sure_and_wide_ones_are_not() {
        let mut monitor = monitor();
        let same = || [path(100, &[0.1, 0.2]), path(100, &[0.1, 0.2])];
        let wide = || [path(200, &[0.1, 0.2]), path(200, &[0.5, 0.6])];
        let reading = monitor.observe(judged(same(), path(100, &[0.1, 0.2])));
        assert!((reading.score - 1.0).abs() < 1e-12 && !reading.low);
        assert!(
            !monitor.observe(judged(wide(), path(200, &[0.2, 0.3]))).low,
            "too few decisions"
        );
        let reading = monitor.observe(judged(wide(), path(300, &[0.3, 0.4])));
        assert!(reading.low && reading.score < HOLD_BELOW);
        monitor.forgive();
        assert!(!monitor.observe(judged(same(), path(400, &[0.2, 0.3]))).low);
    }

    #[test]
    fn paths_are_compared_at_equal_times() {
        let before = path(100, &[0.0, 0.1, 0.2, 0.3]);
        assert!(change_m(&before, &path(200, &[0.1, 0.2, 0.3, 0.4])) < 1e-12);
        assert!((change_m(&before, &path(200, &[0.2, 0.3, 0.4, 0.5])) - 0.1).abs() < 1e-12);
        assert!(
            change_m(&before, &path(900, &[5.0])) < 1e-12,
            "nothing shared"
        );
    }

    #[test]
    fn numbers_that_are_not_finite_give_no_confidence() {
        let mut monitor = monitor();
        let bad = [path(100, &[f64::NAN]), path(100, &[0.0])];
        let reading = monitor.observe(judged(bad, path(100, &[f64::NAN])));
        assert!(reading.score < 1e-12);
    }
}
