//! What the robot gives to the policy at one moment, before any step.

use vola_types::{ColorOrder, PrimitiveGoal};

/// One moment as the embodiment's parts gave it. Everything is borrowed: the
/// runtime keeps the buffers.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// When it was captured (ns, the runtime's clock).
    pub time_ns: u64,
    /// Proprioception with the name of every value.
    pub state: StateVector<'a>,
    /// The newest picture of each camera.
    pub images: &'a [ImageView<'a>],
    /// The instruction, UTF-8, at most [`MAX_TASK_BYTES`](Self::MAX_TASK_BYTES).
    pub task: &'a str,
    /// Where to act, as far as it is known.
    pub goal: GoalPoints,
}

impl Observation<'_> {
    /// Longest instruction (bytes).
    pub const MAX_TASK_BYTES: usize = 1024;
}

/// Named numbers in SI units. The order is free: values are found by name.
#[derive(Clone, Copy, Debug)]
pub struct StateVector<'a> {
    /// One name a value, each once.
    pub names: &'a [String],
    /// Values, finite.
    pub values: &'a [f64],
}

/// One picture.
#[derive(Clone, Copy, Debug)]
pub struct ImageView<'a> {
    /// Camera key, as in `observation.images.<key>`.
    pub key: &'a str,
    /// Columns (px).
    pub width: u32,
    /// Rows (px).
    pub height: u32,
    /// The pixels.
    pub pixels: Pixels<'a>,
}

/// The pixels of a picture.
#[derive(Clone, Copy, Debug)]
pub enum Pixels<'a> {
    /// `[height, width, 3]`, 0..255, channels in the order said.
    Bytes {
        /// Channel order.
        order: ColorOrder,
        /// The values.
        values: &'a [u8],
    },
    /// `[3, height, width]`, 0..1, channels already in the policy's order; as
    /// recorded inputs of a checkpoint are.
    Planes(&'a [f32]),
}

/// Points in the base frame (m) that tell the policy where to act; absent where
/// words alone are given.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GoalPoints {
    /// The object to act on.
    pub object: Option<[f64; 3]>,
    /// Where to bring it.
    pub target: Option<[f64; 3]>,
}

impl From<&PrimitiveGoal> for GoalPoints {
    fn from(goal: &PrimitiveGoal) -> Self {
        Self {
            object: goal.object,
            target: goal.target,
        }
    }
}
