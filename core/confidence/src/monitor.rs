//! Watches the decisions of one primitive: signals, score, and whether to hold.

use std::{collections::BTreeMap, sync::Arc};

use vola_types::{Op, Signal, SignalReading};

use crate::{
    Band, CalibrationError, Evidence, FeatureStatistics, HoldGate, Meter, Platt, RiskWatch,
    RobotCalibration, Window, WindowRule, signals::meter,
};

/// The score below which the arm holds.
pub const HOLD_BELOW: f64 = 0.5;

/// How sure the policy is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfidenceReading {
    /// 0 … 1, higher is surer: 1 / (1 + r), where r is the greatest of the
    /// signals' ratios.
    pub score: f64,
    /// Below it the arm holds.
    pub threshold: f64,
    /// Whether the arm must hold now.
    pub low: bool,
    /// Time since the primitive began, as the bands count it (s).
    pub seconds: f64,
    /// The signal with the greatest ratio, where one is judged.
    pub signal: Option<Signal>,
    /// Every signal of this decision.
    pub signals: Vec<SignalReading>,
    /// Probability that the primitive fails, by what was seen so far; none
    /// without a calibration of it.
    pub failure_probability: Option<f64>,
}

/// What is watched, and how it is judged. The same for all primitives.
#[derive(Clone, Debug)]
pub struct MonitorPlan {
    /// Signals that are measured and told.
    pub measured: Vec<Signal>,
    /// Of which these may hold.
    pub judged: Vec<Signal>,
    /// Fixed thresholds, in the signals' units; they go before the calibration.
    pub fixed: BTreeMap<Signal, f64>,
    /// The calibration, and the false-hold rate that is stated.
    pub calibration: Option<(Arc<RobotCalibration>, f64)>,
    /// Statistics of the head's input.
    pub features: Option<Arc<FeatureStatistics>>,
    /// Windows of signals with fixed thresholds.
    pub rule: WindowRule,
    /// Hysteresis.
    pub gate: HoldGate,
}

/// What a signal is compared with.
#[derive(Clone, Debug)]
enum Bar {
    /// Told, not judged.
    None,
    /// A threshold in its unit.
    Fixed(f64),
    /// A band, and the threshold of the heights over it.
    Band { band: Band, threshold: f64 },
}

/// Where the values of a signal come from.
#[derive(Debug)]
enum Source {
    Meter(Box<dyn Meter>),
    /// The other signals of the same decision.
    Others(RiskWatch),
}

#[derive(Debug)]
struct Watched {
    signal: Signal,
    source: Source,
    bar: Bar,
    window: Window,
}

/// The watch over one primitive.
#[derive(Debug)]
pub struct Monitor {
    watched: Vec<Watched>,
    gate: HoldGate,
    platt: Option<Platt>,
    greatest: f64,
    sum: f64,
    decisions: u32,
}

impl Monitor {
    /// A watch over a primitive that begins.
    ///
    /// # Errors
    /// When the calibration has too few episodes for the stated rate.
    pub fn new(plan: &MonitorPlan, op: Op) -> Result<Self, CalibrationError> {
        let calibrated: Vec<Signal> = plan
            .judged
            .iter()
            .copied()
            .filter(|signal| !plan.fixed.contains_key(signal))
            .collect();
        let judgement = match &plan.calibration {
            Some((robot, rate)) => Some((robot, robot.judgement(op, &calibrated, *rate)?)),
            None => None,
        };
        let bar = |signal: Signal| {
            if !plan.judged.contains(&signal) {
                return Bar::None;
            }
            if let Some(threshold) = plan.fixed.get(&signal) {
                return Bar::Fixed(*threshold);
            }
            let of_judgement = judgement.as_ref().and_then(|(_, judgement)| {
                let (_, band) = judgement.bands.iter().find(|(own, _)| *own == signal)?;
                Some(Bar::Band {
                    band: band.clone(),
                    threshold: judgement.threshold.value,
                })
            });
            of_judgement.unwrap_or(Bar::None)
        };
        let rule = judgement
            .as_ref()
            .map_or(plan.rule, |(robot, _)| robot.rule());
        let risk = plan.calibration.as_ref();
        let risk = risk.and_then(|(robot, _)| robot.risk.clone()).map(Arc::new);
        let source = |signal: Signal| match signal {
            Signal::LearnedRisk => Some(Source::Others(RiskWatch::new(risk.clone()?, op))),
            signal => Some(Source::Meter(meter(signal, plan.features.as_ref())?)),
        };
        let mut watched: Vec<Watched> = plan
            .measured
            .iter()
            .filter_map(|signal| {
                Some(Watched {
                    signal: *signal,
                    source: source(*signal)?,
                    bar: bar(*signal),
                    window: Window::new(rule),
                })
            })
            .collect();
        // What is made of others comes after them.
        watched.sort_by_key(|one| matches!(one.source, Source::Others(_)));
        let probability = plan.calibration.as_ref().and_then(|(robot, rate)| {
            let curves = robot.probability.as_ref();
            curves.filter(|curves| curves.fits(&calibrated, *rate))
        });
        Ok(Self {
            watched,
            gate: plan.gate,
            platt: probability.map(|curves| curves.platt),
            greatest: 0.0,
            sum: 0.0,
            decisions: 0,
        })
    }

    /// Mean score of all decisions; 1 before the first.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.decisions == 0 {
            1.0
        } else {
            self.sum / f64::from(self.decisions)
        }
    }

    /// Whether some decision so far was above its threshold, held or not.
    #[must_use]
    pub fn was_low(&self) -> bool {
        self.greatest > 1.0
    }

    /// A person said to go on: the windows begin anew, and the same doubt does
    /// not hold again at once.
    pub fn answered(&mut self, now_ns: u64) {
        self.watched.iter_mut().for_each(|one| one.window.clear());
        self.gate.answered(now_ns);
    }

    /// Takes a decision.
    pub fn observe(&mut self, evidence: &Evidence<'_>) -> ConfidenceReading {
        let seconds = evidence.since_start_ns as f64 * 1e-9;
        let mut worst: Option<(Signal, f64)> = None;
        let mut signals = Vec::with_capacity(self.watched.len());
        for one in &mut self.watched {
            let value = match &mut one.source {
                Source::Meter(meter) => meter.measure(evidence),
                Source::Others(risk) => risk.observe(seconds, |signal| {
                    let own = signals
                        .iter()
                        .find(|own: &&SignalReading| own.name == signal);
                    own.map(|own| own.value)
                }),
            };
            let ratio = one.ratio(seconds, value);
            if let Some(ratio) = ratio
                && worst.is_none_or(|(_, most)| ratio > most)
            {
                worst = Some((one.signal, ratio));
            }
            if let Some(value) = value {
                signals.push(SignalReading {
                    name: one.signal,
                    value,
                    ratio,
                });
            }
        }
        let ratio = worst.map_or(0.0, |(_, ratio)| ratio);
        let score = 1.0 / (1.0 + ratio);
        self.greatest = self.greatest.max(ratio);
        self.decisions += 1;
        self.sum += score;
        ConfidenceReading {
            score,
            threshold: HOLD_BELOW,
            low: self.gate.must_hold(ratio, evidence.time_ns),
            signal: worst.map(|(signal, _)| signal),
            seconds,
            signals,
            failure_probability: self
                .platt
                .map(|platt| platt.probability(probability_score(self.greatest))),
        }
    }
}

/// What probabilities of failure are a curve of.
#[must_use]
pub fn probability_score(ratio: f64) -> f64 {
    let known = if ratio.is_nan() { 1e6 } else { ratio };
    known.clamp(0.0, 1e6).ln_1p()
}

impl Watched {
    /// The signal over its bar, at least 0; none where it is not judged.
    fn ratio(&mut self, seconds: f64, value: Option<f64>) -> Option<f64> {
        let (height, threshold) = match &self.bar {
            Bar::None => return None,
            Bar::Fixed(threshold) => (value, *threshold),
            Bar::Band { band, threshold } => {
                (value.map(|value| band.height(seconds, value)), *threshold)
            }
        };
        let height = self.window.push(height.unwrap_or(f64::NEG_INFINITY));
        Some((height / threshold).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        calibration::tests::{SIGNALS, episodes, robot},
        evidence::tests::{evidence, path},
    };

    fn plan() -> MonitorPlan {
        MonitorPlan {
            measured: Signal::ALL.to_vec(),
            judged: vec![Signal::SampleSpread, Signal::ChunkConsistency],
            fixed: BTreeMap::from([
                (Signal::SampleSpread, 0.05),
                (Signal::ChunkConsistency, 0.05),
            ]),
            calibration: None,
            features: None,
            rule: WindowRule::new(3, 2),
            gate: HoldGate::new(0.8, 5_000_000_000),
        }
    }

    #[test]
    fn equal_samples_are_sure_and_wide_ones_are_not() {
        let mut monitor = Monitor::new(&plan(), Op::Pick).unwrap();
        let plan = path(0, &[0.1, 0.2]);
        let same = [plan.clone(), plan.clone()];
        let wide = [path(0, &[0.1, 0.2]), path(0, &[0.5, 0.6])];
        let mut at = |seconds, samples| {
            let mut evidence = evidence(seconds, 0.0, &plan);
            evidence.samples = samples;
            monitor.observe(&evidence)
        };
        let reading = at(0.2, &same);
        assert!((reading.score - 1.0).abs() < 1e-12 && !reading.low);
        assert!(!at(0.4, &wide).low, "one of two");
        let reading = at(0.6, &wide);
        assert!(reading.low && reading.score < HOLD_BELOW);
        assert_eq!(reading.signal, Some(Signal::SampleSpread));
        assert!(monitor.was_low());
        monitor.answered(700_000_000);
        let mut evidence = evidence(0.8, 0.0, &plan);
        evidence.samples = &wide;
        assert!(!monitor.observe(&evidence).low, "somebody said to go on");
    }

    #[test]
    fn what_is_not_judged_is_told_all_the_same() {
        let mut monitor = Monitor::new(&plan(), Op::Pick).unwrap();
        let plan = path(0, &[0.0, 0.1, 0.2, 0.3]);
        let reading = monitor.observe(&evidence(0.0, 0.0, &plan));
        let told: Vec<Signal> = reading.signals.iter().map(|one| one.name).collect();
        assert!(told.contains(&Signal::Stall) && told.contains(&Signal::Jerk));
        assert!(!told.contains(&Signal::FeatureDistance), "no statistics");
        let stall = reading.signals.iter().find(|one| one.name == Signal::Stall);
        assert_eq!(stall.unwrap().ratio, None);
    }

    #[test]
    fn numbers_that_are_not_finite_hold() {
        let mut monitor = Monitor::new(&plan(), Op::Pick).unwrap();
        let bad = path(0, &[f64::NAN, f64::NAN]);
        let good = path(0, &[0.0, 0.0]);
        let samples = [bad, good.clone()];
        let mut last = ConfidenceReading::default();
        for step in 0..3 {
            let mut evidence = evidence(f64::from(step) * 0.2, 0.0, &good);
            evidence.samples = &samples;
            last = monitor.observe(&evidence);
        }
        assert!(last.low && last.score < 1e-12);
    }

    /// A running primitive has the risk that its curves are given afterwards.
    #[test]
    fn the_learnt_risk_is_made_of_the_signals_of_the_same_decision() {
        let known = episodes(60, Op::Pick, 5);
        let known: Vec<_> = known
            .iter()
            .enumerate()
            .map(|(i, one)| (one, i % 2 == 0))
            .collect();
        let model = crate::RiskModel::fit(&known).unwrap();
        let mut robot = robot(80, 120, 4);
        robot.risk = Some(model.clone());
        let plan_of = |measured: &[Signal]| MonitorPlan {
            measured: measured.to_vec(),
            calibration: Some((Arc::new(robot.clone()), 0.05)),
            ..plan()
        };
        // Named first, it comes after what it is made of.
        let measured = [Signal::LearnedRisk, Signal::Jerk, Signal::Stall];
        let mut monitor = Monitor::new(&plan_of(&measured), Op::Pick).unwrap();
        let mut curves = crate::EpisodeCurves {
            op: Some(Op::Pick),
            ..Default::default()
        };
        let mut told = Vec::new();
        let chunk = path(0, &[0.0, 0.0, 0.1, 0.3, 0.3]);
        for step in 0..9 {
            let at = evidence(f64::from(step) * 0.2, 0.01 * f64::from(step / 4), &chunk);
            let reading = monitor.observe(&at);
            let of = |signal| reading.signals.iter().find(|one| one.name == signal);
            told.push(of(Signal::LearnedRisk).map(|one| one.value));
            let others = reading.signals.iter().map(|one| (one.name, one.value));
            curves.push(
                reading.seconds,
                others.filter(|(name, _)| *name != Signal::LearnedRisk),
            );
        }
        assert_eq!(told, Arc::new(model).over(&curves));
        assert!(told.iter().all(Option::is_some));
        robot.risk = None;
        let without = MonitorPlan {
            calibration: Some((Arc::new(robot.clone()), 0.05)),
            measured: measured.to_vec(),
            ..plan()
        };
        let reading = Monitor::new(&without, Op::Pick)
            .unwrap()
            .observe(&evidence(0.0, 0.0, &chunk));
        assert!(
            reading
                .signals
                .iter()
                .all(|one| one.name != Signal::LearnedRisk)
        );
    }

    /// The monitor finds in an episode what the calibration's scores say of it.
    #[test]
    fn a_calibrated_stall_holds_and_a_good_episode_does_not() {
        let robot = Arc::new(robot(80, 120, 4));
        let calibrated = MonitorPlan {
            measured: SIGNALS.to_vec(),
            judged: SIGNALS.to_vec(),
            fixed: BTreeMap::new(),
            calibration: Some((robot, 0.05)),
            ..plan()
        };
        let mut monitor = Monitor::new(&calibrated, Op::Pick).unwrap();
        let cubic: Vec<f64> = (0..8)
            .map(|row| 0.5 * (f64::from(row) * 0.1).powi(3))
            .collect();
        let chunk = path(0, &cubic);
        let mut moving = false;
        for step in 0..10 {
            let x = f64::from(step) * 0.02;
            moving |= monitor
                .observe(&evidence(f64::from(step) * 0.2, x, &chunk))
                .low;
        }
        assert!(!moving);
        let mut held_by = None;
        for step in 10..20 {
            let reading = monitor.observe(&evidence(f64::from(step) * 0.2, 0.18, &chunk));
            if reading.low {
                held_by = reading.signal;
                break;
            }
        }
        assert_eq!(held_by, Some(Signal::Stall));
        assert!(!episodes(1, Op::Pick, 1).is_empty());
    }
}
