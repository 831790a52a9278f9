//! A robot as it crosses the boundary: it opens into parts, each owned by one
//! thread.

use abi_stable::{
    StableAbi, sabi_trait,
    std_types::{RBox, ROption, RStr, RString, RVec},
};

use crate::{
    CallResult, CommandFrame, HostServicesAbi, ImageBufferAbi, StateFrame, StopCategory, TensorAbi,
};

/// A robot before it is opened. Called on the thread that starts the runtime.
#[sabi_trait]
pub trait EmbodimentAbi: Send {
    /// Takes the settings (JSON). Nothing is touched yet.
    fn configure(&mut self, settings: RStr<'_>) -> CallResult<()>;

    /// What this robot is, as JSON of `EmbodimentDescription`; after `configure`.
    fn describe(&mut self) -> CallResult<RString>;

    /// Takes the host's services. The robot does not move.
    fn activate(&mut self, host: HostServicesAbi) -> CallResult<()>;

    /// Connects and gives out the parts. The robot holds where it is.
    fn open(&mut self) -> CallResult<EmbodimentPartsAbi>;

    /// Disconnects, after every part was dropped.
    #[sabi(last_prefix_field)]
    fn deactivate(&mut self) -> CallResult<()>;
}

/// The part that moves. Called every tick on the control thread: a call
/// allocates nothing and returns within 200 µs.
#[sabi_trait]
pub trait ActuatorAbi: Send {
    /// Writes the newest measured state.
    fn state(&mut self, frame: &mut StateFrame) -> CallResult<()>;

    /// Takes the command of this tick.
    fn command(&mut self, frame: &CommandFrame) -> CallResult<()>;

    /// Holds the present pose.
    fn hold(&mut self) -> CallResult<()>;

    /// Stops as the category says; latched until `reset`.
    fn stop(&mut self, category: StopCategory) -> CallResult<()>;

    /// Leaves a stop; the robot holds the measured pose.
    #[sabi(last_prefix_field)]
    fn reset(&mut self) -> CallResult<()>;
}

/// One camera. Called on its own thread; may block for one period.
#[sabi_trait]
pub trait CameraAbi: Send {
    /// Writes the newest picture into the caller's buffer.
    #[sabi(last_prefix_field)]
    fn grab(&mut self, image: &mut ImageBufferAbi<'_>) -> CallResult<()>;
}

/// The world of a simulated robot. Called by the scheduler only.
#[sabi_trait]
pub trait SimulationAbi: Send {
    /// Builds a new scene. `task` is JSON; the answer describes the episode as JSON.
    fn reset(&mut self, seed: u64, task: RStr<'_>) -> CallResult<RString>;

    /// Advances by whole ticks (ns).
    fn step(&mut self, duration_ns: u64) -> CallResult<()>;

    /// Names the goal (JSON) that `goal_reached` and `demonstrate` speak of.
    fn set_goal(&mut self, goal: RStr<'_>) -> CallResult<()>;

    /// Whether the world is in the goal's state. For the evaluator only.
    fn goal_reached(&mut self) -> CallResult<bool>;

    /// What an expert would do now, and labels for training.
    #[sabi(last_prefix_field)]
    fn demonstrate(&mut self) -> CallResult<RVec<TensorAbi>>;
}

/// An owned robot.
pub type EmbodimentBox = EmbodimentAbi_TO<'static, RBox<()>>;
/// An owned actuator.
pub type ActuatorBox = ActuatorAbi_TO<'static, RBox<()>>;
/// An owned camera.
pub type CameraBox = CameraAbi_TO<'static, RBox<()>>;
/// An owned simulation.
pub type SimulationBox = SimulationAbi_TO<'static, RBox<()>>;

/// A camera with its key.
#[repr(C)]
#[derive(StableAbi)]
pub struct CameraPartAbi {
    /// Key, as in `observation.images.<key>`.
    pub key: RString,
    /// The camera.
    pub camera: CameraBox,
}

/// The parts of an opened robot.
#[repr(C)]
#[derive(StableAbi)]
pub struct EmbodimentPartsAbi {
    /// The part that moves.
    pub actuator: ActuatorBox,
    /// The cameras.
    pub cameras: RVec<CameraPartAbi>,
    /// The world, where there is one.
    pub simulation: ROption<SimulationBox>,
}
