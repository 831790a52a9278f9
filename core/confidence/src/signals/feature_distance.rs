//! How far the head's input lies from what it was in known episodes.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};

use super::Meter;
use crate::Evidence;

/// Mahalanobis distance of the head's input, divided by the square root of its
/// width: about 1 for inputs like those of known episodes.
///
/// # Meaning
/// For every bundle whose action head reads a tensor of numbers and whose
/// calibration holds statistics of it. It tells that something is new, not that
/// it is wrong.
///
/// # Timing
/// Half a multiplication for each pair of features: some 40 µs for 376.
///
/// # Source
/// Lee, Lee, Lee, Shin, "A simple unified framework for detecting
/// out-of-distribution samples and adversarial attacks" (2018), one class.
#[derive(Debug)]
pub(super) struct FeatureDistance {
    statistics: Arc<FeatureStatistics>,
}

impl FeatureDistance {
    pub(super) fn new(statistics: Arc<FeatureStatistics>) -> Self {
        Self { statistics }
    }
}

impl Meter for FeatureDistance {
    fn measure(&mut self, evidence: &Evidence<'_>) -> Option<f64> {
        self.statistics.distance(evidence.features?)
    }
}

/// Mean and covariance of the features of known episodes, the covariance as the
/// inverse of its lower Cholesky factor.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureStatistics {
    mean: Vec<f32>,
    /// Lower triangle of the inverse factor, row by row.
    whitening: Vec<f32>,
    shrinkage: f64,
}

impl FeatureStatistics {
    /// Estimates them from rows of equal width, the covariance shrunk towards
    /// its diagonal by the share that Ledoit and Wolf give for the least
    /// expected error; at least one part in a thousand, so that features that
    /// never differed do not divide by zero.
    ///
    /// None for fewer than two rows, for rows of different widths, and where a
    /// number is not finite.
    ///
    /// # Source
    /// Schäfer, Strimmer, "A shrinkage approach to large-scale covariance matrix
    /// estimation" (2005), target D: unequal variances.
    #[must_use]
    pub fn fit(rows: &[&[f32]]) -> Option<Self> {
        let (count, width) = (rows.len(), rows.first()?.len());
        let is_sound = |row: &&[f32]| row.len() == width && row.iter().all(|v| v.is_finite());
        if count < 2 || width == 0 || !rows.iter().all(is_sound) {
            return None;
        }
        let mut data = DMatrix::<f32>::zeros(count, width);
        let mut mean = vec![0.0_f64; width];
        for row in rows {
            for (sum, value) in mean.iter_mut().zip(*row) {
                *sum += f64::from(*value) / count as f64;
            }
        }
        for (index, row) in rows.iter().enumerate() {
            for (column, value) in row.iter().enumerate() {
                data[(index, column)] = value - mean[column] as f32;
            }
        }
        let product = data.transpose() * &data;
        let squares = data.map(|value| value * value);
        let fourth = squares.transpose() * &squares;
        let share = shrinkage(&product, &fourth, count);
        let mut covariance = product.map(|value| f64::from(value) / (count - 1) as f64);
        let typical = covariance.diagonal().mean().max(1e-12);
        for row in 0..width {
            for column in 0..width {
                if row == column {
                    covariance[(row, row)] += 1e-3 * typical;
                } else {
                    covariance[(row, column)] *= 1.0 - share;
                }
            }
        }
        let factor = covariance.cholesky()?.l();
        let inverse = factor.solve_lower_triangular(&DMatrix::identity(width, width))?;
        let whitening = (0..width)
            .flat_map(|row| (0..=row).map(move |column| (row, column)))
            .map(|at| inverse[at] as f32)
            .collect();
        Some(Self {
            mean: mean.into_iter().map(|value| value as f32).collect(),
            whitening,
            shrinkage: share,
        })
    }

    /// From stored numbers: the mean, then the lower triangle of the inverse
    /// factor row by row. None where the lengths do not fit or a number is not
    /// finite.
    #[must_use]
    pub fn from_parts(mean: Vec<f32>, whitening: Vec<f32>, shrinkage: f64) -> Option<Self> {
        let width = mean.len();
        let is_finite = mean.iter().chain(&whitening).all(|value| value.is_finite());
        (width > 0 && whitening.len() == width * (width + 1) / 2 && is_finite).then_some(Self {
            mean,
            whitening,
            shrinkage,
        })
    }

    /// Features of a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.mean.len()
    }

    /// The mean.
    #[must_use]
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// Lower triangle of the inverse factor, row by row.
    #[must_use]
    pub fn whitening(&self) -> &[f32] {
        &self.whitening
    }

    /// Share by which covariances were shrunk, 0..1.
    #[must_use]
    pub fn shrinkage(&self) -> f64 {
        self.shrinkage
    }

    /// Distance of a row; none for another width.
    #[must_use]
    pub fn distance(&self, features: &[f32]) -> Option<f64> {
        if features.len() != self.width() {
            return None;
        }
        let offset = DVector::from_iterator(
            self.width(),
            features.iter().zip(&self.mean).map(|(a, b)| a - b),
        );
        let mut rest = self.whitening.as_slice();
        let mut sum = 0.0_f64;
        for row in 0..self.width() {
            let (own, others) = rest.split_at_checked(row + 1)?;
            let whitened: f32 = own.iter().zip(offset.iter()).map(|(a, b)| a * b).sum();
            sum += f64::from(whitened) * f64::from(whitened);
            rest = others;
        }
        Some((sum / self.width() as f64).sqrt())
    }
}

/// The least expected error's share: the summed variances of the covariances
/// over their summed squares.
fn shrinkage(product: &DMatrix<f32>, fourth: &DMatrix<f32>, count: usize) -> f64 {
    let n = count as f64;
    let (mut variance, mut square) = (0.0, 0.0);
    for row in 0..product.nrows() {
        for column in 0..row {
            let mean = f64::from(product[(row, column)]) / n;
            // Sum of (x_i x_j − mean)² over the rows.
            let spread = f64::from(fourth[(row, column)]) - n * mean * mean;
            variance += n / (n - 1.0).powi(3) * spread.max(0.0);
            let covariance = n / (n - 1.0) * mean;
            square += covariance * covariance;
        }
    }
    if square > 0.0 {
        (variance / square).clamp(0.0, 1.0)
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of two features that move together, and one that never differs.
    fn rows(count: usize) -> Vec<Vec<f32>> {
        let mut state = 7_u64;
        let mut draw = || {
            let mut sum = -6.0;
            for _ in 0..12 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                sum += (state >> 40) as f32 / (1_u64 << 24) as f32;
            }
            sum
        };
        (0..count)
            .map(|_| {
                let (a, b) = (draw(), draw());
                vec![a, a + 0.1 * b, 5.0]
            })
            .collect()
    }

    #[test]
    fn known_rows_are_near_and_strange_ones_far() {
        let rows = rows(2000);
        let lent: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        let statistics = FeatureStatistics::fit(&lent).unwrap();
        let mean = rows
            .iter()
            .map(|row| statistics.distance(row).unwrap().powi(2))
            .sum::<f64>()
            / 2000.0;
        // Two features of three differ at all.
        assert!((0.55..0.7).contains(&mean), "{mean}");
        // Each number is usual, together they are not.
        assert!(statistics.distance(&[1.0, -1.0, 5.0]).unwrap() > 5.0);
        assert!(statistics.distance(&[0.0, 0.0, 9.0]).unwrap() > 5.0);
        assert_eq!(statistics.distance(&[0.0]), None);
        assert!(statistics.shrinkage() < 0.05);
        let stored = FeatureStatistics::from_parts(
            statistics.mean().to_vec(),
            statistics.whitening().to_vec(),
            statistics.shrinkage(),
        );
        assert_eq!(stored.unwrap(), statistics);
    }

    #[test]
    fn what_cannot_be_estimated_is_refused() {
        assert!(FeatureStatistics::fit(&[]).is_none());
        assert!(FeatureStatistics::fit(&[&[1.0]]).is_none());
        assert!(FeatureStatistics::fit(&[&[1.0], &[1.0, 2.0]]).is_none());
        assert!(FeatureStatistics::fit(&[&[1.0], &[f32::NAN]]).is_none());
        assert!(FeatureStatistics::from_parts(vec![0.0; 2], vec![1.0; 2], 0.0).is_none());
        assert!(FeatureStatistics::from_parts(vec![0.0], vec![f32::NAN], 0.0).is_none());
    }
}
