//! A bundle folder: manifest, statistics, weights.

use std::path::{Path, PathBuf};

use crate::error::BundleError;
use crate::files::{MAX_STATISTICS_BYTES, read_bounded, read_text};
use crate::hash::hash_files;
use crate::manifest::{EmbodimentBinding, Manifest, NormaliseMode, PostStep, PreStep, Stage};
use crate::postprocess::Postprocessor;
use crate::preprocess::Preprocessor;
use crate::problem::{Problems, Reporter};
use crate::safetensors_file::read_safetensors;
use crate::stats::Statistics;
use crate::versions::VERSIONS;

/// Name of the manifest in a bundle folder.
pub const MANIFEST_FILE: &str = "policy.toml";
/// Name of the calibration of the confidence in a bundle folder.
pub const CALIBRATION_FILE: &str = "calibration.json";
/// Largest calibration (bytes): a hundred times that of a thousand episodes.
const MAX_CALIBRATION_BYTES: u64 = 16 << 20;
/// What the files with statistics for the confidence begin with.
pub const CONFIDENCE_STATS: &str = "stats/confidence";

/// Folder of a bundle for examples that its heads are fine-tuned with.
pub const REPLAY: &str = "replay";

/// Whether a file is part of the bundle itself.
fn is_own(path: &str) -> bool {
    let top = path.split('/').next();
    top != Some(VERSIONS) && top != Some(REPLAY)
}

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

    /// The blake3 hash of the folder's content, without what grew beside it since: versions, and
    /// the examples that they are made from.
    ///
    /// # Errors
    /// As [`hash_folder`](crate::hash_folder).
    pub fn hash(&self) -> Result<String, BundleError> {
        hash_files(&self.folder, is_own)
    }

    /// The hash of what the policy is made of: the folder's content without the
    /// calibration of its confidence, which names this hash.
    ///
    /// # Errors
    /// As [`hash_folder`](crate::hash_folder).
    pub fn policy_hash(&self) -> Result<String, BundleError> {
        hash_files(&self.folder, |path| {
            is_own(path) && path != CALIBRATION_FILE && !path.starts_with(CONFIDENCE_STATS)
        })
    }

    /// The text of the calibration; none where the bundle has not got one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn calibration(&self) -> Result<Option<String>, BundleError> {
        let path = self.folder.join(CALIBRATION_FILE);
        if !path.exists() {
            return Ok(None);
        }
        read_text(&path, MAX_CALIBRATION_BYTES).map(Some)
    }

    /// Statistics of the head's input from a file of the bundle: its tensors
    /// `mean` and `whitening`, both f32.
    ///
    /// # Errors
    /// When the file lies outside of the bundle, cannot be read, or does not
    /// hold them.
    pub fn confidence_statistics(&self, file: &str) -> Result<[Vec<f32>; 2], BundleError> {
        let path = self.folder.join(file);
        let unreadable = |reason: String| BundleError::Io {
            path: path.clone(),
            action: "read",
            source: std::io::Error::other(reason),
        };
        if !file.starts_with(CONFIDENCE_STATS) || file.contains("..") {
            return Err(unreadable(format!("expected a file `{CONFIDENCE_STATS}…`")));
        }
        let bytes = read_bounded(&path, MAX_STATISTICS_BYTES)?;
        let tensors = read_safetensors(&bytes).map_err(|fault| unreadable(fault.to_string()))?;
        let floats = |name: &str| {
            let tensor = tensors
                .tensor(name)
                .map_err(|fault| unreadable(fault.to_string()))?;
            if tensor.dtype() != safetensors::Dtype::F32 {
                return Err(unreadable(format!("`{name}`: expected f32")));
            }
            let words = tensor.data().as_chunks::<4>().0;
            Ok(words.iter().map(|word| f32::from_le_bytes(*word)).collect())
        };
        Ok([floats("mean")?, floats("whitening")?])
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
