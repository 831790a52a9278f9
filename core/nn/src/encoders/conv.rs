//! The vision encoder `conv`: three convolutions to cells of four pixels, steered by language.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use crate::kernels::{Activation, Conv2d, InputLayout, film_relu};
use crate::layers::{ConvLayer, Linear};
use crate::stage::{check_size, parse_settings};
use crate::{NamedTensors, Params, Result, Stage, StageContext, StageKind, require};

const ID: &str = "conv";

/// Settings of [`ConvEncoder`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConvSettings {
    /// Height and width of the image (px), multiples of 4.
    pub image: [usize; 2],
    /// Channels after each of the three convolutions.
    pub channels: [usize; 3],
    /// Whether language scales and shifts the channels of the last two.
    pub film: bool,
    /// Features of the language encoder; read only with `film`.
    pub language_width: usize,
}

impl Default for ConvSettings {
    fn default() -> Self {
        Self {
            image: [96, 128],
            channels: [16, 32, 48],
            film: true,
            language_width: 192,
        }
    }
}

/// Image (and language) to one token per 4 × 4 px cell.
///
/// # Shapes
/// `image` f32 `[batch, 3, height, width]` in 0..1, with `film` also `language` `[batch, language_width]`
/// → `tokens` `[batch, (height / 4) * (width / 4), channels[2]]`, row-major, not negative.
pub struct ConvEncoder {
    settings: ConvSettings,
    convs: [ConvLayer; 3],
    film: Option<[Linear; 2]>,
}

impl ConvEncoder {
    /// JSON schema of the settings.
    pub const SCHEMA: &str = r#"{"type":"object","additionalProperties":false,"properties":{
"image":{"type":"array","items":{"type":"integer","minimum":8,"maximum":2048},"minItems":2,"maxItems":2,"default":[96,128],"description":"height and width in px, multiples of 4"},
"channels":{"type":"array","items":{"type":"integer","minimum":1,"maximum":1024},"minItems":3,"maxItems":3,"default":[16,32,48],"description":"channels after each convolution"},
"film":{"type":"boolean","default":true,"description":"whether language scales and shifts the channels"},
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
    /// As [`ConvEncoder::from_json`].
    pub fn new(settings: ConvSettings, params: &Params<'_>) -> Result<Self> {
        for side in settings.image {
            check_size(ID, "image", side, (8, 2048))?;
            check_size(ID, "image (remainder by 4)", side % 4, (0, 0))?;
        }
        for channels in settings.channels {
            check_size(ID, "channels", channels, (1, 1024))?;
        }
        check_size(ID, "language_width", settings.language_width, (1, 8192))?;
        let [c1, c2, c3] = settings.channels;
        // The first is followed by ReLU; without FiLM so are the others.
        let after = if settings.film {
            Activation::Linear
        } else {
            Activation::Relu
        };
        let halve = |layout, activation| Conv2d {
            layout,
            kernel: 4,
            stride: 2,
            padding: 1,
            activation,
        };
        let keep = Conv2d {
            layout: InputLayout::Nhwc,
            kernel: 3,
            stride: 1,
            padding: 1,
            activation: after,
        };
        let convs = [
            ConvLayer::new(
                3,
                c1,
                halve(InputLayout::Nchw, Activation::Relu),
                &params.sub("conv1"),
            )?,
            ConvLayer::new(
                c1,
                c2,
                halve(InputLayout::Nhwc, after),
                &params.sub("conv2"),
            )?,
            ConvLayer::new(c2, c3, keep, &params.sub("conv3"))?,
        ];
        let modulate = |channels, name| {
            Linear::new(
                settings.language_width,
                2 * channels,
                Activation::Linear,
                &params.sub(name),
            )
        };
        let film = if settings.film {
            Some([modulate(c2, "film2")?, modulate(c3, "film3")?])
        } else {
            None
        };
        Ok(Self {
            settings,
            convs,
            film,
        })
    }
}

/// `input` `[batch, …, channels]` with the scale and shift that `layer` makes of `language`.
pub(super) fn modulate(input: &Tensor, layer: &Linear, language: &Tensor) -> Result<Tensor> {
    let both = layer.forward(language)?.chunk(2, 1)?; // 2 x [batch, channels]
    Ok(film_relu(input, &both[0], &both[1])?)
}

impl Stage for ConvEncoder {
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
        let centred = image.affine(1.0, -0.5)?; // the zero padding of the convolution is mid grey
        let x = self.convs[0].forward(&centred)?; // [batch, height / 2, width / 2, c1]
        let x = self.convs[1].forward(&x)?; // [batch, height / 4, width / 4, c2]
        let x = match &self.film {
            None => self.convs[2].forward(&x)?, // [batch, height / 4, width / 4, c3]
            Some([film2, film3]) => {
                let language = require(
                    ID,
                    inputs,
                    "language",
                    &[None, Some(self.settings.language_width)],
                )?;
                let x = self.convs[2].forward(&modulate(&x, film2, language)?)?; // [.., c3]
                modulate(&x, film3, language)?
            }
        };
        Ok(vec![("tokens".into(), x.flatten(1, 2)?)]) // [batch, cells, c3]
    }

    fn reset(&mut self, _seed: u64) {}
}
