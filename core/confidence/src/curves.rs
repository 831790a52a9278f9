//! The signals of one episode over its course, and its scores.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vola_types::{Op, Signal};

use crate::{Band, Window, WindowRule};

/// Lowest score: of an episode in which a signal said nothing.
pub(crate) const NOTHING: f64 = -1e6;
/// Highest score: of one in which a signal was no number.
pub(crate) const EVERYTHING: f64 = 1e6;

/// What was measured in one primitive, decision by decision.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EpisodeCurves {
    /// The primitive.
    pub op: Option<Op>,
    /// Time of each decision since the beginning (s).
    pub times_s: Vec<f64>,
    /// Values by signal, one a decision; none where it was not there.
    pub values: BTreeMap<Signal, Vec<Option<f64>>>,
}

impl EpisodeCurves {
    /// Takes a decision; a signal that was not there before begins with nothing.
    pub fn push(&mut self, time_s: f64, values: impl IntoIterator<Item = (Signal, f64)>) {
        for (signal, value) in values {
            let row = self.values.entry(signal).or_default();
            row.resize(self.times_s.len(), None);
            row.push(Some(value));
        }
        self.times_s.push(time_s);
        let count = self.times_s.len();
        self.values
            .values_mut()
            .for_each(|row| row.resize(count, None));
    }

    /// Time of the last decision (s).
    #[must_use]
    pub fn length_s(&self) -> f64 {
        self.times_s.last().copied().unwrap_or(0.0)
    }

    /// (time, value) of a signal where it was there.
    pub fn points(&self, signal: Signal) -> impl Iterator<Item = (f64, f64)> + '_ {
        let row = self.values.get(&signal).map_or(&[][..], Vec::as_slice);
        self.times_s
            .iter()
            .zip(row)
            .filter_map(|(time, value)| value.map(|value| (*time, value)))
    }

    /// The windowed heights of a signal over its band, one a decision.
    #[must_use]
    pub fn heights(&self, signal: Signal, band: &Band, rule: WindowRule) -> Vec<f64> {
        let row = self.values.get(&signal).map_or(&[][..], Vec::as_slice);
        let mut window = Window::new(rule);
        self.times_s
            .iter()
            .enumerate()
            .map(|(index, time)| {
                let value = row.get(index).copied().flatten();
                let height = value.map_or(f64::NEG_INFINITY, |value| band.height(*time, value));
                window.push(height).clamp(NOTHING, EVERYTHING)
            })
            .collect()
    }
}

/// The greatest of numbers; [`NOTHING`] without any.
pub(crate) fn greatest(heights: &[f64]) -> f64 {
    heights.iter().copied().fold(NOTHING, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_may_come_late_and_stay_aligned() {
        let mut curves = EpisodeCurves::default();
        curves.push(0.0, [(Signal::Stall, 0.0)]);
        curves.push(0.2, [(Signal::Stall, 0.1), (Signal::Jerk, 3.0)]);
        curves.push(0.4, [(Signal::Jerk, 4.0)]);
        assert_eq!(curves.values[&Signal::Stall], [Some(0.0), Some(0.1), None]);
        assert_eq!(curves.values[&Signal::Jerk], [None, Some(3.0), Some(4.0)]);
        assert_eq!(curves.points(Signal::Jerk).count(), 2);
        let text = serde_json::to_string(&curves).unwrap();
        assert_eq!(
            serde_json::from_str::<EpisodeCurves>(&text).unwrap(),
            curves
        );
    }

    #[test]
    fn heights_are_those_that_a_monitor_sees() {
        let band = Band::fit(&[(0.0, 1.0), (0.1, 3.0)], 1.0, 0.1).unwrap();
        let mut curves = EpisodeCurves::default();
        for (index, value) in [2.0, 4.0, 6.0].into_iter().enumerate() {
            curves.push(index as f64 * 0.2, [(Signal::Stall, value)]);
        }
        let heights = curves.heights(Signal::Stall, &band, WindowRule::new(2, 2));
        assert!(heights[0] < NOTHING + 1.0);
        assert!((heights[1] - 0.0).abs() < 1e-12 && (heights[2] - 2.0).abs() < 1e-12);
        assert!((greatest(&heights) - 2.0).abs() < 1e-12);
        assert!(greatest(&[]) < NOTHING + 1.0);
    }
}
