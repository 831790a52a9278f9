//! The error of the command line and the exit code that follows from it.

use std::{io, path::PathBuf};

use vola_abi::FaultKind;
use vola_bundle::{BundleError, MANIFEST_FILE};
use vola_language_model::LanguageModelError;
use vola_planner::RecordError;
use vola_recorder::RecorderError;
use vola_runtime::RuntimeError;
use vola_train::TrainError;
use vola_types::{PluginIdError, SceneError};

use crate::plugin_new::PluginNewError;

/// Exit codes of every command; the one for an open question, 3, comes from
/// the run's own outcome.
pub(crate) mod exit {
    /// Done.
    pub(crate) const DONE: u8 = 0;
    /// An error.
    pub(crate) const ERROR: u8 = 1;
    /// Wrong usage, configuration or file.
    pub(crate) const USAGE: u8 = 2;
    /// The safety layer stopped the robot.
    pub(crate) const SAFETY: u8 = 4;
}

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A calibration of the confidence.
    #[error(transparent)]
    Calibration(Box<vola_confidence::CalibrationError>),
    /// The runtime could not start or go on.
    #[error(transparent)]
    Runtime(Box<RuntimeError>),
    /// A deployment, a bundle or a handshake.
    #[error(transparent)]
    Bundle(Box<BundleError>),
    /// Recording or training.
    #[error(transparent)]
    Train(Box<TrainError>),
    /// Recordings and data sets.
    #[error(transparent)]
    Recorder(Box<RecorderError>),
    /// A language model.
    #[error(transparent)]
    Language(#[from] LanguageModelError),
    /// The operator's page.
    #[error(transparent)]
    Console(#[from] vola_console::ConsoleError),
    /// The fault lab.
    #[error(transparent)]
    Lab(Box<vola_faults::LabError>),
    /// A lock file, or a library to be locked.
    #[error(transparent)]
    Trust(#[from] vola_isolation::TrustError),
    /// A plugin id on the command line.
    #[error(transparent)]
    PluginId(#[from] PluginIdError),
    /// A plugin crate could not be written.
    #[error(transparent)]
    PluginNew(#[from] PluginNewError),
    /// Documents that the planner shall read.
    #[error(transparent)]
    Documents(#[from] vola_documents::DocumentsError),
    /// A decision record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A scene file.
    #[error("{}: {source}", path.display())]
    Scene {
        /// The file.
        path: PathBuf,
        /// Why it was refused.
        source: SceneError,
    },
    /// An argument that means nothing here.
    #[error("{argument}: expected {expected}, got {got}\nhelp: {help}")]
    Argument {
        /// The argument, as typed.
        argument: String,
        /// What would be right.
        expected: String,
        /// What was given.
        got: String,
        /// What to do.
        help: String,
    },
    /// A command that later versions have.
    #[error("`vola {command}` is not in this version\nhelp: {help}")]
    NotInThisVersion {
        /// The command.
        command: String,
        /// What there is instead.
        help: String,
    },
    /// A file could not be read or written.
    #[error("{}: cannot {action}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, as in `read`.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A file's content cannot be used.
    #[error("{}: {reason}\nhelp: {help}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Expected versus got.
        reason: String,
        /// What to do.
        help: &'static str,
    },
    /// What the simulated world answered is not understood.
    #[error("the world of `{embodiment}`: its answer to `{entry}` is not understood: {source}")]
    World {
        /// The embodiment.
        embodiment: String,
        /// The call.
        entry: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A value could not be written as JSON.
    #[error("standard output: cannot write JSON: {0}")]
    Encoding(#[source] serde_json::Error),
    /// A picture or animation could not be encoded.
    #[error("{}: cannot encode the picture: {reason}", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The reader of standard output went away.
    #[error("standard output was closed")]
    ReaderGone,
    /// Standard output failed.
    #[error("standard output: {0}")]
    Stdout(#[source] io::Error),
    /// The terminal failed.
    #[error("terminal: {0}")]
    Terminal(#[source] rustyline::error::ReadlineError),
    /// A thread or a timer could not be had.
    #[error("cannot start {what}: {source}")]
    System {
        /// What was to be started.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A worker thread ended without a result.
    #[error(
        "worker {index} ended early; its message is above\nhelp: run again with `--workers 1 --log debug`"
    )]
    Worker {
        /// Which one.
        index: usize,
    },
    /// A plugin in this process does not return.
    #[error(
        "{who}: has not returned from `{entry}` for {seconds:.1} s: it hangs; {then}, and the program ends\nhelp: let it run in a process of its own ([plugins.isolation]); there it is ended and replaced"
    )]
    Hung {
        /// The stage or robot, with its plugin.
        who: String,
        /// The entry that was called.
        entry: &'static str,
        /// For how long.
        seconds: f64,
        /// What became of the arm.
        then: &'static str,
    },
    /// Checks that the command made did not all pass.
    #[error("{failed} of {all} checks failed; they are listed above")]
    Checks {
        /// How many failed.
        failed: usize,
        /// How many were made.
        all: usize,
        /// Exit code.
        code: u8,
    },
}

impl From<RuntimeError> for Failure {
    fn from(error: RuntimeError) -> Self {
        Self::Runtime(Box::new(error))
    }
}

impl From<BundleError> for Failure {
    fn from(error: BundleError) -> Self {
        Self::Bundle(Box::new(error))
    }
}

impl From<vola_faults::LabError> for Failure {
    fn from(error: vola_faults::LabError) -> Self {
        match error {
            vola_faults::LabError::Bundle(error) => error.into(),
            vola_faults::LabError::Runtime(error) => error.into(),
            error @ (vola_faults::LabError::Missing { .. } | vola_faults::LabError::Motion(_)) => {
                Self::Lab(Box::new(error))
            }
        }
    }
}

impl From<RecorderError> for Failure {
    fn from(error: RecorderError) -> Self {
        Self::Recorder(Box::new(error))
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        Self::Train(Box::new(error))
    }
}

impl Failure {
    /// A phrase book that is not understood.
    pub(crate) fn phrases(error: vola_phrasebook::BookError) -> Self {
        Self::Language(error.into())
    }

    /// The failure behind an error of standard output.
    pub(crate) fn from_stdout(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::ReaderGone
        } else {
            Self::Stdout(error)
        }
    }

    /// A calibration that cannot be used as asked, for `map_err`.
    pub(crate) fn calibration(error: vola_confidence::CalibrationError) -> Self {
        Self::Calibration(Box::new(error))
    }

    /// A function that names the file and what was tried, for `map_err`.
    pub(crate) fn file(
        path: impl Into<PathBuf>,
        action: &'static str,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            path,
            action,
            source,
        }
    }

    /// What to do about a file that is missing, where its own message does not
    /// say so.
    pub(crate) fn help(&self) -> Option<&'static str> {
        let error = match self {
            Self::Bundle(error) => error.as_ref(),
            Self::Runtime(error) => match error.as_ref() {
                RuntimeError::Bundle(error) => error,
                _ => return None,
            },
            _ => return None,
        };
        let BundleError::Io { path, source, .. } = error else {
            return None;
        };
        let is_bundle = path.file_name().is_some_and(|name| name == MANIFEST_FILE);
        (source.kind() == io::ErrorKind::NotFound).then_some(if is_bundle {
            "a bundle is a folder with this file; `vola train configs/train/tabletop.toml` makes the default one"
        } else {
            "name a deployment with `--config FILE`; the default is configs/tabletop.toml"
        })
    }

    /// The process's exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Runtime(error) => runtime_code(error),
            Self::ReaderGone => exit::DONE,
            Self::Checks { code, .. } => *code,
            Self::Hung { .. } => exit::SAFETY,
            Self::Bundle(_)
            | Self::Calibration(_)
            | Self::Lab(_)
            | Self::Console(_)
            | Self::Trust(_)
            | Self::PluginId(_)
            | Self::PluginNew(_)
            | Self::Documents(_)
            | Self::Record(_)
            | Self::Recorder(_)
            | Self::Scene { .. }
            | Self::Argument { .. }
            | Self::NotInThisVersion { .. }
            | Self::File { .. }
            | Self::Content { .. } => exit::USAGE,
            Self::Train(error) => train_code(error),
            Self::Language(error) => match error {
                LanguageModelError::File { .. }
                | LanguageModelError::Config { .. }
                | LanguageModelError::Tokenizer { .. }
                | LanguageModelError::Model { .. }
                | LanguageModelError::Weights { .. } => exit::USAGE,
                LanguageModelError::Training(error) => train_code(error),
                _ => exit::ERROR,
            },
            Self::World { .. }
            | Self::Encoding(_)
            | Self::Picture { .. }
            | Self::Stdout(_)
            | Self::Terminal(_)
            | Self::System { .. }
            | Self::Worker { .. } => exit::ERROR,
        }
    }
}

/// A wrong configuration or folder is the user's to mend.
fn train_code(error: &TrainError) -> u8 {
    match error {
        TrainError::Config { .. }
        | TrainError::Io { .. }
        | TrainError::Shard { .. }
        | TrainError::Dataset { .. }
        | TrainError::Recording(_)
        | TrainError::NoFrames { .. } => exit::USAGE,
        _ => exit::ERROR,
    }
}

/// What was named wrongly is the user's to mend; what failed is an error.
fn runtime_code(error: &RuntimeError) -> u8 {
    match error {
        RuntimeError::Stopped { .. } => exit::SAFETY,
        RuntimeError::Load(_)
        | RuntimeError::Trust(_)
        | RuntimeError::Isolation(_)
        | RuntimeError::Manifest { .. }
        | RuntimeError::MissingPlugin { .. }
        | RuntimeError::WrongKind { .. }
        | RuntimeError::WrongVersion { .. }
        | RuntimeError::Description { .. }
        | RuntimeError::Bundle(_)
        | RuntimeError::Calibration { .. }
        | RuntimeError::Safety { .. }
        | RuntimeError::Recording { .. }
        | RuntimeError::MissingPart { .. }
        | RuntimeError::Plugin {
            entry: "configure" | "activate",
            kind: FaultKind::Settings,
            ..
        } => exit::USAGE,
        _ => exit::ERROR,
    }
}
