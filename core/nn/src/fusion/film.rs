//! The fusion `film`: language scales and shifts the vision channels, each channel says where it is.
//!
//! A spatial softmax per channel turns the modulated map into expected coordinates. It is simpler
//! than attention (no keys, no target point, no anchor) and needs more channels for as many objects.

use candle_core::Tensor;

use super::FusionSettings;
use super::widths::cell_coordinates;
use crate::kernels::{Activation, film_relu, softmax};
use crate::layers::Linear;
use crate::stage::parse_settings;
use crate::{NamedTensors, Params, Result, Stage, StageContext, StageKind, require};

const ID: &str = "film";

/// Language-modulated vision and proprioception to context and one attention map a channel.
///
/// # Shapes
/// `language` `[batch, language_width]`, `vision` `[batch, cells, vision_width]`, `proprio`
/// `[batch, proprio_width]` → `context` `[batch, context_width]`, not negative, and `attention`
/// `[batch, vision_width, cells]`, each map summing to 1.
///
/// # Source
/// Levine et al., "End-to-End Training of Deep Visuomotor Policies", section 5.1 (spatial softmax).
pub struct FilmFusion {
    settings: FusionSettings,
    modulate: Linear,
    project: Linear,
    coordinates: Tensor,
}

impl FilmFusion {
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
    /// As [`FilmFusion::from_json`].
    pub fn new(settings: FusionSettings, params: &Params<'_>) -> Result<Self> {
        settings.check(ID)?;
        let modulate = Linear::new(
            settings.language_width,
            2 * settings.vision_width,
            Activation::Linear,
            &params.sub("modulate"),
        )?;
        let inner = 2 * settings.vision_width + settings.language_width + settings.proprio_width;
        let project = Linear::new(
            inner,
            settings.context_width,
            Activation::Relu,
            &params.sub("project"),
        )?;
        Ok(Self {
            coordinates: cell_coordinates(settings.grid)?,
            settings,
            modulate,
            project,
        })
    }
}

impl Stage for FilmFusion {
    fn kind(&self) -> StageKind {
        StageKind::Fusion
    }

    fn input_roles(&self) -> Vec<&'static str> {
        vec!["language", "vision", "proprio"]
    }

    fn output_roles(&self) -> Vec<&'static str> {
        vec!["context", "attention"]
    }

    fn forward(&self, _ctx: &StageContext, inputs: &[(String, Tensor)]) -> Result<NamedTensors> {
        let s = &self.settings;
        let language = require(ID, inputs, "language", &[None, Some(s.language_width)])?;
        let batch = language.dim(0)?;
        let vision = require(
            ID,
            inputs,
            "vision",
            &[Some(batch), Some(s.cells()), Some(s.vision_width)],
        )?;
        let proprio = require(ID, inputs, "proprio", &[Some(batch), Some(s.proprio_width)])?;
        let both = self.modulate.forward(language)?.chunk(2, 1)?; // 2 x [batch, vision_width]
        let modulated = film_relu(vision, &both[0], &both[1])?; // [batch, cells, vision_width]
        let attention = softmax(&modulated.transpose(1, 2)?)?; // [batch, vision_width, cells]
        let rows = attention.reshape((batch * s.vision_width, s.cells()))?;
        let places = rows
            .matmul(&self.coordinates)?
            .reshape((batch, 2 * s.vision_width))?;
        let features = Tensor::cat(&[&places, language, proprio], 1)?;
        Ok(vec![
            ("context".into(), self.project.forward(&features)?),
            ("attention".into(), attention),
        ])
    }

    fn reset(&mut self, _seed: u64) {}
}
