//! What `policy.toml` says, before any check.
//!
//! Every field has a default here; what is required is checked by
//! [`Manifest::from_raw`](crate::Manifest::from_raw). Programs that make
//! bundles fill these structs and call [`RawManifest::to_toml`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vola_types::{ActionSpace, ColorOrder};

use crate::error::BundleError;
use crate::files::parse_toml;
use crate::problem::Problems;
use crate::strict;

use super::contract::ExecutionMode;
use super::steps::{Anchor, NormaliseMode, ResizeFit, ResizeMethod};

/// The whole of `policy.toml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawManifest {
    /// Version of this format; must be 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<u32>,
    /// Name for people. Default: empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// One line for people. Default: empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// Stage outputs that nobody in the graph reads but people may look at,
    /// as in `attention`. Default: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub side_outputs: Vec<String>,
    /// Stages, in any order.
    pub stage: Vec<RawStage>,
    /// Robots this bundle was trained for.
    pub embodiment: Vec<RawEmbodiment>,
    /// Steps from the observation to the stage inputs, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preprocess: Vec<RawStep>,
    /// Steps from the head's output to physical actions, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub postprocess: Vec<RawStep>,
    /// The stage that finds objects, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub perception: Option<RawPerception>,
    /// The stage that tells done and failing, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<RawProgress>,
    /// How the policy is best executed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution: Option<RawHints>,
}

/// One `[[stage]]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawStage {
    /// Name, unique in the bundle.
    pub name: String,
    /// Plugin id, `library/plugin`.
    pub plugin: String,
    /// Semantic version requirement, as in `^0.1`. Default: `*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The tensors this stage may read; none for a stage without weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<RawWeights>,
    /// Names of the tensors it reads.
    pub inputs: Vec<String>,
    /// Names of the tensors it makes.
    pub outputs: Vec<String>,
    /// Settings of the plugin.
    #[serde(skip_serializing_if = "toml::Table::is_empty")]
    pub settings: toml::Table,
}

/// Where a stage's tensors lie.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawWeights {
    /// File inside the bundle.
    pub file: String,
    /// Prefix of the tensor names; the stage sees the names without it.
    pub prefix: String,
}

/// One `[[embodiment]]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawEmbodiment {
    /// Plugin id of the robot.
    pub id: String,
    /// Index of its token. Default: 0.
    pub index: i64,
    /// The stage that gives its action.
    pub head: String,
    /// What an action row means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<RawAction>,
    /// What the state vector holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<RawState>,
    /// Cameras by key.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub cameras: BTreeMap<String, RawCamera>,
    /// Statistics file inside the bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stats: Option<String>,
}

/// `action = { … }` of an embodiment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawAction {
    /// Action space, as in `tool_delta`; required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub space: Option<ActionSpace>,
    /// One name a column.
    pub names: Vec<String>,
    /// Rows a second.
    pub rate_hz: f64,
    /// Rows in a chunk.
    pub horizon: u32,
}

/// `state = { … }` of an embodiment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawState {
    /// One name a value.
    pub names: Vec<String>,
    /// One unit a value (`rad`, `m`, `rad/s`, `m/s`, `1`). Default: not compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<String>,
}

/// One camera of an embodiment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawCamera {
    /// Columns (px).
    pub width: u32,
    /// Rows (px).
    pub height: u32,
    /// Channel order the policy expects, `rgb` or `bgr`. Default: `rgb`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<ColorOrder>,
    /// Least frames a second. Default: not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_hz: Option<f64>,
}

/// One `[[preprocess]]` or `[[postprocess]]` step. Which keys a step takes is
/// said in the documentation of [`PreStep`](crate::PreStep) and
/// [`PostStep`](crate::PostStep).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawStep {
    /// Kind of step.
    pub step: String,
    /// Feature it works on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// `rename`: the old name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// `rename`: the new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// `history`: observations kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
    /// Picture steps: columns (px).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Picture steps: rows (px).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// `resize`: `bilinear`, `bilinear_antialias` or `nearest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<ResizeMethod>,
    /// `resize`: `stretch` or `keep_ratio`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fit: Option<ResizeFit>,
    /// `decide_gripper`: values below it close.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close_below: Option<f64>,
    /// `decide_gripper`: values above it open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_above: Option<f64>,
    /// `pad`: value of the border, in 0..1 units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// `pad`, `crop`: where the picture stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Anchor>,
    /// `normalise`, `denormalise`: `mean_std`, `min_max`, `quantile` or `identity`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<NormaliseMode>,
    /// `normalise`, `denormalise`: entry of the statistics file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stats: Option<String>,
    /// `to_absolute`: action columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<String>>,
    /// `to_absolute`: state values that are added to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Vec<String>>,
}

/// `[perception]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawPerception {
    /// The stage.
    pub stage: String,
    /// Its tensor. Default: `scene.objects`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tensor: Option<String>,
    /// Kinds, in the order of the head's numbers.
    pub kinds: Vec<String>,
    /// Colours, in the order of the head's numbers.
    pub colors: Vec<String>,
    /// Least confidence of an object that counts. Default: 0.5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
}

/// `[progress]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawProgress {
    /// The stage.
    pub stage: String,
    /// Its tensor. Default: `progress`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tensor: Option<String>,
    /// Probability above which a decision counts as done. Default: 0.5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done_threshold: Option<f64>,
    /// Probability above which a decision counts as failing. Default: 0.5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_threshold: Option<f64>,
    /// Decisions in a row that must agree. Default: 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

/// `[execution]` of a bundle: hints that a deployment may override.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawHints {
    /// `sync`, `receding` or `ensemble`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<ExecutionMode>,
    /// Rows executed before the next chunk is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execute_rows: Option<u32>,
    /// Decay m of ensembling weights exp(−m·i).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ensemble_decay: Option<f64>,
}

impl RawManifest {
    /// Reads the text of a `policy.toml`. All unknown keys and wrong types are
    /// collected in `problems`; `file` is the name shown to people.
    ///
    /// # Errors
    /// When the text is not TOML at all.
    pub fn parse(text: &str, file: &str, problems: &mut Problems) -> Result<Self, BundleError> {
        Ok(strict::read(parse_toml(text, file)?, file, problems))
    }

    /// The text of a `policy.toml` that says the same.
    ///
    /// # Errors
    /// When a setting cannot be written as TOML.
    pub fn to_toml(&self) -> Result<String, BundleError> {
        toml::to_string(self).map_err(|error| BundleError::Unwritable {
            file: crate::MANIFEST_FILE.to_owned(),
            message: error.to_string(),
        })
    }
}
