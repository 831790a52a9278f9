//! When to ask: split conformal prediction over the readings of a sentence.
//!
//! A back end that gives its readings probabilities keeps all that are at least
//! as likely as a threshold, and carries out a plan unasked only when exactly one
//! is kept: with two it does not know which, with none it does not know at all.
//! The threshold is the one at which, on sentences whose meaning is known, the
//! right reading was kept as often as wished; for new sentences of the same kind
//! it then is kept at least as often, whatever the model's probabilities are
//! worth. Without a calibration of the very same weights everything is asked.
//!
//! # Source
//! Vovk, Gammerman, Shafer, "Algorithmic Learning in a Random World" (2005),
//! split conformal prediction; Ren et al., "Robots That Ask For Help" (2023),
//! its use for plans. The coverage over a finite test set is beta-binomial.

mod watch;

use serde::{Deserialize, Serialize};

use crate::readings::Asking;

pub use watch::{CoverageWatch, Drift};

/// Fewest sentences a threshold is taken from; with fewer every doubt is asked.
pub const FEWEST_SENTENCES: usize = 100;

/// A calibrated threshold and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AskingCalibration {
    /// How often the right reading shall be kept.
    pub target: f64,
    /// Least probability of a reading that is kept; none: there were too few
    /// sentences, and everything is asked about.
    pub threshold: Option<f64>,
    /// Sentences it was taken from.
    pub sentences: usize,
    /// How often the right reading was kept on other sentences.
    pub coverage: f64,
    /// 95 % interval in which that should lie.
    pub interval: [f64; 2],
    /// BLAKE3 hash of the sentences with their meanings.
    pub data: String,
    /// BLAKE3 hash of the model's weights.
    pub model: String,
}

impl AskingCalibration {
    /// When to ask by it: always, where there were too few sentences.
    #[must_use]
    pub fn asking(&self) -> Asking {
        self.threshold.map_or(Asking::Always, Asking::From)
    }
}

/// The threshold at which the right reading is kept with probability `target`;
/// none when there are too few sentences for one. `scores` are the
/// probabilities that the right readings had, 0 where they were not found.
#[must_use]
pub fn threshold(scores: &[f64], target: f64) -> Option<f64> {
    if scores.len() < FEWEST_SENTENCES || !(target > 0.0 && target < 1.0) {
        return None;
    }
    let mut sorted: Vec<f64> = scores.to_vec();
    // The likeliest first: nonconformity is one minus the probability.
    sorted.sort_by(|a, b| b.total_cmp(a));
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank between 1 and the count plus one"
    )]
    let rank = ((scores.len() + 1) as f64 * target).ceil() as usize;
    sorted.get(rank.checked_sub(1)?).copied()
}

/// The central 95 % interval of the coverage over `tested` sentences after a
/// calibration on `calibrated`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of sentences")]
pub fn coverage_interval(calibrated: usize, tested: usize, target: f64) -> [f64; 2] {
    let (n, m) = (calibrated as f64, tested as f64);
    let rank = ((n + 1.0) * target).ceil();
    let (a, b) = (rank.max(1.0), (n + 1.0 - rank).max(1.0));
    let beta = |a: f64, b: f64| libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    let choose = |k: f64| libm::lgamma(m + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(m - k + 1.0);
    let chance = |k: f64| (choose(k) + beta(k + a, m - k + b) - beta(a, b)).exp();
    let (mut low, mut high, mut sum) = (0.0, m, 0.0);
    let mut is_low_found = false;
    for k in 0..=tested {
        sum += chance(k as f64);
        if !is_low_found && sum > 0.025 {
            low = k as f64;
            is_low_found = true;
        }
        if sum >= 0.975 {
            high = k as f64;
            break;
        }
    }
    let m = m.max(1.0);
    [low / m, high / m]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_keeps_what_was_asked_for() {
        let scores: Vec<f64> = (1..=199).map(|i| f64::from(i) / 200.0).collect();
        let bar = threshold(&scores, 0.85).unwrap();
        let kept = scores.iter().filter(|score| **score >= bar).count();
        assert_eq!(kept, 170);
        assert_eq!(threshold(&scores[..50], 0.85), None);
        for target in [0.0, 1.0, f64::NAN, -1.0] {
            assert_eq!(threshold(&scores, target), None, "{target}");
        }
        // The last rank lies beyond the list.
        assert_eq!(threshold(&scores, 0.999), None);
    }

    #[test]
    fn the_interval_narrows_with_more_sentences() {
        let wide = coverage_interval(100, 100, 0.85);
        let narrow = coverage_interval(1000, 1000, 0.85);
        for [low, high] in [wide, narrow] {
            assert!(low < 0.85 && 0.85 < high, "{low} {high}");
        }
        assert!(narrow[1] - narrow[0] < 0.5 * (wide[1] - wide[0]));
        // A binomial's interval, widened by the calibration's own chance.
        assert!((wide[0] - 0.74).abs() < 0.03 && (wide[1] - 0.94).abs() < 0.03);
    }

    #[test]
    fn without_a_threshold_everything_is_asked_about() {
        let mut calibration = AskingCalibration {
            target: 0.85,
            threshold: None,
            sentences: 3,
            coverage: 1.0,
            interval: [0.0, 1.0],
            data: String::new(),
            model: String::new(),
        };
        assert_eq!(calibration.asking(), Asking::Always);
        calibration.threshold = Some(0.5);
        assert_eq!(calibration.asking(), Asking::From(0.5));
    }
}
