//! Probabilities of failure: fitted on one half of clean and perturbed episodes,
//! measured on the other.

use serde::Serialize;
use vola_confidence::{
    Isotonic, Platt, ProbabilityCalibration, Reliability, Scored, probability_score,
};
use vola_types::Signal;

use crate::confidence::{Judge, Surveyed};

/// How reliable the probabilities are, on episodes that made neither curve.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Reliabilities {
    /// Episodes it was measured on.
    pub(super) episodes: usize,
    /// Of the logistic curve, which is told.
    pub(super) platt: Reliability,
    /// Of the staircase.
    pub(super) isotonic: Reliability,
}

/// Fits both curves and measures them; none where one kind of episode is
/// missing. The judge is one of these signals, at this rate of false holds.
pub(super) fn calibrate(
    judge: &Judge<'_>,
    (signals, false_hold_rate): (&[Signal], f64),
    episodes: &[&Surveyed],
) -> Option<(ProbabilityCalibration, Reliabilities)> {
    let scored: Vec<Scored> = episodes
        .iter()
        .filter(|one| one.has_run() && !one.is_stopped())
        .filter_map(|one| {
            let verdict = judge.verdict(one)?;
            Some((probability_score(verdict.ratio), !one.success))
        })
        .collect();
    let half =
        |odd: usize| -> Vec<Scored> { scored.iter().skip(odd).step_by(2).copied().collect() };
    let (fit, test) = (half(0), half(1));
    let (platt, isotonic) = (Platt::fit(&fit)?, Isotonic::fit(&fit)?);
    let told = |of: &dyn Fn(f64) -> f64| -> Vec<Scored> {
        test.iter()
            .map(|(score, failed)| (of(*score), *failed))
            .collect()
    };
    let reliabilities = Reliabilities {
        episodes: test.len(),
        platt: Reliability::of(&told(&|score| platt.probability(score))),
        isotonic: Reliability::of(&told(&|score| isotonic.probability(score))),
    };
    let calibration = ProbabilityCalibration {
        episodes: fit.len(),
        false_hold_rate: Some(false_hold_rate),
        signals: signals.to_vec(),
        platt,
        isotonic,
    };
    Some((calibration, reliabilities))
}
