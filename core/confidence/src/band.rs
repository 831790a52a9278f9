//! What a signal is like over the course of good episodes: a mean curve and a
//! width around it, over the time since the primitive began.
//!
//! # Source
//! Functional conformal bands: Diquigiovanni, Fontana, Vantini, "The importance
//! of being a band" (2021); their use for policies: Gu et al., "SAFE: multitask
//! failure detection for vision-language-action models" (2025).

use serde::{Deserialize, Serialize};

/// Stretches of time that a band has.
pub(crate) const STRETCHES: usize = 16;
/// Least decisions that a stretch must hold to have a mean of its own.
const LEAST_VALUES: usize = 12;
/// Share of the whole spread that a stretch's width has at least.
const LEAST_WIDTH: f64 = 0.25;

/// A one-sided band of one signal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// Length of a stretch (s); later times belong to the last.
    pub stretch_s: f64,
    /// Mean of each stretch, in the signal's unit.
    pub mean: Vec<f64>,
    /// Width of each stretch: one standard deviation, times what makes bands of
    /// different signals alike.
    pub width: Vec<f64>,
}

impl Band {
    /// Estimates mean and width from (time since the beginning in s, value),
    /// where a stretch is `stretch_s` long and no width is less than
    /// `resolution`. A stretch with few values keeps the mean and width of the
    /// one before it. None without values.
    #[must_use]
    pub fn fit(values: &[(f64, f64)], stretch_s: f64, resolution: f64) -> Option<Self> {
        let sound = || values.iter().filter(|(_, value)| value.is_finite());
        let all: Vec<f64> = sound().map(|(_, value)| *value).collect();
        let (whole_mean, whole_spread) = moments(&all)?;
        let least = resolution.max(LEAST_WIDTH * whole_spread);
        let mut mean = Vec::with_capacity(STRETCHES);
        let mut width = Vec::with_capacity(STRETCHES);
        for stretch in 0..STRETCHES {
            let own: Vec<f64> = sound()
                .filter(|(time_s, _)| stretch_of(*time_s, stretch_s) == stretch)
                .map(|(_, value)| *value)
                .collect();
            let of_own = moments(&own).filter(|_| own.len() >= LEAST_VALUES);
            let before = mean.last().copied().zip(width.last().copied());
            let (center, spread) = of_own.or(before).unwrap_or((whole_mean, whole_spread));
            mean.push(center);
            width.push(spread.max(least));
        }
        Some(Self {
            stretch_s,
            mean,
            width,
        })
    }

    /// How far above the mean a value lies, in widths. NaN stays NaN.
    #[must_use]
    pub fn height(&self, time_s: f64, value: f64) -> f64 {
        let index = stretch_of(time_s, self.stretch_s);
        match (self.mean.get(index), self.width.get(index)) {
            (Some(mean), Some(width)) => (value - mean) / width,
            _ => f64::NAN,
        }
    }

    /// The value at which the height is this.
    #[must_use]
    pub fn value_at(&self, time_s: f64, height: f64) -> f64 {
        let index = stretch_of(time_s, self.stretch_s);
        match (self.mean.get(index), self.width.get(index)) {
            (Some(mean), Some(width)) => mean + height * width,
            _ => f64::NAN,
        }
    }

    /// The same band with every width times `factor`.
    pub(crate) fn widened(mut self, factor: f64) -> Self {
        self.width.iter_mut().for_each(|width| *width *= factor);
        self
    }

    /// Whether its numbers can be used.
    pub(crate) fn is_sound(&self) -> bool {
        self.stretch_s > 0.0
            && self.stretch_s.is_finite()
            && self.mean.len() == STRETCHES
            && self.width.len() == STRETCHES
            && self.mean.iter().all(|mean| mean.is_finite())
            && self
                .width
                .iter()
                .all(|width| *width > 0.0 && width.is_finite())
    }
}

fn stretch_of(time_s: f64, stretch_s: f64) -> usize {
    let index = (time_s / stretch_s).floor().max(0.0);
    (index as usize).min(STRETCHES - 1)
}

/// Mean and standard deviation; none without values.
fn moments(values: &[f64]) -> Option<(f64, f64)> {
    let count = values.len() as f64;
    (!values.is_empty()).then(|| {
        let mean = values.iter().sum::<f64>() / count;
        let square = values
            .iter()
            .map(|value| (value - mean).powi(2))
            .sum::<f64>()
            / count;
        (mean, square.sqrt())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_follows_the_course() {
        let values: Vec<(f64, f64)> = (0..1600)
            .map(|index| {
                let time = f64::from(index) * 0.01;
                let wobble = if index % 2 == 0 { 0.5 } else { -0.5 };
                (time, time + wobble)
            })
            .collect();
        let band = Band::fit(&values, 1.0, 0.01).unwrap();
        assert!(band.is_sound());
        assert!((band.mean[3] - 3.5).abs() < 0.01);
        assert!(band.height(3.5, 3.5).abs() < 0.02);
        assert!(band.height(3.5, 9.0) > 4.0 && band.height(3.5, 0.0) < -2.0);
        // Past the end the last stretch holds.
        assert!((band.height(99.0, 15.5) - band.height(15.5, 15.5)).abs() < 1e-12);
        assert!((band.value_at(3.5, band.height(3.5, 7.0)) - 7.0).abs() < 1e-9);
        assert!(band.height(1.0, f64::NAN).is_nan());
    }

    #[test]
    fn a_signal_that_never_moved_has_the_width_of_its_resolution() {
        let still: Vec<(f64, f64)> = (0..100).map(|i| (f64::from(i) * 0.1, 0.0)).collect();
        let band = Band::fit(&still, 1.0, 0.2).unwrap();
        assert!(band.width.iter().all(|width| (width - 0.2).abs() < 1e-12));
        assert_eq!(Band::fit(&[], 1.0, 0.2), None);
        assert_eq!(Band::fit(&[(0.0, f64::NAN)], 1.0, 0.2), None);
    }
}
