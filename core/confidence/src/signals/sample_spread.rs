//! How far the samples of one chunk lie apart.

use super::Meter;
use crate::{Evidence, PlannedPath};

/// Root mean square distance of the samples from their mean, over all rows (m).
///
/// # Meaning
/// For heads with two samples or more, however they are made: an ensemble of
/// heads, Monte Carlo dropout, draws of a diffusion or flow head. None for one
/// sample.
///
/// # Timing
/// The samples are the head's cost: an ensemble of N costs N heads. The spread
/// itself is some hundred additions.
#[derive(Debug)]
pub(super) struct SampleSpread;

impl Meter for SampleSpread {
    fn measure(&mut self, evidence: &Evidence<'_>) -> Option<f64> {
        spread_m(evidence.samples)
    }
}

fn spread_m(samples: &[PlannedPath]) -> Option<f64> {
    let count = samples.len();
    let rows = samples.iter().map(|sample| sample.rows.len()).min()?;
    if count < 2 || rows == 0 {
        return None;
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
    Some((sum / (count * rows) as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::tests::path;

    #[test]
    fn equal_samples_have_none_and_one_sample_says_nothing() {
        let same = [path(0, &[0.1, 0.2]), path(0, &[0.1, 0.2])];
        assert!(spread_m(&same).unwrap() < 1e-12);
        let wide = [path(0, &[0.0]), path(0, &[0.2])];
        assert!((spread_m(&wide).unwrap() - 0.1).abs() < 1e-12);
        assert_eq!(spread_m(&same[..1]), None);
        assert!(
            spread_m(&[path(0, &[f64::NAN]), path(0, &[0.0])])
                .unwrap()
                .is_nan()
        );
    }
}
