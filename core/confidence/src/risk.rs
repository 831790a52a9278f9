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
//! multitask failure detection for vision-language-action models" (2025). Logistic
//! regression by iterated weighted least squares: Hastie, Tibshirani, Friedman, "The
//! Elements of Statistical Learning" (2009), 4.4.1.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use vola_types::{Op, Signal};

use crate::{EpisodeCurves, POOLED};

/// Signals that a risk is learnt from, where they are there.
pub const RISK_SIGNALS: [Signal; 9] = [
    Signal::DirectionReversals,
    Signal::Jerk,
    Signal::ChunkConsistency,
    Signal::ChunkNorm,
    Signal::Stall,
    Signal::NoProgress,
    Signal::LostGrasp,
    Signal::SampleSpread,
    Signal::Failing,
];
/// Least failures, and least successes, that a curve is learnt from.
pub const LEAST_OF_EACH: usize = 20;
/// Decisions that are recent.
const RECENT: usize = 4;
/// What is weighed of each signal.
const OF_EACH: usize = 3;
/// Weights are drawn to zero as by so many episodes (of standardised columns).
const SHRINKAGE: f64 = 1.0;
/// Steps of the fit; it has settled long before.
const STEPS: usize = 25;
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
        let signals: Vec<Signal> = RISK_SIGNALS.into_iter().filter(is_there).collect();
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
                rows.push(Row {
                    x,
                    weight,
                    failed: *failed,
                });
            }
        }
    }
    fitted(rows)
}

/// One decision of a known episode.
struct Row {
    x: Vec<f64>,
    weight: f64,
    failed: bool,
}

/// Logistic regression with shrunk weights, of columns that are first made alike.
fn fitted(mut rows: Vec<Row>) -> Option<RiskCurve> {
    let width = rows.first()?.x.len();
    let total: f64 = rows.iter().map(|row| row.weight).sum();
    let mut scales = Vec::with_capacity(width);
    for column in 0..width {
        let values = || {
            rows.iter()
                .filter_map(|row| Some((row.weight, *row.x.get(column)?)))
        };
        let mean = values().map(|(weight, x)| weight * x).sum::<f64>() / total;
        let square = values().map(|(weight, x)| weight * (x - mean).powi(2));
        let spread = (square.sum::<f64>() / total).sqrt();
        // A column that never changes says nothing.
        let scale = if spread > 1e-9 { 1.0 / spread } else { 0.0 };
        for row in &mut rows {
            if let Some(x) = row.x.get_mut(column) {
                *x = (*x - mean) * scale;
            }
        }
        scales.push((mean, scale));
    }
    for row in &mut rows {
        row.x.push(1.0);
    }
    let mut beta = vec![0.0; width + 1];
    for _ in 0..STEPS {
        let step = newton(&rows, &beta)?;
        beta.iter_mut()
            .zip(&step)
            .for_each(|(beta, step)| *beta += step);
        if step.iter().all(|step| step.abs() < 1e-8) {
            break;
        }
    }
    let mut offset = beta.pop()?;
    let weights = beta
        .iter()
        .zip(scales)
        .map(|(beta, (mean, scale))| {
            offset -= beta * scale * mean;
            beta * scale
        })
        .collect();
    Some(RiskCurve { offset, weights })
}

/// The step to the minimum of the parabola that fits the loss here.
fn newton(rows: &[Row], beta: &[f64]) -> Option<Vec<f64>> {
    let width = beta.len();
    let mut gradient: Vec<f64> = beta.iter().map(|beta| -SHRINKAGE * beta).collect();
    let mut hessian = vec![0.0; width * width];
    for (index, diagonal) in hessian.iter_mut().step_by(width + 1).enumerate() {
        // The offset is free.
        *diagonal = if index + 1 < width { SHRINKAGE } else { 1e-9 };
    }
    if let Some(free) = gradient.last_mut() {
        *free = 0.0;
    }
    for row in rows {
        let odds: f64 = row.x.iter().zip(beta).map(|(x, beta)| x * beta).sum();
        let chance = 1.0 / (1.0 + (-odds.clamp(-MOST, MOST)).exp());
        let off = row.weight * (f64::from(u8::from(row.failed)) - chance);
        let curvature = row.weight * (chance * (1.0 - chance)).max(1e-6);
        for (gradient, x) in gradient.iter_mut().zip(&row.x) {
            *gradient += off * x;
        }
        for (line, x) in hessian.chunks_exact_mut(width).zip(&row.x) {
            let by = curvature * x;
            line.iter_mut()
                .zip(&row.x)
                .for_each(|(cell, x)| *cell += by * x);
        }
    }
    solved(hessian, gradient)
}

/// Solves a symmetric positive system by Gaussian elimination; its diagonal holds the
/// pivots.
fn solved(mut matrix: Vec<f64>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let width = right.len();
    for pivot in 0..width {
        let (above, below) = matrix.split_at_mut((pivot + 1) * width);
        let line = above.get(pivot * width..)?;
        let (right_above, right_below) = right.split_at_mut(pivot + 1);
        let (lead, value) = (*line.get(pivot)?, *right_above.get(pivot)?);
        if !(lead > 0.0) {
            return None;
        }
        for (other, right) in below.chunks_exact_mut(width).zip(right_below) {
            let factor = *other.get(pivot)? / lead;
            let pairs = other.iter_mut().zip(line).skip(pivot);
            pairs.for_each(|(cell, of_line)| *cell -= factor * of_line);
            *right -= factor * value;
        }
    }
    let mut answer = vec![0.0; width];
    for index in (0..width).rev() {
        let line = matrix.get(index * width..(index + 1) * width)?;
        let known = line.iter().zip(&answer).skip(index + 1);
        let rest = right.get(index)? - known.map(|(cell, x)| cell * x).sum::<f64>();
        *answer.get_mut(index)? = rest / line.get(index)?;
    }
    answer.iter().all(|x| x.is_finite()).then_some(answer)
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
    fn the_fit_finds_the_odds_that_made_the_data() {
        // Of a hundred rows at x = 0 ten failed, at x = 1 sixty.
        let row = |x: f64, failed| Row {
            x: vec![x, 7.0],
            weight: 100.0,
            failed,
        };
        let of = |x: f64, failed: usize| (0..100).map(move |index| row(x, index < failed));
        let curve = fitted(of(0.0, 10).chain(of(1.0, 60)).collect()).unwrap();
        let odds = |share: f64| (share / (1.0 - share)).ln();
        let at = |x: f64| curve.offset + curve.weights[0] * x + curve.weights[1] * 7.0;
        assert!((at(0.0) - odds(0.1)).abs() < 0.01, "{curve:?}");
        assert!((at(1.0) - odds(0.6)).abs() < 0.01, "{curve:?}");
        assert!(curve.weights[1].abs() < 1e-12, "it never changes");
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
