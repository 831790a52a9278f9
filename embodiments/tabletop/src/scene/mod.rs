//! Scenes and episodes as plain data: what stands where, and what is asked.
//!
//! Nothing here knows physics or pictures; the same seed and task always give
//! the same data.

mod contents;
mod disturbance;
mod drawer;
mod episode;
mod goal;
mod goal_draw;
mod layout;
mod perturbation;
mod plan;
mod random;
mod start;
mod task;

pub(crate) use disturbance::{Board, Clutter, Disturbance, DrawnJson, Frozen, Look, Moved, Shape};
pub(crate) use drawer::{
    BAR_OFFSET, BAR_THICKNESS, BAR_Z, DrawerSpec, FRONT_X, TRAVEL, drawer_boxes, drawer_interior,
};
pub(crate) use episode::{EpisodeJson, GoalJson, ObjectJson, ObjectRef, TargetRef};
pub(crate) use goal::{Goal, Target, beside_distance, next_to_point, push_point, region_point};
pub(crate) use layout::{ObjectSpec, is_free};
pub(crate) use perturbation::{Perturbation, Perturbations};
pub(crate) use plan::{LEAST_REACH, ScenePlan, plan};
pub(crate) use random::Random;
pub(crate) use start::StartPose;
pub(crate) use task::{
    Combos, Contents, DrawerChoice, Duplicates, Hand, Start, TaskKind, TaskSpec,
};
