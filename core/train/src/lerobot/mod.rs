//! LeRobot data sets (`LeRobotDataset` v3 on disk) as a source of frames.
//!
//! # What is read
//! `meta/info.json`, `meta/tasks.parquet`, `meta/episodes/…/*.parquet` and the `data/…/*.parquet`
//! files that the episodes name. Pictures must lie in the parquet files (dtype `image`); video files
//! are refused. Statistics are not read: normalisation constants are fixed, see [`crate::STATE_NAMES`].
//!
//! # What must fit
//! Columns are matched **by name**, never by position: `observation.state` and `action` must name
//! exactly the values that the policy file lists, in any order. `robot_type` picks the policy's
//! embodiment. `fps` is the policy's action rate or a whole multiple of it.
//!
//! # What an action means
//! The policy's space is `tool_delta`: the stored action of frame t is the target for the next frame
//! (t + 1/fps), given as a displacement from the tool pose *measured in frame t*: `dx dy dz` in metres
//! and the rotation vector `rx ry rz` in radians, both in base axes, and the gripper's goal, 0 closed
//! … 1 open. From these the chunk of a frame is made as in [`chunk`].
//!
//! # What is not known
//! A data set of this kind says nothing of objects, of the point to look at, or of failure. Those
//! [`Labels`](crate::Labels) are off, and no loss reads them. `done` is the column `next.done` where
//! there is one, else the last tenth of an episode.
//!
//! # Memory
//! Pictures are unpacked when the set is opened and stay in memory, `height · width · 3` bytes a
//! frame at the size that the policy sees.

mod chunk;
mod columns;
mod contract;
mod episodes;
mod info;
mod pages;
mod picture;
mod reader;
mod resize;

pub use reader::LerobotReader;

use std::path::Path;

use crate::TrainError;

/// Most frames of one data set; more of them do not fit into the memory of one machine.
const MAX_FRAMES: usize = 1_000_000;

/// Help where the file itself is broken.
const DAMAGED: &str = "the file is damaged or was not finished; download or record it again";

/// A [`TrainError::Dataset`].
fn fault(path: &Path, place: impl Into<String>, reason: String, help: &'static str) -> TrainError {
    TrainError::Dataset {
        path: path.to_path_buf(),
        place: place.into(),
        reason,
        help,
    }
}
