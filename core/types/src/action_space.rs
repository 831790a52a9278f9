//! What the numbers of an action mean.
//!
//! A policy, an embodiment and the executor between them must agree on the
//! meaning of a row of numbers. The meaning is a variant here, never a
//! convention in a comment, so that a mismatch is refused before anything moves.

use serde::{Deserialize, Serialize};

/// The meaning of one action row.
///
/// In every space the gripper comes last: 0 closed … 1 open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionSpace {
    /// Absolute joint positions (rad, or m for prismatic joints).
    JointPosition,
    /// Joint velocities (rad/s, or m/s).
    JointVelocity,
    /// Joint displacement from the *measured* position in the observation
    /// that made the chunk (rad, or m).
    JointDelta,
    /// Absolute tool pose in the base frame: x y z (m), then a unit quaternion
    /// x y z w with w ≥ 0.
    ToolPose,
    /// Tool displacement from the tool pose in the observation that made the
    /// chunk: translation (m) and rotation vector (rad), both in base axes.
    ToolDelta,
    /// Planar base velocity: forward (m/s), left (m/s), yaw (rad/s).
    BaseVelocity,
}

impl ActionSpace {
    /// The word that stands for this space in TOML and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::JointPosition => "joint_position",
            Self::JointVelocity => "joint_velocity",
            Self::JointDelta => "joint_delta",
            Self::ToolPose => "tool_pose",
            Self::ToolDelta => "tool_delta",
            Self::BaseVelocity => "base_velocity",
        }
    }

    /// Numbers in one row for an arm of `arm_joints` joints, with the gripper
    /// (one number) where `has_gripper`.
    #[must_use]
    pub fn row_length(self, arm_joints: usize, gripper: Gripper) -> usize {
        let body = match self {
            Self::JointPosition | Self::JointVelocity | Self::JointDelta => arm_joints,
            Self::ToolPose => 7,
            Self::ToolDelta => 6,
            Self::BaseVelocity => 3,
        };
        body + gripper.values()
    }
}

impl std::fmt::Display for ActionSpace {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Whether an embodiment ends in a gripper that takes one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gripper {
    /// No gripper: action rows end with the body.
    None,
    /// One opening value, last in every row: 0 closed … 1 open.
    Parallel,
}

impl Gripper {
    /// Numbers the gripper adds to a state or action row.
    #[must_use]
    pub fn values(self) -> usize {
        match self {
            Self::None => 0,
            Self::Parallel => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip_through_json() {
        for space in [
            ActionSpace::JointPosition,
            ActionSpace::JointVelocity,
            ActionSpace::JointDelta,
            ActionSpace::ToolPose,
            ActionSpace::ToolDelta,
            ActionSpace::BaseVelocity,
        ] {
            let json = serde_json::to_string(&space).unwrap();
            assert_eq!(json, format!("\"{space}\""));
            assert_eq!(serde_json::from_str::<ActionSpace>(&json).unwrap(), space);
        }
    }

    #[test]
    fn row_lengths_count_the_gripper() {
        assert_eq!(ActionSpace::ToolDelta.row_length(7, Gripper::Parallel), 7);
        assert_eq!(ActionSpace::ToolPose.row_length(7, Gripper::Parallel), 8);
        assert_eq!(ActionSpace::JointPosition.row_length(6, Gripper::None), 6);
    }
}
