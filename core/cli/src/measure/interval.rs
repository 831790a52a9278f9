//! How sure a measured rate is.

use serde::Serialize;

/// 97.5 % quantile of the normal distribution: two-sided 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// A share of successes with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Rate {
    /// Successes over trials; 0 without trials.
    pub(crate) rate: f64,
    /// Lower end of the interval.
    pub(crate) low: f64,
    /// Upper end of the interval.
    pub(crate) high: f64,
}

/// The Wilson score interval, which stays inside 0..=1 and is right for small
/// numbers and for rates near the ends, where the usual one is not.
///
/// # Source
/// E. B. Wilson, "Probable inference, the law of succession, and statistical
/// inference", JASA 22 (1927).
pub(crate) fn wilson(successes: usize, trials: usize) -> Rate {
    if trials == 0 {
        return Rate {
            rate: 0.0,
            low: 0.0,
            high: 1.0,
        };
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of episodes")]
    let (successes, trials) = (successes as f64, trials as f64);
    let rate = successes / trials;
    let spread = Z * Z / trials;
    let center = (rate + 0.5 * spread) / (1.0 + spread);
    let half = (rate * (1.0 - rate) / trials + spread / (4.0 * trials))
        .max(0.0)
        .sqrt()
        * Z
        / (1.0 + spread);
    Rate {
        rate,
        low: (center - half).clamp(0.0, rate),
        high: (center + half).clamp(rate, 1.0),
    }
}

/// How many of the same trials ended well in one way of doing them and not in the
/// other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pairs {
    /// Trials.
    pub(crate) trials: usize,
    /// Only the second way ended well.
    pub(crate) gained: usize,
    /// Only the first way ended well.
    pub(crate) lost: usize,
}

/// A difference of two rates, with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Difference {
    /// Second rate less the first; 0 without trials.
    pub(crate) rate: f64,
    /// Lower end of the interval.
    pub(crate) low: f64,
    /// Upper end of the interval.
    pub(crate) high: f64,
}

/// The difference of paired rates: the usual interval after half a trial was added
/// to each of the four outcomes of a pair, which holds for small numbers as well.
///
/// # Source
/// A. Agresti and Y. Min, "Simple improved confidence intervals for comparing
/// matched proportions", Statistics in Medicine 24 (2005).
pub(crate) fn paired(pairs: Pairs) -> Difference {
    if pairs.trials == 0 {
        return Difference {
            rate: 0.0,
            low: -1.0,
            high: 1.0,
        };
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of episodes")]
    let [trials, gained, lost] = [pairs.trials, pairs.gained, pairs.lost].map(|count| count as f64);
    let rate = (gained - lost) / trials;
    let (all, up, down) = (trials + 2.0, gained + 0.5, lost + 0.5);
    let center = (up - down) / all;
    let half = Z * (up + down - (up - down).powi(2) / all).max(0.0).sqrt() / all;
    Difference {
        rate,
        low: (center - half).clamp(-1.0, rate),
        high: (center + half).clamp(rate, 1.0),
    }
}

/// The second rate less the first, where each has trials of its own.
///
/// # Source
/// R. G. Newcombe, "Interval estimation for the difference between independent
/// proportions", Statistics in Medicine 17 (1998), method 10.
pub(crate) fn unpaired(first: Rate, second: Rate) -> Difference {
    let rate = second.rate - first.rate;
    Difference {
        rate,
        low: rate - (second.rate - second.low).hypot(first.high - first.rate),
        high: rate + (second.high - second.rate).hypot(first.rate - first.low),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_match_the_published_formula() {
        // Values from the closed form, worked out by hand to four digits.
        for (successes, trials, low, high) in [
            (186, 200, 0.8860, 0.9578),
            (0, 10, 0.0, 0.2775),
            (10, 10, 0.7225, 1.0),
            (5, 10, 0.2366, 0.7634),
        ] {
            let rate = wilson(successes, trials);
            assert!(
                (rate.low - low).abs() < 2e-4 && (rate.high - high).abs() < 2e-4,
                "{rate:?}"
            );
        }
        assert_eq!(
            wilson(0, 0),
            Rate {
                rate: 0.0,
                low: 0.0,
                high: 1.0
            }
        );
    }

    #[test]
    fn unpaired_differences_match_the_published_table() {
        // 56 of 70 less 48 of 80.
        let found = unpaired(wilson(48, 80), wilson(56, 70));
        assert!((found.low - 0.0524).abs() < 5e-5, "{found:?}");
        assert!((found.high - 0.3339).abs() < 5e-5, "{found:?}");
    }

    #[test]
    fn paired_differences_match_the_published_formula() {
        // Values from the closed form, worked out by hand to four digits.
        let pairs = |trials, gained, lost| Pairs {
            trials,
            gained,
            lost,
        };
        for (of, rate, low, high) in [
            (pairs(100, 40, 5), 0.35, 0.2311, 0.4552),
            (pairs(20, 0, 0), 0.0, -0.0891, 0.0891),
            (pairs(10, 10, 0), 1.0, 0.5666, 1.0),
        ] {
            let difference = paired(of);
            assert!((difference.rate - rate).abs() < 1e-12, "{difference:?}");
            assert!(
                (difference.low - low).abs() < 2e-4 && (difference.high - high).abs() < 2e-4,
                "{difference:?}"
            );
        }
        let nothing = paired(Pairs::default());
        assert!(nothing.low <= -1.0 && nothing.high >= 1.0);
    }

    #[test]
    fn more_trials_narrow_the_interval() {
        let width = |rate: Rate| rate.high - rate.low;
        assert!(width(wilson(90, 100)) < width(wilson(9, 10)));
    }
}
