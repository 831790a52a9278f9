//! The checked policy manifest.
//!
//! `policy.toml` is read into a [`RawManifest`], which may say anything, and
//! checked into a [`Manifest`], which only exists when every name resolves,
//! every number is in its range and the stage graph is sound. Only the checked
//! type reaches the runtime. The alternative, checking where a value is used,
//! finds faults one at a time and after the robot was opened.

mod check;
mod check_steps;
mod contract;
mod features;
mod raw;
mod steps;

use std::path::Path;

use crate::error::BundleError;
use crate::files::read_toml_text;
use crate::graph::StageGraph;
use crate::problem::Problems;

pub(crate) use check_steps::GOAL;
pub use contract::{
    ActionContract, CameraContract, EmbodimentBinding, ExecutionHints, ExecutionMode, Perception,
    ProgressRule, Stage, StateContract, Weights,
};
pub use raw::{
    RawAction, RawCamera, RawEmbodiment, RawHints, RawManifest, RawPerception, RawProgress,
    RawStage, RawState, RawStep, RawWeights,
};
pub use steps::{Anchor, ImageSize, NormaliseMode, PostStep, PreStep, ResizeFit, ResizeMethod};

/// A policy manifest whose names, numbers and graph are sound.
#[derive(Clone, Debug)]
pub struct Manifest {
    file: String,
    name: String,
    summary: String,
    graph: StageGraph,
    embodiments: Vec<EmbodimentBinding>,
    preprocess: Vec<PreStep>,
    postprocess: Vec<PostStep>,
    perception: Option<Perception>,
    progress: Option<ProgressRule>,
    hints: ExecutionHints,
    side_outputs: Vec<String>,
}

impl Manifest {
    /// Reads and checks the `policy.toml` at `path`.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML, or has any fault; all faults
    /// are in the one error.
    pub fn load(path: &Path) -> Result<Self, BundleError> {
        Self::parse(&read_toml_text(path)?, &path.display().to_string())
    }

    /// Checks the text of a `policy.toml`; `file` is the name shown to people.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn parse(text: &str, file: &str) -> Result<Self, BundleError> {
        let mut problems = Problems::default();
        let raw = RawManifest::parse(text, file, &mut problems)?;
        check::check(&raw, file, problems)
    }

    /// Checks what a program put together; `file` is the name shown to people.
    ///
    /// # Errors
    /// All faults found.
    pub fn from_raw(raw: &RawManifest, file: &str) -> Result<Self, BundleError> {
        check::check(raw, file, Problems::default())
    }

    /// The file, as shown to people.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Name for people; may be empty.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One line for people; may be empty.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// The stages and how they are wired.
    #[must_use]
    pub fn graph(&self) -> &StageGraph {
        &self.graph
    }

    /// The stages, in the order of the file.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        self.graph.stages()
    }

    /// The stage with this name.
    #[must_use]
    pub fn stage(&self, name: &str) -> Option<&Stage> {
        self.stages().iter().find(|stage| stage.name() == name)
    }

    /// The robots this bundle was trained for.
    #[must_use]
    pub fn embodiments(&self) -> &[EmbodimentBinding] {
        &self.embodiments
    }

    /// What the bundle says of one robot.
    ///
    /// # Errors
    /// When the bundle was not trained for it.
    pub fn embodiment(&self, id: &str) -> Result<&EmbodimentBinding, BundleError> {
        self.embodiments
            .iter()
            .find(|one| one.id().to_string() == id)
            .ok_or_else(|| BundleError::UnknownEmbodiment {
                file: self.file.clone(),
                id: id.to_owned(),
                known: crate::wording::quoted(self.embodiments.iter().map(|one| one.id())),
            })
    }

    /// Steps from the observation to the stage inputs, in order.
    #[must_use]
    pub fn preprocess(&self) -> &[PreStep] {
        &self.preprocess
    }

    /// Steps from the head's output to physical actions, in order.
    #[must_use]
    pub fn postprocess(&self) -> &[PostStep] {
        &self.postprocess
    }

    /// The stage that finds objects, if any.
    #[must_use]
    pub fn perception(&self) -> Option<&Perception> {
        self.perception.as_ref()
    }

    /// The stage that tells done and failing, if any.
    #[must_use]
    pub fn progress(&self) -> Option<&ProgressRule> {
        self.progress.as_ref()
    }

    /// How the policy is best executed.
    #[must_use]
    pub fn hints(&self) -> &ExecutionHints {
        &self.hints
    }

    /// Outputs kept for people although no stage reads them.
    #[must_use]
    pub fn side_outputs(&self) -> &[String] {
        &self.side_outputs
    }
}
