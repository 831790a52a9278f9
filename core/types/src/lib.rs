//! Plain data that every part of Vola shares: what actions mean, what a robot
//! and a plugin say of themselves, scenes, plans, primitives, run events and what
//! is shown of a recorded episode.
//!
//! No I/O, no FFI, no tensor crate. Numbers are SI, in the robot's base frame
//! (x forward, y left, z up) unless a name says otherwise.

mod action_space;
mod embodiment;
mod episode_course;
mod plan;
mod plugin;
mod primitive;
mod run_event;
mod scene;
mod signal;
mod tensor;

pub use action_space::{ActionSpace, Gripper};
pub use embodiment::{
    CameraDescription, CameraMount, CapsuleDescription, ColorOrder, DescriptionFault,
    EmbodimentDescription, GripperLimits, Intrinsics, JointDescription, JointKind, MAX_JOINTS,
    StampClock, WorkspaceBox,
};
pub use episode_course::{Band, EpisodeCourse};
pub use plan::*;
pub use plugin::{
    Capability, ExampleInput, HeadOutput, PluginDescription, PluginId, PluginIdError, PluginKind,
    is_word,
};
pub use primitive::{Outcome, PrimitiveGoal};
pub use run_event::*;
pub use scene::*;
pub use signal::{Signal, SignalReading};
pub use tensor::{DType, names};
