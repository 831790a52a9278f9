//! Split conformal prediction: a threshold from scores of episodes that went
//! well, and how sure it is.
//!
//! # Source
//! Vovk, Gammerman, Shafer, "Algorithmic learning in a random world" (2005);
//! Vovk, "Conditional validity of inductive conformal predictors" (2012): over
//! the draw of the calibration, the coverage is Beta(k, n + 1 − k).

use serde::{Deserialize, Serialize};

use crate::beta::{beta_binomial, beta_quantile};

/// A threshold that a new episode of the same kind exceeds with at most the
/// stated probability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// The score above which is held.
    pub value: f64,
    /// Scores it was taken from.
    pub n: usize,
    /// Its rank among them, from the least.
    pub k: usize,
    /// 95 % interval of the share of good episodes that stay below it.
    pub coverage: [f64; 2],
}

/// Why there is no threshold: the rank lies beyond the scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{n} good episodes are too few: a false-hold rate like this needs {least}")]
pub struct TooFew {
    /// Scores there are.
    pub n: usize,
    /// Least number with which there is a threshold.
    pub least: usize,
}

/// The threshold that keeps false holds at `rate` or below: the k-th smallest
/// of n scores, k = ⌈(n + 1)(1 − rate)⌉.
///
/// # Errors
/// [`TooFew`] when k is greater than n. The greatest score is not taken instead:
/// it would promise what n scores cannot hold.
pub fn threshold(scores: &[f64], rate: f64) -> Result<Threshold, TooFew> {
    let n = scores.len();
    let k = rank(n, rate);
    let mut sorted = scores.to_vec();
    sorted.sort_by(f64::total_cmp);
    let found = k.checked_sub(1).and_then(|index| sorted.get(index));
    let Some(value) = found.copied().filter(|_| rate > 0.0) else {
        return Err(TooFew {
            n,
            least: least(rate),
        });
    };
    let (a, b) = (k as f64, (n + 1 - k) as f64);
    Ok(Threshold {
        value,
        n,
        k,
        coverage: [beta_quantile(a, b, 0.025), beta_quantile(a, b, 0.975)],
    })
}

/// ⌈(n + 1)(1 − rate)⌉, with a hair of room for the rounding of `rate`.
fn rank(n: usize, rate: f64) -> usize {
    let exact = (n + 1) as f64 * (1.0 - rate);
    (exact - 1e-9).ceil().max(1.0) as usize
}

/// The least number of scores with which there is a threshold.
#[must_use]
pub fn least(rate: f64) -> usize {
    if !(rate > 0.0) {
        return usize::MAX;
    }
    (1.0 / rate - 1.0 - 1e-9).ceil().max(1.0) as usize
}

/// A threshold that is tried on new episodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// Scores of the threshold.
    pub n: usize,
    /// Its rank.
    pub k: usize,
    /// New good episodes.
    pub tried: usize,
}

/// The central 95 % interval of the number of new good episodes that are held,
/// over the draws of calibrations and new episodes: the sum of one
/// beta-binomial number for each threshold.
#[must_use]
pub fn held_interval(trials: &[Trial]) -> [usize; 2] {
    let mut chances = vec![1.0];
    for trial in trials {
        let (a, b) = ((trial.n + 1 - trial.k) as f64, trial.k as f64);
        let own = beta_binomial(trial.tried, a, b);
        let mut sum = vec![0.0; chances.len() + own.len() - 1];
        for (i, first) in chances.iter().enumerate() {
            for (slot, second) in sum.iter_mut().skip(i).zip(&own) {
                *slot += first * second;
            }
        }
        chances = sum;
    }
    let mut below = 0.0;
    let (mut low, mut high) = (None, chances.len() - 1);
    for (held, chance) in chances.iter().enumerate() {
        below += chance;
        if low.is_none() && below > 0.025 {
            low = Some(held);
        }
        if below >= 0.975 {
            high = held;
            break;
        }
    }
    [low.unwrap_or(0), high]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rank_is_that_of_the_theorem() {
        let scores: Vec<f64> = (1..=199).map(f64::from).collect();
        let found = threshold(&scores, 0.05).unwrap();
        assert_eq!((found.n, found.k, found.value), (199, 190, 190.0));
        assert!(found.coverage[0] < 0.95 && 0.95 < found.coverage[1]);
        assert!((found.coverage[0] - 0.919).abs() < 0.005, "{found:?}");
    }

    #[test]
    fn too_few_scores_give_no_threshold() {
        let scores: Vec<f64> = (0..18).map(f64::from).collect();
        assert_eq!(threshold(&scores, 0.05), Err(TooFew { n: 18, least: 19 }));
        assert!(threshold(&[0.0; 19], 0.05).is_ok());
        assert!(threshold(&[], 0.5).is_err());
        assert!(threshold(&[0.0; 100], 0.0).is_err());
        assert!(threshold(&[0.0; 100], f64::NAN).is_err());
    }

    /// Draws calibrations and new episodes; the share of draws whose number of
    /// held ones lies inside.
    #[test]
    fn the_interval_holds_what_it_says() {
        let mut state = 1_u64;
        let mut draw = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as f64 / (1_u64 << 31) as f64
        };
        let trials = [
            Trial {
                n: 60,
                k: rank(60, 0.05),
                tried: 50,
            },
            Trial {
                n: 200,
                k: rank(200, 0.05),
                tried: 100,
            },
        ];
        let [low, high] = held_interval(&trials);
        let (mut inside, mut all, mut held_sum) = (0, 0, 0);
        for _ in 0..2000 {
            let mut held = 0;
            for trial in &trials {
                let scores: Vec<f64> = (0..trial.n).map(|_| draw()).collect();
                let bar = threshold(&scores, 0.05).unwrap().value;
                held += (0..trial.tried).filter(|_| draw() > bar).count();
            }
            held_sum += held;
            inside += usize::from((low..=high).contains(&held));
            all += 1;
        }
        let share = f64::from(inside as u32) / f64::from(all);
        assert!(share > 0.94, "{share} in {low}..={high}");
        let mean = held_sum as f64 / f64::from(all) / 150.0;
        assert!(mean < 0.051 && mean > 0.04, "{mean}");
    }
}
