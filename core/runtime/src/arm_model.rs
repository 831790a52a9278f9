//! The robot's kinematics and limits, built from its description.

use nalgebra::Isometry3;
use vola_abi::StateFrame;
use vola_motion::{IkSettings, InverseKinematics, KinematicModel};
use vola_types::{EmbodimentDescription, Gripper, PluginId};

use crate::RuntimeError;

/// Share of the way to the home posture that a redundant arm moves in its null
/// space at every row: enough that the elbow does not wander over a run.
const REST_GAIN: f64 = 0.05;

/// What executor and control loop know of the arm.
pub(crate) struct ArmModel {
    id: PluginId,
    kinematics: KinematicModel,
    inverse: InverseKinematics,
    arm_joints: usize,
    gripper: Gripper,
    home: Vec<f64>,
}

impl ArmModel {
    /// Builds the model; the URDF's chain must hold the described joints in
    /// the described order.
    pub(crate) fn new(
        id: &PluginId,
        description: &EmbodimentDescription,
    ) -> Result<Self, RuntimeError> {
        let kinematics = KinematicModel::from_urdf(&description.urdf, &description.tool_link)?;
        let chain: Vec<&str> = kinematics.joint_names().collect();
        let described: Vec<&str> = description
            .joints
            .iter()
            .map(|joint| joint.name.as_str())
            .collect();
        if chain != described {
            return Err(RuntimeError::State {
                id: id.clone(),
                reason: format!(
                    "its URDF has the joints {} from base to `{}`, its description {}",
                    chain.join(", "),
                    description.tool_link,
                    described.join(", ")
                ),
            });
        }
        let min: Vec<f64> = description
            .joints
            .iter()
            .map(|joint| joint.position_min)
            .collect();
        let max: Vec<f64> = description
            .joints
            .iter()
            .map(|joint| joint.position_max)
            .collect();
        let inverse = InverseKinematics::new(
            &kinematics,
            IkSettings {
                rest_gain: REST_GAIN,
                ..IkSettings::default()
            },
        )?
        .with_position_limits(&min, &max)?
        .with_rest_posture(&description.home)?;
        Ok(Self {
            id: id.clone(),
            inverse,
            arm_joints: kinematics.joint_count(),
            kinematics,
            gripper: description.gripper,
            home: description.home.clone(),
        })
    }

    pub(crate) fn id(&self) -> &PluginId {
        &self.id
    }

    pub(crate) fn arm_joints(&self) -> usize {
        self.arm_joints
    }

    /// Joints and gripper.
    pub(crate) fn frame_length(&self) -> usize {
        self.arm_joints + self.gripper.values()
    }

    pub(crate) fn has_gripper(&self) -> bool {
        self.gripper == Gripper::Parallel
    }

    pub(crate) fn home(&self) -> &[f64] {
        &self.home
    }

    pub(crate) fn kinematics(&self) -> &KinematicModel {
        &self.kinematics
    }

    pub(crate) fn inverse(&self) -> &InverseKinematics {
        &self.inverse
    }

    /// The arm's part of a joint vector.
    pub(crate) fn arm<'a>(&self, values: &'a [f64]) -> &'a [f64] {
        values.get(..self.arm_joints).unwrap_or(values)
    }

    /// Tool pose in the base frame for a joint vector with or without gripper.
    pub(crate) fn tool_in_base(&self, positions: &[f64]) -> Result<Isometry3<f64>, RuntimeError> {
        Ok(self.kinematics.tool_in_base(self.arm(positions))?)
    }

    /// Length and finiteness of a measured frame.
    pub(crate) fn check_state(&self, frame: &StateFrame) -> Result<(), RuntimeError> {
        let expected = self.frame_length();
        if frame.count as usize != expected {
            return Err(self.bad_state(format!("expected {expected} values, got {}", frame.count)));
        }
        if self.is_valid_state(frame) {
            Ok(())
        } else {
            Err(self.bad_state("a value is not finite".to_owned()))
        }
    }

    /// The same without words, for the control thread: allocates nothing.
    pub(crate) fn is_valid_state(&self, frame: &StateFrame) -> bool {
        let values = frame.positions().iter().chain(frame.velocities());
        frame.count as usize == self.frame_length() && values.into_iter().all(|it| it.is_finite())
    }

    fn bad_state(&self, reason: String) -> RuntimeError {
        RuntimeError::State {
            id: self.id.clone(),
            reason,
        }
    }
}
