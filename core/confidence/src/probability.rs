//! From scores to probabilities of failure, and how good those are.
//!
//! # Source
//! Platt, "Probabilistic outputs for support vector machines" (1999), with his
//! targets against overconfidence; Zadrozny, Elkan, "Transforming classifier
//! scores into accurate multiclass probability estimates" (2002), isotonic
//! regression by pooling adjacent violators; Naeini, Cooper, Hauskrecht,
//! "Obtaining well calibrated probabilities using Bayesian binning" (2015),
//! expected calibration error.

use serde::{Deserialize, Serialize};

/// Bins of the calibration error and of the diagram.
pub const BINS: usize = 15;
/// Steps of Newton's method.
const STEPS: usize = 100;

/// A score and whether the episode failed.
pub type Scored = (f64, bool);

/// A logistic curve over the score: 1 / (1 + exp(−(slope·x + offset))).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Platt {
    /// Steepness.
    pub slope: f64,
    /// Where it crosses one half, times minus the slope.
    pub offset: f64,
}

impl Platt {
    /// Fits the curve; none where only one kind of episode is there.
    #[must_use]
    pub fn fit(scored: &[Scored]) -> Option<Self> {
        let failed = scored.iter().filter(|(_, failed)| *failed).count() as f64;
        let went_well = scored.len() as f64 - failed;
        if failed < 1.0 || went_well < 1.0 {
            return None;
        }
        let (high, low) = ((failed + 1.0) / (failed + 2.0), 1.0 / (went_well + 2.0));
        let mut curve = Self {
            slope: 0.0,
            offset: ((failed + 1.0) / (went_well + 1.0)).ln(),
        };
        for _ in 0..STEPS {
            // Gradient and curvature, the latter with a trace of ridge.
            let (mut g, mut h) = ([0.0; 2], [1e-9, 0.0, 1e-9]);
            for (score, failed) in scored.iter().filter(|(score, _)| score.is_finite()) {
                let p = curve.probability(*score);
                let target = if *failed { high } else { low };
                let weight = (p * (1.0 - p)).max(1e-12);
                g[0] += (p - target) * score;
                g[1] += p - target;
                h[0] += weight * score * score;
                h[1] += weight * score;
                h[2] += weight;
            }
            let determinant = h[0] * h[2] - h[1] * h[1];
            if !(determinant.abs() > 1e-300) {
                break;
            }
            let step = [
                (h[2] * g[0] - h[1] * g[1]) / determinant,
                (h[0] * g[1] - h[1] * g[0]) / determinant,
            ];
            let length = step[0].abs().max(step[1].abs());
            let scale = if length > 2.0 { 2.0 / length } else { 1.0 };
            curve.slope -= scale * step[0];
            curve.offset -= scale * step[1];
            if length < 1e-10 {
                break;
            }
        }
        (curve.slope.is_finite() && curve.offset.is_finite()).then_some(curve)
    }

    /// The probability of failure at a score.
    #[must_use]
    pub fn probability(&self, score: f64) -> f64 {
        1.0 / (1.0 + (-(self.slope * score + self.offset)).exp())
    }
}

/// A rising staircase over the score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Isotonic {
    /// Greatest score of each step, rising.
    pub up_to: Vec<f64>,
    /// Probability of each step, rising.
    pub probability: Vec<f64>,
}

impl Isotonic {
    /// Fits the staircase; none without episodes.
    #[must_use]
    pub fn fit(scored: &[Scored]) -> Option<Self> {
        let mut sorted: Vec<Scored> = scored
            .iter()
            .filter(|one| !one.0.is_nan())
            .copied()
            .collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        // (sum, count, greatest score); equal scores share a step.
        let mut steps: Vec<(f64, f64, f64)> = Vec::new();
        for (score, failed) in sorted {
            let value = f64::from(u8::from(failed));
            match steps.last_mut() {
                Some(last) if last.2 >= score => {
                    last.0 += value;
                    last.1 += 1.0;
                }
                _ => steps.push((value, 1.0, score)),
            }
            while let [.., before, last] = steps.as_mut_slice()
                && before.0 / before.1 >= last.0 / last.1
            {
                *before = (before.0 + last.0, before.1 + last.1, last.2);
                steps.pop();
            }
        }
        (!steps.is_empty()).then(|| Self {
            up_to: steps.iter().map(|step| step.2).collect(),
            probability: steps.iter().map(|step| step.0 / step.1).collect(),
        })
    }

    /// The probability of failure at a score.
    #[must_use]
    pub fn probability(&self, score: f64) -> f64 {
        let step = self.up_to.partition_point(|end| *end < score);
        let found = self.probability.get(step).or(self.probability.last());
        found.copied().unwrap_or(f64::NAN)
    }
}

/// One bin of the reliability diagram.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// Mean of the predicted probabilities.
    pub predicted: f64,
    /// Share of episodes that failed.
    pub observed: f64,
    /// Episodes.
    pub count: usize,
}

/// How good probabilities are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reliability {
    /// Expected calibration error over bins of equal width.
    pub ece_equal_width: f64,
    /// Expected calibration error over bins of equal numbers.
    pub ece_equal_mass: f64,
    /// Mean squared error.
    pub brier: f64,
    /// Bins of equal width that hold anything.
    pub bins: Vec<ReliabilityBin>,
}

impl Reliability {
    /// Of (predicted probability, whether it failed).
    #[must_use]
    pub fn of(predicted: &[Scored]) -> Self {
        let mut widths: Vec<Vec<Scored>> = vec![Vec::new(); BINS];
        for one in predicted {
            let bin = (one.0.clamp(0.0, 1.0) * BINS as f64) as usize;
            if let Some(bin) = widths.get_mut(bin.min(BINS - 1)) {
                bin.push(*one);
            }
        }
        let mut sorted = predicted.to_vec();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let size = sorted.len().div_ceil(BINS).max(1);
        let masses: Vec<Vec<Scored>> = sorted.chunks(size).map(<[Scored]>::to_vec).collect();
        let brier = predicted
            .iter()
            .map(|(p, failed)| (p - f64::from(u8::from(*failed))).powi(2))
            .sum::<f64>()
            / predicted.len().max(1) as f64;
        Self {
            ece_equal_width: expected_error(&widths, predicted.len()),
            ece_equal_mass: expected_error(&masses, predicted.len()),
            brier,
            bins: widths.iter().filter_map(|bin| summary(bin)).collect(),
        }
    }
}

fn summary(bin: &[Scored]) -> Option<ReliabilityBin> {
    let count = bin.len() as f64;
    (!bin.is_empty()).then(|| ReliabilityBin {
        predicted: bin.iter().map(|one| one.0).sum::<f64>() / count,
        observed: bin.iter().filter(|one| one.1).count() as f64 / count,
        count: bin.len(),
    })
}

fn expected_error(bins: &[Vec<Scored>], count: usize) -> f64 {
    bins.iter()
        .filter_map(|bin| summary(bin))
        .map(|bin| (bin.predicted - bin.observed).abs() * bin.count as f64 / count.max(1) as f64)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores 0..1 that fail with the probability `of(score)`.
    fn scored(of: impl Fn(f64) -> f64) -> Vec<Scored> {
        let mut state = 3_u64;
        let mut draw = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as f64 / (1_u64 << 31) as f64
        };
        (0..4000)
            .map(|_| {
                let score = draw();
                (score, draw() < of(score))
            })
            .collect()
    }

    #[test]
    fn both_curves_find_the_probability_that_made_the_data() {
        let truth = |score: f64| 1.0 / (1.0 + (-(8.0 * score - 4.0)).exp());
        let data = scored(truth);
        let platt = Platt::fit(&data).unwrap();
        let isotonic = Isotonic::fit(&data).unwrap();
        assert!((platt.slope - 8.0).abs() < 0.8, "{platt:?}");
        for score in [0.1, 0.3, 0.5, 0.7, 0.9] {
            assert!((platt.probability(score) - truth(score)).abs() < 0.04);
            assert!((isotonic.probability(score) - truth(score)).abs() < 0.09);
        }
        let rises = isotonic
            .probability
            .windows(2)
            .all(|pair| pair[0] < pair[1]);
        assert!(rises && isotonic.probability(9.0) <= 1.0);
        let good: Vec<Scored> = data
            .iter()
            .map(|(s, f)| (platt.probability(*s), *f))
            .collect();
        let bad: Vec<Scored> = data.iter().map(|(s, f)| (1.0 - s, *f)).collect();
        let (good, bad) = (Reliability::of(&good), Reliability::of(&bad));
        assert!(good.ece_equal_width < 0.03 && good.ece_equal_mass < 0.03);
        assert!(bad.ece_equal_width > 0.3 && bad.brier > good.brier);
        assert_eq!(good.bins.iter().map(|bin| bin.count).sum::<usize>(), 4000);
    }

    #[test]
    fn one_kind_alone_gives_no_curve() {
        assert_eq!(Platt::fit(&[(0.1, false), (0.9, false)]), None);
        assert_eq!(Isotonic::fit(&[]), None);
        let separated = [(0.0, false), (1.0, true)];
        assert!(Platt::fit(&separated).unwrap().slope.is_finite());
        assert!(Reliability::of(&[]).brier.abs() < 1e-12);
    }
}
