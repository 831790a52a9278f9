//! Softmax over the last dimension, and cross-entropy against a soft target.
//!
//! candle's fused softmax has no backward pass and its composed one is ten operations.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Error, Layout, Result, Shape, Tensor};

use super::floats::{floats, of_cpu};

struct Softmax;

/// Softmax over the last dimension.
///
/// # Errors
/// A scalar, or a dtype other than f32.
pub fn softmax(input: &Tensor) -> Result<Tensor> {
    input.contiguous()?.apply_op1(Softmax)
}

/// Cross-entropy `-Σ target · log softmax(logits)` of every row.
///
/// # Shapes
/// `logits` and `target` `[rows, classes]`; result `[rows]`. The target gets no gradient; a row
/// that sums to zero costs nothing.
///
/// # Errors
/// Different shapes, or a dtype other than f32.
pub fn soft_cross_entropy(logits: &Tensor, target: &Tensor) -> Result<Tensor> {
    logits
        .contiguous()?
        .apply_op2(&target.contiguous()?, SoftCrossEntropy)
}

fn last_dim(dims: &[usize]) -> Result<usize> {
    match dims.last() {
        Some(&n) if n > 0 => Ok(n),
        _ => Err(Error::Msg(format!(
            "softmax needs a last dimension, got shape {dims:?}"
        ))
        .bt()),
    }
}

/// Writes `softmax(row)` to `out` and returns `log Σ exp(row)`.
pub(super) fn softmax_row(row: &[f32], out: &mut [f32]) -> f32 {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for (to, x) in out.iter_mut().zip(row) {
        *to = (x - top).exp();
        sum += *to;
    }
    for to in out.iter_mut() {
        *to /= sum;
    }
    top + sum.ln()
}

impl CustomOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let n = last_dim(layout.dims())?;
        let x = of_cpu(storage, layout)?;
        let mut out = vec![0.0; x.len()];
        for (row, to) in x.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
            softmax_row(row, to);
        }
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, input: &Tensor, result: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let n = last_dim(input.dims())?;
        floats!(y = result);
        floats!(g = grad);
        let mut out = Vec::with_capacity(y.len());
        for (y, g) in y.chunks_exact(n).zip(g.chunks_exact(n)) {
            let dot: f32 = y.iter().zip(g).map(|(y, g)| y * g).sum();
            out.extend(y.iter().zip(g).map(|(y, g)| y * (g - dot)));
        }
        Ok(Some(Tensor::from_vec(out, input.dims(), input.device())?))
    }
}

struct SoftCrossEntropy;

impl CustomOp2 for SoftCrossEntropy {
    fn name(&self) -> &'static str {
        "soft-cross-entropy"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (&[rows, n], true) = (l1.dims(), l1.dims() == l2.dims()) else {
            return Err(Error::Msg(format!(
                "cross-entropy: logits {:?} and target {:?} differ",
                l1.dims(),
                l2.dims()
            ))
            .bt());
        };
        let (x, t) = (of_cpu(s1, l1)?, of_cpu(s2, l2)?);
        let mut scratch = vec![0.0; n];
        let losses = x
            .chunks_exact(n.max(1))
            .zip(t.chunks_exact(n.max(1)))
            .map(|(x, t)| {
                let log_sum = softmax_row(x, &mut scratch);
                x.iter().zip(t).map(|(x, t)| t * (log_sum - x)).sum()
            })
            .collect();
        Ok((CpuStorage::F32(losses), Shape::from(rows)))
    }

    fn bwd(
        &self,
        logits: &Tensor,
        target: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let n = last_dim(logits.dims())?;
        floats!(x = logits);
        floats!(t = target);
        floats!(g = grad);
        let mut out = vec![0.0; x.len()];
        let rows = x
            .chunks_exact(n)
            .zip(t.chunks_exact(n))
            .zip(out.chunks_exact_mut(n));
        for (((x, t), out), g) in rows.zip(g) {
            softmax_row(x, out);
            let mass: f32 = t.iter().sum();
            for (to, t) in out.iter_mut().zip(t) {
                *to = (*to * mass - t) * g;
            }
        }
        Ok((
            Some(Tensor::from_vec(out, logits.dims(), logits.device())?),
            None,
        ))
    }
}
