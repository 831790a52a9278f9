//! Loads plugins, runs policies and moves robots.
//!
//! A [`Session`] puts a robot, a policy bundle and a clock together from a
//! deployment. It reads scenes and runs primitives; whoever owns it decides what
//! to run. This crate names no plugin, knows no plan and prints nothing.
//!
//! The same code runs in virtual time (no threads, for evaluation and tests) and
//! in real time (1 kHz control thread).

mod arm_model;
mod body;
mod chunk_targets;
mod confidence;
mod contact_watch;
mod control_loop;
mod control_status;
mod error;
mod expert;
mod following;
mod generated_primitive;
mod limits;
mod log_sink;
mod newest_picture;
mod observing;
mod path_check;
mod pipeline;
mod plugin_registry;
mod policy;
mod primitive;
mod proprioception;
mod real_body;
mod report;
mod robot;
mod safety_setup;
mod seeded_noise;
mod session;
mod stage_instance;
mod stop_switch;
mod virtual_body;

pub use chunk_targets::ChunkRefusal;
pub use control_status::{ControlMode, StopCause};
pub use error::RuntimeError;
pub use plugin_registry::{PluginLibrary, PluginRegistry};
pub use proprioception::Proprioception;
pub use report::{
    ConfidenceReading, DecisionReport, Detection, Driver, ExpertNoise, HandoffAnswer, LabelTensor,
    Picture, PrimitiveObserver, PrimitiveReport, SceneReading, Unobserved,
};
pub use robot::Robot;
pub use safety_setup::FilterUse;
pub use session::{ClockMode, PolicyUse, Session, SessionOptions};
pub use stop_switch::StopSwitch;
