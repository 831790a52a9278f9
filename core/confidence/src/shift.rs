//! Whether a policy acts as it did when it was calibrated.
//!
//! The values of the signals that describe actions are counted in bins that
//! held a tenth each of the calibration's decisions, by primitive. The
//! population stability index Σ (p − q) ln (p / q) over the bins tells how far
//! the shares p of the last decisions lie from those of the calibration, q: 0
//! when they are the same, 0.1 for small and 0.25 for large differences of
//! independent draws. Decisions of one primitive hang together, so that some
//! hundreds of them scatter by 0.1 to 0.2 without any shift: the alarm belongs
//! higher.
//!
//! # Source
//! Siddiqi, "Credit Risk Scorecards" (2006), chapter 10.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use vola_types::{Op, Signal, SignalReading};

use crate::{POOLED, RobotCalibration};

/// Signals that describe what the policy does, not what comes of it.
pub const ACTION_SIGNALS: [Signal; 4] = [
    Signal::Jerk,
    Signal::ChunkConsistency,
    Signal::ChunkNorm,
    Signal::Velocity,
];
/// Bins of a reference.
pub const SHIFT_BINS: usize = 10;
/// Decisions that are looked back on.
const RECENT: usize = 600;
/// Least decisions that anything is said of.
const LEAST: usize = 300;

/// How the values of a signal lay in calibration: borders between bins, and the
/// share of each bin. Where many values are equal, bins are empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Shares {
    /// `SHIFT_BINS - 1` borders, rising; a value on one belongs below it.
    pub borders: Vec<f64>,
    /// One share a bin; together 1.
    pub shares: Vec<f64>,
}

impl Shares {
    /// From values; none with fewer than [`SHIFT_BINS`] finite ones.
    #[must_use]
    pub fn fit(values: impl Iterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        if sorted.len() < SHIFT_BINS {
            return None;
        }
        sorted.sort_by(f64::total_cmp);
        let borders: Vec<f64> = (1..SHIFT_BINS)
            .filter_map(|bin| sorted.get(bin * sorted.len() / SHIFT_BINS).copied())
            .collect();
        let mut own = Self {
            borders,
            shares: vec![0.0; SHIFT_BINS],
        };
        let each = 1.0 / sorted.len() as f64;
        for value in sorted {
            let bin = own.bin(value);
            if let Some(share) = own.shares.get_mut(bin) {
                *share += each;
            }
        }
        Some(own)
    }

    /// Whether every number can be used.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let sum: f64 = self.shares.iter().sum();
        let rises = |pair: &[f64]| matches!(pair, [low, high] if low <= high);
        self.borders.len() == SHIFT_BINS - 1
            && self.shares.len() == SHIFT_BINS
            && self.borders.windows(2).all(rises)
            && self.shares.iter().all(|share| (0.0..=1.0).contains(share))
            && (sum - 1.0).abs() < 1e-3
    }

    fn bin(&self, value: f64) -> usize {
        self.borders.partition_point(|border| *border < value)
    }
}

/// Watches the decisions of a robot.
#[derive(Clone, Debug, Default)]
pub struct ShiftWatch {
    reference: BTreeMap<(String, Signal), Shares>,
    recent: BTreeMap<Signal, Recent>,
}

/// Bins of the last decisions, and what calibration expects of them.
#[derive(Clone, Debug, Default)]
struct Recent {
    seen: VecDeque<(usize, [f64; SHIFT_BINS])>,
}

impl ShiftWatch {
    /// A watch against what a robot was calibrated on.
    #[must_use]
    pub fn new(robot: &RobotCalibration) -> Self {
        let groups = robot.groups.iter();
        let reference = groups.flat_map(|(name, group)| {
            let own = group.actions.iter();
            own.map(|(signal, shares)| ((name.clone(), *signal), shares.clone()))
        });
        Self {
            reference: reference.collect(),
            recent: BTreeMap::new(),
        }
    }

    /// Takes the signals of one decision of a primitive.
    pub fn observe(&mut self, op: Op, signals: &[SignalReading]) {
        for reading in signals.iter().filter(|one| one.value.is_finite()) {
            let of = |group: &str| self.reference.get(&(group.to_owned(), reading.name));
            let Some(shares) = of(op.as_str()).or_else(|| of(POOLED)) else {
                continue;
            };
            let mut expected = [0.0; SHIFT_BINS];
            for (slot, share) in expected.iter_mut().zip(&shares.shares) {
                *slot = *share;
            }
            let seen = &mut self.recent.entry(reading.name).or_default().seen;
            seen.push_back((shares.bin(reading.value), expected));
            if seen.len() > RECENT {
                seen.pop_front();
            }
        }
    }

    /// The signal whose values have shifted most, and by how much; none before
    /// 300 decisions, or without a reference.
    #[must_use]
    pub fn greatest(&self) -> Option<(Signal, f64)> {
        let shifts = self.recent.iter();
        shifts
            .filter_map(|(signal, recent)| Some((*signal, recent.shift()?)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

impl Recent {
    fn shift(&self) -> Option<f64> {
        if self.seen.len() < LEAST {
            return None;
        }
        // Half a decision is added to each bin, so that an empty one has a
        // logarithm.
        let (mut found, mut expected) = ([0.5; SHIFT_BINS], [0.5; SHIFT_BINS]);
        for (bin, shares) in &self.seen {
            if let Some(count) = found.get_mut(*bin) {
                *count += 1.0;
            }
            for (sum, share) in expected.iter_mut().zip(shares) {
                *sum += share;
            }
        }
        let all = self.seen.len() as f64 + 0.5 * SHIFT_BINS as f64;
        let index = found.iter().zip(&expected).map(|(found, expected)| {
            let (p, q) = (found / all, expected / all);
            (p - q) * (p / q).ln()
        });
        Some(index.sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::Group;

    /// Numbers from 0 to 1, the same at every run.
    fn draws(seed: u64) -> impl Iterator<Item = f64> {
        let mut state = seed;
        std::iter::repeat_with(move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / (1_u64 << 31) as f64
        })
    }

    fn watch() -> ShiftWatch {
        let group = |from: f64| {
            let shares = Shares::fit(draws(1).take(2000).map(|value| from + value)).unwrap();
            Group {
                actions: [(Signal::Jerk, shares)].into(),
                ..Group::default()
            }
        };
        let robot = RobotCalibration {
            groups: [
                ("pick".to_owned(), group(0.0)),
                (POOLED.to_owned(), group(5.0)),
            ]
            .into(),
            ..RobotCalibration::default()
        };
        ShiftWatch::new(&robot)
    }

    fn shift(op: Op, count: usize, value: impl Fn(f64) -> f64) -> Option<f64> {
        let mut watch = watch();
        for drawn in draws(7).take(count) {
            let reading = SignalReading {
                name: Signal::Jerk,
                value: value(drawn),
                ratio: None,
            };
            watch.observe(op, &[reading]);
        }
        watch.greatest().map(|(_, shift)| shift)
    }

    #[test]
    fn what_is_as_it_was_has_not_shifted() {
        assert!(shift(Op::Pick, 600, |value| value).unwrap() < 0.05);
        // Another primitive is compared with all of them.
        assert!(shift(Op::Push, 600, |value| 5.0 + value).unwrap() < 0.05);
        assert_eq!(shift(Op::Pick, 299, |value| value), None);
    }

    #[test]
    fn what_is_faster_or_always_the_same_has() {
        let moved = shift(Op::Pick, 600, |value| value + 0.3).unwrap();
        let stiff = shift(Op::Pick, 600, |_| 0.5).unwrap();
        assert!(moved > 0.5 && stiff > 2.0, "{moved} {stiff}");
        // What is not a number counts for nothing.
        assert_eq!(shift(Op::Pick, 600, |_| f64::NAN), None);
    }

    #[test]
    fn equal_values_leave_bins_empty() {
        let shares =
            Shares::fit((0..100).map(|n| if n < 60 { 0.0 } else { f64::from(n) })).unwrap();
        assert!(shares.is_sound(), "{shares:?}");
        assert!((shares.shares[0] - 0.6).abs() < 0.02, "{shares:?}");
        assert_eq!(Shares::fit([1.0; 9].into_iter()), None);
        let mut wrong = shares.clone();
        wrong.borders[3] = f64::NAN;
        assert!(!wrong.is_sound());
        wrong = shares;
        wrong.shares[0] = 2.0;
        assert!(!wrong.is_sound());
    }
}
