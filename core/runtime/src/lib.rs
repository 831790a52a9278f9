//! Loads plugins, runs policies and moves robots.
//!
//! A [`Session`] puts a robot, a policy bundle and a clock together from a
//! deployment. It reads scenes and runs primitives; whoever owns it decides what
//! to run. This crate names no plugin, knows no plan and prints nothing.
//!
//! The same code runs in virtual time (no threads, for evaluation and tests) and
//! in real time (1 kHz control thread).
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::panic))]

mod arm_gauge;
mod arm_model;
mod attention_map;
mod authority;
mod body;
mod call_watch;
mod camera_pulse;
mod camera_watch;
mod chunk_targets;
mod command_digest;
mod confidence;
mod contact_watch;
mod control_event;
mod control_inputs;
mod control_loop;
mod control_status;
mod control_thread;
mod drift_watch;
mod error;
mod expert;
mod following;
mod generated_primitive;
mod handoff;
mod heartbeat;
mod interposer;
mod jog;
mod latency;
mod limits;
mod log_sink;
mod motion_report;
mod newest_picture;
mod null_actuator;
mod observing;
mod offline_policy;
mod path_check;
mod picture;
mod pipeline;
mod plugin_registry;
mod plugin_rules;
mod policy;
mod policy_contract;
mod policy_versions;
mod primitive;
mod proprioception;
mod real_body;
mod real_time;
mod real_time_report;
mod report;
mod robot;
mod robot_settings;
mod run_header;
mod safety_setup;
mod seeded_noise;
mod session;
mod session_start;
mod stage_instance;
mod stall;
mod steal;
mod stop_switch;
mod sweep;
mod sync;
mod take_over;
mod telemetry;
mod thread_usage;
mod tick_clock;
mod virtual_body;
mod watchdog;

pub use arm_gauge::ArmGlance;
pub use attention_map::AttentionMap;
pub use authority::Authority;
pub use body::{PictureSink, TickWrapper};
pub use call_watch::{CallWatch, OverdueCall};
pub use chunk_targets::ChunkRefusal;
pub use command_digest::CommandDigest;
pub use confidence::ConfidenceUse;
pub use control_inputs::{ControlReplay, Motion, ReplayWish, replay_control};
pub use control_status::{ControlMode, HoldCause, StopCause};
pub use error::RuntimeError;
pub use handoff::{
    HandoffChoice, HandoffEnd, HandoffEvent, HandoffState, HoldReason, Options, RefusedEvent,
    TakeOverPhase, Transition, transition,
};
pub use heartbeat::{Heartbeat, HeartbeatKind};
pub use interposer::Interposer;
pub use jog::{JogCommand, JogMotion, JogRefusal};
pub use latency::{LatencyHistogram, LatencyQuantiles};
pub use motion_report::{MotionReport, MotionSink};
pub use offline_policy::{AdaptableHead, OfflineChunk, OfflinePolicy};
pub use picture::{Picture, PictureCounts, Pixels};
pub use plugin_registry::{
    CreatedEmbodiment, CreatedStage, PluginLibrary, PluginRegistry, RobotProcess,
};
pub use plugin_rules::{PluginOptions, PluginRules, Shipped};
pub use policy::NamedValues;
pub use policy_contract::PolicyContract;
pub use proprioception::Proprioception;
pub use real_time_report::{Grant, RealTimeReport, probe_real_time};
pub use report::{
    ArmState, DecisionReport, Detection, Driver, ExpertNoise, HandoffAnswer, LabelTensor,
    PrimitiveObserver, PrimitiveReport, SafetyNote, SceneReading, Unobserved,
};
pub use robot::Robot;
pub use safety_setup::FilterUse;
pub use session::{ClockMode, Drive, PolicyUse, Session, SessionOptions};
pub use steal::hypervisor_steal_ns;
pub use stop_switch::{StopLevel, StopSwitch};
pub use take_over::{HandInput, TakeOverEnd, Teleoperator};
pub use telemetry::{ControlReport, ControlWatch, DecisionGlance, PolicyTelemetry};
pub use vola_confidence::ConfidenceReading;
