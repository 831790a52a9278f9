//! When a served robot raises an alarm over how it has been doing.

use serde::{Deserialize, Serialize};

use crate::problem::Reporter;

/// `[monitoring]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawMonitoring {
    /// Runs that are looked back on, 5 to 1000. Default: 20.
    pub runs: Option<u32>,
    /// Least share of them that is done, 0 to 1. Default: 0.7.
    pub least_success: Option<f64>,
    /// Greatest share of them in which a person is asked, 0 to 1. Default: 0.3.
    pub most_handoffs: Option<f64>,
    /// Time that 95 of 100 decisions of the policy take at most (ms), above 0 up
    /// to 60000. Default: half of `safety.chunk_deadline_ms`.
    pub decision_ms: Option<f64>,
    /// How far the policy's actions may shift from those of its calibration
    /// (population stability index), above 0 up to 100. Default: 0.5.
    pub most_shift: Option<f64>,
}

/// `[monitoring]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MonitoringSettings {
    runs: usize,
    least_success: f64,
    most_handoffs: f64,
    decision_ms: Option<f64>,
    most_shift: f64,
}

impl MonitoringSettings {
    /// Runs that are looked back on.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.runs
    }

    /// Least share of the runs that is done.
    #[must_use]
    pub fn least_success(&self) -> f64 {
        self.least_success
    }

    /// Greatest share of the runs in which a person is asked.
    #[must_use]
    pub fn most_handoffs(&self) -> f64 {
        self.most_handoffs
    }

    /// Time that 95 of 100 decisions take at most (ms); none: half of the
    /// deadline for chunks.
    #[must_use]
    pub fn decision_ms(&self) -> Option<f64> {
        self.decision_ms
    }

    /// Greatest shift of the actions (population stability index).
    #[must_use]
    pub fn most_shift(&self) -> f64 {
        self.most_shift
    }
}

pub(super) fn check(raw: &RawMonitoring, reporter: &mut Reporter<'_>) -> MonitoringSettings {
    let runs = raw.runs.unwrap_or(20);
    reporter.count_in(runs.into(), "monitoring.runs", (5, 1000));
    let mut within = |value: f64, key: &str, is_good: bool, expected: &str| {
        if !is_good {
            reporter.report(key, expected, value.to_string());
        }
        value
    };
    let share = |value: f64| (0.0..=1.0).contains(&value);
    let least_success = raw.least_success.unwrap_or(0.7);
    let most_handoffs = raw.most_handoffs.unwrap_or(0.3);
    let most_shift = raw.most_shift.unwrap_or(0.5);
    MonitoringSettings {
        runs: usize::try_from(runs).unwrap_or(usize::MAX),
        least_success: within(
            least_success,
            "monitoring.least_success",
            share(least_success),
            "a share from 0 to 1",
        ),
        most_handoffs: within(
            most_handoffs,
            "monitoring.most_handoffs",
            share(most_handoffs),
            "a share from 0 to 1",
        ),
        decision_ms: raw.decision_ms.map(|value| {
            within(
                value,
                "monitoring.decision_ms",
                value > 0.0 && value <= 60_000.0,
                "milliseconds above 0 up to 60000",
            )
        }),
        most_shift: within(
            most_shift,
            "monitoring.most_shift",
            most_shift > 0.0 && most_shift <= 100.0,
            "a number above 0 up to 100",
        ),
    }
}
