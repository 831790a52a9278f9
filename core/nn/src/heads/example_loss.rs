//! What training and fine-tuning compare chunks and probabilities with.

use candle_core::{Device, Tensor};

use crate::Result;

/// Differences under which an error counts by its square, for translation and rotation, in
/// normalised units. Most rows do not turn at all: by absolute differences alone, whose pull is the
/// same however small they are, a head learns never to turn.
const SMOOTH_BELOW: [f32; 2] = [0.05, 0.25];
/// Weights of translation and rotation.
const PART_WEIGHTS: [f32; 2] = [1.0, 2.0];

/// Absolute differences `[…, columns]` of steps, squared where they are small; the first three
/// columns are translation, the rest rotation.
///
/// # Errors
/// A failing tensor operation.
pub fn smooth_distance(difference: &Tensor) -> Result<Tensor> {
    let columns = difference.dim(candle_core::D::Minus1)?;
    let row = |values: [f32; 2]| {
        let all = (0..columns).map(|column| values[usize::from(column >= 3)]);
        Tensor::from_vec(all.collect::<Vec<_>>(), columns, &Device::Cpu)
    };
    let below = row(SMOOTH_BELOW)?;
    // The part of each difference below its limit, by a ReLU that has a gradient.
    let small = below.broadcast_sub(&below.broadcast_sub(difference)?.relu()?)?;
    let squared = small.sqr()?.broadcast_div(&(below * 2.0)?)?;
    let smooth = (squared + (difference - small)?)?;
    Ok(smooth.broadcast_mul(&row(PART_WEIGHTS)?)?)
}

/// Binary cross-entropy of every logit, stable for large ones.
///
/// # Errors
/// Shapes that differ.
pub fn binary_cross_entropy(logits: &Tensor, target: &Tensor) -> Result<Tensor> {
    let soft = ((logits.abs()?.neg()?.exp()? + 1.0)?).log()?;
    Ok(((logits.relu()? - (logits * target)?)? + soft)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_differences_count_by_their_square() {
        let distance = |translation: f32, rotation: f32| {
            let row = [translation, 0.0, 0.0, rotation, 0.0, 0.0];
            let difference = Tensor::from_slice(&row, (1, 6), &Device::Cpu).unwrap();
            smooth_distance(&difference)
                .unwrap()
                .sum_all()
                .unwrap()
                .to_scalar::<f32>()
                .unwrap()
        };
        let near = |a: f32, b: f32| assert!((a - b).abs() < 1e-6, "{a} {b}");
        near(distance(0.02, 0.0), 0.02 * 0.02 / 0.1);
        near(distance(1.0, 0.0), 1.0 - 0.025);
        near(distance(0.0, 0.1), 2.0 * 0.1 * 0.1 / 0.5);
        near(distance(0.0, 1.0), 2.0 * (1.0 - 0.125));
        // Both meet without a step.
        near(distance(0.05, 0.25), 0.025 + 2.0 * 0.125);
    }
}
