//! The loss of the scene head: centres, colours, positions, openness.

use candle_core::Tensor;
use vola_nn::heads::{COLORS, KINDS, SceneChannels, binary_cross_entropy};
use vola_nn::kernels::{centre_focal, soft_cross_entropy};

use crate::policy_loss::Loss;
use crate::scene_target::SceneTarget;
use crate::{LossConfig, Result};

/// The loss of the raw output `[batch, cells, 33]`.
///
/// # Errors
/// A shape that does not fit.
pub(crate) fn scene_loss(raw: &Tensor, target: &SceneTarget, weights: &LossConfig) -> Result<Loss> {
    let mut loss = Loss::new()?;
    let heat = raw.narrow(2, SceneChannels::HEAT, KINDS)?;
    let heat = centre_focal(&heat, &target.heat)?.sum_all()?;
    loss.add(
        "scene_heat",
        weights.scene_heat,
        &(heat / target.centres.max(1) as f64)?,
    )?;

    let flat = raw.flatten(0, 1)?; // [batch * cells, 33]
    let (mut colors, mut openness) = (Vec::new(), None);
    let (mut positions, mut position_weights) = (Vec::new(), Vec::new());
    for kind in &target.kinds {
        let near = flat.index_select(&kind.near, 0)?; // [near, 33]
        let position = near.narrow(1, SceneChannels::position(kind.kind), 3)?;
        positions.push(
            (position - &kind.position)?
                .abs()?
                .broadcast_mul(&kind.weight)?,
        );
        position_weights.push(kind.weight.clone());
        match SceneChannels::color(kind.kind) {
            Some(first) => {
                let color = near.narrow(1, first, COLORS)?;
                colors.push(soft_cross_entropy(&color, &kind.color)?);
            }
            None => {
                let logit = near.narrow(1, SceneChannels::EXTRA, 1)?;
                openness = Some(binary_cross_entropy(&logit, &kind.openness)?.mean_all()?);
            }
        }
    }
    if !colors.is_empty() {
        loss.add(
            "scene_color",
            weights.scene_color,
            &Tensor::cat(&colors, 0)?.mean_all()?,
        )?;
    }
    if !positions.is_empty() {
        let sum = Tensor::cat(&positions, 0)?.sum_all()?;
        let weight = (Tensor::cat(&position_weights, 0)?.sum_all()? * 3.0)?;
        loss.add("scene_position", weights.scene_position, &(sum / weight)?)?;
    }
    if let Some(openness) = openness {
        loss.add("scene_extra", weights.scene_extra, &openness)?;
    }
    Ok(loss)
}
