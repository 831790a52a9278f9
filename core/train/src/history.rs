//! The course of the losses, kept for people and for the picture.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::shard_writer::write_whole;
use crate::{Result, TrainError, ValidationReport};

/// Losses at one step, averaged over the steps before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryPoint {
    /// Steps done.
    pub step: u64,
    /// Seconds trained.
    pub seconds: f64,
    /// Learning rate.
    pub rate: f64,
    /// Weighted sum.
    pub loss: f64,
    /// Unweighted parts.
    pub parts: BTreeMap<String, f64>,
}

/// The whole course.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Training, in order.
    pub training: Vec<HistoryPoint>,
    /// Validation, in order.
    pub validation: Vec<ValidationReport>,
}

impl History {
    /// Reads a course; an absent file is an empty one.
    ///
    /// # Errors
    /// An unreadable file.
    pub fn open(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(path).map_err(TrainError::io(path))?;
        serde_json::from_str(&text).map_err(|e| TrainError::Resume {
            path: path.to_path_buf(),
            reason: e.to_string(),
        })
    }

    /// Writes it.
    ///
    /// # Errors
    /// A failing write.
    pub fn save(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string(self).map_err(|e| TrainError::Resume {
            path: path.to_path_buf(),
            reason: e.to_string(),
        })?;
        write_whole(path, text.as_bytes())
    }

    /// Forgets what came after `step`: a resumed training tells it again.
    pub fn cut(&mut self, step: u64) {
        self.training.retain(|p| p.step <= step);
        self.validation.retain(|p| p.step <= step);
    }
}
