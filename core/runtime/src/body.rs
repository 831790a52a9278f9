//! The robot as the primitive runner sees it: something that lets time pass.
//!
//! The runner is the same code in both clocks. It observes, decides, orders and
//! asks the body to advance; the virtual body steps the world, the real one
//! waits for the clock.

use std::sync::Arc;

use crate::{
    CommandDigest, MotionSink, Picture, RealTimeReport, RuntimeError, arm_model::ArmModel,
    control_event::ControlNote, control_loop::ControlOrder, control_status::ControlStatus,
    telemetry::ControlTelemetry,
};

/// A running robot under one of the two clocks.
pub(crate) trait Body: Send {
    /// The runtime's clock (ns).
    fn now_ns(&self) -> u64;

    /// Lets time pass until `time_ns`. Returns early, with no error, when the
    /// stop switch is thrown.
    fn advance_to(&mut self, time_ns: u64) -> Result<(), RuntimeError>;

    /// The newest tick of the control loop.
    fn status(&mut self) -> ControlStatus;

    /// Gives an order to the control loop.
    fn order(&mut self, order: ControlOrder) -> Result<(), RuntimeError>;

    /// The newest picture of a camera, and its capture time (ns).
    fn picture(&mut self, camera: &str) -> Result<(Picture, u64), RuntimeError>;

    /// The simulated world, where there is one.
    fn world(&mut self) -> Option<&mut dyn World>;

    /// What the control loop told since the last call; logged already.
    fn notes(&mut self) -> Vec<ControlNote>;

    /// The control loop's counters.
    fn telemetry(&self) -> Arc<ControlTelemetry>;

    /// The hash of all commands; in real time some milliseconds behind.
    fn digest(&self) -> Option<CommandDigest>;

    /// What the system permitted the control thread; in real time only.
    fn real_time(&self) -> Option<&RealTimeReport>;

    /// Passes every tick through a wrapper from now on; in virtual time only.
    fn wrap_ticks(&mut self, wrapper: TickWrapper) -> Result<(), RuntimeError>;

    /// Calls `sink` with pictures of a camera while time passes. Several may
    /// watch at once.
    fn watch(&mut self, watch: Watch) -> Result<(), RuntimeError>;

    /// Hands every measured instant to a sink from now on.
    fn watch_motion(&mut self, model: Arc<ArmModel>, sink: MotionSink);
}

/// A request for pictures while time passes.
pub(crate) struct Watch {
    pub(crate) camera: String,
    pub(crate) period_ns: u64,
    pub(crate) sink: PictureSink,
    /// Whether somebody looks; none: always.
    pub(crate) is_wanted: Option<PictureDemand>,
}

impl Watch {
    pub(crate) fn is_wanted(&self) -> bool {
        self.is_wanted.as_ref().is_none_or(|is_wanted| is_wanted())
    }
}

/// Says whether somebody looks at a camera's pictures now.
pub(crate) type PictureDemand = Box<dyn Fn() -> bool + Send>;

/// Is given every tick of the control loop as a call, and must make it once.
pub type TickWrapper = Box<dyn FnMut(&mut dyn FnMut()) + Send>;

/// Receives time (ns) and picture.
pub type PictureSink = Box<dyn FnMut(u64, &Picture) + Send>;

/// What only evaluation and recording may ask of a simulated world.
pub(crate) trait World {
    /// A new scene; the control loop begins anew in it.
    fn reset(
        &mut self,
        seed: u64,
        task: &serde_json::Value,
    ) -> Result<serde_json::Value, RuntimeError>;
    /// Names the goal.
    fn set_goal(&mut self, goal: &serde_json::Value) -> Result<(), RuntimeError>;
    /// Whether it is reached.
    fn goal_reached(&mut self) -> Result<bool, RuntimeError>;
    /// What an expert would do now.
    fn demonstrate(&mut self) -> Result<Vec<vola_abi::TensorAbi>, RuntimeError>;
}
