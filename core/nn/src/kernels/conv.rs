//! Two-dimensional convolution as patches times a matrix, forward and backward.
//!
//! One image is worked on in bands of output rows whose patches fit the second-level cache. The
//! patches are gathered again in the backward pass rather than kept: gathering costs less than
//! writing and reading tens of megabytes.

use candle_core::{CpuStorage, CustomOp3, Error, Layout, Result, Shape, Tensor};

pub use super::im2col::InputLayout;

use super::Activation;
use super::affine::{add_columns, mask, relu_in_place};
use super::floats::{floats, of_cpu};
use super::im2col::{Geometry, col2im, im2col};
use super::matmul::{Into, Mat, matmul};

/// Patch numbers gathered at once: 80 Ki floats are 320 KiB, a third of the second-level cache.
const BAND_FLOATS: usize = 80 * 1024;

/// A convolution with square kernel, equal stride and zero padding on all sides.
#[derive(Clone, Copy, Debug)]
pub struct Conv2d {
    /// Layout of the input; the output is always `[batch, height, width, channels]`.
    pub layout: InputLayout,
    /// Kernel side in cells, at least 1.
    pub kernel: usize,
    /// Step in cells, at least 1.
    pub stride: usize,
    /// Zero padding on every side, in cells.
    pub padding: usize,
    /// What follows the bias.
    pub activation: Activation,
}

/// Applies a convolution.
///
/// # Shapes
/// `input` by [`InputLayout`], `weight` `[kernel * kernel * in_channels, out_channels]` with rows
/// in the order kernel row, kernel column, channel, `bias` `[out_channels]`; result
/// `[batch, out_height, out_width, out_channels]`.
///
/// # Errors
/// Shapes that do not fit, a kernel larger than the padded image, or a dtype other than f32.
pub fn conv2d(input: &Tensor, weight: &Tensor, bias: &Tensor, conv: Conv2d) -> Result<Tensor> {
    input
        .contiguous()?
        .apply_op3(&weight.contiguous()?, &bias.contiguous()?, conv)
}

/// All sizes of one application.
struct Sizes {
    batch: usize,
    outer: usize,
    geometry: Geometry,
}

impl Conv2d {
    fn sizes(&self, x: &[usize], w: &[usize], b: &[usize]) -> Result<Sizes> {
        let misfit = || {
            Error::Msg(format!(
                "convolution {self:?}: input {x:?}, weight {w:?} and bias {b:?} do not fit"
            ))
            .bt()
        };
        let (&[batch, d1, d2, d3], &[inner, outer], &[b_outer]) = (x, w, b) else {
            return Err(misfit());
        };
        let (height, width, channels) = match self.layout {
            InputLayout::Nhwc => (d1, d2, d3),
            InputLayout::Nchw => (d2, d3, d1),
        };
        let extent = |side: usize| {
            (side + 2 * self.padding)
                .checked_sub(self.kernel)
                .map(|free| free / self.stride.max(1) + 1)
        };
        match (extent(height), extent(width)) {
            (Some(out_height), Some(out_width))
                if inner == self.kernel * self.kernel * channels
                    && outer == b_outer
                    && self.stride > 0
                    && inner > 0 =>
            {
                let geometry = Geometry {
                    layout: self.layout,
                    height,
                    width,
                    channels,
                    kernel: self.kernel,
                    stride: self.stride,
                    padding: self.padding,
                    out_height,
                    out_width,
                };
                Ok(Sizes {
                    batch,
                    outer,
                    geometry,
                })
            }
            _ => Err(misfit()),
        }
    }
}

impl Sizes {
    /// Bands of output rows, and the patch numbers of the largest.
    fn bands(&self) -> (Vec<(usize, usize)>, usize) {
        let line = self.geometry.out_width * self.geometry.patch();
        let rows = (BAND_FLOATS / line.max(1)).clamp(1, self.geometry.out_height.max(1));
        let bands = (0..self.geometry.out_height)
            .step_by(rows)
            .map(|from| (from, (from + rows).min(self.geometry.out_height)))
            .collect();
        (bands, rows * line)
    }
}

impl CustomOp3 for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d-im2col"
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
        let sizes = self.sizes(l1.dims(), l2.dims(), l3.dims())?;
        let (x, w, b) = (of_cpu(s1, l1)?, of_cpu(s2, l2)?, of_cpu(s3, l3)?);
        let (geometry, outer) = (&sizes.geometry, sizes.outer);
        let cells = geometry.out_height * geometry.out_width;
        let mut out = b.repeat(sizes.batch * cells);
        let (bands, scratch) = sizes.bands();
        let mut patches = vec![0.0; scratch];
        let weight = Mat::new(w, geometry.patch(), outer);
        for (image, target) in x
            .chunks_exact(geometry.image())
            .zip(out.chunks_exact_mut(cells * outer))
        {
            for &(from, to) in &bands {
                let rows = (to - from) * geometry.out_width;
                let patches = &mut patches[..rows * geometry.patch()];
                im2col(geometry, image, (from, to), patches);
                let start = from * geometry.out_width;
                let band = &mut target[start * outer..(start + rows) * outer];
                matmul(
                    band,
                    Into::Add,
                    Mat::new(patches, rows, geometry.patch()),
                    weight,
                );
                if self.activation == Activation::Relu {
                    relu_in_place(band);
                }
            }
        }
        let shape = Shape::from((sizes.batch, geometry.out_height, geometry.out_width, outer));
        Ok((CpuStorage::F32(out), shape))
    }

    fn bwd(
        &self,
        input: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let sizes = self.sizes(input.dims(), weight.dims(), bias.dims())?;
        let (geometry, outer) = (&sizes.geometry, sizes.outer);
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
        let cells = geometry.out_height * geometry.out_width;
        let (bands, scratch) = sizes.bands();
        let mut patches = vec![0.0; scratch];
        let mut grad_w = vec![0.0; geometry.patch() * outer];
        let mut grad_b = vec![0.0; outer];
        add_columns(&mut grad_b, g);
        let mut grad_x = if input.track_op() {
            vec![0.0; x.len()]
        } else {
            Vec::new()
        };
        let weight_t = Mat::new(w, geometry.patch(), outer).t();
        for (index, image) in x.chunks_exact(geometry.image()).enumerate() {
            for &(from, to) in &bands {
                let rows = (to - from) * geometry.out_width;
                let start = index * cells + from * geometry.out_width;
                let band = Mat::new(&g[start * outer..(start + rows) * outer], rows, outer);
                let patches = &mut patches[..rows * geometry.patch()];
                im2col(geometry, image, (from, to), patches);
                matmul(
                    &mut grad_w,
                    Into::Add,
                    Mat::new(patches, rows, geometry.patch()).t(),
                    band,
                );
                if !grad_x.is_empty() {
                    matmul(patches, Into::Replace, band, weight_t);
                    let target =
                        &mut grad_x[index * geometry.image()..(index + 1) * geometry.image()];
                    col2im(geometry, patches, (from, to), target);
                }
            }
        }
        let grad_x = if grad_x.is_empty() {
            None
        } else {
            Some(Tensor::from_vec(grad_x, input.dims(), input.device())?)
        };
        Ok((
            grad_x,
            Some(Tensor::from_vec(grad_w, weight.dims(), weight.device())?),
            Some(Tensor::from_vec(grad_b, bias.dims(), bias.device())?),
        ))
    }
}
