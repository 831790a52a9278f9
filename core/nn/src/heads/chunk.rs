//! The head `chunk`: several small networks that each predict the whole action chunk.
//!
//! Each network was trained on its own three quarters of the samples, so that where they disagree
//! the policy does not know. The networks predict steps from row to row, which are all of one
//! size; the chunk is their running sum.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use crate::layers::Mlp;
use crate::stage::{Mode, check_size, parse_settings};
use crate::{NamedTensors, Params, Result, Stage, StageContext, StageKind, require};

const ID: &str = "chunk";

/// Settings of [`ChunkHead`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChunkSettings {
    /// Networks, each giving one sample.
    pub heads: usize,
    /// Hidden features of a network.
    pub hidden: usize,
    /// Hidden layers of a network.
    pub layers: usize,
    /// Rows of a chunk.
    pub horizon: usize,
    /// Values of a row; the last is the gripper.
    pub action_width: usize,
    /// Features of the context.
    pub context_width: usize,
}

impl Default for ChunkSettings {
    fn default() -> Self {
        Self {
            heads: 4,
            hidden: 256,
            layers: 3,
            horizon: 8,
            action_width: 7,
            context_width: 376,
        }
    }
}

/// Context to action chunks.
///
/// # Shapes
/// `context` `[batch, context_width]` → `action` `[batch, heads, horizon, action_width]`
/// normalised: every column but the last cumulative from the observation, the last (gripper) in
/// -1..1; in training also `steps` `[batch, heads, horizon, action_width - 1]` and `gripper_logits`
/// `[batch, heads, horizon]`.
pub struct ChunkHead {
    settings: ChunkSettings,
    networks: Vec<Mlp>,
}

impl ChunkHead {
    /// JSON schema of the settings.
    pub const SCHEMA: &str = r#"{"type":"object","additionalProperties":false,"properties":{
"heads":{"type":"integer","minimum":1,"maximum":64,"default":4,"description":"networks, each giving one sample"},
"hidden":{"type":"integer","minimum":1,"maximum":4096,"default":256,"description":"hidden features of a network"},
"layers":{"type":"integer","minimum":1,"maximum":8,"default":3,"description":"hidden layers of a network"},
"horizon":{"type":"integer","minimum":1,"maximum":256,"default":8,"description":"rows of a chunk"},
"action_width":{"type":"integer","minimum":2,"maximum":64,"default":7,"description":"values of a row, the last is the gripper"},
"context_width":{"type":"integer","minimum":1,"maximum":8192,"default":376,"description":"features of the context"}}}"#;

    /// Builds the head from JSON settings.
    ///
    /// # Errors
    /// Bad settings, or parameters that do not fit.
    pub fn from_json(settings: &serde_json::Value, params: &Params<'_>) -> Result<Self> {
        Self::new(parse_settings(ID, settings)?, params)
    }

    /// Builds the head.
    ///
    /// # Errors
    /// As [`ChunkHead::from_json`].
    pub fn new(settings: ChunkSettings, params: &Params<'_>) -> Result<Self> {
        check_size(ID, "heads", settings.heads, (1, 64))?;
        check_size(ID, "hidden", settings.hidden, (1, 4096))?;
        check_size(ID, "layers", settings.layers, (1, 8))?;
        check_size(ID, "horizon", settings.horizon, (1, 256))?;
        check_size(ID, "action_width", settings.action_width, (2, 64))?;
        check_size(ID, "context_width", settings.context_width, (1, 8192))?;
        let mut widths = vec![settings.context_width];
        widths.extend(std::iter::repeat_n(settings.hidden, settings.layers));
        widths.push(settings.horizon * settings.action_width);
        let networks = (0..settings.heads)
            .map(|i| Mlp::new(&widths, &params.sub(&format!("head{i}"))))
            .collect::<Result<_>>()?;
        Ok(Self { settings, networks })
    }
}

/// Running sums over the rows. `[batch, heads, horizon, width]` → the same.
fn running_sum(steps: &Tensor) -> Result<Tensor> {
    let horizon = steps.dim(2)?;
    let mut rows = vec![steps.narrow(2, 0, 1)?];
    for i in 1..horizon {
        rows.push((&rows[i - 1] + steps.narrow(2, i, 1)?)?);
    }
    Ok(Tensor::cat(&rows, 2)?)
}

impl Stage for ChunkHead {
    fn kind(&self) -> StageKind {
        StageKind::Head
    }

    fn input_roles(&self) -> Vec<&'static str> {
        vec!["context"]
    }

    fn output_roles(&self) -> Vec<&'static str> {
        vec!["action"]
    }

    fn forward(&self, ctx: &StageContext, inputs: &[(String, Tensor)]) -> Result<NamedTensors> {
        let s = &self.settings;
        let context = require(ID, inputs, "context", &[None, Some(s.context_width)])?;
        let batch = context.dim(0)?;
        let raw = self
            .networks
            .iter()
            .map(|n| n.forward(context))
            .collect::<Result<Vec<_>>>()?; // heads x [batch, horizon * width]
        let raw = Tensor::stack(&raw, 1)?.reshape((batch, s.heads, s.horizon, s.action_width))?;
        let steps = raw.narrow(3, 0, s.action_width - 1)?;
        let logits = raw.narrow(3, s.action_width - 1, 1)?;
        let gripper = (&logits * 0.5)?.tanh()?; // 2 sigmoid(x) - 1
        let action = Tensor::cat(&[&running_sum(&steps)?, &gripper], 3)?;
        let mut outputs = vec![("action".into(), action)];
        if ctx.mode == Mode::Train {
            outputs.push(("steps".into(), steps));
            outputs.push(("gripper_logits".into(), logits.squeeze(3)?));
        }
        Ok(outputs)
    }

    fn reset(&mut self, _seed: u64) {}
}
