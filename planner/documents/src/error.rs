//! What is wrong with documents: everything at once.

use std::path::{Path, PathBuf};

/// One thing that is wrong with one file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file or folder.
    pub path: PathBuf,
    /// Expected versus got.
    pub reason: String,
}

/// Documents that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentsError {
    /// Files or folders with faults; all of them.
    #[error("{}\nhelp: mend the files, or take them out of `[planner] documents`", told(.0))]
    Unreadable(Vec<Problem>),
    /// The index could not be made.
    #[error("the documents cannot be indexed: {0}")]
    Index(#[from] tantivy::TantivyError),
}

impl Problem {
    pub(crate) fn new(path: &Path, reason: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }
}

fn told(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| format!("{}: {}", problem.path.display(), problem.reason))
        .collect();
    lines.join("\n")
}
