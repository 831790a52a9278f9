//! A library's checked bytes in memory that nobody can change any more.
//!
//! Every image stays open for the life of the process. The system's loader
//! knows a library by the name it was opened under, and an image's name is the
//! number of its descriptor: were one closed, its number would be used again
//! and the loader would return the earlier library for the later one.

use std::path::{Path, PathBuf};

use super::TrustError;

/// A sealed copy of a library.
#[derive(Clone, Debug)]
pub struct SealedImage {
    path: PathBuf,
    #[cfg(target_os = "linux")]
    memory: std::sync::Arc<crate::sys::Memfd>,
}

#[cfg(target_os = "linux")]
static IMAGES: std::sync::Mutex<Vec<(blake3::Hash, SealedImage)>> =
    std::sync::Mutex::new(Vec::new());

impl SealedImage {
    /// The sealed copy of `bytes`, made at first use; none on systems that
    /// have no such memory. `hash` is the bytes' own.
    ///
    /// # Errors
    /// When the system gives no memory.
    #[cfg(target_os = "linux")]
    pub fn of(bytes: &[u8], hash: blake3::Hash, path: &Path) -> Result<Option<Self>, TrustError> {
        let mut images = IMAGES
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, image)) = images.iter().find(|(known, _)| *known == hash) {
            return Ok(Some(image.clone()));
        }
        let memory = crate::sys::Memfd::sealed("vola-plugin", bytes)
            .map_err(TrustError::io(path, "copy into sealed memory"))?;
        let image = Self {
            path: memory.path(),
            memory: std::sync::Arc::new(memory),
        };
        images.push((hash, image.clone()));
        Ok(Some(image))
    }

    /// None: this system has no sealed memory.
    ///
    /// # Errors
    /// Never.
    #[cfg(not(target_os = "linux"))]
    pub fn of(_: &[u8], _: blake3::Hash, _: &Path) -> Result<Option<Self>, TrustError> {
        Ok(None)
    }

    /// What the system's loader opens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The memory itself, to be passed to a child.
    #[cfg(target_os = "linux")]
    pub(crate) fn memory(&self) -> &crate::sys::Memfd {
        &self.memory
    }
}
