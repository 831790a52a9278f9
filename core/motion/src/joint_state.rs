//! Position, velocity and acceleration of every joint at one instant.

use crate::JointVec;
use crate::MotionError;
use crate::joint_vec::check_finite;

/// Motion of an arm at one instant.
///
/// # Units
/// rad or m, and their first and second derivatives by the second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct JointState {
    /// Positions.
    pub q: JointVec,
    /// Velocities.
    pub v: JointVec,
    /// Accelerations.
    pub a: JointVec,
}

impl JointState {
    /// Standing still at `q`.
    ///
    /// # Errors
    /// No joints, too many, or a value that is not finite.
    pub fn at_rest(q: &[f64]) -> Result<Self, MotionError> {
        check_finite("q", q, q.len().max(1))?;
        let q = JointVec::from_slice("q", q)?;
        Ok(Self {
            q,
            v: JointVec::zeros(q.len()),
            a: JointVec::zeros(q.len()),
        })
    }

    pub(crate) fn check(&self) -> Result<(), MotionError> {
        check_finite("q", &self.q, self.q.len())?;
        check_finite("v", &self.v, self.q.len())?;
        check_finite("a", &self.a, self.q.len())
    }
}
