//! The error type of this crate.

use std::path::{Path, PathBuf};

/// Why a model could not be trained, loaded or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LanguageModelError {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A configuration has a wrong value or an unknown key.
    #[error("{path}: {reason}")]
    Config {
        /// The file.
        path: PathBuf,
        /// Key, expected and got.
        reason: String,
    },
    /// The tokenizer cannot be used.
    #[error("tokenizer: {reason}")]
    Tokenizer {
        /// What is wrong.
        reason: String,
    },
    /// Weights cannot be read or written.
    #[error("{path}: {reason}")]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A model cannot be used.
    #[error("{path}: {reason}")]
    Model {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong: expected and got.
        reason: String,
    },
    /// A prompt cannot be read by the model.
    #[error("prompt: expected {expected}, got {got}")]
    Prompt {
        /// What a prompt must be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// A model could not be opened before, and is not tried again.
    #[error("{reason}")]
    Unusable {
        /// What was said then.
        reason: String,
    },
    /// A grammar cannot be decoded under.
    #[error("grammar: {reason}")]
    Grammar {
        /// What is wrong.
        reason: String,
    },
    /// It was given up: time was over, or nobody waited any more.
    #[error("given up before it was done")]
    Interrupted,
    /// The phrase book has a fault.
    #[error("phrase book: {0}")]
    Phrases(#[from] vola_phrasebook::BookError),
    /// A network could not be built.
    #[error(transparent)]
    Network(#[from] Box<vola_nn::NnError>),
    /// Training failed.
    #[error(transparent)]
    Training(#[from] Box<vola_train::TrainError>),
    /// A tensor operation failed.
    #[error("tensors: {0}")]
    Tensor(#[from] Box<candle_core::Error>),
}

impl LanguageModelError {
    /// A [`LanguageModelError::File`] for `path`.
    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::File {
            path: path.to_path_buf(),
            source,
        }
    }
}

macro_rules! boxed {
    ($($error:ty),*) => {
        $(impl From<$error> for LanguageModelError {
            fn from(error: $error) -> Self {
                Box::new(error).into()
            }
        })*
    };
}

// Large errors of others lie behind a pointer, so that results stay small.
boxed!(vola_nn::NnError, vola_train::TrainError, candle_core::Error);
