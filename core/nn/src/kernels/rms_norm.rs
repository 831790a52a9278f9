//! Root-mean-square normalisation with a backward pass.

use candle_core::{CpuStorage, CustomOp2, Error, Layout, Result, Shape, Tensor};

use super::floats::{floats, of_cpu};

struct RmsNorm {
    epsilon: f32,
}

/// Divides each row by its root mean square and scales it.
///
/// # Shapes
/// `input` `[…, channels]`, `gain` `[channels]`; result as `input`.
///
/// # Errors
/// Shapes that do not fit, or a dtype other than f32.
pub fn rms_norm(input: &Tensor, gain: &Tensor, epsilon: f32) -> Result<Tensor> {
    input
        .contiguous()?
        .apply_op2(&gain.contiguous()?, RmsNorm { epsilon })
}

fn width(x: &[usize], gain: &[usize]) -> Result<usize> {
    match (x.last(), gain) {
        (Some(n), [a]) if n == a && *n > 0 => Ok(*n),
        _ => Err(Error::Msg(format!(
            "rms norm: input {x:?} and gain {gain:?} do not fit"
        ))
        .bt()),
    }
}

impl RmsNorm {
    fn scale(&self, row: &[f32]) -> f32 {
        let mean = row.iter().map(|x| x * x).sum::<f32>() / row.len() as f32;
        1.0 / (mean + self.epsilon).sqrt()
    }
}

impl CustomOp2 for RmsNorm {
    fn name(&self) -> &'static str {
        "rms-norm"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let n = width(l1.dims(), l2.dims())?;
        let (x, gain) = (of_cpu(s1, l1)?, of_cpu(s2, l2)?);
        let mut out = Vec::with_capacity(x.len());
        for row in x.chunks_exact(n) {
            let scale = self.scale(row);
            out.extend(row.iter().zip(gain).map(|(x, a)| x * scale * a));
        }
        Ok((CpuStorage::F32(out), l1.shape().clone()))
    }

    fn bwd(
        &self,
        input: &Tensor,
        gain: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let n = width(input.dims(), gain.dims())?;
        floats!(x = input);
        floats!(a = gain);
        floats!(g = grad);
        let mut grad_x = Vec::with_capacity(x.len());
        let mut grad_a = vec![0.0; n];
        for (row, g) in x.chunks_exact(n).zip(g.chunks_exact(n)) {
            let scale = self.scale(row);
            let mut dot = 0.0;
            for c in 0..n {
                grad_a[c] += g[c] * row[c] * scale;
                dot += g[c] * a[c] * row[c];
            }
            let shared = dot * scale * scale * scale / n as f32;
            grad_x.extend((0..n).map(|c| g[c] * a[c] * scale - row[c] * shared));
        }
        Ok((
            Some(Tensor::from_vec(grad_x, input.dims(), input.device())?),
            Some(Tensor::from_vec(grad_a, n, gain.device())?),
        ))
    }
}
