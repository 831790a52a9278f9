//! The names of proprioception: which values a robot can give to a policy.
//!
//! A policy names its state values; the runtime computes them from the joint
//! state and forward kinematics. This list is the vocabulary of both.

use vola_types::{EmbodimentDescription, Gripper, JointKind};

/// One value that a robot can give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateEntry {
    /// Name, as in `panda_joint1.position` or `tool.x`.
    pub name: String,
    /// Unit: `rad`, `m`, `rad/s`, `m/s`, or `1` for plain numbers.
    pub unit: &'static str,
}

/// Every value that the runtime can compute for a robot: joint positions and
/// velocities, the tool's position, its rotation matrix (`tool.r<row><column>`
/// of the tool in the base frame) and unit quaternion (w ≥ 0), and the
/// gripper's measured and last commanded opening.
#[must_use]
pub fn available_state(robot: &EmbodimentDescription) -> Vec<StateEntry> {
    let mut entries = Vec::new();
    let mut add = |name: String, unit: &'static str| entries.push(StateEntry { name, unit });
    for joint in &robot.joints {
        let (position, velocity) = match joint.kind {
            JointKind::Revolute => ("rad", "rad/s"),
            JointKind::Prismatic => ("m", "m/s"),
        };
        add(format!("{}.position", joint.name), position);
        add(format!("{}.velocity", joint.name), velocity);
    }
    for axis in ["x", "y", "z"] {
        add(format!("tool.{axis}"), "m");
    }
    for row in 1..=3 {
        for column in 1..=3 {
            add(format!("tool.r{row}{column}"), "1");
        }
    }
    for part in ["qx", "qy", "qz", "qw"] {
        add(format!("tool.{part}"), "1");
    }
    if robot.gripper == Gripper::Parallel {
        add("gripper.position".to_owned(), "1");
        add("gripper.command".to_owned(), "1");
    }
    entries
}
