//! Causal self-attention with rotary positions over sequences of different
//! lengths, one after another in one tensor: nothing is padded.

use candle_core::{CpuStorage, CustomOp1, Error, Layout, Result, Shape, Tensor};

use super::floats::{floats, of_cpu};

/// Sizes of an attention.
#[derive(Clone, Debug, PartialEq)]
pub struct CausalAttention {
    /// Heads.
    pub heads: usize,
    /// Base of the rotary frequencies.
    pub rope_theta: f32,
    /// Lengths of the sequences, in order.
    pub lengths: Vec<usize>,
}

/// Attends within each sequence to the tokens up to its own.
///
/// # Shapes
/// `qkv` `[tokens, 3 · width]`: queries, keys, values, each head after head;
/// result `[tokens, width]`. Rotary positions turn the first half of a head's
/// channels against the second half.
///
/// # Errors
/// Sizes that do not fit, or a dtype other than f32.
pub fn causal_attention(qkv: &Tensor, sizes: &CausalAttention) -> Result<Tensor> {
    qkv.contiguous()?.apply_op1(sizes.clone())
}

/// One head of one sequence: rotated queries and keys, values, probabilities.
struct Head {
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    p: Vec<f32>,
}

impl CausalAttention {
    /// Tokens, channels of a head.
    fn check(&self, dims: &[usize]) -> Result<(usize, usize)> {
        let tokens: usize = self.lengths.iter().sum();
        match dims {
            &[rows, width] if rows == tokens && self.heads > 0 => {
                let channels = width / 3 / self.heads;
                if channels > 0 && channels.is_multiple_of(2) && channels * self.heads * 3 == width
                {
                    return Ok((tokens, channels));
                }
            }
            _ => {}
        }
        Err(Error::Msg(format!(
            "attention of {} heads over {tokens} tokens: got {dims:?}",
            self.heads
        ))
        .bt())
    }

    /// Cosines and sines `[longest, channels / 2]`.
    fn turns(&self, channels: usize) -> (Vec<f32>, Vec<f32>) {
        let longest = self.lengths.iter().copied().max().unwrap_or(0);
        let half = channels / 2;
        let angles = (0..longest).flat_map(|t| {
            (0..half).map(move |i| {
                let exponent = (2 * i) as f32 / channels as f32;
                t as f32 / self.rope_theta.powf(exponent)
            })
        });
        angles.map(|a| (a.cos(), a.sin())).unzip()
    }

    /// Reads one head and computes its probabilities `[length, length]`.
    fn head(
        &self,
        qkv: &[f32],
        (start, length): (usize, usize),
        (head, channels): (usize, usize),
        turns: &(Vec<f32>, Vec<f32>),
    ) -> Head {
        let width = self.heads * channels;
        let half = channels / 2;
        let read = |part: usize| {
            let mut all = Vec::with_capacity(length * channels);
            for t in 0..length {
                let at = (start + t) * 3 * width + part * width + head * channels;
                all.extend_from_slice(&qkv[at..at + channels]);
            }
            all
        };
        let (mut q, mut k, v) = (read(0), read(1), read(2));
        for rows in [&mut q, &mut k] {
            for (t, row) in rows.chunks_exact_mut(channels).enumerate() {
                let (cos, sin) = (&turns.0[t * half..], &turns.1[t * half..]);
                let (a, b) = row.split_at_mut(half);
                for i in 0..half {
                    let (x, y) = (a[i], b[i]);
                    a[i] = x * cos[i] - y * sin[i];
                    b[i] = x * sin[i] + y * cos[i];
                }
            }
        }
        let scale = 1.0 / (channels as f32).sqrt();
        let mut p = vec![0.0; length * length];
        for t in 0..length {
            let query = &q[t * channels..(t + 1) * channels];
            let row = &mut p[t * length..t * length + t + 1];
            let mut top = f32::NEG_INFINITY;
            for (s, to) in row.iter_mut().enumerate() {
                *to = dot(query, &k[s * channels..(s + 1) * channels]) * scale;
                top = top.max(*to);
            }
            let mut sum = 0.0;
            for to in row.iter_mut() {
                *to = (*to - top).exp();
                sum += *to;
            }
            for to in row.iter_mut() {
                *to /= sum;
            }
        }
        Head { q, k, v, p }
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    // Eight sums at once, which the compiler keeps in one register.
    let mut sums = [0.0_f32; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a8
        .remainder()
        .iter()
        .zip(b8.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in a8.zip(b8) {
        for i in 0..8 {
            sums[i] += x[i] * y[i];
        }
    }
    sums.iter().sum::<f32>() + rest
}

fn add_scaled(to: &mut [f32], from: &[f32], scale: f32) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from * scale;
    }
}

impl CustomOp1 for CausalAttention {
    fn name(&self) -> &'static str {
        "causal-attention"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (tokens, channels) = self.check(layout.dims())?;
        let qkv = of_cpu(storage, layout)?;
        let turns = self.turns(channels);
        let width = self.heads * channels;
        let mut out = vec![0.0; tokens * width];
        let mut start = 0;
        for length in &self.lengths {
            for head in 0..self.heads {
                let own = self.head(qkv, (start, *length), (head, channels), &turns);
                for t in 0..*length {
                    let at = (start + t) * width + head * channels;
                    let row = &mut out[at..at + channels];
                    for (s, p) in own.p[t * length..t * length + t + 1].iter().enumerate() {
                        add_scaled(row, &own.v[s * channels..(s + 1) * channels], *p);
                    }
                }
            }
            start += length;
        }
        Ok((CpuStorage::F32(out), Shape::from((tokens, width))))
    }

    fn bwd(&self, input: &Tensor, _result: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (_, channels) = self.check(input.dims())?;
        floats!(qkv = input);
        floats!(g = grad);
        let turns = self.turns(channels);
        let width = self.heads * channels;
        let half = channels / 2;
        let scale = 1.0 / (channels as f32).sqrt();
        let mut out = vec![0.0; qkv.len()];
        let mut start = 0;
        for &length in &self.lengths {
            for head in 0..self.heads {
                let own = self.head(qkv, (start, length), (head, channels), &turns);
                let mut grad_q = vec![0.0; length * channels];
                let mut grad_k = vec![0.0; length * channels];
                let mut grad_v = vec![0.0; length * channels];
                let mut grad_p = vec![0.0; length];
                for t in 0..length {
                    let at = (start + t) * width + head * channels;
                    let g = &g[at..at + channels];
                    let p = &own.p[t * length..t * length + t + 1];
                    let mut mean = 0.0;
                    for s in 0..=t {
                        let span = s * channels..(s + 1) * channels;
                        grad_p[s] = dot(g, &own.v[span.clone()]);
                        mean += grad_p[s] * p[s];
                        add_scaled(&mut grad_v[span], g, p[s]);
                    }
                    for s in 0..=t {
                        let d = p[s] * (grad_p[s] - mean) * scale;
                        let (own_t, own_s) = (
                            t * channels..(t + 1) * channels,
                            s * channels..(s + 1) * channels,
                        );
                        add_scaled(&mut grad_q[own_t.clone()], &own.k[own_s.clone()], d);
                        add_scaled(&mut grad_k[own_s], &own.q[own_t], d);
                    }
                }
                // A rotation is undone by the opposite one.
                for rows in [&mut grad_q, &mut grad_k] {
                    for (t, row) in rows.chunks_exact_mut(channels).enumerate() {
                        let (cos, sin) = (&turns.0[t * half..], &turns.1[t * half..]);
                        let (a, b) = row.split_at_mut(half);
                        for i in 0..half {
                            let (x, y) = (a[i], b[i]);
                            a[i] = x * cos[i] + y * sin[i];
                            b[i] = y * cos[i] - x * sin[i];
                        }
                    }
                }
                for (part, rows) in [&grad_q, &grad_k, &grad_v].into_iter().enumerate() {
                    for (t, row) in rows.chunks_exact(channels).enumerate() {
                        let at = (start + t) * 3 * width + part * width + head * channels;
                        out[at..at + channels].copy_from_slice(row);
                    }
                }
            }
            start += length;
        }
        Ok(Some(Tensor::from_vec(out, input.dims(), input.device())?))
    }
}
