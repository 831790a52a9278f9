//! How well failures are told from successes.

use serde::Serialize;
use vola_confidence::{auroc, balanced_accuracy};

use super::{Judge, Surveyed};
use crate::measure::{Rate, median, wilson};

/// An episode as some method judged it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Judged {
    /// Higher for less sure.
    pub(crate) score: f64,
    /// When the method would have held, as a share of the episode's length.
    pub(crate) held_at: Option<f64>,
    /// Whether the episode failed.
    pub(crate) failed: bool,
}

impl Judged {
    /// By a calibrated judge. Who is stopped by a watchdog has been found, at the
    /// end of the episode at the latest, by every method.
    pub(crate) fn by(judge: &Judge<'_>, episode: &Surveyed) -> Option<Self> {
        let verdict = judge.verdict(episode)?;
        let length_s = episode.curves.length_s().max(1e-9);
        let held_at = verdict.held_at_s.map(|at| (at / length_s).min(1.0));
        Some(Self::new(verdict.ratio, held_at, episode))
    }

    /// By chance: one in twenty is held, at any time.
    pub(crate) fn by_chance(episode: &Surveyed, rate: f64) -> Self {
        let mut key = episode.perturb.clone().into_bytes();
        key.extend(episode.task.bytes());
        key.extend(episode.seed.to_le_bytes());
        let hash = blake3::hash(&key);
        let draw = |at: usize| {
            let bytes = hash.as_bytes().get(at..at + 4).unwrap_or(&[0; 4]);
            let mut word = [0; 4];
            word.copy_from_slice(bytes);
            f64::from(u32::from_le_bytes(word)) / f64::from(u32::MAX)
        };
        let score = draw(0);
        let held_at = (score > 1.0 - rate).then(|| draw(4));
        Self::new(score, held_at, episode)
    }

    fn new(score: f64, held_at: Option<f64>, episode: &Surveyed) -> Self {
        if episode.is_stopped() {
            return Self {
                score: f64::INFINITY,
                held_at: Some(held_at.unwrap_or(1.0)),
                failed: true,
            };
        }
        Self {
            score,
            held_at,
            failed: !episode.success,
        }
    }
}

/// How well a method tells failures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Detection {
    /// Episodes.
    pub(crate) episodes: usize,
    /// Of which so many failed.
    pub(crate) failed: usize,
    /// Area under the receiver operating characteristic; none where all failed
    /// or none did.
    pub(crate) auroc: Option<f64>,
    /// Mean of the shares of failures found and of successes left alone.
    pub(crate) balanced_accuracy: Option<f64>,
    /// Share of failures that are found.
    pub(crate) found: Rate,
    /// Share of successes that are held.
    pub(crate) false_alarms: Rate,
    /// Median time at which failures are found, as a share of the episode; one that
    /// is not found counts as found at its end.
    pub(crate) detection_time: Option<f64>,
}

impl Detection {
    /// Over episodes. `beside` are successes under no perturbation: they help
    /// where a perturbation lets nothing succeed, and count in the area and the
    /// accuracy only.
    pub(crate) fn of(judged: &[Judged], beside: &[Judged]) -> Self {
        let all: Vec<&Judged> = judged.iter().chain(beside).collect();
        let scored: Vec<(f64, bool)> = all.iter().map(|one| (one.score, one.failed)).collect();
        let found: Vec<(bool, bool)> = all
            .iter()
            .map(|one| (one.held_at.is_some(), one.failed))
            .collect();
        let count = |held: bool, failed: bool| {
            judged
                .iter()
                .filter(|one| one.failed == failed && (!held || one.held_at.is_some()))
                .count()
        };
        let times: Vec<f64> = judged
            .iter()
            .filter(|one| one.failed)
            .map(|one| one.held_at.unwrap_or(1.0))
            .collect();
        Self {
            episodes: judged.len(),
            failed: count(false, true),
            auroc: auroc(&scored),
            balanced_accuracy: balanced_accuracy(&found),
            found: wilson(count(true, true), count(false, true)),
            false_alarms: wilson(count(true, false), count(false, false)),
            detection_time: median(&times),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn episode(success: bool, end: &str) -> Surveyed {
        Surveyed {
            success,
            end: end.to_owned(),
            perturb: "light".to_owned(),
            ..Surveyed::default()
        }
    }

    #[test]
    fn shares_and_times_are_those_of_failures() {
        let one = |score, held_at, failed| Judged {
            score,
            held_at,
            failed,
        };
        let judged = [
            one(2.0, Some(0.25), true),
            one(3.0, Some(0.75), true),
            one(0.9, None, true),
            one(0.5, None, false),
        ];
        let detection = Detection::of(&judged, &[]);
        assert_eq!((detection.episodes, detection.failed), (4, 3));
        assert_eq!(detection.auroc, Some(1.0));
        assert!((detection.balanced_accuracy.unwrap() - 0.5 * (2.0 / 3.0 + 1.0)).abs() < 1e-12);
        assert!((detection.found.rate - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(detection.detection_time, Some(0.75));
        let failures = &judged[..3];
        assert_eq!(Detection::of(failures, &[]).auroc, None);
        assert!(Detection::of(failures, &judged[3..]).auroc.is_some());
    }

    #[test]
    fn chance_repeats_and_a_stop_is_found() {
        let failed = episode(false, "timed_out");
        assert_eq!(
            Judged::by_chance(&failed, 0.05),
            Judged::by_chance(&failed, 0.05)
        );
        let stopped = Judged::by_chance(&episode(false, "stopped"), 0.0);
        assert_eq!((stopped.held_at, stopped.failed), (Some(1.0), true));
    }
}
