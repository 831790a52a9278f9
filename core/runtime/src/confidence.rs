//! The confidence of a session: from deployment and bundle to what is watched,
//! judged and asked.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use vola_bundle::{CALIBRATION_FILE, Deployment, ResolvedExecution};
use vola_confidence::{
    AskBudget, AskLimits, CalibrationFile, DriftWatch, FeatureStatistics, HoldGate, MonitorPlan,
    RobotCalibration, USUAL_SIGNALS, WindowRule, judged_signals,
};
use vola_types::{Op, Signal};

use crate::{RuntimeError, policy::Policy};

/// Thresholds without a calibration, in the signals' units.
const UNCALIBRATED: [(Signal, f64); 3] = [
    (Signal::SampleSpread, 0.04),
    (Signal::ChunkConsistency, 0.08),
    (Signal::Failing, 0.9),
];
/// Windows without a calibration.
const WINDOW: u32 = 4;
const NEEDED: u32 = 3;

/// What a session makes of its confidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConfidenceUse {
    /// An unsure policy holds and asks.
    #[default]
    Hold,
    /// Every signal is measured and judged, and nothing holds: to see how well
    /// it would have been judged.
    Watch,
    /// Every signal is measured, nothing is judged, and decisions tell the head's
    /// input: to calibrate. The bundle's calibration is not read.
    Survey,
}

/// The confidence of a session.
#[derive(Debug)]
pub(crate) struct Confidence {
    pub(crate) plan: MonitorPlan,
    pub(crate) usage: ConfidenceUse,
    pub(crate) budget: AskBudget,
    /// Watches the calibration, where there is one.
    pub(crate) drift: Option<DriftWatch>,
}

impl Confidence {
    /// Puts deployment and bundle together.
    ///
    /// # Errors
    /// When the bundle's calibration is damaged, was made for another policy, or
    /// has too few episodes for the deployment's rate.
    pub(crate) fn new(
        deployment: &Deployment,
        policy: Option<&Policy>,
        execution: Option<&ResolvedExecution>,
        usage: ConfidenceUse,
    ) -> Result<Self, RuntimeError> {
        let settings = deployment.confidence();
        let robot = match (policy, usage) {
            (Some(policy), ConfidenceUse::Hold | ConfidenceUse::Watch) => {
                calibration(deployment, policy, execution)?
            }
            _ => None,
        };
        let features = match (policy, &robot) {
            (Some(policy), Some(robot)) => statistics(policy, robot)?,
            _ => None,
        };
        let mut fixed = settings.thresholds().clone();
        let judged = judged(settings.signals(), robot.as_ref());
        if robot.is_none() {
            for (signal, threshold) in UNCALIBRATED {
                fixed.entry(signal).or_insert(threshold);
            }
        }
        fixed.retain(|signal, _| judged.contains(signal));
        if robot.is_none() && policy.is_some() && usage == ConfidenceUse::Hold {
            warn_unjudged(settings.signals().unwrap_or_default(), &fixed);
        }
        let measured = match usage {
            ConfidenceUse::Hold => {
                let risk = robot.as_ref().and_then(|robot| robot.risk.as_ref());
                let risk = risk.filter(|_| judged.contains(&Signal::LearnedRisk));
                with_black_box(&judged, risk.map_or(&[], |risk| &risk.signals))
            }
            ConfidenceUse::Watch | ConfidenceUse::Survey => Signal::ALL.to_vec(),
        };
        let limits = AskLimits {
            per_primitive: settings.per_primitive(),
            per_hour: settings.per_hour(),
        };
        let again_ns = u64::try_from(settings.again().as_nanos()).unwrap_or(u64::MAX);
        let rate = settings.false_hold_rate();
        let window = settings.window().unwrap_or(WINDOW);
        let needed = settings.needed().unwrap_or(NEEDED.min(window));
        Ok(Self {
            drift: robot.is_some().then(|| DriftWatch::new(rate)),
            plan: MonitorPlan {
                measured,
                judged: match usage {
                    ConfidenceUse::Survey => Vec::new(),
                    _ => judged,
                },
                fixed,
                calibration: robot.map(|robot| (Arc::new(robot), rate)),
                features,
                rule: WindowRule::new(window as usize, needed as usize),
                gate: HoldGate::new(settings.release(), again_ns),
            },
            usage,
            budget: AskBudget::new(limits),
        })
    }

    /// Whether an unsure policy holds.
    pub(crate) fn holds(&self) -> bool {
        self.usage == ConfidenceUse::Hold
    }

    /// What the run's log is headed by.
    pub(crate) fn header(&self) -> serde_json::Value {
        let calibration = self.plan.calibration.as_ref().map(|(robot, rate)| {
            serde_json::json!({
                "data": robot.data, "good_episodes": robot.good, "false_hold_rate": rate,
                "window": robot.window, "needed": robot.needed,
            })
        });
        serde_json::json!({
            "signals": self.plan.judged, "fixed": self.plan.fixed, "calibration": calibration,
        })
    }
}

/// Signals that a deployment names, and that nothing can be compared with.
fn warn_unjudged(named: &[Signal], fixed: &BTreeMap<Signal, f64>) {
    let unjudged: Vec<&str> = named
        .iter()
        .filter(|signal| !fixed.contains_key(signal))
        .map(|signal| signal.as_str())
        .collect();
    if !unjudged.is_empty() {
        tracing::warn!(
            signals = unjudged.join(", "),
            "no calibration for this policy and robot: fixed thresholds hold, and these signals have none; run `vola calibrate`"
        );
    }
}

/// The signals that hold; told where they are others than were named.
fn judged(named: Option<&[Signal]>, robot: Option<&RobotCalibration>) -> Vec<Signal> {
    let risk = robot.and_then(|robot| robot.risk.as_ref());
    let named = named.unwrap_or(&USUAL_SIGNALS);
    let judged = judged_signals(named, risk);
    if robot.is_some() && judged != named {
        tracing::warn!(
            "the calibration holds no learnt risk: the usual signals hold in its place; run `vola calibrate`"
        );
    }
    judged
}

/// What is judged, what that is made of, and what costs nothing.
fn with_black_box(judged: &[Signal], weighed: &[Signal]) -> Vec<Signal> {
    let is_wanted = |signal: &Signal| {
        [&Signal::BLACK_BOX[..], judged, weighed]
            .iter()
            .any(|some| some.contains(signal))
    };
    Signal::ALL.into_iter().filter(is_wanted).collect()
}

/// The bundle's calibration for this robot; none where it has not got one.
fn calibration(
    deployment: &Deployment,
    policy: &Policy,
    execution: Option<&ResolvedExecution>,
) -> Result<Option<RobotCalibration>, RuntimeError> {
    let bundle = policy.bundle();
    let Some(text) = bundle.calibration()? else {
        return Ok(None);
    };
    let path = bundle.folder().join(CALIBRATION_FILE);
    let refuse = |reason: String| refused(&path, reason);
    let file = CalibrationFile::read(&text).map_err(|error| refuse(error.to_string()))?;
    if file.bundle != bundle.policy_hash()? {
        return Err(refuse(
            "it was made for another policy than the one that lies beside it\nhelp: run `vola calibrate`, or delete the file"
                .to_owned(),
        ));
    }
    let id = deployment.robot().plugin().to_string();
    let Some(robot) = file.robot(&id) else {
        tracing::warn!(
            robot = id,
            "the calibration knows this robot not: fixed thresholds hold; run `vola calibrate`"
        );
        return Ok(None);
    };
    if let Some(version) = policy.versions.candidate() {
        tracing::warn!(
            version,
            "the confidence was calibrated with the bundle as it is: with this version of it more or less may be held than was stated; `drift` tells"
        );
    }
    let settings = deployment.confidence();
    let period_ms = execution.map_or(0, |execution| execution.period_ns / 1_000_000);
    let asked = [
        (
            "time between decisions (ms)",
            Some(period_ms),
            robot.period_ms,
        ),
        (
            "confidence.window",
            settings.window().map(u64::from),
            robot.window as u64,
        ),
        (
            "confidence.needed",
            settings.needed().map(u64::from),
            robot.needed as u64,
        ),
    ];
    for (what, asked, calibrated) in asked {
        if let Some(asked) = asked.filter(|asked| *asked != calibrated) {
            tracing::warn!(
                what,
                asked,
                calibrated,
                "the confidence was calibrated for other decisions: fixed thresholds hold; run `vola calibrate` with this deployment"
            );
            return Ok(None);
        }
    }
    check_rate(deployment, robot, policy).map_err(refuse)?;
    Ok(Some(robot.clone()))
}

/// Whether every op can be judged at the deployment's rate, and what its
/// signals lack.
fn check_rate(
    deployment: &Deployment,
    robot: &RobotCalibration,
    policy: &Policy,
) -> Result<(), String> {
    let settings = deployment.confidence();
    for op in Op::ALL.into_iter().filter(|op| op.is_policy()) {
        let named = settings.signals().unwrap_or(&USUAL_SIGNALS);
        let signals = judged_signals(named, robot.risk.as_ref());
        robot
            .judgement(op, &signals, settings.false_hold_rate())
            .map_err(|error| error.to_string())?;
    }
    for signal in settings.signals().unwrap_or_default() {
        if !robot.signals.contains(signal) && !settings.thresholds().contains_key(signal) {
            tracing::warn!(
                signal = signal.as_str(),
                bundle = policy.bundle().manifest().name(),
                "confidence: this policy does not give the signal, or it was not calibrated: it cannot hold"
            );
        }
    }
    Ok(())
}

/// Statistics of the head's input.
fn statistics(
    policy: &Policy,
    robot: &RobotCalibration,
) -> Result<Option<Arc<FeatureStatistics>>, RuntimeError> {
    let Some(features) = &robot.features else {
        return Ok(None);
    };
    let [mean, whitening] = policy.bundle().confidence_statistics(&features.file)?;
    let path = policy.bundle().folder().join(&features.file);
    let statistics = FeatureStatistics::from_parts(mean, whitening, features.shrinkage)
        .ok_or_else(|| {
            refused(
                &path,
                "expected finite statistics whose lengths fit".to_owned(),
            )
        })?;
    Ok(Some(Arc::new(statistics)))
}

fn refused(path: &Path, reason: String) -> RuntimeError {
    RuntimeError::Calibration {
        path: PathBuf::from(path),
        reason,
    }
}

/// The outcome of a monitor that cannot be made: it was checked when the session
/// was opened.
pub(crate) fn unjudged(error: &vola_confidence::CalibrationError) -> RuntimeError {
    refused(Path::new(CALIBRATION_FILE), error.to_string())
}
