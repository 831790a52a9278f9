//! Every first-party stage by name.

use crate::encoders::{ConvEncoder, PatchEncoder, Proprio, Words};
use crate::fusion::{ConcatFusion, CrossAttention, FilmFusion, FusionSettings};
use crate::heads::{ChunkHead, ProgressHead, SceneHead};
use crate::{NnError, Params, Result, Stage, StageEnv, StageKind};

/// What is known of a stage before it is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageInfo {
    /// Library that carries the plugin, the first half of its id: `encoders`, `fusion` or `heads`.
    pub library: &'static str,
    /// The second half of the id.
    pub name: &'static str,
    /// Encoder, fusion or head.
    pub kind: StageKind,
    /// One line for people.
    pub summary: &'static str,
    /// JSON schema of the settings.
    pub schema: &'static str,
}

/// All stages, in a fixed order.
#[must_use]
pub fn stage_infos() -> Vec<StageInfo> {
    let info = |kind, name, summary, schema| {
        let library = match kind {
            StageKind::Encoder => "encoders",
            StageKind::Fusion => "fusion",
            StageKind::Head => "heads",
        };
        StageInfo {
            library,
            name,
            kind,
            summary,
            schema,
        }
    };
    use StageKind::{Encoder, Fusion, Head};
    vec![
        info(
            Encoder,
            "words",
            "word embeddings read by learned queries",
            Words::SCHEMA,
        ),
        info(
            Encoder,
            "conv",
            "three convolutions to cells of four pixels, steered by language",
            ConvEncoder::SCHEMA,
        ),
        info(
            Encoder,
            "patch",
            "linear patches and a small transformer, steered by language",
            PatchEncoder::SCHEMA,
        ),
        info(
            Encoder,
            "proprio",
            "state, goal points and robot token side by side",
            Proprio::SCHEMA,
        ),
        info(
            Fusion,
            "cross_attention",
            "language asks the image where things are; latches an anchor",
            CrossAttention::SCHEMA,
        ),
        info(
            Fusion,
            "concat",
            "pooled vision, language and proprioception side by side",
            FusionSettings::SCHEMA,
        ),
        info(
            Fusion,
            "film",
            "language-modulated channels that each say where they are",
            FusionSettings::SCHEMA,
        ),
        info(
            Head,
            "chunk",
            "several networks that each predict the action chunk",
            ChunkHead::SCHEMA,
        ),
        info(
            Head,
            "progress",
            "probabilities of done and failing",
            ProgressHead::SCHEMA,
        ),
        info(
            Head,
            "scene",
            "objects with kind, colour and position",
            SceneHead::SCHEMA,
        ),
    ]
}

/// Builds a stage.
///
/// `id` is a plugin id (`encoders/conv`) or its second half; `settings` a JSON object (null reads
/// as all defaults); `params` the place of its parameters.
///
/// # Errors
/// An unknown id, bad settings, unreadable files of the bundle, or parameters that do not fit.
pub fn build_stage(
    id: &str,
    settings: &serde_json::Value,
    env: &StageEnv,
    params: &Params<'_>,
) -> Result<Box<dyn Stage>> {
    let infos = stage_infos();
    let unknown = || NnError::UnknownStage {
        id: id.to_string(),
        known: infos.iter().map(|i| i.name).collect(),
    };
    let name = match id.split_once('/') {
        Some((library, name)) if infos.iter().any(|i| i.library == library && i.name == name) => {
            name
        }
        Some(_) => return Err(unknown()),
        None => id,
    };
    Ok(match name {
        "words" => Box::new(Words::from_json(settings, env, params)?),
        "conv" => Box::new(ConvEncoder::from_json(settings, params)?),
        "patch" => Box::new(PatchEncoder::from_json(settings, params)?),
        "proprio" => Box::new(Proprio::from_json(settings, params)?),
        "cross_attention" => Box::new(CrossAttention::from_json(settings, params)?),
        "concat" => Box::new(ConcatFusion::from_json(settings, params)?),
        "film" => Box::new(FilmFusion::from_json(settings, params)?),
        "chunk" => Box::new(ChunkHead::from_json(settings, params)?),
        "progress" => Box::new(ProgressHead::from_json(settings, params)?),
        "scene" => Box::new(SceneHead::from_json(settings, params)?),
        _ => return Err(unknown()),
    })
}
