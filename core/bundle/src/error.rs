//! The error of this crate.

use std::io;
use std::path::PathBuf;

use vola_types::{ColorOrder, DType};

use crate::problem::Problems;

/// Everything that can go wrong between a bundle's files, an observation and a
/// checked action chunk.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// A file or folder could not be read or written.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, as in `read`.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A file is larger than any honest one.
    #[error("{}: expected at most {limit} bytes, got {size}\n  help: no file of this kind is so large; is it the right one?", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Most bytes allowed.
        limit: u64,
        /// Bytes found.
        size: u64,
    },
    /// A text file is not TOML.
    #[error(
        "{file}: line {line}, column {column}: {message}\n  help: the file is not valid TOML at this place"
    )]
    Syntax {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser expected.
        message: String,
    },
    /// Faults in a file; all of them.
    #[error("{0}")]
    Invalid(Problems),
    /// A statistics file is not safetensors.
    #[error(
        "{file}: expected a safetensors file, got a damaged one: {message}\n  help: copy the bundle again, or import it again from the checkpoint"
    )]
    Corrupt {
        /// The file.
        file: String,
        /// What does not fit.
        message: String,
    },
    /// A safetensors file could not be made.
    #[error("{file}: cannot write safetensors: {message}")]
    Unwritable {
        /// The file.
        file: String,
        /// What does not fit.
        message: String,
    },
    /// The bundle and the robot (or the deployment and the robot) disagree.
    #[error("{left} and {right} do not fit together:\n{gaps}\n  help: nothing was started; choose a bundle made for this robot, or mend the side that is wrong", gaps = Gaps(gaps))]
    Handshake {
        /// First side, as in `bundle configs/policies/tabletop`.
        left: String,
        /// Second side, as in `robot tabletop/franka`.
        right: String,
        /// All gaps.
        gaps: Vec<crate::handshake::Gap>,
    },
    /// The bundle has no table for the robot.
    #[error(
        "{file}: embodiment: expected a table with id `{id}`, got {known}\n  help: name one of these robots in [robot], or train the bundle for `{id}`"
    )]
    UnknownEmbodiment {
        /// The manifest.
        file: String,
        /// Robot asked for.
        id: String,
        /// Robots of the bundle.
        known: String,
    },
    /// A tensor name that no stage makes.
    #[error("tensor `{name}`: no stage of the bundle makes it; it makes {known}")]
    UnknownTensor {
        /// Name asked for.
        name: String,
        /// Outputs of all stages.
        known: String,
    },
    /// State names that the policy needs are not in the observation.
    #[error(
        "observation.state: missing {missing}\n  policy needs: {expected}\n  robot gives:  {got}\n  help: the order does not matter, but every name must be there"
    )]
    StateNames {
        /// Missing names.
        missing: String,
        /// All names the policy needs.
        expected: String,
        /// All names the robot gives.
        got: String,
    },
    /// Names and values of a vector differ in number.
    #[error("{what}: expected {expected} values, got {got}")]
    Length {
        /// The vector.
        what: String,
        /// Values needed.
        expected: usize,
        /// Values found.
        got: usize,
    },
    /// An input holds NaN or infinity.
    #[error("{what}: expected a finite number, got {value}")]
    InputNotFinite {
        /// Feature and element.
        what: String,
        /// The number.
        value: f64,
    },
    /// A camera that the policy needs is not in the observation.
    #[error("observation.images.{key}: no picture of this camera in the observation; it has {got}")]
    MissingCamera {
        /// Camera key.
        key: String,
        /// Keys found.
        got: String,
    },
    /// A picture has another size than the policy was trained with.
    #[error(
        "observation.images.{key}: expected {expected:?} pixels (width, height), got {got:?}\n  help: set the camera to this size, or list a `resize` step for it in policy.toml"
    )]
    CameraSize {
        /// Camera key.
        key: String,
        /// Width and height of the contract.
        expected: (u32, u32),
        /// Width and height found.
        got: (u32, u32),
    },
    /// A picture's bytes do not fit its size.
    #[error(
        "observation.images.{key}: expected {expected} values for {width}×{height} {order:?}, got {got}"
    )]
    ImageBytes {
        /// Camera key.
        key: String,
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// Channel order.
        order: ColorOrder,
        /// Values needed.
        expected: usize,
        /// Values found.
        got: usize,
    },
    /// A picture cannot be cropped to a larger size, or padded to a smaller one.
    #[error("{feature}: {step}: cannot make {to:?} pixels (width, height) of {from:?}")]
    ImageStep {
        /// Feature.
        feature: String,
        /// Step, `crop` or `pad`.
        step: &'static str,
        /// Size before.
        from: (u32, u32),
        /// Size wanted.
        to: (u32, u32),
    },
    /// The instruction is too long.
    #[error("task: expected at most {limit} bytes of text, got {got}")]
    TaskTooLong {
        /// Most bytes.
        limit: usize,
        /// Bytes found.
        got: usize,
    },
    /// A stage returned an action tensor of another element type.
    #[error(
        "stage `{stage}`: tensor `{tensor}`: expected {expected}, got {got}; the whole chunk is refused"
    )]
    ChunkType {
        /// Stage.
        stage: String,
        /// Tensor.
        tensor: String,
        /// Element type needed.
        expected: DType,
        /// Element type found.
        got: DType,
    },
    /// A stage returned an action tensor of another shape.
    #[error(
        "stage `{stage}`: tensor `{tensor}`: expected shape {expected}, got {got:?} with {bytes} bytes; the whole chunk is refused"
    )]
    ChunkShape {
        /// Stage.
        stage: String,
        /// Tensor.
        tensor: String,
        /// Shape needed, in words.
        expected: String,
        /// Shape found.
        got: Vec<usize>,
        /// Bytes found.
        bytes: usize,
    },
    /// A stage returned NaN, infinity or a number beyond every unit of every robot.
    #[error(
        "stage `{stage}`: tensor `{tensor}`: sample {sample}, row {row}, `{name}` (dim {dim}): expected a finite number within ±100000, got {value}; the whole chunk is refused"
    )]
    ChunkNotFinite {
        /// Stage.
        stage: String,
        /// Tensor.
        tensor: String,
        /// Sample.
        sample: usize,
        /// Row.
        row: usize,
        /// Column.
        dim: usize,
        /// Name of the column.
        name: String,
        /// The number.
        value: f64,
    },
    /// A row's quaternion is too short to be a rotation.
    #[error(
        "stage `{stage}`: row {row}: expected a quaternion of length near 1, got length {length}; the whole chunk is refused"
    )]
    ChunkRotation {
        /// Stage.
        stage: String,
        /// Row.
        row: usize,
        /// Length of the quaternion.
        length: f64,
    },
    /// A chunk came after a newer one.
    #[error("action chunk: expected one observed after {last_ns} ns, got {got_ns} ns")]
    OutOfOrder {
        /// Observation time of the newest chunk (ns).
        last_ns: u64,
        /// Observation time of this one (ns).
        got_ns: u64,
    },
    /// A version of a bundle is missing, damaged or of another bundle.
    #[error("{}: {reason}\n  help: {help}", path.display())]
    Version {
        /// The version's folder or file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
        /// What to do.
        help: &'static str,
    },
    /// A folder holds something that does not belong into a bundle.
    #[error("{}: expected a plain file or folder inside the bundle, got {got}\n  help: a bundle is hashed by content; replace it by the file itself", path.display())]
    ForeignEntry {
        /// The entry.
        path: PathBuf,
        /// What it is.
        got: String,
    },
}

/// Shows one gap a line.
struct Gaps<'a>(&'a [crate::handshake::Gap]);

impl std::fmt::Display for Gaps<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, gap) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(formatter)?;
            }
            write!(formatter, "  {gap}")?;
        }
        Ok(())
    }
}

impl BundleError {
    /// `Invalid` when there are problems, otherwise nothing.
    pub(crate) fn check(problems: Problems) -> Result<(), Self> {
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Self::Invalid(problems))
        }
    }
}
