//! The one error type of this crate.

use std::path::{Path, PathBuf};

/// Why something could not be recorded, read or mended.
#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file of a data set is damaged, or is not what it should be.
    #[error("{path}: {place}: {reason}\nhelp: {help}")]
    Data {
        /// The file.
        path: PathBuf,
        /// Key, column, row or frame at fault.
        place: String,
        /// What is wrong: expected and got.
        reason: String,
        /// What to do next.
        help: &'static str,
    },
    /// The folder holds recordings of another robot, or made in another way.
    #[error(
        "{path}: {key}: the recordings here have {there}, this robot gives {here}\nhelp: record into another folder"
    )]
    Layout {
        /// The folder.
        path: PathBuf,
        /// What differs.
        key: String,
        /// In the folder.
        there: String,
        /// What would be recorded now.
        here: String,
    },
    /// Another program records into the folder.
    #[error("{path}: another program records here\nhelp: end it, or record into another folder")]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// A picture could not be encoded or decoded.
    #[error("{place}: {reason}")]
    Picture {
        /// Which picture.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// There is nothing to do it with.
    #[error("{path}: {reason}\nhelp: {help}")]
    Nothing {
        /// The folder or file.
        path: PathBuf,
        /// What is missing.
        reason: String,
        /// What to do next.
        help: &'static str,
    },
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, RecorderError>;

/// Help where the file itself is broken.
pub const DAMAGED: &str =
    "the file is damaged or was not finished; `vola dataset repair` mends own recordings";

impl RecorderError {
    /// An [`RecorderError::Io`] for `path`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io {
            path: path.to_path_buf(),
            source,
        }
    }
}

/// A [`RecorderError::Data`].
pub(crate) fn fault(
    path: &Path,
    place: impl Into<String>,
    reason: String,
    help: &'static str,
) -> RecorderError {
    RecorderError::Data {
        path: path.to_path_buf(),
        place: place.into(),
        reason,
        help,
    }
}
