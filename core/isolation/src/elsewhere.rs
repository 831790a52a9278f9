//! Systems without isolation: the same names, and an error that says so.

use std::{
    convert::Infallible,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use vola_abi::{EmbodimentBox, StageBox};

use crate::{AdmittedLibrary, Servicing, TrustError};

/// The argument that makes `vola` a plugin host.
pub const HOST_ARGUMENT: &str = "plugin-host";

/// Called when a child ends that should not have; never here.
pub type Alarm = Arc<dyn Fn(&ChildEnd) + Send + Sync>;

/// A child that ended; there are none here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildEnd {
    /// The library, and the plugin in it.
    pub who: String,
    /// How it ended, in words.
    pub how: String,
    /// When it was noticed.
    pub at: Instant,
}

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

/// Why a plugin cannot be isolated.
#[derive(Debug, thiserror::Error)]
pub enum IsolationError {
    /// This system has no isolation.
    #[error("{}: plugins run in a process of their own on Linux only\nhelp: remove it from `[plugins.isolation]`, and lock every library", path.display())]
    Unsupported {
        /// The library.
        path: PathBuf,
    },
    /// The library's bytes are not those that were admitted.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

/// Memory that children read in place; there are none here.
#[derive(Clone, Debug)]
pub struct SharedPool;

impl SharedPool {
    /// A pool that nobody reads.
    ///
    /// # Errors
    /// Never.
    pub fn new(_: usize) -> io::Result<Self> {
        Ok(Self)
    }

    /// Refuses.
    ///
    /// # Errors
    /// Always.
    pub fn buffer(&self, _: usize) -> io::Result<PoolBuffer> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// A room without buffers.
    #[must_use]
    pub fn pictures(&self) -> PictureRoom {
        PictureRoom
    }
}

/// Where the pictures of a robot are written; nowhere here.
#[derive(Clone, Debug)]
pub struct PictureRoom;

impl PictureRoom {
    /// Refuses.
    ///
    /// # Errors
    /// Always.
    pub fn buffer(&self, _: usize) -> io::Result<PoolBuffer> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// None.
    #[must_use]
    pub fn copied(&self) -> u64 {
        0
    }
}

/// A buffer of the pool; there is none here.
#[derive(Debug)]
pub struct PoolBuffer {
    never: Infallible,
}

impl std::ops::Deref for PoolBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self.never {}
    }
}

impl std::ops::DerefMut for PoolBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self.never {}
    }
}

/// A hosted library; none can be made here.
#[derive(Clone)]
pub struct HostSpec {
    never: Infallible,
}

impl HostSpec {
    /// Refuses.
    ///
    /// # Errors
    /// Always.
    pub fn new(
        _: &Path,
        library: &AdmittedLibrary,
        _: SharedPool,
        _: ChildLimits,
        _: Alarm,
    ) -> Result<Self, IsolationError> {
        Err(IsolationError::Unsupported {
            path: library.path.clone(),
        })
    }

    /// Cannot be called.
    #[must_use]
    pub fn serviced(self, _: Servicing) -> Self {
        match self.never {}
    }

    /// Cannot be called.
    #[must_use]
    pub fn reading(&self, _: &Path) -> Self {
        match self.never {}
    }

    /// Cannot be called.
    ///
    /// # Errors
    /// Never.
    pub fn manifest(&self) -> Result<(String, String), IsolationError> {
        match self.never {}
    }
}

/// A stage in a child; none can be made here.
pub struct IsolatedStage {
    never: Infallible,
}

impl IsolatedStage {
    /// Cannot be called.
    ///
    /// # Errors
    /// Never.
    pub fn start(spec: &HostSpec, _: &str) -> Result<Self, IsolationError> {
        match spec.never {}
    }

    /// Cannot be called.
    #[must_use]
    pub fn into_box(self) -> StageBox {
        match self.never {}
    }

    /// Cannot be called.
    #[must_use]
    pub fn health(&self) -> Arc<ChildHealth> {
        match self.never {}
    }

    /// Cannot be called.
    #[must_use]
    pub fn level(&self) -> &str {
        match self.never {}
    }
}

/// A robot in a child; none can be made here.
pub struct IsolatedEmbodiment {
    never: Infallible,
}

impl IsolatedEmbodiment {
    /// Cannot be called.
    ///
    /// # Errors
    /// Never.
    pub fn start(spec: &HostSpec, _: &str, _: &Path) -> Result<Self, IsolationError> {
        match spec.never {}
    }

    /// Cannot be called.
    #[must_use]
    pub fn pictures(&self) -> PictureRoom {
        match self.never {}
    }

    /// Cannot be called.
    #[must_use]
    pub fn level(&self) -> String {
        match self.never {}
    }

    /// Cannot be called.
    #[must_use]
    pub fn motion_log(&self) -> &Path {
        match self.never {}
    }

    /// Cannot be called.
    #[must_use]
    pub fn into_box(self) -> EmbodimentBox {
        match self.never {}
    }
}

/// What became of children; there are none here.
#[derive(Debug, Default)]
pub struct ChildHealth;

impl ChildHealth {
    /// None.
    #[must_use]
    pub fn losses(&self) -> u32 {
        0
    }

    /// Never.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        false
    }
}

/// Refuses.
///
/// # Errors
/// Always.
pub fn serve_plugin_host() -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}
