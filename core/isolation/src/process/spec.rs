//! What children are started from.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use super::child::{Child, ChildEnd};
use crate::{
    AdmittedLibrary, SealedImage, Servicing, SharedPool, TrustError,
    wire::{Ask, Reader},
};

/// Called on a thread of its own when a child ends that should not have.
pub type Alarm = Arc<dyn Fn(&ChildEnd) + Send + Sync>;

/// What a child may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChildLimits {
    /// Longest time of one call.
    pub call: Duration,
    /// Longest time of loading, configuring and activating, each.
    pub start: Duration,
    /// Address space (bytes).
    pub memory_bytes: u64,
}

impl Default for ChildLimits {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(1),
            start: Duration::from_secs(60),
            memory_bytes: 8 << 30,
        }
    }
}

/// Why a plugin cannot be isolated, or its child be used.
#[derive(Debug, thiserror::Error)]
pub enum IsolationError {
    /// The system refused something that isolation needs.
    #[error("{}: cannot {action} for its process: {source}\nhelp: isolation needs Linux 5.3 or newer; `[plugins.isolation]` says what is isolated", path.display())]
    System {
        /// The library.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The child does not answer, or nonsense.
    #[error("{}: its process failed in `{entry}`: {reason}\nhelp: `vola plugin check {}` tries the library in this process", path.display(), path.display())]
    Child {
        /// The library.
        path: PathBuf,
        /// The call.
        entry: &'static str,
        /// What happened.
        reason: String,
    },
    /// The library's bytes are not those that were admitted.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

/// A library that is hosted in children, and how.
#[derive(Clone)]
pub struct HostSpec {
    pub(super) program: PathBuf,
    pub(super) library: PathBuf,
    pub(super) image: SealedImage,
    pub(super) pool: SharedPool,
    pub(super) limits: ChildLimits,
    /// Folders and files that a stage may read beside the system's own.
    pub(super) reads: Vec<PathBuf>,
    pub(super) alarm: Alarm,
    /// What a robot's child asks of the system.
    pub(super) servicing: Servicing,
}

impl HostSpec {
    /// Children of `program`, called with the one argument `plugin-host`, that
    /// load the admitted library from a sealed copy.
    ///
    /// # Errors
    /// When the copy cannot be made, or the file is another by now.
    pub fn new(
        program: &Path,
        library: &AdmittedLibrary,
        pool: SharedPool,
        limits: ChildLimits,
        alarm: Alarm,
    ) -> Result<Self, IsolationError> {
        let path = library.path.clone();
        let bytes = std::fs::read(&library.image).map_err(TrustError::io(&path, "read"))?;
        let got = blake3::hash(&bytes);
        if got != library.hash {
            return Err(TrustError::Exchanged { path }.into());
        }
        let image = SealedImage::of(&bytes, got, &path)?.ok_or_else(|| IsolationError::System {
            path: path.clone(),
            action: "make sealed memory",
            source: std::io::Error::from(std::io::ErrorKind::Unsupported),
        })?;
        // What lies beside a library may be libraries that it needs.
        let reads = path.parent().into_iter().map(Path::to_owned).collect();
        Ok(Self {
            program: program.to_owned(),
            library: path,
            image,
            pool,
            limits,
            reads,
            alarm,
            servicing: Servicing::default(),
        })
    }

    /// The same; robots without a simulated world are serviced so.
    #[must_use]
    pub fn serviced(mut self, servicing: Servicing) -> Self {
        self.servicing = servicing;
        self
    }

    /// The same, for a stage that may also read this folder: its bundle.
    #[must_use]
    pub fn reading(&self, folder: &Path) -> Self {
        let mut reading = self.clone();
        reading.reads.push(folder.to_owned());
        reading
    }

    /// The library's file.
    #[must_use]
    pub fn library(&self) -> &Path {
        &self.library
    }

    /// The library's manifest (JSON), as a child reads it: nothing of the
    /// library runs in this process. Beside it, in words, how far the child was
    /// confined.
    ///
    /// # Errors
    /// When no child can be started, or it fails.
    pub fn manifest(&self) -> Result<(String, String), IsolationError> {
        let mut child = Child::start(self, "", &[])?;
        let deadline = Instant::now() + self.limits.start;
        let ask = crate::wire::Writer::new(Ask::Manifest as u8);
        let reason = match child.ask(ask, deadline) {
            Ok(payload) => match Reader::new(&payload).text() {
                Ok(text) => return Ok((text.to_owned(), child.level().to_owned())),
                Err(malformed) => malformed.to_string(),
            },
            Err(trouble) => trouble.to_string(),
        };
        Err(IsolationError::Child {
            path: self.library.clone(),
            entry: Ask::Manifest.name(),
            reason,
        })
    }

    pub(super) fn system(
        &self,
        action: &'static str,
    ) -> impl FnOnce(std::io::Error) -> IsolationError {
        let path = self.library.clone();
        move |source| IsolationError::System {
            path,
            action,
            source,
        }
    }
}
