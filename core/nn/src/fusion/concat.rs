//! The fusion `concat`: pooled vision, language and proprioception side by side.
//!
//! Without attention it cannot say where something is; it suits policies whose scene is fixed or
//! whose goal points are always given, and is the baseline the others are measured against.

use candle_core::Tensor;

use super::FusionSettings;
use crate::kernels::Activation;
use crate::layers::Linear;
use crate::stage::parse_settings;
use crate::{NamedTensors, Params, Result, Stage, StageContext, StageKind, require};

const ID: &str = "concat";

/// Mean and maximum over the cells, language and proprioception to context.
///
/// # Shapes
/// `language` `[batch, language_width]`, `vision` `[batch, cells, vision_width]`, `proprio`
/// `[batch, proprio_width]` → `context` `[batch, context_width]`, not negative.
pub struct ConcatFusion {
    settings: FusionSettings,
    project: Linear,
}

impl ConcatFusion {
    /// Builds the fusion from JSON settings.
    ///
    /// # Errors
    /// Bad settings, or parameters that do not fit.
    pub fn from_json(settings: &serde_json::Value, params: &Params<'_>) -> Result<Self> {
        Self::new(parse_settings(ID, settings)?, params)
    }

    /// Builds the fusion.
    ///
    /// # Errors
    /// As [`ConcatFusion::from_json`].
    pub fn new(settings: FusionSettings, params: &Params<'_>) -> Result<Self> {
        settings.check(ID)?;
        let inner = 2 * settings.vision_width + settings.language_width + settings.proprio_width;
        let project = Linear::new(
            inner,
            settings.context_width,
            Activation::Relu,
            &params.sub("project"),
        )?;
        Ok(Self { settings, project })
    }
}

impl Stage for ConcatFusion {
    fn kind(&self) -> StageKind {
        StageKind::Fusion
    }

    fn input_roles(&self) -> Vec<&'static str> {
        vec!["language", "vision", "proprio"]
    }

    fn output_roles(&self) -> Vec<&'static str> {
        vec!["context"]
    }

    fn forward(&self, _ctx: &StageContext, inputs: &[(String, Tensor)]) -> Result<NamedTensors> {
        let s = &self.settings;
        let language = require(ID, inputs, "language", &[None, Some(s.language_width)])?;
        let batch = Some(language.dim(0)?);
        let vision = require(
            ID,
            inputs,
            "vision",
            &[batch, Some(s.cells()), Some(s.vision_width)],
        )?;
        let proprio = require(ID, inputs, "proprio", &[batch, Some(s.proprio_width)])?;
        let features = Tensor::cat(&[&vision.mean(1)?, &vision.max(1)?, language, proprio], 1)?;
        Ok(vec![("context".into(), self.project.forward(&features)?)])
    }

    fn reset(&mut self, _seed: u64) {}
}
