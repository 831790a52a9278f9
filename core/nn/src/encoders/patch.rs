//! The vision encoder `patch`: linear patches and a small transformer.
//!
//! It localises less sharply than [`ConvEncoder`](super::ConvEncoder) at the same cost, but sees
//! the whole image at once; it is the starting point for larger images.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::conv::modulate;
use crate::kernels::{Activation, Conv2d, InputLayout, softmax};
use crate::layers::{ConvLayer, Linear, Mlp, Norm};
use crate::stage::{check_size, parse_settings};
use crate::{Init, NamedTensors, NnError, Params, Result, Stage, StageContext, StageKind, require};

const ID: &str = "patch";

/// Settings of [`PatchEncoder`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PatchSettings {
    /// Height and width of the image (px), multiples of `patch`.
    pub image: [usize; 2],
    /// Side of a patch (px).
    pub patch: usize,
    /// Features of a token, a multiple of `heads`.
    pub width: usize,
    /// Transformer blocks.
    pub layers: usize,
    /// Attention heads.
    pub heads: usize,
    /// Whether language scales and shifts the tokens before the first block.
    pub film: bool,
    /// Features of the language encoder; read only with `film`.
    pub language_width: usize,
}

impl Default for PatchSettings {
    fn default() -> Self {
        Self {
            image: [96, 128],
            patch: 8,
            width: 96,
            layers: 2,
            heads: 4,
            film: true,
            language_width: 192,
        }
    }
}

/// Image (and language) to one token per patch.
///
/// # Shapes
/// `image` f32 `[batch, 3, height, width]` in 0..1, with `film` also `language` `[batch, language_width]`
/// → `tokens` `[batch, patches, width]`, row-major.
pub struct PatchEncoder {
    settings: PatchSettings,
    embed: ConvLayer,
    position: Tensor,
    film: Option<Linear>,
    blocks: Vec<Block>,
    norm: Norm,
}

/// One transformer block, normalised before each half.
struct Block {
    norm1: Norm,
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    norm2: Norm,
    mlp: Mlp,
    heads: usize,
}

impl Block {
    fn new(width: usize, heads: usize, params: &Params<'_>) -> Result<Self> {
        let square = |name| Linear::new(width, width, Activation::Linear, &params.sub(name));
        Ok(Self {
            norm1: Norm::new(width, &params.sub("norm1"))?,
            query: square("query")?,
            key: square("key")?,
            value: square("value")?,
            out: square("out")?,
            norm2: Norm::new(width, &params.sub("norm2"))?,
            mlp: Mlp::new(&[width, 2 * width, width], &params.sub("mlp"))?,
            heads,
        })
    }

    /// `[batch, tokens, width]` → the same.
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (batch, tokens, width) = x.dims3()?;
        let normed = self.norm1.forward(x)?;
        let split = |layer: &Linear| -> Result<Tensor> {
            let y =
                layer
                    .forward(&normed)?
                    .reshape((batch, tokens, self.heads, width / self.heads))?;
            Ok(y.transpose(1, 2)?.contiguous()?) // [batch, heads, tokens, width / heads]
        };
        let scale = 1.0 / ((width / self.heads) as f64).sqrt();
        let scores = (split(&self.query)?
            .matmul(&split(&self.key)?.transpose(2, 3)?.contiguous()?)?
            * scale)?; // [batch, heads, tokens, tokens]
        let mixed = softmax(&scores)?.matmul(&split(&self.value)?)?; // [batch, heads, tokens, width / heads]
        let mixed = mixed
            .transpose(1, 2)?
            .contiguous()?
            .reshape((batch, tokens, width))?;
        let x = (x + self.out.forward(&mixed)?)?;
        Ok((&x + self.mlp.forward(&self.norm2.forward(&x)?)?)?)
    }
}

impl PatchEncoder {
    /// JSON schema of the settings.
    pub const SCHEMA: &str = r#"{"type":"object","additionalProperties":false,"properties":{
"image":{"type":"array","items":{"type":"integer","minimum":8,"maximum":2048},"minItems":2,"maxItems":2,"default":[96,128],"description":"height and width in px, multiples of patch"},
"patch":{"type":"integer","minimum":2,"maximum":64,"default":8,"description":"side of a patch in px"},
"width":{"type":"integer","minimum":8,"maximum":1024,"default":96,"description":"features of a token, a multiple of heads"},
"layers":{"type":"integer","minimum":1,"maximum":24,"default":2,"description":"transformer blocks"},
"heads":{"type":"integer","minimum":1,"maximum":16,"default":4,"description":"attention heads"},
"film":{"type":"boolean","default":true,"description":"whether language scales and shifts the tokens"},
"language_width":{"type":"integer","minimum":1,"maximum":8192,"default":192,"description":"features of the language encoder"}}}"#;

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
    /// As [`PatchEncoder::from_json`].
    pub fn new(settings: PatchSettings, params: &Params<'_>) -> Result<Self> {
        check_size(ID, "patch", settings.patch, (2, 64))?;
        check_size(ID, "width", settings.width, (8, 1024))?;
        check_size(ID, "layers", settings.layers, (1, 24))?;
        check_size(ID, "heads", settings.heads, (1, 16))?;
        check_size(ID, "language_width", settings.language_width, (1, 8192))?;
        let [height, width] = settings.image;
        if !height.is_multiple_of(settings.patch)
            || !width.is_multiple_of(settings.patch)
            || !settings.width.is_multiple_of(settings.heads)
            || height * width == 0
        {
            let reason = format!(
                "image {height} x {width} must be divisible by patch {}, and width {} by heads {}",
                settings.patch, settings.width, settings.heads
            );
            return Err(NnError::Settings { stage: ID, reason });
        }
        let tokens = (height / settings.patch) * (width / settings.patch);
        let conv = Conv2d {
            layout: InputLayout::Nchw,
            kernel: settings.patch,
            stride: settings.patch,
            padding: 0,
            activation: Activation::Linear,
        };
        let film = settings.film.then(|| {
            Linear::new(
                settings.language_width,
                2 * settings.width,
                Activation::Linear,
                &params.sub("film"),
            )
        });
        Ok(Self {
            embed: ConvLayer::new(3, settings.width, conv, &params.sub("embed"))?,
            position: params.get("position", &[tokens, settings.width], Init::Normal(0.02))?,
            film: film.transpose()?,
            blocks: (0..settings.layers)
                .map(|i| {
                    Block::new(
                        settings.width,
                        settings.heads,
                        &params.sub(&format!("block{i}")),
                    )
                })
                .collect::<Result<_>>()?,
            norm: Norm::new(settings.width, &params.sub("norm"))?,
            settings,
        })
    }
}

impl Stage for PatchEncoder {
    fn kind(&self) -> StageKind {
        StageKind::Encoder
    }

    fn input_roles(&self) -> Vec<&'static str> {
        if self.film.is_some() {
            vec!["image", "language"]
        } else {
            vec!["image"]
        }
    }

    fn output_roles(&self) -> Vec<&'static str> {
        vec!["tokens"]
    }

    fn forward(&self, _ctx: &StageContext, inputs: &[(String, Tensor)]) -> Result<NamedTensors> {
        let [height, width] = self.settings.image;
        let image = require(
            ID,
            inputs,
            "image",
            &[None, Some(3), Some(height), Some(width)],
        )?;
        let x = self
            .embed
            .forward(&image.affine(1.0, -0.5)?)?
            .flatten(1, 2)?; // [batch, tokens, width]
        let mut x = x.broadcast_add(&self.position)?;
        if let Some(film) = &self.film {
            let language = require(
                ID,
                inputs,
                "language",
                &[None, Some(self.settings.language_width)],
            )?;
            x = modulate(&x, film, language)?;
        }
        for block in &self.blocks {
            x = block.forward(&x)?;
        }
        Ok(vec![("tokens".into(), self.norm.forward(&x)?)])
    }

    fn reset(&mut self, _seed: u64) {}
}
