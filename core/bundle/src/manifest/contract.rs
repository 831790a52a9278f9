//! The parts of a checked manifest. Fields are private: these types exist only
//! after the checks.

use std::path::{Path, PathBuf};

use semver::VersionReq;
use serde::{Deserialize, Serialize};
use vola_types::{ActionSpace, ColorOrder, PluginId};

/// One stage: a plugin, its tensors and its settings.
#[derive(Clone, Debug)]
pub struct Stage {
    pub(super) name: String,
    pub(super) plugin: PluginId,
    pub(super) version: VersionReq,
    pub(super) weights: Option<Weights>,
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    pub(super) settings: serde_json::Value,
}

impl Stage {
    /// Name, unique in the bundle.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The plugin that does the work.
    #[must_use]
    pub fn plugin(&self) -> &PluginId {
        &self.plugin
    }

    /// Versions of the plugin that fit.
    #[must_use]
    pub fn version(&self) -> &VersionReq {
        &self.version
    }

    /// The only tensors this stage may read; none for a stage without weights.
    #[must_use]
    pub fn weights(&self) -> Option<&Weights> {
        self.weights.as_ref()
    }

    /// Names of the tensors it reads, in the order the plugin gets them.
    #[must_use]
    pub fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// Names of the tensors it makes, in the order the plugin gives them.
    #[must_use]
    pub fn outputs(&self) -> &[String] {
        &self.outputs
    }

    /// Settings of the plugin: a JSON object.
    #[must_use]
    pub fn settings(&self) -> &serde_json::Value {
        &self.settings
    }
}

/// Where a stage's tensors lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
    pub(super) file: PathBuf,
    pub(super) prefix: String,
}

impl Weights {
    /// File, relative to the bundle folder and inside it.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Prefix of the tensor names; the stage sees the names without it.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

/// What the bundle promises and needs for one robot.
#[derive(Clone, Debug)]
pub struct EmbodimentBinding {
    pub(super) id: PluginId,
    pub(super) index: i64,
    pub(super) head: String,
    pub(super) action_tensor: String,
    pub(super) action: ActionContract,
    pub(super) state: StateContract,
    pub(super) cameras: Vec<CameraContract>,
    pub(super) stats: Option<PathBuf>,
}

impl EmbodimentBinding {
    /// Plugin id of the robot.
    #[must_use]
    pub fn id(&self) -> &PluginId {
        &self.id
    }

    /// Index of its token, `embodiment.index`.
    #[must_use]
    pub fn index(&self) -> i64 {
        self.index
    }

    /// The stage that gives its action.
    #[must_use]
    pub fn head(&self) -> &str {
        &self.head
    }

    /// The head's output that holds the action chunk.
    #[must_use]
    pub fn action_tensor(&self) -> &str {
        &self.action_tensor
    }

    /// What an action row means.
    #[must_use]
    pub fn action(&self) -> &ActionContract {
        &self.action
    }

    /// What the state vector holds.
    #[must_use]
    pub fn state(&self) -> &StateContract {
        &self.state
    }

    /// Cameras, sorted by key.
    #[must_use]
    pub fn cameras(&self) -> &[CameraContract] {
        &self.cameras
    }

    /// Statistics file, relative to the bundle folder and inside it.
    #[must_use]
    pub fn stats(&self) -> Option<&Path> {
        self.stats.as_deref()
    }
}

/// Meaning of one action row.
///
/// Row i of a chunk is the target at observation time + (i + 1) / rate.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionContract {
    pub(super) space: ActionSpace,
    pub(super) names: Vec<String>,
    pub(super) period_ns: u64,
    pub(super) rate_hz: f64,
    pub(super) horizon: usize,
}

impl ActionContract {
    /// Action space.
    #[must_use]
    pub fn space(&self) -> ActionSpace {
        self.space
    }

    /// One name a column; the gripper, if any, is last and called `gripper`.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Columns in a row.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.names.len()
    }

    /// Whether the last column is the gripper.
    #[must_use]
    pub fn has_gripper(&self) -> bool {
        self.names.last().is_some_and(|name| is_gripper(name))
    }

    /// Rows a second.
    #[must_use]
    pub fn rate_hz(&self) -> f64 {
        self.rate_hz
    }

    /// Time between rows (ns), rounded to the nearest nanosecond.
    #[must_use]
    pub fn period_ns(&self) -> u64 {
        self.period_ns
    }

    /// Rows in a chunk.
    #[must_use]
    pub fn horizon(&self) -> usize {
        self.horizon
    }
}

/// Whether a column name means the gripper.
pub(crate) fn is_gripper(name: &str) -> bool {
    name == "gripper" || name.starts_with("gripper.")
}

/// What the state vector holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateContract {
    pub(super) names: Vec<String>,
    pub(super) units: Vec<String>,
}

impl StateContract {
    /// One name a value, in the order of training; empty for a policy without
    /// proprioception.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// One unit a value, or empty when the bundle does not say.
    #[must_use]
    pub fn units(&self) -> &[String] {
        &self.units
    }
}

/// A camera as the policy was trained with it.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraContract {
    pub(super) key: String,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) order: ColorOrder,
    pub(super) rate_hz: Option<f64>,
    pub(super) resized: bool,
}

impl CameraContract {
    /// Key, as in `observation.images.<key>`.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Columns (px).
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows (px).
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Channel order the policy expects.
    #[must_use]
    pub fn order(&self) -> ColorOrder {
        self.order
    }

    /// Least frames a second, when the bundle says.
    #[must_use]
    pub fn rate_hz(&self) -> Option<f64> {
        self.rate_hz
    }

    /// Whether a `resize` step makes pictures of any size fit.
    #[must_use]
    pub fn accepts_any_size(&self) -> bool {
        self.resized
    }
}

/// The stage that finds objects.
#[derive(Clone, Debug, PartialEq)]
pub struct Perception {
    pub(super) stage: String,
    pub(super) tensor: String,
    pub(super) kinds: Vec<String>,
    pub(super) colors: Vec<String>,
    pub(super) threshold: f64,
}

impl Perception {
    /// The stage.
    #[must_use]
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// Its tensor: f32 `[B, M, 8]` of (kind, colour, x, y, z, confidence, extra, 0).
    #[must_use]
    pub fn tensor(&self) -> &str {
        &self.tensor
    }

    /// Kinds, in the order of the head's numbers.
    #[must_use]
    pub fn kinds(&self) -> &[String] {
        &self.kinds
    }

    /// Colours, in the order of the head's numbers.
    #[must_use]
    pub fn colors(&self) -> &[String] {
        &self.colors
    }

    /// Least confidence (0..1) of an object that counts.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        self.threshold
    }
}

/// The stage that tells done and failing, and when it is believed.
#[derive(Clone, Debug, PartialEq)]
pub struct ProgressRule {
    pub(super) stage: String,
    pub(super) tensor: String,
    pub(super) done_threshold: f64,
    pub(super) failing_threshold: f64,
    pub(super) count: u32,
}

impl ProgressRule {
    /// The stage.
    #[must_use]
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// Its tensor: f32 `[B, 2]`, probabilities of (done, failing).
    #[must_use]
    pub fn tensor(&self) -> &str {
        &self.tensor
    }

    /// Probability above which a decision counts as done.
    #[must_use]
    pub fn done_threshold(&self) -> f64 {
        self.done_threshold
    }

    /// Probability above which a decision counts as failing.
    #[must_use]
    pub fn failing_threshold(&self) -> f64 {
        self.failing_threshold
    }

    /// Decisions in a row that must agree.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }
}

/// How chunks become motion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionMode {
    /// A chunk is executed as a whole before the next is asked for.
    Sync,
    /// A new chunk is asked for after some rows; the newest replaces the old.
    #[default]
    Receding,
    /// Overlapping chunks are averaged row by row.
    Ensemble,
}

/// How the policy is best executed; a deployment may override each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExecutionHints {
    pub(super) mode: Option<ExecutionMode>,
    pub(super) execute_rows: Option<u32>,
    pub(super) ensemble_decay: Option<f64>,
}

impl ExecutionHints {
    /// Mode.
    #[must_use]
    pub fn mode(&self) -> Option<ExecutionMode> {
        self.mode
    }

    /// Rows executed before the next chunk is asked for.
    #[must_use]
    pub fn execute_rows(&self) -> Option<u32> {
        self.execute_rows
    }

    /// Decay m of ensembling weights exp(−m·i).
    #[must_use]
    pub fn ensemble_decay(&self) -> Option<f64> {
        self.ensemble_decay
    }
}
