//! The gate of language models' feed-forward layers: `silu(gate) · up`.

use candle_core::{CpuStorage, CustomOp2, Error, Layout, Result, Shape, Tensor};

use super::floats::{floats, of_cpu};

struct SiluGate;

/// `silu(gate) · up`, element by element.
///
/// # Errors
/// Different shapes, or a dtype other than f32.
pub fn silu_gate(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    gate.contiguous()?.apply_op2(&up.contiguous()?, SiluGate)
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

impl CustomOp2 for SiluGate {
    fn name(&self) -> &'static str {
        "silu-gate"
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
                "gate {:?} and input {:?} differ",
                l1.dims(),
                l2.dims()
            ))
            .bt());
        }
        let (gate, up) = (of_cpu(s1, l1)?, of_cpu(s2, l2)?);
        let out = gate
            .iter()
            .zip(up)
            .map(|(g, u)| g * sigmoid(*g) * u)
            .collect();
        Ok((CpuStorage::F32(out), l1.shape().clone()))
    }

    fn bwd(
        &self,
        gate: &Tensor,
        up: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        floats!(x = gate);
        floats!(u = up);
        floats!(g = grad);
        let (mut grad_x, mut grad_u) = (Vec::with_capacity(x.len()), Vec::with_capacity(x.len()));
        for ((x, u), g) in x.iter().zip(u).zip(g) {
            let s = sigmoid(*x);
            grad_u.push(g * x * s);
            grad_x.push(g * u * s * (1.0 + x * (1.0 - s)));
        }
        Ok((
            Some(Tensor::from_vec(grad_x, gate.dims(), gate.device())?),
            Some(Tensor::from_vec(grad_u, up.dims(), up.device())?),
        ))
    }
}
