//! The one error type of this crate.

use std::path::PathBuf;

/// Why a network could not be built, loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum NnError {
    /// A tensor operation failed inside candle.
    #[error("tensor operation failed: {0}")]
    Tensor(#[from] candle_core::Error),
    /// A tensor handed to a stage has another shape than the stage needs.
    #[error("{what}: expected shape {expected}, got {got:?}")]
    Shape {
        /// Stage and role, for example `chunk.context`.
        what: String,
        /// The expected shape in words, for example `[batch, 9]`.
        expected: String,
        /// The shape that came.
        got: Vec<usize>,
    },
    /// A stage was called without one of its inputs.
    #[error(
        "stage `{stage}` needs the input `{role}`, got only {got:?}\nhelp: wire a tensor to this role in the stage's `inputs`"
    )]
    MissingRole {
        /// The kind of stage that was called.
        stage: &'static str,
        /// The absent role.
        role: String,
        /// The names that were given.
        got: Vec<String>,
    },
    /// No stage is registered under an id.
    #[error(
        "unknown stage `{id}`, known are {known:?}\nhelp: the id is `library/stage`, for example `encoders/conv`"
    )]
    UnknownStage {
        /// The id asked for.
        id: String,
        /// All registered names.
        known: Vec<&'static str>,
    },
    /// The settings of a stage are not valid.
    #[error("settings of stage `{stage}`: {reason}\nhelp: the schema of the stage lists every key")]
    Settings {
        /// The kind of stage.
        stage: &'static str,
        /// Key and reason.
        reason: String,
    },
    /// A weight file is damaged or does not fit the network.
    #[error("{path}: {fault}\nhelp: {help}")]
    Checkpoint {
        /// The weight file.
        path: PathBuf,
        /// What is wrong with it.
        fault: CheckpointFault,
        /// What to do next.
        help: &'static str,
    },
    /// A tokenizer file is damaged or of another kind.
    #[error(
        "{path}: {reason}\nhelp: a `tokenizer.json` with a model of type `WordLevel` is needed"
    )]
    Tokenizer {
        /// The tokenizer file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The stage graph cannot be run.
    #[error("stage graph: stage `{stage}`: {reason}")]
    Graph {
        /// The stage at fault.
        stage: String,
        /// What is wrong.
        reason: String,
    },
}

/// What can be wrong with a weight file.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointFault {
    /// Not a complete safetensors file.
    #[error("not a readable safetensors file: {0}")]
    Unreadable(vola_bundle::SafetensorsFault),
    /// A tensor the network needs is absent.
    #[error("tensor `{0}` is missing")]
    Missing(String),
    /// Tensors under the prefix that no parameter of the network reads.
    #[error("tensors {0:?} belong to no parameter of the network")]
    Extra(Vec<String>),
    /// A tensor has another shape than the parameter.
    #[error("tensor `{name}`: expected shape {expected:?}, got {got:?}")]
    Shape {
        /// Name of the tensor.
        name: String,
        /// Shape of the parameter.
        expected: Vec<usize>,
        /// Shape in the file.
        got: Vec<usize>,
    },
    /// A tensor is not stored as 32-bit floats.
    #[error("tensor `{name}`: expected dtype F32, got {got}")]
    Dtype {
        /// Name of the tensor.
        name: String,
        /// Dtype in the file.
        got: String,
    },
    /// A weight is NaN or infinite.
    #[error("tensor `{name}`: element {index} is {value}, expected finite weights")]
    NotFinite {
        /// Name of the tensor.
        name: String,
        /// Flat index of the first such element.
        index: usize,
        /// The element.
        value: f32,
    },
}
