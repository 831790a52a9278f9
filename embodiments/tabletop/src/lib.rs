//! A simulated table with a robot arm, as two plugins: `tabletop/franka` and
//! `tabletop/ur5e`.
//!
//! Blocks and bowls in ten colours and a drawer on a table, moved by a gripper
//! that holds by friction (rapier3d), seen by cameras that are drawn here on
//! the CPU. The world knows whether a goal was reached and how an expert would
//! reach it; it tells only the evaluator and the recorder of demonstrations.
//! Planner and policy see pixels and proprioception.
//!
//! - `arm`: the two arms, read from `arms/*.urdf`.
//! - `catalog`: kinds, colours, sizes.
//! - `scene`: what stands where and what is asked, from a seed; pure data.
//! - `world`: physics, drives, and whether a goal is reached.
//! - `expert`: a function of the true state that demonstrates each primitive.
//! - `render`: pictures.
//! - `supervision`: labels for training.
//! - `parts`: all of it as actuator, cameras and simulation.
//!
//! Rejected: MuJoCo, which must be installed and links dynamically; and
//! attaching a grasped object with a joint, which hides bad grasps.

mod arm;
mod catalog;
mod error;
mod expert;
mod parts;
mod render;
mod scene;
mod supervision;
mod sync;
mod world;

use parts::{Franka, Ur5e};

vola_plugin::export! {
    library: "tabletop",
    stages: [],
    embodiments: [Franka, Ur5e],
}
