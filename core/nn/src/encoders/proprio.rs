//! The proprioception encoder `proprio`: state, goal points and robot token side by side.
//!
//! Goal points are given absolutely and relative to the tool, so that a policy that knows them
//! only has to go there. The layout of the output is fixed: the fusion reads the tool position and
//! the goal object from it.

use candle_core::{DType, Tensor};
use serde::{Deserialize, Serialize};

use crate::stage::{check_size, parse_settings};
use crate::{Init, NamedTensors, Params, Result, Stage, StageContext, StageKind, require};

const ID: &str = "proprio";

/// Values of the state vector; the first three are the tool position.
pub const STATE_WIDTH: usize = 9;
/// First column of the goal object, zero where masked.
pub const GOAL_OBJECT: usize = STATE_WIDTH;
/// Column of the goal object's mask.
pub const GOAL_OBJECT_MASK: usize = GOAL_OBJECT + 3;
/// First column of the goal object relative to the tool, in units of 5 cm.
pub const GOAL_OBJECT_FROM_TOOL: usize = GOAL_OBJECT + 4;
/// First column of the goal target, laid out like the goal object.
pub const GOAL_TARGET: usize = GOAL_OBJECT + 7;
/// First column of the robot token.
pub const EMBODIMENT: usize = GOAL_TARGET + 7;
/// Normalised positions are in units of 15 cm; differences of them times this are in 5 cm.
pub const DIFFERENCE_SCALE: f64 = 3.0;

/// Settings of [`Proprio`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProprioSettings {
    /// Robots that can be told apart.
    pub embodiments: usize,
    /// Features of the robot token.
    pub embedding: usize,
}

impl Default for ProprioSettings {
    fn default() -> Self {
        Self {
            embodiments: 8,
            embedding: 8,
        }
    }
}

/// State, goal points and robot token to one feature vector.
///
/// # Shapes
/// `state` `[batch, 9]` normalised, `goal_object` and `goal_target` `[batch, 3]` normalised,
/// `goal_object_mask` and `goal_target_mask` `[batch, 1]` (0 or 1), `embodiment` i64 `[batch]` →
/// `features` `[batch, 23 + embedding]`.
pub struct Proprio {
    settings: ProprioSettings,
    embedding: Tensor,
}

impl Proprio {
    /// JSON schema of the settings.
    pub const SCHEMA: &str = r#"{"type":"object","additionalProperties":false,"properties":{
"embodiments":{"type":"integer","minimum":1,"maximum":1024,"default":8,"description":"robots that can be told apart"},
"embedding":{"type":"integer","minimum":1,"maximum":256,"default":8,"description":"features of the robot token"}}}"#;

    /// Builds the encoder from JSON settings.
    ///
    /// # Errors
    /// Bad settings, or parameters that do not fit.
    pub fn from_json(settings: &serde_json::Value, params: &Params<'_>) -> Result<Self> {
        Self::new(parse_settings(ID, settings)?, params)
    }

    /// Builds the encoder.
    ///
    /// # Errors
    /// As [`Proprio::from_json`].
    pub fn new(settings: ProprioSettings, params: &Params<'_>) -> Result<Self> {
        check_size(ID, "embodiments", settings.embodiments, (1, 1024))?;
        check_size(ID, "embedding", settings.embedding, (1, 256))?;
        let embedding = params.get(
            "embedding",
            &[settings.embodiments, settings.embedding],
            Init::Normal(0.5),
        )?;
        Ok(Self {
            settings,
            embedding,
        })
    }
}

/// `[point * mask, mask, (point - tool) * scale * mask]`, `[batch, 7]`.
fn point_features(point: &Tensor, mask: &Tensor, tool: &Tensor) -> Result<Tensor> {
    let from_tool = ((point - tool)? * DIFFERENCE_SCALE)?;
    Ok(Tensor::cat(
        &[
            &point.broadcast_mul(mask)?,
            mask,
            &from_tool.broadcast_mul(mask)?,
        ],
        1,
    )?)
}

impl Stage for Proprio {
    fn kind(&self) -> StageKind {
        StageKind::Encoder
    }

    fn input_roles(&self) -> Vec<&'static str> {
        vec![
            "state",
            "goal_object",
            "goal_object_mask",
            "goal_target",
            "goal_target_mask",
            "embodiment",
        ]
    }

    fn output_roles(&self) -> Vec<&'static str> {
        vec!["features"]
    }

    fn forward(&self, _ctx: &StageContext, inputs: &[(String, Tensor)]) -> Result<NamedTensors> {
        let state = require(ID, inputs, "state", &[None, Some(STATE_WIDTH)])?;
        let batch = Some(state.dim(0)?);
        let point = |role| require(ID, inputs, role, &[batch, Some(3)]);
        let mask = |role| require(ID, inputs, role, &[batch, Some(1)]);
        let index = require(ID, inputs, "embodiment", &[batch])?.to_dtype(DType::U32)?;
        let tool = state.narrow(1, 0, 3)?;
        let object = point_features(point("goal_object")?, mask("goal_object_mask")?, &tool)?;
        let target = point_features(point("goal_target")?, mask("goal_target_mask")?, &tool)?;
        let last = self.settings.embodiments as u32 - 1;
        let token = self.embedding.index_select(&index.clamp(0_u32, last)?, 0)?; // [batch, embedding]
        let features = Tensor::cat(&[state, &object, &target, &token], 1)?; // [batch, 23 + embedding]
        Ok(vec![("features".into(), features)])
    }

    fn reset(&mut self, _seed: u64) {}
}
