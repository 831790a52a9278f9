//! Which libraries may be loaded, decided before anything in them runs.
//!
//! Loading a library runs its initialisers, so every check reads the file as
//! data: who may write to it, whether it lies where it was looked for, and,
//! with a [lock file](PluginLock), whether it is the very file that was locked.
//! Bytes that were checked (without a lock: hashed, for the run's log and for
//! where it runs) are the bytes that are loaded: they are copied into
//! sealed memory and loaded from there, so a file that is exchanged after the
//! check changes nothing. Rejected: hashing the path and loading the path,
//! which leaves a gap between the two.
//!
//! Sealed memory needs Linux. Elsewhere a library is checked and then loaded
//! by its path, and the gap stays.

mod error;
mod place;
mod plugin_lock;
mod sealed_image;
mod signature;

use std::{
    io::Read,
    path::{Path, PathBuf},
};

pub use error::TrustError;
pub use plugin_lock::{LockedLibrary, PluginLock};
pub use sealed_image::SealedImage;
pub use signature::SigningKey;

/// What stands behind a library in the deployment's own lock file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its hash is in the lock file, and a configured key signed it.
    Signed,
    /// Its hash is in the lock file.
    Locked,
    /// Nothing: there is no lock file, or it was told to let this one in.
    Unlocked,
}

impl Standing {
    /// The word in the run log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Locked => "locked",
            Self::Unlocked => "unlocked",
        }
    }
}

/// The rules by which libraries are admitted.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    lock: Option<PluginLock>,
    keys: Vec<SigningKey>,
    allow_unlocked: bool,
}

/// A library that may be loaded.
#[derive(Clone, Debug)]
pub struct AdmittedLibrary {
    /// The file, as it was found.
    pub path: PathBuf,
    /// What the system's loader opens: a sealed copy, or the file itself.
    pub image: PathBuf,
    /// blake3 hash of the bytes.
    pub hash: blake3::Hash,
    /// What stands behind it.
    pub standing: Standing,
    /// Its entry in the lock file.
    pub entry: Option<LockedLibrary>,
}

impl Trust {
    /// Without a lock file: every library in the search folders is admitted
    /// that nobody but its owner may write to.
    #[must_use]
    pub fn without_lock() -> Self {
        Self::default()
    }

    /// With a lock file: only what it lists, and with `keys` only what one of
    /// them signed. `allow_unlocked` lets in libraries that it does not list.
    ///
    /// # Errors
    /// When the lock file cannot be read or has a fault, or a key is none.
    pub fn with_lock(
        lock: &Path,
        keys: &[String],
        allow_unlocked: bool,
    ) -> Result<Self, TrustError> {
        Ok(Self {
            lock: Some(PluginLock::read(lock)?),
            keys: keys
                .iter()
                .map(|key| SigningKey::parse(key))
                .collect::<Result<_, _>>()?,
            allow_unlocked,
        })
    }

    /// The lock file, where one is used.
    #[must_use]
    pub fn lock(&self) -> Option<&PluginLock> {
        self.lock.as_ref()
    }

    /// Whether libraries that the lock file does not list are let in.
    #[must_use]
    pub fn allows_unlocked(&self) -> bool {
        self.allow_unlocked
    }

    /// Checks the library `path`, found in `folder`. Nothing in it runs.
    ///
    /// # Errors
    /// [`TrustError`], which names the library, expected and got, and what to do.
    pub fn admit(&self, folder: &Path, path: &Path) -> Result<AdmittedLibrary, TrustError> {
        let mut file = place::open(folder, path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)
            .map_err(TrustError::io(path, "read"))?;
        let hash = blake3::hash(&bytes);
        let (entry, standing) = match &self.lock {
            None => (None, Standing::Unlocked),
            Some(lock) => match lock.find(hash) {
                Some(entry) => (Some(entry.clone()), self.signed(entry, path, &bytes)?),
                None => (None, self.unlisted(lock, path, hash)?),
            },
        };
        Ok(AdmittedLibrary {
            path: path.to_owned(),
            image: SealedImage::of(&bytes, hash, path)?
                .map_or_else(|| path.to_owned(), |image| image.path().to_owned()),
            hash,
            standing,
            entry,
        })
    }

    fn signed(
        &self,
        entry: &LockedLibrary,
        path: &Path,
        bytes: &[u8],
    ) -> Result<Standing, TrustError> {
        if self.keys.is_empty() {
            return Ok(Standing::Locked);
        }
        let Some(signature) = &entry.signature else {
            return Err(TrustError::Unsigned {
                library: entry.name.clone(),
                path: path.to_owned(),
            });
        };
        signature::verify(&self.keys, signature, bytes).map_err(|reason| {
            TrustError::Signature {
                library: entry.name.clone(),
                path: path.to_owned(),
                reason,
            }
        })?;
        Ok(Standing::Signed)
    }

    /// A library whose hash the lock does not hold. One that it lists under
    /// another hash was changed, and is never let in.
    fn unlisted(
        &self,
        lock: &PluginLock,
        path: &Path,
        got: blake3::Hash,
    ) -> Result<Standing, TrustError> {
        let name = usual_name(path);
        if let Some(entry) = lock.named(&name) {
            return Err(TrustError::Changed {
                library: name,
                path: path.to_owned(),
                lock: lock.file().to_owned(),
                expected: entry.blake3.clone(),
                got: got.to_hex().to_string(),
            });
        }
        if self.allow_unlocked {
            return Ok(Standing::Unlocked);
        }
        Err(TrustError::NotListed {
            library: name,
            path: path.to_owned(),
            lock: lock.file().to_owned(),
            got: got.to_hex().to_string(),
        })
    }
}

impl AdmittedLibrary {
    /// The library's name before it is loaded: as its entry says, else as its
    /// file tells it.
    #[must_use]
    pub fn expected_name(&self) -> String {
        self.entry
            .as_ref()
            .map_or_else(|| usual_name(&self.path), |entry| entry.name.clone())
    }

    /// Compares what the loaded library says of itself with its entry.
    ///
    /// # Errors
    /// When name or version are others than those that were locked.
    pub fn check_identity(&self, name: &str, version: &str) -> Result<(), TrustError> {
        match &self.entry {
            Some(entry) if entry.name != name || entry.version != version => {
                Err(TrustError::Identity {
                    path: self.path.clone(),
                    expected: format!("{} {}", entry.name, entry.version),
                    got: format!("{name} {version}"),
                })
            }
            _ => Ok(()),
        }
    }
}

/// The library's name as its file tells it: `heads` for `libheads.so`.
fn usual_name(path: &Path) -> String {
    let stem = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    stem.strip_prefix(std::env::consts::DLL_PREFIX)
        .map(ToOwned::to_owned)
        .unwrap_or(stem)
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
