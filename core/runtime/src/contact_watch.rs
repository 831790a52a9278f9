//! Stops the arm when what it touches pushes back too hard.
//!
//! Judges the wrench that the embodiment measures at the tool, not joint
//! efforts: those hold gravity and friction, which only the robot's own model
//! could take off. Of the gripper it judges the effort: what fingers press with
//! is what they hold with.

use vola_abi::StateFrame;

use crate::StopCause;

/// How much above its limit a gripper may press, and for how long (ns): closing on
/// something hard is an impact, and what is measured swings around what is held.
const GRIP_SLACK: f64 = 1.25;
const GRIP_NS: u64 = 100_000_000;

/// Greatest force and torque at the tool, and of the gripper.
///
/// # Timing
/// Called on the control thread each tick; compares six numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ContactWatch {
    force_n: f64,
    torque_nm: f64,
    is_active: bool,
    /// Which effort is the gripper's, and its limit (N).
    grip: Option<(usize, f64)>,
    /// Since when it presses too hard (ns).
    grips_since_ns: Option<u64>,
    /// A person has left a stop while it pressed too hard: to open the gripper, it
    /// must be let go on until it presses less.
    is_excused: bool,
}

impl ContactWatch {
    /// None: no limit.
    pub(crate) fn new(force_n: Option<f64>, torque_nm: Option<f64>) -> Self {
        Self {
            force_n: force_n.unwrap_or(f64::INFINITY),
            torque_nm: torque_nm.unwrap_or(f64::INFINITY),
            is_active: force_n.is_some() || torque_nm.is_some(),
            grip: None,
            grips_since_ns: None,
            is_excused: false,
        }
    }

    /// A stop was left.
    pub(crate) fn restart(&mut self) {
        self.grips_since_ns = None;
        self.is_excused = true;
    }

    /// Watches the effort of the gripper as well, the value at this place of a
    /// state. A robot that does not measure it gives zero, and is not stopped.
    pub(crate) fn with_grip(mut self, index: usize, limit_n: Option<f64>) -> Self {
        self.grip = limit_n.map(|limit_n| (index, limit_n));
        self
    }

    /// Why the arm must stop at `now_ns`, if so.
    pub(crate) fn look(&mut self, now_ns: u64, state: &StateFrame) -> Option<StopCause> {
        self.touched(state).or_else(|| self.gripped(now_ns, state))
    }

    fn gripped(&mut self, now_ns: u64, state: &StateFrame) -> Option<StopCause> {
        let (index, limit_n) = self.grip?;
        let effort = state.effort.get(index).copied().unwrap_or(0.0);
        if effort.abs() <= GRIP_SLACK * limit_n {
            self.grips_since_ns = None;
            self.is_excused = false;
            return None;
        }
        if self.is_excused {
            return None;
        }
        let since_ns = *self.grips_since_ns.get_or_insert(now_ns);
        (now_ns.saturating_sub(since_ns) >= GRIP_NS).then_some(StopCause::GripForce)
    }

    pub(crate) fn is_active(&self) -> bool {
        self.is_active
    }

    /// A wrench that is missing or not finite stops the arm too: the sensor is
    /// gone.
    fn touched(&self, state: &StateFrame) -> Option<StopCause> {
        if !self.is_active {
            return None;
        }
        let [fx, fy, fz, tx, ty, tz] = state.wrench;
        let length = |x: f64, y: f64, z: f64| (x * x + y * y + z * z).sqrt();
        let (force, torque) = (length(fx, fy, fz), length(tx, ty, tz));
        if !state.has(StateFrame::WRENCH) || !force.is_finite() || !torque.is_finite() {
            return Some(StopCause::StateInvalid);
        }
        let within = force <= self.force_n && torque <= self.torque_nm;
        (!within).then_some(StopCause::Contact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_wrench_within_its_limits_lets_the_arm_go_on() {
        let watch = ContactWatch::new(Some(20.0), Some(2.0));
        let force_only = ContactWatch::new(Some(20.0), None);
        let check = |watch: &ContactWatch, has_wrench, wrench, expected| {
            let state = StateFrame {
                has_wrench,
                wrench,
                ..StateFrame::default()
            };
            let mut watch = *watch;
            assert_eq!(watch.look(0, &state), expected, "{wrench:?}");
        };
        check(&watch, 1, [12.0, 0.0, -16.0, 0.0, 2.0, 0.0], None);
        check(
            &watch,
            1,
            [12.1, 0.0, -16.0, 0.0, 0.0, 0.0],
            Some(StopCause::Contact),
        );
        check(
            &watch,
            1,
            [0.0, 0.0, 0.0, 1.5, 1.5, 0.0],
            Some(StopCause::Contact),
        );
        check(&force_only, 1, [0.0, 0.0, 0.0, 90.0, 0.0, 0.0], None);
        check(&watch, 1, [f64::NAN; 6], Some(StopCause::StateInvalid));
        check(&watch, 1, [1e300; 6], Some(StopCause::StateInvalid));
        check(&watch, 0, [0.0; 6], Some(StopCause::StateInvalid));
        check(&ContactWatch::new(None, None), 0, [f64::NAN; 6], None);
    }

    #[test]
    fn a_gripper_may_press_hard_for_a_moment_and_no_longer() {
        const MS: u64 = 1_000_000;
        let mut watch = ContactWatch::new(None, None).with_grip(2, Some(10.0));
        let mut look = |now: u64, effort: f64| {
            let mut state = StateFrame::default();
            state.effort[2] = effort;
            watch.look(now * MS, &state)
        };
        assert!((0..500).all(|now| look(now, 12.5).is_none()));
        // An impact.
        assert!((500..599).all(|now| look(now, 80.0).is_none()));
        assert_eq!(look(600, 9.0), None);
        let found = (601..1000).find(|now| look(*now, -13.0) == Some(StopCause::GripForce));
        assert_eq!(found, Some(701));
        assert_eq!(look(1000, f64::NAN), Some(StopCause::GripForce));
        // After a reset it may be opened; from then on it is watched again.
        watch.restart();
        let mut look = |now: u64, effort: f64| {
            let mut state = StateFrame::default();
            state.effort[2] = effort;
            watch.look(now * MS, &state)
        };
        assert!((1001..2000).all(|now| look(now, 13.0).is_none()));
        assert_eq!(look(2000, 1.0), None);
        assert!((2001..2101).all(|now| look(now, 13.0).is_none()));
        assert_eq!(look(2101, 13.0), Some(StopCause::GripForce));
    }
}
