//! Means and quantiles of measured values.

use serde::Serialize;

/// The usual three of a latency.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Quantiles {
    /// Half of the values are at most this.
    pub(crate) p50: f64,
    /// 95 % are at most this.
    pub(crate) p95: f64,
    /// 99 % are at most this.
    pub(crate) p99: f64,
    /// All are at most this.
    pub(crate) max: f64,
}

impl Quantiles {
    /// Of values in any order; nothing without values. NaN counts as largest.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let max = *sorted.last()?;
        Some(Self {
            p50: rank(&sorted, 50),
            p95: rank(&sorted, 95),
            p99: rank(&sorted, 99),
            max,
        })
    }
}

/// The nearest-rank quantile of sorted values, in percent.
fn rank(sorted: &[f64], percent: usize) -> f64 {
    let index = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

/// The mean; nothing without values.
pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a count of measurements")]
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The median; nothing without values.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    Quantiles::of(values).map(|quantiles| quantiles.p50)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_occurred() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let quantiles = Quantiles::of(&values).unwrap();
        assert_eq!(
            quantiles,
            Quantiles {
                p50: 50.0,
                p95: 95.0,
                p99: 99.0,
                max: 100.0
            }
        );
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(
            (Quantiles::of(&[]), mean(&[]), median(&[])),
            (None, None, None)
        );
        assert_eq!(mean(&[1.0, 2.0]), Some(1.5));
    }
}
