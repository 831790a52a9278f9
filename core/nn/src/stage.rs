//! What every stage of a policy is: named tensors in, named tensors out.

use std::path::PathBuf;

use candle_core::Tensor;
use serde::de::DeserializeOwned;

use crate::{NnError, Result};

/// Tensors by name, in a fixed order. Inside a stage the names are *roles* (`image`, `language`);
/// in the graph they are tensor names (`observation.images.front`). Every tensor has a leading
/// batch dimension.
pub type NamedTensors = Vec<(String, Tensor)>;

/// The place of a stage in a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageKind {
    /// Observation to features.
    Encoder,
    /// Features to context.
    Fusion,
    /// Context to actions, progress or a scene.
    Head,
}

/// What holds for one call of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageContext {
    /// Seed of the episode.
    pub seed: u64,
    /// Calls since the last reset; 0 latches what a stage remembers of the first one.
    pub step: u64,
    /// In training a stage also returns what only losses need (logits), remembers nothing and
    /// reads the roles that are given in training alone.
    pub mode: Mode,
}

/// Whether a call is part of training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// On a robot, or in an evaluation.
    Run,
    /// Inside a training step.
    Train,
}

impl StageContext {
    /// A call on the robot.
    #[must_use]
    pub fn run(seed: u64, step: u64) -> Self {
        Self {
            seed,
            step,
            mode: Mode::Run,
        }
    }

    /// A call inside a training step.
    #[must_use]
    pub fn train() -> Self {
        Self {
            seed: 0,
            step: 0,
            mode: Mode::Train,
        }
    }
}

/// What a stage may read when it is built, besides its settings and parameters.
#[derive(Clone, Debug)]
pub struct StageEnv {
    /// The folder of the bundle, for files such as `tokenizer.json`.
    pub bundle: PathBuf,
}

/// One encoder, fusion or head.
///
/// The owner calls `reset` before each episode and `forward` once a policy step, on one thread;
/// training calls `forward` from several threads at once.
pub trait Stage: Send + Sync {
    /// Encoder, fusion or head.
    fn kind(&self) -> StageKind;

    /// Inputs in the order in which the stage's `inputs` in `policy.toml` are bound to them.
    fn input_roles(&self) -> Vec<&'static str>;

    /// Further inputs that are given by tensor name, in training alone.
    fn training_roles(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// Outputs in the order in which the stage's `outputs` in `policy.toml` are bound to them.
    fn output_roles(&self) -> Vec<&'static str>;

    /// Computes the outputs, in the order of the roles; in training further ones may follow.
    ///
    /// # Errors
    /// A missing role, a shape that does not fit, or a failing tensor operation. The stage stays
    /// usable.
    fn forward(&self, ctx: &StageContext, inputs: &[(String, Tensor)]) -> Result<NamedTensors>;

    /// Forgets everything of the last episode.
    fn reset(&mut self, seed: u64);

    /// How far the outputs are from wanted ones, for stages that can be fine-tuned on examples;
    /// nothing for all others.
    ///
    /// # Shapes
    /// `examples` hold every input and every output by role, each with a leading batch dimension;
    /// an output may have the dimension of its samples or lack it. → `[batch, members]`: a loss
    /// for each example and each network that is taught on its own.
    ///
    /// # Errors
    /// A missing role, a shape that does not fit, or a failing tensor operation.
    fn example_loss(&self, examples: &[(String, Tensor)]) -> Result<Option<Tensor>> {
        let _ = examples;
        Ok(None)
    }

    /// Whether the stage has an [`example_loss`](Self::example_loss).
    fn is_adaptable(&self) -> bool {
        false
    }
}

/// The tensor of a role, if it was given.
#[must_use]
pub fn find<'a>(inputs: &'a [(String, Tensor)], role: &str) -> Option<&'a Tensor> {
    inputs
        .iter()
        .find(|(name, _)| name == role)
        .map(|(_, tensor)| tensor)
}

/// The tensor of a role, with a checked shape; `None` in `dims` allows any size.
///
/// # Errors
/// The role is missing or has another shape; `stage` names who asks.
pub fn require<'a>(
    stage: &'static str,
    inputs: &'a [(String, Tensor)],
    role: &str,
    dims: &[Option<usize>],
) -> Result<&'a Tensor> {
    let Some(tensor) = find(inputs, role) else {
        let got = inputs.iter().map(|(name, _)| name.clone()).collect();
        return Err(NnError::MissingRole {
            stage,
            role: role.to_string(),
            got,
        });
    };
    let fits = tensor.dims().len() == dims.len()
        && tensor
            .dims()
            .iter()
            .zip(dims)
            .all(|(got, want)| want.is_none_or(|w| w == *got));
    if fits {
        return Ok(tensor);
    }
    let expected: Vec<String> = dims
        .iter()
        .map(|d| d.map_or("any".to_string(), |d| d.to_string()))
        .collect();
    Err(NnError::Shape {
        what: format!("{stage}.{role}"),
        expected: format!("[{}]", expected.join(", ")),
        got: tensor.dims().to_vec(),
    })
}

/// Reads the settings of a stage; an absent table reads as all defaults.
pub(crate) fn parse_settings<T: DeserializeOwned>(
    stage: &'static str,
    settings: &serde_json::Value,
) -> Result<T> {
    let value = if settings.is_null() {
        serde_json::json!({})
    } else {
        settings.clone()
    };
    serde_json::from_value(value).map_err(|e| NnError::Settings {
        stage,
        reason: e.to_string(),
    })
}

/// Refuses a size outside `[low, high]`.
pub(crate) fn check_size(
    stage: &'static str,
    key: &str,
    value: usize,
    (low, high): (usize, usize),
) -> Result<()> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(NnError::Settings {
        stage,
        reason: format!("{key}: expected {low} to {high}, got {value}"),
    })
}
