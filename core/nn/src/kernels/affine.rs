//! The linear layer `x · w + b`, with an optional ReLU, as one operation.

use candle_core::{CpuStorage, CustomOp3, Error, Layout, Result, Shape, Tensor};

use super::Activation;
use super::floats::{floats, of_cpu};
use super::matmul::{Into, Mat, matmul};

struct Affine {
    activation: Activation,
}

/// Applies a linear layer to the last dimension.
///
/// # Shapes
/// `input` `[…, inner]`, `weight` `[inner, outer]`, `bias` `[outer]`, result `[…, outer]`.
///
/// # Errors
/// Shapes that do not fit, or a dtype other than f32.
pub fn affine(
    input: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    activation: Activation,
) -> Result<Tensor> {
    input.contiguous()?.apply_op3(
        &weight.contiguous()?,
        &bias.contiguous()?,
        Affine { activation },
    )
}

/// Sizes `(rows, inner, outer)` of a linear layer.
fn sizes(x: &[usize], w: &[usize], b: &[usize]) -> Result<(usize, usize, usize)> {
    match (x.split_last(), w, b) {
        (Some((inner, lead)), [w_inner, outer], [b_outer])
            if inner == w_inner && outer == b_outer =>
        {
            Ok((lead.iter().product(), *inner, *outer))
        }
        _ => Err(Error::Msg(format!(
            "linear layer: input {x:?}, weight {w:?} and bias {b:?} do not fit"
        ))
        .bt()),
    }
}

impl CustomOp3 for Affine {
    fn name(&self) -> &'static str {
        "affine"
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
        let (rows, inner, outer) = sizes(l1.dims(), l2.dims(), l3.dims())?;
        let (x, w, b) = (of_cpu(s1, l1)?, of_cpu(s2, l2)?, of_cpu(s3, l3)?);
        let mut out = b.repeat(rows);
        matmul(
            &mut out,
            Into::Add,
            Mat::new(x, rows, inner),
            Mat::new(w, inner, outer),
        );
        if self.activation == Activation::Relu {
            relu_in_place(&mut out);
        }
        let mut dims = l1.dims().to_vec();
        dims.pop();
        dims.push(outer);
        Ok((CpuStorage::F32(out), Shape::from(dims)))
    }

    fn bwd(
        &self,
        input: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (rows, inner, outer) = sizes(input.dims(), weight.dims(), bias.dims())?;
        floats!(x = input);
        floats!(w = weight);
        floats!(y = result);
        floats!(g = grad);
        let masked;
        let g = if self.activation == Activation::Relu {
            masked = mask(g, y);
            &masked
        } else {
            g
        };
        let mut grad_w = vec![0.0; inner * outer];
        matmul(
            &mut grad_w,
            Into::Replace,
            Mat::new(x, rows, inner).t(),
            Mat::new(g, rows, outer),
        );
        let mut grad_b = vec![0.0; outer];
        add_columns(&mut grad_b, g);
        let grad_x = if input.track_op() {
            let mut grad_x = vec![0.0; rows * inner];
            matmul(
                &mut grad_x,
                Into::Replace,
                Mat::new(g, rows, outer),
                Mat::new(w, inner, outer).t(),
            );
            Some(Tensor::from_vec(grad_x, input.dims(), input.device())?)
        } else {
            None
        };
        Ok((
            grad_x,
            Some(Tensor::from_vec(grad_w, weight.dims(), weight.device())?),
            Some(Tensor::from_vec(grad_b, bias.dims(), bias.device())?),
        ))
    }
}

/// `max(x, 0)` in place.
pub(crate) fn relu_in_place(values: &mut [f32]) {
    for value in values {
        *value = value.max(0.0);
    }
}

/// The gradient where the output of a ReLU was positive, zero elsewhere.
pub(crate) fn mask(grad: &[f32], output: &[f32]) -> Vec<f32> {
    grad.iter()
        .zip(output)
        .map(|(g, y)| if *y > 0.0 { *g } else { 0.0 })
        .collect()
}

/// Adds every row of a row-major matrix to `sums`.
pub(crate) fn add_columns(sums: &mut [f32], rows: &[f32]) {
    for row in rows.chunks_exact(sums.len().max(1)) {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
}
