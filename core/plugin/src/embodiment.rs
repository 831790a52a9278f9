//! The traits of a robot and its parts.

use serde_json::Value;
use vola_types::{EmbodimentDescription, PluginDescription};

use crate::{CommandFrame, Fault, Host, StateFrame, StopCategory, Tensor};

/// A robot, real or simulated, before it is opened.
///
/// Life: `configure` → `describe` → `activate` → `open` → parts in use → parts
/// dropped → `deactivate` → drop. Called on the thread that starts the runtime.
pub trait Embodiment: Send + Sized + 'static {
    /// Name, version and the JSON schema of the settings.
    fn describe_plugin() -> PluginDescription;

    /// Checks the settings of the deployment's `[robot]` table. Touches nothing.
    ///
    /// # Errors
    /// [`Fault::settings`], naming the key, expected and got.
    fn configure(settings: Value) -> Result<Self, Fault>;

    /// Joints with every limit, URDF, cameras, action spaces, ops.
    ///
    /// # Errors
    /// When the description cannot be made from the settings.
    fn describe(&mut self) -> Result<EmbodimentDescription, Fault>;

    /// Takes the host's services. The robot does not move.
    ///
    /// # Errors
    /// When a needed file or device is missing.
    fn activate(&mut self, host: &Host) -> Result<(), Fault> {
        let _ = host;
        Ok(())
    }

    /// Connects and gives out the parts. The robot holds where it is.
    ///
    /// # Errors
    /// When the robot does not answer. A partial failure leaves it holding.
    fn open(&mut self) -> Result<Parts, Fault>;

    /// Disconnects, after every part was dropped.
    ///
    /// # Errors
    /// When something could not be freed; the host only logs it.
    fn deactivate(&mut self) -> Result<(), Fault> {
        Ok(())
    }
}

/// The parts of an opened robot, each owned by one thread.
pub struct Parts {
    /// The part that moves.
    pub actuator: Box<dyn Actuator>,
    /// Cameras with their keys, as described.
    pub cameras: Vec<(String, Box<dyn Camera>)>,
    /// The world, where there is one.
    pub simulation: Option<Box<dyn Simulation>>,
}

/// The part that moves. Called every tick on the control thread.
///
/// # Timing
/// A call allocates nothing, takes no lock that another thread holds for long,
/// and returns within 200 µs. A slower bus runs a thread of its own and
/// exchanges the newest frames.
pub trait Actuator: Send {
    /// Writes the newest measured state into the caller's frame.
    ///
    /// # Errors
    /// When nothing was measured; the runtime then stops the arm.
    fn state(&mut self, frame: &mut StateFrame) -> Result<(), Fault>;

    /// Takes this tick's command: the robot goes there by the next tick. It was
    /// checked against every limit of the description.
    ///
    /// # Errors
    /// When it could not be passed on; the runtime then stops the arm.
    fn command(&mut self, frame: &CommandFrame) -> Result<(), Fault>;

    /// The robot holds its present pose.
    ///
    /// # Errors
    /// When it could not be passed on.
    fn hold(&mut self) -> Result<(), Fault>;

    /// The robot stops as the category says and stays stopped until `reset`.
    ///
    /// # Errors
    /// When it could not be passed on; the robot's own time-out must then stop it.
    fn stop(&mut self, category: StopCategory) -> Result<(), Fault>;

    /// Leaves a stop: the robot holds the measured pose at zero velocity.
    ///
    /// # Errors
    /// When the robot is not ready to move again.
    fn reset(&mut self) -> Result<(), Fault>;
}

/// A camera's pixels, to be written in place.
pub struct ImageBuffer<'a> {
    /// Columns (px).
    pub width: u32,
    /// Rows (px).
    pub height: u32,
    /// To be set: when the picture was taken, on the runtime's clock (ns).
    pub capture_time_ns: u64,
    /// u8 `[height, width, 3]`, row-major, in the described colour order.
    pub data: &'a mut [u8],
}

/// One camera. Called on a thread of its own; may block for one period.
pub trait Camera: Send {
    /// Writes the newest picture.
    ///
    /// # Errors
    /// When there is no picture, or the buffer is not of the described size.
    fn grab(&mut self, image: &mut ImageBuffer<'_>) -> Result<(), Fault>;
}

/// The world of a simulated robot. Called by the scheduler only.
pub trait Simulation: Send {
    /// Builds a new scene from a seed and a task (JSON of the embodiment's own
    /// form; null: any scene); answers with what the evaluator may know of the
    /// episode.
    ///
    /// # Errors
    /// When the task is not understood.
    fn reset(&mut self, seed: u64, task: &Value) -> Result<Value, Fault>;

    /// Advances the world (ns).
    ///
    /// # Errors
    /// When the world cannot go on.
    fn step(&mut self, duration_ns: u64) -> Result<(), Fault>;

    /// Names the goal that `goal_reached` and `demonstrate` speak of, and takes
    /// the present state as its beginning.
    ///
    /// # Errors
    /// When the goal names something that is not there.
    fn set_goal(&mut self, goal: &Value) -> Result<(), Fault>;

    /// Whether the goal is reached. For the evaluator only: no planner and no
    /// policy may ask.
    ///
    /// # Errors
    /// When no goal is set.
    fn goal_reached(&mut self) -> Result<bool, Fault>;

    /// What an expert would do from here (`action`) and labels for training.
    ///
    /// # Errors
    /// When there is no expert or no goal.
    fn demonstrate(&mut self) -> Result<Vec<Tensor>, Fault>;
}
