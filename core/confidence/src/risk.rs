//! What the course of the signals says of the end: log odds that a primitive fails,
//! learnt from episodes whose end is known.
//!
//! For each signal its recent mean, the greatest of those so far and the mean so far
//! are weighed, with the time since the beginning: an arm that stands is one thing at
//! the first decision and another after ten seconds. The log odds are a signal like
//! the others, [`Signal::LearnedRisk`]: how high they may be is not taken from them
//! but calibrated on good episodes, so a risk that was learnt badly holds no more good
//! episodes than was stated.
//!
//! # Source
//! Detectors learnt from failures with a conformal threshold: Gu et al., "SAFE:
//! multitask failure detection for vision-language-action models" (2025).

mod regression;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use vola_types::{Op, Signal};

use crate::{EpisodeCurves, POOLED, USUAL_SIGNALS};

/// Least failures, and least successes, that a curve is learnt from.
pub const LEAST_OF_EACH: usize = 20;
/// Decisions that are recent.
const RECENT: usize = 4;
/// What is weighed of each signal.
const OF_EACH: usize = 3;
/// Greatest log odds, either way.
const MOST: f64 = 30.0;

/// A learnt risk: one curve a primitive where there were enough failures, and one of
/// all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RiskModel {
    /// What is weighed.
    pub signals: Vec<Signal>,
    /// Episodes that it was learnt from.
    pub episodes: usize,
    /// Of which so many failed.
    pub failures: usize,
    /// By primitive, and pooled.
    pub curves: BTreeMap<String, RiskCurve>,
}

/// Log odds as a weighted sum.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RiskCurve {
    /// Log odds where everything is zero.
    pub offset: f64,
    /// Three a signal (recent, greatest, mean), then one of the time.
    pub weights: Vec<f64>,
}

impl RiskModel {
    /// Learns from (episode, whether it failed); none where there are too few of either.
    #[must_use]
    pub fn fit(episodes: &[(&EpisodeCurves, bool)]) -> Option<Self> {
        let is_there = |signal: &Signal| {
            let mut curves = episodes.iter();
            curves.any(|(curves, _)| curves.points(*signal).next().is_some())
        };
        // Its statistics are those of good episodes that are learnt from as well.
        let is_fair = |signal: &Signal| *signal != Signal::FeatureDistance;
        let usual = USUAL_SIGNALS.into_iter().filter(is_fair);
        let signals: Vec<Signal> = usual.filter(is_there).collect();
        let mut curves = BTreeMap::from([(POOLED.to_owned(), curve(&signals, episodes)?)]);
        for op in Op::ALL.into_iter().filter(|op| op.is_policy()) {
            let own: Vec<(&EpisodeCurves, bool)> = episodes
                .iter()
                .filter(|(curves, _)| curves.op == Some(op))
                .copied()
                .collect();
            if let Some(curve) = curve(&signals, &own) {
                curves.insert(op.as_str().to_owned(), curve);
            }
        }
        Some(Self {
            signals,
            episodes: episodes.len(),
            failures: episodes.iter().filter(|(_, failed)| *failed).count(),
            curves,
        })
    }

    /// The risk at every decision of an episode.
    #[must_use]
    pub fn over(self: &Arc<Self>, curves: &EpisodeCurves) -> Vec<Option<f64>> {
        let Some(op) = curves.op else {
            return vec![None; curves.times_s.len()];
        };
        let mut watch = RiskWatch::new(Arc::clone(self), op);
        let decisions = curves.times_s.iter().enumerate();
        decisions
            .map(|(index, time_s)| {
                watch.observe(*time_s, |signal| {
                    curves.values.get(&signal)?.get(index).copied().flatten()
                })
            })
            .collect()
    }

    /// Whether its numbers can be used.
    pub(crate) fn is_sound(&self) -> bool {
        let is_sound = |curve: &RiskCurve| {
            curve.weights.len() == OF_EACH * self.signals.len() + 1
                && curve.offset.is_finite()
                && curve.weights.iter().all(|weight| weight.is_finite())
        };
        !self.signals.contains(&Signal::LearnedRisk) && self.curves.values().all(is_sound)
    }
}

/// The signals that hold where these were named. Where the risk is to hold and none was
/// learnt, the usual ones do in its place: whoever names it alone is not left without.
#[must_use]
pub fn judged_signals(named: &[Signal], risk: Option<&RiskModel>) -> Vec<Signal> {
    if risk.is_some() || !named.contains(&Signal::LearnedRisk) {
        return named.to_vec();
    }
    let is_wanted = |signal: &Signal| {
        *signal != Signal::LearnedRisk && (USUAL_SIGNALS.contains(signal) || named.contains(signal))
    };
    Signal::ALL.into_iter().filter(is_wanted).collect()
}

/// The risk of one primitive, decision by decision.
#[derive(Clone, Debug)]
pub struct RiskWatch {
    model: Arc<RiskModel>,
    op: Op,
    course: Course,
}

impl RiskWatch {
    /// A watch over a primitive that begins.
    #[must_use]
    pub fn new(model: Arc<RiskModel>, op: Op) -> Self {
        let course = Course::new(model.signals.len());
        Self { model, op, course }
    }

    /// Log odds that the primitive fails, by everything up to this decision; none
    /// where the model has no curve. Signals that are missing count as zero; one that
    /// is no number makes the risk none either.
    pub fn observe(&mut self, seconds: f64, value: impl Fn(Signal) -> Option<f64>) -> Option<f64> {
        let values = self.model.signals.iter();
        let values = values.map(|signal| value(*signal).unwrap_or(0.0));
        let row = self.course.push(seconds, values);
        let curves = &self.model.curves;
        let curve = curves
            .get(self.op.as_str())
            .or_else(|| curves.get(POOLED))?;
        let weighed = curve.weights.iter().zip(row);
        let odds = curve.offset + weighed.map(|(weight, x)| weight * x).sum::<f64>();
        // A number that is none stays none.
        Some(odds.clamp(-MOST, MOST))
    }
}

/// What is weighed, as it goes on.
#[derive(Clone, Debug)]
struct Course {
    recent: Vec<VecDeque<f64>>,
    greatest: Vec<f64>,
    sums: Vec<f64>,
    count: f64,
    row: Vec<f64>,
}

impl Course {
    fn new(signals: usize) -> Self {
        Self {
            recent: vec![VecDeque::with_capacity(RECENT + 1); signals],
            greatest: vec![0.0; signals],
            sums: vec![0.0; signals],
            count: 0.0,
            row: Vec::with_capacity(OF_EACH * signals + 1),
        }
    }

    /// Takes the values of one decision, and gives what is weighed.
    fn push(&mut self, seconds: f64, values: impl Iterator<Item = f64>) -> &[f64] {
        self.row.clear();
        self.count += 1.0;
        let kept = self.recent.iter_mut().zip(&mut self.greatest);
        for (((recent, greatest), sum), value) in kept.zip(&mut self.sums).zip(values) {
            let value = squashed(value);
            recent.push_back(value);
            if recent.len() > RECENT {
                recent.pop_front();
            }
            let mean = recent.iter().sum::<f64>() / recent.len() as f64;
            *greatest = greatest.max(mean);
            *sum += value;
            self.row.extend([mean, *greatest, *sum / self.count]);
        }
        self.row.push(squashed(seconds));
        &self.row
    }
}

/// Great values count by their order of magnitude; signals are not negative.
fn squashed(value: f64) -> f64 {
    if value < 0.0 { 0.0 } else { value.ln_1p() }
}

/// The curve of these episodes; none where there are too few of either kind.
fn curve(signals: &[Signal], episodes: &[(&EpisodeCurves, bool)]) -> Option<RiskCurve> {
    let failures = episodes.iter().filter(|(_, failed)| *failed).count();
    if failures < LEAST_OF_EACH || episodes.len() - failures < LEAST_OF_EACH {
        return None;
    }
    let mut rows = Vec::new();
    for (curves, failed) in episodes {
        let mut course = Course::new(signals.len());
        // A long episode counts no more than a short one.
        let weight = 1.0 / curves.times_s.len().max(1) as f64;
        for (index, time_s) in curves.times_s.iter().enumerate() {
            let values = signals.iter().map(|signal| {
                let row = curves.values.get(signal);
                row.and_then(|row| row.get(index).copied().flatten())
                    .unwrap_or(0.0)
            });
            let x = course.push(*time_s, values).to_vec();
            if x.iter().all(|x| x.is_finite()) {
                rows.push((x, weight, *failed));
            }
        }
    }
    regression::fitted(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::tests::episodes;

    /// Episodes of which those that fail stall in the end, a little.
    fn known(count: usize, seed: u64) -> Vec<(EpisodeCurves, bool)> {
        let mut all: Vec<(EpisodeCurves, bool)> = episodes(count, Op::Pick, seed)
            .into_iter()
            .enumerate()
            .map(|(index, curves)| (curves, index % 3 == 0))
            .collect();
        for (curves, failed) in &mut all {
            if let Some(row) = curves.values.get_mut(&Signal::Stall).filter(|_| *failed) {
                row.iter_mut()
                    .skip(6)
                    .flatten()
                    .for_each(|value| *value += 0.2);
            }
        }
        all
    }

    fn learnt(known: &[(EpisodeCurves, bool)]) -> Option<RiskModel> {
        let all: Vec<(&EpisodeCurves, bool)> = known.iter().map(|(one, end)| (one, *end)).collect();
        RiskModel::fit(&all)
    }

    #[test]
    fn episodes_that_go_as_failures_went_have_the_higher_risk() {
        let model = Arc::new(learnt(&known(300, 1)).unwrap());
        assert_eq!(model.signals, [Signal::Jerk, Signal::Stall]);
        assert_eq!((model.episodes, model.failures), (300, 100));
        assert!(model.curves.contains_key("pick") && !model.curves.contains_key("push"));
        assert!(model.is_sound());
        let others = known(300, 2);
        let scored: Vec<(f64, bool)> = others
            .iter()
            .map(|(curves, failed)| {
                let risk = model.over(curves);
                assert_eq!(risk.len(), curves.times_s.len());
                (risk.into_iter().flatten().fold(f64::MIN, f64::max), *failed)
            })
            .collect();
        let area = crate::auroc(&scored).unwrap();
        assert!(area > 0.8, "{area}");
        // A primitive without a curve of its own goes by that of all.
        let mut push = others[0].0.clone();
        push.op = Some(Op::Push);
        assert!(model.over(&push).iter().all(Option::is_some));
        push.op = None;
        assert!(model.over(&push).iter().all(Option::is_none));
    }

    #[test]
    fn a_risk_that_was_not_learnt_leaves_the_usual_signals_in_its_place() {
        let named = [Signal::LearnedRisk, Signal::Velocity];
        let judged = judged_signals(&named, None);
        assert!(!judged.contains(&Signal::LearnedRisk) && judged.contains(&Signal::Velocity));
        assert!(USUAL_SIGNALS.iter().all(|usual| judged.contains(usual)));
        assert_eq!(judged_signals(&named, Some(&RiskModel::default())), named);
        assert_eq!(judged_signals(&[Signal::Stall], None), [Signal::Stall]);
    }

    #[test]
    fn few_failures_teach_nothing_and_what_is_no_number_is_no_risk() {
        let mut all = known(300, 3);
        all.truncate(50);
        assert_eq!(learnt(&all), None);
        let model = Arc::new(learnt(&known(300, 4)).unwrap());
        let mut watch = RiskWatch::new(Arc::clone(&model), Op::Pick);
        let risk = watch.observe(0.2, |_| Some(f64::NAN)).unwrap();
        assert!(risk.is_nan());
        let mut watch = RiskWatch::new(Arc::clone(&model), Op::Pick);
        assert!(watch.observe(0.2, |_| None).unwrap().is_finite());
        let mut worse = (*model).clone();
        worse.signals.pop();
        assert!(!worse.is_sound());
    }
}
