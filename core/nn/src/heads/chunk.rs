//! The head `chunk`: several small networks that each predict the whole action chunk.
//!
//! Each network was trained on its own three quarters of the samples, so that where they disagree
//! the policy does not know. The networks predict steps from row to row, which are all of one
//! size; the chunk is their running sum.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::example_loss::{binary_cross_entropy, smooth_distance};
use crate::layers::Mlp;
use crate::stage::{Mode, check_size, parse_settings};
use crate::{NamedTensors, Params, Result, Stage, StageContext, StageKind, find, require};

const ID: &str = "chunk";
/// Weights of an example's steps and of its gripper, as training weighs them.
const ACTION_WEIGHT: f64 = 1.5;
const GRIPPER_WEIGHT: f64 = 0.3;

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

    /// What every network says, `[batch, heads, horizon, action_width]`: steps from row to row,
    /// and the gripper's logit last.
    fn raw(&self, context: &Tensor) -> Result<Tensor> {
        let s = &self.settings;
        let raw = self
            .networks
            .iter()
            .map(|n| n.forward(context))
            .collect::<Result<Vec<_>>>()?; // heads x [batch, horizon * width]
        let shape = (context.dim(0)?, s.heads, s.horizon, s.action_width);
        Ok(Tensor::stack(&raw, 1)?.reshape(shape)?)
    }

    /// Wanted chunks as `[batch, heads, horizon, action_width]`, whether each network has its own
    /// or all have one.
    fn wanted(&self, examples: &[(String, Tensor)]) -> Result<Tensor> {
        let s = &self.settings;
        let rows = [Some(s.horizon), Some(s.action_width)];
        let has_samples = find(examples, "action").is_some_and(|wanted| wanted.rank() == 4);
        if has_samples {
            let dims = [None, Some(s.heads), rows[0], rows[1]];
            return Ok(require(ID, examples, "action", &dims)?.clone());
        }
        let wanted = require(ID, examples, "action", &[None, rows[0], rows[1]])?;
        let all = (wanted.dim(0)?, s.heads, s.horizon, s.action_width);
        Ok(wanted.unsqueeze(1)?.broadcast_as(all)?.contiguous()?)
    }
}

/// Steps from row to row: the inverse of [`running_sum`]. `[batch, heads, horizon, width]` → the same.
fn row_differences(rows: &Tensor) -> Result<Tensor> {
    let horizon = rows.dim(2)?;
    let first = rows.narrow(2, 0, 1)?;
    if horizon == 1 {
        return Ok(first);
    }
    let later = (rows.narrow(2, 1, horizon - 1)? - rows.narrow(2, 0, horizon - 1)?)?;
    Ok(Tensor::cat(&[&first, &later], 2)?)
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
        let raw = self.raw(context)?;
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

    fn is_adaptable(&self) -> bool {
        true
    }

    fn example_loss(&self, examples: &[(String, Tensor)]) -> Result<Option<Tensor>> {
        let s = &self.settings;
        let context = require(ID, examples, "context", &[None, Some(s.context_width)])?;
        let moves = s.action_width - 1;
        let wanted = self.wanted(examples)?;
        let raw = self.raw(context)?;
        let wanted_steps = row_differences(&wanted.narrow(3, 0, moves)?)?;
        let apart = smooth_distance(&(raw.narrow(3, 0, moves)? - wanted_steps)?.abs()?)?
            .flatten_from(2)?
            .mean(2)?; // [batch, heads]
        let wanted_open = wanted
            .narrow(3, moves, 1)?
            .affine(0.5, 0.5)?
            .clamp(0.0, 1.0)?;
        let entropy = binary_cross_entropy(&raw.narrow(3, moves, 1)?, &wanted_open)?
            .flatten_from(2)?
            .mean(2)?; // [batch, heads]
        Ok(Some(
            ((apart * ACTION_WEIGHT)? + (entropy * GRIPPER_WEIGHT)?)?,
        ))
    }
}
