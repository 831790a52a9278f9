//! The measured state under the names that policies use.
//!
//! A bundle names the numbers it wants (`panda_joint1.position`, `tool.x`); the
//! runtime offers every name an arm can have, and the bundle's contract picks
//! and orders them.

use nalgebra::Isometry3;
use vola_abi::StateFrame;
use vola_types::EmbodimentDescription;

use crate::{RuntimeError, arm_model::ArmModel};

/// Opening above which a closing gripper is stopped by something.
const HOLDING_OPENING: f64 = 0.08;

/// One measured instant with everything derived from it.
#[derive(Clone, Debug)]
pub struct Proprioception {
    /// When it was measured (ns).
    pub time_ns: u64,
    /// Measured positions: joints, then gripper.
    pub position: Vec<f64>,
    /// Measured velocities.
    pub velocity: Vec<f64>,
    /// Tool pose from the measured joints.
    pub tool_in_base: Isometry3<f64>,
    /// Measured gripper value; none without a gripper.
    pub gripper: Option<f64>,
    /// Last commanded gripper value.
    pub gripper_command: f64,
}

impl Proprioception {
    pub(crate) fn new(
        model: &ArmModel,
        frame: &StateFrame,
        gripper_command: f64,
    ) -> Result<Self, RuntimeError> {
        model.check_state(frame)?;
        let position = frame.positions().to_vec();
        Ok(Self {
            time_ns: frame.capture_time_ns,
            tool_in_base: model.tool_in_base(&position)?,
            gripper: model
                .has_gripper()
                .then(|| position.last().copied().unwrap_or(0.0)),
            velocity: frame.velocities().to_vec(),
            position,
            gripper_command,
        })
    }

    /// Tool position in the base frame (m).
    #[must_use]
    pub fn tool_position(&self) -> [f64; 3] {
        let t = self.tool_in_base.translation.vector;
        [t.x, t.y, t.z]
    }

    /// Tool orientation x y z w with w ≥ 0, base frame.
    #[must_use]
    pub fn tool_orientation(&self) -> [f64; 4] {
        let q = self.tool_in_base.rotation.quaternion();
        let sign = if q.w < 0.0 { -1.0 } else { 1.0 };
        [q.i * sign, q.j * sign, q.k * sign, q.w * sign]
    }

    /// Whether the fingers were told to close and are stopped by something.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        self.gripper
            .is_some_and(|gripper| self.gripper_command < 0.5 && gripper > HOLDING_OPENING)
    }

    /// The values, in the order of [`vola_bundle::available_state`].
    pub(crate) fn values(&self, model: &ArmModel) -> Vec<f64> {
        let mut values = Vec::with_capacity(self.position.len() * 2 + 18);
        for (position, velocity) in model.arm(&self.position).iter().zip(&self.velocity) {
            values.extend([*position, *velocity]);
        }
        values.extend(self.tool_position());
        let rotation = self.tool_in_base.rotation.to_rotation_matrix();
        for row in rotation.matrix().row_iter() {
            values.extend(row.iter());
        }
        values.extend(self.tool_orientation());
        if let Some(gripper) = self.gripper {
            values.extend([gripper, self.gripper_command]);
        }
        values
    }
}

/// Every name this arm offers, in the order of [`Proprioception::values`].
pub(crate) fn state_names(description: &EmbodimentDescription) -> Vec<String> {
    vola_bundle::available_state(description)
        .into_iter()
        .map(|entry| entry.name)
        .collect()
}
