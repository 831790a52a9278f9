//! The one error type of the runtime.

use std::path::PathBuf;

use vola_abi::{FaultKind, LoadError};
use vola_bundle::BundleError;
use vola_isolation::{IsolationError, TrustError};
use vola_motion::MotionError;
use vola_types::{DescriptionFault, PluginId, PluginKind};

/// Why the runtime could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// A library is not a plugin this host can use.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A library may not be loaded.
    #[error(transparent)]
    Trust(Box<TrustError>),
    /// A plugin cannot have a process of its own.
    #[error(transparent)]
    Isolation(Box<IsolationError>),
    /// The process of a plugin was lost in a call; a new one follows.
    #[error("{who}: {reason}")]
    ChildLost {
        /// Plugin or stage.
        who: String,
        /// How, and what follows.
        reason: String,
    },
    /// The handoff does not allow it.
    #[error(transparent)]
    Handoff(#[from] crate::RefusedEvent),
    /// The calibration of a bundle's confidence cannot be used.
    #[error("{}: {reason}", path.display())]
    Calibration {
        /// The file.
        path: PathBuf,
        /// Expected versus got, and what to do.
        reason: String,
    },
    /// A library's manifest is not understood.
    #[error("{}: its manifest is not understood: {reason}\nhelp: rebuild the plugin with the vola-plugin SDK of this Vola", path.display())]
    Manifest {
        /// The library.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// No library offers the plugin.
    #[error("plugin `{id}` was not found\n  looked in: {}\n  found: {}\nhelp: build it (`cargo build --workspace`), or name it or its folder in `[plugins] paths`", list(searched), found.join(", "))]
    MissingPlugin {
        /// The plugin wanted.
        id: PluginId,
        /// Folders and files searched.
        searched: Vec<PathBuf>,
        /// Ids found there.
        found: Vec<String>,
    },
    /// The plugin is there, but of another kind.
    #[error("plugin `{id}`: expected a plugin of kind {expected}, it is of kind {got}")]
    WrongKind {
        /// The plugin.
        id: PluginId,
        /// Kind wanted.
        expected: String,
        /// Kind found.
        got: PluginKind,
    },
    /// The plugin's version does not fit.
    #[error(
        "plugin `{id}`: stage `{stage}` asks for version {expected}, found {got}\nhelp: build the version that the bundle was trained with"
    )]
    WrongVersion {
        /// The plugin.
        id: PluginId,
        /// The stage that wants it.
        stage: String,
        /// Version requirement.
        expected: String,
        /// Version found.
        got: String,
    },
    /// A plugin's answer was a fault.
    #[error("{who}: `{entry}` failed: {message}")]
    Plugin {
        /// Plugin or stage.
        who: String,
        /// The entry that was called.
        entry: &'static str,
        /// Kind of the fault.
        kind: FaultKind,
        /// The plugin's own words.
        message: String,
    },
    /// A stage's outputs are not what the bundle says.
    #[error("stage `{stage}` (plugin `{id}`): {reason}")]
    StageOutput {
        /// The stage.
        stage: String,
        /// Its plugin.
        id: PluginId,
        /// Expected versus got.
        reason: String,
    },
    /// The robot describes itself wrongly.
    #[error(
        "embodiment `{id}`: its description is refused:{}",
        faults_text(faults)
    )]
    Description {
        /// The embodiment.
        id: PluginId,
        /// Every fault.
        faults: Vec<DescriptionFault>,
    },
    /// The bundle, the deployment or a handshake.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// Kinematics or limits.
    #[error(transparent)]
    Motion(#[from] MotionError),
    /// The robot cannot keep what the deployment asks for.
    #[error("{key}: {source}")]
    Safety {
        /// Key of the deployment.
        key: &'static str,
        /// Expected versus got.
        source: MotionError,
    },
    /// A file is no recording of a control loop that can be replayed.
    #[error("{}: {reason}\nhelp: name a file that `--record-control FILE` of this version wrote", path.display())]
    Recording {
        /// The file.
        path: PathBuf,
        /// Expected versus got.
        reason: String,
    },
    /// The robot has no such part.
    #[error("embodiment `{id}` has no {part}\nhelp: {help}")]
    MissingPart {
        /// The embodiment.
        id: PluginId,
        /// The part.
        part: String,
        /// What to do.
        help: &'static str,
    },
    /// The measured state cannot be used.
    #[error("embodiment `{id}`: state frame: {reason}")]
    State {
        /// The embodiment.
        id: PluginId,
        /// Expected versus got.
        reason: String,
    },
    /// The safety layer stopped the robot; it stays stopped until a reset.
    #[error("the robot was stopped: {reason}")]
    Stopped {
        /// The cause.
        reason: String,
    },
    /// A camera's pictures cannot be believed.
    #[error(
        "camera `{camera}`: {reason}\nhelp: look at its cable and its plugin's log; `safety.camera_deadline_ms` says how old a picture may be"
    )]
    Camera {
        /// The camera.
        camera: String,
        /// What is wrong.
        reason: String,
    },
    /// A primitive that cannot be run as asked.
    #[error("primitive `{op}`: {reason}")]
    Primitive {
        /// The op.
        op: &'static str,
        /// Why.
        reason: String,
    },
    /// A file of the run could not be written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

fn list(folders: &[PathBuf]) -> String {
    let folders: Vec<String> = folders
        .iter()
        .map(|folder| folder.display().to_string())
        .collect();
    folders.join(", ")
}

fn faults_text(faults: &[DescriptionFault]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}

impl From<TrustError> for RuntimeError {
    fn from(error: TrustError) -> Self {
        Self::Trust(Box::new(error))
    }
}

impl From<IsolationError> for RuntimeError {
    fn from(error: IsolationError) -> Self {
        Self::Isolation(Box::new(error))
    }
}
