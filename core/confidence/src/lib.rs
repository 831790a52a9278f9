//! Confidence that means something: signals of a policy that is unsure, bands
//! from episodes that went well, and when to hold.
//!
//! - `signals`: the meters, each one thing in its own unit.
//! - `band`, `conformal`, `calibration`: what is usual, and a threshold that
//!   keeps false holds at a stated rate (functional split conformal prediction,
//!   by primitive where there is data).
//! - `monitor`, `window`, `gate`: the watch over a running primitive, k of n
//!   decisions, hysteresis, and how often a person may be asked.
//! - `risk`: what the course of all signals says, learnt from known failures.
//! - `drift`: whether the calibration still fits.
//! - `probability`, `roc`: probabilities of failure, and how good scores are.
//!
//! Pure: values in, values out. No files, clocks, threads or plugins. The
//! policy thread calls it, a few times a second; nothing here runs in the
//! control loop.

#![allow(
    clippy::cast_precision_loss,
    reason = "counts of episodes and nanoseconds of a run, far below 2^53"
)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ranks and bins, checked to be small and not negative"
)]

mod band;
mod beta;
mod calibration;
mod conformal;
mod curves;
mod drift;
mod evidence;
mod gate;
mod monitor;
mod probability;
mod risk;
mod roc;
mod shift;
mod signals;
mod window;

pub use band::Band;
pub use beta::{beta_binomial, beta_cdf, beta_quantile};
pub use calibration::{
    CALIBRATION_FORM, CalibrationError, CalibrationFile, FeatureFile, Group, Judgement, LEAST_OWN,
    POOLED, ProbabilityCalibration, RobotCalibration, groups,
};
pub use conformal::{Threshold, TooFew, Trial, held_interval, least, threshold};
pub use curves::EpisodeCurves;
pub use drift::{DRIFT_ALARM, DriftReport, DriftWatch};
pub use evidence::{AttentionMaps, Evidence, PlannedPath, ToolPose};
pub use gate::{AskBudget, AskLimits, Asking, HoldGate};
pub use monitor::{ConfidenceReading, HOLD_BELOW, Monitor, MonitorPlan, probability_score};
pub use probability::{BINS, Isotonic, Platt, Reliability, ReliabilityBin, Scored};
pub use risk::{LEAST_OF_EACH, RiskCurve, RiskModel, RiskWatch, judged_signals};
pub use roc::{auroc, balanced_accuracy};
pub use shift::{ACTION_SIGNALS, SHIFT_BINS, Shares, ShiftWatch};
pub use signals::{FeatureStatistics, GRIPPED, MOVED_M, Meter, TURNED_RAD, USUAL_SIGNALS, meter};
pub use window::{Window, WindowRule};
