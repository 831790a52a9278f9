//! The product `x · wᵀ` of language models, without a bias, weights one row an
//! output.

use candle_core::{CpuStorage, CustomOp2, Error, Layout, Result, Shape, Tensor};

use super::floats::{floats, of_cpu};
use super::matmul::{Into, Mat, matmul};

struct Linear;

/// Multiplies the last dimension by a matrix of one row an output.
///
/// # Shapes
/// `input` `[rows, inner]`, `weight` `[outer, inner]`, result `[rows, outer]`.
///
/// # Errors
/// Shapes that do not fit, or a dtype other than f32.
pub fn linear(input: &Tensor, weight: &Tensor) -> Result<Tensor> {
    input.contiguous()?.apply_op2(&weight.contiguous()?, Linear)
}

fn sizes(x: &[usize], w: &[usize]) -> Result<(usize, usize, usize)> {
    match (x, w) {
        (&[rows, inner], &[outer, w_inner]) if inner == w_inner => Ok((rows, inner, outer)),
        _ => Err(Error::Msg(format!("linear: input {x:?} and weight {w:?} do not fit")).bt()),
    }
}

impl CustomOp2 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, inner, outer) = sizes(l1.dims(), l2.dims())?;
        let (x, w) = (of_cpu(s1, l1)?, of_cpu(s2, l2)?);
        let mut out = vec![0.0; rows * outer];
        matmul(
            &mut out,
            Into::Replace,
            Mat::new(x, rows, inner),
            Mat::new(w, outer, inner).t(),
        );
        Ok((CpuStorage::F32(out), Shape::from((rows, outer))))
    }

    fn bwd(
        &self,
        input: &Tensor,
        weight: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (rows, inner, outer) = sizes(input.dims(), weight.dims())?;
        floats!(x = input);
        floats!(w = weight);
        floats!(g = grad);
        let mut grad_x = vec![0.0; rows * inner];
        matmul(
            &mut grad_x,
            Into::Replace,
            Mat::new(g, rows, outer),
            Mat::new(w, outer, inner),
        );
        let mut grad_w = vec![0.0; outer * inner];
        matmul(
            &mut grad_w,
            Into::Replace,
            Mat::new(g, rows, outer).t(),
            Mat::new(x, rows, inner),
        );
        Ok((
            Some(Tensor::from_vec(grad_x, input.dims(), input.device())?),
            Some(Tensor::from_vec(grad_w, weight.dims(), weight.device())?),
        ))
    }
}
