//! Feature-wise linear modulation followed by ReLU, as one operation.

use candle_core::{CpuStorage, CustomOp3, Error, Layout, Result, Shape, Tensor};

use super::floats::{floats, of_cpu};

struct FilmRelu;

/// `max(x * (1 + scale) + shift, 0)`, with one scale and shift a sample and channel.
///
/// # Shapes
/// `input` `[batch, …, channels]`, `scale` and `shift` `[batch, channels]`; result as `input`.
///
/// # Source
/// Perez et al., "FiLM: Visual Reasoning with a General Conditioning Layer", section 3.
///
/// # Errors
/// Shapes that do not fit, or a dtype other than f32.
pub fn film_relu(input: &Tensor, scale: &Tensor, shift: &Tensor) -> Result<Tensor> {
    input
        .contiguous()?
        .apply_op3(&scale.contiguous()?, &shift.contiguous()?, FilmRelu)
}

/// Sizes `(numbers per sample, channels)`.
fn sizes(x: &[usize], scale: &[usize], shift: &[usize]) -> Result<(usize, usize)> {
    match (x, scale) {
        ([batch, .., channels], [s_batch, s_channels])
            if scale == shift && batch == s_batch && channels == s_channels && *channels > 0 =>
        {
            Ok((x[1..].iter().product(), *channels))
        }
        _ => Err(Error::Msg(format!(
            "FiLM: input {x:?}, scale {scale:?} and shift {shift:?} do not fit"
        ))
        .bt()),
    }
}

impl CustomOp3 for FilmRelu {
    fn name(&self) -> &'static str {
        "film-relu"
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
        let (sample, channels) = sizes(l1.dims(), l2.dims(), l3.dims())?;
        let (x, scale, shift) = (of_cpu(s1, l1)?, of_cpu(s2, l2)?, of_cpu(s3, l3)?);
        let mut out = Vec::with_capacity(x.len());
        let modulation = scale
            .chunks_exact(channels)
            .zip(shift.chunks_exact(channels));
        for (x, (scale, shift)) in x.chunks_exact(sample).zip(modulation) {
            for cell in x.chunks_exact(channels) {
                out.extend(
                    cell.iter()
                        .zip(scale)
                        .zip(shift)
                        .map(|((x, a), b)| (x * (1.0 + a) + b).max(0.0)),
                );
            }
        }
        Ok((CpuStorage::F32(out), l1.shape().clone()))
    }

    fn bwd(
        &self,
        input: &Tensor,
        scale: &Tensor,
        shift: &Tensor,
        result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (sample, channels) = sizes(input.dims(), scale.dims(), shift.dims())?;
        floats!(x = input);
        floats!(a = scale);
        floats!(y = result);
        floats!(g = grad);
        let mut grad_x = vec![0.0; x.len()];
        let mut grad_a = vec![0.0; a.len()];
        let mut grad_b = vec![0.0; a.len()];
        for (index, a) in a.chunks_exact(channels).enumerate() {
            let cells = index * sample..(index + 1) * sample;
            let ga = &mut grad_a[index * channels..(index + 1) * channels];
            let gb = &mut grad_b[index * channels..(index + 1) * channels];
            let forward = x[cells.clone()]
                .chunks_exact(channels)
                .zip(y[cells.clone()].chunks_exact(channels));
            let backward = g[cells.clone()]
                .chunks_exact(channels)
                .zip(grad_x[cells].chunks_exact_mut(channels));
            for ((x, y), (g, gx)) in forward.zip(backward) {
                for c in 0..channels {
                    let g = if y[c] > 0.0 { g[c] } else { 0.0 };
                    gx[c] = g * (1.0 + a[c]);
                    ga[c] += g * x[c];
                    gb[c] += g;
                }
            }
        }
        Ok((
            Some(Tensor::from_vec(grad_x, input.dims(), input.device())?),
            Some(Tensor::from_vec(grad_a, scale.dims(), scale.device())?),
            Some(Tensor::from_vec(grad_b, shift.dims(), shift.device())?),
        ))
    }
}
