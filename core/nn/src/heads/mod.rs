//! Heads: context to actions and progress, scene map to objects.

mod chunk;
mod example_loss;
mod progress;
mod scene;
mod scene_decode;
mod scene_grid;

pub use chunk::{ChunkHead, ChunkSettings};
pub use example_loss::{binary_cross_entropy, smooth_distance};
pub use progress::{ProgressHead, ProgressSettings};
pub use scene::{SceneHead, SceneSettings};
pub use scene_grid::{COLORS, KINDS, SceneChannels, SceneGrid};
