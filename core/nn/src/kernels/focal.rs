//! The penalty-reduced focal loss of centre heat maps.

use candle_core::{CpuStorage, CustomOp2, Error, Layout, Result, Shape, Tensor};

use super::floats::{floats, of_cpu};

struct CentreFocal;

/// Loss of every cell of a heat map against a target with peaks of 1.
///
/// A target of 1 is a centre: `-(1-p)² log p`. Below 1 it is background, the closer to a centre
/// the less it costs: `-(1-t)⁴ p² log(1-p)`. A negative target is ignored.
///
/// # Shapes
/// `logits` and `target` equal; result the same. The target gets no gradient.
///
/// # Source
/// Zhou, Wang, Krähenbühl, "Objects as Points", equation 1, with α = 2 and β = 4.
///
/// # Errors
/// Different shapes, or a dtype other than f32.
pub fn centre_focal(logits: &Tensor, target: &Tensor) -> Result<Tensor> {
    logits
        .contiguous()?
        .apply_op2(&target.contiguous()?, CentreFocal)
}

/// `(p, log p, log(1 - p))` for a logit, without overflow.
fn log_probabilities(x: f32) -> (f32, f32, f32) {
    let soft = (-x.abs()).exp().ln_1p();
    let (log_p, log_q) = (x.min(0.0) - soft, (-x).min(0.0) - soft);
    (log_p.exp(), log_p, log_q)
}

/// Weight of a background cell.
fn background(target: f32) -> f32 {
    (1.0 - target).powi(4)
}

impl CustomOp2 for CentreFocal {
    fn name(&self) -> &'static str {
        "centre-focal"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        if l1.dims() != l2.dims() {
            return Err(Error::Msg(format!(
                "focal loss: logits {:?} and target {:?} differ",
                l1.dims(),
                l2.dims()
            ))
            .bt());
        }
        let (x, t) = (of_cpu(s1, l1)?, of_cpu(s2, l2)?);
        let losses = x
            .iter()
            .zip(t)
            .map(|(&x, &t)| {
                let (p, log_p, log_q) = log_probabilities(x);
                if t < 0.0 {
                    0.0
                } else if t >= 1.0 {
                    -(1.0 - p).powi(2) * log_p
                } else {
                    -background(t) * p * p * log_q
                }
            })
            .collect();
        Ok((CpuStorage::F32(losses), l1.shape().clone()))
    }

    fn bwd(
        &self,
        logits: &Tensor,
        target: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        floats!(x = logits);
        floats!(t = target);
        floats!(g = grad);
        let out = x
            .iter()
            .zip(t)
            .zip(g)
            .map(|((&x, &t), &g)| {
                let (p, log_p, log_q) = log_probabilities(x);
                let q = 1.0 - p;
                let slope = if t < 0.0 {
                    0.0
                } else if t >= 1.0 {
                    q * q * (2.0 * p * log_p - q)
                } else {
                    background(t) * p * p * (p - 2.0 * q * log_q)
                };
                slope * g
            })
            .collect();
        Ok((
            Some(Tensor::from_vec::<_, f32>(
                out,
                logits.dims(),
                logits.device(),
            )?),
            None,
        ))
    }
}
