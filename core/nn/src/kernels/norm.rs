//! Layer normalisation with a backward pass (candle's fused one has none).

use candle_core::{CpuStorage, CustomOp3, Error, Layout, Result, Shape, Tensor};

use super::floats::{floats, of_cpu};

/// Added to the variance, as in most published networks.
const EPSILON: f32 = 1e-5;

struct LayerNorm;

/// Normalises the last dimension to mean 0 and variance 1, then scales and shifts it.
///
/// # Shapes
/// `input` `[…, channels]`, `gain` and `offset` `[channels]`; result as `input`.
///
/// # Errors
/// Shapes that do not fit, or a dtype other than f32.
pub fn layer_norm(input: &Tensor, gain: &Tensor, offset: &Tensor) -> Result<Tensor> {
    input
        .contiguous()?
        .apply_op3(&gain.contiguous()?, &offset.contiguous()?, LayerNorm)
}

/// Mean and reciprocal standard deviation of a row.
fn moments(row: &[f32]) -> (f32, f32) {
    let n = row.len() as f32;
    let mean = row.iter().sum::<f32>() / n;
    let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / n;
    (mean, 1.0 / (variance + EPSILON).sqrt())
}

impl CustomOp3 for LayerNorm {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let n = match (l1.dims().last(), l2.dims(), l3.dims()) {
            (Some(n), [a], [b]) if n == a && n == b && *n > 0 => *n,
            (_, a, b) => {
                return Err(Error::Msg(format!(
                    "layer norm: input {:?}, gain {a:?} and offset {b:?} do not fit",
                    l1.dims()
                ))
                .bt());
            }
        };
        let (x, gain, offset) = (of_cpu(s1, l1)?, of_cpu(s2, l2)?, of_cpu(s3, l3)?);
        let mut out = Vec::with_capacity(x.len());
        for row in x.chunks_exact(n) {
            let (mean, scale) = moments(row);
            out.extend(
                row.iter()
                    .zip(gain)
                    .zip(offset)
                    .map(|((x, a), b)| (x - mean) * scale * a + b),
            );
        }
        Ok((CpuStorage::F32(out), l1.shape().clone()))
    }

    fn bwd(
        &self,
        input: &Tensor,
        gain: &Tensor,
        offset: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let n = gain.dims1()?;
        floats!(x = input);
        floats!(a = gain);
        floats!(g = grad);
        let mut grad_x = Vec::with_capacity(x.len());
        let (mut grad_a, mut grad_b) = (vec![0.0; n], vec![0.0; n]);
        for (row, g) in x.chunks_exact(n).zip(g.chunks_exact(n)) {
            let (mean, scale) = moments(row);
            let (mut sum, mut dot) = (0.0, 0.0);
            for c in 0..n {
                let unit = (row[c] - mean) * scale;
                grad_a[c] += g[c] * unit;
                grad_b[c] += g[c];
                sum += g[c] * a[c];
                dot += g[c] * a[c] * unit;
            }
            let (sum, dot) = (sum / n as f32, dot / n as f32);
            grad_x.extend(
                (0..n).map(|c| scale * (g[c] * a[c] - sum - (row[c] - mean) * scale * dot)),
            );
        }
        Ok((
            Some(Tensor::from_vec(grad_x, input.dims(), input.device())?),
            Some(Tensor::from_vec(grad_a, n, gain.device())?),
            Some(Tensor::from_vec(grad_b, n, offset.device())?),
        ))
    }
}
