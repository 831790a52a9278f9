//! Why a library is not admitted.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a library may not be loaded, or a lock file not be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// A file could not be read or written.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried, as in `read`.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Anybody may write to the library, or exchange it.
    #[error("{}: anybody may write to {}, so nobody knows what it holds\nhelp: chmod o-w {}", path.display(), writable.display(), writable.display())]
    WorldWritable {
        /// The library.
        path: PathBuf,
        /// The file or folder that anybody may write to.
        writable: PathBuf,
    },
    /// The library is not where it was looked for.
    #[error("{}: expected a library inside {}, it leads to {}\nhelp: put the library itself there, or add its own folder to `[plugins] paths`", path.display(), folder.display(), target.display())]
    Outside {
        /// The library.
        path: PathBuf,
        /// The folder that was searched.
        folder: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// No file.
    #[error("{}: expected a file with a library, got something else", path.display())]
    NotAFile {
        /// The library.
        path: PathBuf,
    },
    /// The library is not the one that was locked.
    #[error("{}: library `{library}` is not the one in {}: expected blake3 {expected}, got {got}\nhelp: if you changed it on purpose, `vola plugin lock {}` locks the new one", path.display(), lock.display(), path.display())]
    Changed {
        /// Its name.
        library: String,
        /// The library.
        path: PathBuf,
        /// The lock file.
        lock: PathBuf,
        /// Hash in the lock file.
        expected: String,
        /// Hash of the file.
        got: String,
    },
    /// The lock file does not list the library.
    #[error("{}: library `{library}` (blake3 {got}) is not in {}\nhelp: if you trust it, `vola plugin lock {}` adds it; `--allow-unlocked` lets it in for one run", path.display(), lock.display(), path.display())]
    NotListed {
        /// Its name, as its file tells it.
        library: String,
        /// The library.
        path: PathBuf,
        /// The lock file.
        lock: PathBuf,
        /// Hash of the file.
        got: String,
    },
    /// Keys are configured, and the library has no signature.
    #[error("{}: library `{library}` has no signature, and `[plugins] keys` asks for one\nhelp: sign it (`minisign -S -m {}`), then `vola plugin lock {}`", path.display(), path.display(), path.display())]
    Unsigned {
        /// Its name.
        library: String,
        /// The library.
        path: PathBuf,
    },
    /// The signature is of another file or another key.
    #[error("{}: library `{library}`: its signature is refused: {reason}\nhelp: sign the library with a key whose public half is in `[plugins] keys`, then `vola plugin lock {}`", path.display(), path.display())]
    Signature {
        /// Its name.
        library: String,
        /// The library.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A public key is no key.
    #[error(
        "[plugins] keys: expected a minisign public key (base64, begins with `RW`), got `{got}`: {reason}"
    )]
    Key {
        /// The text.
        got: String,
        /// Why.
        reason: String,
    },
    /// The library was exchanged after it was checked.
    #[error("{}: the library changed after it was checked\nhelp: start again; a build may have been running", path.display())]
    Exchanged {
        /// The library.
        path: PathBuf,
    },
    /// A library calls itself otherwise than its entry.
    #[error("{}: the lock file calls it {expected}, it calls itself {got}\nhelp: `vola plugin lock` writes the entry anew", path.display())]
    Identity {
        /// The library.
        path: PathBuf,
        /// Name and version in the lock file.
        expected: String,
        /// Name and version in its manifest.
        got: String,
    },
    /// The lock file has a fault.
    #[error("{}: {key}: expected {expected}, got {got}\nhelp: `vola plugin lock` writes the file anew", file.display())]
    Lock {
        /// The lock file.
        file: PathBuf,
        /// Where in it.
        key: String,
        /// What would be right.
        expected: &'static str,
        /// What was there.
        got: String,
    },
}

impl TrustError {
    pub(crate) fn io<'a>(
        path: &'a Path,
        action: &'static str,
    ) -> impl FnOnce(io::Error) -> Self + 'a {
        move |source| Self::Io {
            path: path.to_owned(),
            action,
            source,
        }
    }
}
