//! Kinematics, limits and the safety filter of an arm, as pure mathematics.
//!
//! Everything here takes values and returns values: no file, thread, clock or
//! log. Time is passed in as integer nanoseconds or fixed at construction as
//! the control period. After construction nothing allocates, unless it returns
//! an error for a caller's mistake; a test with a counting allocator holds this.
//!
//! - [`KinematicModel`]: forward kinematics and Jacobian from a URDF.
//! - [`InverseKinematics`]: damped least squares within joint limits.
//! - [`Limits`]: joint limits that can only be narrowed.
//! - [`ReferencePath`]: a C² curve through the rows of an action chunk.
//! - [`Tracker`]: brings the reference within the limits, tick by tick.
//! - [`SafetyFilter`]: the last station of every command.
//! - [`CollisionModel`]: smallest distance of links and obstacles.
#![deny(clippy::indexing_slicing, clippy::panic)]

mod brake_plan;
mod capsule;
mod clearance_guard;
mod collision;
mod decision;
mod error;
mod filter_settings;
mod interventions;
mod inverse_kinematics;
mod joint_guard;
mod joint_state;
mod joint_vec;
mod kinematic_model;
mod limits;
mod reference_path;
mod safety_filter;
mod segment_distance;
mod surroundings;
mod tool_guard;
mod tracker;
mod urdf_chain;

pub use capsule::{Capsule, Obstacle};
pub use clearance_guard::ClearanceLimits;
pub use collision::{CollisionModel, Nearest, Partner};
pub use decision::{Decision, Rejection};
pub use error::MotionError;
pub use filter_settings::FilterSettings;
pub use interventions::{Interventions, Limit, LimitSet};
pub use inverse_kinematics::{IkSettings, IkSolution, InverseKinematics, pose_error};
pub use joint_state::JointState;
pub use joint_vec::{JointVec, MAX_JOINTS};
pub use kinematic_model::{Jacobian, KinematicModel, LinkFrame};
pub use limits::{JointLimits, Limits};
pub use reference_path::{Demand, MAX_WAYPOINTS, ReferencePath};
pub use safety_filter::{SafeCommand, SafetyFilter, Verdict};
pub use tool_guard::ToolLimits;
pub use tracker::Tracker;
pub use urdf_chain::{JointMotion, UrdfLimits};
