//! The calibration of a bundle: bands and scores of episodes that went well,
//! by robot and by primitive.
//!
//! The file keeps the scores themselves, one a signal and episode, so that a
//! deployment may watch fewer signals or state another false-hold rate, and
//! still get the exact threshold. The score of an episode is the greatest of
//! its signals', whose bands were first made alike on other episodes; one
//! threshold on it keeps the rate whatever the signals have to do with each
//! other. An OR over thresholds of their own would not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vola_types::{Op, Signal};

use crate::{
    ACTION_SIGNALS, Band, EpisodeCurves, Isotonic, Platt, RiskModel, Shares, Threshold, TooFew,
    WindowRule,
    band::STRETCHES,
    conformal::{least, threshold},
    curves::{NOTHING, greatest},
};

/// Form of the file.
pub const CALIBRATION_FORM: u32 = 1;
/// Name of the group of all primitives.
pub const POOLED: &str = "all";
/// Least good episodes that a primitive's own threshold is taken from; with
/// fewer the pooled one holds.
pub const LEAST_OWN: usize = 20;
/// Share of the curve episodes that stay below a signal's widened band.
const ALIKE_AT: f64 = 0.95;
/// Least factor by which a band is widened.
const LEAST_WIDENING: f64 = 0.5;
/// Least threshold: a score of nothing holds nobody.
const LEAST_THRESHOLD: f64 = 0.05;

/// A bundle's `calibration.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CalibrationFile {
    /// [`CALIBRATION_FORM`].
    pub form: u32,
    /// BLAKE3 hash of the bundle without its calibration.
    pub bundle: String,
    /// One a robot.
    pub robots: Vec<RobotCalibration>,
}

/// What holds for one robot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RobotCalibration {
    /// The embodiment's id.
    pub embodiment: String,
    /// Time between decisions (ms).
    pub period_ms: u64,
    /// Decisions looked at.
    pub window: usize,
    /// Of which so many must be high.
    pub needed: usize,
    /// Columns of the scores.
    pub signals: Vec<Signal>,
    /// BLAKE3 hash over the curves of all episodes.
    pub data: String,
    /// Seed of the first scene.
    pub first_seed: u64,
    /// Episodes that were run.
    pub episodes: usize,
    /// Of which so many went well: only those are used.
    pub good: usize,
    /// Bands and scores, by primitive, and pooled.
    pub groups: BTreeMap<String, Group>,
    /// Where the statistics of the head's input are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<FeatureFile>,
    /// What the course of the signals says, where there were failures to learn from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<RiskModel>,
    /// From scores to probabilities of failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<ProbabilityCalibration>,
}

/// A file with the statistics of the head's input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureFile {
    /// Its path in the bundle.
    pub file: String,
    /// The tensor.
    pub tensor: String,
    /// Features.
    pub width: usize,
    /// Rows that they were estimated from.
    pub rows: usize,
    /// Share by which covariances were shrunk.
    pub shrinkage: f64,
}

/// Bands and scores of one group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Good episodes that made the bands.
    pub curve_episodes: usize,
    /// One a signal; none for signals that were not there.
    pub bands: Vec<Option<Band>>,
    /// Scores of other good episodes: one row an episode, one column a signal.
    pub scores: Vec<Vec<f64>>,
    /// How the signals of actions lay at all decisions of these episodes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub actions: BTreeMap<Signal, Shares>,
}

/// Curves from a score to a probability of failure; the score is
/// ln(1 + ratio), where ratio is score over threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbabilityCalibration {
    /// Perturbed and clean episodes that made them.
    pub episodes: usize,
    /// The false-hold rate whose threshold the scores are over; none in files that did
    /// not say it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub false_hold_rate: Option<f64>,
    /// The signals that made the scores.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<Signal>,
    /// The curve that is told.
    pub platt: Platt,
    /// The other one, to compare.
    pub isotonic: Isotonic,
}

impl ProbabilityCalibration {
    /// Whether the curves are of the scores that come of these signals at this rate of
    /// false holds. A file that does not say what they are of is believed.
    #[must_use]
    pub fn fits(&self, signals: &[Signal], false_hold_rate: f64) -> bool {
        let same = |one: &Signal| signals.contains(one);
        let are_same = self.signals.len() == signals.len() && self.signals.iter().all(same);
        match self.false_hold_rate {
            Some(own) => (own - false_hold_rate).abs() <= 1e-9 && are_same,
            None => true,
        }
    }
}

/// Why a calibration cannot be used as asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CalibrationError {
    /// Too few good episodes.
    #[error(
        "confidence of `{group}`: {source}\nhelp: run `vola calibrate` with more episodes, or raise `[confidence] false_hold_rate`"
    )]
    TooFew {
        /// The primitive.
        group: String,
        /// How many.
        source: TooFew,
    },
    /// A file that does not hold what it must.
    #[error(
        "calibration.json: {what}: expected {expected}, got {got}\nhelp: run `vola calibrate` again"
    )]
    Unsound {
        /// Where.
        what: String,
        /// What would be right.
        expected: String,
        /// What is there.
        got: String,
    },
}

/// How one primitive is judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The group that it is judged by: its own, or the pooled one.
    pub group: String,
    /// The threshold of the score.
    pub threshold: Threshold,
    /// Bands of the signals that are judged.
    pub bands: Vec<(Signal, Band)>,
}

impl RobotCalibration {
    /// The rule of the windows.
    #[must_use]
    pub fn rule(&self) -> WindowRule {
        WindowRule::new(self.window, self.needed)
    }

    /// How a primitive is judged by these signals at this false-hold rate.
    ///
    /// # Errors
    /// [`CalibrationError::TooFew`] when there are too few episodes for the rate.
    pub fn judgement(
        &self,
        op: Op,
        signals: &[Signal],
        rate: f64,
    ) -> Result<Judgement, CalibrationError> {
        let own = self.groups.get_key_value(op.as_str());
        let needed = least(rate).max(LEAST_OWN);
        let (name, group) = own
            .filter(|(_, group)| group.scores.len() >= needed)
            .or_else(|| self.groups.get_key_value(POOLED))
            .ok_or_else(|| unsound("groups", "a group `all`", "none"))?;
        let columns: Vec<usize> = (0..self.signals.len())
            .filter(|index| {
                self.signals
                    .get(*index)
                    .is_some_and(|own| signals.contains(own))
                    && group.bands.get(*index).is_some_and(Option::is_some)
            })
            .collect();
        let scores: Vec<f64> = group
            .scores
            .iter()
            .map(|row| {
                let chosen = columns.iter().filter_map(|index| row.get(*index));
                chosen.copied().fold(NOTHING, f64::max)
            })
            .collect();
        let mut found = threshold(&scores, rate).map_err(|source| CalibrationError::TooFew {
            group: name.clone(),
            source,
        })?;
        found.value = found.value.max(LEAST_THRESHOLD);
        let bands = columns
            .iter()
            .filter_map(|index| {
                let band = group.bands.get(*index)?.clone()?;
                Some((*self.signals.get(*index)?, band))
            })
            .collect();
        Ok(Judgement {
            group: name.clone(),
            threshold: found,
            bands,
        })
    }

    /// Checks that every number can be used.
    ///
    /// # Errors
    /// [`CalibrationError::Unsound`] at the first that cannot.
    pub fn check(&self) -> Result<(), CalibrationError> {
        if !(1..=1000).contains(&self.window) || !(1..=self.window).contains(&self.needed) {
            let got = format!("{} of {}", self.needed, self.window);
            return Err(unsound("window", "1 to 1000, needed at most all", &got));
        }
        if !self.risk.as_ref().is_none_or(RiskModel::is_sound) {
            return Err(unsound("risk", "finite weights for each signal", "others"));
        }
        for (name, group) in &self.groups {
            if group.bands.len() != self.signals.len() {
                let got = group.bands.len().to_string();
                return Err(unsound(name, "a band for each signal", &got));
            }
            if !group.bands.iter().flatten().all(Band::is_sound) {
                return Err(unsound(name, "finite bands of positive width", "others"));
            }
            let is_sound = |row: &Vec<f64>| {
                row.len() == self.signals.len() && row.iter().all(|score| score.is_finite())
            };
            if !group.scores.iter().all(is_sound) {
                return Err(unsound(name, "a finite score for each signal", "others"));
            }
            if !group.actions.values().all(Shares::is_sound) {
                return Err(unsound(name, "rising borders and shares of bins", "others"));
            }
        }
        Ok(())
    }
}

impl CalibrationFile {
    /// Reads and checks the text of a file.
    ///
    /// # Errors
    /// [`CalibrationError::Unsound`] when it is no such file or holds numbers
    /// that cannot be used.
    pub fn read(text: &str) -> Result<Self, CalibrationError> {
        let file: Self = serde_json::from_str(text)
            .map_err(|error| unsound("file", "a calibration", &error.to_string()))?;
        if file.form != CALIBRATION_FORM {
            let got = file.form.to_string();
            return Err(unsound("form", &CALIBRATION_FORM.to_string(), &got));
        }
        file.robots.iter().try_for_each(RobotCalibration::check)?;
        Ok(file)
    }

    /// The calibration of one robot.
    #[must_use]
    pub fn robot(&self, embodiment: &str) -> Option<&RobotCalibration> {
        self.robots
            .iter()
            .find(|robot| robot.embodiment == embodiment)
    }
}

/// Bands from the first episodes and scores of the second ones, for each
/// primitive and pooled.
#[must_use]
pub fn groups(
    signals: &[Signal],
    rule: WindowRule,
    curve: &[&EpisodeCurves],
    score: &[&EpisodeCurves],
) -> BTreeMap<String, Group> {
    let mut names: Vec<Option<Op>> = vec![None];
    for op in curve.iter().filter_map(|episode| episode.op) {
        if !names.contains(&Some(op)) {
            names.push(Some(op));
        }
    }
    names
        .into_iter()
        .map(|op| {
            let of = |episodes: &[&EpisodeCurves]| -> Vec<EpisodeCurves> {
                let own = episodes.iter().filter(|one| op.is_none() || one.op == op);
                own.map(|one| (*one).clone()).collect()
            };
            let name = op.map_or(POOLED, Op::as_str).to_owned();
            (name, group(signals, rule, &of(curve), &of(score)))
        })
        .collect()
}

fn group(
    signals: &[Signal],
    rule: WindowRule,
    curve: &[EpisodeCurves],
    score: &[EpisodeCurves],
) -> Group {
    let longest = curve
        .iter()
        .map(EpisodeCurves::length_s)
        .fold(0.0, f64::max);
    let stretch_s = (longest / STRETCHES as f64).max(1e-3);
    let bands: Vec<Option<Band>> = signals
        .iter()
        .map(|signal| {
            let points: Vec<(f64, f64)> =
                curve.iter().flat_map(|one| one.points(*signal)).collect();
            let band = Band::fit(&points, stretch_s, signal.resolution())?;
            let scores: Vec<f64> = curve
                .iter()
                .map(|one| greatest(&one.heights(*signal, &band, rule)))
                .collect();
            let factor = quantile(&scores, ALIKE_AT).max(LEAST_WIDENING);
            Some(band.widened(factor))
        })
        .collect();
    let scores = score
        .iter()
        .map(|one| {
            let of = |(signal, band): (&Signal, &Option<Band>)| {
                band.as_ref()
                    .map_or(NOTHING, |band| greatest(&one.heights(*signal, band, rule)))
            };
            signals.iter().zip(&bands).map(of).collect()
        })
        .collect();
    let all = || curve.iter().chain(score);
    let actions = ACTION_SIGNALS.into_iter().filter_map(|signal| {
        let values = all()
            .flat_map(|one| one.points(signal))
            .map(|(_, value)| value);
        Some((signal, Shares::fit(values)?))
    });
    Group {
        curve_episodes: curve.len(),
        bands,
        scores,
        actions: actions.collect(),
    }
}

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = (sorted.len() as f64 * share) as usize;
    let last = sorted.len().saturating_sub(1);
    sorted.get(index.min(last)).copied().unwrap_or(0.0)
}

fn unsound(what: &str, expected: &str, got: &str) -> CalibrationError {
    CalibrationError::Unsound {
        what: what.to_owned(),
        expected: expected.to_owned(),
        got: got.to_owned(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    struct Draws(u64);

    impl Draws {
        fn next(&mut self) -> f64 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (self.0 >> 33) as f64 / (1_u64 << 31) as f64
        }
    }

    /// Episodes of some seconds with two signals that hang together.
    pub(crate) fn episodes(count: usize, op: Op, seed: u64) -> Vec<EpisodeCurves> {
        let mut draws = Draws(seed.wrapping_mul(77).wrapping_add(5));
        (0..count)
            .map(|_| {
                let mut curves = EpisodeCurves {
                    op: Some(op),
                    ..EpisodeCurves::default()
                };
                let own = draws.next();
                for step in 0..(10 + (draws.next() * 10.0) as u32) {
                    let time = f64::from(step) * 0.2;
                    let jerk = 2.0 + own + draws.next() * draws.next() * 3.0;
                    let stall = 0.3 * draws.next() * own;
                    curves.push(time, [(Signal::Jerk, jerk), (Signal::Stall, stall)]);
                }
                curves
            })
            .collect()
    }

    pub(crate) const SIGNALS: [Signal; 2] = [Signal::Jerk, Signal::Stall];

    pub(crate) fn robot(curve: usize, score: usize, seed: u64) -> RobotCalibration {
        let mut a = episodes(curve, Op::Pick, seed);
        a.extend(episodes(5, Op::Push, seed + 1000));
        let mut b = episodes(score, Op::Pick, seed + 2000);
        b.extend(episodes(5, Op::Push, seed + 3000));
        let (a, b): (Vec<_>, Vec<_>) = (a.iter().collect(), b.iter().collect());
        RobotCalibration {
            window: 4,
            needed: 2,
            signals: SIGNALS.to_vec(),
            groups: groups(&SIGNALS, WindowRule::new(4, 2), &a, &b),
            ..RobotCalibration::default()
        }
    }

    /// Whether an episode is held.
    fn is_held(judgement: &Judgement, rule: WindowRule, episode: &EpisodeCurves) -> bool {
        judgement.bands.iter().any(|(signal, band)| {
            greatest(&episode.heights(*signal, band, rule)) > judgement.threshold.value
        })
    }

    #[test]
    fn the_stated_rate_is_kept_for_any_choice_of_signals() {
        for chosen in [&SIGNALS[..], &SIGNALS[..1], &SIGNALS[1..]] {
            let (mut held, mut all) = (0, 0);
            for seed in 0..30 {
                let robot = robot(60, 79, seed * 10_000);
                let judgement = robot.judgement(Op::Pick, chosen, 0.1).unwrap();
                assert_eq!(
                    (judgement.group.as_str(), judgement.bands.len()),
                    ("pick", chosen.len())
                );
                for episode in episodes(100, Op::Pick, seed * 10_000 + 5000) {
                    held += usize::from(is_held(&judgement, robot.rule(), &episode));
                    all += 1;
                }
            }
            let rate = held as f64 / f64::from(all);
            assert!((rate - 0.1).abs() < 0.02, "{rate} with {chosen:?}");
        }
    }

    #[test]
    fn a_primitive_with_few_episodes_is_judged_by_all() {
        let robot = robot(60, 80, 1);
        let judgement = robot.judgement(Op::Push, &SIGNALS, 0.05).unwrap();
        assert_eq!(
            (judgement.group.as_str(), judgement.threshold.n),
            ("all", 85)
        );
        let error = robot.judgement(Op::Pick, &SIGNALS, 0.001).unwrap_err();
        assert!(matches!(error, CalibrationError::TooFew { .. }));
        assert!(error.to_string().contains("999"), "{error}");
    }

    #[test]
    fn files_are_checked() {
        let file = CalibrationFile {
            form: CALIBRATION_FORM,
            bundle: "00".to_owned(),
            robots: vec![robot(20, 20, 3)],
        };
        let text = serde_json::to_string(&file).unwrap();
        assert_eq!(CalibrationFile::read(&text).unwrap(), file);
        let mut worse = file.clone();
        worse.robots[0].needed = 9;
        let mut worst = file.clone();
        worst.robots[0].groups.get_mut("all").unwrap().scores[0].pop();
        let mut old = file.clone();
        old.form = 9;
        for wrong in [worse, worst, old] {
            let text = serde_json::to_string(&wrong).unwrap();
            assert!(CalibrationFile::read(&text).is_err());
        }
        assert!(CalibrationFile::read("{}").is_err());
    }
}
