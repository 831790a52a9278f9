//! A bundle folder: manifest, statistics, weights.

use std::path::{Path, PathBuf};

use crate::error::BundleError;
use crate::hash::hash_folder;
use crate::manifest::{EmbodimentBinding, Manifest, NormaliseMode, PostStep, PreStep, Stage};
use crate::postprocess::Postprocessor;
use crate::preprocess::Preprocessor;
use crate::problem::{Problems, Reporter};
use crate::stats::Statistics;

/// Name of the manifest in a bundle folder.
pub const MANIFEST_FILE: &str = "policy.toml";

/// An opened bundle: a folder whose manifest is sound and whose files exist.
#[derive(Clone, Debug)]
pub struct Bundle {
    folder: PathBuf,
    manifest: Manifest,
}

/// What prepares and finishes a policy's numbers for one robot.
#[derive(Debug)]
pub struct Processors {
    /// Observation → stage inputs.
    pub preprocessor: Preprocessor,
    /// Head output → action chunks.
    pub postprocessor: Postprocessor,
}

impl Bundle {
    /// Reads the manifest of a folder and checks that the files it names exist.
    ///
    /// # Errors
    /// All faults of the manifest, then all files that are missing.
    pub fn open(folder: &Path) -> Result<Self, BundleError> {
        let manifest = Manifest::load(&folder.join(MANIFEST_FILE))?;
        let mut problems = Problems::default();
        let mut reporter = Reporter::new(manifest.file(), &mut problems);
        let mut exists = |path: &Path, key: String, help: &str| {
            if !folder.join(path).is_file() {
                let got = format!("no file at {}", folder.join(path).display());
                reporter.report_with_help(key, (format!("`{}`", path.display()), got), help);
            }
        };
        for (index, stage) in manifest.stages().iter().enumerate() {
            if let Some(weights) = stage.weights() {
                let key = format!("stage[{index}].weights.file");
                exists(
                    weights.file(),
                    key,
                    "the bundle is without weights: copy it again",
                );
            }
        }
        for (index, one) in manifest.embodiments().iter().enumerate() {
            if let Some(stats) = one.stats() {
                let key = format!("embodiment[{index}].stats");
                exists(
                    stats,
                    key,
                    "the bundle is without statistics: copy or train it again",
                );
            }
        }
        BundleError::check(problems)?;
        Ok(Self {
            folder: folder.to_owned(),
            manifest,
        })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The checked manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The path of a stage's weights, if it has any.
    #[must_use]
    pub fn weights_path(&self, stage: &Stage) -> Option<PathBuf> {
        stage
            .weights()
            .map(|weights| self.folder.join(weights.file()))
    }

    /// The statistics of one robot; none when its table names no file.
    ///
    /// # Errors
    /// When the file is missing, damaged, or holds a number that cannot be
    /// normalised with.
    pub fn statistics(
        &self,
        binding: &EmbodimentBinding,
    ) -> Result<Option<Statistics>, BundleError> {
        binding
            .stats()
            .map(|path| Statistics::load(&self.folder.join(path)))
            .transpose()
    }

    /// Checks that every step finds its statistics.
    ///
    /// # Errors
    /// As [`processors`](Self::processors).
    pub fn check_statistics(&self, binding: &EmbodimentBinding) -> Result<(), BundleError> {
        self.processors(binding).map(|_processors| ())
    }

    /// Compiles the steps of one robot.
    ///
    /// # Errors
    /// When a step needs statistics that the bundle does not hold.
    pub fn processors(&self, binding: &EmbodimentBinding) -> Result<Processors, BundleError> {
        let statistics = self.statistics(binding)?;
        if statistics.is_none() && self.needs_statistics() {
            let mut problems = Problems::default();
            let key = format!("embodiment ({}).stats", binding.id());
            Reporter::new(self.manifest.file(), &mut problems).report_with_help(
                key,
                ("a statistics file, since steps normalise", "nothing"),
                "the bundle is without statistics: train or import it again",
            );
            return Err(BundleError::Invalid(problems));
        }
        let statistics = statistics.as_ref();
        Ok(Processors {
            preprocessor: Preprocessor::new(&self.manifest, binding, statistics)?,
            postprocessor: Postprocessor::new(&self.manifest, binding, statistics)?,
        })
    }

    /// The blake3 hash of the folder's content.
    ///
    /// # Errors
    /// As [`hash_folder`].
    pub fn hash(&self) -> Result<String, BundleError> {
        hash_folder(&self.folder)
    }

    fn needs_statistics(&self) -> bool {
        let before = self.manifest.preprocess().iter().any(|step| {
            matches!(step, PreStep::Normalise { mode, .. } if *mode != NormaliseMode::Identity)
        });
        let after = self.manifest.postprocess().iter().any(|step| {
            matches!(step, PostStep::Denormalise { mode, .. } if *mode != NormaliseMode::Identity)
        });
        before || after
    }
}
