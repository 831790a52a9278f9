//! The head `progress`: is the primitive done, is it failing.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::example_loss::binary_cross_entropy;
use crate::layers::Mlp;
use crate::stage::{Mode, check_size, parse_settings};
use crate::{NamedTensors, Params, Result, Stage, StageContext, StageKind, require};

const ID: &str = "progress";

/// Settings of [`ProgressHead`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProgressSettings {
    /// Hidden features.
    pub hidden: usize,
    /// Features of the context.
    pub context_width: usize,
}

impl Default for ProgressSettings {
    fn default() -> Self {
        Self {
            hidden: 128,
            context_width: 376,
        }
    }
}

/// Context to two probabilities.
///
/// # Shapes
/// `context` `[batch, context_width]` → `progress` `[batch, 2]` (done, failing) in 0..1; in training
/// also `logits` `[batch, 2]`.
pub struct ProgressHead {
    settings: ProgressSettings,
    network: Mlp,
}

impl ProgressHead {
    /// JSON schema of the settings.
    pub const SCHEMA: &str = r#"{"type":"object","additionalProperties":false,"properties":{
"hidden":{"type":"integer","minimum":1,"maximum":4096,"default":128,"description":"hidden features"},
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
    /// As [`ProgressHead::from_json`].
    pub fn new(settings: ProgressSettings, params: &Params<'_>) -> Result<Self> {
        check_size(ID, "hidden", settings.hidden, (1, 4096))?;
        check_size(ID, "context_width", settings.context_width, (1, 8192))?;
        let network = Mlp::new(&[settings.context_width, settings.hidden, 2], params)?;
        Ok(Self { settings, network })
    }
}

impl Stage for ProgressHead {
    fn kind(&self) -> StageKind {
        StageKind::Head
    }

    fn input_roles(&self) -> Vec<&'static str> {
        vec!["context"]
    }

    fn output_roles(&self) -> Vec<&'static str> {
        vec!["progress"]
    }

    fn forward(&self, ctx: &StageContext, inputs: &[(String, Tensor)]) -> Result<NamedTensors> {
        let context = require(
            ID,
            inputs,
            "context",
            &[None, Some(self.settings.context_width)],
        )?;
        let logits = self.network.forward(context)?;
        let progress = (&logits * 0.5)?.tanh()?.affine(0.5, 0.5)?; // sigmoid
        let mut outputs = vec![("progress".into(), progress)];
        if ctx.mode == Mode::Train {
            outputs.push(("logits".into(), logits));
        }
        Ok(outputs)
    }

    fn reset(&mut self, _seed: u64) {}

    fn is_adaptable(&self) -> bool {
        true
    }

    fn example_loss(&self, examples: &[(String, Tensor)]) -> Result<Option<Tensor>> {
        let width = self.settings.context_width;
        let context = require(ID, examples, "context", &[None, Some(width)])?;
        let wanted = require(ID, examples, "progress", &[None, Some(2)])?;
        let entropy = binary_cross_entropy(&self.network.forward(context)?, wanted)?;
        Ok(Some(entropy.mean_keepdim(1)?)) // [batch, 1]
    }
}
