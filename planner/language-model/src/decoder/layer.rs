//! One layer: attention and feed-forward part, each added to what came in.

use super::Sequence;
use super::architecture::{Activation, Architecture, Family};
use super::attention::attend;
use super::matrix::Matrix;
use super::names::Part;
use super::weights::Weights;
use crate::Result;

/// Query, key and value of a layer.
enum Projections {
    Apart([Matrix; 3]),
    /// One matrix, in this order.
    Fused(Matrix),
}

/// Gate and middle of the feed-forward part.
enum Feed {
    Apart(Matrix, Matrix),
    /// One matrix, the gate first.
    Fused(Matrix),
}

/// The weights of one layer.
pub(super) struct Layer {
    before_attention: Vec<f32>,
    after_attention: Option<Vec<f32>>,
    before_feed: Vec<f32>,
    after_feed: Option<Vec<f32>>,
    projections: Projections,
    biases: Option<[Vec<f32>; 3]>,
    /// Of queries and keys.
    head_norms: Option<[Vec<f32>; 2]>,
    mixed: Matrix,
    mixed_bias: Option<Vec<f32>>,
    feed: Feed,
    down: Matrix,
}

impl Layer {
    /// Takes a layer's weights.
    ///
    /// # Errors
    /// Weights that are missing, damaged, or of another shape.
    pub(super) fn read(
        architecture: &Architecture,
        index: usize,
        weights: &mut dyn Weights,
    ) -> Result<Self> {
        let Architecture {
            family,
            width,
            hidden,
            ..
        } = *architecture;
        let (queries, keys) = (
            architecture.heads * architecture.head,
            architecture.key_width(),
        );
        let has_outer = family.has_outer_norms();
        let mut norm = |part: Part, len: usize| -> Result<Vec<f32>> {
            Ok(architecture.norm(weights.vector(&part.at(index), len)?))
        };
        let before_feed = if has_outer {
            Part::BeforeFeed
        } else {
            Part::OnlyBeforeFeed
        };
        let before_attention = norm(Part::BeforeAttention, width)?;
        let after_attention = has_outer
            .then(|| norm(Part::AfterAttention, width))
            .transpose()?;
        let before_feed = norm(before_feed, width)?;
        let after_feed = has_outer
            .then(|| norm(Part::AfterFeed, width))
            .transpose()?;
        let head_norms = if family.has_head_norms() {
            let head = architecture.head;
            Some([norm(Part::QueryNorm, head)?, norm(Part::KeyNorm, head)?])
        } else {
            None
        };
        let mut matrix =
            |part: Part, rows: usize, cols: usize| weights.matrix(&part.at(index), rows, cols);
        let (projections, feed) = if family == Family::Phi3 {
            (
                Projections::Fused(matrix(Part::QueryKeyValue, queries + 2 * keys, width)?),
                Feed::Fused(matrix(Part::GateUp, 2 * hidden, width)?),
            )
        } else {
            (
                Projections::Apart([
                    matrix(Part::Query, queries, width)?,
                    matrix(Part::Key, keys, width)?,
                    matrix(Part::Value, keys, width)?,
                ]),
                Feed::Apart(
                    matrix(Part::Gate, hidden, width)?,
                    matrix(Part::Up, hidden, width)?,
                ),
            )
        };
        let mixed = matrix(Part::Mixed, width, queries)?;
        let down = matrix(Part::Down, width, hidden)?;
        let has_biases = family == Family::Qwen2 || weights.has(&Part::QueryBias.at(index));
        let mut vector = |part: Part, len: usize| weights.vector(&part.at(index), len);
        let biases = if has_biases {
            let query = vector(Part::QueryBias, queries)?;
            Some([
                query,
                vector(Part::KeyBias, keys)?,
                vector(Part::ValueBias, keys)?,
            ])
        } else {
            None
        };
        let mixed_bias = weights
            .has(&Part::MixedBias.at(index))
            .then(|| weights.vector(&Part::MixedBias.at(index), width))
            .transpose()?;
        Ok(Self {
            before_attention,
            after_attention,
            before_feed,
            after_feed,
            projections,
            biases,
            head_norms,
            mixed,
            mixed_bias,
            feed,
            down,
        })
    }

    /// Changes the rows `[tokens of all sequences, width]` in place, and writes
    /// keys and values into the sequences' caches.
    ///
    /// # Errors
    /// A failing product.
    pub(super) fn forward(
        &self,
        architecture: &Architecture,
        index: usize,
        rows: &mut [f32],
        batch: &mut [Sequence<'_>],
    ) -> Result<()> {
        let epsilon = architecture.epsilon;
        let mut normed = rows.to_vec();
        rms_norm(&mut normed, &self.before_attention, epsilon);
        let mixed = self.attention(architecture, index, &normed, batch)?;
        let mut mixed = self.mixed.product(&mixed)?;
        if let Some(bias) = &self.mixed_bias {
            add_to_rows(&mut mixed, bias);
        }
        if let Some(norm) = &self.after_attention {
            rms_norm(&mut mixed, norm, epsilon);
        }
        add(rows, &mixed);
        let mut normed = rows.to_vec();
        rms_norm(&mut normed, &self.before_feed, epsilon);
        let middle = self.middle(architecture, &normed)?;
        let mut fed = self.down.product(&middle)?;
        if let Some(norm) = &self.after_feed {
            rms_norm(&mut fed, norm, epsilon);
        }
        add(rows, &fed);
        Ok(())
    }

    /// `[rows, heads * head]`.
    fn attention(
        &self,
        architecture: &Architecture,
        index: usize,
        rows: &[f32],
        batch: &mut [Sequence<'_>],
    ) -> Result<Vec<f32>> {
        let [mut queries, mut keys, mut values] = self.project(architecture, rows)?;
        if let Some([query, key, value]) = &self.biases {
            add_to_rows(&mut queries, query);
            add_to_rows(&mut keys, key);
            add_to_rows(&mut values, value);
        }
        if let Some([query, key]) = &self.head_norms {
            rms_norm(&mut queries, query, architecture.epsilon);
            rms_norm(&mut keys, key, architecture.epsilon);
        }
        let (query_width, key_width) = (
            architecture.heads * architecture.head,
            architecture.key_width(),
        );
        let rotary = architecture.rotary(index);
        let mut mixed = Vec::with_capacity(queries.len());
        let mut first = 0;
        for sequence in batch {
            let count = sequence.tokens.len();
            let queries = &mut queries[first * query_width..(first + count) * query_width];
            let keys = &mut keys[first * key_width..(first + count) * key_width];
            let values = &values[first * key_width..(first + count) * key_width];
            let known = sequence.cache.len();
            for offset in 0..count {
                let angles = rotary.at(known + offset);
                let query = &mut queries[offset * query_width..(offset + 1) * query_width];
                let key = &mut keys[offset * key_width..(offset + 1) * key_width];
                for head in query.chunks_exact_mut(architecture.head) {
                    rotary.turn(head, &angles);
                }
                for head in key.chunks_exact_mut(architecture.head) {
                    rotary.turn(head, &angles);
                }
            }
            sequence.cache.write(index, keys, values);
            mixed.extend(attend(architecture, index, queries, sequence.cache));
            first += count;
        }
        Ok(mixed)
    }

    fn project(&self, architecture: &Architecture, rows: &[f32]) -> Result<[Vec<f32>; 3]> {
        match &self.projections {
            Projections::Apart([query, key, value]) => Ok([
                query.product(rows)?,
                key.product(rows)?,
                value.product(rows)?,
            ]),
            Projections::Fused(all) => {
                let key_width = architecture.key_width();
                let query_width = architecture.heads * architecture.head;
                let all = all.product(rows)?;
                let column = |begin: usize, width: usize| -> Vec<f32> {
                    let rows = all.chunks_exact(query_width + 2 * key_width);
                    rows.flat_map(|row| &row[begin..begin + width])
                        .copied()
                        .collect()
                };
                Ok([
                    column(0, query_width),
                    column(query_width, key_width),
                    column(query_width + key_width, key_width),
                ])
            }
        }
    }

    /// `[rows, hidden]`: what passes the gate.
    fn middle(&self, architecture: &Architecture, rows: &[f32]) -> Result<Vec<f32>> {
        let activation = architecture.activation;
        match &self.feed {
            Feed::Apart(gate, up) => {
                let mut gate = gate.product(rows)?;
                for (gate, up) in gate.iter_mut().zip(up.product(rows)?) {
                    *gate = activate(activation, *gate) * up;
                }
                Ok(gate)
            }
            Feed::Fused(both) => {
                let both = both.product(rows)?;
                let mut middle = Vec::with_capacity(both.len() / 2);
                for row in both.chunks_exact(2 * architecture.hidden) {
                    let (gate, up) = row.split_at(architecture.hidden);
                    let pairs = gate.iter().zip(up);
                    middle.extend(pairs.map(|(gate, up)| activate(activation, *gate) * up));
                }
                Ok(middle)
            }
        }
    }
}

/// Divides each row by its root mean square and scales it by the weights.
pub(super) fn rms_norm(rows: &mut [f32], weights: &[f32], epsilon: f32) {
    for row in rows.chunks_exact_mut(weights.len().max(1)) {
        #[allow(clippy::cast_precision_loss, reason = "widths lie far below 2^24")]
        let mean = row.iter().map(|x| x * x).sum::<f32>() / row.len() as f32;
        let scale = 1.0 / (mean + epsilon).sqrt();
        for (x, weight) in row.iter_mut().zip(weights) {
            *x *= scale * weight;
        }
    }
}

fn add(rows: &mut [f32], others: &[f32]) {
    rows.iter_mut().zip(others).for_each(|(x, y)| *x += y);
}

fn add_to_rows(rows: &mut [f32], bias: &[f32]) {
    for row in rows.chunks_exact_mut(bias.len().max(1)) {
        add(row, bias);
    }
}

fn activate(activation: Activation, x: f32) -> f32 {
    /// √(2/π)
    const ROOT: f32 = 0.797_884_6;
    match activation {
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Gelu => 0.5 * x * (1.0 + (ROOT * (x + 0.044_715 * x * x * x)).tanh()),
    }
}
