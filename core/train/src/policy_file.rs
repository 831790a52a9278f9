//! The stages of a `policy.toml`, as training needs them.
//!
//! The bundle crate checks the whole file before the first step, so that a bundle that took an hour
//! to train is not refused afterwards; the text is copied into the bundle as it is.

use std::path::Path;

use vola_bundle::Manifest;
use vola_nn::StageSpec;

use crate::{Result, TrainError};

/// A bundle's list of stages, and the text it came from.
#[derive(Clone, Debug)]
pub struct PolicyFile {
    /// The whole text.
    pub text: String,
    /// Its stages.
    pub stages: Vec<StageSpec>,
}

impl PolicyFile {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// An unreadable file, or the faults that the bundle crate finds.
    pub fn open(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(TrainError::io(path))?;
        let manifest = Manifest::parse(&text, &path.display().to_string())?;
        let prefix = |stage: &vola_bundle::Stage| {
            stage
                .weights()
                .map_or_else(String::new, |w| w.prefix().to_string())
        };
        let stages = manifest
            .stages()
            .iter()
            .map(|stage| StageSpec {
                name: stage.name().to_string(),
                plugin: stage.plugin().to_string(),
                inputs: stage.inputs().to_vec(),
                outputs: stage.outputs().to_vec(),
                settings: stage.settings().clone(),
                prefix: prefix(stage),
            })
            .collect();
        Ok(Self { text, stages })
    }

    /// The first stage of a library (`fusion`) or with an id (`heads/scene`).
    #[must_use]
    pub fn stage(&self, id: &str) -> Option<&StageSpec> {
        self.stages.iter().find(|s| {
            s.plugin == id
                || s.plugin
                    .split_once('/')
                    .is_some_and(|(library, _)| library == id)
        })
    }

    /// The name a stage's training output has in the chain, for example `actions.steps`.
    #[must_use]
    pub fn training_output(&self, id: &str, output: &str) -> Option<String> {
        self.stage(id).map(|s| format!("{}.{output}", s.name))
    }

    /// Rows and columns of vision cells, from the fusion's settings.
    #[must_use]
    pub fn grid(&self) -> [usize; 2] {
        let listed = self
            .stage("fusion")
            .and_then(|s| serde_json::from_value(s.settings.get("grid")?.clone()).ok());
        listed.unwrap_or([24, 32])
    }
}
