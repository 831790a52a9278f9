//! The loss of the policy: actions, gripper, progress, target and attention.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use vola_nn::{
    heads::{binary_cross_entropy, smooth_distance},
    kernels::soft_cross_entropy,
};

use crate::{Batch, LossConfig, PolicyFile, Result, Rng, TrainError};

/// Weight of the first and the last row of a chunk: near rows are executed, far ones rarely.
const ROW_WEIGHTS: (f32, f32) = (1.5, 0.5);
/// Normalised positions are in 15 cm; the target loss is per 10 cm.
const TARGET_UNITS: f64 = 1.5;

/// Names of the tensors the loss reads.
pub(crate) struct PolicyNames {
    steps: String,
    gripper: String,
    progress: Option<String>,
    target: Option<String>,
    logits: Option<String>,
    turn: Option<String>,
    /// Tensors that make the chain run every stage of the policy.
    pub(crate) wanted: Vec<String>,
}

impl PolicyNames {
    /// Finds the names in a bundle's list of stages.
    ///
    /// # Errors
    /// A bundle without an action head.
    pub(crate) fn new(policy: &PolicyFile, path: &std::path::Path) -> Result<Self> {
        let output =
            |id: &str, role: usize| policy.stage(id).and_then(|s| s.outputs.get(role).cloned());
        let (Some(steps), Some(gripper), Some(action)) = (
            policy.training_output("heads/chunk", "steps"),
            policy.training_output("heads/chunk", "gripper_logits"),
            output("heads/chunk", 0),
        ) else {
            return Err(TrainError::Config {
                path: path.to_path_buf(),
                key: "stage".into(),
                reason: "expected a stage with the plugin `heads/chunk`, got none".into(),
                help: "training needs an action head",
            });
        };
        let mut wanted = vec![action];
        wanted.extend(output("heads/progress", 0));
        Ok(Self {
            steps,
            gripper,
            progress: policy.training_output("heads/progress", "logits"),
            target: output("fusion/cross_attention", 2),
            logits: policy.training_output("fusion/cross_attention", "logits"),
            turn: policy.training_output("fusion/cross_attention", "turn"),
            wanted,
        })
    }
}

/// A loss and its parts, weighted as they are summed.
pub(crate) struct Loss {
    pub(crate) total: Tensor,
    pub(crate) parts: BTreeMap<&'static str, f64>,
}

impl Loss {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            total: Tensor::zeros((), DType::F32, &Device::Cpu)?,
            parts: BTreeMap::new(),
        })
    }

    /// Adds `weight * part` and notes the unweighted part.
    pub(crate) fn add(&mut self, name: &'static str, weight: f64, part: &Tensor) -> Result<()> {
        self.total = (&self.total + (part * weight)?)?;
        self.parts.insert(name, f64::from(part.to_scalar::<f32>()?));
        Ok(())
    }

    /// Adds `weight * Σ values · mask / Σ mask`, the mask broadcast over the values. Where the mask
    /// is empty nothing is added: parameters that only this part would teach stay as they are.
    fn add_masked(
        &mut self,
        name: &'static str,
        weight: f64,
        values: &Tensor,
        mask: &Tensor,
    ) -> Result<()> {
        let spread = mask.broadcast_as(values.shape())?;
        let count = f64::from(spread.sum_all()?.to_scalar::<f32>()?);
        if !(count > 0.0) {
            return Ok(());
        }
        let mean = ((values * spread)?.sum_all()? / count.max(1.0))?;
        self.add(name, weight, &mean)
    }
}

/// The loss of one batch, of the outputs `out` of the chain.
///
/// # Errors
/// A missing output or a shape that does not fit.
pub(crate) fn policy_loss(
    names: &PolicyNames,
    out: &BTreeMap<String, Tensor>,
    batch: &Batch,
    weights: &LossConfig,
    rng: &mut Rng,
) -> Result<Loss> {
    let get = |name: &str| {
        out.get(name).ok_or_else(|| TrainError::Worker {
            worker: 0,
            reason: format!(
                "the chain gave no `{name}`, only {:?}",
                out.keys().collect::<Vec<_>>()
            ),
        })
    };
    let mut loss = Loss::new()?;
    let steps = get(&names.steps)?; // [batch, heads, horizon, 6]
    let (count, heads, horizon, _) = steps.dims4()?;

    // Each network sees its own part of the samples, so that they disagree where data is thin.
    let shown: Vec<f32> = (0..count * heads)
        .map(|_| f32::from(u8::from(rng.chance(weights.head_share))))
        .collect();
    let shown = Tensor::from_vec(shown, (count, heads), &Device::Cpu)?
        .broadcast_mul(&batch.action_mask.unsqueeze(1)?)?;
    let ramp: Vec<f32> = (0..horizon)
        .map(|i| {
            ROW_WEIGHTS.0 + (ROW_WEIGHTS.1 - ROW_WEIGHTS.0) * i as f32 / (horizon.max(2) - 1) as f32
        })
        .collect();
    let ramp = Tensor::from_vec(ramp, (1, 1, horizon, 1), &Device::Cpu)?;
    let distance = smooth_distance(&steps.broadcast_sub(&batch.steps.unsqueeze(1)?)?.abs()?)?
        .broadcast_mul(&ramp)?;
    loss.add_masked(
        "action",
        weights.action,
        &distance,
        &shown.reshape((count, heads, 1, 1))?,
    )?;
    let logits = get(&names.gripper)?; // [batch, heads, horizon]
    let gripper = batch
        .gripper
        .unsqueeze(1)?
        .broadcast_as(logits.shape())?
        .contiguous()?;
    loss.add_masked(
        "gripper",
        weights.gripper,
        &binary_cross_entropy(logits, &gripper)?,
        &shown.unsqueeze(2)?,
    )?;

    if let Some(name) = &names.progress {
        let entropy = binary_cross_entropy(get(name)?, &batch.progress)?; // [batch, 2]
        for (column, (name, weight)) in [("done", weights.done), ("failing", weights.failing)]
            .into_iter()
            .enumerate()
        {
            loss.add_masked(
                name,
                weight,
                &entropy.narrow(1, column, 1)?,
                &batch.progress_mask.narrow(1, column, 1)?,
            )?;
        }
    }
    if let Some(name) = &names.target {
        let distance = (get(name)? - &batch.target)?.abs()?; // [batch, 3]
        loss.add_masked(
            "target",
            weights.target * TARGET_UNITS,
            &distance,
            &batch.target_mask,
        )?;
    }
    if let Some(name) = &names.turn {
        let distance = (get(name)? - &batch.turn)?.abs()?; // [batch, 2]
        loss.add_masked("turn", weights.turn, &distance, &batch.turn_mask)?;
    }
    if let Some(name) = &names.logits {
        let first = get(name)?.narrow(1, 0, 1)?.squeeze(1)?; // [batch, cells]
        let entropy = soft_cross_entropy(&first, &batch.attention)?; // [batch]
        let taught = batch.attention.sum(1)?; // 1 where there is a target
        let grounded = (&taught * &batch.grounding_mask)?;
        let acted = (&taught - &grounded)?;
        loss.add_masked("attention", weights.attention, &entropy, &acted)?;
        loss.add_masked("grounding", weights.grounding, &entropy, &grounded)?;
    }
    Ok(loss)
}
