//! How the safety filter is set up.

use vola_types::Gripper;

use crate::MotionError;

/// How the filter is set up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FilterSettings {
    /// Control period (ns); one command leaves a period.
    pub period_ns: u64,
    /// Whether the last value is a gripper. Its first command and its tracking
    /// are not checked: fingers rightly stop at what they hold.
    pub gripper: Gripper,
    /// The first command after a reset may be this far from where the joint
    /// stands (rad, m).
    pub max_first_jump: f64,
    /// A joint this far from its command (rad, m) means that it is blocked or
    /// broken: safe stop.
    pub max_tracking_error: f64,
    /// A joint may start this far outside its position limits (rad, m); from
    /// there it can only come back in.
    pub start_tolerance: f64,
}

impl Default for FilterSettings {
    /// 1 kHz with a gripper, first jump 0.1, tracking 0.2, start 0.02 rad.
    fn default() -> Self {
        Self {
            period_ns: 1_000_000,
            gripper: Gripper::Parallel,
            max_first_jump: 0.1,
            max_tracking_error: 0.2,
            start_tolerance: 0.02,
        }
    }
}

impl FilterSettings {
    pub(crate) fn check(&self) -> Result<(), MotionError> {
        let positive = [
            ("period_ns", self.period_ns as f64),
            ("max_first_jump", self.max_first_jump),
            ("max_tracking_error", self.max_tracking_error),
        ];
        if let Some((what, got)) = positive
            .into_iter()
            .find(|(_, v)| !(v.is_finite() && *v > 0.0))
        {
            return Err(MotionError::BadSetting {
                what,
                expected: "a finite number > 0",
                got,
            });
        }
        if !(self.start_tolerance >= 0.0 && self.start_tolerance.is_finite()) {
            let got = self.start_tolerance;
            return Err(MotionError::BadSetting {
                what: "start_tolerance",
                expected: "a finite number >= 0",
                got,
            });
        }
        Ok(())
    }
}
