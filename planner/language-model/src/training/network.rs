//! The network in training: the same arithmetic as the Llama it is run as.

use candle_core::{Device, Tensor};
use vola_nn::kernels::{
    CausalAttention, causal_attention, class_cross_entropy, linear, rms_norm, silu_gate,
};
use vola_nn::{Init, ParamStore};

use super::config::LanguageSize;
use super::examples::Batch;
use crate::Result;

/// Base of the rotary frequencies.
pub(crate) const ROPE_THETA: f32 = 10_000.0;
/// Added to mean squares.
pub(crate) const EPSILON: f32 = 1e-5;

struct Layer {
    norm: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    o: Tensor,
    norm2: Tensor,
    gate: Tensor,
    up: Tensor,
    down: Tensor,
}

/// The network over its parameters.
pub(super) struct Network {
    size: LanguageSize,
    words: Tensor,
    layers: Vec<Layer>,
    norm: Tensor,
}

impl Network {
    /// Creates the parameters, named as the family's files name them.
    pub(super) fn new(size: LanguageSize, store: &ParamStore) -> Result<Self> {
        let (d, h) = (size.width, size.hidden);
        let deviation = 1.0 / (d as f32).sqrt();
        // Layers add to one another; together they shall not grow with their number.
        let last = deviation / (2.0 * size.layers as f32).sqrt();
        let model = store.under("model.");
        let one = Init::Constant(1.0);
        let mut layers = Vec::with_capacity(size.layers);
        for index in 0..size.layers {
            let at = model.sub("layers").sub(&index.to_string());
            let attention = at.sub("self_attn");
            let feed = at.sub("mlp");
            let square = |name: &str, deviation: f32| {
                attention
                    .sub(name)
                    .get("weight", &[d, d], Init::Normal(deviation))
            };
            layers.push(Layer {
                norm: at.sub("input_layernorm").get("weight", &[d], one)?,
                q: square("q_proj", deviation)?,
                k: square("k_proj", deviation)?,
                v: square("v_proj", deviation)?,
                o: square("o_proj", last)?,
                norm2: at
                    .sub("post_attention_layernorm")
                    .get("weight", &[d], one)?,
                gate: feed
                    .sub("gate_proj")
                    .get("weight", &[h, d], Init::Normal(deviation))?,
                up: feed
                    .sub("up_proj")
                    .get("weight", &[h, d], Init::Normal(deviation))?,
                down: feed.sub("down_proj").get(
                    "weight",
                    &[d, h],
                    Init::Normal(last * (d as f32 / h as f32).sqrt()),
                )?,
            });
        }
        Ok(Self {
            size,
            words: model.sub("embed_tokens").get(
                "weight",
                &[size.vocabulary, d],
                Init::Normal(0.02),
            )?,
            layers,
            norm: model.sub("norm").get("weight", &[d], one)?,
        })
    }

    /// Logits `[rows, vocabulary]` of the rows that count.
    pub(super) fn logits(&self, batch: &Batch) -> Result<Tensor> {
        let ids = Tensor::from_slice(&batch.tokens, batch.tokens.len(), &Device::Cpu)?;
        let attention = CausalAttention {
            heads: self.size.heads,
            rope_theta: ROPE_THETA,
            lengths: batch.lengths.clone(),
        };
        let mut x = self.words.index_select(&ids, 0)?;
        for layer in &self.layers {
            let h = rms_norm(&x, &layer.norm, EPSILON)?;
            let qkv = Tensor::cat(
                &[
                    linear(&h, &layer.q)?,
                    linear(&h, &layer.k)?,
                    linear(&h, &layer.v)?,
                ],
                1,
            )?;
            x = (x + linear(&causal_attention(&qkv, &attention)?, &layer.o)?)?;
            let h = rms_norm(&x, &layer.norm2, EPSILON)?;
            let h = silu_gate(&linear(&h, &layer.gate)?, &linear(&h, &layer.up)?)?;
            x = (x + linear(&h, &layer.down)?)?;
        }
        let rows = Tensor::from_slice(&batch.rows, batch.rows.len(), &Device::Cpu)?;
        let x = rms_norm(&x.index_select(&rows, 0)?, &self.norm, EPSILON)?;
        Ok(linear(&x, &self.words)?)
    }

    /// Mean loss of the tokens that count, and the part of them that came first.
    pub(super) fn loss(&self, batch: &Batch) -> Result<(Tensor, f64)> {
        let logits = self.logits(batch)?;
        let best = logits.argmax(1)?.to_vec1::<u32>()?;
        let right = best.iter().zip(&batch.next).filter(|(a, b)| a == b).count();
        let loss = class_cross_entropy(&logits, &batch.next)?.mean_all()?;
        Ok((loss, right as f64 / batch.next.len().max(1) as f64))
    }
}
