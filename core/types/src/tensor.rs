//! Names and element types of the tensors that stages exchange.

use serde::{Deserialize, Serialize};

/// Element type of a tensor's bytes, little endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DType {
    /// Unsigned byte (UTF-8 text, pixels, masks).
    U8,
    /// 32-bit unsigned integer.
    U32,
    /// 64-bit signed integer.
    I64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// An opaque handle of the library that made the tensor.
    Resident,
}

impl DType {
    /// Bytes of one element.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U32 | Self::F32 => 4,
            Self::I64 | Self::F64 | Self::Resident => 8,
        }
    }

    /// The word in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::U32 => "u32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Resident => "resident",
        }
    }
}

impl std::fmt::Display for DType {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Names of tensors, as the field uses them.
pub mod names {
    /// Prefix of camera pictures: f32 `[B, 3, height, width]` in 0..1.
    pub const IMAGES: &str = "observation.images.";
    /// Proprioception: f32 `[B, n]`, normalised.
    pub const STATE: &str = "observation.state";
    /// The instruction: u8 `[B, length]`, UTF-8, zero-padded.
    pub const TASK: &str = "task";
    /// Point of the object to act on: f32 `[B, 3]`, normalised base frame.
    pub const GOAL_OBJECT: &str = "goal.object";
    /// 1 where `goal.object` is given: f32 `[B, 1]`.
    pub const GOAL_OBJECT_MASK: &str = "goal.object_mask";
    /// Point to bring the object to: f32 `[B, 3]`, normalised base frame.
    pub const GOAL_TARGET: &str = "goal.target";
    /// 1 where `goal.target` is given: f32 `[B, 1]`.
    pub const GOAL_TARGET_MASK: &str = "goal.target_mask";
    /// Index of the embodiment's token: i64 `[B]`.
    pub const EMBODIMENT: &str = "embodiment.index";
    /// Normalised action samples: f32 `[B, N, horizon, dim]`.
    pub const ACTION: &str = "action";
    /// Probabilities of (done, failing): f32 `[B, 2]`.
    pub const PROGRESS: &str = "progress";
    /// Objects found: f32 `[B, M, 8]`.
    pub const SCENE_OBJECTS: &str = "scene.objects";
    /// Where the stage looked: f32 `[B, K, cells]`.
    pub const ATTENTION: &str = "attention";
}
