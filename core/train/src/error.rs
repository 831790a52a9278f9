//! The one error type of this crate.

use std::path::PathBuf;

use vola_nn::NnError;

/// Why training or its data failed.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A network could not be built or run.
    #[error(transparent)]
    Network(#[from] NnError),
    /// The policy's `policy.toml` cannot be read or has faults.
    #[error(transparent)]
    Policy(#[from] vola_bundle::BundleError),
    /// A tensor operation of a loss failed.
    #[error("loss: {0}")]
    Loss(#[from] candle_core::Error),
    /// The configuration has a wrong value or an unknown key.
    #[error("{path}: {key}: {reason}\nhelp: {help}")]
    Config {
        /// The configuration file.
        path: PathBuf,
        /// Key path, for example `optimizer.clip`; empty for the whole file.
        key: String,
        /// What is wrong: expected and got.
        reason: String,
        /// What to do next.
        help: &'static str,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A shard of demonstrations is damaged or does not fit the others.
    #[error("{path}: {reason}\nhelp: record the shard again, or remove it and its .json file")]
    Shard {
        /// The shard.
        path: PathBuf,
        /// What is wrong: tensor, expected, got.
        reason: String,
    },
    /// A LeRobot data set is damaged, or is not what the policy needs.
    #[error("{path}: {place}: {reason}\nhelp: {help}")]
    Dataset {
        /// The file.
        path: PathBuf,
        /// Key, column, row or frame at fault.
        place: String,
        /// What is wrong: expected and got.
        reason: String,
        /// What to do next.
        help: &'static str,
    },
    /// A file of a data set cannot be read.
    #[error(transparent)]
    Recording(#[from] vola_recorder::RecorderError),
    /// An episode handed to the shard writer is not usable.
    #[error("episode {index}: {field}: {reason}")]
    Episode {
        /// Number of the episode, from 0.
        index: usize,
        /// The field at fault.
        field: &'static str,
        /// Expected and got.
        reason: String,
    },
    /// There is nothing to train on.
    #[error(
        "no frames for {purpose} in {folders:?}\nhelp: record demonstrations with `vola record --expert`; two episodes are the least"
    )]
    NoFrames {
        /// Training or validation.
        purpose: &'static str,
        /// Where they were looked for.
        folders: Vec<PathBuf>,
    },
    /// A saved state belongs to another network or configuration.
    #[error("{path}: {reason}\nhelp: remove the file to start anew")]
    Resume {
        /// The saved state.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// The loss became NaN or infinite.
    #[error(
        "step {step}: the loss is {loss}\nhelp: lower `optimizer.learning_rate`; the last checkpoint is kept"
    )]
    Diverged {
        /// The step.
        step: u64,
        /// The loss.
        loss: f64,
    },
    /// A worker thread could not be started, or ended by a panic.
    #[error("worker {worker}: {reason}")]
    Worker {
        /// Number of the worker.
        worker: usize,
        /// What happened.
        reason: String,
    },
    /// A picture could not be written.
    #[error("{path}: {source}")]
    Picture {
        /// The picture.
        path: PathBuf,
        /// The encoder's reason.
        source: png::EncodingError,
    },
}

impl TrainError {
    /// An [`TrainError::Io`] for `path`.
    pub(crate) fn io(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io {
            path: path.to_path_buf(),
            source,
        }
    }
}
