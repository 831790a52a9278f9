//! Normalisation and its inverse, one formula an element.

use crate::error::BundleError;
use crate::manifest::NormaliseMode;
use crate::stats::Statistics;

/// Added to the deviation before dividing, and the least width of a range.
///
/// # Source
/// `eps` of LeRobot's normaliser step, revision 0.4.4.
const EPSILON: f64 = 1e-8;

/// Maps a feature to normalised numbers and back.
///
/// Each element is `(x − shift) / scale` forward and `y · width + centre` back;
/// the two pairs differ only by the epsilon that LeRobot adds in one direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Normaliser {
    elements: Vec<Element>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Element {
    shift: f64,
    scale: f64,
    centre: f64,
    width: f64,
}

impl Normaliser {
    /// A normaliser for `length` elements of the statistics entry `feature`.
    ///
    /// # Errors
    /// When the mode's statistics are missing or of another length.
    pub fn new(
        mode: NormaliseMode,
        statistics: Option<&Statistics>,
        feature: &str,
        length: usize,
    ) -> Result<Self, BundleError> {
        if mode == NormaliseMode::Identity {
            return Ok(Self::identity(length));
        }
        let empty = Statistics::default();
        let stats = statistics
            .unwrap_or(&empty)
            .require(feature, mode, length)?;
        let [low, high] = mode.needs() else {
            return Ok(Self::identity(length));
        };
        let (low, high) = (
            stats.get(low).unwrap_or_default(),
            stats.get(high).unwrap_or_default(),
        );
        let element = |(&low, &high): (&f64, &f64)| match mode {
            NormaliseMode::MeanStd => Element {
                shift: low,
                scale: high + EPSILON,
                centre: low,
                width: high,
            },
            _ => {
                let range = if high > low { high - low } else { EPSILON };
                Element {
                    shift: low + range / 2.0,
                    scale: range / 2.0,
                    centre: low + (high - low) / 2.0,
                    width: (high - low) / 2.0,
                }
            }
        };
        Ok(Self {
            elements: low.iter().zip(high).map(element).collect(),
        })
    }

    /// A normaliser that changes nothing.
    #[must_use]
    pub fn identity(length: usize) -> Self {
        Self {
            elements: vec![
                Element {
                    shift: 0.0,
                    scale: 1.0,
                    centre: 0.0,
                    width: 1.0
                };
                length
            ],
        }
    }

    /// Elements it was made for.
    #[must_use]
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether it was made for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// A physical number of one element, normalised; NaN for an element that
    /// does not exist.
    #[must_use]
    pub fn forward(&self, element: usize, value: f64) -> f64 {
        self.elements
            .get(element)
            .map_or(f64::NAN, |e| (value - e.shift) / e.scale)
    }

    /// A normalised number of one element, physical; NaN for an element that
    /// does not exist.
    #[must_use]
    pub fn backward(&self, element: usize, value: f64) -> f64 {
        self.elements
            .get(element)
            .map_or(f64::NAN, |e| value * e.width + e.centre)
    }

    /// Normalises one element's values in place, as f32.
    pub(crate) fn forward_plane(&self, element: usize, values: &mut [f32]) {
        let Some(e) = self.elements.get(element) else {
            return;
        };
        #[allow(clippy::cast_possible_truncation, reason = "stages take f32")]
        for value in values {
            *value = ((f64::from(*value) - e.shift) / e.scale) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::stats::FeatureStats;

    fn statistics(low: f64, width: f64) -> Statistics {
        let stats = FeatureStats {
            mean: Some(vec![low]),
            std: Some(vec![width]),
            min: Some(vec![low]),
            max: Some(vec![low + width]),
            q01: Some(vec![low]),
            q99: Some(vec![low + width]),
            ..FeatureStats::default()
        };
        Statistics::from_features(BTreeMap::from([("a".to_owned(), stats)]), "s").unwrap()
    }

    fn normaliser(mode: NormaliseMode, low: f64, width: f64) -> Normaliser {
        Normaliser::new(mode, Some(&statistics(low, width)), "a", 1).unwrap()
    }

    #[test]
    fn ends_of_the_range_are_minus_one_and_one() {
        for mode in [NormaliseMode::MinMax, NormaliseMode::Quantile] {
            let one = normaliser(mode, 2.0, 4.0);
            assert!((one.forward(0, 2.0) + 1.0).abs() < 1e-12);
            assert!((one.forward(0, 6.0) - 1.0).abs() < 1e-12);
            assert!((one.backward(0, 0.0) - 4.0).abs() < 1e-12);
        }
        let one = normaliser(NormaliseMode::MeanStd, 2.0, 4.0);
        assert!((one.forward(0, 6.0) - 1.0).abs() < 1e-8);
        assert!((one.backward(0, 1.0) - 6.0).abs() < 1e-12);
    }

    #[test]
    fn a_constant_element_maps_to_minus_one_and_back() {
        let stats = FeatureStats {
            min: Some(vec![3.0]),
            max: Some(vec![3.0]),
            ..FeatureStats::default()
        };
        let stats =
            Statistics::from_features(BTreeMap::from([("a".to_owned(), stats)]), "s").unwrap();
        let one = Normaliser::new(NormaliseMode::MinMax, Some(&stats), "a", 1).unwrap();
        assert!((one.forward(0, 3.0) + 1.0).abs() < 1e-6);
        assert!((one.backward(0, -1.0) - 3.0).abs() < 1e-12);
    }

    #[test]
    fn missing_statistics_are_named() {
        let text = Normaliser::new(NormaliseMode::MeanStd, None, "action", 7)
            .unwrap_err()
            .to_string();
        assert!(
            text.contains("action: expected statistics for `mean_std`, got none"),
            "{text}"
        );
        let text = Normaliser::new(NormaliseMode::MeanStd, Some(&statistics(0.0, 1.0)), "a", 7)
            .unwrap_err()
            .to_string();
        assert!(text.contains("a.mean: expected 7 numbers, got 1"), "{text}");
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_same(
            low in -100.0..100.0f64,
            width in 0.01..100.0f64,
            value in -1000.0..1000.0f64,
            mode in prop_oneof![
                Just(NormaliseMode::MeanStd),
                Just(NormaliseMode::MinMax),
                Just(NormaliseMode::Quantile),
                Just(NormaliseMode::Identity),
            ],
        ) {
            let one = normaliser(mode, low, width);
            let back = one.backward(0, one.forward(0, value));
            // The epsilon of `mean_std` changes a value by at most 1e-8 / std of it.
            prop_assert!((back - value).abs() <= 1e-9 + (value - low).abs() * 1e-6);
        }
    }
}
