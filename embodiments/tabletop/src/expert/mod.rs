//! The scripted expert: what a good policy would do, from the true state.
//!
//! It is a function of the state alone (and of where the object was when the
//! goal was set), so that every state of a demonstration carries a consistent
//! label, whatever noise led there. A chunk is made by rolling the function
//! out in a small kinematic model of the world. It never drives the robot
//! when a policy runs.

mod approach;
mod drawer;
mod pick;
mod place;
mod push;
mod situation;

pub(crate) use situation::{Obstacle, Situation};

use crate::{
    arm::tool_pose,
    world::{ActiveGoal, World},
};

/// Rows of a chunk.
pub(crate) const HORIZON: usize = 8;
/// Time between rows (s).
pub(crate) const ROW_SECS: f64 = 0.1;

/// One step of the expert.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Move {
    /// Displacement of the tool (m, base axes).
    pub(crate) by: [f64; 3],
    /// Turn about base z (rad).
    pub(crate) turn: f64,
    /// Gripper value, 0 closed … 1 open.
    pub(crate) gripper: f64,
    /// The primitive is finished.
    pub(crate) done: bool,
    /// It cannot succeed from here.
    pub(crate) failing: bool,
}

/// A chunk with its labels.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Demonstration {
    /// Rows of `dx, dy, dz, rx, ry, rz, gripper`: the target pose of each row as
    /// displacement from the measured tool pose (m, rotation vector in rad, base
    /// axes), gripper absolute.
    pub(crate) rows: [[f64; 7]; HORIZON],
    /// The primitive is finished in this state.
    pub(crate) done: bool,
    /// It cannot succeed from this state.
    pub(crate) failing: bool,
}

/// What the expert would do now; none for goals without an expert.
pub(crate) fn demonstrate(world: &World, goal: &ActiveGoal) -> Option<Demonstration> {
    let mut situation = Situation::of(world, goal)?;
    let measured = world.tool().pose;
    let first = situation.decide();
    let mut rows = [[0.0; 7]; HORIZON];
    for row in &mut rows {
        let step = situation.decide();
        situation.apply(&step);
        let target = tool_pose(situation.tool, situation.yaw);
        let by = target.translation.vector - measured.translation.vector;
        let turn = (target.rotation * measured.rotation.inverse()).scaled_axis();
        *row = [by.x, by.y, by.z, turn.x, turn.y, turn.z, step.gripper];
    }
    Some(Demonstration {
        rows,
        done: first.done,
        failing: first.failing,
    })
}

#[cfg(test)]
mod tests;
