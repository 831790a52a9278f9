//! Judges recorded episodes as a running session would.

use std::collections::BTreeMap;

use vola_confidence::{CalibrationError, Judgement, RobotCalibration, Trial};
use vola_types::{Op, Signal};

use super::Surveyed;

/// A calibration with the signals that count and a false-hold rate.
#[derive(Clone, Debug)]
pub(crate) struct Judge<'a> {
    robot: &'a RobotCalibration,
    judgements: BTreeMap<Op, Judgement>,
}

/// What a judge says of an episode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// Greatest score over threshold; above 1 it would have been held.
    pub(crate) ratio: f64,
    /// When it would have been held (s).
    pub(crate) held_at_s: Option<f64>,
    /// The signal that would have held it, or came nearest.
    pub(crate) signal: Option<Signal>,
}

impl<'a> Judge<'a> {
    /// A judge by these signals.
    ///
    /// # Errors
    /// When there are too few episodes for the rate.
    pub(crate) fn new(
        robot: &'a RobotCalibration,
        signals: &[Signal],
        rate: f64,
    ) -> Result<Self, CalibrationError> {
        let judgements = Op::ALL
            .into_iter()
            .filter(|op| op.is_policy())
            .map(|op| Ok((op, robot.judgement(op, signals, rate)?)))
            .collect::<Result<_, CalibrationError>>()?;
        Ok(Self { robot, judgements })
    }

    /// How each op is judged.
    pub(crate) fn judgements(&self) -> impl Iterator<Item = (Op, &Judgement)> {
        self.judgements
            .iter()
            .map(|(op, judgement)| (*op, judgement))
    }

    /// Judges one episode; none for ops that are not the policy's.
    pub(crate) fn verdict(&self, episode: &Surveyed) -> Option<Verdict> {
        let judgement = self.judgements.get(&episode.curves.op?)?;
        let threshold = judgement.threshold.value;
        let mut verdict = Verdict {
            ratio: 0.0,
            held_at_s: None,
            signal: None,
        };
        for (signal, band) in &judgement.bands {
            let heights = episode.curves.heights(*signal, band, self.robot.rule());
            for (height, time_s) in heights.iter().zip(&episode.curves.times_s) {
                let ratio = height / threshold;
                if ratio > 1.0 && verdict.held_at_s.is_none_or(|first| *time_s < first) {
                    verdict.held_at_s = Some(*time_s);
                    verdict.signal = Some(*signal);
                }
                if ratio > verdict.ratio {
                    verdict.ratio = ratio;
                    if verdict.held_at_s.is_none() {
                        verdict.signal = Some(*signal);
                    }
                }
            }
        }
        Some(verdict)
    }

    /// Good episodes by the threshold that judged them, for the interval of the
    /// number that are held.
    pub(crate) fn trials<'b>(&self, good: impl Iterator<Item = &'b Surveyed>) -> Vec<Trial> {
        let mut groups: BTreeMap<&str, Trial> = BTreeMap::new();
        for episode in good {
            let Some(judgement) = episode.curves.op.and_then(|op| self.judgements.get(&op)) else {
                continue;
            };
            let trial = groups.entry(&judgement.group).or_insert(Trial {
                n: judgement.threshold.n,
                k: judgement.threshold.k,
                tried: 0,
            });
            trial.tried += 1;
        }
        groups.into_values().collect()
    }
}
