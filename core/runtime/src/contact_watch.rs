//! Stops the arm when what it touches pushes back too hard.
//!
//! Judges the wrench that the embodiment measures at the tool, not joint
//! efforts: those hold gravity and friction, which only the robot's own model
//! could take off.

use vola_abi::StateFrame;

use crate::StopCause;

/// Greatest force and torque at the tool.
///
/// # Timing
/// Called on the control thread each tick; compares six numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ContactWatch {
    force_n: f64,
    torque_nm: f64,
    is_active: bool,
}

impl ContactWatch {
    /// None: no limit.
    pub(crate) fn new(force_n: Option<f64>, torque_nm: Option<f64>) -> Self {
        Self {
            force_n: force_n.unwrap_or(f64::INFINITY),
            torque_nm: torque_nm.unwrap_or(f64::INFINITY),
            is_active: force_n.is_some() || torque_nm.is_some(),
        }
    }

    pub(crate) fn is_active(&self) -> bool {
        self.is_active
    }

    /// Why the arm must stop, if so. A wrench that is missing or not finite
    /// stops it too: the sensor is gone.
    pub(crate) fn look(&self, state: &StateFrame) -> Option<StopCause> {
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
            assert_eq!(watch.look(&state), expected, "{wrench:?}");
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
}
