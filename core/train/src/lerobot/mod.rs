//! LeRobot data sets (`LeRobotDataset` v3 on disk) as a source of frames.
//!
//! [`LerobotReader`] says what is read, what must fit, and what the numbers mean.

mod chunk;
mod contract;
mod episodes;
mod info;
mod picture;
mod reader;
mod resize;

pub use reader::LerobotReader;

use std::path::Path;

use crate::TrainError;

/// Most frames of one data set; more of them do not fit into the memory of one machine.
const MAX_FRAMES: usize = vola_recorder::MAX_FRAMES;

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
